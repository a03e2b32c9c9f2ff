"""Which JSON is rows with lists, which texts with spans, and which is spaCy's, by its head."""

from __future__ import annotations

from typing import Any

from goldlabel.formats.head import Head

__all__ = ["is_docbin", "is_rows", "is_spacy_json", "is_spans"]


def is_docbin(head: Head) -> bool:
    """Return whether a file begins like what zlib packs."""
    return head.magic[:1] == b"\x78" and head.magic[1:2] in (b"\x01", b"\x5e", b"\x9c", b"\xda")


def is_spacy_json(head: Head) -> bool:
    """Return whether JSON lists documents of paragraphs."""
    first = head.json[0] if _is_array(head) and head.json else None
    return isinstance(first, dict) and "paragraphs" in first


def is_spans(head: Head) -> bool:
    """Return whether JSON lists texts with spans, or each line is one."""
    return _is_array(head) or (head.is_json_lines and not _has_lists(head.json))


def is_rows(head: Head) -> bool:
    """Return whether each line has lists of words and tags."""
    return head.is_json_lines and _has_lists(head.json)


def _is_array(head: Head) -> bool:
    return isinstance(head.json, list) and not head.rest


def _has_lists(row: dict[str, Any]) -> bool:
    """Return whether a row has lists of words, and not texts with spans."""
    words = [value for value in row.values() if isinstance(value, list) and value]
    flat = [value for value in words if not isinstance(value[0], dict | list)]
    return ("text" not in row and ("tokens" in row or "words" in row or len(flat) >= 2)) or (
        "text" in row and "spans" not in row and len(flat) >= 2
    )
