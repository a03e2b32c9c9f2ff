"""The lines of a file of columns, and in which columns the words and their tags are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from goldlabel.errors import InputError
from goldlabel.formats.text import TextFile
from goldlabel.inputs.labels import FEW_UNKNOWN

__all__ = ["SAMPLE", "UNKNOWN", "Layout", "Line", "comments", "layout_of", "lines_of"]

UNKNOWN = b"_"
"""What a field without a value holds."""
SAMPLE = 2000
"""So many lines show how the others are."""
_DOCSTART = b"-DOCSTART-"
_SPELLED = {"\\t": "\t", "tab": "\t", "space": " "}
_CONLL_U = 10
_CHUNKS = frozenset(b"NP VP PP ADVP ADJP SBAR PRT CONJP INTJ LST UCP".split())
_TAG = re.compile(rb"[BIESLUMW][-_](.+)|.+[-_][BIESLUMW]")
_WORD_ID = re.compile(rb"\d{1,9}")
_SPECIAL_ID = re.compile(rb"\d+([-.]\d+)")


class Layout(NamedTuple):
    """How the lines are to be read.

    Attributes
    ----------
    separator : bytes
        What stands between fields; b"" = any run of spaces and tabs.
    token, tag : int
        Which field; below 0 from the end.
    has_ids : bool
        Whether the first field numbers the words, as in CoNLL-U.
    fields : int
        How many fields most lines have.
    layers : tuple of str
        The columns that hold tags of entities, each with some, where there are several.
    cuts : frozenset of int
        Numbers of the lines that end before the tag.
    """

    separator: bytes
    token: int
    tag: int
    has_ids: bool
    fields: int
    layers: tuple[str, ...] = ()
    cuts: frozenset[int] = frozenset()

    @property
    def is_conll_u(self) -> bool:
        """Whether these are the columns of CoNLL-U."""
        return self.has_ids and self.fields == _CONLL_U

    def split(self, line: bytes) -> list[bytes]:
        """Return the fields of a line."""
        return line.split(self.separator) if self.separator else line.split()


class Line(NamedTuple):
    """A line with a token: its number, where it begins, and its fields; None ends a sentence."""

    number: int
    start: int
    fields: list[bytes] | None


def layout_of(file: TextFile, token: int | None, tag: int | None, separator: str | None) -> Layout:
    """Find out how the lines of a file are to be read; what the caller says is taken.

    Raises
    ------
    InputError
        There is no such column, or the words are in that of the tags.
    """
    lines = [line for line in file.data.split(b"\n", SAMPLE)[:SAMPLE] if line.strip()]
    plain = [line for line in lines if not line.startswith((b"#", _DOCSTART))] or lines
    separator = _SPELLED.get(separator, separator) if separator else None
    between = b"" if separator is None else separator.encode()
    without = sum(b"\t" not in line for line in plain)
    if separator is None and (not without or without < FEW_UNKNOWN * len(plain)):
        between = b"\t"
    rows = [line.rstrip(b"\r").split(between) if between else line.split() for line in plain]
    fields = Counter(map(len, rows)).most_common(1)[0][0]
    rows = [row for row in rows if len(row) == fields]
    has_ids = fields > 2 and _counts_tokens([row[0] for row in rows])
    first = token if token is not None else int(has_ids)
    layers = [at for at in range(fields) if at != first % fields and _is_layer(rows, at)]
    if has_ids and fields == _CONLL_U and between == b"\t" and not layers:
        usual = 3
    else:
        usual = layers[0] if len(layers) > 1 else -1
    last = tag if tag is not None else usual
    _check_columns(file, fields, first, last)
    samples = tuple(
        f"column {at} ({', '.join(_sample(rows, at))})" for at in layers if len(layers) > 1
    )
    layout = Layout(between, first, last, has_ids, fields, samples if tag is None else ())
    return layout._replace(cuts=_cuts(file, layout))


def _counts_tokens(ids: Sequence[bytes]) -> bool:
    """Return whether a column counts 1, 2, 3 in every sentence, ranges (3-4) aside."""
    numbers = [int(each) for each in ids if _WORD_ID.fullmatch(each)]
    if not numbers or numbers[0] > 1 or max(numbers) < 2:
        return False
    others = [each for each in ids if not _WORD_ID.fullmatch(each)]
    starts = (0, 1)
    return all(_SPECIAL_ID.fullmatch(each) for each in others) and all(
        after == before + 1 or after in starts for before, after in pairwise(numbers)
    )


def _is_layer(rows: Sequence[Sequence[bytes]], column: int) -> bool:
    """Return whether a column holds tags of entities, and not of chunks (noun phrases, ...)."""
    tags = {row[column] for row in rows} - {UNKNOWN}
    matches = [_TAG.fullmatch(tag) for tag in tags - {b"O"}]
    types = {match[1] for match in matches if match is not None}
    return b"O" in tags and len(matches) > 0 and all(matches) and not types <= _CHUNKS


def _sample(rows: Sequence[Sequence[bytes]], column: int) -> list[str]:
    counts = Counter(row[column] for row in rows if row[column] not in (b"O", UNKNOWN))
    return [tag.decode("utf-8", "replace") for tag, _ in counts.most_common(3)]


def _check_columns(file: TextFile, fields: int, token: int, tag: int) -> None:
    for name, column in (("token", token), ("tag", tag)):
        if not -fields <= column < fields:
            raise InputError(
                f"{name}_column",
                f"is {column}, and {file.path.name} has {fields} columns, 0 .. {fields - 1}",
                "Name a column that is there, or what separates columns",
            )
    if token % fields == tag % fields:
        raise InputError(
            str(file.path),
            f"has the words and the tags in one column, {tag % fields}"
            + (" (it has no other)" if fields == 1 else ""),
            "Name a file with a token and its tag on each line, or what separates columns",
        )


def _cuts(file: TextFile, layout: Layout) -> frozenset[int]:
    """Return the numbers of the few lines that end before their tag.

    Where many lines do, they are written so, and columns are counted from where they are.
    """
    if layout.tag != -1 and layout.tag % layout.fields != layout.fields - 1:
        return frozenset()
    words, cuts = 0, set()
    for line in lines_of(file, layout, least=_needed(layout.token, 1)):
        words += line.fields is not None
        if line.fields is not None and len(line.fields) < layout.fields:
            cuts.add(line.number)
    return frozenset(cuts) if len(cuts) < FEW_UNKNOWN * words else frozenset()


def lines_of(file: TextFile, layout: Layout, least: int | None = None) -> Iterator[Line]:
    """Yield every line with a token, and None where a sentence ends."""
    if least is None:
        least = max(_needed(layout.token), _needed(layout.tag))
    known = _tags_of_plain_lines(file, layout)
    start = 0
    for number, raw in enumerate(file.data.split(b"\n"), start=1):
        line = raw.rstrip(b"\r") if layout.separator else raw.strip()
        here, start = start, start + len(raw) + 1
        if not line.strip() or line.startswith(_DOCSTART):
            yield Line(number, here, None)
            continue
        fields = layout.split(line)
        if line.startswith(b"#") and _is_comment(fields, layout, known):
            continue
        if layout.has_ids and _SPECIAL_ID.fullmatch(fields[0]):
            continue
        if len(fields) < least and number not in layout.cuts:
            columns = f"{len(fields)} column{'' if len(fields) == 1 else 's'}"
            raise InputError(
                f"{file.path}: line {number}",
                f"has {columns}, and {least} are needed",
                "Give it a token and a tag, or say what separates columns",
            )
        yield Line(number, here, fields)
    yield Line(-1, start, None)


def _is_comment(fields: list[bytes], layout: Layout, known: set[bytes]) -> bool:
    if len(fields) != layout.fields:
        return True
    return not layout.separator and fields[0] == b"#" and fields[layout.tag] not in known


def _needed(column: int, least: int = 2) -> int:
    """Return how many fields a line must have for a column to be there."""
    return max(column + 1, -column, least)


def _tags_of_plain_lines(file: TextFile, layout: Layout) -> set[bytes]:
    """Return the tags of all lines that are surely no comment; none where no line can be one."""
    if not file.data.startswith(b"#") and b"\n#" not in file.data:
        return set()
    known = set()
    for line in file.data.split(b"\n"):
        if line.strip() and not line.startswith(b"#"):
            fields = layout.split(line.rstrip(b"\r") if layout.separator else line)
            if len(fields) == layout.fields:
                known.add(fields[layout.tag])
    return known


def comments(file: TextFile, layout: Layout) -> int:
    """Return how many lines are comments."""
    known = _tags_of_plain_lines(file, layout)
    lines = file.data.split(b"\n") if known else []
    return sum(
        line.startswith(b"#") and _is_comment(layout.split(line.rstrip(b"\r")), layout, known)
        for line in lines
    )
