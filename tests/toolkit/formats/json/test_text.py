"""JSON text with places: where values stand, and lists that lose and gain entries."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldlabel.errors import InputError
from goldlabel.formats.json.text import (
    edited_list,
    elements,
    members,
    parse,
    spliced,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
STYLES = st.sampled_from([{}, {"indent": 1}, {"separators": (",", ":")}, {"ensure_ascii": False}])


@given(st.lists(VALUES, max_size=5), STYLES)
def test_elements(values, style):
    text = json.dumps(values, **style)
    found = list(elements(text))
    assert [value for value, _, _ in found] == values
    assert [json.loads(text[a:b]) for _, a, b in found] == values


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=5), STYLES)
def test_members(values, style):
    text = " " + json.dumps(values, **style)
    found = list(members(text))
    assert {key: value for key, value, _, _ in found} == values
    assert all(json.loads(text[a:b]) == value for _, value, a, b in found)


@given(
    st.lists(st.integers(0, 99), max_size=7),
    STYLES,
    st.sets(st.integers(0, 6)),
    st.lists(st.integers()),
)
def test_edited_list(values, style, dropped, added):
    text = json.dumps(values, **style)
    spans = [(a - 1, b - 1) for _, a, b in elements(text)]
    new = edited_list(text[1:-1], spans, lambda i: i not in dropped, list(map(str, added)), ", ")
    kept = [value for i, value in enumerate(values) if i not in dropped]
    assert json.loads(f"[{new}]") == kept + added
    if not dropped & set(range(len(values))) and not added:
        assert new == text[1:-1] or not values


def test_spliced():
    assert spliced("abcdef", [(4, 5, "E"), (0, 2, "")]) == "cdEf"
    assert spliced("abc", []) == "abc"


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ('{"a":\n 1,}', "here: line 2, column", "is not JSON"),
        ("[" * 200_000, "here", "is not JSON"),
        ("", "here: line 1", "is not JSON"),
    ],
)
def test_what_is_no_json(text, where, what):
    with pytest.raises(InputError, match=what) as caught:
        parse(text, "here")
    assert caught.value.where.startswith(where)
