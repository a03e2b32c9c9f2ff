"""One label that is none, among many: it is a finding, or is said, and the rest is audited."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from goldlabel.errors import InputError
from goldlabel.tasks import multiannotator, multiclass, multilabel, token

SCHEME = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def conll(tmp_path, sentences=40, separator=" ", columns=(), cut=(9,)):
    words = [("Ann", "B-PER"), ("saw", "O"), ("Rome", "B-LOC")] * sentences
    probs = np.full((len(words), 5), 0.025)
    probs[np.arange(len(words)), [SCHEME.index(tag) for _, tag in words]] = 0.9
    np.save(tmp_path / "probs.npy", probs)
    lines = []
    for at, (word, tag) in enumerate(words):
        fields = [word, *columns] if at in cut else [word, *columns, tag]
        lines.append(separator.join(fields) + ("\n" if at % 3 < 2 else "\n\n"))
    path = tmp_path / "a.conll"
    path.write_text("".join(lines))
    return path


@pytest.mark.parametrize(("separator", "columns"), [(" ", ()), ("\t", ()), (" ", ("NNP", "I-NP"))])
def test_a_line_without_a_tag(tmp_path, separator, columns):
    path = conll(tmp_path, separator=separator, columns=columns, cut=(10,))
    audit = token.audit(path, pred_probs=tmp_path / "probs.npy", classes=SCHEME)
    table = audit.issues.to_frame("part")
    assert table[["example", "part", "kind"]].values.tolist() == [[3, 1, "not a tag"]]
    assert table["reason"][0].startswith("No tag stands there; of 'saw'")
    assert any("1 lines have a word and no tag" in note for note in audit.notes)
    corrections = table.assign(suggested="O")
    token.export(audit.source, corrections, tmp_path / "out.conll")
    before, after = path.read_text(), (tmp_path / "out.conll").read_text()
    whole = separator.join(["saw", *columns])
    assert after == before.replace(f"{whole}\n", f"{whole}{separator}O\n")
    token.export(audit.source, corrections[:0], tmp_path / "same.conll")
    assert (tmp_path / "same.conll").read_text() == before


def test_many_lines_without_a_tag_are_another_format(tmp_path):
    path = conll(tmp_path, cut=range(0, 120, 5))
    with pytest.raises(InputError, match="line 1: has 1 column, and 2 are needed"):
        token.audit(path, pred_probs=tmp_path / "probs.npy", classes=SCHEME)


def flags(n=60):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: (rng.random(n) < 0.5).astype(int) for name in ("cat", "dog")})
    probs = frame.to_numpy() * 0.8 + 0.1
    return frame, probs


@pytest.mark.parametrize("cell", ["2", "x", "maybe", "-7"])
@pytest.mark.parametrize("order", [["cat", "dog"], ["dog", "cat"]])
def test_a_cell_that_is_neither_yes_nor_no(tmp_path, cell, order):
    frame, probs = flags()
    pd.DataFrame(probs, columns=["cat", "dog"])[order].to_csv(tmp_path / "p.csv", index=False)
    written = frame.astype(str)
    written.loc[7, "cat"] = cell
    written.to_csv(tmp_path / "a.csv", index=False)
    audit = multilabel.audit(
        tmp_path / "a.csv", labels=["cat", "dog"], pred_probs=tmp_path / "p.csv"
    )
    table = audit.issues.to_frame("part")
    first = table.iloc[0]
    assert (first["example"], first["part_name"], first["kind"]) == (7, "cat", "not a label")
    assert first["given_text"] == cell
    assert len(table) == 1
    corrections = table.assign(suggested="present")
    multilabel.export(audit.source, corrections, tmp_path / "out.csv")
    written.loc[7, "cat"] = "1"
    assert (tmp_path / "out.csv").read_text() == written.to_csv(index=False)


def test_cells_of_arrays_and_arff(tmp_path):
    frame, probs = flags()
    np.save(tmp_path / "p.npy", probs)
    matrix = frame.to_numpy().copy()
    matrix[5, 1] = 3
    np.save(tmp_path / "y.npy", matrix)
    found = multilabel.audit(tmp_path / "y.npy", pred_probs=tmp_path / "p.npy").issues
    assert found.to_frame("part")[["example", "part", "kind"]].values.tolist() == [
        [5, 1, "not a label"]
    ]
    head = "@relation 'a: -C 2'\n@attribute cat {0,1}\n@attribute dog {0,1}\n@data\n"
    rows = [",".join(map(str, row)) for row in matrix.tolist()]
    (tmp_path / "a.arff").write_text(head + "\n".join(rows) + "\n")
    audit = multilabel.audit(
        tmp_path / "a.arff", labels=["cat", "dog"], pred_probs=tmp_path / "p.npy"
    )
    assert audit.issues.to_frame("part")["given_text"].tolist() == ["3"]
    matrix[:, 0] = 3
    np.save(tmp_path / "y.npy", matrix)
    with pytest.raises(InputError, match="not 0 or 1"):
        multilabel.audit(tmp_path / "y.npy", pred_probs=tmp_path / "p.npy")


def studio(n=30):
    return [
        {
            "id": at,
            "data": {"text": f"text {at}"},
            "annotations": [
                {
                    "id": 10 * at + who,
                    "completed_by": who,
                    "result": [
                        {
                            "from_name": "a",
                            "to_name": "b",
                            "type": "choices",
                            "id": f"{at}-{who}",
                            "value": {"choices": [["cat", "dog"][at % 2]]},
                        }
                    ],
                }
                for who in (1, 2, 3)
            ],
        }
        for at in range(n)
    ]


def prodigy(n=30):
    return [
        {"text": f"text {at}", "_input_hash": at, "accept": [["cat", "dog"][at % 2]],
         "answer": "accept", "_session_id": f"set-{who}"}
        for at in range(n) for who in "abc"
    ]  # fmt: skip


def doccano(n=30):
    return [
        {"id": at, "text": f"text {at}",
         "annotations": [{"label": ["cat", "dog"][at % 2], "user": who} for who in (1, 2, 3)]}
        for at in range(n)
    ]  # fmt: skip


def test_a_vote_for_two_classes(tmp_path):
    tasks = studio()
    tasks[3]["annotations"][1]["result"][0]["value"]["choices"] = ["cat", "dog"]
    (tmp_path / "studio.json").write_text(json.dumps(tasks))
    rows = prodigy()
    rows[10]["accept"] = ["cat", "dog"]
    (tmp_path / "prodigy.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    lines = doccano()
    lines[4]["annotations"].append({"label": "dog", "user": 1})
    (tmp_path / "doccano.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    for name in ("studio.json", "prodigy.jsonl", "doccano.jsonl"):
        data = multiannotator.read(tmp_path / name)
        assert data.classes == ("cat", "dog")
        assert len(data.votes.label) == 89
        assert any("1 votes left out, whose label can be no class" in note for note in data.notes)


def test_many_votes_for_several_classes_ask_for_a_question(tmp_path):
    tasks = studio()
    for task in tasks:
        task["annotations"][0]["result"][0]["value"]["choices"] = ["cat", "dog"]
    (tmp_path / "studio.json").write_text(json.dumps(tasks))
    with pytest.raises(InputError, match="positive"):
        multiannotator.read(tmp_path / "studio.json")
    data = multiannotator.read(tmp_path / "studio.json", positive="cat")
    assert len(data.votes.label) == 90


def single_choices(n=60):
    """Return rows of labels in lists of one; the model contradicts row 3."""
    labels = [[["neg", "pos"][at % 2]] for at in range(n)]
    probs = np.array([[0.9, 0.1] if at % 2 == 0 else [0.1, 0.9] for at in range(n)])
    probs[3] = [0.95, 0.05]
    return pd.DataFrame({"text": [f"text {at}" for at in range(n)], "label": labels}), probs


def write_table(frame, path):
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_json(path, orient="records", lines=True)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@pytest.mark.parametrize("numbers", [False, True])
def test_labels_in_lists_of_one(tmp_path, suffix, numbers):
    frame, probs = single_choices()
    if numbers:
        frame["label"] = [[int(each == ["pos"])] for each in frame["label"]]
    several = [0, 1] if numbers else ["neg", "pos"]
    frame.at[7, "label"] = several
    path, out = tmp_path / f"a{suffix}", tmp_path / f"out{suffix}"
    write_table(frame, path)
    np.save(tmp_path / "p.npy", probs)
    audit = multiclass.audit(path, label="label", pred_probs=tmp_path / "p.npy")
    table = audit.issues.to_frame("part")
    assert table[["example", "kind", "suggested"]].values.tolist() == [
        [7, "not a class", "1" if numbers else "pos"],
        [3, "label error", "0" if numbers else "neg"],
    ]
    multiclass.export(audit.source, table, out)
    read = pd.read_parquet if suffix == ".parquet" else lambda path: pd.read_json(path, lines=True)
    expected = [list(each) for each in frame["label"]]
    expected[7], expected[3] = several[1:], several[:1]
    assert [list(each) for each in read(out)["label"]] == expected
    if suffix == ".jsonl":
        before, after = path.read_text().splitlines(), out.read_text().splitlines()
        changed = [at for at in range(60) if before[at] != after[at]]
        assert changed == [3, 7]


def test_lists_of_many_labels_are_another_task(tmp_path):
    frame, _ = single_choices()
    frame["label"] = [["neg", "pos"] if at % 3 == 0 else ["neg"] for at in range(60)]
    write_table(frame, tmp_path / "a.jsonl")
    with pytest.raises(InputError, match=r"20 of 60 rows hold several.*multilabel"):
        multiclass.read(tmp_path / "a.jsonl", label="label")
    frame["label"] = [[[0, 4, "PER"]] for _ in range(60)]
    write_table(frame, tmp_path / "a.jsonl")
    with pytest.raises(InputError, match=r"row 1: is .*which is no class"):
        multiclass.read(tmp_path / "a.jsonl", label="label")
