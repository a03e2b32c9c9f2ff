"""Where the members of objects stand in JSON text that has been found valid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Bytes, Ints

__all__ = ["locate", "positions", "value_ends"]


# Kinds of values.
MISSING, NUMBER, STRING, BOOLEAN, NULL, LIST, OBJECT, NAN = range(8)


@kernel
def _skip_space(data: Bytes, at: int) -> int:
    n = data.shape[0]
    while at < n and (data[at] == 32 or data[at] == 10 or data[at] == 13 or data[at] == 9):
        at += 1
    return at


@kernel
def _skip_string(data: Bytes, at: int) -> int:
    at += 1
    while data[at] != 34:
        at += 2 if data[at] == 92 else 1
    return at + 1


@kernel
def _value_end(data: Bytes, at: int) -> int:
    """Return where the value at `at` of valid JSON ends."""
    c = data[at]
    if c == 34:
        return _skip_string(data, at)
    n = data.shape[0]
    if c == 123 or c == 91:
        level = 0
        while at < n:
            c = data[at]
            if c == 34:
                at = _skip_string(data, at)
                continue
            if c == 123 or c == 91:
                level += 1
            elif c == 125 or c == 93:
                level -= 1
                if level == 0:
                    return at + 1
            at += 1
    while at < n and not (c == 44 or c == 125 or c == 93 or c <= 32):
        at += 1
        if at < n:
            c = data[at]
    return at


@kernel
def _is_name(data: Bytes, start: int, stop: int, name: Bytes) -> bool:
    """Whether the text between two quotes, escapes decoded, is an ASCII name."""
    at, i = start, 0
    while at < stop:
        c = int(data[at])
        at += 1
        if c == 92:
            c = int(data[at])
            at += 1
            if c == 117:
                c = 0
                for _ in range(4):
                    digit = int(data[at])
                    c = 16 * c + (digit - 48 if digit <= 57 else (digit & 31) + 9)
                    at += 1
        if i >= name.shape[0] or c != name[i]:
            return False
        i += 1
    return bool(i == name.shape[0])


@kernel
def _kind(c: int) -> int:
    if c == 34:
        return STRING
    if c == 123:
        return OBJECT
    if c == 91:
        return LIST
    if c == 116 or c == 102:
        return BOOLEAN
    if c == 110:
        return NULL
    return NAN if c == 78 or c == 73 else NUMBER


@kernel
def locate(
    data: Bytes,
    objects: Ints,
    names: Bytes,
    offsets: Ints,
    starts: Ints,
    stops: Ints,
    kinds: npt.NDArray[np.uint8],
) -> None:
    """Find the members of objects by name; of two with one name the last, as parsers do.

    Parameters
    ----------
    data : uint8
        Valid JSON.
    objects : int64 (n,)
        Where each object begins; what is no object has no members.
    names, offsets : uint8, int64 (f + 1,)
        The names, ASCII, one after the other.
    starts, stops : int64 (n, f)
        Receive where values stand.
    kinds : uint8 (n, f)
        Receives what they are: `NUMBER`, ...; `MISSING` where there is none.
    """
    for row in range(objects.shape[0]):
        kinds[row] = MISSING
        at = objects[row]
        if data[at] != 123:
            continue
        at = _skip_space(data, at + 1)
        while data[at] == 34:
            key = at + 1
            at = _skip_string(data, at)
            end = at - 1
            at = _skip_space(data, _skip_space(data, at) + 1)
            value = at
            at = _value_end(data, at)
            for f in range(offsets.shape[0] - 1):
                name = names[offsets[f] : offsets[f + 1]]
                if (data[key] == name[0] or data[key] == 92) and _is_name(data, key, end, name):
                    starts[row, f], stops[row, f] = value, at
                    minus = data[value] == 45 and data[value + 1] == 73
                    kinds[row, f] = NAN if minus else _kind(data[value])
                    break
            at = _skip_space(data, at)
            if data[at] == 44:
                at = _skip_space(data, at + 1)


@kernel
def value_ends(data: Bytes, starts: Ints, stops: Ints) -> None:
    """``stops[i]`` is where the value that begins at ``starts[i]`` ends."""
    for i in range(starts.shape[0]):
        stops[i] = _value_end(data, starts[i])


@kernel
def positions(data: Bytes, at: Ints, lines: Ints, columns: Ints) -> None:
    """Line and column, from 1 and in code points, of byte positions in ascending order."""
    line, column, byte = 1, 1, 0
    for i in range(at.shape[0]):
        while byte < at[i]:
            if data[byte] == 10:
                line += 1
                column = 1
            elif data[byte] & 0xC0 != 0x80:
                column += 1
            byte += 1
        lines[i], columns[i] = line, column
