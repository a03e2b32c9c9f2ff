"""Which format a file has, by its content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from goldlabel.errors import InputError
from goldlabel.formats.json.text import parse
from goldlabel.formats.text import (
    check_file,
    first_bytes,
    is_folder,
    read_text,
)

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
    if is_folder(path):
        return "huggingface"
    head = first_bytes(check_file(path))
    if head.startswith(b"PAR1"):
        return "parquet"
    if head[:1] == b"\x78" and (head[0] * 256 + head[1]) % 31 == 0 and head[1] in (1, 94, 156, 218):
        return "docbin"
    data = read_text(path, encoding=encoding).data
    begin = data[:4096].lstrip()[:1]
    if begin == b"[":
        content = _json(data)
        if content is not None:
            return _of_array(path, content)
    if begin == b"{":
        first = _json(data.strip().split(b"\n", 1)[0])
        if isinstance(first, dict):
            return "jsonl" if _has_lists(first) else "spans"
        if _json(data) is not None:
            raise InputError(
                str(path), "is one JSON object over several lines", "Write one object on each line"
            )
    return "conll"


def _json(data: bytes) -> Any:
    try:
        return parse(data.decode("utf-8"), "")
    except InputError:
        return None


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
