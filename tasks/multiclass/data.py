"""The container: a dataset whose examples have one class each, as read from its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.tables import TableFile
from goldlabel.results.audit import Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MulticlassData"]


@dataclass(frozen=True, eq=False)
class MulticlassData:
    """Labels of n examples, and what was read with them.

    Attributes
    ----------
    labels : ndarray of shape (n,), int64
        Class index of each example, 0 .. k-1; `goldlabel.inputs.labels.NOT_A_CLASS` of a label that
        is none of the classes.
    classes : tuple of str
        Names of the k classes, by index; some may have no example.
    source : Source
        Where the labels came from, with all that `export` needs.
    ids : ndarray of shape (n,), optional
        The dataset's own name of each example; of an image folder, the path in the folder.
    pred_probs : ndarray of shape (n, k), float32 or float64, optional
        Predicted probabilities, columns in the order of `classes`; may be a read-only map of a
        file. Shapes fit; the values are not checked here.
    table : TableFile, optional
        The table that the labels are a column of; None for an image folder.
    rows : ndarray of shape (n,), int64, optional
        Row of `table` of each example; None if every row is an example, as it is unless rows
        without a label were dropped.
    notes : tuple of str
        What was recognised or assumed while reading, a sentence each.
    unknown : tuple of str
        Labels that are none of the classes, in the order of their examples.
    """

    labels: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    source: Source
    ids: npt.NDArray[Any] | None = None
    pred_probs: npt.NDArray[Any] | None = None
    table: TableFile | None = None
    rows: npt.NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n, k = len(self.labels), len(self.classes)
        if self.pred_probs is not None and self.pred_probs.shape != (n, k):
            raise InputError(
                "pred_probs",
                f"has shape {self.pred_probs.shape}, and there are {n:,} labels of {k:,} classes",
                "Pass a row per label and a column per class",
            )
        for name, values in (("ids", self.ids), ("rows", self.rows)):
            if values is not None and len(values) != n:
                raise InputError(name, f"has {len(values):,} entries, not {n:,}", "Pass one each")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def frame(self) -> pd.DataFrame | None:
        """The rows of `table` that are examples, all columns, with a plain index 0 .. n-1."""
        if self.table is None or self.rows is None:
            return None if self.table is None else self.table.frame
        return self.table.frame.iloc[self.rows].reset_index(drop=True)
