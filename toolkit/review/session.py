"""A review under way: an audit, its log and the state, for any number of threads."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from goldlabel.errors import GoldlabelError, InputError
from goldlabel.results.folder import TABLES, changed_inputs, read_audit
from goldlabel.review.answers import parsed, verdicts_of
from goldlabel.review.log import ReviewLog
from goldlabel.review.queues import STATUSES, positions, statuses
from goldlabel.review.records import Action, Reviewer, Role, Verb, Verdict
from goldlabel.review.state import Decision, State
from goldlabel.scenes import Picture, Scene, as_json
from goldlabel.task import find_task
from goldlabel.typing import Ints
from goldlabel.views import Findings, IssuesView

__all__ = ["LOG", "Review"]

LOG = "review.sqlite"
"""The log's name in the folder of an audit."""
_LEASE = 300.0
"""Seconds for which an example that somebody looks at is not given to others."""
_MOST = 1000
"""So many lines of the queue are sent after one action."""


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

    Raises
    ------
    InputError
        The folder is no audit, or the log is none.
    """

    def __init__(
        self, folder: str | Path, *, log: str | Path | None = None, read_only: bool = False
    ) -> None:
        self.folder = Path(folder)
        self.issues, self.source, self.summary = read_audit(self.folder)
        self.findings = Findings(self.issues)
        self.log = ReviewLog(self.folder / LOG if log is None else log, read_only=read_only)
        labels = {str(path) for path in self.source.files}
        files = self.summary["files"]
        self.round = self.log.enter_round(
            _digest([files[name] for name in TABLES]),
            _digest([entry for entry in self.summary["inputs"] if entry.get("path") in labels]),
        )
        self.state = State(each.reviewer for each in self.log.reviewers() if each.expert)
        self.changed = [path for path, _ in changed_inputs(self.summary)]
        self.problem: GoldlabelError | None = None
        self.is_ready = False
        self._view: Any = IssuesView(self.issues)
        self._lock = threading.RLock()
        self._viewing = threading.Lock()
        self._leases: dict[int, tuple[int, float]] = {}
        self.sync()

    def close(self) -> None:
        """Close the log."""
        self.log.close()

    def open_view(self) -> None:
        """Read the dataset again, to show its examples; until then findings alone are shown."""
        find = find_task(self.issues.task).view
        try:
            if find is not None:
                view = find(self.source, self.issues, self.summary)
                with self._viewing:
                    self._view = view
        except GoldlabelError as error:
            self.problem = error
        self.is_ready = True

    def sync(self) -> list[tuple[int, int]]:
        """Take in what others have decided; return example and part of what that is about."""
        with self._lock:
            return self.state.update(self.log.actions(after=self.state.seq))

    def progress(self) -> dict[str, int]:
        """Return how many flagged examples are undecided, decided and in conflict."""
        with self._lock:
            status = statuses(self.issues, self.state)[self.issues.is_issue]
            changed = sum(
                each.verdict.label not in (None, each.verdict.given) or bool(each.verdict.change)
                for each in self.state.decisions()
            )
        counts: dict[str, int] = {"changed": changed}
        counts.update((name, int((status == code).sum())) for code, name in enumerate(STATUSES))
        return counts

    def queue(self, *, order: str = "worst", filter: Mapping[str, Any] | None = None) -> Ints:
        """Return positions of flagged examples; see `goldlabel.review.queues.positions`."""
        with self._lock:
            return positions(self.findings, self.state, order=order, filter=filter or {})

    def rows(self, examples: Sequence[int]) -> list[dict[str, Any]]:
        """Return a line of the queue for each example."""
        with self._lock:
            return [self._row(int(example)) for example in examples]

    def next(self, queue: Ints, *, after: int, reviewer: int) -> int | None:
        """Return the next undecided example of a queue, and keep it from others for a while.

        It is looked for behind the example `after`, then from the beginning.
        """
        with self._lock:
            order = queue.tolist()
            start = order.index(after) + 1 if after in order else 0
            now = time.monotonic()
            for example in [*order[start:], *order[:start]]:
                holder, until = self._leases.get(example, (reviewer, 0.0))
                if (holder != reviewer and until > now) or self._status(example) == "decided":
                    continue
                self._leases[example] = (reviewer, now + _LEASE)
                return int(example)
        return None

    def scene(self, example: int) -> dict[str, Any]:
        """Return an example as it is shown and asked about, with what is decided of it.

        Raises
        ------
        InputError
            There is no such example.
        """
        scene = self._scene(example)
        with self._lock:
            answers = [self._answers(example, question.parts[0]) for question in scene.questions]
            row = self._row(example)
        return {"scene": as_json(scene), "answers": answers, "row": row}

    def picture(self, example: int, name: str) -> Path | bytes | None:
        """Return a picture that a scene names, as the task gives it."""
        self._check_example(example)
        with self._viewing:
            find = getattr(self._view, "picture", None)
            shown: Path | bytes | None = None if find is None else find(example, name)
        return shown

    def is_upright(self, example: int, name: str) -> bool:
        """Return whether a picture is shown turned as its EXIF data say."""
        blocks = self._scene(example).blocks
        return all(
            block.upright for block in blocks if isinstance(block, Picture) and block.name == name
        )

    def decide(
        self,
        uid: str,
        reviewer: Reviewer,
        answers: Sequence[Mapping[str, Any]],
        *,
        role: Role = "review",
        seconds: float | None = None,
        shown: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Store answers, each with `example`, `question` and `answer`, as one action.

        Raises
        ------
        InputError
            An answer is none to its question; nothing is stored then.
        """
        verdicts = [verdict for each in answers for verdict in self._verdicts(each)]
        if not verdicts:
            raise InputError("answers", "are none", "Answer a question")
        unique = {(verdict.example, verdict.part): verdict for verdict in verdicts}
        return self._append(
            uid, reviewer, "decide", list(unique.values()), role=role, seconds=seconds, shown=shown
        )

    def note(self, uid: str, reviewer: Reviewer, example: int, text: str) -> dict[str, Any]:
        """Store a note on an example."""
        self._check_example(example)
        if not text.strip() or len(text) > 10_000:
            raise InputError("note", "is empty or too long", "Write up to 10,000 letters")
        return self._append(
            uid, reviewer, "note", [], text=text, shown={"example": example}, rows=[example]
        )

    def undo(self, uid: str, reviewer: Reviewer, target: int | None = None) -> dict[str, Any]:
        """Take back a decision of one's own: the last one in force, if not said which."""
        return self._take_back(uid, reviewer, "undo", target)

    def redo(self, uid: str, reviewer: Reviewer, target: int | None = None) -> dict[str, Any]:
        """Bring back a decision that one has taken back: the last one, if not said which."""
        return self._take_back(uid, reviewer, "redo", target)

    def history(self, *, before: int | None = None, limit: int = 100) -> list[dict[str, Any]]:
        """Return what was done, newest first."""
        names = {each.reviewer: each.name for each in self.log.reviewers()}
        actions = self.log.history(before=before, limit=limit)
        with self._lock:
            return [
                {
                    "seq": action.seq,
                    "verb": action.verb,
                    "target": action.target,
                    "reviewer": names[action.reviewer],
                    "at": action.at,
                    "text": action.text,
                    "in_force": self.state.is_in_force(action.seq),
                    **self._summed_up(action),
                }
                for action in actions
            ]

    def conflicts(self) -> list[dict[str, Any]]:
        """Return every label that reviewers differ about, with their answers."""
        with self._lock:
            return [
                {
                    "example": example,
                    "part": part,
                    "id": self.findings.id(example),
                    "answers": self._answers(example, part),
                }
                for example, part in self.state.conflicts()
            ]

    def decisions(self) -> list[Decision]:
        """Return every decision in force, in the order of the dataset."""
        with self._lock:
            self.sync()
            return self.state.decisions()

    def _check_example(self, example: int) -> None:
        if not 0 <= example < len(self.issues):
            raise InputError("example", f"is {example}, which is not there", "Load the queue again")

    def _scene(self, example: int) -> Scene:
        self._check_example(example)
        with self._viewing:
            scenes: list[Scene] = self._view.scenes([example])
        return scenes[0]

    def _verdicts(self, entry: Mapping[str, Any]) -> list[Verdict]:
        example, question = entry.get("example"), entry.get("question")
        if not isinstance(example, int) or not isinstance(question, int):
            raise InputError("answers", "name no example or no question", "Send both as numbers")
        answer = parsed(entry.get("answer"))
        scene = self._scene(example)
        with self._viewing:
            return verdicts_of(self._view, self.findings, scene, question, answer)

    def _take_back(
        self, uid: str, reviewer: Reviewer, verb: Verb, target: int | None
    ) -> dict[str, Any]:
        with self._lock:
            self.sync()
            if target is None:
                find = self.state.to_undo if verb == "undo" else self.state.to_redo
                target = find(reviewer.reviewer)
            if target is None:
                raise InputError(verb, "has nothing left", "Decide something first")
            if self.state.author(target) != reviewer.reviewer:
                raise InputError(
                    verb, f"is of action {target}, which is not yours", "Take back your own"
                )
            return self._append(uid, reviewer, verb, [], target=target)

    def _append(
        self,
        uid: str,
        reviewer: Reviewer,
        verb: Verb,
        verdicts: Sequence[Verdict],
        *,
        rows: Sequence[int] = (),
        **options: Any,
    ) -> dict[str, Any]:
        if not isinstance(uid, str) or not 1 <= len(uid) <= 100:
            raise InputError("uid", "is no text", "Send a text that is new for each action")
        appended = self.log.append(
            uid, round=self.round.round, reviewer=reviewer.reviewer, verb=verb, verdicts=verdicts,
            **options,
        )  # fmt: skip
        with self._lock:
            changed = self.sync() or [(verdict.example, verdict.part) for verdict in verdicts]
            examples = sorted({*(example for example, _ in changed), *rows})[:_MOST]
            conflicts = [list(place) for place in changed if self.state.conflict(*place)]
            lines = [self._row(each) for each in examples]
        return {"seq": appended.seq, "rows": lines, "conflicts": conflicts}

    def _row(self, example: int) -> dict[str, Any]:
        groups = self.findings.groups(example)
        parts = self.issues.parts
        lead = groups[0][0] if groups else None
        return {
            "example": example,
            "id": self.findings.id(example),
            "score": float(self.issues.scores[example]),
            "status": self._status(example),
            "given": "" if lead is None else self.findings.given(lead),
            "suggested": "" if lead is None else self.findings.label(parts.suggested[lead]),
            "kind": "" if lead is None else str(parts.kinds[parts.kind[lead]]),
            "findings": len(groups),
        }

    def _status(self, example: int) -> str:
        groups = self.findings.groups(example)
        parts = [int(self.issues.parts.part[row]) for rows in groups for row in rows] or [-1]
        if any(self.state.conflict(example, part) for part in parts):
            return "conflict"
        decided = [self.state.decision(example, part) is not None for part in parts]
        return "decided" if all(decided) else "undecided"

    def _answers(self, example: int, part: int) -> list[dict[str, Any]]:
        """Return what is decided of a label: nothing, one answer, or several in conflict."""
        decision = self.state.decision(example, part)
        answers = self.state.conflict(example, part) if decision is None else [decision]
        names = {each.reviewer: each.name for each in self.log.reviewers()}
        return [
            {
                "verdict": each.verdict.verdict,
                "label": each.verdict.label,
                "change": json.loads(each.verdict.change) if each.verdict.change else None,
                "reviewer": names[each.reviewer],
                "seq": each.seq,
            }
            for each in answers
        ]

    def _summed_up(self, action: Action) -> dict[str, Any]:
        """Return what a line of the history says of an action: of how many labels, the first."""
        verdicts = self.log.verdicts(action.target or action.seq)
        first = verdicts[0] if verdicts else None
        return {
            "labels": len(verdicts),
            "example": None if first is None else first.example,
            "id": None if first is None else first.id,
            "verdict": None if first is None else first.verdict,
            "given": None if first is None else first.given,
            "label": None if first is None else first.label,
        }


def _digest(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
