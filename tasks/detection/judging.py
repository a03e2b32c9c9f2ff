"""What the matches say of each box and image: kinds of mistakes, their scores, their remedy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import each_block
from goldlabel.tasks.detection import kernels
from goldlabel.tasks.detection.boxes import Boxes, Pair
from goldlabel.tasks.detection.matching import (
    IGNORED,
    UNMATCHED,
    Choices,
    Learned,
    Matches,
)
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["ACTIONS", "DUPLICATED", "KINDS", "Judged", "box_quality", "image_quality"]


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
class Judged:
    """Boxes that may be wrong, at most one entry for each; flat arrays of one length m.

    Attributes
    ----------
    box : ndarray of shape (m,), int64
        Row of the annotation; of an overlooked object -1.
    model : ndarray of shape (m,), int64
        Row of the prediction behind it, or of the other annotation where it is a duplicate;
        -1 = none.
    kind : ndarray of shape (m,), int8
        Index into `KINDS`.
    score, confidence : ndarray of shape (m,), float64
    overlap : ndarray of shape (m,), float64
        IoU of the annotation with what `model` names, or of an overlooked object with any
        annotation.
    is_issue : ndarray of shape (m,), bool
        Which are judged wrong.
    """

    box: Ints
    model: Ints
    kind: npt.NDArray[np.int8]
    score: Floats
    confidence: Floats
    overlap: Floats
    is_issue: Mask

    def images(self, pair: Pair) -> Ints:
        """Return the image of each."""
        images = np.empty(len(self.box), dtype=np.int64)
        is_new = self.box < 0
        images[is_new] = pair.predicted.images[self.model[is_new]]
        images[~is_new] = pair.given.images[self.box[~is_new]]
        return images


def box_quality(pair: Pair, matches: Matches, learned: Learned, choices: Choices) -> Judged:
    """Score what may be wrong, kind by kind, and keep the worst of each annotation."""
    found = [
        _swapped(pair, matches, learned),
        _shifted(pair, matches, learned),
        _displaced(pair, matches, learned, choices),
        _duplicated(pair, matches, choices),
        _spurious(matches, learned, choices),
    ]
    each = _joined(found)
    order = np.lexsort((each.kind, each.score, each.box))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = each.box[order][1:] != each.box[order][:-1]
    return _joined([_rows(each, order[first]), _overlooked(pair, matches, learned, choices)])


def _is_confident(pair: Pair, learned: Learned, rows: Ints) -> Mask:
    assert pair.predicted.scores is not None
    return pair.predicted.scores[rows] >= learned.thresholds[pair.predicted.labels[rows]]


def _made(
    kind: int, box: Ints, model: Ints, score: Floats, sure: Floats, overlap: Floats, wrong: Mask
) -> Judged:
    kinds = np.full(len(score), kind, dtype=np.int8)
    return Judged(box, model, kinds, np.clip(score, 0.0, 1.0), sure, overlap, wrong)


def _swapped(pair: Pair, matches: Matches, learned: Learned) -> Judged:
    box = np.flatnonzero(matches.rival >= 0)
    model = matches.rival[box]
    sure = learned.reliability[model]
    overlap = _overlaps(pair.given, box, pair.predicted, model)
    return _made(SWAP, box, model, 1.0 - sure, sure, overlap, _is_confident(pair, learned, model))


def _shifted(pair: Pair, matches: Matches, learned: Learned) -> Judged:
    box = np.flatnonzero(matches.shifted >= 0)
    model = matches.shifted[box]
    overlap = _overlaps(pair.given, box, pair.predicted, model)
    # A prediction is one object: of several annotations near it, it is the nearest that moves.
    order = np.lexsort((-overlap, model))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = model[order][1:] != model[order][:-1]
    nearest = np.sort(order[first])
    box, model, overlap = box[nearest], model[nearest], overlap[nearest]
    sure = learned.reliability[model]
    return _made(BADLOC, box, model, 1.0 - sure, sure, overlap, _is_confident(pair, learned, model))


def _displaced(pair: Pair, matches: Matches, learned: Learned, choices: Choices) -> Judged:
    """Judge matched annotations that overlap less than is usual for their class."""
    box = np.flatnonzero(matches.partner >= 0)
    model = matches.partner[box]
    sure = learned.reliability[model]
    usual = choices.location_factor * learned.usual_gap[pair.given.labels[box]]
    gap = ((1.0 - matches.reach[box]) / usual) ** _STEEPNESS
    unusual = gap / (1.0 + gap)
    wrong = _is_confident(pair, learned, model) & (unusual >= _SURE)
    score = 1.0 - sure * unusual
    return _made(BADLOC, box, model, score, sure, matches.reach[box], wrong)


def _duplicated(pair: Pair, matches: Matches, choices: Choices) -> Judged:
    given = pair.given
    twin, iou = _twins(given, same=True)
    any_twin, any_iou = _twins(given, same=False)
    contradicts = (any_iou >= _CONTRADICTION) & ~(iou >= choices.duplicate_iou)
    twin, iou = np.where(contradicts, any_twin, twin), np.where(contradicts, any_iou, iou)
    box = np.flatnonzero(contradicts | (iou >= choices.duplicate_iou))
    other = twin[box]
    # The one goes that the model supports less; where it supports neither, the later one.
    support = np.where(matches.partner >= 0, 1.0 + matches.reach, 0.0)
    less = (support[box] < support[other]) | ((support[box] == support[other]) & (box > other))
    kept = less & (matches.partner[box] < 0)
    box, other = box[kept], other[kept]
    sure = iou[box]
    return _made(DUPLICATED, box, other, 1.0 - sure, sure, sure, sure > _SURE)


def _spurious(matches: Matches, learned: Learned, choices: Choices) -> Judged:
    """Judge annotations without any prediction near, by Bayes' rule from the rate of such misses.

    A spurious one has surely none; a right one has none at the rate of its size.
    """
    box = np.flatnonzero(matches.alone)
    prior, missed = choices.spurious_prior, learned.alone_rate[box]
    sure = prior / np.maximum(prior + missed * (1.0 - prior), 1e-12)
    score = 1.0 - sure * (1.0 - matches.seen[box])
    return _made(
        SPURIOUS, box, np.full(len(box), -1), score, 1.0 - score, matches.seen[box], score < _SURE
    )


def _overlooked(pair: Pair, matches: Matches, learned: Learned, choices: Choices) -> Judged:
    free = (matches.state == UNMATCHED) & (matches.cover < choices.match_iou)
    free[matches.shifted[matches.shifted >= 0]] = False
    model = np.flatnonzero(free)
    sure, cover = learned.reliability[model], matches.cover[model]
    score = 1.0 - sure * (1.0 - cover**2)
    wrong = _is_confident(pair, learned, model)
    return _made(OVERLOOKED, np.full(len(model), -1), model, score, sure, cover, wrong)


def _twins(boxes: Boxes, *, same: bool) -> tuple[Ints, Floats]:
    twin, iou = np.full(len(boxes.boxes), -1, dtype=np.int64), np.zeros(len(boxes.boxes))
    rows, labels = frozen(boxes.boxes), frozen(boxes.labels)

    def work(worker: int, block: int, images: slice) -> None:
        ends = frozen(boxes.offsets[images.start : images.stop + 1])
        kernels.twins(rows, labels, ends, twin, iou, same)

    each_block(work, len(boxes), _BLOCK)
    return twin, iou


def _overlaps(a: Boxes, rows: Ints, b: Boxes, others: Ints) -> Floats:
    """Return the IoU of boxes pair by pair."""
    first, second = a.boxes[rows], b.boxes[others]
    low, high = np.maximum(first[:, :2], second[:, :2]), np.minimum(first[:, 2:], second[:, 2:])
    inter = np.prod(np.maximum(high - low, 0.0), axis=1)
    areas = [np.prod(each[:, 2:] - each[:, :2], axis=1) for each in (first, second)]
    result: Floats = inter / np.maximum(areas[0] + areas[1] - inter, kernels.TINY)
    return result


def _joined(parts: list[Judged]) -> Judged:
    names = Judged.__dataclass_fields__
    return Judged(*(np.concatenate([getattr(each, name) for each in parts]) for name in names))


def _rows(judged: Judged, rows: Ints) -> Judged:
    return Judged(*(getattr(judged, name)[rows] for name in Judged.__dataclass_fields__))


def image_quality(
    pair: Pair, matches: Matches, learned: Learned, judged: Judged, choices: Choices
) -> Floats:
    """Pool boxes into a score per image: the share of objects that agree, and the worst box.

    A share, so that many boxes make an image no worse than few; some of the worst box, so that one
    clear mistake shows among many right ones.
    """
    n = len(pair.given)
    found, given = pair.predicted.images, pair.given.images
    reliability = np.where(matches.state == IGNORED, 0.0, learned.reliability)
    weight = choices.given_weight * learned.found_rate
    mass = np.bincount(found, reliability, n) + np.bincount(given, weight, n)
    wrong = reliability * matches.unmatched * (1.0 - matches.beside)
    lost = np.bincount(found, wrong, n) + np.bincount(given, weight * (matches.partner < 0), n)
    share = np.divide(lost, mass, out=np.zeros(n), where=mass > 0)
    worst = np.ones(n)
    np.minimum.at(worst, judged.images(pair), judged.score)
    beta = choices.worst_weight
    pooled: Floats = np.clip((1.0 - beta) * (1.0 - share) + beta * worst, 0.0, 1.0)
    return pooled
