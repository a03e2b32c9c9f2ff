"""COCO files, of instances and of results; LVIS, its dialect of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.coco.dataset import Dataset, dataset_of, read_dataset
from goldlabel.formats.coco.edits import Edit, edited, member_edits, next_id, separators
from goldlabel.formats.coco.ids import such
from goldlabel.formats.coco.results import results_of, scores_of
from goldlabel.formats.coco.run_lengths import read_run_lengths
from goldlabel.formats.json import places
from goldlabel.formats.json.records import Records
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.boxes import LARGEST
from goldlabel.tasks.detection.formats.listed import Change, Listed, stem
from goldlabel.tasks.detection.unusable import Unusable
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["export", "read", "read_results", "read_scored"]

Style = tuple[str, str]
_PLACE = ("bbox", "segmentation")
_NEGATIVE, _NOT_EXHAUSTIVE = "neg_category_ids", "not_exhaustive_category_ids"
_MOST = 0.5
"""A file in which a larger share of the annotations has no box is refused."""
_DIGITS = 2
"""Decimals of a coordinate that is written."""


def read(path: Path, *, encoding: str | None = None) -> Listed:
    """Read a file of instances, images and categories in the order of their ids.

    Annotations without a box are findings, and to be ignored.

    Raises
    ------
    InputError
        The file is no COCO file, names an image or category that it does not list, or most of its
        boxes are none; says which entry.
    """
    dataset = read_dataset(path, encoding=encoding, fields=(*_PLACE, "iscrowd"))
    images = _sorted(dataset.image_ids)
    categories = _sorted(dataset.category_ids)
    federated = _federated(dataset, images, categories)
    file = dataset.file
    boxes, is_box = _corners(dataset.annotations)
    crowd = dataset.is_crowd() & is_box
    kind = "COCO" if federated is None else "LVIS"
    size = f"{len(images):,} images, {len(categories):,} categories"
    count = np.count_nonzero(is_box)
    notes = [f"Read {path.name} as {kind}, {file.description}: {size}, {count:,} boxes."]
    if crowd.any():
        crowds = f"{np.count_nonzero(crowd):,} boxes around crowds are not judged"
        notes.append(f"{crowds}, and what lies in them is not missed.")
    bad = np.flatnonzero(~is_box)
    if bad.size:
        _check_most(dataset.annotations, bad, path)
        boxes[bad] = 0.0
        notes.append(
            f"Without a box that can be used: {len(bad):,} of {len(boxes):,} annotations. They are"
            " listed first, and left out of all figures; `goldlabel coco check` says more of them."
        )
    options = {
        "encoding": file.encoding, "sha256": file.sha256, "is_lvis": federated is not None,
    }  # fmt: skip
    listed = _listed(dataset, images, categories, boxes, crowd | ~is_box)
    return replace(
        listed,
        source=Source("coco", (path,), options),
        notes=tuple(notes),
        unusable=_unusable(dataset, listed, bad),
        looked_for=federated,
    )


def read_scored(path: Path, *, encoding: str | None = None) -> Listed:
    """Read predictions that are a COCO file whose annotations have scores.

    Its images and classes are known by their names; by their ids where images have none.

    Raises
    ------
    InputError
        As `read`; an annotation has no score, or no box.
    """
    dataset = read_dataset(path, encoding=encoding, fields=(*_PLACE, "score"))
    annotations = dataset.annotations
    if not (annotations.kinds("score") != places.MISSING).any():
        raise InputError(
            str(path),
            "looks like coco, which has no scores",
            "Name COCO results, a table with scores, or a folder of text files with scores",
        )
    boxes, is_box = _corners(annotations, sized=False)
    if not is_box.all():
        raise _no_box(annotations, np.flatnonzero(~is_box), path)
    images, categories = _sorted(dataset.image_ids), _sorted(dataset.category_ids)
    listed = _listed(dataset, images, categories, boxes, np.zeros(len(boxes), dtype=np.bool_))
    order = np.argsort(_inverse(images)[dataset.image_rows], kind="stable")
    note = f"Read {path.name} as a COCO file of predictions: {len(boxes):,} boxes with scores."
    return replace(
        listed,
        ids=listed.names if all(dataset.file_names()) else listed.ids,
        scores=scores_of(annotations, path)[order],
        source=Source("coco_results", (path,), {"encoding": dataset.file.encoding}),
        notes=(note,),
    )


def _listed(
    dataset: Dataset, images: Ints, categories: Ints, boxes: Floats, ignore: Mask
) -> Listed:
    files, names = dataset.file_names(), dataset.category_names()
    rows = _inverse(images)[dataset.image_rows]
    order = np.argsort(rows, kind="stable")
    image_names = tuple(files[at] or str(dataset.image_ids[at]) for at in images.tolist())
    return Listed(
        keys=tuple(map(stem, image_names)),
        ids=tuple(dataset.image_ids[at] for at in images.tolist()),
        names=image_names,
        image=rows[order],
        boxes=boxes[order],
        labels=_inverse(categories)[dataset.category_rows][order],
        classes=tuple(names[at] for at in categories.tolist()),
        codes=tuple(dataset.category_ids[at] for at in categories.tolist()),
        is_named=True,
        is_relative=False,
        sizes=dataset.sizes()[images],
        scores=None,
        ignore=ignore[order],
        source=Source("coco", (dataset.path,)),
    )


def _sorted(ids: Sequence[int | str]) -> Ints:
    """Return the order of ids: of numbers by size, of texts by the alphabet."""
    numbers = all(isinstance(each, int) for each in ids)
    order = sorted(range(len(ids)), key=lambda at: ids[at] if numbers else str(ids[at]))
    return np.array(order, dtype=np.int64)


def _inverse(order: Ints) -> Ints:
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return places


def _corners(records: Records, *, sized: bool = True) -> tuple[Floats, Mask]:
    """Return left, top, right and bottom of each entry, of its bbox or else its mask.

    And which entries have a box: where an image can be, and with a size, which those of detectors
    at times have not.
    """
    boxes, count = records.boxes("bbox")
    bare = np.isin(records.kinds("bbox"), (places.MISSING, places.NULL)) | (count == 0)
    kinds = records.kinds("segmentation")
    with np.errstate(invalid="ignore"):
        least = np.nextafter(0.0, 1.0) if sized else 0.0
        is_box = (count == 4) & (boxes[:, 2:] >= least).all(axis=1)
    boxes[:, 2:] += boxes[:, :2]
    for rows, around in (
        (np.flatnonzero(bare & (kinds == places.OBJECT)), _around_runs),
        (np.flatnonzero(bare & (kinds == places.LIST)), _around_polygons),
    ):
        boxes[rows], is_box[rows] = around(records, rows)
    with np.errstate(invalid="ignore"):
        is_box &= (np.abs(boxes) <= LARGEST).all(axis=1)
    return boxes, is_box


def _around_runs(records: Records, rows: Ints) -> tuple[Floats, Mask]:
    """Return the boxes around masks of run lengths, and which of them there are."""
    masks = read_run_lengths(records, rows)
    boxes = masks.extents[:, 1:5].astype(np.float64)
    return boxes, masks.is_readable & (masks.flags == 0) & (masks.extents[:, 0] > 0)


def _around_polygons(records: Records, rows: Ints) -> tuple[Floats, Mask]:
    """Return the boxes around masks of polygons, and which of them there are."""
    boxes = np.full((len(rows), 4), np.nan)
    for at, polygons in enumerate(records.values("segmentation", rows)):
        points = [each for polygon in polygons if isinstance(polygon, list) for each in polygon]
        if (
            len(points) >= 6
            and len(points) % 2 == 0
            and all(type(each) in (int, float) for each in points)
        ):
            x, y = points[::2], points[1::2]
            boxes[at] = min(x), min(y), max(x), max(y)
    return boxes, np.isfinite(boxes).all(axis=1)


def _no_box(records: Records, bad: Ints, path: Path) -> InputError:
    row = int(bad[0])
    return InputError(
        records.place_in(path, row),
        _fault(records, row, records.boxes("bbox")[1][row])[1] + such(bad),
        "Write four numbers: x, y, width and height, which are above 0",
    )


def _fault(records: Records, row: int, count: int) -> tuple[str, str]:
    """Return what the checker of COCO files calls a box that is none, and what is wrong."""
    nothing = (places.MISSING, places.NULL)
    bbox = records.written(row, "bbox")
    if records.kinds("bbox")[row] in nothing or count == 0:
        code = "bbox-missing" if records.kinds("bbox")[row] in nothing else "bbox-format"
        if not records.is_filled("segmentation")[row]:
            return code, "has no bbox" if code == "bbox-missing" else f"has the bbox {bbox}"
        mask = records.written(row, "segmentation")
        return code, f"has no bbox, and the segmentation {mask} is no mask"
    if count != 4:
        return "not-finite" if count == -3 else "bbox-format", f"has the bbox {bbox}"
    (_, _, width, height), what = records.boxes("bbox")[0][row].tolist(), f"has the bbox {bbox}"
    if width < 0 or height < 0:
        return "bbox-negative-size", f"{what}, of a negative size"
    if width == 0 or height == 0:
        return "bbox-zero-size", f"{what}, which has no size"
    return "bbox-outside-image", f"{what}, which is in no image"


def _check_most(records: Records, bad: Ints, path: Path) -> None:
    """Refuse a file in which most annotations have no box."""
    if len(bad) > _MOST * len(records):
        error = _no_box(records, bad, path)
        share = f"and {len(bad):,} of {len(records):,} annotations have no box that can be used"
        fix = f"Run `goldlabel coco check {path.name}`, which lists what is wrong with it"
        raise InputError(error.where, f"{error.what.removesuffix(such(bad))}, {share}", fix)


def _unusable(dataset: Dataset, listed: Listed, bad: Ints) -> tuple[Unusable, ...]:
    """Return the annotations without a box, by their images and numbers in them."""
    if not bad.size:
        return ()
    records = dataset.annotations
    count = records.boxes("bbox")[1]
    rows = _inverse(_sorted(dataset.image_ids))[dataset.image_rows]
    place = _inverse(np.argsort(rows, kind="stable"))
    first = np.searchsorted(listed.image, np.arange(len(listed.keys)))
    return tuple(
        Unusable(
            int(rows[row]),
            int(place[row] - first[rows[row]]),
            int(listed.labels[place[row]]),
            *_fault(records, row, int(count[row])),
        )
        for row in bad.tolist()
    )


def _federated(
    dataset: Dataset, images: Ints, categories: Ints
) -> tuple[tuple[frozenset[int], frozenset[int]], ...] | None:
    """Return, of LVIS, which classes were looked for in each image, and of which there are more."""
    listed = Records(
        dataset.document, dataset.document.sections["images"], (_NEGATIVE, _NOT_EXHAUSTIVE)
    )
    if not (listed.kinds(_NOT_EXHAUSTIVE) != places.MISSING).any():
        return None
    place = {dataset.category_ids[at]: row for row, at in enumerate(categories.tolist())}
    looked, more = (listed.values(field, images) for field in (_NEGATIVE, _NOT_EXHAUSTIVE))

    def codes(names: Any) -> frozenset[int]:
        own = names if isinstance(names, list) else []
        return frozenset(
            place[name] for name in own if isinstance(name, int | str) and name in place
        )

    return tuple((codes(a), codes(b)) for a, b in zip(looked, more, strict=True))


def read_results(path: Path, *, encoding: str | None = None) -> Listed:
    """Read a file of results: boxes, or masks that boxes are put around, with scores."""
    results = results_of(read_text(path, encoding=encoding), _PLACE)
    boxes, is_box = _corners(results.records, sized=False)
    if not is_box.all():
        raise _no_box(results.records, np.flatnonzero(~is_box), path)
    codes = results.category_ids
    categories = np.array(
        sorted(range(len(codes)), key=lambda at: (isinstance(codes[at], str), codes[at])),
        dtype=np.int64,
    )
    order = np.argsort(results.image_rows, kind="stable")
    names = tuple(map(str, results.image_ids))
    return Listed(
        keys=tuple(map(stem, names)),
        ids=results.image_ids,
        names=names,
        image=results.image_rows[order],
        boxes=boxes[order],
        labels=_inverse(categories)[results.category_rows][order],
        classes=tuple(str(codes[at]) for at in categories.tolist()),
        codes=tuple(codes[at] for at in categories.tolist()),
        is_named=False,
        is_relative=False,
        sizes=np.full((len(names), 2), np.nan),
        scores=results.scores[order] if len(boxes) else None,
        ignore=np.zeros(len(boxes), dtype=np.bool_),
        source=Source("coco_results", (path,), {"encoding": results.file.encoding}),
        notes=(f"Read {path.name} as COCO results: {len(boxes):,} boxes.",),
    )


def export(source: Source, changes: Mapping[int, Sequence[Change]], out: Path) -> None:
    """Write the file again with some annotations changed, and all else byte for byte as it was."""
    write_text(source, out, lambda file: _changed(file, changes) if changes else file.data)


def _changed(file: TextFile, changes: Mapping[int, Sequence[Change]]) -> bytes:
    dataset = dataset_of(file, ("bbox", "segmentation", "area", "iscrowd"))
    images, categories = _sorted(dataset.image_ids), _sorted(dataset.category_ids)
    by_image = np.argsort(dataset.image_rows, kind="stable")
    ends = np.cumsum([0, *np.bincount(dataset.image_rows, minlength=len(images))])
    section = dataset.document.sections["annotations"]
    style = separators(dataset.document, section)
    edits: list[Edit] = []
    removed: set[int] = set()
    added: list[str] = []
    number = next_id(dataset.annotations)
    for image, wanted in sorted(changes.items()):
        if image >= len(images):
            raise InputError(
                f"corrections: image {image}",
                f"is known to the predictions alone: {file.path.name} does not list it",
                "Add it to the images of the file, or leave out its corrections",
            )
        at = int(images[image])
        own = by_image[ends[at] : ends[at + 1]]
        for change in wanted:
            if change.action == "add":
                entry = {
                    "image_id": dataset.image_ids[at],
                    "category_id": dataset.category_ids[categories[change.label]],
                    **_shape(change.box),
                    "iscrowd": 0,
                }
                added.append(_entry_text(dataset, entry, number, style))
                number = None if number is None else number + 1
            elif change.action == "remove":
                removed.add(int(own[change.part]))
            else:
                category = dataset.category_ids[categories[change.label]]
                new = {"category_id": category} if change.relabels else {}
                members = {**new, **(_shape(change.box) if change.moves else {})}
                row = int(own[change.part])
                edits += member_edits(dataset.annotations, row, members, style, adds=False)
                if change.moves and dataset.annotations.kinds("bbox")[row] == places.MISSING:
                    box = {"bbox": members["bbox"]}
                    edits += member_edits(dataset.annotations, row, box, style)
    return edited(
        dataset.document, section, edits, removed=removed, added=added, separator=style[0]
    )


def _numbers(box: tuple[float, float, float, float]) -> list[float]:
    x1, y1, x2, y2 = box
    return [round(value, _DIGITS) for value in (x1, y1, x2 - x1, y2 - y1)]


def _shape(box: tuple[float, float, float, float]) -> dict[str, Any]:
    """Return what an annotation says of its place."""
    x, y, width, height = _numbers(box)
    corners = (x, y, x + width, y, x + width, y + height, x, y + height)
    return {
        "bbox": [x, y, width, height],
        "area": round(width * height, _DIGITS),
        "segmentation": [[round(value, _DIGITS) for value in corners]],
    }


def _entry_text(
    dataset: Dataset, entry: Mapping[str, Any], number: int | None, style: Style
) -> str:
    """Return a new annotation, with no member but those that the file's first has."""
    records = dataset.annotations
    if len(records):
        entry = {key: entry[key] for key in entry if records.kinds(key)[0] != places.MISSING}
    identity = {} if number is None else {"id": number}
    return json.dumps({**identity, **entry}, separators=style)
