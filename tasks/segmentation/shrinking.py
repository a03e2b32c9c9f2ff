"""Smaller images: the majority of the labels and the mean of the probabilities of a block.

Averaging class *numbers* would invent classes (0 and 2 make 1); the majority does not (DIVERGE
13-04). The last block of a row or column may be cut short.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["grow", "shrink_labels", "shrink_probs"]


def _starts(length: int, factor: int) -> npt.NDArray[np.int64]:
    return np.arange(0, length, factor)


def shrink_labels(mask: npt.NDArray[np.int32], factor: int, k: int) -> npt.NDArray[np.int32]:
    """Return the class that most pixels of each block have; ties to the lowest; -1 if none.

    Examples
    --------
    >>> mask = np.array([[0, 2, 1], [2, 0, -1]], dtype=np.int32)
    >>> shrink_labels(mask, 2, 3)
    array([[0, 1]], dtype=int32)
    """
    rows, columns = _starts(mask.shape[0], factor), _starts(mask.shape[1], factor)
    found = np.full((len(rows), len(columns)), -1, dtype=np.int32)
    most = np.zeros(found.shape, dtype=np.int64)
    for label in np.unique(mask[mask >= 0]).tolist():
        votes = np.add.reduceat(mask == label, rows, axis=0, dtype=np.int64)
        votes = np.add.reduceat(votes, columns, axis=1)
        found[votes > most] = label
        np.maximum(most, votes, out=most)
    return found


def shrink_probs(probs: npt.NDArray[Any], factor: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return the mean probability of each class in each block, the classes summing to 1."""
    k, h, w = probs.shape
    rows, columns = _starts(h, factor), _starts(w, factor)
    small = np.empty((k, len(rows), len(columns)), dtype=np.float64)
    for c in range(k):
        plane = np.add.reduceat(probs[c].astype(np.float64), rows, axis=0)
        small[c] = np.add.reduceat(plane, columns, axis=1)
    area = np.diff(rows, append=h)[:, None] * np.diff(columns, append=w)
    total = small.sum(axis=0)
    # A prediction that is not a number stays one, and is refused by the pass that reads it.
    small /= np.where(total > 0, total, area)
    return small.astype(dtype)


def grow(cells: npt.NDArray[Any], factor: int, shape: tuple[int, int]) -> npt.NDArray[Any]:
    """Return each cell as a block of pixels, cut to a shape; the last ones reach to the edge."""
    rows = np.minimum(np.arange(shape[0]) // factor, cells.shape[0] - 1)
    columns = np.minimum(np.arange(shape[1]) // factor, cells.shape[1] - 1)
    grown: npt.NDArray[Any] = cells[rows][:, columns]
    return grown
