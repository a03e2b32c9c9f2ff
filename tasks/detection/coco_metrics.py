"""COCO's mean average precision, by COCO's own tools."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from goldlabel.tasks.detection.arrays import as_boxes
from goldlabel.tasks.detection.boxes import Boxes

__all__ = ["coco_map"]

NAMES = ("AP", "AP50", "AP75")


def coco_map(labels: Any, predictions: Any) -> dict[str, float]:
    """Return how well predictions agree with annotations, as COCO measures it.

    Boxes to ignore count as crowds.

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

    Examples
    --------
    >>> found = coco_map(
    ...     [{"boxes": [[0, 0, 10, 10]], "labels": [0]}],
    ...     [{"boxes": [[0, 0, 10, 8]], "labels": [0], "scores": [0.9]}],
    ... )
    >>> {name: round(value, 3) for name, value in found.items()}
    {'AP': 0.7, 'AP50': 1.0, 'AP75': 1.0}
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    given, found = as_boxes(labels), as_boxes(predictions, name="predictions")
    if not len(given.boxes) or (given.ignore is not None and given.ignore.all()):
        return dict.fromkeys(NAMES, np.nan)
    if not len(found.boxes):
        return dict.fromkeys(NAMES, 0.0)
    with redirect_stdout(io.StringIO()):  # it reports on stdout what it does
        truth, results = COCO(), COCO()
        for tool, boxes in ((truth, given), (results, found)):
            tool.dataset = _dataset(boxes, len(given))
            tool.createIndex()
        run = COCOeval(truth, results, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return {name: float(value) for name, value in zip(NAMES, run.stats, strict=False)}


def _dataset(boxes: Boxes, n: int) -> dict[str, Any]:
    corners = boxes.boxes
    sizes = corners[:, 2:] - corners[:, :2]
    places = np.concatenate([corners[:, :2], sizes], axis=1).tolist()
    areas = np.prod(sizes, axis=1).tolist()
    images, labels = boxes.images.tolist(), boxes.labels.tolist()
    annotations: list[dict[str, Any]] = [
        {"id": at + 1, "image_id": images[at], "category_id": labels[at], "bbox": places[at],
         "area": areas[at], "iscrowd": 0}
        for at in range(len(corners))
    ]  # fmt: skip
    for name, values in (("score", boxes.scores), ("iscrowd", boxes.ignore)):
        if values is not None:
            for entry, value in zip(annotations, values.tolist(), strict=True):
                entry[name] = int(value) if name == "iscrowd" else value
    return {
        "images": [{"id": at} for at in range(n)],
        "annotations": annotations,
        "categories": [{"id": at} for at in sorted(set(labels))],
    }
