"""Plain twins of the loops of detection, and made-up images."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import numpy as np
from scipy import optimize

TAUS = np.linspace(0.5, 0.95, 10)


def iou(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inter = width * height if width > 0 and height > 0 else 0.0
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    union = sum(areas) - inter
    return inter / union if union > 0 else 0.0


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


def match(image, tau=0.5, near=0.2, crowds=()):
    """Match predictions, best first, each to the free annotation of its class it overlaps most.

    Returns for each annotation what it is matched to, what takes its place in another class and
    what is near it, and for each prediction what it is; see `Matches`.
    """
    boxes, labels, predicted, kinds, probs = image
    matched, conflicting, displaced = ([-1] * len(boxes) for _ in range(3))
    order = sorted(range(len(predicted)), key=lambda at: -probs[at])
    state = ["unmatched"] * len(predicted)
    for at in order:
        same = [
            i for i in range(len(boxes))
            if labels[i] == kinds[at] and iou(boxes[i], predicted[at]) >= tau
        ]  # fmt: skip
        free = [(iou(boxes[i], predicted[at]), -i) for i in same if matched[i] < 0]
        if free:
            matched[-max(free)[1]] = at
            state[at] = "matched"
        elif same:
            state[at] = "repeated"
        elif any(share_inside(predicted[at], crowd) >= tau for crowd in crowds):
            state[at] = "ignored"
    for at in order:
        if state[at] != "unmatched":
            continue
        for i in range(len(boxes)):
            overlap = iou(boxes[i], predicted[at])
            if matched[i] >= 0:
                continue
            if labels[i] == kinds[at] and overlap >= near and displaced[i] < 0:
                displaced[i] = at
            if labels[i] != kinds[at] and overlap >= tau and conflicting[i] < 0:
                conflicting[i] = at
        better = order[: order.index(at)]
        if any(state[b] == "unmatched" and iou(predicted[b], predicted[at]) >= tau for b in better):
            state[at] = "suppressed"
    return matched, conflicting, displaced, state


def share_inside(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inter = width * height if width > 0 and height > 0 else 0.0
    return inter / ((a[2] - a[0]) * (a[3] - a[1])) if inter else 0.0


OPTIONS = {
    "match_iou": 0.5, "near_iou": 0.2, "duplicate_iou": 0.8, "location_factor": 2.5,
    "spurious_prior": 0.02, "given_weight": 0.5, "worst_weight": 0.2,
}  # fmt: skip


def mean_to(values, overall, weight):
    """Return a mean that is drawn to another by so many imaginary values."""
    return (sum(values) + weight * overall) / (len(values) + weight)


def calibration(images, matches, k):
    """Learn what docs/detection.md says: reliability, thresholds, gaps, rates by size."""
    rows = [
        (np.log(np.clip(p, 1e-4, 1 - 1e-4) / (1 - np.clip(p, 1e-4, 1 - 1e-4))), state == "matched")
        for image, each in zip(images, matches, strict=True)
        for p, state in zip(image[4], each[3], strict=True)
        if state in ("matched", "unmatched", "suppressed")
    ]
    x, y = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=float)

    def loss(curve):
        z = curve[0] + curve[1] * x
        ridge = 0.05 * (curve[0] ** 2 + (curve[1] - 1) ** 2)
        return np.sum(np.logaddexp(0, z) - y * z) + ridge

    fit = optimize.minimize(loss, [0.0, 1.0], bounds=[(None, None), (0, None)], tol=1e-14)
    pairs = [
        (image, at, by)
        for image, each in zip(images, matches, strict=True)
        for at, by in enumerate(each[0])
        if by >= 0
    ]
    probs = [(image[1][at], image[4][by]) for image, at, by in pairs]
    overall = np.mean([p for _, p in probs]) if probs else 0.5
    thresholds = [mean_to([p for c, p in probs if c == label], overall, 5) for label in range(k)]
    gaps = [(image[1][at], 1 - iou(image[0][at], image[2][by])) for image, at, by in pairs]
    median = np.median([gap for _, gap in gaps]) if gaps else 0.02
    usual = []
    for label in range(k):
        own = [gap for c, gap in gaps if c == label]
        middle = np.median(own) if own else median
        drawn = (len(own) * middle + 20 * median) / (len(own) + 20)
        usual.append(max(drawn, 0.02) if gaps else 0.02)
    return fit.x, np.array(thresholds), np.array(usual)


def rates_by_size(images, flags):
    """Return for each annotation how often something is so of the fifth of its area."""
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for image in images for b in image[0]]
    group = [sum(other < area for other in areas) * 5 // len(areas) for area in areas]
    means = [
        mean_to([f for f, g in zip(flags, group, strict=True) if g == each], np.mean(flags), 5)
        for each in range(5)
    ]
    return [means[each] for each in group]


def scored(images, k, crowds=None, **changed):
    """Return what is wrong as {(image, annotation or prediction, kind): score}, and image scores.

    By the table of docs/detection.md: every kind that fits is scored, an annotation keeps its worst
    and among equals the first of the table.
    """
    options = {**OPTIONS, **changed}
    crowds = [()] * len(images) if crowds is None else crowds
    tau = options["match_iou"]
    matches = [
        match(image, tau, options["near_iou"], crowd)
        for image, crowd in zip(images, crowds, strict=True)
    ]
    curve, thresholds, usual = calibration(images, matches, k)
    missed = [
        max(m, c, d) < 0
        for each in matches
        for m, c, d in zip(each[0], each[1], each[2], strict=True)
    ]
    found = [m >= 0 for each in matches for m in each[0]]
    missed_rates, found_rates = rates_by_size(images, missed), rates_by_size(images, found)
    wrong, scores, row = {}, [], 0
    for number, (image, each) in enumerate(zip(images, matches, strict=True)):
        first, row = row, row + len(image[0])
        reliable = [
            1 / (1 + np.exp(-(curve[0] + curve[1] * np.log(p / (1 - p)))))
            for p in np.clip(image[4], 1e-4, 1 - 1e-4)
        ]
        sure = [p >= thresholds[c] for p, c in zip(image[4], image[3], strict=True)]
        entries = annotation_scores(
            image, each, reliable, sure, usual, missed_rates[first:row], options
        )
        entries += overlooked_scores(image, each, reliable, sure, tau)
        wrong |= {(number, *key): (score, flag) for key, score, flag in entries}
        worst = min([1.0, *(score for _, score, _ in entries)])
        scores.append(image_score(image, each, reliable, found_rates[first:row], worst, options))
    return wrong, np.array(scores)


def annotation_scores(image, matches, reliable, sure, usual, missed_rates, options):
    boxes, labels, predicted, _, _ = image
    matched, conflicting, displaced, _ = matches
    entries = []
    for at, box in enumerate(boxes):
        kinds = []
        if conflicting[at] >= 0:
            by = conflicting[at]
            kinds.append((1 - reliable[by], 2, sure[by]))
        by = displaced[at]
        rivals = [i for i in range(len(boxes)) if by >= 0 and displaced[i] == by]
        if by >= 0 and at == max(rivals, key=lambda i: (iou(boxes[i], predicted[by]), -i)):
            kinds.append((1 - reliable[by], 1, sure[by]))
        if matched[at] >= 0:
            by = matched[at]
            gap = (1 - iou(box, predicted[by])) / (options["location_factor"] * usual[labels[at]])
            unusual = gap**4 / (1 + gap**4)
            kinds.append((1 - reliable[by] * unusual, 1, sure[by] and unusual >= 0.5))
        twin = duplicate_of(image, matched, at, options["duplicate_iou"])
        if twin is not None:
            kinds.append((1 - twin, 3, twin > 0.5))
        if max(matched[at], conflicting[at], displaced[at]) < 0:
            prior = options["spurious_prior"]
            spurious = prior / max(prior + missed_rates[at] * (1 - prior), 1e-12)
            near = max([iou(box, other) for other in predicted], default=0.0)
            score = 1 - spurious * (1 - near)
            kinds.append((score, 4, score < 0.5))
        if kinds:
            score, kind, flag = min(kinds, key=lambda each: each[:2])
            entries.append((("annotation", at, kind), score, flag))
    return entries


def duplicate_of(image, matched, at, limit):
    """Return the IoU of an annotation that goes with the one that stays; None if it stays."""
    boxes, labels, predicted, _, _ = image
    for same, least in ((True, limit), (False, 0.95)):
        others = [
            (iou(boxes[at], boxes[i]), -i)
            for i in range(len(boxes))
            if i != at and (labels[i] == labels[at]) == same and iou(boxes[at], boxes[i]) >= least
        ]
        if others:
            value, other = max(others)[0], -max(others)[1]
            support = [
                1 + iou(boxes[i], predicted[matched[i]]) if matched[i] >= 0 else 0
                for i in (at, other)
            ]
            goes = support[0] < support[1] or (support[0] == support[1] and at > other)
            return value if goes and matched[at] < 0 else None
    return None


def overlooked_scores(image, matches, reliable, sure, tau):
    boxes, _, predicted, _, _ = image
    _, _, displaced, state = matches
    entries = []
    for at, box in enumerate(predicted):
        near = max([iou(box, other) for other in boxes], default=0.0)
        if state[at] == "unmatched" and near < tau and at not in displaced:
            score = 1 - reliable[at] * (1 - near**2)
            entries.append((("prediction", at, 0), score, sure[at]))
    return entries


def image_score(image, matches, reliable, found_rates, worst, options):
    boxes, labels, predicted, kinds, _ = image
    matched, _, _, state = matches
    objects = disagreeing = 0.0
    for at, box in enumerate(predicted):
        objects += reliable[at] * (state[at] != "ignored")
        if state[at] in ("unmatched", "suppressed"):
            explained = [
                iou(box, boxes[i])
                for i in range(len(boxes))
                if matched[i] >= 0 and labels[i] == kinds[at]
            ]
            disagreeing += reliable[at] * (1 - max(explained, default=0.0))
    for at in range(len(boxes)):
        objects += options["given_weight"] * found_rates[at]
        disagreeing += options["given_weight"] * found_rates[at] * (matched[at] < 0)
    share = disagreeing / objects if objects else 0.0
    beta = options["worst_weight"]
    return min(max((1 - beta) * (1 - share) + beta * worst, 0.0), 1.0)


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


def coco_map(labels, predictions):
    """Return COCO's average precision by COCO's own tools."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    names = ("AP", "AP50", "AP75")
    if not len(labels.boxes) or (labels.ignore is not None and labels.ignore.all()):
        return dict.fromkeys(names, np.nan)
    if not len(predictions.boxes):
        return dict.fromkeys(names, 0.0)
    with redirect_stdout(io.StringIO()):
        truth, results = COCO(), COCO()
        for tool, boxes in ((truth, labels), (results, predictions)):
            tool.dataset = coco_dataset(boxes)
            tool.createIndex()
        run = COCOeval(truth, results, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return {name: float(value) for name, value in zip(names, run.stats, strict=False)}


def coco_dataset(boxes):
    sizes = boxes.boxes[:, 2:] - boxes.boxes[:, :2]
    ignore = getattr(boxes, "ignore", None)
    scores = getattr(boxes, "scores", None)
    annotations = [
        {
            "id": at + 1, "image_id": int(image), "category_id": int(boxes.labels[at]),
            "bbox": [*boxes.boxes[at, :2].tolist(), *sizes[at].tolist()],
            "area": float(sizes[at].prod()),
            "iscrowd": 0 if ignore is None else int(ignore[at]),
        } | ({} if scores is None else {"score": float(scores[at])})
        for at, image in enumerate(boxes.images)
    ]  # fmt: skip
    return {
        "images": [{"id": at} for at in range(len(boxes))],
        "annotations": annotations,
        "categories": [{"id": at} for at in sorted(set(boxes.labels.tolist()))],
    }
