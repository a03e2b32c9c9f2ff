"""Exports of Label Studio: tasks, the annotation of each that counts, and edits in place.

The long form (JSON) has for each task what it shows, and its annotations with their results. The
short form (JSON-MIN) has one annotation a task, whose values stand beside what the task shows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.json.text import elements, kind_of, parse, spliced
from goldlabel.formats.text import TextFile, read_text

__all__ = [
    "Annotation",
    "Export",
    "annotations_of",
    "choose_tag",
    "control_tags",
    "counting",
    "edited",
    "is_short",
    "looks_like",
    "picture_name",
    "read_export",
    "results_with",
    "shown",
    "task_id",
]

Task = Mapping[str, Any]

_LISTS = ("annotations", "completions")
"""Under which key a task has its annotations; the second one up to 2020."""
_SHORT = ("annotation_id", "annotator", "lead_time")
"""What only a task of the short form says of itself."""
_OF_SHORT = ("id", *_SHORT, "created_at", "updated_at")


class Annotation(NamedTuple):
    """What one annotator says of a task.

    Attributes
    ----------
    path : tuple
        Keys and positions that lead to the list of results in the task.
    entry : dict
        The annotation as it is.
    results : list
    """

    path: tuple[str | int, ...]
    entry: Task
    results: list[Any]

    @property
    def was_cancelled(self) -> bool:
        """Whether the annotator skipped the task."""
        return bool(self.entry.get("was_cancelled"))


class Export(NamedTuple):
    """The tasks of a file."""

    file: TextFile
    tasks: list[dict[str, Any]]

    def where(self, at: int) -> str:
        """Name a task in messages."""
        return f"{self.file.path}: task {at + 1}"


def looks_like(content: Any) -> bool:
    """Return whether JSON is an export of Label Studio, in its long or its short form."""
    first = content[0] if isinstance(content, list) and content else None
    if not isinstance(first, dict):
        return False
    return (not is_short(first) and "data" in first) or any(key in first for key in _SHORT)


def is_short(task: Task) -> bool:
    """Return whether a task has its annotation beside what it shows."""
    return not any(key in task for key in _LISTS)


def read_export(path: Path, *, encoding: str | None = None) -> Export:
    """Read the tasks of an export.

    Raises
    ------
    InputError
        The file is no list of tasks; says which one is none.
    """
    file = read_text(path, encoding=encoding)
    tasks = parse(file.data.decode("utf-8"), str(path))
    if not isinstance(tasks, list) or not tasks:
        raise InputError(str(path), "is no list of tasks", "Export it from Label Studio as JSON")
    export = Export(file, tasks)
    for at, task in enumerate(tasks):
        if not isinstance(task, dict):
            raise InputError(export.where(at), f"is a JSON {kind_of(task)}", "Export again")
    return export


def annotations_of(task: Task) -> list[Annotation]:
    """Return the annotations of a task of the long form, cancelled ones too."""
    key = next((key for key in _LISTS if isinstance(task.get(key), list) and task[key]), None)
    return [
        Annotation((key, at, "result"), entry, results if isinstance(results, list) else [])
        for at, entry in enumerate(task[key] if key is not None else ())
        if key is not None and isinstance(entry, dict)
        for results in [entry.get("result")]
    ]


def counting(task: Task) -> Annotation | None:
    """Return the annotation that counts: the ground truth, else the first not cancelled."""
    valid = [each for each in annotations_of(task) if not each.was_cancelled]
    return min(valid, key=lambda each: not each.entry.get("ground_truth"), default=None)


def results_with(annotation: Annotation | None, kind: str) -> Iterator[tuple[int, Any, list[Any]]]:
    """Yield position, result, and list of labels of each result of a kind, e.g. ``choices``."""
    for at, result in enumerate(() if annotation is None else annotation.results):
        value = result.get("value") if isinstance(result, dict) else None
        if isinstance(value, dict) and isinstance(value.get(kind), list):
            yield at, result, value[kind]


def control_tags(listed: Iterable[Annotation | None], kind: str) -> dict[str, str]:
    """Return ``from_name`` and ``to_name`` of the results of a kind, in order of appearance."""
    names: dict[str, str] = {}
    for annotation in listed:
        for _, result, _ in results_with(annotation, kind):
            names.setdefault(str(result.get("from_name", "")), str(result.get("to_name", "")))
    return names


def choose_tag(path: Path, names: Collection[str], asked: str | None, option: str) -> str:
    """Return the name of the choices that are asked for, or of the only ones.

    Raises
    ------
    InputError
        There are none, or several and no one is asked for, or not the one.
    """
    if asked is not None and asked in names:
        return asked
    if asked is None and len(names) == 1:
        return next(iter(names))
    what = f"has the choices {', '.join(names)}" if names else "has no choices"
    what += "" if asked is None else f", not {asked!r}"
    raise InputError(str(path), what, f"Say which hold the classes with the option {option}")


def shown(tasks: Sequence[Task], name: str) -> pd.DataFrame:
    """Return what tasks show to an annotator: plain values, but not those called `name`."""
    rows = []
    for task in tasks:
        data = task.get("data")
        values = data if isinstance(data, dict) else task
        hidden = () if values is data else (name, *_OF_SHORT)
        rows.append(
            {
                key: str(value)
                for key, value in values.items()
                if key not in hidden and isinstance(value, str | int | float)
            }
        )
    return pd.DataFrame(rows, index=range(len(rows)), dtype=object).fillna("")


def task_id(task: Task, at: int) -> int | str:
    """Return the id of a task; its position where it has none."""
    own = task.get("id")
    return own if isinstance(own, int | str) and not isinstance(own, bool) else at


def picture_name(task: Task, at: int) -> str:
    """Return the file name of a task's picture: its address without folders and query; or its id.

    Examples
    --------
    >>> picture_name({"data": {"image": "/data/local-files/?d=photos/a.jpg"}}, 0)
    'a.jpg'
    """
    data = task.get("data")
    for value in data.values() if isinstance(data, dict) else ():
        if isinstance(value, str) and "." in value.rpartition("/")[2]:
            name = value.rpartition("?d=")[2] if "?d=" in value else value.partition("?")[0]
            return name.rpartition("/")[2]
    return str(task_id(task, at))


def edited(
    file: TextFile, edits: Mapping[int, Callable[[dict[str, Any], str], str]]
) -> bytes:  # fmt: skip
    """Return the text of an export with some tasks changed, and all else as it was.

    Parameters
    ----------
    file : TextFile
    edits : mapping of int to callable
        By position of the task: what makes its new text of it and of its text.

    Raises
    ------
    InputError
        There is no task at a position: what is known to predictions alone.
    """
    if not edits:
        return file.data
    text = file.data.decode("utf-8")
    pieces = [
        (start, stop, edits[at](task, text[start:stop]))
        for at, (task, start, stop) in enumerate(elements(text))
        if at in edits
    ]
    if len(pieces) < len(edits):
        raise InputError(
            f"corrections: example {max(edits)}",
            f"is known to the predictions alone: {file.path.name} has no task for it",
            "Import it into Label Studio first, or leave out its corrections",
        )
    return spliced(text, pieces).encode("utf-8")
