"""How an example of a checked table looks to a person: its row, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.tables import read_table_again
from goldlabel.results.audit import Source
from goldlabel.results.label_issues import LabelIssues
from goldlabel.scenes import Answer, Change, Scene
from goldlabel.typing import Ints
from goldlabel.views import Findings, Rows

__all__ = ["TableView", "view"]


class TableView:
    """Shows rows of a table; a `goldlabel.scenes.View`.

    Parameters
    ----------
    frame : DataFrame
    issues : LabelIssues
    hidden : sequence of str or None
        Columns that are shown elsewhere: label, ids.
    text : str, optional
        Column that holds the text; if not given, the one that looks like it.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        issues: LabelIssues,
        *,
        hidden: Sequence[str | None] = (),
        text: str | None = None,
    ) -> None:
        self._rows = Rows(frame, hidden=hidden, text=None if text is None else [text])
        self._found = Findings(issues)

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
        """Return the positions of the rows that have a text in them."""
        return self._rows.search(text)


def view(
    source: Source,
    issues: LabelIssues,
    summary: Mapping[str, Any],
    *,
    progress: Callable[[int, int, str], None] | None = None,
) -> TableView:
    """Show the examples of an audit that lies in a folder: its table is read again.

    Raises
    ------
    InputError
        The table has changed, or is not that of the findings.
    """
    frame = read_table_again(source).frame
    if len(frame) != len(issues.scores):
        what = f"has {len(frame):,} rows, and the audit {len(issues.scores):,}"
        raise InputError(str(source.files[0]), what, "Run the audit again")
    options = source.options
    names = [options[name] if name in options.keys() else None for name in ("label", "id", "text")]
    return TableView(frame, issues, hidden=names[:2], text=names[2])
