"""Decisions from elsewhere: the log of another review, or a table that somebody has filled in."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from goldlabel.actions.corrections import ACTION, COLUMNS, decided
from goldlabel.errors import InputError
from goldlabel.review.answers import change_text
from goldlabel.review.log import ReviewLog
from goldlabel.review.records import Verdict
from goldlabel.review.session import LOG, Review
from goldlabel.views import as_label

__all__ = ["import_table", "merge"]


def merge(review: Review, other: Path) -> int:
    """Append the actions of another review that are not in this one's log.

    Parameters
    ----------
    review : Review
    other : Path
        A log, or the folder of an audit with one.

    Returns
    -------
    int
        How many actions were new.

    Raises
    ------
    InputError
        There is no log, or it is none.
    """
    path = other / LOG if other.is_dir() else other
    if not path.is_file():
        raise InputError(str(path), "is not there", "Name the log of a review, or its folder")
    if path.resolve() == review.log.path.resolve():
        raise InputError(str(path), "is the log itself", "Name the log of another review")
    with ReviewLog(path, read_only=True) as theirs:
        new = review.log.adopt(theirs)
    review.sync()
    return new


def import_table(review: Review, path: Path) -> int:
    """Take over what a table decides, as one action; what people say in the review counts more.

    The reviewer has the name of the file. The same table, taken over again, changes nothing.

    Returns
    -------
    int
        How many labels it decides.

    Raises
    ------
    InputError
        The table is none, or does not fit the audit.
    """
    found = decided(review.issues, path)
    verdicts = [
        *(_verdict(review, row, "set") for row in _rows(found.changes)),
        *(_verdict(review, row, "keep") for row in _rows(found.keeps)),
    ]
    if not verdicts:
        return 0
    digest = hashlib.sha256(path.read_bytes() + review.round.audit.encode()).hexdigest()
    reviewer = review.log.enter_reviewer(path.name)
    review.log.append(
        f"import {digest}",
        round=review.round.round,
        reviewer=reviewer.reviewer,
        verdicts=verdicts,
        role="import",
    )
    review.sync()
    return len(verdicts)


def _rows(frame: pd.DataFrame | None) -> list[dict[Any, Any]]:
    return [] if frame is None else [dict(row) for row in frame.to_dict("records")]


def _verdict(review: Review, row: dict[Any, Any], word: str) -> Verdict:
    evidence = {
        name: value
        for name, value in row.items()
        if name not in (*COLUMNS, ACTION) and not _is_nothing(value)
    }
    action = "" if _is_nothing(row.get(ACTION)) else str(row[ACTION])
    change = None if word == "keep" else change_text(action, evidence)
    example = int(row["example"])
    return Verdict(
        example,
        int(row["part"]),
        word,
        _text(row["suggested"]),
        change,
        review.findings.id(example),
        _text(row["given"]),
    )


def _is_nothing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and value != value)


def _text(value: Any) -> str:
    if _is_nothing(value):
        return ""
    return as_label(value) if isinstance(value, float) else str(value)
