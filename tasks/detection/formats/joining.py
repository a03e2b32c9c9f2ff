"""Annotations and predictions of two files put together: the same images, classes and units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.upload_names import by_original_name, original_name
from goldlabel.tasks.detection.boxes import Boxes, Detections, offsets_of
from goldlabel.tasks.detection.data import DetectionData
from goldlabel.tasks.detection.formats.federated import is_looked_for
from goldlabel.tasks.detection.formats.label_paths import new_label_files
from goldlabel.tasks.detection.formats.listed import Listed, stem
from goldlabel.tasks.detection.formats.pictures import Pictures
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["joined"]

_SHOWN = 5


def joined(
    given: Listed,
    found: Listed | None,
    *,
    classes: Sequence[str] | None,
    pictures: Pictures | None,
) -> DetectionData:
    """Return the container of annotations, predictions if there are any, and pictures.

    Raises
    ------
    InputError
        No image of the predictions is one of the annotations, a class of theirs is unknown, or
        units differ and sizes are not known.
    """
    notes = list(given.notes)
    names = _class_names(given, classes)
    image_names, ids, sizes = list(given.names), list(given.ids), given.sizes
    where: Ints = np.empty(0, np.int64)
    if found is not None:
        notes += found.notes
        where, more, told = _places(given, found)
        notes += told
        image_names += [found.names[at] for at in more]
        ids += [found.ids[at] for at in more]
        sizes = np.concatenate([sizes, found.sizes[more]])
    keys = [*given.keys, *map(stem, image_names[len(given.keys) :])]
    if pictures is not None:
        extra = (
            pictures.without_labels(keys) if found is None or given.source.format != "coco" else []
        )
        image_names, ids = [*image_names, *extra], [*ids, *extra]
        keys = [*keys, *map(stem, extra)]
        sizes = np.concatenate([sizes, np.full((len(extra), 2), np.nan)])
        sizes, told = pictures.sizes(image_names, keys, sizes)
        notes += told
    n = len(image_names)
    labels = _annotated(given, n)
    predictions = None
    if found is not None:
        boxes, scores, told = _predicted(given, found, where, names, sizes)
        notes += told
        predictions = _detections(boxes, scores, n, is_looked_for(given, boxes))
        left = len(boxes.boxes) - len(predictions.boxes)
        if left:
            notes.append(
                f"{left:,} predictions of classes that nobody looked for in their image are left"
                " out."
            )
    source = given.source
    options = {
        **source.options,
        "classes": list(names),
        "images": image_names,
        "counts": labels.counts.tolist(),
    }
    if "files" in options:  # a folder with a label file for each image
        own = len(given.keys)
        namer = str(source.files[0] if found is None else found.source.files[0])
        options["new_files"] = new_label_files(
            source, image_names[own:], keys[own:], pictures, namer
        )
    inputs = (
        *source.inputs,
        *(() if found is None else (*found.source.files, *found.source.inputs)),
    )
    return DetectionData(
        labels=labels,
        classes=tuple(names),
        source=replace(source, options=options, inputs=tuple(dict.fromkeys(inputs))),
        ids=_ids(image_names, ids),
        sizes=sizes,
        is_relative=given.is_relative,
        predictions=predictions,
        images=None if pictures is None else pictures.paths(image_names, keys),
        unusable=given.unusable,
        notes=tuple(notes),
    )


def _ids(names: Sequence[str], ids: Sequence[Any]) -> npt.NDArray[Any]:
    """Return file names as the ids if every image has one of its own."""
    good = len(set(names)) == len(names)
    return np.array(list(names) if good else list(map(str, ids)), dtype=object)


def _class_names(given: Listed, classes: Sequence[str] | None) -> tuple[str, ...]:
    if classes is None:
        return given.classes
    if not given.is_named:
        if len(classes) < len(given.classes):
            raise InputError(
                "classes",
                f"names {len(classes)}, and the labels have {len(given.classes)} classes",
                "Name every class, in the order of their numbers",
            )
        return tuple(classes)
    return given.classes


def _places(given: Listed, found: Listed) -> tuple[Ints, list[int], list[str]]:
    """Return which image each one of the predictions is, those to add, and what to say."""
    by_id = {name: at for at, name in enumerate(given.ids)}
    by_name = {str(name): at for at, name in enumerate(given.ids)}
    by_key: dict[str, int] = {}
    for at, key in enumerate(given.keys):
        by_key[key] = -1 if key in by_key else at  # two images of one name tell nothing
    numbers = {key.lstrip("0") or "0": at for key, at in by_key.items() if key.isdigit()}
    ends = _numbers_in(given.keys)
    originals = by_original_name(given.keys)
    ways: list[tuple[str, Any]] = [
        ("id", lambda at: by_id.get(found.ids[at], by_name.get(str(found.ids[at]), -1))),
        ("file name", lambda at: by_key.get(found.keys[at], -1)),
        (
            "file name without the marks of an upload",
            lambda at: originals.get(original_name(found.keys[at]), -1),
        ),
        ("number", lambda at: numbers.get(found.keys[at].lstrip("0") or "0", -1)),
        ("number in the file name", lambda at: ends.get(found.keys[at].lstrip("0") or "0", -1)),
    ]
    count = len(found.keys)
    best, way = np.full(count, -1, dtype=np.int64), "file name"
    for name, place in ways:
        tried = np.fromiter((place(at) for at in range(count)), np.int64, count)
        if np.count_nonzero(tried >= 0) > np.count_nonzero(best >= 0):
            best, way = tried, name
    if count and not (best >= 0).any():
        raise InputError(
            str(found.source.files[0]),
            f"is of images such as {found.names[0]!r}, and the labels of {given.names[0]!r}:"
            " none is the same",
            "Name the predictions' files, or ids, as those of the labels",
        )
    twice = np.flatnonzero(np.bincount(best[best >= 0], minlength=1) > 1)
    if twice.size:
        raise InputError(
            str(found.source.files[0]),
            f"has {given.names[twice[0]]!r} twice ({twice.size} such images)",
            "Give each image one file of predictions",
        )
    more = np.flatnonzero(best < 0).tolist()
    best[more] = len(given.keys) + np.arange(len(more))
    return best, more, _on_images(given, found, best, more, way)


def _numbers_in(keys: Sequence[str]) -> dict[str, int]:
    """Return images by the number that their names end with, where it is each one's own."""
    found: dict[str, int] = {}
    for at, key in enumerate(keys):
        digits = key[len(key.rstrip("0123456789")) :]
        if digits:
            number = digits.lstrip("0") or "0"
            found[number] = -1 if number in found else at
    return found


def _on_images(
    given: Listed, found: Listed, where: Ints, more: Sequence[int], way: str
) -> list[str]:
    both = len(found.keys) - len(more)
    notes = [f"Predictions are matched to {both:,} images by {way}."]
    without = len(given.keys) - both
    if without:
        lone = sorted(set(range(len(given.keys))) - set(where.tolist()))[:_SHOWN]
        names = ", ".join(given.names[at] for at in lone)
        notes.append(f"{without:,} images have no predictions, such as {names}.")
    if more:
        names = ", ".join(found.names[at] for at in more[:_SHOWN])
        notes.append(
            f"{len(more):,} images have predictions and are not among the labels, such as {names}:"
            " they count as images without objects."
        )
    return notes


def _annotated(listed: Listed, n: int) -> Boxes:
    ignore = listed.ignore if listed.ignore.any() else None
    return Boxes(listed.boxes, listed.labels, offsets_of(listed.image, n), ignore)


def _detections(listed: Listed, scores: Floats, n: int, kept: Mask) -> Detections:
    """Return predictions image after image, by class and then as the file has them."""
    rows = np.flatnonzero(kept)
    rows = rows[np.lexsort((listed.labels[rows], listed.image[rows]))]
    offsets = offsets_of(listed.image[rows], n)
    return Detections(listed.boxes[rows], listed.labels[rows], offsets, scores[rows])


def _predicted(
    given: Listed, found: Listed, where: Ints, names: Sequence[str], sizes: npt.NDArray[np.float64]
) -> tuple[Listed, Floats, list[str]]:
    """Return predictions with the labels' images, classes and units, and their scores."""
    scores = np.empty(0) if found.scores is None else found.scores
    if len(scores) < len(found.boxes):
        raise InputError(
            str(found.source.files[0]), "has no scores", "Write the model's score of each box"
        )
    codes, notes = _classes(given, found, names)
    image = where[found.image]
    labels = codes[found.labels] if len(codes) else found.labels
    boxes = found.boxes
    if given.is_relative != found.is_relative and len(boxes):
        scale = np.tile(sizes[image], 2)
        unknown = np.flatnonzero(np.isnan(scale).any(axis=1))
        if unknown.size:
            raise InputError(
                str(found.source.files[0]),
                f"is in {'shares' if found.is_relative else 'pixels'}, the labels are not, and the"
                f" size of {found.names[found.image[unknown[0]]]!r} is not known",
                "Name the folder of the images with the option images",
            )
        boxes = boxes * scale if found.is_relative else boxes / scale
    return replace(found, image=image, labels=labels, boxes=boxes), scores, notes


def _classes(given: Listed, found: Listed, names: Sequence[str]) -> tuple[Ints, list[str]]:
    """Return the class of each class of the predictions."""
    by_name = {name: at for at, name in enumerate(names)}
    by_code = {code: at for at, code in enumerate(given.codes)}
    path = str(found.source.files[0])
    if found.is_named:
        unknown = [name for name in found.classes if name not in by_name]
        if unknown and set(found.labels.tolist()) & {
            at for at, name in enumerate(found.classes) if name not in by_name
        }:
            raise InputError(
                path,
                f"has boxes of {unknown[0]!r}, which the labels do not have",
                f"Use their names: {', '.join(names[:10])}; or name all classes in a file, with the"
                " option names",
            )
        return np.array([by_name.get(name, 0) for name in found.classes], dtype=np.int64), []
    if all(code in by_code for code in found.codes) and given.source.format == "coco":
        return np.array([by_code[code] for code in found.codes], dtype=np.int64), []
    used = [found.codes[at] for at in sorted(set(found.labels.tolist()))]
    try:
        numbers = {code: int(code) for code in found.codes}
    except ValueError:
        raise InputError(
            path, f"has the class {found.codes[0]!r}, which the labels do not", "Rename it"
        ) from None
    from_one = found.source.format == "coco_results" and max(
        (numbers[code] for code in used), default=0
    ) == len(names)
    shift = 1 if from_one else 0
    for code in used:
        if not 0 <= numbers[code] - shift < len(names):
            raise InputError(
                path,
                f"has boxes of class {code!r}, and the labels have {len(names)} classes",
                "Name the classes in the order of their numbers, with the option classes",
            )
    notes = []
    if given.is_named and given.source.format not in ("yolo", "coco"):
        order = ", ".join(f"{at + shift} {name}" for at, name in enumerate(names[:10]))
        notes.append(f"Class numbers of the predictions are taken as {order}.")
    return np.clip([numbers[code] - shift for code in found.codes], 0, len(names) - 1), notes
