"""Masks in NumPy files: class indices (n, h, w) or (h, w), or one-hot (n, k, h, w)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.files import replacing, sha256
from goldlabel.formats.arrays import ARCHIVE, ARRAY, Archive, choose_array, open_arrays
from goldlabel.results.audit import Source
from goldlabel.tasks.segmentation.formats.given import (
    Given,
    Indices,
    Masks,
    indices_of,
    values_of_two,
)
from goldlabel.tasks.segmentation.formats.masks import Repaint
from goldlabel.tasks.segmentation.strays import Strays

__all__ = ["MAGIC", "export", "read"]

MAGIC = (ARRAY, ARCHIVE)
_USUAL = ("labels", "masks", "given_labels", "arr_0")


def read(
    path: Path,
    *,
    key: str | None,
    k: int,
    values: npt.NDArray[np.int64] | None = None,
    ignore: Sequence[int] = (),
) -> Given:
    """Read masks of one array.

    Parameters
    ----------
    path : Path
        .npy, mapped, or .npz.
    key : str, optional
        Of .npz: which array.
    k : int
        How many classes there are.
    values : ndarray of shape (k,), optional
        The value of each class; if not given, 0 .. k-1.
    ignore : sequence of int
        Values to leave out.

    Raises
    ------
    InputError
        There is no array of masks.
    """
    array, name = _opened(path, key)
    one_hot = array.ndim == 4
    if array.ndim == 2:
        array = array[None]
    if array.ndim not in (3, 4) or array.dtype.kind not in "iub":
        raise InputError(
            str(path),
            f"holds {array.dtype} of shape {array.shape}, and class indices (n, h, w) are expected",
            "Save whole numbers, one for each pixel",
        )
    notes = []
    if values is None and k == 2 and not one_hot and not ignore:
        values = values_of_two(array)
        if values is not None:
            notes.append(f"Masks hold 0 and {values[1]}: the first class and the second.")
    indexed = indices_of(np.arange(k) if values is None else values, ignore)
    options = {"key": name, "one_hot": one_hot, "table": indexed.table.tolist()}
    options["values"] = indexed.values.tolist()
    options["sha256"] = sha256(path)
    source = Source("numpy", (path,), options)

    strays = Strays.of(len(array))

    def read_one(at: int) -> npt.NDArray[np.int32]:
        if one_hot:
            hot: npt.NDArray[np.int32] = array[at].argmax(axis=0).astype(np.int32)
            hot[np.isin(hot, indexed.ignored)] = -1
            return hot
        return indexed(array[at], f"{path}[{at}]", strays.at(at))

    kind = "one-hot masks" if one_hot else "masks"
    shape = " x ".join(map(str, array.shape))
    return Given(
        Masks(len(array), read_one),
        lambda at: array.shape[-2:],
        None,
        source,
        [str(at) for at in range(len(array))],
        [f"Read {path.name} as {kind}: {shape}, {array.dtype}.", *notes],
        ignored=indexed.ignored,
        strays=strays,
    )


def _opened(path: Path, key: str | None) -> tuple[npt.NDArray[Any], str]:
    """Return the array of masks, and its name; "" for that of .npy."""
    arrays = open_arrays(path, mapped=True) or Archive(path)
    name = choose_array(path, arrays, key, _USUAL, option="masks-key")
    return arrays[name], name


def export(source: Source, changed: Mapping[int, Repaint], out: Path) -> None:
    """Write the file again with some masks repainted: same dtype, shape and other arrays.

    Raises
    ------
    InputError
        The file has changed, or `out` can't be written.
    """
    path, options = source.files[0], source.options
    if sha256(path) != options["sha256"]:
        raise InputError(str(path), "has changed since it was read", "Audit it again")
    if not changed:
        with replacing(out) as temporary:
            temporary.write_bytes(path.read_bytes())
        return
    opened, name = _opened(path, options["key"])
    array = np.array(opened)
    whole = array[None] if array.ndim == 2 else array
    values = np.array(options["values"], dtype=np.int64)
    indexed = Indices(np.array(options["table"], dtype=np.int32), values)
    for at, repaint in changed.items():
        if options["one_hot"]:
            old = whole[at].argmax(axis=0).astype(np.int32)
            new = repaint(old)
            y, x = np.nonzero(new != old)
            whole[at][:, y, x] = 0
            whole[at][new[y, x], y, x] = 1
        else:
            old = indexed(whole[at], str(path), Strays().at(at))
            new = repaint(old)
            differs = new != old
            whole[at][differs] = values[new[differs]]
    with replacing(out) as temporary:
        if not name:
            with open(temporary, "wb") as file:
                np.save(file, array, allow_pickle=False)
        else:
            _write_archive(path, name, array, temporary)


def _write_archive(path: Path, name: str, array: npt.NDArray[Any], out: Path) -> None:
    """Copy an archive with one array replaced, packed as it was."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == f"{name}.npy":
                buffer = io.BytesIO()
                np.save(buffer, array, allow_pickle=False)
                data = buffer.getvalue()
            new.writestr(entry, data)
