"""Votes as people really have them: each case with its right answer, and more of its kind."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd
import pytest

from goldlabel.cli import main
from goldlabel.errors import InputError
from goldlabel.tasks.multiannotator import read


def audited(path, *options):
    """Audit a file of votes; return its consensus by item, its summary and its notes in a line."""
    out = path.parent / "out"
    words = ["audit", "multiannotator", path, "--out", out, "--quiet", *options]
    assert main([str(word) for word in words]) == 0
    consensus = pd.read_parquet(out / "consensus.parquet").set_index("id")
    summary = json.loads((out / "summary.json").read_text())
    return consensus, summary, " ".join(summary["notes"])


def votes_of(text, tmp_path, name="v.csv", **options):
    (tmp_path / name).write_text(text)
    return read(tmp_path / name, **options)


def said(data):
    """Return what was voted: (item, annotator, class)."""
    votes = data.votes
    return [
        (data.ids[i], data.annotators[j], data.classes[c])
        for i, j, c in zip(votes.item, votes.annotator, votes.label, strict=True)
    ]


# A class called None


def test_a_class_called_none(case):
    path = case("votes-class-called-none") / "stance.csv"
    consensus, summary, notes = audited(path, "--consensus-method", "majority_vote")
    assert consensus["consensus"].tolist() == [
        *("None", "Favor", "None"),
        *("Against", "Against", "None"),
    ]
    thirds = [2 / 3, 1, 1, 2 / 3, 2 / 3, 2 / 3]
    assert consensus["agreement"].tolist() == pytest.approx(thirds)
    counts = summary["figures"]
    assert counts["krippendorff_alpha_nominal"] == pytest.approx(0.3524, abs=5e-5)
    assert counts["fleiss_kappa"] == pytest.approx(0.3143, abs=5e-5)
    assert counts["votes"] == 18
    assert "left out" not in notes


LONG = "item,annotator,label\n"


@pytest.mark.parametrize("word", ["None", "none", "NONE"])
def test_none_in_a_row_for_a_vote_is_a_class(tmp_path, word):
    data = votes_of(f"{LONG}a,x,{word}\na,y,yes\nb,x,yes\nb,y,yes\n", tmp_path)
    assert data.classes == tuple(sorted([word, "yes"]))


@pytest.mark.parametrize("word", ["NA", "n/a", "null", "NaN"])
def test_another_word_is_one_if_it_is_as_frequent_as_the_classes_or_named(tmp_path, word):
    rare = f"{LONG}a,x,{word}\na,y,yes\nb,x,yes\nb,y,no\nc,x,no\n"
    data = votes_of(rare, tmp_path)
    assert data.classes == ("no", "yes")
    assert any("1 votes left out that say that there is no label" in n for n in data.notes)
    assert any(repr(word) in note for note in data.notes)
    assert len(votes_of(rare, tmp_path, classes=["yes", "no", word]).votes) == 5
    often = f"{LONG}a,x,{word}\na,y,{word}\nb,x,{word}\nb,y,yes\nc,x,no\n"
    assert set(votes_of(often, tmp_path).classes) == {word, "yes", "no"}


def test_none_in_a_cell_for_each_annotator(tmp_path):
    """A class where there are empty cells too, or an item of which everybody says it; else none."""
    wide = {"format": "wide"}
    gaps = "id,ann,bob,cyd\na,yes,None,no\nb,None,yes,yes\nc,no,no,None\n"
    data = votes_of(gaps, tmp_path, **wide)
    assert data.classes == ("no", "yes")
    assert len(data.votes) == 6
    assert any("3 votes left out" in note and "'None' (3)" in note for note in data.notes)
    assert "None" in votes_of(gaps, tmp_path, classes=["yes", "no", "None"], **wide).classes
    empty = "id,ann,bob,cyd\na,yes,None,no\nb,,yes,yes\nc,no,no,None\n"
    assert len(votes_of(empty, tmp_path, **wide).votes) == 8
    agreed = "id,ann,bob,cyd\na,yes,None,no\nb,None,None,None\nc,no,no,yes\n"
    assert len(votes_of(agreed, tmp_path, **wide).votes) == 9
    people = "id,ann,bob,cyd\na,yes,NA,no\nb,NA,NA,NA\nc,no,no,yes\n"
    assert len(votes_of(people, tmp_path, **wide).votes) == 5


def test_a_class_of_the_predictions_is_a_class(tmp_path):
    (tmp_path / "p.csv").write_text("id,yes,NA\na,.5,.5\nb,.5,.5\nc,.9,.1\n")
    text = f"{LONG}a,x,NA\na,y,yes\nb,x,yes\nb,y,yes\nc,x,yes\n"
    data = votes_of(text, tmp_path, pred_probs=tmp_path / "p.csv")
    assert data.classes == ("yes", "NA")
    assert len(data.votes) == 5


# Numbers are equal as numbers


def test_whole_numbers_of_pandas(case):
    path = case("votes-wide-int-and-float") / "ratings.csv"
    consensus, summary, _ = audited(path, "--format", "wide")
    assert consensus["consensus"].tolist() == list("12312312")
    issues = pd.read_parquet(path.parent / "out" / "issues.parquet")
    assert issues["id"].tolist() == ["t4"]
    counts = summary["figures"]
    assert counts["krippendorff_alpha_nominal"] == pytest.approx(0.860, abs=5e-4)
    assert counts["classes"] == 3


def test_an_export_writes_a_vote_as_its_column_does(case):
    folder = case("votes-wide-int-and-float")
    audited(folder / "ratings.csv", "--format", "wide")
    (folder / "d.csv").write_text("id,part,label\nt1,ann,3\nt4,bob,1\nt7,cyd,2\n")
    words = ["export", folder / "out", "--out", folder / "new.csv", "--decisions", folder / "d.csv"]
    assert main([str(word) for word in words]) == 0
    before = (folder / "ratings.csv").read_text().splitlines()
    after = (folder / "new.csv").read_text().splitlines()
    changed = [new for new, old in zip(after, before, strict=True) if new != old]
    assert changed == ["t1,3,1.0,", "t4,1,1.0,1.0", "t7,1,1.0,2.0"]


def test_numbers_are_one_class_across_rows_and_beside_names(tmp_path):
    data = votes_of(f"{LONG}a,x,1\na,y,1.0\nb,x,2\nb,y,2.00\nc,x,0.50\nc,y,.5\n", tmp_path)
    assert data.classes == (".5", "0.50", "1", "2") or len(data.classes) == 3
    data = votes_of(f"{LONG}a,x,1.0\na,y,0.0\n", tmp_path, classes=["0", "1"])
    assert data.classes == ("0", "1")
    assert data.votes.label.tolist() == [1, 0]
    data = votes_of(f"{LONG}a,x,01\na,y,1\n", tmp_path)
    assert data.classes == ("01", "1")  # codes, not numbers


def test_blanks_around_a_label_make_no_class(tmp_path):
    data = votes_of(f"{LONG}a,x,neg\na,y,neg \nb,x,pos\nb,y, neg\n", tmp_path)
    assert data.classes == ("neg", "pos")
    assert data.votes.label.tolist() == [0, 0, 1, 0]


# Items and annotators


def test_rows_of_one_id_are_one_item(case):
    consensus, _, notes = audited(case("hostile-crowd-ids") / "doccano.jsonl")
    assert consensus["votes"].tolist() == [3, 3, 3, 3]
    assert consensus["consensus"].tolist() == list("abab")
    assert "4 rows name an item again" in notes


def test_a_vote_without_an_item_is_named(case, capsys):
    path = case("hostile-crowd-ids") / "gap.jsonl"
    assert main(["audit", "multiannotator", str(path), "--out", str(path.parent / "out")]) == 2
    assert "row 8, column 'item': names no item" in capsys.readouterr().err


def test_ids_that_pandas_has_made_floats(tmp_path):
    data = votes_of(f"{LONG}100.0,1.0,a\n101.0,1.0,b\n100.0,2.0,a\n", tmp_path)
    assert data.ids.tolist() == ["100", "101"]
    assert data.annotators == ("1", "2")


# One bad vote ends no audit

GOOD = "a,x,cat\na,y,cat\nb,x,dog\nb,y,dog\nc,x,cat\nc,y,dog\n"


@pytest.mark.parametrize(
    ("row", "note"),
    [
        ("d,x,\n", "1 rows without a label"),
        ("d,,cat\n", "1 votes of nobody left out, the first in row 7"),
        ("d,x,   \n", "1 rows without a label"),
    ],
)
def test_a_row_that_is_no_vote_is_left_out_and_said(tmp_path, row, note):
    data = votes_of(LONG + GOOD + row, tmp_path)
    assert len(data.votes) == 6
    assert any(note in each for each in data.notes), data.notes


def test_a_vote_for_an_unknown_class_is_left_out_and_said(tmp_path):
    data = votes_of(LONG + GOOD + "d,x,cow\n", tmp_path, classes=["cat", "dog"])
    assert len(data.votes) == 6
    assert any("'cow' (1)" in note for note in data.notes)
    (tmp_path / "p.csv").write_text("id,cat,dog\n" + "".join(f"{i},.5,.5\n" for i in "abcd"))
    data = votes_of(LONG + GOOD + "d,x,cow\n", tmp_path, pred_probs=tmp_path / "p.csv")
    assert data.classes == ("cat", "dog")
    assert any("'cow' (1)" in note for note in data.notes)
    with pytest.raises(InputError, match="not one of the given classes"):
        votes_of(LONG + GOOD, tmp_path, classes=["owl", "cow"])


def test_a_number_that_no_class_has_is_left_out(tmp_path):
    rows = "".join(f"i{n},{who},{n % 3}\n" for n in range(9) for who in "xyz")
    data = votes_of(f"{LONG}{rows}i1,w,7\ni2,w,x\n", tmp_path, classes=["cat", "dog", "owl"])
    assert data.classes == ("cat", "dog", "owl")
    assert len(data.votes) == 27
    assert any("'7' (1)" in note and "'x' (1)" in note for note in data.notes)


@pytest.mark.parametrize("value", ["[1, 2]", "{}", "1e999"])
def test_a_value_that_names_no_class_is_left_out(tmp_path, value):
    rows = [
        f'{{"item": "{i}", "annotator": "{j}", "label": "ab"}}' for i in range(9) for j in "xyz"
    ]
    rows.append(f'{{"item": "0", "annotator": "w", "label": {value}}}')
    data = votes_of("\n".join(rows) + "\n", tmp_path, "v.jsonl")
    assert len(data.votes) == 27
    assert any("whose label can be no class" in note for note in data.notes)


def test_text_among_numbers_makes_classes_of_text(tmp_path):
    rows = [f'{{"item": "{i}", "annotator": "{j}", "label": 1}}' for i in "pqr" for j in "xy"]
    rows.append('{"item": "p", "annotator": "z", "label": "unclear"}')
    data = votes_of("\n".join(rows) + "\n", tmp_path, "v.jsonl")
    assert data.classes == ("1", "unclear")


def test_a_row_of_uneven_lists_is_left_out_and_said(tmp_path):
    text = "id,annotators,labels\na,x|y,cat|dog\nb,x|y,cat\nc,x|y,dog|dog\n"
    data = votes_of(text, tmp_path)
    assert len(data.votes) == 4
    assert any("row 2, has 2 annotators and 1 labels" in note for note in data.notes)


def test_of_two_votes_of_one_annotator_the_last_counts_and_a_note_says_so(tmp_path):
    data = votes_of(f"{LONG}a,x,cat\na,y,cat\na,x,dog\nb,x,dog\n", tmp_path)
    assert said(data) == [("a", "x", "dog"), ("a", "y", "cat"), ("b", "x", "dog")]
    assert any(
        "1 repeated votes of an annotator on an item left out (x on a): the last counts" in note
        for note in data.notes
    )


# Many annotators of few items


PEAK = """
import resource, sys
import goldlabel.cli
goldlabel.cli.main(["audit", "multiannotator", "few.parquet", "--out", "few", "--quiet"])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert goldlabel.cli.main(sys.argv[1:]) == 0
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_memory_grows_with_votes_not_with_pairs_of_annotators(case):
    """Of 8,000 annotators of the same five items 32 million pairs have items in common."""
    folder = case("hostile-crowd-pairs-memory")
    for people, name in ((50, "few.parquet"), (8000, "many.parquet")):
        subprocess.run([sys.executable, "make.py", str(people)], cwd=folder, check=True)
        (folder / "votes.parquet").rename(folder / name)
    words = ["audit", "multiannotator", "many.parquet", "--out", "many", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    assert int(done.stdout.split()[-1]) < 400  # MB; it was 3,000
