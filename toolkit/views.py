"""How an example is shown and asked about, from what every task has: rows of a table, findings.

A task's own view makes blocks of its data and takes the questions from `Findings`, where it has
no better ones; `IssuesView` does without a task.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.results.label_issues import LabelIssues
from goldlabel.scenes import (
    Answer,
    Block,
    Change,
    Choice,
    Fields,
    Number,
    Question,
    Scene,
    Text,
)
from goldlabel.typing import Ints

__all__ = ["Findings", "IssuesView", "RowView", "Rows", "as_label", "questions_of"]

FIELDS = 8
"""So many columns are shown besides the text."""
_LOOKED_AT = 1000
"""The text is sought among so many columns: a table of more of them has measurements."""
_TEXT_LENGTH = 30
"""Mean length from which a column of text is taken for the text of the example."""
_KEYS = 9
"""So many other classes have a key of their own."""
_ACTION = "action"


class Rows:
    """Rows of a table as blocks: the text, then further columns.

    Parameters
    ----------
    frame : DataFrame
    hidden : collection
        Columns that are shown elsewhere or not at all: labels, ids.
    text : sequence of str, optional
        Columns that hold the text; if not given, the one that looks like it.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        hidden: Collection[Any] = (),
        text: Sequence[str] | None = None,
    ) -> None:
        self._frame = frame
        columns = [name for name in frame.columns if name not in hidden]
        self._text: list[Any] = list(text) if text is not None else _text_columns(frame, columns)
        self._fields = [name for name in columns if name not in self._text][:FIELDS]

    def __len__(self) -> int:
        return len(self._frame)

    def blocks(
        self, examples: Sequence[int], *, first: Sequence[Sequence[tuple[str, str]]] = ()
    ) -> list[tuple[Block, ...]]:
        """Return the blocks of each position; `first`: fields that stand before the rest."""
        shown = [*self._text, *self._fields]  # of a wide table, not all of it
        rows = self._frame[shown].iloc[list(examples)]
        texts = [" · ".join(str(value) for value in row) for row in rows[self._text].to_numpy()]
        names = [str(name) for name in self._fields]
        own = [
            tuple(zip(names, map(str, values), strict=True))
            for values in rows[self._fields].to_numpy()
        ]
        fields = [(*a, *b) for a, b in zip(first, own, strict=True)] if first else own
        return [
            ((Text(text),) if self._text else ()) + ((Fields(each),) if each else ())
            for text, each in zip(texts, fields, strict=True)
        ]

    def search(self, text: str) -> Ints:
        """Return the positions of the rows that have a text in them, whatever its case."""
        has = np.zeros(len(self._frame), dtype=np.bool_)
        for name in self._text or self._fields:
            column = self._frame[name].astype(str)
            has |= column.str.contains(text, case=False, regex=False).to_numpy(np.bool_)
        return np.flatnonzero(has)


def _text_columns(frame: pd.DataFrame, columns: Sequence[Any]) -> list[Any]:
    """Return the column with the longest texts, if they are long enough to be one."""
    columns = columns[:_LOOKED_AT]
    head = frame[columns].head(200)
    lengths = {
        name: head[name].astype(str).str.len().mean()
        for name in columns
        if pd.api.types.is_string_dtype(head[name]) or head[name].dtype == object
    }
    longest = max(lengths, key=lambda name: lengths[name], default=None)
    return [longest] if longest is not None and lengths[longest] >= _TEXT_LENGTH else []


class Findings:
    """What an audit found in each example, as questions; and what answers to them change.

    Parameters
    ----------
    issues : LabelIssues
    """

    def __init__(self, issues: LabelIssues) -> None:
        self.issues = issues
        self.classes = tuple(map(str, issues.classes or ()))
        self.is_numeric = issues.classes is None
        self._known = frozenset(self.classes)
        self._rows = np.argsort(issues.parts.example, kind="stable")  # worst first in an example
        ends = np.arange(len(issues.scores) + 1)
        self._ends = np.searchsorted(issues.parts.example[self._rows], ends)

    def id(self, example: int) -> str:
        """Return the name of an example."""
        return str(example if self.issues.ids is None else self.issues.ids[example])

    def groups(self, example: int) -> list[list[int]]:
        """Return the rows of `Parts` that each question is about, worst first.

        Rows of one group are asked about together, and of several findings about a part the worst.
        """
        parts = self.issues.parts
        groups: dict[int, list[int]] = {}
        asked: set[int] = set()
        for row in self._rows[self._ends[example] : self._ends[example + 1]].tolist():
            if (part := int(parts.part[row])) not in asked:
                asked.add(part)
                groups.setdefault(row if parts.group is None else int(parts.group[row]), []).append(
                    row
                )
        return list(groups.values())

    def questions(self, example: int) -> tuple[Question, ...]:
        """Return a question for each finding; where there is none, one about the given label."""
        groups = self.groups(example)
        if not groups and self.issues.given is not None:
            return (self._of_label(example),)
        return tuple(self._question(rows) for rows in groups)

    def asked(self, rows: Sequence[int]) -> dict[str, Any]:
        """Return what every question says of findings that are asked about together."""
        issues, parts, lead = self.issues, self.issues.parts, rows[0]
        confidence = float(parts.confidence[lead])
        return {
            "parts": tuple(parts.part[list(rows)].tolist()),
            "name": self.part_name(int(parts.part[lead])),
            "kind": str(parts.kinds[parts.kind[lead]]),
            "reason": issues.reasons([lead])[0],
            "score": float(parts.score[lead]),
            "confidence": None if math.isnan(confidence) else confidence,
            "given": self.given(lead),
            "suggested": self.label(parts.suggested[lead]),
            "action": str(self.evidence(lead).get(_ACTION, "")),
        }

    def part_name(self, part: int) -> str:
        """Return what a part is called; "" for the example itself."""
        names = self.issues.part_names
        return "" if part < 0 else str(part if names is None else names[part])

    def label(self, code: Any) -> str:
        """Return a class or a number as text; "" for nothing."""
        if self.is_numeric:
            return as_label(float(code))
        return self.classes[int(code)] if code >= 0 else ""

    def given(self, row: int) -> str:
        """Return the given label of a finding, as it is written where it is no label."""
        written = self.issues.parts.evidence.get("given_text")
        if written is not None and written[row]:
            return str(written[row])
        return self.label(self.issues.parts.given[row])

    def evidence(self, row: int) -> dict[str, Any]:
        """Return the evidence of a finding as plain values, without gaps."""
        values = {
            name: column[row].item() if isinstance(column[row], np.generic) else column[row]
            for name, column in self.issues.parts.evidence.items()
        }
        return {
            name: value
            for name, value in values.items()
            if isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
        }

    def _question(self, rows: Sequence[int]) -> Question:
        asked = self.asked(rows)
        if not self.is_numeric:
            return Choice(**asked, alternatives=self._others(asked["given"], asked["suggested"]))
        evidence = self.evidence(rows[0])
        return Number(**asked, low=evidence.get("low"), high=evidence.get("high"))

    def _of_label(self, example: int) -> Question:
        """Ask about the label of an example in which nothing was found."""
        issues = self.issues
        assert issues.given is not None
        given = self.label(issues.given[example])
        suggested = "" if issues.suggested is None else self.label(issues.suggested[example])
        asked: dict[str, Any] = {
            "parts": (-1,),
            "score": float(issues.scores[example]),
            "given": given,
            "suggested": suggested,
        }
        if self.is_numeric:
            return Number(**asked)
        return Choice(**asked, alternatives=self._others(given, suggested))

    def _others(self, given: str, suggested: str) -> tuple[tuple[str, None], ...]:
        """Return the other classes, where they are few enough to have a key each."""
        if len(self.classes) > _KEYS + 2:
            return ()
        others = [name for name in self.classes if name not in (given, suggested)]
        return tuple((name, None) for name in others[:_KEYS])

    def changes(self, example: int, question: int, answer: Answer) -> list[Change]:
        """Return what an answer changes: the label of each part that its question is about.

        Raises
        ------
        InputError
            There is no such question, or what the answer says is no label.
        """
        questions = self.questions(example)
        if not 0 <= question < len(questions):
            raise InputError(
                "question", f"is {question}, of {len(questions)}", "Ask for the scene again"
            )
        groups = self.groups(example)
        if not groups:
            asked = questions[0]
            label = self.answered(answer, asked.given, asked.suggested)
            return [] if label is None else [Change(-1, label)]
        return [each for row in groups[question] for each in self._changes(row, answer)]

    def _changes(self, row: int, answer: Answer) -> list[Change]:
        parts = self.issues.parts
        part, evidence = int(parts.part[row]), self.evidence(row)
        action = str(evidence.pop(_ACTION, ""))
        suggested = self.label(parts.suggested[row])
        label = self.answered(answer, self.given(row), suggested, has_action=bool(action))
        if label is None:
            return []
        if answer.verdict == "keep" or not action:
            return [Change(part, label)]
        if answer.verdict == "set" and action != "add" and label != suggested:
            return [Change(part, label, "relabel")]
        return [Change(part, label, action, evidence)]

    def answered(
        self, answer: Answer, given: str, suggested: str, *, has_action: bool = False
    ) -> str | None:
        """Return the label that an answer decides; None where it decides none.

        A given label that is none, kept, is "": the row says nothing.
        """
        if answer.verdict == "keep":
            return given if self._is_label(given) else ""
        if answer.verdict == "accept":
            if not suggested and not has_action:
                raise InputError("answer", "accepts, and nothing is suggested", "Name the label")
            return suggested
        return self.checked(answer.label) if answer.verdict == "set" else None

    def checked(self, label: str | None) -> str:
        """Return a label that somebody has typed or chosen.

        Raises
        ------
        InputError
            It is no class, or no number.
        """
        text = label or ""
        if not self._is_label(text):
            what = "a finite number" if self.is_numeric else "one of the classes"
            raise InputError("label", f"is {text[:100]!r}, not {what}", f"Name {what}")
        return text

    def _is_label(self, text: str) -> bool:
        if not self.is_numeric:
            return text in self._known
        try:
            return math.isfinite(float(text))
        except ValueError:
            return False


def as_label(value: float) -> str:
    """Return a number as text that is the same number again; "" for NaN.

    Examples
    --------
    >>> as_label(12.0), as_label(0.1), as_label(0.1 + 0.2), as_label(float("nan"))
    ('12', '0.1', '0.30000000000000004', '')
    """
    if not math.isfinite(value):
        return ""
    text = f"{value:.15g}"
    return text if float(text) == value else repr(value)


def questions_of(issues: LabelIssues, example: int) -> tuple[Question, ...]:
    """Return what `Findings` asks about one example; of many, ask `Findings`."""
    return Findings(issues).questions(example)


class IssuesView:
    """Shows examples of an audit whose task has no view: what was found, and nothing else.

    Parameters
    ----------
    issues : LabelIssues
    """

    def __init__(self, issues: LabelIssues) -> None:
        self._findings = Findings(issues)

    def scenes(self, examples: Sequence[int]) -> list[Scene]:
        """Return a scene for each position."""
        found = self._findings
        return [Scene(at, found.id(at), (), found.questions(at)) for at in examples]

    def changes(self, example: int, question: int, answer: Answer) -> list[Change]:
        """Return what an answer changes; see `Findings.changes`."""
        return self._findings.changes(example, question, answer)


class RowView:
    """Shows rows of a table, with what was found in each; a `goldlabel.scenes.View`.

    Parameters
    ----------
    rows : Rows
    issues : LabelIssues

    Raises
    ------
    InputError
        The findings are about another number of rows.
    """

    def __init__(self, rows: Rows, issues: LabelIssues) -> None:
        if len(rows) != len(issues.scores):
            raise InputError(
                "the table",
                f"has {len(rows):,} examples, and the audit {len(issues.scores):,}",
                "Run the audit again",
            )
        self._rows, self._found = rows, Findings(issues)

    def scenes(self, examples: Sequence[int]) -> list[Scene]:
        """Return a scene for each position."""
        found = self._found
        return [
            Scene(at, found.id(at), blocks, found.questions(at))
            for at, blocks in zip(examples, self._rows.blocks(examples), strict=True)
        ]

    def changes(self, example: int, question: int, answer: Answer) -> list[Change]:
        """Return what an answer changes; see `Findings.changes`."""
        return self._found.changes(example, question, answer)

    def search(self, text: str) -> Ints:
        """Return the positions of the rows that have a text in them, whatever its case."""
        return self._rows.search(text)
