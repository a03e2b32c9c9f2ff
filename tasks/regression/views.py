"""How an example of a regression dataset looks to a person: its row."""

from __future__ import annotations

from collections.abc import Sequence

from goldlabel.results.label_issues import LabelIssues
from goldlabel.scenes import Answer, Change, Scene
from goldlabel.tasks.regression.data import RegressionData
from goldlabel.typing import Ints
from goldlabel.views import Findings, Rows

__all__ = ["RowView"]


class RowView:
    """Shows rows of a table, and asks for numbers; a `goldlabel.scenes.View`.

    Parameters
    ----------
    data : RegressionData
    issues : LabelIssues
        What was found in it.
    hidden : sequence of str
        Columns that are shown elsewhere, besides the label and the ids.
    text : sequence of str, optional
        Columns that hold the text; if not given, the one that looks like it.
    """

    def __init__(
        self,
        data: RegressionData,
        issues: LabelIssues,
        *,
        hidden: Sequence[str] = (),
        text: Sequence[str] | None = None,
    ) -> None:
        options = data.source.options
        self._rows = Rows(data.frame, hidden={options.label, options.id, *hidden}, text=text)
        self._found = Findings(issues)

    def scenes(self, examples: Sequence[int]) -> list[Scene]:
        """Return a scene for each position."""
        found = self._found
        return [
            Scene(at, found.id(at), blocks, found.questions(at))
            for at, blocks in zip(examples, self._rows.blocks(examples), strict=True)
        ]

    def changes(self, example: int, question: int, answer: Answer) -> list[Change]:
        """Return the number that an answer decides."""
        return self._found.changes(example, question, answer)

    def search(self, text: str) -> Ints:
        """Return the positions of the rows that have a text in them."""
        return self._rows.search(text)
