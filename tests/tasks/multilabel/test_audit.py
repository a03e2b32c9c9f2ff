"""From the command line to a corrected file: what is found, shown, written and exported."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from goldlabel.cli import main
from goldlabel.results.folder import read_audit
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks import multilabel

TAGS = ["calm|sad", "happy", "", "happy|calm"] * 10


@pytest.fixture
def files(tmp_path):
    """Forty songs; of row 5, "happy" is dropped, and row 7 gets "sad"."""
    names = ["calm", "happy", "sad"]
    true = np.array([[name in tags.split("|") for name in names] for tags in TAGS])
    tags = list(TAGS)
    tags[5], tags[7] = "", "happy|calm|sad"
    frame = pd.DataFrame({"id": [f"s{i}" for i in range(40)], "title": "A song", "tags": tags})
    frame.to_csv(tmp_path / "songs.csv", index=False)
    probs = np.where(true, 0.95, 0.04)
    np.save(tmp_path / "p.npy", probs)
    return tmp_path


def run(*words):
    assert main([str(word) for word in words]) == 0


def audit(files, *more):
    words = ["audit", "multilabel", files / "songs.csv", "--pred-probs", files / "p.npy"]
    run(*words, "--out", files / "out", *more)


def test_the_whole_way(files, capsys):
    audit(files)
    printed = capsys.readouterr().out
    assert "2 of 40 examples look mislabelled (5%)" in printed
    assert "happy: absent → present" in printed
    assert "sad: present → absent" in printed
    assert "'sad' is given, and the model gives it" in printed
    assert "given: happy, calm, sad" in printed or "given: calm, happy, sad" in printed
    assert "model: " in printed
    run("export", files / "out", "--out", files / "new.csv", "--auto")
    before = (files / "songs.csv").read_text().splitlines()
    after = (files / "new.csv").read_text().splitlines()
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert changed == [
        ("s5,A song,", "s5,A song,happy"),
        ("s7,A song,happy|calm|sad", "s7,A song,happy|calm"),
    ]
    log = pd.read_csv(files / "new.csv.changes.csv")
    assert log[["id", "part", "given", "label"]].values.tolist() == [
        ["s5", "happy", "absent", "present"],
        ["s7", "sad", "present", "absent"],
    ]


def test_decisions_name_classes(files):
    audit(files, "--quiet")
    decisions = files / "decisions.csv"
    decisions.write_text("id,part,label\ns5,happy,present\ns0,calm,absent\ns7,2,present\n")
    run("export", files / "out", "--out", files / "new.csv", "--decisions", decisions)
    after = pd.read_csv(files / "new.csv", keep_default_na=False, index_col="id")["tags"]
    assert after[["s5", "s0", "s7"]].tolist() == ["happy", "sad", "happy|calm|sad"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("s5,loud,present", "part is 'loud', not a whole number"),
        ("s5,9,present", "the parts are 0 .. 2"),
        ("s5,,present", "names no part"),
        ("s5,happy,happy", "label is 'happy', not one of 'absent', 'present'"),
    ],
)
def test_decisions_that_do_not_fit(files, capsys, line, what):
    audit(files, "--quiet")
    (files / "d.csv").write_text(f"id,part,label\n{line}\n")
    words = ["export", files / "out", "--out", files / "new.csv", "--decisions", files / "d.csv"]
    assert main([str(word) for word in words]) == 2
    assert what in capsys.readouterr().err
    assert not (files / "new.csv").exists()


def test_what_is_written(files):
    audit(files, "--quiet")
    issues = pd.read_parquet(files / "out" / "issues.parquet")
    columns = ["id", "part", "part_name", "kind", "given", "suggested"]
    assert issues.sort_values("id")[columns].values.tolist() == [
        ["s5", 1, "happy", "missing label", "absent", "present"],
        ["s7", 2, "sad", "spurious label", "present", "absent"],
    ]
    examples = pd.read_parquet(files / "out" / "examples.parquet")
    assert examples.columns.tolist() == ["example", "id", "score", "is_issue"]
    summary = json.loads((files / "out" / "summary.json").read_text())
    assert summary["kinds"] == {"missing label": 1, "spurious label": 1}
    assert summary["figures"]["label_health"] == 0.95
    found = LabelIssues.from_parquet(files / "out")
    assert found.part_names == ("calm", "happy", "sad")
    assert found.reasons()[0].startswith(("'sad' is given", "'happy' is not given"))
    again, source, _ = read_audit(files / "out")
    assert again.parts.part.tolist() == found.parts.part.tolist()
    assert source.options["style"]["separator"] == "|"


def test_the_page(files):
    audit(files, "--quiet")
    page = (files / "out" / "report.html").read_text()
    for text in ("A song", "Missing label", "Spurious label", "Pairs of classes", "sad", "absent"):
        assert text in page


def test_json(files, capsys):
    audit(files, "--json")
    worst = json.loads(capsys.readouterr().out)["worst"]
    assert {each["findings"][0]["part"] for each in worst} == {"happy", "sad"}
    assert worst[0]["fields"]["model"].startswith("calm 95%")


def test_images_of_coco_are_shown(tmp_path):
    from PIL import Image

    for name in ("a", "b", "c", "d"):
        Image.new("RGB", (30, 20), "red").save(tmp_path / f"{name}.png")
    coco = {
        "images": [{"id": i, "file_name": f"{name}.png"} for i, name in enumerate("abcd")],
        "annotations": [
            {"id": 1, "image_id": 0, "category_id": 1},
            {"id": 2, "image_id": 1, "category_id": 1},
            {"id": 3, "image_id": 3, "category_id": 1},
        ],
        "categories": [{"id": 1, "name": "red"}],
    }
    (tmp_path / "a.json").write_text(json.dumps(coco))
    np.save(tmp_path / "p.npy", np.array([[0.9], [0.8], [0.1], [0.05]]))
    found = multilabel.audit(tmp_path / "a.json", pred_probs=tmp_path / "p.npy")
    [scene] = found.view.scenes(found.issues.ranked().tolist())
    assert found.view.picture(scene.example, scene.blocks[0].name) == tmp_path / "d.png"
    fields = dict(scene.blocks[-1].rows)
    assert (fields["image"], fields["given"], fields["model"]) == ("d.png", "red", "no class")
    [question] = scene.questions
    [switch] = question.items
    assert (switch.name, switch.given, switch.suggested) == ("red", True, False)
    assert question.labels == ("absent", "present")


def test_an_image_outside_of_the_folder_is_not_opened(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(b"no")
    coco = {
        "images": [{"id": 0, "file_name": "../secret.png"}],
        "annotations": [],
        "categories": [{"id": 1, "name": "red"}],
    }
    (folder / "a.json").write_text(json.dumps(coco))
    data = multilabel.read(folder / "a.json")
    assert data.images == (folder.resolve(),)


@pytest.mark.slow
def test_emotions(data, tmp_path, capsys):
    folder = data / "multilabel" / "emotions"
    words = ["audit", "multilabel", folder / "emotions.arff", "--out", tmp_path / "out"]
    run(*words, "--pred-probs", folder / "pred_probs.npy")
    assert "271 of 593 examples look mislabelled" in capsys.readouterr().out
    run("export", tmp_path / "out", "--out", tmp_path / "new.arff", "--auto")
    log = pd.read_csv(tmp_path / "new.arff.changes.csv")
    before = np.frombuffer((folder / "emotions.arff").read_bytes(), np.uint8)
    after = np.frombuffer((tmp_path / "new.arff").read_bytes(), np.uint8)
    assert (before != after).sum() == len(log) > 0
