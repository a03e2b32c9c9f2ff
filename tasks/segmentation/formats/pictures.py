"""Image files: found by name, read as they are, PNG masks written back without loss."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.files import list_files
from goldlabel.formats.names import PICTURES, match_names
from goldlabel.formats.pictures import open_picture

__all__ = ["by_stem", "find", "open_mask", "repainted"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def find(folder: Path, *, what: str) -> list[Path]:
    """Return the picture files of a folder, relative to it, sorted; hidden ones left out.

    Raises
    ------
    InputError
        There are none.
    """
    found = [
        path
        for path in list_files(folder)
        if path.suffix.lower() in PICTURES and not any(p.startswith(".") for p in path.parts)
    ]
    if not found:
        raise InputError(str(folder), f"holds no {what}", "Name the folder that they lie in")
    return found


def by_stem(folder: Path, stems: Sequence[str], *, what: str) -> tuple[Path | None, ...]:
    """Return the picture of each name, None where there is none; some name must have one."""
    files = find(folder, what=what)
    place: dict[str, Path] = {}
    for path in files:
        place.setdefault(path.with_suffix("").as_posix(), folder / path)
        place.setdefault(path.stem, folder / path)
    found = tuple(place.get(stem) or place.get(stem.rpartition("/")[2]) for stem in stems)
    if not any(found):
        positions, _ = match_names([path.as_posix() for path in files], stems)
        found = tuple(folder / files[at] if at >= 0 else None for at in positions)
    if stems and not any(found):
        raise InputError(
            str(folder),
            f"has no picture named like a mask, e.g. {stems[0]!r}",
            "Name pictures and masks alike, except for their endings",
        )
    return found


def open_mask(path: Path) -> tuple[npt.NDArray[Any], str, npt.NDArray[np.uint8] | None]:
    """Return the pixels of a mask, its mode, and its palette (colours, 3) if it has one.

    Pixels are indices (h, w) of a palette or grey image, colours (h, w, channels) of others.

    Raises
    ------
    InputError
        The file can't be read.
    """
    with open_picture(path, what="mask") as image:
        palette = image.getpalette("RGB") if image.mode == "P" else None
        pixels = np.asarray(image)
        mode = image.mode
    if mode == "1":
        pixels = pixels.astype(np.uint8)
    colors = None if palette is None else np.array(palette, dtype=np.uint8).reshape(-1, 3)
    return pixels, mode, colors


def repainted(path: Path, changes: npt.NDArray[np.bool_], values: npt.NDArray[Any]) -> bytes:
    """Return a PNG with some pixels changed, all else as it was.

    Mode, bit depth, palette and every other chunk stay; only the pixel data is packed again.

    Parameters
    ----------
    path : Path
    changes : ndarray of shape (h, w), bool
    values : ndarray of shape (m,) or (m, channels)
        New values of these pixels, in order.

    Raises
    ------
    InputError
        The file is no PNG.
    """
    data = path.read_bytes()
    pixels, _, _ = open_mask(path)
    if not data.startswith(_SIGNATURE):
        raise InputError(
            str(path), "is no PNG, and a mask is written back as one", "Convert the masks to PNG"
        )
    pixels = np.array(pixels)
    pixels[changes] = values
    return _packed(data, pixels, path)


def _packed(data: bytes, pixels: npt.NDArray[Any], path: Path) -> bytes:
    """Put pixels in the place of the IDAT chunks of a PNG."""
    out = [_SIGNATURE]
    written = False
    depth = 8
    for kind, body in _chunks(data, path):
        if kind == b"IHDR":
            depth = body[8]
            body = body[:12] + b"\0"  # not interlaced
        elif kind == b"IDAT":
            if written:
                continue
            body, written = zlib.compress(_scanlines(pixels, depth), 9), True
        out.append(struct.pack(">I", len(body)) + kind + body)
        out.append(struct.pack(">I", zlib.crc32(kind + body)))
    return b"".join(out)


def _chunks(data: bytes, path: Path) -> list[tuple[bytes, bytes]]:
    found, at = [], len(_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        body = data[at + 8 : at + 8 + length]
        if len(body) != length:
            raise InputError(str(path), "has a chunk that is cut short", "Write it again")
        found.append((data[at + 4 : at + 8], body))
        at += 12 + length
        if found[-1][0] == b"IEND":
            break
    return found


def _scanlines(pixels: npt.NDArray[Any], depth: int) -> bytes:
    """Return rows of pixels as PNG has them, none of them filtered."""
    h = pixels.shape[0]
    if depth == 16:
        rows = pixels.reshape(h, -1).astype(">u2").view(np.uint8)
    elif depth == 8:
        rows = pixels.reshape(h, -1).astype(np.uint8)
    else:  # several pixels in a byte, the first in its highest bits
        bits = np.unpackbits(pixels.astype(np.uint8)[..., None], axis=2)[:, :, 8 - depth :]
        rows = np.packbits(bits.reshape(h, -1), axis=1)
    filtered = np.zeros((h, rows.shape[1] + 1), dtype=np.uint8)
    filtered[:, 1:] = rows
    return filtered.tobytes()
