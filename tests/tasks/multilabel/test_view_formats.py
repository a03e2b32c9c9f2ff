"""Examples as a person sees them again after an audit, and answers as labels, of every format."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from reviewing import write_decisions
from scipy import sparse

from goldlabel.actions.export import export
from goldlabel.errors import InputError
from goldlabel.report.folder import write
from goldlabel.results.audit import Source
from goldlabel.results.folder import read_audit
from goldlabel.scenes import Answer, Fields, Picture, Switches, Text
from goldlabel.tasks import multilabel

CLASSES = ("calm", "happy", "sad")
TRUE = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1], [1, 1, 0]] * 10)
GIVEN = TRUE.copy()
GIVEN[5, 1], GIVEN[7, 2], GIVEN[10, 0], GIVEN[16, 2] = 0, 1, 1, 0
NAMES = [[name for name, has in zip(CLASSES, row, strict=True) if has] for row in GIVEN.tolist()]
LINES = [f"a song of some length and number {at}" for at in range(40)]


def columns(path):
    frame = pd.DataFrame(GIVEN, columns=CLASSES)
    frame.insert(0, "title", LINES)
    frame.to_csv(path, index=False)


def words(path):
    frame = pd.DataFrame(GIVEN == 1, columns=CLASSES)
    frame.to_csv(path, index=False, sep="\t")


def bars(path):
    frame = pd.DataFrame({"title": LINES, "tags": ["|".join(names) for names in NAMES]})
    frame.to_csv(path, index=False)


def lines(path):
    rows = [{"id": f"s{at}", "tags": names} for at, names in enumerate(NAMES)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def hot_lines(path):
    path.write_text("".join(json.dumps({"y": row}) + "\n" for row in GIVEN.tolist()))


def parquet(path):
    pq.write_table(pa.table({"title": LINES, "labels": NAMES}), path)


def numbers(path):
    pq.write_table(pa.table({"labels": [np.flatnonzero(row).tolist() for row in GIVEN]}), path)


def arff(path):
    attributes = "".join(f"@attribute {name} {{0,1}}\n" for name in CLASSES)
    rows = "".join(",".join(map(str, row)) + f",{at}\n" for at, row in enumerate(GIVEN.tolist()))
    path.write_text(f"@relation 'x: -C 3'\n{attributes}@attribute size numeric\n@data\n{rows}")


def label_studio(path):
    tasks = [
        {
            "id": at,
            "data": {"text": LINES[at]},
            "annotations": [
                {
                    "result": [
                        {"from_name": "mood", "to_name": "text", "type": "choices",
                         "value": {"choices": names}}
                    ]
                }
            ],
        }
        for at, names in enumerate(NAMES)
    ]  # fmt: skip
    path.write_text(json.dumps(tasks))


def coco(path):
    labels = [{"image_id": i, "category_id": c + 1} for i, c in np.argwhere(GIVEN).tolist()]
    document = {
        "images": [{"id": at, "file_name": f"{at}.png"} for at in range(40)],
        "categories": [{"id": c + 1, "name": name} for c, name in enumerate(CLASSES)],
        "annotations": labels,
    }
    path.write_text(json.dumps(document))
    (path.parent / "images").mkdir()
    for at in range(40):
        Image.new("RGB", (4, 4), (at, 0, 0)).save(path.parent / "images" / f"{at}.png")


FORMATS = {
    "columns.csv": (columns, {"labels": CLASSES}),
    "words.tsv": (words, {"labels": CLASSES}),
    "bars.csv": (bars, {"labels": ["tags"]}),
    "lists.jsonl": (lines, {}),
    "hot.jsonl": (hot_lines, {}),
    "lists.parquet": (parquet, {}),
    "numbers.parquet": (numbers, {"classes": CLASSES}),
    "mood.arff": (arff, {}),
    "studio.json": (label_studio, {}),
    "coco.json": (coco, {}),
    "matrix.npy": (lambda path: np.save(path, GIVEN), {}),
    "matrix.npz": (lambda path: np.savez(path, labels=GIVEN, other=GIVEN[:2]), {}),
    "sparse.npz": (lambda path: sparse.save_npz(path, sparse.csr_array(GIVEN)), {}),
}


def audited(path, name):
    """Return the folder and the audit of a format, its classes in another order than the file's."""
    write_format, options = FORMATS[name]
    write_format(path / name)
    in_order = [2, 0, 1] if name in ("columns.csv", "bars.csv", "mood.arff", "coco.json") else None
    order = list(in_order or range(3))
    probs = np.where(TRUE, 0.95, 0.04)[:, order]
    pd.DataFrame(probs, columns=np.array(CLASSES)[order]).to_csv(path / "p.csv", index=False)
    options = {key: each for key, each in options.items() if key != "classes"}
    if name == "coco.json":
        options["images"] = path / "images"
    found = multilabel.audit(path / name, pred_probs=path / "p.csv", **options)
    write(found, path / "audit")
    return found


def opened(folder):
    issues, source, summary = read_audit(folder / "audit")
    return multilabel.view(source, issues, summary)


def without_predictions(scene):
    """Return a scene without what the model says of classes that nothing was found about."""
    blocks = tuple(
        Fields(tuple(row for row in block.rows if row[0] != "model"))
        if isinstance(block, Fields)
        else block
        for block in scene.blocks
    )
    questions = []
    for question in scene.questions:
        items = [
            each if each.part in question.parts else replace(each, probability=None)
            for each in question.items
        ]
        first = len(question.parts)
        rest = sorted(items[first:], key=lambda each: (not each.given, each.part))
        questions.append(replace(question, items=(*items[:first], *rest)))
    return replace(scene, blocks=blocks, questions=tuple(questions))


@pytest.mark.parametrize("name", FORMATS)
def test_scenes_are_those_of_the_audit(tmp_path, name):
    found = audited(tmp_path, name)
    shown = opened(tmp_path)
    examples = [5, 7, 10, 16, 0]
    again = shown.scenes(examples)
    assert again == [without_predictions(scene) for scene in found.view.scenes(examples)]
    assert [len(scene.questions) for scene in again] == [1, 1, 1, 1, 0]
    [question] = again[0].questions
    assert isinstance(question, Switches)
    first = question.items[0]
    assert (first.name, first.given, first.suggested, first.probability) == (
        "happy", False, True, 0.95,
    )  # fmt: skip
    if name in ("columns.csv", "bars.csv", "lists.parquet"):
        assert again[0].blocks[0] == Text(LINES[5])
        assert shown.search("NUMBER 39").tolist() == [39]
    if name == "coco.json":
        assert again[0].blocks[0] == Picture("image")
        assert shown.picture(5, "image") == tmp_path / "images" / "5.png"


@pytest.mark.parametrize("name", FORMATS)
def test_answers_change_the_labels_that_they_decide(tmp_path, name):
    found = audited(tmp_path, name)
    shown = opened(tmp_path)
    part = {each: at for at, each in enumerate(found.part_names)}
    answers = [
        (5, 0, Answer("accept")),
        (7, 0, Answer("keep")),
        (10, 0, Answer("set", switches={part["calm"]: True, part["happy"]: True})),
        (16, 0, Answer("set", switches={part["happy"]: True})),
        (16, 0, Answer("accept")),
    ]
    decisions = write_decisions(tmp_path / "d.csv", shown, answers)
    out = tmp_path / f"out{(tmp_path / name).suffix}"
    done = export(tmp_path / "audit", out, decisions=decisions)
    options = FORMATS[name][1]
    after = multilabel.read(out, **options)
    order = [after.classes.index(each) for each in CLASSES] if after.classes[0] in CLASSES else None
    labels = after.labels if order is None else after.labels[:, order]
    assert np.argwhere(labels != GIVEN).tolist() == [[5, 1], [10, 1], [16, 2]]
    assert done.kept == 4 * 3 - 3


def test_the_last_answer_replaces_the_one_before(tmp_path):
    audited(tmp_path, "bars.csv")
    shown = opened(tmp_path)
    answers = [(5, 0, Answer("set", switches={0: True, 1: True})), (5, 0, Answer("keep"))]
    decisions = write_decisions(tmp_path / "d.csv", shown, answers)
    export(tmp_path / "audit", tmp_path / "out.csv", decisions=decisions)
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "bars.csv").read_bytes()


def test_no_label_and_strange_answers(tmp_path):
    audited(tmp_path, "bars.csv")
    shown = opened(tmp_path)
    assert shown.changes(5, 0, Answer("unsure")) == []
    with pytest.raises(InputError, match="name class 3, of 3"):
        shown.changes(5, 0, Answer("set", switches={3: True}))
    with pytest.raises(InputError, match="is 1, of 1"):
        shown.changes(5, 1, Answer("keep"))
    with pytest.raises(InputError, match="is 0, of 0"):
        shown.changes(0, 0, Answer("keep"))


def test_what_is_not_known_stays_so(tmp_path):
    path = tmp_path / "a.csv"
    columns(path)
    path.write_text(path.read_text().replace("number 5,0,0,0", "number 5,,0,0"))
    probs = np.where(TRUE, 0.95, 0.04)
    np.save(tmp_path / "p.npy", probs)
    found = multilabel.audit(
        path, labels=CLASSES, pred_probs=tmp_path / "p.npy", classes=list(CLASSES)
    )
    write(found, tmp_path / "audit")
    shown = opened(tmp_path)
    assert [each.given for each in shown.scenes([5])[0].questions[0].items] == [False, None, False]
    decisions = write_decisions(tmp_path / "d.csv", shown, [(5, 0, Answer("accept"))])
    export(tmp_path / "audit", tmp_path / "out.csv", decisions=decisions)
    before, after = path.read_text(), (tmp_path / "out.csv").read_text()
    assert after == before.replace("number 5,,0,0", "number 5,,1,0")


def test_an_entry_that_is_no_class(tmp_path):
    path = tmp_path / "a.csv"
    bars(path)
    path.write_text(path.read_text().replace("number 0,calm|sad", "number 0,calm|sad|noise"))
    probs = pd.DataFrame(np.where(TRUE, 0.95, 0.04), columns=CLASSES)
    probs.to_csv(tmp_path / "p.csv", index=False)
    found = multilabel.audit(path, labels=["tags"], pred_probs=tmp_path / "p.csv")
    write(found, tmp_path / "audit")
    shown = opened(tmp_path)
    [question] = shown.scenes([0])[0].questions
    assert question.parts == (-1,)
    assert sorted(each.name for each in question.items) == list(CLASSES)
    with pytest.raises(InputError, match="nothing is suggested"):
        shown.changes(0, 0, Answer("accept"))
    assert [each.label for each in shown.changes(0, 0, Answer("keep"))] == [
        "present", "absent", "present",
    ]  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_a_dataset_that_has_changed(tmp_path, name):
    audited(tmp_path, name)
    path = tmp_path / name
    GIVEN[3, 2] = 1
    NAMES[3].append("sad")
    try:
        path.unlink()
        for image in (tmp_path / "images").glob("*"):
            image.unlink()
        if name == "coco.json":
            (tmp_path / "images").rmdir()
        FORMATS[name][0](path)
    finally:
        GIVEN[3, 2] = 0
        NAMES[3].remove("sad")
    with pytest.raises(InputError, match="changed"):
        opened(tmp_path)


def test_a_folder_that_was_written_by_hand(tmp_path):
    audited(tmp_path, "bars.csv")
    issues, source, summary = read_audit(tmp_path / "audit")
    for key, value in (
        ("examples", 39), ("values", ["calm"]), ("column", "other"),
        ("classes", ["a", "b", "c"]),
    ):  # fmt: skip
        made = Source(source.format, source.files, {**source.options, key: value}, source.inputs)
        with pytest.raises(InputError):
            multilabel.view(made, issues, summary)
    with pytest.raises(InputError, match="format"):
        multilabel.view(replace(source, format="other"), issues, summary)
    with pytest.raises(InputError, match="other labels"):
        multilabel.view(source, replace(issues, part_names=("a", "b", "c")), summary)
