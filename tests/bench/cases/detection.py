"""Detection: scores, label issues, metrics and counts, against cleanlab."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
from case import Arrays, Case, Input, Section, Target

CLASSES = 80
BOXES = 7
"""Mean number of objects in an image."""
SIZE = 640.0
MISTAKES = 0.05

ABOUT = f"""\
Made up from a fixed seed: images of {SIZE:g} x {SIZE:g} pixels with {BOXES} objects of
{CLASSES} classes on average. {100 * MISTAKES:g} % of the annotations are missing, as many have the
class of another, as many are displaced. The detector finds nine in ten objects, and a false alarm
for every second one. cleanlab is given arrays per image and class, as it asks for, and goldlabel
flat ones; both are made beforehand."""


def make(n: int) -> Arrays:
    """Return flat arrays of annotations and predictions."""
    rng = np.random.default_rng(n)
    counts = rng.poisson(BOXES, n)
    image = np.repeat(np.arange(n), counts)
    start = rng.uniform(0, 0.75 * SIZE, (len(image), 2))
    true = np.concatenate([start, start + rng.uniform(12, 0.25 * SIZE, (len(image), 2))], axis=1)
    kind = rng.integers(0, CLASSES, len(image))
    found = rng.random(len(image)) < 0.9
    near = true[found] + rng.normal(0, 2.0, (found.sum(), 4))
    near = np.concatenate([np.minimum(near[:, :2], near[:, 2:] - 1), near[:, 2:]], axis=1)
    alarms = rng.integers(0, n, len(image) // 2)
    start = rng.uniform(0, 0.75 * SIZE, (len(alarms), 2))
    false = np.concatenate([start, start + rng.uniform(12, 150, (len(alarms), 2))], axis=1)
    boxes = np.concatenate([near, false])
    labels = np.concatenate([kind[found], rng.integers(0, CLASSES, len(alarms))])
    scores = np.concatenate([rng.beta(8, 2, found.sum()), rng.beta(2, 5, len(alarms))])
    where = np.concatenate([image[found], alarms])
    order = np.lexsort((labels, where))
    given, shown = true.copy(), kind.copy()
    moved, swapped, kept = (rng.random(len(image)) < MISTAKES for _ in range(3))
    given[moved] += rng.uniform(8, 20, (moved.sum(), 1))
    shown[swapped] = rng.integers(0, CLASSES, swapped.sum())
    return {
        "given": given[~kept], "given_labels": shown[~kept], "given_image": image[~kept],
        "found": boxes[order], "found_labels": labels[order], "found_image": where[order],
        "scores": scores[order], "images": np.array([n]),
    }  # fmt: skip


def prepare(arrays: Arrays) -> Any:
    """Make the containers of both sides."""
    from goldlabel.tasks.detection import Boxes, Detections

    n = int(arrays["images"][0])
    ends = [
        np.searchsorted(arrays[f"{side}_image"], np.arange(n + 1)) for side in ("given", "found")
    ]
    labels = Boxes(arrays["given"], arrays["given_labels"], ends[0])
    predictions = Detections(arrays["found"], arrays["found_labels"], ends[1], arrays["scores"])
    return {"labels": labels, "predictions": predictions, "peer": for_peer(labels, predictions)}


def for_peer(labels: Any, predictions: Any) -> Any:
    rows = np.concatenate([predictions.boxes, predictions.scores[:, None]], axis=1)
    given, found = [], []
    for image in range(len(labels)):
        own = slice(labels.offsets[image], labels.offsets[image + 1])
        given.append({"bboxes": labels.boxes[own], "labels": labels.labels[own]})
        own = slice(predictions.offsets[image], predictions.offsets[image + 1])
        per_class = np.empty(CLASSES, dtype=object)
        for label in range(CLASSES):
            per_class[label] = rows[own][predictions.labels[own] == label]
        found.append(per_class)
    return given, found


def quietly(function: Any, *args: Any, **options: Any) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*args, **options)


def both(given: Any) -> tuple[Any, Any]:
    return given["labels"], given["predictions"]


def scores(given: Any) -> Any:
    from goldlabel.tasks import detection

    return detection.get_label_quality_scores(*both(given))


def paper_scores(given: Any) -> Any:
    from goldlabel.tasks import detection

    return detection.get_label_quality_scores(
        *both(given), method="objectlab", min_similarity="dataset"
    )


def peer_scores(given: Any) -> Any:
    from cleanlab.object_detection.rank import get_label_quality_scores

    return quietly(get_label_quality_scores, *given["peer"], verbose=False)


def issues(given: Any) -> Any:
    from goldlabel.tasks import detection

    return detection.find_label_issues(*both(given), classes=range(CLASSES))


def paper_issues(given: Any) -> Any:
    from goldlabel.tasks import detection

    return detection.find_label_issues(
        *both(given), classes=range(CLASSES), method="objectlab", min_similarity="dataset"
    )


def peer_issues(given: Any) -> Any:
    from cleanlab.object_detection.filter import find_label_issues

    return quietly(find_label_issues, *given["peer"])


def metrics(given: Any) -> Any:
    from goldlabel.tasks import detection

    return detection.confusion_per_class(*both(given), classes=range(CLASSES))


def peer_metrics(given: Any) -> Any:
    from cleanlab.object_detection.summary import calculate_per_class_metrics

    return quietly(calculate_per_class_metrics, *given["peer"])


def summary(given: Any) -> Any:
    from goldlabel.tasks import detection

    return detection.object_counts(*both(given)), detection.box_sizes(*both(given))


def peer_summary(given: Any) -> Any:
    from cleanlab.object_detection import summary as peer

    return (
        quietly(peer.object_counts_per_image, *given["peer"]),
        quietly(peer.bounding_box_size_distribution, *given["peer"]),
    )


def same_scores(given: Any, ours: Any, peer: Any) -> str:
    np.testing.assert_allclose(ours, peer, atol=1e-9)
    return "same scores"


def same_flags(given: Any, ours: Any, peer: Any) -> str:
    np.testing.assert_array_equal(ours.is_issue, peer)
    return "same flags"


def other_method(given: Any, ours: Any, peer: Any) -> str:
    assert len(getattr(ours, "scores", ours)) == len(peer)
    return "another method"


def same_counts(given: Any, ours: Any, peer: Any) -> str:
    counts = ours[0].set_index("image").loc[range(len(given["labels"]))]
    assert counts["given"].tolist() == peer[0][0]
    assert counts["predicted"].tolist() == peer[0][1]
    return "same counts"


def same_metrics(given: Any, ours: Any, peer: Any) -> str:
    for row in ours.to_dict("records"):
        if row["class"] in peer:
            expected = np.nan_to_num(peer[row["class"]]["average recall"])
            np.testing.assert_allclose(row["recall"], expected, atol=1e-5)
    return "same rates"


def named(n: int) -> Input:
    return Input(f"{n:,} images x {CLASSES}", lambda: make(n))


SECTION = Section(
    name="detection",
    title="Object detection",
    about=ABOUT,
    peer="cleanlab",
    largest="found",
    inputs={
        "tiny": (named(4),),
        "small": (named(60),),
        "full": (named(1_000),),
    },
    prepare=prepare,
    cases=(
        Case("find_label_issues", "find_label_issues", issues, peer_issues, other_method,
             first=True),
        Case("scores", "get_label_quality_scores", scores, peer_scores, other_method),
        Case("objectlab_issues", "find_label_issues, ObjectLab", paper_issues, peer_issues,
             same_flags),
        Case("objectlab_scores", "get_label_quality_scores, ObjectLab", paper_scores, peer_scores,
             same_scores),
        Case("metrics", "confusion_per_class", metrics, peer_metrics, same_metrics),
        Case("summary", "object_counts, box_sizes", summary, peer_summary, same_counts),
    ),
    targets=tuple(
        Target(case, (f"1,000 images x {CLASSES}",), "ratio.processor",
               f"{what}: at least {least} x less processor time than cleanlab", at_least=least)
        for case, what, least in (
            ("find_label_issues", "label issues", 200), ("scores", "scores", 50),
            ("objectlab_issues", "label issues by ObjectLab", 200),
            ("objectlab_scores", "scores by ObjectLab", 50), ("metrics", "metrics", 200),
        )
    ),
)  # fmt: skip
