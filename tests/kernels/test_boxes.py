"""Overlapping boxes by cells: the same as trying every pair, however boxes are spread."""

from __future__ import annotations

import numpy as np
import pytest
from detection_reference import iou
from hypothesis import given, settings
from hypothesis import strategies as st

from goldlabel.kernels import boxes as kernels
from goldlabel.kernels._jit import frozen

SHAPES = ["spread", "row", "column", "stack", "one is large", "no area"]


def made(shape, n, seed, grid):
    """Return boxes of one image."""
    rng = np.random.default_rng(seed)
    size = {"row": (1000, 3), "column": (3, 1000), "stack": (0, 0)}.get(shape, (300, 200))
    start = rng.uniform(0, 1, (n, 2)) * size
    boxes = np.concatenate([start, start + rng.uniform(0, 12, (n, 2))], axis=1)
    if shape == "one is large":
        boxes[: n // 20 + 1] = [0, 0, 300, 200]
    if shape == "no area":
        boxes[: n // 2, 2] = boxes[: n // 2, 0]
    return np.round(boxes / grid) * grid if grid else boxes


@given(
    st.sampled_from(SHAPES), st.sampled_from([0, 1, 5, 33, 200]), st.integers(0, 99),
    st.sampled_from([0, 2.0]),
)  # fmt: skip
@settings(max_examples=60)
def test_overlapping(shape, n, seed, grid):
    boxes = np.concatenate([np.zeros((3, 4)), made(shape, n, seed, grid)])
    cells = kernels.sorted_into_cells(frozen(boxes), 3, n + 3)
    out = np.empty(n, dtype=np.int64)
    for box in made(shape, 20, seed + 1, grid) - 20:
        count = kernels.overlapping(boxes, cells, frozen(box), out)
        expected = [row for row in range(3, n + 3) if iou(boxes[row], box) > 0]
        assert sorted(out[:count].tolist()) == expected


@given(st.sampled_from(SHAPES), st.sampled_from([2, 40, 120]), st.integers(0, 99))
@settings(max_examples=30)
def test_near_boxes(shape, n, seed):
    boxes = made(shape, n, seed, 2.0)
    classes = np.random.default_rng(seed).integers(0, 2, n)
    offsets = np.array([0, n // 3, n])
    partners, ious = np.empty((n, 2), dtype=np.int64), np.empty((n, 2))
    limits = np.array([0.3, 0.5])
    kernels.near_boxes(
        frozen(boxes), frozen(classes), frozen(offsets), frozen(limits), partners, ious
    )
    for i in range(n):
        first, last = (0, n // 3) if i < n // 3 else (n // 3, n)
        for which in (0, 1):
            near = [
                (iou(boxes[i], boxes[j]), -j)
                for j in range(first, last)
                if j != i and (classes[i] != classes[j]) == which
            ]
            best, partner = max([each for each in near if each[0] >= limits[which]] or [(0, 1)])
            assert ious[i, which] == pytest.approx(best)
            assert partners[i, which] == -partner


def test_iou_and_ioa():
    a, b = np.array([[0, 0, 10, 10.0]]), np.array([[5, 5, 15, 15.0]])
    assert kernels.pair_ious(a, b)[0] == pytest.approx(1 / 7)
    assert kernels.ioa(a[0], np.array([0, 0, 5, 40.0])) == pytest.approx(0.5)
    tiny = a * 1e-200
    assert kernels.pair_ious(tiny, tiny)[0] == 0.0  # an area that float64 does not have
    assert kernels.pair_ious(np.empty((0, 4)), np.empty((0, 4))).shape == (0,)


def test_a_hundred_thousand_boxes_are_not_every_pair():
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 4000, (100_000, 2))
    boxes = np.concatenate([start, start + rng.uniform(5, 30, (100_000, 2))], axis=1)
    cells = kernels.sorted_into_cells(boxes, 0, len(boxes))
    _, _, starts, rows = cells
    assert len(rows) <= 8 * len(boxes)
    assert np.diff(starts).max() < 100
