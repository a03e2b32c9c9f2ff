"""How typical an example is: of the features around it, or of what a model makes of it.

References
----------
J. Kuan, J. Mueller. Back to the Basics: Revisiting Out-of-Distribution Detection Baselines. ICML
2022 workshop, arXiv 2207.03061.

X. Liu, Y. Lochman, C. Zach. GEN: Pushing the Limits of Softmax-Based Out-of-Distribution
Detection. CVPR 2023.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.kernels.rows import block_rows, each_block
from goldlabel.learning.confident import adjusting_thresholds
from goldlabel.neighbors.exact import nearest_in
from goldlabel.neighbors.features import Features, usable_features
from goldlabel.neighbors.graph import Metric, NeighborGraph, as_graph
from goldlabel.typing import Floats

__all__ = ["Method", "OutOfDistribution", "distance_scores", "probability_scores"]

Method = Literal["entropy", "least_confidence", "gen"]
LEAST_SCALE = 100 * np.finfo(np.float64).eps
SAME = 1e-14
"""Cosine distances below it are none: the examples are equal but for rounding."""


def distance_scores(
    mean_distances: Floats, scale: float, metric: str | None, t: float = 1.0
) -> Floats:
    """Return ``exp(-t d / scale)`` of mean distances d to the nearest neighbours."""
    scores = np.exp(-t * mean_distances / scale)
    scores[mean_distances < (SAME if metric == "cosine" else LEAST_SCALE * scale)] = 1.0
    return scores


def distance_scale(mean_distances: Floats) -> float:
    """Return the median, or as good as nothing."""
    return max(float(np.median(mean_distances)), float(LEAST_SCALE))


def probability_scores(
    pred_probs: npt.NDArray[Any],
    method: Method = "entropy",
    thresholds: Floats | None = None,
    *,
    M: int = 100,
    gamma: float = 0.1,
) -> Floats:
    """Score checked probabilities, (n,) in [0, 1]: low where the model is unsure.

    Parameters
    ----------
    pred_probs : ndarray of shape (n, k)
    method : {"entropy", "least_confidence", "gen"}
        ``1 - H(p) / ln k``, ``max p``, or ``1 - mean(q^gamma (1 - q)^gamma)`` of the M largest.
    thresholds : ndarray of shape (k,), optional
        Class thresholds to shift the probabilities by: ``p - t + max t``, rescaled to sum 1.
    """
    n, k = pred_probs.shape
    shift = 0.0 if thresholds is None else thresholds.max() - thresholds
    out = np.ones(n)

    def run(worker: int, block: int, rows: slice) -> None:
        p = pred_probs[rows].astype(np.float64) + shift
        p /= np.maximum(p.sum(axis=1, keepdims=True), 1e-12) if thresholds is not None else 1.0
        if method == "least_confidence":
            out[rows] = p.max(axis=1)
        elif method == "entropy":
            logs = np.log(p, out=np.zeros_like(p), where=p > 0)
            out[rows] = 1.0 + np.einsum("ij,ij->i", p, logs) / np.log(k)
        else:
            best = np.clip(p if k <= M else np.partition(p, k - M, axis=1)[:, k - M :], 0, 1)
            out[rows] = 1.0 - np.mean(best**gamma * (1.0 - best) ** gamma, axis=1)

    if k > 1:
        each_block(run, n, block_rows(4 * k))
    return np.clip(out, 0.0, 1.0)


class OutOfDistribution:
    """Score how typical examples are of those it was fitted on; lower is less typical.

    Parameters
    ----------
    k : int, optional
        Neighbours, for features; 10, or one less than there are rows, if not given.
    t : float
        How fast scores fall with distance.
    metric : {"cosine", "euclidean"}, optional
        For features; by their number if not given.
    method : {"entropy", "least_confidence", "gen"}
        For pred_probs.
    adjust_pred_probs : bool
        Shift pred_probs by the thresholds of the classes, so that those the model finds hard are
        not blamed; labels have to be given to `fit`, or thresholds here.
    confident_thresholds : array_like of shape (k,), optional
        In place of those from labels.
    M, gamma
        For "gen": how many of the largest probabilities count, and an exponent.

    Examples
    --------
    >>> points = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [5.0, 5.0]]
    >>> typical = OutOfDistribution(k=2)
    >>> typical.fit_score(features=points).round(6)
    array([0.367879, 0.367879, 0.367879, 0.367879, 0.002406])
    >>> typical.score(features=[[0.5, 0.5], [10.0, 10.0]]).round(6)
    array([4.93069e-01, 5.00000e-05])
    """

    def __init__(
        self,
        *,
        k: int | None = None,
        t: float = 1.0,
        metric: Metric | None = None,
        method: Method = "entropy",
        adjust_pred_probs: bool = True,
        confident_thresholds: npt.ArrayLike | None = None,
        M: int = 100,
        gamma: float = 0.1,
    ) -> None:
        self.k = None if k is None else check.whole_number(k, name="k", low=1)
        self.t = check.number(t, name="t", low=0.0)
        self.metric = metric
        self.method: Method = check.choice(method, get_args(Method), name="method")
        self.adjust_pred_probs = adjust_pred_probs
        self.confident_thresholds = confident_thresholds
        self.M = check.whole_number(M, name="M", low=1)
        self.gamma = check.number(gamma, name="gamma", low=0.0)
        self._thresholds: Floats | None = None
        self._columns: int | None = None
        self._train: Features | None = None
        self._graph: NeighborGraph | None = None
        self._scale = 0.0

    def fit(self, *, features: Any = None, pred_probs: Any = None, labels: Any = None) -> Any:
        """Learn what is typical, from features, or from pred_probs with labels.

        Returns the object itself. Fitting it again starts anew.
        """
        check.one_given("features", "Pass one of the two", features=features, pred_probs=pred_probs)
        if features is not None:
            self._train = usable_features(features)
            self._graph = as_graph(self._train, k=self.k, metric=self.metric)
            self._scale = distance_scale(self._graph.distances.mean(axis=1))
            return self
        self._fit_probs(pred_probs, labels)
        return self

    def _fit_probs(self, pred_probs: Any, labels: Any) -> None:
        probs, _ = check.pred_probs_array(pred_probs)
        self._thresholds, self._columns = None, probs.shape[1]
        if not self.adjust_pred_probs:
            return
        if self.confident_thresholds is not None:
            none = np.empty(0, dtype=np.int64)
            self._thresholds = adjusting_thresholds(none, probs, self.confident_thresholds)
        elif labels is None:
            what = "are missing, and pred_probs are to be adjusted by the classes' thresholds"
            raise InputError("labels", what, "Pass labels, or adjust_pred_probs=False")
        else:
            rows = check.labeled_rows(labels, pred_probs)
            self._thresholds = adjusting_thresholds(rows.labels, rows.pred_probs)

    def fit_score(
        self, *, features: Any = None, pred_probs: Any = None, labels: Any = None
    ) -> Floats:
        """Fit, and score the same examples: none is its own neighbour. Returns (n,) in [0, 1]."""
        self.fit(features=features, pred_probs=pred_probs, labels=labels)
        if self._graph is None or features is None:
            return self.score(pred_probs=pred_probs)
        means = self._graph.distances.mean(axis=1)
        scores = distance_scores(means, self._scale, self._graph.metric, self.t)
        return self._graph.spread(scores, 1.0)

    def score(self, *, features: Any = None, pred_probs: Any = None) -> Floats:
        """Score examples, new ones too: (n,) in [0, 1].

        By features: the mean distance to the k nearest of the examples it was fitted on; one of
        these finds itself. Incomplete rows score 1.
        """
        check.one_given("features", "Pass one of the two", features=features, pred_probs=pred_probs)
        if pred_probs is not None:
            return self._score_probs(pred_probs)
        if self._train is None or self._graph is None:
            raise InputError("score", "was asked before fit", "Call fit(features=...) first")
        new, train, graph = usable_features(features), self._train, self._graph
        if new.values.shape[1] != train.values.shape[1]:
            what = f"have {new.values.shape[1]} columns, and {train.values.shape[1]} were fitted"
            raise InputError("features", what, "Pass the same columns")
        metric = graph.metric or "euclidean"
        means = nearest_in(train.values, new.values, graph.k, metric).distances.mean(axis=1)
        scores = np.ones(new.n)
        scores[new.rows] = distance_scores(means, self._scale, metric, self.t)
        return scores

    def _score_probs(self, pred_probs: Any) -> Floats:
        probs, _ = check.pred_probs_array(pred_probs)
        if not np.all((probs >= -check.SLACK) & (probs <= 1 + check.SLACK)):
            check.out_of_range(probs)
        if self._columns is None:
            if self.adjust_pred_probs:
                raise InputError("score", "was asked before fit", "Call fit(pred_probs=...) first")
        elif probs.shape[1] != self._columns:
            what = f"has {probs.shape[1]} columns, and {self._columns} were fitted"
            raise InputError("pred_probs", what, "Pass the same classes")
        return probability_scores(probs, self.method, self._thresholds, M=self.M, gamma=self.gamma)
