"""What a format gives, what it is told to change, and tags from one scheme to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.results.audit import Source
from goldlabel.tasks.token.data import BadLabel, Written
from goldlabel.tasks.token.entities import Tokens, canonical, converted
from goldlabel.tasks.token.tags import TagSet
from goldlabel.typing import Ints, Mask

__all__ = [
    "Changes",
    "LeftOut",
    "TagChange",
    "TaggedSentences",
    "coded",
    "in_scheme",
    "misplaced_tags",
]


class TaggedSentences(NamedTuple):
    """Sentences as a file has them.

    Attributes
    ----------
    tokens : list of str
        The words, sentence after sentence.
    tags : list of (str or None)
        Their tags; None where the file does not say.
    offsets : ndarray of shape (n + 1,), int64
        Sentence i owns ``tokens[offsets[i]:offsets[i + 1]]``.
    source : Source
    notes : list of str
    ids : ndarray of shape (n,), optional
    listed : tuple of str, optional
        Class names that the file itself lists, in order.
    bad : tuple of BadLabel
        Labels that are none, or lie wrong.
    left_out : LeftOut, optional
        What the file also has, and is not judged.
    texts : tuple of Written, optional
        Each sentence as it is written, where the file has texts.
    """

    tokens: list[str]
    tags: list[str | None]
    offsets: Ints
    source: Source
    notes: list[str]
    ids: npt.NDArray[Any] | None = None
    listed: tuple[str, ...] | None = None
    bad: tuple[BadLabel, ...] = ()
    left_out: LeftOut | None = None
    texts: tuple[Written, ...] | None = None

    def sentence(self, number: int) -> list[str | None]:
        """Return the tags of a sentence."""
        return self.tags[self.offsets[number] : self.offsets[number + 1]]


class LeftOut(NamedTuple):
    """Which texts of a file are not judged.

    Attributes
    ----------
    kept : ndarray of shape (n,), bool
        Whether each text of the file is.
    offsets : ndarray of shape (n + 1,), int64
        Tokens of all texts.
    """

    kept: Mask
    offsets: Ints


class TagChange(NamedTuple):
    """Tags of a sentence, before and after.

    Attributes
    ----------
    old, new : list of (str or None)
    confirmed : frozenset of int
        Tokens whose tag is right, and the span that it comes from is to have the tokens' ends.
    """

    old: list[str | None]
    new: list[str | None]
    confirmed: frozenset[int] = frozenset()

    @property
    def changed(self) -> list[int]:
        """Positions of the tokens whose tag changes."""
        return [
            at for at, (old, new) in enumerate(zip(self.old, self.new, strict=True)) if old != new
        ]


Changes = dict[int, TagChange]
"""What is to be changed, by sentence; no sentence without a change is in it."""


def coded(tags: Sequence[str | None], classes: Sequence[str]) -> Ints:
    """Return the class of each tag; -1 = not known, -2 = no such class."""
    place: dict[str | None, int] = {name: at for at, name in enumerate(classes)}
    place[None] = -1
    return np.fromiter((place.get(tag, -2) for tag in tags), dtype=np.int64, count=len(tags))


def in_scheme(codes: Ints, offsets: Ints, own: TagSet, other: TagSet) -> Ints:
    """Return tags of one set as tags of another.

    Raises
    ------
    InputError
        The other set has no class for a tag; names the first one.
    """
    lacking = sorted(set(own.types) - set(other.types))
    if lacking:
        raise InputError(
            "classes",
            f"have no tag of {lacking[0]!r}, which the labels have ({len(lacking)} such types)",
            "Predict every type that the labels have",
        )
    tokens = Tokens(np.arange(len(codes)), offsets)
    found = converted(codes, tokens.first, own, other)
    missing = np.flatnonzero((found < 0) & (codes >= 0))
    if missing.size:
        raise InputError(
            "classes",
            f"have no tag for a token that the labels call {own.names[codes[missing[0]]]!r}"
            f" ({missing.size} such tokens)",
            f"Predict all tags of the scheme {other.scheme}",
        )
    return found


def misplaced_tags(codes: Ints, offsets: Ints, rules: TagSet) -> list[tuple[int, int, str]]:
    """List sentence, token and tag where tags are not written as their scheme asks for."""
    first = Tokens(np.arange(len(codes)), offsets).first
    wrong = np.flatnonzero(canonical(codes, first, rules) != codes)
    sentence = np.searchsorted(offsets, wrong, side="right") - 1
    pairs = zip(
        wrong.tolist(), sentence.tolist(), (wrong - offsets[sentence]).tolist(), strict=True
    )
    return [(s, token, rules.names[codes[row]]) for row, s, token in pairs]
