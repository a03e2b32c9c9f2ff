"""The outline of a region as polygons: along the edges of its pixels, holes included."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.typing import Mask

__all__ = ["MOST", "outline"]

MOST = 300
"""An outline has about so many corners at most: finer ones are smoothed."""
_LOOPS = 60
"""The longest ways around pixels are kept: the rest are specks."""
_SPECK = 30
"""So many times shorter than the longest, a way around pixels is around a speck."""

Point = tuple[int, int]
Polygon = tuple[tuple[float, float], ...]


def outline(pixels: Mask) -> tuple[Polygon, ...]:
    """Return the polygons around the pixels of a mask (h, w), in x and y; a hole is one of its own.

    Examples
    --------
    >>> outline(np.array([[False, True, True], [False, True, True]]))
    (((1.0, 0.0), (3.0, 0.0), (3.0, 2.0), (1.0, 2.0)),)
    """
    loops = sorted(_loops(pixels), key=len, reverse=True)[:_LOOPS]
    loops = [each for each in loops if _SPECK * len(each) >= len(loops[0])]
    tolerance = 0.0
    polygons = [_simplified(loop, tolerance) for loop in loops]
    while sum(map(len, polygons)) > MOST and tolerance < 8.0:
        tolerance = 2.0 * tolerance or 0.75
        smooth = [_simplified(loop, tolerance) for loop in loops]
        polygons = [each for each in smooth if len(each) > 2] or polygons[:1]
    return tuple(tuple((float(x), float(y)) for x, y in each.tolist()) for each in polygons)


def _loops(pixels: Mask) -> list[npt.NDArray[np.int64]]:
    """Return the closed ways around the pixels, clockwise, holes the other way round."""
    after = _edges(pixels)
    loops = []
    while after:
        start = next(iter(after))
        loop, at, way = [start], start, after[start][0]
        while True:
            ways = after[at]
            ways.remove(way)
            if not ways:
                del after[at]
            at = (at[0] + way[0], at[1] + way[1])
            if at == start:
                break
            loop.append(at)
            way = _next(way, after[at])
        loops.append(np.array(loop, dtype=np.int64))
    return loops


def _edges(pixels: Mask) -> dict[Point, list[Point]]:
    """Return the directions, x and y, in which edges lead from each corner, inside on the right."""
    wide = np.pad(pixels, 1)
    inside = wide[1:-1, 1:-1]
    after: dict[Point, list[Point]] = {}
    for neighbour, corner, way in (
        (wide[:-2, 1:-1], (0, 0), (1, 0)),
        (wide[1:-1, 2:], (1, 0), (0, 1)),
        (wide[2:, 1:-1], (1, 1), (-1, 0)),
        (wide[1:-1, :-2], (0, 1), (0, -1)),
    ):
        y, x = np.nonzero(inside & ~neighbour)
        for point in zip((x + corner[0]).tolist(), (y + corner[1]).tolist(), strict=True):
            after.setdefault(point, []).append(way)
    return after


def _next(way: Point, ways: list[Point]) -> Point:
    """Return where to go on: pixels that touch at a corner only have outlines of their own."""
    if len(ways) == 1:
        return ways[0]
    right = (-way[1], way[0])
    return right if right in ways else ways[0]


def _simplified(loop: npt.NDArray[np.int64], tolerance: float) -> npt.NDArray[np.int64]:
    """Return a loop without the corners that lie within a tolerance of the others (Ramer)."""
    steps = np.diff(loop, axis=0, append=loop[:1])
    turns = (steps != np.roll(steps, 1, axis=0)).any(axis=1)
    corners: npt.NDArray[np.int64] = loop[turns]
    if tolerance == 0.0 or len(corners) < 5:
        return corners
    far = int(np.argmax(((corners - corners[0]) ** 2).sum(axis=1)))
    closed = np.concatenate([corners, corners[:1]])
    kept = np.zeros(len(closed), dtype=np.bool_)
    kept[[0, far, len(closed) - 1]] = True
    stack = [(0, far), (far, len(closed) - 1)]
    while stack:
        a, b = stack.pop()
        if b - a < 2:
            continue
        away = _distances(closed[a + 1 : b], closed[a], closed[b])
        at = int(np.argmax(away))
        if away[at] > tolerance:
            middle = a + 1 + at
            kept[middle] = True
            stack += [(a, middle), (middle, b)]
    kept[-1] = False
    found: npt.NDArray[np.int64] = closed[kept]
    return found


def _distances(
    points: npt.NDArray[np.int64], a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return how far points are from the line between two others."""
    line = (b - a).astype(np.float64)
    length = float(np.hypot(*line))
    offset = points - a
    if length == 0.0:
        return np.asarray(np.hypot(offset[:, 0], offset[:, 1]))
    return np.asarray(np.abs(line[0] * offset[:, 1] - line[1] * offset[:, 0]) / length)
