"""How an example of a multiclass dataset looks to a person: its image, or its row."""

from __future__ import annotations

from collections.abc import Sequence

from goldlabel.results.audit import Item
from goldlabel.tasks.multiclass.data import MulticlassData
from goldlabel.tasks.multiclass.formats.table import ColumnOptions
from goldlabel.views import RowItems, thumbnail

__all__ = ["Items"]


class Items:
    """Show examples by position; called with the ones that a report shows.

    Parameters
    ----------
    data : MulticlassData
        Where the examples are.
    text : sequence of str, optional
        Columns that hold the text; if not given, the one that looks like it.
    """

    def __init__(self, data: MulticlassData, *, text: Sequence[str] | None = None) -> None:
        self._data = data
        options, frame = data.source.options, data.frame
        hidden = {options.label, options.id} if isinstance(options, ColumnOptions) else set()
        self._rows = None if frame is None else RowItems(frame, hidden=hidden, text=text)

    def __call__(self, examples: Sequence[int]) -> list[Item]:
        """Return an `Item` for each position."""
        if self._rows is not None:
            return self._rows(examples)
        return [self._image(example) for example in examples]

    def _image(self, example: int) -> Item:
        if self._data.ids is None:
            return Item()
        small = thumbnail(self._data.source.files[0] / str(self._data.ids[example]))
        return Item(image=small, fields={} if small else {"image": "cannot be shown"})
