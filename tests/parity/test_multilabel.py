"""Multilabel data against cleanlab: per-class joints, filters, scores, pooling, summaries.

Compared twice where it matters, for the package and for the slow twin in
``tests/support/multilabel_reference.py``, so that the twin can be trusted too. Where the two
packages are meant to differ, the test names the DIVERGE entry of the specification.
"""

from __future__ import annotations

import warnings

import multilabel_reference as reference
import numpy as np
import pytest
import strategies
from hypothesis import assume, given, settings

from goldlabel.tasks import multilabel

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import cleanlab.count
    import cleanlab.filter
    import cleanlab.internal.multilabel_scorer as scorer
    import cleanlab.internal.multilabel_utils as utils
    import cleanlab.multilabel_classification as theirs
    import cleanlab.multilabel_classification.dataset as dataset
    import cleanlab.multilabel_classification.filter as per_class
    import cleanlab.multilabel_classification.rank as rank

pytestmark = pytest.mark.filterwarnings("ignore")

SETS = [
    pytest.param(dict(seed=0), id="six classes"),
    pytest.param(dict(seed=1, n=120, k=3, noise=0.3), id="noisy"),
    pytest.param(dict(seed=2, n=400, k=9, density=0.1), id="sparse"),
    pytest.param(dict(seed=3, n=300, k=4, noise=0.01), id="clean"),
    pytest.param(dict(seed=4, k=2), id="two classes"),
    pytest.param(dict(seed=5, dtype=np.float32), id="float32"),
]


@pytest.fixture(params=SETS)
def made_up(request):
    return strategies.realistic_cells(**request.param)


@pytest.fixture(scope="session")
def emotions(data):
    folder = data / "multilabel" / "emotions"
    labels = np.load(folder / "labels.npz", allow_pickle=False)["given_labels"]
    return labels, np.load(folder / "pred_probs.npy")


def lists(labels):
    return [np.flatnonzero(row).tolist() for row in labels]


def mask(found, shape):
    chosen = np.zeros(shape, dtype=bool)
    chosen[found.parts.example, found.parts.part] = True
    return chosen


def halves(labels, probs):
    """DIVERGE 10-01: classes whose joint scales to a half, which cleanlab rounds by chance."""
    joint = reference.confident_joint(labels, probs, calibrate=False)
    off = np.stack([joint[:, 0, 1], joint[:, 1, 0]], axis=1) * reference.counts(labels)
    return (2 * off % joint.sum(axis=2) == 0).any(axis=1) & (off % joint.sum(axis=2) != 0).any(
        axis=1
    )


def check_joint(labels, probs):
    found = cleanlab.count.compute_confident_joint(lists(labels), probs, multi_label=True)
    plain = ~halves(labels, probs)
    for joint in (
        multilabel.confident_joint(labels, probs),
        reference.confident_joint(labels, probs),
    ):
        np.testing.assert_array_equal(joint[plain], found[plain])
        assert np.abs(joint - found).max() <= 1
    raw = cleanlab.count.compute_confident_joint(
        lists(labels), probs, multi_label=True, calibrate=False
    )
    np.testing.assert_array_equal(multilabel.confident_joint(labels, probs, calibrate=False), raw)


def check_filter(labels, probs, filter_by, **options):
    """The same cells with the same joint, whatever the ties of its rounding."""
    joint = multilabel.confident_joint(labels, probs)
    given = {"confident_joint": joint} if filter_by in reference.PRUNING else {}
    flagged = per_class.find_multilabel_issues_per_class(
        lists(labels), probs, filter_by=filter_by, **given, **options
    )
    found = multilabel.find_label_issues(labels, probs, filter_by=filter_by, **given, **options)
    mine = mask(found, labels.shape)
    differ = mine != flagged
    # DIVERGE 10-05, unstable sorts: what differs has the score of something else at the cut.
    scores = reference.self_confidence(labels, probs)
    for c in np.flatnonzero(differ.any(axis=0)):
        for y in (0, 1):
            rows = differ[:, c] & (labels[:, c] == y)
            tied = np.round(scores[rows, c], 6)
            assert len(np.unique(tied)) <= 1 or filter_by.startswith("low")
            assert mine[rows, c].sum() == flagged[rows, c].sum() or filter_by.startswith("low")
    np.testing.assert_array_equal(
        mask(found, labels.shape), reference.cells(labels, probs, filter_by, **options)
    )
    whole = theirs.filter.find_label_issues(
        lists(labels), probs, filter_by=filter_by, **given, **options
    )
    if not differ.any():
        np.testing.assert_array_equal(found.is_issue, whole)


@pytest.mark.parametrize("filter_by", reference.FILTERS)
def test_filters(made_up, filter_by):
    check_filter(*made_up, filter_by)


@pytest.mark.slow
@pytest.mark.parametrize("filter_by", reference.FILTERS)
def test_filters_on_real_data(emotions, filter_by):
    check_filter(*emotions, filter_by)


@pytest.mark.parametrize("filter_by", reference.PRUNING)
@pytest.mark.parametrize("frac_noise", [0.25, 0.6])
def test_share_of_noise(made_up, filter_by, frac_noise):
    check_filter(*made_up, filter_by, frac_noise=frac_noise)


def test_joint(made_up):
    check_joint(*made_up)


def test_joint_of_real_data(emotions):
    check_joint(*emotions)


@given(strategies.labeled_cells(unknown=False, dtypes=(np.float64,), max_n=24))
@settings(max_examples=100)
def test_joint_of_anything(drawn):
    labels, probs = drawn
    k = labels.shape[1]
    # DIVERGE 10-10 .. 10-12: a class that everybody has, one class, labels all alike.
    assume(k > 1)
    assume(not labels.all(axis=0).any())
    assume(labels.any(axis=1).any())
    check_joint(labels, probs)


@pytest.mark.parametrize("method", ["self_confidence", "normalized_margin"])
@pytest.mark.parametrize("adjust", [False, True])
def test_scores(made_up, method, adjust):
    labels, probs = made_up
    tolerance = 1e-9 if probs.dtype == np.float64 else 1e-5
    expected = theirs.get_label_quality_scores(
        lists(labels), probs, method=method, adjust_pred_probs=adjust
    )
    options = {"method": method, "adjust_pred_probs": adjust}
    found = multilabel.get_label_quality_scores(labels, probs, **options)
    np.testing.assert_allclose(found, expected, atol=tolerance)


def test_entropy_scores(made_up):
    """DIVERGE 10-07: ours is that of the floored row, and rises to 1 for sure and right ones."""
    labels, probs = made_up
    method = "confidence_weighted_entropy"
    expected = rank.get_label_quality_scores_per_class(lists(labels), probs, method=method)
    found = multilabel.get_label_quality_scores_per_class(labels, probs, method=method)
    unsure = (probs > 1e-4) & (probs < 1 - 1e-4)
    np.testing.assert_allclose(found[unsure], expected[unsure], atol=1e-4)


@pytest.mark.parametrize("alpha", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_moving_average(made_up, alpha):
    labels, probs = made_up
    expected = theirs.get_label_quality_scores(
        lists(labels),
        probs,
        aggregator_kwargs={"method": "exponential_moving_average", "alpha": alpha},
    )
    found = multilabel.get_label_quality_scores(labels, probs, alpha=alpha)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.01, 0.1, 1.0])
def test_softmin(made_up, temperature):
    labels, probs = made_up
    expected = theirs.get_label_quality_scores(
        lists(labels),
        probs,
        aggregator_kwargs={"method": "softmin", "temperature": temperature},
    )
    found = multilabel.get_label_quality_scores(
        labels, probs, aggregator="softmin", temperature=temperature
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_priors(made_up):
    labels, probs = made_up
    np.testing.assert_allclose(multilabel.class_priors(labels, probs), scorer.multilabel_py(labels))


def test_number_of_issues(made_up):
    labels, probs = made_up
    assert multilabel.num_label_issues(labels, probs) == cleanlab.count.num_label_issues(
        lists(labels), probs, multi_label=True
    )


def test_common_issues_and_health(made_up):
    """DIVERGE 10-09: counts are whole; probabilities are theirs."""
    labels, probs = made_up
    expected = dataset.common_multilabel_issues(labels=lists(labels), pred_probs=probs)
    found = multilabel.common_label_issues(labels, probs)
    plain = ~halves(labels, probs)
    key = ["class", "in_given_label"]
    theirs_by = expected.rename(
        columns={"Class Index": "class", "In Given Label": "in_given_label"}
    )
    both = found.merge(theirs_by, on=key)
    assert len(both) == len(found) == 2 * labels.shape[1]
    both = both[plain[both["class"]]]
    np.testing.assert_allclose(both["issue_probability"], both["Issue Probability"])
    if not plain.all():
        return
    health = dataset.overall_multilabel_health_score(labels=lists(labels), pred_probs=probs)
    assert multilabel.health_summary(labels, probs).health_score == pytest.approx(health)


def test_ranked_order(made_up):
    """DIVERGE 10-05: theirs is permuted twice; the set is the same, and ours ascends."""
    labels, probs = made_up
    found = multilabel.find_label_issues(labels, probs, filter_by="confident_learning")
    ranked = found.ranked()
    flagged = theirs.filter.find_label_issues(lists(labels), probs, filter_by="confident_learning")
    np.testing.assert_array_equal(np.sort(ranked), np.flatnonzero(flagged))
    assert (np.diff(found.scores[ranked]) >= 0).all()


def test_lists_and_matrix(made_up):
    labels, _ = made_up
    np.testing.assert_array_equal(utils.int2onehot(lists(labels), K=labels.shape[1]), labels)
