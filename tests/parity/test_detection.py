"""Detection against cleanlab, a black box: scores, flags, average precision, confusion.

Where goldlabel means to differ it is said: DIVERGE 14-02 (floor of scores: given as "dataset"
here), 14-03, 14-04, 14-05 (crashes and silent nothing), 14-07 (kinds), 14-10 (divided by k).
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import warnings

import detection_reference as reference
import numpy as np
import pytest

from goldlabel.tasks import detection

PAPER = {"min_similarity": "dataset"}
pytestmark = [  # cleanlab leaves the processes running that it counts with
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def peer(name, function, *args, **options):
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        module = importlib.import_module(f"cleanlab.object_detection.{name}")
        return getattr(module, function)(*args, **options)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("grid", [None, 10.0])
def test_random_images(seed, grid):
    images = reference.made_up(seed, n=15, grid=grid)
    ours, theirs = reference.as_inputs(images), reference.as_peer(images, 3)
    for kind in ("overlooked", "badloc", "swap"):
        scores = getattr(detection.get_box_quality_scores(*ours, **PAPER), kind)
        expected = peer(
            "rank", f"compute_{kind}_box_scores", labels=theirs[0], predictions=theirs[1]
        )
        np.testing.assert_allclose(scores, np.concatenate([*expected, []]), atol=1e-9)
    scores = detection.get_label_quality_scores(*ours, method="objectlab", **PAPER)
    expected = peer("rank", "get_label_quality_scores", *theirs, verbose=False)
    np.testing.assert_allclose(scores, expected, atol=1e-9)
    issues = detection.find_label_issues(*ours, method="objectlab", **PAPER)
    np.testing.assert_array_equal(issues.is_issue, peer("filter", "find_label_issues", *theirs))


@pytest.mark.parametrize("seed", range(3))
def test_custom_weights(seed):
    images = reference.made_up(seed, n=10)
    weights = {"overlooked": 0.6, "badloc": 0.1, "swap": 0.3}
    scores = detection.get_label_quality_scores(
        *reference.as_inputs(images), method="objectlab", aggregation_weights=weights, **PAPER
    )
    theirs = reference.as_peer(images, 3)
    expected = peer(
        "rank", "get_label_quality_scores", *theirs, aggregation_weights=weights, verbose=False
    )
    np.testing.assert_allclose(scores, expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_confusion_divides_by_thresholds_alone(seed):
    """DIVERGE 14-10: cleanlab also divides by the number of classes."""
    images = reference.made_up(seed, n=15)
    table = detection.confusion_per_class(*reference.as_inputs(images), classes=[0, 1, 2])
    theirs = reference.as_peer(images, 3)
    expected = peer("summary", "get_average_per_class_confusion_matrix", *theirs)
    for row in table.to_dict("records"):
        found = expected[row["class"]]
        for name, key in (
            ("TP", "true_positives"),
            ("FP", "false_positives"),
            ("FN", "false_negatives"),
        ):
            assert row[key] == pytest.approx(3 * found[name], abs=1e-5)
    metrics = peer("summary", "calculate_per_class_metrics", *theirs)
    for row in table.to_dict("records"):
        for name in ("precision", "recall", "f1"):
            assert row[name] == pytest.approx(metrics[row["class"]][f"average {name}"], abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "detector"), [("coco_val2017_json", "yolov8n_int8")])
def test_real_boxes(data, name, detector):
    """The whole of cleanlab's scores on real boxes of a real detector, and its flags."""
    folder = data / "detection" / name
    read = detection.read(
        folder / "instances_given.json", predictions=folder / f"{detector}_results.json"
    )
    # cleanlab knows no crowds: the same boxes for both.
    given, found = read.labels.select(read.labels.is_judged), read.predictions
    k = len(read.classes)
    images = [
        (
            given.boxes[a:b], given.labels[a:b],
            found.boxes[c:d], found.labels[c:d], found.scores[c:d],
        )
        for a, b, c, d in zip(
            given.offsets, given.offsets[1:], found.offsets, found.offsets[1:], strict=False
        )
    ]  # fmt: skip
    theirs = reference.as_peer(images, k)
    scores = detection.get_label_quality_scores(given, found, method="objectlab", **PAPER)
    expected = peer("rank", "get_label_quality_scores", *theirs, verbose=False)
    np.testing.assert_allclose(scores, expected, atol=1e-9)
    issues = detection.find_label_issues(
        given, found, method="objectlab", classes=read.classes, **PAPER
    )
    said = json.loads((folder / "reference_cleanlab.json").read_text())[detector]
    assert issues.num_issues == said["find_label_issues"]["flagged"]
