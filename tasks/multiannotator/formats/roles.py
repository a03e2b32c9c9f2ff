"""What the columns of a table of votes are: guessed from their names, and said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from goldlabel.errors import InputError

__all__ = ["NAMES", "Roles", "guessed", "named"]

NAMES = {
    "item": (
        *("item", "task", "id", "unit", "question", "item_id", "task_id", "unit_id"),
        *("question_id", "example", "example_id", "document", "document_id", "image", "object"),
    ),
    "annotator": (
        *("annotator", "worker", "user", "rater", "completed_by", "annotator_id", "worker_id"),
        *("workerid", "user_id", "rater_id", "labeler", "labeller", "coder", "judge", "username"),
    ),
    "label": (
        *("label", "answer", "response", "category", "class", "vote", "choice", "annotation"),
        *("rating", "value"),
    ),
    "time": ("timestamp", "time", "created_at", "submitted_at", "submitted", "date", "datetime"),
    "seconds": ("seconds", "lead_time", "duration", "elapsed", "worktimeinseconds", "time_spent"),
}
"""Usual names of columns, in lower case, the better ones first."""

NEEDED = ("item", "annotator", "label")


class Roles(NamedTuple):
    """The columns of a long table: who says what of which item, and perhaps when."""

    item: str
    annotator: str
    label: str
    time: str | None = None
    seconds: str | None = None


def guessed(columns: Sequence[str]) -> dict[str, str]:
    """Return the column of each role whose usual name is among the columns, best names first."""
    found: dict[str, str] = {}
    lower = {name.lower().strip().replace(" ", "_"): name for name in reversed(columns)}
    for role, names in NAMES.items():
        free = (lower[name] for name in names if name in lower)
        chosen = next((name for name in free if name not in found.values()), None)
        if chosen is not None:
            found[role] = chosen
    return found


def named(path: object, columns: Sequence[str], asked: dict[str, str | None]) -> tuple[Roles, str]:
    """Return the columns of a long table, and a note on those that were guessed.

    Raises
    ------
    InputError
        A column that was asked for is not there, or none has a usual name.
    """
    for role, name in asked.items():
        if name is not None and name not in columns:
            raise InputError(
                f"{path}: column {name!r}", f"is not there; there are {_shown(columns)}",
                f"Correct the option {role}",
            )  # fmt: skip
    taken = {name for name in asked.values() if name is not None}
    found = guessed([name for name in columns if name not in taken])
    whole = {role: asked.get(role) or found.get(role) for role in NAMES}
    missing = [role for role in NEEDED if whole[role] is None]
    if missing:
        raise InputError(
            str(path),
            f"has no column that is surely the {missing[0]}: it has {_shown(columns)}",
            "Name the columns with the options item, annotator and label; votes side by side, a"
            " column for each annotator, are the format wide",
        )
    said = [f"{name!r} for the {role}" for role, name in found.items() if asked.get(role) is None]
    note = f"Columns were taken by their names: {', '.join(said)}." if said else ""
    return Roles(**whole), note  # type: ignore[arg-type]


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(map(repr, names[:20])) + more
