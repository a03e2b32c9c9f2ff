"""CROWDLAB and ActiveLab: the spec's worked examples, and the plain reference on random votes."""

from __future__ import annotations

import multiannotator_reference as reference
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.tasks import multiannotator
from goldlabel.tasks.multiannotator import Votes, get_consensus_labels
from goldlabel.tasks.multiannotator.aggregation.crowdlab import best_temperature, fit, scaled
from goldlabel.tasks.multiannotator.aggregation.label_models.majority import majority_labels
from goldlabel.tasks.multiannotator.aggregation.scoring import item_agreement
from goldlabel.tasks.multiannotator.inputs import checked_votes

N = np.nan
LABELS = np.array([[0, 0, N], [1, N, 1], [2, 2, 1], [N, 0, 0], [1, 1, 2], [N, 2, N]])
PROBS = np.array(
    [
        *([0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.1, 0.3, 0.6]),
        *([0.5, 0.3, 0.2], [0.3, 0.3, 0.4], [0.2, 0.2, 0.6]),
    ]
)
SECOND = np.array(
    [
        *([0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]),
        *([0.4, 0.4, 0.2], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]),
    ]
)
POOL = np.array([[0.4, 0.3, 0.3], [0.9, 0.05, 0.05]])


def near(found, expected, tolerance=1e-8):
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_one_model():
    found = get_consensus_labels(LABELS, PROBS)
    assert found.labels.tolist() == [0, 1, 2, 0, 1, 2]
    near(
        found.quality,
        [0.7792153206, 0.6831271974, 0.7267441600, 0.6142998964, 0.5693318213, 0.6831270687],
    )
    near(found.agreement, [1, 1, 2 / 3, 1, 2 / 3, 1])
    near(found.posterior[2], [0.0841569265, 0.1890989135, 0.7267441600])
    near(found.posterior[4], [0.1890984857, 0.5693318213, 0.2415696930])
    near(found.model_weights, [0.9813067629])
    near(found.annotator_weights, [0.4444444444, 0.4444444444, 1e-6])
    near(found.annotator_quality, [0.81235982, 0.80325516, 0.45890711])
    table = found.to_frame("annotator")
    assert table["annotator"].tolist() == [2, 1, 0]
    assert table["worst_class"].tolist() == [2, 2, 1]
    assert table["num_examples_labeled"].tolist() == [4, 5, 4]
    assert table["agreement_with_consensus"].tolist() == [0.5, 1, 1]


def test_several_models():
    found = get_consensus_labels(LABELS, np.stack([PROBS, SECOND]))
    near(found.model_weights, [0.9813067629, 1.4719601444])
    near(
        found.quality,
        [0.70028489, 0.74249545, 0.67092321, 0.50544130, 0.53879655, 0.74249540],
    )
    # By the mean of the models' weights, as cleanlab has it, this would be .77886117, .75815912,
    # .45226690 (DIVERGE 15-02): the posterior is made with their sum.
    expected = reference.annotator_quality(
        LABELS, found.labels, found.posterior, found.model_weights, found.annotator_weights
    )
    near(found.annotator_quality, expected)
    near(
        reference.annotator_quality(
            LABELS,
            found.labels,
            found.posterior,
            found.model_weights[:1] * 0 + found.model_weights.mean(),
            found.annotator_weights,
        ),
        [0.77886117, 0.75815912, 0.45226690],
    )
    listed = get_consensus_labels(LABELS, [PROBS, SECOND])
    np.testing.assert_array_equal(listed.quality, found.quality)


def test_agreement_counts_what_was_said():
    """DIVERGE 15-04: of unanimous votes the consensus is what they say."""
    found = get_consensus_labels(LABELS, PROBS, quality_method="agreement")
    assert found.labels.tolist() == [0, 1, 2, 0, 1, 2]
    near(found.quality, [1, 1, 2 / 3, 1, 2 / 3, 1])
    assert found.model_weights is None


def test_temperature():
    votes = checked_votes(LABELS, PROBS).votes
    assert best_temperature(votes, PROBS) == pytest.approx(0.275)
    near(scaled(PROBS[:1], 2.0), [[0.5228793830, 0.2794907865, 0.1976298304]])
    near(scaled(PROBS[:1], 0.5), [[0.9074074074, 0.0740740741, 0.0185185185]])
    near(scaled(np.array([[0.0, 1.0]]), 8.0), [[0, 1]], 1e-3)


def test_active_learning():
    found = multiannotator.get_active_learning_scores(LABELS, PROBS, POOL)
    near(
        found.labeled,
        [0.8490340309, 0.8306459410, 0.8198318874, 0.7591823712, 0.4946289250, 0.8306459201],
    )
    near(found.unlabeled, [0.5284298592, 0.8453474947])


def test_active_learning_with_one_annotator():
    labels = np.array([[0], [1], [2]])
    found = multiannotator.get_active_learning_scores(labels, PROBS[:3], POOL)
    near(found.labeled, [0.5777777778, 0.5111111111, 0.5111111111])
    near(found.unlabeled, [0.3666666667, 0.6166666667])
    alone = multiannotator.get_active_learning_scores(pred_probs_unlabeled=POOL)
    near(alone.unlabeled, found.unlabeled)
    assert alone.labeled.shape == (0,)


def test_ties_without_a_model():
    rows = [[1, N, N, 2, N], [N, 1, 0, N, N], [N, N, 0, N, N]]
    rows += [[N, 2, N, N, N], [2, N, 0, 2, N], [N, N, N, 2, 1]]
    votes = checked_votes(np.array(rows)).votes
    assert majority_labels(votes).tolist() == [1, 1, 0, 2, 2, 1]
    # DIVERGE 15-01: no item without a tie is no error.
    assert majority_labels(checked_votes([[0, 1], [1, 0]]).votes).tolist() == [0, 0]


def test_a_class_that_is_always_the_consensus():
    """DIVERGE 15-06: one mistake does not take all weight away."""
    labels = np.array([[0, 0, 0]] * 9 + [[0, 0, 1]])
    found = get_consensus_labels(labels, np.tile([0.9, 0.1], (10, 1)))
    assert found.annotator_weights[2] == pytest.approx(1e-6)
    assert found.annotator_weights[0] == pytest.approx(1 - 0.05 * 11)


def test_an_annotator_alone_on_all_items_has_a_quality():
    """DIVERGE 15-03."""
    labels = np.vstack([np.column_stack([LABELS, np.full(6, N)]), [[N, N, N, 1]]])
    found = get_consensus_labels(labels, np.vstack([PROBS, [[0.1, 0.8, 0.1]]]))
    assert found.annotator_quality[3] == pytest.approx(found.posterior[6, 1])
    assert found.to_frame("annotator")["quality"].notna().all()


def test_weights_are_those_of_the_main_method():
    """DIVERGE 15-07."""
    both = get_consensus_labels(LABELS, PROBS, consensus_method=["majority_vote", "best_quality"])
    alone = get_consensus_labels(LABELS, PROBS, consensus_method="majority_vote")
    np.testing.assert_array_equal(both.annotator_weights, alone.annotator_weights)
    assert "consensus_best_quality" in both.to_frame()
    near(both.others["best_quality"].quality, get_consensus_labels(LABELS, PROBS).quality)


def test_nothing_of_the_caller_is_changed():
    """DIVERGE 15-02, 15-05."""
    labels, probs, pool = LABELS.copy(), np.stack([PROBS, SECOND]), np.stack([POOL, POOL])
    before = probs.copy(), pool.copy()
    get_consensus_labels(labels, probs, calibrate_probs=True, method="normalized_margin")
    multiannotator.get_active_learning_scores(labels, probs, pool)
    np.testing.assert_array_equal(probs, before[0])
    np.testing.assert_array_equal(pool, before[1])
    np.testing.assert_array_equal(labels, LABELS)


@st.composite
def crowds(draw):
    """Labels (N, M) with gaps and rows or columns without any, probabilities (E, N, K)."""
    seed = draw(st.integers(0, 2**32 - 1))
    n, m = draw(st.integers(2, 12)), draw(st.integers(2, 6))
    k, e = draw(st.integers(2, 4)), draw(st.integers(1, 3))
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, (n, m)).astype(float)
    labels[rng.random((n, m)) < draw(st.sampled_from([0.0, 0.3, 0.6]))] = np.nan
    labels[0, :2] = rng.integers(0, k, 2)
    # Few different numbers: ties between classes occur.
    probs = rng.integers(1, 5, (e, n, k)).astype(float)
    return labels, probs / probs.sum(axis=2, keepdims=True), rng.dirichlet(np.ones(k), (e, 3))


@given(crowds())
@settings(max_examples=120)
def test_equal_to_the_reference(crowd):
    labels, probs, pool = crowd
    votes = checked_votes(labels, probs).votes
    for best in (True, False):
        found = fit(votes, probs, best_quality=best)
        y, q, agreement, w_m, w = reference.crowdlab(labels, probs, best_quality=best)
        near(found.posterior, q, 1e-12)
        assert found.consensus.tolist() == y.tolist()
        near(item_agreement(votes, found.consensus), agreement, 1e-12)
        near(found.parameters["model_weights"], w_m, 1e-12)
        near(found.parameters["annotator_weights"], w, 1e-12)
    assert best_temperature(votes, probs[0]) == reference.temperature(labels, probs[0])
    scores = multiannotator.get_active_learning_scores(labels, probs, pool)
    labeled, unlabeled = reference.active_scores(labels, probs, pool)
    seen = ~np.isnan(labels).all(axis=1)
    near(scores.labeled[seen], labeled[seen], 1e-10)
    near(scores.unlabeled, unlabeled, 1e-10)


@given(crowds())
@settings(max_examples=40)
@pytest.mark.filterwarnings("ignore:labels. no two")
def test_annotators_equal_the_reference(crowd):
    labels, probs, _ = crowd
    found = get_consensus_labels(labels, probs)
    near(
        np.nan_to_num(found.annotator_quality, nan=-1),
        np.nan_to_num(
            reference.annotator_quality(
                labels, found.labels, found.posterior, found.model_weights, found.annotator_weights
            )
            if not np.isnan(labels).all(axis=0).any()
            else found.annotator_quality,
            nan=-1,
        ),
        1e-12,
    )
    assert not np.isnan(found.quality).any()
    assert ((found.quality >= 0) & (found.quality <= 1)).all()
    dense = found.vote_quality_matrix()
    np.testing.assert_array_equal(np.isnan(dense), np.isnan(labels))


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    rng = np.random.default_rng(0)
    n, k = 60_000, 5
    votes = Votes.from_arrays(
        np.repeat(np.arange(n), 3),
        rng.integers(0, 40, (n, 1)).repeat(3, axis=1).ravel() + np.tile([0, 100, 200], n),
        rng.integers(0, k, 3 * n),
        num_classes=k,
    )
    probs = rng.dirichlet(np.ones(k), n)
    found = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("GOLDLABEL_THREADS", threads)
        consensus = get_consensus_labels(votes, probs, calibrate_probs=True)
        scores = multiannotator.get_active_learning_scores(votes, probs)
        found.append((consensus.posterior, consensus.annotator_quality, scores.labeled))
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("form", ["wide", "frame", "mapping", "tuple", "votes", "named"])
def test_votes_in_any_form(form):
    item, annotator = np.nonzero(~np.isnan(LABELS))
    label = LABELS[item, annotator].astype(int)
    shuffled = np.random.default_rng(0).permutation(len(item))
    forms = {
        "wide": np.where(np.isnan(LABELS), -1, LABELS).astype(int),
        "frame": pd.DataFrame(LABELS).astype("Int64"),
        "mapping": {"item": item, "annotator": annotator, "label": label},
        "tuple": (item[shuffled], annotator[shuffled], label[shuffled]),
        "votes": Votes.from_arrays(item, annotator, label, num_classes=3),
        "named": pd.DataFrame(
            {"item": item, "annotator": annotator, "label": np.array(list("abc"))[label]}
        ),
    }
    found = get_consensus_labels(forms[form], PROBS)
    near(found.quality, get_consensus_labels(LABELS, PROBS).quality, 1e-15)
    assert found.labels.tolist() == [0, 1, 2, 0, 1, 2]


def test_items_by_name_and_a_pool():
    votes = {"item": ["u", "v", "u"], "annotator": ["x", "x", "y"], "label": ["no", "yes", "no"]}
    probs = pd.DataFrame([[0.2, 0.8], [0.9, 0.1], [0.4, 0.6]], columns=["yes", "no"])
    found = get_consensus_labels(votes, probs, ids=["u", "v", "w"])
    table = found.to_frame()
    assert table["id"].tolist() == ["u", "v", "w"]
    assert table["consensus"].tolist()[0] == "no"
    assert table["votes"].tolist() == [2, 1, 0]
    assert table["consensus"].tolist()[2] == "no"
    assert np.isnan(table["agreement"].tolist()[2])
    assert found.quality[2] == pytest.approx(0.6)


def test_scoring_options_are_always_applied():
    for method in ("normalized_margin", "confidence_weighted_entropy"):
        found = get_consensus_labels(LABELS, PROBS, method=method)
        q = found.posterior
        for i, c in enumerate(found.labels):
            rest = np.delete(q[i], c).max()
            entropy = -(q[i] * np.log(q[i])).sum() / np.log(3) / q[i, c]
            expected = (
                (q[i, c] - rest + 1) / 2
                if method == "normalized_margin"
                else np.log1p(entropy) / entropy
            )
            assert found.quality[i] == pytest.approx(expected)
        assert found.vote_quality[0] == found.quality[0]
