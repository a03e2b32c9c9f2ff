"""Labels as arrays: a matrix in .npy or .npz, or a SciPy sparse matrix in .npz."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from goldlabel.errors import InputError
from goldlabel.files import replacing, sha256
from goldlabel.formats.arrays import ARCHIVE, ARRAY, Archive, choose_array, open_arrays
from goldlabel.formats.options import options_of
from goldlabel.formats.registry import Format
from goldlabel.formats.tables.table import check_unchanged
from goldlabel.formats.tables.writing import check_output
from goldlabel.results.audit import Source
from goldlabel.tasks.multilabel.formats.given import (
    Asked,
    Changes,
    Given,
    Options,
    are_few,
    whole,
)
from goldlabel.tasks.multilabel.inputs import BadLabel

__all__ = ["FORMAT"]

MAGIC = (ARRAY, ARCHIVE)
"""How such files begin."""

_MOST_CELLS = 2**33
_SPARSE = {"indices", "indptr", "data", "shape", "format"}


@dataclass(frozen=True, kw_only=True)
class ArrayOptions(Options):
    """An array in a file: without a name, with the name `array`, or sparse in several arrays."""

    layout: Literal["npy", "npz", "sparse"]
    array: str | None = None
    rows: int
    sha256: str


def _read(path: Path, asked: Asked) -> Given:
    return read(path, key=asked.one_label("numpy"))


def read(path: Path, *, key: str | None = None) -> Given:
    """Read a matrix of 1 and 0, of -1 or NaN where a label is not known.

    Parameters
    ----------
    path : Path
    key : str, optional
        Array of an .npz file; if not given, the one called labels, or the only one.

    Raises
    ------
    InputError
        The file has no such matrix; nothing is unpickled to find out.
    """
    arrays = open_arrays(path) or Archive(path)
    name = _chosen(path, arrays, key)
    matrix = _matrix(path, arrays, name)
    if matrix.ndim != 2 or not matrix.size:
        raise InputError(
            str(path), f"has shape {matrix.shape}", "Save a row for each example, a column a class"
        )
    labels, bad = _flags(path, matrix)
    options = ArrayOptions(
        layout="sparse" if name is None else "npz" if name else "npy",
        array=name,
        rows=len(matrix),
        sha256=sha256(path),
    )
    note = f"Read {path.name} as {'a sparse' if name is None else 'a'} matrix of labels:"
    note += f" {len(labels):,} rows, {labels.shape[1]:,} classes."
    names = [str(position) for position in range(labels.shape[1])]
    source = Source("numpy", (path,), options)
    return whole(labels, names, str(path), source, [note], positions=True, bad=bad)


def _chosen(path: Path, arrays: Mapping[str, npt.NDArray[Any]], key: str | None) -> str | None:
    """Return the name of the matrix; None for a sparse one."""
    if key is None and arrays.keys() >= _SPARSE:
        return None
    return choose_array(path, arrays, key, ("labels", "y", "Y"), option="labels")


def _matrix(
    path: Path, arrays: Mapping[str, npt.NDArray[Any]], name: str | None
) -> npt.NDArray[Any]:
    if name is not None:
        return arrays[name]
    try:
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        shape = tuple(int(each) for each in arrays["shape"])
        kind = bytes(arrays["format"].item()).decode() if arrays["format"].ndim == 0 else ""
        if np.prod(shape, dtype=np.float64) > _MOST_CELLS:
            raise ValueError(f"the shape {shape} is too large")
        make = {"csr": sparse.csr_array, "csc": sparse.csc_array}[kind]
        found = make(parts, shape=shape)
        found.check_format(full_check=True)
        dense: npt.NDArray[Any] = found.toarray()
    except (ValueError, KeyError, TypeError, IndexError, MemoryError, OverflowError) as error:
        raise InputError(
            str(path), f"is no sparse matrix of rows or columns ({error})", "Save it as CSR"
        ) from error
    return dense


def _flags(
    path: Path, matrix: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int8], tuple[BadLabel, ...]]:
    """Return 1, 0 and -1, and the few numbers that are none of them."""
    if matrix.dtype.kind not in "biuf":
        raise InputError(str(path), f"holds {matrix.dtype}, not numbers", "Save 1 and 0")
    values = np.where(np.isnan(matrix), -1, matrix) if matrix.dtype.kind == "f" else matrix
    is_bad = (values != 0) & (values != 1) & (values != -1)
    cells = np.argwhere(is_bad).tolist()
    bad = tuple(BadLabel(row, column, str(matrix[row, column])) for row, column in cells)
    if bad and not are_few(bad, len(matrix)):
        row, column, text = bad[0]
        raise InputError(
            f"{path}: [{row}, {column}]",
            f"is {text}, not 0 or 1 ({len(bad):,} such)",
            "Save 1 where an example has a class, 0 where not, -1 where it is not known",
        )
    return np.where(is_bad, -1, values).astype(np.int8), bad


def export(source: Source, changes: Changes, out: Path) -> None:
    """Write the file again with some entries changed; of an .npz file, all other arrays as well."""
    path, options = source.files[0], options_of(source, ArrayOptions)
    check_output(path, out)
    check_unchanged(source, sha256(path))
    arrays = open_arrays(path) or Archive(path)
    name = options.array
    matrix = _matrix(path, arrays, name).copy()
    for (example, part), is_present in changes.items():
        matrix[example, part] = is_present
    with replacing(out) as temporary, open(temporary, "wb") as file:
        if not changes:
            file.write(path.read_bytes())
        elif options.layout == "npy":
            np.save(file, matrix, allow_pickle=False)
        elif options.layout == "npz":
            saved: dict[str, Any] = {**arrays, str(name): matrix}
            np.savez_compressed(file, **saved)
        else:
            sparse.save_npz(file, sparse.csr_array(matrix))


FORMAT: Format[Asked, Given] = Format(
    "numpy",
    "NumPy arrays",
    lambda head: head.magic.startswith(MAGIC),
    _read,
    export,
    ArrayOptions,
)
