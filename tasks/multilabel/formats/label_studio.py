"""Exports of Label Studio whose annotations are choices: JSON, and its short form JSON-MIN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.json.text import edited_entries, place, quoted
from goldlabel.formats.label_studio import (
    annotations_of,
    choose_tag,
    control_tags,
    counting,
    edited,
    is_short,
    looks_like,
    read_export,
    results_with,
    shown,
)
from goldlabel.formats.options import options_of
from goldlabel.formats.registry import Format
from goldlabel.formats.tables import write_text
from goldlabel.results.audit import Source
from goldlabel.tasks.multilabel.formats.given import Asked, Changes, Given, Options, pivot

__all__ = ["FORMAT", "export", "read"]


class Choice(NamedTuple):
    """Where a task says which classes it has.

    Attributes
    ----------
    path : tuple
        Keys and positions that lead to the list of choices, or to the one choice, in the task.
    choices : list of str, or None
        The classes; None where the task has no annotation.
    """

    path: tuple[str | int, ...]
    choices: list[str] | None


@dataclass(frozen=True, kw_only=True)
class StudioOptions(Options):
    """The choices `name` of an export, which are about `to_name`."""

    encoding: str
    sha256: str
    rows: int
    name: str
    to_name: str


def _read(path: Path, asked: Asked) -> Given:
    label = asked.one_label("label_studio")
    return read(path, label=label, encoding=asked.reading.get("encoding"))


def read(path: Path, *, label: str | None = None, encoding: str | None = None) -> Given:
    """Read an export.

    Of several annotations of a task the one marked as ground truth counts, else the first; those
    that were cancelled do not.

    Parameters
    ----------
    path : Path
    label : str, optional
        Name of the choices (``from_name`` in the labeling configuration), needed if there are
        several.
    encoding : str, optional

    Raises
    ------
    InputError
        The file is no such export, or has no choices; says which task.
    """
    content = read_export(path, encoding=encoding)
    file, tasks = content
    tags = control_tags(map(counting, tasks), "choices")
    name = choose_tag(path, {**tags, **_short_names(tasks, label)}, label, "labels")
    listed = [_choice(task, name, content.where(at)) for at, task in enumerate(tasks)]
    if all(choice.choices is None for choice in listed):
        raise InputError(str(path), f"has no choices of {name!r}", "Name those it has")
    options = StudioOptions(
        encoding=file.encoding,
        sha256=file.sha256,
        rows=len(tasks),
        name=name,
        to_name=tags.get(name, ""),
    )
    notes = [
        f"Read {path.name} as an export of Label Studio, {file.description}: {len(tasks):,}"
        f" tasks, choices {name!r}."
    ]
    several = sum(len(annotations_of(task)) > 1 for task in tasks)
    if several:
        notes.append(
            f"{several:,} tasks have several annotations: the ground truth or the first counts."
        )
    missing = sum(choice.choices is None for choice in listed)
    if missing:
        notes.append(f"{missing:,} tasks have no annotation: their classes are not known.")
    labels, distinct, rows = pivot([choice.choices for choice in listed], str(path))
    return Given(
        labels,
        distinct,
        rows,
        False,
        str(path),
        Source("label_studio", (path,), options),
        notes,
        ids=_ids(tasks),
        frame=shown(tasks, name),
    )


def _short_names(tasks: Sequence[Mapping[str, Any]], label: str | None) -> dict[str, str]:
    """Return the names of choices that tasks of the short form have, or that are asked for."""
    return {
        key: ""
        for task in tasks
        if is_short(task)
        for key, value in task.items()
        if key == label or (isinstance(value, dict) and "choices" in value)
    }


def _choice(task: Mapping[str, Any], name: str, where: str) -> Choice:
    if is_short(task):
        return _short_choice(task, name, where)
    annotation = counting(task)
    if annotation is None:
        return Choice((), None)
    for at, result, choices in results_with(annotation, "choices"):
        if str(result.get("from_name", "")) == name:
            return Choice((*annotation.path, at, "value", "choices"), _names(choices, where))
    return Choice(annotation.path, [])


def _short_choice(task: Mapping[str, Any], name: str, where: str) -> Choice:
    value = task.get(name)
    if isinstance(value, dict) and isinstance(value.get("choices"), list):
        return Choice((name, "choices"), _names(value["choices"], where))
    if isinstance(value, list):
        return Choice((name,), _names(value, where))
    if isinstance(value, str):
        return Choice((name,), [value])
    return Choice((), [] if looks_like([task]) else None)


def _names(choices: list[Any], where: str) -> list[str]:
    for choice in choices:
        if not isinstance(choice, str):
            raise InputError(where, f"has the choice {choice!r}, which is no text", "Export again")
    return choices


def _ids(tasks: Sequence[Mapping[str, Any]]) -> Any:
    ids = [task.get("id") for task in tasks]
    good = all(isinstance(each, int | str) for each in ids) and len(set(ids)) == len(ids)
    return np.array(ids, dtype=object) if good else None


def export(source: Source, changes: Changes, out: Path) -> None:
    """Write the export again with choices taken out of lists and others put in."""
    values = options_of(source, StudioOptions).values
    by_task: dict[int, dict[str, bool]] = {}
    for (example, part), is_present in changes.items():
        by_task.setdefault(example, {})[str(values[part])] = is_present
    edits = {
        at: partial(_changed_task, source, wanted, f"{source.files[0]}: task {at + 1}")
        for at, wanted in by_task.items()
    }
    write_text(source, out, lambda file: edited(file, edits))


def _changed_task(
    source: Source, wanted: Mapping[str, bool], where: str, task: Mapping[str, Any], text: str
) -> str:
    options = options_of(source, StudioOptions)
    name = options.name
    choice = _choice(task, name, where)
    old = choice.choices or []
    new = [each for each, there in wanted.items() if there and each not in old]
    if not choice.path:
        if choice.choices is None or not name:
            raise InputError(where, "has no annotation to change", "Leave it out")
        return _with_member(text, name, new) if new else text
    try:
        start, stop = place(text, choice.path)
    except IndexError as error:
        raise InputError(where, "has an annotation without a result", "Leave it out") from error
    listed = text[start:stop]
    if choice.path[-1] == "result":
        value = {
            "value": {"choices": new},
            "from_name": name,
            "to_name": options.to_name,
            "type": "choices",
        }
        listed = edited_entries(listed, {}, add=[quoted(value, text)]) if new else listed
    elif listed[0] == '"':  # one choice by itself
        kept = [each for each in old if wanted.get(each, True)] + new
        listed = quoted(kept[0] if len(kept) == 1 else {"choices": kept}, text)
    else:
        gone = {at for at, each in enumerate(old) if not wanted.get(each, True)}
        listed = edited_entries(listed, {}, drop=gone, add=[quoted(each, text) for each in new])
    return text[:start] + listed + text[stop:]


def _with_member(text: str, name: str, choices: Sequence[str]) -> str:
    """Put choices into a task of the short form that has none."""
    body = text[: text.rindex("}")].rstrip()
    return f"{body}, {quoted(name, text)}: {quoted({'choices': choices}, text)}{text[len(body) :]}"


FORMAT: Format[Asked, Given] = Format(
    "label_studio",
    "an export of Label Studio",
    lambda head: isinstance(head.json, list) and not head.is_json_lines,
    _read,
    export,
    StudioOptions,
)
