"""Tables with a row for each box: CSV, TSV, Parquet, and the CSV of Open Images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.files import replacing
from goldlabel.formats.numerals import NUMBER_OR_COMMA
from goldlabel.formats.tables import (
    delimited,
    read_table,
    write_columns,
    write_text,
)
from goldlabel.formats.text import TextFile
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.boxes import LARGEST
from goldlabel.tasks.detection.formats.listed import Change, Collector, Listed, short
from goldlabel.tasks.detection.formats.row_classes import is_number, name_column
from goldlabel.typing import Floats

__all__ = ["export", "looks_like", "read"]

_IMAGE = ("image", "image_id", "imageid", "filename", "file_name", "file", "path", "image_path")
_CLASS = (
    "class",
    "label",
    "labelname",
    "category",
    "class_name",
    "category_id",
    "class_id",
    "name",
)
_SCORE = ("score", "confidence", "conf", "prob", "probability")
_IGNORE = ("isgroupof", "iscrowd", "ignore", "difficult")
_CORNERS = (
    ("xmin", "ymin", "xmax", "ymax"),
    ("x1", "y1", "x2", "y2"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("left", "top", "right", "bottom"),
)
_SIZES = (
    ("x", "y", "width", "height"),
    ("x", "y", "w", "h"),
    ("left", "top", "width", "height"),
    ("bbox_x", "bbox_y", "bbox_width", "bbox_height"),
)
_RELATIVE = 1.5
"""Coordinates that are all no larger are shares of the image."""
_YES = {"1", "1.0", "true", "True", "yes"}


class _Columns(NamedTuple):
    image: str
    label: str
    box: tuple[str, str, str, str]
    has_sizes: bool
    score: str | None
    ignore: str | None


def looks_like(names: Sequence[str]) -> bool:
    """Return whether columns of these names hold boxes."""
    try:
        _columns(names, "")
    except InputError:
        return False
    return True


def _columns(names: Sequence[str], where: str) -> _Columns:
    """Find the columns by their names."""
    by_name = {name.strip().lower().replace(" ", "_"): name for name in reversed(names)}

    def first(options: Sequence[str]) -> str | None:
        return next((by_name[name] for name in options if name in by_name), None)

    image, label = first(_IMAGE), first(_CLASS)
    for has_sizes, options in ((False, _CORNERS), (True, _SIZES)):
        for box in options:
            if image and label and image != label and all(name in by_name for name in box):
                a, b, c, d = (by_name[name] for name in box)
                return _Columns(
                    image, label, (a, b, c, d), has_sizes, first(_SCORE), first(_IGNORE)
                )
    raise InputError(
        where,
        f"has the columns {', '.join(map(repr, names[:12]))}, and no box is known by these",
        "Name them image, class, x1, y1, x2, y2 (or x, y, width, height), and score",
    )


def read(path: Path, *, scored: bool, encoding: str | None = None) -> Listed:
    """Read a table of boxes.

    Parameters
    ----------
    path : Path
    scored : bool
        Whether these are predictions; what a column says of confidence means nothing otherwise.
    encoding : str, optional
    """
    table = read_table(path, encoding=encoding)
    frame = table.frame
    columns = _columns([str(name) for name in frame.columns], str(path))
    named_by = _class_names(frame, columns, path) if scored else columns.label
    notes = list(table.notes)
    if named_by != columns.label:
        notes.append(f"{named_by!r} names the classes that {columns.label!r} has the numbers of.")
        columns = columns._replace(label=named_by)
    if scored and columns.score is None:
        raise InputError(str(path), "has no column of scores", "Add one, called score")
    read, faults = zip(*(_numbers(frame, name) for name in columns.box), strict=True)
    corners = np.stack(read, axis=1)
    if columns.has_sizes:
        corners[:, 2:] += corners[:, :2]
    shares = (np.abs(corners) <= _RELATIVE).all(axis=1)
    is_relative = bool(np.count_nonzero(shares) > len(corners) / 2)
    scores = _scores(frame, columns.score, path) if scored and columns.score else None
    images = [str(value) for value in frame[columns.image]]
    labels = [str(value) for value in frame[columns.label]]
    ignored = (
        [] if columns.ignore is None else [str(value) in _YES for value in frame[columns.ignore]]
    )
    place = {name: at for at, name in enumerate(dict.fromkeys(images))}
    collector = Collector(str(path))
    for row, box in enumerate(corners.tolist()):
        where = f"{path}: row {row + 1}"
        if not images[row].strip() or (scored and not labels[row].strip()):
            name = columns.label if images[row].strip() else columns.image
            raise InputError(where, f"has no {name}", "Fill it in")
        fault = next((each[row] for each in faults if row in each), None)
        if fault is not None and scored:
            raise InputError(where, fault, "Mend the table")
        label = labels[row] if labels[row].strip() else None
        if fault is not None or label is None:
            code, what = (
                ("unknown-class", "has no class") if fault is None else ("bbox-format", fault)
            )
            collector.add_fault(place[images[row]], label, code, what, where=where)
            continue
        collector.add(
            place[images[row]], (box[0], box[1], box[2], box[3]), labels[row], where=where,
            score=None if scores is None else float(scores[row]),
            ignore=bool(ignored) and ignored[row] and not scored,
        )  # fmt: skip
    codes, is_named = _codes([each for each in labels if each.strip()])
    is_open_images = columns.image == "ImageID" and columns.label == "LabelName"
    source = replace(
        table.source,
        options={**table.source.options, "columns": columns._asdict(), "codes": codes},
    )
    units = "shares of the image" if is_relative else "pixels"
    kind = "Boxes are those of Open Images" if is_open_images else "Boxes are rows"
    note = f"{kind}: {', '.join(columns.box)} in {units}."
    return collector.listed(
        list(place), source, codes=codes, is_named=is_named, is_relative=is_relative,
        notes=[*notes, note],
    )  # fmt: skip


def _class_names(frame: pd.DataFrame, columns: _Columns, path: Path) -> str:
    """Return the column of class names, if the class is a number and there is one beside it."""
    by_name = {str(name).strip().lower().replace(" ", "_"): str(name) for name in frame.columns}
    taken = {columns.image, columns.label, columns.score, columns.ignore, *columns.box}
    others = [by_name[name] for name in _CLASS if by_name.get(name, columns.image) not in taken]
    return name_column(frame, columns.label, others, str(path))


def _numbers(frame: pd.DataFrame, name: str) -> tuple[Floats, dict[int, str]]:
    """Return a column as numbers, and what is wrong in which rows; text may have decimal commas."""
    values = np.zeros(len(frame))
    faults = {}
    for row, value in enumerate(frame[name].tolist()):
        text = value.strip().replace(",", ".") if isinstance(value, str) else value
        is_number = NUMBER_OR_COMMA.fullmatch(text) if isinstance(text, str) else (
            isinstance(text, int | float) and not isinstance(text, bool)
        )  # fmt: skip
        read = float(text) if is_number else math.nan
        if abs(read) <= LARGEST:
            values[row] = read
        else:
            faults[row] = (
                f"has {short(str(value))} in column {name!r}, which is no place in an image"
            )
    return values, faults


def _scores(frame: pd.DataFrame, name: str, path: Path) -> Floats:
    values, faults = _numbers(frame, name)
    if faults:
        row, what = next(iter(faults.items()))
        raise InputError(f"{path}: row {row + 1}", what, "Mend the table")
    return values


def _codes(labels: Sequence[str]) -> tuple[list[str], bool]:
    found = set(labels)
    if found and all(map(is_number, found)):
        return [str(at) for at in range(max(map(int, found)) + 1)], False
    return sorted(found), True


def export(source: Source, changes: Mapping[int, Sequence[Change]], out: Path) -> None:
    """Write the table again with rows changed, added and removed, and all else as it was."""
    table = read_table(
        source.files[0],
        format=source.format,
        **{
            name: source.options[name]
            for name in ("encoding", "delimiter", "quote", "header")
            if name in source.options
        },
    )
    columns = _Columns(
        **{**source.options["columns"], "box": tuple(source.options["columns"]["box"])}
    )
    images = [str(value) for value in table.frame[columns.image]]
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(images):
        rows.setdefault(name, []).append(row)
    names = source.options["images"]
    cells: dict[str, dict[int, object]] = {name: {} for name in (columns.label, *columns.box)}
    gone: list[int] = []
    new: list[dict[str, object]] = []
    style = _style(table.frame, columns)
    for image, wanted in sorted(changes.items()):
        for change in wanted:
            values = _written(change, source, columns, style)
            if change.action == "add":
                new.append({columns.image: names[image], **values})
            elif change.action == "remove":
                gone.append(rows[names[image]][change.part])
            else:
                row = rows[names[image]][change.part]
                new_names = [columns.label] if change.relabels else []
                for name in (*new_names, *(columns.box if change.moves else ())):
                    cells[name][row] = values[name]
    plain = {name: values for name, values in cells.items() if values}
    if source.format == "parquet" and (gone or new):
        _write_parquet(source, plain, gone, new, out)
    elif source.format == "parquet":
        write_columns(source, plain, out)
    else:
        write_text(source, out, lambda file: _changed(source, file, plain, gone, new))


def _style(frame: pd.DataFrame, columns: _Columns) -> tuple[bool, bool]:
    """Return whether coordinates are text, and whether they have decimal commas."""
    values = frame[columns.box[0]].tolist()
    is_text = bool(values) and isinstance(values[0], str)
    return is_text, is_text and any("," in value for value in values)


def _written(
    change: Change, source: Source, columns: _Columns, style: tuple[bool, bool]
) -> dict[str, object]:
    is_text, has_commas = style
    x1, y1, x2, y2 = change.box
    box = (x1, y1, x2 - x1, y2 - y1) if columns.has_sizes else (x1, y1, x2, y2)
    digits = 6 if max(map(abs, change.box), default=0) <= _RELATIVE else 2
    numbers: list[object] = [round(value, digits) for value in box]
    if is_text:
        numbers = [f"{value:.{digits}f}" for value in box]
    if has_commas:
        numbers = [str(value).replace(".", ",") for value in numbers]
    label = source.options["codes"][change.label]
    return {columns.label: label, **dict(zip(columns.box, numbers, strict=True))}


def _changed(
    source: Source,
    file: TextFile,
    cells: Mapping[str, Mapping[int, object]],
    gone: Sequence[int],
    new: Sequence[Mapping[str, object]],
) -> bytes:
    options = source.options
    if source.format == "jsonl":
        raise InputError(str(file.path), "is JSON Lines", "Convert it to CSV or Parquet first")
    style = {name: options.get(name) for name in ("delimiter", "header")}
    quote = options.get("quote", '"')
    scanned = delimited.scan(file, quote=quote, **style)
    data = delimited.with_changes(scanned, cells) if cells else file.data
    if gone:
        again = delimited.scan(replace(file, data=data), quote=quote, **style)
        starts = [*again.starts.tolist(), len(data)]
        removed = set(gone)
        kept = [data[: starts[0]]]
        kept += [data[a:b] for row, (a, b) in enumerate(pairwise(starts)) if row not in removed]
        data = b"".join(kept)
    end = b"\r\n" if b"\r\n" in file.data else b"\n"
    for entry in new:
        fields = [
            _field(str(entry.get(name, "")), scanned.delimiter, quote) for name in scanned.names
        ]
        data += b"" if data.endswith((b"\n", b"\r")) else end
        data += scanned.delimiter.join(fields).encode("utf-8") + end
    if new and not file.data.endswith((b"\n", b"\r")):
        data = data[: -len(end)]
    return data


def _field(text: str, delimiter: str, quote: str) -> str:
    if quote and any(each in text for each in (delimiter, quote, "\n", "\r")):
        return quote + text.replace(quote, quote + quote) + quote
    return text


def _write_parquet(
    source: Source,
    cells: Mapping[str, Mapping[int, object]],
    gone: Sequence[int],
    new: Sequence[Mapping[str, object]],
    out: Path,
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with replacing(out) as temporary:
        write_columns(source, cells, temporary)
        table = pq.read_table(temporary)
        kept = np.ones(len(table), dtype=np.bool_)
        kept[list(gone)] = False
        rows = {
            name: [_as(table.schema.field(name).type, entry.get(name)) for entry in new]
            for name in table.column_names
        }
        added = pa.table(
            [pa.array(rows[each.name], type=each.type) for each in table.schema],
            schema=table.schema,
        )
        pq.write_table(pa.concat_tables([table.filter(pa.array(kept)), added]), temporary)


def _as(kind: Any, value: object) -> object:
    """Return a value as a column of this type takes it."""
    import pyarrow as pa

    if value is None or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return None if value is None else str(value)
    if pa.types.is_integer(kind):
        return round(float(str(value)))
    return float(str(value)) if pa.types.is_floating(kind) else value
