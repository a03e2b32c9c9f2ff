"""Numbers read out of JSON text where they stand: single ones, boxes, polygons, run lengths.

Everything here trusts that the text is valid JSON and that the places are those of values.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Bytes, Floats, Ints

__all__ = ["boxes", "numbers", "point_lists", "run_lengths"]

Flags = npt.NDArray[np.uint8]

# What a value is, as a number.
NONE, WHOLE, ROUND, FRACTION, NOT_FINITE, TEXT_WHOLE, TEXT_NUMBER, OTHER = range(8)
"""Nothing; 3; 3.0; 3.5; NaN or beyond float64; "3"; "3.5"; anything else."""

MOST = np.int64(9_000_000_000_000_000_000)
_EXACT_DIGITS, _EXACT_POWER = 1 << 53, 22
"""Integers and powers of ten up to these are floats, exactly."""
FLAT, NOT_NUMBERS, INFINITE = 1, 2, 4
# What is wrong with run lengths.
RLE_MALFORMED, RLE_NEGATIVE, RLE_SIZE = 1, 2, 4


@kernel
def _next(data: Bytes, at: int) -> int:
    """Return the position of the next byte that is neither space nor comma."""
    while data[at] <= 32 or data[at] == 44:
        at += 1
    return at


@kernel
def _power(exponent: int) -> float:
    result, base, rest = 1.0, 10.0, abs(exponent)
    while rest:
        if rest & 1:
            result *= base
        base *= base
        rest >>= 1
    return result


@kernel
def _quotient(digits: np.int64, power: float, value: Floats) -> bool:
    """``value[0] = digits / power``, rounded once from a quotient that is off by some 2**-100.

    `digits` may have more than 53 bits, `power` is exact. Return whether the float is sure.
    """
    high = float(digits)
    low = float(digits - np.int64(high))
    first = high / power
    left, right = 134217729.0 * first, 134217729.0 * power  # halves of 26 bits, whose product
    left, right = left - (left - first), right - (right - power)  # is exact (Dekker)
    product = first * power
    rest = left * right - product + left * (power - right) + (first - left) * right
    rest += (first - left) * (power - right)
    second = (high - product - rest + low) / power
    value[0] = first + second
    error = abs(first) * 2.0**-95
    return bool(first + (second - error) == first + (second + error))


@kernel
def _scaled(digits: np.int64, shift: int, value: Floats) -> bool:
    """``value[0] = digits * 10**shift``; return whether it is the float nearest to that."""
    is_short = digits <= _EXACT_DIGITS
    if not digits or not shift:
        value[0] = float(digits)
        return True
    if -_EXACT_POWER <= shift < 0 and not is_short:
        return bool(_quotient(digits, _power(shift), value))
    shift = max(-400, min(shift, 400))
    if shift > 0:
        value[0] = float(digits) * _power(shift)
    elif shift >= -300:
        value[0] = float(digits) / _power(shift)
    else:
        value[0] = float(digits) / _power(-300) / _power(shift + 300)
    return bool(is_short and abs(shift) <= _EXACT_POWER)


@kernel
def _number(data: Bytes, at: int, stop: int, value: Floats, whole: Ints) -> int:
    """Read one number; return where it ends, or -1 if there is none.

    `value[0]` is the float nearest to the number; `whole` receives the number as an integer, its
    kind (`WHOLE`, `ROUND`, `FRACTION` or `NOT_FINITE`), and 1 where the float may be off by two
    units in the last place, else 0.
    """
    negative = data[at] == 45
    at += 1 if negative else 0
    if at >= stop or not 48 <= data[at] <= 57:
        if at < stop and (data[at] == 78 or data[at] == 73):  # NaN, Infinity
            value[0], whole[0], whole[1], whole[2] = np.nan, 0, NOT_FINITE, 0
            return at + (3 if data[at] == 78 else 8)
        return -1
    digits, shift, exponent = np.int64(0), 0, 0
    is_point, is_marked = False, False
    while at < stop:
        c = data[at]
        if 48 <= c <= 57:
            if digits < 900_000_000_000_000_000:
                digits = 10 * digits + (c - 48)
                shift -= 1 if is_point else 0
            else:
                shift += 0 if is_point else 1
                is_marked = is_marked or c != 48
        elif c == 46:
            is_point = True
        else:
            break
        at += 1
    if at < stop and (data[at] == 101 or data[at] == 69):
        at += 1
        sign = data[at]
        at += 1 if sign == 45 or sign == 43 else 0
        while at < stop and 48 <= data[at] <= 57:
            exponent = min(10 * exponent + data[at] - 48, 1 << 40)
            at += 1
        shift += -exponent if sign == 45 else exponent
        is_point = True
    while shift < 0 and digits and digits % 10 == 0:  # 3.0 is 3, exactly
        digits //= 10
        shift += 1
    is_sure = _scaled(digits, shift, value) and not is_marked
    result = -value[0] if negative else value[0]
    value[0], whole[2] = result, 0 if is_sure else 1
    if not np.isfinite(result):
        whole[0], whole[1] = 0, NOT_FINITE
    elif (shift and not is_sure) or is_marked or abs(result) > MOST or result != np.floor(result):
        whole[0], whole[1] = 0, FRACTION
    else:
        exact = np.int64(result) if shift else (-digits if negative else digits)
        whole[0], whole[1] = exact, ROUND if is_point else WHOLE
    return at


@kernel
def numbers(
    data: Bytes,
    starts: Ints,
    stops: Ints,
    kinds: Flags,
    floats: Floats,
    ints: Ints,
    found: Flags,
    unsure: Flags,
) -> None:
    """Read values as numbers, in text too.

    Parameters
    ----------
    data : uint8
        Valid JSON.
    starts, stops, kinds : int64, int64, uint8 (n,)
        Places of values; kind 0 means that there is none.
    floats, ints : float64, int64 (n,)
        Receive the number, NaN and 0 where there is none; `ints` only where it is whole.
    found, unsure : uint8 (n,)
        Receive what it is: `WHOLE`, ...; and 1 where the float may be off by two units, else 0.
    """
    value, whole = np.zeros(1), np.zeros(3, dtype=np.int64)
    for i in range(starts.shape[0]):
        floats[i], ints[i], found[i], unsure[i] = np.nan, 0, OTHER, 0
        if kinds[i] == 0:
            found[i] = NONE
            continue
        quoted = data[starts[i]] == 34
        start = starts[i] + (1 if quoted else 0)
        stop = stops[i] - (1 if quoted else 0)
        if start >= stop or (quoted and not (data[start] == 45 or 48 <= data[start] <= 57)):
            continue
        leading = start + (1 if data[start] == 45 else 0)
        if quoted and leading + 1 < stop and data[leading] == 48 and 48 <= data[leading + 1] <= 57:
            continue  # "007" is a name
        last = data[stop - 1]
        if quoted and not 48 <= last <= 57:
            continue
        if _number(data, start, stop, value, whole) != stop:
            continue
        floats[i], ints[i], found[i], unsure[i] = value[0], whole[0], whole[1], whole[2]
        if quoted:
            found[i] = TEXT_WHOLE if whole[1] == WHOLE else TEXT_NUMBER
            if whole[1] == NOT_FINITE:
                found[i] = OTHER


@kernel
def boxes(
    data: Bytes, starts: Ints, kinds: Flags, list_kind: int, out: Floats, found: Ints, unsure: Flags
) -> None:
    """Read lists of up to four numbers.

    Parameters
    ----------
    data, starts, kinds
        As in `numbers`.
    list_kind : int
        The kind that is a list.
    out : float64 (n, 4)
        Receives the first four numbers; NaN where there are none.
    found : int64 (n,)
        Receives how many numbers the list has, -1 where it is no list or has something else in it,
        -2 where there is nothing, -3 where one is NaN or infinite.
    unsure : uint8 (n,)
        As in `numbers`, for any of the four.
    """
    value, whole = np.zeros(1), np.zeros(3, dtype=np.int64)
    n = data.shape[0]
    for i in range(starts.shape[0]):
        out[i], unsure[i] = np.nan, 0
        found[i] = -2 if kinds[i] == 0 else -1
        if kinds[i] != list_kind:
            continue
        at, count, is_finite = _next(data, starts[i] + 1), 0, True
        while data[at] != 93:
            at = _number(data, at, n, value, whole)
            if at < 0:
                count = -1
                break
            if count < 4:
                out[i, count] = value[0]
                unsure[i] |= whole[2]
            is_finite &= whole[1] != NOT_FINITE
            count += 1
            at = _next(data, at)
        found[i] = count if count < 0 or is_finite else -3
        if count < 0 or not is_finite:
            out[i] = np.nan


@kernel
def point_lists(
    data: Bytes,
    starts: Ints,
    kinds: Flags,
    list_kind: int,
    values: Floats,
    parts: Ints,
    owners: Ints,
    flags: Ints,
) -> None:
    """Read segmentations that are lists of polygons, each a list of x and y in turns.

    Parameters
    ----------
    data, starts, kinds, list_kind
        As in `boxes`.
    values : float64 (m,)
        Receives the numbers of all parts, one after the other.
    parts : int64 (m,)
        Receives where parts begin in `values`, and at last where they end.
    owners : int64 (n + 1,)
        Receives which parts are whose: those from ``owners[i]`` to ``owners[i + 1]``.
    flags : int64 (n,)
        Receives what is wrong: `FLAT` (numbers where a list of lists is expected; read as one
        part), `NOT_NUMBERS`, `INFINITE`; parts end with the one that can't be read.
    """
    value, whole = np.zeros(1), np.zeros(3, dtype=np.int64)
    n = data.shape[0]
    count, part = 0, 0
    owners[0], parts[0] = 0, 0
    for i in range(starts.shape[0]):
        flags[i] = 0
        at = _next(data, starts[i] + 1)
        if kinds[i] == list_kind and data[at] != 91 and data[at] != 93:
            flags[i] = FLAT
            at = starts[i]
        while kinds[i] == list_kind and data[at] != 93:
            if data[at] != 91:
                flags[i] |= NOT_NUMBERS
                break
            at = _next(data, at + 1)
            while data[at] != 93:
                at = _number(data, at, n, value, whole)
                if at < 0:
                    flags[i] |= NOT_NUMBERS
                    break
                if whole[1] == NOT_FINITE:
                    flags[i] |= INFINITE
                values[count] = value[0]
                count += 1
                at = _next(data, at)
            part += 1
            parts[part] = count
            if at < 0 or flags[i] & FLAT:
                break
            at = _next(data, at + 1)
        owners[i + 1] = part


@kernel
def _run(length: int, state: Ints, extent: Ints) -> bool:
    """Add a run of a mask column by column; return whether the mask can still be one."""
    at, height = state[0], state[1]
    if length < 0 or length > 1 << 40 or at > 1 << 40:
        return False
    if state[2] and length and height > 0:
        last = at + length - 1
        extent[0] += length
        extent[1], extent[3] = min(extent[1], at // height), max(extent[3], last // height + 1)
        spans = at // height != last // height
        extent[2] = min(extent[2], 0 if spans else at % height)
        extent[4] = max(extent[4], height if spans else last % height + 1)
    state[0] = at + length
    state[2] = 1 - state[2]
    return True


@kernel
def _listed_runs(data: Bytes, at: int, state: Ints, extent: Ints) -> int:
    value, whole = np.zeros(1), np.zeros(3, dtype=np.int64)
    at = _next(data, at + 1)
    while data[at] != 93:
        at = _number(data, at, data.shape[0], value, whole)
        if at < 0 or (whole[1] != WHOLE and whole[1] != ROUND):
            return RLE_MALFORMED
        if not _run(whole[0], state, extent):
            return RLE_NEGATIVE
        at = _next(data, at)
    return 0


@kernel
def _coded_runs(data: Bytes, at: int, stop: int, state: Ints, extent: Ints) -> int:
    """Read COCO's compressed counts: six bits a character, from the third on differences."""
    at += 1
    number, bits, seen = 0, 0, 0
    before = np.zeros(2, dtype=np.int64)
    while at < stop - 1:
        c = int(data[at])
        if c == 92:  # only a backslash has to be escaped, but any character may be
            at += 1
            if data[at] == 117:
                c = 0
                for _ in range(4):
                    at += 1
                    digit = int(data[at])
                    c = 16 * c + (digit - 48 if digit <= 57 else (digit & 31) + 9)
            elif data[at] != 92:
                return RLE_MALFORMED
        at += 1
        c -= 48
        if c < 0 or c > 63 or bits > 50:
            return RLE_MALFORMED
        number |= (c & 31) << bits
        bits += 5
        if c & 32:
            continue
        if c & 16:
            number |= -1 << bits
        if seen > 2:
            number += before[seen & 1]
        if not _run(number, state, extent):
            return RLE_NEGATIVE
        before[seen & 1] = number
        seen += 1
        number, bits = 0, 0
    return RLE_MALFORMED if bits else 0


@kernel
def run_lengths(
    data: Bytes, starts: Ints, stops: Ints, sizes: Ints, extents: Ints, flags: Ints
) -> None:
    """Read run-length coded masks, as lists of counts or compressed.

    Parameters
    ----------
    data : uint8
        Valid JSON.
    starts, stops : int64 (n,)
        Places of the counts: text, or a list.
    sizes : int64 (n, 2)
        Height and width.
    extents : int64 (n, 6)
        Receives area, left, top, right and bottom of the mask, and the sum of the counts.
    flags : int64 (n,)
        Receives what is wrong: `RLE_MALFORMED`, `RLE_NEGATIVE`, `RLE_SIZE`, or 0.
    """
    state = np.zeros(3, dtype=np.int64)
    for i in range(starts.shape[0]):
        extents[i] = (0, MOST, MOST, -1, -1, 0)
        state[:] = (0, sizes[i, 0], 0)
        if data[starts[i]] == 34:
            flags[i] = _coded_runs(data, starts[i], stops[i], state, extents[i])
        elif data[starts[i]] == 91:
            flags[i] = _listed_runs(data, starts[i], state, extents[i])
        else:
            flags[i] = RLE_MALFORMED
        extents[i, 5] = state[0]
        # Height and width of any size multiply exactly as floats, nearly.
        if flags[i] == 0 and float(sizes[i, 0]) * float(sizes[i, 1]) != float(state[0]):
            flags[i] = RLE_SIZE
