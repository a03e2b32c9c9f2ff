"""Boxes that overlap: IoU, and finding the overlapping ones of an image without trying every pair.

Boxes are corners x1, y1, x2, y2. A kernel that is cached does not notice a change in one that it
calls from another file: after changing this file delete the caches (``__pycache__/*.nb?``) of
those that import it.
"""

from __future__ import annotations

import numpy as np

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.typing import Floats, Ints

__all__ = [
    "OTHER",
    "SAME",
    "ioa",
    "iou",
    "near_boxes",
    "overlapping",
    "pair_ious",
    "sorted_into_cells",
]


SAME, OTHER = 0, 1
"""Columns of `near_boxes`: a partner of the same class, of another."""
_FEW = 32
"""So many boxes are gone through one by one faster than through cells."""
_LOAD = 8
"""Cells hold at most so many entries per box on average; a box has one in each cell it touches."""


@kernel
def iou(a: Floats, b: Floats) -> float:
    """Intersection of two boxes over their union; 0 where they only touch."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    inter = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter
    share: float = inter / union if union > 0.0 else 0.0
    return share


@kernel
def ioa(a: Floats, b: Floats) -> float:
    """Share of the area of `a` that lies inside of `b`."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    area = (a[2] - a[0]) * (a[3] - a[1])
    share: float = width * height / area if area > 0.0 else 0.0
    return share


@kernel
def _ious(a: Floats, b: Floats, out: Floats) -> None:
    for row in range(out.shape[0]):
        out[row] = iou(a[row], b[row])


def pair_ious(a: Floats, b: Floats) -> Floats:
    """Return the IoU of boxes pair by pair, both of shape (m, 4)."""
    out = np.empty(len(a))
    _ious(frozen(np.ascontiguousarray(a)), frozen(np.ascontiguousarray(b)), out)
    return out


@kernel
def _cell(value: float, start: float, side: float, count: int) -> int:
    """Return in which of `count` cells a coordinate is; those outside count to the nearest."""
    at = (value - start) / side if side > 0.0 else 0.0
    return int(min(max(at, 0.0), count - 1.0))


@kernel
def _entries(boxes: Floats, first: int, last: int, frame: Floats, counts: Ints) -> int:
    """Return how many cells the boxes touch in all."""
    total = 0
    for row in range(first, last):
        across = _cell(boxes[row, 2], frame[0], frame[2], counts[0])
        across -= _cell(boxes[row, 0], frame[0], frame[2], counts[0])
        down = _cell(boxes[row, 3], frame[1], frame[3], counts[1])
        down -= _cell(boxes[row, 1], frame[1], frame[3], counts[1])
        total += (across + 1) * (down + 1)
    return total


@kernel
def _frame(boxes: Floats, first: int, last: int, frame: Floats, counts: Ints) -> None:
    """Choose cells of about the size of the boxes, no more than twice as many as boxes."""
    n = last - first
    for axis in range(2):
        low, high, sides = np.inf, -np.inf, 0.0
        for row in range(first, last):
            low, high = min(low, boxes[row, axis]), max(high, boxes[row, axis + 2])
            sides += boxes[row, axis + 2] - boxes[row, axis]
        extent, mean = high - low, sides / n
        frame[axis], frame[axis + 2] = low, extent
        counts[axis] = n if mean <= 0.0 else int(min(max(extent / mean, 1.0), float(n)))
    while True:
        sides_x, sides_y = frame[2] / counts[0], frame[3] / counts[1]
        cells = np.array([frame[0], frame[1], sides_x, sides_y])
        few = counts[0] * counts[1] <= 2 * n
        if few and (
            counts[0] * counts[1] == 1 or _entries(boxes, first, last, cells, counts) <= _LOAD * n
        ):
            frame[2], frame[3] = sides_x, sides_y
            return
        larger = 0 if counts[0] >= counts[1] else 1
        counts[larger] = max(counts[larger] // 2, 1)


@kernel
def sorted_into_cells(boxes: Floats, first: int, last: int) -> tuple[Floats, Ints, Ints, Ints]:
    """Sort the boxes ``first .. last - 1`` of an image into a grid of cells, for `overlapping`.

    Returns where the grid starts and the sides of a cell, how many cells there are across and
    down, where the entries of each cell start, and the entries: rows of `boxes`, ascending.
    """
    n = last - first
    frame, counts = np.zeros(4), np.ones(2, dtype=np.int64)
    if n <= _FEW:
        return frame, counts, np.array([0, n]), np.arange(first, last)
    _frame(boxes, first, last, frame, counts)
    starts = np.zeros(counts[0] * counts[1] + 1, dtype=np.int64)
    rows = np.empty(0, dtype=np.int64)
    for fill in range(2):  # first how many entries each cell has, then the entries
        for row in range(first, last):
            left = _cell(boxes[row, 0], frame[0], frame[2], counts[0])
            right = _cell(boxes[row, 2], frame[0], frame[2], counts[0])
            top = _cell(boxes[row, 1], frame[1], frame[3], counts[1])
            bottom = _cell(boxes[row, 3], frame[1], frame[3], counts[1])
            for down in range(top, bottom + 1):
                for across in range(left, right + 1):
                    cell = down * counts[0] + across
                    if fill:
                        rows[starts[cell]] = row
                    starts[cell + 1 - fill] += 1
        if not fill:
            starts = np.cumsum(starts)
            rows = np.empty(starts[-1], dtype=np.int64)
    # Each start has moved to the end of its cell, where the next one starts.
    starts[1:] = starts[:-1].copy()
    starts[0] = 0
    return frame, counts, starts, rows


@kernel
def overlapping(
    boxes: Floats, grid: tuple[Floats, Ints, Ints, Ints], box: Floats, out: Ints
) -> int:
    """Write into `out` the rows of the boxes that overlap a box, each once; return how many."""
    frame, counts, starts, rows = grid
    left = _cell(box[0], frame[0], frame[2], counts[0])
    right = _cell(box[2], frame[0], frame[2], counts[0])
    top = _cell(box[1], frame[1], frame[3], counts[1])
    bottom = _cell(box[3], frame[1], frame[3], counts[1])
    found = 0
    for down in range(top, bottom + 1):
        for across in range(left, right + 1):
            cell = down * counts[0] + across
            for at in range(starts[cell], starts[cell + 1]):
                row = rows[at]
                x, y = max(box[0], boxes[row, 0]), max(box[1], boxes[row, 1])
                if min(box[2], boxes[row, 2]) <= x or min(box[3], boxes[row, 3]) <= y:
                    continue
                # Of the cells that both touch, the one with the corner of the overlap has it.
                if (
                    _cell(x, frame[0], frame[2], counts[0]) == across
                    and _cell(y, frame[1], frame[3], counts[1]) == down
                ):
                    out[found] = row
                    found += 1
    return found


@kernel
def near_boxes(
    boxes: Floats, classes: Ints, offsets: Ints, limits: Floats, partners: Ints, ious: Floats
) -> None:
    """Find for each box the box of the same image that is most like it.

    Parameters
    ----------
    boxes : float64 (n, 4)
    classes : int64 (n,)
    offsets : int64 (images + 1,)
        The boxes of image i are those from ``offsets[i]`` to ``offsets[i + 1]``.
    limits : float64 (2,)
        Least IoU that counts: with a box of the same class, of another.
    partners : int64 (n, 2)
        Receives the position of the partner of the same class, and of another; -1 if there is none.
    ious : float64 (n, 2)
        Receives the IoU with them, 0 if there is none.
    """
    for image in range(offsets.shape[0] - 1):
        first, last = offsets[image], offsets[image + 1]
        grid = sorted_into_cells(boxes, first, last)
        near = np.empty(last - first, dtype=np.int64)
        for i in range(first, last):
            partners[i] = -1
            ious[i] = 0.0
            for at in range(overlapping(boxes, grid, boxes[i], near)):
                j = near[at]
                which = SAME if classes[i] == classes[j] else OTHER
                value = iou(boxes[i], boxes[j])
                if j == i or value < limits[which] or value < ious[i, which]:
                    continue
                if value > ious[i, which] or j < partners[i, which]:
                    ious[i, which], partners[i, which] = value, j
