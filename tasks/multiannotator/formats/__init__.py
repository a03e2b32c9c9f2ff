"""Native formats of votes: read one into the container, write it back corrected.

`long` reads a row per vote, `wide` a row per item, `label_studio` and `lines` what platforms write;
`raw` is what each of them gives, `roles` guesses columns, `predictions` matches models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.changes import class_value, each_correction
from goldlabel.formats.options import options_of, stored
from goldlabel.formats.reading import Reading, of_predictions, of_table
from goldlabel.formats.tables.table import check_unchanged
from goldlabel.results.audit import Source
from goldlabel.tasks.multiannotator.data import MultiannotatorData
from goldlabel.tasks.multiannotator.formats import label_studio, lines, long, wide
from goldlabel.tasks.multiannotator.formats.duplicates import Duplicates, without_duplicates
from goldlabel.tasks.multiannotator.formats.labels import read_labels
from goldlabel.tasks.multiannotator.formats.options import Asked, Kept, VoteOptions
from goldlabel.tasks.multiannotator.formats.predictions import Predictions, read_predictions
from goldlabel.tasks.multiannotator.formats.raw_votes import RawVotes, name_codes
from goldlabel.tasks.multiannotator.formats.recognition import (
    FORMATS,
    LAYOUTS,
    open_raw_votes,
    raw_votes_again,
)
from goldlabel.tasks.multiannotator.votes import Votes

__all__ = ["FORMATS", "LAYOUTS", "export", "read", "read_again"]


def read(
    path: str | Path,
    *,
    item: str | None = None,
    annotator: str | None = None,
    label: str | None = None,
    time: str | None = None,
    seconds: str | None = None,
    annotators: Sequence[str] | None = None,
    pred_probs: str | Path | Sequence[str | Path] | None = None,
    classes: Sequence[str] | None = None,
    duplicates: Duplicates = "last",
    positive: str | None = None,
    format: str | None = None,
    **reading: Unpack[Reading],
) -> MultiannotatorData:
    r"""Read votes of several annotators, and predictions if there are any.

    Parameters
    ----------
    path : str or Path
        A table (see `goldlabel.formats.tables.read_table`) with a row for each vote, also of
        Mechanical Turk, Toloka, Label Studio and Prodigy; or with a row for each item: a column for
        each annotator, lists of annotators and labels, or counts of votes. JSON of Label Studio,
        JSON Lines of doccano.
    item, annotator, label, time, seconds : str, optional
        Columns of a table; found by their usual names if not given. Of Label Studio, `label` is
        the name of the choices. `time` says when a vote was given, `seconds` how long it took.
    annotators : sequence of str, optional
        Columns of the annotators of a wide table (of the counts in a table of counts).
    pred_probs : path or sequence of paths, optional
        Predicted probabilities of each model; see `goldlabel.formats.predictions.read_pred_probs`.
        Rows are matched by an id column; items without votes are normal.
    classes : sequence of str, optional
        Names of the classes in the order of the columns of `pred_probs`.
    duplicates : {"last", "majority", "error"}
        Which of several votes of one annotator on one item counts: the last (by time, or in the
        order of the file), or the most frequent; a note says how many do not. Or an error.
    positive : str, optional
        Where a vote may hold several classes: the one to ask about; votes become yes and no.
    format : str, optional
        One of `FORMATS`, taken instead of what the content looks like.
    **reading
        How to read the table and `pred_probs`; see `goldlabel.formats.reading.Reading`.

    Returns
    -------
    MultiannotatorData

    Raises
    ------
    InputError
        A file can't be read, or what it holds does not fit; says which file, row and column.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "votes.csv")
    >>> _ = path.write_text("task,worker,answer\na,ann,cat\na,bob,dog\nb,ann,dog\n")
    >>> data = read(path)
    >>> data.ids.tolist(), data.annotators, data.classes, data.votes.label.tolist()
    (['a', 'b'], ('ann', 'bob'), ('cat', 'dog'), [0, 1, 1])
    """
    path = Path(path)
    for name, value in (("classes", classes), ("annotators", annotators)):
        if isinstance(value, str):
            raise InputError(name, f"is the text {value!r}", "Pass a list of names")
    columns = {"item": item, "annotator": annotator, "label": label, "time": time}
    columns["seconds"] = seconds
    people = None if annotators is None else tuple(annotators)
    of_file: dict[str, Any] = {**of_table(reading)}
    asked = Asked(columns, people, positive, format, of_file)
    raw = open_raw_votes(path, asked)
    if not len(raw.label):
        raise InputError(str(path), "holds no vote", "Name a file with labels")
    models = [pred_probs] if isinstance(pred_probs, str | Path) else list(pred_probs or ())
    predictions = None
    if models:
        predictions = read_predictions(
            [Path(each) for each in models],
            raw.items,
            id=_item_column(raw.source),
            classes=classes,
            **of_predictions(reading),
        )
    found = _assembled(raw, predictions, classes, duplicates, [Path(each) for each in models])
    names = None if classes is None else tuple(classes)
    kept = Kept(names, duplicates, **of_predictions(reading))
    options = replace(options_of(found.source, VoteOptions), read=kept)
    return replace(found, source=replace(found.source, options=options))


def read_again(source: Source) -> MultiannotatorData:
    """Read a dataset, and its predictions, as they were read before.

    Raises
    ------
    InputError
        The votes have changed since, or a file is no longer there.
    """
    options = options_of(source, VoteOptions)
    asked, kept = options.asked, options.read
    if asked is None or kept is None:
        raise InputError(
            str(source.files[0]), "was audited by another version", "Run the audit again"
        )
    said: Any = {**asked.columns, **asked.options, **stored(kept)}
    found = read(
        source.files[0],
        pred_probs=list(source.inputs) or None,
        annotators=asked.annotators,
        positive=asked.positive,
        format=asked.format,
        **said,
    )
    check_unchanged(source, found.source.options.sha256)
    return found


def _item_column(source: Source) -> str | None:
    options = options_of(source, VoteOptions)
    return options.item or (options.roles[0] if options.roles else None)


def _assembled(
    raw: RawVotes,
    predictions: Predictions | None,
    classes: Sequence[str] | None,
    duplicates: Duplicates,
    inputs: list[Path],
) -> MultiannotatorData:
    """Give items, annotators and classes their numbers, and put everything together."""
    columns = None if predictions is None else predictions.classes
    k = None if predictions is None else predictions.values.shape[2]
    labels = read_labels(raw, classes, columns, k)
    where = str(raw.source.files[0])
    if not labels.kept.any():
        raise InputError(where, "holds no vote", "Name a file with labels")
    ids = raw.items if predictions is None else predictions.ids
    item = pd.Index(ids).get_indexer(pd.Index(raw.item)).astype(np.int64)
    annotator, annotators = name_codes(raw.annotator)
    there = np.flatnonzero(labels.kept)
    first, note = without_duplicates(
        item[there],
        annotator[there],
        labels.codes,
        None if raw.time is None else raw.time[there],
        duplicates,
        (ids, annotators),
        where,
    )
    kept = there[first]
    votes = Votes.from_arrays(
        item[kept],
        annotator[kept],
        labels.codes[first],
        num_items=len(ids),
        num_annotators=len(annotators),
        num_classes=len(labels.classes),
    )
    options = replace(
        options_of(raw.source, VoteOptions),
        classes=tuple(labels.classes),
        values=tuple(labels.values),
        votes=len(votes),
        numbered=predictions is not None and predictions.numbered,
    )
    read_notes = [] if predictions is None else predictions.notes
    notes = [*raw.notes, *([note] if note else []), *labels.notes, *read_notes]
    frame = raw.frame
    if frame is not None and len(frame) != len(ids):
        at = pd.Index(raw.items).get_indexer(pd.Index(ids))
        frame = frame.reindex(at).reset_index(drop=True) if len(frame) == len(raw.items) else None
    return MultiannotatorData(
        votes=votes,
        classes=labels.classes,
        annotators=tuple(map(str, annotators.tolist())),
        ids=ids,
        source=replace(raw.source, options=options, inputs=tuple(inputs)),
        pred_probs=None if predictions is None else predictions.values,
        frame=frame,
        time=None if raw.time is None else raw.time[kept],
        seconds=None if raw.seconds is None else raw.seconds[kept],
        place=raw.place[kept],
        has_identities=raw.has_identities,
        notes=tuple(notes),
    )


def export(source: Source, corrections: pd.DataFrame, out: str | Path) -> None:
    """Write a dataset again with some votes changed, and everything else as it was.

    Parameters
    ----------
    source : Source
        Of `MultiannotatorData`.
    corrections : DataFrame
        A row per changed vote: ``example`` and ``part`` (positions of item and annotator) and
        ``suggested`` (name of a class).
    out : str or Path
        File to write; for a Hugging Face dataset, a new folder.

    Raises
    ------
    InputError
        A correction names no vote or class, the dataset changed since it was read, or `out` can't
        be written. Nothing is written then.
    """
    source = FORMATS.restored(source)
    layout = source.options.layout
    writers: dict[str, Callable[..., None]] = {
        "long": long.export,
        "wide": wide.export_wide,
        "lists": wide.export_lists,
        "label_studio": label_studio.export,
        "prodigy": lines.export,
        "doccano": lines.export,
    }
    if layout == "counts":
        raise InputError(
            str(source.files[0]),
            "says how many voted for what, so no one's vote can be changed",
            "Take the consensus from consensus.parquet",
        )
    if layout not in writers:
        raise InputError("source", f"has the layout {layout!r}", "Use that of read")
    if source.options.positive is not None and len(corrections):
        raise InputError(
            str(source.files[0]),
            "holds votes with several classes, which are read and not written",
            "Take the consensus from consensus.parquet",
        )
    writers[layout](source, _changes(source, corrections), Path(out))


def _changes(source: Source, corrections: pd.DataFrame) -> dict[tuple[int, ...], object]:
    """Return the value to write, as the file holds it, by the place of the vote."""
    rows = list(each_correction(corrections))
    if not rows:
        return {}
    raw = raw_votes_again(source)
    annotators = name_codes(raw.annotator)[1].tolist()
    places: dict[tuple[str, str], list[tuple[int, ...]]] = {}
    pairs = zip(raw.item.tolist(), raw.annotator.tolist(), strict=True)
    for pair, place in zip(pairs, raw.place.tolist(), strict=True):
        places.setdefault(pair, []).append(tuple(place))
    value = class_value(source.options.classes, source.options.values)
    changes: dict[tuple[int, ...], object] = {}
    for each in rows:
        where, example, part, new = each.where, each.example, each.part, value(each)
        item = _item_of(example, raw.items, source.options.numbered)
        known = isinstance(part, int) and 0 <= part < len(annotators)
        found = places.get((item, annotators[part]), []) if known and item is not None else []
        if not found:
            raise InputError(
                where, f"names a vote that is none: example {example!r}, part {part!r}",
                "Use the positions of issues.parquet",
            )  # fmt: skip
        for place in found:
            if changes.setdefault(place, new) != new:
                raise InputError(where, "gives a vote a second label", "Leave one row")
    return changes


def _item_of(example: object, items: npt.NDArray[Any], numbered: bool) -> str | None:
    """Return the name of an item by its position; None if there is none."""
    if not isinstance(example, int) or example < 0:
        return None
    if numbered:
        return str(example)
    return str(items[example]) if example < len(items) else None
