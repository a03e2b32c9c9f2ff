"""Which column of a table of boxes is the class, where one has its number and another its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import warn
from goldlabel.typing import Mask

__all__ = ["is_number", "name_column"]

_AGREE = 0.9
"""Share of the rows whose number goes with one name, from which "name" is that of the class."""
_NAME = "name"
"""What a column of class names is called, but one of file names and of people too."""


def is_number(text: str) -> bool:
    """Return whether a text is a class number."""
    return re.fullmatch(r"\d{1,6}", text) is not None


def name_column(frame: pd.DataFrame, label: str, others: Sequence[str], path: str) -> str:
    """Return the column of class names beside one of class numbers; else the column itself.

    Warns where number and name do not go together: names are what was meant, as numbers are
    counted from 0 here and from 1 there.

    Parameters
    ----------
    frame : DataFrame
    label : str
        The column that holds the class by its name.
    others : sequence of str
        Other columns that could.
    path : str
        For messages.
    """
    numbers = np.array([str(value).strip() for value in frame[label]], dtype=object)
    if not len(numbers) or not all(map(is_number, set(numbers))):
        return label
    for other in others:
        names = np.array([str(value).strip() for value in frame[other]], dtype=object)
        if any(map(is_number, set(names))):
            continue
        pairs = pd.DataFrame({"number": numbers, "name": names})
        usual = pairs.groupby("number")["name"].agg(lambda each: each.value_counts().index[0])
        differs = (pairs["number"].map(usual) != pairs["name"]).to_numpy()
        is_unsure = other.strip().lower() == _NAME
        if is_unsure and np.count_nonzero(differs) > (1 - _AGREE) * len(pairs):
            continue
        _check_agreement(numbers, names, usual, differs, (label, other), path)
        return other
    return label


def _check_agreement(
    numbers: npt.NDArray[Any],
    names: npt.NDArray[Any],
    usual: pd.Series[Any],
    differs: Mask,
    columns: tuple[str, str],
    path: str,
) -> None:
    label, other = columns
    if differs.any():
        row = int(differs.argmax())
        warn(
            f"{path}: row {row + 1}: {other} is {names[row]!r}, and {label} {numbers[row]} is "
            f"{usual[numbers[row]]!r} elsewhere; {np.count_nonzero(differs):,} of {len(names):,} "
            f"rows are so. {other} was taken for the class: check which column is right."
        )
        return
    several = usual[usual.duplicated(keep=False)]
    if len(several):
        name = several.iloc[0]
        shared = ", ".join(several.index[several == name])
        warn(
            f"{path}: {name!r} in {other} has several numbers in {label} ({shared}). {other} was"
            " taken for the class: check which column is right."
        )
