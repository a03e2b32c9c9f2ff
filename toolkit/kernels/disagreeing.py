"""The rows where the model's class is another than the given one, and what is known of each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.kernels._jit import kernel
from goldlabel.typing import AnyFloats, Ints

__all__ = ["Disagreeing", "joined", "looked_up", "room_for"]


@kernel
def _in_mask(
    mask: npt.NDArray[np.bool_], room: int, rows: Ints, p_given: AnyFloats, p_predicted: AnyFloats
) -> tuple[Ints, AnyFloats, AnyFloats]:
    # One entry more: what follows the last one is written too, and not counted.
    some = np.empty(room + 1, dtype=rows.dtype)
    given = np.empty(room + 1, dtype=p_given.dtype)
    predicted = np.empty(room + 1, dtype=p_given.dtype)
    count = 0
    for n in range(rows.shape[0]):
        some[count], given[count], predicted[count] = rows[n], p_given[n], p_predicted[n]
        count += mask[rows[n]]
    return some[:count], given[:count], predicted[:count]


class Disagreeing(NamedTuple):
    """The rows where the model's class is another than the given one: `AGREES` is not set.

    Attributes
    ----------
    rows : ndarray of shape (m,), int32, or int64 where there are more rows than that can say
        In ascending order.
    p_given, p_predicted : ndarray of shape (m,), as pred_probs
        Probabilities of the given and of the predicted class.
    """

    rows: Ints
    p_given: AnyFloats
    p_predicted: AnyFloats

    def in_mask(self, mask: npt.NDArray[np.bool_]) -> Disagreeing:
        """Return those of the rows that are in `mask`, of shape (n,)."""
        return Disagreeing(*_in_mask(mask, int(np.count_nonzero(mask)), *self))


def room_for(size: int, dtype: np.dtype[Any], n: int) -> Disagreeing:
    """Return room for `size` of `n` rows."""
    rows: npt.NDArray[Any] = np.empty(size, _row_type(n))
    return Disagreeing(rows, np.empty(size, dtype), np.empty(size, dtype))


def joined(blocks: dict[int, Disagreeing], dtype: np.dtype[Any], n: int) -> Disagreeing:
    """Put the rows of all blocks together, and empty the blocks."""
    ordered = [blocks.pop(block) for block in range(len(blocks))]
    fields: list[Any] = [list(field) for field in zip(room_for(0, dtype, n), *ordered, strict=True)]
    ordered.clear()
    whole: list[Any] = []
    while fields:  # one after the other, so that only one of the arrays is held twice
        whole.append(np.concatenate(fields.pop(0)))
    return Disagreeing(*whole)


def looked_up(
    rows: npt.NDArray[np.intp], labels: Ints, pred_probs: AnyFloats, predicted: npt.NDArray[Any]
) -> Disagreeing:
    """Return what a sweep that was asked for them has kept of these rows."""
    small: npt.NDArray[Any] = rows.astype(_row_type(labels.shape[0]))
    return Disagreeing(small, pred_probs[small, labels[small]], pred_probs[small, predicted[small]])


def _row_type(n: int) -> Any:
    return np.int32 if n <= 1 << 31 else np.int64
