"""JSON Lines of Prodigy and doccano."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.json.text import place, quoted, spliced
from goldlabel.formats.options import extended
from goldlabel.formats.tables import TableFile, write_columns
from goldlabel.results.audit import Source
from goldlabel.tasks.multiannotator.formats.choices import each_chosen
from goldlabel.tasks.multiannotator.formats.options import VoteOptions
from goldlabel.tasks.multiannotator.formats.raw_votes import RawVotes, as_names, times_of

__all__ = ["export", "looks_like", "read_doccano", "read_prodigy"]

_PEOPLE = ("_annotator_id", "_session_id")


def looks_like(columns: Sequence[str]) -> str | None:
    """Return "prodigy" or "doccano" where columns show one of them."""
    names = set(columns)
    if "_input_hash" in names and "answer" in names:
        return "prodigy"
    if "annotations" in names and not {"completed_by", "annotator"} & names:
        return "doccano"
    return None


def read_prodigy(table: TableFile, *, positive: str | None = None) -> RawVotes:
    """Read annotations of Prodigy: choices, or yes and no to one question.

    Examples that were ignored are no votes.
    """
    frame, path = table.frame, table.source.files[0]
    who = next((name for name in _PEOPLE if name in frame), None)
    if who is None:
        raise InputError(
            str(path), "does not say who annotated it: _session_id is missing", "Export sessions"
        )
    has_choices = "accept" in frame
    question = "label" in frame and frame["label"].astype(str).nunique() > 1
    item = "_task_hash" if question and not has_choices and "_task_hash" in frame else "_input_hash"
    answers = frame["answer"].tolist()
    kept = np.array([answer in ("accept", "reject") for answer in answers], dtype=np.bool_)
    labels: list[Any] = answers
    if has_choices:
        kept &= np.array([isinstance(each, list) for each in frame["accept"]], dtype=np.bool_)
        kept &= np.array([answer == "accept" for answer in answers], dtype=np.bool_)
        lists = frame["accept"].where(kept, None).tolist()
        labels = each_chosen(lists, lambda row: f"{path}: row {row + 1}", positive)
        kept &= np.array([each is not None for each in labels], dtype=np.bool_)
    notes = [*table.notes, f"Recognised as annotations of Prodigy, by {who}."]
    if not kept.all():
        notes.append(f"{np.count_nonzero(~kept):,} examples without an answer left out.")
    rows = np.flatnonzero(kept)
    options = extended(
        VoteOptions, table.source, layout="prodigy", choices=has_choices, positive=positive
    )
    shown = frame.drop_duplicates(item).reset_index(drop=True)
    hidden = [name for name in shown if str(name).startswith("_") or name in _OF_PRODIGY]
    return RawVotes(
        item=as_names(frame[item].iloc[rows]),
        annotator=as_names(frame[who].iloc[rows]),
        label=pd.Series([labels[row] for row in rows], dtype=object),
        items=pd.unique(as_names(frame[item])),
        place=rows[:, None],
        source=replace(table.source, options=options),
        where=f"{path}: answers",
        notes=notes,
        frame=shown.drop(columns=hidden),
        time=times_of(frame["_timestamp"].iloc[rows]) if "_timestamp" in frame else None,
    )


_OF_PRODIGY = ("answer", "accept", "options", "config", "priority", "score", "spans", "tokens")


def read_doccano(table: TableFile, *, positive: str | None = None) -> RawVotes:
    """Read an export of doccano whose annotations name their users."""
    frame, path = table.frame, table.source.files[0]
    item = as_names(frame["id"]) if "id" in frame else as_names(np.arange(len(frame)))
    votes: dict[tuple[int, str], list[tuple[int, Any]]] = {}
    for row, listed in enumerate(frame["annotations"]):
        for at, each in enumerate(listed if isinstance(listed, list) else []):
            if not isinstance(each, dict) or "label" not in each or each.get("user") is None:
                raise InputError(
                    f"{path}: row {row + 1}",
                    f"has an annotation without a label or a user: {str(each)[:60]}",
                    "Export it as JSONL with users",
                )
            votes.setdefault((row, str(each["user"])), []).append((at, each["label"]))
    rows = np.array([row for row, _ in votes], dtype=np.int64)
    lists = [[label for _, label in each] for each in votes.values()]
    labels = each_chosen(lists, lambda at: f"{path}: row {rows[at] + 1}", positive)
    places = [(row, each[0][0]) for (row, _), each in votes.items()]
    options = extended(VoteOptions, table.source, layout="doccano", positive=positive)
    hidden = [
        name for name in ("id", "annotations", "meta", "annotation_approver") if name in frame
    ]
    return RawVotes(
        item=item[rows],
        annotator=as_names([user for _, user in votes]),
        label=pd.Series(labels, dtype=object).infer_objects(),
        items=item,
        place=np.array(places, dtype=np.int64).reshape(-1, 2),
        source=replace(table.source, options=options),
        where=f"{path}: annotations",
        notes=[*table.notes, "Recognised as an export of doccano."],
        frame=frame.drop(columns=hidden),
    )


def export(source: Source, changes: Mapping[tuple[int, ...], object], out: Path) -> None:
    """Write the lines again with some votes changed."""
    if source.options.layout == "prodigy":
        column = "accept" if source.options.choices else "answer"
        wrap = source.options.choices
        new = {place[0]: [value] if wrap else value for place, value in changes.items()}
        write_columns(source, {column: new}, out)
        return
    by_row: dict[int, dict[int, object]] = {}
    for (row, at), value in changes.items():
        by_row.setdefault(row, {})[at] = value
    edits = {row: partial(_relabeled, labels) for row, labels in by_row.items()}
    write_columns(source, {"annotations": edits} if edits else {}, out)


def _relabeled(labels: Mapping[int, object], text: str) -> str:
    """Return the JSON text of a list of annotations with the labels of some changed."""
    edits = [(*place(text, (at, "label")), quoted(label, text)) for at, label in labels.items()]
    return spliced(text, edits)
