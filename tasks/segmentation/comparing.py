"""The objects of an image, given and predicted, and what is wrong with the given ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.labels import as_array
from goldlabel.inputs.ragged import Ragged
from goldlabel.tasks.segmentation import runs
from goldlabel.tasks.segmentation.matching import Overlaps, match, overlaps
from goldlabel.typing import Floats, Ints

__all__ = ["INSIDE", "KINDS", "MATCHED", "WELL_DRAWN", "Finding", "InstanceMasks", "compare"]


KINDS = ("missing", "spurious", "wrong class", "badly drawn", "merged", "split")
MATCHED = 0.5
"""Masks that overlap as much (intersection over union) are of one object."""
WELL_DRAWN = 0.6
"""Masks of one object that overlap less are badly drawn."""
INSIDE = 0.5
"""A mask is inside of another if as much of it is."""


@dataclass(frozen=True, eq=False)
class InstanceMasks:
    """The objects of one image.

    Attributes
    ----------
    masks : Ragged
        Runs of pixels of each object; see `goldlabel.tasks.segmentation.runs`.
    labels : ndarray of shape (m,), int64
        Class of each.
    shape : tuple of int
        (h, w) of the image.
    scores : ndarray of shape (m,), float64
        How sure the model is of each, in [0, 1]; 1 where masks are given.

    Examples
    --------
    >>> squares = np.zeros((2, 6, 6), dtype=bool)
    >>> squares[0, :3, :3] = squares[1, 4:, 4:] = True
    >>> InstanceMasks.from_masks(squares, [0, 0])
    <InstanceMasks: 2 on 6 x 6 pixels>
    """

    masks: Ragged
    labels: Ints
    shape: tuple[int, int]
    scores: Floats

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"<InstanceMasks: {len(self)} on {self.shape[0]} x {self.shape[1]} pixels>"

    @classmethod
    def from_masks(
        cls, masks: npt.ArrayLike, labels: npt.ArrayLike, scores: npt.ArrayLike | None = None
    ) -> InstanceMasks:
        """Take masks as an array of bool (m, h, w).

        Raises
        ------
        InputError
            The shapes do not fit.
        """
        array = as_array(masks, "masks")
        if array.ndim != 3 or array.dtype.kind not in "biu":
            raise InputError(
                "masks", f"is {array.dtype} of shape {array.shape}", "Pass bool of shape (m, h, w)"
            )
        shape = int(array.shape[1]), int(array.shape[2])
        return cls.from_runs([runs.of_mask(mask != 0) for mask in array], labels, shape, scores)

    @classmethod
    def from_runs(
        cls,
        each: Sequence[Ints],
        labels: npt.ArrayLike,
        shape: tuple[int, int],
        scores: npt.ArrayLike | None = None,
    ) -> InstanceMasks:
        """Take masks as runs of pixels, (r, 2) each."""
        m = len(each)
        codes = check.vector(labels, name="labels", length=m, low=0).astype(np.int64)
        sure = np.ones(m) if scores is None else scores
        return cls(
            _ragged(each), codes, shape, check.vector(sure, name="scores", length=m, low=0, high=1)
        )


def _ragged(each: Sequence[Ints]) -> Ragged:
    offsets = np.zeros(len(each) + 1, dtype=np.int64)
    np.cumsum([len(own) for own in each], out=offsets[1:])
    empty = np.empty((0, 2), dtype=np.int64)
    return Ragged(np.concatenate([empty, *each]), offsets)


class Finding(NamedTuple):
    """One thing wrong with the objects of an image.

    Attributes
    ----------
    kind : int
        Index into `KINDS`.
    given, predicted : tuple of int
        Positions of the masks concerned: those given, and what the model has in their place.
    evidence : float
        In pixels.
    confidence : float
    iou : float
        Of the given and the predicted mask, where there is one of each; else 0.
    """

    kind: int
    given: tuple[int, ...]
    predicted: tuple[int, ...]
    evidence: float
    confidence: float
    iou: float = 0.0


def compare(given: InstanceMasks, predicted: InstanceMasks) -> list[Finding]:
    """Return what is wrong with given masks according to predicted ones.

    Masks of one class that overlap by half are of one object; a predicted one that two given
    masks are inside of says that these are split, a given one that two predicted are inside of is
    merged. What is left over on either side is of another class, spurious or missing, if nothing
    covers half of it, or else badly drawn.
    """
    if given.shape != predicted.shape:
        raise InputError(
            "predictions", f"are of {predicted.shape} pixels, and the masks of {given.shape}",
            "Predict masks of the size of the image",
        )  # fmt: skip
    found = _Comparison(given, predicted)
    found.find_wrong_classes()
    found.find_merged()
    found.find_split()
    found.find_badly_drawn_and_spurious()
    found.find_missing()
    return found.findings


class _Comparison:
    """The state of a comparison: which masks are accounted for."""

    def __init__(self, given: InstanceMasks, predicted: InstanceMasks) -> None:
        self.both: Overlaps = overlaps(given.masks, predicted.masks)
        self.scores = predicted.scores
        self.iou = self.both.iou
        self.alike = given.labels[:, None] == predicted.labels
        self.partner = match(np.where(self.alike, self.iou, 0.0), MATCHED)
        self.owner = np.full(len(predicted), -1, dtype=np.int64)
        self.owner[self.partner[self.partner >= 0]] = np.flatnonzero(self.partner >= 0)
        # A pixel may be in several masks: their sum may be more than all of it.
        shared = self.both.shared
        self.covered = np.minimum(shared.sum(axis=1) / np.maximum(self.both.areas, 1), 1.0)
        self.found = np.minimum(shared.sum(axis=0) / np.maximum(self.both.other_areas, 1), 1.0)
        self.done = np.zeros(len(given), dtype=np.bool_)
        self.seen = self.owner >= 0
        self.findings: list[Finding] = []

    def _well_drawn(self, i: int, j: int) -> bool:
        return bool(i >= 0 and j >= 0 and self.iou[i, j] >= WELL_DRAWN)

    def find_wrong_classes(self) -> None:
        free = (self.partner < 0)[:, None] & ~self.seen & ~self.alike
        for i, j in enumerate(match(np.where(free, self.iou, 0.0), MATCHED).tolist()):
            if j >= 0:
                sure = float(self.scores[j])
                evidence = sure * float(self.both.shared[i, j])
                self.findings.append(Finding(2, (i,), (j,), evidence, sure, float(self.iou[i, j])))
                self.done[i] = self.seen[j] = True

    def find_merged(self) -> None:
        inside = (self.both.shared >= INSIDE * self.both.other_areas) & self.alike
        inside &= self.both.other_areas > 0
        for i in np.flatnonzero(inside.sum(axis=1) >= 2).tolist():
            if self.done[i] or self._well_drawn(i, self.partner[i]):
                continue
            parts = np.flatnonzero(inside[i])
            weights = np.sort(self.scores[parts] * self.both.shared[i, parts])
            sure = float(np.sort(self.scores[parts])[-2])
            self.findings.append(
                Finding(4, (i,), tuple(parts.tolist()), float(weights[:-1].sum()), sure)
            )
            self.done[i] = True
            self.seen[parts] = True

    def find_split(self) -> None:
        inside = (self.both.shared >= INSIDE * self.both.areas[:, None]) & self.alike
        inside &= (self.both.areas > 0)[:, None] & ~self.done[:, None]
        for j in np.flatnonzero(inside.sum(axis=0) >= 2).tolist():
            taken = self.seen[j] and self.owner[j] < 0
            if taken or self._well_drawn(self.owner[j], j):
                continue
            parts = np.flatnonzero(inside[:, j] & ~self.done)
            if len(parts) < 2:
                continue
            sure = float(self.scores[j])
            weights = np.sort(self.both.shared[parts, j])
            self.findings.append(
                Finding(5, tuple(parts.tolist()), (j,), sure * float(weights[:-1].sum()), sure)
            )
            self.done[parts] = True
            self.seen[j] = True

    def find_badly_drawn_and_spurious(self) -> None:
        alike = np.where(self.alike, self.iou, 0.0)
        for i in np.flatnonzero(~self.done).tolist():
            j = int(self.partner[i])
            if self._well_drawn(i, j):
                continue
            if j < 0 and self.covered[i] < INSIDE:
                left = 1.0 - float(self.covered[i])
                evidence = left * float(self.both.areas[i])
                self.findings.append(Finding(1, (i,), (), evidence, left))
                continue
            j = int(alike[i].argmax()) if j < 0 else j
            if alike[i, j] <= 0:  # covered by masks of other classes
                continue
            shared = int(self.both.shared[i, j])
            differ = int(self.both.areas[i]) + int(self.both.other_areas[j]) - 2 * shared
            sure = float(self.scores[j])
            self.findings.append(Finding(3, (i,), (j,), sure * differ, sure, float(self.iou[i, j])))
            self.seen[j] = True

    def find_missing(self) -> None:
        for j in np.flatnonzero(~self.seen & (self.found < INSIDE)).tolist():
            sure = float(self.scores[j])
            new = (1.0 - float(self.found[j])) * float(self.both.other_areas[j])
            self.findings.append(Finding(0, (), (j,), sure * new, sure))
