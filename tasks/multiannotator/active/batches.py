"""Which items to label next, and by whom.

References
----------
H. Goh, J. Mueller. ActiveLab: Active Learning with Re-Labeling by Multiple Annotators.
arXiv:2301.11856 (2023).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.labels import as_array
from goldlabel.models.features import read_embeddings
from goldlabel.results.audit import Source
from goldlabel.tasks.multiannotator.active.scores import scores_of_votes
from goldlabel.tasks.multiannotator.aggregation.ties import largest_column
from goldlabel.tasks.multiannotator.aggregation.truth_inference import consensus_of
from goldlabel.tasks.multiannotator.decided import decided_quality, decided_scores
from goldlabel.tasks.multiannotator.formats import read_again
from goldlabel.tasks.multiannotator.inputs import checked_votes
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats, Ints

__all__ = ["next_examples", "select"]


POOL = 5
"""With features the batch is chosen from so many times its size."""
SHRINKAGE = 5.0
"""Votes of a class that an annotator's overall quality counts as, where few are known."""


@dataclass(frozen=True, eq=False)
class _Known:
    """What is known of items and annotators when the next batch is chosen.

    Attributes
    ----------
    votes : Votes
    classes, annotators : tuple
        Names by index.
    ids : ndarray of shape (N,), optional
    labels : ndarray of shape (N,), int64
        The probable class of each item; -1 where nothing is known.
    scores : ndarray of shape (N,), float64
        The lowest needs a label most.
    annotator_quality : ndarray of shape (M,), float64
        NaN where nothing is known.
    """

    votes: Votes
    classes: tuple[Hashable, ...]
    annotators: tuple[Hashable, ...]
    ids: npt.NDArray[Any] | None
    labels: Ints
    scores: Floats
    annotator_quality: Floats


@dataclass(frozen=True)
class _Wanted:
    """The batch that is asked for; see `select`."""

    n: int
    at_random: bool
    pool: int
    per_annotator: int | None
    seed: int

    def __post_init__(self) -> None:
        check.whole_number(self.n, name="n", low=1)
        check.whole_number(self.pool, name="pool", low=1)


def select(
    labels: Any,
    pred_probs: Any = None,
    *,
    n: int = 100,
    method: Literal["active_learning", "random"] = "active_learning",
    features: npt.ArrayLike | None = None,
    pool: int = POOL,
    per_annotator: int | None = None,
    seed: int = 0,
    classes: Sequence[Hashable] | None = None,
    ids: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Choose a batch of items to label next, or once more, and who should label each.

    Parameters
    ----------
    labels, pred_probs, classes, ids
        As for `get_consensus_labels`; items without votes are those of the pool. Without
        pred_probs, items are ordered by the quality of their consensus.
    n : int
        How many items at most.
    method : {"active_learning", "random"}
        The lowest scores of ActiveLab; or each item with the same chance, to compare with.
    features : array_like of shape (N, d), optional
        Numbers for each item, e.g. embeddings. The batch is then chosen from the `pool` times `n`
        lowest scores so that its items differ: first the lowest, then each time the item farthest
        from those chosen, features scaled to equal spread.
    pool : int
        See `features`.
    per_annotator : int, optional
        Most items for one annotator. If not given: three times an even share, rounded up.
    seed : int
        Of method "random".

    Returns
    -------
    DataFrame, a row per item, in the order to label
        `item` (position), `id`, `score` (lowest = most needed), `votes` it has, its `probable`
        class (None where nothing is known), and `annotator`: of those who have not labelled it
        yet, who is most often right about items of that class; None where nobody is left. Items
        that everybody has labelled come last.

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    Examples
    --------
    >>> votes = {"item": [0, 0, 1], "annotator": ["ann", "bob", "ann"], "label": [0, 0, 1]}
    >>> batch = select(votes, [[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]], n=2)
    >>> batch[["item", "votes", "annotator"]].values.tolist()
    [[2, 0, 'bob'], [1, 1, 'bob']]
    """
    check.choice(method, ("active_learning", "random"), name="method")
    checked = checked_votes(labels, pred_probs, classes=classes, ids=ids)
    wanted = _Wanted(n, method == "random", pool, per_annotator, seed)
    consensus = consensus_of(checked)
    known = _Known(
        votes=checked.votes,
        classes=checked.classes,
        annotators=checked.annotators,
        ids=checked.ids,
        labels=_probable(consensus.labels, checked.probs),
        scores=consensus.quality
        if checked.probs is None
        else scores_of_votes(checked.votes, checked.probs)[0],
        annotator_quality=consensus.annotator_quality,
    )
    return _batch(known, wanted, features)


def _probable(labels: Ints, probs: Floats | None) -> Ints:
    """Return labels, and what the models say of items without one."""
    if probs is None:
        return labels
    unseen = np.flatnonzero(labels < 0)
    chosen = labels.copy()
    chosen[unseen] = largest_column(probs[:, unseen].mean(axis=0))
    return chosen


def next_examples(
    folder: Path,
    source: Source,
    *,
    n: int,
    features: Path | None = None,
    at_random: bool = False,
    per_annotator: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Choose what to label next in an audited dataset; what ``goldlabel select`` calls.

    What the audit has decided is taken as it stands in its folder, not found again: consensus and
    scores (that of ActiveLab, or without predictions the quality of the consensus) from
    consensus.parquet, the quality of annotators from annotators.parquet.

    Parameters
    ----------
    folder : Path
        Of the audit.
    source : Source
        Of the audit.
    n, at_random, per_annotator, seed
        See `select`.
    features : Path, optional
        A file with a row of numbers for each item, in the order of consensus.parquet.

    Returns
    -------
    DataFrame
        `example`, `id`, `score`, `votes`, `probable`, `annotator`, and what the dataset says of
        each item.

    Raises
    ------
    InputError
        The dataset has changed since, `features` does not fit, or the audit does not.
    """
    data = read_again(source)
    labels, scores = decided_scores(folder, data)
    known = _Known(
        votes=data.votes,
        classes=data.classes,
        annotators=data.annotators,
        ids=data.ids,
        labels=labels,
        scores=scores,
        annotator_quality=decided_quality(folder, data),
    )
    values = None if features is None else read_embeddings(features, len(data))
    batch = _batch(known, _Wanted(n, at_random, POOL, per_annotator, seed), values)
    if not data.has_identities:
        batch = batch.drop(columns="annotator")
    batch = batch.rename(columns={"item": "example"})
    if data.frame is None:
        return batch
    shown = data.frame.iloc[batch["example"].to_numpy()].reset_index(drop=True)
    own = [name for name in shown.columns if name not in batch.columns]
    return pd.concat([batch, shown[own]], axis=1)


def _batch(known: _Known, wanted: _Wanted, features: npt.ArrayLike | None) -> pd.DataFrame:
    votes = known.votes
    everybody = np.count_nonzero(votes.votes_per_annotator)
    is_full = votes.votes_per_item >= everybody
    order = np.lexsort((known.scores, is_full))
    if wanted.at_random:
        drawn = np.random.default_rng(wanted.seed).permutation(votes.num_items)
        order = drawn[np.argsort(is_full[drawn], kind="stable")]
    elif features is not None:
        rows = _checked_features(features, votes.num_items)
        order = _spread(rows, order[: wanted.pool * wanted.n], wanted.n)
    chosen = order[: wanted.n]
    people = _who(known, chosen, wanted.per_annotator)
    labels = known.labels[chosen]
    return pd.DataFrame(
        {
            "item": chosen,
            "id": chosen if known.ids is None else known.ids[chosen],
            "score": known.scores[chosen],
            "votes": votes.votes_per_item[chosen],
            "probable": _names(known.classes, labels),
            "annotator": _names(known.annotators, people),
        }
    )


def _names(names: tuple[Hashable, ...], codes: Ints) -> pd.Series[Any]:
    """Return names, None for -1; of objects, which keeps integers beside None as they are."""
    return pd.Series([None if code < 0 else names[code] for code in codes.tolist()], dtype=object)


def _checked_features(features: npt.ArrayLike, n: int) -> Floats:
    array = as_array(features, "features")
    if array.ndim != 2 or len(array) != n or array.dtype.kind not in "fiub":
        raise InputError(
            "features",
            f"has shape {array.shape} and holds {array.dtype}",
            f"Pass numbers of shape ({n}, d), a row for each item",
        )
    rows = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if bad.size:
        raise InputError(
            f"features[{bad[0]}]", f"is not finite ({bad.size:,} such rows)", "Pass finite numbers"
        )
    spread = rows.std(axis=0)
    scaled: Floats = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return scaled


def _spread(rows: Floats, candidates: Ints, size: int) -> Ints:
    """Return the candidates one after the other, each the farthest from those before it."""
    own = rows[candidates]
    chosen = [0]
    distance = ((own - own[0]) ** 2).sum(axis=1)
    while len(chosen) < min(size, len(candidates)):
        distance[chosen[-1]] = -1.0
        farthest = int(distance.argmax())
        chosen.append(farthest)
        distance = np.where(
            distance < 0, distance, np.minimum(distance, ((own - own[farthest]) ** 2).sum(axis=1))
        )
    return candidates[chosen]


def _who(known: _Known, items: Ints, most: int | None) -> Ints:
    """Return who should label each item; -1 where nobody is left."""
    votes, labels = known.votes, known.labels[items]
    active = np.flatnonzero(votes.votes_per_annotator > 0)
    if most is None:
        most = -(-3 * len(items) // max(len(active), 1))
    most = check.whole_number(most, name="per_annotator", low=1)
    room = np.full(votes.num_annotators, 0)
    room[active] = most
    ranked = {label: _best_first(known, label) for label in np.unique(labels).tolist()}
    chosen = np.full(len(items), -1, dtype=np.int64)
    for at, (item, label) in enumerate(zip(items.tolist(), labels.tolist(), strict=True)):
        start, stop = votes.item_offsets[item : item + 2]
        had = set(votes.annotator[start:stop].tolist())
        for person in ranked[label]:
            if room[person] > 0 and person not in had:
                chosen[at] = person
                room[person] -= 1
                break
    return chosen


def _best_first(known: _Known, label: int) -> list[int]:
    """Return annotators by how often they are right about items of a class, the best first.

    Where they have labelled few of them, their quality in general counts.
    """
    votes, m = known.votes, known.votes.num_annotators
    of_class = known.labels[votes.item] == label
    right = of_class & (votes.label == label)
    count = np.bincount(votes.annotator[of_class], minlength=m)
    hits = np.bincount(votes.annotator[right], minlength=m)
    quality = np.nan_to_num(known.annotator_quality, nan=0.0)
    estimate = (hits + SHRINKAGE * quality) / (count + SHRINKAGE)
    ranked: list[int] = np.argsort(-estimate, kind="stable").tolist()
    return ranked
