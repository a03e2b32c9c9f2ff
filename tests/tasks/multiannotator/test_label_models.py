"""Label models equal their plain twins, and the worked examples of the specification."""

from __future__ import annotations

import re

import label_models_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.errors import InputError
from goldlabel.tasks.multiannotator.aggregation.fit import refuse_too_large
from goldlabel.tasks.multiannotator.aggregation.label_models import (
    dawid_skene,
    glad,
    mace,
    majority,
    one_coin,
    wawa,
)
from goldlabel.tasks.multiannotator.votes import Votes

FITS = {
    "majority": majority.fit,
    "wawa": wawa.fit,
    "dawid_skene": dawid_skene.fit,
    "one_coin": one_coin.fit,
    "glad": glad.fit,
    "mace": lambda votes, **options: mace.fit(votes, restarts=2, **options),
}
EXAMPLE = reference.from_rows([[0, 0, 1], [1, 1, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0]])


# Worked examples


def test_majority_ties_by_rarity_and_then_by_agreement():
    n = None
    votes = reference.from_rows(
        [
            [1, n, n, 2, n],
            [n, 1, 0, n, n],
            [n, n, 0, n, n],
            [n, 2, n, n, n],
            [2, n, 0, 2, n],
            [n, n, n, 2, 1],
        ]
    )
    assert majority.majority_labels(votes).tolist() == [1, 1, 0, 2, 2, 1]
    assert majority.fit(votes).consensus.tolist() == [1, 1, 0, 2, 2, 1]


def test_majority_where_every_vote_is_tied():
    votes = reference.from_rows([[0, 1], [1, 0]])
    assert majority.majority_labels(votes).tolist() == [0, 0]


def test_wawa_example():
    found = wawa.fit(EXAMPLE)
    np.testing.assert_allclose(found.posterior[:, 0], [0.75, 0, 2 / 3, 0.25, 1])
    assert found.annotator_quality.tolist() == [1.0, 0.8, 0.6]
    assert found.consensus.tolist() == [0, 1, 0, 1, 0]


def test_dawid_skene_example():
    plain = {"smoothing": 0.0, "tolerance": 0.0}
    first = dawid_skene.fit(EXAMPLE, max_iterations=1, **plain)
    expected = [0.8701166920, 0.0368698269, 0.7282377919, 0.1327913279, 0.9640247330]
    np.testing.assert_allclose(first.posterior[:, 0], expected, atol=5e-11)
    second = dawid_skene.fit(EXAMPLE, max_iterations=2, **plain)
    assert second.parameters["class_prior"][0] == pytest.approx(0.5464080744, abs=1e-10)
    last = dawid_skene.fit(EXAMPLE, smoothing=0.0, max_iterations=200, tolerance=1e-6)
    np.testing.assert_allclose(last.posterior[:, 0], [1, 0, 1, 0, 1], atol=1e-3)


def test_glad_example():
    found = glad.fit(EXAMPLE)
    expected = [0.9924, 0.0001, 0.5971, 0.0076, 0.9999]
    np.testing.assert_allclose(found.posterior[:, 0], expected, atol=1e-2)
    np.testing.assert_allclose(found.parameters["ability"], [1.090, 0.991, 0.209], atol=1e-2)


def test_mace_example():
    start = mace.fit(EXAMPLE, restarts=0, max_iterations=0)
    expected = [0.25, 0.9642857143, 0.25, 0.75, 0.0357142857]
    np.testing.assert_allclose(start.posterior[:, 1], expected, atol=5e-11)
    em = mace.fit(EXAMPLE, method="em", restarts=0, tolerance=0.0)
    expected = [0.8552968888, 0.7470563096, 0.0726468722]
    np.testing.assert_allclose(em.parameters["knows"], expected, atol=5e-11)
    expected = [0.0005798543, 0.9994301000, 0.3347754268, 0.9992288548, 0.0004285088]
    np.testing.assert_allclose(em.posterior[:, 1], expected, atol=5e-11)
    vb = mace.fit(EXAMPLE, method="vb", restarts=0, tolerance=0.0)
    expected = [0.8394294630, 0.5794618367, 0.1850560174]
    np.testing.assert_allclose(vb.parameters["knows"], expected, atol=5e-11)
    expected = [0.0148663153, 0.9932689849, 0.1194453607, 0.9846396291, 0.0065126809]
    np.testing.assert_allclose(vb.posterior[:, 1], expected, atol=5e-11)


# Twins


@st.composite
def gold_for(draw, votes):
    known = st.integers(-1, votes.num_classes - 1)
    listed = st.lists(known, min_size=votes.num_items, max_size=votes.num_items)
    return draw(st.one_of(st.none(), listed.map(np.array)))


@given(reference.votes(), st.data())
def test_majority_equals_the_twin(votes, data):
    probs = data.draw(st.one_of(st.none(), st.just(0)), label="with pred_probs")
    if probs is not None:
        raw = np.array(
            data.draw(
                st.lists(
                    st.integers(1, 3),
                    min_size=votes.num_items * votes.num_classes,
                    max_size=votes.num_items * votes.num_classes,
                )
            )
        ).reshape(votes.num_items, votes.num_classes)
        probs = raw / raw.sum(axis=1, keepdims=True)
    got = majority.majority_labels(votes, probs)
    np.testing.assert_array_equal(got, reference.majority(votes, probs))


@given(reference.votes(), st.data())
def test_wawa_equals_the_twin(votes, data):
    gold = data.draw(gold_for(votes))
    found = wawa.fit(votes, gold=gold)
    posterior, skill = reference.wawa(votes, gold)
    np.testing.assert_allclose(found.posterior, posterior, atol=1e-14)
    voted = votes.votes_per_annotator > 0
    np.testing.assert_array_equal(found.annotator_quality[voted], skill[voted])


@given(reference.votes(min_k=1), st.integers(1, 4), st.data())
def test_dawid_skene_equals_the_twin(votes, rounds, data):
    weight = st.sampled_from([0.0, 0.01, 1.5])
    options = {name: data.draw(weight) for name in ("a", "s", "d", "shrinkage")}
    prior = data.draw(st.sampled_from([None, np.full(votes.num_classes, 1 / votes.num_classes)]))
    gold = data.draw(gold_for(votes))
    posterior, pi, theta, history = reference.dawid_skene(
        votes, rounds, prior=prior, gold=gold, **options
    )
    names = dict(
        zip(
            options,
            ("prior_smoothing", "smoothing", "diagonal_smoothing", "shrinkage"),
            strict=True,
        )
    )
    found = dawid_skene.fit(
        votes,
        class_prior="estimated" if prior is None else prior,
        gold=gold,
        max_iterations=rounds,
        tolerance=0.0,
        **{names[name]: value for name, value in options.items()},
    )
    np.testing.assert_allclose(found.posterior, posterior, atol=1e-9)
    np.testing.assert_allclose(found.parameters["class_prior"], pi, atol=1e-9)
    np.testing.assert_allclose(dawid_skene.confusion_matrices(found), theta, atol=1e-8)
    np.testing.assert_allclose(found.history, history, rtol=1e-9, atol=1e-7)
    accuracy = (np.diagonal(theta, axis1=1, axis2=2) * pi).sum(axis=1)
    np.testing.assert_allclose(found.annotator_quality, accuracy, atol=1e-8)


@given(reference.votes(), st.integers(1, 4), st.sampled_from([0.0, 0.01, 2.0]), st.data())
def test_one_coin_equals_the_twin(votes, rounds, s, data):
    gold = data.draw(gold_for(votes))
    found = one_coin.fit(
        votes, smoothing=s, diagonal_smoothing=s, gold=gold, max_iterations=rounds, tolerance=0.0
    )
    posterior, accuracy, history = reference.one_coin(votes, rounds, s=s, d=s, gold=gold)
    np.testing.assert_allclose(found.posterior, posterior, atol=1e-9)
    voted = votes.votes_per_annotator > 0
    np.testing.assert_allclose(found.annotator_quality[voted], accuracy[voted], atol=1e-9)
    np.testing.assert_allclose(found.history, history, rtol=1e-9, atol=1e-6)


@given(reference.votes(min_k=1), st.integers(0, 4), st.sampled_from(["em", "vb"]))
def test_mace_equals_the_twin(votes, rounds, method):
    knows, spams, habit, posterior, likelihood = reference.mace(votes, rounds, method)
    found = mace.fit(votes, method=method, restarts=0, max_iterations=rounds, tolerance=0.0)
    np.testing.assert_allclose(found.posterior, posterior, atol=1e-9)
    np.testing.assert_allclose(found.parameters["knows"], knows, atol=1e-9)
    np.testing.assert_allclose(found.parameters["spams"], spams, atol=1e-9)
    used = found.parameters["pair_annotator"], found.parameters["pair_label"]
    np.testing.assert_allclose(found.parameters["habit"], habit[used], atol=1e-9)
    unused = np.ones_like(habit, bool)
    unused[used] = False
    expected = np.broadcast_to(found.parameters["unused_habit"][:, None], habit.shape)
    np.testing.assert_allclose(expected[unused], habit[unused], atol=1e-9)
    assert found.log_likelihood == pytest.approx(likelihood, rel=1e-9, abs=1e-9)


@given(reference.votes(max_items=6, max_people=4))
@settings(max_examples=60)
def test_glad_stops_where_nothing_changes_the_likelihood(votes):
    """Of two who always disagree neither can be preferred: level ground need not be a top."""
    found = glad.fit(votes, tolerance=1e-12, max_iterations=3000)
    ability, ease = found.parameters["ability"], found.parameters["ease"]
    posterior, likelihood = reference.glad_expectation(votes, ability, ease)
    np.testing.assert_allclose(found.posterior, posterior, atol=1e-9)
    assert found.log_likelihood == pytest.approx(likelihood, rel=1e-9)
    assert np.abs(reference.glad_slope(votes, ability, ease)).max(initial=0.0) < 1e-3


# Properties


@pytest.mark.parametrize("method", ["dawid_skene", "one_coin", "glad"])
def test_the_likelihood_never_falls(method):
    votes, _ = reference.simulated(5)
    options = {"smoothing": 0.0} if method != "glad" else {}
    found = FITS[method](votes, tolerance=0.0, max_iterations=40, **options)
    assert len(found.history) == found.iterations == 40
    assert np.diff(found.history).min() > -1e-9
    assert found.log_likelihood == found.history[-1]
    assert not found.converged
    again = FITS[method](votes, max_iterations=500, **options)
    assert again.converged
    assert again.iterations < 500


@pytest.mark.parametrize("method", list(FITS))
def test_annotators_that_are_right_are_found(method):
    votes, true = reference.simulated(3, items=600)
    found = FITS[method](votes)
    assert (found.consensus == true).mean() > 0.75
    right = (
        np.bincount(votes.annotator, votes.label == true[votes.item]) / votes.votes_per_annotator
    )
    assert np.corrcoef(found.annotator_quality, right)[0, 1] > 0.8


@pytest.mark.parametrize("method", list(FITS))
@given(votes=reference.votes())
@settings(max_examples=25)
def test_results_are_in_range_and_nothing_is_missing(method, votes):
    found = FITS[method](votes)
    np.testing.assert_allclose(found.posterior.sum(axis=1), 1.0)
    assert found.consensus.dtype == np.int32
    empty = votes.votes_per_item == 0
    assert (found.consensus[empty] == -1).all()
    assert (found.consensus[~empty] >= 0).all()
    assert (found.quality[empty] == 0).all()
    assert (found.entropy >= 0).all()
    assert (found.entropy <= np.log(votes.num_classes) + 1e-12).all()
    with_others = np.bincount(
        votes.annotator[votes.votes_per_item[votes.item] > 1], minlength=votes.num_annotators
    )
    alone = (with_others == 0) & (votes.votes_per_annotator > 0) & (method == "majority")
    np.testing.assert_array_equal(np.isnan(found.annotator_quality), alone)
    for scores in (found.quality, found.annotator_quality[~alone]):
        assert ((scores >= 0) & (scores <= 1)).all()
    assert found.posterior.shape == (votes.num_items, votes.num_classes)
    assert len(found.annotator_quality) == votes.num_annotators


@pytest.mark.parametrize("method", list(FITS))
def test_gold_is_kept_and_teaches(method):
    votes, true = reference.simulated(11)
    gold = np.where(np.arange(len(true)) % 2 == 0, true, -1)
    found = FITS[method](votes, gold=gold)
    assert (found.consensus[gold >= 0] == true[gold >= 0]).all()
    assert (found.quality[gold >= 0] == 1).all()


@pytest.mark.parametrize("method", list(FITS))
def test_any_number_of_threads_gives_the_same_bits(method, monkeypatch):
    votes, _ = reference.simulated(2, items=3000, people=40)
    monkeypatch.setattr("goldlabel.kernels.rows.BLOCK_CELLS", 1 << 9)
    found = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("GOLDLABEL_THREADS", threads)
        found.append(FITS[method](votes))
    for other in found[1:]:
        np.testing.assert_array_equal(found[0].posterior, other.posterior)
        np.testing.assert_array_equal(found[0].annotator_quality, other.annotator_quality)
        assert found[0].log_likelihood == other.log_likelihood


def test_gold_and_a_model_stand_for_items_without_votes():
    votes = Votes.from_arrays([0, 0], [0, 1], [1, 1], num_items=3, num_classes=2)
    found = majority.fit(votes, pred_probs=[[0.5, 0.5], [0.7, 0.3], [0.7, 0.3]], gold=[-1, -1, 1])
    assert found.consensus.tolist() == [1, 0, 1]
    assert found.quality.tolist() == [1.0, 0.7, 1.0]
    np.testing.assert_array_equal(found.posterior, [[0, 1], [0.7, 0.3], [0, 1]])


def test_hundreds_of_votes_on_an_item_do_not_underflow():
    people = 400
    rng = np.random.default_rng(0)
    rows = [rng.integers(0, 2, people).tolist() for _ in range(3)]
    rows += [[0] * 200 + [1] * 200, [1] * 200 + [0] * 200]
    votes = reference.from_rows(rows)
    posterior, _, _, history = reference.dawid_skene(votes, 3)
    found = dawid_skene.fit(votes, smoothing=0.0, max_iterations=3, tolerance=0.0)
    np.testing.assert_allclose(found.posterior, posterior, atol=1e-9)
    np.testing.assert_allclose(found.history, history, rtol=1e-9)
    assert np.isfinite(mace.fit(votes).log_likelihood)


def test_restarts_differ_and_the_best_is_returned():
    votes, _ = reference.simulated(8, items=60)
    found = mace.fit(votes, restarts=6, max_iterations=3)
    likelihoods = found.parameters["restart_log_likelihood"]
    assert len(set(likelihoods.tolist())) == 6
    assert found.log_likelihood == likelihoods.max()
    assert mace.fit(votes, restarts=6, max_iterations=3).log_likelihood == found.log_likelihood
    assert (
        mace.fit(votes, restarts=6, max_iterations=3, seed=1).log_likelihood != found.log_likelihood
    )


# Dawid-Skene: what was learnt is used again


def test_a_warm_start_converges_to_the_same_in_fewer_rounds():
    votes, _ = reference.simulated(4, items=400)
    first = dawid_skene.fit(votes, tolerance=1e-9, max_iterations=1000)
    again = dawid_skene.fit(votes, start=first, tolerance=1e-9, max_iterations=1000)
    assert again.iterations < first.iterations / 3
    np.testing.assert_allclose(again.posterior, first.posterior, atol=1e-3)


def test_without_rounds_a_start_only_judges():
    votes, _ = reference.simulated(4)
    first = dawid_skene.fit(votes)
    again = dawid_skene.fit(votes, start=first, max_iterations=0)
    np.testing.assert_allclose(again.posterior, first.posterior, atol=1e-12)
    np.testing.assert_allclose(again.annotator_quality, first.annotator_quality, atol=1e-12)
    assert again.log_likelihood == pytest.approx(first.log_likelihood)


def test_votes_are_added_items_and_annotators_too():
    votes, _ = reference.simulated(6, items=100, people=5)
    first = dawid_skene.fit(votes)
    rng = np.random.default_rng(0)
    more = Votes.from_arrays(
        np.concatenate([votes.item, np.arange(100, 120).repeat(2)]),
        np.concatenate([votes.annotator, np.tile([2, 7], 20)]),
        np.concatenate([votes.label, rng.integers(0, 3, 40)]),
        num_annotators=8,
    )
    judged = dawid_skene.fit(more, start=first, max_iterations=0)
    np.testing.assert_allclose(judged.posterior[:100], first.posterior, atol=1e-12)
    theta = dawid_skene.confusion_matrices(first)
    pooled = first.parameters["pooled"].T
    logs = np.tile(np.log(first.parameters["class_prior"]), (20, 1))
    for i, j, label in reference.triples(more):
        if i >= 100:
            logs[i - 100] += np.log((theta[j] if j < 5 else pooled)[:, label])
    expected = np.exp(logs - logs.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        judged.posterior[100:], expected / expected.sum(axis=1, keepdims=True), atol=1e-12
    )
    assert dawid_skene.fit(more, start=first).converged


def test_rows_of_confusion_matrices_sum_to_one():
    n = None
    votes = reference.from_rows([[0, 1, n, 0], [2, 2, n, 0], [1, 1, n, 0]])
    for options in ({}, {"smoothing": 0.0}, {"shrinkage": 3.0, "diagonal_smoothing": 1.0}):
        matrices = dawid_skene.confusion_matrices(dawid_skene.fit(votes, **options))
        assert matrices.shape == (4, 3, 3)
        np.testing.assert_allclose(matrices.sum(axis=2), 1.0)
    one = dawid_skene.confusion_matrices(dawid_skene.fit(votes), [1])
    assert one.shape == (1, 3, 3)


def test_shrinkage_draws_a_newcomer_to_everybody():
    votes, _ = reference.simulated(9, people=6)
    one_more = Votes.from_arrays(
        np.append(votes.item, 0), np.append(votes.annotator, 6), np.append(votes.label, 2)
    )
    far, near = (dawid_skene.fit(one_more, shrinkage=weight) for weight in (0.0, 100.0))
    pooled = near.parameters["pooled"].T
    gaps = [
        np.abs(dawid_skene.confusion_matrices(fit, [6])[0] - pooled).max() for fit in (far, near)
    ]
    assert gaps[1] < 0.05 < gaps[0]


# Bad input

GOOD = Votes.from_arrays([0, 0, 1], [0, 1, 0], [0, 1, 1])
EMPTY = Votes.from_arrays([], [], [], num_items=2, num_annotators=1, num_classes=2)
ONE_CLASS = Votes.from_arrays([0, 0], [0, 1], [0, 0])
BAD = {
    "a list": (glad.fit, ([0, 1],), {}, "votes", "is of type list"),
    "no votes": (wawa.fit, (EMPTY,), {}, "votes", "is empty"),
    "no votes for a majority": (majority.fit, (EMPTY,), {}, "votes", "is empty"),
    "no votes for em": (dawid_skene.fit, (EMPTY,), {}, "votes", "is empty"),
    "one class for glad": (glad.fit, (ONE_CLASS,), {}, "votes", "has 1 class"),
    "one class for a coin": (one_coin.fit, (ONE_CLASS,), {}, "votes", "needs 2 or more"),
    "gold of another length": (wawa.fit, (GOOD,), {"gold": [0]}, "gold", "of shape (1,)"),
    "gold of another kind": (mace.fit, (GOOD,), {"gold": [0.0, 1.0]}, "gold", "is float64"),
    "gold class": (
        glad.fit,
        (GOOD,),
        {"gold": [0, 2]},
        "gold[1]",
        "is 2, and there are classes 0 .. 1",
    ),
    "gold below": (glad.fit, (GOOD,), {"gold": [-2, 0]}, "gold[0]", "is -2"),
    "prior name": (
        dawid_skene.fit,
        (GOOD,),
        {"class_prior": "learnt"},
        "class_prior",
        "is 'learnt'",
    ),
    "prior length": (dawid_skene.fit, (GOOD,), {"class_prior": [1.0]}, "class_prior", "not (2,)"),
    "prior zero": (glad.fit, (GOOD,), {"class_prior": [1.0, 0.0]}, "class_prior[1]", "is 0"),
    "prior below": (one_coin.fit, (GOOD,), {"class_prior": [1.0, -1.0]}, "class_prior[1]", "is -1"),
    "smoothing": (dawid_skene.fit, (GOOD,), {"smoothing": -1}, "smoothing", "is -1"),
    "shrinkage": (dawid_skene.fit, (GOOD,), {"shrinkage": np.nan}, "shrinkage", "is nan"),
    "coin smoothing": (one_coin.fit, (GOOD,), {"smoothing": "a"}, "smoothing", "is 'a'"),
    "rounds": (glad.fit, (GOOD,), {"max_iterations": -1}, "max_iterations", "is -1"),
    "rounds half": (mace.fit, (GOOD,), {"max_iterations": 1.5}, "max_iterations", "is 1.5"),
    "tolerance": (dawid_skene.fit, (GOOD,), {"tolerance": -1e-5}, "tolerance", "is -1e-05"),
    "method": (mace.fit, (GOOD,), {"method": "VB"}, "method", "is 'VB'"),
    "restarts": (mace.fit, (GOOD,), {"restarts": -1}, "restarts", "is -1"),
    "seed": (mace.fit, (GOOD,), {"seed": None}, "seed", "is None"),
    "pred_probs rows": (
        majority.fit,
        (GOOD,),
        {"pred_probs": [[0.5, 0.5]]},
        "pred_probs",
        "has shape (1, 2), and votes are on 2 items",
    ),
    "pred_probs range": (
        majority.fit,
        (GOOD,),
        {"pred_probs": [[0.5, 7.0], [0.5, 0.5]]},
        "pred_probs[0, 1]",
        "is 7, not in [0, 1]",
    ),
    "pred_probs missing": (
        majority.majority_labels,
        (GOOD, [[np.nan, 0.5], [0.5, 0.5]]),
        {},
        "pred_probs[0, 0]",
        "is nan",
    ),
    "start of another model": (
        dawid_skene.fit,
        (GOOD,),
        {"start": wawa.fit(GOOD)},
        "start",
        "is a fit of wawa",
    ),
    "start of other classes": (
        dawid_skene.fit,
        (Votes.from_arrays([0], [1], [2]),),
        {"start": dawid_skene.fit(GOOD)},
        "start",
        "has 2 classes, and votes has 3",
    ),
    "start of more annotators": (
        dawid_skene.fit,
        (Votes.from_arrays([0], [0], [1]),),
        {"start": dawid_skene.fit(GOOD)},
        "start",
        "knows 2 annotators, and votes has 1",
    ),
    "matrices of another model": (
        dawid_skene.confusion_matrices,
        (glad.fit(GOOD),),
        {},
        "fitted",
        "is a fit of glad",
    ),
    "matrix of nobody": (
        dawid_skene.confusion_matrices,
        (dawid_skene.fit(GOOD), [0, 5]),
        {},
        "annotators[1]",
        "is 5, and there are annotators 0 .. 1",
    ),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_input_is_refused(case):
    call, arguments, options, where, what = BAD[case]
    with pytest.raises(InputError, match=re.escape(what)) as raised:
        call(*arguments, **options)
    assert raised.value.where == where


def test_more_than_the_machine_has_is_refused_before_it_is_asked_for():
    votes = Votes.from_arrays([0, 1], [0, 1], [0, 1], num_classes=1_000_000)
    with pytest.raises(InputError, match=r"needs .* GiB for .* pairs .* and this machine has"):
        dawid_skene.fit(votes)
    with pytest.raises(InputError, match="GiB"):
        refuse_too_large(1 << 50, "a lot", "Ask for less")


def test_wawa_gives_one_class_alone_no_bit_more_than_all():
    """Two votes of 2/3 and one of 1: a third of each of them adds up to more than 1."""
    item, annotator = [1, 1, 2, 2, 2, 3, 3, 3], [0, 2, 0, 2, 3, 0, 1, 2]
    votes = Votes.from_arrays(item, annotator, [0, 0, 1, 2, 0, 1, 1, 1], num_classes=3)
    found = wawa.fit(votes)
    assert found.posterior.max() == 1.0
    assert found.entropy.min() == 0.0
