"""Dawid-Skene: a confusion matrix for each annotator, estimated together with the classes.

An item's class has the probabilities `class_prior`; given class k, annotator j answers l with
probability ``theta_j[k, l]``. Expectation and maximisation alternate, from the shares of votes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs.check import number
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
from goldlabel.tasks.multiannotator.aggregation.label_models.confusion import (
    answer_rows,
    confusion_matrices,
)
from goldlabel.tasks.multiannotator.aggregation.label_models.em import (
    Convergence,
    each_annotators,
    each_items,
    item_blocks,
)
from goldlabel.tasks.multiannotator.aggregation.label_models.majority import vote_shares
from goldlabel.tasks.multiannotator.aggregation.label_models.pairs import Pairs, find_pairs
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Codes, Floats

__all__ = ["confusion_matrices", "fit"]


FLOOR = 1e-10
"""Least count of a cell before rows are divided by their sums, and least class prior."""


@dataclass(frozen=True)
class Smoothing:
    """Pseudo-counts: of a class, of every cell, of the diagonal, and of the pooled matrix."""

    prior: float
    cell: float
    diagonal: float
    shrinkage: float

    def __post_init__(self) -> None:
        names = ("prior_smoothing", "smoothing", "diagonal_smoothing", "shrinkage")
        values = (self.prior, self.cell, self.diagonal, self.shrinkage)
        for name, value in zip(names, values, strict=True):
            number(value, name=name, low=0.0)


@dataclass(frozen=True, eq=False)
class Confusions:
    """What is known of the annotators: a row for each (annotator, answer) that occurs.

    `emission[p, k]` = probability of the pair's answer given true class k; `totals[j, k]` = what
    annotator j's row of class k was divided by, pseudo-counts included; `pooled[l, k]` = the
    probability of answer l given class k, of all annotators together.
    """

    emission: Floats
    totals: Floats
    pooled: Floats

    @classmethod
    def empty(cls, votes: Votes, pairs: Pairs) -> Confusions:
        k = votes.num_classes
        people = votes.num_annotators
        return cls(np.zeros((len(pairs), k)), np.zeros((people, k)), np.zeros((k, k)))


def fit(
    votes: Votes,
    *,
    class_prior: str | npt.ArrayLike = "estimated",
    prior_smoothing: float = 0.0,
    smoothing: float = 0.01,
    diagonal_smoothing: float = 0.0,
    shrinkage: float = 0.0,
    gold: npt.ArrayLike | None = None,
    start: Fit | None = None,
    max_iterations: int = 100,
    tolerance: float = 1e-5,
) -> Fit:
    """Estimate classes, and a confusion matrix for each annotator.

    Takes k numbers for each item and for each (annotator, class) pair that occurs among the votes:
    at most ``num_annotators * k * k``, and at most k for each vote. If that is more than the
    machine has it is refused at once; `one_coin` and `mace` need one number for each pair.

    Parameters
    ----------
    votes : Votes
    class_prior : {"estimated", "uniform"} or array_like of shape (num_classes,)
        Probability of each class before any vote.
    prior_smoothing : float
        Pseudo-count of every class in an estimated prior.
    smoothing, diagonal_smoothing : float
        Pseudo-count of every cell of a confusion matrix; and of the cells on its diagonal, on top.
        With 0 for all, cells are at least 1e-10 and rows sum to 1 over the classes that the
        annotator has ever used.
    shrinkage : float
        Weight, in votes for each class, of the confusion matrix of all annotators together.
    gold : array_like of shape (num_items,), optional
        Class of the items where it is known; -1 elsewhere.
    start : Fit, optional
        An earlier result, to begin with what it knew of the annotators: votes may have been added,
        and items, and annotators at the end, who begin with the pooled matrix. With
        ``max_iterations=0`` the items are judged by it, and nothing is learnt.
    max_iterations : int
        Most rounds.
    tolerance : float
        Stop when a round gains less log-likelihood than this for each vote.

    Returns
    -------
    Fit
        `annotator_quality` is the probability of a right answer, ``sum_k prior[k] theta[k, k]``.
        `parameters` are `class_prior` (k,); `emission` (p, k), the probability of a pair's answer
        given each class, for the pairs `pair_annotator`, `pair_label` (p,); `totals`
        (num_annotators, k); `pooled` (k, k), answers by true classes; `pseudo_counts`. See
        `confusion_matrices`.

    Raises
    ------
    InputError
        An argument does not fit, or the parameters are larger than the machine's memory.

    References
    ----------
    A. P. Dawid, A. M. Skene. Maximum Likelihood Estimation of Observer Error-Rates Using the EM
    Algorithm. Applied Statistics 28 (1979).

    Examples
    --------
    >>> from goldlabel.tasks.multiannotator.votes import Votes
    >>> item, annotator = [0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 1, 2] * 3
    >>> votes = Votes.from_arrays(item, annotator, [0, 0, 1, 1, 1, 1, 0, 0, 0])
    >>> found = fit(votes)
    >>> found.consensus.tolist(), found.annotator_quality.round(2).tolist()
    ([0, 1, 0], [0.99, 0.99, 0.66])
    """
    check_votes(votes)
    convergence = Convergence(max_iterations, tolerance)
    pseudo = Smoothing(prior_smoothing, smoothing, diagonal_smoothing, shrinkage)
    known = gold_classes(gold, votes)
    prior, estimated = class_prior_vector(class_prior, votes.num_classes)
    _refuse_too_large(votes, min(votes.num_annotators, len(votes)))  # the least there can be
    pairs = find_pairs(votes)
    _refuse_too_large(votes, len(pairs))
    item = frozen(votes.item[pairs.by_pair])
    learnt = Confusions.empty(votes, pairs)
    posterior = np.empty((votes.num_items, votes.num_classes))
    likelihood = None
    history: list[float] = []
    if start is None:
        sums = vote_shares(votes, known, posterior)
    else:
        _check_start(start, votes)
        prior = start.parameters["class_prior"] if estimated else prior
        learnt.emission[:] = answer_rows(start, pairs.annotator, pairs.label, floor=FLOOR)
        sums, likelihood = _expect(votes, pairs, learnt, prior, known, posterior)
    for _ in convergence.rounds(history, len(votes)):
        prior = _prior(sums, pseudo) if estimated else prior
        _maximise(votes, pairs, item, posterior, pseudo, learnt)
        sums, likelihood = _expect(votes, pairs, learnt, prior, known, posterior)
        history.append(likelihood)
    if start is None or history:
        if not history:
            _maximise(votes, pairs, item, posterior, pseudo, learnt)
        accuracy = _accuracy(votes, pairs, learnt, prior, pseudo)
        parameters = _parameters(pairs, learnt, prior, pseudo)
    else:
        accuracy, parameters = _as_before(start, votes, prior)
    return finish(
        votes,
        known,
        "dawid_skene",
        posterior,
        accuracy,
        parameters,
        history,
        log_likelihood=likelihood,
        converged=convergence.reached(history, len(votes)),
    )


def _refuse_too_large(votes: Votes, pairs: int) -> None:
    k = votes.num_classes
    refuse_too_large(
        k * (votes.num_items + pairs + votes.num_annotators + k),
        f"{pairs:,} pairs of an annotator and a class, and {votes.num_items:,} items, with"
        f" {k:,} numbers for each",
        "Use one_coin, glad or mace, which keep one number for each pair; or fewer classes",
    )


def _prior(sums: Floats, pseudo: Smoothing) -> Floats:
    prior: Floats = np.maximum(sums + pseudo.prior, FLOOR * sums.sum())
    prior /= prior.sum()
    return prior


def _maximise(
    votes: Votes,
    pairs: Pairs,
    item: Codes,
    posterior: Floats,
    pseudo: Smoothing,
    learnt: Confusions,
) -> None:
    """Estimate confusion matrices from the items' classes, in place; `item` is sorted by pair."""

    def count(people: slice, _: npt.NDArray[np.int64]) -> None:
        first, last = pairs.offsets[people.start], pairs.offsets[people.stop]
        kernels.confusion_counts(
            pairs.vote_offsets[first : last + 1], item, posterior, learnt.emission[first:last]
        )

    def divide(people: slice, offsets: npt.NDArray[np.int64]) -> None:
        kernels.confusion_rows(
            pairs.offsets[people.start : people.stop + 1],
            pairs.label,
            pseudo.cell,
            pseudo.diagonal,
            pseudo.shrinkage,
            learnt.pooled,
            FLOOR,
            learnt.emission,
            learnt.totals[people],
        )

    each_annotators(votes, votes.num_classes, count)
    _pool(pairs, pseudo, learnt)
    each_annotators(votes, votes.num_classes, divide)


def _pool(pairs: Pairs, pseudo: Smoothing, learnt: Confusions) -> None:
    """Add the counts of all annotators up and divide them: answers by true classes."""
    pooled = learnt.pooled
    pooled[:] = 0.0
    kernels.row_sums(pairs.label, learnt.emission, pooled)
    pooled += pseudo.cell
    pooled[np.diag_indices_from(pooled)] += pseudo.diagonal
    np.maximum(pooled, FLOOR, out=pooled)
    pooled /= pooled.sum(axis=0)


def _expect(
    votes: Votes,
    pairs: Pairs,
    learnt: Confusions,
    prior: Floats,
    known: Codes,
    posterior: Floats,
) -> tuple[Floats, float]:
    """Estimate the items' classes in place; return their sums and the log-likelihood."""
    _, blocks = item_blocks(votes, votes.num_classes)
    sums, likelihood = np.zeros((blocks, votes.num_classes)), np.zeros((blocks, 1))

    def work(block: int, items: slice, offsets: npt.NDArray[np.int64]) -> None:
        kernels.confusion_posterior(
            offsets,
            pairs.of_vote,
            learnt.emission,
            prior,
            known[items],
            posterior[items],
            sums[block],
            likelihood[block],
        )

    each_items(votes, votes.num_classes, work)
    return sums.sum(axis=0), float(likelihood.sum())


def _own(pairs: Pairs, learnt: Confusions) -> Floats:
    """Probability of a pair's answer where it is right."""
    right: Floats = learnt.emission[np.arange(len(pairs)), pairs.label]
    return right


def _accuracy(
    votes: Votes, pairs: Pairs, learnt: Confusions, prior: Floats, pseudo: Smoothing
) -> Floats:
    """Probability that an annotator answers right."""
    never = pseudo.cell + pseudo.diagonal + pseudo.shrinkage * np.diagonal(learnt.pooled)
    voted = votes.votes_per_annotator > 0
    right = np.empty_like(learnt.totals)
    right[:] = np.diagonal(learnt.pooled)
    np.divide(never, learnt.totals, out=right, where=voted[:, None])
    right[pairs.annotator, pairs.label] = _own(pairs, learnt)
    accuracy: Floats = np.minimum(right @ prior, 1.0)
    return accuracy


def _parameters(
    pairs: Pairs, learnt: Confusions, prior: Floats, pseudo: Smoothing
) -> dict[str, npt.NDArray[np.generic]]:
    return {
        "class_prior": prior,
        "emission": learnt.emission,
        "pair_annotator": pairs.annotator,
        "pair_label": pairs.label,
        "totals": learnt.totals,
        "pooled": learnt.pooled,
        "pseudo_counts": np.array([pseudo.cell, pseudo.diagonal, pseudo.shrinkage]),
    }


def _check_start(start: Fit, votes: Votes) -> None:
    if start.method != "dawid_skene":
        raise InputError("start", f"is a fit of {start.method}", "Pass one of dawid_skene")
    k = start.posterior.shape[1]
    if k != votes.num_classes:
        raise InputError(
            "start", f"has {k} classes, and votes has {votes.num_classes}", "Use the same classes"
        )
    if len(start.annotator_quality) > votes.num_annotators:
        raise InputError(
            "start",
            f"knows {len(start.annotator_quality):,} annotators, and votes has"
            f" {votes.num_annotators:,}",
            "Keep the numbers of the annotators, and add new ones at the end",
        )


def _as_before(
    start: Fit, votes: Votes, prior: Floats
) -> tuple[Floats, dict[str, npt.NDArray[np.generic]]]:
    """Return accuracies and parameters of a fit that has learnt nothing new."""
    newcomers = votes.num_annotators - len(start.annotator_quality)
    pooled = float(np.diagonal(start.parameters["pooled"]) @ prior)
    accuracy = np.append(start.annotator_quality, np.full(newcomers, min(pooled, 1.0)))
    return accuracy, {**start.parameters, "class_prior": prior}
