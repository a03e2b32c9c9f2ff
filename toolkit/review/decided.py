"""From the log to files: decisions that an export reads, and labels that nobody could decide."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from goldlabel.actions.export import with_part_names
from goldlabel.errors import InputError
from goldlabel.files import no_wider_than, replacing
from goldlabel.formats.spreadsheet import write_csv
from goldlabel.review.session import LOG, Review
from goldlabel.review.state import Decision

__all__ = ["NO_LABEL", "check_reviewed", "decided_frame", "write_decided"]

NO_LABEL = ("unsure", "ask", "unusable")
"""Verdicts that leave a label undecided, and are worth knowing."""


def check_reviewed(folder: str | Path) -> Path:
    """Return the log in the folder of an audit.

    Raises
    ------
    InputError
        There is none: nobody has reviewed the audit.
    """
    log = Path(folder, LOG)
    if not log.is_file():
        raise InputError(str(folder), "was not reviewed", "Review it first: goldlabel review")
    return log


def decided_frame(review: Review) -> pd.DataFrame:
    """Return what is decided, a row for each label, in the order of the dataset.

    A given label that is kept, as it is none of the classes, is an empty one, as a label is that is
    undecided. Labels in conflict are left out. The columns after ``label`` are those that
    corrections need; then come ``verdict``, ``decided_by``, ``decided_at`` and ``seconds``.
    """
    names = {each.reviewer: each.name for each in review.log.reviewers()}
    actions = {action.seq: action for action in review.log.actions()}
    decisions = review.decisions()
    evidence = [_change(each) for each in decisions]
    names_carried = (name for change in evidence for name in change if name != "given")
    carried = list(dict.fromkeys(names_carried))
    rows = [
        {
            "example": each.verdict.example,
            "id": each.verdict.id or each.verdict.example,
            "part": each.verdict.part,
            "given": change.pop("given", each.verdict.given or ""),
            "label": _label(each, review),
            **{name: change.get(name, "") for name in carried},
            "verdict": each.verdict.verdict,
            "decided_by": names[each.reviewer],
            "decided_at": _moment(actions[each.seq].at),
            "seconds": actions[each.seq].seconds,
        }
        for each, change in zip(decisions, evidence, strict=True)
    ]
    head = ["example", "id", "part", "given", "label", *carried]
    columns = [*head, "verdict", "decided_by", "decided_at", "seconds"]
    frame = pd.DataFrame(rows, columns=columns)
    if "action" not in frame and "action" in review.issues.parts.evidence:
        frame.insert(len(head), "action", "")
    return with_part_names(frame, review.issues)


def write_decided(review: Review, path: str | Path) -> pd.DataFrame:
    """Write what is decided as a file for ``goldlabel export --decisions``."""
    frame = decided_frame(review)
    with no_wider_than(review.source.files), replacing(Path(path)) as temporary:
        write_csv(frame, temporary)
    return frame


def _change(decision: Decision) -> dict[str, Any]:
    change = decision.verdict.change
    values = json.loads(change) if change else {}
    return {
        name: json.dumps(value) if isinstance(value, dict | list) else value
        for name, value in values.items()
    }


def _label(decision: Decision, review: Review) -> str:
    verdict = decision.verdict
    if verdict.verdict in NO_LABEL or verdict.label is None:
        return ""
    # What is no label, and was kept, cannot be written as one.
    known = review.findings.is_numeric or verdict.label in review.findings.classes
    return verdict.label if known else ""


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
