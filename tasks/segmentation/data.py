"""The container: a dataset of masks, as read from its files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.results.audit import Source
from goldlabel.tasks.segmentation.sequences import Images
from goldlabel.tasks.segmentation.strays import Strays

__all__ = ["SegmentationData"]


@dataclass(frozen=True, eq=False)
class SegmentationData:
    """Masks of n images, and what was read with them.

    Attributes
    ----------
    labels : sequence of n arrays (h, w)
        Class index of each pixel, or of the pixel in the middle of each cell of a coarser
        prediction; -1 where a pixel is left out. Read when they are asked for.
    masks : sequence of n arrays (h, w)
        The same of every pixel of the dataset's own masks.
    classes : tuple of str
        Names of the k classes.
    source : Source
        Where the labels came from, with all that `export` needs.
    ids : ndarray of shape (n,)
        Name of each image.
    pred_probs : sequence of n arrays (k, h, w), optional
        Predicted probabilities, in the order of `classes`, read when they are asked for.
    scales : tuple of int
        How many pixels of the mask a pixel of `labels` stands for, on each side; one per image.
    images : tuple of Path or None, optional
        The picture of each image.
    colors : ndarray of shape (k, 3), uint8, optional
        The masks' own colours of the classes.
    notes : tuple of str
        What was recognised or assumed while reading, a sentence each.
    ignored : tuple of int
        Classes whose pixels are left out, and which are never suggested.
    strays : Strays
        Pixels of no class in the masks that have been read: left out (-1), and listed by an audit.
    """

    labels: Images
    masks: Images
    classes: tuple[str, ...]
    source: Source
    ids: npt.NDArray[Any]
    pred_probs: Images | None = None
    scales: tuple[int, ...] = ()
    images: tuple[Path | None, ...] | None = None
    colors: npt.NDArray[Any] | None = None
    notes: tuple[str, ...] = ()
    ignored: tuple[int, ...] = ()
    strays: Strays = field(default_factory=Strays)

    def __post_init__(self) -> None:
        n = len(self.labels)
        for name in ("ids", "pred_probs", "scales", "images"):
            values = getattr(self, name)
            if values is not None and len(values) != n:
                raise InputError(name, f"has {len(values):,} entries, not {n:,}", "Pass one each")

    def __len__(self) -> int:
        return len(self.labels)
