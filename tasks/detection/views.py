"""How an image with suspect boxes looks to a person, and what is asked about each of them."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.formats.pictures import picture_size
from goldlabel.results.audit import Source
from goldlabel.results.label_issues import LabelIssues
from goldlabel.scenes import Answer, Box, Change, Fields, Picture, Scene, Shapes
from goldlabel.tasks.detection.data import DetectionData
from goldlabel.tasks.detection.formats import check_box, read_again
from goldlabel.tasks.detection.parts import CORNERS
from goldlabel.views import Findings

__all__ = ["IMAGE", "ImageView", "view"]

IMAGE = "image"
"""The name of the picture of an image."""
_NAMED = 10

Corners = tuple[float, float, float, float]


def view(source: Source, issues: LabelIssues, summary: Mapping[str, Any]) -> ImageView:
    """Show the images of an audit: its annotations are read again, and nothing else is opened.

    Parameters
    ----------
    source, issues, summary
        As the folder of the audit says: see `goldlabel.results.folder.read_audit`.

    Raises
    ------
    InputError
        The annotations have changed, or are not those of the findings.
    """
    return ImageView(read_again(source), issues)


class ImageView:
    """Shows images, and says what an answer changes; a `goldlabel.scenes.View`.

    Parameters
    ----------
    data : DetectionData
    issues : LabelIssues
        What was found in it.
    """

    def __init__(self, data: DetectionData, issues: LabelIssues) -> None:
        _check_same(data, issues)
        self._data, self._found = data, Findings(issues)
        self._parts = issues.parts

    def scenes(self, examples: Sequence[int]) -> list[Scene]:
        """Return a scene for each position."""
        return [self._scene(example) for example in examples]

    def picture(self, example: int, name: str) -> Path | None:
        """Return the file of an image's picture."""
        if name != IMAGE or self._data.images is None:
            return None
        return self._data.images[example]

    def changes(self, example: int, question: int, answer: Answer) -> list[Change]:
        """Return what an answer does to a box; question -1: one that was drawn."""
        if question == -1:
            return [self._drawn(example, answer)]
        groups = self._found.groups(example)
        if not 0 <= question < len(groups):
            what = f"is {question}, of {len(groups)}"
            raise InputError("question", what, "Ask for the scene again")
        row, part = groups[question][0], int(self._parts.part[groups[question][0]])
        action = self._action(row)
        if answer.verdict == "accept":
            if not action:
                raise InputError("answer", "accepts, and nothing is suggested", "Keep it, or edit")
            label = self._name(self._parts.suggested[row])
            corners = self._suggested(row) if action in ("add", "move") else None
            return [_change(part, label if action != "remove" else "", action, corners)]
        if answer.verdict == "keep":
            return [_change(part, self._name(self._parts.given[row]))]
        return [self._set(example, row, answer)] if answer.verdict == "set" else []

    def _set(self, example: int, row: int, answer: Answer) -> Change:
        """Return what a person says of a box."""
        part = int(self._parts.part[row])
        is_new = part >= int(self._data.labels.counts[example])
        given = self._name(self._parts.given[row])
        if answer.remove:
            return _change(part, "", "" if is_new else "remove")
        if answer.box is None and answer.label is None:
            raise InputError("answer", "has no box and no label", "Say one of them, or remove")
        if is_new:
            corners = answer.box or self._suggested(row)
            label = answer.label or self._name(self._parts.suggested[row])
            return self._placed(part, label, "add", corners)
        label = given if answer.label is None else self._known(answer.label)
        if answer.box is None or answer.box == self._given_box(example, part):
            return _change(part, label, "" if label == given else "relabel")
        return self._placed(part, label, "move", answer.box)

    def _drawn(self, example: int, answer: Answer) -> Change:
        """Return a new box; its number says where it is, and is larger than that of any other."""
        if answer.verdict != "set" or answer.box is None or answer.label is None:
            raise InputError("answer", "has no box or no label", "Draw a box, and name its class")
        number = zlib.crc32(repr([float(side) for side in answer.box]).encode("ascii"))
        return self._placed((1 << 32) + number, answer.label, "add", answer.box)

    def _placed(self, part: int, label: str, action: str, box: Corners | None) -> Change:
        if box is None:
            raise InputError("answer", "has no box", "Draw one")
        if (fault := check_box(box)) is not None:
            raise InputError("answer", fault, "Draw it again")
        return _change(part, self._known(label) if action == "add" else label, action, box)

    def _known(self, label: str) -> str:
        if label not in self._data.classes:
            known = ", ".join(self._data.classes[:20])
            raise InputError("label", f"is {label!r}, not one of {known}", "Use one of these")
        return label

    def _scene(self, example: int) -> Scene:
        groups = self._found.groups(example)
        questions = tuple(self._question(example, rows) for rows in groups)
        shown = [block for block in (self._picture(example), self._fields(example)) if block]
        return Scene(example, self._found.id(example), tuple(shown), questions)

    def _question(self, example: int, rows: list[int]) -> Shapes:
        asked, row = self._found.asked(rows), rows[0]
        [part] = asked["parts"]
        own, new = self._given_box(example, part), self._suggested(row)
        boxes = [] if own is None else [Box(part, asked["given"], *own)]
        if new is not None and asked["action"] in ("add", "move", "relabel"):
            boxes.append(Box(-1, asked["suggested"], *new, role="suggested"))
        return Shapes(
            **asked,
            boxes=tuple(boxes),
            others=self._others(example, part),
            labels=self._data.classes,
        )

    def _name(self, code: Any) -> str:
        return self._data.classes[code] if code >= 0 else ""

    def _action(self, row: int) -> str:
        return str(self._parts.evidence["action"][row])

    def _suggested(self, row: int) -> Corners | None:
        """Return the suggested box; None where there is none."""
        evidence = self._parts.evidence
        return _corners([float(evidence[name][row]) for name in CORNERS])

    def _boxes(self, example: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        labels = self._data.labels
        own = slice(labels.offsets[example], labels.offsets[example + 1])
        return labels.boxes[own], labels.labels[own]

    def _given_box(self, example: int, part: int) -> Corners | None:
        """Return a box of the dataset; None where there is none."""
        boxes, _ = self._boxes(example)
        return _corners(boxes[part].tolist()) if part < len(boxes) else None

    def _others(self, example: int, part: int) -> tuple[Box, ...]:
        boxes, labels = self._boxes(example)
        return tuple(
            Box(at, self._data.classes[label], *corners)
            for at, (box, label) in enumerate(zip(boxes.tolist(), labels.tolist(), strict=True))
            if at != part and (corners := _corners(box)) is not None
        )

    def _picture(self, example: int) -> Picture | None:
        path = self.picture(example, IMAGE)
        if path is None:
            return None
        try:
            stored = picture_size(path)
        except InputError:
            return None
        size, told = (stored.width, stored.height), self._data.file_sizes[example]
        is_told = not np.isnan(told).any()
        # Boxes count stored pixels, unless the label file has the size that a viewer shows.
        is_upright = stored.is_turned and size[0] != size[1] and tuple(told) == size[::-1]
        width, height = told.tolist() if is_told else map(float, size)
        if self._data.is_relative:
            width = height = 1.0
        return Picture(IMAGE, width, height, upright=is_upright)

    def _fields(self, example: int) -> Fields:
        """Say what an image has, and how large it is."""
        counts = Counter(self._data.classes[label] for label in self._boxes(example)[1].tolist())
        named = [f"{count} {name}" for name, count in counts.most_common(_NAMED)]
        more = len(counts) - _NAMED
        text = ", ".join(named) + (f" and {more} more classes" if more > 0 else "")
        rows = [("given", text or "no boxes")]
        size = self._data.sizes[example]
        if not np.isnan(size).any():
            rows.append(("size", f"{size[0]:.0f} x {size[1]:.0f}"))
        return Fields(tuple(rows))


def _corners(values: Sequence[float]) -> Corners | None:
    x1, y1, x2, y2 = values
    return (x1, y1, x2, y2) if check_box((x1, y1, x2, y2)) is None else None


def _change(part: int, label: str, action: str = "", box: Corners | None = None) -> Change:
    evidence = {} if box is None else dict(zip(CORNERS, map(float, box), strict=True))
    return Change(part, label, action, evidence)


def _check_same(data: DetectionData, issues: LabelIssues) -> None:
    """Make sure that the findings are about these images: an audit's folder is not trusted."""
    parts, n = issues.parts, len(data)
    names = tuple(map(str, issues.classes or ()))
    lacking = [name for name in ("action", *CORNERS) if name not in parts.evidence]
    is_inside = (parts.example < n) & (parts.part >= 0)
    if len(issues.scores) != n or names != data.classes or lacking or not is_inside.all():
        raise InputError(
            str(data.source.files[0]),
            f"has other images or classes than the audit ({n:,} and {len(issues.scores):,} images)",
            "Run the audit again",
        )
