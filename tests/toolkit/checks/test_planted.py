"""Each kind of issue, planted in a set without others, is found, and nothing else above 1 %."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from goldlabel import checks
from goldlabel.neighbors import neighbor_graph

N, K, D = 1200, 4, 16
LIMIT = 0.01 * N


def clean(seed=0):
    """Return features, labels and probabilities that there is nothing to say against."""
    rng = np.random.default_rng(seed)
    centers = 3.0 * np.eye(K, D)
    labels = rng.integers(0, K, N)
    features = centers[labels] + rng.uniform(-1, 1, size=(N, D))
    probs = np.full((N, K), 0.02)
    probs[np.arange(N), labels] = 0.94
    probs += rng.uniform(0, 0.01, size=(N, K))
    return features, labels, probs / probs.sum(axis=1, keepdims=True)


def plant(kind):
    """Return a set with one kind of issue, and which examples have it."""
    features, labels, probs = clean()
    rng = np.random.default_rng(1)
    where = rng.choice(N, 30, replace=False)
    if kind == "outlier":
        features[where] = 12 * rng.normal(size=(30, D))
    elif kind == "near_duplicate":
        features[where[:15]] = features[where[15:]] + 1e-3
        labels[where[:15]] = labels[where[15:]]
        probs[where[:15]] = probs[where[15:]]
    elif kind == "label":
        labels[where] = (labels[where] + 1) % K
    elif kind == "null":
        features[where] = np.nan
    elif kind == "class_imbalance":
        where = np.flatnonzero(labels == 3)[:-8]
        keep = np.setdiff1d(np.arange(N), where)
        features, labels, probs = features[keep], labels[keep], probs[keep]
        where = np.flatnonzero(labels == 3)
    elif kind == "non_iid":
        order = np.argsort(labels, kind="stable")
        return features[order], labels[order], probs[order], np.empty(0, int)
    elif kind == "underperforming_group":
        features[where] = features[where[0]] + 0.2 * rng.normal(size=(30, D))
        labels[where] = labels[where[0]]
        probs[where] = 0.001
        probs[where, (labels[where[0]] + 1) % K] = 0.997
    return features, labels, probs, where


def audit(features, labels, probs):
    graph = neighbor_graph(features)
    inputs = {"features": features, "graph": graph, "labels": labels, "pred_probs": probs}
    return {
        name: each.run(inputs)
        for name, each in checks.find_checks().items()
        if each.is_default and each.missing(inputs) is None
    }


KINDS = ["outlier", "near_duplicate", "label", "null", "class_imbalance", "non_iid",
         "underperforming_group"]  # fmt: skip


def test_nothing_is_found_where_there_is_nothing():
    for name, found in audit(*clean()).items():
        assert found.num_issues <= LIMIT, name
        assert name in ("outlier", "near_duplicate") or not found.is_found, name


# What one issue is, it is in the eyes of another check too.
ALSO = {
    "underperforming_group": {"label", "near_duplicate"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_planted_is_found_and_nothing_else(kind):
    *data, where = plant(kind)
    results = audit(*data)
    assert results[kind].is_found
    if where.size:
        assert results[kind].is_issue[where].mean() >= 0.9
        assert results[kind].num_issues <= len(where) + LIMIT
    for name, found in results.items():
        if name != kind and name not in ALSO.get(kind, ()):
            assert found.num_issues <= LIMIT, f"{name}: {found.verdict}"


def test_planted_values_of_less_than_nothing():
    features, labels, _ = clean()
    wrong = np.random.default_rng(1).choice(N, 30, replace=False)
    labels[wrong] = (labels[wrong] + 1) % K
    found = checks.data_values(features=features, labels=labels)
    assert found.is_issue[wrong].mean() > 0.7
    exact = checks.data_values(features=features, labels=labels, exact=True)
    assert exact.is_issue[wrong].all()
    assert exact.num_issues <= 30 + LIMIT


def test_planted_texts():
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{i}" for i in rng.integers(0, 3000, 15)) for _ in range(N)]
    texts[5], texts[9] = texts[700].upper(), texts[800] + "!"
    found = checks.find_text_duplicates(text=pd.Series(texts))
    assert set(np.flatnonzero(found.is_issue).tolist()) == {5, 9, 700, 800}
