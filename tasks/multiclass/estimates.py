"""How many labels are wrong, and which class they are mistaken for."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError, warn
from goldlabel.inputs import check
from goldlabel.learning import calibration, confident, latent
from goldlabel.learning.confident import Guess
from goldlabel.learning.latent import PyMethod
from goldlabel.typing import Floats, Ints

__all__ = [
    "class_thresholds",
    "confident_joint",
    "estimate_joint",
    "estimate_noise",
    "num_label_issues",
]

CountMethod = Literal["off_diagonal", "off_diagonal_calibrated", "off_diagonal_custom"]


def class_thresholds(
    labels: Any, pred_probs: Any, *, classes: Sequence[Hashable] | None = None
) -> Floats:
    """Return the mean self-confidence of each class: from there on it counts as confident.

    Parameters
    ----------
    labels, pred_probs, classes
        As for `goldlabel.tasks.multiclass.find_label_issues`.

    Returns
    -------
    ndarray of shape (k,), float64
        In [2e-6, 1]; 2 for a class without examples, which no probability reaches.

    Examples
    --------
    >>> class_thresholds([0, 0, 1], [[0.9, 0.1], [0.7, 0.3], [0.4, 0.6]])
    array([0.8, 0.6])
    """
    rows = check.labeled_rows(labels, pred_probs, classes, mark_unknown=True)
    return confident.count(rows.labels, rows.pred_probs).thresholds


def confident_joint(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    thresholds: npt.ArrayLike | None = None,
    calibrate: bool = True,
    guess: Guess = "argmax",
) -> Ints:
    """Count examples by given class and by the class that the model is confident of.

    Parameters
    ----------
    labels, pred_probs, classes, thresholds, guess
        As for `goldlabel.tasks.multiclass.find_label_issues`.
    calibrate : bool
        Scale each row to the number of examples given as that class. If not, only confident
        examples are counted, and each diagonal entry is at least 1.

    Returns
    -------
    ndarray of shape (k, k), int64
        Row = given class, column = guessed true class.

    References
    ----------
    C. Northcutt, L. Jiang, I. Chuang. Confident Learning: Estimating Uncertainty in Dataset Labels.
    JAIR 70 (2021), equation 1.

    Examples
    --------
    >>> pred_probs = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9]]
    >>> confident_joint([0, 0, 0, 1, 1, 1], pred_probs)
    array([[2, 1],
           [0, 3]])
    """
    rows = check.labeled_rows(labels, pred_probs, classes, mark_unknown=True)
    counted = confident.count(rows.labels, rows.pred_probs, thresholds=thresholds, guess=guess)
    return counted.calibrated_joint if calibrate else counted.confident_joint


def _joint_and_counts(
    labels: Any,
    pred_probs: Any,
    classes: Sequence[Hashable] | None,
    given_joint: npt.ArrayLike | None,
) -> tuple[npt.ArrayLike, Ints]:
    """Return a confident joint (the caller's, or one counted) and the class counts."""
    rows = check.labeled_rows(labels, pred_probs, classes, mark_unknown=True)
    if given_joint is not None:
        k = rows.pred_probs.shape[1]
        counts = np.bincount(rows.labels[rows.labels >= 0], minlength=k)
        return confident.given_joint(given_joint, k), counts
    counted = confident.count(rows.labels, rows.pred_probs)
    return counted.calibrated_joint, counted.judged_counts


def estimate_joint(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    confident_joint: npt.ArrayLike | None = None,
) -> Floats:
    """Estimate the joint distribution of given and true labels.

    Parameters
    ----------
    labels, pred_probs, classes, confident_joint
        As for `goldlabel.tasks.multiclass.find_label_issues`.

    Returns
    -------
    ndarray of shape (k, k), float64
        ``[s, y] = P(given = s, true = y)``; sums to 1.

    Examples
    --------
    >>> pred_probs = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9]]
    >>> estimate_joint([0, 0, 0, 1, 1, 1], pred_probs).round(3)
    array([[0.333, 0.167],
           [0.   , 0.5  ]])
    """
    joint, counts = _joint_and_counts(labels, pred_probs, classes, confident_joint)
    return calibration.joint(joint, counts)


def estimate_noise(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    confident_joint: npt.ArrayLike | None = None,
    py_method: PyMethod = "cnt",
    converge: bool = True,
) -> tuple[Floats, Floats, Floats]:
    """Estimate the priors of the true classes and both noise matrices.

    Parameters
    ----------
    labels, pred_probs, classes, confident_joint
        As for `goldlabel.tasks.multiclass.find_label_issues`.
    py_method : {"cnt", "eqn", "marginal", "marginal_ps"}
        How the priors are estimated; see `goldlabel.learning.latent.estimate_latent`.
    converge : bool
        Make the three estimates agree with each other by a fixed point.

    Returns
    -------
    py : ndarray of shape (k,), float64
        Priors of the true classes.
    noise_matrix : ndarray of shape (k, k), float64
        ``[s, y] = P(given = s | true = y)``; columns sum to 1.
    inverse_noise_matrix : ndarray of shape (k, k), float64
        ``[y, s] = P(true = y | given = s)``; columns sum to 1.

    Examples
    --------
    >>> pred_probs = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9]]
    >>> py, noise_matrix, inverse = estimate_noise([0, 0, 0, 1, 1, 1], pred_probs)
    >>> noise_matrix.round(2)
    array([[1.  , 0.25],
           [0.  , 0.75]])
    """
    joint, counts = _joint_and_counts(labels, pred_probs, classes, confident_joint)
    return latent.estimate_latent(joint, counts, py_method=py_method, converge=converge)


def num_label_issues(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    confident_joint: npt.ArrayLike | None = None,
    method: CountMethod = "off_diagonal",
) -> int:
    """Estimate how many labels are wrong.

    Parameters
    ----------
    labels, pred_probs, classes
        As for `goldlabel.tasks.multiclass.find_label_issues`.
    confident_joint : array_like of shape (k, k), optional
        For "off_diagonal_custom".
    method : {"off_diagonal", "off_diagonal_calibrated", "off_diagonal_custom"}
        - "off_diagonal": examples counted off the diagonal of the confident joint whose label the
          model does not agree with; as many as ``filter_by="confident_learning"`` flags;
        - "off_diagonal_calibrated": the off-diagonal sum of the calibrated confident joint, which
          also allows for examples of which the model is not confident;
        - "off_diagonal_custom": the same of the given confident joint.

    Returns
    -------
    int

    Examples
    --------
    >>> pred_probs = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9]]
    >>> num_label_issues([0, 0, 0, 1, 1, 1], pred_probs)
    1
    """
    check.choice(method, get_args(CountMethod), name="method")
    if method == "off_diagonal_custom":
        if confident_joint is None:
            raise InputError(
                "confident_joint", "is missing", "Pass it, or use method='off_diagonal'"
            )
        joint, counts = _joint_and_counts(labels, pred_probs, classes, confident_joint)
        return calibration.count_label_errors(joint, counts)
    if confident_joint is not None:
        warn(f"confident_joint: not used by method={method!r}; use 'off_diagonal_custom' for it.")
    rows = check.labeled_rows(labels, pred_probs, classes, mark_unknown=True)
    counted = confident.count(rows.labels, rows.pred_probs)
    if method == "off_diagonal":
        return int(np.count_nonzero(counted.off_diagonal))
    return calibration.count_label_errors(counted.calibrated_joint)
