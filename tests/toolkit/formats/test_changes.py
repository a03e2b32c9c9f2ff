"""Corrections are checked once, for every task."""

from __future__ import annotations

import pandas as pd
import pytest

from goldlabel.errors import InputError
from goldlabel.formats.changes import by_part, by_position, class_value, each_correction

VALUE = class_value(("cat", "dog"), (7, 9))


def frame(*rows):
    return pd.DataFrame(rows, columns=["example", "part", "suggested"])


def test_parts_may_be_counted_or_listed():
    rows = frame((1, 0, "dog"), (1, 2, "cat"), (1, 0, "dog"))
    assert by_part(rows, VALUE, parts=[0, 3]) == {(1, 0): 9, (1, 2): 7}
    assert by_part(rows, VALUE, parts={1: {0: "a", 2: "b"}}) == {(1, 0): 9, (1, 2): 7}


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([(1, 1, "dog")], "row 1: names mask 1 of example 1, which has 2"),
        ([(1, 0, "dog"), (0, 0, "dog")], "row 2: names example 0, which is none"),
        ([(1, 0, "cow")], "row 1: suggests 'cow', which is no class"),
        ([(1, 0, "cat"), (1, 0, "dog")], "row 2: gives mask 0 of example 1 a second label"),
        ([(1, 0.5, "cat")], "names mask 0.5"),
        ([("1", 0, "cat")], "names example '1'"),
    ],
)
def test_what_is_not_there_is_refused(rows, what):
    with pytest.raises(InputError, match=what):
        by_part(frame(*rows), VALUE, parts={1: {0: "a", 2: "b"}}, named="mask")


def test_a_column_must_be_there():
    with pytest.raises(InputError, match="has no column 'part'"):
        list(each_correction(pd.DataFrame({"example": [0], "suggested": ["cat"]})))


def test_positions_come_back_from_json():
    assert by_position({"0": "a", "12": "b"}) == {0: "a", 12: "b"}
    with pytest.raises(InputError, match=r"no position .*'x'"):
        by_position({"x": 1})
