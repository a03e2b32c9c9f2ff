"""The audit of files: what is found, shown, exported; through the command line too."""

from __future__ import annotations

import io
import json
import logging

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from goldlabel import InputError
from goldlabel.actions.export import export
from goldlabel.cli import main
from goldlabel.results.folder import read_audit
from goldlabel.results.label_issues import LabelIssues
from goldlabel.scenes import Number
from goldlabel.tasks.regression import audit, find_label_issues, summarize
from goldlabel.tasks.regression.plots import plots


@pytest.fixture
def flats(tmp_path):
    """Return a table of flats: mixed columns, a decimal comma, wrong, odd and missing prices."""
    rng = np.random.default_rng(0)
    n = 300
    area, city = rng.integers(20, 120, n), rng.choice(["Rome", "Oslo", ""], n)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    price = 9.5 * area + 100 * (city == "Oslo") + rng.normal(0, 25, n) + 200
    text = [f"{value:,.2f}".translate(str.maketrans(",.", ".,")) for value in price]
    text[7] = f"{price[7] * 10:,.2f}".translate(str.maketrans(",.", ".,"))
    text[20], text[33], text[34] = "call us", "", "n/a"
    frame = pd.DataFrame(
        {
            "id": [f"f{i}" for i in range(n)],
            "area": [str(a) if i % 11 else "?" for i, a in enumerate(area)],
            "city": city,
            "day": day.strftime("%d.%m.%Y"),
            "price": text,
            "guess": [f"{9.5 * a + 100 * (c == 'Oslo') + 200:.1f}".replace(".", ",")
                      for a, c in zip(area, city, strict=True)],
        }
    )  # fmt: skip
    path = tmp_path / "flats.csv"
    frame.to_csv(path, index=False, sep=";")
    return path


@pytest.mark.parametrize("model", ["linear", "boosting"])
def test_by_features(flats, model):
    found = audit(flats, label="price", features="area,city,day", model=model, n_boot=2)
    table = found.issues.to_frame("part").set_index("id")
    assert table.loc["f7", "kind"] == "label error"
    assert "10 times too large?" in table.loc["f7", "reason"]
    assert table.loc["f7", "confidence"] > 0.9
    assert table.loc["f20", ["kind", "given_text"]].tolist() == ["not a number", "call us"]
    assert table.loc[["f33", "f34"], "kind"].tolist() == ["missing label"] * 2
    assert found.issues.parts.kinds == ("label error", "not a number", "missing label")
    assert table.loc["f7", "suggested"] == round(table.loc["f7", "suggested"], 2)
    assert {"estimated_share_of_wrong_labels", "r2_of_predictions"} <= set(found.summary)
    assert any("out of fold" in note for note in found.notes)
    [scene] = found.view.scenes([7])
    assert {name for name, _ in scene.blocks[-1].rows} == {"area", "city", "day", "guess"}
    assert isinstance(scene.questions[0], Number)
    worst = next(table.frame for table in found.tables if table.title == "Worst rows")
    assert worst.loc[0, "given"] == "call us"
    assert worst["row"].tolist()[0] == 21
    assert {"area", "city", "day"} <= set(worst)


def test_by_predictions_trains_nothing(flats, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a model is fitted")

    monkeypatch.setattr("goldlabel.models.fitting.fit_copy", refuse)
    monkeypatch.setattr("goldlabel.tasks.regression.predictors.fit_copy", refuse)
    found = audit(flats, label="price", predictions="guess")
    assert found.issues.ranked()[1] == 7
    assert found.issues.params["trained"] == "nothing"
    [scene] = found.view.scenes([7])
    assert "guess" not in dict(scene.blocks[-1].rows)
    np.testing.assert_allclose(found.issues.parts.evidence["predicted"][:1], [
        float(pd.read_csv(flats, sep=";")["guess"][20].replace(",", "."))
    ])  # fmt: skip


def test_by_texts_and_by_embeddings(tmp_path):
    rng = np.random.default_rng(1)
    words = ["bad", "fine", "good", "great"]
    stars = rng.integers(0, 4, 200)
    frame = pd.DataFrame(
        {"text": [f"a {words[s]} film, number {i}" for i, s in enumerate(stars)], "stars": stars}
    )
    frame.loc[5, "stars"] = 40
    path = tmp_path / "films.jsonl"
    frame.to_json(path, orient="records", lines=True)
    found = audit(path, label="stars", text=["text"], folds=3, max_fits=20)
    assert found.issues.ranked()[0] == 5
    assert found.issues.parts.suggested[0] == round(found.issues.parts.suggested[0])
    np.save(tmp_path / "e.npy", np.eye(4)[stars] + 0.01 * rng.normal(size=(200, 4)))
    found = audit(path, label="stars", features=str(tmp_path / "e.npy"), folds=3)
    assert found.issues.ranked()[0] == 5
    assert tmp_path / "e.npy" in found.source.inputs


def test_same_twice(flats):
    first, again = (
        audit(flats, label="price", features="area,city,day", n_boot=1).issues for _ in range(2)
    )
    np.testing.assert_array_equal(first.scores, again.scores)
    np.testing.assert_array_equal(first.suggested, again.suggested)


def test_cost_is_bounded_and_said(flats, caplog):
    with caplog.at_level(logging.INFO, logger="goldlabel"):
        found = audit(flats, label="price", features="area", max_fits=30)
    assert "fits of Ridge on 297 rows" in caplog.text
    assert any("--max-fits 30 cut it down" in note for note in found.notes)


def test_a_model_that_knows_nothing_is_said_to(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=200), "y": rng.normal(size=200)})
    frame.to_csv(tmp_path / "noise.csv", index=False)
    found = audit(tmp_path / "noise.csv", label="y", features="x")
    assert "explain hardly anything" in found.warnings[0]
    frame.assign(p=frame["y"] + 0.1 * frame["x"]).to_csv(tmp_path / "good.csv", index=False)
    assert audit(tmp_path / "good.csv", label="y", predictions="p").warnings == ()


def test_a_name_that_no_font_has_is_no_warning(tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("価格\U00010c80,p\n" + "".join(f"{i},{i + 0.5 * (i % 3)}\n" for i in range(60)))
    found = audit(path, label="価格\U00010c80", predictions="p")
    assert found.warnings == ()
    assert len(found.figures) == 2


def test_results_survive_files_and_export(flats, tmp_path, capsys):
    out = tmp_path / "audit"
    words = ["audit", "regression", flats, "--label", "price", "--features", "area,city,day"]
    assert main([str(word) for word in [*words, "--out", out, "--n-boot", "1"]]) == 0
    printed = capsys.readouterr()
    assert "'call us' is not a number" in printed.out
    assert "call us → " in printed.out
    assert "Row 21: 'call us'" in printed.out
    assert "at most" in printed.err
    assert "fits of Ridge" in printed.err
    issues, _, summary = read_audit(out)
    assert issues.parts.given.dtype == np.float64
    assert summary["kinds"]["not a number"] == 1
    assert isinstance(issues, LabelIssues)
    page = (out / "report.html").read_text()
    assert "call us" in page
    assert page.count("<figure") == 2
    before = flats.read_text().splitlines()
    export(out, tmp_path / "none.csv", auto=True, min_confidence=1.0)
    untouched = [
        row for row, conf in zip(issues.parts.example, issues.parts.confidence, strict=True)
        if conf < 1
    ]  # fmt: skip
    assert 20 in untouched
    done = export(out, tmp_path / "fixed.csv", auto=True, min_confidence=0.9)
    after = (tmp_path / "fixed.csv").read_text().splitlines()
    changed = [i - 1 for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert 7 in changed
    assert changed == done.changes["example"].tolist()
    assert 20 not in changed
    assert "call us" in after[21]
    first, second = before[8].split(";"), after[8].split(";")
    assert [a == b for a, b in zip(first, second, strict=True)] == [True] * 4 + [False, True]
    assert second[4][-3] == ","
    everything = export(out, tmp_path / "all.csv", auto=True, min_confidence=0.0)
    log = pd.read_csv(everything.change_log)
    assert log.set_index("example").loc[20, "given"] == "call us"


def test_decisions_put_numbers_where_there_were_none(flats, tmp_path):
    out = tmp_path / "audit"
    words = ["audit", "regression", flats, "--label", "price", "--predictions", "guess"]
    assert main([str(word) for word in [*words, "--out", out, "--quiet"]]) == 0
    (tmp_path / "decided.csv").write_text("id,label\nf20,1234.5\nf33,800\n")
    export(out, tmp_path / "fixed.csv", decisions=tmp_path / "decided.csv")
    after = (tmp_path / "fixed.csv").read_text().splitlines()
    assert after[21].split(";")[4] == "1.234,50"
    assert after[34].split(";")[4] == "800,00"


def test_json_output(flats, tmp_path, capsys):
    words = ["audit", "regression", flats, "--label", "price", "--predictions", "guess", "--json"]
    assert main([str(word) for word in [*words, "--out", tmp_path / "audit", "--top", "2"]]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["worst"][0]["findings"][0]["given"] == "call us"
    assert found["figures"]["surely_wrong"] >= 1


BAD = {
    "nothing to predict from": ({}, "predictions: are missing"),
    "two sources": ({"features": "area", "predictions": "guess"}, "come from predictions and"),
    "no such feature": ({"features": "size"}, "column 'size'"),
    "the label itself": ({"features": "area,price"}, "holds 'price', the label itself"),
    "no such text": ({"text": ["story"]}, "column 'story'"),
    "model": ({"features": "area", "model": "forest"}, "is 'forest'"),
    "method": ({"predictions": "guess", "method": "best"}, "is 'best'"),
    "threshold": ({"predictions": "guess", "threshold": 7}, "is 7"),
    "criterion": ({"features": "area", "criterion": "rmse"}, "is 'rmse'"),
    "folds": ({"features": "area", "folds": 1}, "is 1"),
    "more folds than rows": ({"features": "area", "folds": 1000, "max_fits": 10**6}, "too few"),
    "fits": ({"features": "area", "max_fits": 3}, "the least that can be done"),
    "boot": ({"features": "area", "n_boot": -1}, "is -1"),
    "seed": ({"features": "area", "seed": -5}, "is -5"),
}


@pytest.mark.parametrize("name", BAD)
def test_refusals(name, flats):
    options, what = BAD[name]
    with pytest.raises(InputError) as error:
        audit(flats, label="price", **options)
    assert what in str(error.value)


def test_embeddings_of_another_length(flats, tmp_path):
    np.save(tmp_path / "e.npy", np.zeros((5, 2)))
    with pytest.raises(InputError, match="has 5 rows"):
        audit(flats, label="price", features=str(tmp_path / "e.npy"))


def test_a_table_of_one_row(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("y,p\n1.5,2\n")
    found = audit(path, label="y", predictions="p")
    assert found.issues.num_issues == 0
    assert found.issues.scores.tolist() == [1.0]


def test_numbers_whose_squares_are_infinite_are_none(tmp_path):
    path = tmp_path / "a.csv"
    rows = "".join(f"{value},{at}\n" for at, value in enumerate([*range(20), 1.7e308, -1e200]))
    path.write_text("y,p\n" + rows)
    found = audit(path, label="y", predictions="p")
    assert {20, 21} <= set(found.issues.ranked())
    assert np.isfinite(found.issues.scores).all()
    for values in ([1.0, 1e200], [1.0, np.nan]):
        with pytest.raises(InputError, match=r"predictions\[1\]: is "):
            find_label_issues([1.0, 2.0], values)


@pytest.mark.parametrize("n", [1, 2, 5, 20_000])
@pytest.mark.parametrize("kind", ["usual", "constant", "all flagged", "none flagged", "huge"])
def test_plots_of_anything(n, kind):
    rng = np.random.default_rng(n)
    labels = np.ones(n) if kind == "constant" else rng.normal(size=n)
    predictions = labels + (0 if kind == "constant" else 0.1 * rng.normal(size=n))
    flagged = {"all flagged": np.ones(n, bool), "none flagged": np.zeros(n, bool)}.get(
        kind, np.arange(n) % 7 == 3
    )
    if kind == "huge":
        labels = labels * 1e200
    pictures = plots(labels, predictions, flagged, "cost in $ of x_1 and $y_2$")
    assert len(pictures) == 2
    for picture in pictures:
        assert Image.open(io.BytesIO(picture.png)).size[0] > 300
        assert len(picture.png) < 200_000
        assert picture.alt


def test_plots_leave_no_trace():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    plots(np.arange(5.0), np.arange(5.0), np.zeros(5, bool), "y")
    assert dict(mpl.rcParams) == before
    assert plots(np.empty(0), np.empty(0), np.empty(0, bool), "y") == ()


def test_flagged_points_can_be_told_without_colour():
    """Crosses and hatches: the grey picture of flagged points differs from that of others."""
    labels, predictions = np.arange(40.0), np.arange(40.0)
    pictures = []
    for flagged in (np.zeros(40, bool), np.ones(40, bool)):
        png = plots(labels, predictions, flagged, "y")[1].png
        pictures.append(np.asarray(Image.open(io.BytesIO(png)).convert("L")))
    white = [int((picture[100:250] > 250).sum()) for picture in pictures]
    assert white[0] != white[1]


def test_summarize():
    table = summarize(np.arange(100.0), np.arange(100.0) + 1, parts=4)
    assert table["examples"].tolist() == [25] * 4
    assert (table["bias"] == 1).all()
    assert len(summarize(np.ones(50), np.ones(50))) == 1
    with pytest.raises(InputError):
        summarize([1.0], [1.0], parts=0)


def test_help_names_the_options(capsys):
    assert main(["audit", "regression", "--help"]) == 0
    text = capsys.readouterr().out
    for option in ("--predictions", "--features", "--max-fits", "--missing-values", "--decimal"):
        assert option in text
