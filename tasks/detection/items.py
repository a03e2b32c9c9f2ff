"""How an image with suspect boxes looks to a person: cut out around each, both boxes drawn in."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.pictures import open_picture
from goldlabel.results.audit import Box, Item
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.detection.data import DetectionData
from goldlabel.tasks.detection.parts import CORNERS
from goldlabel.tasks.detection.unusable import NOT_A_BOX

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Items"]

_LONGEST = 288
"""Longest side of a cut-out, in pixels."""
_CUTS = 3
"""So many of an image's findings are cut out."""
_CONTEXT = 0.6
"""How much of its own size is shown around a box, on each side."""
_LEAST = 0.12
"""Least side of a cut-out, as a share of the image."""
_NAMED = 10
_WHITE, _BLACK, _YELLOW = (255, 255, 255), (0, 0, 0), (255, 197, 61)
_DASH, _GAP = 6, 4

Corners = tuple[float, float, float, float]


class _Finding(NamedTuple):
    """What is drawn of a finding; corners in shares of the image."""

    kind: str
    given: Corners | None
    given_name: str
    suggested: Corners | None
    suggested_name: str


class Items:
    """Show images by position; called with the ones that a report shows.

    Parameters
    ----------
    data : DetectionData
        Where the images are.
    issues : LabelIssues
        What was found in them.
    """

    def __init__(self, data: DetectionData, issues: LabelIssues) -> None:
        self._data = data
        self._issues = issues
        order = np.argsort(issues.parts.example, kind="stable")  # worst first within an image
        self._rows = order
        self._ends = np.searchsorted(issues.parts.example[order], np.arange(len(issues.scores) + 1))

    def __call__(self, examples: Sequence[int]) -> list[Item]:
        """Return an `Item` for each position."""
        return [self._item(example) for example in examples]

    def _item(self, example: int) -> Item:
        data = self._data
        fields = {"given": self._counted(example)}
        size = data.sizes[example]
        if not np.isnan(size).any():
            fields["size"] = f"{size[0]:.0f} x {size[1]:.0f}"
        path = None if data.images is None else data.images[example]
        image = None if path is None else _opened(path)
        if image is None:
            return Item(fields=fields)
        findings = self._findings(example, image)
        if not findings:
            return Item(fields=fields, image=_encoded(_scaled(image, _LONGEST)))
        cuts = [(each, _region(each)) for each in findings[:_CUTS]]
        first, region = cuts[0]
        others = self._given_in(example, image, region)
        pictures = {
            f"{at}. {each.kind}": _drawn(image, each, where)
            for at, (each, where) in enumerate(cuts[1:], start=2)
        }
        return Item(
            fields=fields,
            image=_encoded(_scaled(_cut(image, region), _LONGEST)),
            boxes=_overlay(first, region, others),
            pictures=pictures,
        )

    def _counted(self, example: int) -> str:
        labels = self._data.labels
        own = labels.labels[labels.offsets[example] : labels.offsets[example + 1]]
        if not len(own):
            return "no boxes"
        counts = Counter(self._data.classes[label] for label in own.tolist())
        named = [f"{count} {name}" for name, count in counts.most_common(_NAMED)]
        more = len(counts) - _NAMED
        return ", ".join(named) + (f" and {more} more classes" if more > 0 else "")

    def _unit(self, example: int, image: Image) -> npt.NDArray[np.float64]:
        """Return what coordinates are divided by to be shares of the image."""
        if self._data.is_relative:
            return np.ones(4)
        size = self._data.sizes[example]
        size = np.array(image.size, dtype=np.float64) if np.isnan(size).any() else size
        return np.tile(size, 2)

    def _findings(self, example: int, image: Image) -> list[_Finding]:
        issues, labels = self._issues, self._data.labels
        parts, unit = issues.parts, self._unit(example, image)
        first, count = int(labels.offsets[example]), int(labels.counts[example])
        found = []
        for row in self._rows[self._ends[example] : self._ends[example + 1]].tolist():
            part = int(parts.part[row])
            is_box = part < count and parts.kinds[parts.kind[row]] != NOT_A_BOX
            given = _shares(labels.boxes[first + part] / unit) if is_box else None
            corners = np.array([parts.evidence[name][row] for name in CORNERS], dtype=np.float64)
            new = None if np.isnan(corners).any() else _shares(corners / unit)
            if given is None and new is None:
                continue  # nothing to draw
            found.append(
                _Finding(
                    parts.kinds[parts.kind[row]],
                    given,
                    self._name(parts.given[row]),
                    new if parts.evidence["action"][row] in ("add", "move", "relabel") else None,
                    self._name(parts.suggested[row]),
                )
            )
        return found

    def _name(self, code: Any) -> str:
        return str(self._data.classes[code]) if code >= 0 else ""

    def _given_in(self, example: int, image: Image, region: Corners) -> list[Corners]:
        """Return the annotations that show in a part of the image."""
        labels = self._data.labels
        own = labels.boxes[labels.offsets[example] : labels.offsets[example + 1]]
        boxes = own / self._unit(example, image)
        x1, y1, x2, y2 = region
        seen = (boxes[:, 0] < x2) & (boxes[:, 2] > x1) & (boxes[:, 1] < y2) & (boxes[:, 3] > y1)
        return [_shares(box) for box in boxes[seen]]


def _shares(box: npt.NDArray[np.float64]) -> Corners:
    x1, y1, x2, y2 = np.clip(box, 0.0, 1.0).tolist()
    return x1, y1, x2, y2


def _opened(path: Path) -> Image | None:
    """Return an image that can be read; None for one that can't, or is not worth its memory."""
    try:
        with open_picture(path) as image:
            return image.convert("RGB")
    except InputError:
        return None


def _region(finding: _Finding) -> Corners:
    """Return the part of the image around a finding, with some of what is beside it."""
    boxes = [box for box in (finding.given, finding.suggested) if box is not None]
    low = np.min([box[:2] for box in boxes], axis=0)
    high = np.max([box[2:] for box in boxes], axis=0)
    side = np.maximum((high - low) * (1.0 + 2.0 * _CONTEXT), _LEAST)
    side = np.minimum(np.maximum(side, side.max() / 2.0), 1.0)
    start = np.clip((low + high) / 2.0 - side / 2.0, 0.0, 1.0 - side)
    return (*start.tolist(), *(start + side).tolist())


def _cut(image: Image, region: Corners) -> Image:
    width, height = image.size
    x1, y1, x2, y2 = region
    return image.crop(
        (
            int(x1 * width), int(y1 * height),
            max(round(x2 * width), int(x1 * width) + 1),
            max(round(y2 * height), int(y1 * height) + 1),
        )
    )  # fmt: skip


def _scaled(image: Image, longest: int) -> Image:
    """Return an image of at most this side; small ones are enlarged, to see what is on them."""
    factor = longest / max(image.size)
    return image.resize(tuple(max(1, round(side * factor)) for side in image.size))  # type: ignore[arg-type]


def _encoded(image: Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=78)
    return out.getvalue()


def _within(box: Corners, region: Corners) -> Corners:
    """Return corners in shares of a part of the image."""
    x1, y1, x2, y2 = region
    width, height = x2 - x1, y2 - y1
    return (
        (box[0] - x1) / width, (box[1] - y1) / height,
        (box[2] - x1) / width, (box[3] - y1) / height,
    )  # fmt: skip


def _overlay(finding: _Finding, region: Corners, others: Sequence[Corners]) -> tuple[Box, ...]:
    boxes = []
    for other in others:
        name = finding.given_name if other == finding.given else ""
        boxes.append(_box(_within(other, region), name, "given"))
    if finding.suggested is not None:
        boxes.append(_box(_within(finding.suggested, region), finding.suggested_name, "suggested"))
    return tuple(boxes)


def _box(corners: Corners, label: str, role: Any) -> Box:
    x1, y1, x2, y2 = corners
    left, top = max(x1, 0.0), max(y1, 0.0)
    return Box(left, top, min(x2, 1.0) - left, min(y2, 1.0) - top, label=label, role=role)


def _drawn(image: Image, finding: _Finding, region: Corners) -> bytes:
    """Return the cut-out of a finding: solid what is given, dashed what is suggested."""
    from PIL import ImageDraw

    cut = _scaled(_cut(image, region), _LONGEST * 2 // 3)
    draw = ImageDraw.Draw(cut)
    for box, color, dashed in (
        (finding.given, _WHITE, False),
        (finding.suggested, _YELLOW, True),
    ):
        if box is None:
            continue
        x1, y1, x2, y2 = _within(box, region)
        width, height = cut.size
        corners = (x1 * width, y1 * height, x2 * width - 1, y2 * height - 1)
        _outline(draw, corners, color, dashed)
    return _encoded(cut)


def _outline(draw: Any, corners: Corners, color: tuple[int, int, int], dashed: bool) -> None:
    x1, y1, x2, y2 = corners
    edges = (((x1, y1), (x2, y1)), ((x2, y1), (x2, y2)), ((x2, y2), (x1, y2)), ((x1, y2), (x1, y1)))
    for (ax, ay), (bx, by) in edges:
        length = float(np.hypot(bx - ax, by - ay))
        step, on = (_DASH + _GAP, _DASH) if dashed else (length + 1.0, length)
        for begin in np.arange(0.0, max(length, 1e-9), step).tolist():
            end = min(begin + on, length)
            t = [(begin / length, end / length)] if length > 0 else [(0.0, 0.0)]
            for a, b in t:
                line = (
                    ax + a * (bx - ax),
                    ay + a * (by - ay),
                    ax + b * (bx - ax),
                    ay + b * (by - ay),
                )
                draw.line(line, fill=_BLACK, width=4)
                draw.line(line, fill=color, width=2)
