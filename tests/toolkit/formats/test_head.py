"""What a file shows of itself before it is read."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldlabel.errors import InputError
from goldlabel.formats.head import Head, beginning

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@given(st.lists(VALUES) | st.dictionaries(st.text(max_size=3), VALUES), st.sampled_from([None, 2]))
def test_a_whole_value_is_read_as_it_is(value, indent):
    assert beginning(json.dumps(value, indent=indent)) == (value, "")


@given(st.lists(VALUES, min_size=1), st.data())
def test_a_list_cut_short_holds_what_was_complete(value, data):
    text = json.dumps(value)
    cut = data.draw(st.integers(1, len(text) - 1))
    found, rest = beginning(text[:cut])
    assert rest is None
    assert len(found) <= len(value)
    assert found[:-1] == value[: max(len(found) - 1, 0)]


@pytest.mark.parametrize("text", ["", "a,b", '"x"', "7", "[1}", "{]", "{a: 1}"])
def test_what_is_no_list_and_no_object_is_none(text):
    assert beginning(text)[0] is None


@pytest.mark.parametrize(
    ("text", "is_lines"),
    [
        ('{"a": 1}\n{"a": 2}\n', True),
        ('{"a": 1}', True),
        ('\n{"a": 1}\r\n[7]', True),
        ('{\n"a": 1}', False),
        ("[1]\n[2]", False),
        ('{"a": "' + "x" * 100_000 + '"}\n', True),
        ('{"b": 1, "a": [' + "1, " * 100_000 + "1]}\n", True),
    ],
)
def test_json_lines(tmp_path, text, is_lines):
    (tmp_path / "x").write_text(text)
    assert Head.of(tmp_path / "x").is_json_lines == is_lines


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, pa.compress])
def test_the_text_is_unpacked_and_decoded(tmp_path, encoding, pack):
    data = '{"é": [1, 2'.encode(encoding)
    if pack is pa.compress:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(data)
        packed = sink.getvalue().to_pybytes()
    else:
        packed = pack(data)
    (tmp_path / "x").write_bytes(packed)
    head = Head.of(tmp_path / "x", "latin-1" if encoding == "latin-1" else None)
    assert head.json == {"é": [1]}


def test_no_more_than_the_beginning_is_read(tmp_path):
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(b'{"images": [' + b'{"id": 1},' * 10**6))
    assert len(Head.of(tmp_path / "x.json.gz").text) <= 1 << 16


@pytest.mark.parametrize(
    "data", [b"\x1f\x8b\x08broken", b"\x28\xb5\x2f\xfdbroken", b"\xff\xfe\x00"]
)
def test_damaged_files_show_no_text(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    assert Head.of(tmp_path / "x").json is None


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        Head.of(tmp_path / "x")


def test_files_of_a_folder(tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("x.json", "a/y.JSON", "z.txt"):
        (tmp_path / name).write_text("{}")
    head = Head.of(tmp_path)
    assert [path.name for path in head.files(".json")] == ["y.JSON", "x.json"]
    assert head.text == ""
    assert head.magic == b""
