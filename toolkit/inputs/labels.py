"""Labels, class names and ids, in whatever form a caller has them, as arrays that tasks use."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.typing import Ints

__all__ = ["as_array", "checked_ids", "class_codes", "class_names", "one_column"]


_EXACT = 2.0**53
"""Floats below it are whole numbers one by one."""


def as_array(values: Any, where: str) -> npt.NDArray[Any]:
    """Return the values as a plain NumPy array of whatever they are."""
    if isinstance(values, np.ma.MaskedArray):
        raise InputError(
            where, "is a masked array", "Drop the masked entries, or fill them with .filled()"
        )
    if hasattr(values, "toarray") and hasattr(values, "nnz"):
        raise InputError(where, "is a sparse matrix", "Pass a dense array: .toarray()")
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            where, f"is no array ({error})", "Pass a plain array, with rows of one length"
        ) from error


def checked_ids(
    ids: npt.ArrayLike | None, n: int, *, rows: str = "examples"
) -> npt.NDArray[Any] | None:
    """Return a caller's id of each example, if there are any; messages call examples `rows`."""
    if ids is None:
        return None
    array = as_array(ids, "ids")
    if array.shape != (n,):
        raise InputError(
            "ids", f"has shape {array.shape}, but there are {n} {rows}", "Pass one id for each"
        )
    return array


def one_column(labels: Any) -> Any:
    """Return labels as a one-dimensional pandas or NumPy array."""
    if isinstance(labels, pd.DataFrame):
        if labels.shape[1] != 1:
            raise InputError(
                "labels", f"has {labels.shape[1]} columns, not one", "Pass the column of labels"
            )
        labels = labels.iloc[:, 0]
    if isinstance(labels, pd.Series | pd.Index):
        return labels.array if not isinstance(labels.dtype, np.dtype) else labels.to_numpy()
    if isinstance(labels, pd.api.extensions.ExtensionArray):
        return labels
    if isinstance(labels, str | bytes | Mapping | set | frozenset) or not hasattr(
        labels, "__len__"
    ):
        raise InputError(
            "labels", f"is a {type(labels).__name__}", "Pass a list or an array of labels"
        )
    plain = hasattr(labels, "__array__") or hasattr(labels, "nnz")
    array = as_array(labels if plain else _listed(labels), "labels")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InputError(
            "labels",
            f"has shape {array.shape}, not (n,)",
            "Pass one class for each example (for several of them there is another task)",
        )
    return array


def _listed(labels: Any) -> Any:
    """Make an array of labels of several kinds without turning them into text."""
    entries = list(labels)
    kinds = {type(entry) for entry in entries}
    if kinds & {tuple, frozenset} or (
        len(kinds) > 1 and not kinds <= {int, bool, float, *np.sctypeDict.values()}
    ):
        array = np.empty(len(entries), dtype=object)
        array[:] = entries
        return array
    return entries


def class_names(
    classes: Sequence[Hashable] | None, columns: Sequence[Hashable] | None, k: int
) -> list[Hashable] | None:
    """Return the class names in the order of the columns; None where there are none."""
    if classes is None and columns is None:
        return None
    where = "classes" if classes is not None else "pred_probs.columns"
    names = _names(columns if classes is None else classes, where)
    if len(names) != k:
        raise InputError(
            where,
            f"has {len(names)} names, but pred_probs has {k} columns",
            "Name each column once, in order",
        )
    seen: set[Hashable] = set()
    for at, name in enumerate(names):
        if not isinstance(name, Hashable):
            raise InputError(
                f"{where}[{at}]", f"is a {type(name).__name__}", "Pass names: text or numbers"
            )
        if name in seen:
            raise InputError(f"{where}[{at}]", f"is {name!r} once more", "Name each class once")
        seen.add(name)
    if classes is not None and columns is not None and set(columns) != seen:
        strange = [name for name in columns if name not in seen]
        raise InputError(
            "pred_probs.columns",
            f"has {strange[0]!r}, which is not in classes ({len(strange)} such)",
            "Name the columns as the classes are named",
        )
    return names


def _names(classes: Any, where: str) -> list[Any]:
    if isinstance(classes, str | bytes | Mapping | set | frozenset) or not hasattr(
        classes, "__iter__"
    ):
        raise InputError(
            where, f"is a {type(classes).__name__}", "Pass a list: the name of each column in order"
        )
    return [_plain(name) for name in classes]


def _plain(name: Any) -> Any:
    """Return a name as Python has it, so that messages do not show NumPy's types."""
    return name.item() if isinstance(name, np.generic) else name


def class_codes(
    values: Any, names: list[Hashable] | None, k: int
) -> tuple[Ints, list[Hashable] | None]:
    """Return the class indices of labels, and the names they stand for.

    `values` comes from `one_column`, `names` from `class_names`. Whole numbers are the indices
    themselves, unless they are among the names or some name is one.
    """
    _refuse_missing(values)
    if isinstance(values, pd.Categorical):
        if names is None and len(values.categories) == k:
            return values.codes.astype(np.int64), [_plain(name) for name in values.categories]
        values = np.asarray(values)
    if not len(values):
        return np.empty(0, dtype=np.int64), names
    numbers = _whole_numbers(np.asarray(values), names)
    if numbers is None:
        return _named(np.asarray(values, dtype=object), names, k)
    if names is None:
        return _indices(numbers, k), None
    if set(names) >= set(pd.unique(numbers).tolist()):
        return _named(numbers, names, k)
    if any(isinstance(name, int) for name in names):
        return _named(numbers, names, k)
    return _indices(numbers, k), names


def _refuse_missing(values: Any) -> None:
    missing = np.flatnonzero(np.asarray(pd.isna(values)))
    if missing.size:
        raise InputError(
            f"labels[{missing[0]}]",
            f"is missing ({missing.size} missing in all)",
            "Drop the rows without a label",
        )


def _whole_numbers(
    array: npt.NDArray[Any], names: list[Hashable] | None
) -> npt.NDArray[Any] | None:
    """Return whole numbers as integers; None if the labels are names."""
    if array.dtype == object:
        kinds = {type(entry) for entry in array}
        if not all(issubclass(kind, bool | int | float | np.number | np.bool_) for kind in kinds):
            return None
        array = np.array(array.tolist())
        if array.dtype == object:  # of numbers beyond 64 bits
            array = array.astype(np.float64)
    if array.dtype.kind in "iub":
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.kind != "f":
        return None
    array = array.astype(np.float64, copy=False)
    broken = np.flatnonzero((array != np.floor(array)) | ~np.isfinite(array))
    if not broken.size:
        # What no index can be stays as it is: the look at the range will show it.
        return array.astype(np.int64) if np.abs(array).max() < _EXACT else array
    if names is not None and set(names) >= set(pd.unique(array).tolist()):
        return None
    raise InputError(
        f"labels[{broken[0]}]",
        f"is {array[broken[0]]}, not a whole number ({broken.size} such)",
        "Pass class indices or names; for numbers to predict there is another task",
    )


def _indices(numbers: npt.NDArray[Any], k: int) -> Ints:
    """Return class indices as int64 after a look at their range."""
    if int(numbers.min()) < 0 or int(numbers.max()) >= k:
        bad = np.flatnonzero((numbers < 0) | (numbers >= k))
        raise InputError(
            f"labels[{bad[0]}]",
            f"is {numbers[bad[0]]}, but pred_probs has {k} columns, classes 0 .. {k - 1}"
            f" ({bad.size} such)",
            "Drop the row, or pass pred_probs with a column for that class",
        )
    return np.ascontiguousarray(numbers, dtype=np.int64)


def _named(
    values: npt.NDArray[Any], names: list[Hashable] | None, k: int
) -> tuple[Ints, list[Hashable]]:
    """Look labels up among the class names, in sorted order if there are none."""
    try:
        codes, distinct = pd.factorize(values)
    except TypeError as error:
        at = next(i for i, value in enumerate(values) if not isinstance(value, Hashable))
        raise InputError(
            f"labels[{at}]",
            f"is a {type(values[at]).__name__}",
            "Pass one class for each example: a number, text, anything hashable",
        ) from error
    found = [_plain(name) for name in distinct]
    if names is None:
        names = _in_order(found)
        if len(names) != k:
            raise InputError(
                "labels",
                f"holds {len(names)} different names, but pred_probs has {k} columns",
                "Pass classes=: the name of each column, in order",
            )
    place = {name: at for at, name in enumerate(names)}
    places = np.array([place.get(name, -1) for name in found], dtype=np.int64)
    if (places < 0).any():
        bad = np.flatnonzero(places[codes] < 0)
        shown = ", ".join(repr(name) for name in names[:5]) + (", ..." if k > 5 else "")
        raise InputError(
            f"labels[{bad[0]}]",
            f"is {_plain(values[bad[0]])!r}, not one of the {k} classes {shown} ({bad.size} such)",
            "Drop the row, or name the class and give it a column of pred_probs",
        )
    return np.asarray(places[codes], dtype=np.int64), names


def _in_order(found: list[Any]) -> list[Hashable]:
    """Sort names as every tool does, names of several types by type first."""
    try:
        if any(isinstance(name, frozenset) for name in found):  # < says "part of" there
            raise TypeError
        return sorted(found, key=lambda name: (type(name).__name__, name))
    except TypeError as error:
        raise InputError(
            "labels",
            "holds names that can't be sorted, so which column is whose is not known",
            "Pass classes=: the name of each column, in order",
        ) from error
