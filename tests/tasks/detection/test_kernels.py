"""Every loop against a plain twin, on made-up images; the same for any number of threads."""

from __future__ import annotations

import detection_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.tasks import detection
from goldlabel.tasks.detection.boxes import paired
from goldlabel.tasks.detection.matching import MATCHED, match_boxes

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
    labels, predictions = (detection.as_boxes(each) for each in reference.as_inputs(images))
    pair = paired(labels, predictions, 3)
    matches = match_boxes(pair, 0.5, 0.2)
    start = np.repeat(predictions.offsets[:-1], labels.counts)
    partner = np.where(matches.partner >= 0, matches.partner - start, -1)
    expected = [at for image in images for at in reference.match(image)]
    assert partner.tolist() == expected
    assert set(matches.partner[matches.partner >= 0].tolist()) == set(
        np.flatnonzero(matches.state == MATCHED).tolist()
    )
    for row, (image, at) in enumerate(map(labels.place, range(len(labels.boxes)))):
        boxes, _, found, _, _ = images[image]
        overlaps = [reference.iou(boxes[at], box) for box in found]
        assert matches.seen[row] == pytest.approx(max(overlaps, default=0.0))


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
