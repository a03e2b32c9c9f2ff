"""Tags and entities, written down as plainly as possible: what the fast code must agree with."""

from __future__ import annotations

import itertools

import numpy as np

PREFIXES = {"iob1": "BI", "iob2": "BI", "bioes": "BIES"}


def legal(tags, scheme):
    """Whether a sequence of tags keeps the rules of its scheme."""
    pairs = zip([None, *tags], [*tags, None], strict=True)
    return all(may_follow(a or "O", b or "O", scheme) for a, b in pairs)


def may_follow(a, b, scheme):
    (x, kind), (y, other) = split(a), split(b)
    same = kind == other
    if scheme == "iob2":
        return y != "I" or (x in "BI" and same)
    if scheme == "iob1":
        return y != "B" or (x in "BI" and same)
    if scheme == "bioes":
        goes_on = x in "BI"
        return (same and goes_on) if y in "IE" else not goes_on
    return True


def split(tag):
    return ("O", None) if tag == "O" else (tag[0], tag[2:])


def spans(tags, scheme):
    """Entities as the CoNLL evaluation reads them: (start, end, type)."""
    found, start = [], None
    for at, tag in enumerate([*tags, "O"]):
        role, kind = split(tag)
        before = split(tags[at - 1]) if at else ("O", None)
        over = role == "O" or before[1] != kind or role in "BS" or before[0] in "ES"
        if start is not None and over:
            found.append((start, at, before[1]))
            start = None
        if role != "O" and start is None:
            start = at
    return found


def written(entities, n, scheme):
    """Tags of n tokens with these entities."""
    tags = ["O"] * n
    for start, end, kind in entities:
        for at in range(start, end):
            first, last = at == start, at == end - 1
            if scheme == "iob1":
                touches = any(b == start and k == kind for _, b, k in entities)
                role = "B" if first and touches else "I"
            elif scheme == "iob2":
                role = "B" if first else "I"
            else:
                role = "S" if first and last else "B" if first else "E" if last else "I"
            tags[at] = f"{role}-{kind}"
    return tags


def best(probs, names, scheme):
    """Highest sum of log probabilities over all legal sequences of one sentence."""
    logs = np.log(np.maximum(probs, 1e-30))
    return max(
        sum(logs[at, c] for at, c in enumerate(codes))
        for codes in itertools.product(range(len(names)), repeat=len(probs))
        if legal([names[c] for c in codes], scheme)
    )


def viterbi(probs, names, scheme):
    """The most probable legal tags of one sentence; of equals the first class, from the last on."""
    logs = np.log(np.maximum(probs, 1e-30))
    allowed = np.array([[may_follow(a, b, scheme) for b in names] for a in names])
    begins = np.array([may_follow("O", name, scheme) for name in names])
    ends = np.array([may_follow(name, "O", scheme) for name in names])
    total, before = np.where(begins, logs[0], -np.inf), []
    for row in logs[1:]:
        sums = np.where(allowed, total[:, None], -np.inf)
        before.append(sums.argmax(axis=0))
        total = sums.max(axis=0) + row
    codes = [int(np.where(ends, total, -np.inf).argmax())]
    for each in reversed(before):
        codes.append(int(each[codes[-1]]))
    return codes[::-1]


def softmin(scores, temperature):
    scores = np.asarray(scores)
    weights = np.exp((1 - scores) / temperature - np.max((1 - scores) / temperature))
    return float((scores * weights).sum() / weights.sum())
