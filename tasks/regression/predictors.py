"""What predicts in the cross-validated search: copies of any estimator, or least squares at once.

Both answer one question: what do the models of a cross-validation predict for every row, each of
them fitted without its own fold and without the rows that are left out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from joblib import Parallel, delayed
from sklearn.linear_model import LinearRegression, Ridge
from threadpoolctl import threadpool_limits

from goldlabel.models.fitting import (
    blamed,
    fit_copy,
    predict_values,
    repeat_warnings,
    take,
)
from goldlabel.typing import Floats, Ints, Mask

__all__ = ["Copies", "LeastSquares", "Predictor", "predictor_for"]


SMALL = 20_000
"""Below so many rows, a fit gets one OpenMP thread."""
_SINGULAR = 1e-9
"""Smallest share of the largest eigenvalue at which normal equations are trusted."""


class Predictor(Protocol):
    """Predicts every row by models that did not see it."""

    def __call__(self, target: Floats, fold: Ints, left_out: Mask) -> Floats:
        """Return predictions of shape (n,).

        Parameters
        ----------
        target : ndarray of shape (n,), float64
            What is predicted.
        fold : ndarray of shape (n,), int64
            Fold of each row, 0 .. folds-1.
        left_out : ndarray of shape (n,), bool
            Rows that no model is fitted on: these get the mean of all models' predictions.
        """


def folds_of(fold: Ints) -> int:
    """Return the number of folds."""
    return int(fold.max()) + 1


@dataclass(frozen=True, eq=False)
class Copies:
    """Fit a copy of an estimator for each fold.

    Attributes
    ----------
    model : scikit-learn regressor
    rows : array, sparse matrix, DataFrame or list, of n rows
    seed : int
        For what the model leaves unseeded.
    options : mapping
        Further arguments of every ``fit``.
    tell : callable, optional
        Called once after each fit.
    n_jobs : int
        Processes to fit folds in, as joblib counts them; results are the same for any number.
    """

    model: Any
    rows: Any
    seed: int
    options: Mapping[str, Any] = field(default_factory=dict)
    tell: Callable[[], None] | None = None
    n_jobs: int = 1

    def __call__(self, target: Floats, fold: Ints, left_out: Mask) -> Floats:
        """Predict; see `Predictor`."""
        folds = folds_of(fold)
        jobs = [
            (np.flatnonzero(~left_out & (fold != f)), np.flatnonzero(left_out | (fold == f)))
            for f in range(folds)
        ]
        run = delayed(_fit_and_predict)
        fitted = Parallel(n_jobs=self.n_jobs, return_as="generator")(
            run(self, target, *job, f"model, fold {f + 1} of {folds}") for f, job in enumerate(jobs)
        )
        predictions = np.zeros(len(target))
        said: list[warnings.WarningMessage] = []
        for (_, test), (values, caught) in zip(jobs, fitted, strict=True):
            predictions[test] += values
            said += caught
            if self.tell is not None:
                self.tell()
        repeat_warnings(said, f"{folds} folds")
        predictions[left_out] /= folds
        return predictions

    def __getstate__(self) -> dict[str, Any]:
        """Leave out `tell`: another process can't tell anybody here."""
        return {**self.__dict__, "tell": None}


def _fit_and_predict(
    copies: Copies, target: Floats, train: Ints, test: Ints, where: str
) -> tuple[Floats, list[warnings.WarningMessage]]:
    """Fit on some rows and predict others; return the values and what was warned of."""
    # On small data, threads of one fit spend their time waiting for each other.
    limit = 1 if len(train) < SMALL else None
    with (
        warnings.catch_warnings(record=True) as caught,
        threadpool_limits(limits=limit, user_api="openmp"),
        blamed(where),
    ):
        warnings.simplefilter("always")
        rows = take(copies.rows, train)
        model = fit_copy(copies.model, rows, target[train], copies.seed, copies.options)
        values = predict_values(model, take(copies.rows, test), len(test), where)
    return values, caught


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Least squares, plain or with a ridge penalty, by normal equations.

    Sums of products are kept for each fold: those of a training set are the sum of all less those
    of a fold and of what is left out, so that a fit costs no pass over the rows.

    Attributes
    ----------
    matrix : ndarray of shape (n, d), float64
        Columns of mean 0 (and, without a penalty, deviation 1); a last column of ones where there
        is an intercept.
    penalty : ndarray of shape (d,), float64
        Added to the diagonal.
    intercept : bool
        Whether the last column is one of ones.
    tell : callable, optional
        Called once after each fit.
    """

    matrix: Floats
    penalty: Floats
    intercept: bool = True
    tell: Callable[[], None] | None = None

    def __call__(self, target: Floats, fold: Ints, left_out: Mask) -> Floats:
        """Predict; see `Predictor`."""
        folds, kept = folds_of(fold), ~left_out
        shift = float(target.mean()) if self.intercept else 0.0
        target = target - shift  # smaller numbers, smaller rounding errors
        grams = []
        for f in range(folds):
            rows = self.matrix[kept & (fold == f)]
            grams.append((rows.T @ rows, rows.T @ target[kept & (fold == f)]))
        whole = (sum(gram for gram, _ in grams), sum(moment for _, moment in grams))
        predictions = np.zeros(len(target))
        others = self.matrix[left_out]
        for f, (gram, moment) in enumerate(grams):
            weights = self._solve(whole[0] - gram, whole[1] - moment)
            test = kept & (fold == f)
            predictions[test] = self.matrix[test] @ weights
            predictions[left_out] += others @ weights
            if self.tell is not None:
                self.tell()
        predictions[left_out] /= folds
        return predictions + shift

    def _solve(self, gram: Floats, moment: Floats) -> Floats:
        """Solve by eigenvectors: of weights that fit equally well, the smallest."""
        values, vectors = np.linalg.eigh(gram + np.diag(self.penalty))
        used = values > values[-1] * np.finfo(np.float64).eps * len(values) * 10
        inverse = np.where(used, 1.0 / np.where(used, values, 1.0), 0.0)
        weights: Floats = vectors @ (inverse * (vectors.T @ moment))
        return weights


def predictor_for(
    model: Any,
    rows: Any,
    seed: int,
    options: Mapping[str, Any],
    tell: Callable[[], None] | None,
    n_jobs: int = 1,
) -> Predictor:
    """Return least squares at once if that is what the model is, else copies of it."""
    if not options and type(model) in (LinearRegression, Ridge):
        quick = _least_squares(model, rows, tell)
        if quick is not None:
            return quick
    return Copies(model, rows, seed, options, tell, n_jobs)


def _least_squares(model: Any, rows: Any, tell: Callable[[], None] | None) -> LeastSquares | None:
    """Return least squares of a model's settings; None if it or the rows ask for more care."""
    settings = model.get_params()
    alpha = settings.get("alpha", 0.0)
    if settings["positive"] or not isinstance(alpha, int | float) or alpha < 0:
        return None
    try:
        matrix = np.array(rows, dtype=np.float64)
    except (ValueError, TypeError):
        return None
    if matrix.ndim != 2 or not np.isfinite(matrix).all() or not matrix.shape[1]:
        return None
    n, d = matrix.shape
    if settings["fit_intercept"]:
        matrix -= matrix.mean(axis=0)
    if not alpha:
        deviations = np.sqrt(np.mean(matrix**2, axis=0))
        matrix /= np.where(deviations > 0, deviations, 1.0)
    penalty = np.full(d, float(alpha))
    values = np.linalg.eigvalsh(matrix.T @ matrix + np.diag(penalty))
    if n <= 2 * d or values[0] < _SINGULAR * values[-1]:
        return None  # columns that depend on one another: squaring them would lose too much
    if settings["fit_intercept"]:
        matrix = np.column_stack([matrix, np.ones(n)])
        penalty = np.append(penalty, 0.0)
    return LeastSquares(np.ascontiguousarray(matrix), penalty, settings["fit_intercept"], tell)
