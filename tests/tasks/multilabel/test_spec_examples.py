"""The worked examples of the specification, and the cases where it asks for more than cleanlab."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from goldlabel.errors import DataWarning
from goldlabel.tasks import multilabel

A = [[1], [0, 2]], np.array([[0.1, 0.9, 0.1], [0.4, 0.1, 0.9]])
C = (
    [[0], [0, 1], [0, 1], [2], [0, 2, 3], [], []],
    np.array(
        [
            [0.9, 0.1, 0, 0.4, 0.1],
            [0.7, 0.8, 0.2, 0.3, 0.1],
            [0.9, 0.8, 0.4, 0.2, 0.1],
            [0.1, 0.1, 0.8, 0.3, 0.1],
            [0.4, 0.5, 0.1, 0.1, 0.1],
            [0.1, 0.1, 0.2, 0.1, 0.1],
            [0.8, 0.1, 0.2, 0.1, 0.1],
        ]
    ),
)
D = (
    np.array([list(map(int, "111110000000")), list(map(int, "000111110000"))]).T,
    np.array(
        [
            [0.9, 0.8, 0.7, 0.6, 0.2, 0.1, 0.2, 0.3, 0.9, 0.1, 0.45, 0.85],
            [0.1, 0.3, 0.55, 0.9, 0.8, 0.7, 0.15, 0.6, 0.2, 0.8, 0.1, 0.05],
        ]
    ).T,
)
FLAGS_D = [(4, 0), (6, 1), (8, 0), (9, 1), (11, 0)]


def find(given, **options):
    return multilabel.find_label_issues(*given, **options)


def pairs(found):
    return sorted(zip(found.parts.example.tolist(), found.parts.part.tolist(), strict=True))


@pytest.fixture
def few():
    """Class 3 of example C has one example."""
    with pytest.warns(DataWarning, match="no more than 1 example each.*with 3"):
        yield


def test_a_scores():
    cells = multilabel.get_label_quality_scores_per_class(*A)
    np.testing.assert_allclose(cells, [[0.9, 0.9, 0.9], [0.4, 0.9, 0.9]])
    np.testing.assert_allclose(multilabel.get_label_quality_scores(*A), [0.9, 0.5])
    entropy = {"method": "confidence_weighted_entropy"}
    np.testing.assert_allclose(
        multilabel.get_label_quality_scores_per_class(*A, **entropy),
        [[0.8048989459] * 3, [0.5074594331, 0.8048989459, 0.8048989459]],
        atol=1e-9,
    )
    np.testing.assert_allclose(
        multilabel.get_label_quality_scores(*A, **entropy), [0.8048989459, 0.5669473357], atol=1e-9
    )
    cells = multilabel.get_label_quality_scores_per_class(*A, adjust_pred_probs=True)
    np.testing.assert_allclose(cells, [[0.6, 0.9, 0.9], [0.6, 0.9, 0.9]])
    scores = multilabel.get_label_quality_scores(*A, adjust_pred_probs=True)
    np.testing.assert_allclose(scores, [0.66, 0.66])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 0.15312),
        ({"alpha": None}, 0.4358024691),
        ({"alpha": 0}, 0.9),
        ({"alpha": 1}, 0.1),
        ({"aggregator": "softmin"}, 0.1281177435),
        ({"aggregator": "softmin", "temperature": 0.05}, 0.1036230585),
    ],
)
def test_b_pooling(options, expected):
    scores = np.array([[0.6, 0.3, 0.7, 0.1, 0.9]])
    pooled = multilabel.get_label_quality_scores(np.ones((1, 5), int), scores, **options)
    np.testing.assert_allclose(pooled, [expected], atol=1e-9)


def test_c_thresholds_and_joint():
    np.testing.assert_allclose(
        multilabel.class_thresholds(*C),
        [[2 / 3, 0.725], [0.82, 0.8], [0.8, 0.45], [4.6 / 6, 0.1], [0.9, 2]],
    )
    raw = [
        [[2, 1], [0, 2]],
        [[4, 0], [0, 2]],
        [[4, 0], [1, 1]],
        [[3, 3], [1, 1]],
        [[7, 0], [0, 1]],
    ]
    np.testing.assert_array_equal(multilabel.confident_joint(*C, calibrate=False), raw)
    calibrated = [
        [[2, 1], [0, 4]],
        [[5, 0], [0, 2]],
        [[5, 0], [1, 1]],
        [[3, 3], [0, 1]],
        [[7, 0], [0, 0]],
    ]
    np.testing.assert_array_equal(multilabel.confident_joint(*C), calibrated)


def test_c_issues(few):
    found = find(C)
    assert pairs(found) == [(4, 2), (6, 0)]
    np.testing.assert_allclose(
        found.scores, [0.66016, 0.70416, 0.6408, 0.724, 0.11344, 0.82, 0.324]
    )
    assert found.ranked().tolist() == [4, 6]
    assert found.parts.kinds == ("missing label", "spurious label")
    assert found.to_frame("part")["kind"].tolist() == ["spurious label", "missing label"]
    assert pairs(find(C, filter_by="confident_learning")) == [(4, 2), (4, 3), (6, 0)]


def test_c_summaries(few):
    health = multilabel.health_summary(*C)
    assert health.health_score == pytest.approx(0.7142857143)
    first = health.common_table.head(2)
    assert first[["class", "in_given_label", "num_examples"]].values.tolist() == [
        [0, False, 1],
        [2, True, 1],
    ]
    np.testing.assert_allclose(first["issue_probability"], [1 / 7, 1 / 7])


def test_d():
    np.testing.assert_allclose(multilabel.class_thresholds(*D), [[0.5857142857, 0.64], [0.7, 0.63]])
    np.testing.assert_array_equal(
        multilabel.confident_joint(*D, calibrate=False), [[[4, 2], [1, 3]], [[5, 1], [1, 3]]]
    )
    np.testing.assert_array_equal(
        multilabel.confident_joint(*D), [[[5, 2], [1, 4]], [[6, 1], [1, 4]]]
    )
    for filter_by in ("prune_by_noise_rate", "prune_by_class", "both", "confident_learning"):
        assert pairs(find(D, filter_by=filter_by)) == FLAGS_D
    assert pairs(find(D, filter_by="predicted_neq_given")) == sorted([*FLAGS_D, (2, 1)])
    assert pairs(find(D, frac_noise=0.5)) == [(8, 0)]
    found = find(D)
    assert found.ranked().tolist() == [8, 6, 11, 4, 9]
    np.testing.assert_allclose(
        found.scores, [0.9, 0.72, 0.5, 0.66, 0.32, 0.74, 0.28, 0.62, 0.24, 0.34, 0.62, 0.31]
    )


# DIVERGE entries


def test_diverge_02_thresholds_by_class_and_value():
    thresholds = np.array([[0.6, 0.6], [0.7, 0.5]])
    both = multilabel.confident_joint(*D, thresholds=thresholds)
    own = multilabel.class_thresholds(*D)
    one = multilabel.confident_joint(*D, thresholds=thresholds[:, 1])
    own[:, 1] = thresholds[:, 1]
    np.testing.assert_array_equal(one, multilabel.confident_joint(*D, thresholds=own))
    assert both.shape == one.shape == (2, 2, 2)


@pytest.mark.parametrize("filter_by", ["prune_by_noise_rate", "prune_by_class", "both"])
def test_diverge_03_number_to_remove_means_examples_given_the_class(filter_by):
    found = find(D, filter_by=filter_by, num_to_remove_per_class=[1, 2])
    assert pairs(found) == [(4, 0), (6, 1)]  # a third of class 1 is what the model agrees with
    assert (found.parts.given == 1).all()
    found = find(D, filter_by=filter_by, num_to_remove_per_class=[[1, 0], [1, 1]])
    assert pairs(found) == [(6, 1), (8, 0), (9, 1)]


def test_diverge_04_shares_of_counts_are_not_cut_by_rounding():
    """0.7 of 10 is 7, whatever 10 * 0.7 comes to in floats."""
    labels = np.zeros((40, 1), int)
    labels[:20] = 1
    probs = np.full((40, 1), 0.1)
    probs[10:20] = 0.9
    joint = [[[20, 0], [10, 10]]]
    for share in np.arange(1, 10) / 10:
        found = find((labels, probs), confident_joint=joint, frac_noise=share)
        assert len(found.parts) == round(10 * share)


def test_diverge_05_ranked_ascending():
    labels = np.ones((3, 1), int)
    found = find((labels, np.array([[0.3], [0.1], [0.2]])), filter_by="predicted_neq_given")
    assert found.ranked().tolist() == [1, 2, 0]


def test_diverge_07_sure_and_right_scores_one():
    scores = multilabel.get_label_quality_scores_per_class(
        [[0], [0], [0], []],
        [[1.0], [1 - 1e-9], [1 - 1e-6], [0.0]],
        method="confidence_weighted_entropy",
    )
    assert (scores > 0.9999).all()


def test_diverge_08_09_noise_by_the_examples_given_the_class():
    n = 49  # where int(1 / 49 * 49) is 0
    labels = np.zeros((n, 1), int)
    labels[:4] = 1
    probs = np.where(labels, 0.9, 0.1)
    probs[0] = 0.05
    table = multilabel.summarize(labels, probs)
    assert table[["label_issues", "inverse_label_issues"]].values.tolist() == [[1, 0]]
    assert table["label_noise"].tolist() == [0.25]
    assert table["label_quality_score"].tolist() == [0.75]
    common = multilabel.common_label_issues(labels, probs)
    assert common["num_examples"].tolist() == [1, 0]
    assert common["issue_probability"].tolist() == [1 / 49, 0]


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize(
    "filter_by", ["prune_by_noise_rate", "predicted_neq_given", "low_self_confidence"]
)
def test_diverge_10_a_class_that_nobody_or_everybody_has(value, filter_by):
    labels = np.array([[value, 0], [value, 1], [value, 0], [value, 1], [value, 1]])
    probs = np.array([[0.4, 0.1], [0.6, 0.9], [0.3, 0.8], [0.2, 0.7], [0.9, 0.6]])
    found = find((labels, probs), filter_by=filter_by)
    assert np.isfinite(found.scores).all()
    thresholds = multilabel.class_thresholds(labels, probs)
    assert thresholds[0, 1 - value] == 2
    joint = multilabel.confident_joint(labels, probs)
    assert joint[0].sum() == 5
    assert joint[0, 1 - value].sum() == 0


def test_diverge_11_no_labels_at_all():
    found = find(([[], [], []], np.full((3, 2), 0.2)))
    assert found.num_issues == 0
    np.testing.assert_allclose(found.scores, 0.8)


@pytest.mark.parametrize("value", [0, 1])
def test_diverge_12_one_class_and_labels_all_alike(value):
    labels = np.full((4, 1), value)
    scores = multilabel.get_label_quality_scores(labels, np.full((4, 1), 0.25))
    np.testing.assert_allclose(scores, 0.25 if value else 0.75)


@pytest.mark.parametrize(
    "labels",
    [
        ((1,), (0, 2)),
        [np.array([1]), np.array([0, 2])],
        np.array([[1], [0, 2]], dtype=object),
        [{1}, {2, 0}],
        [[1, 1], [0, 2, 2]],
        np.array([[0, 1, 0], [1, 0, 1]]),
        np.array([[False, True, False], [True, False, True]]),
        sparse.csr_matrix([[0, 1, 0], [1, 0, 1]]),
    ],
    ids=str,
)
def test_diverge_13_any_sequence(labels):
    np.testing.assert_allclose(multilabel.get_label_quality_scores(labels, A[1]), [0.9, 0.5])


def test_edges():
    empty = find((np.zeros((0, 3), int), np.zeros((0, 3))))
    assert len(empty) == 0
    assert empty.scores.shape == (0,)
    assert empty.ranked().dtype == np.int64
    assert multilabel.num_label_issues([], np.zeros((0, 2))) == 0
    slack = [[1 + 5e-7, -5e-7]]
    for method in ("self_confidence", "confidence_weighted_entropy"):
        score = multilabel.get_label_quality_scores([[0]], slack, method=method)
        np.testing.assert_allclose(score, 1, atol=1e-4)
        assert score <= 1


def test_unknown_annotations_are_left_out():
    """Section 8.3: out of thresholds, joint, selection and pooling."""
    labels, probs = D[0].astype(float), D[1]
    more = np.vstack([labels, np.full((1, 2), np.nan), [[np.nan, 1]]])
    rows = np.vstack([probs, [[0.9, 0.0]], [[0.0, 0.64]]])
    found = find((more, rows))
    assert pairs(found) == FLAGS_D
    np.testing.assert_allclose(found.scores[-2:], [1, 0.64])
    np.testing.assert_allclose(multilabel.class_priors(more, rows)[0], [7 / 12, 5 / 12])


def test_priors():
    np.testing.assert_allclose(multilabel.class_priors(*C)[:2], [[3 / 7, 4 / 7], [5 / 7, 2 / 7]])
