"""Predicted probabilities: one file for all images, or one for each, read image by image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.files import list_files
from goldlabel.formats.arrays import Archive, choose_array, is_zarr, open_arrays, open_zarr
from goldlabel.formats.text import is_folder
from goldlabel.tasks.segmentation.formats.given import Masks
from goldlabel.tasks.segmentation.sequences import Images, Stored

__all__ = ["Predictions", "as_probs", "read_predictions"]

_NAMES = ("stems", "ids", "names", "files")
_USUAL = ("pred_probs", "probs", "arr_0")


class Predictions(NamedTuple):
    """Predictions as a file or folder holds them.

    Attributes
    ----------
    images : Images
        Arrays (k, h, w), (h, w, k) or (h, w) by position, as they are stored.
    ids : list of str, optional
        Name of each image.
    notes : list of str
    """

    images: Images
    ids: list[str] | None
    notes: list[str]


def read_predictions(path: Path, *, key: str | None = None) -> Predictions:
    """Open predictions; arrays are mapped or unpacked when they are asked for.

    Parameters
    ----------
    path : Path
        A .npy file (n, k, h, w), mapped; an .npz file with such an array (and, in "stems", "ids"
        or "names", the name of each image) or with an array (k, h, w) named after each image; a
        folder with a .npy or .npz file for each; or a zarr array.
    key : str, optional
        Of .npz: which array.

    Raises
    ------
    InputError
        Nothing of this kind can be read there.
    """
    if is_folder(path):
        if is_zarr(path):
            return _of_zarr(path)
        return _of_folder(path, key)
    arrays = open_arrays(path, mapped=True)
    if arrays is None:
        raise InputError(
            str(path), "is no .npy or .npz file", "Save predictions with numpy.save or numpy.savez"
        )
    return _of_arrays(path, arrays, key)


def _note(path: Path, array: Any) -> str:
    shape = " x ".join(map(str, array.shape))
    return f"Read pred_probs from {path.name}: {shape}, {array.dtype}."


def _stacked(where: object, array: Any) -> Any:
    if len(array.shape) not in (3, 4):
        raise InputError(
            str(where),
            f"has shape {tuple(array.shape)}, and (images, classes, height, width) is expected",
            "Save one array for all images, or a file for each",
        )
    return array


def _of_zarr(path: Path) -> Predictions:
    array = open_zarr(path)
    return Predictions(Stored(_stacked(path, array), str(path)), None, [_note(path, array)])


def _of_folder(path: Path, key: str | None) -> Predictions:
    files = [name for name in list_files(path) if name.suffix.lower() in (".npy", ".npz")]
    if not files:
        raise InputError(str(path), "holds no .npy or .npz files", "Save one for each image")

    def read_one(at: int) -> npt.NDArray[Any]:
        file = path / files[at]
        arrays = open_arrays(file, mapped=True) or Archive(file)
        return arrays[choose_array(file, arrays, key, _USUAL)]

    ids = [name.with_suffix("").as_posix() for name in files]
    note = f"Read pred_probs from {len(files):,} files in {path.name}."
    return Predictions(Masks(len(files), read_one), ids, [note])


def _of_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]], key: str | None) -> Predictions:
    names = list(arrays)
    named = next((name for name in _NAMES if name in names), None)
    if key is None and len(names) != 1 and not any(name in _USUAL for name in names):
        note = f"Read pred_probs from {path.name}: {len(names):,} arrays, one for each image."
        return Predictions(Masks(len(names), lambda at: arrays[names[at]]), names, [note])
    array = arrays[choose_array(path, [n for n in names if n != named], key, _USUAL)]
    if array.ndim in (2, 3) and len(names) == 1 and names[0] not in ("", *_USUAL):
        return Predictions([array], names, [_note(path, array)])
    ids = None if named is None else [str(each) for each in arrays[named]]
    return Predictions(_stacked(path, array), ids, [_note(path, array)])


def as_probs(array: Any, *, last: bool, softmax: bool, where: str) -> npt.NDArray[Any]:
    """Return one prediction as probabilities (k, h, w).

    Parameters
    ----------
    array : ndarray of shape (k, h, w), or (h, w, k), or (h, w)
        The last kind holds the probability of class 1 of two.
    last : bool
        The classes are the last axis.
    softmax : bool
        The numbers are logits.
    where : str
        What to call it in messages.
    """
    values = np.asarray(array)
    if values.dtype.kind not in "fiub":
        raise InputError(where, f"holds {values.dtype}, not numbers", "Save floats")
    if values.ndim == 2:
        wide = values.astype(np.float32 if values.dtype.itemsize <= 4 else np.float64)
        return np.stack([1 - wide, wide])
    if values.ndim != 3:
        raise InputError(where, f"has shape {values.shape}", "Save (classes, height, width)")
    if last:
        values = np.moveaxis(values, -1, 0)
    if softmax:
        logits = values.astype(np.float64 if values.dtype.itemsize > 4 else np.float32)
        powers = np.exp(logits - logits.max(axis=0))
        return np.asarray(powers / powers.sum(axis=0))
    return values
