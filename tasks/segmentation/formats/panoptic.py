"""COCO panoptic: PNGs of segment numbers, and a JSON that says the category of each segment."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from goldlabel.errors import InputError
from goldlabel.files import new_folder, path_inside
from goldlabel.formats.json.text import (
    elements,
    members,
    parse,
    spliced,
)
from goldlabel.formats.text import read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.segmentation.formats import pictures
from goldlabel.tasks.segmentation.formats.coco import with_background
from goldlabel.tasks.segmentation.formats.given import Given, Masks
from goldlabel.tasks.segmentation.formats.masks import Repaint

__all__ = ["export", "looks_like", "read"]


def looks_like(content: Any) -> bool:
    """Return whether JSON is a COCO panoptic file."""
    listed = content.get("annotations") if isinstance(content, dict) else None
    return (
        isinstance(listed, list)
        and bool(listed)
        and isinstance(listed[0], dict)
        and "segments_info" in listed[0]
    )


def read(path: Path, *, classes: Sequence[str] | None, planes: int) -> Given:
    """Read panoptic masks as masks of one class per pixel.

    The PNGs lie beside the JSON: in the folder of its name, or one called panoptic_masks or masks.

    Raises
    ------
    InputError
        The JSON is no panoptic file, or a PNG is missing.
    """
    file = read_text(path)
    content = parse(file.data.decode("utf-8"), str(path))
    if not looks_like(content) or not isinstance(content.get("categories"), list):
        raise InputError(str(path), "is no panoptic file of COCO", "Name one with segments_info")
    ids = [each["id"] for each in content["categories"]]
    listed = [str(each.get("name", each["id"])) for each in content["categories"]]
    annotations = content["annotations"]
    folder = _folder(path, annotations)
    _check(path, annotations, set(ids), folder)
    place = dict(zip(ids, listed, strict=True))
    used = {place[seg["category_id"]] for each in annotations for seg in each["segments_info"]}
    names, codes, empty = with_background(listed, classes, planes, path.name, used)
    options = {
        "sha256": file.sha256,
        "encoding": file.encoding,
        "category_ids": ids,
        "codes": codes,
        "empty": empty,
    }
    code = dict(zip(ids, codes, strict=True))
    note = (
        f"Read {path.name} as COCO panoptic: {len(annotations):,} images, masks in {folder.name}."
    )
    note += f" Pixels of no segment are {names[empty]!r}." if empty >= 0 else ""
    return Given(
        Masks(len(annotations), lambda at: _mask(folder, annotations[at], code, empty)[0]),
        lambda at: pictures.open_mask(folder / annotations[at]["file_name"])[0].shape[:2],
        names,
        Source("panoptic", (path, folder), options),
        [each["file_name"].rpartition(".")[0] for each in annotations],
        [note],
    )


def _folder(path: Path, annotations: Sequence[Mapping[str, Any]]) -> Path:
    first = str(annotations[0].get("file_name", ""))
    tried = [path.with_suffix(""), path.parent / "panoptic_masks", path.parent / "masks"]
    for folder in tried:
        if first and (folder / first).is_file():
            return folder
    raise InputError(
        str(path),
        f"says that {first!r} is a mask, which is in none of {', '.join(f.name for f in tried)}",
        f"Put the PNGs into {tried[0]}",
    )


def _check(path: Path, annotations: Sequence[Any], ids: set[Any], folder: Path) -> None:
    root = folder.resolve()
    for at, each in enumerate(annotations):
        where = f"{path}: annotations[{at}]"
        name, info = each.get("file_name"), each.get("segments_info")
        if not isinstance(name, str) or not isinstance(info, list):
            raise InputError(where, "has no file_name or no segments_info", "Mend the file")
        if not (folder / name).resolve().is_relative_to(root) or not (folder / name).is_file():
            raise InputError(where, f"names the mask {name!r}, which is not there", "Add it")
        for segment in info:
            if not isinstance(segment, dict) or not isinstance(segment.get("id"), int):
                raise InputError(where, "has a segment without an id", "Mend the file")
            if segment.get("category_id") not in ids:
                what = f"has a segment of category {segment.get('category_id')!r}, which is none"
                raise InputError(where, what, "Mend the file")


def _mask(
    folder: Path, annotation: Mapping[str, Any], code: Mapping[Any, int], empty: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return the class, and the segment, of each pixel."""
    path = folder / annotation["file_name"]
    pixels = pictures.open_mask(path)[0]
    if pixels.ndim != 3:
        raise InputError(str(path), "is no mask in colours", "Write segment ids as R + 256 G + ...")
    segments = pixels[..., :3].astype(np.int64) @ np.array([1, 256, 65536])
    found, place = np.unique(segments, return_inverse=True)
    classes = {each["id"]: code[each["category_id"]] for each in annotation["segments_info"]}
    unknown = [int(each) for each in found if each and int(each) not in classes]
    if unknown:
        raise InputError(
            str(path), f"has the segment {unknown[0]}, which the JSON lacks ({len(unknown)} such)",
            "Add it to segments_info, or paint it as 0",
        )  # fmt: skip
    table = np.array([classes.get(int(each), empty) for each in found], dtype=np.int32)
    return table[place.reshape(segments.shape)], segments


def export(source: Source, changed: Mapping[int, Repaint], out: Path) -> None:
    """Write JSON and PNGs into a folder; pixels of a new class join a segment of it, or get one.

    What is not changed keeps its bytes.
    """
    path, folder = source.files
    file = read_text(path, encoding=source.options.get("encoding"))
    if file.sha256 != source.options["sha256"]:
        raise InputError(str(path), "has changed since it was read", "Audit it again")
    text = file.data.decode("utf-8")
    options = source.options
    code = dict(zip(options["category_ids"], options["codes"], strict=True))
    place = {key: (start, stop) for key, _, start, stop in members(text)}
    edits, images = [], {}
    for at, (annotation, start, stop) in enumerate(elements(text, place["annotations"][0])):
        if at in changed:
            old, segments = _mask(folder, annotation, code, options["empty"])
            new = changed[at](old)
            if (new != old).any():
                info = _moved(annotation["segments_info"], old, new, segments, code)
                edits.append((start, stop, json.dumps({**annotation, "segments_info": info})))
                images[annotation["file_name"]] = (new != old, segments)
    with new_folder(out, inputs=(folder,)) as copy:
        json_file = path_inside(copy, path.name)
        json_file.write_bytes(file.packed(spliced(text, edits).encode("utf-8")))
        target = path_inside(copy, folder.name)
        target.mkdir()
        for name in pictures.find(folder, what="masks"):
            data = (folder / name).read_bytes()
            if name.as_posix() in images:
                differs, segments = images[name.as_posix()]
                colors = np.stack([segments >> shift & 255 for shift in (0, 8, 16)], axis=-1)
                extra = np.asarray(Image.open(io.BytesIO(data))).shape[2] - 3
                values = np.pad(colors[differs], ((0, 0), (0, extra)), constant_values=255)
                data = pictures.repainted(folder / name, differs, values)
            path_inside(target, name).write_bytes(data)


def _moved(
    info: Sequence[Mapping[str, Any]],
    old: npt.NDArray[np.int32],
    new: npt.NDArray[np.int32],
    segments: npt.NDArray[np.int64],
    code: Mapping[Any, int],
) -> list[dict[str, Any]]:
    """Give pixels of a new class to a segment of it, in place; return what segments there are."""
    listed = [dict(each) for each in info]
    number = max([each["id"] for each in listed], default=0)
    for category, this in code.items():
        gained = (new != old) & (new == this)
        if not gained.any():
            continue
        owner = next((each for each in listed if each["category_id"] == category), None)
        if owner is None:
            number += 1
            owner = {"id": number, "category_id": category, "iscrowd": 0}
            listed.append(owner)
        segments[gained] = owner["id"]
    nothing = (new != old) & ~np.isin(new, list(code.values()))
    segments[nothing] = 0
    kept = []
    for each in listed:
        y, x = np.nonzero(segments == each["id"])
        if len(x):
            box = [int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1]
            kept.append({**each, "bbox": box, "area": len(x)})
    return kept
