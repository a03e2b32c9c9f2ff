"""Confusion matrices of a fit of Dawid-Skene: whole ones, and answers that were never given."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.tasks.multiannotator.aggregation.fit import Fit, refuse_too_large
from goldlabel.typing import Codes, Floats

__all__ = ["answer_rows", "confusion_matrices"]


def answer_rows(known: Fit, annotator: Codes, label: Codes, *, floor: float) -> Floats:
    """Return the probability of any answers of any annotators, given each class.

    An answer that an annotator has never given has its share of pseudo-counts, and at least
    `floor`; annotators without votes have the pooled matrix.
    """
    learnt = known.parameters
    k = len(learnt["class_prior"])
    cell, diagonal, shrinkage = learnt["pseudo_counts"].tolist()
    rows: Floats = learnt["pooled"][label]  # a copy
    has_voted = np.isin(annotator, learnt["pair_annotator"])
    key = annotator.astype(np.int64) * k + label
    earlier = learnt["pair_annotator"].astype(np.int64) * k + learnt["pair_label"]
    place = np.minimum(np.searchsorted(earlier, key), len(earlier) - 1)
    seen = earlier[place] == key
    rows[seen] = learnt["emission"][place[seen]]
    never = np.flatnonzero(has_voted & ~seen)
    counts = cell + shrinkage * rows[never]
    counts[np.arange(len(never)), label[never]] += diagonal
    rows[never] = np.maximum(counts / learnt["totals"][annotator[never]], floor)
    return rows


def confusion_matrices(fitted: Fit, annotators: npt.ArrayLike | None = None) -> Floats:
    """Return whole confusion matrices of a fit.

    Parameters
    ----------
    fitted : Fit
        What `fit` has returned.
    annotators : array_like of shape (m,), optional
        Which; all by default.

    Returns
    -------
    ndarray of shape (m, k, k), float64
        Probability of each answer (last axis) given the true class; rows sum to 1. Annotators
        without votes have that of all annotators together.

    Raises
    ------
    InputError
        `fitted` is of another model, an annotator does not exist, or this is larger than the
        machine's memory.
    """
    if fitted.method != "dawid_skene":
        raise InputError("fitted", f"is a fit of {fitted.method}", "Pass one of dawid_skene")
    people = len(fitted.annotator_quality)
    chosen = np.arange(people) if annotators is None else np.asarray(annotators)
    bad = np.flatnonzero((chosen < 0) | (chosen >= people))
    if bad.size:
        raise InputError(
            f"annotators[{bad[0]}]",
            f"is {chosen[bad[0]]}, and there are annotators 0 .. {people - 1} ({bad.size:,} such)",
            "Pass numbers of annotators",
        )
    k = len(fitted.parameters["class_prior"])
    refuse_too_large(
        2 * len(chosen) * k * k,
        f"{len(chosen):,} matrices of {k:,} x {k:,}",
        "Ask for fewer annotators at a time",
    )
    everyone = np.repeat(chosen.astype(np.int32), k)
    answers = np.tile(np.arange(k, dtype=np.int32), len(chosen))
    rows = answer_rows(fitted, everyone, answers, floor=0.0)
    return rows.reshape(len(chosen), k, k).transpose(0, 2, 1)
