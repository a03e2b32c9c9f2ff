"""What does not fit is refused with a message that names it, or left out with a note."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from goldlabel import checks
from goldlabel.errors import InputError
from goldlabel.neighbors import neighbor_graph

F = np.random.default_rng(0).normal(size=(12, 5))
P = np.full((12, 2), 0.5)
Y = [0, 1] * 6
NAN = float("nan")

out, dup, drift = checks.find_outliers, checks.find_near_duplicates, checks.find_drift
sizes, groups = checks.find_class_imbalance, checks.find_underperforming_groups
values, wrong, text = checks.data_values, checks.find_wrong_labels, checks.find_text_duplicates
spurious, leak, new = (
    checks.find_spurious_correlations,
    checks.find_leakage,
    checks.compare_new_data,
)


def with_value(array, row, column, value):
    changed = array.copy()
    changed[row, column] = value
    return changed


CASES = {
    "nothing at all": (out, {}, "features", "missing"),
    "features of text": (out, {"features": [["a"], ["b"]]}, "features", "not numbers"),
    "features with a hole": (out, {"features": [[1, 2], [3]]}, "features", "no array"),
    "features in three dimensions": (out, {"features": F[None]}, "features", "shape (1, 12, 5)"),
    "a sparse matrix": (out, {"features": csr_matrix(F)}, "features", "sparse"),
    "no rows": (out, {"features": F[:0]}, "features", "no rows"),
    "no columns": (out, {"features": F[:, :0]}, "features", "no columns"),
    "one row": (out, {"features": F[:1]}, "features", "1 complete row"),
    "nothing but NaN": (out, {"features": F * NAN}, "features", "no row without"),
    "a number beyond all": (
        dup, {"features": with_value(F, 2, 3, 1e200)}, "features[2, 3]", "1e+200"),
    "k of zero": (out, {"features": F, "k": 0}, "k", "is 0"),
    "k of all": (out, {"features": F, "k": 12}, "k", "12 rows"),
    "k is no number": (dup, {"features": F, "k": "ten"}, "k", "'ten'"),
    "unknown metric": (dup, {"features": F, "metric": "hamming"}, "metric", "'hamming'"),
    "threshold above one": (out, {"features": F, "threshold": 2}, "threshold", "is 2"),
    "threshold below zero": (dup, {"features": F, "threshold": -0.1}, "threshold", "-0.1"),
    "threshold is NaN": (dup, {"features": F, "threshold": NAN}, "threshold", "nan"),
    "t below zero": (out, {"features": F, "t": -1}, "t", "-1"),
    "unknown method": (out, {"pred_probs": P, "labels": Y, "method": "max"}, "method", "'max'"),
    "no labels to adjust by": (out, {"pred_probs": P}, "labels", "adjusted"),
    "probabilities above one": (
        out, {"pred_probs": P * 2 + 1, "labels": Y}, "pred_probs[0, 0]", "2"),
    "probabilities that are NaN": (
        wrong, {"pred_probs": with_value(P, 4, 1, NAN), "labels": Y}, "pred_probs[4, 1]", "nan"),
    "labels of another length": (wrong, {"pred_probs": P, "labels": Y[:5]}, "labels", "5 entries"),
    "labels of features of another length": (
        dup, {"features": F, "labels": Y[:5]}, "labels", "5 entries"),
    "no labels": (sizes, {"labels": [None, None]}, "labels", "all missing"),
    "labels in two columns": (sizes, {"labels": F}, "labels", "shape (12, 5)"),
    "labels that are lists": (sizes, {"labels": [["a"], ["b", "c"]]}, "labels", ""),
    "a label of no class": (
        sizes, {"labels": ["a", "b"], "classes": ["a"]}, "labels[1]", "none of the classes"),
    "an unknown way to keep": (dup, {"features": F, "keep": "best"}, "keep", "'best'"),
    "too few permutations": (
        drift, {"features": F, "num_permutations": 1}, "num_permutations", "1"),
    "a seed below zero": (drift, {"features": F, "seed": -1}, "seed", "-1"),
    "groups without anything": (groups, {"labels": Y, "pred_probs": P}, "features", "missing"),
    "clusters of another length": (
        groups, {"labels": Y, "pred_probs": P, "cluster_ids": [0]}, "cluster_ids", "shape (1,)"),
    "clusters below -1": (
        groups, {"labels": Y, "pred_probs": P, "cluster_ids": [-2] * 12}, "cluster_ids[0]", "-2"),
    "clusters that are too small": (
        groups, {"labels": Y, "pred_probs": P, "cluster_ids": range(12)}, "cluster_ids",
        "no group"),
    "clusters that are no numbers": (
        groups, {"labels": Y, "pred_probs": P, "cluster_ids": ["a"] * 12}, "cluster_ids", "dtype"),
    "a graph of others": (
        groups, {"labels": Y, "pred_probs": P, "graph": neighbor_graph(F[:9], k=2)}, "graph", "9"),
    "a graph that is too narrow": (
        values, {"graph": neighbor_graph(F, k=2), "labels": Y, "k": 5}, "graph", "2 neighbours"),
    "exact values without features": (
        values, {"graph": neighbor_graph(F), "labels": Y, "exact": True}, "features", ""),
    "values of labels of another length": (
        values, {"features": F, "labels": Y[:3]}, "labels", "3 entries"),
    "no text": (text, {"text": []}, "text", "no entries"),
    "one text": (text, {"text": "one text"}, "text", "is a str"),
    "a text that is a number": (text, {"text": ["a", 3]}, "text[1]", "3"),
    "half of a surrogate pair": (text, {"text": ["a", "\ud800"]}, "text[1]", ""),
    "shingles of nothing": (text, {"text": ["a", "b"], "shingle": 0}, "shingle", "0"),
    "one class only": (
        spurious, {"table": {"x": F[:, 0]}, "labels": [0] * 12}, "labels", "the same"),
    "a table of two lengths": (
        spurious, {"table": {"x": [1], "y": [1, 2]}, "labels": [0]}, "table", "length"),
    "no split to compare": (leak, {"train_features": F}, "features", "missing"),
    "splits with other columns": (
        leak, {"train_features": F, "test_features": F[:, :3]}, "test_features", "3 usable"),
    "one text as a split": (leak, {"train_text": ["a"], "test_text": "abc"}, "test_text", "str"),
    "new data with other columns": (
        new, {"features": F[:, :2], "reference_features": F}, "features", "2 usable"),
    "new labels of another length": (
        new, {"features": F, "reference_features": F, "labels": [1], "reference_labels": [1]},
        "labels", "1 entries"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_refused(name):
    find, options, where, what = CASES[name]
    with pytest.raises(InputError) as caught:
        find(**options)
    assert caught.value.where.startswith(where)
    assert what in caught.value.what
    assert caught.value.fix


def test_inputs_are_left_as_they_were():
    features, labels = F.copy(), list(Y)
    for find in (out, dup, drift):
        find(features=features)
    values(features=features, labels=labels)
    assert np.array_equal(features, F)
    assert labels == Y
    assert features.flags.writeable


@pytest.mark.parametrize(
    "features",
    [F.astype(np.float16), F.astype(np.float32), np.asfortranarray(F), F[::-1][::-1], F.tolist(),
     pd.DataFrame(F), (F * 10).astype(np.int8)],
    ids=["float16", "float32", "fortran", "reversed", "lists", "frame", "int8"],
)  # fmt: skip
def test_features_in_any_form(features):
    found = dup(features=features)
    assert len(found) == 12
    assert np.isfinite(found.scores).all()


def test_constant_columns_do_no_harm():
    constant = np.hstack([F, np.full((12, 3), 7.0)])
    near = dup(features=constant, metric="euclidean")
    np.testing.assert_allclose(near.scores, dup(features=F, metric="euclidean").scores, atol=1e-12)


def test_incomplete_examples_score_one_and_are_not_flagged():
    """DIVERGE 3-11."""
    broken = with_value(F, 3, 0, NAN)
    for found in (out(features=broken), dup(features=broken), drift(features=broken),
                  wrong(features=broken, labels=Y, min_examples_per_class=1)):  # fmt: skip
        assert found.scores[3] == 1.0
        assert not found.is_issue[3]
        assert any("row 3" in note for note in found.notes)
    assert values(features=broken, labels=Y).scores[3] == 0.5


def test_missing_labels_are_named_and_left_out():
    """DIVERGE 3-01."""
    labels = ["a", None, *"ab" * 5]
    for found in (
        sizes(labels=labels),
        wrong(labels=labels, features=F, min_examples_per_class=1),
        wrong(labels=labels, pred_probs=P, min_examples_per_class=1),
        values(labels=labels, features=F),
        groups(labels=labels, pred_probs=P, cluster_ids=[0] * 12),
        dup(labels=labels, features=F),
    ):
        assert any("1 examples have none (rows 1)" in note for note in found.notes)
        assert not found.is_issue[1]
