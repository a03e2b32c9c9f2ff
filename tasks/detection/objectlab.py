"""ObjectLab: three scores per kind of mistake, pooled into one per image.

The published method with its published constants. It takes a detector at its word from a score of
0.95 on; the default of this task learns what the scores of this detector are worth
(`goldlabel.tasks.detection.calibration`).

References
----------
U. Tkachenko, A. Thyagarajan, J. Mueller. ObjectLab: Automated Diagnosis of Mislabeled Images in
Object Detection Data. arXiv:2309.00832 (2023).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.kernels import pooling
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import each_block
from goldlabel.tasks.detection import kernels
from goldlabel.tasks.detection.arrays import as_boxes, as_detections
from goldlabel.tasks.detection.boxes import Pair, offsets_of, paired
from goldlabel.typing import Floats, Ints

__all__ = ["BoxScores", "Constants", "box_scores", "get_box_quality_scores", "image_scores"]

Unit = Literal["pixel", "diagonal"]

KINDS = ("overlooked", "badloc", "swap")
MIN_SIM = 1e-12
"""Least similarity if nothing else is said: the same for every data set, so that the score of a box
depends on its image alone."""
_DIAGONAL = 1000.0
"""With distances in shares of the diagonal, how many pixels a diagonal counts for."""
_RELATIVE = 1.5
"""Coordinates that are all no larger are shares of the image, and no pixels."""
_BLOCK = 1024


class Constants(NamedTuple):
    """What ObjectLab leaves open, with its published values."""

    alpha: float = 0.9
    low_probability: float = 0.5
    high_probability: float = 0.95
    label_overlap: float = 0.95
    temperature: float = 0.1
    distance_factor: float = 0.1


PUBLISHED = Constants()


@dataclass(frozen=True, eq=False)
class BoxScores:
    """How right each box looks, for each kind of mistake; in [0, 1], lower is worse.

    Attributes
    ----------
    overlooked : ndarray of shape (predictions,), float64
        NaN for predictions that say nothing on overlooked objects: not sure enough, or overlapping
        an annotation.
    badloc, swap : ndarray of shape (annotations,), float64
    """

    overlooked: Floats
    badloc: Floats
    swap: Floats


def get_box_quality_scores(
    labels: Any,
    predictions: Any,
    *,
    alpha: float = 0.9,
    low_probability: float = 0.5,
    high_probability: float = 0.95,
    label_overlap: float = 0.95,
    overlapping_label_check: bool = True,
    min_similarity: float | Literal["dataset"] = MIN_SIM,
    distance_unit: Unit = "pixel",
    image_sizes: npt.ArrayLike | None = None,
) -> BoxScores:
    """Score every box by ObjectLab, for each of its three kinds of mistake.

    Parameters
    ----------
    labels, predictions : Boxes or sequence
        See `goldlabel.tasks.detection.arrays`.
    alpha : float
        Share of the IoU in the similarity of two boxes; the rest is their distance.
    low_probability : float
        A prediction says where an object is if it is surer than this.
    high_probability : float
        A prediction says that, or what, an object is if it is this sure.
    label_overlap : float
        IoU from which annotations of two classes contradict each other.
    overlapping_label_check : bool
        Whether annotations that contradict each other are scored as swapped.
    min_similarity : float or "dataset"
        Floor of the scores. "dataset": the least similarity of any annotation and prediction, as
        published; scores then depend on the other images.
    distance_unit : {"pixel", "diagonal"}
        Distances in pixels, as published, or in thousandths of the image's diagonal, which
        needs `image_sizes` (or coordinates in [0, 1]).
    image_sizes : array_like of shape (n, 2), optional
        Width and height of each image, pixels.

    Returns
    -------
    BoxScores

    Raises
    ------
    InputError
        A value that does not fit, or relative coordinates with distances in pixels.

    Examples
    --------
    >>> scores = get_box_quality_scores(
    ...     [{"boxes": [[0, 0, 10, 10]], "labels": [0]}],
    ...     [{"boxes": [[0, 0, 10, 9]], "labels": [1], "scores": [0.99]}],
    ... )
    >>> scores.swap.round(3)
    array([0.095])
    """
    annotations = as_boxes(labels)
    pair = paired(annotations, as_detections(predictions), None)
    constants = Constants(alpha, low_probability, high_probability, label_overlap)
    scales = distance_scales(pair, distance_unit, image_sizes)
    scores = box_scores(pair, constants, overlapping_label_check, min_similarity, scales)
    whole = np.ones((2, len(annotations.boxes)))
    whole[:, annotations.is_judged] = scores.badloc, scores.swap
    return BoxScores(scores.overlooked, *whole)


def distance_scales(pair: Pair, unit: Unit, sizes: npt.ArrayLike | None) -> Floats:
    """Return what makes horizontal and vertical distances in each image count as pixels, (n, 2)."""
    check.choice(unit, ("pixel", "diagonal"), name="distance_unit")
    n = len(pair.annotations)
    every = [pair.annotations.boxes, pair.predictions.boxes]
    is_relative = any(map(len, every)) and all(each.max(initial=0) <= _RELATIVE for each in every)
    pixels = None if sizes is None else image_size_array(sizes, n)
    if pixels is None and is_relative and unit == "pixel":
        raise InputError(
            "labels",
            "have no coordinate above 1.5: they look like shares of the image, and ObjectLab"
            " measures distances in pixels",
            "Pass the sizes of the images, or distance_unit='diagonal'",
        )
    if pixels is None and unit == "diagonal" and not is_relative:
        raise InputError(
            "image_sizes", "are not given", "Pass them for distance_unit='diagonal', or use pixels"
        )
    sides = np.ones((n, 2)) if pixels is None else pixels
    scales = sides.copy() if is_relative else np.ones((n, 2))
    if unit == "diagonal":
        scales *= _DIAGONAL / np.linalg.norm(sides, axis=1, keepdims=True)
    return scales


def image_size_array(sizes: npt.ArrayLike, n: int) -> Floats:
    """Return widths and heights as float64 (n, 2)."""
    try:
        array = np.asarray(sizes, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise InputError("image_sizes", "is no array of numbers", "Pass (n, 2)") from error
    if array.shape != (n, 2):
        raise InputError("image_sizes", f"has shape {array.shape}, not ({n}, 2)", "Pass (n, 2)")
    bad = np.flatnonzero(~((array > 0) & np.isfinite(array)).all(axis=1))
    if bad.size:
        raise InputError(
            f"image_sizes[{bad[0]}]",
            f"is {array[bad[0]].tolist()} ({bad.size} such)",
            "Pass width and height, larger than 0",
        )
    return array


def box_scores(
    pair: Pair,
    constants: Constants,
    overlap_check: bool,
    min_similarity: float | Literal["dataset"],
    scales: Floats,
) -> BoxScores:
    """Score every box; see `get_box_quality_scores`."""
    for name, value in zip(constants._fields, constants, strict=True):
        check.number(value, name=name, low=0.0, high=np.inf if name[0] in "dt" else 1.0)
    of_data = min_similarity == "dataset"
    floor = 0.0 if of_data else check.number(min_similarity, name="min_similarity", low=0, high=1)
    annotations, predictions = pair.annotations, pair.predictions
    same = np.full(len(predictions.boxes), -1.0)
    apart = np.zeros(len(predictions.boxes), dtype=np.bool_)
    near, other = np.full((2, len(annotations.boxes)), -1.0)
    clash = np.zeros(len(annotations.boxes), dtype=np.bool_)
    least = np.empty(len(annotations))
    settings = np.array([*constants[:4], float(of_data)])
    scales = frozen(scales * constants.distance_factor)
    boxes, labels = frozen(annotations.boxes), frozen(annotations.labels)
    predicted, predicted_labels = frozen(predictions.boxes), frozen(predictions.labels)
    scores, ignored = frozen(predictions.scores), frozen(pair.ignored.boxes)

    def work(worker: int, block: int, images: slice) -> None:
        ends = slice(images.start, images.stop + 1)
        kernels.objectlab(
            boxes, labels, frozen(annotations.offsets[ends]),
            predicted, predicted_labels, scores, frozen(predictions.offsets[ends]),
            ignored, frozen(pair.ignored.offsets[ends]), scales[images], settings,
            same, apart, near, other, clash, least[images],
        )  # fmt: skip

    each_block(work, len(annotations), _BLOCK)
    floor = float(least.min(initial=1.0)) if of_data else floor
    overlooked = np.where(same >= 0, same, floor * (1.0 - predictions.scores))
    swap = np.where(other >= 0, np.maximum(floor, 1.0 - other), 1.0)
    if overlap_check:
        swap[clash] = floor
    return BoxScores(np.where(apart, overlooked, np.nan), np.where(near >= 0, near, 1.0), swap)


_EQUAL = {"overlooked": 1 / 3, "badloc": 1 / 3, "swap": 1 / 3}


def image_scores(
    pair: Pair, scores: BoxScores, weights: Mapping[str, float] | None, temperature: float
) -> Floats:
    """Pool the scores of boxes into one per image: softmin per kind, then their weighted product.

    Parameters
    ----------
    weights : mapping, optional
        Of "overlooked", "badloc" and "swap", not negative, sum 1; equal if not given.
    temperature : float
        Of the softmin.
    """
    share = _EQUAL if weights is None else _checked_weights(weights)
    n = len(pair.annotations)
    total = np.zeros(n)
    for kind in KINDS:
        score, offsets = getattr(scores, kind), pair.annotations.offsets
        if kind == "overlooked":
            there = ~np.isnan(score)
            score, offsets = score[there], offsets_of(pair.predictions.images[there], n)
        total += share[kind] * np.log(1e-100 + pooling.softmin(score, offsets, temperature))
    return np.clip(np.exp(total), 0.0, 1.0)


def _checked_weights(weights: Mapping[str, float]) -> dict[str, float]:
    if not isinstance(weights, Mapping) or set(weights) != set(KINDS):
        raise InputError("weights", f"is {weights!r}", f"Pass a weight for {', '.join(KINDS)}")
    share = {kind: check.number(weights[kind], name=f"weights[{kind!r}]", low=0) for kind in KINDS}
    if not np.isclose(sum(share.values()), 1.0):
        raise InputError("weights", f"sum to {sum(share.values()):g}", "Make them sum to 1")
    return share


def limits(precision: Floats, factor: float, share: float) -> Floats:
    """Return the score up to which a box of each class is an issue."""
    return precision * share * factor


def _classes_of(pair: Pair, kind: str) -> Ints:
    return pair.predictions.labels if kind == "overlooked" else pair.annotations.labels


def flagged(
    pair: Pair, scores: BoxScores, precision: Floats, factors: Mapping[str, float], share: float
) -> dict[str, npt.NDArray[np.bool_]]:
    """Return for each kind which boxes are issues: a score no higher than their class's limit."""
    flags = {}
    for kind in KINDS:
        score = np.nan_to_num(getattr(scores, kind), nan=1.0)
        flags[kind] = score <= limits(precision, factors[kind], share)[_classes_of(pair, kind)]
    return flags


__all__ += [
    "KINDS",
    "MIN_SIM",
    "PUBLISHED",
    "Unit",
    "distance_scales",
    "flagged",
    "image_size_array",
    "limits",
]
