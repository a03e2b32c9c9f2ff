"""Slow twins of segmentation: whole datasets in memory, a sort where the package counts digits."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

EPS, FLOOR, NEVER, RAREST = 1e-6, 2e-6, 2.0, 1e-6


def pixel_scores(labels, probs):
    """Probability of the given class of each pixel of one image; 1 where it is left out."""
    own = np.take_along_axis(probs, np.maximum(labels, 0)[None], axis=0)[0]
    return np.where(labels < 0, 1.0, own)


def thresholds(labels, probs, k):
    sums, counts = np.zeros(k), np.zeros(k)
    for mask, each in zip(labels, probs, strict=True):
        kept = mask >= 0
        sums += np.bincount(mask[kept], pixel_scores(mask, each)[kept].astype(float), k)
        counts += np.bincount(mask[kept], minlength=k)
    return np.where(counts > 0, np.maximum(sums / np.maximum(counts, 1), FLOOR), NEVER)


def confident(labels, probs, cutoffs):
    total = 0
    for mask, each in zip(labels, probs, strict=True):
        guess, highest = each.argmax(axis=0), each.max(axis=0)
        total += int(((mask >= 0) & (guess != mask) & (highest >= cutoffs[guess] - EPS)).sum())
    return total


def pixel_issues(labels, probs):
    """Masks of the pixels judged wrong: a stable sort of all scores of the dataset."""
    k = probs[0].shape[0]
    m = confident(labels, probs, thresholds(labels, probs, k))
    scores = np.concatenate(
        [pixel_scores(m_, p).ravel() for m_, p in zip(labels, probs, strict=True)]
    )
    kept = np.concatenate([mask.ravel() >= 0 for mask in labels])
    order = np.flatnonzero(kept)[np.argsort(scores[kept], kind="stable")][:m]
    chosen = np.zeros(len(scores), dtype=bool)
    chosen[order] = True
    masks, start = [], 0
    for mask, each in zip(labels, probs, strict=True):
        own = chosen[start : start + mask.size].reshape(mask.shape)
        masks.append(own & (each.argmax(axis=0) != mask))
        start += mask.size
    return masks


def softmin(labels, probs, temperature):
    out = []
    for mask, each in zip(labels, probs, strict=True):
        scores = pixel_scores(mask, each)[mask >= 0].astype(float)
        weights = np.exp((1 - scores) / temperature - ((1 - scores) / temperature).max(initial=0))
        out.append((scores * weights).sum() / weights.sum() if scores.size else 1.0)
    return np.array(out)


def surprise(labels, probs):
    k = probs[0].shape[0]
    table = np.zeros((k, k))
    for mask, each in zip(labels, probs, strict=True):
        np.add.at(table, (mask[mask >= 0], each.argmax(axis=0)[mask >= 0]), 1)
    given, predicted = table.sum(axis=1), table.sum(axis=0)
    share = np.zeros((k, k))
    for a in range(k):
        for b in range(k):
            share[a, b] = max(table[a, b] / max(given[a], 1), table[a, b] / max(predicted[b], 1))
    return np.log(np.clip(share, RAREST, 1)) / np.log(RAREST)


def evidence(labels, probs):
    """Squared evidence of each pixel, per image."""
    unusual = surprise(labels, probs)
    out = []
    for mask, each, wrong in zip(labels, probs, pixel_issues(labels, probs), strict=True):
        gap = each.max(axis=0).astype(float) - pixel_scores(mask, each)
        out.append((gap**2 * unusual[mask, each.argmax(axis=0)]) ** 2 * wrong)
    return out


def region_scores(labels, probs):
    return np.array(
        [
            1 - np.sqrt(e.sum() / max((mask >= 0).sum(), 1))
            for e, mask in zip(evidence(labels, probs), labels, strict=True)
        ]
    )


def components(labels, predicted):
    """Number regions of one label and one prediction (-1 = none); corners connect."""
    numbers = np.zeros(labels.shape, dtype=int)
    count = 0
    for pair in {*zip(labels.ravel().tolist(), predicted.ravel().tolist(), strict=True)}:
        if pair[1] >= 0:
            own, found = ndimage.label(
                (labels == pair[0]) & (predicted == pair[1]), np.ones((3, 3))
            )
            numbers[own > 0] = own[own > 0] + count
            count += found
    return numbers, count


def made_up(seed=0, n=4, k=4, h=12, w=15, noise=0.1, sharp=2.5, dtype=np.float64, ragged=False):
    """Masks in patches, some of them wrong, and the probabilities of a fair model."""
    rng = np.random.default_rng(seed)
    labels, probs = [], []
    for _ in range(n):
        size = (h + int(rng.integers(0, 6)) * ragged, w + int(rng.integers(0, 6)) * ragged)
        true = np.kron(rng.integers(0, k, (3, 3)), np.ones((8, 8), int))[: size[0], : size[1]]
        logits = rng.normal(size=(k, *true.shape))
        np.put_along_axis(logits, true[None], np.take_along_axis(logits, true[None], 0) + sharp, 0)
        e = np.exp(logits)
        mask = true.copy()
        wrong = rng.random(mask.shape) < noise
        mask[wrong] = rng.integers(0, k, wrong.sum())
        if rng.random() < 0.5:
            mask[2:6, 2:7] = (mask[2:6, 2:7] + 1) % k
        labels.append(mask)
        probs.append((e / e.sum(axis=0)).astype(dtype))
    if not ragged:
        return np.stack(labels), np.stack(probs)
    return labels, probs
