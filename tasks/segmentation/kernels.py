"""Compiled loops over the pixels of one image, or of a run of its rows.

Probabilities come as planes, (k, m): a row for each class, a column for each pixel. `at` is the
pixel of the first column. A label of -1 is a pixel to leave out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import kernel
from goldlabel.kernels.class_means import EPS
from goldlabel.typing import AnyFloats, Ints

__all__ = [
    "UNIT",
    "components",
    "confusion",
    "flag_pixels",
    "given_sums",
    "measure_regions",
    "predict",
    "take_given",
]

Labels = npt.NDArray[np.int32]

UNIT = 1 << 32
"""Sums of probabilities are taken in fixed point: exact in any order, up to 2^31 pixels."""
_SPAN = 2048
_AHEAD = 512


@kernel
def take_given(
    labels: Labels, planes: AnyFloats, at: int, count: int, out: AnyFloats, bad: Ints
) -> float:
    """``out[at + x]`` = probability of the given class, in [0, 1]; 1 for a pixel left out.

    `bad` counts those that are no probability. What is returned means nothing: it keeps the loads
    ahead from being dropped.
    """
    kind = planes.dtype.type
    low, high = kind(-EPS), kind(1.0 + EPS)
    ahead = 0.0
    odd = np.int64(0)
    for start in range(0, count, _AHEAD):
        stop = min(start + _AHEAD, count)
        # Ask for the next lines of memory at once, or each one is waited for alone.
        for x in range(start, stop, 8):
            ahead += planes[np.uint32(max(labels[at + x], 0)), x]
        for x in range(start, stop):
            given = labels[at + x]
            p = planes[np.uint32(given), x] if given >= 0 else kind(1)
            odd += np.int64(not (p >= low and p <= high))  # a NaN is neither
            out[at + x] = (p if p < kind(1) else kind(1)) if p > 0 else kind(0)
    bad[0] += odd
    return ahead


@kernel
def given_sums(labels: Labels, scores: AnyFloats, counts: Ints, sums: Ints) -> None:
    """Count the pixels of each class, and sum the probabilities of their given class."""
    # Run by run: neighbours mostly have one label, and a sum in memory is slow to add to.
    last = np.int32(-1)
    size = np.int64(0)
    total = np.int64(0)
    for x in range(labels.shape[0]):
        given = labels[x]
        if given != last:
            if last >= 0:
                counts[last] += size
                sums[last] += total
            last, size, total = given, np.int64(0), np.int64(0)
        size += 1
        total += np.int64(np.float64(scores[x]) * UNIT)
    if last >= 0:
        counts[last] += size
        sums[last] += total


@kernel
def predict(
    labels: Labels,
    planes: AnyFloats,
    at: int,
    count: int,
    predicted: Labels,
    highest: AnyFloats,
    extremes: AnyFloats,
) -> None:
    """Find the model's class of each pixel, the lowest of equals, and its probability.

    `extremes` gets the lowest and the highest probability, and the lowest and the highest sum
    over the classes, where they are farther out; a NaN shows as a lowest of -inf.
    """
    k = planes.shape[0]
    kind = planes.dtype.type
    # All of one type: the loops over them become vector instructions.
    total = np.empty(_SPAN, dtype=planes.dtype)
    best = np.empty(_SPAN, dtype=planes.dtype)
    least = np.empty(_SPAN, dtype=planes.dtype)
    where = np.empty(_SPAN, dtype=planes.dtype)
    for start in range(0, count, _SPAN):
        size = min(_SPAN, count - start)
        plane = planes[0, start : start + size]
        for x in range(size):
            p = plane[x]
            total[x] = p
            best[x] = p
            least[x] = p
            where[x] = 0
        c = 1
        while c < k:
            # Three classes at a time: the buffers are read and written a third as often.
            second, third = min(c + 1, k - 1), min(c + 2, k - 1)
            one = planes[c, start : start + size]
            two = planes[second, start : start + size]
            three = planes[third, start : start + size]
            one_c, two_c, three_c = kind(c), kind(second), kind(third)
            has_two, has_three = kind(c + 1 < k), kind(c + 2 < k)
            for x in range(size):
                p, q, r = one[x], two[x], three[x]
                total[x] += p + has_two * q + has_three * r
                high, guess, low = best[x], where[x], least[x]
                guess = one_c if p > high else guess
                high = p if p > high else high
                guess = two_c if q > high else guess
                high = q if q > high else high
                guess = three_c if r > high else guess
                high = r if r > high else high
                low = p if p < low else low
                low = q if q < low else low
                low = r if r < low else low
                best[x], where[x], least[x] = high, guess, low
            c += 3
        for x in range(size):
            here = at + start + x
            predicted[here] = np.int32(where[x])
            highest[here] = best[x]
            if not (total[x] < np.inf):  # a NaN, which no comparison has seen
                extremes[0] = -np.inf
            if labels[here] >= 0:
                extremes[0] = min(extremes[0], least[x])
                extremes[1] = max(extremes[1], best[x])
                extremes[2] = min(extremes[2], total[x])
                extremes[3] = max(extremes[3], total[x])


@kernel
def flag_pixels(
    labels: Labels,
    planes: AnyFloats,
    at: int,
    count: int,
    scores: AnyFloats,
    value: float,
    ties: Ints,
    predicted: Labels,
    highest: AnyFloats,
) -> None:
    """Find the model's class of the pixels judged wrong, -1 for others, and its probability.

    These are the pixels that score below `value`, and the first ``ties[0]`` that equal it, where
    the model prefers another class. `ties` is counted down.
    """
    k = planes.shape[0]
    for x in range(count):
        here = at + x
        given = labels[here]
        predicted[here] = -1
        score = scores[here]
        if given < 0 or score > value or (score == value and ties[0] == 0):
            continue
        if score == value:
            ties[0] -= 1
        best = planes[0, x]
        guess = 0
        for c in range(1, k):
            if planes[c, x] > best:
                best = planes[c, x]
                guess = c
        if guess != given:
            predicted[here] = guess
            highest[here] = best


@kernel
def confusion(
    labels: Labels,
    predicted: Labels,
    highest: AnyFloats,
    cuts: AnyFloats,
    counts: Ints,
) -> int:
    """Count pixels by given and predicted class; return how many confidently disagree."""
    confident = 0
    k = counts.shape[0]
    flat = counts.reshape(k * k)
    last = np.int64(-1)
    size = np.int64(0)
    for x in range(labels.shape[0]):
        given = labels[x]
        if given >= 0:
            guess = predicted[x]
            pair = np.int64(given) * k + guess
            if pair != last:
                if last >= 0:
                    flat[last] += size
                last, size = pair, np.int64(0)
            size += 1
            confident += given != guess and np.float64(highest[x]) >= cuts[guess]
    if last >= 0:
        flat[last] += size
    return confident


@kernel
def components(labels: Labels, predicted: Labels, out: Labels) -> int:
    """Give numbers, from 1, to regions of one label and one prediction; return how many there are.

    Pixels that touch at a corner are connected. Where nothing (-1) is predicted is no region: 0.
    """
    h, w = labels.shape
    parents = out.reshape(h * w)
    given = labels.reshape(h * w)
    guess = predicted.reshape(h * w)
    # First, out[x] leads to another pixel of the region, plus 1; the first one to itself.
    for y in range(h):
        for x in range(w):
            here = y * w + x
            if guess[here] < 0:
                parents[here] = 0
                continue
            parents[here] = here + 1
            for step in range(4):
                if step == 0:
                    near = here - 1
                    inside = x > 0
                else:
                    near = here - w + step - 2
                    inside = y > 0 and 0 <= x + step - 2 < w
                if inside and guess[near] == guess[here] and given[near] == given[here]:
                    a, b = here, near
                    while parents[a] != a + 1:
                        parents[a] = parents[parents[a] - 1]
                        a = parents[a] - 1
                    while parents[b] != b + 1:
                        parents[b] = parents[parents[b] - 1]
                        b = parents[b] - 1
                    if a < b:
                        parents[b] = a + 1
                    else:
                        parents[a] = b + 1
    # Then numbers: a root comes before the pixels that lead to it, and is marked as negative.
    regions = 0
    for here in range(h * w):
        parent = parents[here]
        if parent == here + 1:
            regions += 1
            parents[here] = -regions
        elif parent > 0:
            parents[here] = parents[parent - 1]
    for here in range(h * w):
        parents[here] = -parents[here]
    return regions


@kernel
def measure_regions(
    numbers: Labels,
    scores: AnyFloats,
    highest: AnyFloats,
    evidence: AnyFloats,
    extents: Ints,
    sums: AnyFloats,
) -> None:
    """Measure regions by their numbers, less 1.

    `extents` gets the first pixel, the area, and left, top, right and bottom (exclusive); `sums`
    the sums of the scores, of the highest probabilities and of the evidence, which has a number
    for each pixel of a region, in order.
    """
    h, w = numbers.shape
    flagged = 0
    extents[:, 0] = h * w
    extents[:, 2] = w
    extents[:, 3] = h
    for y in range(h):
        for x in range(w):
            region = numbers[y, x] - 1
            if region >= 0:
                here = y * w + x
                row = extents[region]
                row[0] = min(row[0], here)
                row[1] += 1
                row[2] = min(row[2], x)
                row[3] = min(row[3], y)
                row[4] = max(row[4], x + 1)
                row[5] = max(row[5], y + 1)
                sums[region, 0] += scores[here]
                sums[region, 1] += highest[here]
                sums[region, 2] += evidence[flagged]
                flagged += 1
