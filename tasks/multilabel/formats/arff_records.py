"""The lines of an ARFF file: its header, and where each value of a record stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from goldlabel.errors import InputError

__all__ = ["Header", "Record", "entries_of", "read_header", "records"]

_RELATION = re.compile(r"\s*@relation\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""\s*@attribute\s+(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(\S+))\s+(.*\S)""", re.IGNORECASE
)
_DATA = re.compile(r"\s*@data\b", re.IGNORECASE)
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


class Header(NamedTuple):
    """What comes before the data."""

    relation: str
    names: list[str]
    kinds: list[str]
    data: int

    def default(self, at: int) -> str:
        """Return the value of an attribute that a sparse row leaves out: the one with index 0."""
        kind = self.kinds[at].strip()
        if not kind.startswith("{"):
            return "0"
        inside = kind[1:].split("}")[0]
        start, stop = _fields(inside)[0]
        return inside[start:stop].strip("'\"")


@dataclass(frozen=True)
class Record:
    """One line of data.

    Attributes
    ----------
    number : int
        Of the line, from 1.
    start : int
        Where its text begins in the file.
    text : str
    places : mapping of int to (int, int)
        Where the value of each attribute stands in `text`; of a sparse line, of those it has.
    is_sparse : bool
    """

    number: int
    start: int
    text: str
    places: Mapping[int, tuple[int, int]]
    is_sparse: bool


def read_header(path: Path, text: str) -> Header:
    """Read what comes before the data; raise InputError where it is damaged."""
    names: list[str] = []
    kinds: list[str] = []
    relation = ""
    for number, start, line in _lines(text):
        stop = start + len(line)
        if _RELATION.match(line):
            relation = line
        elif _DATA.match(line):
            _check_attributes(path, names)
            return Header(relation, names, kinds, stop)
        elif line.strip() and not line.lstrip().startswith("%"):
            match = _ATTRIBUTE.match(line)
            if match is None:
                raise InputError(
                    f"{path}: line {number}",
                    f"is {line.strip()[:60]!r}, and @attribute or @data is expected",
                    "Mend the header",
                )
            name = next(each for each in match.groups()[:3] if each is not None)
            names.append(re.sub(r"\\(.)", r"\1", name) if match[3] is None else name)
            kinds.append(match[4])
    raise InputError(str(path), "has no @data", "Name a whole ARFF file")


def _check_attributes(path: Path, names: Sequence[str]) -> None:
    if not names:
        raise InputError(str(path), "has no attributes", "Name a whole ARFF file")
    twice = (
        [name for at, name in enumerate(names) if name in names[:at]]
        if (len(set(names)) < len(names))
        else []
    )
    if twice:
        raise InputError(str(path), f"has two attributes named {twice[0]!r}", "Rename one")


def _lines(text: str, start: int = 0, number: int = 1) -> Iterator[tuple[int, int, str]]:
    """Yield number, start and text of every line; LF, CR LF and CR end one."""
    for match in re.finditer(r"[^\r\n]*(?:\r\n|\r|\n|\Z)", text[start:] if start else text):
        line = match[0].rstrip("\r\n")
        if match[0]:
            yield number, start + match.start(), line
            number += 1


def records(path: Path, text: str, header: Header) -> Iterator[Record]:
    """Yield every line of data; raise InputError where one does not fit the header."""
    first = len(re.findall(r"\r\n|\r|\n", text[: header.data])) + 1
    for number, start, line in _lines(text, header.data, first):
        stripped = line.strip()
        if not stripped or stripped.startswith("%"):
            continue
        if stripped.startswith("{"):
            yield _sparse(path, number, start, line, len(header.names))
        else:
            places = dict(enumerate(_fields(line)))
            if len(places) != len(header.names):
                raise InputError(
                    f"{path}: line {number}",
                    f"has {len(places)} values, and there are {len(header.names)} attributes",
                    "Give each attribute a value; quote those that hold a comma",
                )
            yield Record(number, start, line, places, False)


def _fields(line: str) -> list[tuple[int, int]]:
    """Return where each value stands that commas (or tabs) separate, without space around it."""
    hidden = line
    if "'" in line or '"' in line:
        hidden = _QUOTED.sub(lambda match: "x" * len(match[0]), line)
    separator = "," if "," in hidden else "\t"
    places, start = [], 0
    for piece in hidden.split(separator):
        begin = start + len(piece) - len(piece.lstrip())
        places.append((begin, max(begin, start + len(piece.rstrip()))))
        start += len(piece) + 1
    return places


def _sparse(path: Path, number: int, start: int, line: str, k: int) -> Record:
    """Read ``{index value, index value}``."""
    where = f"{path}: line {number}"
    begin, end = line.index("{") + 1, line.rfind("}")
    if end < begin:
        raise InputError(where, "opens { and does not close it", "Mend the line")
    places: dict[int, tuple[int, int]] = {}
    inside = line[begin:end]
    for first, last in entries_of(inside):
        match = re.match(r"(\d+)\s+(\S.*)", inside[first:last], re.DOTALL)
        if match is None or int(match[1]) >= k or int(match[1]) in places:
            raise InputError(
                where,
                f"holds {inside[first:last]!r}, where the number of an attribute below {k}, not"
                " there before, and its value are expected",
                "Mend the line",
            )
        places[int(match[1])] = (begin + first + match.start(2), begin + last)
    return Record(number, start, line, places, True)


def entries_of(inside: str) -> list[tuple[int, int]]:
    """Return where each entry of a sparse record stands between its braces."""
    return _fields(inside) if inside.strip() else []
