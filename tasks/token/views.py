"""How a sentence looks to a person, and what is asked about it: which entities a stretch has.

Where tags form no entities, every token judged wrong is a question of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from goldlabel.errors import InputError
from goldlabel.results.audit import Source
from goldlabel.results.label_issues import LabelIssues
from goldlabel.scenes import Answer, Change, Choice, Pieces, Question, Scene, Span, Spans
from goldlabel.tasks.token.data import TokenData
from goldlabel.tasks.token.formats import read_again
from goldlabel.tasks.token.stretches import (
    ENTITY,
    Finding,
    Stretch,
    entities,
    stretches,
    with_spans,
)
from goldlabel.tasks.token.tags import tag_set
from goldlabel.typing import Ints
from goldlabel.views import Findings

__all__ = ["SentenceView", "view"]


def view(source: Source, issues: LabelIssues, summary: Mapping[str, Any]) -> SentenceView:
    """Show the sentences of an audit: its file is read again, and nothing else.

    Parameters
    ----------
    source, issues, summary
        As the folder of the audit says: see `goldlabel.results.folder.read_audit`.

    Raises
    ------
    InputError
        The file has changed, or is not that of the findings.
    """
    return SentenceView(read_again(source), issues)


class SentenceView:
    """Shows sentences, and says what an answer changes; a `goldlabel.scenes.View`.

    Parameters
    ----------
    data : TokenData
    issues : LabelIssues
        What was found in it.
    """

    def __init__(self, data: TokenData, issues: LabelIssues) -> None:
        _check_same(data, issues)
        self._data, self._found = data, Findings(issues)
        self._rules = None if data.scheme == "none" else tag_set(data.classes, data.scheme)
        self._types = () if self._rules is None else tuple(t or ENTITY for t in self._rules.types)

    def scenes(self, examples: Sequence[int]) -> list[Scene]:
        """Return a scene for each position."""
        return [self._scene(example) for example in examples]

    def changes(self, example: int, question: int, answer: Answer) -> list[Change]:
        """Return the tag of every token that an answer decides: those of the whole stretch."""
        if self._rules is None:
            return self._found.changes(example, question, answer)
        stretch = _at(self._stretches(example), question)
        new = self._answered(example, stretch, answer)
        return [] if new is None else self._as_changes(example, stretch, new)

    def _scene(self, example: int) -> Scene:
        data = self._data
        given = self._given(example)
        if self._rules is not None:
            held = entities(given, self._rules)
        else:
            held = tuple(Span(at, at + 1, data.classes[c]) for at, c in enumerate(given) if c >= 0)
        pieces = Pieces(data.words(example), data.gaps(example), held)
        return Scene(example, self._found.id(example), (pieces,), self._questions(example))

    def _given(self, example: int) -> Ints:
        return np.asarray(self._data.labels[example], dtype=np.int64)

    def _name(self, code: int) -> str:
        return self._data.classes[code] if code >= 0 else ""

    def _questions(self, example: int) -> tuple[Question, ...]:
        if self._rules is None:
            return tuple(self._choice(example, rows) for rows in self._found.groups(example))
        return tuple(self._spans(example, each) for each in self._stretches(example))

    def _stretches(self, example: int) -> list[Stretch]:
        assert self._rules is not None
        parts = self._found.issues.parts
        findings = [
            Finding(
                tuple(rows),
                {
                    int(parts.part[row]): (int(parts.given[row]), int(parts.suggested[row]))
                    for row in rows
                },
            )
            for rows in self._found.groups(example)
        ]
        return stretches(findings, self._given(example), self._rules)

    def _choice(self, example: int, rows: list[int]) -> Choice:
        parts, asked = self._found.issues.parts, self._found.asked(rows)
        p_given = parts.evidence.get("p_given")
        known = asked["confidence"], None if p_given is None else float(p_given[rows[0]])
        named = zip((asked["suggested"], self._name(parts.given[rows[0]])), known, strict=True)
        asked["name"] = self._data.words(example)[int(parts.part[rows[0]])]
        return Choice(**asked, alternatives=tuple((name, p) for name, p in named if name))

    def _spans(self, example: int, stretch: Stretch) -> Spans:
        assert self._rules is not None
        given = self._given(example)
        here = range(stretch.first, stretch.stop)
        own, new = (
            tuple(each for each in entities(tags, self._rules) if each.first in here)
            for tags in (given, stretch.suggested(given))
        )
        words = self._data.words(example)
        parts = sorted(stretch.tags)
        lead = stretch.findings[0].rows
        asked = self._found.asked(lead)
        is_no_class = self._found.issues.parts.given[lead[0]] < 0
        asked |= {
            "parts": tuple(parts),
            "name": " ".join(words[parts[0] : parts[-1] + 1]),
            "given": _listed(own, words) or (asked["given"] if is_no_class else ""),
            "suggested": _listed(new, words),
        }
        return Spans(
            **asked,
            first=stretch.first,
            stop=stretch.stop,
            spans_given=own,
            spans_suggested=new,
            labels=self._types,
        )

    def _answered(self, example: int, stretch: Stretch, answer: Answer) -> list[int] | None:
        """Return the class of each token of a stretch; None where an answer decides nothing."""
        assert self._rules is not None
        here, given, tags = range(stretch.first, stretch.stop), self._given(example), stretch.tags
        own: list[int] = given.tolist()
        if answer.verdict == "accept":
            return [tags[at][1] if at in tags else own[at] for at in here]
        if answer.verdict == "keep":
            return [tags[at][0] if at in tags else own[at] for at in here]
        if answer.verdict != "set":
            return None
        if answer.spans is None:
            raise InputError("answer", "has no spans", "Say which entities the words have")
        whole: list[int] = with_spans(given, stretch, answer.spans, self._rules).tolist()
        return whole[here.start : here.stop]

    def _as_changes(self, example: int, stretch: Stretch, new: Sequence[int]) -> list[Change]:
        """Return a change for each token; of those that nothing was found about, what is given."""
        own = self._given(example)
        return [
            Change(
                at,
                self._name(code),
                evidence={} if at in stretch.tags else {"given": self._name(own[at])},
            )
            for at, code in enumerate(new, start=stretch.first)
        ]


def _at(questions: Sequence[Any], question: int) -> Any:
    if not 0 <= question < len(questions):
        raise InputError(
            "question", f"is {question}, of {len(questions)}", "Ask for the scene again"
        )
    return questions[question]


def _listed(spans: Sequence[Span], words: Sequence[str]) -> str:
    """Return entities in words: ``ORG Blackburn Rovers``."""
    return ", ".join(f"{each.label} {' '.join(words[each.first : each.stop])}" for each in spans)


def _check_same(data: TokenData, issues: LabelIssues) -> None:
    """Make sure that the findings are about these sentences: an audit's folder is not trusted."""
    parts, n = issues.parts, len(data)
    lengths = np.append(np.diff(data.labels.offsets), 0)
    names = tuple(map(str, issues.classes or ()))
    is_inside = parts.example < n
    at = np.where(is_inside, parts.example, n)
    is_inside &= (parts.part >= 0) & (parts.part < lengths[at])
    if len(issues.scores) != n or names != data.classes or not is_inside.all():
        raise InputError(
            str(data.source.files[0]),
            f"has other sentences or classes than the audit ({n:,} and {len(issues.scores):,}"
            " sentences)",
            "Run the audit again",
        )
