"""Folds of cross-validation: which rows a model is fitted on, and which it then predicts."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Protocol, cast

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from goldlabel.errors import InputError
from goldlabel.typing import Ints

__all__ = ["Split", "Splitter", "check_splits", "stratified_splits"]

Split = tuple[Ints, Ints]
"""Rows to fit on, rows to predict."""


class Splitter(Protocol):
    """What scikit-learn calls a cross-validator: ``KFold``, ``LeaveOneGroupOut``, ..."""

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Any:
        """Yield (train rows, test rows)."""


def stratified_splits(
    rows: Any, codes: Ints, folds: int | Splitter, seed: int, groups: Ints | None
) -> list[Split]:
    """Return (train, test) rows of each fold that holds any."""
    if hasattr(folds, "split") and not isinstance(folds, str):
        return _given_splits(cast("Splitter", folds), rows, codes, groups)
    n = len(codes)
    if isinstance(folds, bool) or not isinstance(folds, int | np.integer) or not 2 <= folds <= n:
        raise InputError(
            "folds", f"is {folds!r}, and there are {n} rows", f"Pass a number from 2 to {n}"
        )
    if groups is not None and groups.max() + 1 < folds:
        raise InputError(
            "groups",
            f"has {groups.max() + 1} groups, fewer than the {folds} folds",
            "Pass fewer folds",
        )
    fold = _assign_folds(codes, int(folds), seed, groups)
    present = np.unique(fold)
    return [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in present]


def _given_splits(splitter: Splitter, rows: Any, codes: Ints, groups: Ints | None) -> list[Split]:
    every = np.arange(len(codes))
    try:
        with warnings.catch_warnings():
            # No need to say it: whether groups are kept together is checked afterwards.
            warnings.filterwarnings("ignore", "The groups parameter is ignored", UserWarning)
            splits = list(splitter.split(rows, codes, groups))
        # Indexing turns masks into row numbers, and refuses numbers of rows there are not.
        return [(every[train], every[test]) for train, test in splits]
    except (ValueError, TypeError, IndexError) as error:
        raise InputError(
            "folds", f"{type(splitter).__name__} failed: {error}", "Check folds and groups"
        ) from error


def _assign_folds(codes: Ints, folds: int, seed: int, groups: Ints | None) -> Ints:
    if np.bincount(codes).max() < folds:
        return _deal(codes, folds, seed, groups)
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    splitter = kind(folds, shuffle=True, random_state=seed)
    fold = np.zeros(len(codes), dtype=np.int64)
    with warnings.catch_warnings():
        # Said better, with the names of the classes, by _warn_of_rare_classes.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        for number, (_, test) in enumerate(splitter.split(codes, codes, groups)):
            fold[test] = number
    return fold


def _deal(codes: Ints, folds: int, seed: int, groups: Ints | None) -> Ints:
    """Deal rows (or groups) out like cards, class after class.

    For data that scikit-learn refuses to stratify, because no class has a row for each fold.
    """
    rng = np.random.default_rng(seed)
    if groups is not None:
        return (rng.permutation(groups.max() + 1) % folds)[groups]
    order = rng.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    fold = np.empty(len(codes), dtype=np.int64)
    fold[order] = np.arange(len(codes)) % folds
    return fold


def check_splits(splits: Sequence[Split], n: int, groups: Ints | None) -> Ints:
    """Return the fold of each row, and prove that its model saw neither it nor its group."""
    fold = np.full(n, -1, dtype=np.int64)
    for number, (train, test) in enumerate(splits):
        seen = np.zeros(n, dtype=np.bool_)
        seen[train] = True
        _refuse(test[seen[test]], f"fold {number + 1}", "is both fitted on and predicted")
        again = np.bincount(test, minlength=n)[test] + (fold[test] >= 0) > 1
        _refuse(test[again], f"fold {number + 1}", "is predicted a second time")
        if groups is not None:
            shared = np.isin(groups[test], groups[train])
            _refuse(
                test[shared], f"fold {number + 1}", "has rows of its group among those fitted on"
            )
        if not train.size:
            raise InputError(
                f"fold {number + 1}", "leaves no row to fit on", "Pass fewer folds or more groups"
            )
        fold[test] = number
    _refuse(np.flatnonzero(fold < 0), "folds", "is never predicted")
    return fold


def _refuse(rows: Ints, where: str, what: str) -> None:
    if rows.size:
        raise InputError(
            where,
            f"row {rows.min()} {what} ({rows.size} such rows)",
            "Pass a splitter whose test sets hold every row once, such as StratifiedKFold",
        )
