"""Write a table, or any text file, back in its native format with some values changed."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from goldlabel.errors import InputError
from goldlabel.files import replacing, sha256
from goldlabel.formats.tables import (
    delimited,
    huggingface,
    jsonl,
    parquet,
)
from goldlabel.formats.tables.table import check_unchanged, table_options
from goldlabel.formats.text import TextFile, check_file, read_text
from goldlabel.results.audit import Source

__all__ = ["check_output", "write_column", "write_columns", "write_text"]


def write_column(
    source: Source, column: str, changes: Mapping[int, object], out: str | Path
) -> None:
    """Write a table again with some values of one column replaced; see `write_columns`."""
    write_columns(source, {column: changes}, out)


def write_columns(
    source: Source, changes: Mapping[str, Mapping[int, object]], out: str | Path
) -> None:
    """Write a table again with some values replaced, and all else as it was.

    Delimited text and JSON Lines: only the bytes of the replaced fields differ, in the file's
    encoding, line ends, quoting and compression. Parquet and Arrow: same schema, metadata and
    parts; the other columns are untouched. Without changes the output is a copy of the input.

    Parameters
    ----------
    source : Source
        From `read_table`. If it has the option "sha256", the file must still have that hash.
    changes : mapping of str to mapping of int to object
        For each column the new values by row, 0 .. n-1: text for delimited text, for JSON Lines a
        value or a function that is given the old value's JSON text and returns the new one, else
        of the column's own type.
    out : str or Path
        File to write (a folder for a Hugging Face dataset); never the input.

    Raises
    ------
    InputError
        The input changed since it was read, has no such row or column, or can't hold a value; or
        `out` is the input or can't be written. Nothing is written then.
    """
    out = Path(out)
    write = _WRITERS.get(source.format)
    if write is None:
        raise InputError(
            "source", f"has the format {source.format!r}, no table", "Use read_table's"
        )
    path = source.files[0]
    plain = {
        column: {int(row): _plain(value) for row, value in rows.items()}
        for column, rows in changes.items()
    }
    rows = table_options(source).rows
    n = math.inf if rows is None else rows
    outside = [row for rows in plain.values() for row in rows if not 0 <= row < n]
    if outside:
        raise InputError(
            f"{path}: row {outside[0] + 1}", f"is not one of its {n:,} rows", "Check the changes"
        )
    if source.format != "huggingface":
        check_output(path, out)
    try:
        write(source, plain, out)
    except OSError as error:
        raise InputError(
            str(out), f"cannot be written ({error})", "Make room, or name another file"
        ) from error


def _plain(value: object) -> Any:
    return value.item() if hasattr(value, "item") else value


def check_output(path: Path, out: Path) -> None:
    """Refuse an output that is the input, a folder, or no name for a file."""
    check_file(path)
    try:
        if out.is_dir():
            raise InputError(str(out), "is a folder", "Name a file in it")
        same = out.exists() and out.samefile(path)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(str(out), f"cannot be written ({error})", "Name another file") from error
    if same:
        raise InputError(str(out), "is the input, which is never overwritten", "Name another file")


def _check_column(source: Source, column: str, names: Iterable[str]) -> None:
    listed = list(names)
    if column not in listed:
        only = f", only {', '.join(listed[:20])}" if listed else ""
        raise InputError(
            str(source.files[0]), f"has no column {column!r}{only}", "Name one that it has"
        )


def write_text(source: Source, out: str | Path, changed: Callable[[TextFile], bytes]) -> None:
    """Write a text file again with what `changed` makes of it; the same bytes if that is nothing.

    Parameters
    ----------
    source : Source
        Of one text file. If it has the option "sha256", the file must still have that hash.
    out : str or Path
        File to write; never the input.
    changed : callable
        Given the file, returns its text as UTF-8.

    Raises
    ------
    InputError
        The input changed since it was read, or `out` is the input or can't be written. Nothing is
        written then.
    """
    out = Path(out)
    check_output(source.files[0], out)
    file = read_text(source.files[0], encoding=_encoding(source))
    check_unchanged(source, file.sha256)
    data = changed(file)
    with replacing(out) as temporary:
        if data == file.data:
            shutil.copyfile(file.path, temporary)
        else:
            temporary.write_bytes(file.packed(data))


def _encoding(source: Source) -> str | None:
    options: Any = source.options
    found = options.get("encoding") if isinstance(options, Mapping) else options.encoding
    return found if isinstance(found, str) else None


def _write_text(source: Source, changes: Mapping[str, Mapping[int, Any]], out: Path) -> None:
    write_text(source, out, lambda file: _changed_text(source, file, changes))


def _changed_text(
    source: Source, file: TextFile, changes: Mapping[str, Mapping[int, Any]]
) -> bytes:
    options = table_options(source)
    if source.format == "jsonl":
        for column in changes:
            _check_column(source, column, [column] if jsonl.has_column(file, column) else [])
        return jsonl.with_changes(file, changes)
    table = delimited.scan(
        file,
        delimiter=options.delimiter,
        quote='"' if options.quote is None else options.quote,
        header=options.header,
    )
    for column in changes:
        _check_column(source, column, table.names)
    return delimited.with_changes(table, changes)


def _write_parquet(source: Source, changes: Mapping[str, Mapping[int, Any]], out: Path) -> None:
    path = source.files[0]
    check_unchanged(source, sha256(path))
    for column in changes:
        _check_column(source, column, parquet.columns(path))
    with replacing(out) as temporary:
        if any(changes.values()):
            parquet.write(path, changes, temporary)
        else:
            shutil.copyfile(path, temporary)


def _write_huggingface(source: Source, changes: Mapping[str, Mapping[int, Any]], out: Path) -> None:
    split = table_options(source).split
    dataset = huggingface.open_dataset(source.files[0], split=split)
    check_unchanged(source, dataset.sha256)
    for column in changes:
        _check_column(source, column, huggingface.columns(dataset))
    huggingface.write(dataset, {column: rows for column, rows in changes.items() if rows}, out)


_WRITERS: dict[str, Callable[[Source, Mapping[str, Mapping[int, Any]], Path], None]] = {
    "csv": _write_text,
    "tsv": _write_text,
    "jsonl": _write_text,
    "parquet": _write_parquet,
    "huggingface": _write_huggingface,
}
