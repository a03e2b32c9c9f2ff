"""From the command line to a corrected file: what is found, shown, written and exported."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from goldlabel import Ragged, report
from goldlabel.cli import main
from goldlabel.report.pieces import pieces_of
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks import token

CLASSES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
SENTENCE = [("Ann", 1), ("Lee", 2), ("lives", 0), ("in", 0), ("New", 3), ("York", 4)]


@pytest.fixture
def files(tmp_path):
    """Twenty sentences: in 3 the person is a place, 5 lacks the place, 7 has "York" alone."""
    wrong = {3: {0: 3, 1: 4}, 5: {4: 0, 5: 0}, 7: {4: 0, 5: 3}}
    lines = []
    for number in range(20):
        given = [wrong.get(number, {}).get(at, tag) for at, (_, tag) in enumerate(SENTENCE)]
        lines += [f"{w} {CLASSES[t]}" for (w, _), t in zip(SENTENCE, given, strict=True)]
        lines += [""]
    (tmp_path / "a.conll").write_text("\n".join(lines))
    right = np.array([tag for _ in range(20) for _, tag in SENTENCE])
    probs = np.where(np.eye(5)[right] > 0, 0.96, 0.01)
    np.savez(tmp_path / "p.npz", probs=probs, lengths=[6] * 20, labels=np.array(CLASSES))
    return tmp_path


def run(*words):
    assert main([str(word) for word in words]) == 0


def audit(files, *more):
    words = ["audit", "token", files / "a.conll", "--pred-probs", files / "p.npz"]
    run(*words, "--out", files / "out", *more)


def test_the_whole_way(files, capsys):
    audit(files)
    printed = capsys.readouterr().out
    assert "3 of 20 examples look mislabelled (15%)" in printed
    for kind, count in (("Wrong type", 1), ("Wrong boundary", 1), ("Missed entity", 1)):
        assert f"{kind}              "[:16] in printed
        assert any(line.split() == [*kind.split(), str(count)] for line in printed.splitlines())
    assert "[Ann Lee] lives in New York" in printed
    assert "'Ann Lee' (tokens 0 to 1) is an entity of another type" in printed.replace(
        "\n     ", " "
    )
    run("export", files / "out", "--out", files / "new.conll", "--auto")
    fixed = token.read(files / "new.conll", classes=CLASSES)
    assert all(codes.tolist() == [tag for _, tag in SENTENCE] for codes in fixed.labels)
    before, after = ((files / name).read_text().splitlines() for name in ("a.conll", "new.conll"))
    changed = [i for i, pair in enumerate(zip(before, after, strict=True)) if len(set(pair)) > 1]
    assert [divmod(at, 7) for at in changed] == [(3, 0), (3, 1), (5, 4), (5, 5), (7, 4), (7, 5)]


def test_what_is_written(files):
    audit(files)
    issues = LabelIssues.from_parquet(files / "out")
    assert issues.parts.kind_counts()["wrong type"] == 1
    assert issues.parts.leads.sum() == 3
    parts = pd.read_parquet(files / "out" / "issues.parquet")
    assert parts["token"].tolist()[:2] == ["Ann", "Lee"]
    entities = pd.read_parquet(files / "out" / "entities.parquet")
    assert entities[["example", "start", "end", "text", "kind"]].values.tolist() == [
        [3, 0, 2, "Ann Lee", "wrong type"],
        [5, 4, 6, "New York", "missed entity"],
        [7, 4, 6, "New York", "wrong boundary"],
    ]
    summary = json.loads((files / "out" / "summary.json").read_text())
    assert summary["kinds"]["missed entity"] == 1
    assert summary["figures"]["tokens"] == 120


def test_the_report_shows_tags_above_and_below(files):
    found = token.audit(files / "a.conll", pred_probs=files / "p.npz")
    [scene] = found.view.scenes([7])
    assert [tuple(piece) for piece in pieces_of(scene)[2:]] == [
        ("in", "", ""),
        ("New", "O", "LOC"),
        ("York", "LOC", "… LOC"),
    ]
    text = report.render(found)
    assert '<small class="old"><span class="spoken">given </span>O</small>' in text
    assert '<small class="new"><span class="spoken">suggested </span>→ LOC</small>' in text
    at = [text.index(piece) for piece in ('"old"', 'class="word"', '"new"')]
    assert at == sorted(at)
    for title in ("Words most often in question", "Given and suggested tags", "Classes"):
        assert title in text


def test_token_by_token(files, capsys):
    audit(files, "--scheme", "none", "--filter-by", "predicted_neq_given", "--json")
    summary = json.loads(capsys.readouterr().out)
    assert summary["kinds"] == {"label error": 6}
    assert not (files / "out" / "entities.parquet").exists()


def test_decisions_of_a_person(files):
    audit(files)
    (files / "d.csv").write_text("example,part,label\n3,0,B-PER\n3,1,I-PER\n5,4,\n")
    run("export", files / "out", "--out", files / "new.conll", "--decisions", files / "d.csv")
    pairs = zip(
        (files / "a.conll").read_text().splitlines(),
        (files / "new.conll").read_text().splitlines(),
        strict=True,
    )
    assert [pair for pair in pairs if len(set(pair)) > 1] == [
        ("Ann B-LOC", "Ann B-PER"),
        ("Lee I-LOC", "Lee I-PER"),
    ]


def test_an_illegal_sequence_is_an_issue_of_its_own_kind():
    labels = [["O", "I-PER", "O"]] + [["B-PER", "I-PER", "O"]] * 9
    probs = np.full((10, 3, 3), 0.02)
    names = ["O", "B-PER", "I-PER"]
    for row, tags in enumerate(labels):
        for at, tag in enumerate(tags):
            probs[row, at, names.index(tag)] = 0.96
    probs[0, 1] = [0.02, 0.49, 0.49]
    issues = token.find_label_issues(labels, probs, classes=names, min_examples_per_class=0)
    table = issues.to_frame("part")
    assert table[["example", "part", "kind", "given", "suggested"]].values.tolist() == [
        [0, 1, "invalid tag sequence", "I-PER", "B-PER"]
    ]
    assert "may not stand here" in table["reason"][0]
    found = token.find_invalid_tags(labels)
    assert found.values.tolist() == [[0, 1, "I-PER", "B-PER"]]
    unknown = [["O", None, "I-PER"], ["B-PER", "I-PER", "O"]]
    assert not len(token.find_invalid_tags(unknown, scheme="iob2"))


def test_tokens_left_out_are_left_out_of_everything():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), 40)
    labels = rng.integers(0, 3, 40)
    offsets = np.arange(0, 41, 8)
    some = np.array([0, 9, 10, 39])
    holes = np.append(labels, -100)[np.where(np.isin(np.arange(40), some), 40, np.arange(40))]
    kept = np.setdiff1d(np.arange(40), some)
    shorter = np.append(0, np.cumsum(~np.isin(np.arange(40), some)))[offsets]
    options = dict(scheme="none", aggregator="softmin", min_examples_per_class=0)
    mine = token.find_label_issues(Ragged(holes, offsets), Ragged(probs, offsets), **options)
    other = token.find_label_issues(
        Ragged(labels[kept], shorter), Ragged(probs[kept], shorter), **options
    )
    np.testing.assert_array_equal(mine.scores, other.scores)
    np.testing.assert_array_equal(mine.is_issue, other.is_issue)
    assert mine.parts.score.tolist() == other.parts.score.tolist()


def test_every_way_to_pass_the_same():
    rng = np.random.default_rng(1)
    lengths = np.array([3, 0, 5, 2] * 10)
    ends = np.append(0, np.cumsum(lengths))
    labels, probs = rng.integers(0, 3, ends[-1]), rng.dirichlet(np.ones(3), ends[-1])
    padded, padded_labels = np.zeros((40, 6, 3)), np.full((40, 6), -100)
    inside = np.arange(6) < lengths[:, None]
    padded[inside], padded_labels[inside] = probs, labels
    names = np.array(["a", "b", "c"], dtype=object)
    lists = [labels[a:b].tolist() for a, b in itertools.pairwise(ends)]
    ways = [
        (Ragged(labels, ends), Ragged(probs, ends)),
        (Ragged(labels, ends), probs),
        (labels, Ragged(probs, ends)),
        (lists, [probs[a:b] for a, b in itertools.pairwise(ends)]),
        (lists, [probs[a:b].tolist() for a, b in itertools.pairwise(ends)]),
        (lists, padded),
        (Ragged(labels, ends), padded),
        (padded_labels, padded),
        (Ragged(names[labels], ends), pd.DataFrame(probs, columns=["a", "b", "c"])),
    ]
    found = [token.find_label_issues(*way, min_examples_per_class=0) for way in ways]
    for each in found[1:]:
        np.testing.assert_array_equal(each.scores, found[0].scores)
        np.testing.assert_array_equal(each.parts.example, found[0].parts.example)
        np.testing.assert_array_equal(each.parts.part, found[0].parts.part)


def test_a_memory_map_is_not_read_into_memory(tmp_path):
    """Eight million probabilities of a padded array on disk, in a process of its own."""
    n, t, k = 8000, 20, 50
    rng = np.random.default_rng(0)
    probs = np.lib.format.open_memmap(tmp_path / "p.npy", "w+", np.float64, (n, t, k))
    labels = rng.integers(0, k, (n, t))
    for start in range(0, n, 1000):
        block = rng.random((1000, t, k)) * 0.01
        rows, columns = np.ogrid[:1000, :t]
        block[rows, columns, labels[start : start + 1000]] += 2.0
        probs[start : start + 1000] = block / block.sum(axis=2, keepdims=True)
    probs.flush()
    labels[:, 15:] = -100
    labels[::50, 0] = (labels[::50, 0] + 1) % k
    np.save(tmp_path / "labels.npy", labels)
    script = """
import resource, sys
import numpy as np
from goldlabel.tasks import token
folder = sys.argv[1]
labels = np.load(folder + "/labels.npy")
token.find_label_issues(labels[:50], np.full((50, 20, 50), 0.02), scheme="none",
                        min_examples_per_class=0)
probs = np.load(folder + "/p.npy", mmap_mode="r")
def own():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
import threading, time
peak, done = [0], []
def watch():
    while not done:
        peak[0] = max(peak[0], own())
        time.sleep(0.002)
watcher = threading.Thread(target=watch)
before = own()
watcher.start()
found = token.find_label_issues(labels, probs, filter_by="predicted_neq_given")
done.append(1)
watcher.join()
print(found.num_issues, peak[0] - before, probs.nbytes // 1024)
"""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(tmp_path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    flagged, own, size = map(int, ran.stdout.split())
    assert flagged == n // 50
    assert own < size // 4, f"{own} kB of its own for a map of {size} kB"
