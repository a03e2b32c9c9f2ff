"""The formats of a task: each says its name, how it is recognised, reads, and writes.

A task has one table of them, `Formats`; it recognises a file by its `Head`, lists the names for
``--format``, and finds what writes a dataset back. Whoever installs a package with an entry point
``TASK.NAME`` in the group ``goldlabel.formats`` adds a format to a task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Generic, TypeVar

from goldlabel.errors import InputError
from goldlabel.formats.head import Head
from goldlabel.formats.known import foreign
from goldlabel.formats.options import options_of
from goldlabel.results.audit import Source

__all__ = ["GROUP", "Export", "Format", "Formats"]

GROUP = "goldlabel.formats"

Asked = TypeVar("Asked")
"""What a caller says of the files of a task: columns, encoding and the like."""
Document = TypeVar("Document")
"""What a task makes its container of."""

Export = Callable[[Source, Any, Path], None]
"""Write the dataset of a source to a path with some changes, and everything else as it was."""


@dataclass(frozen=True)
class Format(Generic[Asked, Document]):
    """A native format of a task.

    Attributes
    ----------
    name : str
        As ``--format`` and `Source.format` have it.
    title : str
        What it is, in a few words: ``"a COCO file"``.
    looks_like : callable or None
        Whether a `Head` is of this format; None of the one that is taken where no other fits.
    read : callable
        The path and what the caller asked for -> a document. It is sure of the format.
    export : callable or None
        `Export`; None where the format can't be written.
    options : type
        The dataclass of `Source.options`.
    is_folder : bool
        Whether it is a folder, not a file.
    """

    name: str
    title: str
    looks_like: Callable[[Head], bool] | None
    read: Callable[[Path, Asked], Document]
    export: Export | None = None
    options: type[Any] = object
    is_folder: bool = False


class Formats(Generic[Asked, Document]):
    """The formats of a task, in the order in which they are tried.

    Parameters
    ----------
    task : str
        Name of the task, before the dot in the names of entry points.
    formats : Format
        The task's own.
    option : str
        What the caller's choice is called in messages.
    """

    def __init__(
        self, task: str, *formats: Format[Asked, Document], option: str = "format"
    ) -> None:
        self.task = task
        self.own = formats
        self.option = option

    def __iter__(self) -> Iterator[Format[Asked, Document]]:
        """Give the task's own formats, then those of other packages."""
        yield from self.own
        for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
            if point.name.startswith(f"{self.task}."):
                yield point.load()

    @property
    def names(self) -> tuple[str, ...]:
        """What ``--format`` may be."""
        return tuple(each.name for each in self)

    def named(self, name: str) -> Format[Asked, Document]:
        """Return the format of a name.

        Raises
        ------
        InputError
            There is none.
        """
        formats = list(self)
        for each in formats:
            if each.name == name:
                return each
        names = ", ".join(each.name for each in formats)
        raise InputError(self.option, f"is {name!r}, not one of {names}", "Use one of these")

    def find(
        self, path: Path, format: str | None = None, *, encoding: str | None = None
    ) -> Format[Asked, Document]:
        """Return the format of a file or a folder.

        Parameters
        ----------
        path : Path
        format : str, optional
            Its name, in place of what the content looks like.
        encoding : str, optional
            Of a text.

        Raises
        ------
        InputError
            There is no such file, none of this name, or it is something else; says what.
        """
        asked = None if format is None else self.named(format)
        head = Head.of(path, encoding)
        if asked is not None:
            if asked.is_folder != head.is_folder:
                kinds = ("folder", "file") if head.is_folder else ("file", "folder")
                what = f"is a {kinds[0]}, and {asked.name} is a {kinds[1]}"
                raise InputError(str(path), what, f"Name the {kinds[1]}")
            return asked
        return self._recognised(head)

    def _recognised(self, head: Head) -> Format[Asked, Document]:
        possible = [each for each in self if each.is_folder == head.is_folder]
        for each in possible:
            if each.looks_like is not None and each.looks_like(head):
                return each
        if (known := foreign(head)) is not None:
            raise InputError(str(head.path), *known)
        for each in possible:
            if each.looks_like is None:
                return each
        titles = ", ".join(dict.fromkeys(each.title for each in self))
        kind = "folder" if head.is_folder else "file"
        raise InputError(
            str(head.path),
            f"is a {kind}, and looks like none of these: {titles}",
            f"Name one of them, or say what it is with the option {self.option}",
        )

    def restored(self, source: Source) -> Source:
        """Return a source with options that are checked: those of its format.

        Raises
        ------
        InputError
            The task has no such format, or the options are not of it.
        """
        return replace(source, options=options_of(source, self._of(source).options))

    def export(self, source: Source, changes: Any, out: str | Path) -> None:
        """Write a dataset back with some changes, in the format that it has.

        Raises
        ------
        InputError
            The format can't be written, or what it raises.
        """
        format = self._of(source)
        if format.export is None:
            raise InputError(
                str(source.files[0]), f"is {format.title}, which is only read", "Convert it first"
            )
        format.export(self.restored(source), changes, Path(out))

    def _of(self, source: Source) -> Format[Asked, Document]:
        for each in self:
            if each.name == source.format:
                return each
        raise InputError("source", f"has the format {source.format!r}", "Use that of read")
