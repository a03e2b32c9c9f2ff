"""Class thresholds: the mean self-confidence of the rows given as each class.

References
----------
C. Northcutt, L. Jiang, I. Chuang. Confident Learning: Estimating Uncertainty in Dataset Labels.
JAIR 70 (2021), equation 2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.kernels.rows import each_block
from goldlabel.typing import AnyFloats, Ints

__all__ = ["EPS", "NEVER", "THRESHOLD_MIN", "class_sums", "thresholds"]


EPS = 1e-6
"""Slack of comparisons between probabilities and thresholds."""
THRESHOLD_MIN = 2 * EPS
"""Floor of a threshold, above EPS so that a probability of 0 is never confident."""
NEVER = 2.0
"""Threshold of a class without examples: no probability reaches it."""

_SUM_ROWS = 1 << 14
_HIGH = 2.0**31  # sums of 2^31 probabilities fit
_LOW = 2.0**32  # 2^-63 is left over of each: less than the rounding of a float64 from 2^-10 on


@kernel
def _class_sums(labels: Ints, pred_probs: AnyFloats, counts: Ints, high: Ints, low: Ints) -> None:
    """``counts[k]``, ``high[k]``, ``low[k]`` = number and sum of ``p[i, k]`` over rows labelled k.

    In fixed point: whole units of 1 / _HIGH, and what is left of them in units of 1 / _LOW more.
    """
    for i in range(labels.shape[0]):
        given = labels[i]
        if given >= 0:
            scaled = np.float64(pred_probs[i, given]) * _HIGH
            units = np.floor(scaled)
            counts[given] += 1
            high[given] += np.int64(units)
            low[given] += np.int64((scaled - units) * _LOW)


def class_sums(labels: Ints, pred_probs: AnyFloats) -> tuple[Ints, npt.NDArray[np.float64]]:
    """Count the rows of each class, and sum the probabilities of their given labels.

    Parameters
    ----------
    labels : ndarray of shape (n,), int64
        Given class; negative = left out.
    pred_probs : ndarray of shape (n, k), float32 or float64, C-contiguous

    Returns
    -------
    counts : ndarray of shape (k,), int64
    sums : ndarray of shape (k,), float64
        The same bits for any number of threads and any order of the rows: whole numbers are added.
    """
    n, k = pred_probs.shape
    partial: dict[int, Ints] = {}
    given, probs = frozen(labels), frozen(pred_probs)

    def work(worker: int, _: int, rows: slice) -> None:
        if worker not in partial:
            partial[worker] = np.zeros((3, k), dtype=np.int64)
        _class_sums(given[rows], probs[rows], *partial[worker])

    each_block(work, n, _SUM_ROWS)
    counts, high, low = np.sum([np.zeros((3, k), dtype=np.int64), *partial.values()], axis=0)
    return counts, (high + low / _LOW) / _HIGH


def thresholds(counts: Ints, sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean self-confidence of each class, floored; `NEVER` for an absent class."""
    means = np.full(counts.shape[0], NEVER)
    np.divide(sums, counts, out=means, where=counts > 0)
    floored: npt.NDArray[np.float64] = np.maximum(means, THRESHOLD_MIN)
    return floored
