"""The reference figures of the real regression sets."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, r2_score, roc_auc_score

from goldlabel.tasks.regression import audit, export, get_label_quality_scores, read

TABLES = {"airquality_co": "table.csv.gz", "bike_sharing": "table.csv"}
WEATHER = "season,yr,mnth,holiday,weekday,workingday,weathersit,temp,atemp,hum,windspeed"


@pytest.fixture(params=TABLES)
def real(request, data):
    folder = data / "regression" / request.param
    table = pd.read_csv(folder / TABLES[request.param])
    reference = json.loads((folder / "reference.json").read_text())
    return table, reference


@pytest.mark.parametrize("method", ["residual", "outre"])
def test_scores_have_the_reference_figures(real, method):
    table, reference = real
    figures = reference[f"score:{method}"]
    labels, predictions = table["given_label"].to_numpy(float), table["prediction"].to_numpy()
    wrong = table["is_error"].to_numpy(bool)
    scores = get_label_quality_scores(labels, predictions, method=method)
    order = np.argsort(scores, kind="stable")
    found = {
        "n": len(scores),
        "n_errors": int(wrong.sum()),
        "auroc": round(roc_auc_score(~wrong, scores), 4),
        "average_precision": round(average_precision_score(wrong, -scores), 4),
        "precision_at_20": round(wrong[order[:20]].mean(), 4),
        "precision_at_50": round(wrong[order[:50]].mean(), 4),
        "mean": round(scores.mean(), 6),
    }
    assert found == pytest.approx({name: figures[name] for name in found}, abs=2e-4)
    r2 = r2_score(labels, predictions)
    assert round(r2, 4) == reference["r2_of_predictions_vs_given"]


def test_cells_find_the_same_errors(real):
    table, reference = real
    labels, predictions = table["given_label"].to_numpy(float), table["prediction"].to_numpy()
    scores = get_label_quality_scores(labels, predictions, exact=False)
    wrong = table["is_error"].to_numpy(bool)
    expected = reference["score:outre"]["average_precision"]
    assert average_precision_score(wrong, -scores) == pytest.approx(expected, abs=3e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "most"), [("linear", 60), ("boosting", 120)])
def test_planted_errors_of_bike_sharing(data, model, most):
    folder = data / "regression" / "bike_sharing"
    found = audit(
        folder / "table.csv", label="given_label", id="instant", features=WEATHER, model=model
    )
    table = pd.read_csv(folder / "table.csv")
    wrong = table["is_error"].to_numpy(bool)
    reference = json.loads((folder / "reference.json").read_text())["CleanLearning"][
        "label_quality"
    ]
    scores, flagged = found.issues.scores, found.issues.is_issue
    assert roc_auc_score(~wrong, scores) > 0.98
    assert average_precision_score(wrong, -scores) > 0.87
    assert reference["average_precision"] < 0.97
    assert found.issues.num_issues < most  # cleanlab flags 146
    assert wrong[flagged].sum() >= 24
    sure = found.issues.parts.confidence >= 0.9
    assert wrong[found.issues.parts.example[sure]].mean() >= 0.75
    # The suggestion is nearer to the truth than what was given, for nearly all planted errors.
    hits = np.flatnonzero(flagged & wrong)
    better = np.abs(found.issues.suggested - table["true_label"]) < np.abs(
        table["given_label"] - table["true_label"]
    )
    assert better.to_numpy()[hits].mean() > 0.9


def test_intervals_hold_the_truth_about_as_often_as_they_say(data):
    table = data / "regression" / "bike_sharing" / "table.csv"
    found = audit(table, label="given_label", predictions="prediction")
    parts = found.issues.parts
    true = pd.read_csv(table)["true_label"].to_numpy(float)[parts.example]
    inside = (true >= parts.evidence["low"]) & (true <= parts.evidence["high"])
    assert inside.mean() > 0.3


@pytest.mark.filterwarnings("ignore:Length of header:pandas.errors.ParserWarning")
def test_the_native_file_of_air_quality_keeps_its_commas(data, tmp_path):
    """Semicolons, decimal commas, -200 for missing, a header that names too few columns."""
    path = data / "regression" / "airquality_co" / "AirQualityUCI.csv.gz"
    found = read(path, delimiter=";", label="CO(GT)", missing_values=["-200"], missing="drop")
    table = pd.read_csv(path, sep=";", decimal=",", index_col=False)
    expected = table["CO(GT)"].replace(-200, np.nan)
    np.testing.assert_array_equal(found.labels, expected.dropna())
    assert len(found) == 7674
    assert found.decimals == 1
    export(found.source, pd.DataFrame({"example": [], "suggested": []}), tmp_path / "same.csv.gz")
    assert (tmp_path / "same.csv.gz").read_bytes() == path.read_bytes()
    changes = pd.DataFrame({"example": [0, 7673], "suggested": [12.5, 3.0]})
    export(found.source, changes, tmp_path / "out.csv.gz")
    with gzip.open(path) as before, gzip.open(tmp_path / "out.csv.gz") as after:
        pairs = list(zip(before.read().split(b"\n"), after.read().split(b"\n"), strict=True))
    different = [(a.split(b";"), b.split(b";")) for a, b in pairs if a != b]
    assert [(a[2], b[2]) for a, b in different] == [(b"2,6", b"12,5"), (b"2,2", b"3")]
    assert all(a[:2] + a[3:] == b[:2] + b[3:] for a, b in different)
