"""COCO files, of instances and of results; LVIS, its dialect of them."""

from __future__ import annotations

import json
import math
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

__all__ = ["export", "looks_like", "looks_like_results", "read", "read_results"]

_KEYS = ("images", "annotations", "categories")
_DIGITS = 2
"""Decimals of a coordinate that is written."""


def looks_like(content: Any) -> bool:
    """Return whether JSON is a file of instances."""
    return isinstance(content, dict) and all(isinstance(content.get(key), list) for key in _KEYS)


def looks_like_results(content: Any) -> bool:
    """Return whether JSON is a file of results: a list of boxes with scores."""
    if not isinstance(content, list):
        return False
    first = content[0] if content else None
    return first is None or (isinstance(first, dict) and {"image_id", "score"} <= set(first))


def read(path: Path, *, encoding: str | None = None) -> Listed:
    """Read a file of instances, images and categories in the order of their ids.

    Raises
    ------
    InputError
        The file is no COCO file, names an image or category that it does not list, or has a box
        that is none; says which entry.
    """
    file = read_text(path, encoding=encoding)
    content = parse(file.data.decode("utf-8"), str(path))
    if not looks_like(content):
        raise InputError(
            str(path), f"is no COCO file, which lists {', '.join(_KEYS)}", "Name one that does"
        )
    images = _by_id(path, content["images"], "images")
    categories = _by_id(path, content["categories"], "categories")
    rows = {name: at for at, name in enumerate(images)}
    collector = Collector(str(path))
    _gather(path, content["annotations"], rows, categories, collector)
    is_lvis = any("not_exhaustive_category_ids" in each for each in images.values())
    options = {"encoding": file.encoding, "sha256": file.sha256, "is_lvis": is_lvis}
    kind = "LVIS" if is_lvis else "COCO"
    size = f"{len(images):,} images, {len(categories):,} categories"
    note = f"Read {path.name} as {kind}, {file.description}: {size}, {len(collector.boxes):,} boxes"
    return collector.listed(
        [_file_name(each) for each in images.values()],
        Source("coco", (path,), options),
        codes=list(categories),
        classes=_category_names(path, categories),
        ids=list(images),
        sizes=np.array([_size(path, at, each) for at, each in images.items()]).reshape(-1, 2),
        notes=[f"{note}.", *_on_crowds(collector)],
        looked_for=_looked_for(images, categories) if is_lvis else None,
    )


def _by_id(path: Path, entries: Sequence[Any], key: str) -> dict[Any, Mapping[str, Any]]:
    """Return entries of a list by their ids, in the order of the ids."""
    found: dict[Any, Mapping[str, Any]] = {}
    for at, each in enumerate(entries):
        where = f"{path}: {key}[{at}]"
        if not isinstance(each, dict):
            raise InputError(where, f"is a JSON {kind_of(each)}, not an object", "Mend the file")
        name = each.get("id")
        if isinstance(name, bool) or not isinstance(name, int | str):
            raise InputError(where, "has no id", "Give each a whole number of its own")
        if name in found:
            raise InputError(where, f"has the id {name!r}, which another has", "Give it its own")
        found[name] = each
    if not found:
        raise InputError(str(path), f"lists no {key}", "Name a file that does")
    numbers = all(isinstance(name, int) for name in found)
    return dict(sorted(found.items(), key=lambda item: item[0] if numbers else str(item[0])))


def _category_names(path: Path, categories: Mapping[Any, Mapping[str, Any]]) -> list[str]:
    names: list[str] = []
    for at, (name, each) in enumerate(categories.items()):
        text = str(each.get("name", name))
        if text in names:
            raise InputError(
                f"{path}: categories[{at}]", f"is named {text!r}, as another is", "Rename one"
            )
        names.append(text)
    return names


def _file_name(image: Mapping[str, Any]) -> str:
    name = image.get("file_name") or str(image.get("coco_url", "")).rpartition("/")[2]
    return str(name) if name else str(image["id"])


def _size(path: Path, at: Any, image: Mapping[str, Any]) -> tuple[float, float]:
    sides = []
    for key in ("width", "height"):
        value = image.get(key)
        if value is None:
            sides.append(math.nan)
            continue
        side = number(value, f"{path}: image {at!r}", key)
        sides.append(side if side > 0 else math.nan)
    return sides[0], sides[1]


def _gather(
    path: Path,
    entries: Sequence[Any],
    rows: Mapping[Any, int],
    categories: Mapping[Any, Any],
    collector: Collector,
    *,
    key: str = "annotations",
    scored: bool = False,
) -> None:
    """Add the boxes of annotations, or of results where they are `scored`."""
    for at, each in enumerate(entries):
        where = f"{path}: {key}[{at}]"
        if not isinstance(each, dict):
            raise InputError(where, f"is a JSON {kind_of(each)}, not an object", "Mend the file")
        for name, known in (("image_id", rows), ("category_id", categories)):
            value = each.get(name)
            if isinstance(value, bool) or not isinstance(value, int | str) or value not in known:
                raise InputError(
                    where,
                    f"has the {name} {value!r}, which is not listed" if name in each
                    else f"has no {name}",
                    "Mend the file",
                )  # fmt: skip
        collector.add(
            rows[each["image_id"]],
            _corners(each, where),
            each["category_id"],
            where=where,
            score=number(each.get("score"), where, "score") if scored else None,
            ignore=bool(each.get("iscrowd", 0)),
        )


def _corners(entry: Mapping[str, Any], where: str) -> tuple[float, float, float, float]:
    box = entry.get("bbox")
    if box is None and entry.get("segmentation"):
        return _around(entry["segmentation"], where)
    if not isinstance(box, list) or len(box) != 4:
        what = "has no bbox" if box is None else f"has the bbox {box!r}"
        raise InputError(where, what, "Write four numbers: x, y, width, height")
    x, y, width, height = (number(value, where, "bbox entry") for value in box)
    if width < 0 or height < 0:
        raise InputError(
            where, f"has a bbox of {width:g} x {height:g}", "Mend the file: sizes are not negative"
        )
    return x, y, x + width, y + height


def _around(shape: Any, where: str) -> tuple[float, float, float, float]:
    """Return the box around polygons or a run-length encoded mask."""
    if isinstance(shape, dict):
        return _around_mask(shape, where)
    points = [
        number(value, where, "segmentation entry")
        for polygon in shape
        if isinstance(polygon, list)
        for value in polygon
    ]
    if len(points) < 6 or len(points) % 2:
        raise InputError(where, "has a segmentation that is no polygon", "Mend the file")
    return min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])


def _around_mask(mask: Mapping[str, Any], where: str) -> tuple[float, float, float, float]:
    from pycocotools import mask as masks

    size, counts = mask.get("size"), mask.get("counts")
    sides = size if isinstance(size, list) and len(size) == 2 else []
    if not sides or not all(type(side) is int and 0 < side < 1 << 20 for side in sides):
        raise InputError(where, f"has a mask of the size {size!r}", "Mend the file")
    if isinstance(counts, list) and all(type(run) is int and run >= 0 for run in counts):
        if sum(counts) != sides[0] * sides[1]:
            raise InputError(where, "has a mask whose runs do not fill it", "Mend the file")
        encoded = masks.frPyObjects({"size": sides, "counts": counts}, *sides)
    elif isinstance(counts, str) and counts.isascii():
        encoded = {"size": sides, "counts": counts.encode("ascii")}
    else:
        raise InputError(where, "has a mask without counts", "Mend the file")
    x, y, width, height = map(float, masks.toBbox(encoded))
    return x, y, x + width, y + height


def _on_crowds(collector: Collector) -> list[str]:
    crowds = sum(collector.ignore)
    if not crowds:
        return []
    return [f"{crowds:,} boxes around crowds are not judged, and what lies in them is not missed."]


def _looked_for(
    images: Mapping[Any, Mapping[str, Any]], categories: Mapping[Any, Any]
) -> tuple[tuple[frozenset[int], frozenset[int]], ...]:
    place = {name: at for at, name in enumerate(categories)}

    def codes(image: Mapping[str, Any], key: str) -> frozenset[int]:
        names = image.get(key, [])
        return frozenset(place[name] for name in names if name in place)

    return tuple(
        (codes(each, "neg_category_ids"), codes(each, "not_exhaustive_category_ids"))
        for each in images.values()
    )


def read_results(path: Path, *, encoding: str | None = None) -> Listed:
    """Read a file of results: boxes, or masks that boxes are put around, with scores."""
    file = read_text(path, encoding=encoding)
    content = parse(file.data.decode("utf-8"), str(path))
    if not looks_like_results(content):
        raise InputError(
            str(path),
            "is no file of COCO results, a list of boxes with image_id, category_id and score",
            "Name one that is",
        )
    images: dict[Any, int] = {}
    categories: dict[Any, int] = {}
    for each in content:
        if isinstance(each, dict):
            for key, known in (("image_id", images), ("category_id", categories)):
                value = each.get(key)
                if isinstance(value, int | str) and not isinstance(value, bool):
                    known.setdefault(value, len(known))
    collector = Collector(str(path))
    _gather(path, content, images, categories, collector, key="", scored=True)
    codes = sorted(categories, key=lambda code: (isinstance(code, str), code))
    return collector.listed(
        [str(name) for name in images],
        Source("coco_results", (path,), {"encoding": file.encoding}),
        codes=codes,
        is_named=False,
        ids=list(images),
        notes=[f"Read {path.name} as COCO results: {len(collector.boxes):,} boxes."],
    )


def export(source: Source, changes: Mapping[int, Sequence[Change]], out: Path) -> None:
    """Write the file again with some annotations changed, and all else byte for byte as it was."""
    write_text(source, out, lambda file: _changed(source, file, changes))


def _changed(source: Source, file: TextFile, changes: Mapping[int, Sequence[Change]]) -> bytes:
    if not changes:
        return file.data
    text = file.data.decode("utf-8")
    path = source.files[0]
    place = {key: (value, start, stop) for key, value, start, stop in members(text)}
    images = list(_by_id(path, place["images"][0], "images"))
    categories = list(_by_id(path, place["categories"][0], "categories"))
    _, start, stop = place["annotations"]
    found = list(elements(text, start))
    numbers: dict[Any, list[int]] = {}
    for at, (each, _, _) in enumerate(found):
        numbers.setdefault(each["image_id"], []).append(at)
    edits: dict[int, str] = {}
    gone: set[int] = set()
    new: list[str] = []
    ids = [each["id"] for each, _, _ in found if type(each.get("id")) is int]
    style = _style(text, found)
    for image, wanted in sorted(changes.items()):
        own = numbers.get(images[image], [])
        for change in wanted:
            if change.action == "add":
                entry = _new_entry(change, images[image], categories[change.label])
                if found:  # nothing that the file's own annotations have not
                    entry = {key: entry[key] for key in entry if key in found[0][0]}
                if len(ids) == len(found) + len(new):
                    ids.append(max(ids, default=0) + 1)
                    entry = {"id": ids[-1], **entry}
                new.append(json.dumps(entry, separators=style))
            elif change.action == "remove":
                gone.add(own[change.part])
            else:
                at = own[change.part]
                piece = edits.get(at, text[found[at][1] : found[at][2]])
                edits[at] = _edited(piece, change, categories, style)
    return (
        text[: start + 1]
        + _list(text, start, stop, found, edits, gone, new, style)
        + text[stop - 1 :]
    ).encode("utf-8")


def _list(
    text: str,
    start: int,
    stop: int,
    found: list[tuple[Any, int, int]],
    edits: Mapping[int, str],
    gone: set[int],
    new: list[str],
    style: tuple[str, str],
) -> str:
    """Return the text between the brackets of the annotations, changed."""
    pieces, spans, done, length = [], [], start + 1, 0
    for at, (_, first, last) in enumerate(found):
        piece = edits.get(at, text[first:last])
        pieces += [text[done:first], piece]
        begin = length + first - done
        spans.append((begin, begin + len(piece)))
        length, done = begin + len(piece), last
    pieces.append(text[done : stop - 1])
    return edited_list("".join(pieces), spans, lambda at: at not in gone, new, style[0])


def _style(text: str, found: list[tuple[Any, int, int]]) -> tuple[str, str]:
    """Return the separators that the file uses between entries and after keys."""
    piece = text[found[0][1] : found[0][2]] if found else text[:200]
    return (", " if '", ' in piece or ", " in piece else ","), (": " if '": ' in piece else ":")


def _numbers(box: tuple[float, float, float, float]) -> list[float]:
    x1, y1, x2, y2 = box
    values = (x1, y1, x2 - x1, y2 - y1)
    return [round(value, _DIGITS) for value in values]


def _new_entry(change: Change, image: Any, category: Any) -> dict[str, Any]:
    x, y, width, height = _numbers(change.box)
    return {
        "image_id": image,
        "category_id": category,
        "bbox": [x, y, width, height],
        "area": round(width * height, _DIGITS),
        "segmentation": [_polygon(x, y, width, height)],
        "iscrowd": 0,
    }


def _polygon(x: float, y: float, width: float, height: float) -> list[float]:
    corners = (x, y, x + width, y, x + width, y + height, x, y + height)
    return [round(value, _DIGITS) for value in corners]


def _edited(piece: str, change: Change, categories: Sequence[Any], style: tuple[str, str]) -> str:
    """Return the text of an annotation with another category, or another box."""
    wanted: dict[str, Any] = {}
    if change.action == "relabel":
        wanted["category_id"] = categories[change.label]
    else:
        x, y, width, height = _numbers(change.box)
        wanted["bbox"] = [x, y, width, height]
        wanted["area"] = round(width * height, _DIGITS)
        wanted["segmentation"] = [_polygon(x, y, width, height)]
    edits = [
        (start, stop, json.dumps(wanted[key], separators=style))
        for key, _, start, stop in members(piece)
        if key in wanted
    ]
    return spliced(piece, edits)
