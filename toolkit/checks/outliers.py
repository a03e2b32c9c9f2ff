"""Outliers: examples far from all others, or that the model is unsure of.

References
----------
J. Kuan, J. Mueller. Back to the Basics: Revisiting Out-of-Distribution Detection Baselines. ICML
2022 workshop, arXiv 2207.03061.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.neighbors.graph import Metric, NeighborGraph, as_graph
from goldlabel.typing import Floats

from .columns import rows_with_labels
from .out_of_distribution import (
    Method,
    OutOfDistribution,
    distance_scale,
    distance_scores,
)
from .registry import Check
from .result import CheckResult

__all__ = ["BY_DISTANCE", "CHECK", "distance_cut", "find_outliers"]

BY_DISTANCE = 0.37037
"""By default, distances beyond ``Q3 + 1.7 (Q3 - Q1)`` are flagged."""
BY_PROBABILITY = 0.13
"""By default, scores below this share of their median are."""


def find_outliers(
    *,
    features: Any = None,
    pred_probs: Any = None,
    graph: Any = None,
    labels: Any = None,
    k: int | None = None,
    metric: Metric | None = None,
    t: float = 1.0,
    threshold: float | None = None,
    scaling_factor: float | None = None,
    method: Method = "entropy",
    adjust_pred_probs: bool = True,
    confident_thresholds: npt.ArrayLike | None = None,
    M: int = 100,
    gamma: float = 0.1,
) -> CheckResult:
    """Find the examples that are unlike all others.

    Parameters
    ----------
    features : array_like of shape (n, d), optional
        Numbers, e.g. embeddings. An example is scored by its mean distance to its neighbours.
    pred_probs : array_like of shape (n, k), optional
        Used where there are neither features nor a graph: an example is scored by how sure the
        model is, given `labels` (for adjusting; see `goldlabel.checks.OutOfDistribution`).
    graph : optional
        Neighbours, as for `goldlabel.neighbors.as_graph`.
    labels : array_like of shape (n,), optional
        Only for pred_probs.
    k : int, optional
        Neighbours that count; 10, or all that there are, if not given.
    metric : {"cosine", "euclidean"}, optional
    t : float
        How fast scores fall with distance.
    threshold : float, optional
        By distance, c in [0, 1]: those beyond ``Q3 + (1 / c - 1) (Q3 - Q1)`` are flagged, none for
        0; 0.37 if not given. By probability: scores below c times their median are; 0.13.
    scaling_factor : float, optional
        Distance at which the score is ``exp(-t)``; the median if not given.
    method, adjust_pred_probs, confident_thresholds, M, gamma
        For pred_probs; see `goldlabel.checks.OutOfDistribution`.

    Returns
    -------
    CheckResult
        Columns `distance`, `nearest_neighbor`; figure `cut`: the distance or score to apply to
        new data.

    Raises
    ------
    InputError
        Nothing to work with, or something that does not fit.

    Examples
    --------
    >>> found = find_outliers(features=[[0.0], [0.1], [0.2], [0.3], [0.4], [9.0]], k=2)
    >>> found.ranked().tolist(), found.reasons()
    ([5], ['mean distance to its neighbours is 8.65, beyond the cut'])
    """
    if features is None and graph is None:
        if pred_probs is None:
            raise InputError(
                "features", "are missing, and so are a graph and pred_probs", "Pass one of them"
            )
        options = {"method": method, "adjust_pred_probs": adjust_pred_probs, "M": M,
                   "gamma": gamma, "confident_thresholds": confident_thresholds}  # fmt: skip
        return _by_probability(pred_probs, labels, threshold, options)
    if scaling_factor is not None:
        check.number(scaling_factor, name="scaling_factor", low=np.finfo(float).tiny)
    check.number(t, name="t", low=0.0)
    share = BY_DISTANCE if threshold is None else threshold
    check.number(share, name="threshold", low=0.0, high=1.0)
    found = as_graph(features, graph, k=k, metric=metric)
    return _by_distance(found, t, share, scaling_factor)


def distance_cut(distances: Floats, share: float) -> float:
    """Return ``Q3 + (1 / share - 1) (Q3 - Q1)``, beyond which examples are outliers."""
    low, high = np.quantile(distances, [0.25, 0.75])
    return float(high + (1 / share - 1) * (high - low)) if share > 0 else np.inf


def _by_distance(
    found: NeighborGraph, t: float, share: float, scaling_factor: float | None
) -> CheckResult:
    distances = found.distances.mean(axis=1)
    scale = distance_scale(distances) if scaling_factor is None else scaling_factor
    cut = distance_cut(distances, share)
    is_issue = distances > cut
    scores = found.spread(distance_scores(distances, scale, found.metric, t), 1.0)
    flagged = int(is_issue.sum())
    return CheckResult(
        check="outlier",
        scores=scores,
        is_issue=found.spread(is_issue, False),
        score=float(scores.mean()),
        verdict=f"{flagged} examples lie farther from their neighbours than {cut:.3g}.",
        is_found=flagged > 0,
        reason="mean distance to its neighbours is {distance:.3g}, beyond the cut",
        columns={
            "distance": found.spread(distances, np.nan),
            "nearest_neighbor": found.spread(found.rows[found.neighbors[:, 0]], -1),
        },
        figures={"cut": cut if np.isfinite(cut) else None, "scale": scale},
        params={"k": found.k, "metric": found.metric, "t": t, "threshold": share},
        notes=found.notes,
    )


def _by_probability(
    pred_probs: Any, labels: Any, threshold: float | None, options: dict[str, Any]
) -> CheckResult:
    share = BY_PROBABILITY if threshold is None else threshold
    check.number(share, name="threshold", low=0.0)
    notes: tuple[str, ...] = ()
    probs, typical = pred_probs, OutOfDistribution(**options)
    if labels is not None:
        rows, _, notes = rows_with_labels(labels, pred_probs, None)
        typical.fit(pred_probs=rows.pred_probs, labels=rows.labels)
        probs = rows.pred_probs if not notes else pred_probs
    else:
        typical.fit(pred_probs=pred_probs)
    scores = typical.score(pred_probs=probs)
    cut = share * float(np.median(scores))
    is_issue = scores < cut
    flagged = int(is_issue.sum())
    return CheckResult(
        check="outlier",
        scores=scores,
        is_issue=is_issue,
        score=float(scores.mean()),
        verdict=f"The model is unusually unsure of {flagged} examples.",
        is_found=flagged > 0,
        reason="the model is as sure of it as {score:.3g}, which is unusually low",
        figures={"cut": cut},
        params={**options, "threshold": share},
        notes=notes,
    )


CHECK = Check(
    "outlier",
    "examples far from all others, or that the model is unsure of",
    find_outliers,
    needs=(("features",), ("graph",), ("pred_probs", "labels")),
    label_kinds=("class", "number", "classes"),
)
