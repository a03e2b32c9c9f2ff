"""Entities as spans of tokens: those given, those that the probabilities support, what differs.

All positions are rows: tokens of all sentences, one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.tasks.token.kernels import most_probable
from goldlabel.tasks.token.tags import TagSet
from goldlabel.typing import Ints, Mask

__all__ = [
    "ENTITY_KINDS",
    "Differences",
    "Spans",
    "Tokens",
    "canonical",
    "compare",
    "converted",
    "misplaced",
    "spans",
]


ENTITY_KINDS = ("wrong type", "wrong boundary", "missed entity", "spurious entity")
"""What can be wrong with the entities at one place, by number."""
WRONG_TYPE, WRONG_BOUNDARY, MISSED, SPURIOUS = range(4)
OUTSIDE, BEGIN, INSIDE, END, SINGLE = range(5)
"""Columns of `TagSet.table`."""


class Tokens(NamedTuple):
    """Tokens of some sentences.

    Attributes
    ----------
    rows : ndarray of shape (m,), int64
        Their rows of pred_probs.
    offsets : ndarray of shape (s + 1,), int64
        Sentence i owns ``rows[offsets[i]:offsets[i + 1]]``.
    """

    rows: Ints
    offsets: Ints

    @property
    def first(self) -> Mask:
        """Which tokens begin a sentence."""
        first = np.zeros(len(self.rows), dtype=np.bool_)
        first[self.offsets[:-1][np.diff(self.offsets) > 0]] = True
        return first


class Spans(NamedTuple):
    """Entities as a tag sequence has them, read as leniently as the CoNLL evaluation does.

    Attributes
    ----------
    start, end : ndarray of shape (e,), int64
        Positions among the tokens; the end is not part of the entity.
    type : ndarray of shape (e,), int64
    """

    start: Ints
    end: Ints
    type: Ints


def spans(tags: Ints, first: Mask, rules: TagSet) -> Spans:
    """Find the entities in a sequence of tags; -1 = not known, which belongs to none.

    An entity begins where the scheme says so, and wherever its type begins: an I after an outside
    tag is the begin of one that is badly written.
    """
    kind, begins, last = _roles(tags, first, rules)
    start = np.flatnonzero(begins)
    return Spans(start, np.flatnonzero(last) + 1, kind[start])


def canonical(tags: Ints, first: Mask, rules: TagSet) -> Ints:
    """Return the tags as the scheme writes the entities that they mean.

    A tag stays where the classes have no other for it, and where it is not known.
    """
    found = converted(tags, first, rules, rules)
    return np.where(found < 0, tags, found)


def converted(tags: Ints, first: Mask, rules: TagSet, other: TagSet) -> Ints:
    """Return the entities of a sequence of tags as another set of tags writes them.

    -1 where a tag is not known, and where the other set has none for it.
    """
    own_kind, begins, last = _roles(tags, first, rules)
    place = {name: at for at, name in enumerate(other.types)}
    kind = np.array([*(place.get(name, -1) for name in rules.types), -1])[own_kind]
    if other.scheme == "io":
        role = np.full(len(tags), INSIDE)
    elif other.scheme == "iob1":
        touches = begins & (np.append(-1, own_kind[:-1]) == own_kind) & ~first
        role = np.where(touches, BEGIN, INSIDE)
    elif other.scheme == "iob2":
        role = np.where(begins, BEGIN, INSIDE)
    else:
        role = np.where(begins, np.where(last, SINGLE, BEGIN), np.where(last, END, INSIDE))
    found = other.table[kind, np.where(own_kind >= 0, role, OUTSIDE)]
    return np.where(tags < 0, -1, found)


def misplaced(labels: Ints, offsets: Ints, rules: TagSet) -> Ints:
    """Return the sentences whose tags break the rules of their scheme.

    Tags that are not known break none, whatever stands beside them.
    """
    if not len(labels):
        return np.empty(0, dtype=np.int64)
    filled = offsets[:-1][np.diff(offsets) > 0]
    broken = np.zeros(len(labels), dtype=np.bool_)
    broken[1:] = ~rules.may_follow[labels[:-1], labels[1:]]
    broken[filled] = ~rules.may_begin[labels[filled]]
    last = np.append(filled[1:], len(labels)) - 1
    broken[last] |= ~rules.may_end[labels[last]]
    return np.unique(np.searchsorted(offsets, np.flatnonzero(broken), side="right") - 1)


def _roles(tags: Ints, first: Mask, rules: TagSet) -> tuple[Ints, Mask, Mask]:
    """Return type, whether an entity begins, and whether one ends, for each token."""
    kind = np.append(rules.type_of, -1)[tags]
    inside = kind >= 0
    starts = np.append(rules.starts, False)[tags]
    ends = np.append(rules.ends, False)[tags]
    before = np.append(-1, kind[:-1])
    begins = inside & (first | (before != kind) | starts | np.append(False, ends[:-1]))
    after_begins = np.append(begins[1:], True)
    goes_on = np.append(kind[1:] == kind[:-1], False) & ~after_begins
    goes_on &= ~np.append(first[1:], True)
    return kind, begins, inside & ~goes_on


@dataclass(frozen=True, eq=False)
class Differences:
    """Places where the given entities differ from the supported ones.

    A place is as large as it must be for its suggestion to stand by itself: whichever places are
    corrected, the sequence of tags stays legal.

    Attributes
    ----------
    tokens : Tokens
        Of the sentences that were compared.
    given, suggested : ndarray of shape (m,), int64
        Tags; the suggested ones are the most probable legal sequence.
    start, end : ndarray of shape (d,), int64
        Positions among the tokens.
    kind : ndarray of shape (d,), int8
        Index into `ENTITY_KINDS`.
    """

    tokens: Tokens
    given: Ints
    suggested: Ints
    start: Ints
    end: Ints
    kind: npt.NDArray[np.int8]


def compare(labels: Ints, pred_probs: npt.NDArray[np.generic], tokens: Tokens, rules: TagSet) -> (
    Differences
):  # fmt: skip
    """Compare given entities with those of the most probable legal tags, sentence by sentence.

    Places with a token whose tag is not known are left out.
    """
    given = labels[tokens.rows]
    best = most_probable(pred_probs, tokens.rows, tokens.offsets, rules.rules, rules.type_of)
    first = tokens.first
    mine, theirs = spans(given, first, rules), spans(best, first, rules)
    start, end, kind = _places(mine, theirs, first, touching=rules.scheme in ("io", "iob1"))
    unknown = np.append(0, np.cumsum(given < 0))
    known = unknown[end] == unknown[start]
    return Differences(tokens, given, best, start[known], end[known], kind[known])


def _places(
    mine: Spans, theirs: Spans, first: Mask, *, touching: bool
) -> tuple[Ints, Ints, npt.NDArray[np.int8]]:
    """Put entities that overlap into one place; return the places where something differs.

    `touching`: how an entity is written depends on the one right before it, as in IOB1: entities
    that touch are one place too.
    """
    start, end, kind = (np.concatenate(pair) for pair in zip(mine, theirs, strict=True))
    is_mine = np.arange(len(start)) < len(mine.start)
    order = np.lexsort((end, start))
    start, end, kind, is_mine = start[order], end[order], kind[order], is_mine[order]
    reach = np.append(-1, np.maximum.accumulate(end)[:-1]) if len(end) else end
    fresh = start >= reach
    if touching:
        fresh = (start > reach) | (fresh & first[np.minimum(start, len(first) - 1)])
    place = np.cumsum(fresh) - 1
    count = int(place[-1]) + 1 if len(place) else 0
    sizes = [
        np.bincount(place, weights=which, minlength=count).astype(np.int64)
        for which in (is_mine, ~is_mine)
    ]
    twin = np.zeros(len(start), dtype=np.bool_)  # each entity that both have, by its first row
    if len(start) > 1:
        same = (start[1:] == start[:-1]) & (end[1:] == end[:-1]) & (kind[1:] == kind[:-1])
        twin[:-1] = same
    shared = np.bincount(place, weights=twin, minlength=count).astype(np.int64)
    differs = (shared != sizes[0]) | (shared != sizes[1])
    # Some type that both have at this place: then it is the boundary that is wrong.
    low = np.full(count, len(first), dtype=np.int64)
    np.minimum.at(low, place, start)
    high = np.zeros(count, dtype=np.int64)
    np.maximum.at(high, place, end)
    what = np.full(count, WRONG_TYPE, dtype=np.int8)
    what[_of_common_type(place, kind, is_mine, count)] = WRONG_BOUNDARY
    what[sizes[0] == 0] = MISSED
    what[sizes[1] == 0] = SPURIOUS
    return low[differs], high[differs], what[differs]


def _of_common_type(place: Ints, kind: Ints, is_mine: Mask, count: int) -> Mask:
    """Return the places where a given and a supported entity have one type."""
    width = int(kind.max(initial=0)) + 1
    cells = place * width + kind
    both = np.intersect1d(cells[is_mine], cells[~is_mine])
    common = np.zeros(count, dtype=np.bool_)
    common[both // width] = True
    return common
