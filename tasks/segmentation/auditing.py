"""From native files to an audit: read, find what is wrong, sum it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from goldlabel.errors import InputError, collected_warnings, warn
from goldlabel.inputs import check
from goldlabel.learning.diagnostics import check_columns
from goldlabel.results.audit import (
    Audit,
    Figure,
    Source,
    Table,
)
from goldlabel.tasks.segmentation import drawing
from goldlabel.tasks.segmentation.counting import Counted, count
from goldlabel.tasks.segmentation.data import SegmentationData
from goldlabel.tasks.segmentation.formats import FORMATS, read
from goldlabel.tasks.segmentation.issues import THRESHOLD, judge
from goldlabel.tasks.segmentation.pixels import labeled_pixels
from goldlabel.tasks.segmentation.regions import Region
from goldlabel.tasks.segmentation.scores import Method
from goldlabel.tasks.segmentation.strays import Stray, with_strays
from goldlabel.tasks.segmentation.summary import class_table, pair_table
from goldlabel.tasks.segmentation.views import MaskView

__all__ = ["audit"]

LIMITS = (
    "Errors that the model makes too: a region is only questioned where the model, which has not"
    " seen the image, is sure of another class.",
    "Classes that the model takes for each other all the time: there a wrong label looks like one"
    " more of its mistakes.",
    "Which of the flagged regions are truly wrong: look at the worst first, and stop where most of"
    " what you see is right.",
)


def audit(
    path: Path,
    *,
    pred_probs: Path | None = None,
    predictions: Path | None = None,
    images: Path | None = None,
    classes: Sequence[str] | None = None,
    palette: Path | None = None,
    ignore: Sequence[str] | None = None,
    rank_by: Method = "regions",
    threshold: float | None = None,
    temperature: float = 0.1,
    downsample: int = 1,
    format: Annotated[str | None, FORMATS] = None,
    softmax: bool = False,
    masks_key: str | None = None,
    key: str | None = None,
) -> Audit:
    r"""Find the wrong regions of segmentation masks, or the wrong masks of instances.

    Masks come from a folder of PNG images (class indices, or colours with a table), from a NumPy
    file, from COCO JSON (instances or panoptic) or from brush strokes of Label Studio. With
    predicted probabilities every pixel is judged, and reported region by region. With predicted
    instances (--predictions), COCO instances are: missing, spurious, merged, split, badly drawn.

    Parameters
    ----------
    path : Path
        The folder of masks, or the file.
    pred_probs : Path, optional
        Out-of-sample predicted probabilities: .npy or .npz of all images (images, classes,
        height, width), .npz with an array named after each image, or a folder with a file for
        each. They may be coarser than the masks by a whole factor.
    predictions : Path, optional
        Out-of-sample predicted instances: COCO results with masks and scores.
    images : Path, optional
        Folder of the pictures, named like the masks, for the report.
    classes : sequence of str, optional
        Names of the classes in the order of the predictions; if not given, those of classes.txt
        beside the masks.
    palette : Path, optional
        Table of the classes: a line for each with a name and its value, or red, green and blue.
    ignore : sequence of str, optional
        Values, or names of classes, of pixels to leave out, e.g. 255.
    rank_by : str
        The score of an image.
    threshold : float, optional
        Flag the images that score below it; if not given, 0.975 for regions, 0.9 for the share of
        pixels, 0.3 for the softmin, 0.5 for instances.
    temperature : float
        Of the softmin.
    downsample : int
        Judge blocks of so many pixels a side in place of pixels.
    format : str, optional
        Format of the masks, in place of what the content looks like.
    softmax : bool
        The predictions are logits: turn them into probabilities.
    masks_key : str, optional
        Array of masks in an .npz file.
    key : str, optional
        Array of predictions in an .npz file.

    Returns
    -------
    Audit

    Raises
    ------
    InputError
        A file can't be read or what it holds does not fit; says which file and pixel.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> labels = np.zeros((2, 8, 8), dtype=np.uint8)
    >>> labels[:, :, 4:] = 1
    >>> p = np.where(labels == 1, 0.9, 0.1)
    >>> labels[1, :4, 4:] = 0  # a mistake
    >>> np.save(folder / "masks.npy", labels)
    >>> np.save(folder / "probs.npy", np.stack([1 - p, p], axis=1))
    >>> audit(folder / "masks.npy", pred_probs=folder / "probs.npy").issues.ranked()
    array([1])
    """
    if (pred_probs is None) == (predictions is None):
        raise InputError(
            "pred_probs",
            "is missing" if pred_probs is None else "is given along with predictions",
            "Pass --pred-probs, probabilities for each pixel, or --predictions, instances",
        )
    if predictions is not None:
        from goldlabel.tasks.segmentation.instance_audit import audit_instances

        return audit_instances(path, predictions, images=images, threshold=threshold)
    assert pred_probs is not None
    data = read(
        path, pred_probs=pred_probs, images=images, classes=classes, palette=palette,
        ignore=ignore, format=format, masks_key=masks_key, key=key, softmax=softmax,
    )  # fmt: skip
    limit = _threshold(threshold, rank_by)
    pixels = labeled_pixels(
        data.labels,
        data.pred_probs,
        classes=data.classes,
        ignore_index=(-1, *data.ignored),
        downsample=downsample,
    )
    with collected_warnings() as warned:
        counted = count(pixels)
        check_columns(counted.confusion, data.classes, rows="pixels")
        _warn_of_classes_without_pixels(data, counted)
        issues, regions = judge(
            pixels, rank_by=rank_by, threshold=limit, temperature=temperature, ids=data.ids,
            counted=counted, scales=data.scales,
        )  # fmt: skip
    strays = data.strays.found
    issues = with_strays(issues, strays, {at: len(regions.get(at, ())) for at in strays})
    source = _with_regions(data.source, regions, strays)
    view = MaskView(data, issues, source, pixels)
    return Audit(
        issues=issues.with_params(model=f"predictions in {pred_probs.name}"),
        source=source,
        summary=_figures(data, counted),
        view=view,
        tables=_tables(data, counted, regions),
        figures=(
            Figure(
                "Colours of the classes",
                drawing.legend([str(name) for name in data.classes], view.colors),
                "Each class beside its colour in the masks: " + ", ".join(data.classes),
            ),
        ),
        notes=(*data.notes, _note_on_threshold(rank_by, limit)),
        limits=LIMITS,
        warnings=tuple(warned),
        part="region",
    )


def _warn_of_classes_without_pixels(data: SegmentationData, counted: Counted) -> None:
    """Say which classes nobody has labelled: nothing can be found that was taken for them."""
    lacking = [
        str(name)
        for at, name in enumerate(data.classes)
        if counted.class_counts[at] == 0 and at not in data.ignored
    ]
    if lacking:
        more = f" and {len(lacking) - 5:,} more" if len(lacking) > 5 else ""
        warn(
            f"No pixel is labelled {', '.join(lacking[:5])}{more}: check that each class has the"
            " value that the masks give it, and that --ignore leaves out none of them."
        )


def _threshold(threshold: float | None, rank_by: str) -> float:
    usual = {"regions": THRESHOLD, "softmin": 0.3, "num_pixel_issues": 0.9}
    if threshold is None:
        return usual[rank_by]
    return check.number(threshold, name="threshold", low=0.0, high=1.0)


def _note_on_threshold(rank_by: str, limit: float) -> str:
    return f"Images with a score ({rank_by}) below {limit:g} are flagged; --threshold changes that."


def _with_regions(
    source: Source, regions: Mapping[int, Sequence[Region]], strays: Mapping[int, Stray]
) -> Source:
    """Keep the pixels of every region, and of no class: what `export` repaints."""
    listed = {
        str(image): [
            {
                "rle": {"size": list(each.size), "counts": each.counts},
                "given": each.given,
                "scale": each.scale,
            }
            for each in own
        ]
        for image, own in regions.items()
    }
    for image, stray in strays.items():
        rle = {"size": list(stray.size), "counts": stray.counts}
        listed.setdefault(str(image), []).append({"rle": rle, "given": -1, "scale": 1})
    return replace(source, options={**source.options, "regions": listed})


def _figures(data: SegmentationData, counted: Counted) -> dict[str, Any]:
    labelled = int(counted.class_counts.sum())
    agree = int(np.trace(counted.confusion))
    return {
        "examples": len(data),
        "classes": len(data.classes),
        "labelled_pixels": labelled,
        "share_of_pixels_the_model_agrees_with": agree / max(labelled, 1),
        "share_of_pixels_that_confidently_disagree": counted.confident / max(labelled, 1),
    }


def _tables(
    data: SegmentationData, counted: Counted, regions: Mapping[int, Sequence[Region]]
) -> tuple[Table, ...]:
    tables = [
        Table(
            "Classes",
            class_table(counted),
            "Pixels given each class, how many of them the model agrees with, and the mean"
            " probability that it gives them, which is the threshold of the class.",
        )
    ]
    pairs = pair_table(regions, data.classes)
    if len(pairs):
        tables.append(
            Table(
                "Given and predicted classes",
                pairs.head(100),
                "The regions judged wrong, by what they are labelled and what the model sees.",
            )
        )
    return tuple(tables)
