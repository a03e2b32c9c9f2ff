"""Annotations and predictions of two files put together: the same images, classes and units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.boxes import Boxes, Detections, offsets_of
from goldlabel.tasks.detection.data import DetectionData
from goldlabel.tasks.detection.formats.federated import is_looked_for
from goldlabel.tasks.detection.formats.label_paths import new_label_files
from goldlabel.tasks.detection.formats.listed import Listed, stem
from goldlabel.tasks.detection.formats.pairing import paired_files
from goldlabel.tasks.detection.formats.pictures import Pictures
from goldlabel.typing import Floats, Mask

__all__ = ["as_audited", "joined"]


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
    pairing = None
    if found is not None:
        notes += found.notes
        pairing = paired_files(given, found, names, _known_sizes(given, pictures))
        more = pairing.more
        notes += pairing.notes
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
        sizes, told = pictures.sizes(
            image_names, keys, sizes, as_stored=pairing is not None and pairing.as_stored
        )
        notes += told
    n = len(image_names)
    labels = _annotated(given, n)
    predictions = None
    if found is not None and pairing is not None:
        boxes = pairing.predictions(sizes)
        predictions = _detections(boxes, n, is_looked_for(given, boxes))
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
    inputs = list(
        dict.fromkeys(
            [
                *source.inputs,
                *(() if found is None else (*found.source.files, *found.source.inputs)),
                *(() if pictures is None else (pictures.folder,)),
            ]
        )
    )
    if pictures is not None:
        options["pictures"] = inputs.index(pictures.folder)
    return DetectionData(
        labels=labels,
        classes=tuple(names),
        source=replace(source, options=options, inputs=tuple(inputs)),
        ids=_ids(image_names, ids),
        sizes=sizes,
        file_sizes=_padded(given.sizes, n),
        is_relative=given.is_relative,
        predictions=predictions,
        images=None if pictures is None else pictures.paths(image_names, keys),
        unusable=given.unusable,
        notes=tuple(notes),
    )


def as_audited(given: Listed, source: Source) -> DetectionData:
    """Return annotations that are read again, with the images and classes that an audit saw.

    Raises
    ------
    InputError
        They are not those of the source.
    """
    options = source.options
    names, counts, classes = (tuple(options[key]) for key in ("images", "counts", "classes"))
    n, own = len(names), len(given.keys)
    is_known = all(options.get(key) == given.source.options.get(key) for key in ("sha256", "files"))
    if not is_known or given.names != names[:own] or len(given.classes) > len(classes):
        raise _changed(source)
    labels = _annotated(given, n)
    if tuple(labels.counts.tolist()) != counts:
        raise _changed(source)
    at = options.get("pictures", -1)
    folder = source.inputs[at] if 0 <= at < len(source.inputs) else None
    pictures = None if folder is None or not folder.is_dir() else Pictures(folder, told=False)
    keys = [*given.keys, *map(stem, names[own:])]
    return DetectionData(
        labels=labels,
        classes=classes,
        source=source,
        ids=_ids(names, [*given.ids, *names[own:]]),
        sizes=_padded(given.sizes, n),
        file_sizes=_padded(given.sizes, n),
        is_relative=given.is_relative,
        images=None if pictures is None else pictures.paths(names, keys),
        unusable=given.unusable,
    )


def _changed(source: Source) -> InputError:
    return InputError(
        str(source.files[0]),
        "has changed since it was audited, so its boxes may be others",
        "Audit it again, or bring the old file back",
    )


def _padded(sizes: Floats, n: int) -> Floats:
    """Return sizes of n images; NaN for those that the label file does not list."""
    return np.concatenate([sizes, np.full((n - len(sizes), 2), np.nan)])


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


def _annotated(listed: Listed, n: int) -> Boxes:
    ignore = listed.ignore if listed.ignore.any() else None
    return Boxes(listed.boxes, listed.labels, offsets_of(listed.image, n), ignore)


def _detections(listed: Listed, n: int, kept: Mask) -> Detections:
    """Return predictions image after image, by class and then as the file has them."""
    rows = np.flatnonzero(kept)
    rows = rows[np.lexsort((listed.labels[rows], listed.image[rows]))]
    offsets = offsets_of(listed.image[rows], n)
    scores = np.empty(0) if listed.scores is None else listed.scores
    return Detections(listed.boxes[rows], listed.labels[rows], offsets, scores[rows])


def _known_sizes(given: Listed, pictures: Pictures | None) -> tuple[Floats, Floats]:
    """Return the sizes of annotated images, as a viewer shows them and as they are stored."""
    if pictures is None:
        return given.sizes, given.sizes
    shown, stored = (
        pictures.sizes(given.names, given.keys, given.sizes, as_stored=as_stored)[0]
        for as_stored in (False, True)
    )
    return shown, stored
