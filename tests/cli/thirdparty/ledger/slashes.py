"""A format of tagged sentences as a third party would add it: ``word/TAG word/TAG`` on a line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from goldlabel.errors import InputError
from goldlabel.formats.head import Head
from goldlabel.formats.registry import Format
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.token.formats.options import Asked, Options
from goldlabel.tasks.token.formats.sentences import Changes, TaggedSentences

WORD = re.compile(r"(\S+)/([A-Z]\S*)")


def read(path: Path, asked: Asked) -> TaggedSentences:
    file = read_text(path, encoding=asked.encoding)
    lines = [WORD.findall(line) for line in file.data.decode("utf-8").splitlines()]
    if not all(lines):
        raise InputError(f"{path}: line {lines.index([]) + 1}", "has no word/TAG", "Add one")
    source = Source("slashes", (path,), Options(encoding=file.encoding, sha256=file.sha256))
    pairs = [pair for line in lines for pair in line]
    return TaggedSentences(
        tokens=[word for word, _ in pairs],
        tags=[tag for _, tag in pairs],
        offsets=np.cumsum([0, *map(len, lines)]),
        source=source,
        notes=[f"Read {path.name} as words with slashes."],
    )


def export(source: Source, changes: Changes, out: Path) -> None:
    def changed(file: TextFile) -> bytes:
        lines = file.data.decode("utf-8").splitlines(keepends=True)
        for sentence, change in changes.items():
            pairs = zip(WORD.findall(lines[sentence]), change.new, strict=True)
            lines[sentence] = " ".join(f"{word}/{tag}" for (word, _), tag in pairs) + "\n"
        return "".join(lines).encode("utf-8")

    write_text(source, out, changed)


def looks_like(head: Head) -> bool:
    return bool(head.line) and all(map(WORD.fullmatch, head.line.split()))


FORMAT: Format[Asked, TaggedSentences] = Format(
    "slashes", "words with slashes", looks_like, read, export, Options
)
