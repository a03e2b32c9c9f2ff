"""From labels as files hold them to class indices: which classes there are, in which order."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from goldlabel.errors import InputError
from goldlabel.formats.numerals import NUMBER
from goldlabel.inputs.labels import FEW_UNKNOWN, NOT_A_CLASS
from goldlabel.typing import Ints, Mask

__all__ = ["Classes", "Distinct", "arrange", "distinct"]

_GAP = 5
"""A class is so many times as frequent as what may be a slip, where only their number is known."""


class Distinct(NamedTuple):
    """The different labels of a column.

    Attributes
    ----------
    codes : ndarray of shape (n,), int64
        Index into `names`; -1 where the label is missing.
    names : tuple of str
        The labels that occur, as text.
    values : tuple
        The same as the file holds them: text, int, float or bool.
    """

    codes: Ints
    names: tuple[str, ...]
    values: tuple[Any, ...]


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


def distinct(
    column: pd.Series[Any], where: str, *, positions_in: Sequence[str] | None = None
) -> Distinct:
    """Find the different labels of a column, and where it has none.

    Parameters
    ----------
    column : Series of shape (n,)
    where : str
        File and column, for errors.
    positions_in : sequence of str, optional
        Class names that the column's values are positions in (-1 = no label).

    Raises
    ------
    InputError
        A value can't be a class: a list, a position that has no name, text among numbers.
    """
    try:
        codes, values = _factorized(column)
    except TypeError as error:
        row = next(i for i, value in enumerate(column) if not isinstance(value, Hashable))
        raise _no_class(where, row, column.iloc[row]) from error
    names: list[str | None] = []
    for code, value in enumerate(values):
        name = _name(value, positions_in)
        if name is None and not _is_missing(value, positions_in):
            raise _no_class(where, int(np.argmax(codes == code)), value)
        names.append(name)
    present = [code for code, name in enumerate(names) if name is not None]
    _check_kinds(where, codes, values, present)
    renumber = np.full(len(values) + 1, -1, np.int64)  # the last entry is for -1
    renumber[present] = np.arange(len(present))
    found = tuple(name for name in names if name is not None)
    return Distinct(renumber[codes], found, tuple(values[code] for code in present))


def _factorized(column: pd.Series[Any]) -> tuple[Ints, list[Any]]:
    """Return codes (-1 = missing) and different values; text by Arrow, which is fast and exact.

    pandas before 3 takes two texts for one if they are the same up to a NUL.
    """
    if column.dtype.kind == "O" and not isinstance(column.dtype, pd.CategoricalDtype):
        with contextlib.suppress(pa.ArrowException, TypeError, UnicodeError):
            text = pa.array(column, type=pa.large_string(), from_pandas=True)
            text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
            encoded = text.dictionary_encode()
            codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
            return codes.astype(np.int64), encoded.dictionary.to_pylist()
    codes, uniques = pd.factorize(column)
    values = [value.item() if hasattr(value, "item") else value for value in uniques]
    return codes.astype(np.int64), values


def _no_class(where: str, row: int, value: object) -> InputError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return InputError(
        f"{where}, row {row + 1}", f"is {shown}, which is no class", "Use text or whole numbers"
    )


def _is_missing(value: object, positions_in: Sequence[str] | None) -> bool:
    return value == -1 if positions_in is not None else isinstance(value, str) and not value.strip()


def _name(value: object, positions_in: Sequence[str] | None) -> str | None:
    """Return a label as text, or None if it is missing or no class."""
    if positions_in is not None:
        if isinstance(value, int) and 0 <= value < len(positions_in):
            return positions_in[value]
        return None
    if isinstance(value, str):
        return value if value.strip() and _is_text(value) else None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and np.isfinite(value):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value) if isinstance(value, int) else None


def _is_text(value: str) -> bool:
    """Return whether UTF-8 can hold a string: JSON can escape half a character."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _check_kinds(where: str, codes: Ints, values: Sequence[object], present: list[int]) -> None:
    texts = [code for code in present if isinstance(values[code], str)]
    if 0 < len(texts) < len(present):
        row = int(np.argmax(codes == texts[0]))
        raise InputError(
            f"{where}, row {row + 1}",
            f"is the text {values[texts[0]]!r}, and other labels are numbers",
            "Write all labels as text, or all as numbers",
        )


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
