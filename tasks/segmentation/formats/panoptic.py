"""COCO panoptic: PNGs of segment numbers, and a JSON that says the category of each segment."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from goldlabel.errors import InputError
from goldlabel.files import new_folder, path_inside
from goldlabel.formats.coco.dataset import document_of, section, unique_names
from goldlabel.formats.coco.edits import Edit, member_edits, spliced
from goldlabel.formats.coco.ids import check_objects, own_ids
from goldlabel.formats.json.records import Ids, Records
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.segmentation.formats import pictures
from goldlabel.tasks.segmentation.formats.coco import with_background
from goldlabel.tasks.segmentation.formats.given import Given, Masks
from goldlabel.tasks.segmentation.formats.masks import Repaint

__all__ = ["export", "read"]


_INNER = "segments_info"


class Annotation(NamedTuple):
    """What the JSON says of one image: its mask, and the segments in it."""

    file_name: str
    segments: list[dict[str, Any]]


class Panoptic:
    """A panoptic file, checked.

    Attributes
    ----------
    records : Records
        The annotations as they stand.
    annotations : list of Annotation
    category_ids : tuple of int or str
    classes : list of str
        Names of the categories.
    """

    def __init__(self, file: TextFile) -> None:
        self.path = file.path
        document = document_of(file)
        if not all(section(document, name).starts.size for name in ("annotations", "categories")):
            raise InputError(
                str(file.path), "is no panoptic file of COCO", f"Name one with {_INNER}"
            )
        ids = Ids()
        categories = Records(document, section(document, "categories"), ("id", "name"))
        self.category_ids = ids.names(own_ids(categories, file.path, ids))
        self.classes = unique_names(categories, self.category_ids)
        self.records = Records(document, section(document, "annotations"), ("file_name", _INNER))
        check_objects(self.records, file.path)
        names = self.records.texts("file_name")
        inner = self.records.values(_INNER, np.arange(len(names)))
        self.annotations = [
            Annotation(self._name(at, name), self._segments(at, segments))
            for at, (name, segments) in enumerate(zip(names, inner, strict=True))
        ]

    def _where(self, at: int) -> str:
        return self.records.place_in(self.path, at)

    def _name(self, at: int, name: str | None) -> str:
        if not name:
            raise InputError(self._where(at), "has no file_name", "Mend the file")
        return name

    def _segments(self, at: int, segments: Any) -> list[dict[str, Any]]:
        if not isinstance(segments, list):
            raise InputError(self._where(at), f"has no {_INNER}, a list", "Mend the file")
        for each in segments:
            if not isinstance(each, dict) or type(each.get("id")) is not int:
                raise InputError(
                    self._where(at), "has a segment without an id, a whole number", "Mend the file"
                )
            category = each.get("category_id")
            if not isinstance(category, int | str) or category not in self.category_ids:
                what = f"has a segment of category {category!r}, which is none"
                raise InputError(self._where(at), what, "Mend the file")
        return segments


def read(path: Path, *, classes: Sequence[str] | None, planes: int) -> Given:
    """Read panoptic masks as masks of one class per pixel.

    The PNGs lie beside the JSON: in the folder of its name, or one called panoptic_masks or masks.

    Raises
    ------
    InputError
        The JSON is no panoptic file, or a PNG is missing.
    """
    file = read_text(path)
    content = Panoptic(file)
    annotations = content.annotations
    folder = _folder(path, annotations)
    for at, each in enumerate(annotations):
        if _inside(folder, each.file_name) is None:
            what = f"names the mask {each.file_name!r}, which is not there"
            raise InputError(content.records.place_in(path, at), what, "Add it")
    place = dict(zip(content.category_ids, content.classes, strict=True))
    used = {place[segment["category_id"]] for each in annotations for segment in each.segments}
    names, codes, empty = with_background(content.classes, classes, planes, path.name, used)
    options = {
        "sha256": file.sha256,
        "encoding": file.encoding,
        "category_ids": list(content.category_ids),
        "codes": codes,
        "empty": empty,
    }
    code = dict(zip(content.category_ids, codes, strict=True))
    note = (
        f"Read {path.name} as COCO panoptic: {len(annotations):,} images, masks in {folder.name}."
    )
    note += f" Pixels of no segment are {names[empty]!r}." if empty >= 0 else ""
    return Given(
        Masks(len(annotations), lambda at: _mask(folder, annotations[at], code, empty)[0]),
        lambda at: pictures.open_mask(folder / annotations[at].file_name)[0].shape[:2],
        names,
        Source("panoptic", (path, folder), options),
        [each.file_name.rpartition(".")[0] for each in annotations],
        [note],
    )


def _inside(folder: Path, name: str) -> Path | None:
    """Return a file of a folder; None if it is not there, or leads out."""
    try:
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder.resolve()) and path.is_file() else None
    except (OSError, ValueError):
        return None


def _folder(path: Path, annotations: Sequence[Annotation]) -> Path:
    first = annotations[0].file_name
    tried = [path.with_suffix(""), path.parent / "panoptic_masks", path.parent / "masks"]
    for folder in tried:
        if _inside(folder, first) is not None:
            return folder
    raise InputError(
        str(path),
        f"says that {first!r} is a mask, which is in none of {', '.join(f.name for f in tried)}",
        f"Put the PNGs into {tried[0]}",
    )


def _mask(
    folder: Path, annotation: Annotation, code: Mapping[Any, int], empty: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return the class, and the segment, of each pixel."""
    path = folder / annotation.file_name
    pixels = pictures.open_mask(path)[0]
    if pixels.ndim != 3:
        raise InputError(str(path), "is no mask in colours", "Write segment ids as R + 256 G + ...")
    segments = pixels[..., :3].astype(np.int64) @ np.array([1, 256, 65536])
    found, place = np.unique(segments, return_inverse=True)
    classes = {each["id"]: code[each["category_id"]] for each in annotation.segments}
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
    content = Panoptic(file)
    options = source.options
    code = dict(zip(options["category_ids"], options["codes"], strict=True))
    edits: list[Edit] = []
    images = {}
    for at, annotation in enumerate(content.annotations):
        if at in changed:
            old, segments = _mask(folder, annotation, code, options["empty"])
            new = changed[at](old)
            if (new != old).any():
                info = _moved(annotation.segments, old, new, segments, code)
                edits += member_edits(content.records, at, {_INNER: info})
                images[annotation.file_name] = (new != old, segments)
    with new_folder(out, inputs=(folder,)) as copy:
        json_file = path_inside(copy, path.name)
        json_file.write_bytes(file.packed(spliced(content.records.document, edits)))
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
