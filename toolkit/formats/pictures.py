"""Pictures of a dataset, opened with Pillow: damaged ones and bombs are an InputError."""

from __future__ import annotations

import io
import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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
def open_picture(
    path: Path | bytes, *, what: str = "picture", limited: bool = True
) -> Iterator[Image]:
    """Open a picture; what the block asks of it may fail, too, and is an InputError then.

    Parameters
    ----------
    path : Path or bytes
        The file, or what is in it.
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
        file = io.BytesIO(path) if isinstance(path, bytes) else path
        with _QUIET.entered(), Image.open(file) as image:
            if limited and image.width * image.height > (Image.MAX_IMAGE_PIXELS or math.inf):
                raise ValueError(f"{image.width} x {image.height} pixels are too many")
            yield image
    except GoldlabelError:
        raise
    except Exception as error:  # decoders raise whatever they like on damaged files
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            what if isinstance(path, bytes) else str(path),
            f"is no {what} that can be read ({why})",
            "Write it again",
        ) from error


class _Quiet:
    """Silences what Pillow says of odd metadata, for all threads at once.

    Filters of warnings belong to the process: contexts of several threads that overlap restore
    each other's, and what an audit collects meanwhile would be lost. So the first one to enter
    sets them, and the last one to leave restores them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = ExitStack()

    @contextmanager
    def entered(self) -> Iterator[None]:
        with self._lock:
            if self._inside == 0:
                self._filters.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    self._filters.close()


_QUIET = _Quiet()


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
