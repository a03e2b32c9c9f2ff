"""Native formats of multilabel datasets: read one into the container, write it back corrected.

`columns` and `lists` are layouts of tables, between which `layout` chooses; `arff`, `label_studio`,
`coco` and `arrays` read files of their own kind. `given` is what each of them gives, `arranging`
puts its classes in order, `cells` knows lists within a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.changes import Correction, by_part
from goldlabel.formats.options import options_of
from goldlabel.formats.predictions import PredProbs, read_pred_probs
from goldlabel.formats.reading import Reading, of_predictions
from goldlabel.formats.registry import Formats
from goldlabel.formats.tables.table import check_unchanged
from goldlabel.results.audit import Source
from goldlabel.tasks.multilabel.data import MultilabelData
from goldlabel.tasks.multilabel.formats import arff, arrays, coco, label_studio, layout
from goldlabel.tasks.multilabel.formats.arranging import Arranged, arranged
from goldlabel.tasks.multilabel.formats.given import Asked, Given, Options, Predict
from goldlabel.tasks.multilabel.formats.table_options import LabelTable
from goldlabel.tasks.multilabel.issues import VALUES

__all__ = ["FORMATS", "export", "read", "read_again"]

FORMATS: Formats[Asked, Given] = Formats(
    "multilabel",
    arff.FORMAT,
    coco.FORMAT,
    label_studio.FORMAT,
    arrays.FORMAT,
    *layout.FORMATS,
)
"""The native formats."""


def read(
    path: str | Path,
    *,
    labels: Sequence[str] | None = None,
    id: str | None = None,
    format: str | None = None,
    pred_probs: str | Path | None = None,
    classes: Sequence[str] | None = None,
    separator: str | None = None,
    xml: str | Path | None = None,
    images: str | Path | None = None,
    sigmoid: bool = False,
    **reading: Unpack[Reading],
) -> MultilabelData:
    r"""Read a dataset with any number of classes per example, and predictions if there are any.

    Parameters
    ----------
    path : str or Path
        A table (see `goldlabel.formats.tables.read_table`) with a column for each class that says
        yes or no, or one column of lists; an ARFF file; JSON of Label Studio or COCO; .npy, .npz.
    labels : sequence of str, optional
        The columns of the classes, or the one column of lists; of an ARFF file the attributes; of
        Label Studio the name of the choices; of an .npz file the array. If not given, what the
        file or the names of its columns say.
    id : str, optional
        The table's column of ids. If not given: "id", if its values are all there and different.
    format : str, optional
        One of `FORMATS`, taken instead of what the content looks like.
    pred_probs : str or Path, optional
        File of predicted probabilities; see `goldlabel.formats.predictions.read_pred_probs`. If
        both files have ids, rows are matched by them, else by position.
    classes : sequence of str, optional
        Names of the classes in the order of the columns of `pred_probs`.
    separator : str, optional
        What separates classes in a column of text, in place of what it looks like.
    xml : str or Path, optional
        Of an ARFF file: Mulan's list of labels; if not given, the one beside it.
    images : str or Path, optional
        Of COCO: the folder of the images; if not given, that of the file.
    sigmoid : bool
        Turn predictions into probabilities first: they are logits.
    **reading
        How to read the table and `pred_probs`; see `goldlabel.formats.reading.Reading`.

    Returns
    -------
    MultilabelData

    Raises
    ------
    InputError
        A file can't be read, or what it holds does not fit; says which file, row and column.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "songs.csv")
    >>> _ = path.write_text("title,tags\nA,calm|sad\nB,happy\nC,\nD,happy|calm\n")
    >>> data = read(path, labels=["tags"])
    >>> data.classes, data.labels.tolist()
    (('calm', 'happy', 'sad'), [[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]])
    """
    path = Path(path)
    for name, value in (("classes", classes), ("labels", labels)):
        if isinstance(value, str):
            raise InputError(name, f"is the text {value!r}", "Pass a list of names")

    def predicted(ids: npt.NDArray[Any] | None, id_name: str | None) -> PredProbs | None:
        if pred_probs is None:
            return None
        probs = read_pred_probs(
            pred_probs, classes=classes, ids=ids, id=id_name, **of_predictions(reading)
        )
        return _with_sigmoid(probs) if sigmoid else probs

    predictions = _once(predicted)
    asked = Asked(
        labels=labels,
        id=id,
        separator=separator,
        xml=None if xml is None else Path(xml),
        images=None if images is None else Path(images),
        classes=classes,
        reading=reading,
        predictions=predictions,
    )
    given = FORMATS.find(path, format, encoding=reading.get("encoding")).read(path, asked)
    return _assembled(given, predictions(given.ids, given.id or id), classes, pred_probs)


def _once(read: Predict) -> Predict:
    """Return what reads the predictions when it is first called, and keeps them."""
    kept: list[PredProbs | None] = []

    def once(ids: npt.NDArray[Any] | None, id_name: str | None) -> PredProbs | None:
        if not kept:
            kept.append(read(ids, id_name))
        return kept[0]

    return once


def _with_sigmoid(probs: PredProbs) -> PredProbs:
    logits = probs.values
    with np.errstate(over="ignore"):
        values = (1.0 / (1.0 + np.exp(-logits.astype(np.float64)))).astype(logits.dtype)
    return probs._replace(
        values=values, notes=(*probs.notes, "Predictions went through a sigmoid.")
    )


def _assembled(
    given: Given,
    probs: PredProbs | None,
    classes: Sequence[str] | None,
    path: str | Path | None,
) -> MultilabelData:
    n = len(given.labels)
    if probs is not None and len(probs.values) != n:
        rows, k = probs.values.shape
        fix = "Predict each row of the dataset, in its order"
        if k == n:
            fix = "Transpose pred_probs: a row per example, a column per class"
        elif rows in (n - 1, n + 1):
            fix += ", and check in the notes whether a first row was taken for a header"
        raise InputError(
            str(path), f"has {rows:,} rows, and {given.source.files[0]} has {n:,}", fix
        )
    order: Arranged = arranged(given, probs, classes)
    options = replace(
        options_of(given.source, Options),
        classes=order.names,
        values=order.values,
        places=order.places,
        examples=n,
    )
    if probs is not None and not (order.labels > 0).any():
        raise InputError(
            given.where,
            f"gives no class to any of {n:,} examples, so there is nothing to audit",
            "Name the columns that hold the labels with the option labels, or the format",
        )
    unknown = int(np.count_nonzero(order.labels < 0)) - sum(each.part >= 0 for each in order.bad)
    notes = [*given.notes, *order.notes, *(probs.notes if probs is not None else ())]
    if unknown:
        notes.append(
            f"{unknown:,} of {order.labels.size:,} annotations are not known; they are left out."
        )
    inputs = (*given.source.inputs, *([] if path is None else [Path(path)]))
    return MultilabelData(
        labels=order.labels,
        classes=order.names,
        source=replace(given.source, options=options, inputs=inputs),
        ids=given.ids,
        pred_probs=None if probs is None else probs.values,
        frame=given.frame,
        images=given.images,
        notes=tuple(notes),
        bad=order.bad,
    )


def read_again(source: Source) -> MultilabelData:
    """Read the labels of an audit again as they were read then, without predictions.

    Nothing but the file of the source is opened; images are found by their names in its folder.

    Raises
    ------
    InputError
        What the source says is not of its format, or the file is not what it was.
    """
    source = FORMATS.restored(source)
    options = options_of(source, Options)
    given = FORMATS.named(source.format).read(source.files[0], _as_before(source))
    check_unchanged(source, given.source.options.sha256)
    return MultilabelData(
        labels=_in_order(given, options),
        classes=options.classes,
        source=source,
        ids=given.ids,
        frame=given.frame,
        images=given.images,
    )


def _as_before(source: Source) -> Asked:
    """Return what reads a file as it was read before, without a guess."""
    options = source.options
    has_folder = getattr(options, "has_folder", False) and source.inputs
    labels: Sequence[str] | None = None
    separator = None
    if isinstance(options, LabelTable):
        labels = options.columns or (options.column,)
        has_mark = options.style is not None and options.style.separator not in ("", "[")
        separator = options.style.separator if options.style is not None and has_mark else None
    elif isinstance(options, arff.ArffOptions):
        order = sorted(range(len(options.places)), key=options.places.__getitem__)
        labels = [str(options.values[at]) for at in order]
    elif (name := getattr(options, "name", None) or getattr(options, "array", None)) is not None:
        labels = [name]
    reading: Any = {
        name: getattr(options, name)
        for name in ("encoding", "delimiter", "quote", "header", "split")
        if hasattr(options, name)
    }
    return Asked(
        labels=labels,
        id=getattr(options, "id", None),
        separator=separator,
        xml=None,
        images=source.inputs[0] if has_folder else None,
        classes=options.classes,
        reading=reading,
        predictions=lambda ids, name: None,
    )


def _in_order(given: Given, options: Options) -> npt.NDArray[np.int8]:
    """Return annotations in the order that the classes had: by name, or by place without names."""
    place = {str(name): at for at, name in enumerate(given.found.names)}
    names = [str(value) for value in options.values]
    is_named = not given.positions and not place.keys().isdisjoint(names)
    columns = [place.get(name, -1) for name in names] if is_named else list(options.places)
    n, j = given.labels.shape
    is_there = len(columns) == len(options.classes) and all(
        (0 <= at < j) or (is_named and at == -1) for at in columns
    )
    if n != options.examples or not is_there:
        raise InputError(given.where, "has other labels than were audited", "Run the audit again")
    unknown = (given.labels < 0).all(axis=1) if j else np.zeros(n, dtype=np.bool_)
    nobody = np.where(unknown, -1, 0).astype(np.int8)[:, None]  # of classes that nothing has
    return np.hstack([given.labels, nobody])[:, columns].astype(np.int8)


def export(source: Source, corrections: pd.DataFrame, out: str | Path) -> None:
    """Write a dataset again with some labels changed, and everything else as it was.

    Parameters
    ----------
    source : Source
        Of `MultilabelData`.
    corrections : DataFrame
        A row per changed annotation: ``example`` and ``part`` (positions in
        `MultilabelData.labels`) and ``suggested`` ("present" or "absent").
    out : str or Path
        File to write; for a Hugging Face dataset, a new folder.

    Raises
    ------
    InputError
        A correction names no example, class or value, the dataset changed since it was read, or
        `out` can't be written. Nothing is written then.
    """
    source = FORMATS.restored(source)
    options = options_of(source, Options)
    changes = by_part(corrections, _is_present, parts=[len(options.classes)] * options.examples)
    places = {(at, options.places[part]): value for (at, part), value in changes.items()}
    FORMATS.export(source, places, out)


def _is_present(correction: Correction) -> bool:
    if correction.suggested not in VALUES:
        raise InputError(
            correction.where,
            f"suggests {correction.suggested!r}",
            f"Use {' or '.join(map(repr, VALUES))}",
        )
    return bool(correction.suggested == VALUES[1])
