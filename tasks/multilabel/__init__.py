"""Multilabel classification: any number of classes for each example.

Labels are a matrix of shape (n, k): 1 or True where an example has a class, 0 or False where it
has not, -1 or NaN where that is not known; an array, a DataFrame or a SciPy sparse matrix. Or they
are a list of classes for each example: indices 0 .. k-1, or names. pred_probs is an array of shape
(n, k), float16, 32 or 64, or a DataFrame, of the probability of each class by itself; where its
columns carry names they are the class names, and order is by name.
"""

from __future__ import annotations

import lazy_loader

from goldlabel.task import Task

TASK = Task(
    "multilabel", "any number of classes for each example: tags, topics, instruments", __name__
)

# Public names are those of `__init__.pyi`, loaded on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["TASK"]
