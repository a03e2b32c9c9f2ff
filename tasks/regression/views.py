"""How an example of a regression dataset looks to a person: its row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from goldlabel.formats.options import options_of
from goldlabel.results.audit import Source
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.regression.formats import FORMATS, NumberColumn, frame_again
from goldlabel.views import Rows, RowView

__all__ = ["view"]


def view(
    source: Source,
    issues: LabelIssues,
    summary: Mapping[str, Any],
    *,
    progress: Callable[[int, int, str], None] | None = None,
) -> RowView:
    """Show the rows of an audit: its table is read again.

    Parameters
    ----------
    source : Source
        Where the labels came from, as the audit's folder says.
    issues : LabelIssues
        What was found.
    summary : mapping
        The audit's summary.json.
    progress : callable, optional
        Told how far the reading is.

    Raises
    ------
    InputError
        The table has changed, or is not that of the findings.
    """
    source = FORMATS.restored(source)
    options = options_of(source, NumberColumn)
    return RowView(Rows(frame_again(source), hidden={options.label, options.id}), issues)
