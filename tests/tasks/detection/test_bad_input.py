"""Bad input: every case an InputError that names the place, and nothing worse."""

from __future__ import annotations

import json

import numpy as np
import pytest

from goldlabel.cli import main
from goldlabel.errors import InputError
from goldlabel.tasks import detection

GOOD = {"boxes": [[0, 0, 10, 10]], "labels": [0]}
FOUND = {**GOOD, "scores": [0.9]}


def changed(**changes):
    return {**FOUND, **changes}


ARRAYS = {
    "text for labels": ("cat", [FOUND], "labels", "is a str"),
    "a mapping for labels": (GOOD, [FOUND], "labels", "is a dict"),
    "another number of images": ([GOOD], [FOUND, FOUND], "predictions", "are of 2 images"),
    "no scores": ([GOOD], [GOOD], "predictions", "has no scores"),
    "scores for some images": ([GOOD] * 2, [FOUND, GOOD], r"predictions\[1\]", "has no scores"),
    "no boxes": ([{"labels": [0]}], [FOUND], r"labels\[0\]", "has no boxes"),
    "no labels": ([{"boxes": [[0, 0, 1, 1]]}], [FOUND], r"labels\[0\]", "has no labels"),
    "unknown keys": ([{"bbx": [[0, 0, 1, 1]]}], [FOUND], r"labels\[0\]", "has 'bbx'"),
    "an image that is none": ([3], [FOUND], r"labels\[0\]", "is a int"),
    "text for boxes": ([changed(boxes=[["a"] * 4])], [FOUND], r"labels\[0\]", "has boxes of shape"),
    "boxes of five": ([changed(boxes=[[1] * 5])], [FOUND], r"labels\[0\]", r"\(1, 5\)"),
    "ragged boxes": ([changed(boxes=[[1] * 4, [1]])], [FOUND], r"labels\[0\]", "is no array"),
    "too few labels": ([changed(labels=[])], [FOUND], r"labels\[0\]", "has 1 boxes"),
    "names for labels": ([changed(labels=["cat"])], [FOUND], r"labels\[0\]", "not numbers"),
    "half a class": ([changed(labels=[0.5])], [FOUND], "labels", "no whole number"),
    "a negative class": ([changed(labels=[-1])], [FOUND], "image 0, box 0", "is no class"),
    "NaN in a box": (
        [GOOD, {**GOOD, "boxes": [[0, 0, np.nan, 1]]}], [FOUND] * 2, "image 1, box 0", "finite",
    ),
    "an endless box": ([changed(boxes=[[0, 0, np.inf, 1]])], [FOUND], "image 0", "finite"),
    "width for corner": ([changed(boxes=[[50, 50, 9, 9]])], [FOUND], "image 0", "ends before"),
    "a score of 2": ([GOOD], [changed(scores=[2.0])], "predictions, scores", r"not in \[0, 1\]"),
    "a score of NaN": ([GOOD], [changed(scores=[np.nan])], "scores", r"not in \[0, 1\]"),
    "rows of four": ([GOOD], [[[[0, 0, 1, 1]]]], r"predictions\[0\]\[0\]", "not .m, 5."),
    "an unknown box mode": (
        [{"annotations": [{"bbox": [0, 0, 1, 1], "bbox_mode": 4, "category_id": 0}]}],
        [FOUND], r"labels\[0\], box 0", "bbox_mode 4",
    ),
    "a record without a box": (
        [{"annotations": [{"category_id": 0}]}], [FOUND], r"labels\[0\], box 0", "has no 'bbox'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("method", ["confident_learning", "objectlab"])
@pytest.mark.parametrize("case", list(ARRAYS))
def test_arrays(case, method):
    labels, predictions, where, what = ARRAYS[case]
    with pytest.raises(InputError) as caught:
        detection.find_label_issues(labels, predictions, method=method)
    caught.match(where)
    caught.match(what)


OPTIONS = {
    "method": ({"method": "magic"}, "method"),
    "match_iou": ({"match_iou": 1.5}, "match_iou"),
    "location_factor": ({"location_factor": -1}, "location_factor"),
    "classes twice": ({"classes": ["a", "a"]}, "has a name twice"),
    "too few classes": ({"classes": []}, "is no class of 0"),
    "text for classes": ({"classes": "ab"}, "Pass a list of names"),
    "ids": ({"ids": [1, 2, 3]}, "ids"),
    "alpha": ({"alpha": 2, "method": "objectlab"}, "alpha"),
    "weights that miss one": (
        {"aggregation_weights": {"swap": 1}, "method": "objectlab"}, "weight for",
    ),
    "weights of sum 2": (
        {
            "aggregation_weights": {"swap": 1, "badloc": 1, "overlooked": 0},
            "method": "objectlab",
        },
        "sum to 2",
    ),
    "diagonal without sizes": (
        {"distance_unit": "diagonal", "method": "objectlab"}, "image_sizes",
    ),
    "sizes of zero": ({"image_sizes": [[0, 5]], "method": "objectlab"}, r"image_sizes\[0\]"),
    "a factor below zero": ({"swap_factor": -1, "method": "objectlab"}, "swap_factor"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(OPTIONS))
def test_options(case):
    options, message = OPTIONS[case]
    with pytest.raises(InputError, match=message):
        detection.find_label_issues([GOOD], [FOUND], **options)


def test_relative_boxes_are_no_pixels():
    """DIVERGE 14-01."""
    small = [{**GOOD, "boxes": [[0, 0, 0.5, 0.5]]}]
    with pytest.raises(InputError, match="look like shares"):
        detection.get_label_quality_scores(
            small, [{**small[0], "scores": [0.9]}], method="objectlab"
        )


def coco(**changes):
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 100}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    for path, value in changes.items():
        key, _, field = path.partition("__")
        if field:
            content[key] = [{**content[key][0], field: value}]
        else:
            content[key] = value
    return json.dumps(content)


COCO = {
    "no categories": (coco(categories=[]), "lists no categories"),
    "no list of images": (coco(images=3), "is no COCO file"),
    "an image without an id": (coco(images__id=None), r"images\[0\].*has no id"),
    "an id twice": (coco(images=[{"id": 1}, {"id": 1}]), r"images\[1\].*another has"),
    "a dangling image": (coco(annotations__image_id=9), r"annotations\[0\].*image_id 9"),
    "a dangling category": (coco(annotations__category_id=9), "category_id 9"),
    "a category of text": (coco(annotations__category_id="1"), "category_id '1'"),
    "no bbox": (coco(annotations__bbox=None), "has no bbox"),
    "three numbers": (coco(annotations__bbox=[1, 2, 3]), r"has the bbox \[1, 2, 3\]"),
    "a number of text": (coco(annotations__bbox=["1", 2, 3, 4]), r'has the bbox \["1", 2, 3, 4\]'),
    "NaN": (coco(annotations__bbox=[float("nan"), 2, 3, 4]), r"has the bbox \[NaN, 2, 3, 4\]"),
    "a negative width": (coco(annotations__bbox=[1, 2, -3, 4]), r"has the bbox \[1, 2, -3, 4\]"),
    "true for a number": (coco(annotations__bbox=[True, 2, 3, 4]), r"the bbox \[true, 2, 3, 4\]"),
    "annotations that are none": (coco(annotations=["x"]), "JSON string, not an object"),
    "half a file": (coco()[:-9], "is not JSON"),
    "JSON of something else": ('{"a": 1}', "is JSON of an unknown kind"),
    "results for labels": ('[{"image_id": 1, "score": 1}]', "is a file of COCO results"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(COCO))
def test_coco(case, tmp_path):
    text, message = COCO[case]
    (tmp_path / "boxes.json").write_text(text)
    with pytest.raises(InputError, match=message):
        detection.read(tmp_path / "boxes.json")


def result(**changes):
    entry = {"image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5], "score": 0.5}
    return json.dumps([{**entry, **changes}])


RESULTS = {
    "a score of 7": (result(score=7), "score 7, not in"),
    "a score of text": (result(score="0.5"), "score '0.5'"),
    "an unknown category": (result(category_id=44), "boxes of class 44"),
    "another image": (result(image_id=77), "none is the same"),
    "no image": (result(image_id=None), "image_id null, which is no id"),
    "a mask of runs that do not fill it": (
        result(bbox=None, segmentation={"size": [5, 5], "counts": [3]}), ".* is no mask",
    ),
    "a mask of no size": (
        result(bbox=None, segmentation={"size": [5], "counts": [3]}), ".* is no mask",
    ),
    "a polygon of two points": (
        result(bbox=None, segmentation=[[1, 1, 2, 2]]), r"\[\[1, 1, 2, 2\]\] is no mask",
    ),
    "labels for predictions": (coco(), "which has no scores"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(RESULTS))
def test_coco_results(case, tmp_path):
    text, message = RESULTS[case]
    (tmp_path / "boxes.json").write_text(coco())
    (tmp_path / "found.json").write_text(text)
    with pytest.raises(InputError, match=message):
        detection.read(tmp_path / "boxes.json", predictions=tmp_path / "found.json")


OBJECT = (
    "<object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax>"
    "</bndbox></object>"
)
FOLDERS = {
    "a missing corner": ("a.xml", OBJECT.replace("<xmax>5</xmax>", ""), "has no xmax"),
    "a corner of text": ("a.xml", OBJECT.replace("<xmax>5", "<xmax>wide"), "'wide' for xmax"),
    "no name": ("a.xml", OBJECT.replace("cat", " "), "object 1.*has no name"),
    "corners in the wrong order": ("a.xml", OBJECT.replace("<xmin>1", "<xmin>9"), "has a box from"),
    "half an XML file": ("a.xml", "!<annotation><object><na", "is not XML"),
    "entities": (
        "a.xml", '!<!DOCTYPE annotation [<!ENTITY a "aaaa">]><annotation>&a;</annotation>',
        "declares a document type",
    ),
    "another root": ("a.xml", "!<html/>", "is of <html>"),
    "too few fields": ("a.txt", "0 0.5 0.5", "line 1.*has 3 fields"),
    "text for a number": ("a.txt", "0 0.5 0.5 0.1 wide", "'wide' where a number"),
    "a hexadecimal": ("a.txt", "0 0.5 0.5 0.1 0x1", "'0x1' where a number"),
    "a size below zero": ("a.txt", "0 0.5 0.5 -0.1 0.1", "box of|has a box from"),
    "not UTF-8": ("a.txt", b"\xff\xfe 0.5", "is not UTF-8"),
    "an empty folder": ("a.md", "x", "has no text files"),
    "a shape without a name": ("a.txt", "0 100 100 wide 5 6 7 8", "'wide' where a number"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(FOLDERS))
def test_folders(case, tmp_path):
    name, text, message = FOLDERS[case]
    folder = tmp_path / "labels"
    folder.mkdir()
    if isinstance(text, bytes):
        (folder / name).write_bytes(text)
    elif text.startswith("!"):
        (folder / name).write_text(text[1:])
    else:
        is_xml = name.endswith("xml")
        (folder / name).write_text(f"<annotation>{text}</annotation>" if is_xml else text)
    with pytest.raises(InputError, match=message):
        detection.read(folder)


TABLES = {
    "no columns of boxes": ("image,class\na,cat\n", "no box is known by these"),
    "a number of text": (
        "image,class,x1,y1,x2,y2\na,cat,1,1,wide,5\n",
        "row 1: has 'wide' in column 'x2'",
    ),
    "no class": ("image,class,x1,y1,x2,y2\na,,1,1,5,5\n", "row 1.*has no class"),
    "corners in the wrong order": ("image,class,x1,y1,x2,y2\na,cat,9,1,5,5\n", "has a box from"),
    "infinite": ("image,class,x1,y1,x2,y2\na,cat,1,1,1e400,5\n", "which is no place in an image"),
}


@pytest.mark.parametrize("case", list(TABLES))
def test_tables(case, tmp_path):
    text, message = TABLES[case]
    (tmp_path / "boxes.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        detection.read(tmp_path / "boxes.csv")


def test_names(tmp_path, made):
    labels = made.labels("yolo")
    for text, message in (
        ("names: [cat, cat]", "names 'cat' twice"),
        ("names: {1: cat}", "does not number its names"),
        ("nc: 2", "has no names"),
        ("a: [", "is no YAML"),
        ("!!python/object/apply:os.system ['true']", "has no names"),
        ("names: [cat]", "is of '1', and 0 are the classes"),
    ):
        (made.folder / "data.yaml").write_text(text)
        with pytest.raises(InputError, match=message):
            detection.read(labels)


def test_units_that_need_sizes(made):
    labels, found = made.labels("yolo"), made.predictions("text")
    (made.folder / "images").rename(made.folder / "pictures")
    with pytest.raises(InputError, match=r"size of 'img_000\.txt' is not known"):
        detection.read(labels, predictions=found)
    data = detection.read(labels, predictions=found, images=made.folder / "pictures")
    assert data.is_relative
    assert data.predictions.boxes.max() <= 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"example": 99}, "names example 99"),
        ({"part": 9}, "box 9 of image 5"),
        ({"action": "burn"}, "'burn'"),
        ({"suggested": "cow"}, "which is no class"),
        (
            {"action": "move", "part": 0, "x1": np.nan},
            "which a new box needs|ends before it begins",
        ),
    ],
)
def test_corrections(changes, message, made):
    import pandas as pd

    data = detection.read(made.labels("coco"))
    row = {"example": 5, "part": 0, "suggested": "dog", "action": "relabel", "x1": 1.0, "y1": 1.0,
           "x2": 5.0, "y2": 5.0}  # fmt: skip
    out = made.folder / "out.json"
    with pytest.raises(InputError, match=message):
        detection.export(data.source, pd.DataFrame([{**row, **changes}]), out)
    assert not out.exists()


def test_a_dataset_that_changed_is_not_written(made):
    for format in ("voc", "yolo", "coco"):
        path = made.labels(format)
        data = detection.read(path)
        file = path if path.is_file() else next(path.glob("img_*"))
        file.write_bytes(file.read_bytes() + b" ")
        import pandas as pd

        empty = pd.DataFrame({"example": [], "part": [], "suggested": []})
        with pytest.raises(InputError, match=r"changed|differ|not the file|has other"):
            detection.export(data.source, empty, made.folder / f"out_{format}")
        assert not (made.folder / f"out_{format}").exists()


def test_the_command_says_it_in_a_line(tmp_path, capsys):
    (tmp_path / "boxes.json").write_text(coco(annotations__image_id=9))
    (tmp_path / "found.json").write_text(result())
    code = main(
        ["audit", "detection", str(tmp_path / "boxes.json"), "--predictions",
         str(tmp_path / "found.json"), "--out", str(tmp_path / "out")]
    )  # fmt: skip
    assert code == 2
    error = capsys.readouterr().err
    assert error.startswith("goldlabel: ")
    assert "annotations[0]" in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()
