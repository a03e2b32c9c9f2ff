"""Boxes and areas: whether they are in the image, around the mask, and as large as they say."""

from __future__ import annotations

from typing import Any

import numpy as np

from goldlabel.coco.collecting import Collector
from goldlabel.coco.instances import (
    Annotations,
    Instances,
    check_number,
    is_json_number,
    lacking,
)
from goldlabel.coco.masks import Masks
from goldlabel.formats.json import places
from goldlabel.formats.json.document import DECODER
from goldlabel.formats.json.records import Place
from goldlabel.formats.json.text import elements
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["check_areas", "check_boxes", "check_boxes_with_masks", "insertion"]


FIELD = "bbox"
CONVENTION = 0.5
"""From this share of boxes on that are wrong as they are, and right as something else, all are
taken to be something else."""
EDGE = 0.1
"""A box is around its mask if no edge is off by more than this share of the box's side, or 2 px."""
PIXELS = 2.0
AREA = 0.25
"""An area may be off by this share of that of the mask, and a pixel around its border."""
BORDER = 1.0

_BOX = "bbox [{x:.6g}, {y:.6g}, {w:.6g}, {h:.6g}]"


def check_boxes(
    collector: Collector, instances: Instances, annotations: Annotations, tolerance: float
) -> None:
    """Find boxes that are no boxes, have no size, or leave their image."""
    records, boxes = annotations.records, annotations.boxes
    _check_format(collector, annotations)
    x, y, w, h = boxes.T
    for code, bad, what in (
        ("bbox-negative-size", (w < 0) | (h < 0), "has a negative size"),
        ("bbox-zero-size", ((w == 0) | (h == 0)) & (w >= 0) & (h >= 0), "has no size"),
    ):
        rows = np.flatnonzero(bad)
        collector.add(*(code, records, rows, f"{_BOX} {what}"), field=FIELD, **_sides(boxes, rows))
    width, height = _image_sizes(instances, annotations)
    over = np.maximum.reduce([-x, -y, x + w - width, y + h - height])
    outside = (x >= width) | (y >= height) | (x + w <= 0) | (y + h <= 0)
    checked = annotations.has_box & np.isfinite(over)
    kind = _convention(collector, annotations, checked & (over > tolerance), width, height)
    if kind:
        return
    for code, bad, what in (
        ("bbox-outside-image", checked & outside, "does not touch"),
        ("bbox-exceeds-image", checked & ~outside & (over > tolerance), "leaves"),
    ):
        rows = np.flatnonzero(bad)
        collector.add(
            *(code, records, rows, f"{_BOX} {what} the image of {{iw:g}} x {{ih:g}}"),
            field=FIELD,
            iw=width[rows],
            ih=height[rows],
            **_sides(boxes, rows),
        )


def _sides(boxes: Floats, rows: Ints) -> dict[str, Any]:
    return dict(zip("xywh", boxes[rows].T, strict=True))


def _image_sizes(instances: Instances, annotations: Annotations) -> tuple[Floats, Floats]:
    rows = annotations.image_rows
    if not len(instances.images):
        return np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    at = np.maximum(rows, 0)
    known = rows >= 0
    width = np.where(known, instances.widths[at], np.nan)
    return width, np.where(known, instances.heights[at], np.nan)


def _convention(
    collector: Collector, annotations: Annotations, over: Mask, width: Floats, height: Floats
) -> str:
    """Say so where most boxes leave their image, and would not as corners; or are all shares."""
    boxes = annotations.boxes
    x, y, w, h = boxes.T
    finite = np.isfinite(boxes).all(axis=1)
    section = collector.document.sections.get("annotations")
    if section is None or np.count_nonzero(finite) < 10:
        return ""
    place = Place("$.annotations", section.start, section.stop)
    count = int(np.count_nonzero(over))
    corners = over & (w <= width + 1) & (h <= height + 1) & (w > x) & (h > y)
    if count >= CONVENTION * np.count_nonzero(finite) and corners.sum() >= 0.99 * count:
        text = (
            "{n:,} of {of:,} boxes leave their image, but would not as [left, top, right, bottom]"
        )
    elif (np.abs(boxes[finite]) <= 1.5).all() and (boxes[finite] != np.floor(boxes[finite])).any():
        text = "all {of:,} boxes are at most 1.5 large: they look like shares of the image's size"
    else:
        return ""
    of = int(np.count_nonzero(finite))
    collector.add_places("bbox-convention", [place], text, n=[count], of=[of])
    return text


def _check_format(collector: Collector, annotations: Annotations) -> None:
    """Find boxes that are missing, or are not lists of four numbers."""
    records = annotations.records
    _, found = records.boxes(FIELD)
    wrong = np.flatnonzero(
        (found != 4) & (found != -3) & ~lacking(records, FIELD) & records.is_object
    )
    starts, stops = records.spans(FIELD)
    new = [
        _unquoted(records.document.raw(int(starts[row]), int(stops[row]))) for row in wrong.tolist()
    ]
    quoted = np.array([each is not None for each in new], dtype=bool)
    bare = wrong[~quoted]
    collector.add(
        *("bbox-format", records, bare, "bbox is {value}, not four numbers"),
        field=FIELD,
        value=records.raw(bare, FIELD),
    )
    texts = [each for each in new if each is not None]
    rows = wrong[quoted]
    collector.add(
        *("number-as-string", records, rows, "bbox is {value}, not four numbers"),
        field=FIELD,
        fixable=True,
        fix=lambda at: [(int(starts[rows[at]]), int(stops[rows[at]]), texts[at])],
        value=records.raw(rows, FIELD),
    )


def _unquoted(raw: bytes) -> bytes | None:
    """Return a list of four numbers without quotes around any; None if it is something else."""
    text = raw.decode("latin-1")
    if not text.startswith("["):
        return None
    spans = [text[start:stop] for _, start, stop in elements(text, decoder=DECODER)]
    numbers = [is_json_number(f'"{each}"') or is_json_number(each) for each in spans]
    return raw.replace(b'"', b"") if len(spans) == 4 and all(numbers) else None


def check_boxes_with_masks(collector: Collector, annotations: Annotations, masks: Masks) -> None:
    """Find boxes that are missing, or are not around their mask."""
    records, boxes = annotations.records, annotations.boxes
    none = lacking(records, FIELD)
    section = collector.document.sections.get("annotations")
    if none.all() and len(none) and section is not None and not masks.is_sound.any():
        place = Place("$.annotations", section.start, section.stop)
        collector.add_places("bbox-missing", [place], "no annotation has a bbox")
    else:
        _check_missing(collector, annotations, masks, np.flatnonzero(none))
    x, y, w, h = boxes.T
    left, top, right, bottom = masks.extents.T
    off = np.maximum(
        np.maximum(np.abs(x - left), np.abs(x + w - right)) - np.maximum(EDGE * w, PIXELS),
        np.maximum(np.abs(y - top), np.abs(y + h - bottom)) - np.maximum(EDGE * h, PIXELS),
    )
    rows = np.flatnonzero(annotations.has_box & masks.is_sound & (off > 0))
    collector.add(
        *("bbox-mask-mismatch", records, rows, f"{_BOX}, but the mask is in {_MASK_BOX}"),
        field=FIELD,
        **_sides(boxes, rows),
        mx=left[rows],
        my=top[rows],
        mw=(right - left)[rows],
        mh=(bottom - top)[rows],
    )


_MASK_BOX = "[{mx:.6g}, {my:.6g}, {mw:.6g}, {mh:.6g}]"


def _check_missing(
    collector: Collector, annotations: Annotations, masks: Masks, rows: Ints
) -> None:
    left, top, right, bottom = masks.extents.T
    box = np.stack([left, top, right - left, bottom - top], axis=1)

    def fix(at: int) -> list[tuple[int, int, bytes]]:
        text = ", ".join(plain(value) for value in box[rows[at]].tolist())
        return insertion(annotations, int(rows[at]), FIELD, f"[{text}]")

    collector.add(
        *("bbox-missing", annotations.records, rows, "has no bbox"),
        field=FIELD,
        fixable=masks.is_sound[rows],
        fix=fix,
    )


def check_areas(collector: Collector, annotations: Annotations, masks: Masks) -> None:
    """Find areas that are missing, or can't be right."""
    records, boxes = annotations.records, annotations.boxes
    numbers = records.numbers("area")
    check_number(collector, records, "area", numbers)
    area = numbers.floats
    box_area = np.where(annotations.has_box, boxes[:, 2] * boxes[:, 3], np.nan)
    no_mask = ~masks.is_polygon & ~masks.is_rle
    new = np.where(masks.is_plain, masks.area, np.where(no_mask, box_area, np.nan))
    rows = np.flatnonzero(lacking(records, "area"))
    collector.add(
        *("area-missing", records, rows, "has no area"),
        field="area",
        fixable=np.isfinite(new[rows]),
        fix=lambda at: insertion(annotations, int(rows[at]), "area", plain(float(new[rows[at]]))),
    )
    invalid = np.flatnonzero((area < 0) | ((area == 0) & annotations.has_box))
    collector.add(
        *("area-invalid", records, invalid, "area is {area:g}"), field="area", area=area[invalid]
    )
    # Rounding to pixels moves the border of a mask by about a pixel.
    around = BORDER * 2 * (masks.extents[:, 2] - masks.extents[:, 0])
    around += BORDER * 2 * (masks.extents[:, 3] - masks.extents[:, 1])
    off = masks.is_plain & (np.abs(area - masks.area) > AREA * masks.area + around)
    side = np.sqrt(box_area)
    large = ~off & (area > (1 + AREA) * box_area + 4 * BORDER * side)
    for bad, other, what in ((off, masks.area, "mask"), (large, box_area, "box")):
        some = np.flatnonzero(bad & (area > 0))
        collector.add(
            *(
                "area-mismatch",
                records,
                some,
                f"area is {{area:.6g}}, that of the {what} {{o:.6g}}",
            ),
            field="area",
            area=area[some],
            o=other[some],
        )


def check_crowd(collector: Collector, annotations: Annotations, masks: Masks) -> None:
    """Find crowd regions that are no run lengths, and annotations that do not say what they are."""
    records = annotations.records
    bad = np.flatnonzero(annotations.crowd & masks.is_polygon & masks.is_sound)
    collector.add(
        *("crowd-with-polygon", records, bad, "a crowd region is given as polygons"),
        field="segmentation",
    )
    none = lacking(records, "iscrowd")
    section = collector.document.sections.get("annotations")
    if none.all() and len(none) and section is not None:
        place = Place("$.annotations", section.start, section.stop)
        collector.add_places("iscrowd-missing", [place], "no annotation has iscrowd")
        return
    rows = np.flatnonzero(none)
    collector.add(
        *("iscrowd-missing", records, rows, "has no iscrowd"),
        field="iscrowd",
        fixable=~masks.is_rle[rows],
        fix=lambda at: insertion(annotations, int(rows[at]), "iscrowd", "0"),
    )


def insertion(
    annotations: Annotations, row: int, field: str, value: str
) -> list[tuple[int, int, bytes]]:
    """Return the change that gives an entry a member, or another value where it has null."""
    records = annotations.records
    if records.kinds(field)[row] == places.NULL:
        place = records.where(row, field)
        return [(place.start, place.stop, value.encode())]
    start, stop = int(records.starts[row]), int(records.stops[row])
    text = records.document.raw(start, stop)
    at = start + len(text[:-1].rstrip())
    comma = b"" if text[: at - start] == b"{" else b","
    space = text[1 : len(text) - len(text[1:].lstrip())]
    colon = b": " if b'": ' in text else b":"
    gap = space or (b" " if colon == b": " else b"")
    new = comma + (gap if comma else b"") + b'"%s"' % field.encode() + colon + value.encode()
    return [(at, at, new)]


def plain(value: float) -> str:
    """Return a number without needless digits.

    Examples
    --------
    >>> plain(12.0), plain(0.1 + 0.2)
    ('12', '0.3')
    """
    text = f"{round(value, 6):.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
