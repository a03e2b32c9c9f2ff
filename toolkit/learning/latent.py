"""What a confident joint says about noise: noise matrices, class priors, and how they convert.

======================  ==========================================================================
``noise_matrix``        ``[s, y] = P(given = s | true = y)``; each column sums to 1
``inverse``             ``[y, s] = P(true = y | given = s)``; each column sums to 1
``ps``, ``py``          priors of the given and of the true classes; shape (k,), sum to 1
======================  ==========================================================================

A class without examples has columns of zeros and a prior of almost 0; every result has the full
length k.

References
----------
Northcutt, Wu, Chuang. "Learning with Confident Examples: Rank Pruning for Robust Classification
with Noisy Labels". UAI 2017. Northcutt, Jiang, Chuang. "Confident Learning: Estimating
Uncertainty in Dataset Labels". JAIR 70 (2021), section 3.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from goldlabel.errors import InputError, warn
from goldlabel.inputs import check
from goldlabel.learning.calibration import per_class_counts, square
from goldlabel.typing import Floats

__all__ = [
    "PyMethod",
    "estimate_latent",
    "f1_positive_unlabeled",
    "inverse_from_noise",
    "latent_from_noise",
    "noise_from_inverse",
    "remove_noise_from_class",
    "true_class_probs",
]

PyMethod: TypeAlias = Literal["cnt", "eqn", "marginal", "marginal_ps"]

TINY = 1e-100  # floor of divisors
FLOOR = 1e-6  # floor of priors
CONVERGED_FLOOR = 1e-5  # ... where they come from a fixed point
MOST_NOISE = 0.9999  # ceiling of a noise rate
SINGULAR = 1e-12  # reciprocal condition number from which a matrix is not inverted


def estimate_latent(
    confident_joint: npt.ArrayLike,
    class_counts: npt.ArrayLike,
    *,
    py_method: PyMethod = "cnt",
    converge: bool = False,
) -> tuple[Floats, Floats, Floats]:
    """Estimate the priors of the true classes and both noise matrices.

    Parameters
    ----------
    confident_joint : array_like of shape (k, k)
        Counts, row = given class, column = guessed true class; used as they stand, calibrated
        or not.
    class_counts : array_like of shape (k,)
        Number of labels given as each class.
    py_method : {"cnt", "eqn", "marginal", "marginal_ps"}
        How the priors follow: "cnt" scales the given priors by the ratio of the two diagonals,
        "eqn" solves ``noise_matrix @ py = ps``, "marginal" takes the joint's column sums,
        "marginal_ps" is ``inverse @ ps``.
    converge : bool
        Iterate until priors and matrices agree with each other.

    Returns
    -------
    py : ndarray of shape (k,), float64
    noise_matrix : ndarray of shape (k, k), float64
    inverse : ndarray of shape (k, k), float64

    Raises
    ------
    InputError
        Shapes do not fit, or an entry is negative or not finite.

    Warns
    -----
    DataWarning
        "eqn" met a singular noise matrix and solved it by least squares.

    Examples
    --------
    >>> py, noise_matrix, inverse = estimate_latent([[3, 1], [1, 4]], [4, 5])
    >>> noise_matrix
    array([[0.75, 0.2 ],
           [0.25, 0.8 ]])
    >>> py.round(4)
    array([0.4444, 0.5556])
    """
    counts = square(confident_joint, "confident_joint")
    ps = _shares(per_class_counts(class_counts, "class_counts", len(counts)))
    check.choice(py_method, get_args(PyMethod), name="py_method")
    given, true = counts.sum(axis=1), counts.sum(axis=0)
    noise_matrix = counts / np.maximum(true, TINY)
    inverse = np.ascontiguousarray(counts.T) / np.maximum(given, TINY)
    if py_method == "cnt":
        py = _prior_by_counts(ps, noise_matrix, inverse)
    elif py_method == "eqn":
        py = _clip_probs(_solve(noise_matrix, ps), FLOOR)
    elif py_method == "marginal":
        py = _clip_probs(_shares(true), FLOOR)
    else:
        py = _clip_probs(inverse @ ps, FLOOR)
    noise_matrix, inverse = _clip_noise(noise_matrix), _clip_noise(inverse)
    return _converge(ps, py, noise_matrix, inverse) if converge else (py, noise_matrix, inverse)


def inverse_from_noise(
    py: npt.ArrayLike, noise_matrix: npt.ArrayLike, *, ps: npt.ArrayLike | None = None
) -> Floats:
    """Return ``P(true | given)``, shape (k, k), from ``P(given | true)`` and the priors (k,).

    `ps` follows from the other two where it is not given.

    Examples
    --------
    >>> inverse_from_noise([0.5, 0.5], [[0.75, 0.25], [0.25, 0.75]])
    array([[0.75, 0.25],
           [0.25, 0.75]])
    """
    noise = _columns(noise_matrix, "noise_matrix")
    priors = None if ps is None else _priors(ps, "ps", len(noise))
    return _invert(noise, _priors(py, "py", len(noise)), priors)


def noise_from_inverse(
    ps: npt.ArrayLike, inverse: npt.ArrayLike, *, py: npt.ArrayLike | None = None
) -> Floats:
    """Return ``P(given | true)``, shape (k, k), from ``P(true | given)`` and the priors (k,).

    `py` follows from the other two where it is not given.

    Examples
    --------
    >>> noise_from_inverse([0.5, 0.5], [[0.75, 0.25], [0.25, 0.75]])
    array([[0.75, 0.25],
           [0.25, 0.75]])
    """
    matrix = _columns(inverse, "inverse")
    priors = None if py is None else _priors(py, "py", len(matrix))
    return _invert(matrix, _priors(ps, "ps", len(matrix)), priors)


def latent_from_noise(ps: npt.ArrayLike, noise_matrix: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return ``py``, shape (k,), and ``P(true | given)``, shape (k, k), from ``P(given | true)``.

    Warns
    -----
    DataWarning
        The noise matrix is singular; `py` is the least-squares solution.

    Examples
    --------
    >>> py, inverse = latent_from_noise([0.5, 0.5], [[0.75, 0.25], [0.25, 0.75]])
    >>> py
    array([0.5, 0.5])
    """
    noise = _columns(noise_matrix, "noise_matrix")
    given = _priors(ps, "ps", len(noise))
    py = _clip_probs(_solve(noise, given), FLOOR)
    return py, _invert(noise, py, given)


def true_class_probs(
    pred_probs: npt.ArrayLike, noise_matrix: npt.ArrayLike, inverse: npt.ArrayLike
) -> Floats:
    """Correct probabilities of the *given* class, from a model fitted to noisy labels.

    Parameters
    ----------
    pred_probs : array_like of shape (n, k)
        ``P(given = j | x)``, finite.
    noise_matrix, inverse : array_like of shape (k, k)
        See the head of this module.

    Returns
    -------
    ndarray of shape (n, k), float64
        ``P(true = j | x)``; each row sums to 1. A row whose mass lies only on classes that
        cannot be true stays as it was.

    Examples
    --------
    >>> true_class_probs([[0.5, 0.5]], [[0.5, 0.0], [0.5, 1.0]], [[1.0, 0.25], [0.0, 0.75]])
    array([[0.72727273, 0.27272727]])
    """
    noise, back = _columns(noise_matrix, "noise_matrix"), _columns(inverse, "inverse")
    given, _ = check.pred_probs_array(pred_probs)
    if given.shape[1] != len(noise) or len(back) != len(noise):
        raise InputError(
            "pred_probs",
            f"has shape {given.shape}, but the matrices have shapes {noise.shape}, {back.shape}",
            "Pass a column, and a row and column of both matrices, for every class",
        )
    probs: Floats = np.multiply(
        given, np.diag(back) / np.maximum(np.diag(noise), TINY), dtype=np.float64
    )
    np.clip(probs, 0.0, 1.0, out=probs)
    sums = probs.sum(axis=1, keepdims=True)
    if not np.isfinite(sums).all():
        row = int(np.flatnonzero(~np.isfinite(sums))[0])
        raise InputError(
            f"pred_probs[{row}]", "holds a value that is not finite", "Remove NaN and inf"
        )
    np.divide(probs, sums, out=probs, where=sums > 0)
    lost = np.flatnonzero(sums == 0)
    probs[lost] = given[lost]
    return probs


def remove_noise_from_class(noise_matrix: npt.ArrayLike, class_index: int) -> Floats:
    """Return a noise matrix, shape (k, k), in which nothing is wrongly labeled as one class.

    What the row of `class_index` loses off its diagonal goes to the diagonals of its columns.
    In positive-unlabeled learning a positive label is never wrong.

    Examples
    --------
    >>> remove_noise_from_class([[0.75, 0.25], [0.25, 0.75]], 0)
    array([[0.75, 0.  ],
           [0.25, 1.  ]])
    """
    noise = _columns(noise_matrix, "noise_matrix")
    if not 0 <= class_index < len(noise):
        raise InputError(
            "class_index", f"is {class_index}", f"Name one of the classes 0 .. {len(noise) - 1}"
        )
    kept = noise[class_index, class_index]
    noise[class_index] = 0.0
    noise[class_index, class_index] = kept
    diagonal = np.diag_indices_from(noise)
    noise[diagonal] += 1.0 - noise.sum(axis=0)
    return noise


def f1_positive_unlabeled(labels: npt.ArrayLike, predictions: npt.ArrayLike) -> float:
    """Score predictions where some examples are known positives and the rest are unlabeled.

    Parameters
    ----------
    labels, predictions : array_like of shape (n,)
        1 (or True) = labeled positive, predicted positive; 0 = anything else.

    Returns
    -------
    float
        ``recall ** 2 / (2 * share predicted positive)``: in proportion to the F1 score that
        could be computed if all labels were known; not bounded by 1. NaN, as there is no such
        value, where nothing is predicted positive or nothing is labeled.

    References
    ----------
    Lee, Liu. "Learning with Positive and Unlabeled Examples Using Weighted Logistic Regression".
    ICML 2003.

    Examples
    --------
    >>> f1_positive_unlabeled([1, 1, 0, 0], [1, 0, 1, 0])
    0.25
    """
    known, found = np.asarray(labels) == 1, np.asarray(predictions) == 1
    if known.ndim != 1 or known.shape != found.shape:
        raise InputError(
            "predictions",
            f"has shape {found.shape}, but labels has shape {known.shape}",
            "Pass one prediction per label",
        )
    if not (known.any() and found.any()):
        return float("nan")
    recall = float(found[known].mean())
    return recall**2 / (2.0 * float(found.mean()))


def _converge(
    ps: Floats, py: Floats, noise_matrix: Floats, inverse: Floats
) -> tuple[Floats, Floats, Floats]:
    for _ in range(3):
        for _ in range(5):
            inverse = _invert(noise_matrix, py, ps)
            py = _prior_by_counts(ps, noise_matrix, inverse)
        noise_matrix = _invert(inverse, ps, py)
    return _clip_probs(py, CONVERGED_FLOOR), _clip_noise(noise_matrix), _clip_noise(inverse)


def _invert(conditional: Floats, prior: Floats, other: Floats | None) -> Floats:
    """Bayes' rule: ``P(b | a)``, columns a, from ``P(a | b)``, columns b, and both priors."""
    pairs = np.ascontiguousarray((conditional * prior).T)
    pairs /= np.maximum(pairs.sum(axis=0) if other is None else other, TINY)
    return _clip_noise(pairs)


def _prior_by_counts(ps: Floats, noise_matrix: Floats, inverse: Floats) -> Floats:
    return _clip_probs(np.diag(inverse) / np.maximum(np.diag(noise_matrix), TINY) * ps, FLOOR)


def _clip_probs(values: Floats, low: float) -> Floats:
    clipped = np.clip(values, low, 1.0)
    return np.asarray(clipped / clipped.sum(), dtype=np.float64) if clipped.size else clipped


def _clip_noise(matrix: Floats) -> Floats:
    diagonal = np.diag(matrix).copy()
    clipped = np.clip(matrix, 0.0, MOST_NOISE)
    np.fill_diagonal(clipped, diagonal)
    clipped /= np.maximum(clipped.sum(axis=0), TINY)
    return clipped


def _shares(counts: npt.NDArray[np.generic]) -> Floats:
    shares = np.asarray(counts, dtype=np.float64)
    return shares / max(float(shares.sum()), TINY)


def _solve(noise_matrix: Floats, ps: Floats) -> Floats:
    """Solve ``noise_matrix @ py = ps``; least squares, with a warning, where it is singular.

    Classes without examples are rows and columns of zeros: they are left out, and get 0.
    """
    py = np.zeros(len(ps))
    columns = np.flatnonzero(noise_matrix.any(axis=0))
    rows = np.flatnonzero(noise_matrix.any(axis=1))
    if not columns.size:
        return py
    matrix = noise_matrix[np.ix_(rows, columns)]
    if rows.size == columns.size:
        factors, pivots, failed = lapack.dgetrf(matrix)
        if not failed and lapack.dgecon(factors, np.abs(matrix).sum(axis=0).max())[0] > SINGULAR:
            py[columns] = lapack.dgetrs(factors, pivots, ps[rows])[0]
            return py
    warn(
        "noise_matrix: is singular, so the priors of the true classes do not follow from it. "
        "They are the least-squares solution; use py_method='cnt' for an estimate without it."
    )
    py[columns] = np.linalg.lstsq(matrix, ps[rows], rcond=SINGULAR)[0]
    return py


def _priors(values: npt.ArrayLike, name: str, k: int) -> Floats:
    priors = check.vector(values, name=name, length=k)
    bad = np.flatnonzero(~((priors >= 0) & (priors <= 1)))
    if bad.size:
        raise InputError(
            f"{name}[{bad[0]}]",
            f"is {priors[bad[0]]}, not 0 .. 1 ({bad.size} such entries)",
            "Pass the share of each class",
        )
    return priors


def _columns(matrix: npt.ArrayLike, name: str) -> Floats:
    """Copy a matrix whose columns are distributions; a class without examples has zeros."""
    copy = square(matrix, name)
    sums = copy.sum(axis=0)
    wrong = np.flatnonzero((np.abs(sums - 1.0) > 1e-3) & (sums != 0.0))
    if wrong.size:
        raise InputError(
            f"{name}[:, {wrong[0]}]",
            f"sums to {sums[wrong[0]]:g}, not 1 ({wrong.size} such columns)",
            "Pass a matrix whose columns are distributions; was it transposed?",
        )
    return copy
