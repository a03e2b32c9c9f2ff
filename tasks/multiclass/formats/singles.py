"""Labels that stand in lists of one, as annotation tools write a single choice: ``["pos"]``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs.labels import FEW_UNKNOWN

__all__ = ["are_lists", "in_lists", "single_labels"]


def are_lists(column: pd.Series[Any]) -> list[bool]:
    """Return of each value of a column whether it is a list."""
    return [isinstance(value, list | tuple | np.ndarray) for value in column]


def single_labels(column: pd.Series[Any], where: str) -> pd.Series[Any]:
    """Return a column with the one label of each list in place of the list.

    An empty list is no label. Where few lists hold several labels, each such list stays, as its
    JSON: a label that is none of the classes, so a finding of its own, and all labels are text.

    Parameters
    ----------
    column : Series of shape (n,)
    where : str
        File and column, for errors.

    Raises
    ------
    InputError
        One list in ten or more holds several labels, or one holds what is no label.

    Examples
    --------
    >>> single_labels(pd.Series([["pos"], ["neg"], []]), "a.jsonl").tolist()
    ['pos', 'neg', None]
    """
    if column.dtype != object:
        return column
    listed = are_lists(column)
    if not any(listed):
        return column
    values = [
        np.asarray(value, dtype=object).tolist() if is_list else value
        for value, is_list in zip(column, listed, strict=True)
    ]
    several = [row for row, each in enumerate(values) if listed[row] and len(each) > 1]
    if len(several) >= FEW_UNKNOWN * len(values):
        raise InputError(
            f"{where}, row {several[0] + 1}",
            f"holds {len(values[several[0]])} labels; {len(several):,} of {len(values):,} rows "
            "hold several",
            "Audit them as the task multilabel, where an example has any number of classes, or as "
            "token if they are spans",
        )
    for row, value in enumerate(values):
        if listed[row] and not all(isinstance(each, str | int | float) for each in value):
            shown = str(value)[:60]
            raise InputError(
                f"{where}, row {row + 1}", f"is {shown}, which is no class", "Use text or numbers"
            )
        if listed[row]:
            values[row] = _single(value, as_text=bool(several))
    return pd.Series(values, index=column.index, dtype=object)


def _single(labels: list[Any], *, as_text: bool) -> Any:
    if len(labels) > 1:
        return json.dumps(labels, ensure_ascii=False)
    if not labels:
        return None
    return str(labels[0]) if as_text else labels[0]


def in_lists(column: pd.Series[Any], changes: Mapping[int, object]) -> dict[int, object]:
    """Return new labels of some rows as the column writes them: in lists, where there are lists.

    Numbers that `single_labels` made texts, as beside lists of several, are numbers again.
    """
    listed = are_lists(column)
    own = {
        str(value[0]): np.asarray(value, dtype=object).tolist()[0]
        for value, is_list in zip(column, listed, strict=True)
        if is_list and len(value) == 1
    }
    return {
        row: [own.get(str(value), value)] if listed[row] else value
        for row, value in changes.items()
    }
