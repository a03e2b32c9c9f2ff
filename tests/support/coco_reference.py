"""Plain Python twins of the kernels that read COCO files."""

from __future__ import annotations

import numpy as np


def polygon_area(points):
    x, y = np.asarray(points, dtype=float).T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def crosses_itself(points):
    """Whether two edges cross in a point inside of both: every pair of edges is tried."""
    points = [tuple(map(float, point)) for point in points]
    points = [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()
    n = len(points)

    def side(a, b, c):
        return np.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))

    for i in range(n):
        a, b = points[i], points[(i + 1) % n]
        for j in range(i + 1, n):
            c, d = points[j], points[(j + 1) % n]
            if side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0:
                return True
    return False


def runs_of(mask):
    """Return COCO's counts of a mask: column by column, zeros first."""
    flat = np.asarray(mask, dtype=int).ravel(order="F")
    change = np.flatnonzero(np.diff(flat, prepend=0))
    return np.diff([0, *change, len(flat)]).tolist()


def compressed(counts):
    """Return counts as COCO's text."""
    text = ""
    for i, count in enumerate(counts):
        x = count - (counts[i - 2] if i > 2 else 0)
        more = True
        while more:
            c = x & 31
            x >>= 5
            more = x != -1 if c & 16 else x != 0
            text += chr((c | 32 if more else c) + 48)
    return text
