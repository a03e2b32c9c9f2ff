"""Images and categories as lists: names that are there twice, entries that nothing refers to."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath

import numpy as np

from goldlabel.coco.collecting import Collector
from goldlabel.coco.instances import Annotations, Instances
from goldlabel.formats.json.records import NO_ID, Place
from goldlabel.typing import Ints

__all__ = ["check_lists", "is_unsafe"]


_SUSPECT = re.compile(r"\.\.|:|^[/\\]")
RATIO = 100
"""How many times as many annotations the most frequent category may have."""


def check_lists(collector: Collector, instances: Instances, annotations: Annotations) -> None:
    """Check images and categories as lists."""
    _check_file_names(collector, instances)
    names = [
        None if name is None else " ".join(name.split()).casefold()
        for name in instances.categories.texts("name")
    ]
    again, first = repeated_texts(names)
    collector.add(
        "duplicate-category-name",
        *(instances.categories, again, "has the name {name}, as {other} has"),
        field="name",
        name=instances.categories.raw(again, "name"),
        other=[instances.categories.where(row).path for row in first.tolist()],
    )
    if not len(annotations):
        return
    used = _count(annotations.category_rows, len(instances.categories))
    is_listed = instances.category_ids != NO_ID
    collector.add("category-unused", instances.categories, is_listed & (used == 0), "is not used")
    annotated = _count(annotations.image_rows, len(instances.images))
    is_listed = instances.image_ids != NO_ID
    bare = is_listed & (annotated == 0)
    collector.add("image-without-annotations", instances.images, bare, "has no annotations")
    _check_balance(collector, instances, used)


def _check_file_names(collector: Collector, instances: Instances) -> None:
    images, names = instances.images, instances.file_names
    again, first = repeated_texts(names)
    collector.add(
        "duplicate-file-name",
        *(images, again, "has the file name {name}, as {other} has"),
        field="file_name",
        name=images.raw(again, "file_name"),
        other=[images.where(row).path for row in first.tolist()],
    )
    unsafe = np.array([name is not None and is_unsafe(name) for name in names], dtype=bool)
    collector.add(
        *("file-name-unsafe", images, unsafe, "{name} leads out of the folder of images"),
        field="file_name",
        name=images.raw(np.flatnonzero(unsafe), "file_name"),
    )


def is_unsafe(name: str) -> bool:
    r"""Whether a file name leads out of the folder that it is in, on any system.

    Examples
    --------
    >>> is_unsafe("train/1.jpg"), is_unsafe("../1.jpg"), is_unsafe("C:\\1.jpg"), is_unsafe("/1.jpg")
    (False, True, True, True)
    """
    if "\0" in name:
        return True
    if not _SUSPECT.search(name):
        return False
    path, windows = PurePosixPath(name), PureWindowsPath(name)
    rooted = path.is_absolute() or bool(windows.drive or windows.root)
    return rooted or ".." in path.parts or ".." in windows.parts


def repeated_texts(texts: list[str | None]) -> tuple[Ints, Ints]:
    """Return the positions of texts that came before, and where they came first."""
    first: dict[str, int] = {}
    again = [
        (row, first[text])
        for row, text in enumerate(texts)
        if text is not None and first.setdefault(text, row) != row
    ]
    pairs = np.array(again, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _count(rows: Ints, n: int) -> Ints:
    return np.bincount(rows[rows >= 0], minlength=n).astype(np.int64)


def _check_balance(collector: Collector, instances: Instances, used: Ints) -> None:
    section = collector.document.sections.get("categories")
    some = np.flatnonzero(used > 0)
    if section is None or not len(some):
        return
    most, least = some[used[some].argmax()], some[used[some].argmin()]
    if used[most] <= RATIO * used[least]:
        return
    rare = some[used[some] * RATIO < used[most]]
    names = [instances.categories.raw(np.array([row]), "name")[0] for row in (most, least)]
    collector.add_places(
        "class-imbalance",
        [Place("$.categories", section.start, section.stop)],
        "{most} has {of:,} annotations, {least} has {n:,}; {rare:,} categories have less than a "
        "hundredth of the most frequent",
        most=[names[0]],
        of=[int(used[most])],
        least=[names[1]],
        n=[int(used[least])],
        rare=[len(rare)],
    )
