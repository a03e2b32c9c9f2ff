"""Exports of Label Studio whose annotations are choices: JSON, and its short form JSON-MIN."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.json.text import place, quoted, spliced
from goldlabel.formats.label_studio import (
    annotations_of,
    choose_tag,
    control_tags,
    edited,
    is_short,
    looks_like,
    read_export,
    results_with,
    shown,
    task_id,
)
from goldlabel.formats.tables import write_text
from goldlabel.results.audit import Source
from goldlabel.tasks.multiannotator.formats.choices import each_chosen
from goldlabel.tasks.multiannotator.formats.options import VoteOptions
from goldlabel.tasks.multiannotator.formats.raw_votes import RawVotes, as_names, times_of

__all__ = ["export", "looks_like", "read"]

_OF_EXPORT = ("annotation_id", "annotator", "id", "lead_time", "created_at", "updated_at")
"""What the short form says of a task beside its choices and, before the id, what was shown."""


class _Vote(NamedTuple):
    item: str
    annotator: str
    label: Any
    place: tuple[int, int, int]
    created: Any
    seconds: Any


def read(
    path: Path,
    *,
    label: str | None = None,
    positive: str | None = None,
    encoding: str | None = None,
) -> RawVotes:
    """Read an export; annotations that were cancelled, or skip the choices, are no votes.

    Parameters
    ----------
    path : Path
    label : str, optional
        Name of the choices (``from_name`` in the labeling configuration), needed if there are
        several.
    positive : str, optional
        Of annotations with several choices: the one that is asked about.
    encoding : str, optional

    Raises
    ------
    InputError
        The file is no such export, or has no choices; says which task.
    """
    content = read_export(path, encoding=encoding)
    file, tasks = content
    tags = control_tags((each for task in tasks for each in annotations_of(task)), "choices")
    name = choose_tag(path, {**tags, **dict.fromkeys(_short_names(tasks))}, label, "label")
    items = [str(task_id(task, at)) for at, task in enumerate(tasks)]
    votes = [
        vote
        for at, task in enumerate(tasks)
        for vote in _votes(task, at, items[at], name, content.where(at))
    ]
    votes = _with_classes(votes, content.where, positive)
    options = VoteOptions(
        encoding=None if encoding is None else file.encoding,
        sha256=file.sha256,
        name=name,
        to_name=tags.get(name, ""),
        positive=positive,
        layout="label_studio",
        tasks=len(tasks),
    )
    cancelled = sum(each.was_cancelled for task in tasks for each in annotations_of(task))
    notes = [f"Read {path.name} as an export of Label Studio: {len(tasks):,} tasks, choice {name}."]
    notes += [f"{cancelled:,} cancelled annotations left out."] if cancelled else []
    first = {each: at for at, each in reversed(list(enumerate(items)))}
    created = pd.Series([vote.created for vote in votes], dtype=object)
    seconds = [vote.seconds if isinstance(vote.seconds, int | float) else None for vote in votes]
    return RawVotes(
        item=as_names([vote.item for vote in votes]),
        annotator=as_names([vote.annotator for vote in votes]),
        label=pd.Series([vote.label for vote in votes], dtype=object),
        items=np.array(list(dict.fromkeys(items)), dtype=object),
        place=np.array([vote.place for vote in votes], dtype=np.int64).reshape(-1, 3),
        source=Source("label_studio", (path,), options),
        where=f"{path}: choice {name!r}",
        notes=notes,
        frame=shown([tasks[at] for at in sorted(first.values())], name),
        time=times_of(created) if created.notna().any() else None,
        seconds=np.array(seconds, dtype=np.float64) if any(seconds) else None,
    )


def _short_names(tasks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what may be choices in tasks of the short form: what stands after the id."""
    for task in tasks:
        if is_short(task):
            keys = list(task)
            after = keys[keys.index("id") + 1 :] if "id" in task else keys
            yield from (key for key in after if key not in _OF_EXPORT)


def _who(annotation: Mapping[str, Any], key: str, where: str) -> str:
    who = annotation.get(key)
    if isinstance(who, dict):
        who = who.get("email") or who.get("username") or who.get("id")
    if isinstance(who, list) and len(who) == 1:
        who = who[0]
    if not isinstance(who, int | str) or who == "":
        raise InputError(where, f"does not say who annotated it ({key})", "Export it with users")
    return str(who)


def _votes(task: Mapping[str, Any], at: int, item: str, name: str, where: str) -> Iterator[_Vote]:
    if is_short(task):
        label = _short_label(task, name)
        if label is not None:
            who = _who(task, "annotator", where)
            yield _Vote(item, who, label, (at, -1, -1), *_times(task))
        return
    for annotation in annotations_of(task):
        if annotation.was_cancelled:
            continue
        entry, number = annotation.entry, int(annotation.path[1])
        for row, result, choices in results_with(annotation, "choices"):
            if str(result.get("from_name", "")) == name:
                who = _who(entry, "completed_by", where)
                yield _Vote(item, who, choices, (at, number, row), *_times(entry))


def _times(entry: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return when a vote was given, and how many seconds it took."""
    return entry.get("created_at"), entry.get("lead_time")


def _short_label(task: Mapping[str, Any], name: str) -> list[Any] | None:
    """Return the choices of a task of the short form, which writes a single one by itself."""
    value = task.get(name)
    if isinstance(value, dict):
        value = value.get("choices")
    return value if isinstance(value, list) else [value] if value else None


def _with_classes(
    votes: Sequence[_Vote], where: Callable[[int], str], positive: str | None
) -> list[_Vote]:
    """Return votes for one class each, of votes for lists of them."""
    lists = [vote.label for vote in votes]
    labels = each_chosen(lists, lambda at: where(votes[at].place[0]), positive)
    return [
        vote._replace(label=label)
        for vote, label in zip(votes, labels, strict=True)
        if label is not None
    ]


def export(source: Source, changes: Mapping[tuple[int, ...], object], out: Path) -> None:
    """Write the export again with some choices changed."""
    by_task: dict[int, dict[tuple[int, ...], object]] = {}
    for (task, *inside), label in changes.items():
        by_task.setdefault(task, {})[tuple(inside)] = label
    name = source.options.name
    edits = {task: partial(_changed_task, name, votes) for task, votes in by_task.items()}
    write_text(source, out, lambda file: edited(file, edits))


def _changed_task(
    name: str, votes: Mapping[tuple[int, ...], object], task: Mapping[str, Any], text: str
) -> str:
    pieces = [
        (*place(text, _path(task, name, *vote)), quoted(label, text))
        for vote, label in votes.items()
    ]
    return spliced(text, pieces)


def _path(
    task: Mapping[str, Any], name: str, annotation: int, result: int
) -> tuple[str | int, ...]:
    """Return keys and positions that lead to the one choice of a vote in its task."""
    if annotation < 0 and isinstance(task.get(name), dict):
        return name, "choices", 0
    if annotation < 0:
        return (name, 0) if isinstance(task.get(name), list) else (name,)
    path = next(each.path for each in annotations_of(task) if each.path[1] == annotation)
    return (*path, result, "value", "choices", 0)
