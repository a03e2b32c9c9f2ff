"""Neighbours: the definition on any points, graphs of callers, approximate search."""

from __future__ import annotations

import importlib.util

import checks_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from goldlabel.errors import InputError, MissingExtra
from goldlabel.kernels import rows
from goldlabel.neighbors import NeighborGraph, approximate, as_graph, exact, neighbor_graph
from goldlabel.neighbors.features import distinct_rows


@st.composite
def points(draw):
    n, d = draw(st.integers(2, 40)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["normal", "grid", "copies", "shifted", "tiny", "huge"]))
    values = rng.normal(size=(n, d))
    if kind == "grid":
        values = rng.integers(-1, 2, size=(n, d)).astype(float)
    elif kind == "copies":
        values = values[rng.integers(0, max(n // 3, 1), n)]
    elif kind == "shifted":
        values = 1e-3 * values + 50
    elif kind == "tiny":
        values *= 1e-30
    elif kind == "huge":
        values *= 1e30
    return values.astype(draw(st.sampled_from([np.float32, np.float64])))


@given(points(), st.integers(1, 12), st.sampled_from(["cosine", "euclidean"]))
@settings(max_examples=200)
def test_distances_are_those_of_the_definition(values, k, metric):
    k = min(k, len(values) - 1)
    graph = neighbor_graph(values, k=k, metric=metric)
    expected = reference.nearest(values, k, metric)
    scale = 1.0 if metric == "cosine" else max(expected.max(), 1e-300)
    np.testing.assert_allclose(graph.distances / scale, expected / scale, atol=1e-12)
    all_distances = reference.distances(values, metric)
    rows_ = np.arange(len(values))[:, None]
    np.testing.assert_allclose(
        all_distances[rows_, graph.neighbors] / scale, expected / scale, atol=1e-12
    )
    assert (graph.neighbors != rows_).all()
    assert all(len(set(row)) == k for row in graph.neighbors.tolist())


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("d", [2, 40])
def test_several_blocks(metric, d, monkeypatch):
    monkeypatch.setattr(exact, "BLOCK", 32)
    values = np.random.default_rng(0).normal(size=(150, d))
    graph = neighbor_graph(values, k=9, metric=metric)
    np.testing.assert_allclose(graph.distances, reference.nearest(values, 9, metric), atol=1e-12)


def test_same_bits_for_any_number_of_threads(monkeypatch):
    values = np.random.default_rng(0).normal(size=(2500, 16)).astype(np.float32)
    graphs = []
    for threads in (1, 3):
        monkeypatch.setattr(rows, "thread_count", lambda threads=threads: threads)
        graphs.append(neighbor_graph(values))
    assert np.array_equal(graphs[0].neighbors, graphs[1].neighbors)
    assert np.array_equal(graphs[0].distances, graphs[1].distances)


def test_rows_that_single_precision_cannot_tell_apart_are_searched_again():
    """Neighbours of rows near each other and far from the rest."""
    rng = np.random.default_rng(0)
    values = 1.0 + 1e-7 * rng.normal(size=(80, 30))
    graph = neighbor_graph(values, k=5, metric="cosine")
    difference = graph.distances - reference.nearest(values, 5, "cosine")
    assert np.abs(difference).max() < 1e-15


def test_a_row_of_zeros_is_at_distance_one():
    values = np.eye(5)
    values[2] = 0
    graph = neighbor_graph(values, k=4)
    assert (graph.distances == 1).all()


def test_equal_rows_are_each_others_neighbours_even_where_there_are_more_than_k():
    values = np.array([[0.0, 0.0]] * 4 + [[1.0, 1.0], [2.0, 2.0]])
    graph = neighbor_graph(values, k=2)
    assert graph.neighbors[:4].tolist() == [[1, 2], [0, 2], [0, 1], [0, 1]]
    assert graph.neighbors[5, 0] == 4
    everything = neighbor_graph(np.ones((6, 3)), k=5)
    assert (everything.distances == 0).all()


@pytest.mark.parametrize("k", [17, 20, 50])
def test_rows_stay_sorted_with_many_copies(k):
    """DIVERGE 3-14: cleanlab leaves the rows of ten copies unsorted for k > 16."""
    values = np.random.default_rng(1).normal(size=(80, 4))
    values[:10] = values[0]
    graph = neighbor_graph(values, k=k)
    assert (np.diff(graph.distances, axis=1) >= 0).all()
    assert (graph.distances[:10, :9] == 0).all()


def test_zeros_of_both_signs_are_equal_and_hashes_that_agree_are_compared(monkeypatch):
    values = np.array([[0.0, 1.0], [-0.0, 1.0], [2.0, 3.0], [0.0, 1.0]])
    assert distinct_rows(values).groups.tolist() == [0, 0, 1, 0]
    from goldlabel.neighbors import features

    monkeypatch.setattr(features, "_hashes", lambda v: np.zeros(len(v), np.uint64))
    assert distinct_rows(values).groups.tolist() == [0, 0, 1, 0]


def test_incomplete_rows_and_empty_columns_are_left_out():
    """DIVERGE 3-11."""
    values = np.random.default_rng(0).normal(size=(30, 5))
    clean = neighbor_graph(np.delete(values, [3, 7], axis=0))
    broken = np.hstack([values, np.full((30, 1), np.nan)])
    broken[3, 1], broken[7, 0] = np.nan, np.inf
    graph = neighbor_graph(broken)
    assert graph.n == 30
    assert graph.rows.tolist() == [i for i in range(30) if i not in (3, 7)]
    np.testing.assert_array_equal(graph.distances, clean.distances)
    assert graph.notes == (
        "features: 1 of 6 columns hold no number (the first is column 5) and were left out.",
        "features: 2 of 30 rows hold a NaN or an infinity (the first is row 3); they were left out,"
        " and are not flagged.",
    )
    assert graph.spread(np.ones(28), 0.5)[[3, 4]].tolist() == [0.5, 1.0]


def test_few_rows_have_fewer_neighbours_and_a_note():
    """DIVERGE 3-10."""
    graph = neighbor_graph(np.eye(4))
    assert graph.k == 3
    assert "only 3 neighbours" in graph.notes[0]


def given_graphs(values):
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=4).fit(values)
    distances, indices = index.kneighbors()
    return {
        "index": index,
        "arrays": (distances, indices),
        "sparse": index.kneighbors_graph(mode="distance"),
        "ours": neighbor_graph(values, k=4, metric="euclidean"),
    }


def test_graphs_of_callers_are_the_same_graph():
    values = np.random.default_rng(0).normal(size=(40, 5))
    expected = neighbor_graph(values, k=4, metric="euclidean")
    for name, graph in given_graphs(values).items():
        found = as_graph(graph=graph, k=4)
        np.testing.assert_array_equal(found.neighbors, expected.neighbors, err_msg=name)
        np.testing.assert_allclose(found.distances, expected.distances, err_msg=name)


def test_a_sparse_graph_with_sorted_columns_is_put_in_order():
    """DIVERGE 3-12."""
    values = np.random.default_rng(0).normal(size=(40, 5))
    graph = given_graphs(values)["sparse"]
    graph.sort_indices()
    found = as_graph(graph=graph)
    assert (np.diff(found.distances, axis=1) >= 0).all()


def test_checks_use_the_first_k_of_a_wider_graph():
    """DIVERGE 3-16."""
    values = np.random.default_rng(0).normal(size=(40, 5))
    wide, narrow = neighbor_graph(values, k=20), neighbor_graph(values, k=5)
    assert np.array_equal(as_graph(graph=wide, k=5).neighbors, narrow.neighbors)


@pytest.mark.parametrize(
    ("graph", "where", "what"),
    [
        (([[0.1], [0.1]], [[0], [0]]), "graph[0, 0]", "the example itself"),
        (([[-0.1], [0.1]], [[1], [0]]), "graph[0, 0]", "no distance"),
        (([[np.nan], [0.1]], [[1], [0]]), "graph[0, 0]", "no distance"),
        (([[0.1], [0.1]], [[1], [2]]), "graph[1, 0]", "not of the 2 examples"),
        (([[0.1], [0.1]], [[1], [-1]]), "graph[1, 0]", "not of the 2 examples"),
        (([[0.1], [0.1]], [[1.0], [0.0]]), "graph[0, 0]", "not of the 2 examples"),
        (([[0.1, 0.2]] * 3, [[1, 1], [0, 2], [0, 1]]), "graph[0]", "twice"),
        (([[0.1], [0.1, 0.2]], [[1], [0]]), "graph", "no array"),
        (([0.1, 0.1], [1, 0]), "graph", "shape (2,)"),
        (csr_matrix(([1.0, 1.0, 1.0], ([0, 0, 1], [1, 2, 0])), shape=(3, 3)), "graph[1]", "row 0"),
        (csr_matrix((2, 3)), "graph", "shape (2, 3)"),
        ("a graph", "graph", "is a str"),
    ],
)
def test_what_is_no_graph_is_refused(graph, where, what):
    with pytest.raises(InputError) as caught:
        as_graph(graph=graph)
    assert caught.value.where == where
    assert what in caught.value.what


def test_approximate_search():
    if importlib.util.find_spec("faiss") is None:
        with pytest.raises(MissingExtra, match="neighbors"):
            neighbor_graph(np.eye(20), search="approximate")
        return
    values = np.random.default_rng(0).normal(size=(3000, 16)).astype(np.float32)
    for metric in ("cosine", "euclidean"):
        graph = neighbor_graph(values, search="approximate", metric=metric)
        true = neighbor_graph(values, metric=metric)
        shared = np.mean(
            [
                len(set(a) & set(b)) / 10
                for a, b in zip(graph.neighbors, true.neighbors, strict=True)
            ]
        )
        assert shared > 0.9
        assert abs(graph.recall - shared) < 0.03
        again = neighbor_graph(values, search="approximate", metric=metric)
        assert np.array_equal(graph.neighbors, again.neighbors)


def test_recall_counts_what_is_missing(monkeypatch):
    values = np.random.default_rng(0).normal(size=(200, 8))
    graph = neighbor_graph(values, k=10)
    wrong = NeighborGraph(**{**graph.__dict__, "distances": graph.distances.copy()})
    wrong.distances[:, 5:] = 9.0
    nearest = exact.Nearest(wrong.neighbors, wrong.distances)
    assert approximate.estimated_recall(values, nearest, "cosine") == 0.5
