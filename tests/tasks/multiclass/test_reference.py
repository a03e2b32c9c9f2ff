"""Every option of the multiclass verbs against the slow twin, to the last tie."""

from __future__ import annotations

import numpy as np
import pytest
import reference
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.tasks import multiclass

pytestmark = pytest.mark.filterwarnings("ignore::goldlabel.errors.DataWarning")

GUESSES = ["argmax", "confident_only"]


@st.composite
def sets_with_thresholds(draw):
    labels, probs = draw(strategies.labeled_rows())
    levels = st.sampled_from([0, 0.1, 0.25, 0.5, 0.75, 1])
    k = probs.shape[1]
    return labels, probs, draw(st.none() | st.lists(levels, min_size=k, max_size=k))


@given(sets_with_thresholds(), st.sampled_from(GUESSES), st.booleans())
@settings(max_examples=150)
def test_confident_joint(drawn, guess, calibrate):
    *rows, thresholds = drawn
    options = {"thresholds": thresholds, "guess": guess, "calibrate": calibrate}
    np.testing.assert_array_equal(
        multiclass.confident_joint(*rows, **options), reference.confident_joint(*rows, **options)
    )


@given(strategies.labeled_rows())
@settings(max_examples=150)
def test_thresholds_and_counts(drawn):
    np.testing.assert_allclose(
        multiclass.class_thresholds(*drawn), reference.class_thresholds(*drawn), atol=1e-15
    )
    for method in ("off_diagonal", "off_diagonal_calibrated"):
        expected = reference.num_label_issues(*drawn, method=method)
        assert multiclass.num_label_issues(*drawn, method=method) == expected


quotas = st.fixed_dictionaries(
    {
        "min_examples_per_class": st.integers(0, 3),
        "frac_noise": st.sampled_from([0.0, 0.3, 0.5, 1.0]),
        "num_to_remove_per_class": st.none() | st.integers(0, 4),
    }
)


@pytest.mark.parametrize("filter_by", reference.FILTERS)
def test_filters(filter_by):
    @given(sets_with_thresholds(), st.sampled_from(GUESSES), quotas)
    @settings(max_examples=150)
    def check(drawn, guess, options):
        labels, probs, thresholds = drawn
        kind = {"filter_by": filter_by, "thresholds": thresholds, "guess": guess}
        kind |= options if filter_by in reference.PRUNING else {}
        found = multiclass.find_label_issues(labels, probs, **kind)
        expected = reference.label_issues(labels, probs, **kind)
        np.testing.assert_array_equal(found.is_issue, expected)

    check()


@given(strategies.labeled_rows(max_k=4), st.data())
@settings(max_examples=100)
def test_given_joint(drawn, data):
    """DIVERGE 1-09, 1-17: any joint is calibrated to the labels first, rows of zeros too."""
    labels, probs = drawn
    k = probs.shape[1]
    entries = st.lists(st.integers(0, 5), min_size=k * k, max_size=k * k)
    joint = np.reshape(data.draw(entries), (k, k))
    for filter_by in reference.PRUNING:
        found = multiclass.find_label_issues(
            labels, probs, filter_by=filter_by, confident_joint=joint
        )
        expected = reference.label_issues(labels, probs, filter_by=filter_by, joint=joint)
        np.testing.assert_array_equal(found.is_issue, expected)
    custom = {"method": "off_diagonal_custom"}
    assert multiclass.num_label_issues(
        labels, probs, confident_joint=joint, **custom
    ) == reference.num_label_issues(labels, probs, joint=joint, **custom)


@pytest.mark.parametrize("method", reference.SCORES)
def test_scores(method):
    @given(strategies.labeled_rows())
    @settings(max_examples=150)
    def check(drawn):
        scores = multiclass.get_label_quality_scores(*drawn, method=method)
        expected = reference.label_quality(*drawn, method)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)
        assert scores.dtype == np.float64
        assert ((scores >= 0) & (scores <= 1)).all()

    check()


@pytest.mark.parametrize("method", ["self_confidence", "normalized_margin"])
def test_adjusted_scores(method):
    """DIVERGE 1-25: an absent class shifts nothing."""

    @given(strategies.labeled_rows())
    @settings(max_examples=150)
    def check(drawn):
        scores = multiclass.get_label_quality_scores(*drawn, method=method, adjust_pred_probs=True)
        expected = reference.label_quality(*drawn, method, adjust=True)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)

    check()


@given(st.integers(2, 3), st.data())
@settings(max_examples=60)
def test_ensembles(m, data):
    """DIVERGE 1-26: absent classes, models that are always wrong, hopeless losses."""
    labels, first = data.draw(strategies.labeled_rows(dtypes=(np.float64,)))
    shape = strategies.pred_probs(first.shape, dtypes=(np.float64,))
    models = [first, *(data.draw(shape) for _ in range(m - 1))]
    for weights in ("uniform", "accuracy"):
        scores = multiclass.get_label_quality_ensemble_scores(labels, models, weights=weights)
        expected = reference.ensemble_quality(labels, models, weights=weights)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)
    # The search may settle ties between temperatures either way: any of them will do.
    scores = multiclass.get_label_quality_ensemble_scores(labels, models, weights="log_loss_search")
    assert np.isfinite(scores).all()
    assert ((scores >= -1e-12) & (scores <= 1 + 1e-12)).all()


def test_log_loss_search():
    for seed in range(5):
        labels, first = strategies.realistic(seed, n=150, k=3)
        second = np.random.default_rng(seed).dirichlet(np.ones(3), 150)
        models = [first, second, 0.5 * first + 0.5 * second]
        scores = multiclass.get_label_quality_ensemble_scores(
            labels, models, weights="log_loss_search"
        )
        expected = reference.ensemble_quality(labels, models, weights="log_loss_search")
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_more_than_one_block(dtype):
    labels, probs = strategies.realistic(5, n=140_000, k=4, dtype=dtype)
    counted = multiclass.confident_joint(labels, probs, calibrate=False)
    np.testing.assert_array_equal(
        counted, reference.confident_joint(labels, probs, calibrate=False)
    )
    found = multiclass.find_label_issues(labels, probs)
    np.testing.assert_array_equal(found.is_issue, reference.label_issues(labels, probs))
