"""Regression as the specification words it: slow, plain, one function a definition."""

from __future__ import annotations

import numpy as np
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold


def residual_scores(labels, predictions):
    return np.exp(-np.abs(predictions - labels))


def scaled_residual_scores(labels, predictions):
    sizes = np.abs(predictions - labels)
    with np.errstate(over="ignore"):
        return np.exp(-sizes / max(np.median(sizes), np.finfo(float).tiny))


def half_distances(x, y, targets, weights, wanted):
    """Mean distance to the nearest targets of a weight, sorted in full."""
    out = np.empty(len(x))
    for i in range(len(x)):
        distances = np.sqrt((targets[0] - x[i]) ** 2 + (targets[1] - y[i]) ** 2)
        order = np.argsort(distances, kind="stable")
        taken = np.clip(wanted - (np.cumsum(weights[order]) - weights[order]), 0, weights[order])
        out[i] = (taken * distances[order]).sum() / wanted
    return out


def outre_scores(labels, predictions):
    labels, predictions = np.asarray(labels, float), np.asarray(predictions, float)
    residuals = predictions - labels
    x = (labels - labels.mean()) / (labels.std() + 1e-100)
    y = 5 * (residuals - residuals.mean()) / (residuals.std() + 1e-100)
    n = len(labels)
    distances = half_distances(x, y, (x, y), np.ones(n), float(np.ceil(0.5 * n)))
    eps = 100 * np.finfo(float).eps
    scores = np.exp(-distances / max(max(np.median(distances), eps), 1e-6))
    return np.where(distances < np.sqrt(eps), 1.0, scores)


def cross_validate(model, features, target, order, share, folds, split):
    """Predictions of every item; the last ceil(n share) of `order` are in no training set."""
    n = len(target)
    count = int(np.ceil(n * share - 1e-9))
    left_out, kept = order[n - count :], order[: n - count]
    predictions, others = np.zeros(n), np.zeros((folds, count))
    fold = split(kept, folds)
    for f in range(folds):
        train, test = kept[fold != f], kept[fold == f]
        fitted = clone(model).fit(features[train], target[train])
        predictions[test] = fitted.predict(features[test])
        if count:
            others[f] = fitted.predict(features[left_out])
    predictions[left_out] = others.mean(axis=0)
    return predictions


def search(model, features, labels, *, folds=5, boot=5, aleatoric=True, coarse, fine, split):
    """The published search: (share, predictions, scores, uncertainty)."""
    n, every = len(labels), np.arange(len(labels))

    def run(order, share, target=labels, f=folds):
        return cross_validate(model, features, target, order, share, f, split)

    first = run(every, 0.0)
    order = np.argsort(np.abs(first - labels), kind="stable")
    base = r2_score(labels, first)

    def values(shares):
        return [r2_score(labels, run(order, share)) for share in shares]

    coarse = sorted(coarse)
    of_coarse = values(coarse)
    at = int(np.argmax(of_coarse))
    best, share = of_coarse[at], coarse[at]
    between = []
    if at > 0:
        between += np.linspace(coarse[at - 1], coarse[at], fine + 2)[1:-1].tolist()
    if at < len(coarse) - 1:
        between += np.linspace(coarse[at], coarse[at + 1], fine + 2)[1:-1].tolist()
    if between:
        of_fine = values(between)
        if max(of_fine) >= best:
            best, share = max(of_fine), between[int(np.argmax(of_fine))]
    share = 0.0 if base >= best else share
    predictions = run(order, share)
    runs = [run(every, 0.0, f=2) for _ in range(boot)]
    epistemic = np.std([*runs, predictions], axis=0) if boot else np.zeros(n)
    noise = float(np.std(run(every, 0.0, predictions - labels))) if aleatoric else 0.0
    z = np.abs(predictions - labels) / (epistemic + noise + 1e-100)
    scores = np.exp(-z / max(np.median(z), 1e-100))
    return share, predictions, scores, epistemic + noise


def global_folds(kept, folds):
    """Draw folds as the peer does: shuffled by NumPy's global state, in the order given."""
    fold = np.empty(len(kept), dtype=int)
    for number, (_, test) in enumerate(KFold(folds, shuffle=True).split(np.zeros(len(kept)))):
        fold[test] = number
    return fold


def folds_by_item(seed):
    """Draw folds that depend on which items are kept and on the call, not on their order."""
    rng = np.random.default_rng(seed)

    def split(kept, folds):
        rank = np.argsort(np.argsort(kept))
        return (rng.permutation(len(kept)) % folds)[rank]

    return split


def wrongness(sizes):
    """One minus the least share, over all looser cuts, of right labels among those cut off."""
    n, median = len(sizes), max(np.median(sizes), 1e-300)
    shares = [n * 2.0 ** (-s / median) / np.count_nonzero(sizes >= s) for s in sizes]
    return np.array(
        [1 - min(1.0, min(q for q, t in zip(shares, sizes, strict=True) if t <= s)) for s in sizes]
    )


def plausible_bounds(labels, predictions, trusted, usual):
    """Lowest and highest plausible value by split conformal prediction at nine in ten.

    The bound of all sizes is the one of rank 9 in 10 of n + 1: with one more, unseen example, each
    rank is as likely to be its own. Negative values are none where no trusted label is negative.
    """
    sizes = sorted(
        abs(p - y) / u
        for y, p, u, known in zip(labels, predictions, usual, trusted, strict=True)
        if known
    )
    n = len(sizes)
    rank = -(-(n + 1) * 9 // 10)  # rounded up
    reach = sizes[min(rank, n) - 1] if n else 0.0
    positive = n > 0 and min(y for y, known in zip(labels, trusted, strict=True) if known) >= 0
    bounds = []
    for p, u in zip(predictions, usual, strict=True):
        low, high = p - reach * u, p + reach * u
        bounds.append((max(low, 0.0) if positive and high >= 0 else low, high))
    return bounds
