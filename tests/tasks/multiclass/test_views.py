"""Rows and images as a person sees them again after an audit, and answers as labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from reviewing import write_decisions

from goldlabel.actions.export import export
from goldlabel.errors import InputError
from goldlabel.report.folder import write
from goldlabel.results.folder import read_audit
from goldlabel.scenes import Answer, Choice, Fields, Picture, Text
from goldlabel.tasks import multiclass

NAMES = ["cat", "dog", "owl"]
WRONG = (4, 19, 40)


def probabilities(n):
    probs = np.full((n, 3), 0.02)
    probs[np.arange(n), np.arange(n) % 3] = 0.96
    return probs


def opened(folder):
    issues, source, summary = read_audit(folder / "audit")
    return multiclass.view(source, issues, summary)


@pytest.fixture
def table(tmp_path):
    labels = [NAMES[at % 3] for at in range(60)]
    for at in WRONG:
        labels[at] = NAMES[(at + 1) % 3]
    texts = [f"a text of some length about number {at}" for at in range(60)]
    frame = pd.DataFrame({"text": texts, "animal": labels, "more": range(60)})
    frame.to_csv(tmp_path / "a.csv", index=False)
    np.save(tmp_path / "p.npy", probabilities(60))
    found = multiclass.audit(
        tmp_path / "a.csv", label="animal", pred_probs=tmp_path / "p.npy", classes=NAMES
    )
    write(found, tmp_path / "audit")
    return tmp_path


def test_rows(table):
    shown = opened(table)
    scenes = shown.scenes([4, 5])
    assert scenes[0].blocks == (
        Text("a text of some length about number 4"), Fields((("more", "4"),)),
    )  # fmt: skip
    for scene, given in zip(scenes, ("owl", "owl"), strict=True):
        [question] = scene.questions
        assert isinstance(question, Choice)
        assert (question.parts, question.given) == ((-1,), given)
    assert scenes[0].questions[0].suggested == "dog"
    assert shown.search("NUMBER 4").tolist() == [4, *range(40, 50)]
    answers = [
        (4, 0, Answer("accept")), (19, 0, Answer("keep")), (40, 0, Answer("set", label="cat")),
    ]  # fmt: skip
    decisions = write_decisions(table / "d.csv", shown, answers)
    done = export(table / "audit", table / "out.csv", decisions=decisions)
    before, after = pd.read_csv(table / "a.csv"), pd.read_csv(table / "out.csv")
    assert np.flatnonzero(before["animal"] != after["animal"]).tolist() == [4, 40]
    assert after["animal"][[4, 40]].tolist() == ["dog", "cat"]
    assert done.kept == 1


def test_a_table_that_has_changed(table):
    path = table / "a.csv"
    path.write_text(path.read_text().replace("owl", "cat", 1))
    with pytest.raises(InputError, match="changed"):
        opened(table)


def test_images_of_a_folder(tmp_path):
    for at in range(30):
        name = "dog" if at == 6 else NAMES[at % 3]
        (tmp_path / "images" / name).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 9), (at, 0, 0)).save(tmp_path / "images" / name / f"{at:02d}.png")
    paths = sorted((tmp_path / "images").rglob("*.png"))
    probs = probabilities(30)[[int(path.stem) for path in paths]]
    np.save(tmp_path / "p.npy", probs)
    write(
        multiclass.audit(tmp_path / "images", pred_probs=tmp_path / "p.npy", classes=NAMES),
        tmp_path / "audit",
    )
    shown = opened(tmp_path)
    [at] = read_audit(tmp_path / "audit")[0].ranked().tolist()
    [scene] = shown.scenes([at])
    assert scene.blocks == (Picture("image"),)
    assert (scene.questions[0].given, scene.questions[0].suggested) == ("dog", "cat")
    assert shown.picture(at, "image") == tmp_path / "images" / "dog" / "06.png"
    assert shown.picture(at, "other") is None
    assert shown.search("06.PNG").tolist() == [at]
