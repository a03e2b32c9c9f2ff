"""The one ragged layout: all rows in one flat array, and where each group begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError

__all__ = ["Ragged"]


@dataclass(frozen=True, eq=False)
class Ragged:
    """Groups of rows of different lengths: tokens by sentence, boxes by image, votes by item.

    Parameters
    ----------
    values : ndarray of shape (t, ...)
        All rows, group after group.
    offsets : ndarray of shape (n + 1,), int64
        Group ``i`` is ``values[offsets[i]:offsets[i + 1]]``; starts at 0, never falls, ends at t.
        Empty groups are normal.

    Examples
    --------
    >>> words = Ragged.from_lists([[0, 0, 1], [], [2]])
    >>> len(words), words.offsets.tolist(), words[0].tolist()
    (3, [0, 3, 3, 4], [0, 0, 1])
    >>> words.locate([1, 3])
    (array([0, 2]), array([1, 0]))
    """

    values: npt.NDArray[np.generic]
    offsets: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        values, offsets = np.asarray(self.values), np.asarray(self.offsets)
        if values.ndim < 1:
            raise InputError("values", f"is {self.values!r}, not an array", "Pass all rows")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "offsets", offsets)
        if offsets.ndim != 1 or offsets.shape[0] < 1 or offsets.dtype != np.int64:
            raise InputError(
                "offsets",
                f"is {offsets.dtype} of shape {offsets.shape}, not int64 of shape (n + 1,)",
                "Pass the start of each group, and the number of rows as the last entry",
            )
        falls = np.flatnonzero(np.diff(offsets) < 0)
        if offsets[0] != 0 or offsets[-1] != self.values.shape[0] or falls.size:
            where = f"offsets[{falls[0] + 1}]" if falls.size else "offsets"
            raise InputError(
                where,
                f"runs from {offsets[0]} to {offsets[-1]} over {self.values.shape[0]} rows"
                + (f" and falls in {falls.size} places" if falls.size else ""),
                "Offsets start at 0, never fall, and end at the number of rows",
            )

    @classmethod
    def from_lists(cls, groups: Sequence[npt.ArrayLike], *, name: str = "groups") -> Ragged:
        """Lay a list of per-group arrays end to end; messages call the list `name`.

        Raises
        ------
        InputError
            A group is not a list, or its rows have another shape than those of the first.
        """
        arrays = [_as_array(group, f"{name}[{at}]") for at, group in enumerate(groups)]
        filled = [array for array in arrays if len(array)]
        for at, array in enumerate(arrays):
            if len(array) and array.shape[1:] != filled[0].shape[1:]:
                raise InputError(
                    f"{name}[{at}]",
                    f"has rows of shape {array.shape[1:]}, the others {filled[0].shape[1:]}",
                    "Give all rows one shape",
                )
        offsets = np.zeros(len(arrays) + 1, dtype=np.int64)
        np.cumsum([len(array) for array in arrays], out=offsets[1:])
        return cls(np.concatenate(filled) if filled else np.empty(0), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, group: int) -> npt.NDArray[np.generic]:
        if not -len(self) <= group < len(self):
            raise IndexError(group)
        group %= len(self)
        return self.values[self.offsets[group] : self.offsets[group + 1]]

    def __iter__(self) -> Iterator[npt.NDArray[np.generic]]:
        return (self[group] for group in range(len(self)))

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Rows in each group, int64 of shape (n,)."""
        return np.diff(self.offsets)

    def locate(self, rows: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Turn flat row numbers into (group, position in the group).

        Raises
        ------
        InputError
            A row number is not in 0 .. t - 1.
        """
        flat = np.asarray(rows, dtype=np.int64)
        outside = np.flatnonzero((flat < 0) | (flat >= self.values.shape[0]))
        if outside.size:
            raise InputError(
                f"rows[{outside[0]}]",
                f"is {flat.flat[outside[0]]}, and there are rows 0 .. {self.values.shape[0] - 1}"
                f" ({outside.size} such entries)",
                "Pass numbers of rows that exist",
            )
        group = np.searchsorted(self.offsets, flat, side="right") - 1
        return group, flat - self.offsets[group]


def _as_array(group: npt.ArrayLike, where: str) -> npt.NDArray[Any]:
    try:
        array = np.asarray(group)
    except ValueError as error:
        raise InputError(where, f"is no array ({error})", "Give its rows one shape") from error
    if array.ndim == 0:
        raise InputError(where, f"is {group!r}, not a list", "Pass a list per group")
    return array
