"""The container of votes: who gave which item which class, in one long table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs.check import whole_number
from goldlabel.kernels._jit import frozen, kernel
from goldlabel.tasks.multiannotator.canonical import colours, order_of
from goldlabel.typing import Codes, Ints, Mask

__all__ = ["Canonical", "Votes", "at_most", "chosen_votes", "sorted_by"]


LARGEST = int(np.iinfo(np.int32).max)


@kernel
def _order(keys: Codes, start: Ints, order: Ints, ends: Ints) -> None:
    """Sort by key in linear time, equal keys in the order that `start` lists them.

    `ends` has the start of each key when called, and its end afterwards.
    """
    for position in range(order.shape[0]):
        vote = start[position] if start.shape[0] else position
        key = keys[vote]
        order[ends[key]] = vote
        ends[key] += 1


@kernel
def _sorted_strictly(item: Codes, annotator: Codes) -> bool:
    for vote in range(1, item.shape[0]):
        if item[vote] < item[vote - 1]:
            return False
        if item[vote] == item[vote - 1] and annotator[vote] <= annotator[vote - 1]:
            return False
    return True


@dataclass(frozen=True, eq=False)
class Votes:
    """Votes sorted by item, and within an item by annotator; never a table of items by annotators.

    Made by `Votes.from_arrays`, which checks; the arrays are read-only. Items and annotators
    without a vote are normal: an item of a pool that nobody has labelled yet, an annotator who has
    not begun.

    Attributes
    ----------
    item, annotator, label : ndarray of shape (n,), int32
        A vote: which item, by whom, which class; indices from 0.
    item_offsets : ndarray of shape (num_items + 1,), int64
        The votes on item ``i`` are ``item_offsets[i]:item_offsets[i + 1]``.
    by_annotator : ndarray of shape (n,), int64
        Vote numbers, ordered by annotator and then item.
    annotator_offsets : ndarray of shape (num_annotators + 1,), int64
        Annotator ``j`` gave the votes
        ``by_annotator[annotator_offsets[j]:annotator_offsets[j + 1]]``.
    num_items, num_annotators, num_classes : int

    Examples
    --------
    >>> votes = Votes.from_arrays(item=[1, 0, 0], annotator=[0, 1, 0], label=[2, 0, 1])
    >>> len(votes), votes.item.tolist(), votes.annotator.tolist(), votes.label.tolist()
    (3, [0, 0, 1], [0, 1, 0], [1, 0, 2])
    >>> votes.item_offsets.tolist(), votes.by_annotator.tolist(), votes.num_classes
    ([0, 2, 3], [0, 2, 1], 3)
    """

    item: Codes
    annotator: Codes
    label: Codes
    item_offsets: Ints
    by_annotator: Ints
    annotator_offsets: Ints
    num_items: int
    num_annotators: int
    num_classes: int

    @classmethod
    def from_arrays(
        cls,
        item: npt.ArrayLike,
        annotator: npt.ArrayLike,
        label: npt.ArrayLike,
        *,
        num_items: int | None = None,
        num_annotators: int | None = None,
        num_classes: int | None = None,
    ) -> Votes:
        """Sort votes that come in any order, in linear time.

        Parameters
        ----------
        item, annotator, label : array_like of shape (n,)
            Whole numbers from 0. An annotator votes once on an item.
        num_items, num_annotators, num_classes : int, optional
            How many there are, with those without a vote; the largest number + 1 by default.

        Raises
        ------
        InputError
            An entry is not a whole number in its range, or an annotator votes twice on an item.
        """
        given = {"item": item, "annotator": annotator, "label": label}
        arrays = {name: _whole_numbers(values, name) for name, values in given.items()}
        n = len(arrays["item"])
        for name, values in arrays.items():
            if len(values) != n:
                raise InputError(
                    name,
                    f"has {len(values):,} entries, and item has {n:,}",
                    "Pass one of each for every vote",
                )
        asked = {"item": num_items, "annotator": num_annotators, "label": num_classes}
        names = {"item": "num_items", "annotator": "num_annotators", "label": "num_classes"}
        items, people, k = (_count(arrays[each], each, asked[each], names[each]) for each in arrays)
        codes = (_codes(values) for values in arrays.values())
        return _sorted(*codes, items=items, people=people, k=k)

    def __len__(self) -> int:
        return len(self.label)

    @cached_property
    def votes_per_item(self) -> Ints:
        """Number of votes on each item, int64 of shape (num_items,)."""
        return np.diff(self.item_offsets)

    @cached_property
    def votes_per_annotator(self) -> Ints:
        """Number of votes by each annotator, int64 of shape (num_annotators,)."""
        return np.diff(self.annotator_offsets)

    @cached_property
    def canonical(self) -> Canonical:
        """The same votes in an order that follows from them alone; see the module `canonical`."""
        found = colours(self.item, self.annotator, self.label, self.num_items, self.num_annotators)
        (items, _), (annotators, alike) = map(order_of, found)
        ranks = [np.empty(len(order), dtype=np.int32) for order in (items, annotators)]
        for rank, order in zip(ranks, (items, annotators), strict=True):
            rank[order] = np.arange(len(order), dtype=np.int32)
        votes = _sorted(
            ranks[0][self.item],
            ranks[1][self.annotator],
            self.label,
            items=self.num_items,
            people=self.num_annotators,
            k=self.num_classes,
        )
        return Canonical(votes, items, annotators, alike)


@dataclass(frozen=True, eq=False)
class Canonical:
    """Votes in an order that does not depend on the numbers of items and annotators.

    Attributes
    ----------
    votes : Votes
    items, annotators : ndarray of shape (N,), (M,), int64
        The number that each has in the votes that were given.
    alike : ndarray of shape (M,), int64
        The same number for annotators whom nothing tells apart; see `canonical`.
    """

    votes: Votes
    items: Ints
    annotators: Ints
    alike: Ints


def at_most(votes: Votes, most: int, key: npt.NDArray[Any]) -> Votes:
    """Keep at most so many votes on each item, those of the smallest `key` (n,)."""
    crowded = votes.votes_per_item > most
    if not crowded.any():
        return votes
    at = np.flatnonzero(crowded[votes.item])
    order = np.lexsort((key[at], votes.item[at]))
    # After sorting, the votes on a crowded item stand together in the order of their keys.
    lengths = votes.votes_per_item[crowded]
    place = np.arange(len(at)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    keep = np.ones(len(votes), dtype=np.bool_)
    keep[at[order[place >= most]]] = False
    return chosen_votes(votes, keep)


def chosen_votes(votes: Votes, keep: Mask) -> Votes:
    """Return some of the votes (n,) on the same items, by the same annotators."""
    return Votes.from_arrays(
        votes.item[keep],
        votes.annotator[keep],
        votes.label[keep],
        num_items=votes.num_items,
        num_annotators=votes.num_annotators,
        num_classes=votes.num_classes,
    )


def _whole_numbers(values: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """Return one column of whole numbers of any integer type."""
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise InputError(name, "is no array", "Pass one whole number for each vote") from error
    if array.ndim != 1:
        raise InputError(name, f"has shape {array.shape}, not (n,)", "Pass one entry for each vote")
    if array.size and array.dtype.kind not in "iu":
        bad = None
        if array.dtype.kind == "f":
            off = np.flatnonzero(array != np.trunc(array))  # NaN and fractions; inf is too large
            bad = int(off[0]) if off.size else None
        if bad is not None:
            raise InputError(
                f"{name}[{bad}]",
                f"is {array[bad]}, not a whole number ({off.size:,} such)",
                "Drop the entries without a vote, and number the rest from 0",
            )
        if array.dtype.kind != "f":
            raise InputError(
                name,
                f"has dtype {array.dtype}, not whole numbers",
                "Number items, annotators and classes from 0",
            )
    return array


def _count(values: npt.NDArray[Any], name: str, asked: int | None, argument: str) -> int:
    """Return how many items, annotators or classes there are; check that all numbers are below."""
    limit = LARGEST if asked is None else whole_number(asked, name=argument)
    if limit > LARGEST:
        raise InputError(argument, f"is {limit}", f"Pass at most {LARGEST}")
    if values.size and (values.min() < 0 or values.max() >= limit):
        bad = np.flatnonzero((values < 0) | (values >= limit))
        value = values[bad[0]]
        of = "" if asked is None or value < 0 else f", and {argument} is {asked}"
        raise InputError(
            f"{name}[{bad[0]}]",
            f"is {value}{of} ({bad.size:,} entries out of range)",
            "Pass whole numbers from 0, and drop entries without a vote"
            if value < 0
            else f"Raise {argument}, or drop these votes",
        )
    if asked is not None:
        return limit
    return int(values.max()) + 1 if values.size else 0


def _codes(values: npt.NDArray[Any]) -> Codes:
    return np.array(values, dtype=np.int32)  # a copy: the caller may go on with theirs


def _sorted(
    item: Codes, annotator: Codes, label: Codes, *, items: int, people: int, k: int
) -> Votes:
    """Sort checked votes by counting: by annotator, then by item."""
    item, annotator, label = frozen(item), frozen(annotator), frozen(label)
    item_offsets = _offsets(item, items)
    if not _sorted_strictly(item, annotator):
        by_annotator, _ = sorted_by(annotator, people)
        order = _ordered(item, by_annotator, item_offsets)
        item, annotator, label = frozen(item[order]), frozen(annotator[order]), frozen(label[order])
        _refuse_repeated(item, annotator, order)
    by_annotator, annotator_offsets = sorted_by(annotator, people)
    return Votes(
        item=item,
        annotator=annotator,
        label=label,
        item_offsets=frozen(item_offsets),
        by_annotator=frozen(by_annotator),
        annotator_offsets=frozen(annotator_offsets),
        num_items=items,
        num_annotators=people,
        num_classes=k,
    )


def sorted_by(keys: Codes, count: int) -> tuple[Ints, Ints]:
    """Return the positions of keys 0 .. count - 1 in stable order, and where each key begins."""
    offsets = _offsets(keys, count)
    return _ordered(keys, np.empty(0, dtype=np.int64), offsets), offsets


def _offsets(keys: Codes, count: int) -> Ints:
    offsets = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(keys, minlength=count), out=offsets[1:])
    return offsets


def _ordered(keys: Codes, start: Ints, offsets: Ints) -> Ints:
    order = np.empty(len(keys), dtype=np.int64)
    _order(keys, frozen(start), order, offsets[:-1].copy())
    return order


def _refuse_repeated(item: Codes, annotator: Codes, order: Ints) -> None:
    """Raise if two sorted neighbours are votes of one annotator on one item."""
    again = np.flatnonzero((item[1:] == item[:-1]) & (annotator[1:] == annotator[:-1]))
    if again.size:
        first, second = sorted((int(order[again[0]]), int(order[again[0] + 1])))
        raise InputError(
            f"votes {first} and {second}",
            f"are both by annotator {annotator[again[0]]} on item {item[again[0]]}"
            f" ({again.size:,} repeated votes)",
            "Keep one vote of an annotator on an item: the last, or the one given most often",
        )
