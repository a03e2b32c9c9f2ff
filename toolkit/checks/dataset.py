"""A whole dataset checked: all checks that its inputs allow, their results in one object."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.neighbors.graph import DEFAULT_K, Metric, NeighborGraph, as_graph
from goldlabel.typing import Mask

from . import saving
from .new_data import compare_new_data
from .registry import Check, LabelKind, find_check, find_checks
from .result import CheckResult
from .tabular import as_columns

__all__ = ["DatasetAudit", "audit_dataset", "label_kind"]

FEW_VALUES = 50
"""Whole numbers with no more distinct values than this are classes, others are values."""


@dataclass(frozen=True, eq=False)
class DatasetAudit:
    """What all checks found in a dataset of n examples.

    Attributes
    ----------
    results : mapping of str to CheckResult
        By check, in the order in which they ran.
    skipped : mapping of str to str
        Why a check that runs by default did not.
    failed : mapping of str to Exception
        What stopped a check; the others ran.
    n : int
        Examples.
    features, labels : optional
        As they were used, to compare new data with.
    """

    results: Mapping[str, CheckResult]
    skipped: Mapping[str, str]
    failed: Mapping[str, Exception]
    n: int
    features: Any = field(default=None, repr=False)
    labels: Any = field(default=None, repr=False)

    def __getitem__(self, name: str) -> CheckResult:
        """Return the result of one check.

        Raises
        ------
        InputError
            It did not run, or failed; the message says why.
        """
        if name in self.results:
            return self.results[name]
        why = "did not run"
        if name in self.failed:
            why = f"failed: {self.failed[name]}"
        elif name in self.skipped:
            why = f"did not run: it {self.skipped[name]}"
        known = ", ".join(self.results) or "none"
        raise InputError(f"audit[{name!r}]", why, f"There are results of: {known}")

    @property
    def is_issue(self) -> Mask:
        """Examples that some check has flagged."""
        out = np.zeros(self.n, dtype=np.bool_)
        for result in self.results.values():
            out |= result.is_issue
        return out

    def summary(self) -> pd.DataFrame:
        """Return a row per check: most examples flagged first, ties in the order of checks."""
        rows = [
            (name, each.score, each.num_issues, each.is_found, each.verdict)
            for name, each in self.results.items()
        ]
        frame = pd.DataFrame(rows, columns=["check", "score", "num_issues", "is_found", "verdict"])
        return frame.sort_values("num_issues", ascending=False, kind="stable", ignore_index=True)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per example: `is_NAME_issue` and `NAME_score` of each check."""
        columns: dict[str, Any] = {}
        for name, each in self.results.items():
            columns[f"is_{name}_issue"], columns[f"{name}_score"] = each.is_issue, each.scores
        return pd.DataFrame(columns, index=pd.RangeIndex(self.n, name="example"))

    def report(self, *, top: int = 5) -> str:
        """Return what was found as text: of each check its verdict and the worst examples."""
        lines = [f"{self.n:,} examples, {int(self.is_issue.sum()):,} flagged", ""]
        for name in self.summary()["check"]:
            result = self.results[name]
            lines.append(f"{name}: {result.verdict}")
            worst = result.ranked()[:top]
            reasons = result.reasons(worst)
            lines += [f"  {at}  {text}" for at, text in zip(worst, reasons, strict=True)]
            lines += [f"  note: {note}" for note in result.notes]
        lines += [f"{name}: failed: {error}" for name, error in self.failed.items()]
        lines += [f"{name}: did not run: it {why}" for name, why in self.skipped.items()]
        return "\n".join(lines)

    def save(self, folder: str | Path) -> None:
        """Write all into a folder: Parquet, NumPy and JSON files, all of them or none.

        Raises
        ------
        InputError
            The folder can't be written to.
        """
        saving.save(folder, self.results, self.skipped, self.failed, self.n,
                    self.features, self.labels)  # fmt: skip

    @classmethod
    def load(cls, folder: str | Path) -> DatasetAudit:
        """Read what `save` wrote. Nothing in the folder is trusted, and nothing of it is run.

        Raises
        ------
        InputError
            The folder holds no such audit, or was changed.
        """
        return cls(**saving.load(folder))

    def compare(self, features: Any, *, labels: Any = None, **options: Any) -> CheckResult:
        """Compare new data with this dataset; see `goldlabel.checks.compare_new_data`."""
        if self.features is None:
            raise InputError("compare", "needs features of the audit", "Audit with features=")
        return compare_new_data(
            features=features, reference_features=self.features, labels=labels,
            reference_labels=self.labels if labels is not None else None, **options,
        )  # fmt: skip


def audit_dataset(
    data: Any = None,
    *,
    label: str | Any = None,
    text: str | Any = None,
    features: Any = None,
    pred_probs: Any = None,
    graph: Any = None,
    classes: Sequence[Hashable] | None = None,
    checks: Collection[str] | Mapping[str, Mapping[str, Any]] | None = None,
    metric: Metric | None = None,
) -> DatasetAudit:
    """Run all checks that a dataset allows.

    Parameters
    ----------
    data : optional
        The table: a DataFrame of pandas or polars, an Arrow table, a Hugging Face dataset, a dict
        of columns, a list of dicts. Not needed where everything else is an array.
    label : str or array_like of shape (n,), optional
        Column of `data`, or the labels.
    text : str or sequence of str, optional
        Column of `data`, or the texts.
    features : array_like of shape (n, d) or list of str, optional
        Numbers, e.g. embeddings, or columns of `data`.
    pred_probs : array_like of shape (n, k), optional
        Out-of-sample predicted probabilities.
    graph : optional
        Neighbours, as for `goldlabel.neighbors.as_graph`; found from features if not given.
    classes : sequence, optional
        Names of the classes in the order of the columns of `pred_probs`.
    checks : collection of str, or mapping of str to mapping, optional
        Names of checks to run, with their options; all that run by default if not given.
    metric : {"cosine", "euclidean"}, optional

    Returns
    -------
    DatasetAudit

    Raises
    ------
    InputError
        There is nothing to check, inputs do not fit each other, or a check or option is unknown.

    Examples
    --------
    >>> data = {"question": ["Where is it?", "where is it", "Why?"], "topic": ["a", "b", "b"]}
    >>> audit = audit_dataset(data, label="topic", text="question")
    >>> audit["text_duplicate"].frames["groups"]["is_conflict"].tolist()
    [True]
    """
    frame = None if data is None else as_columns(data)
    inputs: dict[str, Any] = {
        "labels": _column(frame, label, "label"),
        "text": _column(frame, text, "text"),
        "features": _features(frame, features),
        "pred_probs": pred_probs,
        "graph": graph,
        "classes": classes,
    }
    used = [name for name in (label, text) if isinstance(name, str)]
    if frame is not None and len(frame.columns) > len(used):
        inputs["table"] = frame.drop(columns=used)
    n = _length(inputs)
    kind = None if inputs["labels"] is None else label_kind(inputs["labels"])
    if kind == "classes":  # which examples have the same is all that checks ask
        inputs["labels"] = [", ".join(sorted(map(str, each))) for each in inputs["labels"]]
    chosen, skipped = _chosen(checks, inputs, kind)
    options = checks if isinstance(checks, Mapping) else {}
    if any("graph" in check.takes for check in chosen):
        inputs["graph"] = _shared_graph(inputs, options, metric, n)
    results: dict[str, CheckResult] = {}
    failed: dict[str, Exception] = {}
    for check in chosen:
        try:
            results[check.name] = check.run(_for(check, inputs, kind), options.get(check.name))
        except Exception as error:  # a check of anybody's: the others still have their say
            failed[check.name] = error
    return DatasetAudit(results, skipped, failed, n, inputs["features"], inputs["labels"])


def _column(frame: pd.DataFrame | None, given: Any, name: str) -> Any:
    if not isinstance(given, str):
        return given
    if frame is None or given not in frame.columns:
        columns = "there is no data" if frame is None else ", ".join(map(str, frame.columns))
        raise InputError(name, f"names the column {given!r}, but: {columns}", "Name one of data")
    return frame[given]


def _features(frame: pd.DataFrame | None, features: Any) -> Any:
    named = isinstance(features, list | tuple) and features
    if not (named and all(isinstance(name, str) for name in features)):
        return features
    missing = [name for name in features if frame is None or name not in frame.columns]
    if missing or frame is None:
        raise InputError("features", f"names the column {missing[0]!r}", "Name columns of data")
    return frame[list(features)]


def _length(inputs: Mapping[str, Any]) -> int:
    """Return how many examples there are, which all inputs have to agree on."""
    lengths = {}
    for name, value in inputs.items():
        if value is None or name == "classes":
            continue
        if name == "graph":
            lengths[name] = as_graph(graph=value).n
        elif not hasattr(value, "__len__"):
            raise InputError(name, f"is a {type(value).__name__}", "Pass a row for each example")
        else:
            lengths[name] = len(value)
    if not lengths:
        raise InputError("data", "is missing, and so is everything else", "Pass something to check")
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise InputError("data", f"is of several lengths: {listed}", "Pass a row for each example")
    return next(iter(lengths.values()))


def label_kind(labels: Any) -> LabelKind:
    """Say what labels are: a class of each example, a number, or several classes."""
    column = pd.Series(labels)
    if column.map(lambda value: isinstance(value, list | tuple | set | np.ndarray)).any():
        return "classes"
    if not pd.api.types.is_numeric_dtype(column.dtype) or column.dtype == bool:
        return "class"
    values = column.dropna()
    whole = bool((values == np.floor(values)).all())
    return "class" if whole and values.nunique() <= FEW_VALUES else "number"


def _for(check: Check, inputs: Mapping[str, Any], kind: LabelKind | None) -> Mapping[str, Any]:
    """Return the inputs for a check: without labels, if it is not for such."""
    return inputs if kind is None or kind in check.label_kinds else {**inputs, "labels": None}


def _chosen(
    checks: Any, inputs: Mapping[str, Any], kind: LabelKind | None
) -> tuple[list[Check], dict[str, str]]:
    """Return the checks to run, and why others that would run by default can not."""
    if checks is not None:
        if isinstance(checks, str):
            raise InputError("checks", f"is {checks!r}", f"Pass a list: [{checks!r}]")
        named = [find_check(name) for name in checks]
        if isinstance(checks, Mapping):
            for check in named:
                check.accept(checks[check.name])
        return named, {}
    chosen, skipped = [], {}
    for check in find_checks().values():
        if not check.is_default:
            continue
        present = [name for name, value in _for(check, inputs, kind).items() if value is not None]
        lacking = check.missing(present)
        if lacking is None:
            chosen.append(check)
        else:
            skipped[check.name] = lacking
    return chosen, skipped


def _shared_graph(
    inputs: Mapping[str, Any], options: Mapping[str, Any], metric: Metric | None, n: int
) -> NeighborGraph | None:
    """Return one graph, wide enough for every check, or None where there are no features."""
    if inputs["features"] is None and inputs["graph"] is None:
        return None
    asked = [each.get(name) for each in options.values() for name in ("k", "horizon")]
    widest = max([DEFAULT_K, *(k for k in asked if isinstance(k, int))])
    k = None if widest <= DEFAULT_K else min(widest, n - 1)
    try:
        return as_graph(inputs["features"], inputs["graph"], k=k, metric=metric, n=n)
    except InputError:
        if inputs["graph"] is not None:
            raise
        return None  # each check that needs it says what is wrong with the features
