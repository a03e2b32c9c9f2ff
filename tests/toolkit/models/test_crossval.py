import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    KFold,
    LeaveOneGroupOut,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from goldlabel import DataWarning, InputError
from goldlabel.models.crossvalidation import crossval, crossval_predictions, out_of_fold
from goldlabel.models.folds import check_splits

IRIS, SPECIES = load_iris(return_X_y=True)


class Spy(ClassifierMixin, BaseEstimator):
    """Remembers the rows it was fitted on, and says for each row whether it is one of them."""

    fitted = []  # noqa: RUF012

    def fit(self, features, labels):
        self.classes_ = np.unique(labels)
        self.rows_ = set(np.asarray(features)[:, 0].tolist())
        Spy.fitted.append(self.rows_)
        return self

    def predict_proba(self, features):
        seen = np.isin(np.asarray(features)[:, 0], list(self.rows_))
        probs = np.full((len(seen), len(self.classes_)), 1 / len(self.classes_))
        probs[seen] = np.eye(len(self.classes_))[0]
        return probs


def rows(n):
    return np.arange(n, dtype=float)[:, None]


@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=40).filter(lambda codes: len(set(codes)) > 1),
    st.integers(2, 7),
    st.integers(0, 5),
    st.booleans(),
)
@settings(max_examples=60)
def test_no_row_is_predicted_by_a_model_that_saw_it(codes, folds, seed, grouped):
    n = len(codes)
    groups = np.arange(n) // 2 if grouped else None
    groups_there = n if groups is None else groups.max() + 1
    folds = min(folds, groups_there)
    if folds < 2:
        return
    Spy.fitted = []
    labels = np.array([f"class {code}" for code in codes])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        result = out_of_fold(Spy(), rows(n), labels, folds=folds, seed=seed, groups=groups)
    np.testing.assert_array_equal(result.classes, np.unique(labels))
    np.testing.assert_allclose(result.pred_probs.sum(axis=1), 1)
    for number in range(result.fold.max() + 1):
        train = result.fold != number
        known = np.isin(result.classes, labels[train])
        expected = known / known.sum()
        got = result.pred_probs[~train]
        np.testing.assert_allclose(got, np.broadcast_to(expected, got.shape))
    if groups is not None:
        assert all(len(set(result.fold[groups == group])) == 1 for group in groups)


def test_equals_scikit_learn_on_the_same_folds():
    model = make_pipeline(StandardScaler(), LogisticRegression())
    expected = cross_val_predict(
        model,
        IRIS,
        SPECIES,
        cv=StratifiedKFold(5, shuffle=True, random_state=3),
        method="predict_proba",
    )
    np.testing.assert_allclose(crossval(model, IRIS, SPECIES, seed=3), expected, rtol=1e-12)


@pytest.mark.slow
def test_reproduces_the_stored_probabilities_of_ag_news(data):
    folder = data / "multiclass" / "ag_news"
    frame = pd.read_csv(folder / "test.csv.gz", header=None)
    model = make_pipeline(CountVectorizer(), MultinomialNB())
    got = crossval(model, (frame[1] + " " + frame[2]).tolist(), frame[0])
    np.testing.assert_allclose(got, np.load(folder / "pred_probs_test_cv5.npy"), atol=1e-6)
    assert (got.argmax(axis=1) + 1 == frame[0]).mean() == pytest.approx(0.8807, abs=5e-5)


TEXTS = ["good", "fine", "nice", "bad", "poor", "ugly"] * 5
MOODS = ["up"] * 3 + ["down"] * 3


@pytest.mark.parametrize(
    ("model", "features", "labels"),
    [
        (GaussianNB(), IRIS, SPECIES),
        (GaussianNB(), IRIS.tolist(), SPECIES.tolist()),
        (GaussianNB(), pd.DataFrame(IRIS, index=np.zeros(150)), pd.Series(SPECIES, dtype="Int64")),
        (LogisticRegression(max_iter=500), sparse.csr_matrix(IRIS), SPECIES),
        (LogisticRegression(max_iter=500), sparse.coo_array(IRIS), SPECIES == 0),
        (make_pipeline(CountVectorizer(), MultinomialNB()), TEXTS, MOODS * 5),
        (make_pipeline(CountVectorizer(), MultinomialNB()), tuple(TEXTS), np.array(MOODS * 5)),
        (make_pipeline(CountVectorizer(), MultinomialNB()), pd.Series(TEXTS), MOODS * 5),
        (RandomForestClassifier(5), IRIS, pd.Categorical.from_codes(SPECIES, list("xyz"))),
        (KNeighborsClassifier(3), IRIS.astype(np.float32), SPECIES.astype(float)),
        (CalibratedClassifierCV(LinearSVC(), cv=2), IRIS, SPECIES),
    ],
)
def test_any_classifier_and_any_features(model, features, labels):
    result = out_of_fold(model, features, labels, folds=3)
    n, k = len(labels), len(set(labels))
    assert result.pred_probs.shape == (n, k)
    assert result.pred_probs.dtype == np.float64
    np.testing.assert_allclose(result.pred_probs.sum(axis=1), 1, rtol=1e-12)
    assert (result.classes[result.pred_probs.argmax(axis=1)] == np.asarray(labels)).mean() > 0.9
    assert not hasattr(model, "classes_")  # the caller's model stays unfitted


def test_model_and_seed():
    forest = RandomForestClassifier(3)
    first, again, other = (crossval(forest, IRIS, SPECIES, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert forest.random_state is None


def test_class_weights_by_name_still_fit():
    model = LogisticRegression(class_weight={"down": 100.0, "up": 1.0})
    assert (crossval(model, rows(30) % 7, MOODS * 5)[:, 0] > 0.9).all()


def test_groups_stay_together():
    groups = np.arange(150) // 3
    result = out_of_fold(GaussianNB(), IRIS, SPECIES, groups=groups)
    assert all(len(set(result.fold[groups == group])) == 1 for group in groups)
    assert np.bincount(result.fold).min() > 20


def test_progress_is_told():
    said = []
    crossval(GaussianNB(), IRIS, SPECIES, folds=4, progress=lambda *step: said.append(step))
    assert said == [(done, 4, "cross-validation") for done in range(5)]


def test_rare_classes_are_named():
    labels = np.array(["a"] * 20 + ["b"] * 20 + ["c"] * 3 + ["d"])
    expected = r"in 2 of 4 classes: 'c' \(3\), 'd' \(1\)"
    with pytest.warns(DataWarning, match=expected) as said:
        pred_probs = crossval(DummyClassifier(strategy="prior"), rows(44), labels)
    assert len(said) == 1
    assert "saw no other row of their class (1 of 44 rows)" in str(said[0].message)
    assert said[0].filename == __file__
    assert pred_probs[43, 3] == 0
    assert (pred_probs[40:43, 2] > 0).all()


def test_many_rare_classes_are_counted():
    labels = [f"{number:02d}" for number in range(12)] * 2
    with pytest.warns(DataWarning, match=r"in 12 of 12 classes: .*'04' \(2\) and 7 more"):
        pred_probs = crossval(DummyClassifier(), rows(24), labels)
    assert pred_probs.shape == (24, 12)


def test_class_of_one_group_only():
    labels = np.array([0] * 10 + [1] * 10 + [2] * 5)
    groups = np.array([*range(20), *[20] * 5])
    with pytest.warns(DataWarning, match=r"no other row of their class \(5 of 25 rows\)"):
        pred_probs = crossval(DummyClassifier(), rows(25), labels, groups=groups)
    assert (pred_probs[20:, 2] == 0).all()


def test_two_rows_are_enough():
    with pytest.warns(DataWarning):
        pred_probs = crossval(LogisticRegression(), rows(2), ["a", "b"], folds=2)
    np.testing.assert_array_equal(pred_probs, [[0, 1], [1, 0]])


def test_models_that_do_not_converge_are_said_once():
    with pytest.warns(DataWarning, match="5 fits in 5 folds did not converge") as said:
        crossval(LogisticRegression(max_iter=1), IRIS, SPECIES)
    assert len(said) == 1


def test_other_warnings_are_passed_on_once():
    class Talker(GaussianNB):
        def fit(self, features, labels):
            warnings.warn("careful", UserWarning, stacklevel=2)
            return super().fit(features, labels)

    with pytest.warns(UserWarning, match=r"careful \(said 5 times in 5 folds\)") as said:
        crossval(Talker(), IRIS, SPECIES)
    assert len(said) == 1


@pytest.mark.parametrize(
    "splitter", [KFold(4), StratifiedKFold(3), KFold(150), LeaveOneGroupOut()], ids=str
)
def test_splitters_that_hold_every_row_once(splitter):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        groups = np.arange(150) % 10 if isinstance(splitter, LeaveOneGroupOut) else None
        result = out_of_fold(GaussianNB(), IRIS, SPECIES, folds=splitter, groups=groups)
    np.testing.assert_allclose(result.pred_probs.sum(axis=1), 1)


class Twice:
    def split(self, X, y=None, groups=None):
        yield np.arange(75, 150), np.r_[np.arange(75), 3]
        yield np.arange(75), np.arange(75, 150)


class Leaky:
    def split(self, X, y=None, groups=None):
        yield np.arange(150), np.arange(75)
        yield np.arange(75), np.arange(75, 150)


class Masks:
    def split(self, X, y=None, groups=None):
        for fold in (np.arange(150) % 2 == 0, np.arange(150) % 2 == 1):
            yield ~fold, fold


def test_splitters_may_give_masks():
    expected = out_of_fold(GaussianNB(), IRIS, SPECIES, folds=Masks())
    np.testing.assert_array_equal(expected.fold, np.arange(150) % 2)


@pytest.mark.parametrize(
    ("splitter", "groups", "message"),
    [
        (Leaky(), None, r"fold 1: row 0 is both fitted on and predicted \(75 such rows\)"),
        (Twice(), None, "fold 1: row 3 is predicted a second time"),
        (RepeatedKFold(n_splits=2, n_repeats=2), None, "predicted a second time"),
        (ShuffleSplit(1, random_state=0), None, r"never predicted \(135 such rows\)"),
        (TimeSeriesSplit(3), None, "folds: row 0 is never predicted"),
        (KFold(3), np.arange(150) // 4, r"row \d+ has rows of its group among those fitted on"),
        (LeaveOneGroupOut(), None, "folds: LeaveOneGroupOut failed"),
    ],
)
def test_splitters_that_would_lie_are_refused(splitter, groups, message):
    with pytest.raises(InputError, match=message):
        crossval(GaussianNB(), IRIS, SPECIES, folds=splitter, groups=groups)


def test_check_of_splits_needs_rows_to_fit_on():
    with pytest.raises(InputError, match="leaves no row to fit on"):
        check_splits([(np.array([], int), np.arange(3))], 3, None)


class Wrong(GaussianNB):
    """Returns probabilities that are none."""

    def __init__(self, value=0.0):
        super().__init__()
        self.value = value

    def predict_proba(self, features):
        probs = super().predict_proba(features)
        probs[4, 0] = self.value
        return probs


class WrongShape(GaussianNB):
    def predict_proba(self, features):
        return super().predict_proba(features)[:, 1:]


class WrongClasses(GaussianNB):
    def fit(self, features, labels):
        super().fit(features, labels)
        self.classes_ = self.classes_ + 7
        return self


@pytest.mark.parametrize("value", [np.nan, -0.5, np.inf, 7.0])
def test_probabilities_that_are_none(value):
    with pytest.raises(InputError, match=r"fold 1 of 5: predict_proba of row \d+ is .*1 such"):
        crossval(Wrong(value), IRIS, SPECIES)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LinearSVC(), "model: LinearSVC has no predict_proba. Wrap it in .*CalibratedClassifierCV"),
        (make_pipeline(StandardScaler(), LinearSVC()), "model: Pipeline has no predict_proba"),
        (LogisticRegression, "model: LogisticRegression is not a scikit-learn classifier"),
        ("logistic", "model: str is not a scikit-learn classifier"),
        (WrongShape(), r"fold 1 of 5: predict_proba returned shape \(30, 2\), not \(30, 3\)"),
        (WrongClasses(), "failed with ValueError: its classes_ .* not among the labels"),
        (MultinomialNB(alpha=-1), "model, fold 1 of 5: failed with InvalidParameterError"),
        (make_pipeline(CountVectorizer(), MultinomialNB()), "model, fold 1 of 5: failed with"),
    ],
)
def test_models_that_do_not_fit(model, message):
    with pytest.raises(InputError, match=message):
        crossval(model, IRIS, SPECIES)


@pytest.mark.parametrize(
    ("features", "labels", "options", "message"),
    [
        (IRIS, SPECIES[:-1], {}, r"labels: has shape \(149,\), and features has 150 rows"),
        (IRIS, SPECIES[:, None], {}, r"labels: has shape \(150, 1\)"),
        (IRIS[:0], [], {}, "features: has no rows"),
        ([], [], {}, "features: has no rows"),
        ("a text", ["a"], {}, "features: is a single text"),
        (3.0, [1], {}, "features: is a single value"),
        (IRIS, [7] * 150, {}, "labels: all 150 are 7"),
        (IRIS, [None, *SPECIES[1:]], {}, r"labels\[0\]: is missing \(1 are\)"),
        (IRIS, [*SPECIES[:-2], np.nan, np.nan], {}, r"labels\[148\]: is missing \(2 are\)"),
        (IRIS, SPECIES + 0.5, {}, r"labels\[0\]: is 0.5, a value and not a class \(150"),
        (IRIS, np.array([*range(149), "x"], object), {}, "labels: mixes int and str"),
        (IRIS, SPECIES, {"folds": 1}, "folds: is 1, and there are 150 rows"),
        (IRIS, SPECIES, {"folds": 151}, "folds: is 151"),
        (IRIS, SPECIES, {"folds": 2.5}, "folds: is 2.5"),
        (IRIS, SPECIES, {"folds": True}, "folds: is True"),
        (IRIS, SPECIES, {"folds": "5"}, "folds: is '5'"),
        (IRIS, SPECIES, {"seed": -1}, "seed: is -1"),
        (IRIS, SPECIES, {"groups": [1, 2]}, r"groups: has shape \(2,\)"),
        (IRIS, SPECIES, {"groups": SPECIES}, "groups: has 3 groups, fewer than the 5 folds"),
        (IRIS, SPECIES, {"groups": [None] * 150}, r"groups\[0\]: is missing"),
    ],
)
def test_bad_input(features, labels, options, message):
    with pytest.raises(InputError, match=message):
        crossval(GaussianNB(), features, labels, **options)


class Regressor(BaseEstimator):
    """Predicts 1 for rows that it was fitted on, 0 for others."""

    def fit(self, features, labels):
        self.rows_ = set(np.asarray(features)[:, 0].tolist())
        return self

    def predict(self, features):
        return np.isin(np.asarray(features)[:, 0], list(self.rows_)).astype(float)[:, None]


@pytest.mark.parametrize("groups", [None, np.arange(40) // 4])
@pytest.mark.parametrize("folds", [2, 5, KFold(4)])
def test_no_value_is_predicted_by_a_model_that_saw_it(folds, groups):
    if groups is not None and not isinstance(folds, int):
        return
    told = []
    found = crossval_predictions(
        Regressor(),
        rows(40),
        np.arange(40.0),
        folds=folds,
        groups=groups,
        progress=lambda *entry: told.append(entry),
    )
    assert found.shape == (40,)
    assert (found == 0).all()
    assert told[-1][0] == told[-1][1]


def test_values_are_predicted_as_scikit_learn_does():
    from sklearn.linear_model import LinearRegression

    splits = KFold(5, shuffle=True, random_state=3)
    expected = cross_val_predict(LinearRegression(), IRIS[:, :3], IRIS[:, 3], cv=splits)
    found = crossval_predictions(LinearRegression(), IRIS[:, :3], IRIS[:, 3], folds=splits)
    np.testing.assert_allclose(found, expected)
    again = crossval_predictions(LinearRegression(), IRIS[:, :3], IRIS[:, 3], seed=1)
    assert (found != again).any()


@pytest.mark.parametrize(
    ("model", "labels", "where", "what"),
    [
        (Regressor, np.zeros(6), "model", "Regressor is not a scikit-learn regressor"),
        ("ridge", np.zeros(6), "model", "str is not a scikit-learn regressor"),
        (Regressor(), np.zeros(5), "labels", "features has 6 rows"),
        (Regressor(), [1, 2, 3, 4, 5, None], "labels[5]", "is missing"),
        (Regressor(), [1, 2, 3, 4, 5, np.inf], "labels[5]", "is inf"),
        (Regressor(), list("abcdef"), "labels", "is not an array of numbers"),
    ],
)
def test_values_refused(model, labels, where, what):
    with pytest.raises(InputError) as error:
        crossval_predictions(model, rows(6), labels, folds=2)
    assert error.value.where == where
    assert what in error.value.what


def test_a_regressor_that_predicts_nonsense():
    class Nonsense(Regressor):
        def predict(self, features):
            return np.full(len(features), np.nan)

    with pytest.raises(InputError, match=r"fold 1 of 2: predict returned nan \(3 such values\)"):
        crossval_predictions(Nonsense(), rows(6), np.zeros(6), folds=2)
