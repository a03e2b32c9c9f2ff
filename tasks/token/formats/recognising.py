"""Which format a file has, by its head."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from goldlabel.errors import InputError
from goldlabel.formats.head import Head
from goldlabel.formats.known import foreign, is_parquet

__all__ = ["FORMATS", "TABLES", "recognised"]

TABLES = ("jsonl", "parquet", "huggingface")
"""Formats that are tables with lists of words and tags."""
FORMATS = (*TABLES, "conll", "spans", "spacy_json", "docbin")
"""Names of the native formats."""


def recognised(path: Path, format: str | None, encoding: str | None = None) -> str:
    """Return the format of a file or folder.

    Raises
    ------
    InputError
        It is none that is known, or can't be read.
    """
    if format is not None:
        if format not in FORMATS:
            raise InputError("format", f"is {format!r}, not one of {', '.join(FORMATS)}", "Use one")
        return format
    head = Head.of(path, encoding)
    if head.is_folder:
        return "huggingface"
    if is_parquet(head):
        return "parquet"
    if _is_zlib(head.magic):
        return "docbin"
    if isinstance(head.json, list) and not head.rest:
        return _of_array(path, head.json)
    if head.is_json_lines:
        return "jsonl" if _has_lists(head.json) else "spans"
    if isinstance(head.json, dict) and not head.rest:
        raise InputError(
            str(path), "is one JSON object over several lines", "Write one object on each line"
        )
    if (known := foreign(head)) is not None:
        raise InputError(str(path), *known)
    return "conll"


def _is_zlib(magic: bytes) -> bool:
    return magic[:1] == b"\x78" and magic[1:2] in (b"\x01", b"\x5e", b"\x9c", b"\xda")


def _has_lists(row: dict[str, Any]) -> bool:
    """Return whether a row has lists of words, and not texts with spans."""
    words = [value for value in row.values() if isinstance(value, list) and value]
    flat = [value for value in words if not isinstance(value[0], dict | list)]
    return ("text" not in row and ("tokens" in row or "words" in row or len(flat) >= 2)) or (
        "text" in row and "spans" not in row and len(flat) >= 2
    )


def _of_array(path: Path, content: Any) -> str:
    first = content[0] if content else None
    if isinstance(first, dict) and "paragraphs" in first:
        return "spacy_json"
    if isinstance(first, dict | list):
        return "spans"
    shown = json.dumps(first)[:60]
    raise InputError(
        str(path), f"is a JSON array of {shown}", "Name an array of documents, or JSON Lines"
    )
