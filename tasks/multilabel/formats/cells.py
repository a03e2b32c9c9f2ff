"""Lists of classes written into one text: ``a|b``, ``a, b``, ``["a", "b"]``, ``['a', 'b']``.

A text is read into entries that know where they stand, so that a list can lose and gain entries
while everything else in it stays as it is.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from goldlabel.errors import InputError
from goldlabel.formats.json.text import edited_list

__all__ = ["Entry", "Style", "edit", "entries", "find_style", "writer"]

SEPARATORS = "|;,"
"""What separates classes, in the order in which it is looked for; last of all, white space."""

_TOKEN = re.compile(
    r"""\s*(?: "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^,\[\](){}"'\s][^,\[\](){}"']* )\s*""",
    re.VERBOSE | re.DOTALL,
)
_BRACKETS = {"[": "]", "(": ")", "{": "}"}
_SAMPLE = 5000


@dataclass(frozen=True)
class Style:
    """How a column writes its lists.

    Attributes
    ----------
    separator : str
        One of ``| ; ,`` or any other text; a blank for white space; empty where every text is one
        class; ``[`` for lists in brackets.
    gap : str
        What stands between two entries.
    quote : str
        Around the entries of lists in brackets; empty for none.
    """

    separator: str
    gap: str = ""
    quote: str = ""

    @property
    def described(self) -> str:
        """The same in words."""
        words = {"[": "lists in brackets", " ": "separated by white space", "": "one class each"}
        return words.get(self.separator, f"separated by {self.separator!r}")


class Entry(NamedTuple):
    """A class in a text, and where it stands."""

    value: Any
    start: int
    stop: int


def find_style(
    texts: Collection[str], *, separator: str | None = None, known: Collection[str] = ()
) -> Style:
    """Find out how the lists of a column are written.

    Parameters
    ----------
    texts : collection of str
    separator : str, optional
        Taken in place of what the texts look like.
    known : collection of str
        Names of classes: what splits texts into most of these is right.
    """
    filled = [text.strip() for text in texts if text.strip()][:_SAMPLE]
    if separator is None:
        separator = _separator(filled, known)
    style = Style(separator)
    gaps: Counter[str] = Counter()
    quotes: Counter[str] = Counter()
    for text in filled:
        with contextlib.suppress(InputError):  # who reads the rows says which one
            places = entries(text, style)
            gaps.update(text[a.stop : b.start] for a, b in pairwise(places))
            quotes.update(text[a.start] for a in places if text[a.start] in "\"'")
    usual = {"[": ", ", "": ""}.get(separator, separator)
    gap = gaps.most_common(1)[0][0] if gaps else usual
    quote = quotes.most_common(1)[0][0] if quotes else ""
    return Style(separator, gap, quote if separator == "[" else "")


def _separator(texts: Sequence[str], known: Collection[str]) -> str:
    if texts and all(_BRACKETS.get(text[0]) == text[-1] for text in texts):
        return "["
    present = [each for each in SEPARATORS if any(each in text for text in texts)]
    if any(len(text.split()) > 1 for text in texts):
        present.append(" ")
    names = set(known)
    if names:
        return max(["", *present], key=lambda each: _share(texts, each, names))
    return present[0] if present else "|"


def _share(texts: Sequence[str], separator: str, known: set[str]) -> float:
    """Return the share of the entries that are known, if texts are split so."""
    found = [entry.value for text in texts for entry in entries(text, Style(separator))]
    return sum(value in known for value in found) / max(len(found), 1)


def entries(text: str, style: Style, where: str = "labels") -> list[Entry]:
    """Return the classes of a text, and where they stand.

    Raises
    ------
    InputError
        A list in brackets is not one.
    """
    if style.separator == "[":
        return _in_brackets(text, where)
    if style.separator == " ":
        return [Entry(match[0], *match.span()) for match in re.finditer(r"\S+", text)]
    pieces = text.split(style.separator) if style.separator else [text]
    found, start = [], 0
    for piece in pieces:
        value = piece.strip()
        if value:
            begin = start + len(piece) - len(piece.lstrip())
            found.append(Entry(value, begin, begin + len(value)))
        start += len(piece) + len(style.separator)
    return found


def _in_brackets(text: str, where: str) -> list[Entry]:
    start, stop = _inside(text, where)
    found: list[Entry] = []
    position = start
    while text[position:stop].strip():
        match = _TOKEN.match(text, position, stop)
        if match is None:
            raise _no_list(text, where)
        raw = match[0].strip()
        begin = position + match[0].index(raw)
        found.append(Entry(_value(raw, text, where), begin, begin + len(raw)))
        position = match.end()
        if position < stop:
            if text[position] != ",":
                raise _no_list(text, where)
            position += 1
    return found


def _inside(text: str, where: str) -> tuple[int, int]:
    """Return where what is between the brackets begins and ends."""
    kept = text.strip()
    if len(kept) < 2 or _BRACKETS.get(kept[0]) != kept[-1]:
        raise _no_list(text, where)
    start = text.index(kept[0]) + 1
    return start, start + len(kept) - 2


def _no_list(text: str, where: str) -> InputError:
    shown = repr(text if len(text) <= 60 else text[:57] + "...")
    return InputError(where, f"is {shown}, no list of classes", 'Write it as ["a", "b"]')


def _value(raw: str, text: str, where: str) -> Any:
    """Return what an entry of a list in brackets stands for: a number, or text."""
    try:
        if raw[0] == '"':
            return json.loads(raw, strict=False)
        if raw[0] == "'":
            return ast.literal_eval(raw)  # a single string, as the pattern has made sure
    except (ValueError, SyntaxError) as error:
        raise _no_list(text, where) from error
    return int(raw) if re.fullmatch(r"-?\d{1,18}", raw) else raw


def edit(
    text: str, style: Style, changes: Mapping[Any, bool], where: str, write: Callable[[Any], str]
) -> str:
    """Return a text whose list has lost some classes and gained others.

    Parameters
    ----------
    text : str
    style : Style
    changes : mapping of object to bool
        For each class, as `entries` gives it, whether it is to be there.
    where : str
        File, row and column, for errors.
    write : callable
        Turns a class into an entry; see `writer`.
    """
    blank = not text.strip()
    if style.separator == "[" and blank:
        text = "[]"
    found = entries(text, style, where)
    present = {entry.value for entry in found}
    add = [write(value) for value, there in changes.items() if there and value not in present]
    if not add and all(changes.get(entry.value, True) for entry in found):
        return text
    start, stop = _inside(text, where) if style.separator == "[" else (0, len(text))
    inside = text[start:stop]
    spans = [(entry.start - start, entry.stop - start) for entry in found]
    gap = style.gap or {"[": ", "}.get(style.separator, style.separator)
    if add and not style.separator and any(changes.get(e.value, True) for e in found):
        raise InputError(
            where, f"holds one class, {text!r}, and can't hold a second", "Say what separates them"
        )
    new = edited_list(inside, spans, lambda i: changes.get(found[i].value, True), add, gap)
    return text[:start] + new + text[stop:]


def writer(style: Style, where: str) -> Callable[[Any], str]:
    """Return what writes a class as an entry of a list.

    Raises
    ------
    InputError
        (When called.) The list would be read as other classes.
    """

    def write(value: Any) -> str:
        if style.separator == "[":
            if not isinstance(value, str):
                return str(value)
            if style.quote == "'":
                return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
            quoted = json.dumps(value, ensure_ascii=False)
            return quoted if style.quote or not _TOKEN.fullmatch(value) else value
        new = str(value)
        if [entry.value for entry in entries(new, style)] != [new]:
            raise InputError(
                where,
                f"cannot hold the class {new!r}, which is read as something else",
                "Separate classes by another character",
            )
        return new

    return write
