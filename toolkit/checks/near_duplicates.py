"""Near duplicates: groups of examples that are nearly the same, and labels that contradict."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from goldlabel.inputs import check
from goldlabel.neighbors.graph import Metric, NeighborGraph, as_graph
from goldlabel.typing import Floats, Ints, Mask

from .columns import CodedLabels, coded_labels
from .registry import Check
from .result import CheckResult

__all__ = [
    "CHECK",
    "Keep",
    "find_near_duplicates",
    "group_table",
    "grouped_pairs",
    "kept",
    "median_apart",
]

Keep = Literal["first", "last", "majority"]

SAME = {"cosine": 1e-12, "euclidean": 0.0}
"""Distances up to it are none: single precision tells such rows from equal ones no better."""
LEAST_MEDIAN = 1e-6


def find_near_duplicates(
    *,
    features: Any = None,
    graph: Any = None,
    labels: Any = None,
    k: int | None = None,
    metric: Metric | None = None,
    threshold: float = 0.13,
    keep: Keep = "first",
) -> CheckResult:
    """Find groups of examples that are nearly the same.

    Two examples are near duplicates where one is among the other's neighbours, nearer than
    `threshold` times the median distance to the nearest neighbour (that of equal examples left
    out); equal ones are in any case. What is linked so, over any number of others, is one group.

    Parameters
    ----------
    features : array_like of shape (n, d), optional
    graph : optional
        Neighbours, as for `goldlabel.neighbors.as_graph`.
    labels : array_like of shape (n,), optional
        Groups whose labels contradict each other come first.
    k : int, optional
        Neighbours that count; 10, or all that there are, if not given.
    metric : {"cosine", "euclidean"}, optional
    threshold : float
        0 finds equal examples only.
    keep : {"first", "last", "majority"}
        Which example of a group to keep: the first, the last, or the first of those with the
        label that most of the group have.

    Returns
    -------
    CheckResult
        Columns `nearest_neighbor`, `distance`, `group` (-1: none), `is_kept`; frames `groups` (a
        row per group: label conflicts first, then the largest) and `pairs`.

    Raises
    ------
    InputError
        Nothing to work with, or something that does not fit.

    Examples
    --------
    >>> points = [[0.0], [0.01], [1.0], [2.2], [3.5], [5.0], [6.6], [6.6]]
    >>> found = find_near_duplicates(features=points, k=2, labels=list("aabbbbba"))
    >>> found.frames["groups"][["examples", "labels", "is_conflict", "keep"]]
      examples labels  is_conflict  keep
    0   [6, 7]   b, a         True     6
    1   [0, 1]      a        False     0
    """
    check.number(threshold, name="threshold", low=0.0)
    check.choice(keep, get_args(Keep), name="keep")
    found = as_graph(features, graph, k=k, metric=metric)
    coded = None if labels is None else coded_labels(labels, n=found.n)
    return _judged(found, coded, threshold, keep)


def _judged(
    found: NeighborGraph, coded: CodedLabels | None, threshold: float, keep: Keep
) -> CheckResult:
    nearest = found.distances[:, 0]
    same, median = SAME.get(found.metric or "", 0.0), median_apart(nearest, found.metric)
    pairs = _pairs(found, threshold * median, same)
    group = grouped_pairs(pairs, found.n)
    scores = -np.expm1(-nearest / median)
    scores[nearest <= same] = 0.0
    scores = found.spread(scores, 1.0)
    is_kept = kept(group, keep, coded)
    groups = group_table(group, is_kept, coded)
    return CheckResult(
        check="near_duplicate",
        scores=scores,
        is_issue=group >= 0,
        score=float(scores.mean()),
        verdict=verdict(groups),
        is_found=len(groups) > 0,
        reason="in group {group} of near duplicates; the nearest example is {nearest_neighbor}, at"
        " distance {distance:.3g}",
        columns={
            "nearest_neighbor": found.spread(found.rows[found.neighbors[:, 0]], -1),
            "distance": found.spread(nearest, np.nan),
            "group": group,
            "is_kept": is_kept,
        },
        frames={"groups": groups, "pairs": pairs},
        figures={"groups": len(groups), "conflicts": int(groups["is_conflict"].sum()),
                 "surplus": int((~is_kept).sum()), "cut": threshold * median},
        params={"k": found.k, "metric": found.metric, "threshold": threshold, "keep": keep},
        notes=found.notes + (() if coded is None else coded.notes),
    )  # fmt: skip


def _pairs(graph: NeighborGraph, cut: float, same: float) -> pd.DataFrame:
    """Return the pairs of near duplicates, each once, by position."""
    rows, columns = np.nonzero((graph.distances < cut) | (graph.distances <= same))
    first, second = graph.rows[rows], graph.rows[graph.neighbors[rows, columns]]
    frame = pd.DataFrame({
        "example": np.minimum(first, second),
        "other": np.maximum(first, second),
        "distance": graph.distances[rows, columns],
    })  # fmt: skip
    frame = frame.drop_duplicates(["example", "other"]).sort_values(["example", "other"])
    return frame.reset_index(drop=True)


def grouped_pairs(pairs: pd.DataFrame, n: int) -> Ints:
    """Return the group of each of n examples, numbered by first member; -1 where there is none."""
    first, second = pairs["example"].to_numpy(), pairs["other"].to_numpy()
    links = coo_array((np.ones(len(pairs), dtype=np.int8), (first, second)), shape=(n, n))
    component = connected_components(links, directed=False)[1]
    is_member = np.zeros(n, dtype=np.bool_)
    is_member[first] = is_member[second] = True
    group = np.full(n, -1, dtype=np.int64)
    numbers = pd.factorize(component[is_member])[0]
    group[is_member] = numbers
    return group


def kept(group: Ints, keep: Keep, labels: CodedLabels | None) -> Mask:
    """Return which examples to keep, (n,): all that are in no group, and one of each group."""
    members = np.flatnonzero(group >= 0)
    numbers = group[members]
    order = members if keep != "last" else members[::-1]
    if keep == "majority" and labels is not None:
        frame = pd.DataFrame({"group": numbers, "code": labels.codes[members]})
        votes = frame.groupby(["group", "code"])["code"].transform("size").to_numpy()
        votes = np.where(frame["code"] >= 0, votes, 0)
        order = members[np.lexsort((members, -votes))]
    out: Mask = group < 0
    out[order[np.unique(group[order], return_index=True)[1]]] = True
    return out


def group_table(group: Ints, is_kept: Mask, labels: CodedLabels | None) -> pd.DataFrame:
    """Return a row per group: those whose labels contradict first, then the largest."""
    members = np.flatnonzero(group >= 0)
    order = members[np.argsort(group[members], kind="stable")]
    counts = np.bincount(group[members], minlength=0)
    starts = np.cumsum(counts) - counts
    size = [np.empty(0, dtype=np.int64)] if not counts.size else np.split(order, starts[1:])
    frame = pd.DataFrame({
        "group": np.arange(counts.size),
        "size": counts,
        "is_conflict": np.zeros(counts.size, dtype=np.bool_),
        "keep": order[is_kept[order]],
        "examples": pd.Series([rows.tolist() for rows in size[: counts.size]], dtype=object),
    })  # fmt: skip
    if labels is not None and counts.size:
        names = labels.names()
        own = pd.DataFrame({"group": group[order], "code": labels.codes[order]})
        own = own[own["code"] >= 0].drop_duplicates()
        frame["is_conflict"] = np.bincount(own["group"], minlength=counts.size) > 1
        texts = [
            ", ".join(dict.fromkeys(str(name) for name in names[rows] if name is not None))
            for rows in size
        ]
        frame.insert(3, "labels", texts)
    frame = frame.sort_values(
        ["is_conflict", "size", "group"], ascending=[False, False, True], kind="stable"
    )
    return frame.reset_index(drop=True)


def verdict(groups: pd.DataFrame) -> str:
    """Say in a sentence what groups there are."""
    if not len(groups):
        return "No two examples are nearly the same."
    count, conflicts = len(groups), int(groups["is_conflict"].sum())
    text = f"{groups['size'].sum()} examples are near duplicates, in {count} group"
    text += "s" * (count > 1)
    return f"{text}; labels contradict in {conflicts} of them." if conflicts else f"{text}."


def median_apart(distances: Floats, metric: str | None) -> float:
    """Return the median distance of those that are not equal."""
    apart = distances[distances > SAME.get(metric or "", 0.0)]
    return float(np.median(apart)) if apart.size else LEAST_MEDIAN


CHECK = Check(
    "near_duplicate",
    "groups of examples that are nearly the same",
    find_near_duplicates,
    needs=(("features",), ("graph",)),
    label_kinds=("class", "number", "classes"),
)
