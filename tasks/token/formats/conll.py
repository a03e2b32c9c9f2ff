"""Files of columns: a token on each line, an empty line after each sentence (CoNLL, CoNLL-U).

Lines that begin with ``-DOCSTART-`` end a sentence and belong to none. Lines that begin with ``#``
are comments where they have another number of fields than the others; so are those whose first
field is just ``#``, between spaces, if their tag is none elsewhere. Of CoNLL-U, ranges of words
(3-4) and empty nodes (5.1) are passed over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.token.formats.sentences import Changes, TaggedSentences

__all__ = ["export", "read"]

UNKNOWN = b"_"
"""What a field without a value holds."""
_DOCSTART = b"-DOCSTART-"
_SAMPLE = 2000
_SPELLED = {"\\t": "\t", "tab": "\t", "space": " "}
_WORD_ID = re.compile(rb"\d+")
_SPECIAL_ID = re.compile(rb"\d+([-.]\d+)")


class _Layout(NamedTuple):
    """How the lines are to be read.

    Attributes
    ----------
    separator : bytes
        What stands between fields; b"" = any run of spaces and tabs.
    token, tag : int
        Which field; below 0 from the end.
    has_ids : bool
        Whether the first field numbers the words, as in CoNLL-U.
    fields : int
        How many fields most lines have.
    """

    separator: bytes
    token: int
    tag: int
    has_ids: bool
    fields: int

    def split(self, line: bytes) -> list[bytes]:
        return line.split(self.separator) if self.separator else line.split()


class _Line(NamedTuple):
    """A line with a token: its number, where it begins, and its fields; None ends a sentence."""

    number: int
    start: int
    fields: list[bytes] | None


def read(
    path: Path,
    *,
    token: int | None = None,
    tag: int | None = None,
    separator: str | None = None,
    encoding: str | None = None,
) -> TaggedSentences:
    """Read a file of columns.

    Parameters
    ----------
    path : Path
    token, tag : int, optional
        Columns from 0; below 0 from the end. If not given: the first and the last; of CoNLL-U the
        words and the universal parts of speech.
    separator : str, optional
        What separates columns; if not given, tabs if all lines have some, else any white space.
    encoding : str, optional

    Raises
    ------
    InputError
        A line has no such column; says which.
    """
    file = read_text(path, encoding=encoding)
    layout = _layout(file, token, tag, separator)
    tokens: list[str] = []
    tags: list[str | None] = []
    ends = [0]
    names: dict[bytes, str | None] = {UNKNOWN: None}
    for line in _lines(file, layout):
        if line.fields is None:
            if len(tokens) > ends[-1]:
                ends.append(len(tokens))
            continue
        tokens.append(line.fields[layout.token].decode("utf-8"))
        field = line.fields[layout.tag]
        if field not in names:
            names[field] = field.decode("utf-8")
        tags.append(names[field])
    if not tokens:
        raise InputError(str(path), "has no tokens", "Name a file with a token on each line")
    kind = "CoNLL-U" if layout.has_ids else "CoNLL columns"
    separated = "tabs" if layout.separator == b"\t" else (layout.separator.decode() or "spaces")
    note = (
        f"Read {path.name} as {kind}, {file.description}: {layout.fields} columns separated by"
        f" {separated}, words from column {layout.token}, tags from column"
        f" {layout.tag % layout.fields}."
    )
    options = {
        "encoding": file.encoding,
        "sha256": file.sha256,
        "token": layout.token,
        "tag": layout.tag,
        "separator": layout.separator.decode(),
    }
    source = Source("conll", (path,), options)
    return TaggedSentences(
        tokens, tags, np.array(ends, dtype=np.int64), source, [note, *_of_comments(file, layout)]
    )


def _of_comments(file: TextFile, layout: _Layout) -> list[str]:
    """Return a note on lines that were passed over."""
    known = _tags_of_plain_lines(file, layout)
    lines = file.data.split(b"\n") if known else []
    count = sum(
        line.startswith(b"#") and _is_comment(layout.split(line.rstrip(b"\r")), layout, known)
        for line in lines
    )
    return [f"{count:,} comment line{'s' if count > 1 else ''} passed over."] if count else []


def _layout(file: TextFile, token: int | None, tag: int | None, separator: str | None) -> _Layout:
    lines = [line for line in file.data.split(b"\n", _SAMPLE)[:_SAMPLE] if line.strip()]
    plain = [line for line in lines if not line.startswith((b"#", _DOCSTART))] or lines
    separator = _SPELLED.get(separator, separator) if separator else None
    between = b"" if separator is None else separator.encode()
    if separator is None and all(b"\t" in line for line in plain):
        between = b"\t"
    counts = Counter(
        len(line.rstrip(b"\r").split(between) if between else line.split()) for line in plain
    )
    fields = counts.most_common(1)[0][0]
    has_ids = between == b"\t" and fields == 10 and all(
        _WORD_ID.match(line.split(b"\t", 1)[0]) for line in plain
    )  # fmt: skip
    layout = _Layout(
        between,
        token if token is not None else 1 if has_ids else 0,
        tag if tag is not None else 3 if has_ids else -1,
        has_ids,
        fields,
    )
    for name, column in (("token", layout.token), ("tag", layout.tag)):
        if not -fields <= column < fields:
            raise InputError(
                f"{name}_column",
                f"is {column}, and {file.path.name} has {fields} columns, 0 .. {fields - 1}",
                "Name a column that is there, or what separates columns",
            )
    if layout.token % fields == layout.tag % fields:
        raise InputError(
            str(file.path),
            f"has the words and the tags in one column, {layout.tag % fields}"
            + (" (it has no other)" if fields == 1 else ""),
            "Name a file with a token and its tag on each line, or what separates columns",
        )
    return layout


def _lines(file: TextFile, layout: _Layout) -> Iterator[_Line]:
    """Yield every line with a token, and None where a sentence ends."""
    least = max(_needed(layout.token), _needed(layout.tag))
    known = _tags_of_plain_lines(file, layout)
    start = 0
    for number, raw in enumerate(file.data.split(b"\n"), start=1):
        line = raw.rstrip(b"\r") if layout.separator else raw.strip()
        here, start = start, start + len(raw) + 1
        if not line.strip() or line.startswith(_DOCSTART):
            yield _Line(number, here, None)
            continue
        fields = layout.split(line)
        if line.startswith(b"#") and _is_comment(fields, layout, known):
            continue
        if layout.has_ids and _SPECIAL_ID.fullmatch(fields[0]):
            continue
        if len(fields) < least:
            columns = f"{len(fields)} column{'' if len(fields) == 1 else 's'}"
            raise InputError(
                f"{file.path}: line {number}",
                f"has {columns}, and {least} are needed",
                "Give it a token and a tag, or say what separates columns",
            )
        yield _Line(number, here, fields)
    yield _Line(-1, start, None)


def _is_comment(fields: list[bytes], layout: _Layout, known: set[bytes]) -> bool:
    if len(fields) != layout.fields:
        return True
    return not layout.separator and fields[0] == b"#" and fields[layout.tag] not in known


def _needed(column: int) -> int:
    """Return how many fields a line must have for a column to be there."""
    return max(column + 1, -column, 2)


def _tags_of_plain_lines(file: TextFile, layout: _Layout) -> set[bytes]:
    """Return the tags of all lines that are surely no comment; none where no line can be one."""
    if not file.data.startswith(b"#") and b"\n#" not in file.data:
        return set()
    known = set()
    for line in file.data.split(b"\n"):
        if line.strip() and not line.startswith(b"#"):
            fields = layout.split(line.rstrip(b"\r") if layout.separator else line)
            if len(fields) == layout.fields:
                known.add(fields[layout.tag])
    return known


def export(source: Source, changes: Changes, out: Path) -> None:
    """Write the file with some tags replaced, and every other byte as it was."""
    options = source.options
    write_text(source, out, lambda file: _changed(file, options, changes))


def _changed(file: TextFile, options: object, changes: Changes) -> bytes:
    assert isinstance(options, dict)
    layout = _layout(file, options["token"], options["tag"], options["separator"] or None)
    pieces, done = [], 0
    sentence, token = 0, 0
    for line in _lines(file, layout):
        if line.fields is None:
            sentence, token = sentence + (token > 0), 0
            continue
        change = changes.get(sentence)
        if change is not None and change.old[token] != change.new[token]:
            begin, end = _field(file.data, line, layout)
            tag = change.new[token]
            pieces += [file.data[done:begin], UNKNOWN if tag is None else tag.encode("utf-8")]
            done = end
        token += 1
    pieces.append(file.data[done:])
    return b"".join(pieces)


def _field(data: bytes, line: _Line, layout: _Layout) -> tuple[int, int]:
    """Return where the tag of a line stands in the file."""
    assert line.fields is not None
    wanted = layout.tag % len(line.fields)
    if layout.separator:
        begin = line.start + sum(len(field) for field in line.fields[:wanted])
        begin += wanted * len(layout.separator)
        return begin, begin + len(line.fields[wanted])
    end = data.find(b"\n", line.start)
    pattern = re.compile(rb"[^ \t\r\n\f\v]+")
    found = list(pattern.finditer(data, line.start, len(data) if end < 0 else end))
    return found[wanted].span()
