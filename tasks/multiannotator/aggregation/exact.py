"""Sums that are exact, and so the same in whatever order items and annotators come.

The sum of floats depends on its order in the last bits. That of whole multiples of a small enough
step does not, as long as it needs no more than the 53 bits of a float.
"""

from __future__ import annotations

import math

import numpy as np

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Codes, Floats

__all__ = ["mean", "split", "sums_by_annotator"]

STEP = 2.0**26
"""Values are split into multiples of 1 / STEP and of 1 / STEP ** 2: 134 million can be added."""


def mean(values: Floats) -> float:
    """Return the mean of some numbers, correctly rounded."""
    return math.fsum(values) / len(values)


def split(values: Floats, most: int) -> Floats:
    """Split numbers from 1e-6 to 1 into two each, (2, n): any `most` of either add up exactly.

    Examples
    --------
    >>> tenths = split(np.full(3, 0.1), 3)
    >>> float(tenths[:, 0].sum()), bool(tenths[0].sum() == 3 * tenths[0, 0])
    (0.1, True)
    """
    step = 2.0 ** (52 - max(int(most), 1).bit_length())
    high = np.rint(values * step) / step
    return np.stack([high, values - high])


@kernel
def _add(annotator: Codes, values: Floats, high: Floats, low: Floats) -> None:
    for vote in range(values.shape[0]):
        steps = values[vote] * STEP
        whole = math.floor(steps)
        high[annotator[vote]] += whole
        low[annotator[vote]] += math.floor((steps - whole) * STEP + 0.5)


def sums_by_annotator(votes: Votes, values: Floats) -> Floats:
    """Add a number from 0 to 1 of each vote (n,) up by annotator, (M,)."""
    high, low = np.zeros(votes.num_annotators), np.zeros(votes.num_annotators)
    _add(votes.annotator, frozen(values), high, low)
    return np.asarray((high + low / STEP) / STEP)
