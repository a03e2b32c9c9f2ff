"""Wrong labels, without a model too: by the votes of neighbours."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from goldlabel.errors import InputError, collected_warnings
from goldlabel.learning.filters import Options, judge
from goldlabel.neighbors.graph import Metric, as_graph
from goldlabel.typing import Floats, Ints

from .columns import CodedLabels, coded_labels, rows_with_labels
from .registry import Check
from .result import CheckResult

__all__ = ["CHECK", "find_wrong_labels", "neighbor_votes"]

LEAST_PER_CLASS = 10


def find_wrong_labels(
    *,
    labels: Any,
    pred_probs: Any = None,
    features: Any = None,
    graph: Any = None,
    classes: Sequence[Hashable] | None = None,
    k: int | None = None,
    metric: Metric | None = None,
    filter_by: Any = "prune_by_noise_rate",
    min_examples_per_class: int = LEAST_PER_CLASS,
) -> CheckResult:
    """Find the examples whose label is probably wrong, by confident learning.

    Parameters
    ----------
    labels : array_like of shape (n,)
    pred_probs : array_like of shape (n, k), optional
        Out-of-sample predicted probabilities; the votes of each example's neighbours if not given.
    features : array_like of shape (n, d), optional
    graph : optional
        Neighbours, as for `goldlabel.neighbors.as_graph`.
    classes : sequence, optional
        Names of the columns of pred_probs.
    k : int, optional
        Neighbours that vote; 10, or all that there are, if not given.
    metric : {"cosine", "euclidean"}, optional
    filter_by : str
        How wrong labels are chosen: see `goldlabel.tasks.multiclass.find_label_issues`.
    min_examples_per_class : int
        Leave at least so many examples in each class.

    Returns
    -------
    CheckResult
        Columns `given`, `suggested`, `confidence` (the probability of what is suggested); figures
        `mean_quality` and `label_health`, its score.

    Raises
    ------
    InputError
        Nothing to work with, or something that does not fit.

    Examples
    --------
    >>> points = [[0.1 * i] for i in range(10)] + [[4 + 0.1 * i] for i in range(10)]
    >>> found = find_wrong_labels(
    ...     labels=["b"] + ["a"] * 9 + ["b"] * 10, features=points, k=3, min_examples_per_class=1
    ... )
    >>> found.ranked().tolist(), found.reasons()
    ([0], ["is given 'b' and looks like 'a'"])
    """
    options = Options(filter_by=filter_by, min_examples_per_class=min_examples_per_class)
    if pred_probs is not None:
        rows, known, notes = rows_with_labels(labels, pred_probs, classes)
        n, codes, probs, names = len(labels), rows.labels, rows.pred_probs, rows.classes
        source = "pred_probs"
    else:
        if features is None and graph is None:
            what = "are missing, and so are features and a graph"
            raise InputError("pred_probs", what, "Pass one of them")
        found = as_graph(features, graph, k=k, metric=metric)
        coded = coded_labels(labels, n=found.n, classes=classes)
        known = found.rows[coded.codes[found.rows] >= 0]
        n, names, notes = found.n, coded.classes, found.notes + coded.notes
        codes, probs = coded.codes[known], found.spread(_votes(found, coded), 0.0)[known]
        source = f"votes of {found.k} neighbours"
    with collected_warnings() as warned:
        judged = judge(codes, probs, names, options)
    sure = probs[np.arange(len(codes)), judged.counted.sweep.predicted]
    return _result(judged, sure, codes, names, known, n, source, (*notes, *warned), options)


def _result(
    judged: Any, sure: Any, codes: Ints, names: tuple[Hashable, ...], known: Ints, n: int,
    source: str, notes: tuple[str, ...], options: Options,
) -> CheckResult:  # fmt: skip
    scores, is_issue = np.ones(n), np.zeros(n, dtype=np.bool_)
    scores[known], is_issue[known] = judged.scores, judged.is_issue
    given, suggested = np.full(n, None, dtype=object), np.full(n, None, dtype=object)
    by_code = np.array([*names, None], dtype=object)
    given[known] = by_code[np.maximum(codes, -1)]
    suggested[known] = by_code[judged.counted.sweep.predicted]
    health = 1.0 - float(np.count_nonzero(judged.counted.off_diagonal)) / max(len(codes), 1)
    confidence = np.zeros(n)
    confidence[known] = np.clip(sure, 0.0, 1.0)
    flagged = int(is_issue.sum())
    return CheckResult(
        check="label",
        scores=scores,
        is_issue=is_issue,
        score=health,
        verdict=f"{flagged} labels are probably wrong.",
        is_found=flagged > 0,
        reason="is given {given!r} and looks like {suggested!r}",
        columns={"given": given, "suggested": suggested, "confidence": confidence},
        figures={"mean_quality": float(scores.mean()), "label_health": health},
        params={"source": source, "filter_by": options.filter_by,
                "min_examples_per_class": options.min_examples_per_class},
        notes=notes,
    )  # fmt: skip


def neighbor_votes(
    labels: Any, *, features: Any = None, graph: Any = None, k: int | None = None,
    metric: Metric | None = None, classes: Sequence[Hashable] | None = None,
) -> Floats:  # fmt: skip
    """Return the share of each class among each example's neighbours, (n, classes).

    Parameters are those of `find_wrong_labels`. Classes without examples have a column too; rows
    whose neighbours have no labels, and incomplete ones, have the same share of each class.

    Examples
    --------
    >>> neighbor_votes(["a", "a", "b"], features=[[0.0], [1.0], [3.0]], k=2).tolist()
    [[0.5, 0.5], [0.5, 0.5], [1.0, 0.0]]
    """
    found = as_graph(features, graph, k=k, metric=metric)
    coded = coded_labels(labels, n=found.n, classes=classes)
    return found.spread(_votes(found, coded), 1.0 / len(coded.classes))


def _votes(found: Any, coded: CodedLabels) -> Floats:
    codes = coded.codes[found.rows][found.neighbors]
    m, classes = len(codes), len(coded.classes)
    cells = np.arange(m)[:, None] * (classes + 1) + np.where(codes < 0, classes, codes)
    counts = np.bincount(cells.ravel(), minlength=m * (classes + 1)).reshape(m, classes + 1)
    votes = np.ascontiguousarray(counts[:, :classes], dtype=np.float64)
    sums = votes.sum(axis=1, keepdims=True)
    shares: Floats = np.full_like(votes, 1.0 / classes)
    np.divide(votes, sums, out=shares, where=sums > 0)
    return shares


CHECK = Check(
    "label",
    "labels that are probably wrong",
    find_wrong_labels,
    needs=(("labels", "pred_probs"), ("labels", "features"), ("labels", "graph")),
)
