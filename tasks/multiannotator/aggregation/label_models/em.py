"""Rounds of expectation and maximisation: blocks of items and annotators, and when to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from goldlabel.inputs.check import number, whole_number
from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Ints

__all__ = ["Convergence", "each_annotators", "each_items", "item_blocks"]


@dataclass(frozen=True)
class Convergence:
    """When to stop: after so many rounds, or when a round gains less than so much for each vote."""

    max_iterations: int
    tolerance: float

    def __post_init__(self) -> None:
        whole_number(self.max_iterations, name="max_iterations")
        number(self.tolerance, name="tolerance", low=0.0)

    def rounds(self, history: list[float], votes: int) -> Iterator[None]:
        """Go on while there is something to gain; the caller appends to `history` in each round."""
        for _ in range(self.max_iterations):
            if self.reached(history, votes):
                return
            yield

    def reached(self, history: list[float], votes: int) -> bool:
        """Whether the last round has moved the log-likelihood by less than the tolerance."""
        return len(history) > 1 and abs(history[-1] - history[-2]) < self.tolerance * votes


LARGER = 8
"""Blocks are so much larger than those of a pass over pred_probs: a round makes several short
passes, and threads that take turns at little work lose more than they gain."""


def _block(votes: int, among: int, cells: int) -> int:
    """Return how many items or annotators make a block, where a vote costs so many cells."""
    return LARGER * block_rows(int(np.ceil(cells * (1.0 + votes / max(among, 1)))))


def item_blocks(votes: Votes, cells: int) -> tuple[int, int]:
    """Return the number of items in a block, and of blocks, where a vote costs so many cells."""
    size = _block(len(votes), votes.num_items, cells)
    return size, max(1, -(-votes.num_items // size))


def each_items(votes: Votes, cells: int, work: Callable[[int, slice, Ints], None]) -> None:
    """Call ``work(block, items, their offsets)`` for each block of items."""
    size, _ = item_blocks(votes, cells)

    def run(worker: int, block: int, rows: slice) -> None:
        work(block, rows, votes.item_offsets[rows.start : rows.stop + 1])

    each_block(run, votes.num_items, size)


def each_annotators(votes: Votes, cells: int, work: Callable[[slice, Ints], None]) -> None:
    """Call ``work(annotators, their offsets)`` for each block of annotators."""
    size = _block(len(votes), votes.num_annotators, cells)

    def run(worker: int, block: int, rows: slice) -> None:
        work(rows, votes.annotator_offsets[rows.start : rows.stop + 1])

    each_block(run, votes.num_annotators, size)
