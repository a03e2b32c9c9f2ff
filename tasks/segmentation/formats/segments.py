"""One segmentation of COCO, polygons or run lengths, as runs of pixels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.json import places
from goldlabel.formats.json.records import Records
from goldlabel.tasks.segmentation import runs
from goldlabel.typing import Mask

__all__ = ["is_mask", "segment_runs"]


def is_mask(records: Records) -> Mask:
    """Return which entries have polygons or run lengths, and not nothing."""
    kinds = records.kinds("segmentation")
    is_nested = (kinds == places.LIST) | (kinds == places.OBJECT)
    return np.asarray(is_nested & records.is_filled("segmentation"))


def segment_runs(segmentation: Any, shape: tuple[int, int], where: str) -> npt.NDArray[np.int64]:
    """Return the runs of a segmentation on an image (h, w).

    Polygons cover the pixels that COCO's own API says.

    Raises
    ------
    InputError
        It is no segmentation, or of an image of another size.
    """
    if isinstance(segmentation, dict):
        found, size = runs.from_coco(segmentation, where)
        if size != shape:
            raise InputError(
                where, f"has the size {list(size)}, and its image {list(shape)}", "Mend the file"
            )
        return found
    from pycocotools import mask as coco

    polygons = [_polygon(points, shape, f"{where}[{at}]") for at, points in enumerate(segmentation)]
    merged = coco.merge(coco.frPyObjects(polygons, *shape))
    return runs.from_coco({"size": list(shape), "counts": merged["counts"]}, where)[0]


def _polygon(points: Any, shape: tuple[int, int], where: str) -> list[float]:
    """Return a polygon's coordinates: what is far outside would take memory without end."""
    numbers = isinstance(points, list) and all(
        isinstance(value, int | float) and math.isfinite(value) for value in points
    )
    if not numbers or len(points) < 6 or len(points) % 2:
        raise InputError(where, "is no polygon: x and y of three points or more", "Mend the file")
    limit = 2 * max(shape)
    if min(points) < -limit or max(points) > 2 * limit:
        raise InputError(
            where,
            f"has the coordinate {max(points, key=abs):g}, and its image {shape[0]} x {shape[1]}"
            " pixels",
            "Give coordinates in pixels of the image",
        )
    return [float(value) for value in points]
