"""The bytes of a picture, made safe: of audited files only, within limits, as PNG, JPEG, ...

A page names an example and a picture, never a path. An audit's folder is not trusted: a path that
a view returns is followed to where it leads, and has to lie among what was audited.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from goldlabel.errors import InputError
from goldlabel.formats.pictures import open_picture
from goldlabel.review.scenes import Stored

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Pictures", "Sent"]

_AS_IT_IS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
_WHOLE = 20_000_000
"""Bytes up to which a picture is sent as it is."""
_LARGEST = 4096
"""Longest side, in pixels, of a picture that is made anew."""
_SIZES = range(16, _LARGEST + 1)


class Sent(NamedTuple):
    """A picture as it is sent."""

    content: bytes
    media_type: str


class Pictures:
    """Turns what a view returns into bytes that a browser can be given.

    Parameters
    ----------
    audited : iterable of Path
        Files and folders; nothing else is opened.
    """

    def __init__(self, audited: Iterable[Path]) -> None:
        self._audited = [path.resolve() for path in audited]

    def sent(self, stored: Stored, *, size: int | None = None) -> Sent:
        """Return a picture, if asked for with its longest side made at most `size` pixels.

        Raises
        ------
        InputError
            It is not there, lies elsewhere, is none, or is too large; or there is no such size.
        """
        if size is not None and size not in _SIZES:
            raise InputError(
                "size", f"is {size}, not in {_SIZES.start} .. {_LARGEST}", "Ask for pixels in that"
            )
        if stored.shown is None:
            raise InputError("picture", "cannot be shown", "Check the files of the dataset")
        content = (
            stored.shown if isinstance(stored.shown, bytes) else self._read(Path(stored.shown))
        )
        with open_picture(content) as image:
            small = size is None or max(image.size) <= size
            if image.format in _AS_IT_IS and len(content) <= _WHOLE and small:
                image.verify()
                return Sent(content, _AS_IT_IS[str(image.format)])
        with open_picture(content) as image:
            return _made_anew(image, size or _LARGEST, upright=stored.upright)

    def _read(self, path: Path) -> bytes:
        """Read a file, if it is a regular one among what was audited."""
        try:
            real = path.resolve(strict=True)
            if not any(real == each or each in real.parents for each in self._audited):
                raise InputError("picture", "lies outside of what was audited", "Audit it as well")
            descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise InputError("picture", "is no regular file", "Check the dataset")
                return file.read()
        except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links in a circle
            if isinstance(error, InputError):
                raise
            why = (error.strerror if isinstance(error, OSError) else None) or "no path"
            raise InputError("picture", f"cannot be read ({why})", "Check the dataset") from error


def _made_anew(image: Image, size: int, *, upright: bool) -> Sent:
    """Return a picture as PNG or JPEG without metadata, so that no viewer turns it once more."""
    from PIL import ImageOps

    image.draft("RGB", (size, size))
    turned = ImageOps.exif_transpose(image) if upright else image.copy()
    plain = _eight_bits(turned)
    plain.thumbnail((size, size))
    out = io.BytesIO()
    if plain.mode in ("RGB", "L") and max(plain.size) > 512:
        plain.save(out, "JPEG", quality=90)
        return Sent(out.getvalue(), "image/jpeg")
    plain.save(out, "PNG")
    return Sent(out.getvalue(), "image/png")


def _eight_bits(image: Image) -> Image:
    """Return a picture that browsers can show; of more bits, its range stretched over eight."""
    import numpy as np
    from PIL import Image as Pillow

    if image.mode.startswith(("I", "F")):
        values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0)
        low, high = float(values.min(initial=0.0)), float(values.max(initial=0.0))
        scaled = (values - low) * (255.0 / (high - low)) if high > low else values * 0.0
        return Pillow.fromarray(scaled.astype(np.uint8))
    if image.mode in ("RGB", "L", "RGBA"):
        return image
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    return image.convert("RGBA" if has_alpha else "RGB")
