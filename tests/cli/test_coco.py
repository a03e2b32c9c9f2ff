"""``goldlabel coco``: what it prints, and its exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from coco_files import annotation, clean, predictions, write

SPOILED = "\x1b[31mone.png"


@pytest.fixture
def bad(tmp_path, monkeypatch):
    """Return a file with an error that can be fixed, one that can't, and a note."""
    monkeypatch.chdir(tmp_path)
    content = clean()
    content["annotations"][0]["iscrowd"] = True
    content["annotations"] += [annotation(20 + i, 1, 2, 60, 2 * i, 0) for i in range(5)]
    content["categories"].append({"id": 3, "name": "cow"})
    return write("bad.json", content)


def test_a_clean_file_exits_with_0(tmp_path, run):
    path = write(tmp_path / "clean.json", clean())
    code, out, err = run("coco", "check", path, "--fail-on", "note")
    assert (code, err) == (0, "")
    sizes = "2 images, 4 annotations, 2 categories"
    assert out == f"0 errors, 0 warnings, 0 notes in clean.json ({sizes})\n"


def test_the_table(bad, run):
    code, out, err = run("coco", "check", bad, "--select", "bbox-zero-size,iscrowd-invalid")
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "error bbox-zero-size  5: A box without width or height.",
        *(f"  $.annotations[{4 + i}].bbox: bbox [60, {2 * i}, 0, 0] has no size" for i in range(3)),
        "  ... and 2 more",
        "error iscrowd-invalid  1, 1 can be fixed: An iscrowd that is neither 0 nor 1.",
        "  $.annotations[0].iscrowd: iscrowd is true, not 0 or 1",
        "",
        "6 errors, 0 warnings, 0 notes in bad.json (2 images, 9 annotations, 3 categories)",
        "",
        "Next: goldlabel coco fix bad.json --out bad-fixed.json",
    ]
    _, out, _ = run("coco", "check", bad, "--top", "0")
    assert "$." not in out


@pytest.mark.parametrize(
    ("codes", "fail_on", "expected"),
    [
        ("bbox-zero-size", "error", 1),
        ("bbox-zero-size", "never", 0),
        ("category-unused", "error", 0),
        ("category-unused", "warning", 0),
        ("category-unused", "note", 1),
    ],
)
def test_exit_codes(bad, run, codes, fail_on, expected):
    for form in ("table", "json", "sarif"):
        code, _, err = run(
            *("coco", "check", bad, "--select", codes, "--fail-on", fail_on, "--format", form)
        )
        assert (code, err) == (expected, "")


def test_what_can_not_be_checked_exits_with_2(bad, run):
    for words, message in (
        (("none.json",), "none.json: is no file"),
        ((write("cut.json", "[1"),), "line 1, column 3: is not JSON"),
        ((bad, "--select", "nothing"), "select: is 'nothing'"),
        ((bad, "--select", ""), "--select: is ''"),
        ((bad, "--images", "none"), "none: is no folder"),
        ((bad, "--duplicate-iou", "2"), "--duplicate-iou: is 2.0"),
        ((bad, "--predictions", bad.with_name("none.json")), "is no file"),
        ((bad, "--format", "xml"), "xml"),
    ):
        code, out, err = run("coco", "check", *words)
        assert (code, out) == (2, "")
        assert message in err
        assert "Traceback" not in err


def test_json_and_sarif_are_printed_whole(bad, run):
    _, out, _ = run("coco", "check", bad, "--format", "json")
    assert json.loads(out)["counts"]["error"] == 6
    _, out, _ = run("coco", "check", bad, "--format", "sarif")
    assert len(json.loads(out)["runs"][0]["results"]) >= 7
    _, out, _ = run("coco", "check", bad, "--format", "sarif", "--top", "1", "--ignore", "no-x")
    assert out == ""


def test_predictions_and_splits_name_the_file(bad, run):
    results = predictions()
    results[1]["score"] = 7
    results = write("results.json", results)
    _, out, _ = run("coco", "check", bad, "--predictions", results, "--select", "score-invalid")
    assert "  results.json $[1].score: score is 7, not in [0, 1]\n" in out
    assert "in bad.json, results.json (2 images, " in out
    val = write("val.json", clean())
    code, out, _ = run("coco", "check", bad, val, "--select", "leak-file-name")
    assert code == 1
    assert "  val.json $.images[0].file_name: bad.json has " in out


def test_names_can_not_give_orders_to_the_terminal(bad, run):
    content = clean()
    content["images"][0]["file_name"] = SPOILED
    path = write("orders.json", json.dumps(content, ensure_ascii=True))
    bad.with_name("folder").mkdir()
    _, out, _ = run("coco", "check", path, "--images", "folder")
    assert "one.png is not in folder" in out
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out)


def test_fix(bad, run):
    before = bad.read_bytes()
    code, out, err = run("coco", "fix", bad, "--out", "good.json")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "1 change: good.json",
        "          1  iscrowd-invalid",
        "Each change: good.json.changes.csv",
        "11 errors and warnings need a person.",
        "",
        "Next: goldlabel coco check good.json",
    ]
    assert bad.read_bytes() == before
    assert bad.with_name("good.json").read_bytes() == before.replace(b"true", b"1")
    code, out, err = run("coco", "fix", bad, "--out", "good.json")
    assert (code, out) == (2, "")
    assert "good.json: exists already" in err
    assert run("coco", "fix", bad, "--out", "good.json", "--force")[0] == 0
    code, _, _ = run("coco", "fix", bad, "--out", bad, "--force", "--log", "log.jsonl")
    assert code == 0
    assert bad.read_bytes() == before.replace(b"true", b"1")
    assert json.loads(bad.with_name("log.jsonl").read_text())["before"] == "true"


@pytest.mark.parametrize("words", [("--out", "odd"), ("--out", "good.json", "--log", "odd")])
@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
@pytest.mark.parametrize("target", ["/dev/null", "nothing", "pipe"])
def test_fix_replaces_regular_files_only(bad, run, target, force, words):
    odd = bad.with_name("odd")
    if target == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to(target)
    kind = odd.lstat().st_mode
    code, out, err = run("coco", "fix", bad, *words, *force)
    assert (code, out) == (2, "")
    assert "odd: is no regular file" in err
    assert odd.lstat().st_mode == kind
    assert not bad.with_name("good.json").exists()


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from goldlabel.cli import main\n"
        "assert main(['coco', 'check', '--help']) == 0\n"
        "heavy = ('numpy', 'numba', 'pandas', 'PIL', 'goldlabel.coco')\n"
        "sys.exit(', '.join(sorted(set(sys.modules) & set(heavy))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_mended_file_is_no_wider_than_the_file(bad, run):
    bad.chmod(0o640)
    assert run("coco", "fix", bad, "--out", "mended.json")[0] == 0
    for name in ("mended.json", "mended.json.changes.csv"):
        assert bad.with_name(name).stat().st_mode & 0o777 == 0o640
