"""Regression: one number for each example.

Labels and predictions are array_likes of shape (n,), also of shape (n, 1): numbers, or text that
reads as one. Predictions are those of a model that did not see the example. Where labels may be
missing or no numbers (`find_label_issues`, `audit`), these are findings of their own kind.
"""

from __future__ import annotations

import lazy_loader

from goldlabel.task import Task

TASK = Task("regression", "a number for each example: prices, measurements, ratings", __name__)

# Public names are those of `__init__.pyi`, loaded on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["TASK"]
