"""Tables are read exactly as they are written, whatever their format, encoding or compression."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldlabel.errors import InputError
from goldlabel.formats.options import options_of, stored
from goldlabel.formats.tables import TableOptions, read_table, read_table_again, write_column

ROWS = [["1", "good, really", "ja"], ["002", 'said "no"', "né"], ["3", "two\nlines", ""]]
NAMES = ["id", "text", "label"]


def encode(rows, *, delimiter=",", end="\n", quote_all=False):
    """Write rows as CSV; a reference that shares nothing with the reader."""

    def field(text, alone):
        special = any(c in text for c in (delimiter, '"', "\r", "\n"))
        if special or quote_all or (alone and not text.strip(" \t")):
            return '"' + text.replace('"', '""') + '"'
        return text

    return "".join(delimiter.join(field(text, len(row) == 1) for text in row) + end for row in rows)


def zstd(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def rows_of(table):
    return table.frame.to_numpy(dtype=object).tolist()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quote_all", [False, True])
def test_delimited_text_of_every_style(tmp_path, delimiter, end, quote_all):
    path = tmp_path / "x.csv"
    text = encode([NAMES, *ROWS], delimiter=delimiter, end=end, quote_all=quote_all)
    path.write_bytes(text.encode())
    table = read_table(path)
    assert list(table.frame.columns) == NAMES
    assert rows_of(table) == ROWS
    assert table.source.options.delimiter == delimiter
    assert table.source.format == ("tsv" if delimiter == "\t" else "csv")


@pytest.mark.parametrize(
    ("encoding", "mark", "given_encoding"),
    [
        ("utf-8", b"", None),
        ("utf-8", b"\xef\xbb\xbf", None),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16-le", b"\xff\xfe", None),
        ("utf-16-be", b"\xfe\xff", None),
        ("utf-16-be", b"\xfe\xff", "utf-16"),
        ("utf-16-le", b"", "utf-16"),
        ("utf-32-le", b"\xff\xfe\0\0", None),
        ("latin-1", b"", "latin-1"),
        ("cp1252", b"", "windows-1252"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
    ],
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstd])
def test_encodings_and_compressions(tmp_path, encoding, mark, given_encoding, compress):
    path = tmp_path / "x.csv"
    path.write_bytes(compress(mark + encode([NAMES, *ROWS]).encode(encoding)))
    table = read_table(path, encoding=given_encoding)
    assert list(table.frame.columns) == NAMES
    assert rows_of(table) == ROWS
    assert rows_of(read_table_again(table.source)) == ROWS


def test_several_gzip_members_and_zstd_frames_are_one_file(tmp_path):
    first, second = b"a,b\n1,2\n", b"3,4\n"
    for compress in (gzip.compress, zstd):
        path = tmp_path / "x.csv.z"
        path.write_bytes(compress(first) + compress(second))
        assert rows_of(read_table(path)) == [["1", "2"], ["3", "4"]]


def test_nothing_is_taken_for_missing_or_for_a_number(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,label\n001,NA\n1e5,\n-0, null \nTrue,nan\n")
    assert rows_of(read_table(path)) == [
        ["001", "NA"],
        ["1e5", ""],
        ["-0", " null "],
        ["True", "nan"],
    ]


@pytest.mark.parametrize(
    ("text", "header", "names"),
    [
        ("text,label\na,b\n", True, ["text", "label"]),
        ('"3","title","text"\n"4","u","v"\n', False, ["0", "1", "2"]),
        ("0,1,2\n.1,.2,.7\n", True, ["0", "1", "2"]),
        ("1,2,3\n.1,.2,.7\n", True, ["1", "2", "3"]),
        ("id,0,1\na,.2,.8\n", True, ["id", "0", "1"]),
        (",0\n0,cat\n1,dog\n", True, ["", "0"]),
        ("0.5,.50\n0.1,0.9\n", False, ["0", "1"]),
        ("1\n0\n", False, ["0"]),
    ],
)
def test_a_header_is_recognised(tmp_path, text, header, names):
    path = tmp_path / "x.csv"
    path.write_text(text)
    table = read_table(path)
    assert list(table.frame.columns) == names
    assert table.source.options.header is header
    other = read_table(path, header=not header)
    assert len(other.frame) == len(table.frame) + (1 if header else -1)


@pytest.mark.parametrize(
    ("name", "text", "delimiter"),
    [
        ("x.csv", "text;price\nhello, world;1,5\nbye;2,5\n", ";"),
        ("x.tsv", "a\tb\nx, y\tz\n", "\t"),
        ("x.txt", "a|b\nx,y|z\n", "|"),
        ("x.csv", "a\tb\n1,5\t2\n", "\t"),
        ("x.csv", "word\none\ntwo\n", ","),
        ("x.tsv.gz", "word\none\n", "\t"),
        ("x.csv", '"a;b",c\n"d;e",f\n', ","),
    ],
)
def test_the_delimiter_is_the_one_that_splits_evenly(tmp_path, name, text, delimiter):
    path = tmp_path / name
    path.write_text(text)
    assert read_table(path).source.options.delimiter == delimiter


def test_a_few_uneven_rows_do_not_hide_the_delimiter(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\nx y\n" + "1,2\n" * 9)
    with pytest.raises(InputError, match="has 1 fields, and the table 2 columns"):
        read_table(path)


def test_options_override_what_is_recognised(tmp_path):
    path = tmp_path / "x"
    path.write_text('a;b,c\n"1;2,3\n')
    table = read_table(path, delimiter=",", quote="", header=False)
    assert rows_of(table) == [["a;b", "c"], ['"1;2', "3"]]
    assert read_table(path, format="tsv", quote="").frame.shape == (1, 1)
    path.write_text('{"a": 1}\n')
    assert read_table(path).source.format == "jsonl"
    assert read_table(path, format="csv", header=False, quote="").source.format == "csv"


def test_blank_lines_are_no_rows(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("\n\na,b\n\n1,2\n  \n3,4\n\t\n5,6\n\n")
    table = read_table(path)
    assert rows_of(table) == [["1", "2"], ["3", "4"], ["5", "6"]]
    assert "6 blank lines skipped" in table.notes[0]
    path.write_text("a\tb\n\t\n1\t2\n")
    assert rows_of(read_table(path)) == [["", ""], ["1", "2"]]


def test_fields_of_any_length_and_rows_of_many(tmp_path):
    path = tmp_path / "x.csv"
    long = "word, " * 500_000
    names = [f"c{i}" for i in range(5000)]
    path.write_text(encode([["a", "b"], [long, "x"]]))
    assert rows_of(read_table(path)) == [[long, "x"]]
    path.write_text(encode([names, ["v"] * 5000]))
    assert read_table(path).frame.shape == (1, 5000)


def test_a_first_row_longer_than_the_sniffed_sample(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(encode([["a" * 400_000, "b"], ["1", "2"]], delimiter=";"))
    assert rows_of(read_table(path)) == [["1", "2"]]


texts = st.text(
    st.one_of(
        st.sampled_from(",;\t|\"\n\r 'é😀\u2028\0\ufeff"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=8,
)


@st.composite
def tables(draw):
    """Draw rows of one width, and how to write them."""
    k = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(texts, min_size=k, max_size=k), min_size=1, max_size=6))
    delimiter = draw(st.sampled_from([",", ";", "\t", "|", ":", " "]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    return rows, delimiter, end, draw(st.booleans())


@given(tables())
def test_any_rows_come_back(tmp_path_factory, drawn):
    rows, delimiter, end, quote_all = drawn
    path = tmp_path_factory.mktemp("t") / "x.csv"
    path.write_bytes(
        b"\xef\xbb\xbf" + encode(rows, delimiter=delimiter, end=end, quote_all=quote_all).encode()
    )
    if not any(text.strip() for row in rows for text in row) and not quote_all:
        return  # nothing but spaces: an empty file, or blank lines
    table = read_table(path, delimiter=delimiter, header=False)
    assert rows_of(table) == rows


@given(tables())
def test_rows_are_those_of_pythons_csv(tmp_path_factory, drawn):
    rows, delimiter, end, quote_all = drawn
    text = encode(rows, delimiter=delimiter, end=end, quote_all=quote_all)
    if "\0" in text or not text.strip() or delimiter == " ":
        return
    path = tmp_path_factory.mktemp("t") / "x.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    expected = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    assert rows_of(read_table(path, delimiter=delimiter, header=False)) == expected


def test_json_lines(tmp_path):
    path = tmp_path / "x.jsonl"
    lines = [
        {"id": 1, "label": "a", "text": "né\u2028x", "tags": ["p", {"q": 1}]},
        {"label": "b", "id": 2**70, "extra": None},
        {"id": 3, "text": "", "label": None},
    ]
    path.write_text("\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\r\n\n")
    table = read_table(path)
    assert list(table.frame.columns) == ["id", "label", "text", "tags", "extra"]
    assert table.frame["id"].tolist() == [1, 2**70, 3]
    assert table.frame["label"].isna().tolist() == [False, False, True]
    assert table.frame["text"].iloc[0] == "né\u2028x"
    assert table.frame["tags"].iloc[0] == ["p", {"q": 1}]
    assert "JSON Lines, UTF-8: 3 rows" in table.notes[0]


def test_json_lines_are_recognised_without_their_suffix_and_compressed(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(gzip.compress("\ufeff".encode() + b' {"y": true}\n{"y": false}'))
    table = read_table(path)
    assert table.source.format == "jsonl"
    assert table.frame["y"].tolist() == [True, False]


def test_integers_with_missing_values_stay_exact(tmp_path):
    path = tmp_path / "x.parquet"
    big = 2**53 + 1
    pq.write_table(pa.table({"id": pa.array([big, None]), "y": ["a", None]}), path)
    frame = read_table(path).frame
    assert frame["id"].tolist() == [big, None]
    assert frame["y"].isna().tolist() == [False, True]


def test_parquet_of_pandas_keeps_its_index_as_a_column_and_its_categories(tmp_path):
    path = tmp_path / "named.bin"
    frame = pd.DataFrame(
        {"y": pd.Categorical(["b", "a"], categories=["z", "b", "a"])}, index=["r1", "r2"]
    )
    frame.to_parquet(path)
    table = read_table(path)
    assert table.source.format == "parquet"
    assert table.frame["y"].tolist() == ["b", "a"]
    assert table.frame["__index_level_0__"].tolist() == ["r1", "r2"]
    assert table.categories == {"y": ("z", "b", "a")}
    assert table.coded == frozenset()


def test_a_dictionary_that_is_only_storage_has_no_order(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"y": pa.array(["b", "a"]).dictionary_encode()}), path)
    assert read_table(path).categories == {}


def test_notes_say_what_was_recognised(tmp_path):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress("\ufeffa;b\n1;2\n".encode()))
    assert read_table(path).notes == (
        "Read x.csv.gz as delimited text: semicolon, UTF-8 with byte-order mark, gzip, "
        "the first row is the header; 1 rows, columns a, b.",
    )


def test_sources_are_plain_json(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    source = read_table(path).source
    as_json = json.loads(json.dumps(stored(source.options)))
    assert options_of(replace(source, options=as_json), TableOptions) == source.options


def test_real_files(data):
    folder = data / "multiclass"
    news = read_table(folder / "ag_news" / "test.csv.gz").frame
    with gzip.open(folder / "ag_news" / "test.csv.gz", "rt", encoding="utf-8", newline="") as file:
        assert news.to_numpy(dtype=object).tolist() == list(csv.reader(file))
    banking = read_table(folder / "banking77" / "train.csv").frame
    with open(folder / "banking77" / "train.csv", encoding="utf-8", newline="") as file:
        expected = list(csv.reader(file))
    assert list(banking.columns) == expected[0]
    assert banking.to_numpy(dtype=object).tolist() == expected[1:]
    assert len(banking) == 10_003


def test_other_compressions_are_named(tmp_path):
    path = tmp_path / "x.csv.xz"
    path.write_bytes(lzma.compress(b"a,b\n1,2\n"))
    with pytest.raises(InputError, match="compressed with xz"):
        read_table(path)


def test_frames_have_a_plain_index(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a\n5\n7\n")
    np.testing.assert_array_equal(read_table(path).frame.index, [0, 1])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("blank", ["", "\n"])
def test_a_header_that_names_too_few_columns(tmp_path, end, blank):
    path = tmp_path / "x.csv"
    text = encode([["id", "label"], ["1", "a", "", "x"], ["2", "b", "", ""]], end=end) + blank
    path.write_bytes(text.encode())
    table = read_table(path)
    assert list(table.frame.columns) == ["id", "label", "column 3", "column 4"]
    assert rows_of(table) == [["1", "a", "", "x"], ["2", "b", "", ""]]
    assert "names 2 of 4 columns" in table.notes[0]
    write_column(table.source, "label", {1: "new"}, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == text.replace("2,b", "2,new").encode()
    assert rows_of(read_table_again(table.source)) == rows_of(table)


@pytest.mark.parametrize(
    "text",
    [
        "id,label\n1,a,\n2,b\n",  # not all rows have as many
        "id,label\n1,a\n2,b,\n",  # the first row fits
        "id,label,x\n1,a\n2,b\n",  # the header names too many
        '1,2\n1,a,"\n2,b,c\n',  # no header, broken quoting
    ],
)
def test_rows_that_do_not_fit_the_header_otherwise(tmp_path, text):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(InputError):
        read_table(path)
