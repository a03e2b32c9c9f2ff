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

import numpy as np

from goldlabel.tasks.detection.boxes import Pair
from goldlabel.tasks.detection.matching import MATCHED, Matches
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["Calibration", "calibrate"]


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


@dataclass(frozen=True, eq=False)
class Calibration:
    """What the matches teach about this detector on this data.

    Attributes
    ----------
    reliability : ndarray of shape (predictions,), float64
        Probability that a prediction of this score has an annotation.
    thresholds : ndarray of shape (k,), float64
        Mean score of the matched predictions of each class: from there on one is confident.
    found_rate : ndarray of shape (annotations,), float64
        Share of the annotations of about this size that are matched.
    missed_rate : ndarray of shape (annotations,), float64
        Share of the annotations of about this size with no prediction near, of any score.
    usual_gap : ndarray of shape (k,), float64
        Median of ``1 - IoU`` over the matches of each class.
    curve : tuple of float
        Intercept and slope of the reliability over the logit of the score.
    """

    reliability: Floats
    thresholds: Floats
    found_rate: Floats
    missed_rate: Floats
    usual_gap: Floats
    curve: tuple[float, float]


def calibrate(pair: Pair, matches: Matches) -> Calibration:
    """Learn from the matches; see `Calibration`."""
    predictions = pair.predictions
    is_match = matches.state == MATCHED
    counts = matches.is_unmatched | is_match
    curve = _logistic(_logit(predictions.scores[counts]), is_match[counts])
    reliability = 1.0 / (1.0 + np.exp(-(curve[0] + curve[1] * _logit(predictions.scores))))
    thresholds = _class_means(predictions.scores[is_match], predictions.labels[is_match], pair.k)
    is_found = matches.matched >= 0
    areas = pair.annotations.areas
    return Calibration(
        reliability,
        thresholds,
        _rate_by_size(areas, is_found),
        _rate_by_size(areas, matches.is_missed),
        _usual_gaps(matches.matched_iou[is_found], pair.annotations.labels[is_found], pair.k),
        curve,
    )


def _logit(scores: Floats) -> Floats:
    clipped = np.clip(scores, _CLIP, 1.0 - _CLIP)
    return np.log(clipped / (1.0 - clipped))


def _logistic(x: Floats, y: Mask) -> tuple[float, float]:
    """Fit ``P(y) = 1 / (1 + exp(-(a + b x)))``, b not below 0.

    A small ridge holds b near 1 (scores that mean what they say) where there is little to learn
    from, or nothing, as with perfect predictions.
    """
    curve = _newton(np.stack([np.ones_like(x), x]), y, np.array([0.0, 1.0]))
    if curve[1] >= 0.0:
        return float(curve[0]), float(curve[1])
    # The loss is convex: with the slope at its bound, only the intercept is left to find.
    return float(_newton(np.ones((1, len(x))), y, np.zeros(1))[0]), 0.0


def _newton(design: Floats, y: Mask, towards: Floats) -> Floats:
    """Return the coefficients of a logistic regression, with a ridge towards some values."""

    def loss(at: Floats) -> float:
        z = at @ design
        return float(
            np.sum(np.logaddexp(0.0, z) - y * z) + _RIDGE / 2 * np.sum((at - towards) ** 2)
        )

    at = towards.copy()
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-(at @ design)))
        gradient = design @ (p - y) + _RIDGE * (at - towards)
        curvature = (design * (p * (1.0 - p))) @ design.T + _RIDGE * np.eye(len(at))
        step = np.linalg.solve(curvature, gradient)
        size, before = 1.0, loss(at)
        while loss(at - size * step) > before and size > 1e-6:
            size /= 2.0
        at = at - size * step
        if np.abs(step).max() < 1e-9:
            break
    return at


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


def _usual_gaps(ious: Floats, labels: Ints, k: int) -> Floats:
    """Return the median of ``1 - IoU`` over the matches of each class, drawn to that of all."""
    if not len(ious):
        return np.full(k, LEAST_GAP)
    gaps = 1.0 - ious
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
