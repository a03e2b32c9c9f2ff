"""How the fields of delimited text are written: what is between and around them."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.tables import fields as loops
from goldlabel.typing import Bytes

__all__ = ["DELIMITERS", "Style", "check_character", "sniff"]

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
"""Those that are recognised, and their names."""

_SAMPLE_BYTES, _SAMPLE_RECORDS = 1 << 18, 200


class Style(NamedTuple):
    """How fields are written.

    Attributes
    ----------
    delimiter, quote : str
        One character each; an empty `quote` means that no quoting is in use.
    escape : str
        What is put before a quote inside a quoted field, and before itself; "" where such quotes
        are doubled.
    """

    delimiter: str
    quote: str
    escape: str = ""

    @property
    def codes(self) -> tuple[int, int, int]:
        """The three as bytes, -1 for one that is not in use."""
        delimiter, quote, escape = (ord(each) if each else -1 for each in self)
        return delimiter, quote, escape

    def quoted(self, value: str) -> str:
        """Return a value as a quoted field."""
        if self.escape:
            for each in (self.escape, self.quote):
                value = value.replace(each, self.escape + each)
        else:
            value = value.replace(self.quote, self.quote + self.quote)
        return self.quote + value + self.quote


def check_character(name: str, value: str, *, optional: bool = False) -> None:
    """Refuse an option that is not one ASCII character."""
    if optional and not value:
        return
    if len(value) != 1 or not value.isascii() or value in "\r\n\0":
        raise InputError(
            name, f"is {value!r}, not one ASCII character", "Use e.g. ',' or '\\t' or ';' or '|'"
        )


def sniff(data: Bytes, name: str, quote: str, escape: str) -> str:
    """Return the delimiter that gives the first records the same number of fields, two or more."""
    usual = "\t" if re.search(r"\.(tsv|tab)(\.|$)", name.lower()) else ","
    best, delimiter = (0.0, False, 0), usual
    for candidate in DELIMITERS:
        counts, codes = np.empty(_SAMPLE_RECORDS, np.int64), Style(candidate, quote, escape).codes
        cut = len(data) > _SAMPLE_BYTES
        found = loops.field_counts(data[:_SAMPLE_BYTES], *codes, counts)
        if cut and found < 2:  # a first record longer than the sample
            found = loops.field_counts(data, *codes, counts)
        elif cut and found < _SAMPLE_RECORDS:
            found -= 1  # the sample may end within it
        if found and counts[0] > 1:
            even = float(np.mean(counts[:found] == counts[0]))
            rank = (even, candidate == usual, int(counts[0]))
            if rank > best:
                best, delimiter = rank, candidate
    return delimiter
