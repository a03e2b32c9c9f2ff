"""Tables with a list of words and a list of tags in each row: JSON Lines, Parquet, Hugging Face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.json.text import elements, quoted, spliced
from goldlabel.formats.options import extended, options_of
from goldlabel.formats.tables import TableFile, read_table_again, table_formats, write_column
from goldlabel.formats.tables.roles import id_column
from goldlabel.formats.tables.roles import ids as ids_of
from goldlabel.inputs.labels import FEW_UNKNOWN
from goldlabel.results.audit import Source
from goldlabel.tasks.token.data import OTHER_LENGTH, BadLabel
from goldlabel.tasks.token.formats.options import Asked, ListOptions
from goldlabel.tasks.token.formats.recognising import is_rows
from goldlabel.tasks.token.formats.sentences import Changes, TaggedSentences

__all__ = ["FORMATS", "TAGS", "TOKENS"]

TOKENS = ("tokens", "words", "token", "text_tokens")
TAGS = ("ner_tags", "tags", "labels", "ner", "bio_tags", "ner_labels", "pos_tags", "label")
"""What such columns are called, in this order."""


def _read(table: TableFile, asked: Asked) -> TaggedSentences:
    """Read a table.

    Raises
    ------
    InputError
        There are no such columns, or a row has another number of words than tags.
    """
    path = table.source.files[0]
    words_in = _column(table, asked.tokens, TOKENS, "tokens")
    tags_in = _column(table, asked.tags, TAGS, "tags")
    names = table.categories.get(tags_in) if tags_in in table.coded else None
    lists = [_listed(value, path, words_in, row) for row, value in enumerate(table.frame[words_in])]
    if asked.tokens is None:
        _check_words(path, words_in, lists)
    given = [_listed(value, path, tags_in, row) for row, value in enumerate(table.frame[tags_in])]
    given, bad = _of_equal_length(lists, given, path, (words_in, tags_in))
    lengths = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
    flat, values = _named(given, names or asked.classes, f"{path}: column {tags_in!r}")
    id_name, id_note = id_column(table, asked.id)
    options = extended(ListOptions, table.source, tokens=words_in, tags=tags_in, values=values)
    notes = [*table.notes, f"Words from column {words_in!r}, tags from {tags_in!r}."]
    return TaggedSentences(
        tokens=[str(word) for words in lists for word in words],
        tags=flat,
        offsets=np.append(0, np.cumsum(lengths)).astype(np.int64),
        source=Source(table.source.format, table.source.files, options),
        notes=notes + ([id_note] if id_note else []),
        ids=ids_of(table, id_name),
        listed=names,
        bad=tuple(bad),
    )


def _check_words(path: Path, column: str, lists: Sequence[Sequence[Any]]) -> None:
    """Refuse a column of numbers: numbers of tokens, or of pieces of words in a vocabulary."""
    words = [word for each in lists for word in each]
    if words and all(isinstance(word, int | float) for word in words):
        raise InputError(
            f"{path}: column {column!r}",
            f"holds numbers such as {words[0]}, no words",
            "Name the column of the words with the option tokens",
        )


def _of_equal_length(
    lists: Sequence[list[Any]], given: Sequence[list[Any]], path: Path, columns: tuple[str, str]
) -> tuple[list[list[Any]], list[BadLabel]]:
    """Return a tag for each word; where few rows have others, theirs are not known."""
    wrong = [
        row
        for row, pair in enumerate(zip(lists, given, strict=True))
        if len(set(map(len, pair))) > 1
    ]
    if not wrong:
        return list(given), []
    words, tags = columns
    texts = [
        f"{len(lists[row])} words in {words!r}, {len(given[row])} tags in {tags!r}" for row in wrong
    ]
    if len(wrong) >= FEW_UNKNOWN * len(lists):
        raise InputError(
            f"{path}: row {wrong[0] + 1}",
            f"has {texts[0]} ({len(wrong):,} such rows)",
            "Give each word a tag",
        )
    mended = list(given)
    for row in wrong:
        mended[row] = [None] * len(lists[row])
    bad = [
        BadLabel(row, 0, len(lists[row]), OTHER_LENGTH, text)
        for row, text in zip(wrong, texts, strict=True)
    ]
    return mended, bad


def _column(table: TableFile, asked: str | None, usual: tuple[str, ...], what: str) -> str:
    names = [str(name) for name in table.frame.columns]
    if asked is not None and asked in names:
        return asked
    found = [name for name in usual if name in names and _holds_lists(table.frame[name])]
    if asked is None and found:
        return found[0]
    said = f"no column {asked!r}" if asked is not None else f"no column of lists called {usual[0]}"
    raise InputError(
        str(table.source.files[0]),
        f"has {said}, only {', '.join(names[:20])}",
        f"Say which column holds the {what}, with the option {what}",
    )


def _holds_lists(column: pd.Series[Any]) -> bool:
    first = next((value for value in column if value is not None), None)
    return isinstance(first, list | np.ndarray)


def _listed(value: Any, path: Path, column: str, row: int) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return list(value.tolist())
    raise InputError(
        f"{path}: row {row + 1}, column {column!r}",
        f"is {value!r:.60}, no list",
        "Give a list with an entry for each word",
    )


def _named(
    given: list[list[Any]], names: tuple[str, ...] | None, where: str
) -> tuple[list[str | None], dict[str, Any] | None]:
    """Return tags as text, and what the file holds for each; None where that is the text."""
    known = [tag for tags in given for tag in tags if tag is not None]
    of_text, of_numbers = (
        sum(type(tag) is kind for tag in known) > (1 - FEW_UNKNOWN) * len(known)
        for kind in (str, int)
    )
    if of_text or not known:  # anything else in between is a slip
        return [None if tag is None else str(tag) for tags in given for tag in tags], None
    if not of_numbers:
        row, value = next(
            (row, value) for row, tags in enumerate(given) for value in tags
            if type(value) not in (str, type(None))
        )  # fmt: skip
        raise InputError(
            f"{where}, row {row + 1}",
            f"holds {value!r:.60}",
            "Use only text, or only whole numbers",
        )
    flat: list[str | None] = []
    for tags in given:
        for value in tags:
            if value is None or (type(value) is int and value in (-1, -100)):
                flat.append(None)
            elif names is not None and type(value) is int and 0 <= value < len(names):
                flat.append(names[value])
            else:  # a number without a name, which is a slip where numbers have names
                flat.append(str(value))
    held = sorted({value for tags in given for value in tags if type(value) is int})
    values = {str(value): value for value in held} if names is None else {
        name: at for at, name in enumerate(names)
    }  # fmt: skip
    return flat, values


def _export(source: Source, changes: Changes, out: Path) -> None:
    """Write the table with some tags replaced, and everything else as it was."""
    options = options_of(source, ListOptions)
    values = options.values

    def held(tag: str | None) -> Any:
        if tag is None or values is None:
            return tag
        if tag not in values:
            raise InputError(
                str(source.files[0]), f"can't hold the tag {tag!r}: it has numbers", "Name all"
            )
        return values[tag]

    where = str(source.files[0])
    new = {
        sentence: _NewTags(
            f"{where}: row {sentence + 1}",
            {at: held(change.new[at]) for at in change.changed},
            [held(tag) for tag in change.new],
        )
        for sentence, change in changes.items()
    }
    rows: dict[int, object] = {}
    if source.format == "jsonl":
        rows |= {sentence: each.in_text for sentence, each in new.items()}
    elif new:
        column = read_table_again(source).frame[options.tags]
        rows |= {sentence: each.in_list(list(column.iloc[sentence])) for sentence, each in
                 new.items()}  # fmt: skip
    write_column(source, options.tags, rows, out)


class _NewTags(NamedTuple):
    """New tags of a row: those that change by position, and all of them."""

    where: str
    changed: dict[int, Any]
    every: list[Any]

    def in_text(self, text: str) -> str:
        """Put the changed ones into the text of a JSON list, and leave the others alone."""
        places = list(elements(text))
        if len(places) != len(self.every):
            return quoted(self._whole(), text)
        return spliced(
            text, [(*places[at][1:], quoted(tag, text)) for at, tag in self.changed.items()]
        )

    def in_list(self, tags: list[Any]) -> list[Any]:
        """Return the whole new list: Arrow has no smaller change."""
        if len(tags) != len(self.every):
            return self._whole()
        mixed = [self.changed.get(at, tag) for at, tag in enumerate(tags)]
        return [each.item() if hasattr(each, "item") else each for each in mixed]

    def _whole(self) -> list[Any]:
        """Return all tags, of a row that had not one for each word."""
        if None in self.every:
            raise InputError(
                self.where, "has not a tag for each word, and not all are decided", "Decide all"
            )
        return self.every


FORMATS = tuple(
    replace(each, looks_like=is_rows) if each.name == "jsonl" else each
    for each in table_formats(
        _read,
        _export,
        ListOptions,
        reading=lambda asked: {"encoding": asked.encoding, "split": asked.split},
        but=("csv", "tsv"),
    )
)
"""JSON Lines, Parquet, Hugging Face."""
