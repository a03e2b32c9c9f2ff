"""Image folders: the class of an image is the folder that it is in."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.files import list_files, new_folder, path_inside
from goldlabel.formats.options import options_of
from goldlabel.formats.registry import Format
from goldlabel.formats.tables.class_column import distinct
from goldlabel.results.audit import Source
from goldlabel.tasks.multiclass.formats.labels import Asked, Labels, Options

__all__ = ["EXTENSIONS", "FORMAT"]

EXTENSIONS = frozenset(".avif .bmp .gif .jpeg .jpg .pgm .png .ppm .tif .tiff .webp".split())
"""Files that count as images, by the end of their names in lower case."""


@dataclass(frozen=True, kw_only=True)
class FolderOptions(Options):
    """A folder of images with a folder for each class; the hash is that of their names."""

    rows: int
    sha256: str


def _read(folder: Path, asked: Asked) -> Labels:
    if asked.label is not None or asked.id is not None:
        raise InputError(str(folder), "is an image folder, without columns", "Omit label and id")
    ids, notes = _images(folder)
    found = distinct(pd.Series([id.partition("/")[0] for id in ids], dtype=object), str(folder))
    counts = f"{len(ids):,} images, {len(found.names):,} classes"
    note = f"Read {folder.name} as an image folder: {counts}."
    options = FolderOptions(rows=len(ids), sha256=_digest(ids))
    source = Source("image_folder", (folder,), options)
    ids_of_rows = np.array(ids, dtype=object)
    return Labels(found, str(folder), source, [note, *notes], ids=ids_of_rows)


def _images(folder: Path) -> tuple[list[str], list[str]]:
    """Find the images of a folder with a sub-folder for each class.

    Images may lie deeper inside a class folder. Hidden files and files that are no images are
    left out. The order is torchvision's: class, then folder, then name.

    Returns
    -------
    tuple
        Ids (paths in the folder, with ``/``) and notes.

    Raises
    ------
    InputError
        No images, an image outside of a class folder, a link that leaves the folder, a name that
        is not text.
    """
    files = [path for path in list_files(folder) if not any(p.startswith(".") for p in path.parts)]
    images = [path for path in files if path.suffix.lower() in EXTENSIONS]
    if not images:
        raise InputError(
            str(folder),
            "has no images in class folders",
            "Name a folder with a folder of images for each class, or a table",
        )
    loose = [path for path in images if len(path.parts) == 1]
    if loose:
        raise InputError(
            str(folder / loose[0]),
            f"is in no class folder; {len(loose):,} of {len(images):,} images are in none",
            "Move each image into the folder of its class",
        )
    images.sort(key=lambda path: (path.parts[0], str(path.parent), path.name))
    return [_as_text(folder, path) for path in images], _left_out(files)


def _as_text(folder: Path, path: Path) -> str:
    name = path.as_posix()
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"{folder}: {name.encode('utf-8', 'replace').decode()}",
            "has a name that is not UTF-8 text",
            "Rename the file",
        ) from error
    return name


def _digest(ids: list[str]) -> str:
    return hashlib.sha256("\0".join(ids).encode()).hexdigest()


def _left_out(files: list[Path]) -> list[str]:
    others = Counter(
        path.suffix.lower() or "no extension"
        for path in files
        if path.suffix.lower() not in EXTENSIONS
    )
    if not others:
        return []
    shown = ", ".join(f"{count:,} {extension}" for extension, count in others.most_common(5))
    return [f"Files that are no images were left out: {shown}."]


def _export(source: Source, changes: Mapping[int, str], out: Path) -> None:
    """Copy the folder to `out` with some images moved to another class folder.

    A moved image keeps its path below the class folder; where another file has that name, the
    name of its old class is added to its own. Files that are no images are copied too.

    Raises
    ------
    InputError
        The folder has changed, `out` is taken or overlaps it, or a class can't name a folder.
    """
    folder = source.files[0]
    ids, _ = _images(folder)
    if _digest(ids) != options_of(source, FolderOptions).sha256:
        raise InputError(str(folder), "has other images than when it was audited", "Audit it again")
    for name in changes.values():
        _check_folder_name(name)
    files = [path.as_posix() for path in list_files(folder)]
    moves = _targets(files, {ids[example]: name for example, name in changes.items()})
    with new_folder(out, inputs=(folder,)) as copy:
        for name in files:
            shutil.copy2(folder / name, path_inside(copy, moves.get(name, name)))


def _check_folder_name(name: str) -> None:
    """Refuse a class that would lead out of the folder, or that no file system takes."""
    bad = name in ("", ".", "..") or any(c in name for c in "/\\\0") or not name.isprintable()
    if (
        bad
        or name.startswith(".")
        or name != name.strip()
        or len(name.encode("utf-8", "replace")) > 255
    ):
        raise InputError(
            f"class {name!r}", "cannot be the name of a folder", "Use another name for the class"
        )


def _targets(files: list[str], new_classes: Mapping[str, str]) -> dict[str, str]:
    """Return the new path of each image that moves; no two files get the same one."""
    taken = {name.casefold() for name in files if name not in new_classes}
    moves = {}
    for name in sorted(new_classes):
        old, _, rest = name.partition("/")
        path = Path(rest)
        target = f"{new_classes[name]}/{rest}"
        number = 1
        while target.casefold() in taken:
            mark = f"_{old}" if number == 1 else f"_{old}_{number}"
            target = (
                f"{new_classes[name]}/{path.with_name(path.stem + mark + path.suffix).as_posix()}"
            )
            number += 1
        taken.add(target.casefold())
        moves[name] = target
    return moves


FORMAT: Format[Asked, Labels] = Format(
    "image_folder",
    "a folder with a folder of images for each class",
    None,
    _read,
    _export,
    FolderOptions,
    is_folder=True,
)
