"""Folders with a text file for each image and a line for each box: YOLO, and detectors' output.

YOLO: ``class centre-x centre-y width height [score]``, shares of the image. Plain text:
``class [score] x1 y1 x2 y2`` ("text"), ``class [score] x y width height`` ("text_xywh") in pixels,
or ``class [score] centre-x centre-y width height`` in shares ("text_cxcywh"). The class is a number
or a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from goldlabel.errors import InputError
from goldlabel.formats.numerals import NUMBER
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.boxes import LARGEST
from goldlabel.tasks.detection.formats.folders import copied, digest, files_of, read_bytes
from goldlabel.tasks.detection.formats.listed import Change, Collector, Listed, short
from goldlabel.tasks.detection.formats.names import class_file, names_of

__all__ = ["LAYOUTS", "export", "read"]

LAYOUTS = ("yolo", "text", "text_xywh", "text_cxcywh")
_NOT_LABELS = {"classes.txt", "obj.names", "train.txt", "val.txt", "test.txt", "readme.txt"}
_OTHERS = ("readme", "license", "requirements", "notes", "changelog", "classes")
"""So files begin that are no labels."""
_LEAST, _MOST = -0.5, 1.5
"""Coordinates that are shares of the image: rounding, and boxes over the border, pass 0 and 1."""
_MOSTLY = 0.9
_DIGITS = 40
"""A class number has no more characters."""

Box = tuple[float, float, float, float]


class _Line(NamedTuple):
    label: str
    box: Box
    score: float | None


class _Row(NamedTuple):
    """A line of a file that is not blank."""

    image: int
    where: str
    fields: list[str]


def read(
    folder: Path,
    layout: str | None,
    *,
    names: Path | None = None,
    told: Sequence[str] | None = None,
    scored: bool = False,
) -> Listed:
    """Read a folder of text files.

    Annotations that are no box, or of no class that is named, are findings.

    Parameters
    ----------
    folder : Path
    layout : {"yolo", "text", "text_xywh", "text_cxcywh"}, optional
        If not given, what most numbers look like.
    names : Path, optional
        File of class names; if not given, data.yaml, classes.txt or obj.names in, beside or above
        the folder.
    told : sequence of str, optional
        Class names that are known, in the order of their numbers; no file is sought then.
    scored : bool
        Whether these are predictions, in which every line has to be a box.

    Raises
    ------
    InputError
        There are no text files, or most lines are no boxes; says which.
    """
    files, rows, others = _label_files(folder)
    layout = layout or _guess(rows)
    named = names or (class_file(folder) if told is None else None)
    told = told if named is None else names_of(named)
    lines = [_line(row.fields, layout) for row in rows]
    codes, classes, is_named = _classes([each for each in lines if not isinstance(each, str)], told)
    collector = Collector(str(folder))
    for row, line in zip(rows, lines, strict=True):
        _add(collector, row, line, codes, scored, is_named)
    shown = {
        "yolo": "YOLO: centre and size in shares of the image",
        "text": "text: class, corners in pixels",
        "text_xywh": "text: class, left, top, width, height in pixels",
        "text_cxcywh": "text: class, centre and size in shares of the image",
    }[layout]
    with_scores = "" if not collector.scores else ", with scores"
    size = f"{len(files):,} files, {len(collector.boxes):,} boxes"
    notes = [f"Read {folder.name or folder} as {shown}{with_scores}; {size}."]
    polygons = sum(_is_polygon(row.fields, layout) for row in rows)
    if polygons:
        notes.append(f"{polygons:,} polygons are taken as the boxes around them.")
    if others:
        notes.append(f"Passed over, as no line in them is a box: {', '.join(others[:5])}.")
    if named is not None:
        notes.append(f"Class names are those of {named.name}.")
    options = {
        "layout": layout,
        "extension": ".txt",
        "sha256": digest(folder, files_of(folder, ".txt")),
        "files": [path.as_posix() for path in files],
        "codes": list(codes.values()),
    }
    return collector.listed(
        [path.as_posix() for path in files],
        Source(
            "yolo" if layout == "yolo" else "text",
            (folder,),
            options,
            () if named is None else (named,),
        ),
        codes=list(codes),
        classes=classes,
        is_named=is_named,
        is_relative=layout in ("yolo", "text_cxcywh"),
        notes=notes,
    )


def label_files(folder: Path) -> list[Path]:
    """Return the text files of a folder that can hold boxes."""
    files = files_of(folder, ".txt")
    return [path for path in files if path.name.lower() not in _NOT_LABELS]


def _label_files(folder: Path) -> tuple[list[Path], list[_Row], list[str]]:
    """Return the files of boxes, their lines, and names of other text files.

    A file without any line that can be a box is none if it is called as such files are, or is the
    only one of its folder; among label files it is one that is broken.
    """
    texts = [(path, _lines(folder, path)) for path in label_files(folder)]
    can_be = [any(map(_can_be_box, fields)) for _, fields in texts]
    folders = {path.parent for (path, _), fits in zip(texts, can_be, strict=True) if fits}
    files: list[Path] = []
    rows: list[_Row] = []
    others: list[str] = []
    for (path, fields), fits in zip(texts, can_be, strict=True):
        is_other = path.parent not in folders or path.name.lower().startswith(_OTHERS)
        if fields and not fits and (is_other and folders):
            others.append(path.as_posix())
            continue
        rows += [
            _Row(len(files), f"{folder / path}: line {at}", each)
            for at, each in enumerate(fields, start=1)
            if each
        ]
        files.append(path)
    if not files:
        raise InputError(str(folder), "has no text files with boxes", "Name the folder of labels")
    return files, rows, others


def _lines(folder: Path, path: Path) -> list[list[str]]:
    """Return the fields of each line."""
    try:
        text = read_bytes(folder / path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            str(folder / path), f"is not UTF-8 text ({error.reason})", "Save it as UTF-8"
        ) from error
    return [line.split() for line in text.splitlines()]


def _can_be_box(fields: Sequence[str]) -> bool:
    return len(fields) >= 5 and all(map(_is_number, fields[1:5]))


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None


def _is_polygon(fields: Sequence[str], layout: str) -> bool:
    """Say whether a line is a class and three points or more, and a score where there is one."""
    return layout == "yolo" and len(fields) > 6


def _guess(rows: Sequence[_Row]) -> str:
    """Say of which layout most lines look: shares are YOLO's, pixels are corners or sizes."""
    numbers = [
        list(map(float, row.fields[1:])) for row in rows if all(map(_is_number, row.fields[1:]))
    ]
    if not numbers:
        return "yolo"
    shares = [all(_LEAST <= value <= _MOST for value in each) for each in numbers]
    if sum(shares) > len(numbers) / 2:
        return "yolo"
    boxes = [each[-4:] for each in numbers if len(each) in (4, 5)]
    corners = [x2 >= x1 and y2 >= y1 for x1, y1, x2, y2 in boxes]
    return "text" if sum(corners) > _MOSTLY * len(corners) or not corners else "text_xywh"


def _line(fields: Sequence[str], layout: str) -> _Line | str:
    """Return what a line says, or what is wrong with it."""
    bad = next((text for text in fields[1:] if not _is_number(text)), None)
    if bad is not None:
        return f"has {short(bad)} where a number is expected"
    numbers = list(map(float, fields[1:]))
    if any(not abs(value) <= LARGEST for value in numbers):
        return f"has the number {short(max(fields[1:], key=len))}, which no image has"
    score = None
    if _is_polygon(fields, layout):
        score = numbers.pop() if len(numbers) % 2 else None
        x, y = numbers[::2], numbers[1::2]
        return _Line(fields[0], (min(x), min(y), max(x), max(y)), score)
    if len(numbers) not in (4, 5):
        return (
            f"has {len(fields)} fields, not a class, four numbers, and a score where there is one"
        )
    if len(numbers) == 5:
        score = numbers.pop(-1 if layout == "yolo" else 0)
    a, b, c, d = numbers
    if layout == "text":
        return _Line(fields[0], (a, b, c, d), score)
    if layout == "text_xywh":
        return _Line(fields[0], (a, b, a + c, b + d), score)
    if max(c, d) > _MOST:
        return f"has a box of {c:g} x {d:g}, and shares are no larger than 1"
    return _Line(fields[0], (a - c / 2, b - d / 2, a + c / 2, b + d / 2), score)


def _add(
    collector: Collector,
    row: _Row,
    line: _Line | str,
    codes: Mapping[str, str],
    scored: bool,
    is_named: bool,
) -> None:
    """Add what a line says, a box or an annotation that is none."""
    label = _canonical(row.fields[0])
    known = label if label in codes else None
    if isinstance(line, str):
        if scored:
            fix = "Mend the line; or name another format, where the units are others"
            raise InputError(row.where, line, fix)
        collector.add_fault(row.image, known, "bbox-format", line, where=row.where)
    elif known is None:
        what = f"is of {short(row.fields[0])}, and {', '.join(list(codes)[:10])} are the classes"
        if scored:
            raise InputError(row.where, what, "Name every class")
        near = get_close_matches(label, list(codes), 1) if is_named else []
        collector.add_fault(
            row.image, None, "unknown-class", what, where=row.where, box=line.box,
            suggested=near[0] if near else None,
        )  # fmt: skip
    else:
        collector.add(row.image, line.box, label, where=row.where, score=line.score)


def _canonical(code: str) -> str:
    """Return a class number as it is counted: 7 of 07 and 7.0."""
    if len(code) <= _DIGITS and _is_number(code) and float(code).is_integer() and float(code) >= 0:
        return str(int(float(code)))
    return code


def _classes(
    lines: Sequence[_Line], told: Sequence[str] | None
) -> tuple[dict[str, str], list[str], bool]:
    """Return how each class is written in the files, names of classes, and whether it has them."""
    written: dict[str, str] = {}
    for line in lines:
        written.setdefault(_canonical(line.label), line.label)
    numbers = [int(code) for code in written if re.fullmatch(r"\d{1,6}", code)]
    if len(numbers) > len(written) / 2 or not written:
        count = max([-1, *numbers]) + 1 if told is None else len(told)
        codes = [str(at) for at in range(count)]
        return {code: written.get(code, code) for code in codes}, list(told or codes), bool(told)
    codes = sorted(written) if told is None else list(told)
    return {code: written.get(code, code) for code in codes}, codes, True


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
        return mark + ("".join(kept) + end.join(new)).encode("utf-8")
    return mark + ("".join(kept) + "".join(line + end for line in new)).encode("utf-8")


def _changed_line(line: str, change: Change, layout: str, codes: Sequence[str]) -> str:
    line = _moved(line, change.box, layout) if change.moves else line
    if not change.relabels:
        return line
    start = len(line) - len(line.lstrip())
    return line[:start] + codes[change.label] + line[start + len(line.split()[0]) :]


def _moved(line: str, box: Box, layout: str) -> str:
    fields = list(re.finditer(r"\S+", line))
    if len(fields) not in (5, 6):  # a polygon, or what is no box
        return line[: fields[0].end()] + f" {_written(box, layout, None)}" + _end(line)
    numbers = fields[1:5] if layout == "yolo" or len(fields) == 5 else fields[2:6]
    texts = [each.group() for each in numbers]
    written = _written(box, layout, texts)
    return line[: numbers[0].start()] + written + line[numbers[-1].end() :]


def _end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


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
