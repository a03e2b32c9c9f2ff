"""Approximate nearest neighbours by faiss (HNSW), for more rows than an exact search suits.

docs/decisions says what was measured, and why this library.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from goldlabel.errors import MissingExtra
from goldlabel.kernels.rows import thread_count
from goldlabel.typing import AnyFloats, Ints

from .exact import Nearest, _in_order, _measure, nearest_in
from .features import row_norms

__all__ = ["estimated_recall", "is_installed", "nearest_approximately"]

LINKS, BREADTH, SEARCHED = 16, 100, 64
SAMPLE = 500


def is_installed() -> bool:
    """Whether the library is there."""
    return importlib.util.find_spec("faiss") is not None


def nearest_approximately(values: AnyFloats, k: int, metric: str) -> Nearest:
    """Return nearly all of the k nearest other rows of each row of distinct rows."""
    if not is_installed():
        raise MissingExtra("faiss-cpu", "to search for neighbours approximately", "neighbors")
    import faiss

    n, d = values.shape
    norms = row_norms(values)
    points = values.astype(np.float32)
    if metric == "cosine":
        points /= np.maximum(norms, np.finfo(np.float32).tiny)[:, None].astype(np.float32)
    else:
        points -= points.mean(axis=0)
    faiss.omp_set_num_threads(thread_count())
    index: Any = faiss.IndexHNSWFlat(d, LINKS)
    index.hnsw.efConstruction = BREADTH
    index.hnsw.efSearch = max(SEARCHED, 2 * k)
    index.add(points)
    _, positions = index.search(points, min(k + 1, n))
    positions = _without_self(positions.astype(np.int32), k)
    distances = _measure(values, values, norms, norms, metric == "cosine", positions)
    return Nearest(*_in_order(positions, distances))


def _without_self(positions: Any, k: int) -> Any:
    """Take each row itself out of its list, or the last entry where it is not in there."""
    own = positions == np.arange(len(positions))[:, None]
    own[~own.any(axis=1), -1] = True
    return np.ascontiguousarray(positions[~own].reshape(len(positions), -1)[:, :k])


def estimated_recall(values: AnyFloats, nearest: Nearest, metric: str, seed: int = 0) -> float:
    """Return the share of true neighbours found, by an exact search for some rows.

    A neighbour counts as found where it is as near as one of the true ones, as ties are many.
    """
    n, k = nearest.positions.shape
    rows: Ints = np.random.default_rng(seed).choice(n, size=min(SAMPLE, n), replace=False)
    true = nearest_in(values, np.ascontiguousarray(values[rows]), k + 1, metric).distances[:, 1:]
    slack = 1e-9 * (1.0 + true[:, -1:])
    return float(np.mean(nearest.distances[rows] <= true[:, -1:] + slack))
