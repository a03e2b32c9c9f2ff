"""Folders of Pascal VOC XML: a file for each image, with its objects."""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.numerals import NUMBER
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.boxes import LARGEST
from goldlabel.tasks.detection.formats.folders import copied, digest, files_of, read_bytes
from goldlabel.tasks.detection.formats.listed import (
    IMAGES,
    Change,
    Collector,
    Listed,
    fault_of,
    short,
)
from goldlabel.tasks.detection.formats.names import names_of

__all__ = ["export", "read"]

_SIDES = ("xmin", "ymin", "xmax", "ymax")
_DEPTH = 100

Place = tuple[int, int]
Box = tuple[float, float, float, float]
_TAG = re.compile(rb"""<(?:[^>"']|"[^"]*"|'[^']*')*>""")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*(["'])([A-Za-z0-9._-]+)\1""")
_HEAD = 400
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)


@dataclass
class _Object:
    """An object of a file: where its element and what it says of it stand."""

    start: int
    stop: int = 0
    texts: dict[str, tuple[str, Place]] = field(default_factory=dict)


@dataclass
class _Annotation:
    """An XML file: its objects, other texts, and where the root element ends."""

    objects: list[_Object] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    end: int = 0


class _Reader:
    """Follows the elements of a file with expat; nothing outside of the file is ever read.

    Places are those of the file as UTF-8, whatever it is saved as.
    """

    def __init__(self, data: bytes, where: str) -> None:
        self.found = _Annotation()
        self._data = data
        self._where = where
        self._path: list[str] = []
        self._text: list[str] = []
        self._begin = 0
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            place = f"{where}: line {error.lineno}, column {error.offset}"
            raise InputError(
                place, f"is not XML ({expat.ErrorString(error.code)})", "Mend it"
            ) from None

    def _refuse(self, *_: Any) -> None:
        raise InputError(
            self._where, "declares a document type or entities", "Remove the declaration"
        )

    def _open(self, name: str, attributes: Mapping[str, str]) -> None:
        self._path.append(name)
        if len(self._path) == 1 and name != "annotation":
            raise InputError(self._where, f"is of <{name}>, not of <annotation>", "Name VOC files")
        if len(self._path) > _DEPTH:
            raise InputError(self._where, "is nested too deep", "Mend it")
        if self._path == ["annotation", "object"]:
            self.found.objects.append(_Object(self._parser.CurrentByteIndex))
        self._text, self._begin = [], self._after_tag()

    def _after_tag(self) -> int:
        """Return where the tag that begins here ends."""
        tag = _TAG.match(self._data, self._parser.CurrentByteIndex)
        return self._parser.CurrentByteIndex if tag is None else tag.end()

    def _characters(self, text: str) -> None:
        self._text.append(text)

    def _close(self, name: str) -> None:
        at = self._parser.CurrentByteIndex
        path, text = self._path, "".join(self._text)
        key = "/".join(path[1:])
        if path[:2] == ["annotation", "object"] and self.found.objects:
            own = self.found.objects[-1]
            if len(path) == 2:
                own.stop = self._after_tag()
            else:
                place = min(self._begin, at), at
                own.texts.setdefault("/".join(path[2:]), (text, place))
        elif len(path) == 1:
            self.found.end = at
        else:
            self.found.texts.setdefault(key, text.strip())
        self._path.pop()
        self._text, self._begin = [], at


def _parsed(path: Path) -> _Annotation:
    return _Reader(_as_utf8(read_bytes(path), str(path))[0], str(path)).found


def _as_utf8(data: bytes, where: str) -> tuple[bytes, str, bytes]:
    """Return a file as UTF-8, its encoding, and the mark that it begins with.

    Raises
    ------
    InputError
        It is not of the encoding that it says.
    """
    declared = _DECLARED.match(data[:_HEAD])
    said = (b"", declared[2].decode() if declared else "utf-8")
    mark, encoding = next((each for each in _MARKS if data.startswith(each[0])), said)
    try:
        text = data[len(mark) :].decode(encoding)
        if text.encode(encoding) != data[len(mark) :]:
            raise UnicodeError
        return text.encode("utf-8"), encoding, mark
    except (LookupError, UnicodeError):
        raise InputError(where, f"is not {encoding}", "Save it as UTF-8") from None


def read(folder: Path, *, names: Path | None = None, told: Sequence[str] | None = None) -> Listed:
    """Read a folder of VOC files.

    Classes are those `told`, or in a file of `names`, or else the names that occur, sorted.

    Corners are of pixels, the first one is 1, and both ends belong to the box: they become the
    edges ``xmin - 1 .. xmax``. Where some corner is 0, pixels are counted from 0, and corners are
    taken as they are.

    Raises
    ------
    InputError
        A file is no XML, or an object has no name or no box; says which.
    """
    files = files_of(folder, ".xml")
    if not files:
        raise InputError(str(folder), "has no XML files", "Name the folder of annotations")
    rows = [(at, path, _parsed(folder / path)) for at, path in enumerate(files)]
    objects = [
        (image, each, _box(each), f"{folder / path}: object {at + 1}")
        for image, path, found in rows
        for at, each in enumerate(found.objects)
    ]
    boxes = [box for _, _, box, _ in objects if not isinstance(box, str)]
    from_one = all(min(box[:2]) >= 1 for box in boxes if fault_of(box) is None)
    shift = 1.0 if from_one else 0.0
    told = told if names is None else list(names_of(names))
    collector = Collector(str(folder))
    for image, each, box, where in objects:
        _add(collector, image, each, box, where, shift, told)
    classes = collector.classes if told is None else list(told)
    difficult = sum(collector.ignore) - len(collector.faults)
    size = f"{len(files):,} files, {len(collector.boxes):,} boxes"
    note = f"Read {folder.name or folder} as Pascal VOC: {size},"
    notes = [f"{note} pixels counted from {1 if from_one else 0}."]
    if difficult:
        notes.append(f"{difficult:,} difficult objects are not judged.")
    options = {
        "extension": ".xml",
        "sha256": digest(folder, files),
        "files": [path.as_posix() for path in files],
        "classes": classes,
        "shift": shift,
    }
    return collector.listed(
        [_image_name(path, found) for _, path, found in rows],
        Source("voc", (folder,), options, () if names is None else (names,)),
        codes=classes,
        sizes=np.array([_size(found) for _, _, found in rows]),
        notes=notes,
    )


def _image_name(path: Path, found: _Annotation) -> str:
    """Return the image's name, with the stem of the XML file: what <filename> says may be stale."""
    said = Path(found.texts.get("filename", "").replace("\\", "/"))
    return path.with_suffix(said.suffix).as_posix() if said.suffix else path.as_posix()


def _size(found: _Annotation) -> tuple[float, float]:
    sides = []
    for key in ("size/width", "size/height"):
        text = found.texts.get(key, "")
        side = float(text) if NUMBER.fullmatch(text) else 0.0
        sides.append(side if 0 < side < LARGEST else math.nan)
    return sides[0], sides[1]


def _add(
    collector: Collector,
    image: int,
    each: _Object,
    box: Box | str,
    where: str,
    shift: float,
    told: Sequence[str] | None,
) -> None:
    """Add an object, or an annotation that has no box or no class."""
    name = each.texts.get("name", ("", (0, 0)))[0].strip()
    known = name if name and (told is None or name in told) else None
    if isinstance(box, str):
        collector.add_fault(image, known, "bbox-format", box, where=where)
        return
    x1, y1, x2, y2 = box
    box = (x1 - shift, y1 - shift, x2, y2)
    if known is None:
        what = "has no name" if not name else f"is called {short(name)}, which is not named"
        near = get_close_matches(name, told or [], 1)
        collector.add_fault(
            image, None, "unknown-class", what, where=where, box=box,
            suggested=near[0] if near else None,
        )  # fmt: skip
        return
    flag = each.texts.get("difficult", ("0", (0, 0)))[0].strip()
    collector.add(image, box, name, where=where, ignore=flag in ("1", "true", "True"))


def _box(each: _Object) -> Box | str:
    """Return the corners as they are written, or what is wrong with them."""
    values = []
    for side in _SIDES:
        text = each.texts.get(f"bndbox/{side}", ("", (0, 0)))[0].strip()
        if not NUMBER.fullmatch(text) or not abs(float(text)) <= LARGEST:
            return f"has {short(text)} for {side}" if text else f"has no {side}"
        values.append(float(text))
    x1, y1, x2, y2 = values
    return x1, y1, x2, y2


def export(source: Source, changes: Mapping[int, Sequence[Change]], out: Path) -> None:
    """Copy the folder with objects changed, added and removed, and every other byte as it was."""
    classes, shift = source.options["classes"], source.options["shift"]

    def edited(data: bytes, wanted: Sequence[Change], where: str, image: int) -> bytes:
        data = data or _empty(str(source.options["images"][image]))
        return _edited(data, wanted, where, classes, shift)

    copied(source, out, changes, edited, extension=".xml")


def _empty(image: str) -> bytes:
    """Return a file without objects, which names its picture if that is known."""
    name = PurePosixPath(image.replace("\\", "/"))
    is_picture = name.suffix.lower() in IMAGES and name.name.isprintable()
    told = f"\t<filename>{escape(name.name)}</filename>\n" if is_picture else ""
    return f"<annotation>\n{told}</annotation>\n".encode("utf-8", "xmlcharrefreplace")


def _edited(
    data: bytes, wanted: Sequence[Change], where: str, classes: Sequence[str], shift: float
) -> bytes:
    data, encoding, mark = _as_utf8(data, where)
    found = _Reader(data, where).found
    whole = all(
        each.texts.get(f"bndbox/{side}", ("0", (0, 0)))[0].strip().lstrip("+-").isdigit()
        for each in found.objects
        for side in _SIDES
    )
    edits: list[tuple[int, int, bytes]] = []
    new = []
    for change in wanted:
        if change.action == "add":
            new.append(change)
        elif change.action == "remove":
            edits.append(_removed(data, found.objects[change.part]))
        else:
            values = {"name": escape(classes[change.label])} if change.relabels else {}
            if change.moves:
                sides = _sides(change, shift, whole)
                values |= {f"bndbox/{s}": value for s, value in zip(_SIDES, sides, strict=True)}
            own = found.objects[change.part]
            place = f"{where}: object {change.part + 1}"
            edits += [_swap(data, own, key, value, place) for key, value in values.items()]
    if new:
        edits.append(_added(data, found, new, classes, shift, whole))
    for start, stop, piece in sorted(edits, reverse=True):
        data = data[:start] + piece + data[stop:]
    return mark + data.decode("utf-8").encode(encoding, "xmlcharrefreplace")


def _removed(data: bytes, own: _Object) -> tuple[int, int, bytes]:
    """Remove an object with its indent and the end of its line."""
    start, stop = own.start, own.stop
    while start > 0 and data[start - 1 : start] in (b" ", b"\t"):
        start -= 1
    if data[stop : stop + 2] == b"\r\n":
        stop += 2
    elif data[stop : stop + 1] == b"\n":
        stop += 1
    return start, stop, b""


def _swap(data: bytes, own: _Object, key: str, value: str, where: str) -> tuple[int, int, bytes]:
    """Replace what an element holds, and keep comments in it and the space around."""
    if key not in own.texts:
        raise InputError(where, f"has no <{key}>", "Write it by hand, or remove the object")
    start, stop = own.texts[key][1]
    old = data[start:stop]
    if start == stop and not own.texts[key][0] and data[start - 1 : start] != b">":
        raise InputError(where, f"has an empty <{key}/>", "Write it by hand, or remove the object")
    before = old[: len(old) - len(old.lstrip())]
    after = old[len(old.rstrip()) :] if old.strip() else b""
    comments = b"".join(_COMMENT.findall(old))
    return start, stop, before + comments + value.encode("utf-8") + after


def _sides(change: Change, shift: float, whole: bool) -> list[str]:
    x1, y1, x2, y2 = change.box
    least = 1.0 if shift else 0.0
    values = [max(x1 + shift, least), max(y1 + shift, least), x2, y2]
    return [f"{value:.0f}" if whole else f"{value:.2f}" for value in values]


def _added(
    data: bytes,
    found: _Annotation,
    new: Sequence[Change],
    classes: Sequence[str],
    shift: float,
    whole: bool,
) -> tuple[int, int, bytes]:
    """Write new objects after the last one, indented as the file is."""
    at = found.end
    while at > 0 and data[at - 1 : at] in (b" ", b"\t"):
        at -= 1
    line = b"\r\n" if b"\r\n" in data else b"\n"
    end = line.decode()
    match = re.search(rb"\n([ \t]+)<", data)
    tab = match[1].decode() if match else "\t"
    parts = []
    for change in new:
        sides = "".join(
            f"{3 * tab}<{side}>{value}</{side}>{end}"
            for side, value in zip(_SIDES, _sides(change, shift, whole), strict=True)
        )
        name = escape(classes[change.label])
        parts.append(
            f"{tab}<object>{end}{2 * tab}<name>{name}</name>{end}"
            f"{2 * tab}<pose>Unspecified</pose>{end}{2 * tab}<truncated>0</truncated>{end}"
            f"{2 * tab}<difficult>0</difficult>{end}{2 * tab}<bndbox>{end}{sides}"
            f"{2 * tab}</bndbox>{end}{tab}</object>{end}"
        )
    begin = "" if data[at - 1 : at] == b"\n" else end
    return at, at, (begin + "".join(parts)).encode("utf-8")
