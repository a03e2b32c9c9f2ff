"""Features as the search needs them: finite numbers, one row per example that has them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.kernels import neighbors as kernels
from goldlabel.kernels._jit import frozen
from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.typing import AnyFloats, Codes, Floats, Ints, Mask

__all__ = ["Distinct", "Features", "distinct_rows", "features_array", "usable_features"]


HUGE = 1e150


@dataclass(frozen=True, eq=False)
class Features:
    """The rows and columns of features that distances can be measured with.

    Attributes
    ----------
    values : ndarray of shape (m, d), float32 or float64, C-contiguous
        Finite.
    rows : ndarray of shape (m,), int64
        Their positions among all n examples.
    n : int
        Examples in all.
    notes : tuple of str
        What was left out.
    """

    values: AnyFloats
    rows: Ints
    n: int
    notes: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every example has all its features."""
        return len(self.rows) == self.n


def features_array(features: Any, *, name: str = "features") -> AnyFloats:
    """Return features as a C-contiguous float array (n, d); missing values are NaN."""
    array, _ = check.pred_probs_array(features, name=name, columns_are="feature")
    if not len(array):
        raise InputError(name, "has no rows", "Pass a row per example")
    return array


def usable_features(features: Any, *, name: str = "features") -> Features:
    """Return the complete rows of features, without columns that hold nothing but NaN.

    Raises
    ------
    InputError
        Features are no table of numbers, or no row is complete.
    """
    if isinstance(features, Features):
        return features
    array = features_array(features, name=name)
    n, d = array.shape
    is_complete = _finite_rows(array)
    _refuse_huge(array, name)
    if is_complete.all():
        return Features(array, np.arange(n), n)
    has_value = np.isfinite(array).any(axis=0)
    notes = []
    if not has_value.all():
        empty = np.flatnonzero(~has_value)
        array = np.ascontiguousarray(array[:, has_value])
        notes.append(
            f"{name}: {empty.size} of {d} columns hold no number (the first is column {empty[0]})"
            " and were left out."
        )
        is_complete = _finite_rows(array)
    rows = np.flatnonzero(is_complete)
    if not rows.size or not array.shape[1]:
        raise InputError(
            name, f"has no row without a NaN or an infinity among {n}", "Fill in missing values"
        )
    if rows.size < n:
        broken = np.flatnonzero(~is_complete)
        notes.append(
            f"{name}: {broken.size} of {n} rows hold a NaN or an infinity (the first is row"
            f" {broken[0]}); they were left out, and are not flagged."
        )
        array = np.ascontiguousarray(array[rows])
    return Features(array, rows, n, tuple(notes))


def _refuse_huge(array: AnyFloats, name: str) -> None:
    """Refuse numbers whose squares no float64 holds."""
    for start in range(0, len(array) if array.dtype == np.float64 else 0, 1 << 14):
        block = array[start : start + (1 << 14)]
        bad = (np.abs(block) > HUGE) & np.isfinite(block)
        if bad.any():
            row, column = np.argwhere(bad)[0].tolist()
            value = block[row, column]
            where = f"{name}[{start + row}, {column}]"
            raise InputError(where, f"is {value:g}, beyond {HUGE:g}", "Scale the column down")


def _finite_rows(array: AnyFloats) -> Mask:
    """Whether all numbers of a row are finite, in blocks: no temporary of the array's size."""
    out = np.empty(len(array), dtype=np.bool_)

    def run(worker: int, block: int, rows: slice) -> None:
        np.isfinite(array[rows]).all(axis=1, out=out[rows])

    each_block(run, len(array), block_rows(array.shape[1]))
    return out


@dataclass(frozen=True, eq=False)
class Distinct:
    """Rows by value: which are equal.

    Attributes
    ----------
    groups : ndarray of shape (n,), int32
        Number of each row's value, in the order in which values first appear.
    offsets : ndarray of shape (groups + 1,), int64
    members : ndarray of shape (n,), int32
        ``members[offsets[g] : offsets[g + 1]]`` are the rows of value g, ascending.
    """

    groups: Codes
    offsets: Ints
    members: Codes

    @property
    def first(self) -> Codes:
        """The first row of each value."""
        return self.members[self.offsets[:-1]]

    def __len__(self) -> int:
        return len(self.offsets) - 1


def distinct_rows(values: AnyFloats) -> Distinct:
    """Find the rows that are equal by value (-0 equals 0), by hashes that are then compared."""
    hashes = _hashes(values)
    order = np.argsort(hashes, kind="stable").astype(np.int32)
    ranked = hashes[order]
    starts = np.append(True, ranked[1:] != ranked[:-1])
    first = order[np.flatnonzero(starts)][np.cumsum(starts) - 1]
    same = np.empty(len(order), dtype=np.bool_)
    kernels.same_rows(frozen(values), first, order, same)
    groups = np.empty(len(order), dtype=np.int64)
    groups[order] = first
    for row in np.sort(order[~same]).tolist():  # equal hashes of rows that differ: never seen
        alike = [other for other in np.unique(groups) if np.array_equal(values[other], values[row])]
        groups[row] = min(alike, default=row)
    return grouped(np.unique(groups, return_inverse=True)[1])


def grouped(groups: npt.NDArray[Any]) -> Distinct:
    """Return rows by the number of their group, 0 .. groups - 1."""
    counts = np.bincount(groups)
    members = np.argsort(groups, kind="stable").astype(np.int32)
    return Distinct(groups.astype(np.int32), np.append(0, np.cumsum(counts)), members)


def _hashes(values: AnyFloats) -> npt.NDArray[np.uint64]:
    out = np.empty(len(values), dtype=np.uint64)

    def run(worker: int, block: int, rows: slice) -> None:
        plain = values[rows] + values.dtype.type(0)  # -0 becomes 0
        if plain.dtype.itemsize == 4 and plain.shape[1] % 2:
            plain = np.pad(plain, ((0, 0), (0, 1)))
        kernels.hash_rows(frozen(np.ascontiguousarray(plain), np.uint64), out[rows])

    each_block(run, len(values), block_rows(values.shape[1]))
    return out


def row_norms(values: AnyFloats) -> Floats:
    """Return the Euclidean length of each row, in double precision."""
    out = np.empty(len(values))

    def run(worker: int, block: int, rows: slice) -> None:
        part = values[rows].astype(np.float64)
        np.sqrt(np.einsum("ij,ij->i", part, part), out=out[rows])

    each_block(run, len(values), block_rows(values.shape[1]))
    return out
