"""Label noise that is made on purpose, and recorded: to see how many of the errors are found."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.typing import Floats, Ints

__all__ = ["PlantedErrors", "plant_errors"]

NEVER = 1e-12
"""Below this, a probability in a noise matrix is taken for rounding."""

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class PlantedErrors:
    """Labels with errors planted in them, and where they are.

    Attributes
    ----------
    labels : ndarray of shape (n,)
        The labels with the errors.
    original : ndarray of shape (n,)
        The labels as they were.
    is_error : ndarray of shape (n,), bool
        Where the two differ.
    classes : ndarray of shape (k,)
        The classes, in the order of `noise_matrix`.
    noise_matrix : ndarray of shape (k, k), float64
        What was done: share of the examples of original class ``j`` that now have class ``i``, at
        ``[i, j]``. Columns sum to 1.
    """

    labels: Array
    original: Array
    is_error: npt.NDArray[np.bool_]
    classes: Array
    noise_matrix: Floats

    def __repr__(self) -> str:
        return f"<PlantedErrors: {self.is_error.sum()} of {len(self.labels)} labels>"


def plant_errors(
    labels: npt.ArrayLike,
    *,
    kind: Literal["uniform", "pair", "confusion"] | npt.ArrayLike = "uniform",
    rate: float | None = None,
    seed: int = 0,
    classes: Sequence[Hashable] | None = None,
) -> PlantedErrors:
    """Make some labels wrong, and record which.

    The noise is class-conditional: how probable a wrong label is depends on the right class alone
    [1]_ [2]_. The number of errors is exact, in all and, to within one, for each pair of classes;
    which examples get them is drawn at random.

    Parameters
    ----------
    labels : array_like of shape (n,)
        Right labels: integers, strings, any type that sorts.
    kind : {"uniform", "pair", "confusion"} or array_like of shape (k, k)
        "uniform": every other class alike. "pair": always the next class, the first after the
        last. "confusion": each class has its own rate (between a half and three halves of
        `rate`) and its own favourite wrong classes, drawn by `seed`. Or a noise matrix: the
        probability of label ``i`` where class ``j`` is right, at ``[i, j]``; columns sum to 1.
    rate : float, optional
        Share of labels to make wrong, in [0, 1]; ``round(rate * n)`` of them are. By default 0.1,
        or what the given matrix says. With a matrix, its errors are scaled to this rate.
    seed : int
        The same seed gives the same errors.
    classes : sequence, optional
        All classes in order, where some have no example (they can still be wrong labels). By
        default ``np.unique(labels)``.

    Returns
    -------
    PlantedErrors
        Labels before and after, which are wrong, and the noise matrix that came out.

    Raises
    ------
    InputError
        A label is missing or not among `classes`; fewer than two classes; a rate outside [0, 1]
        or above what the matrix allows; a matrix that is none.

    References
    ----------
    .. [1] Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset
       Labels", Journal of Artificial Intelligence Research 70, 2021.
    .. [2] Patrini, Rozza, Menon, Nock, Qu, "Making Deep Neural Networks Robust to Label Noise: A
       Loss Correction Approach", CVPR 2017 (the kind "pair").

    Examples
    --------
    >>> planted = plant_errors(["cat", "dog"] * 50, rate=0.07, seed=1)
    >>> planted
    <PlantedErrors: 7 of 100 labels>
    >>> bool((planted.labels != planted.original).sum() == 7)
    True
    """
    original, names, codes = _coded(labels, classes)
    if seed < 0:
        raise InputError("seed", f"is {seed}", "Pass 0 or a positive number")
    rng = np.random.default_rng(seed)
    counts = np.bincount(codes, minlength=len(names))
    matrix, own_rate = _noise_matrix(kind, counts, rng)
    errors = _error_counts(matrix, counts, own_rate if rate is None else _checked_rate(rate), rng)
    noisy = codes.copy()
    for right, wrong in enumerate(errors.T):
        rows = np.flatnonzero(codes == right)
        chosen = rng.choice(rows, size=int(wrong.sum()), replace=False)
        noisy[chosen] = np.repeat(np.arange(len(names)), wrong)
    kept = np.diag(counts - errors.sum(axis=0))
    made = (errors + kept) / np.maximum(counts, 1)
    made[:, counts == 0] = np.eye(len(names))[:, counts == 0]
    return PlantedErrors(names[noisy], original, noisy != codes, names, made)


def _coded(labels: npt.ArrayLike, classes: Sequence[Hashable] | None) -> tuple[Array, Array, Ints]:
    """Return labels, class names, and the class number of each label."""
    original = np.asarray(labels)
    if original.ndim != 1 or original.size == 0:
        raise InputError(
            "labels", f"has shape {original.shape}", "Pass one label for each of n examples"
        )
    missing = np.flatnonzero(pd.isna(original))
    if missing.size:
        raise InputError(
            f"labels[{missing[0]}]", f"is missing ({missing.size} are)", "Drop these examples"
        )
    try:
        names = np.unique(original) if classes is None else np.asarray(classes)
    except TypeError as error:
        raise InputError("labels", "mixes types that do not sort", "Pass classes") from error
    index = pd.Index(names)
    if names.ndim != 1 or len(names) < 2 or not index.is_unique:
        raise InputError(
            "labels" if classes is None else "classes",
            f"has {index.nunique()} different classes in {len(names)}",
            "Name two classes or more, each once",
        )
    codes = index.get_indexer(pd.Index(original)).astype(np.int64)
    if (codes < 0).any():
        first = int((codes < 0).argmax())
        raise InputError(
            f"labels[{first}]",
            f"is {original[first]!r}, not one of classes ({np.count_nonzero(codes < 0)} such)",
            "Add it to classes",
        )
    return original, names, codes


def _checked_rate(rate: float) -> float:
    if not 0 <= rate <= 1:
        raise InputError("rate", f"is {rate}", "Pass the share of wrong labels, 0 to 1")
    return float(rate)


def _noise_matrix(
    kind: str | npt.ArrayLike, counts: Ints, rng: np.random.Generator
) -> tuple[Floats, float]:
    """Return off-diagonal weights by (given, right) class, and the rate without one asked for."""
    k = len(counts)
    if not isinstance(kind, str):
        return _given_matrix(kind, counts)
    if kind == "uniform":
        weights = (1 - np.eye(k)) / (k - 1)
    elif kind == "pair":
        weights = np.roll(np.eye(k), 1, axis=0)
    elif kind == "confusion":
        weights = np.zeros((k, k))
        for right in range(k):
            others = np.arange(k) != right
            weights[others, right] = rng.dirichlet(np.full(k - 1, 0.5)) * rng.uniform(0.5, 1.5)
    else:
        raise InputError(
            "kind",
            f"is {kind!r}",
            "Use 'uniform', 'pair', 'confusion' or a noise matrix",
        )
    return weights, 0.1


def _given_matrix(kind: npt.ArrayLike, counts: Ints) -> tuple[Floats, float]:
    try:
        matrix = np.asarray(kind, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise InputError("kind", "is no matrix of numbers", "Pass a noise matrix") from error
    k = len(counts)
    if matrix.shape != (k, k):
        raise InputError(
            "kind", f"has shape {matrix.shape}, and there are {k} classes", f"Pass ({k}, {k})"
        )
    sums = matrix.sum(axis=0)
    bad = ~(np.isfinite(matrix) & (matrix >= 0)).all(axis=0) | (np.abs(sums - 1) > 1e-6)
    if bad.any():
        column = int(bad.argmax())
        raise InputError(
            f"kind[:, {column}]",
            f"is {matrix[:, column].round(6).tolist()}, which sums to {sums[column]:.6g} "
            f"({np.count_nonzero(bad)} such columns)",
            "Pass probabilities that sum to 1 in each column",
        )
    matrix = np.where((matrix < NEVER) | np.eye(k, dtype=np.bool_), 0.0, matrix)
    return matrix, float((counts * matrix.sum(axis=0)).sum() / counts.sum())


def _error_counts(weights: Floats, counts: Ints, rate: float, rng: np.random.Generator) -> Ints:
    """Return how many errors each (given, right) pair of classes gets, ``round(rate * n)`` in all.

    Systematic rounding: the expected numbers are laid end to end in a random order, and whole
    numbers are cut off behind a random start; so each is right on average and within one, and so
    is the sum of each class.
    """
    total = round(rate * int(counts.sum()))
    expected = _scaled(weights * counts, counts, total)
    rights = rng.permutation(len(counts))
    givens = rng.permutation(len(counts))
    # Rounded, and a start that adds exactly: a class whose every label is wrong gets no more.
    ends = np.round(np.cumsum(expected[np.ix_(givens, rights)].T.ravel()), 6)
    start = float(rng.integers(2**20)) / 2**20
    cut = np.floor(ends + start).astype(np.int64)
    errors = np.zeros(weights.shape, dtype=np.int64)
    errors[np.ix_(givens, rights)] = np.diff(cut, prepend=0).reshape(weights.shape).T
    return errors


def _scaled(expected: Floats, counts: Ints, total: int) -> Floats:
    """Scale the expected errors to `total`, with no class losing more labels than it has."""
    room = int(counts[expected.sum(axis=0) > 0].sum())
    if total > room:
        raise InputError(
            "rate",
            f"asks for {total} errors, and the matrix lets {room} labels be wrong",
            "Lower rate",
        )
    full = np.zeros(len(counts), dtype=np.bool_)
    while True:
        sums = expected.sum(axis=0)
        left = total - counts[full].sum()
        share = left / sums[~full].sum() if left > 0 else 0.0
        scale = np.where(full, counts / np.where(sums > 0, sums, 1), share)
        over = ~full & (sums * scale > counts)
        if not over.any():
            return expected * scale
        full |= over
