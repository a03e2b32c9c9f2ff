"""The core that classification tasks share: rows left out, threads and blocks, what is refused."""

from __future__ import annotations

import contextlib
import os
import warnings
from unittest import mock

import numpy as np
import pytest
import reference
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from goldlabel.errors import DataWarning, InputError
from goldlabel.kernels import class_means, rows, selection
from goldlabel.learning import confident, filters

FILTERS, PRUNING, SCORES = reference.FILTERS, reference.PRUNING, reference.SCORES


@contextlib.contextmanager
def small_blocks(threads):
    """Let little input make many blocks, shared out among threads."""
    with (
        mock.patch.object(rows, "BLOCK_CELLS", 64),
        mock.patch.object(class_means, "_SUM_ROWS", 16),
        mock.patch.object(selection, "_SHARED", 0),
        mock.patch.dict(os.environ, {"GOLDLABEL_THREADS": str(threads)}),
    ):
        yield


@contextlib.contextmanager
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        yield


def flag(counted, filter_by, *, classes=None, **options):
    return filters.flag(counted, filters.Options(filter_by, **options), classes=classes)


def flagged(labels, probs, filter_by, **options):
    with quiet():
        return flag(confident.count(labels, probs), filter_by, **options)


# Rows left out


@pytest.mark.parametrize("filter_by", FILTERS)
def test_rows_left_out_change_nothing(filter_by):
    @given(strategies.labeled_rows(), st.data())
    @settings(max_examples=60)
    def check(drawn, data):
        labels, probs = drawn
        kept = data.draw(hnp.arrays(bool, len(labels)))
        masked = np.where(kept, labels, -1)
        found = flagged(masked, probs, filter_by)
        assert not found[~kept].any()
        np.testing.assert_array_equal(
            found[kept], flagged(labels[kept], np.ascontiguousarray(probs[kept]), filter_by)
        )

    check()


@given(strategies.labeled_rows(), st.data())
def test_rows_left_out_are_not_counted(drawn, data):
    labels, probs = drawn
    kept = data.draw(hnp.arrays(bool, len(labels)))
    found = confident.count(np.where(kept, labels, -1), probs)
    alone = confident.count(labels[kept], np.ascontiguousarray(probs[kept]))
    np.testing.assert_array_equal(found.class_counts, alone.class_counts)
    np.testing.assert_allclose(found.thresholds, alone.thresholds, rtol=1e-13)
    np.testing.assert_array_equal(found.confident_joint, alone.confident_joint)
    np.testing.assert_array_equal(found.calibrated_joint, alone.calibrated_joint)
    np.testing.assert_array_equal(found.off_diagonal[kept], alone.off_diagonal)
    np.testing.assert_array_equal(found.disagrees[kept], alone.disagrees)
    assert not found.off_diagonal[~kept].any()
    assert not found.disagrees[~kept].any()


@pytest.mark.parametrize(
    ("method", "adjust"),
    [*((name, False) for name in SCORES), *((name, True) for name in SCORES[:2])],
)
def test_rows_left_out_score_1(method, adjust):
    labels, probs = strategies.realistic(3, n=90, k=4)
    labels[::4] = -1
    kept = labels >= 0
    scores = confident.label_quality(labels, probs, method, adjust=adjust)
    alone = confident.label_quality(labels[kept], probs[kept], method, adjust=adjust)
    assert (scores[~kept] == 1.0).all()
    np.testing.assert_allclose(scores[kept], alone, rtol=1e-13)


def test_all_rows_left_out():
    probs = np.full((5, 3), 1 / 3)
    labels = np.full(5, -1)
    found = confident.count(labels, probs)
    assert found.thresholds.tolist() == [2.0] * 3
    assert found.confident_joint.tolist() == np.eye(3).tolist()
    assert found.calibrated_joint.tolist() == np.zeros((3, 3)).tolist()
    for filter_by in FILTERS:
        assert not flagged(labels, probs, filter_by).any()
    for method in SCORES:
        assert confident.label_quality(labels, probs, method).tolist() == [1.0] * 5
    assert confident.label_quality(labels, probs, SCORES[0], adjust=True).tolist() == [1.0] * 5


# Blocks and threads


@pytest.mark.parametrize("dtype", strategies.DTYPES)
@pytest.mark.parametrize("filter_by", FILTERS)
def test_blocks_and_threads_change_nothing(filter_by, dtype):
    labels, probs = strategies.realistic(6, n=500, k=6, absent=(2,), noise=0.3, dtype=dtype)
    expected = reference.label_issues(labels, probs, filter_by=filter_by)
    for threads in (1, 2, 5):
        with small_blocks(threads):
            np.testing.assert_array_equal(flagged(labels, probs, filter_by), expected)


def test_rows_that_sum_to_more_than_1_are_ranked_all_the_same():
    """Places against class 1 go to the rows that nearly are of it, not to those of class 2.

    Their two largest probabilities sum to 1.22: a bound of 1 would pass them over.
    """
    probs = np.repeat([[0.2, 0.1, 0.7], [0.62, 0.6, 0.0], [0.1, 0.8, 0.1]], [40, 100, 9], axis=0)
    labels = np.repeat([0, 1, 2], [140, 6, 3])
    joint = [[120, 20, 0], [0, 6, 0], [0, 0, 3]]
    expected = reference.label_issues(labels, probs, joint=joint)
    assert not expected.any()
    found = flagged(labels, probs, "prune_by_noise_rate", confident_joint=joint)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("method", SCORES)
def test_scores_have_the_same_bits(method):
    labels, probs = strategies.realistic(6, n=500, k=6)
    found = []
    for threads in (1, 2, 5):
        with small_blocks(threads):
            found.append(confident.label_quality(labels, probs, method).tobytes())
    assert len(set(found)) == 1


# Scores on the way


@pytest.mark.parametrize("method", SCORES)
def test_scores_of_a_pass_are_those_of_a_call(method):
    labels, probs = strategies.realistic(1, n=80, k=3)
    expected = confident.label_quality(labels, probs, method)
    for methods in ([], [method]):
        counted = confident.count(labels, probs, methods=methods)
        found = confident.label_quality(labels, probs, method, counted=counted)
        assert found.tobytes() == expected.tobytes()


def test_a_pass_can_be_filtered_again():
    labels, probs = strategies.realistic(1, n=200, k=4)
    counted = confident.count(labels, probs)
    for filter_by in (*FILTERS, *reversed(FILTERS)):
        with quiet():
            found = flag(counted, filter_by)
        np.testing.assert_array_equal(found, flagged(labels, probs, filter_by))


def test_an_absent_class_shifts_no_adjusted_score():
    """DIVERGE 1-25: columns of zeros for classes that nobody has change nothing but the rescaling.

    Every p becomes ``p - t + max t`` over the row's sum, which an absent class does not move.
    """
    labels, probs = strategies.realistic(2, n=100, k=3)
    wide = np.ascontiguousarray(np.c_[probs, np.zeros((100, 2))])
    cuts = confident.count(labels, wide).thresholds
    assert cuts[3:].tolist() == [2.0, 2.0]
    for method in SCORES[:2]:
        expected = confident.label_quality(labels, probs, method, adjust=True)
        for own in (None, cuts):
            found = confident.label_quality(labels, wide, method, adjust=True, thresholds=own)
            np.testing.assert_allclose(found, expected, atol=1e-12)
    assert cuts[3:].tolist() == [2.0, 2.0]


# What is refused


def refuses(call, where, what):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.where == where
    assert what in caught.value.what
    assert caught.value.fix


@pytest.mark.parametrize("label", [0, -1])
def test_probabilities_are_looked_at_whatever_is_asked(label):
    probs = np.full((4, 2), 0.5)
    probs[2, 1] = np.nan
    labels = np.full(4, label)
    where, what = "pred_probs[2, 1]", "is nan, not in [0, 1] (1 such)"
    refuses(lambda: confident.count(labels, probs), where, what)
    for method in SCORES:
        refuses(lambda method=method: confident.label_quality(labels, probs, method), where, what)
    refuses(lambda: confident.label_quality(labels, probs, SCORES[0], adjust=True), where, what)
    refuses(
        lambda: confident.label_quality(labels, probs, SCORES[0], name="pred_probs_list[3]"),
        "pred_probs_list[3][2, 1]",
        what,
    )


def test_row_sums_are_looked_at_once_and_only_of_rows_with_a_label():
    probs = np.array([[0.5, 0.5], [0.0, 0.0], [0.5, 0.2]])
    with pytest.warns(DataWarning, match=r"pred_probs\[2\]: sums to 0.7, the farthest") as caught:
        confident.count(np.array([0, -1, 1]), probs)
    assert len(caught) == 1


@pytest.mark.parametrize("thresholds", [[0.5], [0.5, 0.5, 0.5], [0.5, np.nan], [0.5, 3], [-1, 0.5]])
def test_thresholds_refused(thresholds):
    labels, probs = np.array([0, 1]), np.eye(2)
    for call in (
        lambda: confident.count(labels, probs, thresholds=thresholds),
        lambda: confident.label_quality(
            labels, probs, SCORES[0], adjust=True, thresholds=thresholds
        ),
    ):
        with pytest.raises(InputError, match=r"^thresholds"):
            call()


def test_thresholds_without_adjusting():
    labels, probs = np.array([0, 1]), np.eye(2)
    refuses(
        lambda: confident.label_quality(labels, probs, SCORES[0], thresholds=[0.5, 0.5]),
        "thresholds",
        "only for adjusted",
    )


@pytest.mark.parametrize("joint", [np.ones((3, 3)), np.ones((1, 1)), np.ones((2, 3)), np.ones(2)])
def test_joint_of_another_size(joint):
    """Found before a kernel reads columns that pred_probs does not have."""
    labels, probs = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    counted = confident.count(labels, probs)
    for filter_by in PRUNING:
        refuses(
            lambda filter_by=filter_by: flag(counted, filter_by, confident_joint=joint),
            "confident_joint",
            f"has shape {joint.shape}",
        )
    one = confident.count(np.zeros(3, dtype=np.int64), np.ones((3, 1)))
    if joint.shape != (1, 1):
        refuses(
            lambda: flag(one, "prune_by_noise_rate", confident_joint=joint),
            "confident_joint",
            f"has shape {joint.shape}",
        )


@pytest.mark.parametrize("filter_by", [name for name in FILTERS if name not in PRUNING])
def test_options_without_meaning(filter_by):
    labels, probs = strategies.realistic(1, n=60, k=3)
    counted = confident.count(labels, probs)
    refuses(
        lambda: flag(counted, filter_by, num_to_remove_per_class=[1, 1, 1]),
        "num_to_remove_per_class",
        f"has no meaning for filter_by={filter_by!r}",
    )
    with pytest.warns(DataWarning, match="^confident_joint and frac_noise: not used by filter_by"):
        found = flag(counted, filter_by, confident_joint=np.eye(3), frac_noise=0.5)
    np.testing.assert_array_equal(found, flag(counted, filter_by))


@pytest.mark.parametrize("filter_by", PRUNING)
def test_small_classes_are_named(filter_by):
    labels = np.array([0] * 8 + [1] * 3 + [3])
    probs = np.tile([0.1, 0.3, 0.0, 0.6], (12, 1))
    names = ["ant", "bee", "cow", "dog"]
    for least, named in ((1, "dog"), (3, "bee, dog"), (8, "ant, bee, dog"), (10**30, "ant, bee")):
        counted = confident.count(labels, probs)
        with pytest.warns(DataWarning, match=f"no label of theirs is judged: {named}") as caught:
            found = flag(counted, filter_by, min_examples_per_class=least, classes=names)
        assert "cow" not in str(caught[0].message)  # nobody is called that
        assert not found[np.isin(labels, [names.index(name) for name in named.split(", ")])].any()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flag(counted, filter_by, min_examples_per_class=0)


@pytest.mark.parametrize("dtype", strategies.DTYPES)
@pytest.mark.parametrize("every", [1, 3])
def test_rank_issues(every, dtype):
    """Rows that agree may be flagged too; those left out have no place in it."""
    labels, probs = strategies.realistic(3, n=300, k=4, dtype=dtype)
    counted = confident.count(labels, probs, methods=["self_confidence"])
    flagged = counted.disagrees if every == 1 else np.arange(300) % every == 0
    scores = counted.sweep.self_confidence
    found = confident.rank_issues(counted, scores, flagged)
    rows = np.flatnonzero(flagged)
    rows = rows[np.argsort(scores[rows], kind="stable")]
    suggested = probs.argmax(axis=1)[rows]
    np.testing.assert_array_equal(found.rows, rows)
    assert found.rows.dtype == np.int64
    np.testing.assert_array_equal(found.given, labels[rows])
    np.testing.assert_array_equal(found.suggested, suggested)
    np.testing.assert_array_equal(found.score, scores[rows])
    np.testing.assert_array_equal(found.confidence, probs[rows, suggested])
    np.testing.assert_array_equal(found.evidence["p_given"], probs[rows, labels[rows]])
    np.testing.assert_array_equal(
        found.evidence["threshold_suggested"], counted.thresholds[suggested]
    )
