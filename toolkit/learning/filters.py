"""Which rows of confident learning to flag: the pruning filters, and those that need no quota.

References
----------
C. Northcutt, L. Jiang, I. Chuang. Confident Learning: Estimating Uncertainty in Dataset Labels.
JAIR 70 (2021) 1373-1411, section 3.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError, warn
from goldlabel.inputs import check
from goldlabel.kernels import ordering, selection
from goldlabel.kernels.class_means import EPS
from goldlabel.kernels.confident import AGREES
from goldlabel.learning import calibration
from goldlabel.learning.confident import (
    Counted,
    Method,
    given_joint,
    label_quality,
)
from goldlabel.learning.pruning import prune_pairs
from goldlabel.typing import Ints, Mask

__all__ = ["PRUNING", "FilterBy", "refuse_pruning_options", "select"]

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
    return ordering.lowest(score, int(np.count_nonzero(counted.off_diagonal)))


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
    counted: Counted,
    filter_by: FilterBy,
    confident_joint: npt.ArrayLike | None,
    frac_noise: float,
    num_to_remove: npt.ArrayLike | None,
    least: int,
) -> list[selection.Quotas]:
    """How many rows to take, for each pruning filter."""
    joint = (
        counted.calibrated_joint
        if confident_joint is None
        else calibration.calibrate(
            given_joint(confident_joint, counted.class_counts.shape[0]), counted.class_counts
        )
    )
    counts = counted.class_counts
    pruned = prune_pairs(
        joint,
        counts,
        min_examples_per_class=least,
        frac_noise=frac_noise,
        num_to_remove_per_class=num_to_remove,
    )
    quotas = []
    if filter_by in ("prune_by_noise_rate", "both"):
        quotas.append(selection.Quotas(pruned.given, pruned.true, pruned.pruned))
    if filter_by in ("prune_by_class", "both"):
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
        quota.places[small[quota.given]] = 0


def _prune(counted: Counted, quotas: list[selection.Quotas]) -> Mask:
    """Flag what every quota takes and the model disagrees with; uses the flags up."""
    flags = counted.sweep.flags
    # What the given class leaves of a row's sum; EPS for each entry that may lie below 0.
    slack = abs(counted.sweep.worst_sum - 1.0) + EPS * (counted.pred_probs.shape[1] + 1)
    wanted = selection.SELECTED | AGREES
    chosen: Mask | None = None
    for quota in quotas:
        selection.select_by_quota(
            counted.labels,
            counted.pred_probs,
            counted.sweep,
            counted.disagreeing,
            quota,
            reach=1.0 + slack,
        )
        found = (flags & wanted) == selection.SELECTED
        chosen = found if chosen is None else chosen & found
        flags &= np.uint8(~selection.SELECTED & 0xFF)
    return np.zeros(flags.shape[0], dtype=np.bool_) if chosen is None else chosen
