"""``goldlabel demo``: from nothing to a corrected dataset."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from goldlabel.results.folder import read_audit


@pytest.mark.slow
def test_the_whole_way_on_planted_errors(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("demo", "--plant-errors", "0.1", "--top", "3")
    assert code == 0
    issues, _, summary = read_audit("goldlabel-demo/audit")
    assert summary["examples"] == 1797
    planted = pd.read_csv("goldlabel-demo/planted.csv")
    assert len(planted) == 180
    found = set(planted["image"]) & set(issues.ids[issues.is_issue])
    assert len(found) > 120
    flagged = f"among the {issues.num_issues} flagged"
    assert f"Found {len(found)} of the 180 planted errors {flagged}" in out
    assert "3 of " in out
    page = Path("goldlabel-demo/audit/report.html").read_text(encoding="utf-8")
    assert "data:image/" in page
    assert summary["command"] in out

    # Its last line leads on: to the review, or a table of decisions, and to the corrected images.
    words = out.strip().splitlines()[-1].removeprefix("Next:   goldlabel ").split()
    assert words == ["review", "goldlabel-demo/audit"]
    assert run(*words)[0] == 0
    code, out, err = run("decisions", *words[1:])
    assert (code, err) == (0, "")
    table = pd.read_csv("goldlabel-demo/audit/decisions.csv", dtype=str)
    table["label"] = table["suggested"].where(table["id"].isin(planted["image"]))
    table.to_csv("goldlabel-demo/audit/decisions.csv", index=False)
    code, _, err = run(*out.strip().rpartition("Next: goldlabel ")[2].split())
    assert (code, err) == (0, "")
    corrected = Path("goldlabel-demo/images-corrected")
    assert len(list(corrected.rglob("*.png"))) == 1797
    assert len(pd.read_csv("goldlabel-demo/images-corrected.changes.csv")) > 120

    # A second run takes the planted errors back.
    code, out, _ = run("demo")
    assert code == 0
    assert not Path("goldlabel-demo/planted.csv").exists()
    assert "planted" not in out
    images = Path("goldlabel-demo/images")
    assert len(list(images.rglob("*.png"))) == 1797
    assert 0 < read_audit("goldlabel-demo/audit")[0].num_issues < 40


@pytest.mark.parametrize(
    "words", [("--out", "file"), ("--out", "no/folder"), ("--plant-errors", "2"), ("--top", "-1")]
)
def test_a_mistake_exits_2(run, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("mine")
    code, _, err = run("demo", *words)
    assert code == 2
    assert "Traceback" not in err
    assert Path("file").read_text() == "mine"


def test_a_link_does_not_lead_out_of_its_folder(run, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "own" / "0").mkdir()
    (tmp_path / "own" / "0" / "0000.png").write_text("precious")
    (tmp_path / "out" / "images").symlink_to(tmp_path / "own")
    for planted in (False, True):
        if planted:
            (tmp_path / "out" / "planted.csv").write_text("image,right_class\n0/0000.png,1\n")
        code, _, err = run("demo", "--out", tmp_path / "out")
        assert code == 2
        assert "is left by the file name 'images/0/0000.png'" in err
        assert (tmp_path / "own" / "0" / "0000.png").read_text() == "precious"
