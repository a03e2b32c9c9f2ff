"""Open a file of votes: find out how they lie in it, and read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.head import Head
from goldlabel.formats.known import is_label_studio
from goldlabel.formats.options import options_of
from goldlabel.formats.registry import Format, Formats
from goldlabel.formats.tables import TABLES, TableFile, table_formats
from goldlabel.formats.tables.table import check_unchanged
from goldlabel.results.audit import Source
from goldlabel.tasks.multiannotator.formats import label_studio, lines, long, wide
from goldlabel.tasks.multiannotator.formats.options import Asked, VoteOptions
from goldlabel.tasks.multiannotator.formats.raw_votes import RawVotes

__all__ = ["FORMATS", "LAYOUTS", "Asked", "open_raw_votes", "raw_votes_again"]

LAYOUTS = ("long", "wide", "lists", "counts", "prodigy", "doccano", "label_studio")
"""How votes lie in a file."""


def open_raw_votes(path: Path, asked: Asked) -> RawVotes:
    """Read the votes in whatever format they are."""
    found = _with_unique_items(_raw_votes(path, asked))
    options = options_of(found.source, VoteOptions)
    source = replace(found.source, options=replace(options, asked=asked))
    return replace(found, source=source)


def _with_unique_items(raw: RawVotes) -> RawVotes:
    """Take rows of one id for one item: two exports in one file are votes on the same items."""
    again = pd.Index(raw.items).duplicated()
    if not again.any():
        return raw
    frame = raw.frame
    if frame is not None and len(frame) == len(again):
        frame = frame[~again].reset_index(drop=True)
    note = f"{np.count_nonzero(again):,} rows name an item again: their votes are put together."
    return replace(raw, items=raw.items[~again], frame=frame, notes=[*raw.notes, note])


def raw_votes_again(source: Source) -> RawVotes:
    """Read the votes of a source as they were read before.

    Raises
    ------
    InputError
        The file has changed since.
    """
    asked = options_of(source, VoteOptions).asked
    if asked is None:
        raise InputError(
            str(source.files[0]), "was audited by another version", "Run the audit again"
        )
    found = open_raw_votes(source.files[0], asked)
    check_unchanged(source, found.source.options.sha256)
    return found


def _raw_votes(path: Path, asked: Asked) -> RawVotes:
    found = FORMATS.find(path, asked.format, encoding=_encoding(asked))
    return found.read(path, asked)


def _encoding(asked: Asked) -> str | None:
    encoding = asked.options.get("encoding")
    return encoding if isinstance(encoding, str) else None


def _read_studio(path: Path, asked: Asked) -> RawVotes:
    if Head.of(path).text.lstrip()[:1] not in ("[", "{"):  # the table that it exports
        return _in_layout("long")(path, asked)
    return label_studio.read(
        path,
        encoding=_encoding(asked),
        label=asked.columns["label"],
        positive=asked.positive,
    )


def _in_layout(layout: str) -> Callable[[Path, Asked], RawVotes]:
    """Return what reads a table of any kind in which votes lie so."""

    def read(path: Path, asked: Asked) -> RawVotes:
        reading: Any = asked.options
        kind = TABLES.find(path, encoding=reading.get("encoding"))
        return _of_table(kind.read(path, reading), layout, asked)

    return read


def _layout(table: TableFile, asked: Asked) -> str:
    """Return how votes lie in a table, by the names of its columns."""
    columns = [str(name) for name in table.frame.columns]
    if asked.annotators is not None:
        return "wide"
    if asked.columns["annotator"] is not None or long.platform(columns):
        return "long"
    if (table.source.format == "jsonl") and (found := lines.looks_like(columns)):
        return found
    if wide.looks_like_lists(table):
        return "lists"
    if wide.looks_like_counts(table):
        return "counts"
    return "long"


def _of_table(table: TableFile, layout: str | None, asked: Asked) -> RawVotes:
    if layout == "wide":
        return wide.read_wide(table, asked.item, asked.annotators)
    if layout == "lists":
        pair = wide.looks_like_lists(table)
        if pair is None:
            raise InputError(
                str(table.source.files[0]),
                "has no columns annotators and labels",
                "Name the columns of the lists so",
            )
        return wide.read_lists(table, asked.item, pair)
    if layout == "counts":
        return wide.read_counts(table, asked.item, asked.annotators)
    if layout in ("prodigy", "doccano"):
        needed = "answer" if layout == "prodigy" else "annotations"
        if needed not in table.frame:
            raise InputError(
                str(table.source.files[0]), f"has no {needed!r}, so is not of {layout}", "Check it"
            )
        read_lines: Callable[..., RawVotes] = getattr(lines, f"read_{layout}")
        return read_lines(table, positive=asked.positive)
    return long.read(table, asked.columns, positive=asked.positive)


def _reading(asked: Asked) -> Any:
    return asked.options


FORMATS: Formats[Asked, RawVotes] = Formats(
    "multiannotator",
    Format(
        "label_studio",
        "an export of Label Studio",
        is_label_studio,
        _read_studio,
        None,
        VoteOptions,
    ),
    *table_formats(
        lambda table, asked: _of_table(table, _layout(table, asked), asked),
        None,
        VoteOptions,
        reading=_reading,
    ),
    *(
        Format(layout, f"votes in {layout}", lambda head: False, _in_layout(layout))
        for layout in LAYOUTS[:-1]
    ),
)
"""Kinds of files, and layouts of tables, whose kind the content shows."""
