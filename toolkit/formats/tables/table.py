"""Read a table in its native format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack

import pandas as pd

from goldlabel.errors import InputError
from goldlabel.files import sha256
from goldlabel.formats.head import Head
from goldlabel.formats.known import is_one_document, is_parquet
from goldlabel.formats.options import options_of
from goldlabel.formats.reading import TableReading
from goldlabel.formats.registry import Export, Format, Formats
from goldlabel.formats.tables import (
    arrow,
    delimited,
    huggingface,
    jsonl,
    parquet,
)
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source

__all__ = [
    "FORMATS",
    "TABLES",
    "TableFile",
    "TableKeys",
    "TableOptions",
    "check_unchanged",
    "read_table",
    "read_table_again",
    "table_formats",
]

Asked = TypeVar("Asked")
Document = TypeVar("Document")


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """All that is needed to read a table again without a guess.

    Attributes
    ----------
    encoding, delimiter, quote, header, split
        As for `read_table`, resolved; None where the format has no such thing.
    rows : int
    sha256 : str
        Of what was read; "" where that is not known.
    """

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    header: bool | None = None
    split: str | None = None
    rows: int | None = None
    sha256: str = ""

    def keys(self) -> list[str]:
        """Name the options that there are."""
        return [each.name for each in fields(self) if getattr(self, each.name) is not None]

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


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
    path: str | Path, *, format: str | None = None, **reading: Unpack[TableReading]
) -> TableFile:
    r"""Read CSV, TSV, JSON Lines, Parquet, or a Hugging Face dataset saved to disk.

    Text may be compressed with gzip or zstd. The format is recognised from the content.

    Parameters
    ----------
    path : str or Path
        A file, or the folder of a Hugging Face dataset.
    format : {"csv", "tsv", "jsonl", "parquet", "huggingface"}, optional
        Taken instead of what the content looks like.
    **reading
        See `goldlabel.formats.reading.TableReading`. Without a header the columns are called "0",
        "1", ...; unless `header` says so, the first row is one if it holds no number.

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
    found = TABLES.find(path, format, encoding=reading.get("encoding"))
    return found.read(path, reading)


class TableKeys(TypedDict, total=False):
    """`TableOptions` as keys, for formats whose options are a mapping."""

    encoding: str
    delimiter: str
    quote: str
    header: bool
    split: str
    rows: int
    sha256: str


def table_options(source: Source) -> TableOptions:
    """Return what is needed to read the table of a source, of whatever task it is."""
    if isinstance(source.options, Mapping):
        known = {each.name for each in fields(TableOptions)}
        kept = {name: value for name, value in source.options.items() if name in known}
        source = replace(source, options=kept)
    return options_of(source, TableOptions)


def read_table_again(source: Source) -> TableFile:
    """Read the table of a source as it was read before, without guessing anything.

    Raises
    ------
    InputError
        The table has changed since.
    """
    options = table_options(source)
    table = TABLES.named(source.format).read(
        source.files[0],
        {
            "encoding": options.encoding,
            "delimiter": options.delimiter,
            "quote": options.quote,
            "header": options.header,
            "split": options.split,
        },
    )
    check_unchanged(source, options_of(table.source, TableOptions).sha256)
    return table


def _read_dataset(path: Path, reading: TableReading) -> TableFile:
    if not huggingface.is_dataset(path):
        raise InputError(
            str(path),
            "is a folder, and no Hugging Face dataset saved to disk",
            "Name a file, or a folder with dataset_info.json or state.json",
        )
    dataset = huggingface.open_dataset(path, split=reading.get("split"))
    table, names = huggingface.read(dataset)
    frame = arrow.as_frame(table, path)
    options = TableOptions(split=dataset.split, rows=len(frame), sha256=dataset.sha256)
    source = Source("huggingface", (path,), options)
    chosen = f", split {dataset.split}" if dataset.split else ""
    note = f"Read {path.name} as a Hugging Face dataset{chosen}: {_size(frame)}."
    return TableFile(frame, source, (note,), names, frozenset(names))


def _read_parquet(path: Path, reading: TableReading) -> TableFile:
    _refuse_split(path, reading)
    table = parquet.read(path)
    frame = arrow.as_frame(table, path)
    source = Source("parquet", (path,), TableOptions(rows=len(frame), sha256=sha256(path)))
    note = f"Read {path.name} as Parquet: {_size(frame)}."
    coded = frozenset(arrow.class_names(table.schema))
    return TableFile(frame, source, (note,), parquet.categories(table), coded)


def _read_jsonl(path: Path, reading: TableReading) -> TableFile:
    file = _text(path, reading)
    frame = jsonl.read(file)
    options = TableOptions(encoding=file.encoding, rows=len(frame), sha256=file.sha256)
    note = f"Read {file.path.name} as JSON Lines, {file.description}: {_size(frame)}."
    return TableFile(frame, Source("jsonl", (file.path,), options), (note,))


def _read_delimited(path: Path, reading: TableReading) -> TableFile:
    file = _text(path, reading)
    quote = reading.get("quote")
    scanned = delimited.scan(
        file,
        delimiter=reading.get("delimiter"),
        quote='"' if quote is None else quote,
        header=reading.get("header"),
    )
    frame = arrow.as_frame(scanned.table(), file.path)
    options = TableOptions(
        encoding=file.encoding,
        delimiter=scanned.delimiter,
        quote=scanned.quote,
        header=scanned.header,
        rows=len(frame),
        sha256=file.sha256,
    )
    format = "tsv" if scanned.delimiter == "\t" else "csv"
    return TableFile(frame, Source(format, (file.path,), options), (scanned.note,))


def _read_tabs(path: Path, reading: TableReading) -> TableFile:
    if reading.get("delimiter") is None:
        reading = {**reading, "delimiter": "\t"}
    return _read_delimited(path, reading)


def _text(path: Path, reading: TableReading) -> TextFile:
    _refuse_split(path, reading)
    return read_text(path, encoding=reading.get("encoding"))


def _refuse_split(path: Path, reading: TableReading) -> None:
    if reading.get("split") is not None:
        raise InputError(str(path), f"has no splits, so no {reading['split']!r}", "Leave out split")


def _is_jsonl(head: Head) -> bool:
    if head.text.lstrip()[:1] != "{" or is_one_document(head):
        return False
    return head.is_json_lines or ".json" in head.path.name.lower()


def _size(frame: pd.DataFrame) -> str:
    shown = [str(name) for name in frame.columns[:8]]
    more = f" and {frame.shape[1] - 8:,} more" if frame.shape[1] > 8 else ""
    return f"{len(frame):,} rows, columns {', '.join(shown)}{more}"


TABLES: Formats[TableReading, TableFile] = Formats(
    "table",
    Format("csv", "delimited text", None, _read_delimited),
    Format("tsv", "text with tabs", lambda head: False, _read_tabs),
    Format("jsonl", "JSON Lines", _is_jsonl, _read_jsonl),
    Format("parquet", "Parquet", is_parquet, _read_parquet),
    Format(
        "huggingface",
        "a Hugging Face dataset saved to disk",
        lambda head: huggingface.is_dataset(head.path),
        _read_dataset,
        is_folder=True,
    ),
)
"""The formats of tables; "csv" is delimited text with any delimiter."""

FORMATS = tuple(each.name for each in TABLES.own)
"""Names of the formats of tables."""


def table_formats(
    read: Callable[[TableFile, Asked], Document],
    export: Export | None,
    options: type[Any],
    *,
    reading: Callable[[Asked], TableReading],
    but: Sequence[str] = (),
) -> tuple[Format[Asked, Document], ...]:
    """Return the formats of tables as formats of a task.

    Parameters
    ----------
    read : callable
        An open table and what the caller asked for -> a document.
    export, options
        Of all of them, as for `Format`.
    reading : callable
        What the caller asked for -> what is said of the table.
    but : sequence of str
        Formats that are none of the task.
    """

    def reader(of_table: Format[TableReading, TableFile]) -> Callable[[Path, Asked], Document]:
        return lambda path, asked: read(of_table.read(path, reading(asked)), asked)

    return tuple(
        replace(each, read=reader(each), export=export, options=options)  # type: ignore[arg-type, misc]
        for each in TABLES.own
        if each.name not in but
    )


def check_unchanged(source: Source, found: str) -> None:
    """Refuse a file whose hash is not the one that it had when it was read."""
    known = _sha256_of(source)
    if known and known != found:
        raise InputError(
            str(source.files[0]),
            "has changed since it was audited, so its rows may be others",
            "Audit it again, or bring the old file back",
        )


def _sha256_of(source: Source) -> str:
    """Return the hash of the options, a dataclass or what was read back; "" where there is none."""
    options: Any = source.options
    known = options.get("sha256") if isinstance(options, Mapping) else options.sha256
    return known if isinstance(known, str) else ""
