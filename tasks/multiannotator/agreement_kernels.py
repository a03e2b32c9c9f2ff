"""The loops of agreement statistics: over items, over random draws of items, over pairs.

Sums over items are written for a block of items alone and added up in block order, so that they
have the same bits for any number of threads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import kernel

__all__ = ["AGREEMENT", "DISTANCE", "NOMINAL", "draw_items", "item_sums", "item_variance"]
__all__ += ["pair_rows", "pair_sums"]

Codes = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

AGREEMENT, NOMINAL, DISTANCE = range(3)
"""Term of an item: the share of its pairs of votes that agree; the number of its votes times the
share that does not; the same times the squared distance of the values."""

BINS = 256
"""Sizes of pairs that are counted apart; the last bin has all larger ones."""


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
        return 2.0 * n * spread / (n - 1.0)
    alike = 0
    for c in votes:
        alike += count[c]
        count[c] += 1
    for c in votes:
        count[c] = 0
    share = 2.0 * alike / (n * (n - 1.0))
    return share if kind == AGREEMENT else n * (1.0 - share)


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


@kernel
def _partners(
    j: int,
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
def pair_sums(
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
) -> None:
    """Add up kappa times common items, and common items, over pairs of annotators from a range.

    `sums`: kappa times items, items, both where kappa is defined. `sizes` counts pairs by their
    common items, in `BINS` bins; `most` is the most answers that one annotator shares.
    """
    people = annotator_offsets.shape[0] - 1
    size = np.zeros(people, dtype=np.int64)
    place = np.zeros(people, dtype=np.int64)
    partners = np.empty(people, dtype=np.int32)
    own = np.empty(most, dtype=np.int32)
    theirs = np.empty(most, dtype=np.int32)
    on = np.empty(most, dtype=np.int32)
    a = np.zeros(k, dtype=np.int64)
    b = np.zeros(k, dtype=np.int64)
    found = np.empty(3)
    for j in range(first, last):
        mine = by_annotator[annotator_offsets[j] : annotator_offsets[j + 1]]
        number = _partners(j, item_offsets, annotator, item, mine, size, partners)
        start = 0
        for p in partners[:number]:
            place[p] = start
            start += size[p]
        _gather(item_offsets, annotator, item, label, mine, place, own, theirs, on)
        start = 0
        for p in partners[:number]:
            end = start + size[p]
            _kappa(own[start:end], theirs[start:end], a, b, found)
            _clear(own[start:end], theirs[start:end], a, b)
            if found[2] == found[2]:
                sums[0] += found[2] * size[p]
                sums[1] += size[p]
            sizes[min(size[p], BINS - 1)] += 1
            size[p] = 0
            start = end


@kernel
def pair_rows(
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
    mean: float,
    least: int,
    people_of: Codes,
    numbers: Floats,
    influence: Floats,
) -> None:
    """Write a row for each pair with enough common items, and each item's influence on the mean.

    `people_of` gets the two annotators; `numbers` common items, observed agreement, kappa and its
    standard error: the root mean square of the influence of an item.
    """
    people = annotator_offsets.shape[0] - 1
    size = np.zeros(people, dtype=np.int64)
    place = np.zeros(people, dtype=np.int64)
    partners = np.empty(people, dtype=np.int32)
    own = np.empty(most, dtype=np.int32)
    theirs = np.empty(most, dtype=np.int32)
    on = np.empty(most, dtype=np.int32)
    a = np.zeros(k, dtype=np.int64)
    b = np.zeros(k, dtype=np.int64)
    found = np.empty(3)
    row = 0
    for j in range(first, last):
        mine = by_annotator[annotator_offsets[j] : annotator_offsets[j + 1]]
        number = _partners(j, item_offsets, annotator, item, mine, size, partners)
        start = 0
        for p in partners[:number]:
            place[p] = start
            start += size[p]
        _gather(item_offsets, annotator, item, label, mine, place, own, theirs, on)
        start = 0
        for p in partners[:number]:
            n = size[p]
            end = start + n
            _kappa(own[start:end], theirs[start:end], a, b, found)
            observed, expected, kappa = found[0], found[1], found[2]
            squares = 0.0
            if kappa == kappa:
                for e in range(start, end):
                    alike = 1.0 if own[e] == theirs[e] else 0.0
                    chance = (b[own[e]] + a[theirs[e]]) / n - 2.0 * expected
                    moved = (alike - observed) * (1.0 - expected) - (1.0 - observed) * chance
                    moved /= (1.0 - expected) ** 2
                    squares += moved * moved
                    influence[on[e]] += moved + kappa - mean
            _clear(own[start:end], theirs[start:end], a, b)
            if n >= least:
                people_of[row, 0] = j
                people_of[row, 1] = p
                numbers[row, 0] = n
                numbers[row, 1] = observed
                numbers[row, 2] = kappa
                numbers[row, 3] = np.sqrt(squares) / n if kappa == kappa else np.nan
                row += 1
            size[p] = 0
            start = end
