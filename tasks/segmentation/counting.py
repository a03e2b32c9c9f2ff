"""What a few passes over all images count, image by image: the statistics behind every answer.

Each pass keeps sums and histograms, never a number for each pixel, so memory does not grow with
the number of images; and they are whole numbers, so the answer is the same on any number of
threads. Two passes read every probability, the others only that of the given class.

References
----------
V. Lad, J. Mueller. Estimating label quality and errors in semantic segmentation data via any
model. arXiv:2307.05080 (2023).
C. Northcutt, L. Jiang, I. Chuang. Confident Learning: Estimating Uncertainty in Dataset Labels.
JAIR 70 (2021).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError, warn
from goldlabel.inputs import check
from goldlabel.kernels.class_means import EPS, thresholds
from goldlabel.kernels.ranks import BINS, RankCut
from goldlabel.kernels.rows import each_block, thread_count
from goldlabel.tasks.segmentation import kernels
from goldlabel.tasks.segmentation.pixels import Labels, Pixels, Probs
from goldlabel.typing import Floats, Ints

__all__ = ["Counted", "Guesses", "count", "each_image", "given_scores", "guesses"]


SUM_SLACK = 0.02
"""How far from 1 the probabilities of a pixel may sum: half floats of many classes, rounded."""


@dataclass(frozen=True, eq=False)
class Counted:
    """What is known of a dataset before any pixel is judged.

    Attributes
    ----------
    pixels : Pixels
    class_counts : ndarray of shape (k,), int64
        Pixels given each class.
    thresholds : ndarray of shape (k,), float64
        Mean probability of the given class; one that no pixel has can't be reached.
    confusion : ndarray of shape (k, k), int64
        Pixels by given and predicted class.
    confident : int
        Pixels whose predicted class is another one and reaches its threshold: as many of the
        lowest scores are looked at.
    cut : RankCut
        Where these end.
    ties : ndarray of shape (n,), int64
        How many pixels of each image that equal the cut are among them.
    """

    pixels: Pixels
    class_counts: Ints
    thresholds: Floats
    confusion: Ints
    confident: int
    cut: RankCut
    ties: Ints


class Guesses(NamedTuple):
    """An image as the model sees it; flat arrays over its pixels."""

    labels: Labels
    predicted: npt.NDArray[np.int32]
    highest: Probs
    extremes: Floats


def each_image(work: Callable[[int, int], None], n: int) -> None:
    """Call ``work(worker, image)`` for each image; of several failures the first image's counts."""
    failed: dict[int, InputError] = {}

    def run(worker: int, image: int, _: slice) -> None:
        try:
            work(worker, image)
        except InputError as error:
            failed[image] = error

    each_block(run, n, 1)
    if failed:
        first = failed[min(failed)]
        if len(failed) > 1:
            what = f"{first.what}; {len(failed):,} of {n:,} images can't be used"
            raise InputError(first.where, what, first.fix) from first
        raise first


def given_scores(pixels: Pixels, at: int) -> tuple[Labels, Probs, Probs]:
    """Return labels (h, w), the probability of the given class of each pixel, and of all.

    Raises
    ------
    InputError
        One of the given classes has something else than a probability.
    """
    labels, probs = pixels.image(at)
    flat = labels.reshape(-1)
    scores = np.empty(flat.shape, dtype=pixels.dtype)
    bad = np.zeros(1, dtype=np.int64)
    for planes in pixels.planes(probs):
        kernels.take_given(flat, planes.values, planes.at, planes.size, scores, bad)
    if bad[0]:
        _refuse(pixels, at)
    return labels, scores, probs


def guesses(pixels: Pixels, labels: Labels, probs: Probs) -> Guesses:
    """Return the model's class of each pixel of an image, and its probability."""
    flat = labels.reshape(-1)
    predicted = np.empty(flat.shape, dtype=np.int32)
    highest = np.empty(flat.shape, dtype=pixels.dtype)
    extremes = np.array([0.0, 0.0, 1.0, 1.0])
    for planes in pixels.planes(probs):
        kernels.predict(flat, *planes, predicted, highest, extremes)
    return Guesses(flat, predicted, highest, extremes)


def count(pixels: Pixels, *, rank: bool = True) -> Counted:
    """Count everything; `rank` False leaves the cut out, where no pixel is to be flagged.

    Raises
    ------
    InputError
        A mask or a prediction does not fit; the message says which.

    Warns
    -----
    DataWarning
        The probabilities of some pixel are far from summing to 1.
    """
    n, k = len(pixels), pixels.k
    workers = thread_count()
    cut = RankCut(pixels.dtype)
    class_counts, sums, digits = _given_pass(pixels, cut, workers)
    # Beyond 2^63 together: Python's whole numbers.
    means = np.array([total / kernels.UNIT for total in sums.tolist()])
    cutoffs = thresholds(class_counts, means)
    confusion, confident = _guess_pass(pixels, cutoffs - EPS, workers)
    confident = min(confident, int(class_counts.sum()))
    ties = np.zeros(n, dtype=np.int64)
    if rank and n:
        while not cut.descend(digits, confident):
            digits = _rank_pass(pixels, cut, workers)
        if cut.places:
            ties = _split_ties(pixels, cut)
    assert confusion.shape == (k, k)
    return Counted(pixels, class_counts, cutoffs, confusion, confident, cut, ties)


def _labeled(labels: Labels, scores: Probs) -> Probs:
    """Return the scores of the pixels that are not left out."""
    flat = labels.reshape(-1)
    return scores[flat >= 0] if flat.min(initial=0) < 0 else scores


def _given_pass(pixels: Pixels, cut: RankCut, workers: int) -> tuple[Ints, Any, Ints]:
    k = pixels.k
    counts = np.zeros((workers, k), dtype=np.int64)
    sums = np.zeros((workers, k), dtype=object)
    digits = np.zeros((workers, BINS), dtype=np.int64)

    def work(worker: int, image: int) -> None:
        labels, scores, _ = given_scores(pixels, image)
        own = np.zeros(k, dtype=np.int64)
        kernels.given_sums(labels.reshape(-1), scores, counts[worker], own)
        sums[worker] += own
        cut.count(_labeled(labels, scores), digits[worker])

    each_image(work, len(pixels))
    return counts.sum(axis=0), sums.sum(axis=0), digits.sum(axis=0)


def _guess_pass(pixels: Pixels, cuts: Floats, workers: int) -> tuple[Ints, int]:
    n, k = len(pixels), pixels.k
    confusion: dict[int, Ints] = {}
    confident = np.zeros(workers, dtype=np.int64)
    sums = np.ones((n, 2))

    def work(worker: int, image: int) -> None:
        labels, probs = pixels.image(image)
        found = guesses(pixels, labels, probs)
        lowest, highest = found.extremes[:2]
        if not (lowest >= -EPS and highest <= 1 + EPS):
            _refuse(pixels, image)
        sums[image] = found.extremes[2:]
        table = confusion.setdefault(worker, np.zeros((k, k), dtype=np.int64))
        confident[worker] += kernels.confusion(
            found.labels, found.predicted, found.highest, cuts, table
        )

    each_image(work, n)
    _warn_of_sums(sums)
    total = np.zeros((k, k), dtype=np.int64)
    for table in confusion.values():
        total += table
    return total, int(confident.sum())


def _refuse(pixels: Pixels, image: int) -> None:
    """Say which probability of an image is none."""
    probs = pixels.probs(image)
    bad = ~((probs >= -check.SLACK) & (probs <= 1 + check.SLACK))
    if not bad.any():  # a pixel that is left out, or made smaller
        return
    c, y, x = np.argwhere(bad)[0].tolist()
    value = float(probs[c, y, x])
    fix = "Pass probabilities, each in [0, 1]"
    fix += "; turn logits into them with a softmax" if np.isfinite(value) else ""
    raise InputError(
        f"pred_probs[{image}][{c}, {y}, {x}]",
        f"is {value:g}, not in [0, 1] ({int(bad.sum()):,} such in this image)",
        fix,
    )


def _warn_of_sums(sums: Floats) -> None:
    off = np.abs(sums - 1.0).max(axis=1, initial=0.0)
    if off.size and off.max() > SUM_SLACK:
        image = int(off.argmax())
        worst = sums[image, int(np.abs(sums[image] - 1.0).argmax())]
        warn(
            f"pred_probs[{image}]: the probabilities of a pixel sum to {worst:.4g}, the farthest"
            " from 1 of all. Check that the planes are classes that exclude each other."
        )


def _rank_pass(pixels: Pixels, cut: RankCut, workers: int) -> Ints:
    digits = np.zeros((workers, BINS), dtype=np.int64)

    def work(worker: int, image: int) -> None:
        cut.count(_labeled(*given_scores(pixels, image)[:2]), digits[worker])

    each_image(work, len(pixels))
    total: Ints = digits.sum(axis=0)
    return total


def _split_ties(pixels: Pixels, cut: RankCut) -> Ints:
    """Give the places of the numbers that equal the cut to the first images that have some."""
    n = len(pixels)
    equal = np.full(n, np.iinfo(np.int64).max)
    if cut.places < cut.equal:

        def work(_: int, image: int) -> None:
            scores = _labeled(*given_scores(pixels, image)[:2])
            equal[image] = np.count_nonzero(scores == cut.value)

        each_image(work, n)
        before = np.append(0, np.cumsum(equal)[:-1])
        equal = np.clip(cut.places - before, 0, equal)
    return equal
