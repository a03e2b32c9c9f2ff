"""The graph of nearest neighbours: built from features, or taken from a caller and checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.kernels import neighbors as kernels
from goldlabel.typing import Codes, Floats, Ints

from . import approximate
from .exact import Nearest, nearest_of_each
from .features import Features, distinct_rows, usable_features

__all__ = ["DEFAULT_K", "Metric", "NeighborGraph", "Search", "as_graph", "neighbor_graph"]

Metric = Literal["cosine", "euclidean"]
Search = Literal["auto", "exact", "approximate"]

DEFAULT_K = 10
FEW_COLUMNS = 3
"""Up to so many features are measured by Euclidean distance."""
EXACT_UP_TO = 200_000
"""Rows from which an approximate search is made, if the library is there."""


@dataclass(frozen=True, eq=False)
class NeighborGraph:
    """The k nearest neighbours of each example, nearest first.

    Examples whose features are incomplete are not in it: it has m <= n rows.

    Attributes
    ----------
    neighbors : ndarray of shape (m, k), int32
        Rows of the graph, not the row itself.
    distances : ndarray of shape (m, k), float64
        Ascending in each row.
    metric : {"cosine", "euclidean"}, optional
        None where a caller's graph does not say.
    rows : ndarray of shape (m,), int64
        Positions of the graph's rows among the n examples.
    n : int
        Examples in all.
    recall : float, optional
        Estimated share of the true neighbours that are in it; None where the search was exact.
    notes : tuple of str
        What was left out or assumed.
    """

    neighbors: Codes
    distances: Floats
    metric: Metric | None
    rows: Ints
    n: int
    recall: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def k(self) -> int:
        """Neighbours of each row."""
        return int(self.neighbors.shape[1])

    def __len__(self) -> int:
        return len(self.neighbors)

    def first(self, k: int) -> NeighborGraph:
        """Return the graph of the k nearest only."""
        if k == self.k:
            return self
        return replace(self, neighbors=self.neighbors[:, :k], distances=self.distances[:, :k])

    def spread(self, values: npt.NDArray[Any], fill: Any) -> npt.NDArray[Any]:
        """Return values of the graph's rows as values of all n examples, `fill` for the others."""
        if len(values) == self.n:
            return values
        out = np.full((self.n, *values.shape[1:]), fill, dtype=values.dtype)
        out[self.rows] = values
        return out


def neighbor_graph(
    features: Any,
    *,
    k: int | None = None,
    metric: Metric | None = None,
    search: Search = "auto",
) -> NeighborGraph:
    """Find the k nearest neighbours of each example.

    Parameters
    ----------
    features : array_like of shape (n, d)
        Numbers, e.g. embeddings. Columns without any number and incomplete rows are left out.
    k : int, optional
        Neighbours of each example; 10, or one less than there are rows, if not given.
    metric : {"cosine", "euclidean"}, optional
        Cosine distance, ``1 - cos``, for more than 3 features, if not given. An example of zeros
        has distance 1 from all others.
    search : {"auto", "exact", "approximate"}
        "auto" is exact up to 200,000 rows, and beyond where faiss is not installed.

    Returns
    -------
    NeighborGraph

    Raises
    ------
    InputError
        Features are no table of numbers, or there are not more than k rows.

    Examples
    --------
    >>> graph = neighbor_graph([[0.0], [0.0], [0.0], [0.0], [1.0], [2.0]], k=2)
    >>> graph.neighbors.tolist()
    [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1], [4, 0]]
    >>> graph.metric, graph.recall
    ('euclidean', None)
    """
    usable = usable_features(features)
    m, d = usable.values.shape
    if m < 2:
        raise InputError("features", f"has {m} complete row", "Pass at least 2")
    notes = usable.notes
    if k is None:
        k = min(DEFAULT_K, m - 1)
        if k < DEFAULT_K:
            notes += (f"There are {m} rows, so each has only {k} neighbours.",)
    k = check.whole_number(k, name="k", low=1)
    if k >= m:
        raise InputError("k", f"is {k}, but there are {m} rows", f"Pass 1 .. {m - 1}")
    kind: Metric = metric or ("cosine" if d > FEW_COLUMNS else "euclidean")
    check.choice(kind, ("cosine", "euclidean"), name="metric")
    check.choice(search, ("auto", "exact", "approximate"), name="search")
    nearest, recall, note = _found(usable, k, kind, search)
    return NeighborGraph(
        nearest.positions, nearest.distances, kind, usable.rows, usable.n, recall, notes + note
    )


def _found(
    usable: Features, k: int, metric: Metric, search: Search
) -> tuple[Nearest, float | None, tuple[str, ...]]:
    """Search among distinct rows, and give equal ones to each other."""
    distinct = distinct_rows(usable.values)
    has_equal = len(distinct) < len(usable.values)
    values = usable.values[distinct.first] if has_equal else usable.values
    m = len(values)
    is_many = search == "auto" and m > EXACT_UP_TO
    narrow = min(k, m - 1)
    recall, note = None, ""
    if not narrow:  # all rows are equal
        nearest = Nearest(np.empty((m, 0), np.int32), np.empty((m, 0)))
    elif search == "approximate" or (is_many and approximate.is_installed()):
        nearest = approximate.nearest_approximately(values, narrow, metric)
        recall = approximate.estimated_recall(values, nearest, metric)
        note = f"Neighbours were searched approximately: {recall:.1%} of them were found."
    else:
        nearest = nearest_of_each(values, narrow, metric)
        if is_many:
            note = "pip install 'goldlabel[neighbors]' finds neighbours of so many rows faster."
    if has_equal:
        nearest = _expanded(nearest, distinct, len(usable.values), k)
    return nearest, recall, (note,) if note else ()


def _expanded(nearest: Nearest, distinct: Any, m: int, k: int) -> Nearest:
    positions, distances = np.empty((m, k), np.int32), np.empty((m, k))
    kernels.expand(
        distinct.groups, distinct.offsets, distinct.members, *nearest, positions, distances
    )
    return Nearest(positions, distances)


def as_graph(
    features: Any = None,
    graph: Any = None,
    *,
    k: int | None = None,
    metric: Metric | None = None,
    n: int | None = None,
    at_least: bool = False,
) -> NeighborGraph:
    """Return the graph that a check works on: a caller's, or a new one from features.

    Parameters
    ----------
    features : array_like of shape (n, d), optional
    graph : optional
        A `NeighborGraph`; a sparse matrix (n, n) with the same number of distances in each row;
        ``(distances, indices)``; or a search index with ``kneighbors``, fitted on the examples.
    k : int, optional
        Neighbours to use: the k nearest of each example are taken of a graph with more.
    metric : {"cosine", "euclidean"}, optional
        For a new graph.
    n : int, optional
        Examples there have to be.
    at_least : bool
        Whether a graph of fewer neighbours is refused; else all it has are used.

    Raises
    ------
    InputError
        Neither is given, or the graph is none.

    Examples
    --------
    >>> as_graph(graph=([[0.5], [0.5]], [[1], [0]])).distances.tolist()
    [[0.5], [0.5]]
    """
    if graph is None and features is None:
        raise InputError("features", "are missing, and so is a graph", "Pass one of the two")
    if graph is None:
        found = neighbor_graph(features, k=k, metric=metric)
    elif isinstance(graph, NeighborGraph):
        found = graph
    else:
        found = _checked(*_arrays(graph, k), metric)
    if n is not None and found.n != n:
        name = "features" if graph is None else "graph"
        raise InputError(
            name, f"is of {found.n} examples, but there are {n}", "Pass a row for each example"
        )
    if k is not None and found.k < check.whole_number(k, name="k", low=1) and at_least:
        raise InputError(
            "graph", f"has {found.k} neighbours of each example, not {k}", "Pass a graph with more"
        )
    return found if k is None else found.first(min(k, found.k))


def _arrays(graph: Any, k: int | None) -> tuple[Any, Any, str | None]:
    """Return distances, indices and metric of whatever holds a graph."""
    if isinstance(graph, tuple) and len(graph) == 2:
        return graph[0], graph[1], None
    ask: Callable[..., Any] | None = getattr(graph, "kneighbors", None)
    if ask is not None:
        distances, indices = ask(n_neighbors=k) if k is not None else ask()
        return distances, indices, getattr(graph, "effective_metric_", None)
    if hasattr(graph, "tocsr"):
        matrix = graph.tocsr()
        counts = np.diff(matrix.indptr)
        if matrix.shape[0] != matrix.shape[1] or not counts.size:
            raise InputError("graph", f"has shape {matrix.shape}", "Pass a matrix of n x n")
        uneven = np.flatnonzero(counts != counts[0])
        if uneven.size:
            raise InputError(
                f"graph[{uneven[0]}]",
                f"has {counts[uneven[0]]} entries, and row 0 has {counts[0]}",
                "Store the same number of neighbours in each row, those at distance 0 too",
            )
        shape = matrix.shape[0], int(counts[0])
        return matrix.data.reshape(shape), matrix.indices.reshape(shape), None
    raise InputError(
        "graph",
        f"is a {type(graph).__name__}",
        "Pass a NeighborGraph, a sparse matrix, (distances, indices), or a fitted search index",
    )


def _checked(
    distances: Any, indices: Any, metric: str | None, asked: Metric | None
) -> NeighborGraph:
    """Return arrays as a graph if they are one; rows are sorted by distance, as ranks matter."""
    try:
        lengths, rows = np.asarray(distances, np.float64), np.asarray(indices)
    except (ValueError, TypeError) as error:
        raise InputError("graph", f"is no array ({error})", "Pass rows of one length") from error
    if lengths.ndim != 2 or lengths.shape != rows.shape or not lengths.shape[1]:
        what = f"has distances of shape {lengths.shape} and indices of shape {rows.shape}"
        raise InputError("graph", what, "Pass two arrays of shape (n, k), k at least 1")
    n = len(lengths)
    for bad, what, fix in (
        (~(lengths >= 0) | np.isinf(lengths), "is no distance", "Pass numbers, 0 or more"),
        (rows.dtype.kind not in "iu" or (rows < 0) | (rows >= n), f"is not of the {n} examples",
         "Pass their positions as whole numbers"),
        (rows == np.arange(n)[:, None], "is the example itself", "Leave it out"),
    ):  # fmt: skip
        if np.any(bad):
            at = np.argwhere(np.broadcast_to(bad, rows.shape))
            row, column = at[0].tolist()
            value = f"neighbour {rows[row, column]} at distance {lengths[row, column]:g}"
            raise InputError(f"graph[{row}, {column}]", f"{value} {what} ({len(at)} such)", fix)
    order = np.lexsort((rows, lengths), axis=1)
    rows = np.take_along_axis(rows, order, 1).astype(np.int32)
    ranked = np.sort(rows, axis=1)
    twice = np.flatnonzero((ranked[:, 1:] == ranked[:, :-1]).any(axis=1))
    if twice.size:
        what = f"names a neighbour twice ({twice.size} such rows)"
        raise InputError(f"graph[{twice[0]}]", what, "Name each neighbour once")
    kinds: dict[str | None, Metric] = {"cosine": "cosine", "euclidean": "euclidean"}
    kind = kinds.get(metric, asked)
    return NeighborGraph(rows, np.take_along_axis(lengths, order, 1), kind, np.arange(n), n)
