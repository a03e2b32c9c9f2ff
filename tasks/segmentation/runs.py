r"""Masks as runs of pixels, column after column, as COCO has them.

A mask is an array (m, 2) of the start and end of each run in the flattened, transposed image:
sorted, none empty, none touching the next. COCO writes the lengths of the runs, of 0 and of 1 in
turn, as a list or, compressed, as text.

References
----------
T.-Y. Lin et al. Microsoft COCO: Common Objects in Context. ECCV 2014; the text form is that of
its API, pycocotools.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.kernels._jit import frozen, kernel

__all__ = ["from_coco", "from_counts", "of_box", "of_mask", "to_counts", "to_mask", "to_text"]

Runs = npt.NDArray[np.int64]


def of_box(inside: npt.NDArray[np.bool_], top: int, left: int, height: int) -> Runs:
    """Return the runs of a mask that lies at (top, left) in an image of a height.

    Examples
    --------
    >>> of_box(np.array([[True, True], [True, False]]), 1, 0, 4).tolist()
    [[1, 3], [5, 6]]
    """
    columns, rows = np.nonzero(inside.T)
    return _runs((columns + left) * np.int64(height) + rows + top)


def of_mask(mask: npt.NDArray[np.bool_]) -> Runs:
    """Return the runs of a mask (h, w)."""
    return of_box(mask, 0, 0, mask.shape[0])


def _runs(pixels: npt.NDArray[np.int64]) -> Runs:
    breaks = np.flatnonzero(np.diff(pixels) != 1) + 1
    starts = pixels[np.append(0, breaks)] if pixels.size else pixels
    ends = pixels[np.append(breaks - 1, len(pixels) - 1)] + 1 if pixels.size else pixels
    return np.column_stack([starts, ends]).astype(np.int64)


def to_mask(runs: Runs, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return the mask (h, w) of some runs."""
    h, w = shape
    steps = np.zeros(h * w + 1, dtype=np.int8)
    steps[runs[:, 0]] = 1
    steps[runs[:, 1]] -= 1
    return np.cumsum(steps[:-1], dtype=np.int8).astype(np.bool_).reshape(w, h).T


def to_counts(runs: Runs, pixels: int) -> list[int]:
    """Return the lengths of the runs of 0 and 1 in turn, of an image of so many pixels.

    Examples
    --------
    >>> to_counts(np.array([[1, 3], [5, 6]]), 8)
    [1, 2, 2, 1, 2]
    """
    edges = np.append(np.append(0, runs.reshape(-1)), pixels)
    counts: list[int] = np.diff(edges).tolist()
    return counts[:-1] if len(counts) > 1 and counts[-1] == 0 else counts


def from_counts(counts: Any, shape: tuple[int, int], where: str) -> Runs:
    """Return the runs of lengths of 0 and 1 in turn.

    Raises
    ------
    InputError
        They are no lengths, or do not add up to the image.
    """
    try:
        lengths = np.asarray(counts)
    except ValueError:  # lists of several lengths within
        lengths = np.empty((0, 0))
    whole = lengths.ndim == 1 and (lengths.dtype.kind in "iu" or not lengths.size)
    if not whole or (lengths.size and (lengths.min() < 0 or lengths.max() > 1 << 40)):
        raise InputError(where, "is no list of run lengths", "Write them again")
    ends = np.cumsum(lengths.astype(np.int64))
    if (int(ends[-1]) if ends.size else 0) != shape[0] * shape[1]:
        raise InputError(
            where,
            f"has runs of {int(ends[-1]) if ends.size else 0:,} pixels, and the image has"
            f" {shape[0]} x {shape[1]}",
            "Check the size of the image",
        )
    starts = ends[:-1:2]
    runs = np.column_stack([starts, ends[1::2]])
    runs = runs[runs[:, 1] > runs[:, 0]]
    if len(runs) > 1 and (runs[1:, 0] == runs[:-1, 1]).any():  # a run of 0 of length 0 between
        joined = np.append(True, runs[1:, 0] != runs[:-1, 1])
        last = np.append(np.flatnonzero(joined)[1:] - 1, len(runs) - 1)
        runs = np.column_stack([runs[joined, 0], runs[last, 1]])
    return runs


def from_coco(rle: Any, where: str) -> tuple[Runs, tuple[int, int]]:
    """Return runs and size (h, w) of a COCO run-length encoding, a list or compressed.

    Raises
    ------
    InputError
        It is none; says what is wrong.

    Examples
    --------
    >>> from_coco({"size": [2, 4], "counts": [1, 2, 2, 1, 2]}, "rle")[0].tolist()
    [[1, 3], [5, 6]]
    """
    size = rle.get("size") if isinstance(rle, dict) else None
    good = isinstance(size, list | tuple) and len(size) == 2
    if not good or not all(isinstance(side, int) and 0 < side < 1 << 20 for side in size or ()):
        raise InputError(where, f"has the size {size!r}", "Give [height, width]")
    assert size is not None
    shape = int(size[0]), int(size[1])
    counts = rle.get("counts")
    if isinstance(counts, str | bytes):
        text = counts.encode("latin-1", "replace") if isinstance(counts, str) else counts
        counts = _from_text(text, where)
    return from_counts(counts, shape, where), shape


@kernel
def _decode(text: npt.NDArray[np.uint8], counts: npt.NDArray[np.int64]) -> int:
    """Read numbers of 5 bits a character, differences to the last but one; -1 if broken."""
    size = 0
    at = 0
    while at < text.shape[0]:
        value = np.int64(0)
        shift = 0
        more = True
        while more:
            if at >= text.shape[0] or text[at] < 48 or text[at] > 111 or shift > 40:
                return -1
            digit = np.int64(text[at]) - 48
            value |= (digit & 31) << shift
            more = digit & 32 != 0
            shift += 5
            at += 1
            if not more and digit & 16:
                value |= np.int64(-1) << shift
        counts[size] = value + (counts[size - 2] if size > 2 else 0)
        size += 1
    return size


def _from_text(text: bytes, where: str) -> npt.NDArray[np.int64]:
    counts = np.zeros(len(text) + 1, dtype=np.int64)
    size = _decode(frozen(np.frombuffer(text, dtype=np.uint8)), counts)
    if size < 0:
        raise InputError(where, "is no compressed run-length text", "Write it again")
    return counts[:size]


def to_text(runs: Runs, pixels: int) -> str:
    """Return the compressed text of some runs, of an image of so many pixels.

    Examples
    --------
    >>> to_text(np.array([[1, 3], [5, 6]]), 8)
    '122O0'
    """
    counts = to_counts(runs, pixels)
    text = []
    for at, count in enumerate(counts):
        value = count - counts[at - 2] if at > 2 else count
        more = True
        while more:
            digit = value & 31
            value >>= 5
            more = value != (-1 if digit & 16 else 0)
            text.append(chr((digit | 32 if more else digit) + 48))
    return "".join(text)
