"""Votes and probabilities of a caller, turned into what kernels trust, or an `InputError`.

Votes come as a long table (item, annotator, label), a wide one (items by annotators, with gaps), or
as `Votes`. In all of them an item or an annotator may be without a vote.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.labels import (
    as_array,
    class_codes,
    class_names,
    one_column,
)
from goldlabel.tasks.multiannotator.votes import Votes
from goldlabel.typing import Floats, Ints, Where

__all__ = ["Checked", "checked_models", "checked_votes"]


LONG = ("item", "annotator", "label")
"""Columns by which a frame is known as a long table."""


@dataclass(frozen=True, eq=False)
class Checked:
    """Votes and probabilities that fit each other.

    Attributes
    ----------
    votes : Votes
    classes : tuple of length k
        Class names by index; the indices themselves where there are no names.
    annotators : tuple of length M
        Names of the annotators by index.
    ids : ndarray of shape (N,), optional
        Names of the items; None where they are just numbered.
    probs : ndarray of shape (E, N, k), float64, optional
        Probabilities of E models.
    """

    votes: Votes
    classes: tuple[Hashable, ...]
    annotators: tuple[Hashable, ...]
    ids: npt.NDArray[Any] | None
    probs: Floats | None


@dataclass(frozen=True, eq=False)
class _Long:
    """A long table: indices of items and annotators, labels as they were given."""

    item: Ints
    annotator: Ints
    label: Any
    items: npt.NDArray[Any] | None
    num_items: int
    annotators: tuple[Hashable, ...]
    where: Where


def checked_votes(
    labels: Any,
    pred_probs: Any = None,
    *,
    classes: Sequence[Hashable] | None = None,
    ids: npt.ArrayLike | None = None,
) -> Checked:
    """Check votes against pred_probs; see `goldlabel.tasks.multiannotator` for what each may be."""
    probs, columns = (None, None) if pred_probs is None else checked_models(pred_probs)
    k = None if probs is None else probs.shape[2]
    names = _names(classes, columns, k)
    if probs is not None and names is not None and columns is not None and names != list(columns):
        place = {name: at for at, name in enumerate(columns)}
        probs = np.ascontiguousarray(probs[:, :, [place[name] for name in names]])
    n = None if probs is None else probs.shape[1]
    known = None if ids is None else _given_ids(ids, n)
    if isinstance(labels, Votes):
        return _of_votes(labels, probs, names, known)
    long = _long_table(labels, known, n)
    codes, found, k = _coded(long, names, k)
    votes = Votes.from_arrays(
        long.item,
        long.annotator,
        codes,
        num_items=long.num_items,
        num_annotators=len(long.annotators),
        num_classes=k,
    )
    return Checked(votes, found, long.annotators, long.items, probs)


def _names(
    classes: Sequence[Hashable] | None, columns: tuple[Hashable, ...] | None, k: int | None
) -> list[Hashable] | None:
    if k is not None:
        return class_names(classes, columns, k)
    if classes is None:
        return None
    count = len(classes) if hasattr(classes, "__len__") else 0
    return class_names(classes, None, count)


def _given_ids(ids: npt.ArrayLike, n: int | None) -> npt.NDArray[Any]:
    array = as_array(ids, "ids")
    if array.ndim != 1 or (n is not None and len(array) != n):
        raise InputError(
            "ids",
            f"has shape {array.shape}" + ("" if n is None else f", and pred_probs {n} rows"),
            "Pass the name of one item for each row",
        )
    twice = np.flatnonzero(pd.Index(array).duplicated())
    if twice.size:
        raise InputError(
            f"ids[{twice[0]}]",
            f"is {_shown(array[twice[0]])} again ({twice.size} such)",
            "Pass each once",
        )
    return array


def _shown(name: Any) -> str:
    """Return a name as Python writes it, not NumPy."""
    return repr(name.item() if isinstance(name, np.generic) else name)


# Probabilities


def checked_models(
    pred_probs: Any, *, name: str = "pred_probs"
) -> tuple[Floats, tuple[Hashable, ...] | None]:
    """Return probabilities of one model or several as float64 (E, N, k), and the column names."""
    is_list = isinstance(pred_probs, list | tuple) and len(pred_probs) > 0
    nested = is_list and np.ndim(pred_probs[0]) == 2
    if not nested and np.ndim(pred_probs) == 3:
        pred_probs, nested = list(np.asarray(pred_probs)), True
    if not nested:
        probs, columns = _one_model(pred_probs, name)
        return probs[None], columns
    models = [_one_model(each, f"{name}[{at}]") for at, each in enumerate(pred_probs)]
    for at, (probs, columns) in enumerate(models):
        if probs.shape != models[0][0].shape or columns != models[0][1]:
            raise InputError(
                f"{name}[{at}]",
                f"has shape {probs.shape}, and that of the first model is {models[0][0].shape}",
                "Pass the same items and classes, in the same order, for every model",
            )
    return np.stack([probs for probs, _ in models]), models[0][1]


def _one_model(pred_probs: Any, name: str) -> tuple[Floats, tuple[Hashable, ...] | None]:
    if np.ndim(pred_probs) > 3:
        shape = np.shape(pred_probs)
        fix = "Pass (n, k), or (models, n, k) for an ensemble"
        raise InputError(name, f"has shape {shape}, not (n, k)", fix)
    array, columns = check.pred_probs_array(pred_probs, name=name)
    probs = np.array(array, dtype=np.float64)
    if not np.all((probs >= -check.SLACK) & (probs <= 1 + check.SLACK)):
        check.out_of_range(array, name=name)
    np.clip(probs, 0.0, None, out=probs)
    sums = probs.sum(axis=1)
    empty = np.flatnonzero(sums <= 0)
    if empty.size:
        raise InputError(
            f"{name}[{empty[0]}]", f"sums to 0 ({empty.size} such rows)", "Predict the item again"
        )
    if len(sums):
        worst = int(np.abs(sums - 1.0).argmax())
        check.row_sums(worst, float(sums[worst]), name=name)
    return probs, columns


# Votes


def _of_votes(
    votes: Votes, probs: Floats | None, names: list[Hashable] | None, ids: npt.NDArray[Any] | None
) -> Checked:
    n = votes.num_items if probs is None else probs.shape[1]
    k = votes.num_classes
    if probs is not None or names is not None:
        k = len(names) if names is not None else probs.shape[2]  # type: ignore[union-attr]
    if n != votes.num_items:
        raise InputError(
            "labels",
            f"holds {votes.num_items:,} items, and pred_probs has {n:,} rows",
            "Pass a row for each item; num_items counts those without a vote",
        )
    if len(votes) and int(votes.label.max()) >= k:
        at = int((votes.label >= k).argmax())
        raise InputError(
            f"labels: vote {at}",
            f"is for class {votes.label[at]}, and there are {k}, 0 .. {k - 1}",
            "Pass pred_probs with a column for every class",
        )
    people = tuple(range(votes.num_annotators))
    classes = tuple(range(k)) if names is None else tuple(names)
    return Checked(replace(votes, num_classes=k), classes, people, ids, probs)


def _long_table(labels: Any, ids: npt.NDArray[Any] | None, n: int | None) -> _Long:
    if isinstance(labels, pd.DataFrame | Mapping) and set(LONG) <= set(labels):
        return _of_long(labels["item"], labels["annotator"], labels["label"], ids, n)
    if isinstance(labels, tuple) and len(labels) == 3 and np.ndim(labels[0]) == 1:
        return _of_long(labels[0], labels[1], labels[2], ids, n)
    if isinstance(labels, pd.DataFrame):
        return _of_frame(labels, ids, n)
    if isinstance(labels, str | bytes | Mapping | set) or not hasattr(labels, "__len__"):
        raise InputError(
            "labels",
            f"is a {type(labels).__name__}",
            "Pass a frame with the columns item, annotator and label, three arrays, or an array"
            " of items by annotators with NaN where there is no label",
        )
    return _of_wide(as_array(labels, "labels"), ids, n)


def _of_long(
    item: Any, annotator: Any, label: Any, ids: npt.NDArray[Any] | None, n: int | None
) -> _Long:
    items, people, values = (one_column(each) for each in (item, annotator, label))
    for name, column in (("item", items), ("annotator", people)):
        if len(column) != len(values):
            raise InputError(
                name, f"has {len(column):,} entries, and label {len(values):,}", "Pass one each"
            )
        missing = np.flatnonzero(np.asarray(pd.isna(column)))
        if missing.size:
            raise InputError(
                f"{name}[{missing[0]}]", f"is missing ({missing.size} such)", "Drop the row"
            )
    place, names, count = _places(np.asarray(items), ids, n)
    codes, people_names = _sorted_codes(np.asarray(people))
    annotators = tuple(people_names.tolist())
    return _Long(place, codes, values, names, count, annotators, lambda at: f"label[{at}]")


def _places(
    items: npt.NDArray[Any], ids: npt.NDArray[Any] | None, n: int | None
) -> tuple[Ints, npt.NDArray[Any] | None, int]:
    """Return the index of each item, the items' names and how many there are."""
    if ids is None and n is not None:
        return _positions(items, n), None, n
    if ids is None:
        codes, names = _sorted_codes(items)
        numbered = names.dtype.kind in "iu" and np.array_equal(names, np.arange(len(names)))
        return codes, None if numbered else names, len(names)
    codes = pd.Index(ids).get_indexer(pd.Index(items))
    unknown = np.flatnonzero(codes < 0)
    if unknown.size:
        raise InputError(
            f"item[{unknown[0]}]",
            f"is {_shown(items[unknown[0]])}, which is not among ids ({unknown.size} such)",
            "Predict that item too, or drop its votes",
        )
    return codes.astype(np.int64), ids, len(ids)


def _positions(items: npt.NDArray[Any], n: int) -> Ints:
    if items.size and items.dtype.kind not in "iu":
        raise InputError(
            "item",
            f"holds {items.dtype}, and it is not known which row of pred_probs is whose",
            "Pass ids=: the item of each row of pred_probs; or number the items from 0",
        )
    outside = np.flatnonzero((items < 0) | (items >= n))
    if outside.size:
        raise InputError(
            f"item[{outside[0]}]",
            f"is {items[outside[0]]}, and pred_probs has {n} rows ({outside.size} such)",
            "Number items by the rows of pred_probs, or pass ids=",
        )
    return items.astype(np.int64)


def _sorted_codes(values: npt.NDArray[Any]) -> tuple[Ints, npt.NDArray[Any]]:
    """Return codes and the different values in sorted order; in order of appearance if none is."""
    try:
        codes, names = pd.factorize(values)
    except TypeError as error:
        raise InputError(
            "labels", f"holds names that can't be told apart ({error})", "Use text"
        ) from error
    names = np.asarray(names)
    try:
        order = np.argsort(names, kind="stable")
    except TypeError:
        return codes.astype(np.int64), names
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    return rank[codes], names[order]


def _of_frame(frame: pd.DataFrame, ids: npt.NDArray[Any] | None, n: int | None) -> _Long:
    """Read a frame of items by annotators."""
    numeric = all(getattr(kind, "kind", "O") in "fiub" for kind in frame.dtypes)
    if numeric and not frame.empty:
        array = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        array = frame.to_numpy(dtype=object)
    plain = isinstance(frame.index, pd.RangeIndex) or n is not None
    names = ids if ids is not None or plain else frame.index.to_numpy()
    return replace(_of_wide(array, names, n), annotators=tuple(frame.columns.tolist()))


def _of_wide(array: npt.NDArray[Any], ids: npt.NDArray[Any] | None, n: int | None) -> _Long:
    if array.ndim != 2:
        raise InputError(
            "labels",
            f"has shape {array.shape}, not (items, annotators)",
            "Pass NaN where an annotator has not labelled an item; one label for each item is the"
            " multiclass task",
        )
    items, people = array.shape
    for what, count in (("pred_probs", n), ("ids", None if ids is None else len(ids))):
        if count is not None and count != items:
            raise InputError(
                "labels", f"has {items:,} rows, and {what} {count:,}", "Pass a row for each item"
            )
    flat = np.flatnonzero(_is_there(array))
    item, annotator = np.divmod(flat, max(people, 1))
    return _Long(
        item,
        annotator,
        array.reshape(-1)[flat],
        ids,
        items,
        tuple(range(people)),
        lambda at: f"labels[{item[at]}, {annotator[at]}]",
    )


def _is_there(array: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which cells hold a label: not NaN or None, nor -1 among integers."""
    if array.dtype.kind == "f":
        there: npt.NDArray[np.bool_] = ~np.isnan(array)
        return there
    if array.dtype.kind in "iu":
        return np.asarray(array != -1)
    return np.asarray(~pd.isna(array) & (array != ""))


# Labels


def _coded(
    long: _Long, names: list[Hashable] | None, k: int | None
) -> tuple[Ints, tuple[Hashable, ...], int]:
    """Return class indices, the classes, and how many there are."""
    told = "pred_probs" if k is not None else "classes"
    if k is None:
        k = len(names) if names is not None else _count_classes(long.label)
    codes, found = class_codes(long.label, names, k, where=long.where, name=told)
    return codes, tuple(range(k)) if found is None else tuple(found), k


def _count_classes(values: Any) -> int:
    """Return how many classes labels have if nothing else says it."""
    array = np.asarray(values)
    if array.dtype.kind == "O" or isinstance(values, pd.Categorical):
        present = pd.unique(array[~np.asarray(pd.isna(array))])
        numbers = [isinstance(each, int | float | np.number) for each in present.tolist()]
        if not all(numbers):
            return len(present)
        array = present.astype(np.float64)
    if array.dtype.kind in "iuf" and array.size:
        largest = np.nanmax(array)
        return int(largest) + 1 if 0 <= largest < 2**31 else 1
    return len(pd.unique(array)) if array.size else 1
