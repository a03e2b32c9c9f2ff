"""A format that another package adds is recognised, listed, read and written like our own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

LABELS = ["ham"] * 9 + ["spam"] * 10


@pytest.fixture
def lines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mail.txt").write_text(
        "".join(f"__label__{name} text {i}\n" for i, name in enumerate(LABELS))
    )
    sure = np.array([[0.95, 0.05] if name == "ham" else [0.05, 0.95] for name in LABELS])
    sure[3] = [0.02, 0.98]
    np.save("probs.npy", sure)
    return Path("mail.txt")


def test_there_and_back(run, lines):
    code, out, _ = run("audit", "multiclass", lines, "--pred-probs", "probs.npy", "--out", "audit")
    assert code == 0
    assert "1 of 19 examples" in out
    summary = json.loads(Path("audit/summary.json").read_text())
    assert summary["source"]["format"] == "fasttext"
    Path("decisions.csv").write_text("example,label\n3,spam\n")
    words = ("export", "audit", "--out", "new.txt", "--decisions", "decisions.csv")
    assert run(*words)[0] == 0
    old, new = lines.read_text().splitlines(), Path("new.txt").read_text().splitlines()
    assert [at for at in range(19) if old[at] != new[at]] == [3]
    assert new[3] == "__label__spam text 3"


def test_it_can_be_asked_for(run, lines):
    words = ("--pred-probs", "probs.npy", "--out", "audit", "--format", "fasttext")
    assert run("audit", "multiclass", lines, *words)[0] == 0


def test_it_is_listed(run, lines):
    assert "fasttext" in run("audit", "multiclass", "--help")[1]
    words = ("--pred-probs", "probs.npy", "--out", "audit", "--format", "excel")
    code, _, err = run("audit", "multiclass", lines, *words)
    assert code == 2
    assert "image_folder, fasttext" in err


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"encoding": 7}, "source.options.encoding: is 7, not a text"),
        ({"shell": "rm"}, "has an unknown key 'shell'"),
        ({"examples": "19"}, "source.options.examples: is '19', not a whole number"),
    ],
)
def test_what_an_audit_folder_says_is_not_trusted(run, lines, changes, what):
    run("audit", "multiclass", lines, "--pred-probs", "probs.npy", "--out", "audit")
    path = Path("audit/summary.json")
    summary = json.loads(path.read_text())
    summary["source"]["options"].update(changes)
    path.write_text(json.dumps(summary))
    Path("decisions.csv").write_text("example,label\n3,spam\n")
    words = ("export", "audit", "--out", "new.txt", "--decisions", "decisions.csv")
    code, _, err = run(*words)
    assert code == 2
    assert what in err
    assert not Path("new.txt").exists()


def test_one_of_sentences_there_and_back(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("news.txt").write_text("Ann/B-PER sings/O\nBob/O sings/O\nEve/B-PER\n")
    probs = [[0.9, 0.1], [0.1, 0.9], [0.95, 0.05], [0.1, 0.9], [0.9, 0.1]]
    rows = [probs[:2], probs[2:4], probs[4:]]
    lines = [json.dumps({"probs": each, "classes": ["B-PER", "O"]}) for each in rows]
    Path("probs.jsonl").write_text("\n".join(lines))
    words = ("news.txt", "--pred-probs", "probs.jsonl", "--out", "audit")
    assert run("audit", "token", *words)[0] == 0
    summary = json.loads(Path("audit/summary.json").read_text())
    assert summary["source"]["format"] == "slashes"
    Path("decisions.csv").write_text("example,part,label\n1,0,B-PER\n")
    words = ("export", "audit", "--out", "new.txt", "--decisions", "decisions.csv")
    assert run(*words)[0] == 0
    assert Path("new.txt").read_text() == "Ann/B-PER sings/O\nBob/B-PER sings/O\nEve/B-PER\n"
    assert "slashes" in run("audit", "token", "--help")[1]
