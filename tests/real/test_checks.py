"""Checks of real datasets, beside the figures that their READMEs give."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from goldlabel import checks
from goldlabel.neighbors import neighbor_graph

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def banking(data):
    folder = data / "multiclass" / "banking77"
    table = pd.read_csv(folder / "train.csv")
    return folder, table, np.load(folder / "embeddings_first1000.npy")


def test_banking77_as_measured(banking):
    folder, table, features = banking
    labels, probs = table["category"][:1000], np.load(folder / "pred_probs_first1000.npy")
    figures = json.loads((folder / "reference.json").read_text())["datalab"]
    graph = neighbor_graph(features)
    inputs = {"features": features, "graph": graph, "labels": labels, "pred_probs": probs}
    for name in ("null", "label", "outlier", "near_duplicate", "non_iid", "class_imbalance"):
        found = checks.find_check(name).run(inputs)
        assert found.num_issues == figures[name]["issues"], name
        assert found.score == pytest.approx(figures[name]["mean_score"], abs=2e-6), name


def test_the_two_questions_about_exchange_rates_are_one_group(banking):
    _, table, features = banking
    found = checks.find_near_duplicates(features=features, labels=table["category"][:1000])
    group = found.columns["group"]
    assert group[429] == group[459] >= 0
    texts = checks.find_text_duplicates(text=table["text"][:1000])
    assert texts.columns["group"][429] == texts.columns["group"][459] >= 0


def test_the_order_of_banking77(banking):
    """Sorted by category: the changes are found where the categories change."""
    _, table, features = banking
    found = checks.find_drift(features=features)
    assert found.score < 1e-10
    category = table["category"][:1000]
    starts = np.flatnonzero(category.ne(category.shift()))
    assert found.frames["segments"]["start"].tolist() == starts.tolist()
    calm = 0
    for seed in range(100):
        order = np.random.default_rng(seed).permutation(1000)
        calm += checks.find_drift(features=features[order], seed=seed).score > 0.05
    assert calm >= 90


def test_equal_texts_of_banking77(banking):
    _, table, _ = banking
    found = checks.find_text_duplicates(text=table["text"], labels=table["category"], threshold=1)
    # The README counts 62: it drops currency signs too, and four questions differ in nothing else.
    assert found.num_issues == 58
    near = checks.find_text_duplicates(text=table["text"])
    plain = table["text"].str.lower().str.replace(r"[^a-z0-9]+", " ", regex=True).str.strip()
    assert near.is_issue[plain.duplicated(keep=False)].all()
    groups = found.frames["groups"]
    assert groups["is_conflict"].sum() == 1  # one pair: "2 with a twin that has another label"
    assert groups["size"][groups["is_conflict"]].tolist() == [2]


def test_outliers_of_clinc(data):
    folder = data / "text_outliers" / "clinc_oos"
    features = np.load(folder / "mixture_embeddings.npy")
    is_outlier = pd.read_csv(folder / "mixture.csv")["is_outlier"].to_numpy(bool)
    found = checks.find_outliers(features=features)
    hits = np.count_nonzero(found.is_issue & is_outlier)
    assert hits / found.num_issues >= 0.92
    assert hits / is_outlier.sum() >= 0.74
    assert roc_auc_score(is_outlier, -found.scores) == pytest.approx(0.9949, abs=1e-4)
    assert average_precision_score(is_outlier, -found.scores) == pytest.approx(0.9489, abs=1e-3)
    assert checks.find_near_duplicates(features=features).num_issues == 29


def test_new_queries_of_clinc(data):
    arrays = np.load(data / "text_outliers" / "clinc_oos" / "full_embeddings.npz")
    train, test = (arrays[name].astype(np.float32) for name in ("train", "test"))
    is_outlier = np.arange(len(test)) >= 4500
    typical = checks.OutOfDistribution().fit(features=train)
    scores = typical.score(features=test)
    assert roc_auc_score(is_outlier, -scores) == pytest.approx(0.9589, abs=1e-4)
    new = checks.compare_new_data(features=test, reference_features=train)
    assert new.figures["drift_p_value"] < 0.01
    assert is_outlier[new.is_issue].mean() > 0.85
    # The queries that are in scope are drawn as those of the training set are.
    calm = checks.compare_new_data(features=test[:4500], reference_features=train)
    assert calm.num_issues < 0.03 * 4500
