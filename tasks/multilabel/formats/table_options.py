"""What is needed to write the labels of a table back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from goldlabel.formats.tables import TableOptions
from goldlabel.tasks.multilabel.formats.cells import Style
from goldlabel.tasks.multilabel.formats.given import Options

__all__ = ["LabelTable", "Layout"]

Layout = Literal["columns", "text", "list", "multi_hot"]


@dataclass(frozen=True, kw_only=True)
class LabelTable(Options, TableOptions):
    """A table with a column for each class, or one column of lists.

    Attributes
    ----------
    layout : {"columns", "text", "list", "multi_hot"}
        Columns that say yes or no; else how the one column holds its lists: as text, as lists of
        classes, or with a 1 or 0 for each class.
    columns : tuple of str
        The columns of the classes, in the order of the file.
    column : str
        The one column of lists.
    style : Style or None
        How text writes a list.
    id : str or None
    """

    layout: Layout
    columns: tuple[str, ...] = ()
    column: str = ""
    style: Style | None = None
    id: str | None = None
