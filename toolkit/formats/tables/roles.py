"""What the columns of a table are: which one holds the labels, and which the ids."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.tables.class_column import Distinct
from goldlabel.formats.tables.table import TableFile

__all__ = ["id_column", "ids", "label_column", "named_beside"]


def label_column(
    table: TableFile, label: str | None, usual_names: Sequence[str]
) -> tuple[str, str]:
    """Return the name of the label column, and a note if it was guessed ("" if not).

    `usual_names`: what such columns are called, in lower case.

    Raises
    ------
    InputError
        There is no such column; or no name was given and not exactly one column has a usual name.
    """
    path, names = table.source.files[0], [str(name) for name in table.frame.columns]
    if label is not None:
        if label not in names:
            raise InputError(
                str(path), f"has no column {label!r}, only {_shown(names)}", "Name one"
            )
        return label, ""
    usual = [name for name in names if name.lower() in usual_names]
    if len(names) == 1 or len(usual) == 1:
        chosen = (usual or names)[0]
        return chosen, f"Column {chosen!r} was taken for the labels."
    what = (
        f"{len(usual)} columns could be the labels" if usual else "no column is surely the labels"
    )
    raise InputError(
        str(path), f"{what}: it has {_shown(names)}", "Say which with the option label"
    )


def id_column(table: TableFile, id: str | None) -> tuple[str | None, str]:
    """Return the name of the id column, if there is one, and a note if it was guessed.

    A column called "id" whose values are all there and all different is taken unasked.
    """
    path, names = table.source.files[0], [str(name) for name in table.frame.columns]
    if id is not None:
        if id not in names:
            raise InputError(str(path), f"has no column {id!r}, only {_shown(names)}", "Name one")
        _check_ids(table.frame[id], f"{path}: column {id!r}")
        return id, ""
    usual = [name for name in names if name.lower() == "id"]
    if len(usual) != 1:
        return None, ""
    try:
        _check_ids(table.frame[usual[0]], "")
    except InputError:
        return (
            None,
            f"Column {usual[0]!r} has missing or repeated values, so it was not used as id.",
        )
    return usual[0], f"Column {usual[0]!r} was taken for the ids."


def _check_ids(column: pd.Series[Any], where: str) -> None:
    if column.dtype == object and not all(map(pd.api.types.is_hashable, column)):
        raise InputError(where, "holds lists, which are no ids", "Name another column")
    missing = np.flatnonzero(column.isna().to_numpy() | (column == "").to_numpy())
    repeated = np.flatnonzero(column.duplicated().to_numpy())
    if missing.size:
        raise InputError(
            f"{where}, row {missing[0] + 1}",
            f"is missing; {missing.size:,} ids are",
            "Give each row an id, or name another column",
        )
    if repeated.size:
        raise InputError(
            f"{where}, row {repeated[0] + 1}",
            f"is {column.iloc[repeated[0]]!r} again; {repeated.size:,} rows repeat an id",
            "Give each row an id of its own, or name another column",
        )


def ids(table: TableFile, id: str | None) -> npt.NDArray[Any] | None:
    """Return the ids as an array: integers, or text."""
    if id is None:
        return None
    column = table.frame[id]
    return column.to_numpy() if column.dtype.kind in "iu" else column.to_numpy(dtype=object)


def named_beside(
    table: TableFile, column: str, found: Distinct, wanted: Collection[str]
) -> tuple[Distinct, str]:
    """Return labels that are numbers with the names that another column gives these numbers.

    Parameters
    ----------
    table : TableFile
    column : str
        The column of labels.
    found : Distinct
        Its labels.
    wanted : collection of str
        Names of classes as the caller or predictions give them: the other column must hold some
        of these alone, one for each number.

    Returns
    -------
    tuple
        The labels, and a note; the labels as they are and "" where no column names them.
    """
    names, codes = set(wanted), found.codes
    is_numbers = all(name.lstrip("-").isdecimal() for name in found.names)
    if not is_numbers or not names or not found.names or any(name in names for name in found.names):
        return found, ""
    for other in map(str, table.frame.columns):
        if other == column:
            continue
        pairs = pd.DataFrame({"code": codes, "name": table.frame[other].astype(object)})
        try:
            pairs = pairs[pairs["code"] >= 0].drop_duplicates()
        except TypeError:  # lists
            continue
        texts = pairs.sort_values("code")["name"].tolist()
        if len(texts) == len(found.names) == len(set(texts)) and names.issuperset(texts):
            note = (
                f"Column {other!r} names the numbers of {column!r}; an export changes"
                f" {column!r} alone."
            )
            return found._replace(names=tuple(texts)), note
    return found, ""


def _shown(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
