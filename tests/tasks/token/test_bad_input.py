"""What does not fit is refused: where it is, what is wrong with it, what to do. Nothing is lost."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

from goldlabel import Ragged
from goldlabel.cli import main
from goldlabel.errors import InputError
from goldlabel.tasks import token

GOOD = [[0, 1], [1]]
PROBS = [np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.3, 0.7]])]
FLAT = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])


ALL = {"min_examples_per_class": 0}


def but(value, *, row=1, column=0):
    probs = FLAT.copy()
    probs[row, column] = value
    return [probs[:2], probs[2:]]


CALLS = {
    # labels
    "a class too large": (([[0, 2], [1]], PROBS), {}, r"labels\[0\]\[1\]", "is 2.*2 columns"),
    "a negative class": (([[0, 1], [-2]], PROBS), {}, r"labels\[1\]\[0\]", "is -2"),
    "an unknown name": (
        ([["a", "b"], ["c"]], PROBS),
        {"classes": ["a", "b"]},
        r"labels\[1\]\[0\]",
        "is 'c', not one of",
    ),
    "a class after one left out": (([[None, 0], [5]], PROBS), {}, r"labels\[1\]\[0\]", "is 5"),
    "half a class": (([[0, 0.5], [1]], PROBS), {}, r"labels\[0\]\[1\]", "is 0.5"),
    "one label for each": (([0, 1], PROBS), {}, r"labels\[0\]", "is 0, no list of labels"),
    "a text for each": ((["O O", "O"], PROBS), {}, r"labels\[0\]", "'O O', no list"),
    "text": (("O", PROBS), {}, "labels", "is a str"),
    "a mapping": (({0: [1]}, PROBS), {}, "labels", "is a dict"),
    "a list in a list": (([[[0], [1]], [1]], PROBS), {}, r"labels\[0\]\[0\]", "is a list|missing"),
    "too few sentences": (([[0, 1]], PROBS), {}, "labels", "has 1 sentences, but pred_probs has 2"),
    "too few tokens": (
        ([[0], [1]], PROBS),
        {},
        r"labels\[0\]",
        r"has 1 tokens, but pred_probs\[0\] has 2 .1 such",
    ),
    "too few in all": (([[0, 1]], FLAT), {}, "labels", "has 2 tokens, but pred_probs has 3 rows"),
    "nobody says where sentences end": ((np.array([0, 1, 1]), FLAT), {}, "labels", "flat array"),
    "more tokens than room": (
        (GOOD, np.full((2, 1, 2), 0.5)),
        {},
        r"labels\[0\]",
        "has 2 tokens, and pred_probs room for 1",
    ),
    # pred_probs
    "not a number": ((GOOD, but(np.nan)), {}, r"pred_probs\[0\]\[1, 0\]", "is nan"),
    "above 1": ((GOOD, but(1.5, row=2)), {}, r"pred_probs\[1\]\[0, 0\]", "is 1.5, not in"),
    "logits": ((GOOD, but(-3.0)), {}, r"pred_probs\[0\]\[1, 0\]", "is -3"),
    "words": ((GOOD, [[["a", "b"]] * 2, [["c", "d"]]]), {}, "pred_probs", "not numbers"),
    "rows of two lengths": (
        (GOOD, [np.ones((2, 2)), np.ones((1, 3))]),
        {},
        r"pred_probs\[1\]",
        "rows of shape",
    ),
    "ragged rows": (
        (GOOD, [[[0.5, 0.5], [1.0]], [[0.5, 0.5]]]),
        {},
        r"pred_probs\[0\]",
        "no array",
    ),
    "no columns": ((GOOD, np.ones((3, 0))), {}, "pred_probs", "no columns"),
    "none at all": (([[], []], [[], []]), {}, "pred_probs", "has no tokens"),
    "a number": ((GOOD, 0.5), {}, "pred_probs", "is a float"),
    # options
    "a filter": ((GOOD, PROBS), {"filter_by": "best"}, "filter_by", "'best'"),
    "a score": ((GOOD, PROBS), {"rank_by": "best"}, "rank_by", "'best'"),
    "an aggregator": ((GOOD, PROBS), {"aggregator": "mean"}, "aggregator", "'mean'"),
    "a temperature": ((GOOD, PROBS), {"temperature": -1}, "temperature", "is -1"),
    "a temperature that is none": ((GOOD, PROBS), {"temperature": np.nan}, "temperature", "is nan"),
    "a scheme": ((GOOD, PROBS), {"scheme": "bio"}, "scheme", "'bio'"),
    "a scheme without tags": (
        (GOOD, PROBS),
        {"scheme": "iob2", "classes": ["a", "b"]},
        "classes",
        "have no 'O'",
    ),
    "a scheme of other tags": (
        (GOOD, PROBS),
        {"scheme": "io", "classes": ["O", "B-X"]},
        "scheme",
        "not tags of it",
    ),
    "too many names": ((GOOD, PROBS), {"classes": ["a", "b", "c"]}, "classes", "has 3 names"),
    "a name twice": ((GOOD, PROBS), {"classes": ["a", "a"]}, r"classes\[1\]", "once more"),
    "ids": ((GOOD, PROBS), {"ids": [1]}, "ids", "there are 2 sentences"),
    "other words": (
        (GOOD, PROBS),
        {"tokens": [["a", "b", "c"], ["d"]], **ALL},
        "tokens",
        "longer ones",
    ),
    "thresholds": ((GOOD, PROBS), {"thresholds": [0.5]}, "thresholds", "shape"),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls(name):
    args, options, where, what = CALLS[name]
    with pytest.raises(InputError) as caught:
        token.find_label_issues(*args, **options)
    assert re.fullmatch(where, caught.value.where), caught.value
    assert re.search(what, caught.value.what), caught.value
    assert caught.value.fix


OTHERS = {
    "scores that are words": (lambda: token.issues_from_scores(["a"]), "scores"),
    "a threshold": (lambda: token.issues_from_scores([0.1], threshold=2), "threshold"),
    "an aggregator": (
        lambda: token.get_label_quality_scores(GOOD, PROBS, aggregator="max"),
        "aggregator",
    ),
    "maps too short": (lambda: token.merge_probs([[0.5, 0.5]], [0]), "maps"),
    "maps of nothing": (lambda: token.merge_probs([[0.5, 0.5]], [-1, -1]), "maps"),
    "maps of halves": (lambda: token.merge_probs([[0.5, 0.5]], [0.5, 1]), "maps"),
    "a label beyond the maps": (lambda: token.merge_labels([3], [0, 1]), r"labels\[0\]"),
    "a word without a piece": (lambda: token.align_subwords(FLAT, [0, 2, None]), "word_ids"),
    "too few words": (lambda: token.align_subwords(FLAT, [0, 1]), "word_ids"),
    "half a word": (lambda: token.align_subwords(FLAT, [0, 0.5, 1]), r"word_ids\[1\]"),
    "a method": (lambda: token.align_subwords(FLAT, [0, 1, 2], method="sum"), "method"),
    "tags of no scheme": (lambda: token.find_invalid_tags([["N", "V"]], scheme="iob2"), "scheme"),
    "tags as text": (lambda: token.find_invalid_tags(["O O"]), "labels"),
    "an issue of no token": (
        lambda: token.common_label_issues([(0, 5)], [["a"]]),
        r"issues\[0\]",
    ),
    "spans of 2": (lambda: token.find_span_issues([[0, 2]], [[0.5, 0.5]]), r"labels\[0\]\[1\]"),
    "spans of two kinds": (
        lambda: token.find_span_issues([[0, 1]], [[[0.5, 0.5], [0.5, 0.5]]]),
        "pred_probs",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_calls(name):
    call, where = OTHERS[name]
    with pytest.raises(InputError, match=f"^{where}: "):
        call()


FILES = {
    "no tag": ("a.conll", "Ann B-PER\nlives\n", {}, "line 2: has 1 column, and 2 are needed"),
    "one column": ("a.conll", "Ann\nlives\n", {}, "has the words and the tags in one column"),
    "no column": ("a.conll", "Ann O\n", {"tag_column": 5}, "tag_column: is 5, and a.conll has 2"),
    "the same column": ("a.conll", "Ann O\n", {"tag_column": 0}, "in one column, 0"),
    "no tokens": ("a.conll", "-DOCSTART- O\n", {}, "has no tokens"),
    "nothing": ("a.conll", " \n", {}, "is empty"),
    "no UTF-8": ("a.conll", b"Zo\xeb O\n", {}, "line 1.*is not UTF-8"),
    "a tag without a class": (
        "a.conll",
        "Ann B-PER\nBob B-X\n",
        {"classes": ["O", "B-PER"]},
        r"sentence 0, token 1 \('Bob'\): has the tag 'B-X', not one of the 2 classes",
    ),
    "a format": ("a.conll", "Ann O\n", {"format": "word"}, "format: is 'word'"),
    "a class twice": ("a.conll", "Ann O\n", {"classes": ["O", "O"]}, "classes: has a name twice"),
    "classes as text": ("a.conll", "Ann O\n", {"classes": "O"}, "classes: is the text"),
    "more words than tags": (
        "a.jsonl",
        '{"tokens": ["a", "b"], "tags": ["O"]}',
        {},
        "row 1: has 2 words in 'tokens', 1 tags",
    ),
    "no list": (
        "a.jsonl",
        '{"tokens": ["a"], "tags": ["O"]}\n{"tokens": "a", "tags": ["O"]}',
        {},
        "row 2, column 'tokens': is 'a', no list",
    ),
    "no such column": (
        "a.jsonl",
        '{"tokens": ["a"], "x": ["O"]}',
        {},
        "has no column of lists called ner_tags, only tokens, x",
    ),
    "tags of two types": (
        "a.jsonl",
        '{"tokens": ["a", "b"], "tags": ["O", 1]}',
        {},
        "row 1: holds 1",
    ),
    "a number beyond the names": (
        "a.jsonl",
        '{"tokens": ["a"], "tags": [7]}',
        {"classes": ["O", "B-X"]},
        "has the tag '7', not one of the 2 classes",
    ),
    "broken JSON": ("a.jsonl", '{"text": "a", "label": []}\n{"text"', {}, "line 2.*is not JSON"),
    "a span outside": (
        "a.jsonl",
        '{"text": "Ann", "label": [[0, 9, "PER"]]}',
        {},
        "line 1: holds PER 0-9 .line 1, span 0., span out of text: the text has 3 characters",
    ),
    "a span that is none": (
        "a.jsonl",
        '{"text": "Ann", "label": [[0]]}',
        {},
        "span 0: .0., not a span",
    ),
    "no text": ("a.jsonl", '{"body": "Ann", "label": [[0, 1, "X"]]}', {}, "line 1: has no text"),
    "tokens out of order": (
        "a.jsonl",
        '{"text": "Ann", "spans": [], "tokens": [{"start": 1, "end": 3}, {"start": 0, "end": 1}]}',
        {},
        "token 1: runs from 0 to 1, after one that ends at 3",
    ),
    "an array of numbers": ("a.json", "[1, 2]", {}, "is a JSON array of 1"),
    "spaCy without sentences": ("a.json", '[{"paragraphs": [{}]}]', {}, "has no list of sentences"),
    "spaCy without words": (
        "a.json",
        '[{"paragraphs": [{"sentences": [{"tokens": [{"ner": "O"}]}]}]}]',
        {},
        "sentence 0, token 0: has no 'orth'",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files(tmp_path, name):
    file, content, options, message = FILES[name]
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / file).write_bytes(data)
    with pytest.raises(InputError, match=message):
        token.read(tmp_path / file, **options)


def npz(**arrays):
    return lambda path: np.savez(path, **arrays)


def text(content):
    return lambda path: path.write_text(content)


PREDICTIONS = {
    "too few rows": ("p.npy", lambda p: np.save(p, FLAT[:2]), "has 2 rows, and .* 3 tokens"),
    "other sentences": (
        "p.npz",
        npz(probs=FLAT, lengths=[1, 2]),
        "sentence 0: has 1 tokens.*'a b'",
    ),
    "more sentences": ("p.npz", npz(probs=FLAT, lengths=[1, 1, 1]), "has 3 sentences, and"),
    "offsets that fall": ("p.npz", npz(probs=FLAT, offsets=[0, 4, 3]), "'offsets'.*runs to 3"),
    "offsets of floats": ("p.npz", npz(probs=FLAT, offsets=[0.0, 3.0]), "'offsets'.*is float64"),
    "a strange array": ("p.npz", npz(a=FLAT, b=FLAT), "holds 2 arrays: a, b"),
    "padded too short": (
        "p.npy",
        lambda p: np.save(p, np.ones((2, 1, 2))),
        "has 2 sentences of up to 1 tokens",
    ),
    "one number a token": ("p.npy", lambda p: np.save(p, FLAT[:, 0]), "has shape .3,."),
    "words": ("p.npy", lambda p: np.save(p, np.array([["a"]])), "not numbers"),
    "a pickle": ("p.npy", lambda p: np.save(p, np.array([{}], dtype=object)), "not an array"),
    "too many columns": (
        "p.npy",
        lambda p: np.save(p, np.ones((3, 4))),
        "2 different tags, and .*4",
    ),
    "uneven rows": ("p.jsonl", text('{"probs": [[1, 0], [1]]}'), "row 1: holds rows"),
    "other widths": (
        "p.jsonl",
        text('{"probs": [[1, 0]]}\n{"probs": [[1, 0, 0]]}'),
        "rows of 2, 3 numbers",
    ),
    "no such column": ("p.jsonl", text('{"x": [[1, 0]]}'), "has"),
    "names that differ": (
        "p.npz",
        npz(probs=FLAT, labels=np.array(["O", "B-Y"])),
        "has the tag 'B-X'|have no tag of 'X'",
    ),
}


@pytest.mark.parametrize("name", PREDICTIONS)
def test_predictions(tmp_path, name):
    file, write, message = PREDICTIONS[name]
    (tmp_path / "a.conll").write_text("a O\nb B-X\n\nc O\n")
    write(tmp_path / file)
    with pytest.raises(InputError, match=message):
        token.read(tmp_path / "a.conll", pred_probs=tmp_path / file)


CORRECTIONS = {
    "no such sentence": [(5, 0, "O")],
    "no such token": [(0, 9, "O")],
    "no such class": [(0, 0, "B-Z")],
    "two answers": [(0, 0, "O"), (0, 0, "B-X")],
}


@pytest.mark.parametrize("name", CORRECTIONS)
def test_corrections(tmp_path, name):
    (tmp_path / "a.conll").write_text("a O\nb B-X\n")
    data = token.read(tmp_path / "a.conll")
    frame = pd.DataFrame(CORRECTIONS[name], columns=["example", "part", "suggested"])
    with pytest.raises(InputError, match=r"^corrections: row"):
        token.export(data.source, frame, tmp_path / "b.conll")
    assert not (tmp_path / "b.conll").exists()
    with pytest.raises(InputError, match="is the input"):
        token.export(data.source, frame[:0], tmp_path / "a.conll")


def test_the_command_says_so_without_a_traceback(tmp_path, capsys):
    (tmp_path / "a.conll").write_text("Ann B-PER\nlives\n")
    (tmp_path / "p.jsonl").write_text(json.dumps({"probs": [[0.5, 0.5]]}))
    words = ["audit", "token", tmp_path / "a.conll", "--pred-probs", tmp_path / "p.jsonl"]
    assert main([str(word) for word in [*words, "--out", tmp_path / "out"]]) == 2
    printed = capsys.readouterr()
    assert re.match(r"goldlabel: .*a\.conll: line 2: has 1 column", printed.err)
    assert not printed.out
    assert not (tmp_path / "out").exists()


def test_labels_stay_as_they_are():
    labels = [list(each) for each in GOOD]
    probs = [each.copy() for each in PROBS]
    token.find_label_issues(labels, probs, min_examples_per_class=0)
    token.find_label_issues(Ragged.from_lists(GOOD), Ragged(FLAT, Ragged.from_lists(GOOD).offsets),
                            min_examples_per_class=0)  # fmt: skip
    assert labels == GOOD
    assert all((a == b).all() for a, b in zip(probs, PROBS, strict=True))


def test_a_keyword_that_is_none_is_refused(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("Ann B-PER\n")
    with pytest.raises(TypeError, match="delimiter"):
        token.read(path, delimiter=",")
    assert token.read(path, encoding="utf-8", split=None).classes == ("B-PER",)


def test_one_object_over_lines_is_no_columns(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{\n "text": "Ann",\n "spans": []\n}\n')
    with pytest.raises(InputError, match="is JSON of an unknown kind"):
        token.read(path)
