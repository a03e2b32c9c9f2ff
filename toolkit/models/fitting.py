"""Copies of a model, fitted on some rows of a dataset and asked about others."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from goldlabel.errors import InputError, warn
from goldlabel.typing import Floats, Ints

__all__ = [
    "blamed",
    "check_model",
    "check_seed",
    "fit_copy",
    "group_codes",
    "indexable",
    "one_value_a_row",
    "predict_values",
    "repeat_warnings",
    "row_count",
    "take",
]

Array = npt.NDArray[Any]


def indexable(features: Any) -> Any:
    """Return features whose rows can be taken by number: lists and frames as they are."""
    if isinstance(features, str | bytes):
        raise InputError("features", "is a single text", "Pass a list with a text for each row")
    if sparse.issparse(features):
        return cast("Any", features).tocsr()
    if isinstance(features, list | tuple) or hasattr(features, "shape"):
        return features
    return np.asarray(features)


def row_count(rows: Any) -> int:
    """Return how many rows features have."""
    if not hasattr(rows, "shape"):
        return len(rows)
    if len(rows.shape) == 0:
        raise InputError("features", "is a single value", "Pass a row for each label")
    return int(rows.shape[0])


def take(rows: Any, index: Ints) -> Any:
    """Return some rows, of the type that all of them have."""
    if hasattr(rows, "iloc"):
        return rows.iloc[index]
    if isinstance(rows, list | tuple):
        return [rows[position] for position in index]
    return rows[index]


def one_value_a_row(values: npt.ArrayLike, n: int, name: str) -> Array:
    """Return one value for each of the n rows of features, none of them missing."""
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


def group_codes(groups: npt.ArrayLike | None, n: int) -> Ints | None:
    """Return a number for each group, in the order of the rows; None if there are none."""
    if groups is None:
        return None
    return pd.factorize(one_value_a_row(groups, n, "groups"))[0].astype(np.int64)


def check_seed(seed: int) -> None:
    """Refuse a seed that scikit-learn would."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise InputError("seed", f"is {seed!r}", "Pass a number from 0 to 4294967295")


def check_model(model: Any, kind: str, methods: str, example: str) -> None:
    """Refuse what is no scikit-learn estimator: a class, a function, a model of another kind."""
    if isinstance(model, type) or not hasattr(model, "fit") or not hasattr(model, "get_params"):
        name = model.__name__ if isinstance(model, type) else type(model).__name__
        raise InputError(
            "model",
            f"{name} is not a scikit-learn {kind}",
            f"Pass an object with {methods}, such as {example}",
        )


@contextmanager
def blamed(where: str) -> Iterator[None]:
    """Turn what a model raises of itself into an `InputError`."""
    try:
        yield
    except InputError:
        raise
    except (ValueError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            where, f"failed with {type(error).__name__}: {reason}", "Check features and model"
        ) from error


def fit_copy(
    model: Any,
    rows: Any,
    labels: Array,
    seed: int,
    options: Mapping[str, Any] | None = None,
) -> Any:
    """Fit a clone of a model whose unset ``random_state`` is seeded: same call, same answer."""
    copy = clone(model)
    unset = {
        name: seed
        for name, value in copy.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    return copy.set_params(**unset).fit(rows, labels, **(options or {}))


def predict_values(fitted: Any, rows: Any, n: int, where: str) -> Floats:
    """Return the n finite values that a fitted regressor predicts, as float64 of shape (n,)."""
    found = np.asarray(fitted.predict(rows), dtype=np.float64)
    if found.shape == (n, 1):
        found = found[:, 0]
    if found.shape != (n,):
        raise InputError(
            where,
            f"predict returned shape {found.shape}, not ({n},)",
            "Pass a regressor of one value a row",
        )
    bad = np.flatnonzero(~np.isfinite(found))
    if bad.size:
        raise InputError(
            where,
            f"predict returned {found[bad[0]]} ({bad.size} such values)",
            "Scale the features, or pass a model that stays finite",
        )
    return found


def repeat_warnings(caught: Sequence[warnings.WarningMessage], times: str) -> None:
    """Say again, once each, what fitted models warned of; `times` is e.g. "5 folds"."""
    slow = [entry for entry in caught if issubclass(entry.category, ConvergenceWarning)]
    if slow:
        first = str(slow[0].message).strip().splitlines()[0]
        warn(
            f"model: {len(slow)} fits in {times} did not converge ({first}). "
            "Raise max_iter or scale the features."
        )
    others = [entry for entry in caught if not issubclass(entry.category, ConvergenceWarning)]
    said = Counter((entry.category, str(entry.message)) for entry in others)
    for (category, text), count in said.items():
        entry = next(e for e in others if (e.category, str(e.message)) == (category, text))
        suffix = f" (said {count} times in {times})" if count > 1 else ""
        warnings.warn_explicit(text + suffix, category, entry.filename, entry.lineno)
