"""Exports of Label Studio whose annotations are brush strokes: masks by run lengths."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.json.text import elements, parse, spliced
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.segmentation.formats import brush
from goldlabel.tasks.segmentation.formats.coco import with_background
from goldlabel.tasks.segmentation.formats.given import Given, Masks
from goldlabel.tasks.segmentation.formats.masks import Repaint

__all__ = ["export", "looks_like", "read"]

_LISTS = ("annotations", "completions")


def looks_like(content: Any) -> bool:
    """Return whether JSON is an export of Label Studio with brush strokes."""
    return isinstance(content, list) and any(
        isinstance(task, dict) and any(_strokes(task)) for task in content
    )


def _annotation(task: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the annotation that counts: the ground truth, else the first not cancelled."""
    for key in _LISTS:
        listed = task.get(key)
        if isinstance(listed, list):
            there = [a for a in listed if isinstance(a, dict) and not a.get("was_cancelled")]
            there.sort(key=lambda each: not each.get("ground_truth"))
            if there:
                chosen: Mapping[str, Any] = there[0]
                return chosen
    return None


def _strokes(task: Mapping[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Return the brush results of a task, each with its label."""
    chosen = _annotation(task)
    results = [] if chosen is None else chosen.get("result")
    found = []
    for each in results if isinstance(results, list) else []:
        value = each.get("value") if isinstance(each, dict) else None
        if isinstance(value, dict) and value.get("format") == "rle":
            labels = value.get("brushlabels") or value.get("labels")
            if isinstance(labels, list) and labels and isinstance(labels[0], str):
                found.append((each, labels[0]))
    return found


def read(path: Path, *, classes: Sequence[str] | None, planes: int) -> Given:
    """Read brush strokes as masks; later strokes are on top, pixels of none are background.

    Raises
    ------
    InputError
        There are no brush strokes, or one is broken.
    """
    file = read_text(path)
    tasks = parse(file.data.decode("utf-8"), str(path))
    if not looks_like(tasks):
        raise InputError(str(path), "has no brush strokes", "Export masks as JSON")
    kept = [at for at, task in enumerate(tasks) if _strokes(task)]
    listed = sorted({label for at in kept for _, label in _strokes(tasks[at])})
    names, codes, empty = with_background(listed, classes, planes, path.name, listed)
    code = dict(zip(listed, codes, strict=True))
    options = {
        "encoding": file.encoding,
        "sha256": file.sha256,
        "tasks": kept,
        "code": code,
        "empty": empty,
    }
    notes = [
        f"Read {path.name} as an export of Label Studio: {len(kept):,} masks of brush strokes."
    ]
    if len(kept) < len(tasks):
        notes.append(f"{len(tasks) - len(kept):,} tasks without brush strokes were left out.")

    def where(at: int) -> str:
        return f"{path}: task {kept[at] + 1}"

    return Given(
        Masks(len(kept), lambda at: _mask(tasks[kept[at]], code, empty, where(at))),
        lambda at: _shape(_strokes(tasks[kept[at]]), where(at)),
        names,
        Source("label_studio", (path,), options),
        [_name(tasks[at], at) for at in kept],
        notes,
    )


def _name(task: Mapping[str, Any], at: int) -> str:
    """Return the name of a task's picture, without folder, ending and upload mark; or its id."""
    data = task.get("data")
    for value in data.values() if isinstance(data, dict) else ():
        if isinstance(value, str) and "." in value.rpartition("/")[2]:
            return value.rpartition("/")[2].rpartition(".")[0]
    return str(task.get("id", at))


def _shape(strokes: Sequence[tuple[Mapping[str, Any], str]], where: str) -> tuple[int, int]:
    sizes = {(each.get("original_height"), each.get("original_width")) for each, _ in strokes}
    size = sizes.pop()
    if sizes or not all(isinstance(side, int) and 0 < side < 1 << 16 for side in size):
        raise InputError(where, "has strokes without one size", "Export it again")
    return size  # type: ignore[return-value]


def _mask(
    task: Mapping[str, Any], code: Mapping[str, int], empty: int, where: str
) -> npt.NDArray[np.int32]:
    strokes = _strokes(task)
    shape = _shape(strokes, where)
    mask = np.full(shape, empty, dtype=np.int32)
    for each, label in strokes:
        mask[brush.decoded(each["value"].get("rle"), shape, where)] = code[label]
    return mask


def export(source: Source, changed: Mapping[int, Repaint], out: Path) -> None:
    """Write the export again: strokes lose the pixels of a new class, which get one of their own.

    A task that is not changed keeps its text.
    """
    write_text(source, out, lambda file: _changed(source, file, changed))


def _changed(source: Source, file: TextFile, changed: Mapping[int, Repaint]) -> bytes:
    options = source.options
    wanted = {options["tasks"][at]: repaint for at, repaint in changed.items()}
    text = file.data.decode("utf-8")
    edits = []
    for at, (task, start, stop) in enumerate(elements(text)):
        if at in wanted:
            where = f"{source.files[0]}: task {at + 1}"
            if _repaint(task, wanted[at], options["code"], options["empty"], where):
                edits.append((start, stop, json.dumps(task, ensure_ascii=text.isascii())))
    return spliced(text, edits).encode("utf-8")


def _repaint(
    task: dict[str, Any], repaint: Repaint, code: Mapping[str, int], empty: int, where: str
) -> bool:
    """Change the strokes of a task in place; return whether anything changed."""
    old = _mask(task, code, empty, where)
    new = repaint(old)
    differs = new != old
    if not differs.any():
        return False
    strokes = _strokes(task)
    chosen = _annotation(task)
    assert chosen is not None
    for each, _ in strokes:
        own = brush.decoded(each["value"]["rle"], old.shape, where)
        if (own & differs).any():
            each["value"]["rle"] = brush.encoded(own & ~differs)
    for label, this in code.items():
        gained = differs & (new == this)
        if gained.any():
            like = next((each for each, name in strokes if name == label), strokes[0][0])
            kind = "brushlabels" if "brushlabels" in like["value"] else "labels"
            value = {**like["value"], "rle": brush.encoded(gained), kind: [label]}
            fresh = {key: entry for key, entry in like.items() if key not in ("id", "value")}
            chosen["result"].append({**fresh, "value": value})
    return True
