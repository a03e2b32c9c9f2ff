"""Tables with a row for each vote: any, and those of Mechanical Turk, Toloka and Label Studio."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.options import extended
from goldlabel.formats.tables import TableFile, write_column
from goldlabel.results.audit import Source
from goldlabel.tasks.multiannotator.formats.choices import one_choice
from goldlabel.tasks.multiannotator.formats.options import VoteOptions
from goldlabel.tasks.multiannotator.formats.raw_votes import (
    RawVotes,
    as_names,
    is_missing,
    is_text,
    seconds_of,
    times_of,
)
from goldlabel.tasks.multiannotator.formats.roles import Roles, named
from goldlabel.typing import Mask

__all__ = ["export", "platform", "read"]


class Platform(NamedTuple):
    """A table that a platform writes: its columns, and the rows that count."""

    name: str
    item: str
    annotator: str
    prefix: str
    time: str
    seconds: str
    status: str = ""
    accepted: tuple[str, ...] = ()


PLATFORMS = (
    Platform(
        *("Mechanical Turk", "HITId", "WorkerId", "Answer.", "SubmitTime", "WorkTimeInSeconds"),
        "AssignmentStatus",
        ("Approved", "Submitted"),
    ),
    Platform(
        *("Toloka", "ASSIGNMENT:task_id", "ASSIGNMENT:worker_id", "OUTPUT:", "ASSIGNMENT:started"),
        "",
        "ASSIGNMENT:status",
        ("APPROVED", "SUBMITTED"),
    ),
    Platform("Label Studio", "id", "annotator", "", "created_at", "lead_time"),
)


def platform(columns: Sequence[str]) -> Platform | None:
    """Return the platform that writes such columns."""
    for each in PLATFORMS:
        needed = {each.item, each.annotator}
        if each.name == "Label Studio":
            needed |= {"annotation_id", "lead_time"}
        if needed <= set(columns):
            return each
    if {"ASSIGNMENT:worker_id"} <= set(columns) and _inputs(columns):
        return PLATFORMS[1]
    return None


def _inputs(columns: Sequence[str]) -> list[str]:
    return [name for name in columns if name.startswith("INPUT:")]


def read(
    table: TableFile, asked: Mapping[str, str | None], *, positive: str | None = None
) -> RawVotes:
    """Read the votes of a table.

    Parameters
    ----------
    table : TableFile
    asked : mapping of str to str or None
        The columns that the caller names, by role: item, annotator, label, time, seconds.
    positive : str, optional
        Of votes that may hold several classes: the one that is asked about.
    """
    frame = table.frame
    columns = [str(name) for name in frame.columns]
    frame = frame.set_axis(columns, axis=1)
    path = table.source.files[0]
    known = platform(columns) if not (asked.get("item") and asked.get("annotator")) else None
    kept = np.ones(len(frame), dtype=np.bool_)
    notes = list(table.notes)
    if known is None:
        roles, note = named(path, columns, dict(asked))
        notes += [note] if note else []
    else:
        roles = _roles_of(path, known, columns, asked)
        frame, kept = _on_platform(frame, known, notes)
    return _raw_votes(table, frame, roles, kept, notes, positive)


def _roles_of(
    path: Path, known: Platform, columns: Sequence[str], asked: Mapping[str, str | None]
) -> Roles:
    """Return the columns of a platform's table; its label column has to be the only one."""
    answers = [name for name in columns if known.prefix and name.startswith(known.prefix)]
    if known.name == "Label Studio":
        own = {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time"}
        after = columns[columns.index("id") + 1 :]
        answers = [name for name in after if name not in own and name != "comment"]
    label = asked.get("label")
    if label is not None and label not in columns and f"{known.prefix}{label}" in columns:
        label = f"{known.prefix}{label}"
    if label is None and len(answers) == 1:
        label = answers[0]
    if label is None or label not in columns:
        what = ", ".join(map(repr, answers)) or "none"
        raise InputError(
            str(path),
            f"is a table of {known.name} with the answers {what}",
            "Say which is the label with the option label",
        )
    own_columns = {"time": known.time, "seconds": known.seconds}
    when = {
        role: asked.get(role) or (name if name in columns else None)
        for role, name in own_columns.items()
    }
    item = asked.get("item") or (known.item if known.item in columns else _ITEM)
    return Roles(item, asked.get("annotator") or known.annotator, label, **when)


_ITEM = "\0inputs"
"""Column of items that are known by their inputs alone."""


def _on_platform(
    frame: pd.DataFrame, known: Platform, notes: list[str]
) -> tuple[pd.DataFrame, Mask]:
    """Return the table with a column of items, and the rows that the platform did not reject."""
    notes.append(f"Recognised as a table of {known.name}.")
    if known.item not in frame:
        inputs = frame[_inputs(list(frame.columns))].astype(str)
        frame = frame.assign(**{_ITEM: inputs.agg(" | ".join, axis=1)})
    kept = np.ones(len(frame), dtype=np.bool_)
    if known.status in frame:
        kept = frame[known.status].isin(known.accepted).to_numpy()
        dropped = int(np.count_nonzero(~kept))
        if dropped:
            notes.append(
                f"{dropped:,} rows left out, whose {known.status} is not"
                f" {' or '.join(known.accepted)}."
            )
    return frame, kept


def _raw_votes(
    table: TableFile,
    frame: pd.DataFrame,
    roles: Roles,
    kept: Mask,
    notes: list[str],
    positive: str | None,
) -> RawVotes:
    path = table.source.files[0]
    label, single = one_choice(frame[roles.label], f"{path}: column {roles.label!r}", positive)
    label = label.map(_innermost) if roles.label == "Answer.taskAnswers" else label
    missing = is_missing(label)
    if (missing & kept).any():
        notes.append(f"{np.count_nonzero(missing & kept):,} rows without a label left out.")
    nameless = _is_nameless(frame[roles.annotator])
    if (nameless & kept & ~missing).any():
        lost = np.flatnonzero(nameless & kept & ~missing)
        notes.append(f"{lost.size:,} votes of nobody left out, the first in row {lost[0] + 1}.")
    missing |= nameless
    empty = np.flatnonzero(kept & ~missing & _is_nameless(frame[roles.item]))
    if empty.size:
        raise InputError(
            f"{path}: row {empty[0] + 1}, column {roles.item!r}",
            f"names no item; {empty.size:,} votes have none",
            "Fill it in, or drop the row",
        )
    there = kept & ~_is_nameless(frame[roles.item])
    items = pd.unique(as_names(frame[roles.item][there]))
    rows = np.flatnonzero(kept & ~missing)
    time = times_of(frame[roles.time]) if roles.time else None
    seconds = seconds_of(frame[roles.seconds]) if roles.seconds else None
    options = extended(VoteOptions, table.source, layout="long", roles=tuple(roles), single=single)
    return RawVotes(
        item=as_names(frame[roles.item].iloc[rows]),
        annotator=as_names(frame[roles.annotator].iloc[rows]),
        label=label.iloc[rows].reset_index(drop=True),
        items=np.asarray(items, dtype=object),
        place=rows[:, None],
        source=replace(table.source, options=options),
        where=f"{path}: column {roles.label!r}",
        notes=notes,
        frame=_of_items(frame[there], roles),
        time=None if time is None else time[rows],
        seconds=None if seconds is None else seconds[rows],
        listed=table.categories.get(roles.label),
        positions=roles.label in table.coded,
    )


def _is_nameless(column: pd.Series[Any]) -> Mask:
    """Return where a column names nothing: empty, or a number that is none."""
    nameless: Mask = is_missing(column)
    if column.dtype.kind == "f":
        nameless = nameless | ~np.isfinite(column.to_numpy(np.float64))
    elif column.dtype.kind == "O" and not is_text(column):
        infinite = [isinstance(each, float) and not np.isfinite(each) for each in column.tolist()]
        nameless = nameless | np.array(infinite, dtype=np.bool_)
    return nameless


def _of_items(frame: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Return the first row of each item, without the columns that belong to a vote."""
    first = frame.drop_duplicates(roles.item)
    gone = [name for name in (*roles, _ITEM) if name in frame]
    own = [name for name in frame if str(name).startswith(("ASSIGNMENT:", "OUTPUT:", "Answer."))]
    own += [name for name in _OF_A_VOTE if name in frame]
    return first.drop(columns=list({*gone, *own})).reset_index(drop=True)


_OF_A_VOTE = (
    *("annotation_id", "updated_at", "lead_time", "created_at", "AssignmentId", "AcceptTime"),
    *("AssignmentStatus", "AutoApprovalTime", "ApprovalTime", "RejectionTime", "SubmitTime"),
    *("RequesterFeedback", "WorkTimeInSeconds", "LifetimeApprovalRate", "Approve", "Reject"),
    *("Last30DaysApprovalRate", "Last7DaysApprovalRate"),
)


def _innermost(value: Any) -> Any:
    """Return the one answer within JSON such as ``[{"mood": {"label": "calm"}}]``."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value
    while isinstance(found, list | dict) and len(found) == 1:
        found = found[0] if isinstance(found, list) else next(iter(found.values()))
    if isinstance(found, dict):  # radio buttons: {"calm": false, "loud": true}
        chosen = [name for name, on in found.items() if on is True]
        return chosen[0] if len(chosen) == 1 else value
    return found if isinstance(found, str | int | float) else value


def export(source: Source, changes: Mapping[tuple[int, ...], object], out: Path) -> None:
    """Write the table again with some votes changed."""
    column = source.options.roles[2]
    if column == "Answer.taskAnswers" and changes:
        raise InputError(
            str(source.files[0]),
            "holds answers as JSON within a column, which is read and not written",
            "Take the consensus from consensus.parquet",
        )
    in_list = source.options.single == "list"
    write_column(
        source,
        column,
        {place[0]: _as_written(source, value, in_list) for place, value in changes.items()},
        out,
    )


def _as_written(source: Source, value: object, in_list: bool) -> object:
    if not in_list:
        return value
    new: Callable[[str], str] | list[object] = [value]
    if source.format in ("csv", "tsv"):
        return json.dumps([value], ensure_ascii=False)
    return new
