"""Pictures for the report: masks over an image, outlines that need no colour, heat maps.

Outlines are white beside black, so that they show on any picture and to any eye; numbers say which
finding an outline belongs to.
"""

from __future__ import annotations

import colorsys
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

__all__ = [
    "Crop",
    "blank",
    "class_colors",
    "crop_around",
    "heat_layer",
    "heat_map",
    "layer",
    "legend",
    "outlined",
    "overlay",
    "packed",
    "shown_size",
]

Rgb = npt.NDArray[np.uint8]

SIDE = 224
"""Longest side of a picture, in pixels."""
_RAMP = np.array(
    [(13, 8, 66), (95, 23, 110), (187, 55, 84), (249, 142, 9), (252, 255, 164)], dtype=np.float64
)


class Crop(NamedTuple):
    """A piece of an image, in pixels: top, bottom, left, right."""

    top: int
    bottom: int
    left: int
    right: int


def class_colors(k: int) -> Rgb:
    """Return `k` colours that differ, (k, 3); none for `k` of 0 or less.

    Examples
    --------
    >>> class_colors(3).shape, class_colors(-1).shape
    ((3, 3), (0, 3))
    """
    golden = 0.618034
    colors = [
        colorsys.hsv_to_rgb(at * golden % 1.0, (0.75, 0.5)[at // 8 % 2], (0.95, 0.7)[at // 4 % 2])
        for at in range(max(k, 0))
    ]
    return (255 * np.array(colors, dtype=np.float64).reshape(-1, 3)).round().astype(np.uint8)


def crop_around(boxes: Sequence[tuple[int, int, int, int]], shape: tuple[int, int]) -> Crop:
    """Return a piece of an image of a shape that shows boxes (x, y, width, height) and around.

    It has at least a quarter of each side, and twice the length of what it shows.
    """
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = (max(box[at] + box[at + 2] for box in boxes) for at in (0, 1))
    wide = max(2 * (right - left), shape[1] // 4, 3 * (bottom - top) // 2, 16)
    high = max(2 * (bottom - top), shape[0] // 4, 3 * wide // 4, 12)
    rows = _span(top, bottom, high, shape[0])
    columns = _span(left, right, wide, shape[1])
    return Crop(*rows, *columns)


def _span(first: int, last: int, length: int, limit: int) -> tuple[int, int]:
    length = min(length, limit)
    start = min(max((first + last - length) // 2, 0), limit - length)
    return start, start + length


def shown_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the height and width that a piece of an image is shown in."""
    factor = SIDE / max(shape[:2])
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def _resized(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a piece of an image in the size it is shown in, each pixel as it is."""
    h, w = shown_size(pixels.shape)
    rows, columns = np.arange(h) * pixels.shape[0] // h, np.arange(w) * pixels.shape[1] // w
    resized: npt.NDArray[Any] = pixels[rows][:, columns]
    return resized


def overlay(classes: npt.NDArray[np.int32], colors: Rgb, image: Rgb | None) -> Rgb:
    """Return classes (h, w) in colours, half transparent over a picture; -1 is left as it is."""
    small = _resized(classes)
    painted = np.vstack([colors, [[128, 128, 128]]]).astype(np.uint8)[small]
    if image is not None:
        below = fitted(image, small.shape)
        painted = (0.5 * painted + 0.5 * below).astype(np.uint8)
        painted[small < 0] = below[small < 0]
    edges = _edges(small)
    painted[edges] = painted[edges] // 2
    return np.asarray(painted)


def fitted(image: Rgb, shape: tuple[int, int]) -> Rgb:
    """Return a picture in another size."""
    size = Image.Resampling.LANCZOS if image.shape[0] > shape[0] else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(image).resize(shape[::-1], size))


def _edges(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return the pixels whose right or lower neighbour differs."""
    found = np.zeros(values.shape, dtype=np.bool_)
    found[:-1] |= values[1:] != values[:-1]
    found[:, :-1] |= values[:, 1:] != values[:, :-1]
    return found


def heat_map(heat: npt.NDArray[Any]) -> Rgb:
    """Return numbers (h, w) of 0 .. 1 as colours from dark to light."""
    place = np.clip(_resized(heat).astype(np.float64), 0, 1) * (len(_RAMP) - 1)
    low = np.minimum(place.astype(np.int64), len(_RAMP) - 2)
    share = (place - low)[..., None]
    return np.asarray((1 - share) * _RAMP[low] + share * _RAMP[low + 1], dtype=np.uint8)


def outlined(
    picture: Rgb,
    regions: Sequence[npt.NDArray[np.bool_]],
    names: Sequence[str] | None = None,
) -> Rgb:
    """Return a picture with each region outlined in white and black, and named or numbered.

    Regions are masks of any size, of the same piece of the image as the picture.
    """
    canvas = picture.copy()
    marks = []
    for number, region in enumerate(regions):
        inside = _stretched(region, canvas.shape[:2])
        if not inside.any():
            continue
        outer = _grown(inside) & ~inside
        canvas[_grown(outer | inside) & ~inside & ~outer] = 0
        canvas[outer] = 255
        rows, columns = np.nonzero(inside)
        text = str(number) if names is None else names[number]
        marks.append((text, int(columns.min()), int(rows.min())))
    image = Image.fromarray(canvas)
    pen = ImageDraw.Draw(image)
    for text, x, y in marks:
        x, y = min(max(x - 4, 1), image.width - 9), min(max(y - 12, 0), image.height - 11)
        pen.rectangle((x - 1, y, x + 6 * len(text) + 1, y + 10), fill=(0, 0, 0))
        pen.text((x, y), text, fill=(255, 255, 255), font_size=10)
    return np.asarray(image)


def _stretched(mask: npt.NDArray[np.bool_], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return a mask in another size; no pixel that is set gets lost."""
    found = np.zeros(shape[:2], dtype=np.bool_)
    rows = np.arange(shape[0]) * mask.shape[0] // shape[0]
    columns = np.arange(shape[1]) * mask.shape[1] // shape[1]
    found |= mask[rows][:, columns]
    y, x = np.nonzero(mask)
    found[y * shape[0] // mask.shape[0], x * shape[1] // mask.shape[1]] = True
    return found


def _grown(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    wide = np.pad(mask, 1)
    return wide[1:-1, 1:-1] | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]


def legend(names: Sequence[str], colors: Rgb) -> bytes:
    """Return a PNG of the classes and their colours, in columns."""
    rows = min(len(names), 12)
    wide = 150
    image = Image.new(
        "RGB", (wide * max(1, -(-len(names) // max(rows, 1))), 18 * rows + 4), "white"
    )
    pen = ImageDraw.Draw(image)
    for at, name in enumerate(names):
        x, y = wide * (at // rows) + 4, 18 * (at % rows) + 4
        pen.rectangle((x, y, x + 22, y + 12), fill=tuple(colors[at].tolist()), outline=(0, 0, 0))
        text = "".join(c if c.isascii() and c.isprintable() else "?" for c in name)
        pen.text((x + 30, y), text[:20], fill=(0, 0, 0), font_size=11)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def layer(classes: npt.NDArray[np.int32], colors: Rgb, *, opaque: bool) -> bytes:
    """Return a PNG of classes (h, w) in colours, to lie over a picture; -1 is left transparent.

    Half transparent, with darker edges; `opaque` where there is no picture below.
    """
    k = len(colors)
    alphas = (255, 255) if opaque else (128, 192)
    edges = colors // 2 if opaque else colors // 3
    table = np.zeros((2 * k + 1, 4), dtype=np.uint8)  # of pixels, of edges, of no class
    table[:k, :3], table[k : 2 * k, :3] = colors, edges
    table[:k, 3], table[k : 2 * k, 3] = alphas
    if opaque:
        table[2 * k] = (128, 128, 128, 255)
    places = np.where(classes < 0, 2 * k, classes + k * (_edges(classes) & (classes >= 0)))
    return _png(places, table)


def heat_layer(heat: npt.NDArray[Any]) -> bytes:
    """Return a PNG of numbers (h, w) of 0 .. 1 as colours from dark to light."""
    place = np.arange(128) / 127 * (len(_RAMP) - 1)
    low = np.minimum(place.astype(np.int64), len(_RAMP) - 2)
    share = (place - low)[:, None]
    ramp = (1 - share) * _RAMP[low] + share * _RAMP[low + 1]
    table = np.column_stack([ramp.round(), np.full(128, 255)]).astype(np.uint8)
    return _png(np.round(np.clip(heat, 0, 1) * 127).astype(np.int64), table)


def blank(shape: tuple[int, int]) -> bytes:
    """Return a plain picture of a height and a width."""
    return _png(np.zeros(shape, dtype=np.int64), np.array([[235, 235, 235, 255]], dtype=np.uint8))


def _png(places: npt.NDArray[Any], table: npt.NDArray[np.uint8]) -> bytes:
    """Return a PNG of pixels (h, w) that have the colours, with opacity, of a table."""
    out = io.BytesIO()
    if len(table) > 256:
        Image.fromarray(table[places]).save(out, "PNG", compress_level=3)
        return out.getvalue()
    image = Image.fromarray(places.astype(np.uint8), "P")
    image.putpalette(table[:, :3].tobytes())
    image.save(out, "PNG", transparency=table[:, 3].tobytes(), compress_level=6)
    return out.getvalue()


def packed(picture: Rgb) -> bytes:
    """Return a picture as a PNG of few colours, or as a JPEG where that is smaller."""
    image = Image.fromarray(picture)
    png, jpeg = io.BytesIO(), io.BytesIO()
    image.quantize(128, dither=Image.Dither.NONE).save(png, "PNG", optimize=True)
    image.save(jpeg, "JPEG", quality=78)
    return min(png.getvalue(), jpeg.getvalue(), key=len)
