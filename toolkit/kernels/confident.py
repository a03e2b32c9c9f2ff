"""Class thresholds, and the one pass over pred_probs that everything else comes from.

Probabilities are compared as integers: non-negative IEEE floats order like their bits, and integer
maxima, counts and sums are vectorised by the compiler where float ones are not. A row is looked at
a second time only where the model's class is not the given one.

References
----------
C. Northcutt, L. Jiang, I. Chuang. Confident Learning: Estimating Uncertainty in Dataset Labels.
JAIR 70 (2021), equations 1 and 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.kernels.rows import block_rows, each_block

__all__ = [
    "AGREES",
    "EPS",
    "NEVER",
    "OFF_DIAGONAL",
    "THRESHOLD_MIN",
    "Sweep",
    "class_sums",
    "sweep",
    "thresholds",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]

EPS = 1e-6
"""Slack of comparisons between probabilities and thresholds."""
THRESHOLD_MIN = 2 * EPS
"""Floor of a threshold, above EPS so that a probability of 0 is never confident."""
NEVER = 2.0
"""Threshold of a class without examples: no probability reaches it."""

AGREES = 1
"""Flag: the model's class is the given one, or within EPS of it."""
OFF_DIAGONAL = 2
"""Flag: counted off the diagonal of the confident joint."""

_SUM_ROWS = 1 << 14
_UNIT = 1 << 40  # row sums are taken in fixed point: exact, and vectorised


@kernel
def _class_sums(labels: Ints, pred_probs: Floats, counts: Ints, sums: Floats) -> None:
    """``counts[k]``, ``sums[k]`` = number and sum of ``p[i, k]`` over rows labelled k."""
    for i in range(labels.shape[0]):
        given = labels[i]
        if given >= 0:
            counts[given] += 1
            sums[given] += np.float64(pred_probs[i, given])


def class_sums(labels: Ints, pred_probs: Floats) -> tuple[Ints, npt.NDArray[np.float64]]:
    """Count the rows of each class, and sum the probabilities of their given labels.

    Parameters
    ----------
    labels : ndarray of shape (n,), int64
        Given class; negative = left out.
    pred_probs : ndarray of shape (n, k), float32 or float64, C-contiguous

    Returns
    -------
    counts : ndarray of shape (k,), int64
    sums : ndarray of shape (k,), float64
        The same bits for any number of threads: one partial sum per fixed block, in block order.
    """
    n, k = pred_probs.shape
    blocks = max(1, -(-n // _SUM_ROWS))
    counts = np.zeros((blocks, k), dtype=np.int64)
    sums = np.zeros((blocks, k), dtype=np.float64)
    given, probs = frozen(labels), frozen(pred_probs)

    def work(worker: int, block: int, rows: slice) -> None:
        _class_sums(given[rows], probs[rows], counts[block], sums[block])

    each_block(work, n, _SUM_ROWS)
    return counts.sum(axis=0), np.add.accumulate(sums, axis=0)[-1]


def thresholds(counts: Ints, sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean self-confidence of each class, floored; `NEVER` for an absent class."""
    means = np.full(counts.shape[0], NEVER)
    np.divide(sums, counts, out=means, where=counts > 0)
    floored: npt.NDArray[np.float64] = np.maximum(means, THRESHOLD_MIN)
    return floored


@kernel
def _first(row: Ints, value: Any, skip: Any) -> int:
    """Position of the first entry equal to `value`, other than `skip`."""
    for j in range(row.shape[0]):
        if row[j] == value and j != skip:
            return j
    return -1


@kernel
def _largest(row: Floats, skip: Any) -> int:
    """Position of the largest entry other than `skip`, the lowest of equals."""
    found = -1
    for j in range(row.shape[0]):
        if j != skip and (found < 0 or row[j] > row[found]):
            found = j
    return found


@kernel
def _largest_confident(row: Floats, bits: Ints, cuts: Ints) -> int:
    """Position of the largest entry that reaches its cut, the lowest of equals."""
    found = -1
    for j in range(bits.shape[0]):
        if bits[j] >= cuts[j] and (found < 0 or row[j] > row[found]):
            found = j
    return found


@kernel
def _sweep(
    labels: Ints,
    pred_probs: Floats,
    bits: Ints,
    cuts: Ints,
    confident_only: bool,
    joint: Ints,
    flags: npt.NDArray[np.uint8],
    predicted: npt.NDArray[Any],
    self_confidence: Floats,
    normalized_margin: Floats,
    extremes: Ints,
    cell: Floats,
    cell_bits: Ints,
) -> None:
    """Read each row once; see `sweep`.

    `extremes` gets the bits or-ed, the largest, the sum farthest from 1 and its row; `cell` and
    `cell_bits` are one number's memory seen as a float and as its bits.
    """
    k = bits.shape[1]
    ored = np.int64(0)
    largest = np.int64(0)
    worst = np.int64(-1)
    for i in range(bits.shape[0]):
        given = labels[i]
        total = np.int64(0)
        confident = np.int64(0)
        where = np.int64(0)
        # No class reaches -1: what is left of the maximum when the given one is masked.
        other = np.int64(-1)
        for j in range(k):
            b = np.int64(bits[i, j])
            ored |= b
            reaches = np.int64(b >= cuts[j])
            confident += reaches
            where += reaches * j
            total += np.int64(pred_probs[i, j] * _UNIT)
            other = max(other, b if j != given else np.int64(-1))
        if given < 0:
            largest = max(largest, other)
            flags[i] = AGREES
            predicted[i] = _largest(pred_probs[i], -1)
            if self_confidence.shape[0]:
                self_confidence[i] = 1.0
            if normalized_margin.shape[0]:
                normalized_margin[i] = 1.0
            continue
        off = abs(total - _UNIT)
        if off > worst:
            worst = off
            extremes[2] = total
            extremes[3] = i
        own = np.int64(bits[i, given])
        largest = max(largest, other, own)

        agrees = True
        best = given
        second = -1
        if own <= other or own <= 0:
            # The model may prefer another class; bits of zeros and below do not order.
            if own <= 0 and other <= 0:
                second = _largest(pred_probs[i], given)
            else:
                second = _first(bits[i], other, given)
            if second >= 0:
                rival = pred_probs[i, second]
                mine = pred_probs[i, given]
                if rival > mine or (rival == mine and second < given):
                    best = second
                cell[0] = np.float64(mine) + EPS  # rounded to the precision of pred_probs
                agrees = cell[0] > rival or (cell[0] == rival and given < second)

        guess: Any = -1
        if confident == 1:
            guess = where
        elif confident > 1:
            guess = best
            if confident_only and bits[i, best] < cuts[best]:
                guess = _largest_confident(pred_probs[i], bits[i], cuts)
        flag = 0
        if agrees:
            flag |= AGREES
        if guess >= 0:
            joint[given, guess] += 1
            if guess != given:
                flag |= OFF_DIAGONAL
        flags[i] = flag
        predicted[i] = best
        if self_confidence.shape[0]:
            self_confidence[i] = min(max(np.float64(pred_probs[i, given]), 0.0), 1.0)
        if normalized_margin.shape[0]:
            rival_probability = 0.0
            if other > 0:
                cell_bits[0] = other
                rival_probability = np.float64(cell[0])
            gap = np.float64(pred_probs[i, given]) - rival_probability
            normalized_margin[i] = min(max((gap + 1.0) / 2.0, 0.0), 1.0) if k > 1 else 1.0
    extremes[0] = ored
    extremes[1] = largest


@dataclass(frozen=True, eq=False)
class Sweep:
    """What one pass over pred_probs gives.

    Attributes
    ----------
    joint : ndarray of shape (k, k), int64
        Confident joint as counted: given class by guessed true class, no floor on the diagonal.
    flags : ndarray of shape (n,), uint8
        `AGREES`, `OFF_DIAGONAL`.
    predicted : ndarray of shape (n,), int16 or int32
        The model's class, the lowest of equals.
    self_confidence, normalized_margin : ndarray of shape (n,) or (0,), float64
        The scores that were asked for.
    in_range : bool
        Whether every probability is a number in [-EPS, 1 + EPS]; if not, nothing else holds.
    worst_row, worst_sum : int, float
        The row whose sum is farthest from 1, of those not left out.
    """

    joint: Ints
    flags: npt.NDArray[np.uint8]
    predicted: npt.NDArray[Any]
    self_confidence: npt.NDArray[np.float64]
    normalized_margin: npt.NDArray[np.float64]
    in_range: bool
    worst_row: int
    worst_sum: float


def sweep(
    labels: Ints,
    pred_probs: Floats,
    cutoffs: npt.NDArray[np.float64] | None = None,
    *,
    confident_only: bool = False,
    self_confidence: bool = False,
    normalized_margin: bool = False,
) -> Sweep:
    """Read every row of pred_probs once: check it, score it, count it in the confident joint.

    Parameters
    ----------
    labels : ndarray of shape (n,), int64
        Given class, 0 .. k-1; negative = left out of the joint, scored 1.
    pred_probs : ndarray of shape (n, k), float32 or float64, C-contiguous
    cutoffs : ndarray of shape (k,), float64, optional
        Class thresholds; without them nothing is confident and the joint stays empty.
    confident_only : bool
        Choose among several confident classes only, not among all classes (spec DIVERGE 1-08).
    self_confidence, normalized_margin : bool
        Which scores to compute.
    """
    n, k = pred_probs.shape
    integer = np.int64 if pred_probs.dtype == np.float64 else np.int32
    cuts = _cuts(np.full(k, NEVER) if cutoffs is None else cutoffs, pred_probs.dtype)
    given, probs, bits = frozen(labels), frozen(pred_probs), frozen(pred_probs, integer)
    size = block_rows(k)
    joints: dict[int, Ints] = {}
    cells = np.zeros((max(1, -(-n // size)), 1), dtype=pred_probs.dtype)
    extremes = np.zeros((max(1, -(-n // size)), 4), dtype=np.int64)
    extremes[:, 2] = _UNIT
    flags = np.empty(n, dtype=np.uint8)
    predicted = np.empty(n, dtype=np.int16 if k <= 1 << 15 else np.int32)
    confidences = np.empty(n if self_confidence else 0)
    margins = np.empty(n if normalized_margin else 0)

    def work(worker: int, block: int, rows: slice) -> None:
        if worker not in joints:
            joints[worker] = np.zeros((k, k), dtype=np.int64)
        cell = cells[block]
        _sweep(
            given[rows],
            probs[rows],
            bits[rows],
            cuts,
            confident_only,
            joints[worker],
            flags[rows],
            predicted[rows],
            confidences[rows],
            margins[rows],
            extremes[block],
            cell,
            cell.view(integer),
        )

    each_block(work, n, size)
    joint = joints.pop(0, None)
    joint = np.zeros((k, k), dtype=np.int64) if joint is None else joint
    for partial in joints.values():
        joint += partial
    block = int(np.argmax(np.abs(extremes[:, 2] - _UNIT)))
    return Sweep(
        joint=joint,
        flags=flags,
        predicted=predicted,
        self_confidence=confidences,
        normalized_margin=margins,
        in_range=_in_range(extremes, pred_probs),
        worst_row=int(block * size + extremes[block, 3]),
        worst_sum=float(extremes[block, 2]) / _UNIT,
    )


def _cuts(cutoffs: npt.NDArray[np.float64], dtype: np.dtype[Any]) -> Ints:
    """Return the bits of the smallest probability of this dtype that reaches each threshold.

    What lies below 0, or is -0.0, counts as 0: its bits are below those of all other numbers.
    """
    lowest = np.maximum(cutoffs - EPS, 0.0)
    cuts = lowest.astype(dtype)
    cuts = np.where(cuts < lowest, np.nextafter(cuts, dtype.type(np.inf)), cuts).astype(dtype)
    integer = np.dtype(np.int64 if dtype == np.float64 else np.int32)
    least = -(1 << (8 * integer.itemsize - 1))
    return frozen(np.where(lowest > 0, cuts.view(integer), least).astype(integer))


def _in_range(extremes: Ints, pred_probs: Floats) -> bool:
    limit = np.array([1.0 + EPS]).astype(pred_probs.dtype)
    if extremes[:, 1].max() > int(limit.view(np.int64 if limit.itemsize == 8 else np.int32)[0]):
        return False
    # Some sign bit is set: a negative number, a -0.0, or a NaN with a sign.
    return extremes[:, 0].min() >= 0 or bool(np.min(pred_probs, initial=0.0) >= -EPS)
