"""An audit: what was found in a dataset, with all that a report, a review or an export needs.

A task builds an `Audit`; `goldlabel.report` shows and stores it without knowing the task. What a
report shows is therefore said in neutral terms: here `Table` and `Figure`, and how an example looks
to a person in `goldlabel.scenes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from goldlabel.results.label_issues import LabelIssues
from goldlabel.scenes import View

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Audit", "Figure", "Source", "Table"]


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
    view : View, optional
        Shows examples; asked for those that are shown. Without one, the report says of an example
        what the findings say.
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
    view: View | None = None
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    part: str = ""
    part_names: Sequence[str] = ()
    verdict: tuple[str, str] = ("looks mislabelled", "look mislabelled")
