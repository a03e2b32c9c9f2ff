"""What a format of votes is asked, and what it needs to read and write them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from goldlabel.formats.options import Scalar
from goldlabel.formats.tables import TableOptions
from goldlabel.tasks.multiannotator.formats.duplicates import Duplicates

__all__ = ["Asked", "Kept", "VoteOptions"]


@dataclass(frozen=True)
class Asked:
    """What the caller says of a file; plain values, so that a source can keep them.

    Attributes
    ----------
    columns : mapping of str to str or None
        By role: item, annotator, label, time, seconds.
    annotators : tuple of str or None
        Columns of a wide table.
    positive : str or None
        The class to ask about, of votes with several.
    format : str or None
    options : mapping
        Of the table: encoding, delimiter, quote, header, split.
    """

    columns: Mapping[str, str | None]
    annotators: tuple[str, ...] | None
    positive: str | None
    format: str | None
    options: Mapping[str, Scalar]

    @property
    def item(self) -> str | None:
        """The column of items."""
        return self.columns["item"]


@dataclass(frozen=True)
class Kept:
    """What the caller says of the dataset."""

    classes: tuple[str, ...] | None = None
    duplicates: Duplicates = "last"
    key: str | None = None
    prefix: str | None = None


@dataclass(frozen=True, kw_only=True)
class VoteOptions(TableOptions):
    """Votes in any layout; a layout has those fields that it needs."""

    layout: Literal["long", "wide", "lists", "counts", "prodigy", "doccano", "label_studio"]
    roles: tuple[str | None, ...] = ()
    single: str | bool | None = None
    annotators: tuple[str, ...] = ()
    item: str | None = None
    column: str = ""
    style: str = ""
    choices: bool = False
    positive: str | None = None
    name: str = ""
    to_name: str = ""
    tasks: int = 0
    classes: tuple[str, ...] = ()
    values: tuple[Scalar, ...] = ()
    votes: int = 0
    numbered: bool = False
    asked: Asked | None = None
    read: Kept | None = None
