"""Tables with one column that lists the classes of an example: as text, or as a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.json.text import edited_list, elements, spliced
from goldlabel.formats.options import extended, options_of
from goldlabel.formats.tables import TableFile, read_table_again, write_columns
from goldlabel.results.audit import Source
from goldlabel.tasks.multilabel.formats import hot_text
from goldlabel.tasks.multilabel.formats.cells import Style, edit, entries, find_style, writer
from goldlabel.tasks.multilabel.formats.given import Changes, Given, opposite, pivot, whole
from goldlabel.tasks.multilabel.formats.table_options import LabelTable

__all__ = ["export", "read"]


def read(
    opened: TableFile, column: str, *, separator: str | None = None, known: Collection[str] = ()
) -> Given:
    """Read the column of lists.

    Parameters
    ----------
    opened : TableFile
    column : str
    separator : str, optional
        What separates classes in a text, in place of what it looks like.
    known : collection of str
        Names of classes, where any are known: they tell separators from parts of names.

    Raises
    ------
    InputError
        A value is no list of classes; says which row.
    """
    where = f"{opened.source.files[0]}: column {column!r}"
    values = opened.frame[column].tolist()
    rows = [row for row, value in enumerate(values) if _is_there(value)]
    if not rows:
        raise InputError(where, "has no labels at all", "Name another column")
    notes = list(opened.notes)
    listed = opened.categories.get(column) if column in opened.coded else None
    is_text = any(isinstance(values[row], str) for row in rows)
    hot = (
        hot_text.read([value if isinstance(value, str) else None for value in values])
        if is_text
        else None
    )
    if hot is not None:
        options = extended(LabelTable, opened.source, column=column, layout="multi_hot")
        return _hot(hot, column, where, replace(opened.source, options=options), notes)
    if is_text:
        style = find_style(_texts(values, rows, where), separator=separator, known=known)
        lists = [
            _entries(value, style, f"{where}, row {row + 1}") for row, value in enumerate(values)
        ]
        options = extended(LabelTable, opened.source, column=column, layout="text", style=style)
        notes.append(f"Column {column!r} holds the classes of each row, {style.described}.")
    else:
        lists = [_list(value, f"{where}, row {row + 1}") for row, value in enumerate(values)]
        options = extended(LabelTable, opened.source, column=column, layout="list")
        hot = _multi_hot(lists)
        if hot is not None and listed is None:
            source = replace(opened.source, options=replace(options, layout="multi_hot"))
            return _hot(hot, column, where, source, notes)
    missing = len(values) - len(rows)
    if missing:
        notes.append(f"{missing:,} rows have no list of classes, not even an empty one: not known.")
    labels, found, entry_rows = pivot(lists, where, positions_in=listed)
    source = replace(opened.source, options=options)
    given = Given(labels, found, entry_rows, False, where, source, notes)
    return given._replace(listed=listed)


def _hot(
    labels: npt.NDArray[np.int8], column: str, where: str, source: Source, notes: list[str]
) -> Given:
    k = labels.shape[1]
    notes.append(f"Column {column!r} holds a 1 or 0 for each of {k} classes.")
    return whole(labels, list(map(str, range(k))), where, source, notes)._replace(positions=True)


def _is_there(value: Any) -> bool:
    return isinstance(value, str | list | tuple | np.ndarray) or not pd.isna(value)


def _texts(values: Sequence[Any], rows: Sequence[int], where: str) -> list[str]:
    for row in rows:
        if not isinstance(values[row], str):
            raise InputError(
                f"{where}, row {row + 1}",
                f"is {values[row]!r}, and other rows hold text",
                "Write all rows as text, or all as lists",
            )
    return [values[row] for row in rows]


def _entries(value: object, style: Style, where: str) -> list[Any] | None:
    if not isinstance(value, str):
        return None
    return [entry.value for entry in entries(value, style, where)] if value.strip() else []


def _list(value: Any, where: str) -> list[Any] | None:
    if not _is_there(value):
        return None
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        value = [value]
    for entry in value:
        if entry is None or isinstance(entry, list | dict | tuple | np.ndarray):
            raise InputError(where, f"lists {entry!r}, which is no class", "Use text or numbers")
    return list(value)


def _multi_hot(lists: Sequence[Sequence[Any] | None]) -> npt.NDArray[np.int8] | None:
    """Return lists as a matrix if they are zeros and ones, one for each class, and not classes."""
    present = [each for each in lists if each is not None]
    k = len(present[0])
    if k < 2 or any(len(each) != k for each in present):
        return None
    values = {value for each in present for value in each}
    kinds = {type(value) for value in values}
    if not kinds <= {bool, int, float} or not all(0 <= value <= 1 for value in values):
        return None
    floats = float in kinds or bool in kinds
    if not floats and not any(len(set(each)) < k for each in present):
        return None
    matrix = np.full((len(lists), k), -1, dtype=np.int8)
    for row, each in enumerate(lists):
        if each is not None:
            matrix[row] = [value >= 0.5 for value in each]
    return matrix


def export(source: Source, changes: Changes, out: Path) -> None:
    """Write the table again with entries of some lists taken out and others put in."""
    column = options_of(source, LabelTable).column
    by_row: dict[int, dict[int, bool]] = {}
    for (example, part), is_present in changes.items():
        by_row.setdefault(example, {})[part] = is_present
    old = read_table_again(source).frame[column] if by_row else None
    new: dict[int, object] = {}
    for row, parts in by_row.items():
        assert old is not None
        where = f"{source.files[0]}: row {row + 1}, column {column!r}"
        new[row] = _changed(source, old.iloc[row], parts, where)
    write_columns(source, {column: new}, out)


def _changed(source: Source, old: Any, parts: Mapping[int, bool], where: str) -> object:
    """Return the new value of a row, or, for JSON Lines, what makes it of the old text."""
    options = options_of(source, LabelTable)
    if options.layout == "multi_hot":
        return _changed_hot(source, old, parts, where)
    wanted = {options.values[part]: is_present for part, is_present in parts.items()}
    if None in wanted:
        raise InputError(
            where, "cannot hold a class that the file has no value for", "Leave it out"
        )
    if options.style is not None:
        text, style = old if isinstance(old, str) else "", options.style
        return edit(text, style, wanted, where, writer(style, where))
    if source.format == "jsonl":
        return _json_list(wanted)
    if isinstance(old, np.ndarray | list | tuple):
        kept = [value for value in list(old) if wanted.get(_plain(value), True)]
        present = {_plain(value) for value in kept}
    else:
        kept, present = [], set()
    return [*kept, *(value for value, there in wanted.items() if there and value not in present)]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _json_list(wanted: Mapping[Any, bool]) -> Callable[[str], str]:
    """Return what changes the JSON text of a list, or of one class by itself."""

    def change(old: str) -> str:
        is_list = old.startswith("[")
        found = list(elements(old)) if is_list else []
        if not is_list and old != "null":
            found, old = [(json.loads(old), 1, 1 + len(old))], f"[{old}]"
        present = {value for value, _, _ in found}
        add = [
            json.dumps(value) for value, there in wanted.items() if there and value not in present
        ]
        spans = [(start - 1, stop - 1) for _, start, stop in found]
        inside = old[1:-1] if found else ""
        new = edited_list(inside, spans, lambda i: wanted.get(found[i][0], True), add, ", ")
        return f"[{new}]"

    return change


def _changed_hot(source: Source, old: Any, parts: Mapping[int, bool], where: str) -> object:
    if isinstance(old, str) and old.strip():
        return hot_text.changed(old, parts)
    if not isinstance(old, list | tuple | np.ndarray):
        raise InputError(where, "has no list to change", "Leave this row out")

    def change(text: str) -> str:
        edits = [
            (start, stop, opposite(text[start:stop], parts[at], ["1"]))
            for at, (_, start, stop) in enumerate(elements(text))
            if at in parts
        ]
        return spliced(text, edits)

    if source.format == "jsonl":
        return change
    new = list(old)
    for at, is_present in parts.items():
        new[at] = type(_plain(new[at]))(is_present)
    return new
