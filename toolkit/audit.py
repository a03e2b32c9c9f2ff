"""An audit: what was found in a dataset, with all that a report, a review or an export needs.

A task builds an `Audit`; `goldlabel.report` shows and stores it without knowing the task. How an
example looks to a person is therefore said here in neutral terms: `Item`, `Table`, `Figure`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from goldlabel.result import LabelIssues

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Audit", "Figure", "Item", "Source", "Table"]


@dataclass(frozen=True)
class Source:
    """Where the labels came from: what `export` needs to write the dataset back.

    Attributes
    ----------
    format : str
        Name of the native format, e.g. ``"csv"``.
    files : tuple of Path
        The label files, or the one folder. Other inputs (predictions, images) are in `inputs`.
    options : mapping
        What the format needs to read them again (label column, delimiter, encoding); plain JSON.
    inputs : tuple of Path
        Every other file that the audit read.
    """

    format: str
    files: tuple[Path, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Item:
    """One example as a person reads it.

    Attributes
    ----------
    text : str, optional
        The example's text.
    image : bytes, optional
        A small PNG.
    fields : mapping of str to str
        Other columns that help to judge it.
    """

    text: str | None = None
    image: bytes | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Table:
    """A table of the report: a title, a frame, and a sentence on how to read it.

    `style` "heatmap" colours the cells of a frame of numbers by their size (rows and columns are
    classes); "plain" shows a row per row, with columns that sort.
    """

    title: str
    frame: pd.DataFrame
    note: str = ""
    style: Literal["plain", "heatmap"] = "plain"


@dataclass(frozen=True)
class Figure:
    """A picture of the report: a PNG, its title, a text for those who can't see it, a note."""

    title: str
    png: bytes
    alt: str
    note: str = ""


def _no_items(examples: Sequence[int]) -> list[Item]:
    return [Item() for _ in examples]


@dataclass(frozen=True, eq=False)
class Audit:
    """What a task found in a dataset that was read from files.

    Attributes
    ----------
    issues : LabelIssues
        The result itself.
    source : Source
        Where the labels came from.
    summary : mapping
        Named figures for summary.json and the headline: plain JSON, in the order to show.
    items : callable
        Positions of examples -> an `Item` each; called for the examples that are shown.
    tables, figures : tuple
        What the report shows besides the examples.
    frames : mapping of str to DataFrame
        Further tables of the task, written as ``NAME.parquet``.
    notes : tuple of str
        What was recognised or assumed while reading, a sentence each.
    limits : tuple of str
        What this audit cannot see, a sentence each.
    """

    issues: LabelIssues
    source: Source
    summary: Mapping[str, Any]
    items: Callable[[Sequence[int]], list[Item]] = _no_items
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
