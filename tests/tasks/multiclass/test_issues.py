"""find_label_issues and get_label_quality_scores: what must hold whatever the data."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
import reference
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.errors import DataWarning, InputError
from goldlabel.tasks.multiclass import find_label_issues, get_label_quality_scores

FILTERS, PRUNING, SCORES = reference.FILTERS, reference.PRUNING, reference.SCORES
CATS = (
    ["cat"] * 5 + ["dog"] * 5,
    np.array(
        [
            [0.90, 0.05, 0.05],
            [0.85, 0.10, 0.05],
            [0.10, 0.88, 0.02],
            [0.30, 0.50, 0.20],
            [0.10, 0.20, 0.70],
            [0.20, 0.80, 0.00],
            [0.10, 0.90, 0.00],
            [0.40, 0.45, 0.15],
            [0.95, 0.05, 0.00],
            [0.10, 0.80, 0.10],
        ]
    ),
    ["cat", "dog", "emu"],
)


def quietly(labels, probs, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return find_label_issues(labels, probs, **options)


def cats(**options):
    labels, probs, classes = CATS
    return quietly(labels, probs, classes=classes, **options)


# The result


@pytest.mark.parametrize("rank_by", SCORES)
@pytest.mark.parametrize("filter_by", FILTERS)
def test_result_is_of_one_piece(filter_by, rank_by):
    labels, probs = strategies.realistic(3, n=300, k=5, absent=(1,), noise=0.25)
    found = quietly(labels, probs, filter_by=filter_by, rank_by=rank_by)
    parts, flagged = found.parts, np.flatnonzero(found.is_issue)
    assert found.task == "multiclass"
    assert found.classes == (0, 1, 2, 3, 4)
    assert 0 < found.num_issues == len(parts) == len(flagged) < 300
    assert found.is_issue.dtype == np.bool_
    scores = get_label_quality_scores(labels, probs, method=rank_by)
    assert found.scores.tobytes() == scores.tobytes()
    np.testing.assert_array_equal(found.given, labels)
    np.testing.assert_array_equal(found.suggested, probs.argmax(axis=1))
    # Worst first, ties by position.
    worst_first = flagged[np.argsort(scores[flagged], kind="stable")]
    np.testing.assert_array_equal(parts.example, worst_first)
    np.testing.assert_array_equal(found.ranked(), worst_first)
    np.testing.assert_array_equal(parts.score, scores[parts.example])
    np.testing.assert_array_equal(parts.given, labels[parts.example])
    np.testing.assert_array_equal(parts.suggested, found.suggested[parts.example])
    np.testing.assert_array_equal(parts.confidence, probs.max(axis=1)[parts.example])
    np.testing.assert_array_equal(parts.part, -1)
    assert parts.kinds == ("label error",)
    cuts = reference.class_thresholds(labels, probs)
    np.testing.assert_array_equal(
        parts.evidence["p_given"], probs[parts.example, labels[parts.example]]
    )
    np.testing.assert_allclose(parts.evidence["threshold_given"], cuts[parts.given])
    np.testing.assert_allclose(parts.evidence["threshold_suggested"], cuts[parts.suggested])
    assert len(found.reasons()) == found.num_issues
    assert found.params["filter_by"] == filter_by
    assert found.params["rank_by"] == rank_by
    if filter_by not in reference.LOWEST:
        assert (parts.given != parts.suggested).all()


@pytest.mark.parametrize("filter_by", FILTERS)
def test_ties_are_flagged_by_position(filter_by):
    """Ten equal rows, of which half are taken: the first ones."""
    labels = np.repeat([0, 1], [30, 30])
    probs = np.repeat([[0.9, 0.1], [0.2, 0.8]], 30, axis=0)
    probs[5:15] = [0.2, 0.8]
    options = {"num_to_remove_per_class": [5, 0]} if filter_by in PRUNING else {}
    found = quietly(labels, probs, filter_by=filter_by, **options)
    expected = range(5, 10) if filter_by in PRUNING else range(5, 15)
    assert found.ranked().tolist() == list(expected)


def test_reasons_tell_each_case():
    reasons = {row.example: row.reason for row in cats().to_frame("part").itertuples()}
    assert reasons[8] == (
        "The model gives 'cat' 95%, no less than the 45% that examples labelled so get on average,"
        " and the given 'dog' 5%, where examples labelled so get 60%."
    )
    found = cats(filter_by="predicted_neq_given")
    reasons = {row.example: row.reason for row in found.to_frame("part").itertuples()}
    assert reasons[3] == (
        "The model gives 'dog' 50%, though examples labelled so get 60% on average,"
        " and the given 'cat' 30%, where examples labelled so get 45%."
    )
    assert reasons[4] == (
        "The model gives 'emu' 70%, though no example is labelled so,"
        " and the given 'cat' 10%, where examples labelled so get 45%."
    )


def test_reason_where_the_model_agrees():
    """The lowest scores may be of labels that the model prefers all the same."""
    labels = [0] * 4 + [1] * 4
    rows = [0.9, 0.1, 0], [0.5, 0.3, 0.2], [0.34, 0.33, 0.33], [0.4, 0.1, 0.5]
    probs = [*rows[:3], rows[3], [0.0, 1.0, 0.0], [0.0, 0.9, 0.1], [0.45, 0.05, 0.5], [0.2, 0.8, 0]]
    found = quietly(labels, probs, filter_by="low_self_confidence", thresholds=[0.6, 0.6, 0.45])
    assert found.ranked().tolist() == [6, 2]
    assert found.reasons([1]) == [
        "The model gives '0' only 34%, and no other class more; its threshold is 60%."
    ]
    found = quietly(labels, [*probs[:2], probs[2], *probs[3:]], filter_by="low_self_confidence")
    assert all("and no other class more; examples" in text for text in found.reasons()[1:])


def test_reasons_do_not_call_given_thresholds_averages():
    found = cats(thresholds=[0.6, 0.7, 0.5], filter_by="predicted_neq_given")
    reasons = {row.example: row.reason for row in found.to_frame("part").itertuples()}
    assert reasons[2] == (
        "The model gives 'dog' 88% (its threshold is 70%), and the given 'cat' 10% (threshold 60%)."
    )
    assert not any("average" in text for text in reasons.values())
    assert found.params["thresholds"] == "given"


def test_tables():
    found = cats(ids=[f"img{at}.png" for at in range(10)])
    examples = found.to_frame()
    assert examples.columns.tolist() == [
        *("example", "id", "score", "is_issue", "given", "suggested")
    ]
    assert examples["given"].tolist() == CATS[0]
    assert examples["suggested"].tolist()[2:5] == ["dog", "dog", "emu"]
    assert examples["id"].tolist()[9] == "img9.png"
    parts = found.to_frame("part")
    assert parts["id"].tolist() == [f"img{at}.png" for at in found.ranked()]
    assert parts["given"].tolist() == [CATS[0][at] for at in found.ranked()]


def test_labels_corrected_in_place_leave_the_result_alone():
    labels, probs = strategies.realistic(0, n=100, k=3)
    ids = np.arange(100)
    found = find_label_issues(labels, probs, ids=ids)
    before = found.to_frame("part")
    labels[found.ranked()] = found.suggested[found.ranked()]
    probs[:] = 1.0
    pd.testing.assert_frame_equal(found.to_frame("part"), before)
    assert (found.given != labels).sum() == found.num_issues


def test_input_is_left_alone():
    labels, probs = strategies.realistic(0, n=100, k=3)
    before = labels.tobytes(), probs.tobytes()
    for filter_by, rank_by in itertools.product(FILTERS, SCORES):
        find_label_issues(labels, probs, filter_by=filter_by, rank_by=rank_by)
    assert (labels.tobytes(), probs.tobytes()) == before


# Laws


@pytest.mark.parametrize("filter_by", FILTERS)
def test_order_of_the_examples_does_not_matter(filter_by):
    labels, probs = strategies.realistic(11, n=250, k=4, noise=0.3)
    order = np.random.default_rng(0).permutation(250)
    found = quietly(labels, probs, filter_by=filter_by)
    moved = quietly(labels[order], probs[order], filter_by=filter_by)
    np.testing.assert_array_equal(moved.is_issue, found.is_issue[order])
    np.testing.assert_array_equal(moved.scores, found.scores[order])
    np.testing.assert_array_equal(order[moved.ranked()], found.ranked())


@pytest.mark.parametrize("filter_by", FILTERS)
def test_order_of_the_classes_does_not_matter(filter_by):
    labels, probs = strategies.realistic(12, n=250, k=4, noise=0.3)
    order = np.array([2, 0, 3, 1])
    found = quietly(labels, probs, filter_by=filter_by)
    moved = quietly(np.argsort(order)[labels], probs[:, order], filter_by=filter_by)
    np.testing.assert_array_equal(moved.is_issue, found.is_issue)
    np.testing.assert_array_equal(moved.scores, found.scores)
    np.testing.assert_array_equal(order[moved.suggested], found.suggested)


@pytest.mark.parametrize("filter_by", FILTERS)
@given(strategies.labeled_rows(max_k=4))
@settings(max_examples=40)
def test_absent_classes_do_not_matter(filter_by, drawn):
    """Columns of zeros for classes that nobody has (specification 11.7)."""
    labels, probs = drawn
    n, k = probs.shape
    wide = np.zeros((n, k + 3), dtype=probs.dtype)
    place = np.array([1, 2, 4, 5])[:k]
    wide[:, place] = probs
    found = quietly(labels, probs, filter_by=filter_by)
    apart = quietly(place[labels], wide, filter_by=filter_by)
    np.testing.assert_array_equal(apart.is_issue, found.is_issue)
    np.testing.assert_array_equal(apart.scores, found.scores)
    np.testing.assert_array_equal(apart.suggested, place[found.suggested])


@pytest.mark.parametrize("filter_by", FILTERS)
def test_every_example_twice(filter_by):
    """Twice the examples, twice the counts: each flagged one is flagged with its twin."""
    labels, probs = strategies.realistic(4, n=240, k=3, noise=0.3)
    found = quietly(labels, probs, filter_by=filter_by)
    twice = quietly(np.r_[labels, labels], np.r_[probs, probs], filter_by=filter_by)
    assert twice.num_issues == 2 * found.num_issues
    np.testing.assert_array_equal(twice.is_issue, np.r_[found.is_issue, found.is_issue])


@pytest.mark.parametrize("filter_by", FILTERS)
@given(strategies.labeled_rows())
@settings(max_examples=40)
def test_labels_that_the_model_gives_are_not_issues(filter_by, drawn):
    _, probs = drawn
    labels = probs.argmax(axis=1)
    assert not quietly(labels, probs, filter_by=filter_by).is_issue.any()


@given(strategies.labeled_rows())
@settings(max_examples=60)
def test_filters_fit_each_other(drawn):
    flagged = {name: quietly(*drawn, filter_by=name).is_issue for name in FILTERS}
    both = flagged["prune_by_noise_rate"] & flagged["prune_by_class"]
    np.testing.assert_array_equal(flagged["both"], both)
    for name in (*PRUNING, "confident_learning"):
        assert not (flagged[name] & ~flagged["predicted_neq_given"]).any(), name
    count = flagged["confident_learning"].sum()
    assert flagged["low_self_confidence"].sum() == flagged["low_normalized_margin"].sum() == count


# Options


@pytest.mark.parametrize("filter_by", ["prune_by_noise_rate", "prune_by_class"])
def test_a_share_of_the_noise(filter_by):
    labels, probs = strategies.realistic(9, n=900, k=4, noise=0.3)
    full = quietly(labels, probs, filter_by=filter_by).is_issue
    before = np.zeros(900, dtype=bool)
    for share in (0.0, 0.1, 0.25, 0.5, 0.9, 1.0):
        taken = quietly(labels, probs, filter_by=filter_by, frac_noise=share).is_issue
        assert (taken | before == taken).all(), "less noise, more issues"
        before = taken
        expected = reference.label_issues(labels, probs, filter_by=filter_by, frac_noise=share)
        np.testing.assert_array_equal(taken, expected)
    np.testing.assert_array_equal(taken, full)


@pytest.mark.parametrize("filter_by", PRUNING)
def test_so_many_of_each_class(filter_by):
    """DIVERGE 1-15: of each given class, by both ways of choosing."""
    labels, probs = strategies.realistic(9, n=900, k=3, noise=0.4)
    asked = np.array([3, 0, 12])
    found = quietly(labels, probs, filter_by=filter_by, num_to_remove_per_class=asked)
    counts = np.bincount(labels[found.is_issue], minlength=3)
    assert (counts <= asked).all()
    if filter_by == "prune_by_class":
        assert counts.tolist() == [3, 0, 12]
    for form in ([3, 0, 12], (3.0, 0.0, 12.0), pd.Series(asked)):
        again = quietly(labels, probs, filter_by=filter_by, num_to_remove_per_class=form)
        np.testing.assert_array_equal(again.is_issue, found.is_issue)
    each = quietly(labels, probs, filter_by=filter_by, num_to_remove_per_class=2)
    assert (np.bincount(labels[each.is_issue], minlength=3) <= 2).all()


@pytest.mark.parametrize("filter_by", PRUNING)
def test_more_than_there_are(filter_by):
    labels, probs = strategies.realistic(9, n=300, k=3, noise=0.4)
    disagrees = probs.argmax(axis=1) != labels
    for many in (300, 10**9, 1e30):
        found = quietly(labels, probs, filter_by=filter_by, num_to_remove_per_class=many)
        assert not (found.is_issue & ~disagrees).any()
    if filter_by == "prune_by_class":
        # All but the one of each class that stays, the surest.
        assert disagrees.sum() - 3 <= found.num_issues <= disagrees.sum()


@pytest.mark.parametrize("filter_by", PRUNING)
def test_so_many_stay_in_each_class(filter_by):
    labels = np.array([0] * 20 + [1] * 6 + [2])
    probs = np.tile([0.1, 0.8, 0.1], (27, 1))
    probs[:10] = probs[20:23] = [0.8, 0.1, 0.1]
    for least in (0, 1, 3, 5, 6, 7, 19, 20, 21, 10**30):
        found = quietly(labels, probs, filter_by=filter_by, min_examples_per_class=least)
        left = np.bincount(labels[~found.is_issue], minlength=3)
        assert (left >= np.minimum(np.bincount(labels, minlength=3), min(least, 99))).all(), least
        if least >= 20:
            assert not found.num_issues


def test_a_class_of_one_is_left_alone_unless_none_must_stay():
    """DIVERGE 1-20: with 0 the only example of a class is judged like any other."""
    labels, probs = [0, 0, 0, 1], [[0.9, 0.1], [0.8, 0.2], [0.9, 0.1], [0.95, 0.05]]
    options = {"filter_by": "prune_by_class", "num_to_remove_per_class": 1}
    with pytest.warns(DataWarning, match=r"1 of the classes have no more than 1 example, .* 1\."):
        assert not find_label_issues(labels, probs, **options).is_issue[3]
    assert find_label_issues(labels, probs, min_examples_per_class=0, **options).is_issue[3]


@pytest.mark.parametrize("filter_by", PRUNING)
def test_own_confident_joint(filter_by):
    labels, probs = strategies.realistic(9, n=300, k=3, noise=0.3)
    own = reference.confident_joint(labels, probs)
    expected = quietly(labels, probs, filter_by=filter_by)
    for joint in (own, own.tolist(), pd.DataFrame(own), own * 7.0, own.astype("f4")):
        found = quietly(labels, probs, filter_by=filter_by, confident_joint=joint)
        np.testing.assert_array_equal(found.is_issue, expected.is_issue)
        assert found.params["confident_joint"] == "given"
    clean = quietly(labels, probs, filter_by=filter_by, confident_joint=np.eye(3))
    assert not clean.num_issues


def test_own_thresholds():
    labels, probs = strategies.realistic(9, n=300, k=3, noise=0.3)
    means = reference.class_thresholds(labels, probs)
    for filter_by in FILTERS:
        found = quietly(labels, probs, filter_by=filter_by, thresholds=means)
        np.testing.assert_array_equal(
            found.is_issue, quietly(labels, probs, filter_by=filter_by).is_issue
        )
    never = quietly(labels, probs, filter_by="confident_learning", thresholds=[2, 2, 2])
    assert not never.num_issues
    always = quietly(labels, probs, filter_by="confident_learning", thresholds=[0, 0, 0])
    np.testing.assert_array_equal(always.is_issue, probs.argmax(axis=1) != labels)


def test_guess_among_the_confident_only():
    """DIVERGE 1-08: the most probable class is below its own threshold, two others are not."""
    labels, probs = [0, 1, 2], [[0.6, 0.2, 0.2]] * 3
    options = {"filter_by": "confident_learning", "thresholds": [0.9, 0.1, 0.1]}
    # Guessed 0: examples 1 and 2 are off the diagonal. Guessed 1: examples 0 and 2 are, and the
    # model agrees with the label of 0.
    assert quietly(labels, probs, **options).ranked().tolist() == [1, 2]
    found = quietly(labels, probs, guess="confident_only", **options)
    assert found.ranked().tolist() == [2]
    assert found.params["guess"] == "confident_only"


# Small and narrow sets


@pytest.mark.parametrize("rank_by", SCORES)
@pytest.mark.parametrize("filter_by", FILTERS)
def test_no_examples(filter_by, rank_by):
    found = find_label_issues(
        [], np.empty((0, 3)), filter_by=filter_by, rank_by=rank_by, ids=[], classes=["a", "b", "c"]
    )
    assert found.num_issues == len(found.parts) == 0
    assert found.scores.shape == found.is_issue.shape == (0,)
    assert found.ranked().tolist() == found.reasons() == []
    assert found.to_frame().shape[0] == found.to_frame("part").shape[0] == 0


@pytest.mark.parametrize("rank_by", SCORES)
@pytest.mark.parametrize("filter_by", FILTERS)
def test_one_column(filter_by, rank_by):
    found = find_label_issues([0] * 5, np.ones((5, 1)), filter_by=filter_by, rank_by=rank_by)
    assert not found.num_issues
    assert found.scores.tolist() == [1.0] * 5


@pytest.mark.parametrize("own", [0, 1, 2])
@pytest.mark.parametrize("filter_by", FILTERS)
def test_one_class_only(filter_by, own):
    """DIVERGE 1-04: whichever it is; only the model's opinion by itself flags anything."""
    probs = np.random.default_rng(0).dirichlet(np.ones(3), 30)
    found = find_label_issues([own] * 30, probs, filter_by=filter_by)
    if filter_by == "predicted_neq_given":
        np.testing.assert_array_equal(found.is_issue, probs.argmax(axis=1) != own)
    else:
        assert not found.num_issues


@pytest.mark.parametrize("filter_by", FILTERS)
def test_one_example(filter_by):
    found = quietly([1], [[0.7, 0.3]], filter_by=filter_by)
    assert found.is_issue.tolist() == [filter_by == "predicted_neq_given"]


# Forms of pred_probs


@pytest.fixture(scope="module")
def forms(tmp_path_factory):
    labels, probs = strategies.realistic(6, n=200, k=4, noise=0.3, dtype=np.float32)
    path = tmp_path_factory.mktemp("forms")
    np.save(path / "c.npy", probs)
    np.save(path / "f.npy", np.asfortranarray(probs))
    np.save(path / "wide.npy", np.repeat(np.repeat(probs, 2, axis=0), 3, axis=1))
    read_only = probs.copy()
    read_only.flags.writeable = False
    wide = np.load(path / "wide.npy", mmap_mode="r")
    return (labels, probs), {
        "float64": probs.astype("f8"),
        "big-endian": probs.astype(">f4"),
        "F-ordered": np.asfortranarray(probs),
        "read-only": read_only,
        "mapped": np.load(path / "c.npy", mmap_mode="r"),
        "mapped F-ordered": np.load(path / "f.npy", mmap_mode="r"),
        "every other of a map": wide[::2, ::3],
        "backwards": probs[::-1, ::-1][::-1, ::-1],
        "list": probs.astype("f8").tolist(),
        "DataFrame": pd.DataFrame(probs),
        "DataFrame by name": pd.DataFrame(probs)[[2, 0, 3, 1]],
        "nullable DataFrame": pd.DataFrame(probs).astype("Float32"),
    }


@pytest.mark.parametrize("filter_by", FILTERS)
def test_forms_of_pred_probs(forms, filter_by):
    (labels, probs), others = forms
    expected = quietly(labels, probs, filter_by=filter_by)
    for name, form in others.items():
        classes = {"classes": range(4)} if "by name" in name else {}
        found = quietly(labels, form, filter_by=filter_by, **classes)
        np.testing.assert_array_equal(found.is_issue, expected.is_issue, err_msg=name)
        np.testing.assert_array_equal(found.scores, expected.scores, err_msg=name)
        np.testing.assert_array_equal(found.suggested, expected.suggested, err_msg=name)


def test_float16():
    labels, probs = strategies.realistic(6, n=200, k=4, noise=0.3)
    half = probs.astype(np.float16)
    found = quietly(labels, half)
    expected = quietly(labels, half.astype(np.float64))
    np.testing.assert_array_equal(found.is_issue, expected.is_issue)
    np.testing.assert_array_equal(found.scores, expected.scores)


# Scores


@given(strategies.labeled_rows(min_n=0), st.sampled_from(SCORES))
@settings(max_examples=60)
def test_scores_are_numbers_in_0_to_1(drawn, method):
    scores = get_label_quality_scores(*drawn, method=method)
    assert scores.shape == drawn[0].shape
    assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("method", SCORES)
def test_rounding_beyond_0_and_1_does_not_show(method):
    probs = np.array([[1 + 9e-7, -9e-7], [-9e-7, 1 + 9e-7]])
    for adjust in (False,) if method == SCORES[2] else (False, True):
        scores = get_label_quality_scores([0, 0], probs, method=method, adjust_pred_probs=adjust)
        assert 0.0 <= scores[1] < 0.2
        assert 0.9 < scores[0] <= 1.0


def test_scores_never_share_memory_with_pred_probs():
    probs = np.ones((3, 1))
    scores = get_label_quality_scores([0, 0, 0], probs)
    scores[:] = 0
    assert probs.tolist() == [[1.0]] * 3


def test_thresholds_of_adjusted_scores():
    labels, probs = strategies.realistic(6, n=100, k=3)
    own = reference.class_thresholds(labels, probs)
    np.testing.assert_allclose(
        get_label_quality_scores(labels, probs, adjust_pred_probs=True, thresholds=own),
        get_label_quality_scores(labels, probs, adjust_pred_probs=True),
        atol=1e-12,
    )
    with pytest.raises(InputError, match="thresholds: are only for adjusted pred_probs"):
        get_label_quality_scores(labels, probs, thresholds=own)
