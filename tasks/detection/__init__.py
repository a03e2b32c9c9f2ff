"""Object detection: boxes with a class, any number of them in an image.

Labels are `Boxes` (flat arrays and offsets), or a list with an entry for each image: a mapping of
``boxes`` (or ``bboxes``), corners x1, y1, x2, y2, and ``labels``, class indices 0 .. k-1.
Predictions are the same with ``scores``, or for each image a list of k arrays (m, 5) of corners and
score. See `goldlabel.tasks.detection.arrays` for all layouts.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from goldlabel.task import Task

TASK = Task(
    name="detection",
    title="boxes with a class in images: pedestrians, cells, cones",
    package=__name__,
)

_HOME = {
    "BoxScores": "objectlab",
    "Boxes": "boxes",
    "DetectionData": "data",
    "as_boxes": "arrays",
    "audit": "auditing",
    "average_precision": "precision",
    "box_sizes": "summary",
    "class_shares": "summary",
    "coco_map": "coco_metrics",
    "confusion_per_class": "precision",
    "export": "formats",
    "find_label_issues": "issues",
    "get_box_quality_scores": "objectlab",
    "get_label_quality_scores": "issues",
    "issues_from_scores": "issues",
    "object_counts": "summary",
    "read": "formats",
    "summarize": "summary",
    "with_suggestions": "fixes",
}
__all__ = [*_HOME, "TASK"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
