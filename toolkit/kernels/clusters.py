"""Clusters by density on a graph of neighbours.

References
----------
M. Ester, H.-P. Kriegel, J. Sander, X. Xu. A Density-Based Algorithm for Discovering Clusters in
Large Spatial Databases with Noise. KDD 1996.
"""

from __future__ import annotations

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Codes, Floats, Ints

__all__ = ["dbscan"]


@kernel
def dbscan(
    neighbors: Codes, distances: Floats, eps: float, min_samples: int, stack: Ints, out: Ints
) -> None:
    """``out[i]`` = cluster of row i, -1 for noise: what cores reach by links of at most `eps`.

    Distances ascend in each row; a row counts as its own neighbour; `min_samples` is at least 2.
    `stack` has room for all rows.
    """
    m, k = neighbors.shape
    out[:] = -1
    cluster = 0
    for first in range(m):
        if out[first] >= 0 or k < min_samples - 1 or distances[first, min_samples - 2] > eps:
            continue
        out[first] = cluster
        stack[0] = first
        height = 1
        while height > 0:
            height -= 1
            row = stack[height]
            # A row that is no core belongs to the cluster, and leads no further.
            if distances[row, min_samples - 2] > eps:
                continue
            for c in range(k):
                other = neighbors[row, c]
                if distances[row, c] <= eps and out[other] < 0:
                    out[other] = cluster
                    stack[height] = other
                    height += 1
        cluster += 1
