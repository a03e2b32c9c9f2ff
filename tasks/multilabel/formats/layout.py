"""Where the labels of a table are: in a column for each class, or in one column of lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from goldlabel.errors import InputError
from goldlabel.formats.options import options_of
from goldlabel.formats.reading import of_table
from goldlabel.formats.tables import TableFile, roles, table_formats
from goldlabel.results.audit import Source
from goldlabel.tasks.multilabel.formats import columns, lists
from goldlabel.tasks.multilabel.formats.given import Asked, Changes, Given
from goldlabel.tasks.multilabel.formats.table_options import LabelTable

__all__ = ["FORMATS", "LIST_NAMES", "read_layout"]

LIST_NAMES = (
    *("labels", "label", "tags", "tag", "classes", "class", "categories", "category"),
    *("genres", "genre", "topics", "topic", "targets", "target", "y"),
)
"""What columns of lists are called."""


def read_layout(
    opened: TableFile,
    labels: Sequence[str] | None,
    id: str | None,
    *,
    separator: str | None = None,
    names: Sequence[str] = (),
    k: int | None = None,
) -> Given:
    """Read the labels of a table.

    Parameters
    ----------
    opened : TableFile
    labels : sequence of str, optional
        Columns of the classes, or the column of lists. If not given: the columns called like the
        classes; else the one with a usual name, or the only one; else those that hold nothing but
        yes and no, if there are `k` of them.
    id : str, optional
        Column of ids, which holds no labels.
    separator : str, optional
        What separates classes in a text.
    names : sequence of str
        Names of the classes, where they are known.
    k : int, optional
        Number of classes, where it is known.
    """
    path = opened.source.files[0]
    held = [str(name) for name in opened.frame.columns]
    guessed = labels is None
    if labels is None:
        labels = _guessed(opened, held, id, names, k)
    unknown = [name for name in labels if name not in held]
    if unknown or not labels:
        what = f"has no column {unknown[0]!r}" if unknown else "has no columns named"
        raise InputError(str(path), f"{what}; it has {_shown(held)}", "Name some of these")
    if len(labels) > 1 or _is_flag(opened, labels[0], names, k):
        given = columns.read(opened, labels)
        said = f"The classes are the columns {_shown(labels)}." if guessed else ""
    else:
        given = lists.read(opened, labels[0], separator=separator, known=names)
        said = f"Column {labels[0]!r} was taken for the labels." if guessed else ""
    given.notes.extend([said] if said else [])
    return given


def _read(opened: TableFile, asked: Asked) -> Given:
    id_name, id_note = roles.id_column(opened, asked.id)
    ids = roles.ids(opened, id_name)
    probs = asked.predictions(ids, id_name)
    hints = tuple(asked.classes or ())
    given = read_layout(
        opened,
        asked.labels,
        id_name,
        separator=asked.separator,
        names=hints if probs is None or probs.classes is None else probs.classes,
        k=None if probs is None else probs.values.shape[1],
    )
    options = replace(options_of(given.source, LabelTable), id=id_name)
    given.notes.extend([id_note] if id_note else [])
    source = replace(given.source, options=options)
    return given._replace(ids=ids, id=id_name, frame=opened.frame, source=source)


def _export(source: Source, changes: Changes, out: Path) -> None:
    layout = options_of(source, LabelTable).layout
    (columns if layout == "columns" else lists).export(source, changes, out)


def _guessed(
    opened: TableFile, held: Sequence[str], id: str | None, names: Sequence[str], k: int | None
) -> list[str]:
    if len(names) > 1 and set(names) <= set(held):
        return list(names)
    rest = [name for name in held if name != id]
    usual = [name for name in rest if name.lower() in LIST_NAMES]
    if len(rest) == 1 or len(usual) == 1:
        return (usual or rest)[:1]
    flags = columns.indicators(opened.frame, [id])
    if len(flags) > 1 and (len(flags) == k or (k is None and len(flags) == len(rest))):
        return flags
    what = (
        f"{len(usual)} columns could be the labels" if usual else "no column is surely the labels"
    )
    if flags and k is not None:
        what = f"{len(flags)} columns hold only yes and no, and pred_probs has {k} classes"
    raise InputError(
        str(opened.source.files[0]),
        f"{what}: it has {_shown(held)}",
        "Name the columns of the classes, or the column of lists, with the option labels",
    )


def _is_flag(opened: TableFile, name: str, names: Sequence[str], k: int | None) -> bool:
    """Return whether a single column is that of a single class."""
    single = k == 1 or (k is None and list(names) == [name])
    return single and bool(columns.indicators(opened.frame[[name]]))


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


FORMATS = table_formats(_read, _export, LabelTable, reading=lambda asked: of_table(asked.reading))
"""The formats of tables."""
