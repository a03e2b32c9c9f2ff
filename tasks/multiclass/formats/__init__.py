"""Native formats of multiclass datasets: read one into the container, write it back corrected.

`goldlabel.tasks.multiclass.formats.table` reads tables, `image_folder` folders of images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.changes import by_example, class_value
from goldlabel.formats.options import options_of
from goldlabel.formats.predictions import PredProbs, read_pred_probs
from goldlabel.formats.reading import Reading, of_predictions
from goldlabel.formats.registry import Formats
from goldlabel.formats.tables import roles
from goldlabel.formats.tables.class_order import Classes, arrange
from goldlabel.inputs.labels import NOT_A_CLASS
from goldlabel.results.audit import Source
from goldlabel.tasks.multiclass.data import MulticlassData
from goldlabel.tasks.multiclass.formats import image_folder, table
from goldlabel.tasks.multiclass.formats.labels import Asked, Labels, Options

__all__ = ["FORMATS", "export", "read"]

FORMATS: Formats[Asked, Labels] = Formats("multiclass", *table.FORMATS, image_folder.FORMAT)
"""The native formats."""

_FEW_ROWS = 10  # from so many on, rows that all have a class of their own have none
_MANY_CLASSES = 50  # more than this, and more than half as many as rows: no column of classes


def read(
    path: str | Path,
    *,
    label: str | None = None,
    id: str | None = None,
    format: str | None = None,
    pred_probs: str | Path | None = None,
    classes: Sequence[str] | None = None,
    missing: Literal["error", "drop"] = "error",
    **reading: Unpack[Reading],
) -> MulticlassData:
    r"""Read a dataset with one class per example, and predicted probabilities if there are any.

    Parameters
    ----------
    path : str or Path
        A table (see `goldlabel.formats.tables.read_table`), or a folder with a folder of images for
        each class.
    label : str, optional
        The table's column of labels. If not given: the one called label, labels, class, category,
        target or y, or the only column.
    id : str, optional
        The table's column of ids. If not given: "id", if its values are all there and different.
    format : str, optional
        One of `FORMATS`, taken instead of what the content looks like.
    pred_probs : str or Path, optional
        File of predicted probabilities; see `goldlabel.formats.predictions.read_pred_probs`. If
        both files have ids, rows are matched by them, else by position.
    classes : sequence of str, optional
        Names of the classes in the order of the columns of `pred_probs`. Where labels are whole
        numbers and these are not, they name the numbers 0 .. k-1, or 1 .. k.
    missing : {"error", "drop"}
        What to do with rows that have no label. "drop" leaves them out; `MulticlassData.rows`
        then says which rows remain, and an export still knows them by their place in the file.
    **reading
        How to read the table and `pred_probs`; see `goldlabel.formats.reading.Reading`.

    Returns
    -------
    MulticlassData

    Raises
    ------
    InputError
        A file can't be read, or what it holds does not fit; says which file, row and column.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "pets.csv")
    >>> _ = path.write_text("text,label\nwoof,dog\nmeow,cat\npurr,cat\n")
    >>> data = read(path)
    >>> data.classes, data.labels.tolist()
    (('cat', 'dog'), [1, 0, 0])
    """
    path = Path(path)
    if missing not in ("error", "drop"):
        raise InputError("missing", f"is {missing!r}", "Use 'error' or 'drop'")
    if isinstance(classes, str):
        raise InputError("classes", f"is the text {classes!r}", "Pass a list of names")
    found = FORMATS.find(path, format, encoding=reading.get("encoding"))
    labels = found.read(path, Asked(label, id, reading))
    rows = _labeled_rows(labels, missing)
    ids = labels.ids if labels.ids is None or rows is None else labels.ids[rows]
    probs = None
    if pred_probs is not None:
        probs = read_pred_probs(
            pred_probs, classes=classes, ids=ids, id=labels.id, **of_predictions(reading)
        )
        probs = _aligned(probs, pred_probs, labels, rows)
    labels = _named(labels, (None if probs is None else probs.classes) or classes or ())
    arranged = arrange(
        labels.found,
        labels.where,
        listed=labels.listed,
        positions=labels.positions,
        classes=classes,
        columns=None if probs is None else probs.classes,
        k=None if probs is None else probs.values.shape[1],
        mark_unknown=True,
    )
    inputs = () if pred_probs is None else (Path(pred_probs),)
    return _assembled(labels, rows, ids, probs, arranged, inputs, missing)


def _named(labels: Labels, classes: Sequence[str]) -> Labels:
    """Give numbers the names that another column of the table has for them."""
    options = labels.source.options
    if labels.table is None or not isinstance(options, table.ColumnOptions):
        return labels
    found, note = roles.named_beside(labels.table, options.label, labels.found, classes)
    return labels._replace(found=found, notes=[*labels.notes, *([note] if note else [])])


def _labeled_rows(labels: Labels, missing: str) -> npt.NDArray[np.int64] | None:
    """Return the rows that have a label; None if all have."""
    codes, where = labels.found.codes, labels.where
    none = np.flatnonzero(codes < 0)
    n, k = len(codes) - len(none), len(labels.found.names)
    if none.size and (missing == "error" or not n):
        raise InputError(
            f"{where}, row {none[0] + 1}",
            f"is missing; {none.size:,} of {len(codes):,} labels are",
            "Fill them in, name another column, or pass missing='drop' to leave such rows out",
        )
    if k > max(_MANY_CLASSES, n / 2) or (k == n and n >= _FEW_ROWS):
        raise InputError(
            where, f"has {k:,} different values in {n:,} rows, too many for classes", "Name another"
        )
    if none.size:
        labels.notes.append(f"{none.size:,} rows without a label were left out.")
        return np.flatnonzero(codes >= 0)
    return None


def _aligned(
    probs: PredProbs, path: str | Path, labels: Labels, rows: npt.NDArray[np.int64] | None
) -> PredProbs:
    """Return predictions for the rows that have a label, in their order."""
    n_table = len(labels.found.codes)
    n, given = (n_table if rows is None else len(rows)), len(probs.values)
    if rows is not None and given == n_table != n:
        return probs._replace(values=np.ascontiguousarray(probs.values[rows]))
    if given == n:
        return probs
    fix = "Predict each row of the dataset, in its order"
    if given in (n - 1, n + 1):
        fix += ", and check in the notes whether a first row was taken for a header"
    elif probs.values.shape[1] == n:
        fix = "Transpose pred_probs: a row per example, a column per class"
    raise InputError(
        str(path), f"has {given:,} rows, and {labels.source.files[0]} has {n:,} labels", fix
    )


def _assembled(
    labels: Labels,
    rows: npt.NDArray[np.int64] | None,
    ids: npt.NDArray[Any] | None,
    probs: PredProbs | None,
    arranged: Classes,
    inputs: tuple[Path, ...],
    missing: Literal["error", "drop"],
) -> MulticlassData:
    codes = labels.found.codes if rows is None else labels.found.codes[rows]
    options = replace(
        options_of(labels.source, Options),
        classes=arranged.names,
        values=arranged.values,
        missing=missing,
        examples=len(codes),
    )
    notes = [*labels.notes, *arranged.notes, *(probs.notes if probs is not None else ())]
    placed = arranged.place[codes]
    return MulticlassData(
        labels=placed,
        classes=arranged.names,
        unknown=tuple(labels.found.names[code] for code in codes[placed == NOT_A_CLASS].tolist()),
        source=replace(labels.source, options=options, inputs=inputs),
        ids=ids,
        pred_probs=None if probs is None else probs.values,
        table=labels.table,
        rows=rows,
        notes=tuple(notes),
    )


def export(source: Source, corrections: pd.DataFrame, out: str | Path) -> None:
    """Write a dataset again with some labels replaced, and everything else as it was.

    Parameters
    ----------
    source : Source
        Of `MulticlassData`.
    corrections : DataFrame
        A row per changed label: ``example`` (position in `MulticlassData.labels`) and
        ``suggested`` (name of a class).
    out : str or Path
        File to write; for an image folder or a Hugging Face dataset, a new folder.

    Raises
    ------
    InputError
        A correction names no example or no class, the dataset changed since it was read, or `out`
        can't be written. Nothing is written then.
    """
    source = FORMATS.restored(source)
    options = options_of(source, Options)
    value = class_value(options.classes, options.values)
    FORMATS.export(source, by_example(corrections, value, examples=options.examples), out)
