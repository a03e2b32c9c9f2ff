"""Sanity checks: mistakes that spoil an audit of labeled rows, and that the numbers give away."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from goldlabel.errors import warn
from goldlabel.learning.confident import Counted

__all__ = ["check_rows"]

_FEW = 50
"""Below so many examples chance can look like a mistake."""
_BETTER = 0.2
"""Share of examples by which another order of the columns must agree better."""
_MANY = 5000
"""Classes from which another order is not looked for: it would take minutes and gigabytes."""
_NEVER_WRONG = 1e-3
"""Share of disagreement below which a model hardly ever contradicts the labels."""
_UNSURE = 0.02, 10
"""Mistakes that the model itself expects, as a share and a number, from which that is odd."""
_OVERSURE = 0.001, 500
"""Share of expected mistakes below which, among so many examples, full agreement is odd anyway."""


def check_rows(counted: Counted, classes: tuple[Hashable, ...], *, rows: str = "examples") -> None:
    """Warn if columns look permuted, or if probabilities look in-sample.

    `rows` is what messages call the rows; those left out (label below 0) count for nothing.
    """
    n = counted.num_rows
    if n < _FEW or len(classes) < 2:
        return
    # Not `counted.disagrees`: a model that gives every class the same never disagrees, nor agrees.
    disagreeing = counted.sweep.num_not_predicted
    _check_order_of_columns(counted, classes, n, disagreeing, rows)
    if disagreeing <= _NEVER_WRONG * n:
        _check_out_of_sample(counted, n, disagreeing)


def _check_order_of_columns(
    counted: Counted, classes: tuple[Hashable, ...], n: int, disagreeing: int, rows: str
) -> None:
    k = len(classes)
    if disagreeing < _BETTER * n or k > _MANY:
        return
    # A third of a second to load, and hardly ever needed.
    from scipy.optimize import linear_sum_assignment

    pairs = np.zeros((k, k), dtype=np.int64)
    labeled = counted.labels >= 0
    np.add.at(pairs, (counted.labels[labeled], counted.sweep.predicted[labeled]), 1)
    given, column = linear_sum_assignment(pairs, maximize=True)
    agreeing = int(np.trace(pairs))
    best = int(pairs[given, column].sum())
    moved = (given != column) & (pairs[given, column] > 0)
    if best - agreeing < _BETTER * n or not moved.any():
        return
    # One class for all examples, as a bad model gives it, fits the largest class: no evidence.
    largest = int(counted.class_counts.max())
    if best - largest <= _BETTER * (n - largest):
        return
    order = ", ".join(
        f"{classes[g]!r} from column {c}" for g, c in zip(given[moved], column[moved], strict=True)
    )
    warn(
        f"pred_probs: columns look permuted. The model's class is the given one for"
        f" {agreeing / n:.0%} of the {rows}, and would be for {best / n:.0%} with other columns"
        f" ({_shortened(order)}). Check the order of the classes."
    )


def _shortened(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else text[:limit].rsplit(",", 1)[0] + ", ..."


def _check_out_of_sample(counted: Counted, n: int, disagreeing: int) -> None:
    labeled = np.flatnonzero(counted.labels >= 0)
    largest = counted.pred_probs[labeled, counted.sweep.predicted[labeled]]
    expected = n - float(largest.sum(dtype=np.float64))
    if expected >= max(_UNSURE[0] * n, _UNSURE[1]):
        doubt = f"by its own probabilities it should be wrong for about {expected:.0f}"
    elif expected <= _OVERSURE[0] * n and n >= _OVERSURE[1]:
        doubt = "and it is all but certain of each"
    else:
        return
    warn(
        f"pred_probs: look in-sample. The model contradicts {disagreeing} of the {n} given labels;"
        f" {doubt}. Unless the classes are that easy to tell apart, the model has seen the labels"
        " in training, and errors are hidden: predict each example by a model that was not trained"
        " on it (cross-validation does this)."
    )
