"""Names that mean the same example in two places: with a folder, a suffix or zeros, or without.

Names are compared whole first, then by less and less of them, but never by so little that two
names of one side become one: that is no match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence

from goldlabel.formats.upload_names import original_name

__all__ = ["PICTURES", "in_order", "match_names", "without_suffix"]

PICTURES = frozenset(".bmp .gif .jpeg .jpg .png .tif .tiff .webp".split())
"""Files that count as pictures, by the end of their names in lower case."""

_DIGITS = re.compile(r"([0-9]+)")


def without_suffix(name: str) -> str:
    """Return a name without the endings of files of pictures and arrays; other dots stay.

    Examples
    --------
    >>> without_suffix("cam1.0003.jpg.npy"), without_suffix("cam1.0003")
    ('cam1.0003', 'cam1.0003')
    """
    stem, dot, suffix = name.rpartition(".")
    if stem and dot + suffix.lower() in PICTURES | {".npy", ".npz"}:
        return without_suffix(stem)
    return name


def in_order(name: str) -> tuple[tuple[str, int, str], ...]:
    """Return a key by which names are in the order of the numbers in them: ``9`` before ``10``.

    Examples
    --------
    >>> sorted(["img10", "img9", "img1"], key=in_order)
    ['img1', 'img9', 'img10']
    """
    parts = _DIGITS.split(name)
    numbers = [*parts[1::2], ""]
    return tuple(
        (text, int(digits[:4000] or 0), digits)
        for text, digits in zip(parts[::2], numbers, strict=True)
    )


def _last(name: str) -> str:
    return without_suffix(name).rpartition("/")[2]


def _first_part(name: str) -> str:
    return original_name(_last(name)).partition(".")[0]


def _without_zeros(name: str) -> str:
    return _DIGITS.sub(lambda digits: digits[0].lstrip("0") or "0", _last(name))


def _numbers(name: str) -> tuple[str, ...]:
    return tuple(digits.lstrip("0") or "0" for digits in _DIGITS.findall(_last(name)))


_KEYS: tuple[tuple[Callable[[str], Hashable], str], ...] = (
    (str, "name"),
    (without_suffix, "name"),
    (_last, "name"),
    (lambda name: original_name(_last(name)), "name, without the marks of an upload"),
    (_without_zeros, "name, without leading zeros"),
    (_first_part, "name, up to the first dot"),
)


def match_names(held: Sequence[str], wanted: Sequence[str]) -> tuple[list[int], str]:
    """Return the position in `held` of each name that is wanted, -1 where there is none.

    Parameters
    ----------
    held, wanted : sequence of str
        Names that are different among themselves.

    Returns
    -------
    positions : list of int
        By the first way of comparing names in which all that are wanted are there, else by that
        in which most are.
    how : str
        That way, for a note.

    Examples
    --------
    >>> match_names(["a.jpg", "b.jpg"], ["b", "a"])
    ([1, 0], 'name')
    >>> match_names(["prob_1", "prob_2"], ["mask_0001", "mask_0002"])
    ([0, 1], 'number')
    """
    best: tuple[list[int], str] = ([-1] * len(wanted), "name")
    for key, how in _KEYS:
        positions = _by_key(held, wanted, key)
        if positions is not None and positions.count(-1) < best[0].count(-1):
            best = positions, how
    if best[0] and best[0].count(-1) == len(wanted):
        same = {_numbers(name) for name in held} == {_numbers(name) for name in wanted}
        positions = _by_key(held, wanted, _numbers)
        if same and positions is not None and () not in map(_numbers, wanted):
            best = positions, "number"
    return best


def _by_key(
    held: Sequence[str], wanted: Sequence[str], key: Callable[[str], Hashable]
) -> list[int] | None:
    """Return positions by a key of names; None where it makes two names of one side one."""
    place = {key(name): at for at, name in enumerate(held)}
    keys = [key(name) for name in wanted]
    if len(place) < len(held) or len(set(keys)) < len(keys):
        return None
    return [place.get(each, -1) for each in keys]
