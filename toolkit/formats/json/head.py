"""What a JSON text begins with, though only its first bytes are at hand."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

__all__ = ["Outline", "outline"]

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*+\\?(?:"|\Z))(\s*:)?|[][{},]', re.DOTALL)
"""A string, with the colon that makes it a key, or a mark; a string that is cut off is the last."""


class Outline(NamedTuple):
    """What was seen.

    Attributes
    ----------
    is_list : bool
        Whether the text is a list.
    keys : set of str
        Keys of the text, if it is an object.
    first : dict
        By the key of each list in it ("" for the text itself, if it is a list): the keys of the
        list's first entry, none where that is no object.
    """

    is_list: bool
    keys: frozenset[str]
    first: dict[str, frozenset[str]]


def outline(head: bytes) -> Outline:
    """Return the keys that stand in the first bytes of a JSON text, however much is missing.

    Examples
    --------
    >>> begin = outline(b'{"info": {"year": 1}, "images": [{"id": 1, "file_name": "a.j')
    >>> sorted(begin.keys), {key: sorted(names) for key, names in begin.first.items()}
    (['images', 'info'], {'images': ['file_name', 'id']})
    """
    opened, key, entry = "", "", 0
    keys: set[str] = set()
    first: dict[str, set[str]] = {}
    for token in _TOKEN.finditer(head.decode("utf-8", "replace")):
        mark = token[0][0]
        if mark in "[{":
            opened += mark
            if opened in ("[", "{["):
                first[key], entry = set(), 0
        elif mark in "]}":
            opened = opened[:-1]
        elif mark == ",":
            entry += opened in ("[", "{[")
        elif token[2] is not None:
            name = _decoded(token[1])
            if opened == "{":
                keys.add(name)
                key = name
            elif opened in ("[{", "{[{") and entry == 0:
                first[key].add(name)
    is_list = "" in first
    return Outline(is_list, frozenset(keys), {name: frozenset(of) for name, of in first.items()})


def _decoded(text: str) -> str:
    try:
        return str(json.loads(text, strict=False))
    except ValueError:
        return text[1:-1]
