"""Which values are wrong, from predictions alone."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.inputs import check
from goldlabel.inputs.labels import checked_ids
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.regression.findings import assemble
from goldlabel.tasks.regression.scores import Method, quality
from goldlabel.tasks.regression.values import NUMBER, given_values

__all__ = ["THRESHOLD", "find_label_issues"]

THRESHOLD = 0.05
"""A label is flagged below this share of the median score."""


def find_label_issues(
    labels: Any,
    predictions: Any,
    *,
    method: Method = "outre",
    threshold: float = THRESHOLD,
    exact: bool | None = None,
    ids: npt.ArrayLike | None = None,
) -> LabelIssues:
    """Find the examples whose given value is probably wrong, or is no value.

    Parameters
    ----------
    labels : array_like of shape (n,)
        Given values. Missing ones (None, NaN, "", "n/a") and what is no finite number (text,
        infinity) are findings of kinds of their own, and have no part in any statistic.
    predictions : array_like of shape (n,)
        What a model predicts for each example *without having seen it in training*. May be
        missing where the label is no number.
    method : {"outre", "residual", "residual_scaled"}
        The score; see `goldlabel.tasks.regression.get_label_quality_scores`.
    threshold : float
        Flag the examples whose score is below this share of the median score, in [0, 1].
    exact : bool, optional
        For "outre"; see `goldlabel.tasks.regression.get_label_quality_scores`.
    ids : array_like of shape (n,), optional
        Your own name of each example, for the tables.

    Returns
    -------
    LabelIssues
        One row of `parts` for each flagged example, worst first, with the evidence `predicted`,
        `low`, `high` (the plausible interval), `difference` (given less predicted),
        `times_usual` (its size by the usual size at such a prediction) and `given_text` (what stands in place of a
        number). Suggested is the prediction. A label that is no number scores 0, a missing one
        0.5, both with confidence 0.

    Raises
    ------
    InputError
        A shape or value that does not fit; the message says which entry.

    See Also
    --------
    goldlabel.tasks.regression.CleanLearning : Makes predictions, and finds out how many are wrong.
    goldlabel.tasks.regression.plausible : Where intervals and confidences come from.

    Examples
    --------
    >>> predictions = np.linspace(10, 20, 101)
    >>> labels = predictions + np.sin(np.arange(101))
    >>> labels[7] = 107.0
    >>> issues = find_label_issues(labels, predictions)
    >>> issues
    <LabelIssues: regression, 1 of 101 examples flagged>
    >>> issues.reasons()[0]
    'The model predicts 10.7, plausibly 9.659 to 11.74; the given 107 is 96.3 above it, 128 times the usual distance. Is it 10 times too large?'
    """  # noqa: E501
    check.choice(method, get_args(Method), name="method")
    check.number(threshold, name="threshold", low=0.0, high=1.0)
    values, predicted = given_values(labels, predictions)
    names = checked_ids(ids, len(values.kind))
    numeric = values.kind == NUMBER
    y, yhat = values.numbers[numeric], predicted[numeric]
    scores = quality(y, yhat, method, exact=exact) if y.size else np.empty(0)
    is_issue = scores < threshold * np.median(scores) if y.size else np.empty(0, dtype=np.bool_)
    return assemble(
        values,
        predicted,
        scores,
        is_issue,
        ids=names,
        params={"method": method, "threshold": threshold, "exact": exact},
    )
