"""Predicted values: columns of the table itself, an array, or a column of another table."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.prediction_file import (
    USUAL,
    PredictionFile,
    as_floats,
    open_predictions,
)
from goldlabel.tasks.regression.formats.numbers import read_numbers
from goldlabel.typing import Floats

__all__ = ["Predictions", "named_columns", "read_predictions"]


_NAMES = ("prediction", "predictions", "predicted", "pred", "y_pred", "yhat", "y_hat")


class Predictions(NamedTuple):
    """Predicted values, NaN where there is none.

    Attributes
    ----------
    values : ndarray of shape (n,), float64
    notes : tuple of str
    file : Path or None
        Where they came from, if not from the table itself.
    """

    values: Floats
    notes: tuple[str, ...]
    file: Path | None = None


def named_columns(predictions: str, frame: pd.DataFrame) -> list[str] | None:
    """Return the columns of a table that an option names; None if it names none of them."""
    if predictions in frame.columns:
        return [predictions]
    names = [name.strip() for name in next(csv.reader([predictions]), [])]
    return names if names and all(name in frame.columns for name in names) else None


def read_predictions(
    predictions: str,
    frame: pd.DataFrame,
    file: Path,
    *,
    ids: npt.NDArray[Any] | None = None,
    id: str | None = None,
    key: str | None = None,
) -> Predictions:
    """Read predictions: of columns of the table if they are named, else of a file.

    Several columns, such as those of several models, are averaged.

    Parameters
    ----------
    predictions : str
        Columns, separated by commas; or the path of a .npy or .npz file or of a table.
    frame, file : DataFrame of n rows, Path
        The dataset's table.
    ids : ndarray of shape (n,), optional
        The dataset's name of each row; a table of predictions that has them is put in this order.
    id : str, optional
        Name of the column of ids.
    key : str, optional
        Array in an .npz file, or column of a table of predictions.

    Raises
    ------
    InputError
        The file can't be read, what it holds is no number, or the rows do not fit.
    """
    names = named_columns(predictions, frame)
    if names is not None:
        columns = [_column(frame[name], f"{file}: column {name!r}") for name in names]
        said = f"column {names[0]!r}" if len(names) == 1 else f"the mean of {', '.join(names)}"
        return Predictions(np.mean(columns, axis=0), (f"Predictions are {said}.",))
    path = Path(predictions)
    if not path.exists():
        shown = ", ".join(map(str, list(frame.columns)[:20]))
        raise InputError(
            "predictions",
            f"is {predictions!r}, neither a column of {file.name} ({shown}) nor a file",
            "Name one of them",
        )
    opened = open_predictions(path)
    if opened.arrays is not None:
        values = _vector(*opened.array(key, (*_NAMES, *USUAL)))
        notes = [f"Predictions were read from {path.name}."]
    else:
        values, notes = _from_table(opened, ids, id, key)
    if len(values) != len(frame):
        raise InputError(
            str(path),
            f"has {len(values):,} predictions, and {file} has {len(frame):,} rows",
            "Predict each row of the dataset, in its order",
        )
    return Predictions(values, tuple(notes), path)


def _vector(where: str, array: npt.NDArray[Any]) -> Floats:
    values = as_floats(
        where,
        array,
        dims=(1, 2),
        shapes="(n,)",
        fix="Save one prediction for each example",
    )
    if values.ndim == 2 and values.shape[1] != 1:
        raise InputError(
            where, f"has shape {values.shape}, not (n,)", "Save one prediction for each example"
        )
    return np.array(values.reshape(-1), dtype=np.float64)


def _column(column: pd.Series[Any], where: str) -> Floats:
    """Return a column as numbers, NaN where it is empty; text is refused."""
    values = read_numbers(column, where).values
    bad = np.flatnonzero(values.texts != "")
    if bad.size:
        raise InputError(
            f"{where}, row {bad[0] + 1}",
            f"is {values.texts[bad[0]]!r}, no number; {bad.size:,} predictions are none",
            "Predict these rows again, or leave them empty",
        )
    return values.numbers


def _from_table(
    file: PredictionFile, ids: npt.NDArray[Any] | None, id: str | None, key: str | None
) -> tuple[Floats, list[str]]:
    path, frame = file.path, file.table.frame
    names = [str(name) for name in frame.columns]
    id_column = file.id_column(names, id)
    chosen = _chosen(path, [name for name in names if name != id_column], key)
    values = _column(frame[chosen], f"{path}: column {chosen!r}")
    rows, notes = file.rows(None if id_column is None else frame[id_column], ids)
    return values[rows], [f"Predictions were read from {path.name}, column {chosen!r}.", *notes]


def _chosen(path: Path, names: list[str], key: str | None) -> str:
    if key is not None:
        if key not in names:
            raise InputError(
                str(path), f"has no column {key!r}, only {', '.join(names)}", "Name one"
            )
        return key
    usual = [name for name in names if name.lower() in _NAMES]
    if len(names) == 1 or len(usual) == 1:
        return (usual or names)[0]
    raise InputError(
        str(path),
        f"has the columns {', '.join(names[:20])}, and it is unclear which holds predictions",
        "Say which with key",
    )
