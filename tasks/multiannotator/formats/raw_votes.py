"""What every format gives: votes as the file has them, and where they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.models.columns import (
    column_kind,
    date_parts,
    numbers,
    texts,
)
from goldlabel.results.audit import Source
from goldlabel.typing import Floats, Ints, Mask

__all__ = [
    "NO",
    "YES",
    "RawVotes",
    "as_names",
    "is_missing",
    "is_text",
    "name_codes",
    "seconds_of",
    "times_of",
]


NO, YES = "no", "yes"
"""What votes become where they may hold several classes and one is asked about."""


@dataclass(frozen=True, eq=False)
class RawVotes:
    """Votes of a file.

    Attributes
    ----------
    item, annotator : ndarray of shape (n,), object
        Names, as text.
    label : Series of shape (n,)
        Labels as the file has them, none missing.
    items : ndarray of shape (N,), object
        Names of all items in the order of the file, those without votes too.
    place : ndarray of shape (n, p), int64
        Where each vote stands.
    source : Source
    where : str
        File and column, for errors.
    notes : list of str
    frame : DataFrame, optional
        A row for each of `items`.
    time, seconds : ndarray of shape (n,), float64, optional
    listed : tuple of str, optional
        Class names that the column's type lists.
    positions : bool
        Whether labels are positions in `listed`.
    has_identities : bool
        Whether it is known who gave which vote.
    has_cells : bool
        Whether there is a cell for each item and annotator, which those have to fill who did not
        vote: with nothing, or with a word that says so.
    has_empty : bool
        Whether some of these cells are empty.
    """

    item: npt.NDArray[Any]
    annotator: npt.NDArray[Any]
    label: pd.Series[Any]
    items: npt.NDArray[Any]
    place: Ints
    source: Source
    where: str
    notes: list[str] = field(default_factory=list)
    frame: pd.DataFrame | None = None
    time: Floats | None = None
    seconds: Floats | None = None
    listed: tuple[str, ...] | None = None
    positions: bool = False
    has_identities: bool = True
    has_cells: bool = False
    has_empty: bool = False


def is_missing(column: pd.Series[Any], *, numbered: bool = False) -> Mask:
    """Return where a column holds nothing; of whole numbers, -1 is that too if `numbered`."""
    if column.dtype.kind in "iu":
        return np.asarray(column == -1) & numbered
    missing = column.isna().to_numpy(dtype=np.bool_)
    if column.dtype.kind in "fb":
        return missing | (np.asarray(column == -1) & numbered)
    words = {"", "-1"} if numbered else {""}
    values, places = _different(column)
    is_word = [isinstance(each, str) and each.strip() in words for each in values]
    return np.asarray(missing | np.array(is_word, dtype=np.bool_)[places])


def is_text(values: Any) -> bool:
    """Return whether all values are text."""
    return bool(pd.api.types.infer_dtype(values, skipna=False) == "string")


def _different(column: pd.Series[Any]) -> tuple[Sequence[Any], Any]:
    """Return the different values of text, and where each stands; other values as they are."""
    if not is_text(column):
        return column.tolist(), slice(None)
    codes, values = pd.factorize(column)
    return values.tolist(), codes


def as_names(values: Sequence[Any] | pd.Series[Any] | npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return names as text: 3 and 3.0 are "3", and so is "3.0" in a column of such."""
    column = pd.Series(values)
    if is_text(column) and not column.hasnans:
        text: npt.NDArray[Any] = column.to_numpy(dtype=object)
        if len(text) and _WHOLE.fullmatch(text[0]) and all(map(_WHOLE.fullmatch, text)):
            text = np.array([each.partition(".")[0] for each in text], dtype=object)
        return text
    names = np.empty(len(column), dtype=object)
    names[:] = [each if isinstance(each, str) else _name(each) for each in column.tolist()]
    return names


_WHOLE = re.compile(r"-?\d{1,18}\.0+", re.ASCII)
"""What pandas makes of whole numbers in a column with gaps."""


def _name(value: Any) -> str:
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e18
    return str(int(value)) if is_whole else str(value)


def name_codes(names: npt.NDArray[Any]) -> tuple[Ints, npt.NDArray[Any]]:
    """Return codes and the different names in order: by number where all are numbers."""
    codes, found = pd.factorize(names)
    found = np.asarray(found, dtype=object)
    numbers_of = pd.to_numeric(pd.Series(found), errors="coerce").to_numpy(np.float64)
    keys = found.astype(str) if np.isnan(numbers_of).any() else numbers_of
    order = np.argsort(keys, kind="stable")
    rank = np.empty(len(found), dtype=np.int64)
    rank[order] = np.arange(len(found))
    return rank[codes], found[order]


def times_of(column: pd.Series[Any]) -> Floats | None:
    """Return moments as seconds since 1970, NaN where there is none; None if they are no times."""
    text = column
    if column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
        # "Mon Jan 04 12:00:00 PST 2021", as Mechanical Turk writes: shifts of an hour or two
        # between annotators do not matter, since each is compared with nobody but themselves.
        cut = texts(column).str.extract(r"^\w{3} (\w{3} \d\d \d\d:\d\d:\d\d) \w{3,5} (\d{4})$")
        if cut.notna().all(axis=1).mean() > 0.9:
            joined = cut[0] + " " + cut[1]
            text = pd.to_datetime(joined, format="%b %d %H:%M:%S %Y", errors="coerce", utc=True)
    kind = column_kind(text)
    if kind.name == "date":
        return date_parts(text, kind)[:, 0] * 86_400.0
    if kind.name == "number":
        found = numbers(text, kind)
        return found / 1000.0 if np.nanmedian(found) > 1e11 else found
    return None


def seconds_of(column: pd.Series[Any]) -> Floats | None:
    """Return durations in seconds; None if the column holds none."""
    kind = column_kind(column)
    if kind.name != "number":
        return None
    found = numbers(column, kind)
    return np.where(found >= 0, found, np.nan)
