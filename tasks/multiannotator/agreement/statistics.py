"""Agreement statistics as functions of sums over items, and of how they move with each item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from goldlabel.tasks.multiannotator.agreement.kernels import AGREEMENT, DISTANCE, NOMINAL
from goldlabel.typing import Floats, Ints

__all__ = ["Level", "Statistic", "fleiss", "krippendorff", "middle_ranks", "observed"]

Level = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True, eq=False)
class Statistic:
    """A statistic as a function of sums over items.

    Attributes
    ----------
    kind : int
        Which term of an item is added up.
    values : ndarray of shape (k,)
        Numbers that stand for the classes, where the term is a distance.
    ranks : bool
        Whether those numbers are the middle ranks of the votes.
    value : callable
        From the mean number of items, the sum of terms and votes by class, to the statistic.
    slopes : callable
        From the same and the slopes of the sum of terms by values, to the influence of an item:
        for its term, for each of its votes by class, and for itself.
    """

    name: str
    kind: int
    values: Floats
    ranks: bool
    value: Callable[[int, float, Ints], float]
    slopes: Callable[[int, float, Ints, Floats], tuple[float, Floats, float]]


def observed(k: int) -> Statistic:
    """Return the share of pairs of votes that agree, in the mean over items."""
    return Statistic(
        "observed_agreement",
        AGREEMENT,
        np.zeros(k),
        False,
        lambda items, terms, totals: terms / items,
        lambda items, terms, totals, _: (1 / items, np.zeros(k), -terms / items**2),
    )


def fleiss(k: int) -> Statistic:
    """Return Fleiss' kappa."""
    return Statistic("fleiss_kappa", AGREEMENT, np.zeros(k), False, _fleiss, _fleiss_slopes)


def krippendorff(level: Level, numbers: Floats) -> Statistic:
    """Return Krippendorff's alpha."""
    alpha = Alpha(level, numbers)
    return Statistic(
        f"krippendorff_alpha_{level}",
        NOMINAL if level == "nominal" else DISTANCE,
        numbers,
        level == "ordinal",
        alpha.value,
        alpha.slopes,
    )


def _fleiss(items: int, terms: float, totals: Ints) -> float:
    observed, shares = terms / items, totals / totals.sum()
    chance = float(shares @ shares)
    return (observed - chance) / (1 - chance) if chance < 1 else np.nan


def _fleiss_slopes(
    items: int, terms: float, totals: Ints, _: Floats
) -> tuple[float, Floats, float]:
    n = totals.sum()
    observed, shares = terms / items, totals / n
    chance = float(shares @ shares)
    per_term = 1 / (items * (1 - chance))
    per_vote = -2 * (1 - observed) / (1 - chance) ** 2 * (shares - chance) / n
    return per_term, per_vote, -observed * per_term


@dataclass(frozen=True, eq=False)
class Alpha:
    """Krippendorff's alpha as a function of the sum of disagreements and of votes by class."""

    level: Level
    numbers: Floats

    def value(self, items: int, terms: float, totals: Ints) -> float:
        expected, _ = self._expected(totals)
        return 1 - (totals.sum() - 1) * terms / expected if expected > 0 else np.nan

    def slopes(
        self, items: int, terms: float, totals: Ints, slopes: Floats
    ) -> tuple[float, Floats, float]:
        """Influence of an item; with ordered classes its votes move all values too."""
        expected, by_vote = self._expected(totals)
        rest = (totals.sum() - 1) / expected
        per_vote = rest * terms * by_vote - terms / expected
        if self.level == "ordinal":
            per_vote -= rest * _through_ranks(slopes)
        constant = (rest * terms - float(per_vote @ totals)) / items
        return -rest, per_vote, constant

    def _expected(self, totals: Ints) -> tuple[float, Floats]:
        """Return the disagreement of votes dealt at random, and its relative slope by class."""
        n = float(totals.sum())
        slopes: Floats
        if self.level == "nominal":
            expected = n * n - float(totals @ totals)
            slopes = 2 * (n - totals.astype(np.float64))
        else:
            numbers = middle_ranks(totals) if self.level == "ordinal" else self.numbers
            used = numbers[totals > 0]
            x: Floats = numbers - float(numbers @ totals) / n
            squares = float(totals @ x**2) if np.ptp(used) > 0 else 0.0
            expected = 2 * n * squares
            slopes = 2 * (n * x**2 + squares)
            if self.level == "ordinal":
                slopes = slopes + _through_ranks(4 * n * totals * x)
        if expected > 0:
            slopes = slopes / expected
        return expected, slopes


def middle_ranks(totals: Ints) -> Floats:
    """Return the mean rank of the votes of each class, counted from the first class."""
    ranks: Floats = np.cumsum(totals) - 0.5 * totals
    return ranks


def _through_ranks(slopes: Floats) -> Floats:
    """Turn slopes by middle ranks into slopes by the votes that they are made of."""
    above = np.cumsum(slopes[::-1])[::-1]
    turned: Floats = above - 0.5 * slopes
    return turned
