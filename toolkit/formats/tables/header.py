"""What a header names: every column, and each by a name of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from goldlabel.errors import InputError

__all__ = ["ROW_NAMES", "Named", "of_short_header", "own_names"]

ROW_NAMES = "row names"
"""The column that R's ``write.table`` writes first and does not name."""


class Named(NamedTuple):
    """Names of all columns, and a note on those that the file does not name so; "" for none."""

    names: tuple[str, ...]
    note: str


def own_names(names: Sequence[str]) -> Named:
    """Give columns without a name, and columns of one name, names of their own.

    A name that comes twice is given to none of them: whoever asks for it is told so.

    Examples
    --------
    >>> own_names(["v1", "v2", "", ""])
    Named(names=('v1', 'v2', 'column 3', 'column 4'), note='columns 3, 4 have no name')
    >>> own_names(["x", "y", "x"]).names
    ('x (1)', 'y', 'x (3)')
    """
    counts = Counter(names)
    notes = []
    nameless = [str(at) for at, name in enumerate(names, 1) if not name]
    if len(nameless) > 1:
        notes.append(f"columns {_listed(nameless)} have no name")
    notes += [f"{count} columns are called {name!r}" for name, count in counts.items()
              if name and count > 1]  # fmt: skip
    taken = {name for name, count in counts.items() if count == 1}
    found = []
    for at, name in enumerate(names, 1):
        new = name
        if counts[name] > 1:
            new = f"{name} ({at})" if name else f"column {at}"
            while new in taken:
                new += "_"
            taken.add(new)
        found.append(new)
    return Named(tuple(found), "; ".join(notes[:5]))


def of_short_header(names: Sequence[str], columns: Sequence[pa.Array], where: str) -> Named:
    """Name all columns where a header has fewer names than the rows have fields.

    Rows that end in delimiters have empty last fields: the last columns are without names. R and
    pandas write row names and no name for them: then it is the first.

    Raises
    ------
    InputError
        It is neither.
    """
    k, lacking = len(names), len(columns) - len(names)
    last = columns[k:]
    gaps = [int(pc.sum(pc.equal(pc.binary_length(column), 0)).as_py() or 0) for column in last]
    said = f"the header names {k} of {len(columns)} columns"
    at_the_end = Named(
        (*names, *(f"column {number}" for number in range(k + 1, len(columns) + 1))), said
    )
    if all(gap == len(columns[0]) for gap in gaps):
        return at_the_end
    if lacking == 1 and _are_row_names(columns[0], surely=gaps[0] > 0):
        first = ROW_NAMES
        while first in names:
            first += "_"
        return Named((first, *names), f"{said}: the first holds row names")
    if all(gaps):
        return at_the_end
    raise InputError(
        f"{where}: header",
        f"names {k} columns, and the rows have {len(columns)} fields",
        "Give each column a name, so that it is clear which one has none",
    )


def _are_row_names(column: pa.Array, *, surely: bool) -> bool:
    """Return whether every row has a name of its own; `surely`, whether they count the rows."""
    n = len(column)
    if surely:
        return bool(column.equals(pa.array([str(at) for at in range(1, n + 1)], column.type)))
    is_empty = pc.any(pc.equal(pc.binary_length(column), 0)).as_py()
    return not is_empty and pc.count_distinct(column).as_py() == n


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 8:,} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more
