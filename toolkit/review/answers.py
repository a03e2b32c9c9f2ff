"""What a person answers, as it comes from the page: checked, and made verdicts for the log."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

from goldlabel.errors import InputError
from goldlabel.review.records import Verdict
from goldlabel.scenes import Answer, Change, Question, Span
from goldlabel.scenes import Verdict as Word
from goldlabel.views import Findings

__all__ = ["DECIDES", "answer_of", "change_text", "verdicts_of"]

WORDS: tuple[Word, ...] = get_args(Word)
DECIDES = ("accept", "keep", "set")
"""The verdicts that name a label; the others leave it open."""
GIVEN = "given"
"""Evidence of a change that says what a part has that nothing was found about."""
_MOST = 100_000
"""So many switches, spans or characters of run lengths are taken in one answer."""


def answer_of(entry: Mapping[str, Any]) -> Answer:
    """Return an answer from JSON.

    Raises
    ------
    InputError
        It is none; the message says which of its entries is wrong.

    Examples
    --------
    >>> answer_of({"verdict": "set", "label": "cat"}).label
    'cat'
    """
    word = entry.get("verdict")
    if word not in WORDS:
        raise InputError("verdict", f"is {word!r}", f"Use one of {', '.join(WORDS)}")
    label = entry.get("label")
    if label is not None and not isinstance(label, str):
        raise InputError("label", f"is {label!r}, not a text", "Name a class, or a number as text")
    remove = entry.get("remove", False)
    if not isinstance(remove, bool):
        raise InputError("remove", f"is {remove!r}", "Use true or false")
    return Answer(
        cast("Word", word),
        label=label,
        switches=_switches(entry.get("switches")),
        spans=_spans(entry.get("spans")),
        box=_box(entry.get("box")),
        remove=remove,
        paint=_paint(entry.get("paint")),
    )


def _switches(value: Any) -> dict[int, bool]:
    if value is None:
        return {}
    is_mapping = isinstance(value, dict) and len(value) <= _MOST
    if not is_mapping or not all(
        part.isascii() and part.isdigit() and len(part) < 10 and isinstance(state, bool)
        for part, state in value.items()
    ):
        raise InputError("switches", "are not of part to true or false", 'Write {"3": true}')
    return {int(part): state for part, state in value.items()}


def _spans(value: Any) -> tuple[Span, ...] | None:
    if value is None:
        return None
    is_list = isinstance(value, list) and len(value) <= _MOST
    if not is_list or not all(
        isinstance(span, list)
        and len(span) == 3
        and all(_is_position(end) for end in span[:2])
        and isinstance(span[2], str)
        for span in value
    ):
        raise InputError("spans", "are not of first, stop and label", 'Write [[3, 5, "ORG"]]')
    return tuple(Span(first, stop, label) for first, stop, label in value)


def _is_position(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _box(value: Any) -> tuple[float, float, float, float] | None:
    if value is None:
        return None
    if (
        not isinstance(value, list)
        or len(value) != 4
        or not all(isinstance(side, int | float) and not isinstance(side, bool) for side in value)
        or not all(abs(side) < 1e9 and math.isfinite(side) for side in value)
    ):
        raise InputError("box", "is not four numbers", "Write [x1, y1, x2, y2]")
    x1, y1, x2, y2 = map(float, value)
    return x1, y1, x2, y2


def _paint(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    size = value.get("size") if isinstance(value, dict) else None
    counts = value.get("counts") if isinstance(value, dict) else None
    if (
        not isinstance(size, list)
        or len(size) != 2
        or not all(_is_position(side) for side in size)
        or not (
            isinstance(counts, str) or (isinstance(counts, list) and all(map(_is_position, counts)))
        )
    ):
        raise InputError("paint", "has no run lengths", 'Write {"size": [h, w], "counts": ...}')
    return {"size": size, "counts": counts}


def verdicts_of(
    findings: Findings,
    example: int,
    question: Question | None,
    word: str,
    changes: Sequence[Change],
) -> list[Verdict]:
    """Return what an answer says of each label that it decides, or leaves open.

    Parameters
    ----------
    findings : Findings
    example : int
    question : Question or None
        None for a part that was drawn.
    word : str
        The verdict.
    changes : sequence of Change
        What the view says that the answer changes.
    """
    name = findings.id(example)
    given = {row_part: text for row_part, text in _given(findings, example)}
    own = "" if question is None else question.given
    verdicts = {}
    for change in changes:
        evidence = {key: value for key, value in change.evidence.items() if key != GIVEN}
        was = change.evidence.get(GIVEN, given.get(change.part, own if change.part < 0 else ""))
        text = change_text(change.action, evidence)
        verdicts[change.part] = Verdict(
            example, change.part, word, change.label, text, name, str(was)
        )
    for part in () if question is None else question.parts:
        was = given.get(part, own)
        if word not in DECIDES:
            verdicts[part] = Verdict(example, part, word, None, None, name, was)
        elif part not in verdicts:  # what the answer leaves as it is
            verdicts[part] = Verdict(example, part, "keep", was, None, name, was)
    return list(verdicts.values())


def change_text(action: str, evidence: Mapping[str, Any]) -> str | None:
    """Return what a change says besides the label as JSON, the same for the same change."""
    entries = {**({"action": action} if action else {}), **evidence}
    return json.dumps(entries, sort_keys=True) if entries else None


def _given(findings: Findings, example: int) -> list[tuple[int, str]]:
    part = findings.issues.parts.part
    return [
        (int(part[row]), findings.given(row)) for rows in findings.groups(example) for row in rows
    ]
