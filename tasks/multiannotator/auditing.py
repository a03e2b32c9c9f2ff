"""From native files to an audit: read, find the consensus, judge votes and annotators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Unpack

import numpy as np
import pandas as pd

from goldlabel.errors import InputError, collected_warnings
from goldlabel.formats.reading import Reading
from goldlabel.learning.confident import Method
from goldlabel.learning.diagnostics import check_columns, check_order
from goldlabel.learning.filters import FilterBy
from goldlabel.results.audit import Audit
from goldlabel.results.label_issues import LabelIssues
from goldlabel.tasks.multiannotator.active.scores import scores_of_votes
from goldlabel.tasks.multiannotator.aggregation.comparison import COLUMNS, labels_by_method
from goldlabel.tasks.multiannotator.aggregation.consensus import Consensus
from goldlabel.tasks.multiannotator.aggregation.methods import (
    ConsensusMethod,
    QualityMethod,
    default_method,
)
from goldlabel.tasks.multiannotator.aggregation.truth_inference import consensus_of
from goldlabel.tasks.multiannotator.agreement.coefficients import Agreement
from goldlabel.tasks.multiannotator.annotators.report import annotator_table
from goldlabel.tasks.multiannotator.data import MultiannotatorData
from goldlabel.tasks.multiannotator.formats import FORMATS, read
from goldlabel.tasks.multiannotator.formats.duplicates import Duplicates
from goldlabel.tasks.multiannotator.inputs import Checked, checked_models
from goldlabel.tasks.multiannotator.issues import issues_of
from goldlabel.tasks.multiannotator.tables import agreement_statistics, report_tables
from goldlabel.tasks.multiannotator.views import ItemView
from goldlabel.tasks.multiannotator.writing import refuse_existing, write_consensus

__all__ = ["audit"]

LIMITS = (
    "Errors that most annotators make: a consensus is what they agree on, and is wrong where an"
    " item misleads all of them alike. A model helps only where it is not misled too.",
    "Annotators who have labelled few items: their quality is an estimate, with the interval given"
    " beside it.",
    "Whether a class is unclear or an annotator careless: look at the most disputed items first.",
)
VERDICT = "has a vote against the consensus", "have votes against the consensus"


def audit(
    path: Path,
    *,
    item: str | None = None,
    annotator: str | None = None,
    label: str | None = None,
    pred_probs: Sequence[str] | None = None,
    time: str | None = None,
    seconds: str | None = None,
    annotators: Sequence[str] | None = None,
    text: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    consensus_method: ConsensusMethod | None = None,
    quality_method: QualityMethod | None = None,
    calibrate_probs: bool = False,
    filter_by: FilterBy = "predicted_neq_given",
    rank_by: Method = "self_confidence",
    methods: Sequence[str] | None = None,
    duplicates: Duplicates = "last",
    positive: str | None = None,
    consensus: Path | None = None,
    with_consensus: Path | None = None,
    format: Annotated[str | None, FORMATS] = None,
    **reading: Unpack[Reading],
) -> Audit:
    r"""Find the consensus of several annotators, the votes against it, and whom to trust how far.

    Votes come from a table with a row for each (CSV, TSV, JSONL, Parquet; also of Mechanical Turk,
    Toloka and Label Studio), or for each item, with a column for each annotator, lists, or counts;
    from JSON of Label Studio, or JSON Lines of Prodigy and doccano. A model's predictions make the
    consensus better and need not cover it: items without votes are a pool to choose from.

    Parameters
    ----------
    path : Path
        The file, or the folder of a Hugging Face dataset.
    item : str, optional
        Column of what was labelled; found by its name if not given, as are the next two.
    annotator : str, optional
        Column of who labelled it.
    label : str, optional
        Column of the label; of Label Studio the name of the choices.
    pred_probs : sequence of str, optional
        File of out-of-sample predicted probabilities, a row for each item, matched by an id column
        if there is one; of several models, a file each.
    time : str, optional
        Column of when a vote was given.
    seconds : str, optional
        Column of how many seconds it took.
    annotators : sequence of str, optional
        Columns of the annotators, where each has one.
    text : sequence of str, optional
        Columns that show a person what an item is.
    classes : sequence of str, optional
        Names of the classes in the order of the columns of the predictions.
    consensus_method : str, optional
        How votes become a label: best_quality (CROWDLAB) if there are predictions, dawid_skene if
        not, or what is named here.
    quality_method : str, optional
        Of best_quality and majority_vote: posterior of CROWDLAB, or the share of votes that agree.
    calibrate_probs : bool
        Scale the predictions to the votes by a temperature first.
    filter_by : str
        Which votes against the consensus are flagged: all, or as many as confident learning counts.
    rank_by : str
        The quality score of labels and votes.
    methods : sequence of str, optional
        Methods to compare: majority_vote, wawa, dawid_skene, glad, mace, crowdlab; all if not
        given.
    duplicates : str
        Which of several votes of one annotator on one item counts: last, majority; or error.
    positive : str, optional
        Where a vote may hold several classes: the one to ask about, as yes or no.
    consensus : Path, optional
        Also write the consensus as a table of a row for each item: .csv, .tsv, .jsonl or .parquet.
    with_consensus : Path, optional
        Also write the dataset again, in its own format, with the consensus added to it.
    format : str, optional
        Format of the votes, in place of what the content looks like.
    **reading
        How to read the files; see `goldlabel.formats.reading.Reading`.

    Returns
    -------
    Audit
        With the frames "consensus" (a row per item, a column per method) and "annotators".

    Raises
    ------
    InputError
        A file can't be read or what it holds does not fit; says which file, row and column.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "votes.csv")
    >>> _ = path.write_text(
    ...     "item,annotator,label\na,x,cat\na,y,cat\na,z,dog\nb,x,dog\nb,y,dog\nb,z,dog\n"
    ... )
    >>> found = audit(path)
    >>> found.frames["consensus"][["id", "consensus", "votes"]]
      id consensus  votes
    0  a       cat      3
    1  b       dog      3
    """
    _check_methods(methods, has_models=bool(pred_probs))
    for wanted in filter(None, (consensus, with_consensus)):
        refuse_existing(wanted)
    data = read(
        path, item=item, annotator=annotator, label=label, time=time, seconds=seconds,
        annotators=annotators, pred_probs=pred_probs, classes=classes, duplicates=duplicates,
        positive=positive, format=format, **reading,
    )  # fmt: skip
    checked = _checked(data)
    with collected_warnings() as warned:
        _check_predictions(checked)
        found = consensus_of(
            checked,
            consensus_method or _default_method(data),
            quality_method or _default_quality(data, consensus_method),
            calibrate_probs=calibrate_probs,
            method=rank_by,
        )
        issues = issues_of(found, filter_by, rank_by)
    compared = labels_by_method(checked, _compared(data, methods), found.fit)
    people = annotator_table(found, checked.probs, data.time, data.seconds)
    statistics = agreement_statistics(data)
    frame = _consensus_frame(found, compared, checked)
    for target, layout in ((consensus, "table"), (with_consensus, "dataset")):
        if target is not None:
            write_consensus(data, found, target, layout=layout)  # type: ignore[arg-type]
    return Audit(
        issues=issues.with_params(duplicates=duplicates),
        source=data.source,
        summary=_figures(data, found, issues, statistics, people),
        view=ItemView(data, found, issues, text=text),
        tables=report_tables(data, found, compared, people, statistics),
        frames={"consensus": frame, "annotators": people} if data.has_identities else
        {"consensus": frame},
        notes=(*data.notes, *_methods_note(data, consensus_method), *_vanished(found)),
        limits=LIMITS,
        warnings=tuple(warned),
        part="annotator",
        part_names=data.annotators,
        verdict=VERDICT,
    )  # fmt: skip


def _checked(data: MultiannotatorData) -> Checked:
    """Return a dataset's votes and probabilities as the verbs use them; values are checked."""
    probs = None if data.pred_probs is None else checked_models(list(data.pred_probs))[0]
    return Checked(data.votes, data.classes, data.annotators, data.ids, probs)


def _check_predictions(checked: Checked) -> None:
    """Warn if predictions look like those of other items, or of classes in another order."""
    votes, k = checked.votes, checked.votes.num_classes
    if checked.probs is None or k < 2:
        return
    predicted = np.mean(checked.probs, axis=0).argmax(axis=1)
    pairs = np.zeros((k, k), dtype=np.int64)
    np.add.at(pairs, (votes.label, np.repeat(predicted, np.diff(votes.item_offsets))), 1)
    if not check_columns(pairs, checked.classes, rows="votes"):
        check_order(pairs, rows="votes")


def _check_methods(methods: Sequence[str] | None, *, has_models: bool) -> None:
    for name in methods or ():
        if name not in COLUMNS:
            raise InputError("methods", f"has {name!r}", f"Use some of {', '.join(COLUMNS)}")
        if name == "crowdlab" and not has_models:
            raise InputError(
                "methods", "has 'crowdlab', which needs predictions", "Pass pred_probs"
            )


def _default_method(data: MultiannotatorData) -> ConsensusMethod:
    return default_method(data.votes, data.pred_probs, has_identities=data.has_identities)


def _default_quality(
    data: MultiannotatorData, asked: ConsensusMethod | None
) -> QualityMethod | None:
    """Return the quality method where none is asked for; votes without names have no weights."""
    return "agreement" if asked is None and not data.has_identities else None


def _methods_note(data: MultiannotatorData, asked: ConsensusMethod | None) -> tuple[str, ...]:
    """Say how the consensus is found, and why, and what can't be compared."""
    method = asked or _default_method(data)
    reasons = {
        "best_quality": "Consensus by CROWDLAB (best_quality): votes and predictions.",
        "dawid_skene": "Consensus by Dawid-Skene: votes alone. Predictions would allow CROWDLAB.",
        "majority_vote": "Every item has one label at most: that is its consensus.",
    }
    if not data.has_identities:
        reasons["majority_vote"] = "Consensus by majority vote: it is not known who voted."
    note = f"Consensus by {asked}, as asked for." if asked is not None else reasons[method]
    if data.has_identities:
        return (note,)
    return (
        note,
        "Of counts, only the majority vote can be had: other methods ask who voted.",
    )


def _compared(data: MultiannotatorData, methods: Sequence[str] | None) -> Sequence[str] | None:
    """Return which methods can be compared; None for all."""
    if not data.has_identities or len(data.classes) < 2:
        return ["majority_vote"]
    return methods


def _consensus_frame(found: Consensus, compared: dict[str, Any], checked: Checked) -> pd.DataFrame:
    frame = found.to_frame("item")
    columns = {name: found.named(codes) for name, codes in compared.items()}
    frame = frame.assign(**columns)
    if checked.probs is not None and checked.votes.num_classes > 1:
        frame["active_learning_score"] = scores_of_votes(checked.votes, checked.probs)[0]
    return frame


def _figures(
    data: MultiannotatorData,
    found: Consensus,
    issues: LabelIssues,
    statistics: tuple[Agreement, ...],
    people: pd.DataFrame,
) -> dict[str, Any]:
    labelled = data.votes.votes_per_item > 0
    n = int(labelled.sum())
    remarked = int((people["remarks"] != "").sum())
    figures = {
        "examples": len(labelled),
        "annotators": len(data.annotators) if data.has_identities else None,
        "votes": len(data.votes),
        "share_of_votes_against_the_consensus": len(issues.parts) / max(len(data.votes), 1),
        "consensus_quality": math.fsum(found.quality[labelled]) / n,
        "expected_wrong_consensus_labels": math.fsum(1.0 - found.quality[labelled]),
        "votes_per_item": len(data.votes) / max(n, 1),
        "classes": len(data.classes),
        "items_without_votes": len(labelled) - n or None,
        "annotators_with_remarks": remarked if data.has_identities else None,
    }
    # The others ask for classes on a scale, which names alone do not tell.
    shown = [each for each in statistics[:3] if np.isfinite(each.value)]
    figures |= {each.name: each.value for each in shown}
    if found.model_weights is not None:
        figures["model_weight"] = float(found.model_weights.sum())
    return {name: figure for name, figure in figures.items() if figure is not None}


def _vanished(found: Consensus) -> tuple[str, ...]:
    """Say which classes have votes and are no item's consensus."""
    k = found.votes.num_classes
    voted = np.bincount(found.votes.label, minlength=k) > 0
    agreed = np.bincount(found.labels[found.labels >= 0], minlength=k) > 0
    lost = [str(found.classes[c]) for c in np.flatnonzero(voted & ~agreed)]
    if not lost:
        return ()
    return (f"Classes that have votes and are the consensus of no item: {', '.join(lost[:20])}.",)
