"""Predicted probabilities: one file for all images, or one for each, read image by image."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError, MissingExtra
from goldlabel.files import list_files
from goldlabel.formats.text import check_file, first_bytes, is_folder
from goldlabel.tasks.segmentation.formats.given import Masks
from goldlabel.tasks.segmentation.sequences import Images, Stored

__all__ = ["Predictions", "as_probs", "order", "read_predictions"]

_PARSING = threading.Lock()
"""Python 3.11 fails now and then when two threads parse headers of arrays at once."""
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
        if (path / ".zarray").exists() or (path / "zarr.json").exists():
            return _of_zarr(path)
        return _of_folder(path, key)
    magic = first_bytes(check_file(path))
    if magic.startswith(b"\x93NUMPY"):
        array = _mapped(path)
        return Predictions(_stacked(path, array), None, [_note(path, array)])
    if magic.startswith(b"PK"):
        return _of_archive(path, key)
    raise InputError(
        str(path), "is no .npy or .npz file", "Save predictions with numpy.save or numpy.savez"
    )


def _note(path: Path, array: Any) -> str:
    shape = " x ".join(map(str, array.shape))
    return f"Read pred_probs from {path.name}: {shape}, {array.dtype}."


def _mapped(path: Path) -> npt.NDArray[Any]:
    try:
        with _PARSING:
            array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError, MemoryError, OverflowError) as error:
        raise InputError(
            str(path), f"is no array that can be read ({error})", "Save it with numpy.save"
        ) from error
    if array.dtype.kind not in "fiub":
        raise InputError(str(path), f"holds {array.dtype}, not numbers", "Save floats")
    return array


def _stacked(where: object, array: Any) -> Any:
    if len(array.shape) not in (3, 4):
        raise InputError(
            str(where),
            f"has shape {tuple(array.shape)}, and (images, classes, height, width) is expected",
            "Save one array for all images, or a file for each",
        )
    return array


def _of_zarr(path: Path) -> Predictions:
    try:
        import zarr
    except ImportError as error:
        raise MissingExtra("zarr", f"to read {path.name}", "zarr") from error
    _refuse_pickles(path)
    try:
        array = zarr.open_array(str(path), mode="r")
    except Exception as error:  # whatever its many codecs and stores raise
        raise InputError(
            str(path), f"is no zarr array that can be read ({error})", "Save an array of numbers"
        ) from error
    return Predictions(Stored(_stacked(path, array)), None, [_note(path, array)])


def _refuse_pickles(path: Path) -> None:
    """Refuse arrays that are decoded by running what the file says."""
    for name in (".zarray", "zarr.json"):
        if (path / name).exists():
            try:
                said = json.dumps(json.loads((path / name).read_text("utf-8")))
            except ValueError as error:
                raise InputError(
                    str(path / name), f"is no JSON ({error})", "Save the array again"
                ) from error
            if "pickle" in said.lower():
                raise InputError(str(path), "holds pickled objects", "Save an array of numbers")


def _of_folder(path: Path, key: str | None) -> Predictions:
    files = [name for name in list_files(path) if name.suffix.lower() in (".npy", ".npz")]
    if not files:
        raise InputError(str(path), "holds no .npy or .npz files", "Save one for each image")

    def read_one(at: int) -> npt.NDArray[Any]:
        file = path / files[at]
        if file.suffix.lower() == ".npy":
            return _mapped(file)
        with _opened(file) as archive:
            return _member(file, archive, _chosen(file, list(archive.files), key))

    ids = [name.with_suffix("").as_posix() for name in files]
    note = f"Read pred_probs from {len(files):,} files in {path.name}."
    return Predictions(Masks(len(files), read_one), ids, [note])


def _opened(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            str(path), f"is no .npz file that can be read ({error})", "Save it with numpy.savez"
        ) from error


def _member(path: Path, archive: Any, name: str) -> npt.NDArray[Any]:
    try:
        with _PARSING:
            array: npt.NDArray[Any] = archive[name]
    except (ValueError, OSError, EOFError, KeyError, MemoryError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}[{name!r}]", f"can't be read ({error})", "Save it with numpy.savez"
        ) from error
    return array


def _chosen(path: Path, names: list[str], key: str | None) -> str:
    if key is not None and key not in names:
        listed = ", ".join(names[:20])
        raise InputError(str(path), f"has no array {key!r}, only {listed}", "Name one with --key")
    usual = [name for name in names if name in _USUAL]
    if key is None and len(names) != 1 and len(usual) != 1:
        raise InputError(
            str(path), f"holds {len(names)} arrays: {', '.join(names[:20])}", "Say which with --key"
        )
    return key or (usual or names)[0]


def _of_archive(path: Path, key: str | None) -> Predictions:
    with _opened(path) as archive:
        names = list(archive.files)
        named = next((name for name in _NAMES if name in names), None)
        whole = key is not None or len(names) == 1 or any(name in _USUAL for name in names)
        if whole:
            array = _member(path, archive, _chosen(path, [n for n in names if n != named], key))
            ids = None if named is None else [str(each) for each in _member(path, archive, named)]
    if not whole:
        note = f"Read pred_probs from {path.name}: {len(names):,} arrays, one for each image."
        return Predictions(Masks(len(names), lambda at: _from(path, names[at])), names, [note])
    if array.ndim in (2, 3) and len(names) == 1 and names[0] not in _USUAL:
        return Predictions([array], names, [_note(path, array)])
    return Predictions(_stacked(path, array), ids, [_note(path, array)])


def _from(path: Path, name: str) -> npt.NDArray[Any]:
    with _opened(path) as archive:
        return _member(path, archive, name)


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


def order(ids: Sequence[str], wanted: Sequence[str], where: str) -> list[int]:
    """Return the position in `ids` of each name that is wanted, by its last part if need be.

    Raises
    ------
    InputError
        A name is missing, or there twice.
    """
    place: dict[str, int] = {}
    for at, name in enumerate(ids):
        if name in place:
            raise InputError(where, f"has {name!r} twice", "Keep one prediction for each image")
        place[name] = at
    short = {name.rpartition("/")[2].partition(".")[0]: at for name, at in place.items()}
    found = [
        place.get(name, short.get(name.rpartition("/")[2].partition(".")[0])) for name in wanted
    ]
    missing = [name for name, at in zip(wanted, found, strict=True) if at is None]
    if missing:
        raise InputError(
            where,
            f"lacks {missing[0]!r}; {len(missing):,} of {len(wanted):,} images have no prediction",
            "Predict every image, and name the predictions like the masks",
        )
    return [at for at in found if at is not None]
