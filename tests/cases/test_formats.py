"""Files that look like others: read right, or refused in words that say what they are."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from goldlabel.cli import main
from goldlabel.errors import InputError
from goldlabel.tasks import detection, multiclass, multilabel, regression, segmentation


def test_multi_hot_in_csv_text(case):
    folder = case("multi-hot-in-csv-text")
    audit = multilabel.audit(folder / "messages.csv", pred_probs=folder / "probs.csv")
    assert "Column 'labels' holds a 1 or 0 for each of 4 classes." in audit.notes
    assert audit.summary["labels_per_example"] == pytest.approx(80 / 60)
    assert audit.issues.ranked().tolist() == [4]
    corrections = pd.DataFrame({"example": [4], "part": [1], "suggested": ["present"]})
    multilabel.export(audit.source, corrections, folder / "new.csv")
    old, new = ((folder / name).read_bytes() for name in ("messages.csv", "new.csv"))
    assert len(old) == len(new)
    assert [(a, b) for a, b in zip(old, new, strict=True) if a != b] == [(ord("0"), ord("1"))]


@pytest.mark.parametrize(
    "write",
    [
        lambda row: str([int(value) for value in row]),
        lambda row: "[" + " ".join(str(value) for value in row) + "]",
        lambda row: str([bool(value) for value in row]),
        lambda row: str([float(value) for value in row]),
        lambda row: " ".join(str(value) for value in row),
        lambda row: "|".join(str(value) for value in row),
        lambda row: "(" + "; ".join(str(value) for value in row) + ")",
    ],
)
def test_zeros_and_ones_in_a_text(tmp_path, write):
    rows = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0], [1, 1, 1]])
    texts = [write(row.tolist()) for row in rows]
    pd.DataFrame({"t": list("abcd"), "labels": texts}).to_csv(tmp_path / "x.csv", index=False)
    data = multilabel.read(tmp_path / "x.csv")
    assert data.labels.tolist() == rows.tolist()
    corrections = pd.DataFrame({"example": [1], "part": [0], "suggested": ["present"]})
    multilabel.export(data.source, corrections, tmp_path / "new.csv")
    again = multilabel.read(tmp_path / "new.csv")
    assert again.labels.tolist() == [[1, 0, 0], [1, 1, 1], [0, 0, 0], [1, 1, 1]]
    assert sorted(set(texts)) == sorted({write([1, 0, 0]), *texts})


def test_classes_that_are_called_by_numbers_stay_lists(tmp_path):
    (tmp_path / "x.csv").write_text('t,labels\na,"[0, 1]"\nb,"[1]"\nc,"[]"\nd,"[0]"\n')
    assert multilabel.read(tmp_path / "x.csv").labels.tolist() == [[1, 1], [0, 1], [0, 0], [1, 0]]


@pytest.mark.parametrize("name", ["zero-first", "one-first"])
def test_sparse_arff_first_value(case, name):
    folder = case("sparse-arff-first-value")
    path = folder / f"{name}.arff"
    data = multilabel.read(path, labels=["wet", "cold"], pred_probs=folder / "probs.npy")
    assert data.labels.sum(axis=0).tolist() == [14, 18]
    wanted = data.labels.copy()
    rows = [int(np.flatnonzero(data.labels[:, 0] == value)[0]) for value in (1, 0)]
    wanted[rows, 0] = 1 - wanted[rows, 0]
    corrections = pd.DataFrame(
        {"example": rows, "part": [0, 0], "suggested": ["absent", "present"]}
    )
    multilabel.export(data.source, corrections, folder / "new.arff")
    again = multilabel.read(folder / "new.arff", labels=["wet", "cold"])
    assert again.labels.tolist() == wanted.tolist()


def test_cvat_for_images_is_named(case):
    folder = case("cvat-for-images")
    with pytest.raises(InputError, match=r"is the XML of CVAT for images.*COCO"):
        detection.audit(folder / "annotations.xml", predictions=folder / "predictions.csv")


def test_labelme_folder_is_named(case):
    folder = case("labelme-folder")
    with pytest.raises(InputError, match=r"is a folder of LabelMe's JSON.*COCO"):
        detection.audit(folder / "annotations", predictions=folder / "predictions.csv")
    file = sorted((folder / "annotations").glob("*.json"))[0]
    with pytest.raises(InputError, match="is a file of LabelMe"):
        detection.audit(file, predictions=folder / "predictions.csv")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("label-studio.json", "is an export of Label Studio"),
        ("label-studio-min.json", "is an export of Label Studio"),
    ],
)
def test_single_choice_exports_are_named(case, name, what):
    folder = case("single-choice-exports")
    with pytest.raises(InputError, match=what):
        multiclass.audit(folder / name, pred_probs=folder / "probs.npy")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b'<?xml version="1.0"?><annotations><version>1.1</version><track id="0">', "CVAT for vid"),
        (b"<annotation><filename>a.jpg</filename><object><name>x</name>", "Pascal VOC, of one im"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (b'{"_via_settings": {}, "_via_img_metadata": {}}', "a project of VIA"),
        (b'{"images": [{"id": 1, "file_name": "a"}], "annotations": []}', "a COCO file"),
        (b'[{"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "score": 1}]', "COCO results"),
        (b'[{"id": 1, "annotations": [], "data": {"text": "x"}}]', "an export of Label Studio"),
        (b"%PDF-1.4 x", "a PDF"),
        (b"\x89PNG\r\n\x1a\n00000000", "a picture"),
        (b"\x80\x04\x95\x00\x00", "a pickle"),
    ],
)
def test_files_of_other_kinds_are_named(tmp_path, content, what):
    (tmp_path / "x.csv").write_bytes(content)
    for read in (multiclass.read, regression.read):
        with pytest.raises(InputError) as caught:
            read(tmp_path / "x.csv", label="y")
        assert f"is {what}" in caught.value.what or what in caught.value.what


def test_csv_header_one_short(case):
    folder = case("csv-header-one-short")
    audit = regression.audit(folder / "flats.csv", label="price", features="area,rooms")
    assert audit.issues.ranked().tolist() == [11]
    assert audit.issues.scores.shape == (60,)
    assert "names 3 of 4 columns: the first holds row names" in audit.notes[0]
    corrections = pd.DataFrame({"example": [11], "suggested": [405912.0]})
    regression.export(audit.source, corrections, folder / "new.csv")
    old, new = ((folder / name).read_text().splitlines() for name in ("flats.csv", "new.csv"))
    changed = [at for at in range(len(old)) if old[at] != new[at]]
    assert changed == [12]
    assert new[12].startswith(old[12].rpartition(",")[0] + ",")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ('"x","y"\n"1",5,a\n"2",6,b\n"3",7,a\n', ["a", "b", "a"]),  # R
        ('"x","y"\n"Mazda RX4",5,a\n"Datsun 710",6,b\n"Valiant",7,a\n', ["a", "b", "a"]),
        ("x\ty\nr1\t5\ta\nr2\t6\tb\nr3\t7\ta\n", ["a", "b", "a"]),
        ("x y\n1 5 a\n", None),  # one column
        ("x,y\n5,a,\n6,b,\n7,a,\n", ["a", "b", "a"]),  # rows that end in a delimiter
        ("x,y\n5,a,\n6,b,remark\n7,a,\n", ["a", "b", "a"]),  # a remark in some rows
        ("x,y\n1,5,a\n2,6,\n3,7,a\n", ["a", "", "a"]),  # row names, and a label missing
    ],
)
def test_headers_with_a_name_too_few(tmp_path, text, label):
    from goldlabel.formats.tables import read_table

    (tmp_path / "x.csv").write_text(text)
    frame = read_table(tmp_path / "x.csv").frame
    if label is not None:
        assert frame["y"].tolist() == label
        assert frame["x"].tolist() == ["5", "6", "7"]


@pytest.mark.parametrize("text", ["x,y\na,5,a\na,6,b\n", "x\na,5,a\nb,6,b\n"])
def test_headers_that_could_mean_either_are_refused(tmp_path, text):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(InputError, match="header: names"):
        multiclass.read(tmp_path / "x.csv", label="x")


def test_csv_blank_column_names(case):
    folder = case("csv-blank-column-names")
    probs = folder / "probs.npy"
    audit = multiclass.audit(folder / "messages.csv", label="v1", pred_probs=probs)
    assert audit.issues.classes == ("ham", "spam")
    assert np.bincount(audit.issues.given).tolist() == [32, 28]
    assert sorted(audit.issues.ranked()) == [7, 31]
    assert "columns 3, 4, 5 have no name" in audit.notes[0]
    corrections = pd.DataFrame({"example": [7], "suggested": ["spam"]})
    multiclass.export(audit.source, corrections, folder / "new.csv")
    old, new = ((folder / name).read_text().splitlines() for name in ("messages.csv", "new.csv"))
    assert [at for at in range(len(old)) if old[at] != new[at]] == [8]
    assert new[8] == old[8].replace("ham", "spam", 1)


def test_a_column_that_is_asked_for_must_be_one(tmp_path):
    (tmp_path / "x.csv").write_text("y,a,y\nu,1,v\nv,2,u\n")
    with pytest.raises(InputError, match=r"has no column 'y', only y \(1\), a, y \(3\)"):
        multiclass.read(tmp_path / "x.csv", label="y")
    assert multiclass.read(tmp_path / "x.csv", label="y (3)").labels.tolist() == [1, 0]


def test_a_row_is_no_header_that_names_columns_twice(tmp_path):
    (tmp_path / "x.csv").write_text("yes,no,yes\nno,no,no\nyes,yes,yes\n")
    with pytest.raises(InputError, match="which is a value of theirs"):
        multilabel.read(tmp_path / "x.csv")


def test_numbers_are_classes_by_the_names_beside_them(tmp_path):
    rows = [(2, "ant"), (0, "cat"), (1, "bee"), (2, "ant")]
    frame = pd.DataFrame(rows, columns=["label", "kind"])
    frame.to_csv(tmp_path / "x.csv", index=False)
    probs = pd.DataFrame(np.full((4, 3), 1 / 3), columns=["ant", "bee", "cat"])
    probs.to_csv(tmp_path / "probs.csv", index=False)
    data = multiclass.read(tmp_path / "x.csv", label="label", pred_probs=tmp_path / "probs.csv")
    assert [data.classes[code] for code in data.labels] == frame["kind"].tolist()
    assert any("Column 'kind' names the numbers of 'label'" in note for note in data.notes)
    corrections = pd.DataFrame({"example": [0], "suggested": ["bee"]})
    multiclass.export(data.source, corrections, tmp_path / "new.csv")
    assert (tmp_path / "new.csv").read_text().splitlines()[1] == "1,ant"


def test_texts_are_no_classes(tmp_path):
    pd.DataFrame({"y": [f"text{at}" for at in range(30)]}).to_csv(tmp_path / "x.csv", index=False)
    for read in (multiclass.read, multilabel.read):
        with pytest.raises(InputError, match=r"30 different values .*, too many for classes"):
            read(tmp_path / "x.csv")


def test_where_nothing_is_labelled_nothing_is_healthy(tmp_path):
    np.save(tmp_path / "y.npy", np.zeros((20, 3), dtype=int))
    np.save(tmp_path / "p.npy", np.full((20, 3), 0.1))
    with pytest.raises(InputError, match="gives no class to any of 20 examples"):
        multilabel.audit(tmp_path / "y.npy", pred_probs=tmp_path / "p.npy")


def test_masks_0_and_255(case):
    folder = case("masks-0-and-255")
    audit = segmentation.audit(folder / "masks", pred_probs=folder / "probs.npy")
    assert "Masks hold 0 and 255: the first class and the second." in audit.notes
    assert audit.issues.ids[audit.issues.ranked()].tolist() == ["cell03"]
    assert "184 pixels" in audit.issues.to_frame("part")["reason"][0]
    corrections = pd.DataFrame(
        {"example": [int(audit.issues.ranked()[0])], "part": [0], "suggested": ["1"]}
    )
    segmentation.export(audit.source, corrections, folder / "new")
    from PIL import Image

    with Image.open(folder / "new" / "cell03.png") as image:
        assert np.unique(np.asarray(image)).tolist() == [0, 255]


def test_a_class_without_a_pixel_is_told(case):
    folder = case("masks-0-and-255")
    audit = segmentation.audit(folder / "masks", pred_probs=folder / "probs.npy", ignore=["255"])
    assert any("No pixel is labelled 1" in text for text in audit.warnings)


def test_the_advice_on_values_of_masks_is_one_that_helps(tmp_path):
    masks = np.zeros((3, 4, 4), np.uint8)
    masks[:, :2] = 7
    np.save(tmp_path / "masks.npy", masks)
    np.save(tmp_path / "probs.npy", np.full((3, 3, 4, 4), 1 / 3))
    with pytest.raises(InputError, match=r"has the value 7.*table, as --palette"):
        segmentation.audit(tmp_path / "masks.npy", pred_probs=tmp_path / "probs.npy")


def test_from_the_command_line(case, capsys):
    folder = case("csv-blank-column-names")
    words = ["audit", "multiclass", str(folder / "messages.csv"), "--label", "v1"]
    words += ["--pred-probs", str(folder / "probs.npy"), "--out", str(folder / "audit")]
    assert main(words) == 0
    summary = json.loads((folder / "audit" / "summary.json").read_text())
    assert summary["source"]["options"]["label"] == "v1"
    shutil.rmtree(folder / "audit")
