"""Classes merged into fewer, and the pieces of words merged into words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.ragged import Ragged
from goldlabel.typing import Ints

__all__ = ["SubwordMethod", "align_subwords", "merge_labels", "merge_probs"]

SubwordMethod = Literal["first", "mean", "max"]


def _checked_maps(maps: Any, k: int | None) -> Ints:
    array = np.asarray(maps)
    if array.ndim != 1 or array.dtype.kind not in "iu" or not len(array):
        raise InputError("maps", f"is {maps!r}", "Pass the new class of each class")
    if k is not None and len(array) != k:
        raise InputError(
            "maps", f"has {len(array)} entries, but there are {k} classes", "Pass one for each"
        )
    if array.min() < -1 or array.max() < 0:
        raise InputError(
            "maps", f"runs from {array.min()} to {array.max()}", "Use 0 and up, and -1 for none"
        )
    return array.astype(np.int64)


def merge_labels(labels: npt.ArrayLike, maps: Sequence[int]) -> Ints:
    """Turn classes into the classes that they are merged into.

    Parameters
    ----------
    labels : array_like of int, any shape
        Classes 0 .. k-1; below 0 = a token to leave out.
    maps : sequence of int, length k
        The new class of each class; -1 = such tokens are left out.

    Returns
    -------
    ndarray of int64
        -1 where a token is left out.

    Raises
    ------
    InputError
        A label is no class, or `maps` is no list of classes.

    Examples
    --------
    >>> merge_labels([0, 1, 2, 4], [0, 1, 1, 2, 2])
    array([0, 1, 1, 2])
    """
    new = _checked_maps(maps, None)
    given = np.asarray(labels)
    if given.dtype.kind not in "iu":
        raise InputError("labels", f"holds {given.dtype}, no class indices", "Pass integers")
    bad = np.flatnonzero(given.ravel() >= len(new))
    if bad.size:
        raise InputError(
            f"labels[{bad[0]}]",
            f"is {given.ravel()[bad[0]]}, and maps has {len(new)} entries ({bad.size} such)",
            "Pass the new class of each class",
        )
    return np.asarray(np.append(new, -1)[np.maximum(given, -1)], dtype=np.int64)


def merge_probs(pred_probs: Any, maps: Sequence[int]) -> Any:
    """Add up the probabilities of classes that are merged, e.g. ``B-PER`` and ``I-PER``.

    Parameters
    ----------
    pred_probs : array_like of shape (..., k), or Ragged of them
    maps : sequence of int, length k
        The new class of each class, 0 .. j-1; -1 = the class is dropped, and what is left is
        rescaled to sum 1 (a row of which nothing is left becomes uniform).

    Returns
    -------
    ndarray of shape (..., j), float64, or Ragged
        As `pred_probs`.

    Raises
    ------
    InputError
        `maps` does not fit.

    Examples
    --------
    >>> merge_probs([[0.55, 0.0125, 0.0375, 0.1, 0.3]], [0, 1, 1, 2, 2]).round(3).tolist()
    [[0.55, 0.05, 0.4]]
    >>> merge_probs([[0.8, 0.1, 0.1]], [-1, 0, 1]).tolist()
    [[0.5, 0.5]]
    """
    if isinstance(pred_probs, Ragged):
        return Ragged(merge_probs(pred_probs.values, maps), pred_probs.offsets)
    probs = np.asarray(pred_probs, dtype=np.float64)
    if probs.ndim < 1:
        raise InputError("pred_probs", "is a single number", "Pass a row for each token")
    new = _checked_maps(maps, probs.shape[-1])
    merged = np.zeros((*probs.shape[:-1], int(new.max()) + 1))
    for old, into in enumerate(new.tolist()):
        if into >= 0:
            merged[..., into] += probs[..., old]
    if (new < 0).any():
        total = merged.sum(axis=-1, keepdims=True)
        uniform = np.full_like(merged, 1 / merged.shape[-1])
        merged = np.divide(merged, total, out=uniform, where=total > 0)
    return merged


def align_subwords(
    pred_probs: npt.ArrayLike, word_ids: Sequence[int | None], *, method: SubwordMethod = "first"
) -> npt.NDArray[np.float64]:
    """Turn predictions for the pieces of words into predictions for words.

    Parameters
    ----------
    pred_probs : array_like of shape (pieces, k)
        Of one sentence, special pieces included.
    word_ids : sequence of int or None, length pieces
        Which word each piece belongs to, as a tokenizer of Hugging Face gives it; None for special
        pieces, which are dropped.
    method : {"first", "mean", "max"}
        The row of a word's first piece; the mean of its rows; or the largest probability of each
        class, rescaled to sum 1.

    Returns
    -------
    ndarray of shape (words, k), float64
        Row i is word i, up to the last one that has a piece.

    Raises
    ------
    InputError
        A word has no piece (the tokenizer has cut the sentence, or dropped the word), or shapes
        do not fit.

    Examples
    --------
    >>> pieces = [[0.5, 0.5], [0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.5, 0.5]]
    >>> align_subwords(pieces, [None, 0, 0, 1, None]).tolist()
    [[0.9, 0.1], [0.2, 0.8]]
    >>> align_subwords(pieces, [None, 0, 0, 1, None], method="mean").round(2).tolist()
    [[0.6, 0.4], [0.2, 0.8]]
    """
    check.choice(method, get_args(SubwordMethod), name="method")
    probs = np.asarray(pred_probs, dtype=np.float64)
    if probs.ndim != 2 or len(probs) != len(word_ids):
        raise InputError(
            "word_ids",
            f"has {len(word_ids)} entries, and pred_probs the shape {probs.shape}",
            "Pass a row of probabilities and a word for each piece",
        )
    words = _words(word_ids)
    pieces = np.flatnonzero(words >= 0)
    own = words[pieces]
    n = int(own.max(initial=-1)) + 1
    if n > len(own):
        raise InputError(
            "word_ids",
            f"number {n:,} words, and have {len(own):,} pieces of words",
            "Tokenize whole sentences, without truncation",
        )
    found = np.bincount(own, minlength=n)
    if (found == 0).any():
        raise InputError(
            "word_ids",
            f"name no piece for word {int(np.argmin(found))}"
            f" ({np.count_nonzero(found == 0)} such words)",
            "Tokenize whole sentences, without truncation",
        )
    first = np.full(n, len(probs), dtype=np.int64)
    np.minimum.at(first, own, pieces)
    if method == "first":
        return probs[first]
    merged = np.zeros((n, probs.shape[1]))
    (np.add if method == "mean" else np.maximum).at(merged, own, probs[pieces])
    total = found[:, None] if method == "mean" else merged.sum(axis=1, keepdims=True)
    return merged / np.where(total > 0, total, 1)


def _words(word_ids: Sequence[Any]) -> Ints:
    words = np.full(len(word_ids), -1, dtype=np.int64)
    for at, word in enumerate(word_ids):
        if word is None or (isinstance(word, float) and np.isnan(word)):
            continue
        is_number = isinstance(word, int | float | np.integer) and not isinstance(word, bool)
        if not is_number or not -1 <= word < 2**53 or word != int(word):
            raise InputError(f"word_ids[{at}]", f"is {word!r}", "Pass word numbers, or None")
        words[at] = int(word)
    return words
