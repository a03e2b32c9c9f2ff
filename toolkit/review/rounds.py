"""Rounds: decisions about an earlier audit, and which of them hold on in this one.

Where nothing has changed but the model, an example is found by its position. In a dataset that has
changed it is found by its id, and a decision about it holds on where the label is still the given
one, or is the one that was decided. Parts that have no names (boxes, words, regions) are counted
anew in each dataset: decisions about these no longer apply, rather than hit another part.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from goldlabel.results.audit import Source
from goldlabel.results.folder import TABLES
from goldlabel.review.records import Action, Round, Verdict
from goldlabel.views import Findings

__all__ = ["Applied", "audit_digest", "plan_of", "source_digest"]

_PART_NAMES = "part_names"


def audit_digest(summary: Mapping[str, Any]) -> str:
    """Return what tells one audit from another: a hash over the hashes of its tables."""
    return _digest([summary["files"][name] for name in TABLES])


def source_digest(source: Source, summary: Mapping[str, Any]) -> str:
    """Return what tells one dataset from another: a hash over its label files, as they are read."""
    # In the order of the source: its files come first, then the other inputs.
    files = [
        {name: value for name, value in entry.items() if name != "path"}
        for entry in summary["inputs"][: len(source.files)]
    ]
    return _digest([files, source.format, source.options])


def plan_of(findings: Findings) -> dict[str, Any]:
    """Return what is kept with a round: the names of parts, where they have names."""
    names = findings.issues.part_names
    return {} if names is None else {_PART_NAMES: [str(name) for name in names]}


def _digest(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


class Applied:
    """Applies decisions of every round to the audit of one of them.

    Parameters
    ----------
    findings : Findings
        Of the audit.
    current : Round
        The round of the audit.
    rounds : iterable of Round
        All rounds of the log.

    Attributes
    ----------
    dropped : int
        How many verdicts no longer apply.
    """

    def __init__(self, findings: Findings, current: Round, rounds: Iterable[Round]) -> None:
        self._findings, self._source = findings, current.source
        self._rounds = {each.round: each for each in rounds}
        self._positions: dict[str, int] | None = None
        names = findings.issues.part_names
        self._parts = {} if names is None else {str(name): at for at, name in enumerate(names)}
        self._n = len(findings.issues.scores)
        self.dropped = 0

    def learn(self, rounds: Iterable[Round]) -> None:
        """Take in rounds that were begun meanwhile."""
        self._rounds = {each.round: each for each in rounds}

    def knows(self, round: int) -> bool:
        """Return whether a round is known."""
        return round in self._rounds

    def actions(self, actions: Iterable[Action]) -> Iterator[Action]:
        """Yield actions with the verdicts that apply, at the positions that they have here."""
        for action in actions:
            theirs = self._rounds[action.round]
            if theirs.source == self._source and all(
                0 <= verdict.example < self._n for verdict in action.verdicts
            ):
                yield action  # as nearly always
                continue
            kept = tuple(
                each
                for verdict in action.verdicts
                if (each := self._moved(verdict, theirs)) is not None
            )
            self.dropped += len(action.verdicts) - len(kept)
            yield action._replace(verdicts=kept)

    def _moved(self, verdict: Verdict, theirs: Round) -> Verdict | None:
        """Return a verdict as it applies here; None where it does not."""
        if theirs.source == self._source:
            return verdict if 0 <= verdict.example < self._n else None
        example = self._by_id(verdict.id)
        part = verdict.part
        if example is None:
            return None
        if part >= 0:
            names = theirs.plan.get(_PART_NAMES)
            name = names[part] if isinstance(names, list) and part < len(names) else None
            if name not in self._parts:
                return None
            part = self._parts[name]
        given = self._given(example, part)
        if given not in (verdict.given, verdict.label):
            return None
        return verdict._replace(example=example, part=part, given=given)

    def _by_id(self, name: str | None) -> int | None:
        """Return the position of the one example with an id."""
        ids = self._findings.issues.ids
        if ids is None or name is None:
            return None
        if self._positions is None:
            texts = [str(each) for each in ids.tolist()]
            counts = Counter(texts)
            self._positions = {text: at for at, text in enumerate(texts) if counts[text] == 1}
        return self._positions.get(name)

    def _given(self, example: int, part: int) -> str | None:
        """Return the label that the dataset has now; None where it is not known."""
        findings = self._findings
        for rows in findings.groups(example):
            for row in rows:
                if findings.issues.parts.part[row] == part:
                    return findings.given(row)
        if part < 0 and findings.issues.given is not None:
            return findings.label(findings.issues.given[example])
        return None
