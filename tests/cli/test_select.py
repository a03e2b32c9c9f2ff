"""`goldlabel select` with tasks that choose, and tasks that do not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from goldlabel.cli import main


def run(*words):
    return main([str(word) for word in words])


def test_a_task_that_does_not_choose_says_so(tmp_path, capsys):
    labels = ["a", "b"] * 10
    pd.DataFrame({"label": labels}).to_csv(tmp_path / "d.csv", index=False)
    np.save(tmp_path / "p.npy", np.tile([[0.9, 0.1], [0.2, 0.8]], (10, 1)))
    words = ["audit", "multiclass", tmp_path / "d.csv", "--pred-probs", tmp_path / "p.npy"]
    assert run(*words, "--out", tmp_path / "out", "--quiet") == 0
    assert run("select", tmp_path / "out", "--out", tmp_path / "t.csv") == 2
    assert "'multiclass' does not say what to label next" in capsys.readouterr().err
    assert not (tmp_path / "t.csv").exists()


def test_help_names_the_formats(capsys):
    assert run("select", "--help") == 0
    said = capsys.readouterr().out
    assert "Label Studio" in said
    assert "--per-annotator" in said
