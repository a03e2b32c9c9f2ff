"""The passes over pred_probs that everything else comes from.

The first adds up what thresholds are made of and looks at the range; the second counts the
confident joint of each class and, if asked, scores each example. Both go block by block, so that
next to pred_probs they need as much memory as a few blocks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError, warn
from goldlabel.inputs import check
from goldlabel.kernels import class_means
from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.learning import calibration
from goldlabel.tasks.multilabel import kernels
from goldlabel.tasks.multilabel.inputs import Cells
from goldlabel.typing import Floats, Ints

__all__ = [
    "Counted",
    "calibrated",
    "confident_thresholds",
    "count",
    "given_joint",
    "given_thresholds",
    "small_blocks",
]


@dataclass(frozen=True, eq=False)
class Counted:
    """Cells after the passes that count them.

    Attributes
    ----------
    cells : Cells
    value_counts : ndarray of shape (k, 2), int64
        Examples without and with each class, of those where it is known.
    thresholds : ndarray of shape (k, 2), float64
        Mean probability of being without, and of having each class, over the examples given so;
        or the caller's own.
    cuts : goldlabel.tasks.multilabel.kernels.Cuts
        The same as limits of q.
    joints : ndarray of shape (k, 2, 2), int64
        Confident joint of each class as counted: given by guessed value.
    scores : ndarray of shape (n,) or (0,), float64
        What `each` made of the blocks.
    """

    cells: Cells
    value_counts: Ints
    thresholds: Floats
    cuts: kernels.Cuts
    joints: Ints
    scores: Floats

    @cached_property
    def confident_joint(self) -> Ints:
        """Confident joints (k, 2, 2), at least 1 on their diagonals."""
        joint = self.joints.copy()
        for value in (0, 1):
            joint[:, value, value] = np.maximum(joint[:, value, value], 1)
        return joint

    @cached_property
    def calibrated_joint(self) -> Ints:
        """Confident joints whose rows sum to `value_counts`."""
        return calibrated(self.confident_joint, self.value_counts)

    def off_diagonal(self) -> Ints:
        """Cells, ``example * k + class``, counted against their label; none the model agrees with.

        In the order of the examples.
        """
        cuts = self.cuts
        present = np.maximum(cuts.present, cuts.missing)
        return self._disagreements(present, np.minimum(cuts.absent, cuts.spurious))

    def disagreeing(self) -> Ints:
        """Cells whose label is not the model's, nor within 1e-6 of being it."""
        k = len(self.value_counts)
        return self._disagreements(
            np.repeat(self.cuts.missing, k), np.repeat(self.cuts.spurious, k)
        )

    def _disagreements(self, present: npt.NDArray[Any], absent: npt.NDArray[Any]) -> Ints:
        n, k = self.cells.pred_probs.shape
        size = small_blocks(k)
        found: dict[int, Ints] = {}
        scratch = threading.local()

        def work(worker: int, block: int, rows: slice) -> None:
            if not hasattr(scratch, "cells"):
                scratch.cells = np.empty(size * k, dtype=np.int64)
            labels, probs = self.cells.labels.block(rows), self.cells.pred_probs[rows]
            count = kernels.disagreements(labels, probs, rows.start, present, absent, scratch.cells)
            found[block] = scratch.cells[:count].copy()

        each_block(work, n, size)
        return np.concatenate([found[block] for block in sorted(found)] or [np.empty(0, np.int64)])


def count(
    cells: Cells,
    *,
    thresholds: npt.ArrayLike | None = None,
    each: Callable[[npt.NDArray[np.int8], npt.NDArray[Any]], Floats] | None = None,
) -> Counted:
    """Count cells in the confident joint of their class, and score examples on the way.

    Parameters
    ----------
    cells : Cells
    thresholds : array_like of shape (k, 2) or (k,), optional
        In place of the means: of "without" and "with" each class, or of "with" alone.
    each : callable, optional
        Makes a score of each row of a block: called with labels and probabilities.

    Raises
    ------
    InputError
        A probability is not a number in [0, 1], or thresholds do not fit.
    """
    probs = cells.pred_probs
    n, k = probs.shape
    value_counts, cutoffs = confident_thresholds(cells)
    if thresholds is not None:
        cutoffs = given_thresholds(thresholds, cutoffs)
    cuts = kernels.cuts_of(cutoffs, probs.dtype)
    joints: dict[int, Ints] = {}
    scores = np.empty(n if each is not None else 0)

    def work(worker: int, block: int, rows: slice) -> None:
        labels = cells.labels.block(rows)
        if worker not in joints:
            joints[worker] = np.zeros((4, k), dtype=np.int64)
        kernels.count_guesses(labels, probs[rows], cuts, joints[worker])
        if each is not None:
            scores[rows] = each(labels, probs[rows])

    each_block(work, n, small_blocks(k))
    joint = np.sum([np.zeros((4, k), dtype=np.int64), *joints.values()], axis=0)
    joint = np.ascontiguousarray(joint.T).reshape(k, 2, 2)
    return Counted(cells, value_counts, cutoffs, cuts, joint, scores)


def small_blocks(k: int) -> int:
    """Return how many rows of `k` cells make a block where each cell needs memory of its own."""
    return block_rows(8 * k)


def confident_thresholds(cells: Cells) -> tuple[Ints, Floats]:
    """Return examples without and with each class, and the thresholds; both (k, 2).

    Raises
    ------
    InputError
        A probability is not a number in [0, 1].
    """
    counts, sums = _value_sums(cells)
    cutoffs = class_means.thresholds(counts.ravel(), sums.ravel())
    return counts.T.copy(), cutoffs.reshape(2, -1).T.copy()


def _value_sums(cells: Cells) -> tuple[Ints, Floats]:
    """Return counts and sums (2, k) by value and class; the same bits for any number of threads."""
    probs = cells.pred_probs
    n, k = probs.shape
    size = block_rows(k)
    blocks = max(1, -(-n // size))
    counts = np.zeros((blocks, 2, k), dtype=np.int64)
    sums = np.zeros((blocks, 2, k))
    extremes = np.zeros((blocks, 3), dtype=probs.dtype)
    one = np.ones(1, dtype=probs.dtype)
    one.flags.writeable = False

    def work(worker: int, block: int, rows: slice) -> None:
        labels = cells.labels.block(rows)
        kernels.value_sums(labels, probs[rows], one, counts[block], sums[block], extremes[block])

    each_block(work, n, size)
    slack = check.SLACK
    low, high = probs.dtype.type(-slack), probs.dtype.type(1 + slack)
    if extremes[:, 0].min() < low or extremes[:, 1].max() > high or extremes[:, 2].any():
        check.out_of_range(probs, makes="sigmoid")
    return counts.sum(axis=0), np.add.accumulate(sums, axis=0)[-1]


def given_thresholds(thresholds: npt.ArrayLike, means: Floats) -> Floats:
    """Return a caller's thresholds as (k, 2); those of "without" are the means if left out."""
    k = len(means)
    try:
        array = np.asarray(thresholds, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise InputError("thresholds", "is not an array of numbers", "Pass (k, 2) or (k,)") from (
            error
        )
    if array.shape == (k,):
        array = np.column_stack([means[:, 0], array])
    if array.shape != (k, 2):
        raise InputError(
            "thresholds",
            f"has shape {array.shape}, not {(k, 2)} or {(k,)}",
            "Pass two for each class, of being without it and of having it, or the second only",
        )
    flat = check.vector(
        array.ravel(), name="thresholds", length=2 * k, low=0.0, high=class_means.NEVER
    )
    return flat.reshape(k, 2)


def given_joint(confident_joint: npt.ArrayLike, k: int) -> Floats | None:
    """Return a caller's confident joints (k, 2, 2) after a look at them; None for one of classes.

    Warns
    -----
    DataWarning
        A joint of shape (k, k) is that of classes that exclude each other, and has no use here.
    """
    shape = np.shape(confident_joint)
    if shape == (k, k):
        warn(
            f"confident_joint: has shape {shape}, that of classes that exclude each other, and is"
            f" not used. Pass one of shape {(k, 2, 2)}."
        )
        return None
    if shape != (k, 2, 2):
        raise InputError(
            "confident_joint",
            f"has shape {shape}, not {(k, 2, 2)}",
            "Pass a matrix for each class: given by true value, 0 = without it, 1 = with it",
        )
    flat = check.vector(
        np.ravel(confident_joint), name="confident_joint, flat,", length=4 * k, low=0.0
    )
    return flat.reshape(k, 2, 2)


def calibrated(joint: npt.NDArray[Any], value_counts: Ints) -> Ints:
    """Scale the joints of all classes to `value_counts`: they are blocks of one large matrix."""
    classes, given, true = np.nonzero(joint)
    values = joint[classes, given, true].astype(np.float64)
    entries = calibration.Entries(2 * classes + given, 2 * classes + true, values)
    rows, columns, counts = calibration.calibrate_entries(entries, value_counts.ravel())
    scaled = np.zeros(joint.shape, dtype=np.int64)
    scaled[rows // 2, rows % 2, columns % 2] = counts
    return scaled
