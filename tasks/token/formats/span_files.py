"""Texts with spans of characters: JSON Lines and JSON, whose layouts `documents` knows.

Where the words are is said by the predictions (`offsets`), by the file's own tokens, or else found
by `goldlabel.tasks.token.words.tokenize`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.json.text import elements, kind_of, parse, place, spliced
from goldlabel.formats.options import options_of
from goldlabel.formats.registry import Format
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.token.data import BAD_KINDS, CUT, OUT_OF_TEXT, BadLabel, Written
from goldlabel.tasks.token.formats.characters import Piece, Tagged, edits, tagged, touched
from goldlabel.tasks.token.formats.documents import (
    Document,
    Reading,
    document_of,
    marked,
    users_overlap,
)
from goldlabel.tasks.token.formats.options import Asked, SpanOptions
from goldlabel.tasks.token.formats.recognising import is_spans
from goldlabel.tasks.token.formats.sentences import Changes, LeftOut, TaggedSentences
from goldlabel.tasks.token.formats.span_text import Writer, edited_spans, is_span
from goldlabel.tasks.token.words import tokenize

__all__ = ["FORMAT", "read"]

_REASONS = {
    "reject": "rejected",
    "ignore": "ignored",
    "no annotation": "without an annotation",
}
_FULL = 2
"""A file is full of broken spans where one in so many is."""


class _Text(NamedTuple):
    """A document that is read: its spans, words and tags."""

    document: Document
    reading: Reading
    words: list[Piece]
    tagged: Tagged


def read(
    path: Path,
    *,
    tags: str | None = None,
    spans: Sequence[Sequence[Piece]] | None = None,
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
        A document is none, there are no spans, or most of them lie wrong; says which.

    """
    file = read_text(path, encoding=encoding)
    names, documents = _documents(file, tags)
    kept = np.array([not document.answer for document in documents], dtype=np.bool_)
    texts = _texts(file.path, documents, spans, kept)
    judged = [text for text, keep in zip(texts, kept, strict=True) if keep]
    if not judged:
        raise InputError(str(path), f"has no text that counts: {_left_out(documents)}", "Annotate")
    own_names = [name for name, keep in zip(names, kept, strict=True) if keep]
    bad = _bad_labels(judged, own_names)
    _check_spans(path, judged, bad, own_names)
    options = SpanOptions(
        encoding=file.encoding,
        sha256=file.sha256,
        tags=tags,
        words=None if spans is None else tuple(tuple(text.words) for text in judged),
    )
    return TaggedSentences(
        [text.document.text[a:b] for text in judged for a, b in text.words],
        [tag for text in judged for tag in text.tagged.tags],
        _offsets(judged),
        Source("spans", (path,), options),
        _notes(file, documents, judged, bad),
        ids=None if kept.all() else np.array([_number(name) for name in own_names]),
        bad=tuple(bad),
        left_out=None if kept.all() else LeftOut(kept, _offsets(texts)),
        texts=tuple(Written(text.document.text, text.words) for text in judged),
    )


def _read(path: Path, asked: Asked) -> TaggedSentences:
    return read(path, tags=asked.tags, spans=asked.words, encoding=asked.encoding)


def _offsets(texts: Sequence[_Text]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.append(0, np.cumsum([len(text.words) for text in texts])).astype(np.int64)


def _number(name: str) -> int:
    """Return the number of a document in its name."""
    return int(name.rpartition(" ")[2])


def _documents(file: TextFile, tags: str | None) -> tuple[list[str], list[Document]]:
    """Return what messages call each document, and the documents."""
    names, documents = [], []
    keys: tuple[str, ...] = ()
    for name, value in _values(file):
        names.append(name)
        documents.append(document_of(value, tags, f"{file.path}: {name}"))
        keys = tuple(value) if isinstance(value, dict) and not keys else keys
    if not documents:
        raise InputError(str(file.path), "has no document", "Name a file of texts with spans")
    counting = [document for document in documents if not document.answer]
    lists = [document for document in counting if document.path]
    entries = [entry for document in lists for entry in document.entries]
    marks = [mark for document in lists for mark in document.marks]
    if counting and (not lists or (entries and not any(marks))):
        shown = ", ".join(str(key)[:40] for key in keys[:12])
        raise InputError(
            str(file.path),
            "has no spans under a key that is known" + (f", only {shown}" if shown else ""),
            "Say which key holds them with the option tags",
        )
    return names, documents


def _texts(
    path: Path,
    documents: Sequence[Document],
    spans: Sequence[Sequence[Piece]] | None,
    kept: np.ndarray[Any, np.dtype[np.bool_]],
) -> list[_Text]:
    """Return all documents with their words and tags."""
    listed: Sequence[Sequence[Piece] | None] = [None] * len(documents) if spans is None else spans
    if len(listed) == np.count_nonzero(kept) < len(documents):
        rest = iter(listed)
        listed = [next(rest) if keep else None for keep in kept]
    if len(listed) != len(documents):
        raise InputError(
            "pred_probs", f"has offsets of {len(listed):,} texts, and {path.name} has"
            f" {len(documents):,}", "Predict every text"
        )  # fmt: skip
    apart = any(map(users_overlap, documents))
    texts = []
    for number, (document, words) in enumerate(zip(documents, listed, strict=True)):
        reading = marked(document, apart=apart)
        found = _words(document, words, number, path)
        tags = tagged(found, reading.spans.labeled, reading.spans.unknown)
        texts.append(_Text(document, reading, found, tags))
    return texts


def _bad_labels(texts: Sequence[_Text], names: Sequence[str]) -> list[BadLabel]:
    """Return the spans that are none, lie wrong, or, where few do, cut words."""
    bad = []
    for at, (text, name) in enumerate(zip(texts, names, strict=True)):
        for number, kind, piece in text.reading.bad:
            words = touched(text.words, *piece) if piece[0] < piece[1] else (0, 0)
            bad.append(BadLabel(at, *words, kind, _shown(text, number, name)))
    cut = [
        _cut_label(text, at, number, names[at])
        for at, text in enumerate(texts)
        for number in text.tagged.cut
        if _cuts_a_word(text.document.text, text.reading.spans.labeled[number][:2])
    ]
    total = sum(len(text.reading.spans.labeled) for text in texts)
    return bad + (cut if len(cut) * _FULL <= total else [])


def _cut_label(text: _Text, at: int, number: int, name: str) -> BadLabel:
    first, last = touched(text.words, *text.reading.spans.labeled[number][:2])
    hint = f"characters {text.words[first][0]}-{text.words[last - 1][1]}"
    return BadLabel(at, first, last, CUT, _shown(text, number, name), hint)


def _shown(text: _Text, number: int, name: str) -> str:
    """Return a span as the file has it, and where."""
    mark = text.document.marks[number]
    if mark is None or mark.start is None:
        return f"{name}, span {number}: {str(text.document.entries[number])[:60]}"
    labels = " ".join(mark.labels)
    return f"{labels} {mark.start}-{mark.end}".strip() + f" ({name}, span {number})"


def _cuts_a_word(text: str, piece: Piece) -> bool:
    """Return whether a piece begins or ends between two letters of a script that spaces words."""
    return any(
        0 < at < len(text) and _is_letter(text[at - 1]) and _is_letter(text[at]) for at in piece
    )


def _is_letter(character: str) -> bool:
    spaced = ord(character) < 0x530 or 0x1E00 <= ord(character) < 0x2000  # Latin, Greek, Cyrillic
    return spaced and character.isalnum()


def _check_spans(
    path: Path, texts: Sequence[_Text], bad: Sequence[BadLabel], names: Sequence[str]
) -> None:
    """Refuse a file full of broken spans."""
    broken = [each for each in bad if each.kind != CUT]
    total = sum(len(text.reading.spans.labeled) + text.reading.several for text in texts)
    if len(broken) * _FULL > total + len(broken):
        first = broken[0]
        is_outside = first.kind == OUT_OF_TEXT
        size = f": the text has {len(texts[first.sentence].document.text)} characters"
        raise InputError(
            f"{path}: {names[first.sentence]}",
            f"holds {first.text}, {first.kind}{size if is_outside else ''}"
            f" ({len(broken):,} of {total + len(broken):,} spans are broken)",
            "Count Unicode characters from 0, the end not included"
            if is_outside
            else "Give each span start, end and label",
        )


def _left_out(documents: Sequence[Document]) -> str:
    counts = Counter(document.answer for document in documents if document.answer)
    return ", ".join(f"{counts[name]:,} {word}" for name, word in _REASONS.items() if counts[name])


def _notes(
    file: TextFile,
    documents: Sequence[Document],
    texts: Sequence[_Text],
    bad: Sequence[BadLabel],
) -> list[str]:
    readings = [text.reading for text in texts]
    spans = [each.spans for each in readings]
    total = sum(
        len(each.labeled) + len(each.unknown) + sum(map(len, each.equals.values()))
        for each in spans
    )
    notes = [
        f"Read {file.path.name} as texts with spans of characters, {file.description}:"
        f" {len(texts):,} texts, {total:,} spans."
    ]
    if left_out := _left_out(documents):
        notes.append(f"Texts left out, and kept as they are: {left_out}. Ids are of the others.")
    counts = {
        "spans begin or end inside of a word: they count for all of it": sum(
            len(text.tagged.cut) for text in texts
        ),
        "spans lie in others, or hold no word: they are not judged, and kept": sum(
            text.tagged.left for text in texts
        ),
        "spans have several labels: their words are not judged": sum(
            each.several for each in readings
        ),
        "spans are not of all users of their text: their words are not judged": sum(
            each.disputed for each in readings
        ),
        "entries beside the spans (relations, choices, ...) are kept": sum(
            each.others for each in readings
        ),
    }
    notes += [f"{count:,} {what}." for what, count in counts.items() if count]
    for units, count in Counter(each.units.name for each in readings if each.units).items():
        notes.append(
            f"Offsets of {count:,} texts count {units}, as the spans' own texts prove: read so."
        )
    if any(mark.is_numbered for text in texts for mark in text.document.marks if mark):
        notes.append("Labels are numbers: classes are called by them.")
    kinds = Counter(each.kind for each in bad)
    notes += [f"{kinds[kind]:,} labels are bad: {kind}." for kind in BAD_KINDS if kinds[kind]]
    return notes


def _is_array(file: TextFile) -> bool:
    return file.data[:4096].lstrip()[:1] == b"["


def _values(file: TextFile) -> Iterator[tuple[str, Any]]:
    """Yield where each document is, and the document."""
    if _is_array(file):
        content = parse(file.data.decode("utf-8"), str(file.path))
        if not isinstance(content, list):
            raise InputError(str(file.path), f"is a JSON {kind_of(content)}", "Name an array")
        if content and not isinstance(content[0], dict | list):
            raise InputError(
                str(file.path),
                f"is a JSON array of {json.dumps(content[0])[:60]}",
                "Name an array of documents, or JSON Lines",
            )
        for number, value in enumerate(content):
            yield f"document {number}", value
        return
    for number, line in enumerate(file.data.split(b"\n"), start=1):
        if line.strip():
            name = f"line {number}"
            yield name, parse(line.decode("utf-8"), f"{file.path}: {name}")


def _words(
    document: Document, spans: Sequence[Sequence[int]] | None, number: int, path: Path
) -> list[Piece]:
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


def _export(source: Source, changes: Changes, out: Path) -> None:
    """Write the file with some spans changed, and everything else as it was."""
    options = options_of(source, SpanOptions)
    write_text(source, out, lambda file: _changed(file, options, changes))


def _changed(file: TextFile, options: SpanOptions, changes: Changes) -> bytes:
    text = file.data.decode("utf-8")
    names, documents = _documents(file, options.tags)
    judged = [at for at, document in enumerate(documents) if not document.answer]
    entries = (entry for document in documents for entry in document.entries)
    usual = next((entry for entry in entries if is_span(entry)), None)
    apart = any(map(users_overlap, documents))
    places = list(_places(file, text)) if changes else []
    pieces = []
    for sentence, change in changes.items():
        number = judged[sentence]
        document, (start, stop) = documents[number], places[number]
        spans = None if options.words is None else options.words[sentence]
        if not document.path:
            raise InputError(
                f"{file.path}: {names[number]}",
                "has no list of spans to put one into",
                "Add an empty one, and audit again",
            )
        words = _words(document, spans, number, file.path)
        reading = marked(document, apart=apart)
        edit = edits(words, reading.spans, change)
        begin, end = place(text[start:stop], document.path)
        writer = Writer(document.text, words, reading.units)
        listed = text[start + begin : start + end]
        new = edited_spans(listed, document.entries, edit, writer, usual)
        pieces.append((start + begin, start + end, new))
    return spliced(text, pieces).encode("utf-8")


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


FORMAT: Format[Asked, TaggedSentences] = Format(
    "spans", "texts with spans of characters", is_spans, _read, _export, SpanOptions
)
"""JSON Lines and JSON of texts with spans."""
