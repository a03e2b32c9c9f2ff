"""Pictures for a page: files of the dataset alone, and nothing that a browser could run."""

from __future__ import annotations

import io
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from goldlabel.errors import InputError
from goldlabel.formats.pictures import open_picture

__all__ = ["Bytes", "page_picture"]

_AS_THEY_ARE = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
_LARGEST = 20 * 1024 * 1024
_SIDE = 4096
"""Longest side, in pixels, of a picture that is made anew."""


class Bytes(NamedTuple):
    """What is sent: the bytes of a picture, and what they are."""

    content: bytes
    media_type: str


def page_picture(shown: Path | bytes, inside: Sequence[Path], *, upright: bool = True) -> Bytes:
    """Return a picture as a browser can show it.

    Parameters
    ----------
    shown : Path or bytes
        A file, or a picture that the task has drawn.
    inside : sequence of Path
        The files and folders of the audit: a file must be one of them or lie in one, links
        resolved.
    upright : bool
        Whether a picture that is made anew is turned as its EXIF data say.

    Raises
    ------
    InputError
        The file lies elsewhere, is no regular file, or no picture.
    """
    content = shown if isinstance(shown, bytes) else _read(shown, inside)
    with open_picture(content) as image:
        kind = _AS_THEY_ARE.get(image.format or "")
        if kind is not None and len(content) <= _LARGEST and not image.mode.startswith("I"):
            return Bytes(content, kind)
        return _made_anew(image, upright)


def _read(path: Path, inside: Sequence[Path]) -> bytes:
    try:
        real = path.resolve(strict=True)
        allowed = [each.resolve() for each in inside]
        if not any(real == each or each in real.parents for each in allowed):
            raise InputError(path.name, "lies outside of what was audited", "Audit its folder too")
        if not stat.S_ISREG(real.stat().st_mode):
            raise InputError(path.name, "is no regular file", "Put the picture itself there")
        return real.read_bytes()
    except OSError as error:
        raise InputError(path.name, f"cannot be read ({error.strerror})", "Put it back") from error


def _made_anew(image: object, upright: bool) -> Bytes:
    from PIL import Image, ImageOps

    assert isinstance(image, Image.Image)
    if image.mode.startswith(("I", "F")):  # 16 bits and more: from the least to the most
        low, high = image.getextrema()
        scale = 255.0 / max(float(high) - float(low), 1e-9)  # type: ignore[arg-type]
        image = image.convert("F").point(lambda value: value * scale - float(low) * scale)  # type: ignore[arg-type]
        image = image.convert("L")
    if upright:
        image = ImageOps.exif_transpose(image)
    image = image.convert("RGBA" if "A" in image.getbands() else "RGB")
    image.thumbnail((_SIDE, _SIDE))
    out = io.BytesIO()
    image.save(out, "PNG")
    return Bytes(out.getvalue(), "image/png")
