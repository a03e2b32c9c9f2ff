"""Plain NumPy and Python twins of the checks of a dataset: the definitions, one line at a time."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import numpy as np


def distances(points, metric):
    """Return all distances; equal rows are at distance 0, rows of zeros at 1 from all others."""
    points = np.asarray(points, dtype=np.float64)
    out = np.empty((len(points), len(points)))
    for i, a in enumerate(points):
        for j, b in enumerate(points):
            if np.array_equal(a, b):
                out[i, j] = 0.0
            elif metric == "euclidean":
                out[i, j] = np.sqrt(np.sum((a - b) ** 2))
            else:
                lengths = np.linalg.norm(a), np.linalg.norm(b)
                unit = 0.0 if min(lengths) == 0 else a @ b / lengths[0] / lengths[1]
                out[i, j] = 1.0 - unit
    return out


def nearest(points, k, metric):
    """Return the distances to the k nearest others."""
    found = distances(points, metric)
    np.fill_diagonal(found, np.inf)
    return np.sort(found, axis=1)[:, :k]


def gap_statistic(neighbors, places):
    n = len(places)
    deltas = sorted(abs(places[i] - places[j]) for i, row in enumerate(neighbors) for j in row)
    m = len(deltas)
    best = 0.0
    for v in set(deltas):
        h, total = deltas.count(v), sum(d <= v for d in deltas)
        expected = sum(n - d for d in range(1, v + 1)) / (n * (n - 1) / 2)
        best = max(best, abs((total - h) / m - expected), abs((total - 1) / m - expected))
    return best


def order_scores(neighbors):
    """Integrate numerically how far an example's gaps are from those of a random partner."""
    n, k = neighbors.shape
    grid = np.linspace(0, n - 1, 40 * (n - 1) + 1)
    middle = (grid[1:] + grid[:-1]) / 2
    out = []
    for i in range(n):
        b = min(i, n - 1 - i)
        cdf = np.where(
            middle <= b,
            2 * middle / (n - 1),
            np.where(middle <= n - 1 - b, (middle + b) / (n - 1), 1.0),
        )
        gaps = np.sort(np.abs(neighbors[i] - i))
        step = np.searchsorted(gaps, middle, side="left") / k
        edges = np.concatenate([[0], gaps, [n - 1]])
        w = 0.0
        for low, high in pairwise(edges):
            inside = (middle > low) & (middle < high)
            w += abs(np.sum((step - cdf)[inside]) * (grid[1] - grid[0]))
        out.append(1 - np.tanh(w / max(i, n - i)))
    return np.array(out)


def knn_shapley(neighbors, labels, k):
    """Follow the recursion with horizon k."""
    n = len(labels)
    values = np.zeros(n)
    for a in range(n):
        row = neighbors[a][:k]
        hits = [float(labels[b] == labels[a]) for b in row]
        s = 0.0
        for r in range(k - 1, 0, -1):
            s += hits[r - 1] - hits[r]
            values[row[r - 1]] += s / k
    return values / n


def shapley_by_force(order, labels, own, k):
    """Average an example's gain over all orders in which examples can join (utility: hits / k)."""
    m = len(order)
    rank = {b: r for r, b in enumerate(order)}

    def utility(joined):
        near = sorted(joined, key=rank.__getitem__)[:k]
        return sum(labels[b] == own for b in near) / k

    values = dict.fromkeys(order, 0.0)
    for sequence in permutations(order):
        for at, b in enumerate(sequence):
            values[b] += utility(sequence[: at + 1]) - utility(sequence[:at])
    return {b: value / math.factorial(m) for b, value in values.items()}


def shingles(text, width):
    data = text.encode()
    if len(data) < width:
        return {data}
    return {data[at : at + width] for at in range(len(data) - width + 1)}


def jaccard(a, b, width):
    first, second = shingles(a, width), shingles(b, width)
    return len(first & second) / len(first | second)
