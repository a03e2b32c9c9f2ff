"""Values and offsets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldlabel import InputError, Ragged

groups_of_ints = st.lists(st.lists(st.integers(-5, 5), max_size=4), max_size=8)


@given(groups_of_ints)
def test_groups_come_back_as_they_went_in(groups):
    ragged = Ragged.from_lists(groups)
    assert len(ragged) == len(groups)
    assert [group.tolist() for group in ragged] == groups
    assert ragged.lengths.tolist() == [len(group) for group in groups]
    assert [ragged[i - len(groups)].tolist() for i in range(len(groups))] == groups


@given(groups_of_ints)
def test_every_row_is_located_in_its_group(groups):
    ragged = Ragged.from_lists(groups)
    expected = [(g, p) for g, group in enumerate(groups) for p in range(len(group))]
    group, position = ragged.locate(np.arange(len(expected)))
    assert list(zip(group.tolist(), position.tolist(), strict=True)) == expected


def test_rows_may_be_arrays():
    ragged = Ragged.from_lists([np.ones((2, 3)), np.zeros((0, 3)), [[1, 2, 3]]])
    assert ragged.values.shape == (3, 3)
    assert ragged.offsets.tolist() == [0, 2, 2, 3]


def test_an_index_outside():
    ragged = Ragged.from_lists([[1], [2]])
    for index in (2, -3):
        with pytest.raises(IndexError):
            ragged[index]


@pytest.mark.parametrize(
    ("offsets", "where"),
    [
        ([], "offsets"),
        ([[0, 3]], "offsets"),
        ([0.0, 3.0], "offsets"),
        ([1, 3], "offsets"),
        ([0, 2], "offsets"),
        ([0, 4], "offsets"),
        ([0, 2, 1, 3], "offsets[2]"),
    ],
)
def test_offsets_that_do_not_fit(offsets, where):
    array = np.array(offsets)
    if array.dtype.kind == "i":
        array = array.astype(np.int64)
    with pytest.raises(InputError) as caught:
        Ragged(np.zeros(3), array)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("groups", "where"),
    [
        ([[1], 2], "groups[1]"),
        (["ab"], "groups[0]"),
        ([[1, 2], [[1, 2]]], "groups[1]"),
        ([[], [[1, 2]], [[1, 2, 3]]], "groups[2]"),
        ([[[1, 2], [3]]], "groups[0]"),
    ],
)
def test_groups_that_do_not_fit(groups, where):
    with pytest.raises(InputError) as caught:
        Ragged.from_lists(groups)
    assert caught.value.where == where


@pytest.mark.parametrize("rows", [[-1], [0, 3], [7, -2]])
def test_rows_that_are_not_there(rows):
    with pytest.raises(InputError, match="rows"):
        Ragged.from_lists([[1, 2], [3]]).locate(rows)
