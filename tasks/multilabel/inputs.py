"""Labels and probabilities of a caller, turned into what kernels trust, or an `InputError`.

A cell is a pair of an example and a class. Its annotation is 1 (the example has the class), 0 (it
has not) or `UNKNOWN` (nobody has said).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.labels import (
    FEW_UNKNOWN,
    NOT_A_CLASS,
    as_array,
    class_codes,
    class_names,
    flat_array,
)
from goldlabel.typing import Ints

__all__ = ["UNKNOWN", "Annotations", "BadLabel", "Cells", "labeled_cells"]

UNKNOWN = -1

Cube = npt.NDArray[np.int8]


class BadLabel(NamedTuple):
    """Something that stands where a label should, and is none.

    Attributes
    ----------
    example : int
    part : int
        The class that it was to say something of; -1 if it is the name of none.
    text : str
        What stands there.
    """

    example: int
    part: int
    text: str


@dataclass(frozen=True, eq=False)
class Annotations:
    """Which of k classes each of n examples has: a matrix, or a list for each example.

    Attributes
    ----------
    shape : tuple of int
        (n, k).
    matrix : ndarray of shape (n, k), int8, optional
        1, 0 or `UNKNOWN`; C-contiguous.
    offsets, members : ndarray of int64, optional
        In place of the matrix: example i has the classes ``members[offsets[i]:offsets[i + 1]]``.
    has_unknown : bool
        Whether some cell is `UNKNOWN`.
    bad : tuple of BadLabel
        What is no label, and left out; fewer than one in ten.
    """

    shape: tuple[int, int]
    matrix: Cube | None = None
    offsets: Ints | None = None
    members: Ints | None = None
    has_unknown: bool = False
    bad: tuple[BadLabel, ...] = ()

    def block(self, rows: slice) -> Cube:
        """Return some rows of the matrix; made here and now where there are only lists."""
        if self.matrix is not None:
            return self.matrix[rows]
        assert self.offsets is not None
        assert self.members is not None
        ends = self.offsets[rows.start : rows.stop + 1]
        made = np.zeros((rows.stop - rows.start, self.shape[1]), dtype=np.int8)
        of_row = np.repeat(np.arange(len(made)), np.diff(ends))
        made[of_row, self.members[ends[0] : ends[-1]]] = 1
        return made

    def at(self, examples: Ints, classes: Ints) -> Cube:
        """Return the annotations of some cells."""
        if self.matrix is not None:
            return self.matrix[examples, classes]
        assert self.offsets is not None
        assert self.members is not None
        k = self.shape[1]
        of_row = np.repeat(np.arange(self.shape[0]), np.diff(self.offsets))
        return np.isin(examples * k + classes, of_row * k + self.members).astype(np.int8)

    def dense(self) -> Cube:
        """Return the whole matrix."""
        return self.block(slice(0, self.shape[0]))


@dataclass(frozen=True, eq=False)
class Cells:
    """Annotations and probabilities that fit each other.

    Attributes
    ----------
    labels : Annotations
    pred_probs : ndarray of shape (n, k), float32 or float64, C-contiguous
        Shape and type are checked, the numbers are not.
    classes : tuple of length k
        Class names by column; the indices themselves where there are no names.
    """

    labels: Annotations
    pred_probs: npt.NDArray[Any]
    classes: tuple[Hashable, ...]


def labeled_cells(labels: Any, pred_probs: Any, classes: Sequence[Hashable] | None = None) -> Cells:
    """Check labels against pred_probs; see `goldlabel.tasks.multilabel` for what each may be."""
    probs, columns = check.pred_probs_array(pred_probs)
    names = class_names(classes, columns, probs.shape[1])
    if names is not None and columns is not None and names != list(columns):
        probs = check.in_order(probs, columns, names)
    given, found = _annotations(labels, probs.shape[1], names)
    if given.shape[0] != len(probs):
        raise InputError(
            "labels",
            f"has {given.shape[0]:,} rows, but pred_probs has {len(probs):,}",
            "Pass the labels of one example for each row",
        )
    return Cells(given, probs, tuple(range(probs.shape[1])) if found is None else tuple(found))


def _annotations(
    labels: Any, k: int, names: list[Hashable] | None
) -> tuple[Annotations, list[Hashable] | None]:
    if isinstance(labels, pd.DataFrame):
        return _of_frame(labels, k, names)
    if hasattr(labels, "tocsr") and hasattr(labels, "nnz"):
        return _of_sparse(labels, k), names
    if isinstance(labels, str | bytes | Mapping | set | frozenset) or not hasattr(
        labels, "__len__"
    ):
        raise InputError(
            "labels",
            f"is a {type(labels).__name__}",
            "Pass an array of shape (n, k) of 0 and 1, or a list of classes for each example",
        )
    if isinstance(labels, np.ndarray | pd.Series | pd.Index) or hasattr(labels, "__array__"):
        array = as_array(labels, "labels")
        if array.ndim == 2:
            return _of_matrix(array, k), names
        if array.ndim != 1 or (array.dtype != object and len(array)):
            raise InputError(
                "labels",
                f"has shape {array.shape} and holds {array.dtype}",
                "Pass an array of shape (n, k) of 0 and 1, or a list of classes for each example"
                " (one class for each: the multiclass task)",
            )
        labels = array.tolist()
    return _of_lists(labels, k, names)


def _of_frame(
    frame: pd.DataFrame, k: int, names: list[Hashable] | None
) -> tuple[Annotations, list[Hashable] | None]:
    columns: list[Any] = list(frame.columns)
    if len(columns) != k:
        raise InputError(
            "labels", f"has {len(columns)} columns, but pred_probs has {k}", "Pass one for each"
        )
    if columns != list(range(k)):
        if names is None:
            names = class_names(columns, None, k)
        elif set(columns) != set(names):
            strange = [name for name in columns if name not in set(names)]
            raise InputError(
                "labels.columns",
                f"has {strange[0]!r}, which is not among the classes ({len(strange)} such)",
                "Name the columns as the classes are named",
            )
        else:
            frame = frame[names]
    for name, kind in frame.dtypes.items():
        if getattr(kind, "kind", "O") not in "fiubO":
            raise InputError(f"labels[{name!r}]", f"is a column of {kind}", "Pass 0 and 1")
    values = frame.to_numpy(na_value=np.nan) if frame.isna().to_numpy().any() else frame.to_numpy()
    return _of_matrix(values, k), names


def _of_sparse(labels: Any, k: int) -> Annotations:
    rows = labels.tocsr()
    if rows.shape[1] != k:
        raise InputError(
            "labels", f"has shape {rows.shape}, but pred_probs has {k} columns", "Pass (n, k)"
        )
    if rows is labels:
        rows = rows.copy()
    rows.sum_duplicates()
    bad = np.flatnonzero((rows.data != 0) & (rows.data != 1))
    if bad.size:
        row = int(np.searchsorted(rows.indptr, bad[0], side="right")) - 1
        raise InputError(
            f"labels[{row}, {rows.indices[bad[0]]}]",
            f"is {rows.data[bad[0]]}, not 0 or 1 ({bad.size} such)",
            "Pass 1 where an example has a class",
        )
    rows.eliminate_zeros()
    return Annotations(
        rows.shape, offsets=rows.indptr.astype(np.int64), members=rows.indices.astype(np.int64)
    )


def _of_matrix(array: npt.NDArray[Any], k: int) -> Annotations:
    if array.shape[1] != k:
        raise InputError(
            "labels",
            f"has shape {array.shape}, but pred_probs has {k} columns",
            "Pass a row for each example and a column for each class",
        )
    if array.dtype == object:
        try:
            array = np.where(pd.isna(array), np.nan, array).astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InputError("labels", f"holds what is no number ({error})", "Pass 0 and 1") from (
                error
            )
    if array.dtype.kind not in "biuf":
        raise InputError("labels", f"holds {array.dtype}, not numbers", "Pass 0 and 1")
    array, bad = _without_bad(array)
    matrix, unknown = _checked(array)
    return Annotations((len(array), k), np.ascontiguousarray(matrix), has_unknown=unknown, bad=bad)


def _without_bad(array: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], tuple[BadLabel, ...]]:
    """Put UNKNOWN for the few numbers that are no label, and return what they were."""
    if array.dtype.kind == "b" or not array.size:
        return array, ()
    if array.dtype.kind != "f" and array.min() >= UNKNOWN and array.max() <= 1:
        return array, ()
    is_bad = (array != 0) & (array != 1) & (array != UNKNOWN)
    if array.dtype.kind == "f":
        is_bad &= ~np.isnan(array)
    cells = np.argwhere(is_bad).tolist()
    # Shares of a whole matrix: the least that says it is one of something else.
    if not cells or len(cells) >= FEW_UNKNOWN * array.shape[0]:
        return array, ()
    bad = tuple(BadLabel(row, column, str(array[row, column])) for row, column in cells)
    return np.where(is_bad, UNKNOWN, array), bad


def _checked(array: npt.NDArray[Any]) -> tuple[Cube, bool]:
    """Return a matrix of 1, 0 and UNKNOWN as int8, bytes without a copy, and whether some are."""
    floats = array.dtype.kind == "f"
    missing = np.isnan(array) if floats else None
    if missing is not None and missing.any():
        array = np.where(missing, UNKNOWN, array)
    if not array.size:
        return array.astype(np.int8), False
    lowest, highest = array.min(), array.max()
    if lowest < UNKNOWN or highest > 1 or (floats and (array != np.rint(array)).any()):
        bad = np.argwhere((array != 0) & (array != 1) & (array != UNKNOWN))
        row, column = bad[0].tolist()
        raise InputError(
            f"labels[{row}, {column}]",
            f"is {array[row, column]}, not 0 or 1 ({len(bad)} such)",
            "Pass 1 where an example has a class, 0 where it has not, -1 where it is not known",
        )
    byte = array.dtype.itemsize == 1
    return (array.view(np.int8) if byte else array.astype(np.int8)), bool(lowest < 0)


def _of_lists(
    labels: Sequence[Any], k: int, names: list[Hashable] | None
) -> tuple[Annotations, list[Hashable] | None]:
    lists = [_one_list(row, at) for at, row in enumerate(labels)]
    lengths = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
    offsets = np.zeros(len(lists) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    _refuse_nested_indicator(lists, lengths, k)

    def where(member: int) -> str:
        example = int(np.searchsorted(offsets, member, side="right")) - 1
        return f"labels[{example}][{member - offsets[example]}]"

    flat = flat_array(list(chain.from_iterable(lists)))
    members, names = class_codes(flat, names, k, where=where, mark_unknown=True)
    unknown = np.flatnonzero(members == NOT_A_CLASS)
    if not unknown.size:
        return Annotations((len(lists), k), offsets=offsets, members=members), names
    examples = np.searchsorted(offsets, unknown, side="right") - 1
    texts = [str(flat[member]) for member in unknown.tolist()]
    bad = tuple(map(BadLabel, examples.tolist(), [-1] * len(texts), texts))
    offsets = np.append(0, np.cumsum(members != NOT_A_CLASS))[offsets].astype(np.int64)
    members = members[members != NOT_A_CLASS]
    return Annotations((len(lists), k), offsets=offsets, members=members, bad=bad), names


def _one_list(row: Any, at: int) -> Sequence[Any]:
    if isinstance(row, list | tuple):
        return row
    if isinstance(row, np.ndarray) and row.ndim == 1:
        return list(row.tolist())
    if isinstance(row, Iterable) and not isinstance(row, str | bytes | Mapping | np.ndarray):
        return list(row)
    what = "is missing" if row is None or row is pd.NA else f"is {row!r}, no list of classes"
    fix = "Pass an empty list for an example without any class, and no row where it is not known"
    if isinstance(row, str):
        fix = "Split the text into a list of classes"
    elif isinstance(row, int | float | np.number):
        fix = "Pass a list of classes for each example (one class for each: the multiclass task)"
    raise InputError(f"labels[{at}]", what, fix)


def _refuse_nested_indicator(lists: Sequence[Sequence[Any]], lengths: Ints, k: int) -> None:
    """Refuse nested lists that can only be meant as a matrix of 0 and 1."""
    if k < 2 or not len(lists) or (lengths != k).any():
        return
    values = set(chain.from_iterable(lists)) if all(map(_plain_numbers, lists)) else {None}
    if values <= {0, 1} and any(len(set(row)) < len(row) for row in lists):
        raise InputError(
            "labels",
            f"holds {k} zeros and ones for each example, where lists of classes are expected",
            "Pass a matrix as an array: numpy.array(labels)",
        )


def _plain_numbers(row: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float | np.number) for value in row)
