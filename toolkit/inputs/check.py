"""A caller's values turned into the exact arrays that kernels trust, or an `InputError`.

Probabilities are checked here for shape and type only: whether each is a number in [0, 1] is found
out by the pass that reads them anyway, and `out_of_range` then says which one is not.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError, warn
from goldlabel.inputs.labels import (
    NOT_A_CLASS,
    as_array,
    class_codes,
    class_names,
    one_column,
)
from goldlabel.typing import Ints, Where

__all__ = [
    "LabeledRows",
    "choice",
    "class_labels",
    "in_order",
    "labeled_rows",
    "number",
    "one_given",
    "out_of_range",
    "pred_probs_array",
    "row_sums",
    "vector",
    "whole_number",
]

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
        Class index of each row, 0 .. k-1; `NOT_A_CLASS` where that is asked for.
    pred_probs : ndarray of shape (n, k), float32 or float64, C-contiguous
        Shape and type are checked, the numbers are not.
    classes : tuple of length k
        Class names by column; the indices themselves where there are no names.
    unknown : tuple of str
        Labels that are none of the classes, as text, in the order of their rows.
    """

    labels: Ints
    pred_probs: npt.NDArray[Any]
    classes: tuple[Hashable, ...]
    unknown: tuple[str, ...] = ()


def labeled_rows(
    labels: Any,
    pred_probs: Any,
    classes: Sequence[Hashable] | None = None,
    *,
    name: str = "pred_probs",
    mark_unknown: bool = False,
) -> LabeledRows:
    """Check labels, a class for each row, against pred_probs, which messages call `name`.

    `mark_unknown` keeps labels that are none of the classes, as long as they are few.
    """
    probs, columns = pred_probs_array(pred_probs, name=name)
    n, k = probs.shape
    names = class_names(classes, columns, k, name=name)
    if names is not None and columns is not None and names != list(columns):
        probs = in_order(probs, columns, names)
    values = one_column(labels)
    if len(values) != n:
        raise InputError(
            "labels",
            f"has {len(values)} entries, but {name} has {n} rows",
            "Pass one label for each row",
        )
    codes, names = class_codes(values, names, k, name=name, mark_unknown=mark_unknown)
    rows = np.flatnonzero(codes == NOT_A_CLASS) if mark_unknown else ()
    unknown = tuple(str(values[row]) for row in rows)
    return LabeledRows(codes, probs, tuple(range(k)) if names is None else tuple(names), unknown)


def class_labels(
    labels: Any, k: int, classes: Sequence[Hashable] | None = None, *, name: str
) -> tuple[Ints, tuple[Hashable, ...]]:
    """Return class indices and names where `name`, not pred_probs, says there are `k` classes."""
    names = class_names(classes, None, k, name=name)
    codes, names = class_codes(one_column(labels), names, k, name=name)
    return codes, tuple(range(k)) if names is None else tuple(names)


def in_order(
    probs: npt.NDArray[Any], columns: Sequence[Hashable], names: Sequence[Hashable]
) -> npt.NDArray[Any]:
    """Return probabilities with their columns in the order of the class names."""
    place = {column: at for at, column in enumerate(columns)}
    return np.ascontiguousarray(probs[:, [place[name] for name in names]])


def pred_probs_array(
    pred_probs: Any, *, name: str = "pred_probs", columns_are: str = "class"
) -> tuple[npt.NDArray[Any], tuple[Hashable, ...] | None]:
    """Return pred_probs as a C-contiguous float array (n, k), and the names of its columns.

    float32 stays float32 and float16 becomes it; everything else becomes float64. Columns that
    are just numbered from 0 have no names. `columns_are`: what a column stands for, for messages.
    """
    columns: tuple[Hashable, ...] | None = None
    if isinstance(pred_probs, pd.DataFrame):
        named: tuple[Hashable, ...] = tuple(pred_probs.columns)
        columns = None if named == tuple(range(len(named))) else named
        pred_probs = _frame_values(pred_probs, name)
    array = as_array(pred_probs, name)
    if array.ndim != 2:
        raise InputError(
            name,
            f"has shape {array.shape}, not (n, k)",
            f"Pass a row per example and a column per {columns_are}",
        )
    if array.shape[1] == 0:
        raise InputError(name, "has no columns", f"Pass a column per {columns_are}")
    kind = array.dtype
    if kind.kind not in "fiub":
        raise InputError(
            name, f"has dtype {kind}, not numbers", "Pass an array of float32 or float64"
        )
    wanted = np.float32 if kind.kind == "f" and kind.itemsize <= 4 else np.float64
    with np.errstate(over="ignore"):  # beyond float64 is infinite, and refused as such later
        return np.require(array, dtype=wanted, requirements=["C", "A"]), columns


def _frame_values(frame: pd.DataFrame, name: str) -> npt.NDArray[Any]:
    """Return the numbers of a table, missing ones as NaN."""
    kinds = list(frame.dtypes)
    for column, kind in zip(frame.columns, kinds, strict=True):
        if getattr(kind, "kind", "O") not in "fiub":
            raise InputError(
                f"{name}[{column!r}]",
                f"is a column of {kind}, not numbers",
                "Pass the columns of probabilities only",
            )
    if all(isinstance(kind, np.dtype) for kind in kinds):
        return frame.to_numpy()
    small = all(kind.kind == "f" and getattr(kind, "itemsize", 8) <= 4 for kind in kinds)
    return frame.to_numpy(dtype=np.float32 if small else np.float64, na_value=np.nan)


def out_of_range(
    pred_probs: npt.NDArray[Any],
    *,
    name: str = "pred_probs",
    where: Where = str,
    makes: str = "softmax",
) -> NoReturn:
    """Say which probability is not one. Call it when a pass has found that some is not.

    `where` says what stands in brackets behind `name` for a row, `makes` what makes probabilities
    of the scores of a model of this task.
    """
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
        fix += f"; turn scores or logits into them with a {makes}"
    raise InputError(
        f"{name}[{where(row)}, {column}]", f"is {value:g}, not in [0, 1] ({count} such)", fix
    )


def row_sums(
    worst_row: int, worst_sum: float, *, name: str = "pred_probs", where: Where = str
) -> None:
    """Warn if the row whose sum is farthest from 1 is not near it."""
    if abs(worst_sum - 1.0) > SUM_SLACK:
        warn(
            f"{name}[{where(worst_row)}]: sums to {worst_sum:.4g}, the farthest from 1 of all"
            " rows. Check that the columns are the probabilities of classes that exclude each"
            " other."
        )


def choice(value: Any, options: Sequence[T], *, name: str) -> T:
    """Return the value if it is one of the options."""
    if not isinstance(value, str) or value not in options:
        raise InputError(name, f"is {value!r}", f"Use one of {', '.join(map(repr, options))}")
    return options[options.index(value)]


def one_given(name: str, fix: str, **options: Any) -> None:
    """Refuse a call with none of these options, or with several of them.

    Examples
    --------
    >>> one_given("predictions", "Pass one", text=None, features="a,b")
    """
    given = [option for option, value in options.items() if value is not None]
    if len(given) != 1:
        raise InputError(name, f"come from {' and '.join(given)}" if given else "are missing", fix)


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


def vector(
    values: Any, *, name: str, length: int, low: float = -np.inf, high: float = np.inf
) -> npt.NDArray[np.float64]:
    """Return `length` finite numbers in [low, high] as float64."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise InputError(name, "is not an array of numbers", f"Pass {length} numbers") from error
    if array.shape != (length,):
        raise InputError(
            name, f"has shape {array.shape}, not ({length},)", f"Pass {length} numbers"
        )
    bad = np.flatnonzero(~(np.isfinite(array) & (array >= low) & (array <= high)))
    if bad.size:
        limits = "finite numbers" if np.isinf(low) else f"numbers in [{low:g}, {high:g}]"
        raise InputError(
            f"{name}[{bad[0]}]", f"is {array[bad[0]]:g} ({bad.size} such)", f"Pass {limits}"
        )
    return np.ascontiguousarray(array)
