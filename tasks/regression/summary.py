"""How good labels and predictions are, over all and by the size of the label."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from goldlabel.inputs import check
from goldlabel.kernels.ordering import ascending
from goldlabel.tasks.regression.scores import Method, get_label_quality_scores
from goldlabel.tasks.regression.values import labels_and_predictions
from goldlabel.typing import Floats

__all__ = ["SURE", "figures", "summarize"]


SURE = 0.9
"""Confidence from which a label is surely wrong: one in ten of them is expected to be right."""


def figures(labels: Floats, predictions: Floats) -> dict[str, Any]:
    """Return how well predictions fit labels: R2, median and mean absolute difference.

    Parameters
    ----------
    labels, predictions : ndarray of shape (n,), float64
        Finite numbers.
    """
    sizes = np.abs(predictions - labels)
    total = float(((labels - labels.mean()) ** 2).sum()) if labels.size else 0.0
    return {
        "r2_of_predictions": 1.0 - float((sizes**2).sum()) / total if total > 0 else None,
        "median_distance": float(np.median(sizes)) if sizes.size else None,
        "mean_distance": float(sizes.mean()) if sizes.size else None,
    }


def summarize(
    labels: Any, predictions: Any, *, method: Method = "outre", parts: int = 10
) -> pd.DataFrame:
    """Show how labels and predictions agree, from the smallest labels to the largest.

    Parameters
    ----------
    labels, predictions, method
        As for `goldlabel.tasks.regression.get_label_quality_scores`.
    parts : int
        Rows of the table: parts of about as many examples each, equal labels together.

    Returns
    -------
    DataFrame
        `from`, `to` (labels), `examples`, `mean_predicted`, `bias` (mean of prediction less
        label), `median_distance`, `mean_score`. Parts of equal labels fall together.

    Examples
    --------
    >>> table = summarize([1.0, 2.0, 3.0, 40.0], [1.5, 2.5, 2.5, 4.0], parts=2)
    >>> table[["from", "to", "examples", "bias"]]
       from    to  examples   bias
    0   1.0   2.0         2   0.50
    1   3.0  40.0         2 -18.25
    """
    check.whole_number(parts, name="parts", low=1)
    y, predicted = labels_and_predictions(labels, predictions)
    scores = get_label_quality_scores(y, predicted, method=method)
    ranked = y[ascending(y)]
    # A label belongs to the part in which the first of its equals lies.
    part = np.searchsorted(ranked, y, side="left") * parts // len(y)
    rows = []
    for number in np.unique(part):
        chosen = part == number
        residuals = (predicted - y)[chosen]
        rows.append(
            {
                "from": float(y[chosen].min()),
                "to": float(y[chosen].max()),
                "examples": int(chosen.sum()),
                "mean_predicted": float(predicted[chosen].mean()),
                "bias": float(residuals.mean()),
                "median_distance": float(np.median(np.abs(residuals))),
                "mean_score": float(scores[chosen].mean()),
            }
        )
    return pd.DataFrame(rows)
