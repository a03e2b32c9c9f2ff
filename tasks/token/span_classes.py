"""Spans of several kinds, which may overlap: each kind by itself, token by token.

Where kinds overlap there is no single tag for a token. What is judged is then each kind at each
token: inside of such a span, or outside of all of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs.ragged import Ragged
from goldlabel.kernels.ordering import ascending
from goldlabel.learning.confident import Method
from goldlabel.learning.filters import FilterBy
from goldlabel.results.label_issues import LabelIssues, Parts
from goldlabel.tasks.token.issues import find_label_issues
from goldlabel.tasks.token.scores import Aggregator, get_label_quality_scores
from goldlabel.typing import Floats

__all__ = ["VALUES", "find_span_issues", "get_span_quality_scores"]

VALUES = ("outside", "inside")
"""What a token may be, by its number."""


def find_span_issues(
    labels: Any,
    pred_probs: Any,
    *,
    filter_by: FilterBy = "prune_by_noise_rate",
    rank_by: Method = "self_confidence",
    aggregator: Aggregator = "min",
    temperature: float = 0.05,
    classes: Sequence[Hashable] | None = None,
    min_examples_per_class: int = 1,
) -> LabelIssues:
    """Find the spans that are probably wrong, where spans have kinds of their own.

    Parameters
    ----------
    labels : Ragged, or list of n arrays of shape (tokens,) or (tokens, c)
        1 where a token is inside of a span of a kind, 0 where not; one column for each kind.
    pred_probs : Ragged, or list of n arrays of the same shapes
        Probability of each token of being inside of such a span, out of sample.
    filter_by, rank_by, aggregator, temperature, min_examples_per_class
        As for `find_label_issues`, for each kind by itself.
    classes : sequence of length c, optional
        Names of the kinds.

    Returns
    -------
    LabelIssues
        One row of `parts` for each token and kind that is judged wrong. The kind of issue is the
        kind of span; `given` and `suggested` are 0 = outside or 1 = inside. Tokens that follow
        each other are one ``group``, from ``start`` to ``end`` (not included). The score of a
        sentence is the lowest of its scores by kind.

    Raises
    ------
    InputError
        A shape, type or value that does not fit.

    Examples
    --------
    >>> issues = find_span_issues(
    ...     [[0, 0, 1, 1], [0, 0, 1]], [[0.3, 0.2, 0.9, 0.1], [0.1, 0.1, 0.9]]
    ... )
    >>> issues.to_frame("part")[["example", "part", "given", "suggested"]].values.tolist()
    [[0, 3, 'inside', 'outside']]
    """
    given, probs = _columns(labels, "labels"), _columns(pred_probs, "pred_probs")
    names = _names(classes, given, probs)
    found = [
        find_label_issues(
            Ragged(_indicator(given, kind), given.offsets),
            Ragged(np.ascontiguousarray(np.asarray(probs.values)[:, kind]), probs.offsets),
            filter_by=filter_by,
            rank_by=rank_by,
            aggregator=aggregator,
            temperature=temperature,
            scheme="none",
            min_examples_per_class=min_examples_per_class,
        )
        for kind in range(len(names))
    ]
    parts = _together([each.parts for each in found], given.offsets, names)
    is_issue = np.zeros(len(given), dtype=np.bool_)
    is_issue[parts.example] = True
    return LabelIssues(
        task="token",
        scores=np.min([each.scores for each in found], axis=0),
        is_issue=is_issue,
        parts=parts,
        classes=VALUES,
        params={**found[0].params, "spans": [str(name) for name in names]},
    )


def get_span_quality_scores(
    labels: Any,
    pred_probs: Any,
    *,
    method: Method = "self_confidence",
    aggregator: Aggregator = "min",
    temperature: float = 0.05,
) -> Floats:
    """Score how likely all spans of each sentence are right.

    Parameters
    ----------
    labels, pred_probs
        As for `find_span_issues`.
    method, aggregator, temperature
        As for `get_label_quality_scores`.

    Returns
    -------
    ndarray of shape (n,), float64
        Score of each sentence in [0, 1], the lowest of those by kind; lower is worse.

    Raises
    ------
    InputError
        A shape, type or value that does not fit.

    Examples
    --------
    >>> get_span_quality_scores(
    ...     [[0, 0, 1, 1], [0, 0, 1]], [[0.3, 0.2, 0.9, 0.1], [0.1, 0.1, 0.9]]
    ... )
    array([0.1, 0.9])
    """
    given, probs = _columns(labels, "labels"), _columns(pred_probs, "pred_probs")
    scores = [
        get_label_quality_scores(
            Ragged(_indicator(given, kind), given.offsets),
            Ragged(np.ascontiguousarray(np.asarray(probs.values)[:, kind]), probs.offsets),
            method=method,
            aggregator=aggregator,
            temperature=temperature,
        )
        for kind in range(len(_names(None, given, probs)))
    ]
    lowest: Floats = np.min(scores, axis=0)
    return lowest


def _columns(values: Any, name: str) -> Ragged:
    """Return values with a column for each kind of span."""
    if not isinstance(values, Ragged):
        if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
            raise InputError(name, f"is a {type(values).__name__}", "Pass a list for each sentence")
        values = Ragged.from_lists(list(values), name=name)
    flat = values.values
    if flat.dtype.kind not in "biuf" or flat.ndim not in (1, 2) or not flat.size:
        raise InputError(
            name, f"holds {flat.dtype} of shape {flat.shape}", "Pass a number for each token"
        )
    return Ragged(flat if flat.ndim == 2 else flat[:, None], values.offsets)


def _names(classes: Sequence[Hashable] | None, given: Ragged, probs: Ragged) -> Sequence[Hashable]:
    c = given.values.shape[1]
    if probs.values.shape[1] != c:
        raise InputError(
            "pred_probs", f"has {probs.values.shape[1]} kinds of spans, and labels {c}", "Pass both"
        )
    if classes is not None and len(classes) != c:
        raise InputError("classes", f"has {len(classes)} names, not {c}", "Name each kind")
    return list(classes) if classes is not None else [f"span {at}" for at in range(c)]


def _indicator(given: Ragged, kind: int) -> npt.NDArray[np.int64]:
    """Return a column of 0 and 1."""
    column = np.asarray(given.values)[:, kind]
    bad = np.flatnonzero((column != 0) & (column != 1) & (column != -1) & (column != -100))
    if bad.size:
        sentence, token = given.locate(bad[:1])
        raise InputError(
            f"labels[{sentence[0]}][{token[0]}]",
            f"is {column[bad[0]]}, not 0 or 1 ({bad.size} such)",
            "Pass 1 where a token is inside of a span",
        )
    return column.astype(np.int64)


def _together(
    parts: Sequence[Parts], offsets: npt.NDArray[np.int64], names: Sequence[Hashable]
) -> Parts:
    """Put the findings of all kinds into one table; tokens in a row are one finding."""
    kind = np.repeat(np.arange(len(parts)), [len(each) for each in parts]).astype(np.int8)
    columns = {
        name: np.concatenate([getattr(each, name) for each in parts])
        for name in ("example", "part", "given", "suggested", "score", "confidence")
    }
    row = offsets[columns["example"]] + columns["part"]
    order = np.lexsort((row, kind))
    row, kind = row[order], kind[order]
    columns = {name: values[order] for name, values in columns.items()}
    alike = np.ones(len(row), dtype=np.bool_)
    if len(row):
        alike[0] = False
        for values in (kind, columns["example"], columns["given"], columns["suggested"], row
                       - np.arange(len(row))):  # fmt: skip
            alike[1:] &= values[1:] == values[:-1]
    group = np.cumsum(~alike) - 1
    count = int(group[-1]) + 1 if len(group) else 0
    lowest, start, end = np.ones(count), np.full(count, np.iinfo(np.int64).max), np.zeros(count)
    np.minimum.at(lowest, group, columns["score"])
    np.minimum.at(start, group, columns["part"])
    np.maximum.at(end, group, columns["part"] + 1)
    columns["score"] = lowest[group]
    worst = ascending(lowest[group])
    told = {"start": start[group].astype(np.int64), "end": end[group].astype(np.int64)}
    return Parts(
        **{name: values[worst] for name, values in columns.items()},
        kind=kind[worst],
        kinds=tuple(str(name) for name in names),
        evidence={name: values[worst] for name, values in told.items()},
        reasons={str(name): _Reason(str(name)) for name in names},
        group=group[worst],
    )


class _Reason:
    """Says why a token is judged wrong."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *, given: str, suggested: str, confidence: float, **_: Any) -> str:
        return (
            f"Given as {given} of {self._name!r}; the model says {suggested} with {confidence:.0%}."
        )
