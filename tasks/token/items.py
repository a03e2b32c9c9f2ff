"""How a sentence looks to a person: its words, the given tags above and the suggested below."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from goldlabel.results.audit import Item, Span
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.token.data import TokenData

__all__ = ["Items"]

_USUAL = "O"


class Items:
    """Show sentences by position; called with the ones that a report shows.

    Parameters
    ----------
    data : TokenData
    issues : LabelIssues
        What was found in it.
    """

    def __init__(self, data: TokenData, issues: LabelIssues) -> None:
        self._data = data
        self._issues = issues
        order = np.argsort(issues.parts.example, kind="stable")
        self._rows = order
        self._of = issues.parts.example[order]

    def __call__(self, examples: Sequence[int]) -> list[Item]:
        """Return an `Item` for each position."""
        return [self._item(example) for example in examples]

    def _item(self, example: int) -> Item:
        data, parts = self._data, self._issues.parts
        start, end = np.searchsorted(self._of, [example, example + 1])
        rows = self._rows[start:end]
        new = dict(zip(parts.part[rows].tolist(), parts.suggested[rows].tolist(), strict=True))
        codes = data.labels[example].tolist()
        spans = []
        for at, (word, code) in enumerate(zip(data.words(example), codes, strict=True)):
            given = data.classes[code] if code >= 0 else "?"
            suggested = data.classes[new[at]] if at in new else ""
            shown = given if given != _USUAL or suggested else ""
            spans.append(Span(word, given=shown, suggested=suggested))
        return Item(spans=tuple(spans))
