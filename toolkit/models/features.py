"""What a model is to predict from: columns of a table, or a file of embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.predictions import read_pred_probs

__all__ = ["feature_columns", "is_array_file", "read_embeddings"]


def is_array_file(features: str) -> bool:
    """Whether features name a file of embeddings, not columns."""
    return Path(features).suffix in (".npy", ".npz", ".parquet") or Path(features).is_file()


def feature_columns(
    frame: pd.DataFrame | None,
    names: Sequence[str],
    option: str,
    *,
    file: Path,
    label: str | None,
    missing_values: Sequence[str] = (),
    instead: str = "Pass a file of embeddings as --features",
) -> pd.DataFrame:
    """Return the columns of a table that an option names.

    Parameters
    ----------
    frame : DataFrame, optional
        The table; None where the dataset is none, such as a folder of images.
    names : sequence of str
    option : str
        For errors: the option, as on the command line.
    file : Path
        For errors: the dataset.
    label : str, optional
        The column of labels, which no model may see.
    missing_values : sequence of str
        What stands for a missing value besides an empty field, e.g. -200.
    instead : str
        For errors: what to do where there is no table.

    Raises
    ------
    InputError
        There is no table, or no such column, or it is the label.
    """
    if frame is None:
        raise InputError(option, "names columns, and a folder of images has none", instead)
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise InputError(
            f"{file}: column {missing[0]!r}",
            f"is not there; the columns are {', '.join(map(str, frame.columns))}",
            f"Correct {option}",
        )
    if label in names:
        raise InputError(option, f"holds {label!r}, the label itself", "Leave it out")
    chosen = frame[list(names)]
    return chosen.apply(_without, args=(missing_values,)) if missing_values else chosen


def _without(column: pd.Series[Any], missing_values: Sequence[str]) -> pd.Series[Any]:
    """Return the column with what stands for a missing value taken out."""
    numbers = pd.to_numeric(pd.Series(missing_values), errors="coerce").dropna()
    values = pd.to_numeric(column, errors="coerce")
    return column.mask(column.astype(str).str.strip().isin(missing_values) | values.isin(numbers))


def read_embeddings(path: Path, n: int) -> npt.NDArray[Any]:
    """Read a file of embeddings: finite numbers, a row for each of n examples.

    Raises
    ------
    InputError
        The file can't be read, has another number of rows, or holds a NaN or an infinity.
    """
    array = read_pred_probs(path).values
    if len(array) != n:
        raise InputError(
            str(path),
            f"has {len(array):,} rows, but there are {n:,} labels",
            "Pass a row for each example, in the same order",
        )
    broken = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if broken.size:
        raise InputError(
            f"{path}: row {broken[0]}",
            f"holds a NaN or an infinity ({broken.size:,} such rows)",
            "Pass finite numbers",
        )
    return array
