"""`goldlabel review` and what is done with its log: decisions, merge, export."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from goldlabel.actions.corrections import decided
from goldlabel.results.label_issues import LabelIssues, Parts
from goldlabel.review.acting import Answered, decide
from goldlabel.review.session import Review


def say(folder, name, *answers, log=None):
    """Decide as a page would: example, verdict, and a label for "set"."""
    review = Review(folder, name=name, log=log)
    for example, verdict, *label in answers:
        answer = {"verdict": verdict, **({"label": label[0]} if label else {})}
        uid = f"{name} {example} {verdict} {label}"
        decide(review, uid, review.reviewer, [Answered(example, 0, answer)], seconds=2.5)
    review.close()


def labels(path):
    return pd.read_csv(path)["account"].tolist()


def test_it_prints_and_opens_the_address_and_says_what_is_next(audited, run, opened):
    say(audited, "ana", (1, "accept"), (4, "keep"))
    code, out, err = run("review", audited, "--name", "ana")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("Review: http://127.0.0.1:")
    assert lines[0].endswith(opened[0])
    assert lines[3].startswith("2 labels decided, 1 of them changed; 1 examples undecided:")
    assert lines[-1] == "Next: goldlabel export audit --reviewed --out bookings-corrected.csv"
    run("review", audited, "--no-open")
    assert len(opened) == 1


def test_a_third_partys_task_is_reviewed_and_exported(audited, run):
    before = labels("bookings.csv")
    say(audited, "ana", (1, "accept"), (3, "set", "food"), (4, "unsure"))
    code, out, err = run("export", audited, "--reviewed", "--out", "fixed.csv")
    assert (code, err) == (0, "")
    assert out.startswith("1 label changed, 1 kept as given, 1 undecided: fixed.csv\n")
    after = labels("fixed.csv")
    assert [at for at, pair in enumerate(zip(before, after, strict=True)) if len({*pair}) > 1] == [
        1
    ]
    assert after[1] == "travel"


def test_the_table_has_what_is_decided_and_what_is_not(audited, run):
    say(audited, "ana", (1, "accept"), (4, "unsure"))
    code, out, err = run("decisions", audited)
    assert (code, err) == (0, "")
    assert out.startswith("1 label decided, 1 left open by a reviewer, 1 undecided: audit/dec")
    table = pd.read_csv("audit/decisions.csv", keep_default_na=False).set_index("example")
    assert table["label"].to_dict() == {1: "travel", 3: "", 4: ""}
    assert table.loc[1, ["kind", "verdict", "decided_by"]].tolist() == [
        "label error",
        "accept",
        "ana",
    ]
    assert table.loc[3, "suggested"] == "travel"
    status = pd.read_csv("audit/decisions.csv.statuses.csv")
    assert status[["example", "status"]].to_numpy().tolist() == [[4, "unsure"]]
    assert run("decisions", audited)[0] == 2  # what may have been edited is not lost
    code, out, _ = run(
        "export", audited, "--decisions", "audit/decisions.csv", "--out", "fixed.csv"
    )
    assert (code, out.split(":")[0]) == (0, "1 label changed, 0 kept as given, 2 undecided")


def test_reviews_are_merged_and_conflicts_settled(audited, run):
    shutil.copytree(audited, "other")
    say(audited, "ana", (1, "accept"), (3, "accept"))
    say("other", "ben", (1, "keep"), (4, "accept"))
    code, out, err = run("decisions", audited, "--merge", "other")
    assert (code, err) == (0, "")
    assert out.startswith("2 new actions from other\n2 labels decided")
    assert "1 in conflict, left undecided" in out
    code, out, _ = run("decisions", audited, "--merge", "other/review.sqlite", "--force")
    assert out.startswith("0 new actions from other/review.sqlite\n2 labels decided")
    run("decisions", audited, "--conflicts", "latest", "--out", "latest.csv")
    table = pd.read_csv("latest.csv", keep_default_na=False).set_index("example")
    assert table["label"].to_dict() == {1: "food", 3: "travel", 4: "food"}
    code, out, _ = run("export", audited, "--reviewed", "--out", "fixed.csv")
    assert "1 left as given: reviewers differ about them." in out


def test_earlier_decisions_are_taken_over_and_give_way(audited, run):
    Path("mine.csv").write_text("example,label\n1,travel\n3,food\n")
    code, out, err = run("review", audited, "--decisions", "mine.csv", "--no-open")
    assert (code, err) == (0, "")
    assert out.startswith("2 labels decided in mine.csv\n")
    run("review", audited, "--decisions", "mine.csv", "--no-open")
    say(audited, "ana", (1, "keep"))
    review = Review(audited)
    assert review.log.last() == 2
    decision = review.state.decision(1)
    assert (decision.verdict.verdict, decision.overrules) == ("keep", True)
    assert review.state.decision(3).verdict.label == "food"
    review.close()


def test_another_audit_of_the_same_table_is_another_round(audited, run):
    say(audited, "ana", (1, "accept"), (4, "keep"))
    table = pd.read_csv("bookings.csv")
    run("audit", "ledger", "bookings.csv", "--id", "name", "--out", "audit", "--strip")
    review = Review(audited)
    assert len(review.decisions()) == 2
    assert review.dropped() == 0
    review.close()

    # The table has changed: what is found by its id, with the same label, holds on.
    table = table.iloc[::-1]
    table.loc[table["name"] == "soup", "account"] = "other"
    table.to_csv("bookings.csv", index=False)
    assert run("audit", "ledger", "bookings.csv", "--id", "name", "--out", "audit")[0] == 0
    review = Review(audited)
    assert [(each.verdict.id, each.verdict.label) for each in review.decisions()] == [
        ("train", "travel")
    ]
    assert [each.verdict.example for each in review.decisions()] == [3]
    assert review.dropped() == 1
    review.close()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("review", "nowhere"), "nowhere: does not exist"),
        (("review", "audit", "--log", "bookings.csv"), "bookings.csv: cannot be used"),
        (("review", "audit", "--log", "no/where.sqlite"), "no/where.sqlite"),
        (("review", "audit", "--name", " "), "--name: is"),
        (("review", "audit", "--decisions", "nothing.csv"), "nothing.csv"),
        (("export", "audit", "--reviewed", "--out", "f.csv"), "audit/review.sqlite: is not there"),
        (("export", "audit", "--log", "x", "--auto", "--out", "f.csv"), "--log: says nothing"),
        (("decisions", "audit", "--merge", "nothing"), "nothing: is not there"),
        (("decisions", "audit", "--conflicts", "latest"), "audit/review.sqlite: is not there"),
    ],
)
def test_mistakes_exit_2(audited, run, words, message):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith(f"goldlabel: {message}")
    assert "Traceback" not in err


def test_a_folder_that_cannot_be_written_to_is_shown_with_read_only(audited, run):
    code, _, err = run("review", audited, "--read-only", "--no-open")
    assert (code, err) == (0, "")
    assert not Path("audit/review.sqlite").exists()
    say(audited, "ana", (1, "accept"), log="elsewhere.sqlite")
    assert (
        run("export", audited, "--reviewed", "--log", "elsewhere.sqlite", "--out", "f.csv")[0] == 0
    )


def test_a_box_that_was_kept_is_told_from_one_that_moves(tmp_path):
    """Both have the same class: what the row says in `verdict` makes the difference."""
    parts = Parts(
        example=np.array([0, 0, 1]),
        part=np.array([0, 1, 0]),
        kind=np.array([0, 0, 1]),
        given=np.array([0, 0, -1]),
        suggested=np.array([0, 0, 1]),
        score=np.array([0.1, 0.2, 0.3]),
        confidence=np.array([0.9, 0.8, 0.7]),
        kinds=("badly located", "overlooked"),
        evidence={
            "action": np.array(["move", "move", "add"], dtype=object),
            "x1": np.array([1.0, 2.0, 3.0]),
        },
    )
    issues = LabelIssues(
        task="boxes",
        scores=np.array([0.1, 0.3]),
        is_issue=np.array([True, True]),
        parts=parts,
        classes=("cat", "dog"),
    )
    path = tmp_path / "decisions.csv"
    path.write_text(
        "example,part,given,suggested,label,action,suggested_action,x1,verdict\n"
        "0,0,cat,cat,cat,,move,,keep\n0,1,cat,cat,cat,,move,,\n1,0,,dog,,,add,,keep\n"
    )
    found = decided(issues, path)
    assert found.changes[["example", "part", "action"]].to_numpy().tolist() == [[0, 1, "move"]]
    assert (found.kept, found.undecided) == (2, 0)
