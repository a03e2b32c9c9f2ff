"""From an answer, as a page sends it, to what is stored of it: a verdict for each label."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

import numpy as np

from goldlabel.errors import InputError
from goldlabel.review.records import Verdict
from goldlabel.scenes import Answer, Change, Question, Scene, Span
from goldlabel.scenes import Verdict as Word
from goldlabel.views import Findings

__all__ = ["parsed", "verdicts_of"]

_NAMES_LABELS = ("accept", "keep", "set")


def parsed(content: Any) -> Answer:
    """Return an answer that came as JSON.

    Raises
    ------
    InputError
        It is none.
    """
    if not isinstance(content, Mapping):
        raise InputError("answer", f"is {str(content)[:60]!r}, no object", "Send an object")
    word = content.get("verdict")
    if word not in get_args(Word):
        raise InputError("verdict", f"is {str(word)[:60]!r}", f"Use {', '.join(get_args(Word))}")
    label = content.get("label")
    if not (label is None or isinstance(label, str)):
        raise InputError("label", f"is {str(label)[:60]!r}, no text", "Send a text")
    try:
        return Answer(
            verdict=cast("Word", word),
            label=label,
            switches={int(part): bool(on) for part, on in (content.get("switches") or {}).items()},
            spans=_spans(content.get("spans")),
            box=_box(content.get("box")),
            remove=content.get("remove") is True,
            paint=_paint(content.get("paint")),
        )
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            "answer", f"cannot be read ({error})", "Send what the page sends"
        ) from error


def _spans(content: Any) -> tuple[Span, ...] | None:
    if content is None:
        return None
    spans = []
    for first, stop, label in content:
        if not (isinstance(first, int) and isinstance(stop, int) and isinstance(label, str)):
            raise ValueError("a span is first, stop and label")
        spans.append(Span(first, stop, label))
    return tuple(spans)


def _box(content: Any) -> tuple[float, float, float, float] | None:
    if content is None:
        return None
    x1, y1, x2, y2 = (float(side) for side in content)
    if not np.isfinite([x1, y1, x2, y2]).all():
        raise ValueError("a box has four finite sides")
    return x1, y1, x2, y2


def _paint(content: Any) -> Mapping[str, Any] | None:
    if not (content is None or isinstance(content, Mapping)):
        raise ValueError("paint is an object of size and counts")
    return content


def verdicts_of(
    view: Any, findings: Findings, scene: Scene, question: int, answer: Answer
) -> list[Verdict]:
    """Return what an answer says of each label that its question is about.

    Parameters
    ----------
    view : goldlabel.scenes.View
    findings : Findings
        Of the audit, for a view that leaves answers to it.
    scene : Scene
    question : int
        Position among the questions of the scene; -1 for a part that was drawn.
    answer : Answer

    Raises
    ------
    InputError
        There is no such question, or the answer is none to it.
    """
    questions = scene.questions
    if not -1 <= question < len(questions) or (question == -1 and not hasattr(view, "changes")):
        raise InputError(
            f"example {scene.example}", f"has no question {question}", "Load the example again"
        )
    changes: list[Change] = []
    if answer.verdict in _NAMES_LABELS:
        source = view if hasattr(view, "changes") else findings
        changes = source.changes(scene.example, question, answer)
    given = _given_labels(findings, scene.example)
    stored = {change.part: _stored(scene, change, answer, given) for change in changes}
    if question >= 0:
        for part in questions[question].parts:
            stored.setdefault(
                part, _without_change(scene, questions[question], part, answer, given)
            )
    return list(stored.values())


def _stored(scene: Scene, change: Change, answer: Answer, given: Mapping[int, str]) -> Verdict:
    more = {**({"action": change.action} if change.action else {}), **change.evidence}
    return Verdict(
        scene.example,
        change.part,
        answer.verdict,
        change.label,
        json.dumps(more, default=_plain) if more else None,
        scene.id,
        given.get(change.part, ""),
    )


def _without_change(
    scene: Scene, question: Question, part: int, answer: Answer, given: Mapping[int, str]
) -> Verdict:
    """Return what is stored of a part that an answer leaves as it is, or says nothing of."""
    label = given.get(part, question.given)
    named = answer.verdict in _NAMES_LABELS
    word = "keep" if named else answer.verdict
    return Verdict(scene.example, part, word, label if named else None, None, scene.id, label)


def _given_labels(findings: Findings, example: int) -> dict[int, str]:
    parts = findings.issues.parts
    rows: Sequence[int] = [row for group in findings.groups(example) for row in group]
    return {int(parts.part[row]): findings.given(row) for row in rows}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
