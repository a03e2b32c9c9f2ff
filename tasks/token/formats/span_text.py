"""One span as JSON has it: ``[0, 5, "PER"]``, or an object with start, end and label."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from goldlabel.formats.json.text import (
    edited_list,
    elements,
    members,
    place,
    spliced,
)
from goldlabel.tasks.token.formats.characters import Edits, Span

__all__ = ["edited_spans", "span_of"]

_STARTS = ("start", "start_offset", "begin", "from")
_ENDS = ("end", "end_offset", "to")
_LABELS = ("label", "labels", "tag", "type", "entity")


def _key(entry: Mapping[str, Any], usual: Sequence[str]) -> str | None:
    return next((key for key in usual if key in entry), None)


def _body(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object with the span: Label Studio has it under "value"."""
    value = entry.get("value")
    return value if isinstance(value, dict) else entry


def span_of(entry: Any) -> Span | None:
    """Return what an entry says; None where it is no span."""
    if isinstance(entry, list) and len(entry) >= 3:
        start, end, label = entry[:3]
    elif isinstance(entry, dict):
        body = _body(entry)
        keys = [_key(body, usual) for usual in (_STARTS, _ENDS, _LABELS)]
        start, end, label = (None if key is None else body[key] for key in keys)
    else:
        return None
    if isinstance(label, list) and len(label) == 1:
        label = label[0]
    numbers = all(isinstance(at, int) and not isinstance(at, bool) for at in (start, end))
    return Span(start, end, label) if numbers and isinstance(label, str) and label else None


def edited_spans(
    text: str,
    entries: Sequence[Any],
    known: Sequence[int],
    edit: Edits,
    words: Sequence[tuple[int, int]],
    document: str,
    usual: Any = None,
) -> str:
    """Return the JSON text of a list of spans with some changed, dropped and added.

    Parameters
    ----------
    text : str
        The list.
    entries : sequence
        What it holds.
    known : sequence of int
        Which entry each span of `edit` is.
    edit : Edits
    words : sequence of (int, int)
        Words of the document, for entries that count them.
    document : str
        The text, for entries that repeat their piece of it.
    usual : object
        An entry of another list, whose manner new ones take where this one is empty.
    """
    places = [(start, stop) for _, start, stop in elements(text)]
    ascii_only = text.isascii() and document.isascii()
    changed = [
        (
            *places[known[number]],
            _edited(text[slice(*places[known[number]])], span, words, document),
        )
        for number, span in edit.changed.items()
    ]
    template = next((entries[at] for at in known), usual)
    numbers = [e["id"] for e in entries if isinstance(e, dict) and type(e.get("id")) is int]
    added = []
    for extra, span in enumerate(edit.added, start=1):
        made = _made(template, span, words, document)
        if isinstance(made, dict) and numbers:
            made["id"] = max(numbers) + extra
        added.append(json.dumps(made, ensure_ascii=ascii_only))
    if changed:
        text = spliced(text, changed)
        places = [(start, stop) for _, start, stop in elements(text)]
    dropped = {known[number] for number in edit.dropped}
    inside = [(start - 1, stop - 1) for start, stop in places]
    return (
        f"[{edited_list(text[1:-1], inside, lambda at: at not in dropped, added, ', ')}]"
        if dropped or added
        else text
    )


def _edited(text: str, span: Span, words: Sequence[tuple[int, int]], document: str) -> str:
    """Return the JSON text of an entry with another span in it."""
    value = json.loads(text)
    if isinstance(value, list):
        new = [*span[:2], span.label]
        pieces = [
            (start, stop, json.dumps(new[at], ensure_ascii=text.isascii()))
            for at, (old, start, stop) in enumerate(elements(text))
            if at < 3 and old != new[at]
        ]
        return spliced(text, pieces)
    inner = place(text, ("value",)) if _body(value) is not value else (0, len(text))
    body = text[slice(*inner)]
    wanted = _fields(_body(value), span, words, document)
    pieces = [
        (start, stop, json.dumps(wanted[key], ensure_ascii=text.isascii()))
        for key, old, start, stop in members(body)
        if key in wanted and wanted[key] != old
    ]
    return text[: inner[0]] + spliced(body, pieces) + text[inner[1] :]


def _fields(
    body: Mapping[str, Any], span: Span, words: Sequence[tuple[int, int]], document: str
) -> dict[str, Any]:
    """Return the fields of an object that a span decides."""
    start, end, label = (_key(body, usual) for usual in (_STARTS, _ENDS, _LABELS))
    fields: dict[str, Any] = {
        start or "start": span.start,
        end or "end": span.end,
        label or "label": [span.label] if isinstance(body.get(label or ""), list) else span.label,
    }
    inside = [at for at, (a, b) in enumerate(words) if a < span.end and span.start < b]
    if "text" in body:
        fields["text"] = document[span.start : span.end]
    if inside and "token_start" in body:
        fields["token_start"] = inside[0]
    if inside and "token_end" in body:
        # Prodigy's last token is part of the span.
        fields["token_end"] = inside[-1]
    return fields


def _made(template: Any, span: Span, words: Sequence[tuple[int, int]], document: str) -> Any:
    """Return a new entry in the manner of another one."""
    if isinstance(template, list) or template is None:
        return [*span[:2], span.label]
    body = _body(template)
    fields = _fields(body, span, words, document)
    if body is template:
        return {key: fields[key] for key in body if key in fields}
    kept = {key: value for key, value in template.items() if key not in ("id", "value", "meta")}
    return {"value": {key: fields[key] for key in body if key in fields}, **kept}
