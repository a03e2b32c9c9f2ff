"""Every option of the multilabel verbs against the slow twin, to the last tie."""

from __future__ import annotations

import multilabel_reference as reference
import numpy as np
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from goldlabel import InputError
from goldlabel.tasks import multilabel

pytestmark = pytest.mark.filterwarnings("ignore::goldlabel.errors.DataWarning")


def mask(found, shape):
    chosen = np.zeros(shape, dtype=bool)
    chosen[found.parts.example, found.parts.part] = True
    return chosen


@given(strategies.labeled_cells(), st.booleans())
@settings(max_examples=200)
def test_thresholds_and_confident_joint(drawn, calibrate):
    cuts = reference.thresholds(*drawn)
    np.testing.assert_allclose(multilabel.class_thresholds(*drawn), cuts, atol=1e-15)
    np.testing.assert_array_equal(
        multilabel.confident_joint(*drawn, calibrate=calibrate),
        reference.confident_joint(*drawn, calibrate=calibrate),
    )


levels = st.sampled_from([0.0, 1e-6, 0.1, 0.25, 0.5, 0.500001, 0.75, 0.9, 1.0, 2.0])


@given(strategies.labeled_cells(max_k=2), st.data())
@settings(max_examples=200)
def test_confident_joint_with_given_thresholds(drawn, data):
    """The limits of q that thresholds become, wherever these lie."""
    k = drawn[1].shape[1]
    cuts = np.array(data.draw(st.lists(st.tuples(levels, levels), min_size=k, max_size=k)))
    np.testing.assert_array_equal(
        multilabel.confident_joint(*drawn, thresholds=cuts, calibrate=False),
        reference.confident_joint(*drawn, cuts, calibrate=False),
    )
    one = multilabel.confident_joint(*drawn, thresholds=cuts[:, 1], calibrate=False)
    cuts[:, 0] = multilabel.class_thresholds(*drawn)[:, 0]
    np.testing.assert_array_equal(one, reference.confident_joint(*drawn, cuts, calibrate=False))


@pytest.mark.parametrize("filter_by", reference.FILTERS)
def test_filters(filter_by):
    pruning = filter_by in reference.PRUNING

    @given(
        strategies.labeled_cells(),
        st.sampled_from([0.0, 0.3, 0.5, 1.0]) if pruning else st.just(1.0),
        st.integers(0, 3) if pruning else st.just(1),
        st.data(),
    )
    @settings(max_examples=150)
    def check(drawn, frac_noise, least, data):
        k = drawn[1].shape[1]
        few = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=k, max_size=k)
        quota = data.draw(st.none() | few) if pruning else None
        found = multilabel.find_label_issues(
            *drawn,
            filter_by=filter_by,
            frac_noise=frac_noise,
            min_examples_per_class=least,
            num_to_remove_per_class=quota,
        )
        expected = reference.cells(
            *drawn, filter_by, frac_noise=frac_noise, least=least, quota=quota
        )
        np.testing.assert_array_equal(mask(found, drawn[1].shape), expected)
        if filter_by.startswith("low"):
            score = reference.pooled(reference.self_confidence(*drawn), drawn[0])
            off = reference.cells(*drawn, "confident_learning").any(axis=1).sum()
            assert found.is_issue.sum() == off
            assert not off or score[found.is_issue].max() <= np.sort(score)[off - 1] + 1e-9
        else:
            np.testing.assert_array_equal(found.is_issue, expected.any(axis=1))
        assert (np.diff(found.parts.score) >= 0).all()

    check()


@given(strategies.labeled_cells(max_k=3), st.data())
@settings(max_examples=100)
def test_given_joint(drawn, data):
    """Any joint is calibrated to the labels first."""
    k = drawn[1].shape[1]
    entries = st.lists(st.integers(0, 5), min_size=4 * k, max_size=4 * k)
    joint = np.reshape(data.draw(entries), (k, 2, 2))
    solid = joint.copy()
    for y in (0, 1):
        solid[joint[:, y].sum(axis=1) == 0, y, y] = 1
    estimate = reference.calibrated(solid, reference.counts(drawn[0]))
    for filter_by in reference.PRUNING:
        found = multilabel.find_label_issues(*drawn, filter_by=filter_by, confident_joint=joint)
        expected = reference.cells(*drawn, filter_by, joint=estimate)
        np.testing.assert_array_equal(mask(found, drawn[1].shape), expected)


@pytest.mark.parametrize("method", reference.METHODS)
@pytest.mark.parametrize("adjust", [False, True])
def test_scores(method, adjust):
    if adjust and method == "confidence_weighted_entropy":
        options = {"method": method, "adjust_pred_probs": True}
        with pytest.raises(InputError, match="is not defined for confidence_weighted_entropy"):
            multilabel.get_label_quality_scores([[0]], [[0.9, 0.2]], **options)
        return

    @given(strategies.labeled_cells())
    @settings(max_examples=100)
    def check(drawn):
        options = {"method": method, "adjust_pred_probs": adjust}
        scores = multilabel.get_label_quality_scores_per_class(*drawn, **options)
        expected = reference.cell_scores(*drawn, method, adjust=adjust)
        # float32: `1 - q` is rounded there, in both; adjusting adds what differs by one rounding.
        tolerance = 1e-12 if drawn[1].dtype == np.float64 else 1e-6
        np.testing.assert_allclose(scores, expected, rtol=0, atol=tolerance)
        assert ((scores >= 0) & (scores <= 1)).all()
        pooled = multilabel.get_label_quality_scores(*drawn, **options)
        np.testing.assert_allclose(pooled, reference.pooled(scores, drawn[0]), rtol=0, atol=1e-12)

    check()


POOLS = [
    *({"aggregator": "exponential_moving_average", "alpha": a} for a in (0, 0.3, 0.8, 1, None)),
    *({"aggregator": "softmin", "temperature": t} for t in (0, 0.05, 0.1, 10)),
    {"aggregator": "minimum"},
    {"aggregator": "mean"},
]


@pytest.mark.parametrize("pool", POOLS, ids=lambda pool: "-".join(map(str, pool.values())))
def test_aggregators(pool):
    @given(strategies.labeled_cells(max_k=9))
    @settings(max_examples=60)
    def check(drawn):
        scores = multilabel.get_label_quality_scores(*drawn, **pool)
        expected = reference.pooled(reference.self_confidence(*drawn), drawn[0], **pool)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)

    check()


@pytest.mark.parametrize("function", [np.nanmin, np.nanmedian, np.nanmean])
def test_aggregator_of_ones_own(function):
    labels, probs = strategies.realistic_cells(1)
    labels[::7, ::2] = -1
    labels[3] = -1
    scores = multilabel.get_label_quality_scores(labels, probs, aggregator=function)
    own = reference.self_confidence(labels, probs)
    own[labels < 0] = np.nan
    own[3] = 1
    np.testing.assert_allclose(scores, function(own, axis=1), atol=1e-12)
    found = multilabel.find_label_issues(labels, probs, aggregator=function)
    np.testing.assert_array_equal(found.scores, scores)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("threads", ["1", "3"])
def test_more_than_one_block(dtype, threads, monkeypatch):
    monkeypatch.setenv("GOLDLABEL_THREADS", threads)
    labels, probs = strategies.realistic_cells(5, n=20_000, k=20, dtype=dtype)
    labels[::50, 3] = -1
    found = multilabel.find_label_issues(labels, probs)
    monkeypatch.setenv("GOLDLABEL_THREADS", "1")
    alone = multilabel.find_label_issues(labels, probs)
    np.testing.assert_array_equal(found.scores, alone.scores)
    np.testing.assert_array_equal(found.parts.example, alone.parts.example)
    np.testing.assert_array_equal(found.parts.part, alone.parts.part)
    for method in reference.METHODS:  # a kernel of one thread may call for threads itself
        monkeypatch.setenv("GOLDLABEL_THREADS", threads)
        pooled = multilabel.get_label_quality_scores(labels, probs, method=method)
        assert pooled.shape == (20_000,)


def test_selection_where_quotas_are_large():
    """More candidates than a bucket has room for, in many blocks."""
    rng = np.random.default_rng(0)
    labels = (rng.random((60_000, 3)) < 0.5).astype(np.int8)
    probs = rng.random((60_000, 3)).round(3)
    quota = [[500, 7000], [0, 9000], [12_000, 1]]
    found = multilabel.find_label_issues(labels, probs, num_to_remove_per_class=quota)
    scores = np.where(labels == 1, probs, 1 - probs)
    for c in range(3):
        for y in (0, 1):
            rows = np.flatnonzero(labels[:, c] == y)
            order = rows[np.argsort(scores[rows, c], kind="stable")][: quota[c][y]]
            mine = found.parts.example[(found.parts.part == c) & (found.parts.given == y)]
            np.testing.assert_array_equal(np.sort(mine), np.sort(order))


@given(strategies.labeled_cells(unknown=False))
@settings(max_examples=60)
def test_labels_in_other_forms(drawn):
    labels, probs = drawn
    expected = multilabel.find_label_issues(labels, probs)
    lists = [np.flatnonzero(row).tolist() for row in labels]
    for form in (labels.astype(bool), labels.astype(float), sparse.csr_array(labels), lists):
        found = multilabel.find_label_issues(form, probs)
        np.testing.assert_array_equal(found.scores, expected.scores)
        for name in ("example", "part", "given", "suggested", "score", "confidence"):
            np.testing.assert_array_equal(getattr(found.parts, name), getattr(expected.parts, name))


@given(strategies.labeled_cells(), st.randoms())
@settings(max_examples=60)
def test_order_of_examples_and_classes_does_not_matter(drawn, random):
    labels, probs = drawn
    rows = random.sample(range(len(labels)), len(labels))
    columns = random.sample(range(labels.shape[1]), labels.shape[1])
    whole = multilabel.confident_joint(labels, probs, calibrate=False)
    mixed = multilabel.confident_joint(
        labels[rows][:, columns], probs[rows][:, columns], calibrate=False
    )
    np.testing.assert_array_equal(mixed, whole[columns])
    twice = multilabel.confident_joint(
        np.vstack([labels, labels]), np.vstack([probs, probs]), calibrate=False
    )
    once = reference.confident_joint(labels, probs, calibrate=False)
    # The diagonal of what was not counted at all is 1 in both.
    assert ((twice == 2 * once) | (twice == 2 * once - 1) | (once == 1)).all()
