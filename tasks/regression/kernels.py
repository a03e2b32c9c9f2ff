"""How near the nearest half of all points lies: the loops behind the OUTRE score.

Both its forms are one loop. The exact one has every point as a target of weight 1; the one for
many points has cells of points as targets, each at the middle of its points and as heavy as they
are many.
"""

from __future__ import annotations

import numpy as np

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.kernels.rows import each_block
from goldlabel.typing import Floats, Ints

__all__ = ["half_distances"]


_PAIRS = 1 << 22
"""Pairs of points and targets in a block: some milliseconds of work."""
_LANES = 8
_BINS = 64
_SLACK = 1e-9
"""Widens the ring around the radius by more than rounding can move a distance."""


@kernel
def _measure(x: float, y: float, target_x: Floats, target_y: Floats, distances: Floats) -> None:
    """Distance of a point to every target: a loop without branches, so it is vectorised."""
    for j in range(target_x.shape[0]):
        u = target_x[j] - x
        v = target_y[j] - y
        distances[j] = np.sqrt(u * u + v * v)


@kernel
def _inside(
    distances: Floats,
    weights: Floats,
    low: float,
    high: float,
    ring: Ints,
    inside: Floats,
    sums: Floats,
) -> int:
    """Sum weight and weighted distance below `low`; list the targets from there to `high`.

    A sum for each of `_LANES` neighbours, so that the inner loop is vectorised too; lanes without
    a target in the ring, which are most, are not looked at one by one.
    """
    inside[:] = 0.0
    sums[:] = 0.0
    found = 0
    for j in range(0, distances.shape[0], _LANES):
        hits = 0
        for lane in range(_LANES):
            d = distances[j + lane]
            hits += (d >= low) & (d <= high)
            w = weights[j + lane] if d < low else 0.0
            inside[lane] += w
            sums[lane] += w * d
        if hits:
            for lane in range(_LANES):
                ring[found] = j + lane
                found += (distances[j + lane] >= low) & (distances[j + lane] <= high)
    return found


@kernel
def _nearest(keys: Floats, weights: Floats, count: int, wanted: float, radius: Floats) -> float:
    """Sum the distances of the nearest `wanted` weight among `count` targets (quickselect).

    Reorders both arrays; sets ``radius[0]`` to the distance of the last one taken.
    """
    low, high = 0, count - 1
    total = 0.0
    left = wanted
    while low < high:
        pivot = keys[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while keys[i] < pivot:
                i += 1
            while keys[j] > pivot:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                weights[i], weights[j] = weights[j], weights[i]
                i += 1
                j -= 1
        # low .. j are at most the pivot, i .. high at least; what is between equals it.
        weight, partial = 0.0, 0.0
        for m in range(low, j + 1):
            weight += weights[m]
            partial += weights[m] * keys[m]
        if left <= weight:
            high = j
            continue
        middle = 0.0
        for m in range(j + 1, i):
            middle += weights[m]
        if left <= weight + middle:
            radius[0] = pivot
            return float(total + partial + (left - weight) * pivot)
        left -= weight + middle
        total += partial + middle * pivot
        low = i
    radius[0] = keys[low]
    return float(total + min(left, weights[low]) * keys[low])


@kernel
def _half_distances(
    x: Floats,
    y: Floats,
    order: Ints,
    target_x: Floats,
    target_y: Floats,
    weights: Floats,
    wanted: float,
    out: Floats,
) -> None:
    """Fill ``out[order]``; the radius of one point bounds that of the next, which is near it."""
    m = target_x.shape[0]
    distances, keys, loads = np.empty(m), np.empty(m), np.empty(m)
    ring, bins = np.empty(m + 1, dtype=np.int64), np.empty(m, dtype=np.int64)
    inside, sums, radius = np.empty(_LANES), np.empty(_LANES), np.zeros(1)
    bin_weights, bin_sums = np.empty(_BINS), np.empty(_BINS)
    last = -1
    for i in order:
        _measure(x[i], y[i], target_x, target_y, distances)
        low, high = -1.0, np.inf
        if last >= 0:
            step = np.sqrt((x[i] - x[last]) ** 2 + (y[i] - y[last]) ** 2)
            slack = _SLACK * (radius[0] + step)
            low, high = radius[0] - step - slack, radius[0] + step + slack
        found = _inside(distances, weights, low, high, ring, inside, sums)
        weight, total = inside.sum(), sums.sum()
        # The ring in bins by distance: only in one of them must the nearest be told apart.
        scale = _BINS / (high - low)
        bin_weights[:] = 0.0
        bin_sums[:] = 0.0
        for n in range(found):
            j = ring[n]
            b = min(int((distances[j] - low) * scale), _BINS - 1)
            bins[n] = b
            bin_weights[b] += weights[j]
            bin_sums[b] += weights[j] * distances[j]
        b = 0
        while b < _BINS - 1 and weight + bin_weights[b] < wanted:
            weight += bin_weights[b]
            total += bin_sums[b]
            b += 1
        within = 0
        for n in range(found):
            keys[within], loads[within] = distances[ring[n]], weights[ring[n]]
            within += bins[n] == b
        if within:
            total += _nearest(keys, loads, within, wanted - weight, radius)
        out[i] = total / wanted
        last = i


def half_distances(
    points: tuple[Floats, Floats],
    targets: tuple[Floats, Floats, Floats],
    wanted: float,
    order: Ints,
) -> Floats:
    """Return the mean distance of each point to the nearest targets of a given weight.

    Parameters
    ----------
    points : tuple of two ndarrays of shape (n,), float64
        Coordinates, all finite.
    targets : tuple of three ndarrays of shape (m,), float64
        Coordinates and weights.
    wanted : float
        Weight of the nearest targets to average over; of the farthest of them a part may count.
        No more than the weights' sum.
    order : ndarray of shape (n,), int64
        A permutation of the points in which neighbours lie near each other: only time depends
        on it, and the last bits of the result.

    Returns
    -------
    ndarray of shape (n,), float64
        The same bits for any number of threads.

    Notes
    -----
    O(n m) time, O(m) memory a thread. By the triangle inequality the radius of the nearest half
    differs between two points by no more than their distance: all targets nearer than that are
    summed without being sorted, and only the ring around the radius is looked at closely.
    """
    x, y = (frozen(column) for column in points)
    # Whole lanes only: what is added weighs nothing.
    spare = -len(targets[0]) % _LANES
    target_x, target_y = (frozen(np.pad(column, (0, spare), mode="edge")) for column in targets[:2])
    weights = frozen(np.pad(targets[2], (0, spare)))
    out = np.empty(x.shape[0])
    sequence = frozen(order)
    size = max(1, _PAIRS // max(target_x.shape[0], 1))

    def work(worker: int, block: int, rows: slice) -> None:
        _half_distances(x, y, sequence[rows], target_x, target_y, weights, wanted, out)

    each_block(work, x.shape[0], size)
    return out
