"""Expectation for models in which a vote speaks for its class and against all others alike.

They keep one number for each vote, the posterior of its class, instead of one for each item and
class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from goldlabel.kernels._jit import frozen
from goldlabel.tasks.multiannotator.aggregation.label_models import kernels
from goldlabel.tasks.multiannotator.aggregation.label_models.em import (
    each_annotators,
    each_items,
    item_blocks,
)
from goldlabel.tasks.multiannotator.aggregation.label_models.pairs import Pairs
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Codes, Floats, Ints

__all__ = ["NOTHING", "Expectation", "sums_by_annotator", "sums_by_pair"]


NOTHING: Floats = frozen(np.empty(0))


@dataclass(frozen=True, eq=False)
class Expectation:
    """What stays the same over the rounds.

    Attributes
    ----------
    votes : Votes
    key : ndarray of shape (n,), int32
        Whose weight a vote has: its annotator, or its pair.
    gold : ndarray of shape (num_items,) or (0,), int32
    of_vote : ndarray of shape (n,), float64
        Posterior of each vote's class; written by every call.
    """

    votes: Votes
    key: Codes
    gold: Codes
    of_vote: Floats

    def __call__(
        self,
        weight: Floats,
        prior: Floats,
        *,
        ease: Floats = NOTHING,
        posterior: Floats | None = None,
    ) -> tuple[float, Floats]:
        """Write `of_vote`, and `posterior` if given; return log-likelihood and class sums.

        The sums are of the posterior's rows; empty if it is not given.
        """
        votes, k = self.votes, self.votes.num_classes
        whole = np.empty((0, k)) if posterior is None else posterior
        cells = k if len(whole) or len(prior) > 1 else 4
        _, blocks = item_blocks(votes, cells)
        sums = np.zeros((blocks, k if len(whole) else 0))
        likelihood = np.zeros((blocks, 1))
        weight, prior, ease = frozen(weight), frozen(prior), frozen(ease)

        def work(block: int, items: slice, offsets: Ints) -> None:
            kernels.vote_posterior(
                offsets,
                votes.label,
                self.key,
                weight,
                ease[items],
                prior,
                self.gold[items],
                np.zeros(k),
                np.zeros(k, dtype=np.int32),
                self.of_vote,
                whole[items],
                sums[block],
                likelihood[block],
            )

        each_items(votes, cells, work)
        return float(likelihood.sum()), sums.sum(axis=0)


def sums_by_annotator(votes: Votes, values: Floats) -> Floats:
    """Add a value of each vote up by annotator."""
    sums = np.zeros(votes.num_annotators)

    def work(people: slice, offsets: Ints) -> None:
        kernels.vote_sums(offsets, votes.by_annotator, values, sums[people])

    each_annotators(votes, 1, work)
    return sums


def sums_by_pair(votes: Votes, pairs: Pairs, values: Floats) -> Floats:
    """Add a value of each vote up by pair."""
    sums = np.zeros(len(pairs))

    def work(people: slice, _: Ints) -> None:
        first, last = pairs.offsets[people.start], pairs.offsets[people.stop]
        offsets = pairs.vote_offsets[first : last + 1]
        kernels.vote_sums(offsets, pairs.by_pair, values, sums[first:last])

    each_annotators(votes, 1, work)
    return sums
