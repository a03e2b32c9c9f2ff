"""Agreement statistics equal their plain twins; intervals are those of the jackknife."""

from __future__ import annotations

import re
from functools import partial

import label_models_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings

from goldlabel.errors import InputError
from goldlabel.tasks.multiannotator.agreement.coefficients import (
    fleiss_kappa,
    krippendorff_alpha,
    observed_agreement,
)
from goldlabel.tasks.multiannotator.agreement.cohen import cohen_kappa
from goldlabel.tasks.multiannotator.votes import Votes

EXAMPLE = reference.from_rows([[0, 0, 1], [1, 1, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0]])
VALUES = [0.5, -2.0, 7.0, 7.0]
STATISTICS = {
    "observed": (observed_agreement, reference.observed),
    "fleiss": (fleiss_kappa, reference.fleiss),
    "nominal": (krippendorff_alpha, reference.krippendorff),
    "ordinal": (
        partial(krippendorff_alpha, level="ordinal"),
        partial(reference.krippendorff, level="ordinal"),
    ),
    "interval": (
        partial(krippendorff_alpha, level="interval"),
        partial(reference.krippendorff, level="interval"),
    ),
}


def without(votes, i):
    keep = votes.item != i
    return Votes.from_arrays(
        votes.item[keep],
        votes.annotator[keep],
        votes.label[keep],
        num_items=votes.num_items,
        num_annotators=votes.num_annotators,
        num_classes=votes.num_classes,
    )


def test_worked_example():
    assert fleiss_kappa(EXAMPLE).value == pytest.approx(0.1964285714, abs=1e-10)
    assert krippendorff_alpha(EXAMPLE).value == pytest.approx(0.25, abs=1e-12)
    pairs = cohen_kappa(EXAMPLE)
    assert list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == [
        (0, 1),
        (0, 2),
        (1, 2),
    ]
    np.testing.assert_allclose(pairs.kappa, [0.6153846154, 0.1666666667, -0.1538461538])
    assert pairs.mean.value == pytest.approx(np.mean(pairs.kappa))
    assert pairs.items.tolist() == [5, 5, 5]


def test_krippendorff_on_his_own_example():
    """Krippendorff (2011), section C: 12 units, 4 observers, missing data."""
    n = None
    by_observer = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, n, n, n],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, n, 3],
        [n, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, n],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, n],
    ]
    rows = [[c if c is None else c - 1 for c in unit] for unit in zip(*by_observer, strict=True)]
    votes = reference.from_rows(rows)
    found = [
        krippendorff_alpha(votes, level=each).value for each in ("nominal", "ordinal", "interval")
    ]
    np.testing.assert_allclose(found, [0.743, 0.815, 0.849], atol=5e-4)
    assert krippendorff_alpha(votes).items == 11


@pytest.mark.parametrize("name", list(STATISTICS))
@given(votes=reference.votes(min_k=1))
@settings(max_examples=60)
def test_values_equal_the_twin(name, votes):
    ours, twin = STATISTICS[name]
    found = ours(votes)
    np.testing.assert_allclose(found.value, twin(votes), atol=1e-9, equal_nan=True)
    assert found.items == (votes.votes_per_item > 1).sum()
    if np.isnan(found.value):
        assert found.source == "not defined"
        assert np.isnan([found.low, found.high, found.standard_error]).all()
    else:
        assert found.low <= found.value <= found.high


def test_numbers_that_stand_for_classes():
    votes, _ = reference.simulated(1, k=4)
    found = krippendorff_alpha(votes, level="interval", values=VALUES)
    expected = reference.krippendorff(votes, "interval", VALUES)
    assert found.value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", list(STATISTICS))
def test_the_analytic_error_is_that_of_the_jackknife_and_of_the_bootstrap(name):
    votes, _ = reference.simulated(1, items=250)
    ours, twin = STATISTICS[name]
    found = ours(votes)
    pairable = np.flatnonzero(votes.votes_per_item > 1)
    left_out = np.array([twin(without(votes, i)) for i in pairable])
    n = len(pairable)
    jackknife = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    assert found.standard_error == pytest.approx(jackknife, rel=0.02)
    assert found.high - found.value == pytest.approx(1.959964 * found.standard_error)
    drawn = ours(votes, interval="bootstrap", draws=2000)
    assert drawn.value == found.value
    assert drawn.standard_error == pytest.approx(jackknife, rel=0.08)
    assert abs(drawn.low - found.low) < 0.4 * jackknife
    assert abs(drawn.high - found.high) < 0.4 * jackknife


def test_intervals_cover_what_they_promise():
    """Of 150 studies from one source, about nine in ten 90 % intervals cover the true kappa."""
    whole, _ = reference.simulated(0, items=20_000, spread=0.0)
    true = fleiss_kappa(whole).value
    hits = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        items = rng.choice(20_000, 150, replace=False)
        place = np.full(20_000, -1)
        place[items] = np.arange(150)
        keep = place[whole.item] >= 0
        votes = Votes.from_arrays(place[whole.item[keep]], whole.annotator[keep], whole.label[keep])
        found = fleiss_kappa(votes, confidence=0.9)
        hits += found.low <= true <= found.high
    assert 122 <= hits <= 146


@given(votes=reference.votes(min_k=1, max_items=12))
def test_pairs_equal_the_twin(votes):
    found = cohen_kappa(votes)
    expected = reference.cohen(votes)
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert pairs == sorted(expected)
    assert found.num_pairs == len(pairs)
    if pairs:
        items, observed, kappa, error = map(
            np.array, zip(*(expected[p] for p in pairs), strict=True)
        )
        np.testing.assert_array_equal(found.items, items)
        np.testing.assert_allclose(found.observed, observed)
        np.testing.assert_allclose(found.kappa, kappa, atol=1e-12)
        np.testing.assert_allclose(found.high, np.minimum(kappa + 1.959964 * error, 1), atol=1e-6)
        defined = ~np.isnan(kappa)
        if defined.any():
            mean = np.average(kappa[defined], weights=items[defined])
            assert found.mean.value == pytest.approx(mean, abs=1e-12)
    assert found.mean.source == ("not defined" if np.isnan(found.mean.value) else found.mean.source)


def test_the_error_of_the_mean_kappa_is_that_of_the_jackknife():
    votes, _ = reference.simulated(2, items=300)
    found = cohen_kappa(votes)
    pairable = np.flatnonzero(votes.votes_per_item > 1)
    left_out = np.array([cohen_kappa(without(votes, i)).mean.value for i in pairable])
    n = len(pairable)
    jackknife = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    assert found.mean.standard_error == pytest.approx(jackknife, rel=0.1)


def test_pairs_with_few_items_can_be_left_out():
    votes, _ = reference.simulated(3, items=60)
    whole = cohen_kappa(votes)
    some = cohen_kappa(votes, min_items=4)
    assert some.items.min() == 4
    assert some.num_pairs == whole.num_pairs == len(whole.items)
    assert some.mean == whole.mean
    few = cohen_kappa(votes, max_pairs=10)
    assert 0 < len(few.items) <= 10
    assert few.least_items == few.items.min() > 1
    np.testing.assert_array_equal(np.sort(whole.items)[-len(few.items) :], np.sort(few.items))
    assert len(cohen_kappa(votes, min_items=1000).items) == 0


def test_crowded_items_are_sampled():
    rng = np.random.default_rng(0)
    item = np.repeat([0, 1, 2], [50, 8, 50])
    annotator = np.concatenate([np.arange(50), np.arange(8), np.arange(50)])
    votes = Votes.from_arrays(item, annotator, rng.integers(0, 2, len(item)))
    found = cohen_kappa(votes, max_votes=10)
    assert found.sampled_items == 2
    assert found.items.sum() == 2 * 45 + 28
    again = cohen_kappa(votes, max_votes=10)
    np.testing.assert_array_equal(found.first, again.first)
    other = cohen_kappa(votes, max_votes=10, seed=1)
    assert other.first.tolist() != found.first.tolist()
    assert cohen_kappa(votes).sampled_items == 0


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    votes, _ = reference.simulated(2, items=2000, people=40)
    monkeypatch.setattr("goldlabel.kernels.rows.BLOCK_CELLS", 1 << 8)
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("GOLDLABEL_THREADS", threads)
        drawn = krippendorff_alpha(votes, level="ordinal", interval="bootstrap", draws=50)
        found.append(
            (drawn, fleiss_kappa(votes), observed_agreement(votes), cohen_kappa(votes).mean)
        )
    assert found[0] == found[1]


BAD = {
    "level": (partial(krippendorff_alpha, EXAMPLE, level="ratio"), "level", "is 'ratio'"),
    "values": (partial(krippendorff_alpha, EXAMPLE, values=[1, 2, 3]), "values", "not (2,)"),
    "values missing": (
        partial(krippendorff_alpha, EXAMPLE, values=[1, np.nan]),
        "values[1]",
        "is nan",
    ),
    "interval": (partial(fleiss_kappa, EXAMPLE, interval="exact"), "interval", "is 'exact'"),
    "confidence": (partial(fleiss_kappa, EXAMPLE, confidence=95), "confidence", "is 95"),
    "draws": (partial(observed_agreement, EXAMPLE, draws=1), "draws", "is 1"),
    "seed": (partial(observed_agreement, EXAMPLE, seed=-1), "seed", "is -1"),
    "pairs' confidence": (partial(cohen_kappa, EXAMPLE, confidence=0), "confidence", "is 0"),
    "least items": (partial(cohen_kappa, EXAMPLE, min_items=0), "min_items", "is 0"),
    "most pairs": (partial(cohen_kappa, EXAMPLE, max_pairs=0.5), "max_pairs", "is 0.5"),
    "most votes": (partial(cohen_kappa, EXAMPLE, max_votes=1), "max_votes", "is 1"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_options_are_refused(case):
    call, where, what = BAD[case]
    with pytest.raises(InputError, match=re.escape(what)) as raised:
        call()
    assert raised.value.where == where
