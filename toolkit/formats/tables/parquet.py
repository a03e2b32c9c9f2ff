"""Parquet files: read as they are, and one column changed with schema and row groups kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from goldlabel.errors import InputError
from goldlabel.formats.tables.arrow import ARROW_ERRORS, class_names, metadata, with_values
from goldlabel.formats.unpacking import check_unpacked

__all__ = ["MAGIC", "categories", "columns", "read", "write"]


MAGIC = b"PAR1"
"""How a Parquet file begins."""
_LARGEST = 1 << 30  # however small the file: one value, a million times, is stored once


def _open(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except ARROW_ERRORS as error:
        raise InputError(
            str(path),
            f"is not a Parquet file that can be read ({error})",
            "Fetch or write it again",
        ) from error


def read(path: Path) -> pa.Table:
    """Read a whole Parquet file."""
    with _open(path) as file:
        width = sum(map(_bits, file.schema_arrow.types)) // 8 + 1
        unpacked, packed = file.metadata.num_rows * width, path.stat().st_size
        check_unpacked(path, unpacked, packed, least=_LARGEST)
        try:
            table = file.read()
            table.validate(full=True)  # an untrusted file: no offset outside, no broken text
            return table
        except ARROW_ERRORS as error:
            raise InputError(
                str(path), f"is a damaged Parquet file ({error})", "Fetch or write it again"
            ) from error


def _bits(kind: pa.DataType) -> int:
    """Return how many bits a value takes at the least."""
    try:
        return int(kind.bit_width)
    except ValueError:
        return 32


def columns(path: Path) -> list[str]:
    """Return the names of a file's columns."""
    with _open(path) as file:
        return list(file.schema_arrow.names)


def categories(table: pa.Table) -> dict[str, tuple[str, ...]]:
    """Return class names by column: Hugging Face's ClassLabel, and categoricals of pandas.

    A dictionary that is only a way of storage has no meaning in its order, and is left out.
    """
    found = class_names(table.schema)
    described = metadata(table.schema, b"pandas", "columns")
    marked = [
        column.get("field_name")
        for column in (described if isinstance(described, list) else [])
        if isinstance(column, dict) and column.get("pandas_type") == "categorical"
    ]
    for name in map(str, marked):
        if name in table.column_names and pa.types.is_dictionary(table.schema.field(name).type):
            column = table.column(name).unify_dictionaries()
            if column.num_chunks:
                values = column.chunk(0).dictionary.to_pylist()
                if all(isinstance(value, str) for value in values):
                    found[name] = tuple(values)
    return found


def write(path: Path, changes: Mapping[str, Mapping[int, object]], out: Path) -> None:
    """Write the file to `out` with some values replaced, by column and row.

    Schema, metadata, row groups, and each column's compression and encoding are kept.

    Raises
    ------
    InputError
        The file can't be read, a value does not fit the column's type, or this version of
        pyarrow can't write the file's schema unchanged.
    """
    with _open(path) as file:
        schema = file.schema_arrow
        with pq.ParquetWriter(out, schema, **_settings(file)) as writer:
            first = 0
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                for column, rows in changes.items():
                    here = {
                        row - first: v for row, v in rows.items() if 0 <= row - first < len(table)
                    }
                    if here:
                        table = _replaced(table, path, column, here, first)
                writer.write_table(table, row_group_size=max(len(table), 1))
                first += len(table)
    with pq.ParquetFile(out) as written:
        if not written.schema_arrow.equals(schema, check_metadata=True):
            raise InputError(
                str(path),
                "has a schema that this version of pyarrow can't write unchanged",
                "Convert the file with pyarrow first",
            )


def _replaced(
    table: pa.Table, path: Path, column: str, changes: Mapping[int, object], first: int
) -> pa.Table:
    position = table.column_names.index(column)
    array = table.column(position).combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    rows = {row: first + row for row in changes}
    new = with_values(array, changes, f"{path}: column {column!r}", rows)
    return table.set_column(position, table.schema.field(position), new)


def _settings(file: pq.ParquetFile) -> dict[str, Any]:
    """Return how the file was written, as far as its metadata tells."""
    meta = file.metadata
    settings: dict[str, Any] = {
        "version": meta.format_version if meta.format_version in ("1.0", "2.4", "2.6") else "2.6",
        "store_schema": b"ARROW:schema" in (meta.metadata or {}),
    }
    if not meta.num_row_groups:
        return settings
    chunks = [meta.row_group(0).column(i) for i in range(meta.num_columns)]
    names = {chunk.path_in_schema: chunk for chunk in chunks}
    codecs = {name: chunk.compression for name, chunk in names.items()}
    settings["compression"] = {
        name: "NONE" if codec == "UNCOMPRESSED" else codec for name, codec in codecs.items()
    }
    settings["use_dictionary"] = [
        name for name, chunk in names.items() if any("DICTIONARY" in e for e in chunk.encodings)
    ]
    settings["write_statistics"] = [name for name, c in names.items() if c.is_stats_set]
    settings["use_deprecated_int96_timestamps"] = any(c.physical_type == "INT96" for c in chunks)
    return settings
