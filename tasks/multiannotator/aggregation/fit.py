"""What every aggregation method returns, and what all of them do before and after."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import entr

from goldlabel.errors import InputError
from goldlabel.inputs.check import choice, vector
from goldlabel.kernels._jit import frozen
from goldlabel.tasks.multiannotator.aggregation.ties import largest_column
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Codes, Floats, Ints

__all__ = [
    "NO_CLASS",
    "Fit",
    "check_votes",
    "class_prior_vector",
    "finish",
    "gold_classes",
    "refuse_too_large",
    "renumbered",
]


NO_CLASS = -1


@dataclass(frozen=True, eq=False)
class Fit:
    """What an aggregation method makes of votes, the same for all of them.

    Attributes
    ----------
    method : str
        Name of the method: majority_vote, wawa, dawid_skene, one_coin, glad, mace, crowdlab.
    posterior : ndarray of shape (num_items, num_classes), float64
        Probability of each class; rows sum to 1. An item without votes has the prior, or what the
        classifiers say of it, where the method looks at them.
    consensus : ndarray of shape (num_items,), int32
        The most probable class, of equals (`ties`) the lowest, if the method has no better rule;
        -1 for an item of which nothing is known.
    quality : ndarray of shape (num_items,), float64
        Posterior of the consensus, in [0, 1]; 0 where there is no consensus.
    annotator_quality : ndarray of shape (num_annotators,), float64
        How far to trust an annotator, in [0, 1]; each method says what it is. An annotator without
        votes has that of all votes together; NaN where the method cannot tell.
    parameters : mapping of str to ndarray
        What the method has estimated; each says what they are.
    iterations : int
        Rounds of expectation and maximisation; 0 for models that need none.
    log_likelihood : float or None
        Of the votes, at the parameters, with the log-density of their prior where the model has
        one; None for models that have no likelihood.
    history : tuple of float
        The same after each round.
    converged : bool
        Whether the gain of the last round was below the tolerance.
    """

    method: str
    posterior: Floats
    consensus: Codes
    quality: Floats
    annotator_quality: Floats
    parameters: Mapping[str, npt.NDArray[Any]]
    iterations: int = 0
    log_likelihood: float | None = None
    history: tuple[float, ...] = ()
    converged: bool = True

    @property
    def entropy(self) -> Floats:
        """How undecided each item is: entropy of its posterior in nats, of shape (num_items,)."""
        total: Floats = entr(self.posterior).sum(axis=1)
        return total


OF_ITEMS = ("ease",)
OF_ANNOTATORS = ("skill", "totals", "accuracy", "ability", "knows", "spams", "unused_habit")
OF_PAIRS = ("emission", "habit", "pair_label")
"""Parameters with a row for each item, annotator, or pair of an annotator and a class."""


def renumbered(fit: Fit, items: Ints, annotators: Ints) -> Fit:
    """Return a fit of items and annotators in other places: `items[i]` is the number of item i."""
    back, people = np.argsort(items), np.argsort(annotators)
    parameters = dict(fit.parameters)
    for names, place in ((OF_ITEMS, back), (OF_ANNOTATORS, people)):
        parameters.update(
            {name: fit.parameters[name][place] for name in names if name in parameters}
        )
    if "pair_annotator" in parameters:
        owner = annotators[fit.parameters["pair_annotator"]].astype(np.int32)
        order = np.argsort(owner, kind="stable")
        parameters["pair_annotator"] = owner[order]
        parameters.update(
            {name: fit.parameters[name][order] for name in OF_PAIRS if name in parameters}
        )
    return replace(
        fit,
        posterior=fit.posterior[back],
        consensus=fit.consensus[back],
        quality=fit.quality[back],
        annotator_quality=fit.annotator_quality[people],
        parameters=parameters,
    )


def finish(
    votes: Votes,
    gold: Codes,
    method: str,
    posterior: Floats,
    annotator_quality: Floats,
    parameters: Mapping[str, npt.NDArray[Any]],
    history: Sequence[float] = (),
    *,
    log_likelihood: float | None = None,
    converged: bool = True,
) -> Fit:
    """Choose the consensus by the posterior and put everything into a `Fit`."""
    consensus, quality = most_probable(votes, gold, posterior)
    return Fit(
        method=method,
        posterior=posterior,
        consensus=consensus,
        quality=quality,
        annotator_quality=annotator_quality,
        parameters=parameters,
        iterations=len(history),
        log_likelihood=log_likelihood,
        history=tuple(history),
        converged=converged,
    )


def most_probable(votes: Votes, gold: Codes, posterior: Floats) -> tuple[Codes, Floats]:
    """Return the most probable class of each item and its probability."""
    consensus = largest_column(posterior)
    quality = np.minimum(posterior[np.arange(votes.num_items), consensus], 1.0)
    unknown = votes.votes_per_item == 0
    if gold.size:
        unknown &= gold < 0
    consensus[unknown] = NO_CLASS
    quality[unknown] = 0.0
    return consensus, quality


def check_votes(votes: Votes, *, least_classes: int = 1) -> None:
    """Refuse votes from which nothing can be learnt."""
    if not isinstance(votes, Votes):
        raise InputError(
            "votes", f"is of type {type(votes).__name__}", "Make them with Votes.from_arrays"
        )
    if len(votes) == 0:
        raise InputError("votes", "is empty", "Pass at least one vote")
    if votes.num_classes < least_classes:
        raise InputError(
            "votes",
            f"has {votes.num_classes} class, and the model needs {least_classes} or more",
            "Say how many classes there are with num_classes",
        )


def gold_classes(gold: npt.ArrayLike | None, votes: Votes) -> Codes:
    """Return the known class of each item, -1 where unknown; empty if none is given."""
    if gold is None:
        return frozen(np.empty(0, dtype=np.int32))
    array = np.asarray(gold)
    if array.shape != (votes.num_items,) or array.dtype.kind not in "iu":
        raise InputError(
            "gold",
            f"is {array.dtype} of shape {array.shape}, not whole numbers of shape"
            f" ({votes.num_items},)",
            "Pass the class of each item, -1 where it is not known",
        )
    bad = np.flatnonzero((array < NO_CLASS) | (array >= votes.num_classes))
    if bad.size:
        raise InputError(
            f"gold[{bad[0]}]",
            f"is {array[bad[0]]}, and there are classes 0 .. {votes.num_classes - 1}"
            f" ({bad.size:,} such)",
            "Pass the class of each item, -1 where it is not known",
        )
    return frozen(array.astype(np.int32))


def class_prior_vector(class_prior: str | npt.ArrayLike, k: int) -> tuple[Floats, bool]:
    """Return the prior to begin with, and whether it is to be estimated."""
    if isinstance(class_prior, str):
        name = choice(class_prior, ("estimated", "uniform"), name="class_prior")
        return np.full(k, 1.0 / k), name == "estimated"
    prior = vector(class_prior, name="class_prior", length=k, low=0.0)
    bad = np.flatnonzero(prior == 0)
    if bad.size:
        raise InputError(
            f"class_prior[{bad[0]}]",
            f"is 0 ({bad.size} such)",
            "Give every class a probability above 0: votes for it are not impossible",
        )
    return prior / prior.sum(), False


def refuse_too_large(floats: int, what: str, fix: str) -> None:
    """Raise before asking for more memory than the machine has."""
    try:
        have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return
    need = 8 * floats
    if need > have:
        raise InputError(
            "votes",
            f"needs {need / 2**30:,.0f} GiB for {what}, and this machine has"
            f" {have / 2**30:,.0f} GiB",
            fix,
        )
