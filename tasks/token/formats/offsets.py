"""Offsets of spans that count something else than characters: UTF-16 units, bytes, line ends.

A span that repeats its text proves what its offsets count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from goldlabel.typing import Ints

__all__ = ["Units", "fits", "units_of"]


class Units(NamedTuple):
    """What the offsets of a text count.

    Attributes
    ----------
    name : str
        In words.
    ends : ndarray of shape (characters + 1,), int64
        The file's offset of each place between characters.
    """

    name: str
    ends: Ints

    def characters(self, start: int, end: int) -> tuple[int, int]:
        """Return a span of the file in characters; what is beyond the text stays beyond."""
        last = int(self.ends[-1])
        first, stop = np.searchsorted(self.ends, [start, end], side="left").tolist()
        return (first if start <= last else len(self.ends) + start - last - 1), (
            stop if end <= last else len(self.ends) + end - last - 1
        )

    def offset(self, character: int) -> int:
        """Return how the file writes a place in the text."""
        return int(self.ends[character])


_SIZES: dict[str, Callable[[str], int]] = {
    "UTF-16 units": lambda character: 1 + (ord(character) > 0xFFFF),
    "characters, with CRLF as one": lambda character: int(character != "\r"),
    "UTF-16 units, with CRLF as one": lambda character: (
        (1 + (ord(character) > 0xFFFF)) * (character != "\r")
    ),
    "bytes of UTF-8": lambda character: len(character.encode("utf-8", "replace")),
}


def fits(text: str, start: int, end: int, own: str | None) -> bool:
    """Return whether what stands at a place of a text is what a span says of itself."""
    return own is None or text[max(start, 0) : max(end, 0)].split() == own.split()


def units_of(text: str, spans: Sequence[tuple[int, int, str | None]]) -> Units | None:
    """Return what the offsets of spans count, if it is not characters, and all of them prove it.

    Parameters
    ----------
    text : str
    spans : sequence of (int, int, str or None)
        Start, end, and the span's own text.
    """
    proofs = [span for span in spans if span[2]]
    if all(fits(text, *span) for span in proofs):
        return None
    for name, size in _SIZES.items():
        sizes = np.fromiter(map(size, text), dtype=np.int64, count=len(text))
        units = Units(name, np.append(0, np.cumsum(sizes)))
        if all(fits(text, *units.characters(start, end), own) for start, end, own in proofs):
            return units
    return None
