"""Tables in their native formats -> frames and arrays, and back without loss."""

from __future__ import annotations

from goldlabel.formats.tables.table import (
    FORMATS,
    TableFile,
    is_table_folder,
    read_table,
    read_table_again,
)
from goldlabel.formats.tables.writing import write_column, write_columns, write_text

__all__ = [
    "FORMATS",
    "TableFile",
    "is_table_folder",
    "read_table",
    "read_table_again",
    "write_column",
    "write_columns",
    "write_text",
]
