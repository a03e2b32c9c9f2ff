"""Quality scores by a posterior: of an item's label, of each vote; and how far votes agree."""

from __future__ import annotations

import numpy as np

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.learning import confident
from goldlabel.learning.confident import Method
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Codes, Floats, Ints

__all__ = ["item_agreement", "label_quality", "vote_quality"]


@kernel
def _shares_for(item_offsets: Ints, label: Codes, consensus: Codes, out: Floats) -> None:
    """``out[i]`` = share of the votes on item i that are for its consensus; NaN without votes."""
    for i in range(out.shape[0]):
        first, last = item_offsets[i], item_offsets[i + 1]
        hits = 0
        for vote in range(first, last):
            hits += label[vote] == consensus[i]
        out[i] = hits / (last - first) if last > first else np.nan


def item_agreement(votes: Votes, consensus: Codes) -> Floats:
    """Return the share of each item's votes that are for its label; NaN without votes."""
    out = np.empty(votes.num_items)
    _shares_for(votes.item_offsets, votes.label, frozen(consensus), out)
    return out


def label_quality(labels: Ints, posterior: Floats, method: Method) -> Floats:
    """Return the score of each item's label; 0 where there is none."""
    if method == "self_confidence":
        own = posterior[np.arange(len(labels)), labels]
    else:
        own = confident.label_quality(labels, posterior, method)
    return np.where(labels >= 0, np.clip(own, 0.0, 1.0), 0.0)


def vote_quality(votes: Votes, posterior: Floats, method: Method) -> Floats:
    """Return the score of each vote, by the posterior of its item."""
    if method == "self_confidence":
        return np.clip(posterior[votes.item, votes.label], 0.0, 1.0)
    out = np.empty(len(votes))

    def work(worker: int, block: int, rows: slice) -> None:
        label = votes.label[rows].astype(np.int64)
        out[rows] = confident.label_quality(label, posterior[votes.item[rows]], method)

    each_block(work, len(votes), block_rows(votes.num_classes))
    return np.clip(out, 0.0, 1.0)
