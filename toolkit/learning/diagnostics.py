"""Sanity checks: mistakes that spoil an audit of labeled rows, and that the numbers give away."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from goldlabel.errors import warn
from goldlabel.learning.confident import Counted
from goldlabel.typing import Ints

__all__ = ["check_columns", "check_order", "check_rows"]

_FEW = 50
"""Below so many examples chance can look like a mistake."""
_BETTER = 0.2
"""Share of examples by which another order of the columns must agree better."""
_ENOUGH = 200
"""Below so many rows a weak model can look like one of other rows."""
_LUCK = 2.0
"""Standard deviations above chance up to which agreement is chance."""
_ONE_CLASS = 0.9
"""Share from which one class is nearly everything, and agreement says nothing."""
_MANY = 5000
"""Classes from which another order is not looked for: it would take minutes and gigabytes."""
_NEVER_WRONG = 1e-3
"""Share of disagreement below which a model hardly ever contradicts the labels."""
_UNSURE = 0.02, 10
"""Mistakes that the model itself expects, as a share and a number, from which that is odd."""
_OVERSURE = 0.001, 500
"""Share of expected mistakes below which, among so many examples, full agreement is odd anyway."""


def check_rows(counted: Counted, classes: tuple[Hashable, ...], *, rows: str = "examples") -> None:
    """Warn if columns or rows look permuted, or if probabilities look in-sample.

    `rows` is what messages call the rows; those left out (label below 0) count for nothing.
    """
    n = counted.num_rows
    if n < _FEW or len(classes) < 2:
        return
    # Not `counted.disagrees`: a model that gives every class the same never disagrees, nor agrees.
    disagreeing = counted.sweep.num_not_predicted
    if disagreeing >= _BETTER * n and len(classes) <= _MANY:
        pairs = _pairs(counted, len(classes))
        if not check_columns(pairs, classes, rows=rows):
            check_order(pairs, rows=rows, hint=lambda: _shifted(counted, pairs))
    if disagreeing <= _NEVER_WRONG * n:
        _check_out_of_sample(counted, n, disagreeing)


def check_columns(pairs: Ints, classes: Sequence[Hashable], *, rows: str) -> bool:
    """Warn if columns of predictions look permuted; return whether they do.

    Parameters
    ----------
    pairs : ndarray of shape (k, k), int64
        Number of rows by given class and the model's.
    classes : sequence of length k
    rows : str
        What the message calls the rows.
    """
    # A third of a second to load, and hardly ever needed.
    from scipy.optimize import linear_sum_assignment

    n, agreeing = int(pairs.sum()), int(np.trace(pairs))
    if n - agreeing < _BETTER * n:
        return False
    given, column = linear_sum_assignment(pairs, maximize=True)
    best = int(pairs[given, column].sum())
    moved = (given != column) & (pairs[given, column] > 0)
    if best - agreeing < _BETTER * n or not moved.any():
        return False
    # One class for all examples, as a bad model gives it, fits the largest class: no evidence.
    largest = int(pairs.sum(axis=1).max())
    if best - largest <= _BETTER * (n - largest):
        return False
    order = ", ".join(
        f"{classes[g]!r} from column {c}" for g, c in zip(given[moved], column[moved], strict=True)
    )
    warn(
        f"pred_probs: columns look permuted. The model's class is the given one for"
        f" {agreeing / n:.0%} of the {rows}, and would be for {best / n:.0%} with other columns"
        f" ({_shortened(order)}). Check the order of the classes."
    )
    return True


def check_order(pairs: Ints, *, rows: str, hint: Callable[[], str] = str) -> None:
    """Warn if labels and predictions agree no more than if neither knew of the other.

    Parameters
    ----------
    pairs, rows
        As for `check_columns`.
    hint : callable
        Returns what else is known, a sentence with a blank before it.
    """
    n = int(pairs.sum())
    expected = float(pairs.sum(axis=0) @ pairs.sum(axis=1)) / max(n, 1) ** 2
    constant = int(pairs.sum(axis=0).max()) > _ONE_CLASS * n
    if n < _ENOUGH or constant or expected > _ONE_CLASS:
        return
    observed = float(np.trace(pairs)) / n
    if observed - expected < _LUCK * (expected * (1.0 - expected) / n) ** 0.5:
        warn(
            f"pred_probs: the model's class is the given one for {observed:.0%} of the {rows}, no"
            f" more than by chance.{hint()} Either the model has learnt nothing, or rows are in"
            " another order: check that they are in that of the labels, best by ids in both."
        )


def _pairs(counted: Counted, k: int) -> Ints:
    pairs = np.zeros((k, k), dtype=np.int64)
    labeled = counted.labels >= 0
    np.add.at(pairs, (counted.labels[labeled], counted.sweep.predicted[labeled]), 1)
    return pairs


def _shifted(counted: Counted, pairs: Ints) -> str:
    """Say if the predictions of the rows before or after agree much better."""
    agreeing = float(np.trace(pairs)) / int(pairs.sum())
    for step, where in ((-1, "one row too late"), (1, "one row too early")):
        moved = np.roll(counted.sweep.predicted, step) == counted.labels
        share = float(np.count_nonzero(moved)) / len(moved)
        if share - agreeing > _BETTER:
            return f" They look {where}: then it would be {share:.0%}."
    return ""


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
