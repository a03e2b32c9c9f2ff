"""Segmentations: polygons and run lengths, their areas and extents, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from goldlabel.coco import polygons
from goldlabel.coco.collecting import Collector
from goldlabel.coco.instances import Annotations, Instances
from goldlabel.formats.coco.run_lengths import read_run_lengths
from goldlabel.formats.json import numbers, places
from goldlabel.formats.json.document import DECODER
from goldlabel.formats.json.records import Records
from goldlabel.formats.json.text import elements
from goldlabel.kernels.rows import each_block
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["Masks", "check_masks"]


FIELD = "segmentation"
BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Masks:
    """What is known of the masks of annotations.

    Attributes
    ----------
    is_sound : ndarray of shape (n,), bool
        There is a mask, and nothing is wrong with it.
    area : ndarray of shape (n,), float64
    extents : ndarray of shape (n, 4), float64
        Left, top, right and bottom.
    is_plain : ndarray of shape (n,), bool
        The area is exact: run lengths, or one polygon whose edges do not cross.
    is_polygon, is_rle : ndarray of shape (n,), bool
        What the segmentation is, sound or not.
    """

    is_sound: Mask
    area: Floats
    extents: Floats
    is_plain: Mask
    is_polygon: Mask
    is_rle: Mask


def check_masks(
    collector: Collector, instances: Instances, annotations: Annotations, tolerance: float
) -> Masks:
    """Read all segmentations, and find what is wrong with them."""
    records = annotations.records
    n = len(records)
    kinds = records.kinds(FIELD)
    masks = Masks(
        np.zeros(n, dtype=bool), np.zeros(n), np.full((n, 4), np.nan), np.zeros(n, dtype=bool),
        kinds == places.LIST, kinds == places.OBJECT,
    )  # fmt: skip
    allowed = (places.MISSING, places.NULL, places.LIST, places.OBJECT)
    _add_format(collector, records, np.flatnonzero(~np.isin(kinds, allowed)))
    _check_polygons(collector, annotations, masks)
    _check_runs(collector, instances, annotations, masks)
    _check_inside(collector, instances, annotations, masks, tolerance)
    return masks


def _add_format(collector: Collector, records: Records, rows: Ints) -> None:
    collector.add(
        *("segmentation-format", records, rows, "segmentation is {value}"),
        field=FIELD,
        value=records.raw(rows, FIELD),
    )


@dataclass(frozen=True, eq=False)
class _Polygons:
    rows: Ints
    reading: Ints
    flags: Ints
    firsts: Ints
    parts: Ints
    extents: Floats


def _read_polygons(records: Records, rows: Ints) -> _Polygons:
    """Read and judge the polygons of these entries, in blocks, on all cores."""
    m = len(rows)
    starts, stops = (each[rows] for each in records.spans(FIELD))
    kinds = records.kinds(FIELD)[rows]
    found = _Polygons(
        *(rows, np.zeros(m, dtype=np.int64), np.zeros(m, dtype=np.int64)),
        np.zeros((m, polygons.BITS), dtype=np.int64),
        *(np.zeros(m, dtype=np.int64), np.zeros((m, 5))),
    )

    def work(worker: int, block: int, part: slice) -> None:
        room = int((stops[part] - starts[part]).sum()) // 2 + 2
        values, parts = np.empty(room), np.empty(room, dtype=np.int64)
        owners = np.empty(part.stop - part.start + 1, dtype=np.int64)
        numbers.point_lists(
            *(records.document.data, starts[part], kinds[part], places.LIST),
            *(values, parts, owners, found.reading[part]),
        )
        longest = int(np.diff(parts[: owners[-1] + 1]).max(initial=0)) // 2 + 1
        polygons.polygons(
            *(values, parts, owners, np.empty((longest, 2))),
            np.empty((longest // polygons.RUN + 1, 4)),
            *(found.extents[part], found.flags[part], found.firsts[part]),
        )
        found.parts[part] = np.diff(owners)

    each_block(work, m, BLOCK)
    return found


_PARTS = {
    polygons.ODD_LENGTH: ("polygon-odd-length", "a polygon has an odd count of numbers"),
    polygons.TOO_SHORT: ("polygon-too-short", "a polygon has fewer than three points"),
    polygons.NO_AREA: ("polygon-no-area", "a polygon covers nothing"),
    polygons.CROSSING: ("polygon-crosses-itself", "edges of a polygon cross"),
    polygons.MANY_POINTS: (
        "polygon-not-searched",
        f"a polygon has more than {polygons.POINTS:,} points",
    ),
}


def _check_polygons(collector: Collector, annotations: Annotations, masks: Masks) -> None:
    records = annotations.records
    found = _read_polygons(records, np.flatnonzero(masks.is_polygon))
    rows = found.rows
    _add_format(collector, records, rows[found.reading & numbers.NOT_NUMBERS != 0])
    is_read = found.reading & ~numbers.FLAT == 0
    flat = rows[is_read & (found.reading == numbers.FLAT)]
    starts, stops = records.spans(FIELD)
    collector.add(
        *("polygon-not-nested", records, flat, "a polygon is not in a list of polygons"),
        field=FIELD,
        fixable=True,
        fix=lambda at: [
            (int(starts[flat[at]]), int(starts[flat[at]]), b"["),
            (int(stops[flat[at]]), int(stops[flat[at]]), b"]"),
        ],
    )
    for bit, (code, text) in _PARTS.items():
        bad = is_read & (found.flags & bit != 0)
        first = found.firsts[bad, bit.bit_length() - 1]
        is_flat = found.reading[bad] == numbers.FLAT
        for flatly in (False, True):
            mine = is_flat == flatly
            parts = None if flatly else first[mine].tolist()
            collector.add(code, records, rows[bad][mine], text, field=FIELD, parts=parts)
    _check_empty(collector, annotations, found, is_read)
    harmless = polygons.CROSSING | polygons.MANY_POINTS | polygons.EMPTY
    sound = is_read & (found.flags & ~harmless == 0) & (found.extents[:, 0] > 0)
    masks.is_sound[rows] = sound
    masks.area[rows] = found.extents[:, 0]
    masks.extents[rows] = found.extents[:, 1:]
    plain = sound & (found.parts == 1) & (found.flags == 0)
    masks.is_plain[rows] = plain


def _check_empty(
    collector: Collector, annotations: Annotations, found: _Polygons, is_read: Mask
) -> None:
    """Find parts without points, and masks without parts."""
    records, rows = annotations.records, found.rows
    bad = is_read & (found.flags & polygons.EMPTY != 0)
    first = found.firsts[bad, polygons.EMPTY.bit_length() - 1]
    starts, stops = records.spans(FIELD)
    some = rows[bad]
    # Other parts stay, whatever else is wrong with them.
    stays = np.array([_has_points(records, row) for row in some.tolist()], dtype=bool)

    def cut(at: int) -> list[tuple[int, int, bytes]]:
        start, stop = int(starts[some[at]]), int(stops[some[at]])
        text = records.document.raw(start, stop).decode("latin-1")
        spans = [
            (a, b, len(value) not in (0, 2)) for value, a, b in elements(text, decoder=DECODER)
        ]
        return [(start + a, start + b, b"") for a, b in removals(spans)]

    collector.add(
        *("polygon-empty-part", records, some, "a part of the mask has no point, or one"),
        field=FIELD,
        parts=first.tolist(),
        fixable=stays & (found.reading[bad] == 0),
        fix=cut,
    )
    empty = rows[is_read & (found.parts == 0)]
    if len(empty) < len(rows):
        collector.add("segmentation-empty", records, empty, "segmentation is empty", field=FIELD)


def _has_points(records: Records, row: int) -> bool:
    start, stop = (int(each[row]) for each in records.spans(FIELD))
    parts = records.document.value(start, stop)
    return any(isinstance(part, list) and len(part) not in (0, 2) for part in parts)


def removals(spans: list[tuple[int, int, bool]]) -> list[tuple[int, int]]:
    """Return what to cut out of a list, so that the entries that stay keep what is between them.

    Parameters
    ----------
    spans : list of (start, end, stays)
        At least one entry stays.

    Examples
    --------
    >>> text = "[], [1, 2], []"
    >>> removals([(0, 2, False), (4, 10, True), (12, 14, False)])
    [(0, 4), (10, 14)]
    """
    cuts, has_kept = [], False
    for at, (start, stop, stays) in enumerate(spans):
        if stays:
            has_kept = True
        elif has_kept:
            cuts.append((spans[at - 1][1], stop))
        else:
            cuts.append((start, spans[at + 1][0]))
    return cuts


def _check_runs(
    collector: Collector, instances: Instances, annotations: Annotations, masks: Masks
) -> None:
    records = annotations.records
    rows = np.flatnonzero(masks.is_rle)
    sizes, is_listed, readable, extents, flags = read_run_lengths(records, rows)
    bad = ~readable | (flags & (numbers.RLE_MALFORMED | numbers.RLE_NEGATIVE) != 0)
    collector.add(
        *("rle-malformed", records, rows[bad], "run lengths can't be read: {value}"),
        field=FIELD,
        value=records.raw(rows[bad], FIELD),
    )
    short = readable & (flags == numbers.RLE_SIZE)
    pixels = (sizes[:, 0] * sizes[:, 1])[short]
    collector.add(
        *("rle-count-mismatch", records, rows[short], "covers {sum:,} of {pixels:,.0f} pixels"),
        field=FIELD,
        sum=extents[short, 5],
        pixels=pixels,
    )
    other = _check_mask_sizes(collector, instances, annotations, rows, sizes, readable)
    _check_uncompressed(collector, annotations, rows[readable & is_listed])
    sound = readable & (flags == 0) & (extents[:, 0] > 0)
    masks.is_sound[rows] = sound & ~other
    masks.is_plain[rows] = sound & ~other
    masks.area[rows] = extents[:, 0]
    masks.extents[rows] = np.where(sound[:, None], extents[:, 1:5], np.nan)


def _check_mask_sizes(
    collector: Collector,
    instances: Instances,
    annotations: Annotations,
    rows: Ints,
    sizes: Floats,
    readable: Mask,
) -> Mask:
    """Return which masks are of another size than their image."""
    image = annotations.image_rows[rows]
    given = np.stack([_at(instances.heights, image), _at(instances.widths, image)], axis=1)
    other = readable & np.isfinite(given).all(axis=1) & (sizes != given).any(axis=1)
    collector.add(
        "rle-size-mismatch",
        *(annotations.records, rows[other]),
        "the mask is {h:g} x {w:g}, height by width, and its image {ih:g} x {iw:g}",
        field=FIELD,
        h=sizes[other, 0],
        w=sizes[other, 1],
        ih=given[other, 0],
        iw=given[other, 1],
    )
    return np.asarray(other)


def _check_uncompressed(collector: Collector, annotations: Annotations, rows: Ints) -> None:
    single = rows[~annotations.crowd[rows]]
    text = "run lengths of one object, as a list; COCO gives polygons"
    collector.add("rle-without-crowd", annotations.records, single, text, field=FIELD)


def _check_inside(
    collector: Collector,
    instances: Instances,
    annotations: Annotations,
    masks: Masks,
    tolerance: float,
) -> None:
    """Find polygons that leave their image."""
    width = _at(instances.widths, annotations.image_rows)
    height = _at(instances.heights, annotations.image_rows)
    left, top, right, bottom = masks.extents.T
    over = np.maximum.reduce([-left, -top, right - width, bottom - height])
    bad = np.flatnonzero(masks.is_polygon & masks.is_sound & (over > tolerance))
    collector.add(
        *("polygon-exceeds-image", annotations.records, bad, "reaches {over:.4g} px out of it"),
        field=FIELD,
        over=over[bad],
    )


def _at(values: Floats, rows: Ints) -> Floats:
    """Return values by position; NaN where there is none."""
    if not len(values):
        return np.full(len(rows), np.nan)
    return np.where(rows >= 0, values[np.maximum(rows, 0)], np.nan)
