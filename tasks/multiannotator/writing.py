"""The consensus as files: a table of its own, or the dataset again with the consensus added."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from goldlabel.errors import InputError
from goldlabel.files import replacing
from goldlabel.formats.json.text import edited_entries, elements, place, quoted, spliced
from goldlabel.formats.spreadsheet import write_csv
from goldlabel.formats.tables import (
    delimited,
    jsonl,
    parquet,
    read_table_again,
    write_text,
)
from goldlabel.formats.tables.writing import check_output
from goldlabel.formats.text import TextFile
from goldlabel.inputs import check
from goldlabel.results.audit import Source
from goldlabel.tasks.multiannotator.aggregation.consensus import Consensus
from goldlabel.tasks.multiannotator.data import MultiannotatorData
from goldlabel.tasks.multiannotator.decided import decided_consensus
from goldlabel.tasks.multiannotator.formats import read_again
from goldlabel.tasks.multiannotator.formats.recognition import raw_votes_again
from goldlabel.typing import Ints

__all__ = ["COLUMN", "export_consensus", "refuse_existing", "write_consensus"]

COLUMN = "consensus"
"""Name of the column, or the key, that a dataset gets."""
QUALITY = "consensus_quality"

Layout = Literal["table", "dataset"]


def write_consensus(
    data: MultiannotatorData,
    consensus: Consensus,
    out: str | Path,
    *,
    layout: Layout = "table",
    force: bool = False,
) -> None:
    r"""Write the consensus labels of a dataset.

    Parameters
    ----------
    data : MultiannotatorData
        What was read.
    consensus : Consensus
        What was found in it.
    out : str or Path
        File to write; never the dataset itself.
    layout : {"table", "dataset"}
        "table": a row for each item: `id`, `consensus`, `quality`, `agreement`, `votes`; what
        `out` ends with says whether as .csv, .tsv, .jsonl or .parquet. "dataset": the dataset
        again in its own format, with the columns `consensus` and `consensus_quality` (of each
        row's item) after its own; an export of Label Studio gets them as a prediction of each
        task. All else is as it was.
    force : bool
        Replace `out` if it is a file that exists. The dataset itself is never replaced.

    Raises
    ------
    InputError
        `out` can't be written or is the dataset, or the dataset has changed since it was read.

    Examples
    --------
    >>> import tempfile
    >>> from goldlabel.tasks.multiannotator import get_consensus_labels, read
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "votes.csv").write_text("item,annotator,label\na,x,cat\na,y,cat\n")
    >>> data = read(folder / "votes.csv")
    >>> found = get_consensus_labels(data.votes, classes=data.classes)
    >>> write_consensus(data, found, folder / "out.csv", layout="dataset")
    >>> print((folder / "out.csv").read_text())
    item,annotator,label,consensus,consensus_quality
    a,x,cat,cat,1.0
    a,y,cat,cat,1.0
    """
    out = Path(out)
    check.choice(layout, ("table", "dataset"), name="layout")
    if not force:
        refuse_existing(out)
    if layout == "table":
        _write_table(data, consensus, out)
        return
    if data.source.format == "label_studio":
        write_text(data.source, out, lambda file: _with_predictions(data, consensus, file))
        return
    check_output(data.source.files[0], out)
    _WRITERS.get(data.source.format, _unknown)(data, consensus, out)


def refuse_existing(out: Path) -> None:
    """Raise if there is something at `out` already."""
    if out.exists():
        raise InputError(str(out), "exists", "Name another file, or remove it first")


def _names(data: MultiannotatorData, labels: Ints) -> list[str | None]:
    return [data.classes[c] if c >= 0 else None for c in labels.tolist()]


def _rounded(quality: npt.NDArray[np.float64]) -> list[float]:
    return [float(f"{each:.6g}") for each in quality.tolist()]


def export_consensus(folder: Path, source: Source, out: Path) -> int:
    """Write what an audit has decided of each item: `item`, `consensus` and `quality`.

    Parameters
    ----------
    folder : Path
        Of the audit.
    source : Source
        Of the audit.
    out : Path
        .csv, .tsv, .jsonl or .parquet.

    Returns
    -------
    int
        How many items there are.

    Raises
    ------
    InputError
        `out` can't be written, or the audit's tables do not belong to its dataset.
    """
    data = read_again(source)
    labels, quality = decided_consensus(folder, data)
    columns = {"item": data.ids, "consensus": _names(data, labels), "quality": quality}
    _write_frame(pd.DataFrame(columns), out, " (votes keep their format: --auto --votes)")
    return len(data)


def _write_table(data: MultiannotatorData, consensus: Consensus, out: Path) -> None:
    if data.source.files and out.exists():
        check_output(data.source.files[0], out)
    frame = pd.DataFrame(
        {
            "id": data.ids,
            "consensus": _names(data, consensus.labels),
            "quality": consensus.quality,
            "agreement": consensus.agreement,
            "votes": consensus.votes.votes_per_item,
        }
    )
    _write_frame(frame, out)


def _write_frame(frame: pd.DataFrame, out: Path, besides: str = "") -> None:
    writers: dict[str, Callable[[Path], Any]] = {
        ".csv": lambda path: write_csv(frame, path),
        ".tsv": lambda path: frame.to_csv(path, index=False, sep="\t", lineterminator="\n"),
        ".jsonl": lambda path: frame.to_json(path, orient="records", lines=True, force_ascii=False),
        ".json": lambda path: frame.to_json(path, orient="records", force_ascii=False),
        ".parquet": lambda path: frame.to_parquet(path, index=False),
    }
    if out.suffix not in writers:
        raise InputError(
            str(out),
            f"ends with {out.suffix!r}",
            f"End its name with {', '.join(writers)}{besides}",
        )
    with replacing(out) as temporary:
        writers[out.suffix](temporary)


def _of_rows(data: MultiannotatorData, consensus: Consensus) -> tuple[list[Any], list[Any]]:
    """Return label and quality for each row of the table; None for rows that are left out."""
    raw = raw_votes_again(data.source)
    labels, quality = _names(data, consensus.labels), _rounded(consensus.quality)
    place = {name: at for at, name in enumerate(data.ids.tolist())}
    rows = int(data.source.options.rows)
    item_of: list[int | None] = [None] * rows
    if data.source.options.layout in ("long", "prodigy"):
        for row, name in zip(raw.place[:, 0].tolist(), raw.item.tolist(), strict=True):
            item_of[row] = place[name]
    else:
        item_of = [place.get(name) for name in raw.items.tolist()]
    return (
        [None if at is None else labels[at] for at in item_of],
        [None if at is None else quality[at] for at in item_of],
    )


def _write_delimited(data: MultiannotatorData, consensus: Consensus, out: Path) -> None:
    labels, quality = _of_rows(data, consensus)
    shown = ["" if each is None else str(each) for each in quality]
    columns = {COLUMN: [each or "" for each in labels], QUALITY: shown}
    write_text(data.source, out, lambda file: _with_fields(data, file, columns))


def _with_fields(data: MultiannotatorData, file: TextFile, columns: dict[str, list[str]]) -> bytes:
    """Return delimited text with fields added to the end of every record."""
    options = data.source.options
    table = delimited.scan(
        file,
        delimiter=options.delimiter,
        quote=options.quote,
        header=options.header,
    )
    _refuse_taken(data, table.names)
    return delimited.with_columns(table, columns)


def _refuse_taken(data: MultiannotatorData, names: Any) -> None:
    for name in (COLUMN, QUALITY):
        if name in names:
            raise InputError(
                str(data.source.files[0]), f"has a column {name!r} already", "Rename that one"
            )


def _write_lines(data: MultiannotatorData, consensus: Consensus, out: Path) -> None:
    labels, quality = _of_rows(data, consensus)
    rows = [row for row, each in enumerate(labels) if each is not None]
    _refuse_taken(data, read_table_again(data.source).frame.columns)
    added: dict[str, dict[int, object]] = {
        COLUMN: {row: labels[row] for row in rows},
        QUALITY: {row: quality[row] for row in rows},
    }
    write_text(data.source, out, lambda file: jsonl.with_changes(file, added))


def _write_arrow(data: MultiannotatorData, consensus: Consensus, out: Path) -> None:
    labels, quality = _of_rows(data, consensus)
    table = parquet.read(data.source.files[0])
    _refuse_taken(data, table.column_names)
    table = table.append_column(COLUMN, pa.array(labels, type=pa.string()))
    table = table.append_column(QUALITY, pa.array(quality, type=pa.float64()))
    with replacing(out) as temporary:
        pq.write_table(table, temporary)


def _unknown(data: MultiannotatorData, consensus: Consensus, out: Path) -> None:
    raise InputError(
        str(data.source.files[0]),
        f"is {data.source.format}, to which no column can be added",
        "Take the consensus as a table",
    )


_WRITERS: dict[str, Callable[[MultiannotatorData, Consensus, Path], None]] = {
    "csv": _write_delimited,
    "tsv": _write_delimited,
    "jsonl": _write_lines,
    "parquet": _write_arrow,
}


def _with_predictions(data: MultiannotatorData, consensus: Consensus, file: TextFile) -> bytes:
    """Return JSON of Label Studio whose tasks each have the consensus as a prediction."""
    text = file.data.decode("utf-8")
    name = data.source.options.name
    to_name = data.source.options.to_name
    position = {each: at for at, each in enumerate(data.ids.tolist())}
    labels, quality = _names(data, consensus.labels), _rounded(consensus.quality)
    edits = []
    for number, (task, start, stop) in enumerate(elements(text)):
        at = position.get(str(task.get("id", number)))
        if at is None or labels[at] is None:
            continue
        own = text[start:stop]
        result = {
            "from_name": name,
            "to_name": to_name,
            "type": "choices",
            "value": {"choices": [labels[at]]},
        }
        entry = {"model_version": "goldlabel consensus", "score": quality[at], "result": [result]}
        edits.append((start, stop, _with_entry(task, own, quoted(entry, text))))
    return spliced(text, edits).encode("utf-8")


def _with_entry(task: dict[str, Any], text: str, entry: str) -> str:
    """Return the text of a task with a prediction more."""
    if isinstance(task.get("predictions"), list):
        start, stop = place(text, ("predictions",))
        return text[:start] + edited_entries(text[start:stop], {}, add=[entry]) + text[stop:]
    close = text.rindex("}")
    body = text[:close].rstrip()
    return f'{body}, "predictions": [{entry}]{text[len(body) :]}'
