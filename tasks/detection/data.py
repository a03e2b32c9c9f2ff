"""The container: images with annotated boxes and what a detector found, as read from files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.results.audit import Source
from goldlabel.tasks.detection.boxes import Boxes, Detections, Pair, paired
from goldlabel.tasks.detection.unusable import Unusable

__all__ = ["DetectionData"]


@dataclass(frozen=True, eq=False)
class DetectionData:
    """Boxes of n images, and what was read with them.

    Attributes
    ----------
    labels : Boxes
        The annotations, of each image in the order of its file, those to ignore included.
    classes : tuple of str
        Names of the k classes by index.
    source : Source
        Where the annotations came from, with all that `export` needs.
    ids : ndarray of shape (n,)
        The dataset's own name of each image: its file, or its id where it has none.
    sizes : ndarray of shape (n, 2), float64
        Width and height in pixels; NaN where nothing says so.
    file_sizes : ndarray of shape (n, 2), float64
        The same as the label file says it, whatever the pictures say; NaN where it does not.
    is_relative : bool
        Whether coordinates are shares of width and height, as the files of the annotations have
        them, and no pixels.
    predictions : Detections, optional
        What a detector found, in the same units.
    images : tuple of Path or None, optional
        The picture of each image; None where it is not there.
    unusable : tuple of Unusable
        Annotations without a box: they are among `labels`, to be ignored.
    notes : tuple of str
        What was recognised or assumed while reading, a sentence each.
    """

    labels: Boxes
    classes: tuple[str, ...]
    source: Source
    ids: npt.NDArray[Any]
    sizes: npt.NDArray[np.float64]
    file_sizes: npt.NDArray[np.float64]
    is_relative: bool = False
    predictions: Detections | None = None
    images: tuple[Path | None, ...] | None = None
    unusable: tuple[Unusable, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.labels)
        for name in ("ids", "sizes", "file_sizes", "images", "predictions"):
            values = getattr(self, name)
            if values is not None and len(values) != n:
                raise InputError(name, f"has {len(values):,} entries, not {n:,}", "Pass one each")

    def __len__(self) -> int:
        return len(self.labels)

    def pair(self) -> Pair:
        """Return annotations and predictions side by side.

        Raises
        ------
        InputError
            There are no predictions.
        """
        if self.predictions is None:
            raise InputError("predictions", "are not there", "Read them with the annotations")
        return paired(self.labels, self.predictions, len(self.classes))
