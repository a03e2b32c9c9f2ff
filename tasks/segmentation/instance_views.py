"""How an image with masks of objects looks to a person: those given, those that the model sees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.results.audit import Source
from goldlabel.results.label_issues import LabelIssues
from goldlabel.scenes import Layer
from goldlabel.tasks.segmentation import drawing, runs
from goldlabel.tasks.segmentation.comparing import KINDS, InstanceMasks, compare
from goldlabel.tasks.segmentation.formats import pictures_of
from goldlabel.tasks.segmentation.formats.instances import Instances, read
from goldlabel.tasks.segmentation.instances import ACTIONS
from goldlabel.tasks.segmentation.views import GIVEN, SUGGESTED, View
from goldlabel.typing import Mask

__all__ = ["InstanceView", "instance_view"]

_COLORS = 16


def instance_view(source: Source, issues: LabelIssues) -> InstanceView:
    """Read the masks and results of an audit again, as `goldlabel.tasks.segmentation.view` does."""
    if not source.inputs:
        raise InputError(str(source.files[0]), "was audited without results", "Run the audit again")
    data = read(source.files[0], source.inputs[0])
    if data.source.options["sha256"] != source.options.get("sha256"):
        raise InputError(
            str(source.files[0]), "has changed since it was audited", "Run the audit again"
        )
    return InstanceView(data, issues, pictures_of(source, data.ids))


class InstanceView(View):
    """Shows images with masks of objects, which may overlap.

    Parameters
    ----------
    data : Instances
    issues : LabelIssues
        What was found in it.
    images : sequence of Path or None, optional
        The picture of each image.
    """

    layers = (
        Layer(GIVEN, "given", "given"),
        Layer(SUGGESTED, "predicted", "suggested"),
    )

    def __init__(
        self, data: Instances, issues: LabelIssues, images: Sequence[Path | None] | None
    ) -> None:
        super().__init__(issues, images, (*data.classes, *ACTIONS), paints=False)
        self._data = data
        _check_same(data, issues, self._labels)

    def shape(self, example: int) -> tuple[int, int]:
        """Return height and width of an image."""
        return self._data.given[example].shape

    def pixels(self, example: int, part: int) -> Mask:
        """Return the mask that shows a finding: of a split object the predicted one, whole."""
        given, predicted = self._data.given[example], self._data.predicted[example]
        for each in compare(given, predicted):
            if each.given[:1] == (part,) and KINDS[each.kind] == "split":
                return _mask(predicted, each.predicted[0])
        return _mask(given, part) if part < len(given) else _mask(predicted, part - len(given))

    def picture(self, example: int, name: str) -> Path | bytes | None:
        """Return the file of an image's picture, or a layer as PNG."""
        sides = {GIVEN: self._data.given, SUGGESTED: self._data.predicted}
        if name not in sides:
            return self._image(example, name)
        return drawing.layer(
            _numbered(sides[name][example]),
            drawing.class_colors(_COLORS),
            opaque=self._images is None or self._images[example] is None,
        )


def _mask(instances: InstanceMasks, at: int) -> Mask:
    own = np.asarray(instances.masks[at], dtype=np.int64).reshape(-1, 2)
    return runs.to_mask(own, instances.shape)


def _numbered(instances: InstanceMasks) -> npt.NDArray[np.int32]:
    """Return which mask each pixel is of, neighbours by different numbers; -1 = none."""
    flat = np.full(instances.shape[0] * instances.shape[1], -1, dtype=np.int32)
    for at in range(len(instances)):
        for start, stop in np.asarray(instances.masks[at]).reshape(-1, 2).tolist():
            flat[int(start) : int(stop)] = at % _COLORS
    return flat.reshape(instances.shape[::-1]).T


def _check_same(data: Instances, issues: LabelIssues, labels: tuple[Any, ...]) -> None:
    """Make sure that the findings are about these masks: an audit's folder is not trusted."""
    parts, n = issues.parts, len(data.given)
    both = zip(data.given, data.predicted, strict=True)
    counts = np.array([len(a) + len(b) for a, b in both] + [0], dtype=np.int64)
    known = (parts.part >= 0) & (parts.part < counts[np.minimum(parts.example, n)])
    names = tuple(map(str, issues.classes or ()))
    if len(issues.scores) != n or names != labels or not known.all():
        raise InputError(
            str(data.source.files[0]),
            f"has other masks or classes than the audit ({n:,} and {len(issues.scores):,} images)",
            "Run the audit again",
        )
