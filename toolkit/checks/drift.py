"""Drift: whether examples that are alike stand near each other in the dataset, and where.

References
----------
J. Cummings, E. Snorrason, J. Mueller. Detecting Dataset Drift and Non-IID Sampling via k-Nearest
Neighbors. 2023, arXiv 2305.15696.

H. Chen, N. Zhang. Graph-based change-point detection. Annals of Statistics 43 (2015) 139-176.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scipy.stats import norm

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.kernels import gaps
from goldlabel.kernels._jit import frozen
from goldlabel.neighbors.graph import Metric, NeighborGraph, as_graph
from goldlabel.typing import Codes, Floats, Ints

from .registry import Check
from .result import CheckResult

__all__ = ["CHECK", "find_drift"]

LEAST_SEGMENT = 20
MOST_SEGMENTS = 50
ERROR_RATE = 0.01
"""Chance that a segment is found where there is none."""


class _PValues(NamedTuple):
    kernel: float
    counted: float


def find_drift(
    *,
    features: Any = None,
    graph: Any = None,
    pred_probs: Any = None,
    k: int | None = None,
    metric: Metric | None = None,
    num_permutations: int = 25,
    significance_threshold: float = 0.05,
    seed: int = 0,
) -> CheckResult:
    """Find out whether the order of the dataset says something about its content.

    Examples that are independent and drawn alike have their neighbours anywhere. The distances in
    file order between neighbours are compared with those after shuffling.

    Parameters
    ----------
    features : array_like of shape (n, d), optional
    graph : optional
        Neighbours, as for `goldlabel.neighbors.as_graph`.
    pred_probs : array_like of shape (n, k), optional
        Used as features where there are neither features nor a graph.
    k : int, optional
        Neighbours that count; 10, or all that there are, if not given.
    metric : {"cosine", "euclidean"}, optional
    num_permutations : int
    significance_threshold : float
        The one example whose neighbours stand most oddly is flagged if the p-value is below.
    seed : int
        Of the shuffling.

    Returns
    -------
    CheckResult
        Its score is the p-value; figures `p_value` (from a smooth estimate) and
        `counted_p_value` (at least ``1 / (num_permutations + 1)``); frame `segments`: from where to
        where the dataset changes, with how far the links between its two sides, or to the segment
        before, fall short of chance (`z`).

    Raises
    ------
    InputError
        Nothing to work with, or something that does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> jump = np.r_[np.zeros(100), np.ones(100)] * 9 + np.random.default_rng(0).normal(size=200)
    >>> found = find_drift(features=jump[:, None])
    >>> found.score < 0.01, found.frames["segments"][["start", "stop"]].to_numpy().tolist()
    (True, [[0, 100], [100, 200]])
    """
    check.whole_number(num_permutations, name="num_permutations", low=2)
    limit = check.number(significance_threshold, name="significance_threshold", low=0, high=1)
    if features is None and graph is None and pred_probs is None:
        raise InputError(
            "features", "are missing, and so are a graph and pred_probs", "Pass one of them"
        )
    given = pred_probs if features is None else features
    found = as_graph(given, graph, k=k, metric=metric)
    rng = np.random.default_rng(check.whole_number(seed, name="seed"))
    p_values = _significance(found, num_permutations, rng)
    scores = found.spread(_example_scores(found), 1.0)
    is_drift = p_values.kernel < limit
    is_issue = np.zeros(found.n, dtype=np.bool_)
    is_issue[int(np.argmin(scores))] = is_drift
    segments = _segments(found) if is_drift else _whole(found.n)
    return CheckResult(
        check="non_iid",
        scores=scores,
        is_issue=is_issue,
        score=p_values.kernel,
        verdict=_verdict(p_values, segments, is_drift),
        is_found=bool(is_drift),
        reason="its neighbours stand most oddly in the order of the dataset",
        frames={"segments": segments},
        figures={"p_value": p_values.kernel, "counted_p_value": p_values.counted},
        params={"k": found.k, "metric": found.metric, "num_permutations": num_permutations,
                "significance_threshold": limit, "seed": seed},
        notes=found.notes,
    )  # fmt: skip


def _verdict(p_values: _PValues, segments: pd.DataFrame, is_drift: bool) -> str:
    p = f"p = {p_values.kernel:.2g}, {p_values.counted:.2g} by counting"
    if not is_drift:
        return f"The order of the examples says nothing about them ({p})."
    text = f"Examples that are alike stand near each other ({p})"
    if len(segments) < 2:
        return f"{text}, without a place where the dataset changes."
    return f"{text}: the dataset changes before {', '.join(map(str, segments['start'][1:7]))}" + (
        " and others." if len(segments) > 7 else "."
    )


def _significance(graph: NeighborGraph, permutations: int, rng: np.random.Generator) -> _PValues:
    """Compare the statistic with that of shuffled places."""
    m = len(graph)
    neighbors = frozen(np.ascontiguousarray(graph.neighbors))
    own = _statistic(neighbors, np.arange(m))
    others = np.array([_statistic(neighbors, rng.permutation(m)) for _ in range(permutations)])
    counted = (1 + int(np.count_nonzero(others >= own))) / (permutations + 1)
    width = float(np.std(others, ddof=1)) * permutations**-0.2
    if width < 1e-12:  # all permutations give the same: nothing to estimate a tail from
        return _PValues(counted, counted)
    return _PValues(float(np.mean(ndtr((others - own) / width))), counted)


def _statistic(neighbors: Codes, places: Ints) -> float:
    """Return how far the distribution of gaps is from that of random pairs, at most."""
    n = len(places)
    counts = np.zeros(n, dtype=np.int64)
    gaps.gap_counts(neighbors, frozen(places), counts)
    total, sums = counts.sum(), np.cumsum(counts)
    d = np.arange(n)
    expected = np.cumsum(np.where(d > 0, n - d, 0)) / (n * (n - 1) / 2)
    there = counts > 0
    before, almost = (sums - counts) / total - expected, (sums - 1) / total - expected
    return float(max(np.abs(before[there]).max(), np.abs(almost[there]).max()))


def _example_scores(graph: NeighborGraph) -> Floats:
    """Return 1 where an example's gaps are spread as those of random partners, towards 0 if not."""
    n, k = graph.neighbors.shape
    scores = np.empty(n)
    for start in range(0, n, 1 << 14):
        i = np.arange(start, min(start + (1 << 14), n))[:, None]
        gaps = np.sort(np.abs(graph.neighbors[i[:, 0]] - i), axis=1).astype(np.float64)
        ends = np.hstack([np.zeros_like(gaps[:, :1]), gaps, np.full_like(gaps[:, :1], n - 1.0)])
        areas = np.diff(_area(ends, np.minimum(i, n - 1 - i).astype(np.float64), n), axis=1)
        apart = np.abs(np.arange(k + 1) / k * np.diff(ends, axis=1) - areas).sum(axis=1)
        scores[i[:, 0]] = 1.0 - np.tanh(apart / np.maximum(i, n - i)[:, 0])
    return scores


def _area(d: Floats, b: Floats, n: int) -> Floats:
    """Integrate, from 0 to d, the distribution of the gap to a random partner; b to the edge."""
    far = n - 1 - b
    near = np.minimum(d, b) ** 2 / (n - 1)
    middle = np.clip(d, b, far)
    return near + (middle - b) * (middle + 3 * b) / (2 * (n - 1)) + np.maximum(d - far, 0.0)


def _whole(n: int) -> pd.DataFrame:
    return pd.DataFrame({"start": [0], "stop": [n], "size": [n], "z": [0.0]})


def _segments(graph: NeighborGraph) -> pd.DataFrame:
    """Split where fewer links pass over a place than chance would have it, the clearest first."""
    m = len(graph)
    neighbors = frozen(np.ascontiguousarray(graph.neighbors))
    least = max(LEAST_SEGMENT, m // (4 * MOST_SEGMENTS))
    limit = float(norm.isf(ERROR_RATE / max(m, 1)))
    cuts: dict[int, float] = {}
    ranges = [(0, m)]
    while ranges and len(cuts) < MOST_SEGMENTS - 1:
        start, stop = ranges.pop(0)
        place, z = _clearest_cut(neighbors, start, stop, least)
        if z > limit:
            cuts[place] = z
            ranges += [(start, place), (place, stop)]
    starts = [0, *sorted(cuts)]
    stops = [*starts[1:], m]
    frame = pd.DataFrame({
        "start": graph.rows[starts],
        "stop": [*graph.rows[starts[1:]].tolist(), graph.n],
        "size": np.subtract(stops, starts),
        "z": [0.0, *(cuts[place] for place in starts[1:])],
    })  # fmt: skip
    frame.loc[0, "start"] = 0
    return frame


def _clearest_cut(neighbors: Codes, start: int, stop: int, least: int) -> tuple[int, float]:
    """Return the place in [start, stop) that links pass over least, by Chen and Zhang's Z."""
    n = stop - start
    if n < 2 * least or n < 4:
        return start, 0.0
    crossing, degrees = np.zeros(n + 1, dtype=np.int64), np.zeros(n, dtype=np.int64)
    gaps.pass_over(neighbors, start, stop, crossing, degrees)
    t = np.arange(least, n - least + 1, dtype=np.float64)
    passing = np.cumsum(crossing)[least : n - least + 1]
    links, squares = degrees.sum() / 2.0, float(np.sum(degrees.astype(np.float64) ** 2))
    p1 = 2 * t * (n - t) / (n * (n - 1))
    p2 = 4 * t * (t - 1) * (n - t) * (n - t - 1) / (float(n) * (n - 1) * (n - 2) * (n - 3))
    variance = p2 * links + (p1 / 2 - p2) * squares + (p2 - p1**2) * links**2
    z = (p1 * links - passing) / np.sqrt(np.maximum(variance, 1e-12))
    z[variance <= 1e-9] = 0.0
    best = int(np.argmax(z))
    return start + least + best, float(z[best])


CHECK = Check(
    "non_iid",
    "whether the order of the dataset says something about its content, and where it changes",
    find_drift,
    needs=(("features",), ("graph",), ("pred_probs",)),
    label_kinds=("class", "number", "classes"),
)
