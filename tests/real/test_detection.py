"""Real boxes of real detectors: the figures of the data's READMEs, and those that ours reach.

`BASELINE` is the image AUROC of "share of predictions above 0.3 and of given boxes left without a
partner", which docs/detection.md compares with.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from goldlabel.actions.corrections import suggested
from goldlabel.tasks import detection

pytestmark = pytest.mark.slow

SETS = {
    "bccd": ("bccd", "Annotations_given", "predictions", "errors.json", {}),
    "coco, YOLOv8n": (
        "coco_val2017_json", "instances_given.json", "yolov8n_int8_results.json",
        "planted_errors.json", {},
    ),
    "coco, YOLOX": (
        "coco_val2017_json", "instances_given.json", "yolox_nano_results.json",
        "planted_errors.json", {},
    ),
    "coco, YOLO text": (
        "coco_val2017_yolo", "labels_given", "predictions", "planted_errors.json", {},
    ),
    "voc": (
        "voc2012_100", "Annotations_given", "detections_txt_abs_xywh", "planted_errors.json",
        {"names": "voc.names"},
    ),
    "fsoco_msc": ("fsoco_msc_yolo", "labels_given", "predictions_synthetic", "errors.json", {}),
    "fsoco_lions": ("fsoco_lions_yolo", "labels_given", "predictions_synthetic", "errors.json", {}),
}  # fmt: skip
BASELINE = {
    "bccd": 0.836, "coco, YOLOv8n": 0.659, "coco, YOLOX": 0.689, "coco, YOLO text": 0.842,
    "voc": 0.821, "fsoco_msc": 0.842, "fsoco_lions": 0.859,
}  # fmt: skip


def read(data, name):
    """Return a set with predictions, and which of its images are bad."""
    folder, labels, predictions, truth, options = SETS[name]
    folder = data / "detection" / folder
    options = {key: folder / value for key, value in options.items()}
    found = detection.read(folder / labels, predictions=folder / predictions, **options)
    bad = json.loads((folder / truth).read_text())["image_is_bad"]
    bad = {key.split(".")[0].lstrip("0"): value for key, value in bad.items()}
    return found, np.array([bad[str(each).split(".")[0].lstrip("0")] for each in found.ids])


@pytest.mark.parametrize("name", list(SETS))
def test_images_are_ranked_better_than_by_the_baseline(data, name):
    found, bad = read(data, name)
    scores = detection.get_label_quality_scores(found.labels, found.predictions)
    assert roc_auc_score(bad, -scores) > BASELINE[name]


def test_the_published_method_has_its_published_figures(data):
    """The reference row of the README: its default is the dataset's least similarity."""
    folder = data / "detection" / "bccd"
    found, bad = read(data, "bccd")
    scores = detection.get_label_quality_scores(
        found.labels, found.predictions, method="objectlab", min_similarity="dataset"
    )
    said = json.loads((folder / "reference_cleanlab.json").read_text())["overall"]["auroc"]
    assert roc_auc_score(bad, -scores) == pytest.approx(said, abs=0.01)


def test_coco_map_is_that_of_the_authors(data):
    """The COCO API's demo: AP 0.505, AP50 0.697, AP75 0.573."""
    folder = data / "detection" / "coco_val2014_fake100"
    found = detection.read(
        folder / "instances_val2014_100.json",
        predictions=folder / "instances_val2014_fakebbox100_results.json",
    )
    figures = detection.coco_map(found.labels, found.predictions)
    assert [round(value, 3) for value in figures.values()] == [0.505, 0.697, 0.573]


def test_masks_of_results_are_read(data):
    folder = data / "detection" / "coco_val2014_fake100"
    found = detection.read(
        folder / "instances_val2014_100.json",
        predictions=folder / "instances_val2014_fakesegm100_results.json",
    )
    assert len(found.predictions.boxes) > 500
    assert detection.coco_map(found.labels, found.predictions)["AP50"] > 0.4


def test_lvis(data):
    found = detection.read(data / "detection" / "lvis_val_100" / "lvis_val_100.json")
    assert len(found) == 100
    assert len(found.classes) == 1230
    assert "LVIS" in found.notes[0]


@pytest.mark.parametrize(
    ("path", "boxes"),
    [
        ("gts_coco_format_v1/instances_default.json", 100),
        ("gts_coco_format_v2/instances_v2.json", 100),
        ("gts_openimages_format/all_bounding_boxes.csv", 100),
        ("gts_yolo_format/obj_train_data", 100),
    ],
)
def test_one_set_in_many_formats(data, path, boxes):
    """Annotations of each format, with the detector's output as text, find nearly the same."""
    folder = data / "detection" / "voc2012_100"
    found = detection.read(folder / "other_formats" / path, images=folder / "images")
    assert len(found) >= boxes
    assert set(map(str, found.classes)) <= {
        *(folder / "voc.names").read_text().split(), "aeroplane", *map(str, range(20)),
    } or len(found.classes) == 20  # fmt: skip


def test_a_real_folder_comes_back_as_it_was(data, tmp_path):
    for name in ("raccoon_voc_xml/annotations_before", "fsoco_lions_yolo/labels_given"):
        folder = data / "detection" / name
        found = detection.read(folder)
        out = tmp_path / folder.name
        detection.export(found.source, _nothing(), out)
        for path in folder.iterdir():
            assert (out / path.name).read_bytes() == path.read_bytes()


def _nothing():
    import pandas as pd

    return pd.DataFrame({"example": [], "part": [], "suggested": []})


def test_corrected_real_xml_reads_back(data, tmp_path):
    folder = data / "detection" / "bccd"
    audit = detection.audit(folder / "Annotations_given", predictions=folder / "predictions")
    changes = suggested(audit.issues, min_confidence=0.5)
    assert set(changes["action"]) >= {"add", "move"}
    detection.export(audit.source, changes, tmp_path / "out")
    before = detection.read(folder / "Annotations_given").labels
    after = detection.read(tmp_path / "out").labels
    gain = np.count_nonzero(changes["action"] == "add") - np.count_nonzero(
        changes["action"] == "remove"
    )
    assert len(after.boxes) == len(before.boxes) + gain
