"""Hostile and broken files: a clear refusal, or findings; never a crash."""

from __future__ import annotations

import gzip
import json
import os

import pytest
from coco_files import annotation, clean, predictions, write
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.coco import check_coco, fix_coco
from goldlabel.errors import InputError

GOOD = json.dumps(clean())

REFUSED = {
    "nothing": (b"", "is empty"),
    "spaces": (b" \n\t ", "is empty"),
    "a mark and nothing": (b"\xef\xbb\xbf", "is empty"),
    "words": (b"hello", "line 1, column 1: is not JSON: a value is expected"),
    "one number": (b"42", "is a single value"),
    "one string": (b'"images"', "is a single value"),
    "null": (b"null", "is a single value"),
    "a list": (b"[]", "is a list, as COCO results are"),
    "an empty object": (b"{}", "has none of images, annotations, categories"),
    "another object": (b'{"type": "FeatureCollection"}', "has none of"),
    "gzip": (gzip.compress(GOOD.encode()), "is gzip"),
    "zip": (b"PK\x03\x04....", "is a ZIP archive"),
    "UTF-16": (GOOD.encode("utf-16"), "is UTF-16"),
    "NUL bytes": (b"\0\0\0\0", "a value is expected"),
    "truncated": (GOOD[: len(GOOD) // 2].encode(), "the text ends in the middle"),
    "truncated in a string": (GOOD[:12].encode() + b'"ab', "is not JSON"),
    "truncated after a colon": (b'{"images":', "the text ends in the middle"),
    "truncated in a word": (b'{"images": tru', "is not JSON"),
    "truncated in an escape": (b'{"images": "\\u12', "the text ends in the middle"),
    "truncated in a number": (b'{"images": -', "the text ends in the middle"),
    "trailing comma": (b'{"images": [1, 2,]}', "line 1, column 18: .* a value is expected"),
    "trailing comma in an object": (b'{"images": [],}', "a key in double quotes"),
    "no comma": (b'{"images": [1 2]}', "a comma, or the end"),
    "no colon": (b'{"images" []}', "a colon is expected"),
    "single quotes": (b"{'images': []}", "a key in double quotes"),
    "a comment": (b'{"images": [] // none\n}', "a comma, or the end"),
    "two values": (b'{"images": []} {}', "there is more after the end"),
    "wrong bracket": (b'{"images": [}', "a value is expected"),
    "wrong end": (b'{"images": []]', "a comma, or the end"),
    "a tab in a string": (b'{"images": "\t"}', "control character"),
    "an unknown escape": (b'{"images": "\\x41"}', "unknown escape"),
    "a short escape": (b'{"images": "\\u12g4"}', "unknown escape"),
    "leading zero": (b'{"images": [01]}', "a value is expected"),
    "plus": (b'{"images": [+1]}', "a value is expected"),
    "no digits after the point": (b'{"images": [1.]}', "a value is expected"),
    "no digits in the exponent": (b'{"images": [1e]}', "a value is expected"),
    "hexadecimal": (b'{"images": [0x10]}', "a comma, or the end"),
    "Python": (b'{"images": None}', "a value is expected"),
    "deep lists": (b'{"images": ' + b"[" * 100_000, "nested more than 256 deep"),
    "deep objects": (b'{"images": ' + b'{"a":' * 300, "nested more than 256 deep"),
    "line and column": (b'{\n "\xc3\xa9": [],\n "images" 1}', "line 3, column 11"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_coco_file_is_refused(name, tmp_path):
    content, match = REFUSED[name]
    path = write(tmp_path / "bad.json", content)
    with pytest.raises(InputError, match=match) as caught:
        check_coco(path)
    assert str(caught.value).startswith(str(path))
    with pytest.raises(InputError, match=match):
        fix_coco(path, tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()


HUGE = {
    "a huge id": ('"id": 11', '"id": 99999999999999999999999999'),
    "an id of 5,000 digits": ('"id": 11', '"id": ' + "9" * 5000),
    "a box with 5,000 digits": ("[10, 10, 20, 20]", f'[10, 10, 20, {"9" * 5000}, "1"]'),
    "quoted digits": ("[10, 10, 20, 20]", f'[10, 10, 20, "{"9" * 5000}"]'),
    "a part with 5,000 digits": ("[[10, 10,", f"[[], [{'9' * 5000}, 10,"),
    "a key twice beside 5,000 digits": ('"id": 11', f'"id": 11, "x": {"9" * 5000}, "id": 11'),
    "segments with 5,000 digits": ('"id": 11', f'"segments_info": [{{"id": {"9" * 5000}}}]'),
    "a huge exponent": ('"area": 400', '"area": 1e999999999999999'),
    "a tiny exponent": ('"area": 400', '"area": 1e-999999999999999'),
    "a huge count": ('"id": 2,', '"id": 9223372036854775807,'),
    "a negative id": ('"id": 11', '"id": -9223372036854775808'),
    "nested to the limit": ('"year": 2026', '"year": ' + "[" * 254 + "]" * 254),
    "a long key": ('"year"', '"' + "y" * 100_000 + '"'),
    "an empty key": ('"year"', '""'),
    "half a surrogate": ('"one.png"', '"\\ud800.png"'),
    "a NUL in a name": ('"one.png"', '"one\\u0000.png"'),
    "a terminal's escape": ('"one.png"', '"\\u001b[31mone.png"'),
    "an image in place of a list": ('"images": [', '"images": {"a": ['),
    "a huge image": ('"width": 100', '"width": 1e300'),
    "huge boxes": ("[10, 10, 20, 20]", "[1e308, 1e308, 1e308, 1e308]"),
    "a huge point": ("[[10, 10, ", "[[1e308, -1e308, "),
    "minus zero": ("[10, 10, 20, 20]", "[-0, -0.0, 20, 20e-0]"),
    "run lengths that overflow": (
        "[[10, 10, 30, 10, 30, 30, 10, 30]]",
        '{"size": [2147483647, 2147483647], "counts": "' + "oooooooooo0" * 20 + '"}',
    ),
    "run lengths beyond 2**62": (
        "[[10, 10, 30, 10, 30, 30, 10, 30]]",
        '{"size": [80, 100], "counts": [4611686018427387904, 4611686018427387904]}',
    ),
    "run lengths of nothing": (
        "[[10, 10, 30, 10, 30, 30, 10, 30]]",
        '{"size": [80, 100], "counts": ""}',
    ),
    "run lengths that end early": (
        "[[10, 10, 30, 10, 30, 30, 10, 30]]",
        '{"size": [80, 100], "counts": "o"}',
    ),
    "a segmentation of objects": ("[[10, 10, 30, 10, 30, 30, 10, 30]]", '[{"a": [1]}]'),
    "a segmentation too deep": ("[[10, 10, 30, 10, 30, 30, 10, 30]]", "[[[10, 10, 30, 10]]]"),
    "a segmentation of nothing": ("[[10, 10, 30, 10, 30, 30, 10, 30]]", "[null]"),
    "an annotation of nothing": ('"annotations": [{', '"annotations": [{}, {'),
}


@pytest.mark.parametrize("name", HUGE)
def test_strange_files_can_be_checked_and_mended(name, tmp_path):
    old, new = HUGE[name]
    text = GOOD
    if name == "an image in place of a list":
        text = '{"images": {"a": []}, "annotations": [{"id": 1}], "categories": "none"}'
    else:
        assert old in text
        text = text.replace(old, new, 1)
    path = write(tmp_path / "strange.json", text)
    findings = check_coco(path)
    assert len(list(findings)) == len(findings) == len(findings.to_frame())
    fix_coco(path, tmp_path / "out.json")
    check_coco(tmp_path / "out.json")


def test_what_is_no_file(tmp_path):
    for path in (tmp_path, tmp_path / "none.json", "\0", "x" * 5000):
        with pytest.raises(InputError):
            check_coco(path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is no file"):
        check_coco(tmp_path / "pipe")


def test_options_that_do_not_fit(tmp_path):
    path = write(tmp_path / "a.json", clean())
    other = write(tmp_path / "b.json", clean())
    results = write(tmp_path / "r.json", predictions())
    for match, args, options in (
        ("select: is 'nothing'", (), {"select": ["nothing"]}),
        ("ignore: is 'nothing'", (), {"ignore": ["nothing"]}),
        ("duplicate_iou: is 0", (), {"duplicate_iou": 0}),
        ("duplicate_iou: is 1.5", (), {"duplicate_iou": 1.5}),
        ("tolerance: is -1", (), {"tolerance": -1}),
        ("tolerance: is nan", (), {"tolerance": float("nan")}),
        ("is given twice", (path,), {}),
        ("are given with 2 files", (other,), {"predictions": results}),
        ("names 3 folders", (other,), {"images": [tmp_path] * 3}),
        ("is no folder", (), {"images": path}),
        ("is no list, as COCO results are", (), {"predictions": write(tmp_path / "c.json", "{}")}),
    ):
        with pytest.raises(InputError, match=match):
            check_coco(path, *args, **options)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 200)
    | st.floats(-5, 120)
    | st.sampled_from(["", "1", "2.5", "x", "one.png", float("nan"), 1e400, 10**30]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["size", "counts", "id"]), inner, max_size=2)
    ),
    max_leaves=10,
)
NAMES = ("id", "image_id", "category_id", "bbox", "area", "iscrowd", "segmentation")
ENTRIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=7) | VALUES


@settings(max_examples=50)
@given(st.lists(ENTRIES, max_size=6), st.lists(VALUES, max_size=3), st.booleans())
def test_anything_in_the_lists(tmp_path_factory, annotations, images, indent):
    folder = tmp_path_factory.mktemp("any")
    content = clean()
    content["annotations"] += annotations
    content["images"] += images
    content["categories"] += images[:1]
    path = write(folder / "any.json", json.dumps(content, indent=2 if indent else None))
    findings = check_coco(path)
    assert len(list(findings)) == len(findings)
    fix_coco(path, folder / "out.json")
    results = write(folder / "results.json", json.dumps(annotations))
    check_coco(write(folder / "clean.json", clean()), predictions=results)


@settings(max_examples=50)
@given(st.data())
def test_any_bytes(tmp_path_factory, data):
    """A good file with some bytes replaced is checked or refused, as Python's json would."""
    raw = bytearray(GOOD.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.sampled_from(b'{}[]:,"\\0123e.-+ntf \n\xc3\x00'))
    path = write(tmp_path_factory.mktemp("bytes") / "any.json", bytes(raw))
    try:
        json.loads(raw.decode("utf-8", "replace"))
        is_json = True
    except ValueError:
        is_json = False
    message = ""
    try:
        check_coco(path)
    except InputError as error:
        message = str(error)
    assert ("is not JSON" in message) is not is_json


def test_a_crowd_of_equal_boxes_does_not_take_quadratic_time(tmp_path):
    content = clean()
    content["annotations"] = [
        annotation(i + 1, 1, 1, 10 + i % 7 / 100, 10 + i / 1e6, 20) for i in range(20_000)
    ]
    findings = check_coco(write(tmp_path / "many.json", content))
    assert len(list(findings.of("near-duplicate"))) >= 10_000


@pytest.mark.parametrize(
    "inner",
    [
        '"segmentation": [[' + ", ".join(["NaN"] * 5_000) + "]]",
        '"attributes": [' + ", ".join(['{"a": 1, "a": 1}'] * 2_000) + "]",
        '"attributes": ' + '{"a": 1, "a": ' * 200 + "1" + "}" * 200,
        '"attributes": {' + ", ".join(f'"k{i}": 1' for i in range(5_000)) + "}",
        '"note": "' + "\ufffd\xff" * 2 + '"',
    ],
)
def test_what_is_odd_thousands_of_times_in_one_entry(inner, tmp_path):
    raw = GOOD.replace('"id": 11', inner + ', "id": 11').encode("utf-8")
    raw = raw.replace("\xff".encode(), b"\xff")
    path = write(tmp_path / "odd.json", raw)
    findings = check_coco(path)
    assert len(findings.to_frame()) == len(findings)
    fix_coco(path, tmp_path / "out.json")
    check_coco(tmp_path / "out.json")


def test_a_root_with_many_or_long_members(tmp_path):
    long = "n" * 5000
    text = GOOD[:-1] + "".join(f', "k{i}": {i}' for i in range(3000))
    text += f', "{long}": 1, "{long}": NaN, "\\u0069nfo": 3' + "}"
    findings = check_coco(write(tmp_path / "many.json", text))
    assert {each.code for each in findings} == {"duplicate-key", "not-finite"}
    (nan,) = findings.of("not-finite")
    assert nan.path == "$." + long
    assert [each.path for each in findings.of("duplicate-key")] == ["$." + long, "$.info"]
