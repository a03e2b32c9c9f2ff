"""What Parquet files and Hugging Face folders share: Arrow columns, their class names, changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from goldlabel.errors import InputError
from goldlabel.formats.json.text import loaded

__all__ = ["ARROW_ERRORS", "as_frame", "class_names", "feature_names", "metadata", "with_values"]

ARROW_ERRORS = (pa.ArrowException, OSError, ValueError, KeyError, NotImplementedError)
"""What Arrow raises for a damaged file, depending on where the damage is."""


def as_frame(table: pa.Table, path: Path) -> pd.DataFrame:
    """Return an Arrow table as a frame; integers with missing values stay exact (objects)."""
    names = table.column_names
    twice = (
        [name for name in names if names.count(name) > 1] if len(set(names)) < len(names) else []
    )
    if twice:
        raise InputError(str(path), f"has two columns named {twice[0]!r}", "Rename one of them")
    if not table.num_rows or not table.num_columns:
        raise InputError(str(path), "has no rows", "Name a file that has rows")
    table = table.replace_schema_metadata(None)  # Arrow parses it even where it is ignored
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True, integer_object_nulls=True)
    return frame


def feature_names(features: Any) -> dict[str, tuple[str, ...]]:
    """Return the class names of every ClassLabel column of a Hugging Face features object.

    Columns of lists of ClassLabel are among them: ``{"feature": {...}, "_type": "List"}``, or
    a list around the feature.
    """
    names = {}
    for column, feature in features.items() if isinstance(features, dict) else ():
        if isinstance(feature, list) and len(feature) == 1:
            feature = feature[0]
        elif isinstance(feature, dict) and isinstance(feature.get("feature"), dict):
            feature = feature["feature"]
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
            listed = feature.get("names")
            if isinstance(listed, list) and all(isinstance(name, str) for name in listed):
                names[column] = tuple(listed)
    return names


def metadata(schema: pa.Schema, key: bytes, *path: str) -> Any:
    """Return a part of the JSON in a schema's metadata; None where it is not there, or damaged."""
    try:
        value = loaded((schema.metadata or {}).get(key, b"null"))
    except (ValueError, RecursionError):
        return None
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def class_names(schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """Return class names by column: of Hugging Face's ClassLabel, from the schema's metadata.

    A column that holds no whole numbers (or lists of them) holds no positions of classes.
    """
    names = feature_names(metadata(schema, b"huggingface", "info", "features"))
    return {name: listed for name, listed in names.items() if _holds_positions(schema, name)}


def _holds_positions(schema: pa.Schema, name: str) -> bool:
    if schema.get_field_index(name) < 0:
        return False
    kind = schema.field(name).type
    while hasattr(kind, "value_type") and not pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_integer(kind) or pa.types.is_null(kind))


def with_values(
    array: pa.Array, changes: Mapping[int, object], where: str, fields: Mapping[int, int]
) -> pa.Array:
    """Return an Arrow array of the same type with some values replaced.

    Parameters
    ----------
    array : pyarrow.Array
    changes : mapping of int to object
        New values by position.
    where : str
        File and column, for the error.
    fields : mapping of int to int
        Row of the table for each position, for the error.
    """
    if pa.types.is_dictionary(array.type):
        return _with_entries(array, changes, where, fields)
    new = [_as_type(changes[i], array.type, f"{where}, row {fields[i] + 1}") for i in changes]
    take = np.arange(len(array), dtype=np.int64)
    take[list(changes)] = len(array) + np.arange(len(changes))
    return pa.concat_arrays([array, *new]).take(pa.array(take))


def _as_type(value: object, value_type: pa.DataType, where: str) -> pa.Array:
    try:
        return pa.array([value], type=value_type)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            where, f"is of type {value_type} and can't become {value!r}", "Use a label of this type"
        ) from error


def _with_entries(
    array: pa.DictionaryArray, changes: Mapping[int, object], where: str, fields: Mapping[int, int]
) -> pa.DictionaryArray:
    """Replace values of a dictionary-encoded array; entries that it lacks are added at its end."""
    entries = {value: code for code, value in enumerate(array.dictionary.to_pylist())}
    codes = array.indices
    new_entries = [value for value in dict.fromkeys(changes.values()) if value not in entries]
    dictionary = array.dictionary
    for value in new_entries:
        entries[value] = len(entries)
        row = next(fields[i] for i in changes if changes[i] == value)
        added = _as_type(value, dictionary.type, f"{where}, row {row + 1}")
        dictionary = pa.concat_arrays([dictionary, added])
    new_codes = with_values(codes, {i: entries[changes[i]] for i in changes}, where, fields)
    return pa.DictionaryArray.from_arrays(new_codes, dictionary, ordered=array.type.ordered)
