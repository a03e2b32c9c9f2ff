"""Texts that hold a 1 or 0 for each class: ``[0, 0, 1]``, as a table writes a list or an array."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from goldlabel.formats.json.text import spliced
from goldlabel.tasks.multilabel.formats.given import opposite

__all__ = ["changed", "read"]

_VALUE = r"(?:[01](?:\.0*)?|[Tt]rue|TRUE|[Ff]alse|FALSE)"
_BETWEEN = r"(?:\s*[,;|]\s*|\s+)"
_HOT = re.compile(rf"\s*[\[({{]?\s*{_VALUE}(?:{_BETWEEN}{_VALUE})+\s*[,;|]?\s*[\])}}]?\s*")
_ONE = re.compile(_VALUE)


def read(texts: Sequence[str | None]) -> npt.NDArray[np.int8] | None:
    """Return texts as a matrix of 1 and 0, of -1 where there is no text; None if they are no such.

    All have a value for each class, and some repeat one, so that they can't list classes.

    Examples
    --------
    >>> read(["[0, 0, 1]", "[1 0 1]", ""]).tolist()
    [[0, 0, 1], [1, 0, 1], [-1, -1, -1]]
    >>> read(["[0, 1]", "[1]"]) is None
    True
    """
    rows = [_values(text) if text and text.strip() else [] for text in texts]
    filled = [row for row in rows if row != []]
    if not filled or any(row is None for row in rows):
        return None
    k = len(filled[0] or ())
    if any(len(row or ()) != k for row in filled):
        return None
    if not any(len(set(row or ())) < k for row in filled):
        return None
    matrix = np.full((len(rows), k), -1, dtype=np.int8)
    for at, row in enumerate(rows):
        if row:
            matrix[at] = row
    return matrix


def _values(text: str) -> list[int] | None:
    if not _HOT.fullmatch(text):
        return None
    return [int(value[:1] in "1Tt") for value in _ONE.findall(text)]


def changed(text: str, parts: Mapping[int, bool]) -> str:
    """Return a text with the values of some classes turned, and all else as it was.

    Examples
    --------
    >>> changed("[0 0. 1]", {1: True})
    '[0 1. 1]'
    """
    edits = []
    for at, match in enumerate(_ONE.finditer(text)):
        if at in parts:
            value = match[0]
            new = opposite(value, parts[at], ["1"])
            if value[0] in "01":
                new = str(int(parts[at])) + value[1:]
            edits.append((*match.span(), new))
    return spliced(text, edits)
