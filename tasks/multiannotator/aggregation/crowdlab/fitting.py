"""Weights of annotators and models, and the posterior that they give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import BLOCK_CELLS, each_block
from goldlabel.tasks.multiannotator.aggregation.crowdlab import kernels
from goldlabel.tasks.multiannotator.aggregation.label_models.majority import majority_labels
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats, Ints

__all__ = [
    "Crowd",
    "annotator_quality",
    "fit",
    "item_agreement",
    "majority_vote",
    "peer_agreement",
]


SMALLEST = 1e-6
"""Least weight: who is worse than the most frequent class counts for next to nothing."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """What CROWDLAB found.

    Attributes
    ----------
    labels : ndarray of shape (N,), int64
        Consensus.
    posterior : ndarray of shape (N, k), float64
        Probability that each class is right; rows sum to 1.
    agreement : ndarray of shape (N,), float64
        Share of an item's votes that are for the consensus; NaN without votes.
    model_weights : ndarray of shape (E,), float64
    annotator_weights : ndarray of shape (M,), float64
    hit : float
        Likelihood that an annotator gives the consensus label.
    """

    labels: Ints
    posterior: Floats
    agreement: Floats
    model_weights: Floats
    annotator_weights: Floats
    hit: float


def majority_vote(votes: Votes, probs: Floats | None = None) -> Ints:
    """Return the most frequent class of each item, int64 of shape (N,).

    Ties go to the class of the largest probability (N, k), and on as `majority_labels` says; an
    item without votes to its most probable class, -1 without probabilities.
    """
    labels = majority_labels(votes, probs).astype(np.int64)
    if probs is not None:
        unseen = np.flatnonzero(votes.votes_per_item == 0)
        labels[unseen] = probs[unseen].argmax(axis=1)
    return labels


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
    return np.where(known, shares, shares[known].mean()) if known.any() else shares


def _items_per_block(votes: Votes, cells: int) -> int:
    each = cells + len(votes) // max(votes.num_items, 1)
    return max(1, BLOCK_CELLS // max(each, 1))


def item_agreement(votes: Votes, labels: Ints) -> Floats:
    """Return the share of each item's votes that are for its label; NaN without votes."""
    hits = np.bincount(votes.item[votes.label == labels[votes.item]], minlength=votes.num_items)
    count = votes.votes_per_item
    return np.where(count > 0, hits / np.maximum(count, 1), np.nan)


def fit(votes: Votes, probs: Floats, *, best_quality: bool = True) -> Crowd:
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

    Raises
    ------
    InputError
        No item has two labels, or there is one class.
    """
    _check(votes)
    mean = probs[0] if len(probs) == 1 else probs.mean(axis=0)
    majority = majority_vote(votes, np.ascontiguousarray(mean))
    setting = _Setting(votes, probs, probs.argmax(axis=2), peer_agreement(votes), majority)
    crowd, better = _weighed(setting, majority)
    return _weighed(setting, better)[0] if best_quality else crowd


@dataclass(frozen=True, eq=False)
class _Setting:
    """What stays the same whatever the consensus is."""

    votes: Votes
    probs: Floats
    predicted: Ints
    peers: Floats
    majority: Ints


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


def _weighed(setting: _Setting, labels: Ints) -> tuple[Crowd, Ints]:
    """Weigh everyone against a consensus; return the result, and the classes it would choose."""
    votes, probs = setting.votes, setting.probs
    count, k = votes.votes_per_item, votes.num_classes
    several = count > 1
    agreement = item_agreement(votes, labels)
    hit = float(agreement[several].mean())
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
    of_models, of_people = frozen(model_weights), frozen(weights)

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
    crowd = Crowd(labels, posterior, agreement, model_weights, weights, hit)
    return crowd, better


def annotator_quality(votes: Votes, crowd: Crowd, vote_quality: Floats) -> tuple[Floats, Floats]:
    """Return the quality of each annotator, and the share of votes for the consensus.

    Quality mixes the mean quality of the annotator's votes with the agreement with the consensus
    where others voted too; the more the models weigh beside the crowd, the more of the first.

    Parameters
    ----------
    votes : Votes
    crowd : Crowd
    vote_quality : ndarray of shape (n,), float64

    Returns
    -------
    tuple of ndarray of shape (M,), float64
        Both NaN for an annotator without votes.
    """
    several = votes.votes_per_item[votes.item] > 1
    right = votes.label == crowd.labels[votes.item]
    mean = _mean_by_annotator(votes, vote_quality)
    among_others = _mean_by_annotator(votes, right, several)
    of_models = float(crowd.model_weights.sum())
    per_item = len(votes) / np.count_nonzero(votes.votes_per_item)
    active = max(np.count_nonzero(votes.votes_per_annotator), 1)
    crowd_weight = crowd.annotator_weights[votes.votes_per_annotator > 0].sum()
    share = of_models / (of_models + crowd_weight * per_item / active)
    mixed = share * mean + (1.0 - share) * among_others
    quality = np.where(np.isnan(among_others), mean, mixed)
    return quality, _mean_by_annotator(votes, right)


def _mean_by_annotator(
    votes: Votes, values: npt.NDArray[Any], chosen: npt.NDArray[np.bool_] | None = None
) -> Floats:
    """Return the mean over each annotator's votes, or some of them; NaN where there is none."""
    weights = values.astype(np.float64) if chosen is None else np.where(chosen, values, 0.0)
    kept = np.ones(len(votes)) if chosen is None else chosen
    m = votes.num_annotators
    total = np.bincount(votes.annotator, weights=weights, minlength=m)
    count = np.bincount(votes.annotator, weights=kept, minlength=m)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
