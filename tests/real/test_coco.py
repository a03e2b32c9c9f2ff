"""Real COCO files: nothing is found that is not so, and the figures are those of pycocotools."""

from __future__ import annotations

import json

import numpy as np
import pytest

from goldlabel.coco import check_coco, fix_coco
from goldlabel.coco.checking import check_document
from goldlabel.formats.json.document import read_document
from goldlabel.formats.json.records import Ids

pytestmark = pytest.mark.slow

# Everything that is found in the real files but notes; each was looked at.
KNOWN = {
    # A crowd region whose area is that of something else, and two pairs of labels for one object.
    "detection/coco_val2017_json/instances_clean.json": {
        "area-mismatch": 1,
        "same-box-two-categories": 2,
    },
    "detection/coco_val2017_json/instances_given.json": {
        "area-mismatch": 1,
        "same-box-two-categories": 2,
    },
    "detection/coco_val2014_fake100/instances_val2014_100.json": {"same-box-two-categories": 2},
    # Masks that lie elsewhere than their boxes; objects with a general and a special category.
    "detection/lvis_val_100/lvis_val_100.json": {
        "bbox-mask-mismatch": 13,
        "same-box-two-categories": 8,
    },
    "segmentation/nuclei_dsb2018/instances_given.json": {},
    "segmentation/nuclei_dsb2018/instances_fixed.json": {},
    "segmentation/coco_val2017_semantic/panoptic.json": {},
    "detection/voc2012_100/other_formats/gts_coco_format_v1/instances_default.json": {},
    "detection/voc2012_100/other_formats/gts_coco_format_v2/instances_v2.json": {},
}


@pytest.mark.parametrize("name", KNOWN)
def test_real_files_have_what_was_looked_at(name, data):
    table = check_coco(data / name).per_code()
    found = table[table["severity"] != "note"].set_index("code")["count"].to_dict()
    assert found == KNOWN[name]


@pytest.mark.parametrize("name", KNOWN)
def test_fixing_a_file_without_mistakes_copies_it(name, data, tmp_path):
    fixed = fix_coco(data / name, tmp_path / "fixed.json")
    assert (tmp_path / "fixed.json").read_bytes() == (data / name).read_bytes()
    assert fixed.changes == []


def test_results_of_real_detectors(data):
    folder = data / "detection" / "coco_val2017_json"
    given = folder / "instances_given.json"
    (found,) = check_coco(given, predictions=folder / "yolov8n_int8_results.json").of(
        "bbox-zero-size"
    )
    results = json.loads((folder / "yolov8n_int8_results.json").read_text())
    assert found.path == "$[1468].bbox"
    assert results[1468]["bbox"][3] == 0.0
    nano = check_coco(given, predictions=folder / "yolox_nano_results.json")
    assert nano.counts()["error"] == 0
    folder = data / "segmentation" / "nuclei_dsb2018"
    nuclei = check_coco(
        folder / "instances_given.json",
        predictions=folder / "unet_results.json",
        images=folder / "images",
    )
    assert nuclei.codes == ["too-many-predictions"]


def test_results_for_other_ids_are_noticed(data):
    folder = data / "detection" / "voc2012_100" / "other_formats"
    found = check_coco(
        folder / "gts_coco_format_v1" / "instances_default.json",
        predictions=folder / "dets_coco_format" / "coco_dets.json",
    )
    dets = json.loads((folder / "dets_coco_format" / "coco_dets.json").read_text())["annotations"]
    wrong = [each for each in dets if each["category_id"] == 0]
    assert len(list(found.of("dangling-category-id"))) == len(wrong) > 0


def test_images_on_disk(data):
    folder = data / "segmentation" / "coco_val2017_semantic"
    found = check_coco(folder / "panoptic.json", images=folder / "images")
    assert found.codes == ["category-unused"]


def test_a_file_and_itself_fixed_are_leaky_splits(data):
    folder = data / "segmentation" / "nuclei_dsb2018"
    paths = folder / "instances_given.json", folder / "instances_fixed.json"
    found = check_coco(*paths, images=folder / "images")
    assert found.codes[:2] == ["leak-file-name", "leak-image-content"]
    shared = len(json.loads(paths[1].read_text())["images"])
    assert len(list(found.of("leak-image-content"))) == shared


def masks_of(path):
    from goldlabel.coco import instances, masks

    document = read_document(path)
    checked = check_document(document, Ids())
    found = masks.check_masks(checked.collector, checked.instances, checked.annotations, 1.0)
    assert isinstance(checked.instances, instances.Instances)
    return found, json.loads(path.read_text())


def test_run_lengths_are_those_of_pycocotools(data):
    from pycocotools import mask

    found, content = masks_of(data / "segmentation" / "nuclei_dsb2018" / "instances_given.json")
    coded = [each["segmentation"] for each in content["annotations"]]
    np.testing.assert_array_equal(found.area, [mask.area(each) for each in coded])
    x, y, w, h = np.array([mask.toBbox(each) for each in coded]).T
    np.testing.assert_array_equal(found.extents, np.stack([x, y, x + w, y + h], axis=1))


@pytest.mark.parametrize(
    "name",
    [
        "detection/coco_val2014_fake100/instances_val2014_100.json",
        "detection/lvis_val_100/lvis_val_100.json",
    ],
)
def test_polygons_are_those_of_pycocotools(name, data):
    from pycocotools import mask

    found, content = masks_of(data / name)
    sizes = {each["id"]: (each["height"], each["width"]) for each in content["images"]}
    compared = 0
    for row, each in enumerate(content["annotations"]):
        if isinstance(each["segmentation"], list):
            coded = mask.frPyObjects(each["segmentation"], *sizes[each["image_id"]])
            pixels = float(mask.area(mask.merge(coded)))
            left, top, right, bottom = found.extents[row]
            around = 2 * (right - left + bottom - top) + 4
            assert abs(found.area[row] - pixels) <= around or not found.is_plain[row]
            compared += bool(found.is_plain[row])
    assert compared > 600


@pytest.mark.parametrize("encoding", ["list", "text"])
def test_a_mask_in_both_encodings(data, encoding, tmp_path):
    """Compressed run lengths, and the same as a list, are the same mask."""
    from coco_reference import compressed
    from pycocotools import mask

    path = data / "detection" / "coco_val2017_json" / "instances_clean.json"
    content = json.loads(path.read_text())
    crowds = [each for each in content["annotations"] if each["iscrowd"]]
    for each in crowds:
        counts = each["segmentation"]["counts"]
        size = each["segmentation"]["size"]
        theirs = mask.frPyObjects(each["segmentation"], *size)
        assert compressed(counts) == theirs["counts"].decode()
        if encoding == "text":
            each["segmentation"]["counts"] = compressed(counts)
    copy = tmp_path / "copy.json"
    copy.write_text(json.dumps(content))
    found, _ = masks_of(copy)
    before, _ = masks_of(path)
    np.testing.assert_array_equal(found.area, before.area)
    np.testing.assert_array_equal(found.extents, before.extents)
