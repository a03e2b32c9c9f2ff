"""Endpoints that write: decide, note, undo, redo."""

from __future__ import annotations

from typing import Any

from goldlabel.errors import InputError
from goldlabel.review import acting
from goldlabel.review.acting import Answered
from goldlabel.review.api.asked import Asked, route
from goldlabel.review.records import ROLES
from goldlabel.review.session import Review

__all__ = ["routes"]

_NOTE = 20_000


def act(review: Review, asked: Asked) -> dict[str, Any]:
    """Store answers, or a note, as one action."""
    uid, reviewer = asked.uid(), asked.reviewer(review)
    note = asked.text("note", None, most=_NOTE)
    if not asked.has("answers"):
        if note is None:
            raise InputError("answers", "are missing, and so is a note", "Send one of them")
        return acting.note(review, uid, reviewer, asked.number("example"), note)
    role = asked.text("role", "review", most=20)
    if role not in ROLES or role == "import":
        raise InputError("role", f"is {role!r}", "Use review")
    return acting.decide(
        review,
        uid,
        reviewer,
        [_answered(Asked(each)) for each in asked.list("answers")],
        role=role,
        seconds=asked.seconds("seconds"),
        shown=asked.mapping("shown", None),
        text=note,
    )


def _answered(asked: Asked) -> Answered:
    return Answered(
        asked.number("example"),
        asked.number("question", acting.DRAWN, least=acting.DRAWN),
        asked.mapping("answer", most=8_000_000),
    )


def undo(review: Review, asked: Asked) -> dict[str, Any]:
    """Take a decision back."""
    target = asked.number("action", None)
    return acting.take_back(review, "undo", asked.uid(), asked.reviewer(review), target)


def redo(review: Review, asked: Asked) -> dict[str, Any]:
    """Bring a decision back."""
    target = asked.number("action", None)
    return acting.take_back(review, "redo", asked.uid(), asked.reviewer(review), target)


routes = [
    route("/api/actions", "POST", act),
    route("/api/undo", "POST", undo),
    route("/api/redo", "POST", redo),
]
