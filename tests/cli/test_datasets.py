"""``goldlabel datasets``: public datasets, listed and fetched."""

from __future__ import annotations

import json
import shlex
from pathlib import Path


def test_the_list(run):
    code, out, err = run("datasets", "list")
    assert (code, err) == (0, "")
    lines = out.strip().splitlines()
    assert any(line.startswith("cifar10_test ") and " multiclass " in line for line in lines)
    assert lines[-1] == "Next: goldlabel datasets fetch NAME"


def test_the_list_as_json(run):
    code, out, _ = run("datasets", "list", "--json")
    assert code == 0
    entries = {entry["name"]: entry for entry in json.loads(out)}
    assert entries["cifar10_test"]["task"] == "multiclass"
    assert entries["cifar10_test"]["licence"]


def test_a_fetched_dataset_can_be_audited_as_it_says(run, data, tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDLABEL_DATA", str(data))
    monkeypatch.setenv("GOLDLABEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    code, out, err = run("datasets", "fetch", "cifar10_test")
    assert (code, err) == (0, "")
    assert "Licence: " in out
    assert str(tmp_path / "cache") in out
    next_command = out.strip().splitlines()[-1]
    assert next_command.startswith("Next: goldlabel audit multiclass ")
    code, out, err = run(*shlex.split(next_command)[2:])
    assert code == 0, err
    assert "284 of 10,000 examples look mislabelled" in out


def test_a_dataset_goes_where_it_should(run, data, tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDLABEL_DATA", str(data))
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("datasets", "fetch", "cifar10_test", "--out", "here")
    assert code == 0
    assert "Files:   here" in out
    assert Path("here/pred_probs.npy").exists()


def test_an_unknown_dataset(run):
    code, out, err = run("datasets", "fetch", "cifar10_tets")
    assert (code, out) == (2, "")
    assert "cifar10_test" in err
