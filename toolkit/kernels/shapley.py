"""Shapley values of k-nearest-neighbour classifiers.

References
----------
R. Jia et al. Efficient Task-Specific Data Valuation for Nearest Neighbor Algorithms. VLDB 12
(2019) 1610-1623.
"""

from __future__ import annotations

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Codes, Floats, Ints

__all__ = ["add_values"]


@kernel
def add_values(
    neighbors: Codes, codes: Ints, tested: Ints, k: int, is_exact: bool, out: Floats
) -> None:
    """Add to `out` what each example is worth for classifying the `tested` ones.

    Row a of `neighbors`: the others of test example ``tested[a]``, nearest first; what lies beyond
    is worth nothing. ``is_exact``: they are all others, and the last has a value too.
    """
    width = neighbors.shape[1]
    for a in range(neighbors.shape[0]):
        own = codes[tested[a]]
        last = neighbors[a, width - 1]
        hit = 1.0 if codes[last] == own else 0.0
        value = hit / max(width, k) if is_exact else 0.0
        out[last] += value
        for r in range(width - 1, 0, -1):
            other = neighbors[a, r - 1]
            closer = 1.0 if codes[other] == own else 0.0
            value += (closer - hit) / k * min(k, r) / r
            out[other] += value
            hit = closer
