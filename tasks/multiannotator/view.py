"""How an item looks to a person: what it is, who said what, and what the model says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from goldlabel.results.audit import Item
from goldlabel.tasks.multiannotator.aggregation.consensus import Consensus
from goldlabel.tasks.multiannotator.data import MultiannotatorData
from goldlabel.views import RowItems

__all__ = ["Items"]

_CLASSES = 4
_PEOPLE = 6
"""So many classes, and voters of each, are named."""


class Items:
    """Show items by position; called with the ones that a report shows.

    Parameters
    ----------
    data : MultiannotatorData
    consensus : Consensus
    text : sequence of str, optional
        Columns that show a person what an item is; if not given, the one that looks like it.
    """

    def __init__(
        self, data: MultiannotatorData, consensus: Consensus, *, text: Sequence[str] | None = None
    ) -> None:
        self._data = data
        self._consensus = consensus
        self._rows = None if data.frame is None else RowItems(data.frame, text=text)

    def __call__(self, examples: Sequence[int]) -> list[Item]:
        """Return an `Item` for each position."""
        items = [Item() for _ in examples] if self._rows is None else self._rows(examples)
        return [self._shown(item, at) for item, at in zip(items, examples, strict=True)]

    def _shown(self, item: Item, example: int) -> Item:
        data, found = self._data, self._consensus
        fields = {"votes": self._votes(example)}
        label = int(found.labels[example])
        if label >= 0:
            fields["agreed"] = f"{data.classes[label]} {found.quality[example]:.0%}"
        if data.pred_probs is not None:
            mean = data.pred_probs[:, example].mean(axis=0)
            best = int(mean.argmax())
            fields["model"] = f"{data.classes[best]} {mean[best]:.0%}"
        return replace(item, fields={**fields, **item.fields})

    def _votes(self, example: int) -> str:
        """Say who voted for what, the class with most votes first."""
        votes = self._data.votes
        start, stop = votes.item_offsets[example : example + 2]
        label, people = votes.label[start:stop], votes.annotator[start:stop]
        counts = np.bincount(label, minlength=votes.num_classes)
        order = np.argsort(-counts, kind="stable")
        classes = [c for c in order.tolist() if counts[c]]
        said = [self._voters(c, people[label == c].tolist()) for c in classes[:_CLASSES]]
        more = f"; {len(classes) - _CLASSES} more classes" if len(classes) > _CLASSES else ""
        return "; ".join(said) + more or "none"

    def _voters(self, label: int, people: list[int]) -> str:
        name = f"{len(people)} for {self._data.classes[label]}"
        if not self._data.has_identities:
            return name
        shown = ", ".join(self._data.annotators[j] for j in people[:_PEOPLE])
        return f"{name} ({shown}{', ...' if len(people) > _PEOPLE else ''})"
