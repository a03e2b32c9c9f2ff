"""Native formats of regression datasets: read a table, write it back corrected.

`goldlabel.tasks.regression.formats.numbers` knows how files write numbers, `predictions` where
predicted values come from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.changes import Correction, by_example
from goldlabel.formats.options import extended, options_of
from goldlabel.formats.reading import TableReading
from goldlabel.formats.registry import Formats
from goldlabel.formats.tables import (
    TableFile,
    TableOptions,
    read_table_again,
    roles,
    table_formats,
    write_column,
)
from goldlabel.results.audit import Source
from goldlabel.tasks.regression.data import RegressionData
from goldlabel.tasks.regression.formats.numbers import Column, Style, read_numbers, written
from goldlabel.tasks.regression.formats.predictions import Predictions, read_predictions
from goldlabel.tasks.regression.values import NOTHING, NUMBER

__all__ = ["FORMATS", "NumberColumn", "export", "read"]

LABEL_NAMES = ("label", "labels", "target", "y", "value", "given_label", "response")

Missing = Literal["list", "drop", "error"]


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """What the caller says of how numbers are written; None where it is to be recognised."""

    decimal: str | None = None
    thousands: str | None = None
    unit: str | None = None
    missing_values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NumberColumn(Spelling, TableOptions):
    """A column of numbers in a table.

    Attributes
    ----------
    label : str
    id : str or None
    missing : {"list", "drop", "error"}
        What is done with rows without a label.
    style : Style
        How the column writes numbers.
    decimals : int
    examples : int
    """

    label: str
    id: str | None = None
    missing: Missing = "list"
    style: Style
    decimals: int = 0
    examples: int = 0


def read(
    path: str | Path,
    *,
    label: str | None = None,
    id: str | None = None,
    predictions: str | None = None,
    format: str | None = None,
    missing: Missing = "list",
    missing_values: Sequence[str] = (),
    decimal: str | None = None,
    thousands: str | None = None,
    unit: str | None = None,
    key: str | None = None,
    **reading: Unpack[TableReading],
) -> RegressionData:
    r"""Read a dataset with one number per example, and predictions if there are any.

    Parameters
    ----------
    path : str or Path
        A table; see `goldlabel.formats.tables.read_table`.
    label : str, optional
        The column of labels. If not given: the one called label, labels, target, y, value,
        given_label or response, or the only column.
    id : str, optional
        The column of ids. If not given: "id", if its values are all there and different.
    predictions : str, optional
        Columns of the table (several are averaged), or a file: .npy, .npz, or another table,
        matched by id if both have ids, else by position.
    format : str, optional
        One of `FORMATS`, taken instead of what the content looks like.
    missing : {"list", "drop", "error"}
        What to do with rows that have no label: keep them, to be listed as findings; leave them
        out; or stop.
    missing_values : sequence of str
        What stands for a missing label besides nothing, "NA", "?" and the like, e.g. "-200".
    decimal, thousands, unit : str, optional
        How text writes numbers: the mark before decimals, what separates thousands, and a sign
        before or behind the number. The first two are recognised if not given.
    key : str, optional
        Array in an .npz file, or column of a table of predictions.
    **reading
        How to read the table; see `goldlabel.formats.reading.TableReading`.

    Returns
    -------
    RegressionData

    Raises
    ------
    InputError
        A file can't be read, or what it holds does not fit; says which file, row and column.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "houses.csv")
    >>> _ = path.write_text("rooms;price\n2;1.200,50\n3;unknown\n5;950,00\n")
    >>> data = read(path, label="price")
    >>> data.labels.tolist(), data.texts.tolist(), data.decimals
    ([1200.5, nan, 950.0], ['', 'unknown', ''], 2)
    """
    if missing not in ("list", "drop", "error"):
        raise InputError("missing", f"is {missing!r}", "Use 'list', 'drop' or 'error'")
    found = FORMATS.find(Path(path), format, encoding=reading.get("encoding"))
    table = found.read(Path(path), reading)
    label_name, label_note = roles.label_column(table, label, LABEL_NAMES)
    id_name, id_note = roles.id_column(table, id)
    id_name = None if id_name == label_name else id_name
    spelling = Spelling(
        decimal=decimal, thousands=thousands, unit=unit, missing_values=tuple(missing_values)
    )
    column = _labels(table, label_name, spelling)
    rows = _kept(column, missing, f"{table.source.files[0]}: column {label_name!r}")
    ids = roles.ids(table, id_name)
    predicted: Predictions | None = None
    if predictions is not None:
        file = table.source.files[0]
        predicted = read_predictions(predictions, table.frame, file, ids=ids, id=id_name, key=key)
    notes = [*table.notes, *filter(None, (label_note, id_note)), *column.notes, *_said(column)]
    if rows is not None:
        notes.append(f"{len(table.frame) - len(rows):,} rows without a label were left out.")
    options = extended(
        NumberColumn,
        table.source,
        label=label_name,
        id=id_name,
        missing=missing,
        style=column.style,
        decimals=column.decimals,
        **vars(spelling),
    )
    table = replace(table, source=replace(table.source, options=options))
    return _assembled(table, column, rows, ids, predicted, options, notes)


def _labels(table: TableFile, label: str, spelling: Spelling) -> Column:
    if label in table.coded:
        raise InputError(
            f"{table.source.files[0]}: column {label!r}",
            "holds classes (ClassLabel), not numbers",
            "Name a column of numbers",
        )
    return read_numbers(
        table.frame[label],
        f"{table.source.files[0]}: column {label!r}",
        decimal=spelling.decimal,
        thousands=spelling.thousands,
        unit=spelling.unit,
        missing=spelling.missing_values,
    )


def _kept(column: Column, missing: str, where: str) -> npt.NDArray[np.int64] | None:
    """Return the rows that are examples; None if all are."""
    none = np.flatnonzero(column.values.kind == NOTHING)
    if none.size and missing == "error":
        raise InputError(
            f"{where}, row {none[0] + 1}",
            f"is missing; {none.size:,} of {len(column.values.kind):,} labels are",
            "Fill them in, or leave out the option missing to list such rows",
        )
    if none.size and missing == "drop":
        return np.flatnonzero(column.values.kind != NOTHING)
    return None


def _said(column: Column) -> list[str]:
    values = column.values
    odd = np.flatnonzero(values.texts != "")
    if not odd.size:
        return []
    shown = ", ".join(repr(text) for text in list(dict.fromkeys(values.texts[odd].tolist()))[:5])
    are = "is no number" if odd.size == 1 else "are no numbers"
    return [f"{odd.size:,} of {len(values.kind):,} labels {are}: {shown}."]


def _assembled(
    table: TableFile,
    column: Column,
    rows: npt.NDArray[np.int64] | None,
    ids: npt.NDArray[Any] | None,
    found: Predictions | None,
    options: NumberColumn,
    notes: list[str],
) -> RegressionData:
    values = column.values
    taken: Any = slice(None) if rows is None else rows
    predictions = None
    if found is not None:
        predictions = found.values[taken]
        notes.extend(found.notes)
        lacking = np.flatnonzero(~np.isfinite(found.values) & (values.kind == NUMBER))
        if lacking.size:
            raise InputError(
                f"predictions, row {lacking[0] + 1}",
                f"are missing or infinite; {lacking.size:,} rows with a label have none",
                "Predict each row of the dataset",
            )
    labels = values.numbers[taken]
    options = replace(options, examples=len(labels))
    inputs = () if found is None or found.file is None else (found.file,)
    return RegressionData(
        labels=labels,
        texts=values.texts[taken],
        source=replace(table.source, options=options, inputs=inputs),
        table=table,
        decimals=column.decimals,
        ids=None if ids is None else ids[taken],
        predictions=predictions,
        rows=rows,
        notes=tuple(notes),
    )


def export(source: Source, corrections: pd.DataFrame, out: str | Path) -> None:
    """Write a dataset again with some labels replaced, and everything else as it was.

    A new value is written as the column writes numbers: with its decimal mark, thousands
    separator and unit, at least as many decimals, and as text, whole number or float as the value
    that it replaces.

    Parameters
    ----------
    source : Source
        Of `RegressionData`.
    corrections : DataFrame
        A row per changed label: ``example`` (position in `RegressionData.labels`) and
        ``suggested`` (a finite number).
    out : str or Path
        File to write; for a Hugging Face dataset, a new folder.

    Raises
    ------
    InputError
        A correction names no example or no number, the dataset changed since it was read, or
        `out` can't be written. Nothing is written then.
    """
    source = FORMATS.restored(source)
    examples = options_of(source, NumberColumn).examples
    FORMATS.export(source, by_example(corrections, _number, examples=examples), out)


def _number(correction: Correction) -> float:
    value = correction.suggested
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise InputError(correction.where, f"suggests {value!r}, no finite number", "Pass a number")
    return float(value)


def frame_again(source: Source) -> pd.DataFrame:
    """Read the table of an audit again: the rows that were examples then."""
    options, table = options_of(source, NumberColumn), read_table_again(source)
    if options.missing != "drop":
        return table.frame
    kinds = _labels(table, options.label, options).values.kind
    return table.frame.iloc[np.flatnonzero(kinds != NOTHING)].reset_index(drop=True)


def _export(source: Source, changes: Mapping[int, float], out: Path) -> None:
    label = options_of(source, NumberColumn).label
    write_column(source, label, _as_written(source, label, changes) if changes else {}, out)


def _as_written(source: Source, label: str, changes: Mapping[int, float]) -> dict[int, Any]:
    """Return the new values by row of the table, as the table writes them."""
    table = read_table_again(source)
    column = table.frame[label]
    options = options_of(source, NumberColumn)
    rows: npt.NDArray[np.int64] = np.arange(len(column))
    if options.missing == "drop":
        rows = np.flatnonzero(_labels(table, label, options).values.kind != NOTHING)
    is_text = source.format in ("csv", "tsv") or _is_text(column)
    is_whole = source.format in ("parquet", "huggingface") and not is_text and _is_whole(column)
    new = {}
    for example, value in changes.items():
        row = int(rows[example])
        where = f"{source.files[0]}: row {row + 1}, column {label!r}"
        new[row] = written(
            value, column.iloc[row], options.style, is_text=is_text, where=where, is_whole=is_whole
        )
    return new


def _is_whole(column: pd.Series[Any]) -> bool:
    """Return whether a column of Arrow numbers holds integers; with gaps these are objects."""
    if column.dtype.kind == "O":
        return all(isinstance(value, int) for value in column if value is not None)
    return column.dtype.kind in "iu"


def _is_text(column: pd.Series[Any]) -> bool:
    """Return whether the first number of a column, if there is one, is a text."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if column.dtype.kind != "O":
        return not pd.api.types.is_numeric_dtype(column.dtype)
    texts = sum(isinstance(value, str) for value in column)
    numbers = sum(isinstance(value, int | float) and value == value for value in column)
    return texts > numbers


FORMATS: Formats[TableReading, TableFile] = Formats(
    "regression",
    *table_formats(
        lambda table, reading: table, _export, NumberColumn, reading=lambda reading: reading
    ),
)
"""The native formats: tables."""
