"""How far annotators agree, beyond what chance would do: from counts of votes, in one pass.

Intervals treat the items as drawn at random from more of their kind. ``analytic`` ones come from
the influence of each item on the statistic (delta method, infinitesimal jackknife), and cost one
more pass; ``bootstrap`` ones draw the items anew, many times.

References
----------
J. Cohen. A Coefficient of Agreement for Nominal Scales. 1960.
J. L. Fleiss. Measuring Nominal Scale Agreement Among Many Raters. Psychological Bulletin 76 (1971).
J. L. Fleiss, J. Cohen, B. S. Everitt. Large Sample Standard Errors of Kappa and Weighted Kappa.
Psychological Bulletin 72 (1969).
K. Krippendorff. Computing Krippendorff's Alpha-Reliability. 2011.
B. Efron. The Jackknife, the Bootstrap and Other Resampling Plans. SIAM 1982, chapters 5 and 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from goldlabel.inputs.check import (
    choice,
    number,
    vector,
    whole_number,
)
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.tasks.multiannotator.agreement import kernels as kernels
from goldlabel.tasks.multiannotator.agreement import statistics as statistics
from goldlabel.tasks.multiannotator.agreement.statistics import Level, Statistic, middle_ranks
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats, Ints

__all__ = ["Agreement", "fleiss_kappa", "krippendorff_alpha", "observed_agreement"]

Interval = Literal["analytic", "bootstrap"]

LARGEST = 1e150
"""Values beyond have no square."""
ANALYTIC = "influence of items (delta method)"


@dataclass(frozen=True)
class Agreement:
    """One statistic of agreement.

    Attributes
    ----------
    name : str
    value : float
        1 = all votes agree, 0 = as by chance (not so `observed_agreement`, the plain share); NaN
        where it is not defined: no item has two votes, or there is nothing to disagree on because
        all votes are of one class.
    low, high : float
        Confidence interval; NaN where the value is.
    standard_error : float
    items : int
        Items with two votes or more: the others say nothing of agreement.
    source : str
        What the interval comes from.
    """

    name: str
    value: float
    low: float
    high: float
    standard_error: float
    items: int
    source: str


@dataclass(frozen=True)
class How:
    """How to make an interval."""

    confidence: float
    interval: Interval
    draws: int
    seed: int

    def __post_init__(self) -> None:
        number(self.confidence, name="confidence", low=1e-9, high=1 - 1e-9)
        choice(self.interval, ("analytic", "bootstrap"), name="interval")
        whole_number(self.draws, name="draws", low=2)
        whole_number(self.seed, name="seed")


def observed_agreement(
    votes: Votes,
    *,
    confidence: float = 0.95,
    interval: Interval = "analytic",
    draws: int = 1000,
    seed: int = 0,
) -> Agreement:
    """Return the share of pairs of votes on an item that agree, in the mean over items.

    Parameters
    ----------
    votes : Votes
    confidence : float
        Probability that the interval covers the value, in (0, 1).
    interval : {"analytic", "bootstrap"}
        How it is made; see the module.
    draws, seed : int
        Of the bootstrap.

    Returns
    -------
    Agreement

    Raises
    ------
    InputError
        An option does not fit.

    Examples
    --------
    >>> from goldlabel.tasks.multiannotator.votes import Votes
    >>> rows = [[0, 0, 1], [1, 1, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0]]
    >>> item, annotator = [i for i in range(5) for _ in range(3)], [0, 1, 2] * 5
    >>> votes = Votes.from_arrays(item, annotator, sum(rows, []))
    >>> found = observed_agreement(votes)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.6, 0.28, 0.92)
    """
    how = How(confidence, interval, draws, seed)
    return _measure(votes, statistics.observed(votes.num_classes), how)


def fleiss_kappa(
    votes: Votes,
    *,
    confidence: float = 0.95,
    interval: Interval = "analytic",
    draws: int = 1000,
    seed: int = 0,
) -> Agreement:
    """Return Fleiss' kappa: agreement beyond that of random votes with the same class shares.

    Items may have different numbers of votes; with the same number everywhere this is the value of
    the textbook.

    Parameters
    ----------
    votes : Votes
    confidence, interval, draws, seed
        As for `observed_agreement`.

    Returns
    -------
    Agreement

    Raises
    ------
    InputError
        An option does not fit.

    Examples
    --------
    >>> from goldlabel.tasks.multiannotator.votes import Votes
    >>> rows = [[0, 0, 1], [1, 1, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0]]
    >>> item, annotator = [i for i in range(5) for _ in range(3)], [0, 1, 2] * 5
    >>> round(fleiss_kappa(Votes.from_arrays(item, annotator, sum(rows, []))).value, 10)
    0.1964285714
    """
    how = How(confidence, interval, draws, seed)
    return _measure(votes, statistics.fleiss(votes.num_classes), how)


def krippendorff_alpha(
    votes: Votes,
    *,
    level: Level = "nominal",
    values: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    interval: Interval = "analytic",
    draws: int = 1000,
    seed: int = 0,
) -> Agreement:
    """Return Krippendorff's alpha: 1 - observed disagreement / that of votes dealt at random.

    Parameters
    ----------
    votes : Votes
    level : {"nominal", "ordinal", "interval"}
        Classes differ or not; are ordered by their number; are numbers.
    values : array_like of shape (num_classes,), optional
        The number of each class for level "interval"; its index by default.
    confidence, interval, draws, seed
        As for `observed_agreement`.

    Returns
    -------
    Agreement

    Raises
    ------
    InputError
        An option does not fit.

    Examples
    --------
    >>> from goldlabel.tasks.multiannotator.votes import Votes
    >>> rows = [[0, 0, 1], [1, 1, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0]]
    >>> item, annotator = [i for i in range(5) for _ in range(3)], [0, 1, 2] * 5
    >>> round(krippendorff_alpha(Votes.from_arrays(item, annotator, sum(rows, []))).value, 10)
    0.25
    """
    choice(level, ("nominal", "ordinal", "interval"), name="level")
    k = votes.num_classes
    numbers = np.arange(k, dtype=np.float64)
    if values is not None:
        numbers = vector(values, name="values", length=k, low=-LARGEST, high=LARGEST)
    how = How(confidence, interval, draws, seed)
    return _measure(votes, statistics.krippendorff(level, numbers), how)


@dataclass(frozen=True, eq=False)
class Sums:
    """What one pass over the items gives."""

    items: int
    terms: float
    totals: Ints
    slopes: Floats


def _measure(votes: Votes, statistic: Statistic, how: How) -> Agreement:
    votes = votes.canonical.votes  # sums of floats: the same bits in any order of the votes
    sums = _item_sums(votes, statistic)
    value = statistic.value(sums.items, sums.terms, sums.totals) if sums.items else np.nan
    low = high = error = np.nan
    source = "not defined"
    if not np.isnan(value) and how.interval == "bootstrap":
        drawn = _draws(votes, statistic, how)
        tail = 50 * (1 - how.confidence)
        low, high = np.percentile(drawn, [tail, 100 - tail]).tolist()
        error = float(np.std(drawn, ddof=1))
        source = f"percentiles of {how.draws:,} bootstrap draws of items, seed {how.seed}"
    elif not np.isnan(value):
        error = float(np.sqrt(_variance(votes, statistic, sums)))
        reach = float(ndtri((1 + how.confidence) / 2)) * error
        floor = 0.0 if statistic.name == "observed_agreement" else min(-1.0, value)
        low, high = max(value - reach, floor), min(value + reach, 1.0)
        source = ANALYTIC
    bounds = float(low), float(high), error
    return Agreement(statistic.name, float(value), *bounds, sums.items, source)


def _each_items(votes: Votes, work: Callable[[int, Ints], None]) -> None:
    each_block(
        lambda worker, block, rows: work(block, votes.item_offsets[rows.start : rows.stop + 1]),
        votes.num_items,
        _block(votes),
    )


def _block(votes: Votes) -> int:
    return block_rows(1 + len(votes) // max(votes.num_items, 1))


def _item_sums(votes: Votes, statistic: Statistic) -> Sums:
    """Add the terms of all items up; with ranks as values, after the votes have been counted."""
    k, blocks = votes.num_classes, max(1, -(-votes.num_items // _block(votes)))
    values = statistic.values
    if statistic.ranks:
        pairable = votes.votes_per_item[votes.item] > 1
        values = middle_ranks(np.bincount(votes.label[pairable], minlength=k))
    sums, slopes = np.zeros((blocks, 2)), np.zeros((blocks, k if statistic.ranks else 0))
    totals = np.zeros((blocks, k), dtype=np.int64)
    numbers = frozen(values)

    def work(block: int, offsets: Ints) -> None:
        count = np.zeros(k, dtype=np.int64)
        place = (sums[block], totals[block], slopes[block])
        kernels.item_sums(offsets, votes.label, statistic.kind, numbers, count, *place)

    _each_items(votes, work)
    items, terms = sums.sum(axis=0)
    return Sums(int(items), float(terms), totals.sum(axis=0), slopes.sum(axis=0))


def _variance(votes: Votes, statistic: Statistic, sums: Sums) -> float:
    k, blocks = votes.num_classes, max(1, -(-votes.num_items // _block(votes)))
    values = middle_ranks(sums.totals) if statistic.ranks else statistic.values
    per_term, per_vote, constant = statistic.slopes(
        sums.items, sums.terms, sums.totals, sums.slopes
    )
    squares = np.zeros((blocks, 1))
    numbers, weights = frozen(values), frozen(per_vote)

    def work(block: int, offsets: Ints) -> None:
        count = np.zeros(k, dtype=np.int64)
        kernels.item_variance(
            *(offsets, votes.label, statistic.kind, numbers, count),
            *(float(per_term), weights, float(constant), squares[block]),
        )

    _each_items(votes, work)
    return float(squares.sum()) * sums.items / max(sums.items - 1, 1)


def _draws(votes: Votes, statistic: Statistic, how: How) -> Floats:
    """Return the statistic of items drawn anew, where it is defined."""
    chosen = frozen(np.flatnonzero(votes.votes_per_item > 1))
    seeds = np.random.default_rng(how.seed).integers(2**64, size=how.draws, dtype=np.uint64)
    sums = np.zeros(how.draws)
    totals = np.zeros((how.draws, votes.num_classes), dtype=np.int64)
    values, seeds = frozen(statistic.values), frozen(seeds)

    def work(worker: int, block: int, rows: slice) -> None:
        kernels.draw_items(
            *(votes.item_offsets, votes.label, chosen, statistic.kind, statistic.ranks, values),
            *(seeds[rows], sums[rows], totals[rows]),
        )

    each_block(work, how.draws, 16)
    found = (statistic.value(len(chosen), *each) for each in zip(sums, totals, strict=True))
    drawn = np.fromiter(found, np.float64, how.draws)
    kept: Floats = drawn[~np.isnan(drawn)]
    return kept
