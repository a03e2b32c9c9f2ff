"""COCO files as people and tools write them: broken boxes, groups of classes, hostile ones."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from goldlabel.cli import main
from goldlabel.coco import check_coco, fix_coco
from goldlabel.errors import InputError
from goldlabel.tasks import detection, multilabel
from goldlabel.tasks.segmentation.formats.coco import export as export_masks
from goldlabel.tasks.segmentation.formats.coco import read as read_masks

PLANTED = {"part_005.jpg": "swapped class", "part_009.jpg": "overlooked"}


def flagged(audit):
    frame = audit.issues.to_frame("part")
    return dict(zip(frame["id"], frame["kind"].astype(str), strict=True))


def test_an_annotation_with_an_empty_box_is_a_finding(case, capsys):
    folder = case("coco-one-empty-bbox")
    given, predictions = folder / "instances.json", folder / "predictions.json"
    audit = detection.audit(given, predictions=predictions)
    assert flagged(audit) == {"part_001.jpg": "not a box", **PLANTED}
    first = audit.issues.to_frame("part").iloc[0]
    assert (first["kind"], first["given"], first["code"]) == ("not a box", "nut", "bbox-format")
    assert audit.issues.ranked()[0] == first["example"] == 1
    assert "has the bbox []" in first["reason"]
    assert audit.summary["boxes"] == 94
    assert any("1 of 95 annotations" in note and "coco check" in note for note in audit.notes)
    # What the model sees in its place is suggested, and never written without being asked for.
    assert first["action"] == "move"
    assert first["confidence"] == 0
    assert first[["x1", "y1"]].tolist() == [452.26, 259.35]
    assert main(["audit", "detection", str(given), "--predictions", str(predictions),
                 "--out", str(folder / "audit")]) == 0  # fmt: skip
    capsys.readouterr()


@pytest.mark.parametrize(
    ("bbox", "code"),
    [
        (None, "bbox-missing"),
        ([1, 2, 3], "bbox-format"),
        ("1 2 3 4", "bbox-format"),
        ([1, 2, float("nan"), 4], "not-finite"),
        ([100, 20, -30, 40], "bbox-negative-size"),
        ([100, 20, 0, 40], "bbox-zero-size"),
        ([1e300, 20, 5, 40], "bbox-outside-image"),
        (["100", "20", "30", "40"], "bbox-format"),
    ],
)
def test_what_is_no_box_has_the_code_of_the_checker(case, bbox, code):
    folder = case("coco-one-empty-bbox")
    content = json.loads((folder / "instances.json").read_text())
    content["annotations"][7].update(bbox=bbox)
    (folder / "instances.json").write_text(json.dumps(content))
    audit = detection.audit(folder / "instances.json", predictions=folder / "predictions.json")
    found = audit.issues.to_frame("part").iloc[0]
    assert (found["kind"], found["code"], found["id"]) == ("not a box", code, "part_001.jpg")
    assert flagged(audit) == {"part_001.jpg": "not a box", **PLANTED}
    # The numbers of the other annotations are those of the file: corrections meet the right ones.
    out = folder / "fixed.json"
    detection.export(audit.source, audit.issues.to_frame("part"), out)
    after = {each["id"]: each for each in json.loads(out.read_text())["annotations"]}
    before = {each["id"]: each for each in content["annotations"]}
    changed = [key for key in before if str(after.get(key)) != str(before[key])]
    assert len(changed) == 2  # the broken one, and the class that was swapped
    assert after[8]["bbox"][:2] == [452.26, 259.35]


def test_a_file_in_which_most_boxes_are_none_is_refused(case):
    folder = case("coco-one-empty-bbox")
    content = json.loads((folder / "instances.json").read_text())
    for each in content["annotations"][:60]:
        each["bbox"] = []
    (folder / "instances.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"60 of 95 annotations have no box.*coco check"):
        detection.read(folder / "instances.json")


def test_a_group_with_the_name_of_a_class(case):
    folder = case("coco-root-named-like-a-class")
    audit = detection.audit(
        folder / "_annotations.coco.json", predictions=folder / "predictions.json"
    )
    assert flagged(audit) == PLANTED
    assert len(audit.issues) == 24
    assert audit.summary["boxes"] == 95
    assert audit.summary["share_of_boxes_found"] == pytest.approx(0.989, abs=5e-4)
    assert sorted(map(str, audit.issues.classes)) == ["bolt", "bolt (id 0)", "nut", "washer"]


def test_two_used_categories_of_one_name_have_their_ids(tmp_path):
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": 3, "name": "cat"}, {"id": 5, "name": "cat"}, {"id": 6}],
        "annotations": [
            {"id": at, "image_id": 1, "category_id": at, "bbox": [1, 1, 5, 5]} for at in (3, 5)
        ],
    }
    (tmp_path / "a.json").write_text(json.dumps(content))
    data = detection.read(tmp_path / "a.json")
    assert data.classes == ("cat (id 3)", "cat (id 5)", "6")
    assert multilabel.read(tmp_path / "a.json").classes == data.classes


@pytest.mark.parametrize(
    "options", [{}, {"labels": ["bolt", "nut", "washer"]}, {"classes": ["bolt", "nut", "washer"]}]
)
def test_a_group_of_classes_needs_no_column_of_probabilities(case, options):
    folder = case("multilabel-coco-root-category")
    path = folder / "_annotations.coco.json"
    data = multilabel.read(path, pred_probs=folder / "probs.npy", **options)
    assert (data.labels.shape, data.classes) == ((24, 3), ("bolt", "nut", "washer"))
    assert data.labels.sum() == 63
    if not options:
        assert any("Left out hardware" in note for note in data.notes)


def test_probabilities_of_a_group_of_classes_keep_it(case):
    folder = case("multilabel-coco-root-category")
    np.save(folder / "four.npy", np.full((24, 4), 0.5))
    data = multilabel.read(folder / "_annotations.coco.json", pred_probs=folder / "four.npy")
    assert data.classes == ("hardware", "bolt", "nut", "washer")


def test_classes_without_a_group_are_corrected_in_their_place(tmp_path):
    content = {
        "images": [{"id": 7}, {"id": 8}],
        "categories": [
            {"id": 0, "name": "all"},
            {"id": 1, "name": "a", "supercategory": "all"},
            {"id": 2, "name": "b", "supercategory": "all"},
        ],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 2}],
    }
    (tmp_path / "a.json").write_text(json.dumps(content))
    data = multilabel.read(tmp_path / "a.json")
    assert data.classes == ("a", "b")
    rows = {"example": [0, 1], "part": [1, 0], "suggested": ["absent", "present"]}
    multilabel.export(data.source, pd.DataFrame(rows), tmp_path / "b.json")
    after = json.loads((tmp_path / "b.json").read_text())
    assert after["annotations"] == [{"id": 2, "image_id": 8, "category_id": 1}]


def test_predictions_that_are_a_coco_file_with_scores(case):
    folder = case("results-inside-a-coco-file")
    audit = detection.audit(folder / "instances.json", predictions=folder / "predictions.json")
    assert flagged(audit) == PLANTED
    assert audit.summary["share_of_boxes_found"] == pytest.approx(0.989, abs=5e-4)
    assert any("by file name" in note for note in audit.notes)


def test_a_coco_file_of_predictions_is_matched_by_names_not_ids(case):
    folder = case("results-inside-a-coco-file")
    content = json.loads((folder / "predictions.json").read_text())
    for each in [*content["images"], *content["categories"]]:
        each["id"] = 1000 - each["id"]
    for each in content["annotations"]:
        each.update(image_id=1000 - each["image_id"], category_id=1000 - each["category_id"])
    (folder / "predictions.json").write_text(json.dumps(content))
    audit = detection.audit(folder / "instances.json", predictions=folder / "predictions.json")
    assert flagged(audit) == PLANTED


def test_one_prediction_without_a_score_is_named(case):
    folder = case("results-inside-a-coco-file")
    content = json.loads((folder / "predictions.json").read_text())
    del content["annotations"][3]["score"]
    (folder / "predictions.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"annotations\[3\]: has no score"):
        detection.read(folder / "instances.json", predictions=folder / "predictions.json")


@pytest.mark.parametrize("name", ["coco-counts", "panoptic-id", "panoptic-list"])
def test_segmentation_structures_are_refused_with_their_place(case, name, capsys):
    folder = case("hostile-segmentation-structures")
    command = ["audit", "segmentation", str(folder / f"{name}.json"), "--pred-probs"]
    options = [str(folder / "probs.npy"), "--classes", "bg,car", "--out", str(folder / "out")]
    assert main([*command, *options]) == 2
    message = capsys.readouterr().err
    assert "annotations[0]" in message or "categories[0]" in message


def test_ids_that_are_lists(case, capsys):
    folder = case("hostile-ids-that-are-lists")
    command = ["audit", "multilabel", str(folder / "coco.json"), "--pred-probs"]
    assert main([*command, str(folder / "probs.npy"), "--out", str(folder / "out")]) == 2
    assert "images[0]: has no id" in capsys.readouterr().err


def test_half_characters_in_names_are_read_and_shown(tmp_path):
    text = (
        '{"images": [{"id": "\\ud83d", "file_name": "a\\ud83d.jpg"}], "categories":'
        ' [{"id": 1, "name": "c\\udc00at"}], "annotations": [{"id": 1, "image_id": "\\ud83d",'
        ' "category_id": 1, "bbox": [1, 1, 5, 5]}]}'
    )
    (tmp_path / "a.json").write_text(text)
    data = detection.read(tmp_path / "a.json")
    assert (data.classes, data.ids.tolist()) == (("c\ufffdat",), ["a\ufffd.jpg"])
    assert multilabel.read(tmp_path / "a.json").classes == data.classes
    assert "id-not-integer" in check_coco(tmp_path / "a.json").per_code()["code"].tolist()


def test_an_image_that_only_the_predictions_know_is_refused_by_name(tmp_path):
    content = {
        "images": [{"id": at, "file_name": f"{at}.jpg"} for at in range(1, 6)],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": at, "image_id": at, "category_id": 1, "bbox": [1, 1, 20, 20]}
            for at in range(1, 6)
        ],
    }
    results = [
        {"image_id": at, "category_id": 1, "bbox": [1, 1, 20, 20], "score": 0.9}
        for at in range(1, 7)
    ]
    (tmp_path / "a.json").write_text(json.dumps(content))
    (tmp_path / "r.json").write_text(json.dumps(results))
    audit = detection.audit(tmp_path / "a.json", predictions=tmp_path / "r.json")
    corrections = audit.issues.to_frame("part")
    assert corrections["action"].tolist() == ["add"]
    with pytest.raises(InputError, match="known to the predictions alone"):
        detection.export(audit.source, corrections, tmp_path / "b.json")
    assert not (tmp_path / "b.json").exists()


def test_digits_without_end_are_judged_at_once(tmp_path):
    many = "1" * 1_000_000
    text = (
        '{"images": [{"id": 1, "width": %s}], "categories": [{"id": 1, "name": "cat"}],'
        ' "annotations": [{"id": %s, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, "%sx"]},'
        ' {"id": 2, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}]}'
    )
    (tmp_path / "a.json").write_text(text % (many, many, many))
    data = detection.read(tmp_path / "a.json")
    assert len(data.unusable) == 1
    assert len(data.notes[-1]) < 400
    assert {finding.code for finding in check_coco(tmp_path / "a.json")} >= {"bbox-format"}
    fix_coco(tmp_path / "a.json", tmp_path / "b.json")


def test_masks_are_changed_in_place(tmp_path):
    """The members of an instance that lost pixels are changed; the rest of its text stays."""
    text = (
        '{"images":[{"id":1,"height":20,"width":20,"file_name":"a.png"}],'
        '"categories":[{"id":1,"name":"bg"},{"id":2,"name":"car"}],'
        '"annotations":[{"extra" :  1.50,"id":4,"image_id":1,"category_id":1,'
        '"segmentation":{"size":[20,20],"counts":[0,400]},"iscrowd":0}]}'
    )
    (tmp_path / "a.json").write_text(text)
    masks = read_masks(tmp_path / "a.json", classes=None, planes=2)

    def repaint(mask):
        new = mask.copy()
        new[4:14, 4:14] = 1
        return new

    export_masks(masks.source, {0: repaint}, tmp_path / "b.json")
    after = (tmp_path / "b.json").read_text()
    first = '"annotations":[{"extra" :  1.50,"id":4,"image_id":1,"category_id":1,"segmentation":'
    assert first in after
    assert json.loads(after)["annotations"][1]["category_id"] == 2
