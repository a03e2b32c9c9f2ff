"""Scores from low to high, and the lowest of them; ties by position."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["ascending", "lowest"]


def ascending(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return the positions of the scores from low to high; ties by position.

    NumPy's plain sort is several times faster than its stable one, and right but for ties: these
    are sorted once more.
    """
    order = np.argsort(scores)
    ranked = scores[order]
    equal = ranked[1:] == ranked[:-1]
    if equal.any():
        tied = np.flatnonzero(np.append(equal, False) | np.append(False, equal))
        order[tied] = order[tied][np.lexsort((order[tied], ranked[tied]))]
    return order


def lowest(scores: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.bool_]:
    """Mark the `count` lowest scores; ties go to the lower position.

    Parameters
    ----------
    scores : ndarray of shape (n,), float64
    count : int
        0 .. n.

    Returns
    -------
    ndarray of shape (n,), bool
    """
    if count <= 0:
        return np.zeros(scores.shape[0], dtype=np.bool_)
    cut = np.partition(scores, count - 1)[count - 1]
    chosen: npt.NDArray[np.bool_] = scores < cut
    chosen[np.flatnonzero(scores == cut)[: count - int(np.count_nonzero(chosen))]] = True
    return chosen
