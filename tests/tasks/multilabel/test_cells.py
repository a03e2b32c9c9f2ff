"""Lists within a text: what is read, and that an edit leaves everything else as it was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.tasks.multilabel.formats.cells import Style, edit, entries, find_style, writer

NAMES = ["cat", "dog", "red fox", "Größe", "a_b", "x.y", "7"]


@st.composite
def lists(draw):
    """Draw a list of classes, how it is written, and the text."""
    separator = draw(st.sampled_from(["|", ";", ",", "[", " "]))
    names = [name for name in NAMES if separator != " " or " " not in name]
    classes = draw(st.lists(st.sampled_from(names), unique=True, max_size=5))
    gap = draw(st.sampled_from(["", " ", "  "]))
    outside = draw(st.sampled_from(["", " "]))
    if separator == "[":
        quote = draw(st.sampled_from(['"', "'"]))
        inside = ("," + gap).join(f"{quote}{name}{quote}" for name in classes)
        return classes, Style("[", "," + gap, quote), f"{outside}[{inside}]{outside}"
    joint = separator if separator == " " else separator + gap
    return classes, Style(separator, joint), outside + joint.join(classes) + outside


def values(text, style):
    return [entry.value for entry in entries(text, style)]


@given(lists())
@settings(max_examples=200)
def test_entries(drawn):
    classes, style, text = drawn
    assert values(text, style) == classes
    for entry in entries(text, style):
        assert text[entry.start : entry.stop].strip("'\"") == entry.value


@given(lists(), st.data())
@settings(max_examples=300)
def test_edit(drawn, data):
    classes, style, text = drawn
    names = [name for name in NAMES if style.separator != " " or " " not in name]
    changes = data.draw(st.dictionaries(st.sampled_from(names), st.booleans(), max_size=4))
    new = edit(text, style, changes, "here", writer(style, "here"))
    expected = [name for name in classes if changes.get(name, True)]
    expected += [name for name, there in changes.items() if there and name not in classes]
    assert values(new, style) == expected
    if expected == classes:
        assert new == text
    kept = [name for name in classes if changes.get(name, True)]
    at = -1  # what stays is there as it was, and in its order
    for name in kept:
        at = new.find(name, at + 1)
        assert at >= 0


@given(st.lists(lists(), min_size=1, max_size=8))
@settings(max_examples=100)
def test_style_is_found(drawn):
    separator = drawn[0][1].separator
    alike = [each for each in drawn if each[1].separator == separator]
    texts = [text for _, _, text in alike]
    names = {name for classes, _, _ in alike for name in classes}
    style = find_style(texts, known=names)
    if any(len(classes) > 1 for classes, _, _ in alike) or separator == "[":
        assert style.separator == separator
    for classes, _, text in alike:
        assert values(text, style) == classes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1, 2]", [1, 2]),
        ("(1, 2)", [1, 2]),
        ("{'a', 'b'}", ["a", "b"]),
        ("[cat, red fox]", ["cat", "red fox"]),
        (r"['it\'s', 'b']", ["it's", "b"]),
        (r'["a \"b\"", "c, d"]', ['a "b"', "c, d"]),
        ("[]", []),
        (" [ ] ", []),
    ],
)
def test_lists_in_brackets(text, expected):
    assert values(text, Style("[")) == expected


@pytest.mark.parametrize("name", ["it's", 'a "b"', "c, d", "back\\slash", "é", "[x]"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_any_name_fits_into_quotes(name, quote):
    style = Style("[", ", ", quote)
    new = edit("[]", style, {name: True}, "here", writer(style, "here"))
    assert values(new, style) == [name]
    if quote == '"':
        assert json.loads(new) == [name]
