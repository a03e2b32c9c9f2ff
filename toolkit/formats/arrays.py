"""Arrays in files of NumPy and zarr: opened without pickles, mapped or unpacked when asked for.

NumPy, zipfile, the decoders and zarr raise some fifteen unrelated exceptions on damaged files;
`reading` is the one place that turns them into `InputError`.
"""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import GoldlabelError, InputError, MissingExtra
from goldlabel.formats.text import check_file, first_bytes
from goldlabel.formats.unpacking import check_unpacked

__all__ = [
    "ARCHIVE", "ARRAY", "Archive", "choose_array", "is_zarr", "load_array", "map_array",
    "open_arrays", "open_zarr", "reading",
]  # fmt: skip

ARRAY = b"\x93NUMPY"
"""How a .npy file begins."""
ARCHIVE = b"PK"
"""How an .npz file begins."""

_MAPPED_BYTES = 1 << 26  # arrays from 64 MiB stay on disk until they are used
_LARGEST_ARRAY = 1 << 30  # of an archive, however well it is packed: masks pack a thousandfold
_ZARR_HEADERS = (".zarray", "zarr.json")
_PARSING = threading.Lock()
"""Python 3.11 fails now and then when two threads parse headers of arrays at once."""


@contextmanager
def reading(where: object, fix: str, *, what: str = "an array") -> Iterator[None]:
    """Turn whatever a library of arrays raises on a damaged file into InputError.

    Examples
    --------
    >>> with reading("probs.npy", "Save it with numpy.save"):
    ...     raise EOFError("no data left in file")
    Traceback (most recent call last):
    goldlabel.errors.InputError: probs.npy: is not an array that can be read (no data left...
    """
    try:
        yield
    except GoldlabelError:
        raise
    except MemoryError as error:
        raise InputError(
            str(where), f"does not fit into memory ({error})", "Save smaller parts, or use .npy"
        ) from error
    except Exception as error:  # they have no base in common: zlib, lzma, tokenize, codecs, ...
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(str(where), f"is not {what} that can be read ({why})", fix) from error


def map_array(path: Path) -> npt.NDArray[Any]:
    """Map a .npy file: a header that promises more than the file holds costs no memory."""
    with reading(path, "Save it with numpy.save"), _PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a damaged header may hold any Python literal
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise InputError(str(path), "is no .npy file", "Save it with numpy.save")
    return array


def load_array(path: Path) -> npt.NDArray[Any]:
    """Return the array of a .npy file: in memory, but for a big one, which is mapped."""
    array = map_array(path)
    return array if array.nbytes >= _MAPPED_BYTES else np.array(array)


class Archive(Mapping[str, npt.NDArray[Any]]):
    """The arrays of an .npz file by name, unpacked each time that they are asked for.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        The file is no archive, an array is damaged, or it unpacks to far more than it should.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._opened() as archive:
            self._names = list(dict.fromkeys(archive.files))

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with reading(self.path, "Save it with numpy.savez", what="an .npz file"):
            with open(self.path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                yield archive

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        where = f"{self.path}[{name!r}]"
        if name not in self._names:
            raise KeyError(name)
        with self._opened() as archive, reading(where, "Save it with numpy.savez"):
            listed = archive.zip.namelist()
            entry = archive.zip.getinfo(name if name in listed else f"{name}.npy")
            check_unpacked(where, entry.file_size, entry.compress_size, least=_LARGEST_ARRAY)
            with _PARSING, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                array = archive[name]
        if not isinstance(array, np.ndarray):
            raise InputError(where, "is no array", "Save it with numpy.savez")
        return array

    def __contains__(self, name: object) -> bool:  # without unpacking it
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def open_arrays(path: Path, *, mapped: bool = False) -> Mapping[str, npt.NDArray[Any]] | None:
    """Return the arrays of a file by name: "" for that of .npy; None if the file is neither.

    Parameters
    ----------
    path : Path
    mapped : bool
        Leave the array of a .npy file on disk, however small it is.

    Raises
    ------
    InputError
        There is no such file, or it is damaged.
    """
    head = first_bytes(check_file(path))
    if head.startswith(ARRAY):
        return {"": map_array(path) if mapped else load_array(path)}
    return Archive(path) if head.startswith(ARCHIVE) else None


def choose_array(
    path: Path,
    arrays: Collection[str],
    key: str | None,
    usual: Collection[str],
    *,
    option: str = "key",
) -> str:
    """Return which of several arrays is meant: `key`, or the only one, or the one named as usual.

    Raises
    ------
    InputError
        There is none of this name, or none is surely the one.
    """
    names = list(arrays)
    if names == [""]:
        return ""
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20:,} more" if len(names) > 20 else "")
    if key is not None:
        if key not in names:
            what = f"has no array {key!r}, only {shown}"
            raise InputError(str(path), what, f"Name one with the option {option}")
        return key
    candidates = [name for name in names if name in usual]
    if len(names) == 1 or len(candidates) == 1:
        return (candidates or names)[0]
    raise InputError(
        str(path),
        f"holds {len(names):,} arrays: {shown}" if names else "holds no arrays",
        f"Say which one with the option {option}",
    )


def is_zarr(path: Path) -> bool:
    """Return whether a folder is a zarr array."""
    return any((path / name).exists() for name in _ZARR_HEADERS)


def open_zarr(path: Path) -> Any:
    """Open a zarr array; its chunks are read when positions are asked for, within `reading`.

    Raises
    ------
    InputError
        It can't be read, or would be decoded by running what the file says.
    MissingExtra
        zarr is not installed.
    """
    try:
        import zarr
    except ImportError as error:
        raise MissingExtra("zarr", f"to read {path.name}", "zarr") from error
    for name in _ZARR_HEADERS:
        header = path / name
        if header.exists():
            with reading(header, "Save the array again", what="JSON"):
                text = json.dumps(json.loads(header.read_text("utf-8")))
            if "pickle" in text.lower():
                raise InputError(str(path), "holds pickled objects", "Save an array of numbers")
    with reading(path, "Save an array of numbers", what="a zarr array"):
        return zarr.open_array(str(path), mode="r")
