"""Scores of several models at once: weights, forms of the list, narrow sets."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import reference
import strategies

from goldlabel.errors import DataWarning, InputError
from goldlabel.tasks.multiclass import get_label_quality_ensemble_scores, get_label_quality_scores

SCORES = reference.SCORES
WEIGHTS = ("uniform", "accuracy", "log_loss_search")


@pytest.fixture(scope="module")
def models():
    """(labels, models): a decent one, one that guesses, a mixture of both."""
    labels, first = strategies.realistic(2, n=200, k=4, noise=0.2)
    second = np.random.default_rng(2).dirichlet(np.ones(4), 200)
    return labels, [first, second, (first + second) / 2]


@pytest.mark.parametrize(
    ("method", "adjust"),
    [*((name, False) for name in SCORES), *((name, True) for name in SCORES[:2])],
)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_equals_the_reference(models, weights, method, adjust):
    found = get_label_quality_ensemble_scores(
        *models, weights=weights, method=method, adjust_pred_probs=adjust
    )
    expected = reference.ensemble_quality(*models, method, weights=weights, adjust=adjust)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_same_model_twice_is_that_model(models, weights):
    labels, (first, *_) = models
    found = get_label_quality_ensemble_scores(labels, [first, first], weights=weights)
    np.testing.assert_allclose(found, get_label_quality_scores(labels, first), atol=1e-12)


def test_better_models_count_for_more(models):
    labels, (first, second, _) = models
    alone = get_label_quality_scores(labels, first)
    for weights in ("accuracy", "log_loss_search"):
        together = get_label_quality_ensemble_scores(labels, [first, second], weights=weights)
        uniform = get_label_quality_ensemble_scores(labels, [first, second], weights="uniform")
        assert np.abs(together - alone).mean() < np.abs(uniform - alone).mean()


def test_custom_weights_are_taken_as_they_are(models):
    labels, (first, second, _) = models
    parts = [get_label_quality_scores(labels, probs) for probs in (first, second)]
    for own in ([0.25, 0.75], np.array([1.0, 0.0], "f4"), pd.Series([2, 1]), (0.0, 0.0)):
        found = get_label_quality_ensemble_scores(
            labels, [first, second], weights="custom", custom_weights=own
        )
        expected = np.asarray(own)[0] * parts[0] + np.asarray(own)[1] * parts[1]
        np.testing.assert_allclose(found, expected, atol=1e-15)


def test_forms_of_the_list(models):
    labels, probs = models
    expected = get_label_quality_ensemble_scores(labels, probs)
    frames = [pd.DataFrame(each)[[3, 1, 0, 2]] for each in probs]
    for form, options in (
        (tuple(probs), {}),
        (np.array(probs), {}),
        ([each.tolist() for each in probs], {}),
        (frames, {"classes": range(4)}),
        ([frames[0], *probs[1:]], {"classes": range(4)}),
    ):
        found = get_label_quality_ensemble_scores(labels, form, **options)
        np.testing.assert_array_equal(found, expected)


def test_models_of_several_precisions(models):
    labels, (first, second, _) = models
    found = get_label_quality_ensemble_scores(labels, [first.astype("f4"), second])
    expected = get_label_quality_ensemble_scores(labels, [first, second])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_one_model_is_no_ensemble(models):
    labels, (first, *_) = models
    with pytest.warns(DataWarning, match="^pred_probs_list: holds one model") as caught:
        found = get_label_quality_ensemble_scores(labels, [first])
    assert len(caught) == 1
    np.testing.assert_array_equal(found, get_label_quality_scores(labels, first))


@pytest.mark.parametrize("weights", WEIGHTS)
def test_hopeless_models_have_scores_all_the_same(weights):
    """DIVERGE 1-26: always wrong, infinitely wrong, all zero, a class that nobody has."""
    labels = np.array([0, 1, 0, 1, 1])
    wrong = np.eye(3)[1 - labels]
    flat = np.full((5, 3), 1 / 3)
    for models in ([wrong, wrong], [wrong, flat], [flat, flat]):
        found = get_label_quality_ensemble_scores(labels, models, weights=weights)
        assert ((found >= 0) & (found <= 1)).all()
    with warnings.catch_warnings(action="ignore", category=DataWarning):
        none = np.zeros((5, 3))
        found = get_label_quality_ensemble_scores(labels, [none, none], weights=weights)
    assert found.tolist() == [0.0] * 5


@pytest.mark.parametrize("weights", WEIGHTS)
def test_no_examples_and_one_class(weights):
    for method in SCORES:
        options = {"weights": weights, "method": method}
        none = get_label_quality_ensemble_scores([], [np.empty((0, 3))] * 2, **options)
        assert none.shape == (0,)
        one = get_label_quality_ensemble_scores([0] * 4, [np.ones((4, 1))] * 2, **options)
        np.testing.assert_allclose(one, 1.0)


def test_input_is_left_alone(models):
    labels, probs = models
    before = [each.tobytes() for each in (labels, *probs)]
    for weights in WEIGHTS:
        get_label_quality_ensemble_scores(labels, probs, weights=weights)
    assert [each.tobytes() for each in (labels, *probs)] == before


P = np.array([[0.9, 0.1], [0.3, 0.7], [0.2, 0.8]])
NAN = np.where(P == 0.7, np.nan, P)
BAD = {
    "not a list": (P, {}, "pred_probs_list", "is a ndarray, not a list"),
    "a table": (pd.DataFrame(P), {}, "pred_probs_list", "is a DataFrame, not a list"),
    "a dict": ({"a": P, "b": P}, {}, "pred_probs_list", "is a dict, not a list"),
    "a generator": ((P for _ in "ab"), {}, "pred_probs_list", "is a generator, not a list"),
    "None": (None, {}, "pred_probs_list", "is a NoneType, not a list"),
    "empty": ([], {}, "pred_probs_list", "holds no model"),
    "empty array": (np.empty((0, 3, 2)), {}, "pred_probs_list", "holds no model"),
    "too few rows": ([P, P[:2]], {}, "labels", "has 3 entries, but pred_probs_list[1] has 2 rows"),
    "another k": (
        [P, np.c_[P, 0 * P]],
        {},
        "pred_probs_list[1]",
        "has shape (3, 4), the first (3, 2)",
    ),
    "1-D": ([P, P[:, 0]], {}, "pred_probs_list[1]", "has shape (3,), not (n, k)"),
    "ragged": ([P, [[1.0], [0.5, 0.5], []]], {}, "pred_probs_list[1]", "is no array"),
    "text": ([P, P.astype(str)], {}, "pred_probs_list[1]", "not numbers"),
    "None inside": ([P, None], {}, "pred_probs_list[1]", "has shape ()"),
    "NaN": ([P, NAN], {}, "pred_probs_list[1][1, 1]", "is nan, not in [0, 1] (1 such)"),
    "logits": ([P, 3 * P], {}, "pred_probs_list[1][0, 0]", "is 2.7, not in [0, 1]"),
    "columns": (
        [P, pd.DataFrame(P, columns=["a", "c"])],
        {"classes": ["a", "b"]},
        "pred_probs_list[1].columns",
        "has 'c', which is not in classes",
    ),
    "weights": ([P, P], {"weights": "best"}, "weights", "is 'best'"),
    "method": ([P, P], {"method": "margin"}, "method", "is 'margin'"),
    "adjust": (
        [P, P],
        {"adjust_pred_probs": True, "method": "confidence_weighted_entropy"},
        "adjust_pred_probs",
        "is not defined for confidence_weighted_entropy",
    ),
    "no custom weights": ([P, P], {"weights": "custom"}, "custom_weights", "is missing"),
    "custom weights with another scheme": (
        [P, P],
        {"custom_weights": [0.5, 0.5]},
        "custom_weights",
        "is given with weights='accuracy'",
    ),
    "too few custom weights": (
        [P, P],
        {"weights": "custom", "custom_weights": [1.0]},
        "custom_weights",
        "has shape (1,), not (2,)",
    ),
    "custom weights of NaN": (
        [P, P],
        {"weights": "custom", "custom_weights": [1.0, np.nan]},
        "custom_weights[1]",
        "is nan (1 such)",
    ),
    "custom weights of text": (
        [P, P],
        {"weights": "custom", "custom_weights": ["a", "b"]},
        "custom_weights",
        "is not an array of numbers",
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_bad_input(case):
    models, options, where, what = case
    with pytest.raises(InputError) as caught:
        get_label_quality_ensemble_scores([0, 1, 1], models, **options)
    assert caught.value.where == where
    assert what in caught.value.what
    assert caught.value.fix
