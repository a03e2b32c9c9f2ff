"""JSON text with places: where each value of an object or a list stands, to change one alone."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any

from goldlabel.errors import InputError

__all__ = [
    "edited_entries",
    "edited_list",
    "elements",
    "kind_of",
    "loaded",
    "members",
    "parse",
    "place",
    "quoted",
    "spliced",
    "whole",
]

_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"
_HALF = re.compile("[\ud800-\udfff]")
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPED_HALF_BYTES = re.compile(rb"\\u[dD][89a-fA-F]")


def parse(text: str, where: str) -> Any:
    """Return what a JSON text holds; see `whole` for half characters.

    Raises
    ------
    InputError
        It is not JSON; says where.
    """
    try:
        return loaded(text)
    except json.JSONDecodeError as error:
        place = f"{where}: line {error.lineno}, column {error.colno}"
        raise InputError(place, f"is not JSON ({error.msg})", "Write it again") from error
    except (ValueError, RecursionError) as error:  # too long a number, too deep a nesting
        raise InputError(where, f"is not JSON that can be read ({error})", "Mend it") from error


def loaded(text: str | bytes) -> Any:
    """Return what a JSON text holds, as `json.loads` does; see `whole` for half characters."""
    value = json.loads(text)
    if isinstance(text, str):
        return whole(value) if _ESCAPED_HALF.search(text) else value
    return whole(value) if _ESCAPED_HALF_BYTES.search(text) else value


def whole(value: Any) -> Any:
    r"""Return a value with U+FFFD for each half of a character (a lone surrogate) in its texts.

    JSON can escape half of a pair, and texts that were cut after so many UTF-16 units end in one;
    nothing can write it as UTF-8.

    Examples
    --------
    >>> whole(["a", {"b\ud83d": "\ude00"}]) == ["a", {"b\ufffd": "\ufffd"}]
    True
    """
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, list):
        return [whole(each) for each in value]
    if isinstance(value, dict):
        return {_HALF.sub("\ufffd", key): whole(each) for key, each in value.items()}
    return value


def kind_of(value: object) -> str:
    """Return what JSON calls a value."""
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return kinds.get(type(value), "number")


def members(
    text: str, start: int = 0, decoder: json.JSONDecoder = _DECODER
) -> Iterator[tuple[str, Any, int, int]]:
    """Yield key, value, start and end of each member of the object at `start` of valid JSON."""
    position = _skip(text, _skip(text, start) + 1)
    while text[position] == '"':
        key, position = decoder.raw_decode(text, position)
        begin = _skip(text, _skip(text, position) + 1)  # over the colon
        value, stop = decoder.raw_decode(text, begin)
        yield whole(key), whole(value) if isinstance(value, str) else value, begin, stop
        position = _skip(text, stop)
        if text[position] == ",":
            position = _skip(text, position + 1)


def elements(
    text: str, start: int = 0, decoder: json.JSONDecoder = _DECODER
) -> Iterator[tuple[Any, int, int]]:
    """Yield value, start and end of each element of the list at `start` of valid JSON."""
    position = _skip(text, _skip(text, start) + 1)
    while text[position] != "]":
        value, stop = decoder.raw_decode(text, position)
        yield whole(value) if isinstance(value, str) else value, position, stop
        position = _skip(text, stop)
        if text[position] == ",":
            position = _skip(text, position + 1)


def place(text: str, path: Sequence[str | int]) -> tuple[int, int]:
    """Return where the value stands that a path of keys and positions leads to, in valid JSON."""
    start, stop = 0, len(text)
    for step in path:
        if isinstance(step, int):
            _, start, stop = next(islice(elements(text, start), step, None))
        else:  # of a key that comes twice, the last one counts, as in reading
            places = [(a, b) for key, _, a, b in members(text, start) if key == step]
            start, stop = places[-1]
    return start, stop


def _skip(text: str, position: int) -> int:
    while text[position] in _SPACE:
        position += 1
    return position


def spliced(text: str, changes: Sequence[tuple[int, int, str]]) -> str:
    """Return a text with some pieces, which do not overlap, replaced: (start, end, new)."""
    pieces, done = [], 0
    for start, stop, new in sorted(changes):
        pieces += [text[done:start], new]
        done = stop
    return "".join([*pieces, text[done:]])


def quoted(value: Any, like: str) -> str:
    """Return a value as JSON text: in ASCII where the text that it is put into is."""
    return json.dumps(value, ensure_ascii=like.isascii())


def edited_entries(
    text: str,
    changed: Mapping[int, str],
    *,
    drop: Collection[int] = (),
    add: Sequence[str] = (),
) -> str:
    """Return the text of a JSON list with entries changed and left out, and others added.

    Examples
    --------
    >>> edited_entries("[1,  [2], 3]", {1: "[4]"}, drop={0}, add=["5"])
    '[[4],  3,  5]'
    """
    places = [(start, stop) for _, start, stop in elements(text)]
    if changed:
        text = spliced(text, [(*places[at], new) for at, new in changed.items()])
        places = [(start, stop) for _, start, stop in elements(text)]
    if not drop and not add:
        return text
    begin, end = text.index("[") + 1, text.rindex("]")
    inside = [(start - begin, stop - begin) for start, stop in places]
    entries = edited_list(text[begin:end], inside, lambda at: at not in drop, add, ", ")
    return text[:begin] + entries + text[end:]


def edited_list(
    text: str,
    spans: Sequence[tuple[int, int]],
    keep: Callable[[int], bool],
    add: Sequence[str],
    separator: str,
) -> str:
    """Return the text of a list with some entries left out and others added at its end.

    Every entry that stays, and what stood between entries, is as it was.

    Parameters
    ----------
    text : str
        What stands between the brackets, or the whole list where it has none.
    spans : sequence of (int, int)
        Start and end of each entry.
    keep : callable
        Whether an entry, by its number, stays.
    add : sequence of str
        New entries as they are to be written.
    separator : str
        What to put between entries where the list has fewer than two.

    Examples
    --------
    >>> edited_list("a,  b, c", [(0, 1), (4, 5), (7, 8)], lambda i: i != 0, ["d"], ",")
    'b, c, d'
    """
    gaps = [text[a[1] : b[0]] for a, b in pairwise(spans)]
    usual = Counter(gaps).most_common(1)[0][0] if gaps else separator
    before = text[: spans[0][0]] if spans else ""
    after = text[spans[-1][1] :] if spans else ""
    parts: list[str] = []
    for number, (start, stop) in enumerate(spans):
        if keep(number):
            parts += [gaps[number - 1]] if parts else []
            parts.append(text[start:stop])
    for entry in add:
        parts += [usual] if parts else []
        parts.append(entry)
    if not parts:
        return ""
    return before + "".join(parts) + after
