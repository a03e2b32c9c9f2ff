"""COCO files as labels of whole images: an image has the categories that it has annotations of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.json.text import (
    edited_list,
    elements,
    kind_of,
    members,
    parse,
)
from goldlabel.formats.known import is_coco
from goldlabel.formats.options import options_of
from goldlabel.formats.registry import Format
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.multilabel.formats.given import Asked, Changes, Given, Options, whole

__all__ = ["FORMAT", "export", "looks_like", "read"]

_KEYS = ("images", "annotations", "categories")
_PLACED = ("bbox", "segmentation", "keypoints")


def looks_like(content: Any) -> bool:
    """Return whether JSON is a COCO file."""
    return isinstance(content, dict) and all(isinstance(content.get(key), list) for key in _KEYS)


@dataclass(frozen=True, kw_only=True)
class CocoOptions(Options):
    """A COCO file; `is_placed` says that annotations have a place in the image."""

    encoding: str
    sha256: str
    rows: int
    image_ids: tuple[int | str, ...]
    category_ids: tuple[int | str, ...]
    is_placed: bool


def _read(path: Path, asked: Asked) -> Given:
    asked.one_label("coco")
    return read(path, images=asked.images, encoding=asked.reading.get("encoding"))


def read(path: Path, *, images: Path | None = None, encoding: str | None = None) -> Given:
    """Read a COCO file; each category is a class, in the order of the file.

    Parameters
    ----------
    path : Path
    images : Path, optional
        The folder that the images lie in; if not given, that of `path`.
    encoding : str, optional

    Raises
    ------
    InputError
        The file is no COCO file, or names an image or a category that it does not list.
    """
    file = read_text(path, encoding=encoding)
    content = parse(file.data.decode("utf-8"), str(path))
    if not looks_like(content):
        raise InputError(
            str(path), f"is no COCO file, which lists {', '.join(_KEYS)}", "Name one that does"
        )
    rows = _by_id(path, content, "images")
    columns = _by_id(path, content, "categories")
    names = [str(each.get("name", each["id"])) for each in content["categories"]]
    _check_names(path, names)
    labels = np.zeros((len(rows), len(columns)), dtype=np.int8)
    placed = 0
    for at, each in enumerate(content["annotations"]):
        row, column = _cell(path, at, each, rows, columns)
        labels[row, column] = 1
        placed += any(each.get(key) for key in _PLACED)
    options = CocoOptions(
        encoding=file.encoding,
        sha256=file.sha256,
        rows=len(labels),
        image_ids=tuple(rows),
        category_ids=tuple(columns),
        is_placed=bool(placed),
    )
    size = f"{len(labels):,} images, {len(names):,} categories"
    read_as = f"Read {path.name} as COCO, {file.description}: {size},"
    notes = [f"{read_as} {len(content['annotations']):,} annotations.", *_on_places(placed)]
    files = [str(each.get("file_name", "")) for each in content["images"]]
    return whole(
        labels,
        names,
        str(path),
        Source("coco", (path,), options),
        notes,
        ids=_ids(content, files),
        frame=pd.DataFrame({"image": files}, dtype=object),
        images=_images(images or path.parent, files),
    )


def _on_places(placed: int) -> list[str]:
    if not placed:
        return []
    return [
        f"{placed:,} annotations have a place in the image, which this audit does not look at;"
        " corrections can't be written into such a file."
    ]


def _by_id(path: Path, content: Mapping[str, Any], key: str) -> dict[Any, int]:
    """Return the position of each entry of a list by its id."""
    place: dict[Any, int] = {}
    for at, each in enumerate(content[key]):
        where = f"{path}: {key}[{at}]"
        if not isinstance(each, dict):
            raise InputError(where, f"is a JSON {kind_of(each)}, not an object", "Mend the file")
        name = each.get("id")
        if not isinstance(name, int | str) or name in place:
            what = f"has the id {name!r}, which another has" if name in place else "has no id"
            raise InputError(where, what, "Give each an id of its own")
        place[name] = at
    if not place:
        raise InputError(str(path), f"lists no {key}", "Name a file that does")
    return place


def _check_names(path: Path, names: list[str]) -> None:
    for at, name in enumerate(names):
        if name in names[:at]:
            raise InputError(
                f"{path}: categories[{at}]", f"is named {name!r}, as another is", "Rename one"
            )


def _cell(
    path: Path, at: int, each: Any, rows: Mapping[Any, int], columns: Mapping[Any, int]
) -> tuple[int, int]:
    found = []
    for key, place, name in (("image_id", rows, "images"), ("category_id", columns, "categories")):
        value = each.get(key) if isinstance(each, dict) else None
        if not isinstance(value, int | str) or value not in place:
            raise InputError(
                f"{path}: annotations[{at}]",
                f"has the {key} {value!r}, which is not among the {name}",
                "Mend the file",
            )
        found.append(place[value])
    return found[0], found[1]


def _ids(content: Mapping[str, Any], files: list[str]) -> npt.NDArray[Any]:
    names = files if all(files) and len(set(files)) == len(files) else None
    return np.array(names or [each["id"] for each in content["images"]], dtype=object)


def _images(folder: Path, files: list[str]) -> tuple[Path, ...]:
    """Return where images lie; one whose name leads out of the folder is none."""
    root = folder.resolve()
    inside = [(folder / name).resolve() for name in files]
    return tuple(each if each.is_relative_to(root) else root for each in inside)


def export(source: Source, changes: Changes, out: Path) -> None:
    """Write the file again without the annotations of classes taken away, with new ones added."""
    if changes and options_of(source, CocoOptions).is_placed:
        raise InputError(
            str(source.files[0]),
            "has annotations with a place in the image, and a new one would have none",
            "Correct it in a tool for boxes or masks",
        )
    write_text(source, out, lambda file: _changed(source, file, changes))


def _changed(source: Source, file: TextFile, changes: Changes) -> bytes:
    options = options_of(source, CocoOptions)
    images, categories = options.image_ids, options.category_ids
    wanted = {
        (images[example], categories[part]): is_present
        for (example, part), is_present in changes.items()
    }
    if not wanted:
        return file.data
    text = file.data.decode("utf-8")
    place = {key: (start, stop) for key, _, start, stop in members(text)}
    start, stop = place["annotations"]
    found = list(elements(text, start))
    cells = [(each["image_id"], each["category_id"]) for each, _, _ in found]
    new = _new_annotations(found, [cell for cell, there in wanted.items() if there], set(cells))
    spans = [(first - start - 1, last - start - 1) for _, first, last in found]
    gap = ", "
    inside = edited_list(
        text[start + 1 : stop - 1], spans, lambda i: wanted.get(cells[i], True), new, gap
    )
    return (text[: start + 1] + inside + text[stop - 1 :]).encode("utf-8")


def _new_annotations(
    found: list[tuple[Any, int, int]], cells: list[tuple[Any, Any]], present: set[tuple[Any, Any]]
) -> list[str]:
    numbers = [each["id"] for each, _, _ in found if isinstance(each.get("id"), int)]
    number = max(numbers, default=0)
    has_ids = len(numbers) == len(found)
    new = []
    for image, category in cells:
        if (image, category) in present:
            continue
        number += 1
        entry = {"id": number, "image_id": image, "category_id": category}
        new.append(json.dumps(entry if has_ids else {k: entry[k] for k in list(entry)[1:]}))
    return new


FORMAT: Format[Asked, Given] = Format(
    "coco",
    "a COCO file",
    is_coco,
    _read,
    export,
    CocoOptions,
)
