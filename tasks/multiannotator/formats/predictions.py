"""Predicted probabilities of one model or several, and which row is whose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.prediction_file import rows_by_id
from goldlabel.formats.predictions import PredProbs, read_pred_probs
from goldlabel.tasks.multiannotator.formats.raw_votes import as_names

__all__ = ["Predictions", "read_predictions"]


class Predictions(NamedTuple):
    """What the files of predictions say.

    Attributes
    ----------
    ids : ndarray of shape (N,), object
        Names of all items: those with votes, and those that are only predicted.
    values : ndarray of shape (E, N, k), float64
    classes : tuple of str or None
    notes : list of str
    numbered : bool
        Whether items are row numbers.
    """

    ids: npt.NDArray[Any]
    values: npt.NDArray[np.float64]
    classes: tuple[str, ...] | None
    notes: list[str]
    numbered: bool = False


def read_predictions(
    paths: Sequence[Path],
    items: npt.NDArray[Any],
    *,
    id: str | None,
    classes: Sequence[str] | None,
    key: str | None = None,
    prefix: str | None = None,
) -> Predictions:
    """Read the predictions of E models, a file each, and match their rows with the items.

    Rows are matched by an id column. Without one, items that are called 0 .. N-1 are row numbers;
    other rows are in the order in which the file of votes first names the items.

    Raises
    ------
    InputError
        A file can't be read, or its rows can't be matched.
    """
    files = [
        read_pred_probs(path, classes=classes, id=id, key=key, prefix=prefix) for path in paths
    ]
    for path, file in zip(paths, files, strict=True):
        if file.classes != files[0].classes:
            raise InputError(
                str(path), "has other classes than the first model", "Give all the same columns"
            )
    ids, numbered, notes = _items(paths[0], files[0], items)
    models = []
    for path, file in zip(paths, files, strict=True):
        rows: npt.NDArray[np.int64] | slice = slice(None)
        if file.ids is not None:
            rows = rows_by_id(path, as_names(file.ids), ids, notes)
        notes += file.notes
        models.append(file.values[rows].astype(np.float64))
        if len(file.values) < len(ids) or models[-1].shape != models[0].shape:
            raise InputError(
                str(path),
                f"has shape {file.values.shape}, and the first model {models[0].shape}",
                "Predict the same items and classes with every model",
            )
    return Predictions(ids, np.stack(models), files[0].classes, notes, numbered)


def _items(
    path: Path, file: PredProbs, voted: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], bool, list[str]]:
    """Return all items, whether they are row numbers, and notes: voted first, then predicted."""
    if file.ids is None:
        ids, numbered, note = _by_position(path, voted, len(file.values))
        return ids, numbered, [note]
    known = set(voted.tolist())
    more = [name for name in as_names(file.ids).tolist() if name not in known]
    notes = [f"{len(more):,} items of {path.name} have no votes yet."] if more else []
    return np.concatenate([voted, np.array(more, dtype=object)]), False, notes


def _by_position(path: Path, items: npt.NDArray[Any], n: int) -> tuple[npt.NDArray[Any], bool, str]:
    """Return the item of each row without ids, whether it is its number, and how it was found."""
    numbers = pd.to_numeric(pd.Series(items), errors="coerce").to_numpy(np.float64)
    numbered = bool(np.all((numbers >= 0) & (numbers < n) & (numbers == np.floor(numbers))))
    if numbered and set(items.tolist()) <= {str(row) for row in range(n)}:
        return as_names(np.arange(n)), True, f"Items are the row numbers of {path.name}."
    if len(items) == n:
        return items, False, f"Rows of {path.name} are in the order in which items first occur."
    raise InputError(
        str(path),
        f"has {n:,} rows without ids, and there are {len(items):,} items",
        "Add a column of ids to the predictions, or number items by their rows, from 0",
    )
