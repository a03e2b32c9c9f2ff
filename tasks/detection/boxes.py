"""Boxes of many images as flat arrays: the one layout that everything else here works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["Boxes", "Pair", "paired"]


LARGEST = 1e9
"""No coordinate is larger: areas and their sums stay far from where float64 loses pixels."""


@dataclass(frozen=True, eq=False)
class Boxes:
    """The boxes of n images, image after image.

    Attributes
    ----------
    boxes : ndarray of shape (b, 4), float64
        Corners x1, y1, x2, y2 with x1 <= x2 and y1 <= y2, pixels from the top left.
    labels : ndarray of shape (b,), int64
        Class index of each box, 0 .. k-1.
    offsets : ndarray of shape (n + 1,), int64
        Image i has the boxes ``offsets[i] .. offsets[i + 1] - 1``; it may have none.
    scores : ndarray of shape (b,), float64, optional
        Of predictions: how sure the model is of each box, in [0, 1].
    ignore : ndarray of shape (b,), bool, optional
        Of annotations: boxes around crowds and groups, and difficult ones. They are not judged,
        and what the model finds inside of them is not missed.

    Raises
    ------
    InputError
        An array of another shape, a box that is none, or a class or score out of range; says
        which box of which image.

    Examples
    --------
    >>> given = Boxes(
    ...     np.array([[10.0, 10, 50, 40], [60, 10, 80, 40], [5, 5, 25, 25]]),
    ...     np.array([0, 1, 1]),
    ...     np.array([0, 2, 2, 3]),
    ... )
    >>> given
    <Boxes: 3 in 3 images>
    >>> given.counts.tolist()
    [2, 0, 1]
    """

    boxes: Floats
    labels: Ints
    offsets: Ints
    scores: Floats | None = None
    ignore: Mask | None = None

    def __post_init__(self) -> None:
        boxes = np.ascontiguousarray(_numbers(self.boxes, "boxes", np.float64)).reshape(-1, 4)
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "labels", _numbers(self.labels, "labels", np.int64))
        object.__setattr__(self, "offsets", _numbers(self.offsets, "offsets", np.int64))
        if self.scores is not None:
            object.__setattr__(self, "scores", _numbers(self.scores, "scores", np.float64))
        if self.ignore is not None:
            object.__setattr__(self, "ignore", np.asarray(self.ignore, dtype=np.bool_))
        self._check_shapes()
        self._check_values()

    def _check_shapes(self) -> None:
        b = len(self.boxes)
        for name in ("labels", "scores", "ignore"):
            values = getattr(self, name)
            if values is not None and values.shape != (b,):
                raise InputError(
                    name, f"has shape {values.shape}, but there are {b} boxes", "Pass one for each"
                )
        ends = self.offsets
        if ends.ndim != 1 or not len(ends) or ends[0] != 0 or ends[-1] != b or _falls(ends):
            raise InputError(
                "offsets",
                f"are no offsets of {b} boxes",
                "Start at 0, never fall, and end at the number of boxes",
            )

    def _check_values(self) -> None:
        boxes = self.boxes
        bad = np.logical_not((np.abs(boxes) <= LARGEST).all(axis=1))
        self._refuse(bad, "boxes", "is no box of finite numbers", "Drop it, or correct it", boxes)
        bad = np.logical_or(boxes[:, 2] < boxes[:, 0], boxes[:, 3] < boxes[:, 1])
        fix = "Pass corners x1, y1, x2, y2 with x1 <= x2 and y1 <= y2 (not x, y, width, height)"
        self._refuse(bad, "boxes", "ends before it begins", fix, boxes)
        fix = "Pass class indices 0 .. k-1"
        self._refuse(self.labels < 0, "labels", "is no class", fix, self.labels)
        if self.scores is not None:
            bad = ~((self.scores >= 0.0) & (self.scores <= 1.0))
            fix = "Pass scores in [0, 1]; turn logits into them with a sigmoid"
            self._refuse(bad, "scores", "is not in [0, 1]", fix, self.scores)

    def _refuse(self, bad: Any, name: str, what: str, fix: str, values: Any) -> None:
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
        return f"<Boxes: {len(self.boxes)} in {len(self)} images>"

    @property
    def counts(self) -> Ints:
        """Number of boxes of each image, int64 of shape (n,)."""
        return np.diff(self.offsets)

    @property
    def images(self) -> Ints:
        """Image of each box, int64 of shape (b,)."""
        return np.repeat(np.arange(len(self)), self.counts)

    def taken(self, rows: Mask) -> Boxes:
        """Return the boxes where a mask says so, of the same images."""
        ends = np.zeros(len(self) + 1, dtype=np.int64)
        np.cumsum(np.bincount(self.images[rows], minlength=len(self)), out=ends[1:])
        return Boxes(
            self.boxes[rows],
            self.labels[rows],
            ends,
            None if self.scores is None else self.scores[rows],
            None if self.ignore is None else self.ignore[rows],
        )


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
    given : Boxes
        The annotations that are judged: those to ignore are left out.
    ignored : Boxes
        The annotations to ignore.
    predicted : Boxes
        With scores.
    positions : ndarray of shape (b,), int64
        For each box of `given`, its number among all annotations of its image.
    k : int
        Number of classes.
    """

    given: Boxes
    ignored: Boxes
    predicted: Boxes
    positions: Ints
    all_counts: Ints
    k: int


def paired(labels: Boxes, predictions: Boxes, k: int | None) -> Pair:
    """Check that annotations and predictions fit each other.

    Raises
    ------
    InputError
        They are of different numbers of images, predictions lack scores, or a class is unknown.
    """
    if len(labels) != len(predictions):
        raise InputError(
            "predictions",
            f"are of {len(predictions)} images, and the labels of {len(labels)}",
            "Pass an entry for each image, in the same order; an empty one where there is no box",
        )
    if predictions.scores is None:
        raise InputError("predictions", "have no scores", "Pass how sure the model is of each box")
    present = max(labels.labels.max(initial=-1), predictions.labels.max(initial=-1)) + 1
    size = int(present) if k is None else k
    for name, each in (("labels", labels), ("predictions", predictions)):
        unknown = each.labels >= size
        each._refuse(unknown, name, f"is no class of {size}", "Name every class", each.labels)
    inside = np.arange(len(labels.boxes)) - np.repeat(labels.offsets[:-1], labels.counts)
    ignore = labels.ignore
    if ignore is None or not ignore.any():
        empty = Boxes(np.empty((0, 4)), np.empty(0, np.int64), np.zeros_like(labels.offsets))
        return Pair(labels, empty, predictions, inside, labels.counts, size)
    given = labels.taken(~ignore)
    return Pair(given, labels.taken(ignore), predictions, inside[~ignore], labels.counts, size)
