"""From native files to an audit: read, find what is wrong, sum it up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import collected_warnings
from goldlabel.results.audit import Audit, Table
from goldlabel.tasks.detection.boxes import Pair
from goldlabel.tasks.detection.coco_metrics import mean_precision
from goldlabel.tasks.detection.data import DetectionData
from goldlabel.tasks.detection.diagnostics import warn_of_suspicious
from goldlabel.tasks.detection.formats import FORMATS, PREDICTIONS, read
from goldlabel.tasks.detection.issues import Method, objectlab_issues, scored_issues
from goldlabel.tasks.detection.matching import Options
from goldlabel.tasks.detection.objectlab import Unit
from goldlabel.tasks.detection.precision import class_confusion
from goldlabel.tasks.detection.scoring import Scoring, score
from goldlabel.tasks.detection.summary import class_table, confident_joint, size_table
from goldlabel.tasks.detection.unusable import with_unusable
from goldlabel.tasks.detection.views import ImageView

__all__ = ["audit"]

LIMITS = (
    "Errors that the detector makes too: what it misses, and nobody annotated, stays missed.",
    "Predictions that were cut off at a score: without the unsure ones, an object that the detector"
    " sees faintly looks as if it were not there.",
    "Which of the flagged boxes are truly wrong: look at the worst first, and stop where most of"
    " what you see is right.",
)
_JOINT_CLASSES = 40
_ROWS = 200


def audit(
    path: Path,
    *,
    predictions: Path,
    images: Path | None = None,
    format: Annotated[str | None, FORMATS] = None,
    predictions_format: Annotated[str | None, PREDICTIONS] = None,
    classes: Sequence[str] | None = None,
    names: Path | None = None,
    method: Method = "confident_learning",
    match_iou: float = 0.5,
    near_iou: float = 0.2,
    duplicate_iou: float = 0.8,
    location_factor: float = 2.5,
    spurious_prior: float = 0.02,
    given_weight: float = 0.5,
    worst_weight: float = 0.2,
    distance_unit: Unit = "pixel",
    encoding: str | None = None,
) -> Audit:  # fmt: skip
    r"""Find boxes that are missing, badly placed, of the wrong class, doubled or without an object.

    Annotations come from COCO or LVIS, YOLO, Pascal VOC, Open Images, Label Studio, per-image text
    or a table; predictions, with scores, from COCO results, YOLO or other text files, or a table.
    The two may be of different formats: images are matched by id or file name.

    Parameters
    ----------
    path : Path
        The file of annotations, or the folder with one for each image.
    predictions : Path
        What a detector that has not seen the images in training finds: a file, or a folder.
    images : Path, optional
        Folder of the pictures, for the report; found if it is called images or JPEGImages.
    format : str, optional
        Format of the annotations, in place of what the content looks like.
    predictions_format : str, optional
        Format of the predictions, in place of what the content looks like.
    classes : sequence of str, optional
        Class names in the order of their numbers.
    names : Path, optional
        File of class names: one a line, or data.yaml.
    method : str
        How boxes are judged: by what this detector's scores are worth on this data, or by the
        published constants of ObjectLab.
    match_iou : float
        Overlap (IoU) from which two boxes are the same object.
    near_iou : float
        Overlap from which an annotation is that object, badly placed.
    duplicate_iou : float
        Overlap from which two annotations are the same object.
    location_factor : float
        How many times the gap (1 - IoU) that is usual for its class makes a box look badly placed.
    spurious_prior : float
        Share of annotations without an object that is expected before looking.
    given_weight : float
        Weight in an image's score of an annotation that the detector has not found.
    worst_weight : float
        Weight in an image's score of its worst box.
    distance_unit : str
        Of ObjectLab: distances in pixels, or in thousandths of the image's diagonal.
    encoding : str, optional
        Encoding of a text file, e.g. latin-1, in place of UTF-8.

    Returns
    -------
    Audit

    Raises
    ------
    InputError
        A file can't be read or what it holds does not fit; says which file and entry.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, score in (("labels", ""), ("found", " 0.9")):
    ...     (folder / name).mkdir()
    ...     for at in range(4):
    ...         line = f"0 0.3 0.3 0.2 0.2{score}\n"
    ...         more = "0 0.7 0.7 0.3 0.2 0.95\n" if score and at == 2 else ""
    ...         _ = (folder / name / f"{at}.txt").write_text(line + more)
    >>> found = audit(folder / "labels", predictions=folder / "found", classes=["cell"])
    >>> found.issues.ranked(), found.issues.to_frame("part")["kind"].tolist()
    (array([2]), ['overlooked'])
    """
    options = Options(
        match_iou, near_iou, duplicate_iou, location_factor, spurious_prior, given_weight,
        worst_weight,
    ).checked()  # fmt: skip
    with collected_warnings() as warned:
        data = read(
            path, predictions=predictions, images=images, format=format,
            predictions_format=predictions_format, classes=classes, names=names, encoding=encoding,
        )  # fmt: skip
        pair = data.pair()
        warn_of_suspicious(pair)
        scoring = score(pair, options)
        if method == "confident_learning":
            issues = scored_issues(scoring, options, data.classes, data.ids)
        else:
            issues = objectlab_issues(
                pair, data.classes, data.ids,
                distance_unit=distance_unit, image_sizes=_known_sizes(data, pair),
            )  # fmt: skip
    precision = mean_precision(data.labels, pair.predictions)
    issues = with_unusable(issues, data.unusable, data.labels, pair.predictions)
    return Audit(
        issues=issues.with_params(model=f"predictions in {predictions.name}"),
        source=data.source,
        summary=_figures(data, scoring, precision),
        view=ImageView(data, issues),
        tables=_tables(data, scoring, precision),
        notes=data.notes,
        limits=LIMITS,
        warnings=tuple(warned),
        part="box",
    )


def _known_sizes(data: DetectionData, pair: Pair) -> npt.NDArray[np.float64] | None:
    """Return the sizes of the images if they are known of every one with boxes."""
    sizes = data.sizes.copy()
    sizes[(pair.all_counts == 0) & (pair.predictions.counts == 0)] = 1.0
    return None if np.isnan(sizes).any() else sizes


def _figures(
    data: DetectionData, scoring: Scoring, precision: Mapping[str, float]
) -> dict[str, Any]:
    boxes = len(scoring.pair.annotations.boxes)
    matched = np.count_nonzero(scoring.matches.matched >= 0)
    figures: dict[str, Any] = {
        "examples": len(data),
        "boxes": boxes,
        "classes": len(data.classes),
        "images_without_boxes": int(np.count_nonzero(data.labels.counts == 0)),
        "predicted_boxes": len(scoring.pair.predictions.boxes),
        "share_of_boxes_found": float(matched / max(boxes, 1)),
    }
    if not math.isnan(precision["AP"]):
        figures["COCO_AP"] = precision["AP"]
    return figures


def _tables(
    data: DetectionData, scoring: Scoring, precision: Mapping[str, float]
) -> tuple[Table, ...]:
    tables = [
        Table(
            "Classes",
            class_table(scoring, data.classes).head(_ROWS),
            "Found: share of the annotations that a prediction matches. Threshold: the mean score"
            " of these predictions, from which on one is confident. The other columns count what"
            " looks wrong.",
        )
    ]
    joint = confident_joint(scoring, data.classes, _JOINT_CLASSES)
    if len(joint) > 1:
        tables.append(
            Table(
                "Given and predicted",
                joint.rename_axis(index="given", columns="suggested"),
                "Confident matches on the diagonal; beside it annotations of another class than the"
                " model finds. The row nothing: overlooked objects. The column nothing: annotations"
                " without an object.",
                style="heatmap",
            )
        )
    confusion = class_confusion(scoring.pair, data.classes)
    counts = confusion[["true_positives", "false_positives", "false_negatives"]]
    tables.append(
        Table(
            "Agreement of predictions and labels",
            confusion[counts.sum(axis=1) > 0].head(_ROWS),
            "Means over the IoU thresholds .50, .55, ... .95, of all predictions whatever their"
            " score.",
        )
    )
    sizes = size_table(data.labels, scoring.pair.predictions, data.classes).head(_ROWS)
    unit = "shares of the image" if data.is_relative else "square pixels"
    tables.append(Table("Sizes of boxes", sizes, f"Quartiles of the areas, in {unit}."))
    if not math.isnan(precision["AP"]):
        note = (
            "How well the predictions agree with the labels as they are. It does not tell whether a"
            " disagreement is the detector's fault or the labels'."
        )
        tables.append(Table("COCO average precision", pd.DataFrame([precision]), note))
    return tuple(tables)
