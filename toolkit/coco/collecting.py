"""Where the checks of one file put what they find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.coco.findings import Batch, Fix
from goldlabel.formats.json import places as json_places
from goldlabel.formats.json.document import Document
from goldlabel.formats.json.records import Ids, Place, Records
from goldlabel.kernels._jit import frozen
from goldlabel.typing import Ints

__all__ = ["Codes", "Collector"]

Codes = dict[str, Ints]
"""Ids of all entries of a list: image_id, annotation_id, category_id."""


class Collector:
    """The findings about one file.

    Parameters
    ----------
    document : Document
    ids : Ids
    """

    def __init__(self, document: Document, ids: Ids) -> None:
        self.document = document
        self.ids = ids
        self.batches: list[Batch] = []
        self._codes: dict[int, Codes] = {}

    def know(self, records: Records, codes: Codes) -> None:
        """Remember the ids of the entries of a list."""
        self._codes[id(records)] = codes

    def add(
        self,
        code: str,
        records: Records,
        rows: Any,
        template: str,
        *,
        field: str = "",
        parts: Any = None,
        fixable: Any = False,
        fix: Fix | None = None,
        **values: Any,
    ) -> None:
        """Add a finding for each of some entries.

        Parameters
        ----------
        code : str
            One of `RULES`.
        records : Records
            The list.
        rows : array_like of shape (m,)
            Which entries, by their positions; or a mask.
        template : str
            The message, with a place for each of `values`.
        field : str
            The member that the finding is about; the entry itself if not given.
        parts : array_like of shape (m,), optional
            Which element of the member.
        fixable : bool or array_like of shape (m,)
            Whether there is a safe fix.
        fix : callable, optional
            What it is.
        values : array_like of shape (m,)
        """
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
        if not len(rows):
            return

        def where(at: int) -> Place:
            place = records.where(int(rows[at]), field)
            if parts is None:
                return place
            return Place(f"{place.path}[{parts[at]}]", place.start, place.stop)

        starts = records.starts[rows]
        if field:
            there = records.kinds(field)[rows] != json_places.MISSING
            starts = np.where(there, records.spans(field)[0][rows], starts)
        codes = self._codes.get(id(records), {})
        self._add(
            code,
            starts,
            where,
            template,
            values,
            {name: column[rows] for name, column in codes.items()},
            np.broadcast_to(np.asarray(fixable, dtype=bool), rows.shape),
            fix,
        )

    def add_places(
        self,
        code: str,
        places: Sequence[Place],
        template: str,
        *,
        fixable: Any = False,
        fix: Fix | None = None,
        ids: Codes | None = None,
        **values: Any,
    ) -> None:
        """Add a finding for each of some places; `ids` are of what they are about."""
        if places:
            self._add(
                code,
                np.array([place.start for place in places], dtype=np.int64),
                lambda at: places[at],
                template,
                values,
                ids or {},
                np.broadcast_to(np.asarray(fixable, dtype=bool), len(places)),
                fix,
            )

    def _add(
        self,
        code: str,
        order: Ints,
        where: Any,
        template: str,
        values: dict[str, Any],
        ids: Codes,
        fixable: npt.NDArray[np.bool_],
        fix: Fix | None,
    ) -> None:
        values = {
            name: each.tolist() if isinstance(each, np.ndarray) else each
            for name, each in values.items()
        }
        file = str(self.document.path)
        self.batches.append(
            Batch(code, file, order, where, template, values, ids, self.ids, fixable, fix)
        )

    def finish(self, *, keep_fixes: bool = False) -> list[Batch]:
        """Return the findings, with lines and columns; without fixes unless they are wanted."""
        order = np.concatenate([batch.order for batch in self.batches] or [np.empty(0, np.int64)])
        places, inverse = np.unique(order, return_inverse=True)
        lines, columns = np.empty_like(places), np.empty_like(places)
        json_places.positions(self.document.data, frozen(places), lines, columns)
        done = 0
        finished = []
        for batch in self.batches:
            mine = inverse[done : done + len(batch)]
            done += len(batch)
            finished.append(
                Batch(
                    *(batch.code, batch.file, batch.order, batch.where, batch.template),
                    *(batch.values, batch.ids, batch.names, batch.fixable),
                    batch.fix if keep_fixes else None,
                    *(lines[mine], columns[mine]),
                )
            )
        return finished
