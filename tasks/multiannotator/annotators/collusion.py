"""Annotators who copy from each other: the same labels, far more often than their records explain.

Given the consensus, two honest annotators err independently, each by their own record. Pairs are
looked at one annotator after the other and never listed: memory grows with votes and annotators,
however many pairs have items in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import each_block
from goldlabel.tasks.multiannotator.aggregation.consensus import Consensus
from goldlabel.tasks.multiannotator.annotators import kernels
from goldlabel.tasks.multiannotator.annotators.spammers import CHANCE, LEAST
from goldlabel.tasks.multiannotator.votes import Votes, at_most, chosen_votes
from goldlabel.typing import Codes, Ints

__all__ = ["Copies", "find_copies"]

SHOWN = 3
"""So many of those whose labels are an annotator's are named, with most items in common."""
WORK = 200_000_000
"""Pairs of votes that are looked at; if there are more, votes of the same few annotators on the
items that most have labelled stand for all of them."""
SHARE = 0.98
"""Share of equal votes from which two annotators may be copies."""
BLOCK = 64
"""Annotators in a block of work."""


@dataclass(frozen=True, eq=False)
class Copies:
    """Of each annotator, whose labels are the same.

    Attributes
    ----------
    count : ndarray of shape (M,), int64
        How many others there are.
    others : ndarray of shape (M, `SHOWN`), int32
        Some of them, in the order of their numbers; -1 for none.
    items, same : ndarray of shape (M, `SHOWN`), int64
        Items in common, and how many of them have equal votes.
    """

    count: Ints
    others: Codes
    items: Ints
    same: Ints


def find_copies(consensus: Consensus) -> Copies:
    """Find the annotators whose votes are the same on at least 98% of 20 or more common items.

    Named are those whom their records do not explain, at `CHANCE` over all pairs together.
    """
    votes = consensus.votes
    used = _used(votes)
    found = Copies(
        np.zeros(votes.num_annotators, dtype=np.int64),
        np.full((votes.num_annotators, SHOWN), -1, dtype=np.int32),
        np.zeros((votes.num_annotators, SHOWN), dtype=np.int64),
        np.zeros((votes.num_annotators, SHOWN), dtype=np.int64),
    )
    if not len(used):
        return found
    tested = _over_annotators(used, consensus, found, np.inf)
    if tested:
        # Every pair was met from both sides.
        _over_annotators(used, consensus, found, float(stats.norm.isf(CHANCE / (tested / 2))))
    return found


def _used(votes: Votes) -> Votes:
    """Leave out who has too few votes to be judged, and what would be too much work."""
    enough = votes.votes_per_annotator >= LEAST
    if not enough.all():
        votes = chosen_votes(votes, enough[votes.annotator])
    sizes, times = np.unique(votes.votes_per_item, return_counts=True)
    low, high = 2, int(sizes.max(initial=2))
    while low < high:
        middle = (low + high + 1) // 2
        fits = float((np.minimum(sizes, middle).astype(np.float64) ** 2) @ times) <= WORK
        low, high = (middle, high) if fits else (low, middle - 1)
    # The same annotators on all items, so that those who are kept keep their items in common.
    rank = np.random.default_rng(0).permutation(votes.num_annotators)
    return at_most(votes, low, rank[votes.annotator])


def _over_annotators(votes: Votes, consensus: Consensus, found: Copies, surprise: float) -> int:
    """Compare every annotator with all others; return how many pairs have enough in common.

    Those whose votes are more alike than `surprise` deviations above what is expected are written
    to `found`.
    """
    m, k = votes.num_annotators, votes.num_classes
    blocks = -(-m // BLOCK)
    tested = np.zeros((blocks, 1), dtype=np.int64)
    agreed = frozen(np.maximum(consensus.labels, 0))
    scratch: dict[int, tuple[Any, ...]] = {}

    def work(worker: int, block: int, people: slice) -> None:
        if worker not in scratch:
            scratch[worker] = tuple(np.zeros(size, dtype=np.int64) for size in (m, m, m, k, k, k))
        arguments: tuple[Any, ...] = (
            *(people.start, people.stop, votes.item_offsets, votes.annotator, votes.item),
            *(votes.label, votes.by_annotator, votes.annotator_offsets, agreed, k),
            *(LEAST, SHARE, surprise, *scratch[worker]),
            *(tested[block], found.count, found.others, found.items, found.same),
        )
        kernels.find_copies(*arguments)

    each_block(work, m, BLOCK)
    return int(tested.sum())
