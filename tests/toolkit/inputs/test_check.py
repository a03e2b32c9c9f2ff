"""Every form of labels and probabilities that is taken, and what is said of the others."""

from __future__ import annotations

import datetime
import decimal
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse

from goldlabel.errors import DataWarning, InputError
from goldlabel.inputs import check

PROBS = np.array([[0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.6, 0.4]])
CODES = [0, 1, 1, 0]


def rows(labels, classes=None, pred_probs=PROBS):
    return check.labeled_rows(labels, pred_probs, classes)


def expect(found, codes, classes):
    assert found.labels.dtype == np.int64
    assert found.labels.flags.c_contiguous
    assert found.labels.tolist() == codes
    assert found.classes == classes
    assert [type(name) for name in found.classes] == [type(name) for name in classes]


def refuses(call, where, what, fix):
    with pytest.raises(InputError) as caught:
        call()
    error = caught.value
    assert error.where == where
    assert what in error.what, error.what
    assert fix in error.fix, error.fix
    assert str(error) == f"{error.where}: {error.what}. {error.fix}."


# Labels that are class indices


class Lends:
    """What has ``__array__`` and a length, as tensors of other packages have."""

    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype=dtype)


INDICES = {
    "list": CODES,
    "tuple": tuple(CODES),
    "list of NumPy integers": [np.int8(0), np.uint16(1), 1, 0],
    "booleans": [False, True, True, False],
    "booleans and integers": [False, 1, True, 0],
    "integral floats": [0.0, 1.0, 1.0, 0.0],
    "integers and floats": [0, 1.0, np.float32(1), 0],
    **{
        kind: np.array(CODES, dtype=kind)
        for kind in ("i1", "i4", ">i4", "i8", ">i8", "u1", "u8", "?", "f2", "f4", ">f8", "O")
    },
    "column of a matrix": np.array(CODES).reshape(4, 1),
    "rows of one": [[0], [1], [1], [0]],
    "every other entry": np.array([0, 9, 1, 9, 1, 9, 0, 9])[::2],
    "backwards": np.array(CODES[::-1])[::-1],
    "an array lent": Lends(CODES),
    "Series": pd.Series(CODES, index=[7, 3, 3, 1]),
    "Series of float": pd.Series(CODES, dtype="float32"),
    "Series of objects": pd.Series(CODES, dtype=object),
    "Int64": pd.Series(CODES, dtype="Int64"),
    "UInt8": pd.Series(CODES, dtype="UInt8"),
    "Float64": pd.Series(CODES, dtype="Float64"),
    "boolean": pd.Series([False, True, True, False], dtype="boolean"),
    "Arrow int8": pd.Series(CODES, dtype=pd.ArrowDtype(pa.int8())),
    "Arrow double": pd.Series(CODES, dtype=pd.ArrowDtype(pa.float64())),
    "Arrow bool": pd.Series([False, True, True, False], dtype=pd.ArrowDtype(pa.bool_())),
    "Index": pd.Index(CODES),
    "pandas array": pd.array(CODES),
    "one-column DataFrame": pd.DataFrame({"label": CODES}),
    "one-column DataFrame of Int64": pd.DataFrame({"label": pd.array(CODES)}),
    "pyarrow Array": pa.array(CODES),
    "pyarrow ChunkedArray": pa.chunked_array([[0, 1], [1, 0]]),
}


@pytest.mark.parametrize("labels", INDICES.values(), ids=INDICES)
def test_class_indices(labels):
    expect(rows(labels), CODES, (0, 1))
    expect(rows(labels, ["cat", "dog"]), CODES, ("cat", "dog"))


@pytest.mark.parametrize("labels", INDICES.values(), ids=INDICES)
def test_numbers_that_are_names(labels):
    """Where the numbers are among the names, they are names."""
    expect(rows(labels, [1, 0]), [1, 0, 0, 1], (1, 0))


def test_categories_that_are_indices():
    for categories in ([0, 1], [0.0, 1.0], [False, True]):
        labels = pd.Categorical.from_codes(CODES, categories=categories)
        wide = np.c_[PROBS, PROBS] / 2
        expect(rows(labels, pred_probs=wide), CODES, (0, 1, 2, 3))
        expect(rows(labels, ["cat", "dog"]), CODES, ("cat", "dog"))


def test_label_arrays_are_not_copied_without_need():
    labels = np.array(CODES)
    assert rows(labels).labels is labels


def test_read_only_and_mapped_labels(tmp_path):
    labels = np.array(CODES)
    np.save(tmp_path / "labels.npy", labels)
    labels.flags.writeable = False
    expect(rows(labels), CODES, (0, 1))
    expect(rows(np.load(tmp_path / "labels.npy", mmap_mode="r")), CODES, (0, 1))


# Labels that are names

WORDS = ["cat", "dog", "dog", "cat"]
NAMES = {
    "list": WORDS,
    "tuple": tuple(WORDS),
    "array": np.array(WORDS),
    "array of objects": np.array(WORDS, dtype=object),
    "list of NumPy strings": [np.str_("cat"), "dog", np.str_("dog"), "cat"],
    "Series": pd.Series(WORDS, index=[7, 3, 3, 1]),
    "string": pd.Series(WORDS, dtype="string"),
    "objects": pd.Series(WORDS, dtype=object),
    "category": pd.Series(WORDS, dtype="category"),
    "Categorical": pd.Categorical(WORDS),
    "more categories": pd.Categorical(WORDS, categories=["emu", "dog", "cat", "ant"]),
    "Arrow": pd.Series(WORDS, dtype=pd.ArrowDtype(pa.string())),
    "Arrow dictionary": pd.Series(
        WORDS, dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))
    ),
    "Index": pd.Index(WORDS),
    "CategoricalIndex": pd.CategoricalIndex(WORDS),
    "one-column DataFrame": pd.DataFrame({"label": WORDS}),
    "pyarrow Array": pa.array(WORDS),
}
if hasattr(np.dtypes, "StringDType"):
    NAMES["StringDType"] = np.array(WORDS, dtype=np.dtypes.StringDType())


@pytest.mark.parametrize("labels", NAMES.values(), ids=NAMES)
def test_names(labels):
    """Without `classes` the columns are in sorted order; with it, in the order it says."""
    expect(rows(labels), CODES, ("cat", "dog"))
    expect(rows(labels, ["dog", "cat"]), [1, 0, 0, 1], ("dog", "cat"))
    wide = np.c_[PROBS[:, :1], 0 * PROBS[:, :1], PROBS[:, 1:]]
    expect(rows(labels, ["cat", "cow", "dog"], wide), [0, 2, 2, 0], ("cat", "cow", "dog"))


def test_categories_have_an_order():
    """As many categories as columns: their order counts, used or not."""
    labels = pd.Categorical(WORDS, categories=["dog", "cat"])
    expect(rows(labels), [1, 0, 0, 1], ("dog", "cat"))
    wide = np.c_[PROBS, 0 * PROBS[:, :1]]
    labels = pd.Categorical(WORDS, categories=["dog", "ant", "cat"])
    expect(rows(labels, pred_probs=wide), [2, 0, 0, 2], ("dog", "ant", "cat"))
    expect(rows(labels, ["cat", "dog", "ant"], wide), CODES, ("cat", "dog", "ant"))
    labels = pd.Categorical([4, 6, 6, 4], categories=[6, 4])
    expect(rows(labels), [1, 0, 0, 1], (6, 4))


DAYS = [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)]
HASHABLE = {
    "tuples": [(0, 1), ("a",)],
    "tuples of one length": [(0, 1), (1, 0)],
    "mixed": [1, "1"],
    "booleans": [False, True],
    "floats": [0.5, 2.0],
    "bytes": [b"a", b"b"],
    "days": DAYS,
    "huge numbers": [10**17, 10**17 + 1],
    "beyond 64 bits": [10**30, "b"],
    "sets": [frozenset("a"), frozenset("ab")],
    "decimals": [decimal.Decimal("0.5"), decimal.Decimal("1.5")],
}


@pytest.mark.parametrize("names", HASHABLE.values(), ids=HASHABLE)
def test_any_hashable_name(names):
    first, second = names
    labels = [first, second, second, first]
    boxed = np.empty(4, dtype=object)
    boxed[:] = labels
    for form in (labels, tuple(labels), boxed, pd.Series(boxed), pd.Series(boxed).to_frame()):
        expect(rows(form, names), CODES, (first, second))
        expect(rows(form, names[::-1]), [1, 0, 0, 1], (second, first))


def test_names_of_several_types_sort_by_type():
    expect(rows(["b", 2, 2, "b"]), [1, 0, 0, 1], (2, "b"))
    labels = np.array(["b", np.str_("a"), "a", "b"], dtype=object)
    expect(rows(labels), [1, 0, 0, 1], ("a", "b"))


CLASSES = {
    "list": ["cat", "dog"],
    "tuple": ("cat", "dog"),
    "array": np.array(["cat", "dog"]),
    "list of NumPy strings": list(np.array(["cat", "dog"])),
    "Series": pd.Series(["cat", "dog"]),
    "Index": pd.Index(["cat", "dog"]),
    "keys": {"cat": 1, "dog": 2}.keys(),
    "generator": None,
}


@pytest.mark.parametrize("classes", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("labels", [CODES, WORDS], ids=["indices", "names"])
def test_forms_of_classes(labels, classes):
    made = (name for name in ("cat", "dog")) if classes is None else classes
    expect(rows(labels, made), CODES, ("cat", "dog"))


def test_numbers_among_the_names_are_names():
    """AG News counts its classes from 1: 4 is the last one, and 0 is none of them."""
    probs = np.full((3, 4), 0.25)
    expect(rows([1, 4, 2], [1, 2, 3, 4], probs), [0, 3, 1], (1, 2, 3, 4))
    expect(rows(np.array([1, 4, 2.0]), np.arange(1, 5), probs), [0, 3, 1], (1, 2, 3, 4))
    refuses(
        lambda: rows([1, 0, 2], [1, 2, 3, 4], probs),
        "labels[1]",
        "is 0, not one of the 4 classes 1, 2, 3, 4 (1 such)",
        "name the class",
    )


def test_no_labels_at_all():
    for labels in ([], (), np.empty(0), np.empty(0, "U3"), pd.Series([], dtype="string")):
        expect(rows(labels, pred_probs=np.empty((0, 3))), [], (0, 1, 2))
        expect(rows(labels, ["a", "b"], np.empty((0, 2))), [], ("a", "b"))
    kept = pd.Categorical([], categories=["a", "b"])
    expect(rows(kept, pred_probs=np.empty((0, 2))), [], ("a", "b"))


# Labels that are refused

MISSING = "is missing (2 missing in all)"
RANGE = "but pred_probs has 2 columns, classes 0 .. 1"
BAD_LABELS = {
    "None": (None, "labels", "is a NoneType", "list or an array"),
    "a number": (3, "labels", "is a int", "list or an array"),
    "text": ("abba", "labels", "is a str", "list or an array"),
    "bytes": (b"abba", "labels", "is a bytes", "list or an array"),
    "a set": ({0, 1}, "labels", "is a set", "list or an array"),
    "a dict": ({0: 0, 1: 1}, "labels", "is a dict", "list or an array"),
    "a generator": ((c for c in CODES), "labels", "is a generator", "list or an array"),
    "no dimension": (np.array(3), "labels", "has shape (), not (n,)", "one class for each"),
    "a row": (np.array([CODES]), "labels", "has shape (1, 4), not (n,)", "one class for each"),
    "indicator": (np.eye(4), "labels", "has shape (4, 4), not (n,)", "another task"),
    "3-D": (np.zeros((4, 1, 1)), "labels", "has shape (4, 1, 1)", "one class for each"),
    "ragged": ([[0], [1, 0], [], [0]], "labels", "is no array", "rows of one length"),
    "masked": (np.ma.array(CODES, mask=[0, 0, 1, 0]), "labels", "is a masked array", "Drop"),
    "sparse": (scipy.sparse.csr_array([[0], [1], [1], [0]]), "labels", "sparse", ".toarray()"),
    "two columns": (pd.DataFrame({"a": CODES, "b": CODES}), "labels", "has 2 columns", "column"),
    "too few": (CODES[:3], "labels", "has 3 entries, but pred_probs has 4 rows", "one label"),
    "too many": ([*CODES, 0], "labels", "has 5 entries, but pred_probs has 4 rows", "one label"),
    "none": ([], "labels", "has 0 entries, but pred_probs has 4 rows", "one label"),
    "above the range": ([0, 7, 2, 1], "labels[1]", f"is 7, {RANGE} (2 such)", "a column"),
    "negative": ([0, 1, -1, 0], "labels[2]", f"is -1, {RANGE} (1 such)", "Drop the row"),
    "unsigned": (np.array([2**64 - 1, 0, 0, 1], "u8"), "labels[0]", f"{2**64 - 1}, {RANGE}", ""),
    "float": ([0.0, 1.0, 2.0, 0.0], "labels[2]", f"is 2, {RANGE} (1 such)", "Drop the row"),
    "huge float": ([0, 1e300, 1, 0], "labels[1]", f"is 1e+300, {RANGE}", "Drop the row"),
    "beyond 64 bits": ([0, 10**30, 1, 0], "labels[1]", f"is 1e+30, {RANGE}", "Drop the row"),
    "below 64 bits": ([-(10**30), 0, 1, 0], "labels[0]", f"is -1e+30, {RANGE}", "Drop the row"),
    "halves": (
        [0, 0.5, 1, 1.5],
        "labels[1]",
        "is 0.5, not a whole number (2 such)",
        "numbers to predict",
    ),
    "infinite": ([0, np.inf, 1, 0], "labels[1]", "is inf, not a whole number (1 such)", "indices"),
    "NaN": ([0, np.nan, 1, np.nan], "labels[1]", MISSING, "Drop the rows"),
    "None inside": ([0, None, 1, None], "labels[1]", MISSING, "Drop the rows"),
    "None among names": (["a", None, "b", None], "labels[1]", MISSING, "Drop the rows"),
    "pd.NA among names": (["a", pd.NA, "b", pd.NaT], "labels[1]", MISSING, "Drop the rows"),
    "Int64": (pd.array([0, None, 1, None], "Int64"), "labels[1]", MISSING, "Drop the rows"),
    "boolean": (pd.array([True, None, None, True], "boolean"), "labels[1]", MISSING, "Drop"),
    "string": (pd.array(["a", None, "b", None], "string"), "labels[1]", MISSING, "Drop the rows"),
    "Arrow": (
        pd.array([0, None, 1, None], pd.ArrowDtype(pa.int64())),
        "labels[1]",
        MISSING,
        "Drop the rows",
    ),
    "pyarrow": (pa.array([0, None, 1, None]), "labels[1]", MISSING, "Drop the rows"),
    "category": (pd.Categorical(["a", None, "b", None]), "labels[1]", MISSING, "Drop the rows"),
    "dicts": ([{}, {}, {}, {}], "labels[0]", "is a dict", "one class for each"),
    "sets": ([{0}, {1}, {1}, {0}], "labels[0]", "is a set", "one class for each"),
    "lists among names": (["a", "b", [1], "a"], "labels[2]", "is a list", "one class for each"),
    "too many names": (
        ["a", "b", "c", "a"],
        "labels",
        "holds 3 different names, but pred_probs has 2 columns",
        "Pass classes=",
    ),
    "too few names": (["a"] * 4, "labels", "holds 1 different names", "Pass classes="),
    "too many categories": (
        pd.Categorical(["a", "b", "c", "a"]),
        "labels",
        "holds 3 different names",
        "Pass classes=",
    ),
    "names without order": ([1j, 2j, 2j, 1j], "labels", "can't be sorted", "Pass classes="),
    "tuples without order": ([(1,), ("a",), (1,), (1,)], "labels", "can't be sorted", "classes="),
    "partial order": (
        [frozenset("a"), frozenset("b")] * 2,
        "labels",
        "can't be sorted",
        "Pass classes=",
    ),
}


@pytest.mark.parametrize("case", BAD_LABELS.values(), ids=BAD_LABELS)
def test_labels_refused(case):
    labels, where, what, fix = case
    refuses(lambda: rows(labels), where, what, fix)


def test_unknown_name():
    labels = ["cat", "emu", "emu", "dog"]
    unknown = "is 'emu', not one of the 2 classes 'cat', 'dog' (2 such)"
    for form in (labels, np.array(labels), pd.Categorical(labels), pd.Series(labels)):
        refuses(lambda form=form: rows(form, ["cat", "dog"]), "labels[1]", unknown, "a column")
    many = [f"class {at}" for at in range(9)]
    refuses(
        lambda: rows(labels, many, np.full((4, 9), 1 / 9)),
        "labels[0]",
        "not one of the 9 classes 'class 0', 'class 1', 'class 2', 'class 3', 'class 4', ... (4",
        "Drop the row",
    )


def test_numbers_beside_names_that_are_numbers():
    """An index where names are numbers is no index, even if some number is no name."""
    refuses(lambda: rows([1, 2, 3, 1], [1, 2]), "labels[2]", "is 3, not one of the 2", "name")
    refuses(lambda: rows([0, 0, 1, 1], [True, "b"]), "labels[0]", "is 0, not one of", "name")


BAD_CLASSES = {
    "a number": (3, "classes", "is a int", "list"),
    "text": ("ab", "classes", "is a str", "list"),
    "a dict": ({0: "a", 1: "b"}, "classes", "is a dict", "list"),
    "a set": ({"a", "b"}, "classes", "is a set", "list"),
    "too few": (["a"], "classes", "has 1 names, but pred_probs has 2 columns", "each column"),
    "too many": (["a", "b", "c"], "classes", "has 3 names", "Name each column once"),
    "empty": ([], "classes", "has 0 names", "Name each column once"),
    "twice": (["a", "a"], "classes[1]", "is 'a' once more", "Name each class once"),
    "1 and True": ([1, True], "classes[1]", "is True once more", "Name each class once"),
    "lists": ([["a"], ["b"]], "classes[0]", "is a list", "text or numbers"),
    "a matrix": (np.array([["a"], ["b"]]), "classes[0]", "is a ndarray", "text or numbers"),
}


@pytest.mark.parametrize("case", BAD_CLASSES.values(), ids=BAD_CLASSES)
def test_classes_refused(case):
    classes, where, what, fix = case
    refuses(lambda: rows(CODES, classes), where, what, fix)


# pred_probs

TWO = [[0.5, 0.5], [0.25, 0.75]]


@pytest.mark.parametrize("arrange", [np.ascontiguousarray, np.asfortranarray])
@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("f2", "f4"),
        (">f2", "f4"),
        ("f4", "f4"),
        (">f4", "f4"),
        ("f8", "f8"),
        (">f8", "f8"),
        (np.longdouble, "f8"),
    ],
)
def test_kinds_of_floats(kind, wanted, arrange):
    given = arrange(np.array(TWO, dtype=kind))
    found, columns = check.pred_probs_array(given)
    assert found.dtype == np.dtype(wanted)
    assert found.dtype.isnative
    assert found.flags.c_contiguous
    assert found.flags.aligned
    assert found.tolist() == TWO
    assert columns is None


@pytest.mark.parametrize("kind", ["?", "i1", "u8"])
def test_certainties_as_integers(kind):
    found, _ = check.pred_probs_array(np.array([[0, 1], [1, 0]], dtype=kind))
    assert found.dtype == np.float64
    assert found.tolist() == [[0, 1], [1, 0]]


def test_pred_probs_are_not_copied_without_need(tmp_path):
    for kind in (np.float32, np.float64):
        given = np.array(TWO, dtype=kind)
        assert np.shares_memory(check.pred_probs_array(given)[0], given)
        np.save(tmp_path / "probs.npy", given)
        mapped = np.load(tmp_path / "probs.npy", mmap_mode="r")
        assert np.shares_memory(check.pred_probs_array(mapped)[0], mapped)
        frame = pd.DataFrame(given)
        assert check.pred_probs_array(frame)[0].dtype == kind


def test_unaligned_memory():
    given = np.ndarray((2, 2), buffer=bytearray(33), offset=1)
    given[:] = TWO
    found, _ = check.pred_probs_array(given)
    assert found.flags.aligned
    assert found.tolist() == TWO


@pytest.mark.parametrize(
    "given",
    [
        [pd.Series(row) for row in TWO],
        [np.array(row) for row in TWO],
        tuple(map(tuple, TWO)),
        Lends(TWO),
        pa.table({"a": [0.5, 0.25], "b": [0.5, 0.75]}),
        np.array(TWO).view(type("Subclass", (np.ndarray,), {})),
        pd.DataFrame(TWO).astype("Float64"),
        pd.DataFrame(TWO).astype("Float32"),
        pd.DataFrame(TWO).astype(pd.ArrowDtype(pa.float32())),
        pd.DataFrame(TWO).astype(pd.ArrowDtype(pa.float64())),
        pd.DataFrame(TWO).astype({0: "Float64"}),
        pd.DataFrame(TWO).astype(pd.SparseDtype(float)),
    ],
    ids=lambda given: type(given).__name__,
)
def test_forms_of_pred_probs(given):
    found, columns = check.pred_probs_array(given)
    assert type(found) is np.ndarray
    assert found.tolist() == TWO
    assert columns is None


def test_missing_in_a_table_is_nan():
    frame = pd.DataFrame(TWO).astype("Float64")
    frame.iloc[1, 0] = pd.NA
    found, _ = check.pred_probs_array(frame)
    assert np.isnan(found).tolist() == [[False, False], [True, False]]


def test_columns_carry_the_names():
    named = pd.DataFrame(PROBS, columns=["dog", "cat"])
    found = rows(WORDS, pred_probs=named)
    expect(found, [1, 0, 0, 1], ("dog", "cat"))
    assert found.pred_probs.tolist() == PROBS.tolist()
    # The order of `classes` is the order of the columns, after they have been found by name.
    found = rows(WORDS, ["cat", "dog"], named)
    expect(found, CODES, ("cat", "dog"))
    assert found.pred_probs.tolist() == PROBS[:, ::-1].tolist()
    assert found.pred_probs.flags.c_contiguous


@pytest.mark.parametrize(
    "columns",
    [
        [1, 2],
        range(1, 3),
        pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]),
        pd.CategoricalIndex(["a", "b"]),
        [True, "b"],
        [0.5, 1.5],
    ],
    ids=str,
)
def test_columns_of_any_kind(columns):
    frame = pd.DataFrame(PROBS, columns=columns)
    first, second = frame.columns
    found = rows([first, second, second, first], pred_probs=frame)
    expect(found, CODES, (first, second))
    found = rows([first, second, second, first], [second, first], frame)
    expect(found, [1, 0, 0, 1], (second, first))
    assert found.pred_probs.tolist() == PROBS[:, ::-1].tolist()


def test_numbered_columns_have_no_names():
    for columns in (None, [0, 1], range(2), np.arange(2)):
        frame = pd.DataFrame(PROBS, columns=columns)
        assert check.pred_probs_array(frame)[1] is None
        expect(rows(CODES, ["cat", "dog"], frame), CODES, ("cat", "dog"))
    frame = pd.DataFrame(PROBS, columns=[1, 0])
    expect(rows(CODES, pred_probs=frame), [1, 0, 0, 1], (1, 0))


def test_columns_that_do_not_fit():
    frame = pd.DataFrame(PROBS, columns=["cat", "cow"])
    refuses(
        lambda: rows(WORDS, ["cat", "dog"], frame),
        "pred_probs.columns",
        "has 'cow', which is not in classes (1 such)",
        "as the classes are named",
    )
    refuses(lambda: rows(WORDS, pred_probs=frame), "labels[1]", "is 'dog', not one of", "column")
    refuses(
        lambda: rows(WORDS, pred_probs=frame.set_axis(["cat", "cat"], axis=1)),
        "pred_probs.columns[1]",
        "is 'cat' once more",
        "Name each class once",
    )
    refuses(lambda: rows(WORDS, ["cat"], frame), "classes", "has 1 names", "each column")


BAD_PROBS = {
    "None": (None, "pred_probs", "has shape (), not (n, k)", "a row per example"),
    "a number": (0.5, "pred_probs", "has shape (), not (n, k)", "a row per example"),
    "empty list": ([], "pred_probs", "has shape (0,), not (n, k)", "a row per example"),
    "1-D": ([0.5, 0.5], "pred_probs", "has shape (2,), not (n, k)", "a column per class"),
    "3-D": (np.zeros((2, 2, 2)), "pred_probs", "has shape (2, 2, 2)", "a row per example"),
    "Series of lists": (pd.Series(TWO), "pred_probs", "has shape (2,)", "a row per example"),
    "generator": ((row for row in TWO), "pred_probs", "has shape ()", "a row per example"),
    "ragged": ([[0.5, 0.5], [1.0]], "pred_probs", "is no array", "rows of one length"),
    "no columns": (np.empty((2, 0)), "pred_probs", "has no columns", "a column per class"),
    "text": ([["0.5", "0.5"]], "pred_probs", "has dtype <U3, not numbers", "float32 or float64"),
    "objects": ([[0.5, None]], "pred_probs", "has dtype object, not numbers", "float32"),
    "complex": (np.eye(2) * 1j, "pred_probs", "has dtype complex128", "float32 or float64"),
    "dates": (np.zeros((2, 2), "M8[s]"), "pred_probs", "has dtype datetime64[s]", "float32"),
    "sparse": (scipy.sparse.csr_array(TWO), "pred_probs", "is a sparse matrix", ".toarray()"),
    "masked": (np.ma.array(TWO), "pred_probs", "is a masked array", ".filled()"),
    "a column of text": (
        pd.DataFrame({"text": ["a", "b"], "p": [0.1, 0.2]}),
        "pred_probs['text']",
        "is a column of",
        "columns of probabilities only",
    ),
    "columns of one name": (
        pd.DataFrame([["a", 0.1]], columns=["p", "p"]),
        "pred_probs['p']",
        "not numbers",
        "columns of probabilities only",
    ),
}


@pytest.mark.parametrize("case", BAD_PROBS.values(), ids=BAD_PROBS)
def test_pred_probs_refused(case):
    probs, where, what, fix = case
    refuses(lambda: check.pred_probs_array(probs), where, what, fix)


# Numbers that are no probabilities


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("value", "text", "fix"),
    [
        (np.nan, "is nan, not in [0, 1] (1 such)", "Drop the rows the model could not predict"),
        (np.inf, "is inf, not in [0, 1] (1 such)", "Pass probabilities, each in [0, 1]"),
        (-0.25, "is -0.25, not in [0, 1] (1 such)", "softmax"),
        (1.5, "is 1.5, not in [0, 1] (1 such)", "softmax"),
    ],
)
def test_first_entry_out_of_range(value, text, fix, kind):
    probs = np.full((300_000, 3), 1 / 3, dtype=kind)
    probs[270_000, 2] = value
    refuses(lambda: check.out_of_range(probs), "pred_probs[270000, 2]", text, fix)


def test_all_entries_out_of_range_are_counted():
    probs = np.full((200_000, 3), 7.0)
    probs[0] = 0.0
    refuses(
        lambda: check.out_of_range(probs, name="pred_probs_list[2]"),
        "pred_probs_list[2][1, 0]",
        "is 7, not in [0, 1] (599997 such)",
        "softmax",
    )


@pytest.mark.parametrize("total", [0.998, 1.002, 0.0, 250.0])
def test_rows_that_do_not_sum_to_1(total):
    with pytest.warns(DataWarning, match=rf"^pred_probs\[7\]: sums to {total:.4g}, the farthest"):
        check.row_sums(7, total)


@pytest.mark.parametrize("total", [0.9995, 1.0, 1.0009])
def test_rows_that_nearly_sum_to_1(total):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check.row_sums(7, total)


# Single values


def test_choice():
    assert check.choice("b", ["a", "b"], name="x") == "b"
    for value in ("c", None, 3, np.nan, pd.NA, ["a"], {}, np.array(["a", "b"])):
        refuses(lambda value=value: check.choice(value, ["a", "b"], name="x"), "x", "is ", "'b'")


def test_number():
    for value in (0, 1, 0.5, np.float32(0.5), np.int8(1)):
        assert type(check.number(value, name="x", low=0, high=1)) is float
    for value in (-0.1, 1.1, np.nan, np.inf, "0.5", None, True, 1j, [0.5], np.array([0.5])):
        refuses(
            lambda value=value: check.number(value, name="x", low=0, high=1),
            "x",
            f"is {value!r}",
            "Pass a number in [0, 1]",
        )
    refuses(lambda: check.number(np.inf, name="x"), "x", "is inf", "Pass a number")


def test_whole_number():
    for value in (0, 5, np.uint8(5), 10**30):
        assert type(check.whole_number(value, name="x")) is int
    for value in (-1, 1.0, "1", None, True, np.nan, [1]):
        refuses(
            lambda value=value: check.whole_number(value, name="x"),
            "x",
            f"is {value!r}",
            "Pass a whole number, 0 or more",
        )
    refuses(lambda: check.whole_number(1, name="x", low=2), "x", "is 1", "2 or more")


def test_vector():
    for value in ([1, 2], (1.0, 2.0), np.array([1, 2], "f4"), pd.Series([1, 2])):
        found = check.vector(value, name="x", length=2)
        assert found.dtype == np.float64
        assert found.tolist() == [1.0, 2.0]
    for value, what in (
        (1.0, "has shape (), not (2,)"),
        ([1.0], "has shape (1,), not (2,)"),
        ([[1.0, 2.0]], "has shape (1, 2), not (2,)"),
        ([1, [2]], "is not an array of numbers"),
        (["a", "b"], "is not an array of numbers"),
        ({}, "is not an array of numbers"),
    ):
        refuses(
            lambda value=value: check.vector(value, name="x", length=2), "x", what, "Pass 2 numbers"
        )
    bad = [0.5, np.nan, np.inf]
    refuses(
        lambda: check.vector(bad, name="x", length=3), "x[1]", "is nan (2 such)", "finite numbers"
    )
    refuses(
        lambda: check.vector([0.5, 2.5], name="x", length=2, low=0, high=2),
        "x[1]",
        "is 2.5 (1 such)",
        "Pass numbers in [0, 2]",
    )
    assert check.vector([0, 2], name="x", length=2, low=0, high=2).tolist() == [0, 2]


def test_labels_without_pred_probs():
    codes, names = check.class_labels(WORDS, 2, ["dog", "cat"], name="confident_joint")
    assert codes.tolist() == [1, 0, 0, 1]
    assert names == ("dog", "cat")
    refuses(
        lambda: check.class_labels([0, 5], 2, name="confident_joint"),
        "labels[1]",
        "is 5, but confident_joint has 2 columns",
        "confident_joint with a column for that class",
    )
