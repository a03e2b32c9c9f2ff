"""Predictions for the tokens of each sentence: .npy, .npz, JSON Lines, Parquet.

What a file may hold: a matrix with a row for each token of all sentences; an array of shape
(sentences, tokens, k), padded; a list of rows for each sentence. Predictions for pieces of words
are put together where the file has `word_ids`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.arrays import choose_array
from goldlabel.formats.prediction_file import PredictionFile, as_floats, open_predictions
from goldlabel.formats.predictions import read_pred_probs
from goldlabel.tasks.token.formats.sentences import LeftOut
from goldlabel.tasks.token.merging import SubwordMethod, align_subwords
from goldlabel.typing import Ints

__all__ = ["Predictions", "read_predictions"]


_PROBS = ("pred_probs", "probs", "probabilities", "predictions", "logits")
_NAMES = ("classes", "labels", "label_list", "label_names", "names", "tags")


class Predictions(NamedTuple):
    """Predictions as read from a file.

    Attributes
    ----------
    values : ndarray of shape (tokens, k) or (n, t, k), float32 or float64
        C-contiguous; a big .npy file is mapped, read-only.
    offsets : ndarray of shape (n + 1,), int64, optional
        Where sentences end, if the file says so.
    classes : tuple of str, optional
        Names of the columns, if the file gives any.
    spans : list of n lists of (int, int), optional
        Where the tokens stand in the text of each sentence, in characters.
    notes : tuple of str
    """

    values: npt.NDArray[Any]
    offsets: Ints | None
    classes: tuple[str, ...] | None
    spans: list[list[tuple[int, int]]] | None
    notes: tuple[str, ...]

    def of(self, left_out: LeftOut) -> Predictions:
        """Return the predictions of the texts that are judged, if they are of all."""
        kept, offsets = left_out
        n = len(kept)
        spans = self.spans
        if spans is not None and len(spans) == n:
            spans = [each for each, judged in zip(spans, kept, strict=True) if judged]
        if self.values.ndim == 3:
            values = self.values[kept] if len(self.values) == n else self.values
            return self._replace(values=values, spans=spans)
        if self.offsets is not None and len(self.offsets) == n + 1:
            offsets = self.offsets
        elif len(self.values) != offsets[-1]:
            return self
        lengths = np.diff(offsets)
        return self._replace(
            values=self.values[np.repeat(kept, lengths)],
            offsets=np.append(0, np.cumsum(lengths[kept])).astype(np.int64),
            spans=spans,
        )


def read_predictions(
    path: Path,
    *,
    softmax: bool = False,
    subwords: SubwordMethod = "first",
    key: str | None = None,
) -> Predictions:
    """Read predictions.

    Parameters
    ----------
    path : Path
        .npy; .npz with `offsets` or `lengths` and, if it names them, `classes`; JSON Lines or
        Parquet with a row for each sentence, or numeric columns and a row for each token.
    softmax : bool
        Turn logits into probabilities.
    subwords : {"first", "mean", "max"}
        How pieces of a word become one row where the file has `word_ids`.
    key : str, optional
        Array of an .npz file, or column of a table.

    Raises
    ------
    InputError
        The file can't be read, or holds no predictions of tokens.
    """
    file = open_predictions(path)
    found = (
        _from_table(file, key, subwords)
        if file.arrays is None
        else _from_arrays(path, file.arrays, key)
    )
    values = found.values
    if softmax:
        values = _softmax(values)
        found = found._replace(notes=(*found.notes, "Predictions went through a softmax."))
    shape = " x ".join(f"{size:,}" for size in values.shape)
    note = f"Read pred_probs from {path.name}: {shape}, {values.dtype}."
    return found._replace(values=values, notes=(note, *found.notes))


def _softmax(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    with np.errstate(over="ignore", invalid="ignore"):
        shifted = np.exp(values - values.max(axis=-1, keepdims=True))
        probs: npt.NDArray[Any] = shifted / shifted.sum(axis=-1, keepdims=True)
    return probs


def _from_arrays(
    path: Path, arrays: Mapping[str, npt.NDArray[Any]], key: str | None
) -> Predictions:
    usual = [name for name in _PROBS if name in arrays]
    chosen = key if key is not None else next(iter(usual), None)
    name = choose_array(path, arrays, chosen, _PROBS)
    values = as_floats(
        f"{path}[{name!r}]" if name else str(path),
        arrays[name],
        dims=(2, 3),
        shapes="(tokens, classes) or (sentences, tokens, classes)",
        fix="Save (tokens, classes) with offsets, or (sentences, tokens, classes)",
    )
    return Predictions(values, _offsets(path, arrays, len(values)), _names(path, arrays), None, ())


def _offsets(path: Path, arrays: Mapping[str, npt.NDArray[Any]], rows: int) -> Ints | None:
    for name in ("offsets", "lengths"):
        if name not in arrays:
            continue
        array = arrays[name]
        where = f"{path}[{name!r}]"
        if array.ndim != 1 or array.dtype.kind not in "iu" or (array.astype(np.int64) < 0).any():
            raise InputError(where, f"is {array.dtype} of shape {array.shape}", "Save counts")
        ends = array.astype(np.int64)
        if name == "lengths":
            ends = np.append(0, np.cumsum(ends))
        if ends[0] != 0 or ends[-1] != rows or (np.diff(ends) < 0).any():
            raise InputError(
                where,
                f"runs to {ends[-1]:,}, and there are {rows:,} rows",
                "Save where each sentence begins, and the number of rows",
            )
        return ends
    return None


def _names(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[str, ...] | None:
    for name in _NAMES:
        if name in arrays and arrays[name].dtype.kind == "U" and arrays[name].ndim == 1:
            return tuple(str(each) for each in arrays[name])
    return None


def _from_table(file: PredictionFile, key: str | None, subwords: SubwordMethod) -> Predictions:
    """Read lists for each sentence; a table of numbers is one row per token."""
    path, frame = file.path, file.table.frame
    usual = [name for name in _PROBS if name in frame.columns]
    nested = [str(name) for name in frame.columns if _is_nested(frame[name])]
    others = [name for name in nested if name != "offsets"]
    column: str | None = key if key is not None else next(iter(usual or others), None)
    if column is not None and column not in frame.columns:
        names = ", ".join(map(str, frame.columns))
        raise InputError(str(path), f"has no column {column!r}, only {names}", "Name one with key")
    if column not in nested:
        found = read_pred_probs(path)
        return Predictions(found.values, None, found.classes, None, found.notes)
    where = f"{path}: column {column!r}"
    matrices = [_matrix(rows, f"{where}, row {at + 1}") for at, rows in enumerate(frame[column])]
    if "word_ids" in frame.columns:
        matrices = [
            _of_words(matrix, ids, f"{path}: row {at + 1}", subwords) if len(matrix) else matrix
            for at, (matrix, ids) in enumerate(zip(matrices, frame["word_ids"], strict=True))
        ]
    widths = {matrix.shape[1] for matrix in matrices if len(matrix)}
    if len(widths) != 1 or 0 in widths:
        sizes = ", ".join(map(str, sorted(widths))) or "no"
        raise InputError(where, f"has rows of {sizes} numbers", "Give a number for each class")
    k = widths.pop()
    offsets = np.append(0, np.cumsum([len(matrix) for matrix in matrices])).astype(np.int64)
    values = np.concatenate([matrix.reshape(-1, k) for matrix in matrices])
    named = next((name for name in _NAMES if name in frame.columns), None)
    classes = None
    if named is not None and isinstance(frame[named].iloc[0], list | np.ndarray):
        first = list(frame[named].iloc[0])
        classes = tuple(first) if all(isinstance(each, str) for each in first) else None
        classes = classes if classes is not None and len(classes) == k else None
    return Predictions(values, offsets, classes, _spans(path, frame), file.notes)


def _of_words(
    matrix: npt.NDArray[np.float64], word_ids: Any, where: str, subwords: SubwordMethod
) -> npt.NDArray[np.float64]:
    """Return the rows of words, of those of their pieces."""
    if not isinstance(word_ids, list | np.ndarray):
        raise InputError(
            f"{where}, word_ids", f"is {word_ids!r:.60}, no list", "Give a word for each piece"
        )
    try:
        return align_subwords(matrix, list(word_ids), method=subwords)
    except InputError as error:
        raise InputError(f"{where}, {error.where}", error.what, error.fix) from None


def _is_nested(column: Any) -> bool:
    """Return whether a column has lists of lists."""
    first = next((value for value in column if isinstance(value, list | np.ndarray) and len(value)),
                 None)  # fmt: skip
    return first is not None and isinstance(first[0], list | np.ndarray)


def _matrix(rows: Any, where: str) -> npt.NDArray[np.float64]:
    if not isinstance(rows, list | np.ndarray):
        raise InputError(where, f"is {rows!r:.60}, no list of rows", "Give a row for each token")
    try:
        listed = [np.asarray(row, dtype=np.float64) for row in rows]
        matrix = np.stack(listed) if listed else np.empty((0, 0))
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(
            where, f"holds rows that are no numbers, or of several lengths ({error})", "Mend it"
        ) from error
    if len(matrix) and matrix.ndim != 2:
        raise InputError(where, f"has shape {matrix.shape}", "Give a row for each token")
    return matrix


def _spans(path: Path, frame: Any) -> list[list[tuple[int, int]]] | None:
    """Return where tokens stand in their text, if the file says so."""
    if "offsets" not in frame.columns:
        return None
    found = []
    for at, pairs in enumerate(frame["offsets"]):
        try:
            spans = [(int(pair[0]), int(pair[1])) for pair in pairs]
        except (TypeError, ValueError, LookupError, OverflowError) as error:
            raise InputError(
                f"{path}: column 'offsets', row {at + 1}",
                f"holds no pairs of numbers ({error})",
                "Give the start and the end of each token",
            ) from error
        found.append(spans)
    return found
