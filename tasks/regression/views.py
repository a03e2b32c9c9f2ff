"""How an example of a regression dataset looks to a person: its row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goldlabel.formats.options import options_of
from goldlabel.results.audit import Source
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.regression.formats import FORMATS, NumberColumn, frame_again
from goldlabel.views import Rows, RowView

__all__ = ["view"]


def view(source: Source, issues: LabelIssues, summary: Mapping[str, Any]) -> RowView:
    """Show the rows of an audit: its table is read again.

    Parameters
    ----------
    source, issues, summary
        As the folder of the audit says: see `goldlabel.results.folder.read_audit`.

    Raises
    ------
    InputError
        The table has changed, or is not that of the findings.
    """
    source = FORMATS.restored(source)
    options = options_of(source, NumberColumn)
    return RowView(Rows(frame_again(source), hidden={options.label, options.id}), issues)
