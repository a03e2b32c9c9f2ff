"""What a log of reviews holds: rounds, reviewers, actions, verdicts; and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

__all__ = [
    "APPLICATION",
    "ROLES",
    "SCHEMA",
    "VERBS",
    "VERDICTS",
    "VERSION",
    "Action",
    "Appended",
    "Reviewer",
    "Role",
    "Round",
    "Verb",
    "Verdict",
]

Verb = Literal["decide", "undo", "redo", "note", "setting"]
Role = Literal["review", "sample", "control", "repeat", "import"]
VERBS: tuple[Verb, ...] = ("decide", "undo", "redo", "note", "setting")
ROLES: tuple[Role, ...] = ("review", "sample", "control", "repeat", "import")
VERDICTS = ("accept", "keep", "set", "unsure", "ask", "skip", "unusable")
"""What a person can say of a label. The first three name one: the suggested, the given, another."""

APPLICATION = 0x676C6472  # "gldr"
VERSION = 1


def _one_of(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(map(repr, values))})"


SCHEMA = (
    "CREATE TABLE round(round INTEGER PRIMARY KEY, audit TEXT NOT NULL UNIQUE,"
    " source TEXT NOT NULL, at INTEGER NOT NULL, plan TEXT NOT NULL) STRICT",
    "CREATE TABLE reviewer(reviewer INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " expert INTEGER NOT NULL DEFAULT 0) STRICT",
    "CREATE TABLE action(seq INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE,"
    " round INTEGER NOT NULL REFERENCES round, reviewer INTEGER NOT NULL REFERENCES reviewer,"
    f" at INTEGER NOT NULL, verb TEXT NOT NULL CHECK ({_one_of('verb', VERBS)}),"
    " target INTEGER REFERENCES action, role TEXT NOT NULL DEFAULT 'review'"
    f" CHECK ({_one_of('role', ROLES)}), seconds REAL, shown TEXT, text TEXT) STRICT",
    "CREATE TABLE verdict(action INTEGER NOT NULL REFERENCES action, example INTEGER NOT NULL,"
    " part INTEGER NOT NULL, verdict TEXT NOT NULL"
    f" CHECK ({_one_of('verdict', VERDICTS)}), label TEXT, change TEXT, id TEXT, given TEXT,"
    " PRIMARY KEY (action, example, part)) STRICT, WITHOUT ROWID",
    *(
        f"CREATE TRIGGER {table}_{event} BEFORE {event} ON {table}"
        " BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
        for table in ("action", "verdict")
        for event in ("UPDATE", "DELETE")
    ),
)


class Verdict(NamedTuple):
    """What a person says of one label.

    Attributes
    ----------
    example, part : int
        Position of the example, and of the part in it; -1 for the example itself.
    verdict : str
        One of `VERDICTS`.
    label : str or None
        The label that is right, a class by its name or a number as text: the suggested one for
        "accept", the given one for "keep".
    change : str or None
        JSON of what a label alone does not say, e.g. ``{"action": "move", "x1": 3}``.
    id, given : str or None
        The example's id and the label it had, by which a verdict is found again in a dataset
        that has changed.
    """

    example: int
    part: int
    verdict: str
    label: str | None = None
    change: str | None = None
    id: str | None = None
    given: str | None = None


class Action(NamedTuple):
    """One entry of the log; `verdicts` is empty but for the verb "decide"."""

    seq: int
    uid: str
    round: int
    reviewer: int
    at: int
    verb: Verb
    target: int | None
    role: Role
    seconds: float | None
    shown: str | None
    text: str | None
    verdicts: tuple[Verdict, ...] = ()


class Appended(NamedTuple):
    """The place of an action in the log, and whether it was not there before."""

    seq: int
    is_new: bool


class Reviewer(NamedTuple):
    """Who decides; where others differ, an expert's later word counts."""

    reviewer: int
    name: str
    expert: bool


@dataclass(frozen=True)
class Round:
    """One audit that is reviewed: of which dataset (`source`), with which plan of samples."""

    round: int
    audit: str
    source: str
    at: int
    plan: Mapping[str, Any]
