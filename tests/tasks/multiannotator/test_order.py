"""Rows, items and annotators in another order: the same flags, and the same bits of every score."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from goldlabel.cli import main
from goldlabel.tasks import multiannotator
from goldlabel.tasks.multiannotator import find_label_issues, get_consensus_labels
from goldlabel.tasks.multiannotator.agreement.coefficients import (
    fleiss_kappa,
    krippendorff_alpha,
    observed_agreement,
)
from goldlabel.tasks.multiannotator.agreement.cohen import cohen_kappa
from goldlabel.tasks.multiannotator.annotators.report import annotator_table

pytestmark = pytest.mark.filterwarnings("ignore:labels. no two")

N = np.nan


def crowd(seed):
    """Votes (n, m) with gaps, of people of any skill, and two models with ties between classes."""
    rng = np.random.default_rng(seed)
    n, m, k = rng.integers(8, 60), rng.integers(3, 9), int(rng.integers(2, 5))
    true = rng.integers(0, k, n)
    right = rng.random((n, m)) < rng.random(m)
    labels = np.where(right, true[:, None], rng.integers(0, k, (n, m))).astype(float)
    labels[rng.random((n, m)) < 0.4] = N
    labels[:2, :2] = 0.0
    probs = rng.integers(1, 5, (2, n, k)).astype(float)
    probs /= probs.sum(axis=2, keepdims=True)
    return labels, probs, list(range(k)), rng.permutation(n), rng.permutation(m)


def same(one, other):
    np.testing.assert_array_equal(one, other)


ALONE = ("majority_vote", "wawa", "dawid_skene", "one_coin", "glad", "mace")
WITH_MODELS = ("majority_vote", "best_quality")


@pytest.mark.parametrize("seed", range(25))
def test_consensus_in_any_order(seed):
    labels, probs, classes, rows, people = crowd(seed)
    turned = labels[rows][:, people]
    for method in ALONE:
        one = get_consensus_labels(labels, consensus_method=method, classes=classes)
        other = get_consensus_labels(turned, consensus_method=method, classes=classes)
        check_consensus(one, other, rows, people)
    for method in WITH_MODELS:
        for calibrate in (False, True):
            options = {"consensus_method": method, "calibrate_probs": calibrate}
            one = get_consensus_labels(labels, probs, **options)
            other = get_consensus_labels(turned, probs[:, rows], **options)
            check_consensus(one, other, rows, people)
            same(one.annotator_weights[people], other.annotator_weights)


def check_consensus(one, other, rows, people):
    same(one.labels[rows], other.labels)
    for name in ("quality", "posterior", "agreement"):
        same(getattr(one, name)[rows], getattr(other, name))
    same(one.annotator_quality[people], other.annotator_quality)
    same(one.vote_quality_matrix()[rows][:, people], other.vote_quality_matrix())


@pytest.mark.parametrize("seed", range(10))
def test_parameters_are_those_of_their_items_and_annotators(seed):
    labels, _, classes, rows, people = crowd(seed)
    turned = labels[rows][:, people]
    for method in ALONE[1:]:
        one = get_consensus_labels(labels, consensus_method=method, classes=classes).fit
        other = get_consensus_labels(turned, consensus_method=method, classes=classes).fit
        assert one.history == other.history
        for name, values in one.parameters.items():
            place = {len(labels): rows, labels.shape[1]: people}.get(len(values))
            if name in ("ease",):
                same(values[rows], other.parameters[name])
            elif place is people and name not in ("class_prior", "pooled", "pseudo_counts"):
                same(values[people], other.parameters[name])
        if "emission" in one.parameters:
            same(pairs_of(one, people), pairs_of(other, np.arange(len(people))))


def pairs_of(fit, people):
    """Return the probabilities of answers as (annotators, answers, classes), people as ordered."""
    emission = fit.parameters["emission"]
    table = np.full((len(people), emission.shape[1], emission.shape[1]), N)
    table[fit.parameters["pair_annotator"], fit.parameters["pair_label"]] = emission
    return table[people]


@pytest.mark.parametrize("seed", range(10))
def test_flags_scores_of_active_learning_and_reports_in_any_order(seed):
    labels, probs, classes, rows, people = crowd(seed)
    turned, turned_probs = labels[rows][:, people], probs[:, rows]
    for filter_by in ("predicted_neq_given", "prune_by_noise_rate", "confident_learning", "both"):
        one = find_label_issues(labels, probs, filter_by=filter_by)
        other = find_label_issues(turned, turned_probs, filter_by=filter_by)
        same(one.is_issue[rows], other.is_issue)
        same(one.scores[rows], other.scores)
        flagged = set(zip(one.parts.example, one.parts.part, strict=True))
        assert flagged == set(zip(rows[other.parts.example], people[other.parts.part], strict=True))
    one, other = (
        multiannotator.get_active_learning_scores(votes, models)
        for votes, models in ((labels, probs), (turned, turned_probs))
    )
    same(one.labeled[rows], other.labeled)
    one, other = (get_consensus_labels(votes, classes=classes) for votes in (labels, turned))
    for measure in (observed_agreement, fleiss_kappa, krippendorff_alpha):
        assert repr(measure(one.votes)) == repr(measure(other.votes))
    first, second = cohen_kappa(one.votes), cohen_kappa(other.votes)
    assert repr(first.mean) == repr(second.mean)
    places = np.sort(people[np.column_stack([second.first, second.second])], axis=1)
    order = np.lexsort((places[:, 1], places[:, 0]))
    same(np.column_stack([first.first, first.second]), places[order])
    same(first.kappa, second.kappa[order])
    tables = [annotator_table(each).set_index("annotator") for each in (one, other)]
    own = tables[0].loc[[str(j) for j in people]]
    moved = tables[1].loc[[str(j) for j in range(len(people))]]
    for name in ("quality", "quality_low", "agreement_with_others", "worst_class_accuracy"):
        same(own[name], moved[name])


def audited(folder, frame, *options):
    """Audit a frame of votes; return consensus, wrong votes, annotators and figures."""
    folder.mkdir()
    frame.to_csv(folder / "v.csv", index=False)
    words = ["audit", "multiannotator", folder / "v.csv", "--out", folder / "out", "--quiet"]
    assert main([str(word) for word in [*words, *options]]) == 0
    tables = [pd.read_parquet(folder / "out" / f"{name}.parquet")
              for name in ("consensus", "issues", "annotators")]  # fmt: skip
    summary = json.loads((folder / "out" / "summary.json").read_text())
    keys = ("id", ["id", "part"], "annotator")
    tables[1]["part"] = tables[1]["part"].astype(str)
    tables = [each.drop(columns="example", errors="ignore") for each in tables]
    ordered = [each.sort_values(by).reset_index(drop=True)
               for each, by in zip(tables, keys, strict=True)]  # fmt: skip
    return ordered, summary["figures"]


@pytest.mark.parametrize("options", [[], ["--filter-by", "prune_by_noise_rate"], ["--time", "at"]])
def test_an_audit_of_rows_in_another_order(tmp_path, options):
    rng = np.random.default_rng(3)
    true = rng.integers(0, 3, 150)
    rows = [
        (f"i{i}", f"w{j}", "abc"[t if rng.random() < 0.3 + 0.08 * j else rng.integers(0, 3)])
        for i, t in enumerate(true)
        for j in rng.choice(8, 4, replace=False)
    ]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    frame["at"] = [f"2024-01-{1 + day:02}" for day in rng.integers(0, 9, len(frame))]
    tables, figures = audited(tmp_path / "first", frame, *options)
    for seed in range(3):
        shuffled = frame.sample(frac=1, random_state=seed)
        again, others = audited(tmp_path / f"again{seed}", shuffled, *options)
        assert figures == others
        for one, other in zip(tables, again, strict=True):
            pd.testing.assert_frame_equal(one, other, check_exact=True, check_categorical=False)
