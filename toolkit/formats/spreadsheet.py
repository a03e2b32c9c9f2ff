"""Text in a CSV that a spreadsheet would take for a formula: written so that it stays text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

__all__ = ["as_text", "write_csv"]

_STARTS = ("=", "+", "-", "@", "\t", "\r")
_MARK = "'"


def as_text(cell: str) -> str:
    """Return a cell as it was before `write_csv` marked it.

    Examples
    --------
    >>> as_text("'=1+1"), as_text("'tis"), as_text("-3")
    ('=1+1', "'tis", '-3')
    """
    return cell[1:] if cell.startswith(_MARK) and _is_formula(cell) else cell


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a table for people: UTF-8, six digits, an apostrophe before what looks like formulas.

    Spreadsheets run ``=HYPERLINK(...)`` when the file is opened; the apostrophe is how they
    themselves say that a cell is text.
    """
    texts = {
        name: column.map(_marked)
        for name, column in frame.items()
        if not pd.api.types.is_numeric_dtype(column)
    }
    marked = frame.assign(**{str(name): column for name, column in texts.items()})
    marked.to_csv(path, index=False, float_format="%.6g", lineterminator="\n", encoding="utf-8")


def _marked(cell: object) -> object:
    return _MARK + cell if isinstance(cell, str) and _is_formula(cell) else cell


def _is_formula(cell: str) -> bool:
    bare = cell.lstrip(_MARK)
    if not bare.startswith(_STARTS):
        return False
    try:
        float(bare)
    except ValueError:
        return True
    return False
