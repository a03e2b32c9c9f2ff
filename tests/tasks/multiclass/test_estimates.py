"""Thresholds, joints, noise matrices and counts through the public functions."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import reference
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.errors import DataWarning, InputError
from goldlabel.tasks.multiclass import (
    class_thresholds,
    confident_joint,
    estimate_joint,
    estimate_noise,
    find_label_issues,
    num_label_issues,
)

METHODS = ("off_diagonal", "off_diagonal_calibrated", "off_diagonal_custom")
PY_METHODS = ("cnt", "eqn", "marginal", "marginal_ps")
ESTIMATES = (class_thresholds, confident_joint, estimate_joint, num_label_issues)


# Laws


@given(strategies.labeled_rows())
@settings(max_examples=80)
def test_joint_of_every_example_twice(drawn):
    """Counts double; the floor of 1 on the diagonal is all that does not."""
    labels, probs = drawn
    twice = np.r_[labels, labels], np.r_[probs, probs]
    once, doubled = (confident_joint(*rows, calibrate=False) for rows in (drawn, twice))
    apart = ~np.eye(len(once), dtype=bool)
    np.testing.assert_array_equal(doubled[apart], 2 * once[apart])
    diagonal = once.diagonal()
    assert ((doubled.diagonal() == 2 * diagonal) | (diagonal == 1)).all()
    np.testing.assert_allclose(class_thresholds(*twice), class_thresholds(*drawn), rtol=1e-12)
    assert num_label_issues(*twice) == 2 * num_label_issues(*drawn)


@given(strategies.labeled_rows())
@settings(max_examples=80)
def test_calibrated_joint_sums_to_the_class_counts(drawn):
    labels, probs = drawn
    joint, k = confident_joint(*drawn), probs.shape[1]
    np.testing.assert_array_equal(joint.sum(axis=1), np.bincount(labels, minlength=k))
    assert (joint >= 0).all()
    np.testing.assert_allclose(estimate_joint(*drawn), joint / len(labels), atol=1e-15)
    calibrated = num_label_issues(*drawn, method="off_diagonal_calibrated")
    assert calibrated == joint.sum() - np.trace(joint)
    assert calibrated == num_label_issues(*drawn, method=METHODS[2], confident_joint=joint)


@given(strategies.labeled_rows())
@settings(max_examples=60)
def test_count_is_what_confident_learning_flags(drawn):
    with warnings.catch_warnings(action="ignore", category=DataWarning):
        found = find_label_issues(*drawn, filter_by="confident_learning")
    assert num_label_issues(*drawn) == found.num_issues


@pytest.mark.parametrize("estimate", ESTIMATES)
def test_order_of_the_examples_does_not_matter(estimate):
    labels, probs = strategies.realistic(7, n=300, k=5, noise=0.3)
    order = np.random.default_rng(0).permutation(300)
    np.testing.assert_allclose(
        estimate(labels[order], probs[order]), estimate(labels, probs), rtol=1e-12
    )


@pytest.mark.parametrize("py_method", PY_METHODS)
@pytest.mark.parametrize("converge", [False, True])
def test_absent_classes_do_not_matter(py_method, converge):
    """Specification 11.7: up to 1e-5, which is what an absent class gets of the priors."""
    labels, probs = strategies.realistic(7, n=400, k=3, noise=0.2)
    wide = np.zeros((400, 5))
    place = np.array([0, 2, 4])
    wide[:, place] = probs
    np.testing.assert_array_equal(
        confident_joint(place[labels], wide)[np.ix_(place, place)], confident_joint(labels, probs)
    )
    options = {"py_method": py_method, "converge": converge}
    py, noise, inverse = estimate_noise(place[labels], wide, **options)
    alone = estimate_noise(labels, probs, **options)
    np.testing.assert_allclose(py[place], alone[0], atol=4e-5)
    np.testing.assert_allclose(noise[np.ix_(place, place)], alone[1], atol=4e-5)
    np.testing.assert_allclose(inverse[np.ix_(place, place)], alone[2], atol=4e-5)


# Shapes, types, narrow sets


def test_types():
    labels, probs = strategies.realistic(7, n=100, k=3)
    assert confident_joint(labels, probs).dtype == np.int64
    assert confident_joint(labels, probs, calibrate=False).dtype == np.int64
    for array in (class_thresholds(labels, probs), estimate_joint(labels, probs)):
        assert array.dtype == np.float64
    for array in estimate_noise(labels, probs):
        assert array.dtype == np.float64
    for method in METHODS[:2]:
        assert type(num_label_issues(labels, probs, method=method)) is int


@pytest.mark.parametrize("k", [1, 3])
def test_no_examples(k):
    none = [], np.empty((0, k))
    assert class_thresholds(*none).tolist() == [2.0] * k
    assert confident_joint(*none).tolist() == np.zeros((k, k)).tolist()
    assert confident_joint(*none, calibrate=False).tolist() == np.eye(k).tolist()
    assert estimate_joint(*none).tolist() == np.zeros((k, k)).tolist()
    assert num_label_issues(*none) == num_label_issues(*none, method=METHODS[1]) == 0
    for py_method in ("cnt", "marginal", "marginal_ps"):
        for array in estimate_noise(*none, py_method=py_method):
            assert np.isfinite(array).all()


@pytest.mark.parametrize("own", [0, 1, 2])
def test_one_class_only(own):
    probs = np.random.default_rng(0).dirichlet(np.ones(3), 20)
    labels = [own] * 20
    expected = np.zeros((3, 3))
    expected[own, own] = 20
    assert confident_joint(labels, probs).tolist() == expected.tolist()
    assert num_label_issues(labels, probs) == 0
    py, noise, inverse = estimate_noise(labels, probs)
    assert py[own] == pytest.approx(1.0, abs=1e-4)
    assert noise[own, own] == inverse[own, own] == 1.0


def test_one_column():
    rows = [0, 0], np.ones((2, 1))
    assert class_thresholds(*rows).tolist() == [1.0]
    assert confident_joint(*rows).tolist() == [[2]]
    assert [array.tolist() for array in estimate_noise(*rows)] == [[1.0], [[1.0]], [[1.0]]]


def test_names_go_with_the_columns():
    labels, probs = strategies.realistic(7, n=200, k=3)
    names = np.array(["cat", "dog", "emu"])
    frame = pd.DataFrame(probs, columns=names)
    moved = frame[["emu", "cat", "dog"]]
    for estimate in ESTIMATES:
        expected = estimate(labels, probs)
        np.testing.assert_array_equal(estimate(names[labels], frame), expected)
        np.testing.assert_array_equal(estimate(names[labels], moved, classes=names), expected)
    joint = confident_joint(names[labels], moved)
    expected = confident_joint(labels, probs)
    np.testing.assert_array_equal(joint, expected[np.ix_([2, 0, 1], [2, 0, 1])])


# Options


@given(strategies.labeled_rows(min_k=2, max_k=4), st.data())
@settings(max_examples=40)
def test_own_joint(drawn, data):
    """Calibrated to the labels first; pred_probs then only says how many classes there are."""
    labels, probs = drawn
    k = probs.shape[1]
    entries = data.draw(st.lists(st.integers(0, 9), min_size=k * k, max_size=k * k))
    own = np.reshape(entries, (k, k))
    counts = reference.class_counts(labels, k)
    np.testing.assert_allclose(
        estimate_joint(labels, probs, confident_joint=own),
        reference.estimate_joint(own, counts),
        atol=1e-15,
    )
    found = estimate_noise(labels, probs, confident_joint=own, converge=False)
    assert all(np.isfinite(array).all() for array in found)


@pytest.mark.parametrize("method", METHODS[:2])
def test_own_joint_that_is_not_used(method):
    labels, probs = strategies.realistic(7, n=100, k=3)
    with pytest.warns(DataWarning, match=f"^confident_joint: not used by method='{method}'"):
        found = num_label_issues(labels, probs, method=method, confident_joint=np.eye(3))
    assert found == num_label_issues(labels, probs, method=method)


def test_own_joint_that_is_missing():
    with pytest.raises(InputError, match=r"confident_joint: is missing\. Pass it"):
        num_label_issues([0, 1], np.eye(2), method="off_diagonal_custom")


def test_own_joint_of_another_size():
    labels, probs = [0, 0], np.ones((2, 1))
    for estimate in (
        lambda joint: estimate_joint(labels, probs, confident_joint=joint),
        lambda joint: estimate_noise(labels, probs, confident_joint=joint),
        lambda joint: num_label_issues(labels, probs, method=METHODS[2], confident_joint=joint),
    ):
        with pytest.raises(InputError, match=r"confident_joint: has shape \(3, 3\), but pred_p"):
            estimate(np.ones((3, 3)))
