"""A caller's labels and predictions as float64, and which labels are no number."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.labels import as_array
from goldlabel.models.columns import MISSING
from goldlabel.typing import Floats

__all__ = [
    "LARGEST",
    "NOTHING",
    "NUMBER",
    "TEXT",
    "Values",
    "column",
    "given_values",
    "labels_and_predictions",
]


NUMBER, TEXT, NOTHING = 0, 1, 2
"""What a label is: a number; something else; missing."""
LARGEST = 1e150
"""Numbers beyond are none: their squares are infinite, and with them all that is computed."""


class Values(NamedTuple):
    """Labels, some of which may be no numbers.

    Attributes
    ----------
    numbers : ndarray of shape (n,), float64
        NaN where the label is no finite number.
    kind : ndarray of shape (n,), int8
        `NUMBER`, `TEXT` or `NOTHING`.
    texts : ndarray of shape (n,), object
        The label as it was given where it is `TEXT`, else "".
    """

    numbers: Floats
    kind: npt.NDArray[np.int8]
    texts: npt.NDArray[np.object_]


def column(values: Any, name: str) -> npt.NDArray[Any]:
    """Return values as an array of shape (n,), n > 0, of whatever they are."""
    if isinstance(values, pd.DataFrame | pd.Series | pd.Index) or hasattr(values, "dtype"):
        array = np.asarray(values) if not hasattr(values, "nnz") else as_array(values, name)
    elif isinstance(values, str | bytes | dict | set) or not hasattr(values, "__len__"):
        raise InputError(name, f"is a {type(values).__name__}", "Pass a list or array of numbers")
    else:
        listed = list(values)
        plain = all(isinstance(each, int | float | np.number) for each in listed)
        array = as_array(listed, name) if plain else _objects(listed)
    if isinstance(values, np.ma.MaskedArray):
        array = as_array(values, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InputError(name, f"has shape {array.shape}, not (n,)", "Pass a number per example")
    if not array.size:
        raise InputError(name, "is empty", "Pass a number per example")
    return array


def _objects(listed: list[Any]) -> npt.NDArray[Any]:
    array = np.empty(len(listed), dtype=object)
    for at, value in enumerate(listed):
        array[at] = value
    first = listed[0] if listed else None
    if isinstance(first, list | tuple | np.ndarray):
        return as_array(listed, "values")
    return array


def labels_and_predictions(labels: Any, predictions: Any) -> tuple[Floats, Floats]:
    """Return both as finite float64 of one length."""
    given = column(labels, "labels")
    n = len(given)
    predicted = _predictions(predictions, n)
    return _finite(_numbers(given), "labels", n), _finite(predicted, "predictions", n)


def _finite(values: Any, name: str, n: int) -> Floats:
    return check.vector(values, name=name, length=n, low=-LARGEST, high=LARGEST)


def _predictions(predictions: Any, n: int) -> npt.NDArray[Any]:
    predicted = column(predictions, "predictions")
    if len(predicted) != n:
        raise InputError(
            "predictions",
            f"has {len(predicted):,} entries, and labels has {n:,}",
            "Pass a prediction for each label, in the same order",
        )
    return _numbers(predicted)


def _numbers(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Turn missing values into NaN, which `check.vector` then names; leave text to it as well."""
    if array.dtype.kind in "fiu":
        return array
    if array.dtype.kind == "c":
        return array.astype(object)
    if array.dtype.kind == "O":
        array = array.copy()
        array[pd.isna(array)] = np.nan
    return array


def given_values(labels: Any, predictions: Any) -> tuple[Values, Floats]:
    """Return labels that may be missing or no numbers, and predictions.

    A prediction must be finite where the label is a number; elsewhere it may be NaN.
    """
    given = column(labels, "labels")
    predicted = _predictions(predictions, len(given))
    values = sorted_out(given)
    try:
        predicted = np.array(predicted, dtype=np.float64)
    except (ValueError, TypeError):
        _finite(predicted, "predictions", len(given))
    spare = (values.kind != NUMBER) & np.isnan(predicted)
    _finite(np.where(spare, 0.0, predicted), "predictions", len(given))
    return values, predicted


def sorted_out(array: npt.NDArray[Any]) -> Values:
    """Tell numbers from what is none in an array of shape (n,)."""
    n = len(array)
    texts = np.full(n, "", dtype=object)
    if array.dtype.kind in "fiu":
        numbers = array.astype(np.float64)
        kind = np.where(np.isfinite(numbers), NUMBER, NOTHING).astype(np.int8)
        infinite = np.flatnonzero(np.abs(numbers) > LARGEST)
        kind[infinite] = TEXT
        texts[infinite] = [str(value) for value in numbers[infinite]]
        numbers[infinite] = np.nan
        return Values(numbers, kind, texts)
    numbers, kind = np.full(n, np.nan), np.zeros(n, dtype=np.int8)
    for at, value in enumerate(array.tolist()):
        kind[at], numbers[at] = _read(value)
        if kind[at] == TEXT:
            texts[at] = str(value)
    return Values(numbers, kind, texts)


def _read(value: Any) -> tuple[int, float]:
    """Return what one label is, and its number (NaN if it is none)."""
    if isinstance(value, bool | np.bool_ | list | tuple | dict | np.ndarray):
        return TEXT, np.nan
    if isinstance(value, str):
        if value.strip().lower() in MISSING:
            return NOTHING, np.nan
    elif value is None or value is pd.NA or value is pd.NaT or value != value:
        return NOTHING, np.nan
    try:
        number = float(value)
    except (ValueError, TypeError, OverflowError):
        return TEXT, np.nan
    # "1_000" is a number to Python and to nobody else.
    is_number = abs(number) <= LARGEST and "_" not in str(value)
    return (NUMBER, number) if is_number else (TEXT, np.nan)
