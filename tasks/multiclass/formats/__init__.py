"""Native formats of multiclass datasets: read one into the container, write it back corrected.

`goldlabel.tasks.multiclass.formats.table` reads tables, `image_folder` folders of images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.predictions import PredProbs, read_pred_probs
from goldlabel.formats.tables import FORMATS as TABLES
from goldlabel.formats.tables import (
    TableFile,
    is_table_folder,
    read_table,
    read_table_again,
    roles,
    write_column,
)
from goldlabel.formats.tables.class_column import Classes, Distinct, arrange
from goldlabel.results.audit import Source
from goldlabel.tasks.multiclass.data import MulticlassData
from goldlabel.tasks.multiclass.formats import image_folder, table

__all__ = ["FORMATS", "export", "read"]

FORMATS = (*TABLES, "image_folder")
"""Names of the native formats."""

_MANY_CLASSES = 50  # more than this, and more than half as many as rows: no column of classes


class _Labels(NamedTuple):
    """What a format gives: labels, and what goes with them."""

    found: Distinct
    where: str
    source: Source
    notes: list[str]
    listed: tuple[str, ...] | None = None
    positions: bool = False
    ids: npt.NDArray[Any] | None = None
    table: TableFile | None = None


def read(
    path: str | Path,
    *,
    label: str | None = None,
    id: str | None = None,
    format: str | None = None,
    pred_probs: str | Path | None = None,
    classes: Sequence[str] | None = None,
    missing: Literal["error", "drop"] = "error",
    encoding: str | None = None,
    delimiter: str | None = None,
    quote: str = '"',
    header: bool | None = None,
    split: str | None = None,
    key: str | None = None,
    prefix: str | None = None,
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
    format : {"csv", "tsv", "jsonl", "parquet", "huggingface", "image_folder"}, optional
        Taken instead of what the content looks like.
    pred_probs : str or Path, optional
        File of predicted probabilities; see `goldlabel.formats.predictions.read_pred_probs`. If
        both files have ids, rows are matched by them, else by position.
    classes : sequence of str, optional
        Names of the classes in the order of the columns of `pred_probs`. Where labels are whole
        numbers and these are not, they name the numbers 0 .. k-1, or 1 .. k.
    missing : {"error", "drop"}
        What to do with rows that have no label. "drop" leaves them out; `MulticlassData.rows`
        then says which rows remain, and an export still knows them by their place in the file.
    encoding, delimiter, quote, header, split
        Of the table; see `goldlabel.formats.tables.read_table`.
    key, prefix
        Of `pred_probs`; see `goldlabel.formats.predictions.read_pred_probs`.

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
    if _is_image_folder(path, format):
        if label is not None or id is not None:
            raise InputError(str(path), "is an image folder, without columns", "Omit label and id")
        read_labels = _read_images(path)
    else:
        options = {"encoding": encoding, "delimiter": delimiter, "quote": quote, "header": header}
        opened = read_table(path, format=format, split=split, **options)  # type: ignore[arg-type]
        read_labels = _read_labels(opened, label, id)
    rows = _labeled_rows(read_labels, missing)
    ids = read_labels.ids if read_labels.ids is None or rows is None else read_labels.ids[rows]
    probs = None
    if pred_probs is not None:
        id_name = read_labels.source.options.get("id")
        probs = read_pred_probs(
            pred_probs, classes=classes, ids=ids, id=id_name, key=key, prefix=prefix
        )
        probs = _aligned(probs, pred_probs, read_labels, rows)
    arranged = arrange(
        read_labels.found,
        read_labels.where,
        listed=read_labels.listed,
        positions=read_labels.positions,
        classes=classes,
        columns=None if probs is None else probs.classes,
        k=None if probs is None else probs.values.shape[1],
    )
    inputs = () if pred_probs is None else (Path(pred_probs),)
    return _assembled(read_labels, rows, ids, probs, arranged, inputs, missing)


def _is_image_folder(path: Path, format: str | None) -> bool:
    if format is not None and format not in FORMATS:
        raise InputError("format", f"is {format!r}, not one of {', '.join(FORMATS)}", "Use one")
    try:
        is_folder = path.is_dir()
    except (OSError, ValueError):
        is_folder = False  # read_table says what is wrong
    if format == "image_folder" and not is_folder:
        raise InputError(str(path), "is not a folder that exists", "Name a folder of images")
    return is_folder and format in (None, "image_folder") and not is_table_folder(path)


def _read_images(path: Path) -> _Labels:
    found, ids, source, notes = image_folder.read(path)
    return _Labels(found, str(path), source, notes, ids=np.array(ids, dtype=object))


def _read_labels(opened: TableFile, label: str | None, id: str | None) -> _Labels:
    column, label_note = roles.label_column(opened, label, table.LABEL_NAMES)
    id_name, id_note = roles.id_column(opened, id)
    id_name = None if id_name == column else id_name
    listed, positions = table.listed_classes(opened, column)
    options = {**opened.source.options, "label": column, "id": id_name}
    return _Labels(
        table.labels(opened, column),
        f"{opened.source.files[0]}: column {column!r}",
        replace(opened.source, options=options),
        [*opened.notes, *filter(None, (label_note, id_note))],
        listed,
        positions,
        roles.ids(opened, id_name),
        opened,
    )


def _labeled_rows(labels: _Labels, missing: str) -> npt.NDArray[np.int64] | None:
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
    if k > max(_MANY_CLASSES, n / 2):
        raise InputError(
            where, f"has {k:,} different values in {n:,} rows, too many for classes", "Name another"
        )
    if none.size:
        labels.notes.append(f"{none.size:,} rows without a label were left out.")
        return np.flatnonzero(codes >= 0)
    return None


def _aligned(
    probs: PredProbs, path: str | Path, labels: _Labels, rows: npt.NDArray[np.int64] | None
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
    labels: _Labels,
    rows: npt.NDArray[np.int64] | None,
    ids: npt.NDArray[Any] | None,
    probs: PredProbs | None,
    arranged: Classes,
    inputs: tuple[Path, ...],
    missing: str,
) -> MulticlassData:
    codes = labels.found.codes if rows is None else labels.found.codes[rows]
    options = {
        **labels.source.options,
        "classes": list(arranged.names),
        "values": list(arranged.values),
        "missing": missing,
        "examples": len(codes),
    }
    notes = [*labels.notes, *arranged.notes, *(probs.notes if probs is not None else ())]
    return MulticlassData(
        labels=arranged.place[codes],
        classes=arranged.names,
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
    changes = _changes(source, corrections)
    if source.format == "image_folder":
        image_folder.export(source, changes, Path(out))
        return
    label = source.options["label"]
    if source.options.get("missing") == "drop" and changes:
        codes = table.labels(read_table_again(source), label).codes
        rows = np.flatnonzero(codes >= 0)
        changes = {int(rows[example]): value for example, value in changes.items()}
    write_column(source, label, changes, out)


def _changes(source: Source, corrections: pd.DataFrame) -> dict[int, Any]:
    """Return the value to write, as the file holds it, by example."""
    for column in ("example", "suggested"):
        if column not in corrections:
            raise InputError("corrections", f"has no column {column!r}", "Add it")
    options = source.options
    values: Mapping[str, Any] = dict(zip(options["classes"], options["values"], strict=True))
    changes: dict[int, Any] = {}
    examples, suggested = corrections["example"].tolist(), corrections["suggested"].tolist()
    for row, (example, name) in enumerate(zip(examples, suggested, strict=True)):
        where = f"corrections: row {row + 1}"
        if not isinstance(example, int) or not 0 <= example < options["examples"]:
            raise InputError(where, f"names example {example!r}, which is none", "Use positions")
        if values.get(str(name)) is None:
            known = ", ".join(list(values)[:20])
            raise InputError(
                where, f"suggests {name!r}, which is no class of the dataset", f"Use one of {known}"
            )
        value = values[str(name)]
        if changes.setdefault(example, value) != value:
            raise InputError(where, f"gives example {example} a second class", "Leave one row")
    return changes
