"""Test examples that are in the training data already."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.neighbors.exact import nearest_in
from goldlabel.neighbors.features import Features, usable_features
from goldlabel.neighbors.graph import FEW_COLUMNS, Metric, neighbor_graph
from goldlabel.typing import Floats, Ints

from .near_duplicates import SAME, median_apart
from .result import CheckResult
from .text_duplicates import text_pairs

__all__ = ["find_leakage", "same_columns"]


def find_leakage(
    *,
    train_features: Any = None,
    test_features: Any = None,
    train_text: Any = None,
    test_text: Any = None,
    metric: Metric | None = None,
    threshold: float | None = None,
    shingle: int = 5,
) -> CheckResult:
    """Find the examples of a test split that the training split has too, or nearly so.

    Parameters
    ----------
    train_features, test_features : array_like of shape (n, d) and (m, d), optional
    train_text, test_text : sequence of str, optional
        In place of features.
    metric : {"cosine", "euclidean"}, optional
    threshold : float, optional
        By features: share of the median distance between nearest training examples, 0.13. By text:
        share of shingles in common, 0.7.
    shingle : int
        For text: bytes of a shingle.

    Returns
    -------
    CheckResult
        Of the m test examples. Column `train_example`: the nearest, or the one that is alike (-1:
        none); by features `distance`, by text `similarity`.

    Raises
    ------
    InputError
        A split is missing, or the two do not fit each other.

    Examples
    --------
    >>> found = find_leakage(train_text=["one two three", "four"], test_text=["ONE, two three"])
    >>> found.to_frame()[["is_issue", "train_example"]].to_numpy().tolist()
    [[True, 0]]
    """
    by_text = train_text is not None or test_text is not None
    pair = (train_text, test_text) if by_text else (train_features, test_features)
    if any(each is None for each in pair):
        name = "text" if by_text else "features"
        raise InputError(name, "of a split are missing", f"Pass train_{name} and test_{name}")
    if by_text:
        return _by_text(train_text, test_text, threshold, shingle)
    return _by_features(
        usable_features(train_features, name="train_features"),
        usable_features(test_features, name="test_features"),
        metric,
        threshold,
    )


def same_columns(train: Features, test: Features, name: str) -> None:
    """Refuse two tables of features with different columns."""
    ours, theirs = test.values.shape[1], train.values.shape[1]
    if ours != theirs:
        what = f"has {ours} usable columns, and the other has {theirs}"
        raise InputError(name, what, "Pass the same columns of both")


def _by_features(
    train: Features, test: Features, metric: Metric | None, threshold: float | None
) -> CheckResult:
    same_columns(train, test, "test_features")
    share = check.number(0.13 if threshold is None else threshold, name="threshold", low=0.0)
    kind: Metric = metric or ("cosine" if train.values.shape[1] > FEW_COLUMNS else "euclidean")
    own = neighbor_graph(train, k=1, metric=kind).distances[:, 0]
    median = median_apart(own, kind)
    nearest = nearest_in(train.values, test.values, 1, kind)
    distance = np.full(test.n, np.nan)
    distance[test.rows] = nearest.distances[:, 0]
    example = np.full(test.n, -1, dtype=np.int64)
    example[test.rows] = train.rows[nearest.positions[:, 0]]
    with np.errstate(invalid="ignore"):
        is_issue = (distance < share * median) | (distance <= SAME[kind])
        scores = np.where(np.isnan(distance), 1.0, -np.expm1(-distance / median))
    return _result(
        scores, is_issue, {"train_example": example, "distance": distance},
        "training example {train_example} is at distance {distance:.3g}",
        {"threshold": share, "metric": kind}, train.notes + test.notes,
    )  # fmt: skip


def _by_text(train: Sized, test: Sized, threshold: float | None, shingle: int) -> CheckResult:
    share = check.number(
        0.7 if threshold is None else threshold, name="threshold", low=0.0, high=1.0
    )
    for name, texts in (("train_text", train), ("test_text", test)):
        if isinstance(texts, str | bytes) or not hasattr(texts, "__len__"):
            raise InputError(name, f"is a {type(texts).__name__}", "Pass a sequence of texts")
    known = len(train)
    both = [*pd.Series(train, dtype=object).tolist(), *pd.Series(test, dtype=object).tolist()]
    pairs, n, notes = text_pairs(both, share, shingle, 0)
    example, similarity = _across(pairs, known, n)
    return _result(
        1.0 - similarity, example >= 0, {"train_example": example, "similarity": similarity},
        "training example {train_example} shares {similarity:.0%} with it",
        {"threshold": share, "shingle": shingle}, notes,
    )  # fmt: skip


def _across(pairs: pd.DataFrame, known: int, n: int) -> tuple[Ints, Floats]:
    """Return the training example that is most like each test example, -1 for none.

    Of equal texts only the first has pairs with others: the rest share what it has.
    """
    equal = pairs[pairs["similarity"] == 1.0]
    first = np.arange(n)
    first[equal["other"]] = equal["example"]
    leaders = np.minimum(first, first[first])
    ours, theirs = leaders[pairs["example"]], leaders[pairs["other"]]
    low, high = np.minimum(ours, theirs), np.maximum(ours, theirs)
    best, example = np.zeros(n), np.full(n, -1, dtype=np.int64)
    for near, own in ((low, high), (high, low)):
        is_train = near < known
        order = np.argsort(pairs["similarity"].to_numpy()[is_train], kind="stable")
        rows, others = own[is_train][order], near[is_train][order]
        values = pairs["similarity"].to_numpy()[is_train][order]
        better = values > best[rows]
        best[rows[better]], example[rows[better]] = values[better], others[better]
    tests = leaders[known:]
    has_equal = tests < known
    return (
        np.where(has_equal, tests, example[tests]).astype(np.int64),
        np.where(has_equal, 1.0, best[tests]),
    )


def _result(
    scores: Floats, is_issue: Any, columns: dict[str, Any], reason: str, params: dict[str, Any],
    notes: tuple[str, ...],
) -> CheckResult:  # fmt: skip
    flagged = int(np.count_nonzero(is_issue))
    return CheckResult(
        check="leakage",
        scores=scores,
        is_issue=np.asarray(is_issue, dtype=np.bool_),
        score=float(scores.mean()),
        verdict=f"{flagged} of {len(scores)} test examples are in the training data, or nearly so.",
        is_found=flagged > 0,
        reason=reason,
        columns=columns,
        figures={"share": flagged / len(scores)},
        params=params,
        notes=notes,
    )
