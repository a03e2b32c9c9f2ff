"""Every native format: what is read, and that a file written back differs in its labels alone."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse

from goldlabel.errors import InputError
from goldlabel.tasks import multilabel

CLASSES = ("calm", "happy", "sad")
LABELS = [[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]]


def corrections(*changes):
    return pd.DataFrame(changes, columns=["example", "part", "suggested"])


def exported(data, out, *changes):
    multilabel.export(data.source, corrections(*changes), out)
    return out.read_bytes()


def check(data, classes=CLASSES, labels=LABELS):
    assert data.classes == tuple(classes)
    np.testing.assert_array_equal(data.labels, labels)
    return data


# Text formats: name of the file, content, options to read it, what is left of a label that goes
# and what becomes of one that comes: (old, new) pieces of text.

TEXTS = {
    "columns": (
        "a.csv",
        "title,calm,happy,sad\nA,1,0,1\nB,0,1,0\nC,0,0,0\nD,1,1,0\n",
        {"labels": CLASSES},
        [((0, 2, "absent"), "A,1,0,1", "A,1,0,0"), ((2, 1, "present"), "C,0,0,0", "C,0,1,0")],
    ),
    "columns of words": (
        "a.tsv",
        'title\tcalm\thappy\tsad\r\nA\t"True"\tFalse\tTrue\r\nB\tFalse\tTrue\tFalse\r\n'
        "C\tFalse\t False \tFalse\r\nD\tTrue\tTrue\tFalse\r\n",
        {"labels": CLASSES},
        [
            ((0, 0, "absent"), '"True"', '"False"'),
            ((2, 1, "present"), "\t False \t", "\t True \t"),
        ],
    ),
    "columns of letters": (
        "a.csv",
        "calm;happy;sad\ny;n;y\nn;y;n\nn;n;n\ny;y;n\n",
        {},
        [((1, 1, "absent"), "\nn;y;n\n", "\nn;n;n\n")],
    ),
    "columns of JSON Lines": (
        "a.jsonl",
        '{"t": "A", "calm": true, "happy": false, "sad": true}\n'
        '{"t":"B","calm":false,"happy":true,"sad":false}\n'
        '{"t": "C", "calm": false, "happy": false, "sad": false}\n'
        '{"t": "D", "calm": true, "happy": true, "sad": false}\n',
        {"labels": CLASSES},
        [((1, 0, "present"), '"B","calm":false', '"B","calm":true')],
    ),
    "bars": (
        "a.csv",
        "title,tags\nA,calm|sad\nB,happy\nC,\nD,happy|calm\n",
        {"labels": ["tags"]},
        [
            ((0, 0, "absent"), "A,calm|sad", "A,sad"),
            ((1, 0, "present"), "B,happy", "B,happy|calm"),
            ((2, 2, "present"), "C,\n", "C,sad\n"),
            ((3, 0, "absent"), "D,happy|calm", "D,happy"),
        ],
    ),
    "commas and spaces in quotes": (
        "a.csv",
        'tags,title\n"calm, sad",A\nhappy,B\n,C\n"happy,  calm",D\n',
        {},
        [
            ((0, 1, "present"), '"calm, sad",A', '"calm, sad, happy",A'),
            ((1, 0, "present"), "\nhappy,B", '\n"happy, calm",B'),
            ((3, 1, "absent"), '"happy,  calm",D', '"calm",D'),
        ],
    ),
    "white space": (
        "a.tsv",
        "tags\ttitle\ncalm sad\tA\nhappy\tB\n\tC\nhappy  calm\tD\n",
        {},
        [
            ((0, 2, "absent"), "calm sad\tA", "calm\tA"),
            ((1, 2, "present"), "happy\tB", "happy sad\tB"),
        ],
    ),
    "lists in JSON text": (
        "a.csv",
        'title;labels\nA;"[""calm"",""sad""]"\nB;"[""happy""]"\nC;[]\nD;"[""happy"", ""calm""]"\n',
        {},
        [
            ((0, 0, "absent"), '"[""calm"",""sad""]"', '"[""sad""]"'),
            ((2, 0, "present"), "C;[]", 'C;"[""calm""]"'),
        ],
    ),
    "lists in Python text": (
        "a.csv",
        "title;labels\nA;['calm', 'sad']\nB;['happy']\nC;[]\nD;['happy', 'calm']\n",
        {},
        [
            ((0, 2, "absent"), "A;['calm', 'sad']", "A;['calm']"),
            ((2, 2, "present"), "C;[]", "C;['sad']"),
            ((3, 2, "present"), "['happy', 'calm']", "['happy', 'calm', 'sad']"),
        ],
    ),
    "lists of JSON Lines": (
        "a.jsonl",
        '{"labels": ["calm","sad"], "t": 1}\n{"labels": ["happy"], "t": 2}\n'
        '{"t": 3, "labels": [ ]}\n{"labels": ["happy", "calm"]}\n',
        {},
        [
            ((0, 0, "absent"), '["calm","sad"]', '["sad"]'),
            ((1, 0, "present"), '["happy"]', '["happy", "calm"]'),
            ((2, 2, "present"), "[ ]", '["sad"]'),
            ((3, 0, "absent"), '["happy", "calm"]', '["happy"]'),
        ],
    ),
    "ARFF": (
        "a.arff",
        "% songs\r\n@RELATION songs\r\n\r\n@attribute 'the tempo' numeric\r\n"
        "@attribute calm {0,1}\r\n@attribute happy {0,1}\r\n@attribute sad {0,1}\r\n"
        "@attribute title string\r\n@DATA\r\n3.5,1,0,1,'A, the first'\r\n"
        '% a comment\r\n1, 0, 1, 0, B\r\n2,0,0,0,C\r\n?,1,1,0,"D"',
        {"labels": CLASSES},
        [
            ((0, 0, "absent"), "3.5,1,0,1,", "3.5,0,0,1,"),
            ((1, 2, "present"), "1, 0, 1, 0, B", "1, 0, 1, 1, B"),
        ],
    ),
    "sparse ARFF": (
        "a.arff",
        "@relation songs\n@attribute tempo numeric\n@attribute calm {0,1}\n@attribute happy {0,1}\n"
        "@attribute sad {0,1}\n@attribute year numeric\n@data\n{0 3.5, 1 1, 3 1}\n{2 1}\n{}\n"
        "{1 1,2 1,4 1999}\n",
        {"labels": CLASSES},
        [
            ((0, 0, "absent"), "{0 3.5, 1 1, 3 1}", "{0 3.5, 3 1}"),
            ((0, 1, "present"), "{0 3.5, 1 1, 3 1}", "{0 3.5, 1 1, 2 1, 3 1}"),
            ((1, 1, "absent"), "{2 1}", "{}"),
            ((2, 2, "present"), "{}\n", "{3 1}\n"),
            ((3, 2, "present"), "{1 1,2 1,4 1999}", "{1 1,2 1,3 1,4 1999}"),
        ],
    ),
    "MEKA": (
        "a.arff",
        "@relation 'songs: -C 3'\n@attribute calm {0,1}\n@attribute happy {0,1}\n"
        "@attribute sad {0,1}\n@attribute t numeric\n@data\n1,0,1,5\n0,1,0,5\n0,0,0,5\n1,1,0,5\n",
        {},
        [((0, 0, "absent"), "1,0,1,5", "0,0,1,5")],
    ),
    "Label Studio": (
        "a.json",
        json.dumps(
            [
                {
                    "id": 7,
                    "data": {"text": "A é"},
                    "annotations": [
                        {"id": 1, "was_cancelled": True, "result": []},
                        {
                            "id": 2,
                            "result": [
                                {
                                    "type": "choices",
                                    "from_name": "mood",
                                    "to_name": "text",
                                    "value": {"choices": ["calm", "sad"]},
                                }
                            ],
                        },
                    ],
                },
                {
                    "id": 8,
                    "data": {"text": "B"},
                    "annotations": [
                        {"id": 3, "ground_truth": False, "result": []},
                        {
                            "id": 4,
                            "ground_truth": True,
                            "result": [
                                {"type": "rating", "from_name": "stars", "value": {"rating": 4}},
                                {
                                    "type": "choices",
                                    "from_name": "mood",
                                    "to_name": "text",
                                    "value": {"choices": ["happy"]},
                                },
                            ],
                        },
                    ],
                },
                {"id": 9, "data": {"text": "C"}, "annotations": [{"id": 5, "result": []}]},
                {
                    "id": 10,
                    "data": {"text": "D"},
                    "annotations": [
                        {
                            "id": 6,
                            "result": [
                                {
                                    "type": "choices",
                                    "from_name": "mood",
                                    "to_name": "text",
                                    "value": {"choices": ["happy", "calm"]},
                                }
                            ],
                        }
                    ],
                },
            ],
            ensure_ascii=False,
            indent=1,
        ),
        {},
        [
            (
                (3, 2, "present"),
                '"happy",\n        "calm"\n',
                '"happy",\n        "calm",\n        "sad"\n',
            ),
            (
                (2, 0, "present"),
                '"id": 5,\n    "result": []',
                '"id": 5,\n    "result": [{"value": {"choices": ["calm"]}, "from_name": "mood",'
                ' "to_name": "text", "type": "choices"}]',
            ),
            ((1, 1, "absent"), '[\n        "happy"\n       ]', "[]"),
        ],
    ),
    "Label Studio, short": (
        "a.json",
        '[{"text": "A", "id": 1, "mood": {"choices": ["calm", "sad"]}, "annotator": 1},\n'
        ' {"text": "B", "id": 2, "mood": "happy", "annotator": 1},\n'
        ' {"text": "C", "id": 3, "annotator": 1},\n'
        ' {"text": "D", "id": 4, "mood": {"choices": ["happy", "calm"]}, "annotator": 1}]\n',
        {},
        [
            ((0, 0, "absent"), '"choices": ["calm", "sad"]', '"choices": ["sad"]'),
            ((1, 0, "present"), '"mood": "happy"', '"mood": {"choices": ["happy", "calm"]}'),
            (
                (2, 0, "present"),
                '"annotator": 1},\n {"text": "D"',
                '"annotator": 1, "mood": {"choices": ["calm"]}},\n {"text": "D"',
            ),
        ],
    ),
    "COCO": (
        "a.json",
        '{"info": {"year": 2020},\n "images": [{"id": 5, "file_name": "a.jpg"}, {"id": 6,'
        ' "file_name": "b.jpg"}, {"id": 7, "file_name": "c.jpg"},'
        ' {"id": 9, "file_name": "d.jpg"}],\n'
        ' "annotations": [\n  {"id": 1, "image_id": 5, "category_id": 30},\n'
        '  {"id": 2, "image_id": 5, "category_id": 10},\n'
        '  {"id": 3, "image_id": 6, "category_id": 20},\n'
        '  {"id": 4, "image_id": 9, "category_id": 10},\n'
        '  {"id": 8, "image_id": 9, "category_id": 20}\n ],\n'
        ' "categories": [{"id": 10, "name": "calm"}, {"id": 20, "name": "happy"},'
        ' {"id": 30, "name": "sad"}]}',
        {},
        [
            (
                (0, 2, "absent"),
                '[\n  {"id": 1, "image_id": 5, "category_id": 30},\n  {"id": 2',
                '[\n  {"id": 2',
            ),
            (
                (2, 0, "present"),
                '{"id": 8, "image_id": 9, "category_id": 20}\n ]',
                '{"id": 8, "image_id": 9, "category_id": 20},\n'
                '  {"id": 9, "image_id": 7, "category_id": 10}\n ]',
            ),
        ],
    ),
}


@pytest.fixture(params=TEXTS, ids=str)
def text(request, tmp_path):
    name, content, options, changes = TEXTS[request.param]
    path = tmp_path / name
    path.write_bytes(content.encode())
    return path, options, changes


def test_text_formats_are_read(text):
    path, options, _ = text
    data = check(multilabel.read(path, **options))
    assert path.name in data.notes[0]


def test_without_corrections_text_files_keep_every_byte(text, tmp_path):
    path, options, _ = text
    assert exported(multilabel.read(path, **options), tmp_path / "out") == path.read_bytes()


def test_a_correction_changes_its_label_and_nothing_else(text, tmp_path):
    path, options, changes = text
    data = multilabel.read(path, **options)
    for change, old, new in changes:
        before = path.read_bytes().decode()
        assert before.count(old) == 1, "the test itself"
        after = exported(data, tmp_path / f"out{path.suffix}", change).decode()
        assert after == before.replace(old, new)
        example, part, suggested = change
        expected = np.array(LABELS)
        expected[example, part] = suggested == "present"
        names = {} if options.get("labels") or "annotations" in before else {"classes": CLASSES}
        again = multilabel.read(tmp_path / f"out{path.suffix}", **options, **names)
        at = [again.classes.index(name) for name in CLASSES if name in again.classes]
        np.testing.assert_array_equal(
            again.labels,
            expected[:, : len(at)]
            if len(at) == 3
            else expected[:, [name in again.classes for name in CLASSES]],
        )


def test_all_corrections_at_once_and_back_again(text, tmp_path):
    path, options, _ = text
    data = multilabel.read(path, **options)
    flip = [(i, c, "absent" if LABELS[i][c] else "present") for i in range(4) for c in range(3)]
    exported(data, tmp_path / f"flip{path.suffix}", *flip)
    again = multilabel.read(tmp_path / f"flip{path.suffix}", **options)
    check(again, labels=1 - np.array(LABELS))


def test_a_compressed_file_stays_one(tmp_path):
    name, content, options, changes = TEXTS["bars"]
    path = tmp_path / f"{name}.gz"
    path.write_bytes(gzip.compress(content.encode()))
    data = check(multilabel.read(path, **options))
    change, old, new = changes[0]
    after = gzip.decompress(exported(data, tmp_path / "out.csv.gz", change)).decode()
    assert after == content.replace(old, new)


def test_latin_1_stays_latin_1(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("title,tags\ncafé,süß|herb\nthé,herb\n".encode("latin-1"))
    data = multilabel.read(path, labels=["tags"], encoding="latin-1")
    assert data.classes == ("herb", "süß")
    after = exported(data, tmp_path / "out.csv", (1, 1, "present"))
    assert after == "title,tags\ncafé,süß|herb\nthé,herb|süß\n".encode("latin-1")


# Binary formats


def parquet(tmp_path, columns, **options):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path)
    return multilabel.read(path, **options)


def read_back(path):
    return pq.read_table(path).to_pydict()


@pytest.mark.parametrize("kind", [pa.bool_(), pa.int8(), pa.int64(), pa.float32(), pa.string()])
def test_parquet_columns(tmp_path, kind):
    columns = {
        name: pa.array([row[c] for row in LABELS]).cast(kind) for c, name in enumerate(CLASSES)
    }
    data = check(parquet(tmp_path, {"title": list("ABCD"), **columns}, labels=CLASSES))
    exported(data, tmp_path / "out.parquet", (0, 0, "absent"), (2, 1, "present"))
    assert pq.read_schema(tmp_path / "out.parquet").field("calm").type == kind
    check(
        multilabel.read(tmp_path / "out.parquet", labels=CLASSES),
        labels=[[0, 0, 1], [0, 1, 0], [0, 1, 0], [1, 1, 0]],
    )


def test_parquet_lists(tmp_path):
    lists = [["calm", "sad"], ["happy"], [], ["happy", "calm"]]
    data = check(parquet(tmp_path, {"t": [1, 2, 3, 4], "labels": lists}))
    exported(data, tmp_path / "out.parquet", (0, 0, "absent"), (2, 1, "present"))
    assert read_back(tmp_path / "out.parquet") == {
        "t": [1, 2, 3, 4],
        "labels": [["sad"], ["happy"], ["happy"], ["happy", "calm"]],
    }


def test_parquet_lists_of_numbers_named_by_the_caller(tmp_path):
    lists = [[0, 2], [1], [], [1, 0]]
    data = check(parquet(tmp_path, {"labels": lists}, classes=CLASSES))
    exported(data, tmp_path / "out.parquet", (2, 2, "present"))
    assert read_back(tmp_path / "out.parquet")["labels"] == [[0, 2], [1], [2], [1, 0]]


def test_parquet_multi_hot(tmp_path):
    hot = pa.array([[float(x) for x in row] for row in LABELS], pa.list_(pa.float32()))
    data = check(parquet(tmp_path, {"labels": hot}, classes=CLASSES))
    exported(data, tmp_path / "out.parquet", (2, 2, "present"))
    assert read_back(tmp_path / "out.parquet")["labels"][2] == [0.0, 0.0, 1.0]


def test_json_multi_hot(tmp_path):
    path = tmp_path / "a.jsonl"
    text = "".join(f'{{"y": {json.dumps(row)}}}\n' for row in LABELS)
    path.write_text(text)
    data = check(multilabel.read(path, classes=CLASSES))
    after = exported(data, tmp_path / "out", (2, 2, "present")).decode()
    assert after == text.replace("[0, 0, 0]", "[0, 0, 1]")


def test_class_labels_of_hugging_face(tmp_path):
    info = {
        "info": {
            "features": {
                "tags": {
                    "feature": {"names": list(CLASSES), "_type": "ClassLabel"},
                    "_type": "Sequence",
                }
            }
        }
    }
    table = pa.table({"tags": [[0, 2], [1], [], [1, 0]]})
    table = table.replace_schema_metadata({"huggingface": json.dumps(info)})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path)
    data = check(multilabel.read(path))
    exported(data, tmp_path / "out.parquet", (2, 2, "present"), (0, 0, "absent"))
    assert read_back(tmp_path / "out.parquet")["tags"] == [[2], [1], [2], [1, 0]]


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, np.bool_])
def test_numpy(tmp_path, dtype):
    np.save(tmp_path / "a.npy", np.array(LABELS, dtype=dtype))
    data = check(multilabel.read(tmp_path / "a.npy", classes=CLASSES))
    assert exported(data, tmp_path / "out.npy") == (tmp_path / "a.npy").read_bytes()
    exported(data, tmp_path / "out.npy", (2, 2, "present"))
    after = np.load(tmp_path / "out.npy")
    assert after.dtype == dtype
    assert after[2].tolist() == [0, 0, 1]


def test_numpy_archive(tmp_path):
    np.savez(tmp_path / "a.npz", labels=np.array(LABELS), other=np.arange(3))
    data = check(multilabel.read(tmp_path / "a.npz", classes=CLASSES))
    exported(data, tmp_path / "out.npz", (0, 0, "absent"))
    with np.load(tmp_path / "out.npz") as after:
        assert after["labels"][0].tolist() == [0, 0, 1]
        assert after["other"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", ["csr", "csc"])
def test_sparse(tmp_path, kind):
    sparse.save_npz(tmp_path / "a.npz", sparse.csr_array(np.array(LABELS)).asformat(kind))
    data = check(multilabel.read(tmp_path / "a.npz", classes=CLASSES))
    exported(data, tmp_path / "out.npz", (2, 2, "present"))
    assert sparse.load_npz(tmp_path / "out.npz").toarray()[2].tolist() == [0, 0, 1]


# What is recognised


def write(tmp_path, text, name="a.csv"):
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_columns_are_found_by_the_names_of_the_predictions(tmp_path):
    path = write(tmp_path, "id,age,calm,happy\nx,1,1,0\ny,0,0,1\n")
    probs = write(tmp_path, "id,happy,calm\ny,0.9,0.2\nx,0.3,0.8\n", "p.csv")
    data = multilabel.read(path, pred_probs=probs)
    check(data, ("happy", "calm"), [[0, 1], [1, 0]])
    np.testing.assert_allclose(data.pred_probs, [[0.3, 0.8], [0.9, 0.2]])
    assert data.ids.tolist() == ["x", "y"]
    exported(data, tmp_path / "out.csv", (0, 0, "present"))
    assert (tmp_path / "out.csv").read_text() == "id,age,calm,happy\nx,1,1,1\ny,0,0,1\n"


def test_columns_of_yes_and_no_are_found_by_their_number(tmp_path):
    path = write(tmp_path, "name,calm,happy\nx,1,0\ny,0,1\n")
    np.save(tmp_path / "p.npy", np.full((2, 2), 0.5))
    assert multilabel.read(path, pred_probs=tmp_path / "p.npy").classes == ("calm", "happy")
    with pytest.raises(InputError, match="no column is surely the labels"):
        multilabel.read(path)


def test_known_names_tell_separators_from_parts_of_names(tmp_path):
    path = write(tmp_path, 'tags\n"Speech, male|Dog"\nDog\n"Speech, male"\n')
    names = ("Dog", "Speech, male")
    check(multilabel.read(path, classes=names), names, [[1, 1], [1, 0], [0, 1]])
    check(multilabel.read(path), names, [[1, 1], [1, 0], [0, 1]])
    path = write(tmp_path, "tags\tx\nnew york;rome\t1\nrome\t2\n", "a.tsv")
    check(multilabel.read(path), ("new york", "rome"), [[1, 1], [0, 1]])
    path = write(tmp_path, "tags\tx\nnew york\t1\nrome\t2\n", "b.tsv")
    check(multilabel.read(path, classes=["new york", "rome"]), ("new york", "rome"), np.eye(2))
    check(multilabel.read(path, separator=" "), ("new", "rome", "york"), [[1, 0, 1], [0, 1, 0]])


def test_what_is_not_known(tmp_path):
    path = write(tmp_path, "calm,happy\n1,\n-1,1\n0,nan\n")
    data = check(multilabel.read(path), ("calm", "happy"), [[1, -1], [-1, 1], [0, -1]])
    assert any("3 of 6 annotations are not known" in note for note in data.notes)
    exported(data, tmp_path / "out.csv", (0, 1, "present"), (1, 0, "absent"))
    assert (tmp_path / "out.csv").read_text() == "calm,happy\n1,1\n0,1\n0,nan\n"
    path = write(tmp_path, '{"y": ["a"]}\n{"y": null}\n{"y": []}\n', "a.jsonl")
    data = check(multilabel.read(path), ("a",), [[1], [-1], [0]])
    exported(data, tmp_path / "out.jsonl", (1, 0, "present"))
    assert (tmp_path / "out.jsonl").read_text().splitlines()[1] == '{"y": ["a"]}'


def test_shares_count_from_a_half(tmp_path):
    columns = {"a": pa.array([0.2, 0.5, 1.0]), "b": pa.array([0.0, 0.9, 0.49])}
    data = parquet(tmp_path, columns)
    check(data, ("a", "b"), [[0, 0], [1, 1], [1, 0]])
    assert any("from 0.5 on" in note for note in data.notes)


def test_tasks_without_annotation_are_not_known(tmp_path):
    tasks = [
        {"id": 1, "data": {"t": "A"}, "annotations": []},
        {
            "id": 2,
            "data": {"t": "B"},
            "annotations": [
                {
                    "result": [
                        {
                            "from_name": "c",
                            "to_name": "t",
                            "type": "choices",
                            "value": {"choices": ["x"]},
                        }
                    ]
                }
            ],
        },
    ]
    path = write(tmp_path, json.dumps(tasks), "a.json")
    check(multilabel.read(path), ("x",), [[-1], [1]])


def test_mulan_xml_beside_and_named(tmp_path):
    name, content, _, _ = TEXTS["ARFF"]
    path = write(tmp_path, content, name)
    with pytest.raises(InputError, match="does not say which"):
        multilabel.read(path)
    xml = '<labels xmlns="http://mulan.sourceforge.net/labels"><label name="sad"/>'
    xml += '<label name="calm"><label name="happy"/></label></labels>'
    write(tmp_path, xml, "names.xml")
    data = multilabel.read(path, xml=tmp_path / "names.xml")
    check(data, ("sad", "calm", "happy"), np.array(LABELS)[:, [2, 0, 1]])
    assert tmp_path / "names.xml" in data.source.inputs
    write(tmp_path, xml, "a.xml")
    assert multilabel.read(path).classes == ("sad", "calm", "happy")
    assert multilabel.read(path).source.inputs == (tmp_path / "a.xml",)
    assert multilabel.read(path, labels=["happy"]).classes == ("happy",)
    assert data.frame["title"].tolist() == ["A, the first", "B", "C", "D"]


def test_logits_go_through_a_sigmoid(tmp_path):
    path = write(tmp_path, "calm,happy\n1,0\n0,1\n")
    np.save(tmp_path / "p.npy", np.array([[4.0, -1000.0], [0.0, 1000.0]]))
    data = multilabel.read(path, pred_probs=tmp_path / "p.npy", sigmoid=True)
    np.testing.assert_allclose(data.pred_probs, [[0.98201379, 0], [0.5, 1]])


@pytest.mark.slow
def test_emotions(data, tmp_path):
    folder = data / "multilabel" / "emotions"
    arrays = np.load(folder / "labels.npz", allow_pickle=False)
    found = multilabel.read(folder / "emotions.arff", pred_probs=folder / "pred_probs.npy")
    np.testing.assert_array_equal(found.labels, arrays["true_labels"])
    assert found.classes == tuple(arrays["label_names"].tolist())
    original = (folder / "emotions.arff").read_bytes()
    assert exported(found, tmp_path / "out.arff") == original
    rows, columns = np.nonzero(arrays["true_labels"] != arrays["given_labels"])
    values = np.where(arrays["given_labels"][rows, columns], "present", "absent")
    after = exported(
        found, tmp_path / "out.arff", *zip(rows.tolist(), columns.tolist(), values, strict=True)
    )
    differ = np.frombuffer(after, np.uint8) != np.frombuffer(original, np.uint8)
    assert differ.sum() == len(rows) == 72
    again = multilabel.read(tmp_path / "out.arff", xml=folder / "emotions.xml")
    np.testing.assert_array_equal(again.labels, arrays["given_labels"])


@pytest.mark.slow
def test_audioset(data, tmp_path):
    """20,371 clips, 527 classes, names with commas: out as text, in again, corrected."""
    folder = data / "multilabel" / "audioset_eval"
    names = (folder / "classes.txt").read_text().splitlines()
    arrays = np.load(folder / "labels.npz", allow_pickle=False)
    offsets, members = arrays["given_offsets"], arrays["given_labels"]
    rows = np.split(members, offsets[1:-1])
    frame = pd.DataFrame({"labels": [";".join(names[c] for c in row) for row in rows]})
    frame.to_csv(tmp_path / "a.csv", index_label="clip")
    found = multilabel.read(tmp_path / "a.csv", classes=names)
    assert found.labels.shape == (20_371, 527)
    assert found.labels.sum() / len(found) == pytest.approx(2.543, abs=1e-3)
    for i in (0, 1000, 20_370):
        assert set(np.flatnonzero(found.labels[i])) == set(rows[i])
    verified = pd.read_csv(folder / "verified.csv")
    wrong = verified[verified["in_given"].astype(bool) & (verified["votes_of_5"] < 3)]
    wrong = wrong.drop_duplicates(["index", "label"])
    changes = [(int(i), int(c), "absent") for i, c in wrong[["index", "label"]].to_numpy()]
    exported(found, tmp_path / "out.csv", *changes)
    again = multilabel.read(tmp_path / "out.csv", classes=names)
    differ = np.argwhere(found.labels != again.labels)
    assert sorted(map(tuple, differ.tolist())) == sorted((i, c) for i, c, _ in changes)
