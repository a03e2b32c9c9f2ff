"""The loop over pairs of annotators that have items in common."""

from __future__ import annotations

import numpy as np

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Codes, Floats, Ints

__all__ = ["BINS", "annotator_pairs"]


BINS = 256
"""Numbers of common items that are counted apart; the last bin has all larger ones."""


@kernel
def _partners(
    item_offsets: Ints,
    annotator: Codes,
    item: Codes,
    mine: Ints,
    size: Ints,
    partners: Codes,
) -> int:
    """Find who else voted on this annotator's items, with a higher number, and how often."""
    found = 0
    for vote in mine:
        for other in range(vote + 1, item_offsets[item[vote] + 1]):
            b = annotator[other]
            if size[b] == 0:
                partners[found] = b
                found += 1
            size[b] += 1
    partners[:found].sort()
    return found


@kernel
def _kappa(own: Codes, theirs: Codes, a: Ints, b: Ints, out: Floats) -> None:
    """Cohen's kappa of two lists of answers; `a`, `b` are filled with the counts of answers.

    `out` gets observed and expected agreement, and kappa: NaN where the expected agreement is 1.
    """
    n = own.shape[0]
    alike = 0
    for e in range(n):
        a[own[e]] += 1
        b[theirs[e]] += 1
        alike += own[e] == theirs[e]
    expected = 0.0
    for e in range(n):
        expected += b[own[e]]
    out[0] = alike / n
    out[1] = expected / (np.float64(n) * n)
    out[2] = (out[0] - out[1]) / (1.0 - out[1]) if expected < np.float64(n) * n else np.nan


@kernel
def _clear(own: Codes, theirs: Codes, a: Ints, b: Ints) -> None:
    for e in range(own.shape[0]):
        a[own[e]] = 0
        b[theirs[e]] = 0


@kernel
def _gather(
    item_offsets: Ints,
    annotator: Codes,
    item: Codes,
    label: Codes,
    mine: Ints,
    place: Ints,
    own: Codes,
    theirs: Codes,
    on: Codes,
) -> None:
    """Write this annotator's and the partners' answers, and the items, partner by partner."""
    for vote in mine:
        for other in range(vote + 1, item_offsets[item[vote] + 1]):
            at = place[annotator[other]]
            place[annotator[other]] += 1
            own[at] = label[vote]
            theirs[at] = label[other]
            on[at] = item[vote]


@kernel
def _influence(
    own: Codes, theirs: Codes, on: Codes, a: Ints, b: Ints, found: Floats, mean: float, out: Floats
) -> float:
    """Add each item's influence on the mean of kappas; return the squares of that on this kappa."""
    n = own.shape[0]
    observed, expected, kappa = found[0], found[1], found[2]
    squares = 0.0
    for e in range(n):
        alike = 1.0 if own[e] == theirs[e] else 0.0
        chance = (b[own[e]] + a[theirs[e]]) / n - 2.0 * expected
        moved = (alike - observed) * (1.0 - expected) - (1.0 - observed) * chance
        moved /= (1.0 - expected) ** 2
        squares += moved * moved
        out[on[e]] += moved + kappa - mean
    return squares


@kernel
def annotator_pairs(
    first: int,
    last: int,
    item_offsets: Ints,
    annotator: Codes,
    item: Codes,
    label: Codes,
    by_annotator: Ints,
    annotator_offsets: Ints,
    most: int,
    k: int,
    sums: Floats,
    sizes: Ints,
    mean: float,
    least: int,
    people: Codes,
    numbers: Floats,
    influence: Floats,
) -> None:
    """Compare each annotator from a range with all of higher number.

    `most` is the most answers that one annotator shares. `sums` gets kappa times common items,
    and common items, over pairs where kappa is defined; `sizes` counts pairs by common items, in
    `BINS` bins. If `influence` is not empty, pairs with at least `least` common items are written
    to `people` (the two annotators) and `numbers` (common items, observed agreement, kappa, its
    standard error), and each item's influence on the `mean` of all kappas to `influence`.
    """
    everybody = annotator_offsets.shape[0] - 1
    size = np.zeros(everybody, dtype=np.int64)
    place = np.zeros(everybody, dtype=np.int64)
    partners = np.empty(everybody, dtype=np.int32)
    own = np.empty(most, dtype=np.int32)
    theirs = np.empty(most, dtype=np.int32)
    on = np.empty(most, dtype=np.int32)
    a = np.zeros(k, dtype=np.int64)
    b = np.zeros(k, dtype=np.int64)
    found = np.empty(3)
    row = 0
    for j in range(first, last):
        mine = by_annotator[annotator_offsets[j] : annotator_offsets[j + 1]]
        number = _partners(item_offsets, annotator, item, mine, size, partners)
        start = 0
        for p in partners[:number]:
            place[p] = start
            start += size[p]
        _gather(item_offsets, annotator, item, label, mine, place, own, theirs, on)
        start = 0
        for p in partners[:number]:
            n = size[p]
            size[p] = 0
            pair = slice(start, start + n)
            start += n
            _kappa(own[pair], theirs[pair], a, b, found)
            defined = found[2] == found[2]
            sizes[min(n, BINS - 1)] += 1
            if defined:
                sums[0] += found[2] * n
                sums[1] += n
            if influence.shape[0]:
                error = np.nan
                if defined:
                    args = own[pair], theirs[pair], on[pair]
                    error = np.sqrt(_influence(*args, a, b, found, mean, influence)) / n
                if n >= least:
                    people[row, 0] = j
                    people[row, 1] = p
                    numbers[row, 0] = n
                    numbers[row, 1] = found[0]
                    numbers[row, 2] = found[2]
                    numbers[row, 3] = error
                    row += 1
            _clear(own[pair], theirs[pair], a, b)
