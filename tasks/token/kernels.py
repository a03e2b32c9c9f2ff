"""The most probable legal sequence of tags: Viterbi's algorithm under the rules of a tag scheme.

A class may do four things, which are its bits in `rules`: 1 = begin or stand outside (after
anything that is over), 2 = be over after itself, 4 = go on with an entity of its type, 8 = be gone
on with. A tag may follow another if one is over and the other begins, or one is gone on with and
the other goes on, of one type. So the best tag before each is the best of all that are over, or the
best of its type that is not: time k for each token, not k squared.

References
----------
A. Viterbi. Error bounds for convolutional codes and an asymptotically optimum decoding algorithm.
IEEE Transactions on Information Theory 13 (1967) 260-269.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import frozen, kernel
from goldlabel.kernels.rows import BLOCK_CELLS, each_block
from goldlabel.typing import AnyFloats, Ints

__all__ = ["most_probable"]

Bits = npt.NDArray[np.uint8]

TINY = 1e-30
"""Floor of probabilities whose logarithm is taken: a tag of probability 0 is only very unlikely."""


@kernel
def _most_probable(
    logs: AnyFloats,
    offsets: Ints,
    rules: Bits,
    type_of: Ints,
    totals: AnyFloats,
    open_of: Ints,
    before: Ints,
    out: Ints,
) -> None:
    """Write the best tags of each sentence of a block; `totals`, `open_of`, `before`: scratch."""
    k = logs.shape[1]
    origin = offsets[0]
    for sentence in range(offsets.shape[0] - 1):
        start, end = offsets[sentence] - origin, offsets[sentence + 1] - origin
        if start == end:
            continue
        now, then = 0, 1
        for j in range(k):
            totals[now, j] = logs[start, j] if rules[j] & 1 else -np.inf
        for u in range(start + 1, end):
            over = -1
            open_of[:] = -1
            for j in range(k):
                if rules[j] & 2 and (over < 0 or totals[now, j] > totals[now, over]):
                    over = j
                if rules[j] & 8:
                    best = open_of[type_of[j]]
                    if best < 0 or totals[now, j] > totals[now, best]:
                        open_of[type_of[j]] = j
            for j in range(k):
                previous = over if rules[j] & 1 else -1
                if rules[j] & 4:
                    best = open_of[type_of[j]]
                    if best >= 0 and (previous < 0 or totals[now, best] > totals[now, previous]):
                        previous = best
                before[u - start, j] = previous
                totals[then, j] = totals[now, previous] + logs[u, j] if previous >= 0 else -np.inf
            now, then = then, now
        last = -1
        for j in range(k):
            if rules[j] & 2 and (last < 0 or totals[now, j] > totals[now, last]):
                last = j
        for u in range(end - 1, start - 1, -1):
            out[u] = last
            if u > start:
                last = before[u - start, last]


def most_probable(
    pred_probs: AnyFloats, rows: Ints, offsets: Ints, rules: Bits, type_of: Ints
) -> Ints:
    """Return the legal sequence of tags of highest product of probabilities for each sentence.

    Parameters
    ----------
    pred_probs : ndarray of shape (t, k), float32 or float64
    rows : ndarray of shape (m,), int64
        The rows of the sentences, one after the other.
    offsets : ndarray of shape (s + 1,), int64
        Sentence i owns ``rows[offsets[i]:offsets[i + 1]]``.
    rules : ndarray of shape (k,), uint8
        What each class may do, as above.
    type_of : ndarray of shape (k,), int64
        Type of entity of each class; -1 = outside.

    Returns
    -------
    ndarray of shape (m,), int64
        Classes; of equally probable sequences the one whose last tag is the first of the classes,
        then the last but one, and so on.
    """
    k = pred_probs.shape[1]
    lengths = np.diff(offsets)
    out = np.empty(rows.shape[0], dtype=np.int64)
    longest, types = int(lengths.max(initial=1)), int(type_of.max(initial=0)) + 1
    bits, kinds, ends = frozen(rules), frozen(type_of), frozen(offsets)

    def work(worker: int, block: int, chosen: slice) -> None:
        part = ends[chosen.start : chosen.stop + 1]
        probs = np.nan_to_num(pred_probs[rows[part[0] : part[-1]]].astype(np.float64), nan=TINY)
        _most_probable(
            np.log(np.maximum(probs, TINY)),
            part,
            bits,
            kinds,
            np.empty((2, k)),
            np.empty(types, dtype=np.int64),
            np.empty((longest, k), dtype=np.int64),
            out[part[0] : part[-1]],
        )

    each_block(work, len(lengths), max(1, BLOCK_CELLS // (max(longest, 1) * k)))
    return out
