"""The container: a dataset whose examples have one number each, as read from its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.tables import TableFile
from goldlabel.results.audit import Source
from goldlabel.tasks.regression.values import NOTHING, NUMBER, TEXT, Values

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RegressionData"]


@dataclass(frozen=True, eq=False)
class RegressionData:
    """Labels of n examples, and what was read with them.

    Attributes
    ----------
    labels : ndarray of shape (n,), float64
        NaN where the label is missing or no number.
    texts : ndarray of shape (n,), object
        The label as the file holds it where it is no number; "" elsewhere.
    source : Source
        Where the labels came from, with all that `export` needs.
    table : TableFile
        The table that the labels are a column of.
    decimals : int
        Digits behind the decimal mark that labels have at most.
    ids : ndarray of shape (n,), optional
        The dataset's own name of each example.
    predictions : ndarray of shape (n,), float64, optional
        NaN only where the label is no number.
    rows : ndarray of shape (n,), int64, optional
        Row of `table` of each example; None if every row is an example, as it is unless rows
        without a label were dropped.
    notes : tuple of str
        What was recognised or assumed while reading, a sentence each.
    """

    labels: npt.NDArray[np.float64]
    texts: npt.NDArray[np.object_]
    source: Source
    table: TableFile
    decimals: int = 0
    ids: npt.NDArray[Any] | None = None
    predictions: npt.NDArray[np.float64] | None = None
    rows: npt.NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.labels)
        columns = {"texts": self.texts, "ids": self.ids, "rows": self.rows}
        for name, values in {**columns, "predictions": self.predictions}.items():
            if values is not None and len(values) != n:
                raise InputError(name, f"has {len(values):,} entries, not {n:,}", "Pass one each")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def frame(self) -> pd.DataFrame:
        """The rows of `table` that are examples, all columns, with a plain index 0 .. n-1."""
        if self.rows is None:
            return self.table.frame
        return self.table.frame.iloc[self.rows].reset_index(drop=True)

    @property
    def given(self) -> npt.NDArray[np.object_]:
        """The labels as `find_label_issues` takes them: numbers, texts, None where missing."""
        given = self.labels.astype(object)
        given[np.isnan(self.labels)] = None
        is_text = self.texts != ""
        given[is_text] = self.texts[is_text]
        return given

    def values(self) -> Values:
        """Return numbers, kinds and texts."""
        odd = np.where(self.texts != "", TEXT, NOTHING)
        kind = np.where(np.isnan(self.labels), odd, NUMBER)
        return Values(self.labels, kind.astype(np.int8), self.texts)
