"""GLAD: an ability for each annotator and a difficulty for each item.

Annotator j is right on item i with probability ``1 / (1 + exp(-ability_j * exp(ease_i)))``; wrong
answers are equally likely. Ability and ease have normal priors with mean and deviation 1.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import frozen
from goldlabel.tasks.multiannotator.aggregation.fit import (
    Fit,
    check_votes,
    class_prior_vector,
    finish,
    gold_classes,
    refuse_too_large,
)
from goldlabel.tasks.multiannotator.aggregation.label_models import kernels
from goldlabel.tasks.multiannotator.aggregation.label_models.em import (
    Convergence,
    each_annotators,
    each_items,
)
from goldlabel.tasks.multiannotator.aggregation.label_models.expectation import (
    Expectation,
    sums_by_annotator,
)
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats, Ints

__all__ = ["fit"]


STEPS = 2
"""Newton steps of every ability, and of every ease, in a round."""
PRIOR_DENSITY = -0.5 * math.log(2.0 * math.pi)
NO_ORDER: Ints = frozen(np.empty(0, dtype=np.int64))


def fit(
    votes: Votes,
    *,
    class_prior: str | npt.ArrayLike = "uniform",
    gold: npt.ArrayLike | None = None,
    max_iterations: int = 100,
    tolerance: float = 1e-6,
) -> Fit:
    """Estimate classes, annotators' abilities and items' difficulties.

    Abilities and eases are improved in turns, each by Newton steps of its own: they depend on each
    other, but abilities not among themselves, nor eases.

    Parameters
    ----------
    votes : Votes
        With two classes or more.
    class_prior : {"uniform", "estimated"} or array_like of shape (num_classes,)
        Probability of each class before any vote.
    gold : array_like of shape (num_items,), optional
        Class of the items where it is known; -1 elsewhere.
    max_iterations : int
        Most rounds.
    tolerance : float
        Stop when a round gains less log-likelihood than this for each vote.

    Returns
    -------
    Fit
        `annotator_quality` is the mean probability of a right answer on the items that the
        annotator has labelled. `parameters` are `ability` (num_annotators,), below 0 for those who
        tend to be wrong; `ease` (num_items,), the logarithm of the paper's beta, and less for
        items that are harder; and `class_prior` (k,). `log_likelihood` has the priors' densities.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    J. Whitehill, P. Ruvolo, T. Wu, J. Bergsma, J. Movellan. Whose Vote Should Count More: Optimal
    Integration of Labels from Labelers of Unknown Expertise. NIPS 2009.

    Examples
    --------
    >>> from goldlabel.tasks.multiannotator.votes import Votes
    >>> item, annotator = [0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 1, 2] * 3
    >>> votes = Votes.from_arrays(item, annotator, [0, 0, 1, 1, 1, 1, 0, 0, 1])
    >>> found = fit(votes)
    >>> found.consensus.tolist(), found.parameters["ability"].round(1).tolist()
    ([0, 1, 0], [1.2, 1.2, -0.1])
    """
    check_votes(votes, least_classes=2)
    convergence = Convergence(max_iterations, tolerance)
    known = gold_classes(gold, votes)
    k = votes.num_classes
    prior, estimated = class_prior_vector(class_prior, k)
    cells = votes.num_items * k
    refuse_too_large(cells, "a number for each item and class", "Use fewer classes")
    ability, ease = np.ones(votes.num_annotators), np.ones(votes.num_items)
    expect = Expectation(votes, votes.annotator, known, np.empty(len(votes)))
    posterior = np.empty((votes.num_items, k))
    even = not estimated and bool((prior == prior[0]).all())
    used = None if even else posterior
    sums, likelihood = _expect(expect, ability, ease, prior[:1] if even else prior, used)
    history: list[float] = []
    for _ in convergence.rounds(history, len(votes)):
        prior = sums / sums.sum() if estimated else prior
        _climb(votes, expect.of_vote, ability, ease)
        sums, likelihood = _expect(expect, ability, ease, prior[:1] if even else prior, used)
        history.append(likelihood)
    _expect(expect, ability, ease, prior, posterior)
    return finish(
        votes,
        known,
        "glad",
        posterior,
        _quality(votes, ability, ease),
        {"ability": ability, "ease": ease, "class_prior": prior},
        history,
        log_likelihood=likelihood,
        converged=convergence.reached(history, len(votes)),
    )


def _expect(
    expect: Expectation, ability: Floats, ease: Floats, prior: Floats, posterior: Floats | None
) -> tuple[Floats, float]:
    """Judge the items; return class sums and the log-likelihood with that of the priors."""
    likelihood, sums = expect(ability, prior, ease=np.exp(ease), posterior=posterior)
    for parameter in (ability, ease):
        likelihood += PRIOR_DENSITY * len(parameter) - 0.5 * float(((parameter - 1.0) ** 2).sum())
    return sums, likelihood


def _climb(votes: Votes, of_vote: Floats, ability: Floats, ease: Floats) -> None:
    """Improve all abilities, then all eases, in place."""
    factor = frozen(np.exp(ease))
    target = frozen(of_vote)

    def people(rows: slice, offsets: Ints) -> None:
        kernels.climb(
            offsets, votes.by_annotator, votes.item, factor, target, False, STEPS, ability[rows]
        )

    def items(block: int, rows: slice, offsets: Ints) -> None:
        kernels.climb(offsets, NO_ORDER, votes.annotator, able, target, True, STEPS, ease[rows])

    each_annotators(votes, 16, people)
    able = frozen(ability)
    each_items(votes, 16, items)


def _quality(votes: Votes, ability: Floats, ease: Floats) -> Floats:
    """Mean probability of a right answer over the items of an annotator, or over all votes."""
    right = 1.0 / (1.0 + np.exp(-ability[votes.annotator] * np.exp(ease)[votes.item]))
    sums = sums_by_annotator(votes, right)
    quality = np.full(votes.num_annotators, right.mean())
    np.divide(sums, votes.votes_per_annotator, out=quality, where=votes.votes_per_annotator > 0)
    return quality
