"""Summaries of a dataset: which classes are mislabeled, which overlap, how healthy it is.

All figures come from one matrix: the confident joint, calibrated to the labels. So they add up:
the label issues of all classes, the overlapping examples of all pairs, and the issues that
`HealthSummary` counts by the joint, are the same number.

References
----------
Northcutt, Athalye, Mueller. "Pervasive Label Errors in Test Sets Destabilize Machine Learning
Benchmarks". NeurIPS 2021 Datasets and Benchmarks.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.learning import calibration, confident
from goldlabel.learning.confident import Counted
from goldlabel.learning.summary import ClassCounts, class_table
from goldlabel.typing import Floats

__all__ = ["HealthSummary", "health_of", "health_summary", "overlapping_classes", "summarize"]


TINY = 1e-100  # floor of divisors


@dataclass(frozen=True, eq=False)
class HealthSummary:
    """How healthy the labels of a dataset are, in one set of figures that fit each other.

    Issues and health come in two kinds, which answer different questions. *By count*: examples
    that are more probably of another class, each one found. *By joint*: the number of wrong
    labels that the class-wise noise rates imply, some of them not found one by one.

    Attributes
    ----------
    num_examples : int
        Number of labels; what the given joint sums to where there are no labels.
    classes : tuple
        Class names by index.
    issues_by_count, health_by_count : int, float or None
        Examples counted off the diagonal where the model disagrees with the label, and the share
        of all others, in [0, 1]. None without labels or pred_probs: nothing could be counted.
    issues_by_joint, health_by_joint : int, float
        Mass of the joint off its diagonal, and the share on it, in [0, 1].
    confident_joint : ndarray of shape (k, k)
        The counts that the tables are made of: row = given class, column = true class.
    joint : ndarray of shape (k, k), float64
        The same as probabilities, ``P(given, true)``.
    class_table : DataFrame
        What `summarize` returns.
    overlap_table : DataFrame
        What `overlapping_classes` returns.
    """

    num_examples: int
    classes: tuple[Hashable, ...]
    issues_by_count: int | None
    health_by_count: float | None
    issues_by_joint: int
    health_by_joint: float
    confident_joint: npt.NDArray[Any]
    joint: Floats
    class_table: pd.DataFrame
    overlap_table: pd.DataFrame

    @property
    def health_score(self) -> float:
        """Health by count where it is known, else by joint."""
        return self.health_by_joint if self.health_by_count is None else self.health_by_count


@dataclass(frozen=True, eq=False)
class _Joint:
    """What the summaries are computed from; `issues` is None where nothing was counted."""

    joint: npt.NDArray[Any]
    n: int
    classes: tuple[Hashable, ...]
    issues: int | None

    def by_class(self) -> ClassCounts:
        """Return what the joint says of each class."""
        given, true, right = self.joint.sum(axis=1), self.joint.sum(axis=0), self.joint.diagonal()
        return ClassCounts(self.classes, given, given - right, true - right, true)


def summarize(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    confident_joint: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Rate the label quality of each class.

    Parameters
    ----------
    labels : array_like of shape (n,), or None
        Given class of each example. May be None where `confident_joint` is given.
    pred_probs : array_like of shape (n, k), or None
        Out-of-sample predicted probabilities. May be None where `confident_joint` is given.
    classes : sequence of length k, optional
        Class names by column.
    confident_joint : array_like of shape (k, k), optional
        Counts, row = given class, column = true class; calibrated to the labels if there are
        any, else taken as they stand.

    Returns
    -------
    DataFrame
        One row per class, the worst first, ties by class index. `class`; `label_issues`: examples
        given this class that belong to another; `inverse_label_issues`: examples of this class
        given another; `label_noise`, `inverse_label_noise`: the same as shares of the examples
        given, and of the examples truly in, this class; `label_quality_score`:
        ``1 - label_noise``.

    Raises
    ------
    InputError
        Something does not fit, or there is nothing to compute from.

    Examples
    --------
    >>> pred_probs = [[0.8, 0.2], [0.7, 0.3], [0.1, 0.9], [0.2, 0.8]]
    >>> table = summarize(["cat", "cat", "cat", "dog"], pred_probs, classes=["cat", "dog"])
    >>> table[["class", "label_issues", "label_quality_score"]].round(2).values.tolist()
    [['cat', 1, 0.67], ['dog', 0, 1.0]]
    """
    return class_table(_count(labels, pred_probs, classes, confident_joint))


def overlapping_classes(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    confident_joint: npt.ArrayLike | None = None,
    directed: bool = False,
) -> pd.DataFrame:
    """List the pairs of classes that are taken for each other, the most frequent first.

    Parameters
    ----------
    labels, pred_probs, classes, confident_joint
        As for `summarize`.
    directed : bool
        Tell "given a, truly b" from "given b, truly a"; by default the two are added up.

    Returns
    -------
    DataFrame
        One row per pair of classes, ties by index. `class_a`, `class_b` (given and true class if
        `directed`); `joint_probability`: share of all examples; `num_overlapping_examples`.

    Raises
    ------
    InputError
        Something does not fit, or there is nothing to compute from.

    Examples
    --------
    >>> table = overlapping_classes(None, None, confident_joint=[[4, 1, 0], [2, 2, 0], [0, 0, 1]])
    >>> table.head(1).values.tolist()
    [[0.0, 1.0, 0.3, 3.0]]
    """
    counted = _count(labels, pred_probs, classes, confident_joint)
    return _overlap_table(counted, directed=directed)


def health_summary(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    confident_joint: npt.ArrayLike | None = None,
    directed: bool = False,
) -> HealthSummary:
    """Sum up how healthy the labels of a dataset are; pred_probs is read through once.

    Parameters
    ----------
    labels, pred_probs, classes, confident_joint, directed
        As for `summarize` and `overlapping_classes`.

    Returns
    -------
    HealthSummary

    Raises
    ------
    InputError
        Something does not fit, or there is nothing to compute from.

    Examples
    --------
    >>> health = health_summary([0, 0, 0, 1], [[0.8, 0.2], [0.7, 0.3], [0.1, 0.9], [0.2, 0.8]])
    >>> health.issues_by_count, health.health_by_count, health.health_by_joint
    (1, 0.75, 0.75)
    """
    return _summary(_count(labels, pred_probs, classes, confident_joint, each=True), directed)


def health_of(counted: Counted, classes: tuple[Hashable, ...]) -> HealthSummary:
    """Sum up how healthy labels are that have been counted."""
    return _summary(_joint_of(counted, classes), directed=False)


def _summary(counted: _Joint, directed: bool) -> HealthSummary:
    joint = calibration.joint(counted.joint)
    by_count = None if counted.issues is None else 1.0 - counted.issues / max(counted.n, 1)
    return HealthSummary(
        num_examples=counted.n,
        classes=counted.classes,
        issues_by_count=counted.issues,
        health_by_count=by_count,
        issues_by_joint=calibration.count_label_errors(counted.joint),
        health_by_joint=float(np.trace(joint)) if joint.any() else 1.0,
        confident_joint=counted.joint,
        joint=joint,
        class_table=class_table(counted),
        overlap_table=_overlap_table(counted, directed=directed),
    )


def _joint_of(counted: Counted, classes: tuple[Hashable, ...]) -> _Joint:
    issues = int(np.count_nonzero(counted.off_diagonal))
    return _Joint(counted.calibrated_joint, len(counted.labels), classes, issues)


def _count(
    labels: Any,
    pred_probs: Any,
    classes: Sequence[Hashable] | None,
    confident_joint: npt.ArrayLike | None,
    *,
    each: bool = False,
) -> _Joint:
    """Get the joint from what there is; `each`: count issues too where the joint is given."""
    if confident_joint is None:
        for name, value in (("labels", labels), ("pred_probs", pred_probs)):
            if value is None:
                raise InputError(
                    name, "is None", "Pass labels and pred_probs, or a confident_joint instead"
                )
        rows = check.labeled_rows(labels, pred_probs, classes, mark_unknown=True)
        return _joint_of(confident.count(rows.labels, rows.pred_probs), rows.classes)
    joint = calibration.square(confident_joint, "confident_joint")
    if labels is None or pred_probs is None:
        return _count_without_rows(joint, labels, pred_probs, classes)
    rows = check.labeled_rows(labels, pred_probs, classes, mark_unknown=True)
    calibrated = _calibrated(joint, rows.labels, rows.pred_probs.shape[1])
    counted = _Joint(calibrated, len(rows.labels), rows.classes, None)
    if not each:
        return counted
    found = confident.count(rows.labels, rows.pred_probs)
    return replace(counted, issues=int(np.count_nonzero(found.off_diagonal)))


def _count_without_rows(
    joint: Floats, labels: Any, pred_probs: Any, classes: Sequence[Hashable] | None
) -> _Joint:
    """Take a given joint where labels, pred_probs or both are None."""
    k = len(joint)
    if labels is not None:
        codes, names = check.class_labels(labels, k, classes, name="confident_joint")
        return _Joint(_calibrated(joint, codes, k), len(codes), names, None)
    if pred_probs is not None:
        _check_size(k, check.pred_probs_array(pred_probs)[0].shape[1])
    _, names = check.class_labels([], k, classes, name="confident_joint")
    return _Joint(joint, round(float(joint.sum())), names, None)


def _calibrated(joint: Floats, codes: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.int64]:
    _check_size(len(joint), k)
    return calibration.calibrate(joint, np.bincount(codes[codes >= 0], minlength=k))


def _check_size(size: int, k: int) -> None:
    if size != k:
        raise InputError(
            "confident_joint",
            f"has shape {(size, size)}, but pred_probs has {k} columns",
            "Pass a row and a column for every class",
        )


def _overlap_table(counted: _Joint, *, directed: bool) -> pd.DataFrame:
    joint = counted.joint if directed else counted.joint + counted.joint.T
    pairs = ~np.eye(len(joint), dtype=np.bool_)
    a, b = np.nonzero(pairs if directed else np.triu(pairs))
    examples = joint[a, b]
    order = np.argsort(-examples, kind="stable")
    table = {
        "class_a": _named(counted.classes, a[order]),
        "class_b": _named(counted.classes, b[order]),
        "joint_probability": examples[order] / max(float(counted.joint.sum()), TINY),
        "num_overlapping_examples": np.rint(examples[order]).astype(np.int64),
    }
    return pd.DataFrame(table)


def _named(classes: tuple[Hashable, ...], codes: npt.NDArray[np.intp]) -> pd.Index[Any]:
    return pd.Index(classes, tupleize_cols=False).take(codes)
