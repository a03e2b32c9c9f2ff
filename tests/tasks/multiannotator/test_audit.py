"""From the command line to a corrected file: what is found, shown, written and exported."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from goldlabel.cli import main
from goldlabel.results.folder import read_audit
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks import multiannotator
from goldlabel.tasks.multiannotator import Votes, get_consensus_labels
from goldlabel.tasks.multiannotator.annotators import collusion
from goldlabel.tasks.multiannotator.annotators.drift import shifts
from goldlabel.tasks.multiannotator.annotators.report import annotator_table

PEOPLE = ("ann", "bob", "cyd", "dan", "eve")


@pytest.fixture
def files(tmp_path):
    """Sixty items of three classes, four honest annotators, and dan, who says "cat"; a model."""
    rng = np.random.default_rng(3)
    names = np.array(["cat", "dog", "owl"])
    true = rng.integers(0, 3, 60)
    rows = []
    for i, t in enumerate(true):
        for j, who in enumerate(PEOPLE):
            if (i + j) % 3 == 0 and who != "dan":
                continue
            c = 0 if who == "dan" else t if rng.random() < 0.9 else rng.integers(0, 3)
            rows.append((f"i{i}", who, names[c], f"2024-01-01 00:{i:02}:00", 4 + j, f"item {i}"))
    frame = pd.DataFrame(rows, columns=["task", "worker", "answer", "time", "seconds", "text"])
    frame.to_csv(tmp_path / "votes.csv", index=False)
    probs = np.full((62, 3), 0.1)
    probs[np.arange(60), true] = 0.8
    probs[60:] = [[0.4, 0.3, 0.3], [0.05, 0.9, 0.05]]
    model = pd.DataFrame(probs, columns=names)
    model.insert(0, "id", [f"i{i}" for i in range(62)])
    model.to_csv(tmp_path / "p.csv", index=False)
    return tmp_path


def run(*words):
    assert main([str(word) for word in words]) == 0


def audit(files, *more, model=True):
    words = ["audit", "multiannotator", files / "votes.csv", "--out", files / "out"]
    words += ["--pred-probs", files / "p.csv"] if model else []
    run(*words, *more)


def test_the_whole_way(files, capsys):
    audit(files)
    printed = capsys.readouterr().out
    assert "of 62 examples have votes against the consensus (" in printed
    assert "dan: cat → " in printed
    assert "Krippendorff alpha nominal" in printed
    assert "Consensus by CROWDLAB" in printed
    words = ["export", files / "out", "--out", files / "new.csv"]
    run(*words, "--auto", "--votes", "--min-confidence", "0.6")
    before = pd.read_csv(files / "votes.csv")
    after = pd.read_csv(files / "new.csv")
    changed = (before["answer"] != after["answer"]).to_numpy()
    assert 0 < changed.sum() < len(before) / 3
    assert before.drop(columns="answer").equals(after.drop(columns="answer"))
    log = pd.read_csv(files / "new.csv.changes.csv")
    assert len(log) == changed.sum()
    consensus = pd.read_parquet(files / "out" / "consensus.parquet").set_index("id")["consensus"]
    assert (log.set_index("id")["label"] == consensus[log["id"]].astype(str)).all()
    assert set(log["part"]) <= set(PEOPLE)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("auto", [[], ["--auto"]])
def test_an_export_writes_the_consensus_and_changes_no_vote(files, capsys, suffix, auto):
    audit(files, "--quiet", "--consensus-method", "wawa")
    run("export", files / "out", "--out", files / f"new{suffix}", *auto)
    assert "62 examples, each with its consensus" in capsys.readouterr().out
    readers = {
        ".csv": pd.read_csv,
        ".tsv": lambda path: pd.read_csv(path, sep="\t"),
        ".jsonl": lambda path: pd.read_json(path, lines=True),
        ".parquet": pd.read_parquet,
    }
    frame = readers[suffix](files / f"new{suffix}")
    decided = pd.read_parquet(files / "out" / "consensus.parquet")
    assert frame.columns.tolist() == ["item", "consensus", "quality"]
    assert frame["item"].tolist() == decided["id"].tolist()
    voted = decided["votes"].to_numpy() > 0
    assert frame["consensus"][voted].tolist() == decided["consensus"][voted].tolist()
    np.testing.assert_allclose(frame["quality"], decided["quality"], atol=1e-5)
    assert not (files / f"new{suffix}.changes.csv").exists()


def test_an_export_of_the_consensus_is_refused_where_it_must_be(files, capsys):
    audit(files, "--quiet", model=False)
    for out, words, what in (
        ("votes.csv", ["--force"], "is what the export reads"),
        ("p.csv", [], "exists"),
        ("new.xlsx", [], "ends with '.xlsx'"),
        ("new.csv", ["--votes"], "nothing is changed by default"),
    ):
        assert main(["export", str(files / "out"), "--out", str(files / out), *words]) == 2
        assert what in capsys.readouterr().err
    with (files / "votes.csv").open("a") as file:
        file.write("i1,eve,cat,,,\n")
    assert main(["export", str(files / "out"), "--out", str(files / "new.csv")]) == 2
    assert "changed" in capsys.readouterr().err
    assert not (files / "new.csv").exists()


def test_decisions_name_annotators(files):
    audit(files, "--quiet")
    first = pd.read_csv(files / "votes.csv").iloc[0]
    new = "owl" if first["answer"] != "owl" else "cat"
    (files / "d.csv").write_text(f"id,part,label\n{first.task},{first.worker},{new}\n")
    run("export", files / "out", "--out", files / "new.csv", "--decisions", files / "d.csv")
    before = (files / "votes.csv").read_text().splitlines()
    after = (files / "new.csv").read_text().splitlines()
    assert [a for a, b in zip(after, before, strict=True) if a != b] == [
        before[1].replace(f",{first.answer},", f",{new},")
    ]


def test_what_is_written(files):
    audit(files, "--quiet")
    out = files / "out"
    consensus = pd.read_parquet(out / "consensus.parquet")
    assert consensus.columns.tolist() == [
        *("id", "consensus", "quality", "agreement", "votes", "majority_vote", "wawa"),
        *("dawid_skene", "glad", "mace", "crowdlab", "active_learning_score"),
    ]
    assert len(consensus) == 62
    assert consensus["votes"].tolist()[60:] == [0, 0]
    assert consensus["consensus"].tolist()[60:] == ["cat", "dog"]
    assert consensus["crowdlab"].tolist() == consensus["consensus"].tolist()
    people = pd.read_parquet(out / "annotators.parquet").set_index("annotator")
    assert people.index[0] == "dan"
    assert "same class" in people.loc["dan", "remarks"]
    assert (people.drop("dan")["remarks"] == "").all()
    assert ((people["quality_low"] < people["quality"]) & (
        people["quality"] < people["quality_high"])).all()  # fmt: skip
    assert people["seconds_per_label"].sort_index().tolist() == [4, 5, 6, 7, 8]
    assert people.loc["dan", "usual_class"] == "cat"
    assert people.loc["dan", "usual_share"] == 1
    issues = LabelIssues.from_parquet(out)
    assert issues.part_names == tuple(sorted(PEOPLE))
    assert (issues.scores[60:] == 1).all()
    again, source, summary = read_audit(out)
    assert again.num_issues == issues.num_issues
    assert source.options["layout"] == "long"
    assert summary["kinds"] == {"wrong vote": len(issues.parts)}


def test_without_a_model(files, capsys):
    audit(files, "--methods", "majority_vote,wawa", model=False)
    assert "Consensus by Dawid-Skene: votes alone" in capsys.readouterr().out
    consensus = pd.read_parquet(files / "out" / "consensus.parquet")
    assert consensus.columns.tolist()[5:] == ["majority_vote", "wawa"]
    audit(files, "--consensus-method", "majority_vote", "--filter-by", "prune_by_noise_rate",
          "--quiet", model=False)  # fmt: skip


def test_the_page(files):
    audit(files, "--quiet")
    page = (files / "out" / "report.html").read_text()
    for text in (
        *("Annotators", "Agreement of annotators", "Methods", "Votes by consensus"),
        *("Most disputed items", "gives every item the same class", "item 3", "Fleiss"),
        "have votes against the consensus",
    ):
        assert text.lower() in page.lower(), text


def test_json(files, capsys):
    audit(files, "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["figures"]["annotators"] == 5
    worst = found["worst"][0]
    assert set(worst["fields"]) >= {"votes", "agreed", "model"}
    assert worst["text"] is None or worst["text"].startswith("item")


def test_the_consensus_as_files(files):
    audit(files, "--quiet", "--consensus", files / "c.csv", "--with-consensus", files / "w.csv")
    table = pd.read_csv(files / "c.csv")
    assert table.columns.tolist() == ["id", "consensus", "quality", "agreement", "votes"]
    whole = pd.read_csv(files / "w.csv")
    assert len(whole) == len(pd.read_csv(files / "votes.csv"))
    known = table.set_index("id")["consensus"]
    assert (whole["consensus"] == known[whole["task"]].to_numpy()).all()


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json"])
def test_select(files, capsys, suffix):
    audit(files, "--quiet")
    out = files / f"tasks{suffix}"
    run("select", files / "out", "-n", "6", "--out", out)
    assert "6 examples to label next, the least sure first" in capsys.readouterr().out
    if suffix == ".csv":
        rows = pd.read_csv(out).to_dict("records")
    elif suffix == ".jsonl":
        rows = [json.loads(line) for line in out.read_text().splitlines()]
    else:
        rows = [task["data"] for task in json.loads(out.read_text())]
    assert list(rows[0]) == [*("example", "id", "score", "votes", "probable", "annotator"), "text"]
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores)
    votes = pd.read_csv(files / "votes.csv")
    had = set(zip(votes["task"], votes["worker"], strict=True))
    asked = [(row["id"], row["annotator"]) for row in rows]
    assert not had & set(asked)
    assert "dan" not in {who for _, who in asked}
    consensus = pd.read_parquet(files / "out" / "consensus.parquet").set_index("id")
    lowest = consensus["active_learning_score"].nsmallest(6).index
    assert {row["id"] for row in rows} == set(lowest)


def test_select_in_other_ways(files):
    audit(files, "--quiet")
    run("select", files / "out", "-n", "5", "--out", files / "a.csv", "--at-random")
    run("select", files / "out", "-n", "5", "--out", files / "b.csv", "--at-random", "--seed", "0")
    run("select", files / "out", "-n", "5", "--out", files / "c.csv", "--at-random", "--seed", "1")
    a, b, c = ((files / f"{name}.csv").read_text() for name in "abc")
    assert a == b != c
    np.save(files / "x.npy", np.arange(62.0)[:, None] ** 2)
    words = ["--features", files / "x.npy", "--per-annotator", "1"]
    run("select", files / "out", "-n", "5", "--out", files / "d.csv", *words)
    chosen = pd.read_csv(files / "d.csv")
    assert chosen["annotator"].dropna().is_unique
    pool = pd.read_parquet(files / "out" / "consensus.parquet")["active_learning_score"]
    assert set(chosen["example"]) <= set(pool.nsmallest(25).index)
    assert chosen["example"][0] == pool.idxmin()
    run("select", files / "out", "--out", files / "e.json", "--json")


def test_select_refuses(files, capsys):
    audit(files, "--quiet")
    for words, said in (
        (["select", files / "out", "--out", files / "a.txt"], "ends with '.txt'"),
        (["select", files / "out", "--out", files / "votes.csv"], "exists"),
        (["select", files / "out", "--out", files / "votes.csv", "--force"], "was audited"),
        (["select", files / "nowhere", "--out", files / "a.csv"], "does not exist"),
    ):
        assert main([str(word) for word in words]) == 2
        assert said in capsys.readouterr().err
    with (files / "votes.csv").open("a") as file:
        file.write("i1,eve,cat,,,\n")
    assert main(["select", str(files / "out"), "--out", str(files / "a.csv")]) == 2
    assert "changed" in capsys.readouterr().err
    assert not (files / "a.csv").exists()


def test_counts_of_votes(tmp_path, capsys):
    (tmp_path / "n.csv").write_text("id,count_cat,count_dog\na,3,1\nb,0,2\nc,0,0\n")
    run("audit", "multiannotator", tmp_path / "n.csv", "--out", tmp_path / "out")
    printed = capsys.readouterr().out
    assert "it is not known who voted" in printed
    assert "Annotators" not in printed.split("Worst")[0]
    assert not (tmp_path / "out" / "annotators.parquet").exists()
    frame = pd.read_parquet(tmp_path / "out" / "consensus.parquet")
    assert frame["consensus"].tolist()[:2] == ["cat", "dog"]
    run("select", tmp_path / "out", "-n", "2", "--out", tmp_path / "t.csv")
    assert "annotator" not in pd.read_csv(tmp_path / "t.csv")


def honest(rng, items, skill, k=2):
    """Votes (len(items),) of one annotator on items whose class is their number modulo k."""
    true = items % k
    return np.where(rng.random(len(items)) < skill, true, (true + 1) % k)


def crowd(rng, extra, *, people=8, n=200):
    """Honest annotators on all items, and those of `extra`: functions of the items."""
    items = np.arange(n)
    columns = [honest(rng, items, 0.85) for _ in range(people)]
    columns += [each(items, columns) for each in extra]
    return np.column_stack(columns)


def remarks(labels):
    found = get_consensus_labels(labels)
    table = annotator_table(found).set_index("annotator")["remarks"]
    return [table[str(j)] for j in range(labels.shape[1])]


def test_odd_annotators_are_named_and_honest_ones_are_not():
    rng = np.random.default_rng(1)
    said = remarks(
        crowd(
            rng,
            [
                lambda items, _: np.zeros(len(items), int),
                lambda items, _: rng.integers(0, 2, len(items)),
                lambda items, others: others[0].copy(),
                lambda items, _: 1 - items % 2,
            ],
        )
    )
    assert said[8].startswith("gives every item the same class")
    assert said[9] == "no better than chance"
    assert said[10] == "same as 0 on 200 of 200 items"
    assert said[0] == "same as 10 on 200 of 200 items"
    assert "opposite" in said[11]
    assert said[1:8] == [""] * 7


def copies_plainly(consensus):
    """Return (annotator, other, items, equal votes) of copies, pair by pair on dense matrices."""
    votes, k = consensus.votes, consensus.votes.num_classes
    wide = np.full((votes.num_items, votes.num_annotators), -1)
    wide[votes.item, votes.annotator] = votes.label
    agreed = consensus.labels
    records = []
    for column in wide.T:
        counts = np.full((k, k), 1.0 / k)
        np.add.at(counts, (agreed[column >= 0], column[column >= 0]), 1.0)
        records.append(counts / counts.sum(axis=1, keepdims=True))
    pairs = [(a, b) for a in range(wide.shape[1]) for b in range(a + 1, wide.shape[1])]
    common = {(a, b): (wide[:, a] >= 0) & (wide[:, b] >= 0) for a, b in pairs}
    tested = sum(common[pair].sum() >= 20 for pair in pairs)
    found = []
    for a, b in pairs:
        items = common[a, b]
        equal = (wide[items, a] == wide[items, b]).sum()
        if items.sum() < 20 or equal < 0.98 * items.sum():
            continue
        p = (records[a][agreed[items]] * records[b][agreed[items]]).sum(axis=1)
        z = (equal - 0.5 - p.sum()) / np.sqrt(max((p * (1 - p)).sum(), 1e-9))
        if norm.sf(z) < 1e-3 / tested:
            found += [(a, b, items.sum(), equal), (b, a, items.sum(), equal)]
    return sorted(found)


@pytest.mark.parametrize("seed", range(6))
def test_copies_are_those_of_the_plain_twin(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    k = 2 + seed % 3
    labels = np.column_stack([honest(rng, np.arange(150), 0.7, k) for _ in range(10)])
    labels[:, 8] = labels[:, 0]
    labels[:, 9] = np.where(rng.random(150) < 0.99, labels[:, 3], 0)
    labels[rng.random(labels.shape) < 0.2 * (seed % 2)] = -1
    consensus = get_consensus_labels(labels)
    expected = copies_plainly(consensus)
    assert expected
    for block in (64, 3):
        monkeypatch.setattr(collusion, "BLOCK", block)
        copies = collusion.find_copies(consensus)
        rows = [
            (j, int(copies.others[j, s]), int(copies.items[j, s]), int(copies.same[j, s]))
            for j in range(10)
            for s in range(3)
            if copies.others[j, s] >= 0
        ]
        assert sorted(rows) == expected
        assert copies.count.sum() == len(expected)


def test_of_many_copies_a_few_are_named_and_the_others_counted():
    rng = np.random.default_rng(0)
    said = remarks(crowd(rng, [lambda items, others: others[0].copy()] * 4, people=20, n=400))
    assert said[0] == (
        "same as 20 on 400 of 400 items; same as 21 on 400 of 400 items;"
        " same as 22 on 400 of 400 items; and the same as 1 more"
    )
    assert said[23].endswith("and the same as 1 more")
    assert said[1:20] == [""] * 19


def test_of_too_much_work_the_same_annotators_are_kept_on_all_items(monkeypatch):
    rng = np.random.default_rng(1)
    labels = crowd(rng, [lambda items, others: others[0].copy()] * 3, n=60)
    consensus = get_consensus_labels(labels)
    monkeypatch.setattr(collusion, "WORK", 60 * 6**2)
    used = collusion._used(consensus.votes)
    assert used.votes_per_item.tolist() == [6] * 60
    assert sorted(set(used.votes_per_annotator.tolist())) == [0, 60]


@pytest.mark.parametrize("seed", range(5))
def test_honest_annotators_of_any_skill_are_left_alone(seed):
    rng = np.random.default_rng(seed)
    skills = [lambda items, _, s=s: honest(rng, items, s) for s in (0.7, 0.8, 0.95, 1.0, 1.0)]
    assert remarks(crowd(rng, skills)) == [""] * 13


def test_a_common_class_does_not_make_always_alike():
    rng = np.random.default_rng(0)
    labels = (rng.random((200, 6)) < 0.02).astype(int)
    labels[:25, 5] = 0
    labels = np.where(np.arange(200)[:, None] >= np.where(np.arange(6) == 5, 25, 200), -1, labels)
    assert remarks(labels)[5] == ""


def test_a_shift_is_found_where_it_is_and_only_there():
    rng = np.random.default_rng(0)
    n = 300
    votes = Votes.from_arrays(np.repeat(np.arange(n), 2), np.tile([0, 1], n), np.zeros(2 * n, int))
    right = np.empty(2 * n)
    right[0::2] = rng.random(n) < np.where(np.arange(n) < 180, 0.95, 0.6)
    right[1::2] = rng.random(n) < 0.8
    (found,) = shifts(votes, right, np.repeat(np.arange(n) * 60.0, 2))
    assert found.annotator == 0
    assert found.low <= 180 <= found.high
    assert found.high - found.low < 80
    assert found.before > 0.9
    assert found.after < 0.7
    assert found.p_value < 1e-3
    assert shifts(votes, right, np.full(2 * n, np.nan)) == []


def test_shifts_are_rarely_found_where_there_are_none():
    rng = np.random.default_rng(0)
    people, n = 200, 100
    votes = Votes.from_arrays(
        np.tile(np.arange(n), people), np.repeat(np.arange(people), n), np.zeros(people * n, int)
    )
    named = [
        len(shifts(votes, (rng.random(people * n) < 0.85).astype(float), rng.random(people * n)))
        for _ in range(5)
    ]
    assert sum(named) <= 1


def test_a_report_on_annotators_in_python():
    votes = {"item": [0, 0, 1, 1, 1], "annotator": list("ababc"), "label": list("xxyxy")}
    table = multiannotator.annotator_report(
        votes, consensus_method="majority_vote", seconds=[1, 2, 3, 4, 5]
    ).set_index("annotator")
    assert table.loc["b", "confused"] == "x for y (1 times)"
    assert table.loc["a", "worst_class_accuracy"] == 1
    assert table.loc["c", "labels"] == 1
    assert table["seconds_per_label"].to_dict() == {"a": 2, "b": 3, "c": 5}


def test_classes_in_sum():
    votes = {"item": [0, 0, 0, 1, 1], "annotator": list("abcab"), "label": list("xxyyy")}
    table = multiannotator.summarize(votes, consensus_method="majority_vote").set_index("class")
    assert table.loc["y"].to_dict() == {
        "items": 1, "quality": 1.0, "agreement": 1.0, "votes": 3,
        "label_noise": pytest.approx(1 / 3), "inverse_label_noise": 0.0,
    }  # fmt: skip
    assert table.loc["x", "inverse_label_noise"] == pytest.approx(1 / 3)


def test_items_that_everybody_has_labelled_come_last():
    labels = np.array([[0, 1], [0, -1], [1, 1], [-1, -1]])
    probs = np.array([[0.5, 0.5], [0.9, 0.1], [0.1, 0.9], [0.6, 0.4]])
    batch = multiannotator.select(labels, probs, n=4, per_annotator=4)
    assert batch["item"].tolist() == [3, 1, 0, 2]
    assert batch["annotator"].tolist()[2:] == [None, None]
    assert batch["annotator"].tolist()[1] == 1
    drawn = multiannotator.select(labels, probs, n=4, method="random")
    assert set(drawn["item"][:2]) == {1, 3}


def test_classes_whose_squares_are_infinite_are_no_numbers(tmp_path):
    rows = [(f"t{at}", who, ("1", "2", "1e308")[at % 3]) for at in range(9) for who in "abc"]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    frame.to_csv(tmp_path / "a.csv", index=False)
    found = multiannotator.audit(tmp_path / "a.csv", format="csv")
    assert found.issues.num_issues == 0
