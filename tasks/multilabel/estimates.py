"""The confident joint of each class, and what follows from it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.tasks.multilabel.counting import confident_thresholds, count
from goldlabel.tasks.multilabel.inputs import labeled_cells
from goldlabel.typing import Floats

__all__ = ["class_priors", "class_thresholds", "confident_joint", "num_label_issues"]


def class_thresholds(
    labels: Any, pred_probs: Any, *, classes: Sequence[Hashable] | None = None
) -> Floats:
    """Return the mean probability of being without, and of having each class.

    Parameters
    ----------
    labels, pred_probs, classes
        As for `find_label_issues`.

    Returns
    -------
    ndarray of shape (k, 2), float64
        Over the examples given so; 2 where there are none.

    Raises
    ------
    InputError
        Something does not fit.

    Examples
    --------
    >>> class_thresholds([[0], [1]], [[0.75, 0.5], [0.5, 1.0]])
    array([[0.5 , 0.75],
           [0.5 , 1.  ]])
    """
    return confident_thresholds(labeled_cells(labels, pred_probs, classes))[1]


def confident_joint(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    thresholds: npt.ArrayLike | None = None,
    calibrate: bool = True,
) -> npt.NDArray[np.int64]:
    """Count, for each class, annotations by what was given and what the model is sure of.

    Parameters
    ----------
    labels, pred_probs, classes, thresholds
        As for `find_label_issues`.
    calibrate : bool
        Scale each row to the number of examples given so.

    Returns
    -------
    ndarray of shape (k, 2, 2), int64
        ``[c, given, true]``, 0 = absent, 1 = present.

    Raises
    ------
    InputError
        Something does not fit.

    Examples
    --------
    >>> pred_probs = [[0.9], [0.8], [0.1], [0.2], [0.1]]
    >>> confident_joint([[0], [0], [0], [], []], pred_probs)
    array([[[2, 0],
            [1, 2]]])
    """
    counted = count(labeled_cells(labels, pred_probs, classes), thresholds=thresholds)
    return counted.calibrated_joint if calibrate else counted.confident_joint


def num_label_issues(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    thresholds: npt.ArrayLike | None = None,
) -> int:
    """Estimate how many examples have a wrong annotation.

    Parameters
    ----------
    labels, pred_probs, classes, thresholds
        As for `find_label_issues`.

    Returns
    -------
    int
        Examples with an annotation that "confident_learning" chooses.

    Raises
    ------
    InputError
        Something does not fit.

    Examples
    --------
    >>> num_label_issues([[0], [0], [0], [], []], [[0.9], [0.8], [0.1], [0.2], [0.1]])
    1
    """
    cells = labeled_cells(labels, pred_probs, classes)
    found = count(cells, thresholds=thresholds).off_diagonal()
    return int(np.unique(found // cells.pred_probs.shape[1]).shape[0])


def class_priors(
    labels: Any, pred_probs: Any, *, classes: Sequence[Hashable] | None = None
) -> Floats:
    """Return the share of the examples without, and with each class, as given.

    Parameters
    ----------
    labels, pred_probs, classes
        As for `find_label_issues`.

    Returns
    -------
    ndarray of shape (k, 2), float64
        Of the examples where it is known; 0 and 0 where it is known of none.

    Raises
    ------
    InputError
        Something does not fit.

    Examples
    --------
    >>> class_priors([[0], [1], [1], [1]], [[0.5, 0.5]] * 4)
    array([[0.75, 0.25],
           [0.25, 0.75]])
    """
    counts, _ = confident_thresholds(labeled_cells(labels, pred_probs, classes))
    shares: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares
