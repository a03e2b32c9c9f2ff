"""Wawa, "worker agreement with aggregate": votes weighted by agreement with the majority."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.tasks.multiannotator.aggregation.fit import (
    Fit,
    check_votes,
    finish,
    gold_classes,
    refuse_too_large,
)
from goldlabel.tasks.multiannotator.aggregation.label_models.em import each_items
from goldlabel.tasks.multiannotator.aggregation.label_models.majority import (
    annotator_accuracy,
    vote_shares,
)
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Codes, Floats, Ints

__all__ = ["fit"]


@kernel
def _weighted_shares(
    item_offsets: Ints, annotator: Codes, label: Codes, skill: Floats, gold: Codes, shares: Floats
) -> None:
    """Replace shares of votes by shares of skill, where some voter has any."""
    for i in range(item_offsets.shape[0] - 1):
        if gold.shape[0] and gold[i] >= 0:
            continue
        first, last = item_offsets[i], item_offsets[i + 1]
        total = 0.0
        for vote in range(first, last):
            total += skill[annotator[vote]]
        if total > 0.0:
            row = shares[i]
            row[:] = 0.0
            for vote in range(first, last):
                row[label[vote]] += skill[annotator[vote]]
            for c in range(row.shape[0]):  # at the end: one class alone gets 1 and not a bit more
                row[c] /= total


def fit(votes: Votes, *, gold: npt.ArrayLike | None = None) -> Fit:
    """Weigh each vote by how often its annotator agrees with the majority vote.

    Ties of the majority go to the lowest class. Items whose voters all have skill 0 keep their
    shares of votes.

    Parameters
    ----------
    votes : Votes
    gold : array_like of shape (num_items,), optional
        Class of the items where it is known; -1 elsewhere.

    Returns
    -------
    Fit
        `annotator_quality` is the skill: the share of an annotator's votes that equal the
        majority vote.

    Raises
    ------
    InputError
        An argument does not fit.

    Examples
    --------
    >>> from goldlabel.tasks.multiannotator.votes import Votes
    >>> rows = [[0, 0, 1], [1, 1, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0]]
    >>> item, annotator = [i for i in range(5) for _ in range(3)], [0, 1, 2] * 5
    >>> found = fit(Votes.from_arrays(item, annotator, sum(rows, [])))
    >>> found.annotator_quality.tolist(), found.posterior[:, 0].round(3).tolist()
    ([1.0, 0.8, 0.6], [0.75, 0.0, 0.667, 0.25, 1.0])
    """
    check_votes(votes)
    known = gold_classes(gold, votes)
    cells = votes.num_items * votes.num_classes
    refuse_too_large(cells, "a number for each item and class", "Use fewer classes")
    shares = np.empty((votes.num_items, votes.num_classes))
    vote_shares(votes, known, shares)
    skill, counted = annotator_accuracy(votes, shares.argmax(axis=1).astype(np.int32))
    everyone = float(skill @ counted) / len(votes)
    weights = frozen(skill)

    def work(block: int, items: slice, offsets: Ints) -> None:
        _weighted_shares(
            offsets, votes.annotator, votes.label, weights, known[items], shares[items]
        )

    each_items(votes, votes.num_classes, work)
    quality = np.where(counted > 0, skill, everyone)
    return finish(votes, known, "wawa", shares, quality, {"skill": quality})
