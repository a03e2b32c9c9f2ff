"""COCO's panoptic files: an annotation for each image, with its segments inside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from goldlabel.coco.collecting import Collector
from goldlabel.coco.instances import (
    Annotations,
    Instances,
    check_ids,
    check_objects,
    check_texts,
    make_annotations,
)
from goldlabel.coco.schema import add_dangling, repeated
from goldlabel.formats.coco.ids import rows_of
from goldlabel.formats.json import places
from goldlabel.formats.json.document import DECODER, Document, Section
from goldlabel.formats.json.records import Records
from goldlabel.formats.json.text import elements
from goldlabel.typing import Ints

__all__ = ["is_panoptic", "load_panoptic"]


INNER = "segments_info"


class Segments(Records):
    """The segments of all annotations, one after the other."""

    def __init__(
        self,
        document: Document,
        section: Section,
        fields: Sequence[str],
        parents: Records,
        rows: Ints,
        within: Ints,
    ) -> None:
        super().__init__(document, section, fields)
        self._parents, self._rows, self._within = parents, rows, within

    def path(self, row: int) -> str:
        """Return the JSON path of a segment."""
        return f"{self._parents.path(int(self._rows[row]))}.{INNER}[{self._within[row]}]"


def is_panoptic(document: Document, listed: Section) -> bool:
    """Whether the first annotation has segments inside."""
    head = Section(
        listed.name, listed.start, listed.stop, True, listed.starts[:1], listed.stops[:1]
    )
    return bool((Records(document, head, [INNER]).kinds(INNER) == places.LIST).any())


def load_panoptic(
    instances: Instances, document: Document, listed: Section, collector: Collector
) -> Annotations:
    """Read the segments of a panoptic file, and say what is wrong with ids and types."""
    parents = Records(document, listed, ["image_id", "file_name", INNER])
    images, numbers = parents.ids("image_id", collector.ids)
    collector.know(parents, {"image_id": images})
    check_objects(collector, parents)
    check_ids(collector, parents, "image_id", numbers, instances.image_ids)
    check_texts(collector, parents, "file_name")
    add_dangling(
        collector, parents, "image", images, rows_of(images, instances.image_ids), instances
    )
    kinds = parents.kinds(INNER)
    none = np.isin(kinds, (places.MISSING, places.NULL)) & parents.is_object
    collector.add("field-missing", parents, none, f"has no {INNER}", field=INNER)
    wrong = np.flatnonzero(~none & (kinds != places.LIST) & parents.is_object)
    collector.add(
        *("wrong-type", parents, wrong, f"{INNER} is {{value}}, not a list"),
        field=INNER,
        value=parents.raw(wrong, INNER),
    )
    section, rows, within = _inner(document, parents, np.flatnonzero(kinds == places.LIST))
    fields = ["id", "category_id", "bbox", "area", "iscrowd", "segmentation"]
    segments = Segments(document, section, fields, parents, rows, within)
    found = make_annotations(instances, segments, collector, images=images[rows], has_ids=True)
    _check_segment_ids(collector, found)
    return found


def _inner(document: Document, parents: Records, rows: Ints) -> tuple[Section, Ints, Ints]:
    """Return the segments as a section, whose each is, and its number there."""
    starts, stops = parents.spans(INNER)
    spans: list[tuple[int, int, int, int]] = []
    for row in rows.tolist():
        start = int(starts[row])
        text = document.raw(start, int(stops[row])).decode("latin-1")
        for number, (_, begin, end) in enumerate(elements(text, decoder=DECODER)):
            spans.append((start + begin, start + end, row, number))
    table = np.array(spans, dtype=np.int64).reshape(-1, 4).T.copy()
    for column in table:
        column.flags.writeable = False
    return Section(INNER, 0, 0, True, table[0], table[1]), table[2], table[3]


def _check_segment_ids(collector: Collector, segments: Annotations) -> None:
    """Find ids that two segments of an image have, and 0, which means unlabelled there.

    They are colours of an image beside this file, so that no new ones can be given here.
    """
    records = segments.records
    pairs = np.stack([segments.images, segments.ids], axis=1)
    _, codes = np.unique(pairs, axis=0, return_inverse=True)
    again, first = repeated(codes.reshape(-1).astype(np.int64))
    collector.add(
        *("duplicate-annotation-id", records, again, "has the id {id}, as {other} has"),
        field="id",
        id=[collector.ids.show(code) for code in segments.ids[again].tolist()],
        other=[records.path(row) for row in first.tolist()],
    )
    zero = segments.ids == 0
    collector.add("annotation-id-zero", records, zero, "has the id 0", field="id")
