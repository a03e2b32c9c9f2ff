"""How far apart in a list neighbours stand."""

from __future__ import annotations

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Codes, Ints

__all__ = ["gap_counts", "pass_over"]


@kernel
def gap_counts(neighbors: Codes, places: Ints, out: Ints) -> None:
    """``out[g]`` += number of (row, neighbour) whose places are g apart."""
    for i in range(neighbors.shape[0]):
        for c in range(neighbors.shape[1]):
            out[abs(places[i] - places[neighbors[i, c]])] += 1


@kernel
def pass_over(neighbors: Codes, start: int, stop: int, crossing: Ints, degrees: Ints) -> None:
    """Count for rows in [start, stop) the links that pass over each place, and each row's links.

    A link (i, j), i < j, both inside, passes over the places i + 1 .. j; two rows that are each
    other's neighbours are one link. `crossing` has room for ``stop - start + 1`` differences.
    """
    for i in range(start, stop):
        for c in range(neighbors.shape[1]):
            j = neighbors[i, c]
            if j < start or j >= stop:
                continue
            mutual = False
            for b in range(neighbors.shape[1]):
                mutual |= neighbors[j, b] == i
            if mutual and i > j:
                continue
            crossing[min(i, j) + 1 - start] += 1
            crossing[max(i, j) + 1 - start] -= 1
            degrees[i - start] += 1
            degrees[j - start] += 1
