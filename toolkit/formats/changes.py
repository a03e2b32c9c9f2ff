"""Corrections, a frame, as what a format is to change: checked once, for every task.

A correction names an example, and a part of it where examples have parts, by position; what it
suggests is for the task to understand.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from goldlabel.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Correction", "by_example", "by_part", "by_position", "class_value", "each_correction"]

Value = TypeVar("Value")


class Correction(NamedTuple):
    """One row of corrections.

    Attributes
    ----------
    where : str
        For errors: which row.
    example, part : int
        Positions; the part is -1 where examples have none.
    suggested : object
    row : mapping
        All that the row says.
    """

    where: str
    example: int
    part: int
    suggested: Any
    row: Mapping[str, Any]


def by_example(
    corrections: pd.DataFrame, value: Callable[[Correction], Value], *, examples: int
) -> dict[int, Value]:
    """Return what each example is changed to.

    Parameters
    ----------
    corrections : DataFrame
        A row per change: ``example`` and ``suggested``.
    value : callable
        A correction -> what to write; raises InputError where it suggests nothing that could be.
    examples : int
        How many there are.

    Raises
    ------
    InputError
        A column is missing, a row names no example, or two rows say different things of one.
    """
    changes: dict[int, Value] = {}
    for each in each_correction(corrections, ("example", "suggested"), range(examples)):
        new = value(each)
        if changes.setdefault(each.example, new) != new:
            raise InputError(
                each.where, f"gives example {each.example} a second label", "Leave one row"
            )
    return changes


def by_part(
    corrections: pd.DataFrame,
    value: Callable[[Correction], Value],
    *,
    parts: Sequence[int] | Mapping[int, Collection[int]],
    named: str = "part",
) -> dict[tuple[int, int], Value]:
    """Return what each part of an example is changed to; see `by_example`.

    `parts` is how many each example has, or which they are by example where not all have some;
    `named` is what they are called.
    """
    known = parts if isinstance(parts, Mapping) else dict(enumerate(map(range, parts)))
    changes: dict[tuple[int, int], Value] = {}
    for each in each_correction(corrections, examples=known):
        own = known[each.example]
        if not isinstance(each.part, int) or each.part not in own:
            raise InputError(
                each.where,
                f"names {named} {each.part!r} of example {each.example}, which has {len(own)}",
                "Use positions",
            )
        new = value(each)
        if changes.setdefault((each.example, each.part), new) != new:
            what = f"gives {named} {each.part} of example {each.example} a second label"
            raise InputError(each.where, what, "Leave one row")
    return changes


def each_correction(
    corrections: pd.DataFrame,
    columns: Sequence[str] = ("example", "part", "suggested"),
    examples: Collection[int] | None = None,
) -> Iterator[Correction]:
    """Yield the rows of corrections, for what `by_example` and `by_part` can't say.

    Raises
    ------
    InputError
        One of `columns` is missing, or a row names none of `examples`, if they are given.
    """
    for column in columns:
        if column not in corrections:
            raise InputError("corrections", f"has no column {column!r}", "Add it")
    values = {str(name): corrections[name].tolist() for name in corrections.columns}
    for at in range(len(corrections)):
        row = {name: column[at] for name, column in values.items()}
        where, example = f"corrections: row {at + 1}", row["example"]
        if not isinstance(example, int) or (examples is not None and example not in examples):
            raise InputError(where, f"names example {example!r}, which is none", "Use positions")
        yield Correction(where, example, row.get("part", -1), row["suggested"], row)


def by_position(stored: Mapping[str, Value]) -> dict[int, Value]:
    """Return by position what JSON holds by its digits.

    Raises
    ------
    InputError
        A key is no position.
    """
    try:
        return {int(position): value for position, value in stored.items()}
    except ValueError as error:
        raise InputError(
            "summary.json: source.options",
            f"has a key that is no position ({str(error)[:80]})",
            "Run the audit again: its folder was changed",
        ) from error


def class_value(classes: Sequence[str], values: Sequence[Value]) -> Callable[[Correction], Value]:
    """Return what finds the value that the file has for the suggested class.

    A class whose value is None can't be written.
    """
    if len(classes) != len(values):
        raise InputError(
            "summary.json: source.options",
            f"has {len(values)} values for {len(classes)} classes",
            "Run the audit again: its folder was changed",
        )
    value_of = dict(zip(classes, values, strict=True))

    def value(correction: Correction) -> Value:
        found = value_of.get(str(correction.suggested))
        if found is None:
            known = ", ".join(list(value_of)[:20])
            raise InputError(
                correction.where,
                f"suggests {correction.suggested!r}, which is no class of the dataset",
                f"Use one of {known}",
            )
        return found

    return value
