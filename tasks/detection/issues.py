"""Which boxes are wrong, in which way, and what to put instead."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.labels import checked_ids
from goldlabel.results.label_issues import LabelIssues, Parts
from goldlabel.tasks.detection import objectlab
from goldlabel.tasks.detection.arrays import as_boxes, as_detections
from goldlabel.tasks.detection.boxes import Pair, paired
from goldlabel.tasks.detection.diagnostics import warn_of_suspicious
from goldlabel.tasks.detection.matching import Options
from goldlabel.tasks.detection.objectlab import KINDS, MIN_SIM, PUBLISHED, Constants, Unit
from goldlabel.tasks.detection.parts import from_objectlab, from_scoring
from goldlabel.tasks.detection.precision import class_precision
from goldlabel.tasks.detection.scoring import Scoring, score
from goldlabel.typing import Floats

__all__ = [
    "Method",
    "find_label_issues",
    "get_label_quality_scores",
    "issues_from_scores",
    "objectlab_issues",
    "scored_issues",
]

Method = Literal["confident_learning", "objectlab"]

FACTOR = 0.8
PRECISION_SHARE = 0.25
"""ObjectLab flags below a quarter of a class's average precision, times 0.8."""


def find_label_issues(
    labels: Any,
    predictions: Any,
    *,
    method: Method = "confident_learning",
    classes: Sequence[Hashable] | None = None,
    ids: npt.ArrayLike | None = None,
    match_iou: float = 0.5,
    near_iou: float = 0.2,
    duplicate_iou: float = 0.8,
    location_factor: float = 2.5,
    spurious_prior: float = 0.02,
    given_weight: float = 0.5,
    worst_weight: float = 0.2,
    alpha: float = 0.9,
    low_probability: float = 0.5,
    high_probability: float = 0.95,
    label_overlap: float = 0.95,
    overlapping_label_check: bool = True,
    min_similarity: float | Literal["dataset"] = MIN_SIM,
    temperature: float = 0.1,
    aggregation_weights: Mapping[str, float] | None = None,
    overlooked_factor: float = FACTOR,
    badloc_factor: float = FACTOR,
    swap_factor: float = FACTOR,
    precision_share: float = PRECISION_SHARE,
    distance_unit: Unit = "pixel",
    image_sizes: npt.ArrayLike | None = None,
) -> LabelIssues:
    """Find the boxes that are probably wrong, and the images that have some.

    Parameters
    ----------
    labels : Boxes or sequence
        The annotations; see `goldlabel.tasks.detection.arrays`. Images without any are normal.
    predictions : Boxes or sequence
        What a detector that has not seen these images in training finds in each, with scores.
        Keep the ones of low score too: that nothing at all is found is evidence.
    method : {"confident_learning", "objectlab"}
        How boxes are judged: by what the scores and overlaps of this detector are worth on this
        data, or by the published constants of ObjectLab.
    classes : sequence of length k, optional
        Class names by index.
    ids : array_like of shape (n,), optional
        Your own name of each image, for the tables.
    match_iou, near_iou, duplicate_iou, location_factor, spurious_prior, given_weight, worst_weight
        Of "confident_learning"; see `goldlabel.tasks.detection.matching.Options`.
    alpha, low_probability, high_probability, label_overlap, overlapping_label_check, \
min_similarity, distance_unit, image_sizes
        Of "objectlab"; see `get_box_quality_scores`.
    temperature : float
        Of "objectlab": of the softmin over the boxes of an image.
    aggregation_weights : mapping, optional
        Of "objectlab": weight of "overlooked", "badloc" and "swap" in the score of an image, sum 1.
    overlooked_factor, badloc_factor, swap_factor, precision_share : float
        Of "objectlab": a box is an issue up to a score of its class's average precision times
        `precision_share` times the factor of its kind.

    Returns
    -------
    LabelIssues
        One row of `parts` for each box judged wrong. `part` is its number among the annotations of
        its image; for an overlooked object it counts on, through the predictions. `given` and
        `suggested` are classes (-1 = no box). The evidence has what to do (``action``: "add",
        "move", "relabel", "remove"), the box suggested (``x1``, ``y1``, ``x2``, ``y2``), the
        score of the prediction behind it (``model_score``), and their overlap (``iou``).

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which image and box.

    Warns
    -----
    DataWarning
        Predictions that hardly match any annotation, as if coordinates were of another kind.

    References
    ----------
    C. Northcutt, L. Jiang, I. Chuang. Confident Learning: Estimating Uncertainty in Dataset
    Labels. JAIR 70 (2021) 1373-1411.

    U. Tkachenko, A. Thyagarajan, J. Mueller. ObjectLab: Automated Diagnosis of Mislabeled Images
    in Object Detection Data. arXiv:2309.00832 (2023).

    Examples
    --------
    >>> labels = [{"boxes": [[0, 0, 40, 40]], "labels": [0]} for _ in range(5)]
    >>> predictions = [
    ...     {"boxes": [[0, 0, 40, 39]], "labels": [0], "scores": [0.9]} for _ in range(5)
    ... ]
    >>> predictions[3] = {
    ...     "boxes": [[0, 0, 40, 39], [60, 60, 90, 90]], "labels": [0, 0], "scores": [0.9, 0.95]
    ... }
    >>> issues = find_label_issues(labels, predictions, classes=["cat"])
    >>> issues
    <LabelIssues: detection, 1 of 5 examples flagged>
    >>> issues.to_frame("part")[["example", "part", "kind", "given", "suggested", "action"]]
       example  part        kind given suggested action
    0        3     2  overlooked   NaN       cat    add
    """
    check.choice(method, get_args(Method), name="method")
    names = _class_names(classes)
    pair = paired(
        as_boxes(labels), as_detections(predictions), None if names is None else len(names)
    )
    names = tuple(range(pair.k)) if names is None else names
    options = Options(
        match_iou, near_iou, duplicate_iou, location_factor, spurious_prior, given_weight,
        worst_weight,
    ).checked()  # fmt: skip
    warn_of_suspicious(pair)
    if method == "confident_learning":
        return scored_issues(score(pair, options), options, names, ids)
    return objectlab_issues(
        pair, names, ids,
        constants=Constants(alpha, low_probability, high_probability, label_overlap, temperature),
        overlapping_label_check=overlapping_label_check,
        min_similarity=min_similarity,
        aggregation_weights=aggregation_weights,
        factors=dict(zip(KINDS, (overlooked_factor, badloc_factor, swap_factor), strict=True)),
        precision_share=precision_share,
        distance_unit=distance_unit,
        image_sizes=image_sizes,
    )  # fmt: skip


def scored_issues(
    scoring: Scoring, options: Options, classes: Sequence[Hashable], ids: npt.ArrayLike | None
) -> LabelIssues:
    """Return what the default method flags of boxes that are scored already."""
    params = {"method": "confident_learning", **options._asdict()}
    return _label_issues(scoring.scores, from_scoring(scoring), classes, ids, params)


def objectlab_issues(
    pair: Pair,
    classes: Sequence[Hashable],
    ids: npt.ArrayLike | None,
    *,
    constants: Constants = PUBLISHED,
    overlapping_label_check: bool = True,
    min_similarity: float | Literal["dataset"] = MIN_SIM,
    aggregation_weights: Mapping[str, float] | None = None,
    factors: Mapping[str, float] = MappingProxyType(dict.fromkeys(KINDS, FACTOR)),
    precision_share: float = PRECISION_SHARE,
    distance_unit: Unit = "pixel",
    image_sizes: npt.ArrayLike | None = None,
) -> LabelIssues:
    """Return what ObjectLab flags of boxes that are checked already; see `find_label_issues`."""
    scales = objectlab.distance_scales(pair, distance_unit, image_sizes)
    boxes = objectlab.box_scores(pair, constants, overlapping_label_check, min_similarity, scales)
    scores = objectlab.image_scores(pair, boxes, aggregation_weights, constants.temperature)
    factors = {
        kind: check.number(value, name=f"{kind}_factor", low=0.0) for kind, value in factors.items()
    }
    share = check.number(precision_share, name="precision_share", low=0.0)
    wrong = objectlab.flagged(pair, boxes, class_precision(pair).mean(axis=1), factors, share)
    params = {
        "method": "objectlab",
        **constants._asdict(),
        "overlapping_label_check": overlapping_label_check,
        "min_similarity": min_similarity,
        "aggregation_weights": aggregation_weights,
        "distance_unit": distance_unit,
        "factors": factors,
        "precision_share": share,
    }
    parts = from_objectlab(pair, boxes, wrong, constants)
    return _label_issues(scores, parts, classes, ids, params)


def _label_issues(
    scores: Floats,
    parts: Parts,
    classes: Sequence[Hashable],
    ids: npt.ArrayLike | None,
    params: Mapping[str, Any],
) -> LabelIssues:
    is_issue = np.zeros(len(scores), dtype=np.bool_)
    is_issue[parts.example] = True
    return LabelIssues(
        task="detection",
        scores=scores,
        is_issue=is_issue,
        parts=parts,
        classes=tuple(classes),
        ids=checked_ids(ids, len(scores), rows="images"),
        params=dict(params),
    )


def get_label_quality_scores(
    labels: Any,
    predictions: Any,
    *,
    method: Method = "confident_learning",
    min_similarity: float | Literal["dataset"] = MIN_SIM,
    overlapping_label_check: bool = True,
    aggregation_weights: Mapping[str, float] | None = None,
    temperature: float = 0.1,
    distance_unit: Unit = "pixel",
    image_sizes: npt.ArrayLike | None = None,
) -> Floats:
    """Score how likely all boxes of each image are right.

    Parameters
    ----------
    labels, predictions : Boxes or sequence
        See `goldlabel.tasks.detection.arrays`.
    method : {"confident_learning", "objectlab"}
        See `find_label_issues`; the other arguments are of "objectlab".
    min_similarity, overlapping_label_check, distance_unit, image_sizes
        See `get_box_quality_scores`.
    aggregation_weights, temperature
        See `find_label_issues`.

    Returns
    -------
    ndarray of shape (n,), float64
        In [0, 1], lower is worse; 1 for an image without boxes on either side.

    Raises
    ------
    InputError
        A value that does not fit; says which image and box.

    Examples
    --------
    >>> get_label_quality_scores(
    ...     [{"boxes": [[0, 0, 10, 10]], "labels": [0]}],
    ...     [{"boxes": [[4, 0, 14, 10]], "labels": [0], "scores": [0.97]}],
    ...     method="objectlab",
    ... ).round(3)
    array([0.768])
    """
    check.choice(method, get_args(Method), name="method")
    pair = paired(as_boxes(labels), as_detections(predictions), None)
    if method == "confident_learning":
        return score(pair, Options()).scores
    scales = objectlab.distance_scales(pair, distance_unit, image_sizes)
    constants = Constants(temperature=temperature)
    boxes = objectlab.box_scores(pair, constants, overlapping_label_check, min_similarity, scales)
    return objectlab.image_scores(pair, boxes, aggregation_weights, temperature)


def issues_from_scores(scores: npt.ArrayLike, *, threshold: float = 0.1) -> npt.NDArray[np.int64]:
    """Return the images whose score is at most a threshold, worst first.

    Parameters
    ----------
    scores : array_like of shape (n,)
        From `get_label_quality_scores`.
    threshold : float
        In [0, 1].

    Examples
    --------
    >>> issues_from_scores([0.2, 0.4, 0.6, 0.1], threshold=0.3)
    array([3, 0])
    """
    values = np.asarray(scores, dtype=np.float64)
    least = check.number(threshold, name="threshold", low=0.0, high=1.0)
    low = np.flatnonzero(values <= least)
    return low[np.argsort(values[low], kind="stable")]


def _class_names(classes: Sequence[Hashable] | None) -> tuple[Hashable, ...] | None:
    if classes is None:
        return None
    if isinstance(classes, str) or not hasattr(classes, "__len__"):
        raise InputError("classes", f"is {classes!r}", "Pass a list of names")
    names = tuple(classes)
    if len(set(map(str, names))) < len(names):
        raise InputError("classes", "has a name twice", "Rename one")
    return names
