"""`check_coco`: everything that is wrong with COCO files, in one list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from goldlabel.coco import boxes, disk, lists, masks, overlaps, predictions, schema, splits
from goldlabel.coco.collecting import Collector
from goldlabel.coco.findings import Batch, Findings
from goldlabel.coco.instances import (
    Annotations,
    Instances,
    load_annotations,
    load_instances,
)
from goldlabel.coco.panoptic import is_panoptic, load_panoptic
from goldlabel.coco.rules import RULES
from goldlabel.errors import InputError
from goldlabel.formats.coco.dataset import SECTIONS, section
from goldlabel.formats.json.document import Document, read_document
from goldlabel.formats.json.records import Ids
from goldlabel.inputs import check
from goldlabel.task import Progress

__all__ = ["check_coco", "check_document"]

IOU = 0.9
TOLERANCE = 1.0
FIELDS = ("id", "area", "iscrowd", "segmentation")


@dataclass(frozen=True, eq=False)
class Checked:
    """One file, read and checked."""

    collector: Collector
    instances: Instances
    annotations: Annotations
    files: list[disk.ImageFile | None] | None


def check_coco(
    path: str | Path,
    *others: str | Path,
    images: str | Path | Sequence[str | Path] | None = None,
    predictions: str | Path | None = None,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    duplicate_iou: float = IOU,
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
) -> Findings:
    """Find what is wrong with files of COCO instances.

    Parameters
    ----------
    path : str or Path
        A dataset in COCO's JSON: images, annotations, categories.
    *others : str or Path
        Other splits of the same dataset: they are checked too, and against each other for images
        that are in both.
    images : str or Path, or sequence of them, optional
        The folder of the images, or one for each file: they are looked for, decoded, and compared.
    predictions : str or Path, optional
        Results of a detector in COCO's JSON, for the one file given.
    select, ignore : sequence of str
        Codes to look for, all if not given; codes to pass over.
    duplicate_iou : float
        From this IoU on, in (0, 1], two boxes are nearly the same.
    tolerance : float
        How far, in pixels, a box or a mask may reach out of its image.
    progress : callable, optional
        Told how many images have been read.

    Returns
    -------
    Findings

    Raises
    ------
    InputError
        A file can't be read, is not JSON, or is no COCO file; an option does not fit.

    Examples
    --------
    >>> text = '{"images": [{"id": 1, "file_name": "1.jpg", "width": 9, "height": 9}],'
    >>> text += '"categories": [{"id": 1, "name": "cat"}], "annotations": [{"id": 7,'
    >>> text += '"image_id": 1, "category_id": 1, "bbox": [2, 2, 4, 0], "area": 8, "iscrowd": 0}]}'
    >>> _ = Path("cats.json").write_text(text)
    >>> for finding in check_coco("cats.json"):
    ...     print(finding.code, finding.path, finding.message)
    bbox-zero-size $.annotations[0].bbox bbox [2, 2, 4, 0] has no size
    """
    paths = [Path(each) for each in (path, *others)]
    _check_options(paths, predictions, select, ignore)
    iou = check.number(duplicate_iou, name="duplicate_iou", low=0.01, high=1.0)
    slack = check.number(tolerance, name="tolerance", low=0.0)
    folders = _folders(paths, images)
    ids = Ids()
    done: list[Checked] = []
    batches: list[Batch] = []
    sizes = dict.fromkeys(("images", "annotations", "categories", "predictions"), 0)
    for each, folder in zip(paths, folders, strict=True):
        checked = check_document(
            read_document(each), ids, iou=iou, tolerance=slack, folder=folder, progress=progress
        )
        for before in done:
            splits.check_leaks(
                checked.collector, checked.instances, before.instances, checked.files, before.files
            )
        _add_sizes(sizes, checked)
        if predictions is not None:
            found, sizes["predictions"] = _predictions(Path(predictions), checked, slack)
            batches += found
        batches += checked.collector.finish()
        done.append(checked)
    files = (*paths, *([] if predictions is None else [Path(predictions)]))
    findings = Findings(files, sizes, batches)
    return findings.only(select, ignore)


def _check_options(
    paths: list[Path],
    predictions: str | Path | None,
    select: Sequence[str] | None,
    ignore: Sequence[str],
) -> None:
    for name, codes in (("select", select or ()), ("ignore", ignore)):
        for code in codes:
            check.choice(code, list(RULES), name=name)
    if predictions is not None and len(paths) > 1:
        raise InputError("predictions", f"are given with {len(paths)} files", "Give one file")
    for at, path in enumerate(paths):
        if path in paths[:at]:
            raise InputError(str(path), "is given twice", "Name each file once")


def _folders(
    paths: list[Path], images: str | Path | Sequence[str | Path] | None
) -> list[Path | None]:
    if images is None:
        return [None] * len(paths)
    if isinstance(images, str | Path):
        return [Path(images)] * len(paths)
    folders = [Path(each) for each in images]
    if len(folders) == 1:
        return [folders[0]] * len(paths)
    if len(folders) != len(paths):
        raise InputError(
            "images",
            f"names {len(folders)} folders, but there are {len(paths)} files",
            "Name one folder, or one for each file",
        )
    return list(folders)


def check_document(
    document: Document,
    ids: Ids,
    *,
    iou: float = IOU,
    tolerance: float = TOLERANCE,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Check one file that has been read."""
    _check_kind(document)
    collector = Collector(document, ids)
    schema.check_bytes(collector)
    schema.check_sections(collector)
    instances = load_instances(document, collector)
    listed = section(document, "annotations")
    nested = is_panoptic(document, listed)
    if nested:
        annotations = load_panoptic(instances, document, listed, collector)
    else:
        annotations = load_annotations(instances, document, listed, collector, fields=FIELDS)
    schema.check_references(collector, instances, annotations, is_panoptic=nested)
    with np.errstate(over="ignore", invalid="ignore"):  # the numbers are whatever the file has
        found = masks.check_masks(collector, instances, annotations, tolerance)
        boxes.check_boxes(collector, instances, annotations, tolerance)
        boxes.check_boxes_with_masks(collector, annotations, found)
        boxes.check_areas(collector, annotations, found)
        boxes.check_crowd(collector, annotations, found)
        if not nested:  # segments share no pixel, so that their boxes may be the same
            overlaps.check_overlaps(collector, annotations, iou)
    lists.check_lists(collector, instances, annotations)
    files = None
    if folder is not None:
        files = disk.read_files(instances, folder, progress)
        disk.check_files(collector, instances, folder, files)
    return Checked(collector, instances, annotations, files)


def _check_kind(document: Document) -> None:
    """Refuse JSON that is no COCO dataset at all."""
    path = str(document.path)
    if document.root.is_list:
        raise InputError(
            path,
            "is a list, as COCO results are, not a dataset",
            "Name the dataset, and pass this file as predictions",
        )
    if document.data[document.root.start] != ord("{"):
        raise InputError(path, "is a single value, not an object", "Name a COCO file")
    if not any(name in document.sections for name in SECTIONS):
        raise InputError(path, f"has none of {', '.join(SECTIONS)}", "Name a file in COCO's format")


def _add_sizes(sizes: dict[str, int], checked: Checked) -> None:
    sizes["images"] += len(checked.instances.images)
    sizes["annotations"] += len(checked.annotations)
    sizes["categories"] += len(checked.instances.categories)


def _predictions(path: Path, checked: Checked, tolerance: float) -> tuple[list[Batch], int]:
    collector = Collector(read_document(path), checked.collector.ids)
    schema.check_bytes(collector)
    with np.errstate(over="ignore", invalid="ignore"):
        found = predictions.check_predictions(
            collector, checked.collector, checked.instances, checked.annotations, tolerance
        )
    return collector.finish(), len(found)
