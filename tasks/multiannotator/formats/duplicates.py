"""What to do where an annotator has voted on an item more than once."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.typing import Ints

__all__ = ["Duplicates", "without_duplicates"]

Duplicates = Literal["error", "last", "majority"]


_SHOWN = 5


def without_duplicates(
    item: Ints,
    annotator: Ints,
    label: Ints,
    time: npt.NDArray[np.float64] | None,
    duplicates: Duplicates,
    names: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    where: str,
) -> tuple[Ints, str]:
    """Return which votes to keep, in order of item and annotator, and a note ("" if all).

    Parameters
    ----------
    item, annotator, label : ndarray of shape (n,), int64
    time : ndarray of shape (n,), float64, optional
        When each vote was given; if not known, later in the file is later.
    duplicates : {"error", "last", "majority"}
    names : tuple of ndarray
        Of items and annotators, for the error.
    where : str
        File, for the error.

    Raises
    ------
    InputError
        There are repeated votes and `duplicates` is "error": lists the first pairs.
    """
    check.choice(duplicates, get_args(Duplicates), name="duplicates")
    moment = np.zeros(len(item)) if time is None else np.nan_to_num(time, nan=-np.inf)
    order = np.lexsort((np.arange(len(item)), moment, annotator, item))
    same = (np.diff(item[order]) == 0) & (np.diff(annotator[order]) == 0)
    if not same.any():
        return order, ""
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    sizes = np.diff(np.concatenate([starts, [len(order)]]))
    repeated = np.flatnonzero(sizes > 1)
    first = [order[starts[at]] for at in repeated[:_SHOWN]]
    shown = ", ".join(f"{names[1][annotator[v]]} on {names[0][item[v]]}" for v in first)
    more = f" and {len(repeated) - _SHOWN:,} more" if len(repeated) > _SHOWN else ""
    if duplicates == "error":
        raise InputError(
            where,
            f"holds several votes of one annotator on one item: {shown}{more}",
            "Keep the last of them or the most frequent with duplicates: last or majority",
        )
    lost = len(order) - len(starts)
    note = (
        f"{lost:,} repeated votes of an annotator on an item left out ({shown}{more}): the"
        f" {'last' if duplicates == 'last' else 'most frequent'} counts; see --duplicates."
    )
    ends = starts + sizes - 1
    if duplicates == "last":
        return order[ends], note
    kept = order[ends]
    for at in repeated.tolist():
        group = order[starts[at] : ends[at] + 1]
        counts = np.bincount(label[group])
        # Of equals the last: that is what "last" would keep.
        best = [v for v in group if counts[label[v]] == counts.max()]
        kept[at] = best[-1]
    return kept, note
