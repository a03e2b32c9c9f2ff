"""Temperature scaling of a model's probabilities to what annotators said.

The target is the share of an item's votes for each class, the loss the mean cross-entropy. In
1 / T it is convex, so that a walk down a coarse grid and then down a fine one finds the minimum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.tasks.multiannotator.aggregation.ties import TIED
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats

__all__ = ["best_temperature", "scaled"]


COARSE = (0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 3.0, 5.0, 8.0)
FLOOR = 1e-30
"""Least probability whose logarithm is taken."""


def best_temperature(votes: Votes, probs: Floats) -> float:
    """Return the temperature at which a model says best what annotators said.

    Parameters
    ----------
    votes : Votes
    probs : ndarray of shape (N, k), float64

    Examples
    --------
    >>> votes = Votes.from_arrays(item=[0, 0, 1, 1], annotator=[0, 1, 0, 1], label=[0, 0, 1, 0])
    >>> best_temperature(votes, np.array([[0.9, 0.1], [0.4, 0.6]]))
    0.65
    """
    loss = _Loss(votes, probs)
    best = _lowest(COARSE, COARSE.index(1.0), loss)
    fine = [COARSE[best]]
    if best > 0:
        fine = np.linspace(COARSE[best - 1], COARSE[best], 4, endpoint=False).tolist() + fine
    if best < len(COARSE) - 1:
        fine += np.linspace(COARSE[best], COARSE[best + 1], 5).tolist()[1:]
    return fine[_lowest(fine, fine.index(COARSE[best]), loss)]


def _lowest(temperatures: Sequence[float], at: int, loss: Callable[[float], float]) -> int:
    """Walk down from `at` to the lowest loss; of equal ones (`ties`), to the lowest temperature."""
    here, last = at, len(temperatures) - 1
    while here < last and loss(temperatures[here + 1]) < loss(temperatures[here]):
        here += 1
    while here == at and here > 0 and loss(temperatures[here - 1]) < loss(temperatures[here]):
        at = here = here - 1
    least = loss(temperatures[here])
    while here > 0 and loss(temperatures[here - 1]) <= least + TIED:
        here -= 1
    return here


def scaled(probs: Floats, temperature: float) -> Floats:
    """Return ``p ** (1 / T)``, each row rescaled to sum 1.

    Examples
    --------
    >>> scaled(np.array([[0.7, 0.2, 0.1]]), 2.0).round(4)
    array([[0.5229, 0.2795, 0.1976]])
    """
    out = np.empty(probs.shape)

    def work(worker: int, block: int, rows: slice) -> None:
        powers = np.exp(_logs(probs[rows]) / max(temperature, 1e-6))
        out[rows] = powers / powers.sum(axis=1, keepdims=True)

    each_block(work, len(probs), block_rows(probs.shape[1]))
    return out


def _logs(probs: Floats) -> Floats:
    """Return logarithms, the largest of each row 0."""
    logs = np.log(np.maximum(probs, FLOOR))
    logs -= logs.max(axis=1, keepdims=True)
    return logs


def _total(weights: Floats, values: Floats) -> float:
    """Return the weighted sum; by `dot`, threads of BLAS would wait busily for the next one."""
    return float(np.einsum("i,i->", weights, values))


class _Loss:
    """The mean cross-entropy at a temperature, up to the factor ``1 / ln k``; each computed once.

    It is that of ``log_sum - own / T`` over votes, with `own` the logarithm at the vote's class:
    but for the floor of probabilities, sums over items do.
    """

    def __init__(self, votes: Votes, probs: Floats) -> None:
        self._known: dict[float, float] = {}
        n, k = probs.shape
        self._size = block_rows(k)
        # Few classes: sums over them go faster where they are the first axis.
        self._logs = np.empty((k, n))

        def work(worker: int, block: int, rows: slice) -> None:
            self._logs[:, rows] = _logs(probs[rows]).T

        each_block(work, n, self._size)
        self._item = votes.item
        self._own = self._logs[votes.label, votes.item]
        count = votes.votes_per_item
        self._weight = 1.0 / count[votes.item]
        self._voted = (count > 0).astype(np.float64)
        self._items = max(float(self._voted.sum()), 1.0)
        self._total = _total(self._weight, self._own)
        self._least = float(self._own.min(initial=0.0))

    def __call__(self, temperature: float) -> float:
        if temperature not in self._known:
            self._known[temperature] = self._at(temperature)
        return self._known[temperature]

    def _at(self, temperature: float) -> float:
        k, n = self._logs.shape
        log_sums = np.empty(n)

        def work(worker: int, block: int, rows: slice) -> None:
            powers = self._logs[:, rows] / temperature
            np.exp(powers, out=powers)
            np.log(powers.sum(axis=0), out=log_sums[rows])

        each_block(work, n, self._size)
        if self._least / temperature - np.log(k) > np.log(FLOOR):
            return (_total(self._voted, log_sums) - self._total / temperature) / self._items
        own = self._own / temperature - log_sums[self._item]
        return -_total(self._weight, np.maximum(own, np.log(FLOOR))) / self._items
