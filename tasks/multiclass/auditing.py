"""From native files to an audit: read, predict if need be, find what is wrong, sum it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import collected_warnings
from goldlabel.formats.reading import Reading
from goldlabel.inputs import check
from goldlabel.inputs.check import LabeledRows
from goldlabel.learning.confident import Method
from goldlabel.learning.filters import FilterBy, Options
from goldlabel.models.features import feature_columns, is_array_file, read_embeddings
from goldlabel.results.audit import Audit, Table
from goldlabel.results.label_issues import LabelIssues
from goldlabel.task import Progress
from goldlabel.tasks.multiclass.data import MulticlassData
from goldlabel.tasks.multiclass.formats import FORMATS, read
from goldlabel.tasks.multiclass.formats.table import ColumnOptions
from goldlabel.tasks.multiclass.issues import judge
from goldlabel.tasks.multiclass.summary import HealthSummary, health_of
from goldlabel.tasks.multiclass.views import view_of

__all__ = ["audit"]

LIMITS = (
    "Errors that the model makes too: a label is only questioned where the model, which has not"
    " seen it, prefers another class.",
    "Examples that belong to several classes, or to none of them: each is compared with one class.",
    "Which of the flagged labels are truly wrong: look at the worst first, and stop where most of"
    " what you see is right.",
)
BASELINE = (
    "What a stronger model would see: the predictions come from a simple one, fitted here. Pass"
    " the out-of-sample predictions of your own as --pred-probs."
)


class _Prediction(NamedTuple):
    """Probabilities, and how they were come by."""

    pred_probs: npt.NDArray[Any]
    model: str
    note: str


def audit(
    path: Path,
    *,
    label: str | None = None,
    id: str | None = None,
    pred_probs: Path | None = None,
    text: Sequence[str] | None = None,
    features: str | None = None,
    classes: Sequence[str] | None = None,
    filter_by: FilterBy = "prune_by_noise_rate",
    rank_by: Method = "self_confidence",
    folds: int = 5,
    seed: int = 0,
    missing: Literal["error", "drop"] = "error",
    format: Annotated[str | None, FORMATS] = None,
    progress: Progress | None = None,
    **reading: Unpack[Reading],
) -> Audit:
    """Find the wrong labels in a dataset with one class for each example.

    Labels come from a table (CSV, TSV, JSONL, Parquet, also compressed; a Hugging Face dataset
    saved to disk) or from a folder of images with a folder for each class. Predictions come from
    a file (--pred-probs), or are made here by cross-validation of a simple model on texts (--text)
    or on columns or embeddings (--features).

    Parameters
    ----------
    path : Path
        The table, or the folder.
    label : str, optional
        Column of the labels; found by its name if there is only one candidate.
    id : str, optional
        Column of ids.
    pred_probs : Path, optional
        File of out-of-sample predicted probabilities: .npy, .npz, or columns of a Parquet or CSV
        file, a row for each example and a column for each class.
    text : sequence of str, optional
        Column of the texts (or several), to predict from: TF-IDF and logistic regression.
    features : str, optional
        Columns to predict from, or a .npy, .npz or Parquet file of embeddings, a row for each
        example.
    classes : sequence of str, optional
        Names of the classes in the order of the columns of the predictions.
    filter_by : str
        How wrong labels are chosen: by count and margin for each pair of classes, by count for
        each class, by both (fewer, surer), or in another way that the documentation lists.
    rank_by : str
        The quality score that orders them.
    folds : int
        Folds of the cross-validation.
    seed : int
        Seed of the cross-validation.
    missing : {"error", "drop"}
        What to do with rows that have no label.
    format : str, optional
        Format of the labels, in place of what the content looks like.
    progress : callable, optional
        Told how far the cross-validation is.
    **reading
        How to read the files; see `goldlabel.formats.reading.Reading`.

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
    ...     label="class",
    ...     features="alcohol,malic_acid,ash,color_intensity,hue,proline",
    ... )
    >>> found.issues.num_issues < 20
    True
    """
    check.one_given(
        "predictions",
        "Pass one of --pred-probs FILE, --text COLUMN, --features COLUMNS or FILE",
        pred_probs=pred_probs, text=text, features=features,
    )  # fmt: skip
    data = read(
        path, label=label, id=id, format=format, pred_probs=pred_probs, classes=classes,
        missing=missing, **reading,
    )  # fmt: skip
    with collected_warnings() as warned:
        predicted = _predict(data, pred_probs, text, features, folds, seed, progress)
        probs, _ = check.pred_probs_array(predicted.pred_probs)
        rows = LabeledRows(data.labels, probs, data.classes, data.unknown)
        options = Options(filter_by=filter_by, rank_by=rank_by)
        issues, counted = judge(rows, options, ids=data.ids)
    health = health_of(counted, rows.classes)
    params: dict[str, Any] = {"model": predicted.model}
    if pred_probs is None:
        params |= {"folds": folds, "seed": seed}
    inputs = list(data.source.inputs)
    if features is not None and is_array_file(features):
        inputs.append(Path(features))
    return Audit(
        issues=issues.with_params(**params),
        source=replace(data.source, inputs=tuple(inputs)),
        summary=_figures(issues, health, data),
        view=view_of(data, issues, text),
        tables=_tables(issues, health, data),
        notes=(*data.notes, predicted.note),
        limits=LIMITS if pred_probs is not None else (*LIMITS, BASELINE),
        warnings=tuple(warned),
    )


def _predict(
    data: MulticlassData,
    pred_probs: Path | None,
    text: Sequence[str] | None,
    features: str | None,
    folds: int,
    seed: int,
    progress: Progress | None,
) -> _Prediction:
    if data.pred_probs is not None and pred_probs is not None:
        note = f"Probabilities were taken from {pred_probs.name}."
        return _Prediction(data.pred_probs, f"predictions in {pred_probs.name}", note)
    # Loading scikit-learn takes a second: only those who need a model wait for it.
    from goldlabel.models import pipelines
    from goldlabel.models.crossvalidation import out_of_fold

    k = len(np.unique(data.labels[data.labels >= 0]))
    rows: Any
    if text is not None:
        rows = _columns(data, text, "--text")
        model, name = pipelines.text_pipeline(n_classes=k), "TF-IDF and logistic regression"
    elif features is not None and is_array_file(features):
        rows = read_embeddings(Path(features), len(data))
        model, name = pipelines.embedding_pipeline(), "logistic regression on the embeddings"
    else:
        rows = _columns(data, [each.strip() for each in (features or "").split(",")], "--features")
        model = pipelines.table_pipeline(rows)
        name = f"{type(model[-1]).__name__} on {rows.shape[1]} columns"
    probs = np.zeros((len(data), len(data.classes)))
    labeled, unknown = np.flatnonzero(data.labels >= 0), np.flatnonzero(data.labels < 0)
    known = _take(rows, labeled)
    given = np.array(data.classes, dtype=object)[data.labels[labeled]]
    result = out_of_fold(model, known, given, folds=folds, seed=seed, progress=progress)
    columns = pd.Index(data.classes).get_indexer(pd.Index(result.classes))
    probs[np.ix_(labeled, columns)] = result.pred_probs
    if unknown.size:  # no model has seen what is none of the classes
        fitted = model.fit(known, given)
        columns = pd.Index(data.classes).get_indexer(pd.Index(fitted.classes_))
        probs[np.ix_(unknown, columns)] = fitted.predict_proba(_take(rows, unknown))
    note = f"Probabilities were made here, out of fold: {name}, {folds} folds, seed {seed}."
    return _Prediction(probs, name, note)


def _take(rows: Any, chosen: npt.NDArray[np.intp]) -> Any:
    return rows.iloc[chosen] if isinstance(rows, pd.DataFrame) else rows[chosen]


def _columns(data: MulticlassData, names: Sequence[str], option: str) -> pd.DataFrame:
    options = data.source.options
    return feature_columns(
        data.frame,
        names,
        option,
        file=data.source.files[0],
        label=options.label if isinstance(options, ColumnOptions) else None,
        instead="Pass a file of embeddings as --features, or predictions as --pred-probs",
    )


def _figures(issues: LabelIssues, health: HealthSummary, data: MulticlassData) -> dict[str, Any]:
    agreement = issues.given is not None and np.mean(issues.given == issues.suggested)
    return {
        "examples": health.num_examples,
        "classes": len(data.classes),
        "flagged": issues.num_issues,
        "estimated_label_errors": health.issues_by_joint,
        "estimated_share_of_wrong_labels": 1.0 - health.health_by_joint,
        "label_health": health.health_score,
        "model_agrees_with_labels": float(agreement),
    }


def _tables(issues: LabelIssues, health: HealthSummary, data: MulticlassData) -> tuple[Table, ...]:
    k = len(data.classes)
    pairs = np.zeros((k, k), dtype=np.int64)
    of_a_class = issues.parts.given >= 0
    np.add.at(pairs, (issues.parts.given[of_a_class], issues.parts.suggested[of_a_class]), 1)
    by_class = health.class_table.copy()
    place = {name: at for at, name in enumerate(data.classes)}
    codes = [place[name] for name in by_class["class"]]
    by_class.insert(1, "examples", np.bincount(data.labels[data.labels >= 0], minlength=k)[codes])
    by_class.insert(2, "flagged", pairs.sum(axis=1)[codes])
    overlap = health.overlap_table
    overlap = overlap[overlap["num_overlapping_examples"] > 0].head(100)
    return (
        Table(
            "Given and suggested class of the flagged examples",
            pd.DataFrame(
                pairs,
                index=pd.Index(data.classes, name="given"),
                columns=pd.Index(data.classes, name="suggested"),
            ),
            "Each row is a given class, each column what the model suggests instead.",
            style="heatmap",
        ),
        Table(
            "Classes",
            by_class,
            "Label quality is the estimated share of right labels among those given. Label issues"
            " is how many of them belong to another class, inverse label issues how many of the"
            " class were given another.",
        ),
        Table(
            "Classes taken for each other",
            overlap,
            "Pairs of classes by the estimated number of examples given one and truly the other.",
        ),
    )
