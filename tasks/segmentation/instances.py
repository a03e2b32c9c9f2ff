"""Masks of single objects compared with predicted ones: which are missing, wrong, badly drawn.

Each finding has evidence in pixels: how many of them would change, times how sure the model is.
As for regions, evidence adds up::

    score of a finding = 1 - sqrt(its evidence / pixels of the image)
    score of an image  = 1 - sqrt(sum of the evidence / pixels of the image)
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.labels import as_array
from goldlabel.kernels.rows import each_block
from goldlabel.results.label_issues import LabelIssues, Parts
from goldlabel.tasks.segmentation.comparing import (
    INSIDE,
    KINDS,
    MATCHED,
    WELL_DRAWN,
    Finding,
    InstanceMasks,
    compare,
)

__all__ = ["ACTIONS", "INSTANCE_THRESHOLD", "find_instance_issues"]


ACTIONS = ("nothing", "as predicted")
"""What may be put in the place of an object besides a class: none at all, or the predicted mask."""
INSTANCE_THRESHOLD = 0.8
"""Images that score below it are flagged."""
REASONS = {
    "missing": "The model sees {suggested} of {area:,} pixels (score {confidence:.0%}) where no"
    " mask is.",
    "spurious": "The model sees nothing in {confidence:.0%} of the {area:,} pixels of this"
    " {given}.",
    "wrong class": "The model sees {suggested} (score {confidence:.0%}) where the mask says"
    " {given}; the two overlap by {iou:.0%}.",
    "badly drawn": "The model's mask of this {given} (score {confidence:.0%}) overlaps the given"
    " one by {iou:.0%} only.",
    "merged": "The model sees {others} objects (score {confidence:.0%}) in this one mask of"
    " {area:,} pixels.",
    "split": "The model sees one object of {area:,} pixels (score {confidence:.0%}) where"
    " {others} masks are.",
}


def find_instance_issues(
    instances: Sequence[InstanceMasks],
    predictions: Sequence[InstanceMasks],
    *,
    threshold: float = INSTANCE_THRESHOLD,
    classes: Sequence[Hashable] | None = None,
    ids: npt.ArrayLike | None = None,
) -> LabelIssues:
    """Find objects that are missing, spurious, of another class, badly drawn, merged or split.

    Parameters
    ----------
    instances, predictions : sequence of n InstanceMasks
        The given objects of each image, and those that a model sees which has not been trained on
        the image.
    threshold : float
        Flag the images that score below it, in [0, 1].
    classes : sequence, optional
        Class names.
    ids : array_like of shape (n,), optional
        Your own name of each image, for the tables.

    Returns
    -------
    LabelIssues
        One row of `parts` for each finding in a flagged image, the most evidence first. `part` is
        the position of the given object, or, where there is none, the number of given objects
        plus the position of the predicted one. `classes` has two more entries, `ACTIONS`: an
        object that is missing is given as "nothing", for a spurious one "nothing" is suggested,
        and the others are to be drawn "as predicted". The evidence has `area` and `iou`, and how
        many `others` are inside of the mask.

    Raises
    ------
    InputError
        Something does not fit; the message says in which image.

    Examples
    --------
    >>> squares = np.zeros((2, 6, 6), dtype=bool)
    >>> squares[0, :3, :3] = squares[1, 3:, 3:] = True
    >>> given = InstanceMasks.from_masks(squares[:1], [0])
    >>> seen = InstanceMasks.from_masks(squares, [0, 0], scores=[0.9, 0.8])
    >>> issues = find_instance_issues([given], [seen], classes=["cell"])
    >>> issues.to_frame("part")[["kind", "given", "suggested", "area"]]
          kind    given suggested  area
    0  missing  nothing      cell     9
    """
    limit = check.number(threshold, name="threshold", low=0.0, high=1.0)
    n = len(instances)
    if len(predictions) != n:
        raise InputError(
            "predictions", f"has {len(predictions):,} images, and instances {n:,}", "Pass one each"
        )
    names = None if ids is None else as_array(ids, "ids")
    if names is not None and names.shape != (n,):
        raise InputError("ids", f"has shape {names.shape}, not ({n},)", "Pass one id for each")
    found: list[list[Finding]] = [[]] * n

    def work(_: int, image: int, __: slice) -> None:
        found[image] = compare(instances[image], predictions[image])

    each_block(work, n, 1)
    scores = np.array(
        [
            _score(sum(each.evidence for each in own), given.shape)
            for own, given in zip(found, instances, strict=True)
        ]
    ).reshape(n)
    flagged = scores < limit
    k = 1 + max(
        [int(each.labels.max(initial=-1)) for each in (*instances, *predictions)], default=0
    )
    listed = tuple(range(k)) if classes is None else tuple(classes)
    if len(listed) < k:
        raise InputError("classes", f"has {len(listed)} names, and there are {k}", "Name each")
    return LabelIssues(
        task="segmentation",
        scores=scores,
        is_issue=flagged,
        parts=_parts(instances, predictions, found, flagged, len(listed)),
        classes=(*listed, *ACTIONS),
        ids=names,
        params={"threshold": limit, "matched": MATCHED, "well_drawn": WELL_DRAWN, "inside": INSIDE},
    )


def _score(evidence: float, shape: tuple[int, int]) -> float:
    return float(1.0 - np.sqrt(min(evidence / max(shape[0] * shape[1], 1), 1.0)))


def _parts(
    instances: Sequence[InstanceMasks],
    predictions: Sequence[InstanceMasks],
    found: Sequence[Sequence[Finding]],
    flagged: npt.NDArray[np.bool_],
    k: int,
) -> Parts:
    """One row for each finding of a flagged image, worst first; ties by image and position."""
    rows: list[tuple[Any, ...]] = []
    for image in np.flatnonzero(flagged).tolist():
        given, predicted = instances[image], predictions[image]
        for each in found[image]:
            own = given if each.given else predicted
            first = (each.given or each.predicted)[0]
            whole = predicted if not each.given or each.kind == 5 else given
            mask = whole.masks[each.predicted[0] if whole is predicted else first]
            area = int(np.diff(mask.reshape(-1, 2).astype(np.int64)).sum())
            label = int(own.labels[first])
            labels = {
                0: (k, label),
                1: (label, k),
                2: (label, int(predicted.labels[each.predicted[0]]) if each.predicted else k),
            }
            before, after = labels.get(each.kind, (label, k + 1))
            part = first if each.given else len(given) + first
            others = max(len(each.given), len(each.predicted))
            score = _score(each.evidence, given.shape)
            rows.append(
                (
                    image,
                    part,
                    each.kind,
                    before,
                    after,
                    score,
                    each.confidence,
                    area,
                    each.iou,
                    others,
                )
            )
    rows.sort(key=lambda row: (row[5], row[0], row[1]))

    def column(at: int, dtype: Any) -> npt.NDArray[Any]:
        return np.array([row[at] for row in rows], dtype=dtype)

    return Parts(
        example=column(0, np.int64),
        part=column(1, np.int64),
        kind=column(2, np.int8),
        kinds=KINDS,
        given=column(3, np.int64),
        suggested=column(4, np.int64),
        score=column(5, np.float64),
        confidence=column(6, np.float64),
        evidence={
            "area": column(7, np.int64),
            "iou": column(8, np.float64),
            "others": column(9, np.int64),
        },
        reasons={kind: text.format for kind, text in REASONS.items()},
    )
