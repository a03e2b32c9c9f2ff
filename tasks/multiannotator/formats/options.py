"""What the formats of votes need to be read and written again; checked when it is read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypedDict

from goldlabel.formats.options import Scalar
from goldlabel.formats.tables import TableKeys
from goldlabel.tasks.multiannotator.formats.duplicates import Duplicates

__all__ = ["VoteKeys"]


class AskedKeys(TypedDict):
    """What the caller said of the file; see `recognition.Asked`."""

    columns: Mapping[str, str | None]
    annotators: tuple[str, ...] | None
    positive: str | None
    format: str | None
    options: Mapping[str, Scalar]


class ReadKeys(TypedDict, total=False):
    """What the caller said of the dataset."""

    classes: tuple[str, ...] | None
    duplicates: Duplicates
    key: str | None
    prefix: str | None


class VoteKeys(TableKeys, total=False):
    """Votes in any layout; a layout has those keys that it needs."""

    layout: Literal["long", "wide", "lists", "counts", "prodigy", "doccano", "label_studio"]
    roles: tuple[str | None, ...]
    single: str | bool | None
    annotators: tuple[str, ...]
    item: str | None
    column: str
    style: str
    choices: bool
    positive: str | None
    name: str
    to_name: str
    tasks: int
    classes: tuple[str, ...]
    values: tuple[Scalar, ...]
    votes: int
    numbered: bool
    asked: AskedKeys
    read: ReadKeys
