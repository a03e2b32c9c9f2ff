"""What every format gives: annotations by class, and words for yes and no."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.options import Scalar
from goldlabel.formats.predictions import PredProbs
from goldlabel.formats.reading import Reading
from goldlabel.formats.tables.class_column import Distinct, distinct
from goldlabel.inputs.labels import FEW_UNKNOWN
from goldlabel.results.audit import Source
from goldlabel.tasks.multilabel.inputs import UNKNOWN, BadLabel

__all__ = [
    "Asked",
    "Changes",
    "Given",
    "Options",
    "Predict",
    "are_few",
    "flag",
    "flags",
    "opposite",
    "pivot",
    "rows_of",
    "whole",
]

Cube = npt.NDArray[np.int8]
Changes = Mapping[tuple[int, int], bool]
"""Whether an example has a class, by the positions of both."""
T = TypeVar("T")

_PAIRS = (
    *(("1", "0"), ("1.0", "0.0"), ("True", "False"), ("true", "false"), ("TRUE", "FALSE")),
    *(("yes", "no"), ("Yes", "No"), ("YES", "NO"), ("y", "n"), ("Y", "N")),
    *(("t", "f"), ("T", "F")),
)
_OPPOSITE = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
_YES = {yes.lower() for yes, _ in _PAIRS}
_NO = {no.lower() for _, no in _PAIRS}
_UNKNOWN = {"", "-1", "-1.0", "?", "na", "n/a", "nan", "none", "null", "<na>"}


Predict = Callable[[npt.NDArray[Any] | None, str | None], PredProbs | None]
"""Read the predictions, for rows with these ids, which are called so."""


class Asked(NamedTuple):
    """What the caller says of the file of labels; see `goldlabel.tasks.multilabel.read`.

    Attributes
    ----------
    labels, id, separator, xml, images, classes
    reading : Reading
    predictions : callable
        Reads them once, with the ids of the table; of use to a table, where they tell which
        columns are classes.
    """

    labels: Sequence[str] | None
    id: str | None
    separator: str | None
    xml: Path | None
    images: Path | None
    classes: Sequence[str] | None
    reading: Reading
    predictions: Predict

    def one_label(self, format: str) -> str | None:
        """Return what `labels` names, where a format has one thing to name."""
        if self.labels is not None and len(self.labels) > 1:
            raise InputError(
                "labels", f"names {len(self.labels)}, and {format} has one", "Name one"
            )
        return None if self.labels is None else self.labels[0]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What every format needs to write labels back.

    Attributes
    ----------
    classes, values : tuple
        Names of the classes, and what the file holds for each.
    places : tuple of int
        Which of the file's classes each one is.
    examples : int
    """

    classes: tuple[str, ...] = ()
    values: tuple[Scalar, ...] = ()
    places: tuple[int, ...] = ()
    examples: int = 0


class Given(NamedTuple):
    """Annotations as a format gives them.

    Attributes
    ----------
    labels : ndarray of shape (n, j), int8
        1, 0 or -1 (not known) by the classes in `found`.
    found : Distinct
        The classes, as text and as the file holds them; `codes` of the entries of the lists.
    rows : ndarray of int64
        The row of each of these entries, from 0.
    is_whole : bool
        Whether the file names every class there is, in its order.
    where : str
        File and column, for errors.
    source : Source
    notes : list of str
    positions : bool
        Whether the file has no names for its classes: only the order of their columns.
    listed : tuple of str, optional
        Class names that the type of a column lists, and of which its lists hold positions.
    ids : ndarray of shape (n,), optional
    id : str, optional
        What the ids are called.
    frame : DataFrame, optional
    images : tuple of Path, optional
    groups : tuple of int
        Classes that nothing has and that others name as their group: left out, unless the
        predictions have them.
    bad : tuple of BadLabel
        What is neither yes nor no; `part` counts the classes in `found`.
    """

    labels: Cube
    found: Distinct
    rows: npt.NDArray[np.int64]
    is_whole: bool
    where: str
    source: Source
    notes: list[str]
    positions: bool = False
    listed: tuple[str, ...] | None = None
    ids: npt.NDArray[Any] | None = None
    id: str | None = None
    frame: pd.DataFrame | None = None
    images: tuple[Path, ...] | None = None
    groups: tuple[int, ...] = ()
    bad: tuple[BadLabel, ...] = ()


def whole(
    labels: Cube,
    names: Sequence[str],
    where: str,
    source: Source,
    notes: list[str],
    **more: Any,
) -> Given:
    """Return what a format gives that has a column for every class."""
    nothing = np.empty(0, dtype=np.int64)
    found = Distinct(nothing, tuple(names), tuple(names))
    return Given(labels, found, nothing, True, where, source, notes, **more)


def are_few(bad: Sequence[BadLabel], examples: int) -> bool:
    """Return whether labels that are none are slips, and not a sign of another format."""
    return len(bad) < FEW_UNKNOWN * examples


def flag(text: str) -> int | None:
    """Return 1, 0 or -1 (not known) for a word that says so; None for any other."""
    word = text.strip().lower()
    if word in _YES:
        return 1
    if word in _NO:
        return 0
    return UNKNOWN if word in _UNKNOWN else None


def opposite(text: str, is_present: bool, usual: Sequence[str]) -> str:
    """Return the word for yes or no in the way that a cell is written; space around it stays.

    Where the cell says nothing, the words in `usual` show how it is done elsewhere.
    """
    word = text.strip()
    kind = flag(text)
    if kind == int(is_present):
        return text
    for example in (word, *usual):
        if example in _OPPOSITE:
            new = example if flag(example) == int(is_present) else _OPPOSITE[example]
            return text.replace(word, new) if word else new
    return text.replace(word, str(int(is_present))) if word else str(int(is_present))


def flags(column: pd.Series[Any]) -> tuple[Cube, npt.NDArray[np.int64]]:
    """Return a column of yes and no as 1, 0 and -1, and the rows that are neither, -1 as well.

    Numbers between 0 and 1 are shares: yes from a half on.
    """
    codes, values = pd.factorize(column)
    found = np.array([_flag(value) for value in values] + [UNKNOWN], dtype=np.float64)
    neither = np.flatnonzero(np.isnan(found)[codes])
    flagged: Cube = np.nan_to_num(found, nan=UNKNOWN)[codes].astype(np.int8)
    return flagged, neither


def _flag(value: object) -> float:
    if isinstance(value, str):
        kind = flag(value)
        return np.nan if kind is None else kind
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, int | float | np.number):
        number = float(value)
        if number == UNKNOWN:
            return UNKNOWN
        return float(number >= 0.5) if 0 <= number <= 1 else np.nan
    return np.nan


def pivot(
    lists: Sequence[Sequence[Any] | None],
    where: str,
    *,
    positions_in: Sequence[str] | None = None,
) -> tuple[Cube, Distinct, npt.NDArray[np.int64]]:
    """Turn a list of classes for each example into a matrix; None is a list that is not known.

    Returns
    -------
    labels : ndarray of shape (n, j), int8
    found : Distinct
    rows : ndarray of int64
        The row of each entry of all lists.
    """
    lengths = [0 if each is None else len(each) for each in lists]
    rows = np.repeat(np.arange(len(lists)), lengths)
    flat = [value for each in lists if each is not None for value in each]
    entries = pd.Series(flat, dtype=object).infer_objects()
    found = rows_of(rows, lambda: distinct(entries, where, positions_in=positions_in))
    known = found.codes >= 0
    if not known.all():
        row = int(rows[np.argmin(known)])
        raise InputError(f"{where}, row {row + 1}", "lists an empty class", "Leave it out")
    labels = np.zeros((len(lists), len(found.names)), dtype=np.int8)
    labels[rows, found.codes] = 1
    labels[[each is None for each in lists]] = UNKNOWN
    return labels, found, rows


def rows_of(rows: npt.NDArray[np.int64], call: Callable[[], T]) -> T:
    """Call something that reads a flat column; where it complains of an entry, name the row."""
    try:
        return call()
    except InputError as error:
        place = re.fullmatch(r"(.*, row )(\d+)", error.where, re.DOTALL)
        if place is None:
            raise
        row = int(rows[int(place[2]) - 1]) + 1
        raise InputError(f"{place[1]}{row}", error.what, error.fix) from error
