"""Confident learning against cleanlab: thresholds, joint, counts, filters.

Everything is compared twice, once for the package and once for the slow twin in
``tests/support/reference.py``, so that the twin can be trusted too (fixture `ours`). Where the two
packages are meant to differ, the test names the DIVERGE entry of the specification and says what
still holds.
"""

from __future__ import annotations

import numpy as np
import pytest
import reference
import strategies
from hypothesis import assume, given, settings

FILTERS, PRUNING = reference.FILTERS, reference.PRUNING


def tolerance(probs, double=1e-9):
    return double if probs.dtype == np.float64 else 2e-6


def any_set(**limits):
    return strategies.labeled_rows(min_n=2, min_k=2, **limits)


def two_given(labels):
    """DIVERGE 1-04: cleanlab takes no set with one class only."""
    assume(len(np.unique(labels)) > 1)


def absent(labels, probs):
    return np.bincount(labels, minlength=probs.shape[1]) == 0


# Thresholds, joint, counts


def check_joint(cleanlab, ours, labels, probs):
    count = cleanlab.count
    present = ~absent(labels, probs)
    np.testing.assert_allclose(
        ours.class_thresholds(labels, probs)[present],
        count.get_confident_thresholds(labels, probs)[present],
        atol=tolerance(probs, 1e-12),
    )
    counted, off = count.compute_confident_joint(
        labels, probs, calibrate=False, return_indices_of_off_diagonals=True
    )
    np.testing.assert_array_equal(ours.confident_joint(labels, probs, calibrate=False), counted)
    assert reference.off_diagonal(labels, probs) == list(off)
    calibrated = ours.confident_joint(labels, probs)
    theirs = count.compute_confident_joint(labels, probs)
    np.testing.assert_array_equal(calibrated.sum(axis=1), theirs.sum(axis=1))
    # DIVERGE 1-10: halves and equal remainders.
    assert np.abs(calibrated - theirs).max() <= 1
    if not rounding_ties(counted, labels):
        np.testing.assert_array_equal(calibrated, theirs)
    assert ours.num_label_issues(labels, probs) == count.num_label_issues(labels, probs)
    # The same joint in both, so that no tie is left.
    assert ours.num_label_issues(
        labels, probs, method="off_diagonal_calibrated"
    ) == count.num_label_issues(
        labels, probs, confident_joint=calibrated, estimation_method="off_diagonal_custom"
    )


def rounding_ties(counted, labels):
    counts = np.bincount(labels, minlength=len(counted))
    return any(map(reference.has_rounding_tie, counted, counts))


def test_joint_made_up(cleanlab, ours, made_up):
    check_joint(cleanlab, ours, *made_up)


def test_joint_real(cleanlab, ours, real):
    check_joint(cleanlab, ours, *real)


@given(any_set(dtypes=(np.float64,)))  # DIVERGE 1-07: float32 means
@settings(max_examples=60)
def test_joint_of_anything(cleanlab, ours, drawn):
    two_given(drawn[0])
    check_joint(cleanlab, ours, *drawn)


@pytest.mark.parametrize("calibrate", [False, True])
def test_joint_with_given_thresholds(cleanlab, ours, made_up, calibrate):
    labels, probs = made_up
    cuts = np.linspace(0.2, 0.7, probs.shape[1])
    theirs = cleanlab.count.compute_confident_joint(
        labels, probs, thresholds=cuts, calibrate=calibrate
    )
    got = ours.confident_joint(labels, probs, thresholds=cuts, calibrate=calibrate)
    np.testing.assert_array_equal(got.sum(axis=1), theirs.sum(axis=1))
    if not calibrate:
        np.testing.assert_array_equal(got, theirs)


# Filters


def quotas_of(labels, probs, joint, **options):
    counts = np.bincount(labels, minlength=probs.shape[1])
    return reference.prune_counts(reference.calibrate_joint(joint, counts), counts, **options)


def tied_at_a_cut(labels, probs, quotas, filter_by):
    """Rows that a selection may take or leave, as others have the same key (DIVERGE 1-21)."""
    tied = np.zeros(len(labels), dtype=bool)
    wide, slack = probs.astype(np.float64), tolerance(probs, 1e-12)
    for c in range(probs.shape[1]):
        rows = np.flatnonzero(labels == c)
        for j in range(probs.shape[1]):
            if j == c:
                quota, keys = len(rows) - quotas[c, c], wide[rows, c]
            else:
                quota, keys = quotas[j, c], wide[rows, c] - wide[rows, j]
            wanted = filter_by == "both" or (j == c) == (filter_by == "prune_by_class")
            if wanted and 0 < quota < len(rows):
                tied[rows[np.abs(keys - np.sort(keys)[quota - 1]) <= slack]] = True
    return tied


def tied_at_the_lowest(labels, probs, filter_by):
    scores = reference.label_quality(labels, probs, reference.LOWEST[filter_by])
    count = reference.num_label_issues(labels, probs)
    if not 0 < count < len(scores):
        return np.zeros(len(scores), dtype=bool)
    return np.abs(scores - np.sort(scores)[count - 1]) <= tolerance(probs, 1e-12)


def check_filter(cleanlab, ours, labels, probs, filter_by):
    joint = ours.confident_joint(labels, probs)
    # DIVERGE 1-10: they get our joint, so that no rounding tie is left.
    shared = {"confident_joint": joint} if filter_by in PRUNING else {}
    theirs = cleanlab.filter.find_label_issues(
        labels, probs, filter_by=filter_by, n_jobs=1, **shared
    )
    differ = ours.label_issues(labels, probs, filter_by=filter_by) != theirs
    if filter_by in PRUNING:
        quotas = quotas_of(labels, probs, joint)
        # DIVERGE 1-19: without one example on the diagonal, shares are taken in proportion.
        raised = np.isin(labels, np.flatnonzero(np.diag(joint) == 0))
        differ &= ~raised & ~tied_at_a_cut(labels, probs, quotas, filter_by)
    elif filter_by in reference.LOWEST:
        differ &= ~tied_at_the_lowest(labels, probs, filter_by)
    assert not differ.any(), np.flatnonzero(differ)


@pytest.mark.parametrize("filter_by", FILTERS)
def test_filter_made_up(cleanlab, ours, made_up, filter_by):
    check_filter(cleanlab, ours, *made_up, filter_by)


@pytest.mark.parametrize("filter_by", FILTERS)
def test_filter_of_anything(cleanlab, ours, filter_by):
    @given(any_set())
    @settings(max_examples=60)
    def check(drawn):
        two_given(drawn[0])
        check_filter(cleanlab, ours, *drawn, filter_by)

    check()


@pytest.mark.parametrize("filter_by", FILTERS)
def test_filter_real(cleanlab, ours, real, filter_by):
    check_filter(cleanlab, ours, *real, filter_by)


@pytest.mark.parametrize("filter_by", FILTERS)
def test_filter_cifar10(cleanlab, ours, data, filter_by):
    """Nothing is handed over and nothing tied: all flags are equal as each finds them."""
    labels, probs = strategies.load_real(data, "cifar10_test")
    theirs = cleanlab.filter.find_label_issues(labels, probs, filter_by=filter_by, n_jobs=1)
    np.testing.assert_array_equal(ours.label_issues(labels, probs, filter_by=filter_by), theirs)


@pytest.mark.parametrize("rank_by", ["self_confidence", "normalized_margin"])
@pytest.mark.parametrize("filter_by", ["prune_by_noise_rate", "confident_learning"])
def test_ranking_cifar10(cleanlab, ours, data, filter_by, rank_by):
    labels, probs = strategies.load_real(data, "cifar10_test")
    theirs = cleanlab.filter.find_label_issues(
        labels, probs, filter_by=filter_by, return_indices_ranked_by=rank_by, n_jobs=1
    )
    got = ours.ranked(labels, probs, filter_by, rank_by)
    # By score: equal ones come in any order in theirs (DIVERGE 1-21).
    scores = reference.label_quality(labels, probs, rank_by)
    np.testing.assert_allclose(scores[got], scores[theirs], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(np.sort(got), np.sort(theirs))


@pytest.mark.parametrize(
    "options",
    [
        dict(min_examples_per_class=0),
        dict(min_examples_per_class=12),
        dict(frac_noise=0.5),
        dict(frac_noise=0.13),
        dict(num_to_remove_per_class=3),
    ],
)
@pytest.mark.parametrize("filter_by", PRUNING)
def test_filter_with_quotas(cleanlab, ours, made_up, filter_by, options):
    """DIVERGE 1-15, 1-16, 1-18, 1-19: they get our quotas as a joint that needs no change."""
    labels, probs = made_up
    quotas = quotas_of(labels, probs, ours.confident_joint(labels, probs), **options)
    theirs = cleanlab.filter.find_label_issues(
        labels,
        probs,
        filter_by=filter_by,
        confident_joint=quotas.T,
        min_examples_per_class=options.get("min_examples_per_class", 1),
        n_jobs=1,
    )
    if options.get("min_examples_per_class") == 0:
        # DIVERGE 1-20: theirs never flags the only member of a class.
        single = np.bincount(labels, minlength=probs.shape[1]) == 1
        theirs |= single[labels] & reference.label_issues(
            labels, probs, filter_by=filter_by, **options
        )
    got = ours.label_issues(labels, probs, filter_by=filter_by, **options)
    np.testing.assert_array_equal(got, theirs)


def test_frac_noise_where_nothing_is_rounded(cleanlab, ours, made_up):
    labels, probs = made_up
    k = probs.shape[1]
    counts = np.bincount(labels, minlength=k)
    joint = np.full((k, k), 2) - 2 * np.eye(k, dtype=int)
    joint[counts < 4 * k] = 0
    joint[np.arange(k), np.arange(k)] = counts - joint.sum(axis=1)
    for filter_by in PRUNING:
        theirs = cleanlab.filter.find_label_issues(
            labels, probs, filter_by=filter_by, confident_joint=joint, frac_noise=0.5, n_jobs=1
        )
        got = ours.label_issues(labels, probs, filter_by=filter_by, joint=joint, frac_noise=0.5)
        np.testing.assert_array_equal(got, theirs)


def test_num_to_remove_by_class(cleanlab, ours):
    """Along the given class theirs is right (DIVERGE 1-15 is about the other filters)."""
    labels, probs = strategies.realistic(11, n=400, k=3, noise=0.3)
    wanted = [2, 5, 9]
    joint = ours.confident_joint(labels, probs)
    theirs = cleanlab.filter.find_label_issues(
        labels,
        probs,
        filter_by="prune_by_class",
        num_to_remove_per_class=wanted,
        confident_joint=joint,
        n_jobs=1,
    )
    got = ours.label_issues(
        labels, probs, filter_by="prune_by_class", num_to_remove_per_class=wanted
    )
    np.testing.assert_array_equal(got, theirs)
    assert np.bincount(labels[got]).tolist() == wanted
