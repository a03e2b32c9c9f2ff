"""Temperature scaling of a model's probabilities to what annotators said.

The target is the share of an item's votes for each class, the loss the mean cross-entropy. In
1 / T it is convex, so that a coarse grid and a fine one around its lowest point find the minimum.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.tasks.multiannotator.votes import Votes

__all__ = ["best_temperature", "scaled"]

Floats = npt.NDArray[np.float64]

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
    0.425
    """
    losses = _losses(votes, probs, COARSE)
    best = int(losses.argmin())
    fine: list[float] = []
    if best > 0:
        fine += np.linspace(COARSE[best - 1], COARSE[best], 4, endpoint=False).tolist()
    if best < len(COARSE) - 1:
        fine += np.linspace(COARSE[best], COARSE[best + 1], 5).tolist()
    else:
        fine.append(COARSE[best])
    return float(fine[int(_losses(votes, probs, fine).argmin())])


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


def _losses(votes: Votes, probs: Floats, temperatures: tuple[float, ...] | list[float]) -> Floats:
    """Return the mean cross-entropy at each temperature, up to the factor ``1 / ln k``."""
    n, k = probs.shape
    size = block_rows(k)
    partial = np.zeros((max(1, -(-n // size)), len(temperatures)))
    count = votes.votes_per_item

    def work(worker: int, block: int, rows: slice) -> None:
        logs = _logs(probs[rows])
        first, last = votes.item_offsets[rows.start], votes.item_offsets[rows.stop]
        item = votes.item[first:last] - rows.start
        own = logs[item, votes.label[first:last]]
        weight = 1.0 / count[rows.start + item]
        powers = np.empty_like(logs)
        for at, temperature in enumerate(temperatures):
            np.exp(np.divide(logs, temperature, out=powers), out=powers)
            voted = own / temperature - np.log(powers.sum(axis=1))[item]
            partial[block, at] = -np.dot(weight, np.maximum(voted, np.log(FLOOR)))

    each_block(work, n, size)
    total: Floats = partial.sum(axis=0)
    return total
