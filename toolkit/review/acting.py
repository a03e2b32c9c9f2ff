"""What a reviewer does, each as one action of the log: decide, take back, note, set."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from goldlabel.errors import InputError
from goldlabel.review.answers import DECIDES, answer_of, verdicts_of
from goldlabel.review.records import Role, Verb, Verdict
from goldlabel.review.session import Review

__all__ = ["Answered", "decide", "note", "set_settings", "take_back"]

DRAWN = -1
"""The number of the question that a new part answers, which nobody has asked."""


class Answered(NamedTuple):
    """What somebody answers to a question about an example."""

    example: int
    question: int
    answer: Mapping[str, Any]


def decide(
    review: Review,
    uid: str,
    reviewer: int,
    answers: Sequence[Answered],
    *,
    role: Role = "review",
    seconds: float | None = None,
    shown: Mapping[str, Any] | None = None,
    text: str | None = None,
) -> dict[str, Any]:
    """Store answers as one action.

    Returns
    -------
    dict
        ``seq``; ``rows``, the lines of the queue that have changed; ``conflicts``; ``progress``.

    Raises
    ------
    InputError
        An answer is none to its question; nothing is stored then.
    """
    known = review.log.find(uid)
    if known is not None:
        return _outcome(review, known.seq)
    verdicts: dict[tuple[int, int], Verdict] = {}
    for each in answers:
        for verdict in _verdicts(review, each):
            verdicts[verdict.example, verdict.part] = verdict
    if not verdicts:
        raise InputError("answers", "are none", "Answer a question")
    appended = review.log.append(
        uid,
        round=review.round.round,
        reviewer=reviewer,
        verdicts=list(verdicts.values()),
        role=role,
        seconds=seconds,
        shown=shown,
        text=text,
    )
    return _outcome(review, appended.seq)


def _verdicts(review: Review, answered: Answered) -> list[Verdict]:
    example, number, entry = answered
    review.check_example(example)
    answer = answer_of(entry)
    question = None if number == DRAWN else review.scenes.question(example, number)
    changes = []
    if answer.verdict in DECIDES:
        changes = review.scenes.changes(example, number, answer)
    if question is None and not changes:
        raise InputError("question", "is -1, and nothing was drawn", "Say what, and its class")
    return verdicts_of(review.findings, example, question, answer.verdict, changes)


def take_back(
    review: Review, verb: Verb, uid: str, reviewer: int, target: int | None = None
) -> dict[str, Any]:
    """Undo a decision of one's own, or redo it: the last one, if it is not said which.

    Raises
    ------
    InputError
        There is none, or it is somebody else's.
    """
    with review.lock:
        review.sync()
        known = review.log.find(uid)
        if known is not None:
            return _gone_to(review, known.seq, known.target)
        if target is None:
            find = review.state.to_undo if verb == "undo" else review.state.to_redo
            target = find(reviewer)
        if target is None:
            raise InputError(verb, "has nothing left", "Decide something first")
        if review.state.author(target) != reviewer:
            raise InputError(
                verb, f"is of action {target}, which is no decision of yours", "Name your own"
            )
        appended = review.log.append(
            uid, round=review.round.round, reviewer=reviewer, verb=verb, target=target
        )
    return _gone_to(review, appended.seq, target)


def note(review: Review, uid: str, reviewer: int, example: int, text: str) -> dict[str, Any]:
    """Keep a note about an example."""
    review.check_example(example)
    about = Verdict(example, -1, "skip", id=review.findings.id(example))  # decides nothing
    appended = review.log.append(
        uid,
        round=review.round.round,
        reviewer=reviewer,
        verb="note",
        verdicts=[about],
        text=text,
    )
    return _outcome(review, appended.seq)


def set_settings(
    review: Review, uid: str, reviewer: int, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Keep settings of a reviewer; those that are not named stay as they are."""
    appended = review.log.append(
        uid,
        round=review.round.round,
        reviewer=reviewer,
        verb="setting",
        text=json.dumps(settings),
    )
    review.sync()
    return {"seq": appended.seq}


def _outcome(review: Review, seq: int) -> dict[str, Any]:
    """Return what an action has changed, for the page."""
    with review.lock:
        review.sync()
        examples, _ = review.changes_since(seq - 1)
        own = set(examples)
        conflicts = [list(key) for key in review.state.conflicts() if key[0] in own]
        return {
            "seq": seq,
            "rows": [review.row(example) for example in examples],
            "conflicts": conflicts[:1000],
            "progress": review.progress(),
        }


def _gone_to(review: Review, seq: int, target: int | None) -> dict[str, Any]:
    answer = _outcome(review, seq)
    about = review.examples_of(target or 0)
    return {**answer, "example": about[0] if about else None}
