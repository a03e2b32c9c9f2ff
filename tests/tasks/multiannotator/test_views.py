"""Items as a person sees them again after an audit, and one answer as many votes."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest
from reviewing import write_decisions

from goldlabel.actions.export import export
from goldlabel.errors import InputError
from goldlabel.report.folder import write
from goldlabel.results.folder import read_audit
from goldlabel.scenes import Answer, Fields, Text, Votes
from goldlabel.tasks import multiannotator

WHO = ("ann", "bob", "eve", "dan")


def votes_of(at):
    """Everybody says the same of an item; dan is wrong about every fifth, eve about the tenth."""
    right, wrong = ("cat", "dog")[at % 2], ("dog", "cat")[at % 2]
    return [right, right, wrong if at == 10 else right, wrong if at % 5 == 0 else right]


def rows():
    return [
        {
            "item": f"i{at}",
            "who": who,
            "label": label,
            "text": f"something that is to be read, number {at}",
        }
        for at in range(30)
        for who, label in zip(WHO, votes_of(at), strict=True)
    ]


def as_table(path):
    pd.DataFrame(rows()).to_csv(path, index=False)


def as_wide(path):
    frame = pd.DataFrame(rows()).pivot(index="item", columns="who", values="label")
    frame.reset_index().to_csv(path, index=False)


def as_label_studio(path):
    tasks = [
        {
            "id": at,
            "data": {"text": f"something that is to be read, number {at}"},
            "annotations": [
                {
                    "completed_by": {"email": who},
                    "result": [
                        {
                            "from_name": "kind",
                            "to_name": "text",
                            "type": "choices",
                            "value": {"choices": [label]},
                        }
                    ],
                }
                for who, label in zip(WHO, votes_of(at), strict=True)
            ],
        }
        for at in range(30)
    ]
    path.write_text(json.dumps(tasks), encoding="utf-8")


FORMATS = {
    "table": ("v.csv", as_table, {"item": "item", "annotator": "who", "label": "label"}),
    "wide": ("v.csv", as_wide, {"annotators": list(WHO)}),
    "label_studio": ("v.json", as_label_studio, {}),
}


def opened(folder):
    issues, source, summary = read_audit(folder / "audit")
    return multiannotator.view(source, issues, summary)


def audited(folder, name, make, options):
    make(folder / name)
    found = multiannotator.audit(folder / name, consensus_method="majority_vote", **options)
    write(found, folder / "audit")
    return found


def labels_in(path, **options):
    data = multiannotator.read(path, **options)
    votes = data.votes
    triples = zip(votes.item.tolist(), votes.annotator.tolist(), votes.label.tolist(), strict=True)
    return {(data.ids[i], data.annotators[j]): data.classes[c] for i, j, c in triples}


@pytest.mark.parametrize("format", FORMATS)
def test_one_answer_decides_every_vote_of_an_item(tmp_path, format):
    name, make, options = FORMATS[format]
    found = audited(tmp_path, name, make, options)
    shown = opened(tmp_path)
    ids = [str(each) for each in found.issues.ids]
    ranked = found.issues.ranked().tolist()
    assert len(ranked) == 5  # of item 10 it is not known who is wrong
    for scene in shown.scenes(ranked):
        [question], votes = scene.questions, _votes(scene)
        assert {vote.annotator for vote in votes} == set(WHO)
        differing = {vote.part for vote in votes if vote.label != question.suggested}
        assert set(question.parts) == differing
        assert question.alternatives[0][0] == question.suggested
    accept, keep, change = ranked[:3]
    other = labels_in(tmp_path / name, **options)[ids[change], "dan"]
    decisions = write_decisions(
        tmp_path / "d.csv",
        shown,
        [
            (accept, 0, Answer("accept")),
            (keep, 0, Answer("keep")),
            (change, 0, Answer("set", label=other)),
        ],
    )
    export(tmp_path / "audit", tmp_path / f"out-{name}", decisions=decisions)
    before = labels_in(tmp_path / name, **options)
    after = labels_in(tmp_path / f"out-{name}", **options)
    changed = {pair for pair in before if before[pair] != after[pair]}
    assert changed == {(ids[accept], "dan"), *((ids[change], who) for who in WHO[:3])}
    assert {after[ids[change], who] for who in WHO} == {other}


def _votes(scene):
    [block] = [block for block in scene.blocks if isinstance(block, Votes)]
    return block.rows


def test_what_an_item_looks_like(tmp_path):
    name, make, options = FORMATS["table"]
    found = audited(tmp_path, name, make, options)
    again = opened(tmp_path)
    text, fields, votes = again.scenes([5])[0].blocks
    assert text == Text("something that is to be read, number 5")
    assert isinstance(fields, Fields)
    assert dict(fields.rows)["agreed"] == "dog 75%"
    quality = {vote.annotator: vote.quality for vote in votes.rows}
    assert quality["ann"] == 1.0
    assert quality["dan"] == 1 - 5 / 30
    assert again.search("NUMBER 5").tolist() == [5]
    assert again.scenes([1])[0].questions == ()  # all say the same
    before = found.view.scenes([5])[0]
    assert before.questions == again.scenes([5])[0].questions


def test_votes_that_are_not_those_of_the_findings(tmp_path):
    name, make, options = FORMATS["table"]
    audited(tmp_path, name, make, options)
    issues, source, summary = read_audit(tmp_path / "audit")
    path = tmp_path / name
    text = path.read_text()
    path.write_text(text.replace("ann", "amy"))
    with pytest.raises(InputError, match="changed"):
        multiannotator.view(source, issues, summary)
    path.write_text(text)
    issues = replace(issues, parts=replace(issues.parts, part=issues.parts.part + 4))
    with pytest.raises(InputError, match="other votes"):
        multiannotator.view(source, issues, summary)


def test_answers_that_are_none(tmp_path):
    name, make, options = FORMATS["table"]
    audited(tmp_path, name, make, options)
    shown = opened(tmp_path)
    with pytest.raises(InputError, match="not one of the classes"):
        shown.changes(5, 0, Answer("set", label="owl"))
    with pytest.raises(InputError, match="question"):
        shown.changes(1, 0, Answer("accept"))
    assert shown.changes(5, 0, Answer("unsure")) == []
