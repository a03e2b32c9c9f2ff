"""Every format of annotations, with every format of predictions; and back again, corrected."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from goldlabel.actions.corrections import suggested
from goldlabel.errors import InputError
from goldlabel.tasks import detection

FORMATS = (
    "coco", "yolo", "voc", "text", "csv", "parquet", "open_images", "label_studio",
)  # fmt: skip
PAIRS = [
    (given, found)
    for given in FORMATS
    for found in ("yolo", "coco_results", "text", "csv")
    if found != "coco_results" or given == "coco"
]


def audited(made, given, found="text"):
    audit = detection.audit(
        made.labels(given), predictions=made.predictions(found), duplicate_iou=0.7
    )
    return audit


@pytest.mark.parametrize(("given", "found"), PAIRS)
def test_any_pair_of_formats_finds_the_same(made, given, found):
    audit = audited(made, given, found)
    frame = audit.issues.to_frame("part")
    numbers = {str(name): number for number in made.true for name in audit.issues.ids
               if f"{number:03d}" in str(name)}  # fmt: skip
    rows = {numbers[str(row["id"])]: row for row in frame.to_dict("records")}
    assert {at: row["action"] for at, row in rows.items()} == made.wrong
    assert rows[5]["suggested"] == "dog"
    assert rows[7]["suggested"] == "cat"
    scale = np.array([200, 100, 200, 100]) if abs(rows[5]["x2"]) <= 1 else 1
    corners = np.array([rows[5][name] for name in ("x1", "y1", "x2", "y2")]) * scale
    np.testing.assert_allclose(corners, [105.5, 30, 165, 89.5], atol=0.01)


@pytest.mark.parametrize("format", FORMATS)
def test_no_corrections_leave_the_same_bytes(made, format):
    audit = audited(made, format)
    none = suggested(audit.issues, min_confidence=1.0).iloc[:0]
    path = audit.source.files[0]
    out = made.folder / "out"
    detection.export(audit.source, none, out)
    if path.is_dir():
        assert contents(out) == contents(path)
    else:
        assert out.read_bytes() == path.read_bytes()


def contents(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.mark.parametrize("format", FORMATS)
def test_corrections_make_the_labels_right(made, format):
    """Add, move, relabel and remove; what comes out is the truth, read by the same reader."""
    audit = audited(made, format)
    changes = suggested(audit.issues, min_confidence=0)
    assert sorted(changes["action"]) == ["add", "move", "relabel", "remove"]
    out = made.folder / f"out{audit.source.files[0].suffix}"
    detection.export(audit.source, changes, out)
    before = detection.read(audit.source.files[0])
    data = detection.read(out, names=made.folder / "data.yaml" if format == "yolo" else None)
    boxes = data.labels
    assert len(boxes.boxes) == sum(map(len, made.true.values()))
    assert data.is_relative == before.is_relative
    scale = np.array([200, 100, 200, 100]) if data.is_relative else 1
    names = [str(each) for each in data.ids]
    for number, expected in made.true.items():
        at = next(i for i, each in enumerate(names) if f"{number:03d}" in each)
        own = slice(boxes.offsets[at], boxes.offsets[at + 1])
        rows = sorted(zip(boxes.labels[own], (boxes.boxes[own] * scale).tolist(), strict=True))
        assert [data.classes[label] for label, _ in rows] == ["cat", "dog"]
        for (_, box), (_, *true) in zip(rows, expected, strict=True):
            np.testing.assert_allclose(box, true, atol=1.1)


def test_coco_keeps_all_other_bytes(made):
    audit = audited(made, "coco")
    changes = suggested(audit.issues, min_confidence=0)
    out = made.folder / "out.json"
    detection.export(audit.source, changes[changes["action"] == "relabel"], out)
    before = audit.source.files[0].read_text(encoding="utf-8").splitlines()
    after = out.read_text(encoding="utf-8").splitlines()
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert changed == [('   "category_id": 7,', '   "category_id": 3,')]
    detection.export(audit.source, changes[changes["action"] == "remove"], made.folder / "o.json")
    kept = json.loads((made.folder / "o.json").read_text(encoding="utf-8"))
    whole = json.loads(audit.source.files[0].read_text(encoding="utf-8"))
    assert [each["id"] for each in whole["annotations"] if each not in kept["annotations"]] == [
        100 + 2 * 11 - 1 + 2
    ]
    added = made.folder / "added.json"
    detection.export(audit.source, changes[changes["action"] == "add"], added)
    new = json.loads(added.read_text(encoding="utf-8"))["annotations"][-1]
    assert new["id"] == max(each["id"] for each in whole["annotations"]) + 1
    assert set(new) <= set(whole["annotations"][0])


def test_voc_keeps_comments_parts_and_space(made):
    audit = audited(made, "voc")
    changes = suggested(audit.issues, min_confidence=0)
    out = made.folder / "out"
    detection.export(audit.source, changes, out)
    folder = audit.source.files[0]
    for number in made.true:
        before = (folder / f"img_{number:03d}.xml").read_text()
        after = (out / f"img_{number:03d}.xml").read_text()
        assert (before != after) == (number in made.wrong)
    text = (out / "img_007.xml").read_text()
    assert text == (folder / "img_007.xml").read_text().replace("dog", "cat", 1)
    moved = (out / "img_009.xml").read_text()
    assert "<xmax> 169 </xmax>" in moved
    assert moved.count("<name>head</name>") == 2


def test_yolo_keeps_line_ends(made):
    audit = audited(made, "yolo")
    changes = suggested(audit.issues, min_confidence=0)
    out = made.folder / "out"
    detection.export(audit.source, changes, out)
    first, second = (out / "img_005.txt").read_bytes().split(b"\n")  # one line tells no line end
    assert (out / "img_009.txt").read_bytes().count(b"\r\n") == 1
    assert (audit.source.files[0] / "img_005.txt").read_bytes() == first
    assert second.startswith(b"1 0.676")


def test_csv_with_decimal_commas(made):
    path = made.folder / "commas.csv"
    table = pd.read_csv(made.labels("open_images"))
    for name in ("XMin", "XMax", "YMin", "YMax"):
        table[name] = table[name].map(lambda value: f"{value:.4f}".replace(".", ","))
    table.to_csv(path, index=False)
    audit = detection.audit(
        path, predictions=made.predictions("text"), images=made.folder / "images", duplicate_iou=0.7
    )
    out = made.folder / "out.csv"
    detection.export(audit.source, suggested(audit.issues, min_confidence=0), out)
    assert out.read_text().splitlines()[-1].startswith('img_005,,dog,,"0,5275')


def test_masks_of_results_become_boxes(made):
    path = made.folder / "segm.json"
    square = {"size": [100, 200], "counts": [2010, 20, 80, 20, 20000 - 2130]}
    polygon = [[100.0, 30.0, 160.0, 30.0, 160.0, 90.0]]
    entries = [
        {"image_id": 10, "category_id": 3, "segmentation": square, "score": 0.5},
        {"image_id": 11, "category_id": 7, "segmentation": polygon, "score": 0.5},
    ]
    path.write_text(json.dumps(entries))
    data = detection.read(made.labels("coco"), predictions=path)
    assert data.predictions.boxes.tolist() == [[20, 10, 22, 30], [100, 30, 160, 90]]


def test_crowds_and_what_lvis_did_not_look_for(made):
    path = made.labels("coco")
    content = json.loads(path.read_text(encoding="utf-8"))
    content["annotations"][0]["iscrowd"] = 1
    path.write_text(json.dumps(content))
    data = detection.read(path, predictions=made.predictions("coco_results"))
    assert data.labels.ignore.tolist() == [True] + [False] * (len(data.labels.boxes) - 1)
    assert any("crowds are not judged" in note for note in data.notes)
    for image in content["images"]:
        image.update(neg_category_ids=[], not_exhaustive_category_ids=[])
    path.write_text(json.dumps(content))
    data = detection.read(path, predictions=made.folder / "results.json")
    assert any("nobody looked for" in note for note in data.notes)
    # Image 5 lacks its dog, and nobody looked for dogs in it.
    assert data.predictions.counts.tolist()[5] == 1


def test_what_did_not_match_is_said(made):
    found = made.predictions("text")
    (found / "img_003.txt").unlink()
    (found / "img_999.txt").write_text("cat 0.9 1 1 50 50\n")
    data = detection.read(made.labels("voc"), predictions=found)
    notes = " ".join(data.notes)
    assert "1 images have no predictions, such as img_003.jpg" in notes
    assert "1 images have predictions and are not among the labels, such as img_999.txt" in notes
    assert len(data) == 13
    assert data.labels.counts[-1] == 0


def test_a_background_image_gets_a_file_of_its_own(made):
    found = made.predictions("text")
    (found / "img_998.txt").write_text("dog 0.99 1 1 50 50\n")
    for format in ("voc", "text"):
        audit = detection.audit(made.labels(format), predictions=found, duplicate_iou=0.7)
        out = made.folder / f"out_{format}"
        detection.export(audit.source, suggested(audit.issues, min_confidence=0), out)
        data = detection.read(out)
        at = [str(name)[:7] for name in data.ids].index("img_998")
        assert data.labels.counts[at] == 1


def test_pixels_counted_from_zero(made):
    xml = made.labels("voc")
    text = (xml / "img_000.xml").read_text()
    (xml / "img_000.xml").write_text(text.replace("<xmin>21</xmin>", "<xmin>0</xmin>"))
    data = detection.read(xml)
    assert "pixels counted from 0" in data.notes[0]
    assert data.labels.boxes[0].tolist() == [0, 11, 80, 50]


def test_numbers_of_classes_without_names(made):
    found = made.predictions("yolo")
    data = detection.read(made.labels("text"), predictions=found, images=made.folder / "images")
    assert any("are taken as 0 cat, 1 dog" in note for note in data.notes)
    with pytest.raises(InputError, match="is of 'dog', and cat are the classes"):
        detection.read(made.folder / "texts", predictions=found, names=_one_name(made))


def _one_name(made):
    path = made.folder / "one.txt"
    path.write_text("cat\n")
    return path


@pytest.mark.parametrize("format", ["coco", "label_studio"])
def test_an_image_that_the_file_does_not_list_gets_no_box(made, format):
    """A correction is written, or refused; never lost."""
    kind = {"coco": "text", "label_studio": "yolo"}[format]
    line = {"coco": "dog 0.99 1 1 50 50\n", "label_studio": "1 0.5 0.5 0.1 0.1 0.99\n"}[format]
    found = made.predictions(kind)
    (found / "img_998.txt").write_text(line)
    audit = detection.audit(made.labels(format), predictions=found, duplicate_iou=0.7)
    changes = suggested(audit.issues, min_confidence=0)
    out = made.folder / "out.json"
    with pytest.raises(InputError, match="known to the predictions alone"):
        detection.export(audit.source, changes, out)
    assert not out.exists()
    detection.export(audit.source, changes[changes["example"] < 12], out)
