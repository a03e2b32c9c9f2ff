"""How sure each annotation is, and how an example's annotations become one score."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.kernels import pooling
from goldlabel.kernels import scores as shared
from goldlabel.kernels.rows import each_block
from goldlabel.learning.confident import Method
from goldlabel.tasks.multilabel import kernels
from goldlabel.tasks.multilabel.counting import (
    confident_thresholds,
    given_thresholds,
    small_blocks,
)
from goldlabel.tasks.multilabel.inputs import Cells, labeled_cells
from goldlabel.typing import Floats

__all__ = [
    "Aggregator",
    "CellScore",
    "Pool",
    "aggregated",
    "cell_scores",
    "get_label_quality_scores",
    "get_label_quality_scores_per_class",
    "pool_of",
]

Cube = npt.NDArray[np.int8]
CellScore = Callable[[Cube, npt.NDArray[Any]], Floats]

Name = Literal["exponential_moving_average", "softmin", "minimum", "mean"]
Aggregator = Name | Callable[..., Any]
"""How the scores of an example's classes become one: a name, or a function as NumPy's median."""


@dataclass(frozen=True)
class Pool:
    """One of the named aggregators, with its parameter."""

    name: str
    alpha: float
    temperature: float

    def __call__(self, scores: Floats, labels: Cube) -> Floats:
        """Return one score for each row of a block, of the cells that have an annotation."""
        rows, k = scores.shape
        if labels.size and labels.min() < 0:
            known = labels >= 0
            offsets = np.concatenate([[0], np.cumsum(known.sum(axis=1))])
            flat = scores[known]
        else:
            offsets, flat = np.arange(rows + 1) * k, scores.ravel()
        if self.name == "exponential_moving_average":
            pooled = pooling.moving_average(flat, offsets, self.alpha)
        elif self.name == "softmin":
            pooled = pooling.softmin(flat, offsets, self.temperature)
        else:
            pooled = (pooling.minimum if self.name == "minimum" else pooling.mean)(flat, offsets)
        return np.clip(pooled, 0.0, 1.0)


def pool_of(aggregator: Aggregator, alpha: float | None, temperature: float, k: int) -> Pool | None:
    """Check how scores are pooled; None where the aggregator is the caller's function."""
    weight = 2.0 / (k + 1.0) if alpha is None else alpha
    weight = check.number(weight, name="alpha", low=0.0, high=1.0)
    warmth = check.number(temperature, name="temperature", low=0.0)
    if not isinstance(aggregator, str):
        if callable(aggregator):
            return None
        raise InputError(
            "aggregator",
            f"is {aggregator!r}",
            f"Use one of {', '.join(map(repr, get_args(Name)))}, or a function as numpy.median",
        )
    check.choice(aggregator, get_args(Name), name="aggregator")
    return Pool(aggregator, weight, warmth)


def get_label_quality_scores(
    labels: Any,
    pred_probs: Any,
    *,
    method: Method = "self_confidence",
    aggregator: Aggregator = "exponential_moving_average",
    alpha: float | None = 0.8,
    temperature: float = 0.1,
    adjust_pred_probs: bool = False,
    thresholds: npt.ArrayLike | None = None,
    classes: Sequence[Hashable] | None = None,
) -> npt.NDArray[np.float64]:
    """Score how likely the labels of each example are right, all of them.

    Parameters
    ----------
    labels, pred_probs, classes
        As for `find_label_issues`.
    method : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}
        The score of an annotation. "self_confidence" is the probability that the model gives it:
        ``p`` of a given class, ``1 - p`` of one that is not given; "normalized_margin" is the
        same number, as there are two values; "confidence_weighted_entropy" is ``log1p(x) / x``
        with x = the entropy in bits over the self-confidence.
    aggregator : str or callable
        How an example's scores become one: "exponential_moving_average" over them in descending
        order, so that the lowest count most; "softmin"; "minimum"; "mean"; or a function that is
        called with a matrix (n, k) and ``axis=1``, as `numpy.median`, in which annotations that
        are not known are NaN.
    alpha : float or None
        Weight of the lowest score in the moving average, in [0, 1]; None: ``2 / (k + 1)``.
    temperature : float
        Of the softmin: 0 gives the minimum, large ones the mean.
    adjust_pred_probs : bool
        Subtract the threshold of each value from its probability first, so that classes the model
        finds hard are not blamed for it. Not for "confidence_weighted_entropy".
    thresholds : array_like of shape (k, 2) or (k,), optional
        For `adjust_pred_probs`, in place of the means.

    Returns
    -------
    ndarray of shape (n,), float64
        Label quality in [0, 1]; lower is worse. 1 where no annotation is known.

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    References
    ----------
    A. Thyagarajan, E. Snorrason, C. Northcutt, J. Mueller. Identifying Incorrect Annotations in
    Multi-Label Classification Data. arXiv:2211.13895 (2022).

    Examples
    --------
    >>> pred_probs = [[0.1, 0.9, 0.1], [0.4, 0.1, 0.9]]
    >>> get_label_quality_scores([[1], [0, 2]], pred_probs)
    array([0.9, 0.5])
    >>> get_label_quality_scores([[1], [0, 2]], pred_probs, aggregator="mean").round(3)
    array([0.9  , 0.733])
    """
    cells = labeled_cells(labels, pred_probs, classes)
    n, k = cells.pred_probs.shape
    pool = pool_of(aggregator, alpha, temperature, k)
    score = cell_scores(cells, method, adjust=adjust_pred_probs, thresholds=thresholds)
    if pool is None:
        return _called(aggregator, cells, _matrix(cells, score))
    out = np.empty(n)

    def work(worker: int, block: int, rows: slice) -> None:
        given = cells.labels.block(rows)
        out[rows] = pool(score(given, cells.pred_probs[rows]), given)

    each_block(work, n, small_blocks(k))
    return out


def get_label_quality_scores_per_class(
    labels: Any,
    pred_probs: Any,
    *,
    method: Method = "self_confidence",
    adjust_pred_probs: bool = False,
    thresholds: npt.ArrayLike | None = None,
    classes: Sequence[Hashable] | None = None,
) -> npt.NDArray[np.float64]:
    """Score how likely each annotation is right: whether each example has each class.

    Parameters
    ----------
    labels, pred_probs, method, adjust_pred_probs, thresholds, classes
        As for `get_label_quality_scores`.

    Returns
    -------
    ndarray of shape (n, k), float64
        Label quality in [0, 1]; lower is worse. 1 where an annotation is not known.

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    Examples
    --------
    >>> get_label_quality_scores_per_class([[1], [0]], [[0.1, 0.9], [0.4, 0.1]])
    array([[0.9, 0.9],
           [0.4, 0.9]])
    """
    cells = labeled_cells(labels, pred_probs, classes)
    score = cell_scores(cells, method, adjust=adjust_pred_probs, thresholds=thresholds)
    return _matrix(cells, score)


def cell_scores(
    cells: Cells,
    method: Method,
    *,
    adjust: bool = False,
    thresholds: npt.ArrayLike | None = None,
    checked: bool = False,
) -> CellScore:
    """Return what scores a block: called with labels and probabilities, gives a matrix like them.

    `checked`: whether it is known that probabilities are in range.
    """
    check.choice(method, get_args(Method), name="method")
    if thresholds is not None and not adjust:
        raise InputError(
            "thresholds",
            "are only for adjusted pred_probs",
            "Leave them out, or pass adjust_pred_probs=True",
        )
    if adjust and method == "confidence_weighted_entropy":
        raise InputError(
            "adjust_pred_probs",
            "is not defined for confidence_weighted_entropy",
            "Use self_confidence or normalized_margin",
        )
    if adjust:
        return _adjusted(_cutoffs(cells, thresholds))
    if not checked:
        confident_thresholds(cells)
    return _entropy if method == "confidence_weighted_entropy" else _self_confidence


def _cutoffs(cells: Cells, thresholds: npt.ArrayLike | None) -> Floats:
    counts, means = confident_thresholds(cells)
    if thresholds is not None:
        return given_thresholds(thresholds, means)
    # A value that nobody has must not shift the other: it takes the other's threshold.
    for value in (0, 1):
        nobody = counts[:, value] == 0
        means[nobody, value] = means[nobody, 1 - value]
    return means


def _self_confidence(labels: Cube, probs: npt.NDArray[Any]) -> Floats:
    out = np.empty(probs.shape)
    one = np.ones(1, dtype=probs.dtype)
    one.flags.writeable = False
    kernels.self_confidence(labels, probs, one, out)
    return out


def _entropy(labels: Cube, probs: npt.NDArray[Any]) -> Floats:
    flat = labels.ravel().astype(np.int64)
    return shared.confidence_weighted_entropy(flat, _pairs(probs)).reshape(probs.shape)


def _adjusted(cutoffs: Floats) -> CellScore:
    def score(labels: Cube, probs: npt.NDArray[Any]) -> Floats:
        flat = labels.ravel().astype(np.int64)
        of_cell = np.tile(cutoffs, (len(probs), 1))
        found = shared.adjusted_scores(flat, _pairs(probs), of_cell, margin=False)
        return found.reshape(probs.shape)

    return score


def _pairs(probs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the two probabilities of each cell: of being without the class, and of having it."""
    pairs = np.empty((probs.size, 2), dtype=probs.dtype)
    pairs[:, 1] = probs.ravel()
    np.subtract(probs.dtype.type(1), pairs[:, 1], out=pairs[:, 0])
    return pairs


def _matrix(cells: Cells, score: CellScore) -> Floats:
    n, k = cells.pred_probs.shape
    out = np.empty((n, k))

    def work(worker: int, block: int, rows: slice) -> None:
        out[rows] = score(cells.labels.block(rows), cells.pred_probs[rows])

    each_block(work, n, small_blocks(k))
    return out


def aggregated(cells: Cells, method: Method, aggregator: Aggregator) -> Floats:
    """Score the examples of cells that have been checked with a caller's function."""
    return _called(aggregator, cells, _matrix(cells, cell_scores(cells, method, checked=True)))


def _called(function: Aggregator, cells: Cells, scores: Floats) -> Floats:
    """Let a caller's function pool the scores, and check what it made of them."""
    assert callable(function)
    unknown = cells.labels.dense() < 0 if cells.labels.has_unknown else np.zeros((0, 0))
    nothing = np.flatnonzero(unknown.all(axis=1)) if unknown.size else np.empty(0, dtype=np.intp)
    if unknown.size:
        scores[unknown] = np.nan
        scores[nothing] = 1.0
    name = getattr(function, "__name__", "aggregator")
    pooled = np.array(function(scores, axis=1), dtype=np.float64)
    if pooled.shape != (len(scores),):
        raise InputError(
            "aggregator", f"{name} gave shape {pooled.shape}, not {(len(scores),)}",
            "Return a number for each row",
        )  # fmt: skip
    pooled[nothing] = 1.0
    bad = np.flatnonzero(~((pooled >= -1e-9) & (pooled <= 1 + 1e-9)))
    if bad.size:
        raise InputError(
            "aggregator",
            f"{name} gave {pooled[bad[0]]:g} for row {bad[0]}, not in [0, 1] ({bad.size} such)",
            "Use one that pools scores; where annotations are not known, one as numpy.nanmedian",
        )
    return np.clip(pooled, 0.0, 1.0)
