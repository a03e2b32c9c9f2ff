"""The loops of the label models: expectation over items, maximisation over annotators.

Each works on a block of items or of annotators and writes what belongs to that block alone, so
nothing is shared between threads and the result has the same bits for any number of them. Votes
and offsets are those of `Votes`; a block gets its slice of the offsets, and all votes.
"""

from __future__ import annotations

import math

import numpy as np

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Codes, Floats, Ints

__all__ = ["confusion_counts", "confusion_posterior", "confusion_rows", "row_sums", "vote_sums"]


LN2 = math.log(2.0)
RESCALE = 8
"""Factors that are multiplied before exponents are put aside: each is 1e-30 or more."""
LEAST_EXPONENT = -2000
"""Of two; below that is 0 in float64."""


@kernel
def confusion_posterior(
    item_offsets: Ints,
    pair_of_vote: Codes,
    emission: Floats,
    prior: Floats,
    gold: Codes,
    posterior: Floats,
    class_sums: Floats,
    likelihood: Floats,
) -> None:
    """``posterior[i, k]`` ~ ``prior[k]`` times ``emission[pair, k]`` of all votes on the item.

    A product, not a sum of logs: no logarithm or exponential for each class. Exponents are kept
    apart from time to time, for each class by itself, so that nothing is lost to underflow.
    """
    k = prior.shape[0]
    exponent = np.zeros(k, dtype=np.int64)
    for i in range(item_offsets.shape[0] - 1):
        first, last = item_offsets[i], item_offsets[i + 1]
        known = gold[i] if gold.shape[0] else -1
        for c in range(k):
            posterior[i, c] = prior[c]
        for vote in range(first, last):
            pair = pair_of_vote[vote]
            for c in range(k):
                posterior[i, c] *= emission[pair, c]
            if (vote - first) % RESCALE == RESCALE - 1:
                for c in range(k):
                    posterior[i, c], moved = math.frexp(posterior[i, c])
                    exponent[c] += moved
        top = np.int64(0)
        if last - first >= RESCALE:
            top = exponent[known] if known >= 0 else exponent.max()
            if known < 0:
                for c in range(k):
                    moved = max(exponent[c] - top, LEAST_EXPONENT)
                    posterior[i, c] = math.ldexp(posterior[i, c], moved)
            exponent[:] = 0
        joint = 0.0
        if known >= 0:
            joint = posterior[i, known]
            for c in range(k):
                posterior[i, c] = 1.0 if c == known else 0.0
        else:
            for c in range(k):
                joint += posterior[i, c]
            for c in range(k):
                posterior[i, c] /= joint
        if known >= 0 or last > first:
            likelihood[0] += math.log(joint) + top * LN2
            for c in range(k):
                class_sums[c] += posterior[i, c]


@kernel
def confusion_counts(vote_offsets: Ints, item: Codes, posterior: Floats, counts: Floats) -> None:
    """``counts[pair, k]`` = sum of ``posterior[i, k]`` over the items of the pair's votes."""
    k = counts.shape[1]
    for pair in range(counts.shape[0]):
        first, last = vote_offsets[pair], vote_offsets[pair + 1]
        # Four sums at a time stay in registers, and none waits for another.
        for c in range(0, k - 3, 4):
            one = two = three = four = 0.0
            for position in range(first, last):
                row = posterior[item[position]]
                one += row[c]
                two += row[c + 1]
                three += row[c + 2]
                four += row[c + 3]
            counts[pair, c], counts[pair, c + 1] = one, two
            counts[pair, c + 2], counts[pair, c + 3] = three, four
        for c in range(k - k % 4, k):
            total = 0.0
            for position in range(first, last):
                total += posterior[item[position], c]
            counts[pair, c] = total


@kernel
def confusion_rows(
    pair_offsets: Ints,
    pair_label: Codes,
    smoothing: float,
    diagonal: float,
    shrinkage: float,
    pooled: Floats,
    floor: float,
    counts: Floats,
    totals: Floats,
) -> None:
    """Turn counts into probabilities of an annotator's answers given the true class, in place.

    ``totals[j, k]`` = what the row of true class k was divided by; answers that the annotator
    never gave have their share of it.
    """
    k = counts.shape[1]
    for j in range(pair_offsets.shape[0] - 1):
        first, last = pair_offsets[j], pair_offsets[j + 1]
        total = totals[j]
        total[:] = smoothing * (k - (last - first)) + diagonal + shrinkage
        for pair in range(first, last):
            label = pair_label[pair]
            total[label] -= diagonal
            row = counts[pair]
            for c in range(k):
                value = row[c] + smoothing
                if c == label:
                    value += diagonal
                if shrinkage > 0:
                    value += shrinkage * pooled[label, c]
                    total[c] -= shrinkage * pooled[label, c]
                row[c] = max(value, floor)
                total[c] += row[c]
        for pair in range(first, last):
            row = counts[pair]
            for c in range(k):
                row[c] /= total[c]


@kernel
def row_sums(key: Codes, rows: Floats, sums: Floats) -> None:
    """``sums[key]`` = sum of the rows that have the key."""
    for i in range(rows.shape[0]):
        target = sums[key[i]]
        for c in range(rows.shape[1]):
            target[c] += rows[i, c]


@kernel
def vote_sums(offsets: Ints, order: Ints, values: Floats, sums: Floats) -> None:
    """``sums[j]`` = sum of the values of the votes ``order[offsets[j]:offsets[j + 1]]``."""
    for j in range(sums.shape[0]):
        total = 0.0
        for position in range(offsets[j], offsets[j + 1]):
            total += values[order[position]]
        sums[j] = total


@kernel
def vote_posterior(
    item_offsets: Ints,
    label: Codes,
    key: Codes,
    weight: Floats,
    ease: Floats,
    prior: Floats,
    gold: Codes,
    values: Floats,
    seen: Codes,
    of_vote: Floats,
    posterior: Floats,
    class_sums: Floats,
    likelihood: Floats,
) -> None:
    """Posterior of each vote's class, where a vote speaks for its class and against all others.

    A vote adds a weight to the log-odds of its class: ``weight[key]``; or, where `ease` is given,
    ``w + log(k - 1)`` with ``w = weight[key] * ease[i]``, and then the likelihood gets the vote's
    part that is the same for all classes as well, ``-log(1 + exp(w)) - log(k - 1)``. A `prior` of
    one number is the same for all classes. `posterior` and `class_sums` may be empty; `values` and
    `seen` are scratches of 0 for each class.
    """
    k = values.shape[0]
    even = prior.shape[0] == 1
    others = math.log(k - 1.0) if k > 1 else 0.0
    totals = 1.0  # a product of many, so that there are few logarithms
    for i in range(item_offsets.shape[0] - 1):
        first, last = item_offsets[i], item_offsets[i + 1]
        known = gold[i] if gold.shape[0] else -1
        scale = ease[i] if ease.shape[0] else 1.0
        product = 1.0
        constant = 0.0
        distinct = 0
        for vote in range(first, last):
            w = weight[key[vote]] * scale
            if ease.shape[0]:
                if w > 30.0:
                    constant -= w
                else:
                    product *= 1.0 + math.exp(w)
                    if product > 1e200:
                        constant -= math.log(product)
                        product = 1.0
                constant -= others
                w += others
            values[label[vote]] += w
            distinct += 1 - seen[label[vote]]
            seen[label[vote]] = 1
        if product > 1.0:
            constant -= math.log(product)

        rest = 0.0
        if even:
            rest = (k - distinct) * prior[0]
        elif distinct < k:
            for c in range(k):
                if not seen[c]:
                    rest += prior[c]
        top = 0.0 if distinct < k else -np.inf
        for vote in range(first, last):
            top = max(top, values[label[vote]])
        known_value = values[known] if known >= 0 else 0.0
        total = rest * math.exp(-top)
        for vote in range(first, last):
            c = label[vote]
            if seen[c]:
                below = values[c] - top
                values[c] = prior[0] if even else prior[c]
                if below < 0.0:
                    values[c] *= math.exp(below)
                total += values[c]
                seen[c] = 0
        for vote in range(first, last):
            if known >= 0:
                of_vote[vote] = 1.0 if label[vote] == known else 0.0
            else:
                of_vote[vote] = values[label[vote]] / total
        for vote in range(first, last):
            values[label[vote]] = 0.0

        if known >= 0:
            likelihood[0] += constant + known_value + math.log(prior[0] if even else prior[known])
        elif last > first:
            likelihood[0] += constant + top
            totals *= total
            if totals < 1e-200 or totals > 1e200:
                likelihood[0] += math.log(totals)
                totals = 1.0
        if posterior.shape[0]:
            row = posterior[i]
            if known >= 0:
                row[:] = 0.0
                row[known] = 1.0
            else:
                share = math.exp(-top) / total
                for c in range(k):
                    row[c] = share * (prior[0] if even else prior[c])
                for vote in range(first, last):
                    row[label[vote]] = of_vote[vote]
            if class_sums.shape[0] and (known >= 0 or last > first):
                for c in range(k):
                    class_sums[c] += row[c]
    likelihood[0] += math.log(totals)


@kernel
def _logistic(
    first: int,
    last: int,
    order: Ints,
    other: Codes,
    factor: Floats,
    target: Floats,
    x: float,
    by_ease: bool,
    out: Floats,
) -> None:
    """Objective of one parameter of GLAD, its slope and its curvature at `x`.

    Over the parameter's votes ``target * z - log(1 + exp(z))`` with ``z = x * factor``, or, for the
    logarithm of an item's ease, ``z = exp(x) * factor``; and a normal prior with mean and
    deviation 1. The curvature is made negative, so that it leads upwards.
    """
    base = math.exp(x) if by_ease else x
    value = -0.5 * (x - 1.0) ** 2
    slope = 1.0 - x
    curvature = -1.0
    product = 1.0
    for position in range(first, last):
        vote = order[position] if order.shape[0] else position
        f = factor[other[vote]]
        z = base * f
        direction = z if by_ease else f
        h = target[vote]
        if z > 30.0:
            value += h * z - z
            right = 1.0
            spread = 0.0
        else:
            e = math.exp(z)
            product *= 1.0 + e
            if product > 1e200:
                value -= math.log(product)
                product = 1.0
            value += h * z
            right = e / (1.0 + e)
            spread = right / (1.0 + e)
        slope += (h - right) * direction
        curvature -= spread * direction * direction
    out[0] = value - math.log(product)
    out[1] = slope
    out[2] = curvature


@kernel
def climb(
    offsets: Ints,
    order: Ints,
    other: Codes,
    factor: Floats,
    target: Floats,
    by_ease: bool,
    steps: int,
    parameter: Floats,
) -> None:
    """Take Newton steps up the objective of each parameter, halved where they would lead down."""
    now = np.empty(3)
    then = np.empty(3)
    for j in range(offsets.shape[0] - 1):
        first, last = offsets[j], offsets[j + 1]
        x = parameter[j]
        _logistic(first, last, order, other, factor, target, x, by_ease, now)
        for _ in range(steps):
            move = min(max(-now[1] / now[2], -2.0), 2.0)
            if abs(move) < 1e-9:
                break
            _logistic(first, last, order, other, factor, target, x + move, by_ease, then)
            for _ in range(30):
                if then[0] >= now[0]:
                    break
                move *= 0.5
                _logistic(first, last, order, other, factor, target, x + move, by_ease, then)
            if then[0] < now[0]:
                break
            x += move
            now[:] = then
        parameter[j] = x
