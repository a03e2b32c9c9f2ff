"""Folders with a label file for each image: which files belong to them, and copying them."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path, PurePath

from goldlabel.errors import InputError
from goldlabel.files import list_files, name_inside, new_folder, path_inside
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.formats.listed import IMAGES, Change

__all__ = ["copied", "digest", "files_of", "image_files", "read_bytes"]


def files_of(folder: Path, extension: str, others: Collection[str] = ()) -> list[Path]:
    """Return the files of a folder with an extension, relative to it, sorted.

    Hidden files and folders are left out, and those with one of the names `others`, in lower case.
    """
    return [path for path in list_files(folder) if _is_one(path, extension, others)]


def _is_one(path: PurePath, extension: str, others: Collection[str]) -> bool:
    is_hidden = any(part[0] == "." for part in path.parts)
    return path.suffix.lower() == extension and not is_hidden and path.name.lower() not in others


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
    changes: Mapping[int, Sequence[Change]],
    edited: Callable[[bytes, Sequence[Change], str, int], bytes],
    *,
    extension: str,
    others: Collection[str] = (),
) -> None:
    """Copy a folder with the label files of some images changed, and everything else as it was.

    Only what was read as labels is changed. An image without a label file gets one.

    Parameters
    ----------
    source : Source
        Of the folder; what its options "sha256" and "files" say of the label files must still hold.
    out : Path
        A new folder.
    changes : mapping of int to sequence of Change
    edited : callable
        Given the bytes of a label file (empty for a new one), its changes, how messages call it,
        and the image, returns the new bytes.
    extension, others
        As for `files_of`: which files are label files.
    """
    folder, options = source.files[0], source.options
    files = files_of(folder, extension, others)
    is_same = [path.as_posix() for path in files] == options["files"]
    if not is_same or digest(folder, files_of(folder, extension)) != options["sha256"]:
        raise InputError(str(folder), "has changed since it was audited", "Audit it again")
    with new_folder(out, inputs=(folder,)) as copy:
        for name in list_files(folder):
            shutil.copy2(folder / name, path_inside(copy, name))
        new = _new_files(source, [image for image in changes if image >= len(files)], copy)
        for image, label_file in new.items():
            if not _is_one(PurePath(label_file), extension, others):
                raise InputError(
                    str(folder / label_file),
                    "would be a label file, and is not read as one",
                    f"Rename the image {options['images'][image]!r}",
                )
        for image, wanted in changes.items():
            label_file = new[image] if image in new else files[image].as_posix()
            target = path_inside(copy, label_file)
            before = b"" if image in new else target.read_bytes()
            target.write_bytes(edited(before, wanted, f"{folder / label_file}", image))


def _new_files(source: Source, images: Sequence[int], copy: Path) -> dict[int, str]:
    """Return the label files to make for images that have none; each one's own, and no other's."""
    folder, options = source.files[0], source.options
    names, first = options["images"], len(options["files"])
    listed = [str(name) for name in options.get("new_files", ())]
    if len(names) != first + len(listed):
        raise InputError(
            str(folder), "was audited without naming a label file for each image", "Audit it again"
        )
    counts = Counter(name.casefold() for name in listed)
    new = {}
    for image in images:
        where = f"{folder}: image {names[image]!r}"
        name = new[image] = name_inside(listed[image - first], where).as_posix()
        what = f"would have the label file {name!r}"
        if os.path.lexists(copy / name):
            raise InputError(where, f"{what}, which is there and not its own", "Rename the image")
        if counts[name.casefold()] > 1:
            raise InputError(where, f"{what}, as another image would", "Rename one of them")
    return new
