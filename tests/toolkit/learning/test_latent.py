"""Noise matrices, priors and their conversions."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import reference
import strategies
from hypothesis import assume, given
from hypothesis import strategies as st

from goldlabel.errors import DataWarning, InputError
from goldlabel.learning import latent

EXAMPLE_3 = [[30, 10, 2], [5, 40, 5], [1, 3, 50]]
COUNTS_3 = (60, 70, 70)
PY_METHODS = ["cnt", "eqn", "marginal", "marginal_ps"]


def healthy(seed, k):
    """Return (joint with most of its mass on the diagonal, class counts)."""
    random = np.random.default_rng(seed)
    counted = random.integers(0, 5, (k, k)) + np.diag(random.integers(20, 60, k))
    return counted, random.integers(1, 90, k)


@pytest.mark.parametrize(
    ("py_method", "converge", "expected"),
    [
        ("cnt", False, [0.257765, 0.371897, 0.370338]),
        ("eqn", False, [0.260046, 0.373276, 0.366678]),
        ("marginal", False, [0.246575, 0.363014, 0.390411]),
        ("marginal_ps", False, [0.255767, 0.370873, 0.373360]),
        ("cnt", True, [0.260041, 0.373281, 0.366679]),
    ],
)
def test_priors_of_spec_example_3(py_method, converge, expected):
    py, noise_matrix, inverse = latent.estimate_latent(
        EXAMPLE_3, COUNTS_3, py_method=py_method, converge=converge
    )
    np.testing.assert_allclose(py, expected, atol=1e-6)
    if converge:
        np.testing.assert_allclose(np.diag(inverse), [0.722339, 0.804913, 0.918994], atol=1e-6)
    else:
        np.testing.assert_allclose(np.diag(noise_matrix), [0.833333, 0.754717, 0.877193], atol=1e-6)
        np.testing.assert_allclose(np.diag(inverse), [0.714286, 0.8, 0.925926], atol=1e-6)


@pytest.mark.parametrize("converge", [False, True])
@pytest.mark.parametrize("py_method", PY_METHODS)
@pytest.mark.parametrize("k", [1, 2, 5, 40])
def test_estimate_equals_reference(k, py_method, converge):
    for seed in range(5):
        counted, counts = healthy(seed, k)
        got = latent.estimate_latent(counted, counts, py_method=py_method, converge=converge)
        expected = reference.latent(counted, counts, py_method=py_method, converge=converge)
        for ours, twin in zip(got, expected, strict=True):
            np.testing.assert_allclose(ours, twin, rtol=0, atol=1e-12)


@given(strategies.joints(), st.sampled_from(PY_METHODS), st.booleans())
def test_estimates_are_distributions_of_length_k(drawn, py_method, converge):
    """DIVERGE 1-11, 1-12: whatever is absent or singular, k finite values that sum to 1."""
    counted, counts = drawn
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        py, *matrices = latent.estimate_latent(
            counted, counts, py_method=py_method, converge=converge
        )
    assert py.shape == counts.shape
    assert py.sum() == pytest.approx(1)
    assert ((py > 0) & (py <= 1)).all()
    for matrix in matrices:
        assert matrix.shape == counted.shape
        assert ((matrix >= 0) & (matrix <= 1 + 1e-12)).all()
        sums = matrix.sum(axis=0)
        assert (np.isclose(sums, 1) | (sums == 0)).all()


def test_absent_class_has_zero_columns():
    py, noise_matrix, inverse = latent.estimate_latent(
        [[2, 0, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]], (2, 0, 2, 0)
    )
    np.testing.assert_allclose(py, [0.7499985, 1e-6, 0.2499995, 1e-6], rtol=1e-5)
    assert not noise_matrix[:, [1, 3]].any()
    assert not inverse[:, [1, 3]].any()


@pytest.mark.parametrize("py_method", PY_METHODS)
def test_absent_class_changes_nothing_else(py_method):
    counted, counts = healthy(3, 4)
    wide = np.insert(np.insert(counted, 2, 0, axis=0), 2, 0, axis=1)
    dense = latent.estimate_latent(counted, counts, py_method=py_method)
    padded = latent.estimate_latent(wide, np.insert(counts, 2, 0), py_method=py_method)
    np.testing.assert_allclose(np.delete(padded[0], 2), dense[0], atol=1e-5)
    for full, small in zip(padded[1:], dense[1:], strict=True):
        np.testing.assert_allclose(np.delete(np.delete(full, 2, 0), 2, 1), small, atol=1e-12)


@pytest.mark.parametrize("counted", [[[2, 2], [2, 2]], [[1, 1, 0], [1, 1, 0], [0, 0, 3]]])
def test_singular_noise_matrix_is_solved_by_least_squares(counted):
    """DIVERGE 1-11."""
    counts = np.sum(counted, axis=1)
    with pytest.warns(DataWarning, match="noise_matrix: is singular"):
        py, _, _ = latent.estimate_latent(counted, counts, py_method="eqn")
    np.testing.assert_allclose(py, counts / counts.sum())  # the solution of least norm


def test_nearly_singular_is_singular():
    nearly = [[0.5, 0.5 - 1e-14], [0.5, 0.5 + 1e-14]]
    with pytest.warns(DataWarning, match="singular"):
        py, inverse = latent.latent_from_noise([0.5, 0.5], nearly)
    np.testing.assert_allclose(py, [0.5, 0.5])
    assert np.isfinite(inverse).all()


@pytest.mark.parametrize("k", [1, 2, 6])
def test_conversions_are_bayes_rule(k):
    random = np.random.default_rng(k)
    pairs = random.dirichlet(np.ones(k * k)).reshape(k, k) + np.eye(k)
    pairs /= pairs.sum()
    ps, py = pairs.sum(axis=1), pairs.sum(axis=0)
    noise_matrix, inverse = pairs / py, (pairs / ps[:, None]).T
    for given_ps in (None, ps):
        got = latent.inverse_from_noise(py, noise_matrix, ps=given_ps)
        np.testing.assert_allclose(got, inverse, atol=1e-12)
    for given_py in (None, py):
        got = latent.noise_from_inverse(ps, inverse, py=given_py)
        np.testing.assert_allclose(got, noise_matrix, atol=1e-12)
    solved, got = latent.latent_from_noise(ps, noise_matrix)
    np.testing.assert_allclose(solved, py, atol=1e-12)
    np.testing.assert_allclose(got, inverse, atol=1e-12)


def test_conversions_with_an_absent_class():
    noise_matrix = [[0.9, 0, 0.2], [0, 0, 0], [0.1, 0, 0.8]]
    inverse = latent.inverse_from_noise([0.5, 0, 0.5], noise_matrix)
    np.testing.assert_allclose(inverse[:, 0], [0.45 / 0.55, 0, 0.1 / 0.55])
    assert not inverse[:, 1].any()
    back = latent.noise_from_inverse([0.55, 0, 0.45], inverse)
    np.testing.assert_allclose(back, noise_matrix, atol=1e-12)


def test_true_class_probs_row_by_row():
    """DIVERGE 1-13: one product for all rows, the same as one row after the other."""
    _, noise_matrix, inverse = latent.estimate_latent(*healthy(0, 5))
    probs = np.random.default_rng(0).dirichlet(np.ones(5), 50).astype(np.float32)
    for row, corrected in zip(
        probs, latent.true_class_probs(probs, noise_matrix, inverse), strict=True
    ):
        expected = [min(float(row[j]) * inverse[j, j] / noise_matrix[j, j], 1.0) for j in range(5)]
        np.testing.assert_allclose(corrected, np.array(expected) / sum(expected), rtol=1e-12)


def test_true_class_probs_never_nan():
    eye = np.diag([1.0, 0.0])
    corrected = latent.true_class_probs([[0.0, 1.0], [0.5, 0.5]], eye, eye)
    assert corrected.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert latent.true_class_probs(np.empty((0, 2)), eye, eye).shape == (0, 2)


def test_remove_noise_from_class():
    _, noise_matrix, _ = latent.estimate_latent(EXAMPLE_3, COUNTS_3)
    cleaned = latent.remove_noise_from_class(noise_matrix, 1)
    np.testing.assert_allclose(cleaned.sum(axis=0), 1)
    assert cleaned[1, [0, 2]].tolist() == [0, 0]
    off = ~np.eye(3, dtype=bool)
    off[1] = False
    np.testing.assert_array_equal(cleaned[off], noise_matrix[off])


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=20))
def test_f1_positive_unlabeled(rows):
    labels, predictions = map(list, zip(*rows, strict=True))
    found = latent.f1_positive_unlabeled(labels, predictions)
    if not any(labels) or not any(predictions):
        assert math.isnan(found)
        return
    recall = sum(a and b for a, b in rows) / sum(labels)
    assert found == pytest.approx(recall**2 / (2 * sum(predictions) / len(rows)))


@given(strategies.joints(), st.integers(2, 9))
def test_priors_see_proportions_only(drawn, factor):
    counted, counts = drawn
    assume(counts.sum() > 0)
    once = latent.estimate_latent(counted, counts)
    for ours, scaled in zip(
        once, latent.estimate_latent(counted * factor, counts * 2), strict=True
    ):
        np.testing.assert_allclose(ours, scaled, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "where", "what"),
    [
        (lambda: latent.estimate_latent([[1, 2]], [1]), "confident_joint", "shape (1, 2)"),
        (
            lambda: latent.estimate_latent(np.eye(2), [1, 1, 1]),
            "class_counts",
            "does not fit 2 classes",
        ),
        (
            lambda: latent.estimate_latent(np.eye(2), [1, 1], py_method="mean"),
            "py_method",
            "is 'mean'",
        ),
        (lambda: latent.inverse_from_noise([1.0], np.eye(2)), "py", "shape (1,), not (2,)"),
        (lambda: latent.inverse_from_noise(["a", "b"], np.eye(2)), "py", "not an array of numbers"),
        (lambda: latent.noise_from_inverse([0.5, np.nan], np.eye(2)), "ps[1]", "is nan"),
        (lambda: latent.noise_from_inverse([-1, 2], np.eye(2)), "ps[0]", "(2 such entries)"),
        (
            lambda: latent.latent_from_noise([0.5, 0.5], [[0.9, 0.1], [0.4, 0.6]]),
            "noise_matrix[:, 0]",
            "sums to 1.3, not 1 (2 such columns)",
        ),
        (
            lambda: latent.true_class_probs([[1.0]], np.eye(2), np.eye(2)),
            "pred_probs",
            "shape (1, 1)",
        ),
        (
            lambda: latent.true_class_probs([[1, 0], [np.nan, 1]], np.eye(2), np.eye(2)),
            "pred_probs[1]",
            "not finite",
        ),
        (lambda: latent.remove_noise_from_class(np.eye(2), 2), "class_index", "is 2"),
        (lambda: latent.f1_positive_unlabeled([1, 0], [1]), "predictions", "shape (1,)"),
    ],
)
def test_what_does_not_fit_is_said(call, where, what):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.where == where
    assert what in caught.value.what
