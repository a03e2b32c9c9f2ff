"""How an annotator's votes change over time: the one moment where quality shifts most.

References
----------
A. N. Pettitt. A simple cumulative sum type statistic for the change-point problem. Biometrika 67
(1980) 79-84. The p-value is that of the largest deviation of a Brownian bridge.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats

__all__ = ["Shift", "shifts"]


LEAST = 40
"""With fewer votes no shift is looked for."""
CHANCE = 0.01
"""Chance that anybody is named by accident."""
_EDGE = 5
"""A shift leaves at least so many votes on both sides."""


class Shift(NamedTuple):
    """Where the quality of an annotator's votes changes.

    Attributes
    ----------
    annotator : int
    vote : int
        Number of the first vote after the change, in order of time.
    low, high : int
        Where it may lie instead, with about 95% confidence.
    moment : float
        When, in seconds since 1970.
    before, after : float
        Mean agreement with the consensus on both sides.
    p_value : float
        Chance of such a shift where there is none.
    """

    annotator: int
    vote: int
    low: int
    high: int
    moment: float
    before: float
    after: float
    p_value: float


def shifts(votes: Votes, right: Floats, time: Floats) -> list[Shift]:
    """Return the annotators whose votes become better or worse at some moment.

    Parameters
    ----------
    votes : Votes
    right : ndarray of shape (n,), float64
        How right each vote is: 1 = with the consensus, 0 = against it.
    time : ndarray of shape (n,), float64
        When it was given; votes without a time are left out.

    Examples
    --------
    >>> votes = Votes.from_arrays(np.arange(100), np.zeros(100, int), np.zeros(100, int))
    >>> (found,) = shifts(votes, np.repeat([1.0, 0.0], [60, 40]), np.arange(100.0))
    >>> found.vote, found.before, found.after
    (60, 1.0, 0.0)
    """
    found = []
    tested = 0
    for annotator in np.flatnonzero(votes.votes_per_annotator >= LEAST).tolist():
        start, stop = votes.annotator_offsets[annotator : annotator + 2]
        own = votes.by_annotator[start:stop]
        own = own[~np.isnan(time[own])]
        own = own[np.argsort(time[own], kind="stable")]
        values = right[own]
        if len(own) < LEAST or np.ptp(time[own]) == 0:
            continue
        tested += 1
        if values.std() > 0:
            found.append(
                _largest(annotator, np.sort(values), _in_time(values, time[own]), time[own])
            )
    return [shift for shift in found if shift.p_value * max(tested, 1) < CHANCE]


def _in_time(values: Floats, time: Floats) -> Floats:
    """Give votes of one moment their mean: it is not known which of them came first."""
    _, moment, count = np.unique(time, return_inverse=True, return_counts=True)
    if len(count) == len(time):
        return values
    return np.asarray((np.bincount(moment, weights=values) / count)[moment])


def _largest(annotator: int, own: Floats, values: Floats, time: Floats) -> Shift:
    """Return the cut that explains most, whatever its p-value; `own` are the values as they are."""
    n = len(values)
    total = np.cumsum(values)
    cut = np.arange(_EDGE, n - _EDGE + 1)
    deviation = total[cut - 1] - cut * total[-1] / n
    largest = np.abs(deviation).max() / (own.std() * np.sqrt(n))
    # Likelihood of a cut at each place, with a mean of its own on both sides.
    before, after = total[cut - 1] / cut, (total[-1] - total[cut - 1]) / np.maximum(n - cut, 1)
    explained = cut * before**2 + (n - cut) * after**2
    best = int(explained.argmax())
    left = (own**2).sum() - explained
    floor = max(float(left.min()), 1e-3)
    near = np.flatnonzero(n / 2 * np.log(np.maximum(left, floor) / floor) < 1.92)
    return Shift(
        annotator=annotator,
        vote=int(cut[best]),
        low=int(cut[near[0]]),
        high=int(cut[near[-1]]),
        moment=float(time[min(cut[best], n - 1)]),
        before=float(before[best]),
        after=float(after[best]),
        p_value=_bridge(float(largest)),
    )


def _bridge(largest: float) -> float:
    """Return the chance that a Brownian bridge strays so far."""
    terms = np.arange(1, 101)
    total = 2 * np.sum((-1.0) ** (terms + 1) * np.exp(-2 * terms**2 * largest**2))
    return float(np.clip(total, 0.0, 1.0)) if largest > 0.2 else 1.0
