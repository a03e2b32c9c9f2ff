"""Annotators who do not look at what they label: always alike, at random, from each other.

Each is a test against what an honest annotator would do by chance, at 1 in 1000 over all
annotators (or pairs) together: what is named here is unlikely to be an accident.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from goldlabel.tasks.multiannotator.aggregation.consensus import Consensus
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["Colluding", "colluding_pairs", "constant_annotators", "random_annotators"]


CHANCE = 1e-3
"""Chance that anybody is named by accident."""
LEAST = 20
"""With fewer votes (or items in common) nobody is judged."""
_PAIRS = 4_000_000
"""So many pairs of votes are looked at; of more, those on items spread evenly."""
_ALIKE = 0.98
"""Share of equal votes from which two annotators may be copies."""
_EFFECT = 4.0
"""Deviations by which a usual annotator would beat chance with this many votes, to be judged."""


class Colluding(NamedTuple):
    """Pairs of annotators who give the same labels far more often than their records explain."""

    first: Ints
    second: Ints
    items: Ints
    same: Ints
    expected: Floats


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
    k = votes.num_classes
    cells = votes.annotator.astype(np.int64) * k + votes.label
    # What others say on an annotator's items, class by class: all votes on them, less their own.
    of_class = _votes_seen(votes)
    own = np.bincount(cells, minlength=votes.num_annotators * k)
    total = np.bincount(
        votes.annotator,
        weights=votes.votes_per_item[votes.item] - 1,
        minlength=votes.num_annotators,
    )
    shares = (of_class - own) / np.maximum(np.repeat(total, k), 1)
    return np.asarray(shares[cells])


def _votes_seen(votes: Votes) -> Floats:
    """Return how many votes for each class there are on each annotator's items, (M * k,)."""
    from scipy.sparse import csr_matrix

    n, m, k = votes.num_items, votes.num_annotators, votes.num_classes
    ones = np.ones(len(votes))
    labelled = csr_matrix((ones, (votes.annotator, votes.item)), shape=(m, n))
    said = csr_matrix((ones, (votes.item, votes.label)), shape=(n, k))
    return np.asarray((labelled @ said).toarray().ravel())


def colluding_pairs(consensus: Consensus) -> Colluding:
    """Return pairs of annotators who seem to copy from each other.

    Checked the consensus, two honest annotators err independently, each by their own record; named
    are pairs with at least 98% equal votes that this does not explain.
    """
    votes = consensus.votes
    first, second, item, same = _common_items(votes)
    m = votes.num_annotators
    keys, inverse, items = np.unique(first * m + second, return_inverse=True, return_counts=True)
    equal = np.bincount(inverse, weights=same, minlength=len(keys)).astype(np.int64)
    likely = np.flatnonzero((items >= LEAST) & (equal >= _ALIKE * items))
    if not likely.size:
        none = np.empty(0, dtype=np.int64)
        return Colluding(none, none, none, none, np.empty(0))
    chance = np.zeros((len(likely), 2))
    records = _Records(consensus)
    for at, pair in enumerate(likely.tolist()):
        a, b = divmod(int(keys[pair]), m)
        own = consensus.labels[item[inverse == pair]]
        p = (records.of(a)[own] * records.of(b)[own]).sum(axis=1)
        chance[at] = p.sum(), (p * (1 - p)).sum()
    expected, spread = chance.T
    surprise = stats.norm.sf((equal[likely] - 0.5 - expected) / np.sqrt(np.maximum(spread, 1e-9)))
    found = likely[surprise < CHANCE / max(int(np.count_nonzero(items >= LEAST)), 1)]
    return Colluding(
        keys[found] // m,
        keys[found] % m,
        items[found],
        equal[found],
        expected[np.isin(likely, found)] / items[found],
    )


def _common_items(votes: Votes) -> tuple[Ints, Ints, Ints, Mask]:
    """Return every pair of votes on an item: who, who, the item, and whether they are equal."""
    count = votes.votes_per_item
    pairs = int((count * (count - 1) // 2).sum())
    step = max(1, -(-pairs // _PAIRS))
    parts = []
    for size in np.unique(count[count > 1]).tolist():
        items = np.flatnonzero(count == size)[::step]
        rows = votes.item_offsets[items][:, None] + np.arange(size)
        left, right = np.triu_indices(size, 1)
        people, label = votes.annotator[rows], votes.label[rows]
        parts.append(
            (
                people[:, left].ravel().astype(np.int64),
                people[:, right].ravel().astype(np.int64),
                np.repeat(items, len(left)),
                (label[:, left] == label[:, right]).ravel(),
            )
        )
    if not parts:
        none = np.empty(0, dtype=np.int64)
        return none, none, none, none.astype(np.bool_)
    first, second, item, same = (np.concatenate(column) for column in zip(*parts, strict=True))
    return first, second, item, same


class _Records:
    """What an annotator says for each consensus class, as probabilities with one vote's doubt."""

    def __init__(self, consensus: Consensus) -> None:
        self._consensus = consensus
        self._known: dict[int, Floats] = {}

    def of(self, annotator: int) -> Floats:
        """Return the matrix (k, k): consensus by vote; rows sum to 1."""
        if annotator not in self._known:
            votes, k = self._consensus.votes, self._consensus.votes.num_classes
            own = votes.by_annotator[
                votes.annotator_offsets[annotator] : votes.annotator_offsets[annotator + 1]
            ]
            counts = np.full((k, k), 1.0 / k)
            agreed = self._consensus.labels[votes.item[own]]
            np.add.at(counts, (np.maximum(agreed, 0), votes.label[own]), 1.0)
            self._known[annotator] = counts / counts.sum(axis=1, keepdims=True)
        return self._known[annotator]
