"""The confident joint after counting: calibration, the joint, and how many labels to prune.

Everything here is algebra on one small matrix of shape (k, k) and the class counts. In a
confident joint row s is the given class and column y the guessed true class. What the joint says
about noise rates and class priors is in `goldlabel.latent`.

References
----------
Northcutt, Jiang, Chuang. "Confident Learning: Estimating Uncertainty in Dataset Labels".
JAIR 70 (2021), sections 3 and 4.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from goldlabel import check
from goldlabel.errors import InputError

__all__ = ["calibrate", "count_label_errors", "joint", "prune_counts", "round_rows"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

_GRID = 2.0**30  # values closer than half of 1 / _GRID are one value, whatever the rounding


def round_rows(values: npt.ArrayLike, *, totals: npt.ArrayLike | None = None) -> Ints:
    """Round each row to integers that keep the row's sum.

    Every entry is rounded half to even; what the sum of the row then lacks is added, one each, to
    the entries that lost most, and what it has too much is taken from those that gained most.
    Among equals the diagonal entry keeps the larger value, then the lowest column goes first, so
    the result depends neither on the machine nor on the last bit of the input.

    Parameters
    ----------
    values : array_like of shape (k, k), or (m, k, k)
        Finite numbers; one matrix or several.
    totals : array_like of shape (k,), or (m, k), optional
        The integer that each row must sum to, within k of its real sum; by default the sum of
        the row, rounded half to even.

    Returns
    -------
    ndarray of the shape of `values`, int64

    Raises
    ------
    InputError
        `values` is not a square matrix of finite numbers, nor several.

    Examples
    --------
    >>> round_rows([[1.4, 1.3, 1.3], [0.5, 0.5, 0.0], [1.5, 1.0, 1.5]])
    array([[2, 1, 1],
           [0, 1, 0],
           [1, 1, 2]])
    """
    rest = square(values, "values", low=-np.inf, several=True)
    np.rint(np.multiply(rest, _GRID, out=rest), out=rest)
    rest /= _GRID
    target = np.rint(rest.sum(axis=-1)) if totals is None else np.asarray(totals, np.float64)
    whole = np.rint(rest)
    rest -= whole
    rest[..., *np.diag_indices(rest.shape[-1])] += 0.5 / _GRID  # ahead of equals, behind others
    rounded = whole.astype(np.int64)
    missing = target.astype(np.int64) - rounded.sum(axis=-1)
    for row in zip(*np.nonzero(missing), strict=True):
        lack = int(missing[row])
        order = np.argsort(-rest[row] if lack > 0 else rest[row], kind="stable")
        rounded[row][order[: abs(lack)]] += 1 if lack > 0 else -1
    return rounded


def calibrate(confident_joint: npt.ArrayLike, class_counts: npt.ArrayLike) -> Ints:
    """Scale a confident joint so that row s sums to the number of labels given as class s.

    A class that nobody was given gets a row of zeros. A class that has labels but a row of zeros
    gets all of them on its diagonal: nothing was counted against it.

    Parameters
    ----------
    confident_joint : array_like of shape (k, k), or (m, k, k)
        Counts, or anything in proportion to them: finite, not negative; one matrix or several.
    class_counts : array_like of shape (k,), or (m, k)
        Number of labels given as each class.

    Returns
    -------
    ndarray of the shape of `confident_joint`, int64
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
    scaled = square(confident_joint, "confident_joint", several=True)
    counts = per_class_counts(class_counts, "class_counts", scaled.shape[:-1])
    row_sums = scaled.sum(axis=-1)
    empty = np.nonzero(row_sums == 0)
    scaled[(*empty, empty[-1])] = row_sums[empty] = 1.0
    scaled /= row_sums[..., None]
    scaled *= counts[..., None]
    return round_rows(scaled, totals=counts)


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


def prune_counts(
    calibrated_joint: npt.ArrayLike,
    class_counts: npt.ArrayLike,
    *,
    min_examples_per_class: int = 1,
    frac_noise: float = 1.0,
    num_to_remove_per_class: npt.ArrayLike | None = None,
) -> Ints:
    """Decide how many labels to prune from each given class towards each true class.

    Parameters
    ----------
    calibrated_joint : array_like of shape (k, k)
        What `calibrate` returns: row s sums to ``class_counts[s]``.
    class_counts : array_like of shape (k,)
        Number of labels given as each class.
    min_examples_per_class : int
        How many labels of each class stay whatever the noise: at most
        ``class_counts[k] - min_examples_per_class`` are pruned from class k, in proportion over
        the true classes.
    frac_noise : float
        Share of the estimated noise to prune, 0 .. 1.
    num_to_remove_per_class : int or array_like of shape (k,), optional
        Prune exactly this many labels from each *given* class (as far as
        `min_examples_per_class` lets it), in the proportions of the estimated noise;
        `frac_noise` then says nothing.

    Returns
    -------
    ndarray of shape (k, k), int64
        Row = true class, column = given class. Off the diagonal: labels to prune for that pair.
        On the diagonal: labels that stay. Column k sums to ``class_counts[k]``, with one
        exception: where `num_to_remove_per_class` asks for labels of a class without estimated
        noise there is no pair to take them from, so only the diagonal goes down.

    Raises
    ------
    InputError
        The joint is not calibrated to the counts, or a parameter is out of its range.

    Notes
    -----
    Unlike cleanlab 2.9, a quota per class is read along the given class, no column comes to more
    than the class has, and shares are rounded with the sum kept instead of cut off, so that a
    quarter of 16 single errors is 4 and not 0.

    Examples
    --------
    >>> calibrated = [[6, 2, 0], [1, 3, 1], [0, 0, 4]]
    >>> prune_counts(calibrated, [8, 5, 4])
    array([[6, 1, 0],
           [2, 3, 0],
           [0, 1, 4]])
    >>> prune_counts(calibrated, [8, 5, 4], num_to_remove_per_class=[3, 1, 0])
    array([[5, 1, 0],
           [3, 4, 0],
           [0, 0, 4]])
    """
    # Kept with a row per given class until the end, as `round_rows` wants it.
    pairs = square(calibrated_joint, "calibrated_joint")
    counts = per_class_counts(class_counts, "class_counts", len(pairs))
    _check_calibrated(pairs, counts)
    share = check.number(frac_noise, name="frac_noise", low=0.0, high=1.0)
    smallest = check.whole_number(min_examples_per_class, name="min_examples_per_class")
    room = np.maximum(counts - smallest, 0)
    np.fill_diagonal(pairs, 0.0)
    noise = pairs.sum(axis=1)
    if num_to_remove_per_class is None:
        prune = share * np.minimum(noise, room)
    else:
        quota = per_class_counts(num_to_remove_per_class, "num_to_remove_per_class", len(pairs))
        prune = np.minimum(quota, room).astype(np.float64)
    pairs *= np.divide(prune, noise, out=np.zeros_like(noise), where=noise > 0)[:, None]
    np.fill_diagonal(pairs, counts - prune)
    return round_rows(pairs, totals=np.where(noise > 0, counts, np.diag(pairs))).T.copy()


def square(matrix: npt.ArrayLike, name: str, *, low: float = 0.0, several: bool = False) -> Floats:
    """Copy a caller's (k, k) matrix to float64, or say what does not fit.

    Raises
    ------
    InputError
        Not a square matrix of finite numbers that are at least `low`, nor, where there may be
        `several`, an array of shape (m, k, k).
    """
    try:
        copy = np.array(matrix, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise InputError(
            name, "is not a matrix of numbers", "Pass an array of shape (k, k)"
        ) from None
    if copy.ndim not in ((2, 3) if several else (2,)) or copy.shape[-2] != copy.shape[-1]:
        raise InputError(
            name, f"has shape {copy.shape}, not (k, k)", "Pass a row and a column for every class"
        )
    if not (np.isfinite(copy.sum()) and copy.min(initial=np.inf) >= low):
        fits = np.isfinite(copy) & (copy >= low)
        if not fits.all():
            first = tuple(np.argwhere(~fits)[0].tolist())
            expected = "a finite number" if low == -np.inf else f"finite and at least {low:g}"
            raise InputError(
                f"{name}[{', '.join(map(str, first))}]",
                f"is {copy[first]}, not {expected} ({(~fits).sum()} such entries)",
                "Correct these entries",
            )
    return copy


def per_class_counts(values: npt.ArrayLike, name: str, k: int | tuple[int, ...]) -> Ints:
    """Return one whole number, not negative, per class; a single one stands for all.

    `k` may be the shape of several sets of counts, of which the last entry is that of classes.

    Raises
    ------
    InputError
        Another shape than `k` says, or an entry that is not a count.
    """
    shape = k if isinstance(k, tuple) else (k,)
    try:
        given = np.asarray(values, dtype=np.float64)
        if given.shape not in ((), shape):
            raise TypeError
        counts = np.broadcast_to(given, shape)
    except (TypeError, ValueError):
        raise InputError(
            name,
            f"does not fit {shape[-1]} classes: shape {np.shape(values)}",
            f"Pass {' x '.join(map(str, shape))} whole numbers, one per class",
        ) from None
    bad = np.argwhere(~(np.isfinite(counts) & (counts >= 0) & (counts == np.rint(counts)))).tolist()
    if bad:
        at = ", ".join(map(str, bad[0]))
        raise InputError(
            f"{name}[{at}]" if given.ndim else name,
            f"is {counts[tuple(bad[0])]:g}, not a whole number from 0 up",
            "Pass a count for every class",
        )
    return np.minimum(counts, 2.0**53).astype(np.int64)


def _check_calibrated(pairs: Floats, counts: Ints) -> None:
    wrong = np.flatnonzero(pairs.sum(axis=1) != counts)
    if wrong.size:
        row = wrong[0]
        raise InputError(
            f"calibrated_joint[{row}]",
            f"sums to {pairs[row].sum():g}, but {counts[row]} labels are given as this class "
            f"({wrong.size} such rows)",
            "Pass what calibrate(confident_joint, class_counts) returns",
        )
