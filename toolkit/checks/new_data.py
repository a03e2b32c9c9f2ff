"""New data beside what is known: drift, examples unlike any, classes never seen.

References
----------
M. Schilling. Multivariate two-sample tests based on nearest neighbors. Journal of the American
Statistical Association 81 (1986) 799-806.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.labels import one_column
from goldlabel.neighbors.exact import nearest_in
from goldlabel.neighbors.features import Features, usable_features
from goldlabel.neighbors.graph import DEFAULT_K, Metric, NeighborGraph, neighbor_graph
from goldlabel.typing import Floats, Mask

from .leakage import same_columns
from .out_of_distribution import distance_scale, distance_scores
from .outliers import BY_DISTANCE, distance_cut
from .result import CheckResult

__all__ = ["compare_new_data"]

SAMPLE = 4000
"""Examples of each side that the test of drift looks at."""


def compare_new_data(
    *,
    features: Any,
    reference_features: Any,
    labels: Any = None,
    reference_labels: Any = None,
    k: int | None = None,
    metric: Metric | None = None,
    threshold: float = BY_DISTANCE,
    num_permutations: int = 199,
    seed: int = 0,
) -> CheckResult:
    """Compare new data with a reference: what was audited, or trained on.

    Parameters
    ----------
    features : array_like of shape (m, d)
        Of the new data.
    reference_features : array_like of shape (n, d)
    labels, reference_labels : array_like, optional
        Labels that the reference does not have are flagged.
    k : int, optional
        Neighbours that count; 10, or all that there are, if not given.
    metric : {"cosine", "euclidean"}, optional
    threshold : float
        As for `goldlabel.checks.find_outliers`: the quartiles are those of the reference.
    num_permutations : int
        For the test of drift.
    seed : int
        Of the sample for that test, and of its permutations.

    Returns
    -------
    CheckResult
        Of the m new examples. Columns `distance`, `nearest_reference`, `is_new_class`; figures
        `drift_p_value`, `same_side` (share of neighbours of new examples that are new, in a sample
        of both), `expected_same_side`, `outliers`, `expected_outliers`, `new_classes`.

    Raises
    ------
    InputError
        Something that does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> old = np.random.default_rng(0).normal(size=(300, 2))
    >>> found = compare_new_data(features=old[:50] + 5.0, reference_features=old[50:])
    >>> found.figures["drift_p_value"] <= 0.01, found.num_issues > 40
    (True, True)
    """
    check.number(threshold, name="threshold", low=1e-9, high=1.0)
    known = usable_features(reference_features, name="reference_features")
    new = usable_features(features)
    same_columns(known, new, "features")
    graph = neighbor_graph(known, k=k, metric=metric)
    columns, scores, figures, is_far = _distances(known, new, graph, threshold)
    is_new, names = _new_classes(labels, reference_labels, new.n)
    scores[is_new] = 0.0
    drift = _drift(known, new, graph.metric or "euclidean", num_permutations, seed)
    p = drift["drift_p_value"]
    text = (
        f"{figures['outliers']} of {new.n} new examples are unlike the reference"
        f" ({figures['expected_outliers']:.1f} were to be expected); drift: p = {p:.2g}"
    )
    if names:
        text += f"; classes that are new: {', '.join(names[:10])}"
    return CheckResult(
        check="new_data",
        scores=scores,
        is_issue=is_far | is_new,
        score=float(scores.mean()),
        verdict=f"{text}.",
        is_found=bool(is_far.any() or is_new.any() or p < 0.05),
        reason="mean distance to the nearest of the reference {distance:.3g}; of a new class:"
        " {is_new_class}",
        columns={**columns, "is_new_class": is_new},
        figures={**drift, **figures, "new_classes": names},
        params={"k": graph.k, "metric": graph.metric, "threshold": threshold,
                "num_permutations": num_permutations, "seed": seed},
        notes=graph.notes + new.notes,
    )  # fmt: skip


def _distances(
    known: Features, new: Features, graph: NeighborGraph, threshold: float
) -> tuple[dict[str, Any], Floats, dict[str, Any], Mask]:
    """Return columns, scores, figures and flags of the new examples by their distances."""
    kind: Metric = graph.metric or "euclidean"
    nearest = nearest_in(known.values, new.values, graph.k, kind)
    means, own = nearest.distances.mean(axis=1), graph.distances.mean(axis=1)
    cut = distance_cut(own, threshold)
    distance, scores = np.full(new.n, np.nan), np.ones(new.n)
    distance[new.rows] = means
    scores[new.rows] = distance_scores(means, distance_scale(own), kind)
    example = np.full(new.n, -1, dtype=np.int64)
    example[new.rows] = known.rows[nearest.positions[:, 0]]
    is_far = np.nan_to_num(distance) > cut
    figures = {"outliers": int(is_far.sum()),
               "expected_outliers": float((own > cut).mean() * new.n)}  # fmt: skip
    return {"distance": distance, "nearest_reference": example}, scores, figures, is_far


def _new_classes(labels: Any, reference: Any, n: int) -> tuple[Mask, list[str]]:
    if labels is None or reference is None:
        return np.zeros(n, dtype=np.bool_), []
    column = pd.Series(one_column(labels))
    if len(column) != n:
        what = f"has {len(column)} entries, but there are {n} examples"
        raise InputError("labels", what, "Pass one label for each new example")
    is_new = (~column.isin(pd.Series(one_column(reference))) & column.notna()).to_numpy()
    return is_new, sorted({str(name) for name in column[is_new]})


def _drift(
    known: Features, new: Features, metric: Metric, permutations: int, seed: int
) -> dict[str, float]:
    """Test whether neighbours are on the same side more often than chance would have it."""
    check.whole_number(permutations, name="num_permutations", low=1)
    rng = np.random.default_rng(check.whole_number(seed, name="seed"))
    sides = [
        values[np.sort(rng.choice(len(values), min(SAMPLE, len(values)), replace=False))]
        for values in (known.values, new.values)
    ]
    is_new = np.repeat([False, True], [len(side) for side in sides])
    pooled = np.vstack(sides)
    graph = neighbor_graph(pooled, k=min(DEFAULT_K, len(pooled) - 1), metric=metric)

    def same_side(side: Mask) -> float:
        return float(np.mean(side[graph.neighbors] == side[:, None]))

    own = same_side(is_new)
    shuffled = [same_side(rng.permutation(is_new)) for _ in range(permutations)]
    p = (1 + sum(value >= own for value in shuffled)) / (permutations + 1)
    return {"drift_p_value": p, "same_side": own, "expected_same_side": float(np.mean(shuffled))}
