"""Corrections of masks: pixels of a region, or those that a person has drawn, get a class."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.tasks.segmentation import runs
from goldlabel.tasks.segmentation.shrinking import grow
from goldlabel.typing import Mask

__all__ = ["PAINT", "Correction", "drawn", "painted", "region_pixels"]

PAINT = "paint"
"""The column of a correction, and its action, that says which pixels a person has drawn."""


class Correction(NamedTuple):
    """Pixels that get a class.

    Attributes
    ----------
    where : str
        For errors: which region.
    region : mapping
        One of the `regions` of a source: run lengths, the given class, the scale.
    code : int
        The new class.
    paint : str or None
        COCO run lengths as JSON, which say the pixels in place of those of the region.
    """

    where: str
    region: Mapping[str, Any]
    code: int
    paint: str | None = None


def region_pixels(region: Mapping[str, Any], mask: npt.NDArray[np.int32], where: str) -> Mask:
    """Return the pixels of a region of a mask: those of its cells that have its given class.

    Raises
    ------
    InputError
        The region is of a mask of another size.
    """
    scale, size = region["scale"], region["rle"]["size"]
    shape = mask.shape[0], mask.shape[1]
    pairs = zip(shape, size, strict=True)
    if scale < 1 or not all(side // scale <= cells <= -(-side // scale) for side, cells in pairs):
        raise _other_size(where, size, shape, scale)
    found, own = runs.from_coco(region["rle"], where)
    cells = runs.to_mask(found, own)
    inside = cells if scale == 1 else grow(cells, scale, shape)
    pixels: Mask = inside & (mask == region["given"])
    return pixels


def drawn(paint: str | Mapping[str, Any], shape: tuple[int, int], where: str) -> Mask:
    """Return the pixels that a person has drawn, COCO run lengths as they are or as JSON.

    Raises
    ------
    InputError
        They are none, of a mask of another size, or no pixel at all.
    """
    try:
        rle = json.loads(paint) if isinstance(paint, str) else dict(paint)
    except (ValueError, RecursionError):
        rle = None
    if not isinstance(rle, dict):
        fix = 'Write {"size": [height, width], "counts": ...}, as COCO does'
        raise InputError(where, f"has no run lengths under {PAINT!r}", fix)
    if rle.get("size") not in (list(shape), shape):
        raise _other_size(where, rle.get("size"), shape, 1)
    found, _ = runs.from_coco(rle, where)
    if not len(found):
        raise InputError(where, "has no pixel drawn", "Draw some, or keep the given class")
    return runs.to_mask(found, shape)


def painted(
    mask: npt.NDArray[np.int32], corrections: Sequence[Correction]
) -> npt.NDArray[np.int32]:
    """Return the class indices of a mask with some corrections made, in their order."""
    new = mask.copy()
    for each in corrections:
        if each.paint is None:
            new[region_pixels(each.region, mask, each.where)] = each.code
        else:
            new[drawn(each.paint, (mask.shape[0], mask.shape[1]), each.where)] = each.code
    return new


def _other_size(where: str, size: Any, shape: tuple[int, int], scale: int) -> InputError:
    own = " x ".join(map(str, shape))
    return InputError(
        where, f"has run lengths of size {str(size)[:40]}, and the mask has {own}",
        "Count the pixels of the mask: [height, width]"
        if scale == 1
        else "Run the audit again: its folder was changed",
    )  # fmt: skip
