"""Native formats of multilabel datasets: read one into the container, write it back corrected.

`columns` and `lists` are layouts of tables, between which `layout` chooses; `arff`, `label_studio`,
`coco` and `arrays` read files of their own kind. `given` is what each of them gives, `arranging`
puts its classes in order, `cells` knows lists within a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.json.text import parse
from goldlabel.formats.predictions import PredProbs, read_pred_probs
from goldlabel.formats.tables import FORMATS as TABLES
from goldlabel.formats.tables import jsonl, read_table
from goldlabel.formats.tables.roles import id_column
from goldlabel.formats.tables.roles import ids as ids_of
from goldlabel.formats.text import (
    check_file,
    first_bytes,
    is_folder,
    read_text,
)
from goldlabel.results.audit import Source
from goldlabel.tasks.multilabel.data import MultilabelData
from goldlabel.tasks.multilabel.formats import arff, arrays, coco, columns, label_studio, lists
from goldlabel.tasks.multilabel.formats.arranging import Arranged, arranged
from goldlabel.tasks.multilabel.formats.given import Changes, Given
from goldlabel.tasks.multilabel.formats.layout import read_layout
from goldlabel.tasks.multilabel.issues import VALUES

__all__ = ["FORMATS", "export", "read"]

FORMATS = (*TABLES, "arff", "label_studio", "coco", "numpy")
"""Names of the native formats."""


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
    encoding: str | None = None,
    delimiter: str | None = None,
    quote: str = '"',
    header: bool | None = None,
    split: str | None = None,
    key: str | None = None,
    prefix: str | None = None,
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
    encoding, delimiter, quote, header, split
        Of the table; see `goldlabel.formats.tables.read_table`.
    key, prefix
        Of `pred_probs`; see `goldlabel.formats.predictions.read_pred_probs`.

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

    def predictions(ids: npt.NDArray[Any] | None, id_name: str | None) -> PredProbs | None:
        if pred_probs is None:
            return None
        probs = read_pred_probs(
            pred_probs, classes=classes, ids=ids, id=id_name, key=key, prefix=prefix
        )
        return _with_sigmoid(probs) if sigmoid else probs

    kind = _kind(path, format, encoding)
    if kind in TABLES:
        options = {"encoding": encoding, "delimiter": delimiter, "quote": quote, "header": header}
        opened = read_table(path, format=format, split=split, **options)  # type: ignore[arg-type]
        id_name, id_note = id_column(opened, id)
        ids = ids_of(opened, id_name)
        probs = predictions(ids, id_name)
        given = read_layout(
            opened,
            labels,
            id_name,
            separator=separator,
            names=_hints(classes, probs),
            k=None if probs is None else probs.values.shape[1],
        )
        options = {**given.source.options, "id": id_name}
        given = given._replace(
            ids=ids, frame=opened.frame, source=replace(given.source, options=options)
        )
        given.notes.extend([id_note] if id_note else [])
    else:
        given = _read_file(path, kind, labels, xml, images, encoding)
        probs = predictions(given.ids, id)
    return _assembled(given, probs, classes, pred_probs)


def _kind(path: Path, format: str | None, encoding: str | None) -> str:
    """Return the format of a file; "csv" stands for any table that the content will show."""
    if format is not None:
        if format not in FORMATS:
            raise InputError("format", f"is {format!r}, not one of {', '.join(FORMATS)}", "Use one")
        return format
    if is_folder(path):
        return "huggingface"
    head = first_bytes(check_file(path))
    if head.startswith(arrays.MAGIC):
        return "numpy"
    if head.startswith(b"PAR1"):
        return "parquet"
    data = read_text(path, encoding=encoding).data
    if arff.looks_like(data):
        return "arff"
    begin = data[:4096].lstrip()[:1]
    if begin == b"[":
        return "label_studio" if _is_json_list(data) else "csv"
    one_line = data.strip().find(b"\n") < 0
    if begin == b"{" and (one_line or not jsonl.looks_like(data)):
        return "coco" if coco.looks_like(_json(data)) else "csv"
    return "csv"


def _is_json_list(data: bytes) -> bool:
    return isinstance(_json(data), list)


def _json(data: bytes) -> Any:
    try:
        return parse(data.decode("utf-8"), "")
    except InputError:
        return None


def _read_file(
    path: Path,
    kind: str,
    labels: Sequence[str] | None,
    xml: str | Path | None,
    images: str | Path | None,
    encoding: str | None,
) -> Given:
    """Read a file that is no table."""
    single = None if labels is None else labels[0]
    if labels is not None and len(labels) > 1 and kind != "arff":
        raise InputError("labels", f"names {len(labels)}, and {kind} has one", "Name one")
    if kind == "arff":
        return arff.read(
            path, labels=labels, xml=None if xml is None else Path(xml), encoding=encoding
        )
    if kind == "label_studio":
        return label_studio.read(path, label=single, encoding=encoding)
    if kind == "coco":
        folder = None if images is None else Path(images)
        return coco.read(path, images=folder, encoding=encoding)
    return arrays.read(path, key=single)


def _hints(classes: Sequence[str] | None, probs: PredProbs | None) -> tuple[str, ...]:
    """Return the names of the classes as far as they are known before the labels are read."""
    if probs is not None and probs.classes is not None:
        return probs.classes
    return tuple(classes or ())


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
    options = {
        **given.source.options,
        "classes": list(order.names),
        "values": list(order.values),
        "places": list(order.places),
        "examples": n,
    }
    unknown = int(np.count_nonzero(order.labels < 0))
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
    )


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
    changes = _changes(source, corrections)
    out = Path(out)
    if source.format in TABLES:
        layout = source.options["layout"]
        (columns if layout == "columns" else lists).export(source, changes, out)
        return
    formats = {"arff": arff, "label_studio": label_studio, "coco": coco, "numpy": arrays}
    if source.format not in formats:
        raise InputError("source", f"has the format {source.format!r}", "Use that of read")
    formats[source.format].export(source, changes, out)


def _changes(source: Source, corrections: pd.DataFrame) -> Changes:
    """Return what is to be changed, by example and the place of the class in the file."""
    for column in ("example", "part", "suggested"):
        if column not in corrections:
            raise InputError("corrections", f"has no column {column!r}", "Add it")
    options = source.options
    changes: dict[tuple[int, int], bool] = {}
    columns = (corrections[name].tolist() for name in ("example", "part", "suggested"))
    for row, (example, part, value) in enumerate(zip(*columns, strict=True)):
        where = f"corrections: row {row + 1}"
        for name, given, count in (
            ("example", example, options["examples"]),
            ("part", part, len(options["classes"])),
        ):
            if not isinstance(given, int) or not 0 <= given < count:
                raise InputError(where, f"names {name} {given!r}, which is none", "Use positions")
        if value not in VALUES:
            raise InputError(where, f"suggests {value!r}", f"Use {' or '.join(map(repr, VALUES))}")
        cell = example, options["places"][part]
        if changes.setdefault(cell, value == VALUES[1]) != (value == VALUES[1]):
            name = options["classes"][part]
            raise InputError(where, f"says both of {name!r} in example {example}", "Leave one row")
    return changes
