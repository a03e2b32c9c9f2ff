"""Predictions matched to annotations, and how both overlap where they do not match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from goldlabel.inputs import check
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import each_block
from goldlabel.tasks.detection import kernels
from goldlabel.tasks.detection.boxes import Pair
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["Matches", "Options", "match_boxes"]


UNMATCHED, MATCHED, REPEATED, IGNORED, SUPPRESSED = range(5)
"""What a prediction is."""
_BLOCK = 1024


class Options(NamedTuple):
    """The constants of the method.

    Attributes
    ----------
    match_iou : float
        IoU from which a prediction and an annotation of one class are the same object.
    near_iou : float
        IoU from which they are one object of which the annotation is badly placed.
    duplicate_iou : float
        IoU from which two annotations of one class are the same object.
    location_factor : float
        How many times the usual gap (``1 - IoU``) of its class makes an annotation look badly
        placed.
    spurious_prior : float
        Share of annotations without an object that is expected before looking.
    given_weight : float
        How much an annotation that the model has not found counts in the score of an image,
        next to a prediction of reliability 1.
    worst_weight : float
        Share of the worst box in the score of an image; the rest is the mean over boxes.
    """

    match_iou: float = 0.5
    near_iou: float = 0.2
    duplicate_iou: float = 0.8
    location_factor: float = 2.5
    spurious_prior: float = 0.02
    given_weight: float = 0.5
    worst_weight: float = 0.2

    def checked(self) -> Options:
        """Return them after a look at their ranges."""
        for name, value in zip(self._fields, self, strict=True):
            high = np.inf if name in ("location_factor", "given_weight") else 1.0
            check.number(value, name=name, low=0.0, high=high)
        return self


@dataclass(frozen=True, eq=False)
class Matches:
    """What the matching says of every box; see `goldlabel.tasks.detection.kernels.match`.

    Attributes
    ----------
    matched : ndarray of shape (annotations,), int64
        Row of the prediction that each annotation is matched to; -1 = none.
    matched_iou : ndarray of shape (annotations,), float64
        IoU with it.
    conflicting : ndarray of shape (annotations,), int64
        Row of the best unmatched prediction of another class in the place of an unmatched
        annotation; -1 = none.
    displaced : ndarray of shape (annotations,), int64
        Row of the best unmatched prediction of its class near an unmatched annotation; -1 = none.
    max_iou : ndarray of shape (annotations,), float64
        Largest IoU with any prediction.
    state : ndarray of shape (predictions,), int64
        `UNMATCHED`, `MATCHED`, `REPEATED` (over a match of its class), `IGNORED` (inside of what
        is to be ignored) or `SUPPRESSED` (on top of a better unmatched prediction).
    prediction_max_iou : ndarray of shape (predictions,), float64
        Largest IoU with any annotation.
    prediction_matched_iou : ndarray of shape (predictions,), float64
        Largest IoU of an unmatched prediction with a matched annotation of its class.
    """

    matched: Ints
    matched_iou: Floats
    conflicting: Ints
    displaced: Ints
    max_iou: Floats
    state: Ints
    prediction_max_iou: Floats
    prediction_matched_iou: Floats

    @property
    def is_missed(self) -> Mask:
        """Annotations that no prediction matches, contradicts or nearly matches."""
        nothing: Mask = (self.matched < 0) & (self.conflicting < 0) & (self.displaced < 0)
        return nothing

    @property
    def is_unmatched(self) -> Mask:
        """Predictions that nothing explains: no annotation, no better match, no crowd."""
        free: Mask = (self.state == UNMATCHED) | (self.state == SUPPRESSED)
        return free


def match_boxes(pair: Pair, match_iou: float, near_iou: float) -> Matches:
    """Match predictions, best first, each to the free annotation of its class it overlaps most."""
    annotations, predictions = pair.annotations, pair.predictions
    a, p = len(annotations.boxes), len(predictions.boxes)
    matched, conflicting, displaced = (np.full(a, -1, dtype=np.int64) for _ in range(3))
    state = np.zeros(p, dtype=np.int64)
    matched_iou, max_iou = np.zeros(a), np.zeros(a)
    prediction_max_iou, prediction_matched_iou = np.zeros(p), np.zeros(p)
    boxes, labels = frozen(annotations.boxes), frozen(annotations.labels)
    predicted_boxes, predicted_labels = frozen(predictions.boxes), frozen(predictions.labels)
    order = frozen(predictions.best_first)
    ignored = frozen(pair.ignored.boxes)

    def work(worker: int, block: int, images: slice) -> None:
        ends = slice(images.start, images.stop + 1)
        kernels.match(
            boxes, labels, frozen(annotations.offsets[ends]),
            predicted_boxes, predicted_labels, order, frozen(predictions.offsets[ends]),
            ignored, frozen(pair.ignored.offsets[ends]), match_iou, near_iou,
            matched, matched_iou, conflicting, displaced, max_iou,
            state, prediction_max_iou, prediction_matched_iou,
        )  # fmt: skip

    each_block(work, len(annotations), _BLOCK)
    return Matches(
        matched, matched_iou, conflicting, displaced, max_iou,
        state, prediction_max_iou, prediction_matched_iou,
    )  # fmt: skip
