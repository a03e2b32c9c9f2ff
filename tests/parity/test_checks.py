"""Checks of a dataset against cleanlab's Datalab: scores, flags and scores of the set.

Where the two are meant to differ, the test names the DIVERGE entry and says what still holds.
cleanlab measures float32 features in single precision: scores agree to 1e-5 there.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from goldlabel import checks
from goldlabel.neighbors import neighbor_graph


def datalab(labels=None, issue_types=None, task="classification", **inputs):
    """Return what cleanlab finds: the frame of issues, set scores by type, and the object."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cleanlab import Datalab

        n = np.shape(next(iter(inputs.values())))[0] if inputs else len(labels)
        columns = {"id": list(range(n))} | ({} if labels is None else {"y": list(labels)})
        lab = Datalab(columns, label_name=None if labels is None else "y", task=task, verbosity=0)
        lab.find_issues(issue_types=issue_types, **inputs)
    return lab


def same(lab, found, *, atol=1e-7, flags=True):
    """Check that scores, flags and the score of the set are equal.

    cleanlab takes distances below 1e-8 for none.
    """
    frame, name = lab.get_issues(), found.check
    np.testing.assert_allclose(found.scores, frame[f"{name}_score"], atol=atol)
    if flags:
        np.testing.assert_array_equal(found.is_issue, frame[f"is_{name}_issue"])
        assert found.score == pytest.approx(lab.get_issue_summary(name)["score"].item(), abs=1e-5)


def planted(seed, n=300, d=8):
    """Return features with outliers and near duplicates, labels with errors, probabilities."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    features = np.eye(3, d)[labels] * 3 + rng.normal(size=(n, d))
    features[:5] *= -6
    features[10:14] = features[20:24] + 1e-4
    probs = rng.dirichlet([1, 1, 1], n) + 3 * np.eye(3)[labels]
    labels[30:40] = (labels[30:40] + 1) % 3
    return features, labels, probs / probs.sum(axis=1, keepdims=True)


@pytest.fixture(params=["cosine", "euclidean"])
def metric(request):
    return request.param


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_checks_of_planted_sets(seed, dtype):
    features, labels, probs = planted(seed)
    features = features.astype(dtype)
    lab = datalab(labels, features=features, pred_probs=probs)
    graph = neighbor_graph(features)
    atol = 1e-7 if dtype == np.float64 else 2e-5
    same(lab, checks.find_null_values(features=features))
    same(lab, checks.find_wrong_labels(labels=labels, pred_probs=probs))
    same(lab, checks.find_outliers(graph=graph), atol=atol)
    same(lab, checks.find_near_duplicates(graph=graph), atol=atol)
    same(lab, checks.find_class_imbalance(labels=labels))
    drift = checks.find_drift(graph=graph)
    np.testing.assert_allclose(drift.scores, lab.get_issues("non_iid")["non_iid_score"], atol=1e-9)


@pytest.mark.parametrize("k", [3, 10, 25])
def test_numbers_of_neighbours_and_metrics(k, metric):
    features, labels, _ = planted(0)
    types = {name: {"k": k, "metric": metric}
             for name in ("outlier", "near_duplicate", "data_valuation")}  # fmt: skip
    lab = datalab(labels, types, features=features)
    options = {"features": features, "k": k, "metric": metric}
    same(lab, checks.find_outliers(**options))
    same(lab, checks.find_near_duplicates(**options))
    same(lab, checks.data_values(**options, labels=labels))


@pytest.mark.parametrize("threshold", [0.05, 0.5, 1.0])
def test_thresholds(threshold):
    features, labels, _ = planted(1)
    types = {"outlier": {"threshold": threshold}, "near_duplicate": {"threshold": threshold}}
    lab = datalab(labels, types, features=features)
    same(lab, checks.find_outliers(features=features, threshold=threshold))
    same(lab, checks.find_near_duplicates(features=features, threshold=threshold))


def test_few_columns():
    features, labels, _ = planted(2, d=3)
    lab = datalab(labels, features=features)
    same(lab, checks.find_outliers(features=features))
    same(lab, checks.find_near_duplicates(features=features))


@pytest.mark.parametrize("adjust", [True, False])
@pytest.mark.parametrize("method", ["entropy", "least_confidence"])
def test_outliers_by_probabilities(method, adjust):
    _, labels, probs = planted(0)
    options = {"method": method, "adjust_pred_probs": adjust}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cleanlab.outlier import OutOfDistribution

        theirs = OutOfDistribution(options)
        expected = theirs.fit_score(
            pred_probs=probs, labels=labels if adjust else None, verbose=False
        )
    found = checks.find_outliers(pred_probs=probs, labels=labels, **options)
    np.testing.assert_allclose(found.scores, expected, atol=1e-9)
    np.testing.assert_array_equal(found.is_issue, expected < 0.13 * np.median(expected))


def test_outliers_by_probabilities_in_the_audit():
    _, labels, probs = planted(1)
    lab = datalab(labels, {"outlier": {}}, pred_probs=probs)
    same(lab, checks.find_outliers(pred_probs=probs, labels=labels))


def test_standalone_scores_of_new_examples(metric):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cleanlab.outlier import OutOfDistribution
        from sklearn.neighbors import NearestNeighbors
    features, labels, probs = planted(0)
    new = np.random.default_rng(9).normal(size=(40, features.shape[1]))
    theirs = OutOfDistribution({"k": 7, "knn": NearestNeighbors(n_neighbors=7, metric=metric)})
    theirs.params["knn"].fit(features)
    ours = checks.OutOfDistribution(k=7, metric=metric)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit_score(features=features, verbose=False)
        expected = theirs.score(features=new)
        by_probs = OutOfDistribution().fit_score(pred_probs=probs, labels=labels, verbose=False)
    ours.fit(features=features)
    # A caller's index counts an example as its own neighbour in theirs: another scale.
    order = np.argsort(expected, kind="stable")
    assert np.array_equal(np.argsort(ours.score(features=new), kind="stable"), order)
    got = checks.OutOfDistribution().fit_score(pred_probs=probs, labels=labels)
    np.testing.assert_allclose(got, by_probs, atol=1e-9)


def test_drift_of_sorted_and_shuffled_sets():
    """DIVERGE 3-23: p-values agree in distribution, not in bits."""
    rng = np.random.default_rng(0)
    features = np.sort(rng.normal(size=200))[:, None] + 0.1 * rng.normal(size=(200, 4))
    for given, is_drift in ((features, True), (rng.permutation(features), False)):
        lab = datalab(features=given)
        found = checks.find_drift(features=given)
        np.testing.assert_allclose(found.scores, lab.get_issues("non_iid")["non_iid_score"])
        assert found.is_found == is_drift
        assert (lab.get_issue_summary("non_iid")["score"].item() < 0.05) == is_drift


def test_probabilities_as_features_for_drift():
    _, labels, probs = planted(0)
    lab = datalab(labels, {"non_iid": {}}, pred_probs=probs)
    found = checks.find_drift(pred_probs=probs)
    np.testing.assert_allclose(found.scores, lab.get_issues("non_iid")["non_iid_score"], atol=1e-9)


@pytest.mark.parametrize("sizes", [(90, 9, 1), (50, 30, 20), (400, 5, 595)])
def test_class_imbalance(sizes):
    """DIVERGE 3-25: all classes that are too small are flagged; the rarest is the same."""
    labels = np.repeat([0, 1, 2], sizes)
    lab = datalab(labels)
    found = checks.find_class_imbalance(labels=labels)
    same(lab, found, flags=np.count_nonzero(found.frames["classes"]["is_issue"]) < 2)
    rarest = lab.get_issues("class_imbalance")["is_class_imbalance_issue"]
    assert found.is_issue[rarest].all()


def test_groups_of_the_same_scale():
    """DIVERGE 3-27: the same clusters where the scale is given as cleanlab has it."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 60)
    features = np.eye(3)[labels] * 5 + 0.1 * rng.normal(size=(180, 3))
    quality = np.where(labels == 1, 0.02, 0.96)
    probs = np.full((180, 3), 0.0)
    probs[np.arange(180), labels] = quality
    probs[np.arange(180), (labels + 1) % 3] = 1 - quality
    lab = datalab(labels, {"underperforming_group": {}}, features=features, pred_probs=probs)
    found = checks.find_underperforming_groups(
        labels=labels, pred_probs=probs, features=features, eps=0.5
    )
    same(lab, found)
    assert found.num_issues > 55


@pytest.mark.parametrize("k", [1, 2, 5])
def test_values_of_labels_of_any_kind(k):
    features, labels, _ = planted(3)
    names = np.array(["dog", "cat", "eel"])[labels]
    lab = datalab(names, {"data_valuation": {"k": k}}, features=features)
    same(lab, checks.data_values(features=features, labels=names, k=k))


def test_null_values():
    features, labels, _ = planted(0)
    features[3], features[5, 2], features[6, 2:4] = np.nan, np.nan, np.nan
    lab = datalab(labels, {"null": {}}, features=features)
    found = checks.find_null_values(features=features)
    same(lab, found)
    info = lab.get_info("null")
    assert found.frames["columns"]["missing"].tolist() == pytest.approx(info["column_impact"])
    assert found.frames["patterns"]["pattern"][0] in (
        "00100000",
        info["most_common_issue"]["pattern"],
    )


def test_a_graph_of_the_caller():
    features, labels, _ = planted(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sklearn.neighbors import NearestNeighbors

        index = NearestNeighbors(n_neighbors=8, metric="euclidean").fit(features)
        graph = index.kneighbors_graph(mode="distance")
    lab = datalab(labels, knn_graph=graph)
    same(lab, checks.find_outliers(graph=graph))
    same(lab, checks.find_near_duplicates(graph=graph))


def test_near_duplicates_where_cleanlab_finds_none():
    """DIVERGE 3-20: threshold 0, and more than half of the examples with a copy."""
    features, _, _ = planted(0, n=60)
    copied = np.vstack([features, features[:40]])
    lab = datalab(None, {"near_duplicate": {"threshold": 0}}, features=copied)
    assert not lab.get_issues("near_duplicate")["is_near_duplicate_issue"].any()
    found = checks.find_near_duplicates(features=copied, threshold=0)
    assert found.is_issue.sum() == 80


def test_small_sets_that_cleanlab_loses():
    """DIVERGE 3-10: no more than ten examples."""
    features, labels, _ = planted(0, n=300)
    lab = datalab(labels[:9], features=features[:9])
    assert "outlier_score" not in lab.get_issues()
    assert len(checks.find_outliers(features=features[:9])) == 9


@pytest.mark.slow
def test_banking77(data):
    folder = data / "multiclass" / "banking77"
    features = np.load(folder / "embeddings_first1000.npy")
    probs = np.load(folder / "pred_probs_first1000.npy")
    labels = pd.read_csv(folder / "train.csv")["category"][:1000]
    lab = datalab(labels, features=features, pred_probs=probs)
    graph = neighbor_graph(features)
    same(lab, checks.find_outliers(graph=graph), atol=1e-5)
    same(lab, checks.find_near_duplicates(graph=graph), atol=1e-5)
    same(lab, checks.find_drift(graph=graph))
    same(lab, checks.find_class_imbalance(labels=labels))
    same(lab, checks.find_wrong_labels(labels=labels, pred_probs=probs))
    same(lab, checks.find_null_values(features=features))
    groups = checks.find_underperforming_groups(
        labels=labels, pred_probs=probs, graph=graph, eps=0.5
    )
    same(lab, groups, atol=1e-6)
