"""The loops of agreement statistics: over items, and over random draws of items.

Sums over items are written for a block of items alone and added up in block order, so that they
have the same bits for any number of threads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Codes, Floats, Ints

__all__ = ["AGREEMENT", "DISTANCE", "NOMINAL", "draw_items", "item_sums", "item_variance"]


AGREEMENT, NOMINAL, DISTANCE = range(3)
"""Term of an item: the share of its pairs of votes that agree; the number of its votes times the
share that does not; the same times the squared distance of the values."""


@kernel
def _term(votes: Codes, kind: int, value: Floats, count: Ints) -> float:
    """Return the term of an item with two votes or more; `count` is a scratch of 0."""
    n = votes.shape[0]
    if kind == DISTANCE:
        mean = 0.0
        for c in votes:
            mean += value[c]
        mean /= n
        spread = 0.0
        for c in votes:
            spread += (value[c] - mean) ** 2
        return float(2.0 * n * spread / (n - 1.0))
    alike = 0
    for c in votes:
        alike += count[c]
        count[c] += 1
    for c in votes:
        count[c] = 0
    share = 2.0 * alike / (n * (n - 1.0))
    return float(share if kind == AGREEMENT else n * (1.0 - share))


@kernel
def item_sums(
    item_offsets: Ints,
    label: Codes,
    kind: int,
    value: Floats,
    count: Ints,
    sums: Floats,
    totals: Ints,
    slopes: Floats,
) -> None:
    """Add up the terms of items with two votes or more (`sums`: items, terms) and their votes.

    `totals` are votes by class; `slopes`, where not empty, those of the sum of distances by the
    value of each class.
    """
    for i in range(item_offsets.shape[0] - 1):
        votes = label[item_offsets[i] : item_offsets[i + 1]]
        n = votes.shape[0]
        if n < 2:
            continue
        sums[0] += 1.0
        sums[1] += _term(votes, kind, value, count)
        mean = 0.0
        for c in votes:
            totals[c] += 1
            mean += value[c] / n if slopes.shape[0] else 0.0
        if slopes.shape[0]:
            for c in votes:
                slopes[c] += 4.0 * n * (value[c] - mean) / (n - 1.0)


@kernel
def item_variance(
    item_offsets: Ints,
    label: Codes,
    kind: int,
    value: Floats,
    count: Ints,
    per_term: float,
    per_vote: Floats,
    constant: float,
    out: Floats,
) -> None:
    """Add up the squared influence of items: linear in their term and in their votes."""
    for i in range(item_offsets.shape[0] - 1):
        votes = label[item_offsets[i] : item_offsets[i + 1]]
        if votes.shape[0] < 2:
            continue
        influence = constant + per_term * _term(votes, kind, value, count)
        for c in votes:
            influence += per_vote[c]
        out[0] += influence * influence


@kernel
def _middle_ranks(totals: Ints, value: Floats) -> None:
    below = 0.0
    for c in range(totals.shape[0]):
        value[c] = below + 0.5 * totals[c]
        below += totals[c]


@kernel
def _next(state: npt.NDArray[np.uint64]) -> float:
    """Return a uniform number in [0, 1): SplitMix64 (Steele, Lea, Flood 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def draw_items(
    item_offsets: Ints,
    label: Codes,
    chosen: Ints,
    kind: int,
    ranks: bool,
    value: Floats,
    seeds: npt.NDArray[np.uint64],
    sums: Floats,
    totals: Ints,
) -> None:
    """Draw as many items as there are, with replacement, for each seed; add up as `item_sums`.

    With `ranks`, values are the middle ranks of the votes that were drawn.
    """
    n = chosen.shape[0]
    k = totals.shape[1]
    count = np.zeros(k, dtype=np.int64)
    values = value.copy()
    state = np.empty(1, dtype=np.uint64)
    for draw in range(seeds.shape[0]):
        state[0] = seeds[draw]
        for _ in range(n):
            i = chosen[int(_next(state) * n)]
            for c in label[item_offsets[i] : item_offsets[i + 1]]:
                totals[draw, c] += 1
        if ranks:
            _middle_ranks(totals[draw], values)
        state[0] = seeds[draw]
        for _ in range(n):
            i = chosen[int(_next(state) * n)]
            votes = label[item_offsets[i] : item_offsets[i + 1]]
            sums[draw] += _term(votes, kind, values, count)
