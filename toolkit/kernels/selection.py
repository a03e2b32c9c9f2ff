"""Choose the worst rows of each class: a quota for each pair of classes, in bounded memory.

What is computed is a sort: of the rows given as a class, those with the largest
``p[rival] - p[given]``, as many as the quota of the pair says (`reference.select_by_quota` in
tests/support is just that). What makes it fast is not to look:

1. Nearly always the rows that disagree with their label fill the quotas. Of each of them the pass
   over pred_probs has kept ``p[given]`` and ``p[predicted]``.
2. A sample of these says about how large a key must be to get in: the least key of each bucket.
3. Rows are pushed by these two probabilities alone, unless a third class may reach a least key:
   only then is the row itself read (`_push_rows`).
4. Where a sample was unlucky, and a bucket has room left under a least key that was too high, its
   class is done once more without one (`_reopen`).
5. Only for buckets that have room even then are all other rows of their class read (`_fill_up`).

Classes are dealt out to threads, so no bucket is ever shared.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.kernels import buckets
from goldlabel.kernels._jit import frozen, kernel
from goldlabel.kernels.buckets import BucketArrays, keep_best, push, trim
from goldlabel.kernels.class_means import EPS
from goldlabel.kernels.confident import AGREES, Sweep
from goldlabel.kernels.disagreeing import Disagreeing
from goldlabel.kernels.rows import each_block, thread_count
from goldlabel.typing import AnyFloats, Ints, Mask

__all__ = ["Quotas", "select_by_quota"]


_SHARED = 1 << 20
"""Cells of pred_probs from which classes are shared out among threads."""
_AHEAD = 64
"""Rows that are looked at before those of them that must be read are read, all at once."""
_SHORT = 4
"""Rows of so many cache lines are loaded whole."""
_AGREEING = 2 * EPS  # agreement puts every margin at EPS or below, up to rounding
_ENOUGH = 64
"""Rows for each bucket that a sample is made of."""
_SPARSEST = 16
"""A sample has at least one of so many rows."""


_Rows = tuple[npt.NDArray[Any], ...]
"""Given and predicted classes of all rows; rows that disagree, and the probabilities of these."""
_Pairs = tuple[Ints, Ints, Ints]
"""Classes of the buckets: `starts`, `rivals`, `itself`.

Those against class g are ``starts[g] .. starts[g + 1]``; ``itself[g]`` is the one against the class
itself, or -1.
"""


@kernel
def _members(labels: Ints, rows: Ints, is_ours: Mask) -> Ints:
    """Return the positions in `rows` of those that are given as one of our classes."""
    members = np.empty(rows.shape[0] + 1, dtype=rows.dtype)
    count = 0
    for n in range(rows.shape[0]):
        members[count] = n
        count += is_ours[labels[rows[n]]]
    return members[:count].copy()


@kernel
def _bucket(starts: Ints, rivals: Ints, given: int, rival: int) -> int:
    """Return the bucket of a pair of classes, or -1."""
    match = -1
    for bucket in range(starts[given], starts[given + 1]):
        match = max(match, bucket if rivals[bucket] == rival else -1)
    return match


@kernel
def _prefetch(
    rows: Ints, labels: Ints, unsure: Ints, pred_probs: AnyFloats, starts: Ints, rivals: Ints
) -> float:
    """Load what is needed of scattered rows at once, or each would wait for memory alone."""
    k = pred_probs.shape[1]
    line = 64 // pred_probs.itemsize
    warm = 0.0
    for n in unsure:
        i = rows[n]
        given = labels[i]
        if k <= _SHORT * line:
            for j in range(0, k, line):
                warm += pred_probs[i, j]
            warm += pred_probs[i, k - 1]
        else:
            for bucket in range(starts[given], starts[given + 1]):
                warm += pred_probs[i, rivals[bucket]]
    return warm


@kernel
def _push_rows(
    into: BucketArrays,
    pairs: _Pairs,
    rows: _Rows,
    pred_probs: AnyFloats,
    reach: float,
    floors: AnyFloats,
    members: Ints,
) -> float:
    """Push these rows, by position among those that disagree, into the buckets they may get into.

    `floors` is the key from which a row of a class may get in for an unknown rival; see `_floors`.
    Entries are collected and pushed together: whether one is good enough can't be foreseen, so it
    is written first and counted if it is.
    """
    labels, predicted, row, p_given, p_predicted = rows
    starts, rivals, itself = pairs
    min_keys = into[3]
    most = 1
    for given in range(itself.shape[0]):
        most = max(most, 1 + starts[given + 1] - starts[given])
    buckets, keys = np.empty(_AHEAD * most + 1, dtype=np.int64), np.empty(_AHEAD * most + 1)
    entries = np.empty(_AHEAD * most + 1, dtype=row.dtype)
    unsure = np.empty(_AHEAD, dtype=np.int64)
    warm = 0.0
    for first in range(0, members.shape[0], _AHEAD):
        filled = num_unsure = 0
        for n in members[first : first + _AHEAD]:
            given = labels[row[n]]
            p, top = np.float64(p_given[n]), np.float64(p_predicted[n])
            bucket = itself[given]
            if bucket >= 0:
                buckets[filled], keys[filled], entries[filled] = bucket, -p, row[n]
                filled += -p >= min_keys[bucket]
            # The most that a class besides these two can have, and no more than the predicted one.
            third = min(top, reach - p - top)
            if third - p >= floors[given]:
                unsure[num_unsure] = n
                num_unsure += 1
                continue
            bucket = _bucket(starts, rivals, given, predicted[row[n]])
            if bucket >= 0:
                buckets[filled], keys[filled], entries[filled] = bucket, top - p, row[n]
                filled += top - p >= min_keys[bucket]
        warm += _prefetch(row, labels, unsure[:num_unsure], pred_probs, starts, rivals)
        for n in unsure[:num_unsure]:
            i, p = row[n], np.float64(p_given[n])
            given = labels[i]
            for bucket in range(starts[given], starts[given + 1]):
                key = np.float64(pred_probs[i, rivals[bucket]]) - p
                buckets[filled], keys[filled], entries[filled] = bucket, key, i
                filled += (key >= min_keys[bucket]) & (bucket != itself[given])
        push(into, buckets[:filled], keys[:filled], entries[:filled])
    return warm  # returned only to keep the loads of `_prefetch` from being dropped


@kernel
def _floors(into: BucketArrays, pairs: _Pairs) -> AnyFloats:
    """Return for each class the key from which a row of it may get in for an unknown rival."""
    starts, _, itself = pairs
    min_keys = into[3]
    floors = np.full(itself.shape[0], np.inf)
    for given in range(itself.shape[0]):
        for bucket in range(starts[given], starts[given + 1]):
            if bucket != itself[given]:
                floors[given] = min(floors[given], min_keys[bucket])
    return floors


@kernel
def _set_min_keys(into: BucketArrays, ours: Ints) -> None:
    """Raise the least keys of our full buckets to the least in them, and empty all of ours."""
    trim(into, ours)
    quotas, offsets, sizes, min_keys, keys, _ = into
    for bucket in ours:
        if sizes[bucket] == quotas[bucket]:
            min_keys[bucket] = keys[offsets[bucket] : offsets[bucket] + sizes[bucket]].min()
        sizes[bucket] = 0


@kernel
def _reopen(into: BucketArrays, pairs: _Pairs, lowest: AnyFloats, is_ours: Mask) -> Mask:
    """Empty the buckets of our classes where a least key was too high; return which these are."""
    quotas, _, sizes, min_keys, _, _ = into
    starts = pairs[0]
    again = np.zeros(is_ours.shape[0], dtype=np.bool_)
    for given in range(is_ours.shape[0]):
        for bucket in range(starts[given], starts[given + 1]):
            short = sizes[bucket] < quotas[bucket] and min_keys[bucket] > lowest[bucket]
            again[given] |= is_ours[given] and short
        if again[given]:
            for bucket in range(starts[given], starts[given + 1]):
                sizes[bucket] = 0
                min_keys[bucket] = lowest[bucket]
    return again


@kernel
def _fill_up(
    into: BucketArrays,
    pairs: _Pairs,
    labels: Ints,
    pred_probs: AnyFloats,
    flags: npt.NDArray[np.uint8],
    reach: float,
    is_ours: Mask,
) -> None:
    """Push all other rows of our classes into the buckets that have room left.

    A bucket against the class itself took the rows that disagree, and gets the others.
    """
    quotas, offsets, sizes, min_keys, keys, members = into
    starts, rivals, itself = pairs
    # `still_open` lists, from starts[class], the buckets of the class with room left. `floors` is
    # the key that a row must reach to get into any of them: none, for a class without.
    still_open = np.empty(rivals.shape[0], dtype=np.int64)
    ends = starts[:-1].copy()
    floors = np.full(ends.shape[0], np.inf)
    more = False
    for given in range(is_ours.shape[0]):
        for bucket in range(starts[given], starts[given + 1]):
            room = bucket == itself[given] or sizes[bucket] < quotas[bucket]
            if room and is_ours[given]:
                if bucket != itself[given]:
                    min_keys[bucket] = -np.inf
                still_open[ends[given]] = bucket
                ends[given] += 1
                floors[given] = -np.inf
                more = True
    if not more:
        return
    for i in range(labels.shape[0]):
        given = labels[i]
        if given < 0 or floors[given] == np.inf:
            continue
        # No rival's probability is above what the given one leaves of the row's sum.
        p = np.float64(pred_probs[i, given])
        if reach - 2.0 * p < floors[given]:
            continue
        floor = np.inf
        for slot in range(starts[given], ends[given]):
            bucket = still_open[slot]
            if bucket == itself[given]:
                key = -p
                is_new = flags[i] & AGREES != 0
                floor = -np.inf
            else:
                key = np.float64(pred_probs[i, rivals[bucket]]) - p
                is_new = key <= _AGREEING
            if is_new and key >= min_keys[bucket]:
                at = offsets[bucket] + sizes[bucket]
                keys[at], members[at] = key, i
                sizes[bucket] += 1
                if at + 1 == offsets[bucket + 1]:
                    keep_best(
                        bucket, quotas[bucket], offsets[bucket], sizes, min_keys, keys, members
                    )
            floor = min(floor, min_keys[bucket])
        floors[given] = floor


@kernel
def _mark(into: BucketArrays, selected: Mask, ours: Ints) -> None:
    """Mark the quota of each of our buckets."""
    trim(into, ours)
    _, offsets, sizes, _, _, members = into
    for bucket in ours:
        for slot in range(offsets[bucket], offsets[bucket] + sizes[bucket]):
            selected[members[slot]] = True


class Quotas(NamedTuple):
    """How many rows to take of a given class against a rival class; flat arrays of one length.

    Attributes
    ----------
    given, rival : ndarray of shape (m,), int
        Classes, in the order of the given one. Where the two are the same class, the rows with
        the smallest ``p[given]`` are taken; else those with the largest ``p[rival] - p[given]``.
    quota : ndarray of shape (m,), int64
        Rows to take.
    """

    given: npt.NDArray[np.intp]
    rival: npt.NDArray[np.intp]
    quota: Ints


def select_by_quota(
    labels: Ints,
    pred_probs: AnyFloats,
    swept: Sweep,
    disagreeing: Disagreeing,
    quotas: Quotas,
    *,
    reach: float = np.inf,
) -> Mask:
    """Select the worst rows of each given class against each rival class.

    Parameters
    ----------
    labels : ndarray of shape (n,), int64
    pred_probs : ndarray of shape (n, k), float32 or float64, C-contiguous
    swept : Sweep
        Of these rows.
    disagreeing : Disagreeing
        The rows of it that disagree.
    quotas : Quotas
        What to take. Ties go to the lower row.
    reach : float
        Upper bound of the sum of a row's probabilities, or of any of them; a finite one saves most
        of the work.

    Returns
    -------
    ndarray of shape (n,), bool
        Agreeing rows count towards the quotas, as the method asks, but whether they end up
        selected is unspecified: leave them out.

    Notes
    -----
    Memory: 18 bytes a row that is taken, and 4 for each row that disagrees. Classes are shared out
    among threads, so the result does not depend on their number.
    """
    n, k = pred_probs.shape
    given, rivals, wanted = (part[quotas.quota > 0] for part in quotas)
    starts = np.searchsorted(given, np.arange(k + 1))
    itself = np.full(k, -1)
    itself[given[rivals == given]] = np.flatnonzero(rivals == given)
    pairs = starts, rivals, itself
    lowest_keys = np.where(rivals == given, -np.inf, np.nextafter(_AGREEING, 1.0))
    into = buckets.empty(wanted, lowest_keys.copy(), disagreeing.rows.dtype)
    shards = thread_count() if n * max(k, 8) > _SHARED else 1
    shard_of = _shards(np.bincount(given, weights=wanted, minlength=k), shards)
    given_classes, probs = frozen(labels), frozen(pred_probs)
    rows = given_classes, frozen(swept.predicted), *disagreeing
    selected = np.zeros(n, dtype=np.bool_)

    def work(worker: int, shard: int, _: slice) -> None:
        is_ours = shard_of == shard
        ours = np.flatnonzero(is_ours[given])
        members = _members(given_classes, disagreeing.rows, is_ours)
        step = _step(len(members), len(ours))
        sampled = _sample_quotas(wanted, step), *into[1:]
        no_floors = np.full(k, np.inf)
        _push_rows(sampled, pairs, rows, probs, reach, no_floors, members[::step].copy())
        _set_min_keys(sampled, ours)
        _push_rows(into, pairs, rows, probs, reach, _floors(into, pairs), members)
        again = _reopen(into, pairs, lowest_keys, is_ours)
        if again.any():
            members = members[again[labels[disagreeing.rows[members]]]]
            _push_rows(into, pairs, rows, probs, reach, _floors(into, pairs), members)
        _fill_up(into, pairs, given_classes, probs, swept.flags, reach, is_ours)
        _mark(into, selected, ours)

    each_block(work, shards, 1)
    return selected


def _step(rows: int, num_buckets: int) -> int:
    """Return of how many rows a sample holds one."""
    return max(1, min(rows // max(_ENOUGH * num_buckets, 1), _SPARSEST))


def _sample_quotas(quotas: Ints, step: int) -> Ints:
    """Return how many of a sample are sure, or nearly, not to be fewer than a quota of all."""
    if step == 1:
        return quotas
    expected = quotas / step
    enough = np.ceil(expected + 3.0 * np.sqrt(expected)).astype(np.int64) + 2
    return np.minimum(enough, quotas)


def _shards(weights: npt.NDArray[Any], count: int) -> Ints:
    """Deal classes out to shards of about equal weight: the heaviest first, to and fro."""
    turn = np.arange(len(weights)) % (2 * count)
    shard_of = np.empty(len(weights), dtype=np.int64)
    shard_of[np.argsort(-weights, kind="stable")] = np.minimum(turn, 2 * count - 1 - turn)
    return shard_of
