"""What every format gives: masks by position, as class indices, and how to write them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.results.audit import Source
from goldlabel.tasks.segmentation.strays import Strays

__all__ = ["Given", "Indices", "Masks", "indices_of", "values_of_two"]

Note = Callable[[npt.NDArray[np.bool_], Sequence[str], InputError], None]
"""Takes pixels that have no class; see `Strays.at`."""


class Masks(Sequence[npt.NDArray[Any]]):
    """Masks read by a function when they are asked for."""

    def __init__(self, n: int, read: Callable[[int], npt.NDArray[Any]]) -> None:
        self._n = n
        self._read = read

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, at: Any) -> Any:
        if not 0 <= at < self._n:
            raise IndexError(at)
        return self._read(int(at))


@dataclass(frozen=True, eq=False)
class Given:
    """Masks as a format gives them.

    Attributes
    ----------
    masks : Masks
        Class indices (h, w) at full size; -1 where a pixel has no class.
    shapes : callable
        Position -> (h, w), without reading the pixels where that is possible.
    names : tuple of str, optional
        Class names as far as the files say them.
    source : Source
    ids : list of str
    notes : list of str
    colors : ndarray of shape (k, 3), uint8, optional
    images : tuple of Path or None, optional
    ignored : tuple of int
        Classes whose pixels are left out.
    strays : Strays
        Pixels of no class, as they are met.
    """

    masks: Masks
    shapes: Callable[[int], tuple[int, int]]
    names: tuple[str, ...] | None
    source: Source
    ids: list[str]
    notes: list[str] = field(default_factory=list)
    colors: npt.NDArray[np.uint8] | None = None
    images: tuple[Path | None, ...] | None = None
    ignored: tuple[int, ...] = ()
    strays: Strays = field(default_factory=Strays)


@dataclass(frozen=True, eq=False)
class Indices:
    """From the values of a mask to class indices; built once, used for each mask.

    Attributes
    ----------
    table : ndarray of int32
        Class index by value; -1 = left out, -2 = no class.
    values : ndarray of shape (k,), int64
        The value of each class, also of those that are left out.
    """

    table: npt.NDArray[np.int32]
    values: npt.NDArray[np.int64]

    @property
    def ignored(self) -> tuple[int, ...]:
        """The classes whose pixels are left out."""
        return tuple(np.flatnonzero(self.table[self.values] == -1).tolist())

    def __call__(
        self, values: npt.NDArray[Any], where: str, stray: Note | None = None
    ) -> npt.NDArray[np.int32]:
        """Return the class indices of a mask's values.

        Raises
        ------
        InputError
            A value is no class, and `stray` takes none; -1 is returned for it else.
        """
        if values.dtype.kind not in "iub":
            raise InputError(where, f"holds {values.dtype}, not whole numbers", "Save class ids")
        outside = (values < 0) | (values >= len(self.table))
        found = self.table[np.where(outside, 0, values)]
        unknown = outside | (found == -2)
        if unknown.any():
            y, x = np.argwhere(unknown)[0].tolist()
            value = int(values[y, x])
            known = [str(v) for v in np.flatnonzero(self.table >= 0).tolist()]
            shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
            refusal = InputError(
                f"{where}: pixel ({x}, {y})",
                f"has the value {value}, which is none of the {len(known)} classes, {shown}"
                f" ({int(unknown.sum()):,} such pixels)",
                "Name the value of each class in a table, as --palette; if"
                f" {value} marks pixels without a class, use --ignore {value}",
            )
            if stray is None:
                raise refusal
            stray(unknown, [str(value) for value in np.unique(values[unknown])], refusal)
            found = np.where(unknown, np.int32(-1), found)
        return found


def values_of_two(masks: Iterable[npt.NDArray[Any]]) -> npt.NDArray[np.int64] | None:
    """Return the values of two classes where masks hold 0 and one other, such as 255.

    None if the first mask that holds more than 0 has other values, or 1 as usual. Masks are
    looked at until then.
    """
    for mask in masks:
        found = np.unique(mask) if mask.dtype.kind in "iu" else np.zeros(0)
        if found.size and found.any():
            others = found[found != 0]
            return np.array([0, others[0]]) if others.size == 1 and others[0] > 1 else None
    return None


def indices_of(values: npt.NDArray[np.int64], ignore: Sequence[int]) -> Indices:
    """Return the look-up for masks in which class c has the value ``values[c]``."""
    table = np.full(int(max([*values.tolist(), *ignore, 0])) + 1, -2, dtype=np.int32)
    table[values] = np.arange(len(values))
    table[list(ignore)] = -1
    return Indices(table, values)
