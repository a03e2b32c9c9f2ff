"""Summaries of a dataset: how good each class is, and which are taken for each other."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.kernels.rows import thread_count
from goldlabel.learning.summary import ClassCounts
from goldlabel.learning.summary import class_table as quality_table
from goldlabel.tasks.segmentation.counting import Counted, count, each_image
from goldlabel.tasks.segmentation.flagging import flag
from goldlabel.tasks.segmentation.issues import PixelIssues
from goldlabel.tasks.segmentation.pixels import labeled_pixels
from goldlabel.tasks.segmentation.regions import Region
from goldlabel.typing import Ints

__all__ = ["class_table", "common_label_issues", "filter_by_class", "pair_table", "summarize"]


def summarize(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    ignore_index: int | Sequence[int] | None = None,
) -> pd.DataFrame:
    """Rate the label quality of each class.

    Parameters
    ----------
    labels, pred_probs, classes, ignore_index
        As for `find_label_issues`.

    Returns
    -------
    DataFrame
        One row per class, the worst first, ties by class index. `class`; `pixels`: given it;
        `label_issues`: of them judged wrong; `inverse_label_issues`: given another class and
        judged to be of this one; `label_noise`: the share of wrong ones;
        `label_quality_score`: ``1 - label_noise``.

    Raises
    ------
    InputError
        Something does not fit; the message says in which image.

    Examples
    --------
    >>> labels = np.array([[[0, 0, 1, 1]]])
    >>> pred_probs = np.array([[[[0.9, 0.1, 0.2, 0.1]], [[0.1, 0.9, 0.8, 0.9]]]])
    >>> summarize(labels, pred_probs, classes=["road", "car"]).values.tolist()
    [['road', 2, 1, 0, 0.5, 0.5], ['car', 2, 0, 1, 0.0, 1.0]]
    """
    pixels = labeled_pixels(labels, pred_probs, classes=classes, ignore_index=ignore_index)
    return quality_table(_Judged(count(pixels)), count_name="pixels")


class _Judged(NamedTuple):
    """Pixels that have been counted, to be judged."""

    counted: Counted

    def by_class(self) -> ClassCounts:
        """Return how many of the pixels of each class are judged wrong."""
        pairs, pixels = _pairs(self.counted), self.counted.pixels
        counts = self.counted.class_counts
        return ClassCounts(pixels.classes, counts, pairs.sum(axis=1), pairs.sum(axis=0))


def common_label_issues(
    labels: Any,
    pred_probs: Any,
    *,
    classes: Sequence[Hashable] | None = None,
    exclude: Sequence[Any] = (),
    top: int | None = None,
    ignore_index: int | Sequence[int] | None = None,
) -> pd.DataFrame:
    """List which classes pixels are given wrongly, and which the model sees there.

    Parameters
    ----------
    labels, pred_probs, classes, ignore_index
        As for `find_label_issues`.
    exclude : sequence
        Classes, by name or index, to leave out, as given and as predicted one; or pairs (given,
        predicted).
    top : int, optional
        So many rows; all of them if not given.

    Returns
    -------
    DataFrame
        `given_label`, `predicted_label`, `num_pixel_issues`: the most frequent pair first, ties
        by given, then by predicted class.

    Raises
    ------
    InputError
        Something does not fit, or a class to exclude does not exist.

    Examples
    --------
    >>> labels = np.array([[[0, 0, 1, 1]]])
    >>> pred_probs = np.array([[[[0.9, 0.1, 0.2, 0.1]], [[0.1, 0.9, 0.8, 0.9]]]])
    >>> common_label_issues(labels, pred_probs, classes=["road", "car"]).values.tolist()
    [['road', 'car', 1]]
    """
    pixels = labeled_pixels(labels, pred_probs, classes=classes, ignore_index=ignore_index)
    limit = None if top is None else check.whole_number(top, name="top")
    k = pixels.k
    place: dict[Hashable, int] = {at: at for at in range(k)}
    place.update((name, at) for at, name in enumerate(pixels.classes))
    left_out = np.zeros((k, k), dtype=np.bool_)
    for at, entry in enumerate(exclude):
        pair = entry if isinstance(entry, tuple | list) and entry not in place else None
        known = [each for each in (pair or [entry]) if isinstance(each, Hashable) and each in place]
        if len(known) != (2 if pair else 1):
            raise InputError(
                f"exclude[{at}]", f"is {entry!r}", "Name a class, or a pair (given, predicted)"
            )
        if pair:
            left_out[place[known[0]], place[known[1]]] = True
        else:
            left_out[place[known[0]]] = left_out[:, place[known[0]]] = True
    counted = count(pixels)
    pairs = np.where(left_out, 0, _pairs(counted))
    given, predicted = np.nonzero(pairs)
    order = np.argsort(-pairs[given, predicted], kind="stable")[:limit]
    names = _names(counted)
    table = {
        "given_label": names.take(given[order]),
        "predicted_label": names.take(predicted[order]),
        "num_pixel_issues": pairs[given, predicted][order],
    }
    return pd.DataFrame(table)


def filter_by_class(
    class_index: int,
    issues: PixelIssues,
) -> list[npt.NDArray[np.bool_]]:
    """Return the pixels judged wrong that are given a class, or that the model sees it in.

    Parameters
    ----------
    class_index : int
        One that never occurs gives empty masks.
    issues : PixelIssues
        What `find_pixel_issues` found.

    Returns
    -------
    list of ndarray (h, w), bool
        A mask for each image.

    Examples
    --------
    >>> from goldlabel.tasks.segmentation import find_pixel_issues
    >>> labels = np.array([[[0, 0, 1, 1]]])
    >>> pred_probs = np.array([[[[0.9, 0.1, 0.2, 0.1]], [[0.1, 0.9, 0.8, 0.9]]]])
    >>> filter_by_class(1, find_pixel_issues(labels, pred_probs))[0].tolist()
    [[False, True, False, False]]
    """
    wanted = check.whole_number(class_index, name="class_index")
    return [issues.of_class(at, wanted) for at in range(len(issues))]


def _pairs(counted: Counted) -> Ints:
    """Count the pixels judged wrong by given and predicted class, (k, k)."""
    k = counted.pixels.k
    pairs = np.zeros((thread_count(), k * k), dtype=np.int64)

    def work(worker: int, image: int) -> None:
        found = flag(counted, image)
        chosen = np.flatnonzero(found.predicted >= 0)
        cells = found.labels.reshape(-1)[chosen].astype(np.int64) * k + found.predicted[chosen]
        pairs[worker] += np.bincount(cells, minlength=k * k)

    each_image(work, len(counted.pixels))
    total: Ints = pairs.sum(axis=0).reshape(k, k)
    return total


def _names(counted: Counted) -> pd.Index[Any]:
    return pd.Index(counted.pixels.classes, tupleize_cols=False)


def class_table(counted: Counted) -> pd.DataFrame:
    """Return what has been counted of each class, those the model agrees with least first."""
    given, agree = counted.class_counts, np.diag(counted.confusion)
    share = agree / np.maximum(given, 1)
    order = np.argsort(np.where(given > 0, share, 2.0), kind="stable")
    predicted = counted.confusion.sum(axis=0)
    table = {
        "class": _names(counted).take(order),
        "pixels given": given[order],
        "pixels predicted": predicted[order],
        "agreed share": np.where(given > 0, share, np.nan)[order],
        "mean probability": np.where(given > 0, counted.thresholds, np.nan)[order],
    }
    return pd.DataFrame(table)


def pair_table(
    regions: Mapping[int, Sequence[Region]], classes: Sequence[Hashable]
) -> pd.DataFrame:
    """Return how many regions, and pixels in them, are judged wrong for each pair of classes."""
    rows = [(each.given, each.predicted, each.area) for own in regions.values() for each in own]
    frame = pd.DataFrame(rows, columns=["given", "predicted", "pixels"])
    table = frame.groupby(["given", "predicted"]).agg(
        regions=("pixels", "size"), pixels=("pixels", "sum")
    )
    table = table.reset_index().sort_values("pixels", ascending=False, kind="stable")
    for column in ("given", "predicted"):
        table[column] = [str(classes[code]) for code in table[column]]
    return table.reset_index(drop=True)
