"""What is wrong with a file before one looks at boxes: bytes, keys, sections, ids."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from goldlabel.coco.collecting import Collector
from goldlabel.coco.instances import Annotations, Instances
from goldlabel.formats.coco.dataset import SECTIONS
from goldlabel.formats.json import places as json_places
from goldlabel.formats.json import scan
from goldlabel.formats.json.document import (
    DECODER,
    Document,
    Odd,
    invalid_utf8,
)
from goldlabel.formats.json.records import NO_ID, Place, Records
from goldlabel.formats.json.text import members
from goldlabel.kernels._jit import frozen
from goldlabel.typing import Ints

__all__ = ["add_dangling", "check_bytes", "check_dangling", "check_references", "check_sections"]


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
        _places(document, broken),
        "the bytes {bytes} are not UTF-8",
        bytes=[document.raw(start, stop).hex() for start, stop in broken],
    )
    numbers = [odd for odd in document.odd if _is_infinite(document, odd)]
    collector.add_places(
        "not-finite",
        _places(document, [(odd.start, odd.stop) for odd in numbers]),
        "{number} is no finite number",
        number=[_short(document, odd) for odd in numbers],
    )
    _check_keys(collector)


def _places(document: Document, spans: list[tuple[int, int]]) -> list[Place]:
    paths = document.paths_to([start for start, _ in spans])
    return [Place(path, *span) for path, span in zip(paths, spans, strict=True)]


def _is_infinite(document: Document, odd: Odd) -> bool:
    if odd.kind == scan.HUGE:
        return math.isinf(float(document.raw(odd.start, odd.stop)))
    return odd.kind == scan.NOT_FINITE


def _short(document: Document, odd: Odd) -> str:
    text = document.raw(odd.start, min(odd.stop, odd.start + 20)).decode("latin-1")
    return text if odd.stop - odd.start <= 20 else text + "…"


def _check_keys(collector: Collector) -> None:
    """Find keys that are there twice, and those among them that say the same twice."""
    document = collector.document
    kinds = (scan.SAME_KEY, scan.MANY_KEYS)
    objects = {odd.start for odd in document.odd if odd.kind in kinds} - {document.root.start}
    found = [_Repeated(key, start, stop, None) for key, start, stop in document.repeated]
    starts = frozen(np.array(sorted(objects), dtype=np.int64))
    stops = np.empty_like(starts)
    json_places.value_ends(document.data, starts, stops)
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        found += _keys(document, start, stop)
    places = _places(document, [(each.start, each.stop) for each in found])
    collector.add_places(
        *("duplicate-key", places, "the key {key} is there twice"),
        fixable=[each.removal is not None for each in found],
        fix=lambda at: [(*(found[at].removal or (0, 0)), b"")],
        key=[json.dumps(each.key[:60], ensure_ascii=False) for each in found],
    )


@dataclass(frozen=True)
class _Repeated:
    """A member whose key came before: its value, and what to cut out if nothing is lost."""

    key: str
    start: int
    stop: int
    removal: tuple[int, int] | None


def _keys(document: Document, start: int, stop: int) -> Iterator[_Repeated]:
    """Yield the members of an object whose keys came before."""
    text = document.raw(start, stop).decode("latin-1")
    first: dict[str, str] = {}
    before = 0
    for key, _, begin, end in members(text, decoder=DECODER):
        value = text[begin:end]
        if key in first:
            removal = (start + before, start + end) if first[key] == value else None
            name = key.encode("latin-1", "replace").decode("utf-8", "replace")
            yield _Repeated(name, start + begin, start + end, removal)
        first.setdefault(key, value)
        before = end


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
