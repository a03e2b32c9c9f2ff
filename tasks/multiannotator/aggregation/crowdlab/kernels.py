"""The loops of CROWDLAB over items: counting agreement, weighing votes and models."""

from __future__ import annotations

import numpy as np

from goldlabel.kernels._jit import kernel
from goldlabel.tasks.multiannotator.aggregation.ties import TIED
from goldlabel.typing import Codes, Floats, Ints

__all__ = ["class_records", "count_pairs", "fill_posterior"]


@kernel
def count_pairs(
    offsets: Ints, annotator: Codes, label: Codes, counts: Ints, alike: Ints, pairs: Ints
) -> None:
    """Count the other votes on each annotator's items, and those that are for the same class.

    `counts` is a scratch of 0 for each class; `alike` and `pairs` (m,) are added to.
    """
    for i in range(offsets.shape[0] - 1):
        start = offsets[i]
        end = offsets[i + 1]
        for v in range(start, end):
            counts[label[v]] += 1
        for v in range(start, end):
            alike[annotator[v]] += counts[label[v]] - 1
            pairs[annotator[v]] += end - start - 1
        for v in range(start, end):
            counts[label[v]] = 0


@kernel
def fill_posterior(
    offsets: Ints,
    annotator: Codes,
    label: Codes,
    probs: Floats,
    model_weights: Floats,
    weights: Floats,
    hit: float,
    miss: float,
    posterior: Floats,
    labels: Codes,
) -> None:
    """Weigh votes and models (e, n, k): the posterior of each item, and its class.

    `labels` holds what stays where the most probable class is not the only one. Sums of `weights`,
    (2, m), are exact, see `exact.split`, so the order of the votes does not matter.
    """
    of_models = model_weights.sum()
    high, low = np.zeros(posterior.shape[1]), np.zeros(posterior.shape[1])
    for i in range(posterior.shape[0]):
        row = posterior[i]
        total = rest = 0.0
        for v in range(offsets[i], offsets[i + 1]):
            weight, more = weights[0, annotator[v]], weights[1, annotator[v]]
            total += weight
            rest += more
            high[label[v]] += weight
            low[label[v]] += more
        total += rest
        best = 0
        for c in range(row.shape[0]):
            value = miss * total + (high[c] + low[c]) * (hit - miss)
            for e in range(model_weights.shape[0]):
                value += model_weights[e] * probs[e, i, c]
            high[c] = low[c] = 0.0
            row[c] = value / (total + of_models)
            if row[c] > row[best]:
                best = c
        near = 0
        for c in range(row.shape[0]):
            near += 1 if row[c] >= row[best] * (1.0 - TIED) else 0
        if near == 1 or labels[i] < 0:
            labels[i] = best


@kernel
def class_records(
    offsets: Ints,
    order: Ints,
    item: Codes,
    label: Codes,
    labels: Ints,
    quality: Floats,
    k: int,
    worst: Ints,
    record: Floats,
) -> None:
    """Find the class that each annotator is wrong about most often, and how often it is right.

    Of equal accuracies the class given most often, then the one whose items have the surest
    consensus, then the lowest. `record` (m, 2): its accuracy, and how often it was given.
    """
    given = np.zeros(k, dtype=np.int64)
    right = np.zeros(k, dtype=np.int64)
    sure = np.zeros(k)
    for j in range(worst.shape[0]):
        for at in range(offsets[j], offsets[j + 1]):
            y = label[order[at]]
            i = item[order[at]]
            given[y] += 1
            right[y] += 1 if labels[i] == y else 0
            sure[y] += quality[i]
        best = -1
        for at in range(offsets[j], offsets[j + 1]):
            y = label[order[at]]
            if y == best:
                continue
            if best < 0 or _is_worse(y, best, given, right, sure):
                best = y
        worst[j] = best
        if best >= 0:
            record[j, 0] = right[best] / given[best]
            record[j, 1] = given[best]
        for at in range(offsets[j], offsets[j + 1]):
            y = label[order[at]]
            given[y] = 0
            right[y] = 0
            sure[y] = 0.0


@kernel
def _is_worse(one: int, other: int, given: Ints, right: Ints, sure: Floats) -> bool:
    # Shares compared as products: no rounding.
    left = right[one] * given[other]
    here = right[other] * given[one]
    if left != here:
        return bool(left < here)
    if given[one] != given[other]:
        return bool(given[one] > given[other])
    if abs(sure[one] - sure[other]) > TIED * sure[one]:
        return bool(sure[one] > sure[other])
    return one < other
