"""Mistakes that spoil an audit and that the boxes give away."""

from __future__ import annotations

import numpy as np

from goldlabel.errors import warn
from goldlabel.tasks.detection.boxes import Pair

__all__ = ["warn_of_suspicious"]

_FEW = 20
_SURE = 0.3
_FACTOR = 20.0


def warn_of_suspicious(pair: Pair) -> None:
    """Warn if annotations and predictions seem to be in other units or of other classes."""
    annotations, predictions = pair.annotations, pair.predictions
    sure = predictions.scores >= _SURE
    if len(annotations.boxes) < _FEW or np.count_nonzero(sure) < _FEW:
        return
    extents = [
        float(np.median(each[:, 2:])) for each in (annotations.boxes, predictions.boxes[sure])
    ]
    ratio = max(extents) / max(min(extents), 1e-9)
    if ratio > _FACTOR:
        size = "small" if extents[0] > extents[1] else "large"
        warn(
            f"predictions: their corners are {ratio:.0f} times as {size}"
            " as those of the labels. Check that both are in pixels."
        )
    sure_labels = predictions.labels[sure]
    share = np.isin(sure_labels, annotations.labels, invert=True).mean()
    if share > 0.5:
        warn(
            f"predictions: {share:.0%} of the confident ones are of classes that no label has."
            " Check that both number the classes alike."
        )
