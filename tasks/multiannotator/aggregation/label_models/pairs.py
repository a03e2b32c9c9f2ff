"""Which classes each annotator has ever used: the rows that parameters are kept for.

A confusion matrix for each annotator is num_annotators x k x k numbers, most of them for classes
that the annotator never chose. Kept are k numbers for each (annotator, class) that occurs, which
is never more than k for each vote.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.tasks.multiannotator.votes import Votes, sorted_by
from goldlabel.typing import Codes, Ints

__all__ = ["Pairs", "find_pairs"]


@kernel
def _number(
    annotator_offsets: Ints,
    by_annotator: Ints,
    label: Codes,
    number: Ints,
    pair_offsets: Ints,
    pair_label: Codes,
    pair_of_vote: Codes,
) -> None:
    """Count pairs off by annotator, then class; `number` is a scratch of -1 for each class."""
    found = 0
    for j in range(annotator_offsets.shape[0] - 1):
        first = found
        votes = by_annotator[annotator_offsets[j] : annotator_offsets[j + 1]]
        for vote in votes:
            if number[label[vote]] < 0:
                number[label[vote]] = 0
                pair_label[found] = label[vote]
                found += 1
        pair_label[first:found].sort()
        for pair in range(first, found):
            number[pair_label[pair]] = pair
        for vote in votes:
            pair_of_vote[vote] = number[label[vote]]
        for pair in range(first, found):
            number[pair_label[pair]] = -1
        pair_offsets[j + 1] = found


@dataclass(frozen=True, eq=False)
class Pairs:
    """The (annotator, class) pairs that occur among votes, ordered by annotator and class.

    Attributes
    ----------
    offsets : ndarray of shape (num_annotators + 1,), int64
        Where the pairs of each annotator are.
    annotator, label : ndarray of shape (p,), int32
    of_vote : ndarray of shape (n,), int32
        The pair of each vote.
    by_pair : ndarray of shape (n,), int64
        Vote numbers, ordered by pair and then item.
    vote_offsets : ndarray of shape (p + 1,), int64
        Where the votes of each pair are among those.
    """

    offsets: Ints
    annotator: Codes
    label: Codes
    of_vote: Codes
    by_pair: Ints
    vote_offsets: Ints

    def __len__(self) -> int:
        return len(self.label)

    @property
    def counts(self) -> Ints:
        """Number of votes of each pair, int64 of shape (p,)."""
        return np.diff(self.vote_offsets)


def find_pairs(votes: Votes) -> Pairs:
    """Find the (annotator, class) pairs that occur, in linear time."""
    offsets = np.zeros(votes.num_annotators + 1, dtype=np.int64)
    most = min(len(votes), votes.num_annotators * votes.num_classes)
    label = np.empty(most, dtype=np.int32)
    of_vote = np.empty(len(votes), dtype=np.int32)
    number = np.full(votes.num_classes, -1, dtype=np.int64)
    _number(
        votes.annotator_offsets, votes.by_annotator, votes.label, number, offsets, label, of_vote
    )
    label = label[: offsets[-1]].copy()
    annotator = np.repeat(np.arange(votes.num_annotators, dtype=np.int32), np.diff(offsets))
    by_pair, vote_offsets = sorted_by(of_vote, len(label))
    return Pairs(
        offsets=frozen(offsets),
        annotator=frozen(annotator),
        label=frozen(label),
        of_vote=frozen(of_vote),
        by_pair=frozen(by_pair),
        vote_offsets=frozen(vote_offsets),
    )
