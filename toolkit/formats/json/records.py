"""The entries of a list of a COCO file, column by column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.formats.json import numbers as json_numbers
from goldlabel.formats.json import places
from goldlabel.formats.json.document import Document, Section, member
from goldlabel.formats.json.text import parse
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import each_block
from goldlabel.typing import Ints, Mask

__all__ = ["NO_ID", "Ids", "Numbers", "Place", "Records"]


BLOCK = 4096
NO_ID = -(1 << 63)
"""What stands for an id that there is none of."""
_FIRST_NAME = NO_ID + 1
_LONG = 200


@dataclass(frozen=True, eq=False)
class Numbers:
    """A field read as numbers.

    Attributes
    ----------
    floats : ndarray of shape (n,), float64
        NaN where there is no number.
    ints : ndarray of shape (n,), int64
        Where the number is whole.
    found : ndarray of shape (n,), uint8
        `json_numbers.WHOLE`, ...
    """

    floats: npt.NDArray[np.float64]
    ints: Ints
    found: npt.NDArray[np.uint8]


class Ids:
    """Ids as int64; those that are no integers get numbers of their own, far below zero.

    One `Ids` serves all files that refer to each other.
    """

    def __init__(self) -> None:
        self._code: dict[int | str, int] = {}
        self._name: list[int | str] = []

    def code(self, name: int | str) -> int:
        """Return the number that stands for an id that is text, or too large an integer."""
        if name not in self._code:
            self._code[name] = _FIRST_NAME + len(self._name)
            self._name.append(name)
        return self._code[name]

    def names(self, codes: Ints) -> tuple[int | str, ...]:
        """Return the ids that numbers stand for, none of which is missing."""
        return tuple(name for name in map(self.show, codes.tolist()) if name is not None)

    def show(self, code: int) -> int | str | None:
        """Return the id that a number stands for; None where there is none."""
        if code == NO_ID:
            return None
        at = code - _FIRST_NAME
        return self._name[at] if 0 <= at < len(self._name) else code


@dataclass(frozen=True)
class Place:
    """Where something stands: its JSON path, first byte, and the byte behind its last."""

    path: str
    start: int
    stop: int


class Records:
    """The entries of one list.

    Parameters
    ----------
    document : Document
    section : Section
        The list.
    fields : sequence of str
        The members that are looked at.
    """

    def __init__(self, document: Document, section: Section, fields: Sequence[str]) -> None:
        self.document = document
        self.name = section.name
        self.starts, self.stops = section.starts, section.stops
        self.fields = list(fields)
        n = len(self.starts)
        self._starts = np.zeros((len(self.fields), n), dtype=np.int64)
        self._stops = np.zeros((len(self.fields), n), dtype=np.int64)
        self._kinds = np.zeros((len(self.fields), n), dtype=np.uint8)
        names = [field.encode("ascii") for field in self.fields]
        text = frozen(np.frombuffer(b"".join(names), dtype=np.uint8))
        offsets = frozen(np.cumsum([0, *map(len, names)], dtype=np.int64))

        def work(worker: int, block: int, rows: slice) -> None:
            size = rows.stop - rows.start, len(names)
            starts, stops = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
            kinds = np.zeros(size, dtype=np.uint8)
            places.locate(document.data, self.starts[rows], text, offsets, starts, stops, kinds)
            self._starts[:, rows], self._stops[:, rows] = starts.T, stops.T
            self._kinds[:, rows] = kinds.T

        each_block(work, n, BLOCK)
        self.is_object: Mask = np.asarray(document.data[self.starts] == ord("{"))
        for array in (self._starts, self._stops, self._kinds):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.starts)

    def kinds(self, field: str) -> npt.NDArray[np.uint8]:
        """Return the kind of value that each entry has: `json_places.NUMBER`, ..."""
        kinds: npt.NDArray[np.uint8] = self._kinds[self.fields.index(field)]
        return kinds

    def spans(self, field: str) -> tuple[Ints, Ints]:
        """Return where the values of a field begin and end."""
        at = self.fields.index(field)
        return self._starts[at], self._stops[at]

    def numbers(self, field: str) -> Numbers:
        """Return a field as numbers."""
        n = len(self)
        found = Numbers(np.empty(n), np.empty(n, dtype=np.int64), np.empty(n, dtype=np.uint8))
        unsure = np.empty(n, dtype=np.uint8)
        starts, stops = self.spans(field)
        kinds = self.kinds(field)

        def work(worker: int, block: int, rows: slice) -> None:
            json_numbers.numbers(
                self.document.data,
                *(starts[rows], stops[rows], kinds[rows], found.floats[rows], found.ints[rows]),
                *(found.found[rows], unsure[rows]),
            )

        each_block(work, n, BLOCK)
        for row in np.flatnonzero(unsure).tolist():
            value = float(self.document.raw(starts[row], stops[row]).strip(b'"'))
            found.floats[row] = value
            if math.isfinite(value) and found.found[row] == json_numbers.NOT_FINITE:
                found.found[row] = json_numbers.FRACTION  # next to the largest float
            elif math.isinf(value) and found.found[row] <= json_numbers.FRACTION:
                found.found[row] = json_numbers.NOT_FINITE
        return found

    def boxes(self, field: str) -> tuple[npt.NDArray[np.float64], Ints]:
        """Return a field as four numbers each, and what `json_numbers.boxes` found."""
        n = len(self)
        out, found = np.empty((n, 4)), np.empty(n, dtype=np.int64)
        unsure = np.empty(n, dtype=np.uint8)
        starts, stops = self.spans(field)
        kinds = self.kinds(field)

        def work(worker: int, block: int, rows: slice) -> None:
            json_numbers.boxes(
                self.document.data,
                *(starts[rows], kinds[rows], places.LIST, out[rows], found[rows], unsure[rows]),
            )

        each_block(work, n, BLOCK)
        for row in np.flatnonzero(unsure.astype(bool) & (found != -1)).tolist():
            values = self.document.value(starts[row], stops[row])
            is_finite = all(map(math.isfinite, values))
            found[row] = len(values) if is_finite else -3
            out[row, : len(values)] = values[:4] if is_finite else np.nan
        return out, found

    def is_filled(self, field: str) -> Mask:
        """Return which entries have a value that is not null, false, 0 or empty."""
        kinds = self.kinds(field)
        starts, stops = self.spans(field)
        data = self.document.data
        filled = ~np.isin(kinds, (places.MISSING, places.NULL))
        filled &= (kinds != places.BOOLEAN) | (data[starts] == ord("t"))
        filled &= (kinds != places.STRING) | (stops - starts > 2)
        filled &= (kinds != places.NUMBER) | (self.numbers(field).floats != 0)
        nested = np.isin(kinds, (places.LIST, places.OBJECT))
        inner = data[np.where(nested, starts + 1, 0)]
        for row in np.flatnonzero(nested & np.isin(inner, list(b" \t\r\n]}"))).tolist():
            filled[row] = bool(self.document.raw(starts[row] + 1, stops[row] - 1).strip())
        return filled

    def texts(self, field: str) -> list[str | None]:
        """Return a field as text; None where it is none."""
        starts, stops = (each.tolist() for each in self.spans(field))
        wanted = (self.kinds(field) == places.STRING).tolist()
        text = self.document.text
        return [
            text(start, stop) if each else None
            for start, stop, each in zip(starts, stops, wanted, strict=True)
        ]

    def raw(self, rows: Ints, field: str) -> list[str]:
        """Return values as they are written, long ones cut, for messages."""
        starts, stops = self.spans(field)
        return [
            shown(self.document.raw(start, min(stop, start + 200)), stop - start)
            for start, stop in zip(starts[rows].tolist(), stops[rows].tolist(), strict=True)
        ]

    def written(self, row: int, field: str) -> str:
        """Return a value for a message: text as Python writes it, others as the file does."""
        start, stop = (int(each[row]) for each in self.spans(field))
        if self.kinds(field)[row] == places.STRING and stop - start <= _LONG:
            return repr(self.document.text(start, stop))
        return self.raw(np.array([row]), field)[0]

    def values(self, field: str, rows: Ints) -> list[Any]:
        """Return a field as objects; None where there is none. Integers stay integers."""
        starts, stops = self.spans(field)
        kinds = self.kinds(field)
        raw = self.document.raw
        return [
            parse(raw(starts[row], stops[row]).decode("utf-8"), self.path(row))
            if kinds[row] != places.MISSING
            else None
            for row in rows.tolist()
        ]

    def place_in(self, path: Path, row: int) -> str:
        """Return where an entry is, for a message: file, list and position."""
        return f"{path}: {self.name}[{row}]"

    def path(self, row: int) -> str:
        """Return the JSON path of an entry."""
        return f"${member(self.name)}[{row}]" if self.name else f"$[{row}]"

    def where(self, row: int, field: str = "") -> Place:
        """Return where a field of an entry stands; the entry where it lacks the field."""
        path = self.path(row)
        if field and self.kinds(field)[row] != places.MISSING:
            starts, stops = self.spans(field)
            return Place(path + member(field), int(starts[row]), int(stops[row]))
        return Place(path, int(self.starts[row]), int(self.stops[row]))

    def ids(self, field: str, ids: Ids) -> tuple[Ints, Numbers]:
        """Return a field as ids, and as numbers."""
        numbers = self.numbers(field)
        whole = (json_numbers.WHOLE, json_numbers.ROUND, json_numbers.TEXT_WHOLE)
        is_whole = np.isin(numbers.found, whole)
        codes = np.where(is_whole, numbers.ints, NO_ID)
        kinds = self.kinds(field)
        named = ~is_whole & np.isin(kinds, (places.STRING, places.NUMBER))
        starts, stops = self.spans(field)
        for row in np.flatnonzero(named).tolist():
            start, stop = int(starts[row]), int(stops[row])
            text = self.document.raw(start, stop).decode("utf-8", "replace")
            codes[row] = ids.code(self.document.text(start, stop) if text[0] == '"' else text)
        return codes, numbers


def shown(raw: bytes, length: int, most: int = 60) -> str:
    """Return JSON text for a message: on one line, and not longer than `most`.

    Examples
    --------
    >>> shown(b'[1, 2]', 6), shown(b'"a long story"', 14, most=6)
    ('[1, 2]', '"a lo…')
    """
    text = " ".join(raw[: 4 * most].decode("utf-8", "replace").split())
    return text if len(text) <= most and length <= len(raw) else text[: most - 1] + "…"
