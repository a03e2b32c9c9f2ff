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
from goldlabel.tasks.multiannotator.aggregation.ties import TIED, largest_column
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import AnyFloats, Codes, Floats, Ints

__all__ = ["annotator_accuracy", "fit", "majority_labels", "vote_shares"]


SEVERAL = -2
"""Stands for the class of an item until its tie is broken."""
NOT_ASKED: Codes = np.empty(0, dtype=np.int32)


@kernel
def _most_votes(item_offsets: Ints, label: Codes, count: Ints, winner: Codes) -> None:
    """``winner`` = the class with the most votes, `SEVERAL`, or `NO_CLASS` without votes.

    `count` is a scratch of 0 for each class, and is left so.
    """
    for i in range(item_offsets.shape[0] - 1):
        votes = label[item_offsets[i] : item_offsets[i + 1]]
        most = 0
        best = NO_CLASS
        for c in votes:
            count[c] += 1
            if count[c] > most:
                most = count[c]
                best = c
            elif count[c] == most:
                best = SEVERAL
        winner[i] = best
        for c in votes:
            count[c] = 0


@kernel
def _count(label: Codes, frequency: Ints) -> None:
    """Add all votes up by class; NumPy's bincount would copy them to int64."""
    for c in label:
        frequency[c] += 1


@kernel
def _shares(
    item_offsets: Ints, label: Codes, gold: Codes, shares: Floats, sums: Floats, winner: Codes
) -> None:
    """Count votes by class and divide by their number; uniform without votes, gold where known.

    `winner`, if not empty, gets what `_most_votes` says of items with votes and without gold.
    """
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
        if winner.shape[0] and last > first:
            most, best, equals = 0.0, 0, 0
            for c in range(k):
                if shares[i, c] > most:
                    most, best = shares[i, c], c
            for c in range(k):
                equals += shares[i, c] == most
            winner[i] = best if equals == 1 else SEVERAL
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

    `count` and `total` are scratches of 0 for each class. A class stays in the running as long as
    its count is the largest: who loses by a criterion has it taken away.
    """
    for at in range(tied.shape[0]):
        i = tied[at]
        first, last = item_offsets[i], item_offsets[i + 1]
        most = 0
        for vote in range(first, last):
            c = label[vote]
            count[c] += 1
            most = max(most, count[c])
            if trust.shape[0]:
                total[c] += trust[annotator[vote]]
        if probabilities.shape[0]:
            largest = 0.0
            for c in label[first:last]:
                if count[c] == most:
                    largest = max(largest, probabilities[at, c])
            for c in label[first:last]:
                if probabilities[at, c] < largest * (1.0 - TIED):
                    count[c] = 0
        rarest = frequency.sum() + 1
        for c in label[first:last]:
            if count[c] == most:
                rarest = min(rarest, frequency[c])
        best = 0.0
        for c in label[first:last]:
            if count[c] == most and frequency[c] > rarest:
                count[c] = 0
            if count[c] == most:
                best = max(best, total[c])
        lowest = np.int32(-1)
        for c in label[first:last]:
            if count[c] == most and total[c] >= best * (1.0 - TIED) and (lowest < 0 or c < lowest):
                lowest = c
        winner[i] = lowest
        for c in label[first:last]:
            count[c] = 0
            total[c] = 0.0


def majority_labels(votes: Votes, pred_probs: npt.ArrayLike | None = None) -> Codes:
    """Return the class with the most votes for each item.

    Parameters
    ----------
    votes : Votes
    pred_probs : array_like of shape (num_items, num_classes), optional
        A model's probabilities, which decide ties first, and all where an item has no votes.

    Returns
    -------
    ndarray of shape (num_items,), int32
        -1 for an item without votes and probabilities.

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

    def work(block: int, items: slice, offsets: Ints) -> None:
        count = np.zeros(votes.num_classes, dtype=np.int64)
        _most_votes(offsets, votes.label, count, winner[items])

    each_items(votes, 1, work)
    _settle(votes, probs, winner)
    return winner


def _settle(votes: Votes, probs: AnyFloats | None, winner: Codes) -> None:
    """Choose a class for each tied item, and for those without votes by `probs`; in place."""
    unseen, tied = np.flatnonzero(winner == NO_CLASS), np.flatnonzero(winner == SEVERAL)
    if tied.size:
        frequency = np.zeros(votes.num_classes, dtype=np.int64)
        _count(votes.label, frequency)
        # Where no two classes are equally rare, nothing is left for trust to decide.
        rare = len(np.unique(frequency)) == len(frequency)
        trust = np.empty(0) if rare else _trust(votes, winner)
        k = votes.num_classes
        _break_ties(
            *(votes.item_offsets, votes.annotator, votes.label, frozen(tied), _rows(probs, tied)),
            *(frequency, trust, np.zeros(k, dtype=np.int64), np.zeros(k), winner),
        )
    if probs is not None and unseen.size:
        winner[unseen] = largest_column(_rows(probs, unseen))


def _rows(probs: AnyFloats | None, items: Ints) -> Floats:
    """Return the probabilities of some items, checked; an array without rows if there are none."""
    if probs is None:
        return np.empty((0, 1))
    rows: Floats = probs[items].astype(np.float64)
    if not ((rows >= -1e-6) & (rows <= 1 + 1e-6)).all():
        out_of_range(probs)
    return np.maximum(rows, 0.0, out=rows)


def _pred_probs(pred_probs: npt.ArrayLike, votes: Votes) -> AnyFloats:
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


def vote_shares(votes: Votes, gold: Codes, out: Floats, winner: Codes = NOT_ASKED) -> Floats:
    """Write shares of votes, and return their sums over items that have votes or gold.

    `winner` gets the class with the most votes of each item, if it is given; see `_shares`.
    """
    _, blocks = item_blocks(votes, votes.num_classes)
    sums = np.zeros((blocks, votes.num_classes))

    def work(block: int, items: slice, offsets: Ints) -> None:
        _shares(offsets, votes.label, gold[items], out[items], sums[block], winner[items])

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
        A model's probabilities, which decide ties first (see the module for what does next), and
        stand for the votes where an item has none.
    gold : array_like of shape (num_items,), optional
        Class of the items where it is known; -1 elsewhere.

    Returns
    -------
    Fit
        `quality` is the share of votes for the consensus, `annotator_quality` the share of an
        annotator's votes that equal the consensus, on items that somebody else has labelled too;
        NaN where there are none.

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
    probs = None if pred_probs is None else _pred_probs(pred_probs, votes)
    posterior = np.empty((votes.num_items, votes.num_classes))
    winner = np.full(votes.num_items, NO_CLASS, dtype=np.int32)
    vote_shares(votes, known, posterior, winner)
    _settle(votes, probs, winner)
    if probs is not None:
        unseen = (votes.votes_per_item == 0) & (known < 0 if known.size else True)
        posterior[unseen] = probs[unseen]
    consensus = np.where(known >= 0, known, winner) if known.size else winner
    quality = np.where(consensus >= 0, posterior[np.arange(len(posterior)), consensus], 0.0)
    compared = np.where(votes.votes_per_item > 1, consensus, NO_CLASS)
    rates, counted = annotator_accuracy(votes, compared)
    everyone = float(rates @ counted) / max(int(counted.sum()), 1)
    alone = np.where(votes.votes_per_annotator > 0, np.nan, everyone)
    accuracy = np.where(counted > 0, rates, alone)
    return Fit("majority_vote", posterior, consensus, quality, accuracy, {})
