"""How an example of a multiclass dataset looks to a person: its image, or its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from goldlabel.results.audit import Source
from goldlabel.results.label_issues import LabelIssues
from goldlabel.scenes import Answer, Block, Change, Picture, Scene
from goldlabel.tasks.multiclass.data import MulticlassData
from goldlabel.tasks.multiclass.formats import FORMATS
from goldlabel.tasks.multiclass.formats.table import ColumnOptions, frame_again
from goldlabel.typing import Ints
from goldlabel.views import Findings, Rows, RowView

__all__ = ["ImageView", "view", "view_of"]

IMAGE = "image"


def view(source: Source, issues: LabelIssues, summary: Mapping[str, Any]) -> RowView | ImageView:
    """Show the examples of an audit: its table is read again, or its images are found by name.

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
    options = source.options
    if not isinstance(options, ColumnOptions):
        return ImageView(source, issues)
    rows = Rows(frame_again(source), hidden={options.label, options.id})
    return RowView(rows, issues)


def view_of(
    data: MulticlassData, issues: LabelIssues, text: Sequence[str] | None
) -> RowView | ImageView | None:
    """Return what shows the examples that have been read; `text`: columns that hold the text."""
    options, frame = data.source.options, data.frame
    if frame is not None:
        hidden = {options.label, options.id} if isinstance(options, ColumnOptions) else set()
        return RowView(Rows(frame, hidden=hidden, text=text), issues)
    return None if data.ids is None else ImageView(data.source, issues)


class ImageView:
    """Shows images of a folder, by their names in it; a `goldlabel.scenes.View`."""

    def __init__(self, source: Source, issues: LabelIssues) -> None:
        self._folder, self._found = source.files[0], Findings(issues)

    def scenes(self, examples: Sequence[int]) -> list[Scene]:
        """Return a scene for each position."""
        found = self._found
        blocks: tuple[Block, ...] = (Picture(IMAGE),)
        return [Scene(at, found.id(at), blocks, found.questions(at)) for at in examples]

    def changes(self, example: int, question: int, answer: Answer) -> list[Change]:
        """Return the label that an answer decides."""
        return self._found.changes(example, question, answer)

    def picture(self, example: int, name: str) -> Path | None:
        """Return the file of an image; None for one outside of the folder."""
        path = self._folder / self._found.id(example)
        inside = path.resolve().is_relative_to(self._folder.resolve())
        return path if name == IMAGE and inside else None

    def search(self, text: str) -> Ints:
        """Return the positions of the images whose names have a text in them."""
        n = len(self._found.issues.scores)
        wanted = text.casefold()
        return np.array(
            [at for at in range(n) if wanted in self._found.id(at).casefold()], dtype=np.int64
        )
