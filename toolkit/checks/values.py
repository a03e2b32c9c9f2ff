"""What each example is worth to a classifier by its neighbours: KNN-Shapley values.

References
----------
R. Jia et al. Efficient Task-Specific Data Valuation for Nearest Neighbor Algorithms. VLDB 12
(2019) 1610-1623, arXiv 1908.08619; Scalability vs. Utility: Do We Have to Sacrifice One for the
Other in Data Importance Quantification? CVPR 2021, arXiv 1911.07128.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from goldlabel.inputs import check
from goldlabel.inputs.labels import one_column
from goldlabel.kernels import shapley
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import each_block
from goldlabel.neighbors.exact import row_order
from goldlabel.neighbors.features import usable_features
from goldlabel.neighbors.graph import DEFAULT_K, FEW_COLUMNS, Metric, as_graph
from goldlabel.typing import Floats, Ints

from .columns import coded_labels
from .registry import Check
from .result import CheckResult

__all__ = ["CHECK", "data_values"]

EXACT_BLOCK = 64
"""Examples whose order of all others is made at a time."""
WAVE = 64
"""Blocks whose sums are kept at a time, to be added in order."""


def data_values(
    *,
    labels: Any,
    features: Any = None,
    graph: Any = None,
    k: int | None = None,
    metric: Metric | None = None,
    threshold: float = 0.5,
    horizon: int | None = None,
    exact: bool = False,
) -> CheckResult:
    """Find the examples that make a classifier by neighbours worse.

    Each example is classified by its k nearest; the value of an example, in [-1, 1], is its mean
    Shapley value in doing so. The score is ``(value + 1) / 2``.

    Parameters
    ----------
    labels : array_like of shape (n,)
        Of any kind that can be compared.
    features : array_like of shape (n, d), optional
    graph : optional
        Neighbours, as for `goldlabel.neighbors.as_graph`; at least as many as `horizon`.
    k : int, optional
        Neighbours that vote; 10, or all that there are, if not given.
    metric : {"cosine", "euclidean"}, optional
    threshold : float
        Examples that score lower are flagged: by default, those of negative value.
    horizon : int, optional
        Neighbours that are worth anything; k, if not given, which is coarse: the more, the nearer
        to the exact value.
    exact : bool
        Look at all others, not only at a horizon; features are needed, and time grows with n^2.

    Returns
    -------
    CheckResult
        Column `value`.

    Raises
    ------
    InputError
        Nothing to work with, or something that does not fit.

    Examples
    --------
    >>> points, labels = [[0.0], [1.0], [2.5], [4.5], [7.0]], [0, 0, 1, 1, 0]
    >>> data_values(features=points, labels=labels, k=3).scores.round(6).tolist()
    [0.533333, 0.533333, 0.5, 0.5, 0.5]
    """
    check.number(threshold, name="threshold", low=0.0, high=1.0)
    if exact:
        values, params, notes = _exactly(features, labels, k, metric)
    else:
        values, params, notes = _within(features, graph, labels, k, metric, horizon)
    scores = np.clip((values + 1.0) / 2.0, 0.0, 1.0)
    is_issue = scores < threshold
    flagged = int(is_issue.sum())
    return CheckResult(
        check="data_valuation",
        scores=scores,
        is_issue=is_issue,
        score=float(scores.mean()),
        verdict=f"{flagged} examples make a classifier by {params['k']} neighbours worse.",
        is_found=flagged > 0,
        reason="its neighbours are classified worse for it: its value is {value:.3g}",
        columns={"value": values},
        figures={"mean_value": float(values.mean())},
        params={**params, "threshold": threshold},
        notes=notes,
    )


def _codes(labels: Any, n: int) -> tuple[Ints, Ints, tuple[str, ...]]:
    """Return labels as numbers, and where there is none: a class of its own, like no other."""
    column = pd.Series(one_column(labels))
    try:
        sortable = coded_labels(column, n=n)
    except TypeError:
        sortable = coded_labels(column.astype(str).where(column.notna()), n=n)
    codes = sortable.codes.copy()
    missing = np.flatnonzero(codes < 0)
    codes[missing] = len(sortable.classes) + np.arange(missing.size)
    return codes, missing, sortable.notes


def _within(
    features: Any, graph: Any, labels: Any, k: int | None, metric: Metric | None,
    horizon: int | None,
) -> tuple[Floats, dict[str, Any], tuple[str, ...]]:  # fmt: skip
    asked = horizon if horizon is not None else k
    found = as_graph(features, graph, k=asked, metric=metric, at_least=True)
    if asked is None:
        found = found.first(min(DEFAULT_K, found.k))
    voters = found.k if k is None else check.whole_number(k, name="k", low=1)
    voters = min(voters, found.k)
    codes, missing, notes = _codes(labels, found.n)
    sums = np.zeros(len(found))
    own = np.ascontiguousarray(codes[found.rows])
    neighbors = frozen(np.ascontiguousarray(found.neighbors))
    shapley.add_values(neighbors, own, np.arange(len(found)), voters, False, sums)
    params = {"k": voters, "horizon": found.k, "exact": False, "metric": found.metric}
    values = found.spread(sums / len(found), 0.0)
    values[missing] = 0.0
    return values, params, found.notes + notes


def _exactly(
    features: Any, labels: Any, k: int | None, metric: Metric | None
) -> tuple[Floats, dict[str, Any], tuple[str, ...]]:
    usable = usable_features(features)
    m, d = usable.values.shape
    kind = metric or ("cosine" if d > FEW_COLUMNS else "euclidean")
    voters = min(DEFAULT_K, m - 1) if k is None else check.whole_number(k, name="k", low=1)
    codes, missing, notes = _codes(labels, usable.n)
    own = np.ascontiguousarray(codes[usable.rows])
    order = row_order(usable.values, kind)
    total = np.zeros(m)
    for first in range(0, m, EXACT_BLOCK * WAVE):
        size = min(EXACT_BLOCK * WAVE, m - first)
        sums: dict[int, Floats] = {}

        def run(worker: int, block: int, rows: slice, first: int = first, sums: Any = sums) -> None:
            tested = np.arange(first + rows.start, first + rows.stop)
            sums[block] = np.zeros(m)
            shapley.add_values(order(tested), own, tested, voters, True, sums[block])

        each_block(run, size, EXACT_BLOCK)
        for block in range(len(sums)):  # in this order, whoever was first
            total += sums[block]
    values = np.zeros(usable.n)
    values[usable.rows] = total / m
    values[missing] = 0.0
    return values, {"k": voters, "exact": True, "metric": kind}, usable.notes + notes


CHECK = Check(
    "data_valuation",
    "examples that make a classifier by neighbours worse",
    data_values,
    needs=(("features", "labels"), ("graph", "labels")),
    is_default=False,
    label_kinds=("class", "number"),
)
