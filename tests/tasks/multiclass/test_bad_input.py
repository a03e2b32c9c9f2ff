"""What does not fit is said: which argument, which entry, how many, and what to do about it.

Every case is one argument changed in a call that works. An `InputError` is expected, never a
traceback from deep inside, and never an answer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from goldlabel.errors import InputError
from goldlabel.tasks import multiclass

LABELS = [0, 0, 0, 1, 1, 1, 2, 2]
PROBS = np.array(
    [
        [0.8, 0.1, 0.1],
        [0.7, 0.2, 0.1],
        [0.1, 0.8, 0.1],
        [0.2, 0.7, 0.1],
        [0.1, 0.8, 0.1],
        [0.6, 0.3, 0.1],
        [0.1, 0.2, 0.7],
        [0.2, 0.2, 0.6],
    ]
)
GOOD = {"labels": LABELS, "pred_probs": PROBS}


def with_entry(array, at, value):
    """Copy an array or list with one entry, or several, replaced."""
    changed = np.array(array, dtype=float) if isinstance(array, np.ndarray) else list(array)
    changed[at] = value
    return changed


def named(*columns):
    return pd.DataFrame(PROBS, columns=columns)


# (where, what, fix) of the message; parts of the last two suffice.

PRED_PROBS = {
    "a NaN": (
        with_entry(PROBS, (4, 1), np.nan),
        "[4, 1]",
        "is nan, not in [0, 1] (1 such)",
        "predict them again",
    ),
    "a row of NaN": (
        with_entry(PROBS, 7, np.nan),
        "[7, 0]",
        "is nan, not in [0, 1] (3 such)",
        "Drop the rows",
    ),
    "all NaN": (PROBS * np.nan, "[0, 0]", "is nan, not in [0, 1] (24 such)", "Drop the rows"),
    "an infinity": (
        with_entry(PROBS, (2, 0), np.inf),
        "[2, 0]",
        "is inf, not in [0, 1] (1 such)",
        "each in [0, 1]",
    ),
    "a negative infinity": (
        with_entry(PROBS, (2, 0), -np.inf),
        "[2, 0]",
        "is -inf, not in",
        "each in [0, 1]",
    ),
    "a negative": (
        with_entry(PROBS, (1, 2), -0.1),
        "[1, 2]",
        "is -0.1, not in [0, 1] (1 such)",
        "softmax",
    ),
    "hardly negative": (with_entry(PROBS, (1, 2), -1e-5), "[1, 2]", "is -1e-05, not in", "softmax"),
    "above 1": (
        with_entry(PROBS, (5, 0), 1.2),
        "[5, 0]",
        "is 1.2, not in [0, 1] (1 such)",
        "softmax",
    ),
    "hardly above 1": (
        with_entry(PROBS, (5, 0), 1.00001),
        "[5, 0]",
        "is 1.00001, not in",
        "softmax",
    ),
    "percentages": (PROBS * 100, "[0, 0]", "is 80, not in [0, 1] (24 such)", "softmax"),
    "logits": (np.log(PROBS), "[0, 0]", "is -0.223144, not in [0, 1] (24 such)", "softmax"),
    "float32 logits": (np.log(PROBS).astype("f4"), "[0, 0]", "is -0.223144, not in", "softmax"),
    "float16 infinity": (
        with_entry(PROBS, (2, 0), np.inf).astype("f2"),
        "[2, 0]",
        "is inf",
        "each in [0, 1]",
    ),
    "class numbers": (np.full((8, 3), 2), "[0, 0]", "is 2, not in [0, 1] (24 such)", "softmax"),
    "None": (None, "", "has shape (), not (n, k)", "a row per example"),
    "text": ("0.5", "", "has shape (), not (n, k)", "a row per example"),
    "a number": (0.5, "", "has shape (), not (n, k)", "a row per example"),
    "an empty list": ([], "", "has shape (0,), not (n, k)", "a column per class"),
    "one dimension": (PROBS[:, 1], "", "has shape (8,), not (n, k)", "a column per class"),
    "three dimensions": (PROBS[None], "", "has shape (1, 8, 3), not (n, k)", "a row per example"),
    "no columns": (PROBS[:, :0], "", "has no columns", "a column per class"),
    "ragged rows": ([[0.5, 0.5, 0.0], [1.0]] * 4, "", "is no array", "rows of one length"),
    "strings": (PROBS.astype(str), "", "has dtype <U32, not numbers", "float32 or float64"),
    "a string": ([["0.5", 0.5, 0.0]] * 8, "", "not numbers", "float32 or float64"),
    "None inside": ([[0.5, None, 0.5]] * 8, "", "has dtype object, not numbers", "float32"),
    "complex": (PROBS + 0j, "", "has dtype complex128, not numbers", "float32 or float64"),
    "dates": (PROBS.astype("M8[D]"), "", "has dtype datetime64[D], not numbers", "float32"),
    "records": (np.zeros((8, 3), [("p", float)]), "", "not numbers", "float32 or float64"),
    "sparse": (scipy.sparse.csr_matrix(PROBS), "", "is a sparse matrix", ".toarray()"),
    "masked": (np.ma.masked_less(PROBS, 0.15), "", "is a masked array", ".filled()"),
    "a dict": ({"a": [0.5]}, "", "has shape (), not (n, k)", "a row per example"),
    "a table with a text column": (
        named("a", "b", "c").assign(text="x"),
        "['text']",
        "is a column of",
        "columns of probabilities only",
    ),
    "a table with a missing entry": (
        named("a", "b", "c").astype("Float64").mask(PROBS == 0.7),
        "[1, 0]",
        "is nan, not in [0, 1] (3 such)",
        "Drop the rows",
    ),
    "twice the same column": (
        named("a", "b", "a"),
        ".columns[2]",
        "is 'a' once more",
        "each class once",
    ),
}

RANGE = "but pred_probs has 3 columns, classes 0 .. 2"
ONE = "Pass one label for each row"
GIVEN_LABELS = {
    "None": (None, "", "is a NoneType", "list or an array"),
    "a number": (1, "", "is a int", "list or an array"),
    "text": ("00011122", "", "is a str", "list or an array"),
    "a set": ({0, 1, 2}, "", "is a set", "list or an array"),
    "a dict": (dict(enumerate(LABELS)), "", "is a dict", "list or an array"),
    "a generator": (iter(LABELS), "", "is a list_iterator", "list or an array"),
    "too few": (LABELS[:-1], "", "has 7 entries, but pred_probs has 8 rows", ONE),
    "too many": ([*LABELS, 0], "", "has 9 entries, but pred_probs has 8 rows", ONE),
    "none at all": ([], "", "has 0 entries, but pred_probs has 8 rows", ONE),
    "a row": ([LABELS], "", "has shape (1, 8), not (n,)", "one class for each example"),
    "one-hot": (np.eye(3)[LABELS], "", "has shape (8, 3), not (n,)", "another task"),
    "lists of classes": ([[0], [0, 1], [1]], "", "is no array", "rows of one length"),
    "a table": (
        pd.DataFrame({"a": LABELS, "b": LABELS}),
        "",
        "has 2 columns, not one",
        "column of labels",
    ),
    "sparse": (scipy.sparse.csr_array([LABELS]).T, "", "is a sparse matrix", ".toarray()"),
    "masked": (np.ma.masked_equal(LABELS, 2), "", "is a masked array", "Drop the masked"),
    "above the range": (
        with_entry(LABELS, 4, 3),
        "[4]",
        f"is 3, {RANGE} (1 such)",
        "a column for that class",
    ),
    "counted from 1": (
        [c + 1 for c in LABELS],
        "[6]",
        f"is 3, {RANGE} (2 such)",
        "a column for that class",
    ),
    "negative": (with_entry(LABELS, 3, -1), "[3]", f"is -1, {RANGE} (1 such)", "Drop the row"),
    "float above the range": (
        [float(c + 1) for c in LABELS],
        "[6]",
        f"is 3, {RANGE}",
        "Drop the row",
    ),
    "huge": (with_entry(LABELS, 0, 10**25), "[0]", f"is 1e+25, {RANGE} (1 such)", "Drop the row"),
    "halves": (
        with_entry(LABELS, 1, 0.5),
        "[1]",
        "is 0.5, not a whole number (1 such)",
        "numbers to predict",
    ),
    "infinite": (
        with_entry(LABELS, 1, np.inf),
        "[1]",
        "is inf, not a whole number (1 such)",
        "class indices",
    ),
    "a NaN": (
        with_entry(LABELS, 2, np.nan),
        "[2]",
        "is missing (1 missing in all)",
        "without a label",
    ),
    "a None": (
        with_entry(LABELS, 2, None),
        "[2]",
        "is missing (1 missing in all)",
        "without a label",
    ),
    "a pd.NA": (
        pd.array(with_entry(LABELS, 2, pd.NA), "Int64"),
        "[2]",
        "is missing",
        "without a label",
    ),
    "a name missing": (
        [*"aabbcc", None, np.nan],
        "[6]",
        "is missing (2 missing in all)",
        "without a label",
    ),
    "a category missing": (
        pd.Categorical([*"aabbcc", None, "c"]),
        "[6]",
        "is missing (1",
        "without a label",
    ),
    "a name too many": (
        [*"aabbccdd"],
        "",
        "holds 4 different names, but pred_probs has 3 columns",
        "Pass classes=",
    ),
    "a name too few": (
        [*"aabbaabb"],
        "",
        "holds 2 different names, but pred_probs has 3 columns",
        "Pass classes=",
    ),
    "dicts": ([{}] * 8, "[0]", "is a dict", "one class for each example"),
    "complex numbers": ([1j, 2j, 3j, 1j] * 2, "", "can't be sorted", "Pass classes="),
}

CLASSES = {
    "a number": (3, "classes", "is a int", "the name of each column in order"),
    "text": ("abc", "classes", "is a str", "the name of each column in order"),
    "a set": ({"a", "b", "c"}, "classes", "is a set", "the name of each column in order"),
    "a dict": ({"a": 0, "b": 1, "c": 2}, "classes", "is a dict", "the name of each column"),
    "too few": (["a", "b"], "classes", "has 2 names, but pred_probs has 3 columns", "each column"),
    "too many": ([*"abcd"], "classes", "has 4 names, but pred_probs has 3 columns", "each column"),
    "one name twice": (["a", "b", "a"], "classes[2]", "is 'a' once more", "each class once"),
    "lists": ([["a"], ["b"], ["c"]], "classes[0]", "is a list", "text or numbers"),
    "numbers that no label is": (
        [5, 6, 7],
        "labels[0]",
        "is 0, not one of the 3 classes 5, 6, 7 (8 such)",
        "name the class",
    ),
}

OPTIONS = {
    "filter_by": [
        ("prune", "filter_by", "is 'prune'", "Use one of 'prune_by_noise_rate'"),
        (None, "filter_by", "is None", "'low_normalized_margin'"),
        (["both"], "filter_by", "is ['both']", "'both'"),
        (np.array(["both", "both"]), "filter_by", "is array", "'both'"),
    ],
    "rank_by": [
        ("margin", "rank_by", "is 'margin'", "Use one of 'self_confidence'"),
        (pd.NA, "rank_by", "is <NA>", "'confidence_weighted_entropy'"),
    ],
    "guess": [("paper", "guess", "is 'paper'", "Use one of 'argmax', 'confident_only'")],
    "ids": [
        ([1, 2], "ids", "has shape (2,), but there are 8 examples", "one id for each"),
        ("abcdefgh", "ids", "has shape (), but there are 8", "one id for each"),
        (np.zeros((8, 2)), "ids", "has shape (8, 2), but there are 8", "one id for each"),
        ([[1], [2, 3]] * 4, "ids", "is no array", "rows of one length"),
    ],
    "frac_noise": [
        (value, "frac_noise", f"is {value!r}", "Pass a number in [0, 1]")
        for value in (-0.1, 1.1, np.nan, np.inf, "0.5", None, True, [0.5])
    ],
    "min_examples_per_class": [
        (value, "min_examples_per_class", f"is {value!r}", "Pass a whole number, 0 or more")
        for value in (-1, 1.0, "1", None, True, np.nan, [1])
    ],
    "num_to_remove_per_class": [
        ([1, -2, 3], "num_to_remove_per_class[1]", "is -2, not a whole number", "a count"),
        ([1, 2, 0.5], "num_to_remove_per_class[2]", "is 0.5, not a whole number", "a count"),
        ([1, np.nan, 3], "num_to_remove_per_class[1]", "is nan, not a whole number", "a count"),
        ([1, np.inf, 3], "num_to_remove_per_class[1]", "is inf, not a whole number", "a count"),
        (-1, "num_to_remove_per_class", "is -1, not a whole number", "a count"),
        ([1, 2], "num_to_remove_per_class", "does not fit 3 classes: shape (2,)", "3 whole"),
        ([1], "num_to_remove_per_class", "does not fit 3 classes: shape (1,)", "3 whole"),
        ([[1, 2, 3]], "num_to_remove_per_class", "does not fit 3 classes", "3 whole numbers"),
        ("all", "num_to_remove_per_class", "does not fit 3 classes", "3 whole numbers"),
        ({0: 1}, "num_to_remove_per_class", "does not fit 3 classes", "3 whole numbers"),
    ],
    "confident_joint": [
        (np.ones((3, 2)), "confident_joint", "has shape (3, 2), not (k, k)", "every class"),
        (np.ones(3), "confident_joint", "has shape (3,), not (k, k)", "every class"),
        (np.ones((2, 2)), "confident_joint", "has shape (2, 2), but pred_probs has 3", "every"),
        (np.ones((4, 4)), "confident_joint", "has shape (4, 4), but pred_probs has 3", "every"),
        (-np.eye(3), "confident_joint[0, 0]", "is -1.0, not finite and at least 0 (3", "Correct"),
        (np.eye(3) * np.nan, "confident_joint[0, 0]", "is nan, not finite", "Correct"),
        (np.full((3, 3), np.inf), "confident_joint[0, 0]", "is inf, not finite", "Correct"),
        ("identity", "confident_joint", "is not a matrix of numbers", "shape (k, k)"),
        ([[1, 2, 3], [4]], "confident_joint", "is not a matrix of numbers", "shape (k, k)"),
    ],
    "thresholds": [
        (0.5, "thresholds", "has shape (), not (3,)", "Pass 3 numbers"),
        ([0.5, 0.5], "thresholds", "has shape (2,), not (3,)", "Pass 3 numbers"),
        ([[0.5, 0.5, 0.5]], "thresholds", "has shape (1, 3), not (3,)", "Pass 3 numbers"),
        ([0.5, np.nan, 0.5], "thresholds[1]", "is nan (1 such)", "Pass numbers in [0, 2]"),
        ([0.5, 0.5, np.inf], "thresholds[2]", "is inf (1 such)", "Pass numbers in [0, 2]"),
        ([50, 50, 50], "thresholds[0]", "is 50 (3 such)", "Pass numbers in [0, 2]"),
        ([-0.5, 0.5, 0.5], "thresholds[0]", "is -0.5 (1 such)", "Pass numbers in [0, 2]"),
        (["a", "b", "c"], "thresholds", "is not an array of numbers", "Pass 3 numbers"),
    ],
}


def flatten():
    """Yield (id, argument, its value, where, what, fix)."""
    for argument, cases in (("pred_probs", PRED_PROBS), ("labels", GIVEN_LABELS)):
        for name, (value, where, what, fix) in cases.items():
            yield f"{argument}: {name}", argument, value, argument + where, what, fix
    for name, case in CLASSES.items():
        yield f"classes: {name}", "classes", *case
    for argument, listed in OPTIONS.items():
        for at, case in enumerate(listed):
            yield f"{argument}: {at}", argument, *case


CASES = {name: case for name, *case in flatten()}


def expect(call, where, what, fix):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.where == where
    assert what in caught.value.what, caught.value.what
    assert fix in caught.value.fix, caught.value.fix


def test_the_call_works():
    assert multiclass.find_label_issues(**GOOD).ranked().tolist() == [2, 5]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_find_label_issues(case):
    argument, value, where, what, fix = case
    arguments = {**GOOD, argument: value}
    expect(lambda: multiclass.find_label_issues(**arguments), where, what, fix)


def test_enough_cases():
    assert len(CASES) >= 60


# The other verbs look at labels, pred_probs and classes alike.

OTHERS = (
    multiclass.get_label_quality_scores,
    multiclass.class_thresholds,
    multiclass.confident_joint,
    multiclass.estimate_joint,
    multiclass.estimate_noise,
    multiclass.num_label_issues,
    multiclass.summarize,
    multiclass.overlapping_classes,
    multiclass.health_summary,
)
ROWS = {
    name: case
    for name, case in CASES.items()
    if case[0] in ("labels", "pred_probs", "classes") and case[1] is not None
}


@pytest.mark.parametrize("verb", OTHERS, ids=lambda verb: verb.__name__)
@pytest.mark.parametrize("case", ROWS.values(), ids=ROWS)
def test_every_verb(case, verb):
    argument, value, where, what, fix = case
    if argument == "labels" and not isinstance(value, list) and hasattr(value, "__next__"):
        value = iter(LABELS)  # the other tests have used it up
    expect(lambda: verb(**{**GOOD, argument: value}), where, what, fix)


# Combinations


@pytest.mark.parametrize(
    ("arguments", "where", "what", "fix"),
    [
        (
            {"pred_probs": named("a", "b", "x"), "classes": [*"abc"]},
            "pred_probs.columns",
            "has 'x', which is not in classes (1 such)",
            "as the classes are named",
        ),
        (
            {"pred_probs": named("a", "b", "c"), "labels": [*"aabbccdd"]},
            "labels[6]",
            "is 'd', not one of the 3 classes 'a', 'b', 'c' (2 such)",
            "name the class",
        ),
        (
            {"classes": [*"abc"], "labels": [*"aabbcc", "C", "C"]},
            "labels[6]",
            "is 'C', not one of the 3 classes 'a', 'b', 'c' (2 such)",
            "name the class",
        ),
        (
            {"filter_by": "confident_learning", "num_to_remove_per_class": 1},
            "num_to_remove_per_class",
            "has no meaning for filter_by='confident_learning'",
            "prune_by_class",
        ),
        (
            {"filter_by": "low_self_confidence", "frac_noise": 2},
            "frac_noise",
            "is 2",
            "in [0, 1]",
        ),
    ],
)
def test_arguments_that_do_not_fit_each_other(arguments, where, what, fix):
    expect(lambda: multiclass.find_label_issues(**{**GOOD, **arguments}), where, what, fix)


@pytest.mark.parametrize(
    ("options", "where", "what", "fix"),
    [
        ({"method": "entropy"}, "method", "is 'entropy'", "Use one of 'self_confidence'"),
        (
            {"method": "confidence_weighted_entropy", "adjust_pred_probs": True},
            "adjust_pred_probs",
            "is not defined for confidence_weighted_entropy",
            "Use self_confidence or normalized_margin",
        ),
        ({"thresholds": [0.5] * 3}, "thresholds", "only for adjusted", "adjust_pred_probs=True"),
        (
            {"thresholds": [0.5] * 2, "adjust_pred_probs": True},
            "thresholds",
            "has shape (2,), not (3,)",
            "Pass 3 numbers",
        ),
    ],
)
def test_get_label_quality_scores(options, where, what, fix):
    expect(lambda: multiclass.get_label_quality_scores(**GOOD, **options), where, what, fix)


@pytest.mark.parametrize(
    ("verb", "options", "where", "what", "fix"),
    [
        ("num_label_issues", {"method": "both"}, "method", "is 'both'", "Use one of 'off_diag"),
        (
            "num_label_issues",
            {"method": "off_diagonal_custom"},
            "confident_joint",
            "is missing",
            "method='off_diagonal'",
        ),
        ("estimate_noise", {"py_method": "mean"}, "py_method", "is 'mean'", "Use one of 'cnt'"),
        ("confident_joint", {"guess": "best"}, "guess", "is 'best'", "Use one of 'argmax'"),
        (
            "confident_joint",
            {"thresholds": [0.5] * 4},
            "thresholds",
            "has shape (4,), not (3,)",
            "Pass 3 numbers",
        ),
        *(
            (
                verb,
                {"confident_joint": joint, **({"method": method} if method else {})},
                where,
                what,
                "",
            )
            for verb, method in (
                ("estimate_joint", None),
                ("estimate_noise", None),
                ("num_label_issues", "off_diagonal_custom"),
                ("summarize", None),
                ("overlapping_classes", None),
                ("health_summary", None),
            )
            for joint, where, what in (
                (np.ones((2, 2)), "confident_joint", "has shape (2, 2), but pred_probs has 3"),
                (np.ones((3, 2)), "confident_joint", "has shape (3, 2), not (k, k)"),
                (-np.eye(3), "confident_joint[0, 0]", "is -1.0, not finite and at least 0"),
                ("none", "confident_joint", "is not a matrix of numbers"),
            )
        ),
    ],
)
def test_estimates(verb, options, where, what, fix):
    expect(lambda: getattr(multiclass, verb)(**GOOD, **options), where, what, fix)
