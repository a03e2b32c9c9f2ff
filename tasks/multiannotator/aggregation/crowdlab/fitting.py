"""Weights of annotators and models, and the posterior that they give."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from goldlabel.errors import InputError
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import BLOCK_CELLS, each_block
from goldlabel.learning.confident import Method
from goldlabel.tasks.multiannotator.aggregation.crowdlab import kernels
from goldlabel.tasks.multiannotator.aggregation.exact import mean, split, sums_by_annotator
from goldlabel.tasks.multiannotator.aggregation.fit import NO_CLASS, Fit
from goldlabel.tasks.multiannotator.aggregation.label_models.majority import (
    annotator_accuracy,
    majority_labels,
)
from goldlabel.tasks.multiannotator.aggregation.scoring import item_agreement, vote_quality
from goldlabel.tasks.multiannotator.aggregation.ties import largest_column
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Codes, Floats, Ints

__all__ = ["fit", "peer_agreement"]


SMALLEST = 1e-6
"""Least weight: who is worse than the most frequent class counts for next to nothing."""


def peer_agreement(votes: Votes) -> Floats:
    """Return the share of the other votes on an annotator's items that were for the same class.

    float64 of shape (M,); the mean of the others for one whose items nobody else has labelled.
    """
    m, k = votes.num_annotators, votes.num_classes
    totals: dict[int, tuple[Ints, ...]] = {}

    def work(worker: int, block: int, rows: slice) -> None:
        if worker not in totals:  # sums of integers: who adds what does not matter
            totals[worker] = tuple(np.zeros(size, dtype=np.int64) for size in (k, m, m))
        offsets = frozen(votes.item_offsets[rows.start : rows.stop + 1])
        kernels.count_pairs(offsets, votes.annotator, votes.label, *totals[worker])

    each_block(work, votes.num_items, _items_per_block(votes, 1))
    alike = sum(sums[1] for sums in totals.values())
    pairs = sum(sums[2] for sums in totals.values())
    known = np.asarray(pairs > 0)
    shares = alike / np.maximum(pairs, 1)
    return np.where(known, shares, mean(shares[known])) if known.any() else shares


def _items_per_block(votes: Votes, cells: int) -> int:
    each = cells + len(votes) // max(votes.num_items, 1)
    return max(1, BLOCK_CELLS // max(each, 1))


def fit(
    votes: Votes, probs: Floats, *, best_quality: bool = True, method: Method = "self_confidence"
) -> Fit:
    """Find consensus labels and their posterior.

    Parameters
    ----------
    votes : Votes
        Some item has two labels or more.
    probs : ndarray of shape (E, N, k), float64
        Of E models.
    best_quality : bool
        Take the most probable class under the posterior that the majority vote gives as the
        consensus, and weigh once more; if not, the majority vote is the consensus.
    method : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}
        How the posterior of an item and a vote become the quality of the vote.

    Returns
    -------
    Fit
        `annotator_quality` mixes the mean quality of an annotator's votes with the agreement with
        the consensus where others voted too; the more the models weigh beside the crowd, the more
        of the first. `parameters` are `model_weights` (E,), `annotator_weights` (M,) and `hit`
        (1,), the likelihood that an annotator gives the consensus label.

    Raises
    ------
    InputError
        No item has two labels, or there is one class.
    """
    _check(votes)
    of_models = probs[0] if len(probs) == 1 else probs.mean(axis=0)
    majority = majority_labels(votes, np.ascontiguousarray(of_models))
    predicted = np.stack([largest_column(each) for each in probs])
    setting = _Setting(votes, probs, predicted, peer_agreement(votes), majority)
    weighed, better = _weighed(setting, majority)
    if best_quality:
        weighed, _ = _weighed(setting, better)
    quality = vote_quality(votes, weighed.posterior, method)
    return Fit(
        method="crowdlab" if best_quality else "majority_vote",
        posterior=weighed.posterior,
        consensus=weighed.labels,
        quality=weighed.posterior[np.arange(votes.num_items), weighed.labels],
        annotator_quality=_annotator_quality(votes, weighed, quality),
        parameters={
            "model_weights": weighed.model_weights,
            "annotator_weights": weighed.annotator_weights,
            "hit": np.array([weighed.hit]),
        },
    )


@dataclass(frozen=True, eq=False)
class _Setting:
    """What stays the same whatever the consensus is."""

    votes: Votes
    probs: Floats
    predicted: Codes
    peers: Floats
    majority: Codes


@dataclass(frozen=True, eq=False)
class _Weighed:
    """Posterior and weights that follow from consensus labels."""

    labels: Codes
    posterior: Floats
    model_weights: Floats
    annotator_weights: Floats
    hit: float


def _check(votes: Votes) -> None:
    if votes.num_classes < 2:
        raise InputError(
            "labels", "holds one class", "Pass pred_probs with a column for every class"
        )
    if not (votes.votes_per_item > 1).any():
        raise InputError(
            "labels",
            "gives every item one label at most, so annotators cannot be compared",
            "Add second labels for some items; single labels are for the multiclass task",
        )


def _weighed(setting: _Setting, labels: Codes) -> tuple[_Weighed, Codes]:
    """Weigh everyone against a consensus; return the result, and the classes it would choose."""
    votes, probs = setting.votes, setting.probs
    count, k = votes.votes_per_item, votes.num_classes
    several = count > 1
    hit = _mean_agreement(votes, labels)
    chosen = labels[several]
    frequent = int(np.bincount(chosen, minlength=k).max())
    # A class that is always the consensus leaves no error to compare with: count one more item.
    base = max(1.0 - frequent / chosen.size, 1.0 / (chosen.size + 1), SMALLEST)
    wrong = np.count_nonzero(setting.predicted[:, several] != chosen, axis=1) / chosen.size
    per_item = len(votes) / np.count_nonzero(count)
    model_weights = np.maximum(1.0 - wrong / base, SMALLEST) * np.sqrt(per_item)
    weights = np.maximum(1.0 - (1.0 - setting.peers) / base, SMALLEST)
    posterior = np.empty((votes.num_items, k))
    better = setting.majority.copy()
    miss = (1.0 - hit) / (k - 1)
    of_models, of_people = frozen(model_weights), frozen(split(weights, int(count.max())))

    def work(worker: int, block: int, rows: slice) -> None:
        kernels.fill_posterior(
            frozen(votes.item_offsets[rows.start : rows.stop + 1]),
            votes.annotator,
            votes.label,
            frozen(np.ascontiguousarray(probs[:, rows])),  # one layout, one compilation
            of_models,
            of_people,
            hit,
            miss,
            posterior[rows],
            better[rows],
        )

    each_block(work, votes.num_items, _items_per_block(votes, k * (1 + len(probs))))
    return _Weighed(labels, posterior, model_weights, weights, hit), better


def _mean_agreement(votes: Votes, labels: Codes) -> float:
    """Return the mean share of votes for the label, over items with two votes or more."""
    count = votes.votes_per_item
    hits = np.rint(item_agreement(votes, labels) * count)
    several = count > 1
    # Items of as many votes at a time: hits are whole numbers, and their sums exact.
    by_size = np.bincount(count[several], weights=hits[several])
    sizes = np.flatnonzero(by_size)
    return math.fsum(by_size[sizes] / sizes) / np.count_nonzero(several)


def _annotator_quality(votes: Votes, weighed: _Weighed, quality: Floats) -> Floats:
    """Return the quality of each annotator from that of the votes; see `fit`."""
    voted = votes.votes_per_annotator > 0
    of_votes = sums_by_annotator(votes, quality) / np.maximum(votes.votes_per_annotator, 1)
    compared = np.where(votes.votes_per_item > 1, weighed.labels, NO_CLASS)
    among_others, counted = annotator_accuracy(votes, compared)
    of_models = float(weighed.model_weights.sum())
    per_item = len(votes) / np.count_nonzero(votes.votes_per_item)
    crowd_weight = mean(weighed.annotator_weights[voted])
    share = of_models / (of_models + crowd_weight * per_item)
    mixed = share * of_votes + (1.0 - share) * among_others
    return np.where(voted, np.where(counted > 0, mixed, of_votes), np.nan)
