"""Spans of characters as tags of words, and changed tags as changes of spans.

Positions count Unicode characters (code points), as Python does, in any script and direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from goldlabel.tasks.token.entities import Tokens, spans
from goldlabel.tasks.token.formats.sentences import TagChange, coded
from goldlabel.tasks.token.tags import tag_set

__all__ = ["Edits", "Span", "Tagged", "edits", "tagged"]

Words = Sequence[tuple[int, int]]


class Span(NamedTuple):
    """A piece of a text with a label, from `start` up to and without `end`."""

    start: int
    end: int
    label: str


class Tagged(NamedTuple):
    """A text as words and tags.

    Attributes
    ----------
    tags : list of str
        IOB2.
    owner : list of (int or None)
        Which span each word got its tag from.
    cut : int
        Spans whose ends are not those of words: they count for the whole words.
    left : int
        Spans that no tag can say: inside of others, or without a word.
    """

    tags: list[str | None]
    owner: list[int | None]
    cut: int
    left: int


def tagged(words: Words, found: Sequence[Span]) -> Tagged:
    """Give each word the tag of the span that it is in; of spans that overlap, of the longest."""
    tags: list[str | None] = ["O"] * len(words)
    owner: list[int | None] = [None] * len(words)
    starts, ends = (np.array(each, dtype=np.int64) for each in ([w[0] for w in words],
                                                                [w[1] for w in words]))  # fmt: skip
    cut = left = 0
    order = sorted(range(len(found)), key=lambda at: (found[at].start - found[at].end, at))
    for number in order:
        span = found[number]
        first = int(np.searchsorted(ends, span.start, side="right"))
        last = int(np.searchsorted(starts, span.end, side="left"))
        if first >= last or any(owner[at] is not None for at in range(first, last)):
            left += 1
            continue
        cut += bool(starts[first] != span.start or ends[last - 1] != span.end)
        for at in range(first, last):
            tags[at] = f"{'B' if at == first else 'I'}-{span.label}"
            owner[at] = number
    return Tagged(tags, owner, cut, left)


class Edits(NamedTuple):
    """What to do with the spans of a text.

    Attributes
    ----------
    changed : dict of int to Span
        New values by number of the span.
    dropped : set of int
    added : list of Span
    """

    changed: dict[int, Span]
    dropped: set[int]
    added: list[Span]


def edits(words: Words, found: Sequence[Span], change: TagChange) -> Edits:
    """Find the fewest changes of the spans that make their tags the new ones.

    A span whose tags stay is left alone; one of the same words gets another label, and one of the
    same label other ends; the others go, and new ones come.
    """
    owner = tagged(words, found).owner
    old, new = (_entities(tags) for tags in (change.old, change.new))
    numbers = {key: owner[key[0]] for key in old}
    gone = {key: numbers[key] for key in old if key not in new}
    come = [key for key in new if key not in old]
    changed: dict[int, Span] = {}
    for alike in (_same_words, _same_label):
        for key in list(come):
            twin = next((each for each in gone if alike(each, key)), None)
            number = None if twin is None else gone[twin]
            if twin is not None and number is not None:
                same = twin[:2] == key[:2]
                old_span = found[number]
                ends = old_span[:2] if same else (words[key[0]][0], words[key[1] - 1][1])
                changed[number] = Span(*ends, key[2])
                del gone[twin]
                come.remove(key)
    added = [Span(words[a][0], words[b - 1][1], label) for a, b, label in come]
    return Edits(changed, {n for n in gone.values() if n is not None}, added)


def _same_words(a: tuple[int, int, str], b: tuple[int, int, str]) -> bool:
    return a[:2] == b[:2]


def _same_label(a: tuple[int, int, str], b: tuple[int, int, str]) -> bool:
    return a[2] == b[2] and a[0] < b[1] and b[0] < a[1]


def _entities(tags: Sequence[str | None]) -> list[tuple[int, int, str]]:
    names = sorted({tag for tag in tags if tag is not None} | {"O"})
    rules = tag_set(names, "iob2") if len(names) > 1 else None
    if rules is None:
        return []
    codes = coded(tags, names)
    tokens = Tokens(np.arange(len(codes)), np.array([0, len(codes)], dtype=np.int64))
    start, end, kind = spans(codes, tokens.first, rules)
    return [
        (a, b, rules.types[k])
        for a, b, k in zip(start.tolist(), end.tolist(), kind.tolist(), strict=True)
    ]
