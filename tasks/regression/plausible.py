"""What a wrong value should be, between which bounds, and how sure it is that it is wrong."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.typing import Floats

__all__ = ["COVERED", "Plausible", "plausible", "usual_distance", "wrongness"]


_LEAST, _PARTS = 50, 20
COVERED = 0.9
"""Share of the labels not flagged that lie in the interval around their prediction."""


class Plausible(NamedTuple):
    """A suggestion for each example.

    Attributes
    ----------
    value, low, high : ndarray of shape (n,), float64
        What is suggested, and the interval in which the right value plausibly lies.
    """

    value: Floats
    low: Floats
    high: Floats


def usual_distance(predictions: Floats, sizes: Floats) -> Floats:
    """Return how far labels usually are from predictions such as each of these.

    Large values are often predicted less exactly than small ones. So this is the median size of
    the residuals of examples with like predictions: of as many parts of equal number as hold 50
    examples each, 20 at most, in the order of the predictions, and between their middles what lies
    between.

    Parameters
    ----------
    predictions : ndarray of shape (n,), float64
    sizes : ndarray of shape (n,), float64
        Of the residuals.

    Returns
    -------
    ndarray of shape (n,), float64
        Positive.
    """
    n = len(sizes)
    if not n:
        return np.empty(0)
    parts = np.array_split(np.argsort(predictions, kind="stable"), max(1, min(_PARTS, n // _LEAST)))
    middles = [float(np.median(predictions[part])) for part in parts]
    usual = np.interp(predictions, middles, [float(np.median(sizes[part])) for part in parts])
    # Where most labels are predicted exactly, what is far off is so by the scale of all labels.
    floor = max(0.05 * float(np.median(sizes)), 1e-9 * float(np.ptp(predictions)), 1e-300)
    return np.maximum(usual, floor)


def plausible(
    labels: Floats, predictions: Floats, trusted: npt.NDArray[np.bool_], usual: Floats
) -> Plausible:
    """Return the predictions as suggestions, with intervals that cover the labels not flagged.

    The interval is the prediction plus and minus so many times the usual distance that 90 % of
    the trusted labels are within: split conformal prediction, whose residuals are out of sample
    here too. Where no trusted label is negative, neither are suggestions and bounds.

    Parameters
    ----------
    labels, predictions : ndarray of shape (n,), float64
        Labels may be NaN where they are not trusted.
    trusted : ndarray of shape (n,), bool
        Which labels are numbers and not flagged.
    usual : ndarray of shape (n,), float64
        The usual distance at each prediction; see `usual_distance`.

    References
    ----------
    J. Lei, M. G'Sell, A. Rinaldo, R. Tibshirani, L. Wasserman. Distribution-Free Predictive
    Inference for Regression. JASA 113 (2018) 1094-1111.
    """
    sizes = np.sort(np.abs(predictions - labels)[trusted] / usual[trusted])
    n = len(sizes)
    rank = int(np.ceil((n + 1) * COVERED))
    reach = float(sizes[min(rank, n) - 1]) if n else 0.0
    low, high = predictions - reach * usual, predictions + reach * usual
    never_negative = n > 0 and float(labels[trusted].min()) >= 0
    # A prediction that is negative beyond doubt is nonsense: better seen than hidden.
    floor = np.where(never_negative & (high >= 0), 0.0, -np.inf)
    return Plausible(np.maximum(predictions, floor), np.maximum(low, floor), high)


def wrongness(sizes: Floats) -> Floats:
    """Return how sure it is that labels as far off as this are wrong.

    If the residuals of right labels fall off exponentially from the median that is seen, then
    ``n * 2 ** -(size / median)`` of them are as large as this one. One minus their share of all
    that are as large is the confidence: among the labels with a confidence of 0.9 or more, about
    one in ten is expected to be right.

    Parameters
    ----------
    sizes : ndarray of shape (n,), float64
        Of residuals, in proportion to the usual distance; not negative.

    Returns
    -------
    ndarray of shape (n,), float64
        In [0, 1]; never falls as sizes grow.

    References
    ----------
    Y. Benjamini, Y. Hochberg. Controlling the False Discovery Rate. JRSS B 57 (1995) 289-300.

    Examples
    --------
    >>> wrongness(np.array([1.0, 2.0, 1.5, 0.5, 20.0])).round(2)
    array([0.21, 0.21, 0.21, 0.21, 1.  ])
    """
    n = len(sizes)
    median = float(np.median(sizes)) if n else 0.0
    with np.errstate(over="ignore", under="ignore"):
        expected = n * np.exp2(-sizes / max(median, 1e-300))
    order = np.argsort(-sizes, kind="stable")
    # Equal sizes are as large as each other: count all of them.
    ranked = -sizes[order]
    seen = np.searchsorted(ranked, ranked, side="right")
    share = np.minimum.accumulate((expected[order] / seen)[::-1])[::-1]
    confidence = np.empty(n)
    confidence[order] = 1.0 - np.minimum(share, 1.0)
    return confidence
