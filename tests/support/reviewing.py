"""Answers to the questions of a view as a file of decisions, as the review app writes it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from goldlabel.scenes import Answer, View

__all__ = ["decision_rows", "write_decisions"]


def decision_rows(view: View, answers: list[tuple[int, int, Answer]]) -> list[dict[str, Any]]:
    """Return a row for each change; of one part, the last counts."""
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for example, question, answer in answers:
        for change in view.changes(example, question, answer):  # type: ignore[attr-defined]
            rows[example, change.part] = {
                "example": example,
                "part": change.part,
                "label": change.label,
                "action": change.action,
                **change.evidence,
            }
    return list(rows.values())


def write_decisions(path: Path, view: View, answers: list[tuple[int, int, Answer]]) -> Path:
    """Write the answers to questions, each by example and number, as a CSV."""
    rows = decision_rows(view, answers)
    usual = ("example", "part", "label", "action")
    names = list(dict.fromkeys([*usual, *(name for row in rows for name in row)]))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path
