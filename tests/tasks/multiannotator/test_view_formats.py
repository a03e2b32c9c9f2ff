"""Items as a person sees them again after an audit, and answers as votes, of every format."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from reviewing import write_decisions

from goldlabel.actions.export import export
from goldlabel.errors import InputError
from goldlabel.report.folder import write
from goldlabel.results.folder import read_audit
from goldlabel.scenes import Answer, Choice, Fields, Vote, Votes
from goldlabel.tasks import multiannotator

PEOPLE = ("ann", "bob", "cyd", "dan")
TRUE = ["cat", "dog", "owl"] * 6
WRONG = {(3, "cyd"): "owl", (4, "bob"): "cat", (8, "dan"): "dog", (12, "ann"): "dog"}


def vote(item, who):
    return WRONG.get((item, who), TRUE[item])


ROWS = [(f"t{at}", who, vote(at, who)) for at in range(18) for who in PEOPLE]
"""The same votes in every format."""


def long_csv(path):
    frame = pd.DataFrame(ROWS, columns=["task", "worker", "answer"])
    frame["text"] = [f"what the item {item} looks like to people" for item in frame["task"]]
    frame.to_csv(path, index=False)


def long_jsonl(path):
    rows = [{"item": t, "annotator": w, "label": c} for t, w, c in ROWS]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def long_parquet(path):
    pd.DataFrame(ROWS, columns=["item", "annotator", "label"]).to_parquet(path, index=False)


def wide(path):
    rows = [[f"t{at}", *(vote(at, who) for who in PEOPLE)] for at in range(18)]
    pd.DataFrame(rows, columns=["id", *PEOPLE]).to_csv(path, index=False)


def lists(path):
    rows = [
        {"id": f"t{at}", "annotators": PEOPLE, "labels": [vote(at, who) for who in PEOPLE]}
        for at in range(18)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def label_studio(path):
    tasks = [
        {
            "id": f"t{at}",
            "data": {"text": f"what the item t{at} looks like to people"},
            "annotations": [
                {
                    "completed_by": {"email": who},
                    "result": [
                        {"from_name": "kind", "to_name": "text", "type": "choices",
                         "value": {"choices": [vote(at, who)]}}
                    ],
                }
                for who in PEOPLE
            ],
        }
        for at in range(18)
    ]  # fmt: skip
    path.write_text(json.dumps(tasks))


def prodigy(path):
    options = [{"id": name, "text": name} for name in ("cat", "dog", "owl")]
    rows = [
        {"text": item, "options": options, "accept": [label], "answer": "accept",
         "_input_hash": int(item[1:]), "_annotator_id": who}
        for item, who, label in ROWS
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def doccano(path):
    numbers = {"cat": 1, "dog": 2, "owl": 3}
    people = {who: at for at, who in enumerate(PEOPLE)}
    rows = [
        {"id": at, "text": f"t{at}",
         "annotations": [
             {"label": numbers[vote(at, who)], "user": people[who]} for who in PEOPLE
         ]}
        for at in range(18)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


FORMATS = {
    "long.csv": (long_csv, {}),
    "long.jsonl": (long_jsonl, {}),
    "long.parquet": (long_parquet, {}),
    "wide.csv": (wide, {"format": "wide"}),
    "lists.jsonl": (lists, {}),
    "studio.json": (label_studio, {}),
    "prodigy.jsonl": (prodigy, {}),
    "doccano.jsonl": (doccano, {}),
}


def audited(path, name, **more):
    write_format, options = FORMATS[name]
    write_format(path / name)
    found = multiannotator.audit(path / name, **options, **more)
    write(found, path / "audit")
    return found


def opened(folder):
    issues, source, summary = read_audit(folder / "audit")
    return multiannotator.view(source, issues, summary)


def without_quality(scene):
    """Return a scene without how often annotators are right, which the audit estimates."""
    return replace(
        scene,
        blocks=tuple(
            Votes(tuple(replace(row, quality=None) for row in block.rows))
            if isinstance(block, Votes)
            else block
            for block in scene.blocks
        ),
    )


@pytest.mark.parametrize("name", FORMATS)
def test_scenes_are_those_of_the_audit(tmp_path, name):
    found = audited(tmp_path, name)
    shown = opened(tmp_path)
    examples = found.issues.ranked().tolist()
    assert sorted(examples) == [3, 4, 8, 12]
    again = shown.scenes(examples)
    assert [*map(without_quality, again)] == [*map(without_quality, found.view.scenes(examples))]
    for scene in again:
        [question] = scene.questions
        assert isinstance(question, Choice)
        assert question.suggested in question.alternatives[0]
        [votes] = [block for block in scene.blocks if isinstance(block, Votes)]
        assert len(votes.rows) == 4
    if name == "long.csv":
        [scene] = shown.scenes([3])
        *_, fields, votes = scene.blocks
        assert isinstance(fields, Fields)
        assert [key for key, _ in fields.rows[:2]] == ["votes", "agreed"]
        assert votes.rows[2] == Vote(2, "cyd", "owl", 1 - 1 / 18)


@pytest.mark.parametrize("name", FORMATS)
def test_answers_change_the_votes_that_they_decide(tmp_path, name):
    audited(tmp_path, name)
    shown = opened(tmp_path)
    before = multiannotator.read(tmp_path / name, **FORMATS[name][1])
    cat, dog = before.classes[0], before.classes[1]
    answers = [
        (3, 0, Answer("accept")),
        (4, 0, Answer("keep")),
        (8, 0, Answer("set", label=dog)),
        (12, 0, Answer("set", label=dog)),
        (12, 0, Answer("accept")),
    ]
    decisions = write_decisions(tmp_path / "d.csv", shown, answers)
    out = tmp_path / f"out{(tmp_path / name).suffix}"
    export(tmp_path / "audit", out, decisions=decisions)
    after = multiannotator.read(out, **FORMATS[name][1])
    votes, now = before.votes, after.votes
    changed = {
        (int(votes.item[at]), before.annotators[votes.annotator[at]][:3], after.classes[label])
        for at, label in enumerate(now.label.tolist())
        if label != votes.label[at]
    }
    person = (lambda who: str(PEOPLE.index(who))) if name == "doccano.jsonl" else str
    assert changed == {
        (3, person("cyd"), cat), (12, person("ann"), cat),
        *((8, person(who), dog) for who in ("ann", "bob", "cyd")),
    }  # fmt: skip


def test_the_last_answer_replaces_the_one_before(tmp_path):
    audited(tmp_path, "wide.csv")
    shown = opened(tmp_path)
    answers = [(3, 0, Answer("set", label="owl")), (3, 0, Answer("keep"))]
    decisions = write_decisions(tmp_path / "d.csv", shown, answers)
    done = export(tmp_path / "audit", tmp_path / "out.csv", decisions=decisions)
    assert done.kept == 4
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "wide.csv").read_bytes()


def test_items_and_classes_in_the_order_of_predictions(tmp_path):
    names = ["owl", "cat", "dog"]
    probs = np.full((20, 3), 0.1)
    probs[np.arange(18), [names.index(name) for name in TRUE]] = 0.8
    probs[18:, 0] = 0.8
    model = pd.DataFrame(probs, columns=names)
    model.insert(0, "id", [f"t{at}" for at in range(20)])
    model.to_csv(tmp_path / "p.csv", index=False)
    found = audited(tmp_path, "wide.csv", pred_probs=[tmp_path / "p.csv"])
    assert len(found.issues) == 20
    examples = found.issues.ranked().tolist()
    shown = opened(tmp_path).scenes(examples)
    assert [*map(without_quality, shown)] == [*map(without_quality, found.view.scenes(examples))]
    assert dict(shown[0].blocks[0].rows)["model"].endswith("80%")


def test_no_label_and_strange_answers(tmp_path):
    audited(tmp_path, "long.csv")
    shown = opened(tmp_path)
    assert shown.changes(3, 0, Answer("ask")) == []
    assert shown.search("ITEM T17").tolist() == [17]
    with pytest.raises(InputError, match="not one of the classes"):
        shown.changes(3, 0, Answer("set", label="emu"))
    with pytest.raises(InputError, match="is 0, of 0"):
        shown.changes(0, 0, Answer("keep"))


@pytest.mark.parametrize("name", FORMATS)
def test_votes_that_have_changed(tmp_path, name):
    audited(tmp_path, name)
    WRONG[5, "ann"] = "cat"
    ROWS[20] = ("t5", "ann", "cat")
    try:
        FORMATS[name][0](tmp_path / name)
    finally:
        del WRONG[5, "ann"]
        ROWS[20] = ("t5", "ann", "owl")
    with pytest.raises(InputError, match="changed"):
        opened(tmp_path)


def test_a_folder_that_was_written_by_hand(tmp_path):
    audited(tmp_path, "long.csv")
    issues, source, summary = read_audit(tmp_path / "audit")
    with pytest.raises(InputError, match="other votes"):
        multiannotator.view(source, replace(issues, part_names=("a", "b", "c", "d")), summary)
    elsewhere = replace(issues.parts, part=(issues.parts.part + 9).astype(np.int64))
    with pytest.raises(InputError, match="other votes"):
        multiannotator.view(source, replace(issues, parts=elsewhere), summary)
