"""A regressor that leaves out wrong labels when it learns, and can say which they are."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.inputs.labels import checked_ids
from goldlabel.models.fitting import (
    blamed,
    check_model,
    check_seed,
    fit_copy,
    indexable,
    row_count,
    take,
)
from goldlabel.results.label_issues import LabelIssues
from goldlabel.task import Progress
from goldlabel.tasks.regression import inputs
from goldlabel.tasks.regression.findings import assemble
from goldlabel.tasks.regression.inputs import model_name
from goldlabel.tasks.regression.predictors import predictor_for
from goldlabel.tasks.regression.search import COARSE, Criterion, Found, Plan, check_plan, search
from goldlabel.tasks.regression.values import NUMBER, Values, column, sorted_out
from goldlabel.typing import Floats

__all__ = ["CleanLearning"]


LOG = logging.getLogger("goldlabel")
_ENOUGH = 5
"""After so many fits it is known how long they take."""
_LONG = 10
"""Seconds that are worth an announcement."""


class CleanLearning(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Find wrong values by cross-validation of a regressor, and fit it without them.

    The share of wrong values is searched for that, left out of training, gives the best
    predictions of all. Values are then ranked by their residual in proportion to the
    uncertainty of the prediction: the model's (how predictions differ between models of other
    halves of the data) and the data's.

    Parameters
    ----------
    model : scikit-learn regressor, optional
        Anything with ``fit`` and ``predict``, pipelines included; cloned, never changed.
        `LinearRegression` if not given. It and `Ridge`, on columns of numbers, are solved for
        all folds and shares at once, which takes hardly longer than one fit.
    cv_n_folds : int
        Folds of every cross-validation.
    n_boot : int
        Repeated two-fold runs for the uncertainty of the model; 0: none.
    include_aleatoric_uncertainty : bool
        Whether the noise of the data counts as uncertainty.
    criterion : {"mae", "r2", "trimmed_r2"}
        Which predictions are the best: of the least mean absolute error (of shares within one
        standard error of it, the smallest); of the largest R2, as published, which a few huge
        wrong values decide alone; or of the largest R2 without the 20 % largest residuals.
    seed : int
        Of the folds, and of what the model leaves unseeded. No global state is touched.
    n_jobs : int
        Processes that fit models, as joblib counts them: -1 is one for each core.

    Attributes
    ----------
    model_ : the fitted model, after `fit`.
    label_issues_ : LabelIssues, after `find_label_issues` or `fit`.
    found_ : the search's own figures (`goldlabel.tasks.regression.search.Found`), likewise.

    References
    ----------
    H. Zhou, J. Mueller, M. Kumar, J.-L. Wang, J. Lei. Detecting Errors in a Numerical Response via
    any Regression Model. arXiv:2305.16583 (2023).

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> features, labels = make_regression(200, 4, noise=1.0, random_state=0)
    >>> labels[[3, 50]] += 500
    >>> learner = CleanLearning().fit(features, labels)
    >>> learner.label_issues_.ranked()[:2].tolist()
    [3, 50]
    >>> learner.predict(features).shape
    (200,)
    """

    def __init__(
        self,
        model: Any = None,
        *,
        cv_n_folds: int = 5,
        n_boot: int = 5,
        include_aleatoric_uncertainty: bool = True,
        criterion: Criterion = "mae",
        seed: int = 0,
        n_jobs: int = 1,
    ) -> None:
        self.model = model
        self.cv_n_folds = cv_n_folds
        self.n_boot = n_boot
        self.include_aleatoric_uncertainty = include_aleatoric_uncertainty
        self.criterion = criterion
        self.seed = seed
        self.n_jobs = n_jobs

    def plan(
        self,
        *,
        coarse_search_range: Sequence[float] = COARSE,
        fine_search_size: int = 3,
        max_fits: int | None = None,
    ) -> Plan:
        """Return what `find_label_issues` would do, and at most how many models it would fit."""
        plan = Plan(
            folds=self.cv_n_folds,
            coarse=coarse_search_range,  # type: ignore[arg-type]
            fine=fine_search_size,
            boot=self.n_boot,
            aleatoric=bool(self.include_aleatoric_uncertainty),
            criterion=self.criterion,
        )
        plan = check_plan(plan)
        return plan if max_fits is None else plan.within(max_fits)

    def find_label_issues(
        self,
        features: Any,
        labels: Any,
        *,
        uncertainty: npt.ArrayLike | None = None,
        coarse_search_range: Sequence[float] = COARSE,
        fine_search_size: int = 3,
        max_fits: int | None = None,
        model_kwargs: Mapping[str, Any] | None = None,
        flag_sure: float | None = None,
        ids: npt.ArrayLike | None = None,
        progress: Progress | None = None,
    ) -> LabelIssues:
        """Find the examples whose given value is probably wrong, or is no value.

        Parameters
        ----------
        features : array, sparse matrix, DataFrame or list, of n rows
            What the model reads; rows are taken as they are, with names and types of columns.
        labels : array_like of shape (n,)
            As for `goldlabel.tasks.regression.find_label_issues`: what is no number is a finding
            of its own, and is predicted, but no model is fitted on it.
        uncertainty : float or array_like of shape (n,), optional
            Of the predictions, not negative, in place of estimates.
        coarse_search_range : sequence of float
            Shares of wrong values to try.
        fine_search_size : int
            Further shares in each interval beside the best of them.
        max_fits : int, optional
            Fit no more models than this; what is left out then is in `params`.
        model_kwargs : mapping, optional
            Further arguments of every ``fit``.
        flag_sure : float, optional
            Flag the examples too that are wrong with this confidence, in [0, 1]. A model that wild
            labels do not bend predicts no better without them, and the search then says that no
            label is wrong.
        ids : array_like of shape (n,), optional
            Your own name of each example, for the tables.
        progress : callable, optional
            Called with (fits done, fits in all, "N fits of MODEL") before the first fit, and
            after each.

        Returns
        -------
        LabelIssues
            As of `goldlabel.tasks.regression.find_label_issues`, with the evidence `uncertainty`,
            `rank` (by score) and `residual_rank` besides.

        Raises
        ------
        InputError
            Something does not fit, or a model fails; the message says which.
        """
        rows, values = _rows_and_values(features, labels)
        if flag_sure is not None:
            check.number(flag_sure, name="flag_sure", low=0.0, high=1.0)
        names = checked_ids(ids, len(values.kind))
        numeric = np.flatnonzero(values.kind == NUMBER)
        plan = self.plan(
            coarse_search_range=coarse_search_range,
            fine_search_size=fine_search_size,
            max_fits=max_fits,
        )
        options = inputs.fit_options(model_kwargs, "model_kwargs")
        model = self._checked_model()
        spare = len(values.kind) - len(numeric)
        told = _Told(progress, plan.fits + (spare > 0), model, len(numeric))
        used = take(rows, numeric)
        predict = predictor_for(model, used, self.seed, options, told, self.n_jobs)
        given = inputs.uncertainty(uncertainty, len(values.kind))
        found = search(
            predict, values.numbers[numeric], plan, self.seed,
            uncertainty=None if given is None else given[numeric],
        )  # fmt: skip
        predictions = self._predict_rest(model, rows, values, found, options)
        told.finish()
        self.found_ = found
        self.label_issues_ = _result(
            values, predictions, found, plan, names, self, model, flag_sure
        )
        return self.label_issues_

    def _checked_model(self) -> Any:
        model = LinearRegression() if self.model is None else self.model
        check_model(model, "regressor", "fit and predict", "LinearRegression()")
        if not hasattr(model, "predict"):
            raise InputError("model", f"{type(model).__name__} has no predict", "Pass a regressor")
        check_seed(self.seed)
        return model

    def _predict_rest(
        self, model: Any, rows: Any, values: Values, found: Found, options: Mapping[str, Any]
    ) -> Floats:
        """Return predictions for all rows; those without a number by a model of what is right."""
        predictions = np.full(len(values.kind), np.nan)
        predictions[values.kind == NUMBER] = found.predictions
        rest = np.flatnonzero(values.kind != NUMBER)
        if rest.size:
            right = np.flatnonzero(values.kind == NUMBER)[~found.is_issue]
            with blamed("model"):
                last = fit_copy(model, take(rows, right), values.numbers[right], self.seed, options)
                predictions[rest] = np.asarray(last.predict(take(rows, rest))).reshape(len(rest))
        return predictions

    def fit(
        self,
        features: Any,
        labels: Any,
        *,
        label_issues: Any = None,
        sample_weight: npt.ArrayLike | None = None,
        find_label_issues_kwargs: Mapping[str, Any] | None = None,
        model_kwargs: Mapping[str, Any] | None = None,
        model_final_kwargs: Mapping[str, Any] | None = None,
    ) -> CleanLearning:
        """Find wrong values, and fit the model on the others.

        Parameters
        ----------
        features, labels
            As for `find_label_issues`.
        label_issues : LabelIssues, DataFrame or array_like of bool, optional
            What is wrong, if it is known: a result; a frame with a column ``is_issue`` or
            ``is_label_issue`` (and, where it has ``given_label``, the same labels); or a mask.
        sample_weight : array_like of shape (n,), optional
            Weights of the examples in the last fit; the model's ``fit`` must take them.
        find_label_issues_kwargs : mapping, optional
            Further arguments of `find_label_issues`.
        model_kwargs : mapping, optional
            Further arguments of every ``fit``.
        model_final_kwargs : mapping, optional
            Further arguments of the last ``fit``, before those.

        Returns
        -------
        CleanLearning
            This object, fitted.
        """
        rows, values = _rows_and_values(features, labels)
        n = len(values.kind)
        options = inputs.fit_options(model_kwargs, "model_kwargs")
        final = {**options, **inputs.fit_options(model_final_kwargs, "model_final_kwargs")}
        model = self._checked_model()
        weights = None if sample_weight is None else inputs.weights(sample_weight, n, model)
        if label_issues is None:
            further = dict(find_label_issues_kwargs or {})
            further = {"model_kwargs": model_kwargs, **further}
            wrong = self.find_label_issues(features, labels, **further).is_issue
        else:
            wrong = inputs.mask(label_issues, values)
        kept = np.flatnonzero((values.kind == NUMBER) & ~wrong)
        if not kept.size:
            raise InputError("label_issues", "leaves no example to fit on", "Flag fewer")
        if weights is not None:
            final["sample_weight"] = weights[kept]
        with blamed("model, last fit"):
            self.model_ = fit_copy(model, take(rows, kept), values.numbers[kept], self.seed, final)
        return self

    def predict(self, features: Any) -> Any:
        """Predict with the fitted model."""
        return self._fitted().predict(features)

    def score(self, features: Any, labels: Any, sample_weight: Any = None) -> float:
        """Return the fitted model's own score, or R2 if it has none."""
        model = self._fitted()
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        if hasattr(model, "score"):
            return float(model.score(features, labels, **weights))
        return float(r2_score(labels, model.predict(features), **weights))

    def _fitted(self) -> Any:
        if not hasattr(self, "model_"):
            raise InputError("CleanLearning", "is not fitted", "Call fit first")
        return self.model_


class _Told:
    """Counts fits; says how many there will be before the first, and how long they take."""

    def __init__(self, progress: Progress | None, fits: int, model: Any, n: int) -> None:
        self.progress, self.fits, self.done = progress, fits, 0
        self.what = f"fits of {model_name(model)}"
        self.started = time.monotonic()
        LOG.info("at most %d %s on %s rows (max_fits bounds them)", fits, self.what, f"{n:,}")
        if progress is not None:
            progress(0, fits, self.what)

    def __call__(self) -> None:
        self.done += 1
        if self.done == _ENOUGH:
            seconds = (time.monotonic() - self.started) / self.done * self.fits
            if seconds >= _LONG:
                LOG.info("they will take up to about %.0f seconds", seconds)
        if self.progress is not None:
            self.progress(min(self.done, self.fits), self.fits, self.what)

    def finish(self) -> None:
        if self.progress is not None:
            self.progress(self.fits, self.fits, self.what)


def _rows_and_values(features: Any, labels: Any) -> tuple[Any, Values]:
    rows = indexable(features)
    values = sorted_out(column(labels, "labels"))
    n = row_count(rows)
    if len(values.kind) != n:
        raise InputError(
            "labels",
            f"has {len(values.kind):,} entries, and features has {n:,} rows",
            "Pass a label for each row, in the same order",
        )
    if not (values.kind == NUMBER).any():
        raise InputError("labels", f"holds no number in {n:,} entries", "Pass numbers")
    return rows, values


def _result(
    values: Values,
    predictions: Floats,
    found: Found,
    plan: Plan,
    ids: npt.NDArray[Any] | None,
    learner: CleanLearning,
    model: Any,
    flag_sure: float | None,
) -> LabelIssues:
    rank = np.empty(len(found.scores))
    rank[np.argsort(found.scores, kind="stable")] = np.arange(1, len(rank) + 1)
    return assemble(
        values,
        predictions,
        found.scores,
        found.is_issue,
        ids=ids,
        params={
            "model": model_name(model),
            "folds": plan.folds,
            "n_boot": plan.boot,
            "include_aleatoric_uncertainty": plan.aleatoric,
            "coarse_search_range": list(plan.coarse),
            "fine_search_size": plan.fine,
            "criterion": plan.criterion,
            "seed": learner.seed,
            "share_wrong": found.share,
            "flag_sure": flag_sure,
            "fits": plan.fits,
        },
        evidence={
            "uncertainty": found.uncertainty,
            "rank": rank,
            "residual_rank": found.residual_rank.astype(np.float64),
        },
        flag_sure=flag_sure,
    )
