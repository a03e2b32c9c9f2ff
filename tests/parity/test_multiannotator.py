"""CROWDLAB and ActiveLab against cleanlab as a black box, every intended difference by name.

- 15-02: quality of annotators with several models uses the sum of the models' weights;
- 15-03: an annotator whose items nobody else labelled has a quality;
- 15-04: counts of labels are right. cleanlab's are where labels are integers without gaps, so
  temperatures and active learning are compared on such votes;
- 15-06: a class that is always the consensus does not take all weight away;
- 15-07: weights are those of the main method.
"""

from __future__ import annotations

import importlib
import warnings

import numpy as np
import pandas as pd
import pytest

from goldlabel.tasks import multiannotator

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    cleanlab = importlib.import_module("cleanlab.multiannotator")


def quiet(name, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(cleanlab, name)(*args, **options)


def crowd(seed, *, gaps=True, models=1):
    """Votes of better and worse annotators (N, M), each item and annotator with some; probs."""
    rng = np.random.default_rng(seed)
    n, m, k = rng.integers(20, 60), rng.integers(3, 9), rng.integers(2, 5)
    true = rng.integers(0, k, n)
    skill = rng.uniform(0.4, 0.95, m)
    labels = np.where(rng.random((n, m)) < skill, true[:, None], rng.integers(0, k, (n, m)))
    labels[:k, 0] = np.arange(k)  # every class occurs
    labels[:k, 1] = np.arange(k)  # and some agree
    true[:k] = np.arange(k)
    votes = labels.astype(float)
    if gaps:
        gone = rng.random((n, m)) < 0.5
        gone[:, :2] = rng.random((n, 2)) < 0.2
        gone[:k] = False
        gone[gone.all(axis=1), 0] = False
        votes[gone] = np.nan
    probs = rng.dirichlet(np.ones(k), (models, n))
    probs[:, np.arange(n), true] += 1.5
    probs /= probs.sum(axis=2, keepdims=True)
    return (votes if gaps else labels), probs


SEEDS = range(12)
CLOSE = {"rtol": 0, "atol": 1e-9}


def compare(mine, theirs, *, quality=True):
    items, people = theirs["label_quality"], theirs["annotator_stats"]
    assert mine.labels.tolist() == items["consensus_label"].tolist()
    np.testing.assert_allclose(mine.quality, items["consensus_quality_score"], **CLOSE)
    np.testing.assert_allclose(mine.agreement, items["annotator_agreement"], **CLOSE)
    assert mine.votes.votes_per_item.tolist() == items["num_annotations"].tolist()
    dense = theirs["detailed_label_quality"].to_numpy(float)
    np.testing.assert_allclose(mine.vote_quality_matrix(), dense, **CLOSE)
    table = mine.to_frame("annotator").set_index("annotator").loc[people.index]
    if quality:
        np.testing.assert_allclose(table["quality"], people["annotator_quality"], **CLOSE)
    np.testing.assert_allclose(
        table["agreement_with_consensus"], people["agreement_with_consensus"], **CLOSE
    )
    assert table["worst_class"].tolist() == people["worst_class"].tolist()
    assert table["num_examples_labeled"].tolist() == people["num_examples_labeled"].tolist()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("method", ["best_quality", "majority_vote"])
def test_crowdlab(seed, method):
    labels, probs = crowd(seed)
    mine = multiannotator.get_consensus_labels(labels, probs[0], consensus_method=method)
    theirs = quiet(
        "get_label_quality_multiannotator", labels, probs[0], consensus_method=method,
        return_weights=True, verbose=False,
    )  # fmt: skip
    compare(mine, theirs)
    np.testing.assert_allclose(mine.model_weights, [theirs["model_weight"]], **CLOSE)
    np.testing.assert_allclose(mine.annotator_weights, theirs["annotator_weight"], **CLOSE)


@pytest.mark.parametrize("seed", SEEDS)
def test_crowdlab_by_other_scores(seed):
    labels, probs = crowd(seed)
    for method in ("normalized_margin", "confidence_weighted_entropy"):
        mine = multiannotator.get_consensus_labels(labels, probs[0], method=method)
        theirs = quiet(
            "get_label_quality_multiannotator", labels, probs[0], verbose=False,
            label_quality_score_kwargs={"method": method},
        )  # fmt: skip
        if method == "normalized_margin":
            compare(mine, theirs)
        else:  # DIVERGE 1-24: a unit of entropy and a scale; the order is the same
            found = theirs["label_quality"]["consensus_quality_score"]
            assert np.corrcoef(mine.quality, found)[0, 1] > 0.9


@pytest.mark.parametrize("seed", SEEDS)
def test_shares_of_votes(seed):
    labels, probs = crowd(seed)
    options = {"quality_method": "agreement", "consensus_method": "majority_vote"}
    mine = multiannotator.get_consensus_labels(labels, probs[0], **options)
    theirs = quiet("get_label_quality_multiannotator", labels, probs[0], verbose=False, **options)
    assert mine.labels.tolist() == theirs["label_quality"]["consensus_label"].tolist()
    found = theirs["annotator_stats"].sort_index()["annotator_quality"]
    np.testing.assert_allclose(mine.annotator_quality, found, **CLOSE)


@pytest.mark.parametrize("seed", SEEDS)
def test_several_models(seed):
    labels, probs = crowd(seed, models=3)
    mine = multiannotator.get_consensus_labels(labels, probs)
    theirs = quiet(
        "get_label_quality_multiannotator_ensemble", labels, probs.copy(), return_weights=True,
        verbose=False,
    )  # fmt: skip
    compare(mine, theirs, quality=False)
    np.testing.assert_allclose(mine.model_weights, theirs["model_weight"], **CLOSE)


@pytest.mark.parametrize("seed", SEEDS)
def test_calibration(seed):
    labels, probs = crowd(seed, gaps=False)
    mine = multiannotator.get_consensus_labels(labels, probs[0], calibrate_probs=True)
    if mine.temperatures == (8.0,):
        pytest.skip("cleanlab's fine grid ends before the coarse one does")
    theirs = quiet(
        "get_label_quality_multiannotator", labels, probs[0].copy(), calibrate_probs=True,
        verbose=False,
    )  # fmt: skip
    np.testing.assert_allclose(
        mine.quality, theirs["label_quality"]["consensus_quality_score"], **CLOSE
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("models", [1, 3])
def test_active_learning(seed, models):
    labels, probs = crowd(seed, gaps=False, models=models)
    rng = np.random.default_rng(seed)
    pool = rng.dirichlet(np.ones(probs.shape[2]), (models, 30))
    mine = multiannotator.get_active_learning_scores(labels, probs, pool)
    name = "get_active_learning_scores" + ("_ensemble" if models > 1 else "")
    given = (probs.copy(), pool.copy()) if models > 1 else (probs[0].copy(), pool[0].copy())
    theirs = quiet(name, labels, *given)
    np.testing.assert_allclose(mine.labeled, theirs[0], **CLOSE)
    np.testing.assert_allclose(mine.unlabeled, theirs[1], **CLOSE)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("models", [1, 3])
def test_active_learning_with_one_annotator(seed, models):
    labels, probs = crowd(seed, gaps=False, models=models)
    pool = np.random.default_rng(seed).dirichlet(np.ones(probs.shape[2]), (models, 30))
    one = labels[:, :1]
    mine = multiannotator.get_active_learning_scores(one, probs, pool)
    name = "get_active_learning_scores" + ("_ensemble" if models > 1 else "")
    given = (probs.copy(), pool.copy()) if models > 1 else (probs[0].copy(), pool[0].copy())
    theirs = quiet(name, one, *given)
    np.testing.assert_allclose(mine.labeled, theirs[0], **CLOSE)
    np.testing.assert_allclose(mine.unlabeled, theirs[1], **CLOSE)


@pytest.mark.parametrize("seed", SEEDS)
def test_majority_vote_without_a_model(seed):
    labels, _ = crowd(seed)
    mine = multiannotator.get_consensus_labels(labels, consensus_method="majority_vote")
    theirs = quiet("get_majority_vote_label", labels, verbose=False)
    assert mine.labels.tolist() == theirs.tolist()


def test_labelme(data):
    """Real votes: the labels, and cleanlab's figures of every kind."""
    folder = data / "multiannotator" / "labelme"
    answers = np.loadtxt(folder / "answers.txt")
    votes = pd.DataFrame(np.where(answers < 0, np.nan, answers))
    probs = np.load(folder / "pred_probs.npy").astype(np.float64)
    for method in ("best_quality", "majority_vote"):
        mine = multiannotator.get_consensus_labels(votes, probs, consensus_method=method)
        theirs = quiet(
            "get_label_quality_multiannotator", votes, probs, consensus_method=method,
            verbose=False,
        )  # fmt: skip
        compare(mine, theirs)
