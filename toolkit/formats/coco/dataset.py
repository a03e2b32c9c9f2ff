"""A COCO dataset as columns: images, categories, annotations, and where each of them stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.coco.ids import check_objects, own_ids, rows_referred_to
from goldlabel.formats.json import places
from goldlabel.formats.json.document import Document, Section, scanned
from goldlabel.formats.json.records import Ids, Records
from goldlabel.formats.text import TextFile, read_text
from goldlabel.kernels._jit import frozen
from goldlabel.typing import Floats, Ints, Mask

__all__ = [
    "SECTIONS",
    "Dataset",
    "dataset_of",
    "document_of",
    "read_dataset",
    "section",
    "unique_names",
]

SECTIONS = ("images", "annotations", "categories")
_NO_ENTRIES = np.empty(0, dtype=np.int64)
_IMAGE_FIELDS = ("id", "file_name", "coco_url", "width", "height")


@dataclass(frozen=True, eq=False)
class Dataset:
    """What a file lists, in its order, checked: each annotation is of an image and a category.

    Attributes
    ----------
    file : TextFile
    document : Document
    images, categories, annotations : Records
    image_ids, category_ids : tuple of int or str
    image_rows, category_rows : ndarray of shape (n,), int64
        Of each annotation: positions in `images` and `categories`.
    """

    file: TextFile
    document: Document
    images: Records
    categories: Records
    annotations: Records
    image_ids: tuple[int | str, ...]
    category_ids: tuple[int | str, ...]
    image_rows: Ints
    category_rows: Ints

    @property
    def path(self) -> Path:
        """The file that it was read from."""
        return self.file.path

    def where(self, row: int) -> str:
        """Name an annotation in messages."""
        return self.annotations.place_in(self.path, row)

    def file_names(self) -> list[str]:
        """Return the file name of each image; "" where it has none."""
        names = self.images.texts("file_name")
        urls = self.images.texts("coco_url")
        return [
            name or (url or "").rpartition("/")[2] for name, url in zip(names, urls, strict=True)
        ]

    def sizes(self) -> Floats:
        """Return width and height of each image; NaN where it has none above 0."""
        sides = [self.images.numbers(side).floats for side in ("width", "height")]
        sizes = np.stack(sides, axis=1)
        return np.where(np.isfinite(sizes) & (sizes > 0), sizes, np.nan)

    def category_names(self) -> list[str]:
        """Return the name of each category, or its id where it has none; no two are the same.

        Of several with one name the only one with annotations keeps it, others get their ids:
        ``"bolt (id 3)"``.
        """
        return unique_names(self.categories, self.category_ids, self._annotation_counts() > 0)

    def group_categories(self) -> Ints:
        """Return the categories without annotations that others name as their supercategory.

        Roboflow lists one for all classes of a project.
        """
        names = self.categories.texts("name")
        groups = Counter(self.categories.texts("supercategory"))
        groups.subtract(
            name
            for name, group in zip(names, self.categories.texts("supercategory"), strict=True)
            if name == group
        )
        is_group = np.array([name is not None and groups[name] > 0 for name in names], dtype=bool)
        return np.flatnonzero(is_group & (self._annotation_counts() == 0))

    def _annotation_counts(self) -> Ints:
        return np.bincount(self.category_rows, minlength=len(self.categories)).astype(np.int64)

    def is_crowd(self) -> Mask:
        """Return which annotations are around a crowd: their iscrowd is neither 0 nor false."""
        kinds = self.annotations.kinds("iscrowd")
        starts = self.annotations.spans("iscrowd")[0]
        floats = self.annotations.numbers("iscrowd").floats
        is_true = (kinds == places.BOOLEAN) & (self.document.data[starts] == ord("t"))
        return np.asarray(is_true | ((kinds != places.BOOLEAN) & (np.nan_to_num(floats) != 0)))


def unique_names(
    categories: Records, ids: Sequence[int | str], is_used: Mask | None = None
) -> list[str]:
    """Return the names of categories; see `Dataset.category_names`."""
    kinds = categories.kinds("name")
    names = [
        text if text is not None
        else str(ids[row]) if kinds[row] in (places.MISSING, places.NULL)
        else categories.written(row, "name")
        for row, text in enumerate(categories.texts("name"))
    ]  # fmt: skip
    total = Counter(names)
    own = np.zeros(len(names), dtype=bool) if is_used is None else is_used
    used = Counter(name for name, each in zip(names, own.tolist(), strict=True) if each)
    for row, name in enumerate(names):
        if total[name] > 1 and not (used[name] == 1 and own[row]):
            new = f"{name} (id {ids[row]})"
            while new in total:
                new += f" (id {ids[row]})"
            total[new] += 1
            names[row] = new
    return names


def section(document: Document, name: str) -> Section:
    """Return a section; an empty one if there is none."""
    listed = document.sections.get(name)
    if listed is None or not listed.is_list:
        return Section(name, 0, 0, True, _NO_ENTRIES, _NO_ENTRIES)
    return listed


def document_of(file: TextFile) -> Document:
    """Return the values of a text file of JSON.

    Raises
    ------
    InputError
        It is not JSON; says where.
    """
    return scanned(file.path, frozen(np.frombuffer(file.data, dtype=np.uint8)))


def read_dataset(path: Path, *, encoding: str | None = None, fields: Sequence[str] = ()) -> Dataset:
    """Read a COCO file; see `dataset_of`."""
    return dataset_of(read_text(path, encoding=encoding), fields)


def dataset_of(file: TextFile, fields: Sequence[str] = ()) -> Dataset:
    """Return the dataset of a file.

    Parameters
    ----------
    file : TextFile
    fields : sequence of str
        Members of annotations to look at, beside id, image_id and category_id.

    Raises
    ------
    InputError
        The file is no COCO file, or an id in it is missing, there twice, or refers to nothing.
    """
    document = document_of(file)
    path = file.path
    if not all(name in document.sections for name in SECTIONS) or not all(
        document.sections[name].is_list for name in SECTIONS
    ):
        raise InputError(
            str(path), f"is no COCO file, which lists {', '.join(SECTIONS)}", "Name one that does"
        )
    images = Records(document, document.sections["images"], _IMAGE_FIELDS)
    categories = Records(document, document.sections["categories"], ("id", "name", "supercategory"))
    annotations = Records(
        document, document.sections["annotations"], ("id", "image_id", "category_id", *fields)
    )
    ids = Ids()
    image_codes, category_codes = (own_ids(each, path, ids) for each in (images, categories))
    check_objects(annotations, path)
    return Dataset(
        *(file, document, images, categories, annotations),
        *(ids.names(image_codes), ids.names(category_codes)),
        rows_referred_to(annotations, "image_id", ids, image_codes, path),
        rows_referred_to(annotations, "category_id", ids, category_codes, path),
    )
