"""The number of a rank among pieces, against a sort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldlabel.kernels.ranks import BINS, RankCut

numbers = st.lists(
    st.one_of(st.sampled_from([0.0, 1.0, 0.5, 0.1, 1e-30, 5e-324]), st.floats(0, 1)), max_size=60
)


def cut_of(pieces, rank, dtype):
    cut = RankCut(dtype)
    looks = 0
    while True:
        counts = np.zeros(BINS, dtype=np.int64)
        for piece in pieces:
            cut.count(piece, counts)
        looks += 1
        if cut.descend(counts, rank):
            return cut, looks


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(values=numbers, data=st.data())
def test_the_lowest_are_those_of_a_sort(dtype, values, data):
    array = np.abs(np.array(values, dtype=dtype))
    rank = data.draw(st.integers(0, len(array)))
    cut, looks = cut_of(np.array_split(array, 3), rank, dtype)
    value = dtype(cut.value)
    below, equal = int((array < value).sum()), int((array == value).sum())
    assert below + cut.places == rank
    assert cut.places <= equal
    if cut.places:
        assert cut.equal == equal
        assert value == np.sort(array)[rank - 1]
    assert looks <= np.dtype(dtype).itemsize // 2


def test_pieces_and_their_order_do_not_matter():
    array = np.random.default_rng(0).random(5000).astype(np.float32)
    first, _ = cut_of([array], 1234, np.float32)
    second, _ = cut_of(np.array_split(array[::-1].copy(), 17), 1234, np.float32)
    assert (first.value, first.places) == (second.value, second.places)


def test_a_cut_between_bins_takes_one_look():
    array = np.array([0.0, 0.25, 1.0, 1.0], dtype=np.float32)
    cut, looks = cut_of([array], 2, np.float32)
    assert looks == 1
    assert cut.places == 0
    assert (array < np.float32(cut.value)).sum() == 2
