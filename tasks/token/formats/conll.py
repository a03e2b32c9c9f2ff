"""Files of columns: a token on each line, an empty line after each sentence (CoNLL, CoNLL-U).

A first column that counts the tokens of each sentence holds no words: they are in the second, as
in CoNLL-U and GermEval. Of several columns of tags of entities the first one counts, if nothing
else is said: the others are inner layers, or what a model said.

Lines that begin with ``-DOCSTART-`` end a sentence and belong to none. Lines that begin with ``#``
are comments where they have another number of fields than the others; so are those whose first
field is just ``#``, between spaces, if their tag is none elsewhere. Of CoNLL-U, ranges of words
(3-4) and empty nodes (5.1) are passed over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.options import options_of
from goldlabel.formats.registry import Format
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.token.formats.options import Asked, ColumnOptions
from goldlabel.tasks.token.formats.sentences import Changes, TaggedSentences

__all__ = ["FORMAT", "read"]

UNKNOWN = b"_"
"""What a field without a value holds."""
_DOCSTART = b"-DOCSTART-"
_SAMPLE = 2000
_SPELLED = {"\\t": "\t", "tab": "\t", "space": " "}
_BRAT = re.compile(rb"T\d+\t\S+ \d+ \d+[;\t\d ]|[REAMN]\d+\t|#\d+\t|\*\t")
_CONLL_U = 10
_MANY = 20
"""So many tags, or numbers for words, may be in a file by chance."""
_CHUNKS = frozenset(b"NP VP PP ADVP ADJP SBAR PRT CONJP INTJ LST UCP".split())
_TAG = re.compile(rb"[BIESLUMW][-_](.+)|.+[-_][BIESLUMW]")
_WORD_ID = re.compile(rb"\d{1,9}")
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
    layers : tuple of str
        The columns that hold tags of entities, each with some, where there are several.
    """

    separator: bytes
    token: int
    tag: int
    has_ids: bool
    fields: int
    layers: tuple[str, ...] = ()

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
        Columns from 0; below 0 from the end. If not given: the first, or the second where the first
        counts tokens; the last, or the first of several with tags of entities; of CoNLL-U the words
        and the universal parts of speech.
    separator : str, optional
        What separates columns; if not given, tabs if all lines have some, else any white space.
    encoding : str, optional

    Raises
    ------
    InputError
        A line has no such column; says which.
    """
    file = read_text(path, encoding=encoding)
    _refuse_other_formats(file)
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
    if tag is None:
        _check_tags(path, layout, tags)
    if token is None:
        _check_words(path, layout, tokens)
    kind = "CoNLL-U" if layout.has_ids and layout.fields == _CONLL_U else "CoNLL columns"
    separated = "tabs" if layout.separator == b"\t" else (layout.separator.decode() or "spaces")
    note = (
        f"Read {path.name} as {kind}, {file.description}: {layout.fields} columns separated by"
        f" {separated}, words from column {layout.token}, tags from column"
        f" {layout.tag % layout.fields}."
    )
    options = ColumnOptions(
        encoding=file.encoding,
        sha256=file.sha256,
        token=layout.token,
        tag=layout.tag,
        separator=layout.separator.decode(),
    )
    source = Source("conll", (path,), options)
    notes = [note, *_of_comments(file, layout)]
    if layout.layers:
        notes.append(
            f"Several columns hold tags: {'; '.join(layout.layers)}. The first of them counts;"
            " choose another with the option tag_column."
        )
    return TaggedSentences(tokens, tags, np.array(ends, dtype=np.int64), source, notes)


def _refuse_other_formats(file: TextFile) -> None:
    """Refuse what has columns, and is no CoNLL: stand-off annotation, and TSV of WebAnno."""
    lines = [line for line in file.data.split(b"\n", _SAMPLE)[:_SAMPLE] if line.strip()]
    if lines and lines[0].startswith(b"#FORMAT=WebAnno"):
        raise InputError(
            str(file.path),
            "is TSV of WebAnno (INCEpTION), which is not read",
            "Export it as CoNLL 2002 or CoNLL 2003",
        )
    if lines and all(map(_BRAT.match, lines)) and any(line[:1] == b"T" for line in lines):
        raise InputError(
            str(file.path),
            "is stand-off annotation of brat, which is not read",
            'Convert it to JSON Lines: {"text": ..., "spans": [{"start": 0, "end": 9, "label":'
            ' "PER"}]}',
        )


def _check_tags(path: Path, layout: _Layout, tags: Sequence[str | None]) -> None:
    """Refuse a column that holds no tags: most of its values are different."""
    distinct = {tag for tag in tags if tag is not None}
    if len(distinct) > max(_MANY, len(tags) // 3):
        raise InputError(
            str(path),
            f"has {len(distinct):,} different tags of {len(tags):,} tokens in column"
            f" {layout.tag % layout.fields}, such as {min(distinct)!r}",
            "Name the column of the tags with the option tag_column",
        )


def _check_words(path: Path, layout: _Layout, tokens: Sequence[str]) -> None:
    """Refuse a column that holds no words, but numbers."""
    if len(tokens) > _MANY and all(token.isdigit() for token in tokens):
        raise InputError(
            str(path),
            f"has only numbers for words in column {layout.token % layout.fields}",
            "Name the column of the words with the option token_column",
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
    rows = [line.rstrip(b"\r").split(between) if between else line.split() for line in plain]
    fields = Counter(map(len, rows)).most_common(1)[0][0]
    rows = [row for row in rows if len(row) == fields]
    has_ids = fields > 2 and _counts_tokens([row[0] for row in rows])
    first = token if token is not None else int(has_ids)
    layers = [at for at in range(fields) if at != first % fields and _is_layer(rows, at)]
    if has_ids and fields == _CONLL_U and between == b"\t" and not layers:
        usual = 3
    else:
        usual = layers[0] if len(layers) > 1 else -1
    last = tag if tag is not None else usual
    _check_columns(file, fields, first, last)
    samples = tuple(
        f"column {at} ({', '.join(_sample(rows, at))})" for at in layers if len(layers) > 1
    )
    return _Layout(between, first, last, has_ids, fields, samples if tag is None else ())


def _counts_tokens(ids: Sequence[bytes]) -> bool:
    """Return whether a column counts 1, 2, 3 in every sentence, ranges (3-4) aside."""
    numbers = [int(each) for each in ids if _WORD_ID.fullmatch(each)]
    if not numbers or numbers[0] > 1 or max(numbers) < 2:
        return False
    others = [each for each in ids if not _WORD_ID.fullmatch(each)]
    starts = (0, 1)
    return all(_SPECIAL_ID.fullmatch(each) for each in others) and all(
        after == before + 1 or after in starts for before, after in pairwise(numbers)
    )


def _is_layer(rows: Sequence[Sequence[bytes]], column: int) -> bool:
    """Return whether a column holds tags of entities, and not of chunks (noun phrases, ...)."""
    tags = {row[column] for row in rows} - {UNKNOWN}
    matches = [_TAG.fullmatch(tag) for tag in tags - {b"O"}]
    types = {match[1] for match in matches if match is not None}
    return b"O" in tags and len(matches) > 0 and all(matches) and not types <= _CHUNKS


def _sample(rows: Sequence[Sequence[bytes]], column: int) -> list[str]:
    counts = Counter(row[column] for row in rows if row[column] not in (b"O", UNKNOWN))
    return [tag.decode("utf-8", "replace") for tag, _ in counts.most_common(3)]


def _check_columns(file: TextFile, fields: int, token: int, tag: int) -> None:
    for name, column in (("token", token), ("tag", tag)):
        if not -fields <= column < fields:
            raise InputError(
                f"{name}_column",
                f"is {column}, and {file.path.name} has {fields} columns, 0 .. {fields - 1}",
                "Name a column that is there, or what separates columns",
            )
    if token % fields == tag % fields:
        raise InputError(
            str(file.path),
            f"has the words and the tags in one column, {tag % fields}"
            + (" (it has no other)" if fields == 1 else ""),
            "Name a file with a token and its tag on each line, or what separates columns",
        )


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


def _read(path: Path, asked: Asked) -> TaggedSentences:
    return read(
        path,
        token=asked.token_column,
        tag=asked.tag_column,
        separator=asked.separator,
        encoding=asked.encoding,
    )


def _export(source: Source, changes: Changes, out: Path) -> None:
    """Write the file with some tags replaced, and every other byte as it was."""
    options = options_of(source, ColumnOptions)
    write_text(source, out, lambda file: _changed(file, options, changes))


def _changed(file: TextFile, options: ColumnOptions, changes: Changes) -> bytes:
    layout = _layout(file, options.token, options.tag, options.separator or None)
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


FORMAT: Format[Asked, TaggedSentences] = Format(
    "conll", "columns of words and tags", None, _read, _export, ColumnOptions
)
"""Taken where no other fits."""
