"""ActiveLab: which items to label next, or once more.

References
----------
H. Goh, J. Mueller. ActiveLab: Active Learning with Re-Labeling by Multiple Annotators.
arXiv:2301.11856 (2023).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from goldlabel.errors import InputError
from goldlabel.tasks.multiannotator.aggregation.crowdlab import best_temperature, fit, scaled
from goldlabel.tasks.multiannotator.aggregation.exact import mean, split
from goldlabel.tasks.multiannotator.aggregation.label_models.majority import majority_labels
from goldlabel.tasks.multiannotator.aggregation.ties import largest_column
from goldlabel.tasks.multiannotator.inputs import checked_models, checked_votes
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Codes, Floats

__all__ = ["ActiveScores", "get_active_learning_scores"]


class ActiveScores(NamedTuple):
    """Scores of ActiveLab, lowest = label next.

    Attributes
    ----------
    labeled : ndarray of shape (n,), float64
        In [0, 1], for each item that was given with votes (or a row for them).
    unlabeled : ndarray of shape (u,), float64
        In [0, 1], for each item of the pool; both can be compared with each other.
    """

    labeled: Floats
    unlabeled: Floats


@dataclass(frozen=True, eq=False)
class Weights:
    """Who is trusted how far: what a score needs to be computed for any item.

    Attributes
    ----------
    models : ndarray of shape (E,)
    annotators : ndarray of shape (M,)
    prior : float
        Mean weight of an annotator: that of the label one would get next.
    temperatures : tuple of float
        Of the models.
    """

    models: Floats
    annotators: Floats
    prior: float
    temperatures: tuple[float, ...]


def get_active_learning_scores(
    labels: Any = None,
    pred_probs: Any = None,
    pred_probs_unlabeled: Any = None,
    *,
    classes: Sequence[Hashable] | None = None,
) -> ActiveScores:
    """Score how little another label is needed, for items with labels and without.

    Parameters
    ----------
    labels, pred_probs
        Votes on the labelled items and the model's probabilities (n, k), or those of several
        models (E, n, k); see `goldlabel.tasks.multiannotator`. Items without a vote are scored as
        items of the pool.
    pred_probs_unlabeled : array_like of shape (u, k) or (E, u, k), optional
        Probabilities for a pool that nobody has labelled. One of the two has to be given.
    classes : sequence of length k, optional
        Class names in the order of the columns.

    Returns
    -------
    ActiveScores
        ``labeled`` (n,) and ``unlabeled`` (u,), float64 in [0, 1]; lowest = label next. Empty
        where nothing was given.

    Raises
    ------
    InputError
        Neither is given, they have different classes or models, or a value does not fit.

    Examples
    --------
    >>> scores = get_active_learning_scores(
    ...     [[0, 0], [1, 0]], [[0.9, 0.1], [0.5, 0.5]], [[0.6, 0.4]]
    ... )
    >>> scores.labeled.round(2), scores.unlabeled.round(2)
    (array([0.77, 0.5 ]), array([0.78]))
    """
    if pred_probs is None and pred_probs_unlabeled is None:
        raise InputError(
            "pred_probs", "and pred_probs_unlabeled are both missing", "Pass one of them, or both"
        )
    if (pred_probs is None) != (labels is None):
        missing = "labels" if labels is None else "pred_probs"
        raise InputError(missing, "is missing", "Pass labels and pred_probs of the same items")
    pool = None if pred_probs_unlabeled is None else _pool(pred_probs_unlabeled)
    if pred_probs is None:
        assert pool is not None
        one = np.ones(len(pool))
        return ActiveScores(np.empty(0), unlabeled_scores(pool, Weights(one, one[:0], 1.0, ())))
    given = checked_votes(labels, pred_probs, classes=classes)
    assert given.probs is not None
    if pool is not None and pool.shape[::2] != given.probs.shape[::2]:
        raise InputError(
            "pred_probs_unlabeled",
            f"has {pool.shape[2]} classes of {len(pool)} models, and pred_probs"
            f" {given.probs.shape[2]} of {len(given.probs)}",
            "Predict both with the same models",
        )
    labeled, weights = scores_of_votes(given.votes, given.probs)
    unlabeled = np.empty(0) if pool is None else unlabeled_scores(pool, weights)
    return ActiveScores(labeled, unlabeled)


def _pool(pred_probs: Any) -> Floats:
    return checked_models(pred_probs, name="pred_probs_unlabeled")[0]


def scores_of_votes(votes: Votes, probs: Floats) -> tuple[Floats, Weights]:
    """Return the score of each item, and the weights that items of a pool are scored with."""
    if votes.num_classes < 2:
        raise InputError("pred_probs", "has one column", "Pass a column for every class")
    count = votes.votes_per_item
    seen = count > 0
    if (count > 1).any():
        temperatures = tuple(best_temperature(votes, each) for each in probs)
        warm = np.stack([scaled(*each) for each in zip(probs, temperatures, strict=True)])
        crowd = fit(votes, warm)
        certainty = crowd.quality
        people = crowd.parameters["annotator_weights"]
        prior = mean(people[votes.votes_per_annotator > 0])
        weights = Weights(crowd.parameters["model_weights"], people, prior, temperatures)
    else:
        ones = np.ones(len(probs)), np.ones(votes.num_annotators)
        weights = Weights(*ones, 1.0, ())
        certainty = np.zeros(len(count))
        certainty[votes.item] = probs[:, votes.item, votes.label].mean(axis=0)
    # In two parts that add up exactly: the order of the votes does not matter.
    crowd_weight = sum(
        np.bincount(votes.item, weights=part[votes.annotator], minlength=len(count))
        for part in split(weights.annotators, int(count.max()))
    )
    total = weights.models.sum() + crowd_weight
    scores = (certainty * total + weights.prior / votes.num_classes) / (total + weights.prior)
    if not seen.all():
        scores[~seen] = unlabeled_scores(probs[:, ~seen], weights)
    return scores, weights


def unlabeled_scores(probs: Floats, weights: Weights) -> Floats:
    """Return the scores of items without votes."""
    if weights.temperatures:
        probs = np.stack([scaled(*each) for each in zip(probs, weights.temperatures, strict=True)])
    total = weights.models.sum()
    mixed = np.einsum("e,enk->nk", weights.models, probs)
    k = probs.shape[2]
    chosen = _chosen(probs)
    certainty = mixed[np.arange(len(mixed)), chosen]
    scores: Floats = (certainty + weights.prior / k) / (total + weights.prior)
    return scores


def _chosen(probs: Floats) -> Codes:
    """Return the class that most models choose, ties by their mean probabilities."""
    if len(probs) == 1:
        return largest_column(probs[0])
    predicted = np.stack([largest_column(each) for each in probs])
    models, items = predicted.shape
    votes = Votes.from_arrays(
        np.tile(np.arange(items), models),
        np.repeat(np.arange(models), items),
        predicted.ravel(),
        num_items=items,
        num_annotators=models,
        num_classes=probs.shape[2],
    )
    return majority_labels(votes, np.ascontiguousarray(probs.mean(axis=0)))
