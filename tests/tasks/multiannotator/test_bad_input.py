"""What does not fit is refused, with the place, what was found, and what to do."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from goldlabel.cli import main
from goldlabel.errors import DataWarning, InputError
from goldlabel.tasks import multiannotator as task
from goldlabel.tasks.multiannotator import Votes

N = np.nan
WIDE = np.array([[0, 0, 1], [1, 1, N], [0, 1, 1]])
P = np.array([[0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
LONG = {"item": [0, 0, 1, 1], "annotator": [0, 1, 0, 1], "label": [0, 0, 1, 1]}


def long(**changed):
    return {**LONG, **changed}


CONSENSUS = {
    "a word": ((("labels",), P), "labels", "is a tuple|has shape"),
    "text": (("votes", P), "labels", "is a str"),
    "one column": ((np.array([0, 1, 0]), P), "labels", "has shape \\(3,\\)"),
    "a cube": ((np.zeros((2, 2, 2)), P), "labels", "has shape"),
    "no rows": ((np.empty((0, 3)), None), "labels", "holds no vote"),
    "no vote": ((np.full((3, 2), N), P), "labels", "holds no vote"),
    "a fraction": ((np.array([[0.5, 0], [1, 1], [0, 0]]), P), r"labels\[0, 0\]", "not a whole"),
    "an infinity": ((np.array([[0, np.inf], [1, 1], [0, 0]]), P), r"labels\[0, 1\]", "inf"),
    "a negative": ((np.array([[0, -2], [1, 1], [0, 0]]), P), r"labels\[0, 1\]", "is -2"),
    "a class too many": ((np.array([[0, 2], [1, 1], [0, 0]]), P), r"labels\[0, 1\]", "is 2, but"),
    "too few rows": ((WIDE[:2], P), "labels", "has 2 rows, and pred_probs 3"),
    "probs of one dimension": ((WIDE, P[0]), "pred_probs", "not \\(n, k\\)"),
    "probs of four": ((WIDE, P[None, None]), "pred_probs", "has shape"),
    "probs above 1": ((WIDE, P * 2), r"pred_probs\[0, 0\]", "not in \\[0, 1\\]"),
    "probs NaN": ((WIDE, np.where(P == 0.7, N, P)), r"pred_probs\[1, 1\]", "nan"),
    "probs of nothing": ((WIDE, P * [[1], [0], [1]]), r"pred_probs\[1\]", "sums to 0"),
    "probs of text": ((WIDE, P.astype(str)), "pred_probs", "not numbers"),
    "models that differ": ((WIDE, [P, P[:2]]), r"pred_probs\[1\]", "shape"),
    "one class": ((np.zeros((3, 2)), np.ones((3, 1))), "labels", "one class"),
    "an item outside": ((long(item=[0, 0, 1, 9]), P), r"item\[3\]", "has 3 rows"),
    "items by name": ((long(item=list("aabb")), P), "item", "which row of pred_probs"),
    "uneven columns": ((long(label=[0, 1]), P), "item", "has 4 entries, and label 2"),
    "a missing item": ((long(item=[0, None, 1, 1]), P), r"item\[1\]", "missing"),
    "a missing label": ((long(label=[0, None, 1, 1]), P), r"label\[1\]", "missing"),
    "twice": ((long(annotator=[0, 0, 0, 1]), P), "votes 0 and 1", "repeated votes"),
    "an unknown name": (
        (pd.DataFrame([["a", "b"], ["a", "c"], ["a", "a"]]), pd.DataFrame(P, columns=["a", "b"])),
        r"labels\[1, 1\]",
        "'c', not one of",
    ),
}


@pytest.mark.parametrize("name", CONSENSUS)
def test_consensus(name):
    (labels, probs), where, what = CONSENSUS[name]
    with pytest.raises(InputError, match=what) as caught:
        task.get_consensus_labels(labels, probs)
    import re

    assert re.match(where, caught.value.where), caught.value.where
    assert caught.value.fix


OPTIONS = {
    "method": (lambda: task.get_consensus_labels(WIDE, P, consensus_method="vote"), "best_quality"),
    "twice": (
        lambda: task.get_consensus_labels(WIDE, P, consensus_method=["glad", "glad"]),
        "each method once",
    ),
    "single labels": (
        lambda: task.get_consensus_labels(WIDE[:, :1], P, consensus_method="best_quality"),
        "one label at most",
    ),
    "no method": (lambda: task.get_consensus_labels(WIDE, P, consensus_method=[]), "each method"),
    "quality": (lambda: task.get_consensus_labels(WIDE, P, quality_method="best"), "crowdlab"),
    "quality of a label model": (
        lambda: task.get_consensus_labels(
            WIDE, consensus_method="wawa", quality_method="agreement"
        ),
        "of no use",
    ),
    "no model": (
        lambda: task.get_consensus_labels(
            WIDE, quality_method="crowdlab", consensus_method="best_quality"
        ),
        "pred_probs",
    ),
    "score": (lambda: task.get_consensus_labels(WIDE, P, method="entropy"), "self_confidence"),
    "no probabilities to scale": (
        lambda: task.get_consensus_labels(WIDE, calibrate_probs=True),
        "needs pred_probs",
    ),
    "filter": (lambda: task.find_label_issues(WIDE, P, filter_by="all"), "prune_by"),
    "ids": (lambda: task.get_consensus_labels(LONG, P, ids=["a", "a", "b"]), "is 'a' again"),
    "short ids": (lambda: task.get_consensus_labels(LONG, P, ids=["a"]), "pred_probs 3 rows"),
    "classes": (lambda: task.get_consensus_labels(WIDE, P, classes=["a"]), "2 columns"),
    "many items": (
        lambda: task.get_consensus_labels(Votes.from_arrays([5], [0], [0]), P),
        "pred_probs has 3 rows",
    ),
    "many classes": (
        lambda: task.get_consensus_labels(Votes.from_arrays([2], [0], [4]), P),
        "class 4",
    ),
    "nothing to score": (lambda: task.get_active_learning_scores(), "both missing"),
    "no labels": (lambda: task.get_active_learning_scores(None, P), "is missing"),
    "no probs": (lambda: task.get_active_learning_scores(WIDE, None, P), "is missing"),
    "other classes": (
        lambda: task.get_active_learning_scores(WIDE, P, np.full((2, 3), 1 / 3)),
        "the same models",
    ),
    "one class to learn": (
        lambda: task.get_active_learning_scores(np.zeros((2, 2)), np.ones((2, 1))),
        "one column",
    ),
    "n": (lambda: task.select(WIDE, P, n=0), "1 or more"),
    "how to select": (lambda: task.select(WIDE, P, method="best"), "random"),
    "features": (lambda: task.select(WIDE, P, features=[[1.0]]), "a row for each item"),
    "broken features": (lambda: task.select(WIDE, P, features=[[1.0], [N], [2.0]]), "not finite"),
    "level": (lambda: task.get_consensus_labels(WIDE, P).to_frame("class"), "annotator"),
    "methods": (lambda: task.compare_methods(WIDE, P, methods=["vote"]), "dawid_skene"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options(name):
    call, said = OPTIONS[name]
    with pytest.raises(InputError, match=said):
        call()


FILES = {
    "no columns": ("a,b,c\n1,2,3\n", {}, "no column that is surely the item"),
    "a wrong column": ("item,annotator,label\n1,2,3\n", {"item": "task"}, "'task'"),
    "no label at all": ("item,annotator,label\n1,2,\n", {}, "holds no vote"),
    "nobody": ("item,annotator,label\n1,,a\n1,,b\n", {}, "holds no vote"),
    "no item": ("item,annotator,label\n1,2,a\n,3,b\n", {}, "row 2, column 'item'"),
    "twice": (
        "item,annotator,label\n1,2,a\n1,2,b\n",
        {"duplicates": "error"},
        "several votes of one annotator",
    ),
    "lists of two lengths": (
        "id,annotators,labels\na,x|y,p|q|r\n",
        {},
        "has 2 annotators and 3 labels",
    ),
    "half a vote": ("id,count_a,count_b\n1,0.5,1\n", {}, "no count of votes"),
    "a wide column": ("id,a,b\n1,x,y\n", {"annotators": ["a", "z"]}, "column 'z'"),
    "items twice": ("id,a,b\n1,x,y\n1,x,x\n", {"format": "wide", "item": "id"}, "is '1' again"),
    "format": ("item,annotator,label\n1,2,a\n", {"format": "excel"}, "not one of"),
    "policy": ("item,annotator,label\n1,2,a\n", {"duplicates": "first"}, "'last'"),
    "not prodigy": ("item,annotator,label\n1,2,a\n", {"format": "prodigy"}, "no 'answer'"),
    "not doccano": ("item,annotator,label\n1,2,a\n", {"format": "doccano"}, "no 'annotations'"),
    "not lists": ("item,annotator,label\n1,2,a\n", {"format": "lists"}, "no columns annotators"),
    "a class of no name": (
        "item,annotator,label\n1,2,a\n1,3,c\n2,3,c\n",
        {"classes": ["a", "b"]},
        "'c'",
    ),
    "classes as text": ("item,annotator,label\n1,2,a\n", {"classes": "ab"}, "a list of names"),
    "answers of a platform": (
        "HITId,WorkerId,Answer.a,Answer.b\n1,2,x,y\n",
        {},
        "the answers 'Answer.a', 'Answer.b'",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files(name, tmp_path):
    text, options, said = FILES[name]
    path = tmp_path / "v.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        task.read(path, **options)
    assert caught.value.fix


JSON = {
    "an object": ({"a": 1}, "no column that is surely|no export"),
    "no tasks": ([1, 2], "is one JSON array"),
    "no choices": ([{"data": {}, "annotations": []}], "has no choices"),
    "two choices": (
        [
            {"data": {}, "annotations": [{"completed_by": 1, "result": [
                {"from_name": name, "value": {"choices": ["x"]}} for name in "ab"]}]}
        ],
        "has the choices a, b",
    ),
    "nobody": (
        [
            {"data": {}, "annotations": [
                {"result": [{"from_name": "a", "value": {"choices": ["x"]}}]}]}
        ],
        "does not say who",
    ),
    "several": (
        [
            {"data": {}, "annotations": [{"completed_by": 1, "result": [
                {"from_name": "a", "value": {"choices": ["x", "y"]}}]}]}
        ],
        "holds 2 classes: x, y",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", JSON)
def test_label_studio(name, tmp_path):
    content, said = JSON[name]
    path = tmp_path / "v.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=said):
        task.read(path)


def test_predictions_that_fit_no_item(tmp_path):
    path = tmp_path / "v.csv"
    path.write_text("item,annotator,label\na,x,0\nb,x,1\n")
    np.save(tmp_path / "p.npy", np.full((5, 2), 0.5))
    with pytest.raises(InputError, match="5 rows without ids, and there are 2 items"):
        task.read(path, pred_probs=tmp_path / "p.npy")
    (tmp_path / "q.csv").write_text("id,0,1\na,0.5,0.5\n")
    with pytest.raises(InputError, match="lacks id 'b'"):
        task.read(path, pred_probs=tmp_path / "q.csv")


def test_corrections_that_fit_no_vote(tmp_path):
    path = tmp_path / "v.csv"
    path.write_text("item,annotator,label\na,x,0\nb,y,1\n")
    data = task.read(path)
    for row, said in (
        ((0, 1, "1"), "names a vote that is none"),
        ((7, 0, "1"), "names a vote that is none"),
        ((0, 0, "9"), "no class"),
    ):
        frame = pd.DataFrame([row], columns=["example", "part", "suggested"])
        with pytest.raises(InputError, match=said):
            task.export(data.source, frame, tmp_path / "o.csv")
    both = pd.DataFrame([(0, 0, "1"), (0, 0, "0")], columns=["example", "part", "suggested"])
    with pytest.raises(InputError, match="second label"):
        task.export(data.source, both, tmp_path / "o.csv")
    assert not (tmp_path / "o.csv").exists()


def test_nobody_agrees():
    with pytest.warns(DataWarning, match="no two annotators agree"):
        task.get_consensus_labels([[0, 1], [1, 0]], P[:2])


def test_rows_that_do_not_sum_to_one():
    with pytest.warns(DataWarning, match="sums to 0.5"):
        task.get_consensus_labels(WIDE, P / 2)


def test_the_command_line_says_it_in_a_line(tmp_path, capsys):
    path = tmp_path / "v.csv"
    path.write_text("a,b,c\n1,2,3\n")
    assert main(["audit", "multiannotator", str(path), "--out", str(tmp_path / "o")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("goldlabel: ")
    assert said.count("\n") == 1
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    "labels",
    [
        pd.DataFrame({"x": [0, None, 1], "y": [0, 1, None]}),
        pd.DataFrame({"x": pd.array([0, None, 1], "Int64"), "y": pd.array([0, 1, 1], "Int8")}),
        pd.DataFrame({"x": ["a", None, "b"], "y": ["a", "b", ""]}),
        pd.DataFrame({"x": pd.Categorical(["a", "b", "b"]), "y": ["a", "b", None]}),
        np.array([[0, None], [1, 1]], dtype=object),
        [[0, 0], [1, -1]],
    ],
)
def test_gaps_are_normal(labels):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        found = task.get_consensus_labels(labels)
    assert not np.isnan(found.quality).any()
