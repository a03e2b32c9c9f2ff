"""A file of predictions, whichever task they are for: arrays or a table, rows matched by id."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from goldlabel.errors import InputError
from goldlabel.formats.arrays import choose_array, open_arrays
from goldlabel.formats.tables import parquet
from goldlabel.formats.tables.table import TableFile, read_table
from goldlabel.formats.text import first_bytes, is_folder

__all__ = [
    "USUAL",
    "Columns",
    "PredictionFile",
    "as_floats",
    "as_ids",
    "open_predictions",
    "rows_by_id",
]

USUAL = ("pred_probs", "probs")
"""Names of arrays in archives."""

Columns = dict[str, Any]
"""Of name to ChunkedArray or Array of pyarrow."""


class PredictionFile:
    """A file of predictions of any task: named arrays, or a table, read when it is asked for.

    Parameters
    ----------
    path : Path
    arrays : mapping of str to ndarray, optional
        Of .npz by name, of .npy one called ""; None for a table.
    reading : mapping
        Options of `read_table`.
    """

    def __init__(
        self,
        path: Path,
        arrays: Mapping[str, npt.NDArray[Any]] | None,
        reading: Mapping[str, Any],
    ) -> None:
        self.path = path
        self.arrays = arrays
        self._reading = reading

    def array(
        self, key: str | None, usual: Collection[str] = USUAL
    ) -> tuple[str, npt.NDArray[Any]]:
        """Return an array, and what to call it in messages; see `choose_array`."""
        assert self.arrays is not None
        name = choose_array(self.path, self.arrays, key, usual)
        return f"{self.path}[{name!r}]" if name else str(self.path), self.arrays[name]

    @cached_property
    def table(self) -> TableFile:
        """The table."""
        return read_table(self.path, **self._reading)

    @cached_property
    def columns(self) -> Columns:
        """Every column of the table as Arrow data; what can't become it as text."""
        if not is_folder(self.path) and first_bytes(self.path).startswith(parquet.MAGIC):
            table = parquet.read(self.path)
            columns = dict(zip(table.column_names, table.columns, strict=True))
            if len(columns) < table.num_columns or not len(table):
                raise InputError(
                    str(self.path), "has no rows, or two columns of one name", "Mend it"
                )
            return columns
        frame = self.table.frame
        return {str(name): _arrow(frame[name]) for name in frame.columns}

    @property
    def notes(self) -> tuple[str, ...]:
        """How the table was read, if it had to be recognised."""
        return self.table.notes[:1] if "table" in self.__dict__ else ()

    def id_column(self, names: Iterable[str], id: str | None) -> str | None:
        """Return which column holds ids: `id`, else the one called so; None if there is none."""
        listed = list(names)
        if id is not None and id in listed:
            return id
        found = [name for name in listed if name.lower() == "id"]
        return found[0] if len(found) == 1 else None

    def rows(
        self, column: Any, ids: npt.NDArray[Any] | None
    ) -> tuple[npt.NDArray[np.int64] | slice, list[str]]:
        """Return which row of the file is that of each example, and notes on it.

        Parameters
        ----------
        column : ChunkedArray, Array or Series, optional
            The ids of the file's rows; without them all rows are taken as they are.
        ids : ndarray of shape (n,), optional
            Those of the examples.
        """
        if ids is None:
            return slice(None), []
        if column is None:
            name = self.path.name
            return slice(None), [
                f"{name} has no id column: its rows are taken in the order of the labels."
            ]
        notes: list[str] = []
        return rows_by_id(self.path, column, ids, notes), notes


def open_predictions(path: str | Path, **reading: Any) -> PredictionFile:
    """Open a file of predictions, of whichever task.

    Raises
    ------
    InputError
        There is no such file, or its arrays are damaged.
    """
    path = Path(path)
    arrays = None if is_folder(path) else open_arrays(path)
    return PredictionFile(path, arrays, reading)


def as_floats(
    where: str,
    array: npt.NDArray[Any],
    *,
    dims: Collection[int] = (2,),
    shapes: str = "a row per example and a column per class",
    fix: str = "Of two classes too, save both columns",
) -> npt.NDArray[Any]:
    """Return an array as float32 or float64, C-contiguous, without a copy if it is so already.

    Parameters
    ----------
    where : str
        What to call it in messages.
    array : ndarray
    dims : collection of int
        How many dimensions it may have.
    shapes, fix : str
        For the message: what these are, and what to do.
    """
    if array.dtype.kind not in "fiub":
        raise InputError(where, f"holds {array.dtype}, not numbers", "Save an array of floats")
    if array.ndim not in dims:
        raise InputError(where, f"has shape {array.shape}, and {shapes} is expected", fix)
    if not array.size:
        raise InputError(where, f"is empty, of shape {array.shape}", "Save all rows")
    small = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    return np.ascontiguousarray(array, dtype=np.float32 if small else np.float64)


def _arrow(column: pd.Series[Any]) -> Any:
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        return pa.array([str(value).encode("utf-8", "replace").decode() for value in column])


def as_ids(column: Any) -> npt.NDArray[Any]:
    """Return ids as text."""
    values = column.to_pylist() if hasattr(column, "to_pylist") else column.tolist()
    ids = np.empty(len(values), dtype=object)
    ids[:] = [value if isinstance(value, str) else str(value) for value in values]
    return ids


def rows_by_id(
    path: Path, column: Any, ids: npt.NDArray[Any], notes: list[str]
) -> npt.NDArray[np.int64] | slice:
    """Return the row for each id; all rows as they are (a slice) if the order is the same."""
    held, wanted = pd.Index(as_ids(column)), pd.Index(as_ids(ids))
    if held.equals(wanted) and held.is_unique:
        return slice(None)
    where = f"{path}: column of ids"
    twice = np.flatnonzero(held.duplicated())
    if twice.size:
        raise InputError(
            f"{where}, row {twice[0] + 1}",
            f"is {held[twice[0]]!r} again; {twice.size:,} rows repeat an id",
            "Leave one row for each id",
        )
    rows: npt.NDArray[np.int64] = held.get_indexer(wanted)
    if (rows < 0).all():
        rows = _rows_by_number(held, wanted, rows)
    missing = np.flatnonzero(rows < 0)
    if missing.size:
        raise InputError(
            where,
            f"lacks id {wanted[missing[0]]!r}; "
            f"{missing.size:,} of {len(wanted):,} examples have no predictions",
            "Predict every example, or drop those without",
        )
    extra = len(held) - len(np.unique(rows))
    notes.append(
        f"Matched predictions with labels by id; {extra:,} predictions of no example left out."
    )
    return rows


def _rows_by_number(
    held: pd.Index[Any], wanted: pd.Index[Any], rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the row of each id where all ids are whole numbers, written in two ways: 7, 7.0."""
    texts = (held.str.removesuffix(".0"), wanted.str.removesuffix(".0"))
    whole = all(text.str.fullmatch(r"-?[0-9]{1,15}").all() for text in texts)
    if not whole or not all(text.is_unique for text in texts):
        return rows
    by_number: npt.NDArray[np.int64] = texts[0].get_indexer(texts[1])
    return by_number
