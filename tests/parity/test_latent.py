"""The algebra of noise matrices against cleanlab."""

from __future__ import annotations

import numpy as np
import pytest
import reference
import strategies
from hypothesis import assume, given, settings

from goldlabel.learning import calibration, latent

PY_METHODS = ["cnt", "eqn", "marginal", "marginal_ps"]


def labels_of(counts):
    return np.repeat(np.arange(len(counts)), counts)


def healthy(seed, k):
    random = np.random.default_rng(seed)
    counted = random.integers(0, 5, (k, k)) + np.diag(random.integers(20, 60, k))
    return counted, random.integers(1, 90, k)


@pytest.mark.parametrize("converge", [False, True])
@pytest.mark.parametrize("py_method", PY_METHODS)
@pytest.mark.parametrize("k", [2, 5, 30])
def test_estimate_latent(cleanlab, k, py_method, converge):
    for seed in range(5):
        counted, counts = healthy(seed, k)
        expected = cleanlab.count.estimate_latent(
            counted, labels_of(counts), py_method=py_method, converge_latent_estimates=converge
        )
        got = latent.estimate_latent(counted, counts, py_method=py_method, converge=converge)
        for ours, theirs in zip(got, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


@given(strategies.joints())
@settings(max_examples=60)
def test_estimate_latent_of_any_joint(cleanlab, drawn):
    """With classes that are absent, or that nobody seems to be."""
    counted, counts = drawn
    assume((counts > 0).sum() > 1)
    for py_method in ("cnt", "marginal", "marginal_ps"):  # "eqn": DIVERGE 1-11, singular
        expected = cleanlab.count.estimate_latent(counted, labels_of(counts), py_method=py_method)
        if len(expected[0]) < len(counts) or len(counts) > counts.nonzero()[0][-1] + 1:
            continue  # their k comes from the labels
        got = latent.estimate_latent(counted, counts, py_method=py_method)
        for ours, theirs in zip(got, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


@given(strategies.joints())
@settings(max_examples=100)
def test_calibrate(cleanlab, drawn):
    counted, counts = drawn
    # DIVERGE 1-09: a row of zeros that has labels. Their k: from the labels.
    assume(counts[-1] > 0 and (counts > 0).sum() > 1 and (counted.sum(axis=1) > 0).all())
    theirs = cleanlab.count.calibrate_confident_joint(counted, labels_of(counts))
    ours = calibration.calibrate(counted, counts)
    np.testing.assert_array_equal(ours.sum(axis=1), theirs.sum(axis=1))
    for row in range(len(counts)):
        if not reference.has_rounding_tie(counted[row], counts[row]):
            np.testing.assert_array_equal(ours[row], theirs[row])
        else:  # DIVERGE 1-10: halves, and which of equal remainders is rounded up
            assert np.abs(ours[row] - theirs[row]).max() <= 1


@pytest.mark.parametrize("k", [2, 3, 8])
def test_conversions(cleanlab, k):
    algebra = cleanlab.latent_algebra
    for seed in range(10):
        counted, counts = healthy(seed, k)
        ps = counts / counts.sum()
        py, noise_matrix, inverse = latent.estimate_latent(counted, counts)
        for known in (None, ps):
            np.testing.assert_allclose(
                latent.inverse_from_noise(py, noise_matrix, ps=known),
                algebra.compute_inv_noise_matrix(py, noise_matrix, ps=known),
                atol=1e-12,
            )
        for known in (None, py):
            np.testing.assert_allclose(
                latent.noise_from_inverse(ps, inverse, py=known),
                algebra.compute_noise_matrix_from_inverse(ps, inverse, py=known),
                atol=1e-12,
            )
        for ours, theirs in zip(
            latent.latent_from_noise(ps, noise_matrix),
            algebra.compute_py_inv_noise_matrix(ps, noise_matrix),
            strict=True,
        ):
            np.testing.assert_allclose(ours, theirs, atol=1e-12)
        probs = np.random.default_rng(seed).dirichlet(np.ones(k), 40)
        np.testing.assert_allclose(
            latent.true_class_probs(probs, noise_matrix, inverse),
            algebra.compute_pyx(probs, noise_matrix, inverse),
            atol=1e-12,
        )
        np.testing.assert_allclose(
            latent.remove_noise_from_class(noise_matrix, seed % k),
            cleanlab.util.remove_noise_from_class(noise_matrix, seed % k),
            atol=1e-12,
        )


def test_f1_positive_unlabeled(cleanlab):
    random = np.random.default_rng(0)
    for _ in range(20):
        labels, predictions = random.integers(0, 2, (2, 30))
        theirs = cleanlab.util.estimate_pu_f1(labels, predictions)
        assert latent.f1_positive_unlabeled(labels, predictions) == pytest.approx(theirs)
