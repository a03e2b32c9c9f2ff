"""The container of votes: sorted by counting, and everything that does not fit is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldlabel.errors import InputError
from goldlabel.tasks.multiannotator.votes import Votes


@st.composite
def long_tables(draw):
    """Votes in any order, one per pair; items and annotators without votes occur."""
    items, people, k = draw(st.integers(1, 8)), draw(st.integers(1, 6)), draw(st.integers(1, 4))
    pairs = [(i, j) for i in range(items) for j in range(people)]
    chosen = draw(st.permutations(pairs))[: draw(st.integers(0, len(pairs)))]
    labels = [draw(st.integers(0, k - 1)) for _ in chosen]
    return [i for i, _ in chosen], [j for _, j in chosen], labels, (items, people, k)


@given(long_tables())
def test_votes_are_sorted_both_ways(table):
    item, annotator, label, (items, people, k) = table
    votes = Votes.from_arrays(
        item, annotator, label, num_items=items, num_annotators=people, num_classes=k
    )
    rows = sorted(zip(item, annotator, label, strict=True))
    got = zip(votes.item.tolist(), votes.annotator.tolist(), votes.label.tolist(), strict=True)
    assert list(got) == rows
    for i in range(items):
        span = slice(votes.item_offsets[i], votes.item_offsets[i + 1])
        assert votes.item[span].tolist() == [i] * item.count(i)
    for j in range(people):
        mine = votes.by_annotator[votes.annotator_offsets[j] : votes.annotator_offsets[j + 1]]
        assert [(rows[vote][0], rows[vote][2]) for vote in mine] == [
            (i, given) for i, who, given in rows if who == j
        ]
    assert len(votes) == len(rows)
    assert votes.votes_per_item.sum() == votes.votes_per_annotator.sum() == len(rows)


def test_types_and_sizes():
    votes = Votes.from_arrays(np.array([2, 0], np.uint8), np.array([1.0, 0.0]), [3, 1])
    assert {a.dtype for a in (votes.item, votes.annotator, votes.label)} == {np.dtype(np.int32)}
    offsets = (votes.item_offsets, votes.by_annotator, votes.annotator_offsets)
    assert {a.dtype for a in offsets} == {np.dtype(np.int64)}
    assert (votes.num_items, votes.num_annotators, votes.num_classes) == (3, 2, 4)
    assert not votes.label.flags.writeable


def test_what_was_passed_is_neither_kept_nor_changed_nor_frozen():
    item = np.array([0, 1], np.int32)
    votes = Votes.from_arrays(item, item, item)
    item[0] = 1
    assert votes.item.tolist() == [0, 1]


def test_no_votes_at_all():
    votes = Votes.from_arrays([], [], [], num_items=3, num_annotators=2, num_classes=2)
    assert len(votes) == 0
    assert votes.item_offsets.tolist() == [0, 0, 0, 0]


BAD = {
    "lengths": (([0, 1], [0], [0, 0]), {}, "annotator", "has 1 entries, and item has 2"),
    "two columns": (([[0]], [0], [0]), {}, "item", "has shape (1, 1), not (n,)"),
    "ragged": (([[0], [1, 2]], [0], [0]), {}, "item", "is no array"),
    "text": ((["a"], [0], [0]), {}, "item", "not whole numbers"),
    "flags": (([True], [0], [0]), {}, "item", "not whole numbers"),
    "fraction": (([0], [0], [0.5]), {}, "label[0]", "is 0.5, not a whole number (1 such)"),
    "missing": (([0, 1], [0, 0], [1, np.nan]), {}, "label[1]", "is nan, not a whole number"),
    "infinite": (([0.0, np.inf], [0, 0], [1, 1]), {}, "item[1]", "is inf"),
    "negative": (([0, 1], [0, 0], [0, -1]), {}, "label[1]", "is -1 (1 entries out of range)"),
    "too many classes": (
        ([0, 1], [0, 0], [0, 5]),
        {"num_classes": 5},
        "label[1]",
        "is 5, and num_classes is 5",
    ),
    "too many items": (([0, 1], [0, 0], [0, 0]), {"num_items": 1}, "item[1]", "num_items is 1"),
    "too many people": (
        ([0, 1], [0, 3], [0, 0]),
        {"num_annotators": 2},
        "annotator[1]",
        "num_annotators is 2",
    ),
    "beyond int32": (([2**31], [0], [0]), {}, "item[0]", "is 2147483648"),
    "count": (([0], [0], [0]), {"num_items": 1.5}, "num_items", "is 1.5"),
    "count too large": (([0], [0], [0]), {"num_items": 2**40}, "num_items", "is 1099511627776"),
    "repeated": (
        ([1, 0, 1, 1], [0, 0, 0, 1], [0, 1, 0, 1]),
        {},
        "votes 0 and 2",
        "are both by annotator 0 on item 1 (1 repeated votes)",
    ),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_votes_are_refused(case):
    arrays, options, where, what = BAD[case]
    with pytest.raises(InputError, match=re.escape(what)) as raised:
        Votes.from_arrays(*arrays, **options)
    assert raised.value.where == where
