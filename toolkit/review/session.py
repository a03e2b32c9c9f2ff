"""A review under way: an audit, its log and the state, for any number of threads."""

from __future__ import annotations

import gc
import getpass
import json
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from goldlabel.errors import InputError
from goldlabel.results.folder import changed_inputs, read_audit
from goldlabel.review.log import ReviewLog
from goldlabel.review.pictures import Pictures
from goldlabel.review.queues import STATUSES, UNDECIDED, Queue, Queues, positions, statuses
from goldlabel.review.records import Action, Reviewer, Round
from goldlabel.review.rounds import Applied, audit_digest, plan_of, source_digest
from goldlabel.review.scenes import Scenes
from goldlabel.review.state import Decision, State
from goldlabel.typing import Ints
from goldlabel.views import Findings

__all__ = ["LOG", "Review", "user_name"]

LOG = "review.sqlite"
"""The log's name in the folder of an audit."""
_LEASE = 300.0
"""Seconds for which an example that somebody looks at is not given to others."""
_MANY = 2000
"""So many examples that change at once have their status counted with all others."""
_ROWS = 1000
"""So many lines are sent after a change; of more, the page asks again."""


class Review:
    """What the app can be asked, without a word of HTTP.

    Parameters
    ----------
    folder : str or Path
        Of an audit.
    log : str or Path, optional
        Where decisions are kept; ``review.sqlite`` in the folder if not given.
    read_only : bool
        Show what is decided, and write nothing.
    name : str, optional
        Who reviews, if a page does not say.

    Attributes
    ----------
    reviewer : int
        Who decides if a page does not say; 0 for nobody.
    out : Path or None
        Where a page may have the corrected dataset written to.

    Raises
    ------
    InputError
        The folder is no audit, or the log is none.
    """

    out: Path | None = None

    def __init__(
        self,
        folder: str | Path,
        *,
        log: str | Path | None = None,
        read_only: bool = False,
        name: str | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.issues, self.source, self.summary = read_audit(self.folder)
        self.findings = Findings(self.issues)
        self.log = ReviewLog(self.folder / LOG if log is None else log, read_only=read_only)
        self.round = self._enter_round()
        self.reviewer = 0 if name is None else self._enter_reviewer(name)
        self.pictures = Pictures([*self.source.files, *self.source.inputs])
        self.queues = Queues()
        self.notes: dict[int, list[dict[str, Any]]] = {}
        self.settings: dict[int, dict[str, Any]] = {}
        self.lock = threading.RLock()
        self._leases: dict[int, tuple[int, float]] = {}
        self._scenes: Scenes | None = None
        self._work = ThreadPoolExecutor(1, thread_name_prefix="goldlabel-inputs")
        self._changed: Future[list[tuple[str, str]]] | None = None
        self._rebuild()

    def close(self) -> None:
        """Close the log, and stop the threads."""
        if self._scenes is not None:
            self._scenes.close()
        self._work.shutdown(wait=False, cancel_futures=True)
        self.log.close()

    @property
    def scenes(self) -> Scenes:
        """The examples; the dataset begins to be read when they are first asked for."""
        with self.lock:
            if self._scenes is None:
                self._scenes = Scenes(self.folder, self.issues, self.source, self.summary)
            return self._scenes

    def changed(self, *, wait: bool = False) -> list[tuple[str, str]]:
        """Return the inputs that have changed since the audit; none until that is known."""
        with self.lock:
            if self._changed is None:
                self._changed = self._work.submit(changed_inputs, self.summary)
        return self._changed.result() if wait or self._changed.done() else []

    def sync(self) -> list[tuple[int, int]]:
        """Take in what others have decided; return example and part of what that is about."""
        with self.lock:
            actions = list(self.log.actions(after=self.state.seq))
            if not actions:
                return []
            if any(not self._applied.knows(each.round) for each in actions):
                self._applied.learn(self.log.rounds())
            if {each.reviewer for each in self.log.reviewers() if each.expert} != self._experts:
                return self._rebuild()  # whose word counts has changed
            return self._take(actions)

    def progress(self) -> dict[str, int]:
        """Return how many flagged examples are undecided, decided, in conflict; labels changed."""
        with self.lock:
            counts = np.bincount(self.status[self.issues.is_issue], minlength=len(STATUSES))
            named: dict[str, int] = {name: int(counts[at]) for at, name in enumerate(STATUSES)}
            return {**named, "changed": len(self._changes)}

    def queue(self, *, order: str = "worst", filter: Mapping[str, Any] | None = None) -> Queue:
        """Return flagged examples in an order; see `goldlabel.review.queues.positions`."""
        wanted = filter or {}
        self.sync()
        with self.lock:
            status = self.status.copy()
        found = positions(
            self.findings, status, order=order, filter=wanted, search=self.scenes.search
        )
        return Queue(found, wanted.get("status") or None)

    def next(self, queue: Queue, *, after: int, reviewer: int) -> list[int]:
        """Return the next examples of a queue to look at, at most four.

        The first of them is kept from others for a while. They are looked for behind the example
        `after`, then from the beginning.
        """
        self.sync()
        with self.lock:
            now = time.monotonic()
            chosen: list[int] = []
            for place in queue.behind(after, self.status).tolist():
                example = int(queue.positions[place])
                holder, until = self._leases.get(example, (reviewer, 0.0))
                if holder != reviewer and until > now:
                    continue
                chosen.append(example)
                if len(chosen) == 4:
                    break
            if chosen:
                self._leases[chosen[0]] = (reviewer, now + _LEASE)
            return chosen

    def check_example(self, example: int) -> int:
        """Return the position of an example, if there is one.

        Raises
        ------
        InputError
            There is not.
        """
        n = len(self.issues.scores)
        if not 0 <= example < n:
            raise InputError(
                "example", f"is {example}, not in 0 .. {n - 1}", "Load the queue again"
            )
        return example

    def row(self, example: int) -> dict[str, Any]:
        """Return the line of the queue about an example."""
        findings, parts = self.findings, self.issues.parts
        groups = findings.groups(example)
        given = suggested = kind = ""
        if groups:
            lead = groups[0][0]
            given, suggested = findings.given(lead), findings.label(parts.suggested[lead])
            kind = str(parts.kinds[parts.kind[lead]])
        elif self.issues.given is not None:
            given = findings.label(self.issues.given[example])
        return {
            "example": example,
            "id": findings.id(example),
            "score": float(self.issues.scores[example]),
            "status": STATUSES[self.status[example]],
            "given": given,
            "suggested": suggested,
            "kind": kind,
            "findings": sum(map(len, groups)),
        }

    def answers(self, example: int, part: int) -> list[dict[str, Any]]:
        """Return what is decided of a label: nothing, one answer, or several in conflict."""
        with self.lock:
            decision = self.state.decision(example, part)
            answers = self.state.conflict(example, part) if decision is None else [decision]
            return [
                {
                    "verdict": each.verdict.verdict,
                    "label": each.verdict.label,
                    "change": json.loads(each.verdict.change or "null"),
                    "reviewer": self.names[each.reviewer],
                    "seq": each.seq,
                    "at": self.actions[each.seq].at,
                    "overrules": each.overrules,
                }
                for each in answers
            ]

    def changes_since(self, seq: int) -> tuple[list[int], bool]:
        """Return the examples that actions behind a place were about; whether they are too many."""
        with self.lock:
            start = bisect_right(self._seqs, seq)
            examples = sorted({each for about in self._about[start:] for each in about})
            return examples[:_ROWS], len(examples) > _ROWS

    def examples_of(self, seq: int) -> tuple[int, ...]:
        """Return the examples that an action was about."""
        with self.lock:
            return self._examples_of.get(seq, ())

    def decisions(self) -> list[Decision]:
        """Return every decision in force, in the order of the dataset."""
        with self.lock:
            self.sync()
            return self.state.decisions()

    def dropped(self) -> int:
        """Return how many decisions of other rounds no longer apply."""
        return self._applied.dropped

    def _enter_round(self) -> Round:
        audit = audit_digest(self.summary)
        source = source_digest(self.source, self.summary)
        known = {each.audit: each for each in self.log.rounds()}
        if audit in known:
            return known[audit]
        if self.log.read_only:
            return Round(0, audit, source, 0, {})
        return self.log.enter_round(audit, source, plan_of(self.findings))

    def _enter_reviewer(self, name: str) -> int:
        if not self.log.read_only:
            return self.log.enter_reviewer(name).reviewer
        known = {each.name: each.reviewer for each in self.log.reviewers()}
        return known.get(name, 0)

    def _rebuild(self) -> list[tuple[int, int]]:
        """Begin with an empty state, and take in the whole log."""
        reviewers: list[Reviewer] = self.log.reviewers()
        self._experts = {each.reviewer for each in reviewers if each.expert}
        self._applied = Applied(self.findings, self.round, self.log.rounds())
        self.state = State(self._experts)
        self.status: Ints = np.full(len(self.issues.scores), UNDECIDED, dtype=np.int64)
        self.names: dict[int, str] = {}
        self.actions: dict[int, Action] = {}
        self.notes, self.settings = {}, {}
        self._seqs: list[int] = []
        self._about: list[tuple[int, ...]] = []
        self._examples_of: dict[int, tuple[int, ...]] = {}
        self._changes: set[tuple[int, int]] = set()
        with _no_collection():  # it would look through all that is read, again and again
            return self._take(list(self.log.actions()))

    def _take(self, actions: Sequence[Action]) -> list[tuple[int, int]]:
        self.names = {each.reviewer: each.name for each in self.log.reviewers()}
        moved = list(self._applied.actions(actions))
        for action in moved:
            self._remember(action)
        keys = self.state.update(moved)
        examples = np.unique(np.array([example for example, _ in keys], dtype=np.int64))
        if len(examples) > _MANY:
            self.status = statuses(self.issues, self.state)
            decisions = self.state.decisions()
            self._changes = {
                (each.verdict.example, each.verdict.part) for each in decisions if _is_change(each)
            }
            return keys
        for example in examples.tolist():
            self.status[example] = self._status(example)
        for key in keys:
            decision = self.state.decision(*key)
            if decision is not None and _is_change(decision):
                self._changes.add(key)
            else:
                self._changes.discard(key)
        return keys

    def _remember(self, action: Action) -> None:
        """Keep of an action what is asked for later."""
        self.actions[action.seq] = action
        own: tuple[int, ...]
        if len(action.verdicts) == 1:
            own = (action.verdicts[0].example,)
        else:
            own = tuple(sorted({each.example for each in action.verdicts}))
        if action.verb in ("undo", "redo"):
            own = self._examples_of.get(action.target or 0, ())
        self._examples_of[action.seq] = own
        self._seqs.append(action.seq)
        self._about.append(own)
        if action.verb == "setting":
            self.settings.setdefault(action.reviewer, {}).update(_settings(action.text))
        if action.text and action.verb in ("note", "decide"):
            note = {"name": self.names[action.reviewer], "at": action.at, "text": action.text}
            for example in own[:_ROWS]:
                self.notes.setdefault(example, []).append(note)

    def _status(self, example: int) -> int:
        parts = [
            int(self.issues.parts.part[row])
            for rows in self.findings.groups(example)
            for row in rows
        ] or [-1]
        if any(self.state.conflict(example, part) for part in parts):
            return STATUSES.index("conflict")
        decided = all(self.state.decision(example, part) is not None for part in parts)
        return STATUSES.index("decided" if decided else "undecided")


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python from looking for cycles while many objects are made that have none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _is_change(decision: Decision) -> bool:
    """Return whether a decision changes something in the dataset."""
    verdict = decision.verdict
    if verdict.verdict not in ("accept", "set"):
        return False
    return verdict.change is not None or verdict.label != verdict.given


def _settings(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def user_name() -> str:
    """Return the name of who is logged in, as a reviewer's if nothing else is said."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without users
        return "reviewer"
