"""Cohen's kappa of each pair of annotators, from the items that both have labelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from goldlabel.inputs.check import number, whole_number
from goldlabel.kernels.rows import each_block
from goldlabel.tasks.multiannotator.agreement import cohen_kernels as kernels
from goldlabel.tasks.multiannotator.agreement.coefficients import ANALYTIC, Agreement
from goldlabel.tasks.multiannotator.votes import Votes, at_most
from goldlabel.typing import Codes, Floats, Ints

__all__ = ["PairAgreement", "cohen_kappa"]


RANGES = 16
"""Ranges of annotators that are worked on at a time, each with a number for every item."""


@dataclass(frozen=True, eq=False)
class PairAgreement:
    """Agreement of pairs of annotators that have items in common, ordered by their numbers.

    Attributes
    ----------
    first, second : ndarray of shape (p,), int32
        The annotators, first < second.
    items : ndarray of shape (p,), int64
        Items that both have labelled.
    observed : ndarray of shape (p,), float64
        Share of those on which they agree.
    kappa : ndarray of shape (p,), float64
        Cohen's kappa; NaN where both gave one class only, and the same.
    low, high : ndarray of shape (p,), float64
        Confidence interval by the large-sample standard error of Fleiss, Cohen and Everitt (1969);
        NaN where kappa is. With few common items it is too narrow.
    mean : Agreement
        Mean of kappa over all pairs, weighted by their items; its interval accounts for an item's
        counting in many pairs.
    num_pairs : int
        Pairs with items in common; more than p if those with few were left out.
    least_items : int
        Common items of the pairs that are listed.
    sampled_items : int
        Items with so many votes that a random part of them was used.
    """

    first: Codes
    second: Codes
    items: Ints
    observed: Floats
    kappa: Floats
    low: Floats
    high: Floats
    mean: Agreement
    num_pairs: int
    least_items: int
    sampled_items: int


def cohen_kappa(
    votes: Votes,
    *,
    confidence: float = 0.95,
    min_items: int = 1,
    max_pairs: int = 1_000_000,
    max_votes: int = 100,
    seed: int = 0,
) -> PairAgreement:
    """Compare each annotator with each other one.

    Takes time for each two votes on an item; so of items with more than `max_votes` votes, that
    many are drawn at random.

    Parameters
    ----------
    votes : Votes
    confidence : float
        Probability that an interval covers the value, in (0, 1).
    min_items : int
        List pairs with at least so many items in common. The mean is over all pairs.
    max_pairs : int
        If there would be more, the least number of common items is raised until there are not, up
        to 255.
    max_votes : int
        Most votes on an item that are used, 2 or more.
    seed : int
        Of that choice.

    Returns
    -------
    PairAgreement

    Raises
    ------
    InputError
        An option does not fit.

    References
    ----------
    J. Cohen. A Coefficient of Agreement for Nominal Scales. Educational and Psychological
    Measurement 20 (1960).

    Examples
    --------
    >>> from goldlabel.tasks.multiannotator.votes import Votes, at_most
    >>> rows = [[0, 0, 1], [1, 1, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0]]
    >>> item, annotator = [i for i in range(5) for _ in range(3)], [0, 1, 2] * 5
    >>> found = cohen_kappa(Votes.from_arrays(item, annotator, sum(rows, [])))
    >>> found.first.tolist(), found.second.tolist(), found.kappa.round(3).tolist()
    ([0, 0, 1], [1, 2, 2], [0.615, 0.167, -0.154])
    """
    number(confidence, name="confidence", low=1e-9, high=1 - 1e-9)
    for name, value in (("min_items", min_items), ("max_pairs", max_pairs)):
        whole_number(value, name=name, low=1)
    whole_number(max_votes, name="max_votes", low=2)
    random = np.random.default_rng(whole_number(seed, name="seed"))
    canonical = votes.canonical  # sums of floats: the same bits in any order of the votes
    used = at_most(canonical.votes, max_votes, random.random(len(votes)))
    ranges = _ranges(used)
    counted = _compare(used, ranges)
    least = _least_items(counted.sizes.sum(axis=0), min_items, max_pairs)
    total, weight = counted.sums.sum(axis=0).tolist()
    mean = total / weight if weight else np.nan
    # A least number beyond the bins is counted with the last bin, and cut afterwards.
    binned = min(least, kernels.BINS - 1)
    found = _compare(used, ranges, counted.sizes[:, binned:].sum(axis=1), mean, binned)
    people, numbers = np.concatenate(found.people), np.concatenate(found.numbers)
    kept = numbers[:, 0] >= least
    z = float(ndtri((1 + confidence) / 2))
    first, second, order = _in_order(canonical.annotators, people[kept])
    items, observed, kappa, errors = numbers[kept][order].T.copy()
    return PairAgreement(
        first=first,
        second=second,
        items=items.astype(np.int64),
        observed=observed,
        kappa=kappa,
        low=np.maximum(kappa - z * errors, -1.0),
        high=np.minimum(kappa + z * errors, 1.0),
        mean=_mean(used, mean, weight, found.influence.sum(axis=0), z),
        num_pairs=int(counted.sizes.sum()),
        least_items=least,
        sampled_items=int(np.count_nonzero(votes.votes_per_item > max_votes)),
    )


def _in_order(annotators: Ints, pairs: Codes) -> tuple[Codes, Codes, Ints]:
    """Return pairs by the annotators' own numbers, sorted, and the order that sorts them."""
    own = np.sort(annotators[pairs].astype(np.int32), axis=1)
    order = np.lexsort((own[:, 1], own[:, 0]))
    return own[order, 0], own[order, 1], order


def _mean(votes: Votes, mean: float, weight: float, influence: Floats, z: float) -> Agreement:
    """Return the mean of kappas with its interval: an item counts in many pairs."""
    error = float(np.sqrt((influence**2).sum())) / weight if weight else np.nan
    return Agreement(
        name="cohen_kappa",
        value=mean,
        low=max(mean - z * error, -1.0) if weight else np.nan,
        high=min(mean + z * error, 1.0) if weight else np.nan,
        standard_error=error,
        items=int((votes.votes_per_item > 1).sum()),
        source=ANALYTIC if weight else "not defined",
    )


@dataclass(frozen=True, eq=False)
class Ranges:
    """Ranges of annotators with about as much work each: `bounds[r]:bounds[r + 1]`.

    `most` is the most votes by others, with higher numbers, on the items of one annotator.
    """

    bounds: Ints
    most: int


def _ranges(votes: Votes) -> Ranges:
    after = votes.item_offsets[1:][votes.item] - np.arange(len(votes)) - 1
    shared = np.zeros(votes.num_annotators + 1, dtype=np.int64)
    work = np.bincount(votes.annotator, weights=after, minlength=votes.num_annotators)
    shared[1:] = np.cumsum(work)
    cuts = np.searchsorted(shared, np.linspace(0, shared[-1], RANGES + 1)[1:-1])
    bounds = np.array([0, *cuts, votes.num_annotators])
    return Ranges(np.maximum.accumulate(bounds), int(work.max(initial=0)))


@dataclass(frozen=True, eq=False)
class Found:
    """What one run over the ranges gives; `people`, `numbers`, `influence` may be empty."""

    sums: Floats
    sizes: Ints
    people: list[Codes]
    numbers: list[Floats]
    influence: Floats


def _compare(
    votes: Votes, ranges: Ranges, rows: Ints | None = None, mean: float = 0.0, least: int = 0
) -> Found:
    """Compare all pairs and add up; list `rows` of them in each range, if that is given."""
    listed = np.zeros(RANGES, dtype=np.int64) if rows is None else rows
    found = Found(
        sums=np.zeros((RANGES, 2)),
        sizes=np.zeros((RANGES, kernels.BINS), dtype=np.int64),
        people=[np.empty((count, 2), dtype=np.int32) for count in listed],
        numbers=[np.empty((count, 4)) for count in listed],
        influence=np.zeros((RANGES, 0 if rows is None else votes.num_items)),
    )

    def work(worker: int, at: int, _: slice) -> None:
        kernels.annotator_pairs(
            int(ranges.bounds[at]),
            int(ranges.bounds[at + 1]),
            votes.item_offsets,
            votes.annotator,
            votes.item,
            votes.label,
            votes.by_annotator,
            votes.annotator_offsets,
            ranges.most,
            votes.num_classes,
            found.sums[at],
            found.sizes[at],
            mean,
            least,
            found.people[at],
            found.numbers[at],
            found.influence[at],
        )

    each_block(work, RANGES, 1)
    return found


def _least_items(sizes: Ints, least: int, most: int) -> int:
    """Return how many common items a pair must have so that there are not too many pairs."""
    at_least = np.cumsum(sizes[::-1])[::-1]
    few = np.flatnonzero(at_least <= most)
    return max(least, int(few[0]) if few.size else kernels.BINS - 1)
