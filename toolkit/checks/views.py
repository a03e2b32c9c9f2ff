"""How an example of a checked table looks to a person: its row, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goldlabel.formats.tables import read_table_again
from goldlabel.results.audit import Source
from goldlabel.results.label_issues import LabelIssues
from goldlabel.views import Rows, RowView

__all__ = ["view"]


def view(source: Source, issues: LabelIssues, summary: Mapping[str, Any]) -> RowView:
    """Show the examples of an audit that lies in a folder: its table is read again.

    Raises
    ------
    InputError
        The table has changed, or is not that of the findings.
    """
    frame = read_table_again(source).frame
    options = source.options
    label, id, text = (
        options[name] if name in options.keys() else None for name in ("label", "id", "text")
    )
    return RowView(Rows(frame, hidden={label, id}, text=[text] if text else None), issues)
