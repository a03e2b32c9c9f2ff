"""Numbers as files write them: decimal commas, thousands separators, units; and back again."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.models.columns import MISSING
from goldlabel.tasks.regression.values import LARGEST, NOTHING, NUMBER, TEXT, Values
from goldlabel.typing import Floats

__all__ = ["Column", "Style", "read_numbers", "written"]


_STYLES = (
    (".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "),
    (".", "\u00a0"), (",", "\u00a0"), (".", "\u202f"), (",", "\u202f"), (".", "'"), (".", "\u2019"),
)  # fmt: skip
"""Decimal marks and thousands separators, in the order in which they are tried."""
_LEAST = 0.5
"""So much of a column must be numbers for it to be a column of labels."""
_HEAD = 1000
_MOST_DECIMALS = 15
_FINE = 4
"""A suggestion is no finer than this many digits behind the labels' deviation."""


@dataclass(frozen=True)
class Style:
    """How a column of text writes numbers.

    Attributes
    ----------
    decimal, thousands : str
        The decimal mark, and what stands between groups of three digits ("" for nothing).
    least, most : int
        Digits behind the decimal mark.
    before, after : str
        What stands around the number: a currency sign, a unit.
    """

    decimal: str = "."
    thousands: str = ""
    least: int = 0
    most: int = 0
    before: str = ""
    after: str = ""

    def write(self, value: float) -> str:
        """Write a number in this style; digits that it has more than the column are kept.

        Examples
        --------
        >>> Style(",", ".", least=2, after=" €").write(1234.5)
        '1.234,50 €'
        """
        exact = Decimal(repr(float(value)))
        digits = max(self.least, -int(exact.normalize().as_tuple().exponent), 0)
        whole, _, rest = f"{abs(exact):.{digits}f}".partition(".")
        if self.thousands:
            whole = f"{int(whole):,}".replace(",", self.thousands)
        sign = "-" if value < 0 else ""
        return f"{self.before}{sign}{whole}{self.decimal if rest else ''}{rest}{self.after}"


class Column(NamedTuple):
    """A column of numbers as it was read.

    Attributes
    ----------
    values : Values
    style : Style
        Of its text.
    decimals : int
        Digits behind the decimal mark that its numbers have at most.
    notes : tuple of str
        What was recognised, a sentence each.
    """

    values: Values
    style: Style
    decimals: int
    notes: tuple[str, ...]


def read_numbers(
    column: pd.Series[Any],
    where: str,
    *,
    decimal: str | None = None,
    thousands: str | None = None,
    unit: str | None = None,
    missing: Sequence[str] = (),
) -> Column:
    """Read a column as numbers; what is none stays as it is written.

    Parameters
    ----------
    column : Series of shape (n,)
    where : str
        File and column, for errors.
    decimal, thousands : str, optional
        Decimal mark and thousands separator of text; recognised if not given.
    unit : str, optional
        A currency sign or unit that stands before or behind numbers.
    missing : sequence of str
        Texts or numbers that stand for a missing value besides the usual ones.

    Raises
    ------
    InputError
        The column holds dates, or hardly any numbers; or its numbers can be read in two ways.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    kind = column.dtype.kind
    if kind in "mMb":
        said = {"m": "lengths of time", "M": "dates", "b": "True and False"}[kind]
        raise InputError(where, f"holds {said}, not numbers", "Name a column of numbers")
    gaps = _gaps(missing)
    if kind in "iuf":
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        texts = [""] * len(column)
        return _plain_column(numbers, texts, gaps, where)
    entries = column.tolist()
    texts = [_text(value) for value in entries]
    style, notes = _style(texts, where, decimal, thousands, unit, gaps)
    numbers = np.array([_number(v, t, style, unit) for v, t in zip(entries, texts, strict=True)])
    gone = np.array([_is_missing(v, gaps) for v in entries], dtype=np.bool_)
    gone |= np.isin(numbers, [gap for gap in gaps if isinstance(gap, float)])
    column_read = _assembled(numbers, gone, entries, where, gaps)
    style, most = _with_decimals(style, texts, column_read.kind)
    if not any(texts[i] for i in np.flatnonzero(column_read.kind == NUMBER)):
        most = _decimals(column_read.numbers)
    return Column(column_read, style, most, tuple(notes))


def _plain_column(numbers: Floats, texts: list[str], gaps: frozenset[Any], where: str) -> Column:
    gone = np.isnan(numbers) | np.isin(numbers, [gap for gap in gaps if isinstance(gap, float)])
    values = _assembled(numbers, gone, numbers.tolist(), where, gaps)
    return Column(values, Style(), _decimals(values.numbers), ())


def _gaps(missing: Sequence[str]) -> frozenset[Any]:
    """Return words for missing values in lower case, and as numbers those that are any."""
    words: set[Any] = set()
    for word in missing:
        words.add(str(word).strip().lower())
        try:
            words.add(float(word))
        except ValueError:
            continue
    return frozenset(words)


def _is_missing(value: Any, gaps: frozenset[Any]) -> bool:
    if isinstance(value, str):
        word = value.strip().lower()
        return word in MISSING or word in gaps
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float) and math.isnan(value)


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _assembled(
    numbers: Floats, gone: npt.NDArray[np.bool_], entries: list[Any], where: str, gaps: Any
) -> Values:
    finite = (np.abs(numbers) <= LARGEST) & ~gone
    kind = np.where(finite, NUMBER, np.where(gone, NOTHING, TEXT)).astype(np.int8)
    there = int(np.count_nonzero(~gone))
    good = int(np.count_nonzero(finite))
    if not there:
        raise InputError(where, f"is empty in all {len(entries):,} rows", "Name another column")
    if good < _LEAST * there or not good:
        row = int(np.argmax(kind == TEXT))
        raise InputError(
            f"{where}, row {row + 1}",
            f"is {_short(entries[row])}, not a number; of {there:,} values {good:,} are numbers",
            "Name a column of numbers, or say how they are written with decimal, thousands, unit",
        )
    texts = np.full(len(entries), "", dtype=object)
    for odd in np.flatnonzero(kind == TEXT).tolist():
        texts[odd] = str(entries[odd])
    return Values(np.where(finite, numbers, np.nan), kind, texts)


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def _number(value: Any, text: str, style: Style, unit: str | None) -> float:
    """Return the number that an entry is; NaN if it is none."""
    if isinstance(value, str):
        found = _pattern(style.decimal, style.thousands, unit).fullmatch(text)
        if not found:
            return math.nan
        bare = found["number"].replace("\u2212", "-")
        if style.thousands:
            bare = bare.replace(style.thousands, "")
        return float(bare.replace(style.decimal, "."))
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return math.nan


@lru_cache(maxsize=64)
def _pattern(decimal: str, thousands: str, unit: str | None) -> re.Pattern[str]:
    mark = re.escape(decimal)
    grouped = f"\\d{{1,3}}(?:{re.escape(thousands)}\\d{{3}})+|" if thousands else ""
    number = f"[+\u2212-]?(?:(?:{grouped}\\d+)(?:{mark}\\d*)?|{mark}\\d+)(?:[eE][+-]?\\d+)?"
    sign = f"(?:{re.escape(unit.strip())}\\s*)?" if unit else ""
    behind = f"(?:\\s*{re.escape(unit.strip())})?" if unit else ""
    return re.compile(f"(?P<before>{sign})(?P<number>{number})(?P<after>{behind})", re.ASCII)


def _style(
    texts: list[str],
    where: str,
    decimal: str | None,
    thousands: str | None,
    unit: str | None,
    gaps: frozenset[Any],
) -> tuple[Style, list[str]]:
    """Return the style in which most of the texts are numbers."""
    present = [
        text
        for text in dict.fromkeys(texts)
        if text and text.lower() not in MISSING and text.lower() not in gaps
    ]
    marks = [
        (mark, group)
        for mark, group in _STYLES
        if decimal in (None, mark) and thousands in (None, group)
    ]
    if decimal is not None and thousands is not None:
        marks = [(decimal, thousands)]
    if not marks or any(mark == group for mark, group in marks):
        raise InputError(
            "decimal", f"is {decimal!r}, and thousands is {thousands!r}", "Use two different marks"
        )
    counts = [_count(present, mark, group, unit) for mark, group in marks]
    best = max(counts)
    tied = [pair for pair, count in zip(marks, counts, strict=True) if count == best]
    mark, group = tied[0]
    example = next((text for text in present if mark in text or (group and group in text)), "")
    _refuse_two_readings(present, tied, where)
    notes = []
    if best and (mark, group) != (".", ""):
        said = {"": "no thousands separator", " ": "a space between thousands"}
        between = said.get(group, f"{group!r} between thousands")
        notes.append(
            f"Numbers such as {example!r} were read with {mark!r} as decimal mark, {between}."
        )
    elif (",", ".") in tied and example:
        notes.append(
            f"{example!r} was read with a decimal point; if it separates thousands, say"
            " decimal = ','."
        )
    return Style(mark, group), notes


def _count(present: list[str], mark: str, group: str, unit: str | None) -> int:
    """Count the texts that are numbers in a style; a style that fails on half of the first is out.

    Nearly always the first style fits all, and the others fail at once.
    """
    fits = _pattern(mark, group, unit).fullmatch
    head = sum(fits(text) is not None for text in present[:_HEAD])
    if head < _LEAST * len(present[:_HEAD]):
        return 0
    return head + sum(fits(text) is not None for text in present[_HEAD:])


def _refuse_two_readings(present: list[str], tied: list[tuple[str, str]], where: str) -> None:
    """Refuse 1,234 where nothing says whether the comma separates decimals or thousands."""
    if (",", "") in tied and (".", ",") in tied and (".", "") not in tied:
        example = next(text for text in present if "," in text)
        raise InputError(
            where,
            f"holds {example!r}, whose comma may be a decimal mark or separate thousands",
            "Say decimal = ',' or decimal = '.'",
        )


def _with_decimals(style: Style, texts: list[str], kind: npt.NDArray[np.int8]) -> tuple[Style, int]:
    """Complete a style by how many digits stand behind the mark, and by what stands around."""
    numbers = [texts[row] for row in np.flatnonzero(kind == NUMBER) if texts[row]]
    digits = re.compile(f"{re.escape(style.decimal)}(\\d*)")
    counts = [len(found[1]) if (found := digits.search(text)) else 0 for text in numbers]
    if not counts:
        return style, 0
    around = re.compile(r"^(\D*?)[+\u2212-]?[\d.,].*?(\D*)$", re.DOTALL)
    edges = [found.groups() for text in numbers[:1000] if (found := around.match(text))]
    before, after = max(edges, key=edges.count) if edges else ("", "")
    most = max(counts)
    complete = Style(style.decimal, style.thousands, min(counts), most, before, after)
    return complete, most


def _decimals(numbers: Floats) -> int:
    """Return how many decimals numbers have at most."""
    present = numbers[np.isfinite(numbers)]
    if (present == np.rint(present)).all():
        return 0
    exponents = (Decimal(repr(value)).as_tuple().exponent for value in present[:2000].tolist())
    return min(max(-int(exponent) for exponent in exponents), _MOST_DECIMALS)


def rounded(predictions: Floats, labels: Floats, decimals: int) -> Floats:
    """Return predictions rounded as the labels are, but never to what no label would tell apart."""
    known = labels[np.isfinite(labels)]
    with np.errstate(over="ignore"):
        deviation = float(known.std()) if known.size else 0.0
    if not math.isfinite(deviation):  # of labels near the largest number there is
        return predictions
    enough = _FINE - math.floor(math.log10(deviation)) if deviation > 0 else _FINE
    return np.round(predictions, max(0, min(decimals, enough, _MOST_DECIMALS)))


def written(
    value: float, old: Any, style: Style, *, is_text: bool, where: str = "", is_whole: bool = False
) -> Any:
    """Return a corrected value as the file holds it.

    Parameters
    ----------
    value : float
    old : object
        What stands there now: a value is written as its kind, whole numbers whole.
    style : Style
    is_text : bool
        Whether the column's numbers are text; decides where nothing stands there.
    where : str
        File, column and row, for errors.
    is_whole : bool
        Whether the column can hold whole numbers only.

    Raises
    ------
    InputError
        A fraction for a column of whole numbers.
    """
    if is_whole and value != int(value):
        raise InputError(
            where, f"can't become {value:g}: the column holds whole numbers", "Round it"
        )
    if isinstance(old, Decimal):
        return Decimal(repr(value)).quantize(Decimal(1).scaleb(int(old.as_tuple().exponent)))
    is_number = isinstance(old, int | float | np.number) and not isinstance(old, bool)
    if isinstance(old, str) or (is_text and not (is_number and old == old)):
        lead = old[: len(old) - len(old.lstrip())] if isinstance(old, str) and old.strip() else ""
        return lead + style.write(value)
    is_float = isinstance(old, float | np.floating)
    return int(value) if value == int(value) and not is_float else float(value)
