"""Read a table in its native format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from goldlabel.errors import InputError
from goldlabel.files import sha256
from goldlabel.formats.tables import (
    arrow,
    delimited,
    huggingface,
    jsonl,
    parquet,
)
from goldlabel.formats.text import (
    TextFile,
    check_file,
    first_bytes,
    is_folder,
    read_text,
)
from goldlabel.results.audit import Source

__all__ = [
    "FORMATS",
    "TableFile",
    "check_unchanged",
    "is_table_folder",
    "read_table",
    "read_table_again",
]

FORMATS = ("csv", "tsv", "jsonl", "parquet", "huggingface")
"""Names of the formats; "csv" is delimited text with any delimiter."""

_FOREIGN = {
    b"PK\x03\x04": ("a zip archive, perhaps an Excel sheet", "Save it as CSV, or unpack it"),
    b"\x93NUMPY": ("a NumPy array", "Name a table; arrays are for predictions"),
    b"ARROW1": ("an Arrow file", "Name the folder that save_to_disk wrote, or save as Parquet"),
    b"BZh": ("compressed with bzip2", "Decompress it, or use gzip"),
    b"\xfd7zXZ": ("compressed with xz", "Decompress it, or use gzip"),
    b"SQLite format 3": ("an SQLite database", "Save the table as CSV"),
    b"\x89HDF": ("an HDF5 file", "Save the table as CSV or Parquet"),
    b"\x80\x02": ("a pickle, which can run code when opened", "Save it as CSV or Parquet"),
    b"\x80\x03": ("a pickle, which can run code when opened", "Save it as CSV or Parquet"),
    b"\x80\x04": ("a pickle, which can run code when opened", "Save it as CSV or Parquet"),
    b"\x80\x05": ("a pickle, which can run code when opened", "Save it as CSV or Parquet"),
}


@dataclass(frozen=True, eq=False)
class TableFile:
    """A table, and all that is needed to read it again.

    Attributes
    ----------
    frame : DataFrame
        Rows in the order of the file, with a plain index 0 .. n-1. Columns of delimited text hold
        text exactly as written: nothing is taken for a number or for missing.
    source : Source
        Format, file and options, resolved: reading with them needs no guess.
    notes : tuple of str
        What was recognised, a sentence each.
    categories : mapping of str to tuple of str
        Class names of the columns whose type lists them: ClassLabel of Hugging Face (whose values
        are positions in the list), categoricals of pandas.
    coded : frozenset of str
        Columns of `categories` whose values are positions (ClassLabel).
    """

    frame: pd.DataFrame
    source: Source
    notes: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    coded: frozenset[str] = frozenset()


def read_table(
    path: str | Path,
    *,
    format: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    quote: str = '"',
    header: bool | None = None,
    split: str | None = None,
) -> TableFile:
    r"""Read CSV, TSV, JSON Lines, Parquet, or a Hugging Face dataset saved to disk.

    Text may be compressed with gzip or zstd. The format is recognised from the content.

    Parameters
    ----------
    path : str or Path
        A file, or the folder of a Hugging Face dataset.
    format : {"csv", "tsv", "jsonl", "parquet", "huggingface"}, optional
        Taken instead of what the content looks like.
    encoding : str, optional
        Of text; if not given, what the byte-order mark says, else UTF-8.
    delimiter : str, optional
        Of "csv"; if not given, comma, tab, semicolon or bar, whichever splits the rows evenly.
    quote : str
        Of "csv"; "" where quotes mean nothing.
    header : bool, optional
        Of "csv": whether the first row names the columns. Without names the columns are called
        "0", "1", ... If not given: True, unless the first row holds a number.
    split : str, optional
        Which dataset of a Hugging Face dictionary of datasets.

    Returns
    -------
    TableFile

    Raises
    ------
    InputError
        The file can't be read, or is not what it should be; says which row, line and column.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "reviews.csv")
    >>> _ = path.write_text("id;label\n001;good\n002;bad\n")
    >>> table = read_table(path)
    >>> table.frame["id"].tolist()
    ['001', '002']
    >>> table.notes[0]
    'Read reviews.csv as delimited text: semicolon, UTF-8, the first row is the header; 2 rows, columns id, label.'
    """  # noqa: E501
    path = Path(path)
    if format is not None and format not in FORMATS:
        raise InputError("format", f"is {format!r}, not one of {', '.join(FORMATS)}", "Use one")
    if is_folder(path):
        return _read_folder(path, format, split)
    if split is not None:
        raise InputError(str(path), f"has no splits, so no {split!r}", "Leave out split")
    head = first_bytes(check_file(path))
    if format == "parquet" or (format is None and head.startswith(b"PAR1")):
        return _read_parquet(path)
    for magic, (what, fix) in _FOREIGN.items():
        if head.startswith(magic):
            raise InputError(str(path), f"is {what}", fix)
    file = read_text(path, encoding=encoding)
    if format == "jsonl" or (format is None and _is_jsonl(file)):
        return _read_jsonl(file)
    delimiter = "\t" if format == "tsv" and delimiter is None else delimiter
    return _read_delimited(file, delimiter, quote, header)


def read_table_again(source: Source) -> TableFile:
    """Read the table of a source as it was read before, without guessing anything.

    Raises
    ------
    InputError
        The table has changed since.
    """
    told = ("encoding", "delimiter", "quote", "header", "split")
    options = {name: source.options[name] for name in told if name in source.options}
    table = read_table(source.files[0], format=source.format, **options)
    check_unchanged(source, table.source.options["sha256"])
    return table


def is_table_folder(path: Path) -> bool:
    """Return whether a folder is a table: a Hugging Face dataset saved to disk."""
    return huggingface.is_dataset(path)


def _is_jsonl(file: TextFile) -> bool:
    begin = file.data[:4096].lstrip()[:1]
    names_json = ".json" in file.path.name.lower()
    if begin == b"[" and names_json:
        raise InputError(
            str(file.path),
            "is one JSON array, and JSON Lines is expected",
            "Write one object on each line, e.g. with jq -c '.[]'",
        )
    return begin == b"{" and (names_json or jsonl.looks_like(file.data))


def _read_folder(path: Path, format: str | None, split: str | None) -> TableFile:
    if format not in (None, "huggingface") or not huggingface.is_dataset(path):
        raise InputError(
            str(path),
            "is a folder, and no Hugging Face dataset saved to disk",
            "Name a file, or a folder with dataset_info.json or state.json",
        )
    dataset = huggingface.open_dataset(path, split=split)
    table, names = huggingface.read(dataset)
    frame = arrow.as_frame(table, path)
    options = {"split": dataset.split, "rows": len(frame), "sha256": dataset.sha256}
    source = Source("huggingface", (path,), options)
    chosen = f", split {dataset.split}" if dataset.split else ""
    note = f"Read {path.name} as a Hugging Face dataset{chosen}: {_size(frame)}."
    return TableFile(frame, source, (note,), names, frozenset(names))


def _read_parquet(path: Path) -> TableFile:
    table = parquet.read(path)
    frame = arrow.as_frame(table, path)
    source = Source("parquet", (path,), {"rows": len(frame), "sha256": sha256(path)})
    note = f"Read {path.name} as Parquet: {_size(frame)}."
    coded = frozenset(arrow.class_names(table.schema))
    return TableFile(frame, source, (note,), parquet.categories(table), coded)


def _read_jsonl(file: TextFile) -> TableFile:
    frame = jsonl.read(file)
    options = {"encoding": file.encoding, "rows": len(frame), "sha256": file.sha256}
    note = f"Read {file.path.name} as JSON Lines, {file.description}: {_size(frame)}."
    return TableFile(frame, Source("jsonl", (file.path,), options), (note,))


def _read_delimited(
    file: TextFile, delimiter: str | None, quote: str, header: bool | None
) -> TableFile:
    scanned = delimited.scan(file, delimiter=delimiter, quote=quote, header=header)
    frame = arrow.as_frame(scanned.table(), file.path)
    options = {
        "encoding": file.encoding,
        "delimiter": scanned.delimiter,
        "quote": scanned.quote,
        "header": scanned.header,
        "rows": len(frame),
        "sha256": file.sha256,
    }
    format = "tsv" if scanned.delimiter == "\t" else "csv"
    return TableFile(frame, Source(format, (file.path,), options), (scanned.note,))


def _size(frame: pd.DataFrame) -> str:
    shown = [str(name) for name in frame.columns[:8]]
    more = f" and {frame.shape[1] - 8:,} more" if frame.shape[1] > 8 else ""
    return f"{len(frame):,} rows, columns {', '.join(shown)}{more}"


def check_unchanged(source: Source, found: str) -> None:
    """Refuse a file whose hash is not the one that it had when it was read."""
    if source.options.get("sha256", found) != found:
        raise InputError(
            str(source.files[0]),
            "has changed since it was audited, so its rows may be others",
            "Audit it again, or bring the old file back",
        )
