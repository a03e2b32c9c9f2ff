"""How an image of a segmentation dataset looks to a person: picture, masks, where they differ."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.changes import by_position
from goldlabel.results.audit import Source
from goldlabel.results.label_issues import LabelIssues
from goldlabel.scenes import Answer, Block, Change, Fields, Layer, Picture, Region, Regions, Scene
from goldlabel.tasks.segmentation import drawing, runs
from goldlabel.tasks.segmentation.counting import given_scores, guesses
from goldlabel.tasks.segmentation.data import SegmentationData
from goldlabel.tasks.segmentation.formats import read_again
from goldlabel.tasks.segmentation.outlines import outline
from goldlabel.tasks.segmentation.painting import PAINT, drawn, region_pixels
from goldlabel.tasks.segmentation.pixels import Pixels
from goldlabel.tasks.segmentation.shrinking import grow
from goldlabel.typing import Mask
from goldlabel.views import Findings

__all__ = ["MaskView", "View", "view"]

IMAGE, GIVEN, SUGGESTED, DIFFERENCE = "image", "given", "suggested", "difference"
"""The names of pictures."""
_KEPT = 4


def view(source: Source, issues: LabelIssues, summary: Mapping[str, Any]) -> View:
    """Show the images of an audit: masks are read again, each when it is asked for.

    Parameters
    ----------
    source, issues, summary
        As the folder of the audit says: see `goldlabel.results.folder.read_audit`.

    Raises
    ------
    InputError
        The masks have changed, or are not those of the findings.
    """
    if source.options.get("instances"):
        from goldlabel.tasks.segmentation.instance_views import instance_view

        return instance_view(source, issues)
    return MaskView(read_again(source), issues)


class View(ABC):
    """What views of masks and of instances share; a `goldlabel.scenes.View`.

    Parameters
    ----------
    issues : LabelIssues
        What was found.
    images : sequence of Path or None, optional
        The picture of each image.
    labels : sequence of str
        What a region may be called.
    paints : bool
        Whether the export takes pixels that a person has drawn.
    """

    layers: tuple[Layer, ...]

    def __init__(
        self,
        issues: LabelIssues,
        images: Sequence[Path | None] | None,
        labels: Sequence[str],
        *,
        paints: bool,
    ) -> None:
        self._found, self._images = Findings(issues), images
        self._labels, self._paints = tuple(labels), paints

    @abstractmethod
    def shape(self, example: int) -> tuple[int, int]:
        """Return height and width of a mask."""

    @abstractmethod
    def pixels(self, example: int, part: int) -> Mask:
        """Return the pixels of a finding."""

    def scenes(self, examples: Sequence[int]) -> list[Scene]:
        """Return a scene for each position."""
        return [self._scene(example) for example in examples]

    @abstractmethod
    def picture(self, example: int, name: str) -> Path | bytes | None:
        """Return a picture: the file of the dataset, or a layer as PNG."""

    def changes(self, example: int, question: int, answer: Answer) -> list[Change]:
        """Return what an answer does to a region."""
        changes = self._found.changes(example, question, answer)
        if answer.verdict != "set" or answer.paint is None:
            return changes
        return [self._painted(example, each, answer.paint) for each in changes]

    def _painted(self, example: int, change: Change, paint: Mapping[str, Any]) -> Change:
        """Return pixels that a person has drawn as the change of a region."""
        if not self._paints:
            raise InputError("paint", "is not taken by the export of instances", "Choose a class")
        shape = self.shape(example)
        pixels = drawn(paint, shape, "answer")
        counts = runs.to_text(runs.of_mask(pixels), pixels.size)
        rle = json.dumps({"size": list(shape), "counts": counts})
        return Change(change.part, change.label, PAINT, {PAINT: rle})

    def _scene(self, example: int) -> Scene:
        height, width = self.shape(example)
        own = None if self._images is None else self._images[example]
        name, caption = ("blank", "") if own is None else (IMAGE, "image")
        below = Picture(name, width, height, upright=False, caption=caption)
        blocks: list[Block] = [below, *self.layers]
        blocks.append(Fields((("size", f"{width} x {height} pixels"),)))
        groups = self._found.groups(example)
        questions = tuple(self._question(example, rows) for rows in groups)
        return Scene(example, self._found.id(example), tuple(blocks), questions)

    def _question(self, example: int, rows: list[int]) -> Regions:
        asked = self._found.asked(rows)
        regions = tuple(_region(part, self.pixels(example, part)) for part in asked["parts"])
        return Regions(**asked, regions=regions, labels=self._labels, paints=self._paints)

    def _image(self, example: int, name: str) -> Path | bytes | None:
        """Return the picture that layers lie on; a plain one where the dataset has none."""
        if name == IMAGE and self._images is not None:
            return self._images[example]
        return drawing.blank(self.shape(example)) if name == "blank" else None


def _region(part: int, pixels: Mask) -> Region:
    """Return where the pixels of a finding are; nothing where there is none."""
    y, x = np.nonzero(pixels)
    if not len(x):
        return Region(part, 0.0, 0.0, 0.0, 0.0)
    left, top, right, bottom = (int(v) for v in (x.min(), y.min(), x.max() + 1, y.max() + 1))
    polygons = outline(pixels[top:bottom, left:right])
    moved = tuple(tuple((px + left, py + top) for px, py in each) for each in polygons)
    return Region(part, float(left), float(top), float(right - left), float(bottom - top), moved)


class MaskView(View):
    """Shows images with a class for each pixel.

    Parameters
    ----------
    data : SegmentationData
    issues : LabelIssues
        What was found in it.
    source : Source, optional
        With the regions that were found; that of the data if not given.
    pixels : Pixels, optional
        Masks and predictions as they were judged, to show what the model sees; without them what
        is suggested is shown.
    """

    def __init__(
        self,
        data: SegmentationData,
        issues: LabelIssues,
        source: Source | None = None,
        pixels: Pixels | None = None,
    ) -> None:
        super().__init__(issues, data.images, data.classes, paints=True)
        self._data, self._pixels = data, pixels
        options = (data.source if source is None else source).options
        self._regions = by_position(options.get("regions", {}))
        _check_same(data, issues, self._regions)
        self.colors = _colors(data)
        self._masks: OrderedDict[int, npt.NDArray[np.int32]] = OrderedDict()
        self.layers = (
            Layer(GIVEN, "given", "given"),
            Layer(SUGGESTED, "predicted" if pixels else "suggested", "suggested"),
            Layer(DIFFERENCE, "disagreement" if pixels else "difference", "difference"),
        )

    def mask(self, example: int) -> npt.NDArray[np.int32]:
        """Return the classes of an image's pixels, of the size that they have in the dataset."""
        if example not in self._masks:
            self._masks[example] = np.asarray(self._data.masks[example], dtype=np.int32)
            while len(self._masks) > _KEPT:
                self._masks.popitem(last=False)
        return self._masks[example]

    def shape(self, example: int) -> tuple[int, int]:
        """Return height and width of a mask."""
        height, width = self.mask(example).shape
        return height, width

    def pixels(self, example: int, part: int) -> Mask:
        """Return the pixels of a region: those that the export repaints."""
        where = f"region {part} of example {example}"
        return region_pixels(self._regions[example][part], self.mask(example), where)

    def picture(self, example: int, name: str) -> Path | bytes | None:
        """Return the file of an image's picture, or a layer as PNG."""
        mask, opaque = self.mask(example), self._images is None or self._images[example] is None
        if name == GIVEN:
            return drawing.layer(mask, self.colors, opaque=opaque)
        if name == SUGGESTED:
            return drawing.layer(self._suggested(example), self.colors, opaque=opaque)
        if name == DIFFERENCE:
            return drawing.heat_layer(self._difference(example))
        return self._image(example, name)

    def _suggested(self, example: int) -> npt.NDArray[np.int32]:
        """Return what the model sees, or the mask with all that is suggested."""
        mask = self.mask(example)
        if self._pixels is not None:
            labels, _, probs = given_scores(self._pixels, example)
            found = guesses(self._pixels, labels, probs).predicted.reshape(labels.shape)
            return np.where(mask < 0, -1, self._grown(found, example)).astype(np.int32)
        new, parts = mask.copy(), self._found.issues.parts
        for [row] in reversed(self._found.groups(example)):
            if (code := int(parts.suggested[row])) >= 0:
                new[self.pixels(example, int(parts.part[row]))] = code
        return new

    def _difference(self, example: int) -> npt.NDArray[np.float32]:
        """Return how far the given class is from the model's, 0 to 1; or where they differ."""
        mask = self.mask(example)
        if self._pixels is None:
            return np.not_equal(self._suggested(example), mask).astype(np.float32)
        labels, scores, probs = given_scores(self._pixels, example)
        highest = guesses(self._pixels, labels, probs).highest
        gap: npt.NDArray[np.float32] = self._grown(
            (highest - scores).reshape(labels.shape), example
        ).astype(np.float32)
        gap[mask < 0] = 0.0
        return gap

    def _grown(self, cells: npt.NDArray[Any], example: int) -> npt.NDArray[Any]:
        assert self._pixels is not None
        factor = self._data.scales[example] * self._pixels.downsample
        return grow(cells, factor, self.shape(example))


def _colors(data: SegmentationData) -> npt.NDArray[np.uint8]:
    """Return the masks' own colours, or others where these do not tell classes apart."""
    colors, k = data.colors, len(data.classes)
    if colors is not None and len(colors) == k and len(np.unique(colors, axis=0)) == k:
        return np.asarray(colors, dtype=np.uint8)
    return drawing.class_colors(k)


def _check_same(
    data: SegmentationData, issues: LabelIssues, regions: Mapping[int, Sequence[Any]]
) -> None:
    """Make sure that the findings are about these masks: an audit's folder is not trusted."""
    parts, n = issues.parts, len(data)
    counts = np.array([len(regions.get(at, ())) for at in range(n)] + [0], dtype=np.int64)
    names = tuple(map(str, issues.classes or ()))
    known = (parts.part >= 0) & (parts.part < counts[np.minimum(parts.example, n)])
    if len(issues.scores) != n or names != data.classes or not known.all():
        raise InputError(
            str(data.source.files[0]),
            f"has other masks or classes than the audit ({n:,} and {len(issues.scores):,} masks)",
            "Run the audit again",
        )
