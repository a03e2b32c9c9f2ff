"""Majority vote, and what decides between classes that have as many votes.

Ties are narrowed in turn: the largest predicted probability, if there are any; then the class that
is rarest among all votes, so that rare classes are not voted away; then the class whose voters
agree most with the majority on items without a tie; then the lowest class.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs.check import out_of_range, pred_probs_array
from goldlabel.kernels._jit import frozen, kernel
from goldlabel.kernels.rows import each_block, thread_count
from goldlabel.tasks.multiannotator.aggregation.fit import (
    NO_CLASS,
    Fit,
    check_votes,
    gold_classes,
    refuse_too_large,
)
from goldlabel.tasks.multiannotator.aggregation.label_models.em import each_items, item_blocks
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Codes, Floats, Ints

__all__ = ["annotator_accuracy", "fit", "majority_labels", "vote_shares"]


TIED = -2


@kernel
def _most_votes(
    item_offsets: Ints, label: Codes, count: Ints, frequency: Ints, winner: Codes
) -> None:
    """``winner`` = the class with the most votes, `TIED`, or `NO_CLASS` without votes.

    `count` is a scratch of 0 for each class, and is left so; `frequency` adds all votes up.
    """
    for i in range(item_offsets.shape[0] - 1):
        votes = label[item_offsets[i] : item_offsets[i + 1]]
        most = 0
        best = NO_CLASS
        for given in votes:
            count[given] += 1
            if count[given] > most:
                most = count[given]
                best = given
            elif count[given] == most:
                best = TIED
        winner[i] = best
        for given in votes:
            count[given] = 0
            frequency[given] += 1


@kernel
def _count(label: Codes, frequency: Ints) -> None:
    """Add all votes up by class; NumPy's bincount would copy them to int64."""
    for given in label:
        frequency[given] += 1


@kernel
def _largest_share(item_offsets: Ints, shares: Floats, winner: Codes) -> None:
    """Do what `_most_votes` does, from shares of votes: equal counts have equal shares."""
    for i in range(item_offsets.shape[0] - 1):
        row = shares[i]
        most, place, equals = row[0], 0, 0
        for c in range(row.shape[0]):
            if row[c] > most:
                most, place = row[c], c
        for c in range(row.shape[0]):
            equals += row[c] == most
        winner[i] = place if equals == 1 else TIED
        if item_offsets[i] == item_offsets[i + 1]:
            winner[i] = NO_CLASS


@kernel
def _shares(item_offsets: Ints, label: Codes, gold: Codes, shares: Floats, sums: Floats) -> None:
    """Count votes by class and divide by their number; uniform without votes, gold where known."""
    k = shares.shape[1]
    for i in range(item_offsets.shape[0] - 1):
        first, last = item_offsets[i], item_offsets[i + 1]
        known = gold[i] if gold.shape[0] else -1
        blank = 1.0 / k if known < 0 and first == last else 0.0
        for c in range(k):
            shares[i, c] = blank
        if known >= 0:
            shares[i, known] = 1.0
            sums[known] += 1.0
            continue
        for vote in range(first, last):
            shares[i, label[vote]] += 1.0
        if last > first:
            for c in range(k):
                shares[i, c] /= last - first
                sums[c] += shares[i, c]


@kernel
def _agreeing(
    item_offsets: Ints,
    annotator: Codes,
    label: Codes,
    consensus: Codes,
    right: Ints,
    counted: Ints,
) -> None:
    """Count the votes of each annotator that equal the consensus, and those that have one.

    `counted` may be empty, if all items have one.
    """
    for i in range(item_offsets.shape[0] - 1):
        answer = consensus[i]
        if answer < 0:
            continue
        for vote in range(item_offsets[i], item_offsets[i + 1]):
            right[annotator[vote]] += label[vote] == answer
            if counted.shape[0]:
                counted[annotator[vote]] += 1


@kernel
def _break_ties(
    item_offsets: Ints,
    annotator: Codes,
    label: Codes,
    tied: Ints,
    probabilities: Floats,
    frequency: Ints,
    trust: Floats,
    count: Ints,
    total: Floats,
    winner: Codes,
) -> None:
    """Choose a class for each tied item; `probabilities` has a row for each, or none at all.

    `count` and `total` are scratches of 0 for each class.
    """
    has_trust = trust.shape[0] > 0
    for at in range(tied.shape[0]):
        i = tied[at]
        first, last = item_offsets[i], item_offsets[i + 1]
        most = 0
        for vote in range(first, last):
            count[label[vote]] += 1
            most = max(most, count[label[vote]])
            if has_trust:
                total[label[vote]] += trust[annotator[vote]]
        best = -1
        for vote in range(first, last):
            c = label[vote]
            if count[c] != most or c == best:
                continue
            # In turn: probability, rarity, trust, number; the first that differs decides.
            ahead = 1.0
            if best >= 0:
                ahead = 0.0
                if probabilities.shape[0]:
                    ahead = probabilities[at, c] - probabilities[at, best]
                if ahead == 0.0:
                    ahead = 1.0 * (frequency[best] - frequency[c])
                if ahead == 0.0:
                    ahead = total[c] / most - total[best] / most
                if ahead == 0.0:
                    ahead = 1.0 * (best - c)
            if ahead > 0.0:
                best = c
        winner[i] = best
        for vote in range(first, last):
            count[label[vote]] = 0
            total[label[vote]] = 0.0


def majority_labels(votes: Votes, pred_probs: npt.ArrayLike | None = None) -> Codes:
    """Return the class with the most votes for each item.

    Parameters
    ----------
    votes : Votes
    pred_probs : array_like of shape (num_items, num_classes), optional
        A model's probabilities, which decide ties first.

    Returns
    -------
    ndarray of shape (num_items,), int32
        -1 for an item without votes.

    Raises
    ------
    InputError
        `pred_probs` does not fit the votes.

    Examples
    --------
    >>> from goldlabel.tasks.multiannotator.votes import Votes
    >>> votes = Votes.from_arrays([0, 0, 1, 1, 1], [0, 1, 0, 1, 2], [0, 1, 0, 1, 1])
    >>> majority_labels(votes).tolist()
    [0, 1]
    >>> majority_labels(votes, [[0.3, 0.7], [0.9, 0.1]]).tolist()
    [1, 1]
    """
    probs = None if pred_probs is None else _pred_probs(pred_probs, votes)
    winner = np.empty(votes.num_items, dtype=np.int32)
    size, blocks = item_blocks(votes, 1)
    # One place for each thread: sums of whole numbers are the same in any order.
    places = np.zeros((min(thread_count(), blocks), 2, votes.num_classes), dtype=np.int64)

    def work(worker: int, block: int, items: slice) -> None:
        offsets = votes.item_offsets[items.start : items.stop + 1]
        count, frequency = places[worker]
        _most_votes(offsets, votes.label, count, frequency, winner[items])

    each_block(work, votes.num_items, size)
    _settle(votes, probs, places[:, 1].sum(axis=0), winner)
    return winner


def _majority_of(votes: Votes, shares: Floats, pred_probs: npt.ArrayLike | None) -> Codes:
    """Return what `majority_labels` does, where shares of votes are known."""
    probs = None if pred_probs is None else _pred_probs(pred_probs, votes)
    winner = np.empty(votes.num_items, dtype=np.int32)

    def work(block: int, items: slice, offsets: Ints) -> None:
        _largest_share(offsets, shares[items], winner[items])

    each_items(votes, votes.num_classes, work)
    _settle(votes, probs, None, winner)
    return winner


def _settle(
    votes: Votes, probs: npt.NDArray[np.generic] | None, frequency: Ints | None, winner: Codes
) -> None:
    """Choose a class for each tied item, in place; `frequency` of classes where it is known."""
    tied = np.flatnonzero(winner == TIED)
    if not tied.size:
        return
    if frequency is None:
        frequency = np.zeros(votes.num_classes, dtype=np.int64)
        _count(votes.label, frequency)
    rows = np.empty((0, 1)) if probs is None else probs[tied].astype(np.float64)
    bad = ~((rows >= -1e-6) & (rows <= 1 + 1e-6))
    if probs is not None and bad.any():
        out_of_range(probs)
    # Where no two classes are equally rare, nothing is left for trust to decide.
    rare = len(np.unique(frequency)) == len(frequency)
    trust = np.empty(0) if rare else _trust(votes, winner)
    _break_ties(
        votes.item_offsets,
        votes.annotator,
        votes.label,
        tied,
        rows,
        frequency,
        trust,
        np.zeros(votes.num_classes, dtype=np.int64),
        np.zeros(votes.num_classes),
        winner,
    )


def _pred_probs(pred_probs: npt.ArrayLike, votes: Votes) -> npt.NDArray[np.generic]:
    probs, _ = pred_probs_array(pred_probs)
    if probs.shape != (votes.num_items, votes.num_classes):
        raise InputError(
            "pred_probs",
            f"has shape {probs.shape}, and votes are on {votes.num_items:,} items with"
            f" {votes.num_classes:,} classes",
            "Pass a row for each item and a column for each class",
        )
    return probs


def _trust(votes: Votes, winner: Codes) -> Floats:
    """Return how often annotators agree with the majority where there is no tie.

    Whoever voted on tied items only has the mean of the others; empty if there are no others.
    """
    rates, counted = annotator_accuracy(votes, winner)
    known = counted > 0
    if not known.any():
        return np.empty(0)
    trust: Floats = np.where(known, rates, rates[known].mean())
    return trust


def annotator_accuracy(votes: Votes, consensus: Codes) -> tuple[Floats, Ints]:
    """Return annotators' share of votes that equal the consensus, and of how many votes it is.

    Items whose consensus is negative do not count; an annotator with no others has 0 of 0.
    """
    size, blocks = item_blocks(votes, 1)
    workers, people = min(thread_count(), blocks), votes.num_annotators
    # One place for each thread: sums of whole numbers are the same in any order.
    right = np.zeros((workers, people), dtype=np.int64)
    known = bool((consensus >= 0).all())
    counts = np.zeros((workers, 0 if known else people), dtype=np.int64)
    chosen = frozen(consensus)

    def work(worker: int, block: int, items: slice) -> None:
        offsets = votes.item_offsets[items.start : items.stop + 1]
        places = right[worker], counts[worker]
        _agreeing(offsets, votes.annotator, votes.label, chosen[items], *places)

    each_block(work, votes.num_items, size)
    counted: Ints = votes.votes_per_annotator if known else counts.sum(axis=0)
    rates: Floats = right.sum(axis=0) / np.maximum(counted, 1)
    return rates, counted


def vote_shares(votes: Votes, gold: Codes, out: Floats) -> Floats:
    """Write shares of votes, and return their sums over items that have votes or gold."""
    _, blocks = item_blocks(votes, votes.num_classes)
    sums = np.zeros((blocks, votes.num_classes))

    def work(block: int, items: slice, offsets: Ints) -> None:
        _shares(offsets, votes.label, gold[items], out[items], sums[block])

    each_items(votes, votes.num_classes, work)
    total: Floats = sums.sum(axis=0)
    return total


def fit(
    votes: Votes,
    *,
    pred_probs: npt.ArrayLike | None = None,
    gold: npt.ArrayLike | None = None,
) -> Fit:
    """Take the class with the most votes; the posterior is the share of votes of each class.

    Parameters
    ----------
    votes : Votes
    pred_probs : array_like of shape (num_items, num_classes), optional
        A model's probabilities, which decide ties first; see the module for what does next.
    gold : array_like of shape (num_items,), optional
        Class of the items where it is known; -1 elsewhere.

    Returns
    -------
    Fit
        `quality` is the share of votes for the consensus, `annotator_quality` the share of an
        annotator's votes that equal the consensus.

    Raises
    ------
    InputError
        An argument does not fit.

    Examples
    --------
    >>> from goldlabel.tasks.multiannotator.votes import Votes
    >>> votes = Votes.from_arrays([0, 0, 0, 1], [0, 1, 2, 0], [1, 1, 0, 0])
    >>> found = fit(votes)
    >>> found.consensus.tolist(), found.quality.round(2).tolist()
    ([1, 0], [0.67, 1.0])
    >>> found.annotator_quality.tolist()
    [1.0, 1.0, 0.0]
    """
    check_votes(votes)
    known = gold_classes(gold, votes)
    cells = votes.num_items * votes.num_classes
    refuse_too_large(cells, "a number for each item and class", "Use majority_labels")
    posterior = np.empty((votes.num_items, votes.num_classes))
    vote_shares(votes, known, posterior)
    if known.size:  # shares are not those of votes only
        consensus = np.where(known >= 0, known, majority_labels(votes, pred_probs))
    else:
        consensus = _majority_of(votes, posterior, pred_probs)
    return fit_of(votes, "majority_vote", posterior, consensus)


def fit_of(votes: Votes, method: str, posterior: Floats, consensus: Codes) -> Fit:
    """Put a consensus that is chosen already into a `Fit`."""
    quality = posterior[np.arange(votes.num_items), consensus]
    quality[consensus < 0] = 0.0
    rates, counted = annotator_accuracy(votes, consensus)
    everyone = float(rates @ counted) / max(int(counted.sum()), 1)
    return Fit(
        method=method,
        posterior=posterior,
        consensus=consensus,
        quality=quality,
        annotator_quality=np.where(counted > 0, rates, everyone),
        parameters={},
    )
