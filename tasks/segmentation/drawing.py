"""Masks as pictures: layers to lie over an image, heat maps, a legend of the colours."""

from __future__ import annotations

import colorsys
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

__all__ = ["blank", "class_colors", "heat_layer", "layer", "legend"]

Rgb = npt.NDArray[np.uint8]

_RAMP = np.array(
    [(13, 8, 66), (95, 23, 110), (187, 55, 84), (249, 142, 9), (252, 255, 164)], dtype=np.float64
)


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


def _edges(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return the pixels whose right or lower neighbour differs."""
    found = np.zeros(values.shape, dtype=np.bool_)
    found[:-1] |= values[1:] != values[:-1]
    found[:, :-1] |= values[:, 1:] != values[:, :-1]
    return found


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
