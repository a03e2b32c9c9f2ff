"""Loops of average precision: predictions matched at all thresholds at once, and steps of recall.

As in `goldlabel.tasks.detection.kernels`, images are independent of each other, and `order` has the
predictions of each image best first.
"""

from __future__ import annotations

import numpy as np

from goldlabel.kernels._jit import kernel
from goldlabel.kernels.boxes import ioa, iou, overlapping, sorted_into_cells
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["coco_matches", "coco_precision", "precision_steps", "true_positives"]


@kernel
def true_positives(
    boxes: Floats,
    classes: Ints,
    offsets: Ints,
    predicted: Floats,
    predicted_classes: Ints,
    order: Ints,
    predicted_offsets: Ints,
    taus: Floats,
    hits: Ints,
    taken: Ints,
) -> None:
    """Match predictions to annotations at all thresholds at once, one bit each.

    A prediction is right at a threshold where the IoU with its best annotation of its class reaches
    it and no better prediction took that annotation.
    """
    for image in range(offsets.shape[0] - 1):
        first, last = offsets[image], offsets[image + 1]
        grid = sorted_into_cells(boxes, first, last)
        near = np.empty(last - first, dtype=np.int64)
        for at in range(predicted_offsets[image], predicted_offsets[image + 1]):
            j = order[at]
            best = 0.0
            which = -1
            for entry in range(overlapping(boxes, grid, predicted[j], near)):
                i = near[entry]
                if classes[i] != predicted_classes[j]:
                    continue
                overlap = iou(boxes[i], predicted[j])
                if overlap > best or (overlap == best and i < which):
                    best, which = overlap, i
            reached = 0
            for tau in range(taus.shape[0]):
                if best >= taus[tau]:
                    reached |= 1 << tau
            if which >= 0:
                hits[j] = reached & ~taken[which]
                taken[which] |= reached


@kernel
def precision_steps(hits: Ints, classes: Ints, counts: Ints, out: Floats) -> None:
    """Average precision of each class at each threshold, `out` of (k, thresholds).

    `hits` and `classes` are sorted by class and descending score. Walked from the end of a class,
    precision is made non-increasing without being stored.
    """
    end = hits.shape[0]
    while end > 0:
        label = classes[end - 1]
        start = end
        while start > 0 and classes[start - 1] == label:
            start -= 1
        for tau in range(out.shape[1]):
            right = 0
            for row in range(start, end):
                right += (hits[row] >> tau) & 1
            best = 0.0
            area = 0.0
            for row in range(end - 1, start - 1, -1):
                best = max(best, right / (row - start + 1))
                if (hits[row] >> tau) & 1:
                    area += best
                    right -= 1
            out[label, tau] = area / counts[label] if counts[label] > 0 else 0.0
        end = start


@kernel
def coco_matches(
    boxes: Floats,
    classes: Ints,
    ignore: Mask,
    offsets: Ints,
    predicted: Floats,
    predicted_classes: Ints,
    order: Ints,
    predicted_offsets: Ints,
    taus: Floats,
    hits: Ints,
    excused: Ints,
    taken: Ints,
) -> None:
    """Match as COCO does, at all thresholds at once: one bit each in `hits` and `excused`.

    A prediction takes the free annotation of its class that it overlaps most (of equals the last),
    and only where there is none is it excused by one to ignore, whose share of the prediction's own
    area counts and which excuses any number.
    """
    for image in range(offsets.shape[0] - 1):
        first, last = offsets[image], offsets[image + 1]
        grid = sorted_into_cells(boxes, first, last)
        near = np.empty(last - first, dtype=np.int64)
        for at in range(predicted_offsets[image], predicted_offsets[image + 1]):
            j = order[at]
            count = overlapping(boxes, grid, predicted[j], near)
            for tau in range(taus.shape[0]):
                best = taus[tau]
                which = -1
                is_excused = False
                for entry in range(count):
                    i = near[entry]
                    if classes[i] != predicted_classes[j]:
                        continue
                    if ignore[i]:
                        is_excused = is_excused or ioa(predicted[j], boxes[i]) >= taus[tau]
                    elif not (taken[i] >> tau) & 1:
                        overlap = iou(boxes[i], predicted[j])
                        if overlap > best or (overlap == best and i > which):
                            best, which = overlap, i
                if which >= 0:
                    taken[which] |= 1 << tau
                    hits[j] |= 1 << tau
                elif is_excused:
                    excused[j] |= 1 << tau


@kernel
def coco_precision(
    hits: Ints, excused: Ints, classes: Ints, counts: Ints, recalls: Floats, out: Floats
) -> None:
    """Average precision of each class at each threshold, as the mean at the given recalls.

    As `precision_steps`; what is excused is neither right nor wrong.
    """
    end = hits.shape[0]
    while end > 0:
        label = classes[end - 1]
        start = end
        while start > 0 and classes[start - 1] == label:
            start -= 1
        for tau in range(out.shape[1] if counts[label] > 0 else 0):
            right = 0
            judged = 0
            for row in range(start, end):
                right += (hits[row] >> tau) & 1
                judged += 1 - ((excused[row] >> tau) & 1)
            best = 0.0
            total = 0.0
            at = recalls.shape[0] - 1
            while recalls[at] > right / counts[label]:
                at -= 1
            for row in range(end - 1, start - 1, -1):
                if judged > 0:
                    best = max(best, right / judged)
                if (hits[row] >> tau) & 1:
                    right -= 1
                    while at > 0 and recalls[at] > right / counts[label]:
                        total += best
                        at -= 1
                judged -= 1 - ((excused[row] >> tau) & 1)
            out[label, tau] = (total + best) / recalls.shape[0]  # at a recall of 0, the best of all
        end = start
