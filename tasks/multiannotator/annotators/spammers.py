"""Annotators who do not look at what they label: one class for everything, or any at random.

Each is a test against what an honest annotator would do by chance, at 1 in 1000 over all
annotators together: what is named here is unlikely to be an accident.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from goldlabel.tasks.multiannotator.aggregation.consensus import Consensus
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["CHANCE", "LEAST", "constant_annotators", "random_annotators"]


CHANCE = 1e-3
"""Chance that anybody is named by accident."""
LEAST = 20
"""With fewer votes (or items in common) nobody is judged."""
_EFFECT = 4.0
"""Deviations by which a usual annotator would beat chance with this many votes, to be judged."""


def constant_annotators(consensus: Consensus) -> Mask:
    """Return who gives one class to everything, where that would be an accident for others.

    An honest annotator gives a class about as often as it is the consensus of the items labelled.
    """
    votes = consensus.votes
    m, k = votes.num_annotators, votes.num_classes
    first = np.zeros(m, dtype=np.int64)
    count = votes.votes_per_annotator
    has = count > 0
    first[has] = votes.label[votes.by_annotator[votes.annotator_offsets[:-1][has]]]
    same = votes.label == first[votes.annotator]
    alike = np.bincount(votes.annotator[same], minlength=m) == count
    agreed = consensus.labels[votes.item] == first[votes.annotator]
    expected = np.bincount(votes.annotator[agreed], minlength=m)
    rate = (expected + 0.5) / (count + 0.5 * k)
    tested = max(int(np.count_nonzero(count >= LEAST)), 1)
    surprise = count * np.log(np.minimum(rate, 1.0))
    return np.asarray(has & alike & (count >= LEAST) & (surprise < np.log(CHANCE / tested)))


def random_annotators(votes: Votes) -> tuple[Mask, Floats]:
    """Return who agrees with the others no better than chance, and by how much each does.

    For each vote: the share of the item's other votes for the same class, less the share that
    this class has among all votes of others on the annotator's items. The mean is 0 for who does
    not look. Named are those for whom it is not significantly above 0, though it would be for a
    usual annotator with as many votes and as much room above chance.

    Returns
    -------
    tuple of ndarray of shape (M,)
        Who does (bool), and the mean in standard errors (float64): far below 0 for who knows, and
        says the opposite.
    """
    canonical = votes.canonical
    weak, errors = _random(canonical.votes)
    back = np.argsort(canonical.annotators)
    return weak[back], errors[back]


def _random(votes: Votes) -> tuple[Mask, Floats]:
    m, k = votes.num_annotators, votes.num_classes
    others = votes.votes_per_item[votes.item] - 1
    pairs = votes.item.astype(np.int64) * k + votes.label
    _, inverse, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    alike = (counts[inverse] - 1) / np.maximum(others, 1)
    chance = np.where(others > 0, _by_chance(votes), 1.0)
    gain = np.where(others > 0, alike - chance, 0.0)
    used, total, squares, room = (
        np.bincount(votes.annotator, weights=values, minlength=m).astype(np.float64)
        for values in (others > 0, gain, gain**2, 1.0 - chance)
    )
    mean, room = total / np.maximum(used, 1), room / np.maximum(used, 1)
    spread = np.sqrt(np.maximum(squares / np.maximum(used, 1) - mean**2, 1e-12))
    error = spread / np.sqrt(np.maximum(used, 1))
    enough = (used >= LEAST) & (room > 0.01)
    usual = float(np.median(mean[enough] / room[enough])) if enough.any() else 0.0
    weak = mean / error < stats.norm.ppf(1 - 0.05)
    return enough & weak & (usual * room / error > _EFFECT), mean / error


def _by_chance(votes: Votes) -> Floats:
    """Return for each vote the share of its class among others' votes on its annotator's items."""
    cells = votes.annotator.astype(np.int64) * votes.num_classes + votes.label
    cells, place, own = np.unique(cells, return_inverse=True, return_counts=True)
    # What others say on an annotator's items, class by class: all votes on them, less their own.
    others = _votes_seen(votes, cells) - own
    total = np.bincount(
        votes.annotator,
        weights=votes.votes_per_item[votes.item] - 1,
        minlength=votes.num_annotators,
    )
    return np.asarray(others[place] / np.maximum(total[votes.annotator], 1))


def _votes_seen(votes: Votes, cells: Ints) -> Ints:
    """Return how many votes there are on an annotator's items for a class; cells ``j * k + c``."""
    from scipy.sparse import csr_matrix

    n, m, k = votes.num_items, votes.num_annotators, votes.num_classes
    ones = np.ones(len(votes), dtype=np.int64)
    labelled = csr_matrix((ones, (votes.annotator, votes.item)), shape=(m, n))
    given = csr_matrix((ones, (votes.item, votes.label)), shape=(n, k))
    seen = (labelled @ given).tocsr()
    seen.sort_indices()
    rows = np.repeat(np.arange(m, dtype=np.int64), np.diff(seen.indptr))
    at = np.searchsorted(rows * k + seen.indices, cells)  # nobody's own votes are missing
    return np.asarray(seen.data[at])
