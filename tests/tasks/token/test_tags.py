"""Tag schemes: recognised, read, written, converted; the best legal sequence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import token_reference as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.errors import InputError
from goldlabel.tasks.token.entities import (
    ENTITY_KINDS,
    Tokens,
    canonical,
    compare,
    converted,
    misplaced,
    spans,
)
from goldlabel.tasks.token.kernels import most_probable
from goldlabel.tasks.token.tags import parse, tag_set

SCHEMES = ("iob1", "iob2", "bioes")


def names_of(scheme, types=("X", "Y")):
    return ["O", *(f"{role}-{kind}" for kind in types for role in reference.PREFIXES[scheme])]


def rules_of(scheme, types=("X", "Y")):
    return tag_set(names_of(scheme, types), scheme)


@st.composite
def sentences(draw, scheme, longest=6):
    """Tags of some sentences, legal or not, empty sentences included."""
    names = names_of(scheme)
    lists = st.lists(st.sampled_from(names), max_size=longest)
    return draw(st.lists(lists, min_size=1, max_size=5))


def flat(lists, names):
    codes = np.array([names.index(tag) for tags in lists for tag in tags], dtype=np.int64)
    ends = np.append(0, np.cumsum([len(tags) for tags in lists])).astype(np.int64)
    return codes, Tokens(np.arange(len(codes)), ends)


@pytest.mark.parametrize(
    ("classes", "scheme"),
    [
        (["O", "B-PER", "I-PER"], "iob2"),
        (["O", "I-PER", "I-LOC"], "iob1"),
        (["O", "PER", "LOC"], "io"),
        (["O", "B-PER", "I-PER", "E-PER", "S-PER"], "bioes"),
        (["O", "U-PER"], "bilou"),
        (["O", "B-PER", "M-PER", "E-PER", "W-PER"], "bmewo"),
        (["O", "PER-B", "PER-I"], "iob2"),
        (["O", "B_PER", "I_PER"], "iob2"),
        (["O", "B", "I"], "iob2"),
        (["NOUN", "VERB"], None),
        ([0, 1, 2], None),
        (["O"], None),
    ],
)
def test_schemes_are_recognised(classes, scheme):
    found = tag_set(classes)
    assert (None if found is None else found.scheme) == scheme


def test_what_a_tag_says():
    tags, style = parse(["O", "B-PER-X", "I-LOC"])
    assert tags["B-PER-X"] == ("B", "PER-X")
    assert style == "{letter}-{type}"
    assert parse(["O", "PER-B"])[0]["PER-B"] == ("B", "PER")
    assert parse(["B-PER"]) is None


def test_use_tells_iob1_from_iob2():
    names = ["O", "B-X", "I-X"]
    ends = np.array([0, 3, 5], dtype=np.int64)
    assert tag_set(names, tags=[0, 2, 2, 2, 1], offsets=ends).scheme == "iob1"
    assert tag_set(names, tags=[0, 1, 2, 1, 1], offsets=ends).scheme == "iob2"
    assert tag_set(names, tags=[1, 0, 1, 1, 2], offsets=np.array([0, 5])).scheme == "iob2"


@pytest.mark.parametrize("scheme", ["nonsense", "bioes", "io"])
def test_schemes_that_do_not_fit(scheme):
    classes = ["O", "B-X", "I-X"] if scheme != "bioes" else ["NOUN", "VERB"]
    with pytest.raises(InputError, match=r"^(scheme|classes): "):
        tag_set(classes, scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
@given(data=st.data())
def test_entities_are_read_and_written(scheme, data):
    lists = data.draw(sentences(scheme))
    names, rules = names_of(scheme), rules_of(scheme)
    codes, tokens = flat(lists, names)
    start, end, kind = spans(codes, tokens.first, rules)
    expected = [
        (int(ends) + a, int(ends) + b, k)
        for ends, tags in zip(tokens.offsets, lists, strict=False)
        for a, b, k in reference.spans(tags, scheme)
    ]
    assert list(zip(start, end, [rules.types[k] for k in kind], strict=True)) == expected
    again = canonical(codes, tokens.first, rules)
    rewritten = [reference.written(reference.spans(t, scheme), len(t), scheme) for t in lists]
    assert [names[c] for c in again] == [tag for tags in rewritten for tag in tags]
    illegal = [at for at, tags in enumerate(lists) if not reference.legal(tags, scheme)]
    assert misplaced(codes, tokens.offsets, rules).tolist() == illegal
    assert [t for t, r in zip(lists, rewritten, strict=True) if t != r] == [
        lists[at] for at in illegal
    ]


@pytest.mark.parametrize("own", SCHEMES)
@pytest.mark.parametrize("other", SCHEMES)
@given(data=st.data())
@settings(max_examples=25)
def test_conversion_keeps_entities(own, other, data):
    codes, tokens = flat(data.draw(sentences(own)), names_of(own))
    a, b = rules_of(own), rules_of(other, ("Y", "X"))
    found = converted(codes, tokens.first, a, b)
    told = [
        (starts, ends, [rules.types[k] for k in kinds])
        for rules, tags in ((a, codes), (b, found))
        for starts, ends, kinds in [map(list, spans(tags, tokens.first, rules))]
    ]
    assert told[0] == told[1]
    assert not len(misplaced(found, tokens.offsets, b))
    back = converted(found, tokens.first, b, a)
    np.testing.assert_array_equal(back, canonical(codes, tokens.first, a))


@pytest.mark.parametrize("scheme", SCHEMES)
@given(data=st.data())
@settings(max_examples=25)
def test_best_legal_sequence(scheme, data):
    lists = data.draw(sentences(scheme, longest=3))
    names, rules = names_of(scheme), rules_of(scheme)
    codes, tokens = flat(lists, names)
    seed = data.draw(st.integers(0, 1000))
    probs = np.random.default_rng(seed).dirichlet(np.full(len(names), 0.4), len(codes))
    probs = np.round(probs, data.draw(st.sampled_from([1, 15])))
    found = most_probable(probs, tokens.rows, tokens.offsets, rules.rules, rules.type_of)
    for start, end in zip(tokens.offsets, tokens.offsets[1:], strict=False):
        best = found[start:end]
        assert reference.legal([names[c] for c in best], scheme)
        total = np.log(np.maximum(probs[np.arange(start, end), best], 1e-30)).sum()
        if start < end:
            assert total == pytest.approx(reference.best(probs[start:end], names, scheme))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_equally_probable_tags(scheme):
    """Probabilities of a few round values: most sequences have an equal."""
    names, rules = names_of(scheme), rules_of(scheme)
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 6, 400)
    ends = np.append(0, np.cumsum(lengths))
    probs = rng.choice([0.25, 0.5], (ends[-1], len(names)))
    best = most_probable(probs, np.arange(ends[-1]), ends, rules.rules, rules.type_of)
    for start, end in itertools.pairwise(ends):
        if start < end:
            assert best[start:end].tolist() == reference.viterbi(probs[start:end], names, scheme)


def test_threads_do_not_matter(monkeypatch):
    rules, rng = rules_of("bioes"), np.random.default_rng(0)
    n, t = 4000, 20
    probs = rng.dirichlet(np.full(len(rules.names), 0.3), n * t).astype(np.float32)
    ends = np.arange(n + 1) * t
    found = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("GOLDLABEL_THREADS", threads)
        found.append(most_probable(probs, np.arange(n * t), ends, rules.rules, rules.type_of))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def kinds(given, supported):
    """Kinds of the places where given tags differ from those that the model is sure of."""
    names = names_of("iob2")
    codes, tokens = flat([given.split()], names)
    right, _ = flat([supported.split()], names)
    probs = np.where(np.eye(len(names))[right] > 0, 0.9, 0.02)
    found = compare(codes, probs, tokens, rules_of("iob2"))
    places = zip(found.start.tolist(), found.end.tolist(), found.kind.tolist(), strict=True)
    return [(a, b, ENTITY_KINDS[kind]) for a, b, kind in places]


@pytest.mark.parametrize(
    ("given", "supported", "expected"),
    [
        ("B-X I-X O", "B-X I-X O", []),
        ("B-X I-X O", "B-Y I-Y O", [(0, 2, "wrong type")]),
        ("B-X O O", "B-X I-X O", [(0, 2, "wrong boundary")]),
        ("O B-X I-X", "B-X I-X I-X", [(0, 3, "wrong boundary")]),
        ("B-X I-X O", "B-X B-X O", [(0, 2, "wrong boundary")]),
        ("O O O", "O B-X I-X", [(1, 3, "missed entity")]),
        ("B-X I-X O", "O O O", [(0, 2, "spurious entity")]),
        ("B-X O B-Y", "O O B-X", [(0, 1, "spurious entity"), (2, 3, "wrong type")]),
        ("B-X I-X B-Y", "B-X I-X I-X", [(0, 3, "wrong boundary")]),
        ("B-X B-X O", "B-X O O", [(1, 2, "spurious entity")]),
    ],
)
def test_kinds_of_entity_issues(given, supported, expected):
    assert kinds(given, supported) == expected
