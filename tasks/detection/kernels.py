"""Loops over the boxes of images: every pair of an annotation and a prediction is met once.

Images are independent of each other: a kernel gets the offsets of a block of them and writes only
what belongs to its boxes.
"""

from __future__ import annotations

import numpy as np

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["match", "objectlab", "precision_steps", "true_positives", "twins"]


TINY = 1e-6
"""Least union of two boxes: two identical boxes without area have no overlap."""


@kernel
def _iou(a: Floats, b: Floats) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    inter = width * height
    whole = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter
    share: float = inter / max(whole, TINY)
    return share


@kernel
def _similarity(
    a: Floats, b: Floats, iou: float, alpha: float, scale: Floats, rounded: bool
) -> float:
    dx = scale[0] * (a[0] + a[2] - b[0] - b[2]) / 2.0
    dy = scale[1] * (a[1] + a[3] - b[1] - b[3]) / 2.0
    closeness = np.exp(-np.sqrt(dx * dx + dy * dy))
    if rounded:
        closeness = 1.0 - (1.0 - closeness)
    value: float = alpha * iou + (1.0 - alpha) * closeness
    return value


@kernel
def objectlab(
    given: Floats,
    classes: Ints,
    ends: Ints,
    found: Floats,
    found_classes: Ints,
    probs: Floats,
    found_ends: Ints,
    crowd: Floats,
    crowd_ends: Ints,
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
    alpha, low, high, overlap, want = settings
    for image in range(least.shape[0]):
        least[image] = 1.0
        for j in range(found_ends[image], found_ends[image + 1]):
            p = probs[j]
            best = -1.0
            alone = p >= high
            if alone:
                for i in range(crowd_ends[image], crowd_ends[image + 1]):
                    alone = alone and _iou(crowd[i], found[j]) == 0.0
            for i in range(ends[image], ends[image + 1]):
                iou = _iou(given[i], found[j])
                alone = alone and iou == 0.0
                is_same = classes[i] == found_classes[j]
                close = is_same and p > low and iou > 0.0
                wanted = close or (is_same and p >= high) or (not is_same and p > high)
                if not wanted and want == 0.0:
                    continue
                value = _similarity(given[i], found[j], iou, alpha, scales[image], want != 0.0)
                if value > 0.0 and value < least[image]:
                    least[image] = value
                if is_same:
                    best = max(best, value)
                    if close:
                        near[i] = max(near[i], value)
                elif p > high:
                    other[i] = max(other[i], value)
            same[j] = best
            apart[j] = alone
        for i in range(ends[image], ends[image + 1]):
            for j in range(i + 1, ends[image + 1]):
                if classes[i] != classes[j] and _iou(given[i], given[j]) >= overlap:
                    clash[i] = True
                    clash[j] = True


@kernel
def true_positives(
    given: Floats,
    classes: Ints,
    ends: Ints,
    found: Floats,
    found_classes: Ints,
    order: Ints,
    found_ends: Ints,
    taus: Floats,
    hits: Ints,
    taken: Ints,
) -> None:
    """Match predictions to annotations at all thresholds at once, one bit each.

    A prediction, best first by `order`, is right at a threshold where the IoU with its best
    annotation of its class reaches it and no better prediction took that annotation.
    """
    for image in range(ends.shape[0] - 1):
        for at in range(found_ends[image], found_ends[image + 1]):
            j = order[at]
            best = -1.0
            which = -1
            for i in range(ends[image], ends[image + 1]):
                if classes[i] == found_classes[j]:
                    iou = _iou(given[i], found[j])
                    if iou > best:
                        best = iou
                        which = i
            if which < 0:
                continue
            reached = 0
            for tau in range(taus.shape[0]):
                if best >= taus[tau]:
                    reached |= 1 << tau
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
def match(
    given: Floats,
    classes: Ints,
    ends: Ints,
    found: Floats,
    found_classes: Ints,
    order: Ints,
    found_ends: Ints,
    crowd: Floats,
    crowd_ends: Ints,
    tau: float,
    near: float,
    partner: Ints,
    reach: Floats,
    state: Ints,
    cover: Floats,
    beside: Floats,
    rival: Ints,
    shifted: Ints,
    seen: Floats,
) -> None:
    """Match predictions, best first, to annotations of their class, and see what is left.

    For each annotation: `partner` (prediction, -1), `reach` (their IoU), `rival` (the best
    unmatched prediction of another class at IoU >= `tau`, -1), `shifted` (the best unmatched one of
    its class at IoU >= `near`, -1), `seen` (largest IoU with any prediction). For each prediction:
    `state` (0 unmatched, 1 matched, 2 a repetition of a match, 3 inside of what is ignored, 4
    unmatched on top of a better unmatched one), `cover` (largest IoU with any annotation),
    `beside` (with a matched one of its class).
    """
    for image in range(ends.shape[0] - 1):
        first, last = ends[image], ends[image + 1]
        for at in range(found_ends[image], found_ends[image + 1]):
            j = order[at]
            best = -1.0
            which = -1
            repeats = False
            for i in range(first, last):
                iou = _iou(given[i], found[j])
                cover[j] = max(cover[j], iou)
                seen[i] = max(seen[i], iou)
                if iou >= tau and classes[i] == found_classes[j]:
                    if partner[i] >= 0:
                        repeats = True
                    elif iou > best:
                        best = iou
                        which = i
            if which >= 0:
                partner[which] = j
                reach[which] = best
                state[j] = 1
            elif repeats:
                state[j] = 2
            else:
                for i in range(crowd_ends[image], crowd_ends[image + 1]):
                    if _inside(found[j], crowd[i]) >= tau:
                        state[j] = 3
        for at in range(found_ends[image], found_ends[image + 1]):
            j = order[at]
            if state[j] != 0:
                continue
            for i in range(first, last):
                iou = _iou(given[i], found[j])
                if classes[i] == found_classes[j]:
                    if partner[i] >= 0:
                        beside[j] = max(beside[j], iou)
                    elif iou >= near and shifted[i] < 0:
                        shifted[i] = j
                elif iou >= tau and rival[i] < 0 and partner[i] < 0:
                    rival[i] = j
            for earlier in range(found_ends[image], at):
                better = order[earlier]
                if state[better] == 0 and _iou(found[better], found[j]) >= tau:
                    state[j] = 4
                    break


@kernel
def _inside(a: Floats, b: Floats) -> float:
    """Share of box `a` that lies inside of `b`."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    share: float = width * height / max((a[2] - a[0]) * (a[3] - a[1]), TINY)
    return share


@kernel
def twins(boxes: Floats, classes: Ints, ends: Ints, twin: Ints, iou: Floats, same: bool) -> None:
    """Find for each box the one of its image, of its class or of any, that it overlaps most."""
    for image in range(ends.shape[0] - 1):
        for i in range(ends[image], ends[image + 1]):
            for j in range(i + 1, ends[image + 1]):
                if same and classes[i] != classes[j]:
                    continue
                value = _iou(boxes[i], boxes[j])
                if value > iou[i]:
                    iou[i] = value
                    twin[i] = j
                if value > iou[j]:
                    iou[j] = value
                    twin[j] = i
