"""An export writes label files only, where they belong, and never outside of its folder."""

from __future__ import annotations

import csv
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from goldlabel import InputError
from goldlabel.cli import main
from goldlabel.tasks import detection

LINE = "0 0.500000 0.500000 0.200000 0.400000\n"
XML = (
    "<annotation><filename>{name}</filename><size><width>100</width><height>50</height></size>\n"
    "<object><name>0</name><bndbox><xmin>41</xmin><ymin>16</ymin><xmax>60</xmax><ymax>35</ymax>"
    "</bndbox></object>\n</annotation>\n"
)
HOSTILE = [
    "../victim.txt", "../victim", "../../victim.jpg", "a/../../victim.txt", "/{}/victim.txt",
    "..\\victim.txt", "a\\..\\..\\victim.txt", "C:\\victim.txt", "C:victim.txt", "C:/victim.txt",
    "\\victim.txt", "\\\\host\\share\\victim.txt", "//{}/victim.txt", "vic\x1b[31mtim", "vic\ntim",
]  # fmt: skip


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (100, 50), (90, 120, 40)).save(path, "PNG")  # whatever its ending


def found(path, names, *, shares=False):
    """Write predictions: the box of each label, of these images."""
    columns = ["file", "label", "x1", "y1", "x2", "y2", "score"]
    box = [40, 15, 60, 35]
    if shares:
        columns = ["ImageID", "LabelName", "XMin", "YMin", "XMax", "YMax", "Confidence"]
        box = [0.4, 0.3, 0.6, 0.7]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([name, "0", *box, 0.99] for name in names)
    return path


def contents(folder):
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def added(source, images=(-1,)):
    """Return corrections that add a box to images."""
    n = len(source.options["images"])
    box = {"x1": 0.4, "y1": 0.3, "x2": 0.6, "y2": 0.7}
    row = {"part": 0, "action": "add", "suggested": source.options["classes"][0], **box}
    return pd.DataFrame([{"example": at % n, **row} for at in images])


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a folder in one with a file that is not to be touched."""
    inner = tmp_path / "work"
    inner.mkdir()
    for name in ("victim", "victim.txt", "victim.xml", "victim.jpg"):
        (tmp_path / name).write_text("precious")
    monkeypatch.chdir(inner)
    yield inner
    left = {name for name in os.listdir(tmp_path) if not name.startswith("work")}
    assert left == {"victim", "victim.txt", "victim.xml", "victim.jpg"}
    assert all((tmp_path / name).read_text() == "precious" for name in left)


def yolo(folder, files):
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(LINE)
    return folder


def voc(folder, files):
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(XML.format(name=Path(name).with_suffix(".jpg").name))
    return folder


@pytest.mark.parametrize("make", [yolo, voc])
@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_predictions_that_lead_out(place, capsys, make, name):
    extension = ".txt" if make is yolo else ".xml"
    make(place / "labels", [f"a{extension}", f"b{extension}"])
    picture(place / "images" / "a.png")
    name = name.format(str(place).strip("/"))
    found(place / "found.csv", ["a", "b", name], shares=make is yolo)
    words = ["--predictions", "found.csv", "--images", "images", "--out", "audit", "--quiet"]
    assert main(["audit", "detection", "labels", *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("goldlabel: found.csv: names ")
    assert not (place / "audit").exists()


def test_a_picture_that_is_there_says_where_its_label_file_lies(place):
    yolo(place / "labels", ["a.txt"])
    for name in ("a", "b"):
        picture(place / "images" / f"{name}.jpg")
    found(place / "found.csv", ["/elsewhere/images/a.jpg", "/elsewhere/images/b.jpg"])
    audit = detection.audit("labels", predictions=Path("found.csv"))
    detection.export(audit.source, added(audit.source), "out")
    assert set(contents("out")) == {"a.txt", "b.txt"}


@pytest.mark.parametrize("make", [yolo, voc])
@pytest.mark.parametrize("name", [*HOSTILE, "a.jpg", "classes.txt", "data.yaml", "x.py", ".x.txt"])
@pytest.mark.parametrize("option", ["new_files", "files"])
def test_names_of_a_summary_that_somebody_has_changed(place, make, name, option):
    extension = ".txt" if make is yolo else ".xml"
    make(place / "labels", [f"a{extension}"])
    for each in ("labels/classes.txt", "labels/data.yaml", "labels/x.py"):
        (place / each).write_text("0\n" if each.endswith("txt") else "names: ['0']\n")
    for each in "ab":
        picture(place / "labels" / f"{each}.jpg")
    source = detection.read("labels", images="labels").source
    assert source.options["new_files"] == [f"b{extension}"]
    name = name.format(str(place).strip("/"))
    changed = replace(source, options={**source.options, option: [name]})
    before = contents(place)
    with pytest.raises(InputError):
        detection.export(changed, added(source, (0, 1)), "out")
    assert contents(place) == before


@pytest.mark.parametrize("changes", [{"new_files": []}, {"images": ["a"]}])
def test_a_summary_without_label_files_to_make(place, changes):
    yolo(place / "labels", ["a.txt"])
    picture(place / "images" / "b.jpg")
    source = detection.read("labels", images="images").source
    options = {**source.options, **changes}
    with pytest.raises(InputError, match="Audit it again"):
        detection.export(replace(source, options=options), added(source, (1,)), "out")
    assert not Path("out").exists()


def test_the_command_with_a_changed_summary(place, capsys):
    yolo(place / "labels", ["a.txt", "c.txt"])
    for name in "abc":
        picture(place / "images" / f"{name}.jpg")
    found(place / "found.csv", "abc")
    words = ["--predictions", "found.csv", "--images", "images", "--out", "audit", "--quiet"]
    assert main(["audit", "detection", "labels", *words]) == 0
    summary = json.loads(Path("audit/summary.json").read_text())
    for name in ("../victim.txt", "../../victim.txt", str(place.parent / "victim.txt")):
        for option in ("new_files", "images", "files"):
            options = {**summary["source"]["options"]}
            options[option] = [name] * len(options[option])
            text = json.dumps({**summary, "source": {**summary["source"], "options": options}})
            Path("audit/summary.json").write_text(text)
            code = main(["export", "audit", "--out", "out", "--auto", "--min-confidence", "0"])
            assert code == (0 if option == "images" else 2), capsys.readouterr().err
            shutil.rmtree("out", ignore_errors=True)
            Path("out.changes.csv").unlink(missing_ok=True)


LAYOUTS = {
    # folder of labels: label files, pictures, folder of pictures -> what is made
    "flat": ("d", ["a.txt"], ["a.jpg", "b.jpg"], "d", "b.txt"),
    "upper case": ("d", ["a.txt"], ["a.JPG", "b.JPG"], "d", "b.txt"),
    "another picture": ("d", ["a.txt"], ["a.jpeg", "b.tiff"], "d", "b.txt"),
    "dots": ("d", ["a.v1.txt"], ["a.v1.png", "b.v1.png"], "d", "b.v1.txt"),
    "both endings": ("d", ["a.jpeg.txt"], ["a.jpeg", "b.jpeg"], "d", "b.jpeg.txt"),
    "flat and deep": ("d", ["s/a.txt"], ["s/a.jpg", "t/b.jpg"], "d", "t/b.txt"),
    "root": (
        "d", ["labels/train/a.txt"], ["images/train/a.jpg", "images/train/b.jpg"], "d",
        "labels/train/b.txt",
    ),
    "root, pictures named": (
        "d", ["labels/train/a.txt"], ["images/train/a.jpg", "images/val/b.jpg"], "d/images",
        "labels/val/b.txt",
    ),
    "labels": (
        "d/labels", ["train/a.txt"], ["../images/train/a.jpg", "../images/val/b.jpg"], "d/images",
        "val/b.txt",
    ),
    "a split": (
        "d/labels/train", ["a.txt"], ["../../images/train/a.jpg", "../../images/train/b.jpg"],
        "d/images/train", "b.txt",
    ),
    "split first": (
        "d", ["train/labels/a.txt"], ["train/images/a.jpg", "valid/images/b.jpg"], "d",
        "valid/labels/b.txt",
    ),
    "other names": (
        "d/txt", ["train/a.txt", "val/c.txt"],
        ["../pics/train/a.jpg", "../pics/val/b.jpg", "../pics/val/c.jpg"], "d/pics", "val/b.txt",
    ),
    "other names, root": ("d", ["txt/a.txt"], ["pics/a.jpg", "pics/b.jpg"], "d", "txt/b.txt"),
    "other names, splits": (
        "d", ["txt/s/a.txt", "txt/t/c.txt"], ["pics/s/a.jpg", "pics/t/b.jpg", "pics/t/c.jpg"], "d",
        "txt/t/b.txt",
    ),
    "voc": ("d/Annotations", ["a.xml"], ["../JPEGImages/a.jpg", "../JPEGImages/b.JPG"],
            "d/JPEGImages", "b.xml"),
    "voc, root": ("d", ["Annotations/a.xml"], ["JPEGImages/a.jpg", "JPEGImages/b.jpg"], "d",
                  "Annotations/b.xml"),
    "voc, small": ("d", ["annotations/a.xml"], ["images/a.jpg", "images/b.jpg"], "d",
                   "annotations/b.xml"),
}  # fmt: skip


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_a_new_label_file_lies_where_the_layout_has_it(place, layout):
    folder, files, pictures, images, new = LAYOUTS[layout]
    make = voc if files[0].endswith(".xml") else yolo
    make(place / folder, files)
    for name in pictures:
        picture(Path(os.path.normpath(place / folder / name)))
    source = detection.read(folder, images=images).source
    before = contents(folder)
    detection.export(source, added(source), "out")
    after = contents("out")
    assert set(after) - set(before) == {new}
    assert {name: after[name] for name in before} == before
    again = detection.read("out")
    assert again.labels.counts.tolist() == [1] * (len(files) + 1)
    if make is voc:
        name = Path(new).with_suffix(Path(pictures[-1]).suffix).name
        assert f"<filename>{name}</filename>" in Path("out", new).read_text()


@pytest.mark.parametrize(
    ("folder", "files", "name", "new"),
    [
        ("d", ["a.txt"], "b.jpg", "b.txt"),
        ("d", ["a.txt"], "b", "b.txt"),
        ("d", ["a.txt"], "b.txt", "b.txt"),
        ("d", ["a.txt"], "b.v2", "b.v2.txt"),
        ("d", ["a.txt"], "images\\b.jpg", "b.txt"),
        ("d", ["labels/a.txt"], "b.jpg", "labels/b.txt"),
        ("d", ["labels/a.txt"], "images/b.jpg", "labels/b.txt"),
        ("d", ["labels/s/a.txt", "labels/t/c.txt"], "t/b.jpg", "labels/t/b.txt"),
        ("d", ["labels/s/a.txt", "labels/t/c.txt"], "images/t/b.jpg", "labels/t/b.txt"),
        ("d", ["labels/s/a.txt", "labels/t/c.txt"], "d/images/t/b.jpg", "labels/t/b.txt"),
        ("d/labels", ["s/a.txt", "t/c.txt"], "images/t/b.jpg", "t/b.txt"),
        ("d/labels", ["s/a.txt", "t/c.txt"], "t/b.jpg", "t/b.txt"),
        ("d/labels/t", ["a.txt"], "images/t/b.jpg", "b.txt"),
        ("d", ["a.xml"], "b.jpg", "b.xml"),
        ("d", ["a.xml"], "b.v2", "b.v2.xml"),
    ],
)
def test_a_name_of_predictions_says_where_its_label_file_lies(place, folder, files, name, new):
    make = voc if files[0].endswith(".xml") else yolo
    make(place / folder, files)
    names = [*(Path(file).stem for file in files), name]
    found(place / "found.csv", names, shares=make is yolo)
    source = detection.read(folder, predictions="found.csv").source
    assert source.options["new_files"] == [new]
    detection.export(source, added(source), "out")
    assert set(contents("out")) == {*contents(folder), new}


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (["b.jpg", "b.png"], "as another image would"),
        (["b.jpg", "B.png"], "as another image would"),
        (["classes.jpg"], "is not read as one"),
        (["README.png"], "is not read as one"),
        (["train.jpg"], "is not read as one"),
        ([".hidden.jpg"], "is not read as one"),
    ],
)
def test_label_files_that_would_take_anothers_place(place, pictures, message):
    yolo(place / "d", ["a.txt"])
    (place / "d" / "classes.txt").write_text("0\n")
    for name in pictures:
        picture(place / "d" / name)
    source = detection.read("d", images="d").source
    wrong = message if pictures != ["classes.jpg"] else "is there and not its own"
    with pytest.raises(InputError, match=wrong):
        detection.export(source, added(source), "out")
    assert not Path("out").exists()
    nothing = added(source).iloc[:0]
    detection.export(source, nothing, "out")
    assert contents("out") == contents("d")


@pytest.mark.parametrize("taken", ["b.txt/notes.md", "b.txt"])
def test_a_place_that_is_taken(place, taken):
    yolo(place / "d", ["a.txt"])
    picture(place / "d" / "b.jpg")
    source = detection.read("d", images="d").source
    (place / "d" / taken).parent.mkdir(exist_ok=True)
    (place / "d" / taken).write_text("mine")
    with pytest.raises(InputError, match=r"is there and not its own|has changed"):
        detection.export(source, added(source), "out")
    assert not Path("out").exists()


@pytest.mark.parametrize("kind", ["file", "folder", "pipe"])
def test_links_and_pipes_in_the_dataset(place, kind):
    yolo(place / "d", ["a.txt", "c.txt"])
    picture(place / "d" / "b.jpg")
    source = detection.read("d", images="d").source
    (place / "d" / "c.txt").unlink()
    if kind == "pipe":
        os.mkfifo(place / "d" / "c.txt")
    else:
        target = place.parent / "victim.txt" if kind == "file" else place.parent
        (place / "d" / "c.txt").symlink_to(target)
    with pytest.raises(InputError, match=r"link|regular file"):
        detection.export(source, added(source), "out")
    assert not Path("out").exists()


def test_names_in_annotations_are_only_text(place):
    hostile = "../victim.txt"
    voc(place / "Annotations", ["a.xml"])
    xml = place / "Annotations" / "a.xml"
    xml.write_text(xml.read_text().replace("a.jpg", f"{hostile}/../../victim.x/..\\victim.txt"))
    table = found(place / "boxes.csv", [hostile, "b.jpg"])
    table.write_text(table.read_text().replace(",score", "").replace(",0.99", ""))
    coco = {
        "images": [{"id": 1, "file_name": hostile, "width": 100, "height": 50}],
        "categories": [{"id": 1, "name": "0"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9]}],
    }
    (place / "coco.json").write_text(json.dumps(coco))
    for name in ("Annotations", "boxes.csv", "coco.json"):
        source = detection.read(name).source
        row = added(source, (0,)).assign(part=0, action="remove")
        detection.export(source, row, f"out_{name}")
        assert Path(f"out_{name}").exists()
    assert list(contents("out_Annotations")) == ["a.xml"]
