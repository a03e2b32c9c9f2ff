"""Exports of Label Studio whose annotations are choices: JSON, and its short form JSON-MIN."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.json.text import (
    elements,
    kind_of,
    members,
    parse,
    spliced,
)
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.multiannotator.formats.choices import chosen
from goldlabel.tasks.multiannotator.formats.raw_votes import RawVotes, as_names, times_of

__all__ = ["export", "looks_like", "place_of", "read"]

_LISTS = ("annotations", "completions")
_SHORT = ("annotation_id", "annotator")


class _Vote(NamedTuple):
    item: str
    annotator: str
    label: Any
    place: tuple[int, int, int]
    created: Any
    seconds: Any


def looks_like(content: Any) -> bool:
    """Return whether JSON is an export of Label Studio."""
    if not isinstance(content, list) or not content or not isinstance(content[0], dict):
        return False
    first = content[0]
    full = "data" in first and any(name in first for name in _LISTS)
    return full or all(name in first for name in _SHORT)


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
    file = read_text(path, encoding=encoding)
    tasks = _tasks(path, parse(file.data.decode("utf-8"), str(path)))
    name = _chosen_name(path, tasks, label)
    items = [_id(task, at) for at, task in enumerate(tasks)]
    votes = [
        vote
        for at, task in enumerate(tasks)
        for vote in _votes(task, at, items[at], name, positive, f"{path}: task {at + 1}")
    ]
    options = {
        **({"encoding": file.encoding} if encoding is not None else {}),
        "sha256": file.sha256,
        "name": name,
        "to_name": _to_name(tasks, name),
        "positive": positive,
        "layout": "label_studio",
        "tasks": len(tasks),
    }
    cancelled = sum(bool(each.get("was_cancelled")) for task in tasks for each in _each(task))
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
        frame=_frame([tasks[at] for at in sorted(first.values())], name),
        time=times_of(created) if created.notna().any() else None,
        seconds=np.array(seconds, dtype=np.float64) if any(seconds) else None,
    )


def _tasks(path: Path, content: Any) -> list[dict[str, Any]]:
    if not isinstance(content, list) or not content:
        raise InputError(str(path), "is no list of tasks", "Export it from Label Studio as JSON")
    for at, task in enumerate(content):
        if not isinstance(task, dict):
            raise InputError(f"{path}: task {at + 1}", f"is a JSON {kind_of(task)}", "Export again")
    return content


def _id(task: Mapping[str, Any], at: int) -> str:
    found = task.get("id")
    return str(found) if isinstance(found, int | str) else str(at)


def _key(task: Mapping[str, Any]) -> str | None:
    return next((key for key in _LISTS if isinstance(task.get(key), list)), None)


def _each(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the annotations of a task of the long form."""
    key = _key(task)
    return [each for each in task[key] if isinstance(each, dict)] if key else []


def _results(annotation: Mapping[str, Any]) -> Iterator[tuple[int, str, list[Any]]]:
    """Yield position, name and choices of each result that has choices."""
    results = annotation.get("result")
    for at, result in enumerate(results if isinstance(results, list) else []):
        value = result.get("value") if isinstance(result, dict) else None
        if isinstance(value, dict) and isinstance(value.get("choices"), list):
            yield at, str(result.get("from_name", "")), value["choices"]


def _chosen_name(path: Path, tasks: Sequence[dict[str, Any]], label: str | None) -> str:
    names: dict[str, None] = {}
    for task in tasks:
        for annotation in _each(task):
            names.update((name, None) for _, name, _ in _results(annotation))
        if _key(task) is None:
            own = (*_SHORT, "id", "lead_time", "created_at", "updated_at")
            after = list(task)[list(task).index("id") + 1 :] if "id" in task else list(task)
            names.update(dict.fromkeys(key for key in after if key not in own))
    if label is not None and label in names:
        return label
    if label is None and len(names) == 1:
        return next(iter(names))
    what = f"has the choices {', '.join(names)}" if names else "has no choices"
    raise InputError(str(path), what, "Say which hold the classes with the option label")


def _to_name(tasks: Sequence[Mapping[str, Any]], name: str) -> str:
    """Return what the choices belong to, for predictions."""
    for task in tasks:
        for annotation in _each(task):
            for at, from_name, _ in _results(annotation):
                if from_name == name:
                    return str(annotation["result"][at].get("to_name", ""))
    return ""


def _who(annotation: Mapping[str, Any], key: str, where: str) -> str:
    who = annotation.get(key)
    if isinstance(who, dict):
        who = who.get("email") or who.get("username") or who.get("id")
    if isinstance(who, list) and len(who) == 1:
        who = who[0]
    if not isinstance(who, int | str) or who == "":
        raise InputError(where, f"does not say who annotated it ({key})", "Export it with users")
    return str(who)


def _votes(
    task: Mapping[str, Any], at: int, item: str, name: str, positive: str | None, where: str
) -> Iterator[_Vote]:
    key = _key(task)
    if key is None:
        label = _short_label(task, name, where, positive)
        if label is not None:
            who = _who(task, "annotator", where)
            moment, taken = task.get("created_at"), task.get("lead_time")
            yield _Vote(item, who, label, (at, -1, -1), moment, taken)
        return
    for number, annotation in enumerate(task[key]):
        if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
            continue
        for result, from_name, choices in _results(annotation):
            label = chosen(choices, where, positive) if from_name == name else None
            if label is not None:
                who = _who(annotation, "completed_by", where)
                moment, taken = annotation.get("created_at"), annotation.get("lead_time")
                yield _Vote(item, who, label, (at, number, result), moment, taken)


def _short_label(task: Mapping[str, Any], name: str, where: str, positive: str | None) -> Any:
    value = task.get(name)
    if isinstance(value, dict):
        value = value.get("choices")
    if isinstance(value, str) and value and positive is not None:
        value = [value]
    return chosen(value, where, positive) if isinstance(value, list) else value or None


def _frame(tasks: Sequence[Mapping[str, Any]], name: str) -> pd.DataFrame:
    """Return what the tasks show to an annotator: plain values only."""
    rows = []
    for task in tasks:
        data = task.get("data")
        shown = data if isinstance(data, dict) else task
        hidden = {name, "id", *_SHORT, "created_at", "updated_at", "lead_time"}
        rows.append(
            {
                key: str(value)
                for key, value in shown.items()
                if (shown is data or key not in hidden) and isinstance(value, str | int | float)
            }
        )
    return pd.DataFrame(rows, index=range(len(rows)), dtype=object).fillna("")


def export(source: Source, changes: Mapping[tuple[int, ...], object], out: Path) -> None:
    """Write the export again with some choices changed."""
    write_text(source, out, lambda file: _changed(source, file, changes))


def _changed(source: Source, file: TextFile, changes: Mapping[tuple[int, ...], object]) -> bytes:
    by_task: dict[int, list[tuple[tuple[int, ...], object]]] = {}
    for place, value in changes.items():
        by_task.setdefault(place[0], []).append((place, value))
    text = file.data.decode("utf-8")
    edits = []
    for at, (task, start, stop) in enumerate(elements(text) if by_task else ()):
        own = text[start:stop]
        pieces = [(*_place(own, task, place, source), _quoted(v, text)) for place, v in
                  by_task.get(at, [])]  # fmt: skip
        if pieces:
            edits.append((start, stop, spliced(own, pieces)))
    return spliced(text, edits).encode("utf-8")


def _quoted(value: object, text: str) -> str:
    return json.dumps(value, ensure_ascii=text.isascii())


def _place(
    text: str, task: Mapping[str, Any], place: tuple[int, ...], source: Source
) -> tuple[int, int]:
    """Return where the one choice of a vote stands in the text of its task."""
    name = source.options["name"]
    if place[1] < 0:
        path: tuple[str | int, ...] = (name,)
        if isinstance(task.get(name), dict):
            path = (name, "choices", 0)
        elif isinstance(task.get(name), list):
            path = (name, 0)
    else:
        key = _key(task) or _LISTS[0]
        path = (key, place[1], "result", place[2], "value", "choices", 0)
    return place_of(text, path)


def place_of(text: str, path: Sequence[str | int]) -> tuple[int, int]:
    """Return where the value stands that a path of keys and positions leads to."""
    start, stop = 0, len(text)
    for step in path:
        if isinstance(step, int):
            _, start, stop = list(elements(text, start))[step]
        else:  # of a key that comes twice, the last one counts, as in reading
            places = [(a, b) for key, _, a, b in members(text, start) if key == step]
            start, stop = places[-1]
    return start, stop
