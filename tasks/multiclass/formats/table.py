"""Tables with a column of labels: CSV, TSV, JSON Lines, Parquet, Hugging Face datasets."""

from __future__ import annotations

from goldlabel.formats.tables import TableFile
from goldlabel.formats.tables.class_column import Distinct, distinct

__all__ = ["LABEL_NAMES", "labels", "listed_classes"]

LABEL_NAMES = ("label", "labels", "class", "category", "target", "y")


def labels(table: TableFile, label: str) -> Distinct:
    """Return the different labels of a table's column."""
    coded = table.categories[label] if label in table.coded else None
    return distinct(table.frame[label], _where(table, label), positions_in=coded)


def listed_classes(table: TableFile, label: str) -> tuple[tuple[str, ...] | None, bool]:
    """Return the class names that the column's type lists, and whether it holds positions."""
    return table.categories.get(label), label in table.coded


def _where(table: TableFile, label: str) -> str:
    return f"{table.source.files[0]}: column {label!r}"
