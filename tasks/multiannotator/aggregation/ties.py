"""One rule of ties for all methods: numbers that rounding alone tells apart are equal.

The same sum in another order, or a power by another formula, differs in the last bits. Whatever
chooses (a class, a temperature) takes numbers within `TIED` of the best for equals, and goes on to
its next criterion; at last the lowest class, or temperature, is taken.
"""

from __future__ import annotations

import numpy as np

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.typing import Codes, Floats

__all__ = ["TIED", "largest_column"]

TIED = 1e-12
"""Numbers that differ by less, relatively, are equal."""


@kernel
def _largest_column(rows: Floats, out: Codes) -> None:
    for i in range(rows.shape[0]):
        row = rows[i]
        largest = row[0]
        for c in range(1, row.shape[0]):
            largest = max(largest, row[c])
        least = largest * (1.0 - TIED)
        best = 0
        while row[best] < least:
            best += 1
        out[i] = best


def largest_column(rows: Floats) -> Codes:
    """Return the place of the largest number, 0 or more, in each row; of equals the first.

    Examples
    --------
    >>> largest_column(np.array([[0.2, 0.5, 0.3], [0.3, 0.35, 0.1 + 0.25 + 1e-16]])).tolist()
    [1, 1]
    """
    out = np.empty(len(rows), dtype=np.int32)
    whole = frozen(np.ascontiguousarray(rows))  # one layout, one compilation

    def work(worker: int, block: int, part: slice) -> None:
        _largest_column(whole[part], out[part])

    each_block(work, len(rows), block_rows(rows.shape[1]))
    return out
