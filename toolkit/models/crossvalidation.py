"""Out-of-fold predictions: every row is judged by a model that did not see it.

A model that has seen a row knows its label by heart and agrees with it, wrong or not; so whoever
looks for label errors needs predictions from cross-validation. `crossval` makes them with any
scikit-learn classifier, `crossval_predictions` with any regressor, and both check the one thing
that matters: no row was judged by a model fitted on it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError, warn
from goldlabel.inputs import check
from goldlabel.models.fitting import (
    blamed,
    check_model,
    check_seed,
    fit_copy,
    group_codes,
    indexable,
    one_value_a_row,
    predict_values,
    repeat_warnings,
    row_count,
    take,
)
from goldlabel.models.folds import (
    Split,
    Splitter,
    check_splits,
    stratified_splits,
)
from goldlabel.typing import Floats, Ints

__all__ = ["OutOfFold", "crossval", "crossval_predictions", "out_of_fold"]

Array = npt.NDArray[Any]

NAMED = 5
"""So many classes or messages are named in a warning; of the rest, the number."""


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Predicted probabilities of rows that the predicting model did not see.

    Attributes
    ----------
    pred_probs : ndarray of shape (n, k), float64
        Rows sum to 1.
    classes : ndarray of shape (k,)
        Class of each column: ``np.unique(labels)``.
    fold : ndarray of shape (n,), int64
        Which fold each row was held out in, 0 .. folds - 1.
    """

    pred_probs: Floats
    classes: Array
    fold: Ints


def crossval(
    model: Any,
    features: Any,
    labels: npt.ArrayLike,
    *,
    folds: int | Splitter = 5,
    seed: int = 0,
    groups: npt.ArrayLike | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Floats:
    """Predict the class probabilities of every row with a model that did not see it.

    Parameters
    ----------
    model : scikit-learn classifier
        Anything with ``fit`` and ``predict_proba``, pipelines included. It is cloned for each
        fold, and stays as it was.
    features : array, sparse matrix, DataFrame or list, of n rows
        What `model` reads; a list of texts for a text pipeline.
    labels : array_like of shape (n,)
        Class of each row: integers, strings, booleans.
    folds : int or scikit-learn splitter
        Number of folds, shuffled and stratified by class; or a cross-validator whose test sets
        hold every row exactly once.
    seed : int
        Shuffles the rows, and seeds every part of `model` whose ``random_state`` is None.
    groups : array_like of shape (n,), optional
        Rows of one group (one patient, one document, exact duplicates) stay in one fold.
    progress : callable, optional
        Called with (folds done, folds, "cross-validation").

    Returns
    -------
    ndarray of shape (n, k), float64
        Columns in the order of ``np.unique(labels)``; rows sum to 1. A class that was missing
        from the training rows of a fold has probability 0 in it.

    Raises
    ------
    InputError
        Something does not fit: lengths, missing labels, a single class, more folds than rows, a
        model without probabilities or with probabilities that are none, a row that a fold's
        model saw or that no fold holds out.

    Warns
    -----
    DataWarning
        Classes with fewer rows than folds, classes that a model never saw, and models that did
        not converge.

    See Also
    --------
    out_of_fold : The same, with the fold of each row and the names of the columns.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> features, labels = load_iris(return_X_y=True)
    >>> pred_probs = crossval(LogisticRegression(max_iter=1000), features, labels)
    >>> pred_probs.shape, float((pred_probs.argmax(axis=1) == labels).mean()) > 0.9
    ((150, 3), True)
    """
    result = out_of_fold(
        model, features, labels, folds=folds, seed=seed, groups=groups, progress=progress
    )
    return result.pred_probs


def out_of_fold(
    model: Any,
    features: Any,
    labels: npt.ArrayLike,
    *,
    folds: int | Splitter = 5,
    seed: int = 0,
    groups: npt.ArrayLike | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> OutOfFold:
    """Do what `crossval` does, and return the folds and the classes as well.

    Parameters, errors and warnings are those of `crossval`.

    Returns
    -------
    OutOfFold
        Probabilities, the class of each column, the fold of each row.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> points = [[0.0], [0.1], [0.2], [1.0], [1.1], [1.2]]
    >>> result = out_of_fold(GaussianNB(), points, ["low"] * 3 + ["high"] * 3, folds=3)
    >>> result.classes.tolist(), sorted(result.fold.tolist())
    (['high', 'low'], [0, 0, 1, 1, 2, 2])
    """
    rows = indexable(features)
    given, classes, codes = _class_labels(labels, row_count(rows))
    kept_together = group_codes(groups, len(codes))
    _check_classifier(model)
    check_seed(seed)
    splits = stratified_splits(rows, codes, folds, seed, kept_together)
    fold = check_splits(splits, len(codes), kept_together)
    _warn_of_rare_classes(classes, codes, splits)
    pred_probs = np.zeros((len(codes), len(classes)))

    def predict(train: Ints, test: Ints, where: str) -> Floats:
        return _predict_fold(model, rows, given, train, test, classes, seed, where)

    repeat_warnings(_fill(pred_probs, splits, predict, progress), f"{len(splits)} folds")
    return OutOfFold(pred_probs, classes, fold)


def crossval_predictions(
    model: Any,
    features: Any,
    labels: npt.ArrayLike,
    *,
    folds: int | Splitter = 5,
    seed: int = 0,
    groups: npt.ArrayLike | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Floats:
    """Predict the value of every row with a regressor that did not see it.

    Parameters
    ----------
    model : scikit-learn regressor
        Anything with ``fit`` and ``predict``, pipelines included. It is cloned for each fold, and
        stays as it was.
    features, folds, seed, groups, progress
        As for `crossval`; folds are shuffled, and not stratified.
    labels : array_like of shape (n,)
        Value of each row.

    Returns
    -------
    ndarray of shape (n,), float64

    Raises
    ------
    InputError
        Something does not fit: lengths, labels that are no finite numbers, more folds than rows,
        a model that fails or predicts no finite values, a row that a fold's model saw or that no
        fold holds out.

    Warns
    -----
    DataWarning
        Models that did not converge.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression
    >>> features, labels = load_diabetes(return_X_y=True)
    >>> predictions = crossval_predictions(LinearRegression(), features, labels)
    >>> predictions.shape, float(np.corrcoef(predictions, labels)[0, 1]) > 0.6
    ((442,), True)
    """
    rows = indexable(features)
    n = row_count(rows)
    given = check.vector(one_value_a_row(labels, n, "labels"), name="labels", length=n)
    kept_together = group_codes(groups, n)
    check_model(model, "regressor", "fit and predict", "LinearRegression()")
    check_seed(seed)
    splits = stratified_splits(rows, np.zeros(n, dtype=np.int64), folds, seed, kept_together)
    check_splits(splits, n, kept_together)
    predictions = np.empty(n)

    def predict(train: Ints, test: Ints, where: str) -> Floats:
        with blamed(where):
            fitted = fit_copy(model, take(rows, train), given[train], seed)
            return predict_values(fitted, take(rows, test), len(test), where)

    repeat_warnings(_fill(predictions, splits, predict, progress), f"{len(splits)} folds")
    return predictions


def _fill(
    out: Floats,
    splits: Sequence[Split],
    predict: Callable[[Ints, Ints, str], Floats],
    progress: Callable[[int, int, str], None] | None,
) -> list[warnings.WarningMessage]:
    """Put what is predicted for each fold's test rows into `out`; return what was warned of."""
    said: list[warnings.WarningMessage] = []
    for number, (train, test) in enumerate(splits):
        if progress is not None:
            progress(number, len(splits), "cross-validation")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            out[test] = predict(train, test, f"model, fold {number + 1} of {len(splits)}")
        said += caught
    if progress is not None:
        progress(len(splits), len(splits), "cross-validation")
    return said


def _class_labels(labels: npt.ArrayLike, n: int) -> tuple[Array, Array, Ints]:
    """Return the labels as an array, their classes in order, and the class number of each row."""
    given = one_value_a_row(labels, n, "labels")
    if given.dtype.kind == "f" and (broken := np.flatnonzero(given != np.floor(given))).size:
        raise InputError(
            f"labels[{broken[0]}]",
            f"is {given[broken[0]]}, a value and not a class ({broken.size} such labels)",
            "Pass classes; values are a matter of crossval_predictions",
        )
    try:
        classes, codes = np.unique(given, return_inverse=True)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in given.tolist()})
        raise InputError(
            "labels", f"mixes {' and '.join(kinds)}", "Make all of them of one type"
        ) from error
    if len(classes) < 2:
        raise InputError(
            "labels",
            f"all {n} are {classes.tolist()[0]!r}, and two classes are the least",
            "Pass labels of two classes or more",
        )
    return given, classes, codes.astype(np.int64)


def _check_classifier(model: Any) -> None:
    check_model(model, "classifier", "fit and predict_proba", "LogisticRegression()")
    if not hasattr(model, "predict_proba"):
        raise InputError(
            "model",
            f"{type(model).__name__} has no predict_proba",
            "Wrap it in sklearn.calibration.CalibratedClassifierCV",
        )


def _warn_of_rare_classes(classes: Array, codes: Ints, splits: Sequence[Split]) -> None:
    counts = np.bincount(codes, minlength=len(classes))
    unseen = np.zeros(len(classes), dtype=np.int64)
    for train, test in splits:
        known = np.bincount(codes[train], minlength=len(classes)) > 0
        unseen += np.bincount(codes[test], minlength=len(classes)) * ~known
    rare = np.flatnonzero((counts < len(splits)) | (unseen > 0))
    if not rare.size:
        return
    named = [f"{_plain(classes[i])!r} ({counts[i]})" for i in rare[:NAMED]]
    more = f" and {rare.size - NAMED} more" if rare.size > NAMED else ""
    text = (
        f"labels: too few rows for {len(splits)} folds in {rare.size} of {len(classes)} classes: "
        f"{', '.join(named)}{more}. Their probabilities are rough"
    )
    if unseen.any():
        text += (
            ", and 0 for rows judged by a model that saw no other row of their class "
            f"({unseen.sum()} of {len(codes)} rows)"
        )
    warn(f"{text}. Collect more rows, or merge or drop these classes.")


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label


def _predict_fold(
    model: Any,
    rows: Any,
    labels: Array,
    train: Ints,
    test: Ints,
    classes: Array,
    seed: int,
    where: str,
) -> Floats:
    """Fit a copy of the model on the train rows and return (test rows, k) probabilities."""
    pred_probs = np.zeros((len(test), len(classes)))
    present, codes = np.unique(labels[train], return_inverse=True)
    if len(present) == 1:  # most classifiers refuse to fit one class; the answer is known
        pred_probs[:, np.searchsorted(classes, present)] = 1.0
        return pred_probs
    with blamed(where):
        fitted, known = _fitted(model, take(rows, train), labels[train], present, codes, seed)
        found = np.asarray(fitted.predict_proba(take(rows, test)), dtype=np.float64)
        columns = _columns(classes, known)
    _check_probabilities(found, (len(test), len(columns)), test, where)
    pred_probs[:, columns] = found / found.sum(axis=1, keepdims=True)
    return pred_probs


def _fitted(
    model: Any, rows: Any, labels: Array, present: Array, codes: Ints, seed: int
) -> tuple[Any, Array]:
    """Return a fitted copy of the model and the class of each of its columns.

    Labels are passed as they are; to a model that does not take them so (XGBoost's wants
    0 .. k-1 without a gap), as the numbers of the classes that these rows have.
    """
    try:
        fitted = fit_copy(model, rows, labels, seed)
    except (ValueError, TypeError) as error:
        if labels.dtype.kind in "iu" and np.array_equal(labels, codes):
            raise
        try:
            fitted = fit_copy(model, rows, codes, seed)
            return fitted, present[np.asarray(fitted.classes_, dtype=np.int64)]
        except (ValueError, TypeError, AttributeError, IndexError):
            raise error from None  # what is wrong with the labels as they are
    return fitted, np.asarray(fitted.classes_)


def _columns(classes: Array, known: Array) -> Ints:
    """Return the column of each class that a model knows."""
    columns = np.searchsorted(classes, known)
    if not np.isin(known, classes).all():
        raise ValueError(f"its classes_ {known.tolist()[:NAMED]} are not among the labels")
    return columns


def _check_probabilities(found: Floats, shape: tuple[int, int], test: Ints, where: str) -> None:
    if found.shape != shape:
        raise InputError(
            where,
            f"predict_proba returned shape {found.shape}, not {shape}",
            "Pass a classifier of one label a row",
        )
    totals = found.sum(axis=1)
    bad = ~np.isfinite(found).all(axis=1) | (found < 0).any(axis=1) | (np.abs(totals - 1) > 1e-3)
    if bad.any():
        first = int(bad.argmax())
        raise InputError(
            where,
            f"predict_proba of row {test[first]} is {np.round(found[first], 4).tolist()}, which "
            f"are not probabilities that sum to 1 ({np.count_nonzero(bad)} such rows)",
            "Wrap the model in sklearn.calibration.CalibratedClassifierCV",
        )
