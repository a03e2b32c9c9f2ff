"""COCO's mean average precision, equal to that of its own tools."""

from __future__ import annotations

from typing import Any

import numpy as np

from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import each_block
from goldlabel.tasks.detection import precision_kernels as kernels
from goldlabel.tasks.detection.arrays import as_boxes, as_detections
from goldlabel.tasks.detection.boxes import Boxes, Detections, offsets_of, paired
from goldlabel.tasks.detection.precision import TAUS
from goldlabel.typing import Ints

__all__ = ["coco_map", "mean_precision"]

RECALLS = np.linspace(0.0, 1.0, 101)
"""Where precision is read off."""
_MOST = 100
"""So many of the best predictions of a class count in an image."""
_BLOCK = 1024


def coco_map(labels: Any, predictions: Any) -> dict[str, float]:
    """Return how well predictions agree with annotations, as COCO measures it.

    Boxes to ignore count as crowds. Of each class at most 100 predictions of an image count.

    Parameters
    ----------
    labels, predictions : Boxes or sequence
        See `goldlabel.tasks.detection.arrays`.

    Returns
    -------
    dict
        ``AP`` (mean over the IoU thresholds .50 to .95), ``AP50``, ``AP75``; each in [0, 1], NaN
        without any annotation.

    Raises
    ------
    InputError
        The boxes are no boxes, or of different numbers of images.

    References
    ----------
    T.-Y. Lin et al. Microsoft COCO: Common Objects in Context. ECCV (2014).

    Examples
    --------
    >>> metrics = coco_map(
    ...     [{"boxes": [[0, 0, 10, 10]], "labels": [0]}],
    ...     [{"boxes": [[0, 0, 10, 8]], "labels": [0], "scores": [0.9]}],
    ... )
    >>> {name: round(value, 3) for name, value in metrics.items()}
    {'AP': 0.7, 'AP50': 1.0, 'AP75': 1.0}
    """
    annotations, detections = as_boxes(labels), as_detections(predictions)
    paired(annotations, detections, None)
    return mean_precision(annotations, detections)


def mean_precision(annotations: Boxes, predictions: Detections) -> dict[str, float]:
    """Return `coco_map` of boxes that are checked already."""
    k = 1 + int(max(annotations.labels.max(initial=-1), predictions.labels.max(initial=-1)))
    counts = np.bincount(annotations.labels[annotations.is_judged], minlength=k)
    if not counts.any():
        return dict.fromkeys(("AP", "AP50", "AP75"), np.nan)
    rows = _best_of_class(predictions)
    predictions = Detections(
        predictions.boxes[rows], predictions.labels[rows],
        offsets_of(predictions.images[rows], len(predictions)), predictions.scores[rows],
    )  # fmt: skip
    hits, excused = _matched(annotations, predictions)
    order = np.lexsort((-predictions.scores, predictions.labels))
    out = np.zeros((k, len(TAUS)))
    kernels.coco_precision(
        frozen(hits[order]), frozen(excused[order]), frozen(predictions.labels[order]),
        frozen(counts), frozen(RECALLS), out,
    )  # fmt: skip
    mean = out[counts > 0].mean(axis=0)
    return {"AP": float(mean.mean()), "AP50": float(mean[0]), "AP75": float(mean[5])}


def _best_of_class(predictions: Detections) -> Ints:
    """Return the rows that count, image after image, the best first."""
    images, labels = predictions.images, predictions.labels
    order = np.lexsort((-predictions.scores, labels, images))
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = np.diff(images[order]) != 0
    begins[1:] |= np.diff(labels[order]) != 0
    number = np.arange(len(order))
    number -= np.maximum.accumulate(np.where(begins, number, 0))
    return order[number < _MOST]


def _matched(annotations: Boxes, predictions: Detections) -> tuple[Ints, Ints]:
    """Return a bit per threshold: predictions that are right, and that are neither."""
    hits, excused = np.zeros((2, len(predictions.boxes)), dtype=np.int64)
    taken = np.zeros(len(annotations.boxes), dtype=np.int64)
    boxes, labels = frozen(annotations.boxes), frozen(annotations.labels)
    ignore = frozen(~annotations.is_judged)
    predicted, predicted_labels = frozen(predictions.boxes), frozen(predictions.labels)
    order = frozen(np.arange(len(predicted)))  # they are sorted already

    def work(worker: int, block: int, images: slice) -> None:
        ends = slice(images.start, images.stop + 1)
        kernels.coco_matches(
            boxes, labels, ignore, frozen(annotations.offsets[ends]),
            predicted, predicted_labels, order, frozen(predictions.offsets[ends]),
            frozen(TAUS), hits, excused, taken,
        )  # fmt: skip

    each_block(work, len(annotations), _BLOCK)
    return hits, excused
