"""An order of items and annotators that does not depend on how they are numbered.

Sums of floats depend on their order in the last bits, and rounds of expectation and maximisation
carry that on, so that rows in another order could change a score by 1e-15, and a flag with it. So
label models work on votes in an order that follows from the votes alone. Items and annotators get
colours: who has voted for what on items of which colours, by people of which colours, again and
again until no colour splits any more (colour refinement). Those who keep one colour cannot be told
apart by any sum over their votes, and have the same numbers whichever comes first.

References
----------
B. Weisfeiler, A. Leman. The Reduction of a Graph to Canonical Form and the Algebra which Appears
Therein. 1968.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Codes, Ints

__all__ = ["colours", "order_of"]

Colours = npt.NDArray[np.uint64]

_ROUNDS = 50
"""Most rounds; two or three do where annotators have labelled different items."""


@kernel
def _mix(value: np.uint64) -> np.uint64:
    """Scatter the bits of a number: SplitMix64 (Steele, Lea, Flood 2014)."""
    z = value + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.uint64(z ^ (z >> np.uint64(31)))


@kernel
def _refine(
    item: Codes, annotator: Codes, label: Codes, items: Colours, people: Colours, sums: Colours
) -> None:
    """Recolour annotators by their items and votes, then items by their annotators and votes.

    Sums of whole numbers are the same in any order. `sums` is a scratch as long as the longer one.
    """
    sums[:] = np.uint64(0)
    for vote in range(item.shape[0]):
        sums[annotator[vote]] += _mix(items[item[vote]] + np.uint64(label[vote]))
    for j in range(people.shape[0]):
        people[j] = _mix(people[j] ^ _mix(sums[j]))
    sums[:] = np.uint64(0)
    for vote in range(item.shape[0]):
        sums[item[vote]] += _mix(people[annotator[vote]] + np.uint64(label[vote]))
    for i in range(items.shape[0]):
        items[i] = _mix(items[i] ^ _mix(sums[i]))


def colours(
    item: Codes, annotator: Codes, label: Codes, num_items: int, num_annotators: int
) -> tuple[Colours, Colours]:
    """Return the colour of each item (N,) and of each annotator (M,), uint64.

    Examples
    --------
    >>> votes = np.array([[0, 0, 1], [0, 1, 1], [0, 0, 1]], dtype=np.int32)
    >>> items, people = colours(*votes, 2, 2)
    >>> items[0] == items[1], people[0] == people[1]
    (np.False_, np.False_)
    """
    items = np.zeros(num_items, dtype=np.uint64)
    people = np.zeros(num_annotators, dtype=np.uint64)
    sums = np.empty(max(num_items, num_annotators), dtype=np.uint64)
    before = (0, 0)
    for _ in range(_ROUNDS):
        _refine(item, annotator, label, items, people, sums)
        different = (_different(items), _different(people))
        if different == before or different == (num_items, num_annotators):
            break
        before = different
    return items, people


def _different(colour: Colours) -> int:
    """Count different colours."""
    ordered = np.sort(colour)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + min(len(colour), 1)


def order_of(colour: Colours) -> tuple[Ints, Ints]:
    """Return numbers in the order of their colours, and of each place the number of its colour.

    Examples
    --------
    >>> order, group = order_of(np.array([7, 3, 7], dtype=np.uint64))
    >>> order.tolist(), group.tolist()
    ([1, 0, 2], [0, 1, 1])
    """
    order = np.argsort(colour, kind="stable")
    sorted_colours = colour[order]
    group = np.zeros(len(order), dtype=np.int64)
    np.cumsum(sorted_colours[1:] != sorted_colours[:-1], out=group[1:])
    return order, group
