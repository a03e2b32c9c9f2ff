"""The loops of CROWDLAB over items: counting votes, settling ties, weighing votes and models."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import kernel

__all__ = ["UNSETTLED", "class_records", "count_votes", "fill_posterior", "settle_ties"]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

UNSETTLED = -1
"""Majority label of an item where several classes still have the same claim."""

_TIED = 1e-12
"""Posteriors that differ by less, relatively, are one: what rounding leaves of equal sums."""


@kernel
def count_votes(
    offsets: Ints,
    annotator: Codes,
    label: Codes,
    probs: Floats,
    majority: Ints,
    frequency: Ints,
    pairs: Ints,
    untied: Ints,
) -> None:
    """Find the majority label of each item, and on the way what each annotator agrees with.

    `probs` (n, k) decides ties; without rows nothing does. `pairs` (m, 2): other votes on the
    annotator's items, of the same label and in all. `untied` (m, 2): votes on items with one
    most frequent label, for it and in all. `frequency` (k,): votes for each class.
    """
    counts = np.zeros(frequency.shape[0], dtype=np.int64)
    for i in range(majority.shape[0]):
        start = offsets[i]
        end = offsets[i + 1]
        most = 0
        for v in range(start, end):
            counts[label[v]] += 1
            most = max(most, counts[label[v]])
        modes = 0
        claims = 0
        best = UNSETTLED
        highest = -1.0
        for v in range(start, end):
            y = label[v]
            if counts[y] == most:
                counts[y] = -most  # looked at; the sign goes again below
                modes += 1
                p = probs[i, y] if probs.shape[0] else 0.0
                if p > highest:
                    highest = p
                    best = y
                    claims = 1
                elif p == highest:
                    claims += 1
        majority[i] = best if claims == 1 else UNSETTLED
        for v in range(start, end):
            y = label[v]
            j = annotator[v]
            frequency[y] += 1
            pairs[j, 0] += abs(counts[y]) - 1
            pairs[j, 1] += end - start - 1
            if modes == 1:
                untied[j, 0] += 1 if y == best else 0
                untied[j, 1] += 1
        for v in range(start, end):
            counts[label[v]] = 0


@kernel
def settle_ties(
    items: Ints,
    offsets: Ints,
    annotator: Codes,
    label: Codes,
    probs: Floats,
    frequency: Ints,
    accuracy: Floats,
    majority: Ints,
) -> None:
    """Settle votes that are tied after a look at the probabilities.

    The class that is rarest among all votes, then the one whose voters agree best with the
    majority elsewhere (`accuracy` (m,); empty if there is no elsewhere), then the lowest.
    """
    k = frequency.shape[0]
    counts = np.zeros(k, dtype=np.int64)
    trust = np.zeros(k)
    for at in range(items.shape[0]):
        i = items[at]
        most = 0
        for v in range(offsets[i], offsets[i + 1]):
            y = label[v]
            counts[y] += 1
            most = max(most, counts[y])
            if accuracy.shape[0]:
                trust[y] += accuracy[annotator[v]]
        best = -1
        for v in range(offsets[i], offsets[i + 1]):
            y = label[v]
            if counts[y] < most or y == best:
                continue
            if best < 0 or _comes_first(y, best, i, probs, frequency, trust):
                best = y
        majority[i] = best
        for v in range(offsets[i], offsets[i + 1]):
            counts[label[v]] = 0
            trust[label[v]] = 0.0


@kernel
def _comes_first(
    one: int, other: int, i: int, probs: Floats, frequency: Ints, trust: Floats
) -> bool:
    """Return whether, of two classes with as many votes, the one has the better claim."""
    if probs.shape[0] and probs[i, one] != probs[i, other]:
        return bool(probs[i, one] > probs[i, other])
    if frequency[one] != frequency[other]:
        return bool(frequency[one] < frequency[other])
    if trust[one] != trust[other]:
        return bool(trust[one] > trust[other])
    return one < other


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
    labels: Ints,
) -> None:
    """Weigh votes and models (e, n, k): the posterior of each item, and its class.

    `labels` holds what stays where the most probable class is not the only one.
    """
    of_models = model_weights.sum()
    for i in range(posterior.shape[0]):
        row = posterior[i]
        total = 0.0
        for v in range(offsets[i], offsets[i + 1]):
            total += weights[annotator[v]]
        for c in range(row.shape[0]):
            value = miss * total
            for e in range(model_weights.shape[0]):
                value += model_weights[e] * probs[e, i, c]
            row[c] = value
        for v in range(offsets[i], offsets[i + 1]):
            row[label[v]] += weights[annotator[v]] * (hit - miss)
        best = 0
        for c in range(row.shape[0]):
            row[c] /= total + of_models
            if row[c] > row[best]:
                best = c
        near = 0
        for c in range(row.shape[0]):
            near += 1 if row[c] >= row[best] * (1.0 - _TIED) else 0
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
    if sure[one] != sure[other]:
        return bool(sure[one] > sure[other])
    return one < other

