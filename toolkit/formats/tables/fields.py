"""Loops over the bytes of delimited text: where records begin, what fields hold.

A field that begins with the quote character ends at the next quote that is not doubled (nor, where
there is an escape character, escaped); any other field ends at the delimiter or the end of the
line, and quotes inside it mean nothing. LF, CR LF and CR end a record. A line of nothing but spaces
and tabs is blank, and no record. Text is UTF-8, where the bytes of delimiter, quote, escape and
line ends never occur inside another character.
"""

from __future__ import annotations

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Bytes, Ints

__all__ = ["BLANKS", "FIELDS", "OK", "POSITION", "RAGGED", "RECORDS", "STATUS", "TEXT_AFTER_QUOTE"]
__all__ += ["UNCLOSED_QUOTE", "columns", "field_counts", "records", "spans"]


OK, UNCLOSED_QUOTE, TEXT_AFTER_QUOTE = 0, 1, 2
RECORDS, STATUS, POSITION, FIELDS, RAGGED, BLANKS = range(6)
"""Entries of `records`' report: records found; one of the codes above; where the bad record or
field begins; fields in the bad record; records of a wrong number of fields; blank lines."""

LF, CR, SPACE, TAB = 10, 13, 32, 9


@kernel
def _field(
    data: Bytes, start: int, delimiter: int, quote: int, escape: int
) -> tuple[int, int, int]:
    """Return the end of the field at `start`, the bytes it holds without quoting, and a status."""
    n = data.shape[0]
    i = start
    if i >= n or data[i] != quote:
        while i < n and data[i] != delimiter and data[i] != LF and data[i] != CR:
            i += 1
        return i, i - start, OK
    i += 1
    doubled = 0
    while True:
        while i < n and data[i] != quote:
            if data[i] == escape and i + 1 < n and (data[i + 1] == quote or data[i + 1] == escape):
                doubled += 1
                i += 1
            i += 1
        if i >= n:
            return n, 0, UNCLOSED_QUOTE
        i += 1
        if i >= n or data[i] != quote:
            break
        i += 1
        doubled += 1
    if i < n and data[i] != delimiter and data[i] != LF and data[i] != CR:
        return i, 0, TEXT_AFTER_QUOTE
    return i, i - start - 2 - doubled, OK


@kernel
def _next_line(data: Bytes, end: int) -> int:
    """Return the start of the line after the line end at `end`."""
    n: int = data.shape[0]
    if end + 1 < n and data[end] == CR and data[end + 1] == LF:
        return end + 2
    return min(end + 1, n)


@kernel
def _skip_blank(data: Bytes, start: int, delimiter: int) -> int:
    """Return the start of the next line if the one at `start` is blank, else `start`."""
    n = data.shape[0]
    i = start
    while i < n and (data[i] == SPACE or data[i] == TAB) and data[i] != delimiter:
        i += 1
    if i == n or data[i] == LF or data[i] == CR:
        return _next_line(data, i)
    return start


@kernel
def field_counts(data: Bytes, delimiter: int, quote: int, escape: int, out: Ints) -> int:
    """Count the fields of the first records; return how many records were counted.

    The record that holds broken quoting, or that the end of `data` cuts, is not counted.
    """
    n = data.shape[0]
    start = 0
    found = 0
    while start < n and found < out.shape[0]:
        after = _skip_blank(data, start, delimiter)
        if after != start:
            start = after
            continue
        end, _, status = _field(data, start, delimiter, quote, escape)
        count = 1
        while status == OK and end < n and data[end] == delimiter:
            end, _, status = _field(data, end + 1, delimiter, quote, escape)
            count += 1
        if status != OK:
            return found
        out[found] = count
        found += 1
        start = _next_line(data, end)
    return found


@kernel
def records(
    data: Bytes, delimiter: int, quote: int, escape: int, starts: Ints, sizes: Ints, report: Ints
) -> None:
    """Find where each record begins, and how many bytes each column holds without quoting.

    Parameters
    ----------
    data : ndarray of uint8
    delimiter, quote, escape : int
        Bytes; a quote of -1 means that no quoting is in use, an escape of -1 that quotes inside
        quotes are doubled and never escaped.
    starts : ndarray of int64
        Written: position of each record. Has room for as many records as there are runs of
        line ends + 1.
    sizes : ndarray of shape (k,), int64
        Added to: bytes of each column.
    report : ndarray of shape (6,), int64
        Written; see RECORDS ... BLANKS. Reading stops at broken quoting, not at ragged records.
    """
    n = data.shape[0]
    k = sizes.shape[0]
    found = 0
    start = 0
    report[:] = 0
    while start < n:
        after = _skip_blank(data, start, delimiter)
        if after != start:
            report[BLANKS] += 1
            start = after
            continue
        position = start
        count = 0
        while True:
            end, size, status = _field(data, position, delimiter, quote, escape)
            if status != OK:
                report[RECORDS] = found
                report[STATUS] = status
                report[POSITION] = position
                report[FIELDS] = count
                return
            if count < k:
                sizes[count] += size
            count += 1
            if end >= n or data[end] != delimiter:
                break
            position = end + 1
        if count != k:
            if report[RAGGED] == 0:
                report[POSITION] = start
                report[FIELDS] = count
                report[RECORDS] = found
            report[RAGGED] += 1
        starts[found] = start
        found += 1
        start = _next_line(data, end)
    if report[RAGGED] == 0:
        report[RECORDS] = found


@kernel
def columns(
    data: Bytes, delimiter: int, quote: int, escape: int, starts: Ints, offsets: Ints, values: Bytes
) -> None:
    """Copy every field, without its quoting, to its column.

    Parameters
    ----------
    data, delimiter, quote, escape, starts
        As given to and found by `records`, of a table without ragged records.
    offsets : ndarray of shape (k, r + 1), int64
        Written; on entry ``offsets[c, 0]`` is where column c begins in `values`. Positions are
        those in `values`.
    values : ndarray of uint8
        Written: column after column.
    """
    for record in range(starts.shape[0]):
        position = starts[record]
        for column in range(offsets.shape[0]):
            end, size, _ = _field(data, position, delimiter, quote, escape)
            cursor = offsets[column, record]
            if position < end and data[position] == quote:
                source = position + 1
                for i in range(size):
                    after = data[source + 1]  # the closing quote, at the latest
                    if data[source] == escape and (after == quote or after == escape):
                        source += 1
                        values[cursor + i] = data[source]
                        source += 1
                    else:
                        values[cursor + i] = data[source]
                        source += 2 if data[source] == quote else 1
            else:
                for i in range(size):
                    values[cursor + i] = data[position + i]
            offsets[column, record + 1] = cursor + size
            position = end + 1


@kernel
def spans(
    data: Bytes,
    delimiter: int,
    quote: int,
    escape: int,
    starts: Ints,
    column: int,
    begin: Ints,
    end: Ints,
) -> None:
    """Find the bytes of one column's field, quotes included, in the records at `starts`."""
    for record in range(starts.shape[0]):
        position = starts[record]
        stop, _, _ = _field(data, position, delimiter, quote, escape)
        for _ in range(column):
            position = stop + 1
            stop, _, _ = _field(data, position, delimiter, quote, escape)
        begin[record] = position
        end[record] = stop
