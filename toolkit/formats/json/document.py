"""A JSON file as bytes, with the places of its sections and of their entries."""

from __future__ import annotations

import codecs
import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.json import places as json_places
from goldlabel.formats.json import scan
from goldlabel.formats.json.text import whole
from goldlabel.kernels._jit import frozen
from goldlabel.typing import Ints

__all__ = ["DECODER", "Document", "Odd", "Section", "read_document", "scanned"]


DECODER = json.JSONDecoder(parse_int=float)
"""Python refuses to read integers of more than 4,300 digits; as floats they are just infinite."""
ROWS, ODDITIES = 1 << 16, 1 << 12
MOST_ODD = 1_000_000
"""So many oddities are kept; a file with more is beyond mending one by one."""
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[][{},:]')
_MARK = codecs.BOM_UTF8
_CHUNK = 1 << 24
_WORDS = tuple(
    frozen(np.frombuffer(word, dtype=np.uint8))
    for word in (b"true", b"false", b"null", b"NaN", b"Infinity", b"-Infinity")
)
_ERRORS = {
    scan.NO_VALUE: "a value is expected",
    scan.NO_KEY: "a key in double quotes is expected",
    scan.NO_COLON: "a colon is expected",
    scan.NO_COMMA: "a comma, or the end of the list or object, is expected",
    scan.AFTER_END: "there is more after the end of the value",
    scan.TRUNCATED: "the text ends in the middle",
    scan.CONTROL: "a control character in a string",
    scan.ESCAPE: "an unknown escape in a string",
    scan.TOO_DEEP: f"lists and objects are nested more than {scan.DEPTH} deep",
}
_OTHER_FORMATS = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "a ZIP archive",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


@dataclass(frozen=True, eq=False)
class Section:
    """A member of the root: where it stands, and its entries if it is a list."""

    name: str
    start: int
    stop: int
    is_list: bool
    starts: Ints
    stops: Ints


@dataclass(frozen=True)
class Odd:
    """Something that parsers do not agree about: `kind` of `json_scan`, and where it stands."""

    kind: int
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Document:
    """A file that is JSON, or would be but for a few oddities.

    Attributes
    ----------
    path : Path
    data : ndarray of uint8
        The file as it is.
    root : Section
        The whole value; its entries if it is a list.
    sections : dict
        The members of the root by name, if it is an object; of two with one name the last.
    repeated : list of (str, int, int)
        Name, start and end of members of the root whose name came before.
    odd : list of Odd
    """

    path: Path
    data: npt.NDArray[np.uint8]
    root: Section
    sections: dict[str, Section]
    repeated: list[tuple[str, int, int]]
    odd: list[Odd]

    @property
    def has_mark(self) -> bool:
        """Whether the file begins with a byte-order mark."""
        return self.data[:3].tobytes() == _MARK

    def raw(self, start: int, stop: int) -> bytes:
        """Return bytes of the file."""
        return self.data[start:stop].tobytes()

    def value(self, start: int, stop: int) -> Any:
        """Return a value; of two members with one key the last."""
        return DECODER.decode(self.raw(start, stop).decode("utf-8", "replace"))

    def text(self, start: int, stop: int) -> str:
        """Return a string; half a character (a lone surrogate) becomes U+FFFD."""
        raw = self.raw(start, stop)
        if b"\\" not in raw:
            return raw[1:-1].decode("utf-8", "replace")
        return str(whole(self.value(start, stop)))

    def end_of_members(self, start: int, stop: int) -> int:
        """Return where the last member of an object, which has one, ends."""
        return start + len(self.raw(start, stop - 1).rstrip())

    def paths_to(self, starts: Sequence[int]) -> list[str]:
        """Return the JSON paths of the values that begin at, or are around, these bytes.

        Each entry of the file is looked through once, however many places in it are asked for.
        """
        sections = sorted(self.sections.values(), key=lambda section: section.start)
        begins = [section.start for section in sections]
        inside: dict[tuple[str, int, int], list[int]] = {}
        for start in sorted(set(starts)):
            at = bisect_right(begins, start) - 1
            outer = sections[at] if at >= 0 and start < sections[at].stop else self.root
            inside.setdefault(_entry(outer, start), []).append(start)
        found: dict[int, str] = {}
        for (path, begin, stop), places in inside.items():
            text = self.raw(begin, stop).decode("latin-1")
            inner = _inner_paths(text, [place - begin for place in places])
            found |= {place: path + each for place, each in zip(places, inner, strict=True)}
        return [found[start] for start in starts]


def _entry(section: Section, start: int) -> tuple[str, int, int]:
    """Return path, start and end of the entry of a section that a byte is in, or the section's."""
    path = f"${member(section.name)}" if section.name else "$"
    row = bisect_right(section.starts, start) - 1
    if section.is_list and row >= 0 and start < section.stops[row]:
        return f"{path}[{row}]", int(section.starts[row]), int(section.stops[row])
    if not section.name:
        return path, section.start, section.start  # the root is not looked through
    return path, section.start, section.stop


def member(name: str) -> str:
    """Return how a member is written in a JSON path.

    Examples
    --------
    >>> member("bbox"), member("a b")
    ('.bbox', '["a b"]')
    """
    return f".{name}" if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) else f"[{json.dumps(name)}]"


def _inner_paths(text: str, goals: Sequence[int]) -> list[str]:
    """Return the paths from a value to what stands in it at positions, which ascend.

    The text is valid JSON, read as latin-1 so that positions are bytes.
    """
    steps: list[str] = []
    is_object: list[bool] = []
    found: list[str] = []
    for token in _TOKEN.finditer(text):
        mark, position = token[0], token.start()
        while len(found) < len(goals) and goals[len(found)] < position + (mark not in "]},:"):
            found.append("".join(steps))
        if len(found) == len(goals):
            break
        if mark in "[{":
            is_object.append(mark == "{")
            steps.append("" if mark == "{" else "[0]")
        elif mark in "]}":
            is_object.pop()
            steps.pop()
        elif mark == ",":
            steps[-1] = "" if is_object[-1] else f"[{int(steps[-1][1:-1]) + 1}]"
        elif mark[0] == '"' and is_object and is_object[-1] and not steps[-1]:
            steps[-1] = member(json.loads(mark.encode("latin-1").decode("utf-8", "replace")))
    return found + ["".join(steps)] * (len(goals) - len(found))


def read_document(path: str | Path) -> Document:
    """Read a JSON file.

    Raises
    ------
    InputError
        The file can't be read, or is not JSON; says where.
    """
    path = Path(path)
    data = frozen(_read(path))
    head = data[:4].tobytes()
    for magic, name in _OTHER_FORMATS.items():
        if head.startswith(magic):
            raise InputError(str(path), f"is {name}, not JSON text", "Unpack it to UTF-8 text")
    return scanned(path, data)


def scanned(path: Path, data: npt.NDArray[np.uint8]) -> Document:
    """Return the document of bytes that have been read.

    Raises
    ------
    InputError
        They are not JSON; says where.
    """
    head = data[:4].tobytes()
    begin = 3 if head.startswith(_MARK) else 0
    if not data[begin : begin + 4096].tobytes().strip() and not data[begin:].tobytes().strip():
        raise InputError(str(path), "is empty", "Name a COCO file")
    rows, odd = _scan(path, data, begin)
    return _outlined(path, data, rows, odd)


def _read(path: Path) -> npt.NDArray[np.uint8]:
    try:
        if path.is_dir():
            raise InputError(str(path), "is a folder, and a file is expected", "Name the file")
        if not path.is_file():
            raise InputError(str(path), "is no file", "Check the path")
        return np.fromfile(path, dtype=np.uint8)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            str(path), f"cannot be read ({reason})", "Check its name and permissions"
        ) from error


def _scan(path: Path, data: npt.NDArray[np.uint8], begin: int) -> tuple[Ints, list[Odd]]:
    """Check the grammar; return the rows of `json_scan.scan`, and what is odd."""
    memory = scan.new_state()
    state = memory["state"]
    state[scan.POSITION] = begin
    rows = np.empty((ROWS, 5), dtype=np.int64)
    odd = np.empty((ODDITIES, 3), dtype=np.int64)
    parts: list[Ints] = []
    oddities: list[Odd] = []
    while True:
        before = int(state[scan.POSITION])
        scan.scan(data, _WORDS, state, memory["opened"], memory["hashes"], rows, odd)
        parts.append(rows[: state[scan.ROWS]].copy())
        if len(oddities) < MOST_ODD:
            oddities += [Odd(*row) for row in odd[: state[scan.ODD]].tolist()]
        if state[scan.ERROR] != scan.FINE:
            _refuse(path, data, int(state[scan.POSITION]), int(state[scan.ERROR]))
        if state[scan.EXPECTED] == scan.END and state[scan.POSITION] >= len(data):
            return np.concatenate(parts), oddities
        if state[scan.POSITION] == before:
            raise RuntimeError(f"{path}: the scan stands still at byte {before}")


def _refuse(path: Path, data: npt.NDArray[np.uint8], at: int, error: int) -> None:
    """Say where a text is not JSON."""
    at = min(at, len(data))
    lines, columns = np.empty(1, dtype=np.int64), np.empty(1, dtype=np.int64)
    json_places.positions(data, frozen(np.array([at], dtype=np.int64)), lines, columns)
    fix = "Fetch or write it again" if error == scan.TRUNCATED else "Mend it there"
    raise InputError(
        f"{path}: line {lines[0]}, column {columns[0]}", f"is not JSON: {_ERRORS[error]}", fix
    )


def _outlined(path: Path, data: npt.NDArray[np.uint8], rows: Ints, odd: list[Odd]) -> Document:
    """Make sections of the rows of `json_scan.scan`: entries come before their list."""
    upper = np.flatnonzero(rows[:, 0] == 1)
    is_list = len(upper) > 0 and not (rows[upper, 1] != 0).any()
    none = np.empty(0, dtype=np.int64)
    sections: dict[str, Section] = {}
    repeated: list[tuple[str, int, int]] = []
    if not is_list:
        done = 0
        for row in upper.tolist():
            _, key, key_end, start, stop = rows[row].tolist()
            inner = frozen(np.ascontiguousarray(rows[done:row, 3:].T))
            name = json.loads(data[key:key_end].tobytes().decode("utf-8", "replace"))
            listed = data[start] == ord("[")
            if name in sections:
                repeated.append((name, start, stop))
            sections[name] = Section(name, start, stop, bool(listed), inner[0], inner[1])
            done = row + 1
    outer = rows[upper, 3:] if is_list else np.empty((0, 2), dtype=np.int64)
    starts, stops = (frozen(np.ascontiguousarray(column)) for column in outer.T)
    begin = 3 if data[:3].tobytes() == _MARK else 0
    while data[begin] in b" \t\r\n":
        begin += 1
    root_is_list = data[begin] == ord("[")
    if not len(starts):
        starts = stops = none
    root = Section("", begin, len(data), bool(root_is_list), starts, stops)
    return Document(path, data, root, sections, repeated, odd)


def invalid_utf8(data: npt.NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return start and end of each run of bytes that is not UTF-8."""
    found: list[tuple[int, int]] = []
    start = 0
    while start < len(data):
        piece = data[start : start + _CHUNK].tobytes()
        try:
            last = start + len(piece) >= len(data)
            start += codecs.utf_8_decode(piece, "strict", last)[1]
        except UnicodeDecodeError as error:
            found.append((start + error.start, start + error.end))
            start += error.end
            if len(found) >= MOST_ODD:
                break
    return found
