"""Results of a detector against the file that they are about."""

from __future__ import annotations

import numpy as np

from goldlabel.coco.boxes import check_boxes
from goldlabel.coco.collecting import Collector
from goldlabel.coco.instances import (
    Annotations,
    Instances,
    check_number,
    lacking,
    load_annotations,
)
from goldlabel.coco.masks import check_masks
from goldlabel.coco.overlaps import same_entries
from goldlabel.coco.schema import check_dangling
from goldlabel.errors import InputError
from goldlabel.formats.json import places

__all__ = ["check_predictions"]

MOST = 100
"""COCO's evaluation looks at so many predictions of an image."""


def check_predictions(
    collector: Collector,
    dataset: Collector,
    instances: Instances,
    annotations: Annotations,
    tolerance: float,
) -> Annotations:
    """Check a list of predictions.

    Parameters
    ----------
    collector, dataset : Collector
        Of the predictions, and of the file that they are about.
    instances, annotations
        Of the dataset.
    tolerance : float
        See `check_coco`.

    Raises
    ------
    InputError
        The file neither is a list nor has one of annotations.
    """
    document = collector.document
    listed = document.root if document.root.is_list else document.sections.get("annotations")
    if listed is None or not listed.is_list:
        raise InputError(
            str(document.path), "is no list, as COCO results are", "Name a file of predictions"
        )
    fields = ("score", "segmentation", "keypoints")
    found = load_annotations(instances, document, listed, collector, fields=fields)
    check_dangling(collector, instances, found)
    check_boxes(collector, instances, found, tolerance)
    check_masks(collector, instances, found, tolerance)
    _check_fields(collector, found)
    _check_counts(collector, dataset, instances, annotations, found)
    return found


def _check_fields(collector: Collector, found: Annotations) -> None:
    records = found.records
    scores = records.numbers("score")
    check_number(collector, records, "score", scores)
    none = lacking(records, "score")
    collector.add("field-missing", records, none, "has no score", field="score")
    outside = (scores.floats < 0) | (scores.floats > 1)
    bad = np.flatnonzero(outside | (records.kinds("score") == places.NAN))
    collector.add(
        *("score-invalid", records, bad, "score is {value}, not in [0, 1]"),
        field="score",
        value=records.raw(bad, "score"),
    )
    bare = lacking(records, "bbox") & lacking(records, "segmentation")
    bare &= lacking(records, "keypoints")
    collector.add("bbox-missing", records, bare, "has neither bbox nor segmentation")
    usable = (found.image_rows >= 0) & np.isfinite(found.boxes).all(axis=1)
    usable &= np.isfinite(scores.floats)
    again, first = same_entries(found, np.flatnonzero(usable), (scores.floats,))
    collector.add(
        *("duplicate-prediction", records, again, "is the same as {other}"),
        other=[records.where(row).path for row in first.tolist()],
    )


def _check_counts(
    collector: Collector,
    dataset: Collector,
    instances: Instances,
    annotations: Annotations,
    found: Annotations,
) -> None:
    """Find images with too many predictions, or with none though they have annotations."""
    n = len(instances.images)
    rows = found.image_rows
    predicted = np.bincount(rows[rows >= 0], minlength=n)
    given = np.bincount(annotations.image_rows[annotations.image_rows >= 0], minlength=n)
    many = np.flatnonzero(predicted > MOST)
    _, first = np.unique(rows, return_index=True)
    place = dict(zip(rows[first].tolist(), first.tolist(), strict=True))
    at = np.array([place[row] for row in many.tolist()], dtype=np.int64)
    collector.add(
        *("too-many-predictions", found.records, at, "its image has {n:,} predictions"),
        n=predicted[many],
    )
    none = np.flatnonzero((predicted == 0) & (given > 0))
    text = f"has annotations ({{n:,}}), and no predictions in {collector.document.path.name}"
    dataset.add("image-without-predictions", instances.images, none, text, n=given[none])
