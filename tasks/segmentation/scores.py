"""How likely masks and pixels are right, as numbers in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.labels import as_array
from goldlabel.kernels import pooling
from goldlabel.kernels.ordering import ascending
from goldlabel.tasks.segmentation.counting import Counted, count, each_image, given_scores
from goldlabel.tasks.segmentation.flagging import evidence, flag, flagged_mask, surprise
from goldlabel.tasks.segmentation.pixels import Pixels, labeled_pixels
from goldlabel.tasks.segmentation.regions import score_of
from goldlabel.typing import Floats

__all__ = [
    "Method",
    "get_label_quality_scores",
    "get_pixel_quality_scores",
    "image_scores",
    "issues_from_scores",
]

Method = Literal["regions", "softmin", "num_pixel_issues"]


def get_label_quality_scores(
    labels: Any,
    pred_probs: Any,
    *,
    method: Method = "regions",
    temperature: float = 0.1,
    ignore_index: int | Sequence[int] | None = None,
    downsample: int = 1,
) -> Floats:
    """Score how likely the mask of each image is right.

    Parameters
    ----------
    labels, pred_probs, ignore_index, downsample
        As for `find_label_issues`.
    method : {"regions", "softmin", "num_pixel_issues"}
        What makes one number of an image:

        - "regions": ``1 - sqrt(mean of e**2)`` over its labelled pixels, where e is
          ``(p[predicted] - p[given])**2 u`` for a flagged pixel, 0 for others, and u in [0, 1]
          says how seldom the model takes the one class for the other in the whole dataset:
          ``log(r) / log(1e-6)``, r the share of the pixels given the one that are predicted as
          the other, or the share of those predicted that are given, the larger of the two;
        - "softmin": the mean of the pixels' scores, weighted by
          ``softmax((1 - score) / temperature)``;
        - "num_pixel_issues": the share of pixels that are not flagged.
    temperature : float
        Of the softmin; 0 is the minimum.

    Returns
    -------
    ndarray of shape (n,), float64
        Label quality in [0, 1]; lower is worse; 1 for an image without a labelled pixel.

    Raises
    ------
    InputError
        Something does not fit; the message says in which image.

    Notes
    -----
    "softmin" looks at the probabilities of given classes only, the others at all.

    References
    ----------
    V. Lad, J. Mueller. Estimating label quality and errors in semantic segmentation data via any
    model. arXiv:2307.05080 (2023): the last two.

    Examples
    --------
    >>> labels = [[[0, 0, 1, 1]], [[0, 1]]]
    >>> pred_probs = [
    ...     [[[0.9, 0.1, 0.2, 0.1]], [[0.1, 0.9, 0.8, 0.9]]],
    ...     [[[0.8, 0.3]], [[0.2, 0.7]]],
    ... ]
    >>> get_label_quality_scores(labels, pred_probs, method="num_pixel_issues")
    array([0.75, 1.  ])
    """
    check.choice(method, get_args(Method), name="method")
    pixels = labeled_pixels(labels, pred_probs, ignore_index=ignore_index, downsample=downsample)
    if method == "softmin":
        return _softmin(pixels, temperature)
    return image_scores(count(pixels), method, temperature)


def _softmin(pixels: Pixels, temperature: float) -> Floats:
    """Pool the pixels of each image; only the probabilities of given classes are looked at."""
    cold = check.number(temperature, name="temperature", low=0.0)
    out = np.ones(len(pixels))

    def work(worker: int, image: int) -> None:
        labels, scores, _ = given_scores(pixels, image)
        kept = scores[labels.reshape(-1) >= 0].astype(np.float64)
        out[image] = pooling.softmin(kept, np.array([0, len(kept)]), cold)[0]

    each_image(work, len(pixels))
    return out


def image_scores(counted: Counted, method: Method, temperature: float) -> Floats:
    """Score the images of what has been counted."""
    if method == "softmin":
        return _softmin(counted.pixels, temperature)
    pixels = counted.pixels
    out = np.ones(len(pixels))
    unusual = surprise(counted)

    def work(worker: int, image: int) -> None:
        if method == "regions":
            found = flag(counted, image)
            squares = evidence(found, unusual)
            labelled = int(np.count_nonzero(found.labels >= 0))
            out[image] = score_of(float(squares.sum()), labelled)
        else:
            labelled = int(np.count_nonzero(pixels.mask(image) >= 0))
            wrong = int(np.count_nonzero(flagged_mask(counted, image)))
            out[image] = 1.0 - wrong / max(labelled, 1)

    each_image(work, len(pixels))
    return out


def get_pixel_quality_scores(
    labels: Any,
    pred_probs: Any,
    *,
    ignore_index: int | Sequence[int] | None = None,
) -> Any:
    """Score each pixel: the probability of its given class.

    Parameters
    ----------
    labels, pred_probs, ignore_index
        As for `find_label_issues`.

    Returns
    -------
    ndarray of shape (n, h, w), or list of n ndarrays (h, w)
        As the labels are: an array, or a list of them. In the precision of pred_probs, float32 or
        float64; 1 where a pixel is left out.

    Raises
    ------
    InputError
        Something does not fit; the message says in which image.

    Examples
    --------
    >>> get_pixel_quality_scores(
    ...     np.array([[[0, 1]]]), np.array([[[[0.75, 0.5]], [[0.25, 0.5]]]])
    ... )
    array([[[0.75, 0.5 ]]])
    """
    pixels = labeled_pixels(labels, pred_probs, ignore_index=ignore_index)
    if hasattr(labels, "shape"):
        out = np.empty(labels.shape, dtype=pixels.dtype)
    else:
        out = [np.empty(0)] * len(pixels)  # type: ignore[assignment]

    def work(worker: int, image: int) -> None:
        mask, scores, _ = given_scores(pixels, image)
        out[image] = scores.reshape(mask.shape)

    each_image(work, len(pixels))
    return out


def issues_from_scores(
    image_scores: npt.ArrayLike,
    pixel_scores: Any = None,
    *,
    threshold: float = 0.1,
) -> Any:
    """Turn scores into issues: pixels, or images, that score below a threshold.

    Parameters
    ----------
    image_scores : array_like of shape (n,)
    pixel_scores : ndarray of shape (n, h, w) or list of n ndarrays (h, w), optional
        What `get_pixel_quality_scores` gives.
    threshold : float
        In [0, 1].

    Returns
    -------
    ndarray of shape (n, h, w), bool, or list of ndarrays, or ndarray of int64
        With pixel scores the pixels below the threshold; without, the images below it, the worst
        first, ties by position.

    Raises
    ------
    InputError
        The threshold is not in [0, 1], or scores are no numbers.

    Examples
    --------
    >>> issues_from_scores([0.5, 0.05, 0.02, 0.9])
    array([2, 1])
    """
    limit = check.number(threshold, name="threshold", low=0.0, high=1.0)
    scores = as_array(image_scores, "image_scores")
    if scores.ndim != 1 or (scores.size and scores.dtype.kind not in "fiu"):
        raise InputError(
            "image_scores", f"has shape {scores.shape}, dtype {scores.dtype}", "Pass n numbers"
        )
    if pixel_scores is None:
        below = np.flatnonzero(scores < limit)
        return below[ascending(scores[below].astype(np.float64))]
    if len(pixel_scores) != len(scores):
        raise InputError(
            "pixel_scores",
            f"has {len(pixel_scores):,} images, and image_scores {len(scores):,}",
            "Pass both of the same images",
        )
    if isinstance(pixel_scores, np.ndarray):
        return pixel_scores < limit
    return [np.asarray(each) < limit for each in pixel_scores]
