"""The pass over pred_probs against its definition, down to the awkward numbers."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from dataclasses import fields
from unittest import mock

import numba
import numpy as np
import pytest
import reference
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.kernels import class_means, confident, disagreeing, rows

EPS = 1e-6
AWKWARD = (
    *(0.0, -0.0, -1e-6, -4e-7, 1e-7, 1e-6, 2e-6, 3e-6),
    *(0.25, 0.5 - 1e-6, 0.5 - 5e-7, 0.5, 0.5 + 5e-7, 0.5 + 1e-6, 0.5 + 2e-6),
    *(1 - 1e-6, 1 - 5e-7, 1.0, 1 + 5e-7, 1 + 9e-7),
)
CUTOFFS = (0.0, 5e-7, 1e-6, 2e-6, 0.25, 0.5 - 1e-6, 0.5, 0.5 + 1e-6, 1.0, 1 + 1e-6, 2.0)


@contextlib.contextmanager
def small_blocks(cells=8, threads=3):
    """Let little input make many blocks on several threads."""
    with (
        mock.patch.object(rows, "BLOCK_CELLS", cells),
        mock.patch.object(class_means, "_SUM_ROWS", cells),
        mock.patch.dict(os.environ, {"GOLDLABEL_THREADS": str(threads)}),
    ):
        yield


@st.composite
def awkward_rows(draw, *, min_n=0, max_n=16):
    """(labels, pred_probs, cutoffs): ties, signs, near agreement, the smallest numbers, -1s."""
    n, k = draw(st.integers(min_n, max_n)), draw(st.integers(1, 5))
    dtype = np.dtype(draw(st.sampled_from(strategies.DTYPES)))
    smallest = float(np.finfo(dtype).smallest_subnormal)
    number = st.one_of(
        st.sampled_from((*AWKWARD, smallest, 3 * smallest, float(np.finfo(dtype).tiny))),
        st.floats(0, 1, width=32),
    )
    cells = draw(st.lists(number, min_size=n * k, max_size=n * k))
    labels = draw(st.lists(st.integers(-1, k - 1), min_size=n, max_size=n))
    cutoffs = draw(st.lists(st.sampled_from(CUTOFFS), min_size=k, max_size=k))
    probs = np.array(cells, dtype=np.float64).reshape(n, k).astype(dtype)
    return np.array(labels, dtype=np.int64), probs, np.array(cutoffs)


def agrees(given_class, row):
    """Whether the given class is the largest once EPS is added to it, in the type of the row."""
    raised = row.copy()
    raised[given_class] = float(row[given_class]) + EPS
    return reference.argmax(raised) == given_class


def expected_guess(row, cutoffs, guess):
    """Numbers below 0 count as 0 where they are compared with a threshold, and only there."""
    found = [j for j, p in enumerate(row) if max(float(p), 0.0) >= cutoffs[j] - EPS]
    if not found:
        return -1
    if len(found) == 1 or guess == "confident_only":
        return max(found, key=lambda j: (row[j], -j))
    return reference.argmax(row)


def expected_margin(given_class, row):
    if len(row) == 1:
        return 1.0
    other = max(max(float(p) for j, p in enumerate(row) if j != given_class), 0.0)
    return min(max((float(row[given_class]) - other + 1) / 2, 0.0), 1.0)


def full_joint(swept, k):
    """The joint with its zeros; entries come row by row, each once and none empty."""
    joint = np.zeros((k, k), dtype=np.int64)
    cells = swept.joint.given * k + swept.joint.guess
    assert (np.diff(cells) > 0).all()
    assert (swept.joint.counts > 0).all()
    joint[swept.joint.given, swept.joint.guess] = swept.joint.counts
    return joint


def check_sweep(labels, probs, cutoffs, guess):
    k = probs.shape[1]
    got = confident.sweep(
        labels,
        probs,
        cutoffs,
        confident_only=guess == "confident_only",
        self_confidence=True,
        normalized_margin=True,
        disagreeing=True,
    )
    joint = np.zeros((k, k), dtype=np.int64)
    for i, (label, row) in enumerate(zip(labels, probs, strict=True)):
        flags = confident.AGREES
        scores = 1.0, 1.0
        if label >= 0:
            guessed = expected_guess(row, cutoffs, guess)
            flags = confident.AGREES if agrees(label, row) else 0
            if guessed >= 0:
                joint[label, guessed] += 1
                flags |= confident.OFF_DIAGONAL if guessed != label else 0
            scores = min(max(float(row[label]), 0.0), 1.0), expected_margin(label, row)
        assert got.flags[i] == flags, (i, label, row)
        assert got.predicted[i] == reference.argmax(row)
        assert got.self_confidence[i] == scores[0]
        assert got.normalized_margin[i] == pytest.approx(scores[1], abs=1e-15)
    np.testing.assert_array_equal(full_joint(got, k), joint)
    assert got.num_not_predicted == ((got.predicted != labels) & (np.asarray(labels) >= 0)).sum()
    check_disagreeing(got, labels, probs)
    rows = np.flatnonzero((got.flags & confident.AGREES) == 0)
    again = disagreeing.looked_up(rows, labels, probs, got.predicted)
    for kept, looked_up in zip(got.disagreeing, again, strict=True):
        assert kept.dtype == looked_up.dtype
        np.testing.assert_array_equal(kept, looked_up)
    assert got.in_range
    kept = np.asarray(labels) >= 0
    if kept.any():
        sums = np.array([math.fsum(map(float, row)) for row in probs])
        assert got.worst_sum == pytest.approx(sums[got.worst_row], abs=1e-6)
        assert abs(got.worst_sum - 1) == pytest.approx(np.abs(sums[kept] - 1).max(), abs=1e-6)
    else:
        assert got.worst_sum == 1.0


def check_disagreeing(got, labels, probs):
    rows, p_given, p_predicted = got.disagreeing
    np.testing.assert_array_equal(rows, np.flatnonzero((got.flags & confident.AGREES) == 0))
    np.testing.assert_array_equal(p_given, probs[rows, labels[rows]])
    np.testing.assert_array_equal(p_predicted, probs[rows, got.predicted[rows]])
    assert p_given.dtype == p_predicted.dtype == probs.dtype
    mask = np.arange(len(labels)) % 2 == 0
    some = rows % 2 == 0
    for found, whole in zip(got.disagreeing.in_mask(mask), got.disagreeing, strict=True):
        np.testing.assert_array_equal(found, whole[some])


@pytest.mark.parametrize("guess", ["argmax", "confident_only"])
@given(awkward_rows())
@settings(max_examples=150)
def test_sweep_of_awkward_rows(guess, drawn):
    labels, probs, cutoffs = drawn
    check_sweep(labels, probs, cutoffs, guess)
    with small_blocks():
        check_sweep(labels, probs, cutoffs, guess)


@pytest.mark.parametrize("dtype", strategies.DTYPES)
@pytest.mark.parametrize("cutoff", [0.0, 1e-6, 2e-6, 0.5])
def test_rows_of_nothing_but_zeros_and_less(cutoff, dtype):
    """Numbers below 0 do not order like their bits; all rows of three of them, and all labels."""
    values = (0.0, -0.0, -4e-7, -1e-6, 1e-7)
    found = np.array(list(itertools.product(values, values, values, range(-1, 3))))
    labels, probs = found[:, 3].astype(np.int64), found[:, :3].astype(dtype)
    for guess in ("argmax", "confident_only"):
        check_sweep(labels, probs, np.full(3, cutoff), guess)


@given(awkward_rows())
@settings(max_examples=60)
def test_joint_of_many_classes_is_counted_by_row(drawn):
    """What a matrix for each thread would take too much memory for."""
    with mock.patch.object(confident, "_DENSE", 0), small_blocks():
        check_sweep(*drawn, "argmax")


@pytest.mark.parametrize("guess", ["argmax", "confident_only"])
@given(strategies.labeled_rows(min_n=0), st.data())
@settings(max_examples=60)
def test_sweep_of_probabilities(guess, drawn, data):
    labels, probs = drawn
    cutoffs = data.draw(st.lists(st.sampled_from(CUTOFFS), min_size=probs.shape[1]))
    check_sweep(labels, probs, np.array(cutoffs[: probs.shape[1]]), guess)


@pytest.mark.parametrize("dtype", strategies.DTYPES)
@pytest.mark.parametrize("absent", [(), (0, 3)])
def test_sweep_over_many_blocks(dtype, absent):
    labels, probs = strategies.realistic(5, n=700, k=5, absent=absent, dtype=dtype)
    labels[::13] = -1
    counts, sums = class_means.class_sums(labels, probs)
    cutoffs = class_means.thresholds(counts, sums)
    np.testing.assert_allclose(cutoffs, reference.class_thresholds(labels, probs), rtol=1e-14)
    with small_blocks(cells=256):
        check_sweep(labels, probs, cutoffs, "argmax")


def test_without_cutoffs_nobody_is_confident():
    labels, probs = strategies.realistic(0, n=30, k=3)
    found = confident.sweep(labels, probs)
    assert found.joint.counts.shape == (0,)
    assert not (found.flags & confident.OFF_DIAGONAL).any()
    assert found.self_confidence.shape == found.normalized_margin.shape == (0,)
    assert found.disagreeing is None


def test_row_left_out_counts_nowhere_but_its_numbers_are_checked():
    probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.9]])
    labels = np.array([0, -1, -1])
    counts, sums = class_means.class_sums(labels, probs)
    assert counts.tolist() == [1, 0]
    assert sums.tolist() == [0.9, 0.0]
    found = confident.sweep(
        labels, probs, np.array([0.5, 0.5]), self_confidence=True, normalized_margin=True
    )
    assert full_joint(found, 2).tolist() == [[1, 0], [0, 0]]
    assert found.flags.tolist() == [confident.AGREES] * 3
    assert found.predicted.tolist() == [0, 1, 1]
    assert found.self_confidence.tolist() == [0.9, 1.0, 1.0]
    assert found.normalized_margin.tolist() == [0.9, 1.0, 1.0]
    assert (found.worst_row, round(found.worst_sum, 9)) == (0, 1.0)
    probs[1, 0] = 1.5
    assert not confident.sweep(labels, probs).in_range


# What is not a probability

NOT_PROBABILITIES = {
    "NaN": np.nan,
    "negative NaN": -np.nan,
    "inf": np.inf,
    "-inf": -np.inf,
    "above 1": 1.00001,
    "below 0": -1.00001e-5,
    "logit": -3.5,
    "huge": 1e30,
}


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="Python's int() takes no NaN")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("label", [-1, 0, 1, 2])
@pytest.mark.parametrize("dtype", strategies.DTYPES)
@pytest.mark.parametrize("value", NOT_PROBABILITIES.values(), ids=NOT_PROBABILITIES)
def test_out_of_range_is_seen_wherever_it_is(value, dtype, label):
    for row, column in np.ndindex(3, 3):
        probs = np.full((3, 3), 1 / 3, dtype=dtype)
        probs[row, column] = value
        with small_blocks(cells=3):
            found = confident.sweep(np.full(3, label), probs, np.full(3, 0.3))
        assert not found.in_range, (row, column)


@pytest.mark.parametrize("dtype", strategies.DTYPES)
def test_rounding_is_in_range(dtype):
    probs = np.array([[1 + 9e-7, -9e-7], [1.0, -0.0], [0.5, 0.5]], dtype=dtype)
    assert confident.sweep(np.zeros(3, dtype=np.int64), probs).in_range


# Thresholds


@given(awkward_rows())
def test_class_sums(drawn):
    labels, probs, _ = drawn
    with small_blocks(cells=4):
        counts, sums = class_means.class_sums(labels, probs)
    assert counts.tolist() == reference.class_counts(labels, probs.shape[1])
    np.testing.assert_allclose(
        np.maximum(class_means.thresholds(counts, sums), 2 * EPS),
        reference.class_thresholds(labels, probs),
        rtol=1e-13,
    )
    assert sums.dtype == np.float64


def test_float32_is_summed_in_float64():
    probs = np.full((100_000, 1), 0.1, dtype=np.float32)
    counts, sums = class_means.class_sums(np.zeros(len(probs), dtype=np.int64), probs)
    assert sums[0] / counts[0] == pytest.approx(float(np.float32(0.1)), rel=1e-13)


def test_a_class_of_equals_is_confident_of_all_or_none():
    """The slack is what the rounding of a mean must not decide: t is the p of every member."""
    probs = np.tile([0.1, 0.9], (12_345, 1))
    labels = np.ones(len(probs), dtype=np.int64)
    cutoffs = class_means.thresholds(*class_means.class_sums(labels, probs))
    found = full_joint(confident.sweep(labels, probs, cutoffs), 2)
    assert found.tolist() == [[0, 0], [0, len(probs)]]


def test_probability_of_zero_is_never_confident():
    """Class 1 is never predicted at all: its threshold is the floor, above 0 by more than EPS."""
    probs = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    cutoffs = class_means.thresholds(*class_means.class_sums(np.array([0, 1, 1]), probs))
    assert cutoffs.tolist() == [1.0, 2e-6]
    found = full_joint(confident.sweep(np.array([0, 1, 1]), probs, cutoffs), 2)
    assert found.tolist() == [[1, 0], [2, 0]]


@pytest.mark.parametrize("dtype", strategies.DTYPES)
@given(st.floats(0, 2), st.integers(-3, 3))
def test_cut_is_the_first_number_that_reaches_the_threshold(dtype, threshold, steps):
    """float32 is compared as if it were float64."""
    p = np.array(max(threshold - EPS, 0), dtype=dtype)
    for _ in range(abs(steps)):
        p = np.nextafter(p, dtype(np.sign(steps) * 4))
    p = np.clip(p, 0, dtype(1))
    found = confident.sweep(np.zeros(1, dtype=np.int64), p.reshape(1, 1), np.array([threshold]))
    assert full_joint(found, 1)[0, 0] == (float(p) >= max(threshold - EPS, 0))


# The same bits whatever the machine, and whatever the order of the rows


@pytest.mark.parametrize("dtype", strategies.DTYPES)
@given(st.data())
@settings(max_examples=30)
def test_order_of_the_rows_changes_no_bit_of_the_sums(dtype, data):
    labels, probs = strategies.realistic(3, n=200, k=4, dtype=dtype)
    order = np.array(data.draw(st.permutations(range(200))))
    with small_blocks():
        sums = class_means.class_sums(labels, probs)[1].tobytes()
        assert class_means.class_sums(labels[order], probs[order])[1].tobytes() == sums


@pytest.mark.parametrize("dtype", strategies.DTYPES)
def test_same_bits_for_any_number_of_threads(dtype):
    labels, probs = strategies.realistic(8, n=900, k=6, dtype=dtype)
    labels[::11] = -1
    found = []
    for threads in (1, 2, 5):
        with small_blocks(cells=60, threads=threads):
            counts, sums = class_means.class_sums(labels, probs)
            cutoffs = class_means.thresholds(counts, sums)
            swept = confident.sweep(
                labels,
                probs,
                cutoffs,
                self_confidence=True,
                normalized_margin=True,
                disagreeing=True,
            )
        names = {field.name for field in fields(swept)} - {"disagreeing", "joint"}
        values = [*(getattr(swept, name) for name in sorted(names)), *swept.disagreeing]
        values += swept.joint
        found.append([np.asarray(value).tobytes() for value in (counts, sums, cutoffs, *values)])
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("dtype", strategies.DTYPES)
def test_read_only_and_mapped_arrays(tmp_path, dtype):
    labels, probs = strategies.realistic(9, n=80, k=4, dtype=dtype)
    expected = confident.sweep(labels, probs, np.full(4, 0.3), self_confidence=True)
    np.save(tmp_path / "labels.npy", labels)
    np.save(tmp_path / "probs.npy", probs)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("labels", "probs")]
    for array in (labels, probs):
        array.flags.writeable = False
    for given_labels, given_probs in ([labels, probs], mapped):
        counts, _ = class_means.class_sums(given_labels, given_probs)
        assert counts.sum() == 80
        found = confident.sweep(given_labels, given_probs, np.full(4, 0.3), self_confidence=True)
        np.testing.assert_array_equal(full_joint(found, 4), full_joint(expected, 4))
        assert found.self_confidence.tobytes() == expected.self_confidence.tobytes()


def test_input_stays_as_it_was():
    labels, probs = strategies.realistic(9, n=50, k=3)
    before = labels.tobytes(), probs.tobytes()
    class_means.class_sums(labels, probs)
    confident.sweep(labels, probs, np.full(3, 0.3), self_confidence=True, normalized_margin=True)
    assert (labels.tobytes(), probs.tobytes()) == before
    assert labels.flags.writeable
    assert probs.flags.writeable


def test_many_classes_fit_the_type_of_the_prediction():
    k = (1 << 15) + 1
    probs = np.zeros((2, k))
    probs[0, k - 1] = probs[1, 0] = 1.0
    found = confident.sweep(np.array([-1, -1]), probs)
    assert found.predicted.tolist() == [k - 1, 0]
