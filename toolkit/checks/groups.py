"""Groups of like examples that the model is bad at.

References
----------
M. Ester, H.-P. Kriegel, J. Sander, X. Xu. A Density-Based Algorithm for Discovering Clusters in
Large Spatial Databases with Noise. KDD 1996.

S. Holm. A simple sequentially rejective multiple test procedure. Scandinavian Journal of
Statistics 6 (1979) 65-70.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.labels import as_array
from goldlabel.kernels import clusters
from goldlabel.kernels._jit import frozen
from goldlabel.learning.confident import label_quality
from goldlabel.neighbors.graph import Metric, NeighborGraph, as_graph
from goldlabel.typing import Floats, Ints

from .columns import rows_with_labels
from .registry import Check
from .result import CheckResult

__all__ = ["CHECK", "find_underperforming_groups"]

QUANTILES = (0.02, 0.05, 0.1, 0.25, 0.5)
"""Of the distances that make an example a core of a cluster: small dense groups come first."""


def find_underperforming_groups(
    *,
    labels: Any,
    pred_probs: Any,
    features: Any = None,
    graph: Any = None,
    cluster_ids: npt.ArrayLike | None = None,
    classes: Sequence[Hashable] | None = None,
    k: int | None = None,
    metric: Metric | None = None,
    threshold: float = 0.1,
    min_cluster_samples: int = 5,
    eps: float | None = None,
    min_samples: int = 5,
) -> CheckResult:
    """Find the groups of like examples whose given labels the model finds improbable.

    Groups are clusters by DBSCAN on the neighbours at several scales, those first whose quality is
    farthest below the others', or the caller's own. The quality of a group is the mean probability
    of its examples' given labels; its ratio is that by the mean over all groups.

    Parameters
    ----------
    labels : array_like of shape (n,)
    pred_probs : array_like of shape (n, k)
        Out-of-sample predicted probabilities.
    features : array_like of shape (n, d), optional
    graph : optional
        Neighbours, as for `goldlabel.neighbors.as_graph`.
    cluster_ids : array_like of shape (n,), optional
        Whole numbers, -1 where an example is in no group; in place of features and a graph.
    classes : sequence, optional
        Names of the columns of pred_probs.
    k : int, optional
        Neighbours that count; 10, or all that there are, if not given.
    metric : {"cosine", "euclidean"}, optional
    threshold : float
        Groups with a smaller ratio are flagged.
    min_cluster_samples : int
        Smaller groups are left out.
    eps : float, optional
        Distance up to which DBSCAN links neighbours. If not given, several: where the sorted
        distances to the neighbour that makes a core example bend, and some of their quantiles.
    min_samples : int
        Of DBSCAN; the example itself counts.

    Returns
    -------
    CheckResult
        Column `group` (-1: none); frame `groups`: every group, worst first, with size, quality,
        ratio, and the chance (corrected for the number of groups) that as many examples drawn at
        random are so bad.

    Raises
    ------
    InputError
        Something is missing or does not fit, or there is no group.

    Examples
    --------
    >>> quality = [0.5] * 10 + [0.53] * 10 + [0.95] * 80
    >>> found = find_underperforming_groups(
    ...     labels=[0] * 99 + [1], pred_probs=[[p, 1 - p] for p in quality],
    ...     cluster_ids=[0] * 10 + [1] * 10 + [2] * 80, threshold=0.9,
    ... )
    >>> found.frames["groups"][["group", "size", "is_issue"]].to_numpy().tolist()
    [[0, 10, True], [1, 10, True], [2, 80, False]]
    """
    check.number(threshold, name="threshold", low=0.0)
    least = check.whole_number(min_cluster_samples, name="min_cluster_samples", low=1)
    rows, known, notes = rows_with_labels(labels, pred_probs, classes)
    n = known.size if not notes else len(labels)
    quality = np.full(n, np.nan)
    quality[known] = label_quality(rows.labels, rows.pred_probs, "self_confidence")
    params: dict[str, Any] = {"threshold": threshold, "min_cluster_samples": least}
    if cluster_ids is not None:
        group, looks = _given(cluster_ids, n), 0
    else:
        found = as_graph(features, graph, k=k, metric=metric, n=n)
        check.whole_number(min_samples, name="min_samples", low=2)
        scales = (
            _scales(found, min_samples) if eps is None else [check.number(eps, name="eps", low=0.0)]
        )
        layers = [found.spread(_dbscan(found, scale, min_samples), -1) for scale in scales]
        group, looks = _worst_first(layers, quality, least)
        notes += found.notes
        params |= {"eps": scales, "min_samples": min_samples, "k": found.k, "metric": found.metric}
    group = np.where(np.isnan(quality), -1, group)
    sizes = np.bincount(group[group >= 0]) if (group >= 0).any() else np.empty(0, dtype=np.int64)
    if not (sizes >= least).any():
        what = f"has no group of {least} examples or more"
        raise InputError("features" if cluster_ids is None else "cluster_ids", what,
                         "Lower min_cluster_samples, or raise eps")  # fmt: skip
    group = np.where((group >= 0) & (np.append(sizes, 0)[group] >= least), group, -1)
    return _judged(group, quality, threshold, looks, params, notes)


def _given(cluster_ids: npt.ArrayLike, n: int) -> Ints:
    ids = as_array(cluster_ids, "cluster_ids")
    if ids.shape != (n,) or ids.dtype.kind not in "iu":
        what = f"has shape {ids.shape} and dtype {ids.dtype}, but there are {n} examples"
        raise InputError("cluster_ids", what, "Pass a whole number for each")
    if (ids < -1).any():
        at = int(np.argmax(ids < -1))
        raise InputError(f"cluster_ids[{at}]", f"is {ids[at]}", "Pass -1 for no group, or 0, 1, ..")
    if ids.max(initial=-1) < 4 * n:
        return ids.astype(np.int64)
    codes = pd.factorize(np.where(ids < 0, -1, ids), sort=True)[0]
    return codes.astype(np.int64) - int((ids < 0).any())


def _judged(
    group: Ints, quality: Floats, threshold: float, looks: int, params: dict[str, Any],
    notes: tuple[str, ...],
) -> CheckResult:  # fmt: skip
    members = np.flatnonzero(group >= 0)
    values, own = quality[members], group[members]
    sizes = np.bincount(own)
    numbers = np.flatnonzero(sizes)
    sizes, sums = sizes[numbers], np.bincount(own, weights=values)[numbers]
    means, overall = sums / sizes, float(values.mean())
    ratios = means / overall if overall > 0 else np.ones_like(means)
    is_bad = (ratios < threshold) & (means < overall)
    frame = pd.DataFrame({
        "group": numbers, "size": sizes, "quality": means, "ratio": ratios,
        "p_value": _chances(means, sizes, values, looks), "is_issue": is_bad,
    }).sort_values(["ratio", "group"]).reset_index(drop=True)  # fmt: skip
    by_group = np.ones(numbers[-1] + 2)  # the last: no group
    by_group[numbers] = np.where(means < overall, ratios, 1.0)
    is_issue = np.isin(group, numbers[is_bad])
    unlikely = int(((frame["p_value"] < 0.05) & (frame["ratio"] < 1)).sum())
    verdict = (
        f"{int(is_bad.sum())} of {len(numbers)} groups have less than {threshold:.0%} of the"
        f" quality of all; {unlikely} are worse than chance would have them."
    )
    return CheckResult(
        check="underperforming_group",
        scores=by_group[group],
        is_issue=is_issue,
        score=float(min(ratios.min(), 1.0)),
        verdict=verdict,
        is_found=bool(is_bad.any()),
        reason="in group {group}, whose labels the model gives {score:.0%} of the usual"
        " probability",
        columns={"group": group},
        frames={"groups": frame},
        figures={"groups": len(numbers), "worse_than_chance": unlikely, "quality": overall},
        params=params,
        notes=notes,
    )


def _z(means: Floats, sizes: Ints, values: Floats) -> Floats:
    """Return how many standard errors each mean is from that of random draws without return."""
    n = len(values)
    variance = values.var(ddof=1) / sizes * (n - sizes) / max(n - 1, 1) if n > 1 else sizes * 0.0
    z: Floats = np.zeros_like(means)
    np.divide(means - values.mean(), np.sqrt(variance), out=z, where=variance > 1e-18)
    return z


def _chances(means: Floats, sizes: Ints, values: Floats, looks: int) -> Floats:
    """Return the chance of each mean or less, corrected for so many looks by Holm."""
    chance = ndtr(_z(means, sizes, values))
    order = np.argsort(chance, kind="stable")
    left = np.maximum(max(looks, len(order)) - np.arange(len(order)), 1)
    corrected = np.maximum.accumulate(chance[order] * left)
    out: Floats = np.empty_like(chance)
    out[order] = np.minimum(corrected, 1.0)
    return out


def _worst_first(layers: list[Ints], quality: Floats, least: int) -> tuple[Ints, int]:
    """Return disjoint groups of clusters that overlap, the worst first, and how many there were.

    A cluster keeps those of its examples that no worse one has, if they are enough.
    """
    known = ~np.isnan(quality)
    found: dict[bytes, Ints] = {}
    for layer in layers:
        rows = np.flatnonzero((layer >= 0) & known)
        order = rows[np.argsort(layer[rows], kind="stable")]
        for members in np.split(order, np.flatnonzero(np.diff(layer[order])) + 1):
            if members.size >= least:
                found.setdefault(members.tobytes(), members)
    candidates = list(found.values())
    means = np.array([quality[members].mean() for members in candidates])
    sizes = np.array([members.size for members in candidates], dtype=np.int64)
    group = np.full(len(quality), -1, dtype=np.int64)
    number = 0
    for at in np.argsort(_z(means, sizes, quality[known]), kind="stable"):
        free = candidates[at][group[candidates[at]] < 0]
        if free.size >= least:
            group[free] = number
            number += 1
    return group, len(candidates)


def _scales(graph: NeighborGraph, min_samples: int) -> list[float]:
    """Return distances at which to cluster: some quantiles of core distances, and their bend.

    They bend where, sorted, they lie farthest below the line from the first to the last.
    """
    at = min(max(min_samples - 2, 0), graph.k - 1)
    ordered = np.sort(graph.distances[:, at])
    line = np.linspace(ordered[0], ordered[-1], len(ordered))
    bend = ordered[int(np.argmax(line - ordered))]
    return sorted({float(cut) for cut in (*np.quantile(ordered, QUANTILES), bend)})


def _dbscan(graph: NeighborGraph, eps: float, min_samples: int) -> Ints:
    """Return the cluster of each row of the graph, -1 for noise."""
    cluster, stack = np.empty(len(graph), dtype=np.int64), np.empty(len(graph), dtype=np.int64)
    neighbors, distances = map(np.ascontiguousarray, (graph.neighbors, graph.distances))
    clusters.dbscan(frozen(neighbors), frozen(distances), eps, min_samples, stack, cluster)
    return cluster


CHECK = Check(
    "underperforming_group",
    "groups of like examples that the model is bad at",
    find_underperforming_groups,
    needs=(("labels", "pred_probs", "features"), ("labels", "pred_probs", "graph")),
)
