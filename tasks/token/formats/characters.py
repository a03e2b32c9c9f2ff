"""Spans of characters as tags of words, and changed tags as changes of spans.

Positions count Unicode characters (code points), as Python does, in any script and direction.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from goldlabel.tasks.token.entities import Tokens, spans
from goldlabel.tasks.token.formats.sentences import TagChange, coded
from goldlabel.tasks.token.tags import tag_set

__all__ = ["Edits", "Marked", "Span", "Tagged", "edits", "tagged", "touched"]

Piece = tuple[int, int]
Words = Sequence[Piece]


class Span(NamedTuple):
    """A piece of a text with a label, from `start` up to and without `end`."""

    start: int
    end: int
    label: str


class Tagged(NamedTuple):
    """A text as words and tags.

    Attributes
    ----------
    tags : list of (str or None)
        IOB2; None where it is not known.
    owner : list of (int or None)
        Which span each word got its tag from.
    cut : list of int
        Spans whose ends are not those of words: they count for the whole words.
    left : int
        Spans that no tag can say: inside of others, or without a word.
    """

    tags: list[str | None]
    owner: list[int | None]
    cut: list[int]
    left: int


def tagged(words: Words, labeled: Mapping[int, Span], unknown: Sequence[Piece] = ()) -> Tagged:
    """Give each word the tag of the span that it is in; of spans that overlap, of the longest.

    Parameters
    ----------
    words : sequence of (int, int)
    labeled : mapping of int to Span
    unknown : sequence of (int, int)
        Pieces of the text whose words have a label that is not known.
    """
    tags: list[str | None] = ["O"] * len(words)
    owner: list[int | None] = [None] * len(words)
    find = _Finder(words)
    cut, left = [], 0
    order = sorted(labeled, key=lambda at: (labeled[at].start - labeled[at].end, at))
    for number in order:
        span = labeled[number]
        first, last = find.inside(span.start, span.end)
        if first >= last or any(owner[at] is not None for at in range(first, last)):
            left += 1
            continue
        if (words[first][0], words[last - 1][1]) != span[:2]:
            cut.append(number)
        for at in range(first, last):
            tags[at] = f"{'B' if at == first else 'I'}-{span.label}"
            owner[at] = number
    for start, end in unknown:
        for at in range(*find.inside(start, end)):
            tags[at] = tags[at] if owner[at] is not None else None
    return Tagged(tags, owner, sorted(cut), left)


class _Finder:
    """Finds the words that a piece of a text touches."""

    def __init__(self, words: Words) -> None:
        self._starts = np.array([start for start, _ in words], dtype=np.int64)
        self._ends = np.array([end for _, end in words], dtype=np.int64)

    def inside(self, start: int, end: int) -> tuple[int, int]:
        first = int(np.searchsorted(self._ends, start, side="right"))
        return first, int(np.searchsorted(self._starts, end, side="left"))


def touched(words: Words, start: int, end: int) -> tuple[int, int]:
    """Return the first word that a piece of a text touches, and the one after the last."""
    first, last = _Finder(words).inside(start, end)
    return first, max(first, last)


class Marked(NamedTuple):
    """The spans of a text, by their position in its list.

    Attributes
    ----------
    labeled : dict of int to Span
        Those that are judged.
    unknown : list of (int, int)
        Pieces of the text whose words have a label that is not known.
    broken : dict of int to (int, int)
        Spans that lie wrong or have no label, with the piece of the text that they may mean.
    equals : dict of int to list of int
        Spans that say the same again.
    """

    labeled: dict[int, Span]
    unknown: list[Piece]
    broken: dict[int, Piece]
    equals: dict[int, list[int]]

    def mendable(self, span: Span, used: Container[int]) -> int | None:
        """Return a broken span that may mean this one."""
        return next(
            (
                number
                for number, (start, end) in self.broken.items()
                if start < span.end and span.start < end and number not in used
            ),
            None,
        )


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


def edits(words: Words, document: Marked, change: TagChange) -> Edits:
    """Find the fewest changes of the spans that make their tags the new ones.

    A span whose tags stay is left alone; one of the same words gets another label, and one of the
    same label other ends; the others go, and new ones come. A span that lies wrong, or has no
    label, is mended before a new one is put on it.
    """
    owner = tagged(words, document.labeled, document.unknown).owner
    old, new = (_entities(tags) for tags in (change.old, change.new))
    numbers = {key: owner[key[0]] for key in old}
    gone = {key: numbers[key] for key in old if key not in new}
    come = [key for key in new if key not in old]
    changed: dict[int, Span] = {
        number: Span(words[key[0]][0], words[key[1] - 1][1], key[2])
        for key, number in numbers.items()
        if number is not None and key in new and change.confirmed & set(range(*key[:2]))
    }
    for alike in (_same_words, _same_label):
        for key in list(come):
            same = next((each for each in gone if alike(each, key)), None)
            number = None if same is None else gone[same]
            if same is not None and number is not None:
                ends = document.labeled[number][:2] if same[:2] == key[:2] else (
                    words[key[0]][0], words[key[1] - 1][1]
                )  # fmt: skip
                changed[number] = Span(*ends, key[2])
                del gone[same]
                come.remove(key)
    added = []
    for a, b, label in come:
        span = Span(words[a][0], words[b - 1][1], label)
        number = document.mendable(span, changed)
        if number is None:
            added.append(span)
        else:
            changed[number] = span
    return _of_equals(Edits(changed, {n for n in gone.values() if n is not None}, added), document)


def _of_equals(edit: Edits, document: Marked) -> Edits:
    """Do to spans that are there twice what is done to one of them."""
    changed, dropped = dict(edit.changed), set(edit.dropped)
    for number, equals in document.equals.items():
        if number in edit.changed:
            changed |= dict.fromkeys(equals, edit.changed[number])
        if number in edit.dropped:
            dropped |= set(equals)
    return Edits(changed, dropped, edit.added)


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
