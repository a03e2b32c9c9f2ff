"""Boxes with the suggestions of an audit put in, to see what they change."""

from __future__ import annotations

import numpy as np

from goldlabel.errors import InputError
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.detection.boxes import Boxes, offsets_of
from goldlabel.tasks.detection.parts import CORNERS

__all__ = ["with_suggestions"]


def with_suggestions(labels: Boxes, issues: LabelIssues, *, min_confidence: float = 0.0) -> Boxes:
    """Return annotations with what was suggested: boxes added, moved, relabelled and removed.

    Parameters
    ----------
    labels : Boxes
        The annotations that were judged.
    issues : LabelIssues
        What `find_label_issues` found in them.
    min_confidence : float
        Take suggestions that are at least this sure, in [0, 1].

    Returns
    -------
    Boxes

    Raises
    ------
    InputError
        The issues are of another number of images.

    Examples
    --------
    >>> from goldlabel.tasks.detection import as_boxes, find_label_issues
    >>> labels = as_boxes([{"boxes": [[0, 0, 9, 9]], "labels": [0]}] * 4 + [{}])
    >>> predictions = [{"boxes": [[0, 0, 9, 9]], "labels": [0], "scores": [0.9]}] * 5
    >>> with_suggestions(labels, find_label_issues(labels, predictions)).counts
    array([1, 1, 1, 1, 1])
    """
    if len(issues.scores) != len(labels):
        raise InputError(
            "issues",
            f"are of {len(issues.scores)} images, and the labels of {len(labels)}",
            "Pass the labels that were judged",
        )
    parts = issues.parts
    taken = parts.confidence >= min_confidence
    action = np.where(taken, parts.evidence["action"], "")
    corners = np.stack([parts.evidence[name] for name in CORNERS], axis=1).astype(np.float64)
    rows = labels.offsets[parts.example] + parts.part
    boxes, classes = labels.boxes.copy(), labels.labels.copy()
    moved, relabelled = action == "move", action == "relabel"
    boxes[rows[moved]] = corners[moved]
    classes[rows[relabelled]] = parts.suggested[relabelled]
    kept = np.ones(len(boxes), dtype=np.bool_)
    kept[rows[action == "remove"]] = False
    added = action == "add"
    image = np.concatenate([labels.images[kept], parts.example[added]])
    order = np.argsort(image, kind="stable")
    ignore = None
    if labels.ignore is not None:
        extra = np.zeros(int(added.sum()), dtype=np.bool_)
        ignore = np.concatenate([labels.ignore[kept], extra])[order]
    return Boxes(
        np.concatenate([boxes[kept], corners[added]])[order],
        np.concatenate([classes[kept], parts.suggested[added]])[order],
        offsets_of(image, len(labels)),
        ignore,
    )
