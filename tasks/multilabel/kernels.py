"""The loops over cells: sums for thresholds, the joint of each class, scores, candidates.

A cell is a pair of an example and a class, in which the model says q: that the class applies.
Seen as a classification of its own it has two classes, with the probabilities ``1 - q`` and ``q``
(``1 - q`` in the precision of pred_probs). All that is asked of a cell is monotone in q, so that
it comes down to comparisons of q with constants of the same precision: see `Cuts`.

References
----------
A. Thyagarajan, E. Snorrason, C. Northcutt, J. Mueller. Identifying Incorrect Annotations in
Multi-Label Classification Data. arXiv:2211.13895 (2022).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.kernels.class_means import EPS
from goldlabel.typing import AnyFloats, Ints

__all__ = [
    "Cuts",
    "candidates",
    "count_guesses",
    "cuts_of",
    "disagreements",
    "self_confidence",
    "value_sums",
]

Cube = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Cuts:
    """Where q changes what is thought of a cell; all in the precision of pred_probs.

    Attributes
    ----------
    present, absent : ndarray of shape (k,)
        From `present` on, the model is guessed to say that the class applies; up to `absent`,
        that it does not. Between them the cell is not counted. Both are confident where they
        would overlap, and the larger probability decides; a half says no.
    spurious, missing : ndarray of shape (1,)
        A given class is questioned up to `spurious`, one that is not given from `missing` on:
        beyond, the model agrees, or nearly so.
    one : ndarray of shape (1,)
        The number 1.
    """

    present: AnyFloats
    absent: AnyFloats
    spurious: AnyFloats
    missing: AnyFloats
    one: AnyFloats


def cuts_of(thresholds: npt.NDArray[np.float64], dtype: np.dtype[Any]) -> Cuts:
    """Turn thresholds (k, 2), of "absent" and of "present", into limits of q."""
    one = np.ones(1, dtype=dtype)
    half = dtype.type(0.5)
    k = len(thresholds)
    least = thresholds - EPS
    up = dtype.type(np.inf)
    # The largest q of which 1 - q is confident, and the smallest that is confident itself.
    zero = _largest(lambda q: (one - q).astype(np.float64) >= least[:, 0], k, dtype)
    below = _largest(lambda q: q.astype(np.float64) < least[:, 1], k, dtype)
    sure = np.nextafter(below, up)
    present = np.maximum(sure, np.minimum(np.nextafter(zero, up), np.nextafter(half, up)))
    absent = np.minimum(zero, np.maximum(below, half))
    # As in goldlabel.kernels.confident: EPS is added in float64, the sum rounded.
    spurious = _largest(lambda q: ~((q.astype(np.float64) + EPS).astype(dtype) > one - q), 1, dtype)
    agreed = _largest(lambda q: ((one - q).astype(np.float64) + EPS).astype(dtype) >= q, 1, dtype)
    return Cuts(
        *map(frozen, (present, absent, spurious, np.nextafter(agreed, up).astype(dtype), one))
    )


def _largest(holds: Callable[[AnyFloats], Any], k: int, dtype: np.dtype[Any]) -> AnyFloats:
    """Return, k times, the largest float in [0, 2] for which `holds` is true; -inf where none is.

    `holds` is true up to some number and false from there on. AnyFloats of 0 and above are in the
    order of their bits, which are searched by halving.
    """
    bits = np.dtype(np.int64 if dtype.itemsize == 8 else np.int32)
    low = np.zeros(k, dtype=bits)
    high = np.full(k, np.array(2, dtype=dtype).view(bits))
    low[~np.broadcast_to(holds(low.view(dtype)), (k,))] = -1
    high = np.where(low < 0, 0, high + 1)
    while (high - low > 1).any():
        middle = low + (high - low) // 2
        true = np.broadcast_to(holds(np.maximum(middle, 0).view(dtype)), (k,)) & (low >= 0)
        low, high = np.where(true, middle, low), np.where(true, high, middle)
    return np.where(low < 0, -np.inf, np.maximum(low, 0).view(dtype)).astype(dtype)


@kernel
def _value_sums(
    labels: Cube,
    pred_probs: AnyFloats,
    one: AnyFloats,
    counts: Ints,
    sums: AnyFloats,
    extremes: AnyFloats,
) -> None:
    """Add up, for each class, cells without and with it, and the probability of being right.

    `extremes` gets the smallest and the largest q; a q that is no number is counted in it.
    """
    n, k = pred_probs.shape
    low = one[0]
    high = one[0] - one[0]
    odd = np.int64(0)
    for i in range(n):
        for c in range(k):
            q = pred_probs[i, c]
            y = labels[i, c]
            low = min(low, q)
            high = max(high, q)
            odd += np.int64(q != q)
            absent = y == 0
            present = y > 0
            counts[0, c] += np.int64(absent)
            counts[1, c] += np.int64(present)
            sums[0, c] += np.float64(one[0] - q) if absent else 0.0
            sums[1, c] += np.float64(q) if present else 0.0
    extremes[0] = low
    extremes[1] = high
    extremes[2] = odd


def value_sums(
    labels: Cube,
    pred_probs: AnyFloats,
    one: AnyFloats,
    counts: Ints,
    sums: AnyFloats,
    extremes: AnyFloats,
) -> None:
    """Add a block to ``counts`` and ``sums``, both (2, k); put its range into ``extremes``, (3,).

    ``counts[v, c]`` cells of class c have the value v, ``sums[v, c]`` is what the model gives
    them for it: ``1 - q`` for 0, ``q`` for 1. ``extremes``: smallest q, largest q, how many are
    no number.
    """
    _value_sums(frozen(labels), frozen(pred_probs), one, counts, sums, extremes)


@kernel
def _count_guesses(
    labels: Cube, pred_probs: AnyFloats, present: AnyFloats, absent: AnyFloats, counts: Ints
) -> None:
    n, k = pred_probs.shape
    for i in range(n):
        for c in range(k):
            q = pred_probs[i, c]
            y = labels[i, c]
            yes = q >= present[c]
            no = q <= absent[c]
            counts[0, c] += np.int64((y == 0) & no)
            counts[1, c] += np.int64((y == 0) & yes)
            counts[2, c] += np.int64((y > 0) & no)
            counts[3, c] += np.int64((y > 0) & yes)


def count_guesses(labels: Cube, pred_probs: AnyFloats, cuts: Cuts, counts: Ints) -> None:
    """Add a block to the confident joints: ``counts[2 * given + guessed, c]``, shape (4, k)."""
    _count_guesses(frozen(labels), frozen(pred_probs), cuts.present, cuts.absent, counts)


@kernel
def _self_confidence(labels: Cube, pred_probs: AnyFloats, one: AnyFloats, out: AnyFloats) -> None:
    for i in range(pred_probs.shape[0]):
        for c in range(pred_probs.shape[1]):
            q = pred_probs[i, c]
            right = np.float64(q) if labels[i, c] > 0 else np.float64(one[0] - q)
            out[i, c] = min(max(right, 0.0), 1.0) if labels[i, c] >= 0 else 1.0


def self_confidence(labels: Cube, pred_probs: AnyFloats, one: AnyFloats, out: AnyFloats) -> None:
    """Write what the model gives each annotation of a block; 1 where there is none."""
    _self_confidence(frozen(labels), frozen(pred_probs), one, out)


@kernel
def _candidates(
    labels: Cube,
    pred_probs: AnyFloats,
    first: int,
    spurious: AnyFloats,
    missing: AnyFloats,
    one: AnyFloats,
    bars: AnyFloats,
    buckets: Ints,
    keys: AnyFloats,
    members: Ints,
) -> int:
    n, k = pred_probs.shape
    found = 0
    for i in range(n):
        for c in range(k):
            q = pred_probs[i, c]
            y = labels[i, c]
            wrong = (q <= spurious[0]) if y > 0 else (q >= missing[0])
            if wrong and y >= 0:
                value = np.int64(y > 0)
                # Larger keys are worse: minus the self-confidence.
                sure = -np.float64(q) if y > 0 else -np.float64(one[0] - q)
                key = min(max(sure, -1.0), 0.0)
                if key >= bars[value, c]:
                    buckets[found] = value * k + c
                    keys[found] = key
                    members[found] = first + i
                    found += 1
    return found


def candidates(
    labels: Cube,
    pred_probs: AnyFloats,
    first: int,
    cuts: Cuts,
    bars: AnyFloats,
    buckets: Ints,
    keys: AnyFloats,
    members: Ints,
    *,
    guarded: bool = True,
) -> int:
    """List the cells of a block that the model disagrees with; return how many there are.

    Parameters
    ----------
    labels, pred_probs : ndarray of shape (rows, k)
    first : int
        Number of the block's first example.
    cuts : Cuts
    bars : ndarray of shape (2, k), float64
        Least key, for each value and class, that is of use.
    buckets, keys, members : ndarray
        Written: ``value * k + class``, minus the self-confidence, and the example. Have room for
        every cell.
    guarded : bool
        Whether cells that the model agrees with are left out.
    """
    spurious, missing = cuts.spurious, cuts.missing
    if not guarded:
        spurious, missing = frozen(spurious + np.inf), frozen(missing - np.inf)
    found: int = _candidates(
        frozen(labels),
        frozen(pred_probs),
        first,
        spurious,
        missing,
        cuts.one,
        bars,
        buckets,
        keys,
        members,
    )
    return found


@kernel
def _disagreements(
    labels: Cube,
    pred_probs: AnyFloats,
    first: int,
    present: AnyFloats,
    absent: AnyFloats,
    cells: Ints,
) -> int:
    n, k = pred_probs.shape
    found = 0
    for i in range(n):
        for c in range(k):
            q = pred_probs[i, c]
            y = labels[i, c]
            if (q <= absent[c]) if y > 0 else (y == 0 and q >= present[c]):
                cells[found] = (first + i) * k + c
                found += 1
    return found


def disagreements(
    labels: Cube,
    pred_probs: AnyFloats,
    first: int,
    present: AnyFloats,
    absent: AnyFloats,
    cells: Ints,
) -> int:
    """List the cells of a block, as ``example * k + class``, that speak against their label.

    A given class does with q up to `absent`, one that is not given with q from `present` on.
    """
    found: int = _disagreements(
        frozen(labels), frozen(pred_probs), first, frozen(present), frozen(absent), cells
    )
    return found
