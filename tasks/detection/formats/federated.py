"""Federated annotations, as LVIS has them: in each image only some classes were looked for."""

from __future__ import annotations

import numpy as np

from goldlabel.kernels._jit import frozen
from goldlabel.tasks.detection import kernels
from goldlabel.tasks.detection.boxes import offsets_of
from goldlabel.tasks.detection.formats.listed import Listed
from goldlabel.typing import Ints, Mask

__all__ = ["is_looked_for"]


def is_looked_for(annotations: Listed, predictions: Listed) -> Mask:
    """Say of which predictions federated annotations say anything.

    A class that is neither annotated in an image nor among those checked to be absent may be
    there. Of a class with more objects than are annotated, only what overlaps one counts. Images
    that have no annotations at all keep every prediction.

    Parameters
    ----------
    annotations : Listed
    predictions : Listed
        With the images and classes of the annotations.
    """
    if annotations.looked_for is None:
        return np.ones(len(predictions.boxes), dtype=np.bool_)
    k = len(annotations.classes)
    codes = predictions.image * k + predictions.labels
    absent, more = (
        np.array(
            [
                image * k + label
                for image, each in enumerate(annotations.looked_for)
                for label in each[at]
            ],
            dtype=np.int64,
        )
        for at in (0, 1)
    )
    is_annotated = np.isin(codes, annotations.image * k + annotations.labels)
    kept: Mask = is_annotated | np.isin(codes, absent)
    kept |= predictions.image >= len(annotations.keys)
    some = np.flatnonzero(is_annotated & np.isin(codes, more))
    kept[some] = _overlaps(annotations, predictions, some)
    return kept


def _overlaps(annotations: Listed, predictions: Listed, rows: Ints) -> Mask:
    """Say which of some predictions overlap an annotation of their class."""
    n = len(annotations.keys)
    order = rows[np.argsort(predictions.image[rows], kind="stable")]
    out = np.zeros(len(rows), dtype=np.bool_)
    kernels.overlaps_its_class(
        frozen(annotations.boxes), frozen(annotations.labels),
        frozen(offsets_of(annotations.image, n)), frozen(predictions.boxes[order]),
        frozen(predictions.labels[order]), frozen(offsets_of(predictions.image[order], n)), out,
    )  # fmt: skip
    is_so = np.empty(len(rows), dtype=np.bool_)
    is_so[np.argsort(predictions.image[rows], kind="stable")] = out
    return is_so
