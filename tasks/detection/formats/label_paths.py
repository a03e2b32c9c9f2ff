"""Where the label file of an image that has none belongs: as the layout of the others has it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from goldlabel.files import name_inside
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.formats.folders import image_files
from goldlabel.tasks.detection.formats.listed import IMAGES
from goldlabel.tasks.detection.formats.pictures import Pictures

__all__ = ["new_label_files"]

_OF_PICTURES = ("images", "JPEGImages")
_OF_LABELS = ("labels", "Annotations", "annotations")

Parts = tuple[str, ...]


def new_label_files(
    source: Source, names: Sequence[str], keys: Sequence[str], pictures: Pictures | None, where: str
) -> list[str]:
    """Return the label file to make for each image that has none, relative to the folder of labels.

    ``images/train/a.jpg`` gets ``labels/train/a.txt``, a picture among label files one beside it.

    Parameters
    ----------
    source : Source
        Of a folder with a label file for each image.
    names, keys : sequence of str
        What predictions, or the folder of pictures, call the images; see `Listed`.
    pictures : Pictures, optional
        An image whose picture is not there is placed by its name.
    where : str
        What gives the names, for messages.

    Raises
    ------
    InputError
        A name leads out of the folder; says which.
    """
    if not names:
        return []
    layout = _Layout(source)
    new = []
    for name, key in zip(names, keys, strict=True):
        picture = None if pictures is None else pictures.find(name, key)
        if pictures is None or picture is None:
            path = layout.of_name(name_inside(name, where).parts)
        else:
            path = layout.of_picture(picture, pictures.folder)
        new.append("/".join((*path[:-1], layout.label_file(path[-1]))))
    return new


class _Layout:
    """How the label files of a folder lie to their pictures."""

    def __init__(self, source: Source) -> None:
        files = [PurePosixPath(name) for name in source.options["files"]]
        self.extension = source.options["extension"]
        self.folder = Path(os.path.abspath(source.files[0])).parts
        self.homes = {path.parts[:-1] for path in files}
        self.common = _shared(min(self.homes), max(self.homes))
        pictures = image_files(source.files[0])
        self.are_beside = bool(self.homes & {path.parts[:-1] for path in pictures})
        parts = [*self.folder, *(part for home in sorted(self.homes) for part in home)]
        self.labels = next((part for part in reversed(parts) if part in _OF_LABELS), None)
        inner = {PurePosixPath(path.stem).suffix.lower() for path in files}
        self.keeps_endings = inner <= IMAGES  # a.jpg.txt for a.jpg

    def label_file(self, name: str) -> str:
        """Return what the label file of an image is called."""
        own = PurePosixPath(name)
        if own.suffix.lower() in (".txt", ".xml"):  # predictions in a folder of text files
            own = own.with_suffix("")
        if own.suffix.lower() in IMAGES and not self.keeps_endings:
            own = own.with_suffix("")
        return f"{own}{self.extension}"

    def of_picture(self, path: Path, folder: Path) -> Parts:
        """Return the place of a label file, but for its name, for a picture in a folder of them."""
        picture, n = Path(os.path.abspath(path)).parts, len(self.folder)
        swapped = self._swapped(picture)
        if swapped is not None and swapped[:n] == self.folder:
            return swapped[n:]
        if picture[:n] != self.folder:
            return self.of_name(path.relative_to(folder).parts)
        inside = picture[n:]
        if self.are_beside:
            return inside
        if len(self.homes) == 1:
            return (*self.common, inside[-1])
        return (*self.common, *inside[len(self.common) : -1], inside[-1])

    def of_name(self, name: Parts) -> Parts:
        """Return the place of a label file, but for its name, for what an image is called."""
        swapped = self._swapped(name)
        if swapped is not None:
            inside = _behind(self.folder, swapped)
            if inside != swapped or (inside[0],) in {home[:1] for home in self.homes}:
                return inside
        if len(self.homes) == 1:
            return (*self.common, name[-1])
        inside = _behind(self.folder, name)
        if inside[: len(self.common)] == self.common:
            return inside
        return (*self.common, *_behind(self.common, inside))

    def _swapped(self, path: Parts) -> Parts | None:
        """Return a path with its last folder of pictures replaced by that of labels."""
        places = [at for at, part in enumerate(path[:-1]) if part in _OF_PICTURES]
        if not places or self.labels is None:
            return None
        return (*path[: places[-1]], self.labels, *path[places[-1] + 1 :])


def _shared(first: Parts, last: Parts) -> Parts:
    """Return the parts that two paths, and all between them in order, begin with."""
    n = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), None)
    return first[: min(len(first), len(last)) if n is None else n]


def _behind(folder: Parts, path: Parts) -> Parts:
    """Return what of a path comes behind a folder with whose last parts it begins."""
    for n in range(min(len(folder), len(path) - 1), 0, -1):
        if folder[-n:] == path[:n]:
            return path[n:]
    return path
