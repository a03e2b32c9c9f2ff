"""CSV, TSV and other delimited text: fields exactly as written, and single fields changed in place.

One scanner (`goldlabel.formats.tables.fields`) says where records and fields are, for reading and
for writing: what a row was when it was read, it is when it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goldlabel.errors import InputError
from goldlabel.formats.numerals import NUMBER
from goldlabel.formats.tables import fields as loops
from goldlabel.formats.tables.header import of_short_header, own_names
from goldlabel.formats.tables.style import DELIMITERS, Style, check_character, sniff
from goldlabel.formats.text import TextFile, line_number
from goldlabel.typing import Bytes, Ints

__all__ = ["Delimited", "scan", "with_changes", "with_columns"]

_PIECE = 1 << 18


@dataclass(frozen=True, eq=False)
class Delimited:
    """Delimited text, scanned.

    Attributes
    ----------
    file : TextFile
    style : Style
    header : bool
        Whether the first record names the columns.
    names : tuple of str
        Of the columns; "0", "1", ... without a header.
    starts : ndarray of shape (n,), int64
        Where each row's record begins in ``file.data``.
    sizes : ndarray of shape (k,), int64
        Bytes in each column's fields, without quoting.
    blanks : int
        Blank lines, which are no rows.
    on_names : str
        What the header does not say of the names; "" for nothing.
    """

    file: TextFile
    style: Style
    header: bool
    names: tuple[str, ...]
    starts: Ints
    sizes: Ints
    blanks: int
    on_names: str = ""

    @property
    def delimiter(self) -> str:
        """What separates fields."""
        return self.style.delimiter

    @property
    def quote(self) -> str:
        """What is around fields; "" where quotes mean nothing."""
        return self.style.quote

    def table(self) -> pa.Table:
        """Return all fields as text, a column each."""
        data = _bytes(self.file.data)
        arrays = _columns(data, self.style, self.starts, self.sizes)
        return pa.table(arrays, names=list(self.names))

    @property
    def note(self) -> str:
        """What was recognised, in a sentence."""
        delimiter = DELIMITERS.get(self.delimiter, repr(self.delimiter))
        shown = ", ".join(self.names[:8]) + (
            f" and {len(self.names) - 8:,} more" if len(self.names) > 8 else ""
        )
        header = "the first row is the header" if self.header else "no header"
        header += f" ({self.on_names})" if self.on_names else ""
        header += ", quotes are escaped by a backslash" if self.style.escape else ""
        blank = f"; {self.blanks:,} blank lines skipped" if self.blanks else ""
        return (
            f"Read {self.file.path.name} as delimited text: {delimiter}, {self.file.description}, "
            f"{header}; {len(self.starts):,} rows, columns {shown}{blank}."
        )


def scan(
    file: TextFile,
    *,
    delimiter: str | None = None,
    quote: str = '"',
    header: bool | None = None,
) -> Delimited:
    """Find the records of delimited text and check that each has the same number of fields.

    Parameters
    ----------
    file : TextFile
    delimiter : str, optional
        One ASCII character. If not given: comma, tab, semicolon or bar, whichever splits the
        first records most evenly.
    quote : str
        One ASCII character, or "" where quotes mean nothing.
    header : bool, optional
        If not given: True, unless the first record holds a number (the names 0, 1, 2, ... and
        1, 2, 3, ... are names).

    Raises
    ------
    InputError
        Broken quoting, ragged rows, a column name twice, no rows; says which row and line.
    """
    check_character("quote", quote, optional=True)
    if delimiter is not None:
        check_character("delimiter", delimiter)
    if delimiter == quote:
        raise InputError("delimiter", f"and quote are both {quote!r}", "Use two characters")
    try:
        return _scan(file, delimiter, quote, "", header)
    except InputError:
        if not quote or f"\\{quote}".encode() not in file.data:
            raise
        with suppress(InputError):
            return _scan(file, delimiter, quote, "\\", header)
        raise


def _scan(
    file: TextFile, delimiter: str | None, quote: str, escape: str, header: bool | None
) -> Delimited:
    data = _bytes(file.data)
    style = Style(delimiter or sniff(data, file.path.name, quote, escape), quote, escape)
    first = np.zeros(1, np.int64)
    loops.field_counts(data, *style.codes, first)
    starts, sizes, report = _records(data, style, max(int(first[0]), 1))
    if report[loops.RAGGED] and report[loops.RECORDS] == 1 and header is not False:
        named = _short_header(file, style, len(sizes), header)
        if named is not None:
            return named
    names: Sequence[str] = [str(column) for column in range(len(sizes))]
    guessed = False
    if len(starts):
        stop = int(starts[1]) if len(starts) > 1 else len(data)
        _, first_sizes, _ = _records(data[:stop], style, len(sizes))
        row = _columns(data, style, starts[:1], first_sizes)
        fields = [column[0].as_py() for column in row]
        guessed = header is None
        header = _looks_like_header(fields) if header is None else header
        if header:
            names, starts, sizes = fields, starts[1:], sizes - first_sizes
    _check_records(file, report, names, quote, bool(header))
    if not len(starts):
        raise InputError(str(file.path), "has a header and no rows", "Name a file that has rows")
    blanks = int(report[loops.BLANKS])
    own = own_names(names)
    found = Delimited(file, style, bool(header), own.names, starts, sizes, blanks, own.note)
    if own.note and guessed:
        _check_header(found, names)
    return found


def _short_header(file: TextFile, style: Style, k: int, header: bool | None) -> Delimited | None:
    """Return the table if its rows have one number of fields, and only the header has fewer.

    Rows that end in delimiters do so, and rows with names, which R writes.
    """
    data = _bytes(file.data)
    starts, rows = np.empty(_count_ends(data) + 1, np.int64), np.zeros(2, np.int64)
    loops.records(data, *style.codes, starts, np.zeros(k, np.int64), np.zeros(6, np.int64))
    begin = int(starts[1])
    loops.field_counts(data, *style.codes, rows)
    below, sizes, report = _records(data[begin:], style, int(rows[1]))
    if rows[1] <= k or report[loops.STATUS] != loops.OK or report[loops.RAGGED]:
        return None
    head, head_sizes, _ = _records(data[:begin], style, k)
    row = _columns(data[:begin], style, head, head_sizes)
    names = [column[0].as_py() for column in row]
    if not (header or _looks_like_header(names)):
        return None
    columns = _columns(data[begin:], style, below, sizes)
    named = of_short_header(names, columns, str(file.path))
    twice = own_names(named.names)
    note = "; ".join(filter(None, (named.note, twice.note)))
    blanks = int(report[loops.BLANKS])
    return Delimited(file, style, True, twice.names, below + begin, sizes, blanks, note)


def _bytes(data: bytes) -> Bytes:
    return np.frombuffer(data, np.uint8)  # read-only, as every kernel input


def _records(data: Bytes, style: Style, k: int) -> tuple[Ints, Ints, Ints]:
    starts, sizes, report = (
        np.empty(_count_ends(data) + 1, np.int64),
        np.zeros(k, np.int64),
        np.zeros(6, np.int64),
    )
    loops.records(data, *style.codes, starts, sizes, report)
    return starts[: report[loops.RECORDS]], sizes, report


def _count_ends(data: Bytes) -> int:
    """Count the places where a record may end: of several line ends in a row, the first."""
    count, before = 0, True
    for part in np.array_split(data, len(data) // _PIECE + 1):
        is_end = (part == loops.LF) | (part == loops.CR)
        count += int(np.count_nonzero(is_end[1:] & ~is_end[:-1]))
        if len(part):
            count += bool(is_end[0]) and not before
            before = bool(is_end[-1])
    return count


def _columns(data: Bytes, style: Style, starts: Ints, sizes: Ints) -> list[pa.Array]:
    """Return the fields of every column; all columns share one buffer of text."""
    offsets = np.zeros((len(sizes), len(starts) + 1), np.int64)
    offsets[1:, 0] = np.cumsum(sizes[:-1])
    values = np.empty(int(sizes.sum()), np.uint8)
    loops.columns(data, *style.codes, starts, offsets, values)
    text = pa.py_buffer(values)
    return [
        pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(column), text)
        for column in offsets
    ]


def _looks_like_header(fields: Sequence[str]) -> bool:
    numbers = [field for field in fields if NUMBER.fullmatch(field)]
    if not numbers:
        return True
    if len(numbers) == 1:  # pandas writes the columns "" and "0"
        return fields[0] == "" and numbers == ["0"]
    return any(numbers == [str(first + i) for i in range(len(numbers))] for first in (0, 1))


def _check_header(table: Delimited, names: Sequence[str]) -> None:
    """Refuse a first record that names two columns alike by words which are values below."""
    columns = table.table().columns
    for at, name in enumerate(names):
        first = names.index(name)
        if name and first < at and pc.any(pc.equal(columns[at], name)).as_py():
            raise InputError(
                f"{table.file.path}: header",
                f"names columns {first + 1} and {at + 1} both {name!r}, which is a value of theirs",
                "Pass header=False if it is a row, else give each a name of its own",
            )


def _check_records(
    file: TextFile, report: Ints, names: Sequence[str], quote: str, header: bool
) -> None:
    if report[loops.STATUS] == loops.OK and not report[loops.RAGGED]:
        return
    row = int(report[loops.RECORDS]) + (0 if header else 1)
    where = f"{file.path}: row {row}" if row else f"{file.path}: header"
    where += f" (line {line_number(file.data, int(report[loops.POSITION]))})"
    fields, k = int(report[loops.FIELDS]), len(names)
    if report[loops.STATUS] != loops.OK:
        column = names[fields] if fields < k else str(fields)
        what = (
            "opens a quote that is never closed"
            if report[loops.STATUS] == loops.UNCLOSED_QUOTE
            else "has text after its closing quote"
        )
        raise InputError(
            f"{where}, column {column!r}",
            what,
            f"Write quotes inside a quoted field twice, or pass quote='' if {quote} means nothing",
        )
    lost = (
        f"it ends before column {names[fields]!r}" if fields < k else f"the last is {names[-1]!r}"
    )
    raise InputError(
        where,
        f"has {fields} fields, and the table {k} columns: {lost}. {report[loops.RAGGED]:,} rows "
        "have a wrong number of fields",
        "Quote fields that hold the delimiter or a line break, or pass the right delimiter",
    )


def with_changes(table: Delimited, changes: Mapping[str, Mapping[int, object]]) -> bytes:
    """Return the text with some fields replaced, by column and row, and all else as it was.

    A field keeps its style: quoted stays quoted, unquoted is quoted only where it must be.
    """
    view, done = memoryview(table.file.data), 0
    pieces: list[memoryview | bytes] = []
    places = [place for column in changes for place in _places(table, column, changes[column])]
    for first, last, column, row in sorted(places):
        pieces.append(view[done:first])
        new = str(changes[column][row])
        pieces.append(_field(table, column, row, bytes(view[first:last]), new))
        done = last
    pieces.append(view[done:])
    return b"".join(pieces)


def with_columns(table: Delimited, columns: Mapping[str, Sequence[str]]) -> bytes:
    """Return the text with a field for each row, and a name in the header, added at line ends."""
    data, k = _bytes(table.file.data), len(table.names)
    starts, _, _ = _records(data, table.style, k)
    begin, end = np.empty_like(starts), np.empty_like(starts)
    loops.spans(data, *table.style.codes, starts, k - 1, begin, end)
    view, done = memoryview(table.file.data), 0
    pieces: list[memoryview | bytes] = []
    for record, last in enumerate(end.tolist()):
        row = record - int(table.header)
        pieces.append(view[done:last])
        for name, values in columns.items():
            text = name if row < 0 else values[row]
            field = _field(table, name, max(row, 0), b"", text) if text else b""
            pieces.append(table.delimiter.encode() + field)
        done = last
    pieces.append(view[done:])
    return b"".join(pieces)


def _places(
    table: Delimited, column: str, changes: Mapping[int, object]
) -> Iterator[tuple[int, int, str, int]]:
    """Yield start, end, column and row of the fields that change in a column."""
    rows = np.array(sorted(changes), np.int64)
    begin, end = np.empty_like(rows), np.empty_like(rows)
    data = _bytes(table.file.data)
    position = table.names.index(column)
    loops.spans(data, *table.style.codes, table.starts[rows], position, begin, end)
    for row, first, last in zip(rows.tolist(), begin.tolist(), end.tolist(), strict=True):
        yield first, last, column, row


def _field(table: Delimited, column: str, row: int, old: bytes, value: str) -> bytes:
    """Return `value` as a field, in the style of the one that it replaces."""
    quote, text = table.quote, value
    was_quoted = bool(quote) and old.startswith(quote.encode())
    blank = len(table.names) == 1 and not value.strip(" \t")  # alone on a line: no record
    special = blank or any(character in value for character in (table.delimiter, "\r", "\n"))
    if was_quoted or special or (quote and quote in value):
        if not quote:
            raise InputError(
                f"{table.file.path}: row {row + 1}, column {column!r}",
                f"cannot become {value!r}, which this file without quoting can't hold",
                "Use a label without delimiters and line breaks",
            )
        text = table.style.quoted(value)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"{table.file.path}: row {row + 1}, column {column!r}",
            f"cannot become {value!r}, which is no valid text ({error.reason})",
            "Use another label",
        ) from error
