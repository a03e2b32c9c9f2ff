"""From native files to an audit: read, predict if need be, find what is wrong, sum it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Unpack

import numpy as np
import pandas as pd

from goldlabel.errors import collected_warnings, warn
from goldlabel.formats.reading import TableReading
from goldlabel.inputs import check
from goldlabel.models.features import feature_columns, is_array_file, read_embeddings
from goldlabel.results.audit import Audit, Table
from goldlabel.results.label_issues import LabelIssues
from goldlabel.task import Progress
from goldlabel.tasks.regression.data import RegressionData
from goldlabel.tasks.regression.formats import FORMATS, read
from goldlabel.tasks.regression.formats.numbers import rounded
from goldlabel.tasks.regression.formats.predictions import named_columns
from goldlabel.tasks.regression.issues import THRESHOLD, find_label_issues
from goldlabel.tasks.regression.plots import plots
from goldlabel.tasks.regression.scores import Method
from goldlabel.tasks.regression.search import Criterion
from goldlabel.tasks.regression.summary import SURE, figures, summarize
from goldlabel.tasks.regression.values import NUMBER
from goldlabel.tasks.regression.worst import worst_table
from goldlabel.views import Rows, RowView

__all__ = ["audit"]

LIMITS = (
    "Errors that the model makes too: a value is only questioned where the model, which has not"
    " seen it, predicts another one.",
    "Errors smaller than the model's own: a prediction that is off by 10 on average can't tell a"
    " label that is off by 5.",
    "Which of the flagged labels are truly wrong: rare examples look like wrong ones. Look at the"
    " worst first, and stop where most of what you see is right.",
    "What the right value is: the suggestion is a prediction, and the interval around it says how"
    " rough it is.",
)
_FEW, _POOR = 50, 0.05
BASELINE = (
    "What a stronger model would see: the predictions come from a simple one, fitted here. Pass"
    " the out-of-sample predictions of your own as --predictions."
)


class _Answer(NamedTuple):
    """What was found, and how the predictions were come by."""

    issues: LabelIssues
    notes: tuple[str, ...]
    tables: tuple[Table, ...] = ()
    used: tuple[str, ...] = ()


def audit(
    path: Path,
    *,
    label: str | None = None,
    id: str | None = None,
    predictions: str | None = None,
    features: str | None = None,
    text: Sequence[str] | None = None,
    model: Literal["auto", "linear", "boosting"] = "auto",
    method: Method = "outre",
    threshold: float = THRESHOLD,
    criterion: Criterion = "mae",
    folds: int = 5,
    n_boot: int = 5,
    max_fits: int = 100,
    seed: int = 0,
    missing: Literal["list", "drop", "error"] = "list",
    missing_values: Sequence[str] | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    unit: str | None = None,
    format: Annotated[str | None, FORMATS] = None,
    key: str | None = None,
    progress: Progress | None = None,
    **reading: Unpack[TableReading],
) -> Audit:
    """Find the wrong values in a dataset with one number for each example.

    Labels come from a table (CSV, TSV, JSONL, Parquet, also compressed; a Hugging Face dataset
    saved to disk). Predictions come from columns of it or a file (--predictions), and nothing is
    trained then; or are made here by cross-validation of a simple model on columns or embeddings
    (--features) or texts (--text), which also estimates how many values are wrong.

    Parameters
    ----------
    path : Path
        The table, or the folder.
    label : str, optional
        Column of the labels; found by its name if there is only one candidate.
    id : str, optional
        Column of ids.
    predictions : str, optional
        Column of out-of-sample predictions (several are averaged), or a file of them: .npy, .npz,
        or another table.
    features : str, optional
        Columns to predict from, or a .npy, .npz or Parquet file of embeddings, a row for each
        example.
    text : sequence of str, optional
        Column of texts (or several) to predict from: TF-IDF and ridge.
    model : str
        What is fitted to --features: linear, gradient-boosted trees, or what suits the number of
        rows.
    method : str
        The quality score with --predictions.
    threshold : float
        With --predictions: flag below this share of the median score.
    criterion : str
        What the search for the share of wrong values goes by.
    folds : int
        Folds of every cross-validation.
    n_boot : int
        Repeated runs that estimate how sure the model is.
    max_fits : int
        Fit no more models than this.
    seed : int
        Seed of the cross-validation.
    missing : {"list", "drop", "error"}
        What to do with rows that have no label.
    missing_values : sequence of str, optional
        What stands for a missing label or feature besides an empty field, NA and the like, e.g.
        -200.
    decimal : str, optional
        Decimal mark of numbers in text; recognised if not given.
    thousands : str, optional
        What separates thousands; recognised if not given.
    unit : str, optional
        Sign before or behind the numbers, e.g. $ or kg.
    format : str, optional
        Format of the table, in place of what the content looks like.
    key : str, optional
        Array in an .npz file, or column of a table of predictions.
    progress : callable, optional
        Told how far the fitting is.
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
    ...     write_csv("diabetes", Path(tempfile.mkdtemp(), "diabetes.csv")),
    ...     label="value",
    ...     features="age,bmi,bp,s1,s5",
    ... )
    >>> found.summary["examples"]
    442
    """
    check.one_given(
        "predictions",
        "Pass one of --predictions COLUMN or FILE, --features COLUMNS or FILE, --text COLUMN",
        predictions=predictions, text=text, features=features,
    )  # fmt: skip
    data = read(
        path, label=label, id=id, predictions=predictions, format=format, missing=missing,
        missing_values=missing_values or (), decimal=decimal, thousands=thousands, unit=unit,
        key=key, **reading,
    )  # fmt: skip
    with collected_warnings() as warned:
        if data.predictions is not None:
            answer = _by_predictions(data, method, threshold, predictions or "")
        else:
            rows = _rows(data, features, text)
            answer = _by_search(
                data, rows, model, criterion, folds, n_boot, max_fits, seed, progress
            )
        audited = _audit(data, answer, features, text)
    return replace(audited, warnings=tuple(warned))


def _by_predictions(
    data: RegressionData, method: Method, threshold: float, predictions: str
) -> _Answer:
    issues = find_label_issues(
        data.given, data.predictions, method=method, threshold=threshold, ids=data.ids
    )
    issues = issues.with_params(model=f"predictions in {predictions}", trained="nothing")
    used = named_columns(predictions, data.table.frame) or []
    return _Answer(issues, (), used=tuple(used))


class _Rows(NamedTuple):
    """What a model reads: ready numbers, and how they were made."""

    frame: Any
    columns: tuple[str, ...]
    kind: Literal["text", "embeddings", "table"]


def _rows(data: RegressionData, features: str | None, text: Sequence[str] | None) -> _Rows:
    if text is None and features is not None and is_array_file(features):
        array = read_embeddings(Path(features), len(data.table.frame))
        return _Rows(array if data.rows is None else array[data.rows], (), "embeddings")
    option = "--features" if text is None else "--text"
    names = [each.strip() for each in (features or "").split(",")] if text is None else list(text)
    file, label = data.source.files[0], data.source.options.label
    frame = feature_columns(
        data.frame, names, option, file=file, label=label,
        missing_values=data.source.options.missing_values if text is None else (),
    )  # fmt: skip
    return _Rows(frame, tuple(names), "table" if text is None else "text")


def _by_search(
    data: RegressionData,
    rows: _Rows,
    model: Literal["auto", "linear", "boosting"],
    criterion: Criterion,
    folds: int,
    n_boot: int,
    max_fits: int,
    seed: int,
    progress: Progress | None,
) -> _Answer:
    # Loading scikit-learn takes a second: only those who need a model wait for it.
    from goldlabel.models import pipelines
    from goldlabel.tasks.regression.learning import CleanLearning

    if rows.kind == "text":
        pipeline, of = pipelines.text_regressor(), "the words of the texts"
    elif rows.kind == "embeddings":
        pipeline, of = pipelines.embedding_regressor(), "the embeddings"
    else:
        pipeline = pipelines.table_regressor(rows.frame, model=model)
        of = f"{len(rows.columns)} columns"
    # No step but the last looks at labels: what they make of the rows is made once.
    matrix = pipeline[:-1].fit_transform(rows.frame)
    learner = CleanLearning(
        pipeline[-1], cv_n_folds=folds, n_boot=n_boot, criterion=criterion, seed=seed
    )
    whole, plan = learner.plan(), learner.plan(max_fits=max_fits)
    issues = learner.find_label_issues(
        matrix, data.given, ids=data.ids, max_fits=max_fits, flag_sure=SURE, progress=progress
    )
    name = f"{type(pipeline[-1]).__name__} on {of}"
    notes = [
        f"Predictions were made here, out of fold: {name}, {folds} folds, seed {seed}, at most"
        f" {plan.fits} fits. They were best with {learner.found_.share:.3g} of the values left out:"
        f" as many are flagged, and those that are wrong with a confidence of {SURE:g}."
    ]
    if plan != whole:
        notes.append(
            f"The whole search would take up to {whole.fits} fits; --max-fits {max_fits} cut it"
            f" down to {len(plan.coarse)} shares, {plan.fine} between and {plan.boot} repeated"
            " runs."
        )
    tried = pd.DataFrame(sorted(set(learner.found_.tried)), columns=["left_out_share", criterion])
    table = Table(
        "How good predictions are when values are left out",
        tried,
        "The share with the largest value is taken for the share of wrong values (mae counts"
        " negative).",
    )
    issues = issues.with_params(model=name, max_fits=max_fits)
    return _Answer(issues, tuple(notes), (table,), rows.columns)


def _audit(
    data: RegressionData,
    answer: _Answer,
    features: str | None,
    text: Sequence[str] | None,
) -> Audit:
    issues = _as_in_the_file(answer.issues, data)
    numeric = data.values().kind == NUMBER
    predicted = _predicted(issues, data)
    labels, fitted = data.labels[numeric], predicted[numeric]
    inputs = list(data.source.inputs)
    if features is not None and is_array_file(features):
        inputs.append(Path(features))
    _warn_of_a_poor_model(labels, fitted, issues.is_issue[numeric])
    by_size = Table(
        "Labels by size",
        summarize(labels, fitted) if labels.size else pd.DataFrame(),
        "From the smallest labels to the largest. Bias is the mean of prediction less label:"
        " where it grows with the label, the model flattens what it has not seen often.",
    )
    label = str(data.source.options.label)
    hidden = answer.used if data.predictions is not None else ()
    return Audit(
        issues=issues,
        source=replace(data.source, inputs=tuple(inputs)),
        summary=_summary(issues, data, fitted, labels),
        view=RowView(
            Rows(data.frame, hidden={label, data.source.options.id, *hidden}, text=text), issues
        ),
        tables=(
            worst_table(issues, data, answer.used if not hidden else None),
            by_size,
            *answer.tables,
        ),
        figures=plots(labels, fitted, issues.is_issue[numeric], label),
        notes=(*data.notes, *answer.notes),
        limits=LIMITS if data.predictions is not None else (*LIMITS, BASELINE),
    )


def _warn_of_a_poor_model(labels: Any, predictions: Any, flagged: Any) -> None:
    """Warn if predictions say next to nothing about the labels that are not flagged."""
    r2 = figures(labels[~flagged], predictions[~flagged])["r2_of_predictions"]
    if len(labels) >= _FEW and r2 is not None and r2 < _POOR:
        warn(
            f"predictions: explain hardly anything of the labels (R2 {r2:.2g} without the flagged"
            " ones). What is flagged is unusual, and may be right. Predict from more, or check"
            " that predictions and labels are in the same order."
        )


def _as_in_the_file(issues: LabelIssues, data: RegressionData) -> LabelIssues:
    """Name the file's rows, counted from 1, and round suggestions as it writes numbers."""
    parts = issues.parts
    suggested = rounded(parts.suggested, data.labels, data.decimals)
    rows = parts.example if data.rows is None else data.rows[parts.example]
    whole = issues.suggested
    return replace(
        issues,
        parts=replace(parts, suggested=suggested, evidence={**parts.evidence, "row": rows + 1}),
        suggested=None if whole is None else rounded(whole, data.labels, data.decimals),
    )


def _predicted(issues: LabelIssues, data: RegressionData) -> Any:
    """Return the predictions as they were, without rounding."""
    if data.predictions is not None:
        return data.predictions
    predicted = np.array(issues.suggested, dtype=np.float64)
    predicted[issues.parts.example] = issues.parts.evidence["predicted"]
    return predicted


def _summary(
    issues: LabelIssues, data: RegressionData, predicted: Any, labels: Any
) -> dict[str, Any]:
    found: dict[str, Any] = {"examples": len(data), "flagged": issues.num_issues}
    if "share_wrong" in issues.params:
        found["estimated_share_of_wrong_labels"] = issues.params["share_wrong"]
    found["surely_wrong"] = int(np.count_nonzero(issues.parts.confidence >= SURE))
    return found | figures(labels, predicted)
