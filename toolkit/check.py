"""A caller's values turned into the exact arrays that kernels trust, or an `InputError`.

Probabilities are checked here for shape and type only: whether each is a number in [0, 1] is found
out by the pass that reads them anyway, and `out_of_range` then says which one is not.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import DataWarning, InputError

__all__ = [
    "LabeledRows",
    "choice",
    "class_labels",
    "labeled_rows",
    "number",
    "out_of_range",
    "pred_probs_array",
    "row_sums",
    "vector",
    "whole_number",
]

Ints = npt.NDArray[np.int64]
T = TypeVar("T")

SLACK = 1e-6
"""How far outside [0, 1] a probability may lie: rounding."""
SUM_SLACK = 1e-3
"""How far from 1 a row may sum before a warning says so."""


@dataclass(frozen=True, eq=False)
class LabeledRows:
    """Labels and probabilities that fit each other.

    Attributes
    ----------
    labels : ndarray of shape (n,), int64
        Class index of each row, 0 .. k-1.
    pred_probs : ndarray of shape (n, k), float32 or float64, C-contiguous
        Shape and type are checked, the numbers are not.
    classes : tuple of length k
        Class names by column; the indices themselves where there are no names.
    """

    labels: Ints
    pred_probs: npt.NDArray[Any]
    classes: tuple[Hashable, ...]


def labeled_rows(
    labels: Any, pred_probs: Any, classes: Sequence[Hashable] | None = None
) -> LabeledRows:
    """Check labels against pred_probs; see `goldlabel.tasks.multiclass` for what each may be."""
    probs, columns = pred_probs_array(pred_probs)
    n, k = probs.shape
    names = _class_names(classes, columns, k)
    if classes is not None and columns is not None:
        order = pd.Index(columns, dtype=object).get_indexer(pd.Index(names, dtype=object))
        if not np.array_equal(order, np.arange(k)):
            probs = np.ascontiguousarray(probs[:, order])
    values = _one_column(labels)
    if len(values) != n:
        raise InputError(
            "labels",
            f"has {len(values)} entries, but pred_probs has {n} rows",
            "Pass one label for each row",
        )
    codes, names = _codes(values, names, k)
    return LabeledRows(codes, probs, tuple(range(k)) if names is None else tuple(names))


def class_labels(
    labels: Any, k: int, classes: Sequence[Hashable] | None = None, *, name: str
) -> tuple[Ints, tuple[Hashable, ...]]:
    """Return class indices and names where `name`, not pred_probs, says there are `k` classes."""
    try:
        codes, names = _codes(_one_column(labels), _class_names(classes, None, k), k)
    except InputError as error:
        said = (text.replace("pred_probs", name) for text in (error.what, error.fix))
        raise InputError(error.where, *said) from None
    return codes, tuple(range(k)) if names is None else tuple(names)


def pred_probs_array(pred_probs: Any) -> tuple[npt.NDArray[Any], tuple[Hashable, ...] | None]:
    """Return pred_probs as a C-contiguous float array (n, k), and the names of its columns.

    float32 stays float32 and float16 becomes it; everything else becomes float64. Columns that
    are just numbered have no names.
    """
    columns: tuple[Hashable, ...] | None = None
    if isinstance(pred_probs, pd.DataFrame):
        if not isinstance(pred_probs.columns, pd.RangeIndex):
            columns = tuple(pred_probs.columns)
        bad = [
            c for c, kind in pred_probs.dtypes.items() if getattr(kind, "kind", "O") not in "fiub"
        ]
        if bad:
            raise InputError(
                f"pred_probs[{bad[0]!r}]",
                f"is a column of {pred_probs[bad[0]].dtype}, not numbers",
                "Pass the columns of probabilities only",
            )
        pred_probs = pred_probs.to_numpy()
    if hasattr(pred_probs, "toarray") and hasattr(pred_probs, "nnz"):
        raise InputError("pred_probs", "is a sparse matrix", "Pass a dense array: .toarray()")
    array = _array(pred_probs, "pred_probs")
    if array.ndim != 2:
        raise InputError(
            "pred_probs",
            f"has shape {array.shape}, not (n, k)",
            "Pass a row per example and a column per class",
        )
    if array.shape[1] == 0:
        raise InputError("pred_probs", "has no columns", "Pass a column per class")
    kind = array.dtype
    if kind.kind not in "fiub":
        raise InputError(
            "pred_probs", f"has dtype {kind}, not numbers", "Pass an array of float32 or float64"
        )
    wanted = np.float32 if kind in (np.float16, np.float32) else np.float64
    return np.ascontiguousarray(array, dtype=wanted), columns


def _array(values: Any, where: str) -> npt.NDArray[Any]:
    if isinstance(values, np.ma.MaskedArray):
        raise InputError(
            where, "is a masked array", "Drop the masked entries, or fill them with .filled()"
        )
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise InputError(
            where, f"is no array ({error})", "Pass rows of one length, all of numbers"
        ) from error


def _one_column(labels: Any) -> Any:
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
    array = labels if isinstance(labels, np.ndarray) else _listed(labels)
    array = _array(array, "labels")
    if array.ndim == 2 and array.shape[1] == 1 and array.shape[0] != 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InputError(
            "labels",
            f"has shape {array.shape}, not (n,)",
            "Pass one class for each example (several: the multilabel task)",
        )
    return array


def _listed(labels: Any) -> npt.NDArray[Any]:
    """Make an array of a list without turning mixed labels into text."""
    if hasattr(labels, "__array__"):
        return np.asarray(labels)
    kinds = {type(entry) for entry in labels}
    if len(kinds) > 1 or kinds & {tuple, frozenset}:
        array = np.empty(len(labels), dtype=object)
        array[:] = list(labels)
        if kinds <= {int, bool, float, *np.sctypeDict.values()}:
            return np.asarray(labels)
        return array
    return _array(list(labels), "labels")


def _class_names(
    classes: Sequence[Hashable] | None, columns: tuple[Hashable, ...] | None, k: int
) -> list[Hashable] | None:
    """Return the class names in the order of the columns; None where there are none."""
    names = columns if classes is None else tuple(classes)
    if names is None:
        return None
    where = "classes" if classes is not None else "pred_probs.columns"
    if len(names) != k:
        raise InputError(
            where,
            f"has {len(names)} names, but pred_probs has {k} columns",
            "Name each column once, in order",
        )
    seen: set[Hashable] = set()
    for at, name in enumerate(names):
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
    return list(names)


def _codes(values: Any, names: list[Hashable] | None, k: int) -> tuple[Ints, list[Hashable] | None]:
    """Return class indices, and the names they stand for."""
    if isinstance(values, pd.Categorical):
        return _category_codes(values, names, k)
    if getattr(values, "dtype", None) is not None and values.dtype.kind in "iub":
        numbers: npt.NDArray[Any] | None = np.asarray(values)
    else:
        missing = np.flatnonzero(np.asarray(pd.isna(values)))
        if missing.size:
            _missing(missing)
        numbers = _as_integers(values)
    if numbers is not None and (
        names is None or not set(names) >= set(np.unique(numbers).tolist())
    ):
        if names is None or not any(isinstance(name, int | np.integer) for name in names):
            return _indices(numbers, k), names
    entries = np.asarray(values, dtype=object) if numbers is None else numbers
    return _named(entries, names, k)


def _category_codes(
    values: pd.Categorical, names: list[Hashable] | None, k: int
) -> tuple[Ints, list[Hashable] | None]:
    codes = values.codes.astype(np.int64)
    if (codes < 0).any():
        _missing(np.flatnonzero(codes < 0))
    if names is None and len(values.categories) == k:
        return codes, list(values.categories)
    if names is None and values.categories.dtype.kind in "iu":
        return _indices(np.asarray(values), k), None
    return _named(np.asarray(values, dtype=object), names, k)


def _missing(at: npt.NDArray[np.intp]) -> NoReturn:
    raise InputError(
        f"labels[{at[0]}]",
        f"is missing ({at.size} missing in all)",
        "Drop the rows without a label",
    )


def _as_integers(values: Any) -> npt.NDArray[Any] | None:
    """Return whole numbers as integers; None if the labels are something else."""
    array = np.asarray(values)
    if array.dtype == object and len(array):
        kinds = {type(entry) for entry in array}
        if not all(issubclass(kind, bool | int | float | np.number | np.bool_) for kind in kinds):
            return None
        array = array.astype(np.float64)
    if array.dtype.kind in "iub":
        return array
    if array.dtype.kind != "f":
        return None if array.dtype.kind != "O" or len(array) else np.empty(0, dtype=np.int64)
    with np.errstate(invalid="ignore"):
        broken = np.flatnonzero((array != np.floor(array)) | ~np.isfinite(array))
    if broken.size:
        raise InputError(
            f"labels[{broken[0]}]",
            f"is {array[broken[0]]}, not a whole number ({broken.size} such)",
            "Pass class indices or names; numbers to predict are the regression task",
        )
    return array.astype(np.int64)


def _indices(numbers: npt.NDArray[Any], k: int) -> Ints:
    """Return class indices as int64 after a look at their range."""
    if numbers.size and (int(numbers.min()) < 0 or int(numbers.max()) >= k):
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
) -> tuple[Ints, list[Hashable] | None]:
    """Look labels up among the class names, in sorted order if there are none."""
    if names is None:
        codes, found = pd.factorize(values, sort=False)
        known = sorted(found, key=lambda name: (type(name).__name__, name))
        if len(known) != k:
            raise InputError(
                "labels",
                f"holds {len(known)} different names, but pred_probs has {k} columns",
                "Pass classes=: the name of each column, in order",
            )
        place = pd.Index(known, dtype=object, tupleize_cols=False)
        order = place.get_indexer(pd.Index(found, dtype=object, tupleize_cols=False))
        return np.asarray(order[codes], dtype=np.int64), known
    lookup = pd.Index(names, dtype=object, tupleize_cols=False)
    codes, found = pd.factorize(values, sort=False)
    order = lookup.get_indexer(pd.Index(found, dtype=object, tupleize_cols=False))
    if (order < 0).any():
        bad = np.flatnonzero(order[codes] < 0)
        shown = ", ".join(repr(name) for name in names[:5]) + (", ..." if k > 5 else "")
        raise InputError(
            f"labels[{bad[0]}]",
            f"is {values[bad[0]]!r}, not one of the {k} classes {shown} ({bad.size} such)",
            "Drop the row, or name the class and give it a column of pred_probs",
        )
    return np.asarray(order[codes], dtype=np.int64), names


def out_of_range(pred_probs: npt.NDArray[Any], *, name: str = "pred_probs") -> NoReturn:
    """Say which probability is not one. Call it when a pass has found that some is not."""
    first: tuple[int, int] | None = None
    count = 0
    step = max(1, (1 << 18) // pred_probs.shape[1])
    for start in range(0, pred_probs.shape[0], step):
        block = pred_probs[start : start + step]
        bad = ~((block >= -SLACK) & (block <= 1 + SLACK))
        count += int(np.count_nonzero(bad))
        if first is None and bad.any():
            row, column = np.argwhere(bad)[0].tolist()
            first = start + row, column
    row, column = first or (0, 0)
    value = pred_probs[row, column]
    fix = "Pass probabilities, each in [0, 1]"
    if np.isnan(value):
        fix = "Drop the rows the model could not predict, or predict them again"
    elif np.isfinite(value):
        fix += "; turn scores or logits into them with a softmax"
    raise InputError(f"{name}[{row}, {column}]", f"is {value:g}, not in [0, 1] ({count} such)", fix)


def row_sums(worst_row: int, worst_sum: float, *, name: str = "pred_probs") -> None:
    """Warn if the row whose sum is farthest from 1 is not near it."""
    if abs(worst_sum - 1.0) > SUM_SLACK:
        warnings.warn(
            f"{name}[{worst_row}]: sums to {worst_sum:.4g}, the farthest from 1 of all rows. "
            "Check that the columns are the probabilities of classes that exclude each other.",
            DataWarning,
            stacklevel=3,
        )


def choice(value: Any, options: Sequence[T], *, name: str) -> T:
    """Return the value if it is one of the options."""
    if value not in options:
        raise InputError(name, f"is {value!r}", f"Use one of {', '.join(map(repr, options))}")
    return options[options.index(value)]


def number(value: Any, *, name: str, low: float = -np.inf, high: float = np.inf) -> float:
    """Return a finite float in [low, high]."""
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not real or not low <= value <= high or not np.isfinite(value):
        raise InputError(name, f"is {value!r}", f"Pass a number in [{low:g}, {high:g}]")
    return float(value)


def whole_number(value: Any, *, name: str, low: int = 0) -> int:
    """Return an int of at least `low`."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < low:
        raise InputError(name, f"is {value!r}", f"Pass a whole number, {low} or more")
    return int(value)


def vector(values: Any, *, name: str, length: int) -> npt.NDArray[np.float64]:
    """Return `length` finite numbers as float64."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise InputError(name, "is not an array of numbers", f"Pass {length} numbers") from error
    if array.shape != (length,):
        raise InputError(
            name, f"has shape {array.shape}, not ({length},)", f"Pass {length} numbers"
        )
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise InputError(
            f"{name}[{bad[0]}]", f"is {array[bad[0]]} ({bad.size} such)", "Pass finite numbers"
        )
    return np.ascontiguousarray(array)
