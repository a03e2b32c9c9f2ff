"""JSON Lines: one object a line; single values changed in place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.json.text import loaded, members
from goldlabel.formats.text import TextFile

__all__ = ["has_column", "looks_like", "read", "with_changes"]

_SPACE = " \t\r\n"


def looks_like(data: bytes) -> bool:
    """Return whether the first line that is not blank holds a JSON object."""
    for _, _, line in _lines(data):
        try:
            return isinstance(json.loads(line), dict)
        except (ValueError, RecursionError):
            return False
    return False


def _lines(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield number, start and bytes of every line that is not blank."""
    start, number = 0, 0
    while start < len(data):
        number += 1
        stop = data.find(b"\n", start)
        stop = len(data) if stop < 0 else stop
        line = data[start:stop]
        if line.strip():
            yield number, start, line
        start = stop + 1


def read(file: TextFile) -> pd.DataFrame:
    """Return a column for each key, in the order in which they appear; absent keys are None.

    Raises
    ------
    InputError
        A line is not a JSON object; says which.
    """
    columns: dict[str, list[Any]] = {}
    rows = 0
    for number, _, line in _lines(file.data):
        for key, value in _object(file, line, rows, number).items():
            column = columns.get(key)
            if column is None:
                column = columns[key] = []
            column.extend([None] * (rows - len(column)))
            column.append(value)
        rows += 1
    for column in columns.values():
        column.extend([None] * (rows - len(column)))
    if not columns:
        raise InputError(str(file.path), "has only empty objects", "Name a file that has columns")
    return pd.DataFrame({key: _column(values) for key, values in columns.items()})


def has_column(file: TextFile, column: str) -> bool:
    """Return whether any row has a key; most often the first one answers."""
    lines = enumerate(_lines(file.data))
    return any(column in _object(file, line, row, number) for row, (number, _, line) in lines)


def _column(values: list[Any]) -> pd.Series[Any]:
    return pd.Series(values, dtype=object).infer_objects()


def _object(file: TextFile, line: bytes, row: int, number: int) -> dict[str, Any]:
    where = f"{file.path}: row {row + 1} (line {number})"
    fix = "Write one JSON object on each line"
    try:
        value = loaded(line)
    except json.JSONDecodeError as error:
        raise InputError(where, f"is not JSON ({error.msg}, column {error.colno})", fix) from error
    except (ValueError, RecursionError) as error:  # too long a number, too deep a nesting
        raise InputError(where, f"is not JSON that can be read ({error})", fix) from error
    if not isinstance(value, dict):
        raise InputError(where, f"is a JSON {_kind(value)}, not an object", fix)
    return value


def _kind(value: object) -> str:
    kinds = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return kinds.get(type(value), "number")


def with_changes(file: TextFile, changes: Mapping[str, Mapping[int, object]]) -> bytes:
    """Return the text with some values replaced, by key and row, and all else as it was.

    A row without the key gets it at its end. A change may be a function that is given the JSON
    text of the value ("null" where there is none) and returns the new one.
    """
    ascii_only = file.data.isascii()
    pieces, done = [], 0
    changed = {row for rows in changes.values() for row in rows}
    for row, (_, start, line) in enumerate(_lines(file.data)):
        if row in changed:
            text = line.decode("utf-8")
            for column, rows in changes.items():
                if row in rows:
                    text = _with_value(text, column, rows[row], ascii_only)
            pieces += [file.data[done:start], text.encode("utf-8")]
            done = start + len(line)
    pieces.append(file.data[done:])
    return b"".join(pieces)


def _new(value: object, old: str, ascii_only: bool) -> str:
    """Return a value as JSON; a function makes its own of the text that was there."""
    return value(old) if callable(value) else json.dumps(value, ensure_ascii=ascii_only)


def _with_value(text: str, column: str, value: object, ascii_only: bool) -> str:
    spans = {key: (start, stop) for key, _, start, stop in members(text)}
    if column in spans:  # of a key that comes twice, the last one counts, as in reading
        start, stop = spans[column]
        return text[:start] + _new(value, text[start:stop], ascii_only) + text[stop:]
    new = _new(value, "null", ascii_only)
    end = text.rindex("}")
    body = text[:end].rstrip(_SPACE)
    key = json.dumps(column, ensure_ascii=ascii_only)
    return f"{body}{', ' if spans else ''}{key}: {new}{text[len(body) : end]}{text[end:]}"
