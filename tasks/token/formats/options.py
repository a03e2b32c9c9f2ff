"""What a format of tagged sentences is asked, and what it needs to write them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from goldlabel.formats.options import Scalar
from goldlabel.formats.reading import FileReading
from goldlabel.formats.tables import TableOptions

__all__ = ["Asked", "ColumnOptions", "ListOptions", "Options", "SpanOptions", "TokenReading"]

Offsets = Sequence[tuple[int, int]]


class TokenReading(FileReading, total=False):
    """How to read sentences and their predictions, where no text is delimited.

    Parameters
    ----------
    key : str, optional
        Array in an .npz file of predictions, or column of a table.
    """

    key: str | None


class Asked(NamedTuple):
    """What the caller says of the file of labels; each format takes what it has.

    Attributes
    ----------
    tokens, tags, id, token_column, tag_column, separator, encoding, split
        As for `goldlabel.tasks.token.read`.
    classes : tuple of str, optional
        What whole numbers among the tags are positions in, if the file does not say.
    words : list of n lists of (int, int), optional
        Where the words of each text are, in characters.
    """

    tokens: str | None = None
    tags: str | None = None
    id: str | None = None
    token_column: int | None = None
    tag_column: int | None = None
    separator: str | None = None
    encoding: str | None = None
    split: str | None = None
    classes: tuple[str, ...] | None = None
    words: Sequence[Offsets] | None = None


@dataclass(frozen=True, kw_only=True)
class Options:
    """What every format needs to write tags back.

    Attributes
    ----------
    classes : tuple of str
    scheme, file_scheme : str
        Scheme of the classes, and what the caller said of the tags in the file.
    sentences : int
    strays : tuple of str
        Tags of the file that are no class.
    encoding : str or None
        Of a text.
    sha256 : str
        Of what was read; "" where that is not known.
    """

    classes: tuple[str, ...] = ()
    scheme: str = "auto"
    file_scheme: str = "auto"
    sentences: int = 0
    strays: tuple[str, ...] = ()
    encoding: str | None = None
    sha256: str = ""

    def asked(self) -> Asked:
        """Return what reads the file as it was read before, without a guess."""
        return Asked(encoding=self.encoding)


@dataclass(frozen=True, kw_only=True)
class ColumnOptions(Options):
    """Columns of words and tags; the separator "" is any white space."""

    token: int
    tag: int
    separator: str

    def asked(self) -> Asked:
        """Return what reads the file as it was read before, without a guess."""
        return Asked(
            token_column=self.token,
            tag_column=self.tag,
            separator=self.separator or None,
            encoding=self.encoding,
        )


@dataclass(frozen=True, kw_only=True)
class ListOptions(Options, TableOptions):
    """Lists of words and tags in a table; `values` are the numbers that stand for tags."""

    tokens: str
    tags: str
    values: Mapping[str, Scalar] | None = None

    def asked(self) -> Asked:
        """Return what reads the file as it was read before, without a guess."""
        return Asked(
            tokens=self.tokens,
            tags=self.tags,
            encoding=self.encoding,
            split=self.split,
            classes=None if self.values is None else tuple(self.values),
        )


@dataclass(frozen=True, kw_only=True)
class SpanOptions(Options):
    """Texts with spans: their key, and where the words are if the predictions say so."""

    tags: str | None = None
    words: tuple[tuple[tuple[int, int], ...], ...] | None = None

    def asked(self) -> Asked:
        """Return what reads the file as it was read before, without a guess."""
        return Asked(tags=self.tags, words=self.words, encoding=self.encoding)
