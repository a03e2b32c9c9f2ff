"""The order of scores against a stable sort."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from goldlabel.kernels import ordering

SCORES = hnp.arrays(
    np.float64,
    st.integers(0, 40),
    elements=st.sampled_from([0.0, -0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1),
)


@given(SCORES, st.data())
def test_lowest_equals_a_stable_sort(scores, data):
    count = data.draw(st.integers(0, len(scores)))
    expected = np.zeros(len(scores), dtype=bool)
    expected[np.argsort(scores, kind="stable")[:count]] = True
    found = ordering.lowest(scores, count)
    assert found.dtype == np.bool_
    np.testing.assert_array_equal(found, expected)


@given(SCORES)
def test_ascending_equals_a_stable_sort(scores):
    np.testing.assert_array_equal(ordering.ascending(scores), np.argsort(scores, kind="stable"))
