"""What does not fit is refused: where it is, what is wrong with it, what to do. Nothing is lost."""

from __future__ import annotations

import json
import re
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse

from goldlabel.errors import DataWarning, InputError
from goldlabel.tasks import multilabel

GOOD = np.array([[1, 0], [0, 1], [1, 1]])
PROBS = np.array([[0.9, 0.2], [0.1, 0.8], [0.7, 0.6]])


def but(array, row, column, value):
    changed = np.array(array, dtype=float)
    changed[row, column] = value
    return changed


CALLS = {
    # labels
    "a value that is neither": ((but(GOOD, 1, 0, 2), PROBS), {}, r"labels\[1, 0\]", "not 0 or 1"),
    "a share": ((but(GOOD, 2, 1, 0.5), PROBS), {}, r"labels\[2, 1\]", "is 0.5"),
    "infinity": ((but(GOOD, 0, 0, np.inf), PROBS), {}, r"labels\[0, 0\]", "is inf"),
    "bytes above 1": ((GOOD.astype(np.uint8) * 255, PROBS), {}, r"labels\[0, 0\]", "is 255"),
    "too few rows": ((GOOD[:2], PROBS), {}, "labels", "has 2 rows, but pred_probs has 3"),
    "too many columns": ((np.ones((3, 3)), PROBS), {}, "labels", "3.*but pred_probs has 2"),
    "one class each": (([0, 1, 1], PROBS), {}, r"labels\[0\]", "no list of classes"),
    "an array of classes": ((np.array([0, 1, 1]), PROBS), {}, "labels", "shape .3,."),
    "a text for each": ((["a", "b", "a,b"], PROBS), {}, r"labels\[0\]", "no list of classes"),
    "an index too large": (([[0], [1, 2], [0]], PROBS), {}, r"labels\[1\]", "is 2"),
    "a negative index": (([[0], [1], [-1]], PROBS), {}, r"labels\[2\]", "is -1"),
    "a name that is none": (
        ([["a"], ["b"], ["c"]], PROBS),
        {"classes": ["a", "b"]},
        r"labels\[2\]",
        "'c', not one of",
    ),
    "a list that is missing": (([[0], None, [1]], PROBS), {}, r"labels\[1\]", "is missing"),
    "a missing class": (([[0], [None], [1]], PROBS), {}, r"labels\[1\]", "is missing"),
    "a class that is a list": (([[0], [[1]], [1]], PROBS), {}, r"labels\[1\]", "list"),
    "names, and more columns": (
        ([["a"], ["a"], ["a"]], PROBS),
        {},
        "labels",
        "1 different names, but pred_probs has 2",
    ),
    "a matrix as nested lists": (
        ([[1, 1], [0, 0], [1, 0]], PROBS),
        {},
        "labels",
        "zeros and ones",
    ),
    "text": (("abc", PROBS), {}, "labels", "is a str"),
    "a mapping": (({0: [1]}, PROBS), {}, "labels", "is a dict"),
    "words in a matrix": ((np.array([["a", "b"]] * 3), PROBS), {}, "labels", "not numbers"),
    "a sparse matrix of counts": (
        (sparse.csr_matrix(GOOD * 3), PROBS),
        {},
        r"labels\[0, 0\]",
        "is 3",
    ),
    "a sparse matrix too wide": (
        (sparse.csr_matrix((3, 5)), PROBS),
        {},
        "labels",
        "2 columns",
    ),
    "columns named otherwise": (
        (pd.DataFrame(GOOD, columns=["a", "c"]), PROBS),
        {"classes": ["a", "b"]},
        "labels.columns",
        "'c', which is not",
    ),
    "a masked matrix": ((np.ma.masked_array(GOOD, GOOD == 0), PROBS), {}, "labels", "masked"),
    # pred_probs
    "NaN": ((GOOD, but(PROBS, 1, 1, np.nan)), {}, r"pred_probs\[1, 1\]", "is nan"),
    "above 1": ((GOOD, but(PROBS, 2, 0, 1.01)), {}, r"pred_probs\[2, 0\]", r"1.01.*sigmoid"),
    "logits": ((GOOD, PROBS * 10 - 5), {}, r"pred_probs\[0, 0\]", "not in"),
    "no matrix": ((GOOD, PROBS.ravel()), {}, "pred_probs", "shape .6,."),
    "no columns": ((np.zeros((3, 0)), np.zeros((3, 0))), {}, "pred_probs", "no columns"),
    "words": ((GOOD, [["a", "b"]] * 3), {}, "pred_probs", "not numbers"),
    # options
    "an unknown filter": ((GOOD, PROBS), {"filter_by": "prune"}, "filter_by", "is 'prune'"),
    "an unknown score": ((GOOD, PROBS), {"rank_by": "margin"}, "rank_by", "is 'margin'"),
    "an unknown aggregator": ((GOOD, PROBS), {"aggregator": "max"}, "aggregator", "is 'max'"),
    "no aggregator": ((GOOD, PROBS), {"aggregator": 3}, "aggregator", "is 3"),
    "alpha": ((GOOD, PROBS), {"alpha": 1.5}, "alpha", "is 1.5"),
    "temperature": ((GOOD, PROBS), {"temperature": -1}, "temperature", "is -1"),
    "a share of noise": ((GOOD, PROBS), {"frac_noise": 2}, "frac_noise", "is 2"),
    "ids": ((GOOD, PROBS), {"ids": ["a"]}, "ids", "shape"),
    "a class twice": ((GOOD, PROBS), {"classes": ["a", "a"]}, r"classes\[1\]", "'a' once more"),
    "too few names": ((GOOD, PROBS), {"classes": ["a"]}, "classes", "1 names"),
    "thresholds": ((GOOD, PROBS), {"thresholds": [0.5] * 3}, "thresholds", "shape .3,."),
    "thresholds above": ((GOOD, PROBS), {"thresholds": [0.5, 7]}, r"thresholds\[3\]", "is 7"),
    "words for thresholds": ((GOOD, PROBS), {"thresholds": "ab"}, "thresholds", "shape|array"),
    "numbers to remove": (
        (GOOD, PROBS),
        {"num_to_remove_per_class": [1, 2, 3]},
        "num_to_remove_per_class",
        "does not fit 2 classes",
    ),
    "numbers to remove, by value": (
        (GOOD, PROBS),
        {"num_to_remove_per_class": [[1, 2, 3]]},
        "num_to_remove_per_class",
        "shape",
    ),
    "numbers to remove without pruning": (
        (GOOD, PROBS),
        {"num_to_remove_per_class": [1, 1], "filter_by": "confident_learning"},
        "num_to_remove_per_class",
        "no meaning",
    ),
    "a joint of another shape": (
        (GOOD, PROBS),
        {"confident_joint": np.ones((3, 2, 2))},
        "confident_joint",
        "shape",
    ),
    "a negative joint": (
        (GOOD, PROBS),
        {"confident_joint": -np.ones((2, 2, 2))},
        "confident_joint",
        "is -1",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_find_label_issues(name):
    args, options, where, what = CALLS[name]
    with pytest.raises(InputError, match=what) as caught:
        multilabel.find_label_issues(*args, **options)
    assert re.match(where, caught.value.where), caught.value
    assert caught.value.fix


def test_a_joint_of_classes_that_exclude_each_other_is_not_used():
    with pytest.warns(DataWarning, match="exclude each other"):
        found = multilabel.find_label_issues(
            np.tile(GOOD, (4, 1)), np.tile(PROBS, (4, 1)), confident_joint=np.eye(2)
        )
    assert found.num_issues == 0


def test_options_without_meaning_are_named():
    with pytest.warns(DataWarning, match="frac_noise: not used"):
        multilabel.find_label_issues(GOOD, PROBS, filter_by="predicted_neq_given", frac_noise=0.5)


SCORES = {
    "entropy cannot be adjusted": (
        {"method": "confidence_weighted_entropy", "adjust_pred_probs": True},
        "adjust_pred_probs",
    ),
    "thresholds without adjusting": ({"thresholds": [0.5, 0.5]}, "thresholds"),
    "method": ({"method": "entropy"}, "method"),
    "a function of another shape": ({"aggregator": lambda s, axis: s}, "aggregator"),
    "a function beyond 1": ({"aggregator": lambda s, axis: s.sum(axis) + 5}, "aggregator"),
}


@pytest.mark.parametrize("name", SCORES)
def test_scores(name):
    options, where = SCORES[name]
    with pytest.raises(InputError) as caught:
        multilabel.get_label_quality_scores(GOOD, PROBS, **options)
    assert caught.value.where.startswith(where)


def test_a_function_that_cannot_do_with_what_is_not_known():
    labels = but(GOOD, 0, 0, np.nan)
    with pytest.raises(InputError, match=r"gave nan for row 0.*nanmedian"):
        multilabel.get_label_quality_scores(labels, PROBS, aggregator=np.median)


def test_columns_that_look_permuted():
    rng = np.random.default_rng(0)
    labels = rng.random((200, 3)) < [0.2, 0.5, 0.8]
    probs = np.where(labels, 0.9, 0.1)
    with pytest.warns(DataWarning, match="2 of 3 classes.*order of the columns"):
        multilabel.find_label_issues(labels, np.where([1, 1, 0], 1 - probs, probs))


@pytest.mark.parametrize("shape", ["shuffled", "shifted"])
@pytest.mark.parametrize("seed", range(5))
def test_rows_in_another_order(shape, seed):
    rng = np.random.default_rng(seed)
    labels = rng.random((400, 4)) < [0.1, 0.4, 0.5, 0.8]
    probs = np.clip(np.where(labels, 0.8, 0.2) + rng.normal(0, 0.1, labels.shape), 0, 1)
    probs = np.roll(probs, 1, axis=0) if shape == "shifted" else rng.permutation(probs)
    with pytest.warns(DataWarning, match="for all of 4 classes.*rows or columns are in another"):
        multilabel.find_label_issues(labels, probs)


def test_a_weak_model_in_the_right_order_is_not_warned_of():
    rng = np.random.default_rng(0)
    labels = rng.random((2000, 3)) < 0.05
    probs = np.clip(0.05 + 0.01 * labels + rng.normal(0, 0.02, labels.shape), 0, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        multilabel.find_label_issues(labels, probs)


@pytest.mark.parametrize("filter_by", ["prune_by_noise_rate", "both", "confident_learning"])
def test_shuffled_rows_get_the_same_scores_and_flags(filter_by):
    rng = np.random.default_rng(0)
    labels = rng.random((9000, 5)) < 0.3
    probs = np.clip(labels * 0.7 + 0.15 + rng.normal(0, 0.25, labels.shape), 0.001, 0.999)
    issues = multilabel.find_label_issues(labels, probs, filter_by=filter_by)
    assert issues.is_issue.any()
    for _ in range(5):
        order = rng.permutation(len(labels))
        again = multilabel.find_label_issues(labels[order], probs[order], filter_by=filter_by)
        np.testing.assert_array_equal(again.scores, issues.scores[order])
        np.testing.assert_array_equal(again.is_issue, issues.is_issue[order])


# Files: name, content (text or bytes), options, where, what

ARFF = "@relation r\n@attribute a {0,1}\n@attribute b {0,1}\n@data\n"
COCO = {
    "images": [{"id": 1, "file_name": "x.jpg"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1}],
    "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
}
TASK = {"id": 1, "data": {"t": "x"}, "annotations": [{"result": []}]}

FILES = {
    "no such file": (None, None, {}, "a.csv", "does not exist"),
    "an empty file": ("a.csv", " \n", {}, "a.csv", "is empty"),
    "no such column": (
        "a.csv",
        "a,b\n1,0\n",
        {"labels": ["c"]},
        "a.csv",
        "no column 'c'; it has a",
    ),
    "labels as one text": ("a.csv", "a,b\n1,0\n", {"labels": "a,b"}, "labels", "is the text"),
    "no column for sure": ("a.csv", "x,z\nu,v\n", {}, "a.csv", "no column is surely the labels"),
    "two candidates": ("a.csv", "tags,genres\nu,v\n", {}, "a.csv", "2 columns could be"),
    "neither yes nor no": (
        "a.csv",
        "a,b\n1,0\n0,maybe\n1,2\n",
        {"labels": ["a", "b"]},
        "column 'b', row 2",
        "'maybe', neither yes nor no; 2 rows",
    ),
    "lists among columns": (
        "a.jsonl",
        '{"a": [1], "b": 0}\n',
        {"labels": ["a", "b"]},
        "column 'a'",
        "holds lists",
    ),
    "an unclosed list": (
        "a.tsv",
        "x\ty\n1\t[a, b]\n2\t[a, b\n",
        {"labels": ["y"], "separator": "["},
        "column 'y', row 2",
        "no list of classes",
    ),
    "a list in a list": (
        "a.csv",
        "y\n[1]\n[[2]]\n",
        {"labels": ["y"]},
        "column 'y', row 2",
        "no list of classes",
    ),
    "a list in a list of JSON": (
        "a.jsonl",
        '{"y": ["a"]}\n{"y": [["a"]]}\n',
        {},
        "column 'y', row 2",
        "which is no class",
    ),
    "text among lists": (
        "a.jsonl",
        '{"y": ["a"]}\n{"y": "a"}\n',
        {},
        "column 'y', row 1",
        "other rows hold text",
    ),
    "an empty class": ("a.jsonl", '{"y": ["a", ""]}\n', {}, "row 1", "an empty class"),
    "numbers among text": ("a.jsonl", '{"y": ["a", 3]}\n', {}, "row 1", "other labels are numbers"),
    "a class that is not listed": (
        "a.csv",
        "y\na|b\nb|c\n",
        {"classes": ["a", "b"]},
        "column 'y', row 2",
        "'c', not one of the given classes",
    ),
    "too many classes": (
        "a.csv",
        "tags\n" + "".join(f"word{i} thing{i}\n" for i in range(90)),
        {},
        "column 'tags'",
        "too many for classes",
    ),
    "classes of other columns": (
        "a.csv",
        "a,b\n1,0\n",
        {"classes": ["a", "c"], "labels": ["a", "b"]},
        "a.csv",
        "names 'c', and the labels do not but the labels name 'b'",
    ),
    "an unknown format": ("a.csv", "a,b\n1,0\n", {"format": "xml"}, "format", "is 'xml'"),
    "ARFF: no labels known": ("a.arff", ARFF + "1,0\n", {}, "a.arff", "does not say which"),
    "ARFF: a value too few": (
        "a.arff",
        ARFF + "1,0\n1\n",
        {"labels": ["a"]},
        "a.arff: line 6",
        "has 1 values, and there are 2 attributes",
    ),
    "ARFF: neither 1 nor 0": (
        "a.arff",
        ARFF + "1,0\n1,5\n",
        {"labels": ["a", "b"]},
        "line 6, attribute 'b'",
        "'5', neither 1 nor 0",
    ),
    "ARFF: no data": ("a.arff", ARFF, {"labels": ["a"]}, "a.arff", "has no data"),
    "ARFF: cut in the header": (
        "a.arff",
        "@relation r\n@attribute a numeric\n",
        {},
        "a.arff",
        "has no @data",
    ),
    "ARFF: a broken header": ("a.arff", "@relation r\n@attr a\n@data\n", {}, "line 2", "expected"),
    "ARFF: no such attribute": (
        "a.arff",
        ARFF + "1,0\n",
        {"labels": ["z"]},
        "a.arff",
        "no attribute is called 'z'",
    ),
    "ARFF: an unclosed sparse line": (
        "a.arff",
        ARFF + "{0 1\n",
        {"labels": ["a"]},
        "line 5",
        "does not close",
    ),
    "ARFF: a sparse number too large": (
        "a.arff",
        ARFF + "{7 1}\n",
        {"labels": ["a"]},
        "line 5",
        "'7 1'",
    ),
    "JSON that is cut": (
        "a.json",
        '[{"id": 1',
        {"format": "label_studio"},
        "a.json",
        "is not JSON",
    ),
    "Label Studio: no choices": (
        "a.json",
        json.dumps([TASK]),
        {},
        "a.json",
        "has no choices",
    ),
    "Label Studio: not a task": ("a.json", "[1]", {"format": "label_studio"}, "task 1", "number"),
    "COCO: an unknown image": (
        "a.json",
        json.dumps({**COCO, "annotations": [{"id": 1, "image_id": 9, "category_id": 1}]}),
        {},
        r"annotations\[0\]",
        "image_id 9",
    ),
    "COCO: an id twice": (
        "a.json",
        json.dumps({**COCO, "categories": [{"id": 1, "name": "a"}] * 2}),
        {},
        r"categories\[1\]",
        "which another has",
    ),
    "no COCO": ("a.json", "{}", {"format": "coco"}, "a.json", "is no COCO file"),
    "an array of three": ("a.npy", np.full((2, 2), 3), {}, r"\[0, 0\]", "is 3"),
    "an array of one dimension": ("a.npy", np.ones(3), {}, "a.npy", "shape"),
    "an array of objects": ("a.npy", np.array([{}], dtype=object), {}, "a.npy", "is not an array"),
}


@pytest.mark.parametrize("name", FILES)
def test_read(name, tmp_path):
    file, content, options, where, what = FILES[name]
    path = tmp_path / (file or "a.csv")
    if isinstance(content, np.ndarray):
        np.save(path, content, allow_pickle=True)
    elif content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=what) as caught:
        multilabel.read(path, **options)
    assert re.search(where, caught.value.where), caught.value
    assert caught.value.fix


def test_xml_with_entities(tmp_path):
    (tmp_path / "a.arff").write_text(ARFF + "1,0\n")
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaa">]><labels><label name="&a;"/></labels>'
    (tmp_path / "a.xml").write_text(bomb)
    with pytest.raises(InputError, match="defines entities"):
        multilabel.read(tmp_path / "a.arff")
    (tmp_path / "a.xml").write_text("<labels>")
    with pytest.raises(InputError, match="is not XML"):
        multilabel.read(tmp_path / "a.arff")
    (tmp_path / "a.xml").write_text("<labels/>")
    with pytest.raises(InputError, match="names no labels"):
        multilabel.read(tmp_path / "a.arff")


def test_predictions_of_another_size(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,0\n0,1\n1,1\n")
    np.save(tmp_path / "p.npy", np.full((2, 3), 0.5))
    with pytest.raises(InputError, match=r"has 2 rows, and .* has 3"):
        multilabel.read(tmp_path / "a.csv", labels=["a", "b"], pred_probs=tmp_path / "p.npy")
    np.save(tmp_path / "p.npy", np.full((3, 5), 0.5))
    with pytest.raises(InputError, match=r"has 5 columns, and .* 2 classes: a, b"):
        multilabel.read(tmp_path / "a.csv", labels=["a", "b"], pred_probs=tmp_path / "p.npy")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("t,y\n1,a|b\n2,b\n3,a\n4,\n")
    return multilabel.read(path, labels=["y"])


CORRECTIONS = {
    "no such example": ([(9, 0, "absent")], "names example 9"),
    "a negative example": ([(-1, 0, "absent")], "names example -1"),
    "no such class": ([(0, 2, "absent")], "names part 2"),
    "a class for a value": ([(0, 0, "a")], "suggests 'a'"),
    "both": ([(0, 0, "absent"), (0, 0, "present")], "gives part 0 of example 0 a second label"),
}


@pytest.mark.parametrize("name", CORRECTIONS)
def test_export(table, tmp_path, name):
    rows, what = CORRECTIONS[name]
    frame = pd.DataFrame(rows, columns=["example", "part", "suggested"])
    with pytest.raises(InputError, match=what):
        multilabel.export(table.source, frame, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def one(example, part, suggested):
    return pd.DataFrame([(example, part, suggested)], columns=["example", "part", "suggested"])


def test_export_needs_its_columns(table, tmp_path):
    with pytest.raises(InputError, match="has no column 'part'"):
        multilabel.export(table.source, one(0, 0, "absent").drop(columns="part"), tmp_path / "o")


def test_export_of_a_file_that_changed_or_onto_itself(table, tmp_path):
    path = table.source.files[0]
    with pytest.raises(InputError, match="never overwritten"):
        multilabel.export(table.source, one(0, 0, "absent"), path)
    path.write_text(path.read_text() + "5,a\n")
    with pytest.raises(InputError, match="has changed"):
        multilabel.export(table.source, one(0, 0, "absent"), tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_class_that_a_file_cannot_hold(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("y\nred|green\ngreen\n")
    data = multilabel.read(path, classes=["green", "red", "blue|ish"])
    with pytest.raises(InputError, match="is read as something else"):
        multilabel.export(data.source, one(0, 2, "present"), tmp_path / "out.csv")


def test_coco_with_boxes_is_read_and_not_corrected(tmp_path):
    path = tmp_path / "a.json"
    placed = {**COCO["annotations"][0], "bbox": [0, 0, 5, 5]}
    path.write_text(json.dumps({**COCO, "annotations": [placed]}))
    data = multilabel.read(path)
    assert any("have a place in the image" in note for note in data.notes)
    multilabel.export(data.source, one(0, 0, "absent").head(0), tmp_path / "same.json")
    assert (tmp_path / "same.json").read_bytes() == path.read_bytes()
    with pytest.raises(InputError, match="boxes or masks"):
        multilabel.export(data.source, one(0, 0, "absent"), tmp_path / "out.json")


def test_parquet_of_numbers(tmp_path):
    pq.write_table(pa.table({"a": [1, 7], "b": [0, 1]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="is 7, neither yes nor no"):
        multilabel.read(tmp_path / "a.parquet", labels=["a", "b"])
