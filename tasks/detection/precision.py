"""Average precision and confusion of predictions against the annotations they were made for."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import each_block
from goldlabel.tasks.detection import precision_kernels as kernels
from goldlabel.tasks.detection.arrays import as_boxes, as_detections
from goldlabel.tasks.detection.boxes import Pair, paired
from goldlabel.typing import Floats, Ints

__all__ = ["average_precision", "class_confusion", "class_precision", "confusion_per_class"]


TAUS = np.linspace(0.5, 0.95, 10)
"""IoU thresholds."""
_BLOCK = 1024


def average_precision(labels: Any, predictions: Any, *, classes: int | None = None) -> Floats:
    """Return the average precision of each class at the IoU thresholds .50, .55, ... .95.

    As ObjectLab defines it: a prediction whose best annotation is taken is wrong (it does not try
    the next one), and precision is summed over all steps of recall. `coco_map` is COCO's.

    Parameters
    ----------
    labels, predictions : Boxes or sequence
        See `goldlabel.tasks.detection.arrays`.
    classes : int, optional
        Number of classes; if not given, as many as occur.

    Returns
    -------
    ndarray of shape (k, 10), float64
        In [0, 1]; 0 for a class without annotations or without predictions.

    Examples
    --------
    >>> average_precision(
    ...     [{"boxes": [[0, 0, 10, 10]], "labels": [0]}],
    ...     [{"boxes": [[0, 0, 10, 8]], "labels": [0], "scores": [0.9]}],
    ... )
    array([[1., 1., 1., 1., 1., 1., 1., 0., 0., 0.]])
    """
    return class_precision(paired(as_boxes(labels), as_detections(predictions), classes))


def class_precision(pair: Pair) -> Floats:
    """Return average precision (k, 10); see `average_precision`."""
    hits, _ = _matched(pair)
    predictions = pair.predictions
    order = np.lexsort((-predictions.scores, predictions.labels))
    counts = np.bincount(pair.annotations.labels, minlength=pair.k)
    out = np.zeros((pair.k, len(TAUS)))
    kernels.precision_steps(
        frozen(hits[order]), frozen(predictions.labels[order]), frozen(counts), out
    )
    return out


def _matched(pair: Pair) -> tuple[Ints, Ints]:
    """Return a bit per threshold: predictions that are right, annotations that were found."""
    annotations, predictions = pair.annotations, pair.predictions
    hits = np.zeros(len(predictions.boxes), dtype=np.int64)
    taken = np.zeros(len(annotations.boxes), dtype=np.int64)
    order = frozen(predictions.best_first)
    boxes, labels = frozen(annotations.boxes), frozen(annotations.labels)
    predicted, predicted_labels = frozen(predictions.boxes), frozen(predictions.labels)

    def work(worker: int, block: int, images: slice) -> None:
        ends = slice(images.start, images.stop + 1)
        kernels.true_positives(
            boxes, labels, frozen(annotations.offsets[ends]), predicted, predicted_labels, order,
            frozen(predictions.offsets[ends]), frozen(TAUS), hits, taken,
        )  # fmt: skip

    each_block(work, len(annotations), _BLOCK)
    return hits, taken


def confusion_per_class(
    labels: Any, predictions: Any, *, classes: Sequence[Hashable] | None = None
) -> pd.DataFrame:
    """Count right and wrong predictions and annotations not found, averaged over IoU thresholds.

    Parameters
    ----------
    labels, predictions : Boxes or sequence
        See `goldlabel.tasks.detection.arrays`.
    classes : sequence of length k, optional
        Class names by index.

    Returns
    -------
    DataFrame
        A row per class: ``class``, ``true_positives``, ``false_positives``, ``false_negatives``
        (means over the ten thresholds), ``precision``, ``recall``, ``f1`` of these.

    Examples
    --------
    >>> table = confusion_per_class(
    ...     [{"boxes": [[0, 0, 10, 10]], "labels": [0]}],
    ...     [{"boxes": [[0, 0, 10, 8]], "labels": [0], "scores": [0.9]}],
    ...     classes=["cat"],
    ... )
    >>> table.round(2).to_dict("records")[0]["recall"]
    0.7
    """
    names = None if classes is None else list(classes)
    if names is not None and len(set(names)) < len(names):
        raise InputError("classes", "has a name twice", "Rename one")
    pair = paired(
        as_boxes(labels), as_detections(predictions), None if names is None else len(names)
    )
    return class_confusion(pair, names)


def class_confusion(pair: Pair, classes: Sequence[Hashable] | None) -> pd.DataFrame:
    """Return `confusion_per_class` of boxes that are checked already."""
    hits, taken = _matched(pair)
    annotated, predicted = pair.annotations.labels, pair.predictions.labels
    right = _per_class(hits, predicted, pair.k)
    wrong = np.bincount(predicted, minlength=pair.k) - right
    lost = np.bincount(annotated, minlength=pair.k) - _per_class(taken, annotated, pair.k)
    precision, recall = right / (right + wrong + 1e-100), right / (right + lost + 1e-100)
    return pd.DataFrame(
        {
            "class": pd.Series(range(pair.k) if classes is None else list(classes), dtype=object),
            "true_positives": right,
            "false_positives": wrong,
            "false_negatives": lost,
            "precision": precision,
            "recall": recall,
            "f1": 2 * precision * recall / (precision + recall + 1e-100),
        }
    )


def _per_class(bits: Ints, labels: Ints, k: int) -> Floats:
    """Return how many bits the boxes of each class have, per threshold."""
    set_bits = np.zeros(len(bits))
    for tau in range(len(TAUS)):
        set_bits += (bits >> tau) & 1
    return np.bincount(labels, weights=set_bits, minlength=k) / len(TAUS)
