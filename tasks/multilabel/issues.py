"""Which annotations are wrong: classes that are missing from an example, or given to it wrongly."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goldlabel.inputs.labels import checked_ids
from goldlabel.kernels.ordering import ascending, lowest
from goldlabel.learning.confident import Method
from goldlabel.learning.filters import FilterBy, Options
from goldlabel.results.label_issues import LabelIssues, Parts
from goldlabel.tasks.multilabel.counting import Counted, count
from goldlabel.tasks.multilabel.diagnostics import check_cells
from goldlabel.tasks.multilabel.filters import flag
from goldlabel.tasks.multilabel.inputs import Annotations, Cells, labeled_cells
from goldlabel.tasks.multilabel.scores import (
    Aggregator,
    CellScore,
    Pool,
    aggregated,
    cell_scores,
    pool_of,
)
from goldlabel.typing import Floats, Ints

__all__ = ["KINDS", "VALUES", "Pooling", "find_label_issues", "judge"]

VALUES = ("absent", "present")
"""What an annotation may be, by its number."""
KINDS = ("missing label", "spurious label")
"""What may be wrong with it, by the number of what was given."""
NOT_A_LABEL = "not a label"
"""... or it is none: another class's name, another number than 0 and 1."""


def find_label_issues(
    labels: Any,
    pred_probs: Any,
    *,
    filter_by: FilterBy = "prune_by_noise_rate",
    rank_by: Method = "self_confidence",
    aggregator: Aggregator = "exponential_moving_average",
    alpha: float | None = 0.8,
    temperature: float = 0.1,
    classes: Sequence[Hashable] | None = None,
    ids: npt.ArrayLike | None = None,
    frac_noise: float = 1.0,
    num_to_remove_per_class: npt.ArrayLike | None = None,
    min_examples_per_class: int = 1,
    confident_joint: npt.ArrayLike | None = None,
    thresholds: npt.ArrayLike | None = None,
) -> LabelIssues:
    """Find the annotations that are probably wrong, and the examples that have some.

    Each class is looked at by itself: is it given to examples that lack it, or missing from
    examples that have it?

    Parameters
    ----------
    labels : array_like of shape (n, k), or sequence of n lists
        Which classes each example has. A matrix of 1 and 0 (or True and False; -1 or NaN where it
        is not known: such annotations are left out of everything), a DataFrame, a SciPy sparse
        matrix; or for each example a list of its classes, by index 0 .. k-1 or by name.
    pred_probs : array_like of shape (n, k)
        Probability of each class by itself (rows need not sum to 1), predicted by a model that
        has not seen the example in training. A DataFrame's columns may carry the class names.
    filter_by : str
        How annotations are chosen, for each class, and for "present" and "absent" separately:

        - "prune_by_noise_rate", "prune_by_class": as many as the confident joint counts, those
          the model is least sure of; the two differ in how a `frac_noise` is rounded, down or up;
        - "both": what both of these choose;
        - "confident_learning": those counted off the diagonal of the confident joint;
        - "predicted_neq_given": the model thinks the other is more probable;
        - "low_self_confidence", "low_normalized_margin": the lowest of each class, as many as
          "confident_learning" chooses in it. Flagged examples are those with the lowest scores,
          as many as it flags: some of them may have no part, some parts belong to others.

        All but the last two leave out annotations that the model agrees with.
    rank_by : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}
        The score of an annotation; see `get_label_quality_scores`.
    aggregator, alpha, temperature
        How they become the score of an example, and so the order; see
        `get_label_quality_scores`.
    classes : sequence of length k, optional
        Class names in the order of the columns.
    ids : array_like of shape (n,), optional
        Your own name of each example, for the tables.
    frac_noise : float
        Share of the estimated errors to choose, the worst first, in [0, 1]; pruning filters only.
    num_to_remove_per_class : array_like of shape (k,) or (k, 2), optional
        Choose as many of the examples given each class; with two columns, of those without it and
        of those given it. Pruning filters only.
    min_examples_per_class : int
        Leave at least so many examples with, and without, each class; pruning filters only.
    confident_joint : array_like of shape (k, 2, 2), optional
        Your own estimate for each class: given by true, 0 = absent, 1 = present; it is calibrated
        to the labels.
    thresholds : array_like of shape (k, 2) or (k,), optional
        Probability from which "absent" and "present" count as confident, in place of the means;
        or of "present" only.

    Returns
    -------
    LabelIssues
        One row of `parts` for each annotation judged wrong: the class is `part` (`part_names` has
        the names), `given` and `suggested` are 0 = absent or 1 = present, and the kind is
        "missing label" or "spurious label".

    Raises
    ------
    InputError
        A shape, type or value that does not fit; the message says which entry.

    Warns
    -----
    DataWarning
        Classes with too few examples to judge, or columns that look permuted.

    References
    ----------
    A. Thyagarajan, E. Snorrason, C. Northcutt, J. Mueller. Identifying Incorrect Annotations in
    Multi-Label Classification Data. arXiv:2211.13895 (2022).

    Examples
    --------
    >>> issues = find_label_issues(
    ...     [["cat"], ["cat", "dog"], ["dog"], ["dog"], [], []],
    ...     [[0.9, 0.2], [0.05, 0.8], [0.1, 0.9], [0.2, 0.8], [0.2, 0.9], [0.8, 0.1]],
    ...     min_examples_per_class=0,
    ... )
    >>> issues
    <LabelIssues: multilabel, 3 of 6 examples flagged>
    >>> issues.to_frame("part")[["example", "part_name", "given", "suggested", "score"]]
       example part_name    given suggested  score
    0        1       cat  present    absent   0.05
    1        4       dog   absent   present   0.10
    2        5       cat   absent   present   0.20
    """
    options = Options(
        filter_by=filter_by,
        rank_by=rank_by,
        frac_noise=frac_noise,
        num_to_remove_per_class=num_to_remove_per_class,
        min_examples_per_class=min_examples_per_class,
        confident_joint=confident_joint,
        thresholds=thresholds,
    ).checked()
    cells = labeled_cells(labels, pred_probs, classes)
    names = checked_ids(ids, len(cells.pred_probs))
    pooling = Pooling(aggregator, alpha, temperature)
    return judge(cells, options, pooling, ids=names).issues


class Pooling(NamedTuple):
    """How the scores of an example's annotations become one."""

    aggregator: Aggregator
    alpha: float | None
    temperature: float


class Judged(NamedTuple):
    """What was found, and what it was found from: counts, and the annotations judged wrong."""

    issues: LabelIssues
    counted: Counted
    cells: Ints


def judge(
    cells: Cells, options: Options, pooling: Pooling, *, ids: npt.NDArray[Any] | None = None
) -> Judged:
    """Find issues of annotations that have been checked; pred_probs is read as often as needed."""
    pool = pool_of(*pooling, cells.pred_probs.shape[1])
    score = _pooled(cell_scores(cells, options.rank_by, checked=True), pool)
    counted = count(cells, thresholds=options.thresholds, each=score)
    if options.thresholds is None:  # else they are no means of the probabilities
        check_cells(counted)
    wrong = flag(
        counted,
        options.filter_by,
        confident_joint=options.confident_joint,
        frac_noise=options.frac_noise,
        num_to_remove_per_class=options.num_to_remove_per_class,
        min_examples_per_class=options.min_examples_per_class,
    )
    scores = counted.scores
    if pool is None:
        scores = aggregated(cells, options.rank_by, pooling.aggregator)
    params = options.params()
    del params["guess"]  # of two values the most probable one
    issues = LabelIssues(
        task="multilabel",
        scores=scores,
        is_issue=_flagged(counted, options.filter_by, wrong),
        parts=_parts(counted, wrong, options),
        classes=VALUES,
        ids=ids,
        part_names=cells.classes,
        params={
            **params,
            "aggregator": pooling.aggregator if pool else _name(pooling.aggregator),
            "alpha": pooling.alpha,
            "temperature": pooling.temperature,
        },
    )
    return Judged(_with_bad_labels(issues, cells), counted, wrong)


def _with_bad_labels(issues: LabelIssues, cells: Cells) -> LabelIssues:
    """Put what is no label before what else was found: it is an issue whatever a model says."""
    bad = cells.labels.bad
    if not bad:
        return issues
    examples, parts = (np.array([each[at] for each in bad], dtype=np.int64) for at in (0, 1))
    named = parts >= 0
    present = np.full(len(bad), np.nan)
    present[named] = np.clip(cells.pred_probs[examples[named], parts[named]], 0.0, 1.0)
    suggested = np.where(named, present > 0.5, -1).astype(np.int8)
    after, nothing = issues.parts, np.zeros(len(bad))
    scores, is_issue = issues.scores.copy(), issues.is_issue.copy()
    scores[examples], is_issue[examples] = 0.0, True
    texts = np.array([each.text for each in bad] + [""] * len(after), dtype=object)
    return replace(
        issues,
        scores=scores,
        is_issue=is_issue,
        parts=Parts(
            example=np.append(examples, after.example),
            part=np.append(parts, after.part),
            kind=np.append(np.full(len(bad), len(KINDS)), after.kind).astype(np.int8),
            kinds=(*KINDS, NOT_A_LABEL),
            given=np.append(np.full(len(bad), -1), after.given).astype(np.int8),
            suggested=np.append(suggested, after.suggested).astype(np.int8),
            score=np.append(nothing, after.score),
            confidence=np.append(
                np.where(named, np.maximum(present, 1.0 - present), 0.0), after.confidence
            ),
            evidence={
                "p_class": np.append(present, after.evidence["p_class"]),
                "given_text": texts,
            },
            reasons={**_reasons(after), NOT_A_LABEL: _reason_not_a_label},
        ),
    )


def _reasons(parts: Parts) -> Mapping[str, Callable[..., str]]:
    return {} if isinstance(parts.reasons, np.ndarray) else parts.reasons


def _reason_not_a_label(
    *, given_text: str, part: str, suggested: str, p_class: float, **_: Any
) -> str:
    if not part:
        return f"{given_text!r} is not one of the classes."
    return (
        f"{given_text!r} is neither 0 nor 1: whether the example has {part!r} is not said. The"
        f" model gives it {p_class:.0%}, so {suggested}."
    )


def _name(aggregator: Aggregator) -> str:
    return str(getattr(aggregator, "__name__", "own"))


def _pooled(score: CellScore, pool: Pool | None) -> Callable[..., Floats] | None:
    """Return what makes a score of each row of a block."""
    return None if pool is None else lambda labels, probs: pool(score(labels, probs), labels)


def _flagged(counted: Counted, filter_by: str, chosen: Ints) -> npt.NDArray[np.bool_]:
    """Flag the examples with a chosen cell; or the lowest scores, as many as have one."""
    n, k = counted.cells.pred_probs.shape
    if not filter_by.startswith("low_"):
        is_issue = np.zeros(n, dtype=np.bool_)
        is_issue[chosen // k] = True
        return is_issue
    usual = Pool("exponential_moving_average", 0.8, 0.0)
    score = _pooled(cell_scores(counted.cells, "self_confidence", checked=True), usual)
    scores = count(counted.cells, each=score).scores
    return lowest(scores, np.unique(counted.off_diagonal() // k).shape[0])


def _parts(counted: Counted, chosen: Ints, options: Options) -> Parts:
    """One row for each chosen cell, worst first."""
    k = len(counted.thresholds)
    q = counted.cells.pred_probs[chosen // k, chosen % k]
    given = counted.cells.labels.at(chosen // k, chosen % k)
    flat = Cells(Annotations((len(chosen), 1), given[:, None]), q[:, None], (0,))
    scores = cell_scores(flat, options.rank_by, checked=True)(given[:, None], q[:, None])[:, 0]
    order = ascending(scores)
    chosen, given, q, scores = chosen[order], given[order], q[order], scores[order]
    del order
    present = np.clip(q.astype(np.float64), 0.0, 1.0)
    # The model's own opinion: where a low score alone was chosen, it may be what was given.
    suggested = (q > 0.5).astype(np.int8)
    sentence = _Reason(counted, given_thresholds=options.thresholds is not None)
    return Parts(
        example=chosen // k,
        part=chosen % k,
        kind=given,
        kinds=KINDS,
        given=given,
        suggested=suggested,
        score=scores,
        confidence=np.where(suggested == 1, present, 1.0 - present),
        evidence={"p_class": present},
        reasons=dict.fromkeys(KINDS, sentence),
    )


class _Reason:
    """Says why a cell is judged wrong: what the model gives it, and what it gives others."""

    def __init__(self, counted: Counted, *, given_thresholds: bool) -> None:
        names = map(str, counted.cells.classes)
        self._thresholds = dict(zip(names, counted.thresholds.tolist(), strict=True))
        self._given = given_thresholds

    def __call__(self, *, part: str, given: str, p_class: float, **_: Any) -> str:
        absent, present = self._thresholds[part]
        is_given = "is given" if given == VALUES[1] else "is not given"
        fact = f"{part!r} {is_given}, and the model gives it {p_class:.0%}"
        if self._given:
            return f"{fact}; its threshold is {present:.0%}, that of its absence {absent:.0%}."
        with_it = f"examples given it get {present:.0%} on average"
        without = f"{'the others' if present <= 1 else 'examples without it'} {1 - absent:.0%}"
        usual = [with_it] * (present <= 1) + [without] * (absent <= 1)
        return f"{fact}; {', '.join(usual)}."
