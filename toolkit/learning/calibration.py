"""The confident joint after counting: calibration, and what the joint distribution is.

Everything here is algebra on one small matrix of shape (k, k) and the class counts. In a
confident joint row s is the given class and column y the guessed true class. What the joint says
about noise rates and class priors is in `goldlabel.learning.latent`, how many labels it says to
prune in `goldlabel.learning.pruning`.

References
----------
Northcutt, Jiang, Chuang. "Confident Learning: Estimating Uncertainty in Dataset Labels".
JAIR 70 (2021), sections 3 and 4.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.typing import Floats, Ints

__all__ = ["Entries", "calibrate", "count_label_errors", "joint", "round_rows"]

Positions: TypeAlias = npt.NDArray[np.intp]

_MOST_BYTES = 8 << 30  # of a matrix of classes by classes


class Entries(NamedTuple):
    """Entries of a matrix of shape (k, k) that may not be zero, row by row; all others are.

    A joint of 1,000 classes has a million entries and some thousands that are not zero.
    """

    rows: Positions
    columns: Positions
    values: npt.NDArray[Any]


_GRID = 2.0**30  # values closer than half of 1 / _GRID are one value, whatever the rounding


def round_rows(values: npt.ArrayLike, *, totals: npt.ArrayLike | None = None) -> Ints:
    """Round each row to integers that keep the row's sum.

    Every entry is rounded half to even; what the sum of the row then lacks is added, one each, to
    the entries that lost most, and what it has too much is taken from those that gained most.
    Among equals the diagonal entry keeps the larger value, then the lowest column goes first, so
    the result depends neither on the machine nor on the last bit of the input.

    Parameters
    ----------
    values : array_like of shape (k, k)
        Finite numbers.
    totals : array_like of shape (k,), optional
        The integer that each row must sum to, within k of its real sum; by default the sum of
        the row, rounded half to even.

    Returns
    -------
    ndarray of shape (k, k), int64

    Raises
    ------
    InputError
        `values` is not a square matrix of finite numbers.

    Examples
    --------
    >>> round_rows([[1.4, 1.3, 1.3], [0.5, 0.5, 0.0], [1.5, 1.0, 1.5]])
    array([[2, 1, 1],
           [0, 1, 0],
           [1, 1, 2]])
    """
    matrix = square(values, "values", low=-np.inf)
    target = np.rint(matrix.sum(axis=1)) if totals is None else np.asarray(totals)
    rows, columns = np.indices(matrix.shape).reshape(2, -1)
    return round_entries(rows, columns, matrix.ravel(), target.astype(np.int64)).reshape(
        matrix.shape
    )


def round_entries(rows: Positions, columns: Positions, values: Floats, totals: Ints) -> Ints:
    """Round entries of a matrix as `round_rows` says; those that are not named are zero."""
    snapped = np.rint(values * _GRID) / _GRID
    rounded = np.rint(snapped).astype(np.int64)
    rest = snapped - rounded
    rest[rows == columns] += 0.5 / _GRID  # ahead of its equals, behind all others
    sums = np.zeros(len(totals), dtype=np.int64)
    np.add.at(sums, rows, rounded)
    lack = (totals - sums)[rows]
    at = np.flatnonzero(lack)
    lack = lack[at]
    order = np.lexsort((columns[at], np.where(lack > 0, -rest[at], rest[at]), rows[at]))
    at, lack = at[order], lack[order]
    first = np.searchsorted(rows[at], rows[at])
    chosen = np.arange(len(at)) - first < np.abs(lack)
    rounded[at[chosen]] += np.sign(lack[chosen])
    return rounded


def calibrate(confident_joint: npt.ArrayLike, class_counts: npt.ArrayLike) -> Ints:
    """Scale a confident joint so that row s sums to the number of labels given as class s.

    A class that nobody was given gets a row of zeros. A class that has labels but a row of zeros
    gets all of them on its diagonal: nothing was counted against it.

    Parameters
    ----------
    confident_joint : array_like of shape (k, k)
        Counts, or anything in proportion to them: finite, not negative.
    class_counts : array_like of shape (k,)
        Number of labels given as each class.

    Returns
    -------
    ndarray of shape (k, k), int64
        Sums to ``class_counts`` over rows. Calibrating it again changes nothing.

    Raises
    ------
    InputError
        The shapes do not fit, or an entry is negative or not finite.

    Examples
    --------
    >>> calibrate([[3, 1], [0, 2]], [8, 3])
    array([[6, 2],
           [0, 3]])
    """
    k, found = entries(confident_joint, "confident_joint")
    counts = per_class_counts(class_counts, "class_counts", k)
    return dense(calibrate_entries(found, counts), k)


def calibrate_entries(joint: Entries, counts: Ints) -> Entries:
    """Calibrate a joint as `calibrate` says; each row that had no entry gets one."""
    k = len(counts)
    rows, columns, values = joint
    empty = np.setdiff1d(np.arange(k), rows)
    if len(empty):
        rows, columns = np.append(rows, empty), np.append(columns, empty)
        values = np.append(values, np.ones(len(empty)))
        order = np.argsort(rows, kind="stable")
        rows, columns, values = rows[order], columns[order], values[order]
    scaled = values / np.bincount(rows, weights=values, minlength=k)[rows] * counts[rows]
    return Entries(rows, columns, round_entries(rows, columns, scaled, counts))


def dense(matrix: Entries, k: int) -> Ints:
    """Return all of a matrix of counts, (k, k).

    Raises
    ------
    InputError
        It would take more memory than a machine can be expected to have.
    """
    if 8 * k * k > _MOST_BYTES:
        raise InputError(
            "confident_joint",
            f"of {k:,} classes would take {8 * k * k / 2**30:,.0f} GiB",
            "Leave out what needs it: scores and filters do without",
        )
    full = np.zeros((k, k), dtype=np.int64)
    full[matrix.rows, matrix.columns] = matrix.values
    return full


def entries(matrix: npt.ArrayLike, name: str) -> tuple[int, Entries]:
    """Return k and the entries of a caller's matrix that are not zero, as float64."""
    array = matrix if isinstance(matrix, np.ndarray) else square(matrix, name)
    if array.dtype.kind not in "iufb" or array.ndim != 2 or array.shape[0] != array.shape[1]:
        array = square(array, name)
    # Several times faster than `nonzero` of the matrix.
    rows, columns = np.divmod(np.flatnonzero(array.ravel() != 0), max(len(array), 1))
    values = array[rows, columns].astype(np.float64)
    if not (np.isfinite(values).all() and values.min(initial=0.0) >= 0):
        square(matrix, name)  # says which entry does not fit
    return len(array), Entries(rows, columns, values)


def joint(confident_joint: npt.ArrayLike, class_counts: npt.ArrayLike | None = None) -> Floats:
    """Estimate the joint distribution of given and true labels.

    Parameters
    ----------
    confident_joint : array_like of shape (k, k)
        Counts, row = given class, column = guessed true class.
    class_counts : array_like of shape (k,), optional
        Number of labels given as each class. The confident joint is calibrated to them first; it
        is used as it stands when they are not known.

    Returns
    -------
    ndarray of shape (k, k), float64
        ``P(given, true)``; sums to 1, or is all zero where nothing was counted.

    Examples
    --------
    >>> joint([[3, 1], [0, 4]])
    array([[0.375, 0.125],
           [0.   , 0.5  ]])
    """
    if class_counts is not None:
        confident_joint = calibrate(confident_joint, class_counts)
    counts = square(confident_joint, "confident_joint")
    total = counts.sum()
    return counts / total if total > 0 else counts


def count_label_errors(
    confident_joint: npt.ArrayLike, class_counts: npt.ArrayLike | None = None
) -> int:
    """Count the labels that the joint says are wrong: its mass off the diagonal.

    Parameters
    ----------
    confident_joint : array_like of shape (k, k)
        Counts, row = given class, column = guessed true class.
    class_counts : array_like of shape (k,), optional
        Number of labels given as each class; the confident joint is calibrated to them first.

    Returns
    -------
    int
        Number of labels, rounded half to even.

    Examples
    --------
    >>> count_label_errors([[3, 1], [0, 2]], [8, 3])
    2
    """
    if class_counts is not None:
        confident_joint = calibrate(confident_joint, class_counts)
    counts = square(confident_joint, "confident_joint")
    return round(float(counts.sum() - np.trace(counts)))


def square(matrix: npt.ArrayLike, name: str, *, low: float = 0.0) -> Floats:
    """Copy a caller's (k, k) matrix to float64, or say what does not fit.

    Raises
    ------
    InputError
        Not a square matrix of finite numbers that are at least `low`.
    """
    try:
        copy = np.array(matrix, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise InputError(
            name, "is not a matrix of numbers", "Pass an array of shape (k, k)"
        ) from None
    if copy.ndim != 2 or copy.shape[0] != copy.shape[1]:
        raise InputError(
            name, f"has shape {copy.shape}, not (k, k)", "Pass a row and a column for every class"
        )
    if not (np.isfinite(copy.sum()) and copy.min(initial=np.inf) >= low):
        fits = np.isfinite(copy) & (copy >= low)
        if not fits.all():
            row, column = np.argwhere(~fits)[0]
            expected = "a finite number" if low == -np.inf else f"finite and at least {low:g}"
            raise InputError(
                f"{name}[{row}, {column}]",
                f"is {copy[row, column]}, not {expected} ({(~fits).sum()} such entries)",
                "Correct these entries",
            )
    return copy


def per_class_counts(values: npt.ArrayLike, name: str, k: int) -> Ints:
    """Return one whole number, not negative, per class; a single one stands for all.

    Raises
    ------
    InputError
        Another length than `k`, or an entry that is not a count.
    """
    try:
        given = np.asarray(values, dtype=np.float64)
        if given.shape not in ((), (k,)):
            raise TypeError
        counts = np.broadcast_to(given, (k,))
    except (TypeError, ValueError):
        raise InputError(
            name,
            f"does not fit {k} classes: shape {np.shape(values)}",
            f"Pass {k} whole numbers, one per class",
        ) from None
    bad = np.flatnonzero(~(np.isfinite(counts) & (counts >= 0) & (counts == np.rint(counts))))
    if bad.size:
        raise InputError(
            f"{name}[{bad[0]}]" if given.ndim else name,
            f"is {counts[bad[0]]:g}, not a whole number from 0 up",
            "Pass a count for every class",
        )
    return np.minimum(counts, 2.0**53).astype(np.int64)
