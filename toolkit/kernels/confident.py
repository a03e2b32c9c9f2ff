"""The one pass over pred_probs that everything else comes from.

Probabilities are compared as integers: non-negative IEEE floats order like their bits, and integer
maxima, counts and sums are vectorised by the compiler where float ones are not. Bits of negative
numbers are above all others: a row that holds one is compared once more, as if they were 0. Other
rows are looked at a second time only where the model's class is not the given one.

References
----------
C. Northcutt, L. Jiang, I. Chuang. Confident Learning: Estimating Uncertainty in Dataset Labels.
JAIR 70 (2021), equation 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.kernels.class_means import EPS, NEVER
from goldlabel.kernels.disagreeing import Disagreeing, joined, places
from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.typing import AnyFloats, Ints

__all__ = [
    "AGREES",
    "OFF_DIAGONAL",
    "Sweep",
    "sweep",
]

Bits = npt.NDArray[Any]
"""uint64 or uint32: the bits of float64 or float32."""

AGREES = 1
"""Flag: the model's class is the given one, or within EPS of it."""
OFF_DIAGONAL = 2
"""Flag: counted off the diagonal of the confident joint."""

_UNIT = 1 << 40  # row sums are taken in fixed point: exact, and vectorised
_ONE = 1 << 32  # entries are counted above this bit, their positions summed below


@kernel
def _position(bits: Bits, value: Any, skip: Any) -> Any:
    """Position of the first entry equal to `value`, other than `skip`; their number if none is."""
    k = bits.shape[0]
    found = k
    for j in range(k):
        found = min(found, j if bits[j] == value and j != skip else k)
    return found


@kernel
def _largest(row: AnyFloats, skip: Any) -> int:
    """Position of the largest entry other than `skip`, the lowest of equals; -1 without any."""
    found = -1
    for j in range(row.shape[0]):
        if j != skip and (found < 0 or row[j] > row[found]):
            found = j
    return found


@kernel
def _largest_confident(row: AnyFloats, cuts: Bits, sign: Any, bits: Bits) -> int:
    """Position of the largest entry that reaches its cut, the lowest of equals."""
    found = -1
    for j in range(bits.shape[0]):
        if _unsigned(bits[j], sign) >= cuts[j] and (found < 0 or row[j] > row[found]):
            found = j
    return found


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
    flags: npt.NDArray[np.uint8],
    predicted: npt.NDArray[Any],
    self_confidence: AnyFloats,
    normalized_margin: AnyFloats,
    extremes: Ints,
    cell: AnyFloats,
    cell_bits: Bits,
    rows: Ints,
    p_given: AnyFloats,
    p_predicted: AnyFloats,
    keep: bool,
) -> Any:
    """Read each row once; see `sweep`. Return how many rows are kept: `rows` lists them.

    `extremes` gets the number of rows predicted otherwise, the largest bits, the sum farthest from
    1 and its row; `cell` and `cell_bits` are one number's memory seen as a float and as its bits.
    """
    k = bits.shape[1]
    sign = np.uint64(1) << np.uint64(8 * bits.itemsize - 1)
    largest = np.uint64(0)
    worst = np.int64(-1)
    otherwise = 0
    found = np.uint64(0)
    for i in range(bits.shape[0]):
        given = labels[i]
        total = np.int64(0)
        # How many entries are confident, times _ONE, and the sum of their positions.
        confident = np.int64(0)
        other = np.uint64(0)
        for j in range(k):
            b = np.uint64(bits[i, j])
            confident += _ONE + j if b >= cuts[j] else 0
            total += np.int64(pred_probs[i, j] * _UNIT)
            other = max(other, b if j != given else np.uint64(0))
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
        at = np.uint64(given)  # an index that can't be negative is looked up at once
        own = np.uint64(bits[i, at])
        top = max(own, other)
        largest = max(largest, top)
        if top >= sign:
            confident, other = _compared(bits[i], cuts, sign, given)
            own = _unsigned(own, sign)

        agrees = True
        best = given
        mine = pred_probs[i, at]
        if own <= other or own == np.uint64(0):
            # The model may prefer another class; bits of zeros and below do not order.
            if other == np.uint64(0):
                second = _largest(pred_probs[i], given)
            else:
                second = _position(bits[i], other, given)
            if second >= 0:
                rival = pred_probs[i, np.uint64(second)]
                if rival > mine or (rival == mine and second < given):
                    best = second
                cell[0] = np.float64(mine) + EPS  # rounded to the precision of pred_probs
                agrees = cell[0] > rival or (cell[0] == rival and given < second)
                # Written whether or not it counts: a branch that can't be foreseen costs more.
                rows[found] = i
                p_given[found] = mine
                p_predicted[found] = rival
                found += np.uint64(keep and not agrees)
                otherwise += best != given

        guess: Any = confident & (_ONE - 1) if confident < 2 * _ONE else best
        if confident_only and confident >= 2 * _ONE:
            guess = _largest_confident(pred_probs[i], cuts, sign, bits[i])
        counted = confident >= _ONE
        joint[at, np.uint64(guess)] += np.int64(counted)
        flags[i] = AGREES * np.int64(agrees) | OFF_DIAGONAL * np.int64(counted & (guess != given))
        predicted[i] = best
        if self_confidence.shape[0]:
            self_confidence[i] = min(max(np.float64(mine), 0.0), 1.0)
        if normalized_margin.shape[0]:
            cell_bits[0] = other
            gap = np.float64(mine) - np.float64(cell[0])
            normalized_margin[i] = min(max((gap + 1.0) / 2.0, 0.0), 1.0) if k > 1 else 1.0
    extremes[0] = otherwise
    extremes[1] = -1 if largest >= sign else np.int64(largest)
    return np.int64(found)


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
    disagreeing : Disagreeing, optional
        If it was asked for.
    otherwise : int
        Rows, of those not left out, whose label is not the class in `predicted`. Besides those that
        disagree: where two classes are as probable, or nearly.
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
    disagreeing: Disagreeing | None
    otherwise: int
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
    joints: dict[int, Ints] = {}
    scratches: dict[int, Disagreeing] = {}
    found: dict[int, Disagreeing] = {}
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
            scratches[worker] = places(min(size, n) if disagreeing else 1, probs.dtype, n)
        cell = cells[block]
        count = _sweep(
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
            *scratches[worker],
            disagreeing,
        )
        if not disagreeing:
            return
        local, *probabilities = (array[:count] for array in scratches[worker])
        found[block] = Disagreeing(local + rows.start, *(array.copy() for array in probabilities))

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
        disagreeing=joined(found, probs.dtype, n) if disagreeing else None,
        otherwise=int(extremes[:, 0].sum()),
        in_range=_in_range(extremes, pred_probs),
        worst_row=int(block * size + extremes[block, 3]),
        worst_sum=float(extremes[block, 2]) / _UNIT,
    )


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
