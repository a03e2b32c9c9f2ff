"""What the formats of tagged sentences need to be written again; checked when it is read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from goldlabel.formats.options import Scalar
from goldlabel.formats.tables import TableKeys

__all__ = ["TagKeys"]


class Joined(TypedDict):
    """What every format has: classes and schemes, and tags that are none of them."""

    classes: tuple[str, ...]
    scheme: str
    file_scheme: str
    sentences: int
    strays: tuple[str, ...]


class TagKeys(Joined, TableKeys, total=False):
    """Columns, lists in a table, or texts with spans; each has those keys that it needs."""

    token: int
    tag: int
    separator: str
    tokens: str
    tags: str | None
    values: Mapping[str, Scalar] | None
    words: tuple[tuple[tuple[int, int], ...], ...] | None
