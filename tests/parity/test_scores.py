"""Confident learning against cleanlab: scores, ensembles, noise, summaries.

Everything is compared twice, once for the package and once for the slow twin in
``tests/support/reference.py``, so that the twin can be trusted too (fixture `ours`). Where the two
packages are meant to differ, the test names the DIVERGE entry of the specification and says what
still holds.
"""

from __future__ import annotations

import numpy as np
import pytest
import strategies
from hypothesis import given, settings

from goldlabel.tasks import multiclass

PY_METHODS = ["cnt", "eqn", "marginal", "marginal_ps"]


def tolerance(probs, double=1e-9):
    return double if probs.dtype == np.float64 else 2e-6


def any_set(**limits):
    return strategies.labeled_rows(min_n=2, min_k=2, **limits)


def absent(labels, probs):
    return np.bincount(labels, minlength=probs.shape[1]) == 0


# Scores


def check_scores(cleanlab, ours, labels, probs, method, adjust):
    theirs = cleanlab.rank.get_label_quality_scores(
        labels, probs, method=method, adjust_pred_probs=adjust
    )
    got = ours.label_quality(labels, probs, method, adjust=adjust)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, theirs, rtol=0, atol=tolerance(probs))


@pytest.mark.parametrize("adjust", [False, True])
@pytest.mark.parametrize("method", ["self_confidence", "normalized_margin"])
def test_scores_made_up(cleanlab, ours, made_up, method, adjust):
    labels, probs = made_up
    if adjust and absent(labels, probs).any():
        pytest.skip("DIVERGE 1-25: theirs shifts everything by 2 where a class is absent")
    check_scores(cleanlab, ours, labels, probs, method, adjust)


@pytest.mark.parametrize("adjust", [False, True])
@pytest.mark.parametrize("method", ["self_confidence", "normalized_margin"])
def test_scores_real(cleanlab, ours, real, method, adjust):
    check_scores(cleanlab, ours, *real, method, adjust)


@given(any_set())
@settings(max_examples=60)
def test_scores_of_anything(cleanlab, ours, drawn):
    labels, probs = drawn
    for method in ("self_confidence", "normalized_margin"):
        check_scores(cleanlab, ours, labels, probs, method, False)
        if not absent(labels, probs).any() and len(np.unique(labels)) > 1:
            check_scores(cleanlab, ours, labels, probs, method, True)


@given(any_set())
@settings(max_examples=60)
def test_entropy_where_the_floor_does_not_matter(cleanlab, ours, drawn):
    """DIVERGE 1-24: ours is defined on probabilities of 1e-6 or more."""
    labels, probs = drawn
    probs = (probs + 0.01) / (1 + 0.01 * probs.shape[1])
    check_scores(cleanlab, ours, labels, probs, "confidence_weighted_entropy", False)


def test_entropy_real(cleanlab, ours, real):
    """DIVERGE 1-24: equal once no probability is below the floor, and sane below it."""
    labels, probs = real
    smooth = 0.9 * probs / probs.sum(axis=1, keepdims=True) + 0.1 / probs.shape[1]
    method = "confidence_weighted_entropy"
    check_scores(cleanlab, ours, labels, smooth, method, False)
    # Sure and right: theirs falls to 0 as rows get surer, ours rises to 1.
    sure = probs[np.arange(len(labels)), labels] > 1 - 1e-4
    assert sure.any()
    assert (ours.label_quality(labels, probs, method)[sure] > 0.99).all()


@pytest.mark.parametrize("weights", ["uniform", "accuracy", "log_loss_search", [0.5, 0.1, 0.3]])
@pytest.mark.parametrize("method", ["self_confidence", "normalized_margin"])
@pytest.mark.parametrize("adjust", [False, True])
def test_ensemble(cleanlab, ours, weights, method, adjust):
    for seed in range(5):
        labels, first = strategies.realistic(seed, n=200, k=4)
        if absent(labels, first).any():
            continue  # DIVERGE 1-26: their log loss raises
        random = np.random.default_rng(seed)
        second = random.dirichlet(np.ones(4), 200)
        models = [first, second, 0.9 * first + 0.1 * second]
        custom = {"custom_weights": np.array(weights)} if isinstance(weights, list) else {}
        theirs = cleanlab.rank.get_label_quality_ensemble_scores(
            labels,
            models,
            method=method,
            adjust_pred_probs=adjust,
            weight_ensemble_members_by="custom" if custom else weights,
            verbose=False,
            **custom,
        )
        got = ours.ensemble_quality(labels, models, method, weights=weights, adjust=adjust)
        np.testing.assert_allclose(got, theirs, atol=1e-9)


# Noise


@pytest.mark.parametrize("converge", [False, True])
@pytest.mark.parametrize("py_method", PY_METHODS)
def test_estimate_noise(cleanlab, made_up, py_method, converge):
    labels, probs = made_up
    joint = multiclass.confident_joint(labels, probs)
    if py_method == "eqn" and absent(labels, probs).any():
        pytest.skip("DIVERGE 1-11: theirs raises on a singular matrix")
    theirs = cleanlab.count.estimate_latent(
        joint, labels, py_method=py_method, converge_latent_estimates=converge
    )
    got = multiclass.estimate_noise(labels, probs, py_method=py_method, converge=converge)
    for mine, other in zip(got, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-9)


def test_estimate_noise_real(cleanlab, real):
    labels, probs = real
    joint = multiclass.confident_joint(labels, probs)  # DIVERGE 1-10: one joint for both
    theirs = cleanlab.count.estimate_latent(joint, labels, converge_latent_estimates=True)
    for mine, other in zip(multiclass.estimate_noise(labels, probs), theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-9)
    expected = cleanlab.count.estimate_joint(labels, probs, confident_joint=joint)
    np.testing.assert_allclose(
        multiclass.estimate_joint(labels, probs), expected, rtol=0, atol=1e-12
    )


def test_noise_cifar10(cleanlab, data):
    """Nothing is handed over and nothing tied."""
    labels, probs = strategies.load_real(data, "cifar10_test")
    *theirs, counted = cleanlab.count.estimate_py_and_noise_matrices_from_probabilities(
        labels, probs
    )
    for mine, other in zip(multiclass.estimate_noise(labels, probs), theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(multiclass.confident_joint(labels, probs), counted)
    np.testing.assert_allclose(
        multiclass.estimate_joint(labels, probs),
        cleanlab.count.estimate_joint(labels, probs),
        rtol=0,
        atol=1e-12,
    )


# Summaries


def check_tables(cleanlab, labels, probs):
    joint = multiclass.estimate_joint(labels, probs)
    theirs = cleanlab.dataset.rank_classes_by_label_quality(labels, probs, joint=joint)
    got = multiclass.summarize(labels, probs)
    np.testing.assert_allclose(
        got.sort_values("class").to_numpy(float),
        theirs.sort_values("Class Index").to_numpy(float),
        atol=1e-9,
    )
    np.testing.assert_allclose(
        got["label_quality_score"], theirs["Label Quality Score"], rtol=0, atol=1e-9
    )
    for directed in (False, True):
        theirs = cleanlab.dataset.find_overlapping_classes(
            labels, probs, joint=joint, asymmetric=directed
        )
        got = multiclass.overlapping_classes(labels, probs, directed=directed)
        columns = [
            "Class Index A",
            "Class Index B",
            "Joint Probability",
            "Num Overlapping Examples",
        ]
        np.testing.assert_allclose(
            got.sort_values(["class_a", "class_b"]).to_numpy(float),
            theirs.sort_values(columns[:2])[columns].to_numpy(float),
            atol=1e-9,
        )
    health = multiclass.health_summary(labels, probs)
    theirs = cleanlab.dataset.overall_label_health_score(labels, probs, verbose=False)
    assert health.health_by_count == pytest.approx(theirs)
    assert health.health_by_joint == pytest.approx(
        cleanlab.dataset.overall_label_health_score(
            joint=joint, num_examples=len(labels), verbose=False
        )
    )
    np.testing.assert_allclose(health.joint, joint, atol=1e-12)


def test_tables_made_up(cleanlab, made_up):
    check_tables(cleanlab, *made_up)


def test_tables_real(cleanlab, real):
    check_tables(cleanlab, *real)
