"""COCO files with instances: polygons or run lengths, as masks of one class per pixel, and back.

Of instances that overlap the smaller one is on top. Pixels of no instance are background.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.coco.dataset import Dataset, dataset_of, read_dataset
from goldlabel.formats.coco.edits import Edit, edited, member_edits, next_id
from goldlabel.formats.json import numbers
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile
from goldlabel.results.audit import Source
from goldlabel.tasks.segmentation import runs
from goldlabel.tasks.segmentation.formats.given import Given, Masks
from goldlabel.tasks.segmentation.formats.masks import Repaint
from goldlabel.tasks.segmentation.formats.segments import is_mask, segment_runs

__all__ = [
    "BACKGROUND",
    "FIELDS",
    "Coco",
    "described",
    "export",
    "positions",
    "read",
    "with_background",
]

BACKGROUND = "background"


FIELDS = ("iscrowd", "segmentation")


class Coco:
    """A COCO file with masks: its images and the annotations of each.

    Attributes
    ----------
    dataset : Dataset
    of_image : list of list of int
        The positions of each image's annotations.
    classes : list of str
        Category names, in the order of the file.
    has_mask, is_crowd : ndarray of shape (n,), bool
        Of each annotation.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.classes = dataset.category_names()
        self.has_mask = is_mask(dataset.annotations)
        self.is_crowd = dataset.annotations.is_filled("iscrowd")
        self.of_image = positions(dataset.image_rows, len(dataset.images))
        self._sides = [dataset.images.numbers(side) for side in ("height", "width")]

    def shape(self, at: int) -> tuple[int, int]:
        """Return (h, w) of an image."""
        sides = [
            int(side.ints[at]) if side.found[at] in (numbers.WHOLE, numbers.ROUND) else 0
            for side in self._sides
        ]
        if not all(0 < side < 1 << 16 for side in sides):
            images = self.dataset.images
            size = [
                images.written(at, side) if images.kinds(side)[at] else "none"
                for side in ("height", "width")
            ]
            raise InputError(
                images.place_in(self.dataset.path, at),
                f"has the size {' x '.join(size)}, height x width",
                "Add height and width, whole numbers",
            )
        return sides[0], sides[1]

    def runs(self, at: int, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
        """Return the runs of an annotation; none if it has no mask."""
        if not self.has_mask[at]:
            return np.empty((0, 2), dtype=np.int64)
        annotations = self.dataset.annotations
        value = annotations.values("segmentation", np.array([at]))[0]
        return segment_runs(value, shape, f"{self.dataset.where(at)}.segmentation")

    def category(self, at: int) -> int:
        """Return the position of an annotation's category."""
        return int(self.dataset.category_rows[at])

    def names(self) -> list[str]:
        """Return the name of each image: that of its file, without the ending."""
        ids = list(map(str, self.dataset.image_ids))
        texts = self.dataset.images.texts("file_name")
        files = [own if name is None else name for name, own in zip(texts, ids, strict=True)]
        stems = [name.rpartition(".")[0] or name for name in files]
        return stems if len(set(stems)) == len(stems) else ids

    def with_members(self, at: int, members: Mapping[str, Any]) -> list[Edit]:
        """Return the edits that give an annotation some members, in place where it has them."""
        return member_edits(self.dataset.annotations, at, members)


def positions(rows: npt.NDArray[np.int64], n: int) -> list[list[int]]:
    """Return, for each of n images, which entries are its own."""
    order = np.argsort(rows, kind="stable")
    ends = np.cumsum(np.bincount(rows, minlength=n))
    return [each.tolist() for each in np.split(order, ends[:-1])]


def with_background(
    listed: Sequence[str],
    classes: Sequence[str] | None,
    planes: int,
    where: str,
    used: Collection[str],
) -> tuple[tuple[str, ...], list[int], int]:
    """Return the class names, the class of each one listed, and that of the background.

    Without `classes` the background comes first, if there is one more plane of predictions than
    categories. In `classes` it is the name that is not listed. If there is none, pixels of no
    instance are left out (-1).
    """
    if classes is None and planes == len(listed):
        return tuple(listed), list(range(planes)), -1
    if classes is None:
        return (BACKGROUND, *listed), list(range(1, len(listed) + 1)), 0
    names = list(classes)
    missing = [name for name in listed if name not in names and name in used]
    if missing:
        raise InputError(
            "classes",
            f"lacks {missing[0]!r}, a category of {where} ({len(missing)} such)",
            "Name every category that is used, in the order of the predictions",
        )
    others = [at for at, name in enumerate(names) if name not in listed]
    usual = [at for at in others if names[at].lower() in (BACKGROUND, "unlabeled", "unlabelled")]
    empty = (usual or others or [-1])[0]
    return tuple(names), [names.index(name) if name in names else -1 for name in listed], empty


def read(path: Path, *, classes: Sequence[str] | None, planes: int) -> Given:
    """Read instances as masks of one class per pixel.

    Parameters
    ----------
    path : Path
    classes : sequence of str, optional
        Class names in the order of the predictions; see `with_background`.
    planes : int
        How many planes the predictions have.

    Raises
    ------
    InputError
        It is no COCO file, or one of its entries is broken.
    """
    dataset = read_dataset(path, fields=FIELDS)
    coco, file = Coco(dataset), dataset.file
    used = {coco.classes[at] for at in set(dataset.category_rows.tolist())}
    names, codes, empty = with_background(coco.classes, classes, planes, path.name, used)
    options = {
        "encoding": file.encoding,
        "sha256": file.sha256,
        "codes": codes,
        "empty": empty,
    }
    note = (
        f"Read {path.name} as COCO: {len(dataset.images):,} images, {len(dataset.annotations):,}"
        " instances; of overlapping ones the smaller is on top."
    )
    rest = names[empty] if empty >= 0 else None
    note += f" Pixels of none are {rest!r}." if rest else " Pixels of none are left out."
    return Given(
        Masks(len(dataset.images), lambda at: _mask(coco, at, codes, empty)),
        coco.shape,
        names,
        Source("coco", (path,), options),
        coco.names(),
        [note],
    )


def _mask(coco: Coco, at: int, codes: Sequence[int], empty: int) -> npt.NDArray[np.int32]:
    shape = coco.shape(at)
    found = []
    for place in coco.of_image[at]:
        own = coco.runs(place, shape)
        found.append((int(np.diff(own).sum()), place, own))
    flat = np.full(shape[0] * shape[1], empty, dtype=np.int32)
    for _, place, own in sorted(found, key=lambda each: (-each[0], each[1])):
        code = codes[coco.category(place)]
        for start, stop in own.tolist():
            flat[start:stop] = code
    return np.ascontiguousarray(flat.reshape(shape[::-1]).T)


def export(source: Source, changed: Mapping[int, Repaint], out: Path) -> None:
    """Write the file again: instances lose the pixels of a new class, which get one of their own.

    An instance that loses all its pixels goes; every other entry keeps its text.
    """
    write_text(source, out, lambda file: _changed(source, file, changed))


def _changed(source: Source, file: TextFile, changed: Mapping[int, Repaint]) -> bytes:
    dataset = dataset_of(file, (*FIELDS, "area", "bbox"))
    coco = Coco(dataset)
    codes, empty = source.options["codes"], source.options["empty"]
    edits: list[Edit] = []
    removed: list[int] = []
    added: list[str] = []
    number = next_id(dataset.annotations)
    for at, repaint in changed.items():
        shape = coco.shape(at)
        old = _mask(coco, at, codes, empty)
        new = repaint(old)
        differs = new != old
        for place in coco.of_image[at] if differs.any() else ():
            own = runs.to_mask(coco.runs(place, shape), shape)
            lost = own & differs & (new != codes[coco.category(place)])
            if lost.any() and (own & ~lost).any():
                edits += coco.with_members(place, described(runs.of_mask(own & ~lost), shape))
            elif lost.any():
                removed.append(place)
        for category, code in enumerate(codes):
            gained = differs & (new == code)
            if gained.any():
                identity = {} if number is None else {"id": number + len(added)}
                names = {
                    "image_id": dataset.image_ids[at],
                    "category_id": dataset.category_ids[category],
                    "iscrowd": 0,
                }
                mask = described(runs.of_mask(gained), shape)
                added.append(json.dumps({**identity, **names, **mask}))
    section = dataset.document.sections["annotations"]
    return edited(dataset.document, section, edits, removed=removed, added=added)


def described(own: npt.NDArray[np.int64], shape: tuple[int, int]) -> dict[str, Any]:
    """Return area, box and run lengths of an instance as COCO has them."""
    y, x = np.nonzero(runs.to_mask(own, shape))
    box = [int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1]
    rle = {"size": list(shape), "counts": runs.to_text(own, shape[0] * shape[1])}
    return {"area": len(x), "bbox": box, "segmentation": rle}
