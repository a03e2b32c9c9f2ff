"""The slow twin of confident learning for multilabel data: one cell at a time, from the formulas.

Written from the definitions and sharing nothing with the package. `labels` is a matrix of 1, 0 and
-1 (not known), `probs` of probabilities; arithmetic on a probability is in its own precision where
the definition says so, and otherwise exact or in float64.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

EPS = 1e-6
NEVER = 2.0
FILTERS = (
    *("prune_by_noise_rate", "prune_by_class", "both"),
    *("confident_learning", "predicted_neq_given", "low_self_confidence", "low_normalized_margin"),
)
PRUNING = FILTERS[:3]
METHODS = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")


def pair(q):
    """Return the probabilities of being without the class, and of having it."""
    return q.dtype.type(1) - q, q


def thresholds(labels, probs):
    found = np.full((probs.shape[1], 2), NEVER)
    for c in range(probs.shape[1]):
        for value in (0, 1):
            own = [float(pair(q)[value]) for q in probs[labels[:, c] == value, c]]
            if own:
                found[c, value] = max(math.fsum(own) / len(own), 2 * EPS)
    return found


def guess(q, cuts):
    """Return the guessed value of a cell; -1 for none."""
    absent, present = pair(q)
    sure = [value for value in (0, 1) if float((absent, present)[value]) >= cuts[value] - EPS]
    if len(sure) == 2:
        return int(present > absent)
    return sure[0] if sure else -1


def confident_joint(labels, probs, cuts=None, *, calibrate=True):
    cuts = thresholds(labels, probs) if cuts is None else cuts
    n, k = probs.shape
    joint = np.zeros((k, 2, 2), dtype=np.int64)
    for c in range(k):
        for i in range(n):
            guessed = guess(probs[i, c], cuts[c])
            if labels[i, c] >= 0 and guessed >= 0:
                joint[c, labels[i, c], guessed] += 1
        for value in (0, 1):
            joint[c, value, value] = max(joint[c, value, value], 1)
    return calibrated(joint, counts(labels)) if calibrate else joint


def counts(labels):
    return np.stack([(labels == value).sum(axis=0) for value in (0, 1)], axis=1)


def calibrated(joint, given):
    """DIVERGE 10-01: halves are decided on integers."""
    found = np.zeros_like(joint)
    for c, matrix in enumerate(joint.tolist()):
        for y in (0, 1):
            n, total = int(given[c, y]), sum(matrix[y])
            quotient, rest = divmod(matrix[y][1 - y] * n, total)
            up = 2 * rest > total or (2 * rest == total and quotient % 2 == 1 and n % 2 == 0)
            found[c, y, 1 - y] = quotient + up
            found[c, y, y] = n - quotient - up
    return found


def self_confidence(labels, probs):
    scores = np.ones(probs.shape)
    for i, c in np.ndindex(probs.shape):
        if labels[i, c] >= 0:
            scores[i, c] = min(max(float(pair(probs[i, c])[labels[i, c]]), 0.0), 1.0)
    return scores


def guarded(label, q):
    """Return whether the model agrees with a label, or nearly so."""
    absent, present = pair(q)
    kind = q.dtype.type
    if label == 1:
        return kind(float(present) + EPS) > absent
    return kind(float(absent) + EPS) >= present


def cells(labels, probs, filter_by, *, cuts=None, joint=None, frac_noise=1.0, least=1, quota=None):
    """Return the mask of the cells that a filter chooses."""
    n, k = probs.shape
    cuts = thresholds(labels, probs) if cuts is None else cuts
    scores = self_confidence(labels, probs)
    free = np.array(
        [
            [labels[i, c] >= 0 and not guarded(labels[i, c], probs[i, c]) for c in range(k)]
            for i in range(n)
        ],
        dtype=bool,
    ).reshape(n, k)
    if filter_by == "predicted_neq_given":
        return free
    off = np.zeros((n, k), dtype=bool)
    for i, c in np.ndindex(n, k):
        found = guess(probs[i, c], cuts[c])
        off[i, c] = free[i, c] and found >= 0 and found != labels[i, c]
    if filter_by == "confident_learning":
        return off
    chosen = np.zeros((n, k), dtype=bool)
    if filter_by in PRUNING:
        estimate = confident_joint(labels, probs, cuts) if joint is None else joint
        for c in range(k):
            for y in (0, 1):
                rows = np.flatnonzero(labels[:, c] == y)
                if len(rows) <= max(least, 1):
                    continue
                wrong = min(int(estimate[c, y, 1 - y]), max(len(rows) - least, 0))
                if quota is not None:
                    wrong = min(int(quota[c][y]), max(len(rows) - least, 0))
                else:
                    share = Fraction(wrong) * Fraction(str(frac_noise))
                    by_class = filter_by == "prune_by_class"
                    wrong = math.ceil(share) if by_class else math.floor(share)
                worst = sorted(rows, key=lambda i: (scores[i, c], i))[:wrong]
                chosen[worst, c] = True
        return chosen & free
    for c in range(k):
        rows = np.flatnonzero(labels[:, c] >= 0)
        worst = sorted(rows, key=lambda i: (scores[i, c], i))[: int(off[:, c].sum())]
        chosen[worst, c] = True
    return chosen


def entropy_score(label, q):
    absent, present = (max(float(p), EPS) for p in pair(q))
    total = absent + present
    absent, present = absent / total, present / total
    entropy = -(absent * math.log2(absent) + present * math.log2(present))
    x = entropy / (absent, present)[label]
    return math.log1p(x) / x


def cell_scores(labels, probs, method, *, adjust=False):
    if method == "confidence_weighted_entropy":
        scores = np.ones(probs.shape)
        for i, c in np.ndindex(probs.shape):
            if labels[i, c] >= 0:
                scores[i, c] = entropy_score(labels[i, c], probs[i, c])
        return scores
    if not adjust:
        return self_confidence(labels, probs)
    cuts, given = thresholds(labels, probs), counts(labels)
    scores = np.ones(probs.shape)
    for c in range(probs.shape[1]):
        for value in (0, 1):  # DIVERGE 1-25: a value that nobody has shifts nothing
            if not given[c, value]:
                cuts[c, value] = cuts[c, 1 - value]
        for i in range(len(probs)):
            if labels[i, c] >= 0:
                moved = [
                    float(p) - t + max(cuts[c])
                    for p, t in zip(pair(probs[i, c]), cuts[c], strict=True)
                ]
                own = moved[labels[i, c]] / max(sum(moved), EPS)
                scores[i, c] = min(max(own, 0.0), 1.0)
    return scores


def pooled(scores, labels, aggregator="exponential_moving_average", alpha=0.8, temperature=0.1):
    out = []
    for row, known in zip(scores, labels >= 0, strict=True):
        own = sorted((float(s) for s in row[known]), reverse=True)
        out.append(_pool(own, aggregator, alpha, temperature, len(row)) if own else 1.0)
    return np.array(out)


def _pool(own, aggregator, alpha, temperature, k):
    if aggregator == "exponential_moving_average":
        alpha = 2 / (k + 1) if alpha is None else alpha
        average = own[0]
        for score in own[1:]:
            average = alpha * score + (1 - alpha) * average
        return average
    if aggregator == "softmin":
        if temperature == 0:
            return own[-1]
        weights = [math.exp((own[-1] - score) / temperature) for score in own]
        return sum(w * s for w, s in zip(weights, own, strict=True)) / sum(weights)
    return own[-1] if aggregator == "minimum" else math.fsum(own) / len(own)
