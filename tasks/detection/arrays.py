"""Boxes in the layouts of other libraries, in Python, turned into `Boxes` and `Detections`.

One entry for each image:

- a mapping of boxes and labels, as torchvision, MMDetection and cleanlab have it: ``boxes`` or
  ``bboxes`` (corners), ``labels`` (or ``classes``), and ``scores`` of predictions; ``ignore`` or
  ``iscrowd`` where some are to be ignored;
- a list of k arrays (m, 5) for predictions: corners and score of the boxes of each class
  (MMDetection 2, cleanlab);
- Detectron2: a record with ``annotations`` (``bbox``, ``bbox_mode``, ``category_id``,
  ``iscrowd``), and for predictions ``instances`` with ``pred_boxes``, ``scores``,
  ``pred_classes``;
- MMDetection 3: ``instances`` (``bbox``, ``bbox_label``, ``ignore_flag``), and for predictions
  ``pred_instances`` with ``bboxes``, ``labels``, ``scores``;
- supervision: ``Detections`` with ``xyxy``, ``class_id``, ``confidence``; Ultralytics: ``Results``
  whose ``boxes`` have ``xyxy``, ``cls``, ``conf``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.tasks.detection.boxes import BoxArrays, Boxes, Detections
from goldlabel.typing import Floats, Ints

__all__ = ["as_boxes", "as_detections"]

_BOXES = ("boxes", "bboxes", "pred_boxes", "xyxy")
_LABELS = ("labels", "classes", "pred_classes", "category_ids", "class_id", "cls")
_SCORES = ("scores", "confidences", "confidence", "conf")
_IGNORE = ("ignore", "iscrowd", "ignore_flags")
_XYXY, _XYWH = 0, 1
"""Detectron2's BoxMode: absolute corners; absolute left, top, width, height."""


class _Image(NamedTuple):
    boxes: npt.NDArray[Any]
    labels: npt.NDArray[Any]
    scores: npt.NDArray[Any] | None
    ignore: npt.NDArray[Any] | None


def as_boxes(values: Any, *, name: str = "labels") -> Boxes:
    """Return annotations in any layout that this module knows as `Boxes`.

    Parameters
    ----------
    values : Boxes or sequence
        An entry for each image; see the module.
    name : str
        What messages call it.

    Returns
    -------
    Boxes

    Raises
    ------
    InputError
        An entry is of no layout known here, or what it holds does not fit; says which image.

    Examples
    --------
    >>> as_boxes([{"boxes": [[0, 0, 10, 10]], "labels": [1]}, {}])
    <Boxes: 1 in 2 images>
    """
    if isinstance(values, BoxArrays):
        if isinstance(values, Boxes):
            return values
        return Boxes(values.boxes, values.labels, values.offsets)
    images = _images(values, name)
    ignore = None
    if any(each.ignore is not None for each in images):
        ignore = np.concatenate(
            [np.zeros(len(each.boxes)) if each.ignore is None else each.ignore for each in images]
        ).astype(np.bool_)
    with _named(name):
        return Boxes(*_laid_out(images), ignore)


def as_detections(values: Any, *, name: str = "predictions") -> Detections:
    """Return predictions in any layout that this module knows as `Detections`.

    Parameters
    ----------
    values : Detections or sequence
        An entry for each image; see the module.
    name : str
        What messages call it.

    Returns
    -------
    Detections

    Raises
    ------
    InputError
        As for `as_boxes`, or boxes have no scores.

    Examples
    --------
    >>> as_detections([{"boxes": [[0, 0, 10, 10]], "labels": [1], "scores": [0.9]}, {}])
    <Detections: 1 in 2 images>
    >>> of_two_classes = [[[0, 0, 10, 10, 0.9]], []]
    >>> as_detections([of_two_classes]).labels
    array([0])
    """
    if isinstance(values, Detections):
        return values
    if isinstance(values, Boxes):
        raise InputError(name, "have no scores", "Pass how sure the model is of each box")
    images = _images(values, name)
    missing = next(
        (at for at, each in enumerate(images) if len(each.boxes) and each.scores is None), None
    )
    if missing is not None:
        raise InputError(
            f"{name}[{missing}]", "has no scores", "Pass how sure the model is of each box"
        )
    scores = [each.scores for each in images if each.scores is not None and len(each.boxes)]
    with _named(name):
        return Detections(*_laid_out(images), np.concatenate([np.empty(0), *scores]))


def _images(values: Any, name: str) -> list[_Image]:
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
        raise InputError(
            name, f"is a {type(values).__name__}", "Pass a list with an entry for each image"
        )
    return [_image(each, f"{name}[{at}]") for at, each in enumerate(values)]


def _laid_out(images: Sequence[_Image]) -> tuple[Floats, Any, Ints]:
    """Return the boxes, labels and offsets of all images."""
    offsets = np.zeros(len(images) + 1, dtype=np.int64)
    np.cumsum([len(each.boxes) for each in images], out=offsets[1:])
    boxes = np.concatenate([np.empty((0, 4)), *(each.boxes for each in images)])
    return (
        boxes,
        np.concatenate([np.empty(0, np.int64), *(each.labels for each in images)]),
        offsets,
    )


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Begin the place that a message names with the name of the argument."""
    try:
        yield
    except InputError as error:
        where = error.where if error.where.startswith(name) else f"{name}, {error.where}"
        raise InputError(where, error.what, error.fix) from None


def _image(entry: Any, where: str) -> _Image:
    if isinstance(entry, Mapping):
        if isinstance(entry.get("annotations"), Sequence):
            return _records(entry["annotations"], where, "bbox", "category_id", "iscrowd")
        instances = entry.get("instances", entry.get("pred_instances"))
        if isinstance(instances, Sequence):
            return _records(instances, where, "bbox", "bbox_label", "ignore_flag")
        if instances is not None:
            return _image(instances, where)
        return _fields(entry, where)
    if hasattr(getattr(entry, "boxes", None), "xyxy"):
        return _image(entry.boxes, where)
    if any(hasattr(entry, key) for key in _BOXES):
        found = {
            key: getattr(entry, key)
            for key in (*_BOXES, *_LABELS, *_SCORES, *_IGNORE)
            if getattr(entry, key, None) is not None
        }
        return _fields(found, where)
    if isinstance(entry, Sequence | np.ndarray) and not isinstance(entry, str | bytes):
        return _per_class(entry, where)
    raise InputError(
        where,
        f"is a {type(entry).__name__}",
        "Pass a mapping with boxes and labels for each image, or a list of arrays per class",
    )


def _fields(entry: Mapping[str, Any], where: str) -> _Image:
    found: list[Any] = []
    fields: tuple[tuple[str, ...], ...] = (_BOXES, _LABELS, _SCORES, _IGNORE)
    for names in fields:
        key = next((key for key in names if key in entry), None)
        found.append(None if key is None else _array(entry[key], f"{where}[{key!r}]"))
    boxes, labels, scores, ignore = found
    if boxes is None and labels is None:
        if entry and not {"image_name", "image_id", "image_size", "file_name"} & set(entry):
            shown = ", ".join(map(repr, list(entry)[:8]))
            raise InputError(where, f"has {shown}, but no 'boxes'", "Name them boxes and labels")
        return _Image(np.empty((0, 4)), np.empty(0, np.int64), None, None)
    if boxes is None or labels is None:
        missing = "boxes" if boxes is None else "labels"
        raise InputError(where, f"has no {missing}", "Pass boxes and their labels")
    boxes = _corners(boxes, where)
    return _Image(boxes, *(_column(each, len(boxes), where) for each in (labels, scores, ignore)))


def _column(values: Any, count: int, where: str) -> Any:
    if values is None:
        return None
    if values.size == 0 and count == 0:
        return np.empty(0, dtype=np.int64)
    if values.shape != (count,):
        raise InputError(
            where, f"has {count} boxes and values of shape {values.shape}", "Pass one for each box"
        )
    if values.dtype.kind not in "fiub":
        raise InputError(
            where, f"has values of dtype {values.dtype}, not numbers", "Pass class indices"
        )
    return values


def _corners(values: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    if values.size == 0:
        return np.empty((0, 4))
    if values.ndim != 2 or values.shape[1] != 4 or values.dtype.kind not in "fiub":
        raise InputError(
            where, f"has boxes of shape {values.shape}, not (m, 4) numbers", "Pass corners"
        )
    return values


def _per_class(entry: Any, where: str) -> _Image:
    """Read a list of arrays (m, 5), one for each class."""
    boxes, labels = [np.empty((0, 5))], [np.empty(0, np.int64)]
    for label, each in enumerate(entry):
        rows = _array(each, f"{where}[{label}]")
        if rows.size == 0:
            continue
        if rows.ndim != 2 or rows.shape[1] != 5 or rows.dtype.kind not in "fiub":
            raise InputError(
                f"{where}[{label}]",
                f"has shape {rows.shape}, not (m, 5)",
                "Pass x1, y1, x2, y2, score of each box of this class",
            )
        boxes.append(rows)
        labels.append(np.full(len(rows), label, dtype=np.int64))
    table = np.concatenate(boxes)
    return _Image(table[:, :4], np.concatenate(labels), table[:, 4], None)


def _records(entries: Sequence[Any], where: str, box: str, label: str, ignore: str) -> _Image:
    boxes, labels, flags = [], [], []
    for at, each in enumerate(entries):
        place = f"{where}, box {at}"
        if not isinstance(each, Mapping) or box not in each or label not in each:
            raise InputError(place, f"has no {box!r} or no {label!r}", "Pass both")
        corners = _array(each[box], place)
        if corners.shape != (4,) or corners.dtype.kind not in "fiub":
            raise InputError(place, f"has the box {each[box]!r}", "Pass four numbers")
        mode = int(each.get("bbox_mode", _XYXY))
        if mode not in (_XYXY, _XYWH):
            raise InputError(place, f"has the bbox_mode {mode}", "Use 0 (XYXY_ABS) or 1 (XYWH_ABS)")
        if mode == _XYWH:
            corners = np.concatenate([corners[:2], corners[:2] + corners[2:]])
        boxes.append(corners)
        labels.append(each[label])
        flags.append(bool(each.get(ignore, False)))
    if not boxes:
        return _Image(np.empty((0, 4)), np.empty(0, np.int64), None, None)
    return _Image(
        np.array(boxes), _column(_array(labels, where), len(boxes), where), None, np.array(flags)
    )


def _array(values: Any, where: str) -> npt.NDArray[Any]:
    """Return an array, also of a tensor on any device or of Detectron2's Boxes."""
    values = getattr(values, "tensor", values)
    for step in ("detach", "cpu"):
        values = getattr(values, step)() if hasattr(values, step) else values
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise InputError(where, f"is no array ({error})", "Pass rows of one length") from error
