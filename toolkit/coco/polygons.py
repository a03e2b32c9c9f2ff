"""What is wrong with polygons: parts that are no polygons, edges that cross."""

from __future__ import annotations

import numpy as np

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Floats, Ints

__all__ = ["POINTS", "RUN", "polygons"]


POINTS = 4096
"""Polygons of more points are not searched for edges that cross."""
RUN = 16
"""So many edges in a row share one bounding box in that search."""

# What is wrong with a part, a bit each.
ODD_LENGTH, TOO_SHORT, EMPTY, NO_AREA, CROSSING, MANY_POINTS = 1, 2, 4, 8, 16, 32
BITS = 6


@kernel
def _crosses(points: Floats, a: int, b: int, n: int) -> bool:
    """Whether edges a and b, not neighbours, cross in a point inside of both."""
    ax, ay, bx, by = points[a, 0], points[a, 1], points[(a + 1) % n, 0], points[(a + 1) % n, 1]
    cx, cy, dx, dy = points[b, 0], points[b, 1], points[(b + 1) % n, 0], points[(b + 1) % n, 1]
    if max(ax, bx) < min(cx, dx) or max(cx, dx) < min(ax, bx):
        return False
    if max(ay, by) < min(cy, dy) or max(cy, dy) < min(ay, by):
        return False
    one = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    two = (bx - ax) * (dy - ay) - (by - ay) * (dx - ax)
    three = (dx - cx) * (ay - cy) - (dy - cy) * (ax - cx)
    four = (dx - cx) * (by - cy) - (dy - cy) * (bx - cx)
    if not ((one > 0 and two < 0) or (one < 0 and two > 0)):
        return False
    return bool((three > 0 and four < 0) or (three < 0 and four > 0))


@kernel
def _crosses_itself(points: Floats, n: int, bounds: Floats) -> bool:
    """Whether two edges of a closed polygon cross; runs of edges far apart are passed over."""
    runs = -(-n // RUN)
    for r in range(runs):
        bounds[r] = (np.inf, np.inf, -np.inf, -np.inf)
        for i in range(r * RUN, min((r + 1) * RUN, n) + 1):
            x, y = points[i % n, 0], points[i % n, 1]
            bounds[r, 0], bounds[r, 1] = min(bounds[r, 0], x), min(bounds[r, 1], y)
            bounds[r, 2], bounds[r, 3] = max(bounds[r, 2], x), max(bounds[r, 3], y)
    for r in range(runs):
        for s in range(r, runs):
            if bounds[r, 0] > bounds[s, 2] or bounds[s, 0] > bounds[r, 2]:
                continue
            if bounds[r, 1] > bounds[s, 3] or bounds[s, 1] > bounds[r, 3]:
                continue
            for a in range(r * RUN, min((r + 1) * RUN, n)):
                for b in range(max(s * RUN, a + 2), min((s + 1) * RUN, n)):
                    if (a > 0 or b < n - 1) and _crosses(points, a, b, n):
                        return True
    return False


@kernel
def _part_flags(points: Floats, n: int, bounds: Floats, extent: Floats) -> int:
    """Judge a polygon of n points without repeats, and add its area and extent."""
    area = 0.0
    for i in range(n):
        x, y = points[i, 0], points[i, 1]
        extent[1], extent[2] = min(extent[1], x), min(extent[2], y)
        extent[3], extent[4] = max(extent[3], x), max(extent[4], y)
        j = i + 1 if i + 1 < n else 0
        area += x * points[j, 1] - points[j, 0] * y
    extent[0] += abs(area) / 2
    if n > POINTS:
        return MANY_POINTS
    if n > 3 and _crosses_itself(points, n, bounds):
        return CROSSING
    return NO_AREA if n < 3 or area == 0.0 else 0


@kernel
def polygons(
    values: Floats,
    parts: Ints,
    owners: Ints,
    points: Floats,
    bounds: Floats,
    extents: Floats,
    flags: Ints,
    firsts: Ints,
) -> None:
    """Judge the polygons of annotations.

    Parameters
    ----------
    values : float64 (m,)
        x and y in turns.
    parts, owners : int64
        As `goldlabel.formats.json.numbers.point_lists` gives them.
    points : float64 (p, 2)
        Room for the points of the longest part.
    bounds : float64 (p // RUN + 1, 4)
        Room for bounding boxes.
    extents : float64 (n, 5)
        Receives the sum of the areas of the parts, and left, top, right and bottom.
    flags : int64 (n,)
        Receives what is wrong: `ODD_LENGTH`, ...
    firsts : int64 (n, BITS)
        Receives the first part that is wrong, for each bit of the flags that is set.
    """
    for i in range(owners.shape[0] - 1):
        flags[i] = 0
        extents[i] = (0.0, np.inf, np.inf, -np.inf, -np.inf)
        for part in range(owners[i], owners[i + 1]):
            start, stop = parts[part], parts[part + 1]
            new = 0
            if stop - start == 0 or stop - start == 2:
                new = EMPTY
            elif (stop - start) & 1:
                new = ODD_LENGTH
            elif stop - start < 6:
                new = TOO_SHORT
            else:
                used = 0
                for at in range(start, stop, 2):
                    x, y = values[at], values[at + 1]
                    if used == 0 or x != points[used - 1, 0] or y != points[used - 1, 1]:
                        points[used] = (x, y)
                        used += 1
                if used > 1 and points[0, 0] == points[used - 1, 0]:
                    used -= 1 if points[0, 1] == points[used - 1, 1] else 0
                new = _part_flags(points, used, bounds, extents[i])
            for bit in range(BITS):
                if new >> bit & 1 and not flags[i] >> bit & 1:
                    firsts[i, bit] = part - owners[i]
            flags[i] |= new
