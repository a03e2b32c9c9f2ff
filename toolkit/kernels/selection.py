"""Choose the worst rows of each class: a quota per bucket, memory bounded by the quotas.

The rows that disagree with their label come first: nearly always they fill the buckets. Of each of
them the pass over pred_probs has kept the two probabilities that matter most, and a look at these
alone, or at those of a sample, says about how bad a row must be to get in. Then the rows that may
be that bad are looked up. Only for buckets that still have room all other rows are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.kernels import buckets
from goldlabel.kernels._jit import frozen, kernel
from goldlabel.kernels.buckets import BucketArrays, keep_best, offer, settle
from goldlabel.kernels.class_means import EPS
from goldlabel.kernels.confident import AGREES, Sweep
from goldlabel.kernels.disagreeing import Disagreeing
from goldlabel.kernels.rows import each_block, thread_count
from goldlabel.typing import AnyFloats, Ints

__all__ = ["SELECTED", "Quotas", "select_by_quota"]


SELECTED = 4
"""Flag: taken by `select_by_quota`."""

_SHARED = 1 << 20
"""Cells of pred_probs from which classes are shared out among threads."""
_AHEAD = 64
_SHORT = 4
"""Rows of so many cache lines are loaded whole."""
_SETTLED = 2 * EPS  # agreement puts every margin at EPS or below, up to rounding
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
def _places(labels: Ints, rows: Ints, mine: npt.NDArray[np.bool_]) -> Ints:
    """Return the positions in `rows` of those that are given as one of the classes in `mine`."""
    found = np.empty(rows.shape[0] + 1, dtype=rows.dtype)
    count = 0
    for n in range(rows.shape[0]):
        found[count] = n
        count += mine[labels[rows[n]]]
    return found[:count].copy()


@kernel
def _bucket(starts: Ints, rivals: Ints, given: int, rival: int) -> int:
    """Return the bucket of a pair of classes, or -1."""
    found = -1
    for bucket in range(starts[given], starts[given + 1]):
        found = max(found, bucket if rivals[bucket] == rival else -1)
    return found


@kernel
def _touched(
    rows: Ints, labels: Ints, asked: Ints, pred_probs: AnyFloats, starts: Ints, rivals: Ints
) -> float:
    """Load what is needed of scattered rows at once, or each would wait for memory alone."""
    k = pred_probs.shape[1]
    line = 64 // pred_probs.itemsize
    warm = 0.0
    for n in asked:
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
def _fill(
    into: BucketArrays,
    pairs: _Pairs,
    rows: _Rows,
    pred_probs: AnyFloats,
    reach: float,
    floors: AnyFloats,
    places: Ints,
) -> float:
    """Offer the rows at these places to the buckets that they may get into; see `_floors`.

    Entries are collected, and offered together: whether one is good enough can't be foreseen, so
    it is written first and counted if it is.
    """
    labels, predicted, row, p_given, p_predicted = rows
    starts, rivals, itself = pairs
    bars = into[3]
    most = 1
    for given in range(itself.shape[0]):
        most = max(most, 1 + starts[given + 1] - starts[given])
    buckets, keys = np.empty(_AHEAD * most + 1, dtype=np.int64), np.empty(_AHEAD * most + 1)
    entries = np.empty(_AHEAD * most + 1, dtype=row.dtype)
    asked = np.empty(_AHEAD, dtype=np.int64)
    warm = 0.0
    for first in range(0, places.shape[0], _AHEAD):
        found = count = 0
        for n in places[first : first + _AHEAD]:
            given = labels[row[n]]
            own, top = np.float64(p_given[n]), np.float64(p_predicted[n])
            bucket = itself[given]
            if bucket >= 0:
                buckets[found], keys[found], entries[found] = bucket, -own, row[n]
                found += -own >= bars[bucket]
            # The most that a class besides these two can have, and no more than the predicted one.
            third = min(top, reach - own - top)
            if third - own >= floors[given]:
                asked[count] = n
                count += 1
                continue
            bucket = _bucket(starts, rivals, given, predicted[row[n]])
            if bucket >= 0:
                buckets[found], keys[found], entries[found] = bucket, top - own, row[n]
                found += top - own >= bars[bucket]
        warm += _touched(row, labels, asked[:count], pred_probs, starts, rivals)
        for n in asked[:count]:
            i, own = row[n], np.float64(p_given[n])
            given = labels[i]
            for bucket in range(starts[given], starts[given + 1]):
                key = np.float64(pred_probs[i, rivals[bucket]]) - own
                buckets[found], keys[found], entries[found] = bucket, key, i
                found += (key >= bars[bucket]) & (bucket != itself[given])
        offer(into, buckets[:found], keys[:found], entries[:found])
    return warm  # returned only to keep the loads of `_touched` from being dropped


@kernel
def _floors(into: BucketArrays, pairs: _Pairs) -> AnyFloats:
    """Return for each class the key from which a row of it may get in for an unknown rival."""
    starts, _, itself = pairs
    bars = into[3]
    floors = np.full(itself.shape[0], np.inf)
    for given in range(itself.shape[0]):
        for bucket in range(starts[given], starts[given + 1]):
            if bucket != itself[given]:
                floors[given] = min(floors[given], bars[bucket])
    return floors


@kernel
def _set_bars(into: BucketArrays, ours: Ints) -> None:
    """Raise the bars of our full buckets to the least that is in them, and empty all of ours."""
    settle(into, ours)
    quotas, offsets, sizes, bars, keys, _ = into
    for bucket in ours:
        if sizes[bucket] == quotas[bucket]:
            bars[bucket] = keys[offsets[bucket] : offsets[bucket] + sizes[bucket]].min()
        sizes[bucket] = 0


@kernel
def _reopen(
    into: BucketArrays, pairs: _Pairs, lowest: AnyFloats, mine: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Empty the buckets of those of `mine` where a bar was too high; return which these are."""
    quotas, _, sizes, bars, _, _ = into
    starts = pairs[0]
    again = np.zeros(mine.shape[0], dtype=np.bool_)
    for given in range(mine.shape[0]):
        for bucket in range(starts[given], starts[given + 1]):
            short = sizes[bucket] < quotas[bucket] and bars[bucket] > lowest[bucket]
            again[given] |= mine[given] and short
        if again[given]:
            for bucket in range(starts[given], starts[given + 1]):
                sizes[bucket] = 0
                bars[bucket] = lowest[bucket]
    return again


@kernel
def _fill_up(
    into: BucketArrays,
    pairs: _Pairs,
    labels: Ints,
    pred_probs: AnyFloats,
    flags: npt.NDArray[np.uint8],
    reach: float,
    mine: npt.NDArray[np.bool_],
) -> None:
    """Offer all other rows of the classes in `mine` to the buckets that have room left.

    A bucket against the class itself took the rows that disagree, and is offered the others.
    """
    quotas, offsets, sizes, bars, keys, members = into
    starts, rivals, itself = pairs
    # `still_open` lists, from starts[class], the buckets of the class with room left. `floors` is
    # the key that a row must reach to get into any of them: none, for a class without.
    still_open = np.empty(rivals.shape[0], dtype=np.int64)
    ends = starts[:-1].copy()
    floors = np.full(ends.shape[0], np.inf)
    more = False
    for given in range(mine.shape[0]):
        for bucket in range(starts[given], starts[given + 1]):
            room = bucket == itself[given] or sizes[bucket] < quotas[bucket]
            if room and mine[given]:
                if bucket != itself[given]:
                    bars[bucket] = -np.inf
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
        own = np.float64(pred_probs[i, given])
        if reach - 2.0 * own < floors[given]:
            continue
        floor = np.inf
        for slot in range(starts[given], ends[given]):
            bucket = still_open[slot]
            if bucket == itself[given]:
                key = -own
                offered = flags[i] & AGREES != 0
                floor = -np.inf
            else:
                key = np.float64(pred_probs[i, rivals[bucket]]) - own
                offered = key <= _SETTLED
            if offered and key >= bars[bucket]:
                at = offsets[bucket] + sizes[bucket]
                keys[at], members[at] = key, i
                sizes[bucket] += 1
                if at + 1 == offsets[bucket + 1]:
                    keep_best(bucket, quotas[bucket], offsets[bucket], sizes, bars, keys, members)
            floor = min(floor, bars[bucket])
        floors[given] = floor


@kernel
def _flag(into: BucketArrays, flags: npt.NDArray[np.uint8], ours: Ints) -> None:
    """Flag the quota of each of our buckets."""
    settle(into, ours)
    _, offsets, sizes, _, _, members = into
    for bucket in ours:
        for slot in range(offsets[bucket], offsets[bucket] + sizes[bucket]):
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
    pred_probs: AnyFloats,
    swept: Sweep,
    disagreeing: Disagreeing,
    quotas: Quotas,
    *,
    reach: float = np.inf,
) -> None:
    """Flag, in place, the worst rows of each given class against each rival class.

    Parameters
    ----------
    labels : ndarray of shape (n,), int64
    pred_probs : ndarray of shape (n, k), float32 or float64, C-contiguous
    swept : Sweep
        Of these rows. Its flags get `SELECTED`.
    disagreeing : Disagreeing
        The rows of it that disagree.
    quotas : Quotas
        What to take. Ties go to the lower row. Agreeing rows take up places, as the method asks,
        but whether they end up flagged is unspecified: unflag them.
    reach : float
        Upper bound of the sum of a row's probabilities, or of any of them; a finite one saves most
        of the work.

    Notes
    -----
    Memory: 18 bytes a place, and 4 for each row that disagrees. Classes are shared out among
    threads, so the result does not depend on their number.
    """
    n, k = pred_probs.shape
    given, rivals, wanted = (part[quotas.places > 0] for part in quotas)
    starts = np.searchsorted(given, np.arange(k + 1))
    itself = np.full(k, -1)
    itself[given[rivals == given]] = np.flatnonzero(rivals == given)
    pairs = starts, rivals, itself
    lowest_bars = np.where(rivals == given, -np.inf, np.nextafter(_SETTLED, 1.0))
    into = buckets.empty(wanted, lowest_bars.copy(), disagreeing.rows.dtype)
    shares = thread_count() if n * max(k, 8) > _SHARED else 1
    hands = _dealt(np.bincount(given, weights=wanted, minlength=k), shares)
    given_classes, probs = frozen(labels), frozen(pred_probs)
    rows = given_classes, swept.predicted, *disagreeing

    def work(worker: int, block: int, _: slice) -> None:
        mine = hands == block
        ours = np.flatnonzero(mine[given])
        places = _places(given_classes, disagreeing.rows, mine)
        step = _step(len(places), len(ours))
        sampled = _sample_quotas(wanted, step), *into[1:]
        _fill(sampled, pairs, rows, probs, reach, np.full(k, np.inf), places[::step].copy())
        _set_bars(sampled, ours)
        _fill(into, pairs, rows, probs, reach, _floors(into, pairs), places)
        again = _reopen(into, pairs, lowest_bars, mine)
        if again.any():
            places = places[again[labels[disagreeing.rows[places]]]]
            _fill(into, pairs, rows, probs, reach, _floors(into, pairs), places)
        _fill_up(into, pairs, given_classes, probs, swept.flags, reach, mine)
        _flag(into, swept.flags, ours)

    each_block(work, shares, 1)


def _step(rows: int, sought: int) -> int:
    """Return of how many rows a sample holds one."""
    return max(1, min(rows // max(_ENOUGH * sought, 1), _SPARSEST))


def _sample_quotas(quotas: Ints, step: int) -> Ints:
    """Return how many of a sample are sure, or nearly, not to be fewer than a quota of all."""
    if step == 1:
        return quotas
    expected = quotas / step
    enough = np.ceil(expected + 3.0 * np.sqrt(expected)).astype(np.int64) + 2
    return np.minimum(enough, quotas)


def _dealt(weights: npt.NDArray[Any], hands: int) -> Ints:
    """Deal classes out to hands of about equal weight: the heaviest first, to and fro."""
    places = np.arange(len(weights)) % (2 * hands)
    dealt = np.empty(len(weights), dtype=np.int64)
    dealt[np.argsort(-weights, kind="stable")] = np.minimum(places, 2 * hands - 1 - places)
    return dealt
