"""The slow twin of confident learning for multi-class labels: every formula, one loop at a time.

Written from the definitions and sharing nothing with the package, so that the two can be compared.
Labels are ints, ``-1`` for an example that is left out; rows of `probs` are examples. What can be
an exact fraction is one.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

EPS = 1e-6  # slack of comparisons
FLOOR = 1e-6  # floor of probabilities
TINY = 1e-100  # floor of divisors
NEVER = 2.0  # threshold of a class without examples

PRUNING = ("prune_by_noise_rate", "prune_by_class", "both")
LOWEST = {"low_self_confidence": "self_confidence", "low_normalized_margin": "normalized_margin"}
FILTERS = (*PRUNING, "confident_learning", "predicted_neq_given", *LOWEST)
SCORES = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
TEMPERATURES = (1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 200)


def class_counts(labels, k):
    return [sum(1 for given in labels if given == c) for c in range(k)]


def members(labels, c):
    return [i for i, given in enumerate(labels) if given == c]


# Thresholds, guesses and the confident joint


def class_thresholds(labels, probs):
    found = []
    for c in range(probs.shape[1]):
        own = [float(probs[i, c]) for i in members(labels, c)]
        found.append(max(math.fsum(own) / len(own), 2 * EPS) if own else NEVER)
    return np.array(found)


def argmax(row):
    """Position of the largest entry, the lowest of equals."""
    return max(range(len(row)), key=lambda j: (row[j], -j))


def guess_class(row, thresholds, guess="argmax"):
    """Return the guessed true class of one example, -1 for none."""
    row = [float(p) for p in row]
    confident = [j for j in range(len(row)) if row[j] >= thresholds[j] - EPS]
    if not confident:
        return -1
    if len(confident) == 1:
        return confident[0]
    if guess == "argmax":
        return argmax(row)
    return max(confident, key=lambda j: (row[j], -j))


def guesses(probs, thresholds, guess="argmax"):
    return [guess_class(row, thresholds, guess) for row in probs]


def agrees(labels, probs):
    """Whether the model's class is the given one, or within EPS of it (in the type of `probs`)."""
    found = []
    for given, row in zip(labels, probs, strict=True):
        raised = row.copy()
        if given >= 0:
            raised[given] += EPS
        found.append(given < 0 or argmax(raised) == given)
    return np.array(found, dtype=bool)


def confident_joint(labels, probs, *, thresholds=None, calibrate=True, guess="argmax"):
    k = probs.shape[1]
    cuts = class_thresholds(labels, probs) if thresholds is None else thresholds
    counted = [[0] * k for _ in range(k)]
    for given, guessed in zip(labels, guesses(probs, cuts, guess), strict=True):
        if given >= 0 and guessed >= 0:
            counted[given][guessed] += 1
    for c in range(k):
        counted[c][c] = max(counted[c][c], 1)
    counted = np.array(counted, dtype=np.int64).reshape(k, k)
    return calibrate_joint(counted, class_counts(labels, k)) if calibrate else counted


def off_diagonal(labels, probs, *, thresholds=None, guess="argmax"):
    cuts = class_thresholds(labels, probs) if thresholds is None else thresholds
    pairs = zip(labels, guesses(probs, cuts, guess), strict=True)
    return [i for i, (given, found) in enumerate(pairs) if given >= 0 and found not in (-1, given)]


# Algebra on the joint


def round_row(values, diagonal, total=None):
    """Round a row half to even, then mend its sum; of equals the diagonal keeps most."""
    exact = [Fraction(value) for value in values]
    whole = [round(value) for value in exact]
    lack = (round(sum(exact)) if total is None else total) - sum(whole)
    step = 1 if lack > 0 else -1
    order = sorted(
        range(len(exact)),
        key=lambda j: (
            step * (whole[j] - exact[j]),
            j != diagonal if step > 0 else j == diagonal,
            j,
        ),
    )
    for j in order[: abs(lack)]:
        whole[j] += step
    return whole


def has_rounding_tie(row, total):
    """Whether scaling a row of counts to a total meets halves or equal remainders that matter."""
    exact = [Fraction(int(value)) * int(total) / int(sum(row)) for value in row]
    forward, backward = (round_row(values, -1, int(total)) for values in (exact, exact[::-1]))
    return forward != backward[::-1] or any(
        (2 * v).denominator == 1 != v.denominator for v in exact
    )


def calibrate_joint(counted, counts):
    k = len(counts)
    rows = []
    for s in range(k):
        row = [Fraction(value) for value in np.asarray(counted)[s].tolist()]
        if sum(row) == 0:
            row[s] = Fraction(1)
        rows.append(round_row([v / sum(row) * int(counts[s]) for v in row], s, int(counts[s])))
    return np.array(rows, dtype=np.int64).reshape(k, k)


def estimate_joint(counted, counts=None):
    counted = np.asarray(counted if counts is None else calibrate_joint(counted, counts), float)
    return counted / max(counted.sum(), TINY)


def clip_probs(values, low):
    clipped = np.clip(values, low, 1)
    return clipped / clipped.sum()


def clip_noise(matrix):
    clipped = np.where(np.eye(len(matrix)) == 1, matrix, np.clip(matrix, 0, 0.9999))
    return clipped / np.maximum(clipped.sum(axis=0), TINY)


def bayes(conditional, prior, other=None):
    """``P(b | a)`` with a column per a, from ``P(a | b)`` with a column per b and the priors."""
    pairs = conditional @ np.diag(prior)
    sums = pairs.sum(axis=1) if other is None else other
    return clip_noise(pairs.T / np.maximum(sums, TINY))


def latent(counted, counts, *, py_method="cnt", converge=False):
    """Return (py, noise matrix, inverse noise matrix)."""
    counted, counts = np.asarray(counted, float), np.asarray(counts, float)
    ps = counts / counts.sum()
    given, true = counted.sum(axis=1), counted.sum(axis=0)
    noise = counted / np.maximum(true, TINY)[None, :]
    inverse = counted.T / np.maximum(given, TINY)[None, :]

    def by_counts(noise, inverse):
        return clip_probs(np.diag(inverse) / np.maximum(np.diag(noise), TINY) * ps, 1e-6)

    if py_method == "cnt":
        py = by_counts(noise, inverse)
    elif py_method == "eqn":
        py = clip_probs(np.linalg.inv(noise) @ ps, 1e-6)
    elif py_method == "marginal":
        py = clip_probs(true / max(true.sum(), TINY), 1e-6)
    elif py_method == "marginal_ps":
        py = clip_probs(inverse @ ps, 1e-6)
    noise, inverse = clip_noise(noise), clip_noise(inverse)
    if converge:
        for _ in range(3):
            for _ in range(5):
                inverse = bayes(noise, py, ps)
                py = by_counts(noise, inverse)
            noise = bayes(inverse, ps, py)
        py, noise, inverse = clip_probs(py, 1e-5), clip_noise(noise), clip_noise(inverse)
    return py, noise, inverse


def prune_counts(
    calibrated, counts, *, min_examples_per_class=1, frac_noise=1.0, num_to_remove_per_class=None
):
    """Row = true class, column = given class; the diagonal is what stays."""
    k = len(counts)
    columns = []
    for c in range(k):
        n, row = int(counts[c]), [int(v) for v in calibrated[c]]
        noise, room = n - row[c], max(n - min_examples_per_class, 0)
        prune = Fraction(repr(float(frac_noise))) * min(noise, room)
        if num_to_remove_per_class is not None:
            prune = Fraction(min(int(np.broadcast_to(num_to_remove_per_class, k)[c]), room))
        share = [Fraction(0) if noise == 0 else prune * value / noise for value in row]
        share[c] = n - prune
        columns.append(round_row(share, c, n if noise else int(n - prune)))
    return np.array(columns, dtype=np.int64).reshape(k, k).T


# Filters and counts


def select_by_quota(labels, probs, quotas):
    """Take the worst rows of each given class (row) against each rival (column), by a sort."""
    wide, taken = probs.astype(np.float64), np.zeros(len(labels), dtype=bool)
    for given, rival in zip(*np.nonzero(quotas), strict=True):
        rows = np.flatnonzero(labels == given)
        key = wide[rows, given] if given == rival else wide[rows, given] - wide[rows, rival]
        taken[rows[np.argsort(key, kind="stable")[: quotas[given, rival]]]] = True
    return taken


def select_by_class(labels, probs, kept):
    flagged = set()
    for c in range(probs.shape[1]):
        order = sorted(members(labels, c), key=lambda i: (float(probs[i, c]), i))
        flagged.update(order[: max(len(order) - kept[c, c], 0)])
    return flagged


def select_by_noise_rate(labels, probs, quotas):
    flagged = set()
    for c in range(probs.shape[1]):
        for j in range(probs.shape[1]):
            if j != c:
                order = sorted(
                    members(labels, c), key=lambda i: (float(probs[i, c]) - float(probs[i, j]), i)
                )
                flagged.update(order[: quotas[j, c]])
    return flagged


def label_issues(labels, probs, *, filter_by="prune_by_noise_rate", joint=None, **options):
    """Return the boolean mask of flagged examples."""
    n, k = probs.shape
    counts = class_counts(labels, k)
    kind = {name: options.pop(name) for name in ("thresholds", "guess") if name in options}
    agreed = agrees(labels, probs)
    counted = [i for i in off_diagonal(labels, probs, **kind) if not agreed[i]]
    if filter_by in LOWEST:
        score = label_quality(labels, probs, LOWEST[filter_by])
        flagged = set(sorted(range(n), key=lambda i: (score[i], i))[: len(counted)])
    elif filter_by == "confident_learning":
        flagged = set(counted)
    elif filter_by == "predicted_neq_given":
        flagged = {i for i in range(n) if argmax(probs[i]) != labels[i]}
    else:
        joint = confident_joint(labels, probs, **kind) if joint is None else joint
        prune = prune_counts(calibrate_joint(joint, counts), counts, **options)
        by_class = select_by_class(labels, probs, prune)
        by_rate = select_by_noise_rate(labels, probs, prune)
        flagged = {"prune_by_class": by_class, "both": by_class & by_rate}.get(filter_by, by_rate)
    mask = np.array([i in flagged for i in range(n)], dtype=bool)
    return mask if filter_by in LOWEST else mask & ~agreed


def num_label_issues(labels, probs, *, method="off_diagonal", joint=None):
    if method == "off_diagonal":
        return int(label_issues(labels, probs, filter_by="confident_learning").sum())
    counts = class_counts(labels, probs.shape[1])
    if method == "off_diagonal_calibrated":
        joint = confident_joint(labels, probs, calibrate=False)
    calibrated = calibrate_joint(joint, counts)
    return int(calibrated.sum() - np.trace(calibrated))


# Scores


def label_quality(labels, probs, method="self_confidence", *, adjust=False, thresholds=None):
    rows = adjusted(labels, probs, thresholds) if adjust else probs
    score = {
        "self_confidence": self_confidence,
        "normalized_margin": normalized_margin,
        "confidence_weighted_entropy": confidence_weighted_entropy,
    }[method]
    scores = [
        score([float(p) for p in row], given) for row, given in zip(rows, labels, strict=True)
    ]
    return np.clip(np.array(scores, dtype=float), 0.0, 1.0)


def self_confidence(row, given):
    return row[given]


def normalized_margin(row, given):
    others = [p for j, p in enumerate(row) if j != given]
    return (row[given] - max(others) + 1) / 2 if others else 1.0


def confidence_weighted_entropy(row, given):
    if len(row) == 1:
        return 1.0
    floored = [max(p, FLOOR) for p in row]
    floored = [q / math.fsum(floored) for q in floored]
    entropy = -math.fsum(q * math.log(q) for q in floored) / math.log(len(row))
    x = entropy / floored[given]
    return math.log1p(x) / x


def adjusted(labels, probs, thresholds=None):
    """Subtract each class's threshold, so that a class the model is shy of is not suspect."""
    cuts = np.array(class_thresholds(labels, probs) if thresholds is None else thresholds, float)
    if thresholds is None:
        present = np.array(class_counts(labels, probs.shape[1])) > 0
        cuts[~present] = cuts[present].max()
    shifted = probs.astype(float) - cuts + cuts.max()
    return shifted / shifted.sum(axis=1, keepdims=True)


def log_loss(labels, probs):
    losses = []
    for given, row in zip(labels, probs, strict=True):
        floored = [max(float(p), FLOOR) for p in row]
        losses.append(-math.log(floored[given] / math.fsum(floored)))
    return math.fsum(losses) / len(losses)


def ensemble_weights(labels, models, weights="accuracy"):
    m = len(models)
    if weights == "uniform":
        return np.full(m, 1 / m)
    if weights == "accuracy":
        right = [np.mean([argmax(r) == g for g, r in zip(labels, p, strict=True)]) for p in models]
        return np.array(right) / sum(right) if sum(right) else np.full(m, 1 / m)
    losses = np.array([log_loss(labels, probs) for probs in models])
    best = None
    for temperature in TEMPERATURES:
        tried = np.exp(-temperature * (losses - losses.min()))
        tried /= tried.sum()
        loss = log_loss(labels, sum(w * p for w, p in zip(tried, models, strict=True)))
        if best is None or loss < best[0]:
            best = (loss, tried)
    return best[1]


def ensemble_quality(labels, models, method="self_confidence", *, weights="accuracy", adjust=False):
    weights = ensemble_weights(labels, models, weights) if isinstance(weights, str) else weights
    scores = [label_quality(labels, probs, method, adjust=adjust) for probs in models]
    return sum(w * s for w, s in zip(weights, scores, strict=True))


# Summaries


def class_table(joint, n):
    """One row per class: (class, issues, inverse issues, noise, inverse noise, quality)."""
    rows = []
    for c in range(len(joint)):
        out = math.fsum(joint[c][y] for y in range(len(joint)) if y != c)
        into = math.fsum(joint[s][c] for s in range(len(joint)) if s != c)
        noise = out / max(math.fsum(joint[c]), FLOOR)
        inverse = into / max(math.fsum(joint[s][c] for s in range(len(joint))), FLOOR)
        rows.append((c, round(n * out), round(n * into), noise, inverse, 1 - noise))
    return sorted(rows, key=lambda row: (row[5], row[0]))


def overlap_table(joint, n, *, directed=False):
    """One row per pair: (class a, class b, probability, examples)."""
    k = len(joint)
    if directed:
        pairs = [(a, b, joint[a][b]) for a in range(k) for b in range(k) if a != b]
    else:
        pairs = [(a, b, joint[a][b] + joint[b][a]) for a in range(k) for b in range(a + 1, k)]
    rows = [(a, b, p, round(n * p)) for a, b, p in pairs]
    return sorted(rows, key=lambda row: (-row[2], row[0], row[1]))


# Pooling of row scores over a group


def pool_min(scores):
    return min(scores, default=1.0)


def pool_mean(scores):
    return math.fsum(scores) / len(scores) if len(scores) else 1.0


def pool_softmin(scores, temperature):
    if not len(scores):
        return 1.0
    low = min(scores)
    weights = [math.exp((low - s) / max(temperature, 1e-6)) for s in scores]
    return math.fsum(w * s for w, s in zip(weights, scores, strict=True)) / math.fsum(weights)


def pool_exponential_moving_average(scores, alpha):
    """Run over the scores from the largest down; None as in ``2 / (k + 1)``."""
    if not len(scores):
        return 1.0
    alpha = 2 / (len(scores) + 1) if alpha is None else alpha
    first, *rest = sorted(scores, reverse=True)
    pooled = first
    for score in rest:
        pooled = alpha * score + (1 - alpha) * pooled
    return pooled
