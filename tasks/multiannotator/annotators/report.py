"""A report on each annotator: how good, sure how far, at what, and whether anything is odd."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from goldlabel.tasks.multiannotator.aggregation.consensus import Consensus
from goldlabel.tasks.multiannotator.aggregation.crowdlab.fitting import peer_agreement
from goldlabel.tasks.multiannotator.aggregation.methods import ConsensusMethod
from goldlabel.tasks.multiannotator.aggregation.truth_inference import consensus_of
from goldlabel.tasks.multiannotator.annotators import spammers
from goldlabel.tasks.multiannotator.annotators.collusion import Copies, find_copies
from goldlabel.tasks.multiannotator.annotators.drift import Shift, shifts
from goldlabel.tasks.multiannotator.inputs import checked_votes
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats, Ints

__all__ = ["annotator_report", "annotator_table", "confusion_of"]


LEVEL = 0.95
_OPPOSITE = 4.0
"""Standard errors below chance from which an annotator must know what is right."""
_PAUSE = 1800.0
"""Seconds between two votes from which nobody was labelling."""


def annotator_report(
    labels: Any,
    pred_probs: Any = None,
    *,
    consensus_method: ConsensusMethod | None = None,
    time: npt.ArrayLike | None = None,
    seconds: npt.ArrayLike | None = None,
    classes: Sequence[Hashable] | None = None,
    ids: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Report on each annotator.

    Parameters
    ----------
    labels, pred_probs, consensus_method, classes, ids
        As for `get_consensus_labels`.
    time, seconds : array_like of shape (n,), optional
        When each vote was given (any unit) and how long it took, in the order of
        ``Consensus.votes``: by item, then annotator.

    Returns
    -------
    DataFrame, a row per annotator, the lowest quality first
        `annotator`; `quality` in [0, 1] with the ends of its 95% interval, `quality_low` and
        `quality_high`; `labels` given; `agreement_with_consensus`, `agreement_with_others`,
        `agreement_with_model`; `worst_class` and `worst_class_accuracy`; `confused`, the most
        frequent mistake; `usual_class` and its `usual_share`; `seconds_per_label` and `shift`
        where times are known; `remarks` on odd behaviour. NaN or empty where nothing is known.

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    Examples
    --------
    >>> votes = {"item": [0, 0, 1, 1], "annotator": list("abab"), "label": [0, 0, 1, 0]}
    >>> table = annotator_report(votes, consensus_method="majority_vote")
    >>> table[["annotator", "quality", "labels", "worst_class"]]
      annotator  quality  labels  worst_class
    0         b      0.5       2            0
    1         a      1.0       2            0
    """
    checked = checked_votes(labels, pred_probs, classes=classes, ids=ids)
    found = consensus_of(checked, consensus_method)
    columns = [
        None if values is None else np.asarray(values, dtype=np.float64)
        for values in (time, seconds)
    ]
    return annotator_table(found, checked.probs, *columns)


def annotator_table(
    consensus: Consensus,
    probs: Floats | None = None,
    time: Floats | None = None,
    seconds: Floats | None = None,
) -> pd.DataFrame:
    """Return the report by a consensus that was found before; see `annotator_report`."""
    votes = consensus.votes
    count = votes.votes_per_annotator
    quality = consensus.annotator_quality
    low, high = _interval(quality, count)
    right = (votes.label == consensus.labels[votes.item]).astype(np.float64)
    worst, record = consensus.worst_classes()
    usual, share = _usual_class(votes)
    frame = pd.DataFrame(
        {
            "annotator": list(map(str, consensus.annotators)),
            "quality": quality,
            "quality_low": low,
            "quality_high": high,
            "labels": count,
            "agreement_with_consensus": _mean(votes, right),
            "agreement_with_others": np.where(_has_peers(votes), peer_agreement(votes), np.nan),
        }
    )
    if probs is not None:
        predicted = probs.mean(axis=0).argmax(axis=1)
        frame["agreement_with_model"] = _mean(votes, votes.label == predicted[votes.item])
    frame["worst_class"] = consensus.named(worst)
    frame["worst_class_accuracy"] = record[:, 0]
    frame["confused"] = _confused(consensus)
    frame["usual_class"] = consensus.named(usual)
    frame["usual_share"] = share
    found: list[Shift] = []
    if seconds is not None or time is not None:
        frame["seconds_per_label"] = _pace(votes, time, seconds)
    if time is not None:
        found = shifts(votes, right, time)
        told = {shift.annotator: _told(shift) for shift in found}
        frame["shift"] = [told.get(j, "") for j in range(len(frame))]
    frame["remarks"] = _remarks(consensus, found)
    by = ["quality", "agreement_with_consensus"]
    return frame.sort_values(by, kind="stable", na_position="last", ignore_index=True)


def _interval(quality: Floats, count: Ints) -> tuple[Floats, Floats]:
    """Return Wilson's interval, as if each vote were right or wrong: at least as wide as due."""
    z = stats.norm.ppf(0.5 + LEVEL / 2)
    n = np.maximum(count, 1)
    center = (quality + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(quality * (1 - quality) / n + z**2 / (4 * n**2))
    return np.clip(center - half, 0, 1), np.clip(center + half, 0, 1)


def _mean(votes: Votes, values: npt.NDArray[Any]) -> Floats:
    total = np.bincount(votes.annotator, weights=values, minlength=votes.num_annotators)
    count = votes.votes_per_annotator
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _has_peers(votes: Votes) -> npt.NDArray[np.bool_]:
    shared = votes.annotator[votes.votes_per_item[votes.item] > 1]
    return np.bincount(shared, minlength=votes.num_annotators) > 0


def _usual_class(votes: Votes) -> tuple[Ints, Floats]:
    """Return the class that each annotator gives most, and its share."""
    k = votes.num_classes
    cells, counts = np.unique(
        votes.annotator.astype(np.int64) * k + votes.label, return_counts=True
    )
    return _most(cells, counts, votes, k)


def _most(cells: Ints, counts: Ints, votes: Votes, width: int) -> tuple[Ints, Floats]:
    """Return for each annotator the cell with the largest count, the first of equals."""
    who = cells // width
    order = np.lexsort((cells, -counts, who))
    first = order[np.unique(who[order], return_index=True)[1]]
    best = np.full(votes.num_annotators, -1, dtype=np.int64)
    share = np.full(votes.num_annotators, np.nan)
    best[who[first]] = cells[first] % width
    share[who[first]] = counts[first] / votes.votes_per_annotator[who[first]]
    return best, share


def _confused(consensus: Consensus) -> list[str]:
    """Name each annotator's most frequent mistake."""
    votes, k = consensus.votes, consensus.votes.num_classes
    agreed = consensus.labels[votes.item]
    wrong = np.flatnonzero((votes.label != agreed) & (agreed >= 0))
    pair = agreed[wrong] * k + votes.label[wrong]
    cells, counts = np.unique(
        votes.annotator[wrong].astype(np.int64) * k * k + pair, return_counts=True
    )
    best, _ = _most(cells, counts, votes, k * k)
    times = dict(zip(cells.tolist(), counts.tolist(), strict=True))
    names = list(map(str, consensus.classes))
    return [
        ""
        if cell < 0
        else f"{names[cell % k]} for {names[cell // k]} ({times[j * k * k + cell]} times)"
        for j, cell in enumerate(best.tolist())
    ]


def confusion_of(consensus: Consensus, annotator: int) -> Ints:
    """Return the matrix (k, k) of one annotator: consensus by vote."""
    votes, k = consensus.votes, consensus.votes.num_classes
    start, stop = votes.annotator_offsets[annotator : annotator + 2]
    own = votes.by_annotator[start:stop]
    agreed = consensus.labels[votes.item[own]]
    cells = agreed[agreed >= 0] * k + votes.label[own][agreed >= 0]
    return np.bincount(cells, minlength=k * k).reshape(k, k)


def _pace(votes: Votes, time: Floats | None, seconds: Floats | None) -> Floats:
    """Return the median of the seconds that a label takes; of times, those between two votes."""
    pace = np.full(votes.num_annotators, np.nan)
    for j in np.flatnonzero(votes.votes_per_annotator > 0).tolist():
        own = votes.by_annotator[votes.annotator_offsets[j] : votes.annotator_offsets[j + 1]]
        if seconds is not None:
            values = seconds[own]
        else:
            assert time is not None
            values = np.diff(np.sort(time[own]))
            values = values[values < _PAUSE]
        values = values[~np.isnan(values)]
        if values.size:
            pace[j] = np.median(values)
    return pace


def _told(shift: Shift) -> str:
    return (
        f"from {shift.before:.0%} to {shift.after:.0%} after vote {shift.vote:,}"
        f" (95%: {shift.low:,} to {shift.high:,})"
    )


def _same_as(copies: Copies, j: int, names: list[str]) -> list[str]:
    """Say whose labels an annotator's are, by their numbers."""
    columns = (copies.others[j], copies.items[j], copies.same[j])
    rows = sorted(zip(*(column.tolist() for column in columns), strict=True))
    lines = [
        f"same as {names[other]} on {same:,} of {items:,} items"
        for other, items, same in rows
        if other >= 0
    ]
    more = int(copies.count[j]) - len(lines)
    return [*lines, f"and the same as {more:,} more"] if more else lines


def _remarks(consensus: Consensus, found: list[Shift]) -> list[str]:
    """Say what is odd about each annotator."""
    votes = consensus.votes
    said: list[list[str]] = [[] for _ in range(votes.num_annotators)]
    names = list(map(str, consensus.annotators))
    for j in np.flatnonzero(spammers.constant_annotators(consensus)).tolist():
        said[j].append("gives every item the same class")
    random, above = spammers.random_annotators(votes)
    for j in np.flatnonzero(random).tolist():
        opposite = above[j] < -_OPPOSITE
        said[j].append("says the opposite of the others" if opposite else "no better than chance")
    copies = find_copies(consensus)
    for j in np.flatnonzero(copies.count).tolist():
        said[j] += _same_as(copies, j, names)
    for shift in found:
        better = shift.after > shift.before
        said[shift.annotator].append("gets better over time" if better else "gets worse over time")
    return ["; ".join(each) for each in said]
