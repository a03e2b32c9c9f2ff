"""Scores: the specification's examples, the slow twin, and what must hold of any input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import regression_reference as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from goldlabel import InputError
from goldlabel.tasks.regression import OutreGrid, find_label_issues, get_label_quality_scores
from goldlabel.tasks.regression.kernels import half_distances
from goldlabel.tasks.regression.plausible import plausible, usual_distance, wrongness

FLOATS = st.floats(-1e6, 1e6, allow_subnormal=False)
COARSE = st.integers(-3, 3).map(float)


@st.composite
def pairs(draw, max_n=40):
    n = draw(st.integers(1, max_n))
    element = draw(st.sampled_from([FLOATS, COARSE]))
    arrays = hnp.arrays(np.float64, n, elements=element)
    return draw(arrays), draw(arrays)


def test_example_a():
    y, predicted = [1, 2, 3, 4], [2, 2, 5, 4.1]
    np.testing.assert_allclose(
        get_label_quality_scores(y, predicted, method="residual"),
        [0.3678794412, 1, 0.1353352832, 0.9048374180],
        rtol=1e-9,
    )
    np.testing.assert_allclose(
        get_label_quality_scores(y, predicted),
        [0.2162406049, 0.6258550899, 0.2027510389, 0.6258550899],
        rtol=1e-8,
    )


def test_example_b():
    y, predicted = [3.1, 2, 5.5, 4.4, 9, 1.2], [3, 2.2, 5.4, 4.6, 4.1, 1]
    np.testing.assert_allclose(
        get_label_quality_scores(y, predicted, method="residual"),
        [0.9048374180, 0.8187307531, 0.9048374180, 0.8187307531, 0.0074465831, 0.8187307531],
        rtol=1e-8,
    )
    np.testing.assert_allclose(
        get_label_quality_scores(y, predicted),
        [0.3978419081, 0.3678794412, 0.3678794412, 0.3678794412, 6.7897962e-07, 0.3549692462],
        rtol=1e-7,
    )


@pytest.mark.parametrize(
    ("y", "predicted", "scores"),
    [
        ([1, 2], [2, 2], [1, 1]),
        ([1, 1, 1, 1], [1, 1, 1, 5], [1, 1, 1, 0]),
        ([5, 5, 5], [5, 5, 5], [1, 1, 1]),
        ([5], [4], [1]),  # one example is enough: DIVERGE 12-02
    ],
)
def test_example_c(y, predicted, scores):
    np.testing.assert_allclose(get_label_quality_scores(y, predicted), scores, atol=1e-12)


@pytest.mark.parametrize("method", ["outre", "residual", "residual_scaled"])
@given(pairs())
@settings(max_examples=60)
def test_scores_equal_the_twin(method, data):
    twin = {
        "outre": reference.outre_scores,
        "residual": reference.residual_scores,
        "residual_scaled": reference.scaled_residual_scores,
    }[method]
    scores = get_label_quality_scores(*data, method=method)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(scores, twin(*data), rtol=1e-6, atol=1e-9)
    assert ((scores >= 0) & (scores <= 1)).all()


@given(
    st.integers(1, 60),
    st.integers(1, 200),
    st.integers(0, 1000),
    st.booleans(),
    st.floats(0.01, 1.0),
)
@settings(max_examples=80)
def test_half_distances_equal_the_twin_in_any_order(n, m, seed, ties, share):
    rng = np.random.default_rng(seed)
    draw = (lambda size: rng.integers(0, 3, size).astype(float)) if ties else rng.standard_normal
    x, y, u, v = draw(n), draw(n), draw(m), draw(m)
    weights = rng.integers(1, 9, m).astype(float)
    wanted = max(share * weights.sum(), 0.5)
    found = half_distances((x, y), (u, v, weights), wanted, rng.permutation(n))
    np.testing.assert_allclose(
        found, reference.half_distances(x, y, (u, v), weights, wanted), rtol=1e-9, atol=1e-12
    )


def test_same_bits_for_any_number_of_threads(monkeypatch):
    rng = np.random.default_rng(1)
    y = rng.normal(size=6000)
    predicted = y + rng.standard_t(2, 6000)
    scores = {}
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("GOLDLABEL_THREADS", threads)
        exact = get_label_quality_scores(y, predicted, exact=True)
        cells = get_label_quality_scores(y, predicted, exact=False)
        scores[threads] = exact.tobytes() + cells.tobytes()
    assert len(set(scores.values())) == 1


@given(st.integers(0, 100))
@settings(max_examples=15)
def test_outre_depends_on_neither_unit_nor_offset_nor_order(seed):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=50)
    predicted = y + rng.normal(size=50)
    scores = get_label_quality_scores(y, predicted)
    np.testing.assert_allclose(
        get_label_quality_scores(1000 * y + 5, 1000 * predicted + 5), scores, rtol=1e-9
    )
    order = rng.permutation(50)
    np.testing.assert_allclose(
        get_label_quality_scores(y[order], predicted[order]), scores[order], rtol=1e-9
    )


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.normal(size=n),
        lambda rng, n: rng.standard_t(2, n),
        lambda rng, n: np.exp(2 * rng.normal(size=n)),
        lambda rng, n: rng.standard_cauchy(n),
        lambda rng, n: rng.integers(0, 5, n).astype(float),
    ],
    ids=["normal", "t", "lognormal", "cauchy", "whole numbers"],
)
def test_cells_come_near_the_exact_scores(draw):
    rng = np.random.default_rng(0)
    y = draw(rng, 4000)
    predicted = y + draw(rng, 4000)
    exact = get_label_quality_scores(y, predicted, exact=True)
    cells = get_label_quality_scores(y, predicted, exact=False)
    assert np.abs(cells - exact).max() < 5e-3
    assert np.abs(cells - exact).mean() < 2e-3


def test_cells_add_up_in_any_order_and_forget_no_offset():
    rng = np.random.default_rng(3)
    y = 1e9 + rng.normal(size=3000)
    predicted = y + rng.normal(size=3000)
    empty = OutreGrid.plan(y[:500], predicted[:500])
    whole = empty.add(y, predicted)
    parts = [empty.add(y[i::7], predicted[i::7]) for i in range(7)]
    merged = parts[3]
    for i in (6, 0, 5, 1, 4, 2):
        merged = merged.merge(parts[i])
    np.testing.assert_array_equal(merged.counts, whole.counts)
    assert merged.n == 3000
    np.testing.assert_allclose(merged.scores(y, predicted), whole.scores(y, predicted), rtol=1e-9)
    exact = get_label_quality_scores(y, predicted, exact=True)
    np.testing.assert_allclose(whole.scores(y, predicted), exact, atol=5e-3)


def test_grids_of_other_cells_do_not_merge():
    first = OutreGrid.plan([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    other = OutreGrid.plan([1.0, 2.0, 9.0], [1.0, 2.0, 4.0])
    with pytest.raises(InputError, match="other cells"):
        first.merge(other)
    with pytest.raises(InputError, match="counted no examples"):
        first.scores([1.0], [1.0])


@given(hnp.arrays(np.float64, st.integers(1, 30), elements=st.integers(0, 9).map(float)))
def test_wrongness_equals_the_twin(sizes):
    found = wrongness(sizes)
    np.testing.assert_allclose(found, reference.wrongness(sizes), atol=1e-12)
    order = np.argsort(sizes)
    assert (np.diff(found[order]) >= -1e-12).all()


def test_confidence_keeps_its_promise_where_its_assumption_holds():
    rng = np.random.default_rng(5)
    sizes = rng.exponential(size=20_000)
    wrong = rng.random(20_000) < 0.05
    sizes[wrong] = rng.uniform(8, 40, wrong.sum())
    sure = wrongness(sizes) >= 0.9
    assert np.mean(wrong[sure]) == pytest.approx(0.9, abs=0.1)
    assert np.mean(sure[wrong]) > 0.8
    assert not (wrongness(rng.exponential(size=2000)) >= 0.9).any()


def test_usual_distance_follows_the_size_of_the_prediction():
    rng = np.random.default_rng(0)
    predictions = rng.uniform(1, 10, 5000)
    usual = usual_distance(predictions, np.abs(predictions * rng.normal(size=5000)))
    np.testing.assert_allclose(usual, 0.6745 * predictions, rtol=0.35)
    assert (usual_distance(np.ones(10), np.zeros(10)) > 0).all()
    assert usual_distance(np.empty(0), np.empty(0)).shape == (0,)


def test_intervals_cover_what_they_promise():
    rng = np.random.default_rng(1)
    predictions = rng.uniform(1, 10, 4000)
    labels = predictions * (1 + 0.1 * rng.normal(size=4000))
    issues = find_label_issues(labels, predictions, threshold=1.0)
    table = issues.to_frame("part")
    inside = (labels[table["example"]] >= table["low"]) & (
        labels[table["example"]] <= table["high"]
    )
    kept = ~issues.is_issue
    assert 0 < kept.sum()
    assert inside.mean() < 1
    issues = find_label_issues(labels, predictions, threshold=0.0)
    assert issues.num_issues == 0


def test_find_label_issues_flags_below_a_share_of_the_median():
    rng = np.random.default_rng(2)
    predictions = rng.normal(size=300)
    labels = predictions + 0.1 * rng.normal(size=300)
    labels[[5, 9]] += 10
    for method in ("outre", "residual", "residual_scaled"):
        issues = find_label_issues(labels, predictions, method=method, threshold=0.1)
        scores = get_label_quality_scores(labels, predictions, method=method)
        np.testing.assert_array_equal(issues.is_issue, scores < 0.1 * np.median(scores))
        np.testing.assert_array_equal(issues.scores, scores)
        assert set(issues.ranked()[:2]) == {5, 9}
        assert issues.parts.kinds == ("label error",)
        assert ((issues.parts.confidence >= 0) & (issues.parts.confidence <= 1)).all()
        np.testing.assert_array_equal(issues.parts.suggested, predictions[issues.parts.example])


def test_labels_that_are_no_numbers_are_findings_of_their_own():
    predictions = np.linspace(1, 2, 40)
    labels = predictions.astype(object)
    labels[3], labels[4], labels[7], labels[8] = "about 5", None, np.inf, "n/a"
    labels[9] = str(predictions[9])
    predictions[4] = np.nan
    issues = find_label_issues(labels, predictions, ids=[f"r{i}" for i in range(40)])
    table = issues.to_frame("part").set_index("example")
    assert table["kind"].to_dict() == {
        3: "not a number",
        7: "not a number",
        4: "missing label",
        8: "missing label",
    }
    assert table.loc[3, "given_text"] == "about 5"
    assert "'about 5' is not a number" in table.loc[3, "reason"]
    assert "The model predicts" not in table.loc[4, "reason"]
    assert issues.scores[[3, 7, 4, 8]].tolist() == [0, 0, 0.5, 0.5]
    assert issues.parts.confidence.tolist() == [0, 0, 0, 0]
    assert not np.isnan(issues.scores).any()
    assert issues.ids[3] == "r3"


def test_all_that_a_caller_may_pass():
    y, predicted = [1.0, 2.0, 4.0], [1.5, 2.0, 3.0]
    expected = get_label_quality_scores(y, predicted)
    for form in (
        np.array(y, np.float32),
        np.array(y)[:, None],
        pd.Series(y, index=[7, 8, 9]),
        pd.DataFrame({"y": y}),
        pd.Series([1, 2, 4], dtype="Int64"),
        tuple(y),
        np.array(y)[::-1][::-1],
    ):
        np.testing.assert_allclose(get_label_quality_scores(form, predicted), expected)


BAD = {
    "empty": ([], [], "labels", "is empty"),
    "text": ("12", [1, 2], "labels", "is a str"),
    "a number": (5, [1], "labels", "is a int"),
    "a dict": ({1: 2}, [1], "labels", "is a dict"),
    "a matrix": ([[1, 2], [3, 4]], [1, 2], "labels", "shape (2, 2)"),
    "lengths": ([1, 2, 3], [1, 2], "predictions", "has 2 entries, and labels has 3"),
    "no predictions": ([1], None, "predictions", "is a NoneType"),
    "a prediction that is none": ([1, 2], [1, np.nan], "predictions[1]", "is nan (1 such)"),
    "an infinite prediction": ([1, 2], [np.inf, 1], "predictions[0]", "is inf"),
    "a missing label": ([1, np.nan, np.nan], [1, 2, 3], "labels[1]", "is nan (2 such)"),
    "an infinite label": ([1, -np.inf], [1, 2], "labels[1]", "is -inf"),
    "a label of text": (["a", "b"], [1, 2], "labels", "is not an array of numbers"),
    "a masked array": (np.ma.array([1, 2], mask=[0, 1]), [1, 2], "labels", "masked"),
    "ragged": ([[1], [2, 3]], [1, 2], "", ""),
    "complex": (np.array([1j, 2]), [1, 2], "labels", "is not an array of numbers"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_scores_refuse(name):
    labels, predictions, where, what = BAD[name]
    with pytest.raises(InputError) as error:
        get_label_quality_scores(labels, predictions)
    assert error.value.where.startswith(where)
    assert what in error.value.what


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"method": "outlier"}, "method"),
        ({"method": None}, "method"),
        ({"threshold": 2}, "threshold"),
        ({"threshold": "a"}, "threshold"),
        ({"threshold": np.nan}, "threshold"),
        ({"ids": [1]}, "ids"),
    ],
)
def test_find_label_issues_refuses(options, where):
    with pytest.raises(InputError) as error:
        find_label_issues([1.0, 2.0], [1.0, 2.0], **options)
    assert error.value.where == where


@given(st.data())
@settings(max_examples=150)
def test_plausible_bounds_equal_the_reference(data):
    """Every count from none to some dozens: the rank is that of n + 1, not of n."""
    n = data.draw(st.integers(1, 45))
    positive = data.draw(st.booleans())
    values = hnp.arrays(np.float64, n, elements=st.floats(0 if positive else -50, 50))
    labels, predictions = data.draw(values), data.draw(values)
    trusted = data.draw(hnp.arrays(bool, n))
    labels[~trusted] = data.draw(st.sampled_from([np.nan, -7.0]))
    usual = data.draw(hnp.arrays(np.float64, n, elements=st.floats(0.1, 3)))
    found = plausible(labels, predictions, trusted, usual)
    expected = reference.plausible_bounds(labels, predictions, trusted, usual)
    np.testing.assert_allclose(np.column_stack([found.low, found.high]), expected, rtol=1e-12)


def test_nine_of_ten_right_labels_are_within_the_bounds():
    """Of 9 trusted labels it takes the largest size of all, of 19 the second largest but one."""
    for n, rank in ((8, 8), (9, 9), (10, 10), (19, 18), (29, 27), (99, 90)):
        sizes = np.arange(1.0, n + 1)
        found = plausible(-sizes, np.zeros(n), np.ones(n, dtype=bool), np.ones(n))
        assert found.high[0] == rank
