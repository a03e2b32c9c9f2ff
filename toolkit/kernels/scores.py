"""Label quality scores that need every entry of a row, on cache-sized blocks of it.

The two scores that one look at a row gives come from `goldlabel.kernels.confident.sweep`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.typing import AnyFloats, Ints

__all__ = ["CLIP", "adjusted_scores", "confidence_weighted_entropy"]

Scores = npt.NDArray[np.float64]

CLIP = 1e-6
"""Floor of probabilities whose logarithm is taken."""


def confidence_weighted_entropy(labels: Ints, pred_probs: AnyFloats) -> Scores:
    """Score ``log1p(x) / x`` with x = normalised entropy / probability of the given label.

    Both are taken of the row floored at `CLIP` and rescaled to sum 1, so that a confident row
    scores near 1 with the right label and near 0 with a wrong one (spec DIVERGE 1-24). NumPy's
    logarithm on blocks beats a compiled loop over numba's.
    """
    n, k = pred_probs.shape
    scores = np.ones(n)
    if k == 1:
        return scores

    def work(worker: int, block: int, rows: slice) -> None:
        q = np.maximum(pred_probs[rows], CLIP, dtype=np.float64)
        q /= q.sum(axis=1, keepdims=True)
        own = q[np.arange(q.shape[0]), np.maximum(labels[rows], 0)]
        entropy = -np.einsum("ij,ij->i", q, np.log(q)) / np.log(k)
        x = entropy / own
        scores[rows] = np.where(labels[rows] >= 0, np.log1p(x) / x, 1.0)

    each_block(work, n, block_rows(4 * k))
    return scores


def adjusted_scores(
    labels: Ints, pred_probs: AnyFloats, cutoffs: npt.NDArray[np.float64], *, margin: bool
) -> Scores:
    """Score probabilities shifted by the class thresholds and rescaled to sum 1.

    ``p'[j] = (p[j] - t[j] + max t) / sum``: then self-confidence, or the normalised margin.
    `cutoffs` has the shape (k,), or (n, k) where each row has thresholds of its own.
    """
    n, k = pred_probs.shape
    scores = np.ones(n)
    shift = np.broadcast_to(cutoffs.max(axis=-1, initial=0.0, keepdims=True) - cutoffs, (n, k))

    def work(worker: int, block: int, rows: slice) -> None:
        q = pred_probs[rows] + shift[rows]
        q /= np.maximum(q.sum(axis=1, keepdims=True), CLIP)  # a row may be all zeros
        at = (np.arange(q.shape[0]), np.maximum(labels[rows], 0))
        own = q[at]
        if margin and k > 1:
            q[at] = -np.inf
            own = (own - q.max(axis=1) + 1.0) / 2.0
        scores[rows] = np.where(labels[rows] >= 0, np.clip(own, 0.0, 1.0), 1.0)

    if k > 1 or not margin:
        each_block(work, n, block_rows(4 * k))
    return scores
