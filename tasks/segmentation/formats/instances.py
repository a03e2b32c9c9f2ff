"""Instances of COCO files and COCO results: read as runs, and written back one by one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from goldlabel.errors import InputError
from goldlabel.formats.json.text import kind_of, parse
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.segmentation.comparing import InstanceMasks
from goldlabel.tasks.segmentation.formats.coco import Coco, described, edited, parsed
from goldlabel.tasks.segmentation.formats.segments import is_mask, segment_runs
from goldlabel.tasks.segmentation.instances import ACTIONS

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
    file = read_text(path)
    coco = Coco(path, parse(file.data.decode("utf-8"), str(path)))
    listed = _results(predictions, coco)
    given, places = [], []
    crowds = bare = 0
    for at, own in enumerate(coco.of_image):
        shape = coco.shape(at)
        kept = []
        for place in own:
            each = coco.annotations[place]
            crowds += bool(each.get("iscrowd"))
            bare += not is_mask(each.get("segmentation"))
            if not each.get("iscrowd") and is_mask(each.get("segmentation")):
                kept.append(place)
        labels = [coco.place[coco.annotations[place]["category_id"]] for place in kept]
        masks = [coco.runs(place, shape) for place in kept]
        given.append(InstanceMasks.from_runs(masks, labels, shape))
        places.append(kept)
    predicted, results = _predicted(coco, listed, predictions)
    count = sum(map(len, places))
    notes = [
        f"Read {path.name} as COCO: {len(given):,} images, {count:,} masks.",
        f"Read {predictions.name} as COCO results: {len(listed):,} masks.",
    ]
    notes += [f"{crowds:,} annotations of crowds were left out."] if crowds else []
    notes += [f"{bare:,} annotations without a mask were left out."] if bare else []
    options = {"encoding": file.encoding, "sha256": file.sha256, "instances": True}
    source = Source("coco", (path,), options, (predictions,))
    return Instances(given, predicted, places, results, coco.classes, coco.names(), source, notes)


def _results(path: Path, coco: Coco) -> list[Any]:
    """Return the results of a file, each with an image and a category that exist."""
    listed = parsed(path)
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise InputError(
            str(path),
            f"is a JSON {kind_of(listed)}, not a list of results",
            "Save COCO results: image_id, category_id, segmentation, score",
        )
    images = {each["id"] for each in coco.images}
    for at, each in enumerate(listed):
        where = f"{path}: result {at + 1}"
        score = each.get("score")
        if not isinstance(score, int | float) or isinstance(score, bool) or not 0 <= score <= 1:
            raise InputError(where, f"has the score {score!r}, not in [0, 1]", "Write it again")
        for name, known in (("image_id", images), ("category_id", coco.place)):
            value = each.get(name)
            if not isinstance(value, int | str) or value not in known:
                raise InputError(
                    where, f"has the {name} {value!r}, which {coco.path.name} lacks", "Mend it"
                )
        if not is_mask(each.get("segmentation")):
            raise InputError(where, "has no mask", "Predict masks; boxes are another task")
    return listed


def _predicted(
    coco: Coco, listed: Sequence[Any], path: Path
) -> tuple[list[InstanceMasks], list[list[int]]]:
    rows = {each["id"]: at for at, each in enumerate(coco.images)}
    results: list[list[int]] = [[] for _ in coco.images]
    for at, each in enumerate(listed):
        results[rows[each["image_id"]]].append(at)
    predicted = []
    for at, own in enumerate(results):
        shape = coco.shape(at)
        masks = [
            segment_runs(listed[place]["segmentation"], shape, f"{path}: result {place + 1}")
            for place in own
        ]
        labels = [coco.place[listed[place]["category_id"]] for place in own]
        scores = [float(listed[place]["score"]) for place in own]
        predicted.append(InstanceMasks.from_runs(masks, labels, shape, scores))
    return predicted, results


def export(source: Source, corrections: pd.DataFrame, out: Path) -> None:
    """Write the COCO file again with masks taken out, put in, redrawn or of another category.

    A correction is a class name, "nothing" (take the mask out) or "as predicted" (draw what the
    model sees in its place). Every other entry keeps its text.

    Raises
    ------
    InputError
        A correction names no finding or class, a file has changed, or `out` can't be written.
    """
    write_text(source, out, lambda file: _changed(source, corrections, file))


def _changed(source: Source, corrections: pd.DataFrame, file: TextFile) -> bytes:
    text = file.data.decode("utf-8")
    coco = Coco(source.files[0], parse(text, str(source.files[0])))
    listed = _results(source.inputs[0], coco) if len(corrections) else []
    edits: dict[int, str | None] = {}
    added: list[str] = []
    numbers = [each["id"] for each in coco.annotations if isinstance(each.get("id"), int)]
    number = max(numbers, default=0)
    columns = (corrections[name].tolist() for name in ("example", "part", "suggested"))
    for row, (example, part, label) in enumerate(zip(*columns, strict=True)):
        where = f"corrections: row {row + 1}"
        own = source.options["findings"].get(str(example), {}).get(str(part))
        if own is None:
            raise InputError(
                where, f"names mask {part!r} of image {example!r}, of which nothing was found",
                "Use the numbers of issues.parquet",
            )  # fmt: skip
        if label not in (*coco.classes, *ACTIONS):
            raise InputError(where, f"suggests {label!r}, which is no class", "Use a class name")
        if label in ACTIONS or not own["given"]:
            edits.update(dict.fromkeys(own["given"]))
        else:
            category = coco.categories[coco.classes.index(label)]["id"]
            for place in own["given"]:
                edits[place] = json.dumps({**coco.annotations[place], "category_id": category})
            continue
        for at in own["predicted"] if label != ACTIONS[0] else ():
            result = listed[at]
            category = result["category_id"]
            if label in coco.classes:
                category = coco.categories[coco.classes.index(label)]["id"]
            shape = coco.shape(int(example))
            mask = segment_runs(result["segmentation"], shape, f"result {at + 1}")
            number += 1
            entry = {"id": number, "image_id": result["image_id"], "category_id": category}
            added.append(json.dumps({**entry, "iscrowd": 0, **described(mask, shape)}))
    return edited(text, edits, added).encode("utf-8")
