"""Dawid-Skene with one coin: an annotator is right with one probability, whatever the class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.inputs.check import number
from goldlabel.tasks.multiannotator.aggregation.fit import (
    Fit,
    check_votes,
    class_prior_vector,
    finish,
    gold_classes,
    refuse_too_large,
)
from goldlabel.tasks.multiannotator.aggregation.label_models.em import Convergence
from goldlabel.tasks.multiannotator.aggregation.label_models.expectation import (
    Expectation,
    sums_by_annotator,
)
from goldlabel.tasks.multiannotator.aggregation.label_models.majority import vote_shares
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats

__all__ = ["fit"]


FLOOR = 1e-10


def fit(
    votes: Votes,
    *,
    class_prior: str | npt.ArrayLike = "estimated",
    smoothing: float = 0.01,
    diagonal_smoothing: float = 0.0,
    gold: npt.ArrayLike | None = None,
    max_iterations: int = 100,
    tolerance: float = 1e-5,
) -> Fit:
    """Estimate classes, and how often each annotator is right; wrong answers are equally likely.

    Parameters
    ----------
    votes : Votes
        With two classes or more.
    class_prior : {"estimated", "uniform"} or array_like of shape (num_classes,)
        Probability of each class before any vote.
    smoothing, diagonal_smoothing : float
        Pseudo-count of every class as an answer, and of the right one, on top.
    gold : array_like of shape (num_items,), optional
        Class of the items where it is known; -1 elsewhere.
    max_iterations : int
        Most rounds.
    tolerance : float
        Stop when a round gains less log-likelihood than this for each vote.

    Returns
    -------
    Fit
        `annotator_quality` is the probability of a right answer. `parameters` are `class_prior`
        (k,) and `accuracy` (num_annotators,).

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    Y. Zhang, X. Chen, D. Zhou, M. I. Jordan. Spectral Methods Meet EM: A Provably Optimal
    Algorithm for Crowdsourcing. JMLR 17 (2016), section 3.

    Examples
    --------
    >>> from goldlabel.tasks.multiannotator.votes import Votes
    >>> item, annotator = [0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 1, 2] * 3
    >>> votes = Votes.from_arrays(item, annotator, [0, 0, 1, 1, 1, 1, 0, 0, 0])
    >>> found = fit(votes)
    >>> found.consensus.tolist(), found.annotator_quality.round(2).tolist()
    ([0, 1, 0], [1.0, 1.0, 0.67])
    """
    check_votes(votes, least_classes=2)
    convergence = Convergence(max_iterations, tolerance)
    number(smoothing, name="smoothing", low=0.0)
    number(diagonal_smoothing, name="diagonal_smoothing", low=0.0)
    known = gold_classes(gold, votes)
    k = votes.num_classes
    prior, estimated = class_prior_vector(class_prior, k)
    cells = votes.num_items * k
    refuse_too_large(cells, "a number for each item and class", "Use fewer classes")
    posterior = np.empty((votes.num_items, k))
    sums = vote_shares(votes, known, posterior)
    expect = Expectation(votes, votes.annotator, known, posterior[votes.item, votes.label])
    right = smoothing + diagonal_smoothing
    wrong = smoothing * (k - 1)
    history: list[float] = []
    accuracy = _accuracy(votes, expect, right, wrong)
    for _ in convergence.rounds(history, len(votes)):
        prior = np.maximum(sums / sums.sum(), FLOOR) if estimated else prior
        accuracy = _accuracy(votes, expect, right, wrong)
        miss = np.log1p(-accuracy) - np.log(k - 1)
        likelihood, sums = expect(np.log(accuracy) - miss, prior, posterior=posterior)
        history.append(likelihood + float(miss @ votes.votes_per_annotator))
    parameters = {"class_prior": prior, "accuracy": accuracy}
    return finish(
        votes,
        known,
        "one_coin",
        posterior,
        accuracy,
        parameters,
        history,
        log_likelihood=history[-1] if history else None,
        converged=convergence.reached(history, len(votes)),
    )


def _accuracy(votes: Votes, expect: Expectation, right: float, wrong: float) -> Floats:
    """Return how often annotators are right; without votes, how often all of them are."""
    hits = sums_by_annotator(votes, expect.of_vote)
    counts = votes.votes_per_annotator
    everyone = (hits.sum() + right) / (counts.sum() + right + wrong)
    accuracy = np.full(votes.num_annotators, everyone)
    np.divide(hits + right, counts + right + wrong, out=accuracy, where=counts > 0)
    clipped: Floats = np.clip(accuracy, FLOOR, 1.0 - FLOOR)
    return clipped
