"""How likely each value is right, from the value and a prediction of it."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from goldlabel.inputs import check
from goldlabel.tasks.regression.grid import (
    RESIDUAL_WEIGHT,
    OutreGrid,
    distance_to_score,
    half,
    path_through,
    standardized,
)
from goldlabel.tasks.regression.kernels import half_distances
from goldlabel.tasks.regression.values import labels_and_predictions
from goldlabel.typing import Floats

__all__ = ["Method", "get_label_quality_scores", "quality"]

Method = Literal["outre", "residual", "residual_scaled"]

EXACT = 50_000
"""Up to so many examples OUTRE is exact unless asked otherwise: a second's work."""
_SAMPLE = 10_000


def get_label_quality_scores(
    labels: Any, predictions: Any, *, method: Method = "outre", exact: bool | None = None
) -> Floats:
    """Score how likely each given value is right.

    Parameters
    ----------
    labels : array_like of shape (n,)
        Given values; finite numbers.
    predictions : array_like of shape (n,)
        What a model predicts for each example *without having seen it in training*.
    method : {"outre", "residual", "residual_scaled"}
        - "outre": how near the example lies to the nearer half of all examples, by its label and,
          five times as strictly, by its residual (both standardised). Depends on neither unit nor
          offset.
        - "residual": ``exp(-|prediction - label|)``. Depends on the unit of the labels.
        - "residual_scaled": ``exp(-|residual| / median |residual|)``. Depends on no unit.
    exact : bool, optional
        For "outre": compare each example with every other, or with at most 4,096 cells of them.
        Exact up to 50,000 examples if not given.

    Returns
    -------
    ndarray of shape (n,), float64
        Label quality in [0, 1]; lower is worse. The three methods have different scales.

    Raises
    ------
    InputError
        A shape or value that does not fit; the message says which entry.

    Notes
    -----
    Exact OUTRE takes O(n^2) time and O(n) memory, that of cells O(n) and O(1); see
    `goldlabel.tasks.regression.OutreGrid`.

    References
    ----------
    H. Zhou, J. Mueller, M. Kumar, J.-L. Wang, J. Lei. Detecting Errors in a Numerical Response via
    any Regression Model. arXiv:2305.16583 (2023).

    Examples
    --------
    >>> get_label_quality_scores([1, 2, 3, 4], [2, 2, 5, 4.1]).round(3)
    array([0.216, 0.626, 0.203, 0.626])
    """
    check.choice(method, get_args(Method), name="method")
    y, predicted = labels_and_predictions(labels, predictions)
    return quality(y, predicted, method, exact=exact)


def quality(
    labels: Floats, predictions: Floats, method: Method, *, exact: bool | None = None
) -> Floats:
    """Score checked arrays; see `get_label_quality_scores`."""
    residuals = predictions - labels
    if method == "outre":
        return _outre(labels, residuals, len(labels) <= EXACT if exact is None else exact)
    sizes = np.abs(residuals)
    if method == "residual_scaled":
        with np.errstate(over="ignore"):  # beyond all bounds is score 0
            sizes = sizes / max(float(np.median(sizes)), np.finfo(np.float64).tiny)
    scores: Floats = np.exp(-sizes)
    return scores


def _outre(labels: Floats, residuals: Floats, exact: bool) -> Floats:
    n = len(labels)
    if not exact:
        step = max(1, n // _SAMPLE)
        predictions = labels + residuals
        grid = OutreGrid.plan(labels[::step], predictions[::step]).add(labels, predictions)
        return grid.scores(labels, predictions)
    x = standardized(labels, labels.mean(), labels.std())
    y = standardized(residuals, residuals.mean(), residuals.std(), RESIDUAL_WEIGHT)
    order = path_through(x, y)
    # Targets in that order too: what is near comes at once, and the loops run straight.
    targets = (x[order], y[order], np.ones(n))
    distances = half_distances((x, y), targets, float(half(n)), order)
    return distance_to_score(distances, float(np.median(distances)))
