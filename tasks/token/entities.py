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
    "regions",
    "spans",
    "written",
]


ENTITY_KINDS = ("wrong type", "wrong boundary", "missed entity", "spurious entity")
"""What can be wrong with the entities of a region, by number."""
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
    type_, begins, last = _roles(tags, first, rules)
    start = np.flatnonzero(begins)
    return Spans(start, np.flatnonzero(last) + 1, type_[start])


def canonical(tags: Ints, first: Mask, rules: TagSet) -> Ints:
    """Return the tags as the scheme writes the entities that they mean.

    A tag stays where the classes have no other for it, and where it is not known.
    """
    written = converted(tags, first, rules, rules)
    return np.where(written < 0, tags, written)


def converted(tags: Ints, first: Mask, rules: TagSet, target: TagSet) -> Ints:
    """Return the entities of a sequence of tags as another set of tags writes them.

    -1 where a tag is not known, and where the target has none for it.
    """
    type_, begins, last = _roles(tags, first, rules)
    index = {name: at for at, name in enumerate(target.types)}
    target_type = np.array([*(index.get(name, -1) for name in rules.types), -1])[type_]
    found = _tags_of(target_type, type_ >= 0, begins, last, first, target)
    return np.where(tags < 0, -1, found)


def written(entities: Spans, n: int, rules: TagSet) -> Ints:
    """Return the tags of a sentence of `n` tokens that has these entities, which do not overlap.

    -1 where there is no tag for a token.
    """
    type_ = np.full(n, -1, dtype=np.int64)
    begins, last = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    for start, end, kind in zip(*entities, strict=True):
        type_[start:end] = kind
        begins[start] = last[end - 1] = True
    return _tags_of(type_, type_ >= 0, begins, last, np.arange(n) == 0, rules)


def _tags_of(
    type_: Ints, inside: Mask, begins: Mask, last: Mask, first: Mask, target: TagSet
) -> Ints:
    """Return the class of each token, by its type and place in an entity; -1 = there is none."""
    if target.scheme == "io":
        role = np.full(len(type_), INSIDE)
    elif target.scheme == "iob1":
        touches = begins & (np.append(-1, type_[:-1]) == type_) & ~first
        role = np.where(touches, BEGIN, INSIDE)
    elif target.scheme == "iob2":
        role = np.where(begins, BEGIN, INSIDE)
    else:
        role = np.where(begins, np.where(last, SINGLE, BEGIN), np.where(last, END, INSIDE))
    codes: Ints = target.table[type_, np.where(inside, role, OUTSIDE)]
    return codes


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
    type_ = np.append(rules.type_of, -1)[tags]
    inside = type_ >= 0
    starts = np.append(rules.starts, False)[tags]
    ends = np.append(rules.ends, False)[tags]
    before = np.append(-1, type_[:-1])
    begins = inside & (first | (before != type_) | starts | np.append(False, ends[:-1]))
    after_begins = np.append(begins[1:], True)
    goes_on = np.append(type_[1:] == type_[:-1], False) & ~after_begins
    goes_on &= ~np.append(first[1:], True)
    return type_, begins, inside & ~goes_on


@dataclass(frozen=True, eq=False)
class Differences:
    """Regions of tokens in which the given entities differ from those of the model.

    A region is as large as it must be for its suggestion to stand by itself: whichever regions are
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


def compare(
    labels: Ints, pred_probs: npt.NDArray[np.generic], tokens: Tokens, rules: TagSet
) -> Differences:
    """Compare given entities with those of the most probable legal tags, sentence by sentence.

    Regions with a token whose tag is not known are left out.
    """
    given = labels[tokens.rows]
    predicted = most_probable(pred_probs, tokens.rows, tokens.offsets, rules.rules, rules.type_of)
    first = tokens.first
    touching = rules.scheme in ("io", "iob1")
    start, end, kind = _differences(
        spans(given, first, rules), spans(predicted, first, rules), first, touching=touching
    )
    unknown = np.append(0, np.cumsum(given < 0))
    known = unknown[end] == unknown[start]
    return Differences(tokens, given, predicted, start[known], end[known], kind[known])


def _differences(
    given: Spans, predicted: Spans, first: Mask, *, touching: bool
) -> tuple[Ints, Ints, npt.NDArray[np.int8]]:
    """Return start, end and kind of the regions of overlapping entities that are not all equal."""
    start, end, type_ = (np.concatenate(pair) for pair in zip(given, predicted, strict=True))
    is_given = np.arange(len(start)) < len(given.start)
    order = np.lexsort((end, start))
    start, end, type_, is_given = start[order], end[order], type_[order], is_given[order]
    region = regions(start, end, first, touching=touching)
    count = int(region[-1]) + 1 if len(region) else 0
    n_given, n_predicted = (
        np.bincount(region[which], minlength=count) for which in (is_given, ~is_given)
    )
    in_both = np.zeros(len(start), dtype=np.bool_)  # an entity of both, by the first of its rows
    in_both[:-1] = (start[1:] == start[:-1]) & (end[1:] == end[:-1]) & (type_[1:] == type_[:-1])
    n_both = np.bincount(region[in_both], minlength=count)
    differs = (n_both != n_given) | (n_both != n_predicted)
    low = np.full(count, len(first), dtype=np.int64)
    np.minimum.at(low, region, start)
    high = np.zeros(count, dtype=np.int64)
    np.maximum.at(high, region, end)
    kind = np.full(count, WRONG_TYPE, dtype=np.int8)
    kind[_regions_of_common_type(region, type_, is_given)] = WRONG_BOUNDARY
    kind[n_given == 0] = MISSED
    kind[n_predicted == 0] = SPURIOUS
    return low[differs], high[differs], kind[differs]


def regions(start: Ints, end: Ints, first: Mask, *, touching: bool) -> Ints:
    """Return the number of each entity's region, by start: those that overlap share one.

    `touching`: how an entity is written depends on the one right before it, as in IOB1: entities
    that touch are in one region too.
    """
    if not len(start):
        return start
    last_end = np.append(-1, np.maximum.accumulate(end)[:-1])
    begins = start >= last_end
    if touching:
        begins = (start > last_end) | (begins & first[start])
    return np.cumsum(begins) - 1


def _regions_of_common_type(region: Ints, type_: Ints, is_given: Mask) -> Ints:
    """Return the regions where a given and a predicted entity have one type."""
    width = int(type_.max(initial=0)) + 1
    cells = region * width + type_
    return np.intersect1d(cells[is_given], cells[~is_given]) // width
