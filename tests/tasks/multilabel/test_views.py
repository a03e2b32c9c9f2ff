"""Examples with several classes as a person sees them again after an audit, in every format."""

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
from goldlabel.scenes import Answer, Fields, Switches
from goldlabel.tasks import multilabel

NAMES = ["calm", "loud", "sad"]
N = 40


def labels():
    """Classes by the digits of a number; three examples lack a class, two have one too many."""
    found = np.array([[at % 2, at // 2 % 2, at % 3 == 0] for at in range(N)], dtype=np.int8)
    for at, part in ((3, 0), (7, 1), (9, 2), (12, 0), (16, 1)):
        found[at, part] ^= 1
    return found


def probabilities():
    true = np.array([[at % 2, at // 2 % 2, at % 3 == 0] for at in range(N)], dtype=np.float64)
    return 0.04 + 0.92 * true


def lists():
    return [[name for name, has in zip(NAMES, row, strict=True) if has] for row in labels()]


def as_columns(path):
    frame = pd.DataFrame(labels(), columns=NAMES)
    frame.insert(0, "title", [f"a song with a long title, number {at}" for at in range(N)])
    frame.to_csv(path, index=False)


def as_lists(path):
    texts = ["|".join(each) for each in lists()]
    titles = [f"a song with a long title, number {at}" for at in range(N)]
    pd.DataFrame({"title": titles, "tags": texts}).to_csv(path, index=False)


def as_arff(path):
    head = [f"@attribute {name} {{0,1}}" for name in NAMES]
    rows = [",".join([str(at), *map(str, row)]) for at, row in enumerate(labels())]
    lines = ["@relation 'songs: -C -3'", "@attribute x numeric", *head, "@data", *rows]
    path.write_text("\n".join(lines) + "\n")


def as_array(path):
    np.save(path, labels())


def as_label_studio(path):
    def result(names):
        value = {"choices": names}
        choice = {"from_name": "tags", "to_name": "t", "type": "choices", "value": value}
        return [{"id": 0, "result": [choice] if names else []}]

    tasks = [
        {"id": at, "data": {"text": f"song {at}"}, "annotations": result(names)}
        for at, names in enumerate(lists())
    ]
    path.write_text(json.dumps(tasks))


def as_coco(path):
    rows, parts = np.nonzero(labels())
    content = {
        "images": [{"id": at, "file_name": f"{at}.jpg"} for at in range(N)],
        "categories": [{"id": at + 1, "name": name} for at, name in enumerate(NAMES)],
        "annotations": [
            {"id": at, "image_id": int(row), "category_id": int(part) + 1}
            for at, (row, part) in enumerate(zip(rows, parts, strict=True))
        ],
    }
    path.write_text(json.dumps(content))


FORMATS = {
    "columns": ("s.csv", as_columns, {"labels": NAMES}),
    "lists": ("s.csv", as_lists, {"labels": ["tags"]}),
    "arff": ("s.arff", as_arff, {"labels": NAMES}),
    "numpy": ("s.npy", as_array, {"classes": NAMES}),
    "label_studio": ("s.json", as_label_studio, {}),
    "coco": ("s.json", as_coco, {}),
}


def audited(folder, name, make, options):
    make(folder / name)
    columns = NAMES[::-1]  # predictions have an order of their own
    frame = pd.DataFrame(probabilities(), columns=NAMES)[columns]
    if "classes" in options:
        np.save(folder / "p.npy", probabilities())
        probs = folder / "p.npy"
    else:
        probs = folder / "p.csv"
        frame.to_csv(probs, index=False)
    write(multilabel.audit(folder / name, pred_probs=probs, **options), folder / "audit")
    return read_audit(folder / "audit")


def named(path, options):
    data = multilabel.read(path, **options)
    return {
        (row, data.classes[part])
        for row, part in zip(*(at.tolist() for at in np.nonzero(data.labels > 0)), strict=True)
    }


@pytest.mark.parametrize("format", FORMATS)
def test_answers_become_labels(tmp_path, format):
    name, make, options = FORMATS[format]
    issues, source, summary = audited(tmp_path, name, make, options)
    shown = multilabel.view(source, issues, summary)
    ranked = issues.ranked().tolist()
    assert sorted(ranked) == [3, 7, 9, 12, 16]
    given = labels()
    for scene in shown.scenes(ranked):
        [question] = scene.questions
        assert isinstance(question, Switches)
        assert question.labels == ("absent", "present")
        assert len(question.parts) == 1
        own = {item.name: item.given for item in question.items}
        assert own == {
            each: bool(has) for each, has in zip(NAMES, given[scene.example], strict=True)
        }
        first = question.items[0]
        assert (first.part, first.suggested) == (question.parts[0], not first.given)
        assert 0 <= first.probability <= 1
    parts = [str(each) for each in issues.part_names]
    sad, loud = parts.index("sad"), parts.index("loud")
    answers = [
        (3, 0, Answer("accept")),
        (7, 0, Answer("keep")),
        (9, 0, Answer("set", switches={sad: True, loud: True})),
        (16, 0, Answer("set")),
    ]
    decisions = write_decisions(tmp_path / "d.csv", shown, answers)
    export(tmp_path / "audit", tmp_path / f"out-{name}", decisions=decisions)
    before = named(tmp_path / name, options)
    after = named(tmp_path / f"out-{name}", options)
    expected = {(3, "calm"), (9, "sad")} | ({(9, "loud")} - before)
    assert before ^ after == expected


def test_what_an_example_looks_like(tmp_path):
    name, make, options = FORMATS["columns"]
    issues, source, summary = audited(tmp_path, name, make, options)
    shown = multilabel.view(source, issues, summary)
    first, second = shown.scenes([3, 4])
    text, fields = first.blocks
    assert text.text == "a song with a long title, number 3"
    assert fields == Fields((("given", "sad, loud"),))
    assert second.questions == ()
    assert shown.search("NUMBER 39").tolist() == [39]


def test_labels_that_have_changed(tmp_path):
    name, make, options = FORMATS["columns"]
    issues, source, summary = audited(tmp_path, name, make, options)
    other = replace(issues, parts=replace(issues.parts, given=1 - issues.parts.given))
    with pytest.raises(InputError, match="other labels than the audit"):
        multilabel.view(source, other, summary)
    path = tmp_path / name
    path.write_text(path.read_text().replace('number 3"', 'number 33"', 1))
    with pytest.raises(InputError, match="changed"):
        multilabel.view(source, issues, summary)


def test_answers_that_are_none(tmp_path):
    name, make, options = FORMATS["columns"]
    issues, source, summary = audited(tmp_path, name, make, options)
    shown = multilabel.view(source, issues, summary)
    with pytest.raises(InputError, match="name class 3"):
        shown.changes(3, 0, Answer("set", switches={3: True}))
    with pytest.raises(InputError, match="question"):
        shown.changes(4, 0, Answer("accept"))
    assert shown.changes(3, 0, Answer("skip")) == []
