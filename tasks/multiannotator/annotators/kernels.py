"""The loop over annotators and all those who have items in common with them."""

from __future__ import annotations

import numpy as np

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Codes, Ints

__all__ = ["find_copies"]


@kernel
def _surprise(
    mine: Ints,
    theirs: Ints,
    item: Codes,
    label: Codes,
    agreed: Ints,
    k: int,
    equal: int,
    cells: Ints,
    own: Ints,
    other: Ints,
    both: Ints,
) -> float:
    """Return by how many deviations two annotators agree more often than their records say.

    On an item of consensus c, each says y as often as on others of it, with one vote of doubt
    spread evenly over the classes; so they agree with the probability
    ``(sum_y n[y] n'[y] + (n + n' + 1) / k) / ((n + 1) (n' + 1))``. `cells` are the first one's
    ``c * k + y``, sorted; `own` its votes by c.
    """
    for vote in theirs:
        c = agreed[item[vote]]
        cell = c * k + label[vote]
        other[c] += 1
        both[c] += np.searchsorted(cells, cell + 1) - np.searchsorted(cells, cell)
    expected = 0.0
    variance = 0.0
    at = 0
    for vote in mine:
        i = item[vote]
        while at < theirs.shape[0] and item[theirs[at]] < i:
            at += 1
        if at < theirs.shape[0] and item[theirs[at]] == i:
            c = agreed[i]
            p = (both[c] + (own[c] + other[c] + 1.0) / k) / ((own[c] + 1.0) * (other[c] + 1.0))
            expected += p
            variance += p * (1.0 - p)
    for vote in theirs:
        c = agreed[item[vote]]
        other[c] = 0
        both[c] = 0
    return float((equal - 0.5 - expected) / np.sqrt(max(variance, 1e-9)))


@kernel
def _insert(person: int, n: int, equal: int, others: Codes, items: Ints, same: Ints) -> None:
    """Put somebody among those with most items in common, if there is room."""
    last = others.shape[0] - 1
    if others[last] >= 0 and items[last] >= n:
        return
    at = last
    while at > 0 and (others[at - 1] < 0 or items[at - 1] < n):
        others[at], items[at], same[at] = others[at - 1], items[at - 1], same[at - 1]
        at -= 1
    others[at], items[at], same[at] = person, n, equal


@kernel
def find_copies(
    first: int,
    last: int,
    item_offsets: Ints,
    annotator: Codes,
    item: Codes,
    label: Codes,
    by_annotator: Ints,
    annotator_offsets: Ints,
    agreed: Ints,
    k: int,
    least: int,
    share: float,
    surprise: float,
    size: Ints,
    equal: Ints,
    partners: Ints,
    own: Ints,
    other: Ints,
    both: Ints,
    tested: Ints,
    count: Ints,
    others: Codes,
    items: Ints,
    same: Ints,
) -> None:
    """Compare each annotator from a range with everybody who has labelled the same items.

    `tested` counts those with at least `least` items in common. Where `surprise` is finite,
    `count`, `others`, `items` and `same` get those with at least a `share` of equal votes who are
    alike by more deviations. All from `size` to `both` are scratches: of 0, but for `partners`.
    """
    for a in range(first, last):
        mine = by_annotator[annotator_offsets[a] : annotator_offsets[a + 1]]
        found = 0
        for vote in mine:
            i = item[vote]
            for rival in range(item_offsets[i], item_offsets[i + 1]):
                b = annotator[rival]
                if b == a:
                    continue
                if size[b] == 0:
                    partners[found] = b
                    found += 1
                size[b] += 1
                equal[b] += label[rival] == label[vote]
        cells = np.empty(mine.shape[0] if surprise < np.inf else 0, dtype=np.int64)
        for v in range(cells.shape[0]):
            c = agreed[item[mine[v]]]
            own[c] += 1
            cells[v] = c * k + label[mine[v]]
        cells.sort()
        for b in partners[:found]:
            n, alike = size[b], equal[b]
            size[b] = 0
            equal[b] = 0
            if n < least:
                continue
            tested[0] += 1
            if surprise == np.inf or alike < share * n:
                continue
            theirs = by_annotator[annotator_offsets[b] : annotator_offsets[b + 1]]
            args = mine, theirs, item, label, agreed, k, alike, cells, own, other, both
            if _surprise(*args) > surprise:
                count[a] += 1
                _insert(b, n, alike, others[a], items[a], same[a])
        for cell in cells:
            own[cell // k] = 0
