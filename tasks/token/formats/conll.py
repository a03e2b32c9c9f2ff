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
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.options import options_of
from goldlabel.formats.registry import Format
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.token.data import NO_TAG, BadLabel
from goldlabel.tasks.token.formats.columns import (
    SAMPLE,
    UNKNOWN,
    Layout,
    Line,
    comments,
    layout_of,
    lines_of,
)
from goldlabel.tasks.token.formats.options import Asked, ColumnOptions
from goldlabel.tasks.token.formats.sentences import Changes, TaggedSentences

__all__ = ["FORMAT", "read"]

_BRAT = re.compile(rb"T\d+\t\S+ \d+ \d+[;\t\d ]|[REAMN]\d+\t|#\d+\t|\*\t")
_MANY = 20
"""So many tags, or numbers for words, may be in a file by chance."""


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
    layout = layout_of(file, token, tag, separator)
    tokens: list[str] = []
    tags: list[str | None] = []
    bad: list[BadLabel] = []
    ends = [0]
    names: dict[bytes, str | None] = {UNKNOWN: None}
    for line in lines_of(file, layout):
        if line.fields is None:
            if len(tokens) > ends[-1]:
                ends.append(len(tokens))
            continue
        tokens.append(line.fields[layout.token].decode("utf-8"))
        if line.number in layout.cuts:
            at = len(tags) - ends[-1]
            bad.append(BadLabel(len(ends) - 1, at, at + 1, NO_TAG, ""))
            tags.append(None)
            continue
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
    kind = "CoNLL-U" if layout.is_conll_u else "CoNLL columns"
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
    notes = [note]
    if passed_over := comments(file, layout):
        notes.append(f"{passed_over:,} comment line{'s' if passed_over > 1 else ''} passed over.")
    if layout.layers:
        notes.append(
            f"Several columns hold tags: {'; '.join(layout.layers)}. The first of them counts;"
            " choose another with the option tag_column."
        )
    if bad:
        notes.append(f"{len(bad):,} lines have a word and no tag.")
    offsets = np.array(ends, dtype=np.int64)
    return TaggedSentences(tokens, tags, offsets, source, notes, bad=tuple(bad))


def _refuse_other_formats(file: TextFile) -> None:
    """Refuse what has columns, and is no CoNLL: stand-off annotation, and TSV of WebAnno."""
    lines = [line for line in file.data.split(b"\n", SAMPLE)[:SAMPLE] if line.strip()]
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


def _check_tags(path: Path, layout: Layout, tags: Sequence[str | None]) -> None:
    """Refuse a column that holds no tags: most of its values are different."""
    distinct = {tag for tag in tags if tag is not None}
    if len(distinct) > max(_MANY, len(tags) // 3):
        raise InputError(
            str(path),
            f"has {len(distinct):,} different tags of {len(tags):,} tokens in column"
            f" {layout.tag % layout.fields}, such as {min(distinct)!r}",
            "Name the column of the tags with the option tag_column",
        )


def _check_words(path: Path, layout: Layout, tokens: Sequence[str]) -> None:
    """Refuse a column that holds no words, but numbers."""
    if len(tokens) > _MANY and all(token.isdigit() for token in tokens):
        raise InputError(
            str(path),
            f"has only numbers for words in column {layout.token % layout.fields}",
            "Name the column of the words with the option token_column",
        )


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
    layout = layout_of(file, options.token, options.tag, options.separator or None)
    pieces, done = [], 0
    sentence, token = 0, 0
    for line in lines_of(file, layout):
        if line.fields is None:
            sentence, token = sentence + (token > 0), 0
            continue
        change = changes.get(sentence)
        if change is not None and change.old[token] != change.new[token]:
            tag = change.new[token]
            new = UNKNOWN if tag is None else tag.encode("utf-8")
            begin, end = _field(file.data, line, layout)
            if line.number in layout.cuts:
                begin, new = end, _after_what_is_there(line, layout) + new
            pieces += [file.data[done:begin], new]
            done = end
        token += 1
    pieces.append(file.data[done:])
    return b"".join(pieces)


def _field(data: bytes, line: Line, layout: Layout) -> tuple[int, int]:
    """Return where the tag of a line stands in the file."""
    assert line.fields is not None
    wanted = -1 if line.number in layout.cuts else layout.tag
    wanted %= len(line.fields)
    if layout.separator:
        begin = line.start + sum(len(field) for field in line.fields[:wanted])
        begin += wanted * len(layout.separator)
        return begin, begin + len(line.fields[wanted])
    end = data.find(b"\n", line.start)
    pattern = re.compile(rb"[^ \t\r\n\f\v]+")
    found = list(pattern.finditer(data, line.start, len(data) if end < 0 else end))
    return found[wanted].span()


def _after_what_is_there(line: Line, layout: Layout) -> bytes:
    """Return what has to stand between the last field of a cut line and its tag."""
    assert line.fields is not None
    between = layout.separator or b" "
    return between + (UNKNOWN + between) * (layout.fields - 1 - len(line.fields))


FORMAT: Format[Asked, TaggedSentences] = Format(
    "conll", "columns of words and tags", None, _read, _export, ColumnOptions
)
"""Taken where no other fits."""
