"""Ids of entries, and what refers to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.json import numbers, places
from goldlabel.formats.json.records import NO_ID, Ids, Records
from goldlabel.formats.json.text import kind_of
from goldlabel.typing import Ints

__all__ = ["check_objects", "exact_ids", "own_ids", "rows_of", "rows_referred_to", "such"]

_LONGEST = 1000
"""An integer of more digits is no id: Python takes time that grows with their square."""


def rows_of(codes: Ints, listed: Ints) -> Ints:
    """Return the first position of each code in a list; -1 where it is not in it."""
    values, first = np.unique(listed, return_index=True)
    if not len(values):
        return np.full(len(codes), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(values, codes), len(values) - 1)
    is_listed = (values[at] == codes) & (codes != NO_ID)
    return np.where(is_listed, first[at], -1).astype(np.int64)


def exact_ids(records: Records, field: str, ids: Ids) -> Ints:
    """Return a field as ids, where 1 and 1.0 are the same and "1" is another; else `NO_ID`."""
    values = records.numbers(field)
    is_whole = np.isin(values.found, (numbers.WHOLE, numbers.ROUND))
    codes = np.where(is_whole, values.ints, NO_ID)
    kinds = records.kinds(field)
    starts, stops = records.spans(field)
    others = (kinds == places.STRING) | ((kinds == places.NUMBER) & ~is_whole)
    for row in np.flatnonzero(others).tolist():
        start, stop = int(starts[row]), int(stops[row])
        if kinds[row] == places.STRING:
            codes[row] = ids.code(records.document.text(start, stop))
        elif stop - start <= _LONGEST and (digits := records.document.raw(start, stop)).isdigit():
            codes[row] = ids.code(int(digits))
    return codes


def own_ids(records: Records, path: Path, ids: Ids) -> Ints:
    """Return the ids of images or categories, each of which needs one of its own.

    Raises
    ------
    InputError
        There is no entry, or one has no id, or that of another.
    """
    if not len(records):
        raise InputError(str(path), f"lists no {records.name}", "Name a file that does")
    check_objects(records, path)
    codes = exact_ids(records, "id", ids)
    without = np.flatnonzero(codes == NO_ID)
    if without.size:
        raise InputError(
            records.place_in(path, without[0]),
            f"has no id that is a number or a text{such(without)}",
            "Give each a whole number of its own",
        )
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[inverse] != np.arange(len(codes)))
    if again.size:
        raise InputError(
            records.place_in(path, again[0]),
            f"has the id {ids.show(int(codes[again[0]]))!r}, which another has{such(again)}",
            "Give each its own",
        )
    return codes


def rows_referred_to(records: Records, field: str, ids: Ids, listed: Ints, path: Path) -> Ints:
    """Return the position of the image, or the category, that each entry names.

    Raises
    ------
    InputError
        An entry names none, or one that is not listed.
    """
    codes = exact_ids(records, field, ids)
    rows = rows_of(codes, listed)
    bad = np.flatnonzero(rows < 0)
    if bad.size:
        row = int(bad[0])
        is_there = records.kinds(field)[row] != places.MISSING
        raise InputError(
            records.place_in(path, row),
            f"has the {field} {records.written(row, field)}, which is not listed{such(bad)}"
            if is_there
            else f"has no {field}{such(bad)}",
            "Mend the file; `goldlabel coco check` lists all that is wrong with it",
        )
    return rows


def check_objects(records: Records, path: Path) -> None:
    """Refuse entries that are no objects."""
    bad = np.flatnonzero(~records.is_object)
    if bad.size:
        row = int(bad[0])
        value = records.document.value(int(records.starts[row]), int(records.stops[row]))
        raise InputError(
            records.place_in(path, row),
            f"is a JSON {kind_of(value)}, not an object{such(bad)}",
            "Mend the file",
        )


def such(rows: Ints) -> str:
    """Say how many entries have the same fault as the first."""
    return f" ({len(rows):,} such)" if len(rows) > 1 else ""
