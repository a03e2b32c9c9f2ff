"""Tables with a column for each class that says yes or no."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.options import extended, options_of
from goldlabel.formats.tables import TableFile, read_table_again, write_columns
from goldlabel.results.audit import Source
from goldlabel.tasks.multilabel.formats.given import (
    Changes,
    Given,
    are_few,
    flag,
    flags,
    opposite,
    whole,
)
from goldlabel.tasks.multilabel.formats.table_options import LabelTable
from goldlabel.tasks.multilabel.inputs import BadLabel

__all__ = ["export", "indicators", "read"]


def indicators(frame: pd.DataFrame, but: Sequence[str | None] = ()) -> list[str]:
    """Return the columns that hold nothing but yes and no, and both in some."""
    return [
        name
        for name in map(str, frame.columns)
        if name not in but and _says(frame[name]) is not None
    ]


def _says(column: pd.Series[Any]) -> Any:
    try:
        found, neither = flags(column)
    except TypeError:  # lists
        return None
    return found if not neither.size and (found >= 0).any() else None


def read(opened: TableFile, columns: Sequence[str]) -> Given:
    """Read the columns of the classes; the few values that are neither yes nor no are set aside.

    Raises
    ------
    InputError
        Many values are neither; says which row and column.
    """
    path, frame = opened.source.files[0], opened.frame
    labels = np.empty((len(frame), len(columns)), dtype=np.int8)
    bad: list[BadLabel] = []
    for at, name in enumerate(columns):
        where = f"{path}: column {name!r}"
        try:
            labels[:, at], neither = flags(frame[name])
        except TypeError as error:
            raise InputError(where, "holds lists", "Name one column of lists alone") from error
        bad += [BadLabel(row, at, str(frame[name].iloc[row])) for row in neither.tolist()]
        if not are_few(bad, len(frame)):
            raise _no_flag(frame[name], where, neither)
    options = extended(LabelTable, opened.source, layout="columns", columns=tuple(columns))
    shares = [name for name in columns if _has_shares(frame[name])]
    notes = list(opened.notes)
    if shares:
        notes.append(f"Values between 0 and 1 count as yes from 0.5 on: {', '.join(shares[:5])}.")
    source = replace(opened.source, options=options)
    return whole(labels, columns, str(path), source, notes, bad=tuple(bad))


def _has_shares(column: pd.Series[Any]) -> bool:
    if column.dtype.kind != "f":
        return False
    values = column.dropna()
    return bool(((values != 0) & (values != 1) & (values != -1)).any())


def _no_flag(column: pd.Series[Any], where: str, neither: npt.NDArray[np.int64]) -> InputError:
    value = column.iloc[neither[0]]
    shown = repr(value.item() if isinstance(value, np.generic) else value)
    return InputError(
        f"{where}, row {neither[0] + 1}",
        f"is {shown if len(shown) <= 60 else shown[:57] + '...'}, neither yes nor no;"
        f" {len(neither):,} rows are neither",
        "Write 1 or 0 (true or false, yes or no), and nothing where it is not known;"
        " or name other columns with the option labels",
    )


def export(source: Source, changes: Changes, out: Path) -> None:
    """Write the table again with the changed cells in the way that they were written."""
    columns = options_of(source, LabelTable).columns
    cells: dict[str, dict[int, object]] = {}
    frame = read_table_again(source).frame if changes else None
    for (example, part), is_present in changes.items():
        assert frame is not None
        name = columns[part]
        new = _written(frame[name], example, is_present, source.format)
        cells.setdefault(name, {})[example] = new
    write_columns(source, cells, out)


def _written(column: pd.Series[Any], row: int, is_present: bool, format: str) -> object:
    """Return yes or no as the column writes it."""
    old = column.iloc[row]
    if isinstance(old, str):
        return opposite(old, is_present, list(_usual(column)))
    if isinstance(old, bool | np.bool_) or column.dtype.kind == "b":
        return is_present
    present = column.dropna()
    kinds = Counter(type(value) for value in present)
    kind = kinds.most_common(1)[0][0] if kinds else int
    if issubclass(kind, str):
        return opposite("", is_present, list(_usual(column)))
    if issubclass(kind, bool | np.bool_):
        return is_present
    number = int(is_present)
    whole_numbers = issubclass(kind, int | np.integer)
    return number if whole_numbers else float(number)


def _usual(column: pd.Series[Any]) -> Iterator[str]:
    """Yield the words for yes and no in a column, the most frequent first."""
    for word, _ in Counter(
        value.strip() for value in column if isinstance(value, str)
    ).most_common():
        if flag(word) in (0, 1):
            yield word
