"""Tables with a list of words and a list of tags in each row: JSON Lines, Parquet, Hugging Face."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.json.text import elements, spliced
from goldlabel.formats.tables import TableFile, write_column
from goldlabel.formats.tables.roles import id_column
from goldlabel.formats.tables.roles import ids as ids_of
from goldlabel.results.audit import Source
from goldlabel.tasks.token.formats.sentences import Changes, TaggedSentences

__all__ = ["TAGS", "TOKENS", "export", "read"]

TOKENS = ("tokens", "words", "token", "text_tokens")
TAGS = ("ner_tags", "tags", "labels", "ner", "bio_tags", "ner_labels", "pos_tags", "label")
"""What such columns are called, in this order."""


def read(
    table: TableFile,
    *,
    tokens: str | None = None,
    tags: str | None = None,
    id: str | None = None,
    classes: tuple[str, ...] | None = None,
) -> TaggedSentences:
    """Read a table.

    Parameters
    ----------
    table : TableFile
    tokens, tags : str, optional
        The columns; found by their names if not given.
    id : str, optional
        Column of ids.
    classes : tuple of str, optional
        What whole numbers among the tags are positions in, if the file does not say.

    Raises
    ------
    InputError
        There are no such columns, or a row has another number of words than tags.
    """
    path = table.source.files[0]
    words_in = _column(table, tokens, TOKENS, "tokens")
    tags_in = _column(table, tags, TAGS, "tags")
    names = table.categories.get(tags_in) if tags_in in table.coded else None
    lists = [_listed(value, path, words_in, row) for row, value in enumerate(table.frame[words_in])]
    given = [_listed(value, path, tags_in, row) for row, value in enumerate(table.frame[tags_in])]
    for row, (some, others) in enumerate(zip(lists, given, strict=True)):
        if len(some) != len(others):
            raise InputError(
                f"{path}: row {row + 1}",
                f"has {len(some)} words in {words_in!r} and {len(others)} tags in {tags_in!r}",
                "Give each word a tag",
            )
    lengths = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
    flat, values = _named(given, names or classes, f"{path}: column {tags_in!r}")
    id_name, id_note = id_column(table, id)
    options = {**table.source.options, "tokens": words_in, "tags": tags_in, "values": values}
    notes = [*table.notes, f"Words from column {words_in!r}, tags from {tags_in!r}."]
    return TaggedSentences(
        tokens=[str(word) for words in lists for word in words],
        tags=flat,
        offsets=np.append(0, np.cumsum(lengths)).astype(np.int64),
        source=Source(table.source.format, table.source.files, options),
        notes=notes + ([id_note] if id_note else []),
        ids=ids_of(table, id_name),
        listed=names,
    )


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
    kinds = {type(value) for tags in given for value in tags} - {type(None)}
    if kinds <= {str}:
        return [tag for tags in given for tag in tags], None
    if not kinds <= {int}:
        row, value = next(
            (row, value) for row, tags in enumerate(given) for value in tags
            if type(value) not in (int, type(None), *({str} if str in kinds else ()))
            or (str in kinds and type(value) is int)
        )  # fmt: skip
        raise InputError(
            f"{where}, row {row + 1}", f"holds {value!r}", "Use only text, or only whole numbers"
        )
    flat: list[str | None] = []
    for row, tags in enumerate(given):
        for value in tags:
            if value is None or value in (-1, -100):
                flat.append(None)
            elif names is not None and not 0 <= value < len(names):
                raise InputError(
                    f"{where}, row {row + 1}",
                    f"holds {value}, and there are classes 0 .. {len(names) - 1}",
                    "Name all classes",
                )
            else:
                flat.append(str(value) if names is None else names[value])
    held = sorted({value for tags in given for value in tags if value is not None})
    values = {str(value): value for value in held} if names is None else {
        name: at for at, name in enumerate(names)
    }  # fmt: skip
    return flat, values


def export(source: Source, changes: Changes, out: Path) -> None:
    """Write the table with some tags replaced, and everything else as it was."""
    values = source.options.get("values")

    def held(tag: str | None) -> Any:
        if tag is None or values is None:
            return tag
        if tag not in values:
            raise InputError(
                str(source.files[0]), f"can't hold the tag {tag!r}: it has numbers", "Name all"
            )
        return values[tag]

    rows: dict[int, object] = {}
    for sentence, change in changes.items():
        if source.format == "jsonl":
            rows[sentence] = _edit({at: held(change.new[at]) for at in change.changed})
        else:
            rows[sentence] = _Elements({at: held(change.new[at]) for at in change.changed})
    if source.format != "jsonl" and rows:
        rows = _whole_lists(source, rows)
    write_column(source, source.options["tags"], rows, out)


class _Elements(dict[int, Any]):
    """New values by position in a list."""


def _whole_lists(source: Source, rows: dict[int, Any]) -> dict[int, object]:
    """Return the whole new list of each row: Arrow has no smaller change."""
    from goldlabel.formats.tables import read_table_again

    column = read_table_again(source).frame[source.options["tags"]]
    lists = {row: list(column.iloc[row]) for row in rows}
    for row, new in rows.items():
        for at, value in new.items():
            lists[row][at] = value
    return {
        row: [each.item() if hasattr(each, "item") else each for each in values]
        for row, values in lists.items()
    }


def _edit(new: dict[int, Any]) -> Callable[[str], str]:
    """Return what puts new elements into the text of a JSON list, and leaves the others alone."""

    def edited(text: str) -> str:
        places = list(elements(text))
        ascii_only = text.isascii()
        return spliced(
            text,
            [
                (*places[at][1:], json.dumps(value, ensure_ascii=ascii_only))
                for at, value in new.items()
            ],
        )

    return edited
