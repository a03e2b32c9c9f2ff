"""Findings for other programs: JSON, and SARIF 2.1.0 for code hosts and editors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from goldlabel import __version__
from goldlabel.coco.findings import Finding, Findings
from goldlabel.coco.rules import RULES

__all__ = ["write_json", "write_sarif"]

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def write_json(findings: Findings, out: IO[str], *, top: int | None = None) -> None:
    """Write findings as one JSON object: files, sizes, counts, codes, findings.

    Parameters
    ----------
    findings : Findings
    out : file open for writing text
    top : int, optional
        Only so many findings of each code; the counts are of all.
    """
    codes = findings.per_code().drop(columns="what").to_dict("records")
    head = {
        "files": [str(path) for path in findings.files],
        "sizes": findings.sizes,
        "counts": findings.counts(),
        "codes": codes,
        "findings": [],
    }
    text = json.dumps(head, indent=2)
    _write_list(text, (asdict(each) for each in first(findings, top)), out)


def write_sarif(findings: Findings, out: IO[str], *, top: int | None = None) -> None:
    """Write findings as a SARIF 2.1.0 log with one run.

    Parameters
    ----------
    findings : Findings
    out : file open for writing text
    top : int, optional
        Only so many findings of each code. Some readers take a few thousand at most.
    """
    codes = list(RULES)
    run = {
        "tool": {
            "driver": {
                "name": "goldlabel",
                "version": __version__,
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [],
    }
    text = json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)
    place = {code: index for index, code in enumerate(codes)}
    results = (_result(each, place[each.code]) for each in first(findings, top))
    _write_list(text, results, out)


def first(findings: Findings, top: int | None) -> Iterator[Finding]:
    """Yield the findings, at most so many of each code."""
    for code in findings.codes:
        for number, finding in enumerate(findings.of(code)):
            if top is not None and number >= top:
                break
            yield finding


def _write_list(text: str, rows: Iterator[dict[str, Any]], out: IO[str]) -> None:
    """Write JSON whose one empty list is filled with rows, which may be many."""
    before, after = text.rsplit("[]", 1)
    out.write(before + "[")
    for number, row in enumerate(rows):
        out.write(("," if number else "") + "\n" + json.dumps(row))
    out.write("\n]" + after + "\n")


def _rule(code: str) -> dict[str, Any]:
    rule = RULES[code]
    found: dict[str, Any] = {
        "id": code,
        "shortDescription": {"text": rule.what},
        "defaultConfiguration": {"level": rule.severity},
    }
    if rule.fix:
        found["help"] = {"text": f"goldlabel coco fix mends it. {rule.fix}"}
    return found


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(Path(finding.file))}}
    if finding.line:
        location["region"] = {
            "startLine": finding.line,
            "startColumn": finding.column,
            "byteOffset": finding.start,
            "byteLength": finding.stop - finding.start,
        }
    ids = {
        name: value
        for name in ("image_id", "annotation_id", "category_id")
        if (value := getattr(finding, name)) is not None
    }
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.severity,
        "message": {"text": finding.message},
        "locations": [
            {
                "physicalLocation": location,
                "logicalLocations": [{"fullyQualifiedName": finding.path}],
            }
        ],
        "properties": {**ids, "is_fixable": finding.is_fixable},
    }


def _uri(path: Path) -> str:
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
