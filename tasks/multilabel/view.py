"""How an example of a multilabel dataset looks to a person, with its classes and the model's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from goldlabel.results.audit import Item
from goldlabel.tasks.multilabel.data import MultilabelData
from goldlabel.tasks.multilabel.formats.table_options import LabelTable
from goldlabel.views import RowItems, thumbnail

__all__ = ["Items"]

_CLASSES = 12
"""So many classes are named."""


class Items:
    """Show examples by position; called with the ones that a report shows.

    Parameters
    ----------
    data : MultilabelData
        Where the examples are; with predictions.
    text : sequence of str, optional
        Columns that hold the text; if not given, the one that looks like it.
    """

    def __init__(self, data: MultilabelData, *, text: Sequence[str] | None = None) -> None:
        self._data = data
        options = data.source.options
        hidden: set[str | None] = set()
        if isinstance(options, LabelTable):
            hidden = {options.id, options.column, *options.columns}
        self._rows = None
        if data.frame is not None:
            self._rows = RowItems(data.frame, hidden=hidden, text=text)

    def __call__(self, examples: Sequence[int]) -> list[Item]:
        """Return an `Item` for each position."""
        items = [Item() for _ in examples] if self._rows is None else self._rows(examples)
        return [self._shown(item, at) for item, at in zip(items, examples, strict=True)]

    def _shown(self, item: Item, example: int) -> Item:
        data = self._data
        fields = {"given": self._given(example), "model": self._predicted(example), **item.fields}
        image = None if data.images is None else thumbnail(data.images[example])
        return replace(item, image=image, fields=fields)

    def _given(self, example: int) -> str:
        labels = self._data.labels[example]
        if (labels < 0).all():
            return "not known"
        names = [self._data.classes[c] for c in np.flatnonzero(labels > 0)]
        return _listed(names) or "no class"

    def _predicted(self, example: int) -> str:
        """Name the classes that the model thinks more probable than not, the surest first."""
        if self._data.pred_probs is None:
            return "not known"
        probs = np.asarray(self._data.pred_probs[example], dtype=np.float64)
        order = np.argsort(-probs, kind="stable")
        chosen = [c for c in order.tolist() if probs[c] > 0.5]
        return _listed([f"{self._data.classes[c]} {probs[c]:.0%}" for c in chosen]) or "no class"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _CLASSES} more" if len(names) > _CLASSES else ""
    return ", ".join(names[:_CLASSES]) + more
