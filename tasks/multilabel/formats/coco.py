"""COCO files as labels of whole images: an image has the categories that it has annotations of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.coco.dataset import Dataset, dataset_of, read_dataset
from goldlabel.formats.coco.edits import edited, next_id
from goldlabel.formats.known import is_coco
from goldlabel.formats.options import options_of
from goldlabel.formats.registry import Format
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile
from goldlabel.results.audit import Source
from goldlabel.tasks.multilabel.formats.given import Asked, Changes, Given, Options, whole
from goldlabel.typing import Mask

__all__ = ["FORMAT", "export", "read"]

_PLACED = ("bbox", "segmentation", "keypoints")


@dataclass(frozen=True, kw_only=True)
class CocoOptions(Options):
    """A COCO file.

    `is_placed` says that annotations have a place in the image, `has_folder` that the first input
    is the folder of the images.
    """

    encoding: str
    sha256: str
    rows: int
    image_ids: tuple[int | str, ...]
    category_ids: tuple[int | str, ...]
    is_placed: bool
    has_folder: bool = False


def _read(path: Path, asked: Asked) -> Given:
    encoding = asked.reading.get("encoding")
    return read(path, images=asked.images, encoding=encoding, labels=asked.labels)


def read(
    path: Path,
    *,
    images: Path | None = None,
    encoding: str | None = None,
    labels: Sequence[str] | None = None,
) -> Given:
    """Read a COCO file; each category is a class, in the order of the file.

    Parameters
    ----------
    path : Path
    images : Path, optional
        The folder that the images lie in; if not given, that of `path`.
    encoding : str, optional
    labels : sequence of str, optional
        The categories that are classes; all if not given.

    Raises
    ------
    InputError
        The file is no COCO file, or names an image or a category that it does not list.
    """
    dataset = read_dataset(path, encoding=encoding, fields=_PLACED)
    file, names = dataset.file, dataset.category_names()
    matrix = np.zeros((len(dataset.images), len(names)), dtype=np.int8)
    matrix[dataset.image_rows, dataset.category_rows] = 1
    groups = dataset.group_categories().tolist()
    kept = list(range(len(names)))
    if labels is not None:
        kept, groups = _categories(labels, names, path), []
        names, matrix = [names[at] for at in kept], np.ascontiguousarray(matrix[:, kept])
    placed = int(np.count_nonzero(_has_place(dataset)))
    options = CocoOptions(
        encoding=file.encoding,
        sha256=file.sha256,
        rows=len(matrix),
        image_ids=dataset.image_ids,
        category_ids=tuple(dataset.category_ids[at] for at in kept),
        is_placed=bool(placed),
        has_folder=images is not None,
    )
    size = f"{len(matrix):,} images, {len(names):,} categories"
    read_as = f"Read {path.name} as COCO, {file.description}: {size},"
    notes = [f"{read_as} {len(dataset.annotations):,} annotations.", *_on_places(placed)]
    files = [name or "" for name in dataset.images.texts("file_name")]
    return whole(
        matrix,
        names,
        str(path),
        Source("coco", (path,), options, () if images is None else (images,)),
        notes,
        ids=_ids(dataset, files),
        frame=pd.DataFrame({"image": files}, dtype=object),
        images=_images(images or path.parent, files),
        groups=tuple(groups),
    )


def _categories(labels: Sequence[str], names: Sequence[str], path: Path) -> list[int]:
    place = {name: at for at, name in enumerate(names)}
    unknown = [name for name in labels if name not in place]
    if unknown or len(set(labels)) != len(labels):
        what = f"names {unknown[0]!r}, which is none" if unknown else "names one category twice"
        raise InputError("labels", f"{what} of {path.name}", f"Use {', '.join(names[:10])}")
    return [place[name] for name in labels]


def _has_place(dataset: Dataset) -> Mask:
    filled = [dataset.annotations.is_filled(field) for field in _PLACED]
    return np.asarray(np.logical_or.reduce(filled))


def _on_places(placed: int) -> list[str]:
    if not placed:
        return []
    return [
        f"{placed:,} annotations have a place in the image, which this audit does not look at;"
        " corrections can't be written into such a file."
    ]


def _ids(dataset: Dataset, files: Sequence[str]) -> npt.NDArray[np.object_]:
    has_names = all(files) and len(set(files)) == len(files)
    return np.array(files if has_names else dataset.image_ids, dtype=object)


def _images(folder: Path, files: Sequence[str]) -> tuple[Path, ...]:
    """Return where images lie; one whose name leads out of the folder is none."""
    root = folder.resolve()
    return tuple(_inside(root, name) or root for name in files)


def _inside(root: Path, name: str) -> Path | None:
    try:
        path = (root / name).resolve()
    except (OSError, ValueError):  # a NUL, or a loop of links
        return None
    return path if path.is_relative_to(root) else None


def export(source: Source, changes: Changes, out: Path) -> None:
    """Write the file again without the annotations of classes taken away, with new ones added."""
    if changes and options_of(source, CocoOptions).is_placed:
        raise InputError(
            str(source.files[0]),
            "has annotations with a place in the image, and a new one would have none",
            "Correct it in a tool for boxes or masks",
        )
    write_text(source, out, lambda file: _changed(source, file, changes) if changes else file.data)


def _changed(source: Source, file: TextFile, changes: Changes) -> bytes:
    dataset = dataset_of(file)
    place = {name: at for at, name in enumerate(dataset.category_ids)}
    classes = [place[name] for name in options_of(source, CocoOptions).category_ids]
    changes = {(image, classes[part]): value for (image, part), value in changes.items()}
    cells = list(zip(dataset.image_rows.tolist(), dataset.category_rows.tolist(), strict=True))
    removed = [row for row, cell in enumerate(cells) if not changes.get(cell, True)]
    present = set(cells)
    number = next_id(dataset.annotations)
    added: list[str] = []
    for (image, category), is_present in changes.items():
        if is_present and (image, category) not in present:
            identity = {} if number is None else {"id": number + len(added)}
            names = {
                "image_id": dataset.image_ids[image],
                "category_id": dataset.category_ids[category],
            }
            added.append(json.dumps({**identity, **names}))
    section = dataset.document.sections["annotations"]
    return edited(dataset.document, section, removed=removed, added=added)


FORMAT: Format[Asked, Given] = Format("coco", "a COCO file", is_coco, _read, export, CocoOptions)
