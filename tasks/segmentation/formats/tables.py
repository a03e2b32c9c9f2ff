"""Tables of classes: what value, or what colour, of a mask is which class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.text import read_text

__all__ = ["ClassTable", "read_table"]

_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, eq=False)
class ClassTable:
    """The classes that a table lists, in its order.

    Attributes
    ----------
    names : tuple of str
    values : ndarray of int64, optional
        The value of each class in an index mask; None where they are 0, 1, 2, ...
    colors : ndarray of shape (k, 3), uint8, optional
        The colour of each class in a colour mask.
    """

    names: tuple[str, ...]
    values: npt.NDArray[np.int64] | None = None
    colors: npt.NDArray[np.uint8] | None = None


def read_table(path: Path) -> ClassTable:
    """Read a table of classes, one per line.

    A line holds a name (``car``), a value and a name (``13 car``, ``13: car``), or a name and a
    colour, in any order (``64 0 128 car``, ``car,64,0,128``, ``car:64,0,128::`` of CVAT). Empty
    lines, comments (``#``) and a header are left out.

    Raises
    ------
    InputError
        A line is none of these, or a name, value or colour comes twice.
    """
    lines = read_text(path).data.decode("utf-8").splitlines()
    rows = []
    for number, line in enumerate(lines, start=1):
        text = line.strip().strip(",;")
        if text and not text.startswith(("#", "//")):
            rows.append((number, *_parts(text)))
    counts = [len(numbers) for _, _, numbers in rows]
    if len(rows) > 1 and counts[0] == 0 and min(counts[1:]) > 0:
        rows, counts = rows[1:], counts[1:]  # a header, or a key such as "names:"
    if not rows:
        raise InputError(str(path), "lists no classes", "Write a class on each line")
    for (number, name, numbers), count in zip(rows, counts, strict=True):
        if not name or count not in (0, 1, 3, 4) or count != counts[0]:
            raise InputError(
                f"{path}: line {number}",
                f"has {count} numbers and the name {name!r}, the first class {counts[0]}",
                "Write a name, a value and a name, or a name and red, green and blue",
            )
        if any(value > (255 if count >= 3 else 65535) for value in numbers):
            raise InputError(f"{path}: line {number}", f"has the value {max(numbers)}", "Mend it")
    return _table(path, rows, counts[0])


def _parts(text: str) -> tuple[str, list[int]]:
    """Split a line into a name and the whole numbers before or behind it."""
    words = [word for word in re.split(r"[\s,;:=\t]+", text) if word]
    first, last = 0, len(words)
    while first < last and _NUMBER.fullmatch(words[first]):
        first += 1
    while last > first and _NUMBER.fullmatch(words[last - 1]):
        last -= 1
    numbers = [int(word) for word in words[:first] + words[last:]]
    return " ".join(words[first:last]).strip("\"'"), numbers


def _table(path: Path, rows: list[tuple[int, str, list[int]]], count: int) -> ClassTable:
    _distinct(path, [(number, name) for number, name, _ in rows], "name")
    names = tuple(name for _, name, _ in rows)
    if count == 0:
        return ClassTable(names)
    if count == 1:
        _distinct(path, [(number, numbers[0]) for number, _, numbers in rows], "value")
        return ClassTable(names, np.array([n[0] for _, _, n in rows], dtype=np.int64))
    colors = [tuple(numbers[-3:]) for _, _, numbers in rows]
    _distinct(path, [(row[0], color) for row, color in zip(rows, colors, strict=True)], "colour")
    return ClassTable(names, None, np.array(colors, dtype=np.uint8))


def _distinct(path: Path, entries: list[tuple[int, object]], what: str) -> None:
    seen: dict[object, int] = {}
    for number, entry in entries:
        if entry in seen:
            raise InputError(
                f"{path}: line {number}",
                f"has the {what} {entry!r} again, after line {seen[entry]}",
                f"Give each class a {what} of its own",
            )
        seen[entry] = number
