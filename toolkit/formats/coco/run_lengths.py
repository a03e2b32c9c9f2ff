"""Masks given as run lengths, read where they stand: their sizes and the boxes around them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from goldlabel.formats.json import numbers, places
from goldlabel.formats.json.document import Section
from goldlabel.formats.json.records import BLOCK, Records
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import each_block
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["RunLengths", "read_run_lengths"]


class RunLengths(NamedTuple):
    """Of m masks.

    Attributes
    ----------
    sizes : ndarray of shape (m, 2), float64
        Height and width; NaN where there are none.
    is_listed : ndarray of shape (m,), bool
        Whether the counts are a list, and not compressed.
    is_readable : ndarray of shape (m,), bool
        Whether there are a size and counts.
    extents : ndarray of shape (m, 6), int64
        Area, left, top, right and bottom, and the sum of the counts.
    flags : ndarray of shape (m,), int64
        What is wrong: `numbers.RLE_MALFORMED`, ...; 0 if nothing.
    """

    sizes: Floats
    is_listed: Mask
    is_readable: Mask
    extents: Ints
    flags: Ints


def read_run_lengths(records: Records, rows: Ints, field: str = "segmentation") -> RunLengths:
    """Read a field of some entries, which is an object in each of them."""
    starts, stops = (frozen(np.ascontiguousarray(each[rows])) for each in records.spans(field))
    coded = Records(records.document, Section(field, 0, 0, True, starts, stops), ["size", "counts"])
    sizes, counted = coded.boxes("size")
    kinds = coded.kinds("counts")
    whole = (counted == 2) & (sizes[:, :2] == np.floor(sizes[:, :2])).all(axis=1)
    whole &= (sizes[:, :2] > 0).all(axis=1) & (sizes[:, :2] < 1 << 31).all(axis=1)
    readable = whole & np.isin(kinds, (places.LIST, places.STRING))
    extents, flags = _run_lengths(coded, sizes, readable)
    return RunLengths(sizes[:, :2], kinds == places.LIST, readable, extents, flags)


def _run_lengths(coded: Records, sizes: Floats, readable: Mask) -> tuple[Ints, Ints]:
    m = len(coded)
    extents, flags = np.zeros((m, 6), dtype=np.int64), np.zeros(m, dtype=np.int64)
    starts, stops = coded.spans("counts")
    shape = np.where(readable[:, None], sizes[:, :2], 0).astype(np.int64)

    def work(worker: int, block: int, rows: slice) -> None:
        numbers.run_lengths(
            *(coded.document.data, starts[rows], stops[rows], shape[rows]),
            *(extents[rows], flags[rows]),
        )

    each_block(work, m, BLOCK)
    return extents, flags
