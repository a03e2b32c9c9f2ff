"""Confident learning on flat rows of (given label, predicted probabilities).

This is the core that the classification tasks share: what counts as a row (an example, a token, a
pixel) is theirs, what happens to rows is here. Arrays come from `goldlabel.inputs.check`.

References
----------
C. Northcutt, L. Jiang, I. Chuang. Confident Learning: Estimating Uncertainty in Dataset Labels.
JAIR 70 (2021) 1373-1411.

C. Northcutt, T. Wu, I. Chuang. Learning with Confident Examples: Rank Pruning for Robust
Classification with Noisy Labels. UAI 2017.

J. Kuan, J. Mueller. Model-agnostic label quality scoring to detect real-world label errors.
ICML 2022 DataPerf workshop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.kernels import class_means, confident, ordering, scores
from goldlabel.kernels.disagreeing import Disagreeing, looked_up
from goldlabel.learning import calibration
from goldlabel.learning.calibration import Entries
from goldlabel.learning.stray import rare_classes
from goldlabel.typing import Floats, Ints, Mask, Where

__all__ = [
    "Counted",
    "Flagged",
    "Guess",
    "Method",
    "adjusting_thresholds",
    "count",
    "given_joint",
    "label_quality",
    "rank_issues",
]


Method = Literal["self_confidence", "normalized_margin", "confidence_weighted_entropy"]
Guess = Literal["argmax", "confident_only"]


@dataclass(frozen=True, eq=False)
class Counted:
    """Rows after the pass that counts them; nothing of it changes afterwards.

    Attributes
    ----------
    labels, pred_probs : ndarray
        As given to `count`.
    class_counts : ndarray of shape (k,), int64
        Rows given as each class.
    thresholds : ndarray of shape (k,), float64
        Mean self-confidence of each class, or the caller's own; `NEVER` of one that hardly exists.
    is_rare : ndarray of shape (k,), bool
        Classes that hardly exist: they have no part in the joint.
    sweep : goldlabel.kernels.confident.Sweep
        What the pass over pred_probs gave.
    """

    labels: Ints
    pred_probs: npt.NDArray[Any]
    class_counts: Ints
    thresholds: Floats
    is_rare: Mask
    sweep: confident.Sweep

    @property
    def judged_counts(self) -> Ints:
        """Rows given as each class, none of a class that hardly exists: what the joint sums to."""
        return np.where(self.is_rare, 0, self.class_counts)

    @property
    def num_rows(self) -> int:
        """Rows that are not left out."""
        return int(self.class_counts.sum())

    @cached_property
    def joint_entries(self) -> Entries:
        """Confident joint, at least 1 on the diagonal, without its zeros."""
        given, guess, counts = self.sweep.joint
        if self.is_rare.any():
            known = ~(self.is_rare[given] | self.is_rare[guess])
            given, guess, counts = given[known], guess[known], counts[known]
        each = np.arange(len(self.class_counts))
        empty = np.setdiff1d(each, given[given == guess], assume_unique=True)
        rows, columns = np.append(given, empty), np.append(guess, empty)
        order = np.argsort(rows, kind="stable")
        values = np.append(counts, np.ones_like(empty)).astype(np.float64)
        return Entries(rows[order], columns[order], values[order])

    @cached_property
    def calibrated_entries(self) -> Entries:
        """The same with rows that sum to the class counts."""
        return calibration.calibrate_entries(self.joint_entries, self.judged_counts)

    @property
    def confident_joint(self) -> Ints:
        """Confident joint (k, k): given class by guessed true class, at least 1 on the diagonal."""
        return calibration.dense(self.joint_entries, len(self.class_counts))

    @property
    def calibrated_joint(self) -> Ints:
        """Confident joint whose rows sum to the class counts."""
        return calibration.dense(self.calibrated_entries, len(self.class_counts))

    @property
    def off_diagonal(self) -> Mask:
        """Rows counted off the diagonal whose label the model does not agree with."""
        both = self.sweep.flags & (confident.OFF_DIAGONAL | confident.AGREES)
        counted: Mask = both == confident.OFF_DIAGONAL
        return counted

    @cached_property
    def disagreeing(self) -> Disagreeing:
        """Rows that disagree, with the probabilities of their given and predicted class."""
        if self.sweep.disagreeing is not None:
            return self.sweep.disagreeing
        rows = np.flatnonzero(self.disagrees)
        return looked_up(rows, self.labels, self.pred_probs, self.sweep.predicted)

    @property
    def disagrees(self) -> Mask:
        """Rows whose label is not the model's class, nor within 1e-6 of being it."""
        disagrees: Mask = (self.sweep.flags & confident.AGREES) == 0
        return disagrees


def count(
    labels: Ints,
    pred_probs: npt.NDArray[Any],
    *,
    thresholds: npt.ArrayLike | None = None,
    guess: Guess = "argmax",
    methods: Sequence[Method] = (),
    disagreeing: bool = False,
    where: Where = str,
) -> Counted:
    """Count rows in the confident joint, and score them on the way.

    Parameters
    ----------
    labels : ndarray of shape (n,), int64
        Class index, 0 .. k-1; negative = the row is left out of everything and scores 1.
    pred_probs : ndarray of shape (n, k), float32 or float64, C-contiguous
    thresholds : array_like of shape (k,), optional
        In place of the mean self-confidence of each class.
    guess : {"argmax", "confident_only"}
        Which class a row with several confident ones is counted for: the most probable of all
        classes, or of the confident ones.
    methods : sequence of str
        Scores to compute in the same pass: "self_confidence", "normalized_margin".
    disagreeing : bool
        Keep the rows that disagree in the same pass, for whoever goes on to select among them.
    where : callable
        What stands in brackets behind "pred_probs" where a message names a row.

    Raises
    ------
    InputError
        A probability is not a number in [0, 1], or an argument does not fit.
    """
    k = pred_probs.shape[1]
    check.choice(guess, get_args(Guess), name="guess")
    counts, sums = class_means.class_sums(labels, pred_probs)
    cutoffs = class_means.thresholds(counts, sums)
    is_rare = rare_classes(counts, cutoffs)
    if thresholds is not None:
        cutoffs = _given_thresholds(thresholds, k)
    cutoffs = np.where(is_rare, class_means.NEVER, cutoffs)
    sweep = _checked_sweep(
        labels,
        pred_probs,
        cutoffs,
        confident_only=guess == "confident_only",
        methods=methods,
        disagreeing=disagreeing,
        where=where,
    )
    return Counted(labels, pred_probs, counts, cutoffs, is_rare, sweep)


def _given_thresholds(thresholds: npt.ArrayLike, k: int) -> Floats:
    return check.vector(thresholds, name="thresholds", length=k, low=0.0, high=class_means.NEVER)


def given_joint(confident_joint: npt.ArrayLike, k: int) -> Floats:
    """Return a caller's confident joint as float64 after a look at its size and entries."""
    joint = calibration.square(confident_joint, "confident_joint")
    if len(joint) != k:
        raise InputError(
            "confident_joint",
            f"has shape {joint.shape}, but pred_probs has {k} columns",
            "Pass a row and a column for every class",
        )
    return joint


def _checked_sweep(
    labels: Ints,
    pred_probs: npt.NDArray[Any],
    cutoffs: Floats | None,
    *,
    confident_only: bool = False,
    methods: Sequence[Method] = (),
    disagreeing: bool = False,
    name: str = "pred_probs",
    where: Where = str,
) -> confident.Sweep:
    sweep = confident.sweep(
        labels,
        pred_probs,
        cutoffs,
        confident_only=confident_only,
        self_confidence="self_confidence" in methods,
        normalized_margin="normalized_margin" in methods,
        disagreeing=disagreeing,
    )
    if not sweep.in_range:
        check.out_of_range(pred_probs, name=name, where=where)
    if pred_probs.shape[0]:
        check.row_sums(sweep.worst_row, sweep.worst_sum, name=name, where=where)
    return sweep


@dataclass(frozen=True, eq=False)
class Flagged:
    """Flagged rows, the worst first, and what there is to say about each.

    Attributes
    ----------
    rows : ndarray of shape (m,), int64
    given, suggested : ndarray of shape (m,)
        The given class, -1 if it is none, and the model's.
    score : ndarray of shape (m,), float64
    confidence : ndarray of shape (m,), float64
        Probability of the suggested class.
    evidence : dict
        `p_given`, `threshold_given`, `threshold_suggested`: arrays of shape (m,), float64.
    """

    rows: Ints
    given: Ints
    suggested: npt.NDArray[Any]
    score: Floats
    confidence: Floats
    evidence: dict[str, Floats]

    def in_order(self, order: npt.NDArray[np.intp]) -> Flagged:
        """Return the same rows in another order."""
        return Flagged(
            rows=self.rows[order],
            given=self.given[order],
            suggested=self.suggested[order],
            score=self.score[order],
            confidence=self.confidence[order],
            evidence={name: values[order] for name, values in self.evidence.items()},
        )


def rank_issues(counted: Counted, scores: Floats, is_issue: Mask) -> Flagged:
    """Return the flagged rows from the lowest score to the highest; ties by row."""
    # Everything is looked up in the order of the rows, as it lies in memory, and sorted then.
    rows, p_given, p_suggested = counted.disagreeing.in_mask(is_issue)
    if len(rows) < np.count_nonzero(is_issue):  # some agree, or their label is none of the classes
        rows = np.flatnonzero(is_issue)
        p_given = counted.pred_probs[rows, counted.labels[rows]]
        p_given[counted.labels[rows] < 0] = 0.0
        p_suggested = counted.pred_probs[rows, counted.sweep.predicted[rows]]
    score = scores[rows]
    order = ordering.ascending(score)
    score, p_given, p_suggested = score[order], p_given[order], p_suggested[order]
    given, suggested = counted.labels[rows][order], counted.sweep.predicted[rows][order]
    return Flagged(
        rows=rows[order].astype(np.int64),
        given=np.maximum(given, -1),
        suggested=suggested,
        score=score,
        confidence=np.clip(p_suggested.astype(np.float64), 0.0, 1.0),
        evidence={
            "p_given": np.clip(p_given.astype(np.float64), 0.0, 1.0),
            "threshold_given": np.where(given < 0, class_means.NEVER, counted.thresholds[given]),
            "threshold_suggested": counted.thresholds[suggested],
        },
    )


def label_quality(
    labels: Ints,
    pred_probs: npt.NDArray[Any],
    method: Method,
    *,
    counted: Counted | None = None,
    adjust: bool = False,
    thresholds: npt.ArrayLike | None = None,
    name: str = "pred_probs",
    where: Where = str,
) -> Floats:
    """Score how likely each given label is right, in [0, 1].

    Parameters
    ----------
    labels, pred_probs
        As for `count`.
    method : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}
    counted : Counted, optional
        A pass over these rows that has been made: its scores are taken if it has them.
    adjust : bool
        Score ``p - threshold`` rather than p, so that classes the model finds hard are not blamed.
    thresholds : array_like of shape (k,), optional
        For `adjust`; the mean self-confidence of each class if not given.
    name, where
        What messages call pred_probs, and what stands in brackets behind it where they name a row.
    """
    check.choice(method, get_args(Method), name="method")
    if thresholds is not None and not adjust:
        raise InputError(
            "thresholds",
            "are only for adjusted pred_probs",
            "Leave them out, or pass adjust_pred_probs=True",
        )
    if adjust:
        return _adjusted_quality(labels, pred_probs, method, thresholds, name, where)
    if method == "confidence_weighted_entropy":
        if counted is None:
            _checked_sweep(labels, pred_probs, None, name=name, where=where)
        return scores.confidence_weighted_entropy(labels, pred_probs)
    sweep = counted.sweep if counted is not None else None
    if sweep is None or not getattr(sweep, method).shape[0]:
        sweep = _checked_sweep(labels, pred_probs, None, methods=[method], name=name, where=where)
    score: Floats = getattr(sweep, method)
    return score


def _adjusted_quality(
    labels: Ints,
    pred_probs: npt.NDArray[Any],
    method: Method,
    thresholds: npt.ArrayLike | None,
    name: str,
    where: Where,
) -> Floats:
    if method == "confidence_weighted_entropy":
        raise InputError(
            "adjust_pred_probs",
            "is not defined for confidence_weighted_entropy",
            "Use self_confidence or normalized_margin",
        )
    _checked_sweep(labels, pred_probs, None, name=name, where=where)
    cutoffs = adjusting_thresholds(labels, pred_probs, thresholds)
    return scores.adjusted_scores(labels, pred_probs, cutoffs, margin=method == "normalized_margin")


def adjusting_thresholds(
    labels: Ints, pred_probs: npt.NDArray[Any], thresholds: npt.ArrayLike | None = None
) -> Floats:
    """Return the class thresholds, (k,), that probabilities are shifted by where they are adjusted.

    An absent class must not shift all others: it takes the largest threshold there is.
    """
    if thresholds is None:
        cutoffs = class_means.thresholds(*class_means.class_sums(labels, pred_probs))
    else:
        cutoffs = _given_thresholds(thresholds, pred_probs.shape[1])
    absent = cutoffs >= class_means.NEVER
    largest = cutoffs[~absent].max(initial=class_means.THRESHOLD_MIN)
    return np.where(absent, largest, cutoffs)
