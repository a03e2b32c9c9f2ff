"""Folders with a label file for each image: which files belong to them, and copying them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from goldlabel.audit import Source
from goldlabel.errors import InputError
from goldlabel.files import list_files, new_folder
from goldlabel.tasks.detection.formats.listed import Change

__all__ = ["IMAGES", "copied", "digest", "files_of", "image_files", "read_bytes"]

IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"}
"""Extensions of pictures."""


def files_of(folder: Path, extension: str) -> list[Path]:
    """Return the files of a folder with an extension, relative to it, sorted.

    Hidden files and folders are left out.
    """
    return [
        path
        for path in list_files(folder)
        if path.suffix.lower() == extension and not any(part[0] == "." for part in path.parts)
    ]


def image_files(folder: Path) -> list[Path]:
    """Return the pictures in a folder, relative to it, sorted."""
    return [path for path in list_files(folder) if path.suffix.lower() in IMAGES]


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            str(path), f"cannot be read ({error.strerror})", "Check its permissions"
        ) from error


def digest(folder: Path, files: Sequence[Path]) -> str:
    """Return a hash of the names and contents of files."""
    found = hashlib.sha256()
    for name in files:
        data = read_bytes(folder / name)
        found.update(f"{name.as_posix()}\0{len(data)}\0".encode("utf-8", "surrogateescape"))
        found.update(data)
    return found.hexdigest()


def copied(
    source: Source,
    out: Path,
    files: Mapping[int, str],
    changes: Mapping[int, Sequence[Change]],
    edited: Callable[[bytes, Sequence[Change], str], bytes],
    names: Mapping[int, str],
) -> None:
    """Copy a folder with the label files of some images changed, and everything else as it was.

    Parameters
    ----------
    source : Source
        Of the folder; what its option "sha256" says of the label files must still hold.
    out : Path
        A new folder.
    files : mapping of int to str
        Label file of each image that has one, relative to the folder.
    changes : mapping of int to sequence of Change
    edited : callable
        Given the bytes of a label file (empty for a new one), its changes, and how messages call
        it, returns the new bytes.
    names : mapping of int to str
        Label file to make for an image that has none.
    """
    folder = source.files[0]
    extension = source.options["extension"]
    if digest(folder, files_of(folder, extension)) != source.options["sha256"]:
        raise InputError(str(folder), "has changed since it was audited", "Audit it again")
    with new_folder(out, inputs=(folder,)) as copy:
        for name in list_files(folder):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder / name, copy / name)
        for image, wanted in changes.items():
            label_file = files.get(image) or names[image]
            target = copy / label_file
            before = target.read_bytes() if image in files else b""
            after = edited(before, wanted, f"{folder / label_file}")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(after)
