"""A text in words as the report shows it: pieces with the given and the suggested label of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from goldlabel.scenes import Choice, Pieces, Scene, Span, Spans

__all__ = ["Piece", "pieces_of"]

_NOTHING = "O"


class Piece(NamedTuple):
    """Words that have one label now, and what is suggested; "" where there is none."""

    text: str
    given: str
    suggested: str


def pieces_of(scene: Scene) -> list[Piece]:
    """Return the text of a scene in pieces; none where it has no words."""
    found: list[Piece] = []
    for block in scene.blocks:
        if isinstance(block, Pieces):
            found += _pieces(block, scene)
    return found


def _pieces(block: Pieces, scene: Scene) -> Iterator[Piece]:
    """Yield a piece for each run of words that are of the same spans, given and suggested."""
    n = len(block.words)
    given, new = _by_word(block.spans, n), _suggested(scene, block.spans, n)
    runs = groupby(range(n), key=lambda at: (given[at], new[at], given[at] or new[at] or at))
    shown: set[Span] = set()
    for (own, other, _), places in runs:
        words = [block.words[at] for at in places]
        is_suspect = own != other
        suggested = _named(other, shown) or _NOTHING if is_suspect else ""
        label = _named(own, shown) or (_NOTHING if is_suspect else "")
        yield Piece(" ".join(words), label, suggested)


def _named(span: Span | None, shown: set[Span]) -> str:
    """Return the label of a span; of a further piece of it, that it goes on."""
    if span is None:
        return ""
    label = f"… {span.label}" if span in shown else span.label
    shown.add(span)
    return label


def _by_word(spans: Sequence[Span], n: int) -> list[Span | None]:
    """Return the span that each of n words is in."""
    found: list[Span | None] = [None] * n
    for span in spans:
        for at in range(max(span.first, 0), min(span.stop, n)):
            found[at] = span
    return found


def _suggested(scene: Scene, spans: Sequence[Span], n: int) -> list[Span | None]:
    """Return the span that each word is in once all suggestions are taken."""
    found = _by_word(spans, n)
    for question in scene.questions:
        if isinstance(question, Spans):
            first, stop = max(question.first, 0), min(question.stop, n)
            own = _by_word(question.spans_suggested, n)
            found[first:stop] = own[first:stop]
        elif isinstance(question, Choice):
            for at in question.parts:
                if 0 <= at < n and question.suggested != question.given:
                    is_none = question.suggested in ("", _NOTHING)
                    found[at] = None if is_none else Span(at, at + 1, question.suggested)
    return found
