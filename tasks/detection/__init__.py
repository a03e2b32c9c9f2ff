"""Object detection: boxes with a class, any number of them in an image.

Labels are `Boxes` (flat arrays and offsets), or a list with an entry for each image: a mapping of
``boxes`` (or ``bboxes``), corners x1, y1, x2, y2, and ``labels``, class indices 0 .. k-1.
Predictions are the same with ``scores``, or for each image a list of k arrays (m, 5) of corners and
score. See `goldlabel.tasks.detection.arrays` for all layouts.
"""

from __future__ import annotations

import lazy_loader

from goldlabel.task import Task

TASK = Task("detection", "boxes with a class in images: pedestrians, cells, cones", __name__)

# Public names are those of `__init__.pyi`, loaded on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["TASK"]
