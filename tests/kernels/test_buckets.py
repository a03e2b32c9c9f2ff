"""The worst entries of each bucket, whatever the order they are offered in."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from goldlabel.kernels.buckets import Buckets

ENTRIES = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([-1.0, -0.5, -0.25, 0.0])), max_size=120
)


@given(
    ENTRIES, st.lists(st.integers(0, 6), min_size=4, max_size=4), st.randoms(), st.integers(1, 9)
)
def test_a_quota_of_the_largest_keys_lower_members_first(entries, quotas, random, pieces):
    offered = [(bucket, key, member) for member, (bucket, key) in enumerate(entries)]
    random.shuffle(offered)
    buckets = Buckets(np.array(quotas))
    for start in range(pieces):
        piece = offered[start::pieces]
        places, keys, members = (np.array([each[i] for each in piece]) for i in range(3))
        buckets.push(places.astype(np.int64), keys.astype(np.float64), members.astype(np.int64))
    found = list(zip(*(array.tolist() for array in buckets.entries()), strict=True))
    expected = []
    for bucket, quota in enumerate(quotas):
        mine = sorted((each for each in offered if each[0] == bucket), key=lambda e: (-e[1], e[2]))
        expected += [(bucket, member) for _, _, member in mine[:quota]]
    assert sorted(found) == sorted(expected)
    assert [bucket for bucket, _ in found] == sorted(bucket for bucket, _ in found)


def test_what_is_below_the_bar_need_not_be_offered():
    buckets = Buckets(np.array([2, 0]))
    assert buckets.min_keys.tolist() == [-np.inf, np.inf]
    keys = np.linspace(-1, 0, 100)
    buckets.push(np.zeros(100, np.int64), keys, np.arange(100))
    assert buckets.min_keys[0] > -1
    assert sorted(buckets.entries()[1].tolist()) == [98, 99]
