"""One table of label quality by class, whichever engine of confident learning has counted."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["ClassCounts", "Engine", "class_table"]


class ClassCounts(NamedTuple):
    """What was judged of the labels of k classes.

    Attributes
    ----------
    classes : tuple
        Names.
    given : ndarray of shape (k,)
        Labels given as each class.
    wrong : ndarray of shape (k,)
        Of these, the ones that seem to be of another.
    lacking : ndarray of shape (k,)
        Labels of other classes that seem to be of this one.
    others : ndarray of shape (k,), optional
        What the lacking ones are a share of; without it they are not told as a share.
    """

    classes: tuple[Hashable, ...]
    given: npt.NDArray[Any]
    wrong: npt.NDArray[Any]
    lacking: npt.NDArray[Any]
    others: npt.NDArray[Any] | None = None


class Engine(Protocol):
    """What every engine offers when it has counted: flat rows, cells of classes, pixels."""

    def by_class(self) -> ClassCounts:
        """Return what was judged of the labels of each class."""


def class_table(counted: Engine, *, count_name: str | None = None) -> pd.DataFrame:
    """Rate the label quality of each class, the worst first, ties by class index.

    Returns
    -------
    DataFrame
        `class`; labels given it, called `count_name`, if that is said; `label_issues`: those of
        them that seem to be of another; `inverse_label_issues`: labels of others that seem to be of
        it; `label_noise`, `inverse_label_noise`: the same as shares; `label_quality_score`:
        ``1 - label_noise``.
    """
    classes, given, wrong, lacking, others = counted.by_class()
    noise = wrong / np.where(given > 0, given, 1)
    quality = 1.0 - noise
    order = np.argsort(quality, kind="stable")
    table: dict[str, Any] = {"class": pd.Index(classes, tupleize_cols=False).take(order)}
    if count_name is not None:
        table[count_name] = given[order]
    table["label_issues"] = np.rint(wrong[order]).astype(np.int64)
    table["inverse_label_issues"] = np.rint(lacking[order]).astype(np.int64)
    table["label_noise"] = noise[order]
    if others is not None:
        table["inverse_label_noise"] = (lacking / np.where(others > 0, others, 1))[order]
    table["label_quality_score"] = quality[order]
    return pd.DataFrame(table)
