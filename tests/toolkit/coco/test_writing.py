"""JSON and SARIF: what other programs need is there, and is right."""

from __future__ import annotations

import io
import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from coco_files import annotation, clean, write

from goldlabel.coco import RULES, check_coco, write_json, write_sarif


@pytest.fixture
def findings(tmp_path, monkeypatch):
    """Return findings of all severities, in a file with more than one line and other letters."""
    monkeypatch.chdir(tmp_path)
    content = clean()
    content["images"][0]["file_name"] = "één.png"
    content["annotations"][0].update(bbox=[10, 10, 20, 0], iscrowd=True)
    content["annotations"].append(annotation(15, 1, 1, 40, 21, 30))
    content["categories"].append({"id": 3, "name": "cow"})
    text = json.dumps(content, ensure_ascii=False).replace('"annotations": [', '"annotations": [\n')
    return check_coco(write("a file.json", text))


def written(write, findings, **options):
    out = io.StringIO()
    write(findings, out, **options)
    return json.loads(out.getvalue())


def test_json(findings):
    got = written(write_json, findings)
    assert got["files"] == ["a file.json"]
    assert got["sizes"] == {"images": 2, "annotations": 5, "categories": 3, "predictions": 0}
    assert got["counts"] == findings.counts()
    assert [each["code"] for each in got["codes"]] == findings.codes
    assert [each["path"] for each in got["findings"]] == [each.path for each in findings]
    frame = findings.to_frame()
    assert list(frame.columns) == list(got["findings"][0])
    assert frame["message"].tolist() == [each["message"] for each in got["findings"]]


def test_top_limits_what_is_listed_and_not_what_is_counted(findings):
    whole, got = written(write_json, findings), written(write_json, findings, top=0)
    assert got["findings"] == []
    assert got["codes"] == whole["codes"]


def test_sarif_has_what_the_standard_requires(findings):
    log = written(write_sarif, findings)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "goldlabel"
    assert run["columnKind"] == "unicodeCodePoints"
    ids = [rule["id"] for rule in driver["rules"]]
    assert ids == list(RULES)
    for rule in driver["rules"]:
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
        assert rule["shortDescription"]["text"].endswith(".")
    assert len(run["results"]) == len(findings)
    for result, finding in zip(run["results"], findings, strict=True):
        assert ids[result["ruleIndex"]] == result["ruleId"] == finding.code
        assert result["level"] == finding.severity
        assert result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert unquote(place["artifactLocation"]["uri"]) == "a file.json"
        assert location["logicalLocations"][0]["fullyQualifiedName"] == finding.path
        assert place["region"]["startLine"] >= 1
        assert place["region"]["startColumn"] >= 1
        assert place["region"]["byteLength"] > 0


def test_places_lead_to_the_value(findings):
    raw = Path("a file.json").read_bytes()
    lines = raw.decode().splitlines()
    for each in findings:
        value = raw[each.start : each.stop]
        there = lines[each.line - 1][each.column - 1 :]
        assert there.encode().startswith(value[: len(there.encode())])
    box = next(findings.of("bbox-zero-size"))
    assert raw[box.start : box.stop] == b"[10, 10, 20, 0]"
    assert box.line == 2


def test_a_clean_file(tmp_path):
    findings = check_coco(write(tmp_path / "clean.json", clean()))
    assert written(write_json, findings)["findings"] == []
    log = written(write_sarif, findings)
    assert log["runs"][0]["results"] == []
    assert findings.is_clean("note")
    assert repr(findings) == "<Findings: 0 errors, 0 warnings, 0 notes>"


def test_only(findings):
    assert findings.only(["iscrowd-invalid"]).codes == ["iscrowd-invalid"]
    rest = findings.only(ignore=["iscrowd-invalid"])
    assert set(findings.codes) - set(rest.codes) == {"iscrowd-invalid"}
    assert len(rest) == len(findings) - 1


def test_severities_decide_what_is_clean(findings):
    notes = findings.only(["category-unused"])
    assert notes.is_clean("warning")
    assert not notes.is_clean("note")
    assert not findings.is_clean("error")
