"""The worked examples of the specification, to the digit."""

from __future__ import annotations

import numpy as np
import pytest

from goldlabel import Ragged
from goldlabel.tasks import token
from goldlabel.tasks.token.words import filter_sentence, get_sentence, process_token

LABELS = [[0, 0], [1, 1, 1], [2]]
PROBS = [
    np.array([[0.9, 0.1, 0], [0.6, 0.2, 0.2]]),
    np.array([[0.1, 0, 0.9], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]]),
    np.array([[0.1, 0.1, 0.8]]),
]
FILTERS = (
    *("prune_by_noise_rate", "prune_by_class", "both", "confident_learning"),
    *("predicted_neq_given", "low_self_confidence", "low_normalized_margin"),
)


def pairs(issues):
    return list(zip(issues.parts.example.tolist(), issues.parts.part.tolist(), strict=True))


def test_a_scores():
    scores = token.get_token_quality_scores(LABELS, PROBS)
    np.testing.assert_allclose(scores.values, [0.9, 0.6, 0, 0.8, 0.8, 0.8])
    assert token.get_label_quality_scores(LABELS, PROBS).tolist() == [0.6, 0, 0.8]
    for temperature, expected in (
        (0.05, [0.6007417869, 1.8005623903e-07, 0.8]),
        (0.2, [0.6547276571, 0.0282694752, 0.8]),
        (0.0, [0.6, 0.0, 0.8]),
        (np.inf, [0.75, 1.6 / 3, 0.8]),
    ):
        found = token.get_label_quality_scores(
            LABELS, PROBS, aggregator="softmin", temperature=temperature
        )
        np.testing.assert_allclose(found, expected, rtol=1e-8)
    margins = token.get_token_quality_scores(LABELS, PROBS, method="normalized_margin")
    np.testing.assert_allclose(margins.values, [0.9, 0.7, 0.05, 0.85, 0.85, 0.85])


def test_a_issues():
    assert pairs(token.find_label_issues(LABELS, PROBS, min_examples_per_class=0)) == [(1, 0)]
    scores = token.get_token_quality_scores(LABELS, PROBS)
    assert token.issues_from_scores(scores).tolist() == [[1, 0]]
    assert token.issues_from_scores([0.6, 0.0, 0.8]).tolist() == [1]


@pytest.mark.parametrize("filter_by", FILTERS)
def test_b_every_filter(filter_by):
    labels = [[0, 0, 1], [0, 1], [1, 1, 0, 0]]
    probs = [
        np.array([[0.9, 0.1], [0.7, 0.3], [0.05, 0.95]]),
        np.array([[0.8, 0.2], [0.8, 0.2]]),
        np.array([[0.2, 0.8], [0.9, 0.1], [0.1, 0.9], [0.6, 0.4]]),
    ]
    found = token.find_label_issues(labels, probs, filter_by=filter_by, min_examples_per_class=0)
    assert pairs(found) == [(2, 1), (2, 2), (1, 1)]


def test_c_issues_from_scores():
    scores = [0.1, 0.3, 0.6, 0.2, 0.05, 0.9, 0.8, 0.0125, 0.5, 0.6]
    assert token.issues_from_scores(scores).tolist() == [7, 4]
    assert token.issues_from_scores(scores, threshold=0.5).tolist() == [7, 4, 0, 3, 1]
    # DIVERGE 11-04: all and none of them are answers, not errors
    assert token.issues_from_scores([0.01, 0.02], threshold=0.5).tolist() == [0, 1]
    assert token.issues_from_scores([]).tolist() == []
    assert token.issues_from_scores(Ragged.from_lists([[], []])).shape == (0, 2)


def test_d_spans():
    labels, inside = [[0, 0, 1, 1], [0, 0, 1]], [[0.3, 0.2, 0.9, 0.1], [0.1, 0.1, 0.9]]
    assert pairs(token.find_label_issues(labels, inside)) == [(0, 3)]
    assert pairs(token.find_span_issues(labels, inside)) == [(0, 3)]
    np.testing.assert_allclose(token.get_label_quality_scores(labels, inside), [0.1, 0.9])
    np.testing.assert_allclose(token.get_span_quality_scores(labels, inside), [0.1, 0.9])
    scores = token.get_token_quality_scores(labels, inside)
    np.testing.assert_allclose(scores.values, [0.7, 0.8, 0.9, 0.1, 0.9, 0.9, 0.9])


def test_e_merging():
    probs = [[0.55, 0.0125, 0.0375, 0.1, 0.3], [0.1, 0.8, 0, 0.075, 0.025]]
    found = token.merge_probs(probs, [0, 1, 1, 2, 2])
    np.testing.assert_allclose(found, [[0.55, 0.05, 0.4], [0.1, 0.8, 0.1]])
    found = token.merge_probs(probs, [-1, 0, 0, 1, 1])
    np.testing.assert_allclose(found, [[1 / 9, 8 / 9], [8 / 9, 1 / 9]])
    # DIVERGE 11-06: nothing left of a row is no NaN
    assert token.merge_probs([[1.0, 0, 0]], [-1, 0, 1]).tolist() == [[0.5, 0.5]]
    ragged = token.merge_probs(Ragged.from_lists([probs]), [0, 1, 1, 2, 2])
    assert ragged[0].shape == (2, 3)
    assert token.merge_labels([0, 4, -100], [0, 1, 1, 2, 2]).tolist() == [0, 2, -1]


def test_an_empty_sentence_is_right():
    """DIVERGE 11-03."""
    labels, probs = [[], [0, 1], []], [np.empty((0, 2)), np.array([[0.9, 0.1], [0.3, 0.7]]), []]
    assert token.get_label_quality_scores(labels, probs).tolist() == [1.0, 0.7, 1.0]
    assert token.get_token_quality_scores(labels, probs)[0].shape == (0,)
    issues = token.find_label_issues(labels, probs, min_examples_per_class=0)
    assert issues.num_issues == 0


def test_words():
    assert get_sentence(["Some", "reason", "(", "Explanation", ")"]) == "Some reason (Explanation)"
    assert process_token("Cleanlab", [("C", "a"), ("a", "C")]) == "aleCnlCb"
    assert process_token("#I") == "I"
    assert filter_sentence(["Hello", "#I love", "A"]) == (["Hello"], [True, False, False])
    assert filter_sentence(["a"], lambda s: True) == (["a"], [True])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Zoe\u0308 isn't", ["Zoe\u0308", "isn", "'", "t"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("می\u200cروم خانه", ["می\u200cروم", "خانه"]),
        ("שָׁלוֹם, עולם!", ["שָׁלוֹם", ",", "עולם", "!"]),
        ("a\u00a0b\u2028c", ["a", "b", "c"]),
        ("👩‍👧 x_1", None),
        ("", []),
    ],
)
def test_words_of_any_script(text, words):
    places = token.tokenize(text)
    found = [text[a:b] for a, b in places]
    assert words is None or found == words
    assert "".join(found) == "".join(text.split())


def test_pieces_of_words():
    pieces = np.array([[0.5, 0.5], [0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.5, 0.5]])
    ids = [None, 0, 0, 1, None]
    assert token.align_subwords(pieces, ids).tolist() == [[0.9, 0.1], [0.2, 0.8]]
    np.testing.assert_allclose(
        token.align_subwords(pieces, ids, method="max"), [[0.5625, 0.4375], [0.2, 0.8]]
    )
