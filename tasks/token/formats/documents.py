"""Texts with spans, document by document, as annotation tools write them in JSON.

========================  =========================================================================
layout                    a text and its spans
========================  =========================================================================
doccano                   ``{"text": "...", "label": [[0, 5, "PER"]]}``, also with objects
                          ``{"start_offset": 0, "end_offset": 5, "label": "PER"}`` in `entities` or
                          `annotations`, text under `data`, numbers for labels
Prodigy                   ``{"text": "...", "tokens": [...], "spans": [{"start": 0, "end": 5,
                          "label": "PER"}], "answer": "accept"}``; words are those of `tokens`
spaCy                     ``["...", {"entities": [[0, 5, "PER"]]}]``; of version 3 also objects
                          with `ents` and `tokens`
Dataturks                 ``{"content": "...", "annotation": [{"label": ["PER"], "points":
                          [{"start": 0, "end": 4, "text": "Paula"}]}]}``
Label Studio              ``{"data": {"text": "..."}, "annotations": [{"result": [...]}]}``; the
                          annotation marked as ground truth counts, else the first
========================  =========================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from goldlabel.errors import InputError
from goldlabel.formats.json.text import kind_of
from goldlabel.formats.label_studio import counting
from goldlabel.tasks.token.data import NO_LABEL, NO_SPAN, OTHER_TEXT, OUT_OF_TEXT
from goldlabel.tasks.token.formats.characters import Marked, Piece, Span
from goldlabel.tasks.token.formats.offsets import Units, fits, units_of
from goldlabel.tasks.token.formats.span_text import Mark, mark_of

__all__ = ["Document", "Reading", "document_of", "marked", "users_overlap"]

_SPANS = ("spans", "entities", "ents", "label", "labels", "annotations", "annotation")
_TEXTS = ("text", "content", "sentence", "document", "data")
_SKIPPED = ("reject", "ignore")
"""Prodigy's answers that leave a text without labels that count."""


class Document(NamedTuple):
    """A text with its spans.

    Attributes
    ----------
    text : str
    path : tuple
        Keys and positions that lead to the list of spans in the document; () where it has none.
    entries : list
        The list as it is.
    marks : list of (Mark or None)
        What each entry says; None where it is no span.
    words : list of (int, int), optional
        Where the document itself says that its words are.
    answer : str
        Why the document does not count: "reject", "ignore", "no annotation"; "" where it does.
    """

    text: str
    path: tuple[str | int, ...]
    entries: list[Any]
    marks: list[Mark | None]
    words: list[Piece] | None
    answer: str = ""


def document_of(value: Any, tags: str | None, where: str) -> Document:
    """Read a document.

    Parameters
    ----------
    value : object
        As JSON has it.
    tags : str, optional
        Key of the spans, or name of Label Studio's labels; found if not given.
    where : str
        How messages call it.

    Raises
    ------
    InputError
        It is none.
    """
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
        return _document(value[0], (1, *_path(value[1], tags, where)), value, None)
    if not isinstance(value, dict):
        raise InputError(where, f"is a JSON {kind_of(value)}, no document", "Write an object")
    if isinstance(value.get("data"), dict):
        return _label_studio(value, tags, where)
    text = next((value[key] for key in _TEXTS if isinstance(value.get(key), str)), None)
    if text is None:
        raise InputError(where, f"has no text, only {_listed(value)}", "Put it under 'text'")
    answer = value.get("answer")
    document = _document(text, _path(value, tags, where), value, _own_words(value, where))
    return document._replace(answer=answer if answer in _SKIPPED else "")


def _listed(keys: Any) -> str:
    names = [str(key)[:40] for key in keys]
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")


def _path(value: Any, tags: str | None, where: str) -> tuple[str | int, ...]:
    """Return the path to the spans in an object."""
    if not isinstance(value, dict):
        raise InputError(where, f"has a JSON {kind_of(value)} beside the text", "Write an object")
    for key in [tags] if tags is not None else _SPANS:
        if isinstance(value.get(key), list):
            return (key,)
        if isinstance(value.get(key), dict) and isinstance(value[key].get("entities"), list):
            return (key, "entities")
    if tags is not None and tags not in value:
        raise InputError(where, f"has no {tags!r}, only {_listed(value)}", "Name the spans' key")
    return ()


def _document(
    text: str, path: tuple[str | int, ...], value: Any, words: list[Piece] | None
) -> Document:
    entries = value
    for step in path:
        entries = entries[step]
    if not path or not isinstance(entries, list):
        return Document(text, (), [], [], words)
    return Document(text, path, entries, [mark_of(entry) for entry in entries], words)


def _own_words(value: Mapping[str, Any], where: str) -> list[Piece] | None:
    """Return where the words of Prodigy's, or spaCy's, tokens are."""
    tokens = value.get("tokens")
    if not isinstance(tokens, list) or not tokens or not isinstance(tokens[0], dict):
        return None
    try:
        return [(int(token["start"]), int(token["end"])) for token in tokens]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{where}, tokens", f"lack a start or an end ({error})", "Give each token both"
        ) from error


def _label_studio(value: Mapping[str, Any], tags: str | None, where: str) -> Document:
    data = value["data"]
    usual = [data[key] for key in _TEXTS if isinstance(data.get(key), str)]
    texts = [text for text in data.values() if isinstance(text, str)]
    if not texts:
        raise InputError(f"{where}, data", "has no text", "Export a task with a text")
    text = (usual or texts)[0]
    annotation = counting(value)
    if annotation is None:
        return Document(text, (), [], [], None, "no annotation")
    if not isinstance(annotation.entry.get("result"), list):
        return Document(text, (), [], [], None)
    document = _document(text, annotation.path, value, None)
    marks = [
        mark if tags is None or entry.get("from_name") == tags else None
        for mark, entry in zip(document.marks, document.entries, strict=True)
    ]
    return document._replace(marks=marks)


class Reading(NamedTuple):
    """What the spans of a document come to.

    Attributes
    ----------
    spans : Marked
    bad : list of (int, str, (int, int))
        Entry, kind, and the piece of the text that it may mean, of those that are broken.
    units : Units, optional
        What offsets count, if it is not characters.
    others, several, disputed : int
        Entries that are no spans; spans with several labels; spans on which users differ.
    """

    spans: Marked
    bad: list[tuple[int, str, Piece]]
    units: Units | None
    others: int
    several: int
    disputed: int


def marked(document: Document, *, apart: bool) -> Reading:
    """Sort the spans of a document into those that are judged and those that can not be.

    Parameters
    ----------
    document : Document
    apart : bool
        Users have annotated each text by themselves: what they do not agree on is not known.
    """
    text, found = document.text, list(_found(document))
    numbers = [(mark.start, mark.end, mark.text) for _, mark in found if mark.start is not None]
    units = units_of(text, numbers)  # type: ignore[arg-type]
    labeled: dict[int, Span] = {}
    unknown, bad, several = [], [], 0
    for at, mark in found:
        piece = _piece(mark, units)
        kind = _broken(text, mark, piece)
        if kind is not None:
            inside = _meant(text, mark, piece)
            bad.append((at, kind, inside))
            unknown.append(inside)
        elif len(mark.labels) > 1:
            several += 1
            unknown.append(piece)
        else:
            labeled[at] = Span(*piece, mark.labels[0])
    equals = _equals(labeled)
    disputed = _disputed(document, labeled, equals) if apart else []
    unknown += [labeled.pop(at)[:2] for at in disputed]
    broken = {at: piece for at, _, piece in bad}
    others = len(document.entries) - len(found)
    spans = Marked(labeled, unknown, broken, equals)
    return Reading(spans, bad, units, others, several, len(disputed))


def _found(document: Document) -> Iterator[tuple[int, Mark]]:
    yield from ((at, mark) for at, mark in enumerate(document.marks) if mark is not None)


def _piece(mark: Mark, units: Units | None) -> Piece:
    if mark.start is None or mark.end is None:
        return 0, 0
    return (mark.start, mark.end) if units is None else units.characters(mark.start, mark.end)


def _broken(text: str, mark: Mark, piece: Piece) -> str | None:
    """Return what is wrong with a span, if anything is."""
    if mark.start is None:
        return NO_SPAN
    if not 0 <= piece[0] < piece[1] <= len(text):
        return OUT_OF_TEXT
    if not fits(text, *piece, mark.text):
        return OTHER_TEXT
    return None if mark.labels else NO_LABEL


def _meant(text: str, mark: Mark, piece: Piece) -> Piece:
    """Return the piece of a text that a broken span may mean: where its own text is, if once."""
    if mark.text and text.count(mark.text) == 1:
        at = text.index(mark.text)
        return at, at + len(mark.text)
    start, end = (min(max(at, 0), len(text)) for at in piece)
    return start, max(start, end)


def _equals(labeled: dict[int, Span]) -> dict[int, list[int]]:
    """Take out spans that say what another one has said; return them by that one."""
    first: dict[Span, int] = {}
    equals: dict[int, list[int]] = {}
    for at, span in list(labeled.items()):
        same = first.setdefault(span, at)
        if same != at:
            equals.setdefault(same, []).append(at)
            del labeled[at]
    return equals


def users_overlap(document: Document) -> bool:
    """Return whether spans of several users lie on the same characters."""
    spans = sorted(
        (mark.start, mark.end, str(mark.user))
        for _, mark in _found(document)
        if mark.start is not None and mark.end is not None and mark.user is not None
    )
    last: dict[str, int] = {}
    for start, end, user in spans:
        if any(start < stop for other, stop in last.items() if other != user):
            return True
        last[user] = max(last.get(user, end), end)
    return False


def _disputed(
    document: Document, labeled: Mapping[int, Span], equals: Mapping[int, Sequence[int]]
) -> list[int]:
    """Return the spans that some users of a text have given, and not all."""
    users = {str(mark.user) for _, mark in _found(document)}
    if len(users) < 2:
        return []
    marks = document.marks
    return [
        at
        for at in labeled
        if {str(m.user) for m in (marks[n] for n in (at, *equals.get(at, ()))) if m} != users
    ]
