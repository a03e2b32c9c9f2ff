"""What is wrong is said: where, what, how many, and what to do; never a wrong answer."""

from __future__ import annotations

import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from goldlabel import InputError
from goldlabel.cli import main
from goldlabel.tasks import segmentation
from goldlabel.tasks.segmentation import InstanceMasks

LABELS = np.zeros((2, 3, 4), dtype=np.uint8)
LABELS[:, :, 2:] = 1
PROBS = np.stack([1 - 0.8 * LABELS - 0.1, 0.8 * LABELS + 0.1], axis=1)


def labels(at, value):
    changed = LABELS.astype(np.int64)
    changed[at] = value
    return changed


def probs(at, value):
    changed = PROBS.copy()
    changed[at] = value
    return changed


ARRAYS = {
    "class above k": (labels((1, 2, 3), 2), PROBS, {}, r"labels\[1\]\[2, 3\]: is 2, but.*0 \.\. 1"),
    "void not named": (
        labels((slice(None), 0), 255),
        PROBS,
        {},
        r"labels\[0\]\[0, 0\]: is 255.*4 such pixels.*2 of 2 images.*ignore_index=255",
    ),
    "negative class": (labels((0, 1, 1), -1), PROBS, {}, r"labels\[0\]\[1, 1\]: is -1"),
    "beyond 32 bits": (labels((0, 0, 0), 2**40), PROBS, {}, r"labels\[0\].*is 1099511627776"),
    "fractions": (LABELS + 0.5, PROBS, {}, r"labels\[0\]: has dtype float64, not whole"),
    "missing labels": (np.where(LABELS, np.nan, 0.0), PROBS, {}, r"labels\[0\]: has dtype"),
    "text": (LABELS.astype(str), PROBS, {}, r"labels\[0\]: has dtype"),
    "labels in colours": (
        [np.zeros((3, 4, 3))] * 2,
        PROBS,
        {},
        r"labels\[0\]: has shape.*\(h, w\)",
    ),
    "one mask": (LABELS[0], PROBS, {}, r"labels: has shape \(3, 4\)"),
    "not labels": ("masks.png", PROBS, {}, "labels: is a str"),
    "a number": (7, PROBS, {}, "labels: is a int"),
    "masked array": (np.ma.masked_equal(LABELS, 1), PROBS, {}, "labels: is a masked array"),
    "ragged mask": ([[[0, 1], [0]]] * 2, PROBS, {}, r"labels\[0\]: is no array"),
    "empty mask": ([np.zeros((0, 4), int)] * 2, PROBS, {}, r"labels\[0\]: is empty"),
    "fewer masks": (LABELS[:1], PROBS, {}, "pred_probs: has 2 images, and labels has 1"),
    "another size": (LABELS[:, :2], PROBS, {}, r"pred_probs\[0\]: is of 3 x 4 pixels.*2 x 4"),
    "transposed": (LABELS.swapaxes(1, 2), PROBS, {}, r"pred_probs\[0\]: is of 3 x 4"),
    "one prediction": (LABELS, PROBS[0], {}, r"pred_probs: has shape \(2, 3, 4\)"),
    "planes differ": (LABELS, [PROBS[0], PROBS[1, :1]], {}, r"pred_probs\[1\]: has shape \(1, 3"),
    "no planes": (LABELS, PROBS[:, :0], {}, r"pred_probs\[0\]: has shape \(0, 3, 4\)"),
    "text predicted": (LABELS, PROBS.astype(str), {}, r"pred_probs\[0\]: has dtype"),
    "NaN": (
        LABELS,
        probs((1, 1, slice(None), 0), np.nan),
        {},
        r"pred_probs\[1\]\[1, 0, 0\]: is nan.*3 such",
    ),
    "NaN in the first class": (
        LABELS,
        probs((0, 0, 2, 3), np.nan),
        {},
        r"\[0\]\[0, 2, 3\]: is nan",
    ),
    "infinite": (LABELS, probs((0, 1, 0, 0), np.inf), {}, r"pred_probs\[0\]\[1, 0, 0\]: is inf"),
    "logits": (LABELS, np.log(PROBS) + 3, {}, r"pred_probs\[0\].*softmax"),
    "negative": (LABELS, probs((1, 0, 1, 1), -0.25), {}, r"pred_probs\[1\]\[0, 1, 1\]: is -0.25"),
    "names": (LABELS, PROBS, {"classes": ["a"]}, "classes: has 1 names"),
    "names twice": (LABELS, PROBS, {"classes": ["a", "a"]}, r"classes\[1\]: is 'a'"),
    "ids": (LABELS, PROBS, {"ids": [1]}, "ids: has shape"),
    "threshold": (LABELS, PROBS, {"threshold": 1.5}, "threshold: is 1.5"),
    "temperature": (
        LABELS,
        PROBS,
        {"temperature": -1, "rank_by": "softmin"},
        "temperature: is -1",
    ),
    "rank_by": (LABELS, PROBS, {"rank_by": "min"}, "rank_by: is 'min'"),
    "downsample": (LABELS, PROBS, {"downsample": 0}, "downsample: is 0"),
    "ignore_index": (LABELS, PROBS, {"ignore_index": "void"}, "ignore_index: is 'v'"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name):
    given, predicted, options, message = ARRAYS[name]
    with pytest.raises(InputError, match=message):
        segmentation.find_label_issues(given, predicted, **options)


@pytest.mark.parametrize("broken", [np.nan, -1.0, 5.0])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_any_type_and_place(broken, dtype):
    for at in np.ndindex(PROBS.shape):
        with pytest.raises(InputError, match=r"pred_probs\[{}\]\[{}, {}, {}\]".format(*at)):
            segmentation.get_label_quality_scores(LABELS, probs(at, broken).astype(dtype))


@pytest.mark.parametrize(
    ("scores", "pixels", "threshold", "message"),
    [
        (None, None, 0.1, "image_scores"),
        ([[0.5]], None, 0.1, "image_scores: has shape"),
        ([0.5], None, 2, "threshold: is 2"),
        ([0.5], None, None, "threshold: is None"),
        ([0.5], np.zeros((2, 1, 1)), 0.1, "pixel_scores: has 2 images"),
    ],
)
def test_issues_from_scores(scores, pixels, threshold, message):
    with pytest.raises(InputError, match=message):
        segmentation.issues_from_scores(scores, pixels, threshold=threshold)


# Files


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "masks").mkdir()
    for at, mask in enumerate(LABELS):
        Image.fromarray(mask).save(tmp_path / "masks" / f"{at}.png")
    np.save(tmp_path / "probs.npy", PROBS)
    return tmp_path


def png_bomb():
    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def colour_mask(folder):
    Image.fromarray(np.zeros((3, 4, 3), np.uint8)).save(folder / "masks" / "0.png")


def strange_colour(folder):
    for at in "01":
        Image.fromarray(np.full((3, 4, 3), 9, np.uint8)).save(folder / "masks" / f"{at}.png")
    (folder / "table.txt").write_text("road 0 0 0\ncar 1 2 3\n")


def mixed_modes(folder):
    strange_colour(folder)
    (folder / "table.txt").write_text("road 0 0 0\ncar 9 9 9\n")
    Image.fromarray(LABELS[1]).save(folder / "masks" / "1.png")


def write(name, content):
    def change(folder):
        if isinstance(content, np.ndarray):
            np.save(folder / name, content)
        else:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return change


def new(folder):
    folder.mkdir()
    return folder


def no_masks(folder):
    for path in (folder / "masks").iterdir():
        path.unlink()


FILES = {
    "class above k": (
        write("masks/1.png", b""),
        {},
        r"1\.png: is no mask that can be read",
    ),
    "bomb": (write("masks/1.png", png_bomb()), {}, r"1\.png: is no mask that can be read"),
    "no masks": (no_masks, {}, "masks: holds no masks"),
    "colours without a table": (colour_mask, {}, r"0\.png: is a mask in colours \(RGB\)"),
    "colour not in the table": (
        strange_colour,
        {"palette": "table.txt"},
        r"pixel \(0, 0\): has the colour \(9, 9, 9\)",
    ),
    "modes differ": (mixed_modes, {"palette": "table.txt"}, r"1\.png: has the mode L"),
    "table of words and numbers": (
        write("table.txt", "road 0 0 0\ncar 7\n"),
        {"palette": "table.txt"},
        "line 2: has 1 numbers",
    ),
    "table with a class twice": (
        write("table.txt", "road\nroad\n"),
        {"palette": "table.txt"},
        "line 2: has the name 'road' again",
    ),
    "value not a class": (
        write("table.txt", "0 road\n7 car\n"),
        {"palette": "table.txt"},
        r"pixel \(2, 0\): has the value 1.*--ignore 1",
    ),
    "no such predictions": (lambda folder: None, {"pred_probs": "x.npy"}, "x.npy: does not exist"),
    "predictions are text": (write("probs.npy", "a,b"), {}, "is no .npy or .npz file"),
    "pickled predictions": (
        write("probs.npy", np.array([None, 1])),
        {},
        "probs.npy: is not an array that can be read",
    ),
    "predictions cut short": (
        lambda folder: (folder / "probs.npy").write_bytes(
            (folder / "probs.npy").read_bytes()[:200]
        ),
        {},
        "probs.npy: is not an array",
    ),
    "fewer predictions": (write("probs.npy", PROBS[:1]), {}, "predictions of 1 images.*2 masks"),
    "other classes": (
        write("classes.txt", "road\ncar\nsky\n"),
        {},
        "there are 3 classes",
    ),
    "sizes that do not fit": (
        write("probs.npy", PROBS[:, :, :2, :3]),
        {},
        "is predicted as 2 x 3 pixels, and its mask has 3 x 4",
    ),
    "NaN": (write("probs.npy", probs((0, 0, 0, 0), np.nan)), {}, r"\[0, 0, 0\]: is nan"),
    "unknown ignored class": (lambda folder: None, {"ignore": ["tree"]}, "ignore: names 'tree'"),
    "pictures of others": (
        lambda folder: Image.new("RGB", (4, 3)).save(new(folder / "pictures") / "cat.png"),
        {"images": "pictures"},
        "has no picture named like a mask",
    ),
    "no predictions at all": (lambda folder: None, {"pred_probs": None}, "pred_probs: is missing"),
    "both kinds": (lambda folder: None, {"predictions": "probs.npy"}, "is given along with"),
}


@pytest.mark.parametrize("name", FILES)
def test_files(folder, name, capsys):
    change, options, message = FILES[name]
    change(folder)
    paths = {"pred_probs": "probs.npy", **options}
    for key in ("pred_probs", "predictions", "palette", "images"):
        if paths.get(key) is not None:
            paths[key] = folder / paths[key]
    with pytest.raises(InputError, match=message):
        segmentation.audit(folder / "masks", **paths)
    words = ["audit", "segmentation", str(folder / "masks"), "--out", str(folder / "out")]
    for key, value in paths.items():
        if value is not None:
            text = ",".join(value) if isinstance(value, list) else str(value)
            words += [f"--{key.replace('_', '-')}", text]
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("goldlabel: ")
    assert not (folder / "out").exists()


IMAGE = {"id": 1, "file_name": "a.jpg", "height": 6, "width": 8}
SQUARE = [1, 1, 5, 1, 5, 4, 1, 4]


def coco(**changes):
    annotation = {"id": 5, "image_id": 1, "category_id": 3, "segmentation": [SQUARE]}
    content = {
        "images": [IMAGE],
        "categories": [{"id": 3, "name": "cell"}],
        "annotations": [{**annotation, **changes.pop("annotation", {})}],
        **changes,
    }
    return json.dumps(content)


def result(**changes):
    each = {"image_id": 1, "category_id": 3, "segmentation": [SQUARE], "score": 0.9}
    return json.dumps([{**each, **changes}])


INSTANCES = {
    "no coco": ("[]", result(), "is no COCO file"),
    "broken json": ("{", result(), "line 1, column 2: is not JSON"),
    "image unknown": (coco(annotation={"image_id": 9}), result(), "has the image_id 9"),
    "category unknown": (coco(annotation={"category_id": "x"}), result(), "category_id 'x'"),
    "no size": (coco(images=[{"id": 1}]), result(), r"images\[0\]: has the size"),
    "id twice": (coco(images=[IMAGE, IMAGE]), result(), r"images\[1\]: has the id 1"),
    "two points": (coco(annotation={"segmentation": [[1, 2, 3, 4]]}), result(), "is no polygon"),
    "point far away": (
        coco(annotation={"segmentation": [[1, 1, 1e9, 1, 5, 5]]}),
        result(),
        "has the coordinate 1e\\+09",
    ),
    "runs too long": (
        coco(annotation={"segmentation": {"size": [6, 8], "counts": [1, 2]}}),
        result(),
        "has runs of 3 pixels, and the image has 6 x 8",
    ),
    "runs of another size": (
        coco(annotation={"segmentation": {"size": [3, 8], "counts": [24]}}),
        result(),
        r"has the size \[3, 8\], and its image \[6, 8\]",
    ),
    "text that is no run lengths": (
        coco(annotation={"segmentation": {"size": [6, 8], "counts": "zzzz\x7f"}}),
        result(),
        "is no compressed run-length text",
    ),
    "negative runs": (
        coco(annotation={"segmentation": {"size": [6, 8], "counts": [-1, 49]}}),
        result(),
        "is no list of run lengths",
    ),
    "a giant image": (
        coco(annotation={"segmentation": {"size": [1 << 40, 8], "counts": []}}),
        result(),
        "has the size",
    ),
    "results are no list": (coco(), "{}", "is no file of COCO results"),
    "score": (coco(), result(score=7), r"\[0\]: has the score 7"),
    "result of another image": (coco(), result(image_id=2), "has the image_id 2"),
    "result without a mask": (coco(), result(segmentation=None), r"\[0\]: has no mask"),
}


@pytest.mark.parametrize("name", INSTANCES)
def test_instances(tmp_path, name):
    given, predicted, message = INSTANCES[name]
    (tmp_path / "given.json").write_text(given)
    (tmp_path / "results.json").write_text(predicted)
    with pytest.raises(InputError, match=message):
        segmentation.audit(tmp_path / "given.json", predictions=tmp_path / "results.json")


def test_instances_in_python():
    one = InstanceMasks.from_masks(np.ones((1, 3, 3), bool), [0])
    with pytest.raises(InputError, match="masks: is bool of shape"):
        InstanceMasks.from_masks(np.ones((3, 3), bool), [0])
    with pytest.raises(InputError, match="scores"):
        InstanceMasks.from_masks(np.ones((1, 3, 3), bool), [0], [1.5])
    with pytest.raises(InputError, match="labels"):
        InstanceMasks.from_masks(np.ones((1, 3, 3), bool), [0, 1])
    with pytest.raises(InputError, match="predictions: has 0 images"):
        segmentation.find_instance_issues([one], [])
    other = InstanceMasks.from_masks(np.ones((1, 4, 3), bool), [0])
    with pytest.raises(InputError, match="predictions: are of"):
        segmentation.find_instance_issues([one], [other])
    with pytest.raises(InputError, match="classes: has 0 names"):
        segmentation.find_instance_issues([one], [one], classes=[])
    with pytest.raises(InputError, match="ids: has shape"):
        segmentation.find_instance_issues([one], [one], ids=[1, 2])
