"""The worked examples of spec 14, section 9."""

from __future__ import annotations

import numpy as np
import pytest

from goldlabel.errors import InputError
from goldlabel.kernels import pooling
from goldlabel.tasks import detection

PAPER = {"method": "objectlab", "min_similarity": "dataset"}


def image(boxes, labels):
    return {"boxes": boxes, "labels": labels}


LABELS = [
    image([[0, 0, 10, 10], [20, 0, 30, 10]], [0, 1]),
    image([[0, 0, 10, 10]], [0]),
    image([[0, 0, 10, 10]], [0]),
    image([[0, 0, 10, 10]], [0]),
    image([], []),
]
PREDICTIONS = [
    [[[0, 0, 10, 10, 0.99]], [[20, 0, 30, 10, 0.98]]],
    [[[4, 0, 14, 10, 0.97]], []],
    [[], [[0, 0, 10, 9, 0.99]]],
    [[[0, 0, 10, 10, 0.96], [15, 0, 25, 10, 0.97]], []],
    [[], [[0, 0, 10, 10, 0.96]]],
]
NAN = np.nan


def test_b_box_scores():
    scores = detection.get_box_quality_scores(LABELS, PREDICTIONS, min_similarity="dataset")
    expected = [NAN, NAN, NAN, NAN, NAN, 0.0223130160, 0.0005413411]
    np.testing.assert_allclose(scores.overlooked, expected, atol=1e-9)
    np.testing.assert_allclose(scores.badloc, [1, 1, 0.4527462903, 1, 1], atol=1e-9)
    expected = [0.9864664717, 0.9864664717, 1, 0.0948770575, 1]
    np.testing.assert_allclose(scores.swap, expected, atol=1e-9)


def test_b_image_scores():
    scores = detection.get_label_quality_scores(LABELS, PREDICTIONS, **PAPER)
    expected = [0.9954683188, 0.7678651668, 0.4560933454, 0.2815265937, 0.0814998875]
    np.testing.assert_allclose(scores, expected, atol=1e-9)
    weights = {"overlooked": 0.5, "badloc": 0.3, "swap": 0.2}
    scores = detection.get_label_quality_scores(
        LABELS, PREDICTIONS, aggregation_weights=weights, **PAPER
    )
    expected = [0.9972785217, 0.7884178898, 0.6243559308, 0.1493754197, 0.0232667387]
    np.testing.assert_allclose(scores, expected, atol=1e-9)


def test_b_flags_and_precision():
    issues = detection.find_label_issues(LABELS, PREDICTIONS, **PAPER)
    assert issues.is_issue.tolist() == [False, False, False, True, True]
    assert issues.ranked().tolist() == [4, 3]
    precision = detection.average_precision(LABELS, PREDICTIONS)
    np.testing.assert_allclose(precision, np.repeat([[0.375], [0.5]], 10, axis=1))


def test_b_confusion_is_averaged_over_thresholds_alone():
    table = detection.confusion_per_class(LABELS, PREDICTIONS)
    counts = table[["true_positives", "false_positives", "false_negatives"]].to_numpy()
    np.testing.assert_allclose(counts, [[2, 2, 2], [1, 2, 0]])
    rates = table[["precision", "recall", "f1"]].to_numpy()
    np.testing.assert_allclose(rates, [[0.5, 0.5, 0.5], [1 / 3, 1, 0.5]])


def test_c_pooling():
    scores = np.array([0.9, 0.2, 0.5])
    assert pooling.softmin(scores, np.array([0, 3]), 0.1)[0] == pytest.approx(0.2148229309)
    assert detection.issues_from_scores([0.2, 0.4, 0.6, 0.1], threshold=0.3).tolist() == [3, 0]
    with pytest.raises(InputError, match="threshold"):
        detection.issues_from_scores([0.2], threshold=1.5)


def test_d_average_precision():
    labels = [image([[0, 0, 10, 10], [20, 0, 30, 10]], [0, 0])]
    boxes = [[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 8], [50, 50, 60, 60]]
    found = [{"boxes": boxes, "labels": [0] * 4, "scores": [0.9, 0.8, 0.7, 0.95]}]
    precision = detection.average_precision(labels, found)[0]
    np.testing.assert_allclose(precision, [0.5] * 7 + [0.25] * 3)


def test_e_contradicting_annotations_are_penalised():
    labels = [image([[0, 0, 10, 10], [0, 0, 10, 10]], [0, 1])]
    found = [[[[0, 0, 10, 10, 0.99]], [[0, 0, 10, 10, 0.90]]]]
    assert detection.get_box_quality_scores(labels, found).swap.max() < 1e-6
    # With the check off, and with the least similarity of the data (1 here) as the floor, nothing
    # contradicts: the confident prediction of class 0 alone speaks against the box of class 1.
    unchecked = detection.get_box_quality_scores(labels, found, overlapping_label_check=False)
    np.testing.assert_allclose(unchecked.swap, [1.0, 0.0], atol=1e-6)
    paper = detection.get_box_quality_scores(labels, found, min_similarity="dataset")
    assert paper.swap.tolist() == [1.0, 1.0]
