"""Bad tables and predictions end in an error that says where, what, and what to do."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldlabel.errors import InputError
from goldlabel.formats.predictions import read_pred_probs
from goldlabel.formats.tables import read_table, roles


def parquet_bytes(table):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


SMALL = parquet_bytes(pa.table({"y": ["a", "b"]}))
LETTERS = b"label\n" + b"a,b\n" * 3

TABLES = {
    # name: (content of the file, options, where, what, fix)
    "empty": (b"", {}, "x.csv", "is empty", "has rows"),
    "only blank lines": (b"\n \r\n\n", {}, "x.csv", "is empty", "has rows"),
    "only a mark": (b"\xef\xbb\xbf", {}, "x.csv", "is empty", "has rows"),
    "only a header": (b"a,b\n", {}, "x.csv", "has a header and no rows", "has rows"),
    "too many fields": (
        b"a,b\n1,2\n1,2,3\n1,2,3,4\n",
        {},
        r"x.csv: row 2 \(line 3\)",
        r"has 3 fields, and the table 2 columns: the last is 'b'. 2 rows have a wrong number",
        "Quote fields that hold the delimiter",
    ),
    "too few fields": (
        b"id,text,label\n\n1,x,a\n2,y\n",
        {},
        r"row 2 \(line 4\)",
        "has 2 fields, and the table 3 columns: it ends before column 'label'. 1 rows",
        "right delimiter",
    ),
    "ragged after line breaks in quotes": (
        b'a,b\n"1\n\n",2\r\n3\r\n',
        {},
        r"row 2 \(line 5\)",
        "has 1 fields",
        "Quote",
    ),
    "ragged without header": (b"5,2\n3\n", {}, r"row 2 \(line 2\)", "before column '1'", "Quote"),
    "a quote never closed": (
        b'a,b\n1,2\n3,"x\n4,5\n',
        {},
        r"row 2 \(line 3\), column 'b'",
        "opens a quote that is never closed",
        "inside a quoted field twice, or pass quote=''",
    ),
    "text after a quote": (
        b'a,b\n"x"y,2\n',
        {},
        r"row 1 \(line 2\), column 'a'",
        "has text after its closing quote",
        "twice",
    ),
    "broken quoting in the header": (
        b'"a"x,b\n1,2\n',
        {},
        r"line 1\), column '0'",
        "text after",
        "quote",
    ),
    "a name twice": (
        b"a,b,a\n1,2,3\n4,5,a\n",
        {},
        "x.csv: header",
        "names columns 1 and 3 both 'a'",
        "a name of its own",
    ),
    "not UTF-8": (
        "label\ncafé\n".encode("latin-1"),
        {},
        "x.csv: line 2, byte 9",
        r"is not UTF-8 \(.*: e9\)",
        "latin-1",
    ),
    "cut UTF-8": (b"label\n\xe2\x82", {}, "line 2, byte 6", "is not UTF-8", "encoding"),
    "cut UTF-16": (b"\xff\xfea\0\n\0b", {}, "byte 6", "is not UTF-16-LE", "encoding"),
    "not ASCII": (
        "label\né\n".encode(),
        {"encoding": "ascii"},
        "line 2, byte 6",
        "is not ASCII",
        "encoding",
    ),
    "UTF-16 without a mark": (
        "a,b\n1,2\n".encode("utf-16-le"),
        {},
        "x.csv: byte 1",
        "is NUL: the file is binary, or UTF-16",
        "encoding='utf-16'",
    ),
    "an unknown encoding": (
        b"a\n1\n",
        {"encoding": "klingon"},
        "encoding",
        "is 'klingon', which Python does not know",
        "latin-1",
    ),
    "an encoding of bytes": (b"a\n1\n", {"encoding": "hex"}, "encoding", "is 'hex'", "latin-1"),
    "a delimiter of two": (b"a\n1\n", {"delimiter": "::"}, "delimiter", "is '::'", "';'"),
    "a delimiter not ASCII": (b"a\n1\n", {"delimiter": "é"}, "delimiter", "is 'é'", "';'"),
    "a line break as delimiter": (b"a\n1\n", {"delimiter": "\n"}, "delimiter", "not one", "';'"),
    "quote is delimiter": (b"a\n1\n", {"delimiter": '"'}, "delimiter", "and quote are both", "two"),
    "a quote of two": (b"a\n1\n", {"quote": "''"}, "quote", "is \"''\"", "';'"),
    "an unknown format": (
        b"a\n1\n",
        {"format": "xml"},
        "format",
        "is 'xml', not one of csv",
        "Use",
    ),
    "a split of a file": (b"a\n1\n", {"split": "train"}, "x.csv", "has no splits", "Leave out"),
    "damaged gzip": (gzip.compress(LETTERS)[:-9], {}, "x.csv", "is damaged gzip", "again"),
    "gzip with rubbish": (gzip.compress(LETTERS) + b"xx", {}, "x.csv", "is damaged gzip", "again"),
    "gzip, checksum wrong": (
        gzip.compress(LETTERS)[:-8] + b"\0" * 8,
        {},
        "x.csv",
        "is damaged gzip",
        "again",
    ),
    "damaged zstd": (b"\x28\xb5\x2f\xfd\xff\xff\xff", {}, "x.csv", "is damaged zstd", "again"),
    "a pickle": (pickle.dumps([1]), {}, "x.csv", "is a pickle, which can run code", "CSV"),
    "an archive": (b"PK\x03\x04" + b"\0" * 40, {}, "x.csv", "zip archive, perhaps an Excel", "CSV"),
    "an array": (b"\x93NUMPY\x01\0", {}, "x.csv", "is a NumPy array", "table"),
    "a database": (b"SQLite format 3\0", {}, "x.csv", "is an SQLite database", "CSV"),
    "an Arrow file": (b"ARROW1\0\0", {}, "x.csv", "is an Arrow file", "folder"),
    "bzip2": (b"BZh91AY", {}, "x.csv", "is compressed with bzip2", "gzip"),
    "Parquet cut": (SMALL[:-20], {}, "x.csv", "is not a Parquet file that can be read", "again"),
    "Parquet by name only": (
        b"a\n1\n",
        {"format": "parquet"},
        "x.csv",
        "is not a Parquet file",
        "again",
    ),
    "Parquet without rows": (
        parquet_bytes(pa.table({"y": pa.array([], pa.string())})),
        {},
        "x.csv",
        "has no rows",
        "has rows",
    ),
    "Parquet with a name twice": (
        parquet_bytes(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["y", "y"])),
        {},
        "x.csv",
        "has two columns named 'y'",
        "Rename",
    ),
    "JSON cut": (
        b'{"a": 1}\n\n{"a": \n',
        {},
        r"x.csv: row 2 \(line 3\)",
        r"is not JSON \(Expecting value, column 7\)",
        "one JSON object on each line",
    ),
    "JSON of another kind": (
        b'{"a": 1}\n[1]\n',
        {},
        r"row 2 \(line 2\)",
        "is a JSON array, not an object",
        "one JSON object",
    ),
    "a JSON number": (b'{"a": 1}\n7\n', {}, "row 2", "is a JSON number", "one JSON object"),
    "JSON nested too deep": (
        b'{"a": ' + b"[" * 200_000 + b"\n",
        {"format": "jsonl"},
        r"row 1 \(line 1\)",
        "is not JSON that can be read",
        "one JSON object",
    ),
    "a JSON number too long": (
        b'{"a": 1}\n{"a": ' + b"1" * 5000 + b"}\n",
        {},
        "row 2",
        "is not JSON that can be read",
        "one JSON object",
    ),
    "empty JSON objects": (b"{}\n{}\n", {}, "x.csv", "has only empty objects", "columns"),
}


@pytest.mark.parametrize("name", TABLES)
def test_bad_tables(tmp_path, name):
    content, options, where, what, fix = TABLES[name]
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_table(path, **options)
    assert_matches(caught.value, where, what, fix)


def assert_matches(error, where, what, fix):
    for pattern, text in ((where, error.where), (what, error.what), (fix, error.fix)):
        assert re.search(pattern, text), f"{pattern!r} is not in {text!r}"


def test_a_json_array(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('[{"a": 1}]')
    with pytest.raises(InputError, match="is one JSON array") as caught:
        read_table(path)
    assert "jq" in caught.value.fix
    path.write_text('{\n "a": 1\n}')
    with pytest.raises(InputError, match=r"row 1 \(line 1\): is not JSON"):
        read_table(path)


@pytest.mark.parametrize("read", [read_table, read_pred_probs])
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("missing.csv", "does not exist"),
        ("folder", "is a folder"),
        ("n\0", "does not exist"),
        ("x" * 300, "cannot be read"),
        ("pipe", "is not a regular file"),
        ("no/such", "does not exist"),
    ],
)
def test_paths_that_are_no_files(tmp_path, read, name, what):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError) as caught:
        read(tmp_path / name)
    assert caught.value.what.startswith(what)  # said once, not wrapped in another error


@pytest.mark.parametrize("read", [read_table, read_pred_probs])
def test_a_file_without_permission(tmp_path, read, monkeypatch):
    path = tmp_path / "x.csv"
    path.write_text("a\n1\n")
    path.chmod(0)
    if os.access(path, os.R_OK):  # an administrator may read it all the same

        def refuse(*args, **kwargs):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
        read(path)


def array_bytes(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


HEADER = b"\x93NUMPY\x01\0v\0{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }"


def npy(shape):
    text = HEADER % shape
    return text + b" " * (127 - len(text)) + b"\n"


PREDICTIONS = {
    # name: (content of the file, options, where, what, fix)
    "objects": (
        array_bytes(np.array([[1, "a"]], dtype=object)),
        {},
        "p",
        "is not an array that can be read",
        "numpy.save",
    ),
    "cut": (array_bytes(np.ones((9, 2)))[:-5], {}, "p", "is not an array", "numpy.save"),
    "more promised than held": (npy(b"10**12, 2"), {}, "p", "is not an array", "numpy.save"),
    "huge": (npy(b"1000000000000, 2"), {}, "p", "is not an array", "numpy.save"),
    "no header": (b"\x93NUMPY\x01\0", {}, "p", "is not an array", "numpy.save"),
    "one dimension": (array_bytes(np.ones(4)), {}, "p", r"has shape \(4,\)", "both columns"),
    "three dimensions": (array_bytes(np.ones((4, 2, 2))), {}, "p", "has shape", "columns"),
    "no rows": (array_bytes(np.ones((0, 2))), {}, "p", "is", "Save"),
    "text": (array_bytes(np.array([["a", "b"]])), {}, "p", "holds <U1, not numbers", "floats"),
    "complex": (array_bytes(np.ones((2, 2), complex)), {}, "p", "holds complex128", "floats"),
    "a column of text": (
        b"cat,dog\n0.1,0.9\n0.2,x\n0.3,y\n",
        {},
        "p: row 2, column 'dog'",
        "is 'x', not a number; 2 rows are none",
        "prefix",
    ),
    "an empty cell": (
        b"cat,dog\n0.1,0.9\n0.2,\n",
        {},
        "p: row 2, column 'dog'",
        "is '', not a number",
        "class columns",
    ),
    "no prefix": (
        b"cat,dog\n.1,.9\n",
        {"prefix": "q_"},
        "p",
        "has no column that begins with 'q_'",
        "'cat', 'dog'",
    ),
    "only ids": (b"id\na\n", {}, "p", "has no class columns", "Add"),
    "an id twice": (
        b"id,cat\na,.5\nb,.5\na,.5\n",
        {"ids": ["a", "b"]},
        "p: column of ids, row 3",
        "is 'a' again; 1 rows",
        "one row for each id",
    ),
    "ids missing": (
        b"id,cat\na,.5\nb,.5\n",
        {"ids": ["a", "c", "d"]},
        "p: column of ids",
        "lacks id 'c'; 2 of 3 examples",
        "Predict every",
    ),
    "null in a column": (
        parquet_bytes(pa.table({"a": [0.5, None, None]})),
        {},
        "p: row 2, column 'a'",
        "is empty; 2 rows are",
        "Fill",
    ),
    "lists of two lengths": (
        parquet_bytes(pa.table({"p": [[0.5, 0.5], [1.0], [1.0]]})),
        {},
        "p: column 'p', row 2",
        "has 1 values, and row 1 has 2; 2 rows",
        "a value per class",
    ),
    "a list missing": (
        parquet_bytes(pa.table({"p": [[0.5, 0.5], None]})),
        {},
        "p: column 'p', row 2",
        "is missing",
        "Fill",
    ),
    "null in a list": (
        parquet_bytes(pa.table({"p": [[0.5, None]]})),
        {},
        "p: column 'p'",
        "has 1 missing values",
        "Fill",
    ),
    "two columns of lists": (
        parquet_bytes(pa.table({"p": [[0.5]], "q": [[0.5]]})),
        {},
        "p",
        "has 2 columns of lists",
        "Leave one",
    ),
    "damaged archive": (b"PK\x03\x04" + b"\0" * 40, {}, "p", "is not an .npz file", "savez"),
    "empty": (b"", {}, "p", "is empty", "rows"),
}


@pytest.mark.parametrize("name", PREDICTIONS)
def test_bad_predictions(tmp_path, name):
    content, options, where, what, fix = PREDICTIONS[name]
    path = tmp_path / "p"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_pred_probs(path, **options)
    assert_matches(caught.value, where, what, fix)


def test_bad_archives(tmp_path):
    path = tmp_path / "p.npz"
    np.savez(path, a=np.ones((2, 2)), b=np.ones((3, 2)))
    with pytest.raises(
        InputError, match=r"holds 2 arrays: a, b\. Say which one with the option key"
    ):
        read_pred_probs(path)
    with pytest.raises(InputError, match="has no array 'c', only a, b"):
        read_pred_probs(path, key="c")
    np.savez(path, a=np.array([{}], dtype=object))
    with pytest.raises(InputError, match=r"is not an array that can be read"):
        read_pred_probs(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("text.txt", "hello")
    with pytest.raises(InputError, match=r"is no array"):
        read_pred_probs(path)


def dataset(folder: Path, **state):
    folder.mkdir()
    schema = pa.schema([("label", pa.int64())])
    with pa.ipc.new_stream(str(folder / "data.arrow"), schema) as writer:
        writer.write_batch(pa.record_batch([pa.array([0, 1])], schema=schema))
    content = {"_data_files": [{"filename": "data.arrow"}], **state}
    (folder / "state.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (
            {"_data_files": [{"filename": "../data.arrow"}]},
            "names '../data.arrow', which is no file",
        ),
        ({"_data_files": [{"filename": "/etc/passwd"}]}, "names '/etc/passwd', which is no file"),
        ({"_data_files": [{"filename": "a\0b"}]}, "which is no file in it"),
        ({"_data_files": ["data.arrow"]}, "which is no file in it"),
        ({"_data_files": [{"filename": "gone.arrow"}]}, "is named in state.json and missing"),
        ({"_data_files": []}, "has no Arrow files"),
        ({"_indices_data_files": [{"filename": "i"}]}, "is a view into a larger dataset"),
    ],
)
def test_bad_hugging_face_folders(tmp_path, state, what):
    with pytest.raises(InputError, match=what):
        read_table(dataset(tmp_path / "set", **state))


def test_damaged_hugging_face_folders(tmp_path):
    folder = dataset(tmp_path / "set")
    raw = (folder / "data.arrow").read_bytes()
    (folder / "data.arrow").write_bytes(raw[:100])
    with pytest.raises(InputError, match="is a damaged Arrow file"):
        read_table(folder)
    (folder / "data.arrow").write_bytes(b"")
    with pytest.raises(InputError, match="is a damaged Arrow file"):
        read_table(folder)
    for text, what in (("{", "is not JSON"), ("[]", "is not a JSON object")):
        (folder / "state.json").write_text(text)
        with pytest.raises(InputError, match=what):
            read_table(folder)


def test_splits_that_are_not_there(tmp_path):
    root = tmp_path / "dict"
    root.mkdir()
    dataset(root / "train")
    dataset(root / "test")
    (root / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(InputError, match="split: was not chosen; the dataset has train, test"):
        read_table(root)
    with pytest.raises(InputError, match="split: is 'dev'"):
        read_table(root, split="dev")
    with pytest.raises(InputError, match="has no splits"):
        read_table(root / "train", split="train")
    (root / "dataset_dict.json").write_text('{"splits": ["../x"]}')
    with pytest.raises(InputError, match=r"names '\.\./x', which is no file in it"):
        read_table(root)


@given(
    st.binary(max_size=60), st.sampled_from([b"", b"PAR1", b"\x1f\x8b", b"{", b"\x93NUMPY", b'"'])
)
def test_no_bytes_end_in_anything_but_a_table_or_an_input_error(tmp_path_factory, tail, head):
    path = tmp_path_factory.mktemp("t") / "x"
    path.write_bytes(head + tail)
    for read in (read_table, read_pred_probs):
        with contextlib.suppress(InputError):
            read(path)


@given(st.integers(0, len(SMALL) - 1), st.integers(0, 255))
def test_a_flipped_byte_in_parquet_is_a_table_or_an_input_error(tmp_path_factory, position, byte):
    path = tmp_path_factory.mktemp("t") / "x.parquet"
    path.write_bytes(SMALL[:position] + bytes([byte]) + SMALL[position + 1 :])
    with contextlib.suppress(InputError):
        read_table(path, format="parquet")


@pytest.mark.parametrize("values", [[["a"]] * 3, [[1, 2], [3, 4], [1, 2]]])
def test_lists_are_no_ids(tmp_path, values):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"key": pa.array(values), "label": ["x", "y", "x"]}), path)
    with pytest.raises(InputError, match=r"column 'key': holds lists, which are no ids"):
        roles.id_column(read_table(path), "key")
