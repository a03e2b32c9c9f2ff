"""From scores and predictions to `LabelIssues`: kinds, suggestions, intervals, reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.kernels.ordering import ascending
from goldlabel.results.label_issues import LabelIssues, Parts
from goldlabel.tasks.regression.plausible import plausible, usual_distance, wrongness
from goldlabel.tasks.regression.values import NOTHING, NUMBER, TEXT, Values
from goldlabel.typing import Floats

__all__ = ["KINDS", "NO_LABEL", "NO_NUMBER", "assemble"]


KINDS = ("label error", "not a number", "missing label")
"""What can be wrong, in the order of `goldlabel.tasks.regression.values.NUMBER` and so on."""
NO_NUMBER = 0.0
"""Score of a label that is no number: it is wrong."""
NO_LABEL = 0.5
"""Score of a missing label: it is neither right nor wrong."""
_HINTS = (10.0, 100.0, 1000.0, 0.1, 0.01, 0.001, -1.0)


def assemble(
    values: Values,
    predictions: Floats,
    scores: Floats,
    is_issue: npt.NDArray[np.bool_],
    *,
    ids: npt.NDArray[Any] | None,
    params: Mapping[str, Any],
    evidence: Mapping[str, npt.NDArray[Any]] | None = None,
    flag_sure: float | None = None,
) -> LabelIssues:
    """Return what was found, with a row of `parts` for each flagged example, worst first.

    Parameters
    ----------
    values : Values
        The labels of n examples.
    predictions : ndarray of shape (n,), float64
        NaN only where the label is no number.
    scores, is_issue : ndarray of shape (m,)
        Of the m examples whose label is a number, in their order.
    ids, params
        As in `LabelIssues`.
    evidence : mapping of str to ndarray of shape (m,)
        Further columns; missing (NaN) where the label is no number.
    flag_sure : float, optional
        Flag the labels too that are wrong with this confidence.
    """
    n, numeric = len(values.kind), values.kind == NUMBER
    every_score = np.where(values.kind == TEXT, NO_NUMBER, NO_LABEL)
    every_score[numeric] = scores
    sizes = np.abs(predictions - values.numbers)[numeric]
    usual = np.ones(n)
    usual[numeric] = usual_distance(predictions[numeric], sizes)
    if numeric.any():
        usual[~numeric] = np.median(usual[numeric])
    times, confidence = np.full(n, np.nan), np.zeros(n)
    times[numeric] = sizes / usual[numeric]
    confidence[numeric] = wrongness(times[numeric])
    flagged = ~numeric
    flagged[numeric] = is_issue
    if flag_sure is not None:
        flagged |= confidence >= flag_sure
    offered = plausible(values.numbers, predictions, numeric & ~flagged, usual)
    further = {name: _placed(column, numeric) for name, column in (evidence or {}).items()}
    rows = np.flatnonzero(flagged)
    rows = rows[ascending(every_score[rows])]
    kinds, kind = _kinds(values.kind[rows])
    columns = {
        "predicted": predictions,
        "low": offered.low,
        "high": offered.high,
        "difference": values.numbers - predictions,
        "times_usual": times,
        **further,
        "given_text": values.texts,
    }
    return LabelIssues(
        task="regression",
        scores=every_score,
        is_issue=flagged,
        parts=Parts(
            example=rows,
            part=np.full(len(rows), -1, dtype=np.int64),
            kind=kind,
            kinds=kinds,
            given=values.numbers[rows],
            suggested=offered.value[rows],
            score=every_score[rows],
            confidence=confidence[rows],
            evidence={name: column[rows] for name, column in columns.items()},
            reasons={KINDS[0]: _wrong, KINDS[1]: _no_number, KINDS[2]: _no_label},
        ),
        ids=ids,
        params=dict(params),
        given=values.numbers.copy(),
        suggested=offered.value,
    )


def _placed(column: npt.NDArray[Any], numeric: npt.NDArray[np.bool_]) -> Floats:
    placed = np.full(len(numeric), np.nan)
    placed[numeric] = column
    return placed


def _kinds(kind: npt.NDArray[np.int8]) -> tuple[tuple[str, ...], npt.NDArray[np.int8]]:
    """Return the kinds that occur (the first always), and the index of each row's kind."""
    used = [code for code in (NUMBER, TEXT, NOTHING) if code == NUMBER or (kind == code).any()]
    index = np.zeros(len(KINDS), dtype=np.int8)
    index[used] = np.arange(len(used))
    return tuple(KINDS[code] for code in used), index[kind]


def _wrong(
    *,
    given: float,
    predicted: float,
    low: float,
    high: float,
    difference: float,
    times_usual: float,
    **_: Any,
) -> str:
    far = "below" if difference < 0 else "above"
    usual = f", {_figure(times_usual, 3)} times the usual distance" if times_usual < 1e6 else ""
    return (
        f"The model predicts {_figure(predicted)}, plausibly {_figure(low)} to {_figure(high)}; the"
        f" given {_figure(given, 12)} is {_figure(abs(difference))} {far} it{usual}."
        f"{_hint(given, low, high)}"
    )


def _hint(given: float, low: float, high: float) -> str:
    """Say which slip of the pen would explain the label, if the interval is narrow enough to."""
    middle = (low + high) / 2
    if not (high - low) / 2 < 0.5 * abs(middle):
        return ""
    for factor in _HINTS:
        if low <= given / factor <= high:
            if factor < 0:
                return " Is its sign wrong?"
            slip = (
                f"{factor:g} times too large" if factor > 1 else f"{1 / factor:g} times too small"
            )
            return f" Is it {slip}?"
    return ""


def _no_number(
    *, given_text: str, predicted: float, low: float, high: float, row: int = 0, **_: Any
) -> str:
    where = f"Row {row:,}: " if row else ""
    return f"{where}{given_text!r} is not a number.{_offer(predicted, low, high)}"


def _no_label(*, predicted: float, low: float, high: float, row: int = 0, **_: Any) -> str:
    where = f"Row {row:,}: the" if row else "The"
    return f"{where} label is missing.{_offer(predicted, low, high)}"


def _offer(predicted: float, low: float, high: float) -> str:
    if np.isnan(predicted):
        return ""
    return f" The model predicts {_figure(predicted)}, plausibly {_figure(low)} to {_figure(high)}."


def _figure(value: float, digits: int = 4) -> str:
    """Write a number with so many digits, without an exponent where that is readable.

    Examples
    --------
    >>> [_figure(value) for value in (5415.72, -0.012345, 1234567.0, 2.5e-9)]
    ['5,416', '-0.01235', '1,234,567', '2.5e-09']
    """
    if value and not 1e-4 <= abs(value) < 1e12:
        return f"{value:.{digits}g}"
    size = math.floor(math.log10(abs(value))) if value else 0
    places = max(0, digits - 1 - size)
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if places else text
