"""Sanity checks: a mistake that spoils an audit, and that the numbers give away."""

from __future__ import annotations

import numpy as np

from goldlabel.errors import warn
from goldlabel.tasks.multilabel.counting import Counted
from goldlabel.typing import Floats, Mask

__all__ = ["check_cells"]

_FEW = 20
"""With fewer examples of a kind, chance can look like a mistake."""
_ENOUGH = 200
"""Below so many examples a weak model can look like one of other rows."""
_LUCK = 3.0
"""Standard deviations up to which a difference of means is chance."""


def check_cells(counted: Counted) -> None:
    """Warn if the model knows nothing of some classes, as if columns were in another order.

    For such a class it gives the examples that have it no more than those that do not. If it knows
    nothing of any class, rows are as likely to be in another order.
    """
    usable: Mask = (counted.value_counts >= _FEW) & (counted.thresholds <= 1)
    enough = usable[:, 0] & usable[:, 1]
    lead = counted.thresholds[:, 1] - (1.0 - counted.thresholds[:, 0])
    if _is_chance(counted, enough, lead):
        warn(
            f"pred_probs: for all of {np.count_nonzero(enough)} classes examples given the class"
            " get no higher a probability of it than those without, or by chance alone. Either the"
            " model has learnt nothing, or rows or columns are in another order: check that they"
            " are in that of the labels, best by ids in both."
        )
        return
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


def _is_chance(counted: Counted, enough: Mask, lead: Floats) -> bool:
    """Return whether no class has probabilities that its labels go with."""
    counts = counted.value_counts[enough].astype(np.float64)
    if not len(counts) or counts.sum(axis=1).max() < _ENOUGH:
        return False
    luck = _LUCK * np.sqrt((1.0 / counts).sum(axis=1))
    # No probabilities vary more than by 0.5: nearly always this answers, without a pass over them.
    if (lead[enough] >= 0.5 * luck).any():
        return False
    varies = counted.cells.pred_probs.std(axis=0, dtype=np.float64)[enough]
    return bool((varies > 0).any() and (lead[enough] < luck * varies)[varies > 0].all())
