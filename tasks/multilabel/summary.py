"""Summaries of a dataset: which classes are given wrongly, which go together, how healthy it is.

All figures come from the annotations that the default filter judges wrong, so that they add up.

References
----------
A. Thyagarajan, E. Snorrason, C. Northcutt, J. Mueller. Identifying Incorrect Annotations in
Multi-Label Classification Data. arXiv:2211.13895 (2022).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from goldlabel.learning.summary import ClassCounts, class_table
from goldlabel.tasks.multilabel.counting import Counted, count
from goldlabel.tasks.multilabel.filters import HEALTH_FILTER, flag
from goldlabel.tasks.multilabel.inputs import Annotations, labeled_cells
from goldlabel.typing import Ints

__all__ = [
    "HealthSummary",
    "common_label_issues",
    "health_of",
    "health_summary",
    "overlapping_classes",
    "summarize",
]


_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class HealthSummary:
    """How healthy the labels of a dataset are, in one set of figures that fit each other.

    Attributes
    ----------
    num_examples : int
    classes : tuple
        Class names by column.
    issues : int
        Examples with an annotation that is judged wrong.
    health_score : float
        Share of all others, in [0, 1].
    missing_labels, spurious_labels : int
        Annotations judged wrong: classes that examples lack, and classes given wrongly.
    class_table, common_table, overlap_table : DataFrame
        What `summarize`, `common_label_issues` and `overlapping_classes` return.
    """

    num_examples: int
    classes: tuple[Hashable, ...]
    issues: int
    health_score: float
    missing_labels: int
    spurious_labels: int
    class_table: pd.DataFrame
    common_table: pd.DataFrame
    overlap_table: pd.DataFrame


@dataclass(frozen=True, eq=False)
class _Judged:
    """What the summaries are computed from."""

    counted: Counted
    examples: Ints
    parts: Ints
    spurious: npt.NDArray[np.bool_]

    def by_class(self) -> ClassCounts:
        """Return how many of the annotations of each class are judged wrong."""
        counts, wrong = self.counted.value_counts, self.wrong
        classes = self.counted.cells.classes
        return ClassCounts(classes, counts[:, 1], wrong[:, 1], wrong[:, 0], counts[:, 0])

    @property
    def wrong(self) -> Ints:
        """Missing and spurious annotations of each class, (k, 2)."""
        k = len(self.counted.cells.classes)
        cells = np.bincount(2 * self.parts + self.spurious, minlength=2 * k)
        return cells.astype(np.int64).reshape(k, 2)


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
    labels, pred_probs, classes, confident_joint
        As for `find_label_issues`.

    Returns
    -------
    DataFrame
        One row per class, the worst first, ties by class index. `class`; `label_issues`: examples
        given the class that seem not to have it; `inverse_label_issues`: examples not given it
        that seem to have it; `label_noise`, `inverse_label_noise`: the same as shares of the
        examples given it, and not given it; `label_quality_score`: ``1 - label_noise``.

    Raises
    ------
    InputError
        Something does not fit.

    Examples
    --------
    >>> pred_probs = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.1, 0.2]]
    >>> table = summarize([["cat"], ["cat"], ["cat", "dog"], ["dog"], []], pred_probs)
    >>> table[["class", "label_issues", "label_quality_score"]].round(2).values.tolist()
    [['cat', 1, 0.67], ['dog', 0, 1.0]]
    """
    return class_table(_judge(labels, pred_probs, classes, confident_joint))


def common_label_issues(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    confident_joint: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """List how often each class is given wrongly, and how often it is missing.

    Parameters
    ----------
    labels, pred_probs, classes, confident_joint
        As for `find_label_issues`.

    Returns
    -------
    DataFrame
        Two rows per class, the most frequent first, ties by class index, given before missing.
        `class`; `in_given_label`, `in_suggested_label`: bool; `num_examples`;
        `issue_probability`: their share of all examples.

    Raises
    ------
    InputError
        Something does not fit.

    Examples
    --------
    >>> pred_probs = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.1, 0.2]]
    >>> table = common_label_issues([["cat"], ["cat"], ["cat", "dog"], ["dog"], []], pred_probs)
    >>> table.head(1).values.tolist()
    [['cat', True, False, 1, 0.2]]
    """
    return _common_table(_judge(labels, pred_probs, classes, confident_joint))


def overlapping_classes(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    confident_joint: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """List the pairs of classes that are taken for each other, or given together.

    Parameters
    ----------
    labels, pred_probs, classes, confident_joint
        As for `find_label_issues`.

    Returns
    -------
    DataFrame
        One row per pair of classes with something to tell, ties by index. `class_a`, `class_b`;
        `num_confused_examples`: examples given the one wrongly that lack the other;
        `num_given_together`: examples given both; `lift`: how many times as often as if the two
        had nothing to do with each other. Pairs that are confused come first, the most frequent
        first, then those given together.

    Raises
    ------
    InputError
        Something does not fit.

    Examples
    --------
    >>> pred_probs = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.9, 0.9], [0.1, 0.8]]
    >>> table = overlapping_classes([[0], [0], [0], [1], [0, 1], [1]], pred_probs)
    >>> table.values.tolist()
    [[0.0, 1.0, 1.0, 1.0, 0.5]]
    """
    return _overlap_table(_judge(labels, pred_probs, classes, confident_joint))


def health_summary(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    confident_joint: npt.ArrayLike | None = None,
) -> HealthSummary:
    """Sum up how healthy the labels of a dataset are.

    Parameters
    ----------
    labels, pred_probs, classes, confident_joint
        As for `find_label_issues`.

    Returns
    -------
    HealthSummary

    Raises
    ------
    InputError
        Something does not fit.

    Examples
    --------
    >>> pred_probs = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.1, 0.2]]
    >>> health = health_summary([["cat"], ["cat"], ["cat", "dog"], ["dog"], []], pred_probs)
    >>> health.issues, health.health_score
    (1, 0.8)
    """
    return _summary(_judge(labels, pred_probs, classes, confident_joint))


def health_of(counted: Counted, cells: Ints) -> HealthSummary:
    """Sum up how healthy annotations are that have been counted, of which `cells` are wrong.

    Cells are ``example * k + class``, as `goldlabel.tasks.multilabel.filters.flag` gives them.
    """
    return _summary(_judged(counted, cells))


def _summary(judged: _Judged) -> HealthSummary:
    n = judged.counted.cells.labels.shape[0]
    issues = np.unique(judged.examples).shape[0]
    spurious = int(np.count_nonzero(judged.spurious))
    return HealthSummary(
        num_examples=n,
        classes=judged.counted.cells.classes,
        issues=issues,
        health_score=1.0 - issues / n if n else 1.0,
        missing_labels=len(judged.parts) - spurious,
        spurious_labels=spurious,
        class_table=class_table(judged),
        common_table=_common_table(judged),
        overlap_table=_overlap_table(judged),
    )


def _judge(
    labels: Any,
    pred_probs: Any,
    classes: Sequence[Hashable] | None,
    confident_joint: npt.ArrayLike | None,
) -> _Judged:
    counted = count(labeled_cells(labels, pred_probs, classes))
    return _judged(counted, flag(counted, HEALTH_FILTER, confident_joint=confident_joint))


def _judged(counted: Counted, cells: Ints) -> _Judged:
    k = len(counted.cells.classes)
    examples, parts = cells // k, cells % k
    return _Judged(counted, examples, parts, counted.cells.labels.at(examples, parts) > 0)


def _common_table(judged: _Judged) -> pd.DataFrame:
    n, k = judged.counted.cells.labels.shape
    examples = judged.wrong[:, ::-1].ravel()
    of_class, in_given = np.repeat(np.arange(k), 2), np.tile([True, False], k)
    order = np.argsort(-examples, kind="stable")
    table = {
        "class": _named(judged, of_class[order]),
        "in_given_label": in_given[order],
        "in_suggested_label": ~in_given[order],
        "num_examples": examples[order],
        "issue_probability": examples[order] / max(n, 1),
    }
    return pd.DataFrame(table)


def _overlap_table(judged: _Judged) -> pd.DataFrame:
    n, k = judged.counted.cells.labels.shape
    wrongly, missing = (
        _indicator(judged.examples[chosen], judged.parts[chosen], (n, k))
        for chosen in (judged.spurious, ~judged.spurious)
    )
    confused = wrongly.T @ missing
    together = _given_together(judged.counted.cells.labels)
    pairs, counts = _in_pairs([confused + confused.T, together], k)
    a, b = pairs // k, pairs % k
    given = judged.counted.value_counts[:, 1].astype(np.float64)
    expected = given[a] * given[b] / max(n, 1)
    order = np.lexsort((b, a, -counts[1], -counts[0]))
    table = {
        "class_a": _named(judged, a[order]),
        "class_b": _named(judged, b[order]),
        "num_confused_examples": counts[0][order],
        "num_given_together": counts[1][order],
        "lift": (counts[1] / np.maximum(expected, 1e-9))[order],
    }
    return pd.DataFrame(table)


def _in_pairs(matrices: Sequence[Any], k: int) -> tuple[Ints, list[Ints]]:
    """Return the pairs, ``a * k + b`` with a < b, that a matrix counts, and all their counts."""
    upper = [sparse.coo_array(sparse.triu(each, 1)) for each in matrices]
    cells = [each.row.astype(np.int64) * k + each.col for each in upper]
    pairs = np.unique(np.concatenate(cells))
    counts = [np.zeros(len(pairs), dtype=np.int64) for _ in upper]
    for sums, each, at in zip(counts, upper, cells, strict=True):
        np.add.at(sums, np.searchsorted(pairs, at), each.data)
    kept = (np.stack(counts) > 0).any(axis=0)
    return pairs[kept], [each[kept] for each in counts]


def _given_together(labels: Annotations) -> Any:
    """Return how many examples are given each pair of classes, sparse (k, k)."""
    n, k = labels.shape
    total = sparse.csr_array((k, k), dtype=np.int64)
    for start in range(0, n, _BLOCK):
        block = labels.block(slice(start, min(start + _BLOCK, n))) > 0
        given = sparse.csr_array(block.astype(np.int64))
        total = total + given.T @ given
    return total


def _indicator(rows: Ints, columns: Ints, shape: tuple[int, int]) -> Any:
    ones = np.ones(len(rows), dtype=np.int64)
    return sparse.csr_array((ones, (rows, columns)), shape=shape)


def _named(judged: _Judged, codes: npt.NDArray[Any]) -> pd.Index[Any]:
    return pd.Index(judged.counted.cells.classes, tupleize_cols=False).take(codes)
