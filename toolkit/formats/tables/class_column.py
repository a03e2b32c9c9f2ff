"""Labels as files hold them: which different ones there are, and where."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from goldlabel.errors import InputError
from goldlabel.typing import Ints

__all__ = ["Distinct", "distinct"]


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
