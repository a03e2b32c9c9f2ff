"""Sanity checks: a mistake that spoils an audit, and that the numbers give away."""

from __future__ import annotations

import numpy as np

from goldlabel.errors import warn
from goldlabel.tasks.multilabel.counting import Counted

__all__ = ["check_cells"]

_FEW = 20
"""With fewer examples of a kind, chance can look like a mistake."""


def check_cells(counted: Counted) -> None:
    """Warn if the model knows nothing of some classes, as if columns were in another order.

    For such a class it gives the examples that have it no more than those that do not.
    """
    enough = (counted.value_counts >= _FEW).all(axis=1) & (counted.thresholds <= 1).all(axis=1)
    lead = counted.thresholds[:, 1] - (1.0 - counted.thresholds[:, 0])
    wrong = np.flatnonzero(enough & (lead <= 0))
    if not wrong.size:
        return
    names = counted.cells.classes
    shown = ", ".join(f"{names[c]!r}" for c in wrong[:10].tolist())
    more = f" and {wrong.size - 10} more" if wrong.size > 10 else ""
    warn(
        f"pred_probs: for {wrong.size} of {np.count_nonzero(enough)} classes examples given the"
        f" class get no higher a probability of it than those without: {shown}{more}. Check the"
        " order of the columns."
    )
