"""Near duplicates of texts by their letters."""

from __future__ import annotations

import checks_reference as reference
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel import checks
from goldlabel.checks.text_duplicates import REACH
from goldlabel.kernels import rows

WORDS = ["card", "lost", "money", "bank", "where", "is", "my", "transfer", "late", "new"]


@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12), min_size=2, max_size=9))
@settings(max_examples=100)
def test_similarity_is_that_of_the_definition(lists):
    texts = [" ".join(words) for words in lists]
    pairs = checks.find_text_duplicates(text=texts, threshold=0.5).frames["pairs"]
    for first, second, similarity in pairs.itertuples(index=False):
        assert similarity == pytest.approx(reference.jaccard(texts[first], texts[second], 5))
        assert similarity >= 0.5


def test_nearly_all_pairs_above_the_threshold_are_found():
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(500)]
    texts = [" ".join(rng.choice(words, 12)) for _ in range(300)]
    near = [text.rsplit(" ", 1)[0] + " changed" for text in texts]
    found = checks.find_text_duplicates(text=texts + near)
    true = [reference.jaccard(a, b, 5) >= 0.7 for a, b in zip(texts, near, strict=True)]
    assert sum(true) > 200
    together = found.columns["group"][:300] == found.columns["group"][300:]
    assert (together & (found.columns["group"][:300] >= 0)).sum() >= 0.97 * sum(true)
    assert (np.bincount(found.columns["group"][found.is_issue]) == 2).all()


def test_many_copies_and_near_copies_make_one_group():
    texts = ["a text that many people have copied"] * 50
    texts += [f"a text that many people have copied {i}" for i in range(3 * REACH)]
    found = checks.find_text_duplicates(text=[*texts, "another one"])
    assert found.frames["groups"]["size"].tolist() == [50 + 3 * REACH]
    assert found.scores[-1] == 1.0


def test_texts_that_are_missing_or_hardly_any():
    texts = pd.Series(
        ["Hi", None, "hi!", "", "", "!!!", "???", "!!!", "日本語のテキスト", "日本語のテキスト。"]
    )
    found = checks.find_text_duplicates(text=texts)
    assert found.frames["groups"]["examples"].tolist() == [[0, 2], [3, 4], [5, 7], [8, 9]]
    assert "1 of 10 are missing" in found.notes[0]


def test_same_result_for_any_number_of_threads(monkeypatch):
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 6)) for _ in range(9000)]
    results = []
    for threads in (1, 3):
        monkeypatch.setattr(rows, "thread_count", lambda threads=threads: threads)
        results.append(checks.find_text_duplicates(text=texts))
    pd.testing.assert_frame_equal(*(each.frames["pairs"] for each in results))


def test_conflicts_and_what_to_keep():
    texts = ["where is my card", "where is my card", "Where is my card?", "x" * 30]
    found = checks.find_text_duplicates(text=texts, labels=list("abbc"), keep="majority")
    assert found.frames["groups"]["keep"].tolist() == [1]
    assert found.figures["conflicts"] == 1
    assert found.reasons([0]) == ["in group 0 of texts alike; it shares 100% with the nearest"]
