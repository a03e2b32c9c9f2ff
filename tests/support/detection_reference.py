"""Plain twins of the loops of detection, and made-up images."""

from __future__ import annotations

import numpy as np

TAUS = np.linspace(0.5, 0.95, 10)


def iou(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inter = width * height if width > 0 and height > 0 else 0.0
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return inter / max(sum(areas) - inter, 1e-6)


def similarity(a, b, alpha=0.9):
    centres = [np.array([(c[0] + c[2]) / 2, (c[1] + c[3]) / 2]) for c in (a, b)]
    distance = np.linalg.norm(centres[0] - centres[1])
    return alpha * iou(a, b) + (1 - alpha) * np.exp(-0.1 * distance)


def softmin(scores, temperature=0.1):
    scores = np.array([score for score in scores if score == score])
    if not len(scores):
        return 1.0
    weights = np.exp((scores.min() - scores) / temperature)
    return float((scores * weights).sum() / weights.sum())


def objectlab(images, *, floor=None, low=0.5, high=0.95, overlap=0.95, check=True):
    """Score images, each (boxes, labels, predicted boxes, their labels, scores), by the letter."""
    every = [similarity(g, p) for boxes, _, found, _, _ in images for g in boxes for p in found]
    least = min([1.0, *(value for value in every if value > 0)]) if floor is None else floor
    overlooked, badloc, swap = [], [], []
    for boxes, labels, found, kinds, probs in images:
        for p, kind, score in zip(found, kinds, probs, strict=True):
            if score < high or any(iou(g, p) > 0 for g in boxes):
                overlooked.append(np.nan)
                continue
            same = [
                similarity(g, p) for g, label in zip(boxes, labels, strict=True) if label == kind
            ]
            overlooked.append(max(same, default=least * (1 - score)))
        for at, (g, label) in enumerate(zip(boxes, labels, strict=True)):
            near = [
                similarity(g, p)
                for p, kind, score in zip(found, kinds, probs, strict=True)
                if kind == label and score > low and iou(g, p) > 0
            ]
            badloc.append(max(near, default=1.0))
            others = [
                similarity(g, p)
                for p, kind, score in zip(found, kinds, probs, strict=True)
                if kind != label and score > high
            ]
            clash = any(
                other != at and labels[other] != label and iou(g, boxes[other]) >= overlap
                for other in range(len(boxes))
            )
            value = max(least, 1 - max(others)) if others else 1.0
            swap.append(least if check and clash else value)
    return np.array(overlooked), np.array(badloc), np.array(swap)


def average_precision(images, k):
    """Return AP (k, 10), threshold by threshold, prediction by prediction."""
    out = np.zeros((k, len(TAUS)))
    for label in range(k):
        total = sum(int(np.sum(np.asarray(labels) == label)) for _, labels, _, _, _ in images)
        for column, tau in enumerate(TAUS):
            rows = []
            for boxes, labels, found, kinds, probs in images:
                own = [g for g, kind in zip(boxes, labels, strict=True) if kind == label]
                mine = [at for at in range(len(found)) if kinds[at] == label]
                taken = set()
                for at in sorted(mine, key=lambda at: -probs[at]):
                    overlaps = [iou(g, found[at]) for g in own]
                    best = int(np.argmax(overlaps)) if overlaps else -1
                    right = best >= 0 and overlaps[best] >= tau and best not in taken
                    taken |= {best} if right else set()
                    rows.append((-probs[at], right))
            rows.sort(key=lambda row: row[0])
            if not rows or not total:
                continue
            hits = np.cumsum([right for _, right in rows])
            precision = hits / np.arange(1, len(rows) + 1)
            envelope = np.maximum.accumulate(precision[::-1])[::-1]
            out[label, column] = sum(envelope[at] for at, row in enumerate(rows) if row[1]) / total
    return out


def match(image, tau=0.5):
    """Match predictions, best first, each to the free annotation of its class it overlaps most."""
    boxes, labels, found, kinds, probs = image
    partner = [-1] * len(boxes)
    for at in sorted(range(len(found)), key=lambda at: -probs[at]):
        options = [
            (iou(boxes[i], found[at]), -i)
            for i in range(len(boxes))
            if partner[i] < 0 and labels[i] == kinds[at] and iou(boxes[i], found[at]) >= tau
        ]
        if options:
            partner[-max(options)[1]] = at
    return partner


def made_up(seed, *, n=12, k=3, most=5, grid=None, size=100.0):
    """Return random images; predictions are often near annotations, some of another class."""
    rng = np.random.default_rng(seed)
    images = []
    for _ in range(n):
        count = int(rng.integers(0, most))
        start = rng.uniform(0, 0.7 * size, (count, 2))
        boxes = np.concatenate([start, start + rng.uniform(0.05 * size, 0.3 * size, (count, 2))], 1)
        labels = rng.integers(0, k, count)
        near = boxes[rng.random(count) < 0.8] if count else boxes
        near = near + rng.normal(0, 0.01 * size, near.shape)
        extra = int(rng.integers(0, 3))
        start = rng.uniform(0, 0.7 * size, (extra, 2))
        more = np.concatenate([start, start + rng.uniform(5, 0.3 * size, (extra, 2))], axis=1)
        found = np.concatenate([near, more])
        found = np.concatenate(
            [np.minimum(found[:, :2], found[:, 2:]), np.maximum(found[:, :2], found[:, 2:])], 1
        )
        kinds = rng.integers(0, k, len(found))
        for at in range(len(near)):
            if rng.random() < 0.7:
                kinds[at] = labels[int(np.argmax([iou(g, near[at]) for g in boxes]))]
        if grid is not None:
            boxes, found = np.round(boxes / grid) * grid, np.round(found / grid) * grid
        probs = rng.choice([rng.random(), 0.96, 0.99, 0.5, 0.95], len(found)) * rng.choice(
            [1, 1, 0.9], len(found)
        )
        order = np.argsort(kinds, kind="stable")
        images.append((boxes, labels, found[order], kinds[order], probs[order]))
    return images


def as_inputs(images):
    """Return labels and predictions as goldlabel takes them."""
    labels = [{"boxes": boxes, "labels": kinds} for boxes, kinds, _, _, _ in images]
    predictions = [
        {"boxes": found, "labels": kinds, "scores": probs} for _, _, found, kinds, probs in images
    ]
    return labels, predictions


def as_peer(images, k):
    """Return labels and predictions as cleanlab takes them."""
    labels = [
        {"bboxes": np.asarray(boxes).reshape(-1, 4), "labels": np.asarray(kinds)}
        for boxes, kinds, _, _, _ in images
    ]
    predictions = []
    for _, _, found, kinds, probs in images:
        rows = np.concatenate(
            [np.asarray(found).reshape(-1, 4), np.asarray(probs)[:, None]], axis=1
        )
        predictions.append(
            np.array(
                [rows[np.asarray(kinds) == label] for label in range(k)] + [None], dtype=object
            )[:-1]
        )
    return labels, predictions
