"""Out-of-fold predictions: every row is judged by a model that did not see it.

A model that has seen a row knows its label by heart and agrees with it, wrong or not; so whoever
looks for label errors needs predictions from cross-validation. `crossval` makes them with any
scikit-learn classifier, and checks the one thing that matters: no row was judged by a model
fitted on it.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from goldlabel.errors import DataWarning, InputError
from goldlabel.folds import Split, Splitter, check_splits, stratified_splits

__all__ = ["OutOfFold", "crossval", "out_of_fold"]

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

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
    rows = _indexable(features)
    given, classes, codes = _class_labels(labels, _row_count(rows))
    group_codes = None if groups is None else _group_codes(groups, len(codes))
    _check_model(model)
    if not 0 <= seed < 2**32:
        raise InputError("seed", f"is {seed!r}", "Pass a number from 0 to 4294967295")
    splits = stratified_splits(rows, codes, folds, seed, group_codes)
    fold = check_splits(splits, len(codes), group_codes)
    _warn_of_rare_classes(classes, codes, splits)
    pred_probs = np.zeros((len(codes), len(classes)))
    said: list[warnings.WarningMessage] = []
    for number, (train, test) in enumerate(splits):
        if progress is not None:
            progress(number, len(splits), "cross-validation")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            where = f"model, fold {number + 1} of {len(splits)}"
            pred_probs[test] = _predict_fold(model, rows, given, train, test, classes, seed, where)
        said += caught
    if progress is not None:
        progress(len(splits), len(splits), "cross-validation")
    _repeat_warnings(said, len(splits))
    return OutOfFold(pred_probs, classes, fold)


def _indexable(features: Any) -> Any:
    """Return features whose rows can be taken by number: lists and frames as they are."""
    if isinstance(features, str | bytes):
        raise InputError("features", "is a single text", "Pass a list with a text for each row")
    if sparse.issparse(features):
        return cast("Any", features).tocsr()
    if isinstance(features, list | tuple) or hasattr(features, "shape"):
        return features
    return np.asarray(features)


def _row_count(rows: Any) -> int:
    if not hasattr(rows, "shape"):
        return len(rows)
    if len(rows.shape) == 0:
        raise InputError("features", "is a single value", "Pass a row for each label")
    return int(rows.shape[0])


def _take(rows: Any, index: Ints) -> Any:
    if hasattr(rows, "iloc"):
        return rows.iloc[index]
    if isinstance(rows, list | tuple):
        return [rows[position] for position in index]
    return rows[index]


def _class_labels(labels: npt.ArrayLike, n: int) -> tuple[Array, Array, Ints]:
    """Return the labels as an array, their classes in order, and the class number of each row."""
    given = _one_value_a_row(labels, n, "labels")
    if given.dtype.kind == "f" and (broken := np.flatnonzero(given != np.floor(given))).size:
        raise InputError(
            f"labels[{broken[0]}]",
            f"is {given[broken[0]]}, a value and not a class ({broken.size} such labels)",
            "Pass classes; values are a matter of regression",
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


def _one_value_a_row(values: npt.ArrayLike, n: int, name: str) -> Array:
    array = np.asarray(values)
    if array.ndim != 1 or len(array) != n:
        raise InputError(
            name,
            f"has shape {array.shape}, and features has {n} rows",
            f"Pass one of {name} for each row of features",
        )
    if n == 0:
        raise InputError("features", "has no rows", "Pass at least two rows")
    missing = np.flatnonzero(pd.isna(array))
    if missing.size:
        raise InputError(
            f"{name}[{missing[0]}]", f"is missing ({missing.size} are)", "Drop these rows"
        )
    return array


def _group_codes(groups: npt.ArrayLike, n: int) -> Ints:
    return pd.factorize(_one_value_a_row(groups, n, "groups"))[0].astype(np.int64)


def _check_model(model: Any) -> None:
    if isinstance(model, type) or not hasattr(model, "fit") or not hasattr(model, "get_params"):
        name = model.__name__ if isinstance(model, type) else type(model).__name__
        raise InputError(
            "model",
            f"{name} is not a scikit-learn classifier",
            "Pass an object with fit and predict_proba, such as LogisticRegression()",
        )
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
    warnings.warn(f"{text}. Collect more rows, or merge or drop these classes.", DataWarning, 4)


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
    only = np.unique(labels[train])
    if len(only) == 1:  # most classifiers refuse to fit one class; the answer is known
        pred_probs[:, np.searchsorted(classes, only)] = 1.0
        return pred_probs
    try:
        fitted = _seeded(model, seed).fit(_take(rows, train), labels[train])
        found = np.asarray(fitted.predict_proba(_take(rows, test)), dtype=np.float64)
        columns = _columns(classes, fitted.classes_)
    except (ValueError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            where, f"failed with {type(error).__name__}: {reason}", "Check features and model"
        ) from error
    _check_probabilities(found, (len(test), len(columns)), test, where)
    pred_probs[:, columns] = found / found.sum(axis=1, keepdims=True)
    return pred_probs


def _columns(classes: Array, known: Array) -> Ints:
    """Return the column of each class that a model knows."""
    columns = np.searchsorted(classes, known)
    if not np.isin(known, classes).all():
        raise ValueError(f"its classes_ {known.tolist()[:NAMED]} are not among the labels")
    return columns


def _seeded(model: Any, seed: int) -> Any:
    """Clone a model, and seed what was left unseeded: the same call gives the same answer."""
    copy = clone(model)
    unset = {
        name: seed
        for name, value in copy.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    return copy.set_params(**unset)


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


def _repeat_warnings(caught: Sequence[warnings.WarningMessage], folds: int) -> None:
    """Say again, once each, what the folds' models warned of."""
    slow = [entry for entry in caught if issubclass(entry.category, ConvergenceWarning)]
    if slow:
        first = str(slow[0].message).strip().splitlines()[0]
        warnings.warn(
            f"model: {len(slow)} fits in {folds} folds did not converge ({first}). "
            "Raise max_iter or scale the features.",
            DataWarning,
            4,
        )
    others = [entry for entry in caught if not issubclass(entry.category, ConvergenceWarning)]
    times = Counter((entry.category, str(entry.message)) for entry in others)
    for (category, text), count in times.items():
        entry = next(e for e in others if (e.category, str(e.message)) == (category, text))
        suffix = f" (said {count} times in {folds} folds)" if count > 1 else ""
        warnings.warn_explicit(text + suffix, category, entry.filename, entry.lineno)
