"""How an example of a multilabel dataset looks to a person, with its classes and the model's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from goldlabel.errors import InputError
from goldlabel.results.audit import Source
from goldlabel.results.label_issues import LabelIssues
from goldlabel.scenes import Answer, Block, Change, Fields, Picture, Scene, Switch, Switches
from goldlabel.tasks.multilabel.data import MultilabelData
from goldlabel.tasks.multilabel.formats import read_again
from goldlabel.tasks.multilabel.formats.table_options import LabelTable
from goldlabel.tasks.multilabel.issues import VALUES
from goldlabel.typing import Ints
from goldlabel.views import Findings, Rows

__all__ = ["ClassesView", "view"]

IMAGE = "image"
_CLASSES = 12
"""So many classes are named."""


def view(source: Source, issues: LabelIssues, summary: Mapping[str, Any]) -> ClassesView:
    """Show the examples of an audit: their labels are read again, and nothing else is opened.

    Parameters
    ----------
    source, issues, summary
        As the folder of the audit says: see `goldlabel.results.folder.read_audit`.

    Raises
    ------
    InputError
        The labels have changed, or are not those of the findings.
    """
    data = read_again(source)
    _check_same(data, issues)
    return ClassesView(data, issues)


class ClassesView:
    """Shows examples with their classes; a `goldlabel.scenes.View`.

    Parameters
    ----------
    data : MultilabelData
        Where the examples are; without predictions, what the model says is known of findings.
    issues : LabelIssues
        What was found in them.
    text : sequence of str, optional
        Columns that hold the text; if not given, the one that looks like it.
    """

    def __init__(
        self, data: MultilabelData, issues: LabelIssues, *, text: Sequence[str] | None = None
    ) -> None:
        self._data, self._found = data, Findings(issues)
        options = data.source.options
        hidden: set[str | None] = set()
        if isinstance(options, LabelTable):
            hidden = {options.id, options.column, *options.columns}
        self._rows = None if data.frame is None else Rows(data.frame, hidden=hidden, text=text)

    def scenes(self, examples: Sequence[int]) -> list[Scene]:
        """Return a scene for each position."""
        fields = [(("given", self._given(at)), *self._predicted(at)) for at in examples]
        if self._rows is None:
            blocks: list[tuple[Block, ...]] = [(Fields(each),) for each in fields]
        else:
            blocks = self._rows.blocks(examples, first=fields)
        return [
            Scene(at, self._found.id(at), (*self._picture(at), *own), self._questions(at))
            for at, own in zip(examples, blocks, strict=True)
        ]

    def picture(self, example: int, name: str) -> Path | None:
        """Return the file of an example's image."""
        images = self._data.images
        return None if images is None or name != IMAGE else images[example]

    def search(self, text: str) -> Ints:
        """Return the positions of the rows that have a text in them."""
        return np.empty(0, dtype=np.int64) if self._rows is None else self._rows.search(text)

    def changes(self, example: int, question: int, answer: Answer) -> list[Change]:
        """Return what an answer says of every class: those not switched are as given.

        So the last answer replaces the one before whole, whatever that had switched.
        """
        rows = self._wrong(example)
        if question != 0 or not rows:
            raise InputError("question", f"is {question}, of {len(rows) > 0:d}", "Ask again")
        if answer.verdict not in ("accept", "keep", "set"):
            return []
        own = self._data.labels[example]
        switched = self._switched(rows, answer)
        changes = []
        for part, code in enumerate(own.tolist()):
            given = VALUES[code] if code >= 0 else ""
            is_on = switched.get(part)
            label = given if is_on is None else VALUES[is_on]
            evidence = {} if part in rows or not given else {"given": given}
            changes.append(Change(part, label, evidence=evidence))
        return changes

    def _switched(self, rows: Mapping[int, int], answer: Answer) -> dict[int, bool]:
        """Return the classes that an answer names or accepts, and whether it gives them."""
        if answer.verdict == "keep":
            return {}
        if answer.verdict == "accept":
            codes = self._found.issues.parts.suggested
            new = {part: bool(codes[row]) for part, row in rows.items() if codes[row] >= 0}
            if not new:
                raise InputError("answer", "accepts, and nothing is suggested", "Keep it, or edit")
            return new
        k = len(self._data.classes)
        strange = [part for part in answer.switches if not 0 <= part < k]
        if strange:
            raise InputError("switches", f"name class {strange[0]}, of {k}", "Use its number")
        return dict(answer.switches)

    def _picture(self, example: int) -> tuple[Block, ...]:
        return () if self._data.images is None else (Picture(IMAGE),)

    def _wrong(self, example: int) -> dict[int, int]:
        """Return the first row of the findings about each class, worst first."""
        parts = self._found.issues.parts
        groups = self._found.groups(example)
        return {int(parts.part[row]): row for rows in groups for row in rows}

    def _questions(self, example: int) -> tuple[Switches, ...]:
        """Ask about all classes at once: those judged wrong first, then the given and probable."""
        rows = self._wrong(example)
        if not rows:
            return ()
        data, parts = self._data, self._found.issues.parts
        own = data.labels[example]
        probs = None
        if data.pred_probs is not None:
            probs = np.asarray(data.pred_probs[example], dtype=np.float64)
        rank = -(own > 0).astype(np.float64) - (0.0 if probs is None else np.nan_to_num(probs))
        others = [at for at in np.argsort(rank, kind="stable").tolist() if at not in rows]
        items = []
        # A finding about part -1 is an entry of a list that is no class, and has no switch.
        for part in (*(part for part in rows if part >= 0), *others):
            given = None if own[part] < 0 else bool(own[part] > 0)
            new = int(parts.suggested[rows[part]]) if part in rows else -1
            share = self._p_class(rows.get(part)) if probs is None else float(probs[part])
            p = share if np.isfinite(share) else None
            items.append(
                Switch(part, data.classes[part], given, bool(new) if new >= 0 else given, p)
            )
        asked = self._found.asked([next(iter(rows.values()))])
        asked["parts"] = tuple(rows)
        return (Switches(**asked, items=tuple(items), labels=(VALUES[0], VALUES[1])),)

    def _p_class(self, row: int | None) -> float:
        """Return how probable a finding's class is; NaN where that is not known."""
        evidence = self._found.issues.parts.evidence
        return float(evidence["p_class"][row]) if row is not None else np.nan

    def _given(self, example: int) -> str:
        labels = self._data.labels[example]
        if (labels < 0).all():
            return "not known"
        names = [self._data.classes[c] for c in np.flatnonzero(labels > 0)]
        return _listed(names) or "no class"

    def _predicted(self, example: int) -> tuple[tuple[str, str], ...]:
        """Name the classes that the model thinks more probable than not, the surest first."""
        if self._data.pred_probs is None:
            return ()
        probs = np.asarray(self._data.pred_probs[example], dtype=np.float64)
        order = np.argsort(-probs, kind="stable")
        chosen = [c for c in order.tolist() if probs[c] > 0.5]
        named = [f"{self._data.classes[c]} {probs[c]:.0%}" for c in chosen]
        return (("model", _listed(named) or "no class"),)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _CLASSES} more" if len(names) > _CLASSES else ""
    return ", ".join(names[:_CLASSES]) + more


def _check_same(data: MultilabelData, issues: LabelIssues) -> None:
    """Make sure that the findings are about these labels: an audit's folder is not trusted."""
    parts, (n, k) = issues.parts, data.labels.shape
    names = tuple(map(str, issues.part_names or ())), tuple(map(str, issues.classes or ()))
    is_same = len(issues.scores) == n and names == (data.classes, VALUES)
    is_same = is_same and "p_class" in parts.evidence and bool((parts.part < k).all())
    if is_same:
        known = parts.given >= 0
        at = parts.example[known], parts.part[known]
        is_same = bool((at[1] >= 0).all() and (data.labels[at] == parts.given[known]).all())
    if not is_same:
        raise InputError(
            str(data.source.files[0]),
            f"has other labels than the audit ({n:,} and {len(issues.scores):,} examples)",
            "Run the audit again",
        )
