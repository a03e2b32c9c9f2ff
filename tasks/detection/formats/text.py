"""Folders with a text file for each image and a line for each box: YOLO, and detectors' output.

YOLO: ``class centre-x centre-y width height [score]``, shares of the image. Plain text:
``class [score] x1 y1 x2 y2`` ("text"), ``class [score] x y width height`` ("text_xywh") in pixels,
or ``class [score] centre-x centre-y width height`` in shares ("text_cxcywh"). The class is a number
or a name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from goldlabel.errors import InputError
from goldlabel.formats.numerals import NUMBER
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.boxes import LARGEST
from goldlabel.tasks.detection.formats.folders import copied, digest, files_of, read_bytes
from goldlabel.tasks.detection.formats.listed import Change, Collector, Listed
from goldlabel.tasks.detection.formats.names import class_file, names_of

__all__ = ["LAYOUTS", "export", "read"]

LAYOUTS = ("yolo", "text", "text_xywh", "text_cxcywh")
_NOT_LABELS = {"classes.txt", "obj.names", "train.txt", "val.txt", "test.txt", "readme.txt"}
_SAMPLE = 200

Box = tuple[float, float, float, float]


class _Line(NamedTuple):
    label: str
    box: Box
    score: float | None


def read(folder: Path, layout: str | None, *, names: Path | None = None) -> Listed:
    """Read a folder of text files.

    Parameters
    ----------
    folder : Path
    layout : {"yolo", "text", "text_xywh", "text_cxcywh"}, optional
        If not given, what the numbers look like.
    names : Path, optional
        File of class names; if not given, data.yaml, classes.txt or obj.names in or beside the
        folder.

    Raises
    ------
    InputError
        There are no text files, or a line is no box; says which.
    """
    files = files_of(folder, ".txt", _NOT_LABELS)
    if not files:
        raise InputError(str(folder), "has no text files with boxes", "Name the folder of labels")
    lines = [(image, *each) for image, path in enumerate(files) for each in _lines(folder, path)]
    layout = layout or _guess(folder, lines)
    collector = Collector(str(folder))
    seen: dict[str, None] = {}
    for image, where, fields in lines:
        line = _line(fields, layout, where)
        seen.setdefault(line.label)
        collector.add(image, line.box, line.label, where=where, score=line.score)
    named = names or class_file(folder)
    told = None if named is None else names_of(named)
    codes, classes, is_named = _classes(seen, told, folder)
    shown = {
        "yolo": "YOLO: centre and size in shares of the image",
        "text": "text: class, corners in pixels",
        "text_xywh": "text: class, left, top, width, height in pixels",
        "text_cxcywh": "text: class, centre and size in shares of the image",
    }[layout]
    scored = "" if not collector.scores else ", with scores"
    size = f"{len(files):,} files, {len(collector.boxes):,} boxes"
    note = f"Read {folder.name or folder} as {shown}{scored}; {size}."
    notes = [note]
    if named is not None:
        notes.append(f"Class names are those of {named.name}.")
    options = {
        "layout": layout,
        "extension": ".txt",
        "sha256": digest(folder, files_of(folder, ".txt")),
        "files": [path.as_posix() for path in files],
        "codes": codes,
    }
    inputs = () if named is None else (named,)
    return collector.listed(
        [path.as_posix() for path in files],
        Source("yolo" if layout == "yolo" else "text", (folder,), options, inputs),
        codes=codes,
        classes=classes,
        is_named=is_named,
        is_relative=layout in ("yolo", "text_cxcywh"),
        notes=notes,
    )


def _lines(folder: Path, path: Path) -> list[tuple[str, list[str]]]:
    try:
        text = read_bytes(folder / path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            str(folder / path), f"is not UTF-8 text ({error.reason})", "Save it as UTF-8"
        ) from error
    return [
        (f"{folder / path}: line {at}", line.split())
        for at, line in enumerate(text.splitlines(), start=1)
        if line.strip()
    ]


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None


def _guess(folder: Path, lines: Sequence[tuple[int, str, list[str]]]) -> str:
    """Say of which layout lines look: shares are YOLO's, pixels are corners or sizes."""
    sample = [fields for _, _, fields in lines]
    rows = []
    for fields in sample:
        if len(fields) not in (5, 6) or not all(map(_is_number, fields[1:])):
            return "yolo" if len(fields) > 6 else "text"  # _line says what is wrong
        rows.append([float(each) for each in fields[1:]])
    if all(0 <= value <= 1.0 for row in rows for value in row[:4] + row[-1:]):
        return "yolo"
    boxes = [row[-4:] for row in rows]
    return "text" if all(x2 >= x1 and y2 >= y1 for x1, y1, x2, y2 in boxes) else "text_xywh"


def _line(fields: list[str], layout: str, where: str) -> _Line:
    if len(fields) not in (5, 6):
        what = f"has {len(fields)} fields"
        fix = "Write a class, four numbers, and a score where there is one"
        if layout == "yolo" and len(fields) > 6 and len(fields) % 2:
            what += ", as polygons have"
            fix = "Turn polygons into boxes: this audit is of boxes"
        raise InputError(where, what, fix)
    numbers = [_number(text, where) for text in fields[1:]]
    score = None
    if len(numbers) == 5:
        score = numbers.pop(-1 if layout == "yolo" else 0)
    a, b, c, d = numbers
    if layout == "text":
        return _Line(fields[0], (a, b, c, d), score)
    if c < 0 or d < 0:
        raise InputError(where, f"has a box of {c:g} x {d:g}", "Sizes are not negative")
    if layout == "text_xywh":
        return _Line(fields[0], (a, b, a + c, b + d), score)
    if max(c, d) > 1.5:
        raise InputError(
            where, f"has a box of {c:g} x {d:g}, and shares are no larger than 1",
            "Divide by the size of the image, or name another format",
        )  # fmt: skip
    return _Line(fields[0], (a - c / 2, b - d / 2, a + c / 2, b + d / 2), score)


def _number(text: str, where: str) -> float:
    if not _is_number(text):
        raise InputError(where, f"has {text!r} where a number is expected", "Mend the line")
    value = float(text)
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise InputError(where, f"has the number {text}, which no image has", "Mend the line")
    return value


def _classes(
    seen: Mapping[str, Any], told: Sequence[str] | None, folder: Path
) -> tuple[list[str], list[str], bool]:
    """Return what the files call each class, names of them, and whether these are names."""
    if all(re.fullmatch(r"\d{1,6}", code) for code in seen):
        numbers = sorted({int(code) for code in seen})
        count = max([-1, *numbers]) + 1 if told is None else len(told)
        if numbers and numbers[-1] >= count:
            raise InputError(
                str(folder),
                f"has boxes of class {numbers[-1]}, and {count} classes are named, from 0 on",
                "Name every class",
            )
        written = {int(code): code for code in seen}  # as 7 is, or 07
        codes = [written.get(at, str(at)) for at in range(count)]
        if len({int(code) for code in seen}) < len(seen):
            raise InputError(str(folder), "writes one class number in two ways", "Write it in one")
        return codes, list(told or codes), told is not None
    codes = sorted(seen)
    if told is not None:
        unknown = [code for code in codes if code not in told]
        if unknown:
            raise InputError(
                str(folder), f"has boxes of {unknown[0]!r}, which is not named", "Name every class"
            )
        codes = list(told)
    return codes, codes, True


def export(source: Source, changes: Mapping[int, Sequence[Change]], out: Path) -> None:
    """Copy the folder with lines changed, added and removed, and all else as it was."""
    layout, codes = source.options["layout"], source.options["codes"]

    def edited(data: bytes, wanted: Sequence[Change], where: str, image: int) -> bytes:
        return _edited(data, wanted, layout, codes)

    copied(source, out, changes, edited, extension=".txt", others=_NOT_LABELS)


def _edited(data: bytes, wanted: Sequence[Change], layout: str, codes: Sequence[str]) -> bytes:
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    lines = data[len(mark) :].decode("utf-8").splitlines(keepends=True)
    boxes = [at for at, line in enumerate(lines) if line.strip()]
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    new, gone = [], set()
    for change in wanted:
        if change.action == "add":
            new.append(f"{codes[change.label]} {_written(change.box, layout, None)}")
        elif change.action == "remove":
            gone.add(boxes[change.part])
        else:
            at = boxes[change.part]
            lines[at] = _changed_line(lines[at], change, layout, codes)
    kept = [line for at, line in enumerate(lines) if at not in gone]
    if new and kept and not kept[-1].endswith(("\n", "\r")):
        kept[-1] += end
        new[-1:] = [new[-1]]
        return mark + ("".join(kept) + end.join(new)).encode("utf-8")
    return mark + ("".join(kept) + "".join(line + end for line in new)).encode("utf-8")


def _changed_line(line: str, change: Change, layout: str, codes: Sequence[str]) -> str:
    fields = list(re.finditer(r"\S+", line))
    if change.action == "relabel":
        first = fields[0]
        return line[: first.start()] + codes[change.label] + line[first.end() :]
    numbers = fields[1:5] if layout == "yolo" or len(fields) == 5 else fields[2:6]
    texts = [each.group() for each in numbers]
    written = _written(change.box, layout, texts)
    return line[: numbers[0].start()] + written + line[numbers[-1].end() :]


def _written(box: Box, layout: str, like: Sequence[str] | None) -> str:
    """Return four numbers of a box with as many decimals as the ones that they replace."""
    x1, y1, x2, y2 = box
    values = {
        "text": (x1, y1, x2, y2),
        "text_xywh": (x1, y1, x2 - x1, y2 - y1),
    }.get(layout, ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1))
    usual = 6 if layout in ("yolo", "text_cxcywh") else 2
    decimals = [len(text.partition(".")[2]) for text in like or ()]
    digits = max(decimals, default=usual)
    digits = digits if layout in ("text", "text_xywh") else min(max(digits, 6), 12)
    return " ".join(f"{value:.{digits}f}" for value in values)
