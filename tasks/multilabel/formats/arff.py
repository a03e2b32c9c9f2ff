"""ARFF files of Mulan, with an XML file that names the attributes which are labels, and of MEKA."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from goldlabel.errors import InputError
from goldlabel.formats.head import Head
from goldlabel.formats.json.text import edited_list, spliced
from goldlabel.formats.options import options_of
from goldlabel.formats.registry import Format
from goldlabel.formats.tables import write_text
from goldlabel.formats.text import TextFile, read_text
from goldlabel.results.audit import Source
from goldlabel.tasks.multilabel.formats.arff_records import (
    Header,
    Record,
    entries_of,
    read_header,
    records,
)
from goldlabel.tasks.multilabel.formats.given import (
    Asked,
    Changes,
    Given,
    Options,
    are_few,
    flag,
    opposite,
    whole,
)
from goldlabel.tasks.multilabel.inputs import UNKNOWN, BadLabel

__all__ = ["FORMAT", "label_names"]

_MEKA = re.compile(r"-C\s+(-?\d+)", re.IGNORECASE)
_SHOWN = 8


def _looks_like(head: Head) -> bool:
    """Return whether text begins as ARFF files do, after comments."""
    for line in head.text.splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith("%"):
            return stripped.lower().startswith("@relation")
    return False


@dataclass(frozen=True, kw_only=True)
class ArffOptions(Options):
    """An ARFF file; `attributes` are the numbers of its labels."""

    encoding: str
    sha256: str
    rows: int
    attributes: tuple[int, ...]


def _read(path: Path, asked: Asked) -> Given:
    return read(path, labels=asked.labels, xml=asked.xml, encoding=asked.reading.get("encoding"))


def label_names(path: Path) -> list[str]:
    """Return the names of the labels that a Mulan XML file lists, also nested ones, in order.

    Raises
    ------
    InputError
        It is no such file, or defines entities.
    """
    text = read_text(path).data
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise InputError(str(path), "defines entities, which no list of labels needs", "Drop them")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise InputError(str(path), f"is not XML ({error})", "Name Mulan's XML file") from error
    names = [
        element.get("name", "") for element in root.iter() if element.tag.split("}")[-1] == "label"
    ]
    if not names or not all(names):
        raise InputError(str(path), "names no labels", "Name Mulan's XML file: <label name=...>")
    return names


def read(
    path: Path,
    *,
    labels: Sequence[str] | None = None,
    xml: Path | None = None,
    encoding: str | None = None,
) -> Given:
    """Read an ARFF file.

    Parameters
    ----------
    path : Path
    labels : sequence of str, optional
        Names of the attributes that are labels.
    xml : Path, optional
        File that lists them; if neither is given, the one beside `path` of the same name, or what
        the name of the relation says (MEKA).
    encoding : str, optional

    Raises
    ------
    InputError
        The file is damaged, or its labels are not known; says which line.
    """
    file = read_text(path, encoding=encoding)
    text = file.data.decode("utf-8")
    header = read_header(path, text)
    names, said, listed = _labels(path, header, labels, xml)
    place = {name: at for at, name in enumerate(header.names)}
    columns = [place[name] for name in names]
    shown = _shown(header, columns)
    found: list[list[int]] = []
    fields, bad, first_bad = [], [], ""
    for row, record in enumerate(records(path, text, header)):
        values = [_value(record, at, header) for at in columns]
        kinds = [flag(value) for value in values]
        found.append([UNKNOWN if kind is None else kind for kind in kinds])
        bad += [BadLabel(row, at, values[at]) for at, kind in enumerate(kinds) if kind is None]
        if bad and not first_bad:
            first_bad = f"{path}: line {record.number}, attribute {names[bad[0].part]!r}"
        fields.append([_value(record, at, header) for at in shown])
    if not found:
        raise InputError(str(path), "has no data", "Name a file that has rows")
    if bad and not are_few(bad, len(found)):
        raise InputError(
            first_bad,
            f"is {bad[0].text!r}, neither 1 nor 0 ({len(bad):,} such)",
            "Write 1, 0, or ? where it is not known",
        )
    options = ArffOptions(
        encoding=file.encoding, sha256=file.sha256, rows=len(found), attributes=tuple(columns)
    )
    note = (
        f"Read {path.name} as ARFF, {file.description}: {len(found):,} rows,"
        f" {len(header.names):,} attributes, of which {len(names):,} are labels ({said})."
    )
    names_shown = [header.names[at] for at in shown]
    frame = pd.DataFrame(fields, columns=names_shown, index=range(len(found)), dtype=object)
    source = Source("arff", (path,), options, listed)
    matrix = np.array(found, dtype=np.int8)
    return whole(matrix, names, str(path), source, [note], frame=frame, bad=tuple(bad))


def _shown(header: Header, labels: Sequence[int]) -> list[int]:
    """Return the attributes that a person could judge an example by: text and names, no numbers."""
    numbers = ("numeric", "real", "integer")
    words = [at for at, kind in enumerate(header.kinds) if not kind.lower().startswith(numbers)]
    return [at for at in words if at not in set(labels)][:_SHOWN]


def _labels(
    path: Path, header: Header, labels: Sequence[str] | None, xml: Path | None
) -> tuple[list[str], str, tuple[Path, ...]]:
    """Return the names of the labels, what says so, and the file that lists them if one does."""
    beside = path.with_suffix(".xml")
    meka = _MEKA.search(header.relation)
    listed = xml or beside
    files: tuple[Path, ...] = ()
    if labels is not None:
        names, said = list(labels), "as named"
    elif xml is not None or beside.is_file():
        names, said, files = label_names(listed), f"by {listed.name}", (listed,)
    elif meka is not None:
        count = int(meka[1])
        names = header.names[:count] if count > 0 else header.names[count:]
        said = "as the relation says"
    else:
        raise InputError(
            str(path),
            f"does not say which of its {len(header.names)} attributes are labels",
            f"Put Mulan's XML file beside it as {beside.name}, or pass it as xml, or name the"
            " attributes as labels",
        )
    unknown = [name for name in names if name not in set(header.names)]
    if unknown or len(set(names)) < len(names) or not names:
        what = f"no attribute is called {unknown[0]!r}" if unknown else "a label is named twice"
        raise InputError(str(path), f"does not fit its labels ({said}): {what}", "Correct them")
    return names, said, files


def _value(record: Record, at: int, header: Header) -> str:
    if at not in record.places:
        return header.default(at)
    start, stop = record.places[at]
    return record.text[start:stop].strip("'\"")


def export(source: Source, changes: Changes, out: Path) -> None:
    """Write the file again with the values of some labels changed."""
    write_text(source, out, lambda file: _changed(source, file, changes))


def _changed(source: Source, file: TextFile, changes: Changes) -> bytes:
    path = source.files[0]
    text = file.data.decode("utf-8")
    attributes = options_of(source, ArffOptions).attributes
    by_row: dict[int, dict[int, bool]] = {}
    for (example, part), is_present in changes.items():
        by_row.setdefault(example, {})[attributes[part]] = is_present
    edits: list[tuple[int, int, str]] = []
    header = read_header(path, text)
    for row, record in enumerate(records(path, text, header)):
        if row in by_row and record.is_sparse:
            edits.append(_sparse_edit(record, by_row[row], header))
        elif row in by_row:
            edits += _dense_edits(record, by_row[row])
    return spliced(text, edits).encode("utf-8")


def _dense_edits(record: Record, values: Mapping[int, bool]) -> Iterator[tuple[int, int, str]]:
    for at, is_present in values.items():
        start, stop = record.places[at]
        new = _written(record.text[start:stop], is_present)
        yield record.start + start, record.start + stop, new


def _written(old: str, is_present: bool) -> str:
    quote = old[0] if old[:1] in ("'", '"') else ""
    return quote + opposite(old.strip("'\""), is_present, ["1"]) + quote


def _sparse_edit(
    record: Record, values: Mapping[int, bool], header: Header
) -> tuple[int, int, str]:
    """Write a value where there is one; else put the label in where its number belongs.

    What has the default value is left out.
    """
    text = record.text
    begin, end = text.index("{") + 1, text.rfind("}")
    spans = entries_of(text[begin:end])
    numbers = [int(text[begin + start :].split(maxsplit=1)[0]) for start, _ in spans]
    kept = [text[begin + start : begin + stop] for start, stop in spans]
    entries = dict(zip(numbers, kept, strict=True))
    for at, is_present in values.items():
        default = header.default(at)
        if flag(default) == int(is_present):
            entries.pop(at, None)
        elif at in entries:
            start, stop = record.places[at]
            old = text[start:stop]
            lead = entries[at][: len(entries[at]) - len(old)]
            entries[at] = lead + _written(old, is_present)
        else:
            entries[at] = f"{at} {opposite(default, is_present, ['1'])}"
    order = sorted(entries) if numbers == sorted(numbers) else list(entries)
    inside = text[begin:end]
    plain = edited_list(inside, spans, lambda i: False, [entries[at] for at in order], ", ")
    lead = inside[: spans[0][0]] if spans else ""
    tail = inside[spans[-1][1] :] if spans else ""
    return record.start + begin, record.start + end, plain or lead + tail


FORMAT: Format[Asked, Given] = Format(
    "arff", "an ARFF file", _looks_like, _read, export, ArffOptions
)
