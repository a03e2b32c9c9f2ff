"""Exports of Label Studio whose annotations are brush strokes: masks by run lengths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.json.text import edited_entries, elements, place, quoted
from goldlabel.formats.label_studio import counting, edited, picture_name, read_export
from goldlabel.formats.tables import write_text
from goldlabel.results.audit import Source
from goldlabel.tasks.segmentation.formats import brush
from goldlabel.tasks.segmentation.formats.coco import with_background
from goldlabel.tasks.segmentation.formats.given import Given, Masks
from goldlabel.tasks.segmentation.formats.masks import Repaint

__all__ = ["export", "looks_like", "read"]

_MOST_PIXELS = 1 << 28
_Stroke = tuple[int, dict[str, Any], str | None]


def looks_like(content: Any) -> bool:
    """Return whether JSON is an export of Label Studio with brush strokes."""
    return isinstance(content, list) and any(
        isinstance(task, dict) and any(_strokes(task)) for task in content
    )


def _strokes(task: Mapping[str, Any]) -> Iterator[_Stroke]:
    """Yield position, result and label of each brush stroke of a task; None: not one label."""
    annotation = counting(task)
    for at, result in enumerate(() if annotation is None else annotation.results):
        value = result.get("value") if isinstance(result, dict) else None
        if isinstance(value, dict) and value.get("format") == "rle":
            labels = value.get("brushlabels") or value.get("labels")
            listed = labels if isinstance(labels, list) else []
            is_one = len(listed) == 1 and isinstance(listed[0], str)
            yield at, result, listed[0] if is_one else None


def read(path: Path, *, classes: Sequence[str] | None, planes: int) -> Given:
    """Read brush strokes as masks; later strokes are on top, pixels of none are background.

    Raises
    ------
    InputError
        There are no brush strokes, or one is broken.
    """
    content = read_export(path)
    file, tasks = content
    if not looks_like(tasks):
        raise InputError(str(path), "has no brush strokes", "Export masks as JSON")
    kept = [at for at, task in enumerate(tasks) if any(_strokes(task))]
    labels = [label for at in kept for _, _, label in _strokes(tasks[at])]
    listed = sorted({label for label in labels if label is not None})
    if not listed:
        raise InputError(str(path), "has no brush stroke with one label", "Label the strokes")
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
    if unlabeled := labels.count(None):
        notes.append(f"{unlabeled:,} strokes have not one label: their pixels are not judged.")

    def where(at: int) -> str:
        return content.where(kept[at])

    return Given(
        Masks(len(kept), lambda at: _mask(tasks[kept[at]], code, empty, where(at))),
        lambda at: _shape(list(_strokes(tasks[kept[at]])), where(at)),
        names,
        Source("label_studio", (path,), options),
        [PurePosixPath(picture_name(tasks[at], at)).stem for at in kept],
        notes,
    )


def _shape(strokes: Sequence[_Stroke], where: str) -> tuple[int, int]:
    sizes: list[tuple[Any, Any]] = [
        (result.get("original_height"), result.get("original_width")) for _, result, _ in strokes
    ]
    h, w = sizes[0]
    whole = type(h) is int and type(w) is int and h > 0 and w > 0
    if not whole or any(size != (h, w) for size in sizes):
        raise InputError(where, "has strokes without one size", "Export it again")
    if h * w > _MOST_PIXELS:
        raise InputError(where, f"has {h} x {w} pixels", f"Use at most {_MOST_PIXELS:,}")
    return h, w


def _mask(
    task: Mapping[str, Any], code: Mapping[str, int], empty: int, where: str
) -> npt.NDArray[np.int32]:
    strokes = list(_strokes(task))
    shape = _shape(strokes, where)
    mask = np.full(shape, empty, dtype=np.int32)
    for _, result, label in strokes:
        mask[brush.decoded(result["value"].get("rle"), shape, where)] = (
            -1 if label is None else code[label]
        )
    return mask


def export(source: Source, changed: Mapping[int, Repaint], out: Path) -> None:
    """Write the export again: strokes lose the pixels of a new class, which get one of their own.

    All else keeps its text.
    """
    options = source.options
    edits = {}
    # A class without a stroke has its name for a label; that of bare pixels needs none.
    others = {name: at for at, name in enumerate(options["classes"]) if at != options["empty"]}
    code = {**others, **options["code"]}
    for at, repaint in changed.items():
        number = options["tasks"][at]
        where = f"{source.files[0]}: task {number + 1}"
        edits[number] = partial(_changed_task, repaint, code, options["empty"], where)
    write_text(source, out, lambda file: edited(file, edits))


def _changed_task(
    repaint: Repaint,
    code: Mapping[str, int],
    empty: int,
    where: str,
    task: dict[str, Any],
    text: str,
) -> str:
    old = _mask(task, code, empty, where)
    new = repaint(old)
    differs = new != old
    annotation = counting(task)
    if annotation is None or not differs.any():
        return text
    start, stop = place(text, annotation.path)
    spans = [text[first:last] for _, first, last in elements(text, start)]
    strokes = list(_strokes(task))
    changed = {}
    for row, result, name in strokes:
        if name is None:
            continue
        own = brush.decoded(result["value"]["rle"], old.shape, where)
        if (own & differs).any():
            first, last = place(spans[row], ("value", "rle"))
            lengths = quoted(brush.encoded(own & ~differs), text)
            changed[row] = spans[row][:first] + lengths + spans[row][last:]
    added = [
        quoted(_new_stroke(strokes, label, differs & (new == this)), text)
        for label, this in code.items()
        if (differs & (new == this)).any()
    ]
    return text[:start] + edited_entries(text[start:stop], changed, add=added) + text[stop:]


def _new_stroke(
    strokes: Sequence[_Stroke], label: str, pixels: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """Return a stroke of some pixels in the manner of one of its label, or of any other."""
    named = [(name, result) for _, result, name in strokes if name is not None]
    like = next((result for name, result in named if name == label), (named or strokes)[0][1])
    kind = "brushlabels" if "brushlabels" in like["value"] else "labels"
    value = {**like["value"], "rle": brush.encoded(pixels), kind: [label]}
    same = {key: entry for key, entry in like.items() if key not in ("id", "value")}
    return {**same, "value": value}
