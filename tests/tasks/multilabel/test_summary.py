"""Summaries: figures that add up, and tables against a count by hand."""

from __future__ import annotations

import numpy as np
import pytest
import strategies
from hypothesis import given, settings

from goldlabel.tasks import multilabel

pytestmark = pytest.mark.filterwarnings("ignore::goldlabel.errors.DataWarning")


@given(strategies.labeled_cells(max_n=20, max_k=5))
@settings(max_examples=100)
def test_figures_add_up(drawn):
    labels, probs = drawn
    n, k = labels.shape
    found = multilabel.find_label_issues(labels, probs)
    health = multilabel.health_summary(labels, probs)
    assert health.issues == found.num_issues
    assert health.health_score == pytest.approx(1 - found.num_issues / n)
    assert health.missing_labels == (found.parts.given == 0).sum()
    assert health.spurious_labels == (found.parts.given == 1).sum()
    table = health.class_table.sort_values("class")
    for column, value in (("label_issues", 1), ("inverse_label_issues", 0)):
        mine = found.parts.part[found.parts.given == value]
        assert table[column].tolist() == np.bincount(mine, minlength=k).tolist()
    given = (labels == 1).sum(axis=0)
    np.testing.assert_allclose(table["label_noise"], table["label_issues"] / np.maximum(given, 1))
    assert health.class_table["label_quality_score"].is_monotonic_increasing
    common = health.common_table
    assert len(common) == 2 * k
    assert common["num_examples"].sum() == len(found.parts)
    assert common["num_examples"].is_monotonic_decreasing
    np.testing.assert_allclose(common["issue_probability"], common["num_examples"] / n)


@given(strategies.labeled_cells(max_n=20, max_k=5))
@settings(max_examples=100)
def test_pairs_of_classes(drawn):
    labels, probs = drawn
    n, k = labels.shape
    found = multilabel.find_label_issues(labels, probs)
    wrongly = np.zeros((n, k), dtype=bool)
    missing = np.zeros((n, k), dtype=bool)
    spurious = found.parts.given == 1
    wrongly[found.parts.example[spurious], found.parts.part[spurious]] = True
    missing[found.parts.example[~spurious], found.parts.part[~spurious]] = True
    table = multilabel.overlapping_classes(labels, probs)
    rows = {(row.class_a, row.class_b): row for row in table.itertuples()}
    for a in range(k):
        for b in range(a + 1, k):
            together = ((labels[:, a] == 1) & (labels[:, b] == 1)).sum()
            confused = ((wrongly[:, a] & missing[:, b]) | (wrongly[:, b] & missing[:, a])).sum()
            if together or confused:
                row = rows.pop((a, b))
                assert row.num_given_together == together
                assert row.num_confused_examples == confused
                expected = (labels[:, a] == 1).sum() * (labels[:, b] == 1).sum() / n
                assert row.lift == pytest.approx(together / expected if expected else 0)
    assert not rows
    counts = table[["num_confused_examples", "num_given_together"]].to_numpy().tolist()
    assert counts == sorted(counts, reverse=True)


def test_names_stay_what_they_are():
    labels, probs = strategies.realistic_cells(0, k=3)
    for classes in (["a", "b", "c"], [(1, 2), (3, 4), (5, 6)], [10, 20, 30]):
        health = multilabel.health_summary(labels, probs, classes=classes)
        assert health.classes == tuple(classes)
        assert set(health.class_table["class"]) == set(classes)
        found = multilabel.find_label_issues(labels, probs, classes=classes)
        assert found.part_names == tuple(classes)


def test_a_given_joint():
    labels, probs = strategies.realistic_cells(1, k=2)
    nothing = np.array([[[1, 0], [0, 1]]] * 2)
    health = multilabel.health_summary(labels, probs, confident_joint=nothing)
    assert health.health_score == 1.0


def test_nothing_to_sum_up():
    health = multilabel.health_summary(np.zeros((0, 2)), np.zeros((0, 2)))
    assert health.health_score == 1.0
    assert len(health.overlap_table) == 0
