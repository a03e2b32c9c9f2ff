"""Predictions of any task from arrays and tables: .npy, .npz, Parquet, CSV, TSV, JSON Lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from goldlabel.errors import InputError
from goldlabel.formats.prediction_file import (
    Columns,
    PredictionFile,
    as_floats,
    as_ids,
    open_predictions,
)

__all__ = ["PredProbs", "read_pred_probs"]

_PREFIXES = ("p_", "prob_", "proba_", "pred_probs_", "probs_")
_NO_CLASSES = ("", "id", "index", "unnamed: 0", "__index_level_0__")  # lower case


class PredProbs(NamedTuple):
    """Predicted probabilities as read from a file.

    Attributes
    ----------
    values : ndarray of shape (n, k), float32 or float64
        C-contiguous; a big .npy file is mapped, read-only.
    classes : tuple of str or None
        Names of the columns, where the file gives any.
    notes : tuple of str
        What was recognised, a sentence each.
    ids : ndarray of shape (n,), object, optional
        The name of each row as text, if the file has a column of ids.
    """

    values: npt.NDArray[Any]
    classes: tuple[str, ...] | None
    notes: tuple[str, ...]
    ids: npt.NDArray[Any] | None = None


def read_pred_probs(
    path: str | Path,
    *,
    classes: Sequence[str] | None = None,
    ids: npt.ArrayLike | None = None,
    id: str | None = None,
    key: str | None = None,
    prefix: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
) -> PredProbs:
    r"""Read predicted probabilities, a row per example and a column per class.

    Of a table, the numeric columns are the classes, named by the header; if some names begin with
    `prefix` (or, if it is not given, with ``p_``, ``prob_``, ``proba_``, ``probs_``,
    ``pred_probs_``), only those, without it. One column of lists of equal length counts as the
    whole matrix. Names 0 .. k-1 are positions, not class names.

    Parameters
    ----------
    path : str or Path
        .npy, .npz, or any table that `read_table` reads.
    classes : sequence of str, optional
        Of a table: the columns to take, in this order, if these are names of its columns.
    ids : array_like of shape (n,), optional
        The dataset's name of each example. A table that has an id column is put in this order.
    id : str, optional
        Name of the id column of the table; if not given, "id".
    key : str, optional
        Of .npz: which array. Needed if several could be meant.
    prefix : str, optional
        What the names of the class columns begin with.
    encoding, delimiter, header
        Of a table, as for `read_table`.

    Raises
    ------
    InputError
        The file can't be read, has no matrix of numbers, or lacks an id or has it twice.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "predictions.csv")
    >>> _ = path.write_text("id,p_cat,p_dog\nb,0.9,0.1\na,0.3,0.7\n")
    >>> probs = read_pred_probs(path, ids=["a", "b"])
    >>> probs.classes, probs.values.tolist()
    (('cat', 'dog'), [[0.3, 0.7], [0.9, 0.1]])
    """
    options = {"encoding": encoding, "delimiter": delimiter, "header": header}
    file = open_predictions(path, **options)
    if file.arrays is not None:
        where, array = file.array(key)
        return _described(where, as_floats(where, array), None, ())
    return _from_columns(file, classes, None if ids is None else np.asarray(ids), id, prefix)


def _described(
    where: object,
    values: npt.NDArray[Any],
    classes: tuple[str, ...] | None,
    notes: tuple[str, ...],
    ids: npt.NDArray[Any] | None = None,
) -> PredProbs:
    n, k = values.shape
    name = Path(str(where)).name
    note = f"Read pred_probs from {name}: {n:,} rows, {k:,} classes, {values.dtype}."
    return PredProbs(values, classes, (note, *notes), ids)


def _from_columns(
    file: PredictionFile,
    classes: Sequence[str] | None,
    ids: npt.NDArray[Any] | None,
    id: str | None,
    prefix: str | None,
) -> PredProbs:
    columns = file.columns
    id_column = file.id_column(columns, id)
    rest = {name: column for name, column in columns.items() if name != id_column}
    names, values, left_out = _matrix(file.path, rest, classes, prefix)
    held = None if id_column is None else columns[id_column]
    rows, notes = file.rows(held, ids)
    values = np.ascontiguousarray(values[rows])
    own = None if held is None else as_ids(held)[rows]
    return _described(file.path, values, names, (*file.notes, *left_out, *notes), own)


def _matrix(
    path: Path, columns: Columns, classes: Sequence[str] | None, prefix: str | None
) -> tuple[tuple[str, ...] | None, npt.NDArray[Any], list[str]]:
    """Return class names, matrix and notes from the columns that are not the ids."""
    lists = [name for name, column in columns.items() if _is_list(column.type)]
    if lists:
        if len(lists) > 1:
            raise InputError(str(path), f"has {len(lists)} columns of lists", "Leave one of them")
        return None, as_floats(str(path), _list_matrix(path, lists[0], columns[lists[0]])), []
    chosen, notes = _class_columns(path, columns, classes, prefix)
    arrays = {name: _numbers(path, name, columns[column]) for name, column in chosen.items()}
    small = all(array.dtype == np.float32 for array in arrays.values())
    first = next(iter(arrays.values()))
    values = np.empty((len(first), len(arrays)), np.float32 if small else np.float64)
    for position, array in enumerate(arrays.values()):
        values[:, position] = array
    names: tuple[str, ...] | None = tuple(arrays)
    if names == tuple(str(position) for position in range(len(arrays))):
        names = None
    return names, values, notes


def _class_columns(
    path: Path, columns: Columns, classes: Sequence[str] | None, prefix: str | None
) -> tuple[dict[str, str], list[str]]:
    """Return the table's column for each class name, in order, and notes on what was left out."""
    prefixes = _PREFIXES if prefix is None else (prefix,)
    used = next((p for p in prefixes if any(name.startswith(p) for name in columns)), "")
    if prefix and not used:
        raise InputError(
            str(path), f"has no column that begins with {prefix!r}", f"It has {_listed(columns)}"
        )
    named = {name[len(used) :]: name for name in columns if name.startswith(used)}
    if not used:
        named = {
            name: name
            for name in named
            if name.lower() not in _NO_CLASSES or name in (classes or ())
        }
    if classes is not None and any(name in named for name in classes):
        missing = [name for name in classes if name not in named]
        if missing:
            raise InputError(
                str(path),
                f"has no column for class {missing[0]!r}; {len(missing)} of {len(classes)} classes "
                "have none",
                f"It has {_listed(columns)}",
            )
        named = {name: named[name] for name in classes}
    if not named:
        raise InputError(str(path), f"has no class columns, only {_listed(columns)}", "Add them")
    left = [name for name in columns if name not in named.values()]
    return named, [f"Columns of {path.name} left out: {_listed(left)}."] if left else []


def _listed(names: Any) -> str:
    listed = [repr(name) for name in names]
    return ", ".join(listed[:10]) + (f" and {len(listed) - 10} more" if len(listed) > 10 else "")


def _is_list(data_type: Any) -> bool:
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(kind(data_type) for kind in kinds)


def _list_matrix(path: Path, name: str, column: Any) -> npt.NDArray[Any]:
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    lists = pa.concat_arrays(chunks)
    where = f"{path}: column {name!r}"
    if lists.null_count:
        row = int(np.argmax(lists.is_null().to_numpy(zero_copy_only=False)))
        raise InputError(f"{where}, row {row + 1}", "is missing", "Fill it, or drop the row")
    if not pa.types.is_fixed_size_list(lists.type):
        lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
        uneven = np.flatnonzero(lengths != lengths[0])
        if uneven.size:
            raise InputError(
                f"{where}, row {uneven[0] + 1}",
                f"has {lengths[uneven[0]]} values, and row 1 has {lengths[0]}; "
                f"{uneven.size:,} rows differ from row 1",
                "Give each row a value per class",
            )
    values = lists.flatten()
    if values.null_count:
        raise InputError(where, f"has {values.null_count:,} missing values", "Fill them")
    k = len(values) // len(lists)
    matrix: npt.NDArray[Any] = values.to_numpy(zero_copy_only=False).reshape(len(lists), k)
    return matrix


def _numbers(path: Path, name: str, column: Any) -> npt.NDArray[Any]:
    """Return a column as floats; the first row that is none is an error."""
    kind = column.type
    if column.null_count:
        row = int(np.argmax(np.asarray(column.is_null())))
        where = f"{path}: row {row + 1}, column {name!r}"
        raise InputError(
            where, f"is empty; {column.null_count:,} rows are", "Fill it, or drop the row"
        )
    if pa.types.is_floating(kind) and kind.bit_width <= 32:
        return np.asarray(column.cast(pa.float32()))
    try:
        return np.asarray(column.cast(pa.float64()))
    except (pa.ArrowException, ValueError):
        texts = pd.Series([str(value) for value in column.to_pylist()], dtype=object)
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(np.isnan(numbers) & (texts.str.strip().str.lower() != "nan").to_numpy())
    if bad.size:
        raise InputError(
            f"{path}: row {bad[0] + 1}, column {name!r}",
            f"is {texts.iloc[bad[0]]!r}, not a number; {bad.size:,} rows are none",
            "Leave only class columns, or name them with a prefix such as p_",
        )
    return numbers
