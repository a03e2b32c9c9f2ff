"""From native files to an audit: read, find what is wrong, sum it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Unpack

import numpy as np

from goldlabel.errors import collected_warnings
from goldlabel.formats.reading import Reading
from goldlabel.learning.confident import Method
from goldlabel.learning.filters import FilterBy, Options
from goldlabel.results.audit import Audit, Table
from goldlabel.tasks.multilabel.data import MultilabelData
from goldlabel.tasks.multilabel.filters import HEALTH_FILTER, flag
from goldlabel.tasks.multilabel.formats import FORMATS, read
from goldlabel.tasks.multilabel.inputs import labeled_cells
from goldlabel.tasks.multilabel.issues import Pooling, judge
from goldlabel.tasks.multilabel.scores import Name
from goldlabel.tasks.multilabel.summary import HealthSummary, health_of
from goldlabel.tasks.multilabel.views import ClassesView

__all__ = ["audit"]

LIMITS = (
    "Errors that the model makes too: a class is only questioned where the model, which has not"
    " seen the example, thinks the opposite more probable.",
    "Classes with very few examples: no model learns them, and one that was given once is not"
    " judged at all.",
    "Which of the flagged labels are truly wrong: look at the worst first, and stop where most of"
    " what you see is right.",
)


def audit(
    path: Path,
    *,
    pred_probs: Path,
    labels: Sequence[str] | None = None,
    id: str | None = None,
    text: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    filter_by: FilterBy = "prune_by_noise_rate",
    rank_by: Method = "self_confidence",
    aggregator: Name = "exponential_moving_average",
    alpha: float = 0.8,
    temperature: float = 0.1,
    format: Annotated[str | None, FORMATS] = None,
    separator: str | None = None,
    xml: Path | None = None,
    images: Path | None = None,
    sigmoid: bool = False,
    **reading: Unpack[Reading],
) -> Audit:
    r"""Find the missing and the spurious labels of a dataset with several classes per example.

    Labels come from a table (CSV, TSV, JSONL, Parquet, also compressed; a Hugging Face dataset
    saved to disk) with a column for each class or one column of lists, from an ARFF file of Mulan
    or MEKA, from JSON of Label Studio or COCO, or from a NumPy array.

    Parameters
    ----------
    path : Path
        The file, or the folder of a Hugging Face dataset.
    pred_probs : Path
        File of out-of-sample predicted probabilities of each class by itself: .npy, .npz, or
        columns of a Parquet or CSV file, a row for each example and a column for each class.
    labels : sequence of str, optional
        Columns of the classes, or the one column of lists; found by their names if it is clear
        which. Of Label Studio the name of the choices, of an .npz file the array.
    id : str, optional
        Column of ids.
    text : sequence of str, optional
        Columns that show a person what an example is.
    classes : sequence of str, optional
        Names of the classes in the order of the columns of the predictions.
    filter_by : str
        How wrong labels are chosen, for each class: by count (the two kinds of pruning are one
        here), or in another way that the documentation lists.
    rank_by : str
        The quality score of each label.
    aggregator : str
        How the scores of an example's labels become one, by which examples are ordered.
    alpha : float
        Weight of the lowest score in the exponential moving average.
    temperature : float
        Of the softmin.
    format : str, optional
        Format of the labels, in place of what the content looks like.
    separator : str, optional
        What separates classes in a column of text, e.g. "|"; found by itself if not given.
    xml : Path, optional
        Mulan's list of labels; if not given, the file beside the ARFF file.
    images : Path, optional
        Folder of the images of a COCO file.
    sigmoid : bool
        The predictions are logits: turn them into probabilities.
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
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "songs.csv").write_text("tags\ncalm\nloud\ncalm\nloud\nloud\n")
    >>> _ = (folder / "p.csv").write_text(
    ...     "calm,loud\n0.9,0.1\n0.2,0.8\n0.8,0.1\n0.9,0.2\n0.1,0.9\n"
    ... )
    >>> found = audit(folder / "songs.csv", pred_probs=folder / "p.csv")
    >>> found.issues.ranked()
    array([3])
    """
    data = read(
        path, labels=labels, id=id, format=format, pred_probs=pred_probs, classes=classes,
        separator=separator, xml=xml, images=images, sigmoid=sigmoid, **reading,
    )  # fmt: skip
    with collected_warnings() as warned:
        cells = labeled_cells(data.labels, data.pred_probs, data.classes)
        cells = replace(cells, labels=replace(cells.labels, bad=data.bad))
        pooling = Pooling(aggregator, alpha, temperature)
        options = Options(filter_by=filter_by, rank_by=rank_by)
        issues, counted, wrong = judge(cells, options, pooling, ids=data.ids)
        if filter_by != HEALTH_FILTER:
            wrong = flag(counted, HEALTH_FILTER)
    health = health_of(counted, wrong)
    return Audit(
        issues=issues.with_params(model=f"predictions in {pred_probs.name}"),
        source=data.source,
        summary=_figures(data, health),
        view=ClassesView(data, issues, text=text),
        tables=_tables(data, health),
        notes=(*data.notes, f"Probabilities were taken from {pred_probs.name}."),
        limits=LIMITS,
        warnings=tuple(warned),
        part="class",
        part_names=data.classes,
    )


def _figures(data: MultilabelData, health: HealthSummary) -> dict[str, Any]:
    n, k = data.labels.shape
    given = int(np.count_nonzero(data.labels > 0))
    return {
        "examples": n,
        "classes": k,
        "labels_per_example": given / max(n, 1),
        "share_of_given_labels_that_look_wrong": health.spurious_labels / max(given, 1),
        "missing_labels_per_100_given": 100 * health.missing_labels / max(given, 1),
        "label_health": health.health_score,
    }


def _tables(data: MultilabelData, health: HealthSummary) -> tuple[Table, ...]:
    k = len(data.classes)
    by_class = health.class_table.copy()
    place = {name: at for at, name in enumerate(data.classes)}
    codes = [place[name] for name in by_class["class"]]
    by_class.insert(1, "given", np.count_nonzero(data.labels > 0, axis=0)[codes])
    by_class = by_class.rename(
        columns={
            "label_issues": "spurious",
            "inverse_label_issues": "missing",
            "label_noise": "spurious share",
            "inverse_label_noise": "missing share",
        }
    )
    overlap = health.overlap_table.head(100)
    tables = [
        Table(
            "Classes",
            by_class,
            "Spurious: examples given the class that seem not to have it, also as a share of those"
            " given it. Missing: examples that seem to have it and were not given it, also as a"
            " share of those not given it. Label quality is the share of right labels among those"
            " given.",
        )
    ]
    if k > 1 and len(overlap):
        tables.append(
            Table(
                "Pairs of classes",
                overlap,
                "Confused: examples given the one wrongly that lack the other. Given together:"
                " examples given both; the lift says how many times as often as if the two had"
                " nothing to do with each other.",
            )
        )
    return tuple(tables)
