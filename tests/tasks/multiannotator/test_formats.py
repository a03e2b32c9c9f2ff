"""Every format: what is read, and that writing back changes nothing but the votes it should."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from goldlabel.errors import InputError
from goldlabel.tasks.multiannotator import (
    export,
    get_consensus_labels,
    read,
    write_consensus,
)

VOTES = [
    ("t1", "ann", "cat"), ("t1", "bob", "cat"), ("t1", "cyd", "dog"),
    ("t2", "ann", "dog"), ("t2", "bob", "dog"), ("t3", "cyd", "owl"), ("t3", "ann", "owl"),
]  # fmt: skip
"""The same votes in every format."""


def long_csv(path):
    lines = [f"{task};{who};{what};x" for task, who, what in VOTES]
    path.write_text("\r\n".join(["unit;Worker;Response;note", *lines, ""]), newline="")


def long_tsv(path):
    lines = ["\t".join(vote) for vote in VOTES]
    path.write_text("\n".join(["task\trater\tcategory", *lines]) + "\n")


def long_jsonl(path):
    rows = [{"item": t, "annotator": w, "label": c, "n": [1]} for t, w, c in VOTES]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def long_parquet(path):
    columns = list(zip(*VOTES, strict=True))
    table = pa.table(dict(zip(("item", "annotator", "label"), map(list, columns), strict=True)))
    pq.write_table(table, path, compression="zstd")


def wide_csv(path):
    path.write_text('id,ann,bob,cyd\nt1,cat,"cat",dog\nt2,dog,dog,\nt3,owl,NA,owl\n')


def lists_jsonl(path):
    rows = [
        {"id": task, "annotators": [w for t, w, _ in VOTES if t == task],
         "labels": [c for t, _, c in VOTES if t == task], "text": "some"}
        for task in ("t1", "t2", "t3")
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def lists_csv(path):
    path.write_text(
        "id,workers,labels\nt1,ann|bob|cyd,cat|cat|dog\nt2,ann|bob,dog|dog\nt3,cyd|ann,owl|owl\n"
    )


def lists_parquet(path):
    rows = pd.DataFrame(
        {
            "id": ["t1", "t2", "t3"],
            "annotators": [["ann", "bob", "cyd"], ["ann", "bob"], ["cyd", "ann"]],
            "labels": [["cat", "cat", "dog"], ["dog", "dog"], ["owl", "owl"]],
        }
    )
    rows.to_parquet(path, index=False)


def label_studio(path):
    people = {"ann": 1, "bob": {"id": 2, "email": "bob"}, "cyd": 3}
    people = {"ann": {"email": "ann"}, "bob": people["bob"], "cyd": {"email": "cyd", "id": 3}}
    tasks = [
        {
            "id": task,
            "data": {"text": f"text of {task}"},
            "annotations": [
                {
                    "completed_by": people[who],
                    "was_cancelled": False,
                    "lead_time": 3.5,
                    "created_at": f"2024-01-0{at + 1}T00:00:00Z",
                    "result": [
                        {"from_name": "kind", "to_name": "text", "type": "choices",
                         "value": {"choices": [what]}}
                    ],
                }
                for at, (t, who, what) in enumerate(VOTES)
                if t == task
            ]
            + [{"completed_by": 9, "was_cancelled": True, "result": []}],
        }
        for task in ("t1", "t2", "t3")
    ]  # fmt: skip
    path.write_text(json.dumps(tasks, indent=2))


def label_studio_short(path):
    rows = [
        {"text": "x", "id": task, "kind": what, "annotator": who, "annotation_id": at,
         "lead_time": 2.0}
        for at, (task, who, what) in enumerate(VOTES)
    ]  # fmt: skip
    path.write_text(json.dumps(rows))


def label_studio_csv(path):
    lines = [
        f"some text,{task},{what},{who},{at},2024-01-01T00:00:0{at}Z,2024-01-01T00:00:00Z,1.5"
        for at, (task, who, what) in enumerate(VOTES)
    ]
    head = "text,id,kind,annotator,annotation_id,created_at,updated_at,lead_time"
    path.write_text("\n".join([head, *lines]) + "\n")


def prodigy(path):
    rows = [
        {"text": f"about {task}", "_input_hash": int(task[1]), "_task_hash": at,
         "options": [{"id": "cat", "text": "Cat"}], "accept": [what], "answer": "accept",
         "_session_id": who, "_timestamp": 1700000000 + at}
        for at, (task, who, what) in enumerate(VOTES)
    ]  # fmt: skip
    rows.append({**rows[0], "accept": [], "answer": "ignore", "_session_id": "dan"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def doccano(path):
    rows = [
        {"id": task, "text": "some", "annotations": [
            {"label": c, "user": w} for t, w, c in VOTES if t == task]}
        for task in ("t1", "t2", "t3")
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def mechanical_turk(path):
    lines = [
        f'"{task}","{who}","Approved","Mon Jan 0{at + 1} 12:00:00 PST 2024",'
        f'"{10 + at}","text","{what}"'
        for at, (task, who, what) in enumerate(VOTES)
    ]
    lines.append('"t1","zoe","Rejected","Mon Jan 09 12:00:00 PST 2024","1","text","owl"')
    head = '"HITId","WorkerId","AssignmentStatus","SubmitTime","WorkTimeInSeconds","Input.text",'
    path.write_text("\n".join([head + '"Answer.kind.label"', *lines]) + "\n")


def toloka(path):
    lines = [
        f"http://x/{task}.png\t{what}\t{task}\t{who}\tAPPROVED\t2024-01-01T00:00:0{at}"
        for at, (task, who, what) in enumerate(VOTES)
    ]
    lines.append("http://x/t1.png\towl\tt1\tzoe\tREJECTED\t2024-01-01T00:00:00")
    head = "INPUT:image\tOUTPUT:kind\tASSIGNMENT:task_id\tASSIGNMENT:worker_id\tASSIGNMENT:status"
    path.write_text("\n".join([f"{head}\tASSIGNMENT:started", *lines]) + "\n")


FORMATS = {
    "long.csv": (long_csv, {}),
    "long.tsv": (long_tsv, {}),
    "long.jsonl": (long_jsonl, {}),
    "long.parquet": (long_parquet, {}),
    "wide.csv": (wide_csv, {"format": "wide"}),
    "lists.jsonl": (lists_jsonl, {}),
    "lists.csv": (lists_csv, {}),
    "lists.parquet": (lists_parquet, {}),
    "export.json": (label_studio, {}),
    "short.json": (label_studio_short, {}),
    "studio.csv": (label_studio_csv, {}),
    "prodigy.jsonl": (prodigy, {}),
    "doccano.jsonl": (doccano, {}),
    "batch.csv": (mechanical_turk, {}),
    "toloka.tsv": (toloka, {}),
}


@pytest.fixture(params=FORMATS)
def made(request, tmp_path):
    write, options = FORMATS[request.param]
    path = tmp_path / request.param
    write(path)
    return path, read(path, **options)


def said(data):
    """Return the votes by name; Prodigy's items are numbers."""
    votes = data.votes
    ids = [f"t{each}" if str(each).isdigit() else each for each in data.ids.tolist()]
    return {
        (ids[i], data.annotators[j], data.classes[c])
        for i, j, c in zip(votes.item, votes.annotator, votes.label, strict=True)
    }


def test_the_same_votes_in_every_format(made):
    _, data = made
    assert said(data) == set(VOTES)
    assert data.classes == ("cat", "dog", "owl")
    assert len(data) == 3
    assert data.notes


def changes(data, task, who, label):
    ids = [f"t{each}" if str(each).isdigit() else each for each in data.ids.tolist()]
    row = {"example": ids.index(task), "part": data.annotators.index(who), "suggested": label}
    return pd.DataFrame([row])


def test_without_corrections_the_same_bytes(made, tmp_path):
    path, data = made
    out = tmp_path / f"out{path.suffix}"
    export(data.source, pd.DataFrame({"example": [], "part": [], "suggested": []}), out)
    assert out.read_bytes() == path.read_bytes()


def test_a_correction_changes_one_vote(made, tmp_path):
    path, data = made
    out = tmp_path / f"out{path.suffix}"
    export(data.source, changes(data, "t1", "cyd", "cat"), out)
    again = read(out, **FORMATS[path.name][1])
    assert said(again) == (set(VOTES) - {("t1", "cyd", "dog")}) | {("t1", "cyd", "cat")}
    if path.suffix != ".parquet":
        before, after = path.read_bytes(), out.read_bytes()
        assert len(before) == len(after)
        differ = [at for at in range(len(before)) if before[at] != after[at]]
        assert len(differ) == 3
        assert differ[-1] - differ[0] == 2
        assert after[differ[0] : differ[-1] + 1] == b"cat"
    assert path.exists()


def test_the_consensus_goes_back_into_the_dataset(made, tmp_path):
    path, data = made
    found = get_consensus_labels(data.votes, consensus_method="majority_vote", classes=data.classes)
    out = tmp_path / f"with{path.suffix}"
    write_consensus(data, found, out, layout="dataset")
    options = dict(FORMATS[path.name][1])
    if path.name == "wide.csv":
        options["annotators"] = ["ann", "bob", "cyd"]
    if path.name in ("studio.csv", "short.json"):
        options["label"] = "kind"
    again = read(out, **options)
    assert said(again) == set(VOTES)
    text = "" if path.suffix == ".parquet" else out.read_text()
    if path.name == "export.json":
        tasks = json.loads(text)
        best = [task["predictions"][0]["result"][0]["value"]["choices"] for task in tasks]
        assert best == [["cat"], ["dog"], ["owl"]]
    elif path.suffix == ".parquet":
        assert "owl" in pq.read_table(out)["consensus"].to_pylist()
    elif path.suffix == ".jsonl":
        rows = [json.loads(line) for line in text.splitlines()]
        assert {row.get("consensus") for row in rows} >= {"cat", "dog", "owl"}
    elif path.suffix == ".json":
        assert [task["predictions"][0]["result"][0]["value"]["choices"][0] for task in
                json.loads(text)][:1] == ["cat"]  # fmt: skip
    else:
        assert "consensus" in text.splitlines()[0]
        added = [re.search(r"[,;\t](\w+)[,;\t][\d.]+$", line) for line in text.splitlines()[1:]]
        assert {found[1] for found in added if found} == {"cat", "dog", "owl"}
        before = path.read_text().splitlines()
        assert all(b.startswith(a) for a, b in zip(before, text.splitlines(), strict=True))


def test_a_table_of_the_consensus(tmp_path):
    long_csv(tmp_path / "a.csv")
    data = read(tmp_path / "a.csv")
    found = get_consensus_labels(data.votes, consensus_method="wawa", classes=data.classes)
    for name in ("c.csv", "c.tsv", "c.jsonl", "c.parquet"):
        write_consensus(data, found, tmp_path / name)
    frames = [
        pd.read_csv(tmp_path / "c.csv"),
        pd.read_csv(tmp_path / "c.tsv", sep="\t"),
        pd.read_json(tmp_path / "c.jsonl", lines=True),
        pd.read_parquet(tmp_path / "c.parquet"),
    ]
    for frame in frames:
        assert frame["id"].tolist() == ["t1", "t2", "t3"]
        assert frame["consensus"].tolist() == ["cat", "dog", "owl"]
        assert frame["votes"].tolist() == [3, 2, 2]
    with pytest.raises(InputError, match="exists"):
        write_consensus(data, found, tmp_path / "c.csv")
    write_consensus(data, found, tmp_path / "c.csv", force=True)
    for layout in ("table", "dataset"):
        with pytest.raises(InputError, match="is the input"):
            write_consensus(data, found, tmp_path / "a.csv", layout=layout, force=True)
    with pytest.raises(InputError, match="ends with"):
        write_consensus(data, found, tmp_path / "c.xlsx")


def test_counts(tmp_path):
    (tmp_path / "n.csv").write_text("id,count_cat,count_dog\na,3,1\nb,0,2\nc,0,0\n")
    data = read(tmp_path / "n.csv")
    assert not data.has_identities
    assert data.classes == ("cat", "dog")
    assert data.votes.votes_per_item.tolist() == [4, 2, 0]
    with pytest.raises(InputError, match="how many voted for what"):
        export(data.source, changes(data, "a", "0", "dog"), tmp_path / "out.csv")
    found = get_consensus_labels(data.votes, consensus_method="majority_vote", classes=data.classes)
    write_consensus(data, found, tmp_path / "w.csv", layout="dataset")
    lines = (tmp_path / "w.csv").read_text().splitlines()
    assert lines[1] == "a,3,1,cat,0.75"
    assert lines[3] == "c,0,0,,0.0"


def test_times_and_seconds(tmp_path):
    label_studio(tmp_path / "a.json")
    data = read(tmp_path / "a.json")
    assert np.all(data.seconds == 3.5)
    assert np.all(np.diff(np.sort(data.time)) == 86_400)
    mechanical_turk(tmp_path / "b.csv")
    data = read(tmp_path / "b.csv")
    assert sorted(data.seconds) == list(range(10, 17))
    assert np.all(np.diff(np.sort(data.time)) == 86_400)
    assert "1 rows left out" in " ".join(data.notes)
    toloka(tmp_path / "c.tsv")
    assert np.isfinite(read(tmp_path / "c.tsv").time).all()


@pytest.mark.parametrize(
    ("duplicates", "label"), [("last", "b"), ("majority", "a"), ("error", None)]
)
def test_repeated_votes(tmp_path, duplicates, label):
    path = tmp_path / "v.csv"
    path.write_text(
        "item,annotator,label,timestamp\n"
        "x,p,a,2024-01-01\nx,p,b,2024-03-01\nx,p,a,2024-02-01\nx,q,a,2024-01-01\n"
    )
    if label is None:
        with pytest.raises(InputError, match="p on x"):
            read(path, duplicates=duplicates)
        return
    data = read(path, duplicates=duplicates)
    assert len(data.votes) == 2
    assert data.classes[data.votes.label[0]] == label
    export(data.source, changes(data, "x", "p", "b"), tmp_path / "out.csv")
    assert read(tmp_path / "out.csv", duplicates=duplicates).votes.label.tolist() == [1, 0]


def test_several_choices_and_the_one_that_is_asked_about(tmp_path):
    path = tmp_path / "v.jsonl"
    rows = [
        {"item": "x", "annotator": "p", "label": ["calm", "sad"]},
        {"item": "x", "annotator": "q", "label": ["calm"]},
        {"item": "y", "annotator": "p", "label": []},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match="holds 2 classes"):
        read(path)
    data = read(path, positive="sad")
    assert data.classes == ("no", "yes")
    assert data.votes.label.tolist() == [1, 0, 0]


def test_predictions_by_id_with_a_pool(tmp_path):
    long_csv(tmp_path / "a.csv")
    (tmp_path / "p.csv").write_text(
        "id,cat,dog,owl\nt9,.1,.1,.8\nt3,.2,.2,.6\nt1,.9,.05,.05\nt2,.1,.8,.1\n"
    )
    data = read(tmp_path / "a.csv", pred_probs=tmp_path / "p.csv")
    assert data.ids.tolist() == ["t1", "t2", "t3", "t9"]
    assert data.pred_probs[0, :, 2].tolist() == [0.05, 0.1, 0.6, 0.8]
    assert data.votes.votes_per_item.tolist() == [3, 2, 2, 0]
    assert any("no votes yet" in note for note in data.notes)
    both = read(tmp_path / "a.csv", pred_probs=[tmp_path / "p.csv", tmp_path / "p.csv"])
    assert both.pred_probs.shape == (2, 4, 3)


def test_predictions_by_row(tmp_path):
    (tmp_path / "v.csv").write_text("item,annotator,label\n2,a,0\n0,a,1\n2,b,0\n")
    np.save(tmp_path / "p.npy", np.full((4, 2), 0.5))
    data = read(tmp_path / "v.csv", pred_probs=tmp_path / "p.npy")
    assert data.ids.tolist() == ["0", "1", "2", "3"]
    assert data.votes.votes_per_item.tolist() == [1, 0, 2, 0]
    export(
        data.source,
        pd.DataFrame({"example": [2], "part": [1], "suggested": ["1"]}),
        tmp_path / "out.csv",
    )
    assert (tmp_path / "out.csv").read_text() == "item,annotator,label\n2,a,0\n0,a,1\n2,b,1\n"


def test_numbers_of_a_wide_table_without_names(tmp_path):
    (tmp_path / "a.txt").write_text("-1 0 1\n2 -1 2\n")
    data = read(tmp_path / "a.txt", format="wide", delimiter=" ")
    assert data.annotators == ("0", "1", "2")
    assert data.votes.label.tolist() == [0, 1, 2, 2]
    export(data.source, changes_at(0, 1, "2"), tmp_path / "o.txt")
    assert (tmp_path / "o.txt").read_text() == "-1 2 1\n2 -1 2\n"


def changes_at(example, part, label):
    return pd.DataFrame({"example": [example], "part": [part], "suggested": [label]})


def test_a_dataset_that_changed_is_not_written(made, tmp_path):
    path, data = made
    if path.suffix != ".parquet":
        path.write_bytes(path.read_bytes() + b"\n")
        with pytest.raises(InputError, match="changed"):
            export(data.source, changes(data, "t1", "cyd", "cat"), tmp_path / f"o{path.suffix}")
        assert not (tmp_path / f"o{path.suffix}").exists()
