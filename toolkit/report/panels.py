"""The pictures of an example as the report shows them: small, cut out around what is asked about.

Boxes and outlines lie over a panel as shapes of their own, so that the page draws them sharply.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from goldlabel.errors import InputError
from goldlabel.formats.pictures import open_picture
from goldlabel.scenes import Box, Layer, Picture, Region, Regions, Role, Scene, Shapes, Shown, View

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Drawn", "Panel", "Panels", "has_layers"]

_SIDE = 160
"""Longest side of a picture that is shown whole, in pixels."""
_CUT_SIDES = (288, 192, 192)
"""Longest side of a cut-out: of the worst finding, and of the next."""
_LAYER_SIDE = 224
_CONTEXT = 0.6
"""How much of its own size is shown around a box, on each side."""
_LEAST = 0.12
"""Least side of a cut-out, as a share of the picture."""
_SHOWN = 3
"""So many of an example's worst findings are shown from near."""
_OTHERS = 60
_SMALL = 64


Corners = tuple[float, float, float, float]


class Drawn(NamedTuple):
    """A box over a panel, in the units of its view box."""

    x: float
    y: float
    width: float
    height: float
    label: str
    role: Role


class Outline(NamedTuple):
    """A region over a panel: its polygons, and its number with the place to write it."""

    polygons: tuple[str, ...]
    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Panel:
    """A picture, PNG or JPEG, and what lies over it in a view box of `width` by `height`."""

    image: bytes
    caption: str = ""
    width: float = 100.0
    height: float = 100.0
    boxes: tuple[Drawn, ...] = ()
    outlines: tuple[Outline, ...] = ()


class Panels:
    """Makes the panels of scenes, and keeps them: a page may be made again with fewer examples.

    Parameters
    ----------
    view : View or None
        Where pictures are had from.
    """

    def __init__(self, view: View | None) -> None:
        self._picture = getattr(view, "picture", None)
        self._made: dict[int, list[Panel]] = {}

    def of(self, scene: Scene) -> list[Panel]:
        """Return the panels of a scene; fewer where pictures can't be shown."""
        if scene.example not in self._made:
            self._made[scene.example] = list(self._panels(scene))
        return self._made[scene.example]

    def _panels(self, scene: Scene) -> Iterator[Panel]:
        shapes = [each for each in scene.questions if isinstance(each, Shapes) and each.boxes]
        for picture, layers in _grounds(scene):
            shown = self._shown(scene, picture.name)
            image = _opened(shown, picture.upright, None if layers or shapes else _SIDE)
            if image is None:
                continue
            if layers:
                cuts = self._layers(scene, picture, image, layers, is_file=shown_is_file(shown))
                yield from cuts
            elif shapes:
                yield from _cut_outs(picture, image, shapes[:_SHOWN])
                shapes = []  # further pictures are whole
            else:
                yield Panel(_packed(image), picture.caption)

    def _shown(self, scene: Scene, name: str) -> Shown:
        return None if self._picture is None else self._picture(scene.example, name)

    def _layers(
        self,
        scene: Scene,
        picture: Picture,
        image: Image,
        layers: Sequence[Layer],
        *,
        is_file: bool,
    ) -> Iterator[Panel]:
        """Yield a picture, and each of its layers over it, around the worst regions."""
        width, height = picture.width or image.width, picture.height or image.height
        asked = [each for each in scene.questions if isinstance(each, Regions)]
        regions = [region for each in asked[:_SHOWN] for region in each.regions]
        left, top, right, bottom = _around(regions, width, height)
        window = left, top, right, bottom
        marks = tuple(_outline(each, left, top) for each in regions)

        def panel(piece: Image, caption: str) -> Panel:
            small = _packed(piece.convert("RGB"))
            return Panel(small, caption, right - left, bottom - top, outlines=marks)

        below = _piece(image, window, (width, height)).convert("RGBA")
        if is_file:
            yield panel(below, picture.caption or "image")
        for layer in layers:
            over = _opened(self._shown(scene, layer.name), False, None)
            if over is not None:
                whole = below.copy()
                whole.alpha_composite(_piece(over.convert("RGBA"), window, (width, height)))
                yield panel(whole, layer.caption)


def has_layers(scene: Scene) -> bool:
    """Return whether masks are shown: such scenes take long to make."""
    return any(isinstance(block, Layer) for block in scene.blocks)


def shown_is_file(shown: Shown) -> bool:
    """Return whether a picture is the dataset's own, and not made for layers to lie on."""
    return shown is not None and not isinstance(shown, bytes)


def _grounds(scene: Scene) -> Iterator[tuple[Picture, list[Layer]]]:
    """Yield each picture of a scene with the layers that lie over it."""
    ends = [at for at, block in enumerate(scene.blocks) if isinstance(block, Picture)]
    for at, end in pairwise([*ends, len(scene.blocks)]):
        picture = scene.blocks[at]
        assert isinstance(picture, Picture)
        yield picture, [each for each in scene.blocks[at + 1 : end] if isinstance(each, Layer)]


def _opened(shown: Shown, upright: bool, side: int | None) -> Image | None:
    """Return a picture, no larger than `side`; None where it can't be shown."""
    from PIL import ImageOps

    if shown is None:
        return None
    try:
        with open_picture(shown) as image:
            if side is not None:
                image.draft("RGB", (side, side))
                image.thumbnail((side, side))
            has_alpha = "A" in image.getbands() or "transparency" in image.info
            found = image.convert("RGBA" if has_alpha else "RGB")
            return ImageOps.exif_transpose(found) if upright else found
    except InputError:
        return None


def _packed(image: Image) -> bytes:
    """Return a picture as JPEG, or as PNG where it is tiny, see-through, or shorter so."""
    png, jpeg = io.BytesIO(), io.BytesIO()
    if image.mode != "RGB" or max(image.size) <= _SMALL:
        image.save(png, "PNG")
        return png.getvalue()
    image.save(jpeg, "JPEG", quality=80)
    few = image.getcolors(256)
    if few is not None:
        image.quantize(len(few)).save(png, "PNG", optimize=True)
    return min(filter(None, (jpeg.getvalue(), png.getvalue())), key=len)


def _piece(image: Image, window: Corners, unit: tuple[float, float]) -> Image:
    """Return a piece of a picture in the size it is shown in; pixels of masks stay sharp."""
    from PIL.Image import Resampling

    left, top, right, bottom = window
    x, y = image.width / unit[0], image.height / unit[1]
    size = _fitted(right - left, bottom - top, _LAYER_SIDE)
    sharp = Resampling.BOX if size[0] < (right - left) * x else Resampling.NEAREST
    how = sharp if image.mode == "RGBA" else Resampling.LANCZOS
    return image.resize(size, how, box=(left * x, top * y, right * x, bottom * y))


def _fitted(width: float, height: float, side: int) -> tuple[int, int]:
    factor = side / max(width, height)
    return max(1, round(width * factor)), max(1, round(height * factor))


def _cut_outs(picture: Picture, image: Image, shapes: Sequence[Shapes]) -> Iterator[Panel]:
    """Yield the picture around each question's boxes; around the worst, with its neighbours."""
    unit = picture.width or image.width, picture.height or image.height
    for at, (question, side) in enumerate(zip(shapes, _CUT_SIDES, strict=False)):
        own = [each for each in question.boxes if _shares(each, unit) is not None]
        if not own:
            continue
        region = _region([_clipped(each, unit) for each in own])
        others = () if at else question.others[:_OTHERS]
        piece = image.crop(_pixels(region, image.size))
        yield Panel(
            _packed(piece.resize(_fitted(*piece.size, side))),
            f"{at + 1}. {question.kind}" if at else "",
            boxes=tuple(_drawn([*own, *others], unit, region)),
        )


def _shares(box: Box, unit: tuple[float, float]) -> Corners | None:
    """Return the corners of a box as shares of its picture; None where they are no numbers."""
    x1, y1, x2, y2 = (box.x1 / unit[0], box.y1 / unit[1], box.x2 / unit[0], box.y2 / unit[1])
    return (x1, y1, x2, y2) if x1 <= x2 and y1 <= y2 else None


def _clipped(box: Box, unit: tuple[float, float]) -> Corners:
    shares = _shares(box, unit)
    assert shares is not None
    x1, y1, x2, y2 = (min(max(share, 0.0), 1.0) for share in shares)
    return x1, y1, x2, y2


def _region(boxes: Sequence[Corners]) -> Corners:
    """Return the part of a picture around boxes, with some of what is beside them."""
    low = [min(box[axis] for box in boxes) for axis in (0, 1)]
    high = [max(box[axis + 2] for box in boxes) for axis in (0, 1)]
    sides = [
        max((last - first) * (1.0 + 2.0 * _CONTEXT), _LEAST)
        for first, last in zip(low, high, strict=True)
    ]
    sides = [min(max(side, max(sides) / 2.0), 1.0) for side in sides]
    x, y = (
        min(max((first + last - side) / 2.0, 0.0), 1.0 - side)
        for first, last, side in zip(low, high, sides, strict=True)
    )
    return x, y, x + sides[0], y + sides[1]


def _pixels(region: Corners, size: tuple[int, int]) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = region
    left, top = int(x1 * size[0]), int(y1 * size[1])
    return left, top, max(round(x2 * size[0]), left + 1), max(round(y2 * size[1]), top + 1)


def _drawn(boxes: Iterable[Box], unit: tuple[float, float], region: Corners) -> Iterator[Drawn]:
    """Yield the boxes that show in a region, in percent of it; those asked about have labels."""
    x1, y1, x2, y2 = region
    width, height = x2 - x1, y2 - y1
    for box in boxes:
        shares = _shares(box, unit)
        if shares is None:
            continue
        left, top, right, bottom = (
            round(100.0 * min(max(share, 0.0), 1.0), 2)
            for share in (
                (shares[0] - x1) / width, (shares[1] - y1) / height,
                (shares[2] - x1) / width, (shares[3] - y1) / height,
            )
        )  # fmt: skip
        if right > left and bottom > top:
            size = round(right - left, 2), round(bottom - top, 2)
            yield Drawn(left, top, *size, box.label, box.role)


def _around(regions: Sequence[Region], width: float, height: float) -> Corners:
    """Return the part of a picture that shows regions and what is around them.

    It has at least a quarter of each side, and twice the length of what it shows.
    """
    if not regions:
        return 0.0, 0.0, width, height
    left, top = min(each.x for each in regions), min(each.y for each in regions)
    right = max(each.x + each.width for each in regions)
    bottom = max(each.y + each.height for each in regions)
    wide = max(2 * (right - left), width // 4, 3 * (bottom - top) // 2, 16)
    high = max(2 * (bottom - top), height // 4, 3 * wide // 4, 12)
    x1, x2 = _stretch(left, right, wide, width)
    y1, y2 = _stretch(top, bottom, high, height)
    return x1, y1, x2, y2


def _stretch(first: float, last: float, length: float, limit: float) -> tuple[float, float]:
    length = min(length, limit)
    start = min(max((first + last - length) // 2, 0), limit - length)
    return start, start + length


def _outline(region: Region, left: float, top: float) -> Outline:
    polygons = tuple(
        " ".join(f"{x - left:g},{y - top:g}" for x, y in polygon) for polygon in region.outline
    )
    return Outline(polygons, str(region.part), max(region.x - left, 0), max(region.y - top, 0))
