"""Multiclass datasets are read from every native format, with classes in the right order."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from goldlabel.errors import InputError
from goldlabel.formats.options import options_of, stored
from goldlabel.tasks.multiclass.formats import read

LABELS = ["dog", "cat", "cat", "owl"]


def write(path, frame):
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x.jsonl", "x.parquet"])
def test_tables(tmp_path, name):
    path = write(tmp_path / name, pd.DataFrame({"text": list("abcd"), "label": LABELS}))
    data = read(path)
    assert data.classes == ("cat", "dog", "owl")
    assert data.labels.tolist() == [1, 0, 0, 2]
    assert data.labels.dtype == np.int64
    assert data.frame["text"].tolist() == list("abcd")
    assert data.ids is None
    assert data.rows is None
    assert data.source.files == (path,)
    as_json = json.loads(json.dumps(stored(data.source.options)))
    again = replace(data.source, options=as_json)
    assert options_of(again, type(data.source.options)) == data.source.options
    assert "Column 'label' was taken for the labels." in data.notes
    assert len(data) == 4


def hugging_face(folder, labels, names=("neg", "pos")):
    folder.mkdir()
    features = {"label": {"names": list(names), "_type": "ClassLabel"}, "id": {"_type": "Value"}}
    schema = pa.schema(
        [("label", pa.int64()), ("id", pa.string())],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )
    with pa.ipc.new_stream(str(folder / "data.arrow"), schema) as writer:
        columns = [pa.array(labels, pa.int64()), [f"r{i}" for i in range(len(labels))]]
        writer.write_batch(pa.record_batch(columns, schema=schema))
    (folder / "state.json").write_text('{"_data_files": [{"filename": "data.arrow"}]}')
    return folder


def test_hugging_face_class_labels_keep_their_order(tmp_path):
    data = read(hugging_face(tmp_path / "set", [1, 0, 1], ["zebra", "ant", "unused"]))
    assert data.classes == ("zebra", "ant", "unused")
    assert data.labels.tolist() == [1, 0, 1]
    assert data.ids.tolist() == ["r0", "r1", "r2"]
    assert data.source.options.values == (0, 1, 2)


def test_class_labels_in_parquet_and_a_label_that_is_minus_one(tmp_path):
    folder = hugging_face(tmp_path / "set", [1, -1, 0])
    table = pa.ipc.open_stream(str(folder / "data.arrow")).read_all()
    pq.write_table(table, tmp_path / "x.parquet")
    for path in (folder, tmp_path / "x.parquet"):
        with pytest.raises(InputError, match="row 2: is missing; 1 of 3 labels are"):
            read(path)
        data = read(path, missing="drop")
        assert data.classes == ("neg", "pos")
        assert data.labels.tolist() == [1, 0]
        assert data.ids.tolist() == ["r0", "r2"]
    with pytest.raises(InputError, match="row 1: is 7, which is no class"):
        read(hugging_face(tmp_path / "bad", [7, 0]))


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["10", "9", "2", "10"], ("2", "9", "10")),
        (["1", "4", "2", "3"], ("1", "2", "3", "4")),
        (["0.0", "1.0", "0.0"], ("0.0", "1.0")),
        (["-1", "1"], ("-1", "1")),
        (["001", "010", "002"], ("001", "002", "010")),
        (["b", "B", "a"], ("B", "a", "b")),
        (["2", "10", "x"], ("10", "2", "x")),
        (["1_0", "9"], ("1_0", "9")),
        (["é", "z", "a"], ("a", "z", "é")),
        (["NA", "nan", "null"], ("NA", "nan", "null")),
    ],
)
def test_the_order_of_classes_in_text(tmp_path, labels, classes):
    path = tmp_path / "x.csv"
    path.write_text("label\n" + "\n".join(labels) + "\n", encoding="utf-8")
    data = read(path)
    assert data.classes == classes
    assert [data.classes[code] for code in data.labels] == labels


@pytest.mark.parametrize(
    ("values", "classes", "native"),
    [
        ([10, 2, 10], ("2", "10"), [2, 10]),
        ([True, False], ("false", "true"), [False, True]),
        ([1.0, 0.0], ("0", "1"), [0.0, 1.0]),
        ([0.5, 0.25], ("0.25", "0.5"), [0.25, 0.5]),
        (["b", "a"], ("a", "b"), ["a", "b"]),
        ([2**60 + 1, 2**60], (str(2**60), str(2**60 + 1)), [2**60, 2**60 + 1]),
    ],
)
def test_the_order_of_classes_of_other_types(tmp_path, values, classes, native):
    for name in ("x.jsonl", "x.parquet"):
        data = read(write(tmp_path / name, pd.DataFrame({"y": values})))
        assert data.classes == classes
        assert data.source.options.values == tuple(native)
        assert [native[code] for code in data.labels] == values


def test_categories_of_pandas_keep_their_order(tmp_path):
    column = pd.Categorical(["low", "high"], categories=["low", "mid", "high"], ordered=True)
    data = read(write(tmp_path / "x.parquet", pd.DataFrame({"label": column})))
    assert data.classes == ("low", "mid", "high")
    assert data.labels.tolist() == [0, 2]


def table(tmp_path, labels, **columns):
    frame = pd.DataFrame({**columns, "label": labels})
    return write(tmp_path / "x.csv", frame)


def array(tmp_path, n, k):
    path = tmp_path / "p.npy"
    np.save(path, np.full((n, k), 1 / k))
    return path


@pytest.mark.parametrize(
    ("labels", "k", "classes"),
    [
        (["0", "2"], 4, ("0", "1", "2", "3")),
        (["1", "2", "4"], 4, ("1", "2", "3", "4")),
        (["1", "2", "3", "4"], 4, ("1", "2", "3", "4")),
        (["10", "20", "30"], 3, ("10", "20", "30")),
        (["a", "b"], 2, ("a", "b")),
        (["0.0", "2.0"], 3, ("0.0", "1", "2.0")),
    ],
)
def test_classes_of_predictions_without_names(tmp_path, labels, k, classes):
    data = read(table(tmp_path, labels), pred_probs=array(tmp_path, len(labels), k))
    assert data.classes == classes
    assert [data.classes[code] for code in data.labels] == labels
    assert data.pred_probs.shape == (len(labels), k)


@pytest.mark.parametrize(
    ("labels", "k", "what"),
    [
        (["a", "b"], 3, r"has 2 classes \(a, b\), and pred_probs 3 columns"),
        (["a", "b", "c"], 2, "has 3 classes"),
        (["0", "5"], 4, "has 2 classes"),
        (["0", "1", "2"], 2, "has 3 classes"),
    ],
)
def test_classes_that_do_not_fit_the_columns(tmp_path, labels, k, what):
    with pytest.raises(InputError, match=what) as caught:
        read(table(tmp_path, labels), pred_probs=array(tmp_path, len(labels), k))
    assert "classes=" in caught.value.fix


def test_given_classes_name_columns_and_absent_classes(tmp_path):
    path, probs = table(tmp_path, ["b", "a"]), array(tmp_path, 2, 3)
    data = read(path, pred_probs=probs, classes=["c", "b", "a"])
    assert data.classes == ("c", "b", "a")
    assert data.labels.tolist() == [1, 2]
    with pytest.raises(InputError, match="has 2 names, and pred_probs 3 columns"):
        read(path, pred_probs=probs, classes=["b", "a"])
    with pytest.raises(
        InputError, match=r"row 2: is 'a', not one of the given classes \(c, b, x\)"
    ):
        read(path, pred_probs=probs, classes=["c", "b", "x"])
    with pytest.raises(InputError, match="names class 'b' twice"):
        read(path, classes=["b", "b", "a"])
    with pytest.raises(InputError, match="Pass a list of names"):
        read(path, classes="ba")


@pytest.mark.parametrize(
    ("labels", "index"),
    [(["0", "2", "1"], [0, 2, 1]), (["1", "3", "2"], [0, 2, 1]), (["0", "1", "1"], [0, 1, 1])],
)
def test_given_classes_name_numbers_from_0_or_1(tmp_path, labels, index):
    data = read(table(tmp_path, labels), classes=["x", "y", "z"])
    assert data.classes == ("x", "y", "z")
    assert data.labels.tolist() == index
    assert any("is class 'x'" in note for note in data.notes)
    assert [data.source.options.values[i] for i in index] == labels


def test_numbers_too_high_for_the_given_classes(tmp_path):
    with pytest.raises(InputError, match=r"holds the numbers 0 \.\. 4, and .* name 3 classes"):
        read(table(tmp_path, ["0", "4"]), classes=["x", "y", "z"])


def predictions(tmp_path, **columns):
    path = tmp_path / "p.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_columns_of_predictions_name_the_classes(tmp_path):
    path = table(tmp_path, ["b", "a"])
    data = read(path, pred_probs=predictions(tmp_path, p_c=[0, 0], p_b=[1, 0.5], p_a=[0, 0.5]))
    assert data.classes == ("c", "b", "a")
    assert data.labels.tolist() == [1, 2]
    assert data.source.inputs == (tmp_path / "p.csv",)
    with pytest.raises(
        InputError, match="row 1: is 'b', not one of the columns of pred_probs"
    ) as e:
        read(path, pred_probs=predictions(tmp_path, a=[0.5, 0.5], c=[0.5, 0.5]))
    assert "1 labels are not" in e.value.what
    with pytest.raises(InputError, match="has no column for class 'x'"):
        read(path, pred_probs=tmp_path / "p.csv", classes=["a", "x"])
    with pytest.raises(InputError, match="classes: and the columns of pred_probs differ in 'a'"):
        read(path, pred_probs=tmp_path / "p.csv", classes=["x", "y"])


def test_predictions_are_matched_by_id(tmp_path):
    path = table(tmp_path, ["b", "a", "b"], id=["x", "y", "z"])
    probs = predictions(tmp_path, id=["z", "x", "y"], a=[0.1, 0.2, 0.3], b=[0.9, 0.8, 0.7])
    data = read(path, pred_probs=probs)
    np.testing.assert_array_equal(data.pred_probs, [[0.2, 0.8], [0.3, 0.7], [0.1, 0.9]])
    assert "Column 'id' was taken for the ids." in data.notes
    probs = predictions(tmp_path, id=["z", "x"], a=[0.1, 0.2], b=[0.9, 0.8])
    with pytest.raises(InputError, match="lacks id 'y'; 1 of 3 examples have no predictions"):
        read(path, pred_probs=probs)


@pytest.mark.parametrize(("rows", "hint"), [(2, "header"), (4, "header"), (9, "Predict each row")])
def test_other_lengths_are_an_error_with_both(tmp_path, rows, hint):
    path = table(tmp_path, ["b", "a", "b"])
    with pytest.raises(InputError, match=f"has {rows} rows, and .*has 3 labels") as caught:
        read(path, pred_probs=array(tmp_path, rows, 2))
    assert hint in caught.value.fix


def test_transposed_predictions_are_recognised(tmp_path):
    path = table(tmp_path, ["b", "a", "b", "a", "b"])
    with pytest.raises(InputError, match="Transpose pred_probs"):
        read(path, pred_probs=array(tmp_path, 2, 5))


def test_rows_without_a_label(tmp_path):
    path = table(tmp_path, ["b", "", "a", "  ", "b"], id=list("vwxyz"))
    with pytest.raises(InputError, match="column 'label', row 2: is missing; 2 of 5 labels"):
        read(path)
    data = read(path, missing="drop", pred_probs=array(tmp_path, 3, 2))
    assert data.labels.tolist() == [1, 0, 1]
    assert data.rows.tolist() == [0, 2, 4]
    assert data.ids.tolist() == ["v", "x", "z"]
    assert data.frame["id"].tolist() == ["v", "x", "z"]
    assert "2 rows without a label were left out." in data.notes
    np.save(tmp_path / "q.npy", np.arange(10.0).reshape(5, 2))
    data = read(path, missing="drop", pred_probs=tmp_path / "q.npy")
    np.testing.assert_array_equal(data.pred_probs, [[0, 1], [4, 5], [8, 9]])
    with pytest.raises(InputError, match="missing: is 'skip'"):
        read(path, missing="skip")
    with pytest.raises(InputError, match="is missing; 2 of 2 labels are"):
        read(write(tmp_path / "y.jsonl", pd.DataFrame({"label": [None, ""]})), missing="drop")


@pytest.mark.parametrize(
    ("columns", "chosen"),
    [
        (["text", "label"], "label"),
        (["text", "Category"], "Category"),
        (["x1", "x2", "y"], "y"),
        (["anything"], "anything"),
    ],
)
def test_the_label_column_is_guessed(tmp_path, columns, chosen):
    frame = pd.DataFrame([["a"] * len(columns), ["b"] * len(columns)], columns=columns)
    data = read(write(tmp_path / "x.csv", frame))
    assert data.source.options.label == chosen
    assert f"Column {chosen!r} was taken for the labels." in data.notes


@pytest.mark.parametrize(
    ("columns", "options", "what"),
    [
        (["a", "b"], {}, "no column is surely the labels: it has a, b"),
        (["label", "y"], {}, "2 columns could be the labels: it has label, y"),
        (["label", "b"], {"label": "Label"}, "has no column 'Label', only label, b"),
        (["label", "b"], {"id": "key"}, "has no column 'key', only label, b"),
        (["label", "b"], {"id": "b"}, "column 'b', row 2: is 'v' again; 1 rows repeat an id"),
    ],
)
def test_columns_that_are_not_there(tmp_path, columns, options, what):
    frame = pd.DataFrame([["v"] * len(columns), ["v"] * len(columns)], columns=columns)
    with pytest.raises(InputError, match=what):
        read(write(tmp_path / "x.csv", frame), **options)


def test_ids(tmp_path):
    path = table(tmp_path, ["a", "b"], id=["x", ""])
    with pytest.raises(InputError, match="column 'id', row 2: is missing; 1 ids are"):
        read(path, id="id")
    data = read(path)
    assert data.ids is None
    assert any("it was not used as id" in note for note in data.notes)
    data = read(write(tmp_path / "x.parquet", pd.DataFrame({"id": [7, 3], "label": ["a", "b"]})))
    assert data.ids.tolist() == [7, 3]
    assert data.ids.dtype == np.int64


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([{"label": "a"}, {"label": [["b"]]}], r"row 2: is \[\['b'\]\], which is no class"),
        ([{"label": "a"}, {"label": 1}], "row 1: is the text 'a', and other labels are numbers"),
        ([{"label": 1}, {"label": float("inf")}], "row 2: is inf, which is no class"),
        ([{"label": {"x": 1}}], "which is no class"),
    ],
)
def test_values_that_are_no_classes(tmp_path, rows, what):
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    with pytest.raises(InputError, match=what):
        read(path)


def test_half_a_character_in_a_text_does_not_matter(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "\\ud83d", "label": "a"}\n{"text": "x", "label": "b"}\n')
    assert read(path).frame["text"].tolist() == ["\ufffd", "x"]


def test_a_column_of_too_many_values_is_no_column_of_classes(tmp_path):
    path = table(tmp_path, [f"text {i}" for i in range(60)])
    with pytest.raises(
        InputError, match="has 60 different values in 60 rows, too many for classes"
    ):
        read(path)


def test_classes_written_in_several_ways_are_noted(tmp_path):
    data = read(table(tmp_path, ["Cat", "cat ", "dog", "cat"]))
    assert len(data.classes) == 4
    assert any("differ only in how they are written" in note for note in data.notes)
    assert any("'Cat' and 'cat ' and 'cat'" in note for note in data.notes)
    data = read(table(tmp_path, ["1", "01", "2"]))
    assert any("'1' and '01'" in note for note in data.notes)


def images(root, names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root


def test_image_folders(tmp_path):
    root = images(
        tmp_path / "pets",
        [
            "dog/b.jpg",
            "cat/z.PNG",
            "cat/a/y.jpeg",
            "cat/a.webp",
            "dog/notes.txt",
            "dog/.hidden.png",
            ".git/x.png",
            "README.md",
            "dog/10/c.gif",
        ],
    )
    data = read(root)
    assert data.classes == ("cat", "dog")
    assert data.ids.tolist() == [
        "cat/a.webp",
        "cat/z.PNG",
        "cat/a/y.jpeg",
        "dog/b.jpg",
        "dog/10/c.gif",
    ]
    assert data.labels.tolist() == [0, 0, 0, 1, 1]
    assert data.frame is None
    assert data.source.format == "image_folder"
    assert data.notes[:2] == (
        "Read pets as an image folder: 5 images, 2 classes.",
        "Files that are no images were left out: 1 .md, 1 .txt.",
    )
    data = read(root, pred_probs=array(tmp_path, 5, 2))
    assert data.pred_probs.shape == (5, 2)
    data = read(root, classes=["dog", "cat", "owl"])
    assert data.labels.tolist() == [1, 1, 1, 0, 0]


def test_image_folders_with_numbers_for_classes(tmp_path):
    root = images(tmp_path / "set", ["10/a.png", "2/a.png", "9/a.png"])
    assert read(root).classes == ("2", "9", "10")


def test_predictions_are_matched_with_images_by_path(tmp_path):
    root = images(tmp_path / "set", ["cat/a.png", "dog/b.png"])
    probs = predictions(tmp_path, id=["dog/b.png", "cat/a.png"], cat=[0.1, 0.9], dog=[0.9, 0.1])
    np.testing.assert_array_equal(read(root, pred_probs=probs).pred_probs, [[0.9, 0.1], [0.1, 0.9]])


@pytest.mark.parametrize(
    ("names", "what"),
    [
        ([], "does not exist"),
        (["cat/a.txt"], "has no images in class folders"),
        (["cat/a.png", "b.png"], "is in no class folder; 1 of 2 images are in none"),
    ],
)
def test_bad_image_folders(tmp_path, names, what):
    with pytest.raises(InputError, match=what):
        read(images(tmp_path / "set", names))


def test_links_that_leave_an_image_folder_are_refused(tmp_path):
    root = images(tmp_path / "set", ["cat/a.png", "dog/b.png"])
    (root / "dog" / "c.png").symlink_to(root / "cat" / "a.png")
    assert len(read(root)) == 3
    for target in (tmp_path / "outside.png", tmp_path):
        images(tmp_path, ["outside.png"])
        link = root / "cat" / "link.png"
        link.symlink_to(target)
        with pytest.raises(InputError, match="is a link to a folder or out of this one"):
            read(root)
        link.unlink()
    (root / "loop").symlink_to(root, target_is_directory=True)
    with pytest.raises(InputError, match="is a link to a folder"):
        read(root)


def test_pipes_and_names_that_are_no_text_are_refused(tmp_path):
    root = images(tmp_path / "set", ["cat/a.png"])
    os.mkfifo(root / "cat" / "b.png")
    with pytest.raises(InputError, match="is no regular file"):
        read(root)
    (root / "cat" / "b.png").unlink()
    with open(os.fsencode(root / "cat") + b"/\xff.png", "wb"):
        pass
    with pytest.raises(InputError, match="has a name that is not UTF-8 text"):
        read(root)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"format": "coco"}, "is 'coco', not one of csv, tsv, jsonl, parquet, huggingface, image"),
        ({"format": "image_folder"}, "does not exist"),
        ({"label": "x"}, "does not exist"),
    ],
)
def test_paths_and_formats_that_do_not_fit(tmp_path, options, what):
    with pytest.raises(InputError, match=what):
        read(tmp_path / "missing", **options)


def test_columns_of_an_image_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="is an image folder, without columns"):
        read(images(tmp_path / "set", ["cat/a.png"]), label="label")
    with pytest.raises(InputError, match="is a folder, and csv is a file"):
        read(tmp_path / "set", format="csv")


def test_ag_news(data):
    folder = data / "multiclass" / "ag_news"
    names = (folder / "classes.txt").read_text().split()
    probs = folder / "pred_probs_test_cv5.npy"
    news = read(folder / "test.csv.gz", label="0", pred_probs=probs, classes=names)
    assert news.classes == ("World", "Sports", "Business", "Sci/Tech")
    assert np.bincount(news.labels).tolist() == [1900] * 4
    accuracy = (news.pred_probs.argmax(axis=1) == news.labels).mean()
    assert round(accuracy, 4) == 0.8807  # as the dataset's README says
    assert news.source.options.values == ("1", "2", "3", "4")
    sample = read(
        folder / "train_sample5000.csv.gz", pred_probs=folder / "pred_probs_train_sample_cv5.npy"
    )
    assert sample.classes == ("0.0", "1.0", "2.0", "3.0")
    assert (sample.pred_probs.argmax(axis=1) == sample.labels).mean() == 0.8888


def test_banking77(data):
    banking = read(data / "multiclass" / "banking77" / "train.csv")
    assert len(banking) == 10_003
    categories = json.loads((data / "multiclass" / "banking77" / "categories.json").read_text())
    assert list(banking.classes) == sorted(categories)


def test_cifar10_from_a_csv_and_an_array(data, tmp_path):
    folder = data / "multiclass" / "cifar10_test"
    given = np.load(folder / "given_labels.npy")
    names = (folder / "classes.txt").read_text().split()
    frame = pd.DataFrame({"image": np.arange(len(given)), "label": np.array(names)[given]})
    frame.to_csv(tmp_path / "x.csv", index=False)
    cifar = read(tmp_path / "x.csv", pred_probs=folder / "pred_probs.npy", classes=names)
    np.testing.assert_array_equal(cifar.labels, given)
    assert (cifar.pred_probs.argmax(axis=1) == cifar.labels).mean() == 0.9294
