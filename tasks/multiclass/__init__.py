"""Multiclass classification: one class for each example.

Labels are a sequence, array, pandas Series or one-column DataFrame: class indices 0 .. k-1, or
names (strings, categories, any hashable). pred_probs is an array of shape (n, k), float16, 32 or
64, or a DataFrame; where its columns carry names they are the class names, and order is by name.
"""

from __future__ import annotations

import lazy_loader

from goldlabel.task import Task

TASK = Task("multiclass", "one class for each example: texts, images, rows of a table", __name__)

# Public names are those of `__init__.pyi`, loaded on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["TASK"]
