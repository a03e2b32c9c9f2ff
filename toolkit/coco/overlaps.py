"""Annotations of one image that are the same, or nearly."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from goldlabel.coco.collecting import Collector
from goldlabel.coco.instances import Annotations
from goldlabel.formats.json.records import Records
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.boxes import OTHER, SAME, near_boxes
from goldlabel.kernels.rows import each_block
from goldlabel.typing import Floats, Ints

__all__ = ["check_overlaps", "same_entries"]


BLOCK = 512


def check_overlaps(collector: Collector, annotations: Annotations, iou: float) -> None:
    """Find annotations that are there twice, and boxes that are nearly the same."""
    records = annotations.records
    usable = (annotations.image_rows >= 0) & np.isfinite(annotations.boxes).all(axis=1)
    again, first = same_entries(annotations, np.flatnonzero(usable))
    stops = records.stops
    collector.add(
        *("exact-duplicate", records, again, "is the same as {other}"),
        fixable=[
            _rest(records, a) == _rest(records, b)
            for a, b in zip(again.tolist(), first.tolist(), strict=True)
        ],
        fix=lambda at: [(int(stops[again[at] - 1]), int(stops[again[at]]), b"")],
        other=[records.where(row).path for row in first.tolist()],
    )
    single = usable & annotations.has_box & ~annotations.crowd
    single[again] = False
    _check_near(collector, annotations, np.flatnonzero(single), iou)


def _rest(records: Records, row: int) -> bytes:
    """Return an entry as it is written, without its id."""
    start, stop = int(records.starts[row]), int(records.stops[row])
    place = records.where(row, "id")
    if place.start == start:
        return records.document.raw(start, stop)
    return records.document.raw(start, place.start) + b"\0" + records.document.raw(place.stop, stop)


def same_entries(
    annotations: Annotations, rows: Ints, more: tuple[npt.NDArray[np.float64], ...] = ()
) -> tuple[Ints, Ints]:
    """Return entries with the image, category, box and mask of an earlier one, and the earlier."""
    columns = [
        *(annotations.image_rows, annotations.categories, annotations.crowd),
        *(*annotations.boxes.T, *more),
    ]
    keys = [column[rows] for column in columns]
    order = np.lexsort((rows, *keys))
    same = np.ones(max(len(rows) - 1, 0), dtype=bool)
    for key in keys:
        ordered = key[order]
        same &= ordered[1:] == ordered[:-1]
    again: list[int] = []
    earlier: list[int] = []
    seen: dict[bytes, int] = {}
    for at in np.flatnonzero(same).tolist():
        if at == 0 or not same[at - 1]:
            seen = {}
            _look(annotations, int(rows[order[at]]), seen, again, earlier)
        _look(annotations, int(rows[order[at + 1]]), seen, again, earlier)
    found = np.argsort(np.array(again, dtype=np.int64))
    return np.array(again, dtype=np.int64)[found], np.array(earlier, dtype=np.int64)[found]


def _look(
    annotations: Annotations, row: int, seen: dict[bytes, int], again: list[int], earlier: list[int]
) -> None:
    """Compare an entry by its mask with those that are the same but for the mask."""
    records = annotations.records
    text = b""
    if "segmentation" in records.fields:
        start, stop = (int(each[row]) for each in records.spans("segmentation"))
        text = blake2b(records.document.raw(start, stop), digest_size=16).digest()
    if text in seen:
        again.append(row)
        earlier.append(seen[text])
    else:
        seen[text] = row


def _check_near(collector: Collector, annotations: Annotations, rows: Ints, iou: float) -> None:
    records = annotations.records
    partners, ious = _partners(annotations, rows, iou)
    for which, code, text in (
        (SAME, "near-duplicate", "is nearly that of {other} of the same category: IoU {iou:.3f}"),
        (OTHER, "same-box-two-categories", "is nearly that of {other} of category {category}: "
         "IoU {iou:.3f}"),
    ):  # fmt: skip
        has = np.flatnonzero(partners[:, which] >= 0)
        pair = np.sort(np.stack([rows[has], rows[partners[has, which]]], axis=1), axis=1)
        pair, at = np.unique(pair, axis=0, return_index=True)
        order = np.lexsort((pair[:, 0], pair[:, 1]))
        first, second = pair[order].T
        collector.add(
            *(code, records, second, f"the box {text}"),
            field="bbox",
            other=[records.where(row).path for row in first.tolist()],
            category=[collector.ids.show(each) for each in annotations.categories[first].tolist()],
            iou=ious[has[at[order]], which],
        )


def _partners(annotations: Annotations, rows: Ints, iou: float) -> tuple[Ints, Floats]:
    """Return for each of the rows the position of its partner, same and other category."""
    images = annotations.image_rows[rows]
    order = np.lexsort((rows, images))
    corners = annotations.boxes[rows[order]]
    corners[:, 2:] += corners[:, :2]
    boxes = frozen(np.ascontiguousarray(corners))
    classes = frozen(np.ascontiguousarray(annotations.categories[rows[order]]))
    begins = np.flatnonzero(np.diff(images[order], prepend=-1))
    offsets = frozen(np.append(begins, len(rows)).astype(np.int64))
    limits = frozen(np.array([iou, iou]))
    partners = np.full((len(rows), 2), -1, dtype=np.int64)
    ious = np.zeros((len(rows), 2))

    def work(worker: int, block: int, part: slice) -> None:
        some = offsets[part.start : part.stop + 1]
        near_boxes(boxes, classes, some, limits, partners, ious)

    each_block(work, len(begins), BLOCK)
    back = np.empty(len(rows), dtype=np.int64)
    back[order] = np.arange(len(rows))
    partners, ious = partners[back], ious[back]
    return np.where(partners >= 0, order[np.maximum(partners, 0)], -1) if len(
        rows
    ) else partners, ious
