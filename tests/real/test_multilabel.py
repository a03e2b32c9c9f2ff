"""The figures that the README of the emotions data gives for errors planted in it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from goldlabel.tasks import multilabel

FILTERS = (
    *("prune_by_noise_rate", "prune_by_class", "both"),
    *("confident_learning", "low_normalized_margin", "low_self_confidence"),
)


@pytest.fixture(scope="module")
def emotions(data):
    folder = data / "multilabel" / "emotions"
    labels = np.load(folder / "labels.npz", allow_pickle=False)
    wrong = labels["true_labels"] != labels["given_labels"]
    probs = np.load(folder / "pred_probs.npy")
    figures = json.loads((folder / "reference.json").read_text())
    return labels["given_labels"], probs, wrong, figures


@pytest.mark.parametrize("filter_by", FILTERS)
def test_flags(emotions, filter_by):
    labels, probs, wrong, figures = emotions
    found = multilabel.find_label_issues(labels, probs, filter_by=filter_by)
    cells = np.zeros(labels.shape, dtype=bool)
    cells[found.parts.example, found.parts.part] = True
    for flagged, truth, name in (
        (found.is_issue, wrong.any(axis=1), "rows"),
        (cells, wrong, "cells"),
    ):
        expected = figures[filter_by][name]
        assert flagged.sum() == expected["flagged"]
        assert (flagged & truth).sum() == expected["true_positives"]
        assert round((flagged & truth).sum() / flagged.sum(), 4) == expected["precision"]
        assert round((flagged & truth).sum() / truth.sum(), 4) == expected["recall"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("self_confidence/exponential_moving_average_0.8", {}),
        ("self_confidence/softmin_0.1", {"aggregator": "softmin"}),
        ("normalized_margin/exponential_moving_average_0.8", {"method": "normalized_margin"}),
        (
            "confidence_weighted_entropy/exponential_moving_average_0.8",
            {"method": "confidence_weighted_entropy"},
        ),
    ],
)
def test_row_scores(emotions, name, options):
    labels, probs, wrong, figures = emotions
    expected = figures[f"row_score:{name}"]
    scores = multilabel.get_label_quality_scores(labels, probs, **options)
    truth = wrong.any(axis=1)
    assert roc_auc_score(truth, -scores) == pytest.approx(expected["auroc"], abs=1e-4)
    assert average_precision_score(truth, -scores) == pytest.approx(
        expected["average_precision"], abs=1e-4
    )
    assert scores.mean() == pytest.approx(expected["mean"], abs=2e-5)
    worst = np.argsort(scores, kind="stable")
    for count in (20, 50, 59):
        assert truth[worst[:count]].mean() == pytest.approx(
            expected[f"precision_at_{count}"], abs=1e-4
        )


def test_cell_scores(emotions):
    labels, probs, wrong, figures = emotions
    expected = figures["cell_self_confidence"]
    scores = multilabel.get_label_quality_scores_per_class(labels, probs)
    assert roc_auc_score(wrong.ravel(), -scores.ravel()) == pytest.approx(
        expected["auroc"], abs=1e-4
    )
    assert average_precision_score(wrong.ravel(), -scores.ravel()) == pytest.approx(
        expected["average_precision"], abs=1e-4
    )
