"""Masks as a person sees them, and answers as pixels in the dataset's own files."""

from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from mask_files import NAMES, WRITERS, brush_tasks, coco_file, dataset, panoptic_files
from PIL import Image, ImageDraw
from reviewing import write_decisions

from goldlabel.actions.export import export
from goldlabel.errors import InputError
from goldlabel.report.folder import write
from goldlabel.results.folder import read_audit
from goldlabel.scenes import Answer, Layer, Picture, Regions, as_json
from goldlabel.tasks import segmentation
from goldlabel.tasks.segmentation import runs
from goldlabel.tasks.segmentation.outlines import outline
from goldlabel.tasks.segmentation.views import view

FORMATS = [*WRITERS, "npy", "one-hot", "npz", "coco", "panoptic", "label_studio"]


def written(folder, name, labels):
    """Write masks in a format; return their path, and how they are read."""
    options = {"classes": NAMES}
    if name in WRITERS:
        writer, options = WRITERS[name]
        writer(folder / "masks", labels)
        options = {k: folder / v if k == "palette" else v for k, v in options.items()}
        return folder / "masks", options
    path = folder / f"masks.{'npz' if name == 'npz' else 'npy'}"
    if name == "npy":
        np.save(path, labels.astype(">i2"))
    elif name == "one-hot":
        np.save(path, np.moveaxis(np.eye(3, dtype=np.uint8)[labels], -1, 1))
    elif name == "npz":
        np.savez_compressed(path, labels=labels, other=np.arange(3))
    else:
        path = folder / f"{name}.json"
        if name == "panoptic":
            panoptic_files(folder, labels)
        elif name == "coco":
            path.write_text(json.dumps(coco_file(labels), indent=1))
        else:
            path.write_text(json.dumps(brush_tasks(labels), indent=2))
    return path, options


def audited(folder, name="palette", *, images=False, labels=None, **more):
    own, probs, _ = dataset()
    path, options = written(folder, name, own if labels is None else labels)
    np.save(folder / "probs.npy", probs)
    if images:
        (folder / "pictures").mkdir()
        for at in range(3):
            picture = Image.new("RGB", (32, 24), (at * 50, 90, 90))
            picture.save(folder / "pictures" / f"{at}.jpg")
        more["images"] = folder / "pictures"
    options = {"pred_probs": folder / "probs.npy", **options}
    found = segmentation.audit(path, threshold=1.0, **options, **more)
    write(found, folder / "audit")
    return path, options


def opened(folder):
    issues, source, summary = read_audit(folder / "audit")
    return view(source, issues, summary)


def masks_of(path, options):
    return np.stack([*segmentation.read(path, **options).labels])


def decided(folder, path, options, shown, answers):
    """Return the masks after an export, and what it says of itself."""
    decisions = write_decisions(folder / "decisions.csv", shown, answers)
    out = folder / ("out" + path.suffix)
    done = export(folder / "audit", out, decisions=decisions)
    inside = out / path.name if path.suffix == ".json" and out.is_dir() else out
    return masks_of(inside, options), done


def painting(pixels):
    return {"size": list(pixels.shape), "counts": runs.to_counts(runs.of_mask(pixels), pixels.size)}


@pytest.mark.parametrize("name", FORMATS)
def test_an_image_as_it_is_shown(tmp_path, name):
    audited(tmp_path, name)
    [scene] = opened(tmp_path).scenes([0])
    picture, *layers = [each for each in scene.blocks if isinstance(each, Picture | Layer)]
    assert (picture.width, picture.height, picture.upright) == (16, 12, False)
    assert [each.kind for each in layers] == ["given", "suggested", "difference"]
    [question] = scene.questions
    assert isinstance(question, Regions)
    assert (question.given, question.suggested) == ("sky", "car")
    assert question.labels == tuple(NAMES)
    assert question.paints
    [region] = question.regions
    assert (region.x, region.y, region.width, region.height) == (3, 6, 6, 4)
    assert region.outline == (((3.0, 6.0), (9.0, 6.0), (9.0, 10.0), (3.0, 10.0)),)
    json.dumps(as_json(scene))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", ["accept", "keep", "class", "drawn", "unsure"])
def test_answers_change_the_decided_pixels_alone(tmp_path, name, kind):
    path, options = audited(tmp_path, name)
    shown = opened(tmp_path)
    before = masks_of(path, options)
    expected = before.copy()
    if kind == "accept":
        expected[0, 6:10, 3:9] = 1
        answer = Answer("accept")
    elif kind == "class":
        expected[0, 6:10, 3:9] = 0
        answer = Answer("set", label="road")
    elif kind == "drawn":  # over the region, the road and the sky above
        pixels = np.zeros((12, 16), dtype=bool)
        pixels[2:8, 5:7] = pixels[11, 15] = True
        expected[0][pixels] = 1
        answer = Answer("set", label="car", paint=painting(pixels))
    else:
        answer = Answer(kind)
    after, done = decided(tmp_path, path, options, shown, [(0, 0, answer)])
    np.testing.assert_array_equal(after, expected)
    assert len(done.changes) == (kind in ("accept", "class", "drawn"))
    assert done.kept == (kind == "keep")


@pytest.mark.parametrize(
    ("paint", "label", "what"),
    [
        ({"size": [12, 15], "counts": [180]}, "car", "the mask has 12 x 16"),
        ({"size": [12, 16], "counts": [5, 2]}, "car", "runs of 7 pixels"),
        ({"size": [12, 16], "counts": [192]}, "car", "no pixel drawn"),
        ({"size": [1 << 19, 1 << 19], "counts": [1 << 38]}, "car", "the mask has"),
        ({"counts": [192]}, "car", "run lengths of size None"),
        ({"size": [12, 16], "counts": [0, 192]}, "bird", "not one of the classes"),
        ({"size": [12, 16], "counts": [0, 192]}, None, "not one of the classes"),
    ],
)
def test_paint_that_cannot_be(tmp_path, paint, label, what):
    audited(tmp_path)
    with pytest.raises(InputError, match=what):
        opened(tmp_path).changes(0, 0, Answer("set", label=label, paint=paint))


@pytest.mark.parametrize(
    "paint", ["x", "[1]", "[" * 10_000, '{"size": [12, 15], "counts": [180]}', '{"size": [12, 16]}']
)
def test_a_file_of_decisions_with_paint_that_cannot_be(tmp_path, paint):
    audited(tmp_path)
    cell = paint.replace('"', '""')
    (tmp_path / "mine.csv").write_text(f'example,part,label,paint\n0,0,car,"{cell}"\n')
    with pytest.raises(InputError, match="region 0 of example 0"):
        export(tmp_path / "audit", tmp_path / "out", decisions=tmp_path / "mine.csv")
    assert not (tmp_path / "out").exists()


def test_a_region_of_another_size_is_never_unpacked(tmp_path):
    """What an audit's folder says of a region is not trusted: it may ask for all memory."""
    audited(tmp_path)
    issues, source, summary = read_audit(tmp_path / "audit")
    side = 1 << 19
    [region] = source.options["regions"]["0"]
    rle = {"size": [side, side], "counts": runs.to_text(np.array([[0, 5]]), side * side)}
    regions = {"0": [{**region, "rle": rle}]}
    changed = dataclasses.replace(source, options={**source.options, "regions": regions})
    with pytest.raises(InputError, match="the mask has 12 x 16"):
        view(changed, issues, summary).scenes([0])
    with pytest.raises(InputError, match="the mask has 12 x 16"):
        segmentation.export(changed, issues.to_frame("part"), tmp_path / "out")


def test_layers_as_pictures(tmp_path):
    audited(tmp_path, images=True)
    shown = opened(tmp_path)
    assert shown.picture(0, "image") == tmp_path / "pictures" / "0.jpg"
    layers = {}
    for name in ("given", "suggested", "difference"):
        with Image.open(io.BytesIO(shown.picture(0, name))) as image:
            layers[name] = np.asarray(image.convert("RGBA"))
    assert layers["given"].shape == (12, 16, 4)
    assert layers["given"][8, 5].tolist() == [70, 130, 180, 128]  # sky, in its own colour
    assert layers["suggested"][8, 5].tolist() == [0, 0, 142, 128]
    np.testing.assert_array_equal(
        (layers["difference"][..., :3] > 128).any(axis=2), dataset()[0][0] != dataset()[2][0]
    )
    assert shown.picture(0, "other") is None


def test_without_pictures_layers_lie_on_a_plain_one(tmp_path):
    audited(tmp_path)
    shown = opened(tmp_path)
    name = shown.scenes([0])[0].blocks[0].name
    with Image.open(io.BytesIO(shown.picture(0, name))) as image:
        assert image.size == (16, 12)
    with Image.open(io.BytesIO(shown.picture(0, "given"))) as image:
        assert (np.asarray(image.convert("RGBA"))[..., 3] == 255).all()


def test_coarse_regions_are_those_that_the_export_repaints(tmp_path):
    labels, probs, _ = dataset()
    np.save(tmp_path / "masks.npy", np.kron(labels, np.ones((4, 4), dtype=np.uint8)))
    np.save(tmp_path / "probs.npy", probs)
    options = {"pred_probs": tmp_path / "probs.npy", "classes": NAMES}
    write(segmentation.audit(tmp_path / "masks.npy", threshold=1.0, **options), tmp_path / "audit")
    [scene] = opened(tmp_path).scenes([0])
    [region] = scene.questions[0].regions
    assert (region.x, region.y, region.width, region.height) == (12, 24, 24, 16)
    assert (scene.blocks[0].width, scene.blocks[0].height) == (64, 48)


def test_masks_that_have_changed(tmp_path):
    path, _ = audited(tmp_path, "npy")
    np.save(path, np.load(path)[::-1])
    with pytest.raises(InputError, match="changed"):
        opened(tmp_path)


def test_findings_of_other_masks(tmp_path):
    audited(tmp_path)
    issues, source, summary = read_audit(tmp_path / "audit")
    parts = dataclasses.replace(issues.parts, part=issues.parts.part + 7)
    with pytest.raises(InputError, match="other masks"):
        view(source, dataclasses.replace(issues, parts=parts), summary)


def test_pictures_lie_in_a_folder_that_the_audit_lists(tmp_path):
    audited(tmp_path, images=True)
    issues, source, summary = read_audit(tmp_path / "audit")
    for at in (99, -1, 0):
        options = {**source.options, "pictures": at}
        shown = view(dataclasses.replace(source, options=options), issues, summary)
        assert shown.picture(0, "image") is None


def test_pixels_of_no_class_can_be_given_one(tmp_path):
    labels = dataset()[0]
    labels[1, 5, 5:8] = 9
    path, options = audited(tmp_path, "npy", labels=labels)
    shown = opened(tmp_path)
    question = next(each for each in shown.scenes([1])[0].questions if each.kind == "not a class")
    assert (question.given, question.suggested) == ("9", "")
    [change] = shown.changes(1, 0, Answer("keep"))
    assert change.label == ""
    done = decided(tmp_path, path, options, shown, [(1, 0, Answer("set", label="road"))])[1]
    assert len(done.changes) == 1
    expected = labels.copy()
    expected[1, 5, 5:8] = 0
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), expected)


@pytest.fixture
def instances(tmp_path):
    """One image: a car that is called a bird, one that nobody drew, one that is none."""
    masks = np.zeros((3, 20, 30), dtype=bool)
    masks[0, 2:8, 2:10] = masks[1, 12:18, 3:9] = masks[2, 3:9, 18:26] = True
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 20, "width": 30}],
        "categories": [{"id": 1, "name": "bird"}, {"id": 2, "name": "car"}],
        "annotations": [
            {"id": at + 1, "image_id": 1, "category_id": 1, "iscrowd": 0,
             "segmentation": painting(masks[at])}
            for at in (0, 1)
        ],
    }  # fmt: skip
    results = [
        {"image_id": 1, "category_id": 2, "score": 0.95, "segmentation": painting(masks[at])}
        for at in (0, 2)
    ]
    (tmp_path / "given.json").write_text(json.dumps(content))
    (tmp_path / "results.json").write_text(json.dumps(results))
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (30, 20), "green").save(tmp_path / "pictures" / "a.jpg")
    found = segmentation.audit(
        tmp_path / "given.json", predictions=tmp_path / "results.json",
        images=tmp_path / "pictures", threshold=1.0,
    )  # fmt: skip
    write(found, tmp_path / "audit")
    return content


def test_instances(tmp_path, instances):
    shown = opened(tmp_path)
    [scene] = shown.scenes([0])
    assert shown.picture(0, "image") == tmp_path / "pictures" / "a.jpg"
    questions = {each.kind: (at, each) for at, each in enumerate(scene.questions)}
    assert set(questions) == {"missing", "spurious", "wrong class"}
    at, question = questions["wrong class"]
    assert (question.given, question.suggested) == ("bird", "car")
    assert question.labels == ("bird", "car", "nothing", "as predicted")
    [region] = question.regions
    assert (region.x, region.y, region.width, region.height) == (2, 2, 8, 6)
    assert questions["missing"][1].regions[0].x == 18
    assert not question.paints
    all_of_it = Answer("set", label="car", paint=painting(np.ones((20, 30), dtype=bool)))
    with pytest.raises(InputError, match="not taken by the export of instances"):
        shown.changes(0, at, all_of_it)
    for name in ("given", "suggested"):
        with Image.open(io.BytesIO(shown.picture(0, name))) as image:
            assert image.size == (30, 20)
    answers = [
        (0, at, Answer("accept")),
        (0, questions["spurious"][0], Answer("keep")),
        (0, questions["missing"][0], Answer("set", label="bird")),
    ]
    decisions = write_decisions(tmp_path / "decisions.csv", shown, answers)
    export(tmp_path / "audit", tmp_path / "out.json", decisions=decisions)
    new = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert [each["category_id"] for each in new] == [2, 1, 1]
    assert new[1] == instances["annotations"][1]
    (tmp_path / "paint.csv").write_text(
        'example,part,label,paint\n0,0,car,"{""size"": [20, 30], ""counts"": [0, 600]}"\n'
    )
    with pytest.raises(InputError, match="draws pixels"):
        export(tmp_path / "audit", tmp_path / "no.json", decisions=tmp_path / "paint.csv")


def test_results_that_have_changed(tmp_path, instances):
    path = tmp_path / "given.json"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(InputError, match="changed"):
        opened(tmp_path)


def test_a_class_that_a_file_has_no_way_to_say_is_refused(tmp_path):
    """Of a class that is no category, pixels would be lost."""
    labels, probs, _ = dataset()
    content = coco_file(labels)
    (tmp_path / "coco.json").write_text(json.dumps(content))
    wide = np.concatenate([probs * 0.99, np.full((3, 1, 12, 16), 0.01, np.float32)], axis=1)
    np.save(tmp_path / "probs.npy", wide)
    options = {"pred_probs": tmp_path / "probs.npy", "classes": ["road", "car", "sky", "bus"]}
    write(segmentation.audit(tmp_path / "coco.json", threshold=1.0, **options), tmp_path / "audit")
    (tmp_path / "mine.csv").write_text("example,part,label\n0,0,bus\n")
    with pytest.raises(InputError, match="'bus'"):
        export(tmp_path / "audit", tmp_path / "out.json", decisions=tmp_path / "mine.csv")


def test_a_label_without_a_stroke_gets_one(tmp_path):
    labels, probs, _ = dataset()
    (tmp_path / "a.json").write_text(json.dumps(brush_tasks(labels)))
    wide = np.concatenate([probs * 0.99, np.full((3, 1, 12, 16), 0.01, np.float32)], axis=1)
    np.save(tmp_path / "probs.npy", wide)
    options = {"pred_probs": tmp_path / "probs.npy", "classes": ["road", "car", "sky", "bus"]}
    write(segmentation.audit(tmp_path / "a.json", threshold=1.0, **options), tmp_path / "audit")
    (tmp_path / "mine.csv").write_text("example,part,label\n0,0,bus\n")
    export(tmp_path / "audit", tmp_path / "out.json", decisions=tmp_path / "mine.csv")
    after = masks_of(tmp_path / "out.json", options)
    assert (after[0, 6:10, 3:9] == 3).all()


@drawn(st.integers(0, 10**6))
@settings(deadline=None, max_examples=60)
def test_outlines_hold_the_pixels_of_a_region(seed):
    """Filled again by even and odd, corners of pixels as they are."""
    rng = np.random.default_rng(seed)
    h, w = rng.integers(1, 14, 2)
    pixels = rng.random((h, w)) < rng.random()
    inside = np.zeros((h, w), dtype=bool)
    centres_y, centres_x = np.mgrid[:h, :w] + 0.5
    for polygon in outline(pixels) if pixels.any() else ():
        for (ax, ay), (bx, by) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
            crosses = (ay > centres_y) != (by > centres_y)
            x = ax + (centres_y - ay) / np.where(by == ay, 1, by - ay) * (bx - ax)
            inside ^= crosses & (centres_x < x)
    np.testing.assert_array_equal(inside, pixels)


def test_outlines_of_ragged_regions_stay_short():
    rng = np.random.default_rng(0)
    canvas = Image.new("1", (400, 300))
    ImageDraw.Draw(canvas).ellipse((40, 30, 360, 270), fill=1)
    pixels = np.asarray(canvas) & (rng.random((300, 400)) < 0.97)
    polygons = outline(pixels)
    assert 4 <= sum(map(len, polygons)) <= 500
    xs = [x for each in polygons for x, _ in each]
    assert (min(xs), max(xs)) == (pytest.approx(40, abs=3), pytest.approx(361, abs=3))
