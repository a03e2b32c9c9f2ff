"""Instances of COCO files and COCO results: read as runs, and written back one by one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.changes import by_part, by_position, class_value
from goldlabel.formats.coco.dataset import dataset_of, read_dataset
from goldlabel.formats.coco.edits import edited, next_id
from goldlabel.formats.coco.ids import such
from goldlabel.formats.coco.results import Results, results_of
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.segmentation.comparing import InstanceMasks
from goldlabel.tasks.segmentation.formats.coco import FIELDS, Coco, described, positions
from goldlabel.tasks.segmentation.formats.segments import is_mask, segment_runs
from goldlabel.tasks.segmentation.instances import ACTIONS
from goldlabel.tasks.segmentation.painting import PAINT

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Instances", "export", "read"]


class Instances(NamedTuple):
    """What `read` gives.

    Attributes
    ----------
    given, predicted : list of InstanceMasks
        Of each image.
    places, results : list of list of int
        Of each image, where its masks are in the list of annotations, and in that of results.
    classes : list of str
    ids : list of str
    source : Source
    notes : list of str
    """

    given: list[InstanceMasks]
    predicted: list[InstanceMasks]
    places: list[list[int]]
    results: list[list[int]]
    classes: list[str]
    ids: list[str]
    source: Source
    notes: list[str]


def read(path: Path, predictions: Path) -> Instances:
    """Read a COCO file and COCO results.

    Annotations without a mask, and those marked as crowd, are left out.

    Raises
    ------
    InputError
        One of the files is no such file, or an entry of it is broken.
    """
    coco = Coco(read_dataset(path, fields=FIELDS))
    listed = _results(predictions, coco)
    keeps = coco.has_mask & ~coco.is_crowd
    given, places = [], []
    for at, own in enumerate(coco.of_image):
        shape = coco.shape(at)
        kept = [place for place in own if keeps[place]]
        masks = [coco.runs(place, shape) for place in kept]
        given.append(InstanceMasks.from_runs(masks, list(map(coco.category, kept)), shape))
        places.append(kept)
    predicted = [listed.masks(at, coco.shape(at)) for at in range(len(given))]
    crowds, bare = np.count_nonzero(coco.is_crowd), np.count_nonzero(~coco.has_mask)
    count = sum(map(len, places))
    notes = [
        f"Read {path.name} as COCO: {len(given):,} images, {count:,} masks.",
        f"Read {predictions.name} as COCO results: {len(listed.results.records):,} masks.",
    ]
    notes += [f"{crowds:,} annotations of crowds were left out."] if crowds else []
    notes += [f"{bare:,} annotations without a mask were left out."] if bare else []
    file = coco.dataset.file
    options = {"encoding": file.encoding, "sha256": file.sha256, "instances": True}
    source = Source("coco", (path,), options, (predictions,))
    return Instances(
        given, predicted, places, listed.of_image, coco.classes, coco.names(), source, notes
    )


class _Predicted(NamedTuple):
    """Results, by the images and categories of a COCO file."""

    results: Results
    of_image: list[list[int]]
    categories: npt.NDArray[np.int64]
    path: Path

    def runs(self, place: int, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
        records = self.results.records
        value = records.values("segmentation", np.array([place]))[0]
        return segment_runs(value, shape, records.place_in(self.path, place))

    def masks(self, at: int, shape: tuple[int, int]) -> InstanceMasks:
        """Return what was found in an image."""
        own = self.of_image[at]
        return InstanceMasks.from_runs(
            [self.runs(place, shape) for place in own],
            self.categories[own].tolist(),
            shape,
            self.results.scores[own].tolist(),
        )


def _results(path: Path, coco: Coco) -> _Predicted:
    """Return the results of a file, each with an image and a category that exist, and a mask."""
    results = results_of(read_text(path), ("segmentation",))
    records, dataset = results.records, coco.dataset
    rows = []
    for field, own, named, known in (
        ("image_id", results.image_rows, results.image_ids, dataset.image_ids),
        ("category_id", results.category_rows, results.category_ids, dataset.category_ids),
    ):
        place = {name: at for at, name in enumerate(known)}
        found = np.array([place.get(name, -1) for name in named], dtype=np.int64)[own]
        bad = np.flatnonzero(found < 0)
        if bad.size:
            what = f"has the {field} {named[own[bad[0]]]!r}, which {dataset.path.name} lacks"
            raise InputError(records.place_in(path, bad[0]), what + such(bad), "Mend it")
        rows.append(found)
    bare = np.flatnonzero(~is_mask(records))
    if bare.size:
        raise InputError(
            records.place_in(path, bare[0]),
            f"has no mask{such(bare)}",
            "Predict masks; boxes are another task",
        )
    return _Predicted(results, positions(rows[0], len(dataset.images)), rows[1], path)


def export(source: Source, corrections: pd.DataFrame, out: Path) -> None:
    """Write the COCO file again with masks taken out, put in, redrawn or of another category.

    A correction is a class name, "nothing" (take the mask out) or "as predicted" (draw what the
    model sees in its place). Every other entry keeps its text.

    Raises
    ------
    InputError
        A correction names no finding or class, a file has changed, or `out` can't be written.
    """
    write_text(
        source,
        out,
        lambda file: _changed(source, corrections, file) if len(corrections) else file.data,
    )


def _changed(source: Source, corrections: pd.DataFrame, file: TextFile) -> bytes:
    dataset = dataset_of(file, FIELDS)
    coco = Coco(dataset)
    listed = _results(source.inputs[0], coco)
    ids = dict(zip(coco.classes, dataset.category_ids, strict=True))
    new: dict[int, int | str] = {}
    removed: set[int] = set()
    added: list[str] = []
    number = next_id(dataset.annotations)
    findings = {
        example: by_position(own)
        for example, own in by_position(source.options["findings"]).items()
    }
    _refuse_paint(corrections)
    value = class_value((*coco.classes, *ACTIONS), (*coco.classes, *ACTIONS))
    changes = by_part(corrections, value, parts=findings, named="mask")
    for (example, part), label in changes.items():
        own = findings[example][part]
        if label not in ACTIONS and own["given"]:
            new.update(dict.fromkeys(own["given"], ids[label]))
            continue
        removed.update(own["given"])
        for at in own["predicted"] if label != ACTIONS[0] else ():
            identity = {} if number is None else {"id": number + len(added)}
            entry = _entry(coco, listed, example, at, ids.get(label))
            added.append(json.dumps({**identity, **entry}))
    edits = [
        edit
        for place, category in new.items()
        if place not in removed
        for edit in coco.with_members(place, {"category_id": category})
    ]
    section = dataset.document.sections["annotations"]
    return edited(dataset.document, section, edits, removed=removed, added=added)


def _refuse_paint(corrections: pd.DataFrame) -> None:
    """Refuse pixels that a person has drawn: which instance they belong to is not said."""
    if (
        PAINT in corrections
        and (drawn := corrections[PAINT].map(lambda each: isinstance(each, str))).any()
    ):
        raise InputError(
            f"corrections: row {int(drawn.to_numpy().argmax()) + 1}",
            "draws pixels, and instances can only be given another class, removed or drawn as"
            " predicted",
            f"Leave {PAINT!r} empty",
        )


def _entry(
    coco: Coco, listed: _Predicted, example: int, at: int, category: int | str | None
) -> dict[str, Any]:
    """Return a result as an annotation, of its own category if none is given."""
    shape = coco.shape(example)
    ids = coco.dataset.category_ids
    return {
        "image_id": coco.dataset.image_ids[example],
        "category_id": ids[listed.categories[at]] if category is None else category,
        "iscrowd": 0,
        **described(listed.runs(at, shape), shape),
    }
