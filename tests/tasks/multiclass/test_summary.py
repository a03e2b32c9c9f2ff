"""Class tables, overlaps and health: one set of figures that fit each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import reference
import strategies
from hypothesis import given, settings

from goldlabel.errors import DataWarning, InputError
from goldlabel.learning import confident
from goldlabel.tasks.multiclass.summary import health_summary, overlapping_classes, summarize

CLASS_COLUMNS = [
    "class",
    "label_issues",
    "inverse_label_issues",
    "label_noise",
    "inverse_label_noise",
    "label_quality_score",
]
PAIR_COLUMNS = ["class_a", "class_b", "joint_probability", "num_overlapping_examples"]
JOINT = [[43, 14, 3], [7, 56, 7], [1, 4, 65]]


def rows_of(frame):
    return list(frame.itertuples(index=False, name=None))


def assert_rows(frame, expected):
    assert len(frame) == len(expected)
    for got, row in zip(rows_of(frame), expected, strict=True):
        assert got == pytest.approx(row)


@given(strategies.labeled_rows())
@settings(max_examples=60)
def test_tables_equal_reference(drawn):
    labels, probs = drawn
    n, counted = len(labels), reference.confident_joint(labels, probs)
    joint = reference.estimate_joint(counted)
    table = summarize(labels, probs)
    assert table.columns.tolist() == CLASS_COLUMNS
    by_class = {row[0]: row for row in reference.class_table(joint, n)}
    for row in rows_of(table):
        assert row == pytest.approx(by_class[row[0]], abs=1e-12)
    assert table["label_quality_score"].is_monotonic_increasing
    for directed in (False, True):
        pairs = overlapping_classes(labels, probs, directed=directed)
        assert pairs.columns.tolist() == PAIR_COLUMNS
        by_pair = {row[:2]: row for row in reference.overlap_table(joint, n, directed=directed)}
        assert len(by_pair) == len(pairs)
        for row in rows_of(pairs):
            assert row == pytest.approx(by_pair[row[:2]], abs=1e-12)
        assert pairs["joint_probability"].is_monotonic_decreasing


@given(strategies.labeled_rows())
@settings(max_examples=60)
def test_all_figures_fit_each_other(drawn):
    """DIVERGE 1-27: both healths, named; everything else from one joint."""
    labels, probs = drawn
    n = len(labels)
    health = health_summary(labels, probs)
    assert health.num_examples == n
    assert health.issues_by_count == reference.num_label_issues(labels, probs)
    assert health.health_by_count == pytest.approx(1 - health.issues_by_count / n)
    assert health.issues_by_joint == health.class_table["label_issues"].sum()
    assert health.issues_by_joint == health.class_table["inverse_label_issues"].sum()
    assert health.issues_by_joint == health.overlap_table["num_overlapping_examples"].sum()
    assert health.health_by_joint == pytest.approx(1 - health.issues_by_joint / n)
    assert health.health_score == health.health_by_count
    np.testing.assert_array_equal(health.confident_joint, reference.confident_joint(labels, probs))
    assert health.joint.sum() == pytest.approx(1)
    pd.testing.assert_frame_equal(health.class_table, summarize(labels, probs))
    pd.testing.assert_frame_equal(health.overlap_table, overlapping_classes(labels, probs))


def test_given_joint_without_labels():
    """DIVERGE 1-28: the number of examples is what the joint sums to, in all three."""
    table = summarize(None, None, confident_joint=JOINT)
    assert_rows(table, reference.class_table(np.array(JOINT) / 200, 200))
    pairs = overlapping_classes(None, None, confident_joint=JOINT)
    assert_rows(pairs, reference.overlap_table(np.array(JOINT) / 200, 200))
    health = health_summary(None, None, confident_joint=JOINT)
    assert health.num_examples == 200
    assert health.issues_by_count is None
    assert health.health_by_count is None
    assert health.health_by_joint == health.health_score == pytest.approx(0.82)
    assert health.issues_by_joint == 36


def test_given_joint_with_labels_is_calibrated():
    labels = np.repeat(["a", "b", "c"], (60, 70, 70))
    raw = [[30, 10, 2], [5, 40, 5], [1, 3, 50]]
    health = health_summary(labels, None, confident_joint=raw)
    assert health.classes == ("a", "b", "c")
    assert health.confident_joint.tolist() == JOINT
    probs = np.eye(3)[np.repeat([0, 1, 2], (60, 70, 70))]
    both = health_summary(labels, probs, confident_joint=raw)
    assert both.confident_joint.tolist() == JOINT
    assert both.issues_by_count == 0
    pd.testing.assert_frame_equal(both.class_table, health.class_table)
    pd.testing.assert_frame_equal(summarize(labels, probs, confident_joint=raw), both.class_table)


def test_pred_probs_are_swept_once(monkeypatch):
    labels, probs = strategies.realistic(0)
    calls = []
    sweep = confident.confident.sweep
    monkeypatch.setattr(
        confident.confident, "sweep", lambda *a, **b: (calls.append(1), sweep(*a, **b))[1]
    )
    health_summary(labels, probs)
    assert len(calls) == 1


def test_class_names():
    labels = ["dog", "dog", "cat", "cat", "cat"]
    probs = [[0.1, 0.9], [0.2, 0.8], [0.9, 0.1], [0.8, 0.2], [0.1, 0.9]]
    table = summarize(labels, probs)
    assert table["class"].tolist() == ["cat", "dog"]
    assert table["label_issues"].tolist() == [1, 0]
    frame = pd.DataFrame(probs, columns=["cat", "dog"])[["dog", "cat"]]
    # Columns by name, whatever their order; rows of the table are in order of quality.
    pd.testing.assert_frame_equal(summarize(pd.Series(labels), frame), table)
    pairs = overlapping_classes([1, 1, 0, 0, 0], probs, classes=["cat", "dog"], directed=True)
    assert rows_of(pairs) == [("cat", "dog", 0.2, 1), ("dog", "cat", 0.0, 0)]
    names = [("a", 1), ("b", 2)]  # any hashable
    assert summarize([1, 1, 0, 0, 0], probs, classes=names)["class"].tolist() == names
    assert health_summary(None, None, confident_joint=np.eye(2), classes=["x", "y"]).classes == (
        "x",
        "y",
    )


def test_ties_go_by_class_index():
    table = summarize(None, None, confident_joint=np.eye(4))
    assert table["class"].tolist() == [0, 1, 2, 3]
    pairs = overlapping_classes(None, None, confident_joint=np.ones((3, 3)), directed=True)
    assert [row[:2] for row in rows_of(pairs)] == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]


def test_absent_class_is_healthy_and_last():
    table = summarize([0, 0, 1], [[0.9, 0.1, 0], [0.1, 0.9, 0], [0.2, 0.8, 0]])
    assert table["class"].tolist() == [0, 1, 2]
    assert rows_of(table)[-1] == (2, 0, 0, 0.0, 0.0, 1.0)


def test_one_class_and_no_examples():
    assert rows_of(summarize([0, 0], [[1.0], [1.0]])) == [(0, 0, 0, 0.0, 0.0, 1.0)]
    assert overlapping_classes([0], [[1.0]]).columns.tolist() == PAIR_COLUMNS
    health = health_summary([], np.empty((0, 3)))
    assert (health.num_examples, health.health_by_count, health.health_by_joint) == (0, 1.0, 1.0)
    assert len(health.class_table) == 3
    assert len(health.overlap_table) == 3


def test_many_classes_are_quick():
    health = health_summary(None, None, confident_joint=np.eye(1000) * 9 + 1, directed=True)
    assert len(health.overlap_table) == 1000 * 999
    assert health.health_by_joint == pytest.approx(10 / 1009)


@pytest.mark.parametrize("function", [summarize, overlapping_classes, health_summary])
@pytest.mark.parametrize(
    ("arguments", "options", "where", "what"),
    [
        ((None, None), {}, "labels", "is None"),
        (([0, 1], None), {}, "pred_probs", "is None"),
        ((None, [[1.0]]), {}, "labels", "is None"),
        ((None, None), {"confident_joint": [[1, 2]]}, "confident_joint", "shape (1, 2)"),
        ((None, None), {"confident_joint": [[-1]]}, "confident_joint[0, 0]", "is -1.0"),
        (
            ([0, 1], [[0.5, 0.5]] * 2),
            {"confident_joint": np.eye(3)},
            "confident_joint",
            "shape (3, 3), but pred_probs has 2 columns",
        ),
        (
            (None, [[0.5, 0.5]]),
            {"confident_joint": np.eye(3)},
            "confident_joint",
            "but pred_probs has 2 columns",
        ),
        (
            ([0, 3], None),
            {"confident_joint": np.eye(3)},
            "labels[1]",
            "is 3, but confident_joint has 3 columns",
        ),
        (
            (None, None),
            {"confident_joint": np.eye(2), "classes": ["a"]},
            "classes",
            "has 1 names, but confident_joint has 2 columns",
        ),
        (([0, 1], [[0.5, np.nan]] * 2), {}, "pred_probs[0, 1]", "is nan"),
    ],
)
def test_what_does_not_fit_is_said(function, arguments, options, where, what):
    with pytest.raises(InputError) as caught:
        function(*arguments, **options)
    assert caught.value.where == where
    assert what in caught.value.what


def test_rows_that_do_not_sum_to_one():
    """DIVERGE 1-02."""
    with pytest.warns(DataWarning, match=r"pred_probs\[1\]: sums to 0\.6"):
        health = health_summary([0, 1], [[0.9, 0.1], [0.3, 0.3]])
    assert health.num_examples == 2


def test_real(data):
    labels, probs = strategies.load_real(data, "cifar10_test")
    classes = (data / "multiclass" / "cifar10_test" / "classes.txt").read_text().split()
    health = health_summary(labels, probs, classes=classes)
    assert health.issues_by_count == 244  # the README's figures
    assert health.issues_by_joint == 284
    assert health.health_by_count == pytest.approx(0.9756)
    assert set(health.overlap_table.iloc[0, :2]) == {"cat", "dog"}
