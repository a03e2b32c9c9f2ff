"""Which pixels are labelled wrongly, as regions that a person can look at, and as masks."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.inputs import check
from goldlabel.inputs.labels import checked_ids
from goldlabel.results.label_issues import LabelIssues, Parts
from goldlabel.tasks.segmentation.counting import Counted, count, each_image, guesses
from goldlabel.tasks.segmentation.flagging import evidence, flag, flagged_mask, surprise
from goldlabel.tasks.segmentation.pixels import Pixels, labeled_pixels
from goldlabel.tasks.segmentation.regions import Region, find_regions, score_of
from goldlabel.tasks.segmentation.scores import Method, image_scores

__all__ = ["KIND", "THRESHOLD", "PixelIssues", "find_label_issues", "find_pixel_issues", "judge"]

KIND = "wrong region"
THRESHOLD = 0.975
"""Images that score below it are flagged; see docs/decisions on how it was chosen."""

REASON = (
    "{area:,} pixels labelled {given} look like {suggested}: on average the model gives them"
    " {confidence:.0%} for {suggested} and {self_confidence:.0%} for {given}."
)


class PixelIssues(Sequence[npt.NDArray[np.bool_]]):
    """Masks of the pixels judged wrong, one for each image, made when they are asked for.

    ``issues[i]`` is a bool array (h, w), True where the label of image i is judged wrong;
    ``np.stack(issues)`` is all of them, where they have one size.

    Attributes
    ----------
    thresholds : ndarray of shape (k,), float64
        Mean probability of each class over the pixels given it.
    num_candidates : int
        Pixels that confidently disagree: as many of the lowest scores were looked at.
    """

    def __init__(self, counted: Counted) -> None:
        self._counted = counted
        self.thresholds = counted.thresholds
        self.num_candidates = counted.confident

    def __len__(self) -> int:
        return len(self._counted.pixels)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        return flagged_mask(self._counted, int(at) % len(self))

    def __iter__(self) -> Iterator[npt.NDArray[np.bool_]]:
        return (self[at] for at in range(len(self)))

    def of_class(self, at: int, class_index: int) -> npt.NDArray[np.bool_]:
        """Return the pixels of an image judged wrong that are given a class, or seen as it."""
        pixels = self._counted.pixels
        labels = pixels.mask(at)
        found = guesses(pixels, labels, pixels.probs(at, labels.shape))
        predicted = found.predicted.reshape(labels.shape)
        mask: npt.NDArray[np.bool_] = self[at] & (
            (labels == class_index) | (predicted == class_index)
        )
        return mask

    def __repr__(self) -> str:
        return f"<PixelIssues: {len(self)} images>"


def find_pixel_issues(
    labels: Any,
    pred_probs: Any,
    *,
    ignore_index: int | Sequence[int] | None = None,
    downsample: int = 1,
) -> PixelIssues:
    """Find the pixels whose label is probably wrong.

    A pixel's score is the probability of its given class. As many of the lowest scores of the
    whole dataset are looked at as pixels confidently disagree: their predicted class is another
    one and reaches its threshold, the mean probability of that class over the pixels given it.
    Those whose prediction is the given class are left out.

    Parameters
    ----------
    labels, pred_probs, ignore_index, downsample
        As for `find_label_issues`.

    Returns
    -------
    PixelIssues
        A bool mask (h, w) for each image; nothing is kept for each pixel.

    Raises
    ------
    InputError
        Something does not fit; the message says in which image.

    References
    ----------
    V. Lad, J. Mueller. Estimating label quality and errors in semantic segmentation data via any
    model. arXiv:2307.05080 (2023).

    Examples
    --------
    >>> labels = np.array([[[0, 0, 1, 1]]])
    >>> pred_probs = np.array([[[[0.9, 0.1, 0.2, 0.1]], [[0.1, 0.9, 0.8, 0.9]]]])
    >>> find_pixel_issues(labels, pred_probs)[0].tolist()
    [[False, True, False, False]]
    """
    pixels = labeled_pixels(labels, pred_probs, ignore_index=ignore_index, downsample=downsample)
    return PixelIssues(count(pixels))


def find_label_issues(
    labels: Any,
    pred_probs: Any,
    *,
    rank_by: Method = "regions",
    threshold: float = THRESHOLD,
    temperature: float = 0.1,
    classes: Sequence[Hashable] | None = None,
    ids: npt.ArrayLike | None = None,
    ignore_index: int | Sequence[int] | None = None,
    downsample: int = 1,
) -> LabelIssues:
    """Find the images whose mask is probably wrong, and the regions of it that are.

    Parameters
    ----------
    labels : array_like of shape (n, h, w), or sequence or iterable of n arrays (h, w)
        Class index of each pixel, 0 .. k-1. Images may differ in size.
    pred_probs : array_like of shape (n, k, h, w), or sequence or iterable of n arrays (k, h, w)
        Probability of each class, predicted by a model that has not seen the image in training;
        float16, 32 or 64, memory maps included: images are read one by one, several times, and
        never copied as a whole. What can be read only once is kept in a temporary file.
    rank_by : {"regions", "softmin", "num_pixel_issues"}
        The score of an image; see `get_label_quality_scores`.
    threshold : float
        Flag the images that score below it, in [0, 1]; what is usual depends on `rank_by`.
    temperature : float
        Of the softmin.
    classes : sequence of length k, optional
        Class names in the order of the planes.
    ids : array_like of shape (n,), optional
        Your own name of each image, for the tables.
    ignore_index : int or sequence of int, optional
        Labels of pixels to leave out, e.g. 255.
    downsample : int
        Judge blocks of so many pixels a side in place of pixels: the majority of their labels,
        the mean of their probabilities.

    Returns
    -------
    LabelIssues
        One row of `parts` for each region judged wrong in a flagged image: pixels that touch,
        with one given and one predicted class. `part` numbers the regions of an image from 0, the
        worst first; the evidence has `area`, `x`, `y`, `width`, `height` (the bounding box, in
        pixels) and `self_confidence`, the mean score of its pixels. Regions that hold nine tenths
        of the evidence against an image are listed.

    Raises
    ------
    InputError
        A mask or a prediction that does not fit; the message says which.

    Warns
    -----
    DataWarning
        The probabilities of some pixel are far from summing to 1.

    References
    ----------
    V. Lad, J. Mueller. Estimating label quality and errors in semantic segmentation data via any
    model. arXiv:2307.05080 (2023).

    Examples
    --------
    >>> labels = np.zeros((2, 4, 4), dtype=np.uint8)
    >>> labels[:, :, 2:] = 1
    >>> p = np.where(labels == 1, 0.9, 0.1)
    >>> pred_probs = np.stack([1 - p, p], axis=1)
    >>> labels[1, :2, 2:] = 0  # a mistake
    >>> issues = find_label_issues(labels, pred_probs, classes=["road", "car"])
    >>> issues
    <LabelIssues: segmentation, 1 of 2 examples flagged>
    >>> issues.to_frame("part")[["example", "given", "suggested", "area", "x", "y"]]
       example given suggested  area  x  y
    0        1  road       car     4  2  0
    """
    check.choice(rank_by, get_args(Method), name="rank_by")
    limit = check.number(threshold, name="threshold", low=0.0, high=1.0)
    pixels = labeled_pixels(
        labels, pred_probs, classes=classes, ignore_index=ignore_index, downsample=downsample
    )
    names = checked_ids(ids, len(pixels), rows="images")
    issues, _ = judge(pixels, rank_by=rank_by, threshold=limit, temperature=temperature, ids=names)
    return issues


def judge(
    pixels: Pixels,
    *,
    rank_by: Method,
    threshold: float,
    temperature: float,
    ids: npt.NDArray[Any] | None = None,
    counted: Counted | None = None,
    scales: Sequence[int] = (),
) -> tuple[LabelIssues, dict[int, list[Region]]]:
    """Find issues of images that have been checked; return the regions of each image too.

    `scales` says how many pixels of the mask, on each side, one of an image stands for.
    """
    counted = count(pixels) if counted is None else counted
    n = len(pixels)
    scores = np.ones(n)
    if rank_by != "regions":
        scores = image_scores(counted, rank_by, temperature)
    unusual = surprise(counted)
    regions: dict[int, list[Region]] = {}

    def work(_: int, image: int) -> None:
        if rank_by != "regions" and scores[image] >= threshold:
            return
        found = flag(counted, image)
        squares = evidence(found, unusual)
        if rank_by == "regions":
            labelled = int(np.count_nonzero(found.labels >= 0))
            scores[image] = score_of(float(squares.sum()), labelled)
        if scores[image] < threshold:
            scale = pixels.downsample * (scales[image] if scales else 1)
            regions[image] = find_regions(found, squares, scale=scale)

    each_image(work, n)
    regions = dict(sorted(regions.items()))
    issues = LabelIssues(
        task="segmentation",
        scores=scores,
        is_issue=scores < threshold,
        parts=_parts(regions),
        classes=pixels.classes,
        ids=ids,
        params={
            "rank_by": rank_by,
            "threshold": threshold,
            "temperature": temperature,
            "ignore_index": list(pixels.ignore),
            "downsample": pixels.downsample,
        },
    )
    return issues, regions


def _parts(regions: dict[int, list[Region]]) -> Parts:
    """One row for each region, worst first; ties by image, then by number."""
    rows = [(image, part, each) for image, own in regions.items() for part, each in enumerate(own)]
    rows.sort(key=lambda row: row[2].score)

    def column(name: str, dtype: Any) -> npt.NDArray[Any]:
        return np.array([getattr(each, name) for _, _, each in rows], dtype=dtype)

    return Parts(
        example=np.array([image for image, _, _ in rows], dtype=np.int64),
        part=np.array([part for _, part, _ in rows], dtype=np.int64),
        kind=np.zeros(len(rows), dtype=np.int8),
        kinds=(KIND,),
        given=column("given", np.int64),
        suggested=column("predicted", np.int64),
        score=column("score", np.float64),
        confidence=column("confidence", np.float64),
        evidence={
            **{name: column(name, np.int64) for name in ("area", "x", "y", "width", "height")},
            "self_confidence": column("self_confidence", np.float64),
        },
        reasons={KIND: REASON.format},
    )
