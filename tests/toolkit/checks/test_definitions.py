"""Each check does what its definition says: the specification's examples, and plain twins."""

from __future__ import annotations

import checks_reference as reference
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel import checks
from goldlabel.checks import drift
from goldlabel.neighbors import neighbor_graph

LINE = np.array([[0, 0.01, 1, 2.2, 3.5, 5, 6.6, 8.3, 10.1, 12, 14, 14.05]]).T


@st.composite
def small_sets(draw):
    n, d = draw(st.integers(5, 25)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.normal(size=(n, d)), rng.integers(0, 3, n)


# Outliers


def test_outliers_of_the_worked_example():
    found = checks.find_outliers(features=LINE, k=2)
    expected = [0.683088, 0.685670, 0.471921, 0.389303, 0.347634, 0.310426]
    np.testing.assert_allclose(found.scores[:6], expected, atol=1e-6)
    assert found.figures["scale"] == pytest.approx(1.325)
    assert found.figures["cut"] == pytest.approx(2.792752, abs=1e-5)
    assert found.num_issues == 0


def test_outliers_of_the_standalone_object():
    points = [[0, 0], [0, 1], [1, 0], [1, 1], [5, 5]]
    for t, first in ((1.0, 0.367879), (3.0, 0.049787)):
        typical = checks.OutOfDistribution(k=2, t=t)
        assert typical.fit_score(features=points)[0] == pytest.approx(first, abs=1e-6)
    typical = checks.OutOfDistribution(k=2)
    assert typical.fit_score(features=points)[4] == pytest.approx(0.002406, abs=1e-6)
    new = typical.score(features=[[0.5, 0.5], [10, 10], [0, 0]])
    assert new[:2] == pytest.approx([0.493069, 5.02e-5], abs=1e-6)


def test_probabilities_of_the_worked_example():
    probs = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.4, 0.3, 0.3], [0.05, 0.15, 0.8],
             [0.34, 0.33, 0.33]]  # fmt: skip
    labels = [0, 1, 0, 2, 1]
    expected = {
        ("entropy", True): [0.247121, 0.295541, 0.041933, 0.084008, 0.027283],
        ("entropy", False): [0.270153, 0.418328, 0.008841, 0.442142, 0.000091],
        ("least_confidence", True): [0.639731, 0.696970, 0.437710, 0.538721, 0.397306],
    }
    for (method, adjust), scores in expected.items():
        typical = checks.OutOfDistribution(method=method, adjust_pred_probs=adjust)
        got = typical.fit_score(pred_probs=probs, labels=labels if adjust else None)
        np.testing.assert_allclose(got, scores, atol=1e-6)


def test_gen_is_defined_on_the_probabilities():
    """DIVERGE 3-35: cleanlab takes a softmax of them first; certain rows score 1 here."""
    gen = checks.OutOfDistribution(method="gen", adjust_pred_probs=False)
    p = np.array([0.5, 0.3, 0.2])
    scores = gen.fit_score(pred_probs=[[1, 0, 0], p])
    assert scores[0] == 1.0
    assert scores[1] == pytest.approx(1 - np.mean((p * (1 - p)) ** 0.1))


def test_a_class_without_examples_shifts_nothing():
    """DIVERGE 3-36."""
    probs = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.6, 0.4, 0.0]])
    absent = checks.OutOfDistribution().fit_score(pred_probs=probs, labels=[0, 1, 0])
    assert np.ptp(absent) > 0.05


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_outliers_do_not_depend_on_the_unit(scale):
    points = np.random.default_rng(0).normal(size=(60, 2))
    points[7] = [9, 9]
    found = checks.find_outliers(features=points * scale)
    assert found.ranked()[0] == 7
    np.testing.assert_allclose(found.scores, checks.find_outliers(features=points).scores)


def test_equal_examples_are_no_outliers():
    found = checks.find_outliers(features=np.ones((30, 5)))
    assert (found.scores == 1).all()
    assert not found.is_found


def test_threshold_zero_flags_nothing():
    assert checks.find_outliers(features=LINE, k=2, threshold=0).num_issues == 0


# Near duplicates


def test_near_duplicates_of_the_worked_example():
    found = checks.find_near_duplicates(features=LINE, k=2)
    assert found.ranked().tolist() == [0, 1, 10, 11]
    assert found.frames["groups"]["examples"].tolist() == [[0, 1], [10, 11]]
    expected = [0.007968, 0.007968, 0.547062, 0.617107, 0.646545, 0.698806, 0.721963]
    np.testing.assert_allclose(found.scores[:7], expected, atol=1e-6)
    assert found.figures["cut"] == pytest.approx(0.1625)


def test_equal_examples_are_found_whatever_the_threshold():
    """DIVERGE 3-20: with threshold 0, and where most examples have a copy."""
    points = np.random.default_rng(0).normal(size=(20, 5))
    copied = np.vstack([points, points[:15]])
    found = checks.find_near_duplicates(features=copied, threshold=0)
    assert found.num_issues == 30
    near = copied.copy()
    near[34] = copied[33] + 1e-4
    assert 34 in checks.find_near_duplicates(features=near).ranked()


def test_groups_are_transitive_and_conflicts_come_first():
    points = np.array([[0.0], [0.1], [0.2], [10], [20], [30], [30.1], [41], [53], [66], [80]])
    labels = ["a", "a", "a", "b", "b", "b", "c", "c", "c", "c", "c"]
    found = checks.find_near_duplicates(features=points, labels=labels, k=1, keep="majority")
    groups = found.frames["groups"]
    assert groups["examples"].tolist() == [[5, 6], [0, 1, 2]]
    assert groups["is_conflict"].tolist() == [True, False]
    assert groups["labels"].tolist() == ["b, c", "a"]
    assert found.columns["is_kept"].sum() == 11 - 3


@pytest.mark.parametrize(("keep", "expected"), [("first", 0), ("last", 2), ("majority", 1)])
def test_which_example_is_kept(keep, expected):
    points = np.array([[0.0], [0.0], [0.0], [5], [9], [14]])
    found = checks.find_near_duplicates(features=points, labels=list("abbccc"), keep=keep, k=2)
    assert found.frames["groups"]["keep"].tolist() == [expected]
    assert np.flatnonzero(~found.columns["is_kept"]).tolist() == sorted({0, 1, 2} - {expected})


# Drift


def test_drift_of_the_worked_example():
    graph = neighbor_graph(np.arange(6.0)[:, None], k=2)
    neighbors = np.array([[1, 2], [2, 0], [3, 1], [4, 2], [5, 3], [4, 3]], dtype=np.int32)
    assert np.array_equal(np.sort(graph.neighbors), np.sort(neighbors))
    found = checks.find_drift(graph=graph)
    expected = [0.802625, 0.783482, 0.826765, 0.770811, 0.731729, 0.764505]
    np.testing.assert_allclose(found.scores, expected, atol=1e-6)
    assert drift._statistic(neighbors, np.arange(6)) == pytest.approx(0.416667, abs=1e-6)


@given(small_sets(), st.integers(1, 4))
@settings(max_examples=30)
def test_drift_equals_its_twin(data, k):
    graph = neighbor_graph(data[0], k=k)
    places = np.random.default_rng(0).permutation(len(graph))
    expected = reference.gap_statistic(graph.neighbors.tolist(), places.tolist())
    assert drift._statistic(graph.neighbors, places) == pytest.approx(expected)
    scores = checks.find_drift(graph=graph).scores
    np.testing.assert_allclose(scores, reference.order_scores(graph.neighbors), atol=2e-3)


def test_p_values_where_all_permutations_coincide():
    """DIVERGE 3-21."""
    found = checks.find_drift(features=np.arange(4.0)[:, None], k=3)
    assert found.score == 1.0


def test_counted_p_value_is_at_least_what_the_permutations_can_say():
    found = checks.find_drift(features=np.arange(300.0)[:, None])
    assert found.score < 1e-6
    assert found.figures["counted_p_value"] == pytest.approx(1 / 26)


def test_changes_are_where_they_were_planted():
    rng = np.random.default_rng(0)
    centers = np.repeat([0.0, 6.0, 0.0, -6.0], [120, 80, 150, 50])
    points = centers[:, None] + rng.normal(size=(400, 5))
    found = checks.find_drift(features=points, metric="euclidean")
    assert found.frames["segments"]["start"].tolist() == [0, 120, 200, 350]
    shuffled = checks.find_drift(features=rng.permutation(points), metric="euclidean")
    assert not shuffled.is_found


def test_the_global_generator_is_left_alone():
    """DIVERGE 3-23."""
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    checks.find_drift(features=LINE)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


# Classes, groups, values, tables


def test_class_imbalance():
    """DIVERGE 3-25: a class without examples is not the rarest."""
    labels = pd.Categorical(["a"] * 9 + ["c"] * 3, categories=["a", "b", "c"])
    found = checks.find_class_imbalance(labels=labels)
    assert found.figures["rarest_class"] == "c"
    assert found.figures["absent_classes"] == ["b"]
    assert not found.is_found
    assert found.score == 0.25
    assert found.scores.tolist() == [1.0] * 9 + [0.25] * 3


def test_groups_of_the_worked_example():
    """DIVERGE 3-26: the worst is reported, not the next to it; 3-28: and all that are as bad."""
    quality = np.repeat([0.5, 0.53, 0.95, 0.95], [10, 10, 40, 40])
    probs = np.column_stack([quality, 1 - quality])
    options = {"labels": [0] * 100, "pred_probs": probs, "classes": [0, 1],
               "cluster_ids": np.repeat([0, 1, 2, 3], [10, 10, 40, 40])}  # fmt: skip
    found = checks.find_underperforming_groups(**options, threshold=0.9)
    assert found.score == pytest.approx(0.579374, abs=1e-6)
    assert found.frames["groups"]["ratio"][:2].tolist() == pytest.approx(
        [0.579374, 0.614137], abs=1e-6
    )
    assert np.flatnonzero(found.is_issue).tolist() == list(range(20))
    strict = checks.find_underperforming_groups(**options, threshold=0.6)
    assert np.flatnonzero(strict.is_issue).tolist() == list(range(10))


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_groups_do_not_depend_on_the_unit(scale):
    """DIVERGE 3-27."""
    rng = np.random.default_rng(0)
    points = np.vstack([rng.normal(c, 0.3, size=(60, 2)) for c in (0, 5, 10)])
    quality = np.repeat([0.9, 0.05, 0.9], 60)
    found = checks.find_underperforming_groups(
        labels=[0] * 180, pred_probs=np.column_stack([quality, 1 - quality]), classes=[0, 1],
        features=points * scale,
    )  # fmt: skip
    flagged = np.flatnonzero(found.is_issue)
    assert len(flagged) > 45
    assert ((flagged >= 60) & (flagged < 120)).all()
    assert (found.frames["groups"].query("is_issue")["p_value"] < 0.01).any()


def test_groups_at_random_are_rarely_significant():
    rng = np.random.default_rng(0)
    named = 0
    for _ in range(100):
        p = rng.beta(5, 2, 300)
        found = checks.find_underperforming_groups(
            labels=[0] * 300, pred_probs=np.column_stack([p, 1 - p]), classes=[0, 1],
            cluster_ids=rng.integers(0, 10, 300),
        )  # fmt: skip
        named += found.figures["worse_than_chance"] > 0
    assert named <= 12


def test_null_values_of_the_worked_example():
    nan = np.nan
    table = [[nan, 1, 1], [nan] * 3, [1, 1, 1], [nan, 1, 1]]
    found = checks.find_null_values(features=table)
    assert found.score == pytest.approx(7 / 12)
    assert found.frames["columns"]["missing"].tolist() == [0.75, 0.25, 0.25]
    assert found.frames["patterns"].iloc[0].tolist() == ["100", 2, 0]
    assert checks.find_null_values(features=np.ones((3, 2))).frames["patterns"].empty


def test_identifier_columns():
    """DIVERGE 3-30: classes coded 0, 1, 2 are none."""
    table = pd.DataFrame({
        "run": [4, 5, 5, 6, 7, 8, 9, 10], "class": [0, 1, 2, 0, 1, 2, 0, 1],
        "gap": [1, 2, 3, 4, 5, 6, 7, 9], "same": [3] * 8, "float": np.arange(8.0),
        "text": list("abcdefgh"),
    })  # fmt: skip
    found = checks.find_identifier_columns(table=table)
    assert found.figures["identifier_columns"] == ["run"]
    assert checks.find_identifier_columns(table=table, min_distinct=1).score == 1.0


def test_values_of_the_worked_example():
    points, labels = [[0.0], [1], [2.5], [4.5], [7]], [0, 0, 1, 1, 0]
    expected = {
        3: [0.533333, 0.533333, 0.5, 0.5, 0.5],
        2: [0.55, 0.5, 0.55, 0.5, 0.5],
        1: [0.5] * 5,
    }
    for k, scores in expected.items():
        found = checks.data_values(features=points, labels=labels, k=k)
        np.testing.assert_allclose(found.scores, scores, atol=1e-6)


@given(small_sets(), st.integers(1, 4))
@settings(max_examples=50)
def test_values_equal_their_twin(data, k):
    points, labels = data
    graph = neighbor_graph(points, k=k)
    found = checks.data_values(graph=graph, labels=labels)
    expected = reference.knn_shapley(graph.neighbors, labels, k)
    np.testing.assert_allclose(found.columns["value"], expected, atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 4, 9])
def test_exact_values_are_shapley_values(k):
    rng = np.random.default_rng(k)
    points, labels = rng.normal(size=(6, 2)), rng.integers(0, 2, 6)
    expected = np.zeros(6)
    for a, row in enumerate(reference.distances(points, "euclidean")):
        order = [int(b) for b in np.argsort(row) if b != a]
        forced = reference.shapley_by_force(order, labels, labels[a], k)
        for b, value in forced.items():
            expected[b] += value / 6
    found = checks.data_values(features=points, labels=labels, k=k, exact=True)
    np.testing.assert_allclose(found.columns["value"], expected, atol=1e-12)


def test_a_wide_horizon_is_nearly_exact_and_a_narrow_one_is_not():
    """DIVERGE 3-37."""
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(200, 4)), rng.integers(0, 2, 200)
    true = checks.data_values(features=points, labels=labels, k=5, exact=True).columns["value"]
    errors = [
        np.abs(
            checks.data_values(features=points, labels=labels, k=5, horizon=h).columns["value"]
            - true
        ).max()
        for h in (5, 50, 199)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.01


def test_votes_have_a_column_for_every_class_and_copies_do_no_harm():
    """DIVERGE 3-17 and 3-19."""
    points = np.vstack([np.zeros((8, 2)), np.ones((4, 2)) * 3])
    labels = pd.Categorical(["a"] * 7 + ["b"] * 5, categories=["a", "b", "none"])
    votes = checks.neighbor_votes(labels, features=points, k=3)
    assert votes.shape == (12, 3)
    assert ((votes >= 0) & (votes.sum(axis=1, keepdims=True) == 1)).all()


def test_wrong_label_of_the_worked_example():
    points = np.repeat([0.0, 4.0], 10)[:, None] + np.tile(np.linspace(0, 0.3, 10), 2)[:, None]
    labels = np.repeat([0, 1], 10)
    labels[0] = 1
    found = checks.find_wrong_labels(labels=labels, features=points, k=3, min_examples_per_class=1)
    assert found.ranked().tolist() == [0]
    assert found.scores[0] == 0.0


def test_a_spurious_column_is_found_and_an_unbalanced_label_is_none():
    """DIVERGE 3-33: the share of the largest class, not its index."""
    rng = np.random.default_rng(0)
    labels = np.array([0] * 80 + [1] * 20)
    table = pd.DataFrame({
        "constant": np.ones(100), "noise": rng.normal(size=100),
        "bright": labels + 0.1 * rng.normal(size=100),
        "source": np.where(labels == 1, "web", "lab"), "name": [f"row {i}" for i in range(100)],
    })  # fmt: skip
    found = checks.find_spurious_correlations(table=table, labels=labels)
    columns = found.frames["columns"].set_index("column")
    assert set(columns.index[columns["is_issue"]]) == {"bright", "source"}
    assert columns.loc["constant", "score"] == 1.0
    assert columns.loc["noise", "p_value"] > 0.05
    assert columns.loc["bright", "p_value"] == 0.01
    assert "'name'" in found.notes[0]


# Two sets


def test_leakage_by_features():
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(200, 8)), rng.normal(size=(50, 8))
    test[3], test[4] = train[17], train[18] + 1e-3
    found = checks.find_leakage(train_features=train, test_features=test)
    assert found.ranked().tolist() == [3, 4]
    assert found.columns["train_example"][[3, 4]].tolist() == [17, 18]


def test_leakage_by_text_names_the_training_example():
    train = [
        "I lost my card in London",
        "where is my money",
        "hello there friend",
        "Hello there friend",
    ]
    test = ["hello, there friend!", "I lost my card in  Londom", "something else entirely", "where"]
    found = checks.find_leakage(train_text=train, test_text=test, threshold=0.6)
    assert found.is_issue.tolist() == [True, True, False, False]
    assert found.columns["train_example"].tolist() == [2, 0, -1, -1]


def test_leakage_through_copies_within_the_test_split():
    train, test = ["the quick brown fox jumps"], ["the quick brown fox jumped"] * 3
    found = checks.find_leakage(train_text=train, test_text=test)
    assert found.columns["train_example"].tolist() == [0, 0, 0]


def test_new_data():
    rng = np.random.default_rng(0)
    old, new = rng.normal(size=(400, 3)), rng.normal(size=(100, 3))
    calm = checks.compare_new_data(features=new, reference_features=old)
    assert calm.figures["drift_p_value"] > 0.05
    assert calm.num_issues < 10
    new[:5] += 12
    moved = checks.compare_new_data(
        features=new, reference_features=old, labels=["a"] * 99 + ["z"], reference_labels=["a", "b"]
    )
    assert {0, 1, 2, 3, 4, 99} <= set(np.flatnonzero(moved.is_issue).tolist())
    assert moved.figures["new_classes"] == ["z"]
    drifted = checks.compare_new_data(features=rng.normal(0.8, 1, (100, 3)), reference_features=old)
    assert drifted.figures["drift_p_value"] < 0.05


@given(small_sets(), st.floats(0.1, 3.0), st.integers(2, 5))
@settings(max_examples=40)
def test_clusters_equal_those_of_scikit_learn(data, eps, min_samples):
    from scipy.sparse import csr_matrix
    from sklearn.cluster import DBSCAN

    from goldlabel.checks.groups import _dbscan

    points, _ = data
    graph = neighbor_graph(points, metric="euclidean")
    m, k = graph.neighbors.shape
    rows = np.repeat(np.arange(m), k + 1)
    columns = np.hstack([np.arange(m)[:, None], graph.neighbors]).ravel()
    lengths = np.hstack([np.zeros((m, 1)), graph.distances]).ravel()
    matrix = csr_matrix((m, m))
    matrix.data, matrix.indices = lengths, columns.astype(np.int32)
    matrix.indptr = np.bincount(rows + 1, minlength=m + 1).cumsum().astype(np.int32)
    found = DBSCAN(eps=eps, min_samples=min_samples, metric="precomputed").fit(matrix)
    ours = _dbscan(graph, eps, min_samples)
    assert np.array_equal(ours < 0, found.labels_ < 0)
    clusters = set(zip(ours[ours >= 0], found.labels_[ours >= 0], strict=True))
    assert len(clusters) == len(set(ours[ours >= 0])) == len(set(found.labels_) - {-1})
