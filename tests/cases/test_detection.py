"""Boxes as people and tools write them: broken lines, other layouts, two sides that do not fit."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from goldlabel.cli import main
from goldlabel.errors import InputError
from goldlabel.tasks import detection

PLANTED = {"part_005": "swapped class", "part_009": "overlooked"}


def flagged(audit):
    frame = audit.issues.to_frame("part")
    names = [name.rpartition("/")[2].partition(".")[0] for name in frame["id"].astype(str)]
    return dict(zip(names, frame["kind"].astype(str), strict=True))


def check_planted(audit, boxes=95, images=24):
    """The two mistakes that were planted are found, and nothing else."""
    assert audit.summary["boxes"] == boxes
    assert len(audit.issues) == images
    assert flagged(audit) == PLANTED
    assert audit.summary["share_of_boxes_found"] > 0.97


def folders(folder):
    return detection.audit(folder / "labels", predictions=folder / "predictions")


def test_polygons_among_yolo_boxes(case):
    folder = case("yolo-boxes-and-polygons")
    audit = folders(folder)
    check_planted(audit)
    assert any("polygons are taken as the boxes around them" in note for note in audit.notes)
    out = folder / "fixed"
    detection.export(audit.source, audit.issues.to_frame("part"), out)
    changed = [
        path.name for path in sorted((folder / "labels").iterdir())
        if (out / path.name).read_bytes() != path.read_bytes()
    ]  # fmt: skip
    assert changed == ["part_005.txt", "part_009.txt"]


def test_a_polygon_that_moves_becomes_a_box(case):
    folder = case("yolo-boxes-and-polygons")
    audit = folders(folder)
    names = [path.name for path in sorted((folder / "labels").iterdir())]
    at, line = next(
        (at, number)
        for at, name in enumerate(names)
        for number, text in enumerate((folder / "labels" / name).read_text().splitlines())
        if len(text.split()) > 6
    )
    changes = pd.DataFrame(
        [{"example": at, "part": line, "action": "move", "suggested": "bolt", "x1": 0.1, "y1": 0.2,
          "x2": 0.3, "y2": 0.6}]
    )  # fmt: skip
    detection.export(audit.source, changes, folder / "fixed")
    before = (folder / "labels" / names[at]).read_text().splitlines()
    after = (folder / "fixed" / names[at]).read_text().splitlines()
    assert after[line].split()[1:] == ["0.200000", "0.400000", "0.200000", "0.400000"]
    assert after[line].split()[0] == before[line].split()[0]
    assert [each for n, each in enumerate(after) if n != line] == [
        each for n, each in enumerate(before) if n != line
    ]


def test_class_numbers_as_decimals(case):
    folder = case("yolo-class-as-decimal")
    audit = folders(folder)
    check_planted(audit)
    detection.export(audit.source, audit.issues.to_frame("part"), folder / "fixed")
    line = (folder / "fixed" / "part_005.txt").read_text().split("\n")[0]
    assert line.split()[0].endswith("e+00")


def test_one_value_above_one_leaves_the_others_shares(case):
    audit = folders(case("yolo-one-value-above-one"))
    assert audit.summary["boxes"] == 96
    assert {"part_005", "part_009"} <= set(flagged(audit)) <= {"part_005", "part_009", "part_003"}


def test_the_folder_that_roboflow_exports(case):
    folder = case("yolo-roboflow-folder")
    audit = detection.audit(folder / "hardware", predictions=folder / "predictions")
    check_planted(audit)
    assert any("Passed over" in note and "README.dataset.txt" in note for note in audit.notes)
    # The images of the other split are not among those to audit, and not without objects.
    audit = detection.audit(
        folder / "hardware" / "train" / "labels", predictions=folder / "predictions"
    )
    assert audit.issues.classes == ("bolt", "nut", "washer")
    assert (len(audit.issues), flagged(audit)) == (16, PLANTED)
    assert any("8 images" in note and "of another split" in note for note in audit.notes)


@pytest.mark.parametrize(
    ("name", "predictions", "classes"),
    [
        ("yolo-yaml-names-yes-no", "predictions.csv", ("no", "yes")),
        ("hostile-yaml-yes-no", "found", ("yes", "no")),
    ],
)
def test_names_that_yaml_takes_for_booleans(case, name, predictions, classes):
    folder = case(name)
    audit = detection.audit(folder / "labels", predictions=folder / predictions)
    assert audit.issues.classes == classes


@pytest.mark.parametrize("names", ["[no, yes, on]", "{0: no, 1: yes, 2: 0x1F}", "[1_000, ~, 2.50]"])
def test_names_stay_as_they_are_written(tmp_path, names):
    (tmp_path / "data.yaml").write_text(f"names: {names}\n")
    (tmp_path / "a.txt").write_text("0 .5 .5 .1 .1\n")
    expected = [each.split(": ")[-1] for each in names.strip("[]{}").split(", ")]
    assert list(detection.read(tmp_path).classes) == expected


def test_objects_of_other_libraries(case):
    folder = case("detections-objects-in-python")
    done = subprocess.run(
        [sys.executable, "objects.py"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert [line.split(None, 1)[1] for line in done.stdout.splitlines()] == ["[ 4 10]"] * 3


def test_decisions_that_lack_a_box(case, capsys):
    folder = case("hostile-decisions-without-box")
    command = ["audit", "detection", str(folder / "instances.json"), "--predictions"]
    assert main([*command, str(folder / "found.csv"), "--out", str(folder / "audit")]) == 0
    capsys.readouterr()
    for name, message in (("no-box.csv", "x1"), ("text.csv", "left")):
        command = ["export", str(folder / "audit"), "--decisions", str(folder / name)]
        assert main([*command, "--out", str(folder / "fixed.json")]) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert message in said
        assert not (folder / "fixed.json").exists()


def names_and_corners(path):
    root = ElementTree.parse(path).getroot()
    return [(each.findtext("name"), each.findtext("bndbox/xmin")) for each in root.iter("object")]


def test_voc_with_cdata_and_in_utf_16(case):
    folder = case("hostile-voc-export-cdata")
    audit = detection.audit(folder / "Annotations", predictions=folder / "found.csv")
    changes = pd.read_csv(folder / "decisions.csv").rename(columns={"label": "suggested"})
    detection.export(audit.source, changes, folder / "fixed")
    for path in sorted((folder / "Annotations").iterdir()):
        before, after = names_and_corners(path), names_and_corners(folder / "fixed" / path.name)
        assert after[1:] == before[1:]
        assert after[0][1] == before[0][1]
    named = {path.name: names_and_corners(path)[0][0] for path in (folder / "fixed").iterdir()}
    assert {named["img_3.xml"], named["img_4.xml"]} == {"dog"}
    assert (folder / "fixed" / "img_4.xml").read_bytes()[:2] in (b"\xff\xfe", b"\xfe\xff")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_every_change_of_an_xml_file_in_any_encoding(tmp_path, encoding):
    declared = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>\n'
    one = (
        "  <object ><name><!-- é --> cat </name><bndbox><xmin>1</xmin><ymin>2</ymin>"
        "<xmax>30</xmax><ymax>40</ymax></bndbox></object >\n"
    )
    folder = tmp_path / "xml"
    folder.mkdir()
    text = f"{declared}<annotation>\n{one * 3}</annotation>\n"
    (folder / "a.xml").write_bytes(text.encode(encoding))
    data = detection.read(folder)
    assert data.classes == ("cat",)
    changes = pd.DataFrame(
        [
            {"example": 0, "part": 0, "action": "remove", "suggested": ""},
            {"example": 0, "part": 1, "action": "move", "suggested": "cat",
             "x1": 4.0, "y1": 5.0, "x2": 20.0, "y2": 21.0},
            {"example": 0, "part": 3, "action": "add", "suggested": "cat",
             "x1": 50.0, "y1": 5.0, "x2": 60.0, "y2": 21.0},
        ]
    )  # fmt: skip
    detection.export(data.source, changes, tmp_path / "out")
    after = (tmp_path / "out" / "a.xml").read_bytes().decode(encoding)
    assert after.startswith(f"{declared}<annotation>\n{one.replace('>1<', '>5<')[:40]}")
    assert after.count("<object") == 3
    again = detection.read(tmp_path / "out")
    assert again.labels.boxes.tolist() == [[4, 5, 20, 21], [0, 1, 30, 40], [50, 5, 60, 21]]


def test_many_digits_take_no_time(case):
    folder = case("hostile-digits-hang")
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        detection.read(folder / "labels", predictions=folder / "found")
    assert time.process_time() - start < 5
    assert len(str(caught.value)) < 500


LINES = {
    "reversed corners": ("0 50 50 20 80", "bbox-negative-size"),
    "no size": ("0 50 50 50 80", "bbox-zero-size"),
    "NaN": ("0 nan 50 60 80", "bbox-format"),
    "too few numbers": ("0 50 50", "bbox-format"),
    "a word": ("0 fifty 50 60 80", "bbox-format"),
    "endless": ("0 1e400 50 60 80", "bbox-format"),
    "another class": ("7 50 50 60 80", "unknown-class"),
    "a misspelt class": ("catt 50 50 60 80", "unknown-class"),
}


@pytest.mark.parametrize("line", list(LINES))
@pytest.mark.parametrize("format", ["text", "csv", "voc"])
def test_one_annotation_that_is_no_box_is_the_first_finding(tmp_path, format, line):
    """The rest is audited as if it were not there, and its place can be corrected."""
    text, code = LINES[line]
    plain, broken = tmp_path / "plain", tmp_path / "broken"
    predictions = write(tmp_path / "found", "text", scored=True)
    audits = []
    for folder, more in ((plain, None), (broken, text)):
        labels = write(folder, format, more)
        if labels is None or (format, line) == ("voc", "no size"):
            pytest.skip("says nothing wrong: a table names no classes, and a pixel has a size")
        (tmp_path / "names.txt").write_text("cat\ndog\n")
        names = None if format == "csv" else tmp_path / "names.txt"
        audits.append(detection.audit(labels, predictions=predictions, names=names))
    before, after = audits
    assert len(before.issues.parts) == 0
    (reason,) = after.issues.reasons()
    assert code in reason
    frame = after.issues.to_frame("part")
    assert frame["kind"].tolist() == ["not a box"]
    assert after.issues.ranked()[0] == frame["example"][0] == 3
    assert after.summary["boxes"] == before.summary["boxes"]
    others = np.arange(8) != 3
    np.testing.assert_allclose(after.issues.scores[others], before.issues.scores[others])
    changes = frame.assign(action="remove", suggested="")
    detection.export(after.source, changes, tmp_path / "fixed")
    again = detection.read(
        tmp_path / "fixed", format="csv" if format == "csv" else None,
        names=None if format == "csv" else tmp_path / "names.txt",
    )  # fmt: skip
    assert len(again.labels.boxes) == 16
    assert not again.unusable


BOXES = [("cat", 10, 10, 40, 50), ("dog", 60, 20, 90, 70)]


def write(place, format, more=None, *, scored=False):
    """Write eight images of two boxes each; in the fourth, one more line before them."""
    place.mkdir()
    rows = [
        (at, name, *corners) for at in range(8) for name, *corners in BOXES
    ]  # fmt: skip
    table = [list(map(str, row)) for row in rows]
    if more is not None:
        fields = more.split()
        fields[0] = {"0": "cat", "7": "fox"}.get(fields[0], fields[0])
        if format == "csv" and fields[0] in ("fox", "catt"):
            return None  # a table names no classes beforehand
        table.insert(6, ["3", *fields])
    if format == "csv":
        lines = [",".join([f"{row[0]}.jpg", *row[1:]]) + "," * (6 - len(row)) for row in table]
        path = place / "boxes.csv"
        path.write_text("\n".join(["image,class,x1,y1,x2,y2", *lines]) + "\n")
        return path
    for at in range(8):
        own = [row[1:] for row in table if row[0] == str(at)]
        if format == "text":
            lines = [" ".join([name, *(["0.9"] if scored else []), *rest]) for name, *rest in own]
            (place / f"{at}.txt").write_text("\n".join(lines) + "\n")
        else:
            objects = [
                "<object><name>"
                + name
                + "</name><bndbox>"
                + "".join(
                    f"<{side}>{value}</{side}>"
                    for side, value in zip(("xmin", "ymin", "xmax", "ymax"), rest, strict=False)
                )
                + "</bndbox></object>\n"
                for name, *rest in own
            ]
            (place / f"{at}.xml").write_text(f"<annotation>\n{''.join(objects)}</annotation>\n")
    return place


def audited(folder, *, labels="instances.json", predictions="predictions.json", **options):
    return detection.audit(folder / labels, predictions=folder / predictions, **options)


def test_corners_in_place_of_sizes(case):
    audit = audited(case("results-as-corners"))
    check_planted(audit)
    assert any("read as x1, y1, x2, y2: 100.0%" in each for each in audit.warnings)


def test_class_numbers_from_zero_beside_ids(case):
    audit = audited(case("results-class-numbers-from-zero"), labels="_annotations.coco.json")
    check_planted(audit)
    assert any("class numbers are read" in each and "0 bolt" in each for each in audit.warnings)


def test_names_of_pictures_that_hold_dots(case):
    folder = case("results-named-by-stem-with-dots")
    audit = audited(folder)
    assert flagged(audit) == {f"{name}_jpg": kind for name, kind in PLANTED.items()}
    assert audit.summary["share_of_boxes_found"] > 0.98


def test_ids_that_are_numbers_of_files(case):
    audit = audited(case("results-numbered-by-file-name"))
    assert len(flagged(audit)) == 2
    assert audit.summary["share_of_boxes_found"] > 0.98
    assert any("read by file name: 100.0%" in each and "by id" in each for each in audit.warnings)


def test_pictures_that_exif_turns(case):
    folder = case("yolo-pictures-turned-by-exif")
    audit = audited(folder, labels="labels", images=folder / "images")
    check_planted(audit, boxes=47, images=12)
    assert any("as viewers show them" in note for note in audit.notes)


def written(folder, change):
    """Write the case of corners with other numbers; `change` gets x, y, width, height."""
    entries = json.loads((folder / "predictions.json").read_text())
    for each in entries:
        x1, y1, x2, y2 = each["bbox"]
        each["bbox"] = [float(value) for value in change(x1, y1, x2 - x1, y2 - y1)]
    (folder / "predictions.json").write_text(json.dumps(entries))


OTHERS = {
    "centre and size": lambda x, y, w, h: (x + w / 2, y + h / 2, w, h),
    "y before x": lambda x, y, w, h: (y, x, y + h, x + w),
    "shares": lambda x, y, w, h: (x / 640, y / 480, w / 640, h / 480),
    "shares, corners": lambda x, y, w, h: (x / 640, y / 480, (x + w) / 640, (y + h) / 480),
    "percent": lambda x, y, w, h: (x / 6.4, y / 4.8, w / 6.4, h / 4.8),
    "stretched to 1280": lambda x, y, w, h: (2 * x, y * 1280 / 480, 2 * w, h * 1280 / 480),
    "with margins": lambda x, y, w, h: (x * 0.5, y * 0.5 + 40, w * 0.5, h * 0.5),
    "shorter side 800": lambda x, y, w, h: (x * 5 / 3, y * 5 / 3, w * 5 / 3, h * 5 / 3),
}


@pytest.mark.parametrize("other", list(OTHERS))
def test_numbers_that_mean_something_else(case, other):
    folder = case("results-as-corners")
    written(folder, OTHERS[other])
    audit = audited(folder)
    assert {"part_005", "part_009"} <= set(flagged(audit))
    assert len(flagged(audit)) <= 4
    assert audit.summary["share_of_boxes_found"] > 0.95
    assert any("Check that it is so" in each for each in audit.warnings)


def test_annotations_that_are_corners_are_refused(case):
    folder = case("results-as-corners")
    written(folder, lambda x, y, w, h: (x, y, w, h))
    content = json.loads((folder / "instances.json").read_text())
    for each in content["annotations"]:
        x, y, w, h = each["bbox"]
        each["bbox"] = [x, y, x + w, y + h]
    (folder / "instances.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="fit the predictions if they are read as x1, y1"):
        audited(folder)


def test_predictions_of_other_images_say_nothing(case):
    folder = case("results-as-corners")
    rng = np.random.default_rng(0)
    entries = json.loads((folder / "predictions.json").read_text())
    for each in entries:
        each["bbox"] = [*rng.uniform(0, 400, 2).tolist(), *rng.uniform(5, 20, 2).tolist()]
    (folder / "predictions.json").write_text(json.dumps(entries))
    audit = audited(folder)
    assert any("says nothing about the labels" in each for each in audit.warnings)


def test_classes_in_another_order_are_said(case):
    folder = case("results-as-corners")
    written(folder, lambda x, y, w, h: (x, y, w, h))
    entries = json.loads((folder / "predictions.json").read_text())
    other = dict(zip((1, 2, 3), (3, 1, 2), strict=True))
    for each in entries:
        each["category_id"] = other[each["category_id"]]
    (folder / "predictions.json").write_text(json.dumps(entries))
    audit = audited(folder)
    assert any("numbered otherwise" in each for each in audit.warnings)
