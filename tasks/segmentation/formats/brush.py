"""Label Studio's run-length code of a brush mask: bits of an RGBA image, packed.

A stream begins with how many values it holds (32 bits), the bits of a value less 1 (5) and four
sizes of run lengths less 1 (4 each). Then come runs: a bit that says whether one value is repeated,
two bits that choose the size of the length, the length less 1, and the value or the values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError

__all__ = ["decoded", "encoded"]

_SIZES = (3, 4, 8, 16)


def decoded(rle: Any, shape: tuple[int, int], where: str) -> npt.NDArray[np.bool_]:
    """Return the mask (h, w) of a run-length code: where the image is not transparent.

    Raises
    ------
    InputError
        The code is broken, or of another size.
    """
    listed = rle if isinstance(rle, list) else []
    if not all(type(each) is int and 0 <= each <= 255 for each in listed):
        raise InputError(where, "is no run-length code of a brush", "Export it again")
    bits = _Bits(bytes(listed), where)
    count = bits.take(32)
    if count != 4 * shape[0] * shape[1]:
        raise InputError(
            where,
            f"codes {count // 4:,} pixels, and its image has {shape[0]} x {shape[1]}",
            "Export it again",
        )
    width = bits.take(5) + 1
    sizes = [bits.take(4) + 1 for _ in range(4)]
    values = np.empty(count, dtype=np.uint16)
    at = 0
    while at < count:
        repeats = bits.take(1)
        length = bits.take(sizes[bits.take(2)]) + 1
        if at + length > count:
            raise InputError(where, "has more pixels than it says", "Export it again")
        if repeats:
            values[at : at + length] = bits.take(width) & 0xFFFF
        else:
            values[at : at + length] = [bits.take(width) & 0xFFFF for _ in range(length)]
        at += length
    opaque: npt.NDArray[np.bool_] = values[3::4].reshape(shape) > 0
    return opaque


class _Bits:
    """Bits of a text of bytes, the first one the highest."""

    def __init__(self, data: bytes, where: str) -> None:
        self._data, self._at, self._where = data, 0, where

    def take(self, count: int) -> int:
        end = self._at + count
        if end > 8 * len(self._data):
            raise InputError(self._where, "ends too early", "Export it again")
        first, last = self._at // 8, (end + 7) // 8
        value = int.from_bytes(self._data[first:last], "big")
        self._at = end
        return value >> (8 * last - end) & ((1 << count) - 1)


def encoded(mask: npt.NDArray[np.bool_]) -> list[int]:
    """Return the run-length code of a mask.

    Examples
    --------
    >>> mask = np.array([[True, False], [False, True]])
    >>> bool((decoded(encoded(mask), (2, 2), "rle") == mask).all())
    True
    """
    flat = mask.reshape(-1)
    text = [f"{4 * flat.size:032b}{7:05b}", *(f"{size - 1:04b}" for size in _SIZES)]
    edges = np.flatnonzero(np.diff(flat)) + 1
    starts = np.append(0, edges)
    # Black and opaque, or transparent: the four bytes of a pixel are equal, or 255 four times.
    for start, stop in zip(starts.tolist(), [*edges.tolist(), flat.size], strict=True):
        left = 4 * (stop - start)
        value = 255 if flat[start] else 0
        while left:
            length = min(left, 1 << _SIZES[-1])
            choice = next(i for i, size in enumerate(_SIZES) if length <= 1 << size)
            text.append(f"1{choice:02b}{length - 1:0{_SIZES[choice]}b}{value:08b}")
            left -= length
    bits = "".join(text)
    bits += "0" * (-len(bits) % 8)
    return list(int(bits, 2).to_bytes(len(bits) // 8, "big"))
