"""What a caller may say of the files that are read: declared and documented here alone.

Verbs that read take these as keywords, ``**reading: Unpack[Reading]``, and hand them on; the
command line shows them with the help that stands here. A keyword that is left out has the default
of the function that reads: nothing is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

__all__ = [
    "FileReading",
    "PredictionReading",
    "Reading",
    "TableReading",
    "check_keywords",
    "of_predictions",
    "of_table",
]


class FileReading(TypedDict, total=False):
    """How to read a file or a folder.

    Parameters
    ----------
    encoding : str, optional
        Encoding of a text file, e.g. latin-1, in place of UTF-8 or what a byte order mark says.
    split : str, optional
        Split of a Hugging Face dataset, e.g. train.
    """

    encoding: str | None
    split: str | None


class TableReading(FileReading, total=False):
    """How to read a table.

    Parameters
    ----------
    delimiter : str, optional
        Character between the fields of a text table; recognised if not given.
    quote : str, optional
        Character around a field of a text table; empty for none. A double quote if not given.
    header : bool, optional
        Whether the first record names the columns; if not, they are called 0, 1, 2.
    """

    delimiter: str | None
    quote: str | None
    header: bool | None


class PredictionReading(TypedDict, total=False):
    """How to read predicted probabilities.

    Parameters
    ----------
    key : str, optional
        Array in an .npz file of predictions.
    prefix : str, optional
        What the names of the columns of predictions begin with, before the class.
    """

    key: str | None
    prefix: str | None


class Reading(TableReading, PredictionReading, total=False):
    """How to read a table and predicted probabilities: `TableReading`, `PredictionReading`."""


def check_keywords(reading: Mapping[str, object], kind: type) -> None:
    """Refuse a keyword that is not declared, as Python does."""
    for name in reading:
        if name not in kind.__annotations__:
            raise TypeError(f"got an unexpected keyword argument {name!r}")


def of_table(reading: Reading) -> TableReading:
    """Return what is said of the table; a keyword that is of neither stays, to be refused."""
    of_predictions = PredictionReading.__annotations__
    kept = {name: value for name, value in reading.items() if name not in of_predictions}
    return kept  # type: ignore[return-value]


def of_predictions(reading: Reading) -> PredictionReading:
    """Return what is said of the predictions."""
    known = PredictionReading.__annotations__
    kept = {name: value for name, value in reading.items() if name in known}
    return kept  # type: ignore[return-value]
