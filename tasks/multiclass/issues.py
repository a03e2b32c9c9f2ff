"""Which labels are wrong, and how sure that is of each."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.inputs import check
from goldlabel.inputs.check import LabeledRows
from goldlabel.inputs.labels import NOT_A_CLASS, checked_ids
from goldlabel.learning import confident, filters
from goldlabel.learning.confident import Counted, Guess, Method
from goldlabel.learning.filters import FilterBy, Judged, Options
from goldlabel.learning.stray import alike
from goldlabel.results.label_issues import LabelIssues, Parts

__all__ = ["KINDS", "find_label_issues", "get_label_quality_scores", "judge"]


KINDS: tuple[str, ...] = ("label error", "not a class", "class with hardly an example")
"""What may be wrong with a label."""


def find_label_issues(
    labels: Any,
    pred_probs: Any,
    *,
    filter_by: FilterBy = "prune_by_noise_rate",
    rank_by: Method = "self_confidence",
    classes: Sequence[Hashable] | None = None,
    ids: npt.ArrayLike | None = None,
    frac_noise: float = 1.0,
    num_to_remove_per_class: npt.ArrayLike | None = None,
    min_examples_per_class: int = 1,
    confident_joint: npt.ArrayLike | None = None,
    thresholds: npt.ArrayLike | None = None,
    guess: Guess = "argmax",
) -> LabelIssues:
    """Find the examples whose given label is probably wrong.

    Parameters
    ----------
    labels : array_like of shape (n,)
        Given class of each example: indices 0 .. k-1, or names. Classes that no example has are
        normal. A label that is none of the classes is an issue, scores 0 and has no part in any
        statistic; from one in ten on such labels are refused.
    pred_probs : array_like of shape (n, k)
        Probabilities that a model predicted for each example *without having seen it in training*
        (by cross-validation, or because it was trained on other data). A DataFrame's columns may
        carry the class names.
    filter_by : str
        How examples are chosen:

        - "prune_by_noise_rate": for each pair of classes, as many examples as the confident joint
          counts, those where the model prefers the other class by most;
        - "prune_by_class": for each class, as many as it counts, those the model is least sure of;
        - "both": what both of these choose;
        - "confident_learning": the examples counted off the diagonal of the confident joint;
        - "predicted_neq_given": the model's class is another one;
        - "low_self_confidence", "low_normalized_margin": the lowest scores, as many as
          "confident_learning" chooses.

        All but the last two leave out examples whose given label is the model's class.
    rank_by : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}
        The score, and so the order; see `get_label_quality_scores`.
    classes : sequence of length k, optional
        Class names in the order of the columns.
    ids : array_like of shape (n,), optional
        Your own name of each example, for the tables.
    frac_noise : float
        Share of the estimated errors to choose, the worst first, in [0, 1]; pruning filters only.
    num_to_remove_per_class : int or array_like of shape (k,), optional
        Choose this many examples of each given class; pruning filters only.
    min_examples_per_class : int
        Leave at least so many examples in each class; pruning filters only.
    confident_joint : array_like of shape (k, k), optional
        Your own estimate: given class by true class; it is calibrated to the labels.
    thresholds : array_like of shape (k,), optional
        Probability from which a class counts as confident, in place of the class means.
    guess : {"argmax", "confident_only"}
        Which class an example with several confident ones is counted for.

    Returns
    -------
    LabelIssues
        With one row of `parts` for each flagged example, and the model's class as suggestion. Of a
        label that is none of the classes `given` is -1, and the evidence `given_text` says what it
        is; its kind is "not a class". A class of a few examples that the model does not know has no
        part in any statistic either: they are issues of the kind "class with hardly an example".

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    Warns
    -----
    DataWarning
        Rows do not sum to 1, columns look permuted, or probabilities look in-sample.

    References
    ----------
    C. Northcutt, L. Jiang, I. Chuang. Confident Learning: Estimating Uncertainty in Dataset Labels.
    JAIR 70 (2021) 1373-1411.

    Examples
    --------
    >>> issues = find_label_issues(
    ...     ["cat", "cat", "cat", "dog", "dog", "dog"],
    ...     [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9]],
    ... )
    >>> issues
    <LabelIssues: multiclass, 1 of 6 examples flagged>
    >>> issues.ranked()
    array([2])
    >>> issues.to_frame("part")[["example", "given", "suggested", "score"]]
       example given suggested  score
    0        2   cat       dog    0.1
    """
    options = Options(
        filter_by=filter_by,
        rank_by=rank_by,
        frac_noise=frac_noise,
        num_to_remove_per_class=num_to_remove_per_class,
        min_examples_per_class=min_examples_per_class,
        confident_joint=confident_joint,
        thresholds=thresholds,
        guess=guess,
    ).checked()
    rows = check.labeled_rows(labels, pred_probs, classes, mark_unknown=True)
    names = checked_ids(ids, rows.labels.shape[0])
    return judge(rows, options, ids=names)[0]


def judge(
    rows: LabeledRows, options: Options, *, ids: npt.NDArray[Any] | None = None
) -> tuple[LabelIssues, Counted]:
    """Find issues of labels that have been checked; return what was counted too."""
    judged = filters.judge(rows.labels, rows.pred_probs, rows.classes, options)
    counted = judged.counted
    issues = LabelIssues(
        task="multiclass",
        scores=judged.scores,
        is_issue=judged.is_issue,
        parts=_parts(judged, rows, by_thresholds=options.thresholds is not None),
        classes=rows.classes,
        ids=ids,
        params=options.params(),
        # A copy: whoever corrects the labels in place keeps the result.
        given=np.maximum(rows.labels, -1).astype(counted.sweep.predicted.dtype),
        suggested=counted.sweep.predicted,
    )
    return issues, counted


def _parts(judged: Judged, rows: LabeledRows, *, by_thresholds: bool) -> Parts:
    """One row for each flagged example, worst first; of equal scores labels that are none first."""
    ranked = confident.rank_issues(judged.counted, judged.scores, judged.is_issue)
    kinds, kind = KINDS[:1], np.broadcast_to(np.int8(0), ranked.rows.shape)
    texts: dict[str, npt.NDArray[Any]] = {}
    if judged.stray.size:
        is_stray = np.isin(ranked.rows, judged.stray)
        ranked = ranked.in_order(np.lexsort((~is_stray, ranked.score)))
        code = np.where(np.isin(ranked.rows, judged.stray), 2 - (ranked.given < 0), 0)
        used = np.union1d(0, code)
        kinds, kind = tuple(KINDS[at] for at in used), np.searchsorted(used, code).astype(np.int8)
        written = np.full(len(rows.labels), "", dtype=object)
        written[rows.labels == NOT_A_CLASS] = rows.unknown
        texts = {"given_text": written[ranked.rows]}
    reason = _reason_by_thresholds if by_thresholds else _reason
    return Parts(
        example=ranked.rows,
        part=np.broadcast_to(np.int64(-1), ranked.rows.shape),
        kind=kind,
        kinds=kinds,
        given=ranked.given,
        suggested=ranked.suggested,
        score=ranked.score,
        confidence=ranked.confidence,
        evidence={**ranked.evidence, **texts},
        reasons=dict(zip(KINDS, (reason, _reason_not_a_class, _reason_rare), strict=True)),
    )


def _reason_not_a_class(*, given_text: str, suggested: str, confidence: float, **_: Any) -> str:
    slip = f", of which it may be a slip: the model gives {suggested!r} {confidence:.0%}"
    if not alike(given_text, suggested):
        slip = f"; the model gives {suggested!r} {confidence:.0%}"
    return f"{given_text!r} is not one of the classes{slip}."


def _reason_rare(*, given: str, suggested: str, confidence: float, p_given: float, **_: Any) -> str:
    slip = f" Is it a slip of the pen for {suggested!r}?" if alike(given, suggested) else ""
    return (
        f"Hardly any example is labelled {given!r}, and the model does not know it: it gives it"
        f" {p_given:.1%}, and {suggested!r} {confidence:.0%}.{slip}"
    )


def _reason(
    *,
    given: str,
    suggested: str,
    confidence: float,
    p_given: float,
    threshold_given: float,
    threshold_suggested: float,
    **_: Any,
) -> str:
    if given == suggested:
        return (
            f"The model gives {given!r} only {p_given:.0%}, and no other class more; examples"
            f" labelled so get {threshold_given:.0%} on average."
        )
    if threshold_suggested > 1:
        usual = "though no example is labelled so"
    elif confidence >= threshold_suggested:
        usual = (
            f"no less than the {threshold_suggested:.0%} that examples labelled so get on average"
        )
    else:
        usual = f"though examples labelled so get {threshold_suggested:.0%} on average"
    return (
        f"The model gives {suggested!r} {confidence:.0%}, {usual}, and the given {given!r}"
        f" {p_given:.0%}, where examples labelled so get {threshold_given:.0%}."
    )


def _reason_by_thresholds(
    *,
    given: str,
    suggested: str,
    confidence: float,
    p_given: float,
    threshold_given: float,
    threshold_suggested: float,
    **_: Any,
) -> str:
    if given == suggested:
        return (
            f"The model gives {given!r} only {p_given:.0%}, and no other class more; its threshold"
            f" is {threshold_given:.0%}."
        )
    return (
        f"The model gives {suggested!r} {confidence:.0%} (its threshold is"
        f" {threshold_suggested:.0%}), and the given {given!r} {p_given:.0%} (threshold"
        f" {threshold_given:.0%})."
    )


def get_label_quality_scores(
    labels: Any,
    pred_probs: Any,
    *,
    method: Method = "self_confidence",
    adjust_pred_probs: bool = False,
    thresholds: npt.ArrayLike | None = None,
    classes: Sequence[Hashable] | None = None,
) -> npt.NDArray[np.float64]:
    """Score how likely each given label is right.

    Parameters
    ----------
    labels, pred_probs, classes
        As for `find_label_issues`.
    method : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}
        - "self_confidence": the probability of the given label;
        - "normalized_margin": ``(p[given] - max p[other] + 1) / 2``;
        - "confidence_weighted_entropy": ``log1p(x) / x`` with x = the row's normalised entropy
          over ``p[given]``; low where the model is sure of another class.
    adjust_pred_probs : bool
        Subtract each class's threshold from its probability first, so that classes the model
        finds hard are not blamed for it. Not for "confidence_weighted_entropy".
    thresholds : array_like of shape (k,), optional
        For `adjust_pred_probs`; the mean self-confidence of each class if not given.

    Returns
    -------
    ndarray of shape (n,), float64
        Label quality in [0, 1]; lower is worse. 1 where there is one class only.

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    References
    ----------
    J. Kuan, J. Mueller. Model-agnostic label quality scoring to detect real-world label errors.
    ICML 2022 DataPerf workshop.

    Examples
    --------
    >>> get_label_quality_scores([0, 1], [[0.9, 0.1], [0.8, 0.2]])
    array([0.9, 0.2])
    """
    rows = check.labeled_rows(labels, pred_probs, classes, mark_unknown=True)
    scores = confident.label_quality(
        rows.labels, rows.pred_probs, method, adjust=adjust_pred_probs, thresholds=thresholds
    )
    if rows.unknown:
        scores[rows.labels == NOT_A_CLASS] = 0.0
    return scores
