"""Which rows to flag: the pruning filters, those that need no quota, and the whole of a judgement.

References
----------
C. Northcutt, L. Jiang, I. Chuang. Confident Learning: Estimating Uncertainty in Dataset Labels.
JAIR 70 (2021) 1373-1411, section 3.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError, warn
from goldlabel.inputs import check
from goldlabel.kernels import ordering, selection
from goldlabel.kernels.class_means import EPS
from goldlabel.learning import calibration, confident
from goldlabel.learning.confident import Counted, Guess, Method, given_joint, label_quality
from goldlabel.learning.diagnostics import check_rows
from goldlabel.learning.pruning import prune_pairs
from goldlabel.learning.stray import stray_rows
from goldlabel.typing import Floats, Ints, Mask, Where

__all__ = [
    "PRUNING",
    "FilterBy",
    "Judged",
    "Options",
    "flag",
    "judge",
    "refuse_pruning_options",
]

FilterBy = Literal[
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_self_confidence",
    "low_normalized_margin",
]

PRUNING = ("prune_by_noise_rate", "prune_by_class", "both")


@dataclass(frozen=True, eq=False)
class Options:
    """How rows are counted, flagged and ranked: what `find_label_issues` of such tasks takes.

    Attributes
    ----------
    filter_by : str
        - "prune_by_noise_rate": for each pair of classes, as many rows as the confident joint
          counts, those where the model prefers the other class by most;
        - "prune_by_class": for each class, as many as it counts, those the model is least sure of;
        - "both": what both of these flag;
        - "confident_learning": the rows counted off the diagonal of the confident joint;
        - "predicted_neq_given": the model's class is another one;
        - "low_self_confidence", "low_normalized_margin": the lowest scores, as many as
          "confident_learning" flags.

        All but the last two leave out rows whose given label is the model's class.
    rank_by : str
        The score.
    frac_noise : float
        Share of the estimated errors to flag, the worst first, in [0, 1]; pruning filters only.
    num_to_remove_per_class : int or array_like of shape (k,), optional
        Flag this many rows of each given class; pruning filters only.
    min_examples_per_class : int
        Leave at least so many rows in each class; pruning filters only.
    confident_joint : array_like of shape (k, k), optional
        The caller's own estimate: given class by true class; it is calibrated to the labels.
    thresholds : array_like of shape (k,), optional
        Probability from which a class counts as confident, in place of the class means.
    guess : {"argmax", "confident_only"}
        Which class a row with several confident ones is counted for.
    """

    filter_by: FilterBy = "prune_by_noise_rate"
    rank_by: Method = "self_confidence"
    frac_noise: float = 1.0
    num_to_remove_per_class: npt.ArrayLike | None = None
    min_examples_per_class: int = 1
    confident_joint: npt.ArrayLike | None = None
    thresholds: npt.ArrayLike | None = None
    guess: Guess = "argmax"

    def checked(self) -> Options:
        """Return the same options if the choices among them are some."""
        check.choice(self.filter_by, get_args(FilterBy), name="filter_by")
        check.choice(self.rank_by, get_args(Method), name="rank_by")
        return self

    @property
    def methods(self) -> list[Method]:
        """Scores that are needed: to rank by, and to filter by."""
        if self.filter_by == "low_self_confidence":
            return [self.rank_by, "self_confidence"]
        if self.filter_by == "low_normalized_margin":
            return [self.rank_by, "normalized_margin"]
        return [self.rank_by]

    def params(self) -> dict[str, Any]:
        """Return what `LabelIssues` keeps for the record."""
        return {
            "filter_by": self.filter_by,
            "rank_by": self.rank_by,
            "frac_noise": self.frac_noise,
            "num_to_remove_per_class": self.num_to_remove_per_class,
            "min_examples_per_class": self.min_examples_per_class,
            "confident_joint": "estimated" if self.confident_joint is None else "given",
            "thresholds": "class means" if self.thresholds is None else "given",
            "guess": self.guess,
        }


@dataclass(frozen=True, eq=False)
class Judged:
    """Rows that have been counted, scored and flagged.

    Attributes
    ----------
    counted : Counted
    scores : ndarray of shape (n,), float64
        Label quality in [0, 1]; lower is worse.
    is_issue : ndarray of shape (n,), bool
    stray : ndarray of int64
        Rows whose label is of none of the classes, or of one that hardly exists: issues, scored 0.
    """

    counted: Counted
    scores: Floats
    is_issue: Mask
    stray: Ints


def judge(
    labels: Ints,
    pred_probs: npt.NDArray[Any],
    classes: tuple[Hashable, ...],
    options: Options,
    *,
    rows: str = "examples",
    where: Where = str,
) -> Judged:
    """Count, check, flag and score rows of labels; pred_probs is read through once.

    Parameters
    ----------
    labels, pred_probs
        As for `goldlabel.learning.confident.count`.
    classes : tuple
        Names of the classes, for messages.
    options : Options
    rows : str
        What messages call the rows.
    where : callable
        What stands in brackets behind "pred_probs" where a message names a row.
    """
    options.checked()
    counted = confident.count(
        labels,
        pred_probs,
        thresholds=options.thresholds,
        guess=options.guess,
        methods=options.methods,
        disagreeing=True,
        where=where,
    )
    check_rows(counted, classes, rows=rows)
    is_issue = flag(counted, options, classes=classes)
    scores = label_quality(labels, pred_probs, options.rank_by, counted=counted, where=where)
    stray = stray_rows(labels, counted.sweep.predicted, counted.is_rare, classes)
    if stray.size:
        is_issue[stray] = True
        scores = scores.copy()  # those of the pass stay
        scores[stray] = 0.0
    return Judged(counted, scores, is_issue, stray)


def flag(counted: Counted, options: Options, *, classes: Sequence[Hashable] | None = None) -> Mask:
    """Flag the rows whose label is judged wrong, (n,); `classes` are names for messages."""
    filter_by = check.choice(options.filter_by, get_args(FilterBy), name="filter_by")
    frac = check.number(options.frac_noise, name="frac_noise", low=0.0, high=1.0)
    least = check.whole_number(options.min_examples_per_class, name="min_examples_per_class")
    least = min(least, counted.labels.shape[0])
    if filter_by in PRUNING:
        quotas = _quotas(counted, options, frac, least)
        _leave_small_classes(quotas, counted.judged_counts, least, classes)
        return _prune(counted, quotas)
    refuse_pruning_options(
        filter_by, options.confident_joint, frac, options.num_to_remove_per_class
    )
    if filter_by == "predicted_neq_given":
        return counted.disagrees
    if filter_by == "confident_learning":
        return counted.off_diagonal
    method: Method = (
        "self_confidence" if filter_by == "low_self_confidence" else "normalized_margin"
    )
    score = label_quality(counted.labels, counted.pred_probs, method, counted=counted)
    lowest = ordering.lowest(score, int(np.count_nonzero(counted.off_diagonal)))
    lowest &= counted.labels >= 0  # a row that is left out scores 1, as others may
    return lowest


def refuse_pruning_options(
    filter_by: str, confident_joint: Any, frac_noise: float, num_to_remove: Any
) -> None:
    """Refuse or warn of options that mean something to the pruning filters only."""
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
        warn(f"{' and '.join(ignored)}: not used by filter_by={filter_by!r}.")


def _quotas(
    counted: Counted, options: Options, frac_noise: float, least: int
) -> list[selection.Quotas]:
    """How many rows to take, for each pruning filter."""
    counts = counted.judged_counts
    joint = counted.calibrated_entries
    if options.confident_joint is not None:
        given = given_joint(options.confident_joint, len(counts))
        _, found = calibration.entries(given, "confident_joint")
        joint = calibration.calibrate_entries(found, counts)
    pruned = prune_pairs(
        joint,
        counts,
        min_examples_per_class=least,
        frac_noise=frac_noise,
        num_to_remove_per_class=options.num_to_remove_per_class,
    )
    quotas = []
    if options.filter_by in ("prune_by_noise_rate", "both"):
        quotas.append(selection.Quotas(pruned.given, pruned.true, pruned.pruned))
    if options.filter_by in ("prune_by_class", "both"):
        each = np.arange(len(counts))
        quotas.append(selection.Quotas(each, each, np.maximum(counts - pruned.kept, 0)))
    return quotas


def _leave_small_classes(
    quotas: list[selection.Quotas],
    class_counts: Ints,
    least: int,
    classes: Sequence[Hashable] | None,
) -> None:
    """Take no row of a class that has `least` rows or fewer, and say which these are."""
    small = (class_counts <= least) & (class_counts > 0) if least else np.zeros(0, dtype=np.bool_)
    if not small.any():
        return
    names = [str(at if classes is None else classes[at]) for at in np.flatnonzero(small).tolist()]
    shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    warn(
        f"labels: {len(names)} of the classes have no more than {least} example"
        f"{'' if least == 1 else 's'}, so no label of theirs is judged: {shown}."
    )
    for quota in quotas:
        quota.quota[small[quota.given]] = 0


def _prune(counted: Counted, quotas: list[selection.Quotas]) -> Mask:
    """Flag what every quota takes and the model disagrees with."""
    # What the given class leaves of a row's sum; EPS for each entry that may lie below 0.
    slack = abs(counted.sweep.worst_sum - 1.0) + EPS * (counted.pred_probs.shape[1] + 1)
    is_issue = counted.disagrees
    for quota in quotas:
        is_issue &= selection.select_by_quota(
            counted.labels,
            counted.pred_probs,
            counted.sweep,
            counted.disagreeing,
            quota,
            reach=1.0 + slack,
        )
    return is_issue
