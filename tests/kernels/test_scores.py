"""The two scores that need whole rows, against their definitions."""

from __future__ import annotations

import os
from unittest import mock

import numpy as np
import pytest
import reference
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.kernels import rows, scores


def small_blocks(cells=16):
    return mock.patch.object(rows, "BLOCK_CELLS", cells)


def tolerance(probs):
    return 1e-12 if probs.dtype == np.float64 else 1e-7


@given(strategies.labeled_rows(min_n=0))
@settings(max_examples=80)
def test_entropy_score(drawn):
    labels, probs = drawn
    expected = reference.label_quality(labels, probs, "confidence_weighted_entropy")
    with small_blocks():
        found = scores.confidence_weighted_entropy(labels, probs)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_entropy_score_of_sure_rows():
    """DIVERGE 1-24: a sure row is right with the right label only."""
    probs = np.array([[1.0, 0.0], [1.0, 0.0], [1 - 1e-9, 1e-9], [1 - 1e-9, 1e-9], [0.5, 0.5]])
    found = scores.confidence_weighted_entropy(np.array([0, 1, 0, 1, 0]), probs)
    expected = [0.99998931, 0.14540437, 0.99998931, 0.14540437, 0.54930614]
    np.testing.assert_allclose(found, expected, atol=1e-8)


@pytest.mark.parametrize("margin", [False, True])
@given(strategies.labeled_rows(min_n=0), st.data())
@settings(max_examples=60)
def test_adjusted_scores(margin, drawn, data):
    labels, probs = drawn
    k = probs.shape[1]
    cutoffs = np.array(data.draw(st.lists(st.floats(0, 1), min_size=k, max_size=k)))
    method = "normalized_margin" if margin else "self_confidence"
    expected = reference.label_quality(labels, probs, method, adjust=True, thresholds=cutoffs)
    with small_blocks():
        found = scores.adjusted_scores(labels, probs, cutoffs, margin=margin)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("margin", [False, True])
@pytest.mark.parametrize("k", [1, 3])
def test_a_row_of_zeros_has_a_score(k, margin):
    found = scores.adjusted_scores(np.array([0]), np.zeros((1, k)), np.full(k, 0.5), margin=margin)
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize(
    "score",
    [
        scores.confidence_weighted_entropy,
        lambda labels, probs: scores.adjusted_scores(labels, probs, np.ones(3), margin=False),
        lambda labels, probs: scores.adjusted_scores(labels, probs, np.ones(3), margin=True),
    ],
    ids=["entropy", "adjusted", "adjusted margin"],
)
def test_rows_left_out_score_1_and_threads_change_no_bit(score):
    labels, probs = strategies.realistic(2, n=200, k=3)
    labels[::7] = -1
    found = []
    for threads in ("1", "2", "5"):
        with small_blocks(120), mock.patch.dict(os.environ, {"GOLDLABEL_THREADS": threads}):
            found.append(score(labels, probs))
    assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()
    assert (found[0][::7] == 1.0).all()
    assert (np.delete(found[0], np.s_[::7]) < 1.0).all()


@pytest.mark.parametrize("method", ["entropy", "margin"])
def test_one_class_scores_1(method):
    labels, probs = np.zeros(4, dtype=np.int64), np.ones((4, 1))
    if method == "entropy":
        found = scores.confidence_weighted_entropy(labels, probs)
    else:
        found = scores.adjusted_scores(labels, probs, np.ones(1), margin=True)
    assert found.tolist() == [1.0] * 4


@pytest.mark.parametrize("margin", [False, True])
def test_thresholds_of_their_own_for_each_row(margin):
    rng = np.random.default_rng(3)
    probs, labels = rng.dirichlet(np.ones(3), 20), rng.integers(0, 3, 20)
    cutoffs = rng.random((20, 3))
    found = scores.adjusted_scores(labels, probs, cutoffs, margin=margin)
    alone = [
        scores.adjusted_scores(labels[i : i + 1], probs[i : i + 1], cutoffs[i], margin=margin)[0]
        for i in range(20)
    ]
    np.testing.assert_array_equal(found, alone)
