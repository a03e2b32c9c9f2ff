"""Missing values of features or of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError

from .registry import Check
from .result import CheckResult

__all__ = ["CHECK", "as_table", "find_null_values"]


def find_null_values(*, features: Any = None, table: Any = None) -> CheckResult:
    """Find missing values.

    Parameters
    ----------
    features : array_like of shape (n, d), optional
    table : DataFrame or mapping of columns, optional
        Looked at where there are no features.

    Returns
    -------
    CheckResult
        An example scores the share of its values that are there, and is flagged if none is. Frames
        `columns` (share of missing values of each) and `patterns` (which columns are missing
        together, the most frequent first).

    Raises
    ------
    InputError
        There is no table.

    Examples
    --------
    >>> nan = float("nan")
    >>> rows = [[nan, 1, 1], [nan, nan, nan], [1, 1, 1], [nan, 1, 1]]
    >>> found = find_null_values(features=rows)
    >>> found.scores.round(2).tolist(), found.ranked().tolist()
    ([0.67, 0.0, 1.0, 0.67], [1])
    >>> found.frames["patterns"].to_numpy().tolist()
    [['100', 2, 0], ['111', 1, 1]]
    """
    frame = as_table(features if features is not None else table)
    missing = frame.isna().to_numpy()
    scores = 1.0 - missing.mean(axis=1)
    is_issue = np.asarray(missing.all(axis=1))
    share = missing.mean(axis=0)
    columns = pd.DataFrame({"column": [str(name) for name in frame.columns], "missing": share})
    some = missing.any(axis=1)
    verdict = "No value is missing."
    if some.any():
        verdict = (
            f"{int(is_issue.sum())} examples have no value at all,"
            f" {int((some & ~is_issue).sum())} lack some."
        )
    return CheckResult(
        check="null",
        scores=scores,
        is_issue=is_issue,
        score=float(scores.mean()),
        verdict=verdict,
        is_found=bool(is_issue.any()),
        reason="all its values are missing",
        frames={"columns": columns, "patterns": _patterns(missing)},
        figures={"empty": int(is_issue.sum()), "incomplete": int((some & ~is_issue).sum()),
                 "values_missing": float(missing.mean()) if missing.size else 0.0},
    )  # fmt: skip


def as_table(values: Any) -> pd.DataFrame:
    """Return whatever has rows and columns as a DataFrame."""
    if values is None:
        raise InputError("features", "are missing, and so is a table", "Pass one of the two")
    try:
        frame = values if isinstance(values, pd.DataFrame) else pd.DataFrame(values)
    except (ValueError, TypeError) as error:
        raise InputError("table", f"is none ({error})", "Pass columns of one length") from error
    if frame.empty:
        raise InputError("table", f"has shape {frame.shape}", "Pass rows and columns")
    return frame


def _patterns(missing: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Return which columns are missing together: pattern, how many rows, the first of them."""
    rows = np.flatnonzero(missing.any(axis=1))
    if not rows.size:
        return pd.DataFrame({"pattern": [], "count": [], "first": []})
    packed = np.packbits(missing[rows], axis=1)
    keys = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}").ravel()
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    texts = ["".join("1" if each else "0" for each in missing[rows[i]]) for i in first[order]]
    return pd.DataFrame({"pattern": texts, "count": counts[order], "first": rows[first[order]]})


CHECK = Check(
    "null",
    "missing values",
    find_null_values,
    needs=(("features",), ("table",)),
    label_kinds=("class", "number", "classes"),
)
