"""Texts as sets of hashed shingles (runs of bytes): MinHash signatures, Jaccard similarity.

References
----------
A. Broder. On the resemblance and containment of documents. Compression and Complexity of
Sequences 1997.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import kernel
from goldlabel.typing import Bytes, Floats, Ints

__all__ = ["band_keys", "jaccard", "shingle_counts", "shingle_hashes", "signatures"]

Words = npt.NDArray[np.uint32]


@kernel
def _hash(text: Bytes, start: int, stop: int) -> Any:
    """Hash bytes: FNV-1a, mixed once more."""
    state = np.uint32(2166136261)
    for at in range(start, stop):
        state = np.uint32((state ^ np.uint32(text[at])) * np.uint32(16777619))
    state ^= state >> np.uint32(16)
    state = np.uint32(state * np.uint32(0x85EBCA6B))
    return np.uint32(state ^ (state >> np.uint32(13)))


@kernel
def signatures(text: Bytes, offsets: Ints, width: int, factors: Words, out: Words) -> None:
    """``out[i, p]`` = least hash, by the p-th function, of the shingles of text i.

    A text shorter than a shingle is one.
    """
    for i in range(out.shape[0]):
        start, stop = offsets[i], offsets[i + 1]
        for p in range(out.shape[1]):
            out[i, p] = np.uint32(0xFFFFFFFF)
        for at in range(start, max(stop - width, start) + 1):
            state = _hash(text, at, min(at + width, stop))
            for p in range(out.shape[1]):
                mixed = np.uint32((state ^ factors[p]) * factors[p])
                mixed = np.uint32(mixed ^ (mixed >> np.uint32(15)))
                if mixed < out[i, p]:
                    out[i, p] = mixed


@kernel
def band_keys(signature: Words, first: int, rows: int, out: npt.NDArray[np.uint64]) -> None:
    """Mix `rows` columns of each signature, from `first` on, into one key."""
    for i in range(signature.shape[0]):
        state = np.uint64(0x9E3779B97F4A7C15)
        for p in range(first, first + rows):
            state = (state ^ np.uint64(signature[i, p])) * np.uint64(0xFF51AFD7ED558CCD)
            state ^= state >> np.uint64(33)
        out[i] = state


@kernel
def shingle_counts(offsets: Ints, chosen: Ints, width: int, out: Ints) -> None:
    """How many shingles each chosen text has, with those that come twice."""
    for c in range(chosen.shape[0]):
        out[c] = max(offsets[chosen[c] + 1] - offsets[chosen[c]] - width, 0) + 1


@kernel
def shingle_hashes(
    text: Bytes, offsets: Ints, chosen: Ints, width: int, starts: Ints, out: Words, sizes: Ints
) -> None:
    """Write the distinct hashes of each chosen text, ascending, from ``starts[c]`` on."""
    for c in range(chosen.shape[0]):
        start, stop = offsets[chosen[c]], offsets[chosen[c] + 1]
        count = max(stop - width - start, 0) + 1
        own = out[starts[c] : starts[c] + count]
        for s in range(count):
            own[s] = _hash(text, start + s, min(start + s + width, stop))
        own.sort()
        kept = 1
        for s in range(1, count):
            if own[s] != own[kept - 1]:
                own[kept] = own[s]
                kept += 1
        sizes[c] = kept


@kernel
def jaccard(
    hashes: Words, starts: Ints, sizes: Ints, first: Ints, second: Ints, out: Floats
) -> None:
    """``out[p]`` = share of the shingles of two texts that both have."""
    for p in range(first.shape[0]):
        a, b = starts[first[p]], starts[second[p]]
        a_end, b_end = a + sizes[first[p]], b + sizes[second[p]]
        total = sizes[first[p]] + sizes[second[p]]
        both = 0
        while a < a_end and b < b_end:
            if hashes[a] == hashes[b]:
                both += 1
                a += 1
                b += 1
            elif hashes[a] < hashes[b]:
                a += 1
            else:
                b += 1
        out[p] = both / (total - both)
