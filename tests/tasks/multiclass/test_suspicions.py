"""Warnings of mistakes that the numbers give away, and no alarm where all is well."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
import strategies
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from goldlabel.errors import DataWarning
from goldlabel.tasks.multiclass import find_label_issues

SETS = {
    "digits": load_digits,
    "wine": load_wine,
    "breast cancer": load_breast_cancer,
    "iris": load_iris,
}
MODELS = {
    "logistic regression": make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=500, tol=1e-3)
    ),
    "shy logistic regression": make_pipeline(StandardScaler(), LogisticRegression(C=0.01)),
    "naive Bayes": GaussianNB(),
    "nearest neighbour": KNeighborsClassifier(1),
    "nearest neighbours": KNeighborsClassifier(5),
    "random forest": RandomForestClassifier(30, random_state=0),
    "decision tree": DecisionTreeClassifier(random_state=0),
    "priors": DummyClassifier(),
    "uniform": DummyClassifier(strategy="uniform"),
    "coin": DummyClassifier(strategy="stratified", random_state=0),
}


def warned(labels, probs, **options):
    """Return what is warned of, apart from small classes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        find_label_issues(labels, probs, **options)
    assert all(issubclass(entry.category, DataWarning) for entry in caught)
    return [str(entry.message) for entry in caught if "is judged" not in str(entry.message)]


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("load", SETS.values(), ids=SETS)
def test_no_alarm_out_of_sample(load, model):
    features, labels = load(return_X_y=True)
    probs = cross_val_predict(model, features, labels, cv=3, method="predict_proba")
    messages = warned(labels, probs)
    if isinstance(model, DummyClassifier):  # it is true of these
        messages = [each for each in messages if "no more than by chance" not in each]
    assert messages == []


# Rows in another order


@pytest.mark.parametrize(("step", "where"), [(1, "too late"), (-1, "too early"), (7, "")])
def test_rows_in_another_order(step, where):
    features, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    features, labels = features[order], labels[order]
    probs = cross_val_predict(GaussianNB(), features, labels, method="predict_proba")
    (message,) = warned(labels, np.roll(probs, step, axis=0))
    assert "no more than by chance" in message
    assert f"They look one row {where}" in message if where else "They look" not in message
    (message,) = warned(labels, probs[np.random.default_rng(1).permutation(len(labels))])
    assert message.endswith("in that of the labels, best by ids in both.")


@pytest.mark.parametrize("name", ["cifar10_test", "20news_test"])
def test_no_alarm_on_real_sets(data, name):
    assert warned(*strategies.load_real(data, name)) == []


# Columns in another order


def moved(message):
    """Return what the message says: the column of each class."""
    return {
        given: int(column) for given, column in re.findall(r"'?(\w+)'? from column (\d+)", message)
    }


@pytest.mark.parametrize("seed", range(3))
def test_permuted_columns_of_cifar10(data, seed):
    labels, probs = strategies.load_real(data, "cifar10_test")
    classes = (data / "multiclass" / "cifar10_test" / "classes.txt").read_text().split()
    order = np.random.default_rng(seed).permutation(10)
    (message,) = warned(labels, probs[:, order], classes=classes)
    assert message.startswith("pred_probs: columns look permuted. The model's class is the given ")
    assert "and would be for 93% with other columns (" in message
    assert message.endswith("). Check the order of the classes.")
    assert moved(message) == {
        classes[c]: int(column) for column, c in enumerate(order) if c != column
    }


def test_two_swapped_columns_of_digits():
    features, labels = load_digits(return_X_y=True)
    probs = cross_val_predict(GaussianNB(), features, labels, method="predict_proba")
    swapped = probs[:, [1, 0, *range(2, 10)]]
    # Fewer than a fifth of the examples would fit better; with three in a circle it is more.
    assert len(labels) * 0.2 > np.isin(labels, [0, 1]).sum() * 0.9
    assert warned(labels, swapped) == []
    (message,) = warned(labels, probs[:, [1, 2, 0, *range(3, 10)]])
    assert moved(message) == {"0": 2, "1": 0, "2": 1}


def test_swapped_columns_of_two_classes():
    features, labels = load_breast_cancer(return_X_y=True)
    probs = cross_val_predict(GaussianNB(), features, labels, method="predict_proba")
    (message,) = warned(labels, probs[:, ::-1], classes=["malignant", "benign"])
    assert moved(message) == {"malignant": 1, "benign": 0}
    assert " is the given one for 6% of the examples, and would be for 94% with" in message


def test_labels_counted_from_1_look_permuted(data):
    """The classic mistake: class 1 of the labels is column 0."""
    labels, probs = strategies.load_real(data, "cifar10_test")
    late = np.c_[probs[:, -1:], probs[:, :-1]]
    (message,) = warned(labels, late)
    assert moved(message) == {str(c): (c + 1) % 10 for c in range(10)}


def test_many_moved_columns_are_not_all_named():
    k = 200
    labels = np.arange(2000) % k
    probs = np.full((2000, k), 0.5 / (k - 1))
    probs[np.arange(2000), (labels + 1) % k] = 0.5
    (message,) = warned(labels, probs)
    assert len(message) < 600
    assert ", ...). Check the order of the classes." in message


@pytest.mark.parametrize("n", [0, 10, 49])
def test_few_examples_raise_no_alarm(n):
    labels = np.arange(n) % 2
    assert warned(labels, np.eye(2)[1 - labels]) == []
    assert warned(labels, np.eye(2)[labels]) == []


def test_a_bad_model_is_not_a_permutation():
    random = np.random.default_rng(0)
    labels = random.integers(0, 5, 500)
    (message,) = warned(labels, random.dirichlet(np.ones(5), 500))
    assert "columns" not in message
    assert "no more than by chance" in message
    assert warned(np.zeros(500, dtype=int), np.full((500, 1), 1.0)) == []


def test_one_class_for_all_is_not_a_permutation():
    """The largest class would fit the only column that is predicted."""
    labels = np.repeat([0, 1, 2], [100, 600, 300])
    assert warned(labels, np.tile([0.8, 0.1, 0.1], (1000, 1))) == []
    assert warned(np.ones(100, dtype=int), np.tile([0.8, 0.1, 0.1], (100, 1))) == []


def test_swapped_columns_of_a_rare_class():
    labels = np.repeat([0, 1], [950, 50])
    probs = np.where(labels[:, None] == [0, 1], 0.8, 0.2)
    probs[:3] = probs[:3, ::-1]
    (message,) = warned(labels, probs[:, ::-1])
    assert moved(message) == {"0": 1, "1": 0}


# In-sample probabilities

SAW = "in training, and errors are hidden: predict each example by a model that was not trained on"


@pytest.mark.parametrize("name", ["digits", "breast cancer"])
def test_random_forest_on_its_training_set(name):
    features, labels = SETS[name](return_X_y=True)
    forest = RandomForestClassifier(100, random_state=0).fit(features, labels)
    (message,) = warned(labels, forest.predict_proba(features))
    assert message.startswith(
        f"pred_probs: look in-sample. The model contradicts 0 of the {len(labels)} given labels;"
        " by its own probabilities it should be wrong for about "
    )
    expected = float(message.split("wrong for about ")[1].split(".")[0])
    assert 0.02 * len(labels) < expected < 0.2 * len(labels)
    assert SAW in message


@pytest.mark.parametrize("model", ["nearest neighbour", "decision tree"])
def test_certain_models_on_their_training_set(model):
    features, labels = load_digits(return_X_y=True)
    probs = MODELS[model].fit(features, labels).predict_proba(features)
    (message,) = warned(labels, probs)
    assert "contradicts 0 of the 1797 given labels; and it is all but certain of each." in message
    assert SAW in message


def test_a_model_that_gives_every_class_the_same_has_seen_nothing():
    """Its class is within 1e-6 of any label, and yet it agrees with none."""
    labels = np.arange(300) % 3
    assert warned(labels, np.full((300, 3), 1 / 3)) == []


# Rows that do not sum to 1


@pytest.mark.parametrize("scale", [0.5, 0.99, 1.01])
def test_rows_that_do_not_sum_to_1(scale):
    labels, probs = strategies.realistic(0, n=60, k=3)
    probs = np.minimum(probs, 0.98)
    probs[17] = np.array([0.5, 0.3, 0.2]) * scale
    probs[np.arange(60) != 17] /= probs[np.arange(60) != 17].sum(axis=1, keepdims=True)
    (message,) = warned(labels, probs)
    assert message == (
        f"pred_probs[17]: sums to {scale:.4g}, the farthest from 1 of all rows. Check that the"
        " columns are the probabilities of classes that exclude each other."
    )


def test_rounded_probabilities_raise_no_alarm():
    labels, probs = strategies.realistic(0, n=60, k=3)
    for rounded in (probs.astype(np.float16), probs.round(4), probs.astype(np.float32)):
        assert warned(labels, rounded) == []
