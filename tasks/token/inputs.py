"""Labels and probabilities of sentences, turned into flat rows that kernels trust, or an error.

A row is a token. Where a caller has one padded array for all sentences it is used as it lies: the
rows beyond the end of a sentence count as ignored tokens, so that a memory map stays on disk.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.labels import (
    NOT_A_CLASS,
    as_array,
    class_codes,
    class_names,
    flat_array,
)
from goldlabel.inputs.ragged import Ragged
from goldlabel.tasks.token.data import NO_TAG, BadLabel
from goldlabel.typing import Ints

__all__ = ["IGNORED", "FlatTokens", "flat_pred_probs", "flat_tokens"]

IGNORED = (-1, -100)
"""Labels that say that a token is to be left out; so does None."""


@dataclass(frozen=True, eq=False)
class FlatTokens:
    """Tokens of all sentences, one after the other.

    Attributes
    ----------
    labels : ndarray of shape (t,), int64
        Class index of each token; -1 = left out of everything.
    pred_probs : ndarray of shape (t, k), float32 or float64, C-contiguous
        Shape and type are checked, the numbers are not.
    offsets : ndarray of shape (n + 1,), int64
        Sentence i owns the rows ``offsets[i] .. offsets[i + 1] - 1``.
    classes : tuple of length k
        Class names by column; the indices themselves where there are no names.
    bad : tuple of BadLabel
        Labels that are none of the classes; they are left out of everything else.
    """

    labels: Ints
    pred_probs: npt.NDArray[Any]
    offsets: Ints
    classes: tuple[Hashable, ...]
    bad: tuple[BadLabel, ...] = ()

    def locate(self, rows: Ints) -> tuple[Ints, Ints]:
        """Turn rows into (sentence, position in the sentence)."""
        sentence = np.searchsorted(self.offsets, rows, side="right") - 1
        return sentence, rows - self.offsets[sentence]

    def place(self, row: int) -> str:
        """Return what stands in brackets where a message names the row: sentence and token."""
        return _place(self.offsets, row)


def flat_tokens(
    labels: Any, pred_probs: Any, classes: Sequence[Hashable] | None = None
) -> FlatTokens:
    """Check labels against pred_probs; see `goldlabel.tasks.token` for what each may be."""
    probs, columns, offsets = flat_pred_probs(pred_probs)
    names = class_names(classes, columns, probs.shape[1])
    if names is not None and columns is not None and names != list(columns):
        probs = check.in_order(probs, columns, names)
    is_padded = isinstance(pred_probs, np.ndarray) and pred_probs.ndim == 3
    padded = pred_probs.shape[1] if is_padded else None
    values, own = _flat_labels(labels, padded)
    if own is None and offsets is None:
        raise InputError(
            "labels",
            "is a flat array, and so is pred_probs: where sentences end is not known",
            "Pass labels or pred_probs as goldlabel.Ragged(values, offsets) or as a list",
        )
    ends = own if own is not None else offsets
    assert ends is not None
    _check_lengths(ends, offsets, len(values), len(probs))
    codes, names = _codes(values, names, probs.shape[1], ends)
    listed = range(probs.shape[1]) if names is None else names
    bad = _bad_labels(codes, values, ends)
    codes[codes == NOT_A_CLASS] = -1
    return FlatTokens(codes, probs, ends, tuple(listed), bad)


def _bad_labels(codes: Ints, values: Any, offsets: Ints) -> tuple[BadLabel, ...]:
    rows = np.flatnonzero(codes == NOT_A_CLASS)
    sentence = np.searchsorted(offsets, rows, side="right") - 1
    token = rows - offsets[sentence]
    return tuple(
        BadLabel(s, at, at + 1, NO_TAG, str(values[row]))
        for s, at, row in zip(sentence.tolist(), token.tolist(), rows.tolist(), strict=True)
    )


def flat_pred_probs(
    pred_probs: Any,
) -> tuple[npt.NDArray[Any], tuple[Hashable, ...] | None, Ints | None]:
    """Return probabilities as one array (t, k), names of its columns, and offsets if they say so.

    Sequences of one number per token, the probability of being inside of a span, get the column
    of its opposite.
    """
    if isinstance(pred_probs, Ragged):
        array, columns = check.pred_probs_array(_two_columns(pred_probs.values))
        return array, columns, pred_probs.offsets
    if isinstance(pred_probs, str | bytes | Mapping) or not (
        hasattr(pred_probs, "__len__") or hasattr(pred_probs, "__array__")
    ):
        raise InputError(
            "pred_probs",
            f"is a {type(pred_probs).__name__}",
            "Pass a list with an array of shape (tokens, k) for each sentence",
        )
    if isinstance(pred_probs, np.ndarray) and pred_probs.dtype != object:
        if pred_probs.ndim == 3:
            n, longest, k = pred_probs.shape
            flat, _ = check.pred_probs_array(pred_probs.reshape(n * longest, k))
            return flat, None, np.arange(n + 1, dtype=np.int64) * longest
        return *check.pred_probs_array(_two_columns(pred_probs)), None
    if isinstance(pred_probs, pd.DataFrame):
        return *check.pred_probs_array(pred_probs), None
    return _from_lists(pred_probs)


def _two_columns(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return (1 - r, r) for the probabilities r of one kind of span; a matrix as it is."""
    if values.ndim != 1 or values.dtype.kind not in "fiub" or not len(values):
        return values
    inside = values.astype(np.float32 if values.dtype in (np.float16, np.float32) else np.float64)
    return np.column_stack([1 - inside, inside])


def _from_lists(groups: Any) -> tuple[npt.NDArray[Any], None, Ints]:
    listed = list(groups)
    arrays = [group if isinstance(group, np.ndarray) else as_array(group, f"pred_probs[{at}]")
              for at, group in enumerate(listed)]  # fmt: skip
    ragged = Ragged.from_lists(arrays, name="pred_probs")
    if not len(ragged.values):
        raise InputError("pred_probs", "has no tokens", "Pass the predictions of some sentence")
    array, _ = check.pred_probs_array(_two_columns(np.asarray(ragged.values)))
    return array, None, ragged.offsets


def _flat_labels(labels: Any, padded: int | None) -> tuple[Any, Ints | None]:
    """Return the labels of all tokens and, unless they are a flat array, their offsets."""
    if isinstance(labels, Ragged):
        if padded is not None:
            return _padded(labels.values, labels.offsets, padded)
        return labels.values, labels.offsets
    if isinstance(labels, str | bytes | Mapping | set | frozenset) or not hasattr(
        labels, "__len__"
    ):
        raise InputError(
            "labels", f"is a {type(labels).__name__}", "Pass a list of labels for each sentence"
        )
    if isinstance(labels, np.ndarray) and labels.dtype != object and labels.ndim in (1, 2):
        if labels.ndim == 1:
            return labels, None
        n, longest = labels.shape
        flat = labels.reshape(-1)
        if padded is not None and padded != longest:
            return _padded(flat, np.arange(n + 1, dtype=np.int64) * longest, padded)
        return flat, np.arange(n + 1, dtype=np.int64) * longest
    groups = [_listed(group, at) for at, group in enumerate(labels)]
    offsets = np.zeros(len(groups) + 1, dtype=np.int64)
    np.cumsum(list(map(len, groups)), out=offsets[1:])
    flat = flat_array(list(chain.from_iterable(groups)))
    return (flat, offsets) if padded is None else _padded(flat, offsets, padded)


def _listed(group: Any, at: int) -> Any:
    if isinstance(group, list | tuple):
        return group
    if isinstance(group, np.ndarray | pd.Series) and group.ndim == 1:
        return group.tolist()
    what = f"is a {type(group).__name__}, no list of labels"
    if isinstance(group, int | float | str | np.generic):
        what = f"is {group!r}, no list of labels"
    raise InputError(
        f"labels[{at}]",
        what,
        "Pass a list of labels for each sentence (one label for each example: the multiclass task)",
    )


def _padded(flat: Any, offsets: Ints, longest: int) -> tuple[Any, Ints]:
    """Spread labels of sentences over rows of `longest` tokens; what is left over is ignored."""
    lengths = np.diff(offsets)
    too_long = np.flatnonzero(lengths > longest)
    if too_long.size:
        raise InputError(
            f"labels[{too_long[0]}]",
            f"has {lengths[too_long[0]]} tokens, and pred_probs room for {longest}"
            f" ({too_long.size} such sentences)",
            "Predict whole sentences, or cut the labels as the model cuts them",
        )
    n = len(lengths)
    spread = np.full((n, longest), -1 if flat.dtype != object else None, dtype=flat.dtype)
    spread[np.arange(longest) < lengths[:, None]] = flat
    return spread.reshape(-1), np.arange(n + 1, dtype=np.int64) * longest


def _check_lengths(ends: Ints, offsets: Ints | None, labels: int, rows: int) -> None:
    if offsets is not None and len(offsets) != len(ends):
        raise InputError(
            "labels",
            f"has {len(ends) - 1:,} sentences, but pred_probs has {len(offsets) - 1:,}",
            "Pass the labels of each sentence once",
        )
    if offsets is not None and (offsets != ends).any():
        lengths, others = np.diff(ends), np.diff(offsets)
        wrong = np.flatnonzero(lengths != others)
        raise InputError(
            f"labels[{wrong[0]}]",
            f"has {lengths[wrong[0]]} tokens, but pred_probs[{wrong[0]}] has {others[wrong[0]]}"
            f" ({wrong.size} such sentences)",
            "Pass a label and a row of probabilities for each token",
        )
    if labels != rows:
        raise InputError(
            "labels",
            f"has {labels:,} tokens, but pred_probs has {rows:,} rows",
            "Pass a label and a row of probabilities for each token",
        )


def _codes(
    values: Any, names: list[Hashable] | None, k: int, offsets: Ints
) -> tuple[Ints, list[Hashable] | None]:
    """Return class indices, -1 for tokens that are to be left out."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    if array.ndim != 1:
        raise InputError(
            "labels",
            f"has shape {array.shape}, not one label per token",
            "Pass one class per token (for several kinds of spans: find_span_issues)",
        )
    if array.dtype.kind in "iu":
        out = (array == IGNORED[0]) | (array == IGNORED[1])
    elif array.dtype == object:
        out = np.array([value is None or value is pd.NA or (isinstance(value, int) and
                        value in IGNORED) for value in array], dtype=np.bool_)  # fmt: skip
    else:
        out = np.zeros(len(array), dtype=np.bool_)
    kept = np.flatnonzero(~out)
    codes = np.full(len(array), -1, dtype=np.int64)
    codes[kept], names = class_codes(
        array[kept],
        names,
        k,
        where=lambda label: f"labels[{_place(offsets, int(kept[label]))}]",
        mark_unknown=True,
    )
    return codes, names


def _place(offsets: Ints, row: int) -> str:
    sentence = int(np.searchsorted(offsets, row, side="right")) - 1
    return f"{sentence}][{row - offsets[sentence]}"
