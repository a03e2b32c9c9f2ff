"""Exports of Label Studio whose annotations are choices: JSON, and its short form JSON-MIN."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.json.text import (
    edited_list,
    elements,
    kind_of,
    parse,
    place,
    spliced,
)
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.multilabel.formats.given import Changes, Given, pivot

__all__ = ["export", "looks_like", "read"]

_LISTS = ("annotations", "completions")
_SHORT = ("annotation_id", "annotator", "lead_time")


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


def looks_like(content: Any) -> bool:
    """Return whether JSON is an export of Label Studio."""
    if not isinstance(content, list) or not content:
        return False
    first = content[0]
    return isinstance(first, dict) and (
        ("data" in first and any(name in first for name in _LISTS))
        or any(name in first for name in _SHORT)
    )


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
    file = read_text(path, encoding=encoding)
    content = parse(file.data.decode("utf-8"), str(path))
    _check_tasks(path, content)
    name = _chosen_name(path, content, label)
    found = [_choice(task, name, f"{path}: task {at + 1}") for at, task in enumerate(content)]
    if all(choice.choices is None for choice in found):
        raise InputError(str(path), f"has no choices of {name!r}", "Name those it has")
    options = {
        "encoding": file.encoding,
        "sha256": file.sha256,
        "rows": len(content),
        "name": name,
        "to_name": _to_name(content, name),
    }
    notes = [
        f"Read {path.name} as an export of Label Studio, {file.description}: {len(content):,}"
        f" tasks, choices {name!r}."
    ]
    several = sum(_several(task) for task in content)
    if several:
        notes.append(
            f"{several:,} tasks have several annotations: the ground truth or the first counts."
        )
    missing = sum(choice.choices is None for choice in found)
    if missing:
        notes.append(f"{missing:,} tasks have no annotation: their classes are not known.")
    labels, distinct, rows = pivot([choice.choices for choice in found], str(path))
    return Given(
        labels,
        distinct,
        rows,
        False,
        str(path),
        Source("label_studio", (path,), options),
        notes,
        ids=_ids(content),
        frame=_frame(content, name),
    )


def _check_tasks(path: Path, content: Any) -> None:
    if not isinstance(content, list) or not content:
        raise InputError(str(path), "is no list of tasks", "Export it from Label Studio as JSON")
    for at, task in enumerate(content):
        if not isinstance(task, dict):
            raise InputError(f"{path}: task {at + 1}", f"is a JSON {kind_of(task)}", "Export again")


def _annotation(task: Mapping[str, Any]) -> tuple[str, int, list[Any]] | None:
    """Return the annotation that counts: under which key, its position, and its results."""
    for key in _LISTS:
        listed = task.get(key)
        if isinstance(listed, list):
            there = [
                (not each.get("ground_truth"), at, each)
                for at, each in enumerate(listed)
                if isinstance(each, dict) and not each.get("was_cancelled")
            ]
            if there:
                _, at, chosen = min(there, key=lambda entry: entry[:2])
                results = chosen.get("result")
                return key, at, results if isinstance(results, list) else []
    return None


def _several(task: Mapping[str, Any]) -> bool:
    return any(isinstance(task.get(key), list) and len(task[key]) > 1 for key in _LISTS)


def _is_short(task: Mapping[str, Any]) -> bool:
    return not any(key in task for key in _LISTS)


def _is_choice(result: Any) -> bool:
    value = result.get("value") if isinstance(result, dict) else None
    return isinstance(value, dict) and isinstance(value.get("choices"), list)


def _chosen_name(path: Path, content: Sequence[Mapping[str, Any]], label: str | None) -> str:
    names: dict[str, None] = {}
    for task in content:
        chosen = _annotation(task)
        for result in chosen[2] if chosen is not None else ():
            if _is_choice(result):
                names[str(result.get("from_name", ""))] = None
        if _is_short(task):
            usual = [
                key for key, value in task.items() if isinstance(value, dict) and "choices" in value
            ]
            names.update(dict.fromkeys(usual))
    if label is not None:
        return label
    if len(names) == 1:
        return next(iter(names))
    what = f"has several kinds of choices: {', '.join(names)}" if names else "has no choices"
    raise InputError(str(path), what, "Say which hold the classes with the option labels")


def _to_name(content: Sequence[Mapping[str, Any]], name: str) -> str:
    """Return what the choices belong to, for tasks that get their first."""
    for task in content:
        chosen = _annotation(task)
        for result in chosen[2] if chosen is not None else ():
            if _is_choice(result) and str(result.get("from_name", "")) == name:
                return str(result.get("to_name", ""))
    return ""


def _choice(task: Mapping[str, Any], name: str, where: str) -> Choice:
    if _is_short(task):
        return _short_choice(task, name, where)
    chosen = _annotation(task)
    if chosen is None:
        return Choice((), None)
    key, at, results = chosen
    for number, result in enumerate(results):
        if _is_choice(result) and str(result.get("from_name", "")) == name:
            choices = result["value"]["choices"]
            return Choice((key, at, "result", number, "value", "choices"), _names(choices, where))
    return Choice((key, at, "result"), [])


def _short_choice(task: Mapping[str, Any], name: str, where: str) -> Choice:
    value = task.get(name)
    if isinstance(value, dict) and isinstance(value.get("choices"), list):
        return Choice((name, "choices"), _names(value["choices"], where))
    if isinstance(value, list):
        return Choice((name,), _names(value, where))
    if isinstance(value, str):
        return Choice((name,), [value])
    return Choice((), [] if any(key in task for key in _SHORT) else None)


def _names(choices: list[Any], where: str) -> list[str]:
    for choice in choices:
        if not isinstance(choice, str):
            raise InputError(where, f"has the choice {choice!r}, which is no text", "Export again")
    return choices


def _ids(content: Sequence[Mapping[str, Any]]) -> Any:
    ids = [task.get("id") for task in content]
    good = all(isinstance(each, int | str) for each in ids) and len(set(ids)) == len(ids)
    return np.array(ids, dtype=object) if good else None


def _frame(content: Sequence[Mapping[str, Any]], name: str) -> pd.DataFrame:
    """Return what the tasks show to an annotator: plain values only."""
    rows = []
    for task in content:
        data = task.get("data") if isinstance(task.get("data"), dict) else task
        assert isinstance(data, dict)
        hidden = {name, "id", *_SHORT, "created_at", "updated_at"} if data is task else set()
        rows.append(
            {
                key: str(value)
                for key, value in data.items()
                if key not in hidden and isinstance(value, str | int | float)
            }
        )
    return pd.DataFrame(rows, index=range(len(rows)), dtype=object).fillna("")


def export(source: Source, changes: Changes, out: Path) -> None:
    """Write the export again with choices taken out of lists and others put in."""
    write_text(source, out, lambda file: _changed(source, file, changes))


def _changed(source: Source, file: TextFile, changes: Changes) -> bytes:
    by_task: dict[int, dict[str, bool]] = {}
    for (example, part), is_present in changes.items():
        by_task.setdefault(example, {})[source.options["values"][part]] = is_present
    text = file.data.decode("utf-8")
    edits = []
    if by_task:
        for at, (task, start, stop) in enumerate(elements(text)):
            if at in by_task:
                where = f"{source.files[0]}: task {at + 1}"
                new = _changed_task(source, task, text[start:stop], by_task[at], where)
                edits.append((start, stop, new))
    return spliced(text, edits).encode("utf-8")


def _changed_task(
    source: Source, task: Mapping[str, Any], text: str, wanted: Mapping[str, bool], where: str
) -> str:
    name = source.options["name"]
    choice = _choice(task, name, where)
    old = choice.choices or []
    add = [each for each, there in wanted.items() if there and each not in old]
    if not choice.path:
        if choice.choices is None or not name:
            raise InputError(where, "has no annotation to change", "Leave it out")
        close = text.rindex("}")
        entry = f", {json.dumps(name)}: {json.dumps({'choices': add})}"
        return (
            text if not add else text[:close].rstrip() + entry + text[len(text[:close].rstrip()) :]
        )
    start, stop = place(text, choice.path)
    if choice.path[-1] == "result":
        return text if not add else _with_result(source, text, start, stop, add)
    if text[start] == '"':  # one choice by itself
        kept = [each for each in old if wanted.get(each, True)] + add
        value = kept[0] if len(kept) == 1 else {"choices": kept}
        return text[:start] + json.dumps(value, ensure_ascii=False) + text[stop:]
    spans = [(first - start - 1, last - start - 1) for _, first, last in elements(text, start)]
    quoted = [json.dumps(each, ensure_ascii=text.isascii()) for each in add]
    inside = text[start + 1 : stop - 1]
    new = edited_list(inside, spans, lambda i: wanted.get(old[i], True), quoted, ", ")
    return text[: start + 1] + new + text[stop - 1 :]


def _with_result(source: Source, text: str, start: int, stop: int, add: Sequence[str]) -> str:
    """Put the first choices into an annotation that has none."""
    result = {
        "value": {"choices": list(add)},
        "from_name": source.options["name"],
        "to_name": source.options["to_name"],
        "type": "choices",
    }
    spans = [(first - start - 1, last - start - 1) for _, first, last in elements(text, start)]
    entry = json.dumps(result, ensure_ascii=text.isascii())
    new = edited_list(text[start + 1 : stop - 1], spans, lambda i: True, [entry], ", ")
    return text[: start + 1] + new + text[stop - 1 :]
