"""Fixes change what they say and nothing else."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from coco_files import annotation, clean, square, write

from goldlabel.coco import RULES, check_coco, fix_coco
from goldlabel.errors import InputError

STYLES = ({}, {"indent": 2}, {"separators": (",", ":")})


def ann(row=0, **values):
    def spoil(content):
        content["annotations"][row].update(values)

    return spoil


def drop(row, *names):
    def spoil(content):
        for name in names:
            content["annotations"][row].pop(name)

    return spoil


def add(**more):
    return lambda content: content["annotations"].append(annotation(15, 1, 1, 10, 10, 20) | more)


def text_ids(content):
    for image in content["images"]:
        image["id"] = str(image["id"])


# code, what spoils, what the fix leads to (a change of the clean content)
CASES = [
    ("number-as-string", lambda c: c["images"][0].update(width="100"), lambda c: None),
    ("number-as-string", ann(bbox=["10", 10, "20", 20]), lambda c: None),
    ("number-as-string", ann(area="400"), lambda c: None),
    ("id-not-integer", ann(image_id="1", category_id=1.0), lambda c: None),
    ("id-not-integer", text_ids, lambda c: None),
    ("duplicate-annotation-id", ann(1, id=11), ann(1, id=15)),
    ("duplicate-annotation-id", ann(1, id="11"), ann(1, id=15)),
    ("annotation-id-zero", ann(2, id=0), ann(2, id=15)),
    ("bbox-missing", drop(0, "bbox"), lambda c: None),
    ("bbox-missing", ann(bbox=None), lambda c: None),
    ("area-missing", drop(0, "area"), lambda c: None),
    ("area-missing", drop(2, "area"), lambda c: None),
    ("area-missing", ann(area=None), lambda c: None),
    (
        "area-missing",
        drop(0, "area", "segmentation"),
        lambda c: c["annotations"][0].pop("segmentation") and None,
    ),
    ("iscrowd-missing", drop(0, "iscrowd"), lambda c: None),
    ("iscrowd-invalid", ann(iscrowd=False), lambda c: None),
    ("iscrowd-invalid", ann(iscrowd=True, segmentation=[]), ann(iscrowd=1, segmentation=[])),
    ("polygon-not-nested", ann(segmentation=square(10, 10, 20)), lambda c: None),
    ("polygon-empty-part", ann(segmentation=[[], square(10, 10, 20), [1, 2], []]), lambda c: None),
    ("exact-duplicate", add(), lambda c: None),
]


@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize(("code", "spoil", "result"), CASES)
def test_a_fix_leads_to_the_right_content(code, spoil, result, style, tmp_path):
    content, expected = clean(), clean()
    spoil(content)
    result(expected)
    path = write(tmp_path / "given.json", json.dumps(content, **style))
    fixed = fix_coco(path, tmp_path / "fixed.json")
    got = json.loads((tmp_path / "fixed.json").read_text())
    assert got == expected
    assert {change.code for change in fixed.changes} == {code}
    assert not any(each.is_fixable for each in check_coco(tmp_path / "fixed.json"))
    assert json.loads(path.read_text()) == content


BYTES = [
    ("byte-order-mark", lambda t: b"\xef\xbb\xbf" + t, lambda t: t),
    (
        "duplicate-key",
        lambda t: t.replace(b'"id": 11', b'"id": 11 , "id": 11'),
        lambda t: t.replace(b'"id": 11', b'"id": 11'),
    ),
]


@pytest.mark.parametrize(("code", "spoil", "result"), BYTES)
def test_fixes_of_bytes(code, spoil, result, tmp_path):
    text = json.dumps(clean()).encode()
    fixed = fix_coco(write(tmp_path / "given.json", spoil(text)), tmp_path / "fixed.json")
    assert (tmp_path / "fixed.json").read_bytes() == result(text)
    assert [change.code for change in fixed.changes] == [code]


def test_every_safe_fix_has_a_case():
    tested = {code for code, _, _ in (*CASES, *BYTES)}
    assert tested == {code for code, rule in RULES.items() if rule.fix}


def both(*spoils):
    return lambda content: [spoil(content) for spoil in spoils] and None


PARTS = [square(10, 10, 15), square(15, 15, 15)]
RUNS = {"size": [80, 100], "counts": [810, 20, 7170]}
NOT_SAFE = [
    ("number-as-string", lambda c: c["images"][0].update(width="1.e2")),
    ("id-not-integer", ann(image_id="one")),
    ("id-not-integer", ann(image_id=1.5)),
    ("id-not-integer", ann(id="12")),  # another has 12
    ("id-not-integer", both(lambda c: c["images"][1].update(id="1"), ann(image_id="1"))),
    ("bbox-missing", drop(0, "bbox", "segmentation")),
    ("area-missing", both(ann(segmentation=PARTS), drop(0, "area"))),
    ("iscrowd-missing", both(ann(segmentation=RUNS), drop(0, "iscrowd"))),
    ("iscrowd-invalid", ann(iscrowd=2)),
    ("polygon-empty-part", ann(segmentation=[[], []])),
    ("exact-duplicate", add(attributes={"occluded": True})),
    ("area-mismatch", ann(area=1)),
    ("bbox-mask-mismatch", ann(bbox=[1, 1, 20, 20])),
]  # fmt: skip


@pytest.mark.parametrize(("code", "spoil"), NOT_SAFE)
def test_what_is_not_safe_is_left_alone(code, spoil, tmp_path):
    content = clean()
    spoil(content)
    path = write(tmp_path / "given.json", content)
    assert code in check_coco(path).codes
    fixed = fix_coco(path, tmp_path / "fixed.json", select=[code] if RULES[code].fix else None)
    assert (tmp_path / "fixed.json").read_bytes() == path.read_bytes()
    assert fixed.changes == []


def test_duplicate_keys_with_other_values_stay(tmp_path):
    text = json.dumps(clean()).replace('"id": 11', '"id": 10, "id": 11')
    path = write(tmp_path / "given.json", text)
    assert fix_coco(path, tmp_path / "fixed.json").changes == []
    assert (tmp_path / "fixed.json").read_text() == text


def spoil_much(content, rng):
    """Spoil a file in many places at once."""
    spoilers = [
        lambda a: a.update(iscrowd=False),
        lambda a: a.update(image_id=str(a["image_id"])),
        lambda a: a.update(segmentation=a["segmentation"][0]),
        lambda a: a.update(segmentation=[[], *a["segmentation"]]),
        lambda a: a.pop("area"),
        lambda a: a.pop("iscrowd"),
        lambda a: a.update(bbox=[str(each) for each in a["bbox"]]),
        lambda a: a.update(id=11),
        lambda a: a.update(id=0),
    ]
    for each in content["annotations"]:
        for at in rng.choice(len(spoilers), size=2, replace=False):
            try:
                spoilers[at](each)
            except (KeyError, TypeError, IndexError):
                continue
    content["annotations"] += [dict(each) for each in content["annotations"][:3]]


@pytest.mark.parametrize("seed", range(20))
def test_many_fixes_fit_together_and_change_nothing_else(seed, tmp_path):
    rng = np.random.default_rng(seed)
    content = clean()
    content["annotations"] += [
        annotation(20 + i, 1, 1 + i % 2, 3 * i + 1, 2 * i, 9 + i) for i in range(10)
    ]
    spoil_much(content, rng)
    path = write(tmp_path / "given.json", json.dumps(content, **STYLES[seed % 3]))
    before = path.read_bytes()
    fixed = fix_coco(path, tmp_path / "fixed.json")
    after, done = b"", 0
    for change in fixed.changes:
        assert before[change.start : change.stop].decode() == change.before
        after += before[done : change.start] + change.after.encode()
        done = change.stop
    assert (tmp_path / "fixed.json").read_bytes() == after + before[done:]
    again = fix_coco(tmp_path / "fixed.json", tmp_path / "again.json")
    more = fix_coco(tmp_path / "again.json", tmp_path / "more.json")
    assert more.changes == []
    assert len(again.changes) <= len(fixed.changes) // 4


def test_selected_fixes_only(tmp_path):
    content = clean()
    content["annotations"][0].update(id=0, iscrowd=True)
    path = write(tmp_path / "given.json", content)
    fixed = fix_coco(path, tmp_path / "a.json", select=["iscrowd-invalid"])
    assert [(each.before, each.after) for each in fixed.changes] == [("true", "1")]
    fixed = fix_coco(path, tmp_path / "b.json", ignore=["iscrowd-invalid"])
    assert [(each.before, each.after) for each in fixed.changes] == [("0", "15")]
    with pytest.raises(InputError, match="select: is 'area-mismatch'"):
        fix_coco(path, tmp_path / "c.json", select=["area-mismatch"])


def test_the_log_lists_each_change(tmp_path):
    content = clean()
    content["annotations"][1].update(id=0, image_id="1")
    path = write(tmp_path / "given.json", content)
    fixed = fix_coco(path, tmp_path / "fixed.json")
    assert fixed.change_log == tmp_path / "fixed.json.changes.csv"
    with fixed.change_log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["code"], row["path"], row["before"], row["after"]) for row in rows] == [
        ("annotation-id-zero", "$.annotations[1].id", "0", "15"),
        ("id-not-integer", "$.annotations[1].image_id", '"1"', "1"),
    ]
    log = tmp_path / "log.jsonl"
    fixed = fix_coco(path, tmp_path / "other.json", log=log)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines == fixed.to_frame().to_dict("records")
    assert not (tmp_path / "other.json.changes.csv").exists()


def test_files_are_replaced_only_if_asked(tmp_path):
    content = clean()
    content["annotations"][0].update(iscrowd=True)
    path = write(tmp_path / "given.json", content)
    taken = write(tmp_path / "taken.json", "mine")
    for out in (taken, path):
        with pytest.raises(InputError, match="--force"):
            fix_coco(path, out)
    assert taken.read_text() == "mine"
    assert json.loads(path.read_text()) == content
    assert sorted(each.name for each in tmp_path.iterdir()) == ["given.json", "taken.json"]
    fix_coco(path, taken, force=True)
    fix_coco(path, path, force=True)
    assert json.loads(path.read_text())["annotations"][0]["iscrowd"] == 1
    assert taken.read_bytes() == path.read_bytes()


def test_outputs_that_can_not_be(tmp_path):
    path = write(tmp_path / "given.json", clean())
    with pytest.raises(InputError, match="is a folder"):
        fix_coco(path, tmp_path, force=True)
    with pytest.raises(InputError, match="is the input"):
        fix_coco(path, tmp_path / "out.json", log=path, force=True)
    with pytest.raises(InputError, match="is the output too"):
        fix_coco(path, tmp_path / "out.json", log=tmp_path / "out.json")
    with pytest.raises(InputError, match="cannot be written"):
        fix_coco(path, tmp_path / "none" / "out.json")
    assert [each.name for each in tmp_path.iterdir()] == ["given.json"]


def test_a_file_without_findings_is_copied(tmp_path):
    text = json.dumps(clean(), indent=3).replace("\n", "\r\n") + "\n\n"
    path = write(tmp_path / "given.json", text.encode())
    fixed = fix_coco(path, tmp_path / "fixed.json")
    assert (tmp_path / "fixed.json").read_bytes() == path.read_bytes()
    assert (fixed.changes, fixed.left) == ([], 0)
