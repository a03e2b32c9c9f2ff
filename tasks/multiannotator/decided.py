"""What an audit has decided, from the tables that it wrote: consensus, scores, annotators."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.tables import parquet
from goldlabel.formats.tables.arrow import as_frame
from goldlabel.tasks.multiannotator.data import MultiannotatorData
from goldlabel.typing import Floats, Ints

__all__ = ["decided_consensus", "decided_quality", "decided_scores"]


def decided_consensus(folder: Path, data: MultiannotatorData) -> tuple[Ints, Floats]:
    """Return the consensus of each item, -1 without, and its quality.

    Raises
    ------
    InputError
        consensus.parquet can't be read, or is not that of this dataset.
    """
    return _decided(folder / "consensus.parquet", data, ("quality",))


def decided_scores(folder: Path, data: MultiannotatorData) -> tuple[Ints, Floats]:
    """Return the consensus of each item, and the score that says who needs a label.

    Raises
    ------
    InputError
        As of `decided_consensus`.
    """
    path = folder / "consensus.parquet"
    return _decided(path, data, ("active_learning_score", "quality"))


def _decided(path: Path, data: MultiannotatorData, scores: tuple[str, ...]) -> tuple[Ints, Floats]:
    """Return the consensus, and the first of the scores that is there."""
    frame = _table(path, "id", "consensus", "quality")
    if not np.array_equal(frame["id"].astype(str).to_numpy(), data.ids.astype(str)):
        raise _foreign(path, "does not have the items of the dataset")
    names = frame["consensus"]
    if not all(isinstance(name, Hashable) for name in names):
        raise _foreign(path, "names a class that is a list")
    labels = pd.Index(data.classes).get_indexer(pd.Index(names.astype(object)))
    unknown = np.flatnonzero((labels < 0) & names.notna().to_numpy())
    if unknown.size:
        name = names.iloc[unknown[0]]
        raise _foreign(path, f"names the class {name!r}, which the dataset does not have")
    score = next(name for name in scores if name in frame)
    return labels.astype(np.int64), _shares(path, frame, score)


def decided_quality(folder: Path, data: MultiannotatorData) -> Floats:
    """Return the quality of each annotator; NaN where it is not known.

    Raises
    ------
    InputError
        annotators.parquet can't be read, or is not that of this dataset.
    """
    if not data.has_identities:
        return np.full(len(data.annotators), np.nan)
    path = folder / "annotators.parquet"
    frame = _table(path, "annotator", "quality")
    place = pd.Index(frame["annotator"].astype(str))
    if not place.is_unique or set(place) != set(data.annotators):
        raise _foreign(path, "does not have the annotators of the dataset")
    quality = _shares(path, frame, "quality", missing=True)
    return quality[place.get_indexer(pd.Index(data.annotators))]


def _table(path: Path, *columns: str) -> pd.DataFrame:
    """Read a table of the audit and check that it has the columns."""
    frame = as_frame(parquet.read(path), path)
    lacking = [name for name in columns if name not in frame]
    if lacking:
        raise _foreign(path, f"has no column {lacking[0]!r}")
    return frame


def _shares(path: Path, frame: pd.DataFrame, name: str, *, missing: bool = False) -> Floats:
    """Return a column of numbers in [0, 1]."""
    column: Any = frame[name]
    values = column.to_numpy(np.float64) if column.dtype.kind == "f" else np.full(len(column), -1.0)
    fits = (values >= 0) & (values <= 1) | (np.isnan(values) & missing)
    if not fits.all():
        at = int(np.flatnonzero(~fits)[0])
        raise _foreign(path, f"has {name} {column.tolist()[at]!r} in row {at + 1}, not in [0, 1]")
    return values


def _foreign(path: Path, what: str) -> InputError:
    return InputError(str(path), what, "Run the audit again, and go on from that")
