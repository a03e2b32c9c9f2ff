"""Masks and probabilities of a caller, image by image, as the kernels trust them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.labels import as_array, class_names
from goldlabel.kernels._jit import frozen
from goldlabel.tasks.segmentation.sequences import Images, as_images
from goldlabel.tasks.segmentation.shrinking import shrink_labels, shrink_probs

__all__ = ["Pixels", "labeled_pixels"]

Labels = npt.NDArray[np.int32]
Probs = npt.NDArray[Any]

_CELLS = 1 << 17
"""Cells of probabilities that are converted at once where they are not floats in C order."""


class Planes(NamedTuple):
    """Probabilities of a run of pixels: (k, m), the first of them being pixel `at`."""

    values: Probs
    at: int
    size: int


@dataclass(frozen=True, eq=False)
class Pixels:
    """Masks and probabilities that go with each other, each read when it is asked for.

    Attributes
    ----------
    labels, pred_probs : Images
        Arrays (h, w) and (k, h, w) by position.
    k : int
    classes : tuple of length k
        Class names; the indices themselves where there are no names.
    ignore : tuple of int
        Labels to leave out.
    dtype : dtype
        What probabilities are computed in: float64 where some input has more than 32 bits.
    downsample : int
    """

    labels: Images
    pred_probs: Images
    k: int
    classes: tuple[Hashable, ...]
    ignore: tuple[int, ...] = ()
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float32))
    downsample: int = 1

    def __len__(self) -> int:
        return len(self.labels)

    def mask(self, at: int) -> Labels:
        """Return the mask of an image, int32 (h, w), -1 where a pixel is left out; checked."""
        where = f"labels[{at}]"
        given = as_array(self.labels[at], where)
        if given.ndim != 2:
            raise InputError(where, f"has shape {given.shape}, not (h, w)", _SHAPES)
        kind = given.dtype.kind
        if kind not in "iub" and not (kind == "f" and _is_whole(given)):
            raise InputError(
                where,
                f"has dtype {given.dtype}, not whole numbers",
                "Pass class indices; of a mask in colours, look them up first",
            )
        if not given.size:
            raise InputError(where, f"is empty, of shape {given.shape}", "Drop the image")
        left_out = np.isin(given, self.ignore) if self.ignore else None
        self._check_range(where, given, left_out)
        mask = np.array(given, dtype=np.int32, order="C")
        if left_out is not None:
            mask[left_out] = -1
        return mask

    def _check_range(
        self, where: str, given: npt.NDArray[Any], left_out: npt.NDArray[np.bool_] | None
    ) -> None:
        if given.dtype.kind == "b" or (int(given.min()) >= 0 and int(given.max()) < self.k):
            return
        bad = (given < 0) | (given >= self.k)
        if left_out is not None:
            bad &= ~left_out
        count = int(np.count_nonzero(bad))
        if not count:
            return
        y, x = np.argwhere(bad)[0].tolist()
        value = int(given[y, x])
        raise InputError(
            f"{where}[{y}, {x}]",
            f"is {value}, but pred_probs has {self.k} classes, 0 .. {self.k - 1}"
            f" ({count:,} such pixels in this image)",
            f"If {value} marks pixels without a class, pass ignore_index={value}",
        )

    def probs(self, at: int, shape: tuple[int, int] | None = None) -> Probs:
        """Return the probabilities of an image as they are, (k, h, w), their shape checked."""
        where = f"pred_probs[{at}]"
        array = as_array(self.pred_probs[at], where)
        if array.ndim != 3 or array.shape[0] != self.k:
            raise InputError(
                where,
                f"has shape {array.shape}, and ({self.k}, h, w) is expected",
                "Pass a plane for each class, the same number for each image",
            )
        if array.dtype.kind not in "fiub":
            raise InputError(where, f"has dtype {array.dtype}, not numbers", "Pass floats")
        if shape is not None and array.shape[1:] != shape:
            raise InputError(
                where, f"is of {array.shape[1]} x {array.shape[2]} pixels, and labels[{at}] of"
                f" {shape[0]} x {shape[1]}", "Bring the mask and the prediction to one size",
            )  # fmt: skip
        return array

    def image(self, at: int) -> tuple[Labels, Probs]:
        """Return mask and probabilities of an image, made smaller where that was asked for."""
        mask = self.mask(at)
        probs = self.probs(at, mask.shape)
        if self.downsample > 1:
            mask = shrink_labels(mask, self.downsample, self.k)
            probs = shrink_probs(probs, self.downsample, self.dtype)
        return frozen(mask), probs

    def planes(self, probs: Probs) -> Iterator[Planes]:
        """Yield the probabilities in runs of pixels: the array itself if it can be used as it is.

        Half floats, integers, and classes in the last axis are converted a few rows at a time.
        """
        k, h, w = probs.shape
        if probs.dtype == self.dtype and probs.flags.c_contiguous and probs.flags.aligned:
            yield Planes(frozen(probs.reshape(k, h * w)), 0, h * w)
            return
        rows = min(h, max(1, _CELLS // max(k * w, 1)))
        buffer = np.empty((k, rows, w), dtype=self.dtype)
        for top in range(0, h, rows):
            size = min(rows, h - top)
            with np.errstate(over="ignore"):  # beyond the type is infinite, and refused as such
                buffer[:, :size] = probs[:, top : top + size]
            yield Planes(frozen(buffer.reshape(k, rows * w)), top * w, size * w)


_SHAPES = "Pass one mask of shape (h, w) for each image"


def _is_whole(values: npt.NDArray[Any]) -> bool:
    return bool(np.all(np.isfinite(values)) and np.all(values == np.floor(values)))


def labeled_pixels(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    ignore_index: int | Sequence[int] | None = None,
    downsample: int = 1,
) -> Pixels:
    """Check masks against probabilities; see `goldlabel.tasks.segmentation` for what each may be.

    Each image is checked when it is read first.
    """
    masks = as_images(labels, "labels", 2)
    probs = as_images(pred_probs, "pred_probs", 3)
    n = len(masks)
    if len(probs) != n:
        raise InputError(
            "pred_probs", f"has {len(probs):,} images, and labels has {n:,}", "Pass one for each"
        )
    ignore = _ignored(ignore_index)
    factor = check.whole_number(downsample, name="downsample", low=1)
    if not n:
        names = class_names(classes, None, len(classes or ()))
        return Pixels(masks, probs, 0, tuple(names or ()), ignore, downsample=factor)
    first = as_array(probs[0], "pred_probs[0]")
    if first.ndim != 3 or not first.shape[0]:
        raise InputError(
            "pred_probs[0]",
            f"has shape {first.shape}, not (k, h, w)",
            "Pass a plane of probabilities for each class",
        )
    k = first.shape[0]
    names = class_names(classes, None, k)
    return Pixels(
        masks,
        probs,
        k,
        tuple(range(k)) if names is None else tuple(names),
        ignore,
        _precision(probs, first),
        factor,
    )


def _precision(probs: Images, first: npt.NDArray[Any]) -> np.dtype[Any]:
    """Return float32 where that holds every probability."""
    kinds = [first.dtype]
    if not hasattr(probs, "dtype") and isinstance(probs, list | tuple):
        kinds += [each.dtype for each in probs if isinstance(each, np.ndarray)]
    small = all(kind.kind == "f" and kind.itemsize <= 4 for kind in kinds)
    return np.dtype(np.float32 if small else np.float64)


def _ignored(ignore_index: int | Sequence[int] | None) -> tuple[int, ...]:
    if ignore_index is None:
        return ()
    listed = [ignore_index] if isinstance(ignore_index, int | np.integer) else list(ignore_index)
    for value in listed:
        if not isinstance(value, int | np.integer) or isinstance(value, bool):
            raise InputError("ignore_index", f"is {value!r}", "Pass a whole number, e.g. 255")
    return tuple(int(value) for value in listed)
