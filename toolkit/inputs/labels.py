"""Labels, class names and ids, in whatever form a caller has them, as arrays that tasks use."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.typing import Ints, Where

__all__ = [
    "FEW_UNKNOWN",
    "NOT_A_CLASS",
    "as_array",
    "checked_ids",
    "class_codes",
    "class_names",
    "flat_array",
    "label_row",
    "one_column",
]

NOT_A_CLASS = -2
"""Code of a label that is none of the classes: a finding, left out of every statistic."""
FEW_UNKNOWN = 0.1
"""Share of unknown labels from which the names of labels and classes do not fit each other."""

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
    classes: Sequence[Hashable] | None,
    columns: Sequence[Hashable] | None,
    k: int,
    *,
    name: str = "pred_probs",
) -> list[Hashable] | None:
    """Return the class names in the order of the columns of `name`; None where there are none."""
    if classes is None and columns is None:
        return None
    where = "classes" if classes is not None else f"{name}.columns"
    names = _names(columns if classes is None else classes, where)
    if len(names) != k:
        raise InputError(
            where,
            f"has {len(names)} names, but {name} has {k} columns",
            "Name each column once, in order",
        )
    seen: set[Hashable] = set()
    for at, each in enumerate(names):
        if not isinstance(each, Hashable):
            raise InputError(
                f"{where}[{at}]", f"is a {type(each).__name__}", "Pass names: text or numbers"
            )
        if each in seen:
            raise InputError(f"{where}[{at}]", f"is {each!r} once more", "Name each class once")
        seen.add(each)
    if classes is not None and columns is not None and set(columns) != seen:
        strange = [each for each in columns if each not in seen]
        raise InputError(
            f"{name}.columns",
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


def flat_array(entries: list[Any]) -> npt.NDArray[Any]:
    """Return labels as an array; of anything but plain whole numbers, as objects."""
    if set(map(type, entries)) <= {int}:
        try:
            return np.array(entries, dtype=np.int64)
        except OverflowError:
            pass
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    return array


def label_row(row: int) -> str:
    """Name a label by its row, as messages do if nothing else is known."""
    return f"labels[{row}]"


def class_codes(
    values: Any,
    names: list[Hashable] | None,
    k: int,
    *,
    where: Where = label_row,
    name: str = "pred_probs",
    mark_unknown: bool = False,
) -> tuple[Ints, list[Hashable] | None]:
    """Return the class indices of labels, and the names they stand for.

    `values` comes from `one_column`, `names` from `class_names`. Whole numbers are the indices
    themselves, unless they are among the names or some name is one.

    Parameters
    ----------
    where : callable
        What messages call the label of a row.
    name : str
        What messages call that which has a column for each class.
    mark_unknown : bool
        Return `NOT_A_CLASS` for the labels that are none of the classes, as long as they are
        fewer than one in ten; if not, refuse them.
    """
    reader = _Reader(names, k, where, name, mark_unknown)
    reader.refuse_missing(values)
    if isinstance(values, pd.Categorical):
        if names is None and len(values.categories) == k:
            return values.codes.astype(np.int64), [_plain(each) for each in values.categories]
        values = np.asarray(values)
    if not len(values):
        return np.empty(0, dtype=np.int64), names
    array = np.asarray(values)
    numbers = _numbers(array)
    if numbers is None:
        return reader.named(array.astype(object, copy=False))
    if names is not None:
        is_named = set(names) >= set(pd.unique(numbers).tolist())
        if is_named or any(isinstance(each, int) for each in names):
            return reader.named(numbers)
    return reader.indices(numbers), names


def _numbers(array: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """Return labels as int64 or float64; None if they are names."""
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
    whole = np.isfinite(array).all() and (array == np.floor(array)).all()
    # What no index can be stays as it is: the look at the range will show it.
    return array.astype(np.int64) if whole and np.abs(array).max() < _EXACT else array


class _Reader(NamedTuple):
    """Turns labels into class indices; see `class_codes`."""

    names: list[Hashable] | None
    k: int
    where: Where
    name: str
    mark_unknown: bool

    def refuse_missing(self, values: Any) -> None:
        missing = np.flatnonzero(np.asarray(pd.isna(values)))
        if missing.size:
            raise InputError(
                self.where(int(missing[0])),
                f"is missing ({missing.size} missing in all)",
                "Drop the rows without a label",
            )

    def indices(self, numbers: npt.NDArray[Any]) -> Ints:
        """Return whole numbers as int64 after a look at their range."""
        broken = np.zeros(0, dtype=np.bool_)
        if numbers.dtype.kind == "f":
            broken = ~np.isfinite(numbers) | (numbers != np.floor(numbers))
        if broken.any():
            rows = np.flatnonzero(broken)
            self._refuse(
                rows,
                len(numbers),
                f"is {numbers[rows[0]]}, not a whole number",
                "Pass class indices or names; for numbers to predict there is another task",
            )
        elif int(numbers.min()) >= 0 and int(numbers.max()) < self.k:
            return np.ascontiguousarray(numbers, dtype=np.int64)
        outside = ~((numbers >= 0) & (numbers < self.k) & (numbers == np.floor(numbers)))
        rows = np.flatnonzero(outside)
        self._refuse(
            rows,
            len(numbers),
            f"is {numbers[rows[0]]}, but {self.name} has {self.k} columns,"
            f" classes 0 .. {self.k - 1}",
            f"Drop the row, or pass {self.name} with a column for that class",
        )
        return np.where(outside, NOT_A_CLASS, numbers).astype(np.int64)

    def named(self, values: npt.NDArray[Any]) -> tuple[Ints, list[Hashable]]:
        """Look labels up among the class names, in sorted order if there are none."""
        try:
            codes, distinct = pd.factorize(values)
        except TypeError as error:
            at = next(i for i, value in enumerate(values) if not isinstance(value, Hashable))
            raise InputError(
                self.where(at),
                f"is a {type(values[at]).__name__}",
                "Pass one class for each example: a number, text, anything hashable",
            ) from error
        labels = [_plain(each) for each in distinct]
        names = _in_order(labels) if self.names is None else self.names
        if len(names) != self.k:
            raise InputError(
                "labels",
                f"holds {len(names)} different names, but {self.name} has {self.k} columns",
                "Pass classes=: the name of each column, in order",
            )
        place = {name: at for at, name in enumerate(names)}
        index = np.array([place.get(label, NOT_A_CLASS) for label in labels], dtype=np.int64)
        if (index < 0).any():
            rows = np.flatnonzero(index[codes] < 0)
            shown = ", ".join(map(repr, names[:5])) + (", ..." if self.k > 5 else "")
            self._refuse(
                rows,
                len(values),
                f"is {_plain(values[rows[0]])!r}, not one of the {self.k} classes {shown}",
                f"Drop the row, or name the class and give it a column of {self.name}",
            )
        return np.asarray(index[codes], dtype=np.int64), names

    def _refuse(self, rows: npt.NDArray[np.intp], n: int, what: str, fix: str) -> None:
        """Refuse these labels, unless they are few and to be marked."""
        if not self.mark_unknown or rows.size >= FEW_UNKNOWN * n:
            if rows.size > 10 and 2 * rows.size > n:  # the classes are others, not the rows wrong
                fix = f"Pass classes=: the name of each column of {self.name}, in order"
            raise InputError(self.where(int(rows[0])), f"{what} ({rows.size} such)", fix)


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
