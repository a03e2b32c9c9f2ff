"""Which pixels of an image are judged wrong, and how much each of them counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.tasks.segmentation import kernels
from goldlabel.tasks.segmentation.counting import Counted, given_scores, guesses
from goldlabel.tasks.segmentation.pixels import Labels, Probs
from goldlabel.tasks.segmentation.shrinking import grow
from goldlabel.typing import Floats, Mask

__all__ = ["Flagged", "evidence", "flag", "flagged_mask", "surprise"]


RAREST = 1e-6
"""A pair of classes that makes up at most this share of either is as surprising as can be."""


class Flagged(NamedTuple):
    """An image judged pixel by pixel; arrays over its pixels, flat but for the first.

    Attributes
    ----------
    labels : ndarray of shape (h, w), int32
        Given classes; -1 where a pixel is left out.
    scores : ndarray of shape (h * w,)
        Probability of the given class.
    predicted : ndarray of shape (h * w,), int32
        What the model suggests for a pixel that is judged wrong; -1 for all others.
    highest : ndarray of shape (h * w,)
        The probability of that; not set for others.
    """

    labels: Labels
    scores: Probs
    predicted: npt.NDArray[np.int32]
    highest: Probs

    @property
    def is_issue(self) -> Mask:
        """Whether a pixel is judged wrong, (h, w)."""
        mask: Mask = self.predicted >= 0
        return mask.reshape(self.labels.shape)


def flag(counted: Counted, at: int) -> Flagged:
    """Judge the pixels of an image: those among the lowest scores that the model disagrees with.

    Ties at the cut go to the first pixels, image after image and row after row.
    """
    pixels = counted.pixels
    labels, scores, probs = given_scores(pixels, at)
    flat = labels.reshape(-1)
    predicted = np.empty(flat.shape, dtype=np.int32)
    highest = np.empty(flat.shape, dtype=pixels.dtype)
    ties = counted.ties[at : at + 1].copy()
    # The prediction is made again: to keep it would take memory for each pixel of the dataset.
    for planes in pixels.planes(probs):
        kernels.flag_pixels(flat, *planes, scores, counted.cut.value, ties, predicted, highest)
    predicted[np.isin(predicted, pixels.ignore)] = -1  # a class that is left out is no suggestion
    return Flagged(labels, scores, predicted, highest)


def flagged_mask(counted: Counted, at: int) -> Mask:
    """Return the pixels of an image that are judged wrong, (h, w), at full resolution."""
    found = flag(counted, at)
    pixels = counted.pixels
    mask = found.is_issue
    if pixels.downsample == 1:
        return mask
    labels = pixels.mask(at)
    grown: Mask = grow(mask, pixels.downsample, labels.shape)
    sharp = guesses(pixels, labels, pixels.probs(at, labels.shape))
    disagrees = (sharp.predicted != sharp.labels) & (sharp.labels >= 0)
    disagrees &= ~np.isin(sharp.predicted, pixels.ignore)
    grown &= disagrees.reshape(labels.shape)
    return grown


def surprise(counted: Counted) -> Floats:
    """Return how unusual it is to predict one class where another is given, (k, k) in [0, 1].

    ``u = log(r) / log(1e-6)``, where r is the share of the pixels given the one class that are
    predicted as the other, or the share of those predicted as the other that are given the one,
    whichever is larger.
    """
    confusion = counted.confusion.astype(np.float64)
    given = np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    predicted = np.maximum(confusion.sum(axis=0, keepdims=True), 1)
    share = confusion / np.minimum(given, predicted)
    usual: Floats = np.log(np.clip(share, RAREST, 1.0)) / np.log(RAREST)
    return np.abs(usual)  # no -0.0


def evidence(found: Flagged, unusual: Floats) -> Floats:
    """Return how much each flagged pixel, in order, speaks against its label, squared.

    ``e = (p[predicted] - p[given])**2 u[given, predicted]``; squares add up, over a region and
    over an image.
    """
    chosen = np.flatnonzero(found.predicted >= 0)
    gap = found.highest[chosen].astype(np.float64) - found.scores[chosen]
    unusual = unusual[found.labels.reshape(-1)[chosen], found.predicted[chosen]]
    squares: Floats = (gap * gap * unusual) ** 2
    return squares
