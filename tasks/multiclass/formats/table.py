"""Tables with a column of labels: CSV, TSV, JSON Lines, Parquet, Hugging Face datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from goldlabel.formats.options import Scalar, extended, options_of
from goldlabel.formats.reading import of_table
from goldlabel.formats.tables import (
    TableFile,
    TableOptions,
    read_table_again,
    roles,
    table_formats,
    write_column,
)
from goldlabel.formats.tables.class_column import Distinct, distinct
from goldlabel.results.audit import Source
from goldlabel.tasks.multiclass.formats.labels import Asked, Labels, Options
from goldlabel.tasks.multiclass.formats.singles import are_lists, in_lists, single_labels

__all__ = ["FORMATS", "ColumnOptions"]

LABEL_NAMES = ("label", "labels", "class", "category", "target", "y")


@dataclass(frozen=True, kw_only=True)
class ColumnOptions(Options, TableOptions):
    """A column of labels in a table; `has_lists`: each in a list of one, or some."""

    label: str
    id: str | None = None
    has_lists: bool = False


def _read(opened: TableFile, asked: Asked) -> Labels:
    column, label_note = roles.label_column(opened, asked.label, LABEL_NAMES)
    id_name, id_note = roles.id_column(opened, asked.id)
    id_name = None if id_name == column else id_name
    values = opened.frame[column]
    has_lists = values.dtype == object and any(are_lists(values))
    options = extended(ColumnOptions, opened.source, label=column, id=id_name, has_lists=has_lists)
    return Labels(
        found=_labels(opened, column),
        where=_where(opened, column),
        source=replace(opened.source, options=options),
        notes=[*opened.notes, *filter(None, (label_note, id_note))],
        listed=opened.categories.get(column),
        positions=column in opened.coded,
        ids=roles.ids(opened, id_name),
        id=id_name,
        table=opened,
    )


def _export(source: Source, changes: Mapping[int, Scalar], out: Path) -> None:
    options = options_of(source, ColumnOptions)
    written: Mapping[int, object] = changes
    if changes and (options.missing == "drop" or options.has_lists):
        table = read_table_again(source)
        rows = np.arange(len(table.frame))
        if options.missing == "drop":
            rows = np.flatnonzero(_labels(table, options.label).codes >= 0)
        placed = {int(rows[example]): value for example, value in changes.items()}
        written = in_lists(table.frame[options.label], placed)
    write_column(source, options.label, written, out)


def frame_again(source: Source) -> pd.DataFrame:
    """Read the table of an audit again: the rows that were examples then."""
    options = options_of(source, ColumnOptions)
    table = read_table_again(source)
    if options.missing != "drop":
        return table.frame
    labeled = np.flatnonzero(_labels(table, options.label).codes >= 0)
    return table.frame.iloc[labeled].reset_index(drop=True)


def _labels(table: TableFile, column: str) -> Distinct:
    coded = table.categories[column] if column in table.coded else None
    where = _where(table, column)
    return distinct(single_labels(table.frame[column], where), where, positions_in=coded)


def _where(table: TableFile, column: str) -> str:
    return f"{table.source.files[0]}: column {column!r}"


FORMATS = table_formats(
    _read, _export, ColumnOptions, reading=lambda asked: of_table(asked.reading)
)
"""The formats of tables."""
