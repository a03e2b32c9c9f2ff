"""The tables of an audit as the page shows them: plain ones that sort, and heat maps."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from goldlabel.results.audit import Table

from . import wording

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["view"]

Figures = np.ndarray[Any, np.dtype[np.float64]]
View = dict[str, Any]

_ROWS = 1000
_COLUMNS = 40
_CLASSES = 40
_PAIRS = 40
_LEVELS = 10
_BAR = re.compile(r"(?:^|_)(?:rate|share|fraction|score|quality)$")


def view(table: Table, pairs: Mapping[tuple[str, str], str]) -> View:
    """Return a table in words. A heat map of many classes becomes a list of its largest cells.

    `pairs` are the (given, suggested) labels that lead to examples, and what the script filters by.
    """
    words: View = {
        "title": wording.one_line(table.title, 120),
        "note": wording.one_line(table.note, 1000),
        "said": "",
    }
    if table.style == "plain":
        return {**words, **_plain(table.frame), "style": "plain"}
    values = _numbers(table.frame)
    if (table.frame.index.name, table.frame.columns.name) != ("given", "suggested"):
        pairs = {}
    if max(values.shape) > _CLASSES:
        return {**words, **_largest(table.frame, values, pairs), "style": "plain"}
    return {**words, **_heat(table.frame, values, pairs), "style": "heatmap"}


def _numbers(frame: pd.DataFrame) -> Figures:
    return frame.to_numpy(dtype=np.float64, na_value=np.nan)


def _plain(frame: pd.DataFrame) -> View:
    """Return headers and cells of a frame; a named index or one of names becomes columns."""
    is_counted = frame.index.dtype.kind == "i" and frame.index.name is None
    whole = frame if is_counted else frame.reset_index()
    names = [str(name) for name in whole.columns[:_COLUMNS]]
    first = whole.iloc[:_ROWS, :_COLUMNS]
    columns = [
        _column(name, first.iloc[:, place].tolist(), first.dtypes.iloc[place].kind)
        for place, name in enumerate(names)
    ]
    said = []
    if len(frame) > _ROWS:
        said.append(f"The first {wording.count(_ROWS)} of {wording.count(len(frame))} rows.")
    if whole.shape[1] > _COLUMNS:
        said.append(f"The first {_COLUMNS} of {whole.shape[1]} columns.")
    return {
        "columns": columns,
        "rows": list(zip(*(column["cells"] for column in columns), strict=True)),
        "said": " ".join(said),
    }


def _column(name: str, values: list[Any], kind: str) -> View:
    is_number = kind in "iuf"
    finite = [v for v in values if is_number and v is not None and v == v]
    has_bar = bool(_BAR.search(name)) and all(0 <= figure <= 1 for figure in finite)
    text = _writer(name, finite) if kind == "f" else lambda figure: wording.value(figure, name)
    cells = [
        {
            "text": text(figure),
            "sort": repr(figure) if is_number and figure == figure else None,
            "bar": round(100 * figure, 1) if has_bar and figure == figure else None,
        }
        for figure in values
    ]
    return {"name": wording.label(name), "is_number": is_number, "cells": cells}


def _writer(name: str, figures: list[float]) -> Callable[[float], str]:
    """Return how to write a column of floats, so that its decimal points stand in line."""
    sizes = [abs(figure) for figure in figures if figure and math.isfinite(figure)]
    as_written = partial(wording.value, name=name)
    if not sizes or min(sizes) < 5e-4 or max(sizes) >= 1000:
        return as_written
    pattern = "{:.1%}" if as_written(1.0) == "100%" and max(sizes) <= 1 else "{:.3f}"
    return lambda figure: pattern.format(figure) if math.isfinite(figure) else as_written(figure)


def _heat(frame: pd.DataFrame, values: Figures, pairs: Mapping[tuple[str, str], str]) -> View:
    rows, columns = [str(name) for name in frame.index], [str(name) for name in frame.columns]
    same = _same(rows, columns)
    off = np.abs(values[~same & np.isfinite(values)])
    largest = float(off.max()) if off.size else 0.0
    is_share = bool(np.any(np.mod(values[np.isfinite(values)], 1)))
    cells = [
        [
            {**_cell(values[i, j], bool(same[i, j]), largest, is_share), "pair": pairs.get((a, b))}
            for j, b in enumerate(columns)
        ]
        for i, a in enumerate(rows)
    ]
    row, column = frame.index.name or "row", frame.columns.name or "column"
    return {
        "columns": [_name(name) for name in columns],
        "rows": list(zip(map(_name, rows), cells, strict=True)),
        "corner": (f"{wording.label(row)} ↓", f"{wording.label(column)} →"),
        "has_diagonal": bool(same.any()),
        "is_linked": bool(pairs),
        "is_upright": max(map(len, columns), default=0) <= 4,
        "size": "small" if len(columns) > 24 else "medium" if len(columns) > 12 else "large",
    }


def _same(rows: list[str], columns: list[str]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which cells stand on the diagonal: row and column have one name."""
    codes: dict[str, int] = {}
    row, column = (
        np.array([codes.setdefault(name, len(codes)) for name in names], dtype=np.int64)
        for names in (rows, columns)
    )
    return np.equal.outer(row, column)


def _cell(figure: float, on_diagonal: bool, largest: float, is_share: bool) -> View:
    if not math.isfinite(figure) or figure == 0:
        return {"text": "", "level": "same" if on_diagonal else 0, "full": ""}
    # The root keeps small pairs visible beside large ones; the number in the cell is exact.
    root = math.sqrt(abs(figure) / largest) if largest else 0.0
    level = "same" if on_diagonal else max(1, math.ceil(_LEVELS * min(root, 1.0)))
    return {"text": _compact(figure, is_share), "level": level, "full": wording.number(figure)}


def _compact(figure: float, is_share: bool) -> str:
    """Write a number in about five characters.

    Examples
    --------
    >>> [_compact(figure, False) for figure in (7, 999, 1234, 56_789, 1_200_000)]
    ['7', '999', '1.2k', '57k', '1.2M']
    """
    if is_share and abs(figure) < 10:
        return f"{figure:.2g}"
    scaled, unit = figure, ""
    for larger in ("k", "M", "G"):
        if abs(scaled) < 999.5:
            break
        scaled, unit = scaled / 1000, larger
    return f"{scaled:.1f}{unit}" if unit and abs(scaled) < 9.95 else f"{scaled:.0f}{unit}"


def _largest(frame: pd.DataFrame, values: Figures, pairs: Mapping[tuple[str, str], str]) -> View:
    """Return the largest cells off the diagonal: what a map of 100 classes cannot show."""
    rows, columns = [str(name) for name in frame.index], [str(name) for name in frame.columns]
    same = _same(rows, columns)
    size = np.where(np.isfinite(values) & ~same, np.abs(values), 0.0)
    order = np.argsort(-size, axis=None, kind="stable")[:_PAIRS]
    order = order[size.ravel()[order] > 0]
    largest = float(size.max()) if size.size else 0.0
    cells = [
        (
            {**_words(rows[i]), "pair": pairs.get((rows[i], columns[j]))},
            _words(columns[j]),
            {
                "text": wording.number(values[i, j]),
                "sort": repr(float(values[i, j])),
                "bar": round(100 * size[i, j] / largest, 1),
            },
        )
        for i, j in zip(
            *(place.tolist() for place in np.unravel_index(order, size.shape)), strict=True
        )
    ]
    heads = (frame.index.name or "row", frame.columns.name or "column", "amount")
    pairs_found = wording.count(int(np.count_nonzero(size)))
    return {
        "columns": [{"name": wording.label(name), "is_number": name == "amount"} for name in heads],
        "rows": cells,
        "said": f"A map of {max(frame.shape)} classes would be too fine to read: "
        f"these are the {len(cells)} largest of {pairs_found} pairs.",
    }


def _words(name: str) -> View:
    return {"text": wording.one_line(name, 60), "sort": None, "bar": None}


def _name(name: str) -> dict[str, str]:
    return {"short": wording.one_line(name, 22), "full": wording.one_line(name, 80)}
