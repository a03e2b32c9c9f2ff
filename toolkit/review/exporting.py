"""From the log to tables: what is decided, what is left open, and the corrected dataset."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd

from goldlabel.actions.corrections import ACTION, to_decide
from goldlabel.actions.export import Exported, corrected_name, with_part_names
from goldlabel.actions.export import export as export_dataset
from goldlabel.errors import InputError
from goldlabel.files import no_wider_than, replacing
from goldlabel.formats.spreadsheet import write_csv
from goldlabel.review.answers import DECIDES
from goldlabel.review.session import Review
from goldlabel.review.state import Decision
from goldlabel.views import as_label

__all__ = [
    "CONFLICTS",
    "REVIEWED",
    "Conflicts",
    "Written",
    "export",
    "export_reviewed",
    "table",
    "write_table",
]

Conflicts = Literal["skip", "latest", "expert"]
CONFLICTS: tuple[Conflicts, ...] = ("skip", "latest", "expert")
REVIEWED = "reviewed.csv"
STATUSES = ".statuses.csv"
"""Goes beside a table: what nobody could give a label to."""
_KEY = ["example", "part"]
_OWN = ["verdict", "decided_by", "decided_at", "seconds", "note"]
_STATUS = ["example", "id", "part", "status", "decided_by", "decided_at", "note"]


class Written(NamedTuple):
    """How many rows of a table name a label, leave it open, are undecided; and what differs."""

    decided: int
    open: int
    undecided: int
    conflicts: int
    statuses: Path | None


def table(
    review: Review, *, conflicts: Conflicts = "skip", undecided: bool = True
) -> tuple[pd.DataFrame, int]:
    """Return decisions as `goldlabel.actions.corrections.decided` reads them, and how many differ.

    Parameters
    ----------
    review : Review
    conflicts : {"skip", "latest", "expert"}
        Of a label about which reviewers differ: leave it undecided, take the last answer, or that
        of an expert (none, or experts who differ: undecided).
    undecided : bool
        Whether findings that nobody has decided are in it, with an empty label.
    """
    decisions = review.decisions()
    settled = [_settled(review, *key, conflicts) for key in review.state.conflicts()]
    decisions += [each for each in settled if each is not None]
    findings = _findings(review)
    rows = [_row(review, each) for each in decisions]
    own = pd.DataFrame(rows, columns=None if rows else _KEY, dtype=object)
    more = [name for name in findings if name in _KEY or name not in own]
    own = own.merge(findings[more], how="left", on=_KEY, validate="many_to_one")
    if undecided:
        left = ~pd.MultiIndex.from_frame(findings[_KEY]).isin(pd.MultiIndex.from_frame(own[_KEY]))
        own = pd.concat([own, findings[left]], ignore_index=True)
    names = [*findings, *(name for name in own if name not in findings)]
    order = [*(name for name in names if name not in _OWN), *_OWN]
    frame = own.reindex(columns=order).astype(object)
    return frame.where(frame.notna(), ""), sum(each is None for each in settled)


def _findings(review: Review) -> pd.DataFrame:
    """Return the findings as they are decided in a table; numbers as text that is exact."""
    frame = to_decide(review.issues)
    texts = {
        str(name): column.map(as_label)
        for name, column in frame.items()
        if pd.api.types.is_float_dtype(column)
    }
    return frame.assign(**texts).astype(object)


def _settled(review: Review, example: int, part: int, how: Conflicts) -> Decision | None:
    """Return the answer that counts where several differ; None where none does."""
    answers = review.state.conflict(example, part)
    if how == "latest":
        return answers[-1]
    experts = {each.reviewer for each in review.log.reviewers() if each.expert}
    by_expert = [each for each in answers if each.reviewer in experts]
    outcomes = {(each.verdict.label, each.verdict.change) for each in by_expert}
    return by_expert[-1] if how == "expert" and len(outcomes) == 1 else None


def _row(review: Review, decision: Decision) -> dict[str, Any]:
    """Return a decision as a row of the table."""
    verdict = decision.verdict
    change: dict[str, Any] = json.loads(verdict.change or "{}")
    action = review.actions[decision.seq]
    notes = [each["text"] for each in review.notes.get(verdict.example, ())]
    row = {
        "example": verdict.example,
        "id": review.findings.id(verdict.example),
        "part": verdict.part,
        "given": verdict.given or "",
        "label": _label(review, decision),
        **{name: _text(value) for name, value in change.items() if name != ACTION},
    }
    if ACTION in review.issues.parts.evidence:
        row[ACTION] = change.get(ACTION, "")
    return {
        **row,
        "verdict": verdict.verdict,
        "decided_by": review.names[decision.reviewer],
        "decided_at": datetime.fromtimestamp(action.at / 1000, UTC).isoformat(timespec="seconds"),
        "seconds": "" if action.seconds is None else as_label(action.seconds),
        "note": " · ".join(dict.fromkeys(notes)),
    }


def _label(review: Review, decision: Decision) -> str:
    """Return the label that is decided; none where what was kept is none of the classes."""
    verdict, findings = decision.verdict, review.findings
    if verdict.verdict not in DECIDES or verdict.label is None:
        return ""
    is_label = findings.is_numeric or verdict.label in findings.classes
    return verdict.label if is_label else ""


def _text(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value)
    return as_label(value) if isinstance(value, float) else value


def write_table(
    review: Review, out: Path, *, conflicts: Conflicts = "skip", undecided: bool = True
) -> Written:
    """Write decisions as a CSV file; beside it, what was found unusable, unsure or for an expert.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    frame, left = table(review, conflicts=conflicts, undecided=undecided)
    frame = with_part_names(frame, review.issues)
    is_open = frame["verdict"].isin(["unsure", "ask", "unusable"])
    has_label = frame["verdict"].isin(DECIDES)
    statuses = out.with_name(out.name + STATUSES)
    status = frame[is_open].assign(status=frame["verdict"])[_STATUS]
    with no_wider_than(review.source.files), _refusing(out):
        with replacing(out) as temporary:
            write_csv(frame, temporary)
        if len(status) or statuses.exists():
            with replacing(statuses) as temporary:
                write_csv(status, temporary)
    return Written(
        int(has_label.sum()),
        int(is_open.sum()),
        int((~is_open & ~has_label).sum()),
        left,
        statuses if len(status) else None,
    )


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InputError(
            str(path), f"cannot be written ({why})", "Name a folder you may write to"
        ) from error


def export_reviewed(review: Review, out: Path, *, force: bool = False) -> tuple[Exported, int]:
    """Write the dataset with what is decided; return that, and how many labels are in conflict."""
    with tempfile.TemporaryDirectory(prefix="goldlabel-") as folder:
        decisions = Path(folder) / REVIEWED
        written = write_table(review, decisions)
        done = export_dataset(review.folder, out, decisions=decisions, force=force)
    return done, written.conflicts


def export(review: Review) -> dict[str, Any]:
    """Write what is decided into the audit's folder, and the dataset if a place was named.

    A dataset that an export has written, which its change log beside it tells, is replaced.
    """
    decisions = review.folder / REVIEWED
    if decisions.exists() and not _is_ours(decisions):
        raise InputError(
            str(decisions), "is in the way, and was not written by a review", "Move it away"
        )
    written = write_table(review, decisions)
    out = review.out
    progress = review.progress()
    if out is None:
        out = review.folder.with_name(corrected_name(review.source))
        changed, kept = progress["changed"], written.decided - progress["changed"]
    else:
        log = out.with_name(out.name + ".changes.csv")
        done = export_dataset(review.folder, out, decisions=decisions, force=log.is_file())
        changed, kept = len(done.changes), done.kept
    words = ["goldlabel", "export", review.folder, "--reviewed", "--out", out]
    return {
        "decisions": str(decisions),
        "out": None if review.out is None else str(review.out),
        "changed": changed,
        "kept": kept,
        "undecided": written.undecided + written.open,
        "conflicts": written.conflicts,
        "command": shlex.join(map(str, words)),
    }


def _is_ours(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline().rstrip("\n").endswith(",".join(_OWN))
    except (OSError, UnicodeDecodeError):
        return False
