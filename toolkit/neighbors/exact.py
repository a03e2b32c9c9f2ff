"""Exact nearest neighbours: blocks of matrix products, in bounded memory.

Products are made in single precision, of pairs of blocks, so that each pair of rows is multiplied
once and serves both; the lists of the best are a few entries longer than asked for. What they hold
is then measured in double precision, and where the bound of rounding leaves open whether a row was
missed, the search is made once more for that row, in double precision.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree
from threadpoolctl import threadpool_limits

from goldlabel.kernels import neighbors as kernels
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import each_block, thread_count
from goldlabel.typing import AnyFloats, Codes, Floats, Ints

from .features import row_norms

__all__ = ["Nearest", "nearest_in", "nearest_of_each", "row_order"]

BLOCK = 512
"""Rows of a block: the products of two blocks are 1 MiB."""
SPARE = 6
"""Entries of a list of the best beyond those asked for."""
TREE_COLUMNS = 3
"""Up to so many columns a tree finds Euclidean neighbours faster than products do."""
LEAST_FOR_TREE = 64


class Nearest(NamedTuple):
    """The nearest rows of each row, nearest first: positions and distances, (m, k) each."""

    positions: Codes
    distances: Floats


class _Space(NamedTuple):
    """Rows made comparable by products: ``products - shifts`` is larger, the nearer a row is."""

    points: AnyFloats
    shifts: AnyFloats
    lengths: Floats  # of the points, for the bound of rounding
    unit: float = 1.0  # Euclidean: what a length of 1 was


def nearest_of_each(values: AnyFloats, k: int, metric: str) -> Nearest:
    """Return the k nearest other rows of each row of distinct rows; k < rows."""
    n, d = values.shape
    if metric == "euclidean" and d <= TREE_COLUMNS and n >= LEAST_FOR_TREE:
        return _by_tree(values, values, k, skip_self=True)
    is_cosine = metric == "cosine"
    norms = row_norms(values)
    space = _space(values, norms, is_cosine, np.float32)
    width = min(k + SPARE, n - 1)
    best, positions = _search_pairs(space, width)
    distances = _measure(values, values, norms, norms, is_cosine, positions)
    unsure = _unsure(distances, best, space, k, is_cosine) if width < n - 1 else np.empty(0, int)
    if unsure.size:
        again = _scan(values, values[unsure], k, is_cosine, skip=unsure)
        positions, distances = positions[:, :k].copy(), distances[:, :k].copy()
        positions[unsure], distances[unsure] = again
    return Nearest(np.ascontiguousarray(positions[:, :k]), np.ascontiguousarray(distances[:, :k]))


def nearest_in(values: AnyFloats, queries: AnyFloats, k: int, metric: str) -> Nearest:
    """Return the k nearest of the rows `values` for each query; k <= rows."""
    n, d = values.shape
    if metric == "euclidean" and d <= TREE_COLUMNS and n >= LEAST_FOR_TREE:
        return _by_tree(values, queries, k, skip_self=False)
    return _scan(values, queries, k, metric == "cosine")


def _by_tree(values: AnyFloats, queries: AnyFloats, k: int, *, skip_self: bool) -> Nearest:
    tree = cKDTree(values)
    distances, positions = tree.query(queries, k=k + skip_self, workers=thread_count())
    shape = len(queries), -1
    distances, positions = np.reshape(distances, shape), np.reshape(positions, shape)
    if skip_self:  # rows are distinct: the row itself is the one at distance 0
        own = positions == np.arange(len(values))[:, None]
        own[~own.any(axis=1), -1] = True
        positions, distances = (each[~own].reshape(-1, k) for each in (positions, distances))
    return Nearest(*_in_order(positions.astype(np.int32), distances))


def _in_order(positions: Codes, distances: Floats) -> tuple[Codes, Floats]:
    """Sort each list by distance, ties by position."""
    order = np.lexsort((positions, distances), axis=1)
    return np.take_along_axis(positions, order, 1), np.take_along_axis(distances, order, 1)


def _space(values: AnyFloats, norms: Floats, is_cosine: bool, dtype: type) -> _Space:
    if is_cosine:
        scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
        points: AnyFloats = np.empty(values.shape, dtype)
        for rows in _slices(len(values)):
            points[rows] = values[rows] * scale[rows, None]
        return _Space(points, np.zeros(len(values), dtype), (norms > 0).astype(np.float64))
    points = np.empty(values.shape, dtype)
    center = values.mean(axis=0, dtype=np.float64)  # distances are the same, products are smaller
    reach = [np.abs(values[rows] - center).max() for rows in _slices(len(values))]
    unit = float(np.max(reach)) or 1.0  # single precision has no room for very large numbers
    for rows in _slices(len(values)):
        points[rows] = (values[rows] - center) / unit
    lengths = row_norms(points)
    return _Space(points, (0.5 * lengths**2).astype(dtype), lengths, unit)


def _slices(n: int) -> list[slice]:
    return [slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]


def _search_pairs(space: _Space, width: int) -> tuple[AnyFloats, Codes]:
    """Return the `width` best values of each row among the others, and where they are."""
    points, shifts = space.points, space.shifts
    n = len(points)
    best = np.full((n, width), -np.inf, points.dtype)
    positions = np.full((n, width), -1, np.int32)
    blocks = _slices(n)
    # Pairs (i, i + gap): those at work at a time share few blocks, so that few threads wait.
    pairs = [(i, i + gap) for gap in range(len(blocks)) for i in range(len(blocks) - gap)]
    locks = [threading.Lock() for _ in blocks]
    room: dict[int, tuple[AnyFloats, AnyFloats]] = {}
    points, shifts = frozen(points), frozen(shifts)

    def run(worker: int, pair: int, _: slice) -> None:
        i, j = pairs[pair]
        ours, theirs = blocks[i], blocks[j]
        if worker not in room:
            room[worker] = np.empty(BLOCK * BLOCK, points.dtype), np.empty(BLOCK, points.dtype)
        buffer, cuts = room[worker]
        shape = ours.stop - ours.start, theirs.stop - theirs.start
        products = buffer[: shape[0] * shape[1]].reshape(shape)
        np.matmul(points[ours], points[theirs].T, out=products)
        products = frozen(products)
        with locks[i]:
            kernels.push_rows(
                products, shifts[theirs], ours.start, theirs.start, best[ours], positions[ours]
            )
        if i != j:
            with locks[j]:
                kernels.push_columns(
                    products, shifts[ours], ours.start, best[theirs], positions[theirs], cuts
                )

    with threadpool_limits(1, user_api="blas"):  # the threads are ours
        each_block(run, len(pairs), 1)
    return best, positions


def _measure(
    queries: AnyFloats,
    values: AnyFloats,
    query_norms: Floats,
    norms: Floats,
    is_cosine: bool,
    positions: Codes,
) -> Floats:
    """Measure what was found in double precision, and sort it by distance, ties by position."""
    distances = np.empty(positions.shape)
    values = frozen(values)

    def run(worker: int, block: int, rows: slice) -> None:
        kernels.pair_distances(
            frozen(queries[rows]), values, frozen(query_norms[rows]), frozen(norms), is_cosine,
            positions[rows], distances[rows],
        )  # fmt: skip
        positions[rows], distances[rows] = _in_order(positions[rows], distances[rows])

    each_block(run, len(queries), BLOCK)
    return distances


def _unsure(distances: Floats, best: AnyFloats, space: _Space, k: int, is_cosine: bool) -> Ints:
    """Return the rows that may have a neighbour nearer than the k-th, missed by rounding.

    What is not in a list has a value of at most the list's last one, and the bound of rounding of
    a sum of d products, ``(d + 8) u |x| |y|``, says how far off that value can be.
    """
    last = best[:, -1].astype(np.float64)
    longest = float(space.lengths.max(initial=0.0))
    d = space.points.shape[1]
    slack = (d + 8) * 2.0**-24 * space.lengths * longest
    if is_cosine:
        nearest_missed = 1.0 - last - slack
        return np.flatnonzero(distances[:, k - 1] > nearest_missed)
    slack += 2.0**-23 * longest**2 + 2.0**-22 * space.lengths * longest  # shifts; centred rows
    nearest_missed = space.lengths**2 - 2.0 * (last + slack)
    return np.flatnonzero((distances[:, k - 1] / space.unit) ** 2 > nearest_missed)


def _scan(
    values: AnyFloats, queries: AnyFloats, k: int, is_cosine: bool, skip: Ints | None = None
) -> Nearest:
    """Search all rows for each query, in double precision; `skip` is each query's own row."""
    n, m = len(values), len(queries)
    norms, query_norms = row_norms(values), row_norms(queries)
    center = 0.0 if is_cosine else values.mean(axis=0, dtype=np.float64)
    width = min(k + SPARE, n if skip is None else n - 1)
    best, positions = np.full((m, width), -np.inf), np.full((m, width), -1, np.int32)
    asked = _slices(m)

    def run(worker: int, block: int, _: slice) -> None:
        ours = asked[block]
        own = queries[ours].astype(np.float64) - center
        for theirs in _slices(n):
            points = values[theirs].astype(np.float64) - center
            shifts = np.zeros(len(points))
            if is_cosine:
                # A row of zeros is at distance 1 from every other, and so is its product.
                points /= np.maximum(norms[theirs, None], np.finfo(np.float64).tiny)
                products = own @ points.T
                products /= np.maximum(query_norms[ours, None], np.finfo(np.float64).tiny)
            else:
                products = own @ points.T
                shifts = 0.5 * np.einsum("ij,ij->i", points, points)
            if skip is not None:
                inside = np.flatnonzero((skip[ours] >= theirs.start) & (skip[ours] < theirs.stop))
                products[inside, skip[ours][inside] - theirs.start] = -np.inf
            # No row of these blocks is the query's own in the kernel's sense.
            kernels.push_rows(
                frozen(products), frozen(shifts), n, theirs.start, best[ours], positions[ours]
            )

    with threadpool_limits(1, user_api="blas"):
        each_block(run, len(asked), 1)
    distances = _measure(queries, values, query_norms, norms, is_cosine, positions)
    return Nearest(positions[:, :k].copy(), distances[:, :k].copy())


def row_order(values: AnyFloats, metric: str) -> Callable[[Ints], Codes]:
    """Return what gives all other rows, nearest first and ties by position, for some rows.

    By products in double precision; equal rows are equally near.
    """
    space = _space(values, row_norms(values), metric == "cosine", np.float64)
    points, shifts = space.points, space.shifts
    n = len(points)

    def order(rows: Ints) -> Codes:
        with threadpool_limits(1, user_api="blas"):
            nearness = shifts - points[rows] @ points.T
        nearness.round(12, out=nearness)  # equal rows differ by rounding
        nearness[np.arange(len(rows)), rows] = np.inf
        found = np.argsort(nearness, axis=1, kind="stable")
        return np.ascontiguousarray(found[:, : n - 1].astype(np.int32))

    return order
