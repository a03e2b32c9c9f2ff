"""A file of decisions: rows of a CSV that a person, or a spreadsheet, has written."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from goldlabel.errors import InputError
from goldlabel.formats.spreadsheet import as_text
from goldlabel.formats.text import check_file

__all__ = ["Record", "integer", "records"]


class Record(NamedTuple):
    """A row by the names of its columns, and where it stands."""

    where: str
    row: dict[str, str]


def records(path: Path) -> Iterator[Record]:
    """Yield each row of a CSV file with the line that it ends on."""
    check_file(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter=max(",;\t", key=head.count), strict=True)
            names = reader.fieldnames or []
            if "label" not in names or not {"example", "id"} & set(names):
                raise InputError(
                    str(path),
                    f"has the columns {', '.join(map(repr, names)) or 'none'}",
                    "Name them in the first line: 'example' or 'id', 'label', and 'part' if any",
                )
            for row in reader:
                where = f"{path}: line {reader.line_num}"
                if None in row or None in row.values():
                    raise InputError(
                        where,
                        f"has {'more' if None in row else 'fewer'} fields than the header",
                        "Put a field that holds the separator into double quotes",
                    )
                yield Record(where, {name: as_text(cell) for name, cell in row.items()})
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(
            str(path), f"cannot be read ({why})", "Name a CSV file in UTF-8"
        ) from error


def integer(where: str, name: str, text: str) -> int:
    """Return a whole number of a cell, or say that it is none."""
    try:
        return int(text)
    except ValueError:
        raise InputError(where, f"{name} is {text!r}, not a whole number", "Correct it") from None
