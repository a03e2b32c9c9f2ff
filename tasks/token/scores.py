"""How sure each tag is, and each sentence."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal, get_args

import numpy as np

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.ragged import Ragged
from goldlabel.kernels import pooling
from goldlabel.kernels.ordering import ascending
from goldlabel.learning import confident
from goldlabel.learning.confident import Method
from goldlabel.tasks.token.inputs import FlatTokens, flat_tokens
from goldlabel.typing import Floats, Ints

__all__ = [
    "Aggregator",
    "get_label_quality_scores",
    "get_token_quality_scores",
    "issues_from_scores",
    "pooled",
]

Aggregator = Literal["min", "softmin"]


def get_label_quality_scores(
    labels: Any,
    pred_probs: Any,
    *,
    method: Method = "self_confidence",
    aggregator: Aggregator = "min",
    temperature: float = 0.05,
    classes: Sequence[Hashable] | None = None,
) -> Floats:
    """Score how likely all tags of each sentence are right.

    Parameters
    ----------
    labels, pred_probs, classes
        As for `find_label_issues`.
    method : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}
        Score of a token; see `goldlabel.tasks.multiclass.get_label_quality_scores`.
    aggregator : {"min", "softmin"}
        How they become the score of a sentence: the lowest, or the mean weighted by a softmax of
        ``(1 - score) / temperature``.
    temperature : float
        Of the softmin; 0 gives the lowest score, infinity the mean.

    Returns
    -------
    ndarray of shape (n,), float64
        Score of each sentence in [0, 1]; lower is worse. 1 where no token has a label.

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    References
    ----------
    E. Wang, J. Mueller. Detecting Label Errors in Token Classification Data. arXiv:2210.03920
    (2022).

    Examples
    --------
    >>> labels = [[0, 0], [1, 1, 1], []]
    >>> pred_probs = [[[0.9, 0.1], [0.6, 0.4]], [[0.8, 0.2], [0.1, 0.9], [0.3, 0.7]], []]
    >>> get_label_quality_scores(labels, pred_probs)
    array([0.6, 0.2, 1. ])
    """
    check_aggregator(aggregator, temperature)
    rows = flat_tokens(labels, pred_probs, classes)
    return pooled(rows, _token_scores(rows, method), aggregator, temperature)


def get_token_quality_scores(
    labels: Any,
    pred_probs: Any,
    *,
    method: Method = "self_confidence",
    classes: Sequence[Hashable] | None = None,
) -> Ragged:
    """Score how likely each tag is right.

    Parameters
    ----------
    labels, pred_probs, classes
        As for `find_label_issues`.
    method : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}
        As for `get_label_quality_scores`.

    Returns
    -------
    Ragged
        A score in [0, 1] for each token, float64, by sentence; lower is worse. 1 where a token has
        no label.

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    Examples
    --------
    >>> scores = get_token_quality_scores([[0, 1]], [[[0.9, 0.1], [0.6, 0.4]]])
    >>> scores[0]
    array([0.9, 0.4])
    """
    rows = flat_tokens(labels, pred_probs, classes)
    return Ragged(_token_scores(rows, method), rows.offsets)


def issues_from_scores(scores: Any, *, threshold: float = 0.1) -> Ints:
    """Choose what scores below a threshold, the worst first.

    Parameters
    ----------
    scores : array_like of shape (n,), or Ragged, or list of n lists
        Scores of sentences, or of the tokens of each sentence.
    threshold : float
        What scores less is chosen, in [0, 1].

    Returns
    -------
    ndarray of shape (m,) or (m, 2), int64
        Positions of sentences; or of sentence and token in it. Ties in reading order.

    Raises
    ------
    InputError
        Scores are no numbers.

    Examples
    --------
    >>> issues_from_scores([0.1, 0.05, 0.6, 0.0125])
    array([3, 1])
    >>> issues_from_scores([[0.9, 0.6], [0.0, 0.8]])
    array([[1, 0]])
    """
    limit = check.number(threshold, name="threshold", low=0.0, high=1.0)
    if not isinstance(scores, Ragged) and any(np.ndim(each) for each in scores):
        scores = Ragged.from_lists(scores)
    values = scores.values if isinstance(scores, Ragged) else scores
    flat = check.vector(values, name="scores", length=len(values))
    low = np.flatnonzero(flat < limit)
    chosen = low[ascending(flat[low])]
    if not isinstance(scores, Ragged):
        return chosen
    return np.column_stack(scores.locate(chosen))


def check_aggregator(aggregator: Any, temperature: Any) -> None:
    """Refuse what is no way to pool scores."""
    check.choice(aggregator, get_args(Aggregator), name="aggregator")
    number = isinstance(temperature, int | float | np.number) and not isinstance(temperature, bool)
    if not number or not temperature >= 0:
        raise InputError("temperature", f"is {temperature!r}", "Pass a number, 0 or more")


def pooled(rows: FlatTokens, scores: Floats, aggregator: Aggregator, temperature: float) -> Floats:
    """Return the score of each sentence; tokens without a label have no part in it."""
    offsets = rows.offsets
    unknown = rows.labels < 0
    unknown[_rows_of_bad_labels(rows)] = False
    if aggregator == "softmin" and unknown.any():
        offsets = np.append(0, np.cumsum(~unknown))[offsets].astype(np.int64)
        scores = scores[~unknown]
    if aggregator == "min":
        return pooling.minimum(scores, offsets)
    return pooling.softmin(scores, offsets, float(temperature))


def _token_scores(rows: FlatTokens, method: Method) -> Floats:
    """Return the score of each token; of a label that is none, 0."""
    scores = confident.label_quality(rows.labels, rows.pred_probs, method, where=rows.place)
    scores[_rows_of_bad_labels(rows)] = 0.0
    return scores


def _rows_of_bad_labels(rows: FlatTokens) -> Ints:
    return np.array([rows.offsets[each.sentence] + each.start for each in rows.bad], dtype=np.int64)
