"""Loops over the boxes of images that overlap, annotations and predictions.

Images are independent of each other: a kernel gets the offsets of a block of them and writes only
what belongs to its boxes. `order` has the predictions of each image best first.
"""

from __future__ import annotations

import numpy as np

from goldlabel.kernels._jit import kernel
from goldlabel.kernels.boxes import ioa, iou, overlapping, sorted_into_cells
from goldlabel.typing import Floats, Ints, Mask

__all__ = [
    "best_predictions",
    "match",
    "nearest_predictions",
    "objectlab",
    "overlaps_its_class",
]


@kernel
def _similarity(
    a: Floats, b: Floats, overlap: float, alpha: float, scale: Floats, rounded: bool
) -> float:
    dx = scale[0] * (a[0] + a[2] - b[0] - b[2]) / 2.0
    dy = scale[1] * (a[1] + a[3] - b[1] - b[3]) / 2.0
    closeness = np.exp(-np.sqrt(dx * dx + dy * dy))
    if rounded:
        closeness = 1.0 - (1.0 - closeness)
    value: float = alpha * overlap + (1.0 - alpha) * closeness
    return value


@kernel
def objectlab(
    boxes: Floats,
    classes: Ints,
    offsets: Ints,
    predicted: Floats,
    predicted_classes: Ints,
    scores: Floats,
    predicted_offsets: Ints,
    ignored: Floats,
    ignored_offsets: Ints,
    scales: Floats,
    settings: Floats,
    same: Floats,
    apart: Mask,
    near: Floats,
    other: Floats,
    clash: Mask,
    least: Floats,
) -> None:
    """Do all of ObjectLab that needs pairs of boxes.

    `settings` is alpha, low, high, overlap, and whether the least similarity of all pairs is
    wanted. If so, closeness is rounded to multiples of 2^-53, as in the published implementation:
    boxes more than 367 pixels apart have none, and the least similarity is no smaller.

    Written: for each prediction `same` (largest similarity to an annotation of its class, -1 if
    none) and `apart` (overlaps nothing); for each annotation `near` (largest similarity to a
    prediction of its class above `low` that overlaps it), `other` (to one of another class above
    `high`; -1 if none) and `clash` (another class given to the same place); for each image `least`.
    """
    alpha, low, high, limit, want = settings
    for image in range(least.shape[0]):
        least[image] = 1.0
        for j in range(predicted_offsets[image], predicted_offsets[image + 1]):
            score = scores[j]
            best = -1.0
            alone = score >= high
            if alone:
                for i in range(ignored_offsets[image], ignored_offsets[image + 1]):
                    alone = alone and iou(ignored[i], predicted[j]) == 0.0
            for i in range(offsets[image], offsets[image + 1]):
                overlap = iou(boxes[i], predicted[j])
                alone = alone and overlap == 0.0
                is_same = classes[i] == predicted_classes[j]
                close = is_same and score > low and overlap > 0.0
                wanted = close or (is_same and score >= high) or (not is_same and score > high)
                if not wanted and want == 0.0:
                    continue
                value = _similarity(
                    boxes[i], predicted[j], overlap, alpha, scales[image], want != 0.0
                )
                if value > 0.0 and value < least[image]:
                    least[image] = value
                if is_same:
                    best = max(best, value)
                    if close:
                        near[i] = max(near[i], value)
                elif score > high:
                    other[i] = max(other[i], value)
            same[j] = best
            apart[j] = alone
        for i in range(offsets[image], offsets[image + 1]):
            for j in range(i + 1, offsets[image + 1]):
                if classes[i] != classes[j] and iou(boxes[i], boxes[j]) >= limit:
                    clash[i] = True
                    clash[j] = True


@kernel
def best_predictions(
    boxes: Floats,
    classes: Ints,
    images: Ints,
    predicted: Floats,
    predicted_classes: Ints,
    scores: Floats,
    predicted_offsets: Ints,
    same: bool,
    least: float,
    out: Ints,
) -> None:
    """Find for each box the prediction that it overlaps most, the first one if it overlaps none.

    Of its class or, unless `same`, of another, with a score above `least`; -1 where there is none.
    """
    for row in range(out.shape[0]):
        best = -1.0
        out[row] = -1
        for j in range(predicted_offsets[images[row]], predicted_offsets[images[row] + 1]):
            if (predicted_classes[j] == classes[row]) != same or not scores[j] > least:
                continue
            overlap = iou(boxes[row], predicted[j])
            if overlap > best:
                best, out[row] = overlap, j


@kernel
def match(
    boxes: Floats,
    classes: Ints,
    offsets: Ints,
    predicted: Floats,
    predicted_classes: Ints,
    order: Ints,
    predicted_offsets: Ints,
    ignored: Floats,
    ignored_offsets: Ints,
    match_iou: float,
    near_iou: float,
    matched: Ints,
    matched_iou: Floats,
    conflicting: Ints,
    displaced: Ints,
    max_iou: Floats,
    state: Ints,
    prediction_max_iou: Floats,
    prediction_matched_iou: Floats,
) -> None:
    """Match predictions, best first, to annotations of their class, and see what is left.

    `goldlabel.tasks.detection.matching.Matches` says what is written.
    """
    for image in range(offsets.shape[0] - 1):
        first, last = offsets[image], offsets[image + 1]
        start, stop = predicted_offsets[image], predicted_offsets[image + 1]
        grid = sorted_into_cells(boxes, first, last)
        ignored_grid = sorted_into_cells(
            ignored, ignored_offsets[image], ignored_offsets[image + 1]
        )
        crowd = ignored_offsets[image + 1] - ignored_offsets[image]
        near = np.empty(max(last - first, stop - start, crowd), dtype=np.int64)
        for at in range(start, stop):
            j = order[at]
            best = 0.0
            which = -1
            repeats = False
            for entry in range(overlapping(boxes, grid, predicted[j], near)):
                i = near[entry]
                overlap = iou(boxes[i], predicted[j])
                prediction_max_iou[j] = max(prediction_max_iou[j], overlap)
                max_iou[i] = max(max_iou[i], overlap)
                if overlap < match_iou or classes[i] != predicted_classes[j]:
                    continue
                if matched[i] >= 0:
                    repeats = True
                elif overlap > best or (overlap == best and i < which):
                    best, which = overlap, i
            if which >= 0:
                matched[which] = j
                matched_iou[which] = best
                state[j] = 1
            elif repeats:
                state[j] = 2
            else:
                for entry in range(overlapping(ignored, ignored_grid, predicted[j], near)):
                    if ioa(predicted[j], ignored[near[entry]]) >= match_iou:
                        state[j] = 3
        predicted_grid = sorted_into_cells(predicted, start, stop)
        rank = np.empty(stop - start, dtype=np.int64)
        for at in range(start, stop):
            rank[order[at] - start] = at
        for at in range(start, stop):
            j = order[at]
            if state[j] != 0:
                continue
            for entry in range(overlapping(boxes, grid, predicted[j], near)):
                i = near[entry]
                overlap = iou(boxes[i], predicted[j])
                if classes[i] == predicted_classes[j]:
                    if matched[i] >= 0:
                        prediction_matched_iou[j] = max(prediction_matched_iou[j], overlap)
                    elif overlap >= near_iou and displaced[i] < 0:
                        displaced[i] = j
                elif overlap >= match_iou and conflicting[i] < 0 and matched[i] < 0:
                    conflicting[i] = j
            for entry in range(overlapping(predicted, predicted_grid, predicted[j], near)):
                better = near[entry]
                if state[better] == 0 and rank[better - start] < at:
                    if iou(predicted[better], predicted[j]) >= match_iou:
                        state[j] = 4
                        break


@kernel
def overlaps_its_class(
    boxes: Floats,
    classes: Ints,
    offsets: Ints,
    predicted: Floats,
    predicted_classes: Ints,
    predicted_offsets: Ints,
    out: Mask,
) -> None:
    """Say of each prediction whether it overlaps an annotation of its class."""
    for image in range(offsets.shape[0] - 1):
        first, last = offsets[image], offsets[image + 1]
        grid = sorted_into_cells(boxes, first, last)
        near = np.empty(last - first, dtype=np.int64)
        for j in range(predicted_offsets[image], predicted_offsets[image + 1]):
            out[j] = False
            for entry in range(overlapping(boxes, grid, predicted[j], near)):
                out[j] = out[j] or classes[near[entry]] == predicted_classes[j]


@kernel
def nearest_predictions(
    boxes: Floats,
    offsets: Ints,
    predicted: Floats,
    predicted_offsets: Ints,
    which: Ints,
    ious: Floats,
) -> None:
    """Find for each annotation the prediction, of any class, that it overlaps most; -1 = none."""
    for image in range(offsets.shape[0] - 1):
        first, last = offsets[image], offsets[image + 1]
        which[first:last] = -1
        ious[first:last] = 0.0
        grid = sorted_into_cells(boxes, first, last)
        near = np.empty(last - first, dtype=np.int64)
        for j in range(predicted_offsets[image], predicted_offsets[image + 1]):
            for entry in range(overlapping(boxes, grid, predicted[j], near)):
                i = near[entry]
                overlap = iou(boxes[i], predicted[j])
                if overlap > ious[i]:
                    ious[i], which[i] = overlap, j
