"""Exports of Label Studio whose annotations are rectangles, in percent of the image."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.json.text import (
    edited_list,
    elements,
    kind_of,
    members,
    parse,
    spliced,
)
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.formats.listed import Change, Collector, Listed, number

__all__ = ["export", "looks_like", "read"]

_LISTS = ("annotations", "completions")
_SIDES = ("x", "y", "width", "height")
_TYPE = "rectanglelabels"


def looks_like(content: Any) -> bool:
    """Return whether JSON is an export of Label Studio."""
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, dict) and "data" in first and any(key in first for key in _LISTS)


def read(path: Path, *, encoding: str | None = None) -> Listed:
    """Read an export; of several annotations of a task the ground truth counts, else the first.

    Raises
    ------
    InputError
        The file is no such export, or a rectangle is none; says which task.
    """
    file = read_text(path, encoding=encoding)
    content = parse(file.data.decode("utf-8"), str(path))
    if not isinstance(content, list) or not content:
        raise InputError(str(path), "is no list of tasks", "Export it from Label Studio as JSON")
    collector = Collector(str(path))
    names, ids, sizes = [], [], np.full((len(content), 2), np.nan)
    turned = 0
    for at, task in enumerate(content):
        where = f"{path}: task {at + 1}"
        if not isinstance(task, dict):
            raise InputError(where, f"is a JSON {kind_of(task)}", "Export again")
        names.append(_image(task, at))
        ids.append(task.get("id", at))
        for each in _rectangles(task):
            place = f"{where}, rectangle {len(collector.boxes) + 1}"
            box, is_turned = _corners(each, place)
            turned += is_turned
            collector.add(at, box, _label(each, place), where=place, ignore=is_turned)
            sides = [each.get(f"original_{side}") for side in ("width", "height")]
            if all(isinstance(side, int | float) and side > 0 for side in sides):
                sizes[at] = sides
    codes = sorted(set(collector.labels))
    size = f"{len(content):,} tasks, {len(collector.boxes):,} rectangles"
    note = f"Read {path.name} as an export of Label Studio: {size}."
    notes = [note]
    if turned:
        notes.append(f"{turned:,} turned rectangles are not judged.")
    return collector.listed(
        names,
        Source(
            "label_studio",
            (path,),
            {"encoding": file.encoding, "sha256": file.sha256, "codes": codes},
        ),
        codes=codes,
        is_relative=True,
        ids=ids,
        sizes=sizes,
        notes=notes,
    )


def _image(task: Mapping[str, Any], at: int) -> str:
    """Return the file name of a task's image: an address without its folders and query."""
    data = task.get("data")
    values = data.values() if isinstance(data, dict) else ()
    for value in values:
        if isinstance(value, str) and "." in value.rpartition("/")[2]:
            name = value.partition("?")[0] if "?d=" not in value else value.rpartition("?d=")[2]
            return name.rpartition("/")[2]
    return str(task.get("id", at))


def _results(task: Mapping[str, Any]) -> tuple[str, int, list[Any]] | None:
    """Return the annotation that counts: under which key, its position, its results."""
    for key in _LISTS:
        listed = task.get(key)
        if isinstance(listed, list):
            there = [
                (not each.get("ground_truth"), at, each)
                for at, each in enumerate(listed)
                if isinstance(each, dict) and not each.get("was_cancelled")
            ]
            if there:
                _, at, chosen = min(there, key=lambda entry: entry[:2])
                results = chosen.get("result")
                return key, at, results if isinstance(results, list) else []
    return None


def _is_rectangle(result: Any) -> bool:
    return (
        isinstance(result, dict)
        and result.get("type") == _TYPE
        and isinstance(result.get("value"), dict)
    )


def _rectangles(task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = _results(task)
    return [] if found is None else [each for each in found[2] if _is_rectangle(each)]


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
    write_text(source, out, lambda file: _changed(source, file, changes))


def _changed(source: Source, file: TextFile, changes: Mapping[int, Sequence[Change]]) -> bytes:
    if not changes:
        return file.data
    text = file.data.decode("utf-8")
    edits = []
    for at, (task, start, stop) in enumerate(elements(text)):
        if at in changes:
            where = f"{source.files[0]}: task {at + 1}"
            piece = _changed_task(
                task, text[start:stop], changes[at], source.options["codes"], where
            )
            edits.append((start, stop, piece))
    return spliced(text, edits).encode("utf-8")


def _changed_task(
    task: Mapping[str, Any],
    text: str,
    wanted: Sequence[Change],
    codes: Sequence[str],
    where: str,
) -> str:
    found = _results(task)
    if found is None:
        raise InputError(where, "has no annotation to change", "Leave it out")
    key, at, results = found
    start, stop = _place(text, (key, at, "result"))
    spans = [(first, last) for _, first, last in elements(text, start)]
    own = [row for row, each in enumerate(results) if _is_rectangle(each)]
    pieces = {row: text[first:last] for row, (first, last) in enumerate(spans)}
    gone, new = set(), []
    for change in wanted:
        if change.action == "add":
            new.append(json.dumps(_new(change, results, codes), ensure_ascii=text.isascii()))
        elif change.action == "remove":
            gone.add(own[change.part])
        else:
            pieces[own[change.part]] = _edited(pieces[own[change.part]], change, codes)
    built, done, places = [], start + 1, []
    length = 0
    for row, (first, last) in enumerate(spans):
        built += [text[done:first], pieces[row]]
        begin = length + first - done
        places.append((begin, begin + len(pieces[row])))
        length, done = places[-1][1], last
    built.append(text[done : stop - 1])
    inside = edited_list("".join(built), places, lambda row: row not in gone, new, ", ")
    return text[: start + 1] + inside + text[stop - 1 :]


def _percent(change: Change) -> dict[str, float]:
    x1, y1, x2, y2 = change.box
    values = (x1, y1, x2 - x1, y2 - y1)
    return {side: round(100 * value, 4) for side, value in zip(_SIDES, values, strict=True)}


def _edited(piece: str, change: Change, codes: Sequence[str]) -> str:
    start, stop = _place(piece, ("value",))
    value = piece[start:stop]
    wanted: dict[str, Any] = (
        {_TYPE: [codes[change.label]]} if change.action == "relabel" else dict(_percent(change))
    )
    edits = [
        (first, last, json.dumps(wanted[key], ensure_ascii=piece.isascii()))
        for key, _, first, last in members(value)
        if key in wanted
    ]
    return piece[:start] + spliced(value, edits) + piece[stop:]


def _new(change: Change, results: Sequence[Any], codes: Sequence[str]) -> dict[str, Any]:
    like: Mapping[str, Any] = next((each for each in results if _is_rectangle(each)), {})
    told = ("original_width", "original_height", "image_rotation", "from_name", "to_name")
    return {
        **{key: like[key] for key in told if key in like},
        "type": _TYPE,
        "value": {**_percent(change), "rotation": 0, _TYPE: [codes[change.label]]},
    }


def _place(text: str, path: Sequence[str | int]) -> tuple[int, int]:
    """Return where the value stands that a path of keys and positions leads to."""
    start, stop = 0, len(text)
    for step in path:
        if isinstance(step, int):
            _, start, stop = list(elements(text, start))[step]
        else:  # of a key that comes twice, the last one counts, as in reading
            start, stop = [(a, b) for key, _, a, b in members(text, start) if key == step][-1]
    return start, stop
