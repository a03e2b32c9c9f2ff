"""CROWDLAB and ActiveLab as their papers and spec 15 have them, in plain NumPy on dense matrices.

Labels are float matrices (N, M) with NaN where there is none; probs are (E, N, K).
"""

from __future__ import annotations

import numpy as np

TIED = 1e-12
"""Numbers that differ by less, relatively, are equal: rounding decides nothing."""
COARSE = [0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 3.0, 5.0, 8.0]


def counts(labels, k):
    return np.stack([(labels == c).sum(axis=1) for c in range(k)], axis=1)


def first_largest(rows):
    """Return the first place of each row (last axis) that holds its largest number."""
    return (rows >= rows.max(axis=-1, keepdims=True) * (1 - TIED)).argmax(axis=-1)


def first_least(losses):
    return int(np.flatnonzero(np.array(losses) <= min(losses) + TIED)[0])


def majority(labels, probs):
    n, m = labels.shape
    k = probs.shape[1]
    c = counts(labels, k)
    modes = [set(np.flatnonzero(row == row.max())) if row.max() else set() for row in c]
    untied = [next(iter(s)) if len(s) == 1 else None for s in modes]
    trust = np.full(m, np.nan)
    for j in range(m):
        own = [i for i in range(n) if not np.isnan(labels[i, j]) and untied[i] is not None]
        if own:
            trust[j] = np.mean([labels[i, j] == untied[i] for i in own])
    if np.isfinite(trust).any():
        trust = np.where(np.isnan(trust), np.nanmean(trust), trust)
    frequency = c.sum(axis=0)
    return np.array(
        [settled(labels[i], probs[i], modes[i], frequency, trust) for i in range(n)], dtype=int
    )


def settled(row, p, modes, frequency, trust):
    if not modes:
        return int(first_largest(p))
    left = {c for c in modes if p[c] >= max(p[d] for d in modes) * (1 - TIED)}
    left = {c for c in left if frequency[c] == min(frequency[d] for d in left)}
    if len(left) > 1 and np.isfinite(trust).any():
        mean = {c: np.mean(trust[row == c]) for c in left}
        left = {c for c in left if mean[c] >= max(mean.values()) * (1 - TIED)}
    return min(left)


def weigh(labels, probs, y):
    """Return posterior, agreement, model weights, annotator weights."""
    e, n, k = probs.shape
    c = counts(labels, k)
    size = c.sum(axis=1)
    several = size > 1
    agreement = np.where(size > 0, c[np.arange(n), y] / np.maximum(size, 1), np.nan)
    hit = agreement[several].mean()
    miss = (1 - hit) / (k - 1)
    frequent = np.bincount(y[several], minlength=k).argmax()
    base = max((y[several] != frequent).mean(), 1 / (several.sum() + 1), 1e-6)
    peers = np.full(labels.shape[1], np.nan)
    for j in range(labels.shape[1]):
        own = np.flatnonzero(~np.isnan(labels[:, j]))
        pairs = (size[own] - 1).sum()
        if pairs:
            peers[j] = (c[own, labels[own, j].astype(int)] - 1).sum() / pairs
    peers = np.where(np.isnan(peers), np.nanmean(peers), peers)
    w = np.maximum(1 - (1 - peers) / base, 1e-6)
    wrong = np.array([(first_largest(probs[a, several]) != y[several]).mean() for a in range(e)])
    w_m = np.maximum(1 - wrong / base, 1e-6) * np.sqrt(size[size > 0].mean())
    q = np.tensordot(w_m, probs, axes=1)
    total = np.full(n, w_m.sum())
    for i in range(n):
        for j in np.flatnonzero(~np.isnan(labels[i])):
            q[i] += w[j] * np.where(np.arange(k) == labels[i, j], hit, miss)
            total[i] += w[j]
    return q / total[:, None], agreement, w_m, w


def crowdlab(labels, probs, *, best_quality=True):
    """Return labels, posterior, agreement, model weights and annotator weights."""
    first = majority(labels, probs.mean(axis=0))
    found = weigh(labels, probs, first)
    if not best_quality:
        return first, *found
    q = found[0]
    top = q >= q.max(axis=1, keepdims=True) * (1 - TIED)
    better = np.where(top.sum(axis=1) == 1, q.argmax(axis=1), first)
    return better, *weigh(labels, probs, better)


def annotator_quality(labels, y, q, w_m, w):
    """Return quality of each annotator; weights of several models add up."""
    size = (~np.isnan(labels)).sum(axis=1)
    share = w_m.sum() / (w_m.sum() + w.sum() * size[size > 0].mean() / labels.shape[1])
    quality = np.full(labels.shape[1], np.nan)
    for j in range(labels.shape[1]):
        own = np.flatnonzero(~np.isnan(labels[:, j]))
        if not own.size:
            continue
        mean = q[own, labels[own, j].astype(int)].mean()
        among = own[size[own] > 1]
        quality[j] = mean
        if among.size:
            quality[j] = share * mean + (1 - share) * (labels[among, j] == y[among]).mean()
    return quality


def scaled(probs, temperature):
    p = np.maximum(probs, 1e-30)
    p = (p / p.sum(axis=1, keepdims=True)) ** (1 / temperature)
    return p / p.sum(axis=1, keepdims=True)


def temperature(labels, probs):
    """Return the temperature of least cross-entropy on the coarse, then the fine grid."""
    c = counts(labels, probs.shape[1])
    seen = c.sum(axis=1) > 0
    e = c[seen] / c[seen].sum(axis=1, keepdims=True)

    def loss(t):
        return -(e * np.log(np.maximum(scaled(probs[seen], t), 1e-30))).sum(axis=1).mean()

    best = first_least([loss(t) for t in COARSE])
    fine = []
    if best > 0:
        fine += np.linspace(COARSE[best - 1], COARSE[best], 4, endpoint=False).tolist()
    if best < len(COARSE) - 1:
        fine += np.linspace(COARSE[best], COARSE[best + 1], 5).tolist()
    else:
        fine += [COARSE[best]]
    return fine[first_least([loss(t) for t in fine])]


def active_scores(labels, probs, pool):
    """Return scores of items with votes, and of the pool (E, U, K)."""
    k = probs.shape[2]
    warm = [temperature(labels, p) for p in probs]
    probs = np.stack([scaled(p, t) for p, t in zip(probs, warm, strict=True)])
    pool = np.stack([scaled(p, t) for p, t in zip(pool, warm, strict=True)])
    y, q, _, w_m, w = crowdlab(labels, probs)
    there = ~np.isnan(labels)
    prior = w[there.any(axis=0)].mean()
    total = w_m.sum() + (there * w).sum(axis=1)
    labeled = (q[np.arange(len(q)), y] * total + prior / k) / (total + prior)
    mixed = (np.tensordot(w_m, pool, axes=1) + prior / k) / (w_m.sum() + prior)
    best = majority(first_largest(pool).T.astype(float), pool.mean(axis=0))
    return labeled, mixed[np.arange(len(mixed)), best]
