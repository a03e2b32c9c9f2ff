"""The log of a review: every action in the order it was taken, in one SQLite file, never changed.

A decision, on one label or on 100,000, is one action, written in one transaction and synced before
`ReviewLog.append` returns. What is in force follows from the log (`goldlabel.review.state`);
taking an action back appends another. An action has a `uid` that whoever takes it has made: sent
twice, it is stored once.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from goldlabel.errors import InputError
from goldlabel.files import check_replaceable
from goldlabel.review.connecting import connected
from goldlabel.review.records import (
    APPLICATION,
    SCHEMA,
    VERSION,
    Action,
    Appended,
    Reviewer,
    Role,
    Round,
    Verb,
    Verdict,
)

__all__ = ["ReviewLog"]


class ReviewLog:
    """A log that is open, for any number of threads; other processes may have it open, too.

    Parameters
    ----------
    path : str or Path
        The file; made if it is not there.
    read_only : bool
        Write nothing, not even beside the log; one that is not there is empty.

    Raises
    ------
    InputError
        The file is no log of a review, was written by a newer goldlabel, or cannot be opened.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path = Path(path)
        self.read_only = read_only
        self._lock = threading.RLock()
        if not read_only:
            check_replaceable(self.path)
        is_empty = read_only and not self.path.exists()
        with self._refusing():
            self._connection = connected(Path(":memory:") if is_empty else self.path, read_only)
            try:
                self._check_or_make(is_empty)
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was appended is on disk already."""
        with self._lock:
            self._connection.close()

    def enter_round(self, audit: str, source: str, plan: Mapping[str, Any] | None = None) -> Round:
        """Return the round of an audit, by its digest; begin one if the audit is new here.

        `source` is the digest of the label files, `plan` plain JSON that is kept with the round.
        """
        row = (audit, source, _now(), json.dumps(plan or {}))
        if not self.read_only:
            with self._writing() as connection:
                connection.execute(
                    "INSERT INTO round(audit, source, at, plan) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT(audit) DO NOTHING",
                    row,
                )
        for known in self.rounds():
            if known.audit == audit:
                return known
        raise InputError(str(self.path), "has no round of this audit", "Open it for writing")

    def rounds(self) -> list[Round]:
        """Return every round, the first one first."""
        rows = self._rows("SELECT round, audit, source, at, plan FROM round ORDER BY round")
        return [
            Round(number, audit, source, at, self._json(plan))
            for number, audit, source, at, plan in rows
        ]

    def enter_reviewer(self, name: str, *, expert: bool | None = None) -> Reviewer:
        """Return the reviewer of a name, who is new if nobody had it; `expert` is kept if given."""
        if not name.strip() or len(name) > 200 or not name.isprintable():
            raise InputError("name", f"is {name[:200]!r}, no name", "Give 1 to 200 letters")
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO reviewer(name, expert) VALUES (?1, coalesce(?2, 0)) ON CONFLICT(name)"
                " DO UPDATE SET expert = coalesce(?2, expert)",
                (name, None if expert is None else int(expert)),
            )
        return next(each for each in self.reviewers() if each.name == name)

    def reviewers(self) -> list[Reviewer]:
        """Return everybody who has reviewed."""
        rows = self._rows("SELECT reviewer, name, expert FROM reviewer ORDER BY reviewer")
        return [Reviewer(number, name, bool(expert)) for number, name, expert in rows]

    def append(
        self,
        uid: str,
        *,
        round: int,
        reviewer: int,
        verb: Verb = "decide",
        verdicts: Iterable[Verdict] = (),
        target: int | None = None,
        role: Role = "review",
        seconds: float | None = None,
        shown: Mapping[str, Any] | None = None,
        text: str | None = None,
        at: int | None = None,
    ) -> Appended:
        """Write an action with all its verdicts, or nothing; it is on disk when this returns.

        Parameters
        ----------
        uid : str
            Made by whoever acts; an action with this uid that is there already is not written
            again.
        round, reviewer : int
            Of `enter_round` and `enter_reviewer`.
        verb : {"decide", "undo", "redo", "note", "setting"}
        verdicts : iterable of Verdict
            Of a decision; one for each label.
        target : int, optional
            The action that is undone or redone.
        role : {"review", "sample", "control", "repeat", "import"}
            Why the question was asked.
        seconds : float, optional
            How long the person looked.
        shown : mapping, optional
            How the question was asked, as plain JSON.
        text : str, optional
            A note or a setting.
        at : int, optional
            Milliseconds since 1970, UTC; now, if not given.

        Raises
        ------
        InputError
            The log is read-only, the disk is full, or an entry is not what the schema takes.
        """
        entry = (
            *(uid, round, reviewer, _now() if at is None else at, verb, target, role, seconds),
            None if shown is None else json.dumps(shown),
            text,
        )
        with self._writing() as connection:
            return _inserted(connection, entry, verdicts)

    def adopt(self, other: ReviewLog) -> int:
        """Append the actions of another log that are not here yet, all of them or none.

        Reviewers are matched by name, and rounds by their audit; the others stay as they are.

        Returns
        -------
        int
            How many were new.
        """
        theirs = list(other.actions())
        uids = {action.seq: action.uid for action in theirs}
        rounds = {
            each.round: self.enter_round(each.audit, each.source, each.plan).round
            for each in other.rounds()
        }
        people = {
            each.reviewer: self.enter_reviewer(each.name, expert=each.expert or None).reviewer
            for each in other.reviewers()
        }
        new = 0
        with self._writing() as connection:
            for each in sorted(theirs, key=lambda action: action.at):  # ties as they came
                target = None
                if each.target is not None:
                    [target] = connection.execute(
                        "SELECT seq FROM action WHERE uid = ?", (uids.get(each.target),)
                    ).fetchone() or [None]
                entry = (
                    *(each.uid, rounds[each.round], people[each.reviewer], each.at, each.verb),
                    *(target, each.role, each.seconds, each.shown, each.text),
                )
                new += _inserted(connection, entry, each.verdicts).is_new
        return new

    def find(self, uid: str) -> Action | None:
        """Return the action with a uid, with its verdicts; None where there is none."""
        rows = self._rows("SELECT seq FROM action WHERE uid = ?", uid)
        return self.action(int(rows[0][0])) if rows else None

    def action(self, seq: int) -> Action | None:
        """Return the action at a place of the log, with its verdicts; None where there is none."""
        rows = self._rows(
            "SELECT seq, uid, round, reviewer, at, verb, target, role, seconds, shown, text"
            " FROM action WHERE seq = ?",
            seq,
        )
        return Action(*rows[0])._replace(verdicts=tuple(self.verdicts(seq))) if rows else None

    def actions(self, *, after: int = 0) -> Iterator[Action]:
        """Yield the actions behind a place of the log, oldest first, with their verdicts."""
        rows = self._rows(
            "SELECT seq, uid, round, reviewer, at, verb, target, role, seconds, shown, text"
            " FROM action WHERE seq > ? ORDER BY seq",
            after,
        )
        verdicts: dict[int, list[Verdict]] = {}
        for entry in self._rows(
            "SELECT action, example, part, verdict, label, change, id, given FROM verdict"
            " WHERE action > ? ORDER BY action, example, part",
            after,
        ):
            verdicts.setdefault(entry[0], []).append(Verdict._make(entry[1:]))
        for row in rows:
            yield Action._make((*row, tuple(verdicts.get(row[0], ()))))

    def verdicts(self, seq: int) -> list[Verdict]:
        """Return the verdicts of one action."""
        rows = self._rows(
            "SELECT example, part, verdict, label, change, id, given FROM verdict"
            " WHERE action = ? ORDER BY example, part",
            seq,
        )
        return [Verdict(*row) for row in rows]

    def history(self, *, before: int | None = None, limit: int = 100) -> list[Action]:
        """Return the newest actions before a place of the log, newest first, without verdicts."""
        rows = self._rows(
            "SELECT seq, uid, round, reviewer, at, verb, target, role, seconds, shown, text"
            " FROM action WHERE seq < ? ORDER BY seq DESC LIMIT ?",
            2**62 if before is None else before,
            limit,
        )
        return [Action(*row) for row in rows]

    def last(self) -> int:
        """Return the place of the newest action; 0 for an empty log."""
        return int(self._rows("SELECT coalesce(max(seq), 0) FROM action")[0][0])

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, self._refusing():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Lock the log, and commit what the block does, or nothing of it."""
        if self.read_only:
            raise InputError(str(self.path), "is open for reading only", "Open it without that")
        with self._committing() as connection:
            yield connection

    @contextmanager
    def _committing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._refusing():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Turn what SQLite raises into an InputError."""
        try:
            yield
        except (sqlite3.Error, OverflowError) as error:
            fix = "Wait and try again" if "locked" in str(error) else "Check the file and the disk"
            raise InputError(str(self.path), f"cannot be used ({error})", fix) from error

    def _json(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            raise self._foreign() from error

    def _check_or_make(self, is_empty: bool) -> None:
        """Make the tables of a new file; refuse a file that has others, or of a newer version."""
        connection = self._connection
        marks = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        ]
        tables = {row[0] for row in connection.execute("SELECT sql FROM sqlite_master")}
        if marks == [0, 0] and not tables and (is_empty or not self.read_only):
            self._make()
        elif marks[0] == APPLICATION and marks[1] > VERSION:
            raise InputError(
                str(self.path), "was written by a newer goldlabel", "Install that version"
            )
        elif marks != [APPLICATION, VERSION] or tables - {None} != set(SCHEMA):
            # Triggers or views of somebody else would run with our statements.
            raise self._foreign()

    def _make(self) -> None:
        with self._committing() as connection:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return  # another process was first
            for statement in SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")

    def _foreign(self) -> InputError:
        return InputError(
            str(self.path), "is no log of a review, or was changed", "Name another file"
        )


def _inserted(
    connection: sqlite3.Connection, entry: Sequence[Any], verdicts: Iterable[Verdict]
) -> Appended:
    """Write an action, unless one with its uid is there."""
    known = connection.execute("SELECT seq FROM action WHERE uid = ?", entry[:1]).fetchone()
    if known is not None:
        return Appended(known[0], is_new=False)
    seq = connection.execute(
        "INSERT INTO action(uid, round, reviewer, at, verb, target, role, seconds, shown, text)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        entry,
    ).lastrowid
    connection.executemany(
        "INSERT INTO verdict(action, example, part, verdict, label, change, id, given)"
        f" VALUES ({seq}, ?, ?, ?, ?, ?, ?, ?)",
        verdicts,
    )
    return Appended(int(seq or 0), is_new=True)


def _now() -> int:
    """Return milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000
