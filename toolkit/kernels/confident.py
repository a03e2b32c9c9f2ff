"""The one pass over pred_probs that everything else comes from.

Probabilities are compared as integers: non-negative IEEE floats order like their bits, and integer
maxima, counts and sums are vectorised by the compiler where float ones are not. Bits of negative
numbers are above all others: a row that holds one is compared once more, as if they were 0. Other
rows are looked at a second time only where the model's class is not the given one. All this is
what makes the pass as fast as memory can be read; what it computes, in plain words, is
``check_sweep`` of tests/kernels/test_confident.py.

References
----------
C. Northcutt, L. Jiang, I. Chuang. Confident Learning: Estimating Uncertainty in Dataset Labels.
JAIR 70 (2021), equation 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.kernels.class_means import EPS, NEVER
from goldlabel.kernels.disagreeing import Disagreeing, joined, room_for
from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.typing import AnyFloats, Ints

__all__ = [
    "AGREES",
    "OFF_DIAGONAL",
    "Pairs",
    "Sweep",
    "sweep",
]

Bits = npt.NDArray[Any]
"""uint64 or uint32: the bits of float64 or float32."""
PerRow = tuple[npt.NDArray[Any], ...]
"""Guesses, flags, predicted classes, self-confidences, margins: what a pass says of each row.

A plain tuple: compiled code that is kept on disk would name a class. What is empty is not wanted.
"""

AGREES = 1
"""Flag: the model's class is the given one, or within EPS of it."""
OFF_DIAGONAL = 2
"""Flag: counted off the diagonal of the confident joint."""

_DENSE = 1 << 12
"""Up to so many classes each thread counts in a matrix of classes by classes: 128 MiB at most."""
_UNIT = 1 << 40  # row sums are taken in fixed point: exact, and vectorised
_ONE = 1 << 32  # entries are counted above this bit, their positions summed below


@kernel
def _position(bits: Bits, value: Any, skip: Any) -> Any:
    """Position of the first entry equal to `value`, other than `skip`; their number if none is."""
    k = bits.shape[0]
    first = k
    for j in range(k):
        first = min(first, j if bits[j] == value and j != skip else k)
    return first


@kernel
def _largest(row: AnyFloats, skip: Any) -> int:
    """Position of the largest entry other than `skip`, the lowest of equals; -1 without any."""
    largest = -1
    for j in range(row.shape[0]):
        if j != skip and (largest < 0 or row[j] > row[largest]):
            largest = j
    return largest


@kernel
def _largest_confident(row: AnyFloats, cuts: Bits, sign: Any, bits: Bits) -> int:
    """Position of the largest entry that reaches its cut, the lowest of equals."""
    largest = -1
    for j in range(bits.shape[0]):
        if _unsigned(bits[j], sign) >= cuts[j] and (largest < 0 or row[j] > row[largest]):
            largest = j
    return largest


@kernel
def _unsigned(bits: Any, sign: Any) -> Any:
    """Bits as a number; 0 for those of a negative number, and of -0.0."""
    return np.uint64(0) if bits >= sign else np.uint64(bits)


@kernel
def _compared(bits: Bits, cuts: Bits, sign: Any, given: Any) -> tuple[Any, Any]:
    """Compare a row that holds a negative number: what `_sweep` has of all other rows."""
    confident = np.int64(0)
    other = np.uint64(0)
    for j in range(bits.shape[0]):
        b = _unsigned(bits[j], sign)
        confident += _ONE + j if b >= cuts[j] else 0
        if j != given:
            other = max(other, b)
    return confident, other


@kernel
def _sweep(
    labels: Ints,
    pred_probs: AnyFloats,
    bits: Bits,
    cuts: Bits,
    confident_only: bool,
    joint: Ints,
    per_row: PerRow,
    extremes: Ints,
    cell: AnyFloats,
    cell_bits: Bits,
    disagreeing: tuple[Any, ...],
    keep: bool,
) -> Any:
    """Read each row once; see `sweep`. Return how many rows `disagreeing` lists.

    `joint` is (k, k), or smaller where it is not to be counted. `extremes` gets the number of rows
    whose label is not the predicted class, the largest bits, the sum farthest from 1 and its row;
    `cell` and `cell_bits` are one number's memory seen as a float and as its bits.
    """
    guesses, flags, predicted, self_confidence, normalized_margin = per_row
    rows, p_given, p_predicted = disagreeing
    k = bits.shape[1]
    dense = np.uint64(joint.shape[0] == k)  # a factor of indices: 0 sends all to the one cell
    sign = np.uint64(1) << np.uint64(8 * bits.itemsize - 1)
    largest = np.uint64(0)
    worst = np.int64(-1)
    num_not_predicted = 0
    num_kept = np.uint64(0)
    for i in range(bits.shape[0]):
        given = labels[i]

        # The row's only full pass: no branch, so that the compiler vectorises all three. How many
        # entries are confident is added up in units of _ONE and the sum of their positions below
        # it: if there is one, the position is its own, and no second look is needed to find it.
        total = np.int64(0)
        confident = np.int64(0)
        other = np.uint64(0)
        for j in range(k):
            b = np.uint64(bits[i, j])
            confident += _ONE + j if b >= cuts[j] else 0
            total += np.int64(pred_probs[i, j] * _UNIT)
            other = max(other, b if j != given else np.uint64(0))

        if given < 0:  # left out: only its range and the model's class count
            largest = max(largest, other)
            flags[i] = AGREES
            predicted[i] = _largest(pred_probs[i], -1)
            if guesses.shape[0]:
                guesses[i] = -1
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
        at = np.uint64(given)  # an index that can't be negative is looked up at once
        given_bits = np.uint64(bits[i, at])
        top = max(given_bits, other)
        largest = max(largest, top)
        if top >= sign:  # some entry is negative, or -0.0: its bits are above all others
            confident, other = _compared(bits[i], cuts, sign, given)
            given_bits = _unsigned(given_bits, sign)

        # The model's class. Nearly always it is the given one, and nothing more is read.
        agrees = True
        best = given
        p = pred_probs[i, at]
        if given_bits <= other or given_bits == np.uint64(0):
            if other == np.uint64(0):  # zeros and numbers below 0 do not order like their bits
                second = _largest(pred_probs[i], given)
            else:
                second = _position(bits[i], other, given)
            if second >= 0:
                rival = pred_probs[i, np.uint64(second)]
                if rival > p or (rival == p and second < given):
                    best = second
                cell[0] = np.float64(p) + EPS  # rounded to the precision of pred_probs
                agrees = cell[0] > rival or (cell[0] == rival and given < second)
                # Written whether or not it counts: a branch that can't be foreseen costs more.
                rows[num_kept] = i
                p_given[num_kept] = p
                p_predicted[num_kept] = rival
                num_kept += np.uint64(keep and not agrees)
                num_not_predicted += best != given

        # The class that the row is counted for: the one that is confident, or the best of several.
        guess: Any = confident & (_ONE - 1) if confident < 2 * _ONE else best
        if confident_only and confident >= 2 * _ONE:
            guess = _largest_confident(pred_probs[i], cuts, sign, bits[i])
        counted = confident >= _ONE
        joint[at * dense, np.uint64(guess) * dense] += np.int64(counted)
        if guesses.shape[0]:
            guesses[i] = guess if counted else -1
        flags[i] = AGREES * np.int64(agrees) | OFF_DIAGONAL * np.int64(counted & (guess != given))
        predicted[i] = best
        if self_confidence.shape[0]:
            self_confidence[i] = min(max(np.float64(p), 0.0), 1.0)
        if normalized_margin.shape[0]:
            cell_bits[0] = other
            gap = np.float64(p) - np.float64(cell[0])
            normalized_margin[i] = min(max((gap + 1.0) / 2.0, 0.0), 1.0) if k > 1 else 1.0
    extremes[0] = num_not_predicted
    extremes[1] = -1 if largest >= sign else np.int64(largest)
    return np.int64(num_kept)


class Pairs(NamedTuple):
    """Entries of a matrix of classes by classes that are not zero, row by row; others are 0.

    Attributes
    ----------
    given, guess : ndarray of shape (m,), int64
        Row and column.
    counts : ndarray of shape (m,), int64
    """

    given: Ints
    guess: Ints
    counts: Ints


@dataclass(frozen=True, eq=False)
class Sweep:
    """What one pass over pred_probs gives.

    Attributes
    ----------
    joint : Pairs
        Confident joint as counted: given class by guessed true class, no floor on the diagonal.
    flags : ndarray of shape (n,), uint8, read-only
        `AGREES`, `OFF_DIAGONAL`.
    predicted : ndarray of shape (n,), int16 or int32
        The model's class, the lowest of equals.
    self_confidence, normalized_margin : ndarray of shape (n,) or (0,), float64
        The scores that were asked for.
    disagreeing : Disagreeing, optional
        If it was asked for.
    num_not_predicted : int
        Rows, of those not left out, whose label is not the class in `predicted`. Besides those that
        disagree: where two classes are as probable, or nearly.
    in_range : bool
        Whether every probability is a number in [-EPS, 1 + EPS]; if not, nothing else holds.
    worst_row, worst_sum : int, float
        The row whose sum is farthest from 1, of those not left out.
    """

    joint: Pairs
    flags: npt.NDArray[np.uint8]
    predicted: npt.NDArray[Any]
    self_confidence: npt.NDArray[np.float64]
    normalized_margin: npt.NDArray[np.float64]
    disagreeing: Disagreeing | None
    num_not_predicted: int
    in_range: bool
    worst_row: int
    worst_sum: float


def sweep(
    labels: Ints,
    pred_probs: AnyFloats,
    cutoffs: npt.NDArray[np.float64] | None = None,
    *,
    confident_only: bool = False,
    self_confidence: bool = False,
    normalized_margin: bool = False,
    disagreeing: bool = False,
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
    disagreeing : bool
        Whether to keep the rows that disagree.
    """
    n, k = pred_probs.shape
    integer = np.uint64 if pred_probs.dtype == np.float64 else np.uint32
    cuts = _cuts(np.full(k, NEVER) if cutoffs is None else cutoffs, pred_probs.dtype)
    given, probs, bits = frozen(labels), frozen(pred_probs), frozen(pred_probs, integer)
    size = block_rows(k)
    blocks = max(1, -(-n // size))
    # A matrix of classes by classes for each thread, or the guess of each row where that is less.
    side = k if cutoffs is not None and k <= _DENSE else 1
    joints: dict[int, Ints] = {}
    scratches: dict[int, Disagreeing] = {}
    kept: dict[int, Disagreeing] = {}
    cells = np.zeros((blocks, 1), dtype=pred_probs.dtype)
    extremes = np.zeros((blocks, 4), dtype=np.int64)
    extremes[:, 2] = _UNIT
    per_row: PerRow = (
        np.empty(n if cutoffs is not None and k > _DENSE else 0, dtype=np.int32),
        np.empty(n, dtype=np.uint8),
        np.empty(n, dtype=np.int16 if k <= 1 << 15 else np.int32),
        np.empty(n if self_confidence else 0),
        np.empty(n if normalized_margin else 0),
    )

    def work(worker: int, block: int, rows: slice) -> None:
        if worker not in joints:
            joints[worker] = np.zeros((side, side), dtype=np.int64)
            scratches[worker] = room_for(min(size, n) if disagreeing else 1, probs.dtype, n)
        count = _sweep(
            given[rows],
            probs[rows],
            bits[rows],
            cuts,
            confident_only,
            joints[worker],
            tuple(array[rows] for array in per_row),
            extremes[block],
            cells[block],
            cells[block].view(integer),
            tuple(scratches[worker]),
            disagreeing,
        )
        if not disagreeing:
            return
        local, *probabilities = (array[:count] for array in scratches[worker])
        kept[block] = Disagreeing(local + rows.start, *(array.copy() for array in probabilities))

    each_block(work, n, size)
    guesses, flags, predicted, confidences, margins = per_row
    worst = int(np.argmax(np.abs(extremes[:, 2] - _UNIT)))
    return Sweep(
        joint=_pairs_of_rows(given, guesses, k) if guesses.shape[0] else _pairs(joints, k),
        flags=frozen(flags),
        predicted=predicted,
        self_confidence=confidences,
        normalized_margin=margins,
        disagreeing=joined(kept, probs.dtype, n) if disagreeing else None,
        num_not_predicted=int(extremes[:, 0].sum()),
        in_range=_in_range(extremes, pred_probs),
        worst_row=int(worst * size + extremes[worst, 3]),
        worst_sum=float(extremes[worst, 2]) / _UNIT,
    )


def _pairs(joints: dict[int, Ints], k: int) -> Pairs:
    """Add up the joints of all threads."""
    partials = list(joints.values())
    if not partials or partials[0].shape[0] != k:  # no rows, or not to be counted
        return Pairs(*(np.empty(0, dtype=np.int64) for _ in Pairs._fields))
    total = partials[0]
    for partial in partials[1:]:
        total += partial
    # Several times faster than `nonzero` of the matrix.
    given, guess = np.divmod(np.flatnonzero(total.ravel() != 0), max(k, 1))
    return Pairs(given, guess, total[given, guess])


def _pairs_of_rows(labels: Ints, guesses: npt.NDArray[np.int32], k: int) -> Pairs:
    """Count rows by given class and guess; -1 is none."""
    rows = np.flatnonzero(guesses >= 0)
    pairs, counts = np.unique(labels[rows] * k + guesses[rows], return_counts=True)
    return Pairs(*np.divmod(pairs, k), counts.astype(np.int64))


def _cuts(cutoffs: npt.NDArray[np.float64], dtype: np.dtype[Any]) -> Bits:
    """Return the bits of the smallest probability of this dtype that reaches each threshold."""
    lowest = np.maximum(cutoffs - EPS, 0.0)
    cuts = lowest.astype(dtype)
    cuts = np.where(cuts < lowest, np.nextafter(cuts, dtype.type(np.inf)), cuts).astype(dtype)
    return frozen(cuts, np.uint64 if dtype == np.float64 else np.uint32)


def _in_range(extremes: Ints, pred_probs: AnyFloats) -> bool:
    limit = np.array([1.0 + EPS]).astype(pred_probs.dtype)
    bits = limit.view(np.uint64 if limit.itemsize == 8 else np.uint32)
    if extremes[:, 1].min() < 0:  # a sign bit is set: of a negative number, a -0.0 or a NaN
        least, most = np.min(pred_probs), np.max(pred_probs)
        return bool(least >= -EPS and most <= limit[0])
    return int(extremes[:, 1].max()) <= int(bits[0])
