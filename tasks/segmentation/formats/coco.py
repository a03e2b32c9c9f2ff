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
from goldlabel.formats.json.text import (
    edited_list,
    elements,
    kind_of,
    members,
    parse,
)
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.segmentation import runs
from goldlabel.tasks.segmentation.formats.given import Given, Masks
from goldlabel.tasks.segmentation.formats.masks import Repaint
from goldlabel.tasks.segmentation.formats.segments import is_mask, segment_runs

__all__ = [
    "BACKGROUND",
    "Coco",
    "described",
    "edited",
    "export",
    "load",
    "looks_like",
    "parsed",
    "read",
    "with_background",
]

BACKGROUND = "background"
_KEYS = ("images", "annotations", "categories")


class Coco:
    """A COCO file, checked: its images, categories, and the annotations of each image.

    Attributes
    ----------
    images, categories, annotations : list of dict
        As the file has them.
    of_image : list of list of int
        The positions of each image's annotations.
    classes : list of str
        Category names, in the order of the file.
    place : dict
        Position of a category by its id.
    """

    def __init__(self, path: Path, content: Any) -> None:
        self.path = path
        if not looks_like(content):
            raise InputError(
                str(path), f"is no COCO file, which lists {', '.join(_KEYS)}", "Name one that does"
            )
        self.images, self.annotations, self.categories = (content[key] for key in _KEYS)
        rows = self._ids("images")
        self.place = self._ids("categories")
        self.classes = [str(each.get("name", each["id"])) for each in self.categories]
        self.of_image: list[list[int]] = [[] for _ in self.images]
        for at, each in enumerate(self.annotations):
            where = f"{path}: annotations[{at}]"
            if not isinstance(each, dict):
                raise InputError(where, f"is a JSON {kind_of(each)}, not an object", "Mend it")
            image, category = each.get("image_id"), each.get("category_id")
            for name, value, known in (
                ("image_id", image, rows),
                ("category_id", category, self.place),
            ):
                if not isinstance(value, int | str) or value not in known:
                    raise InputError(where, f"has the {name} {value!r}, which is none", "Mend it")
            self.of_image[rows[image]].append(at)

    def _ids(self, key: str) -> dict[Any, int]:
        place: dict[Any, int] = {}
        for at, each in enumerate(getattr(self, key)):
            name = each.get("id") if isinstance(each, dict) else None
            if not isinstance(name, int | str) or name in place:
                raise InputError(
                    f"{self.path}: {key}[{at}]",
                    f"has the id {name!r}",
                    "Give each an id of its own",
                )
            place[name] = at
        if not place:
            raise InputError(str(self.path), f"lists no {key}", "Name a file that does")
        return place

    def shape(self, at: int) -> tuple[int, int]:
        """Return (h, w) of an image."""
        image = self.images[at]
        size = image.get("height"), image.get("width")
        if not all(isinstance(side, int) and 0 < side < 1 << 16 for side in size):
            raise InputError(
                f"{self.path}: images[{at}]", f"has the size {size}", "Add height and width"
            )
        return size

    def runs(self, at: int, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
        """Return the runs of an annotation; none if it has no mask."""
        segmentation = self.annotations[at].get("segmentation")
        if not is_mask(segmentation):
            return np.empty((0, 2), dtype=np.int64)
        return segment_runs(segmentation, shape, f"{self.path}: annotations[{at}].segmentation")

    def names(self) -> list[str]:
        """Return the name of each image: that of its file, without the ending."""
        files = [str(each.get("file_name", each["id"])) for each in self.images]
        stems = [name.rpartition(".")[0] or name for name in files]
        return stems if len(set(stems)) == len(stems) else [str(e["id"]) for e in self.images]


def parsed(path: Path) -> Any:
    """Return what a JSON file holds."""
    return parse(read_text(path).data.decode("utf-8"), str(path))


def load(path: Path) -> Coco:
    """Read a COCO file."""
    return Coco(path, parsed(path))


def looks_like(content: Any) -> bool:
    """Return whether JSON is a COCO file of instances."""
    return isinstance(content, dict) and all(isinstance(content.get(key), list) for key in _KEYS)


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
    file = read_text(path)
    coco = Coco(path, parse(file.data.decode("utf-8"), str(path)))
    used = {coco.classes[coco.place[each["category_id"]]] for each in coco.annotations}
    names, codes, empty = with_background(coco.classes, classes, planes, path.name, used)
    options = {
        "encoding": file.encoding,
        "sha256": file.sha256,
        "codes": codes,
        "empty": empty,
    }
    note = (
        f"Read {path.name} as COCO: {len(coco.images):,} images, {len(coco.annotations):,}"
        " instances; of overlapping ones the smaller is on top."
    )
    rest = names[empty] if empty >= 0 else None
    note += f" Pixels of none are {rest!r}." if rest else " Pixels of none are left out."
    return Given(
        Masks(len(coco.images), lambda at: _mask(coco, at, codes, empty)),
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
        code = codes[coco.place[coco.annotations[place]["category_id"]]]
        for start, stop in own.tolist():
            flat[start:stop] = code
    return np.ascontiguousarray(flat.reshape(shape[::-1]).T)


def export(source: Source, changed: Mapping[int, Repaint], out: Path) -> None:
    """Write the file again: instances lose the pixels of a new class, which get one of their own.

    An instance that loses all its pixels goes; every other entry keeps its text.
    """
    write_text(source, out, lambda file: _changed(source, file, changed))


def _changed(source: Source, file: TextFile, changed: Mapping[int, Repaint]) -> bytes:
    text = file.data.decode("utf-8")
    coco = Coco(source.files[0], parse(text, str(source.files[0])))
    codes, empty = source.options["codes"], source.options["empty"]
    edits: dict[int, str | None] = {}
    added: list[str] = []
    numbers = [each["id"] for each in coco.annotations if isinstance(each.get("id"), int)]
    number = max(numbers, default=0)
    for at, repaint in changed.items():
        shape = coco.shape(at)
        old = _mask(coco, at, codes, empty)
        new = repaint(old)
        differs = new != old
        if differs.any():
            for place in coco.of_image[at]:
                edits.update(_without(coco, place, shape, differs, new, codes))
        for category, code in enumerate(codes):
            gained = differs & (new == code)
            if gained.any():
                number += 1
                identity = {"id": number, "image_id": coco.images[at]["id"]}
                entry = {**identity, "category_id": coco.categories[category]["id"], "iscrowd": 0}
                added.append(json.dumps({**entry, **described(runs.of_mask(gained), shape)}))
    return edited(text, edits, added).encode("utf-8")


def described(own: npt.NDArray[np.int64], shape: tuple[int, int]) -> dict[str, Any]:
    """Return area, box and run lengths of an instance as COCO has them."""
    y, x = np.nonzero(runs.to_mask(own, shape))
    box = [int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1]
    rle = {"size": list(shape), "counts": runs.to_text(own, shape[0] * shape[1])}
    return {"area": len(x), "bbox": box, "segmentation": rle}


def _without(
    coco: Coco,
    place: int,
    shape: tuple[int, int],
    differs: npt.NDArray[np.bool_],
    new: npt.NDArray[np.int32],
    codes: Sequence[int],
) -> dict[int, str | None]:
    """Return the new text of an instance that loses pixels; None if it loses all."""
    each = coco.annotations[place]
    own = runs.to_mask(coco.runs(place, shape), shape)
    lost = own & differs & (new != codes[coco.place[each["category_id"]]])
    if not lost.any():
        return {}
    left = own & ~lost
    if not left.any():
        return {place: None}
    return {place: json.dumps({**each, **described(runs.of_mask(left), shape)})}


def edited(text: str, edits: Mapping[int, str | None], added: Sequence[str]) -> str:
    """Return a COCO text with annotations replaced, left out (None) and added."""
    if not edits and not added:
        return text
    place = {key: (start, stop) for key, _, start, stop in members(text)}
    start, stop = place["annotations"]
    inner = text[start + 1 : stop - 1]
    spans = [(a - start - 1, b - start - 1) for _, a, b in elements(text, start)]
    # From the end, so that the places of those before stay right.
    for at in sorted((at for at, new in edits.items() if new is not None), reverse=True):
        a, b = spans[at]
        new = edits[at] or ""
        inner = inner[:a] + new + inner[b:]
        moved = len(new) - (b - a)
        spans = [(x + moved * (i > at), y + moved * (i >= at)) for i, (x, y) in enumerate(spans)]
    kept = edited_list(inner, spans, lambda i: i not in edits or edits[i] is not None, added, ", ")
    return text[: start + 1] + kept + text[stop - 1 :]
