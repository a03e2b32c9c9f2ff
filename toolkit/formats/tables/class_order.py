"""The classes of a column in order, and the index of each label: which names, from what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.numerals import NUMBER
from goldlabel.formats.tables.class_column import Distinct
from goldlabel.inputs.labels import FEW_UNKNOWN, NOT_A_CLASS
from goldlabel.typing import Ints, Mask

__all__ = ["Classes", "arrange"]

_GAP = 5
"""A class is so many times as frequent as what may be a slip, where only their number is known."""


class Classes(NamedTuple):
    """All classes in order.

    Attributes
    ----------
    names : tuple of str
    values : tuple
        What the file holds, or would hold, for each class; None if no value of its kind can.
    place : ndarray of int64
        Class index of each of the labels that occur.
    notes : tuple of str
        How the order was found.
    """

    names: tuple[str, ...]
    values: tuple[Any, ...]
    place: Ints
    notes: tuple[str, ...]


def arrange(
    found: Distinct,
    where: str,
    *,
    listed: Sequence[str] | None = None,
    positions: bool = False,
    classes: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    k: int | None = None,
    mark_unknown: bool = False,
) -> Classes:
    """Put the classes in order and find the index of each label that occurs.

    The order is that of `columns`, else of `classes`, else of `listed` (if it fits `k`), else by
    number where all labels are numbers ("2" before "10"), else by name.

    Parameters
    ----------
    found : Distinct
    where : str
        File and column, for errors.
    listed : sequence of str, optional
        Class names that the column's own type lists.
    positions : bool
        Whether the file holds positions in `listed`.
    classes : sequence of str, optional
        Class names given by the caller. Where labels are whole numbers and these are not, they
        name the numbers 0 .. k-1, or 1 .. k.
    columns : sequence of str, optional
        Class names given by the columns of pred_probs.
    k : int, optional
        Number of columns of pred_probs.
    mark_unknown : bool
        Give `NOT_A_CLASS` to labels that are none of the classes, as long as they are fewer than
        one in ten, and say so in the notes.

    Raises
    ------
    InputError
        Labels that are none of the classes; a name twice; more labels than columns; or columns
        without names of which it is unknown which has no label.
    """
    for name, given in (("classes", classes), ("pred_probs: columns", columns), (where, listed)):
        _check_unique(name, given)
    order, source = _given_order(listed, classes, columns, k)
    notes = _alike(found.names)
    common = _common(found, order, k) if mark_unknown else found.names
    if order is None:
        order, source = _in_order(common, where, k), "those that occur"
        notes.append(f"{len(order):,} classes: {_shown(order)}.")
    else:
        first = _first_number(common, order)
        if first is not None:
            notes.append(f"The number {first} is class {order[0]!r}, the first of {source}.")
            place = np.array([_numbered(name, first, len(order)) for name in found.names], np.int64)
            notes += _unknown_notes(found, place)
            return Classes(
                tuple(order), _values(found, order, place, first=first), place, tuple(notes)
            )
        notes.append(f"{len(order):,} classes, in the order of {source}.")
    index = {name: i for i, name in enumerate(order)}
    place = np.array([index.get(name, NOT_A_CLASS) for name in found.names], np.int64)
    if not (mark_unknown and _are_few(found, place < 0)):
        _check_known(found, where, order, source)
    notes += _unknown_notes(found, place)
    values = _values(found, order, place, listed=listed if positions else None)
    return Classes(tuple(order), values, place, tuple(notes))


def _are_few(found: Distinct, unknown: Mask) -> bool:
    """Return whether these of the labels that occur are fewer than one in ten of all."""
    codes = found.codes[found.codes >= 0]
    return int(np.count_nonzero(unknown[codes])) < FEW_UNKNOWN * len(codes)


def _common(found: Distinct, order: Sequence[str] | None, k: int | None) -> tuple[str, ...]:
    """Return the labels that classes can be told from: without the few that are slips.

    Where classes have names, or numbers that begin at 0 or 1, these are the labels that fit.
    Where only their number is known, these are the most frequent ones, if there is a gap.
    """
    names = found.names
    counts = np.bincount(found.codes[found.codes >= 0], minlength=len(names))
    if order is not None:
        if set(names) & set(order):
            return names
        k, ranges = len(order), [[str(i) for i in range(s, len(order) + s)] for s in (0, 1)]
    elif k is not None and len(names) > k:
        most = np.sort(np.argsort(-counts, kind="stable")[:k])
        ranges = [[names[at] for at in most]]
    else:
        return names
    best: tuple[str, ...] = names
    fewest = len(found.codes)
    for each in ranges:
        fits = np.array([name in set(each) for name in names], dtype=np.bool_)
        left = int(counts[~fits].sum())
        has_gap = order is not None or counts[fits].min() >= _GAP * counts[~fits].max()
        if left < fewest and has_gap and _are_few(found, ~fits):
            best, fewest = tuple(name for name in names if name in set(each)), left
    return best


def _numbered(name: str, first: int, k: int) -> int:
    """Return the class that a label names by its number, from `first` on."""
    number = _number(name)
    is_one = number is not None and number == int(number) and first <= number < first + k
    return int(number) - first if is_one and number is not None else NOT_A_CLASS


def _unknown_notes(found: Distinct, place: Ints) -> list[str]:
    unknown = np.flatnonzero(place == NOT_A_CLASS)
    if not unknown.size:
        return []
    count = int(np.isin(found.codes, unknown).sum())
    texts = _shown([repr(found.names[code]) for code in unknown.tolist()])
    what = "label is" if count == 1 else "labels are"
    return [f"{count:,} {what} none of the classes, and listed as such: {texts}."]


def _given_order(
    listed: Sequence[str] | None,
    classes: Sequence[str] | None,
    columns: Sequence[str] | None,
    k: int | None,
) -> tuple[Sequence[str] | None, str]:
    """Return the order that was given, if any, and by what."""
    if classes is not None and columns is not None and set(classes) != set(columns):
        other = sorted(set(classes) ^ set(columns))
        raise InputError(
            "classes", f"and the columns of pred_probs differ in {other[0]!r}", "Give both alike"
        )
    if classes is not None and k is not None and len(classes) != k:
        raise InputError(
            "classes", f"has {len(classes)} names, and pred_probs {k} columns", "Name each column"
        )
    if columns is not None:
        return columns, "the columns of pred_probs"
    if classes is not None:
        return classes, "the given classes"
    if listed is not None and k in (None, len(listed)):
        return listed, "the file's own list"
    return None, ""


def _check_known(found: Distinct, where: str, order: Sequence[str], source: str) -> None:
    known = set(order)
    unknown = [code for code, name in enumerate(found.names) if name not in known]
    whole = _whole(found.names)
    if unknown and whole and not any(_number(name) is not None for name in order):
        raise InputError(
            where,
            f"holds the numbers {min(whole)} .. {max(whole)}, and {source} name {len(order)}"
            " classes",
            f"Name the classes of the numbers 0 .. {len(order) - 1} or 1 .. {len(order)}",
        )
    if unknown:
        name, row = found.names[unknown[0]], int(np.argmax(found.codes == unknown[0]))
        raise InputError(
            f"{where}, row {row + 1}",
            f"is {name!r}, not one of {source} ({_shown(order)}); "
            f"{int(np.isin(found.codes, unknown).sum()):,} labels are not",
            "Add the class, or correct the labels",
        )


def _check_unique(where: str, names: Sequence[str] | None) -> None:
    seen = set()
    for name in names or ():
        if name in seen:
            raise InputError(where, f"names class {name!r} twice", "Name each class once")
        seen.add(name)


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10:,} more" if len(names) > 10 else "")


def _number(name: str) -> float | None:
    return float(name) if NUMBER.fullmatch(name) else None


def _whole(names: Sequence[str]) -> list[int] | None:
    """Return names as integers, if all of them are and no two are the same."""
    numbers = [_number(name) for name in names]
    whole = [int(x) for x in numbers if x is not None and abs(x) < 1e15 and x == int(x)]
    return whole if len(set(whole)) == len(names) else None


def _first_number(found: Sequence[str], names: Sequence[str]) -> int | None:
    """Return the number of the first class, if labels are numbers that `names` give names to."""
    whole = _whole(found)
    if not whole or set(found) <= set(names) or any(_number(name) is not None for name in names):
        return None
    if min(whole) >= 1 and max(whole) == len(names):
        return 1
    return 0 if min(whole) >= 0 and max(whole) < len(names) else None


def _in_order(found: Sequence[str], where: str, k: int | None) -> list[str]:
    numbers = {name: _number(name) for name in found}
    if None not in numbers.values():
        ordered = sorted(found, key=lambda name: (numbers[name], name))
    else:
        ordered = sorted(found)
    whole = _whole(ordered)
    if k is None or k == len(ordered):
        return ordered
    if (
        len(ordered) < k
        and whole
        and (0 <= whole[0] <= whole[-1] < k or 1 <= whole[0] <= whole[-1] == k)
    ):
        first = 1 if whole[-1] == k else 0
        names = dict(zip(whole, ordered, strict=True))
        return [names.get(number, str(number)) for number in range(first, first + k)]
    raise InputError(
        where,
        f"has {len(ordered)} classes ({_shown(ordered)}), and pred_probs {k} columns",
        "Pass classes= with the name of each column, in order",
    )


def _values(
    found: Distinct,
    order: Sequence[str],
    place: Ints,
    *,
    listed: Sequence[str] | None = None,
    first: int | None = None,
) -> tuple[Any, ...]:
    """Say what the file would hold for each class, also for those that do not occur."""
    kind = type(found.values[0]) if found.values else str
    values: list[Any] = [None] * len(order)
    for i, name in enumerate(order):
        if listed is not None:
            values[i] = listed.index(name) if name in listed else None
        elif first is not None:
            values[i] = kind(i + first)
        elif kind is bool:
            values[i] = {"false": False, "true": True}.get(name)
        elif kind is str:
            values[i] = name
        elif _number(name) is not None:
            values[i] = kind(float(name))
    for i, value in zip(place.tolist(), found.values, strict=True):
        if i != NOT_A_CLASS:
            values[i] = value
    return tuple(values)


def _alike(names: Sequence[str]) -> list[str]:
    """Note classes that differ only in case, spaces, or how a number is written."""
    groups: dict[object, list[str]] = {}
    for name in names:
        number = _number(name.strip())
        key = number if number is not None else " ".join(name.split()).casefold()
        groups.setdefault(key, []).append(name)
    pairs = [" and ".join(map(repr, group)) for group in groups.values() if len(group) > 1]
    return [f"Classes that differ only in how they are written: {_shown(pairs)}."] if pairs else []
