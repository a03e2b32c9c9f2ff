"""What the matches say of each box and image: kinds of mistakes, their scores, their remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import frozen
from goldlabel.kernels.boxes import OTHER, SAME, near_boxes, pair_ious
from goldlabel.kernels.rows import each_block
from goldlabel.tasks.detection.boxes import Boxes, Pair
from goldlabel.tasks.detection.calibration import Calibration, calibrate
from goldlabel.tasks.detection.matching import IGNORED, UNMATCHED, Matches, Options, match_boxes
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["ACTIONS", "KINDS", "ScoredBoxes", "Scoring", "score", "score_boxes", "score_images"]


KINDS = ("overlooked", "badly located", "swapped class", "duplicated", "spurious")
ACTIONS = ("add", "move", "relabel", "remove", "remove")
"""What mends each kind."""
OVERLOOKED, BADLOC, SWAP, DUPLICATED, SPURIOUS = range(5)

_CONTRADICTION = 0.95
"""IoU from which annotations of two classes are the same object."""
_STEEPNESS = 4.0
"""How fast an overlap turns from usual to unusual: half a point either way, and it is clear."""
_SURE = 0.5
"""A kind without a confident prediction behind it is an issue below this score."""
_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class ScoredBoxes:
    """Boxes that may be wrong, at most one entry for each; flat arrays of one length m.

    Attributes
    ----------
    annotation : ndarray of shape (m,), int64
        Row of the annotation; of an overlooked object -1.
    other : ndarray of shape (m,), int64
        Row of the prediction behind it, or of the other annotation where it is a duplicate;
        -1 = none.
    kind : ndarray of shape (m,), int8
        Index into `KINDS`.
    score, confidence : ndarray of shape (m,), float64
    iou : ndarray of shape (m,), float64
        Of the annotation with what `other` names, or of an overlooked object with any annotation.
    is_issue : ndarray of shape (m,), bool
        Which are judged wrong.
    """

    annotation: Ints
    other: Ints
    kind: npt.NDArray[np.int8]
    score: Floats
    confidence: Floats
    iou: Floats
    is_issue: Mask

    def images(self, pair: Pair) -> Ints:
        """Return the image of each."""
        images = np.empty(len(self.annotation), dtype=np.int64)
        is_new = self.annotation < 0
        images[is_new] = pair.predictions.images[self.other[is_new]]
        images[~is_new] = pair.annotations.images[self.annotation[~is_new]]
        return images

    def select(self, rows: Ints) -> ScoredBoxes:
        """Return some of the entries."""
        return ScoredBoxes(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


class Scoring(NamedTuple):
    """All that the default method finds, before what is flagged is put into `LabelIssues`."""

    pair: Pair
    matches: Matches
    calibration: Calibration
    boxes: ScoredBoxes
    scores: Floats


def score(pair: Pair, options: Options) -> Scoring:
    """Match, calibrate, and score every box and image."""
    matches = match_boxes(pair, options.match_iou, options.near_iou)
    calibration = calibrate(pair, matches)
    boxes = score_boxes(pair, matches, calibration, options)
    scores = score_images(pair, matches, calibration, boxes, options)
    return Scoring(pair, matches, calibration, boxes, scores)


def score_boxes(
    pair: Pair, matches: Matches, calibration: Calibration, options: Options
) -> ScoredBoxes:
    """Score what may be wrong, kind by kind, and keep the worst of each annotation."""
    entries = _concatenated(
        [
            _swapped(pair, matches, calibration),
            _displaced(pair, matches, calibration),
            _inexact(pair, matches, calibration, options),
            _duplicated(pair, matches, options),
            _spurious(matches, calibration, options),
        ]
    )
    order = np.lexsort((entries.kind, entries.score, entries.annotation))
    worst = order[_is_first(entries.annotation[order])]
    return _concatenated([entries.select(worst), _overlooked(pair, matches, calibration, options)])


def _is_first(values: Ints) -> Mask:
    """Say which sorted values are the first of their kind."""
    first = np.ones(len(values), dtype=np.bool_)
    first[1:] = values[1:] != values[:-1]
    return first


def _is_confident(pair: Pair, calibration: Calibration, rows: Ints) -> Mask:
    confident: Mask = (
        pair.predictions.scores[rows] >= calibration.thresholds[pair.predictions.labels[rows]]
    )
    return confident


def _scored(
    kind: int,
    annotation: Ints,
    other: Ints,
    score: Floats,
    confidence: Floats,
    iou: Floats,
    wrong: Mask,
) -> ScoredBoxes:
    kinds = np.full(len(score), kind, dtype=np.int8)
    return ScoredBoxes(annotation, other, kinds, np.clip(score, 0.0, 1.0), confidence, iou, wrong)


def _swapped(pair: Pair, matches: Matches, calibration: Calibration) -> ScoredBoxes:
    rows = np.flatnonzero(matches.conflicting >= 0)
    by = matches.conflicting[rows]
    sure = calibration.reliability[by]
    iou = pair_ious(pair.annotations.boxes[rows], pair.predictions.boxes[by])
    wrong = _is_confident(pair, calibration, by)
    return _scored(SWAP, rows, by, 1.0 - sure, sure, iou, wrong)


def _displaced(pair: Pair, matches: Matches, calibration: Calibration) -> ScoredBoxes:
    """Judge unmatched annotations beside a prediction of their class.

    A prediction is one object: of several annotations near it, it is the nearest that moves.
    """
    rows = np.flatnonzero(matches.displaced >= 0)
    by = matches.displaced[rows]
    iou = pair_ious(pair.annotations.boxes[rows], pair.predictions.boxes[by])
    order = np.lexsort((-iou, by))
    nearest = np.sort(order[_is_first(by[order])])
    rows, by, iou = rows[nearest], by[nearest], iou[nearest]
    sure = calibration.reliability[by]
    wrong = _is_confident(pair, calibration, by)
    return _scored(BADLOC, rows, by, 1.0 - sure, sure, iou, wrong)


def _inexact(
    pair: Pair, matches: Matches, calibration: Calibration, options: Options
) -> ScoredBoxes:
    """Judge matched annotations that overlap less than is usual for their class."""
    rows = np.flatnonzero(matches.matched >= 0)
    by, iou = matches.matched[rows], matches.matched_iou[rows]
    sure = calibration.reliability[by]
    usual = options.location_factor * calibration.usual_gap[pair.annotations.labels[rows]]
    gap = ((1.0 - iou) / usual) ** _STEEPNESS
    unusual = gap / (1.0 + gap)
    wrong = _is_confident(pair, calibration, by) & (unusual >= _SURE)
    return _scored(BADLOC, rows, by, 1.0 - sure * unusual, sure, iou, wrong)


def _duplicated(pair: Pair, matches: Matches, options: Options) -> ScoredBoxes:
    """Judge pairs of annotations that are one object.

    The one goes that the model supports less; where it supports neither, the later one.
    """
    partners, ious = _near(pair.annotations, np.array([options.duplicate_iou, _CONTRADICTION]))
    is_same = partners[:, SAME] >= 0
    other = np.where(is_same, partners[:, SAME], partners[:, OTHER])
    iou = np.where(is_same, ious[:, SAME], ious[:, OTHER])
    rows = np.flatnonzero(other >= 0)
    support = np.where(matches.matched >= 0, 1.0 + matches.matched_iou, 0.0)
    mine, theirs = support[rows], support[other[rows]]
    goes = (mine < theirs) | ((mine == theirs) & (rows > other[rows]))
    rows = rows[goes & (matches.matched[rows] < 0)]
    sure = iou[rows]
    return _scored(DUPLICATED, rows, other[rows], 1.0 - sure, sure, sure, sure > _SURE)


def _spurious(matches: Matches, calibration: Calibration, options: Options) -> ScoredBoxes:
    """Judge annotations without any prediction near, by Bayes' rule from the rate of such misses.

    A spurious one has surely none; a right one has none at the rate of its size.
    """
    rows = np.flatnonzero(matches.is_missed)
    prior, missed = options.spurious_prior, calibration.missed_rate[rows]
    sure = prior / np.maximum(prior + missed * (1.0 - prior), 1e-12)
    iou = matches.max_iou[rows]
    score = 1.0 - sure * (1.0 - iou)
    nothing = np.full(len(rows), -1)
    return _scored(SPURIOUS, rows, nothing, score, 1.0 - score, iou, score < _SURE)


def _overlooked(
    pair: Pair, matches: Matches, calibration: Calibration, options: Options
) -> ScoredBoxes:
    free = (matches.state == UNMATCHED) & (matches.prediction_max_iou < options.match_iou)
    free[matches.displaced[matches.displaced >= 0]] = False
    by = np.flatnonzero(free)
    sure, iou = calibration.reliability[by], matches.prediction_max_iou[by]
    wrong = _is_confident(pair, calibration, by)
    nothing = np.full(len(by), -1)
    return _scored(OVERLOOKED, nothing, by, 1.0 - sure * (1.0 - iou**2), sure, iou, wrong)


def _near(boxes: Boxes, limits: Floats) -> tuple[Ints, Floats]:
    """Return the annotation that each overlaps most, of its class and of others, and the IoU."""
    partners = np.full((len(boxes.boxes), 2), -1, dtype=np.int64)
    ious = np.zeros((len(boxes.boxes), 2))
    rows, labels = frozen(boxes.boxes), frozen(boxes.labels)
    limits = frozen(limits)

    def work(worker: int, block: int, images: slice) -> None:
        offsets = frozen(boxes.offsets[images.start : images.stop + 1])
        near_boxes(rows, labels, offsets, limits, partners, ious)

    each_block(work, len(boxes), _BLOCK)
    return partners, ious


def _concatenated(entries: list[ScoredBoxes]) -> ScoredBoxes:
    names = ScoredBoxes.__dataclass_fields__
    return ScoredBoxes(
        *(np.concatenate([getattr(each, name) for each in entries]) for name in names)
    )


def score_images(
    pair: Pair, matches: Matches, calibration: Calibration, boxes: ScoredBoxes, options: Options
) -> Floats:
    """Pool boxes into a score per image: the share of objects that agree, and the worst box.

    A share, so that many boxes make an image no worse than few; some of the worst box, so that one
    clear mistake shows among many right ones.
    """
    n = len(pair.annotations)
    predicted, annotated = pair.predictions.images, pair.annotations.images
    reliability = np.where(matches.state == IGNORED, 0.0, calibration.reliability)
    weight = options.given_weight * calibration.found_rate
    objects = np.bincount(predicted, reliability, n) + np.bincount(annotated, weight, n)
    wrong = reliability * matches.is_unmatched * (1.0 - matches.prediction_matched_iou)
    missed = weight * (matches.matched < 0)
    disagreeing = np.bincount(predicted, wrong, n) + np.bincount(annotated, missed, n)
    share = np.divide(disagreeing, objects, out=np.zeros(n), where=objects > 0)
    worst = np.ones(n)
    np.minimum.at(worst, boxes.images(pair), boxes.score)
    beta = options.worst_weight
    pooled: Floats = np.clip((1.0 - beta) * (1.0 - share) + beta * worst, 0.0, 1.0)
    return pooled
