"""spaCy's JSON for training (version 2): documents, paragraphs, sentences, tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.json.text import (
    elements,
    members,
    parse,
    place,
    spliced,
)
from goldlabel.formats.registry import Format
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.token.formats.options import Asked, Options
from goldlabel.tasks.token.formats.recognising import is_spacy_json
from goldlabel.tasks.token.formats.sentences import Changes, TaggedSentences

__all__ = ["FORMAT"]

UNKNOWN = "-"
"""What spaCy writes where a tag is not known."""


def _read(path: Path, asked: Asked) -> TaggedSentences:
    """Read a file; the words are `orth`, the tags `ner`.

    Raises
    ------
    InputError
        It is not JSON of this kind; says which sentence.
    """
    file = read_text(path, encoding=asked.encoding)
    tokens: list[str] = []
    tags: list[str | None] = []
    ends = [0]
    for where, sentence in _sentences(file):
        for at, token in enumerate(_listed(sentence, "tokens", where)):
            if not isinstance(token, dict) or not isinstance(token.get("orth"), str):
                raise InputError(f"{where}, token {at}", "has no 'orth'", "Give it its text")
            tag = token.get("ner", UNKNOWN)
            if not isinstance(tag, str):
                raise InputError(f"{where}, token {at}", f"has the tag {tag!r}", "Write text")
            tokens.append(token["orth"])
            tags.append(None if tag in (UNKNOWN, "") else tag)
        ends.append(len(tokens))
    if not tokens:
        raise InputError(str(path), "has no tokens", "Name a file with sentences")
    options = Options(encoding=file.encoding, sha256=file.sha256)
    source = Source("spacy_json", (path,), options)
    note = f"Read {path.name} as JSON of spaCy, {file.description}: {len(ends) - 1:,} sentences."
    return TaggedSentences(tokens, tags, np.array(ends, dtype=np.int64), source, [note])


def _listed(value: Any, key: str, where: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, list):
        raise InputError(where, f"has no list of {key}", "Write JSON as spaCy 2 does")
    return found


def _sentences(file: TextFile) -> Iterator[tuple[str, Any]]:
    content = parse(file.data.decode("utf-8"), str(file.path))
    if not isinstance(content, list):
        raise InputError(str(file.path), "is no array of documents", "Write JSON as spaCy 2 does")
    for number, document in enumerate(content):
        where = f"{file.path}: document {number}"
        for paragraph in _listed(document, "paragraphs", where):
            for at, sentence in enumerate(_listed(paragraph, "sentences", where)):
                yield f"{where}, sentence {at}", sentence


def _export(source: Source, changes: Changes, out: Path) -> None:
    """Write the file with some tags replaced, and every other byte as it was."""
    write_text(source, out, lambda file: _changed(file, changes))


def _changed(file: TextFile, changes: Changes) -> bytes:
    text = file.data.decode("utf-8")
    pieces = []
    for number, (start, stop) in enumerate(_places(text)):
        if number not in changes:
            continue
        change = changes[number]
        inner = text[start:stop]
        begin, _ = place(inner, ("tokens",))
        for at, (token, first, last) in enumerate(elements(inner, begin)):
            if change.old[at] == change.new[at]:
                continue
            tag = json.dumps(change.new[at] or UNKNOWN, ensure_ascii=text.isascii())
            pieces.append(_edit(inner[first:last], token, tag, start + first))
    return spliced(text, pieces).encode("utf-8")


def _edit(text: str, token: dict[str, Any], tag: str, start: int) -> tuple[int, int, str]:
    """Return where to put a tag into a token, and what."""
    if "ner" in token:
        first, last = place(text, ("ner",))
        return start + first, start + last, tag
    end = [stop for _, _, _, stop in members(text)][-1]
    return start + end, start + end, f', "ner": {tag}'


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each sentence stands in the text."""
    for _, document, stop in elements(text):
        start, _ = place(text[document:stop], ("paragraphs",))
        for _, paragraph, end in elements(text, document + start):
            inner, _ = place(text[paragraph:end], ("sentences",))
            for _, first, last in elements(text, paragraph + inner):
                yield first, last


FORMAT: Format[Asked, TaggedSentences] = Format(
    "spacy_json", "JSON of spaCy", is_spacy_json, _read, _export, Options
)
"""spaCy's JSON for training."""
