"""Label models and agreement statistics written down plainly, item by item, with dense arrays.

A vote is a triple (item, annotator, class); `votes` is a list of them.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
from hypothesis import strategies as st
from scipy.special import digamma, log_expit, logsumexp

from goldlabel.tasks.multiannotator.votes import Votes

TIED = 1e-12


def triples(votes):
    return list(
        zip(votes.item.tolist(), votes.annotator.tolist(), votes.label.tolist(), strict=True)
    )


def from_rows(rows):
    """Return Votes from a table of items by annotators; None = no vote."""
    found = [
        (i, j, label)
        for i, row in enumerate(rows)
        for j, label in enumerate(row)
        if label is not None
    ]
    return Votes.from_arrays(
        *zip(*found, strict=True), num_items=len(rows), num_annotators=len(rows[0])
    )


@st.composite
def votes(draw, *, min_k=2, max_k=4, max_items=9, max_people=6, min_votes=1):
    """Few votes; items and annotators without any, and classes that nobody uses, occur."""
    items, people = draw(st.integers(1, max_items)), draw(st.integers(1, max_people))
    k = draw(st.integers(min_k, max_k))
    cells = st.one_of(st.none(), st.integers(0, k - 1))
    rows = draw(
        st.lists(st.lists(cells, min_size=people, max_size=people), min_size=items, max_size=items)
    )
    found = [
        (i, j, label)
        for i, row in enumerate(rows)
        for j, label in enumerate(row)
        if label is not None
    ]
    found = found or [(0, 0, 0)]
    return Votes.from_arrays(
        *zip(*found, strict=True), num_items=items, num_annotators=people, num_classes=k
    )


def simulated(seed, *, items=200, people=12, k=3, per_item=4, spread=0.25):
    """Return votes of annotators of different accuracy, and the true classes."""
    rng = np.random.default_rng(seed)
    true = rng.choice(k, items, p=rng.dirichlet(np.full(k, 5.0)))
    accuracy = np.clip(rng.normal(0.7, spread, people), 0.2, 0.97)
    found = []
    for i in range(items):
        for j in rng.choice(people, rng.integers(1, per_item + 1), replace=False):
            right = rng.random() < accuracy[j]
            found.append((i, j, true[i] if right else rng.integers(k)))
    columns = (np.array(column) for column in zip(*found, strict=True))
    return (
        Votes.from_arrays(*columns, num_items=items, num_annotators=people, num_classes=k),
        true,
    )


def counts(votes):
    table = np.zeros((votes.num_items, votes.num_classes))
    for i, _, label in triples(votes):
        table[i, label] += 1
    return table


def shares(votes, gold=None):
    table = counts(votes)
    totals = table.sum(axis=1, keepdims=True)
    start = np.where(totals > 0, table / np.maximum(totals, 1), 1 / votes.num_classes)
    return clamp(start, gold)


def clamp(posterior, gold):
    for i, known in enumerate([] if gold is None else gold):
        if known >= 0:
            posterior[i] = np.eye(posterior.shape[1])[known]
    return posterior


def counted(votes, gold):
    """Return which items say something of the class prior."""
    known = np.zeros(votes.num_items, bool) if gold is None else np.asarray(gold) >= 0
    return known | (counts(votes).sum(axis=1) > 0)


def majority(votes, pred_probs=None):
    """Majority vote by the rules of the specification, narrowing a set of classes in turn."""
    table = counts(votes)
    frequency = table.sum(axis=0)
    tops = [set(np.flatnonzero(row == row.max()).tolist()) if row.any() else set() for row in table]
    plain = {i: next(iter(top)) for i, top in enumerate(tops) if len(top) == 1}
    hits = {}
    for i, j, label in triples(votes):
        if i in plain:
            hits.setdefault(j, []).append(label == plain[i])
    trust = {j: np.mean(each) for j, each in hits.items()}
    everyone = np.mean([trust[j] for j in sorted(trust)]) if trust else 0.0
    chosen = []
    for i, top in enumerate(tops):
        if not top:
            chosen.append(-1 if pred_probs is None else int(np.argmax(pred_probs[i])))
            continue
        if pred_probs is not None and len(top) > 1:
            top = narrow(top, lambda c, i=i: pred_probs[i][c])
        if len(top) > 1:
            top = narrow(top, lambda c: -frequency[c])
        if len(top) > 1 and trust:
            voters = {c: [j for at, j, y in triples(votes) if (at, y) == (i, c)] for c in top}
            trusted = {c: sum(trust.get(j, everyone) for j in js) for c, js in voters.items()}
            top = narrow(top, lambda c, sums=trusted, js=voters: sums[c] / len(js[c]))
        chosen.append(min(top))
    return np.array(chosen)


def narrow(classes, key):
    """Keep the classes of the largest key; keys that rounding alone tells apart are equal."""
    best = max(key(c) for c in classes)
    return {c for c in classes if key(c) >= best - TIED * abs(best)}


def wawa(votes, gold=None):
    start = shares(votes, gold)
    label_of = start.argmax(axis=1)
    mine = [
        [label == label_of[i] for i, j, label in triples(votes) if j == who]
        for who in range(votes.num_annotators)
    ]
    skill = np.array([np.mean(each) if each else 0.0 for each in mine])
    weights = np.zeros_like(start)
    for i, j, label in triples(votes):
        weights[i, label] += skill[j]
    totals = weights.sum(axis=1, keepdims=True)
    return clamp(np.where(totals > 0, weights / np.maximum(totals, 1e-300), start), gold), skill


def dawid_skene(votes, rounds, *, prior=None, a=0.0, s=0.0, d=0.0, shrinkage=0.0, gold=None):
    """Posterior, prior, matrices (people, true, answer), log-likelihoods after so many rounds."""
    k, people = votes.num_classes, votes.num_annotators
    posterior = shares(votes, gold)
    used = np.zeros((people, k), bool)
    for _, j, label in triples(votes):
        used[j, label] = True
    history = []
    for _ in range(rounds):
        if prior is None:
            pi = np.maximum(a + posterior[counted(votes, gold)].sum(axis=0), 1e-10)
            pi = pi / pi.sum()
        else:
            pi = np.asarray(prior)
        raw = np.zeros((people, k, k))
        for i, j, label in triples(votes):
            raw[j, :, label] += posterior[i]
        pooled = raw.sum(axis=0) + s + d * np.eye(k)
        pooled = np.maximum(pooled, 1e-10)
        pooled /= pooled.sum(axis=1, keepdims=True)
        theta = raw + s + d * np.eye(k) + shrinkage * pooled
        theta = np.where(used[:, None, :], np.maximum(theta, 1e-10), theta)
        theta[~used.any(axis=1)] = pooled
        theta /= theta.sum(axis=2, keepdims=True)
        logs = np.tile(np.log(pi), (votes.num_items, 1))
        for i, j, label in triples(votes):
            logs[i] += np.log(theta[j, :, label])
        total = logsumexp(logs, axis=1)
        posterior = clamp(np.exp(logs - total[:, None]), gold)
        if gold is not None:
            total = np.where(gold >= 0, logs[np.arange(len(logs)), gold], total)
        history.append(total[counted(votes, gold)].sum())
    return posterior, pi, theta, history


def one_coin(votes, rounds, *, prior=None, s=0.0, d=0.0, gold=None):
    k = votes.num_classes
    posterior = shares(votes, gold)
    given = np.bincount(votes.annotator, minlength=votes.num_annotators)
    history = []
    for _ in range(rounds):
        pi = posterior[counted(votes, gold)].mean(axis=0) if prior is None else np.asarray(prior)
        pi = np.maximum(pi, 1e-10)
        hits = np.zeros(votes.num_annotators)
        for i, j, label in triples(votes):
            hits[j] += posterior[i, label]
        t = np.clip((hits + s + d) / np.maximum(given + k * s + d, 1e-300), 1e-10, 1 - 1e-10)
        logs = np.tile(np.log(pi), (votes.num_items, 1))
        for i, j, label in triples(votes):
            logs[i] += np.where(np.arange(k) == label, np.log(t[j]), np.log((1 - t[j]) / (k - 1)))
        total = logsumexp(logs, axis=1)
        posterior = clamp(np.exp(logs - total[:, None]), gold)
        if gold is not None:
            total = np.where(gold >= 0, logs[np.arange(len(logs)), gold], total)
        history.append(total[counted(votes, gold)].sum())
    return posterior, t, history


def glad_expectation(votes, alpha, b, prior=None):
    """Posterior, and log-likelihood of the votes with the log-density of the parameters."""
    k = votes.num_classes
    logs = np.tile(np.log(np.full(k, 1 / k) if prior is None else prior), (votes.num_items, 1))
    for i, j, label in triples(votes):
        x = alpha[j] * np.exp(b[i])
        logs[i] += np.where(np.arange(k) == label, log_expit(x), log_expit(-x) - np.log(k - 1))
    total = logsumexp(logs, axis=1)
    density = sum(-0.5 * np.sum((each - 1) ** 2 + np.log(2 * np.pi)) for each in (alpha, b))
    return np.exp(logs - total[:, None]), total[counted(votes, None)].sum() + density


def glad_slope(votes, alpha, b, step=1e-4):
    """Change of the log-likelihood of GLAD with each parameter, by differences."""
    x, people = np.concatenate([alpha, b]), votes.num_annotators

    def at(x):
        return glad_expectation(votes, x[:people], x[people:])[1]

    steps = step * np.eye(len(x))
    return np.array([(at(x + each) - at(x - each)) / (2 * step) for each in steps])


def mace(votes, rounds, method):
    """Parameters, posterior and log-likelihood after so many rounds from the even start."""
    k, people = votes.num_classes, votes.num_annotators
    t, s, xi = np.full(people, 0.5), np.full(people, 0.5), np.full((people, k), 1 / k)
    for done in range(rounds + 1):
        logs = np.full((votes.num_items, k), -np.log(k))
        for i, j, label in triples(votes):
            logs[i] += np.log(t[j] * (np.arange(k) == label) + s[j] * xi[j, label])
        total = logsumexp(logs, axis=1)
        gamma = np.exp(logs - total[:, None])
        if done == rounds:
            return t, s, xi, gamma, total[counted(votes, None)].sum()
        know, spam, habit = np.zeros(people), np.zeros(people), np.zeros((people, k))
        for i, j, label in triples(votes):
            knew = gamma[i, label] * t[j] / (t[j] + s[j] * xi[j, label])
            know[j] += knew
            spam[j] += 1 - knew
            habit[j, label] += 1 - knew
        if method == "em":
            e = 0.01 / k
            t, s = (know + e) / (know + spam + 2 * e), (spam + e) / (know + spam + 2 * e)
            xi = (habit + e) / (habit + e).sum(axis=1, keepdims=True)
        else:
            t = np.exp(digamma(know + 0.5) - digamma(know + spam + 1))
            s = np.exp(digamma(spam + 0.5) - digamma(know + spam + 1))
            xi = np.exp(digamma(habit + 10) - digamma(habit.sum(axis=1, keepdims=True) + 10 * k))
    raise AssertionError


def observed(votes):
    table = counts(votes)
    table = table[table.sum(axis=1) > 1]
    n = table.sum(axis=1)
    return np.mean((table * (table - 1)).sum(axis=1) / (n * (n - 1))) if len(table) else np.nan


def fleiss(votes):
    table = counts(votes)
    table = table[table.sum(axis=1) > 1]
    if not len(table):
        return np.nan
    share = table.sum(axis=0) / table.sum()
    chance = (share**2).sum()
    return (observed(votes) - chance) / (1 - chance) if np.count_nonzero(share) > 1 else np.nan


def krippendorff(votes, level="nominal", values=None):
    """Alpha by the matrix of coincidences and a matrix of distances."""
    table = counts(votes)
    table = table[table.sum(axis=1) > 1]
    k = votes.num_classes
    o = np.zeros((k, k))
    for row in table:
        o += (np.outer(row, row) - np.diag(row)) / (row.sum() - 1)
    n = o.sum(axis=1)
    if np.count_nonzero(n) < 2:
        return np.nan
    x = np.arange(k) if values is None else np.asarray(values)
    if level == "nominal":
        distance = 1 - np.eye(k)
    elif level == "interval":
        distance = np.subtract.outer(x, x).astype(float) ** 2
    else:
        distance = np.zeros((k, k))
        for low in range(k):
            for high in range(low + 1, k):
                between = n[low : high + 1].sum() - (n[low] + n[high]) / 2
                distance[low, high] = distance[high, low] = between**2
    expected = (np.outer(n, n) * distance).sum() / (n.sum() - 1)
    return 1 - (o * distance).sum() / expected if expected > 0 else np.nan


def cohen(votes):
    """Return {pair: (common items, observed agreement, kappa, standard error)}."""
    answers = {}
    for i, j, label in triples(votes):
        answers.setdefault(j, {})[i] = label
    found = {}
    for a, b in combinations(sorted(answers), 2):
        common = sorted(answers[a].keys() & answers[b].keys())
        if common:
            table = np.zeros((votes.num_classes, votes.num_classes))
            for i in common:
                table[answers[a][i], answers[b][i]] += 1 / len(common)
            found[a, b] = (len(common), *kappa_of(table, len(common)))
    return found


def kappa_of(p, n):
    """Return observed agreement, kappa and its error by Fleiss, Cohen and Everitt, equation 13."""
    k = len(p)
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    po, pe = np.trace(p), rows @ columns
    if (
        Counter(np.flatnonzero(rows)) == Counter(np.flatnonzero(columns))
        and np.count_nonzero(rows) == 1
    ):
        return po, np.nan, np.nan
    kappa = (po - pe) / (1 - pe)
    total = sum(p[i, i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in range(k))
    for i in range(k):
        for j in range(k):
            if i != j:
                total += (1 - kappa) ** 2 * p[i, j] * (columns[i] + rows[j]) ** 2
    total -= (kappa - pe * (1 - kappa)) ** 2
    return po, kappa, np.sqrt(max(total, 0.0) / n) / (1 - pe)
