"""Selection by quota against a plain sort: ties, full and empty buckets, hostile orders."""

from __future__ import annotations

import contextlib
import os
from unittest import mock

import numpy as np
import pytest
import reference
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from goldlabel.kernels import confident, selection


@contextlib.contextmanager
def shared_out(threads=3):
    """Let little input be shared out among threads."""
    with (
        mock.patch.object(selection, "_SHARED", 0),
        mock.patch.dict(os.environ, {"GOLDLABEL_THREADS": str(threads)}),
    ):
        yield


def as_quotas(matrix):
    """Quotas of a matrix: given class by rival class."""
    given, rival = np.nonzero(matrix)
    return selection.Quotas(given, rival, matrix[given, rival])


def select(labels, probs, quotas, **options):
    """Return the rows taken that the model disagrees with, and which it disagrees with."""
    swept = confident.sweep(labels, probs, disagreeing=True)
    taken = selection.select_by_quota(
        labels, probs, swept, swept.disagreeing, as_quotas(quotas), **options
    )
    disagrees = (swept.flags & confident.AGREES) == 0
    return taken & disagrees, disagrees


def reach_of(probs):
    """Largest sum of a row, as a caller may bound it."""
    return float(probs.astype(np.float64).sum(axis=1).max(initial=0.0)) + 1e-9


def check(labels, probs, quotas):
    labels, probs = np.ascontiguousarray(labels), np.ascontiguousarray(probs)
    taken, disagrees = select(labels, probs, quotas)
    np.testing.assert_array_equal(
        taken, reference.select_by_quota(labels, probs, quotas) & disagrees
    )
    for reach in (reach_of(probs), reach_of(probs) + 0.5):
        np.testing.assert_array_equal(select(labels, probs, quotas, reach=reach)[0], taken)
        for threads, rows_of_a_bucket in ((1, 64), (2, 1), (5, 8)):
            with shared_out(threads), mock.patch.object(selection, "_ENOUGH", rows_of_a_bucket):
                np.testing.assert_array_equal(select(labels, probs, quotas, reach=reach)[0], taken)


def quotas(k, most):
    counts = hnp.arrays(np.int64, (k, k), elements=st.integers(0, most))
    return counts.map(lambda found: found * (found % 3 > 0))  # many pairs without any


@given(strategies.labeled_rows(min_n=0, min_k=2, max_n=40), st.data())
@settings(max_examples=120)
def test_equals_a_sort(drawn, data):
    labels, probs = drawn
    labels = np.where(data.draw(hnp.arrays(bool, len(labels))), labels, -1)
    check(labels, probs, data.draw(quotas(probs.shape[1], 9)))


@pytest.mark.parametrize("dtype", strategies.DTYPES)
@pytest.mark.parametrize("most", [1, 4, 40, 400])
@pytest.mark.parametrize("noise", [0.0, 0.2, 0.8])
def test_buckets_from_empty_to_overfull(noise, most, dtype):
    """Quotas from far below to far above what there is, on the diagonal too."""
    labels, probs = strategies.realistic(most, n=600, k=4, noise=noise, dtype=dtype)
    random = np.random.default_rng(most)
    check(labels, probs, random.integers(0, most + 1, (4, 4)))


@pytest.mark.parametrize("scale", [1.0, 0.6, 1.8])
@pytest.mark.parametrize("quota", [20, 60, 150])
def test_close_calls(quota, scale):
    """Probabilities near each other: places go to rows whose label the model hardly prefers.

    Rows that sum to more or less than 1 as well: what a row can still offer is bounded by its sum.
    """
    random = np.random.default_rng(quota)
    probs = np.minimum(random.dirichlet([6, 5, 4], 900) * scale, 1.0)
    labels = np.where(random.random(900) < 0.7, probs.argmax(axis=1), random.integers(0, 3, 900))
    for pairs in (1 - np.eye(3, dtype=np.int64), np.eye(3, k=1, dtype=np.int64)):
        check(labels, probs, quota * pairs)


HOSTILE = {
    "worst first": lambda order: order,
    "worst last": lambda order: order[::-1],
    "worst in the middle": lambda order: np.r_[order[::2][::-1], order[1::2]],
    "worst at both ends": lambda order: np.r_[order[::2], order[1::2][::-1]],
    "shuffled": lambda order: np.random.default_rng(0).permutation(order),
}


@pytest.mark.parametrize("quota", [1, 7, 150, 290])
@pytest.mark.parametrize("own", [0, 1], ids=["by pair", "by class"])
@pytest.mark.parametrize("arrange", HOSTILE.values(), ids=HOSTILE)
def test_any_order_of_the_rows(arrange, own, quota):
    p = np.linspace(0.0, 1.0, 300)[arrange(np.arange(300))]
    wanted = np.zeros((2, 2), dtype=np.int64)
    wanted[1, own] = quota
    check(np.ones(300, dtype=np.int64), np.c_[1 - p, p], wanted)


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("quota", [1, 20, 99, 100, 101, 500])
def test_equals_go_by_position(p, quota):
    """All keys are one: the lowest rows are taken, whatever a full bucket drops."""
    probs = np.tile([1 - p, p], (100, 1))
    for own in (0, 1):
        wanted = np.zeros((2, 2), dtype=np.int64)
        wanted[1, own] = quota
        check(np.ones(100, dtype=np.int64), probs, wanted)


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 4))
@settings(max_examples=60)
def test_few_distinct_keys(seed, quota, levels):
    random = np.random.default_rng(seed)
    weights = random.integers(0, levels + 1, (200, 3)) + 1e-9
    probs = weights / weights.sum(axis=1, keepdims=True)
    check(random.integers(0, 3, 200), probs, np.full((3, 3), quota))


def test_a_sample_that_misleads():
    """Every row of the sample is a bad one: the bar is too high, and its class is filled again."""
    n, step = 4000, selection._SPARSEST
    p = np.where(np.arange(n) % step == 0, 0.95, 0.6) + np.random.default_rng(0).random(n) / 100
    probs = np.c_[1 - p, p, np.zeros(n)]
    labels = np.arange(n) // step % 2 * 2  # half are of a class that has no bucket
    for quota in (200, 1500, 2500):
        wanted = np.zeros((3, 3), dtype=np.int64)
        wanted[0, 1] = quota
        check(labels, probs, wanted)
        wanted[2, 2] = quota
        check(labels, probs, wanted)


def test_agreeing_rows_take_up_places():
    """Row 0 agrees and has the smaller p: it uses up the class's quota of one."""
    probs = np.array([[0.34, 0.33, 0.33], [0.45, 0.55, 0.0]])
    labels = np.zeros(2, dtype=np.int64)
    by_class = np.diag([1, 0, 0])
    assert not select(labels, probs, by_class)[0].any()
    assert select(labels, probs, 2 * by_class)[0].tolist() == [False, True]


def test_rows_left_out_are_never_taken():
    labels, probs = strategies.realistic(4, n=60, k=3)
    labels[::2] = -1
    swept = confident.sweep(labels, probs, disagreeing=True)
    taken = selection.select_by_quota(
        labels, probs, swept, swept.disagreeing, as_quotas(np.full((3, 3), 60))
    )
    assert taken.any()
    assert not taken[::2].any()


def test_nothing_asked_nothing_taken():
    labels, probs = strategies.realistic(4, n=60, k=3)
    assert not select(labels, probs, np.zeros((3, 3), dtype=np.int64))[0].any()


def test_read_only_input(tmp_path):
    labels, probs = strategies.realistic(4, n=60, k=3)
    expected = select(labels, probs, np.full((3, 3), 2))[0]
    np.save(tmp_path / "probs.npy", probs)
    labels.flags.writeable = False
    mapped = np.load(tmp_path / "probs.npy", mmap_mode="r")
    np.testing.assert_array_equal(select(labels, mapped, np.full((3, 3), 2))[0], expected)


@given(hnp.arrays(np.int64, st.integers(1, 40), elements=st.integers(0, 50)), st.integers(1, 9))
def test_shards_weigh_about_the_same(weights, count):
    shard_of = selection._shards(weights, count)
    assert 0 <= shard_of.min() <= shard_of.max() < count
    held = np.bincount(shard_of, weights=weights, minlength=count)
    assert held.max() - held.min() <= 2 * weights.max()
