"""What is in the images: counts, sizes and classes of boxes, given and predicted."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.tasks.detection.arrays import as_boxes
from goldlabel.tasks.detection.boxes import Boxes, paired
from goldlabel.tasks.detection.issues import Judgement, judge
from goldlabel.tasks.detection.judging import BADLOC, DUPLICATED, OVERLOOKED, SPURIOUS, SWAP
from goldlabel.tasks.detection.matching import Choices
from goldlabel.typing import Floats

__all__ = [
    "box_sizes",
    "class_shares",
    "class_table",
    "confident_joint",
    "object_counts",
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
        as_boxes(labels),
        as_boxes(predictions, name="predictions"),
        None if classes is None else len(classes),
    )
    return class_table(judge(pair, Choices()), classes)


def class_table(found: Judgement, classes: Sequence[Hashable] | None) -> pd.DataFrame:
    """Return `summarize` of boxes that are judged already."""
    pair, judged, k = found.pair, found.judged, found.pair.k
    given = np.bincount(pair.given.labels, minlength=k)
    matched = np.bincount(pair.given.labels[found.matches.partner >= 0], minlength=k)
    columns: dict[str, Any] = {
        "class": pd.Series(range(k) if classes is None else list(classes), dtype=object),
        "given": given,
        "found": matched / np.maximum(given, 1),
        "threshold": found.learned.thresholds,
    }
    names = ("overlooked", "badly located", "swapped", "duplicated", "spurious")
    for name, kind in zip(names, (OVERLOOKED, BADLOC, SWAP, DUPLICATED, SPURIOUS), strict=True):
        rows = judged.is_issue & (judged.kind == kind)
        of = (
            pair.predicted.labels[judged.model[rows]]
            if kind == OVERLOOKED
            else pair.given.labels[judged.box[rows]]
        )
        columns[name] = np.bincount(of, minlength=k)
    table = pd.DataFrame(columns)
    total = table[list(names)].sum(axis=1).to_numpy()
    table = table.iloc[np.lexsort((np.arange(k), -given, -total))]
    return table[(table["given"] > 0) | (total[table.index] > 0)].reset_index(drop=True)


def confident_joint(found: Judgement, classes: Sequence[Hashable]) -> pd.DataFrame:
    """Count confident pairs of given and found class, with a row and a column for no object.

    Annotations whose match is confident count on the diagonal, swapped ones off it, spurious ones
    in the last column, overlooked objects in the last row.
    """
    pair, judged, k = found.pair, found.judged, found.pair.k
    probs = pair.predicted.scores
    assert probs is not None
    joint = np.zeros((k + 1, k + 1), dtype=np.int64)
    matched = np.flatnonzero(found.matches.partner >= 0)
    by = found.matches.partner[matched]
    own = pair.given.labels[matched]
    sure = probs[by] >= found.learned.thresholds[own]
    np.add.at(joint, (own[sure], own[sure]), 1)
    flagged = judged.is_issue
    swapped = flagged & (judged.kind == SWAP)
    np.add.at(
        joint,
        (pair.given.labels[judged.box[swapped]], pair.predicted.labels[judged.model[swapped]]),
        1,
    )
    lost = flagged & (judged.kind == OVERLOOKED)
    np.add.at(joint, (np.full(lost.sum(), k), pair.predicted.labels[judged.model[lost]]), 1)
    extra = flagged & np.isin(judged.kind, (SPURIOUS, DUPLICATED))
    np.add.at(joint, (pair.given.labels[judged.box[extra]], np.full(extra.sum(), k)), 1)
    names = [*map(str, classes), "nothing"]
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
    given, found = as_boxes(labels).counts, as_boxes(predictions, name="predictions").counts
    order = np.argsort(-given, kind="stable")
    names = np.arange(len(given)) if ids is None else np.asarray(ids)
    return pd.DataFrame({"image": names[order], "given": given[order], "predicted": found[order]})


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
    sides = {"given": as_boxes(labels), "predicted": as_boxes(predictions, name="predictions")}
    rows: list[tuple[Any, ...]] = []
    for side, each in sides.items():
        areas = np.prod(each.boxes[:, 2:] - each.boxes[:, :2], axis=1)
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
    given, found = as_boxes(labels), as_boxes(predictions, name="predictions")
    k = int(max(given.labels.max(initial=-1), found.labels.max(initial=-1))) + 1
    k = k if classes is None else len(classes)
    shares = [_shares(each, k) for each in (given, found)]
    order = np.argsort(-shares[0], kind="stable")
    names = list(range(k)) if classes is None else list(classes)
    column = pd.Series([names[at] for at in order.tolist()], dtype=object)
    return pd.DataFrame({"class": column, "given": shares[0][order], "predicted": shares[1][order]})


def _shares(boxes: Boxes, k: int) -> Floats:
    counts = np.bincount(boxes.labels, minlength=k)
    shares: Floats = counts / max(len(boxes.labels), 1)
    return shares
