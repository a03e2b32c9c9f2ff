"""MACE: an annotator knows the class with some probability, and else draws from a spam habit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import psi

from goldlabel.inputs.check import choice, whole_number
from goldlabel.tasks.multiannotator.aggregation.fit import (
    Fit,
    check_votes,
    finish,
    gold_classes,
    refuse_too_large,
)
from goldlabel.tasks.multiannotator.aggregation.label_models.em import Convergence
from goldlabel.tasks.multiannotator.aggregation.label_models.expectation import (
    Expectation,
    sums_by_pair,
)
from goldlabel.tasks.multiannotator.aggregation.label_models.pairs import Pairs, find_pairs
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats, Ints

__all__ = ["fit"]

Method = Literal["vb", "em"]

SMOOTHING = 0.01
"""Pseudo-count of an annotator's classes together, in ``em``."""
BEHAVIOUR = 0.5
"""Beta prior of knowing against spamming, in ``vb``."""
HABIT = 10.0
"""Dirichlet prior of the spam habit, in ``vb``."""
DRAWN = 1.0, 2.5
"""Starts are uniform numbers from this range, divided by their sums."""


@dataclass(frozen=True, eq=False)
class Annotators:
    """What is known of annotators.

    Attributes
    ----------
    knows, spams : ndarray of shape (num_annotators,), float64
        Probability of each; in ``vb`` the exponential of the expected logarithm, which is less.
    habit : ndarray of shape (p,), float64
        Probability of the answer of each (annotator, class) pair when spamming.
    unused : ndarray of shape (num_annotators,), float64
        The same for any one class that the annotator has never used.
    """

    knows: Floats
    spams: Floats
    habit: Floats
    unused: Floats


def fit(
    votes: Votes,
    *,
    method: Method = "vb",
    restarts: int = 10,
    seed: int = 0,
    gold: npt.ArrayLike | None = None,
    alike: Ints | None = None,
    max_iterations: int = 50,
    tolerance: float = 1e-6,
) -> Fit:
    """Estimate classes, who knows them, and what the others answer instead.

    Parameters
    ----------
    votes : Votes
    method : {"vb", "em"}
        Variational Bayes, or expectation maximisation with slight smoothing.
    restarts : int
        Runs from different random starts, of which the one with the best likelihood is returned;
        0 for one run in which everybody starts alike.
    seed : int
        Of the random starts.
    gold : array_like of shape (num_items,), optional
        Class of the items where it is known; -1 elsewhere.
    alike : ndarray of shape (num_annotators,), int64, optional
        Annotators of the same number begin alike in every start; each by itself if not given.
    max_iterations : int
        Most rounds of each run.
    tolerance : float
        Stop a run when a round changes the log-likelihood by less than this for each vote.

    Returns
    -------
    Fit
        `annotator_quality` is the probability of knowing the class. `parameters` are `knows` and
        `spams` (num_annotators,); `habit` (p,), what the pairs `pair_annotator`, `pair_label` (p,)
        answer when spamming, and `unused_habit` (num_annotators,), the same of each other class;
        `restart_log_likelihood`, one of each run.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    D. Hovy, T. Berg-Kirkpatrick, A. Vaswani, E. Hovy. Learning Whom to Trust with MACE. NAACL 2013.

    Examples
    --------
    >>> from goldlabel.tasks.multiannotator.votes import Votes
    >>> item, annotator = [0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 1, 2] * 3
    >>> votes = Votes.from_arrays(item, annotator, [0, 0, 1, 1, 1, 1, 0, 0, 1])
    >>> found = fit(votes)
    >>> found.consensus.tolist(), found.annotator_quality.round(2).tolist()
    ([0, 1, 0], [0.83, 0.83, 0.07])
    """
    check_votes(votes)
    choice(method, ("vb", "em"), name="method")
    whole_number(restarts, name="restarts")
    whole_number(seed, name="seed")
    convergence = Convergence(max_iterations, tolerance)
    known = gold_classes(gold, votes)
    k = votes.num_classes
    cells = votes.num_items * k
    refuse_too_large(cells, "a number for each item and class", "Use fewer classes")
    pairs = find_pairs(votes)
    expect = Expectation(votes, pairs.of_vote, known, np.empty(len(votes)))
    runs = (
        _run(expect, pairs, start, method, convergence)
        for start in _starts(votes, pairs, restarts, seed, alike)
    )
    best = next(runs)
    likelihoods = [best.likelihood]
    for run in runs:
        likelihoods.append(run.likelihood)
        best = run if run.likelihood > best.likelihood else best
    posterior = np.empty((votes.num_items, k))
    _expect(expect, pairs, best.annotators, posterior)
    return finish(
        votes,
        known,
        "mace",
        posterior,
        _competence(votes, best.annotators),
        _parameters(pairs, best.annotators, likelihoods),
        best.history,
        log_likelihood=best.likelihood,
        converged=convergence.reached(best.history, len(votes)),
    )


@dataclass(frozen=True, eq=False)
class Run:
    """Where one start has led."""

    annotators: Annotators
    likelihood: float
    history: list[float]


def _starts(
    votes: Votes, pairs: Pairs, restarts: int, seed: int, alike: Ints | None
) -> Iterator[Annotators]:
    """Make the starts one after the other: each is as large as what is learnt."""
    people, k = votes.num_annotators, votes.num_classes
    if restarts == 0:
        half = np.full(people, 0.5)
        yield Annotators(half, half, np.full(len(pairs), 1.0 / k), np.full(people, 1.0 / k))
        return
    who = np.arange(people) if alike is None else alike
    _, draw = np.unique(who[pairs.annotator] * k + pairs.label, return_inverse=True)
    for each in np.random.SeedSequence(seed).spawn(restarts):
        random = np.random.default_rng(each)
        knows, spams = random.uniform(*DRAWN, size=(2, int(who.max(initial=-1)) + 1))[:, who]
        habit = random.uniform(*DRAWN, size=int(draw.max(initial=-1)) + 1)[draw]
        # Classes that an annotator has never used get the mean, drawn for nobody's use.
        mean = sum(DRAWN) / 2
        totals = _totals(pairs, habit) + mean * (k - np.diff(pairs.offsets))
        yield Annotators(
            knows / (knows + spams),
            spams / (knows + spams),
            habit / totals[pairs.annotator],
            mean / totals,
        )


def _run(
    expect: Expectation, pairs: Pairs, start: Annotators, method: Method, convergence: Convergence
) -> Run:
    learnt = start
    likelihood = _expect(expect, pairs, learnt)
    history: list[float] = []
    for _ in convergence.rounds(history, len(expect.votes)):
        learnt = _maximise(expect, pairs, learnt, method)
        likelihood = _expect(expect, pairs, learnt)
        history.append(likelihood)
    return Run(learnt, likelihood, history)


def _expect(
    expect: Expectation, pairs: Pairs, learnt: Annotators, posterior: Floats | None = None
) -> float:
    """Judge the items; return the log-likelihood of the votes."""
    spam = learnt.spams[pairs.annotator] * learnt.habit
    weight = np.log1p(learnt.knows[pairs.annotator] / spam)
    prior = np.array([1.0 / expect.votes.num_classes])
    likelihood, _ = expect(weight, prior, posterior=posterior)
    return likelihood + float(np.log(spam) @ pairs.counts)


def _maximise(expect: Expectation, pairs: Pairs, learnt: Annotators, method: Method) -> Annotators:
    """Estimate the annotators from the posterior of their votes' classes."""
    votes, k = expect.votes, expect.votes.num_classes
    right = sums_by_pair(votes, pairs, expect.of_vote)
    knows = learnt.knows[pairs.annotator]
    known = right * (knows / (knows + learnt.spams[pairs.annotator] * learnt.habit))
    spam = pairs.counts - known
    total_known, total_spam = _totals(pairs, known), _totals(pairs, spam)
    if method == "em":
        e = SMOOTHING / k
        both = total_known + total_spam + 2 * e
        all_spam = total_spam + k * e
        return Annotators(
            (total_known + e) / both,
            (total_spam + e) / both,
            (spam + e) / all_spam[pairs.annotator],
            e / all_spam,
        )
    both = psi(total_known + total_spam + 2 * BEHAVIOUR)
    all_spam = psi(total_spam + k * HABIT)
    return Annotators(
        np.exp(psi(total_known + BEHAVIOUR) - both),
        np.exp(psi(total_spam + BEHAVIOUR) - both),
        np.exp(psi(spam + HABIT) - all_spam[pairs.annotator]),
        np.exp(psi(HABIT) - all_spam),
    )


def _totals(pairs: Pairs, values: Floats) -> Floats:
    """Add a number of each pair up by annotator."""
    totals = np.zeros(len(pairs.offsets) - 1)
    totals += np.bincount(pairs.annotator, weights=values, minlength=len(totals))
    return totals


def _competence(votes: Votes, learnt: Annotators) -> Floats:
    """Return the probability of knowing; without votes, the mean over all votes."""
    counts = votes.votes_per_annotator
    everyone = float(learnt.knows @ counts) / len(votes)
    return np.where(counts > 0, learnt.knows, everyone)


def _parameters(
    pairs: Pairs, learnt: Annotators, likelihoods: list[float]
) -> dict[str, npt.NDArray[np.generic]]:
    return {
        "knows": learnt.knows,
        "spams": learnt.spams,
        "habit": learnt.habit,
        "unused_habit": learnt.unused,
        "pair_annotator": pairs.annotator,
        "pair_label": pairs.label,
        "restart_log_likelihood": np.array(likelihoods),
    }
