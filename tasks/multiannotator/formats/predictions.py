"""Predicted probabilities of one model or several, and which row is whose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.predictions import read_pred_probs
from goldlabel.formats.tables import read_table
from goldlabel.formats.text import check_file, first_bytes
from goldlabel.tasks.multiannotator.formats.raw_votes import as_names

__all__ = ["Predictions", "read_predictions"]

_ARRAYS = (b"\x93NUMPY", b"PK")


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
    key: str | None,
    prefix: str | None,
) -> Predictions:
    """Read the predictions of E models, a file each, and match their rows with the items.

    Rows are matched by an id column. Without one, items that are called 0 .. N-1 are row numbers;
    other rows are in the order in which the file of votes first names the items.

    Raises
    ------
    InputError
        A file can't be read, or its rows can't be matched.
    """
    ids, note = _universe(paths[0], items, id)
    notes = [note] if note else []
    models, names, numbered = [], None, False
    for path in paths:
        column = _id_column(path, id)
        of_file = None if column is None else ids
        found = read_pred_probs(
            path, classes=classes, ids=of_file, id=column, key=key, prefix=prefix
        )
        if ids is None or (column is None and len(found.values) != len(ids)):
            ids, numbered, said = _by_position(path, items, len(found.values))
            notes.append(said)
        if names is not None and found.classes != names:
            raise InputError(
                str(path), "has other classes than the first model", "Give all the same columns"
            )
        names = found.classes
        notes += found.notes
        models.append(found.values.astype(np.float64))
    assert ids is not None
    for path, model in zip(paths, models, strict=True):
        if model.shape != models[0].shape or len(model) != len(ids):
            raise InputError(
                str(path),
                f"has shape {model.shape}, and the first model {models[0].shape}",
                "Predict the same items and classes with every model",
            )
    return Predictions(ids, np.stack(models), names, notes, numbered)


def _id_column(path: Path, id: str | None) -> str | None:
    """Return the column of ids of a file of predictions, if it has one."""
    if first_bytes(check_file(path)).startswith(_ARRAYS):
        return None
    columns = [str(name) for name in read_table(path).frame.columns]
    if id is not None and id in columns:
        return id
    found = [name for name in columns if name.lower() == "id"]
    return found[0] if len(found) == 1 else None


def _universe(
    path: Path, items: npt.NDArray[Any], id: str | None
) -> tuple[npt.NDArray[Any] | None, str]:
    """Return all items: in the order of the votes, then those that are only predicted."""
    column = _id_column(path, id)
    if column is None:
        return None, ""
    predicted = as_names(read_table(path).frame[column])
    known = set(items.tolist())
    more = np.array([name for name in predicted.tolist() if name not in known], dtype=object)
    note = f"{len(more):,} items of {path.name} have no votes yet." if len(more) else ""
    return np.concatenate([items, more]), note


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
