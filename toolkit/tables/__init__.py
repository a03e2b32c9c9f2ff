"""Tables in their native formats -> frames and arrays, and back without loss."""

from __future__ import annotations

from goldlabel.tables.predictions import PredProbs, read_pred_probs
from goldlabel.tables.table import FORMATS, TableFile, read_table, write_column

__all__ = [
    "FORMATS",
    "PredProbs",
    "TableFile",
    "read_pred_probs",
    "read_table",
    "write_column",
]
