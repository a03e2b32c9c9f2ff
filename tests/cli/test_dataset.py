"""``goldlabel audit dataset``: any table, with whatever there is beside it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

N = 80


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = np.repeat(["ham", "spam"], N // 2)
    features = rng.uniform(-1, 1, size=(N, 5)) + 4 * np.eye(2, 5)[(labels == "spam").astype(int)]
    features[7] = features[9]
    features[20] = [0, 0, -5, 5, -5]
    labels[3] = "spam"
    words = rng.integers(0, 999, size=(N, 6))
    texts = [" ".join(f"word{i}" for i in row) for row in words]
    texts[70] = texts[60].upper() + "!"
    frame = pd.DataFrame({"kind": labels, "words": texts, "size": rng.integers(1, 9, N)})
    frame.loc[5, "size"] = None
    frame.to_csv("mail.csv", index=False)
    np.save("emb.npy", features)
    return Path("mail.csv")


def issues():
    return pd.read_parquet("audit/issues.parquet")


def flagged(kind):
    found = issues()
    return set(found.loc[found["kind"] == kind, "example"])


def test_with_labels_text_and_embeddings(run, table):
    code, out, _ = run(
        "audit", "dataset", table, "--label", "kind", "--text", "words", "--features", "emb.npy",
        "--out", "audit",
    )  # fmt: skip
    assert code == 0
    assert "deserve a look" in out
    assert {7, 9} <= flagged("near_duplicate")
    assert flagged("text_duplicate") == {60, 70}
    assert 20 in flagged("outlier")
    assert 3 in flagged("label")
    groups = pd.read_parquet("audit/near_duplicate_groups.parquet")
    assert [7, 9] in [list(rows) for rows in groups["examples"]]
    summary = json.loads(Path("audit/summary.json").read_text())
    assert (summary["task"], summary["examples"]) == ("dataset", N)
    report = Path("audit/report.html").read_text()
    assert "near duplicate: groups" in report
    found = issues()
    assert report.count('class="arrow"') <= (found["given"] != found["suggested"]).sum()


def test_wrong_labels_are_corrected(run, table):
    words = ("--label", "kind", "--features", "emb.npy", "--out", "audit")
    assert run("audit", "dataset", table, *words)[0] == 0
    code, _, _ = run("export", "audit", "--auto", "--out", "new.csv")
    assert code == 0
    old, new = table.read_text().splitlines(), Path("new.csv").read_text().splitlines()
    changed = [at - 1 for at in range(N + 1) if old[at] != new[at]]
    assert 3 in changed
    assert set(changed) <= flagged("label")
    assert new[4] == old[4].replace("spam", "ham")


def test_without_labels_nothing_is_corrected(run, table):
    assert run("audit", "dataset", table, "--features", "emb.npy", "--out", "audit")[0] == 0
    assert 20 in flagged("outlier")
    assert run("export", "audit", "--auto", "--out", "new.csv")[0] == 0
    assert Path("new.csv").read_text() == table.read_text()
    Path("decisions.csv").write_text("example,label\n3,ham\n")
    code, _, err = run("export", "audit", "--decisions", "decisions.csv", "--out", "other.csv")
    assert code == 2
    assert err.startswith("goldlabel: ")


def test_columns_as_features_and_named_checks(run, table):
    code, _, _ = run(
        "audit", "dataset", table, "--features", "size", "--checks", "null,identifier_column",
        "--out", "audit",
    )  # fmt: skip
    assert code == 0
    assert flagged("null") == {5}


def test_a_table_alone(run, table):
    code, out, _ = run("audit", "dataset", table, "--out", "audit")
    assert code == 0
    assert "'outlier' did not run: it needs features" in " ".join(out.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--label", "sort"), "column 'sort'"),
        (("--features", "words"), "column 'words': is 'word"),
        (("--features", "kind", "--label", "kind"), "the label itself"),
        (("--checks", "outlyer"), "'outlyer'"),
        (("--features", "few.npy"), "has 3 rows"),
        (("--features", "nan.npy"), "holds a NaN"),
        (("--pred-probs", "few.npy"), "--pred-probs has 3"),
    ],
)
def test_what_does_not_fit_is_said(run, table, words, message):
    np.save("few.npy", np.full((3, 2), 0.5))
    np.save("nan.npy", np.full((N, 2), np.nan))
    code, _, err = run("audit", "dataset", table, *words, "--out", "audit")
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert not Path("audit").exists()
