"""One pass over JSON text: is it JSON, and where do its upper values stand.

The text is never turned into objects: `places` finds members, `numbers` reads numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Bytes, Ints

__all__ = ["DEPTH", "KEYS", "new_state", "scan"]


DEPTH = 256
"""How deep lists and objects may be nested."""
KEYS = 64
"""How many keys of an object are compared with each other here."""

# What `state` holds between two calls of `scan`.
POSITION, LEVEL, EXPECTED, ERROR, ROWS, ODD = range(6)
# What may come next.
VALUE, VALUE_OR_END, KEY, KEY_OR_END, COMMA_OR_END, END = range(6)
# Errors.
FINE, NO_VALUE, NO_KEY, NO_COLON, NO_COMMA, AFTER_END, TRUNCATED, CONTROL, ESCAPE, TOO_DEEP = range(
    10
)
# What is odd, but can be read on.
NOT_FINITE, HUGE, SAME_KEY, MANY_KEYS = range(4)
NOT_JSON = 3  # from this one on, the words that parsers know are not in the grammar


def new_state() -> dict[str, npt.NDArray[Any]]:
    """Return what `scan` needs to begin with, and to go on with."""
    return {
        "state": np.zeros(6, dtype=np.int64),
        "opened": np.zeros((DEPTH + 1, 5), dtype=np.int64),
        "hashes": np.zeros((DEPTH + 1, KEYS), dtype=np.int64),
    }


@kernel
def _skip_space(data: Bytes, at: int) -> int:
    n = data.shape[0]
    while at < n and (data[at] == 32 or data[at] == 10 or data[at] == 13 or data[at] == 9):
        at += 1
    return at


@kernel
def _string_end(data: Bytes, at: int, error: Ints) -> int:
    """Return where the string at `at` ends, behind its quote."""
    n = int(data.shape[0])
    at += 1
    while at < n:
        c = data[at]
        if c == 34:
            return at + 1
        if c < 32:
            error[0] = CONTROL
            return at
        if c == 92:
            at += 1
            if at >= n:
                break
            c = data[at]
            if c == 117:  # u and four hex digits
                for _ in range(4):
                    at += 1
                    if at >= n:
                        break
                    c = data[at]
                    if not (48 <= c <= 57 or 65 <= c <= 70 or 97 <= c <= 102):
                        error[0] = ESCAPE
                        return at
            elif not (c == 34 or c == 92 or c == 47 or c == 98 or c == 102):
                if not (c == 110 or c == 114 or c == 116):
                    error[0] = ESCAPE
                    return at
        at += 1
    error[0] = TRUNCATED
    return n


@kernel
def _word(data: Bytes, at: int, word: Bytes) -> bool:
    if at + word.shape[0] > data.shape[0]:
        return False
    for i in range(word.shape[0]):
        if data[at + i] != word[i]:
            return False
    return True


@kernel
def _number_end(data: Bytes, at: int, error: Ints) -> int:
    """Return where the number at `at` ends; say in `error` if it isn't one, or is huge."""
    n = data.shape[0]
    start = at
    if at < n and data[at] == 45:
        at += 1
    first = at
    while at < n and 48 <= data[at] <= 57:
        at += 1
    digits = at - first
    if digits == 0 or (digits > 1 and data[first] == 48):
        error[0] = TRUNCATED if at >= n and digits == 0 else NO_VALUE
        return start
    exponent = 0
    if at < n and data[at] == 46:
        first = at + 1
        at = first
        while at < n and 48 <= data[at] <= 57:
            at += 1
        if at == first:
            error[0] = TRUNCATED if at >= n else NO_VALUE
            return start
    if at < n and (data[at] == 101 or data[at] == 69):
        at += 1
        negative = at < n and data[at] == 45
        if at < n and (data[at] == 45 or data[at] == 43):
            at += 1
        first = at
        while at < n and 48 <= data[at] <= 57:
            exponent = min(10 * exponent + data[at] - 48, 1 << 40)
            at += 1
        if at == first:
            error[0] = TRUNCATED if at >= n else NO_VALUE
            return start
        exponent = -exponent if negative else exponent
    if digits + exponent > 300:
        error[1] = 1
    return at


@kernel
def _note_key(data: Bytes, opened: Ints, hashes: Ints, odd: Ints) -> int:
    """Compare a key with the others of its object; return whether there is something odd."""
    count, code = opened[2], 7
    for i in range(opened[3] + 1, opened[4] - 1):
        code = code * 1000003 ^ data[i]
        if data[i] == 92:
            count = KEYS + 1  # escapes: compared by whoever decodes them
    if count >= KEYS:
        is_new = opened[2] <= KEYS
        opened[2] = KEYS + 1
        odd[:] = (MANY_KEYS, opened[1], opened[3])
        return 1 if is_new else 0
    hashes[count] = code
    opened[2] = count + 1
    for i in range(count):
        if hashes[i] == code:
            odd[:] = (SAME_KEY, opened[1], opened[3])
            return 1
    return 0


@kernel
def _key(
    data: Bytes, at: int, opened: Ints, hashes: Ints, odd: Ints, error: Ints
) -> tuple[int, int]:
    """Return where the value begins whose key is at `at`, and whether there is something odd."""
    opened[3] = at
    at = _string_end(data, at, error)
    opened[4] = at
    is_odd = _note_key(data, opened, hashes, odd)
    if error[0] == FINE:
        at = _skip_space(data, at)
        if at >= data.shape[0]:
            error[0] = TRUNCATED
        elif data[at] != 58:
            error[0] = NO_COLON
        else:
            at += 1
    return at, is_odd


@kernel
def _which_word(data: Bytes, at: int, words: tuple[Bytes, ...]) -> int:
    """Return which of `words` is at `at`; -1 if none is."""
    for i in range(6):
        if _word(data, at, words[i]):
            return i
    return -1


@kernel
def scan(
    data: Bytes,
    words: tuple[Bytes, ...],
    state: Ints,
    opened: Ints,
    hashes: Ints,
    rows: Ints,
    odd: Ints,
) -> None:
    """Check the grammar of a JSON text, and say where its upper values stand.

    Stops when `rows` or `odd` is nearly full; called again with the same state, it goes on.

    Parameters
    ----------
    data : uint8
        The text.
    words : tuple of uint8
        true, false, null, NaN, Infinity, -Infinity.
    state, opened, hashes
        Of `new_state`.
    rows : int64 (m, 5)
        Receives, for each value in the root and in each list in the root: depth, start and end of
        its key (0 if none), start and end. A list's own row follows those of its elements.
    odd : int64 (m, 3)
        Receives kind, start and end of what parsers do not agree about.
    """
    n = data.shape[0]
    at, level, expected = state[POSITION], state[LEVEL], state[EXPECTED]
    found, strange = 0, 0
    error = np.zeros(2, dtype=np.int64)
    # opened[level]: is it an object, its start, number of keys, start and end of the key it has.
    while error[0] == FINE:
        at = _skip_space(data, at)
        if found + 2 > rows.shape[0] or strange + 2 > odd.shape[0]:
            break
        if at >= n:
            if expected != END:
                error[0] = TRUNCATED
            break
        c = data[at]
        done = -1  # where the value that has just ended began
        if expected == END:
            error[0] = AFTER_END
        elif expected == COMMA_OR_END:
            is_object = opened[level, 0] == 1
            if c == 44:
                at += 1
                expected = KEY if is_object else VALUE
            elif c == (125 if is_object else 93):
                at += 1
                done = opened[level, 1]
                level -= 1
            else:
                error[0] = NO_COMMA
        elif expected == KEY or expected == KEY_OR_END:
            if c == 125 and expected == KEY_OR_END:
                at += 1
                done = opened[level, 1]
                level -= 1
            elif c != 34:
                error[0] = NO_KEY
            else:
                at, is_odd = _key(data, at, opened[level], hashes[level], odd[strange], error)
                strange += is_odd
                expected = VALUE
        elif c == 93 and expected == VALUE_OR_END:
            at += 1
            done = opened[level, 1]
            level -= 1
        elif c == 123 or c == 91:
            if level >= DEPTH:
                error[0] = TOO_DEEP
            else:
                level += 1
                opened[level] = (1 if c == 123 else 0, at, 0, 0, 0)
                expected = KEY_OR_END if c == 123 else VALUE_OR_END
                at += 1
        elif c == 34:
            done = at
            at = _string_end(data, at, error)
        else:
            done = at
            is_number = 48 <= c <= 57 or (c == 45 and not _word(data, at, words[5]))
            word = -1 if is_number else _which_word(data, at, words)
            at = _number_end(data, at, error) if word < 0 else at + words[word].shape[0]
            if word >= NOT_JSON or error[1]:
                odd[strange] = (HUGE if word < 0 else NOT_FINITE, done, at)
                strange += 1
                error[1] = 0
        if done >= 0 and error[0] == FINE:
            expected = COMMA_OR_END if level else END
            if level == 1 or (level == 2 and opened[2, 0] == 0):
                rows[found] = (level, opened[level, 3], opened[level, 4], done, at)
                found += 1
    state[:] = (at, level, expected, error[0], found, strange)
