"""What is wrong with a file before one looks at boxes: bytes, keys, sections, ids."""

from __future__ import annotations

import json
import math

import numpy as np
import numpy.typing as npt

from goldlabel.coco.collecting import Collector
from goldlabel.coco.document import Document, Odd, invalid_utf8
from goldlabel.coco.instances import Annotations, Instances
from goldlabel.coco.records import NO_ID, Place, Records
from goldlabel.kernels import json_scan
from goldlabel.tables.json_text import members

__all__ = ["add_dangling", "check_bytes", "check_dangling", "check_references", "check_sections"]

Ints = npt.NDArray[np.int64]

SECTIONS = ("images", "annotations", "categories")
LARGEST_ID = (1 << 53) - 1
"""Ids beyond this are not exact where numbers are floats, as in JavaScript."""


def check_bytes(collector: Collector) -> None:
    """Find what is no JSON though it can be read, and keys that are there twice."""
    document = collector.document
    if document.has_mark:
        collector.add_places(
            *("byte-order-mark", [Place("$", 0, 3)], "begins with a byte-order mark"),
            fixable=True,
            fix=lambda at: [(0, 3, b"")],
        )
    broken = invalid_utf8(document.data)
    collector.add_places(
        "invalid-utf8",
        [Place(document.path_to(start), start, stop) for start, stop in broken],
        "the bytes {bytes} are not UTF-8",
        bytes=[document.raw(start, stop).hex() for start, stop in broken],
    )
    numbers = [odd for odd in document.odd if _is_infinite(document, odd)]
    collector.add_places(
        "not-finite",
        [Place(document.path_to(odd.start), odd.start, odd.stop) for odd in numbers],
        "{number} is no finite number",
        number=[_short(document, odd) for odd in numbers],
    )
    _check_keys(collector)


def _is_infinite(document: Document, odd: Odd) -> bool:
    if odd.kind == json_scan.HUGE:
        return math.isinf(float(document.raw(odd.start, odd.stop)))
    return odd.kind == json_scan.NOT_FINITE


def _short(document: Document, odd: Odd) -> str:
    text = document.raw(odd.start, min(odd.stop, odd.start + 20)).decode("latin-1")
    return text if odd.stop - odd.start <= 20 else text + "…"


def _check_keys(collector: Collector) -> None:
    """Find keys that are there twice, and those among them that say the same twice."""
    document = collector.document
    kinds = (json_scan.SAME_KEY, json_scan.MANY_KEYS)
    objects = dict.fromkeys(odd.start for odd in document.odd if odd.kind in kinds)
    places: list[Place] = []
    keys: list[str] = []
    removals: list[tuple[int, int] | None] = []
    for start in objects:
        found = _root_keys(document) if start == document.root.start else _keys(document, start)
        for key, place, removal in found:
            keys.append(json.dumps(key, ensure_ascii=False))
            places.append(place)
            removals.append(removal)
    collector.add_places(
        *("duplicate-key", places, "the key {key} is there twice"),
        fixable=[removal is not None for removal in removals],
        fix=lambda at: [(*(removals[at] or (0, 0)), b"")],
        key=keys,
    )


def _keys(document: Document, start: int) -> list[tuple[str, Place, tuple[int, int] | None]]:
    """Return the keys that an object has again: where, and what to cut out if nothing is lost."""
    text = document.raw(start, document.end_around(start)).decode("latin-1")
    first: dict[str, str] = {}
    found = []
    before = 0
    for raw_key, _, begin, stop in members(text):
        key = raw_key.encode("latin-1", "replace").decode("utf-8", "replace")
        value = text[begin:stop]
        if key in first:
            same = first[key] == value
            removal = (start + before, start + stop) if same else None
            place = Place(document.path_to(start + begin), start + begin, start + stop)
            found.append((key, place, removal))
        first.setdefault(key, value)
        before = stop
    return found


def _root_keys(document: Document) -> list[tuple[str, Place, tuple[int, int] | None]]:
    """Return the repeated keys of the root, whose values are too large to be compared here."""
    found: list[tuple[str, Place, tuple[int, int] | None]] = []
    for odd in document.odd:
        if odd.kind == json_scan.SAME_KEY and odd.start == document.root.start:
            raw = document.raw(odd.stop, odd.stop + 1000).decode("utf-8", "replace")
            key, length = json.JSONDecoder().raw_decode(raw)
            found.append((str(key), Place("$", odd.stop, odd.stop + length), None))
    return found


def check_sections(collector: Collector) -> None:
    """Find sections that are missing."""
    document = collector.document
    for name in SECTIONS:
        section = document.sections.get(name)
        if section is None:
            collector.add_places(
                "missing-section",
                [Place("$", document.root.start, document.root.start + 1)],
                f"has no {name}",
            )
        elif not section.is_list:
            collector.add_places(
                "missing-section",
                [Place(f"$.{name}", section.start, section.stop)],
                f"{name} is no list",
            )


def check_references(
    collector: Collector, instances: Instances, annotations: Annotations, *, is_panoptic: bool
) -> None:
    """Find ids that two entries have, the id 0, and ids that nothing has."""
    _check_repeated(collector, "image", instances.images, instances.image_ids)
    _check_repeated(collector, "category", instances.categories, instances.category_ids)
    if not is_panoptic:
        _check_annotation_ids(collector, annotations)
    check_dangling(collector, instances, annotations)


def check_dangling(collector: Collector, instances: Instances, annotations: Annotations) -> None:
    """Find annotations, or predictions, of images and categories that there are none of."""
    records = annotations.records
    if "image_id" in records.fields:
        images, rows = annotations.images, annotations.image_rows
        add_dangling(collector, records, "image", images, rows, instances)
    categories, rows = annotations.categories, annotations.category_rows
    add_dangling(collector, records, "category", categories, rows, instances)


def add_dangling(
    collector: Collector,
    records: Records,
    name: str,
    codes: Ints,
    rows: Ints,
    instances: Instances,
) -> None:
    """Find ids that no image, or no category, has."""
    if not len(instances.images if name == "image" else instances.categories):
        return  # said once, as a section that is missing
    bad = np.flatnonzero((rows < 0) & (codes != NO_ID))
    collector.add(
        *(f"dangling-{name}-id", records, bad, f"no {name} has the id {{id}}"),
        field=f"{name}_id",
        id=[collector.ids.show(code) for code in codes[bad].tolist()],
    )


def repeated(codes: Ints) -> tuple[Ints, Ints]:
    """Return the positions of codes that came before, and where they came first."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    earlier = first[inverse]
    again = np.flatnonzero((earlier != np.arange(len(codes))) & (codes != NO_ID))
    return again, earlier[again]


def _check_repeated(collector: Collector, name: str, records: Records, codes: Ints) -> None:
    again, first = repeated(codes)
    collector.add(
        *(f"duplicate-{name}-id", records, again, "has the id {id}, as {other} has"),
        field="id",
        id=[collector.ids.show(code) for code in codes[again].tolist()],
        other=[records.where(row).path for row in first.tolist()],
    )


def _check_annotation_ids(collector: Collector, annotations: Annotations) -> None:
    records, codes = annotations.records, annotations.ids
    again, first = repeated(codes)
    zero = np.flatnonzero(codes == 0)
    renamed = np.union1d(again, zero)
    largest = int(codes.max(initial=0))
    new = dict(zip(renamed.tolist(), range(largest + 1, largest + 1 + len(renamed)), strict=True))
    fixable = largest + len(renamed) <= LARGEST_ID
    starts, stops = records.spans("id")

    def fix_of(rows: Ints) -> object:
        return lambda at: [
            (int(starts[rows[at]]), int(stops[rows[at]]), b"%d" % new[int(rows[at])])
        ]

    collector.add(
        *("duplicate-annotation-id", records, again, "has the id {id}, as {other} has"),
        field="id",
        fixable=fixable,
        fix=fix_of(again),  # type: ignore[arg-type]
        id=[collector.ids.show(code) for code in codes[again].tolist()],
        other=[records.where(row).path for row in first.tolist()],
    )
    collector.add(
        *("annotation-id-zero", records, zero, "has the id 0"),
        field="id",
        fixable=fixable,
        fix=fix_of(zero),  # type: ignore[arg-type]
    )
