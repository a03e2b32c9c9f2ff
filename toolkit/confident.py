"""Confident learning on flat rows of (given label, predicted probabilities).

This is the core that the classification tasks share: what counts as a row (an example, a token, a
pixel) is theirs, what happens to rows is here. Arrays come from `goldlabel.check`.

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

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from goldlabel import check, noise
from goldlabel.errors import DataWarning, InputError
from goldlabel.kernels import confident, scores, selection

__all__ = [
    "PRUNING",
    "Counted",
    "FilterBy",
    "Guess",
    "Method",
    "count",
    "given_joint",
    "label_quality",
    "refuse_pruning_options",
    "select",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

Method = Literal["self_confidence", "normalized_margin", "confidence_weighted_entropy"]
FilterBy = Literal[
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_self_confidence",
    "low_normalized_margin",
]
Guess = Literal["argmax", "confident_only"]

PRUNING = ("prune_by_noise_rate", "prune_by_class", "both")


@dataclass(frozen=True, eq=False)
class Counted:
    """Rows after the pass that counts them.

    Attributes
    ----------
    labels, pred_probs : ndarray
        As given to `count`.
    class_counts : ndarray of shape (k,), int64
        Rows given as each class.
    thresholds : ndarray of shape (k,), float64
        Mean self-confidence of each class, or the caller's own.
    sweep : goldlabel.kernels.confident.Sweep
        What the pass over pred_probs gave.
    """

    labels: Ints
    pred_probs: npt.NDArray[Any]
    class_counts: Ints
    thresholds: Floats
    sweep: confident.Sweep

    @cached_property
    def confident_joint(self) -> Ints:
        """Confident joint (k, k): given class by guessed true class, at least 1 on the diagonal."""
        joint = self.sweep.joint.copy()
        np.fill_diagonal(joint, np.maximum(joint.diagonal(), 1))
        return joint

    @cached_property
    def calibrated_joint(self) -> Ints:
        """Confident joint whose rows sum to the class counts."""
        return noise.calibrate(self.confident_joint, self.class_counts)

    @property
    def off_diagonal(self) -> Mask:
        """Rows counted off the diagonal whose label the model does not agree with."""
        both = self.sweep.flags & (confident.OFF_DIAGONAL | confident.AGREES)
        counted: Mask = both == confident.OFF_DIAGONAL
        return counted

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

    Raises
    ------
    InputError
        A probability is not a number in [0, 1], or an argument does not fit.
    """
    k = pred_probs.shape[1]
    check.choice(guess, get_args(Guess), name="guess")
    counts, sums = confident.class_sums(labels, pred_probs)
    cutoffs = confident.thresholds(counts, sums)
    if thresholds is not None:
        cutoffs = _given_thresholds(thresholds, k)
    sweep = _checked_sweep(
        labels, pred_probs, cutoffs, confident_only=guess == "confident_only", methods=methods
    )
    return Counted(labels, pred_probs, counts, cutoffs, sweep)


def _given_thresholds(thresholds: npt.ArrayLike, k: int) -> Floats:
    return check.vector(thresholds, name="thresholds", length=k, low=0.0, high=confident.NEVER)


def given_joint(confident_joint: npt.ArrayLike, k: int) -> Floats:
    """Return a caller's confident joint as float64 after a look at its size and entries."""
    joint = noise.square(confident_joint, "confident_joint")
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
    name: str = "pred_probs",
) -> confident.Sweep:
    sweep = confident.sweep(
        labels,
        pred_probs,
        cutoffs,
        confident_only=confident_only,
        self_confidence="self_confidence" in methods,
        normalized_margin="normalized_margin" in methods,
    )
    if not sweep.in_range:
        check.out_of_range(pred_probs, name=name)
    if pred_probs.shape[0]:
        check.row_sums(sweep.worst_row, sweep.worst_sum, name=name)
    return sweep


def label_quality(
    labels: Ints,
    pred_probs: npt.NDArray[Any],
    method: Method,
    *,
    counted: Counted | None = None,
    adjust: bool = False,
    thresholds: npt.ArrayLike | None = None,
    name: str = "pred_probs",
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
    name : str
        What messages call pred_probs.
    """
    check.choice(method, get_args(Method), name="method")
    if thresholds is not None and not adjust:
        raise InputError(
            "thresholds",
            "are only for adjusted pred_probs",
            "Leave them out, or pass adjust_pred_probs=True",
        )
    if adjust:
        return _adjusted_quality(labels, pred_probs, method, thresholds, name)
    if method == "confidence_weighted_entropy":
        if counted is None:
            _checked_sweep(labels, pred_probs, None, name=name)
        return scores.confidence_weighted_entropy(labels, pred_probs)
    sweep = counted.sweep if counted is not None else None
    if sweep is None or not getattr(sweep, method).shape[0]:
        sweep = _checked_sweep(labels, pred_probs, None, methods=[method], name=name)
    score: Floats = getattr(sweep, method)
    return score


def _adjusted_quality(
    labels: Ints,
    pred_probs: npt.NDArray[Any],
    method: Method,
    thresholds: npt.ArrayLike | None,
    name: str,
) -> Floats:
    if method == "confidence_weighted_entropy":
        raise InputError(
            "adjust_pred_probs",
            "is not defined for confidence_weighted_entropy",
            "Use self_confidence or normalized_margin",
        )
    _checked_sweep(labels, pred_probs, None, name=name)
    if thresholds is None:
        counts, sums = confident.class_sums(labels, pred_probs)
        cutoffs = confident.thresholds(counts, sums)
        # An absent class must not shift all others: it takes the largest threshold there is.
        cutoffs[counts == 0] = cutoffs[counts > 0].max(initial=confident.THRESHOLD_MIN)
    else:
        cutoffs = _given_thresholds(thresholds, pred_probs.shape[1])
    return scores.adjusted_scores(labels, pred_probs, cutoffs, margin=method == "normalized_margin")


def select(
    counted: Counted,
    filter_by: FilterBy,
    *,
    confident_joint: npt.ArrayLike | None = None,
    frac_noise: float = 1.0,
    num_to_remove_per_class: npt.ArrayLike | None = None,
    min_examples_per_class: int = 1,
    classes: Sequence[Hashable] | None = None,
) -> Mask:
    """Flag the rows whose label is judged wrong.

    Parameters
    ----------
    counted : Counted
        The rows; its flags are used up: filter once for each `count`.
    filter_by, frac_noise, num_to_remove_per_class, min_examples_per_class, confident_joint
        See `goldlabel.tasks.multiclass.find_label_issues`.
    classes : sequence, optional
        Names of the classes, for messages.

    Returns
    -------
    ndarray of shape (n,), bool
    """
    check.choice(filter_by, get_args(FilterBy), name="filter_by")
    frac = check.number(frac_noise, name="frac_noise", low=0.0, high=1.0)
    least = check.whole_number(min_examples_per_class, name="min_examples_per_class")
    least = min(least, counted.labels.shape[0])
    if filter_by in PRUNING:
        quotas = _quotas(counted, filter_by, confident_joint, frac, num_to_remove_per_class, least)
        _leave_small_classes(quotas, counted.class_counts, least, classes)
        return _prune(counted, quotas)
    refuse_pruning_options(filter_by, confident_joint, frac, num_to_remove_per_class)
    if filter_by == "predicted_neq_given":
        return counted.disagrees
    if filter_by == "confident_learning":
        return counted.off_diagonal
    method: Method = (
        "self_confidence" if filter_by == "low_self_confidence" else "normalized_margin"
    )
    score = label_quality(counted.labels, counted.pred_probs, method, counted=counted)
    return selection.lowest(score, int(np.count_nonzero(counted.off_diagonal)))


def refuse_pruning_options(
    filter_by: str, confident_joint: Any, frac_noise: float, num_to_remove: Any
) -> None:
    if num_to_remove is not None:
        raise InputError(
            "num_to_remove_per_class",
            f"has no meaning for filter_by={filter_by!r}",
            f"Leave it out, or filter by one of {', '.join(PRUNING)}",
        )
    ignored = [
        name
        for name, given in (
            ("confident_joint", confident_joint is not None),
            ("frac_noise", frac_noise != 1.0),
        )
        if given
    ]
    if ignored:
        warnings.warn(
            f"{' and '.join(ignored)}: not used by filter_by={filter_by!r}.",
            DataWarning,
            stacklevel=4,
        )


def _quotas(
    counted: Counted,
    filter_by: FilterBy,
    confident_joint: npt.ArrayLike | None,
    frac_noise: float,
    num_to_remove: npt.ArrayLike | None,
    least: int,
) -> list[Ints]:
    """How many rows to take: one matrix, given class by rival class, for each pruning filter."""
    joint = (
        counted.calibrated_joint
        if confident_joint is None
        else noise.calibrate(
            given_joint(confident_joint, counted.class_counts.shape[0]), counted.class_counts
        )
    )
    pruned = noise.prune_counts(
        joint,
        counted.class_counts,
        min_examples_per_class=least,
        frac_noise=frac_noise,
        num_to_remove_per_class=num_to_remove,
    )
    quotas = []
    if filter_by in ("prune_by_noise_rate", "both"):
        by_rate = np.ascontiguousarray(pruned.T)
        np.fill_diagonal(by_rate, 0)
        quotas.append(by_rate)
    if filter_by in ("prune_by_class", "both"):
        quotas.append(np.diag(np.maximum(counted.class_counts - pruned.diagonal(), 0)))
    return quotas


def _leave_small_classes(
    quotas: list[Ints], class_counts: Ints, least: int, classes: Sequence[Hashable] | None
) -> None:
    """Take no row of a class that has `least` rows or fewer, and say which these are."""
    small = (class_counts <= least) & (class_counts > 0) if least else np.zeros(0, dtype=np.bool_)
    if not small.any():
        return
    names = [str(at if classes is None else classes[at]) for at in np.flatnonzero(small).tolist()]
    shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    warnings.warn(
        f"labels: {len(names)} of the classes have no more than {least} example"
        f"{'' if least == 1 else 's'}, so no label of theirs is judged: {shown}.",
        DataWarning,
        stacklevel=4,
    )
    for quota in quotas:
        quota[small] = 0


def _prune(counted: Counted, quotas: list[Ints]) -> Mask:
    """Flag what every quota takes and the model disagrees with; uses the flags up."""
    flags = counted.sweep.flags
    # What the given class leaves of a row's sum; EPS for each entry that may lie below 0.
    slack = abs(counted.sweep.worst_sum - 1.0) + confident.EPS * (counted.pred_probs.shape[1] + 1)
    wanted = selection.SELECTED | confident.AGREES
    chosen: Mask | None = None
    for quota in quotas:
        selection.select_by_quota(
            counted.labels, counted.pred_probs, flags, quota, reach=1.0 + slack
        )
        found = (flags & wanted) == selection.SELECTED
        chosen = found if chosen is None else chosen & found
        flags &= np.uint8(~selection.SELECTED & 0xFF)
    return np.zeros(flags.shape[0], dtype=np.bool_) if chosen is None else chosen
