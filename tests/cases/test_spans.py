"""Tags and spans as annotation tools write them: what is right in each of the small cases."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from goldlabel.cli import main
from goldlabel.errors import InputError
from goldlabel.tasks import token


def tags(data):
    return [[data.classes[code] if code >= 0 else None for code in codes] for codes in data.labels]


def audit(folder, name, *more, probs="probs.jsonl"):
    words = ["audit", "token", folder / name, "--pred-probs", folder / probs]
    assert main([str(word) for word in (*words, "--out", folder / "audit", "--quiet", *more)]) == 0
    summary = json.loads((folder / "audit" / "summary.json").read_text())
    return summary, pd.read_parquet(folder / "audit" / "issues.parquet")


def decide(folder, name, *rows):
    """Export with decisions of a person; return the lines, or tasks, before and after."""
    decisions = folder / "decisions.csv"
    decisions.write_text("example,part,label\n" + "".join(f"{row}\n" for row in rows))
    words = ["export", folder / "audit", "--decisions", decisions, "--out", folder / "new.json"]
    assert main([str(word) for word in words]) == 0
    texts = [(folder / each).read_text() for each in (name, "new.json")]
    if name.endswith(".json"):
        return [json.loads(text) for text in texts]
    return [text.splitlines() for text in texts]


def test_brat(case):
    with pytest.raises(InputError, match="stand-off annotation of brat, which is not read"):
        token.read(case("brat-ann-misread") / "note-1.ann")


def test_columns_with_ids_and_two_layers(case):
    path = case("columns-with-ids-and-two-layers") / "train.tsv"
    data = token.read(path)
    assert data.tokens[:3] == ("Ana", "wohnt", "in")
    counts = Counter(tag for sentence in tags(data) for tag in sentence)
    assert counts == {"B-PER": 20, "B-LOC": 20, "I-LOC": 20, "B-ORG": 20, "I-ORG": 20, "O": 80}
    assert any("column 2 (B-PER, B-LOC" in note and "column 3" in note for note in data.notes)
    assert token.read(path, tag_column=3).classes == ("B-LOC", "O")


@pytest.mark.parametrize("name", ["text-under-data.jsonl", "labels-are-ids.jsonl"])
def test_doccano_older_exports(case, name, tmp_path):
    path = case("doccano-older-exports") / name
    data = token.read(path)
    person, place = ("12", "13") if "ids" in name else ("PERSON", "GPE")
    assert tags(data) == [
        [f"B-{person}", "O", f"B-{place}", "O"],
        [f"B-{person}", "O", "O", f"B-{place}", "O"],
        ["O", "O", "O"],
    ]
    change = pd.DataFrame({"example": [1], "part": [0], "suggested": [f"B-{place}"]})
    token.export(data.source, change, tmp_path / "new.jsonl")
    old, new = (each.read_text() for each in (path, tmp_path / "new.jsonl"))
    first = old.splitlines()[1]
    changed = first.replace(": 12,", ": 13,") if "ids" in name else first.replace("PERSON", "GPE")
    assert new == old.replace(first, changed)


def test_label_studio_offsets_against_own_text(case, tmp_path):
    path = case("label-studio-offsets-against-own-text") / "export.json"
    data = token.read(path)
    labeled = {
        (at, word): tag
        for at, sentence in enumerate(tags(data))
        for word, tag in zip(data.words(at), sentence, strict=True)
        if tag != "O"
    }
    assert labeled == {
        (0, "Ana"): "B-PERSON", (0, "Lisbon"): "B-GPE", (1, "Bruno"): "B-PERSON",
        (1, "Faro"): "B-GPE", (2, "Ana"): "B-PERSON", (2, "Lisbon"): "B-GPE",
    }  # fmt: skip
    notes = " ".join(data.notes)
    assert "1 texts count UTF-16 units" in notes
    assert "1 texts count characters, with CRLF as one" in notes
    at = data.words(0).index("today")
    change = pd.DataFrame({"example": [0], "part": [at], "suggested": ["B-GPE"]})
    token.export(data.source, change, tmp_path / "new.json")
    results = json.loads((tmp_path / "new.json").read_text())[0]["annotations"][0]["result"]
    assert [(each["value"]["start"], each["value"]["text"]) for each in results] == [
        (9, "Ana"), (18, "Lisbon"), (25, "today")
    ]  # fmt: skip


def test_label_studio_relations(case):
    folder = case("label-studio-relations")
    summary, issues = audit(folder, "export.json")
    assert not len(issues)
    assert "20 texts, 40 spans" in summary["notes"][0]
    assert "1 entries beside the spans" in summary["notes"][1]
    before, after = decide(folder, "export.json", "6,0,B-GPE")
    before[6]["annotations"][0]["result"][0]["value"]["labels"] = ["GPE"]
    assert after == before


def test_label_studio_span_with_two_labels(case):
    folder = case("label-studio-span-with-two-labels")
    summary, issues = audit(folder, "export.json")
    assert not len(issues)
    assert "1 spans have several labels" in " ".join(summary["notes"])
    before, after = decide(folder, "export.json", "20,2,B-PERSON")
    before[20]["annotations"][0]["result"][1]["value"]["labels"] = ["PERSON"]
    assert after == before


def test_one_span_out_of_text(case):
    folder = case("one-span-out-of-text")
    summary, issues = audit(folder, "letters.jsonl")
    assert summary["flagged"] == 3
    assert summary["figures"]["bad_labels"] == 3
    lines = {"span out of text": [8, 8], "cut word": [3, 3, 5, 5]}
    assert {kind: issues["example"][issues["kind"] == kind].tolist() for kind in lines} == lines
    outside = issues[issues["kind"] == "span out of text"]
    assert outside[["part", "suggested"]].values.tolist() == [[13, "B-NAME"], [14, "I-NAME"]]
    reasons = " ".join(issues["reason"])
    assert "NAME 55-64 (line 9, span 2)" in reasons
    for line, span in ((4, "20-28"), (6, "18-27")):
        assert f"NAME {span} (line {line}, span 0)" in reasons
    assert "characters 19-28" in reasons
    rows = [f"{row.example},{row.part},{row.suggested}" for row in issues.itertuples()]
    before, after = decide(folder, "letters.jsonl", *rows)
    for line, old, new in ((3, "[20, 28,", "[19, 28,"), (5, "[18, 27,", "[19, 28,"),
                           (8, "[55, 64,", "[51, 60,")):  # fmt: skip
        before[line] = before[line].replace(old, new)
    assert after == before


@pytest.mark.parametrize("probs", ["probs.jsonl", "probs-with-a-column-for-it.jsonl"])
def test_one_stray_tag(case, probs):
    folder = case("one-stray-tag")
    _, issues = audit(folder, "news.conll", probs=probs)
    columns = ["example", "part", "kind", "given_text", "suggested"]
    assert issues[columns].values.tolist() == [
        [32, 2, "not a tag", "0", "O"],
        [19, 3, "wrong type", "", "B-LOC"],
    ]
    assert token.read(folder / "news.conll").scheme == "iob2"
    before, after = decide(folder, "news.conll", "32,2,O")
    changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert changed == [("left\t0", "left\tO")]


def test_several_stray_tags(case):
    folder = case("one-stray-tag")
    lines = (folder / "news.conll").read_text().splitlines()
    slips = {"O": "o", "B-LOC": "B-Loc", "I-PER": "I-PER "}
    for tag, slip in slips.items():
        at = next(at for at, line in enumerate(lines) if line.endswith(f"\t{tag}"))
        lines[at] = lines[at].replace(tag, slip)
    (folder / "news.conll").write_text("\n".join(lines))
    _, issues = audit(folder, "news.conll")
    stray = issues[issues["kind"] == "not a tag"]
    assert dict(zip(stray["given_text"], stray["suggested"], strict=True)) == {
        "0": "O", "o": "O", "B-Loc": "B-LOC", "I-PER ": "I-PER",
    }  # fmt: skip
    assert issues["kind"].tolist().count("wrong type") == 1


def test_prodigy_rejected_and_ignored(case):
    folder = case("prodigy-rejected-and-ignored")
    summary, issues = audit(folder, "annotations.jsonl")
    assert (summary["examples"], len(issues)) == (30, 0)
    assert "1 rejected, 2 ignored" in " ".join(summary["notes"])
    examples = pd.read_parquet(folder / "audit" / "examples.parquet")
    assert examples["id"].iloc[29] == 33
    before, after = decide(folder, "annotations.jsonl", "29,0,B-GPE")
    changed = [at for at, pair in enumerate(zip(before, after, strict=True)) if len(set(pair)) > 1]
    assert changed == [32]


def test_spans_under_another_key(case):
    folder = case("spans-under-another-key")
    summary, issues = audit(folder, "docs.jsonl")
    assert "45 texts, 60 spans" in summary["notes"][0]
    assert not len(issues)
    text = (folder / "docs.jsonl").read_text().replace('"ents"', '"marks"')
    (folder / "docs.jsonl").write_text(text)
    with pytest.raises(InputError, match=r"no spans under a key.* only text, marks, tokens"):
        token.read(folder / "docs.jsonl")
    assert token.read(folder / "docs.jsonl", tags="marks").scheme == "iob2"


@pytest.mark.parametrize("roboflow", [False, True])
def test_label_studio_upload_prefix(case, roboflow, capsys):
    """Names with marks of an upload, in the labels or in the predictions."""
    folder = case("label-studio-upload-prefix")
    if roboflow:
        table = pd.read_csv(folder / "predictions.csv")
        stems = table["image"].str.removesuffix(".jpg")
        table["image"] = stems + "_jpg.rf.0a" + stems.str[-3:] + ".jpg"
        table.to_csv(folder / "predictions.csv", index=False)
    words = ["audit", "detection", folder / "project-3.json"]
    words += ["--predictions", folder / "predictions.csv", "--out", folder / "audit"]
    assert main([str(word) for word in words]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "matched to 24 images by file name without the marks of an upload" in printed
    assert "24 tasks, 95 rectangles" in printed
    assert "Share of boxes found 98.9%" in printed
    issues = pd.read_parquet(folder / "audit" / "issues.parquet")
    assert sorted(name.partition("-")[2] for name in issues["id"]) == [
        "part_005.jpg", "part_009.jpg"
    ]  # fmt: skip
    assert dict(zip(issues["kind"], issues["suggested"], strict=True)) == {
        "swapped class": "washer",
        "overlooked": "washer",
    }


def documents(path, values):
    path.write_text("\n".join(map(json.dumps, values)))
    return path


def test_webanno_is_refused(tmp_path):
    (tmp_path / "a.tsv").write_text("#FORMAT=WebAnno TSV 3.2\n\n#Text=Ann\n1-1\t0-3\tAnn\tPER\t\n")
    with pytest.raises(InputError, match="TSV of WebAnno"):
        token.read(tmp_path / "a.tsv")


def test_dataturks(tmp_path):
    """The last character is part of the span."""
    point = {"start": 0, "end": 2, "text": "Ana"}
    value = {"content": "Ana left", "annotation": [{"label": ["PER"], "points": [point]}]}
    data = token.read(documents(tmp_path / "a.json", [value, value]))
    assert tags(data) == [["B-PER", "O"]] * 2
    change = pd.DataFrame({"example": [0], "part": [1], "suggested": ["B-PER"]})
    token.export(data.source, change, tmp_path / "b.json")
    new = json.loads((tmp_path / "b.json").read_text().splitlines()[0])["annotation"]
    assert new[1] == {"label": ["PER"], "points": [{"start": 4, "end": 7, "text": "left"}]}


def test_what_users_of_doccano_do_not_agree_on_is_not_known(tmp_path):
    spans = [(1, 0, 3, 1), (1, 0, 3, 2), (2, 9, 15, 1)]
    names = ("label", "start_offset", "end_offset", "user")
    entries = [dict(zip(names, span, strict=True)) for span in spans]
    value = {"text": "Ana left Lisbon", "annotations": entries}
    data = token.read(documents(tmp_path / "a.jsonl", [value] * 3))
    assert tags(data) == [["B-1", "O", None]] * 3
    change = pd.DataFrame({"example": [0], "part": [0], "suggested": ["O"]})
    token.export(data.source, change, tmp_path / "b.jsonl")
    new = json.loads((tmp_path / "b.jsonl").read_text().splitlines()[0])
    assert new["annotations"] == entries[2:]
    entries[1]["start_offset"], entries[1]["end_offset"] = 4, 8  # they have shared the work
    assert tags(token.read(documents(tmp_path / "c.jsonl", [value])))[0] == ["B-1", "B-1", "B-2"]


def test_a_region_without_a_label_and_a_file_without_a_region(tmp_path):
    values = [{"start": 0, "end": 3, "text": "Ana", "labels": ["PER"]} for _ in range(6)]
    del values[2]["labels"]
    tasks = [
        {
            "data": {"text": "Ana left"},
            "annotations": [{"result": [{"type": "labels", "value": v}]}],
        }
        for v in values
    ]
    path, probs = tmp_path / "a.json", tmp_path / "p.npz"
    path.write_text(json.dumps(tasks))
    np.savez(probs, probs=[[0.1, 0.9], [0.9, 0.1]] * 6, lengths=[2] * 6, labels=["O", "B-PER"])
    found = token.audit(path, pred_probs=probs)
    table = found.issues.to_frame("part")
    assert table[["example", "part", "kind", "suggested"]].values.tolist() == [
        [2, 0, "span without a label", "B-PER"]
    ]
    token.export(found.source, table, tmp_path / "b.json")
    values[2]["labels"] = ["PER"]
    assert json.loads((tmp_path / "b.json").read_text()) == tasks
    for task in tasks:
        task["annotations"][0]["result"] = []
    path.write_text(json.dumps(tasks))
    empty = token.audit(path, pred_probs=probs)
    assert "token_label_health" not in empty.summary
    assert empty.warnings[0].startswith("Nothing was labelled")
