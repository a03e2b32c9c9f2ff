"""``goldlabel audit dataset``: a table, and what else there is, checked without knowing its task.

The package of the task "dataset": see `goldlabel.task`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Unpack

import numpy as np
import pandas as pd

from goldlabel.errors import InputError, collected_warnings
from goldlabel.formats.changes import Correction, by_example
from goldlabel.formats.options import extended, options_of
from goldlabel.formats.predictions import read_pred_probs
from goldlabel.formats.reading import TableReading
from goldlabel.formats.tables import (
    TableFile,
    TableOptions,
    read_table,
    read_table_again,
    roles,
    write_column,
)
from goldlabel.models.features import feature_columns, is_array_file, read_embeddings
from goldlabel.results.audit import Audit, Source, Table
from goldlabel.results.label_issues import LabelIssues, Parts
from goldlabel.views import Rows, RowView

from .dataset import DatasetAudit, audit_dataset, label_kind
from .views import view

__all__ = ["audit", "export", "view"]

ROWS = 100
"""So many rows of each table are shown; all are written."""
LIMITS = (
    "What no check looks for: it is not said that the rest of the dataset is right.",
    "Whether an outlier is wrong: rare examples are outliers too. Look before anything is removed.",
    "Examples that differ in what the features do not show.",
)


@dataclass(frozen=True, kw_only=True)
class Columns(TableOptions):
    """A table, and which of its columns are labels and ids.

    Attributes
    ----------
    label, id, text : str or None
    examples : int
    """

    label: str | None = None
    id: str | None = None
    text: str | None = None
    examples: int = 0


class _Inputs(NamedTuple):
    """What there is to check, and where it came from."""

    opened: TableFile
    source: Source
    given: dict[str, Any]


def audit(
    path: Path,
    *,
    label: str | None = None,
    id: str | None = None,
    features: str | None = None,
    pred_probs: Path | None = None,
    text: str | None = None,
    classes: Sequence[str] | None = None,
    checks: Sequence[str] | None = None,
    **reading: Unpack[TableReading],
) -> Audit:
    """Check a table, and what else there is of it: no model is needed, and no labels.

    Finds outliers, near duplicates, texts alike, missing values, an order that says something,
    classes that are too small, wrong labels, groups that a model is bad at: whatever the inputs
    allow.

    Parameters
    ----------
    path : Path
        A table: CSV, TSV, JSON Lines, Parquet, or a Hugging Face dataset saved to disk.
    label : str, optional
        Column of the labels.
    id : str, optional
        Column of ids.
    features : str, optional
        A .npy, .npz or Parquet file of embeddings, a row for each example, or columns of numbers.
    pred_probs : Path, optional
        File of out-of-sample predicted probabilities: .npy, .npz, or columns of a table, a row for
        each example and a column for each class.
    text : str, optional
        Column of texts, to find those that are alike.
    classes : sequence of str, optional
        Names of the classes in the order of the columns of the predictions.
    checks : sequence of str, optional
        Names of the checks to run, e.g. outlier,identifier_column; all that run by default if not
        given.
    **reading
        How to read the table; see `goldlabel.formats.reading.TableReading`.

    Returns
    -------
    Audit

    Raises
    ------
    InputError
        A file can't be read or what it holds does not fit; says which file, row and column.

    Examples
    --------
    >>> import tempfile
    >>> from goldlabel.datasets import write_csv
    >>> found = audit(
    ...     write_csv("wine", Path(tempfile.mkdtemp(), "wine.csv")),
    ...     label="class", features="alcohol,malic_acid,ash,color_intensity,hue,proline",
    ... )
    >>> found.summary["examples"], found.summary["checks"]
    (178, 6)
    """
    inputs = _read(path, label, id, features, pred_probs, text, classes, reading)
    with collected_warnings() as warned:
        found = audit_dataset(**inputs.given, checks=checks)
    ids = roles.ids(inputs.opened, inputs.source.options.id)
    failed = [f"The check {name!r} failed: {error}" for name, error in found.failed.items()]
    skipped = [f"The check {name!r} did not run: it {why}." for name, why in found.skipped.items()]
    verdicts = [each.verdict for each in found.results.values() if each.is_found]
    notes = [note for result in found.results.values() for note in result.notes]
    issues = _issues(found, ids)
    hidden = [inputs.source.options.label, inputs.source.options.id]
    return Audit(
        issues=issues,
        source=inputs.source,
        summary=_figures(found),
        view=RowView(
            Rows(inputs.opened.frame, hidden=hidden, text=[text] if text else None), issues
        ),
        tables=_tables(found),
        frames={
            f"{name}_{part}": frame
            for name, result in found.results.items()
            for part, frame in result.frames.items()
        },
        notes=(*inputs.opened.notes, *verdicts, *dict.fromkeys(notes), *skipped),
        limits=LIMITS,
        warnings=(*warned, *failed),
        verdict=("deserves a look", "deserve a look"),
    )


def _read(
    path: Path, label: str | None, id: str | None, features: str | None, pred_probs: Path | None,
    text: str | None, classes: Sequence[str] | None, reading: TableReading,
) -> _Inputs:  # fmt: skip
    opened = read_table(path, **reading)
    frame, n = opened.frame, len(opened.frame)
    for option, name in (("--label", label), ("--text", text)):
        if name is not None:
            feature_columns(frame, [name], option, file=path, label=None)
    id_name, id_note = roles.id_column(opened, id)
    id_name = None if id_name in (label, text) else id_name
    given: dict[str, Any] = {"label": None if label is None else _labels(opened, label)}
    given["text"] = None if text is None else _filled(frame[text])
    used = []
    if features is not None and is_array_file(features):
        given["features"] = read_embeddings(Path(features), n)
        used.append(Path(features))
    elif features is not None:
        names = [each.strip() for each in features.split(",")]
        chosen = feature_columns(frame, names, "--features", file=path, label=label)
        given["features"] = chosen.apply(_numbers, args=(path,))
    if pred_probs is not None:
        ids = roles.ids(opened, id_name)
        probs = read_pred_probs(pred_probs, classes=classes, ids=ids, id=id_name)
        given["pred_probs"], given["classes"] = probs.values, probs.classes or classes
        used.append(pred_probs)
    others = frame.drop(columns=[name for name in (label, text, id_name) if name is not None])
    if len(others.columns):
        given["data"] = others.apply(_filled)
    options = extended(Columns, opened.source, label=label, id=id_name, text=text, examples=n)
    source = replace(opened.source, options=options, inputs=tuple(used))
    notes = (*opened.notes, *([id_note] if id_note else []))
    return _Inputs(replace(opened, notes=notes), source, given)


def _filled(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column with None for empty fields: text files have no other way to say so."""
    return column.mask(column == "", None) if column.dtype.kind not in "iufb" else column


def _numbers(column: pd.Series[Any], path: Path) -> pd.Series[Any]:
    """Return a column as numbers, NaN where it is empty."""
    filled = _filled(column)
    numbers = pd.to_numeric(filled, errors="coerce")
    bad = np.flatnonzero(numbers.isna() & filled.notna())
    if bad.size:
        where = f"{path}: row {bad[0] + 1}, column {column.name!r}"
        what = f"is {filled.iloc[bad[0]]!r}, no number ({bad.size:,} such)"
        raise InputError(where, what, "Leave the column out of --features")
    return numbers


def _labels(opened: TableFile, label: str) -> pd.Series[Any]:
    """Return labels by name, or as numbers where they are values."""
    column = _filled(opened.frame[label])
    names = opened.categories.get(label)
    if names is not None and label in opened.coded:
        codes = column.fillna(-1).astype(np.int64)
        return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(list(names))))
    numbers = pd.to_numeric(column, errors="coerce")
    is_value = numbers.notna().sum() == column.notna().sum() and label_kind(numbers) == "number"
    return numbers if is_value else column


def _issues(found: DatasetAudit, ids: Any) -> LabelIssues:
    """Return what all checks have flagged: a row for each example and check, worst first."""
    kinds = tuple(found.results)
    example = np.concatenate([[], *(each.ranked() for each in found.results.values())])
    example = example.astype(np.int64)
    counts = [each.num_issues for each in found.results.values()]
    kind = np.repeat(np.arange(len(kinds)), counts).astype(np.int8)
    blocks = [each.scores[each.ranked()] for each in found.results.values()]
    score = np.concatenate([np.empty(0), *blocks])
    reasons = np.array([text for each in found.results.values() for text in each.reasons()], object)
    classes, given, suggested, confidence = _suggestions(found)
    of_label = np.array([name == "label" for name in kinds], dtype=np.bool_)[kind]
    order = np.argsort(score, kind="stable")
    parts = Parts(
        example=example[order],
        part=np.full(len(order), -1),
        kind=kind[order],
        kinds=kinds,
        given=given[example][order],
        suggested=np.where(of_label, suggested[example], given[example])[order],
        score=score[order],
        confidence=np.where(of_label, confidence[example], 0.0)[order],
        reasons=reasons[order],
    )
    scores = np.ones(found.n)
    np.minimum.at(scores, example, score)
    params = {name: dict(each.params) for name, each in found.results.items()}
    return LabelIssues("dataset", scores, found.is_issue, parts, classes, ids, params)


def _suggestions(found: DatasetAudit) -> tuple[Any, Any, Any, Any]:
    """Return classes, and of each example the given one, the suggested one, and how sure it is."""
    nothing = np.full(found.n, -1)
    if "label" not in found.results:
        return (), nothing, nothing, np.zeros(found.n)
    columns = found["label"].columns
    names = pd.Index(pd.unique(pd.Series([*columns["given"], *columns["suggested"]]).dropna()))
    given, suggested = (
        names.get_indexer(pd.Index(columns[name])) for name in ("given", "suggested")
    )
    return tuple(names.tolist()), given, suggested, columns["confidence"]


def _figures(found: DatasetAudit) -> dict[str, Any]:
    figures = {"examples": found.n, "flagged": int(found.is_issue.sum())}
    return {**figures, "checks": len(found.results)}


def _tables(found: DatasetAudit) -> tuple[Table, ...]:
    tables = [Table("Checks", found.summary(), "Scores are of the whole dataset: low is worse.")]
    for name, result in found.results.items():
        for part, frame in result.frames.items():
            if len(frame):
                more = f" The first {ROWS} of {len(frame):,} rows." if len(frame) > ROWS else ""
                title = f"{name.replace('_', ' ')}: {part}"
                tables.append(Table(title, frame.head(ROWS), result.verdict + more))
    return tuple(tables)


def export(source: Source, corrections: pd.DataFrame, out: Path) -> None:
    """Write the table of an audit again, with the labels of `corrections` put in."""
    options = options_of(source, Columns)
    if options.label is None:
        if len(corrections):
            raise InputError("corrections", "change labels, and none were named", "Name --label")
        options = replace(options, label=str(read_table_again(source).frame.columns[0]))
    opened = read_table_again(source)
    name = str(options.label)
    coded = opened.categories[name] if name in opened.coded else None

    def value(correction: Correction) -> Any:
        if coded is None:
            return correction.suggested
        if str(correction.suggested) not in coded:
            what = f"suggests {correction.suggested!r}, which is no class of the dataset"
            raise InputError(correction.where, what, f"Use one of {', '.join(coded[:20])}")
        return coded.index(str(correction.suggested))

    write_column(source, name, by_example(corrections, value, examples=options.examples), out)
