"""Votes that are written as a list of choices: the one in it, or whether a class is among them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.tasks.multiannotator.formats.raw_votes import NO, YES, is_text

__all__ = ["each_chosen", "one_choice"]


_FEW = 0.05
"""Share of votes with several classes up to which they are taken for mistakes."""


def one_choice(
    column: pd.Series[Any], where: str, positive: str | None
) -> tuple[pd.Series[Any], str]:
    """Return a column of single classes, and how the file writes them: "value" or "list".

    A list of one class is that class, an empty one no label. Where lists hold several, `positive`
    names the class that is asked about, and votes are yes or no. If few of them do, these stay as
    they are: votes that no class can be.

    Raises
    ------
    InputError
        Votes hold several classes, and none is asked about.
    """
    if column.dtype.kind in "iufb" or isinstance(column.dtype, pd.CategoricalDtype):
        return column, "value"
    if is_text(column) and all(_as_list(value) is None for value in pd.unique(column)):
        return column, "value"
    lists = [_as_list(value) for value in column.tolist()]
    if all(each is None for each in lists):
        return column, "value"
    filled = [value if each is None else each for each, value in zip(lists, column, strict=True)]
    values = each_chosen(filled, lambda row: f"{where}, row {row + 1}", positive)
    kind = "value" if positive is not None else "list"
    return pd.Series(values, index=column.index, dtype=object), kind


def each_chosen(
    votes: Sequence[Any], where: Callable[[int], str], positive: str | None
) -> list[Any]:
    """Return the class that each vote stands for.

    A list of one class is that class, an empty one None, and what is no list is itself. Of few
    lists with several classes each stays what it is, a vote that no class can be.

    Parameters
    ----------
    votes : sequence
    where : callable
        What messages call the vote of a position.
    positive : str, optional
        The class that is asked about: lists are then yes or no.

    Raises
    ------
    InputError
        Votes hold several classes, and none is asked about.
    """
    several = sum(isinstance(each, list) and len(each) > 1 for each in votes)
    are_few = positive is None and several <= _FEW * len(votes)
    return [
        each
        if not isinstance(each, list) or (are_few and len(each) > 1)
        else _chosen(each, where, at, positive)
        for at, each in enumerate(votes)
    ]


def _chosen(choices: list[Any], where: Callable[[int], str], at: int, positive: str | None) -> Any:
    if positive is not None:
        return YES if positive in map(str, choices) else NO
    if len(choices) > 1:
        raise InputError(
            where(at),
            f"holds {len(choices)} classes: {', '.join(map(str, choices[:5]))}",
            "Name one of them with the option positive: votes are then whether it is among them",
        )
    return choices[0] if choices else None


def _as_list(value: Any) -> list[Any] | None:
    """Return a list of choices, in whatever way it is written; None if it is none."""
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, np.ndarray):
        return list(value.tolist())
    text = value.strip() if isinstance(value, str) else ""
    if not text.startswith(("[", '{"choices"')):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict):
        found = found.get("choices")
    return found if isinstance(found, list) else None
