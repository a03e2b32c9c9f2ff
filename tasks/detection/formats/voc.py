"""Folders of Pascal VOC XML: a file for each image, with its objects."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
from goldlabel.tasks.detection.formats.listed import IMAGES, Change, Collector, Listed
from goldlabel.tasks.detection.formats.names import names_of

__all__ = ["export", "read"]

_SIDES = ("xmin", "ymin", "xmax", "ymax")
_DEPTH = 100

Place = tuple[int, int]


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
    encoding: str = "utf-8"


class _Reader:
    """Follows the elements of a file with expat; nothing outside of the file is ever read."""

    def __init__(self, data: bytes, where: str) -> None:
        self.found = _Annotation()
        self._where = where
        self._path: list[str] = []
        self._text: list[str] = []
        self._begin: int | None = None
        self._parser = parser = expat.ParserCreate()
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        parser.CharacterDataHandler = self._characters
        parser.XmlDeclHandler = self._declared
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

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        self.found.encoding = encoding or "utf-8"

    def _open(self, name: str, attributes: Mapping[str, str]) -> None:
        self._path.append(name)
        if len(self._path) == 1 and name != "annotation":
            raise InputError(self._where, f"is of <{name}>, not of <annotation>", "Name VOC files")
        if len(self._path) > _DEPTH:
            raise InputError(self._where, "is nested too deep", "Mend it")
        if self._path == ["annotation", "object"]:
            self.found.objects.append(_Object(self._parser.CurrentByteIndex))
        self._text, self._begin = [], None

    def _characters(self, text: str) -> None:
        if self._begin is None:
            self._begin = self._parser.CurrentByteIndex
        self._text.append(text)

    def _close(self, name: str) -> None:
        at = self._parser.CurrentByteIndex
        path, text = self._path, "".join(self._text)
        key = "/".join(path[1:])
        if path[:2] == ["annotation", "object"] and self.found.objects:
            own = self.found.objects[-1]
            if len(path) == 2:
                own.stop = at + len("</object>")
            else:
                own.texts.setdefault("/".join(path[2:]), (text, (self._begin or at, at)))
        elif len(path) == 1:
            self.found.end = at
        else:
            self.found.texts.setdefault(key, text.strip())
        self._path.pop()
        self._text, self._begin = [], None


def _parsed(path: Path) -> _Annotation:
    return _Reader(read_bytes(path), str(path)).found


def read(folder: Path, *, names: Path | None = None) -> Listed:
    """Read a folder of VOC files; classes are the names that occur, sorted.

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
    collector = Collector(str(folder))
    boxes = [
        (
            image,
            each,
            _box(each, f"{folder / path}: object {at + 1}"),
            f"{folder / path}: object {at + 1}",
        )
        for image, path, found in rows
        for at, each in enumerate(found.objects)
    ]
    from_one = all(min(box[:2]) >= 1 for _, _, box, _ in boxes)
    shift = 1.0 if from_one else 0.0
    for image, each, (x1, y1, x2, y2), where in boxes:
        flag = each.texts.get("difficult", ("0", (0, 0)))[0].strip()
        collector.add(
            image, (x1 - shift, y1 - shift, x2, y2), _name(each, where),
            where=where, ignore=flag in ("1", "true", "True"),
        )  # fmt: skip
    classes = sorted(set(collector.labels)) if names is None else list(names_of(names))
    unknown = sorted(set(collector.labels) - set(classes))
    if unknown:
        raise InputError(
            str(folder),
            f"has objects called {unknown[0]!r}, which is not named",
            "Name every class",
        )
    difficult = sum(collector.ignore)
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


def _name(each: _Object, where: str) -> str:
    name = each.texts.get("name", ("", (0, 0)))[0].strip()
    if not name:
        raise InputError(where, "has no name", "Write <name> into it")
    return name


def _box(each: _Object, where: str) -> tuple[float, float, float, float]:
    values = []
    for side in _SIDES:
        text = each.texts.get(f"bndbox/{side}", ("", (0, 0)))[0].strip()
        if not NUMBER.fullmatch(text) or abs(float(text)) > LARGEST:
            what = f"has {text!r} for {side}" if text else f"has no {side}"
            raise InputError(where, what, "Write <bndbox> with four numbers")
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
    found = _Reader(data, where).found
    whole = all(
        each.texts[f"bndbox/{side}"][0].strip().lstrip("+-").isdigit()
        for each in found.objects
        for side in _SIDES
    )
    edits: list[tuple[int, int, bytes]] = []
    new = []
    for change in wanted:
        if change.action == "add":
            new.append(change)
            continue
        own = found.objects[change.part]
        if change.action == "remove":
            start = own.start
            while start > 0 and data[start - 1 : start] in (b" ", b"\t"):
                start -= 1
            stop = own.stop
            if data[stop : stop + 2] == b"\r\n":
                stop += 2
            elif data[stop : stop + 1] == b"\n":
                stop += 1
            edits.append((start, stop, b""))
        elif change.action == "relabel":
            text, place = own.texts["name"]
            edits.append(_swap(text, place, escape(classes[change.label]), found.encoding))
        else:
            for side, value in zip(_SIDES, _sides(change, shift, whole), strict=True):
                text, place = own.texts[f"bndbox/{side}"]
                edits.append(_swap(text, place, value, found.encoding))
    if new:
        edits.append(_added(data, found, new, classes, shift, whole))
    for start, stop, piece in sorted(edits, reverse=True):
        data = data[:start] + piece + data[stop:]
    return data


def _swap(text: str, place: Place, value: str, encoding: str) -> tuple[int, int, bytes]:
    """Replace a text and keep the space around it."""
    before = text[: len(text) - len(text.lstrip())]
    after = text[len(text.rstrip()) :] if text.strip() else ""
    return place[0], place[1], f"{before}{value}{after}".encode(encoding, "xmlcharrefreplace")


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
    return at, at, (begin + "".join(parts)).encode(found.encoding, "xmlcharrefreplace")
