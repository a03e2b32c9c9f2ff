"""From COCO files to an audit of single objects, with pictures of what the model sees instead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.inputs import check
from goldlabel.results.audit import Audit, Table
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.segmentation.comparing import KINDS, compare
from goldlabel.tasks.segmentation.formats import pictures, with_pictures
from goldlabel.tasks.segmentation.formats.instances import Instances, read
from goldlabel.tasks.segmentation.instance_views import InstanceView
from goldlabel.tasks.segmentation.instances import INSTANCE_THRESHOLD, find_instance_issues

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
        view=InstanceView(data, issues, found),
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
