"""Images one by one, from whatever a caller has: an array, a memory map, a list, an iterator."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.arrays import reading
from goldlabel.inputs.labels import as_array

__all__ = ["Images", "Stored", "as_images"]


class Images(Protocol):
    """Arrays by position, read when they are asked for."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, at: int, /) -> Any:
        """One of them."""


class Spooled:
    """What an iterator gave, in a temporary file that goes when nobody uses it any more."""

    def __init__(self, arrays: Iterable[Any], name: str) -> None:
        self._file = tempfile.TemporaryFile(prefix="goldlabel-")
        weakref.finalize(self, self._file.close)
        self._places: list[tuple[np.dtype[Any], tuple[int, ...], int]] = []
        end = 0
        for at, values in enumerate(arrays):
            array = np.ascontiguousarray(as_array(values, f"{name}[{at}]"))
            if array.dtype.hasobject:
                raise InputError(
                    f"{name}[{at}]", f"has dtype {array.dtype}, not numbers", "Give arrays"
                )
            # As a view of bytes: tofile and write know nothing of half floats.
            self._file.write(array.reshape(-1).view(np.uint8).data)
            self._places.append((array.dtype, array.shape, end))
            end += array.nbytes
        self._file.flush()

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, at: int) -> npt.NDArray[Any]:
        dtype, shape, offset = self._places[at]
        if not np.prod(shape):
            return np.empty(shape, dtype)
        return np.memmap(self._file, dtype=dtype, mode="r", offset=offset, shape=shape)


class Stored:
    """An array that lies elsewhere and has no length of its own, such as zarr's."""

    def __init__(self, array: Any, name: str) -> None:
        self._array = array
        self._name = name
        self.shape: tuple[int, ...] = tuple(array.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, at: int) -> npt.NDArray[Any]:
        if not 0 <= at < len(self):
            raise IndexError(at)
        with reading(f"{self._name}[{at}]", "Save the array again"):  # chunks are decoded here
            return np.asarray(self._array[at])


def as_images(values: Any, name: str, dims: int) -> Images:
    """Return images that can be asked for again and again, without a copy where possible.

    Parameters
    ----------
    values : array_like or iterable
        An array of all images, `dims` + 1 dimensions; or anything with a length and positions
        (a list of arrays, a zarr array); or an iterator, which is written to a temporary file.
    name : str
        What to call it in messages.
    dims : int
        Dimensions of one image.

    Raises
    ------
    InputError
        It is none of these.
    """
    bad = isinstance(values, str | bytes | Mapping | set | pd.DataFrame | pd.Series)
    if bad or (not hasattr(values, "__getitem__") and not isinstance(values, Iterable)):
        raise InputError(
            name, f"is a {type(values).__name__}", "Pass an array, or an array for each image"
        )
    if getattr(values, "shape", ()) and not hasattr(values, "__len__"):
        values = Stored(values, name)
    if isinstance(values, Iterator) or not hasattr(values, "__len__"):
        return Spooled(values, name)
    shape = getattr(values, "shape", None)
    if isinstance(values, np.ma.MaskedArray) or (shape is not None and len(shape) != dims + 1):
        what = f"has shape {tuple(shape or ())}"
        axes = "(n, h, w)" if dims == 2 else "(n, k, h, w)"
        if isinstance(values, np.ma.MaskedArray):
            what = "is a masked array"
        raise InputError(name, f"{what}, and {axes} is expected", "Pass one array for each image")
    images: Images = values
    return images
