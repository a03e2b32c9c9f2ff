"""How many values are wrong, and which: the cross-validated search.

Leaving out the items with the largest residuals makes the fit of the others better, as long as
what is left out was wrong. So the share that is left out is searched for which cross-validated
predictions of *all* items are best; then items are ranked by their residual in proportion to how
sure the model is about it.

References
----------
H. Zhou, J. Mueller, M. Kumar, J.-L. Wang, J. Lei. Detecting Errors in a Numerical Response via any
Regression Model. arXiv:2305.16583 (2023).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.kernels.ordering import ascending
from goldlabel.tasks.regression.predictors import Predictor
from goldlabel.typing import Floats, Ints

__all__ = ["COARSE", "Criterion", "Found", "Plan", "label_quality", "search"]

Criterion = Literal["r2", "mae", "trimmed_r2"]

COARSE = (0.01, 0.05, 0.1, 0.15, 0.2)
"""Shares of wrong values that are tried first."""
TRIMMED = 0.2
"""Share of the items, those of the largest residuals, that "trimmed_r2" does not look at."""
_IMPOSSIBLE = -1e30
_ROUNDING = 1e-9
"""Residuals and uncertainties below this share of the labels' deviation are rounding."""


@dataclass(frozen=True)
class Plan:
    """What the search will do, and so what it costs.

    Attributes
    ----------
    folds : int
        Folds of every cross-validation.
    coarse : tuple of float
        Shares of wrong values to try.
    fine : int
        Further shares to try in each interval beside the best of `coarse`.
    boot : int
        Repeated two-fold runs, whose spread is the model's uncertainty.
    aleatoric : bool
        Whether the noise of the data is estimated, from a model of the residuals.
    criterion : {"r2", "mae", "trimmed_r2"}
        What makes a share the best. With "mae" the smallest share counts that is as good as the
        best, up to one standard error.
    """

    folds: int = 5
    coarse: tuple[float, ...] = COARSE
    fine: int = 3
    boot: int = 5
    aleatoric: bool = True
    criterion: Criterion = "mae"

    @property
    def fits(self) -> int:
        """The most models that will be fitted."""
        intervals = 2 if len(self.coarse) > 2 else len(self.coarse) - 1
        runs = 1 + len(self.coarse) + max(self.fine, 0) * max(intervals, 0) + 1 + self.aleatoric
        return self.folds * runs + 2 * self.boot

    def within(self, most: int) -> Plan:
        """Return a plan of at most so many fits: the dearest that this one can be cut down to.

        What matters least goes first: the fine search, then repeated runs, then every other share
        that is tried, then the noise of the data.

        Raises
        ------
        InputError
            `most` is below what two cross-validations cost.
        """
        least = replace(self, coarse=self.coarse[:1], fine=0, boot=0, aleatoric=False)
        check.whole_number(most, name="max_fits", low=1)
        if most < least.fits:
            raise InputError(
                "max_fits",
                f"is {most}, and with {self.folds} folds the least that can be done is"
                f" {least.fits} fits",
                "Allow more, or use fewer folds",
            )
        plan = self
        while plan.fits > most:
            if plan.fine:
                plan = replace(plan, fine=plan.fine - 1)
            elif plan.boot > 2:
                plan = replace(plan, boot=plan.boot - 1)
            elif len(plan.coarse) > 2:
                plan = replace(plan, coarse=plan.coarse[1::2])
            elif plan.boot:
                plan = replace(plan, boot=0)
            elif plan.aleatoric:
                plan = replace(plan, aleatoric=False)
            else:
                plan = replace(plan, coarse=plan.coarse[:1])
        return plan


@dataclass(frozen=True, eq=False)
class Found:
    """What the search found in n items.

    Attributes
    ----------
    predictions : ndarray of shape (n,), float64
        Out of sample, by models fitted without the items judged wrong.
    scores : ndarray of shape (n,), float64
        Label quality in [0, 1].
    share : float
        Share of the values that are wrong, as estimated.
    is_issue : ndarray of shape (n,), bool
        As many of the lowest scores.
    uncertainty : ndarray of shape (n,), float64
        Of each prediction: the model's (`epistemic`) and the data's (`aleatoric`) together.
    epistemic : ndarray of shape (n,), float64
    aleatoric : float
    residual_rank : ndarray of shape (n,), int64
        Rank by residual, 1 = largest, with which the search chose how many are wrong; the rank by
        score, which decides which ones, need not agree.
    tried : tuple of (float, float)
        Every share that was tried, with its value of the criterion; the first is 0, nothing left
        out.
    """

    predictions: Floats
    scores: Floats
    share: float
    is_issue: npt.NDArray[np.bool_]
    uncertainty: Floats
    epistemic: Floats
    aleatoric: float
    residual_rank: Ints
    tried: tuple[tuple[float, float], ...]


def search(
    predict: Predictor,
    labels: Floats,
    plan: Plan,
    seed: int,
    *,
    uncertainty: Floats | float | None = None,
    folds_for: Callable[[Ints, int], Ints] | None = None,
) -> Found:
    """Search for the share of wrong values, and score every value.

    Parameters
    ----------
    predict : Predictor
    labels : ndarray of shape (n,), float64
        Finite numbers.
    plan : Plan
    seed : int
        Shuffles the folds. Every share is tried on the same ones: what differs between two
        shares is then not their luck.
    uncertainty : float or ndarray of shape (n,), optional
        Taken in place of what `plan` would estimate.
    folds_for : callable, optional
        In place of the seeded folds: given the items that are kept and the number of folds, the
        fold of each. For comparisons with other implementations.
    """
    n = len(labels)
    if n < plan.folds:
        raise InputError(
            "labels", f"has {n} entries, too few for {plan.folds} folds", "Pass fewer folds"
        )
    run = _Run(predict, labels, plan, seed, folds_for)
    first = run.predict(np.zeros(n, dtype=np.bool_))
    order = ascending(np.abs(first - labels))
    tried, share = _search_share(run, order, first)
    # On the same folds, nothing left out is what the first run did.
    again = share > 0 or folds_for is not None
    predictions = run.predict(_last(order, share)) if again else first
    if uncertainty is None:
        epistemic = run.epistemic(predictions)
        aleatoric = run.aleatoric(predictions - labels)
        total = epistemic + aleatoric
    else:
        epistemic, aleatoric = np.zeros(n), 0.0
        total = np.broadcast_to(np.asarray(uncertainty, dtype=np.float64), (n,)).copy()
    scores = label_quality(labels, predictions, total)
    rank = np.empty(n, dtype=np.int64)
    rank[ascending(-np.abs(predictions - labels))] = np.arange(1, n + 1)
    is_issue = np.zeros(n, dtype=np.bool_)
    is_issue[ascending(scores)[: _count(n, share)]] = True
    return Found(
        predictions, scores, share, is_issue, total, epistemic, aleatoric, rank, tuple(tried)
    )


def label_quality(labels: Floats, predictions: Floats, uncertainty: Floats) -> Floats:
    """Score residuals in proportion to uncertainty, on the scale of their median.

    What is below rounding counts as none: an exact fit scores 1. Where all labels are one number
    there is no scale, and the residual itself decides.
    """
    deviation = float(labels.std())
    if deviation == 0:
        exact: Floats = np.exp(-np.abs(predictions - labels))
        return exact
    floor = _ROUNDING * deviation
    sizes = np.abs(predictions - labels)
    z = np.where(sizes < floor, 0.0, sizes) / np.maximum(uncertainty, floor)
    with np.errstate(over="ignore"):
        scores: Floats = np.exp(-z / max(float(np.median(z)), 1e-100))
    return scores


def _count(n: int, share: float) -> int:
    """Return ``ceil(n * share)``; 100 items at 0.07 are 7, whatever the product's last bit."""
    return int(np.ceil(n * share - 1e-9))


def _last(order: Ints, share: float) -> npt.NDArray[np.bool_]:
    left_out = np.zeros(len(order), dtype=np.bool_)
    left_out[order[len(order) - _count(len(order), share) :]] = True
    return left_out


def _search_share(run: _Run, order: Ints, first: Floats) -> tuple[list[tuple[float, float]], float]:
    """Return every share tried, with its value, and the one that is taken."""
    base = run.value(first)
    tried = [(0.0, base)]
    if float(run.labels.std()) == 0:
        return tried, 0.0
    n, plan = len(order), run.plan

    sizes = {0.0: np.abs(first - run.labels)}

    def values(shares: Sequence[float]) -> list[float]:
        found = []
        for share in shares:
            value = _IMPOSSIBLE
            if n - _count(n, share) >= plan.folds:
                predictions = run.predict(_last(order, share))
                value = run.value(predictions)
                sizes[share] = np.abs(predictions - run.labels)
            found.append(value)
        tried.extend(zip(shares, found, strict=True))
        return found

    coarse = sorted(plan.coarse)
    of_coarse = values(coarse)
    at = int(np.argmax(of_coarse))
    best, share = of_coarse[at], coarse[at]
    between = _between(coarse, at, plan.fine)
    if between:
        of_fine = values(between)
        # Of equals the finer one, as published.
        if max(of_fine) >= best:
            best, share = max(of_fine), between[int(np.argmax(of_fine))]
    if len(coarse) == 1 and best == _IMPOSSIBLE:
        raise InputError(
            "labels",
            f"has {n} entries, too few to leave out {share:.0%} of them",
            "Use fewer folds",
        )
    if base >= best:
        return tried, 0.0
    return tried, _least_as_good(sizes, share) if plan.criterion == "mae" else share


def _least_as_good(sizes: Mapping[float, Floats], best: float) -> float:
    """Return the smallest share whose residuals are no more than chance larger than the best's.

    Near its best value the error hardly changes with the share: of shares within one standard
    error, the one that blames the fewest labels is taken.
    """
    for share in sorted(sizes):
        more = sizes[share] - sizes[best]
        if float(more.mean()) <= float(more.std()) / np.sqrt(len(more)):
            return share
    return best


def _between(coarse: list[float], at: int, fine: int) -> list[float]:
    """Return the inner points of an even split of the intervals beside an entry."""
    shares: list[float] = []
    for low, high in ((at - 1, at), (at, at + 1)):
        if fine and low >= 0 and high < len(coarse):
            shares += np.linspace(coarse[low], coarse[high], fine + 2)[1:-1].tolist()
    return shares


class _Run:
    """A search's fixed parts: who predicts what, on which folds."""

    def __init__(
        self,
        predictor: Predictor,
        labels: Floats,
        plan: Plan,
        seed: int,
        folds_for: Callable[[Ints, int], Ints] | None,
    ) -> None:
        self.predictor, self.labels, self.plan = predictor, labels, plan
        self._folds_for = folds_for
        self._random = np.random.default_rng(seed)
        self._fold = self._shuffled(plan.folds)

    def _shuffled(self, folds: int) -> Ints:
        n = len(self.labels)
        fold = np.empty(n, dtype=np.int64)
        fold[self._random.permutation(n)] = np.arange(n) % folds
        return fold

    def _folds(self, left_out: npt.NDArray[np.bool_], fold: Ints, folds: int) -> Ints:
        kept = np.flatnonzero(~left_out)
        if self._folds_for is not None:
            given = np.full(len(fold), folds - 1, dtype=np.int64)
            given[kept] = self._folds_for(kept, folds)
            return given
        if np.bincount(fold[kept], minlength=folds).max() == len(kept):
            # Of few items the kept ones may all lie in one fold: deal them out again.
            given = fold.copy()
            given[kept] = np.arange(len(kept)) % folds
            return given
        return fold

    def predict(self, left_out: npt.NDArray[np.bool_], target: Floats | None = None) -> Floats:
        fold = self._folds(left_out, self._fold, self.plan.folds)
        return self.predictor(self.labels if target is None else target, fold, left_out)

    def value(self, predictions: Floats) -> float:
        return _value(self.labels, predictions, self.plan.criterion)

    def epistemic(self, predictions: Floats) -> Floats:
        """Return how far predictions spread that were made from other halves of the items."""
        runs = [predictions]
        none = np.zeros(len(self.labels), dtype=np.bool_)
        for _ in range(self.plan.boot):
            fold = self._folds(none, self._shuffled(2), 2)
            runs.append(self.predictor(self.labels, fold, none))
        spread: Floats = np.std(runs, axis=0)
        return spread

    def aleatoric(self, residuals: Floats) -> float:
        """Return how far what can be predicted of the residuals spreads."""
        if not self.plan.aleatoric:
            return 0.0
        return float(np.std(self.predict(np.zeros(len(residuals), dtype=np.bool_), residuals)))


def _value(labels: Floats, predictions: Floats, criterion: Criterion) -> float:
    residuals = predictions - labels
    if criterion == "mae":
        return -float(np.mean(np.abs(residuals)))
    squares = residuals**2
    total = (labels - labels.mean()) ** 2
    if criterion == "trimmed_r2":
        kept = ascending(squares)[: len(labels) - _count(len(labels), TRIMMED)]
        return 1.0 - float(squares[kept].sum() / max(total.sum(), 1e-300))
    return 1.0 - float(squares.sum() / max(total.sum(), 1e-300))


def check_plan(plan: Plan) -> Plan:
    """Return a plan whose settings make sense.

    Raises
    ------
    InputError
        Which one does not.
    """
    check.whole_number(plan.folds, name="folds", low=2)
    check.whole_number(plan.boot, name="n_boot")
    check.whole_number(plan.fine, name="fine_search_size")
    check.choice(plan.criterion, get_args(Criterion), name="criterion")
    shares: Any = plan.coarse
    if isinstance(shares, str | bytes) or not np.iterable(shares) or not len(list(shares)):
        raise InputError("coarse_search_range", f"is {shares!r}", "Pass shares such as [0.01, 0.1]")
    for share in shares:
        check.number(share, name="coarse_search_range", low=0.0, high=0.99)
    return replace(plan, coarse=tuple(sorted(float(share) for share in shares)))
