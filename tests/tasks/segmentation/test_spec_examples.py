"""The worked examples of the specification, and the entries where the better thing is done."""

from __future__ import annotations

import numpy as np
import pytest

from goldlabel import InputError
from goldlabel.tasks import segmentation

LABELS = np.array([[[0, 0, 1], [0, 1, 1]], [[2, 2, 1], [0, 0, 1]]])
PROBS = np.array(
    [
        [
            [[0.8, 0.7, 0.2], [0.3, 0.1, 0.2]],
            [[0.1, 0.2, 0.7], [0.6, 0.8, 0.7]],
            [[0.1, 0.1, 0.1], [0.1, 0.1, 0.1]],
        ],
        [
            [[0.1, 0.7, 0.2], [0.9, 0.6, 0.5]],
            [[0.1, 0.1, 0.6], [0.05, 0.3, 0.3]],
            [[0.8, 0.2, 0.2], [0.05, 0.1, 0.2]],
        ],
    ]
)


def test_example_a_pixels():
    issues = segmentation.find_pixel_issues(LABELS, PROBS)
    np.testing.assert_allclose(issues.thresholds, [0.66, 0.62, 0.5])
    assert issues.num_candidates == 1
    assert np.argwhere(np.stack(issues)).tolist() == [[1, 0, 1]]
    assert len(issues) == 2
    assert [mask.sum() for mask in issues[::-1]] == [1, 0]
    assert issues[-1].sum() == 1
    with pytest.raises(IndexError):
        issues[2]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (dict(method="softmin"), [0.3268776681, 0.2380467167]),
        (dict(method="softmin", temperature=0.05), [0.3004474641, 0.2121531750]),
        (dict(method="softmin", temperature=0), [0.3, 0.2]),
        (dict(method="num_pixel_issues"), [1, 0.8333333333]),
    ],
    ids=str,
)
def test_example_a_images(options, expected):
    found = segmentation.get_label_quality_scores(LABELS, PROBS, **options)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_example_a_pixel_scores_and_issues_from_them():
    scores = segmentation.get_pixel_quality_scores(LABELS, PROBS)
    expected = [[[0.8, 0.7, 0.7], [0.3, 0.8, 0.7]], [[0.8, 0.2, 0.6], [0.9, 0.6, 0.3]]]
    np.testing.assert_array_equal(scores, expected)
    images = segmentation.get_label_quality_scores(LABELS, PROBS, method="softmin")
    found = segmentation.issues_from_scores(images, scores, threshold=0.25)
    assert np.argwhere(found).tolist() == [[1, 0, 1]]
    # DIVERGE 13-06: cleanlab gives one image too many.
    assert segmentation.issues_from_scores(images, threshold=0.3).tolist() == [1]
    assert segmentation.issues_from_scores([0.5, 0.9]).tolist() == []
    assert segmentation.issues_from_scores([0.5, 0.05, 0.02, 0.9]).tolist() == [2, 1]
    as_lists = segmentation.issues_from_scores(images, list(scores), threshold=0.25)
    assert [mask.sum() for mask in as_lists] == [0, 1]


def test_example_a_summaries():
    table = segmentation.common_label_issues(LABELS, PROBS)
    assert table.values.tolist() == [[2, 0, 1]]
    issues = segmentation.find_pixel_issues(LABELS, PROBS)
    for wanted, count in ((2, 1), (0, 1), (1, 0), (7, 0)):
        masks = segmentation.filter_by_class(wanted, issues)
        assert sum(mask.sum() for mask in masks) == count
    for exclude in ([2], [0], [(2, 0)]):  # DIVERGE 13-07
        assert not len(segmentation.common_label_issues(LABELS, PROBS, exclude=exclude))
    assert len(segmentation.common_label_issues(LABELS, PROBS, exclude=[(0, 2)])) == 1
    assert not len(segmentation.common_label_issues(LABELS, PROBS, top=0))
    with pytest.raises(InputError, match=r"exclude\[0\]"):
        segmentation.common_label_issues(LABELS, PROBS, exclude=["car"])


def example_b():
    labels = np.array([[[0, 2, 1, 1], [2, 0, 1, 1], [0, 0, 2, 2], [0, 0, 2, 2]]])
    probs = np.full((1, 3, 4, 4), 0.1)
    np.put_along_axis(probs, labels[:, None], 0.8, 1)
    probs[0, :, 2:, 2:] = np.array([0.1, 0.8, 0.1])[:, None, None]
    return labels, probs


@pytest.mark.parametrize("downsample", [1, 2])
def test_example_b_finds_the_block_whatever_the_factor(downsample):
    """DIVERGE 13-04: cleanlab finds nothing with a factor of 2."""
    (found,) = segmentation.find_pixel_issues(*example_b(), downsample=downsample)
    expected = np.zeros((4, 4), dtype=bool)
    expected[2:, 2:] = True
    np.testing.assert_array_equal(found, expected)


def test_downsampled_regions_are_in_pixels_of_the_mask():
    labels, probs = example_b()
    labels, probs = np.tile(labels, (3, 1, 1)), np.tile(probs, (3, 1, 1, 1))
    probs[1:, :, 2:, 2:] = np.array([0.1, 0.1, 0.8])[:, None, None]
    issues = segmentation.find_label_issues(labels, probs, downsample=2, threshold=0.999)
    (row,) = issues.to_frame("part").to_dict("records")
    assert (row["x"], row["y"], row["width"], row["height"], row["area"]) == (2, 2, 2, 2, 4)
    assert (row["example"], row["given"], row["suggested"]) == (0, 2, 1)


def test_a_class_without_pixels_is_never_confident():
    """DIVERGE 13-02: cleanlab's threshold of such a class is 2e-6."""
    labels = np.zeros((1, 1, 4), dtype=int)
    probs = np.zeros((1, 3, 1, 4))
    probs[0, 0] = [0.9, 0.8, 0.9, 0.1]
    probs[0, 2] = [0.1, 0.2, 0.1, 0.9]
    issues = segmentation.find_pixel_issues(labels, probs)
    assert issues.thresholds.tolist() == [pytest.approx(0.675), 2, 2]
    assert not issues[0].any()


def test_a_share_is_of_the_pixels_that_are_labelled():
    """DIVERGE 13-05."""
    labels = np.stack([LABELS[1], np.full((2, 3), 255)]).astype(np.uint8)
    labels[0, 1] = 255
    probs = PROBS[[1, 1]]
    found = segmentation.get_label_quality_scores(
        labels, probs, method="num_pixel_issues", ignore_index=255
    )
    flagged = segmentation.find_pixel_issues(labels, probs, ignore_index=255)
    assert found.tolist() == [1 - flagged[0].sum() / 3, 1.0]
    for method in ("regions", "softmin"):
        scores = segmentation.get_label_quality_scores(
            labels, probs, method=method, ignore_index=[255]
        )
        assert scores[1] == 1.0
