"""Tables with a row for each item: a column for each annotator, lists, or counts of votes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.json.text import elements
from goldlabel.formats.options import extended
from goldlabel.formats.tables import TableFile, write_columns
from goldlabel.models.columns import column_kind, numbers
from goldlabel.results.audit import Source
from goldlabel.tasks.multiannotator.formats.labels import NONE, WORDS, plain_number
from goldlabel.tasks.multiannotator.formats.options import VoteOptions
from goldlabel.tasks.multiannotator.formats.raw_votes import RawVotes, as_names, is_missing
from goldlabel.tasks.multiannotator.formats.roles import NAMES

__all__ = ["export_lists", "export_wide", "looks_like_counts", "looks_like_lists"]
__all__ += ["read_counts", "read_lists", "read_wide"]

_LISTS = (
    ("annotators", "labels"),
    ("workers", "labels"),
    ("annotators", "answers"),
    ("workers", "answers"),
    ("annotator_ids", "labels"),
    ("worker_ids", "labels"),
)
_COUNT = re.compile(r"(?:count|counts|n|votes|num)[_:. ](.+)|(.+)[_:. ](?:count|votes)", re.I)
_SEPARATORS = ("|", ";", ",", " ")


def _items(table: TableFile, item: str | None, others: Sequence[str]) -> tuple[str | None, Any]:
    """Return the column of items, and their names; row numbers where there is none."""
    path, columns = table.source.files[0], [str(name) for name in table.frame.columns]
    if item is not None and item not in columns:
        raise InputError(f"{path}: column {item!r}", "is not there", "Correct the option item")
    if item is None:
        usual = [name for name in columns if name.lower() in NAMES["item"] and name not in others]
        item = usual[0] if usual and not table.frame[usual[0]].duplicated().any() else None
    if item is None:
        return None, as_names(np.arange(len(table.frame)))
    names = as_names(table.frame[item])
    twice = np.flatnonzero(pd.Index(names).duplicated())
    if twice.size:
        raise InputError(
            f"{path}: row {twice[0] + 1}, column {item!r}",
            f"is {names[twice[0]]!r} again ({twice.size:,} such)",
            "Give each item one row; a row for each vote is the format long",
        )
    return item, names


def _said(table: TableFile, item: str | None, what: str) -> list[str]:
    name = "rows are numbered" if item is None else f"items are named by {item!r}"
    return [*table.notes, f"Taken for {what}; {name}."]


# A column for each annotator


def read_wide(table: TableFile, item: str | None, annotators: Sequence[str] | None) -> RawVotes:
    """Read a table with a column for each annotator, empty where they have not labelled an item.

    Empty is "" and null, and -1 where all labels are whole numbers; of words such as NA, `labels`
    decides.
    """
    path = table.source.files[0]
    frame = table.frame.set_axis([str(name) for name in table.frame.columns], axis=1)
    missing = [name for name in annotators or () if name not in frame]
    if missing:
        raise InputError(
            f"{path}: column {missing[0]!r}", "is not there", "Correct the option annotators"
        )
    item, names = _items(table, item, annotators or ())
    people = [name for name in frame if name != item] if annotators is None else list(annotators)
    if not people:
        raise InputError(str(path), "has no column of an annotator", "Name them")
    numbered = all(_is_numbered(frame[name]) for name in people)
    votes = [np.flatnonzero(~is_missing(frame[name], numbered=numbered)) for name in people]
    rows = np.concatenate(votes)
    column = np.repeat(np.arange(len(people)), [len(each) for each in votes])
    labels = [frame[name].iloc[each] for name, each in zip(people, votes, strict=True)]
    label = pd.concat(labels, ignore_index=True) if len(rows) else pd.Series(dtype=object)
    if (
        label.dtype.kind == "f"
        and (np.abs(label) < 1e15).all()
        and (label == np.floor(label)).all()
    ):
        label = label.astype(np.int64)
    options = extended(
        VoteOptions, table.source, layout="wide", annotators=tuple(people), item=item
    )
    return RawVotes(
        item=names[rows],
        annotator=np.array(people, dtype=object)[column],
        label=label,
        items=names,
        place=np.column_stack([rows, column]),
        source=replace(table.source, options=options),
        where=f"{path}: votes",
        notes=_said(table, item, f"a column for each of {len(people):,} annotators"),
        frame=frame.drop(columns=[name for name in (item, *people) if name is not None]),
        has_cells=True,
        has_empty=any(bool(is_missing(frame[name]).any()) for name in people),
    )


def _is_numbered(column: pd.Series[Any]) -> bool:
    """Return whether labels are whole numbers, so that -1 among them is none."""
    if column.dtype.kind in "iuf":
        return True
    there = column[~is_missing(column)].astype(str)
    words = there.str.strip().str.lower().isin([*WORDS, NONE])
    return bool(there[~words].str.fullmatch(r"\s*-?\d+(\.0+)?\s*").all())


def export_wide(source: Source, changes: Mapping[tuple[int, ...], object], out: Path) -> None:
    """Write the table again with some votes changed, numbers as their column writes them."""
    by_column: dict[str, dict[int, object]] = {}
    for (row, column), value in changes.items():
        by_column.setdefault(source.options.annotators[column], {})[row] = value
    frame = table_again(source) if by_column else pd.DataFrame()
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    for name, values in by_column.items():
        spelled = _Spelling(frame[name])
        by_column[name] = {row: spelled(value) for row, value in values.items()}
    write_columns(source, by_column, out)


class _Spelling:
    """How a column writes labels: numbers of whole ones as 1, or as 1.0 where it has gaps."""

    def __init__(self, column: pd.Series[Any]) -> None:
        self._is_float = column.dtype.kind == "f"
        texts = [each for each in pd.unique(column) if isinstance(each, str) and each.strip()]
        self._known = {plain_number(each): each.strip() for each in texts}
        written = [text for plain, text in self._known.items() if plain_number(text) != text]
        self._ending = ".0" if written and all(text.endswith(".0") for text in written) else ""

    def __call__(self, value: object) -> object:
        if self._is_float:
            return float(str(value))
        if not isinstance(value, str):
            return value
        plain = plain_number(value)
        if plain in self._known:
            return self._known[plain]
        return plain + self._ending if self._ending and plain.lstrip("-").isdecimal() else value


# Lists


def looks_like_lists(table: TableFile) -> tuple[str, str] | None:
    """Return the columns of annotators and labels if they hold lists."""
    lower = {str(name).lower(): str(name) for name in table.frame.columns}
    for people, labels in _LISTS:
        if people in lower and labels in lower:
            return lower[people], lower[labels]
    return None


def read_lists(table: TableFile, item: str | None, pair: tuple[str, str]) -> RawVotes:
    """Read a table whose rows list annotators and their labels."""
    path = table.source.files[0]
    item, names = _items(table, item, pair)
    people, labels = ([_listed(value) for value in table.frame[name]] for name in pair)
    notes = _said(table, item, f"lists of annotators in {pair[0]!r} and labels in {pair[1]!r}")
    _leave_uneven(table, pair, people, labels, notes)
    lengths = [len(entries) for entries, _ in labels]
    rows = np.repeat(np.arange(len(names)), lengths)
    within = np.concatenate([np.arange(length) for length in [*lengths, 0]]).astype(np.int64)
    flat = pd.Series([value for entries, _ in labels for value in entries], dtype=object)
    flat = flat.infer_objects()
    there = ~is_missing(flat)
    who_flat = as_names([name for entries, _ in people for name in entries])
    styles = [style for _, style in labels if style]
    options = extended(
        VoteOptions,
        table.source,
        layout="lists",
        column=pair[1],
        item=item,
        style=styles[0] if styles else "",
    )
    return RawVotes(
        item=names[rows[there]],
        annotator=who_flat[there],
        label=flat[there].reset_index(drop=True),
        items=names,
        place=np.column_stack([rows, within])[there],
        source=replace(table.source, options=options),
        where=f"{path}: column {pair[1]!r}",
        notes=notes,
        frame=table.frame.drop(columns=[name for name in (item, *pair) if name is not None]),
    )


_Listed = tuple[list[Any], str]


def _leave_uneven(
    table: TableFile,
    pair: tuple[str, str],
    people: list[_Listed],
    labels: list[_Listed],
    notes: list[str],
) -> None:
    """Empty the lists of rows where it is not known whose label is which, in place; say it."""
    uneven = [
        row
        for row, (who, what) in enumerate(zip(people, labels, strict=True))
        if len(who[0]) != len(what[0])
    ]
    if not uneven:
        return
    row = uneven[0]
    what = f"has {len(people[row][0])} {pair[0]} and {len(labels[row][0])} {pair[1]}"
    if len(uneven) > len(labels) // 2:
        raise InputError(
            f"{table.source.files[0]}: row {row + 1}", what, "List one label for each annotator"
        )
    notes.append(f"{len(uneven):,} rows left out; the first, row {row + 1}, {what}.")
    for row in uneven:
        people[row], labels[row] = ([], people[row][1]), ([], labels[row][1])


def _listed(value: Any) -> tuple[list[Any], str]:
    """Return the entries of a cell, and how they are written: "", "json" or a separator."""
    if isinstance(value, list | tuple | np.ndarray):
        return [each.item() if hasattr(each, "item") else each for each in value], ""
    if not isinstance(value, str) or not value.strip():
        return [], ""
    if value.strip().startswith("["):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, list):
            return found, "json"
    separator = next((each for each in _SEPARATORS if each in value), "|")
    return [each.strip() for each in value.split(separator)], separator


def export_lists(source: Source, changes: Mapping[tuple[int, ...], object], out: Path) -> None:
    """Write the table again with some entries of its lists changed."""
    by_row: dict[int, dict[int, object]] = {}
    for (row, at), value in changes.items():
        by_row.setdefault(row, {})[at] = value
    column = source.options.column
    if not by_row:
        write_columns(source, {}, out)
        return
    old = table_again(source)[column]
    new: dict[int, object] = {}
    for row, entries in by_row.items():
        if source.format == "jsonl" and not isinstance(old.iloc[row], str):
            new[row] = _json_editor(entries)
        else:
            new[row] = _changed_cell(old.iloc[row], entries)
    write_columns(source, {column: new}, out)


def table_again(source: Source) -> pd.DataFrame:
    """Return the frame of a table that was read before."""
    from goldlabel.formats.tables import read_table_again

    return read_table_again(source).frame


def _json_editor(entries: Mapping[int, object]) -> Callable[[str], str]:
    """Return what changes some entries of a list in JSON text, and nothing around them."""

    def edited(text: str) -> str:
        for at, (_, start, stop) in reversed(list(enumerate(elements(text)))):
            if at in entries:
                text = text[:start] + json.dumps(entries[at]) + text[stop:]
        return text

    return edited


def _changed_cell(value: Any, entries: Mapping[int, object]) -> object:
    if not isinstance(value, str):
        listed, _ = _listed(value)
        return [entries.get(at, each) for at, each in enumerate(listed)]
    if value.strip().startswith("["):
        return _json_editor(entries)(value)
    _, separator = _listed(value)
    pieces = value.split(separator)
    for at, new in entries.items():
        pieces[at] = pieces[at].replace(pieces[at].strip(), str(new), 1)
    return separator.join(pieces)


# Counts


def looks_like_counts(table: TableFile) -> list[str]:
    """Return the columns that hold how many voted for each class, by their names."""
    names = [str(name) for name in table.frame.columns]
    found = [name for name in names if _COUNT.fullmatch(name)]
    return found if len(found) > 1 and len(names) - len(found) <= 2 else []


def read_counts(table: TableFile, item: str | None, columns: Sequence[str] | None) -> RawVotes:
    """Read a table of items by classes that says how many voted for what, but not who."""
    path = table.source.files[0]
    given = list(columns or looks_like_counts(table))
    item, names = _items(table, item, given)
    if not given:
        given = [str(name) for name in table.frame.columns if str(name) != item]
    counts = np.column_stack([_counts(table, name, path) for name in given])
    classes = [_class_of(name) for name in given]
    rows, codes = np.nonzero(counts)
    times = counts[rows, codes]
    each = np.repeat(np.arange(len(rows)), times)
    rows, codes = rows[each], codes[each]
    first = np.concatenate([[0], np.cumsum(counts.sum(axis=1))])[rows]
    place = np.arange(len(rows)) - first
    note = "Votes without names: what depends on who voted is left out."
    return RawVotes(
        item=names[rows],
        annotator=as_names(place),
        label=pd.Series(np.array(classes, dtype=object)[codes]),
        items=names,
        place=np.column_stack([rows, codes]),
        source=replace(table.source, options=extended(VoteOptions, table.source, layout="counts")),
        where=f"{path}: counts",
        notes=[*_said(table, item, f"counts of votes for {len(given)} classes"), note],
        listed=tuple(classes),
        frame=table.frame.drop(columns=[name for name in (item, *given) if name is not None]),
        has_identities=False,
    )


def _class_of(name: str) -> str:
    found = _COUNT.fullmatch(name)
    return name if found is None else (found[1] or found[2])


def _counts(table: TableFile, name: str, path: Path) -> np.ndarray[Any, np.dtype[np.int64]]:
    if name not in table.frame:
        raise InputError(f"{path}: column {name!r}", "is not there", "Correct the name")
    column = table.frame[name]
    found = numbers(column, column_kind(column))
    words = column.astype(str).str.strip().str.lower().isin([*WORDS, NONE]).to_numpy()
    found = np.where(is_missing(column) | words, 0.0, found)
    bad = np.flatnonzero(~(found >= 0) | (found != np.floor(found)) | (found > 1e6))
    if bad.size:
        raise InputError(
            f"{path}: row {bad[0] + 1}, column {name!r}",
            f"is {column.iloc[bad[0]]!r}, no count of votes ({bad.size:,} such)",
            "Write whole numbers from 0",
        )
    return found.astype(np.int64)
