"""A format as a third party would add it: fastText's lines, ``__label__CLASS the text``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.head import Head
from goldlabel.formats.options import options_of
from goldlabel.formats.registry import Format
from goldlabel.formats.tables import write_text
from goldlabel.formats.tables.class_column import distinct
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.multiclass.formats.labels import Asked, Labels, Options

MARK = "__label__"


@dataclass(frozen=True, kw_only=True)
class LineOptions(Options):
    """A label at the beginning of each line."""

    encoding: str
    sha256: str


def read(path: Path, asked: Asked) -> Labels:
    file = read_text(path, encoding=asked.reading.get("encoding"))
    labels = []
    for number, line in enumerate(file.data.decode("utf-8").splitlines(), 1):
        mark, label = line[: len(MARK)], line[len(MARK) :].split(" ", 1)[0]
        if mark != MARK or not label:
            raise InputError(f"{path}: line {number}", f"begins with no {MARK}", "Add a label")
        labels.append(label)
    source = Source("fasttext", (path,), LineOptions(encoding=file.encoding, sha256=file.sha256))
    found = distinct(pd.Series(labels, dtype=object), str(path))
    return Labels(found, str(path), source, [f"Read {path.name} as fastText."])


def export(source: Source, changes: Mapping[int, object], out: Path) -> None:
    def changed(file: TextFile) -> bytes:
        lines = file.data.decode("utf-8").splitlines(keepends=True)
        for at, label in changes.items():
            _, space, text = lines[at].partition(" ")
            lines[at] = f"{MARK}{label}{space}{text}"
        return "".join(lines).encode("utf-8")

    options_of(source, LineOptions)
    write_text(source, out, changed)


def looks_like(head: Head) -> bool:
    return head.line.startswith(MARK)


FORMAT: Format[Asked, Labels] = Format(
    "fasttext", "fastText's lines", looks_like, read, export, LineOptions
)
