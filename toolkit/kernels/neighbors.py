"""Nearest rows: hashes of rows, the best of a block of products, exact distances.

A list of the nearest has fixed length and a total order (larger value first, then the lower
position), so that what it holds at the end does not depend on the order in which it was filled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import kernel
from goldlabel.typing import AnyFloats, Codes, Floats, Mask

__all__ = ["expand", "hash_rows", "pair_distances", "push_columns", "push_rows", "same_rows"]

CHUNK = 64
"""Values that are compared with a threshold before one of them is looked at alone."""

Hashes = npt.NDArray[np.uint64]


@kernel
def hash_rows(words: npt.NDArray[np.uint64], out: Hashes) -> None:
    """Hash each row of 64-bit words (a multiply and a shift per word, as in MurmurHash)."""
    for i in range(words.shape[0]):
        state = np.uint64(0x9E3779B97F4A7C15)
        for j in range(words.shape[1]):
            state = (state ^ words[i, j]) * np.uint64(0xFF51AFD7ED558CCD)
            state ^= state >> np.uint64(33)
        out[i] = state


@kernel
def same_rows(rows: AnyFloats, first: Codes, second: Codes, out: Mask) -> None:
    """Whether two rows are equal by value, for each pair of positions."""
    for pair in range(first.shape[0]):
        same = True
        for j in range(rows.shape[1]):
            if rows[first[pair], j] != rows[second[pair], j]:
                same = False
                break
        out[pair] = same


@kernel
def _insert(value: Any, position: int, values: AnyFloats, positions: Codes) -> None:
    """Put a position into a list of the best, if it is good enough."""
    last = values.shape[0] - 1
    if value < values[last] or (value == values[last] and position > positions[last]):
        return
    at = last
    while at > 0 and (
        values[at - 1] < value or (values[at - 1] == value and positions[at - 1] > position)
    ):
        values[at] = values[at - 1]
        positions[at] = positions[at - 1]
        at -= 1
    values[at] = value
    positions[at] = position


@kernel
def _reaches(values: AnyFloats, shifts: AnyFloats, cut: Any) -> bool:
    """Whether some value is good enough; a loop without branches over slices becomes vectors."""
    some = False
    for j in range(values.shape[0]):
        some = some | (values[j] - shifts[j] >= cut)
    return some


@kernel
def _reach(values: AnyFloats, shift: Any, cuts: AnyFloats) -> bool:
    """Whether some value is good enough for its own list."""
    some = False
    for j in range(values.shape[0]):
        some = some | (values[j] - shift >= cuts[j])
    return some


@kernel
def push_rows(
    products: AnyFloats,
    shifts: AnyFloats,
    row_start: int,
    column_start: int,
    values: AnyFloats,
    positions: Codes,
) -> None:
    """Put a block of products, less the shift of their column, into the lists of its rows.

    A row is not its own neighbour. `values` and `positions` are those of the rows of the block.
    """
    rows, columns = products.shape
    last = values.shape[1] - 1
    for i in range(rows):
        for start in range(0, columns, CHUNK):
            end = min(start + CHUNK, columns)
            if not _reaches(products[i, start:end], shifts[start:end], values[i, last]):
                continue
            for j in range(start, end):
                value = products[i, j] - shifts[j]
                if value >= values[i, last] and row_start + i != column_start + j:
                    _insert(value, column_start + j, values[i], positions[i])


@kernel
def push_columns(
    products: AnyFloats,
    shifts: AnyFloats,
    row_start: int,
    values: AnyFloats,
    positions: Codes,
    cuts: AnyFloats,
) -> None:
    """Put a block of products, less the shift of their row, into the lists of its columns.

    `cuts` has room for the last value of each column's list.
    """
    rows, columns = products.shape
    last = values.shape[1] - 1
    for j in range(columns):
        cuts[j] = values[j, last]
    for i in range(rows):
        for start in range(0, columns, CHUNK):
            end = min(start + CHUNK, columns)
            if not _reach(products[i, start:end], shifts[i], cuts[start:end]):
                continue
            for j in range(start, end):
                value = products[i, j] - shifts[i]
                if value >= cuts[j]:
                    _insert(value, row_start + i, values[j], positions[j])
                    cuts[j] = values[j, last]


@kernel
def _squared_gap(a: AnyFloats, b: AnyFloats, a_scale: float, b_scale: float) -> float:
    """Sum the squares of ``a * a_scale - b * b_scale``, in four sums: additions do not wait."""
    first = second = third = fourth = 0.0
    whole = a.shape[0] - a.shape[0] % 4
    for j in range(0, whole, 4):
        gap = a[j] * a_scale - b[j] * b_scale
        first += gap * gap
        gap = a[j + 1] * a_scale - b[j + 1] * b_scale
        second += gap * gap
        gap = a[j + 2] * a_scale - b[j + 2] * b_scale
        third += gap * gap
        gap = a[j + 3] * a_scale - b[j + 3] * b_scale
        fourth += gap * gap
    for j in range(whole, a.shape[0]):
        gap = a[j] * a_scale - b[j] * b_scale
        first += gap * gap
    return (first + second) + (third + fourth)


@kernel
def pair_distances(
    queries: AnyFloats,
    rows: AnyFloats,
    query_norms: Floats,
    norms: Floats,
    is_cosine: bool,
    positions: Codes,
    out: Floats,
) -> None:
    """Measure each query's distance to the rows at its positions, in double precision.

    Cosine: half of the squared distance of the rows made unit length, which is exact near zero
    where ``1 - cos`` is not; 1 from and to a row of zeros. Rows of length 0 have norm 0.
    """
    for i in range(positions.shape[0]):
        for c in range(positions.shape[1]):
            other = positions[i, c]
            if other < 0:
                out[i, c] = np.inf
            elif not is_cosine:
                out[i, c] = np.sqrt(_squared_gap(queries[i], rows[other], 1.0, 1.0))
            elif query_norms[i] == 0.0 or norms[other] == 0.0:
                out[i, c] = 1.0
            else:
                scales = 1.0 / query_norms[i], 1.0 / norms[other]
                out[i, c] = 0.5 * _squared_gap(queries[i], rows[other], scales[0], scales[1])


@kernel
def expand(
    groups: Codes,
    offsets: npt.NDArray[np.int64],
    members: Codes,
    neighbors: Codes,
    distances: Floats,
    out_neighbors: Codes,
    out_distances: Floats,
) -> None:
    """Turn neighbours among distinct rows into neighbours among all rows.

    ``members[offsets[g] : offsets[g + 1]]`` are the rows equal to distinct row g, ascending. Each
    row gets the other members of its own group first, at distance 0, then those of its neighbours.
    """
    width = out_neighbors.shape[1]
    for i in range(out_neighbors.shape[0]):
        group = groups[i]
        count = 0
        at = offsets[group]
        while count < width and at < offsets[group + 1]:
            if members[at] != i:
                out_neighbors[i, count] = members[at]
                out_distances[i, count] = 0.0
                count += 1
            at += 1
        c = 0
        while count < width and c < neighbors.shape[1]:
            other = neighbors[group, c]
            at = offsets[other]
            while count < width and at < offsets[other + 1]:
                out_neighbors[i, count] = members[at]
                out_distances[i, count] = distances[group, c]
                count += 1
                at += 1
            c += 1
