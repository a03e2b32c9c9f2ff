"""What is in the images: counts, sizes and classes of boxes, given and predicted."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.tasks.detection.arrays import as_boxes, as_detections
from goldlabel.tasks.detection.boxes import BoxArrays, Boxes, paired
from goldlabel.tasks.detection.matching import Options
from goldlabel.tasks.detection.scoring import (
    BADLOC,
    DUPLICATED,
    OVERLOOKED,
    SPURIOUS,
    SWAP,
    Scoring,
    score,
)
from goldlabel.typing import Floats

__all__ = [
    "box_sizes",
    "class_shares",
    "class_table",
    "confident_joint",
    "object_counts",
    "size_table",
    "summarize",
]


def summarize(
    labels: Any, predictions: Any, *, classes: Sequence[Hashable] | None = None
) -> pd.DataFrame:
    """Return a row per class: how many boxes, how well they are found, and what looks wrong.

    Parameters
    ----------
    labels, predictions : Boxes or sequence
        See `goldlabel.tasks.detection.arrays`.
    classes : sequence of length k, optional
        Class names by index.

    Returns
    -------
    DataFrame
        ``class``; ``given`` (annotations judged) and ``found`` (share of them that a prediction
        matches); ``threshold`` (mean score of the predictions that match, from which on one is
        confident); and how many are ``overlooked`` (by the class that the model finds), ``badly
        located``, ``swapped``, ``duplicated``, ``spurious`` (by the class given). Worst first: the
        most mistakes.

    Raises
    ------
    InputError
        A value that does not fit; says which image and box.

    Examples
    --------
    >>> table = summarize(
    ...     [{"boxes": [[0, 0, 9, 9]], "labels": [0]}] * 4 + [{}],
    ...     [{"boxes": [[0, 0, 9, 9]], "labels": [0], "scores": [0.9]}] * 5,
    ...     classes=["cat"],
    ... )
    >>> table[["class", "given", "found", "overlooked"]].to_dict("records")
    [{'class': 'cat', 'given': 4, 'found': 1.0, 'overlooked': 1}]
    """
    pair = paired(
        as_boxes(labels), as_detections(predictions), None if classes is None else len(classes)
    )
    return class_table(score(pair, Options()), classes)


def class_table(scoring: Scoring, classes: Sequence[Hashable] | None) -> pd.DataFrame:
    """Return `summarize` of boxes that are scored already."""
    boxes, k = scoring.boxes, scoring.pair.k
    annotated, predicted = scoring.pair.annotations.labels, scoring.pair.predictions.labels
    given = np.bincount(annotated, minlength=k)
    matched = np.bincount(annotated[scoring.matches.matched >= 0], minlength=k)
    columns: dict[str, Any] = {
        "class": pd.Series(range(k) if classes is None else list(classes), dtype=object),
        "given": given,
        "found": matched / np.maximum(given, 1),
        "threshold": scoring.calibration.thresholds,
    }
    names = ("overlooked", "badly located", "swapped", "duplicated", "spurious")
    for name, kind in zip(names, (OVERLOOKED, BADLOC, SWAP, DUPLICATED, SPURIOUS), strict=True):
        rows = boxes.is_issue & (boxes.kind == kind)
        of = (
            predicted[boxes.other[rows]]
            if kind == OVERLOOKED
            else annotated[boxes.annotation[rows]]
        )
        columns[name] = np.bincount(of, minlength=k)
    table = pd.DataFrame(columns)
    total = table[list(names)].sum(axis=1).to_numpy()
    table = table.iloc[np.lexsort((np.arange(k), -given, -total))]
    return table[(table["given"] > 0) | (total[table.index] > 0)].reset_index(drop=True)


def confident_joint(scoring: Scoring, classes: Sequence[Hashable], most: int) -> pd.DataFrame:
    """Count confident pairs of given and predicted class, with a row and a column for no object.

    Annotations whose match is confident count on the diagonal, swapped ones off it, spurious ones
    in the last column, overlooked objects in the last row. Classes without any are left out; of
    more than `most` that have some, the table is empty.
    """
    boxes, k = scoring.boxes, scoring.pair.k
    annotated, predicted = scoring.pair.annotations.labels, scoring.pair.predictions.labels
    matched = np.flatnonzero(scoring.matches.matched >= 0)
    scores = scoring.pair.predictions.scores[scoring.matches.matched[matched]]
    sure = annotated[matched][scores >= scoring.calibration.thresholds[annotated[matched]]]
    swapped, overlooked, needless = (
        np.flatnonzero(boxes.is_issue & np.isin(boxes.kind, kinds))
        for kinds in ((SWAP,), (OVERLOOKED,), (SPURIOUS, DUPLICATED))
    )
    below = predicted[boxes.other[overlooked]]
    right = annotated[boxes.annotation[needless]]
    rows = (sure, annotated[boxes.annotation[swapped]], np.full(len(below), k), right)
    columns = (sure, predicted[boxes.other[swapped]], below, np.full(len(right), k))
    used, at = np.unique(np.concatenate((*rows, *columns)), return_inverse=True)
    if len(used) > most:
        return pd.DataFrame()
    joint = np.zeros((len(used), len(used)), dtype=np.int64)
    np.add.at(joint, (at[: len(at) // 2], at[len(at) // 2 :]), 1)
    names = ["nothing" if each == k else str(classes[each]) for each in used.tolist()]
    return pd.DataFrame(joint, index=names, columns=names)


def object_counts(
    labels: Any, predictions: Any, *, ids: npt.ArrayLike | None = None
) -> pd.DataFrame:
    """Count boxes per image, the images with most annotations first.

    Returns
    -------
    DataFrame
        ``image`` (position, or its id), ``given``, ``predicted``.

    Examples
    --------
    >>> table = object_counts([{}, {"boxes": [[0, 0, 1, 1]], "labels": [0]}], [{}, {}])
    >>> table.to_dict("records")[0]
    {'image': 1, 'given': 1, 'predicted': 0}
    """
    given, predicted = as_boxes(labels).counts, as_detections(predictions).counts
    order = np.argsort(-given, kind="stable")
    names = np.arange(len(given)) if ids is None else np.asarray(ids)
    return pd.DataFrame(
        {"image": names[order], "given": given[order], "predicted": predicted[order]}
    )


def box_sizes(
    labels: Any, predictions: Any, *, classes: Sequence[Hashable] | None = None
) -> pd.DataFrame:
    """Describe the areas of the boxes of each class, in the units of the boxes squared.

    Returns
    -------
    DataFrame
        A row per class and side ("given", "predicted"): ``boxes``, and the ``lower_quartile``,
        ``median``, ``upper_quartile`` of their areas; classes with most annotations first.

    Examples
    --------
    >>> table = box_sizes([{"boxes": [[0, 0, 2, 3]], "labels": [0]}], [{}])
    >>> table.to_dict("records")[0]["median"]
    6.0
    """
    return size_table(as_boxes(labels), as_detections(predictions), classes)


def size_table(
    annotations: Boxes, predictions: BoxArrays, classes: Sequence[Hashable] | None
) -> pd.DataFrame:
    """Return `box_sizes` of boxes that are checked already."""
    sides = {"given": annotations, "predicted": predictions}
    rows: list[tuple[Any, ...]] = []
    for side, each in sides.items():
        areas = each.areas
        order = np.argsort(each.labels, kind="stable")
        counts = np.bincount(each.labels)
        ends = np.cumsum(counts)
        for code in np.flatnonzero(counts).tolist():
            own = areas[order[ends[code] - counts[code] : ends[code]]]
            quartiles = np.quantile(own, [0.25, 0.5, 0.75]).tolist()
            rows.append((code, side, len(own), *quartiles))
    given = {code: count for code, side, count, *_ in rows if side == "given"}
    rows.sort(key=lambda row: (-given.get(row[0], 0), row[0], row[1]))
    names = None if classes is None else list(classes)
    named = [(code if names is None else names[code], *rest) for code, *rest in rows]
    columns = ["class", "side", "boxes", "lower_quartile", "median", "upper_quartile"]
    return pd.DataFrame(named, columns=columns)


def class_shares(
    labels: Any, predictions: Any, *, classes: Sequence[Hashable] | None = None
) -> pd.DataFrame:
    """Return which share of the boxes is of each class, given and predicted.

    Returns
    -------
    DataFrame
        ``class``, ``given``, ``predicted`` (shares in [0, 1]); most annotations first.

    Examples
    --------
    >>> table = class_shares([{"boxes": [[0, 0, 2, 3]], "labels": [1]}], [{}])
    >>> table.to_dict("records")[0]
    {'class': 1, 'given': 1.0, 'predicted': 0.0}
    """
    sides = as_boxes(labels), as_detections(predictions)
    k = int(max(each.labels.max(initial=-1) for each in sides)) + 1
    k = k if classes is None else len(classes)
    shares = [_shares(each, k) for each in sides]
    order = np.argsort(-shares[0], kind="stable")
    names = list(range(k)) if classes is None else list(classes)
    column = pd.Series([names[at] for at in order.tolist()], dtype=object)
    return pd.DataFrame({"class": column, "given": shares[0][order], "predicted": shares[1][order]})


def _shares(boxes: BoxArrays, k: int) -> Floats:
    counts = np.bincount(boxes.labels, minlength=k)
    shares: Floats = counts / max(len(boxes.labels), 1)
    return shares
