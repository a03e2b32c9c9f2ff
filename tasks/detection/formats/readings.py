"""How else boxes can be read: the order and the units of their four numbers, numbers of classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from goldlabel.kernels._jit import frozen
from goldlabel.tasks.detection import kernels
from goldlabel.tasks.detection.boxes import offsets_of
from goldlabel.tasks.detection.formats.listed import Listed
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["Comparison", "class_orders", "geometries", "usual_form"]

_MOST = 3000
"""So many annotations are compared."""
_MATCH = 0.5
_NETWORKS = (
    256, 300, 320, 384, 416, 448, 480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800, 832, 864,
    896, 960, 1024, 1152, 1280, 1536, 1920,
)  # fmt: skip
"""Sides of the squares that networks are fed with."""
_SHORT_SIDES = ((800, 1333), (600, 1000), (640, 1333), (480, 1333), (512, 1333), (1024, 2048))
"""Shorter and longer side at most, of networks that keep the shape of an image."""
_SHARES = 1.5

XYXY, XYWH, CXCYWH, YXYX = "x1, y1, x2, y2", "x, y, width, height", "centre, width, height", (
    "y1, x1, y2, x2"
)  # fmt: skip
FORMS = (XYXY, XYWH, CXCYWH, YXYX)


def usual_form(listed: Listed) -> str:
    """Return which four numbers the format of a file has."""
    source = listed.source
    if source.format in ("coco", "coco_results", "label_studio"):
        return XYWH
    layout = source.options.get("layout", "text")
    columns = source.options.get("columns", {})
    if source.format in ("yolo", "text"):
        return {"text": XYXY, "text_xywh": XYWH}.get(layout, CXCYWH)
    return XYWH if columns.get("has_sizes") else XYXY


def _numbers(corners: Floats, form: str) -> Floats:
    """Return the four numbers of a file that its boxes were read from."""
    low, high = corners[:, :2], corners[:, 2:]
    first = (low + high) / 2 if form == CXCYWH else low
    second = high if form == XYXY else high - low
    return np.concatenate([first, second], axis=1)


def _corners(numbers: Floats, form: str) -> Floats:
    first, second = numbers[:, :2], numbers[:, 2:]
    if form == YXYX:
        return numbers[:, [1, 0, 3, 2]]
    if form == XYXY:
        return numbers
    low = first - second / 2 if form == CXCYWH else first
    return np.concatenate([low, low + second], axis=1)


def forms(listed: Listed) -> Iterator[tuple[str, Floats]]:
    """Give the boxes of a file with its four numbers taken for others."""
    own = usual_form(listed)
    numbers = _numbers(listed.boxes, own)
    for form in FORMS:
        if form != own:
            yield f"as {form}", _corners(numbers, form)


def geometries(found: Listed, sizes: Floats) -> Iterator[tuple[str, Floats]]:
    """Give predicted boxes in pixels as they may be meant, but for that which the file is read as.

    Parameters
    ----------
    found : Listed
    sizes : ndarray of shape (boxes, 2), float64
        Width and height of the image of each box.
    """
    own = usual_form(found)
    numbers = _numbers(found.boxes, own)
    scale = np.tile(sizes, 2)
    for form in FORMS:
        corners = _corners(numbers, form)
        named = "" if form == own else f", as {form}"
        if found.is_relative:
            yield f"as shares of the image{named}", corners * scale
            continue
        if form != own:
            yield f"as {form}", corners
        largest = float(np.abs(numbers).max(initial=0.0))
        for limit, unit, what in (
            (_SHARES, 1.0, "shares"), (105.0, 100.0, "percent"), (1005.0, 1000.0, "thousandths"),
        ):  # fmt: skip
            if largest <= limit:
                yield f"as {what} of the image{named}", corners / unit * scale
        if form in (own, XYXY):
            yield from _of_networks(corners, sizes, named)


def _of_networks(corners: Floats, sizes: Floats, named: str) -> Iterator[tuple[str, Floats]]:
    """Give boxes that are in the pixels of what a network is fed with, in those of the image."""
    scale = np.tile(sizes, 2)
    longest = sizes.max(axis=1, keepdims=True)
    for side in _NETWORKS:
        yield f"as pixels of {side} x {side}{named}", corners * scale / side
        gain = side / longest
        margin = (side - sizes * gain) / 2
        yield (
            f"as pixels of {side} x {side} with margins{named}",
            (corners - np.tile(margin, 2)) / gain,
        )
        yield f"as pixels of images of {side} on the longer side{named}", corners / gain
    for short, most in _SHORT_SIDES:
        gain = np.minimum(short / sizes.min(axis=1, keepdims=True), most / longest)
        yield f"as pixels of images of {short} on the shorter side{named}", corners / gain


class Comparison:
    """Annotations of a sample of images, to compare predictions with, read in any way.

    Parameters
    ----------
    given : Listed
        The annotations.
    boxes : ndarray of shape (b, 4), float64
        Their corners, in the units in which predictions come.
    """

    def __init__(self, given: Listed, boxes: Floats) -> None:
        n = len(given.keys)
        judged = np.flatnonzero(~given.ignore)
        counts = np.bincount(given.image[judged], minlength=n)
        step = max(1, -(-len(judged) // _MOST))
        with_boxes = np.flatnonzero(counts)[::step]
        self.place = np.full(n + 1, -1, dtype=np.int64)  # the last one: of no image
        self.place[with_boxes] = np.arange(len(with_boxes))
        self.rows = judged[self.place[given.image[judged]] >= 0]
        self.labels = given.labels[self.rows]
        self._counts = counts[with_boxes]
        self._offsets = offsets_of(self.place[given.image[self.rows]], len(with_boxes))
        self._boxes = boxes[self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def with_boxes(self, boxes: Floats) -> Comparison:
        """Return the same sample with other boxes."""
        other = object.__new__(Comparison)
        other.__dict__.update(self.__dict__)
        other._boxes = boxes[self.rows]
        return other

    def partners(self, image: Ints, boxes: Floats, scores: Floats) -> tuple[Ints, Mask]:
        """Return for each annotation of the sample the prediction over it, of any class.

        Of each image as many of the best predictions are asked as twice its annotations, so that
        hundreds of unsure ones do not agree with anything by chance.

        Parameters
        ----------
        image : ndarray of shape (p,), int64
            Image of each prediction; -1 = none that is annotated.
        boxes : ndarray of shape (p, 4), float64
        scores : ndarray of shape (p,), float64

        Returns
        -------
        rows : ndarray of int64
            The prediction that each annotation overlaps most, -1 = none.
        is_found : ndarray of bool
            Whether the two overlap by an IoU of 0.5 or more.
        """
        own = self.place[np.where(image < len(self.place) - 1, image, -1)]
        rows = np.flatnonzero((own >= 0) & np.isfinite(boxes).all(axis=1))
        rows = rows[np.lexsort((-scores[rows], own[rows]))]
        offsets = offsets_of(own[rows], len(self._counts))
        rank = np.arange(len(rows)) - offsets[:-1][own[rows]]
        rows = rows[rank < 2 * self._counts[own[rows]] + 2]
        offsets = offsets_of(own[rows], len(self._counts))
        which, ious = np.empty(len(self), dtype=np.int64), np.empty(len(self))
        kernels.nearest_predictions(
            frozen(np.ascontiguousarray(self._boxes)), frozen(self._offsets),
            frozen(np.ascontiguousarray(boxes[rows])), frozen(offsets), which, ious,
        )  # fmt: skip
        return np.where(which >= 0, np.append(rows, -1)[which], -1), ious >= _MATCH

    def share(self, image: Ints, boxes: Floats, scores: Floats) -> float:
        """Return the share of the annotations that a prediction of any class is over."""
        return float(self.partners(image, boxes, scores)[1].mean())


def class_orders(given: Listed, found: Listed, names: Sequence[str]) -> Iterator[tuple[str, Ints]]:
    """Give what class numbers of predictions may mean: for each of their classes, one of `names`.

    Only orders that have a class for every number that a prediction has.
    """
    try:
        numbers = np.array([int(code) for code in found.codes], dtype=np.int64)
    except (ValueError, OverflowError):
        return
    used = np.unique(found.labels)
    occurring = np.unique(given.labels[~given.ignore])
    alphabet = np.array(sorted(range(len(names)), key=lambda at: names[at]), dtype=np.int64)
    orders = [
        ("in the order of the classes", np.arange(len(names))),
        ("in the order of the classes that occur", occurring),
        ("in the order of their names", alphabet),
    ]
    codes = {code: at for at, code in enumerate(given.codes) if isinstance(code, int)}
    for shift in (0, 1, -1):
        labels = np.array([codes.get(int(number) + shift, -1) for number in numbers])
        if codes and (labels[used] >= 0).all():
            yield (
                f"as the ids of classes{f', less {shift}' if shift else ''}",
                np.maximum(labels, 0),
            )
    for name, order in orders:
        for first in (0, 1):
            at = numbers - first
            if len(order) and ((at[used] >= 0) & (at[used] < len(order))).all():
                yield f"{name}, from {first} on", order[np.clip(at, 0, len(order) - 1)]
