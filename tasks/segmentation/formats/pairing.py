"""Which prediction is that of which mask: by name where there are names, else by position."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.names import in_order, match_names
from goldlabel.tasks.segmentation.formats.given import Given
from goldlabel.tasks.segmentation.formats.predictions import Predictions, as_probs

__all__ = ["pair"]

_COMPARED = 12
"""So many images say which of two orders is meant."""
_CLEARLY = 0.1
"""By so much more of the pixels has one order to agree, to be taken for the right one."""


def pair(given: Given, probs: Predictions, where: str) -> tuple[list[int], list[str]]:
    """Return the position of each mask's prediction, and notes on how it was found.

    Raises
    ------
    InputError
        A mask has no prediction, two names are the same, or the numbers of images differ.
    """
    n = len(given.masks)
    if probs.ids is not None and given.source.format != "numpy":
        places, how = _by_name(probs.ids, given.ids, where)
        extra = len(probs.ids) - n
        left_out = f"; {extra:,} predictions of no mask left out." if extra else "."
        return places, [f"Matched predictions with masks by {how}{left_out}"]
    if len(probs.images) != n:
        raise InputError(
            where,
            f"has predictions of {len(probs.images):,} images, and there are {n:,} masks",
            "Predict every image, in the order of the masks' names",
        )
    if probs.ids is not None:
        return _by_number(probs.ids)
    if n and given.source.format == "masks":
        return _by_position(given, probs)
    return list(range(n)), []


def _by_name(ids: Sequence[str], wanted: Sequence[str], where: str) -> tuple[list[int], str]:
    if len(set(ids)) < len(ids):
        name = next(name for at, name in enumerate(ids) if name in ids[:at])
        raise InputError(where, f"has {name!r} twice", "Keep one prediction for each image")
    places, how = match_names(ids, wanted)
    missing = [name for name, at in zip(wanted, places, strict=True) if at < 0]
    if missing:
        raise InputError(
            where,
            f"lacks {missing[0]!r}; {len(missing):,} of {len(wanted):,} images have no prediction"
            f" (the first is of {ids[0]!r})",
            "Predict every image, and name the predictions like the masks",
        )
    return places, how


def _by_number(ids: Sequence[str]) -> tuple[list[int], list[str]]:
    """Return the order of named predictions for masks without names: that of their numbers."""
    places = sorted(range(len(ids)), key=lambda at: in_order(ids[at]))
    shown = ", ".join(ids[at] for at in places[:2])
    return places, [
        "Masks have no names: predictions are taken in the order of theirs, by the numbers in them"
        f" ({shown}, ...)."
    ]


def _by_position(given: Given, probs: Predictions) -> tuple[list[int], list[str]]:
    """Return the order of predictions without names: that of the masks' names or their numbers.

    Of masks that are numbered without leading zeros, both are usual: the pixels decide.
    """
    by_name = list(range(len(given.ids)))
    ranked = sorted(by_name, key=lambda at: in_order(given.ids[at]))
    if ranked == by_name:
        note = "Predictions have no names: they are taken in the order of the masks' names."
        return by_name, [note]
    by_number = [0] * len(ranked)
    for rank, at in enumerate(ranked):
        by_number[at] = rank
    differ = [at for at in by_name if by_number[at] != at]
    compared = differ[:: -(-len(differ) // _COMPARED)]
    shares = [
        float(np.mean([_agreement(given, probs, at, order[at]) for at in compared]))
        for order in (by_name, by_number)
    ]
    best = int(shares[1] > shares[0])
    what = ("names", "numbers")
    note = (
        f"Predictions have no names: they are taken in the order of the masks' {what[best]}, where"
        f" {shares[best]:.0%} of the pixels agree, not in that of their {what[1 - best]}, where"
        f" {shares[1 - best]:.0%} do."
    )
    if shares[best] - shares[1 - best] < _CLEARLY:
        note += " That is close: name the predictions like the masks."
    return (by_number if best else by_name), [note]


def _agreement(given: Given, probs: Predictions, at: int, place: int) -> float:
    """Return the share of a mask's pixels whose class a prediction finds most probable."""
    mask = given.masks[at]
    array = np.asarray(probs.images[place])
    last = array.ndim == 3 and array.shape[0] > array.shape[-1]
    values = as_probs(array, last=last, softmax=False, where="pred_probs")
    predicted: npt.NDArray[np.int64] = values.argmax(axis=0)
    rows, columns = (
        np.arange(cells) * side // max(cells, 1)
        for cells, side in zip(predicted.shape, mask.shape, strict=True)
    )
    cells = mask[rows[:, None], columns]
    return float(np.mean((cells == predicted)[cells >= 0])) if (cells >= 0).any() else 0.0
