import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from goldlabel import DataWarning, InputError
from goldlabel.models.crossvalidation import crossval
from goldlabel.models.pipelines import (
    TERMS,
    WEIGHTS,
    embedding_pipeline,
    encoder,
    table_pipeline,
    text_pipeline,
)

MIXED = pd.DataFrame(
    {
        "age": ["31", "?", "45", "27"] * 10,
        "price": ["1,5", "2,25", "", "3"] * 10,
        "joined": ["31.01.2024", "01.02.2024", None, "15.03.2023"] * 10,
        "colour": ["red", "blue", None, "red"] * 10,
        "street": [f"street {i % 36}" for i in range(40)],
        "nothing": [None] * 40,
        7: range(40),
    }
)
FEW_COLUMNS = 32


def accuracy(pred_probs, labels):
    return np.mean(np.unique(labels)[pred_probs.argmax(axis=1)] == np.asarray(labels))


def test_encoder_makes_numbers_of_every_kind():
    matrix = encoder(MIXED).fit_transform(MIXED)
    # age, price, 4 parts of a date, 3 colours with the missing one, a share and 32 streets, 7
    assert matrix.shape == (40, 2 + 4 + 3 + (1 + FEW_COLUMNS) + 1)
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix[:4, 0], [31, np.nan, 45, 27])
    np.testing.assert_array_equal(matrix[:4, 1], [1.5, 2.25, np.nan, 3])
    np.testing.assert_array_equal(matrix[:4, 3], [1, 2, np.nan, 3])
    np.testing.assert_array_equal(matrix[:4, 6:9].argmax(axis=1), [2, 1, 0, 2])
    np.testing.assert_array_equal(matrix[:, 9], [2 / 40] * 4 + [1 / 40] * 32 + [2 / 40] * 4)
    np.testing.assert_array_equal(matrix[:, -1], range(40))
    np.testing.assert_array_equal(matrix[:, 10:-1].sum(axis=1), 1)


def test_encoder_meets_new_names_and_broken_numbers():
    fitted = encoder(MIXED).fit(MIXED)
    strange = MIXED.head(1).assign(age="x", colour="violet", street="nowhere", joined="soon")
    row = fitted.transform(strange)[0]
    assert np.isnan(row[0])
    assert np.isnan(row[2:6]).all()
    assert (row[6:10] == 0).all()


def test_encoder_looks_at_no_other_rows_than_the_fitted():
    fitted = encoder(MIXED).fit(MIXED.iloc[:20])
    np.testing.assert_array_equal(fitted.transform(MIXED.iloc[:20])[:, 9], 1 / 20)
    np.testing.assert_array_equal(fitted.transform(MIXED.iloc[20:])[:16, 9], 0)


def test_encoder_warns_of_free_text():
    frame = pd.DataFrame({"note": [f"note number {i}" for i in range(50)], "x": range(50)})
    with pytest.warns(DataWarning, match="'note' differ in every row") as said:
        encoder(frame)
    assert said[0].filename == __file__


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (np.zeros((3, 2)), "frame: is a ndarray"),
        (pd.DataFrame(), "frame: has 0 columns and 0 rows"),
        (pd.DataFrame({"a": [None, "NA"]}), "frame: has 1 columns and 2 rows, and none"),
    ],
)
def test_bad_frames(frame, message):
    with pytest.raises(InputError, match=message):
        table_pipeline(frame)


def test_model_follows_the_number_of_rows():
    frame = pd.DataFrame({"x": np.arange(1000.0)})
    assert isinstance(table_pipeline(frame[:999])[-1], LogisticRegression)
    assert isinstance(table_pipeline(frame)[-1], HistGradientBoostingClassifier)
    assert isinstance(table_pipeline(frame, model="linear")[-1], LogisticRegression)
    assert isinstance(
        table_pipeline(frame[:9], model="boosting")[-1], HistGradientBoostingClassifier
    )
    with pytest.raises(InputError, match="model: is 'forest'"):
        table_pipeline(frame, model="forest")


@pytest.mark.parametrize("model", ["linear", "boosting"])
def test_table_of_every_kind_is_learned(model):
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(["no", "yes"], 100))
    signal = {"no": ["red", "green"], "yes": ["blue", "green"]}
    frame = pd.DataFrame(
        {
            "colour": [signal[label][rng.integers(2)] for label in labels],
            "size": np.where(rng.random(200) < 0.2, "?", (labels == "yes") + rng.random(200)),
            "street": [f"street {i % 50}" for i in range(200)],
            "nothing": np.nan,
        }
    )
    assert accuracy(crossval(table_pipeline(frame, model=model), frame, labels), labels) > 0.9


def test_column_missing_in_a_whole_fold_is_no_error():
    frame = pd.DataFrame({"x": [1.0] + [np.nan] * 29, "y": np.arange(30) % 2})
    labels = np.arange(30) % 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for model in ("linear", "boosting"):
            crossval(table_pipeline(frame, model=model), frame, labels, folds=3)


def test_boosting_has_no_trouble_with_a_class_of_one_row():
    # With early stopping, scikit-learn refuses this above 10,000 rows.
    frame = pd.DataFrame({"x": np.arange(10_500.0)})
    labels = np.r_[np.arange(10_499) % 2, 2]
    assert table_pipeline(frame).fit(frame, labels).predict_proba(frame[:1]).shape == (1, 3)


def test_wine():
    wine = load_wine(as_frame=True)
    assert accuracy(crossval(table_pipeline(wine.data), wine.data, wine.target), wine.target) > 0.97


def test_digits():
    features, labels = load_digits(return_X_y=True)
    assert accuracy(crossval(embedding_pipeline(), features, labels), labels) > 0.95


def test_embeddings(data):
    folder = data / "multiclass" / "banking77"
    labels = pd.read_csv(folder / "train.csv")["category"][:1000]
    features = np.load(folder / "embeddings_first1000.npy")
    assert accuracy(crossval(embedding_pipeline(), features, labels), labels) >= 0.985


TEXTS = ["good film", "fine book", "good day", "bad film", "poor book", "bad day"] * 4
MOODS = ["up"] * 3 + ["down"] * 3


@pytest.mark.parametrize(
    "rows",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        pd.Series(TEXTS, index=range(100, 124)),
        pd.DataFrame({"title": TEXTS, "body": None, 3: 7}),
    ],
    ids=["list", "tuple", "array", "series", "frame"],
)
def test_texts_of_any_container(rows):
    pred_probs = crossval(text_pipeline(), rows, MOODS * 4, folds=3)
    assert accuracy(pred_probs, MOODS * 4) == 1


@pytest.mark.parametrize(
    "rows",
    [
        ["a", "b", None, "a b", "", "b b"],
        ["!", "?", "!!", "??", "! !", "?"],
        ["好", "坏", "很好", "很坏", "好好", "坏坏"],
        ["👍", "👎", "👍👍", "👎👎", "👍", "👎"],
        [1, 2, 1, 2, 1, 2],
    ],
)
def test_texts_of_any_kind(rows):
    pred_probs = text_pipeline().fit(rows, ["x", "y"] * 3).predict_proba(rows)
    assert np.isfinite(pred_probs).all()


def test_texts_that_hold_nothing_are_an_input_error():
    with pytest.raises(InputError, match="model, fold 1 of 2: failed with ValueError: empty voc"):
        crossval(text_pipeline(), ["", " ", None, ""], [0, 1, 0, 1], folds=2)


def test_text_model_of_many_classes_is_smaller():
    def terms(**options):
        words, _ = text_pipeline(**options)[1].transformer_list
        return words[1].max_features

    assert terms() == TERMS
    assert terms(n_classes=77) == TERMS
    assert terms(n_classes=1000) == WEIGHTS // 2000


@pytest.mark.slow
def test_ag_news(data):
    frame = pd.read_csv(data / "multiclass" / "ag_news" / "test.csv.gz", header=None)
    assert accuracy(crossval(text_pipeline(), frame[[1, 2]], frame[0], folds=3), frame[0]) > 0.875


@pytest.mark.parametrize(
    "model", [text_pipeline(), embedding_pipeline(), table_pipeline(MIXED), encoder(MIXED)]
)
def test_pipelines_can_be_cloned(model):
    assert clone(model).get_params().keys() == model.get_params().keys()
