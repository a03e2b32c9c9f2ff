"""The algebra of the confident joint: rounding, calibration, quotas."""

from __future__ import annotations

import time

import numpy as np
import pytest
import reference
import strategies
from hypothesis import given
from hypothesis import strategies as st

from goldlabel.errors import InputError
from goldlabel.learning import calibration, pruning

EXAMPLE_3 = [[30, 10, 2], [5, 40, 5], [1, 3, 50]]


# Rounding


@pytest.mark.parametrize(
    ("row", "at", "rounded"),
    [
        ([1.5, 1.5, 1.0], 0, [2, 1, 1]),  # subtracting: the diagonal is last
        ([1.5, 1.5, 1.0], 1, [1, 2, 1]),
        ([1.5, 1.5, 1.0], 2, [1, 2, 1]),  # then the lowest column is first
        ([0.5, 0.5], 0, [1, 0]),  # adding: the diagonal is first
        ([0.5, 0.5], 1, [0, 1]),
        ([1.2, 1.2, 1.2, 1.4], 0, [1, 1, 1, 2]),  # the larger remainder wins, tie rule or not
        ([1.1] * 10, 3, [1, 1, 1, 2, 1, 1, 1, 1, 1, 1]),
        ([0, 0, 0.75, 0.75, 0.75, 0.75], 0, [0, 0, 0, 1, 1, 1]),
        ([0, 0, 0.75, 0.75, 0.75, 0.75], 2, [0, 0, 1, 0, 1, 1]),
        ([-1.5, 0.5, 1.0], 0, [-1, 0, 1]),
    ],
)
def test_round_rows_keeps_the_sum_and_breaks_ties_by_rule(row, at, rounded):
    matrix = np.zeros((len(row), len(row)))
    matrix[at] = row
    assert calibration.round_rows(matrix)[at].tolist() == rounded


def test_round_rows_does_not_see_the_last_bits():
    exact = np.array([[0.5, 0.25, 0.25], [2.5, 2.5, 4.0], [1.75, 1.75, 1.5]])
    for seed in range(20):
        shaken = exact * (1 + np.random.default_rng(seed).uniform(-1, 1, (3, 3)) * 1e-13)
        np.testing.assert_array_equal(calibration.round_rows(shaken), calibration.round_rows(exact))


@given(strategies.joints())
def test_calibrate_equals_reference_and_keeps_counts(drawn):
    counted, counts = drawn
    calibrated = calibration.calibrate(counted, counts)
    np.testing.assert_array_equal(calibrated, reference.calibrate_joint(counted, counts))
    np.testing.assert_array_equal(calibrated.sum(axis=1), counts)
    assert (calibrated >= 0).all()
    np.testing.assert_array_equal(calibration.calibrate(calibrated, counts), calibrated)


@given(strategies.joints(), st.integers(1, 10**6))
def test_calibrate_sees_proportions_only(drawn, factor):
    counted, counts = drawn
    np.testing.assert_array_equal(
        calibration.calibrate(counted * factor, counts), calibration.calibrate(counted, counts)
    )


def test_calibrate_spec_example_3():
    calibrated = calibration.calibrate(EXAMPLE_3, (60, 70, 70))
    assert calibrated.tolist() == [[43, 14, 3], [7, 56, 7], [1, 4, 65]]
    assert calibrated.dtype == np.int64


def test_calibrate_rows_are_independent():
    other = [EXAMPLE_3[0], [0, 1, 9], [7, 7, 7]]
    counts = (61, 70, 70)
    assert (
        calibration.calibrate(other, counts)[0].tolist()
        == calibration.calibrate(EXAMPLE_3, counts)[0].tolist()
    )


def test_calibrate_row_of_zeros_goes_to_the_diagonal():
    """DIVERGE 1-09: other rows are not inflated to reach the total."""
    calibrated = calibration.calibrate([[5, 1, 0], [0, 0, 0], [1, 0, 3]], (6, 2, 4))
    assert calibrated.tolist() == [[5, 1, 0], [0, 2, 0], [1, 0, 3]]


def test_calibrate_no_classes_and_absent_classes():
    assert calibration.calibrate(np.zeros((0, 0)), []).shape == (0, 0)
    assert calibration.calibrate(np.eye(3), (0, 0, 0)).tolist() == [[0] * 3] * 3


def test_calibrate_leaves_its_input_alone():
    counted = np.array(EXAMPLE_3, dtype=np.float64)
    kept = counted.copy()
    calibration.calibrate(counted, (60, 70, 70))
    calibration.joint(counted)
    pruning.prune_counts(counted, counted.sum(axis=1))
    np.testing.assert_array_equal(counted, kept)


def test_a_thousand_classes_are_quick():
    random = np.random.default_rng(0)
    counted, counts = random.integers(0, 4, (1000, 1000)), random.integers(0, 5000, 1000)
    start = time.process_time()
    calibrated = calibration.calibrate(counted, counts)
    kept = pruning.prune_counts(calibrated, counts, frac_noise=0.7)
    assert time.process_time() - start < 1.0  # 0.06 s when measured
    np.testing.assert_array_equal(kept.sum(axis=0), counts)


# The joint and the number of errors


@given(strategies.joints())
def test_joint_and_count_equal_reference(drawn):
    counted, counts = drawn
    np.testing.assert_allclose(
        calibration.joint(counted, counts), reference.estimate_joint(counted, counts), atol=1e-15
    )
    np.testing.assert_allclose(
        calibration.joint(counted), reference.estimate_joint(counted), rtol=0, atol=1e-15
    )
    calibrated = reference.calibrate_joint(counted, counts)
    errors = calibration.count_label_errors(counted, counts)
    assert type(errors) is int  # DIVERGE 1-14
    assert errors == calibrated.sum() - np.trace(calibrated)


def test_count_label_errors_of_a_floored_diagonal():
    """DIVERGE 1-14: fewer than by counting, for [[1, 3], [0, 4]] has a floored diagonal."""
    assert calibration.count_label_errors([[1, 3], [0, 4]], (3, 4)) == 2


# Prune counts


quota_kinds = st.fixed_dictionaries(
    {
        "min_examples_per_class": st.integers(0, 6),
        "frac_noise": st.sampled_from([0.0, 0.1, 0.25, 0.29, 0.5, 1.0]),
        "num_to_remove_per_class": st.none() | st.integers(0, 9),
    }
)


@given(strategies.joints(), quota_kinds)
def test_prune_counts_equal_reference(drawn, quotas):
    counted, counts = drawn
    calibrated = calibration.calibrate(counted, counts)
    kept = pruning.prune_counts(calibrated, counts, **quotas)
    np.testing.assert_array_equal(kept, reference.prune_counts(calibrated, counts, **quotas))


@given(strategies.joints(), st.integers(0, 6), st.floats(0, 1))
def test_prune_counts_never_ask_for_more_than_there_is(drawn, smallest, share):
    counted, counts = drawn
    calibrated = calibration.calibrate(counted, counts)
    kept = pruning.prune_counts(
        calibrated, counts, min_examples_per_class=smallest, frac_noise=share
    )
    assert (kept >= 0).all()
    np.testing.assert_array_equal(kept.sum(axis=0), counts)  # DIVERGE 1-19
    assert (np.diag(kept) >= np.minimum(counts, smallest)).all()
    errors = counts - np.diag(calibrated)
    wanted = share * np.minimum(errors, np.maximum(counts - smallest, 0))
    assert (np.abs(counts - np.diag(kept) - wanted) < 1).all()


def test_prune_counts_default_is_the_transposed_joint():
    calibrated = np.array([[43, 14, 3], [7, 56, 7], [1, 4, 65]])
    kept = pruning.prune_counts(calibrated, (60, 70, 70))
    np.testing.assert_array_equal(kept, calibrated.T)
    assert kept.flags.c_contiguous


def test_prune_counts_per_given_class():
    """DIVERGE 1-15: exactly r labels of each *given* class, split over the true ones."""
    calibrated = [[43, 14, 3], [7, 56, 7], [1, 4, 65]]
    kept = pruning.prune_counts(calibrated, (60, 70, 70), num_to_remove_per_class=[2, 5, 9])
    np.testing.assert_array_equal(np.diag(kept), [58, 65, 61])
    np.testing.assert_array_equal(kept.sum(axis=0) - np.diag(kept), [2, 5, 9])
    assert kept[:, 2].tolist() == [2, 7, 61]


def test_prune_counts_of_a_class_without_noise():
    """DIVERGE 1-16: r by ranking alone where only the class counts, none for any pair."""
    kept = pruning.prune_counts([[4, 0], [1, 3]], (4, 4), num_to_remove_per_class=2)
    assert kept.tolist() == [[2, 2], [0, 2]]


def test_prune_counts_share_of_small_rates():
    """DIVERGE 1-18: a quarter of sixteen single errors is four; 0.29 of 100 is 29."""
    k = 17
    calibrated = np.zeros((k, k), dtype=np.int64)
    calibrated[0] = 1
    kept = pruning.prune_counts(calibrated, calibrated.sum(axis=1), frac_noise=0.25)
    assert kept[0, 0] == k - 4
    assert pruning.prune_counts([[50, 100], [0, 9]], (150, 9), frac_noise=0.29)[1, 0] == 29


def test_prune_counts_smallest_class():
    """DIVERGE 1-19, 1-20: what the diagonal needs is taken from the pairs in proportion."""
    calibrated = [[0, 4, 2], [0, 1, 0], [0, 1, 0]]
    assert pruning.prune_counts(calibrated, (6, 1, 1)).tolist() == [[1, 0, 0], [3, 1, 0], [2, 0, 1]]
    kept = pruning.prune_counts(calibrated, (6, 1, 1), min_examples_per_class=3)
    assert kept[:, 0].tolist() == [3, 2, 1]
    kept = pruning.prune_counts(calibrated, (6, 1, 1), min_examples_per_class=9)
    assert kept.tolist() == np.diag([6, 1, 1]).tolist()
    kept = pruning.prune_counts(calibrated, (6, 1, 1), min_examples_per_class=0)
    assert kept.tolist() == np.transpose(calibrated).tolist()


# What does not fit


@pytest.mark.parametrize(
    ("call", "where", "what"),
    [
        (lambda: calibration.calibrate([[1, 2]], [1]), "confident_joint", r"shape \(1, 2\)"),
        (lambda: calibration.calibrate([1, 2], [1]), "confident_joint", r"shape \(2,\)"),
        (lambda: calibration.calibrate([["a"]], [1]), "confident_joint", "not a matrix of numbers"),
        (lambda: calibration.calibrate([[1, 2], [3]], [1]), "confident_joint", "not a matrix"),
        (
            lambda: calibration.calibrate([[1, -2], [-1, 3]], [1, 1]),
            "confident_joint[0, 1]",
            "is -2.0, not finite and at least 0 (2 such",
        ),
        (lambda: calibration.joint([[1, np.nan], [0, 1]]), "confident_joint[0, 1]", "is nan"),
        (lambda: calibration.count_label_errors([[np.inf]]), "confident_joint[0, 0]", "is inf"),
        (lambda: calibration.round_rows([[np.nan]]), "values[0, 0]", "is nan, not a finite number"),
        (
            lambda: calibration.calibrate(np.eye(2), [1, 2, 3]),
            "class_counts",
            "does not fit 2 classes",
        ),
        (
            lambda: calibration.calibrate(np.eye(2), [1, 2.5]),
            "class_counts[1]",
            "is 2.5, not a whole",
        ),
        (
            lambda: calibration.calibrate(np.eye(2), [-1, 2]),
            "class_counts[0]",
            "is -1, not a whole",
        ),
        (
            lambda: pruning.prune_counts(np.eye(2), (1, 3)),
            "calibrated_joint[1]",
            "sums to 1, but 3 labels",
        ),
        (lambda: pruning.prune_counts(np.eye(2), (1, 1), frac_noise=1.5), "frac_noise", "is 1.5"),
        (lambda: pruning.prune_counts(np.eye(1), [1], frac_noise=np.nan), "frac_noise", "is nan"),
        (
            lambda: pruning.prune_counts(np.eye(2), (1, 1), num_to_remove_per_class=[1, 2, 3]),
            "num_to_remove_per_class",
            "does not fit 2 classes",
        ),
        (
            lambda: pruning.prune_counts(np.eye(1), [1], num_to_remove_per_class=-1),
            "num_to_remove_per_class",
            "is -1",
        ),
        (
            lambda: pruning.prune_counts(np.eye(1), [1], min_examples_per_class=1.5),
            "min_examples_per_class",
            "is 1.5",
        ),
    ],
)
def test_what_does_not_fit_is_said(call, where, what):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.where == where
    assert what.replace("\\", "") in caught.value.what


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=1, max_size=5), st.data()
)
def test_blocks_of_one_matrix_are_calibrated_each_by_itself(matrices, data):
    joints = np.reshape(matrices, (-1, 2, 2)).astype(np.float64)
    counts = np.reshape(
        data.draw(st.lists(st.integers(0, 30), min_size=2 * len(joints), max_size=2 * len(joints))),
        (-1, 2),
    )
    block, given_, true = np.nonzero(joints)
    values = joints[block, given_, true]
    entries = calibration.Entries(2 * block + given_, 2 * block + true, values)
    rows, columns, found = calibration.calibrate_entries(entries, counts.ravel())
    calibrated = np.zeros(joints.shape, dtype=np.int64)
    calibrated[rows // 2, rows % 2, columns % 2] = found
    expected = [calibration.calibrate(*each) for each in zip(joints, counts, strict=True)]
    np.testing.assert_array_equal(calibrated, expected)
