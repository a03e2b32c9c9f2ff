"""An audit: what was found in a dataset, with all that a report, a review or an export needs.

A task builds an `Audit`; `goldlabel.report` shows and stores it without knowing the task. How an
example looks to a person is therefore said here in neutral terms: `Item` (with `Span` and `Box`),
`Table`, `Figure`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from goldlabel.results.label_issues import LabelIssues

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Audit", "Box", "Figure", "Item", "Source", "Span", "Table"]


@dataclass(frozen=True)
class Source:
    """Where the labels came from: what `export` needs to write the dataset back.

    Attributes
    ----------
    format : str
        Name of the native format, e.g. ``"csv"``.
    files : tuple of Path
        The label files, or the one folder. Other inputs (predictions, images) are in `inputs`.
    options : dataclass or mapping
        What the format needs to read them again (label column, delimiter, encoding); plain JSON.
        A mapping is what was read back from the folder of an audit, and is not checked yet:
        `goldlabel.formats.options.options_of` makes the format's dataclass of it.
    inputs : tuple of Path
        Every other file that the audit read.
    """

    format: str
    files: tuple[Path, ...]
    options: Any = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Span:
    """A piece of a text that has a label of its own, e.g. a token and its tag.

    Attributes
    ----------
    text : str
        The piece.
    given : str
        Its label; empty where there is none to show.
    suggested : str
        What to put instead; empty where the piece is not suspect.
    """

    text: str
    given: str = ""
    suggested: str = ""


@dataclass(frozen=True)
class Box:
    """A rectangle on an item's image, in shares of its width and height, from the top left.

    Attributes
    ----------
    x, y, width, height : float
        The left upper corner and the size, each in [0, 1].
    label : str
        What is written beside it.
    role : {"given", "suggested"}
        Whether it is a label of the dataset or what is suggested.
    """

    x: float
    y: float
    width: float
    height: float
    label: str = ""
    role: Literal["given", "suggested"] = "given"


@dataclass(frozen=True)
class Item:
    """One example as a person reads it.

    Attributes
    ----------
    text : str, optional
        The example's text.
    image : bytes, optional
        A small PNG or JPEG, at best under 20 kB: a report holds about 3 MB of images.
    fields : mapping of str to str
        Other columns that help to judge it.
    spans : tuple of Span
        The text in pieces that have labels; shown in place of `text`.
    boxes : tuple of Box
        Rectangles on `image`.
    pictures : mapping of str to bytes
        Further images by caption, e.g. the given mask and the suggested one.
    """

    text: str | None = None
    image: bytes | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    spans: tuple[Span, ...] = ()
    boxes: tuple[Box, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Table:
    """A table of the report: a title, a frame, and a sentence on how to read it.

    `style` "heatmap" colours the cells of a frame of numbers by their size (rows and columns are
    classes, named by the frame's index and columns; the diagonal is left out of the scale);
    "plain" shows a row per row, with columns that sort. Where the index of a heat map is called
    "given" and its columns "suggested", a cell leads to the examples of that pair.
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
    warnings : tuple of str
        What deserves a look before the result is believed, a sentence each.
    part : str
        What a part of an example is called: ``"token"``, ``"box"``.
    part_names : sequence of str
        Names by part where every example has the same parts (classes, annotators).
    verdict : tuple of str
        What a flagged example does, in the headline: of one, and of several.
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
    warnings: tuple[str, ...] = ()
    part: str = ""
    part_names: Sequence[str] = ()
    verdict: tuple[str, str] = ("looks mislabelled", "look mislabelled")
