"""Masks of instances matched by how much they overlap; nothing here knows what they are masks of.

Masks are `goldlabel.inputs.ragged.Ragged` runs of pixels (see `runs`): overlaps come from merging
two lists of runs, so no image is ever painted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from goldlabel.inputs.ragged import Ragged
from goldlabel.kernels._jit import frozen, kernel
from goldlabel.typing import Floats, Ints

__all__ = ["Overlaps", "match", "overlaps"]


class Overlaps(NamedTuple):
    """How much masks of two sets overlap.

    Attributes
    ----------
    shared : ndarray of shape (a, b), int64
        Pixels that a mask of the first set and one of the second share.
    areas, other_areas : ndarray of shape (a,) and (b,), int64
        Pixels of each mask.
    """

    shared: Ints
    areas: Ints
    other_areas: Ints

    @property
    def iou(self) -> Floats:
        """Intersection over union, (a, b); 0 of two empty masks."""
        union = self.areas[:, None] + self.other_areas - self.shared
        ratio: Floats = self.shared / np.maximum(union, 1)
        return ratio


@kernel
def _shared_pixels(
    runs: Ints, offsets: Ints, other_runs: Ints, other_offsets: Ints, shared: Ints
) -> None:
    """``shared[a, b]`` = pixels in both of two masks: their sorted runs, merged."""
    for a in range(shared.shape[0]):
        first, end = offsets[a], offsets[a + 1]
        if first == end:
            continue
        for b in range(shared.shape[1]):
            i, j, stop = first, other_offsets[b], other_offsets[b + 1]
            if j == stop or other_runs[j, 0] >= runs[end - 1, 1]:
                continue
            if runs[i, 0] >= other_runs[stop - 1, 1]:
                continue
            total = np.int64(0)
            while i < end and j < stop:
                low = max(runs[i, 0], other_runs[j, 0])
                high = min(runs[i, 1], other_runs[j, 1])
                if high > low:
                    total += high - low
                if runs[i, 1] < other_runs[j, 1]:
                    i += 1
                else:
                    j += 1
            shared[a, b] = total


def overlaps(masks: Ragged, others: Ragged) -> Overlaps:
    """Return how many pixels each mask of one set shares with each of another.

    Parameters
    ----------
    masks, others : Ragged of runs, values of shape (m, 2)
        Masks on one image.

    Examples
    --------
    >>> one = Ragged.from_lists([[[0, 4]], [[8, 10]]])
    >>> two = Ragged.from_lists([[[2, 6], [9, 12]]])
    >>> overlaps(one, two).shared.tolist()
    [[2], [1]]
    """
    shared = np.zeros((len(masks), len(others)), dtype=np.int64)
    runs, other_runs = (_as_runs(each) for each in (masks, others))
    _shared_pixels(runs, frozen(masks.offsets), other_runs, frozen(others.offsets), shared)
    return Overlaps(shared, _areas(runs, masks.offsets), _areas(other_runs, others.offsets))


def _as_runs(masks: Ragged) -> Ints:
    values = np.ascontiguousarray(masks.values, dtype=np.int64).reshape(-1, 2)
    return frozen(values)


def _areas(runs: Ints, offsets: Ints) -> Ints:
    upto = np.append(0, np.cumsum(runs[:, 1] - runs[:, 0]))
    areas: Ints = upto[offsets[1:]] - upto[offsets[:-1]]
    return areas


def match(quality: Floats, least: float) -> Ints:
    """Pair rows with columns, the best pair first, each at most once.

    Parameters
    ----------
    quality : ndarray of shape (a, b)
        E.g. intersection over union.
    least : float
        Pairs below it stay apart.

    Returns
    -------
    ndarray of shape (a,), int64
        The column of each row, -1 where it has none. Ties go to the lower row, then column.

    Examples
    --------
    >>> match(np.array([[0.6, 0.9], [0.8, 0.7]]), 0.5).tolist()
    [1, 0]
    """
    partner = np.full(quality.shape[0], -1, dtype=np.int64)
    rows, columns = np.nonzero(quality >= least)
    order = np.argsort(-quality[rows, columns], kind="stable")
    taken = np.zeros(quality.shape[1], dtype=np.bool_)
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if partner[row] < 0 and not taken[column]:
            partner[row] = column
            taken[column] = True
    return partner
