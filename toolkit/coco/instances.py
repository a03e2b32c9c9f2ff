"""A COCO file as columns: images, categories, annotations; and whether their types are right."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from goldlabel.coco.collecting import Collector
from goldlabel.formats.coco.dataset import section
from goldlabel.formats.coco.ids import rows_of
from goldlabel.formats.json import numbers as json_numbers
from goldlabel.formats.json import places
from goldlabel.formats.json.document import Document, Section
from goldlabel.formats.json.records import (
    NO_ID,
    Numbers,
    Place,
    Records,
)
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["Annotations", "Instances", "load_annotations", "load_instances"]


TEXTS = (json_numbers.TEXT_WHOLE, json_numbers.TEXT_NUMBER)
_WHOLE = (json_numbers.WHOLE, json_numbers.ROUND, json_numbers.TEXT_WHOLE)
_NOTHING = (places.MISSING, places.NULL)


@dataclass(frozen=True, eq=False)
class Annotations:
    """Annotations or predictions.

    Attributes
    ----------
    records : Records
    ids, images, categories : ndarray of shape (n,), int64
        Codes of `Ids`.
    image_rows, category_rows : ndarray of shape (n,), int64
        Positions in `Instances`; -1 where there is none.
    boxes : ndarray of shape (n, 4), float64
        Left, top, width, height; NaN where there are not four finite numbers.
    crowd : ndarray of shape (n,), bool
    """

    records: Records
    ids: Ints
    images: Ints
    categories: Ints
    image_rows: Ints
    category_rows: Ints
    boxes: Floats
    crowd: Mask

    def __len__(self) -> int:
        return len(self.records)

    @property
    def has_box(self) -> Mask:
        """Whether there is a box with width and height."""
        return np.asarray((self.boxes[:, 2] > 0) & (self.boxes[:, 3] > 0))


@dataclass(frozen=True, eq=False)
class Instances:
    """What a file lists.

    Attributes
    ----------
    document : Document
    images, categories : Records
    image_ids, category_ids : ndarray of int64
        Codes of `Ids`.
    widths, heights : ndarray of float64
        NaN where there is none that makes sense.
    file_names : list of str or None
    """

    document: Document
    images: Records
    categories: Records
    image_ids: Ints
    category_ids: Ints
    widths: Floats
    heights: Floats
    file_names: list[str | None]


def load_instances(document: Document, collector: Collector) -> Instances:
    """Read images and categories, and say what is wrong with their types."""
    images = Records(document, section(document, "images"), ["id", "width", "height", "file_name"])
    categories = Records(document, section(document, "categories"), ["id", "name"])
    image_ids, image_numbers = images.ids("id", collector.ids)
    category_ids, category_numbers = categories.ids("id", collector.ids)
    collector.know(images, {"image_id": image_ids})
    collector.know(categories, {"category_id": category_ids})
    for records, numbers in ((images, image_numbers), (categories, category_numbers)):
        check_objects(collector, records)
        check_ids(collector, records, "id", numbers)
    check_texts(collector, images, "file_name")
    check_texts(collector, categories, "name")
    return Instances(
        document,
        *(images, categories),
        *(image_ids, category_ids),
        *(_size(collector, images, "width"), _size(collector, images, "height")),
        images.texts("file_name"),
    )


def load_annotations(
    instances: Instances,
    document: Document,
    listed: Section,
    collector: Collector,
    *,
    fields: tuple[str, ...],
) -> Annotations:
    """Read annotations or predictions, and say what is wrong with their types."""
    records = Records(document, listed, ["image_id", "category_id", "bbox", *fields])
    images, numbers = records.ids("image_id", collector.ids)
    found = make_annotations(instances, records, collector, images=images, has_ids="id" in fields)
    check_ids(collector, records, "image_id", numbers, instances.image_ids)
    return found


def make_annotations(
    instances: Instances,
    records: Records,
    collector: Collector,
    *,
    images: Ints,
    has_ids: bool,
) -> Annotations:
    """Read what annotations, predictions and panoptic segments have in common."""
    categories, category_numbers = records.ids("category_id", collector.ids)
    ids = np.full(len(records), NO_ID, dtype=np.int64)
    if has_ids:
        ids, numbers = records.ids("id", collector.ids)
    collector.know(records, {"image_id": images, "annotation_id": ids, "category_id": categories})
    check_objects(collector, records)
    if has_ids:
        check_ids(collector, records, "id", numbers)
    if len(records) and lacking(records, "category_id").all():
        whole = Place(records.path(0).removesuffix("[0]"), *_whole(records))
        collector.add_places("field-missing", [whole], "no entry has a category_id")
    else:
        listed = instances.category_ids
        check_ids(collector, records, "category_id", category_numbers, listed)
    has_crowd = "iscrowd" in records.fields
    crowd = _crowd(collector, records) if has_crowd else np.zeros(len(records), bool)
    boxes, _ = records.boxes("bbox")
    return Annotations(
        *(records, ids, images, categories),
        rows_of(images, instances.image_ids),
        rows_of(categories, instances.category_ids),
        *(boxes, crowd),
    )


def _whole(records: Records) -> tuple[int, int]:
    return int(records.starts[0]), int(records.stops[-1])


def check_objects(collector: Collector, records: Records) -> None:
    """Find entries that are no objects."""
    bad = ~records.is_object
    collector.add("not-an-object", records, bad, "is no object")


def lacking(records: Records, field: str) -> Mask:
    """Whether an entry has no value, or null."""
    return np.asarray(np.isin(records.kinds(field), _NOTHING) & records.is_object)


def check_ids(
    collector: Collector,
    records: Records,
    field: str,
    numbers: Numbers,
    listed: Ints | None = None,
) -> None:
    """Find ids that are missing, or no integers; `listed` are those that these refer to."""
    collector.add("field-missing", records, lacking(records, field), f"has no {field}", field=field)
    kinds = records.kinds(field)
    is_id = np.isin(kinds, (places.NUMBER, places.STRING))
    other = ~is_id & ~np.isin(kinds, (*_NOTHING, places.NAN))
    wrong = np.flatnonzero(other)
    collector.add(
        *("wrong-type", records, wrong, "{name} is {value}, not an integer"),
        field=field,
        name=[field] * len(wrong),
        value=records.raw(wrong, field),
    )
    odd = np.flatnonzero(is_id & (numbers.found != json_numbers.WHOLE))
    spelled = np.isin(numbers.found[odd], (json_numbers.ROUND, json_numbers.TEXT_WHOLE))
    # An id that becomes that of another entry would make one of two, or refer to another.
    known = numbers.ints[np.isin(numbers.found, _WHOLE)] if listed is None else listed
    values, counts = np.unique(known, return_counts=True)
    taken = np.isin(numbers.ints[odd], values[counts > 1])
    starts, stops = records.spans(field)
    collector.add(
        *("id-not-integer", records, odd, "{name} is {value}, not an integer"),
        field=field,
        fixable=spelled & ~taken,
        fix=lambda at: [(int(starts[odd[at]]), int(stops[odd[at]]), b"%d" % numbers.ints[odd[at]])],
        name=[field] * len(odd),
        value=records.raw(odd, field),
    )


def check_texts(collector: Collector, records: Records, field: str) -> None:
    """Find names that are missing, or no text."""
    kinds = records.kinds(field)
    collector.add("field-missing", records, lacking(records, field), f"has no {field}", field=field)
    wrong = np.flatnonzero(~np.isin(kinds, (places.STRING, *_NOTHING)))
    collector.add(
        *("wrong-type", records, wrong, f"{field} is {{value}}, not text"),
        field=field,
        value=records.raw(wrong, field),
    )


def check_number(collector: Collector, records: Records, field: str, numbers: Numbers) -> None:
    """Find numbers in quotes, and what is no number."""
    quoted = np.flatnonzero(np.isin(numbers.found, TEXTS))
    starts, stops = records.spans(field)

    def unquote(at: int) -> list[tuple[int, int, bytes]]:
        start, stop = int(starts[quoted[at]]), int(stops[quoted[at]])
        return [(start, stop, records.document.raw(start + 1, stop - 1))]

    collector.add(
        *("number-as-string", records, quoted, f"{field} is {{value}}, not a number"),
        field=field,
        fixable=[is_json_number(text) for text in records.raw(quoted, field)],
        fix=unquote,
        value=records.raw(quoted, field),
    )
    kinds = records.kinds(field)
    other = (numbers.found == json_numbers.OTHER) & ~np.isin(kinds, _NOTHING)
    wrong = np.flatnonzero(other)
    collector.add(
        *("wrong-type", records, wrong, f"{field} is {{value}}, not a number"),
        field=field,
        value=records.raw(wrong, field),
    )


def is_json_number(quoted: str) -> bool:
    """Whether text in quotes is a number as JSON writes it."""
    return bool(re.fullmatch(r'"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?"', quoted, re.ASCII))


def _size(collector: Collector, images: Records, field: str) -> Floats:
    numbers = images.numbers(field)
    check_number(collector, images, field, numbers)
    collector.add("field-missing", images, lacking(images, field), f"has no {field}", field=field)
    is_number = np.isfinite(numbers.floats)
    whole = is_number & (numbers.floats == np.floor(numbers.floats))
    bad = np.flatnonzero(is_number & ~(whole & (numbers.floats > 0)))
    collector.add(
        *("image-size-invalid", images, bad, f"{field} is {{value}}"),
        field=field,
        value=images.raw(bad, field),
    )
    return np.where(whole & (numbers.floats > 0), numbers.floats, np.nan)


def _crowd(collector: Collector, records: Records) -> Mask:
    """Return which annotations are crowd regions; say which do not say so as they should."""
    numbers = records.numbers("iscrowd")
    kinds = records.kinds("iscrowd")
    starts, stops = records.spans("iscrowd")
    is_word = kinds == places.BOOLEAN
    is_true = is_word & (collector.document.data[starts] == ord("t"))
    others = Numbers(numbers.floats, numbers.ints, np.where(is_word, 0, numbers.found))
    check_number(collector, records, "iscrowd", others)
    is_number = np.isfinite(numbers.floats)
    bad = np.flatnonzero((is_number & ~np.isin(numbers.floats, (0, 1))) | is_word)
    collector.add(
        *("iscrowd-invalid", records, bad, "iscrowd is {value}, not 0 or 1"),
        field="iscrowd",
        fixable=is_word[bad],
        fix=lambda at: [(int(starts[bad[at]]), int(stops[bad[at]]), b"%d" % int(is_true[bad[at]]))],
        value=records.raw(bad, "iscrowd"),
    )
    return np.asarray(is_true | (numbers.floats == 1))
