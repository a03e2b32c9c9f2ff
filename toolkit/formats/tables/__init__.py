"""Tables in their native formats -> frames and arrays, and back without loss."""

from __future__ import annotations

from goldlabel.formats.tables.table import (
    FORMATS,
    TABLES,
    TableFile,
    TableKeys,
    TableOptions,
    read_table,
    read_table_again,
    table_formats,
)
from goldlabel.formats.tables.writing import write_column, write_columns, write_text

__all__ = [
    "FORMATS",
    "TABLES",
    "TableFile",
    "TableKeys",
    "TableOptions",
    "read_table",
    "read_table_again",
    "table_formats",
    "write_column",
    "write_columns",
    "write_text",
]
