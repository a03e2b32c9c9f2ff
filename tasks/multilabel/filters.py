"""From the confident joint of each class to the cells that are judged wrong."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError, warn
from goldlabel.inputs import check
from goldlabel.kernels.buckets import Buckets
from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.learning import calibration
from goldlabel.learning.filters import PRUNING, FilterBy, refuse_pruning_options
from goldlabel.tasks.multilabel import kernels
from goldlabel.tasks.multilabel.counting import Counted, calibrated, given_joint
from goldlabel.typing import Ints

__all__ = ["HEALTH_FILTER", "flag"]

HEALTH_FILTER: FilterBy = "prune_by_noise_rate"
"""By which annotations are judged that summaries count."""


_WHOLE = 1e-9
"""What a product of a count and a share may miss a whole number by."""


def flag(
    counted: Counted,
    filter_by: str,
    *,
    confident_joint: npt.ArrayLike | None = None,
    frac_noise: float = 1.0,
    num_to_remove_per_class: npt.ArrayLike | None = None,
    min_examples_per_class: int = 1,
) -> Ints:
    """Return the cells judged wrong, as ``example * k + class`` in ascending order.

    Parameters
    ----------
    counted : Counted
    filter_by, confident_joint, frac_noise, num_to_remove_per_class, min_examples_per_class
        See `goldlabel.tasks.multilabel.find_label_issues`.
    """
    frac = check.number(frac_noise, name="frac_noise", low=0.0, high=1.0)
    least = check.whole_number(min_examples_per_class, name="min_examples_per_class")
    k = len(counted.value_counts)
    if filter_by in PRUNING:
        joint = None if confident_joint is None else given_joint(confident_joint, k)
        quotas = _quotas(counted, filter_by, joint, frac, num_to_remove_per_class, least)
        return _lowest(counted, np.ascontiguousarray(quotas.T), guarded=True)
    refuse_pruning_options(filter_by, confident_joint, frac, num_to_remove_per_class)
    if filter_by == "predicted_neq_given":
        return counted.disagreeing()
    off_diagonal = counted.off_diagonal()
    if filter_by == "confident_learning":
        return off_diagonal
    return _lowest(counted, np.bincount(off_diagonal % k, minlength=k)[None], guarded=False)


def _quotas(
    counted: Counted,
    filter_by: str,
    joint: npt.NDArray[Any] | None,
    frac: float,
    num_to_remove: npt.ArrayLike | None,
    least: int,
) -> Ints:
    """Return how many cells of each class (rows) and given value (columns) to choose."""
    counts = counted.value_counts
    room = np.maximum(counts - least, 0)
    if num_to_remove is not None:
        quotas = np.minimum(_numbers(num_to_remove, len(counts)), room)
    else:
        joint = counted.calibrated_joint if joint is None else calibrated(joint, counts)
        wrong = np.minimum(np.stack([joint[:, 0, 1], joint[:, 1, 0]], axis=1), room)
        share = wrong * frac
        by_class = filter_by == "prune_by_class"
        rounded = np.ceil(share - _WHOLE) if by_class else np.floor(share + _WHOLE)
        quotas = rounded.astype(np.int64)
    few = counts <= max(least, 1)
    quotas[few] = 0
    if num_to_remove is None:
        _warn_of_few(counted, least, few & (counts > 0))
    return quotas


def _numbers(num_to_remove: npt.ArrayLike, k: int) -> Ints:
    """Return a caller's numbers as (k, 2): of examples without and with each class."""
    name = "num_to_remove_per_class"
    if np.ndim(num_to_remove) == 2:
        if np.shape(num_to_remove) != (k, 2):
            raise InputError(
                name,
                f"has shape {np.shape(num_to_remove)}, not {(k, 2)}",
                "Pass two for each class",
            )
        return calibration.per_class_counts(np.ravel(num_to_remove), name, 2 * k).reshape(k, 2)
    present = calibration.per_class_counts(num_to_remove, name, k)
    return np.column_stack([np.zeros_like(present), present])


def _warn_of_few(counted: Counted, least: int, few: npt.NDArray[Any]) -> None:
    if not few.any():
        return
    names = counted.cells.classes
    pairs = np.argwhere(few).tolist()
    kinds = [f"{'with' if value else 'without'} {names[c]!r}" for c, value in pairs[:10]]
    shown = ", ".join(kinds) + (f" and {len(pairs) - 10} more kinds" if len(pairs) > 10 else "")
    most = max(least, 1)
    warn(
        f"labels: no more than {most} example{'' if most == 1 else 's'} each, too few to judge any"
        f" of them: {shown}."
    )


def _lowest(counted: Counted, quotas: Ints, *, guarded: bool) -> Ints:
    """Return the cells with the lowest self-confidence, a quota of each bucket; ties by example.

    `quotas` has a row for each given value, or one row for both.
    """
    k = quotas.shape[1]
    buckets = Buckets(quotas.ravel())
    if quotas.any():
        _fill(buckets, counted, len(quotas), guarded)
    places, cells = buckets.entries()
    cells *= k
    cells += places % k
    cells.sort()
    return cells


def _fill(buckets: Buckets, counted: Counted, values: int, guarded: bool) -> None:
    """Push every cell that the model disagrees with to its bucket; without the guard, all cells.

    `values`: whether cells with and without a class have buckets of their own (2), or share (1).
    """
    n, k = counted.cells.pred_probs.shape
    size = block_rows(16 * k)
    scratch, turn = threading.local(), threading.Lock()

    def work(worker: int, block: int, rows: slice) -> None:
        if not hasattr(scratch, "arrays"):
            whole = np.empty((2, size * k), dtype=np.int64)
            scratch.arrays = whole[0], np.empty(size * k), whole[1]
        count = kernels.candidates(
            counted.cells.labels.block(rows),
            counted.cells.pred_probs[rows],
            rows.start,
            counted.cuts,
            np.broadcast_to(buckets.min_keys.reshape(values, k), (2, k)).copy(),
            *scratch.arrays,
            guarded=guarded,
        )
        places, keys, members = (array[:count] for array in scratch.arrays)
        if values == 1:
            places %= k
        with turn:
            buckets.push(places, keys, members)

    each_block(work, n, size)
