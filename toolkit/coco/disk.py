"""Image files: whether they are there, can be decoded, have the size that the record says."""

from __future__ import annotations

import hashlib
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from goldlabel.coco.collecting import Collector
from goldlabel.coco.instances import Instances
from goldlabel.coco.lists import is_unsafe, repeated_texts
from goldlabel.errors import InputError
from goldlabel.formats.json.records import Place
from goldlabel.formats.pictures import is_turned
from goldlabel.kernels.rows import thread_count
from goldlabel.task import Progress

__all__ = ["ImageFile", "check_files", "read_files"]

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
PIXELS = 1 << 28
"""Images of more pixels are not decoded."""
STEP = 64


@dataclass(frozen=True)
class ImageFile:
    """What was found where an image should lie.

    Attributes
    ----------
    sha256 : str or None
        None if there is no file.
    size : (int, int) or None
        Width and height; None if it can't be decoded.
    is_turned : bool
        The file says that it is to be shown turned by 90 degrees.
    problem : str
        Why it can't be decoded.
    """

    sha256: str | None
    size: tuple[int, int] | None = None
    is_turned: bool = False
    problem: str = ""


def read_files(
    instances: Instances, folder: Path, progress: Progress | None = None
) -> list[ImageFile | None]:
    """Look at the file of each image; None where the record names none, or an unsafe one."""
    try:
        if not folder.is_dir():
            raise InputError(str(folder), "is no folder", "Name the folder of the images")
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(str(folder), f"cannot be read ({error})", "Name another") from error
    names = instances.file_names
    paths = [None if name is None or is_unsafe(name) else folder / name for name in names]
    found: list[ImageFile | None] = []
    with warnings.catch_warnings(), ThreadPoolExecutor(thread_count()) as pool:
        warnings.simplefilter("ignore")  # of Pillow: they are about what the file claims
        for start in range(0, len(paths), STEP):
            found += pool.map(_look, paths[start : start + STEP])
            if progress is not None:
                progress(len(found), len(paths), "images")
    return found


def _look(path: Path | None) -> ImageFile | None:
    if path is None:
        return None
    try:
        if not path.is_file():
            return ImageFile(None)
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        return ImageFile(None, problem=str(error))
    sha256 = hashlib.sha256(data).hexdigest()
    from PIL import Image

    try:
        with Image.open(path) as image:
            size = image.size
            if size[0] * size[1] > PIXELS:
                return ImageFile(sha256, size)
            turned = is_turned(image)
            image.draft(None, (1, 1))  # a JPEG is read whole, but computed at an eighth
            image.load()
    except Exception as error:  # decoders raise whatever they like on damaged files
        return ImageFile(sha256, problem=str(error) or type(error).__name__)
    return ImageFile(sha256, size, turned)


def check_files(
    collector: Collector, instances: Instances, folder: Path, found: list[ImageFile | None]
) -> None:
    """Compare image files with the records."""
    images = instances.images
    there = [(row, file) for row, file in enumerate(found) if file is not None]
    missing = [row for row, file in there if file.sha256 is None]
    collector.add(
        *("image-file-missing", images, np.array(missing, dtype=np.int64)),
        f"{{name}} is not in {folder}",
        field="file_name",
        name=[instances.file_names[row] for row in missing],
    )
    broken = [(row, file.problem) for row, file in there if file.sha256 and file.size is None]
    collector.add(
        *("image-file-unreadable", images, np.array([row for row, _ in broken], dtype=np.int64)),
        "{name} can't be decoded: {problem}",
        field="file_name",
        name=[instances.file_names[row] for row, _ in broken],
        problem=[problem for _, problem in broken],
    )
    _check_sizes(collector, instances, there)
    again, first = repeated_texts([None if file is None else file.sha256 for file in found])
    collector.add(
        *("image-content-duplicate", images, again, "{name} has the bytes of {other}"),
        field="file_name",
        name=[instances.file_names[row] for row in again.tolist()],
        other=[instances.file_names[row] for row in first.tolist()],
    )
    _check_unlisted(collector, instances, folder)


def _check_sizes(
    collector: Collector, instances: Instances, there: list[tuple[int, ImageFile]]
) -> None:
    rows, sizes, hints = [], [], []
    for row, file in there:
        given = (instances.widths[row], instances.heights[row])
        if file.size is None or not np.isfinite(given).all() or file.size == given:
            continue
        rows.append(row)
        sizes.append(file.size)
        swapped = file.size == (given[1], given[0])
        turned = "; the same if turned as the file's EXIF says" if file.is_turned else "; swapped"
        hints.append(turned if swapped else "")
    at = np.array(rows, dtype=np.int64)
    collector.add(
        "image-size-differs",
        *(instances.images, at, "is {w:g} x {h:g}, but the file is {fw} x {fh}{hint}"),
        w=instances.widths[at],
        h=instances.heights[at],
        fw=[size[0] for size in sizes],
        fh=[size[1] for size in sizes],
        hint=hints,
    )


def _check_unlisted(collector: Collector, instances: Instances, folder: Path) -> None:
    listed = {os.path.normpath(name) for name in instances.file_names if name}
    names = [
        os.path.relpath(os.path.join(place, name), folder)
        for place, _, files in os.walk(folder)
        for name in files
        if os.path.splitext(name)[1].lower() in SUFFIXES
    ]
    rest = sorted(name for name in names if os.path.normpath(name) not in listed)
    section = collector.document.sections.get("images")
    if rest and section is not None:
        collector.add_places(
            "image-file-unlisted",
            [Place("$.images", section.start, section.stop)],
            "{n:,} image files in {folder} are not listed, such as {name}",
            n=[len(rest)],
            folder=[str(folder)],
            name=[rest[0]],
        )
