"""Predictions and masks brought together: the order of images, of axes, and the size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.tasks.segmentation.data import SegmentationData
from goldlabel.tasks.segmentation.formats.given import Given, Masks
from goldlabel.tasks.segmentation.formats.pairing import pair
from goldlabel.tasks.segmentation.formats.predictions import Predictions, as_probs

__all__ = ["fitted", "scale_of"]


def fitted(
    given: Given, probs: Predictions, names: tuple[str, ...], *, pred_probs: Path, softmax: bool
) -> SegmentationData:
    """Return masks with the predictions of their images.

    A prediction may be coarser than its mask by a whole factor: then it is compared with the pixel
    in the middle of each of its cells.

    Raises
    ------
    InputError
        The numbers of images or classes differ, or sizes do not fit.
    """
    n = len(given.masks)
    places, how = pair(given, probs, str(pred_probs))
    notes = [*given.notes, *probs.notes, *how]
    last = _is_last(given, probs, places, len(names), str(pred_probs))
    if last:
        notes.append("The classes are the last axis of the predictions.")
    shapes = [_shape(probs, place, last) for place in places]
    scales = [
        scale_of(given.shapes(at), shape, f"{pred_probs}: {given.ids[at]}")
        for at, shape in enumerate(shapes)
    ]
    notes += _note_on_scales(scales)

    def mask(at: int) -> npt.NDArray[np.int32]:
        f, (h, w) = scales[at], shapes[at]
        whole: npt.NDArray[np.int32] = given.masks[at]
        if f == 1:
            return whole
        rows, columns = (
            np.minimum(np.arange(length) * f + f // 2, limit - 1)
            for length, limit in zip((h, w), whole.shape, strict=True)
        )
        cells: npt.NDArray[np.int32] = whole[rows[:, None], columns]
        return cells

    def prediction(at: int) -> npt.NDArray[np.generic]:
        where = f"{pred_probs}: {given.ids[at]}"
        return as_probs(probs.images[places[at]], last=last, softmax=softmax, where=where)

    options = {**given.source.options, "classes": list(names)}
    return SegmentationData(
        labels=Masks(n, mask),
        masks=given.masks,
        classes=names,
        source=replace(given.source, options=options, inputs=(pred_probs,)),
        ids=np.array(given.ids, dtype=object),
        pred_probs=Masks(n, prediction),
        scales=tuple(scales),
        images=given.images,
        colors=given.colors,
        notes=tuple(notes),
        ignored=given.ignored,
        strays=given.strays,
    )


def _is_last(given: Given, probs: Predictions, places: list[int], k: int, where: str) -> bool:
    """Return whether the classes are the last axis, by their number and by the masks' size."""
    if not places:
        return False
    shape = np.shape(probs.images[places[0]])
    if len(shape) == 2:
        if k != 2:
            raise InputError(
                where,
                f"has one plane, the probability of the second of two classes, and there are {k}",
                "Save a plane for each class",
            )
        return False
    if len(shape) != 3 or k not in (shape[0], shape[-1]):
        raise InputError(
            where,
            f"has predictions of shape {shape}, and there are {k} classes",
            "Save (classes, height, width), and name each class with --classes or --palette",
        )
    if shape[0] != shape[-1]:
        return bool(shape[-1] == k)
    return _fits(given.shapes(0), shape[1:]) is None


def _shape(probs: Predictions, place: int, last: bool) -> tuple[int, int]:
    shape = getattr(probs.images, "shape", None)
    shape = np.shape(probs.images[place]) if shape is None else shape[1:]
    shape = shape[:2] if last else shape[-2:]
    return int(shape[0]), int(shape[1])


def _fits(mask: tuple[int, int], shape: tuple[int, ...]) -> int | None:
    """Return by which factor a mask is larger; its last cells may be cut short, or left out."""
    low = max(-(-side // (cells + 1)) for side, cells in zip(mask, shape, strict=True))
    for f in range(max(low, 1), mask[0] // max(shape[0], 1) + 2):
        pairs = zip(mask, shape, strict=True)
        if all(side // f <= cells <= -(-side // f) for side, cells in pairs):
            return f
    return None


def scale_of(mask: tuple[int, int], shape: tuple[int, int], where: str) -> int:
    """Return how many pixels of a mask a predicted one stands for on each side.

    Raises
    ------
    InputError
        The sizes do not fit.

    Examples
    --------
    >>> scale_of((360, 480), (90, 120), "street.npy")
    4
    """
    factor = 1 if mask == shape else _fits(mask, shape) if min(shape) > 0 else None
    if factor is None or (factor == 1 and mask != shape):
        raise InputError(
            where,
            f"is predicted as {shape[0]} x {shape[1]} pixels, and its mask has"
            f" {mask[0]} x {mask[1]}",
            "Predict masks of their own size, or smaller by a whole factor",
        )
    return factor


def _note_on_scales(scales: list[int]) -> list[str]:
    found = sorted({scale for scale in scales if scale > 1})
    if not found:
        return []
    factors = " or ".join(map(str, found))
    return [
        f"Predictions are coarser than masks, {factors} times: each is compared with the pixel in"
        " the middle of its cell."
    ]
