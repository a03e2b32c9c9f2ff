"""Texts with spans of characters: JSON Lines of doccano and Prodigy, JSON of Label Studio, spaCy.

========================  =========================================================================
layout                    a text and its spans
========================  =========================================================================
doccano                   ``{"text": "...", "label": [[0, 5, "PER"]]}``, also with objects
                          ``{"start_offset": 0, "end_offset": 5, "label": "PER"}`` in `entities`
Prodigy                   ``{"text": "...", "tokens": [...], "spans": [{"start": 0, "end": 5,
                          "label": "PER"}]}``; words are those of `tokens`
spaCy                     ``["...", {"entities": [[0, 5, "PER"]]}]``, in an array
Label Studio              ``{"data": {"text": "..."}, "annotations": [{"result": [...]}]}``; the
                          annotation marked as ground truth counts, else the first
========================  =========================================================================

Where the words are is said by the predictions (`offsets`), by the file's own tokens, or else found
by `goldlabel.tasks.token.words.tokenize`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.json.text import (
    elements,
    kind_of,
    parse,
    place,
    spliced,
)
from goldlabel.formats.label_studio import counting
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.token.formats.characters import Span, edits, tagged
from goldlabel.tasks.token.formats.sentences import Changes, TaggedSentences
from goldlabel.tasks.token.formats.span_text import edited_spans, span_of
from goldlabel.tasks.token.words import tokenize

__all__ = ["export", "read", "read_again"]

_SPANS = ("spans", "entities", "label", "labels", "annotations")
_TEXTS = ("text", "content", "sentence")


class _Document(NamedTuple):
    """A text with its spans.

    Attributes
    ----------
    text : str
    path : tuple
        Keys and positions that lead to the list of spans in the document; () where it has none.
    entries : list
        The list as it is.
    spans : list of (Span or None)
        What each entry says; None where it is no span.
    words : list of (int, int), optional
        Where the document itself says that its words are.
    """

    text: str
    path: tuple[str | int, ...]
    entries: list[Any]
    spans: list[Span | None]
    words: list[tuple[int, int]] | None


def read(
    path: Path,
    *,
    tags: str | None = None,
    spans: Sequence[Sequence[tuple[int, int]]] | None = None,
    encoding: str | None = None,
) -> TaggedSentences:
    """Read a file of texts and spans.

    Parameters
    ----------
    path : Path
    tags : str, optional
        Key of the spans, or name of Label Studio's labels; found if not given.
    spans : list of n lists of (int, int), optional
        Where the words of each text are, in characters.
    encoding : str, optional

    Raises
    ------
    InputError
        A document is none, or a span is not in its text; says which.
    """
    file = read_text(path, encoding=encoding)
    documents = [_document(value, tags, where) for where, value in _values(file)]
    if spans is not None and len(spans) != len(documents):
        raise InputError(
            "pred_probs", f"has offsets of {len(spans):,} texts, and {path.name} has"
            f" {len(documents):,}", "Predict every text"
        )  # fmt: skip
    tokens: list[str] = []
    flat: list[str | None] = []
    ends = [0]
    cut = left = 0
    words_of: list[list[tuple[int, int]]] = []
    for number, document in enumerate(documents):
        words = _words(document, None if spans is None else spans[number], number, path)
        found = tagged(words, [span for span in document.spans if span is not None])
        tokens += [document.text[a:b] for a, b in words]
        flat += found.tags
        ends.append(len(tokens))
        words_of.append(words)
        cut, left = cut + found.cut, left + found.left
    source = Source(
        "spans",
        (path,),
        {
            "encoding": file.encoding,
            "sha256": file.sha256,
            "tags": tags,
            "words": [list(map(list, words)) for words in words_of] if spans is not None else None,
        },
    )
    return TaggedSentences(
        tokens, flat, np.array(ends, dtype=np.int64), source, _notes(file, documents, cut, left)
    )


def read_again(source: Source) -> TaggedSentences:
    """Read a file as it was read before."""
    options = source.options
    return read(
        source.files[0],
        tags=options["tags"],
        spans=options["words"],
        encoding=options["encoding"],
    )


def _notes(file: TextFile, documents: Sequence[_Document], cut: int, left: int) -> list[str]:
    total = sum(span is not None for document in documents for span in document.spans)
    notes = [
        f"Read {file.path.name} as texts with spans of characters, {file.description}:"
        f" {len(documents):,} texts, {total:,} spans."
    ]
    if cut:
        notes.append(f"{cut:,} spans begin or end inside of a word: they count for all of it.")
    if left:
        notes.append(
            f"{left:,} spans lie in others, or hold no word: they are not judged, and kept."
        )
    return notes


def _is_array(file: TextFile) -> bool:
    return file.data[:4096].lstrip()[:1] == b"["


def _values(file: TextFile) -> Iterator[tuple[str, Any]]:
    """Yield where each document is, and the document."""
    if _is_array(file):
        content = parse(file.data.decode("utf-8"), str(file.path))
        if not isinstance(content, list):
            raise InputError(str(file.path), f"is a JSON {kind_of(content)}", "Name an array")
        for number, value in enumerate(content):
            yield f"{file.path}: document {number}", value
        return
    for number, line in enumerate(file.data.split(b"\n"), start=1):
        if line.strip():
            where = f"{file.path}: line {number}"
            yield where, parse(line.decode("utf-8"), where)


def _document(value: Any, tags: str | None, where: str) -> _Document:
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
        return _of_entries(value[0], (1, *_key_of(value[1], tags, where)), value, None, where)
    if not isinstance(value, dict):
        raise InputError(where, f"is a JSON {kind_of(value)}, no document", "Write an object")
    if isinstance(value.get("data"), dict):
        return _label_studio(value, tags, where)
    text = next((value[key] for key in _TEXTS if isinstance(value.get(key), str)), None)
    if text is None:
        raise InputError(where, f"has no text, only {', '.join(value)}", "Put it under 'text'")
    return _of_entries(text, _key_of(value, tags, where), value, _own_words(value, where), where)


def _key_of(value: Any, tags: str | None, where: str) -> tuple[str | int, ...]:
    """Return the path to the spans in an object."""
    if not isinstance(value, dict):
        raise InputError(where, f"has a JSON {kind_of(value)} beside the text", "Write an object")
    for key in [tags] if tags is not None else _SPANS:
        if isinstance(value.get(key), list):
            return (key,)
        if isinstance(value.get(key), dict) and isinstance(value[key].get("entities"), list):
            return (key, "entities")
    if tags is not None and tags not in value:
        raise InputError(where, f"has no {tags!r}, only {', '.join(value)}", "Name the spans' key")
    return ()


def _of_entries(
    text: str, path: tuple[str | int, ...], value: Any,
    words: list[tuple[int, int]] | None, where: str,
) -> _Document:  # fmt: skip
    entries = value
    for step in path:
        entries = entries[step]
    listed = list(entries) if path and isinstance(entries, list) else []
    spans = [span_of(entry) for entry in listed]
    for number, (entry, span) in enumerate(zip(listed, spans, strict=True)):
        if span is None and not (isinstance(entry, dict) and "value" in entry):
            shown = json.dumps(entry)[:60]
            raise InputError(
                f"{where}, span {number}", f"is {shown}, no span", "Give start, end and label"
            )
        if span is not None and not 0 <= span.start < span.end <= len(text):
            raise InputError(
                f"{where}, span {number}",
                f"runs from {span.start} to {span.end}, and the text has {len(text)} characters",
                "Count Unicode characters from 0; the end is not part of the span",
            )
    return _Document(text, path if isinstance(entries, list) else (), listed, spans, words)


def _own_words(value: Mapping[str, Any], where: str) -> list[tuple[int, int]] | None:
    """Return where the words of Prodigy's tokens are."""
    tokens = value.get("tokens")
    if not isinstance(tokens, list) or not tokens or not isinstance(tokens[0], dict):
        return None
    try:
        return [(int(token["start"]), int(token["end"])) for token in tokens]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{where}, tokens", f"lack a start or an end ({error})", "Give each token both"
        ) from error


def _label_studio(value: Mapping[str, Any], tags: str | None, where: str) -> _Document:
    texts = [text for text in value["data"].values() if isinstance(text, str)]
    text = next((value["data"][key] for key in _TEXTS if isinstance(value["data"].get(key), str)),
                texts[0] if texts else None)  # fmt: skip
    if text is None:
        raise InputError(f"{where}, data", "has no text", "Export a task with a text")
    annotation = counting(value)
    if annotation is None or not isinstance(annotation.entry.get("result"), list):
        return _Document(text, (), [], [], None)
    document = _of_entries(text, annotation.path, value, None, where)
    spans = [
        span if tags is None or entry.get("from_name") == tags else None
        for span, entry in zip(document.spans, document.entries, strict=True)
    ]
    return document._replace(spans=spans)


def _words(
    document: _Document, spans: Sequence[Sequence[int]] | None, number: int, path: Path
) -> list[tuple[int, int]]:
    """Return where the words of a text are; the predictions know best."""
    if spans is None:
        words = document.words if document.words is not None else tokenize(document.text)
    else:
        words = [(int(pair[0]), int(pair[1])) for pair in spans]
    last = 0
    for at, (start, end) in enumerate(words):
        if not last <= start < end <= len(document.text):
            raise InputError(
                f"{path}: document {number}, token {at}",
                f"runs from {start} to {end}, after one that ends at {last}, in a text of"
                f" {len(document.text)} characters",
                "Give tokens in order, as characters of the text, the end not included",
            )
        last = end
    return words


def export(source: Source, changes: Changes, out: Path) -> None:
    """Write the file with some spans changed, and everything else as it was."""
    write_text(source, out, lambda file: _changed(file, source, changes))


def _changed(file: TextFile, source: Source, changes: Changes) -> bytes:
    text = file.data.decode("utf-8")
    options = source.options
    values = list(_values(file))
    usual = _first_span(values, options["tags"])
    pieces = []
    for number, (start, stop) in enumerate(_places(file, text)):
        if number not in changes:
            continue
        where, value = values[number]
        document = _document(value, options["tags"], where)
        given = None if options["words"] is None else options["words"][number]
        words = _words(document, given, number, file.path)
        known = [at for at, span in enumerate(document.spans) if span is not None]
        spans = [span for span in document.spans if span is not None]
        edit = edits(words, spans, changes[number])
        if not document.path:
            raise InputError(
                where, "has no list of spans to put one into", "Add an empty one, and audit again"
            )
        inner = text[start:stop]
        begin, end = place(inner, document.path)
        new = edited_spans(
            inner[begin:end], document.entries, known, edit, words, document.text, usual
        )
        pieces.append((start + begin, start + end, new))
    return spliced(text, pieces).encode("utf-8")


def _first_span(values: Sequence[tuple[str, Any]], tags: str | None) -> Any:
    """Return how the file writes a span; None where it has none."""
    for where, value in values:
        document = _document(value, tags, where)
        for entry, span in zip(document.entries, document.spans, strict=True):
            if span is not None:
                return entry
    return None


def _places(file: TextFile, text: str) -> Iterator[tuple[int, int]]:
    """Yield where each document stands in the text."""
    if _is_array(file):
        yield from ((start, stop) for _, start, stop in elements(text))
        return
    start = 0
    for line in text.split("\n"):
        if line.strip():
            yield start, start + len(line)
        start += len(line) + 1
