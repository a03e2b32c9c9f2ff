"""Every loop against a plain twin, on made-up images; the same for any number of threads."""

from __future__ import annotations

import detection_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.tasks import detection
from goldlabel.tasks.detection.boxes import offsets_of, paired
from goldlabel.tasks.detection.matching import Options, match_boxes
from goldlabel.tasks.detection.scoring import score

seeds = st.integers(0, 2**32 - 1)
grids = st.sampled_from([None, 5.0, 20.0])


@given(seeds, grids, st.sampled_from([None, 1e-12, 0.01]), st.booleans())
@settings(max_examples=40)
def test_objectlab(seed, grid, floor, check):
    images = reference.made_up(seed, n=6, grid=grid)
    scores = detection.get_box_quality_scores(
        *reference.as_inputs(images),
        min_similarity="dataset" if floor is None else floor,
        overlapping_label_check=check,
    )
    expected = reference.objectlab(images, floor=floor, check=check)
    for kind, value in zip(("overlooked", "badloc", "swap"), expected, strict=True):
        np.testing.assert_allclose(getattr(scores, kind), value, atol=1e-12)


@given(seeds, grids)
@settings(max_examples=40)
def test_average_precision(seed, grid):
    images = reference.made_up(seed, n=6, grid=grid)
    found = detection.average_precision(*reference.as_inputs(images), classes=3)
    np.testing.assert_allclose(found, reference.average_precision(images, 3), atol=1e-12)


@given(seeds, grids)
@settings(max_examples=40)
def test_matching(seed, grid):
    images = reference.made_up(seed, n=6, grid=grid)
    crowds = [boxes[:1] + 3 for boxes, *_ in reference.made_up(seed + 1, n=6, grid=grid)]
    pair = paired_with(images, crowds)
    matches = match_boxes(pair, 0.5, 0.2)
    expected = [
        reference.match(image, crowds=crowd) for image, crowd in zip(images, crowds, strict=True)
    ]
    starts = np.repeat(pair.predictions.offsets[:-1], pair.annotations.counts)
    for at, name in enumerate(("matched", "conflicting", "displaced")):
        rows = getattr(matches, name)
        assert np.where(rows >= 0, rows - starts, -1).tolist() == [
            value for each in expected for value in each[at]
        ]
    assert [STATES[at] for at in matches.state] == [state for each in expected for state in each[3]]
    for row, (image, at) in enumerate(map(pair.annotations.place, range(len(matches.max_iou)))):
        overlaps = [reference.iou(images[image][0][at], box) for box in images[image][2]]
        assert matches.max_iou[row] == pytest.approx(max(overlaps, default=0.0))


STATES = ("unmatched", "matched", "repeated", "ignored", "suppressed")


def paired_with(images, crowds):
    """Return a pair in which each image has some boxes to ignore before those to judge."""
    labels, predictions = reference.as_inputs(images)
    for each, crowd in zip(labels, crowds, strict=True):
        each["ignore"] = np.arange(len(crowd) + len(each["boxes"])) < len(crowd)
        each["boxes"] = np.concatenate([crowd, each["boxes"]])
        each["labels"] = np.concatenate([np.zeros(len(crowd), dtype=int), each["labels"]])
    return paired(detection.as_boxes(labels), detection.as_detections(predictions), 3)


@given(
    seeds, grids, st.booleans(),
    st.sampled_from(
        [{}, {"spurious_prior": 0.3, "duplicate_iou": 0.4}, {"match_iou": 0.7, "near_iou": 0.1},
         {"location_factor": 0.5, "given_weight": 0.9, "worst_weight": 0.6}]
    ),
)  # fmt: skip
@settings(max_examples=80)
def test_scoring_by_the_letter(seed, grid, with_crowds, changed):
    images = reference.made_up(seed, n=6, grid=grid, most=9, size=60.0)
    crowds = [boxes[:with_crowds] + 3 for boxes, *_ in reference.made_up(seed + 1, n=6, grid=grid)]
    pair = paired_with(images, crowds)
    scoring = score(pair, Options(**changed))
    wrong, scores = reference.scored(images, 3, crowds, **changed)
    found = {}
    for row, (annotation, other, kind) in enumerate(
        zip(scoring.boxes.annotation, scoring.boxes.other, scoring.boxes.kind, strict=True)
    ):
        is_new = annotation < 0
        side = pair.predictions if is_new else pair.annotations
        image, at = side.place(other if is_new else annotation)
        key = (image, "prediction" if is_new else "annotation", at, kind)
        found[key] = (scoring.boxes.score[row], scoring.boxes.is_issue[row])
    assert found.keys() == wrong.keys()
    for key, (value, flag) in wrong.items():
        assert found[key][0] == pytest.approx(value, abs=1e-4), key
        assert found[key][1] == flag or abs(value - 0.5) < 1e-4, key
    np.testing.assert_allclose(scoring.scores, scores, atol=1e-4)


@given(seeds, grids, st.booleans())
@settings(max_examples=30)
def test_coco_precision_is_that_of_its_own_tools(seed, grid, with_crowds):
    images = reference.made_up(seed, n=6, grid=grid)
    crowds = [boxes[:with_crowds] + 3 for boxes, *_ in reference.made_up(seed + 1, n=6, grid=grid)]
    pair = paired_with(images, crowds)
    labels = joined_boxes(pair)
    ours = detection.coco_map(labels, pair.predictions)
    for name, value in reference.coco_map(labels, pair.predictions).items():
        assert ours[name] == pytest.approx(value, abs=1e-9, nan_ok=True)


def joined_boxes(pair):
    """Return what is judged and what is not in one container."""
    both = [pair.annotations, pair.ignored]
    images = np.concatenate([each.images for each in both])
    order = np.argsort(images, kind="stable")
    ignore = np.repeat([False, True], [len(each.boxes) for each in both])
    return detection.Boxes(
        np.concatenate([each.boxes for each in both])[order],
        np.concatenate([each.labels for each in both])[order],
        offsets_of(images[order], len(pair.annotations)),
        ignore[order],
    )


def test_only_a_hundred_predictions_of_a_class_count():
    boxes = np.tile([0.0, 0, 9, 9], (150, 1)) + 20 * np.arange(150)[:, None]
    labels = [{"boxes": boxes, "labels": np.zeros(150, int)}]
    predictions = [{**labels[0], "scores": np.linspace(1, 0.1, 150)}]
    pair = detection.as_boxes(labels), detection.as_detections(predictions)
    ours = detection.coco_map(*pair)
    assert ours == pytest.approx(reference.coco_map(*pair), abs=1e-9)
    assert ours["AP"] < 0.7


@pytest.mark.parametrize("method", ["confident_learning", "objectlab"])
def test_any_number_of_threads_gives_the_same_bits(method, monkeypatch):
    inputs = reference.as_inputs(reference.made_up(1, n=3000))
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("GOLDLABEL_THREADS", threads)
        issues = detection.find_label_issues(*inputs, method=method)
        found.append((issues.scores.tobytes(), issues.parts.score.tobytes()))
    assert found[0] == found[1]


@given(seeds)
@settings(max_examples=15)
def test_images_in_another_order_get_the_same_scores(seed):
    images = reference.made_up(seed, n=10)
    order = np.random.default_rng(seed).permutation(10)
    scores = detection.get_label_quality_scores(*reference.as_inputs(images))
    shuffled = [images[at] for at in order]
    again = detection.get_label_quality_scores(*reference.as_inputs(shuffled))
    np.testing.assert_allclose(again, scores[order], atol=1e-9)
    assert ((scores >= 0) & (scores <= 1)).all()


@given(seeds)
@settings(max_examples=15)
def test_the_default_knows_no_pixels(seed):
    """Boxes in shares of the image get the scores of the same boxes in pixels."""
    images = reference.made_up(seed, n=10)
    scale = np.array([0.01, 0.005, 0.01, 0.005])
    shares = [(a * scale, b, c * scale, d, e) for a, b, c, d, e in images]
    scores = detection.get_label_quality_scores(*reference.as_inputs(images))
    again = detection.get_label_quality_scores(*reference.as_inputs(shares))
    np.testing.assert_allclose(again, scores, atol=1e-6)
