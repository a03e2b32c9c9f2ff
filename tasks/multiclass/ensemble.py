"""Label quality from several models' predictions."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from goldlabel.errors import InputError, warn
from goldlabel.inputs import check
from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.kernels.scores import CLIP
from goldlabel.learning import confident
from goldlabel.learning.confident import Method
from goldlabel.typing import Floats

__all__ = ["get_label_quality_ensemble_scores"]

Weights = Literal["uniform", "accuracy", "log_loss_search", "custom"]

TEMPERATURES = (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 200.0)


def get_label_quality_ensemble_scores(
    labels: Any,
    pred_probs_list: Sequence[Any],
    *,
    method: Method = "self_confidence",
    adjust_pred_probs: bool = False,
    weights: Weights = "accuracy",
    custom_weights: npt.ArrayLike | None = None,
    classes: Sequence[Hashable] | None = None,
) -> Floats:
    """Score how likely each given label is right, by the predictions of several models.

    Parameters
    ----------
    labels : array_like of shape (n,)
        As for `goldlabel.tasks.multiclass.find_label_issues`.
    pred_probs_list : sequence of m array_like of shape (n, k)
        Out-of-sample predicted probabilities of each model.
    method, adjust_pred_probs
        As for `goldlabel.tasks.multiclass.get_label_quality_scores`; each model is scored so.
    weights : {"uniform", "accuracy", "log_loss_search", "custom"}
        How the models' scores are averaged:

        - "uniform": alike;
        - "accuracy": by the share of examples whose given label is the model's class;
        - "log_loss_search": ``softmax(-t * log loss)``, with the t of 1e-4 .. 200 whose weighted
          average prediction has the lowest log loss;
        - "custom": by `custom_weights`, as they are.
    custom_weights : array_like of shape (m,), optional
        Only with ``weights="custom"``.
    classes : sequence of length k, optional
        Class names in the order of the columns.

    Returns
    -------
    ndarray of shape (n,), float64
        Label quality in [0, 1] (with custom weights that sum to 1); lower is worse.

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says of which model.

    References
    ----------
    J. Kuan, J. Mueller. Model-agnostic label quality scoring to detect real-world label errors.
    ICML 2022 DataPerf workshop.

    Examples
    --------
    >>> sure = [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]]
    >>> unsure = [[0.6, 0.4], [0.4, 0.6], [0.7, 0.3], [0.3, 0.7]]
    >>> get_label_quality_ensemble_scores([0, 1, 1, 0], [sure, unsure]).round(2)
    array([0.78, 0.72, 0.48, 0.3 ])
    """
    check.choice(weights, get_args(Weights), name="weights")
    models = _models(labels, pred_probs_list, classes)
    if (custom_weights is not None) != (weights == "custom"):
        raise InputError(
            "custom_weights",
            "is missing" if custom_weights is None else f"is given with weights={weights!r}",
            "Pass it with weights='custom', and only then",
        )
    scores = [
        confident.label_quality(
            model.labels,
            model.pred_probs,
            method,
            adjust=adjust_pred_probs,
            name=f"pred_probs_list[{at}]",
        )
        for at, model in enumerate(models)
    ]
    if weights == "custom":
        share = check.vector(custom_weights, name="custom_weights", length=len(models))
    elif weights == "accuracy":
        share = _accuracy_weights(models)
    elif weights == "log_loss_search":
        share = _log_loss_weights(models)
    else:
        share = np.full(len(models), 1.0 / len(models))
    total: Floats = scores[0] * share[0]
    for score, weight in zip(scores[1:], share[1:], strict=True):
        total += score * weight
    return total


def _models(
    labels: Any, pred_probs_list: Sequence[Any], classes: Sequence[Hashable] | None
) -> list[check.LabeledRows]:
    if isinstance(pred_probs_list, np.ndarray) and pred_probs_list.ndim == 3:
        pred_probs_list = list(pred_probs_list)
    if not isinstance(pred_probs_list, list | tuple) or not pred_probs_list:
        empty = isinstance(pred_probs_list, list | tuple)
        raise InputError(
            "pred_probs_list",
            "holds no model" if empty else f"is a {type(pred_probs_list).__name__}, not a list",
            "Pass the pred_probs of each model in a list",
        )
    if len(pred_probs_list) == 1:
        warn("pred_probs_list: holds one model; get_label_quality_scores does the same.")
    models = []
    for at, pred_probs in enumerate(pred_probs_list):
        name = f"pred_probs_list[{at}]"
        models.append(check.labeled_rows(labels, pred_probs, classes, name=name))
        if models[-1].pred_probs.shape != models[0].pred_probs.shape:
            raise InputError(
                f"pred_probs_list[{at}]",
                f"has shape {models[-1].pred_probs.shape}, the first {models[0].pred_probs.shape}",
                "Pass predictions of the same examples and classes",
            )
    return models


def _accuracy_weights(models: list[check.LabeledRows]) -> Floats:
    right = np.array(
        [np.count_nonzero(model.pred_probs.argmax(axis=1) == model.labels) for model in models]
    )
    total = right.sum()
    return right / total if total > 0 else np.full(len(models), 1.0 / len(models))


def _log_loss_weights(models: list[check.LabeledRows]) -> Floats:
    losses = np.array([_log_loss([model], np.ones(1)) for model in models])
    candidates = [softmax(-temperature * losses) for temperature in TEMPERATURES]
    combined = [_log_loss(models, candidate) for candidate in candidates]
    return np.asarray(candidates[int(np.argmin(combined))], dtype=np.float64)


def _log_loss(models: list[check.LabeledRows], weights: Floats) -> float:
    """Mean ``-log p[given]`` of the weighted average, each entry at least CLIP, rows rescaled."""
    labels = models[0].labels
    n, k = models[0].pred_probs.shape
    size = block_rows(k)
    sums = np.zeros(max(1, -(-n // size)))

    def work(worker: int, block: int, rows: slice) -> None:
        average = models[0].pred_probs[rows] * weights[0]
        for model, weight in zip(models[1:], weights[1:], strict=True):
            average += model.pred_probs[rows] * weight
        average = np.clip(average, CLIP, 1.0 - CLIP)
        own = average[np.arange(average.shape[0]), labels[rows]]
        sums[block] = -np.log(own / average.sum(axis=1)).sum()

    each_block(work, n, size)
    return float(sums.sum()) / max(len(labels), 1)
