"""Properties that give a label away: what a model could learn in place of the thing itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.typing import Floats, Ints

from .columns import coded_labels
from .null_values import as_table
from .registry import Check
from .result import CheckResult

__all__ = ["CHECK", "find_spurious_correlations"]

FOLDS = 5
MOST_VALUES = 50
"""A column of texts with more distinct values than this, or one for every second row, is none."""


def find_spurious_correlations(
    *,
    table: Any,
    labels: Any,
    threshold: float = 0.3,
    num_permutations: int = 99,
    seed: int = 0,
) -> CheckResult:
    """Find the columns from which alone the label can be told.

    The label is predicted from one column at a time (naive Bayes: of normal distributions for
    numbers, of frequencies for other values), out of fold. The score of a column is
    ``(1 - accuracy) / (1 - share of the largest class)``, at most 1.

    Parameters
    ----------
    table : DataFrame or mapping of columns
        Properties of the examples: brightness of images, length of texts, file size, source.
    labels : array_like of shape (n,)
    threshold : float
        Columns with a lower score are reported.
    num_permutations : int
        Shuffled labels that the accuracy is compared with, for the p-value.
    seed : int

    Returns
    -------
    CheckResult
        No example is flagged. Score: the lowest of all columns. Frame `columns`: score, accuracy,
        p-value, worst first.

    Raises
    ------
    InputError
        There is no table, or labels do not fit it.

    Examples
    --------
    >>> table = {"brightness": [0.1, 0.9] * 10, "size": [3, 3, 4, 4, 5] * 4}
    >>> found = find_spurious_correlations(table=table, labels=["dog", "cat"] * 10)
    >>> found.verdict
    'The label can be told from brightness alone.'
    """
    check.number(threshold, name="threshold", low=0.0)
    check.whole_number(num_permutations, name="num_permutations", low=1)
    frame = as_table(table)
    coded = coded_labels(labels, n=len(frame))
    known = np.flatnonzero(coded.codes >= 0)
    codes = np.unique(coded.codes[known], return_inverse=True)[1].astype(np.int64)
    counts = np.bincount(codes)
    if len(counts) < 2:
        raise InputError("labels", "are all the same", "Pass labels of at least two classes")
    check.whole_number(seed, name="seed")
    columns, notes = _columns(frame.iloc[known], codes, num_permutations, seed)
    columns["is_issue"] = columns["score"] < threshold
    named = columns.loc[columns["is_issue"], "column"].tolist()
    return CheckResult(
        check="spurious_correlation",
        scores=np.ones(len(frame)),
        is_issue=np.zeros(len(frame), dtype=np.bool_),
        score=float(columns["score"].min()) if len(columns) else 1.0,
        verdict=f"The label can be told from {', '.join(named)} alone."
        if named
        else "No column alone gives the label away.",
        is_found=bool(named),
        frames={"columns": columns},
        figures={"columns": named, "largest_class": float(counts.max() / counts.sum())},
        params={"threshold": threshold, "num_permutations": num_permutations, "seed": seed},
        notes=coded.notes + notes,
    )


def _columns(
    frame: pd.DataFrame, codes: Ints, permutations: int, seed: int
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a row per column, worst first, and notes on those that were left out."""
    largest = np.bincount(codes).max() / len(codes)
    rows, notes = [], []
    for name in frame.columns:
        values, is_number = _values(frame[name])
        if values is None:
            notes.append(f"table: column {name!r} holds too many different values for this check.")
            continue
        rng = np.random.default_rng(seed)
        accuracy = _accuracy(values, is_number, codes)
        shuffled = [
            _accuracy(values, is_number, rng.permutation(codes)) for _ in range(permutations)
        ]
        p = (1 + np.count_nonzero(np.array(shuffled) >= accuracy)) / (permutations + 1)
        rows.append((str(name), min(1.0, (1.0 - accuracy) / (1.0 - largest)), accuracy, p))
    columns = pd.DataFrame(rows, columns=["column", "score", "accuracy", "p_value"])
    columns = columns.sort_values("score", kind="stable").reset_index(drop=True)
    return columns, tuple(notes)


def _values(column: pd.Series[Any]) -> tuple[Any, bool]:
    """Return numbers, or codes of other values; None where there are too many of these."""
    if pd.api.types.is_numeric_dtype(column.dtype) and column.dtype != bool:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        finite = np.isfinite(values)
        return np.where(finite, values, values[finite].mean() if finite.any() else 0.0), True
    codes, found = pd.factorize(column.astype(str))
    if len(found) > min(MOST_VALUES, max(2, len(column) // 2)):
        return None, False
    return codes.astype(np.int64), False


def _accuracy(values: Any, is_number: bool, codes: Ints) -> float:
    """Return the share of labels that are told right out of fold."""
    n, k = len(codes), int(codes.max()) + 1
    fold = _folds(codes)
    right = 0
    for each in range(FOLDS):
        train, test = fold != each, fold == each
        if not test.any() or not train.any():
            continue
        tell = _by_density if is_number else _by_frequency
        right += int((tell(values[train], codes[train], values[test], k) == codes[test]).sum())
    return right / n


def _folds(codes: Ints) -> Ints:
    """Return a fold for each example: of each class, one after the other in FOLDS runs."""
    order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes)
    place = np.empty(len(codes), dtype=np.int64)
    place[order] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return place * FOLDS // counts[codes]


def _by_density(train: Floats, codes: Ints, test: Floats, k: int) -> Ints:
    counts = np.bincount(codes, minlength=k)
    there = np.flatnonzero(counts)
    means = np.bincount(codes, weights=train, minlength=k)[there] / counts[there]
    squares = np.bincount(codes, weights=train**2, minlength=k)[there] / counts[there]
    variances = np.maximum(squares - means**2, 0.0) + max(1e-9 * float(train.var()), 1e-300)
    logs = -0.5 * np.log(variances) + np.log(counts[there])
    densities = logs - (test[:, None] - means) ** 2 / (2 * variances)
    best: Ints = there[np.argmax(densities, axis=1)]
    return best


def _by_frequency(train: Ints, codes: Ints, test: Ints, k: int) -> Ints:
    cells = int(max(train.max(), test.max())) + 1
    table = np.bincount(train * k + codes, minlength=cells * k).reshape(cells, k)
    overall = np.bincount(codes, minlength=k)
    # A value that no training example has: the largest class.
    best: Ints = np.argmax(table[test] + 1e-9 * overall, axis=1)
    return best


CHECK = Check(
    "spurious_correlation",
    "columns from which alone the label can be told",
    find_spurious_correlations,
    needs=(("table", "labels"),),
    is_default=False,
)
