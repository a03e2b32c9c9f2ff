"""Scores of rows pooled into one per group, against loops over the groups."""

from __future__ import annotations

import itertools
import os
from unittest import mock

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.kernels import pooling


@st.composite
def groups(draw, *, max_size=12):
    """(scores, offsets): groups without rows occur, and no group at all; ties are common."""
    sizes = draw(st.lists(st.integers(0, max_size), max_size=8))
    number = st.sampled_from([0.0, 0.1, 0.5, 1.0]) | st.floats(0, 1)
    scores = draw(st.lists(number, min_size=sum(sizes), max_size=sum(sizes)))
    return np.array(scores, dtype=np.float64), np.cumsum([0, *sizes], dtype=np.int64)


def each(offsets, *arrays):
    for start, end in itertools.pairwise(offsets.tolist()):
        yield tuple(array[start:end] for array in arrays)


def check(pool, plain, scores, offsets, tolerance=1e-12):
    found = []
    for cells, threads in ((4, "1"), (4, "5"), (1 << 18, "2")):
        with (
            mock.patch.object(pooling, "BLOCK_CELLS", cells),
            mock.patch.dict(os.environ, {"GOLDLABEL_THREADS": threads}),
        ):
            found.append(pool(scores, offsets))
    assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()
    expected = [plain(part) for (part,) in each(offsets, scores)]
    assert found[0].shape == (len(offsets) - 1,)
    np.testing.assert_allclose(found[0], expected, atol=tolerance)


@given(groups())
def test_minimum_and_mean(drawn):
    check(pooling.minimum, reference.pool_min, *drawn, tolerance=0)
    check(pooling.mean, reference.pool_mean, *drawn)


@given(groups(), st.sampled_from([1e-6, 1e-3, 0.05, 0.1, 1.0, 50.0]))
@settings(max_examples=60)
def test_softmin(drawn, temperature):
    check(
        lambda scores, offsets: pooling.softmin(scores, offsets, temperature),
        lambda part: reference.pool_softmin(part, temperature),
        *drawn,
    )


@given(groups())
def test_softmin_at_its_ends(drawn):
    check(lambda s, o: pooling.softmin(s, o, 0.0), reference.pool_min, *drawn, tolerance=0)
    check(lambda s, o: pooling.softmin(s, o, np.inf), reference.pool_mean, *drawn)
    # Nothing overflows: the exponents are of differences to the lowest score.
    check(lambda s, o: pooling.softmin(s, o, 1e-300), reference.pool_min, *drawn)


@given(groups(max_size=80), st.sampled_from([0.0, 1e-9, 0.01, 1 / 3, 0.5, 0.8, 0.999, 1.0]))
@settings(max_examples=60)
def test_moving_average(drawn, alpha):
    check(
        lambda scores, offsets: pooling.moving_average(scores, offsets, alpha),
        lambda part: reference.pool_exponential_moving_average(part, alpha),
        *drawn,
    )


@given(groups())
def test_moving_average_at_its_ends(drawn):
    """Alpha 0 is the highest score, 1 the lowest, to the bit."""
    check(
        lambda scores, offsets: pooling.moving_average(scores, offsets, 0.0),
        lambda part: max(part, default=1.0),
        *drawn,
        tolerance=0,
    )
    check(
        lambda scores, offsets: pooling.moving_average(scores, offsets, 1.0),
        reference.pool_min,
        *drawn,
        tolerance=0,
    )


@given(groups(max_size=120), st.sampled_from([1, 2, 5, 47, 48, 49, 100, 500]))
@settings(max_examples=60)
def test_lowest_mean(drawn, count):
    check(
        lambda scores, offsets: pooling.lowest_mean(scores, offsets, count),
        lambda part: reference.pool_mean(sorted(part)[:count]),
        *drawn,
    )


@given(groups(), st.data())
def test_weighted_mean(drawn, data):
    scores, offsets = drawn
    weight = st.sampled_from([0.0, 1.0, 2.5]) | st.floats(0, 100)
    weights = np.array(
        data.draw(st.lists(weight, min_size=len(scores), max_size=len(scores))), dtype=np.float64
    )
    found = pooling.weighted_mean(scores, offsets, weights)
    for got, (part, shares) in zip(found, each(offsets, scores, weights), strict=True):
        if shares.sum() > 0:
            assert got == pytest.approx(np.average(part, weights=shares), abs=1e-9)
        else:
            assert got == 1.0


def test_figures_of_the_specifications():
    five, whole = np.array([0.6, 0.3, 0.7, 0.1, 0.9]), np.array([0, 5])
    assert pooling.moving_average(five, whole, 0.8) == pytest.approx(0.15312)
    assert pooling.moving_average(five, whole, 1 / 3) == pytest.approx(0.4358024691)
    assert pooling.softmin(five, whole, 0.1) == pytest.approx(0.1281177435)
    assert pooling.softmin(five, whole, 0.05) == pytest.approx(0.1036230585)
    three = np.array([0.1, 0.2, 0.3])
    assert pooling.moving_average(three, np.array([0, 3]), 0.5) == pytest.approx(0.175)
    tokens, sentences = np.array([0.9, 0.6, 0.0, 0.8, 0.8, 0.8]), np.array([0, 2, 5, 6])
    np.testing.assert_allclose(pooling.minimum(tokens, sentences), [0.6, 0, 0.8])
    np.testing.assert_allclose(
        pooling.softmin(tokens, sentences, 0.05), [0.6007417869, 1.8005623903e-07, 0.8], rtol=1e-9
    )
    np.testing.assert_allclose(
        pooling.softmin(tokens, sentences, 0.2), [0.6547276571, 0.0282694752, 0.8], rtol=1e-9
    )


def test_groups_of_a_longer_array():
    """Offsets need not begin at 0, and input may be read-only."""
    scores = np.linspace(1, 0, 11)
    scores.flags.writeable = False
    offsets = np.array([3, 5, 5, 9])
    np.testing.assert_allclose(pooling.minimum(scores, offsets), [0.6, 1.0, 0.2])
    np.testing.assert_allclose(pooling.mean(scores, offsets), [0.65, 1.0, 0.35])
    np.testing.assert_allclose(pooling.lowest_mean(scores, offsets, 2), [0.65, 1.0, 0.25])
    np.testing.assert_allclose(pooling.moving_average(scores, offsets, 0.0), [0.7, 1.0, 0.5])
