"""Semantic segmentation: one class for each pixel of an image.

Labels are an integer array (n, h, w) of class indices 0 .. k-1, or a sequence or iterable of masks
(h, w) of any sizes; pixels with an `ignore_index` are left out of everything. pred_probs is an
array (n, k, h, w), float16, 32 or 64, in memory or mapped from a file, or a sequence or iterable
of arrays (k, h, w). Images are looked at one by one: memory does not grow with their number.
"""

from __future__ import annotations

import lazy_loader

from goldlabel.task import Task

TASK = Task("segmentation", "one class for each pixel of an image: masks", __name__)

# Public names are those of `__init__.pyi`, loaded on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["TASK"]
