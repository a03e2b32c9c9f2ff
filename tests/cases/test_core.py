"""One bad label never ends or bends an audit; many classes; labels as models need them."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from goldlabel.cli import main
from goldlabel.tasks import multiclass

def audit(*arguments):
    """Run an audit by the command line and return its parts and its summary."""
    assert main([*map(str, arguments), "--out", "audit", "--quiet"]) == 0
    with open("audit/summary.json", encoding="utf-8") as file:
        return pd.read_parquet("audit/issues.parquet"), json.load(file)


@pytest.fixture(autouse=True)
def _inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_one_unknown_label(case):
    folder = case("one-unknown-label-multiclass")
    found, summary = audit(
        "audit", "multiclass", folder / "reviews.csv", "--pred-probs", folder / "probs.csv"
    )
    assert summary["examples"] == 60
    first = found.iloc[0]
    assert (first["example"], first["kind"], first["given_text"]) == (20, "not a class", "negatve")
    assert (first["suggested"], round(first["confidence"], 2)) == ("neg", 0.92)
    assert set(found["example"]) == {20, 7, 31}
    table = pd.read_csv(folder / "reviews.csv").drop(index=20)
    table.to_csv("without.csv", index=False)
    pd.read_csv(folder / "probs.csv").drop(index=20).to_csv("p.csv", index=False)
    main(["audit", "multiclass", "without.csv", "--pred-probs", "p.csv", "--out", "b", "--quiet"])
    alone = pd.read_parquet("b/issues.parquet")
    columns = ["given", "suggested", "score", "p_given", "threshold_given"]
    rest = found[found["kind"] == "label error"]
    assert rest[columns].astype(str).to_numpy().tolist() == (
        alone[columns].astype(str).to_numpy().tolist()
    )
    found[["example", "suggested"]].rename(columns={"suggested": "label"}).to_csv("d.csv")
    assert main(["export", "audit", "--decisions", "d.csv", "--out", "fixed.csv"]) == 0
    assert pd.read_csv("fixed.csv")["label"][20] == "neg"


def test_one_mistyped_label_bends_no_estimate(case):
    folder = case("one-typo-label-estimate")
    found, summary = audit(
        "audit", "multiclass", folder / "reviews.csv", "--pred-probs", folder / "probs.csv"
    )
    assert set(found["example"]) == {100, 17, 230}
    first = found.iloc[0]
    assert (first["example"], first["given"], first["suggested"]) == (100, "neg ", "neg")
    assert first["kind"] == "class with hardly an example"
    assert first["reason"].endswith("Is it a slip of the pen for 'neg'?")
    assert summary["figures"]["estimated_label_errors"] in (2, 3)
