"""The top k of each bucket, k being its quota: memory is bounded by the quotas.

Worse is the larger key, and among equals the lower member.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import kernel
from goldlabel.typing import AnyFloats, Ints

__all__ = ["BucketArrays", "Buckets", "empty", "keep_best", "push", "trim"]


BucketArrays = tuple[Ints, Ints, Ints, AnyFloats, AnyFloats, Ints]
"""What kernels see of all buckets: quotas, offsets, sizes, min_keys, keys, members.

Bucket b holds the entries ``offsets[b] .. offsets[b] + sizes[b]`` of `keys` and `members`, and
takes what reaches ``min_keys[b]``. A plain tuple: compiled code that is kept on disk would name a
class.
"""


def empty(quotas: Ints, min_keys: AnyFloats, members: npt.DTypeLike = np.int64) -> BucketArrays:
    """Return empty buckets: 24 bytes for each entry that the quotas allow, or 18 with int32.

    `members` is the type of the entries' own numbers.
    """
    offsets = np.zeros(quotas.shape[0] + 1, dtype=np.int64)
    # Room beyond the quota lets a bucket be sorted out once in a while, not at every entry.
    np.cumsum(np.where(quotas > 0, quotas + quotas // 2 + 8, 0), out=offsets[1:])
    sizes = np.zeros(quotas.shape[0], dtype=np.int64)
    return quotas, offsets, sizes, min_keys, np.empty(offsets[-1]), np.empty(offsets[-1], members)


@kernel
def _best_first(keys: AnyFloats, members: Ints, start: int, end: int, count: int) -> None:
    """Reorder ``start .. end`` so that its `count` best come first (quickselect).

    Better is the larger key, and among equals the lower member: no two entries are equal.
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
def keep_best(
    bucket: int,
    quota: int,
    start: int,
    sizes: Ints,
    min_keys: AnyFloats,
    keys: AnyFloats,
    members: Ints,
) -> None:
    """Drop all but the `quota` best of a full bucket, and raise its least key to theirs."""
    _best_first(keys, members, start, start + sizes[bucket], quota)
    sizes[bucket] = quota
    min_keys[bucket] = keys[start : start + quota].min()


@kernel
def push(into: BucketArrays, buckets: Ints, entry_keys: AnyFloats, entries: Ints) -> None:
    """Put entries that reach the least key of their bucket into it; a full one keeps its quota."""
    quotas, offsets, sizes, min_keys, keys, members = into
    for n in range(buckets.shape[0]):
        bucket = buckets[n]
        if entry_keys[n] >= min_keys[bucket]:
            at = offsets[bucket] + sizes[bucket]
            keys[at], members[at] = entry_keys[n], entries[n]
            sizes[bucket] += 1
            if at + 1 == offsets[bucket + 1]:
                keep_best(bucket, quotas[bucket], offsets[bucket], sizes, min_keys, keys, members)


@kernel
def trim(buckets: BucketArrays, which: Ints) -> None:
    """Drop what is beyond the quotas of these buckets."""
    quotas, offsets, sizes, _, keys, members = buckets
    for bucket in which:
        start, size, quota = offsets[bucket], sizes[bucket], quotas[bucket]
        if size > quota:
            _best_first(keys, members, start, start + size, quota)
            sizes[bucket] = quota


class Buckets:
    """Buckets that are filled piece by piece.

    Parameters
    ----------
    quotas : ndarray of shape (b,), int64
        How many entries each bucket keeps.
    """

    def __init__(self, quotas: Ints) -> None:
        self._buckets = empty(quotas, np.where(quotas > 0, -np.inf, np.inf))

    @property
    def min_keys(self) -> npt.NDArray[np.float64]:
        """Keys below that of their bucket need not be pushed; they rise as the buckets fill."""
        return self._buckets[3]

    def push(self, buckets: Ints, keys: AnyFloats, members: Ints) -> None:
        """Put entries into their buckets; one thread at a time."""
        push(self._buckets, buckets, keys, members)

    def entries(self) -> tuple[Ints, Ints]:
        """Return bucket and member of every entry that is kept, bucket after bucket."""
        quotas, offsets, sizes, _, _, members = self._buckets
        trim(self._buckets, np.arange(quotas.shape[0]))
        buckets = np.repeat(np.arange(sizes.shape[0]), sizes)
        starts = np.cumsum(sizes) - sizes
        slots = (offsets[:-1] - starts)[buckets]
        slots += np.arange(slots.shape[0])
        return buckets, members[slots]
