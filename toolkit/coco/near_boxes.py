"""Boxes of one image that are nearly the same."""

from __future__ import annotations

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Floats, Ints

__all__ = ["near_boxes"]


SAME, OTHER = 0, 1


@kernel
def _iou(a: Floats, b: Floats) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return float(shared / (a[2] * a[3] + b[2] * b[3] - shared))


@kernel
def near_boxes(
    boxes: Floats,
    classes: Ints,
    offsets: Ints,
    limits: Floats,
    most: int,
    partners: Ints,
    ious: Floats,
) -> None:
    """Find for each box the box of the same image that is most like it.

    Boxes of an image are sorted by their left edge: IoU of at least t means that the left edge of
    the one further right is at most (1 - t) of the other's width away, so that few are looked at.

    Parameters
    ----------
    boxes : float64 (n, 4)
        Left, top, width, height, both above 0.
    classes : int64 (n,)
    offsets : int64 (images + 1,)
        The boxes of image i are those from ``offsets[i]`` to ``offsets[i + 1]``.
    limits : float64 (2,)
        Least IoU that counts, above 0: with a box of the same class, of another.
    most : int
        With how many boxes to its right a box is compared at most.
    partners : int64 (n, 2)
        Receives the position of the partner of the same class, and of another; -1 if there is none.
    ious : float64 (n, 2)
        Receives the IoU with them, 0 if there is none.
    """
    least = min(limits[SAME], limits[OTHER])
    for image in range(offsets.shape[0] - 1):
        partners[offsets[image] : offsets[image + 1]] = -1
        ious[offsets[image] : offsets[image + 1]] = 0.0
        for i in range(offsets[image], offsets[image + 1]):
            reach = boxes[i, 0] + boxes[i, 2] * (1.0 - least)
            reach += 1e-9 * abs(reach)
            for j in range(i + 1, min(offsets[image + 1], i + 1 + most)):
                if boxes[j, 0] > reach:
                    break
                iou = _iou(boxes[i], boxes[j])
                which = SAME if classes[i] == classes[j] else OTHER
                if iou < limits[which]:
                    continue
                if iou > ious[i, which]:
                    ious[i, which], partners[i, which] = iou, j
                if iou > ious[j, which]:
                    ious[j, which], partners[j, which] = iou, i
