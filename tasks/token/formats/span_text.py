"""One span as JSON has it: ``[0, 5, "PER"]``, or an object with start, end and label."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from goldlabel.errors import InputError
from goldlabel.formats.json.text import edited_entries, elements, members, place, quoted, spliced
from goldlabel.tasks.token.formats.characters import Edits, Span
from goldlabel.tasks.token.formats.offsets import Units

__all__ = ["Mark", "Writer", "edited_spans", "is_span", "mark_of"]

_STARTS = ("start", "start_offset", "begin", "from")
_ENDS = ("end", "end_offset", "to")
_LABELS = ("label", "labels", "tag", "type", "entity")
_ALL_LABELS = (*_LABELS, "hypertextlabels", "paragraphlabels")
_REGIONS = ("labels", "hypertextlabels", "paragraphlabels", "text", "hypertext", "paragraphs")
"""Types of Label Studio's results that are pieces of a text."""
_BODIES: tuple[tuple[str | int, ...], ...] = (("value",), ("points", 0))
"""Where start and end are: in Label Studio's "value", in Dataturks' first of "points"."""


class Mark(NamedTuple):
    """What an entry of a list of spans says.

    Attributes
    ----------
    start, end : int or None
        As the file counts, the end not included; None where they are no whole numbers.
    labels : tuple of str
        None, one or several.
    text : str, optional
        The span's own copy of its text.
    user : object
        Who gave it, if the entry says so.
    is_numbered : bool
        Whether labels are numbers.
    """

    start: int | None
    end: int | None
    labels: tuple[str, ...]
    text: str | None
    user: Any = None
    is_numbered: bool = False


def _key(entry: Mapping[str, Any], usual: Sequence[str]) -> str | None:
    return next((key for key in usual if key in entry), None)


def _body_path(entry: Mapping[str, Any]) -> tuple[str | int, ...]:
    """Return the path to the object with start and end."""
    if isinstance(entry.get("value"), dict):
        return _BODIES[0]
    points = entry.get("points")
    return _BODIES[1] if isinstance(points, list) and points and isinstance(points[0], dict) else ()


def _body(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    body: Any = entry
    for step in _body_path(entry):
        body = body[step]
    return body  # type: ignore[no-any-return]


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def mark_of(entry: Any) -> Mark | None:
    """Return what an entry says; None where it is no span, but a relation, a choice or a text."""
    if isinstance(entry, list):
        start, end, label = (*entry[:3], None, None, None)[:3]
        return _mark(start, end, label, None, None)
    if not isinstance(entry, dict):
        return None
    body = _body(entry)
    start_key, end_key = _key(body, _STARTS), _key(body, _ENDS)
    if start_key is None or end_key is None:
        return None
    if "value" in entry and entry.get("type", "labels") not in _REGIONS:
        return None
    start, end, label = body[start_key], body[end_key], _label(entry, body)
    if "points" in entry and body is not entry:
        end = end + 1 if _is_number(end) else end  # the last character is part of the span
        if len(entry["points"]) > 1:
            label = [label, label]  # pieces of one span: no tag can say it
    return _mark(start, end, label, body.get("text"), entry.get("user"))


def _label_key(entry: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    """Return under which key of the body the label is, or is to be put."""
    kind = str(entry.get("type"))
    if "value" in entry and kind.endswith("labels"):
        return kind
    return _key(body, _LABELS) or ("labels" if "value" in entry else "label")


def _label(entry: Mapping[str, Any], body: Mapping[str, Any]) -> Any:
    if body is entry or "value" in entry:
        return body.get(_label_key(entry, body))
    return entry.get(_key(entry, _LABELS) or "")  # beside Dataturks' points


def _mark(start: Any, end: Any, label: Any, text: Any, user: Any) -> Mark:
    listed = label if isinstance(label, list) else [label]
    labels = tuple(str(each) for each in listed if each or _is_number(each))
    known = _is_number(start) and _is_number(end) and all(
        isinstance(each, str | int) and not isinstance(each, bool) for each in listed if each
    )  # fmt: skip
    return Mark(
        start if known else None,
        end if known else None,
        labels if known else (),
        text if isinstance(text, str) else None,
        user,
        any(map(_is_number, listed)),
    )


def edited_spans(
    text: str,
    entries: Sequence[Any],
    edit: Edits,
    writer: Writer,
    usual: Any = None,
) -> str:
    """Return the JSON text of a list of spans with some changed, dropped and added.

    Parameters
    ----------
    text : str
        The list.
    entries : sequence
        What it holds.
    edit : Edits
        By position in the list.
    writer : Writer
    usual : object
        A span of another list, whose manner new ones take where this one is empty.
    """
    spans = [text[start:stop] for _, start, stop in elements(text)]
    changed = {at: writer.edited(spans[at], span) for at, span in edit.changed.items()}
    template = next((entry for entry in entries if is_span(entry)), usual)
    numbers = [e["id"] for e in entries if isinstance(e, dict) and _is_number(e.get("id"))]
    like = text if text.isascii() and writer.text.isascii() else writer.text
    added = []
    for extra, span in enumerate(edit.added, start=1):
        entry = writer.made(template, span)
        if isinstance(entry, dict) and numbers:
            entry["id"] = max(numbers) + extra
        added.append(quoted(entry, like))
    return edited_entries(text, changed, drop=edit.dropped, add=added)


def is_span(entry: Any) -> bool:
    """Return whether an entry is a whole span, in whose manner others can be written."""
    mark = mark_of(entry)
    return mark is not None and mark.start is not None and len(mark.labels) == 1


class Writer(NamedTuple):
    """How spans of a document are written.

    Attributes
    ----------
    text : str
        The document, of which entries may repeat a piece.
    words : sequence of (int, int)
        Its words, for entries that count them.
    units : Units, optional
        What offsets count, if it is not characters.
    """

    text: str
    words: Sequence[tuple[int, int]]
    units: Units | None = None

    def _offsets(self, span: Span) -> tuple[int, int]:
        if self.units is None:
            return span.start, span.end
        return self.units.offset(span.start), self.units.offset(span.end)

    def edited(self, text: str, span: Span) -> str:
        """Return the JSON text of an entry with another span in it."""
        value = json.loads(text)
        if isinstance(value, list):
            old_label = value[2] if len(value) > 2 else ""
            new = [*self._offsets(span), _as_before(old_label, span.label)]
            pieces = [
                (start, stop, quoted(new[at], text))
                for at, (old, start, stop) in enumerate(elements(text))
                if at < 3 and old != new[at]
            ]
            return spliced(text, pieces)
        path = _body_path(value)
        start, stop = place(text, path)
        edits = self._members(text[start:stop], self._decided(value, span))
        text = text[:start] + spliced(text[start:stop], edits) + text[stop:]
        if path and (key := _key(value, _LABELS[:2])) is not None and path == _BODIES[1]:
            label = {key: _as_before(value[key], span.label)}
            text = spliced(text, self._members(text, label))
        return text

    def _members(self, body: str, new: Mapping[str, Any]) -> list[tuple[int, int, str]]:
        """Return the edits that give an object these members; those that it lacks come last."""
        there = list(members(body))
        edits = [
            (start, stop, quoted(new[key], body))
            for key, old, start, stop in there
            if key in new and new[key] != old
        ]
        known = {key for key, *_ in there}
        lacking = [key for key in new if key not in known and key in _ALL_LABELS]
        end = max((stop for *_, stop in there), default=0)
        return edits + [
            (end, end, f", {quoted(key, body)}: {quoted(new[key], body)}") for key in lacking
        ]

    def _decided(self, entry: Mapping[str, Any], span: Span) -> dict[str, Any]:
        """Return the fields of an object that a span decides."""
        body = _body(entry)
        start, end = self._offsets(span)
        inclusive = _body_path(entry) == _BODIES[1]
        label = _label_key(entry, body)
        fields: dict[str, Any] = {
            _key(body, _STARTS) or "start": start,
            _key(body, _ENDS) or "end": end - inclusive,
        }
        if not inclusive:
            usual = [] if "value" in entry else ""
            fields[label] = _as_before(body.get(label, usual), span.label)
        inside = [at for at, (a, b) in enumerate(self.words) if a < span.end and span.start < b]
        if "text" in body:
            fields["text"] = self.text[span.start : span.end]
        if inside and "token_start" in body:
            fields["token_start"] = inside[0]
        if inside and "token_end" in body:
            # Prodigy's last token is part of the span.
            fields["token_end"] = inside[-1]
        return fields

    def made(self, template: Any, span: Span) -> Any:
        """Return a new entry in the manner of another one."""
        if isinstance(template, list) or template is None:
            old = template[2] if template is not None and len(template) > 2 else ""
            return [*self._offsets(span), _as_before(old, span.label)]
        body, path = _body(template), _body_path(template)
        fields = self._decided(template, span)
        new = {key: fields[key] for key in body if key in fields}
        if not path:
            return new | ({"user": template["user"]} if "user" in template else {})
        kept = {
            key: value
            for key, value in template.items()
            if key not in ("id", "value", "meta", "points")
        }
        if path == _BODIES[0]:
            return {"value": new, **kept}
        label = _key(template, _LABELS) or "label"
        return {**kept, label: _as_before(template.get(label), span.label), "points": [new]}


def _as_before(old: Any, label: str) -> Any:
    """Return a label as the file writes labels: in a list, or as a number."""
    if isinstance(old, list):
        return [_as_before(old[0] if old else "", label)]
    if not _is_number(old):
        return label
    if not label.lstrip("-").isdigit():
        raise InputError("corrections", f"has the label {label!r}, and the file numbers", "Use one")
    return int(label)
