"""Several annotators for each item: consensus labels, and how far to trust whom.

Labels are votes. They come as a long table: a frame or mapping with the columns `item`, `annotator`
and `label`, or a tuple of these three; as a wide one: an array or frame of items by annotators with
NaN (None, or -1 among integers) where there is no label; or as `Votes`. Classes are indices
0 .. k-1 or names. Items and annotators may have any number of votes, none included. pred_probs, an
array of shape (n, k) or (models, n, k), has a row for each item: of a long table, items are row
numbers then, or `ids` names the rows.
"""

from __future__ import annotations

import lazy_loader

from goldlabel.task import Task

TASK = Task(
    "multiannotator", "several annotators for each example: consensus, and whom to trust", __name__
)

# Public names are those of `__init__.pyi`, loaded on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["TASK"]
