"""OUTRE for many examples, or for examples in many places: counts in cells that add up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.tasks.regression.kernels import half_distances
from goldlabel.tasks.regression.values import labels_and_predictions
from goldlabel.typing import Floats, Ints

__all__ = ["OutreGrid", "distance_to_score", "half", "standardized"]


RESIDUAL_WEIGHT = 5.0
"""How many times as far as labels residuals stand apart."""
TINY = 1e-100
_EPS = 100 * np.finfo(np.float64).eps
_NO_DISTANCE = float(np.sqrt(_EPS))
_CELLS = 64


def half(n: int) -> int:
    """Return how many of n points are the nearest half."""
    return -(-n // 2)


def standardized(values: Floats, mean: float, deviation: float, weight: float = 1.0) -> Floats:
    """Return values as deviations from the mean; all 0 where there is no deviation."""
    return weight * (values - mean) / (deviation + TINY)


def distance_to_score(distances: Floats, typical: float) -> Floats:
    """Return ``exp(-distance / typical)``; 1 where the distance is nothing but rounding."""
    scale = max(max(typical, _EPS), 1e-6)
    scores: Floats = np.where(distances < _NO_DISTANCE, 1.0, np.exp(-distances / scale))
    return scores


@dataclass(frozen=True, eq=False)
class OutreGrid:
    """The OUTRE score from cells: counts and sums that can be made in parts and added up.

    Every part (a block of a file, a worker's share) fills a grid over the same cells with `add`;
    `merge` adds two; `scores` then needs the merged grid and any examples, row by row. Make the
    empty grid with `plan`, from a sample of the data, and hand it to all parts.

    Attributes
    ----------
    label_edges, residual_edges : ndarray, float64
        Where cells meet, along each axis.
    counts, label_sums, residual_sums : ndarray of shape (cells,)
        Of each cell: its examples, and the sums of their labels and residuals, less `centre`.
    squares : ndarray of shape (2,), float64
        Sums of squares of labels and residuals, less `centre`.
    centre : ndarray of shape (2,), float64
        Subtracted before summing, so that large numbers of small spread lose nothing.

    Notes
    -----
    Each point is measured against the middle of each cell's points in place of all points: O(n)
    time with at most 4,096 cells, O(1) memory besides the scores. A score differs by less than
    0.005 from the exact one (`tests/tasks/regression` measures it).

    Examples
    --------
    >>> labels = np.linspace(0, 1, 1000)
    >>> predictions = labels[::-1].copy()
    >>> empty = OutreGrid.plan(labels, predictions)
    >>> first = empty.add(labels[:600], predictions[:600])
    >>> both = first.merge(empty.add(labels[600:], predictions[600:]))
    >>> both.n
    1000
    >>> both.scores(labels[:3], predictions[:3]).round(2)
    array([0.14, 0.14, 0.14])
    """

    label_edges: Floats
    residual_edges: Floats
    counts: Ints
    label_sums: Floats
    residual_sums: Floats
    squares: Floats
    centre: Floats

    @classmethod
    def plan(
        cls, labels: npt.ArrayLike, predictions: npt.ArrayLike, *, cells: int = _CELLS
    ) -> OutreGrid:
        """Return an empty grid whose cells hold about equal shares of a sample.

        Parameters
        ----------
        labels, predictions : array_like of shape (n,)
            A sample; 10,000 examples will do.
        cells : int
            Cells along each axis.
        """
        y, predicted = labels_and_predictions(labels, predictions)
        share = np.linspace(0, 1, check.whole_number(cells, name="cells", low=2) + 1)[1:-1]
        rows, columns = (np.unique(np.quantile(axis, share)) for axis in (y, predicted - y))
        size = (len(rows) + 1) * (len(columns) + 1)
        return cls(
            label_edges=rows,
            residual_edges=columns,
            counts=np.zeros(size, dtype=np.int64),
            label_sums=np.zeros(size),
            residual_sums=np.zeros(size),
            squares=np.zeros(2),
            centre=np.array([np.median(y), np.median(predicted - y)]),
        )

    @property
    def n(self) -> int:
        """Examples counted so far."""
        return int(self.counts.sum())

    def add(self, labels: npt.ArrayLike, predictions: npt.ArrayLike) -> OutreGrid:
        """Return a grid that has counted these examples too."""
        y, predicted = labels_and_predictions(labels, predictions)
        r = predicted - y
        cell, size = self._cell(y, r), self.counts.shape[0]
        y, r = y - self.centre[0], r - self.centre[1]
        return replace(
            self,
            counts=self.counts + np.bincount(cell, minlength=size),
            label_sums=self.label_sums + np.bincount(cell, y, size),
            residual_sums=self.residual_sums + np.bincount(cell, r, size),
            squares=self.squares + np.array([y @ y, r @ r]),
        )

    def merge(self, other: OutreGrid) -> OutreGrid:
        """Return a grid of what both have counted.

        Raises
        ------
        InputError
            Their cells are not the same.
        """
        if not (
            np.array_equal(self.label_edges, other.label_edges)
            and np.array_equal(self.residual_edges, other.residual_edges)
            and np.array_equal(self.centre, other.centre)
        ):
            raise InputError("other", "is a grid of other cells", "Start both from one plan")
        return replace(
            self,
            counts=self.counts + other.counts,
            label_sums=self.label_sums + other.label_sums,
            residual_sums=self.residual_sums + other.residual_sums,
            squares=self.squares + other.squares,
        )

    def scores(self, labels: npt.ArrayLike, predictions: npt.ArrayLike) -> Floats:
        """Return the OUTRE score of examples among all that were counted.

        Returns
        -------
        ndarray of shape (m,), float64
            Label quality in [0, 1]; lower is worse. Each row depends on itself and the grid only.
        """
        y, predicted = labels_and_predictions(labels, predictions)
        if not self.n:
            raise InputError("grid", "has counted no examples", "Add them first")
        used = np.flatnonzero(self.counts)
        weights = self.counts[used].astype(np.float64)
        middles = self._placed(self.label_sums[used] / weights, self.residual_sums[used] / weights)
        targets = (*middles, weights)
        wanted = float(half(self.n))
        typical = _middle(half_distances(middles, targets, wanted, np.arange(len(used))), weights)
        points = self._placed(y - self.centre[0], predicted - y - self.centre[1])
        order = np.argsort(self._cell(y, predicted - y), kind="stable")
        return distance_to_score(half_distances(points, targets, wanted, order), typical)

    def _cell(self, y: Floats, r: Floats) -> Ints:
        """Return the number of each point's cell; neighbours in number are neighbours in place."""
        row = np.searchsorted(self.label_edges, y, side="right")
        column = np.searchsorted(self.residual_edges, r, side="right")
        width = len(self.residual_edges) + 1
        turned = np.where(row % 2 == 0, column, width - 1 - column)  # there and back again
        cell: Ints = row * width + turned
        return cell

    def _placed(self, y: Floats, r: Floats) -> tuple[Floats, Floats]:
        """Return the coordinates of points given less `centre`."""
        means = np.array([self.label_sums.sum(), self.residual_sums.sum()]) / self.n
        deviations = np.sqrt(np.maximum(self.squares / self.n - means**2, 0.0))
        return (
            standardized(y, means[0], deviations[0]),
            standardized(r, means[1], deviations[1], RESIDUAL_WEIGHT),
        )


def _middle(values: Floats, weights: Floats) -> float:
    """Return the weighted median, the lower of two."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order[int(np.searchsorted(reached, reached[-1] / 2))]])


def path_through(x: Floats, y: Floats) -> Ints:
    """Return an order of points in which each lies near the one before it."""
    n = len(x)
    strips = max(1, int(np.sqrt(n) / 2))
    rank = np.empty(n, dtype=np.int64)
    rank[np.argsort(x, kind="stable")] = np.arange(n)
    strip = rank * strips // n
    order: Any = np.lexsort((np.where(strip % 2 == 0, y, -y), strip))
    return np.asarray(order, dtype=np.int64)
