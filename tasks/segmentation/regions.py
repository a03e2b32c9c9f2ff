"""Pixels judged wrong, as regions that a person can look at.

A region is a set of flagged pixels that touch each other, corners included, with one given and
one predicted class. The evidence against its label adds up over its pixels (`flagging.evidence`)::

    score of a region = 1 - sqrt(sum of e**2 over its pixels / labelled pixels of the image)
    score of an image = 1 - sqrt(sum of e**2 over all flagged pixels / labelled pixels)

so ``(1 - image)**2`` is the sum of ``(1 - region)**2``: a large region of which the model is sure,
between classes that it seldom takes for each other, weighs most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goldlabel.tasks.segmentation import kernels, runs
from goldlabel.tasks.segmentation.flagging import Flagged
from goldlabel.typing import Ints

__all__ = ["COVERED", "Region", "find_regions", "score_of"]

COVERED = 0.9
"""The regions listed of an image hold this share of the evidence in it: the rest is specks."""


@dataclass(frozen=True, eq=False)
class Region:
    """One region; measures are in pixels of the mask.

    Attributes
    ----------
    given, predicted : int
        Classes.
    score : float
        Label quality, in [0, 1]; see the module.
    self_confidence, confidence : float
        Mean probability of the given and of the predicted class.
    area : int
    x, y, width, height : int
        Bounding box, from the left and the top.
    counts : str
        Its pixels as COCO run lengths, compressed, on an image of `size` (h, w): that of the mask,
        divided by `scale`.
    """

    given: int
    predicted: int
    score: float
    self_confidence: float
    confidence: float
    area: int
    x: int
    y: int
    width: int
    height: int
    counts: str
    size: tuple[int, int]
    scale: int


def score_of(evidence: float, labelled: int) -> float:
    """Return the label quality that a sum of squared evidence leaves."""
    return float(1.0 - np.sqrt(min(evidence / max(labelled, 1), 1.0)))


def find_regions(
    found: Flagged, evidence: npt.NDArray[np.float64], *, scale: int = 1, covered: float = COVERED
) -> list[Region]:
    """Return the regions of an image that hold most of the evidence in it, worst first.

    Ties go to the region that begins first.
    """
    shape = found.labels.shape
    labels = found.labels.reshape(-1)
    numbers = np.empty(shape, dtype=np.int32)
    count = kernels.components(found.labels, found.predicted.reshape(shape), numbers)
    extents = np.zeros((count, 6), dtype=np.int64)
    sums = np.zeros((count, 3))
    kernels.measure_regions(numbers, found.scores, found.highest, evidence, extents, sums)
    order = np.lexsort((extents[:, 0], -sums[:, 2]))
    upto = np.cumsum(sums[order, 2])
    total = float(upto[-1]) if count else 0.0
    kept = order[: int(np.searchsorted(upto, covered * total)) + 1] if total > 0 else order[:0]
    labelled = int(np.count_nonzero(labels >= 0))
    return [
        _region(found, numbers, region, extents[region], sums[region], labelled, scale)
        for region in kept.tolist()
    ]


def _region(
    found: Flagged,
    numbers: npt.NDArray[np.int32],
    region: int,
    extent: Ints,
    sums: npt.NDArray[np.float64],
    labelled: int,
    scale: int,
) -> Region:
    first, area, left, top, right, bottom = extent.tolist()
    inside = numbers[top:bottom, left:right] == region + 1
    height, width = numbers.shape
    return Region(
        given=int(found.labels.reshape(-1)[first]),
        predicted=int(found.predicted[first]),
        score=score_of(sums[2], labelled),
        self_confidence=float(min(sums[0] / area, 1.0)),
        confidence=float(min(sums[1] / area, 1.0)),
        area=area * scale * scale,
        x=left * scale,
        y=top * scale,
        width=(right - left) * scale,
        height=(bottom - top) * scale,
        counts=runs.to_text(runs.of_box(inside, top, left, height), height * width),
        size=(height, width),
        scale=scale,
    )
