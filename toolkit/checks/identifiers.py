"""Columns that number the examples: a model could learn them by heart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from goldlabel.inputs import check

from .null_values import as_table
from .registry import Check
from .result import CheckResult

__all__ = ["CHECK", "find_identifier_columns"]

LEAST_VALUES = 3


def find_identifier_columns(
    *, features: Any = None, table: Any = None, min_distinct: float = 0.8
) -> CheckResult:
    """Find the columns of whole numbers that are a run c, c + 1, ..., in any order.

    Parameters
    ----------
    features : array_like of shape (n, d), optional
    table : DataFrame or mapping of columns, optional
        In place of features.
    min_distinct : float
        Share of distinct values among the examples from which a run is an identifier: classes
        coded 0, 1, 2 are none.

    Returns
    -------
    CheckResult
        No example is flagged; the score is 0 if there is such a column, else 1. Frame `columns`.

    Raises
    ------
    InputError
        There is no table.

    Examples
    --------
    >>> found = find_identifier_columns(table={"id": [7, 5, 6, 8], "class": [0, 1, 0, 1]})
    >>> found.verdict, found.score
    ('Columns that number the examples: id.', 0.0)
    """
    share = check.number(min_distinct, name="min_distinct", low=0.0, high=1.0)
    frame = as_table(table if table is not None else features)
    rows = [(str(name), *_run(frame[name], share)) for name in frame.columns]
    columns = pd.DataFrame(rows, columns=["column", "distinct", "is_identifier"])
    named = columns.loc[columns["is_identifier"], "column"].tolist()
    return CheckResult(
        check="identifier_column",
        scores=np.ones(len(frame)),
        is_issue=np.zeros(len(frame), dtype=np.bool_),
        score=0.0 if named else 1.0,
        verdict=f"Columns that number the examples: {', '.join(named)}." if named
        else "No column numbers the examples.",
        is_found=bool(named),
        frames={"columns": columns},
        figures={"identifier_columns": named},
        params={"min_distinct": share},
    )  # fmt: skip


def _run(column: pd.Series[Any], share: float) -> tuple[int, bool]:
    """Return how many distinct values there are, and whether they number the examples."""
    if not pd.api.types.is_integer_dtype(column.dtype):
        return int(column.astype(str).nunique()), False
    values = np.unique(column.dropna().to_numpy())
    if len(values) < max(LEAST_VALUES, share * len(column)):
        return len(values), False
    return len(values), bool(int(values[-1]) - int(values[0]) == len(values) - 1)


CHECK = Check(
    "identifier_column",
    "columns that number the examples",
    find_identifier_columns,
    needs=(("table",), ("features",)),
    is_default=False,
    label_kinds=("class", "number", "classes"),
)
