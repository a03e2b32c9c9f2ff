"""Folders of mask files: class indices in grey or palette images, or colours with a table."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.files import list_files, new_folder, path_inside
from goldlabel.formats.pictures import picture_size
from goldlabel.results.audit import Source
from goldlabel.tasks.segmentation.formats import pictures
from goldlabel.tasks.segmentation.formats.given import Given, Masks, Note, indices_of, values_of_two
from goldlabel.tasks.segmentation.formats.tables import ClassTable
from goldlabel.tasks.segmentation.strays import Strays

__all__ = ["export", "read"]

_INDEXED = ("L", "P", "1", "I;16", "I;16B", "I")
_COLORS = ("RGB", "RGBA")
Repaint = Callable[[npt.NDArray[np.int32]], npt.NDArray[np.int32]]


def read(folder: Path, *, table: ClassTable | None, k: int, ignore: Sequence[int]) -> Given:
    """Read a folder of masks.

    Parameters
    ----------
    folder : Path
    table : ClassTable, optional
        The values or colours of the classes; if not given, values are class indices.
    k : int
        How many classes there are.
    ignore : sequence of int
        Values of an index mask to leave out.

    Raises
    ------
    InputError
        There are no masks, or the first is of no kind that holds classes.
    """
    files = pictures.find(folder, what="masks")
    names = [path.with_suffix("").as_posix() for path in files]
    for name in names:
        _as_text(folder, name)
    if len(set(names)) < len(names):
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise InputError(str(folder / twice), "is there with two endings", "Keep one mask each")
    _, mode, palette = _opened(folder / files[0])
    colors = None if table is None else table.colors
    if mode not in _INDEXED and colors is None:
        raise InputError(
            str(folder / files[0]),
            f"is a mask in colours ({mode}), and which colour is which class is not known",
            "Pass a table of names and colours with --palette",
        )
    values = np.arange(k) if table is None or table.values is None else table.values
    of_two = None
    if k == 2 and mode in _INDEXED and not ignore and (table is None or table.values is None):
        of_two = values_of_two(pictures.open_mask(folder / path)[0] for path in files)
        values = values if of_two is None else of_two
    options = {
        "files": [path.as_posix() for path in files],
        "mode": mode,
        "values": values.tolist(),
        "colors": None if colors is None else colors.tolist(),
        "ignore": list(ignore),
    }
    kind = {"P": "palette images", "L": "grey images"}.get(mode, f"images of mode {mode}")
    notes = [f"Read {folder.name} as {len(files):,} masks, {kind}."]
    if of_two is not None:
        notes.append(f"Masks hold 0 and {of_two[1]}: the first class and the second.")
    shown = palette[values] if palette is not None and len(palette) > values.max() else colors
    source = Source("masks", (folder,), options)
    strays = Strays.of(len(files))
    return Given(
        Masks(len(files), _reader(source, strays)),
        lambda at: _shape(folder / files[at]),
        None if table is None else table.names,
        source,
        names,
        notes,
        shown,
        ignored=tuple(np.flatnonzero(np.isin(values, list(ignore))).tolist()),
        strays=strays,
    )


def _opened(path: Path) -> tuple[npt.NDArray[Any], str, npt.NDArray[np.uint8] | None]:
    """Return pixels, mode and palette of a mask in indices or colours."""
    pixels, mode, palette = pictures.open_mask(path)
    if mode not in _INDEXED and mode not in _COLORS:
        raise InputError(
            str(path),
            f"is an image of mode {mode}, neither class indices nor red, green and blue",
            "Save it as a grey, a palette or an RGB image",
        )
    return pixels, mode, palette


def _as_text(folder: Path, name: str) -> None:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        shown = name.encode("utf-8", "replace").decode()
        raise InputError(
            f"{folder}/{shown}", "has a name that is not UTF-8", "Rename it"
        ) from error


def _shape(path: Path) -> tuple[int, int]:
    size = picture_size(path, what="mask")
    return size.height, size.width


def _reader(source: Source, strays: Strays) -> Callable[[int], npt.NDArray[np.int32]]:
    """Return what reads the mask at a position as class indices; -1 for pixels of none."""
    folder, options = source.files[0], source.options
    mode, colors = options["mode"], options["colors"]
    values = np.array(options["values"], dtype=np.int64)
    indexed = indices_of(values, options["ignore"])
    keys = None if mode in _INDEXED or colors is None else _key(np.array(colors))

    def read_one(at: int) -> npt.NDArray[np.int32]:
        path = folder / options["files"][at]
        pixels, found, _ = _opened(path)
        if (found in _INDEXED) != (mode in _INDEXED):
            raise InputError(
                str(path), f"has the mode {found}, and the first mask {mode}", "Use one for all"
            )
        if keys is None:
            return indexed(pixels, str(path), strays.at(at))
        classes = _of_colors(pixels, keys, str(path), strays.at(at))
        classes[np.isin(classes, options["ignore"])] = -1
        return classes

    return read_one


def _key(colors: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    parts = colors[..., :3].astype(np.int64)
    keys: npt.NDArray[np.int64] = parts[..., 0] << 16 | parts[..., 1] << 8 | parts[..., 2]
    return keys


def _of_colors(
    pixels: npt.NDArray[Any], keys: npt.NDArray[np.int64], where: str, stray: Note
) -> npt.NDArray[np.int32]:
    """Return the class of each colour; -1 for those of none, which `stray` takes or refuses."""
    found = _key(pixels)
    order = np.argsort(keys)
    at = np.minimum(np.searchsorted(keys[order], found), len(keys) - 1)
    known = keys[order][at] == found
    classes: npt.NDArray[np.int32] = order[at].astype(np.int32)
    if not known.all():
        y, x = np.argwhere(~known)[0].tolist()
        color = tuple(int(value) for value in pixels[y, x, :3])
        refusal = InputError(
            f"{where}: pixel ({x}, {y})",
            f"has the colour {color}, which is not in the table ({int((~known).sum()):,} such"
            " pixels)",
            "Add it to the table, or save masks without smoothing and without loss (PNG)",
        )
        colors = np.unique(pixels[~known][:, :3], axis=0)
        stray(~known, [str(tuple(each)) for each in colors.tolist()], refusal)
        classes[~known] = -1
    return classes


def export(source: Source, changed: Mapping[int, Repaint], out: Path) -> None:
    """Copy the folder with some masks repainted; every other file keeps its bytes.

    Parameters
    ----------
    source : Source
    changed : mapping of int to callable
        For a mask by its position, what makes the new class indices of its own.
    out : Path
        A folder that does not exist yet.

    Raises
    ------
    InputError
        The folder has changed, or `out` can't be written.
    """
    folder, options = source.files[0], source.options
    new = {options["files"][at]: at for at in changed}
    read_one = _reader(source, Strays())
    files = [path.as_posix() for path in list_files(folder)]
    missing = [name for name in new if name not in files]
    if missing:
        raise InputError(str(folder / missing[0]), "is no longer there", "Audit the masks again")
    with new_folder(out, inputs=(folder,)) as copy:
        for name in files:
            target = path_inside(copy, name)
            if name in new:
                data = _repainted(source, folder / name, read_one(new[name]), changed[new[name]])
                if data is not None:
                    target.write_bytes(data)
                    continue
            shutil.copy2(folder / name, target)


def _repainted(
    source: Source, path: Path, mask: npt.NDArray[np.int32], repaint: Repaint
) -> bytes | None:
    """Return the file with the new classes painted in; None where nothing changes."""
    options = source.options
    new = repaint(mask)
    differs = new != mask
    if not differs.any():
        return None
    paint = np.array(options["values"])
    if options["mode"] not in _INDEXED:
        pixels, _, _ = pictures.open_mask(path)
        paint = np.array(options["colors"])
        if pixels.shape[2] == 4:  # keep how opaque a pixel is
            opacity = pixels[differs][:, 3:]
            return pictures.repainted(path, differs, np.hstack([paint[new[differs]], opacity]))
    return pictures.repainted(path, differs, paint[new[differs]])
