"""Corrected datasets: the labels that were corrected, and everything else as it was."""

from __future__ import annotations

import gzip
import hashlib
import json
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldlabel.errors import InputError
from goldlabel.tasks.multiclass.formats import export, read


def corrections(changes):
    """Return what `goldlabel export` hands to a task."""
    return pd.DataFrame(
        {
            "example": pd.Series(list(changes), dtype="int64"),
            "part": -1,
            "suggested": pd.Categorical(list(changes.values())),
        }
    )


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (
            "x.csv",
            b"text,label\r\n\"a\",'b'\r\nx,cat\r\ny,dog",
            b'text,label\r\n"a",cat\r\nx,cat\r\ny,dog',
        ),
        ("x.tsv", b"label\ttext\ndog\tx\ncat\ty\n", b"label\ttext\ncat\tx\ncat\ty\n"),
        (
            "x.jsonl",
            b'{"label" :"dog"}\n{"label": "cat"}\n',
            b'{"label" :"cat"}\n{"label": "cat"}\n',
        ),
        ("x.csv", b"y\n1\n0\n", b"y\n0\n0\n"),
        ("x.jsonl", b'{"y": 1}\n{"y": 0}\n', b'{"y": 0}\n{"y": 0}\n'),
        ("x.jsonl", b'{"y": true}\n{"y": false}\n', b'{"y": false}\n{"y": false}\n'),
        ("x.jsonl", b'{"y": 1.5}\n{"y": 0.5}\n', b'{"y": 0.5}\n{"y": 0.5}\n'),
        ("x.csv", b"label\n007\n005\n", b"label\n005\n005\n"),
    ],
)
def test_text_formats(tmp_path, name, before, after):
    path, out = tmp_path / name, tmp_path / "out"
    path.write_bytes(before)
    data = read(path)
    export(data.source, corrections({}), out)
    assert out.read_bytes() == before
    target = data.classes[data.labels[1]]
    export(data.source, corrections({0: target}), out)
    assert out.read_bytes() == after
    assert path.read_bytes() == before


def test_compressed_text_without_a_header(tmp_path):
    path, out = tmp_path / "x.csv.gz", tmp_path / "out.csv.gz"
    path.write_bytes(gzip.compress(b'"3","a"\n"1","b"\n"2","c"\n'))
    data = read(path, label="0", classes=["World", "Sports", "Business"])
    export(data.source, corrections({2: "Business"}), out)
    assert gzip.decompress(out.read_bytes()) == b'"3","a"\n"1","b"\n"3","c"\n'


def test_parquet_with_numbers_that_have_names(tmp_path):
    path, out = tmp_path / "x.parquet", tmp_path / "out.parquet"
    frame = pd.DataFrame({"label": np.array([0, 1, 0], np.int8), "x": [0.5, 1.5, 2.5]})
    frame.to_parquet(path)
    data = read(path, classes=["neg", "pos", "never"])
    export(data.source, corrections({2: "pos", 0: "never"}), out)
    expected = frame.assign(label=np.array([2, 1, 1], np.int8))
    pd.testing.assert_frame_equal(pd.read_parquet(out), expected)


def test_a_class_that_only_the_predictions_know_is_written_by_its_name(tmp_path):
    path, out = tmp_path / "x.csv", tmp_path / "out.csv"
    path.write_text("label\na\nb\n")
    pd.DataFrame({"a": [1, 0], "b": [0, 0], "c": [0, 1]}).to_csv(tmp_path / "p.csv", index=False)
    data = read(path, pred_probs=tmp_path / "p.csv")
    export(data.source, corrections({1: "c"}), out)
    assert out.read_text() == "label\na\nc\n"


def test_positions_count_only_rows_with_a_label(tmp_path):
    path, out = tmp_path / "x.csv", tmp_path / "out.csv"
    path.write_text("id,label\n1,a\n2,\n3,b\n4,\n5,a\n")
    data = read(path, missing="drop")
    export(data.source, corrections({1: "a", 2: "b"}), out)
    assert out.read_text() == "id,label\n1,a\n2,\n3,a\n4,\n5,b\n"
    with pytest.raises(InputError, match="names example 3, which is none"):
        export(data.source, corrections({3: "a"}), out)


def test_hugging_face_class_labels(tmp_path):
    folder, out = tmp_path / "set", tmp_path / "out"
    folder.mkdir()
    features = {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}
    schema = pa.schema(
        [("label", pa.int64())],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )
    with pa.ipc.new_stream(str(folder / "data.arrow"), schema) as writer:
        writer.write_batch(pa.record_batch([pa.array([0, 1, 1])], schema=schema))
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}))
    data = read(folder)
    export(data.source, corrections({1: "neg"}), out)
    again = read(out)
    assert again.labels.tolist() == [0, 0, 1]
    assert again.classes == ("neg", "pos")


@pytest.mark.parametrize("split", ["..", ".", "", "/tmp", "a/b"])
def test_a_hugging_face_split_does_not_lead_out(tmp_path, split):
    folder = tmp_path / "set" / "inner"
    folder.mkdir(parents=True)
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": [split]}))
    state = {"_data_files": [{"filename": "victim"}]}
    (tmp_path / "set" / "state.json").write_text(json.dumps(state))
    schema = pa.schema([("label", pa.string())])
    with pa.ipc.new_stream(str(tmp_path / "set" / "victim"), schema) as writer:
        writer.write_batch(pa.record_batch([["a", "b"]], schema=schema))
    with pytest.raises(InputError, match="which is no file in it"):
        read(folder)


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        ({"example": [0]}, "has no column 'suggested'"),
        ({"suggested": ["a"]}, "has no column 'example'"),
        ({"example": [0], "suggested": ["c"]}, "row 1: suggests 'c', which is no class"),
        ({"example": [0], "suggested": [None]}, "row 1: suggests"),
        ({"example": [2], "suggested": ["a"]}, "row 1: names example 2, which is none"),
        ({"example": [-1], "suggested": ["a"]}, "row 1: names example -1"),
        ({"example": ["0"], "suggested": ["a"]}, "row 1: names example '0'"),
        ({"example": [0, 0], "suggested": ["a", "b"]}, "row 2: gives example 0 a second label"),
    ],
)
def test_bad_corrections(tmp_path, frame, what):
    path = tmp_path / "x.csv"
    path.write_text("label\na\nb\n")
    with pytest.raises(InputError, match=what):
        export(read(path).source, pd.DataFrame(frame), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def images(root, names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root


def contents(root):
    """Return the content of every file below a folder; here, where it came from."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes().decode()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_images_move_to_the_folder_of_their_class(tmp_path):
    names = ["cat/a.png", "cat/deep/b.png", "cat/notes.txt", "dog/c.png", "README.md", ".x/y.png"]
    root, out = images(tmp_path / "set", names), tmp_path / "out"
    before = contents(root)
    data = read(root, classes=["cat", "dog", "owl"])
    assert data.ids.tolist() == ["cat/a.png", "cat/deep/b.png", "dog/c.png"]
    export(data.source, corrections({0: "dog", 1: "owl"}), out)
    assert contents(out) == {
        "dog/a.png": "cat/a.png",
        "owl/deep/b.png": "cat/deep/b.png",
        "cat/notes.txt": "cat/notes.txt",
        "dog/c.png": "dog/c.png",
        "README.md": "README.md",
        ".x/y.png": ".x/y.png",
    }
    assert contents(root) == before


def test_images_without_corrections_are_copied_with_their_times(tmp_path):
    root, out = images(tmp_path / "set", ["cat/a.png", "dog/b.png"]), tmp_path / "out"
    os.utime(root / "cat" / "a.png", (1_000_000, 1_000_000))
    export(read(root).source, corrections({}), out)
    assert contents(out) == contents(root)
    assert (out / "cat" / "a.png").stat().st_mtime == 1_000_000


def test_images_of_one_name_do_not_replace_each_other(tmp_path):
    names = ["cat/1.png", "dog/1.png", "dog/1_cat.png", "owl/1.PNG", "fox/1.png"]
    root, out = images(tmp_path / "set", names), tmp_path / "out"
    data = read(root)
    position = {name: i for i, name in enumerate(data.ids)}
    moves = {position["cat/1.png"]: "dog", position["owl/1.PNG"]: "dog"}
    moves[position["fox/1.png"]] = "dog"
    export(data.source, corrections(moves), out)
    assert contents(out) == {
        "dog/1.png": "dog/1.png",
        "dog/1_cat.png": "dog/1_cat.png",
        "dog/1_cat_2.png": "cat/1.png",
        "dog/1_owl.PNG": "owl/1.PNG",
        "dog/1_fox.png": "fox/1.png",
    }


def test_two_images_of_one_name_can_change_places(tmp_path):
    root, out = images(tmp_path / "set", ["cat/1.png", "dog/1.png"]), tmp_path / "out"
    export(read(root).source, corrections({0: "dog", 1: "cat"}), out)
    assert contents(out) == {"cat/1.png": "dog/1.png", "dog/1.png": "cat/1.png"}


HOSTILE = [
    "../x",
    "..",
    ".",
    "/etc",
    "a/b",
    "a\\b",
    "a\0b",
    "",
    " ",
    "x" * 300,
    ".ssh",
    "a\nb",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_classes_that_can_not_name_a_folder_write_nothing(tmp_path, name):
    root = images(tmp_path / "inside" / "set", ["cat/a.png", "dog/b.png"])
    before = contents(tmp_path)
    data = read(root, classes=["cat", "dog", name])
    with pytest.raises(InputError, match="cannot be the name of a folder"):
        export(data.source, corrections({0: name}), tmp_path / "inside" / "out")
    assert contents(tmp_path) == before
    assert sorted(os.listdir(tmp_path / "inside")) == ["set"]


@pytest.mark.parametrize("name", ["../x", "/etc", "a\0b", "a/b", "x\ny", "=cmd()", '"', "né😀"])
def test_hostile_class_names_are_only_text_in_a_table(tmp_path, name):
    path, out = tmp_path / "x.csv", tmp_path / "out.csv"
    path.write_text("text,label\nu,a\nv,b\n")
    data = read(path, classes=["a", "b", name])
    export(data.source, corrections({1: name}), out)
    again = read(out, label="label", header=True, encoding="utf-8")
    assert [again.classes[code] for code in again.labels] == ["a", name]
    assert sorted(os.listdir(tmp_path)) == ["out.csv", "x.csv"]


@pytest.mark.parametrize("name", ["set", "set/cat", "set/new", "full", "file", "."])
def test_output_folders_that_are_refused(tmp_path, name):
    root = images(tmp_path / "set", ["cat/a.png", "dog/b.png"])
    images(tmp_path, ["full/mine", "file"])
    before = contents(tmp_path)
    with pytest.raises(InputError, match=r"exists already|overlaps the input"):
        export(read(root).source, corrections({0: "dog"}), tmp_path / name)
    assert contents(tmp_path) == before


def test_an_empty_folder_may_be_the_output(tmp_path):
    root = images(tmp_path / "set", ["cat/a.png", "dog/b.png"])
    (tmp_path / "out").mkdir()
    export(read(root).source, corrections({0: "dog"}), tmp_path / "out")
    assert set(contents(tmp_path / "out")) == {"dog/a.png", "dog/b.png"}


def test_a_folder_whose_images_changed_is_refused(tmp_path):
    root = images(tmp_path / "set", ["cat/a.png", "dog/b.png"])
    source = read(root).source
    images(root, ["cat/0.png"])
    with pytest.raises(InputError, match="has other images than when it was audited"):
        export(source, corrections({0: "dog"}), tmp_path / "out")


def test_a_failing_copy_leaves_nothing(tmp_path, monkeypatch):
    root = images(tmp_path / "set", ["cat/a.png", "dog/b.png"])
    source = read(root).source

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copy2", full)
    with pytest.raises(InputError, match="No space left on device"):
        export(source, corrections({0: "dog"}), tmp_path / "out")
    assert os.listdir(tmp_path) == ["set"]


@given(
    st.lists(st.sampled_from(["a", "b", "c, d", 'e"f', "", "né"]), min_size=2, max_size=12),
    st.data(),
)
def test_reading_an_export_gives_the_corrected_labels(tmp_path_factory, labels, data):
    folder = tmp_path_factory.mktemp("t")
    labels[0] = "a"
    frame = pd.DataFrame({"id": range(len(labels)), "label": labels})
    for name in ("x.csv", "x.jsonl", "x.parquet"):
        path = folder / name
        if name == "x.csv":
            frame.to_csv(path, index=False)
        elif name == "x.jsonl":
            frame.to_json(path, orient="records", lines=True)
        else:
            frame.to_parquet(path)
        before = read(path, missing="drop")
        n = len(before)
        changes = data.draw(st.dictionaries(st.integers(0, n - 1), st.sampled_from(before.classes)))
        export(before.source, corrections(changes), folder / "out")
        after = read(folder / "out", missing="drop")
        expected = [changes.get(i, before.classes[code]) for i, code in enumerate(before.labels)]
        assert [after.classes[code] for code in after.labels] == expected
        assert after.ids.tolist() == before.ids.tolist()
        assert hashlib.sha256(path.read_bytes()).hexdigest() == before.source.options.sha256


def test_ag_news(data, tmp_path):
    path = data / "multiclass" / "ag_news" / "test.csv.gz"
    names = ["World", "Sports", "Business", "Sci/Tech"]
    before = read(path, label="0", classes=names)
    wrong = {5: "World", 1000: "Sports", 7599: "Sports"}
    export(before.source, corrections(wrong), tmp_path / "out.csv.gz")
    after = read(tmp_path / "out.csv.gz", label="0", classes=names)
    changed = np.flatnonzero(before.labels != after.labels)
    assert changed.tolist() == [i for i in wrong if names[before.labels[i]] != wrong[i]]
    assert [names[after.labels[i]] for i in wrong] == list(wrong.values())
    pd.testing.assert_frame_equal(after.frame.drop(columns="0"), before.frame.drop(columns="0"))
