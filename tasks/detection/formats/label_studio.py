"""Exports of Label Studio whose annotations are rectangles, in percent of the image."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.json.text import edited_entries, elements, members, place, quoted, spliced
from goldlabel.formats.label_studio import (
    counting,
    edited,
    is_short,
    looks_like,
    picture_name,
    read_export,
    task_id,
)
from goldlabel.formats.tables import write_text
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.boxes import LARGEST
from goldlabel.tasks.detection.formats.listed import Change, Collector, Listed, number

__all__ = ["export", "looks_like", "read"]

_SIDES = ("x", "y", "width", "height")
_TYPES = ("rectanglelabels", "labels")
"""Results that are rectangles with labels: of RectangleLabels, of Labels beside Rectangle."""
_BARE = "rectangle"


class _Rectangle(NamedTuple):
    """A rectangle of a task: its position among the results, the result, and its labels."""

    row: int
    result: Mapping[str, Any]
    labels: list[str]


def read(path: Path, *, encoding: str | None = None) -> Listed:
    """Read an export; of several annotations of a task the ground truth counts, else the first.

    Rectangles that are turned, or have not one label, are there and not judged. Of tasks without
    an annotation nothing is known.

    Raises
    ------
    InputError
        The file is no such export, or a rectangle is none; says which task.
    """
    content = read_export(path, encoding=encoding)
    file, tasks = content
    each_task = [_rectangles(task) for task in tasks]
    codes = sorted({label for found in each_task for each in found for label in each.labels})
    _check_rectangles(path, tasks, codes)
    collector = Collector(str(path))
    sizes = np.full((len(tasks), 2), np.nan)
    turned = 0
    unlabeled: list[str] = []
    for at, rectangles in enumerate(each_task):
        for each in rectangles:
            where = f"{content.where(at)}, rectangle {len(collector.boxes) + 1}"
            box, is_turned = _corners(each.result, where)
            turned += is_turned
            unlabeled += [] if len(each.labels) == 1 else [where.rpartition(": ")[2]]
            label = (each.labels or codes)[0]
            ignore = is_turned or len(each.labels) != 1
            collector.add(at, box, label, where=where, ignore=ignore)
            sides = [each.result.get(f"original_{side}") for side in ("width", "height")]
            if all(isinstance(side, int | float) and 0 < side < LARGEST for side in sides):
                sizes[at] = sides
    unknown = [counting(task) is None for task in tasks]
    every, none = frozenset(range(len(codes))), frozenset[int]()
    options = {"encoding": file.encoding, "sha256": file.sha256, "codes": codes}
    return collector.listed(
        [picture_name(task, at) for at, task in enumerate(tasks)],
        Source("label_studio", (path,), options),
        codes=codes,
        is_relative=True,
        ids=[task_id(task, at) for at, task in enumerate(tasks)],
        sizes=sizes,
        notes=_notes(path, len(tasks), len(collector.boxes), turned, unlabeled, sum(unknown)),
        looked_for=tuple((none if each else every, none) for each in unknown)
        if any(unknown)
        else None,
    )


def _notes(
    path: Path, tasks: int, boxes: int, turned: int, unlabeled: Sequence[str], unknown: int
) -> list[str]:
    notes = [
        f"Read {path.name} as an export of Label Studio: {tasks:,} tasks, {boxes:,} rectangles."
    ]
    if turned:
        notes.append(f"{turned:,} turned rectangles are not judged.")
    if unlabeled:
        shown = "; ".join(unlabeled[:5])
        notes.append(
            f"{len(unlabeled):,} rectangles have not one label, and are not judged: {shown}."
        )
    if unknown:
        notes.append(f"{unknown:,} tasks have no annotation: nothing is known of their images.")
    return notes


def _check_rectangles(path: Path, tasks: Sequence[Mapping[str, Any]], codes: Sequence[str]) -> None:
    """Refuse an export whose results are others than rectangles with labels."""
    if codes:
        return
    kinds = sorted(
        {
            str(result.get("type"))
            for task in tasks
            for annotation in [counting(task)]
            for result in (() if annotation is None else annotation.results)
            if isinstance(result, dict)
        }
    )
    if kinds or is_short(tasks[0]):
        what = f"only {', '.join(kinds[:10])}" if kinds else "it is the short form"
        raise InputError(
            str(path), f"has no rectangle with a label, {what}", "Export rectangles as JSON"
        )


def _rectangles(task: Mapping[str, Any]) -> list[_Rectangle]:
    """Return the rectangles of a task, with and without labels."""
    annotation = counting(task)
    rectangles: list[_Rectangle] = []
    for at, result in enumerate(() if annotation is None else annotation.results):
        value = result.get("value") if isinstance(result, dict) else None
        if not isinstance(value, dict) or not any(side in value for side in _SIDES):
            continue
        kind = str(result.get("type"))
        if kind in (*_TYPES, _BARE):
            labels = value.get(kind)
            texts = [each for each in labels if isinstance(each, str)] if (
                isinstance(labels, list)
            ) else []  # fmt: skip
            rectangles.append(_Rectangle(at, result, texts))
    labeled = {str(each.result.get("id")) for each in rectangles if each.labels}
    return [
        each
        for each in rectangles
        if each.result.get("type") != _BARE or str(each.result.get("id")) not in labeled
    ]


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
    rows = [each.row for each in _rectangles(task)]
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
    kind = next((kind for kind in _TYPES if kind in json.loads(value)), _TYPES[0])
    new: dict[str, Any] = {kind: [codes[change.label]]} if change.relabels else {}
    new |= _percent(change) if change.moves else {}
    edits = [
        (first, last, quoted(new[key], text))
        for key, _, first, last in members(value)
        if key in new
    ]
    return text[:start] + spliced(value, edits) + text[stop:]


def _new(change: Change, results: Sequence[Any], codes: Sequence[str]) -> dict[str, Any]:
    like: Mapping[str, Any] = next(
        (each for each in results if isinstance(each, dict) and each.get("type") in _TYPES), {}
    )
    kind = str(like.get("type", _TYPES[0]))
    shared = ("original_width", "original_height", "image_rotation", "from_name", "to_name")
    return {
        **{key: like[key] for key in shared if key in like},
        "type": kind,
        "value": {**_percent(change), "rotation": 0, kind: [codes[change.label]]},
    }
