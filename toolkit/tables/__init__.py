"""Tables in their native formats -> frames and arrays, and back without loss."""

from __future__ import annotations

from goldlabel.tables.predictions import PredProbs, read_pred_probs
from goldlabel.tables.table import (
    FORMATS,
    TableFile,
    is_table_folder,
    read_table,
    read_table_again,
)
from goldlabel.tables.writing import write_column, write_columns, write_text

__all__ = [
    "FORMATS",
    "PredProbs",
    "TableFile",
    "is_table_folder",
    "read_pred_probs",
    "read_table",
    "read_table_again",
    "write_column",
    "write_columns",
    "write_text",
]
