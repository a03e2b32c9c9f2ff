"""From COCO files to an audit of single objects, with pictures of what the model sees instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.inputs import check
from goldlabel.results.audit import Audit, Item, Table
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.segmentation import drawing, runs
from goldlabel.tasks.segmentation.comparing import KINDS, InstanceMasks, compare
from goldlabel.tasks.segmentation.formats import pictures, with_pictures
from goldlabel.tasks.segmentation.formats.instances import Instances, read
from goldlabel.tasks.segmentation.instances import INSTANCE_THRESHOLD, find_instance_issues
from goldlabel.tasks.segmentation.items import DRAWN, SHOWN, opened

__all__ = ["audit_instances"]

LIMITS = (
    "Objects that the model misses or merges too: only what it has learned is questioned.",
    "Outlines that are a few pixels off: masks that overlap by 60 % or more count as well drawn.",
    "Which findings are truly wrong: look at the worst first, and stop where most of what you see"
    " is right.",
)


def audit_instances(
    path: Path, predictions: Path, *, images: Path | None = None, threshold: float | None = None
) -> Audit:
    """Audit the masks of a COCO file against those of COCO results; see `audit`."""
    data = read(path, predictions)
    usual = INSTANCE_THRESHOLD if threshold is None else threshold
    limit = check.number(usual, name="threshold", low=0.0, high=1.0)
    ids = np.array(data.ids, dtype=object)
    issues = find_instance_issues(
        data.given, data.predicted, threshold=limit, classes=data.classes, ids=ids
    )
    found = None if images is None else pictures.by_stem(images, data.ids, what="pictures")
    note = f"Images with a score below {limit:g} are flagged; --threshold changes that."
    source = replace(data.source, options={**data.source.options, "findings": _links(data, issues)})
    source = source if images is None else with_pictures(source, images)
    masks = sum(map(len, data.given))
    return Audit(
        issues=replace(issues, params={**issues.params, "model": f"masks in {predictions.name}"}),
        source=source,
        summary={
            "examples": len(data.given),
            "classes": len(data.classes),
            "masks": masks,
            "predicted_masks": sum(map(len, data.predicted)),
        },
        items=_Items(data, issues, found),
        tables=(
            Table(
                "Findings by class",
                _table(issues),
                "What was found in flagged images: the class is the given one, or of a missing"
                " object the predicted one.",
            ),
        ),
        notes=(*data.notes, note),
        limits=LIMITS,
        part="mask",
    )


def _links(data: Instances, issues: LabelIssues) -> dict[str, dict[str, Any]]:
    """Say for each finding which annotations and which results it concerns: for `export`."""
    links: dict[str, dict[str, Any]] = {}
    for image in np.flatnonzero(issues.is_issue).tolist():
        given = data.given[image]
        own = links.setdefault(str(image), {})
        for each in compare(given, data.predicted[image]):
            part = each.given[0] if each.given else len(given) + each.predicted[0]
            own[str(part)] = {
                "given": [data.places[image][at] for at in each.given],
                "predicted": [data.results[image][at] for at in each.predicted],
            }
    return links


def _table(issues: LabelIssues) -> pd.DataFrame:
    parts = issues.parts
    assert issues.classes is not None
    nothing = len(issues.classes) - 2
    label = np.where(parts.given == nothing, parts.suggested, parts.given)
    counts = pd.crosstab(label, parts.kind)
    table: dict[str, Any] = {"class": [str(issues.classes[code]) for code in counts.index]}
    for kind, name in enumerate(KINDS):
        table[name] = counts[kind].to_numpy() if kind in counts else np.zeros(len(counts), int)
    return pd.DataFrame(table)


class _Items:
    """Show images by position: around the worst findings, with given and predicted outlines."""

    def __init__(
        self,
        data: Instances,
        issues: LabelIssues,
        images: Sequence[Path | None] | None,
    ) -> None:
        self._data, self._images = data, images
        self._rows: dict[int, list[int]] = {}
        for row, image in enumerate(issues.parts.example.tolist()):
            self._rows.setdefault(image, []).append(row)
        self._parts = issues.parts
        self._made: dict[int, Item] = {}

    def __call__(self, examples: Sequence[int]) -> list[Item]:
        """Return an `Item` for each position."""
        for at in list(examples)[:DRAWN]:
            if at not in self._made:
                self._made[at] = self._item(at)
        return [self._made.get(at, Item()) for at in examples]

    def _item(self, at: int) -> Item:
        given, predicted = self._data.given[at], self._data.predicted[at]
        shown = self._parts.part[self._rows.get(at, [])[:SHOWN]].tolist()
        masks = {part: _mask(given, predicted, self._outlined(at, part)) for part in shown}
        shape = given.shape
        crop = drawing.crop_around(
            [_box(mask) for mask in masks.values()] or [(0, 0, *shape[::-1])], shape
        )
        window = slice(crop.top, crop.bottom), slice(crop.left, crop.right)
        path = self._images[at] if self._images is not None else None
        image = None if path is None else opened(path, shape, crop)
        size = drawing.shown_size((crop.bottom - crop.top, crop.right - crop.left))
        blank = np.full((*size, 3), 235, dtype=np.uint8)
        below = blank if image is None else image
        pieces = {part: mask[window] for part, mask in masks.items()}
        panels = {} if image is None else {"image": below}
        panels["given"] = _drawn(below, given, window)
        panels["predicted"] = _drawn(below, predicted, window)
        names = [str(part) for part in pieces]
        return Item(
            fields={"Image": f"{shape[1]} x {shape[0]} pixels", "Outlined": ", ".join(names)},
            pictures={
                name: drawing.packed(drawing.outlined(each, list(pieces.values()), names))
                for name, each in panels.items()
            },
        )

    def _outlined(self, at: int, part: int) -> int:
        """Return the mask that shows a finding: of a split object the predicted one, whole."""
        given = self._data.given[at]
        for each in compare(given, self._data.predicted[at]):
            if each.given[:1] == (part,) and KINDS[each.kind] == "split":
                return len(given) + each.predicted[0]
        return part


def _mask(given: InstanceMasks, predicted: InstanceMasks, part: int) -> npt.NDArray[np.bool_]:
    own, at = (given, part) if part < len(given) else (predicted, part - len(given))
    return runs.to_mask(np.asarray(own.masks[at], dtype=np.int64).reshape(-1, 2), own.shape)


def _box(mask: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    y, x = np.nonzero(mask)
    if not len(x):
        return 0, 0, mask.shape[1], mask.shape[0]
    return int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1


def _drawn(
    below: npt.NDArray[np.uint8], instances: InstanceMasks, window: tuple[slice, slice]
) -> npt.NDArray[np.uint8]:
    """Paint the masks of an image, neighbours in different colours, over a piece of it."""
    numbers = np.full(instances.shape, -1, dtype=np.int32)
    flat = np.full(numbers.size, -1, dtype=np.int32)
    for at in range(len(instances)):
        for start, stop in np.asarray(instances.masks[at]).reshape(-1, 2).tolist():
            flat[int(start) : int(stop)] = at % 16
    numbers = flat.reshape(instances.shape[::-1]).T
    return drawing.overlay(numbers[window], drawing.class_colors(16), below)
