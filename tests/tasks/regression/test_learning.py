"""The cross-validated search, its predictors, and the regressor that leaves out what is wrong."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pandas as pd
import pytest
import regression_reference as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.datasets import load_diabetes, make_regression
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import HuberRegressor, LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from goldlabel import DataWarning, InputError
from goldlabel.tasks.regression import CleanLearning
from goldlabel.tasks.regression.predictors import Copies, LeastSquares, predictor_for
from goldlabel.tasks.regression.search import COARSE, Plan, label_quality, search

LINEAR = LinearRegression()


class Identity(RegressorMixin, BaseEstimator):
    """Predicts its first column, whatever it was fitted on."""

    def fit(self, features, labels):
        return self

    def predict(self, features):
        return np.asarray(features)[:, 0]


class Spy(RegressorMixin, BaseEstimator):
    """Predicts 1 for rows that it was fitted on, 0 for others."""

    def fit(self, features, labels):
        self.seen_ = set(np.asarray(features)[:, 0].tolist())
        return self

    def predict(self, features):
        return np.isin(np.asarray(features)[:, 0], list(self.seen_)).astype(float)


def regression(seed=0, n=120, d=3, wrong=6):
    features, labels = make_regression(n, d, noise=5.0, random_state=seed)
    rng = np.random.default_rng(seed)
    rows = rng.choice(n, wrong, replace=False)
    labels[rows] += rng.choice([-1, 1], wrong) * 400
    return features, labels, rows


def test_example_d():
    features, labels = np.arange(1.0, 6)[:, None], np.array([1.5, 2, 2, 4.25, 9])
    expected = [0.36787944, 1, 0.13533528, 0.60653066, 0.00033546]
    for options in ({}, {"uncertainty": 1.0}, {"uncertainty": np.full(5, 3.0)}):
        learner = CleanLearning(Identity(), cv_n_folds=2)
        issues = learner.find_label_issues(features, labels, **options)
        np.testing.assert_allclose(issues.scores, expected, atol=1e-8)
        assert learner.found_.share == 0
        assert issues.num_issues == 0
    learner = CleanLearning(Identity(), cv_n_folds=2, n_boot=0, include_aleatoric_uncertainty=False)
    np.testing.assert_allclose(
        learner.find_label_issues(features, labels).scores, expected, atol=1e-8
    )
    learner = CleanLearning(Identity(), cv_n_folds=2)
    issues = learner.find_label_issues(features, labels, uncertainty=[1, 1, 0.5, 1, 4])
    np.testing.assert_allclose(
        issues.scores, [0.36787944, 1, 0.01831564, 0.60653066, 0.13533528], atol=1e-8
    )
    learner.find_label_issues(features, labels)
    assert learner.found_.aleatoric == pytest.approx(1.4142135624)
    assert (learner.found_.epistemic == 0).all()


@pytest.mark.parametrize("model", [LINEAR, make_pipeline(StandardScaler(), LINEAR)])
@pytest.mark.parametrize("criterion", ["r2", "mae"])
def test_example_e(model, criterion):
    features = np.arange(20.0)[:, None]
    labels = 2 * features[:, 0] + 1
    labels[3] += 30
    labels[11] -= 25
    learner = CleanLearning(
        model, cv_n_folds=2, n_boot=0, include_aleatoric_uncertainty=False, criterion=criterion
    )
    issues = learner.find_label_issues(
        features, labels, coarse_search_range=[0.05, 0.1, 0.2], fine_search_size=1
    )
    assert learner.found_.share >= 0.075
    assert issues.is_issue[[3, 11]].all()
    assert (issues.scores[[3, 11]] < 1e-6).all()


def test_an_exact_fit_scores_one():
    # DIVERGE 12-08: rounding errors are no residuals. 12-07: predictions of integers stay floats.
    features = np.arange(30)[:, None]
    issues = CleanLearning().find_label_issues(features, 3 * np.arange(30) + 1)
    assert issues.num_issues == 0
    assert (issues.scores == 1).all()
    issues = CleanLearning().find_label_issues(features, np.arange(30) // 7)
    assert not (issues.suggested == np.rint(issues.suggested)).all()


def test_constant_labels_are_right():
    # DIVERGE 12-13
    learner = CleanLearning()
    issues = learner.find_label_issues(
        np.random.default_rng(0).normal(size=(30, 2)), np.full(30, 7)
    )
    assert learner.found_.share == 0
    assert issues.num_issues == 0
    np.testing.assert_allclose(issues.scores, 1)


@pytest.mark.parametrize("model", [LINEAR, Ridge(3.0), LinearRegression(fit_intercept=False)])
@given(st.integers(0, 1000), st.integers(2, 6), st.floats(0, 0.4))
@settings(max_examples=25)
def test_least_squares_at_once_equals_copies(model, seed, folds, share):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(30, 80)), int(rng.integers(1, 5))
    # Of columns whose sizes differ by millions, scikit-learn's own fit drops the smallest.
    features = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-1, 2, d) + rng.integers(-5, 5, d)
    target = features.sum(axis=1) + rng.normal(size=n) + 1e4
    quick = predictor_for(model, features, 0, {}, None)
    if d and not isinstance(quick, LeastSquares):
        return
    fold = rng.permutation(n) % folds
    left_out = rng.random(n) < share
    found = quick(target, fold, left_out)
    expected = Copies(model, features, 0)(target, fold, left_out)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.ptp(target))


@pytest.mark.parametrize(
    ("model", "features"),
    [
        (LINEAR, np.column_stack([np.arange(50.0)] * 2)),
        (LINEAR, np.where(np.arange(50) == 3, np.nan, np.arange(50.0))[:, None]),
        (LINEAR, pd.DataFrame({"name": ["a", "b"] * 25})),
        (LINEAR, np.zeros((50, 30))),
        (LinearRegression(positive=True), np.arange(50.0)[:, None]),
        (Ridge(alpha=np.array([1.0])), np.arange(50.0)[:, None]),
        (HuberRegressor(), np.arange(50.0)[:, None]),
    ],
)
def test_what_normal_equations_cannot_do_is_left_to_the_model(model, features):
    assert isinstance(predictor_for(model, features, 0, {}, None), Copies)


def test_no_row_is_predicted_by_a_model_that_saw_it():
    rows = np.arange(60.0)[:, None]
    rng = np.random.default_rng(0)
    for share in (0.0, 0.2, 0.9):
        left_out = np.zeros(60, dtype=bool)
        left_out[rng.permutation(60)[: int(60 * share)]] = True
        found = Copies(Spy(), rows, 0)(np.zeros(60), rng.permutation(60) % 5, left_out)
        assert (found == 0).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_search_equals_the_twin_on_the_same_folds(seed):
    features, labels, _ = regression(seed)
    share, predictions, scores, uncertainty = reference.search(
        LINEAR,
        features,
        labels,
        boot=3,
        coarse=COARSE,
        fine=3,
        split=reference.folds_by_item(seed),
    )
    found = search(
        Copies(LINEAR, features, 0),
        labels,
        Plan(criterion="r2", boot=3),
        seed,
        folds_for=reference.folds_by_item(seed),
    )
    assert found.share == pytest.approx(share)
    np.testing.assert_allclose(found.predictions, predictions, rtol=1e-9)
    np.testing.assert_allclose(found.uncertainty, uncertainty, rtol=1e-9)
    np.testing.assert_allclose(found.scores, scores, rtol=1e-7)


def test_finds_what_is_wrong_and_says_how_many():
    features, labels, rows = regression(n=300, wrong=15)
    for model in (None, HuberRegressor(), RandomForestRegressor(30)):
        learner = CleanLearning(model, seed=3)
        issues = learner.find_label_issues(features, labels)
        assert set(rows) <= set(issues.ranked()[:18])
        assert 0.03 <= learner.found_.share <= 0.2
        assert issues.num_issues == int(np.ceil(300 * learner.found_.share - 1e-9))
        assert issues.parts.confidence[:10].min() > 0.9


def test_both_ranks_are_reported():
    # DIVERGE 12-10
    features, labels, _ = regression()
    issues = CleanLearning().find_label_issues(features, labels)
    table = issues.to_frame("part")
    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    assert set(table["residual_rank"]) <= set(range(1, 121))


def test_same_seed_same_answer_and_no_global_state():
    # DIVERGE 12-05
    features, labels, _ = regression()
    model = RandomForestRegressor(10)
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    first = CleanLearning(model, seed=4).find_label_issues(features, labels)
    np.random.seed(99)  # noqa: NPY002
    again = CleanLearning(model, seed=4, n_jobs=2).find_label_issues(features, labels)
    np.testing.assert_array_equal(first.scores, again.scores)
    np.testing.assert_array_equal(first.suggested, again.suggested)
    other = CleanLearning(model, seed=5).find_label_issues(features, labels)
    assert (other.scores != first.scores).any()
    np.random.seed(0)  # noqa: NPY002
    assert len(before) == 624
    assert model.random_state is None


class Counting(RegressorMixin, BaseEstimator):
    """Counts its fits, and remembers what they were given."""

    fits = []  # noqa: RUF012

    def fit(self, features, labels, flavour=None, sample_weight=None):
        Counting.fits.append((len(labels), flavour, sample_weight, type(features)))
        self.model_ = LinearRegression().fit(np.asarray(features, dtype=float), labels)
        return self

    def predict(self, features):
        return self.model_.predict(np.asarray(features, dtype=float))


@pytest.mark.parametrize("most", [None, 79, 60, 41, 33, 20, 15])
def test_the_plan_is_the_cost(most):
    Counting.fits = []
    features, labels, _ = regression()
    told = []
    learner = CleanLearning(Counting())
    issues = learner.find_label_issues(
        features, labels, max_fits=most, progress=lambda *entry: told.append(entry)
    )
    plan = learner.plan(max_fits=most)
    assert len(Counting.fits) <= plan.fits <= (most or 80)
    assert plan.fits == (80 if most is None else plan.fits)
    assert told[0] == (0, plan.fits, "fits of Counting")
    assert told[-1][:2] == (plan.fits, plan.fits)
    assert [entry[0] for entry in told] == sorted(entry[0] for entry in told)
    assert issues.params["fits"] == plan.fits


def test_the_cost_is_said_before_it_is_spent(caplog):
    features, labels, _ = regression()
    Counting.fits = []
    with caplog.at_level(logging.INFO, logger="goldlabel"):
        CleanLearning(Counting()).find_label_issues(features, labels, max_fits=50)
    assert "at most 50 fits of Counting on 120 rows" in caplog.messages[0]


@given(
    st.integers(2, 10), st.integers(0, 8), st.integers(0, 5), st.integers(1, 8), st.booleans(),
    st.integers(1, 200),
)  # fmt: skip
def test_a_plan_is_never_above_what_is_allowed(folds, boot, fine, shares, aleatoric, most):
    coarse = tuple(0.01 * (i + 1) for i in range(shares))
    plan = Plan(folds, coarse, fine, boot, aleatoric)
    try:
        cut = plan.within(most)
    except InputError:
        assert most < 3 * folds
        return
    assert cut.fits <= max(most, 0)
    assert (cut == plan) == (plan.fits <= most)


def test_model_kwargs_reach_every_fit():
    # DIVERGE 12-06
    Counting.fits = []
    features, labels, _ = regression()
    learner = CleanLearning(Counting())
    learner.fit(
        features, labels, model_kwargs={"flavour": "mild"}, model_final_kwargs={"flavour": "hot"}
    )
    flavours = [fit[1] for fit in Counting.fits]
    assert set(flavours[:-1]) == {"mild"}
    assert flavours[-1] == "hot"


def test_frames_keep_their_names_and_types():
    # DIVERGE 12-09
    frame = pd.DataFrame({"x": np.arange(60.0), "city": ["Rome", "Oslo", "Bari"] * 20})
    labels = 2 * frame["x"].to_numpy() + frame["city"].map({"Rome": 0, "Oslo": 50, "Bari": 9})
    labels[7] = 900.0
    from sklearn.compose import make_column_transformer

    encode = make_column_transformer(
        (OneHotEncoder(), ["city"]), remainder="passthrough", verbose_feature_names_out=False
    )
    learner = CleanLearning(make_pipeline(encode, Ridge(0.1)))
    assert learner.find_label_issues(frame, labels).ranked()[0] == 7
    assert learner.fit(frame, labels).predict(frame).shape == (60,)


def test_weights_and_masks():
    Counting.fits = []
    features, labels, rows = regression()
    weights = np.arange(120.0)
    mask = np.zeros(120, dtype=bool)
    mask[rows] = True
    for said in (
        mask,
        pd.DataFrame({"is_label_issue": mask}),
        pd.DataFrame({"is_issue": mask, "given_label": labels}),
    ):
        learner = CleanLearning(Counting()).fit(
            features, labels, label_issues=said, sample_weight=weights
        )
        assert Counting.fits[-1][0] == 114
        np.testing.assert_array_equal(Counting.fits[-1][2], weights[~mask])
    assert len(Counting.fits) == 3
    expected = LinearRegression().fit(features[~mask], labels[~mask])
    np.testing.assert_allclose(learner.predict(features), expected.predict(features))
    assert learner.score(features, labels) == pytest.approx(expected.score(features, labels))
    found = CleanLearning().find_label_issues(features, labels)
    refitted = CleanLearning().fit(features, labels, label_issues=found)
    fitted = CleanLearning().fit(features, labels)
    np.testing.assert_array_equal(refitted.predict(features), fitted.predict(features))


def test_is_a_scikit_learn_estimator():
    learner = CleanLearning(Ridge(2.0), seed=7)
    assert clone(learner).get_params()["seed"] == 7
    assert learner.set_params(cv_n_folds=3).plan().folds == 3


def test_labels_that_are_no_numbers_are_predicted_and_fitted_on_by_none():
    Counting.fits = []
    features, labels, _ = regression(n=100, wrong=0)
    given = labels.astype(object)
    given[5], given[6] = "twelve", None
    issues = CleanLearning(Counting()).find_label_issues(features, given)
    assert max(fit[0] for fit in Counting.fits) <= 98
    table = issues.to_frame("part").set_index("example")
    assert table.loc[[5, 6], "kind"].tolist() == ["not a number", "missing label"]
    assert abs(table.loc[5, "suggested"] - labels[5]) < 60
    assert len(issues.scores) == 100


def test_what_surely_is_wrong_can_be_flagged_besides():
    features, labels, rows = regression(n=400, wrong=4)
    model = HuberRegressor(max_iter=1000)
    plain = CleanLearning(model).find_label_issues(features, labels, coarse_search_range=[0.005])
    sure = CleanLearning(model).find_label_issues(
        features, labels, coarse_search_range=[0.005], flag_sure=0.9
    )
    assert set(rows) <= set(np.flatnonzero(sure.is_issue))
    assert len(plain) <= len(sure)


def test_few_items():
    features = np.arange(5.0)[:, None]
    for n in (2, 3, 4, 5):
        issues = CleanLearning(Ridge(), cv_n_folds=2).find_label_issues(
            features[:n], np.arange(float(n)) ** 2
        )
        assert np.isfinite(issues.scores).all()
    with pytest.raises(InputError, match="too few for 5 folds"):
        CleanLearning().find_label_issues(features[:4], np.arange(4.0))


def test_uncertainty_ranks_and_scale_cancels():
    labels, predictions = np.array([1.0, 2, 3, 10]), np.array([1.5, 2, 5, 4])
    scores = label_quality(labels, predictions, np.ones(4))
    np.testing.assert_allclose(label_quality(labels, predictions, np.full(4, 8.0)), scores)
    assert label_quality(labels, predictions, np.array([1, 1, 1, 100.0]))[3] > scores[3]


def test_warnings_of_models_are_said_once():
    features, labels = load_diabetes(return_X_y=True)
    model = HuberRegressor(max_iter=1)
    with pytest.warns(DataWarning, match="fits in 5 folds did not converge") as caught:
        CleanLearning(model, n_boot=0).find_label_issues(
            features[:60], labels[:60], coarse_search_range=[0.1], fine_search_size=0
        )
    assert len({str(each.message) for each in caught}) == 1


def test_trees_with_many_threads_do_not_mind():
    features, labels, rows = regression(n=200, wrong=5)
    model = HistGradientBoostingRegressor(max_iter=20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        issues = CleanLearning(model, n_boot=1).find_label_issues(features, labels, max_fits=20)
    assert set(rows) & set(np.argsort(issues.scores)[:10])


X, Y = regression()[:2]


class Broken(Identity):
    def predict(self, features):
        return np.full((len(features), 2), np.nan)


class Infinite(Identity):
    def predict(self, features):
        return np.full(len(features), np.inf)


class Refusing(Identity):
    def fit(self, features, labels):
        raise ValueError("no\nway")


BAD = {
    "a class": (lambda: CleanLearning(Ridge), {}, "model", "Ridge is not a scikit-learn"),
    "a text": (lambda: CleanLearning("ridge"), {}, "model", "str is not"),
    "no predict": (lambda: CleanLearning(StandardScaler()), {}, "model", "has no predict"),
    "one fold": (lambda: CleanLearning(cv_n_folds=1), {}, "folds", "is 1"),
    "half a fold": (lambda: CleanLearning(cv_n_folds=2.5), {}, "folds", "is 2.5"),
    "negative boot": (lambda: CleanLearning(n_boot=-1), {}, "n_boot", "is -1"),
    "criterion": (lambda: CleanLearning(criterion="mse"), {}, "criterion", "is 'mse'"),
    "seed": (lambda: CleanLearning(seed=-1), {}, "seed", "is -1"),
    "fine": (CleanLearning, {"fine_search_size": -1}, "fine_search_size", "is -1"),
    "no coarse": (CleanLearning, {"coarse_search_range": []}, "coarse_search_range", "is []"),
    "coarse above 1": (CleanLearning, {"coarse_search_range": [2]}, "coarse_search_range", "is 2"),
    "too few fits": (CleanLearning, {"max_fits": 9}, "max_fits", "least that can be done is 15"),
    "no fits": (CleanLearning, {"max_fits": 0}, "max_fits", "is 0"),
    "uncertainty": (CleanLearning, {"uncertainty": [1, 2]}, "uncertainty", "has shape (2,)"),
    "negative": (CleanLearning, {"uncertainty": -1.0}, "uncertainty", "is -1.0"),
    "weights": (
        CleanLearning, {"model_kwargs": {"sample_weight": [1]}}, "model_kwargs", "sample_weight",
    ),
    "ids": (CleanLearning, {"ids": [1]}, "ids", "has shape (1,)"),
    "flag_sure": (CleanLearning, {"flag_sure": 2}, "flag_sure", "is 2"),
    "matrix": (lambda: CleanLearning(Broken()), {}, "model, fold 1 of 5", "shape (24, 2)"),
    "infinite": (lambda: CleanLearning(Infinite()), {}, "model, fold 1 of 5", "returned inf"),
    "refusing": (lambda: CleanLearning(Refusing()), {}, "model, fold 1 of 5", "ValueError: no way"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_find_label_issues_refuses(name):
    make, options, where, what = BAD[name]
    with pytest.raises(InputError) as error:
        make().find_label_issues(X, Y, **options)
    assert error.value.where == where
    assert what in error.value.what


@pytest.mark.parametrize(
    ("features", "labels", "where"),
    [
        (X, Y[:5], "labels"),
        ("text", Y, "features"),
        (X, ["a"] * 120, "labels"),
        (X, [None] * 120, "labels"),
        (X, np.zeros((120, 2)), "labels"),
        (np.float64(3), Y, "features"),
    ],
)
def test_data_refused(features, labels, where):
    with pytest.raises(InputError) as error:
        CleanLearning().find_label_issues(features, labels)
    assert error.value.where == where


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"label_issues": np.zeros(3, dtype=bool)}, "label_issues"),
        ({"label_issues": np.zeros(120)}, "label_issues"),
        ({"label_issues": np.ones(120, dtype=bool)}, "label_issues"),
        ({"label_issues": pd.DataFrame({"wrong": [True]})}, "label_issues"),
        (
            {"label_issues": pd.DataFrame({"is_issue": [False] * 120, "given_label": Y + 1})},
            "label_issues: row 0",
        ),
        ({"sample_weight": [1.0]}, "sample_weight"),
        ({"model_final_kwargs": {"sample_weight": 1}}, "model_final_kwargs"),
    ],
)
def test_fit_refuses(options, where):
    with pytest.raises(InputError) as error:
        CleanLearning().fit(X, Y, **options)
    assert error.value.where == where


def test_a_model_without_weights():
    with pytest.raises(InputError, match="nothing that Identity"):
        CleanLearning(Identity()).fit(X, Y, sample_weight=np.ones(120))


def test_predicting_before_fitting():
    with pytest.raises(InputError, match="is not fitted"):
        CleanLearning().predict(X)
