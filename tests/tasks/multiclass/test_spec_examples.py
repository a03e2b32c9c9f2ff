"""The worked examples of the specification of confident learning, figure by figure."""

from __future__ import annotations

import numpy as np
import pytest
import reference

from goldlabel.errors import DataWarning
from goldlabel.learning import calibration
from goldlabel.tasks import multiclass

FILTERS = reference.FILTERS

ONE = (
    [0, 0, 0, 0, 1, 1, 1, 2, 2, 2],
    np.array(
        [
            [0.80, 0.15, 0.05],
            [0.70, 0.20, 0.10],
            [0.60, 0.30, 0.10],
            [0.10, 0.80, 0.10],
            [0.20, 0.70, 0.10],
            [0.10, 0.85, 0.05],
            [0.65, 0.25, 0.10],
            [0.10, 0.20, 0.70],
            [0.05, 0.35, 0.60],
            [0.30, 0.45, 0.25],
        ]
    ),
)
TWO = (
    [0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2],
    np.array(
        [
            [0.05, 0.40, 0.55],
            [0.10, 0.70, 0.20],
            [0.30, 0.65, 0.05],
            [0.10, 0.65, 0.25],
            [0.10, 0.40, 0.50],
            [0.05, 0.85, 0.10],
            [0.25, 0.10, 0.65],
            [0.55, 0.25, 0.20],
            [0.15, 0.55, 0.30],
            [0.30, 0.05, 0.65],
            [0.20, 0.15, 0.65],
            [0.55, 0.15, 0.30],
            [0.15, 0.35, 0.50],
            [0.10, 0.20, 0.70],
        ]
    ),
)
FOUR = (
    [0, 0, 2, 2],
    np.array([[0.9, 0, 0.1, 0], [0.8, 0, 0.2, 0], [0.1, 0, 0.9, 0], [0.95, 0, 0.05, 0]]),
)


def flagged(example, **options):
    return np.flatnonzero(multiclass.find_label_issues(*example, **options).is_issue).tolist()


# Example 1


def test_one_joint():
    np.testing.assert_allclose(multiclass.class_thresholds(*ONE), [0.55, 0.6, 0.516667], atol=1e-6)
    counted = multiclass.confident_joint(*ONE, calibrate=False)
    assert counted.tolist() == [[3, 1, 0], [1, 2, 0], [0, 0, 2]]
    assert multiclass.confident_joint(*ONE).tolist() == [[3, 1, 0], [1, 2, 0], [0, 0, 3]]
    assert multiclass.num_label_issues(*ONE) == 2
    assert multiclass.num_label_issues(*ONE, method="off_diagonal_calibrated") == 2
    custom = multiclass.num_label_issues(
        *ONE, method="off_diagonal_custom", confident_joint=counted
    )
    assert custom == 2


@pytest.mark.parametrize("py_method", ["cnt", "eqn", "marginal", "marginal_ps"])
def test_one_noise(py_method):
    py, noise_matrix, inverse = multiclass.estimate_noise(*ONE, py_method=py_method)
    np.testing.assert_allclose(py, [0.4, 0.3, 0.3], atol=1e-6)
    expected = [[0.75, 1 / 3, 0], [0.25, 2 / 3, 0], [0, 0, 1]]
    np.testing.assert_allclose(noise_matrix, expected, atol=1e-6)
    np.testing.assert_allclose(inverse, expected, atol=1e-6)


@pytest.mark.parametrize("filter_by", FILTERS)
def test_one_filters(filter_by):
    expected = [3, 6, 9] if filter_by == "predicted_neq_given" else [3, 6]
    assert flagged(ONE, filter_by=filter_by) == expected


@pytest.mark.parametrize("filter_by", reference.PRUNING)
@pytest.mark.filterwarnings("ignore::goldlabel.errors.DataWarning")
def test_one_min_examples(filter_by):
    assert flagged(ONE, filter_by=filter_by, min_examples_per_class=3) == [3]
    assert flagged(ONE, filter_by=filter_by, min_examples_per_class=4) == []


def test_one_uncalibrated_joint_is_calibrated_first():
    """DIVERGE 1-17: cleanlab takes the raw joint as quotas and flags 9 too."""
    counted = multiclass.confident_joint(*ONE, calibrate=False)
    assert flagged(ONE, filter_by="prune_by_class", confident_joint=counted) == [3, 6]


def test_one_argmax_confusion():
    """The baseline without thresholds is a given joint."""
    labels, probs = ONE
    confusion = np.zeros((3, 3), dtype=int)
    np.add.at(confusion, (labels, probs.argmax(axis=1)), 1)
    assert flagged(ONE, filter_by="prune_by_class", confident_joint=confusion) == [3, 6, 9]


@pytest.mark.parametrize(
    ("method", "adjust", "expected"),
    [
        ("self_confidence", False, [0.8, 0.7, 0.6, 0.1, 0.7, 0.85, 0.25, 0.7, 0.6, 0.25]),
        (
            "normalized_margin",
            False,
            [0.825, 0.75, 0.65, 0.15, 0.75, 0.875, 0.3, 0.75, 0.625, 0.4],
        ),
        (
            "confidence_weighted_entropy",
            False,
            "0.758691 0.685034 0.631027 0.329976 0.685034 0.795476 0.453818 0.685034 0.648804 "
            "0.408268",
        ),
        (
            "self_confidence",
            True,
            "0.75 0.661765 0.573529 0.132353 0.617647 0.75 0.220588 0.691176 0.602941 0.294118",
        ),
    ],
)
def test_one_scores(method, adjust, expected):
    scores = multiclass.get_label_quality_scores(*ONE, method=method, adjust_pred_probs=adjust)
    expected = np.array(expected.split() if isinstance(expected, str) else expected, dtype=float)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-6)


def test_one_tables():
    table = multiclass.summarize(*ONE)
    assert table["class"].tolist() == [1, 0, 2]
    np.testing.assert_allclose(table["label_noise"], [1 / 3, 0.25, 0])
    pairs = multiclass.overlapping_classes(*ONE)
    assert pairs.iloc[0].tolist() == [0, 1, pytest.approx(0.2), 2]
    assert multiclass.health_summary(*ONE).health_by_count == pytest.approx(0.8)


# Example 2


def test_two_joint():
    np.testing.assert_allclose(multiclass.class_thresholds(*TWO), [0.13, 0.4375, 0.56])
    counted = multiclass.confident_joint(*TWO, calibrate=False)
    assert counted.tolist() == [[1, 3, 0], [1, 2, 1], [2, 0, 3]]
    assert multiclass.confident_joint(*TWO).tolist() == [[1, 4, 0], [1, 2, 1], [2, 0, 3]]
    assert multiclass.num_label_issues(*TWO) == 6
    assert multiclass.num_label_issues(*TWO, method="off_diagonal_calibrated") == 8


@pytest.mark.parametrize(
    ("filter_by", "expected"),
    [
        ("prune_by_noise_rate", [0, 1, 2, 3, 6, 7, 11]),
        ("prune_by_class", [0, 1, 3, 4, 6, 7, 11]),
        ("both", [0, 1, 3, 6, 7, 11]),
        ("confident_learning", [1, 2, 3, 6, 7, 11]),
        ("predicted_neq_given", [0, 1, 2, 3, 4, 6, 7, 11]),
        ("low_normalized_margin", [0, 1, 2, 3, 4, 6]),
        ("low_self_confidence", [0, 1, 3, 4, 6, 7]),
    ],
)
def test_two_filters_all_differ(filter_by, expected):
    assert flagged(TWO, filter_by=filter_by) == expected


@pytest.mark.parametrize(
    ("rank_by", "expected"),
    [
        ("self_confidence", [0, 1, 3, 6, 7, 2, 11]),
        ("normalized_margin", [1, 3, 6, 0, 2, 7, 11]),
        ("confidence_weighted_entropy", [0, 3, 6, 1, 7, 11, 2]),
    ],
)
def test_two_ranking(rank_by, expected):
    assert multiclass.find_label_issues(*TWO, rank_by=rank_by).ranked().tolist() == expected


def test_two_health_has_two_names():
    """DIVERGE 1-27."""
    health = multiclass.health_summary(*TWO)
    assert health.health_by_count == pytest.approx(8 / 14)
    assert health.health_by_joint == pytest.approx(6 / 14)


# Example 3


def test_three_given_joint():
    labels = np.repeat([0, 1, 2], (60, 70, 70))
    probs = np.eye(3)[labels]
    counted = [[30, 10, 2], [5, 40, 5], [1, 3, 50]]
    calibrated = [[43, 14, 3], [7, 56, 7], [1, 4, 65]]
    joint = multiclass.estimate_joint(labels, probs, confident_joint=counted)
    np.testing.assert_allclose(joint, np.array(calibrated) / 200)
    assert (
        multiclass.num_label_issues(
            labels, probs, method="off_diagonal_custom", confident_joint=counted
        )
        == 36
    )


# Example 4


def test_four_absent_classes():
    assert multiclass.class_thresholds(*FOUR).tolist() == pytest.approx([0.85, 2, 0.475, 2])
    counted = multiclass.confident_joint(*FOUR, calibrate=False)
    assert counted.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]]
    calibrated = multiclass.confident_joint(*FOUR)
    assert calibrated.tolist() == [[2, 0, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]
    py, _, _ = multiclass.estimate_noise(*FOUR, converge=False)
    np.testing.assert_allclose(py, [0.7499985, 1e-6, 0.2499995, 1e-6], rtol=1e-5)


@pytest.mark.parametrize("filter_by", FILTERS)
def test_four_filters(filter_by):
    assert flagged(FOUR, filter_by=filter_by) == [3]


# Example 5


def test_five_ensemble():
    labels = [0, 1, 1, 0]
    models = [
        [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]],
        [[0.6, 0.4], [0.4, 0.6], [0.7, 0.3], [0.3, 0.7]],
    ]
    scores = multiclass.get_label_quality_ensemble_scores(labels, models)
    np.testing.assert_allclose(scores, [0.78, 0.72, 0.48, 0.30])


# Small sets that the text gives along the way


def test_guess_among_all_classes_or_the_confident_ones():
    """DIVERGE 1-08."""
    cuts = [0.9, 0.1, 0.1]
    labels, probs = [0, 1, 2], [[0.6, 0.2, 0.2]] * 3
    over_all = multiclass.confident_joint(labels, probs, thresholds=cuts, calibrate=False)
    assert over_all.tolist() == [[1, 0, 0], [1, 1, 0], [1, 0, 1]]
    confident = multiclass.confident_joint(
        labels, probs, thresholds=cuts, calibrate=False, guess="confident_only"
    )
    assert confident.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 1]]


def test_counting_and_calibrated_count_differ_either_way():
    """DIVERGE 1-14."""
    example = ([0, 0, 0, 1, 1, 1, 1], [[0.1, 0.9]] * 7)
    assert multiclass.confident_joint(*example, calibrate=False).tolist() == [[1, 3], [0, 4]]
    assert multiclass.num_label_issues(*example) == 3
    assert multiclass.num_label_issues(*example, method="off_diagonal_calibrated") == 2
    assert type(multiclass.num_label_issues(*example)) is int


def test_entropy_of_sure_rows():
    """DIVERGE 1-24."""
    probs = [[1, 0], [1, 0], [0.99, 0.01], [0.5, 0.5]]
    scores = multiclass.get_label_quality_scores(
        [0, 1, 0, 0], probs, method="confidence_weighted_entropy"
    )
    np.testing.assert_allclose(scores, [0.99998931, 0.14540437, 0.96128783, 0.54930614], atol=1e-8)


def test_agreement_within_slack():
    """Section 11: the slack decides for the given label, argmax alone for the lowest."""
    example = ([1, 0], [[0.5, 0.5], [0.9, 0.1]])
    assert flagged(example, filter_by="predicted_neq_given") == []
    assert flagged(example, filter_by="low_normalized_margin") == []


def test_one_class_and_no_examples():
    """DIVERGE 1-04."""
    for given in (0, 1):
        for filter_by in FILTERS:
            with_one = ([given] * 3, [[0.4, 0.6], [0.7, 0.3], [0.5, 0.5]])
            if filter_by == "predicted_neq_given":
                continue  # says what it says
            assert flagged(with_one, filter_by=filter_by) == [], filter_by
    assert flagged(([], np.empty((0, 2)))) == []


def test_singular_noise_matrix():
    """DIVERGE 1-11."""
    labels, probs = [0, 0, 1, 1], [[0.6, 0.4], [0.4, 0.6], [0.6, 0.4], [0.4, 0.6]]
    with pytest.warns(DataWarning, match="singular"):
        py, _, _ = multiclass.estimate_noise(
            labels, probs, py_method="eqn", confident_joint=[[1, 1], [1, 1]]
        )
    np.testing.assert_allclose(py, [0.5, 0.5])


def test_round_rows_examples_keep_their_sums():
    """Section 3.4; which of equals is rounded up is DIVERGE 1-10's rule."""
    for row, total in [([1.5, 1.5, 1.0], 4), ([1.2, 1.2, 1.2, 1.4], 5), ([1.1] * 10, 11)]:
        matrix = np.zeros((len(row), len(row)))
        matrix[0] = row
        assert calibration.round_rows(matrix)[0].sum() == total
