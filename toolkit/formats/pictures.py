"""Pictures of a dataset, opened with Pillow: damaged ones and bombs are an InputError."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from goldlabel.errors import GoldlabelError, InputError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["PictureSize", "is_turned", "open_picture", "picture_size"]

_ORIENTATION = 0x0112  # of Exif
_TURNED = (5, 6, 7, 8)  # a viewer shows these with width and height exchanged


class PictureSize(NamedTuple):
    """What the header of a picture says.

    Attributes
    ----------
    width, height : int
        Of the pixels as they are stored.
    is_turned : bool
        Whether Exif has viewers exchange the two.
    """

    width: int
    height: int
    is_turned: bool


@contextmanager
def open_picture(path: Path, *, what: str = "picture", limited: bool = True) -> Iterator[Image]:
    """Open a picture; what the block asks of it may fail, too, and is an InputError then.

    Parameters
    ----------
    path : Path
    what : str
        What to call it in messages.
    limited : bool
        Refuse more pixels than Pillow finds plausible, which are not worth their memory; not
        needed where only the header is read.

    Raises
    ------
    InputError
        The file is no picture, is damaged, or has too many pixels.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata
            if limited:
                warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                yield image
    except GoldlabelError:
        raise
    except Exception as error:  # decoders raise whatever they like on damaged files
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            str(path), f"is no {what} that can be read ({why})", "Write it again"
        ) from error


def picture_size(path: Path, *, what: str = "picture") -> PictureSize:
    """Return the size of a picture by its header.

    Raises
    ------
    InputError
        The file is no picture.
    """
    with open_picture(path, what=what, limited=False) as image:
        return PictureSize(image.width, image.height, is_turned(image))


def is_turned(image: Image) -> bool:
    """Return whether a viewer shows a picture with width and height exchanged."""
    return image.getexif().get(_ORIENTATION, 1) in _TURNED
