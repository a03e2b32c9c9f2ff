"""Boxes as a file lists them, before annotations and predictions are put together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.boxes import LARGEST
from goldlabel.tasks.detection.unusable import Unusable
from goldlabel.typing import Floats, Ints

__all__ = ["IMAGES", "Change", "Collector", "Listed", "number", "stem"]

IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"}
"""Extensions of pictures."""


@dataclass(frozen=True, eq=False)
class Listed:
    """The boxes of one file or folder, image after image, each image's in the order of its file.

    Attributes
    ----------
    keys : tuple of str
        Name of each image without folders and extension: by it, or by `ids`, files are matched.
    ids : tuple
        What the file itself calls each image: an id, a file name.
    names : tuple of str
        File name of each image as far as the file tells; else its key.
    image : ndarray of shape (b,), int64
        Image of each box, ascending.
    boxes : ndarray of shape (b, 4), float64
        Corners.
    labels : ndarray of shape (b,), int64
        Index into `classes`.
    classes : tuple of str
        Names; of classes that only have a number, the number.
    codes : tuple
        What the file itself calls each class: a category id, a number, a name.
    is_named : bool
        Whether `classes` are names, and no numbers.
    is_relative : bool
        Whether corners are shares of width and height.
    sizes : ndarray of shape (n, 2), float64
        Width and height; NaN where not told.
    scores : ndarray of shape (b,), float64, optional
    ignore : ndarray of shape (b,), bool
    source : Source
    notes : tuple of str
    unusable : tuple of Unusable
        Annotations without a box: they are among the others, to be ignored.
    looked_for : tuple of (frozenset, frozenset), optional
        Of federated annotations (LVIS): classes whose absence was checked in each image, and
        classes of which it has more than are annotated.
    """

    keys: tuple[str, ...]
    ids: tuple[Any, ...]
    names: tuple[str, ...]
    image: Ints
    boxes: Floats
    labels: Ints
    classes: tuple[str, ...]
    codes: tuple[Any, ...]
    is_named: bool
    is_relative: bool
    sizes: Floats
    scores: Floats | None
    ignore: npt.NDArray[np.bool_]
    source: Source
    notes: tuple[str, ...] = ()
    unusable: tuple[Unusable, ...] = ()
    looked_for: tuple[tuple[frozenset[int], frozenset[int]], ...] | None = None


@dataclass(frozen=True)
class Change:
    """One correction of one image.

    Attributes
    ----------
    part : int
        Number of the annotation in its image; of a new one, larger than all.
    action : {"add", "move", "relabel", "remove"}
    label : int
        Index of the new class; of the old one where the class stays.
    box : tuple of four floats
        The new corners, in the units of the file's own; NaN where they stay.
    """

    part: int
    action: str
    label: int
    box: tuple[float, float, float, float]


def number(value: Any, where: str, name: str) -> float:
    """Return a finite number of a file, or say that it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(where, f"has the {name} {value!r}, which is no number", "Mend the file")
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise InputError(where, f"has the {name} {value}, which no image has", "Mend the file")
    return float(value)


def stem(name: str) -> str:
    """Return the name of a file without folders, also of Windows, and without extension.

    A label file may be called a.txt or a.jpg.txt.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    inner = PurePosixPath(path.stem)
    is_label_file = path.suffix.lower() in (".txt", ".xml") and inner.suffix.lower() in IMAGES
    return inner.stem if is_label_file else path.stem


@dataclass
class Collector:
    """Gathers boxes one by one, in any order of images."""

    where: str
    image: list[int] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    ignore: list[bool] = field(default_factory=list)

    def add(
        self,
        image: int,
        box: tuple[float, float, float, float],
        label: Any,
        *,
        where: str,
        score: float | None = None,
        ignore: bool = False,
    ) -> None:
        """Add a box of a file, given by its corners and what the file calls its class."""
        if box[2] < box[0] or box[3] < box[1]:
            raise InputError(
                where,
                f"has a box from ({box[0]:g}, {box[1]:g}) to ({box[2]:g}, {box[3]:g})",
                "Mend the file: a box ends right of and below its start",
            )
        if score is not None:
            if not 0.0 <= score <= 1.0:
                raise InputError(where, f"has the score {score:g}, not in [0, 1]", "Mend the file")
            self.scores.append(score)
        self.image.append(image)
        self.boxes.append(box)
        self.labels.append(label)
        self.ignore.append(ignore)

    def listed(
        self,
        names: Sequence[str],
        source: Source,
        *,
        codes: Sequence[Any],
        classes: Sequence[str] | None = None,
        is_named: bool = True,
        is_relative: bool = False,
        ids: Sequence[Any] | None = None,
        sizes: Floats | None = None,
        notes: Sequence[str] = (),
        **more: Any,
    ) -> Listed:
        """Return all boxes, sorted by image; `codes` has every class by what the file calls it."""
        if self.scores and len(self.scores) < len(self.boxes):
            raise InputError(
                self.where,
                "has scores for some of its boxes only",
                "Write one for each, or none; where a folder holds annotations and predictions,"
                " name the folder of the ones that are meant",
            )
        place = {code: at for at, code in enumerate(codes)}
        image = np.array(self.image, dtype=np.int64)
        order = np.argsort(image, kind="stable")
        labels = np.fromiter((place[each] for each in self.labels), np.int64, len(self.labels))
        scores = np.array(self.scores, dtype=np.float64)[order] if self.scores else None
        return Listed(
            keys=tuple(map(stem, names)),
            ids=tuple(names if ids is None else ids),
            names=tuple(names),
            image=image[order],
            boxes=np.array(self.boxes, dtype=np.float64).reshape(-1, 4)[order],
            labels=labels[order],
            classes=tuple(map(str, codes if classes is None else classes)),
            codes=tuple(codes),
            is_named=is_named,
            is_relative=is_relative,
            sizes=np.full((len(names), 2), np.nan) if sizes is None else sizes,
            scores=scores,
            ignore=np.array(self.ignore, dtype=np.bool_)[order],
            source=source,
            notes=tuple(notes),
            **more,
        )


def inside(folder: Path, name: str) -> Path | None:
    """Return a file of a folder by the name that another file gives it; None if it leads out."""
    try:
        path = (folder / name.replace("\\", "/")).resolve()
        return path if path.is_relative_to(folder.resolve()) and path.is_file() else None
    except (OSError, ValueError):
        return None


def described(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options without those that say nothing."""
    return {name: value for name, value in options.items() if value is not None}


__all__ += ["described", "inside"]
