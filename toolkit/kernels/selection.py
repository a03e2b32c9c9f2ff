"""Choose the worst rows of each class: a quota per bucket, memory bounded by the quotas."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.kernels.confident import AGREES, EPS
from goldlabel.kernels.rows import each_block, thread_count

__all__ = ["SELECTED", "Buckets", "Quotas", "ascending", "lowest", "select_by_quota"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]

SELECTED = 4
"""Flag: taken by `select_by_quota`."""

_SHARED = 1 << 20
"""Cells of pred_probs from which classes are shared out among threads."""
_AHEAD = 64
_SHORT = 4
"""Rows of so many cache lines are loaded whole."""
_SETTLED = 2 * EPS  # agreement puts every margin at EPS or below, up to rounding


@kernel
def _best_first(keys: Floats, members: Ints, start: int, end: int, count: int) -> None:
    """Reorder ``start .. end`` so that its `count` best come first (quickselect).

    Better is the larger key, and among equals the lower row: no two entries are equal.
    """
    low, high = start, end - 1
    nth = start + count - 1
    while low < high:
        middle = (low + high) // 2
        pivot, row = keys[middle], members[middle]
        left, right = low, high
        while left <= right:
            while keys[left] > pivot or (keys[left] == pivot and members[left] < row):
                left += 1
            while keys[right] < pivot or (keys[right] == pivot and members[right] > row):
                right -= 1
            if left <= right:
                keys[left], keys[right] = keys[right], keys[left]
                members[left], members[right] = members[right], members[left]
                left += 1
                right -= 1
        if nth <= right:
            high = right
        elif nth >= left:
            low = left
        else:
            return


@kernel
def _keep_best(
    bucket: int, quota: int, start: int, sizes: Ints, bars: Floats, keys: Floats, members: Ints
) -> None:
    """Drop all but the `quota` best of a full bucket, and raise its bar to the least of them."""
    _best_first(keys, members, start, start + sizes[bucket], quota)
    sizes[bucket] = quota
    bars[bucket] = keys[start : start + quota].min()


@kernel
def _touched(rows: Ints, givens: Ints, pred_probs: Floats, starts: Ints, rivals: Ints) -> float:
    """Load what is needed of scattered rows at once, or each would wait for memory alone."""
    k = pred_probs.shape[1]
    line = 64 // pred_probs.itemsize
    warm = 0.0
    if k <= _SHORT * line:
        for i in rows:
            for j in range(0, k, line):
                warm += pred_probs[i, j]
            warm += pred_probs[i, k - 1]
        return warm
    for n in range(rows.shape[0]):
        i, given = rows[n], givens[n]
        warm += pred_probs[i, given]
        for bucket in range(starts[given], starts[given + 1]):
            warm += pred_probs[i, rivals[bucket]]
    return warm


@kernel
def _select(
    labels: Ints,
    pred_probs: Floats,
    flags: npt.NDArray[np.uint8],
    disagreeing: Ints,
    givens: Ints,
    mine: npt.NDArray[np.bool_],
    reach: float,
    starts: Ints,
    rivals: Ints,
    quotas: Ints,
    offsets: Ints,
    sizes: Ints,
    bars: Floats,
    keys: Floats,
    members: Ints,
    still_open: Ints,
    floors: Floats,
) -> None:
    """Fill the buckets of the classes in `mine`, and flag what they hold; see `select_by_quota`.

    Rows where the model prefers the rival come first: nearly always they fill the bucket. Then,
    only for the buckets that still have room, all other rows. A bucket against the class itself
    takes the rows where the model disagrees, then the others.
    """
    warm = 0.0
    for first in range(0, disagreeing.shape[0], _AHEAD):
        end = min(first + _AHEAD, disagreeing.shape[0])
        warm += _touched(disagreeing[first:end], givens[first:end], pred_probs, starts, rivals)
        for n in range(first, end):
            i, given = disagreeing[n], givens[n]
            own = np.float64(pred_probs[i, given])
            for bucket in range(starts[given], starts[given + 1]):
                rival = rivals[bucket]
                key = np.float64(pred_probs[i, rival]) - own if rival != given else -own
                if key >= bars[bucket]:
                    at = offsets[bucket] + sizes[bucket]
                    keys[at], members[at] = key, i
                    sizes[bucket] += 1
                    if at + 1 == offsets[bucket + 1]:
                        _keep_best(
                            bucket, quotas[bucket], offsets[bucket], sizes, bars, keys, members
                        )
    # `still_open` lists, from starts[class], the buckets of the class with room left. `floors` is
    # the key that a row must reach to get into any of them: none, for a class without.
    ends = starts[:-1].copy()
    more = False
    for given in range(mine.shape[0]):
        # A sum that is no number can't happen: this only keeps the loads above from being dropped.
        floors[given] = np.inf if warm < np.inf else -np.inf
        if mine[given]:
            for bucket in range(starts[given], starts[given + 1]):
                if rivals[bucket] == given or sizes[bucket] < quotas[bucket]:
                    if rivals[bucket] != given:
                        bars[bucket] = -np.inf
                    still_open[ends[given]] = bucket
                    ends[given] += 1
                    floors[given] = -np.inf
                    more = True
    if more:
        for i in range(labels.shape[0]):
            given = labels[i]
            if given < 0 or floors[given] == np.inf:
                continue
            # No rival's probability is above what the given one leaves of the row's sum.
            own = np.float64(pred_probs[i, given])
            if reach - 2.0 * own < floors[given]:
                continue
            floor = np.inf
            for slot in range(starts[given], ends[given]):
                bucket = still_open[slot]
                rival = rivals[bucket]
                if rival == given:
                    key = -own
                    offered = flags[i] & AGREES != 0
                    floor = -np.inf
                else:
                    key = np.float64(pred_probs[i, rival]) - own
                    offered = key <= _SETTLED
                if offered and key >= bars[bucket]:
                    at = offsets[bucket] + sizes[bucket]
                    keys[at], members[at] = key, i
                    sizes[bucket] += 1
                    if at + 1 == offsets[bucket + 1]:
                        _keep_best(
                            bucket, quotas[bucket], offsets[bucket], sizes, bars, keys, members
                        )
                floor = min(floor, bars[bucket])
            floors[given] = floor
    for given in range(mine.shape[0]):
        if mine[given]:
            for bucket in range(starts[given], starts[given + 1]):
                start, size = offsets[bucket], sizes[bucket]
                if size > quotas[bucket]:
                    _best_first(keys, members, start, start + size, quotas[bucket])
                    size = quotas[bucket]
                for slot in range(start, start + size):
                    flags[members[slot]] |= SELECTED


class Quotas(NamedTuple):
    """How many rows to take of a given class against a rival class; flat arrays of one length.

    Attributes
    ----------
    given, rival : ndarray of shape (m,), int
        Classes, in the order of the given one. Where the two are the same class, the rows with
        the smallest ``p[given]`` are taken; else those with the largest ``p[rival] - p[given]``.
    places : ndarray of shape (m,), int64
        Rows to take.
    """

    given: npt.NDArray[np.intp]
    rival: npt.NDArray[np.intp]
    places: Ints


def select_by_quota(
    labels: Ints,
    pred_probs: Floats,
    flags: npt.NDArray[np.uint8],
    quotas: Quotas,
    *,
    reach: float = np.inf,
) -> None:
    """Flag, in place, the worst rows of each given class against each rival class.

    Parameters
    ----------
    labels : ndarray of shape (n,), int64
    pred_probs : ndarray of shape (n, k), float32 or float64, C-contiguous
    flags : ndarray of shape (n,), uint8
        `AGREES` as `goldlabel.kernels.confident.sweep` set it; gets `SELECTED`.
    quotas : Quotas
        What to take. Ties go to the lower row. Agreeing rows take up places, as the method asks,
        but whether they end up flagged is unspecified: unflag them.
    reach : float
        Upper bound of ``p[given] + p[rival]`` over all rows and pairs, e.g. the largest row sum;
        a finite one saves most of the work.

    Notes
    -----
    Memory: 24 bytes a place. Classes are shared out among threads, so the result does not depend
    on their number.
    """
    n, k = pred_probs.shape
    given, rivals, wanted = (part[quotas.places > 0] for part in quotas)
    starts = np.searchsorted(given, np.arange(k + 1))
    offsets = np.zeros(wanted.shape[0] + 1, dtype=np.int64)
    # Room beyond the quota lets a bucket be sorted out once in a while, not at every row.
    np.cumsum(wanted + wanted // 2 + 8, out=offsets[1:])
    sizes = np.zeros(wanted.shape[0], dtype=np.int64)
    bars = np.where(rivals == given, -np.inf, np.nextafter(_SETTLED, 1.0))
    keys = np.empty(offsets[-1])
    members = np.empty(offsets[-1], dtype=np.int64)
    shares = thread_count() if n * max(k, 8) > _SHARED else 1
    share = _shares(np.bincount(given, weights=wanted, minlength=k).astype(np.float64), shares)
    still_open = np.empty((shares, wanted.shape[0]), dtype=np.int64)
    floors = np.empty((shares, k))
    disagreeing = np.flatnonzero((flags & AGREES) == 0)  # rows left out count as agreeing
    givens = labels[disagreeing]  # together, not scattered as the rows are
    owner = share.astype(np.uint16)[givens] if shares > 1 else share
    frozen_labels, probs = frozen(labels), frozen(pred_probs)

    def work(worker: int, block: int, rows: slice) -> None:
        _select(
            frozen_labels,
            probs,
            flags,
            disagreeing if shares == 1 else disagreeing[owner == block],
            givens if shares == 1 else givens[owner == block],
            share == block,
            reach,
            starts,
            rivals,
            wanted,
            offsets,
            sizes,
            bars,
            keys,
            members,
            still_open[block],
            floors[block],
        )

    each_block(work, shares, 1)


@kernel
def _offer(
    buckets: Ints,
    candidate_keys: Floats,
    candidates: Ints,
    quotas: Ints,
    offsets: Ints,
    sizes: Ints,
    bars: Floats,
    keys: Floats,
    members: Ints,
) -> None:
    for n in range(buckets.shape[0]):
        bucket = buckets[n]
        if candidate_keys[n] >= bars[bucket]:
            at = offsets[bucket] + sizes[bucket]
            keys[at], members[at] = candidate_keys[n], candidates[n]
            sizes[bucket] += 1
            if at + 1 == offsets[bucket + 1]:
                _keep_best(bucket, quotas[bucket], offsets[bucket], sizes, bars, keys, members)


@kernel
def _settle(quotas: Ints, offsets: Ints, sizes: Ints, keys: Floats, members: Ints) -> None:
    for bucket in range(quotas.shape[0]):
        if sizes[bucket] > quotas[bucket]:
            start = offsets[bucket]
            _best_first(keys, members, start, start + sizes[bucket], quotas[bucket])
            sizes[bucket] = quotas[bucket]


class Buckets:
    """The worst entries of each bucket, a quota of them, whatever the order they are offered in.

    Worse is the larger key, and among equals the lower member.

    Parameters
    ----------
    quotas : ndarray of shape (b,), int64
        How many entries each bucket keeps; memory is 24 bytes for each of them.

    Attributes
    ----------
    bars : ndarray of shape (b,), float64
        What falls below the bar of its bucket need not be offered. Bars rise as buckets fill.
    """

    def __init__(self, quotas: Ints) -> None:
        self._quotas = quotas
        self._offsets = np.zeros(quotas.shape[0] + 1, dtype=np.int64)
        # Room beyond the quota lets a bucket be sorted out once in a while, not at every entry.
        np.cumsum(np.where(quotas > 0, quotas + quotas // 2 + 8, 0), out=self._offsets[1:])
        self._sizes = np.zeros(quotas.shape[0], dtype=np.int64)
        self._keys = np.empty(self._offsets[-1])
        self._members = np.empty(self._offsets[-1], dtype=np.int64)
        self.bars: npt.NDArray[np.float64] = np.where(quotas > 0, -np.inf, np.inf)

    def offer(self, buckets: Ints, keys: Floats, members: Ints) -> None:
        """Offer entries; one thread at a time."""
        _offer(
            buckets,
            keys,
            members,
            self._quotas,
            self._offsets,
            self._sizes,
            self.bars,
            self._keys,
            self._members,
        )

    def kept(self) -> tuple[Ints, Ints]:
        """Return bucket and member of every entry that is kept, bucket after bucket."""
        _settle(self._quotas, self._offsets, self._sizes, self._keys, self._members)
        buckets = np.repeat(np.arange(self._sizes.shape[0]), self._sizes)
        starts = np.cumsum(self._sizes) - self._sizes
        slots = (self._offsets[:-1] - starts)[buckets]
        slots += np.arange(slots.shape[0])
        return buckets, self._members[slots]


def _shares(weights: npt.NDArray[np.float64], shares: int) -> Ints:
    """Deal classes out to `shares` hands of about equal weight, as runs of classes."""
    total = max(float(weights.sum()), 1.0)
    middle = np.cumsum(weights) - weights / 2
    return np.minimum((middle * shares / total).astype(np.int64), shares - 1)


def ascending(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return the positions of the scores from low to high; ties by position.

    NumPy's plain sort is several times faster than its stable one, and right but for ties: these
    are sorted once more.
    """
    order = np.argsort(scores)
    ranked = scores[order]
    equal = ranked[1:] == ranked[:-1]
    if equal.any():
        tied = np.flatnonzero(np.append(equal, False) | np.append(False, equal))
        order[tied] = order[tied][np.lexsort((order[tied], ranked[tied]))]
    return order


def lowest(scores: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.bool_]:
    """Mark the `count` lowest scores; ties go to the lower position.

    Parameters
    ----------
    scores : ndarray of shape (n,), float64
    count : int
        0 .. n.

    Returns
    -------
    ndarray of shape (n,), bool
    """
    if count <= 0:
        return np.zeros(scores.shape[0], dtype=np.bool_)
    cut = np.partition(scores, count - 1)[count - 1]
    chosen: npt.NDArray[np.bool_] = scores < cut
    chosen[np.flatnonzero(scores == cut)[: count - int(np.count_nonzero(chosen))]] = True
    return chosen
