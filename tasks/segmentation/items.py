"""How an image of a segmentation dataset looks to a person: picture, masks, where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from goldlabel.errors import InputError
from goldlabel.formats.pictures import open_picture
from goldlabel.results.audit import Item
from goldlabel.tasks.segmentation import drawing, runs
from goldlabel.tasks.segmentation.counting import given_scores, guesses
from goldlabel.tasks.segmentation.data import SegmentationData
from goldlabel.tasks.segmentation.pixels import Pixels
from goldlabel.tasks.segmentation.regions import Region

__all__ = ["DRAWN", "SHOWN", "Items", "opened"]

SHOWN = 3
"""So many of an image's worst regions are outlined, and shown from near."""
DRAWN = 100
"""So many images get pictures, the worst: more of them do not fit into a report."""


class Items:
    """Show images by position; called with the ones that a report shows, pictures are kept.

    Parameters
    ----------
    data : SegmentationData
    pixels : Pixels
        The same masks and predictions as they were judged.
    regions : mapping of int to list of Region
        The regions of each flagged image, worst first.
    """

    def __init__(
        self, data: SegmentationData, pixels: Pixels, regions: Mapping[int, Sequence[Region]]
    ) -> None:
        self._data, self._pixels, self._regions = data, pixels, regions
        self.colors = _colors(data)
        self._made: dict[int, Item] = {}

    def __call__(self, examples: Sequence[int]) -> list[Item]:
        """Return an `Item` for each position."""
        for at in list(examples)[:DRAWN]:
            if at not in self._made:
                self._made[at] = self._item(at)
        return [self._made.get(at, Item()) for at in examples]

    def _item(self, at: int) -> Item:
        labels, scores, probs = given_scores(self._pixels, at)
        found = guesses(self._pixels, labels, probs)
        shape = labels.shape
        regions = list(self._regions.get(at, ()))[:SHOWN]
        scale = regions[0].scale if regions else 1
        boxes = [
            tuple(side // scale for side in (each.x, each.y, each.width, each.height))
            for each in regions
        ]
        crop = drawing.crop_around(boxes or [(0, 0, shape[1], shape[0])], shape)  # type: ignore[arg-type]
        window = slice(crop.top, crop.bottom), slice(crop.left, crop.right)
        masks = [_mask(each)[window] for each in regions]
        image = self._picture(at, shape, crop)
        given = drawing.overlay(labels[window], self.colors, image)
        predicted = np.where(labels < 0, -1, found.predicted.reshape(shape)).astype(np.int32)
        gap = np.where(labels < 0, 0, (found.highest - scores).reshape(shape))
        pictures = {} if image is None else {"image": drawing.fitted(image, given.shape[:2])}
        pictures["given"] = given
        pictures["predicted"] = drawing.overlay(predicted[window], self.colors, image)
        pictures["disagreement"] = drawing.heat_map(gap[window])
        return Item(
            fields=_fields(shape, crop, scale, len(regions)),
            pictures={
                name: drawing.packed(drawing.outlined(each, masks))
                for name, each in pictures.items()
            },
        )

    def _picture(
        self, at: int, shape: tuple[int, int], crop: drawing.Crop
    ) -> npt.NDArray[np.uint8] | None:
        """Return the piece of an image's picture, no larger than it is shown."""
        path = self._data.images[at] if self._data.images is not None else None
        return None if path is None else opened(path, shape, crop)


def _colors(data: SegmentationData) -> npt.NDArray[np.uint8]:
    """Return the masks' own colours, or others where these do not tell classes apart."""
    colors, k = data.colors, len(data.classes)
    if colors is not None and len(colors) == k and len(np.unique(colors, axis=0)) == k:
        return np.asarray(colors, dtype=np.uint8)
    return drawing.class_colors(k)


def _mask(region: Region) -> npt.NDArray[np.bool_]:
    found, size = runs.from_coco({"size": region.size, "counts": region.counts}, "region")
    return runs.to_mask(found, size)


def opened(path: Path, shape: tuple[int, int], crop: drawing.Crop) -> npt.NDArray[np.uint8] | None:
    """Return a piece of the picture of an image of a shape, as it is shown; None if unreadable."""
    try:
        with open_picture(path) as image:
            y, x = image.height / shape[0], image.width / shape[1]
            box = (crop.left * x, crop.top * y, crop.right * x, crop.bottom * y)
            size = drawing.shown_size((crop.bottom - crop.top, crop.right - crop.left))
            small = image.convert("RGB").resize(size[::-1], Image.Resampling.LANCZOS, box=box)
    except InputError:
        return None
    return np.asarray(small)


def _fields(shape: tuple[int, int], crop: drawing.Crop, scale: int, regions: int) -> dict[str, str]:
    fields = {"Image": f"{scale * shape[1]} x {scale * shape[0]} pixels"}
    if (crop.bottom - crop.top, crop.right - crop.left) != shape:
        fields["Shown"] = (
            f"x {scale * crop.left} to {scale * crop.right}, y {scale * crop.top} to"
            f" {scale * crop.bottom}"
        )
    if regions:
        fields["Outlined"] = "region 0" if regions == 1 else f"regions 0 to {regions - 1}"
    return fields
