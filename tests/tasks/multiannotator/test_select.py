"""``goldlabel select`` works from what the audit has decided, whatever method decided it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from goldlabel.cli import main
from goldlabel.tasks import multiannotator


@pytest.fixture
def votes(tmp_path):
    """Votes of nine people of very different skill on 80 items of three classes, and a model."""
    rng = np.random.default_rng(5)
    names = np.array(["cat", "dog", "owl"])
    true = rng.integers(0, 3, 80)
    rows = [
        (f"i{i}", f"w{j}", names[t if rng.random() < 0.35 + 0.07 * j else rng.integers(0, 3)])
        for i, t in enumerate(true)
        for j in rng.choice(9, 4, replace=False)
    ]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    frame.to_csv(tmp_path / "votes.csv", index=False)
    probs = rng.dirichlet(np.full(3, 0.2), 80)
    probs[np.arange(80), true] += 0.3
    model = pd.DataFrame(probs / probs.sum(axis=1, keepdims=True), columns=names)
    model.assign(id=[f"i{i}" for i in range(80)]).to_csv(tmp_path / "p.csv", index=False)
    return tmp_path


def run(*words):
    assert main([str(word) for word in words]) == 0


def selected(folder, *options):
    """Audit with these options, select 30, and return the tasks and the consensus they rest on."""
    out = folder / "-".join(["out", *(word.strip("-") for word in options if "." not in word)])
    run("audit", "multiannotator", folder / "votes.csv", "--out", out, "--quiet", *options)
    run("select", out, "-n", "30", "--out", out / "t.csv", "--force")
    return pd.read_csv(out / "t.csv"), pd.read_parquet(out / "consensus.parquet").set_index("id")


METHODS = ["majority_vote", "wawa", "dawid_skene", "one_coin", "glad", "mace"]


def test_the_probable_class_is_the_consensus_of_the_audit(votes):
    lists = {}
    for method in METHODS:
        tasks, consensus = selected(votes, "--consensus-method", method)
        agreed = consensus.loc[tasks["id"]]
        assert tasks["probable"].tolist() == agreed["consensus"].tolist()
        np.testing.assert_allclose(tasks["score"], agreed["quality"], atol=1e-5)
        assert tasks["score"].tolist() == sorted(tasks["score"])
        lists[method] = tuple(tasks["id"]), tuple(tasks["probable"])
    assert len(set(lists.values())) == len(METHODS)


def test_whom_to_ask_rests_on_the_quality_that_the_audit_gave(votes):
    """By each method another annotator is best; nobody is asked twice for an item."""
    frame = pd.read_csv(votes / "votes.csv")
    had = set(zip(frame["item"], frame["annotator"], strict=True))
    asked = {}
    for method in METHODS:
        tasks, _ = selected(votes, "--consensus-method", method)
        assert not had & set(zip(tasks["id"], tasks["annotator"], strict=True))
        asked[method] = tuple(tasks["annotator"])
    assert len(set(asked.values())) > 1


def test_calibration_and_quality_of_the_audit_are_kept(votes):
    model = ["--pred-probs", votes / "p.csv"]
    for options in (
        [],
        ["--calibrate-probs"],
        ["--quality-method", "agreement"],
        ["--consensus-method", "majority_vote"],
        ["--consensus-method", "glad"],
    ):
        tasks, consensus = selected(votes, *map(str, model), *options)
        agreed = consensus.loc[tasks["id"]]
        assert tasks["probable"].tolist() == agreed["consensus"].tolist()
        np.testing.assert_allclose(tasks["score"], agreed["active_learning_score"], atol=1e-5)
    plain = selected(votes, *map(str, model))[1]
    calibrated = selected(votes, *map(str, model), "--calibrate-probs")[1]
    assert (plain["quality"] != calibrated["quality"]).any()


def test_verbs_and_audit_take_the_same_method_where_none_is_named(tmp_path):
    """Single labels beside a model are their own consensus, in Python and on the command line."""
    (tmp_path / "v.csv").write_text("item,annotator,label\na,x,cat\nb,y,dog\nc,x,dog\n")
    (tmp_path / "p.csv").write_text("id,cat,dog\na,.4,.6\nb,.2,.8\nc,.3,.7\nd,.9,.1\n")
    words = ["audit", "multiannotator", tmp_path / "v.csv", "--pred-probs", tmp_path / "p.csv"]
    run(*words, "--out", tmp_path / "out", "--quiet")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["params"]["consensus_method"] == "majority_vote"
    frame = pd.read_parquet(tmp_path / "out" / "consensus.parquet")
    assert frame["consensus"].tolist() == ["cat", "dog", "dog", "cat"]
    found = multiannotator.get_consensus_labels(
        pd.read_csv(tmp_path / "v.csv"),
        pd.read_csv(tmp_path / "p.csv")[["cat", "dog"]],
        ids=list("abcd"),
    )
    assert found.method == "majority_vote"
    assert found.to_frame()["consensus"].tolist() == frame["consensus"].tolist()
    run("select", tmp_path / "out", "-n", "4", "--out", tmp_path / "t.csv")
    tasks = pd.read_csv(tmp_path / "t.csv")
    assert set(tasks["id"]) == set("abcd")
    assert tasks.set_index("id").loc["d", "probable"] == "cat"


def test_of_an_item_of_which_nothing_is_known_no_class_is_said(capsys, tmp_path):
    """And where everybody has labelled an item, nobody is named to do it."""
    (tmp_path / "v.csv").write_text("item,ann,bob\na,cat,dog\nb,,\nc,dog,dog\n")
    words = ["audit", "multiannotator", tmp_path / "v.csv", "--annotators", "ann,bob"]
    run(*words, "--out", tmp_path / "out", "--quiet")
    capsys.readouterr()
    run("select", tmp_path / "out", "-n", "3", "--out", tmp_path / "t.jsonl")
    printed = capsys.readouterr().out
    assert "None" not in printed
    assert "nan" not in printed
    assert printed.count("annotator:") == 1
    tasks = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert [task["id"] for task in tasks] == ["b", "a", "c"]
    assert tasks[0]["probable"] is None
    assert tasks[0]["annotator"] in ("ann", "bob")
    assert tasks[1]["annotator"] is None


DAMAGE = {
    "gone": (None, "consensus.parquet"),
    "no column": (lambda frame: frame.drop(columns="quality"), "has no column 'quality'"),
    "fewer items": (lambda frame: frame.iloc[1:], "does not have the items"),
    "another class": (lambda frame: frame.assign(consensus="cow"), "names the class 'cow'"),
    "no number": (lambda frame: frame.assign(quality="high"), "has quality 'high' in row 1"),
    "lists": (lambda frame: frame.assign(consensus=[["a"]] * len(frame)), "that is a list"),
    "not a share": (lambda frame: frame.assign(quality=7.0), "has quality 7.0 in row 1"),
}


@pytest.mark.parametrize("case", list(DAMAGE))
def test_tables_of_an_audit_that_do_not_fit_are_refused(votes, capsys, case):
    change, what = DAMAGE[case]
    selected(votes)
    path = votes / "out" / "consensus.parquet"
    if change is None:
        path.unlink()
    else:
        change(pd.read_parquet(path).astype({"consensus": str})).to_parquet(path)
    assert main(["select", str(votes / "out"), "--out", str(votes / "t.csv")]) == 2
    assert what in capsys.readouterr().err
    assert not (votes / "t.csv").exists()


def test_what_pandas_wrote_into_a_table_of_an_audit_is_not_trusted(votes):
    selected(votes)
    path = votes / "out" / "annotators.parquet"
    table = pq.read_table(path).replace_schema_metadata({b"pandas": b'{"columns": \x8a'})
    pq.write_table(table, path)
    assert main(["select", str(votes / "out"), "--out", str(votes / "t2.csv")]) == 0


def test_annotators_of_another_dataset_are_refused(votes, capsys):
    selected(votes)
    path = votes / "out" / "annotators.parquet"
    pd.read_parquet(path).replace({"annotator": {"w1": "x1"}}).to_parquet(path)
    assert main(["select", str(votes / "out"), "--out", str(votes / "t.csv")]) == 2
    assert "does not have the annotators" in capsys.readouterr().err
