"""From the labels of raw votes to classes; one that is no label is left out, and said.

A vote can say that it is none ("NA"), hold what no class is (a list, half a character), or be for
a class that there is not. None of these ends the audit of the others. Numbers are equal as numbers:
pandas writes 1 as 1.0 in a column that has gaps.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from goldlabel.formats.tables.class_column import Distinct, distinct
from goldlabel.formats.tables.class_order import arrange
from goldlabel.tasks.multiannotator.formats.raw_votes import RawVotes, is_text
from goldlabel.typing import Ints, Mask

__all__ = ["NONE", "WORDS", "Labels", "plain_number", "read_labels"]

WORDS = frozenset({"na", "n/a", "nan", "null", "<na>"})
"""What programs write for a value that is missing, in lower case."""
NONE = "none"
"""What Python writes for it, and a frequent name of a class."""

_DECIMAL = re.compile(r"[+-]?(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_MOST = 0.5
"""If more votes than this share are for unknown classes, two sides do not belong together."""
_FEW = 0.05
"""If predictions do not name their classes, surplus ones have at most this share of the votes."""


class Labels(NamedTuple):
    """Votes that have a class.

    Attributes
    ----------
    kept : ndarray of shape (n,), bool
        Which of the raw votes they are.
    codes : ndarray of int64
        The class index of each that is kept.
    classes, values : tuple
        Names of the classes, and what the file holds for each; see `arrange`.
    notes : list of str
        What was left out, and how the order was found.
    """

    kept: Mask
    codes: Ints
    classes: tuple[str, ...]
    values: tuple[Any, ...]
    notes: list[str]


def read_labels(
    raw: RawVotes,
    classes: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    k: int | None = None,
) -> Labels:
    """Find the class of each raw vote.

    Parameters
    ----------
    raw : RawVotes
    classes : sequence of str, optional
        Names that the caller gives.
    columns : sequence of str, optional
        Names of the columns of the predictions.
    k : int, optional
        Number of columns of the predictions.

    Raises
    ------
    InputError
        The labels are not those of these classes.
    """
    notes: list[str] = []
    found = _distinct(raw, notes)
    named = {*(classes or ()), *(columns or ())}
    gaps = [name for name in found.names if _is_gap(name, raw, found, named)]
    reason = "say that there is no label (if it is a class, name all classes with --classes)"
    found = _without(found, gaps, reason, notes)
    found = _merged(found, named or set(raw.listed or ()))
    order = columns or classes or (raw.listed if k in (None, len(raw.listed or ())) else None)
    strays = _unknown(found, order, k)
    found = _without(found, strays, "are for no class that there is", notes)
    arranged = arrange(
        found, raw.where, listed=raw.listed, positions=raw.positions,
        classes=classes, columns=columns, k=k,
    )  # fmt: skip
    kept = found.codes >= 0
    codes = arranged.place[found.codes[kept]]
    return Labels(kept, codes, arranged.names, arranged.values, [*notes, *arranged.notes])


def _distinct(raw: RawVotes, notes: list[str]) -> Distinct:
    """Return the different labels; -1 is the code of those that no class can be."""
    label = raw.label
    kept = _can_be_class(raw)
    if not kept.all():
        first = label.iloc[int(np.argmin(kept))]
        shown = repr(first) if len(repr(first)) <= 60 else f"{repr(first)[:57]}..."
        notes.append(
            f"{np.count_nonzero(~kept):,} votes left out, whose label can be no class: {shown}."
        )
        label = label[kept].infer_objects()
    if label.dtype.kind == "O" and len({isinstance(each, str) for each in label.tolist()}) > 1:
        label = label.map(_as_text)  # text among numbers: the classes are text
    found = distinct(label, raw.where, positions_in=raw.listed if raw.positions else None)
    codes = np.full(len(kept), -1, dtype=np.int64)
    codes[kept] = found.codes
    return found._replace(codes=codes)


def _can_be_class(raw: RawVotes) -> Mask:
    label = raw.label
    if raw.positions:
        listed = len(raw.listed or ())
        return np.array([isinstance(v, int) and 0 <= v < listed for v in label.tolist()], bool)
    if label.dtype.kind == "f":
        return np.asarray(np.isfinite(label.to_numpy(np.float64)))
    if label.dtype.kind in "iub" or isinstance(label.dtype, pd.CategoricalDtype):
        return np.ones(len(label), dtype=np.bool_)
    if is_text(label):
        codes, texts = pd.factorize(label)
        return np.array([_is_class(each) for each in texts], dtype=np.bool_)[codes]
    return np.array([_is_class(each) for each in label.tolist()], dtype=np.bool_)


def _is_class(value: object) -> bool:
    """Whether a value can name a class: numbers, and text that UTF-8 can hold."""
    if isinstance(value, str):
        return bool(value.strip()) and not any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int)


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _counts(found: Distinct) -> Ints:
    """Return how many votes each of the different labels has."""
    return np.bincount(found.codes[found.codes >= 0], minlength=len(found.names))


def _is_gap(name: str, raw: RawVotes, found: Distinct, named: Collection[str]) -> bool:
    """Whether a word says that there is no label, and is not the name of a class.

    In a row for a vote somebody has voted: "None" is a class, and another of these words if it is
    as frequent as the classes. In a cell for each annotator it says that there is none; but "None"
    is a class where there are empty cells too, or an item for which everybody says it.
    """
    word = name.strip().lower()
    if word not in (*WORDS, NONE) or name in named:
        return False
    own = found.codes == found.names.index(name)
    if not raw.has_cells:
        others = [int(count) for each, count in zip(found.names, _counts(found), strict=True)
                  if each.strip().lower() not in WORDS]  # fmt: skip
        return word != NONE and int(np.count_nonzero(own)) < min(others, default=0)
    if word != NONE:
        return True
    voted = set(raw.item[found.codes >= 0][~own[found.codes >= 0]])
    return not raw.has_empty and not set(raw.item[own]) - voted


def _without(found: Distinct, names: Sequence[str], why: str, notes: list[str]) -> Distinct:
    """Leave the votes for some labels out, and say it."""
    if not names:
        return found
    counts = dict(zip(found.names, _counts(found).tolist(), strict=True))
    worst = sorted(names, key=lambda name: -counts[name])
    shown = ", ".join(f"{name!r} ({counts[name]:,})" for name in worst[:5])
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    total = sum(counts[name] for name in names)
    notes.append(f"{total:,} votes left out that {why}: {shown}{more}.")
    gone = set(names)
    return _renamed(found, [None if name in gone else name for name in found.names])


def _renamed(found: Distinct, names: Sequence[str | None]) -> Distinct:
    """Return labels by new names, of which several may be the same; None for no label."""
    left = list(dict.fromkeys(name for name in names if name is not None))
    index = {name: at for at, name in enumerate(left)}
    place = np.array([-1 if name is None else index[name] for name in names] + [-1], np.int64)
    values = dict(zip(found.names, found.values, strict=True))
    return Distinct(place[found.codes], tuple(left), tuple(values.get(n, n) for n in left))


def plain_number(name: str) -> str:
    """Return a number in one way of writing it, whatever the file's: "1" for "1.0"; else `name`.

    Examples
    --------
    >>> [plain_number(name) for name in ("1.0", "+1", "0.50", "2e3", "01", "cat ")]
    ['1', '1', '0.5', '2000', '01', 'cat']
    """
    name = name.strip()
    if not _DECIMAL.fullmatch(name):
        return name
    text = format(Decimal(name).normalize(), "f")
    return "0" if text == "-0" else text


def _merged(found: Distinct, named: Collection[str]) -> Distinct:
    """Take labels for one class that are equal as numbers, or but for blanks around them."""
    groups: dict[str, list[str]] = {}
    for name in found.names:
        groups.setdefault(plain_number(name), []).append(name)
    by_plain = {plain_number(name): name for name in named}
    counts = dict(zip(found.names, _counts(found).tolist(), strict=True))
    chosen: dict[str, str] = {}
    for plain, names in groups.items():
        best = plain if plain in names else max(names, key=lambda name: counts[name])
        best = by_plain.get(plain, best)
        chosen.update(dict.fromkeys(names, best))
    if all(chosen[name] == name for name in found.names):
        return found
    return _renamed(found, [chosen[name] for name in found.names])


def _unknown(found: Distinct, order: Sequence[str] | None, k: int | None) -> list[str]:
    """Return labels for classes that there are not, if they are few enough to be mistakes."""
    counts = dict(zip(found.names, _counts(found).tolist(), strict=True))
    total = sum(counts.values())
    if order is not None:
        known = set(order)
        if not known & set(found.names) and len(numbers := _numbers(found.names)) > 0:
            known = {name for name in numbers if 0 <= int(name) <= len(order)}
        unknown = [name for name in found.names if name not in known]
        return unknown if sum(counts[name] for name in unknown) <= _MOST * total else []
    if k is None or len(found.names) <= k:
        return []
    ranked = sorted(found.names, key=lambda name: -counts[name])
    surplus = ranked[k:]
    is_rare = counts[surplus[0]] < counts[ranked[k - 1]]
    return surplus if is_rare and sum(counts[n] for n in surplus) <= _FEW * total else []


def _numbers(names: Sequence[str]) -> list[str]:
    return [name for name in names if name.isascii() and name.isdecimal() and len(name) < 10]
