"""Tables are written back with single values changed and everything else as it was."""

from __future__ import annotations

import gzip
import hashlib
import json
import os

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldlabel.errors import InputError
from goldlabel.formats.tables import read_table, write_column, write_columns
from goldlabel.results.audit import Source


def zstd(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def unzstd(data):
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        return stream.read()


def changed(path, column, changes, **options):
    """Write a table with changes; return the bytes of the output."""
    out = path.with_name("out")
    write_column(read_table(path, **options).source, column, changes, out)
    return out.read_bytes()


STYLES = {
    "plain": (b"a,label\n1,cat\n2,dog\n", b"a,label\n1,cat\n2,CHANGED\n"),
    "no last newline": (b"a,label\n1,cat\n2,dog", b"a,label\n1,cat\n2,CHANGED"),
    "crlf": (b"a,label\r\n1,cat\r\n2,dog\r\n", b"a,label\r\n1,cat\r\n2,CHANGED\r\n"),
    "mixed ends": (b"a,label\r1,cat\r\n2,dog\n3,x", b"a,label\r1,cat\r\n2,CHANGED\n3,x"),
    "quoted": (b'"a","label"\n"1","cat"\n"2","dog"\n', b'"a","label"\n"1","cat"\n"2","CHANGED"\n'),
    "only this one quoted": (b'a,label\n1,cat\n2,"dog"\n', b'a,label\n1,cat\n2,"CHANGED"\n'),
    "only others quoted": (
        b'"a","label"\n"1",cat\n"2",dog\n',
        b'"a","label"\n"1",cat\n"2",CHANGED\n',
    ),
    "first column": (b"label,a\ncat,1\ndog,2\n", b"label,a\ncat,1\nCHANGED,2\n"),
    "quotes before": (
        b'a,label\n"x ""1"", \n y",cat\n"",dog\n',
        b'a,label\n"x ""1"", \n y",cat\n"",CHANGED\n',
    ),
    "inner quotes": (b'a,label\n5" pipe,cat\n6" x,dog\n', b'a,label\n5" pipe,cat\n6" x,CHANGED\n'),
    "blank lines": (b"\na,label\n\n1,cat\n  \n2,dog\n\n", b"\na,label\n\n1,cat\n  \n2,CHANGED\n\n"),
    "semicolons": (b"a;label\n1,5;cat\n2,5;dog\n", b"a;label\n1,5;cat\n2,5;CHANGED\n"),
    "tabs": (b"a\tlabel\n1\tcat\n2\tdog\n", b"a\tlabel\n1\tcat\n2\tCHANGED\n"),
    "bars": (b"a|label\n1|cat\n2|dog\n", b"a|label\n1|cat\n2|CHANGED\n"),
    "one column": (b"label\ncat\ndog\nowl\n", b"label\ncat\nCHANGED\nowl\n"),
    "empty field": (b"a,label\n1,cat\n2,\n", b"a,label\n1,cat\n2,CHANGED\n"),
}


@pytest.mark.parametrize(("before", "after"), STYLES.values(), ids=STYLES)
@pytest.mark.parametrize(
    ("mark", "encoding", "given_encoding"),
    [
        (b"", "utf-8", None),
        (b"\xef\xbb\xbf", "utf-8", None),
        (b"\xff\xfe", "utf-16-le", None),
        (b"\xfe\xff", "utf-16-be", None),
        (b"", "cp1252", "cp1252"),
    ],
)
def test_only_the_changed_field_of_delimited_text_differs(
    tmp_path, before, after, mark, encoding, given_encoding
):
    path = tmp_path / "x.csv"
    raw = mark + before.replace(b"x", "é".encode()).decode().encode(encoding)
    path.write_bytes(raw)
    assert changed(path, "label", {}, encoding=given_encoding) == raw
    expected = mark + after.replace(b"x", "é".encode()).decode().encode(encoding)
    assert changed(path, "label", {1: "CHANGED"}, encoding=given_encoding) == expected
    assert path.read_bytes() == raw


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("dog", "a,b", '"a,b"'),
        ("dog", 'say "no"', '"say ""no"""'),
        ("dog", "two\nlines", '"two\nlines"'),
        ("dog", "a\rb", '"a\rb"'),
        ("dog", "", ""),
        ('"dog"', "", '""'),
        ('"d""g"', 'c"t', '"c""t"'),
        ("dog", " cat ", " cat "),
        ("dog", "né😀", "né😀"),
        ("dog", 7, "7"),
    ],
)
def test_new_fields_are_quoted_as_the_old_one_or_where_they_must_be(tmp_path, old, value, new):
    path = tmp_path / "x.csv"
    path.write_bytes(f"a,label\r\n1,{old}\r\n2,x\r\n".encode())
    assert changed(path, "label", {0: value}) == f"a,label\r\n1,{new}\r\n2,x\r\n".encode()


def test_a_single_column_never_becomes_a_blank_line(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"label\ncat\ndog\n")
    assert changed(path, "label", {0: "", 1: "  "}) == b'label\n""\n"  "\n'


def test_without_quoting_a_value_with_the_delimiter_is_refused(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_bytes(b'a\tlabel\n"x\tcat\n')
    assert changed(path, "label", {0: 'd"og'}, quote="") == b'a\tlabel\n"x\td"og\n'
    (tmp_path / "out").unlink()
    with pytest.raises(InputError, match=r"row 1, column 'label': cannot become 'a\\tb'"):
        changed(path, "label", {0: "a\tb"}, quote="")
    assert not (tmp_path / "out").exists()


texts = st.text(
    st.one_of(st.sampled_from(',;\t|"\n\r é😀'), st.characters(exclude_categories=["Cs"])),
    max_size=8,
)


@st.composite
def edits(draw):
    """Draw text fields with their quoting, line ends and delimiter, and changes to one column."""
    k = draw(st.integers(1, 4))
    delimiter = draw(st.sampled_from(",;\t|"))
    rows = draw(st.lists(st.lists(texts, min_size=k, max_size=k), min_size=1, max_size=8))
    pieces = []  # of each row: its fields as written, and its line end
    for row in rows:
        fields = []
        for text in row:
            must = any(c in text for c in (delimiter, '"', "\r", "\n")) or not text.strip(" \t")
            quoted = must or draw(st.booleans())
            fields.append('"' + text.replace('"', '""') + '"' if quoted else text)
        pieces.append((fields, draw(st.sampled_from(["\n", "\r\n", "\n\n", "\r\n  \r\n"]))))
    column = draw(st.integers(0, k - 1))
    changes = draw(st.dictionaries(st.integers(0, len(rows) - 1), texts))
    return rows, pieces, delimiter, column, changes


@given(edits(), st.sampled_from([bytes, gzip.compress]))
def test_any_edit_changes_its_fields_and_no_other_byte(tmp_path_factory, drawn, compress):
    rows, pieces, delimiter, column, changes = drawn
    path = tmp_path_factory.mktemp("t") / "x.csv"
    raw = compress("".join(delimiter.join(f) + end for f, end in pieces).encode())
    path.write_bytes(raw)
    options = {"delimiter": delimiter, "header": False, "encoding": "utf-8"}
    written = changed(path, str(column), changes, **options)
    same = {i: text for i, text in changes.items() if text == rows[i][column]}
    if len(same) == len(changes):
        assert written == raw
        return
    text = (gzip.decompress(written) if compress is gzip.compress else written).decode()
    position = 0
    for i, (fields, end) in enumerate(pieces):
        for j, field in enumerate(fields):
            if j == column and i in changes:
                stop = position
                plain, quoted = changes[i], '"' + changes[i].replace('"', '""') + '"'
                choices = (quoted,) if field.startswith('"') else (quoted, plain)
                found = [new for new in choices if text.startswith(new, position)]
                assert found
                stop = position + len(found[0])
            else:
                assert text.startswith(field, position)
                stop = position + len(field)
            position = stop + (len(delimiter) if j + 1 < len(fields) else 0)
        assert text.startswith(end, position)
        position += len(end)
    assert position == len(text)
    expected = [
        [changes.get(i, text) if j == column else text for j, text in enumerate(row)]
        for i, row in enumerate(rows)
    ]
    again = read_table(path.with_name("out"), **options).frame.to_numpy(dtype=object).tolist()
    assert again == expected


def test_compressed_text_stays_compressed_and_is_the_same_on_every_run(tmp_path):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"a,label\n1,cat\n", mtime=123))
    first, second = changed(path, "label", {0: "dog"}), changed(path, "label", {0: "dog"})
    assert first == second
    assert gzip.decompress(first) == b"a,label\n1,dog\n"
    assert changed(path, "label", {}) == path.read_bytes()
    assert changed(path, "label", {0: "cat"}) == path.read_bytes()
    path = tmp_path / "x.csv.zst"
    path.write_bytes(zstd(b"a,label\n1,cat\n"))
    assert unzstd(changed(path, "label", {0: "dog"})) == b"a,label\n1,dog\n"
    assert changed(path, "label", {}) == path.read_bytes()


JSON_LINES = {
    "plain": (
        b'{"label": "cat", "x": 1}\n{"label": "dog", "x": 2}\n',
        b'{"label": "cat", "x": 1}\n{"label": "NEW", "x": 2}\n',
    ),
    "odd spaces": (
        b'{ "x":1e3 ,\t"label" :"a" }\r\n\n  {"label"  :  "dog" , "x" : 0.10}  ',
        b'{ "x":1e3 ,\t"label" :"a" }\r\n\n  {"label"  :  "NEW" , "x" : 0.10}  ',
    ),
    "the key nested and in text": (
        b'{"label": "a"}\n{"x": {"label": "in"}, "t": "\\"label\\": 1", "label": "dog"}\n',
        b'{"label": "a"}\n{"x": {"label": "in"}, "t": "\\"label\\": 1", "label": "NEW"}\n',
    ),
    "an escaped key": (
        b'{"label": "a"}\n{"l\\u0061bel": "dog"}\n',
        b'{"label": "a"}\n{"l\\u0061bel": "NEW"}\n',
    ),
    "absent": (b'{"label": "a"}\n{"x": 1 }\n', b'{"label": "a"}\n{"x": 1, "label": "NEW" }\n'),
    "absent of an empty object": (b'{"label": "a"}\n{}\n', b'{"label": "a"}\n{"label": "NEW"}\n'),
    "null": (b'{"label": "a"}\n{"label":null}\n', b'{"label": "a"}\n{"label":"NEW"}\n'),
    "a list": (b'{"label": "a"}\n{"label":[1, {}]}\n', b'{"label": "a"}\n{"label":"NEW"}\n'),
    "twice: the last one counts": (
        b'{"label": "a"}\n{"label": 1, "label": 2}\n',
        b'{"label": "a"}\n{"label": 1, "label": "NEW"}\n',
    ),
}


@pytest.mark.parametrize(("before", "after"), JSON_LINES.values(), ids=JSON_LINES)
def test_only_the_changed_value_of_json_lines_differs(tmp_path, before, after):
    path = tmp_path / "x.jsonl"
    path.write_bytes(before)
    assert changed(path, "label", {}) == before
    assert changed(path, "label", {1: "NEW"}) == after


def test_json_lines_keep_numbers_as_numbers_and_their_way_of_escaping(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"label": 1}\n{"label": 2}\n')
    assert changed(path, "label", {0: 2}) == b'{"label": 2}\n{"label": 2}\n'
    assert changed(path, "label", {0: "é"}) == b'{"label": "\\u00e9"}\n{"label": 2}\n'
    path.write_bytes('{"label": "ü"}\n{"label": "x"}\n'.encode())
    assert changed(path, "label", {1: "é"}) == '{"label": "ü"}\n{"label": "é"}\n'.encode()


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)


@given(
    st.lists(st.dictionaries(st.one_of(st.just("label"), texts), values), min_size=1, max_size=5),
    st.booleans(),
    st.sampled_from([None, 0, 2]),
    st.data(),
)
def test_any_json_line_is_edited_in_place(tmp_path_factory, rows, ascii_only, indent, data):
    if not any("label" in row for row in rows):
        return
    path = tmp_path_factory.mktemp("t") / "x.jsonl"
    separators = (" ,\t", " :  ") if indent else None
    lines = [json.dumps(row, ensure_ascii=ascii_only, separators=separators) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8", newline="")
    i = data.draw(st.integers(0, len(rows) - 1))
    new = changed(path, "label", {i: "NEW"}).decode().split("\n")
    assert [line for j, line in enumerate(new) if j != i] == [
        line for j, line in enumerate(lines) if j != i
    ]
    assert json.loads(new[i]) == {**rows[i], "label": "NEW"}
    assert list(json.loads(new[i])) == list({**rows[i], "label": "NEW"})


def parquet_file(path):
    """Write a Parquet file with many kinds of columns, metadata and several row groups."""
    n = 10
    schema = pa.schema(
        [
            pa.field("label", pa.string(), metadata={"about": "given"}),
            pa.field("code", pa.int16(), nullable=False),
            pa.field("kind", pa.dictionary(pa.int8(), pa.string())),
            pa.field("vector", pa.list_(pa.float32(), 3)),
            pa.field("nested", pa.struct([("a", pa.list_(pa.int64())), ("b", pa.string())])),
            pa.field("when", pa.timestamp("ms", tz="UTC")),
            pa.field("price", pa.decimal128(9, 2)),
            pa.field("raw", pa.large_binary()),
        ],
        metadata={"huggingface": '{"info": {}}', "author": "né"},
    )
    table = pa.table(
        {
            "label": [f"c{i % 3}" if i != 4 else None for i in range(n)],
            "code": list(range(n)),
            "kind": [["u", "v"][i % 2] for i in range(n)],
            "vector": [[i, i + 0.5, None] for i in range(n)],
            "nested": [{"a": list(range(i)), "b": None} for i in range(n)],
            "when": [pd.Timestamp("2020-01-01", tz="UTC")] * n,
            "price": [None] * n,
            "raw": [bytes([i]) for i in range(n)],
        },
        schema=schema,
    )
    compression = {"label": "snappy", "code": "NONE", "raw": "zstd", "kind": "gzip"}
    with pq.ParquetWriter(path, schema, compression=compression, use_dictionary=["kind"]) as writer:
        writer.write_table(table.slice(0, 4))
        writer.write_table(table.slice(4, 6))
    return table


@pytest.mark.parametrize(
    ("column", "changes"),
    [
        ("label", {0: "c9", 4: "c1", 9: "né"}),
        ("code", {3: 7}),
        ("kind", {0: "v", 5: "w", 6: "w"}),
    ],
)
def test_parquet_keeps_schema_metadata_row_groups_and_other_columns(tmp_path, column, changes):
    path, out = tmp_path / "x.parquet", tmp_path / "out.parquet"
    before = parquet_file(path)
    source = read_table(path).source
    write_column(source, column, changes, out)
    old, new = pq.ParquetFile(path), pq.ParquetFile(out)
    assert new.schema_arrow.equals(old.schema_arrow, check_metadata=True)
    assert new.schema.equals(old.schema)
    assert new.metadata.num_row_groups == 2
    for group in range(2):
        for i in range(old.metadata.num_columns):
            a, b = (f.metadata.row_group(group).column(i) for f in (old, new))
            assert (a.compression, a.encodings, a.num_values) == (
                b.compression,
                b.encodings,
                b.num_values,
            )
    after = new.read()
    for name in before.column_names:
        expected = before.column(name).to_pylist()
        if name == column:
            expected = [changes.get(i, value) for i, value in enumerate(expected)]
        assert after.column(name).to_pylist() == expected
    write_column(source, column, {}, out)
    assert out.read_bytes() == path.read_bytes()


def test_parquet_without_an_arrow_schema_stays_without(tmp_path):
    path, out = tmp_path / "x.parquet", tmp_path / "out.parquet"
    pq.write_table(pa.table({"y": ["a", "b"]}), path, store_schema=False, version="1.0")
    write_column(read_table(path).source, "y", {1: "c"}, out)
    metadata = pq.ParquetFile(out).metadata
    assert metadata.metadata is None
    assert metadata.format_version == "1.0"
    assert pq.read_table(out)["y"].to_pylist() == ["a", "c"]


def dataset_folder(folder, *, files=2, kind="stream", extra=()):
    """Write what Hugging Face's save_to_disk writes."""
    folder.mkdir(parents=True)
    features = {
        "text": {"dtype": "string", "_type": "Value"},
        "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
        "topic": {"dtype": "string", "_type": "Value"},
    }
    info = {"info": {"features": features}}
    schema = pa.schema(
        [("text", pa.string()), ("label", pa.int64()), ("topic", pa.string())],
        metadata={"huggingface": json.dumps(info)},
    )
    names = [f"data-{i:05d}-of-{files:05d}.arrow" for i in range(files)]
    opener = pa.ipc.new_stream if kind == "stream" else pa.ipc.new_file
    for i, name in enumerate(names):
        with opener(str(folder / name), schema) as writer:
            for batch in range(2):
                rows = range(6 * i + 3 * batch, 6 * i + 3 * batch + 3)
                columns = [
                    [f"t{r}" for r in rows],
                    [r % 2 for r in rows],
                    [f"s{r % 3}" for r in rows],
                ]
                writer.write_batch(pa.record_batch(columns, schema=schema))
    state = {
        "_data_files": [{"filename": name} for name in names],
        "_fingerprint": "0123456789abcdef",
        "_split": "train",
    }
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}))
    for name in extra:
        (folder / name).write_text("kept")
    return folder


@pytest.mark.parametrize("kind", ["stream", "file"])
@pytest.mark.parametrize(("column", "value"), [("label", 0), ("topic", "new")])
def test_hugging_face_folders_keep_all_but_the_changed_file(tmp_path, kind, column, value):
    folder = dataset_folder(tmp_path / "set", kind=kind, extra=["README.md"])
    out = tmp_path / "out"
    table = read_table(folder)
    assert table.categories["label"] == ("neg", "pos")
    assert table.coded == {"label"}
    assert len(table.frame) == 12
    write_column(table.source, column, {7: value, 11: value}, out)
    assert sorted(p.name for p in out.iterdir()) == sorted(p.name for p in folder.iterdir())
    for name in ("data-00000-of-00002.arrow", "dataset_info.json", "README.md"):
        assert (out / name).read_bytes() == (folder / name).read_bytes()
    before, after = table.frame, read_table(out).frame
    assert after[column].tolist() == [
        value if i in (7, 11) else old for i, old in enumerate(before[column])
    ]
    pd.testing.assert_frame_equal(after.drop(columns=column), before.drop(columns=column))
    old, new = (json.loads((f / "state.json").read_text()) for f in (folder, out))
    assert old.pop("_fingerprint") != new.pop("_fingerprint")
    assert old == new
    opener = pa.ipc.open_stream if kind == "stream" else pa.ipc.open_file
    readers = [opener(str(f / "data-00001-of-00002.arrow")) for f in (folder, out)]
    assert readers[0].schema.equals(readers[1].schema, check_metadata=True)
    sizes = [[len(batch) for batch in read_batches(reader, kind)] for reader in readers]
    assert sizes == [[3, 3], [3, 3]]


def read_batches(reader, kind):
    if kind == "stream":
        return list(reader)
    return [reader.get_batch(i) for i in range(reader.num_record_batches)]


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_hugging_face_folder_without_changes_is_copied(tmp_path):
    folder = dataset_folder(tmp_path / "set")
    write_column(read_table(folder).source, "label", {}, tmp_path / "out")
    assert digests(tmp_path / "out") == digests(folder)


def test_one_split_of_a_dictionary_is_changed_and_the_others_are_copied(tmp_path):
    root = tmp_path / "dict"
    dataset_folder(root / "train", files=1)
    dataset_folder(root / "test", files=1)
    (root / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    table = read_table(root, split="test")
    assert len(table.frame) == 6
    assert "split test" in table.notes[0]
    write_column(table.source, "topic", {2: "new"}, tmp_path / "out")
    before, after = digests(root), digests(tmp_path / "out")
    differ = {name for name in before if before[name] != after[name]}
    assert differ == {"test/data-00000-of-00001.arrow", "test/state.json"}
    assert read_table(tmp_path / "out", split="test").frame["topic"][2] == "new"


def test_a_cached_dataset_without_state_is_read(tmp_path):
    folder = dataset_folder(tmp_path / "set")
    (folder / "state.json").unlink()
    assert len(read_table(folder).frame) == 12
    write_column(read_table(folder).source, "label", {0: 1}, tmp_path / "out")
    assert read_table(tmp_path / "out").frame["label"][0] == 1


def test_a_changed_input_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("label\na\nb\n")
    source = read_table(path).source
    path.write_text("label\nb\na\n")
    with pytest.raises(InputError, match="has changed since it was audited"):
        write_column(source, "label", {0: "b"}, tmp_path / "out")
    folder = dataset_folder(tmp_path / "set")
    source = read_table(folder).source
    (folder / "data-00000-of-00002.arrow").write_bytes(
        (folder / "data-00001-of-00002.arrow").read_bytes()
    )
    with pytest.raises(InputError, match="has changed since it was audited"):
        write_column(source, "label", {0: 0}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def bad_output(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("label\na\nb\n")
    return read_table(path).source


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("x.csv", "is the input, which is never overwritten"),
        ("sub", "is a folder"),
        ("missing/out.csv", "cannot be written"),
        ("link", "is the input"),
        ("n\0", "cannot be written"),
    ],
)
def test_outputs_that_are_refused(tmp_path, name, what):
    source = bad_output(tmp_path)
    (tmp_path / "sub").mkdir()
    os.link(tmp_path / "x.csv", tmp_path / "link")
    with pytest.raises(InputError, match=what):
        write_column(source, "label", {0: "b"}, tmp_path / name)
    assert (tmp_path / "x.csv").read_text() == "label\na\nb\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "sub", "x.csv"]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("full", "exists already"),
        ("file", "exists already"),
        ("set", "exists already"),
        ("set/inside", "overlaps the input"),
        ("missing/out", "cannot be written"),
    ],
)
def test_output_folders_that_are_refused(tmp_path, name, what):
    folder = dataset_folder(tmp_path / "set")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = digests(tmp_path)
    with pytest.raises(InputError, match=what):
        write_column(read_table(folder).source, "label", {0: 1}, tmp_path / name)
    assert digests(tmp_path) == before


@pytest.mark.parametrize(
    ("column", "changes", "what"),
    [
        ("label", {2: "x"}, "row 3: is not one of its 2 rows"),
        ("label", {-1: "x"}, "is not one of its 2 rows"),
        ("other", {0: "x"}, "has no column 'other', only label"),
    ],
)
def test_changes_that_are_refused(tmp_path, column, changes, what):
    with pytest.raises(InputError, match=what):
        write_column(bad_output(tmp_path), column, changes, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_value_that_does_not_fit_its_column_is_refused(tmp_path):
    path = tmp_path / "x.parquet"
    parquet_file(path)
    with pytest.raises(InputError, match=r"column 'code', row 6: is of type int16.*'cat'"):
        write_column(read_table(path).source, "code", {5: "cat"}, tmp_path / "out")
    path = tmp_path / "x.csv"
    path.write_bytes("label\né\nb\n".encode("latin-1"))
    source = read_table(path, encoding="latin-1").source
    with pytest.raises(InputError, match="iso8859-1, which has no '😀'"):
        write_column(source, "label", {1: "😀"}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_encoding_that_python_writes_otherwise_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"label\n+AGE-\nb\n")  # utf-7 for "a", which Python writes as itself
    source = read_table(path, encoding="utf-7").source
    with pytest.raises(InputError, match="can be written in several ways"):
        write_column(source, "label", {1: "c"}, tmp_path / "out")


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(InputError, match="has the format 'coco', no table"):
        write_column(Source("coco", (tmp_path,)), "label", {}, tmp_path / "out")


def test_real_files_change_in_one_field(data, tmp_path):
    folder = data / "multiclass"
    path = folder / "banking77" / "train.csv"
    write_column(read_table(path).source, "category", {1234: "card_arrival"}, tmp_path / "out")
    old, new = path.read_bytes().splitlines(), (tmp_path / "out").read_bytes().splitlines()
    differ = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert len(differ) == 1
    assert differ[0][0].rpartition(b",")[0] == differ[0][1].rpartition(b",")[0]
    path = folder / "ag_news" / "test.csv.gz"
    write_column(read_table(path).source, "0", {7599: "2"}, tmp_path / "out.gz")
    old = gzip.decompress(path.read_bytes())
    new = gzip.decompress((tmp_path / "out.gz").read_bytes())
    assert [i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b] == [
        old.rstrip(b"\n").rindex(b"\n") + 2
    ]


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.parquet", "set"])
def test_a_full_disk_leaves_nothing(tmp_path, name, monkeypatch):
    path = tmp_path / name
    if name == "set":
        dataset_folder(path)
    elif name == "x.parquet":
        parquet_file(path)
    else:
        path.write_text("label\na\n" if name == "x.csv" else '{"label": "a"}\n')
    source = read_table(path).source

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    monkeypatch.setattr("pyarrow.parquet.ParquetWriter", full)
    monkeypatch.setattr("shutil.copy2", full)
    with pytest.raises(InputError, match=r"cannot be written .*No space left on device"):
        write_column(source, "label", {0: 1 if name == "set" else "b"}, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_key_that_no_json_line_has_is_refused(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n')
    with pytest.raises(InputError, match="has no column 'label'"):
        write_column(read_table(path).source, "label", {0: 1}, tmp_path / "out")


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.parquet"])
def test_several_columns_at_once(tmp_path, name):
    path = tmp_path / name
    if name == "x.csv":
        path.write_text('a,b,c\n1,"x",0\n2,y,0\n')
        expected = 'a,b,c\n9,"x",8\n2,"q,r",0\n'
        changes = {"c": {0: "8"}, "a": {0: "9"}, "b": {1: "q,r"}}
    elif name == "x.jsonl":
        path.write_text('{"a": 1,"b": "x"}\n{"b":[1,2], "c": 0}\n')
        expected = '{"a": 9,"b": "x"}\n{"b":[1,2,3], "c": 5}\n'
        changes = {"a": {0: 9}, "c": {1: 5}, "b": {1: lambda old: old.replace("]", ",3]")}}
    else:
        pq.write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), path)
        expected = None
        changes = {"a": {0: 9}, "b": {1: "z"}}
    write_columns(read_table(path).source, changes, tmp_path / "out")
    if expected is None:
        assert pq.read_table(tmp_path / "out").to_pydict() == {"a": [9, 2], "b": ["x", "z"]}
    else:
        assert (tmp_path / "out").read_text() == expected
