"""How many labels to prune from each class, by the confident joint.

References
----------
Northcutt, Wu, Chuang. "Learning with Confident Examples: Rank Pruning for Robust Classification
with Noisy Labels". UAI 2017.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.learning.calibration import (
    Entries,
    Positions,
    entries,
    per_class_counts,
    round_entries,
)
from goldlabel.typing import Floats, Ints

__all__ = ["PruneCounts", "prune_counts", "prune_pairs"]


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
    than the class has, and shares are rounded with the sum kept: a quarter of 16 single errors is
    4 and not 0.

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
    k, joint = entries(calibrated_joint, "calibrated_joint")
    class_sizes = per_class_counts(class_counts, "class_counts", k)
    sums = np.bincount(joint.rows, weights=joint.values, minlength=k).astype(np.float64)
    _check_calibrated(sums, class_sizes)
    pairs = prune_pairs(
        joint,
        class_sizes,
        min_examples_per_class=min_examples_per_class,
        frac_noise=frac_noise,
        num_to_remove_per_class=num_to_remove_per_class,
    )
    counts = np.diag(pairs.kept)
    counts[pairs.true, pairs.given] = pairs.pruned
    return counts


class PruneCounts(NamedTuple):
    """What `prune_counts` decides, without the zeros.

    Attributes
    ----------
    given, true : ndarray of shape (m,), int
        Pairs of different classes.
    pruned : ndarray of shape (m,), int64
        Labels to prune from class `given` towards class `true`.
    kept : ndarray of shape (k,), int64
        Labels that stay, by given class.
    """

    given: Positions
    true: Positions
    pruned: Ints
    kept: Ints


def prune_pairs(
    calibrated_joint: Entries,
    counts: Ints,
    *,
    min_examples_per_class: int = 1,
    frac_noise: float = 1.0,
    num_to_remove_per_class: npt.ArrayLike | None = None,
) -> PruneCounts:
    """Do what `prune_counts` does, and return the pairs of classes that noise was found for."""
    k = len(counts)
    rows, columns, values = calibrated_joint
    share = check.number(frac_noise, name="frac_noise", low=0.0, high=1.0)
    smallest = check.whole_number(min_examples_per_class, name="min_examples_per_class")
    room = np.maximum(counts - smallest, 0)
    off = rows != columns
    rows, columns, values = rows[off], columns[off], values[off]
    noise = np.bincount(rows, weights=values, minlength=k).astype(np.float64)
    if num_to_remove_per_class is None:
        prune = share * np.minimum(noise, room)
    else:
        quota = per_class_counts(num_to_remove_per_class, "num_to_remove_per_class", k)
        prune = np.minimum(quota, room).astype(np.float64)
    scale = np.divide(prune, noise, out=np.zeros_like(noise), where=noise > 0)
    # Rounded together with what stays, row by row, so that no class gains or loses a label.
    each = np.arange(k)
    whole = round_entries(
        np.append(rows, each),
        np.append(columns, each),
        np.append(values * scale[rows], counts - prune),
        np.where(noise > 0, counts, counts - prune).astype(np.int64),
    )
    return PruneCounts(rows, columns, whole[: len(rows)], whole[len(rows) :])


def _check_calibrated(sums: Floats, counts: Ints) -> None:
    wrong = np.flatnonzero(sums != counts)
    if wrong.size:
        row = wrong[0]
        raise InputError(
            f"calibrated_joint[{row}]",
            f"sums to {sums[row]:g}, but {counts[row]} labels are given as this class "
            f"({wrong.size} such rows)",
            "Pass what calibrate(confident_joint, class_counts) returns",
        )
