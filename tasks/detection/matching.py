"""Confident learning on matched boxes: what this detector's scores and overlaps are worth.

Predictions are matched to annotations first. From the matches come, for this data and this
detector, all that a judgement needs: how reliable a score is, from which score on a class counts as
confident, how often objects of a size are found, and what overlap a right box usually reaches.
docs/detection.md has the formulas and what they rest on.

References
----------
C. Northcutt, L. Jiang, I. Chuang. Confident Learning: Estimating Uncertainty in Dataset Labels.
JAIR 70 (2021) 1373-1411: thresholds per class, and the joint of given and confident classes.

J. Platt. Probabilistic Outputs for Support Vector Machines. Advances in Large Margin Classifiers
(1999): a logistic curve from scores to probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from goldlabel.inputs import check
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import each_block
from goldlabel.tasks.detection import kernels
from goldlabel.tasks.detection.boxes import Pair
from goldlabel.tasks.detection.precision import best_first
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["Choices", "Learned", "Matches", "learn", "match_boxes"]


UNMATCHED, MATCHED, REPEATED, IGNORED, SHADED = range(5)
"""What a prediction is."""

CLASS_WEIGHT = 5.0
"""A class's own mean counts as much as that of all classes once it has so many matches."""
GAP_WEIGHT = 20.0
"""The same for the median of its overlaps, which takes more of them."""
LEAST_GAP = 0.02
"""However exact a detector is, this much of ``1 - IoU`` is usual."""
SIZES = 5
"""So many groups of equal numbers of annotations, by area, have a rate of being found each."""
_CLIP = 1e-4
_RIDGE = 0.1
_BLOCK = 1024


class Choices(NamedTuple):
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

    def checked(self) -> Choices:
        """Return them after a look at their ranges."""
        for name, value in zip(self._fields, self, strict=True):
            high = np.inf if name in ("location_factor", "given_weight") else 1.0
            check.number(value, name=name, low=0.0, high=high)
        return self


@dataclass(frozen=True, eq=False)
class Matches:
    """What the matching says; see `goldlabel.tasks.detection.kernels.match`.

    Attributes
    ----------
    partner, rival, shifted : ndarray of shape (given boxes,), int64
        Rows of predictions, -1 = none.
    reach, seen : ndarray of shape (given boxes,), float64
    state : ndarray of shape (predicted boxes,), int64
    cover, beside : ndarray of shape (predicted boxes,), float64
    """

    partner: Ints
    rival: Ints
    shifted: Ints
    reach: Floats
    seen: Floats
    state: Ints
    cover: Floats
    beside: Floats

    @property
    def alone(self) -> Mask:
        """Annotations that no prediction matches, contradicts or nearly matches."""
        nothing: Mask = (self.partner < 0) & (self.rival < 0) & (self.shifted < 0)
        return nothing

    @property
    def unmatched(self) -> Mask:
        """Predictions that nothing explains: no annotation, no better match, no crowd."""
        free: Mask = (self.state == UNMATCHED) | (self.state == SHADED)
        return free


def match_boxes(pair: Pair, match_iou: float, near_iou: float) -> Matches:
    """Match predictions, best first, each to the free annotation of its class it overlaps most."""
    given, found = pair.given, pair.predicted
    assert found.scores is not None
    g, p = len(given.boxes), len(found.boxes)
    partner, rival, shifted = (np.full(g, -1, dtype=np.int64) for _ in range(3))
    state = np.zeros(p, dtype=np.int64)
    reach, seen, cover, beside = np.zeros(g), np.zeros(g), np.zeros(p), np.zeros(p)
    boxes, labels = frozen(given.boxes), frozen(given.labels)
    found_boxes, found_labels = frozen(found.boxes), frozen(found.labels)
    order = frozen(best_first(found))
    crowd = frozen(pair.ignored.boxes)

    def work(worker: int, block: int, images: slice) -> None:
        ends = slice(images.start, images.stop + 1)
        kernels.match(
            boxes, labels, frozen(given.offsets[ends]), found_boxes, found_labels, order,
            frozen(found.offsets[ends]), crowd, frozen(pair.ignored.offsets[ends]),
            match_iou, near_iou,
            partner, reach, state, cover, beside, rival, shifted, seen,
        )  # fmt: skip

    each_block(work, len(given), _BLOCK)
    return Matches(partner, rival, shifted, reach, seen, state, cover, beside)


@dataclass(frozen=True, eq=False)
class Learned:
    """What the matches teach about this detector on this data.

    Attributes
    ----------
    reliability : ndarray of shape (predicted boxes,), float64
        Probability that a prediction of this score has an annotation.
    thresholds : ndarray of shape (k,), float64
        Mean score of the matched predictions of each class: from there on one is confident.
    found_rate : ndarray of shape (given boxes,), float64
        Share of the annotations of about this size that are matched.
    alone_rate : ndarray of shape (given boxes,), float64
        Share of the annotations of about this size with no prediction near, of any score.
    usual_gap : ndarray of shape (k,), float64
        Median of ``1 - IoU`` over the matches of each class.
    curve : tuple of float
        Intercept and slope of the reliability over the logit of the score.
    """

    reliability: Floats
    thresholds: Floats
    found_rate: Floats
    alone_rate: Floats
    usual_gap: Floats
    curve: tuple[float, float]


def learn(pair: Pair, matches: Matches) -> Learned:
    """Learn from the matches; see `Learned`."""
    found = pair.predicted
    assert found.scores is not None
    hit = matches.state == MATCHED
    told = matches.unmatched | hit
    curve = _logistic(_logit(found.scores[told]), hit[told])
    reliability = 1.0 / (1.0 + np.exp(-(curve[0] + curve[1] * _logit(found.scores))))
    thresholds = _class_means(found.scores[hit], found.labels[hit], pair.k)
    is_found = matches.partner >= 0
    areas = np.prod(pair.given.boxes[:, 2:] - pair.given.boxes[:, :2], axis=1)
    return Learned(
        reliability,
        thresholds,
        _rate_by_size(areas, is_found),
        _rate_by_size(areas, matches.alone),
        _usual_gaps(matches.reach[is_found], pair.given.labels[is_found], pair.k),
        curve,
    )


def _logit(scores: Floats) -> Floats:
    clipped = np.clip(scores, _CLIP, 1.0 - _CLIP)
    return np.log(clipped / (1.0 - clipped))


def _logistic(x: Floats, y: Mask) -> tuple[float, float]:
    """Fit ``P(y) = 1 / (1 + exp(-(a + b x)))`` by Newton's method, b not below 0.

    A small ridge holds b near 1 (scores that mean what they say) where there is little to learn
    from, or nothing, as with perfect predictions.
    """
    a, b = 0.0, 1.0
    design = np.stack([np.ones_like(x), x])
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-(a + b * x)))
        gradient = design @ (p - y) + _RIDGE * np.array([a, b - 1.0])
        curvature = (design * (p * (1.0 - p))) @ design.T + _RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        step *= min(1.0, 4.0 / max(np.abs(step).max(), 1e-12))
        a, b = a - step[0], max(b - step[1], 0.0)
        if np.abs(step).max() < 1e-9:
            break
    return float(a), float(b)


def _class_means(values: Floats, labels: Ints, k: int) -> Floats:
    """Return the mean of each class, drawn to that of all by `CLASS_WEIGHT`; 0.5 without any."""
    overall = values.mean() if len(values) else 0.5
    counts = np.bincount(labels, minlength=k)
    sums = np.bincount(labels, weights=values, minlength=k)
    means: Floats = (sums + CLASS_WEIGHT * overall) / (counts + CLASS_WEIGHT)
    return means


def _rate_by_size(areas: Floats, is_so: Mask) -> Floats:
    """Return for each annotation how often something is so of those of about its area."""
    if not len(areas):
        return np.empty(0)
    ranks = np.searchsorted(np.sort(areas), areas)
    group = ranks * SIZES // len(areas)
    return _class_means(is_so.astype(np.float64), group, SIZES)[group]


def _usual_gaps(reach: Floats, labels: Ints, k: int) -> Floats:
    """Return the median of ``1 - IoU`` over the matches of each class, drawn to that of all."""
    if not len(reach):
        return np.full(k, LEAST_GAP)
    gaps = 1.0 - reach
    overall = float(np.median(gaps))
    counts = np.bincount(labels, minlength=k)
    ends = np.cumsum(counts)
    ordered = gaps[np.lexsort((gaps, labels))]
    low, high = (ends - counts + (counts - 1) // 2, ends - counts + counts // 2)
    there = counts > 0
    medians = np.full(k, overall)
    medians[there] = (ordered[low[there]] + ordered[high[there]]) / 2.0
    drawn: Floats = (counts * medians + GAP_WEIGHT * overall) / (counts + GAP_WEIGHT)
    return np.maximum(drawn, LEAST_GAP)
