"""``goldlabel export``: the dataset again, with its labels corrected, and nothing lost."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest


def snapshot(folder="."):
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def accounts(path):
    return pd.read_csv(path)["account"].tolist()


def test_sure_suggestions_are_put_in(audited, run):
    original = Path("bookings.csv").read_bytes()
    code, out, err = run("export", audited, "--out", "fixed.csv", "--auto")
    assert (code, err) == (0, "")
    assert out.startswith(
        "2 of 3 suspected labels changed unseen: fixed.csv\n"
        "Expected to be wrong: fewer than 1 of these 2, by the model's own estimate. "
    )
    assert accounts("fixed.csv") == ["food", "travel", "travel", "food", "food"]
    assert Path("bookings.csv").read_bytes() == original
    log = pd.read_csv("fixed.csv.changes.csv")
    assert list(log.columns) == [
        *("example", "id", "part", "given", "label", "score", "confidence", "decided_by"),
        "reason",
    ]
    assert log["id"].tolist() == ["train", "soup"]
    assert log["label"].tolist() == ["travel", "food"]
    assert log["confidence"].tolist() == [0.97, 0.99]
    assert log["reason"].tolist()[0] == "food is unlikely: travel at 0.97"


def test_the_confidence_can_be_chosen(audited, run):
    code, out, _ = run("export", audited, "--out", "fixed.csv", "--auto", "--min-confidence", "0.7")
    assert code == 0
    assert out.startswith("3 of 3 suspected labels changed")
    assert accounts("fixed.csv") == ["food", "travel", "travel", "travel", "food"]


def test_no_change_is_fine_and_says_what_to_try(audited, run):
    code, out, _ = run("export", audited, "--out", "fixed.csv", "--auto", "--min-confidence", "1")
    assert code == 0
    assert out.startswith("0 of 3 suspected labels changed")
    assert accounts("fixed.csv") == accounts("bookings.csv")
    assert len(pd.read_csv("fixed.csv.changes.csv")) == 0
    assert out.strip().endswith("Next: goldlabel decisions audit")


def test_an_edited_change_log_is_a_file_of_decisions(audited, run):
    _, out, _ = run("export", audited, "--out", "fixed.csv", "--auto", "--min-confidence", "0")
    log = pd.read_csv("fixed.csv.changes.csv")
    log.loc[log["id"] == "train", "label"] = "food"  # no, it was right
    log.to_csv("fixed.csv.changes.csv", index=False)
    words = out.strip().rpartition("then goldlabel ")[2].split()
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    assert out.startswith("2 labels changed, 1 kept as given, 0 undecided: reviewed-fixed.csv\n")
    assert accounts("reviewed-fixed.csv") == ["food", "food", "travel", "travel", "food"]
    changes = pd.read_csv("reviewed-fixed.csv.changes.csv")
    assert set(changes["decided_by"]) == {"fixed.csv.changes.csv"}


def test_json(audited, run):
    code, out, _ = run("export", audited, "--out", "fixed.csv", "--auto", "--json")
    assert code == 0
    assert json.loads(out) == {
        "out": "fixed.csv",
        "change_log": "fixed.csv.changes.csv",
        "changed": 2,
        "examples": 5,
        "findings": 3,
        "expected_wrong": 0.0,
    }


def test_nothing_is_changed_unless_one_says_what(audited, run):
    before = snapshot()
    code, out, err = run("export", audited, "--out", "fixed.csv")
    assert (code, out) == (2, "")
    assert "--reviewed, --decisions: are missing, and nothing is changed by default" in err
    assert "goldlabel decisions audit" in err
    assert "--auto" in err
    assert snapshot() == before


def test_the_whole_way_through_a_table_of_decisions(audited, run):
    code, out, err = run("decisions", audited)
    assert (code, err) == (0, "")
    assert out.startswith("3 labels to decide, worst first: audit/decisions.csv\n")
    table = pd.read_csv("audit/decisions.csv", keep_default_na=False)
    assert table["label"].tolist() == ["", "", ""]
    assert table["score"].is_monotonic_increasing
    table["label"] = [table["suggested"][0], table["given"][1], ""]
    table.to_csv("audit/decisions.csv", index=False)
    assert run("decisions", audited)[0] == 2  # what was decided is not lost
    code, out, err = run(*out.strip().rpartition("then goldlabel ")[2].split())
    assert (code, err) == (0, "")
    assert out.startswith("1 label changed, 1 kept as given, 1 undecided: bookings-corrected.csv\n")
    assert run("decisions", audited, "--force")[0] == 0


@pytest.mark.parametrize(
    "words",
    [("--auto", "--decisions", "d.csv"), ("--min-confidence", "0.5", "--decisions", "d.csv")],
)
def test_options_that_exclude_each_other(audited, run, words):
    Path("d.csv").write_text("example,label\n1,travel\n")
    code, _, err = run("export", audited, "--out", "fixed.csv", *words)
    assert code == 2
    assert err.startswith(f"goldlabel: {words[0]}: ")


def test_what_exists_is_replaced_with_force_only(audited, run):
    Path("fixed.csv").write_text("mine")
    before = snapshot()
    code, _, err = run("export", audited, "--out", "fixed.csv", "--auto")
    assert code == 2
    assert err == ("goldlabel: fixed.csv: exists. Name another file, or replace it with --force.\n")
    assert snapshot() == before
    assert run("export", audited, "--out", "fixed.csv", "--auto", "--force")[0] == 0
    assert accounts("fixed.csv")[1] == "travel"


def test_a_change_log_that_exists_is_not_lost_either(audited, run):
    Path("fixed.csv.changes.csv").write_text("mine")
    code, _, err = run("export", audited, "--out", "fixed.csv", "--auto")
    assert code == 2
    assert "fixed.csv.changes.csv: exists" in err
    assert not Path("fixed.csv").exists()


@pytest.mark.parametrize(
    "name", ["bookings.csv", "./audit/../bookings.csv", "link.csv", "hard.csv"]
)
def test_the_dataset_itself_is_never_replaced(audited, run, name):
    Path("link.csv").symlink_to("bookings.csv")
    os.link("bookings.csv", "hard.csv")
    before = snapshot()
    code, _, err = run("export", audited, "--out", name, "--auto", "--force")
    assert code == 2
    assert "is what the export reads" in err
    assert snapshot() == before


def test_predictions_and_decisions_are_never_replaced(table, run):
    Path("rates.csv").write_text("1")
    assert run("audit", "ledger", table, "--rates", "rates.csv", "--out", "audit")[0] == 0
    assert run("export", "audit", "--out", "rates.csv", "--auto", "--force")[0] == 2
    Path("mine.csv.changes.csv").write_text("example,label\n1,travel\n")
    words = ("--decisions", "mine.csv.changes.csv", "--force")
    code, _, err = run("export", "audit", "--out", "mine.csv", *words)
    assert code == 2
    assert "mine.csv.changes.csv: is what the export reads" in err


def test_a_dataset_that_has_changed_is_refused(audited, run):
    with Path("bookings.csv").open("a") as file:
        file.write("ferry,travel,travel,0.9\n")
    code, _, err = run("export", audited, "--out", "fixed.csv", "--auto")
    assert code == 2
    assert "bookings.csv: has changed since the audit. Run the audit again" in err
    assert not Path("fixed.csv").exists()


def test_a_dataset_that_is_gone_is_refused(audited, run):
    Path("bookings.csv").unlink()
    code, _, err = run("export", audited, "--out", "fixed.csv", "--auto")
    assert code == 2
    assert "is no longer there" in err


def test_predictions_may_be_gone(table, run):
    Path("rates.csv").write_text("1")
    assert run("audit", "ledger", table, "--rates", "rates.csv", "--out", "audit")[0] == 0
    Path("rates.csv").unlink()
    assert run("export", "audit", "--out", "fixed.csv", "--auto")[0] == 0


def test_an_export_that_fails_leaves_nothing(audited, run, monkeypatch):
    from ledger import bookings

    def fail(source, corrections, out):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bookings, "export", fail)
    before = snapshot()
    code, _, err = run("export", audited, "--out", "fixed.csv", "--auto")
    assert code == 2
    assert "cannot be written (No space left on device)" in err
    assert snapshot() == before


@pytest.mark.parametrize(
    "words",
    [
        ("nothing", "--auto", "--out", "fixed.csv"),
        ("bookings.csv", "--auto", "--out", "fixed.csv"),
        (".", "--auto", "--out", "fixed.csv"),
        ("audit", "--auto", "--out", "no/such/folder.csv"),
        ("audit", "--auto", "--out", "audit", "--force"),
        ("audit", "--auto", "--out", "fixed.csv", "--min-confidence", "1.5"),
        ("audit", "--auto", "--out", "fixed.csv", "--min-confidence", "nan"),
        ("audit", "--auto", "--out", "fixed.csv", "--min-confidence", "high"),
        ("audit", "--out", "fixed.csv", "--decisions", "nothing.csv"),
        ("audit", "--out", "fixed.csv", "--decisions", "wrong.csv"),
    ],
    ids=" ".join,
)
def test_a_mistake_exits_2_and_leaves_everything_as_it_was(audited, run, words):
    Path("wrong.csv").write_text("example,label\n1,travel\n99,food\n")
    before = snapshot()
    code, out, err = run("export", *words)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert snapshot() == before


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
@pytest.mark.parametrize("name", ["fixed.csv", "fixed.csv.changes.csv"])
@pytest.mark.parametrize("target", ["/dev/null", "nothing", "pipe"])
def test_only_regular_files_are_replaced(audited, run, target, name, force):
    if target == "pipe":
        os.mkfifo(name)
    else:
        Path(name).symlink_to(target)
    kind, before = Path(name).lstat().st_mode, snapshot()
    code, out, err = run("export", audited, "--out", "fixed.csv", "--auto", *force)
    assert (code, out) == (2, "")
    assert f"{name}: is no regular file" in err
    assert Path(name).lstat().st_mode == kind
    assert snapshot() == before


@pytest.mark.parametrize(
    "words", [("export", "--auto"), ("export", "--auto", "--force"), ("select", "--force")]
)
def test_a_device_is_no_place_for_results(audited, run, words):
    before = os.lstat("/dev/null")
    code, out, err = run(words[0], audited, "--out", "/dev/null", *words[1:])
    assert (code, out) == (2, "")
    assert "/dev/null: is no regular file" in err
    assert os.lstat("/dev/null").st_ino == before.st_ino


def test_decisions_are_read_from_regular_files(audited, run):
    os.mkfifo("decisions.csv")
    for name in ("decisions.csv", "/dev/zero", "audit"):
        code, _, err = run("export", audited, "--out", "fixed.csv", "--decisions", name)
        assert code == 2
        assert "is not a regular file" in err or "is a folder" in err
    assert not Path("fixed.csv").exists()


def test_a_task_that_is_not_installed(audited, run, monkeypatch):
    import importlib.metadata

    from goldlabel import task

    monkeypatch.setattr(task, "entry_points", lambda **_: importlib.metadata.EntryPoints())
    code, _, err = run("export", audited, "--out", "fixed.csv", "--auto")
    assert code == 2
    assert "task: is 'ledger'" in err
