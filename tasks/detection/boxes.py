"""Boxes of many images as flat arrays: the one layout that everything else here works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["BoxArrays", "Boxes", "Detections", "Pair", "offsets_of", "paired"]


LARGEST = 1e9
"""No coordinate is larger: areas and their sums stay far from where float64 loses pixels."""


def offsets_of(images: Ints, n: int) -> Ints:
    """Return the offsets of boxes that are sorted by image, int64 of shape (n + 1,)."""
    offsets = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(images, minlength=n), out=offsets[1:])
    return offsets


@dataclass(frozen=True, eq=False)
class BoxArrays:
    """What `Boxes` and `Detections` have in common.

    Attributes
    ----------
    boxes : ndarray of shape (b, 4), float64
        Corners x1, y1, x2, y2 with x1 <= x2 and y1 <= y2, pixels from the top left.
    labels : ndarray of shape (b,), int64
        Class index of each box, 0 .. k-1.
    offsets : ndarray of shape (n + 1,), int64
        Image i has the boxes ``offsets[i] .. offsets[i + 1] - 1``; it may have none.
    """

    boxes: Floats
    labels: Ints
    offsets: Ints

    def __post_init__(self) -> None:
        boxes = np.ascontiguousarray(_numbers(self.boxes, "boxes", np.float64)).reshape(-1, 4)
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "labels", _numbers(self.labels, "labels", np.int64))
        object.__setattr__(self, "offsets", _numbers(self.offsets, "offsets", np.int64))
        self._check_column("labels", self.labels)
        ends = self.offsets
        if (
            ends.ndim != 1
            or not len(ends)
            or ends[0] != 0
            or ends[-1] != len(boxes)
            or _falls(ends)
        ):
            raise InputError(
                "offsets",
                f"are no offsets of {len(boxes)} boxes",
                "Start at 0, never fall, and end at the number of boxes",
            )
        bad = np.logical_not((np.abs(boxes) <= LARGEST).all(axis=1))
        self.refuse(bad, "boxes", "is no box of finite numbers", "Drop it, or correct it", boxes)
        bad = np.logical_or(boxes[:, 2] < boxes[:, 0], boxes[:, 3] < boxes[:, 1])
        fix = "Pass corners x1, y1, x2, y2 with x1 <= x2 and y1 <= y2 (not x, y, width, height)"
        self.refuse(bad, "boxes", "ends before it begins", fix, boxes)
        self.refuse(
            self.labels < 0, "labels", "is no class", "Pass class indices 0 .. k-1", self.labels
        )

    def _check_column(self, name: str, values: npt.NDArray[Any]) -> None:
        b = len(self.boxes)
        if values.shape != (b,):
            raise InputError(
                name, f"has shape {values.shape}, but there are {b} boxes", "Pass one for each"
            )

    def refuse(self, bad: Any, name: str, what: str, fix: str, values: Any) -> None:
        """Raise an error about the first bad box, if there is one."""
        if not bad.any():
            return
        row = int(np.argmax(bad))
        image, at = self.place(row)
        value = np.array2string(np.atleast_1d(values[row]), separator=", ")
        value = value if values.ndim == 2 else value[1:-1]
        raise InputError(
            f"{name}: image {image}, box {at}",
            f"{value} {what} ({np.count_nonzero(bad)} such)",
            fix,
        )

    def place(self, row: int) -> tuple[int, int]:
        """Return the image of a box, and which of its boxes it is."""
        image = int(np.searchsorted(self.offsets, row, side="right")) - 1
        return image, row - int(self.offsets[image])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.boxes)} in {len(self)} images>"

    @property
    def counts(self) -> Ints:
        """Number of boxes of each image, int64 of shape (n,)."""
        return np.diff(self.offsets)

    @property
    def images(self) -> Ints:
        """Image of each box, int64 of shape (b,)."""
        return np.repeat(np.arange(len(self)), self.counts)

    @property
    def areas(self) -> Floats:
        """Area of each box, float64 of shape (b,)."""
        areas: Floats = np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1)
        return areas


@dataclass(frozen=True, eq=False, repr=False)
class Boxes(BoxArrays):
    """The annotated boxes of n images, image after image.

    Attributes
    ----------
    boxes : ndarray of shape (b, 4), float64
        Corners x1, y1, x2, y2 with x1 <= x2 and y1 <= y2, pixels from the top left.
    labels : ndarray of shape (b,), int64
        Class index of each box, 0 .. k-1.
    offsets : ndarray of shape (n + 1,), int64
        Image i has the boxes ``offsets[i] .. offsets[i + 1] - 1``; it may have none.
    ignore : ndarray of shape (b,), bool, optional
        Boxes around crowds and groups, and difficult ones. They are not judged, and what the
        model finds inside of them is not missed.

    Raises
    ------
    InputError
        An array of another shape, a box that is none, or a class out of range; says which box of
        which image.

    Examples
    --------
    >>> annotations = Boxes(
    ...     np.array([[10.0, 10, 50, 40], [60, 10, 80, 40], [5, 5, 25, 25]]),
    ...     np.array([0, 1, 1]),
    ...     np.array([0, 2, 2, 3]),
    ... )
    >>> annotations
    <Boxes: 3 in 3 images>
    >>> annotations.counts.tolist()
    [2, 0, 1]
    """

    ignore: Mask | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ignore is not None:
            object.__setattr__(self, "ignore", np.asarray(self.ignore, dtype=np.bool_))
            self._check_column("ignore", self.ignore)

    @property
    def is_judged(self) -> Mask:
        """Which boxes are not to ignore, bool of shape (b,)."""
        return np.ones(len(self.boxes), dtype=np.bool_) if self.ignore is None else ~self.ignore

    def select(self, rows: Mask) -> Boxes:
        """Return the boxes where a mask says so, of the same images."""
        return Boxes(
            self.boxes[rows],
            self.labels[rows],
            offsets_of(self.images[rows], len(self)),
            None if self.ignore is None else self.ignore[rows],
        )


@dataclass(frozen=True, eq=False, repr=False)
class Detections(BoxArrays):
    """What a detector finds in n images: boxes, and how sure it is of each.

    Attributes
    ----------
    boxes, labels, offsets
        As of `Boxes`.
    scores : ndarray of shape (b,), float64
        How sure the model is of each box, in [0, 1].

    Raises
    ------
    InputError
        As for `Boxes`, or a score that is out of range.

    Examples
    --------
    >>> Detections(np.array([[10.0, 10, 50, 40]]), np.array([0]), np.array([0, 1]), np.array([0.9]))
    <Detections: 1 in 1 images>
    """

    scores: Floats

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "scores", _numbers(self.scores, "scores", np.float64))
        self._check_column("scores", self.scores)
        fix = "Pass scores in [0, 1]; turn logits into them with a sigmoid"
        bad = ~((self.scores >= 0.0) & (self.scores <= 1.0))
        self.refuse(bad, "scores", "is not in [0, 1]", fix, self.scores)

    @property
    def best_first(self) -> Ints:
        """Rows image after image, in descending score; ties as they came."""
        return np.lexsort((-self.scores, self.images))


def _falls(ends: Ints) -> bool:
    return bool((np.diff(ends) < 0).any())


def _numbers(values: Any, name: str, dtype: Any) -> npt.NDArray[Any]:
    """Return numbers as an array of one type; nothing is rounded and no text is read."""
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise InputError(name, f"is no array ({error})", "Pass an array of numbers") from error
    if array.size == 0:
        return np.zeros(array.shape if array.ndim else 0, dtype=dtype)
    if array.dtype.kind not in "fiub":
        raise InputError(name, f"has dtype {array.dtype}, not numbers", "Pass an array of numbers")
    if name == "boxes" and (array.ndim != 2 or array.shape[1] != 4):
        raise InputError(name, f"has shape {array.shape}, not (b, 4)", "Pass a row for each box")
    if dtype == np.int64 and array.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            whole = array.astype(np.int64)
        bad = np.flatnonzero(whole != array)
        if bad.size:
            raise InputError(
                f"{name}[{bad[0]}]", f"is {array[bad[0]]:g}, no whole number", "Pass integers"
            )
        return whole
    return array.astype(dtype, copy=False)


@dataclass(frozen=True, eq=False)
class Pair:
    """Annotations and predictions of the same images.

    Attributes
    ----------
    annotations : Boxes
        The annotations that are judged: those to ignore are left out.
    ignored : Boxes
        The annotations to ignore.
    predictions : Detections
    positions : ndarray of shape (b,), int64
        For each of `annotations`, its number among all annotations of its image.
    all_counts : ndarray of shape (n,), int64
        How many annotations each image has, those to ignore included.
    k : int
        Number of classes.
    """

    annotations: Boxes
    ignored: Boxes
    predictions: Detections
    positions: Ints
    all_counts: Ints
    k: int


def paired(labels: Boxes, predictions: Detections, k: int | None) -> Pair:
    """Check that annotations and predictions fit each other.

    Raises
    ------
    InputError
        They are of different numbers of images, or a class is unknown.
    """
    if len(labels) != len(predictions):
        raise InputError(
            "predictions",
            f"are of {len(predictions)} images, and the labels of {len(labels)}",
            "Pass an entry for each image, in the same order; an empty one where there is no box",
        )
    present = max(labels.labels.max(initial=-1), predictions.labels.max(initial=-1)) + 1
    size = int(present) if k is None else k
    for name, each in (("labels", labels), ("predictions", predictions)):
        unknown = each.labels >= size
        each.refuse(unknown, name, f"is no class of {size}", "Name every class", each.labels)
    positions = np.arange(len(labels.boxes)) - np.repeat(labels.offsets[:-1], labels.counts)
    judged = labels.is_judged
    if judged.all():
        empty = Boxes(np.empty((0, 4)), np.empty(0, np.int64), np.zeros_like(labels.offsets))
        return Pair(labels, empty, predictions, positions, labels.counts, size)
    return Pair(
        labels.select(judged),
        labels.select(~judged),
        predictions,
        positions[judged],
        labels.counts,
        size,
    )
