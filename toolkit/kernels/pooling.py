"""Pool the scores of rows into one score per group: tokens to sentence, classes to item.

Groups are given by offsets (`goldlabel.inputs.ragged`). A group without rows scores 1: nothing in
it can be wrong. Every kernel reads the scores once, where they lie.

References
----------
E. Wang, J. Mueller. Detecting label errors in token classification data. arXiv:2210.03920 (2022).
A. Thyagarajan et al. Identifying incorrect annotations in multi-label classification data.
arXiv:2211.13895 (2022).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.kernels.rows import BLOCK_CELLS, each_block
from goldlabel.typing import Ints

__all__ = ["lowest_mean", "mean", "minimum", "moving_average", "softmin", "weighted_mean"]

Scores = npt.NDArray[np.float64]

_INSERTION = 48
"""Up to so many lowest rows are kept in order by insertion; more of them by a sort."""


@kernel
def _minimum(scores: Scores, offsets: Ints, out: Scores) -> None:
    for group in range(out.shape[0]):
        least = np.inf
        for row in range(offsets[group], offsets[group + 1]):
            least = min(least, scores[row])
        out[group] = 1.0 if offsets[group] == offsets[group + 1] else least


@kernel
def _weighted_mean(scores: Scores, weights: Scores, offsets: Ints, out: Scores) -> None:
    for group in range(out.shape[0]):
        total = 0.0
        weight = 0.0
        for row in range(offsets[group], offsets[group + 1]):
            w = weights[row] if weights.shape[0] else 1.0
            total += w * scores[row]
            weight += w
        out[group] = total / weight if weight > 0 else 1.0


@kernel
def _softmin(scores: Scores, offsets: Ints, temperature: float, out: Scores) -> None:
    # One pass: the sums are rescaled whenever a new minimum shows, so that no exponent overflows.
    for group in range(out.shape[0]):
        least = np.inf
        total = 0.0
        weight = 0.0
        for row in range(offsets[group], offsets[group + 1]):
            score = scores[row]
            if score < least:
                fade = np.exp((score - least) / temperature)
                total *= fade
                weight *= fade
                least = score
            w = np.exp((least - score) / temperature)
            total += w * score
            weight += w
        out[group] = total / weight if weight > 0 else 1.0


@kernel
def _lowest(scores: Scores, start: int, end: int, low: Scores) -> int:
    """Put the lowest of the rows ``start .. end`` into `low`, ascending; return how many."""
    if low.shape[0] > _INSERTION:
        ordered = np.sort(scores[start:end])
        size = min(len(low), end - start)
        low[:size] = ordered[:size]
        return size
    size = 0
    for row in range(start, end):
        score = scores[row]
        if size == low.shape[0]:
            if score >= low[size - 1]:
                continue
            size -= 1
        at = size
        while at > 0 and low[at - 1] > score:
            low[at] = low[at - 1]
            at -= 1
        low[at] = score
        size += 1
    return size


@kernel
def _moving_average(scores: Scores, offsets: Ints, alpha: float, low: Scores, out: Scores) -> None:
    for group in range(out.shape[0]):
        size = _lowest(scores, offsets[group], offsets[group + 1], low)
        average = low[size - 1] if size else 1.0
        for at in range(size - 2, -1, -1):
            average = alpha * low[at] + (1.0 - alpha) * average
        out[group] = average


@kernel
def _lowest_mean(scores: Scores, offsets: Ints, low: Scores, out: Scores) -> None:
    for group in range(out.shape[0]):
        size = _lowest(scores, offsets[group], offsets[group + 1], low)
        out[group] = low[:size].mean() if size else 1.0


def _each_group(loop: Callable[..., None], offsets: Ints, *before: Any, after: Any = ()) -> Scores:
    """Run a pooling loop over blocks of groups; `after` makes what it takes behind the offsets."""
    groups = offsets.shape[0] - 1
    out = np.empty(groups)
    ends = frozen(offsets)
    rows = max(1, int(offsets[-1]) // max(groups, 1))

    def work(worker: int, block: int, chosen: slice) -> None:
        later = after() if callable(after) else after
        loop(*before, ends[chosen.start : chosen.stop + 1], *later, out[chosen])

    each_block(work, groups, max(1, BLOCK_CELLS // rows))
    return out


def minimum(scores: Scores, offsets: Ints) -> Scores:
    """Return the lowest score of each group."""
    return _each_group(_minimum, offsets, frozen(scores))


def mean(scores: Scores, offsets: Ints) -> Scores:
    """Return the mean score of each group."""
    return weighted_mean(scores, offsets, np.empty(0))


def weighted_mean(scores: Scores, offsets: Ints, weights: Scores) -> Scores:
    """Return the mean score of each group under non-negative weights, one per row."""
    return _each_group(_weighted_mean, offsets, frozen(scores), frozen(weights))


def softmin(scores: Scores, offsets: Ints, temperature: float) -> Scores:
    """Return ``sum_j s_j w_j`` with ``w = softmax((1 - s) / temperature)`` for each group.

    Temperature 0 gives the minimum, infinity the mean.
    """
    if temperature <= 0:
        return minimum(scores, offsets)
    if np.isinf(temperature):
        return mean(scores, offsets)
    return _each_group(_softmin, offsets, frozen(scores), after=(temperature,))


def moving_average(scores: Scores, offsets: Ints, alpha: float) -> Scores:
    """Return the exponential moving average over each group's scores in descending order.

    ``E_1`` = the highest, ``E_t = alpha s_t + (1 - alpha) E_(t-1)``: alpha 1 gives the minimum,
    0 the maximum. The j-th lowest has weight ``alpha (1 - alpha)^(j - 1)``, so that of a long
    group only the lowest are sorted: those whose weights show in float64.
    """
    if alpha <= 0:
        return np.where(np.diff(offsets) > 0, -minimum(-scores, offsets), 1.0)
    longest = max(1, int(np.diff(offsets).max(initial=0)))
    kept = 1 if alpha >= 1 else min(longest, int(np.ceil(np.log(1e-17) / np.log1p(-alpha))))
    return _each_group(
        _moving_average, offsets, frozen(scores), after=lambda: (alpha, np.empty(kept))
    )


def lowest_mean(scores: Scores, offsets: Ints, count: int) -> Scores:
    """Return the mean of the `count` (1 or more) lowest scores of each group."""
    return _each_group(_lowest_mean, offsets, frozen(scores), after=lambda: (np.empty(count),))
