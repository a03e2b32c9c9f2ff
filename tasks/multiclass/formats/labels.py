"""What each format of multiclass gives, and what it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy.typing as npt

from goldlabel.formats.options import Scalar
from goldlabel.formats.reading import Reading
from goldlabel.formats.tables import TableFile
from goldlabel.formats.tables.class_column import Distinct
from goldlabel.results.audit import Source

__all__ = ["Asked", "Labels", "Options"]


class Asked(NamedTuple):
    """What the caller says of the file of labels."""

    label: str | None
    id: str | None
    reading: Reading


class Labels(NamedTuple):
    """What a format gives: labels, and what goes with them.

    Attributes
    ----------
    found : Distinct
        The different labels, and which one each row has.
    where : str
        For errors: the file and the column.
    source : Source
        With `Options`, whose `classes` and what follows is not known yet.
    notes : list of str
    listed : tuple of str, optional
        Class names that the type of the column lists.
    positions : bool
        Whether labels are positions in `listed`.
    ids : ndarray, optional
        An id for each row.
    id : str, optional
        What the ids are called.
    table : TableFile, optional
        The table that the labels are a column of.
    """

    found: Distinct
    where: str
    source: Source
    notes: list[str]
    listed: tuple[str, ...] | None = None
    positions: bool = False
    ids: npt.NDArray[Any] | None = None
    id: str | None = None
    table: TableFile | None = None


@dataclass(frozen=True, kw_only=True)
class Options:
    """What every format needs to write labels back.

    Attributes
    ----------
    classes, values : tuple
        Names of the classes, and how the file writes each.
    missing : {"error", "drop"}
        Whether rows without a label were left out.
    examples : int
    """

    classes: tuple[str, ...] = ()
    values: tuple[Scalar, ...] = ()
    missing: Literal["error", "drop"] = "error"
    examples: int = 0
