"""What a notebook holds a dataset in, as a table: dicts, pandas, polars, Arrow, Hugging Face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from goldlabel.errors import InputError

__all__ = ["as_columns"]

_FIX = "Pass a DataFrame, an Arrow table, a Hugging Face dataset, or a dict of columns"


def as_columns(data: Any) -> pd.DataFrame:
    """Return a dataset as a DataFrame whose rows are numbered from 0.

    Columns of class numbers with names (Hugging Face's ``ClassLabel``) become categories.

    Raises
    ------
    InputError
        It is a dict of splits, or no table.

    Examples
    --------
    >>> as_columns([{"text": "a", "label": 1}, {"text": "b", "label": 0}]).columns.tolist()
    ['text', 'label']
    """
    if isinstance(data, pd.DataFrame):
        return data.reset_index(drop=True)
    if isinstance(data, Mapping):
        return _of_mapping(data)
    convert = getattr(data, "to_pandas", None)
    if convert is not None:  # polars, Arrow, Hugging Face
        frame = pd.DataFrame(convert()).reset_index(drop=True)
        return _with_class_names(frame, getattr(data, "features", None))
    if isinstance(data, Sequence) and data and all(isinstance(row, Mapping) for row in data):
        return pd.DataFrame(list(data))
    raise InputError("data", f"is a {type(data).__name__}, no table", _FIX)


def _of_mapping(data: Mapping[Any, Any]) -> pd.DataFrame:
    splits = [name for name, part in data.items() if hasattr(part, "columns")
              or hasattr(part, "column_names")]  # fmt: skip
    if splits:
        what = f"is a dict of tables ({', '.join(map(str, splits))})"
        raise InputError("data", what, f"Pass one of them, e.g. data[{splits[0]!r}]")
    try:
        return pd.DataFrame(dict(data))
    except (ValueError, TypeError) as error:
        lengths = {name: len(part) for name, part in data.items() if hasattr(part, "__len__")}
        what = f"has columns of lengths {lengths}" if len(set(lengths.values())) > 1 else str(error)
        raise InputError("data", what, "Pass columns of one length") from error


def _with_class_names(frame: pd.DataFrame, features: Any) -> pd.DataFrame:
    if not isinstance(features, Mapping):
        return frame
    for name, feature in features.items():
        names = getattr(feature, "names", None)
        if names is not None and name in frame and pd.api.types.is_integer_dtype(frame[name].dtype):
            codes = frame[name].where(frame[name] >= 0, -1).to_numpy()
            frame[name] = pd.Categorical.from_codes(codes, categories=pd.Index(list(names)))
    return frame
