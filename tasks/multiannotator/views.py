"""How an item looks to a person: what it is, who said what, and what the model says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from goldlabel.errors import InputError
from goldlabel.results.audit import Source
from goldlabel.results.label_issues import LabelIssues
from goldlabel.scenes import Answer, Block, Change, Choice, Fields, Scene, Vote, Votes
from goldlabel.tasks.multiannotator.aggregation.consensus import Consensus
from goldlabel.tasks.multiannotator.data import MultiannotatorData
from goldlabel.tasks.multiannotator.formats import read_again
from goldlabel.typing import Floats, Ints
from goldlabel.views import Findings, Rows

__all__ = ["ItemView", "view"]

_CLASSES = 4
_PEOPLE = 6
"""So many classes, and voters of each, are named."""


def view(source: Source, issues: LabelIssues, summary: Mapping[str, Any]) -> ItemView:
    """Show the items of an audit: votes and predictions are read again, no consensus is found anew.

    Parameters
    ----------
    source, issues, summary
        As the folder of the audit says: see `goldlabel.results.folder.read_audit`.

    Raises
    ------
    InputError
        The votes have changed, or are not those of the findings.
    """
    data = read_again(source)
    _check_same(data, issues)
    return ItemView(data, None, issues)


class ItemView:
    """Shows items with their votes; a `goldlabel.scenes.View`.

    Parameters
    ----------
    data : MultiannotatorData
    consensus : Consensus or None
        None where it is not at hand: what is agreed is then known of items with wrong votes, and
        how often an annotator is right is the share of votes that were not judged wrong.
    issues : LabelIssues
        The votes that were judged wrong.
    text : sequence of str, optional
        Columns that show a person what an item is; if not given, the one that looks like it.
    """

    def __init__(
        self,
        data: MultiannotatorData,
        consensus: Consensus | None,
        issues: LabelIssues,
        *,
        text: Sequence[str] | None = None,
    ) -> None:
        self._data, self._consensus, self._found = data, consensus, Findings(issues)
        self._quality = (
            _share_right(data, issues) if consensus is None else consensus.annotator_quality
        )
        self._rows = None if data.frame is None else Rows(data.frame, text=text)

    def scenes(self, examples: Sequence[int]) -> list[Scene]:
        """Return a scene for each position."""
        fields = [self._fields(at) for at in examples]
        if self._rows is None:
            blocks: list[tuple[Block, ...]] = [(Fields(each),) for each in fields]
        else:
            blocks = self._rows.blocks(examples, first=fields)
        return [
            Scene(at, self._found.id(at), (*own, *self._voted(at)), self._questions(at))
            for at, own in zip(examples, blocks, strict=True)
        ]

    def search(self, text: str) -> Ints:
        """Return the positions of the rows that have a text in them."""
        return np.empty(0, dtype=np.int64) if self._rows is None else self._rows.search(text)

    def changes(self, example: int, question: int, answer: Answer) -> list[Change]:
        """Return every vote on an item; a label that is set is everybody's.

        Votes that the answer leaves alone are as given, so that it replaces the one before whole.
        """
        asked = self._questions(example)
        if not 0 <= question < len(asked):
            raise InputError("question", f"is {question}, of {len(asked)}", "Ask again")
        if answer.verdict not in ("accept", "keep", "set"):
            return []
        parts = self._found.issues.parts
        rows = [row for rows in self._found.groups(example) for row in rows]
        suggested = {int(parts.part[row]): self._found.label(parts.suggested[row]) for row in rows}
        new = suggested if answer.verdict == "accept" else {}
        everybody = self._found.checked(answer.label) if answer.verdict == "set" else None
        return [
            Change(
                vote.part,
                everybody or new.get(vote.part, vote.label),
                evidence={} if vote.part in suggested else {"given": vote.label},
            )
            for vote in self._listed(example)
        ]

    def _questions(self, example: int) -> tuple[Choice, ...]:
        """Ask for the one label of an item; an answer decides every vote that differs from it."""
        rows = [row for rows in self._found.groups(example) for row in rows]
        if not rows:
            return ()
        parts = self._found.issues.parts
        asked = self._found.asked(rows)
        asked["parts"] = tuple(int(parts.part[row]) for row in rows)
        counts = np.bincount(self._codes(example), minlength=len(self._data.classes))
        order = np.argsort(-counts, kind="stable").tolist()
        named = [str(self._data.classes[c]) for c in order if counts[c]]
        names = dict.fromkeys([asked["suggested"], *named])
        return (Choice(**asked, alternatives=tuple((name, None) for name in names if name)),)

    def _codes(self, example: int) -> Ints:
        votes = self._data.votes
        start, stop = votes.item_offsets[example : example + 2]
        return np.asarray(votes.label[start:stop], dtype=np.int64)

    def _listed(self, example: int) -> list[Vote]:
        """Return the votes on an item, in the order of the data."""
        votes = self._data.votes
        start = int(votes.item_offsets[example])
        listed = []
        for at, code in enumerate(self._codes(example).tolist()):
            who = int(votes.annotator[start + at])
            known = float(self._quality[who])
            name, label = str(self._data.annotators[who]), str(self._data.classes[code])
            listed.append(Vote(who, name, label, known if known == known else None))
        return listed

    def _voted(self, example: int) -> tuple[Block, ...]:
        """Return who said what, where the data say who it was."""
        return (Votes(tuple(self._listed(example))),) if self._data.has_identities else ()

    def _fields(self, example: int) -> tuple[tuple[str, str], ...]:
        data = self._data
        fields = [("votes", self._votes(example))]
        label = self._agreed(example)
        if label >= 0:
            quality = self._found.issues.scores[example]
            fields.append(("agreed", f"{data.classes[label]} {quality:.0%}"))
        if data.pred_probs is not None:
            mean = data.pred_probs[:, example].mean(axis=0)
            best = int(mean.argmax())
            fields.append(("model", f"{data.classes[best]} {mean[best]:.0%}"))
        return tuple(fields)

    def _agreed(self, example: int) -> int:
        """Return the consensus of an item; -1 where there is none, or it is not known."""
        if self._consensus is not None:
            return int(self._consensus.labels[example])
        groups = self._found.groups(example)
        return int(self._found.issues.parts.suggested[groups[0][0]]) if groups else -1

    def _votes(self, example: int) -> str:
        """Say who voted for what, the class with most votes first."""
        votes = self._data.votes
        start, stop = votes.item_offsets[example : example + 2]
        label, people = votes.label[start:stop], votes.annotator[start:stop]
        counts = np.bincount(label, minlength=votes.num_classes)
        order = np.argsort(-counts, kind="stable")
        classes = [c for c in order.tolist() if counts[c]]
        said = [self._voters(c, people[label == c].tolist()) for c in classes[:_CLASSES]]
        more = f"; {len(classes) - _CLASSES} more classes" if len(classes) > _CLASSES else ""
        return "; ".join(said) + more or "none"

    def _voters(self, label: int, people: list[int]) -> str:
        name = f"{len(people)} for {self._data.classes[label]}"
        if not self._data.has_identities:
            return name
        shown = ", ".join(self._data.annotators[j] for j in people[:_PEOPLE])
        return f"{name} ({shown}{', ...' if len(people) > _PEOPLE else ''})"


def _share_right(data: MultiannotatorData, issues: LabelIssues) -> Floats:
    """Return the share of each annotator's votes that were not judged wrong; NaN without votes."""
    m = len(data.annotators)
    wrong = np.bincount(issues.parts.part, minlength=m)
    votes = np.bincount(data.votes.annotator, minlength=m)
    with np.errstate(invalid="ignore"):
        return np.asarray(1.0 - wrong / votes, dtype=np.float64)


def _check_same(data: MultiannotatorData, issues: LabelIssues) -> None:
    """Make sure that the findings are about these votes: an audit's folder is not trusted."""
    parts = issues.parts
    names = tuple(map(str, issues.classes or ())), tuple(map(str, issues.part_names or ()))
    is_same = len(issues.scores) == len(data) and names == (data.classes, data.annotators)
    if is_same:
        votes, m = data.votes, len(data.annotators)
        inside = (parts.part >= 0) & (parts.part < m)
        there = np.isin(parts.example * m + parts.part, votes.item * np.int64(m) + votes.annotator)
        is_same = bool((inside & there).all())
    if not is_same:
        raise InputError(
            str(data.source.files[0]),
            f"has other votes than the audit ({len(data):,} and {len(issues.scores):,} items)",
            "Run the audit again",
        )
