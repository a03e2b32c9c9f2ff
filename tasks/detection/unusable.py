"""Annotations without a box that can be used: findings of a kind of their own, listed first.

They stay at their place among the annotations of their image, marked to be ignored, so that no
figure counts them and the numbers of the others are those of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.detection.boxes import Boxes, Detections
from goldlabel.tasks.detection.parts import CORNERS
from goldlabel.typing import Floats, Ints

__all__ = ["NOT_A_BOX", "Unusable", "with_unusable"]

NOT_A_BOX = "not a box"
"""The kind of these findings."""
_OVERLAP = 0.2
"""IoU from which a prediction may be of another annotation."""


class Unusable(NamedTuple):
    """An annotation that has no box, or one that is none.

    Attributes
    ----------
    image, part : int
        Position of the image, and of the annotation in it.
    label : int
        Its class; -1 where what it says is none.
    code : str
        What `goldlabel coco check` calls it.
    what : str
        What is wrong, to follow "This annotation of 'cat' ".
    suggested : int
        The class that may have been meant, where it is that which is wrong; -1 = none.
    """

    image: int
    part: int
    label: int
    code: str
    what: str
    suggested: int = -1


def with_unusable(
    issues: LabelIssues, unusable: Sequence[Unusable], labels: Boxes, predictions: Detections
) -> LabelIssues:
    """Return issues with annotations that have no box put first.

    Where the model sees an object of the class that nothing is annotated for, its box is suggested;
    else, to remove the annotation. Nobody but a person knows what was meant: the confidence is 0,
    so that neither is ever done by itself.

    Parameters
    ----------
    issues : LabelIssues
        What was found among the others.
    unusable : sequence of Unusable
    labels : Boxes
    predictions : Detections

    Examples
    --------
    >>> from goldlabel.tasks.detection import as_boxes, as_detections, find_label_issues
    >>> labels = as_boxes([{"boxes": [[0, 0, 9, 9]], "labels": [0]}] * 5)
    >>> predictions = as_detections(
    ...     [{"boxes": [[0, 0, 9, 9]], "labels": [0], "scores": [0.9]}] * 5
    ... )
    >>> issues = find_label_issues(labels, predictions, classes=["cat"])
    >>> broken = [Unusable(2, 1, 0, "bbox-missing", "has no bbox")]
    >>> with_unusable(issues, broken, labels, predictions).reasons()
    ["This annotation of 'cat' has no bbox (bbox-missing)."]
    """
    if not unusable:
        return issues
    parts, m = issues.parts, len(unusable)
    images, numbers, classes, codes, texts, meant = map(list, zip(*unusable, strict=True))
    seen = _seen(issues, unusable, labels, predictions)
    given = np.array(classes, dtype=parts.given.dtype)
    renamed = np.array(meant, dtype=np.int64)
    action = np.where(seen >= 0, "move", np.where(renamed >= 0, "relabel", "remove"))
    corners = np.where(seen[:, None] >= 0, _rows(predictions.boxes, seen), np.nan)
    new: dict[str, Any] = {
        "action": action.astype(object),
        "model_score": np.where(seen >= 0, _rows(predictions.scores, seen), np.nan),
        **dict(zip(CORNERS, corners.T, strict=True)),
        "code": codes,
        "what": texts,
    }
    evidence = {
        name: np.concatenate([_column(new.get(name), m, values.dtype), values])
        for name, values in {**parts.evidence, **_blank(len(parts))}.items()
    }
    scores, is_issue = issues.scores.copy(), issues.is_issue.copy()
    scores[images], is_issue[images] = 0.0, True
    return replace(
        issues,
        scores=scores,
        is_issue=is_issue,
        parts=replace(
            parts,
            example=np.concatenate([np.array(images, dtype=np.int64), parts.example]),
            part=np.concatenate([np.array(numbers, dtype=np.int64), parts.part]),
            kind=np.concatenate([np.full(m, len(parts.kinds), dtype=np.int8), parts.kind]),
            kinds=(*parts.kinds, NOT_A_BOX),
            given=np.concatenate([given, parts.given]),
            suggested=np.concatenate([np.where(seen >= 0, given, renamed), parts.suggested]),
            score=np.concatenate([np.zeros(m), parts.score]),
            confidence=np.concatenate([np.zeros(m), parts.confidence]),
            evidence=evidence,
            reasons={**parts.reasons, NOT_A_BOX: _reason},  # type: ignore[dict-item]
        ),
    )


def _rows(values: Floats, rows: Ints) -> Floats:
    """Return values by row; NaN where there is none."""
    return np.concatenate([values, np.full((1, *values.shape[1:]), np.nan)])[rows]


def _seen(
    issues: LabelIssues, unusable: Sequence[Unusable], labels: Boxes, predictions: Detections
) -> Ints:
    """Return for each the prediction that it may have been for; -1 where there is none.

    The surest one of its class that overlaps no annotation, and is no finding itself.
    """
    parts = issues.parts
    counts = np.diff(labels.offsets)
    is_new = parts.part >= counts[parts.example]
    rows = (predictions.offsets[parts.example] + parts.part - counts[parts.example])[is_new]
    taken = set(rows.tolist())
    found = np.full(len(unusable), -1, dtype=np.int64)
    for at, each in enumerate(unusable):
        first, last = predictions.offsets[each.image : each.image + 2].tolist()
        own = labels.boxes[labels.offsets[each.image] : labels.offsets[each.image + 1]]
        order = first + np.argsort(-predictions.scores[first:last], kind="stable")
        for row in order.tolist():
            is_class = predictions.labels[row] == each.label
            if is_class and row not in taken and not _overlaps(predictions.boxes[row], own):
                found[at] = row
                taken.add(row)
                break
    return found


def _overlaps(box: Floats, others: Floats) -> bool:
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    inter = np.prod(np.maximum(high - low, 0.0), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return bool((inter > _OVERLAP * (areas - inter)).any())


def _blank(m: int) -> dict[str, npt.NDArray[Any]]:
    return {name: np.full(m, "", dtype=object) for name in ("code", "what")}


def _column(values: Any, m: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return a column of the new rows: NaN, or nothing, where there are no values."""
    if values is None:
        values = np.nan if dtype.kind == "f" else ""
    column = np.empty(m, dtype=dtype)
    column[:] = values
    return column


def _reason(*, given: str, code: str, what: str, model_score: float, **_: Any) -> str:
    seen = ""
    if model_score == model_score:
        seen = f" The model (score {model_score:.2f}) finds one that nothing is annotated for."
    of = "" if given == "nothing" else f" of {given!r}"
    return f"This annotation{of} {what} ({code}).{seen}"
