"""The pictures of a dataset: where they are, and how large."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.pictures import picture_size
from goldlabel.formats.upload_names import original_name
from goldlabel.tasks.detection.formats.folders import image_files
from goldlabel.tasks.detection.formats.listed import stem
from goldlabel.typing import Floats

__all__ = ["Pictures", "picture_folder"]


def picture_folder(path: Path) -> Path | None:
    """Return the folder of pictures that belongs to a file or folder of labels, if it is clear."""
    folder = path if path.is_dir() else path.parent
    places = [folder / name for name in ("images", "JPEGImages")]
    if path.is_dir():
        beside = folder.resolve().parent
        places += [beside / name for name in ("images", "JPEGImages")]
        if folder.name == "labels" or "labels" in folder.parts:
            parts = list(folder.resolve().parts)
            at = len(parts) - 1 - parts[::-1].index("labels") if "labels" in parts else -1
            if at >= 0:
                places.insert(0, Path(*parts[:at], "images", *parts[at + 1 :]))
    return next((place for place in places if place.is_dir()), None)


class Pictures:
    """The pictures in a folder, by path and by name.

    Parameters
    ----------
    folder : Path
    told : bool
        Whether the caller named the folder, or it was found beside the labels.
    """

    def __init__(self, folder: Path, *, told: bool) -> None:
        if not folder.is_dir():
            raise InputError(str(folder), "is no folder", "Name the folder of the images")
        self.folder = folder
        self.told = told
        self._by_path: dict[str, Path] = {}
        self._sizes: dict[Path, tuple[float, float, bool]] = {}
        self._by_key: dict[str, Path | None] = {}
        self._by_original: dict[str, Path | None] = {}
        for path in image_files(folder):
            self._by_path[path.as_posix()] = folder / path
            key = stem(path.name)
            self._by_key[key] = None if key in self._by_key else folder / path
            original = original_name(key)
            self._by_original[original] = None if original in self._by_original else folder / path

    def find(self, name: str, key: str) -> Path | None:
        """Return the picture of an image."""
        return (
            self._by_path.get(name)
            or self._by_key.get(key)
            or self._by_original.get(original_name(key))
        )

    def paths(self, names: Sequence[str], keys: Sequence[str]) -> tuple[Path | None, ...]:
        """Return the picture of each image; None where there is none."""
        return tuple(self.find(name, key) for name, key in zip(names, keys, strict=True))

    def without_labels(self, keys: Sequence[str]) -> list[str]:
        """Return pictures that no label file names; only of a folder that the caller named."""
        if not self.told:
            return []
        known = {*keys, *map(original_name, keys)}
        return [
            name for name in self._by_path if not known & {stem(name), original_name(stem(name))}
        ]

    def sizes(
        self,
        names: Sequence[str],
        keys: Sequence[str],
        known: Floats,
        *,
        as_stored: bool = False,
    ) -> tuple[Floats, list[str]]:
        """Fill in the sizes that are not known, from the pictures themselves.

        Of a picture that EXIF turns the size that a viewer shows, unless it is wanted `as_stored`.
        """
        sizes = known.copy()
        missing = 0
        for at, (name, key) in enumerate(zip(names, keys, strict=True)):
            path = self.find(name, key)
            missing += path is None
            if path is not None and np.isnan(sizes[at]).any():
                width, height, is_turned = self._size(path)
                is_swapped = is_turned and not as_stored
                sizes[at] = (height, width) if is_swapped else (width, height)
        notes = [f"Pictures are taken from {self.folder.name or self.folder}."]
        if missing:
            notes.append(f"{missing:,} of {len(names):,} images have no picture there.")
        return sizes, notes

    def _size(self, path: Path) -> tuple[float, float, bool]:
        """Return width and height, and whether viewers turn it; NaN if it can't be read."""
        if path not in self._sizes:
            try:
                size = picture_size(path)
                self._sizes[path] = float(size.width), float(size.height), size.is_turned
            except InputError:
                self._sizes[path] = np.nan, np.nan, False
        return self._sizes[path]
