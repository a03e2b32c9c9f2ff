"""The container: a dataset whose examples have any number of classes, as read from its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.results.audit import Source
from goldlabel.tasks.multilabel.inputs import BadLabel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MultilabelData"]


@dataclass(frozen=True, eq=False)
class MultilabelData:
    """Labels of n examples, and what was read with them.

    Attributes
    ----------
    labels : ndarray of shape (n, k), int8
        1 where an example has a class, 0 where it has not, -1 where the file does not say.
    classes : tuple of str
        Names of the k classes, by column; some may have no example.
    source : Source
        Where the labels came from, with all that `export` needs.
    ids : ndarray of shape (n,), optional
        The dataset's own name of each example.
    pred_probs : ndarray of shape (n, k), float32 or float64, optional
        Predicted probability of each class by itself, columns in the order of `classes`; may be a
        read-only map of a file. Shapes fit; the values are not checked here.
    frame : DataFrame, optional
        What else the file says of each example, labels included.
    images : tuple of Path, optional
        The image of each example, which may not be there.
    notes : tuple of str
        What was recognised or assumed while reading, a sentence each.
    bad : tuple of BadLabel
        What stands where a label should, and is none.
    """

    labels: npt.NDArray[np.int8]
    classes: tuple[str, ...]
    source: Source
    ids: npt.NDArray[Any] | None = None
    pred_probs: npt.NDArray[Any] | None = None
    frame: pd.DataFrame | None = None
    images: tuple[Path, ...] | None = None
    notes: tuple[str, ...] = ()
    bad: tuple[BadLabel, ...] = ()

    def __post_init__(self) -> None:
        n, k = self.labels.shape
        if len(self.classes) != k:
            raise InputError("classes", f"has {len(self.classes)} names, not {k}", "Name each")
        if self.pred_probs is not None and self.pred_probs.shape != (n, k):
            raise InputError(
                "pred_probs",
                f"has shape {self.pred_probs.shape}, and the labels {self.labels.shape}",
                "Pass a row per example and a column per class",
            )
        for name, values in (("ids", self.ids), ("frame", self.frame), ("images", self.images)):
            if values is not None and len(values) != n:
                raise InputError(name, f"has {len(values):,} entries, not {n:,}", "Pass one each")

    def __len__(self) -> int:
        return len(self.labels)
