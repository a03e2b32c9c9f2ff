"""What a numpydoc docstring says, as text for a terminal."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import typer
from rich.markup import escape

__all__ = ["Docstring", "described", "read"]

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Docstring:
    """The part of a docstring that a command's help shows.

    Attributes
    ----------
    text : str
        The summary and what follows it, up to the first section; paragraphs of one line each.
    parameters : mapping of str to str
        The description of each parameter, in one line.
    """

    text: str
    parameters: dict[str, str]


def read(docstring: str | None) -> Docstring:
    """Read a numpydoc docstring.

    Examples
    --------
    >>> read('''Find them.
    ...
    ... Parameters
    ... ----------
    ... path : Path
    ...     The file with the
    ...     ``label`` column.
    ... ''')
    Docstring(text='Find them.', parameters={'path': 'The file with the label column.'})
    """
    lines = inspect.cleandoc(docstring or "").splitlines()
    starts = [i - 1 for i in range(1, len(lines)) if re.fullmatch(r"-{3,}", lines[i])]
    ends = [*starts, len(lines)]
    parameters: dict[str, str] = {}
    for start, end in zip(starts, ends[1:], strict=True):
        if lines[start].strip() in ("Parameters", "Other Parameters"):
            parameters.update(_entries(lines[start + 2 : end]))
    return Docstring(_prose(lines[: ends[0]]), parameters)


def described(app: typer.Typer, name: str | None = None) -> Callable[[Command], Command]:
    """Make a function a command of `app`: its docstring is the help, each paragraph one line.

    Typer by itself keeps the line ends of a docstring, and folds them once more.
    """

    def add(function: Command) -> Command:
        return app.command(name, help=escape(read(function.__doc__).text))(function)

    return add


def _entries(lines: list[str]) -> dict[str, str]:
    """Split ``name, name : type`` and the indented lines below each into name -> description."""
    entries: dict[str, str] = {}
    names: list[str] = []
    for line in lines:
        if line[:1].strip():
            names = [name.strip(" *") for name in line.split(" :")[0].split(",")]
            entries.update(dict.fromkeys(names, ""))
        else:
            entries.update((name, f"{entries[name]}\n{line}") for name in names)
    return {name: " ".join(_prose(text.splitlines()).split()) for name, text in entries.items()}


def _prose(lines: list[str]) -> str:
    """Join the lines of each paragraph; drop the backticks, which a terminal has no use for."""
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines).strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).replace("`", "")
