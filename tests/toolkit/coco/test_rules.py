"""For each code a file that has it, and one that nearly does."""

from __future__ import annotations

import json

import numpy as np
import pytest
from coco_files import annotation, clean, predictions, square, write
from PIL import Image

from goldlabel.coco import RULES, check_coco

CASES = []
PREDICTION_CASES = []


def case(code, path, bad, fine):
    """Add a case: `bad` and `fine` spoil a clean file in place, or return another content."""
    CASES.append(pytest.param(code, path, bad, fine, id=f"{code} {path}"))


def spoiled(spoil, content):
    return spoil(content) or content


def put(section, row, **values):
    """Return what sets members of an entry; ... takes one away."""

    def spoil(content):
        entry = (content[section] if section else content)[row]
        for name, value in values.items():
            if value is ...:
                entry.pop(name)
            else:
                entry[name] = value

    return spoil


def text(old, new):
    """Return what replaces a piece of the file's text, once."""

    def spoil(content):
        written = json.dumps(content)
        assert old in written
        return written.replace(old, new, 1)

    return spoil


def add(section, *entries):
    return lambda content: content[section].extend(entries)


def both(*spoils):
    def spoil(content):
        for each in spoils:
            each(content)

    return spoil


def ann(row=0, **values):
    return put("annotations", row, **values)


def segmentation(value, **more):
    return ann(0, segmentation=value, **more)


def rle(counts, size=(80, 100), **more):
    return segmentation({"size": list(size), "counts": counts}, **more)


def nothing(content):
    pass


A0 = "$.annotations[0]"

# Bytes and JSON
case(
    "byte-order-mark",
    "$",
    lambda c: b"\xef\xbb\xbf" + json.dumps(c).encode(),
    lambda c: "\n " + json.dumps(c),
)
case(
    "invalid-utf8",
    "$.images[0].file_name",
    lambda c: json.dumps(c).encode().replace(b"one", b"on\xe9"),
    lambda c: json.dumps(c).encode().replace(b"one", "oné".encode()),
)
case("not-finite", f"{A0}.area", text('"area": 400', '"area": NaN'), nothing)
case("not-finite", f"{A0}.bbox[2]", text("[10, 10, 20", "[10, 10, -Infinity"), nothing)
case(
    "not-finite",
    f"{A0}.segmentation[0][1]",
    text("[[10, 10, ", "[[10, 1e999, "),
    text("[[10, 10, ", "[[10, 0.01e3, "),
)
case("not-finite", "$.info.year", text("2026", "1" * 400), text("2026", "1" * 300))
case("not-finite", "$.info.year", text("2026", "9e308"), text("2026", "1.7e308"))
case(
    "duplicate-key",
    f"{A0}.id",
    text('"id": 11', '"id": 10, "id": 11'),
    text('"id": 11', '"id": 11, "Id": 11'),
)
case(
    "duplicate-key",
    f"{A0}.id",
    text('"id": 11', '"\\u0069d": 11, "id": 11'),
    text('"id": 11', '"\\u0069\\u0069d": 11, "id": 11'),
)
case(
    "duplicate-key",
    "$.info.b",
    text('"year": 2026', '"b": 1, "a": {"b": 1}, "b": 2'),
    text('"year": 2026', '"b": 1, "a": {"b": 1}, "c": 2'),
)
MANY = ", ".join(f'"k{i}": {i}' for i in range(100))
case(
    "duplicate-key",
    "$.info.k70",
    text('"year": 2026', MANY + ', "k70": 70'),
    text('"year": 2026', MANY),
)
case("duplicate-key", "$.images", text('"info"', '"images": [], "info"'), nothing)

# Sections and types
case("missing-section", "$", lambda c: c.pop("categories") and None, nothing)
case(
    "missing-section",
    "$.annotations",
    lambda c: c.update(annotations={}),
    lambda c: c.update(annotations=[]),
)
case("not-an-object", "$.images[2]", add("images", None), nothing)
case("not-an-object", "$.annotations[4]", add("annotations", [1, [2]]), nothing)
case("field-missing", "$.images[1]", put("images", 1, height=...), nothing)
case(
    "field-missing",
    "$.images[1].file_name",
    put("images", 1, file_name=None),
    put("images", 1, license=None),
)
case("field-missing", "$.categories[0]", put("categories", 0, name=...), nothing)
case("field-missing", A0, ann(id=...), nothing)
case("field-missing", A0, ann(category_id=...), nothing)
case("wrong-type", f"{A0}.area", ann(area="large"), ann(area=4e2))
case("wrong-type", f"{A0}.area", ann(area=[400]), nothing)
case("wrong-type", f"{A0}.image_id", ann(image_id=True), nothing)
case("wrong-type", "$.images[0].file_name", put("images", 0, file_name=7), nothing)
case(
    "wrong-type",
    "$.images[0].width",
    put("images", 0, width="0x64"),
    put("images", 0, width=100.0),
)
case("number-as-string", "$.images[0].width", put("images", 0, width="100"), nothing)
case("number-as-string", f"{A0}.bbox", ann(bbox=["10", "10", 20, 20]), nothing)
case("number-as-string", f"{A0}.iscrowd", ann(iscrowd="0"), nothing)
case("id-not-integer", f"{A0}.image_id", ann(image_id="1"), nothing)
case("id-not-integer", f"{A0}.id", ann(id=11.0), nothing)
case("id-not-integer", f"{A0}.id", ann(id="a11"), ann(id=2**60))

# Ids
case("duplicate-image-id", "$.images[1].id", put("images", 1, id=1), nothing)
case("duplicate-annotation-id", "$.annotations[2].id", ann(2, id=12), ann(2, id=15))
case("duplicate-category-id", "$.categories[1].id", put("categories", 1, id=1), nothing)
case(
    "annotation-id-zero",
    f"{A0}.id",
    ann(id=0),
    both(put("images", 0, id=0), ann(image_id=0), ann(1, image_id=0)),
)
case("dangling-image-id", f"{A0}.image_id", ann(image_id=3), ann(image_id="1"))
case("dangling-image-id", f"{A0}.image_id", ann(image_id="one"), ann(image_id=1.0))
case("dangling-category-id", f"{A0}.category_id", ann(category_id=0), nothing)

# Images and categories
case("image-size-invalid", "$.images[0].width", put("images", 0, width=0), nothing)
case("image-size-invalid", "$.images[0].height", put("images", 0, height=80.5), nothing)
case(
    "duplicate-file-name",
    "$.images[1].file_name",
    put("images", 1, file_name="one.png"),
    put("images", 1, file_name="One.png"),
)
case(
    "file-name-unsafe",
    "$.images[0].file_name",
    put("images", 0, file_name="../one.png"),
    put("images", 0, file_name="a..b/one.png"),
)
case(
    "duplicate-category-name",
    "$.categories[1].name",
    put("categories", 1, name=" Cat"),
    put("categories", 1, name="cats"),
)
case("category-unused", "$.categories[2]", add("categories", {"id": 3, "name": "cow"}), nothing)


def unbalanced(count):
    def spoil(content):
        some = [annotation(100 + i, 1, 1, i % 50, i % 7 + i // 50, 9 + i % 3) for i in range(count)]
        content["annotations"] = [content["annotations"][3], *some]

    return spoil


case("class-imbalance", "$.categories", unbalanced(101), unbalanced(100))
case(
    "image-without-annotations",
    "$.images[2]",
    add("images", {"id": 3, "file_name": "3.png", "width": 9, "height": 9}),
    nothing,
)

# Boxes
case("bbox-missing", A0, ann(bbox=...), nothing)
case("bbox-missing", f"{A0}.bbox", ann(bbox=None), nothing)
case("bbox-format", f"{A0}.bbox", ann(bbox=[10, 10, 20]), nothing)
case("bbox-format", f"{A0}.bbox", ann(bbox=[10, 10, 20, 20, 0]), nothing)
case("bbox-format", f"{A0}.bbox", ann(bbox={"x": 10}), nothing)
case("bbox-format", f"{A0}.bbox", ann(bbox=[10, 10, 20, "wide"]), nothing)
case("bbox-zero-size", f"{A0}.bbox", ann(bbox=[10, 10, 20, 0]), ann(bbox=[10, 10, 20, 0.01]))
case("bbox-negative-size", f"{A0}.bbox", ann(bbox=[30, 10, -20, 20]), ann(bbox=[10, 10, 20, 0]))
case("bbox-outside-image", f"{A0}.bbox", ann(bbox=[100, 10, 5, 5]), ann(bbox=[99, 10, 5, 5]))
case("bbox-exceeds-image", f"{A0}.bbox", ann(bbox=[90, 10, 11.5, 5]), ann(bbox=[90, 10, 11, 5]))
case("bbox-exceeds-image", f"{A0}.bbox", ann(bbox=[9, -1.5, 11, 5]), ann(bbox=[9, -1, 11, 5]))


def boxes(*each):
    def spoil(content):
        content["annotations"] = [
            {"id": i + 1, "image_id": 1, "category_id": 1 + i % 2, "bbox": box, "area": 1}
            for i, box in enumerate(each)
        ]

    return spoil


SMALL = [[5 * i, 4 * i, 6 + i, 5 + i] for i in range(12)]
LATE = [[30 + 3 * i, 30 + i, 40 + i, 30 + i] for i in range(12)]
CORNERS = [[30 + 3 * i, 30 + 2 * i, 70 + 2 * i, 60 + i] for i in range(12)]
case("bbox-convention", "$.annotations", boxes(*CORNERS), boxes(*SMALL, *LATE))
SHARES = [[0.01 * i, 0.02, 0.3, 0.4] for i in range(12)]
case("bbox-convention", "$.annotations", boxes(*SHARES), boxes(*SHARES, [0, 0, 9, 9]))

# Areas
case("area-missing", A0, ann(area=...), ann(area=0.5))
case("area-invalid", f"{A0}.area", ann(area=-1), nothing)
case("area-invalid", f"{A0}.area", ann(area=0), ann(area=0.01))
case("area-mismatch", f"{A0}.area", ann(area=200), ann(area=380))
case(
    "area-mismatch",
    f"{A0}.area",
    ann(area=900, segmentation=...),
    ann(area=200, segmentation=...),
)

# Masks
case("segmentation-format", f"{A0}.segmentation", segmentation("mask"), nothing)
case("segmentation-format", f"{A0}.segmentation", segmentation([[1, 2, "3", 4, 5, 6]]), nothing)
case("segmentation-format", f"{A0}.segmentation", segmentation([square(10, 10, 20), 5]), nothing)
case("segmentation-empty", f"{A0}.segmentation", segmentation([]), segmentation(...))
case("polygon-not-nested", f"{A0}.segmentation", segmentation(square(10, 10, 20)), nothing)
case(
    "polygon-odd-length",
    f"{A0}.segmentation[1]",
    segmentation([square(10, 10, 20), [1, 2, 3, 4, 5, 6, 7]]),
    segmentation([square(10, 10, 20), [1, 2, 3, 4, 5, 7]]),
)
case(
    "polygon-too-short",
    f"{A0}.segmentation[0]",
    segmentation([[10, 10, 30, 30]]),
    segmentation([[10, 10, 30, 30, 10, 30]]),
)
case(
    "polygon-empty-part",
    f"{A0}.segmentation[1]",
    segmentation([square(10, 10, 20), [], [5, 5]]),
    segmentation([square(10, 10, 20), [5, 5, 6, 6]]),
)
case(
    "polygon-no-area",
    f"{A0}.segmentation[0]",
    segmentation([[10, 10, 20, 20, 30, 30]]),
    segmentation([[10, 10, 20, 20.001, 30, 30]]),
)
case(
    "polygon-exceeds-image",
    f"{A0}.segmentation",
    segmentation([[10, 10, 101.5, 10, 101.5, 30, 10, 30]]),
    segmentation([[10, 10, 101, 10, 101, 30, 10, 30]]),
)
case(
    "polygon-crosses-itself",
    f"{A0}.segmentation[0]",
    segmentation([[10, 10, 30, 30, 30, 10, 10, 29]]),
    segmentation([[10, 10, 30, 10, 20, 20, 30, 30, 10, 30, 20, 20]]),  # touches
)


def round_polygon(n):
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    points = np.stack([20 + 10 * np.cos(angle), 20 + 10 * np.sin(angle)], axis=1)
    return segmentation([points.round(6).ravel().tolist()])


case(
    "polygon-not-searched",
    f"{A0}.segmentation[0]",
    round_polygon(4100),
    round_polygon(4096),
)
FULL = [810, 20, *[60, 20] * 19, 6030 + 20]
FULL[-1] = 8000 - sum(FULL[:-1])
case("rle-malformed", f"{A0}.segmentation", rle([8000.5]), nothing)
case("rle-malformed", f"{A0}.segmentation", rle([9000, -1000]), nothing)
case("rle-malformed", f"{A0}.segmentation", rle("x~"), nothing)
case("rle-malformed", f"{A0}.segmentation", rle([8000], size=(80,)), nothing)
case("rle-malformed", f"{A0}.segmentation", segmentation({"size": [80, 100]}), nothing)
case(
    "rle-size-mismatch",
    f"{A0}.segmentation",
    rle(FULL, size=(100, 80), iscrowd=1),
    rle(FULL, iscrowd=1),
)
case(
    "rle-count-mismatch",
    f"{A0}.segmentation",
    rle([*FULL[:-1], FULL[-1] - 1], iscrowd=1),
    rle(FULL, iscrowd=1),
)
case(
    "rle-without-crowd",
    f"{A0}.segmentation",
    rle(FULL),
    rle(FULL, iscrowd=1),
)
case("crowd-with-polygon", f"{A0}.segmentation", ann(iscrowd=1), rle(FULL, iscrowd=1))
case("iscrowd-invalid", f"{A0}.iscrowd", ann(iscrowd=2), nothing)
case("iscrowd-invalid", f"{A0}.iscrowd", ann(iscrowd=True), ann(iscrowd=0.0))
case("iscrowd-missing", A0, ann(iscrowd=...), nothing)
case(
    "iscrowd-missing",
    "$.annotations",
    lambda c: [each.pop("iscrowd") for each in c["annotations"]] and None,
    nothing,
)
case(
    "bbox-mask-mismatch",
    f"{A0}.bbox",
    ann(bbox=[10, 10, 20, 23]),
    ann(bbox=[10, 10, 20, 22]),
)
case(
    "bbox-mask-mismatch",
    f"{A0}.bbox",
    rle(FULL, iscrowd=1, bbox=[13, 10, 20, 20]),
    rle(FULL, iscrowd=1),
)

# Overlaps
case(
    "exact-duplicate",
    "$.annotations[4]",
    add("annotations", annotation(15, 1, 1, 10, 10, 20)),
    add("annotations", annotation(15, 1, 2, 10, 10, 20)),
)
case(
    "near-duplicate",
    "$.annotations[4].bbox",
    add("annotations", annotation(15, 1, 1, 10, 11, 20)),
    add("annotations", annotation(15, 1, 1, 10, 12, 20)),
)
case(
    "near-duplicate",
    "$.annotations[4].bbox",
    add("annotations", annotation(15, 1, 1, 10, 10, 20, segmentation=[square(11, 11, 19)])),
    add("annotations", annotation(15, 2, 1, 10, 10, 20)),
)
case(
    "near-duplicate",
    "$.annotations[4].bbox",
    add("annotations", annotation(15, 1, 1, 10, 11, 20)),
    add("annotations", annotation(15, 1, 1, 10, 11, 20, iscrowd=1)),
)
case(
    "same-box-two-categories",
    "$.annotations[4].bbox",
    add("annotations", annotation(15, 1, 2, 10, 10, 20)),
    add("annotations", annotation(15, 1, 2, 10, 13, 20)),
)


def codes(findings):
    return {(each.code, each.path) for each in findings}


def test_a_clean_file_has_no_findings(tmp_path):
    path = write(tmp_path / "clean.json", clean())
    results = write(tmp_path / "results.json", predictions())
    assert list(check_coco(path, predictions=results)) == []


@pytest.mark.parametrize(("code", "path", "bad", "fine"), CASES)
def test_each_code_is_found_where_it_is(code, path, bad, fine, tmp_path):
    findings = check_coco(write(tmp_path / "bad.json", spoiled(bad, clean())))
    assert (code, path) in codes(findings)
    mine = [each for each in findings if each.code == code]
    assert len(mine) == len({each.path for each in mine}) or code == "duplicate-key"
    for each in mine:
        assert each.severity == RULES[code].severity
        assert each.line >= 1
        assert each.stop > each.start
        assert each.message
        assert "{" not in each.message.replace('{"', "")
        assert not each.is_fixable or RULES[code].fix
    findings = check_coco(write(tmp_path / "fine.json", spoiled(fine, clean())))
    assert code not in findings.codes


def prediction_case(code, path, bad, fine):
    PREDICTION_CASES.append(pytest.param(code, path, bad, fine, id=f"{code} {path}"))


def pred(row=0, **values):
    return put(None, row, **values)


prediction_case("dangling-image-id", "$[0].image_id", pred(image_id=9), pred(image_id="1"))
prediction_case("dangling-category-id", "$[0].category_id", pred(category_id=9), nothing)
prediction_case("score-invalid", "$[0].score", pred(score=1.5), pred(score=1))
prediction_case("score-invalid", "$[0].score", pred(score=-0.01), pred(score=0))
prediction_case("score-invalid", "$[0].score", text("0.9", "NaN"), nothing)
prediction_case("not-finite", "$[0].score", text("0.9", "NaN"), nothing)
prediction_case("field-missing", "$[0]", pred(score=...), nothing)
prediction_case("number-as-string", "$[0].score", pred(score="0.9"), nothing)
prediction_case("wrong-type", "$[0].score", pred(score=[0.9]), nothing)
prediction_case("bbox-missing", "$[0]", pred(bbox=...), nothing)
prediction_case("bbox-format", "$[0].bbox", pred(bbox=[1, 2, 3]), nothing)
prediction_case("bbox-negative-size", "$[0].bbox", pred(bbox=[9, 9, -3, 4]), nothing)
prediction_case("bbox-outside-image", "$[0].bbox", pred(bbox=[200, 9, 3, 4]), nothing)
prediction_case("not-an-object", "$[3]", lambda c: c.append(7), nothing)
prediction_case(
    "duplicate-prediction",
    "$[3]",
    lambda c: c.append(dict(c[0])),
    lambda c: c.append(c[0] | {"score": 0.8}),
)
prediction_case(
    "rle-size-mismatch",
    "$[0].segmentation",
    pred(segmentation={"size": [100, 80], "counts": FULL}),
    pred(segmentation={"size": [80, 100], "counts": FULL}),
)


def many(n):
    def spoil(content):
        content += [content[2] | {"bbox": [i / 10, 1, 9, 9]} for i in range(n)]

    return spoil


prediction_case("too-many-predictions", "$[2]", many(100), many(99))
prediction_case("image-without-predictions", "$.images[1]", lambda c: c.pop() and None, nothing)


@pytest.mark.parametrize(("code", "path", "bad", "fine"), PREDICTION_CASES)
def test_predictions(code, path, bad, fine, tmp_path):
    given = write(tmp_path / "given.json", clean())
    results = write(tmp_path / "bad.json", spoiled(bad, predictions()))
    assert (code, path) in codes(check_coco(given, predictions=results))
    results = write(tmp_path / "fine.json", spoiled(fine, predictions()))
    assert code not in check_coco(given, predictions=results).codes


# Images on disk


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the images of the clean file."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number, (name, size) in enumerate((("one.png", (100, 80)), ("two.png", (60, 60)))):
        Image.new("RGB", size, (9 * number, 0, 0)).save(folder / name)
    return folder


def replace_image(size, **options):
    return lambda folder: Image.new("L", size).save(folder / "one.png", **options)


def turned(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (80, 100)).save(folder / "one.png", exif=exif)


def truncated(format):
    def spoil(folder):
        rng = np.random.default_rng(0)
        image = Image.fromarray(rng.integers(0, 255, (80, 100), dtype=np.uint8))
        image.save(folder / "one.png", format=format)
        data = (folder / "one.png").read_bytes()
        (folder / "one.png").write_bytes(data[: len(data) // 2])

    return spoil


def twins(folder):
    (folder / "two.png").write_bytes((folder / "one.png").read_bytes())


DISK_CASES = [
    ("image-file-missing", lambda folder: (folder / "one.png").unlink()),
    ("image-file-unreadable", lambda folder: (folder / "one.png").write_bytes(b"no image")),
    ("image-file-unreadable", lambda folder: (folder / "one.png").write_bytes(b"")),
    ("image-file-unreadable", truncated("PNG")),
    ("image-file-unreadable", truncated("JPEG")),
    ("image-size-differs", replace_image((99, 80))),
    ("image-size-differs", turned),
    ("image-content-duplicate", twins),
    ("image-file-unlisted", lambda folder: Image.new("L", (1, 1)).save(folder / "three.jpg")),
]


@pytest.mark.parametrize(("code", "spoil"), DISK_CASES)
def test_images_on_disk(code, spoil, folder, tmp_path):
    path = write(tmp_path / "given.json", clean())
    assert list(check_coco(path, images=folder)) == []
    spoil(folder)
    (first, *_) = [each for each in check_coco(path, images=folder) if each.code == code]
    assert first.path.startswith("$.images")


def test_a_turned_image_is_said_to_be(folder, tmp_path):
    turned(folder)
    (found,) = check_coco(write(tmp_path / "given.json", clean()), images=folder)
    assert found.message.endswith(
        "the file is 80 x 100; the same if turned as the file's EXIF says"
    )


def test_images_outside_of_the_folder_are_not_opened(folder, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"not read")
    content = clean()
    content["images"][0]["file_name"] = "../secret.png"
    found = check_coco(write(tmp_path / "given.json", content), images=folder)
    assert set(found.codes) == {"file-name-unsafe", "image-file-unlisted"}


# Splits


def test_splits_that_share_images(folder, tmp_path):
    train, val = clean(), clean()
    val["images"][0] |= {"id": 5, "file_name": "other.png"}
    val["images"][1] |= {"id": 2, "file_name": "two.png"}
    for each in val["annotations"]:
        each["image_id"] = {1: 5, 2: 2}[each["image_id"]]
    (folder / "other.png").write_bytes((folder / "one.png").read_bytes())
    paths = write(tmp_path / "train.json", train), write(tmp_path / "val.json", val)
    leaks = {
        (each.code, each.path, each.image_id)
        for each in check_coco(*paths, images=folder)
        if each.code.startswith("leak")
    }
    assert leaks == {
        ("leak-file-name", "$.images[1].file_name", 2),
        ("leak-image-content", "$.images[0].file_name", 5),
        ("leak-image-content", "$.images[1].file_name", 2),
    }


def test_splits_with_the_same_ids(tmp_path):
    val = clean()
    val["images"][0]["file_name"] = "a.png"
    val["images"][1] |= {"file_name": "b.png", "width": 61}
    paths = write(tmp_path / "train.json", clean()), write(tmp_path / "val.json", val)
    (found,) = check_coco(*paths)
    assert (found.code, found.path, found.file) == (
        *("leak-image-id", "$.images[0].id"),
        str(paths[1]),
    )


def test_every_rule_has_a_case():
    tested = {param.values[0] for param in (*CASES, *PREDICTION_CASES)}
    tested |= {code for code, _ in DISK_CASES}
    tested |= {"leak-file-name", "leak-image-content", "leak-image-id"}
    assert tested == set(RULES)


# Panoptic files


def panoptic():
    content = clean()
    for each in content["annotations"]:
        each.pop("segmentation")
    first, second, third, fourth = (
        {name: each[name] for name in each if name != "image_id"} for each in content["annotations"]
    )
    content["annotations"] = [
        {"image_id": 1, "file_name": "one.png", "segments_info": [first, second]},
        {"image_id": 2, "file_name": "two.png", "segments_info": [third, fourth | {"id": 11}]},
    ]
    return content


SECOND = "$.annotations[0].segments_info[1]"
PANOPTIC_CASES = [
    ("bbox-zero-size", f"{SECOND}.bbox", {"bbox": [40, 20, 0, 30]}),
    ("dangling-category-id", f"{SECOND}.category_id", {"category_id": 7}),
    ("duplicate-annotation-id", f"{SECOND}.id", {"id": 11}),
    ("annotation-id-zero", f"{SECOND}.id", {"id": 0}),
    ("field-missing", f"{SECOND}.category_id", {"category_id": None}),
    ("area-mismatch", f"{SECOND}.area", {"area": 2000}),
]


@pytest.mark.parametrize(("code", "path", "values"), PANOPTIC_CASES)
def test_panoptic_files(code, path, values, tmp_path):
    assert list(check_coco(write(tmp_path / "clean.json", panoptic()))) == []
    content = panoptic()
    content["annotations"][0]["segments_info"][1].update(values)
    (found,) = check_coco(write(tmp_path / "bad.json", content))
    assert (found.code, found.path, found.image_id) == (code, path, 1)
    assert not found.is_fixable


def test_panoptic_annotations_without_what_they_need(tmp_path):
    content = panoptic()
    content["annotations"] += [
        {"image_id": 9, "file_name": "one.png", "segments_info": []},
        {"image_id": "2", "file_name": 3, "segments_info": {}},
        {"image_id": 2},
        5,
    ]
    found = codes(check_coco(write(tmp_path / "bad.json", content)))
    assert found == {
        ("dangling-image-id", "$.annotations[2].image_id"),
        ("id-not-integer", "$.annotations[3].image_id"),
        ("wrong-type", "$.annotations[3].file_name"),
        ("wrong-type", "$.annotations[3].segments_info"),
        ("field-missing", "$.annotations[4]"),
        ("not-an-object", "$.annotations[5]"),
    }
