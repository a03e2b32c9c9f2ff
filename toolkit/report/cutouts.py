"""What a scene's questions are about, cut out of its pictures and drawn in: small images.

Boxes: the first one's surroundings, for the page to draw on, and the next ones drawn. Regions: the
same piece of the picture and of each layer over it, with outlines that need no colour: white beside
black, so that they show on any picture and to any eye.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from goldlabel.errors import InputError
from goldlabel.formats.pictures import open_picture
from goldlabel.scenes import Box, Layer, Picture, Region, Regions, Role, Scene, Shapes

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

__all__ = ["Cutouts", "Frame", "Load", "cutouts", "thumbnail"]

Load = Callable[[str], Path | bytes | None]
"""A picture of the scene by its name."""

THUMBNAIL = 160
"""Longest side of a whole picture, in pixels."""
_CUT = 288
"""Longest side of a piece of a picture with boxes."""
_PANEL = 224
"""Longest side of each of the pictures that show a region."""
_MOST = 3
"""So many of an image's questions are shown."""
_CONTEXT = 0.6
"""How much of its own size is shown around a box, on each side."""
_LEAST = 0.12
"""Least side of a cut-out around boxes, as a share of the image."""
_WHITE, _BLACK, _YELLOW = (255, 255, 255), (0, 0, 0), (255, 197, 61)
_DASH, _GAP = 6, 4


class Window(NamedTuple):
    """A piece of a picture, in the units of what is on it."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """How wide it is."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """How high it is."""
        return self.bottom - self.top


@dataclass(frozen=True)
class Frame:
    """A rectangle on an image, in shares of its width and height, from the top left."""

    x: float
    y: float
    width: float
    height: float
    label: str
    role: Role


@dataclass(frozen=True)
class Cutouts:
    """Small images of a scene.

    Attributes
    ----------
    image : bytes, optional
        The first one, PNG or JPEG.
    frames : tuple of Frame
        What is to be drawn on it.
    pictures : mapping of str to bytes
        Further ones by caption.
    fields : mapping of str to str
        What they show of the picture.
    """

    image: bytes | None = None
    frames: tuple[Frame, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


def cutouts(scene: Scene, load: Load) -> Cutouts:
    """Return small images of a scene; none where it has no picture, or none that can be read."""
    below = next((block for block in scene.blocks if isinstance(block, Picture)), None)
    if below is None:
        return Cutouts()
    layers = [block for block in scene.blocks if isinstance(block, Layer)]
    regions = [each for each in scene.questions if isinstance(each, Regions)]
    if layers:
        return _panels(below, layers, [each.regions[0] for each in regions][:_MOST], load)
    image = _opened(load(below.name), upright=below.upright)
    if image is None:
        return Cutouts(fields={"image": "cannot be shown"})
    shapes = [each for each in scene.questions if isinstance(each, Shapes) and each.boxes]
    if shapes:
        return _boxed(image, below, shapes[:_MOST])
    longest = _CUT if any(isinstance(each, Shapes) for each in scene.questions) else THUMBNAIL
    return Cutouts(thumbnail(image, longest))


def thumbnail(image: Image, longest: int = THUMBNAIL) -> bytes:
    """Return a picture made small, as PNG or JPEG."""
    small = image if max(image.size) <= longest else _scaled(image, longest)
    out = io.BytesIO()
    if small.mode == "RGB" and max(small.size) > 64:
        small.save(out, "JPEG", quality=80)
    else:
        small.save(out, "PNG")
    return out.getvalue()


def _opened(source: Path | bytes | None, *, upright: bool) -> Image | None:
    """Return a picture that can be read; None for one that can't, or is not worth its memory."""
    from PIL import Image, ImageOps

    if source is None:
        return None
    try:
        if isinstance(source, bytes):  # made by the view
            with Image.open(io.BytesIO(source)) as image:
                return image.convert("RGBA")
        with open_picture(source) as image:
            turned = ImageOps.exif_transpose(image) if upright else image
            return turned.convert("RGBA" if "A" in image.getbands() else "RGB")
    except (InputError, OSError, ValueError):
        return None


def _scaled(image: Image, longest: int) -> Image:
    """Return an image of this side; small ones are enlarged, to see what is on them."""
    factor = longest / max(image.size)
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height))


def _size(picture: Picture, image: Image) -> tuple[float, float]:
    """Return width and height of a picture in the units of what is on it."""
    return picture.width or float(image.width), picture.height or float(image.height)


def _cut(image: Image, window: Window, size: tuple[float, float]) -> Image:
    x, y = image.width / size[0], image.height / size[1]
    left, top = int(window.left * x), int(window.top * y)
    right = max(round(window.right * x), left + 1)
    bottom = max(round(window.bottom * y), top + 1)
    return image.crop((left, top, right, bottom))


def _jpeg(image: Image) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=78)
    return out.getvalue()


def _boxed(image: Image, below: Picture, shapes: Sequence[Shapes]) -> Cutouts:
    """Return the surroundings of each question's boxes."""
    size = _size(below, image)
    first, window = shapes[0], _around_boxes(shapes[0].boxes, size)
    seen = [each for each in first.others if _shows(each, window)]
    frames = [_frame(each, window, "") for each in seen]
    frames += [_frame(each, window, each.label) for each in first.boxes]
    return Cutouts(
        _jpeg(_scaled(_cut(image, window, size), _CUT)),
        tuple(frames),
        {
            f"{at}. {each.kind}": _drawn(image, each, size)
            for at, each in enumerate(shapes[1:], start=2)
        },
    )


def _shows(box: Box, window: Window) -> bool:
    x = box.x1 < window.right and box.x2 > window.left
    return x and box.y1 < window.bottom and box.y2 > window.top


def _around_boxes(boxes: Sequence[Box], size: tuple[float, float]) -> Window:
    """Return the piece of an image around boxes, with some of what is beside them."""
    spans = []
    ends = (
        ([each.x1 for each in boxes], [each.x2 for each in boxes]),
        ([each.y1 for each in boxes], [each.y2 for each in boxes]),
    )
    shares = []
    for (starts, stops), whole in zip(ends, size, strict=True):
        low, high = (min(max(v / whole, 0.0), 1.0) for v in (min(starts), max(stops)))
        shares.append((low, high, max((high - low) * (1.0 + 2.0 * _CONTEXT), _LEAST)))
    longest = max(side for *_, side in shares)
    for (low, high, side), whole in zip(shares, size, strict=True):
        length = min(max(side, longest / 2.0), 1.0)
        start = min(max((low + high) / 2.0 - length / 2.0, 0.0), 1.0 - length)
        spans.append((start * whole, (start + length) * whole))
    (left, right), (top, bottom) = spans
    return Window(left, top, right, bottom)


def _within(box: Box, window: Window) -> tuple[float, float, float, float]:
    """Return corners in shares of a piece of an image, cut to it."""
    x1, x2 = (min(max((x - window.left) / window.width, 0.0), 1.0) for x in (box.x1, box.x2))
    y1, y2 = (min(max((y - window.top) / window.height, 0.0), 1.0) for y in (box.y1, box.y2))
    return x1, y1, x2, y2


def _frame(box: Box, window: Window, label: str) -> Frame:
    x1, y1, x2, y2 = _within(box, window)
    return Frame(x1, y1, x2 - x1, y2 - y1, label, box.role)


def _drawn(image: Image, shapes: Shapes, size: tuple[float, float]) -> bytes:
    """Return the cut-out of a question: solid what is given, dashed what is suggested."""
    from PIL import ImageDraw

    window = _around_boxes(shapes.boxes, size)
    cut = _scaled(_cut(image, window, size), _CUT * 2 // 3).convert("RGB")
    pen = ImageDraw.Draw(cut)
    for box in shapes.boxes:
        x1, y1, x2, y2 = _within(box, window)
        left, top = x1 * cut.width, y1 * cut.height
        right, bottom = x2 * cut.width - 1, y2 * cut.height - 1
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        is_new = box.role == "suggested"
        _outline(pen, corners, _YELLOW if is_new else _WHITE, dashed=is_new)
    return _jpeg(cut)


def _outline(
    pen: ImageDraw,
    corners: Sequence[tuple[float, float]],
    color: tuple[int, int, int],
    *,
    dashed: bool = False,
) -> None:
    """Draw a closed line, with black beside it."""
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        length = max(((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5, 1e-9)
        step, on = (_DASH + _GAP, _DASH) if dashed else (length + 1.0, length)
        begin = 0.0
        while begin < length:
            a, b = begin / length, min(begin + on, length) / length
            line = [
                (ax + a * (bx - ax), ay + a * (by - ay)),
                (ax + b * (bx - ax), ay + b * (by - ay)),
            ]
            pen.line(line, fill=_BLACK, width=4)
            pen.line(line, fill=color, width=2)
            begin += step


def _panels(
    below: Picture, layers: Sequence[Layer], regions: Sequence[Region], load: Load
) -> Cutouts:
    """Return the same piece of a picture, and of each layer over it, with regions outlined."""
    image = _opened(load(below.name), upright=below.upright)
    if image is None:
        return Cutouts(fields={"image": "cannot be shown"})
    size = _size(below, image)
    regions = [each for each in regions if each.width and each.height]
    window = _around_regions(regions, size) if regions else Window(0.0, 0.0, *size)
    piece = _panel(image, window, size).convert("RGBA")
    pictures = {below.caption: piece} if below.caption else {}
    for layer in layers:
        over = _opened(load(layer.name), upright=False)
        if over is not None:
            whole = piece.copy()
            whole.alpha_composite(_panel(over, window, size).resize(piece.size))
            pictures[layer.caption] = whole
    return Cutouts(
        pictures={name: _outlined(each, window, regions) for name, each in pictures.items()},
        fields=_said(window, size, regions),
    )


def _panel(image: Image, window: Window, size: tuple[float, float]) -> Image:
    """Return a piece of an image in the size it is shown in; pixels of masks stay sharp."""
    from PIL import Image

    cut = _cut(image, window, size)
    factor = _PANEL / max(cut.size)
    width, height = (max(1, round(side * factor)) for side in cut.size)
    is_mask = image.mode == "RGBA"
    sharp = Image.Resampling.BOX if factor < 1 else Image.Resampling.NEAREST
    return cut.resize((width, height), sharp if is_mask else Image.Resampling.LANCZOS)


def _around_regions(regions: Sequence[Region], size: tuple[float, float]) -> Window:
    """Return the piece of an image around regions: twice their length, a quarter of it at least."""
    left, top = min(each.x for each in regions), min(each.y for each in regions)
    right = max(each.x + each.width for each in regions)
    bottom = max(each.y + each.height for each in regions)
    wide = max(2 * (right - left), size[0] / 4, 3 * (bottom - top) / 2, 16)
    high = max(2 * (bottom - top), size[1] / 4, 3 * wide / 4, 12)
    (x1, x2), (y1, y2) = _span(left, right, wide, size[0]), _span(top, bottom, high, size[1])
    return Window(x1, y1, x2, y2)


def _span(first: float, last: float, length: float, limit: float) -> tuple[float, float]:
    length = float(round(min(length, limit)))
    start = float(round(min(max((first + last - length) / 2, 0.0), limit - length)))
    return start, start + length


def _outlined(piece: Image, window: Window, regions: Sequence[Region]) -> bytes:
    """Return a picture with each region outlined in white and black, and numbered."""
    from PIL import ImageDraw

    canvas = piece.convert("RGB")
    pen = ImageDraw.Draw(canvas)
    x, y = canvas.width / window.width, canvas.height / window.height
    for region in regions:
        for polygon in region.outline:
            corners = [((px - window.left) * x, (py - window.top) * y) for px, py in polygon]
            pen.line([*corners, corners[0]], fill=_BLACK, width=3)
        for polygon in region.outline:
            corners = [((px - window.left) * x, (py - window.top) * y) for px, py in polygon]
            pen.line([*corners, corners[0]], fill=_WHITE, width=1)
    for region in regions:
        text = str(region.part)
        left = min(max((region.x - window.left) * x - 4, 1), canvas.width - 6 * len(text) - 3)
        top = min(max((region.y - window.top) * y - 12, 0), canvas.height - 11)
        pen.rectangle((left - 1, top, left + 6 * len(text) + 1, top + 10), fill=_BLACK)
        pen.text((left, top), text, fill=_WHITE, font_size=10)
    return _packed(canvas)


def _packed(image: Image) -> bytes:
    """Return a picture as a PNG of few colours, or as a JPEG where that is smaller."""
    from PIL import Image

    png = io.BytesIO()
    image.quantize(128, dither=Image.Dither.NONE).save(png, "PNG", optimize=True)
    return min(png.getvalue(), _jpeg(image), key=len)


def _said(window: Window, size: tuple[float, float], regions: Sequence[Region]) -> dict[str, str]:
    """Say which piece of the image is shown, and what is outlined on it."""
    said = {}
    if (window.width, window.height) != size:
        said["shown"] = (
            f"x {window.left:.0f} to {window.right:.0f}, y {window.top:.0f} to {window.bottom:.0f}"
        )
    if regions:
        said["outlined"] = ", ".join(str(each.part) for each in regions)
    return said
