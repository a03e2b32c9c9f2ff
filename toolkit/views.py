"""How an example looks to a person: a row of a table, an image as a thumbnail."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.pictures import open_picture
from goldlabel.results.audit import Item

__all__ = ["RowItems", "thumbnail"]

THUMBNAIL = 160
"""Longest side of a thumbnail, in pixels."""
FIELDS = 8
"""So many columns are shown besides the text."""
_LOOKED_AT = 1000
"""The text is sought among so many columns: a table of more of them has measurements."""
_TEXT_LENGTH = 30
"""Mean length from which a column of text is taken for the text of the example."""


class RowItems:
    """Show rows of a table by position; called with the ones that a report shows.

    Parameters
    ----------
    frame : DataFrame
    hidden : collection
        Columns that are shown elsewhere or not at all: labels, ids.
    text : sequence of str, optional
        Columns that hold the text; if not given, the one that looks like it.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        hidden: Collection[Any] = (),
        text: Sequence[str] | None = None,
    ) -> None:
        self._frame = frame
        columns = [name for name in frame.columns if name not in hidden]
        self._text: list[Any] = list(text) if text is not None else _text_columns(frame, columns)
        self._fields = [name for name in columns if name not in self._text][:FIELDS]

    def __call__(self, examples: Sequence[int]) -> list[Item]:
        """Return an `Item` for each position."""
        shown = [*self._text, *self._fields]  # of a wide table, not all of it
        rows = self._frame[shown].iloc[list(examples)]
        texts = [" · ".join(str(value) for value in row) for row in rows[self._text].to_numpy()]
        fields = rows[self._fields].to_numpy()
        names = [str(name) for name in self._fields]
        return [
            Item(
                text=text if self._text else None,
                fields=dict(zip(names, map(str, values), strict=True)),
            )
            for text, values in zip(texts, fields, strict=True)
        ]


def _text_columns(frame: pd.DataFrame, columns: Sequence[Any]) -> list[Any]:
    """Return the column with the longest texts, if they are long enough to be one."""
    columns = columns[:_LOOKED_AT]
    head = frame[columns].head(200)
    lengths = {
        name: head[name].astype(str).str.len().mean()
        for name in columns
        if pd.api.types.is_string_dtype(head[name]) or head[name].dtype == object
    }
    longest = max(lengths, key=lambda name: lengths[name], default=None)
    return [longest] if longest is not None and lengths[longest] >= _TEXT_LENGTH else []


def thumbnail(path: Path) -> bytes | None:
    """Return a small PNG or JPEG of an image file; None if it can't be read."""
    try:
        with open_picture(path) as image:
            image.draft("RGB", (THUMBNAIL, THUMBNAIL))
            image.thumbnail((THUMBNAIL, THUMBNAIL))
            small = image.convert("RGBA" if "A" in image.getbands() else "RGB")
    except InputError:
        return None
    out = io.BytesIO()
    if small.mode == "RGB" and max(small.size) > 64:
        small.save(out, "JPEG", quality=80)
    else:
        small.save(out, "PNG")
    return out.getvalue()
