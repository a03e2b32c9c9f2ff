"""Exports of Label Studio whose annotations are rectangles, in percent of the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.json.text import edited_entries, elements, members, place, quoted, spliced
from goldlabel.formats.label_studio import (
    counting,
    edited,
    looks_like,
    picture_name,
    read_export,
)
from goldlabel.formats.tables import write_text
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.formats.listed import Change, Collector, Listed, number

__all__ = ["export", "looks_like", "read"]

_SIDES = ("x", "y", "width", "height")
_TYPE = "rectanglelabels"


def read(path: Path, *, encoding: str | None = None) -> Listed:
    """Read an export; of several annotations of a task the ground truth counts, else the first.

    Raises
    ------
    InputError
        The file is no such export, or a rectangle is none; says which task.
    """
    content = read_export(path, encoding=encoding)
    file, tasks = content
    collector = Collector(str(path))
    sizes = np.full((len(tasks), 2), np.nan)
    turned = 0
    for at, task in enumerate(tasks):
        for _, result in _rectangles(task):
            where = f"{content.where(at)}, rectangle {len(collector.boxes) + 1}"
            box, is_turned = _corners(result, where)
            turned += is_turned
            collector.add(at, box, _label(result, where), where=where, ignore=is_turned)
            sides = [result.get(f"original_{side}") for side in ("width", "height")]
            if all(isinstance(side, int | float) and side > 0 for side in sides):
                sizes[at] = sides
    codes = sorted(set(collector.labels))
    size = f"{len(tasks):,} tasks, {len(collector.boxes):,} rectangles"
    notes = [f"Read {path.name} as an export of Label Studio: {size}."]
    if turned:
        notes.append(f"{turned:,} turned rectangles are not judged.")
    options = {"encoding": file.encoding, "sha256": file.sha256, "codes": codes}
    return collector.listed(
        [picture_name(task, at) for at, task in enumerate(tasks)],
        Source("label_studio", (path,), options),
        codes=codes,
        is_relative=True,
        ids=[task.get("id", at) for at, task in enumerate(tasks)],
        sizes=sizes,
        notes=notes,
    )


def _rectangles(task: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    """Return position and result of each rectangle of a task."""
    annotation = counting(task)
    return [
        (at, result)
        for at, result in enumerate(() if annotation is None else annotation.results)
        if isinstance(result, dict)
        and result.get("type") == _TYPE
        and isinstance(result.get("value"), dict)
    ]


def _label(result: Mapping[str, Any], where: str) -> str:
    labels = result["value"].get(_TYPE)
    if not isinstance(labels, list) or len(labels) != 1 or not isinstance(labels[0], str):
        raise InputError(where, f"has the labels {labels!r}", "Give each rectangle one label")
    return labels[0]


def _corners(
    result: Mapping[str, Any], where: str
) -> tuple[tuple[float, float, float, float], bool]:
    value = result["value"]
    x, y, width, height = (number(value.get(side), where, side) / 100.0 for side in _SIDES)
    turned = value.get("rotation", 0)
    return (x, y, x + width, y + height), bool(turned)


def export(source: Source, changes: Mapping[int, Sequence[Change]], out: Path) -> None:
    """Write the export again with rectangles changed, added and removed, all else as it was."""
    codes = source.options["codes"]
    edits = {
        at: partial(_changed_task, each, codes, f"{source.files[0]}: task {at + 1}")
        for at, each in changes.items()
    }
    write_text(source, out, lambda file: edited(file, edits))


def _changed_task(
    changes: Sequence[Change],
    codes: Sequence[str],
    where: str,
    task: Mapping[str, Any],
    text: str,
) -> str:
    annotation = counting(task)
    if annotation is None:
        raise InputError(where, "has no annotation to change", "Leave it out")
    start, stop = place(text, annotation.path)
    spans = [text[first:last] for _, first, last in elements(text, start)]
    rows = [row for row, _ in _rectangles(task)]
    changed: dict[int, str] = {}
    removed, added = set(), []
    for change in changes:
        if change.action == "add":
            added.append(quoted(_new(change, annotation.results, codes), text))
        elif change.action == "remove":
            removed.add(rows[change.part])
        else:
            row = rows[change.part]
            changed[row] = _edited(changed.get(row, spans[row]), change, codes)
    results = edited_entries(text[start:stop], changed, drop=removed, add=added)
    return text[:start] + results + text[stop:]


def _percent(change: Change) -> dict[str, float]:
    x1, y1, x2, y2 = change.box
    values = (x1, y1, x2 - x1, y2 - y1)
    return {side: round(100 * value, 4) for side, value in zip(_SIDES, values, strict=True)}


def _edited(text: str, change: Change, codes: Sequence[str]) -> str:
    """Return the text of a result with another label or other sides."""
    start, stop = place(text, ("value",))
    value = text[start:stop]
    new: dict[str, Any] = (
        {_TYPE: [codes[change.label]]} if change.action == "relabel" else dict(_percent(change))
    )
    edits = [
        (first, last, quoted(new[key], text))
        for key, _, first, last in members(value)
        if key in new
    ]
    return text[:start] + spliced(value, edits) + text[stop:]


def _new(change: Change, results: Sequence[Any], codes: Sequence[str]) -> dict[str, Any]:
    like: Mapping[str, Any] = next(
        (each for each in results if isinstance(each, dict) and each.get("type") == _TYPE), {}
    )
    shared = ("original_width", "original_height", "image_rotation", "from_name", "to_name")
    return {
        **{key: like[key] for key in shared if key in like},
        "type": _TYPE,
        "value": {**_percent(change), "rotation": 0, _TYPE: [codes[change.label]]},
    }
