"""What a column of a table holds: numbers, dates or names; and the column as numbers.

Tables read from text hold numbers as text, missing values as words and dates in many ways. The
kind is guessed once, from the whole column, and every later reading of it keeps to that guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from goldlabel.typing import Floats

__all__ = ["FEW", "Kind", "column_kind", "date_parts", "numbers", "texts"]

FEW = 32
"""A column of names with at most so many different ones is few enough for a column each."""

MISSING = frozenset({"", "-", "?", "n/a", "na", "nan", "nat", "none", "null", "<na>"})
"""Words that say that a value is missing, in lower case."""

SHARE = 0.95
"""So much of a text column must read as numbers (or dates) to be taken for numbers (dates)."""

SAMPLE = 1000
"""So many values, evenly spaced, decide what a text column holds."""

DATE_FORMATS = (
    "ISO8601",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%Y/%m/%d",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%d %b %Y",
    "%b %d, %Y",
)


@dataclass(frozen=True)
class Kind:
    """What a column holds, and how its text is written.

    Attributes
    ----------
    name : {"number", "date", "few", "many", "empty"}
        Numbers; dates; names, at most `FEW` different ones; names, more of them; nothing.
    decimal : str
        The decimal mark of numbers in text.
    date_format : str
        The format of dates in text, as pandas names it.
    """

    name: Literal["number", "date", "few", "many", "empty"]
    decimal: str = "."
    date_format: str = "ISO8601"


def column_kind(column: pd.Series[Any]) -> Kind:
    """Guess what a column holds.

    Examples
    --------
    >>> import pandas as pd
    >>> column_kind(pd.Series(["3,5", "?", "12"]))
    Kind(name='number', decimal=',', date_format='ISO8601')
    >>> column_kind(pd.Series(["31/01/2024", "01/02/2024"])).date_format
    '%d/%m/%Y'
    >>> column_kind(pd.Series(["red", "blue", None])).name
    'few'
    """
    if column.isna().all():
        return Kind("empty")
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return Kind("date")
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(
        column.dtype
    ):
        return Kind("number")
    text = texts(column)
    present = text[text != ""]
    if present.empty:
        return Kind("empty")
    names = Kind("few" if present.nunique() <= FEW else "many")
    if isinstance(column.dtype, pd.CategoricalDtype):
        return names
    sample = present.iloc[:: max(1, len(present) // SAMPLE)]
    return _written_numbers(sample) or _written_dates(sample) or names


def _written_numbers(sample: pd.Series[Any]) -> Kind | None:
    for decimal in (".", ","):
        kind = Kind("number", decimal=decimal)
        if np.isfinite(numbers(sample, kind)).mean() >= SHARE:
            return kind
    return None


def _written_dates(sample: pd.Series[Any]) -> Kind | None:
    """Return the format that reads the most; of equals, the first (so day before month)."""
    kinds = [Kind("date", date_format=name) for name in DATE_FORMATS]
    shares = [float(_dates(sample, kind).notna().mean()) for kind in kinds]
    best = int(np.argmax(shares))
    return kinds[best] if shares[best] >= SHARE else None


def texts(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return the values as text without space around it; "" where a value is missing."""
    text = column.astype("object").where(column.notna(), "").astype(str).str.strip()
    return text.mask(text.str.lower().isin(MISSING), "").astype("object")


def numbers(column: pd.Series[Any], kind: Kind) -> Floats:
    """Return the values as float64; NaN where a value is missing, infinite or no number."""
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        values = column.dt.total_seconds()
    elif pd.api.types.is_numeric_dtype(column.dtype):
        values = column
    else:
        text = texts(column)
        if kind.decimal != ".":
            text = text.str.replace(kind.decimal, ".", regex=False)
        values = pd.to_numeric(text, errors="coerce")
    array = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(array), array, np.nan)


def date_parts(column: pd.Series[Any], kind: Kind) -> Floats:
    """Return days since 1970, month, weekday and hour as float64 (n, 4); NaN where missing."""
    dates = _dates(column, kind)
    epoch = pd.Timestamp(0, tz="UTC")
    parts = [
        (dates - epoch) / pd.Timedelta(days=1),
        dates.dt.month,
        dates.dt.day_of_week,
        dates.dt.hour,
    ]
    return np.column_stack([part.to_numpy(dtype=np.float64, na_value=np.nan) for part in parts])


def _dates(column: pd.Series[Any], kind: Kind) -> pd.Series[Any]:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pd.to_datetime(column, utc=True)
    return pd.to_datetime(texts(column), format=kind.date_format, errors="coerce", utc=True)
