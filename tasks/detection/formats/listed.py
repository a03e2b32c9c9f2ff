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
        A box that moves may get another class as well.
    label : int
        Index of the new class; -1 where the class stays.
    box : tuple of four floats
        The new corners, in the units of the file's own; NaN where they stay.
    """

    part: int
    action: str
    label: int
    box: tuple[float, float, float, float]

    @property
    def relabels(self) -> bool:
        """Whether the class is to be written."""
        return self.label >= 0

    @property
    def moves(self) -> bool:
        """Whether the corners are to be written."""
        return not math.isnan(self.box[0])


_SHOWN = 40
MOST = 0.5
"""Where a larger share of the annotations has no box, the file is refused."""


def short(text: str) -> str:
    """Return a text of a file for a message, cut if it is long."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def number(value: Any, where: str, name: str) -> float:
    """Return a finite number of a file, or say that it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(where, f"has the {name} {value!r}, which is no number", "Mend the file")
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise InputError(where, f"has the {name} {value}, which no image has", "Mend the file")
    return float(value)


_OF_LABELS = {".txt", ".xml", ".json", ".csv"}


def stem(name: str) -> str:
    """Return the name of a file without folders, also of Windows, and without extension.

    Only what ends pictures and label files is an extension: ``a.rf.3f`` is a name. A label file may
    be called a.txt or a.jpg.txt.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.suffix.lower() in _OF_LABELS:
        path = PurePosixPath(path.stem)
    return path.stem if path.suffix.lower() in IMAGES else path.name


_NO_SIZE = "bbox-zero-size"
_NO_BOX = (0.0, 0.0, 0.0, 0.0)


@dataclass
class Collector:
    """Gathers boxes one by one, in any order of images."""

    where: str
    image: list[int] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    ignore: list[bool] = field(default_factory=list)
    faults: dict[int, tuple[str, str, str, Any]] = field(default_factory=dict)

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
        """Add a box of a file, given by its corners and what the file calls its class.

        An annotation without a box that can be used is kept as one, to be a finding.
        """
        fault = fault_of(box)
        if score is None and fault is not None:
            self.add_fault(image, label, *fault, where=where)
            return
        if fault is not None and fault[0] != _NO_SIZE:  # detectors have such boxes
            raise InputError(where, fault[1], "Mend the file")
        if score is not None:
            if not 0.0 <= score <= 1.0:
                raise InputError(where, f"has the score {score:g}, not in [0, 1]", "Mend the file")
            self.scores.append(score)
        self._append(image, box, label, ignore)

    def add_fault(
        self,
        image: int,
        label: Any,
        code: str,
        what: str,
        *,
        where: str,
        box: tuple[float, float, float, float] = _NO_BOX,
        suggested: Any = None,
    ) -> None:
        """Add an annotation that can't be used; its class is None where it is none.

        `code` and `what` as of `Unusable`; `suggested` is the class that may have been meant.
        """
        self.faults[len(self.boxes)] = (code, what, where, suggested)
        self._append(image, box if fault_of(box) is None else _NO_BOX, label, True)

    def _append(
        self, image: int, box: tuple[float, float, float, float], label: Any, ignore: bool
    ) -> None:
        self.image.append(image)
        self.boxes.append(box)
        self.labels.append(label)
        self.ignore.append(ignore)

    @property
    def classes(self) -> list[Any]:
        """What the file calls its classes, sorted."""
        return sorted({label for label in self.labels if label is not None})

    def _unusable(self, order: Ints, image: Ints, place: Mapping[Any, int]) -> tuple[Unusable, ...]:
        """Return the annotations without a box by their numbers in their images."""
        ranks = np.empty(len(order), dtype=np.int64)
        ranks[order] = np.arange(len(order))
        first = np.searchsorted(image[order], image)
        return tuple(
            Unusable(
                self.image[row],
                int(ranks[row] - first[row]),
                place.get(self.labels[row], -1),
                code,
                what,
                place.get(suggested, -1),
            )
            for row, (code, what, _, suggested) in self.faults.items()
        )

    def _check_most(self) -> list[str]:
        """Refuse a file of which most annotations can't be used; else say how many."""
        if not self.faults:
            return []
        bad, count = len(self.faults), len(self.boxes)
        if bad > MOST * count:
            _, what, where, _ = next(iter(self.faults.values()))
            raise InputError(
                where,
                f"{what} ({bad:,} of {count:,} annotations have no box or class)",
                "Mend the file",
            )
        return [
            f"Without a box or class that can be used: {bad:,} of {count:,} annotations. They are"
            " listed first, and left out of all figures."
        ]

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
        if self.scores and len(self.scores) < len(self.boxes) - len(self.faults):
            raise InputError(
                self.where,
                "has scores for some of its boxes only",
                "Write one for each, or none; where a folder holds annotations and predictions,"
                " name the folder of the ones that are meant",
            )
        faults = self._check_most()
        place = {code: at for at, code in enumerate(codes)}
        image = np.array(self.image, dtype=np.int64)
        order = np.argsort(image, kind="stable")
        labels = np.fromiter(
            (0 if each is None else place[each] for each in self.labels), np.int64, len(self.labels)
        )
        has_scores = bool(self.scores) and not self.faults
        scores = np.array(self.scores, dtype=np.float64)[order] if has_scores else None
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
            notes=(*notes, *faults),
            unusable=self._unusable(order, image, place),
            **more,
        )


def fault_of(box: tuple[float, float, float, float]) -> tuple[str, str] | None:
    """Return what the checker of COCO files calls a box that is none, and what is wrong with it."""
    x1, y1, x2, y2 = box
    if not all(math.isfinite(value) and abs(value) <= LARGEST for value in box):
        return "bbox-format", f"has the box {x1:g}, {y1:g}, {x2:g}, {y2:g}, which no image has"
    span = f"has a box from ({x1:g}, {y1:g}) to ({x2:g}, {y2:g})"
    if x2 < x1 or y2 < y1:
        return "bbox-negative-size", f"{span}, which ends before it begins"
    if x2 == x1 or y2 == y1:
        return _NO_SIZE, f"{span}, which has no size"
    return None


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


__all__ += ["MOST", "described", "fault_of", "inside", "short"]
